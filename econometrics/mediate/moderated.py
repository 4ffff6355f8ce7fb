"""Indirect effects by group, at values of a continuous moderator, and with a treatment-mediator interaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from econometrics.estimation.design import independent_terms
from econometrics.estimation.effects import Floats
from econometrics.estimation.sample import numeric_values
from econometrics.mediate.fit import SystemFit, fit_system, stack_covariance
from econometrics.mediate.inference import Options, infer
from econometrics.mediate.intervals import chosen_method
from econometrics.mediate.model import FEW_CLUSTERS, Model
from econometrics.mediate.products import interaction_system, moderated_system
from econometrics.mediate.result import EffectEstimate
from econometrics.mediate.system import Effect, Structure, System, linear_system
from econometrics.resample.kernel import GramKernel
from shuzhi import EstimationError, SpecError

ModeratorKind = Literal["auto", "groups", "continuous"]

# A numeric moderator with more values than this is continuous unless told otherwise.
MOST_GROUPS = 6


@dataclass(frozen=True)
class Extra:
    """Effects beyond those of the whole sample.

    Parameters
    ----------
    effects : tuple of EffectEstimate
        Estimates.
    replicates : DataFrame
        One row a draw, one column an effect.
    warnings : tuple of str
        In words.
    """

    effects: tuple[EffectEstimate, ...] = ()
    replicates: pd.DataFrame = field(default_factory=pd.DataFrame)
    warnings: tuple[str, ...] = ()


def moderator_is_continuous(data: pd.DataFrame, moderator: str, kind: ModeratorKind) -> bool:
    """Say whether a moderator is taken as a number.

    Parameters
    ----------
    data : DataFrame
        Rows.
    moderator : str
        Column.
    kind : {"auto", "groups", "continuous"}
        As asked for; "auto" takes numbers with more than six values as continuous.

    Raises
    ------
    SpecError
        Too many groups, or text as a continuous moderator.
    """
    if moderator not in data.columns:
        return False
    column = data[moderator]
    numeric = bool(pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column))
    values = int(column.nunique())
    if kind == "continuous" and not numeric:
        raise SpecError(f"moderator {moderator!r} is not numeric ({column.dtype}), so it cannot be continuous")
    continuous = kind == "continuous" or (kind == "auto" and numeric and values > MOST_GROUPS)
    if not continuous and values > MOST_GROUPS:
        raise SpecError(
            f"moderator {moderator!r} has {values} groups; at most {MOST_GROUPS} can be compared, cut it first"
        )
    return continuous


def encode_groups(data: pd.DataFrame, moderator: str) -> tuple[pd.DataFrame, dict[float, str]]:
    """Turn the groups of a moderator into numbers, so that they pass through the choice of the sample.

    Parameters
    ----------
    data : DataFrame
        Rows; not changed.
    moderator : str
        Column; numbers and booleans stay as they are.

    Returns
    -------
    DataFrame
        The rows with a numeric moderator, missing where it was.
    dict of float to str
        Name of the group behind each number, in the order of the groups.
    """
    if moderator not in data.columns:
        return data, {}
    column = data[moderator]
    if pd.api.types.is_numeric_dtype(column):
        values = numeric_values(column)
        return data, {float(value): f"{value:g}" for value in np.unique(values[np.isfinite(values)])}
    known = sorted(column.dropna().unique())
    codes = column.map({value: float(number) for number, value in enumerate(known)}).astype("float64")
    return data.assign(**{moderator: codes}), {float(number): str(value) for number, value in enumerate(known)}


def by_group(
    model: Model,
    structure: Structure,
    moderator: str,
    labels: Mapping[float, str],
    options: Options,
    drop_singletons: bool,
) -> Extra:
    """Estimate the whole model in each group, effects of its own included, and compare the groups.

    All groups share the draws of clusters, so that differences are right also where groups share clusters.

    Parameters
    ----------
    model : Model
        The whole sample.
    structure : {"parallel", "serial"}
        How mediators stand to each other.
    moderator : str
        Column of the groups.
    labels : mapping of float to str
        Name of each group.
    options : Options
        How to infer.
    drop_singletons : bool
        Drop rows alone in a level of an effect within a group.

    Raises
    ------
    EstimationError
        A group cannot be estimated.
    """
    groups = numeric_values(model.design.sample.data[moderator])
    present = [value for value in labels if (groups == value).any()]
    if len(present) < 2:
        only = ", ".join(labels[value] for value in present)
        raise EstimationError(f"moderator {moderator!r} has one value only ({only}) in the sample")
    models: list[Model] = []
    fits: list[SystemFit] = []
    problems, warnings = [], []
    counts: list[int] = []
    for value in present:
        rows = groups == value
        name = f"{moderator} = {labels[value]} ({int(rows.sum())} rows"
        try:
            own = model.group(rows, drop_singletons)
            fit = fit_system(linear_system(own.columns, structure), own.design, options.classical, options.small_sample)
        except EstimationError as error:
            problems.append(f"{name}): {error}")
            continue
        clusters = np.unique(own.cluster_codes)
        if len(clusters) < FEW_CLUSTERS:
            warnings.append(f"{name}, {len(clusters)} clusters): too few for intervals to be trusted")
        warnings += [f"{name}): {why}" for lost, why in own.collinear.items() if lost != moderator]
        models.append(own)
        counts.append(len(clusters))
        fits.append(_with_all_clusters(fit, own, clusters))
    if problems:
        raise EstimationError(f"groups that cannot be estimated: {'; '.join(problems)}")
    system = _grouped(fits, [f"{moderator} = {labels[value]}" for value in present])
    start = np.concatenate([[0], np.cumsum([len(fit.coefficients) for fit in fits])])
    same = np.zeros((start[-1], start[-1]), dtype=np.bool_)
    for fit, first, last in zip(fits, start[:-1], start[1:], strict=True):
        same[first:last, first:last] = fit.same_equation
    coefficients = np.concatenate([fit.coefficients for fit in fits])
    degrees = min(fit.degrees_of_freedom for fit in fits)
    stacked = SystemFit(system, coefficients, stack_covariance(fits), same, None, degrees)

    def estimate(kernels: Sequence[GramKernel], draw: Any) -> Floats:
        return np.concatenate(
            [fit.system.estimate(draw(kernel)) for fit, kernel in zip(fits, kernels, strict=True)], axis=1
        )

    if options.is_chosen:
        options = replace(options, method=chosen_method("auto", min(counts)))
    behind = _clusters_behind(fits, counts)
    outcome = infer(stacked, [own.kernel for own in models], estimate, options, len(model.design.raw), behind)
    return Extra(outcome.effects, outcome.replicates, (*warnings, *outcome.warnings))


def _with_all_clusters(fit: SystemFit, own: Model, clusters: NDArray[np.int64]) -> SystemFit:
    """Put the influence of a group's clusters where they stand in the whole sample."""
    if fit.influence is None:
        return fit
    influence = np.zeros((own.clusters, len(fit.coefficients)))
    influence[clusters] = fit.influence
    return SystemFit(fit.system, fit.coefficients, fit.covariance, fit.same_equation, influence, fit.degrees_of_freedom)


def _clusters_behind(fits: Sequence[SystemFit], counts: Sequence[int]) -> list[int]:
    """Return the number of clusters behind each effect of `_grouped`: a difference has those of the smaller group."""
    own = [count for fit, count in zip(fits, counts, strict=True) for _ in fit.system.effects]
    pairs = [min(pair) for pair in combinations(counts, 2) for _ in fits[0].system.effects]
    return [*own, *pairs]


def _grouped(fits: Sequence[SystemFit], labels: Sequence[str]) -> System:
    sizes = np.cumsum([0, *(len(fit.coefficients) for fit in fits)])
    names = [
        Effect(f"{effect.effect}_in_group", effect.mediator, effect.term, label)
        for fit, label in zip(fits, labels, strict=True)
        for effect in fit.system.effects
    ]
    pairs = list(combinations(range(len(fits)), 2))
    names += [
        Effect(f"{effect.effect}_difference", effect.mediator, effect.term, f"{labels[second]} less {labels[first]}")
        for first, second in pairs
        for effect in fits[0].system.effects
    ]

    def function(coefficients: NDArray[Any]) -> NDArray[Any]:
        parts = [
            fit.system.function(coefficients[..., start:stop])
            for fit, start, stop in zip(fits, sizes[:-1], sizes[1:], strict=True)
        ]
        return np.concatenate([*parts, *(parts[second] - parts[first] for first, second in pairs)], axis=-1)

    return System((), (), tuple(names), function)


def by_value(model: Model, moderator: str, options: Options) -> Extra:
    """Estimate how a continuous moderator changes both paths: effects at its mean and a standard deviation around it.

    Parameters
    ----------
    model : Model
        The whole sample, one mediator, no instruments.
    moderator : str
        Numeric column.
    options : Options
        How to infer.
    """
    values = numeric_values(model.design.sample.data[moderator])
    centred, spread = values - values.mean(), float(values.std(ddof=1))
    raw, columns = model.design.raw, model.columns
    treatment, mediator = raw[:, columns.treatment], raw[:, columns.mediators[0]]
    width = len(columns.names)
    products = [
        (f"{model.names.treatment} x {moderator}", (treatment - treatment.mean()) * centred),
        (f"{model.names.mediators[0]} x {moderator}", (mediator - mediator.mean()) * centred),
    ]
    # A moderator that is a control already, or a fixed trait that the effects explain, is in the model.
    absorbed = moderator in independent_terms(model.design, [moderator])[1]
    alone = not absorbed and moderator not in model.names.controls
    wider = model.with_products([*products, *([(moderator, centred)] if alone else [])])
    system = moderated_system(
        wider.columns, width + 2 if alone else None, (width, width + 1), [-spread, 0.0, spread], moderator
    )
    return _single(wider, system, options)


def with_interaction(model: Model, options: Options, values: tuple[float, float] | None) -> Extra:
    """Let the mediator's effect depend on the treatment.

    Parameters
    ----------
    model : Model
        The whole sample, one mediator, no instruments.
    options : Options
        How to infer.
    values : (float, float), optional
        Values of the treatment to compare: by default 0 and 1 where it is binary, else half a standard deviation
        below and above its mean.
    """
    raw, columns = model.design.raw, model.columns
    treatment, mediator = raw[:, columns.treatment], raw[:, columns.mediators[0]]
    mean, spread = float(treatment.mean()), float(treatment.std(ddof=1))
    if values is None:
        binary = bool(np.isin(treatment, (0.0, 1.0)).all())
        values = (0.0, 1.0) if binary else (mean - spread / 2, mean + spread / 2)
    product = (f"{model.names.treatment} x {model.names.mediators[0]}", treatment * (mediator - mediator.mean()))
    wider = model.with_products([product])
    return _single(wider, interaction_system(wider.columns, len(columns.names), *values, mean), options)


def _single(model: Model, system: System, options: Options) -> Extra:
    names = model.names
    terms = [names.treatment, *names.mediators, *names.controls]
    terms += [name for name in model.columns.names if name not in (names.outcome, *terms)]
    lost = independent_terms(model.design, terms)[1]
    if lost:
        raise EstimationError(f"the products cannot be estimated: {'; '.join(lost.values())}")
    fit = fit_system(system, model.design, options.classical, options.small_sample)

    def estimate(kernels: Sequence[GramKernel], draw: Any) -> Floats:
        return system.estimate(draw(kernels[0]))

    outcome = infer(fit, [model.kernel], estimate, options, len(model.design.raw))
    return Extra(outcome.effects, outcome.replicates, outcome.warnings)
