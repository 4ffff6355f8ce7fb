"""The parts of a mediation result: whole-sample effects, identity, share, tables' equations, sensitivity."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from econometrics.estimation.covariance import StandardErrors
from econometrics.estimation.effects import Floats
from econometrics.estimation.multiple_testing import adjust as adjust_p_values
from econometrics.estimation.multiple_testing import centred_statistics, romano_wolf
from econometrics.estimation.result import Regression
from econometrics.instrument.two_stage import instrument
from econometrics.mediate.fit import fit_system, swept_columns
from econometrics.mediate.inference import Options, Outcome, column_name, infer
from econometrics.mediate.model import Model
from econometrics.mediate.result import Adjust, EffectEstimate, Layout
from econometrics.mediate.sensitivity import MediationSensitivity, mediation_sensitivity
from econometrics.mediate.system import Effect, Equation, Structure, linear_system
from econometrics.regress.regression import regress
from econometrics.resample.kernel import GramKernel
from shuzhi import EstimationError

# Largest gap between total and direct plus indirect effect, relative to the largest of them, that rounding explains.
IDENTITY_TOLERANCE = 1e-8


def whole_sample(model: Model, structure: Structure, options: Options) -> Outcome:
    """Estimate the linear model in the whole sample.

    Parameters
    ----------
    model : Model
        Matrix, effects, clusters.
    structure : {"parallel", "serial"}
        How several mediators stand to each other.
    options : Options
        How to infer.
    """
    system = linear_system(model.columns, structure)
    fit = fit_system(system, model.design, options.classical, options.small_sample)

    def estimate(kernels: Sequence[GramKernel], draw: Callable[[GramKernel], Floats]) -> Floats:
        return system.estimate(draw(kernels[0]))

    return infer(fit, [model.kernel], estimate, options, len(model.design.raw))


def identity_gap(model: Model, effects: Sequence[EffectEstimate]) -> tuple[float, str]:
    """Check that the total effect is the direct plus the indirect effects.

    Parameters
    ----------
    model : Model
        For its instruments.
    effects : sequence of EffectEstimate
        Of the whole sample.

    Returns
    -------
    gap : float
        Total less direct less indirect effects.
    warning : str
        Empty where the identity holds.

    Raises
    ------
    EstimationError
        It does not hold for least squares, where it must.
    """
    parts = [row.estimate for row in effects if row.effect in ("direct", "indirect")]
    total = next(row.estimate for row in effects if row.effect == "total")
    gap = total - sum(parts)
    if abs(gap) <= IDENTITY_TOLERANCE * max(abs(total), *map(abs, parts)):
        return gap, ""
    if not model.names.instruments:
        raise EstimationError(
            f"total effect {total:.10g} is not direct plus indirect {sum(parts):.10g}: the columns are too close to "
            "collinear for these numbers to be trusted; rescale or drop controls"
        )
    return gap, (
        f"total and direct plus indirect effect differ by {gap:.4g}: more instruments than instrumented variables, "
        "so that the equations weigh them differently"
    )


def share_mediated(effects: Sequence[EffectEstimate]) -> tuple[float, str]:
    """Compute the indirect share of the total effect where it means something.

    Parameters
    ----------
    effects : sequence of EffectEstimate
        Of the whole sample.

    Returns
    -------
    share : float
        NaN where it means nothing.
    reason : str
        Why not, empty where it does.
    """
    total = next(row for row in effects if row.effect == "total")
    direct = next(row for row in effects if row.effect == "direct").estimate
    indirect = sum(row.estimate for row in effects if row.effect == "indirect")
    if direct * indirect < 0:
        return float("nan"), "direct and indirect effect have opposite signs, so neither is a part of the total"
    if not (total.interval_low > 0 or total.interval_high < 0):
        return float("nan"), (
            f"the total effect is too near 0 to divide by (interval {total.interval_low:.4g} to "
            f"{total.interval_high:.4g})"
        )
    return indirect / total.estimate, ""


def adjusted_effects(found: Outcome, adjust: Adjust) -> tuple[EffectEstimate, ...]:
    """Adjust the p values of several indirect effects.

    Parameters
    ----------
    found : Outcome
        Effects and replicates of the whole sample.
    adjust : {"none", "holm", "benjamini_hochberg", "romano_wolf"}
        How.
    """
    rows = list(found.effects)
    places = [number for number, row in enumerate(rows) if row.effect == "indirect"]
    if len(places) < 2 or adjust == "none":
        return found.effects
    if adjust == "romano_wolf":
        labels = [column_name(Effect("indirect", rows[place].mediator)) for place in places]
        replicates = found.replicates[labels].to_numpy()
        replicates = replicates[np.isfinite(replicates).all(axis=1)]
        p_values = romano_wolf(*centred_statistics([rows[place].estimate for place in places], replicates))
    else:
        p_values = adjust_p_values([rows[place].p_value for place in places], adjust)
    for place, p_value in zip(places, p_values, strict=True):
        rows[place] = replace(rows[place], adjusted_p_value=float(p_value))
    return tuple(rows)


def equation_regressions(
    model: Model, structure: Structure, layout: Layout, options: Options
) -> tuple[tuple[Regression, ...], dict[str, float]]:
    """Estimate the equations that a table shows, on the rows of the model.

    Parameters
    ----------
    model : Model
        Rows and columns.
    structure, layout : str
        As in ``mediate``.
    options : Options
        For the standard errors.

    Returns
    -------
    regressions : tuple of Regression
        Total and mediator equations; with "stepwise" the outcome equation as well.
    first_stages : dict of str to float
        Kleibergen-Paap rk Wald F by equation, where there are instruments.
    """
    equations = linear_system(model.columns, structure).equations
    shown = equations if layout == "stepwise" else equations[:-1]
    stages: dict[str, float] = {}
    regressions = []
    for equation in equations:
        if equation not in shown and not equation.instrumented:
            continue
        result = _regression(model, equation, options)
        weak = getattr(result, "weak_instruments", None)
        if weak is not None:
            stages[equation.name] = float(weak.kleibergen_paap_f)
        if equation in shown:
            regressions.append(result)
    return tuple(regressions), stages


def _regression(model: Model, equation: Equation, options: Options) -> Regression:
    names, labels = model.names, model.columns.names
    rows, outcome = model.design.sample.data, labels[equation.outcome]
    terms = [labels[column] for column in equation.regressors]
    kind: StandardErrors = "cluster" if names.cluster else "classical" if options.classical else "robust"
    if not equation.instrumented:
        return regress(
            rows,
            outcome,
            terms,
            fixed_effects=names.fixed_effects,
            cluster=names.cluster,
            standard_errors=kind,
            small_sample=options.small_sample,
            drop_singletons=False,
        )
    endogenous = [name for name in terms if name in names.instruments]
    return instrument(
        rows,
        outcome,
        endogenous,
        [labels[column] for column in equation.instruments if column not in equation.regressors],
        exogenous=[name for name in terms if name not in endogenous],
        fixed_effects=names.fixed_effects,
        cluster=names.cluster,
        standard_errors=kind,
        small_sample=options.small_sample,
        drop_singletons=False,
    )


def sensitivity_of(model: Model, found: Outcome, options: Options) -> MediationSensitivity | None:
    """Compute the sensitivity measures for one mediator without instruments.

    Parameters
    ----------
    model : Model
        Columns.
    found : Outcome
        With the Gram matrices of the bootstrap samples.
    options : Options
        For the level.
    """
    names = model.names
    if len(names.mediators) > 1 or names.instruments:
        return None
    width = 3 + len(names.controls)
    return mediation_sensitivity(
        swept_columns(model.design, width),
        (names.outcome, names.treatment, names.mediators[0]),
        model.design.effects,
        replicates=None if found.grams is None else found.grams[:, :width, :width],
        level=options.level,
    )
