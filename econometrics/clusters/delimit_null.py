"""How many plants of an industry stand near a place if its plants were any of all plants: exact and simulated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from econometrics.places.distances import Floats, Integers

if TYPE_CHECKING:
    from scipy.sparse import csr_array

# Terms below this share of the first cannot change a double.
_NEGLIGIBLE = 1e-18


def hypergeometric_tail(at_least: Integers, total: int, marked: Integers, drawn: int) -> Floats:
    """Return P(X >= k) for the number of marked plants among plants drawn without replacement.

    Parameters
    ----------
    at_least : array of int
        The k of each probability.
    total : int
        All plants.
    marked : array of int, of the shape of ``at_least``
        Marked plants among all.
    drawn : int
        Plants drawn.

    Returns
    -------
    array of float
        Summed from the nearer end, so that small probabilities keep nine digits.
    """
    lowest = np.maximum(0, drawn + marked - total)
    highest = np.minimum(drawn, marked)
    upper = at_least > drawn * marked / total
    first = np.clip(np.where(upper, at_least, at_least - 1), lowest, highest)
    series = np.exp(_log_probability(first, total, marked, drawn)) * _tail_series(first, upper, total, marked, drawn)
    tail = np.where(upper, series, 1 - series)
    tail = np.where(at_least <= lowest, 1.0, np.where(at_least > highest, 0.0, tail))
    return np.clip(tail, 0.0, 1.0)


def _log_probability(count: Integers, total: int, marked: Integers, drawn: int) -> Floats:
    from scipy.special import gammaln

    def log_choose(n: Integers | int, k: Integers | int) -> Floats:
        value: Floats = gammaln(np.add(n, 1.0)) - gammaln(np.add(k, 1.0)) - gammaln(np.subtract(n, k) + 1.0)
        return value

    return log_choose(marked, count) + log_choose(total - marked, drawn - count) - log_choose(total, drawn)


def _tail_series(first: Integers, upper: np.ndarray, total: int, marked: Integers, drawn: int) -> Floats:
    """1 + r1 + r1 r2 + ... of the ratios of probabilities, upwards or downwards from the first count."""
    count = first.astype(np.float64)
    term = np.ones_like(count)
    summed = np.ones_like(count)
    others = total - marked - drawn
    while bool((term > _NEGLIGIBLE * summed).any()):
        # Past the end of the range the ratios are zero and then meaningless; the term is zero by then.
        with np.errstate(divide="ignore", invalid="ignore"):
            up = (drawn - count) * (marked - count) / ((count + 1) * (others + count + 1))
            down = count * (others + count) / ((drawn - count + 1) * (marked - count + 1))
            term = np.where(term > 0, term * np.where(upper, up, down), 0.0)
        summed += term
        count += np.where(upper, 1.0, -1.0)
    return summed


def hypergeometric_quantile(share: float, total: int, marked: Integers, drawn: int) -> Integers:
    """Return the smallest k with P(X <= k) >= share, for each number of marked plants."""
    mean = drawn * marked / total
    deviation = np.sqrt(np.maximum(mean * (1 - marked / total) * (total - drawn) / max(total - 1, 1), 0.0))
    guess = np.clip(np.rint(mean + 1.5 * deviation), 0, np.minimum(drawn, marked)).astype(np.int64)
    while True:
        # Tails that equal the level but for rounding count as equal.
        rising = hypergeometric_tail(guess + 1, total, marked, drawn) > (1 - share) * (1 + 1e-9)
        if not rising.any():
            break
        guess = guess + rising
    while True:
        falling = (guess > 0) & (hypergeometric_tail(guess, total, marked, drawn) <= (1 - share) * (1 + 1e-9))
        if not falling.any():
            return guess
        guess = guess - falling


@dataclass(frozen=True)
class Moments:
    """Mean and standard deviation of the weighted count near each place, shape (places,)."""

    mean: Floats
    deviation: Floats


def null_moments(near: csr_array, plants_at: Integers, weights: Floats) -> Moments:
    """Return the exact moments when an industry's plants are moved to sites drawn without replacement.

    Parameters
    ----------
    near : sparse array, shape (places, places)
        What a plant at the second place counts at the first.
    plants_at : array of int, shape (places,)
        Plants of all industries at each place.
    weights : array of float, shape (plants of the industry,)
        What each of its plants counts.

    Returns
    -------
    Moments
        By the moments of a sum over a random permutation (Hoeffding 1951).
    """
    total = int(plants_at.sum())
    mean = near @ plants_at / total
    variance = np.maximum((near.multiply(near)) @ plants_at / total - mean**2, 0.0)
    squares, whole = float((weights**2).sum()), float(weights.sum())
    factor = max(squares - (whole**2 - squares) / max(total - 1, 1), 0.0)
    return Moments(mean * whole, np.sqrt(variance * factor))


def random_orders(pool: Integers, plants: int, draws: int, seed: int) -> Integers:
    """Return the sites of so many plants, drawn without replacement from all, shape (draws, plants)."""
    orders = np.empty((draws, plants), dtype=np.int64)
    for draw in range(draws):
        rng = np.random.Generator(np.random.PCG64([seed, draw]))
        orders[draw] = pool[rng.choice(len(pool), plants, replace=False)]
    return orders


def simulated_counts(near: csr_array, orders: Integers, weights: Floats) -> Floats:
    """Return the weighted count near each place in every draw, shape (draws, places).

    Parameters
    ----------
    near : sparse array, shape (places, places)
        What a plant at the second place counts at the first.
    orders : array of int, shape (draws, at least the plants of the industry)
        Sites in random order; the first are those of the industry's plants.
    weights : array of float, shape (plants of the industry,)
        What each plant counts.
    """
    from scipy.sparse import csr_array

    draws, plants = len(orders), len(weights)
    sites = orders[:, :plants].ravel()
    starts = np.arange(draws + 1) * plants
    moved = csr_array((np.tile(weights, draws), sites, starts), shape=(draws, near.shape[0]))
    counts: Floats = (moved @ near.T.tocsr()).toarray()
    return counts


def smallest_tails(counts: Floats, total: int, marked: Integers, drawn: int) -> Floats:
    """Return the smallest tail probability over all places in every draw, sorted.

    Parameters
    ----------
    counts : array of float, shape (draws, places)
        Simulated numbers of plants near each place.
    total, marked, drawn
        As for `hypergeometric_tail`.
    """
    numbers = counts.astype(np.int64)
    highest = numbers.max(axis=0)
    table = np.ones((int(highest.max()) + 1, len(highest)))
    for count in range(1, len(table)):
        at = np.flatnonzero(highest >= count)
        table[count, at] = hypergeometric_tail(np.full(len(at), count), total, marked[at], drawn)
    smallest: Floats = np.sort(table[numbers, np.arange(len(highest))].min(axis=1))
    return smallest


def gamma_tails(counts: Floats, moments: Moments) -> Floats:
    """Return the tails of gamma distributions with the moments of each place, to compare places with each other.

    Sums of employment are skewed, the more so the fewer plants stand near a place: a standardised sum would let the
    emptiest places decide what is extreme. The tails rank the places; their level comes from random orders.

    Parameters
    ----------
    counts : array of float, shape (..., places)
        Weighted counts near each place.
    moments : Moments
        Of each place.

    Returns
    -------
    array of float, shape (..., places)
        One where the count is less than two standard deviations above the mean.
    """
    from scipy.special import gammaincc

    tails = np.ones(counts.shape)
    high = (counts > moments.mean + 2 * moments.deviation) & (moments.deviation > 0)
    place = np.nonzero(high)[-1]
    mean, variance = moments.mean[place], moments.deviation[place] ** 2
    tails[high] = gammaincc(mean**2 / variance, counts[high] * mean / variance)
    return tails
