"""Carbon emissions of firms as shares of their industry: cost share times industry energy, or times industry CO2."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from econometrics.emissions.factors import StandardCoalFactor, standard_coal_factor
from econometrics.emissions.sectors import Scheme, divisions, sector_co2, vintage_warnings
from econometrics.emissions.totals import division_totals, need_columns
from econometrics.emissions.units import energy_in_tce
from econometrics.estimation.sample import check_firm_years
from shuzhi import DataError

TRAP = (
    "within an industry-year the apportioned intensity per revenue varies only with the firm's ratio of cost to "
    "revenue (one minus its gross margin); with industry-year effects the outcome is a gross margin"
)
# Above this median share of one firm in its industry the units of the two costs cannot agree.
LARGEST_MEDIAN_SHARE = 0.9
SMALLEST_MEDIAN_SHARE = 1e-9


@dataclass(frozen=True)
class ApportionedEmissions:
    """Emissions of firms apportioned from their industry.

    Attributes
    ----------
    data : pandas.DataFrame
        The firm-years given, with ``division``, ``cost_share_of_industry``, ``industry_co2_tonnes``, ``co2_tonnes``,
        ``vintage`` and ``co2_reason`` (why there is no value). Rows and their order are those given.
    frame : pandas.DataFrame
        One row a division and year: ``firms``, ``listed_cost_yuan``, ``industry_cost_yuan``, ``listed_share``,
        ``listed_co2_tonnes``, ``industry_co2_tonnes``, ``is_above_industry``.
    unmatched : pandas.DataFrame
        ``reason``, ``division``, ``report_year``, ``rows``: firm-years without a value.
    method : str
        ``energy`` or ``co2``.
    assumptions, warnings : tuple of str
        In words.
    """

    data: pd.DataFrame
    frame: pd.DataFrame
    unmatched: pd.DataFrame
    method: Literal["energy", "co2"]
    assumptions: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def above_industry(self) -> pd.DataFrame:
        """Division-years in which the listed firms together emit more than their industry."""
        return self.frame[self.frame["is_above_industry"]].reset_index(drop=True)

    def summary(self) -> str:
        """What was apportioned, from what, and what was not, in a few lines."""
        there = int(self.data["co2_tonnes"].notna().sum())
        lines = [
            f"Apportioned emissions (from industry {self.method}): {there:,} of {len(self.data):,} firm-years, "
            f"{len(self.frame):,} industry-years",
            f"listed firms above their industry: {len(self.above_industry)} industry-years",
        ]
        lines += [f"without a value: {row.rows:,} rows, {row.reason}" for row in self._reasons().itertuples()]
        lines += [f"assumed: {each}" for each in self.assumptions] + [f"warning: {each}" for each in self.warnings]
        return "\n".join(lines)

    def _reasons(self) -> pd.DataFrame:
        return self.unmatched.groupby("reason", sort=True)["rows"].sum().reset_index()


def apportion_energy(
    firms: pd.DataFrame,
    industries: pd.DataFrame,
    *,
    energy: str = "energy",
    energy_unit: str | None = None,
    sectors: pd.DataFrame | None = None,
    cost: str = "operating_cost_yuan",
    industry_cost: str = "industry_cost",
    industry_cost_unit: str = "10^8 yuan",
    industry: str = "industry_code",
    scheme: Scheme = "GB/T 4754-2011",
    firm: str = "stock_code",
    year: str = "report_year",
    factor: str = "xiamen_0.68",
) -> ApportionedEmissions:
    """Apportion the CO2 of an industry's energy to firms by their share of its cost.

    CO2 of firm i = cost of i / cost of its industry x energy of the industry (tce) x carbon per tce x 44/12
    (Chapple, Clarkson and Gold 2013; 沈洪涛、黄楠 2019).

    Parameters
    ----------
    firms : DataFrame
        One row a firm-year with ``firm``, ``year``, ``industry`` and ``cost`` in yuan.
    industries : DataFrame
        One row an industry and year with ``industry``, ``year``, ``industry_cost``, ``energy``; ``vintage`` if known.
    energy, energy_unit : str
        Column of the energy and its unit, such as ``10^4 tce``; tonnes must say of what.
    sectors : DataFrame, optional
        Energy by division in its place, as the data of :func:`econometrics.emissions.sectors.sector_energy`:
        ``division``, ``report_year``, ``energy_tce`` and ``vintage``; ``industries`` then needs its cost alone.
    cost : str
        Operating cost of the firm in yuan.
    industry_cost, industry_cost_unit : str
        Main-business cost of the industry (operating cost from 2018 on) and its unit. This table does not ship.
    industry, scheme : str
        Column of the industry in both frames, and the classification of codes without a letter in ``industries``.
    firm, year : str
        Keys.
    factor : str
        Set in ``standard_coal_factors``; 0.68 t C per tonne of standard coal by default.

    Returns
    -------
    ApportionedEmissions

    Raises
    ------
    DataError
        If columns are missing (it is said where industry costs come from), keys repeat, or a unit cannot be right.
    """
    coal = standard_coal_factor(factor)
    keys = (industry, year, industry_cost, industry_cost_unit, scheme)
    if sectors is not None:
        need_columns(sectors, ["division", "report_year", "energy_tce"], "sectors")
        tce = energy_in_tce(sectors["energy_tce"], "tce", name="energy_tce")
        totals = _with_sectors(industries, sectors.assign(co2_tonnes=tce * coal.co2_tonnes_per_tce), keys)
        return _apportion(firms, totals, (firm, year, industry, cost), "energy", _energy_words(coal, "tce"))
    need_columns(industries, [industry, year, industry_cost, energy], "industries")
    if energy_unit is None:
        raise DataError("name the unit of the energy in energy_unit, such as '10^4 tce', or give the table of sectors")
    tce = energy_in_tce(industries[energy], energy_unit, name=energy)
    totals = division_totals(industries.assign(_co2=tce * coal.co2_tonnes_per_tce), *keys)
    return _apportion(firms, totals, (firm, year, industry, cost), "energy", _energy_words(coal, energy_unit))


def apportion_co2(
    firms: pd.DataFrame,
    industries: pd.DataFrame,
    *,
    cost: str = "operating_cost_yuan",
    industry_cost: str = "industry_cost",
    industry_cost_unit: str = "10^8 yuan",
    industry: str = "industry_code",
    scheme: Scheme = "GB/T 4754-2011",
    firm: str = "stock_code",
    year: str = "report_year",
    sectors: pd.DataFrame | None = None,
) -> ApportionedEmissions:
    """Apportion the CO2 of an industry in the CEADs inventory to firms by their share of its cost.

    Parameters
    ----------
    firms, industries : DataFrame
        As in :func:`apportion_energy`; ``industries`` needs no energy.
    cost, industry_cost, industry_cost_unit, industry, scheme, firm, year
        As in :func:`apportion_energy`.
    sectors : DataFrame, optional
        ``division``, ``report_year``, ``co2_tonnes`` and ``vintage`` in place of the shipped inventory, such as that of
        a province.

    Returns
    -------
    ApportionedEmissions
        Where the inventory merges divisions (11+12, 36+37, 41+43) the costs of all members are needed; a merged
        division with a member missing gets no value.

    Raises
    ------
    DataError
        As in :func:`apportion_energy`.
    """
    table = sector_co2().data if sectors is None else sectors
    totals = _with_sectors(industries, table, (industry, year, industry_cost, industry_cost_unit, scheme))
    words = sector_co2([2019]).assumptions if sectors is None else ("CO2 of the division is that of the table given",)
    return _apportion(firms, totals, (firm, year, industry, cost), "co2", words)


def _with_sectors(
    industries: pd.DataFrame, sectors: pd.DataFrame, keys: tuple[str, str, str, str, Scheme]
) -> pd.DataFrame:
    """Costs of the divisions beside the CO2 that a table of sectors gives them."""
    industry, year, industry_cost, _, _ = keys
    need_columns(industries, [industry, year, industry_cost], "industries")
    need_columns(sectors, ["division", "report_year", "co2_tonnes"], "sectors")
    if sectors.duplicated(["division", "report_year"]).any():
        raise DataError("sectors has several rows of one division and year")
    costs = division_totals(industries.drop(columns="vintage", errors="ignore"), *keys)
    given = sectors.rename(columns={"report_year": year, "co2_tonnes": "industry_co2_tonnes"})
    columns = ["division", year, "industry_co2_tonnes", *(["vintage"] if "vintage" in given.columns else [])]
    return costs.drop(columns="industry_co2_tonnes").merge(given[columns], on=["division", year], how="left")


def _energy_words(coal: StandardCoalFactor, unit: str) -> tuple[str, ...]:
    """Assumptions of the energy method."""
    return (
        f"CO2 = industry energy (given in {unit}) x {coal.describe()}",
        "the energy of the yearbook holds electricity as the coal burnt for it: scope 1 and 2 at the rate of coal",
    )


def _apportion(
    firms: pd.DataFrame,
    totals: pd.DataFrame,
    names: tuple[str, str, str, str],
    method: Literal["energy", "co2"],
    words: tuple[str, ...],
) -> ApportionedEmissions:
    """Multiply cost shares by the totals of the divisions and say what has no value."""
    firm, year, industry, cost = names
    need_columns(firms, [firm, year, industry, cost], "firms")
    check_firm_years(firms, firm, year)
    data = firms.assign(division=divisions(firms[industry]))
    joined = data[["division", year]].merge(
        totals, on=["division", year], how="left", validate="many_to_one", indicator=True
    )
    joined.index = data.index
    firm_cost = pd.to_numeric(data[cost]).astype("float64")
    share = firm_cost.where(firm_cost >= 0) / joined["industry_cost_yuan"]
    _check_shares(share, cost)
    data["cost_share_of_industry"] = share
    data["industry_co2_tonnes"] = joined["industry_co2_tonnes"]
    data["co2_tonnes"] = share * joined["industry_co2_tonnes"]
    if "vintage" in joined.columns:
        data["vintage"] = joined["vintage"]
    data["co2_reason"] = _reasons(data, joined, industry, firm_cost)
    frame = _frame(data, joined, year, firm_cost)
    lost = data[data["co2_tonnes"].isna()]
    unmatched = (
        lost.groupby(["co2_reason", "division", year], dropna=False, sort=True).size().rename("rows").reset_index()
    )
    warnings = list(vintage_warnings(data, "co2_tonnes", year=year))
    above = frame[frame["is_above_industry"]]
    if len(above):
        pairs = ", ".join(f"{row.division} in {getattr(row, year)}" for row in above.head(5).itertuples())
        warnings.append(
            f"in {len(above)} industry-years the listed firms together exceed their industry ({pairs}"
            f"{', ...' if len(above) > 5 else ''}): consolidated costs hold units abroad and in other industries; "
            "the values are not clipped, see frame"
        )
    assumptions = ("CO2 of a firm = its cost / cost of its industry x CO2 of its industry", *words, TRAP)
    columns = {"co2_reason": "reason", year: "report_year"}
    return ApportionedEmissions(
        data, frame.rename(columns=columns), unmatched.rename(columns=columns), method, assumptions, tuple(warnings)
    )


def _check_shares(share: pd.Series, cost: str) -> None:
    """Refuse shares that only a wrong unit explains."""
    median = float(share.median()) if share.notna().any() else np.nan
    if not np.isnan(median) and not SMALLEST_MEDIAN_SHARE <= median <= LARGEST_MEDIAN_SHARE:
        raise DataError(
            f"the median firm has {median:.3g} of its industry's cost: {cost} must be in yuan, and the unit of the "
            "industry's cost must be named (industry_cost_unit; the yearbooks print 10^8 yuan)"
        )


def _reasons(data: pd.DataFrame, joined: pd.DataFrame, industry: str, firm_cost: pd.Series) -> pd.Series:
    """Why a firm-year has no value, the first reason that holds."""
    reason = pd.Series(pd.NA, index=data.index, dtype="str")
    missing = data["co2_tonnes"].isna()
    for holds, text in (
        (data[industry].isna(), "the industry is missing"),
        (data["division"].isna(), "the industry is no division of mining, manufacturing or utilities"),
        (firm_cost.isna(), "the firm's cost is missing"),
        (firm_cost < 0, "the firm's cost is negative"),
        (joined["_merge"] == "left_only", "no row for the industry and year"),
        (joined["is_whole"].eq(False), "the cost of a member of the merged division is missing"),
        (joined["industry_cost_yuan"].isna(), "the industry's cost is missing"),
        (joined["industry_co2_tonnes"].isna(), "the industry's energy or CO2 is missing"),
    ):
        reason = reason.mask(missing & reason.isna() & holds.fillna(False), text)
    return reason


def _frame(data: pd.DataFrame, joined: pd.DataFrame, year: str, firm_cost: pd.Series) -> pd.DataFrame:
    """Sums over the firms of each division and year against the industry."""
    rows = data.assign(_cost=firm_cost, industry_cost_yuan=joined["industry_cost_yuan"])[data["co2_tonnes"].notna()]
    frame = (
        rows.groupby(["division", year], sort=True)
        .agg(
            firms=("_cost", "size"),
            listed_cost_yuan=("_cost", "sum"),
            industry_cost_yuan=("industry_cost_yuan", "first"),
            listed_co2_tonnes=("co2_tonnes", "sum"),
            industry_co2_tonnes=("industry_co2_tonnes", "first"),
        )
        .reset_index()
    )
    frame["listed_share"] = frame["listed_cost_yuan"] / frame["industry_cost_yuan"]
    # The two sums are the same ratio; a rounding error is no finding.
    frame["is_above_industry"] = frame["listed_share"] > 1 + 1e-9
    return frame
