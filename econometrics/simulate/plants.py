"""Plants with planted clusters on the real points of China's counties: see what a method finds and what it invents."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from econometrics.places.distances import EARTH_RADIUS_KM, great_circle_km
from econometrics.reference import load_reference
from shuzhi import DataError


@dataclass(frozen=True)
class SimulatedPlants:
    """Plants whose clusters are known.

    Parameters
    ----------
    data : pandas.DataFrame
        One row a plant: ``establishment_id``, ``place`` (county code), ``industry``, ``year``,
        ``employment``, ``output`` (thousand yuan), ``longitude``, ``latitude`` (degrees),
        ``planted_cluster`` (0: none).
    clusters : pandas.DataFrame
        One row a planted cluster: ``planted_cluster``, ``industry``, ``centre`` (county code),
        ``longitude``, ``latitude``, ``radius_km``, ``plants``.
    truth : pandas.DataFrame
        One row a place and industry of a planted cluster: ``place``, ``industry``,
        ``planted_cluster``, ``planted_plants``.
    places : pandas.DataFrame
        All counties of the simulation: ``place``, ``name``, ``longitude``, ``latitude``, ``weight``
        (chance that a plant without a cluster stands there), ``area_km2`` (drawn, not the real area).
    seed : int
        The seed that gives these plants again.
    """

    data: pd.DataFrame
    clusters: pd.DataFrame
    truth: pd.DataFrame
    places: pd.DataFrame
    seed: int


def county_points(year: int = 2004) -> pd.DataFrame:
    """Counties of one year with a point that was found for the county itself, not for its prefecture.

    Parameters
    ----------
    year : int
        A year of the county lists, 1998 to 2014.

    Returns
    -------
    pandas.DataFrame
        ``place``, ``name``, ``longitude``, ``latitude`` (degrees), sorted by place.

    Raises
    ------
    DataError
        If no county list covers the year.
    """
    counties = load_reference("china_county_codes_1998_2014").data
    first, last = counties["first_year"].astype(int), counties["last_year"].astype(int)
    if not first.min() <= year <= last.max():
        raise DataError(f"county lists cover {first.min()} to {last.max()}, not {year}")
    kept = (first <= year) & (last >= year) & counties["match"].ne("prefecture_fallback")
    points = counties.loc[kept, ["code", "name", "longitude", "latitude"]].rename(columns={"code": "place"})
    for column in ("longitude", "latitude"):
        points[column] = pd.to_numeric(points[column], errors="coerce")
    points = points.dropna().drop_duplicates("place").drop_duplicates(["longitude", "latitude"])
    return points.sort_values("place", ignore_index=True)


def simulate_plants(
    seed: int,
    *,
    n_industries: int = 20,
    n_plants: int = 5000,
    n_counties: int | None = 300,
    planted_clusters: int = 10,
    clusters_per_industry: int = 1,
    cluster_share: float = 0.4,
    cluster_radius_km: float = 40.0,
    size_dispersion: float = 1.0,
    county_dispersion: float = 0.8,
    year: int = 2004,
) -> SimulatedPlants:
    """Draw plants over real counties; the first industries have clusters, the others none.

    Every plant without a cluster draws its county from the same chances, whatever its industry, so
    an industry without a planted cluster is as concentrated as all manufacturing. A plant of a
    cluster stands in a county whose seat lies within the radius of the cluster's centre.
    Employment is log-normal.

    Parameters
    ----------
    seed : int
        Seed of the generator.
    n_industries, n_plants : int
        Number of industries and of plants; industries draw their sizes, each has at least ten plants.
    n_counties : int or None
        The counties nearest to a county drawn in the east half of the country; None for all.
    planted_clusters : int
        Clusters in all; they fill the first industries, ``clusters_per_industry`` in each.
    cluster_share : float
        Share of a clustered industry's plants that stand in its clusters, divided evenly among them.
    cluster_radius_km : float
        Radius of a cluster.
    size_dispersion, county_dispersion : float
        Standard deviations of log employment and of log county weight.
    year : int
        Year of the plants and of the county list.

    Returns
    -------
    SimulatedPlants

    Raises
    ------
    DataError
        If the numbers do not fit together.
    """
    _check_numbers(n_industries, n_plants, planted_clusters, clusters_per_industry, cluster_share)
    rng = np.random.Generator(np.random.PCG64(seed))
    places = _draw_places(rng, n_counties, county_dispersion, year)
    sizes = _industry_sizes(rng, n_industries, n_plants)
    industry = np.repeat(np.arange(n_industries), sizes)
    place = rng.choice(len(places), size=n_plants, p=places["weight"].to_numpy())
    planted = np.zeros(n_plants, dtype=np.int64)
    rows = []
    for number in range(planted_clusters):
        which = number // clusters_per_industry
        own = np.flatnonzero(industry == which)
        here = min(clusters_per_industry, planted_clusters - which * clusters_per_industry)
        members = own[planted[own] == 0][: round(cluster_share * len(own) / here)]
        centre = int(rng.choice(len(places), p=places["weight"].to_numpy()))
        distance = _distance_from(places, centre)
        near = np.flatnonzero(distance <= cluster_radius_km)
        chance = places["weight"].to_numpy()[near]
        place[members] = rng.choice(near, size=len(members), p=chance / chance.sum())
        planted[members] = number + 1
        rows.append((number + 1, which, centre, len(members)))
    data = _plant_table(rng, places, place, industry, planted, size_dispersion, year)
    return SimulatedPlants(data, _cluster_table(rows, places, cluster_radius_km), _truth(data), places, seed)


def _check_numbers(industries: int, plants: int, clusters: int, per_industry: int, share: float) -> None:
    problems = []
    if plants < 10 * industries:
        problems.append(f"{plants} plants are fewer than ten for each of {industries} industries")
    if clusters > industries * per_industry:
        problems.append(f"{clusters} clusters do not fit into {industries} industries with {per_industry} each")
    if not 0 < share <= 1:
        problems.append(f"cluster_share is {share}; it must lie in (0, 1]")
    if problems:
        raise DataError("plants cannot be simulated: " + "; ".join(problems))


def _draw_places(rng: np.random.Generator, n_counties: int | None, dispersion: float, year: int) -> pd.DataFrame:
    points = county_points(year)
    if n_counties is not None:
        if n_counties > len(points):
            raise DataError(f"{n_counties} counties are asked for; the list of {year} has {len(points)} with a point")
        # West of 105 degrees counties lie hundreds of kilometres apart, so a circle would hold a single one.
        distance = _distance_from(points, int(rng.choice(np.flatnonzero(points["longitude"] > 105.0))))
        points = points.iloc[np.sort(np.argsort(distance, kind="stable")[:n_counties])].reset_index(drop=True)
    weight = np.exp(rng.normal(0.0, dispersion, len(points)))
    area = np.exp(rng.normal(np.log(1500.0), 0.6, len(points)))
    return points.assign(weight=weight / weight.sum(), area_km2=area)


def _distance_from(points: pd.DataFrame, row: int) -> npt.NDArray[np.float64]:
    longitude, latitude = points["longitude"].to_numpy(), points["latitude"].to_numpy()
    return great_circle_km(longitude, latitude, longitude[row], latitude[row])


def _industry_sizes(rng: np.random.Generator, industries: int, plants: int) -> npt.NDArray[np.int64]:
    weight = np.exp(rng.normal(0.0, 0.5, industries))
    extra: npt.NDArray[np.int64] = rng.multinomial(plants - 10 * industries, weight / weight.sum()).astype(np.int64)
    return extra + 10


def _plant_table(
    rng: np.random.Generator,
    places: pd.DataFrame,
    place: npt.NDArray[np.int64],
    industry: npt.NDArray[np.int64],
    planted: npt.NDArray[np.int64],
    dispersion: float,
    year: int,
) -> pd.DataFrame:
    n = len(place)
    # Spread over the county: a uniform disc of 8 km around its seat.
    radius, angle = 8.0 * np.sqrt(rng.random(n)), 2 * np.pi * rng.random(n)
    latitude = places["latitude"].to_numpy()[place]
    degree_km = np.pi * EARTH_RADIUS_KM / 180.0
    employment = np.ceil(np.exp(rng.normal(4.5, dispersion, n))).astype(np.int64)
    return pd.DataFrame(
        {
            "establishment_id": [f"{number:09d}" for number in range(1, n + 1)],
            "place": places["place"].to_numpy()[place],
            "industry": [f"{1311 + number:04d}" for number in industry],
            "year": year,
            "employment": employment,
            "output": np.round(employment * 300.0 * np.exp(rng.normal(0.0, 0.5, n)), 1),
            "longitude": places["longitude"].to_numpy()[place]
            + radius * np.cos(angle) / (degree_km * np.cos(np.radians(latitude))),
            "latitude": latitude + radius * np.sin(angle) / degree_km,
            "planted_cluster": planted,
        }
    ).astype({"place": "str", "industry": "str", "establishment_id": "str"})


def _cluster_table(rows: list[tuple[int, int, int, int]], places: pd.DataFrame, radius_km: float) -> pd.DataFrame:
    centres = [row[2] for row in rows]
    return pd.DataFrame(
        {
            "planted_cluster": [row[0] for row in rows],
            "industry": [f"{1311 + row[1]:04d}" for row in rows],
            "centre": places["place"].to_numpy()[centres],
            "longitude": places["longitude"].to_numpy()[centres],
            "latitude": places["latitude"].to_numpy()[centres],
            "radius_km": radius_km,
            "plants": [row[3] for row in rows],
        }
    )


def _truth(data: pd.DataFrame) -> pd.DataFrame:
    planted = data[data["planted_cluster"] > 0]
    counts = planted.groupby(["place", "industry", "planted_cluster"], as_index=False).size()
    return counts.rename(columns={"size": "planted_plants"}).sort_values(["place", "industry"], ignore_index=True)
