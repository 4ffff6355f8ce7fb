"""Clusters delimited in space: which places belong to a cluster of an industry, how large it is and how strong.

An extension of Duranton and Overman (2005) as Zhu, Liu, He, Luo and Wu (2019) announce it ("delimit industrial
clusters in space ... cluster formation, cluster size, and cluster strength"); their formulas are not public, so this
is a reading of ours: an industry's plants within a distance of a place are compared with as many plants drawn from
all plants, the distance being the one up to which the industry's K-density is above its global band.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from econometrics.cluster_map import ClusterMap, cluster_table
from econometrics.delimit_null import (
    Moments,
    hypergeometric_quantile,
    hypergeometric_tail,
    null_moments,
    random_orders,
    simulated_counts,
    smallest_tails,
)
from econometrics.distances import Floats, Integers, site_distances
from econometrics.k_density_plants import Plants, prepare_plants
from econometrics.k_density_result import IndustryDensity, KDensities
from econometrics.multiple_testing import benjamini_hochberg
from shuzhi import DataError

if TYPE_CHECKING:
    from scipy.sparse import csr_array

DistanceRange = Literal["first", "largest"]
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
    "is_localised",
)
"""Columns of the map beside the common ones."""


@dataclass(frozen=True)
class _Options:
    null: Null
    kernel: Kernel
    control: Control
    strength: Strength
    level: float
    minimum_plants: int
    draws: int
    seed: int
    link: float


@dataclass(frozen=True)
class _Places:
    """Places of one year with their distances and all plants at them."""

    kilometres: Floats
    plants_at: Integers

    def near(self, radius: float, kernel: Kernel) -> csr_array:
        from scipy.sparse import csr_array

        within = self.kilometres <= radius
        np.fill_diagonal(within, True)
        if kernel == "uniform":
            return csr_array(within.astype(float))
        return csr_array(np.where(within, np.maximum(1 - self.kilometres / radius, 0.0), 0.0))


def delimit_clusters(
    plants: pd.DataFrame,
    *,
    radius: float | KDensities | Mapping[int, KDensities],
    place: str = "place",
    industry: str = "industry",
    year: str = "year",
    longitude: str = "longitude",
    latitude: str = "latitude",
    weight: str | None = None,
    internal_km: float | str = 0.0,
    distance_range: DistanceRange = "first",
    circle: float = 0.5,
    maximum_radius_km: float | None = None,
    null: Null = "exact",
    kernel: Kernel = "uniform",
    control: Control = "benjamini_hochberg",
    strength: Strength = "excess_ratio",
    level: float = 0.05,
    minimum_plants: int = 1,
    link: float = 1.0,
    draws: int = 1000,
    seed: int = 1,
) -> ClusterMap:
    """Delimit the clusters of every industry and year in space.

    For a place c and an industry A with the radius d*, D is the number of A's plants within d* of c (c itself
    included). It is compared with the same number when A's plants are any n of all plants. A place with plants of A
    whose D is larger than chance allows is a member; members within d* of each other form a cluster; its size is the
    sum over its members.

    Parameters
    ----------
    plants : pandas.DataFrame
        One row a plant and year, all manufacturing.
    radius : float, KDensities, or mapping of int to KDensities
        Kilometres for all industries; or the K-densities of the (each) year: the radius of an industry is then where
        its localisation ends, and an industry that is not localised has no clusters.
    place, industry, year, longitude, latitude, internal_km
        Columns, and the distance within a place, as for `k_density.k_density`.
    weight : str, optional
        Column of employment: the unit of ``cluster_size``, and with ``null="permutation"`` what a plant counts in D.
    distance_range : "first" or "largest"
        Whether the radius is the end of the first unbroken range of localisation, or the largest distance with any.
        Two clusters of one industry raise the density at their distance from each other too, so that the largest
        distance joins them.
    maximum_radius_km : float, optional
        A radius beyond this is cut to it.
    null : "exact" or "permutation"
        The hypergeometric distribution of a count, or random orders of the plants, as weights or a kernel need.
    kernel : "uniform" or "triangular"
        What a plant counts: one within the radius, or one less its distance over the radius.
    control : "local", "global" or "benjamini_hochberg"
        The level holds for each place; for any place of an industry (Westfall and Young 1993, by random orders); or
        for the expected share of false members of an industry (Benjamini and Hochberg 1995).
    strength : "excess_ratio" or "z_score"
        ``(D - q) / max(q, 1)`` with the critical value q of the place at the level (without the one for weights), or
        ``(D - mean) / standard deviation`` with the exact moments.
    level : float
        Level of the test.
    minimum_plants : int
        Plants of the industry that a member holds itself.
    draws, seed : int
        Random orders, for ``null="permutation"`` and ``control="global"``.

    Returns
    -------
    ClusterMap
        One row a place with plants of the industry; places without are no members. Beside the common columns:
        ``cluster`` (number within industry and year, 1 the largest), ``plants`` of the industry, ``plants_within``
        (D), ``expected_within``, ``critical_value``, ``p_value``, ``p_adjusted``, ``excess_ratio``, ``z_score``,
        ``radius_km``, ``is_localised``.

    Raises
    ------
    DataError
        If columns or years are missing, an option does not fit another, or coordinates cannot be used.
    """
    options = _Options(null, kernel, control, strength, level, minimum_plants, draws, seed, link)
    _check(plants, year, options, weight, radius)
    missing_year = int(plants[year].isna().sum())
    dropped: dict[str, int] = {f"missing {year}": missing_year} if missing_year else {}
    frames, warnings = [], []
    years = plants[year].dropna().astype(int)
    for number in sorted(set(years)):
        rows = plants.loc[years.index[years == number]]
        used = prepare_plants(
            rows,
            industry=industry,
            longitude=longitude,
            latitude=latitude,
            place=place,
            weight=weight,
            internal_km=internal_km,
        )
        for reason, count in used.dropped.items():
            dropped[reason] = dropped.get(reason, 0) + count
        radii = _radii(radius, number, used, distance_range, circle, maximum_radius_km)
        frames.append(_one_year(used, radii, options).assign(year=number))
        warnings += _year_warnings(number, used, options)
    data = cluster_table(pd.concat(frames, ignore_index=True), METHOD_COLUMNS)
    undefined = int((data["cluster_strength"].isna() & data["is_cluster"]).sum())
    if undefined:
        warnings.append(f"{undefined} members have no strength: their critical value is zero; use strength='z_score'")
    parameters = {
        "radius": _name(radius, distance_range),
        "maximum_radius_km": maximum_radius_km,
        "weight": weight or "plants",
        "internal_km": internal_km,
        **vars(options),
    }
    return ClusterMap(data, "duranton_overman_extension", parameters, dropped, _assumptions(options), tuple(warnings))


def _check(plants: pd.DataFrame, year: str, options: _Options, weight: str | None, radius: object) -> None:
    problems = []
    if year not in plants.columns:
        problems.append(f"no column {year!r}; columns are {', '.join(map(str, plants.columns))}")
    elif not pd.api.types.is_numeric_dtype(plants[year]):
        problems.append(f"column {year!r} holds no numbers")
    elif isinstance(radius, KDensities) and plants[year].nunique() > 1:
        problems.append("K-densities of one cross-section cannot serve several years: give a mapping of year to them")
    elif isinstance(radius, Mapping):
        without = sorted(set(plants[year].dropna().astype(int)) - set(radius))
        problems += [f"no K-densities of the years {', '.join(map(str, without))}"] if without else []
    if isinstance(radius, int | float) and not radius >= 0:
        problems.append(f"radius is {radius} km")
    if options.kernel == "triangular" and options.null == "exact":
        problems.append("a triangular kernel has no exact distribution: take null='permutation'")
    if not 0 < options.level < 1 or options.draws < 20:
        problems.append(
            f"level={options.level}, draws={options.draws}: a level between 0 and 1 and 20 draws are needed"
        )
    if problems:
        raise DataError(f"clusters cannot be delimited: {'; '.join(problems)}")


def _radii(
    radius: float | KDensities | Mapping[int, KDensities],
    year: int,
    used: Plants,
    distance_range: DistanceRange,
    circle: float,
    maximum: float | None,
) -> dict[str, float]:
    """Radius of each industry in kilometres; missing where the industry is not localised."""
    codes = sorted(set(used.industry))
    limit = np.inf if maximum is None else maximum
    if isinstance(radius, int | float):
        return dict.fromkeys(codes, min(float(radius), limit))
    densities = radius if isinstance(radius, KDensities) else radius[year]
    unknown = [code for code in codes if code not in densities.industries and code not in densities.without_density]
    if unknown:
        raise DataError(f"the K-densities know nothing of {len(unknown)} industries of {year}, such as {unknown[0]!r}")
    return {
        code: min(circle * _reach(densities.industries[code], distance_range), limit)
        if code in densities.industries
        else float("nan")
        for code in codes
    }


def _reach(density: IndustryDensity, distance_range: DistanceRange) -> float:
    return density.first_range_km[1] if distance_range == "first" else density.localised_to_km


def _one_year(used: Plants, radii: Mapping[str, float], options: _Options) -> pd.DataFrame:
    sites = len(used.longitude)
    everywhere = np.arange(sites)
    distances = site_distances(used.longitude, used.latitude, internal_km=used.internal_km)
    if distances.table is None:
        raise DataError(f"{sites} places are too many to delimit clusters: give counties or towns as places")
    places = _Places(distances.kilometres(everywhere, everywhere), np.bincount(used.site, minlength=sites))
    members, _ = used.industries(1)
    simulates = options.null == "permutation" or options.control == "global"
    largest = max((len(members[code]) for code in members if not np.isnan(radii[code])), default=0)
    orders = random_orders(used.site, largest, options.draws, options.seed) if simulates and largest else None
    frames = []
    for code, rows in members.items():
        weights = np.ones(len(rows)) if used.weight is None else used.weight[rows]
        frame = _one_industry(places, used.site[rows], weights, radii[code], options, orders)
        frame.insert(0, "place", np.array(used.labels, dtype=object)[frame.pop("site")])
        frames.append(frame.assign(industry=code))
    return pd.concat(frames, ignore_index=True)


def _one_industry(
    places: _Places, sites: Integers, weights: Floats, radius: float, options: _Options, orders: Integers | None
) -> pd.DataFrame:
    plants = np.bincount(sites, minlength=len(places.plants_at))
    present = np.flatnonzero(plants)
    if np.isnan(radius):
        empty = {name: np.nan for name in METHOD_COLUMNS if name not in ("cluster", "plants", "is_localised")}
        table = pd.DataFrame({"site": present, "plants": plants[present], **empty})
        return table.assign(
            cluster=0, is_localised=False, is_cluster=False, cluster_size=np.nan, cluster_strength=np.nan
        )
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
    cluster, size = _components(np.flatnonzero(is_member), places.kilometres <= options.link * radius, mass)
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
            "is_localised": True,
            "cluster": cluster,
            "is_cluster": is_member,
            "cluster_size": size,
            "cluster_strength": ratio if options.strength == "excess_ratio" else z_score,
        }
    )
    return table.iloc[present].assign(site=present)


def _test(
    places: _Places,
    near: csr_array,
    found: Floats,
    weights: Floats,
    moments: Moments,
    options: _Options,
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
        extremes = smallest_tails(simulated, total, marked, drawn)
        statistic = p_value * (1 + 1e-9)
    else:
        scale = np.where(moments.deviation > 0, moments.deviation, np.inf)
        extremes = np.sort(-((simulated - moments.mean) / scale).max(axis=1))
        statistic = -(found - moments.mean) / scale + 1e-9
    # Westfall and Young: how often the most extreme place of a random industry is at least as extreme.
    adjusted = (1 + np.searchsorted(extremes, statistic, side="right")) / (len(extremes) + 1)
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


def _year_warnings(year: int, used: Plants, options: _Options) -> list[str]:
    tests = len(used.longitude)
    if options.null == "permutation" and options.control == "benjamini_hochberg":
        fewest = int(np.ceil(tests / (options.draws + 1) / options.level))
        return [
            f"{year}: with {options.draws:,} draws and {tests:,} places no industry with fewer than {fewest} members "
            "can have any; raise draws, or take null='exact' or control='global'"
        ]
    return []


def _assumptions(options: _Options) -> tuple[str, ...]:
    texts = [
        "every site of a plant of any industry could hold a plant of every other",
        "all plants of a place stand at its point; a place without plants of the industry is no member",
        "neighbours of a concentrated place are members through its plants if they hold at least "
        f"{max(options.minimum_plants, 1)} of their own",
    ]
    return tuple(texts)


def _name(radius: float | KDensities | Mapping[int, KDensities], distance_range: DistanceRange) -> str:
    return f"{radius:g} km" if isinstance(radius, int | float) else f"K-density, {distance_range} range"
