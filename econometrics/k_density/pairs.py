"""How many pairs of plants lie in each distance bin, for one set of plants and for the first n of a random order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from econometrics.places.distances import Bins, Floats, Integers, SiteDistances

# So many rows against some thousand columns stay in the processor's cache.
_BLOCK_ROWS = 128
# Summing plants by site pays when a site holds that many of them on average.
_PLANTS_A_SITE = 1.5


def pair_histogram(distances: SiteDistances, sites: Integers, weights: Floats | None = None) -> Floats:
    """Count the pairs of different plants in every distance bin.

    Parameters
    ----------
    distances : SiteDistances
        Distances between the sites.
    sites : array of int, shape (plants,)
        The site of each plant.
    weights : array of float, shape (plants,), optional
        A pair counts the product of its two weights; without them one.

    Returns
    -------
    array of float, shape (bins,)
        Each pair once.
    """
    mass: Floats = np.ones(len(sites)) if weights is None else weights
    squares: Floats = mass**2
    if distances.table is not None:
        sites, of_site = np.unique(sites, return_inverse=True)
        mass, squares = _sums(of_site, mass, len(sites)), _sums(of_site, squares, len(sites))
    bins = len(distances.centres)
    histogram = _sums(distances.own_bins()[sites], (mass**2 - squares) / 2, bins)
    for start in range(0, len(sites), _BLOCK_ROWS):
        stop = min(start + _BLOCK_ROWS, len(sites))
        block = distances.bins(sites[start:stop], sites[:stop])
        histogram += _block_histogram(block, mass, start, stop, bins)
    return histogram


def _block_histogram(block: Bins, weights: Floats, start: int, stop: int, bins: int) -> Floats:
    """Histogram of the pairs of rows start to stop with all before them; ``block`` may hold more rows and columns."""
    products = np.multiply.outer(weights[start:stop], weights[:stop])
    products[:, start:] *= np.tri(stop - start, k=-1)
    return _sums(block[: stop - start, :stop].ravel(), products.ravel(), bins)


def _sums(numbers: Bins, weights: Floats, length: int) -> Floats:
    """Sums of weights by number; of no rows as well, where numpy's bincount returns integers."""
    return np.bincount(numbers, weights, minlength=length).astype(np.float64, copy=False)


def nested_histograms(distances: SiteDistances, order: Integers, sizes: Sequence[int]) -> Floats:
    """Count the pairs of the first n plants of a random order, for several n at once.

    The first n of a random order are n plants drawn without replacement, whatever n: one order serves all
    industries, and the pairs of n plants are those of fewer plants and what the additional ones add.

    Parameters
    ----------
    distances : SiteDistances
        Distances between the sites.
    order : array of int, shape (plants,)
        Site of each plant, in random order.
    sizes : sequence of int, increasing
        The numbers of plants.

    Returns
    -------
    array of float, shape (sizes, bins)
        Each pair once.
    """
    bins, own = len(distances.centres), distances.own_bins()
    held = np.zeros(distances.sites)
    total = np.zeros(bins)
    result = np.empty((len(sizes), bins))
    row = done = 0
    for stop in sorted({*sizes, *range(_BLOCK_ROWS, sizes[-1], _BLOCK_ROWS)}):
        new = order[done:stop]
        if distances.table is not None and done > _PLANTS_A_SITE * np.count_nonzero(held):
            present = np.flatnonzero(held)
            block = distances.bins(new, present)
            total += np.bincount(block.ravel(), np.tile(held[present], len(new)), minlength=bins)
            among = distances.bins(new, new)
        else:
            block = distances.bins(new, order[:stop])
            total += np.bincount(block.ravel(), minlength=bins)
            among = block[:, done:]
            total -= np.bincount(among.ravel(), minlength=bins)
        # Both directions and each plant with itself stand in the square.
        total += (np.bincount(among.ravel(), minlength=bins) - np.bincount(own[new], minlength=bins)) / 2
        if distances.table is not None:
            held += np.bincount(new, minlength=len(held))
        done = stop
        if stop == sizes[row]:
            result[row] = total
            row += 1
    return result


def nested_weighted_histograms(distances: SiteDistances, order: Integers, weights: Sequence[Floats]) -> Floats:
    """Count the weighted pairs of several industries whose plants were moved to the first sites of a random order.

    Parameters
    ----------
    distances : SiteDistances
        Distances between the sites.
    order : array of int, shape (plants,)
        Sites in random order; plant i of every industry is moved to site i.
    weights : sequence of arrays of float, shape (plants of the industry,)
        Employment of each industry's plants.

    Returns
    -------
    array of float, shape (industries, bins)
        Sums of products of weights over the pairs, each pair once.
    """
    bins = len(distances.centres)
    result = np.zeros((len(weights), bins))
    shared = []
    for industry, weight in enumerate(weights):
        moved = order[: len(weight)]
        if distances.table is not None and len(moved) > _PLANTS_A_SITE * len(np.unique(moved)):
            result[industry] = pair_histogram(distances, moved, weight)
        else:
            shared.append(industry)
    largest = max((len(weights[industry]) for industry in shared), default=0)
    for start in range(0, largest, _BLOCK_ROWS):
        end = min(start + _BLOCK_ROWS, largest)
        block = distances.bins(order[start:end], order[:end]).astype(np.int64)
        for industry in shared:
            stop = min(end, len(weights[industry]))
            if stop > start:
                result[industry] += _block_histogram(block, weights[industry], start, stop, bins)
    return result
