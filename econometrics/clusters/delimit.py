"""Clusters delimited in space: which places belong to a cluster of an industry, how large it is and how strong.

An extension of Duranton and Overman (2005) as Zhu, Liu, He, Luo and Wu (2019) announce it ("delimit industrial
clusters in space ... cluster formation, cluster size, and cluster strength"); their formulas are not public, so this
is a reading of ours: an industry's plants in a circle round a place are compared with as many plants drawn from all
plants; the circle follows from the distance up to which the industry's K-density is above its global band.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
import pandas as pd

from econometrics.clusters.delimit_members import (
    METHOD_COLUMNS,
    Control,
    Kernel,
    Null,
    Options,
    Strength,
    industry_members,
    places_within,
)
from econometrics.clusters.delimit_null import random_orders
from econometrics.clusters.map import ClusterMap, cluster_table
from econometrics.k_density.plants import Plants, plants_by_year, prepare_plants, year_problems
from econometrics.k_density.result import KDensities
from econometrics.places.distances import site_distances
from shuzhi import DataError

DistanceRange = Literal["first", "largest"]


def delimit_clusters(
    plants: pd.DataFrame,
    *,
    reach: float | KDensities | Mapping[int, KDensities],
    place: str = "place",
    industry: str = "industry",
    year: str = "year",
    longitude: str = "longitude",
    latitude: str = "latitude",
    weight: str | None = None,
    internal_km: float | str = 0.0,
    distance_range: DistanceRange = "first",
    circle: float = 0.5,
    maximum_reach_km: float | None = None,
    null: Null = "exact",
    kernel: Kernel = "uniform",
    control: Control = "benjamini_hochberg",
    strength: Strength = "excess_ratio",
    level: float = 0.05,
    minimum_plants: int = 2,
    draws: int = 1000,
    seed: int = 1,
) -> ClusterMap:
    """Delimit the clusters of every industry and year in space.

    An industry A that is localised up to the distance d* has clusters whose farthest plants are d* apart: circles of
    half that radius. D is the number of A's plants in such a circle round a place c (c itself included). It is
    compared with the same number when A's plants are any n of all plants. A place with plants of A whose D is larger
    than chance allows is a member; members within d* of each other form a cluster; its size is the sum over them.

    Parameters
    ----------
    plants : pandas.DataFrame
        One row a plant and year, all manufacturing.
    reach : float, KDensities, or mapping of int to KDensities
        The d* of all industries in kilometres; or the K-densities of the (each) year: d* is then where the
        localisation of the industry ends, and an industry that is not localised has no clusters. Silverman's
        bandwidth is wide where the country is, and d* with it: estimate them with a bandwidth of tens of kilometres.
    place, industry, year, longitude, latitude, internal_km
        Columns, and the distance within a place, as for `k_density.k_density`.
    weight : str, optional
        Column of employment: the unit of ``cluster_size``, and with ``null="permutation"`` what a plant counts in D.
    distance_range : "first" or "largest"
        Whether d* is the end of the first unbroken range of localisation, or the largest distance with any. Two
        clusters of one industry raise the density at their distance from each other too, so that the largest
        distance joins them.
    circle : float
        Radius of the circle as a share of d*. One is the plain reading of the method; half of it finds the same
        clusters without most of their surroundings.
    maximum_reach_km : float, optional
        A d* beyond this is cut to it.
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
        Plants of the industry that a member holds itself; a neighbour of a cluster with a single plant is none.
    draws, seed : int
        Random orders, for ``null="permutation"`` and ``control="global"``.

    Returns
    -------
    ClusterMap
        One row a place with plants of the industry; places without are no members. Beside the common columns:
        ``cluster`` (number within industry and year, 1 the largest), ``plants`` of the industry, ``plants_within``
        (D), ``expected_within``, ``critical_value``, ``p_value``, ``p_adjusted``, ``excess_ratio``, ``z_score``,
        ``radius_km`` of the circle, ``reach_km`` (d*), ``is_localised`` (missing if d* was given).

    Raises
    ------
    DataError
        If columns or years are missing, an option does not fit another, or coordinates cannot be used.
    """
    options = Options(null, kernel, control, strength, level, minimum_plants, draws, seed)
    _check(plants, year, options, circle, reach)
    missing_year = int(plants[year].isna().sum())
    dropped: dict[str, int] = {f"missing {year}": missing_year} if missing_year else {}
    frames, warnings = [], []
    for number, rows in plants_by_year(plants, year).items():
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
        reaches = _reaches(reach, number, used, distance_range, maximum_reach_km)
        frames.append(_one_year(used, reaches, circle, options).assign(year=number))
        warnings += _year_warnings(number, used, options)
    if not frames:
        raise DataError("clusters cannot be delimited: no plant has a year")
    data = cluster_table(pd.concat(frames, ignore_index=True), METHOD_COLUMNS)
    data["is_localised"] = pd.NA if isinstance(reach, int | float) else data["is_localised"]
    data = data.astype({"is_localised": "boolean"})
    undefined = int((data["cluster_strength"].isna() & data["is_cluster"]).sum())
    if undefined:
        warnings.append(f"{undefined} members have no strength: their critical value is zero; use strength='z_score'")
    parameters = {
        "reach": f"{reach:g} km" if isinstance(reach, int | float) else f"K-density, {distance_range} range",
        "circle": circle,
        "maximum_reach_km": maximum_reach_km,
        "weight": weight or "plants",
        "internal_km": internal_km,
        **vars(options),
    }
    return ClusterMap(data, "duranton_overman_extension", parameters, dropped, _assumptions(options), tuple(warnings))


def _check(plants: pd.DataFrame, year: str, options: Options, circle: float, reach: object) -> None:
    problems = year_problems(plants, year)
    if not problems and isinstance(reach, KDensities) and plants[year].nunique() > 1:
        problems.append("K-densities of one cross-section cannot serve several years: give a mapping of year to them")
    elif not problems and isinstance(reach, Mapping):
        without = sorted(set(plants[year].dropna().astype(int)) - set(reach))
        problems += [f"no K-densities of {', '.join(map(str, without))}"] if without else []
    if isinstance(reach, int | float) and not reach >= 0:
        problems.append(f"reach is {reach} km")
    if options.kernel == "triangular" and options.null == "exact":
        problems.append("a triangular kernel has no exact distribution: take null='permutation'")
    if not 0 < options.level < 1 or options.draws < 20 or not 0 < circle <= 1:
        problems.append(
            f"level={options.level}, circle={circle}, draws={options.draws}: a level between 0 and 1, a circle above 0 "
            "and at most 1, and 20 draws are needed"
        )
    if problems:
        raise DataError(f"clusters cannot be delimited: {'; '.join(problems)}")


def _reaches(
    reach: float | KDensities | Mapping[int, KDensities],
    year: int,
    used: Plants,
    distance_range: DistanceRange,
    maximum: float | None,
) -> dict[str, float]:
    """The d* of each industry in kilometres; missing where the industry is not localised."""
    codes = sorted(set(used.industry))
    limit = np.inf if maximum is None else maximum
    if isinstance(reach, int | float):
        return dict.fromkeys(codes, min(float(reach), limit))
    densities = reach if isinstance(reach, KDensities) else reach[year]
    unknown = [code for code in codes if code not in densities.industries and code not in densities.without_density]
    if unknown:
        raise DataError(f"the K-densities know nothing of {len(unknown)} industries of {year}, such as {unknown[0]!r}")
    ends = dict.fromkeys(codes, float("nan"))
    for code in ends.keys() & densities.industries.keys():
        density = densities.industries[code]
        end = density.first_range_km[1] if distance_range == "first" else density.localised_to_km
        ends[code] = min(end, limit)
    return ends


def _one_year(used: Plants, reaches: Mapping[str, float], circle: float, options: Options) -> pd.DataFrame:
    sites = len(used.longitude)
    everywhere = np.arange(sites)
    distances = site_distances(used.longitude, used.latitude, internal_km=used.internal_km)
    if distances.table is None:
        raise DataError(f"{sites} places are too many to delimit clusters: give counties or towns as places")
    largest_radius = circle * max((reach for reach in reaches.values() if not np.isnan(reach)), default=0.0)
    plants_at = np.bincount(used.site, minlength=sites)
    places = places_within(distances.kilometres(everywhere, everywhere), plants_at, largest_radius)
    members, _ = used.industries(1)
    simulates = options.null == "permutation" or options.control == "global"
    largest = max((len(members[code]) for code in members if not np.isnan(reaches[code])), default=0)
    orders = random_orders(used.site, largest, options.draws, options.seed) if simulates and largest else None
    frames = []
    for code, rows in members.items():
        weights = np.ones(len(rows)) if used.weight is None else used.weight[rows]
        frame = industry_members(places, used.site[rows], weights, reaches[code], circle, options, orders)
        frame.insert(0, "place", np.array(used.labels, dtype=object)[frame.pop("site")])
        frames.append(frame.assign(industry=code))
    return pd.concat(frames, ignore_index=True)


def _year_warnings(year: int, used: Plants, options: Options) -> list[str]:
    tests = len(used.longitude)
    if options.null == "permutation" and options.control == "benjamini_hochberg":
        fewest = int(np.ceil(tests / (options.draws + 1) / options.level))
        return [
            f"{year}: with {options.draws:,} draws and {tests:,} places no industry with fewer than {fewest} members "
            "can have any; raise draws, or take null='exact' or control='global'"
        ]
    return []


def _assumptions(options: Options) -> tuple[str, ...]:
    return (
        "every site of a plant of any industry could hold a plant of every other",
        "all plants of a place stand at its point; a place without plants of the industry is no member",
        "a place is a member through the plants around it as much as through its own, "
        f"of which it needs {max(options.minimum_plants, 1)}",
    )
