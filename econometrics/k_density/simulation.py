"""Kernel smoothing of distance histograms, and the densities of plants that are moved to random sites."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from econometrics.k_density.pairs import nested_histograms, nested_weighted_histograms
from econometrics.places.distances import Floats, Integers, SiteDistances

# Beyond eight bandwidths the Gaussian kernel is below 2e-14 of its height.
KERNEL_REACH = 8.0
# Histograms of so many bytes wait for their smoothing, so that a kernel matrix is made a few times only.
_CHUNK_BYTES = 2**29


def silverman_bandwidth(histogram: Floats, centres: Floats, pairs: float) -> float:
    """Return the bandwidth ``0.9 min(sd, IQR / 1.34) N^(-1/5)`` of Silverman (1986, equation 3.31).

    Parameters
    ----------
    histogram : array of float, shape (bins,)
        Number of pairs in each distance bin, not weighted.
    centres : array of float, shape (bins,)
        Distance of each bin in kilometres.
    pairs : float
        The N of the formula.

    Returns
    -------
    float
        Kilometres; the standard deviation alone where the interquartile range is zero; zero where all distances are
        equal. Quartiles are interpolated as numpy and R (type 7) do.
    """
    total = float(histogram.sum())
    mean = float(histogram @ centres) / total
    variance = float(histogram @ (centres - mean) ** 2) / max(total - 1, 1)
    low, high = _quantile(histogram, centres, 0.25), _quantile(histogram, centres, 0.75)
    spreads = [spread for spread in (float(np.sqrt(variance)), (high - low) / 1.34) if spread > 0]
    return float(0.9 * min(spreads, default=0.0) * pairs ** (-0.2))


def histogram_median(histogram: Floats, centres: Floats) -> float:
    """Return the median distance of the pairs in a histogram, in kilometres."""
    return _quantile(histogram, centres, 0.5)


def _quantile(histogram: Floats, centres: Floats, share: float) -> float:
    reached = np.cumsum(histogram)
    position = share * (reached[-1] - 1)
    below = np.floor(position)
    # Pair number k, counted from zero, lies in the first bin with more than k pairs up to its end.
    low = centres[np.searchsorted(reached, below, side="right")]
    high = centres[np.searchsorted(reached, min(below + 1, reached[-1] - 1), side="right")]
    return float(low + (position - below) * (high - low))


def kernel_matrix(centres: Floats, grid: Floats, bandwidth: float) -> Floats:
    """Return the Gaussian kernel, reflected at zero, of every bin at every distance of a grid.

    Parameters
    ----------
    centres : array of float, shape (bins,)
        Distances of the bins in kilometres.
    grid : array of float, shape (points,)
        Distances at which the density is wanted.
    bandwidth : float
        Kilometres.

    Returns
    -------
    array of float, shape (bins, points)
        ``(f((d - c) / h) + f((d + c) / h)) / h``, so that every bin has the mass one on the distances from zero on
        (Silverman 1986, section 2.10).
    """
    scale = 1 / (bandwidth * np.sqrt(2 * np.pi))
    kernel: Floats = _gauss((grid - centres[:, None]) / bandwidth)
    low = int(np.searchsorted(centres, KERNEL_REACH * bandwidth, side="right"))
    left = int(np.searchsorted(grid, KERNEL_REACH * bandwidth, side="right"))
    kernel[:low, :left] += _gauss((grid[:left] + centres[:low, None]) / bandwidth)
    kernel *= scale
    return kernel


def _gauss(away: Floats) -> Floats:
    np.square(away, out=away)
    away *= -0.5
    return np.exp(away, out=away)


def smooth(histogram: Floats, centres: Floats, grid: Floats, bandwidth: float, mass: float) -> Floats:
    """Return the K-density of one or many histograms on a grid.

    Parameters
    ----------
    histogram : array of float, shape (..., bins)
        Pairs in each distance bin; bins beyond the reach of the kernel may hold anything.
    centres, grid, bandwidth
        As for `kernel_matrix`.
    mass : float
        Sum over all pairs, those beyond the last bin included.

    Returns
    -------
    array of float, shape (..., points)
        Per kilometre.
    """
    near = int(np.searchsorted(centres, grid[-1] + KERNEL_REACH * bandwidth, side="right"))
    density: Floats = histogram[..., :near] @ kernel_matrix(centres[:near], grid, bandwidth) / mass
    return density


@dataclass(frozen=True)
class Industry:
    """What the simulation must know of an industry.

    Attributes
    ----------
    plants : int
        Number of plants.
    weights : array of float, shape (plants,), or None
        Employment of each plant; None: every plant counts one.
    bandwidth_km : float
        Bandwidth of the kernel.
    """

    plants: int
    weights: Floats | None
    bandwidth_km: float

    @property
    def mass(self) -> float:
        """Sum over the pairs of plants of the product of their weights."""
        if self.weights is None:
            return self.plants * (self.plants - 1) / 2
        return float(self.weights.sum() ** 2 - (self.weights**2).sum()) / 2


def simulate_densities(
    distances: SiteDistances,
    pool: Integers,
    industries: Sequence[Industry],
    grid: Floats,
    *,
    draws: int,
    seed: int,
    threads: int,
) -> list[Floats]:
    """Compute the K-densities of industries whose plants stand at sites drawn without replacement.

    Parameters
    ----------
    distances : SiteDistances
        Distances between the sites.
    pool : array of int, shape (all plants,)
        The site of every plant of every industry.
    industries : sequence of Industry
        Either all weighted or none. In draw m all industries take the first of the same random order of the plants,
        so that each has independent draws, but two industries share theirs.
    grid : array of float, shape (points,)
        Distances in kilometres, increasing.
    draws, seed, threads : int
        Number of draws; seed of the random orders; threads (the result does not depend on them).

    Returns
    -------
    list of arrays of float, shape (draws, points)
        One for each industry.
    """
    reach = max(grid[-1] + KERNEL_REACH * industry.bandwidth_km for industry in industries)
    near = distances.up_to(reach)
    simulated = [np.empty((draws, len(grid))) for _ in industries]
    sizes = sorted({industry.plants for industry in industries})
    weights = [industry.weights for industry in industries if industry.weights is not None]
    rows = len(weights) or len(sizes)
    chunk = max(1, min(draws, _CHUNK_BYTES // (8 * rows * len(near.centres))))

    histograms = np.empty((rows, chunk, len(near.centres)))

    def count(draw: int) -> None:
        rng = np.random.Generator(np.random.PCG64([seed, draw]))
        order = pool[rng.choice(len(pool), sizes[-1], replace=False)]
        if weights:
            histograms[:, draw % chunk] = nested_weighted_histograms(near, order, weights)
        else:
            histograms[:, draw % chunk] = nested_histograms(near, order, sizes)

    with ThreadPoolExecutor(threads) as executor:
        for start in range(0, draws, chunk):
            kept = min(chunk, draws - start)

            def smooth_one(number: int, start: int = start, kept: int = kept) -> None:
                industry = industries[number]
                row = histograms[number if weights else sizes.index(industry.plants), :kept]
                simulated[number][start : start + kept] = smooth(
                    row, near.centres, grid, industry.bandwidth_km, industry.mass
                )

            list(executor.map(count, range(start, start + kept)))
            list(executor.map(smooth_one, range(len(industries))))
    return simulated
