"""The whole curve without an effect: the regressors dealt out at random, all specifications estimated on each draw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from econometrics.covariance import small_sample_terms
from econometrics.design import Design
from econometrics.effects import Booleans, Floats
from econometrics.placebo_projection import TreatmentProjection
from econometrics.placebo_shuffles import Scheme, Shuffler, shuffler
from econometrics.specification_fits import Workshop, digest
from econometrics.specification_space import Specification
from shuzhi import EstimationError, ShuzhiError


@dataclass(frozen=True)
class NullCurves:
    """Estimates and tests of all specifications on randomly dealt regressors.

    Parameters
    ----------
    estimates, z : (draws + 1, specifications) float array
        Coefficients, and signed normal values of their p values; the first row is the data as they are.
    p_values : (draws + 1, specifications) float array
        Two-sided.
    scales : (specifications,) float array
        Standard deviation of the regressor by that of the outcome, on the rows used.
    rows : int
        Rows of the data that take part.
    exchanged : int
        Firms or rows that exchange.
    warnings : tuple of str
        In words.
    """

    estimates: Floats
    z: Floats
    p_values: Floats
    scales: Floats
    rows: int
    exchanged: int
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class _Model:
    """One specification as far as a draw does not change it."""

    place: int
    projection: TreatmentProjection
    design: Design
    factor: float
    degrees: float
    positions: np.ndarray
    regressor: Floats


def null_curves(
    specifications: Sequence[Specification],
    data: pd.DataFrame,
    workshop: Workshop,
    *,
    scheme: Scheme,
    within: tuple[str, ...],
    firm: str,
    year: str,
    draws: int,
    seed: int,
) -> NullCurves:
    """Estimate all specifications on regressors dealt out at random; each draw deals alike for all of them.

    Parameters
    ----------
    specifications : sequence of Specification
        All of which can be estimated.
    data : DataFrame
        Rows as given, numbered from 0.
    workshop : Workshop
        What specifications share.
    scheme, within, firm, year
        As in ``permutation_placebo``.
    draws, seed : int
        Draws and their seed.

    Raises
    ------
    EstimationError
        No row has all regressors, or no specification is left on those that have.
    """
    known = _all_known(specifications, data, within, firm, year, scheme)
    members = np.flatnonzero(known)
    if not len(members):
        raise EstimationError("no row has a value of the regressors of all specifications: nothing can be dealt out")
    exchange = shuffler(data.iloc[members], scheme, within, firm, year)
    place_of = np.full(len(data), -1, dtype=np.int64)
    place_of[members] = np.arange(len(members))
    models, notes = [], []
    for place, each in enumerate(specifications):
        try:
            models.append(_model(place, each, workshop, known))
        except ShuzhiError as error:
            notes.append(f"specification {place + 1} takes no part in the joint test: {error}")
    if not models:
        raise EstimationError("no specification can be estimated on the rows that have all regressors")
    share = len(members) / max(len(data), 1)
    if share < 0.8:
        notes.append(
            f"only {share:.0%} of the rows have the regressors of all specifications; the joint test uses these"
        )
    estimates = np.full((draws + 1, len(specifications)), np.nan)
    statistics = np.full_like(estimates, np.nan)
    for group in _groups(models):
        _fill(group, members, place_of, exchange, draws, seed, estimates, statistics)
    degrees, scales = np.full(len(specifications), np.nan), np.full(len(specifications), np.nan)
    for model in models:
        degrees[model.place] = model.degrees
        outcome = model.design.raw[:, 0]
        own = model.regressor[model.positions]
        scales[model.place] = own.std(ddof=1) / outcome.std(ddof=1)
    p_values, z = _normal(statistics, degrees)
    return NullCurves(estimates, z, p_values, scales, len(members), exchange.exchanged, tuple(notes))


def _all_known(
    specifications: Sequence[Specification],
    data: pd.DataFrame,
    within: tuple[str, ...],
    firm: str,
    year: str,
    scheme: Scheme,
) -> Booleans:
    known = np.ones(len(data), dtype=np.bool_)
    for each in specifications:
        if each.regressor is not None:
            known &= np.isfinite(each.regressor)
    keys = [part for name in within for part in name.split("^")] + ([firm, year] if scheme == "firms" else [])
    for name in keys:
        known &= ~data[name].isna().to_numpy(dtype=np.bool_)
    return known


def _model(place: int, each: Specification, workshop: Workshop, known: Booleans) -> _Model:
    assert each.setting is not None and each.regressor is not None
    model = each.setting.model
    design = workshop.design(each.setting, known)
    others = [name for name in model.terms if name != model.focus[0]]
    controls = (
        np.column_stack([design.raw_column(name) for name in others]) if others else np.empty((len(design.raw), 0))
    )
    absorber = None
    if model.fixed_effects:
        rows = workshop.rows(each.setting, known)
        absorber = workshop.swept(design.sample.data, rows, model, design.weights).absorber
    projection = TreatmentProjection(
        design.raw_column(model.outcome), controls, design.effects, design.weights, absorber
    )
    width = projection.controls_kept + 1 + int(not model.fixed_effects)
    terms = small_sample_terms(len(design.raw), width, design.effects, design.clusters, model.small_sample)
    positions = design.sample.data.index.to_numpy()
    return _Model(place, projection, design, terms.factor, terms.degrees_of_freedom, positions, each.regressor)


def _groups(models: Sequence[_Model]) -> list[list[_Model]]:
    """Models that deal the same regressor on the same rows with the same effects."""
    found: dict[tuple[bytes, bytes, int], list[_Model]] = {}
    for model in models:
        key = (digest(model.positions), digest(model.regressor), id(model.projection.absorber))
        found.setdefault(key, []).append(model)
    return list(found.values())


def _fill(
    group: Sequence[_Model],
    members: np.ndarray,
    place_of: np.ndarray,
    exchange: Shuffler,
    draws: int,
    seed: int,
    estimates: Floats,
    statistics: Floats,
) -> None:
    first = group[0]
    own = first.regressor[members]
    inside = place_of[first.positions]
    start = 1
    batches = [np.arange(len(members))[:, None]]
    for number, batch in enumerate((*batches, *exchange.batches(draws, seed))):
        treatments = own[batch[inside]]
        at = slice(0, 1) if number == 0 else slice(start, start + batch.shape[1])
        start += batch.shape[1] if number else 0
        swept = first.projection.absorber.demean(treatments)
        for model in group:
            found = model.projection.tests(treatments, model.design.clusters.codes, model.factor, swept=swept)
            estimates[at, model.place], statistics[at, model.place] = found


def _normal(statistics: Floats, degrees: Floats) -> tuple[Floats, Floats]:
    """Two-sided p values, and the normal values that have them, with the sign of the statistic."""
    from scipy.special import ndtr, ndtri, stdtr

    below = -np.abs(statistics)
    finite = np.where(np.isfinite(degrees), degrees, 1.0)
    tail = np.where(np.isfinite(degrees), stdtr(finite, below), ndtr(below))
    z = -np.sign(statistics) * ndtri(np.maximum(tail, np.finfo(np.float64).tiny))
    return np.asarray(2 * tail, dtype=np.float64), np.asarray(z, dtype=np.float64)
