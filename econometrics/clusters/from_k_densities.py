"""Clusters by K-densities in one step: estimate them year by year, then delimit the clusters."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from econometrics.clusters.delimit import DistanceRange, delimit_clusters
from econometrics.clusters.delimit_members import Control, Strength
from econometrics.clusters.map import ClusterMap
from econometrics.k_density.estimate import Bandwidth, k_density
from econometrics.k_density.plants import plants_by_year, year_problems
from shuzhi import DataError


def k_density_clusters(
    plants: pd.DataFrame,
    *,
    place: str = "place",
    industry: str = "industry",
    year: str = "year",
    longitude: str = "longitude",
    latitude: str = "latitude",
    weight: str | None = None,
    internal_km: float | str = 0.0,
    bandwidth: float | Bandwidth = 20.0,
    distance_range: DistanceRange = "first",
    circle: float = 0.5,
    control: Control = "benjamini_hochberg",
    strength: Strength = "excess_ratio",
    level: float = 0.05,
    minimum_plants: int = 2,
    draws: int = 1000,
    seed: int = 1,
    threads: int = 2,
) -> ClusterMap:
    """Estimate the K-densities of every year and delimit the clusters of the industries that are localised.

    Parameters
    ----------
    plants : pandas.DataFrame
        One row a plant and year, all manufacturing.
    weight : str, optional
        Column of employment: weighs the pairs of the K-densities and is the unit of the cluster size.
    bandwidth : float, "industry" or "population"
        Of the K-densities, by default 20 km.
    place, industry, year, longitude, latitude, internal_km
        Columns, as for `delimit_clusters`.
    distance_range, circle, control, strength, level, minimum_plants
        Choices, as for `delimit_clusters`.
    draws, seed, threads : int
        As for `k_density.k_density`.

    Returns
    -------
    ClusterMap

    Raises
    ------
    DataError
        As `delimit_clusters` and `k_density.k_density`.
    """
    if problems := year_problems(plants, year):
        raise DataError(f"clusters cannot be delimited: {'; '.join(problems)}")
    densities = {
        number: k_density(
            rows,
            industry=industry,
            longitude=longitude,
            latitude=latitude,
            place=place,
            weight=weight,
            internal_km=internal_km,
            bandwidth=bandwidth,
            level=level,
            draws=draws,
            seed=seed,
            threads=threads,
        )
        for number, rows in plants_by_year(plants, year).items()
    }
    found = delimit_clusters(
        plants,
        reach=densities,
        place=place,
        industry=industry,
        year=year,
        longitude=longitude,
        latitude=latitude,
        weight=weight,
        internal_km=internal_km,
        distance_range=distance_range,
        circle=circle,
        control=control,
        strength=strength,
        level=level,
        minimum_plants=minimum_plants,
        draws=draws,
        seed=seed,
    )
    return replace(found, parameters={**found.parameters, "bandwidth": bandwidth})
