"""Strength of the cluster around an industry, by a grouping of industries (Delgado, Porter and Stern)."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from econometrics.clusters.cells import check_percent, cluster_cells, ratio
from econometrics.clusters.map import ClusterMap, cluster_table
from shuzhi import DataError

STRENGTH_COLUMNS = ("firms", "size", "group", "group_size", "group_quotient", "group_cutoff", "is_observed")


def strength_clusters(
    data: pd.DataFrame,
    groups: Mapping[str, str] | pd.Series,
    *,
    size: str = "employment",
    top_percent: float = 25.0,
    minimum_firms: int = 5,
    minimum_share: float = 0.0,
    place: str = "place",
    industry: str = "industry",
    year: str = "year",
) -> ClusterMap:
    """Strength of the cluster around an industry, the industry itself left out (Delgado, Porter and Stern 2014).

    ``strength_ir = (E_Cr without i / E_r) / (E_C without i / E)`` for industry i of group C in place r. A
    place has a strong cluster of C if its quotient of C is among the top per cent of the places that
    have C, with enough firms and a large enough share; every industry of C there is in the cluster.

    Parameters
    ----------
    data : pandas.DataFrame
        One row an establishment and year.
    groups : Mapping or pandas.Series
        Group by industry, given or from :func:`group_industries`; industries without one are listed as not used.
    size : str
        ``firms``, or a column such as ``employment``.
    top_percent : float
        Per cent of places with the group, by group and year; 25 in the paper.
    minimum_firms : int
        Fewest firms of the group in the place.
    minimum_share : float
        Smallest share of the place in the group's size, 0 to 1.
    place, industry, year : str
        Columns.

    Returns
    -------
    ClusterMap
        ``cluster_size`` is that of the group in the place; strength is missing, not zero, for the only
        industry of its group.

    Raises
    ------
    DataError
        If no industry has a group or the percentage is out of range.
    """
    check_percent(top_percent)
    cells = cluster_cells(data, size=size, place=place, industry=industry, year=year)
    known = dict(groups.items())
    table = cells.data.assign(group=cells.data["industry"].map(known))
    without = table["group"].isna()
    if without.all():
        raise DataError(
            f"no industry has a group; industries such as {table['industry'].iloc[0]} are not among its keys"
        )
    dropped = dict(cells.dropped)
    if without.any():
        names = ", ".join(sorted(table.loc[without, "industry"].unique())[:3])
        dropped[f"establishments in industries without a group, such as {names}"] = int(
            table.loc[without, "firms"].sum()
        )
    # The place's total keeps the industries without a group: they are part of its economy.
    table = table[~without].reset_index(drop=True)
    table = _group_sums(table)
    enough = table["group_firms"].ge(max(minimum_firms, 1)) & table["group_share"].ge(minimum_share)
    table["group_cutoff"] = _group_cutoffs(table, top_percent)
    table["is_cluster"] = table["group_quotient"].ge(table["group_cutoff"]) & enough
    table = table.assign(cluster_size=table["group_size"])
    parameters = {
        "size": size,
        "groups": len(set(known.values())),
        "top_percent": top_percent,
        "minimum_firms": minimum_firms,
        "minimum_share": minimum_share,
    }
    return ClusterMap(
        cluster_table(table, STRENGTH_COLUMNS),
        "cluster_strength",
        parameters,
        dropped,
        ("the grouping of industries holds in all places and years",),
    )


def _group_sums(table: pd.DataFrame) -> pd.DataFrame:
    out = table.copy()
    here = out.groupby(["place", "group", "year"])
    out["group_size"], out["group_firms"] = here["size"].transform("sum"), here["firms"].transform("sum")
    everywhere = out.groupby(["group", "year"])["size"].transform("sum")
    out["group_share"] = ratio(out["group_size"], everywhere)
    out["group_quotient"] = ratio(ratio(out["group_size"], out["place_size"]), ratio(everywhere, out["total_size"]))
    outside, outside_all = out["group_size"] - out["size"], everywhere - out["industry_size"]
    single = out.groupby("group")["industry"].transform("nunique").eq(1)
    # Differences of sums leave rounding errors where nothing is left.
    outside_all = outside_all.where(outside_all > 1e-9 * everywhere)
    out["cluster_strength"] = ratio(
        ratio(outside.clip(lower=0.0), out["place_size"]), ratio(outside_all, out["total_size"])
    ).mask(single)
    return out


def _group_cutoffs(table: pd.DataFrame, top_percent: float) -> pd.Series:
    """Quotient of the last place within the top per cent, each place counted once."""
    once = table.drop_duplicates(["place", "group", "year"])
    cutoff = once.groupby(["group", "year"])["group_quotient"].quantile(1 - top_percent / 100, interpolation="higher")
    keys = pd.MultiIndex.from_frame(table[["group", "year"]])
    return pd.Series(cutoff.reindex(keys).to_numpy(), index=table.index)
