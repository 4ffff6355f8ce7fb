"""Energy and CO2 of industrial divisions from the shipped tables, with concept and vintage kept apart."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from econometrics.reference import load_reference, where_to_get
from shuzhi import DataError

EnergyConcept = Literal["total", "final_coal_equivalent", "final_calorific"]
Scheme = Literal["GB/T 4754-2002", "GB/T 4754-2011", "GB/T 4754-2017"]
_ITEMS = {
    "total": "total_energy_consumption",
    "final_coal_equivalent": "final_energy_coal_equivalent",
    "final_calorific": "final_energy_calorific",
}
_INDUSTRY = re.compile(r"([A-Z])?(\d{2})\d{0,2}(?:\.0+)?")
# Sections of the CSRC guide and of GB/T 4754 by their divisions: B 06-12, C 13-43, D 44-46.
_SECTIONS = {"B": range(6, 13), "C": range(13, 44), "D": range(44, 47)}


@dataclass(frozen=True)
class SectorTable:
    """Totals of divisions by year.

    Attributes
    ----------
    data : pandas.DataFrame
        ``division``, ``report_year``, the value with its unit in the name, ``vintage``; one row a division and year.
    merged : pandas.DataFrame
        ``division``, ``members``: divisions that stand for several of GB/T 4754-2011.
    assumptions, warnings : tuple of str
        In words.
    """

    data: pd.DataFrame
    merged: pd.DataFrame
    assumptions: tuple[str, ...]
    warnings: tuple[str, ...]


def merged_divisions() -> pd.DataFrame:
    """Divisions that the sources do not separate: ``division`` and the ``members`` of GB/T 4754-2011 in it."""
    table = load_reference("sector_divisions").data
    table = table[table["scheme"] == "GB/T 4754-2011"]
    members = table.groupby("division", sort=True)["sector_code"].agg(", ".join).rename("members").reset_index()
    return members[members["division"] != members["members"]].reset_index(drop=True)


def divisions(codes: pd.Series, scheme: Scheme = "GB/T 4754-2011") -> pd.Series:
    """Comparable division of each industry code; missing for codes outside mining, manufacturing and utilities.

    Parameters
    ----------
    codes : pandas.Series
        CSRC codes of 2012 (C36), GB/T 4754 codes of two to four digits (36, 3670), or merged divisions (36+37). CSRC
        codes of 2001 mean other industries: map them first.
    scheme : str
        Classification of codes without a letter. CSRC codes of 2012 are divisions of GB/T 4754-2011.

    Returns
    -------
    pandas.Series
        One of 38 divisions, 06 to 46, where 11+12, 36+37 and 41+43 are one each.
    """
    table = load_reference("sector_divisions").data
    by_scheme = {
        name: dict(zip(rows["sector_code"], rows["division"], strict=True))
        for name, rows in table.groupby("scheme", sort=True)
    }
    merged = set(table["division"])
    unique = {
        value: _division(value, by_scheme[scheme], by_scheme["GB/T 4754-2011"], merged)
        for value in codes.dropna().unique()
    }
    return codes.map(unique).astype("str")


def _division(value: object, by_code: dict[str, str], by_csrc: dict[str, str], merged: set[str]) -> str | None:
    """Comparable division of one code."""
    text = re.sub(r"\s+", "", str(value)).upper()
    if "+" in text:
        return text if text in merged else None
    found = _INDUSTRY.fullmatch("0" + text if len(text) == 1 else text)
    if not found:
        return None
    letter, digits = found[1], found[2]
    if letter:
        return by_csrc.get(digits) if int(digits) in _SECTIONS.get(letter, ()) else None
    return by_code.get(digits)


def sector_energy(years: Sequence[int] | None = None, concept: EnergyConcept = "total") -> SectorTable:
    """Energy of divisions in tonnes of standard coal.

    Parameters
    ----------
    years : sequence of int, optional
        Years wanted; all years of the concept by default.
    concept : {"total", "final_coal_equivalent", "final_calorific"}
        Total consumption (with the inputs of transformation; 1995, 2000, 2002 to 2007), or final consumption with
        electricity at coal equivalent or by its heat (2007, 2019, 2020). The two are never spliced.

    Returns
    -------
    SectorTable
        ``division``, ``report_year``, ``energy_tce``, ``vintage``. Electricity is inside the energy: a factor of coal
        counts it at the rate of coal, and so scope 1 and 2 together.

    Raises
    ------
    DataError
        If a year is not there; the message says which are and where to get the others.
    """
    table = load_reference("sector_energy_consumption").data
    rows = table[(table["item"] == _ITEMS[concept]) & table["sector_code"].str.fullmatch(r"\d{2}")]
    _check_years(years, sorted(rows["year"].unique()), f"energy by the concept {concept}", "industry_energy_2008_2018")
    if years is not None:
        rows = rows[rows["year"].isin(list(years))]
    rows = rows.assign(division=_divisions_by_scheme(rows), report_year=rows["year"], energy_tce=rows["value"] * 1e4)
    vintage = rows["table"].str.extract(r"^(CESY \d{4})", expand=False)
    keys = ["division", "report_year"]
    data = (
        rows.assign(vintage=vintage)
        .groupby(keys, sort=True)
        .agg(energy_tce=("energy_tce", "sum"), vintage=("vintage", "first"))
        .reset_index()
    )
    electricity = "by its heat, 0.1229 tce a MWh" if concept == "final_calorific" else "at the coal burnt for it"
    assumptions = (
        f"energy is the {concept.replace('_', ' ')} consumption of the China Energy Statistical Yearbook",
        f"electricity counts {electricity}",
    )
    return SectorTable(data, merged_divisions(), assumptions, vintage_warnings(data, "energy_tce"))


def _divisions_by_scheme(rows: pd.DataFrame) -> pd.Series:
    """Comparable divisions of rows that name their classification."""
    table = load_reference("sector_divisions").data
    by_code = {(row.scheme, row.sector_code): row.division for row in table.itertuples(index=False)}
    found = [by_code.get(pair) for pair in zip(rows["scheme"], rows["sector_code"], strict=True)]
    return pd.Series(found, index=rows.index, dtype="str")


def sector_co2(years: Sequence[int] | None = None) -> SectorTable:
    """CO2 of divisions, combustion and process, from the CEADs inventory.

    Parameters
    ----------
    years : sequence of int, optional
        Years wanted, 1997 to 2019; all by default.

    Returns
    -------
    SectorTable
        ``division``, ``report_year``, ``co2_tonnes``, ``vintage``; scope 1, without electricity and heat bought.

    Raises
    ------
    DataError
        If a year is not there.
    """
    table = load_reference("ceads_sector_year").data
    _check_years(years, sorted(table["year"].unique()), "CO2 of CEADs", None)
    if years is not None:
        table = table[table["year"].isin(list(years))]
    data = pd.DataFrame(
        {
            "division": table["gbt4754_2011"],
            "report_year": table["year"],
            "co2_tonnes": table["co2_mt"] * 1e6,
            "vintage": "CEADs 1997-2019",
        }
    ).sort_values(["division", "report_year"], ignore_index=True)
    assumptions = (
        "CO2 of the division is that of the CEADs inventory (Shan et al. 2018, 2020; Guan et al. 2021): 17 fuels and "
        "process, scope 1, without electricity and heat bought",
    )
    return SectorTable(data, merged_divisions(), assumptions, ())


def _check_years(years: Sequence[int] | None, there: list[int], what: str, elsewhere: str | None) -> None:
    """Refuse years that the shipped table does not have."""
    missing = sorted({int(year) for year in years or ()} - set(there))
    if missing:
        where = f" {where_to_get(elsewhere)}" if elsewhere else ""
        years_there = ", ".join(str(int(year)) for year in there)
        raise DataError(f"no {what} for {', '.join(map(str, missing))}; the years are {years_there}.{where}")


def vintage_warnings(
    data: pd.DataFrame, value: str, *, year: str = "report_year", vintage: str = "vintage"
) -> tuple[str, ...]:
    """Warn where one series mixes editions of a yearbook or an inventory.

    Parameters
    ----------
    data : DataFrame
        Rows with a year and a vintage.
    value : str
        Column that the sentence names.
    year, vintage : str
        Columns.

    Returns
    -------
    tuple of str
        One sentence that lists the years of each vintage, or nothing. Statistics are revised after each economic census
        (2004, 2008, 2013, 2018), so that levels of two vintages do not compare.
    """
    if vintage not in data.columns:
        return ()
    years = data.dropna(subset=[vintage]).groupby(vintage, sort=True)[year].unique()
    if len(years) < 2:
        return ()
    parts = [f"{name} ({', '.join(str(int(each)) for each in sorted(found))})" for name, found in years.items()]
    return (
        f"{value} mixes {len(parts)} vintages in one series: {'; '.join(parts)}. Each economic census revised the "
        "statistics before it; do not read changes between vintages as changes of the industry.",
    )
