"""Cost and CO2 of the comparable divisions of industry, summed over the codes that the user's table holds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from econometrics.emissions.sectors import Scheme, divisions
from econometrics.emissions.units import money_in_yuan
from econometrics.reference import load_reference, where_to_get
from shuzhi import DataError


def need_columns(data: pd.DataFrame, columns: Sequence[str], name: str) -> None:
    """Refuse a frame without its columns; for industries say where their costs come from.

    Parameters
    ----------
    data : DataFrame
        The frame.
    columns : sequence of str
        Columns that it must have.
    name : str
        What the message calls it; ``industries`` adds where the table comes from.

    Raises
    ------
    DataError
        All missing columns in one message.
    """
    missing = [column for column in columns if column not in data.columns]
    if missing:
        raise DataError(
            f"{name} has no column {', '.join(missing)}; it has {', '.join(map(str, data.columns))}. "
            + (where_to_get("industry_costs") if name == "industries" else "")
        )


def division_totals(
    industries: pd.DataFrame, industry: str, year: str, cost: str, cost_unit: str, scheme: Scheme
) -> pd.DataFrame:
    """Cost and CO2 of each comparable division and year; a merged division needs all its members.

    Parameters
    ----------
    industries : DataFrame
        One row an industry of two digits and year; ``_co2`` holds its CO2 in tonnes where known.
    industry, year, cost : str
        Columns.
    cost_unit : str
        Unit of the cost.
    scheme : str
        Classification of codes without a letter.

    Returns
    -------
    pandas.DataFrame
        ``division``, year, ``industry_cost_yuan`` (missing where a member is), ``is_whole``, ``industry_co2_tonnes``
        and ``vintage`` where given.

    Raises
    ------
    DataError
        If a division appears twice in a year, or a cost is zero or less.
    """
    data = pd.DataFrame(
        {
            "division": divisions(industries[industry], scheme),
            "member": _members(industries[industry]),
            year: industries[year],
            "cost": money_in_yuan(industries[cost], cost_unit),
            "co2": industries["_co2"] if "_co2" in industries.columns else np.nan,
            "vintage": industries["vintage"] if "vintage" in industries.columns else pd.NA,
        }
    ).dropna(subset=["division"])
    _check_rows(data, year)
    table = load_reference("sector_divisions").data
    needed = table[table["scheme"] == scheme].groupby("division")["sector_code"].nunique()
    totals = (
        data.assign(there=data["cost"].notna(), is_merged=data["member"] == data["division"])
        .groupby(["division", year], sort=True)
        .agg(
            industry_cost_yuan=("cost", "sum"),
            members=("there", "sum"),
            is_merged=("is_merged", "all"),
            industry_co2_tonnes=("co2", lambda values: values.sum(skipna=False)),
            vintage=("vintage", "first"),
        )
        .reset_index()
    )
    wanted = totals["division"].map(needed).where(~totals["is_merged"], 1)
    totals["is_whole"] = totals["members"] >= wanted
    totals["industry_cost_yuan"] = totals["industry_cost_yuan"].where(totals["is_whole"])
    columns = ["division", year, "industry_cost_yuan", "is_whole", "industry_co2_tonnes"]
    return totals[[*columns, *(["vintage"] if "vintage" in industries.columns else [])]]


def _members(codes: pd.Series) -> pd.Series:
    """Two digits of each code, or the merged division as it is."""
    text = codes.astype("str").str.replace(r"\s+", "", regex=True)
    digits = text.str.extract(r"^[A-Za-z]?(\d{1,2})", expand=False).str.zfill(2)
    return digits.where(~text.str.contains("+", regex=False), text)


def _check_rows(data: pd.DataFrame, year: str) -> None:
    """Refuse divisions that are there twice, as two digits beside three, or merged beside their members."""
    problems = []
    repeated = data[data.duplicated(["member", year], keep=False)]
    if len(repeated):
        first = repeated.iloc[0]
        problems.append(
            f"{len(repeated)} rows repeat a two-digit industry and year, such as {first['member']} in {first[year]} "
            "(codes of three or four digits beside those of two?)"
        )
    is_merged = data["member"].str.contains("+", regex=False)
    both = data[is_merged].merge(data[~is_merged], on=["division", year])
    if len(both):
        first = both.iloc[0]
        problems.append(f"{first['division']} in {first[year]} stands beside its members")
    low = int((data["cost"] <= 0).sum())
    if low:
        problems.append(f"{low} industry-years have a cost of zero or less")
    if problems:
        raise DataError("industries: " + "; ".join(problems))
