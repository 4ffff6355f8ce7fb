"""Clusters by location quotient: thresholds on the quotient, firms and share, or its standardised form."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from econometrics.clusters.cells import Cells, Grid, cluster_cells, ratio
from econometrics.clusters.map import ClusterMap, cluster_table
from econometrics.estimation.multiple_testing import benjamini_hochberg
from shuzhi import DataError

QuotientRule = Literal["threshold", "standardised"]
QuotientStrength = Literal["location_quotient", "symmetric_quotient", "standardised_quotient", "horizontal_clustering"]
Adjustment = Literal["none", "benjamini_hochberg"]
COLUMNS = (
    "firms",
    "size",
    "share",
    "location_quotient",
    "symmetric_quotient",
    "standardised_quotient",
    "critical_value",
    "horizontal_clustering",
    "p_value",
    "is_observed",
)


def location_quotient_clusters(
    data: pd.DataFrame,
    *,
    size: str = "employment",
    rule: QuotientRule = "threshold",
    quotient: float = 1.25,
    minimum_firms: int = 5,
    minimum_share: float = 0.0,
    level: float = 0.05,
    log: bool = True,
    significance: float | None = None,
    adjustment: Adjustment = "none",
    strength: QuotientStrength = "location_quotient",
    grid: Grid = "observed",
    place: str = "place",
    industry: str = "industry",
    year: str = "year",
) -> ClusterMap:
    """Find clusters as places that are specialised in an industry.

    ``LQ_ck = (E_ck / E_c) / (E_k / E)``. A place is a cluster of an industry if the quotient (or, by
    the rule ``standardised``, its z-score among the places of the industry) is high enough, it has
    enough firms and a large enough share of the industry. The symmetric quotient is (LQ - 1) / (LQ + 1);
    horizontal clustering is E_ck less the size at which LQ is 1 (Fingleton, Igliori and Moore 2004).
    The standardised quotient is that of O'Donoghue and Gleave (2004); its critical value is the
    expected percentile of bootstrap samples (Tian 2013), computed exactly instead of drawn.

    Parameters
    ----------
    data : pandas.DataFrame
        One row an establishment and year.
    size : str
        ``firms``, or a column such as ``employment`` or ``output``.
    rule : {"threshold", "standardised"}
        What decides, the quotient or its z-score.
    quotient : float
        Smallest quotient of a cluster, by the rule ``threshold``.
    minimum_firms : int
        Fewest firms of a cluster.
    minimum_share : float
        Smallest share of the place in the industry's size, 0 to 1.
    level : float
        Upper tail of the z-scores, by the rule ``standardised``.
    log : bool
        Standardise the logarithm of the quotient (its distribution is skewed) or the quotient itself.
    significance : float, optional
        Also ask that the number of firms be unlikely if firms chose places in proportion to all firms
        (one-sided binomial test, Guimarães, Figueiredo and Woodward 2009): p-value at most this.
    adjustment : {"none", "benjamini_hochberg"}
        Adjust the p-values for the number of places, within industry and year.
    strength : str
        Column that becomes ``cluster_strength``.
    grid : {"observed", "balanced"}
        Whether absent place-industries are rows (never clusters).
    place, industry, year : str
        Columns.

    Returns
    -------
    ClusterMap
        ``cluster_size`` is the sum of the size measure. A quotient is missing, not zero, where the
        place or the industry has no size in the year.

    Raises
    ------
    DataError
        If columns are missing or a threshold lies outside its range.
    """
    _check_thresholds(quotient, minimum_firms, minimum_share, level, significance)
    cells = cluster_cells(data, size=size, place=place, industry=industry, year=year, grid=grid)
    table = quotients(cells, level=level, log=log, adjustment=adjustment)
    enough = table["firms"].ge(max(minimum_firms, 1)) & table["share"].ge(minimum_share)
    if rule == "standardised":
        high = table["standardised_quotient"].gt(table["critical_value"])
    else:
        high = table["location_quotient"].ge(quotient)
    is_cluster = high & enough & table["is_observed"]
    if significance is not None:
        is_cluster &= table["p_value"].le(significance)
    table = table.assign(is_cluster=is_cluster, cluster_size=table["size"], cluster_strength=table[strength])
    decides = {"quotient": quotient} if rule == "threshold" else {"level": level, "log": log}
    parameters = {
        "size": size,
        "rule": rule,
        **decides,
        "minimum_firms": minimum_firms,
        "minimum_share": minimum_share,
        "significance": significance,
        "adjustment": adjustment,
        "strength": strength,
        "grid": grid,
    }
    return ClusterMap(
        cluster_table(table, COLUMNS),
        "location_quotient",
        parameters,
        cells.dropped,
        ("shares compare a place with all establishments of the data, not with those that the survey leaves out",),
        _warnings(table, minimum_firms, rule),
    )


def _check_thresholds(quotient: float, firms: int, share: float, level: float, significance: float | None) -> None:
    problems = []
    if not quotient > 0:
        problems.append(f"quotient is {quotient}; it must be positive")
    if firms < 0:
        problems.append(f"minimum_firms is {firms}; it cannot be negative")
    if not 0 <= share <= 1:
        problems.append(f"minimum_share is {share}; it is a share between 0 and 1")
    if not 0 < level < 1:
        problems.append(f"level is {level}; it must lie between 0 and 1")
    if significance is not None and not 0 < significance < 1:
        problems.append(f"significance is {significance}; it must lie between 0 and 1")
    if problems:
        raise DataError("thresholds of the location quotient: " + "; ".join(problems))


def _warnings(table: pd.DataFrame, minimum_firms: int, rule: QuotientRule) -> tuple[str, ...]:
    warnings = []
    single = int((table["is_cluster"] & table["firms"].eq(1)).sum())
    if minimum_firms <= 1 and single:
        warnings.append(f"{single:,} clusters are a single establishment; minimum_firms excludes them")
    short = int(table.groupby(["industry", "year"])["critical_value"].first().isna().sum())
    if rule == "standardised" and short:
        warnings.append(f"{short:,} industry-years have too few places for a critical value: no cluster")
    return tuple(warnings)


def quotients(cells: Cells, *, level: float = 0.05, log: bool = True, adjustment: Adjustment = "none") -> pd.DataFrame:
    """Location quotient of every cell in all its forms.

    Parameters
    ----------
    cells : Cells
        Sums by place, industry and year.
    level : float
        Upper tail for the critical value of the standardised quotient.
    log : bool
        Whether the logarithm is standardised.
    adjustment : {"none", "benjamini_hochberg"}
        Adjustment of the p-values within industry and year, over all places of the year.

    Returns
    -------
    pandas.DataFrame
        The cells with ``share``, ``location_quotient``, ``symmetric_quotient``,
        ``standardised_quotient``, ``critical_value``, ``horizontal_clustering``, ``p_value``.
    """
    table = cells.data.copy()
    table["share"] = ratio(table["size"], table["industry_size"])
    table["location_quotient"] = ratio(
        ratio(table["size"], table["place_size"]), ratio(table["industry_size"], table["total_size"])
    )
    table["symmetric_quotient"] = (table["location_quotient"] - 1) / (table["location_quotient"] + 1)
    expected = ratio(table["place_size"] * table["industry_size"], table["total_size"])
    defined = table["place_size"].gt(0) & table["industry_size"].gt(0)
    table["horizontal_clustering"] = (table["size"] - expected).where(defined)
    value = table["location_quotient"].where(table["size"] > 0)
    table = pd.concat([table, _standardise(np.log(value) if log else value, table, level)], axis=1)
    table["p_value"] = _p_values(table, adjustment)
    return table


def _standardise(value: pd.Series, table: pd.DataFrame, level: float) -> pd.DataFrame:
    groups = value.groupby([table["industry"], table["year"]])
    score = (value - groups.transform("mean")) / groups.transform("std").replace(0.0, np.nan)
    critical = score.groupby([table["industry"], table["year"]]).transform(
        lambda scores: expected_percentile(scores.dropna().to_numpy(), 1 - level)
    )
    return pd.DataFrame({"standardised_quotient": score, "critical_value": critical})


def expected_percentile(values: npt.NDArray[np.float64], probability: float) -> float:
    """Mean over all bootstrap samples of their percentile, without drawing any.

    The k-th smallest of n values drawn with replacement is the j-th smallest of the data with a
    probability that a beta distribution with parameters k and n - k + 1 gives (Maritz and Jarrett 1978).

    Parameters
    ----------
    values : (n,) array
        The data, without missing values.
    probability : float
        Between 0 and 1; the percentile is the order statistic k = ceil(probability * (n + 1)), which
        a further value of the same distribution exceeds with at most 1 - probability.

    Returns
    -------
    float
        Missing if so few values have no such percentile (fewer than 19 for 0.95).
    """
    from scipy.special import betainc

    n = len(values)
    rank = max(int(np.ceil(probability * (n + 1) - 1e-9)), 1)
    if rank > n:
        return float("nan")
    edges = betainc(rank, n - rank + 1, np.arange(n + 1) / n)
    return float(np.sort(values) @ np.diff(edges))


def _p_values(table: pd.DataFrame, adjustment: Adjustment) -> pd.Series:
    """Chance of at least so many firms of the industry if they chose places as all firms do."""
    from scipy.stats import binom

    chance = table["place_firms"] / table["total_firms"].where(table["total_firms"] > 0)
    p = pd.Series(binom.sf(table["firms"] - 1, table["industry_firms"], chance), index=table.index)
    if adjustment == "none":
        return p
    places = {int(str(of_year)): n for of_year, n in table.groupby("year")["place"].nunique().items()}
    adjusted = p.copy()
    for (_, of_year), rows in table.groupby(["industry", "year"], sort=False):
        # Places without the industry are tests too, with p-value 1.
        known = p[rows.index]
        padded = np.append(known.to_numpy(), np.ones(int(places[int(str(of_year))]) - len(known)))
        adjusted[rows.index] = np.asarray(benjamini_hochberg(padded))[: len(known)]
    return adjusted
