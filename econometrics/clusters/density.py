"""The density-based index: the top per cent of places by the density of an industry."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd

from econometrics.clusters.cells import Grid, check_percent, cluster_cells, ratio
from econometrics.clusters.map import ClusterMap, cluster_table
from shuzhi import DataError

Among = Literal["all_places", "places_with_industry"]
DensityStrength = Literal["density_ratio", "density"]
DENSITY_COLUMNS = ("firms", "size", "area_km2", "density", "density_cutoff", "density_ratio", "is_observed")


def density_clusters(
    data: pd.DataFrame,
    area: pd.Series | pd.DataFrame,
    *,
    size: str = "firms",
    top_percent: float = 5.0,
    among: Among = "all_places",
    minimum_firms: int = 1,
    strength: DensityStrength = "density_ratio",
    grid: Grid = "observed",
    place: str = "place",
    industry: str = "industry",
    year: str = "year",
) -> ClusterMap:
    """Find clusters as the places with the highest density of an industry (Guo, Jiang, Xu and Yang 2020).

    ``DBI_ckt = 1`` if place c is among the top p per cent of places by the size of industry k per square
    kilometre in year t. The number of clusters is the whole part of p per cent of the places; places
    that tie with the last one are clusters too. A place without the industry never is.

    Parameters
    ----------
    data : pandas.DataFrame
        One row an establishment and year.
    area : pandas.Series or pandas.DataFrame
        Square kilometres by place: a series indexed by place, or columns ``place`` and ``area_km2``.
        Its places are all places of the country; those without an establishment count as places too.
    size : str
        ``firms``, or a column such as ``employment`` or ``output``.
    top_percent : float
        Between 0 and 100; 5 in the paper, 1 and 10 as robustness.
    among : {"all_places", "places_with_industry"}
        Per cent of all places with an area, or of those that have the industry in the year.
    minimum_firms : int
        Fewest firms of a cluster.
    strength : {"density_ratio", "density"}
        Density over the cut-off of its industry and year, comparable across industries, or the density itself.
    grid : {"observed", "balanced"}
        Whether absent place-industries are rows (never clusters, density 0).
    place, industry, year : str
        Columns.

    Returns
    -------
    ClusterMap

    Raises
    ------
    DataError
        If areas are missing for all places, repeated or not positive, or the percentage is out of range.
    """
    check_percent(top_percent)
    areas = _areas(area)
    cells = cluster_cells(data, size=size, place=place, industry=industry, year=year, grid=grid)
    table = cells.data.assign(area_km2=cells.data["place"].map(areas))
    table["density"] = ratio(table["size"], table["area_km2"])
    dropped = dict(cells.dropped)
    without = table["area_km2"].isna() & table["is_observed"]
    if without.all():
        example = ", ".join(table["place"].unique()[:3])
        raise DataError(f"no place has an area; codes of the data such as {example} are not among those of the areas")
    if without.any():
        lost = sorted(table.loc[without, "place"].unique())
        dropped[f"establishments in places without an area, such as {', '.join(lost[:3])}"] = int(
            table.loc[without, "firms"].sum()
        )
    table["density_cutoff"] = _cutoffs(table, top_percent, len(areas) if among == "all_places" else None)
    table["density_ratio"] = ratio(table["density"], table["density_cutoff"])
    enough = table["firms"].ge(max(minimum_firms, 1)) & table["density"].gt(0)
    table["is_cluster"] = table["density"].ge(table["density_cutoff"]) & enough
    table = table.assign(cluster_size=table["size"], cluster_strength=table[strength])
    parameters = {
        "size": size,
        "top_percent": top_percent,
        "among": among,
        "places": len(areas),
        "minimum_firms": minimum_firms,
        "strength": strength,
        "grid": grid,
    }
    return ClusterMap(
        cluster_table(table, DENSITY_COLUMNS),
        "density_based_index",
        parameters,
        dropped,
        ("areas are those of the places in the year of the data",),
        _density_warnings(table, top_percent, among),
    )


def _areas(area: pd.Series | pd.DataFrame) -> pd.Series:
    if isinstance(area, pd.DataFrame):
        missing = [name for name in ("place", "area_km2") if name not in area.columns]
        if missing:
            raise DataError(f"areas need the columns place and area_km2; missing: {', '.join(missing)}")
        area = area.set_index("place")["area_km2"]
    known = pd.to_numeric(area, errors="coerce").dropna()
    known.index = known.index.astype("str")
    problems = []
    if known.index.has_duplicates:
        problems.append(f"{int(known.index.duplicated().sum())} places stand twice")
    if (known <= 0).any():
        problems.append(f"{int((known <= 0).sum())} areas are not positive, such as {known.index[known <= 0][0]}")
    if problems:
        raise DataError("areas cannot be used: " + "; ".join(problems))
    return known


def _cutoffs(table: pd.DataFrame, top_percent: float, places: int | None) -> pd.Series:
    """Density of the last place within the top per cent, by industry and year; missing if the share holds no place."""

    def cutoff(densities: pd.Series) -> float:
        positive = np.sort(densities[densities > 0].to_numpy())[::-1]
        number = int(np.floor(top_percent / 100 * (places if places is not None else len(positive)) + 1e-9))
        if number == 0 or len(positive) == 0:
            return float("nan")
        return float(positive[min(number, len(positive)) - 1])

    return table.groupby(["industry", "year"])["density"].transform(cutoff)


def _density_warnings(table: pd.DataFrame, top_percent: float, among: Among) -> tuple[str, ...]:
    found = table[table["is_observed"] & table["density"].notna()]
    groups = found.groupby(["industry", "year"])
    none = int(groups["density_cutoff"].first().isna().sum())
    everywhere = int(groups["is_cluster"].all().sum())
    warnings = []
    if none:
        warnings.append(f"{none:,} industry-years have too few places for a top {top_percent:g} per cent: no cluster")
    if everywhere and among == "all_places":
        warnings.append(
            f"in {everywhere:,} industry-years every place with the industry is a cluster: it stands in fewer than "
            f"{top_percent:g} per cent of all places"
        )
    return tuple(warnings)


def place_clustering(clusters: ClusterMap) -> pd.DataFrame:
    """How clustered each place is: its clusters, and their share in its size.

    Parameters
    ----------
    clusters : ClusterMap
        A map with a column ``size``.

    Returns
    -------
    pandas.DataFrame
        One row a place and year: ``clustered_industries`` (number), ``industries``, ``clustered_share``
        (size of the clustered industries over the size of the place; missing where that is 0).
    """
    if "size" not in clusters.data.columns:
        raise DataError(f"the map by {clusters.method} has no column size")
    data = clusters.data.assign(
        clustered=clusters.data["size"].where(clusters.data["is_cluster"], 0.0), present=clusters.data["size"].gt(0)
    )
    groups = data.groupby(["place", "year"], as_index=False)
    out = groups.agg(
        clustered_industries=("is_cluster", "sum"),
        industries=("present", "sum"),
        clustered=("clustered", "sum"),
        size=("size", "sum"),
    )
    out["clustered_share"] = ratio(out["clustered"], out["size"])
    return out.drop(columns=["clustered", "size"])
