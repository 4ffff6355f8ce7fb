"""The search of Hansen (1999): the sum of squares at every threshold from one pass over the sorted rows."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from econometrics.estimation.absorb import demean
from econometrics.estimation.effects import Effects
from shuzhi import SpecError

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# A regime's regressor with less than this share of its own variance left is collinear there.
COLLINEAR = 1e-9
# Levels of effects beside the unit, which enter as columns.
MOST_DUMMIES = 1000


@dataclass(frozen=True)
class ThresholdProblem:
    """Sorted rows of a model whose slopes change at unknown values of a threshold variable.

    Parameters
    ----------
    x : (n, k) float array
        Regressors whose slopes change, rows sorted by the threshold variable.
    outcome : (n,) float array
        Outcome without effects and without what the other regressors explain, same order.
    basis : (n, p) float array
        Orthonormal basis of the other regressors and of all effects but the first, cleared of the first effect.
    units : (n,) int array
        Level of the first effect.
    sizes : (units,) float array
        Rows of each level of the first effect.
    values : (candidates,) float array
        Candidate thresholds, rising.
    ends : (candidates,) int array
        Number of rows at or below each candidate.
    order : (n,) int array
        Place of each sorted row among the rows given.
    degrees_of_freedom : int
        Rows less all coefficients of the model without a threshold.
    """

    x: Floats
    outcome: Floats
    basis: Floats
    units: Integers
    sizes: Floats
    values: Floats
    ends: Integers
    order: Integers
    degrees_of_freedom: int

    def clear(self, columns: Floats) -> Floats:
        """Take the effects and the other regressors out of columns.

        Parameters
        ----------
        columns : (n, m) float array
            Columns in sorted order.
        """
        means = np.stack(
            [np.bincount(self.units, weights=column, minlength=len(self.sizes)) / self.sizes for column in columns.T],
            axis=1,
        )
        left = columns - means[self.units]
        return np.asarray(left - self.basis @ (self.basis.T @ left))

    def regime(self, lower: int, upper: int) -> Floats:
        """Regressors in the rows between two ranks, zero elsewhere.

        Parameters
        ----------
        lower, upper : int
            First rank and the rank after the last one.
        """
        columns = np.zeros_like(self.x)
        columns[lower:upper] = self.x[lower:upper]
        return columns


def threshold_problem(
    outcome: Floats,
    x: Floats,
    others: Floats,
    threshold: Floats,
    effects: Effects,
    *,
    trim: float,
    candidates: int | None,
    absorbed: int,
) -> ThresholdProblem:
    """Sort the rows and clear outcome and other regressors of the effects.

    Parameters
    ----------
    outcome, x, others, threshold : (n,), (n, k), (n, m) and (n,) float arrays
        Columns.
    effects : Effects
        Fixed effects; the first one, the unit, is swept out row by row, the others enter as dummies.
    trim : float
        Share of rows that each regime keeps at least.
    candidates : int, optional
        Number of quantiles to search; by default all values.
    absorbed : int
        Coefficients of the effects.

    Returns
    -------
    ThresholdProblem
        The sorted rows.

    Raises
    ------
    SpecError
        When the further effects have too many levels for dummies.
    """
    levels_of_dummies = sum(effects.levels[1:])
    if levels_of_dummies > MOST_DUMMIES:
        raise SpecError(
            f"{' and '.join(effects.names[1:])} have {levels_of_dummies} levels; a threshold regression takes at most "
            f"{MOST_DUMMIES} beside the unit"
        )
    order = np.argsort(threshold, kind="stable")
    first = Effects(effects.names[:1], effects.codes[:1], effects.levels[:1])
    dummies = [
        (codes[:, None] == np.arange(1, levels)).astype(float)
        for codes, levels in zip(effects.codes[1:], effects.levels[1:], strict=True)
    ]
    right = (
        demean(first, np.column_stack([others, *dummies])) if others.size or dummies else np.zeros((len(outcome), 0))
    )
    basis = _orthonormal(right)[order]
    units = effects.codes[0][order]
    values = threshold[order]
    distinct = np.flatnonzero(np.append(values[1:] != values[:-1], True)) + 1
    n = len(values)
    ends = distinct[(distinct >= trim * n) & (n - distinct >= trim * n) & (distinct < n)]
    if candidates is not None and len(ends) > candidates:
        ends = np.unique(ends[np.linspace(0, len(ends) - 1, candidates).round().astype(int)])
    sizes = np.bincount(units, minlength=effects.levels[0]).astype(float)
    problem = ThresholdProblem(
        x=x[order],
        outcome=outcome[order],
        basis=basis,
        units=units,
        sizes=sizes,
        values=values[np.maximum(ends - 1, 0)],
        ends=ends,
        order=order,
        degrees_of_freedom=n - absorbed - others.shape[1] - x.shape[1],
    )
    return replace(problem, outcome=problem.clear(problem.outcome[:, None])[:, 0])


def _orthonormal(columns: Floats) -> Floats:
    if not columns.shape[1]:
        return columns
    scale = np.sqrt((columns**2).sum(axis=0))
    u, s, _ = np.linalg.svd(columns / np.where(scale > 0, scale, 1.0), full_matrices=False)
    return np.asarray(u[:, s > 1e-10 * s.max()])


@dataclass(frozen=True)
class CumulativeGram:
    """Products of the lower regime's regressors with everything, at every candidate, given fixed other regimes.

    Parameters
    ----------
    problem : ThresholdProblem
        The sorted rows.
    fixed : (n, f) float array
        Regressors of the model that do not depend on the candidate, cleared.
    inverse : (candidates, k, k) float array
        Inverse Gram matrix of the lower regime's regressors given the fixed ones; NaN where they are collinear.
    slopes : (candidates, k, f) float array
        Products of the lower regime's regressors with an orthonormal basis of the fixed ones.
    fixed_basis : (n, f) float array
        That basis.
    """

    problem: ThresholdProblem
    fixed: Floats
    inverse: Floats
    slopes: Floats
    fixed_basis: Floats

    def sums_of_squares(self, outcomes: Floats) -> Floats:
        """Sum of squared residuals (candidates, m) at every candidate for several cleared outcomes.

        Parameters
        ----------
        outcomes : (n, m) float array
            Outcomes, cleared.
        """
        x, ends = self.problem.x, self.problem.ends
        loads = self.fixed_basis.T @ outcomes
        left = (outcomes**2).sum(axis=0) - (loads**2).sum(axis=0)
        products = np.stack([_cumulated(x[:, j][:, None] * outcomes, ends) for j in range(x.shape[1])], axis=1)
        products -= self.slopes @ loads
        explained = np.einsum("ckm,ckl,clm->cm", products, self.inverse, products)
        return np.asarray(left - explained)


def _cumulated(rows: Floats, ends: Integers) -> Floats:
    """Sums of the rows up to each end, in pieces so that no long cumulative sum is kept."""
    if not len(ends):
        return np.zeros((0, rows.shape[1]))
    starts = np.concatenate([[0], ends[:-1]])
    return np.asarray(np.cumsum(np.add.reduceat(rows[: ends[-1]], starts, axis=0), axis=0))


def cumulative_gram(problem: ThresholdProblem, fixed: Floats) -> CumulativeGram:
    """Accumulate the Gram matrix of the lower regime over the sorted rows.

    Parameters
    ----------
    problem : ThresholdProblem
        The sorted rows.
    fixed : (n, f) float array
        Regressors that do not depend on the candidate, cleared.
    """
    x, ends, k = problem.x, problem.ends, problem.x.shape[1]
    basis = _orthonormal(fixed)
    # Regressors of the regime are cleared of the unit: sum of products less unit sums, which grow row by row.
    before = np.empty_like(x)
    place = np.argsort(problem.units, kind="stable")
    grouped = x[place]
    running = np.cumsum(grouped, axis=0) - grouped
    starts = np.flatnonzero(np.append(True, problem.units[place][1:] != problem.units[place][:-1]))
    lengths = np.diff(np.append(starts, len(place)))
    before[place] = running - np.repeat(running[starts], lengths, axis=0)
    inverse_size = 1 / problem.sizes[problem.units]
    gram = np.empty((len(ends), k, k))
    for i in range(k):
        for j in range(i, k):
            own = x[:, i] * x[:, j]
            added = own - (before[:, i] * x[:, j] + x[:, i] * before[:, j] + own) * inverse_size
            gram[:, i, j] = gram[:, j, i] = _cumulated(added[:, None], ends)[:, 0]
    raw = np.stack([_cumulated(x[:, i : i + 1] ** 2, ends)[:, 0] for i in range(k)], axis=1)
    slopes = np.empty((len(ends), k, basis.shape[1]))
    for i in range(k):
        loads = _cumulated(x[:, i][:, None] * problem.basis, ends)
        slopes[:, i] = _cumulated(x[:, i][:, None] * basis, ends)
        for j in range(i, k):
            other = _cumulated(x[:, j][:, None] * problem.basis, ends) if j > i else loads
            gram[:, i, j] -= (loads * other).sum(axis=1)
            gram[:, j, i] = gram[:, i, j]
    gram -= slopes @ slopes.transpose(0, 2, 1)
    return CumulativeGram(problem, fixed, _inverses(gram, raw), slopes, basis)


def _inverses(gram: Floats, raw: Floats) -> Floats:
    """Inverses where what is left of every regressor, given the others, is more than rounding of its raw size."""
    scale = np.sqrt(np.maximum(raw, np.finfo(float).tiny))
    relative = gram / scale[:, :, None] / scale[:, None, :]
    inverse = np.full(gram.shape, np.nan)
    usable = np.linalg.eigvalsh(relative)[:, 0] > COLLINEAR
    inverse[usable] = np.linalg.inv(relative[usable]) / scale[usable][:, :, None] / scale[usable][:, None, :]
    return inverse
