"""Local and global confidence bands of simulated curves, and the test of a curve against all of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from econometrics.places.distances import Floats, Integers


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
    global_level : float
        The share that hits the upper or the lower band, whichever is larger: more than asked for if there are too few
        curves for a percentile as far out as needed.
    """

    local_low: Floats
    local_high: Floats
    global_low: Floats
    global_high: Floats
    global_low_percentile: float
    global_high_percentile: float
    global_level: float


def confidence_bands(simulated: Floats, level: float = 0.05) -> Bands:
    """Find the bands of Duranton and Overman (2005) around simulated curves.

    Parameters
    ----------
    simulated : array of float, shape (draws, points)
        The simulated curves.
    level : float
        Share of the curves beyond each local band at a point, and hitting each global band anywhere. The upper and
        the lower band are separate: two one-sided tests.

    Returns
    -------
    Bands
    """
    draws = len(simulated)
    ordered = np.sort(simulated, axis=0)
    local_low, local_high = np.quantile(ordered, [level, 1 - level], axis=0)
    below, above = _counts(ordered, simulated)
    high, high_share = _global_rank(below.max(axis=1) + 1, level)
    low, low_share = _global_rank(above.max(axis=1) + 1, level)
    return Bands(
        local_low=local_low,
        local_high=local_high,
        global_low=_at_rank(ordered[::-1], low),
        global_high=_at_rank(ordered, high),
        global_low_percentile=100.0 * (draws - low) / draws,
        global_high_percentile=100.0 * high / draws,
        global_level=max(high_share, low_share),
    )


def _counts(ordered: Floats, curves: Floats) -> tuple[Integers, Integers]:
    """Numbers of simulated values strictly below and strictly above each value of the curves."""
    below = np.empty(curves.shape, dtype=np.int64)
    above = np.empty(curves.shape, dtype=np.int64)
    for point in range(curves.shape[1]):
        below[:, point] = np.searchsorted(ordered[:, point], curves[:, point], side="left")
        above[:, point] = len(ordered) - np.searchsorted(ordered[:, point], curves[:, point], side="right")
    return below, above


def _global_rank(extreme: Integers, level: float) -> tuple[float, float]:
    """Rank, between whole ones if need be, that a share ``level`` of the curves reaches, and the share that does.

    Curves that touch the band count as hits: the band is made of the simulated curves, and a curve that is none of
    them passes a rank as often as these reach it.
    """
    draws = len(extreme)
    reached = np.cumsum(np.bincount(extreme, minlength=draws + 1)[::-1])[::-1] / draws
    if reached[draws] >= level:
        return float(draws), float(reached[draws])
    above = int(np.argmax(reached <= level))
    share = (reached[above - 1] - level) / (reached[above - 1] - reached[above])
    return above - 1 + float(share), level


def _at_rank(ordered: Floats, rank: float) -> Floats:
    """Values at a rank, counted from one, between whole ranks in proportion."""
    below = min(int(rank), len(ordered) - 1)
    values: Floats = ordered[below - 1] + (rank - below) * (ordered[below] - ordered[below - 1])
    return values


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
