"""Stratified random samples of hits, with known chances, and what they say of all hits.

A stratum is a dictionary and a tier of term frequency. Within it the hits are put in order of industry and year,
at random within each, and every k-th is taken from a random start: all have the same chance, and industries and
years come in proportion. Formulas are from Särndal, Swensson and Wretman (1992), Model Assisted Survey Sampling,
chapters 3 and 5; intervals use the effective sample size of Kish (1965), Survey Sampling, in Wilson's formula.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from nlp.validate import CONFIDENCE, wilson
from shuzhi import UsageError

TIERS = ("high", "middle", "low")
# Terms in order of frequency, until so large a share of the hits is theirs.
TIER_SHARES = (0.5, 0.85)
LEAST_IN_STRATUM = 2

Booleans = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Estimate:
    """A share of all hits, estimated from a sample.

    Parameters
    ----------
    share, standard_error, low, high : float
        The estimate, its standard error and its interval; NaN where nothing was coded.
    n : int
        Coded hits it rests on.
    """

    share: float
    standard_error: float
    low: float
    high: float
    n: int


def frequency_tiers(counts: pd.Series) -> pd.Series:
    """Put terms into tiers: those that make the first half of the hits, the next 35 %, and the rest.

    Parameters
    ----------
    counts : Series by term
        Hits of each term.

    Returns
    -------
    Series
        ``high``, ``middle`` or ``low`` by term; a term belongs to the tier in which its first hit falls.
    """
    order = sorted(counts.index, key=lambda term: (-int(counts[term]), str(term)))
    ordered = counts.loc[order].to_numpy(dtype="float64")
    before = (np.cumsum(ordered) - ordered) / max(ordered.sum(), 1.0)
    place = np.searchsorted(np.asarray(TIER_SHARES), before, side="right")
    return pd.Series([TIERS[each] for each in place], index=pd.Index(order, name=counts.index.name), dtype=object)


def allocate(sizes: pd.Series, n: int) -> pd.Series:
    """Share a sample out among strata by the square root of their sizes, so that small ones are seen as well.

    Parameters
    ----------
    sizes : Series by stratum
        Hits in each stratum.
    n : int
        Size of the sample.

    Returns
    -------
    Series
        Whole numbers that add up to ``n``: at least two of each stratum, never more than it has.

    Raises
    ------
    UsageError
        If the sample is too small for two of each stratum.
    """
    least = np.minimum(sizes.to_numpy(dtype="int64"), LEAST_IN_STRATUM)
    if n < least.sum():
        raise UsageError(f"a sample of {n} is too small for {len(sizes)} strata; take at least {least.sum()}")
    most = sizes.to_numpy(dtype="int64")
    taken, n = least.copy(), min(n, int(most.sum()))
    weight = np.sqrt(most.astype("float64"))
    while taken.sum() < n:
        # One at a time to the stratum that is furthest behind its share: whole numbers, and no ties left to chance.
        behind = np.where(taken < most, weight / (taken + 1), -1.0)
        taken[int(np.argmax(behind))] += 1
    return pd.Series(taken, index=sizes.index)


def draw(population: pd.DataFrame, strata: Sequence[str], order: Sequence[str], n: int, seed: int) -> pd.DataFrame:
    """Draw a stratified sample, systematic within strata.

    Parameters
    ----------
    population : DataFrame
        One row a unit, in an order that the caller fixes; the index is kept.
    strata : sequence of str
        Columns that make the strata.
    order : sequence of str
        Columns by which a stratum is put in order, so that each value comes in proportion.
    n : int
        Size of the sample.
    seed : int
        Seed of the draw; the same seed and population give the same sample.

    Returns
    -------
    DataFrame
        The drawn rows in a random order, with ``stratum`` (its name), ``stratum_size``, ``stratum_drawn`` and
        ``weight`` = size / drawn.
    """
    generator = np.random.default_rng(seed)
    groups = population.groupby(list(strata), sort=True, observed=True, dropna=False)
    stratum_of = groups.ngroup().to_numpy()
    sizes = groups.size()
    taken = allocate(sizes, n).to_numpy()
    keys = [pd.factorize(population[name], sort=True)[0] for name in order]
    place = np.lexsort((generator.random(len(population)), *reversed(keys)))
    ordered = stratum_of[place]
    chosen: list[pd.DataFrame] = []
    for number, (name, size) in enumerate(zip(sizes.index, sizes.to_numpy(), strict=True)):
        own, drawn = place[ordered == number], int(taken[number])
        steps = ((generator.random() + np.arange(drawn)) * (size / drawn)).astype("int64")
        rows = population.iloc[own[np.minimum(steps, size - 1)]]
        stratum = " / ".join(map(str, name)) if isinstance(name, tuple) else str(name)
        drawing = {"stratum": stratum, "stratum_size": int(size), "stratum_drawn": drawn, "weight": size / drawn}
        chosen.append(rows.assign(**drawing))
    sample = pd.concat(chosen)
    shuffled: pd.DataFrame = sample.iloc[generator.permutation(len(sample))]
    return shuffled


def weighted_share(
    is_true: Booleans,
    strata: npt.NDArray[np.object_],
    sizes: npt.NDArray[np.int64],
    domain: Booleans | None = None,
    confidence: float = CONFIDENCE,
) -> Estimate:
    """Estimate the share of all hits (or of a domain of them) for which something is true.

    Each coded hit stands for the hits of its stratum: weight = size of the stratum / hits coded in it. The
    variance is that of a ratio estimator under stratified sampling, with the finite population correction; a
    stratum with one coded hit counts its deviation from the estimate itself.

    Parameters
    ----------
    is_true : array of bool, shape (n,)
        What is counted, for each coded hit.
    strata : array of object, shape (n,)
        Stratum of each.
    sizes : array of int64, shape (n,)
        Hits in that stratum, of which it was drawn.
    domain : array of bool, shape (n,), or None
        The hits that the share is of; None takes all.
    confidence : float
        Of the interval.

    Returns
    -------
    Estimate
        The share with its standard error and interval.
    """
    inside = np.ones(len(is_true), dtype=bool) if domain is None else domain
    coded = pd.Series(strata).map(pd.Series(strata).value_counts()).to_numpy(dtype="float64")
    weight = sizes / np.maximum(coded, 1.0)
    total = float(np.sum(weight[inside]))
    if not inside.any():
        return Estimate(math.nan, math.nan, math.nan, math.nan, 0)
    share = float(np.sum(weight[inside & is_true])) / total
    residual = np.where(inside, weight * (is_true - share) / total, 0.0)
    variance = 0.0
    for stratum in pd.unique(strata):
        own = strata == stratum
        n, size = int(own.sum()), int(sizes[own][0])
        squares = float(np.sum((residual[own] - residual[own].mean()) ** 2)) if n > 1 else float(residual[own][0] ** 2)
        variance += (1 - min(n / size, 1.0)) * n / max(n - 1, 1) * squares
    n = int(inside.sum())
    low, high = _interval(share, variance, weight[inside], bool((coded >= sizes)[inside].all()), confidence)
    return Estimate(share, math.sqrt(variance), low, high, n)


def _interval(
    share: float, variance: float, weight: npt.NDArray[np.float64], is_census: bool, confidence: float
) -> tuple[float, float]:
    if is_census:
        return share, share
    if 0 < share < 1 and variance > 0:
        effective = share * (1 - share) / variance
    else:
        effective = float(weight.sum() ** 2 / np.sum(weight**2))
    return wilson(share * effective, effective, confidence)
