"""Relatedness of industries by location, and clusters by the related industries around an industry."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from econometrics.clusters.cells import check_percent, cluster_cells, ratio
from econometrics.clusters.map import KEYS, ClusterMap, cluster_table
from shuzhi import DataError

RELATED_COLUMNS = ("firms", "size", "related_size", "strength_cutoff", "is_observed")
PROXIMITY_COLUMNS = ("firms", "size", "proximity_density", "proximity_cutoff", "is_observed")


def locational_correlation(
    data: pd.DataFrame,
    *,
    size: str = "employment",
    place: str = "place",
    industry: str = "industry",
    year: str = "year",
) -> pd.DataFrame:
    """Relatedness of industries by co-location: the correlation of their sizes over places.

    The measure LC of Delgado, Porter and Stern (2016); places and years are the observations, a place
    without an industry counts as zero.

    Parameters
    ----------
    data : pandas.DataFrame
        One row an establishment and year.
    size : str
        ``firms``, or a column such as ``employment``.
    place, industry, year : str
        Columns.

    Returns
    -------
    pandas.DataFrame
        Industries by industries, between -1 and 1; missing where a size does not vary over places.
    """
    cells = cluster_cells(data, size=size, place=place, industry=industry, year=year).data
    wide = cells.pivot_table(index=["place", "year"], columns="industry", values="size", fill_value=0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        matrix = np.atleast_2d(np.corrcoef(wide.to_numpy().T))
    return pd.DataFrame(matrix, index=wide.columns, columns=wide.columns)


def group_industries(relatedness: pd.DataFrame, groups: int) -> pd.Series:
    """Partition industries into groups by hierarchical clustering with average linkage of 1 - relatedness.

    Parameters
    ----------
    relatedness : pandas.DataFrame
        Industries by industries, symmetric, at most 1; missing pairs count as unrelated (0).
    groups : int
        Number of groups, at most the number of industries.

    Returns
    -------
    pandas.Series
        Group (``group_01`` ...) by industry; numbered in the order of their first industry.

    Raises
    ------
    DataError
        If the number of groups does not fit or rows and columns differ.
    """
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    if list(relatedness.index) != list(relatedness.columns):
        raise DataError("rows and columns of a relatedness matrix must be the same industries in the same order")
    n = len(relatedness)
    if not 1 <= groups <= n:
        raise DataError(f"{groups} groups of {n} industries are not possible")
    if n == 1:
        return pd.Series(["group_01"], index=relatedness.index, dtype="str")
    values = np.nan_to_num(relatedness.to_numpy(dtype=float))
    distance = np.clip(1 - (values + values.T) / 2, 0, None)
    np.fill_diagonal(distance, 0.0)
    labels = fcluster(linkage(squareform(distance, checks=False), method="average"), groups, criterion="maxclust")
    order = {label: number for number, label in enumerate(dict.fromkeys(labels), start=1)}
    return pd.Series([f"group_{order[label]:02d}" for label in labels], index=relatedness.index, dtype="str")


def related_clusters(
    data: pd.DataFrame,
    relatedness: pd.DataFrame,
    *,
    size: str = "employment",
    top_percent: float = 25.0,
    minimum_firms: int = 5,
    place: str = "place",
    industry: str = "industry",
    year: str = "year",
) -> ClusterMap:
    """Strength around an industry with a weight for every other industry instead of a grouping.

    ``strength_ir = (sum_j w_ij E_jr / E_r) / (sum_j w_ij E_j / E)`` over j other than i, with the
    relatedness w cut at zero from below. Clusters are the top per cent of the places with the industry.

    Parameters
    ----------
    data : pandas.DataFrame
        One row an establishment and year.
    relatedness : pandas.DataFrame
        Industries by industries, such as :func:`locational_correlation` or an input-output matrix.
    size : str
        ``firms``, or a column such as ``employment``.
    top_percent : float
        Per cent of places with the industry, by industry and year.
    minimum_firms : int
        Fewest firms of the industry in the place.
    place, industry, year : str
        Columns.

    Returns
    -------
    ClusterMap
        ``related_size`` is the weighted size of the other industries; strength is missing where no
        other industry is related.
    """
    check_percent(top_percent)
    cells = cluster_cells(data, size=size, place=place, industry=industry, year=year)
    table = cells.data.copy()
    table["related_size"], weighted_all, weight = _weighted_sums(table, relatedness, "size")
    table["cluster_strength"] = ratio(
        ratio(table["related_size"], table["place_size"]), ratio(weighted_all, table["total_size"])
    ).where(weight > 0)
    cutoff = table.groupby(["industry", "year"])["cluster_strength"].transform(
        lambda strength: strength.quantile(1 - top_percent / 100, interpolation="higher")
    )
    high = table["cluster_strength"].ge(cutoff) & table["cluster_strength"].gt(0)
    table["is_cluster"] = high & table["firms"].ge(max(minimum_firms, 1))
    table = table.assign(strength_cutoff=cutoff, cluster_size=table["size"])
    return ClusterMap(
        cluster_table(table, RELATED_COLUMNS),
        "related_strength",
        {"size": size, "top_percent": top_percent, "minimum_firms": minimum_firms},
        cells.dropped,
        ("the relatedness of industries holds in all places and years",),
    )


def _weighted_sums(
    table: pd.DataFrame, relatedness: pd.DataFrame, column: str
) -> tuple[pd.Series, pd.Series, pd.Series]:
    """Of each cell: the weighted sum over the other industries of the place, over all places, and of the weights."""
    wide = table.pivot_table(index=["place", "year"], columns="industry", values=column, fill_value=0.0)
    weights = relatedness.reindex(index=wide.columns, columns=wide.columns).to_numpy(dtype=float).copy()
    np.fill_diagonal(weights, 0.0)
    weights = np.clip(np.nan_to_num(weights), 0.0, None)
    sums = pd.DataFrame(wide.to_numpy() @ weights.T, index=wide.index, columns=wide.columns)
    cell = pd.MultiIndex.from_frame(table[[KEYS[0], KEYS[2], KEYS[1]]])
    own = sums.stack(future_stack=True).reindex(cell).to_numpy()
    yearly = sums.groupby("year").sum().stack(future_stack=True)
    total = yearly.reindex(pd.MultiIndex.from_frame(table[["year", "industry"]])).to_numpy()
    weight = pd.Series(weights.sum(axis=1), index=wide.columns).reindex(table["industry"]).to_numpy()
    return tuple(pd.Series(values, index=table.index) for values in (own, total, weight))  # type: ignore[return-value]


def industry_proximity(
    data: pd.DataFrame,
    *,
    size: str = "output",
    place: str = "place",
    industry: str = "industry",
    year: str = "year",
) -> pd.DataFrame:
    """Proximity of industries: how often a place that is specialised in one is so in the other.

    ``phi_ij = min(P(x_i | x_j), P(x_j | x_i))``, where x is a location quotient of at least 1
    (Hidalgo, Klinger, Barabási and Hausmann 2007), over places and years.

    Parameters
    ----------
    data : pandas.DataFrame
        One row an establishment and year.
    size : str
        Size measure of the quotient.
    place, industry, year : str
        Columns.

    Returns
    -------
    pandas.DataFrame
        Industries by industries, symmetric, 1 on the diagonal; missing where an industry is nowhere specialised.
    """
    cells = cluster_cells(data, size=size, place=place, industry=industry, year=year).data
    quotient = ratio(ratio(cells["size"], cells["place_size"]), ratio(cells["industry_size"], cells["total_size"]))
    special = cells.assign(special=quotient.ge(1).astype(float))
    wide = special.pivot_table(index=["place", "year"], columns="industry", values="special", fill_value=0.0)
    both: npt.NDArray[np.float64] = wide.to_numpy().T @ wide.to_numpy()
    alone = np.diag(both)
    with np.errstate(invalid="ignore", divide="ignore"):
        phi = both / np.maximum(alone[:, None], alone[None, :])
    phi[(alone[:, None] == 0) | (alone[None, :] == 0)] = np.nan
    return pd.DataFrame(phi, index=wide.columns, columns=wide.columns)


def proximity_clusters(
    data: pd.DataFrame,
    *,
    size: str = "output",
    proximity: pd.DataFrame | None = None,
    top_percent: float = 25.0,
    minimum_firms: int = 5,
    place: str = "place",
    industry: str = "industry",
    year: str = "year",
) -> ClusterMap:
    """Find clusters as places where industries near to an industry are large (Long and Zhang 2011, 2012).

    ``w_ic = sum_j s_jc phi_ij / sum_j phi_ij``, with s_jc the share of industry j in the place's size and
    j not i. Clusters are the top per cent of the places with the industry by w in a year.

    Parameters
    ----------
    data : pandas.DataFrame
        One row an establishment and year.
    size : str
        Size measure of the shares (output, assets or firms in the papers).
    proximity : pandas.DataFrame, optional
        Industries by industries; by default :func:`industry_proximity` of the same data.
    top_percent : float
        Share of places, by industry and year.
    minimum_firms : int
        Fewest firms of a cluster.
    place, industry, year : str
        Columns.

    Returns
    -------
    ClusterMap
        Strength is w, missing where no other industry has a known proximity.
    """
    check_percent(top_percent)
    cells = cluster_cells(data, size=size, place=place, industry=industry, year=year)
    if proximity is None:
        proximity = industry_proximity(data, size=size, year=year, place=place, industry=industry)
    table = cells.data.copy()
    table["share"] = ratio(table["size"], table["place_size"])
    weighted, _, weight = _weighted_sums(table, proximity, "share")
    table["proximity_density"] = ratio(weighted, weight)
    cutoff = table.groupby(["industry", "year"])["proximity_density"].transform(
        lambda density: density.quantile(1 - top_percent / 100, interpolation="higher")
    )
    table["proximity_cutoff"] = cutoff
    enough = table["firms"].ge(max(minimum_firms, 1))
    table["is_cluster"] = table["proximity_density"].ge(cutoff) & table["proximity_density"].gt(0) & enough
    table = table.assign(cluster_size=table["size"], cluster_strength=table["proximity_density"])
    return ClusterMap(
        cluster_table(table, PROXIMITY_COLUMNS),
        "proximity",
        {"size": size, "top_percent": top_percent, "minimum_firms": minimum_firms},
        cells.dropped,
        ("industries are near if the same places are specialised in both",),
    )
