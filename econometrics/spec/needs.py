"""Which columns each part of a study needs, and where in its specification each of them is written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from econometrics.declarations.yaml_lines import Place
from econometrics.estimation.sample import columns_of
from econometrics.spec.models import chain_of, condition_columns, full_mediation, full_model
from econometrics.spec.specification import StudySpec


def needs_of(spec: StudySpec, section: str, name: str) -> Iterator[tuple[Place, Sequence[str]]]:
    """Return the columns that a part needs, and where each of them stands in the specification.

    Parameters
    ----------
    spec : StudySpec
        The study.
    section, name : str
        Which part.
    """
    each, place = getattr(spec, section)[name], (section, name)
    if section == "models":
        yield from _model_needs(spec, name)
    elif section == "mediation":
        yield from _mediation_needs(spec, name)
    elif section == "staggered":
        for key in ("outcome", "first_treated", "unit", "time", "cluster"):
            yield (*place, key), [getattr(each, key)] if getattr(each, key) else []
        yield (*place, "controls"), each.controls or []
        yield (*place, "where"), condition_columns(each.where)
        yield (*place, "placebo", "within"), [each.placebo.within] if each.placebo and each.placebo.within else []
    elif section != "families":
        yield from _model_needs(spec, each.model)
        for key in ("moderator", "threshold", "column"):
            value = getattr(each, key, None)
            yield (*place, key), [value] if value else []
        yield (*place, "other_indices"), getattr(each, "other_indices", [])
        if section == "heterogeneity":
            yield from _group_needs(spec, name)


def _model_needs(spec: StudySpec, name: str) -> Iterator[tuple[Place, Sequence[str]]]:
    """Return the columns of a model, each where it is written: in it, in one it is based on, or in the defaults."""
    model = full_model(spec, name)
    given: dict[str, Sequence[str]] = {
        "outcome": [model.outcome],
        "regressors": model.regressors,
        "controls": model.controls,
        "instruments": model.instruments,
        "fixed_effects": columns_of(model.fixed_effects),
        "cluster": columns_of(model.cluster),
        "weights": [model.weights] if model.weights else [],
        "where": condition_columns(model.where),
    }
    for key, columns in given.items():
        yield _told_at(spec, name, key), columns


def _told_at(spec: StudySpec, name: str, key: str) -> Place:
    """Return where a model's key is written, so that what is wrong with it is said once."""
    for each in chain_of(spec, name):
        if getattr(spec.models[each], key) is not None:
            return ("models", each, key)
    return ("defaults", key)


def _mediation_needs(spec: StudySpec, name: str) -> Iterator[tuple[Place, Sequence[str]]]:
    each, full = spec.mediation[name], full_mediation(spec, name)
    place: Place = ("mediation", name)
    yield (*place, "mediators"), full.mediators
    yield (*place, "instruments"), full.instruments
    yield (*place, "moderator"), [each.moderator] if each.moderator else []
    for key in ("outcome", "treatment"):
        yield (*place, key), [getattr(each, key)] if getattr(each, key) else []
    yield (*place, "where"), condition_columns(each.where)
    if each.model:
        yield from _model_needs(spec, each.model)
    for key in ("controls", "fixed_effects", "cluster"):
        given = getattr(each, key)
        if given is not None:
            yield (*place, key), columns_of(given)
        elif not each.model:
            yield ("defaults", key), columns_of(getattr(spec.defaults, key))


def _group_needs(spec: StudySpec, name: str) -> Iterator[tuple[Place, Sequence[str]]]:
    each = spec.heterogeneity[name]
    place: Place = ("heterogeneity", name)
    for key in ("column", "cut", "quantiles_of", "within", "policy", "market_value"):
        value = getattr(each.by, key)
        yield (*place, "by", key), [value] if value else []
    yield (*place, "regressors"), each.regressors or []
    if each.mediation:
        yield from _mediation_needs(spec, each.mediation)
