"""The whole curve without an effect: the regressors dealt out at random, all specifications estimated on each draw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from econometrics.estimation.covariance import small_sample_terms
from econometrics.estimation.design import Design
from econometrics.estimation.effects import Booleans, Floats, Integers
from econometrics.estimation.sample import columns_of
from econometrics.placebo.projection import TreatmentProjection
from econometrics.placebo.shuffles import Scheme, Shuffler, shuffler
from econometrics.specification_curve.fits import Workshop, digest
from econometrics.specification_curve.space import Maker, Option, Specification
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
    maker: Maker,
    combinations: Sequence[tuple[Option, ...]],
    known: Booleans,
    workshop: Workshop,
    *,
    scheme: Scheme,
    within: tuple[str, ...],
    draws: int,
    seed: int,
) -> NullCurves:
    """Estimate all specifications on regressors dealt out at random; each draw deals alike for all of them.

    Parameters
    ----------
    maker : Maker
        Makes specifications of combinations.
    combinations : sequence of tuple of Option
        All of which can be estimated.
    known : (rows given,) bool array
        Rows in which the regressors of all specifications are known.
    workshop : Workshop
        What specifications share.
    scheme, within
        As in ``permutation_placebo``.
    draws, seed : int
        Draws and their seed.

    Raises
    ------
    EstimationError
        No row has all regressors, or no specification is left on those that have.
    """
    data, model = maker.base.data, maker.base.model
    keys = [*columns_of(within), *([model.firm, model.year] if scheme == "firms" else [])]
    usable = known & ~data[keys].isna().any(axis=1).to_numpy(dtype=np.bool_) if keys else known
    members = np.flatnonzero(usable)
    if not len(members):
        raise EstimationError("no row has a value of the regressors of all specifications: nothing can be dealt out")
    exchange = shuffler(data.iloc[members], scheme, within, model.firm, model.year)
    curves = _Curves(members, exchange, draws, seed, len(data), len(combinations))
    groups, notes = _groups(maker, combinations, usable, workshop)
    for places in groups:
        curves.fill([_model(place, maker.make(combinations[place]), workshop, usable) for place in places])
    if not groups:
        raise EstimationError("no specification can be estimated on the rows that have all regressors")
    share = len(members) / len(data)
    if share < 0.8:
        notes.append(
            f"only {share:.0%} of the rows have the regressors of all specifications; the joint test uses these"
        )
    p_values, z = _normal(curves.statistics, curves.degrees)
    return NullCurves(curves.estimates, z, p_values, curves.scales, len(members), exchange.exchanged, tuple(notes))


def _groups(
    maker: Maker, combinations: Sequence[tuple[Option, ...]], usable: Booleans, workshop: Workshop
) -> tuple[list[list[int]], list[str]]:
    """Places of specifications that deal the same regressor on the same rows with the same effects; and who cannot."""
    found: dict[tuple[bytes, bytes, tuple[str, ...], str | None], list[int]] = {}
    notes = []
    for place, choices in enumerate(combinations):
        each = maker.make(choices)
        assert each.setting is not None and each.regressor is not None
        try:
            rows = workshop.rows(each.setting, usable)
            workshop.design(each.setting, usable)
        except ShuzhiError as error:
            notes.append(f"a specification takes no part in the joint test: {error}")
            continue
        model = each.setting.model
        key = (rows.key, digest(each.regressor), model.fixed_effects, model.weights)
        found.setdefault(key, []).append(place)
    return list(found.values()), notes


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
        absorber = workshop.swept(each.setting.data, rows, model, design.weights).absorber
    projection = TreatmentProjection(
        design.raw_column(model.outcome), controls, design.effects, design.weights, absorber
    )
    width = projection.controls_kept + 1 + int(not model.fixed_effects)
    terms = small_sample_terms(len(design.raw), width, design.effects, design.clusters, model.small_sample)
    positions = design.sample.data.index.to_numpy()
    return _Model(place, projection, design, terms.factor, terms.degrees_of_freedom, positions, each.regressor)


class _Curves:
    """The arrays that the groups of specifications fill, draw by draw."""

    def __init__(
        self, members: Integers, exchange: Shuffler, draws: int, seed: int, rows: int, specifications: int
    ) -> None:
        self.members, self.exchange, self.draws, self.seed = members, exchange, draws, seed
        self.place_of = np.full(rows, -1, dtype=np.int64)
        self.place_of[members] = np.arange(len(members))
        self.estimates: Floats = np.full((draws + 1, specifications), np.nan)
        self.statistics: Floats = np.full_like(self.estimates, np.nan)
        self.degrees: Floats = np.full(specifications, np.nan)
        self.scales: Floats = np.full(specifications, np.nan)

    def fill(self, group: Sequence[_Model]) -> None:
        """Estimate a group on the data as they are and on every draw."""
        first = group[0]
        own, inside = first.regressor[self.members], self.place_of[first.positions]
        for model in group:
            self.degrees[model.place] = model.degrees
            values = model.regressor[model.positions]
            self.scales[model.place] = values.std(ddof=1) / model.design.raw[:, 0].std(ddof=1)
        self._deal(group, own[inside][:, None], 0)
        start = 1
        for batch in self.exchange.batches(self.draws, self.seed):
            self._deal(group, own[batch[inside]], start)
            start += batch.shape[1]

    def _deal(self, group: Sequence[_Model], treatments: Floats, start: int) -> None:
        swept = group[0].projection.absorber.demean(treatments)
        at = slice(start, start + treatments.shape[1])
        for model in group:
            found = model.projection.tests(treatments, model.design.clusters.codes, model.factor, swept=swept)
            self.estimates[at, model.place], self.statistics[at, model.place] = found


def _normal(statistics: Floats, degrees: Floats) -> tuple[Floats, Floats]:
    """Two-sided p values, and the normal values that have them, with the sign of the statistic."""
    from scipy.special import ndtr, ndtri, stdtr

    below = -np.abs(statistics)
    finite = np.where(np.isfinite(degrees), degrees, 1.0)
    tail = np.where(np.isfinite(degrees), stdtr(finite, below), ndtr(below))
    z = -np.sign(statistics) * ndtri(np.maximum(tail, np.finfo(np.float64).tiny))
    return np.asarray(2 * tail, dtype=np.float64), np.asarray(z, dtype=np.float64)
