"""Emissions from activities, in four components, each measured, imputed from its industry, or missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from econometrics.emissions.activities import ActivityOptions, activity_tonnes
from econometrics.emissions.totals import need_columns
from econometrics.emissions.vendor import COMPONENTS
from econometrics.estimation.sample import check_firm_years
from shuzhi import DataError

Basis = Literal["measured", "imputed", "missing"]
Imputation = Literal["industry_mean", "none"]
Total = Literal["all_components", "measured_components"]


@dataclass(frozen=True)
class ComponentEmissions:
    """Emissions of firms in four components.

    Attributes
    ----------
    data : pandas.DataFrame
        The firm-years given with ``co2_<component>_tonnes`` and ``<component>_basis`` (measured, imputed, missing) for
        combustion_escape, process, waste and land_use; ``co2_tonnes`` and ``imputed_share`` of it.
    activities : pandas.DataFrame
        One row an activity: amount, factor with unit, source, year and whether verified, and ``co2_tonnes``.
    basis : pandas.DataFrame
        ``component``, ``measured``, ``imputed``, ``missing``: firm-years of each.
    problems : pandas.DataFrame
        ``reason``, ``rows``: activities that gave no value.
    assumptions, warnings : tuple of str
        In words.
    """

    data: pd.DataFrame
    activities: pd.DataFrame
    basis: pd.DataFrame
    problems: pd.DataFrame
    assumptions: tuple[str, ...]
    warnings: tuple[str, ...]

    def summary(self) -> str:
        """How many firm-years of each component are measured, imputed and missing, and what was assumed."""
        lines = [
            f"{row.component:<18} measured {row.measured:,}  imputed {row.imputed:,}  missing {row.missing:,}"
            for row in self.basis.itertuples()
        ]
        lines += [f"no value: {row.rows:,} activities, {row.reason}" for row in self.problems.itertuples()]
        lines += [f"assumed: {each}" for each in self.assumptions] + [f"warning: {each}" for each in self.warnings]
        return "\n".join(lines)


def component_emissions(
    firms: pd.DataFrame,
    activities: pd.DataFrame,
    *,
    firm: str = "stock_code",
    year: str = "report_year",
    industry: str = "industry_code",
    province: str | None = "province",
    options: ActivityOptions | None = None,
    imputation: Imputation = "industry_mean",
    scale: str | None = "revenue_yuan",
    smallest_group: int = 3,
    total: Total = "all_components",
) -> ComponentEmissions:
    """Add up emissions from activities in the four components of the seed study.

    combustion and escape = fuels + biomass + fugitive gases + electricity + heat; production process; waste
    (incineration and wastewater); conversion of forest to industrial land (NDRC enterprise guidelines 2013-2015; Wang,
    Liu and Zhang 2022). A component is measured if the firm gives an amount of one of its activities, also zero.

    Parameters
    ----------
    firms : DataFrame
        One row a firm-year with ``firm``, ``year``, ``industry``, and ``province`` if electricity is bought.
    activities : DataFrame
        One row an activity of a firm-year: ``firm``, ``year``, ``activity``, ``amount``, ``unit``, and, for a factor of
        the firm's own, ``factor`` (t CO2e per unit) and ``component``.
    firm, year, industry, province : str
        Columns.
    options : ActivityOptions, optional
        Which sets of factors; the NDRC enterprise guideline and regional grid factors by default.
    imputation : {"industry_mean", "none"}
        Fill a missing component with the mean of the measured firms of the industry and year.
    scale : str, optional
        Column that the mean is taken per unit of (emissions per yuan of revenue, times the firm's revenue); None takes
        the plain mean.
    smallest_group : int
        Measured firms that an industry-year must have for its mean to be used.
    total : {"all_components", "measured_components"}
        Whether the total needs all four components, or adds up what is there (and says so).

    Returns
    -------
    ComponentEmissions

    Raises
    ------
    DataError
        If columns are missing, firm-years repeat, activities lie outside ``firms``, or an activity or unit is unknown.
    """
    options = options or ActivityOptions()
    need_columns(firms, [firm, year, industry, *([scale] if scale and imputation != "none" else [])], "firms")
    need_columns(activities, [firm, year, "activity", "amount", "unit"], "activities")
    check_firm_years(firms, firm, year)
    keys = [firm, year]
    places = firms[[*keys, *([province] if province and province in firms.columns else [])]]
    joined = activities.merge(places, on=keys, how="left", indicator=True, validate="many_to_one")
    outside = joined[joined["_merge"] == "left_only"]
    if len(outside):
        first = outside.iloc[0]
        raise DataError(
            f"{len(outside)} activities are of firm-years not among firms, such as {first[firm]} {first[year]}"
        )
    joined = joined.drop(columns="_merge").set_index(activities.index)
    details = activity_tonnes(joined, year, province if province in joined.columns else None, options)
    sums = details.pivot_table(
        index=keys, columns="component", values="co2_tonnes", aggfunc=lambda each: each.sum(skipna=False), observed=True
    )
    data = firms.copy()
    rows = pd.MultiIndex.from_frame(firms[keys])
    for component in COMPONENTS:
        measured = (
            sums[component].reindex(rows).to_numpy() if component in sums.columns else np.full(len(firms), np.nan)
        )
        values = pd.Series(measured, index=firms.index, dtype="float64")
        filled = _imputed(firms, values, [industry, year], scale, smallest_group) if imputation != "none" else values
        data[f"co2_{component}_tonnes"] = filled
        data[f"{component}_basis"] = np.select([values.notna(), filled.notna()], ["measured", "imputed"], "missing")
    _add_total(data, total)
    return ComponentEmissions(
        data,
        details,
        _basis_table(data),
        details[details["co2_tonnes"].isna()].groupby("reason", sort=True).size().rename("rows").reset_index(),
        _assumptions(details, imputation, scale, smallest_group, total),
        _warnings(data, details),
    )


def _imputed(
    firms: pd.DataFrame, values: pd.Series, groups: Sequence[str], scale: str | None, smallest: int
) -> pd.Series:
    """Fill missing values with the mean of the measured firms of the group, per unit of the scale if one is named."""
    size = pd.to_numeric(firms[scale]).astype("float64") if scale else pd.Series(1.0, index=firms.index)
    size = size.where(size > 0)
    there = values.notna() & size.notna()
    by = [firms[column] for column in groups]
    sums = values.where(there).groupby(by).transform("sum")
    sizes = size.where(there).groupby(by).transform("sum")
    counts = there.groupby(by).transform("sum")
    mean = (sums / sizes).where(counts >= smallest)
    return values.where(values.notna(), mean * size)


def _add_total(data: pd.DataFrame, total: Total) -> None:
    """Add the sum of the components and the share of it that is imputed."""
    columns = [f"co2_{component}_tonnes" for component in COMPONENTS]
    smallest = len(COMPONENTS) if total == "all_components" else 1
    data["co2_tonnes"] = data[columns].sum(axis=1, min_count=smallest)
    imputed = sum(
        data[f"co2_{each}_tonnes"].where(data[f"{each}_basis"] == "imputed", 0.0).fillna(0.0) for each in COMPONENTS
    )
    data["imputed_share"] = imputed / data["co2_tonnes"].where(data["co2_tonnes"] > 0)


def _basis_table(data: pd.DataFrame) -> pd.DataFrame:
    """Firm-years measured, imputed and missing of each component."""
    rows = []
    for component in COMPONENTS:
        counts = data[f"{component}_basis"].value_counts()
        rows.append((component, *(int(counts.get(each, 0)) for each in ("measured", "imputed", "missing"))))
    return pd.DataFrame(rows, columns=["component", "measured", "imputed", "missing"])


def _assumptions(
    details: pd.DataFrame, imputation: Imputation, scale: str | None, smallest: int, total: Total
) -> tuple[str, ...]:
    """What was assumed, in words."""
    mean = f"mean per {scale}" if scale else "mean"
    filled = (
        f"a missing component is the {mean} of at least {smallest} measured firms of its industry and year"
        if imputation == "industry_mean"
        else "a missing component stays missing"
    )
    sources = sorted(details["factor_source"].dropna().unique())
    added = "needs all four components" if total == "all_components" else "adds up the components that are there"
    return (filled, f"the total {added}", f"factors: {', '.join(sources)}" if sources else "no factor was used")


def _warnings(data: pd.DataFrame, details: pd.DataFrame) -> tuple[str, ...]:
    """What a reader must know before he uses the total."""
    warnings = []
    share = data["imputed_share"] > 0.5
    if share.any():
        warnings.append(f"in {int(share.sum())} of {len(data)} firm-years more than half of the total is imputed")
    unverified = details[details["is_verified"].eq(False)]
    if len(unverified):
        names = ", ".join(sorted(unverified["activity"].unique()))
        warnings.append(f"factors that nobody compared with their document: {names}")
    return tuple(warnings)
