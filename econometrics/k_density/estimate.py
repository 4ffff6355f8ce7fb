"""Localisation of industries in continuous space: the K-densities of Duranton and Overman (2005).

The density of the distances between the plants of an industry is compared with that of as many plants at sites drawn
from all plants. Distances between sites are binned once, random orders of the plants serve all industries at once, and
the kernel is a matrix from bins to the distances of interest: no list of pairs is ever made.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Literal

import numpy as np
import pandas as pd

from econometrics.k_density.bands import confidence_bands, envelope_p_values
from econometrics.k_density.pairs import pair_histogram
from econometrics.k_density.plants import Plants, prepare_plants
from econometrics.k_density.result import IndustryDensity, KDensities
from econometrics.k_density.simulation import (
    Industry,
    histogram_median,
    silverman_bandwidth,
    simulate_densities,
    smooth,
)
from econometrics.places.distances import Floats, SiteDistances, site_distances
from shuzhi import DataError, EstimationError

Bandwidth = Literal["industry", "population"]
# Where sites are too many for a table, the distances of all plants are those of so many, drawn at random.
_POPULATION_SAMPLE = 4_000


def k_density(
    plants: pd.DataFrame,
    *,
    industry: str = "industry",
    longitude: str = "longitude",
    latitude: str = "latitude",
    place: str | None = None,
    weight: str | None = None,
    internal_km: float | str = 0.0,
    minimum_plants: int = 10,
    maximum_km: float | None = None,
    steps: int = 100,
    bandwidth: float | Bandwidth = "industry",
    bin_km: float | None = 1.0,
    draws: int = 1000,
    level: float = 0.05,
    seed: int = 1,
    threads: int = 2,
) -> KDensities:
    """Estimate K-densities with local and global confidence bands for every industry.

    Parameters
    ----------
    plants : pandas.DataFrame
        One row a plant of one cross-section; all manufacturing, because the sites of all plants are the counterfactual.
    industry, longitude, latitude : str
        Columns: code of the industry; degrees.
    place : str, optional
        Column of a place, such as the county: its plants all stand at the mean of their coordinates.
    weight : str, optional
        Column of employment: a pair counts the product of its two. Simulations give the industry's own plants, with
        their employment, random sites. Without it a pair counts one.
    internal_km : float or str
        Distance of two plants at the same site: a constant, or a column (see `distances.internal_distance_km`).
    minimum_plants : int
        Industries with fewer get no density; their sites stay in the pool.
    maximum_km : float, optional
        End of the range of distances; by default the median distance of all pairs of plants.
    steps : int
        The density is evaluated at so many equal steps from zero to the end.
    bandwidth : float, "industry" or "population"
        Kilometres, or Silverman's rule with the spread of the industry's own distances (as in the paper; kept in its
        simulations), or with the spread of the distances of all plants.
    bin_km : float or None
        Distances are rounded to multiples of this; None keeps them exact, for up to 1,500 sites.
    draws, level, seed : int, float, int
        Simulations; share of the simulated densities beyond a band; seed.
    threads : int
        Threads; the result does not depend on them.

    Returns
    -------
    KDensities

    Raises
    ------
    DataError
        If columns are missing or hold no numbers, a coordinate is off the globe, or no industry is large enough.
    EstimationError
        If all plants stand at one distance from each other.
    """
    if draws < 20 or not 0 < level < 1 or steps < 1 or minimum_plants < 2:
        raise DataError(
            f"draws={draws}, level={level}, steps={steps}, minimum_plants={minimum_plants}: "
            "give at least 20 draws, a level between 0 and 1, one step and two plants"
        )
    used = prepare_plants(
        plants,
        industry=industry,
        longitude=longitude,
        latitude=latitude,
        place=place,
        weight=weight,
        internal_km=internal_km,
    )
    members, small = used.industries(minimum_plants)
    if not members:
        raise DataError(f"none of {len(small)} industries has {minimum_plants} plants: lower minimum_plants")
    distances = site_distances(used.longitude, used.latitude, internal_km=used.internal_km, bin_km=bin_km)
    population = _population_histogram(distances, used, seed)
    end = histogram_median(population, distances.centres) if maximum_km is None else maximum_km
    if not end > 0:
        raise EstimationError(f"the range of distances ends at {end} km: give maximum_km above zero")
    grid = np.linspace(0.0, end, steps + 1)
    warnings: list[str] = []
    tasks, densities = [], []
    for code, rows in members.items():
        histogram = pair_histogram(distances, used.site[rows])
        width = _bandwidth(bandwidth, histogram, population, distances.centres, code, warnings)
        weights = None if used.weight is None else used.weight[rows]
        task = Industry(len(rows), weights, width)
        if weights is not None:
            histogram = pair_histogram(distances, used.site[rows], weights)
        tasks.append(task)
        densities.append(smooth(histogram, distances.centres, grid, width, task.mass))
    simulated = simulate_densities(distances, used.site, tasks, grid, draws=draws, seed=seed, threads=threads)
    with ThreadPoolExecutor(threads) as executor:
        results = list(executor.map(partial(_result, grid, level), members, tasks, densities, simulated))
    wide = [result for result in results if result.global_level > level * (1 + 1e-9)]
    if wide:
        warnings.append(
            f"{draws:,} draws are too few for global bands at {level:g} of {len(wide)} industries: up to "
            f"{max(result.global_level for result in wide):.3f} of the simulated densities hit the highest of them"
        )
    return KDensities(
        industries={result.industry: result for result in results},
        plants=len(used.site),
        sites=distances.sites,
        maximum_km=end,
        bin_km=bin_km,
        draws=draws,
        seed=seed,
        parameters={
            "place": place or "coordinates",
            "weight": weight or "plants",
            "internal_km": internal_km,
            "minimum_plants": minimum_plants,
            "bandwidth": bandwidth,
            "level": level,
            "steps": steps,
        },
        dropped=used.dropped,
        without_density=small,
        assumptions=_assumptions(used, distances, maximum_km, weight),
        warnings=tuple(warnings),
    )


def _population_histogram(distances: SiteDistances, used: Plants, seed: int) -> Floats:
    site = used.site
    if distances.table is None and len(site) > _POPULATION_SAMPLE:
        rng = np.random.Generator(np.random.PCG64(seed))
        site = site[rng.choice(len(site), _POPULATION_SAMPLE, replace=False)]
    return pair_histogram(distances, site)


def _bandwidth(
    given: float | Bandwidth, histogram: Floats, population: Floats, centres: Floats, code: str, warnings: list[str]
) -> float:
    if not isinstance(given, str):
        if not given > 0:
            raise DataError(f"bandwidth is {given}: give kilometres above zero, 'industry' or 'population'")
        return float(given)
    pairs = float(histogram.sum())
    width = silverman_bandwidth(histogram if given == "industry" else population, centres, pairs)
    if width == 0 and given == "industry":
        warnings.append(f"{code}: all plants are at the same distance; its bandwidth is that of all plants")
        width = silverman_bandwidth(population, centres, pairs)
    if width == 0:
        raise EstimationError(f"{code}: all plants are at the same distance from each other: give a bandwidth")
    return width


def _result(
    grid: Floats, level: float, code: str, task: Industry, density: Floats, simulated: Floats
) -> IndustryDensity:
    bands = confidence_bands(simulated, level)
    localised, dispersed = envelope_p_values(density, simulated)
    return IndustryDensity(
        industry=code,
        plants=task.plants,
        bandwidth_km=task.bandwidth_km,
        distances_km=grid,
        density=density,
        simulated_mean=simulated.mean(axis=0),
        local_low=bands.local_low,
        local_high=bands.local_high,
        global_low=bands.global_low,
        global_high=bands.global_high,
        p_localised=localised,
        p_dispersed=dispersed,
        global_level=bands.global_level,
    )


def _assumptions(
    used: Plants, distances: SiteDistances, maximum_km: float | None, weight: str | None
) -> tuple[str, ...]:
    texts = [
        "every site of a plant of any industry could hold a plant of every other",
        "simulations of different industries share their random orders, so that their errors go together",
        "upper and lower global bands are two one-sided tests",
    ]
    if weight is not None:
        texts.append("plants keep their employment when they are moved; the bandwidth ignores employment")
    if distances.table is None and maximum_km is None and len(used.site) > _POPULATION_SAMPLE:
        texts.append(f"the median distance of all plants is that of {_POPULATION_SAMPLE:,} of them, drawn at random")
    return tuple(texts)
