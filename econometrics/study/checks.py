"""The robustness of a study: the battery, the curve, and the corrections for measurement error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from econometrics.measurement_error.attenuation import correct_attenuation
from econometrics.measurement_error.oriv import related_instruments
from econometrics.measurement_error.simex import simulate_extrapolate
from econometrics.robustness.battery import robustness
from econometrics.robustness.result import Robustness
from econometrics.spec.models import baseline_of, full_model, seed_of
from econometrics.spec.specification import StudySpec
from econometrics.specification_curve.curve import estimate_specifications
from econometrics.specification_curve.result import SpecificationCurve
from econometrics.study.sample import StudySample


def run_robustness(spec: StudySpec, sample: StudySample, name: str) -> Robustness:
    """Run a battery of checks on a model of a study."""
    each = spec.robustness[name]
    variables = sample.panel.variables
    return robustness(
        sample.rows(full_model(spec, each.model).where),
        baseline_of(spec, each.model, each.focus),
        sample.plan.checks[name],
        labels={column: (known.label("zh"), known.label("en")) for column, known in variables.items()},
        level=round(1 - spec.defaults.level, 10),
    )


def run_curve(spec: StudySpec, sample: StudySample, name: str) -> SpecificationCurve:
    """Estimate every combination of the choices that a study declares."""
    each = spec.specification_curve[name]
    return estimate_specifications(
        sample.rows(full_model(spec, each.model).where),
        baseline_of(spec, each.model, each.focus),
        each.choices,
        draws=each.draws or spec.defaults.draws,
        scheme=each.scheme,
        level=round(1 - spec.defaults.level, 10),
        most=each.most,
        seed=seed_of(spec, each.seed) or 0,
    )


def measurement_methods(spec: StudySpec, name: str) -> dict[str, Callable[[StudySample], Any]]:
    """Return the corrections for measurement error that a study asks for, by name of the method."""
    each, model = spec.measurement_error[name], full_model(spec, spec.measurement_error[name].model)
    column = each.column or model.regressors[0]
    shared: dict[str, Any] = {
        "controls": [term for term in model.terms if term != column],
        "fixed_effects": model.fixed_effects,
        "cluster": model.cluster,
    }
    found: dict[str, Callable[[StudySample], Any]] = {}
    if each.reliability is not None:
        found["attenuation"] = lambda sample: correct_attenuation(
            sample.rows(model.where),
            model.outcome,
            column,
            reliability=float(each.reliability or 0),
            reliability_standard_error=each.reliability_standard_error,
            reliability_of=each.reliability_of,
            persistent_share=each.persistent_share,
            **shared,
        )
    if each.simulate:
        found["simex"] = lambda sample: simulate_extrapolate(
            sample.rows(model.where),
            model.outcome,
            column,
            reliability=each.reliability,
            persistent_share=each.persistent_share,
            extrapolant=each.extrapolant,
            simulations=each.simulations,
            variance=each.variance,
            draws=each.draws or spec.defaults.draws,
            seed=seed_of(spec, each.seed) or 0,
            **shared,
        )
    if each.other_indices:
        found["related_instruments"] = lambda sample: related_instruments(
            sample.rows(model.where), model.outcome, [column, *each.other_indices], scale=each.scale, **shared
        )
    return found
