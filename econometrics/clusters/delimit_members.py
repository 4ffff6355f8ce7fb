"""The members of an industry's clusters in one year: the test of every place, and the places that hang together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from econometrics.clusters.delimit_null import (
    Moments,
    gamma_tails,
    hypergeometric_quantile,
    hypergeometric_tail,
    null_moments,
    simulated_counts,
    smallest_tails,
)
from econometrics.clusters.map import SHAPE
from econometrics.estimation.multiple_testing import benjamini_hochberg
from econometrics.places.distances import Floats, Integers

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Null = Literal["exact", "permutation"]
Kernel = Literal["uniform", "triangular"]
Control = Literal["local", "global", "benjamini_hochberg"]
Strength = Literal["excess_ratio", "z_score"]

METHOD_COLUMNS = (
    "cluster",
    "plants",
    "plants_within",
    "expected_within",
    "critical_value",
    "p_value",
    "p_adjusted",
    "excess_ratio",
    "z_score",
    "radius_km",
    "reach_km",
    "is_localised",
)
"""Columns of the map beside the common ones."""


@dataclass(frozen=True)
class Options:
    """The choices of `delimit.delimit_clusters` that concern one industry; see there."""

    null: Null
    kernel: Kernel
    control: Control
    strength: Strength
    level: float
    minimum_plants: int
    draws: int
    seed: int


@dataclass(frozen=True)
class Places:
    """Places of one year, and which of them lie in each other's circles.

    Attributes
    ----------
    kilometres : array of float, shape (places, places)
        Distances, within a place on the diagonal.
    plants_at : array of int, shape (places,)
        Plants of all industries.
    first, second : arrays of int, shape (pairs,)
        The pairs of places within the largest radius, each place with itself among them.
    """

    kilometres: Floats
    plants_at: Integers
    first: Integers
    second: Integers

    def near(self, radius: float, kernel: Kernel) -> csr_array:
        """Return what a plant at the second place counts in the circle round the first, shape (places, places)."""
        from scipy.sparse import csr_array

        apart = self.kilometres[self.first, self.second]
        kept = (apart <= radius) | (self.first == self.second)
        counted = np.ones(int(kept.sum()))
        if kernel == "triangular":
            counted = np.maximum(1 - apart[kept] / radius, 0.0)
        return csr_array((counted, (self.first[kept], self.second[kept])), shape=self.kilometres.shape)


def places_within(kilometres: Floats, plants_at: Integers, largest_radius: float) -> Places:
    """Return the places with the pairs that can lie in a circle of up to the largest radius."""
    within = kilometres <= largest_radius
    np.fill_diagonal(within, True)
    first, second = np.nonzero(within)
    return Places(kilometres, plants_at, first, second)


def industry_members(
    places: Places,
    sites: Integers,
    weights: Floats,
    reach: float,
    circle: float,
    options: Options,
    orders: Integers | None,
) -> pd.DataFrame:
    """Test all places for an industry and return a row for each that holds plants of it.

    Parameters
    ----------
    places : Places
        All places of the year.
    sites : array of int, shape (plants of the industry,)
        Number of the place of each plant.
    weights : array of float, shape (plants of the industry,)
        Employment, or ones.
    reach, circle : float
        d* in kilometres, missing if the industry is not localised; the radius of the circles as a share of it.
    options : Options
        Test, strength and level.
    orders : array of int, shape (draws, at least the plants of the industry), optional
        Sites in random order, for tests that need them.
    """
    plants = np.bincount(sites, minlength=len(places.plants_at))
    present = np.flatnonzero(plants)
    if np.isnan(reach):
        table = pd.DataFrame({"site": present}).reindex(columns=["site", *METHOD_COLUMNS, *SHAPE[-2:]])
        return table.assign(plants=plants[present], cluster=0, is_localised=False, is_cluster=False)
    radius = circle * reach
    near = places.near(radius, options.kernel)
    mass = np.bincount(sites, weights, minlength=len(plants)).astype(np.float64)
    counts = weights if options.null == "permutation" else np.ones(len(sites))
    found = near @ (mass if options.null == "permutation" else plants)
    moments = null_moments(near, places.plants_at, counts)
    critical, p_value, adjusted = _test(places, near, found, counts, moments, options, orders)
    with np.errstate(divide="ignore", invalid="ignore"):
        floor = np.maximum(critical, 1.0) if options.null == "exact" else np.where(critical > 0, critical, np.nan)
        ratio = (found - critical) / floor
        z_score = np.where(moments.deviation > 0, (found - moments.mean) / moments.deviation, np.nan)
    is_member = (adjusted <= options.level) & (plants >= max(options.minimum_plants, 1))
    cluster, size = _components(np.flatnonzero(is_member), places.kilometres <= reach, mass)
    table = pd.DataFrame(
        {
            "plants": plants,
            "plants_within": found,
            "expected_within": moments.mean,
            "critical_value": critical,
            "p_value": p_value,
            "p_adjusted": adjusted,
            "excess_ratio": ratio,
            "z_score": z_score,
            "radius_km": radius,
            "reach_km": reach,
            "is_localised": True,
            "cluster": cluster,
            "is_cluster": is_member,
            "cluster_size": size,
            "cluster_strength": ratio if options.strength == "excess_ratio" else z_score,
        }
    )
    return table.iloc[present].assign(site=present)


def _test(
    places: Places,
    near: csr_array,
    found: Floats,
    weights: Floats,
    moments: Moments,
    options: Options,
    orders: Integers | None,
) -> tuple[Floats, Floats, Floats]:
    """Critical value, p value and adjusted p value of every place."""
    total, drawn = int(places.plants_at.sum()), len(weights)
    simulated = None if orders is None else simulated_counts(near, orders, weights)
    if options.null == "exact":
        marked = np.rint(near @ places.plants_at).astype(np.int64)
        critical = hypergeometric_quantile(1 - options.level, total, marked, drawn).astype(float)
        p_value = hypergeometric_tail(np.rint(found).astype(np.int64), total, marked, drawn)
    else:
        assert simulated is not None
        critical = np.quantile(simulated, 1 - options.level, axis=0)
        p_value = (1 + (simulated >= found * (1 - 1e-12)).sum(axis=0)) / (len(simulated) + 1)
    if options.control == "local":
        return critical, p_value, p_value
    if options.control == "benjamini_hochberg":
        return critical, p_value, benjamini_hochberg(p_value)
    assert simulated is not None
    if options.null == "exact":
        extremes, tail = smallest_tails(simulated, total, marked, drawn), p_value
    else:
        extremes, tail = np.sort(gamma_tails(simulated, moments).min(axis=1)), gamma_tails(found, moments)
    # Westfall and Young: how often the most extreme place of a random industry is at least as extreme.
    adjusted = (1 + np.searchsorted(extremes, tail * (1 + 1e-9), side="right")) / (len(extremes) + 1)
    return critical, p_value, adjusted


def _components(
    members: Integers, within: np.ndarray[Any, np.dtype[np.bool_]], mass: Floats
) -> tuple[Integers, Floats]:
    """Number of the cluster (0: none, 1: the largest) and its size, for every place."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    cluster, size = np.zeros(len(mass), dtype=np.int64), np.full(len(mass), np.nan)
    if len(members):
        _, label = connected_components(csr_array(within[np.ix_(members, members)]), directed=False)
        sums = np.bincount(label, mass[members])
        rank = np.empty(len(sums), dtype=np.int64)
        rank[np.argsort(-sums, kind="stable")] = np.arange(1, len(sums) + 1)
        cluster[members], size[members] = rank[label], sums[label]
    return cluster, size
