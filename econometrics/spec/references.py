"""Which names in a study's specification point nowhere within it, and what does not fit together, before any data."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from typing import Any, get_args, get_type_hints

from pydantic import TypeAdapter, ValidationError

from econometrics import tables
from econometrics.declarations.yaml_lines import Place, Problem, nearest
from econometrics.mediate.intervals import ANALYTIC, BOOTSTRAP
from econometrics.spec.models import chain_of, checks_of, full_mediation, full_model, instruments_of, seed_of
from econometrics.spec.parts import ResultSection
from econometrics.spec.specification import StudySpec

# Which parts of a specification a table or figure of each kind can show.
SHOWN: dict[str, tuple[str, ...]] = {
    "models": ("models",),
    "mediation": ("mediation",),
    "heterogeneity": ("heterogeneity",),
    "staggered": ("staggered",),
    "event_study": ("staggered",),
    "coefficients": ("models",),
    "paths": ("mediation",),
    "marginal_effects": ("moderators",),
    "specification_curve": ("specification_curve",),
    "results": get_args(ResultSection),
}
# What a builder takes from the plan itself and from the study.
_GIVEN = {"labels", "language", "title", "number", "notes"}


def reference_problems(spec: StudySpec) -> list[Problem]:
    """Return what is wrong with a specification that can be seen without the panel.

    Parameters
    ----------
    spec : StudySpec
        What pydantic accepted.

    Returns
    -------
    list of (tuple, str)
        Places and problems: results that are not there, models that go in a circle or lack an outcome, instruments
        without an endogenous regressor, a missing seed, options that no table has.
    """
    return [
        *_model_problems(spec),
        *_mediation_problems(spec),
        *_group_problems(spec),
        *_other_problems(spec),
        *_check_problems(spec),
        *_nonlinear_problems(spec),
        *_shown_problems(spec),
    ]


def _unknown(place: Place, name: str | None, options: Iterable[str], what: str) -> Iterator[Problem]:
    known = list(options)
    if name is not None and name not in known:
        yield place, f"there is no {what} '{name}'.{nearest(name, known)}"


def _needs_seed(spec: StudySpec, place: Place, own: int | None, what: str) -> Iterator[Problem]:
    if seed_of(spec, own) is None:
        yield place, f"{what} is random and needs a seed; give seed: here or under defaults:, for example seed: 2024"


def _model_problems(spec: StudySpec) -> Iterator[Problem]:
    yield from _unknown(("main",), spec.main, spec.models, "model")
    for name, each in spec.models.items():
        place: Place = ("models", name)
        yield from _unknown((*place, "based_on"), each.based_on, spec.models, "model")
        chain = chain_of(spec, name)
        last = spec.models[chain[-1]].based_on
        if last in chain:
            yield (*place, "based_on"), f"models are based on each other in a circle: {' → '.join([*chain, str(last)])}"
            continue
        if last is not None:
            # What an unknown model would have said is not known: that it is unknown is said above, or for that model.
            continue
        yield from _full_model_problems(spec, name, place)


def _full_model_problems(spec: StudySpec, name: str, place: Place) -> Iterator[Problem]:
    model = full_model(spec, name)
    for key in ("outcome", "regressors"):
        if not getattr(model, key):
            yield place, f"has no {key}, nor has a model it is based on"
    if model.outcome in model.terms:
        yield place, f"{model.outcome} is both outcome and on the right"
    if bool(model.endogenous) != bool(model.instruments):
        yield place, "endogenous: and instruments: belong together"
    for each in model.endogenous:
        yield from _unknown((*place, "endogenous"), each, model.regressors, "regressor")
    for each in model.instruments:
        if each in model.terms or each == model.outcome:
            yield (*place, "instruments"), f"{each} is an instrument and in the model itself"
    if 0 < len(model.instruments) < len(model.endogenous):
        yield (*place, "instruments"), f"{len(model.endogenous)} endogenous regressors need as many instruments"
    if model.standard_errors in ("cr2", "wild") and model.endogenous:
        yield place, f"standard_errors: {model.standard_errors} is not defined with instruments; use cluster"
    if model.standard_errors in ("cluster", "cr2", "wild") and not model.cluster:
        yield place, f"standard_errors: {model.standard_errors} needs cluster:"
    if model.standard_errors == "wild":
        yield from _needs_seed(spec, place, None, "the wild bootstrap")


def _mediation_problems(spec: StudySpec) -> Iterator[Problem]:
    resampled = ("auto", *BOOTSTRAP)
    for name, each in spec.mediation.items():
        place: Place = ("mediation", name)
        yield from _unknown((*place, "model"), each.model, spec.models, "model")
        full = full_mediation(spec, name)
        for key in ("outcome", "treatment"):
            if not getattr(full, key) and each.model is None:
                yield place, f"has no {key}; give it, or model: to take it from"
        doubled = [one for one in (full.outcome, full.treatment) if one in each.mediators]
        if doubled:
            yield (*place, "mediators"), f"{', '.join(doubled)} is also outcome or treatment"
        if isinstance(each.instruments, dict):
            for key in each.instruments:
                yield from _unknown((*place, "instruments", key), key, [full.treatment, *each.mediators], "variable")
        if each.interval not in ANALYTIC:
            yield from _needs_seed(spec, place, each.seed, f"interval: {each.interval}")
        if each.interval in resampled and len(full.cluster) > 1:
            words = f"{', '.join(full.cluster)}: a bootstrap draws one kind of cluster"
            yield (*place, "cluster"), f"{words}; give one, for example {full.cluster[0]}"
        if each.adjust == "romano_wolf" and each.interval not in resampled:
            yield (*place, "adjust"), f"romano_wolf needs a bootstrap; interval: {each.interval} is none"
        for wanted, what in ((each.interaction, "interaction"), (each.moderator_kind == "continuous", "moderator")):
            if wanted and (len(each.mediators) > 1 or instruments_of(each)):
                yield place, f"{what}: takes one mediator and no instruments"


def _group_problems(spec: StudySpec) -> Iterator[Problem]:
    for name, each in spec.heterogeneity.items():
        place: Place = ("heterogeneity", name)
        yield from _unknown((*place, "model"), each.model, spec.models, "model")
        yield from _unknown((*place, "mediation"), each.mediation, spec.mediation, "mediation")
        if each.permute != "none" or each.mediation:
            yield from _needs_seed(spec, place, each.seed, "the permutation" if not each.mediation else "the bootstrap")
        if each.model in spec.models:
            model = full_model(spec, each.model)
            if model.endogenous:
                yield (*place, "model"), f"{each.model} has instruments; groups are compared by least squares"
            if model.weights and each.permute != "none":
                yield (*place, "permute"), "a permutation takes no weights; write permute: none"
        mediation = spec.mediation.get(each.mediation or "")
        if mediation is not None:
            full = full_mediation(spec, str(each.mediation))
            if len(mediation.mediators) > 1 or full.instruments:
                yield (*place, "mediation"), "indirect effects are compared with one mediator and no instruments"
            if len(full.cluster) != 1:
                yield (*place, "mediation"), "indirect effects are compared by drawing one kind of cluster; give one"
    for name, family in spec.families.items():
        place = ("families", name)
        yield from _needs_seed(spec, place, family.seed, "the permutation")
        for split in family.splits:
            yield from _unknown((*place, "splits"), split, spec.heterogeneity, "split under heterogeneity:")
        known = [spec.heterogeneity[split] for split in family.splits if split in spec.heterogeneity]
        if len({split.model for split in known}) > 1:
            yield (*place, "splits"), "the splits of a family are of one model"
        if family.indirect and (len({split.mediation for split in known}) > 1 or not all(s.mediation for s in known)):
            yield (*place, "indirect"), "all splits need the same mediation:"


def _other_problems(spec: StudySpec) -> Iterator[Problem]:
    for part in ("moderators", "u_tests", "thresholds", "robustness", "specification_curve", "measurement_error"):
        for name, each in getattr(spec, part).items():
            yield from _unknown((part, name, "model"), each.model, spec.models, "model")
            if each.model in spec.models and full_model(spec, each.model).endogenous:
                yield (part, name, "model"), f"{each.model} has instruments; give a model by least squares"
    for name, staggered in spec.staggered.items():
        if staggered.placebo is not None:
            yield from _needs_seed(spec, ("staggered", name, "placebo"), staggered.placebo.seed, "the placebo")
    for part in ("robustness", "specification_curve", "measurement_error"):
        for name, each in getattr(spec, part).items():
            if part != "measurement_error" or each.simulate:
                yield from _needs_seed(spec, (part, name), each.seed, "what is drawn here")


def _check_problems(spec: StudySpec) -> Iterator[Problem]:
    """Say which robustness checks are none, and which terms in focus are none of the model."""
    for name in spec.robustness:
        yield from checks_of(spec, name)[1]
    for part in ("robustness", "specification_curve"):
        for name, each in getattr(spec, part).items():
            if each.model in spec.models:
                terms = full_model(spec, each.model).terms
                for term in each.focus or []:
                    yield from _unknown((part, name, "focus"), term, terms, f"term of {each.model}")


def _nonlinear_problems(spec: StudySpec) -> Iterator[Problem]:
    for name, threshold in spec.thresholds.items():
        yield from _needs_seed(spec, ("thresholds", name), threshold.seed, "the bootstrap of the test")
        if threshold.model in spec.models:
            for changing in threshold.changing or []:
                terms = full_model(spec, threshold.model).terms
                yield from _unknown(("thresholds", name, "changing"), changing, terms, f"term of {threshold.model}")
    for name, error in spec.measurement_error.items():
        if error.model in spec.models:
            terms = full_model(spec, error.model).terms
            yield from _unknown(("measurement_error", name, "column"), error.column, terms, f"term of {error.model}")
    for name, moderator in spec.moderators.items():
        if moderator.model in spec.models and moderator.moderator in full_model(spec, moderator.model).regressors[:1]:
            yield ("moderators", name), f"{moderator.moderator} cannot moderate itself; use u_tests:"
    for name, test in spec.u_tests.items():
        if test.model in spec.models:
            terms = full_model(spec, test.model).terms
            yield from _unknown(("u_tests", name, "regressor"), test.regressor, terms, f"term of {test.model}")


def _shown_problems(spec: StudySpec) -> Iterator[Problem]:
    for section in ("tables", "figures"):
        for name, each in getattr(spec, section).items():
            place: Place = (section, name)
            shown = SHOWN.get(each.kind)
            if shown is None:
                if each.parts:
                    yield (*place, "parts"), f"kind {each.kind} takes no parts"
                continue
            section_of = getattr(each, "section", None)
            shown = (section_of,) if section_of else shown
            if not each.parts:
                yield place, f"names no parts; kind {each.kind} shows names of {', '.join(shown)}"
            options = [option for part in shown for option in getattr(spec, part)]
            for part in each.parts:
                yield from _unknown((*place, "parts"), part, options, f"name under {' or '.join(shown)}")
    for name, table in spec.tables.items():
        if table.kind == "descriptive" and spec.descriptive is None:
            yield ("tables", name), "needs descriptive: in the study"
        yield from _option_problems(("tables", name, "options"), table.kind, table.options)
    for name, figure in spec.figures.items():
        wanted = {"trends": "variable", "coefficients": "term"}.get(figure.kind)
        if wanted and getattr(figure, wanted) is None:
            yield ("figures", name), f"kind {figure.kind} needs {wanted}:"


def _option_problems(place: Place, kind: str, options: dict[str, Any]) -> Iterator[Problem]:
    builder = builder_of(kind)
    allowed = [key for key in inspect.signature(builder).parameters if key not in _GIVEN][1:]
    kinds = get_type_hints(builder)
    for key, value in options.items():
        if key not in allowed:
            yield from _unknown((*place, key), key, allowed, f"option of a table of kind {kind}")
            continue
        try:
            TypeAdapter(kinds[key], config={"arbitrary_types_allowed": True}).validate_python(value)
        except ValidationError as error:
            yield (*place, key), f"{error.errors(include_url=False)[0]['msg']} (given: {value!r})"


def builder_of(kind: str) -> Callable[..., Any]:
    """Return the function of `econometrics.tables` that makes a table of a kind."""
    builders: dict[str, Callable[..., Any]] = {
        "models": tables.regression_table,
        "mediation": tables.mediation_table,
        "heterogeneity": tables.heterogeneity_table,
        "staggered": tables.did_table,
        "event_study": tables.event_study_table,
        "descriptive": tables.descriptive_table,
        "correlations": tables.correlation_table,
        "results": tables.frame_table,
    }
    return builders[kind]
