"""Weights that make other rows comparable to the treated: nearest neighbours, kernels, entropy balancing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from econometrics.estimation.effects import Booleans, Floats, Integers
from shuzhi import EstimationError


@dataclass(frozen=True)
class Scores:
    """Estimated probabilities of being treated.

    Parameters
    ----------
    probability : (n,) float array
        Propensity score.
    logit : (n,) float array
        Its log odds.
    coefficients : (k + 1,) float array
        Of the logit by covariate as given, and the constant.
    """

    probability: Floats
    logit: Floats
    coefficients: Floats


def propensity_scores(covariates: Floats, treated: Booleans) -> Scores:
    """Estimate a logit of the treatment by maximum likelihood (scikit-learn's LogisticRegression, no penalty).

    Parameters
    ----------
    covariates : (n, k) float array
        Without a constant.
    treated : (n,) bool array
        Who is treated.

    Raises
    ------
    EstimationError
        The covariates separate treated and others, so that there is no maximum.
    """
    import warnings

    from sklearn.linear_model import LogisticRegression

    mean, spread = covariates.mean(axis=0), covariates.std(axis=0)
    scaled = (covariates - mean) / spread
    model = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-10, max_iter=200)
    with warnings.catch_warnings():
        # Collinear covariates leave the scores alone; sklearn then falls back to another solver and says so.
        warnings.simplefilter("ignore")
        model.fit(scaled, treated)
    slopes = model.coef_[0]
    logit = scaled @ slopes + model.intercept_[0]
    if np.abs(logit).max() > 30 and (np.abs(logit) > 15).mean() > 0.5:
        raise EstimationError("the covariates separate treated and other rows fully: nobody is comparable")
    given = slopes / spread
    coefficients = np.concatenate([given, [float(model.intercept_[0] - given @ mean)]])
    return Scores(1.0 / (1.0 + np.exp(-logit)), np.asarray(logit, dtype=np.float64), coefficients)


def nearest_neighbours(
    score: Floats,
    treated: Booleans,
    cells: Integers,
    *,
    neighbours: int,
    caliper: float,
    replacement: bool,
    generator: np.random.Generator,
) -> tuple[Floats, Integers]:
    """Match each treated row to its nearest other rows by score.

    Parameters
    ----------
    score : (n,) float array
        What is compared.
    treated : (n,) bool array
        Who is treated.
    cells : (n,) int array
        Matches lie in the same cell.
    neighbours : int
        Matches a treated row.
    caliper : float
        Largest distance; infinite for none.
    replacement : bool
        Whether a row may be the match of several; without, treated rows choose in random order, and one after the
        other takes its nearest row that is left.
    generator : Generator
        For that order.

    Returns
    -------
    weights : (n,) float array
        1 for a matched treated row, shares that sum to 1 a treated row for its matches, 0 for the rest.
    pairs : (m, 2) int array
        Treated row and match.
    """
    pairs = []
    for members in _cells(cells):
        inside = members[treated[members]]
        others = members[~treated[members]]
        others = others[np.argsort(score[others], kind="stable")]
        if not len(inside) or not len(others):
            continue
        if replacement:
            pairs.append(_with_replacement(score, inside, others, neighbours, caliper))
        else:
            pairs.append(_without(score, generator.permutation(inside), others, neighbours, caliper))
    found = np.concatenate(pairs) if pairs else np.empty((0, 2), dtype=np.int64)
    found = found[np.lexsort((found[:, 1], found[:, 0]))]
    weights = np.zeros(len(score))
    if len(found):
        rows, counts = np.unique(found[:, 0], return_counts=True)
        weights[rows] = 1.0
        share = np.repeat(1.0 / counts, counts)
        np.add.at(weights, found[:, 1], share)
    return weights, found


def _cells(cells: Integers) -> list[Integers]:
    ends = np.cumsum(np.bincount(cells))
    return np.split(np.argsort(cells, kind="stable"), ends[:-1])


def _with_replacement(score: Floats, inside: Integers, others: Integers, neighbours: int, caliper: float) -> Integers:
    """Look among the 2 k rows around the place of the treated score in the sorted others."""
    sorted_scores = score[others]
    place = np.searchsorted(sorted_scores, score[inside])
    reach = np.arange(-neighbours, neighbours)
    candidates = place[:, None] + reach
    distance = np.abs(sorted_scores[np.clip(candidates, 0, len(others) - 1)] - score[inside][:, None])
    distance[(candidates < 0) | (candidates >= len(others))] = np.inf
    order = np.argsort(distance, axis=1, kind="stable")[:, :neighbours]
    taken = np.take_along_axis(distance, order, axis=1)
    chosen = np.take_along_axis(candidates, order, axis=1)
    usable = (taken <= caliper) & np.isfinite(taken)
    return np.column_stack([np.repeat(inside, usable.sum(axis=1)), others[chosen[usable]]])


def _without(score: Floats, inside: Integers, others: Integers, neighbours: int, caliper: float) -> Integers:
    """Take the nearest row that is left, to the left or to the right; links jump over rows that are taken."""
    sorted_scores = score[others]
    count = len(others)
    right, left = np.arange(count + 1), np.arange(count + 1)

    def free(links: Integers, start: int) -> int:
        end = start
        while links[end] != end:
            end = int(links[end])
        while links[start] != end:
            links[start], start = end, int(links[start])
        return end

    found = []
    for row in inside:
        place = int(np.searchsorted(sorted_scores, score[row]))
        for _ in range(neighbours):
            # Places are shifted by one to the left, so that 0 stands for none.
            after, before = free(right, place), free(left, place) - 1
            gaps = [
                sorted_scores[after] - score[row] if after < count else np.inf,
                score[row] - sorted_scores[before] if before >= 0 else np.inf,
            ]
            best = int(np.argmin(gaps))
            if not (gaps[best] <= caliper and np.isfinite(gaps[best])):
                break
            taken = (after, before)[best]
            right[taken], left[taken + 1] = taken + 1, taken
            found.append((row, others[taken]))
    return np.array(found, dtype=np.int64).reshape(-1, 2)


def kernel_weights(
    score: Floats, treated: Booleans, cells: Integers, *, bandwidth: float, at_once: int = 4_000_000
) -> Floats:
    """Weight other rows by Epanechnikov's kernel around each treated row's score (Heckman, Ichimura and Todd 1997).

    Parameters
    ----------
    score : (n,) float array
        What is compared.
    treated : (n,) bool array
        Who is treated.
    cells : (n,) int array
        Rows are compared in the same cell.
    bandwidth : float
        Half width of the kernel.
    at_once : int
        Pairs of rows handled together, which bounds the memory.

    Returns
    -------
    (n,) float array
        1 for a treated row with any row in reach, the sum of its shares for other rows.
    """
    weights = np.zeros(len(score))
    for members in _cells(cells):
        inside, others = members[treated[members]], members[~treated[members]]
        size = max(1, at_once // max(len(others), 1))
        for start in range(0, len(inside) if len(others) else 0, size):
            part = inside[start : start + size]
            distance = (score[part][:, None] - score[others]) / bandwidth
            shares = np.maximum(1 - distance**2, 0.0)
            total = shares.sum(axis=1)
            reached = total > 0
            weights[part[reached]] = 1.0
            weights[others] += (shares[reached] / total[reached][:, None]).sum(axis=0)
    return weights


@dataclass(frozen=True)
class EntropyWeights:
    """Weights of entropy balancing.

    Parameters
    ----------
    weights : (n,) float array
        1 for treated rows; for the others they sum to the number of treated rows of the cell.
    converged : bool
        Whether all moments agree.
    largest_difference : float
        Largest difference of a moment that is left, in standard deviations of the treated and others together.
    iterations : int
        Steps taken, of the cell that needed most.
    """

    weights: Floats
    converged: bool
    largest_difference: float
    iterations: int


def entropy_weights(
    covariates: Floats,
    treated: Booleans,
    cells: Integers,
    *,
    moments: int,
    tolerance: float = 1e-8,
    most_iterations: int = 200,
) -> EntropyWeights:
    """Find the weights closest to equal ones, in entropy, with which the others' moments are those of the treated.

    Parameters
    ----------
    covariates : (n, k) float array
        What is balanced.
    treated : (n,) bool array
        Who is treated.
    cells : (n,) int array
        Balanced cell by cell.
    moments : {1, 2}
        Means, or means and variances.
    tolerance : float
        Largest difference of a moment that counts as none, in standard deviations.
    most_iterations : int
        Newton steps a cell.

    References
    ----------
    Hainmueller (2012), Entropy Balancing for Causal Effects, Political Analysis 20.
    """
    weights = treated.astype(np.float64)
    largest, steps = 0.0, 0
    for members in _cells(cells):
        inside, others = members[treated[members]], members[~treated[members]]
        if not len(inside) or not len(others):
            continue
        columns = covariates[members]
        if moments == 2:
            centre = covariates[inside].mean(axis=0)
            columns = np.column_stack([columns, (columns - centre) ** 2])
        spread = columns.std(axis=0)
        columns = columns[:, spread > 0] / spread[spread > 0]
        goal = columns[treated[members]].mean(axis=0)
        found, left, taken = _newton(columns[~treated[members]] - goal, tolerance, most_iterations)
        weights[others] = found * len(inside)
        largest, steps = max(largest, left), max(steps, taken)
    return EntropyWeights(weights, largest <= tolerance, largest, steps)


def _newton(z: Floats, tolerance: float, most: int) -> tuple[Floats, float, int]:
    """Minimise log sum exp(z l): its gradient is the weighted mean of z, which is to be zero."""
    lagrange = np.zeros(z.shape[1])
    value, weights = _log_sum(z, lagrange)
    taken = 0
    while taken < most:
        gradient = weights @ z
        if np.abs(gradient).max(initial=0.0) <= tolerance:
            break
        hessian = (z * weights[:, None]).T @ z - np.outer(gradient, gradient)
        # Collinear moments leave directions without curvature; the pseudo-inverse does not move along them.
        direction = -np.linalg.lstsq(hessian, gradient, rcond=1e-12)[0]
        slope = float(gradient @ direction)
        length = 1.0
        while length > 1e-10:
            trial, trial_weights = _log_sum(z, lagrange + length * direction)
            if trial <= value + 1e-4 * length * slope:
                break
            length /= 2
        else:
            break
        lagrange, value, weights = lagrange + length * direction, trial, trial_weights
        taken += 1
    return weights, float(np.abs(weights @ z).max(initial=0.0)), taken


def _log_sum(z: Floats, lagrange: Floats) -> tuple[float, Floats]:
    exponent = z @ lagrange
    top = float(exponent.max())
    weights = np.exp(exponent - top)
    total = float(weights.sum())
    return top + float(np.log(total)), weights / total
