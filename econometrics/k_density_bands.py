"""Local and global confidence bands of simulated curves, and the test of a curve against all of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from econometrics.distances import Floats, Integers


@dataclass(frozen=True)
class Bands:
    """Confidence bands of simulated curves.

    Attributes
    ----------
    local_low, local_high : array of float, shape (points,)
        Percentiles at each point, by itself.
    global_low, global_high : array of float, shape (points,)
        The identical percentile at all points, so that a given share of the simulated curves hits the band anywhere.
    global_low_percentile, global_high_percentile : float
        That percentile, between 0 and 100.
    """

    local_low: Floats
    local_high: Floats
    global_low: Floats
    global_high: Floats
    global_low_percentile: float
    global_high_percentile: float


def confidence_bands(simulated: Floats, level: float = 0.05) -> Bands:
    """Find the bands of Duranton and Overman (2005) around simulated curves.

    Parameters
    ----------
    simulated : array of float, shape (draws, points)
        The simulated curves.
    level : float
        Share of the curves beyond each local band at a point, and beyond each global band anywhere. The upper and
        the lower band are separate: two one-sided tests.

    Returns
    -------
    Bands
    """
    draws = len(simulated)
    ordered = np.sort(simulated, axis=0)
    local_low, local_high = np.quantile(ordered, [level, 1 - level], axis=0)
    below, above = _counts(ordered, simulated)
    high = _global_rank(below.max(axis=1) + 1, level)
    low = _global_rank(above.max(axis=1) + 1, level)
    return Bands(
        local_low=local_low,
        local_high=local_high,
        global_low=ordered[draws - low],
        global_high=ordered[high - 1],
        global_low_percentile=100.0 * (draws - low + 1) / draws,
        global_high_percentile=100.0 * high / draws,
    )


def _counts(ordered: Floats, curves: Floats) -> tuple[Integers, Integers]:
    """Numbers of simulated values strictly below and strictly above each value of the curves."""
    below = np.empty(curves.shape, dtype=np.int64)
    above = np.empty(curves.shape, dtype=np.int64)
    for point in range(curves.shape[1]):
        below[:, point] = np.searchsorted(ordered[:, point], curves[:, point], side="left")
        above[:, point] = len(ordered) - np.searchsorted(ordered[:, point], curves[:, point], side="right")
    return below, above


def _global_rank(extreme: Integers, level: float) -> int:
    """Smallest rank that at most a share ``level`` of the curves exceeds, given the largest rank of each curve."""
    allowed = int(np.floor(level * len(extreme) + 1e-9))
    return int(np.sort(extreme)[len(extreme) - 1 - allowed])


def envelope_p_values(observed: Floats, simulated: Floats) -> tuple[float, float]:
    """Test a curve against simulated ones at all points together, by its most extreme rank.

    Parameters
    ----------
    observed : array of float, shape (points,)
        The curve.
    simulated : array of float, shape (draws, points)
        Curves under the null hypothesis.

    Returns
    -------
    tuple of float
        p values against curves that are too high somewhere and against curves that are too low somewhere. The
        observed curve is ranked among the simulated ones, so that the test holds its level whatever the number of
        draws. Curves are ordered by their most extreme rank, then by the second most extreme and so on (the extreme
        rank length of Myllymäki and others 2017).
    """
    pooled = np.vstack([observed, simulated])
    below, above = _counts(np.sort(pooled, axis=0), pooled)
    values = []
    for counts in (below, above):
        ranks = -np.sort(-counts.astype(np.int32), axis=1)
        values.append(float(np.mean(_at_least_first(ranks))))
    return values[0], values[1]


def _at_least_first(ranks: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Whether each row comes after the first row or equals it, compared from the left."""
    difference = ranks - ranks[0]
    first = (difference != 0).argmax(axis=1)
    after: NDArray[np.bool_] = difference[np.arange(len(ranks)), first] >= 0
    return after
