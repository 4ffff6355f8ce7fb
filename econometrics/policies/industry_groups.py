"""Groups of firms: heavily polluting and energy-intensive industries, energy structure of sectors, size of firms."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from econometrics.emissions.sectors import EnergyConcept, Scheme, divisions, sector_energy
from econometrics.emissions.totals import division_totals, need_columns
from econometrics.emissions.units import money_in_yuan
from econometrics.policies.cuts import Cut, cut_groups
from econometrics.reference import load_reference
from shuzhi import DataError

HeavyPollution = Literal["heavy_pollution_16", "heavy_pollution_broad"]
EnergyShare = Literal["coal_share", "coal_coke_share", "oil_share", "gas_share", "electricity_share"]
# A listed firm is worth between a hundred million and ten trillion yuan.
PLAUSIBLE_MARKET_VALUE = (1e8, 1e13)
_CSRC = re.compile(r"([A-S])(\d{2})?\d{0,2}")


@dataclass(frozen=True)
class GroupedPanel:
    """A panel with columns that put its rows into groups.

    Attributes
    ----------
    data : pandas.DataFrame
        The rows given with the new columns; missing where a row cannot be put into a group.
    columns : tuple of str
        The new columns.
    groups : pandas.DataFrame
        ``column``, ``group``, ``rows``: sizes, with the missing.
    unmatched : pandas.DataFrame
        ``given``, ``rows``, ``reason``: values that fit no group.
    assumptions, warnings : tuple of str
        In words.
    """

    data: pd.DataFrame
    columns: tuple[str, ...]
    groups: pd.DataFrame
    unmatched: pd.DataFrame
    assumptions: tuple[str, ...]
    warnings: tuple[str, ...] = ()

    def summary(self) -> str:
        """Sizes of the groups and what was not matched."""
        lines = [self.groups.to_string(index=False)]
        lines += [f"not matched: {row.given}, {row.rows} rows, {row.reason}" for row in self.unmatched.itertuples()]
        lines += [f"assumed: {each}" for each in self.assumptions] + [f"warning: {each}" for each in self.warnings]
        return "\n".join(lines)


def add_industry_groups(
    data: pd.DataFrame,
    *,
    industry: str = "industry_code",
    heavy_pollution: HeavyPollution | Collection[str] = "heavy_pollution_16",
    high_energy: Collection[str] | None = None,
) -> GroupedPanel:
    """Mark heavily polluting and energy-intensive industries.

    Parameters
    ----------
    data : DataFrame
        One row a firm-year.
    industry : str
        CSRC code of 2012 with its letter (C26; K70); longer codes count by their first two digits.
    heavy_pollution : str or collection of str
        ``heavy_pollution_16`` (the mapping used most), ``heavy_pollution_broad`` (with food, drink, medicine and
        non-metal mining), or codes of one's own.
    high_energy : collection of str, optional
        Codes of one's own in place of the six industries of NBS and NDRC.

    Returns
    -------
    GroupedPanel
        ``is_heavy_pollution`` and ``is_high_energy`` as 0/1; industries outside the lists are 0, codes that are no
        industry are missing and listed.

    Raises
    ------
    DataError
        If the column is missing, the mapping is unknown, or a code of one's own is no industry.
    """
    need_columns(data, [industry], "data")
    table = load_reference("industry_groups")
    heavy, named = _codes(heavy_pollution, table.data, "heavy_pollution")
    energy, energy_named = _codes("six_high_energy" if high_energy is None else high_energy, table.data, "high_energy")
    plain = pd.Series([_division(value) for value in data[industry]], index=data.index, dtype="str")
    result = data.copy()
    for column, codes in (("is_heavy_pollution", heavy), ("is_high_energy", energy)):
        result[column] = plain.isin(codes).astype("float64").where(plain.notna())
    lost = _lost(data[industry], plain.isna(), "no code of an industry with its letter")
    assumptions = (f"heavy pollution: {named}", f"energy-intensive: {energy_named}")
    warnings = (table.caution,) if "own" not in named or "own" not in energy_named else ()
    return _grouped(result, ("is_heavy_pollution", "is_high_energy"), lost, assumptions, warnings)


def _codes(given: str | Collection[str], table: pd.DataFrame, what: str) -> tuple[set[str], str]:
    """Codes of a group and its name in words."""
    if isinstance(given, str):
        if given not in table.columns or not given.startswith(("heavy_pollution", "six_")):
            raise DataError(
                f"no mapping {given!r} of {what}; there are heavy_pollution_16, heavy_pollution_broad, six_high_energy"
            )
        codes = table.loc[table[given], "csrc2012"]
        return set(codes), f"{given} ({', '.join(codes)})"
    wrong = [code for code in given if _division(code) is None]
    if wrong:
        raise DataError(f"{what}: no codes of industries: {', '.join(map(str, wrong))}; write them like C26")
    own = {str(_division(code)) for code in given}
    return own, f"own list ({', '.join(sorted(own))})"


def _division(value: object) -> str | None:
    """C2614 and c26 to C26; a letter alone stays where no division of its section is in a list."""
    found = _CSRC.fullmatch(re.sub(r"\s+", "", str(value)).upper())
    if not found:
        return None
    if found[2] is None:
        return None if found[1] in "BCD" else found[1]
    return f"{found[1]}{found[2]}"


def add_energy_structure(
    data: pd.DataFrame,
    *,
    industry: str = "industry_code",
    shares: Sequence[EnergyShare] = ("coal_share",),
    structure_year: int = 2019,
    cut: Cut | Sequence[float] = "median",
) -> GroupedPanel:
    """Group rows by the energy structure of their sector, such as a high share of coal.

    Parameters
    ----------
    data : DataFrame
        One row a firm-year.
    industry : str
        Industry code, see :func:`econometrics.emissions.sectors.divisions`; the table covers manufacturing.
    shares : sequence of str
        Shares of final energy: coal, coal and coke, oil, gas, electricity.
    structure_year : {2007, 2019, 2020}
        Year of the structure; one year for all rows, so that a firm does not change its group.
    cut : {"median", "terciles", "quartiles"} or sequence of float
        Cuts over the divisions (each counts once), or values of the share.

    Returns
    -------
    GroupedPanel
        The share and ``<share>_group`` (low, high; low, middle, high; ...).

    Raises
    ------
    DataError
        If columns, shares or the year are unknown.
    """
    need_columns(data, [industry], "data")
    table = load_reference("sector_energy_structure").data
    years = sorted(table["year"].unique())
    unknown = [share for share in shares if share not in table.columns or not share.endswith("_share")]
    if structure_year not in years or unknown:
        known = ", ".join(column for column in table.columns if column.endswith("_share"))
        raise DataError(
            f"structure_year is one of {', '.join(map(str, years))} (given {structure_year}); shares are among {known}"
            + (f", not {', '.join(unknown)}" if unknown else "")
        )
    rows = table[table["year"] == structure_year].set_index("gbt4754_2011")
    division = divisions(data[industry])
    result, columns = data.copy(), []
    for share in shares:
        result[share] = division.map(rows[share])
        result[f"{share}_group"] = cut_groups(result[share], cut, over=rows[share])
        columns += [share, f"{share}_group"]
    lost = _lost(data[industry], ~division.isin(rows.index), "no division of manufacturing")
    words = f"shares of final energy in {structure_year} by heat content, cut at {cut} over {len(rows)} divisions"
    return _grouped(result, tuple(columns), lost, (words,), ())


def sector_energy_intensity(
    industries: pd.DataFrame,
    *,
    output: str = "output",
    unit: str = "10^8 yuan",
    industry: str = "industry_code",
    year: str = "report_year",
    scheme: Scheme = "GB/T 4754-2011",
    concept: EnergyConcept = "total",
    cut: Cut | Sequence[float] = "median",
) -> pd.DataFrame:
    """Energy of each division per unit of its output, cost or value added, with groups by year.

    Parameters
    ----------
    industries : DataFrame
        One row an industry of two digits and year with ``output``. Value added by industry does not ship.
    output, unit : str
        Column and unit of the denominator.
    industry, year, scheme : str
        Columns, and the classification of codes without a letter.
    concept : str
        As in :func:`econometrics.emissions.sectors.sector_energy`.
    cut : {"median", "terciles", "quartiles"} or sequence of float
        Cuts over the divisions of a year.

    Returns
    -------
    pandas.DataFrame
        ``division``, year, ``tce_per_10k_yuan``, ``energy_intensity_group``.

    Raises
    ------
    DataError
        If columns are missing, or no year has energy.
    """
    need_columns(industries, [industry, year, output], "industries")
    energy = sector_energy(concept=concept).data.rename(columns={"report_year": year})
    totals = division_totals(industries.drop(columns="vintage", errors="ignore"), industry, year, output, unit, scheme)
    joined = totals.merge(energy, on=["division", year], validate="one_to_one")
    if joined.empty:
        raise DataError(f"no year of industries is among those with energy: {', '.join(map(str, set(energy[year])))}")
    joined["tce_per_10k_yuan"] = joined["energy_tce"] / (joined["industry_cost_yuan"] / 1e4)
    parts = [cut_groups(part, cut) for _, part in joined.groupby(year, sort=True)["tce_per_10k_yuan"]]
    joined["energy_intensity_group"] = pd.concat(parts)
    return joined[["division", year, "tce_per_10k_yuan", "energy_intensity_group"]]


def add_size_groups(
    data: pd.DataFrame,
    *,
    column: str = "market_value_yuan",
    unit: str = "yuan",
    cut: Cut | Sequence[float] = (10e9, 50e9),
    labels: Sequence[str] | None = None,
    within: Sequence[str] = (),
    plausible: tuple[float, float] | None = PLAUSIBLE_MARKET_VALUE,
) -> GroupedPanel:
    """Group firms by size: market value at 10 and 50 billion yuan, or any amount at any cut.

    Parameters
    ----------
    data : DataFrame
        One row a firm-year.
    column, unit : str
        Amount and its unit.
    cut : sequence of float or {"median", "terciles", "quartiles"}
        Cuts in yuan, a value on a cut belongs to the upper group; or quantiles.
    labels : sequence of str, optional
        Names of the groups from the smallest; small, medium, large for two cuts.
    within : sequence of str
        Take quantiles within these columns, such as the year.
    plausible : pair of float, optional
        Range in yuan in which the median must lie; None switches the check off.

    Returns
    -------
    GroupedPanel
        ``size_group``.

    Raises
    ------
    DataError
        If columns are missing, the unit cannot be right, or labels and cuts do not fit.
    """
    need_columns(data, [column, *within], "data")
    yuan = money_in_yuan(data[column], unit)
    median = float(yuan.median()) if yuan.notna().any() else np.nan
    if plausible and not np.isnan(median) and not plausible[0] <= median <= plausible[1]:
        raise DataError(
            f"the median {column} of {median:.3g} yuan lies outside {plausible[0]:.0e} to {plausible[1]:.0e}: name its "
            "unit (yuan, 10^4 yuan, 10^8 yuan), or pass plausible=None"
        )
    if within and not isinstance(cut, str):
        raise DataError("within goes with quantiles (median, terciles, quartiles), not with fixed cuts")
    names = labels or (("small", "medium", "large") if not isinstance(cut, str) and len(cut) == 2 else None)
    result = data.copy()
    if within:
        grouped = yuan.groupby([data[each] for each in within])
        result["size_group"] = grouped.transform(lambda part: cut_groups(part, cut, labels=names))
    else:
        result["size_group"] = cut_groups(yuan, cut, labels=names)
    where = cut if isinstance(cut, str) else f"{', '.join(f'{each:g}' for each in cut)} yuan"
    lost = _lost(data[column], yuan.isna(), "the amount is missing")
    return _grouped(result, ("size_group",), lost, (f"size is {column}, cut at {where}",), ())


def _lost(given: pd.Series, rows: pd.Series, reason: str) -> pd.DataFrame:
    """Values without a group, with their rows."""
    counts = given[rows].astype("str").fillna("(missing)").value_counts().sort_index()
    table = pd.DataFrame({"given": counts.index.astype("str"), "rows": counts.to_numpy(), "reason": reason})
    return table.sort_values(["rows", "given"], ascending=[False, True], ignore_index=True)


def _grouped(
    data: pd.DataFrame,
    columns: tuple[str, ...],
    lost: pd.DataFrame,
    assumptions: tuple[str, ...],
    warnings: tuple[str, ...],
) -> GroupedPanel:
    """Count the groups of the new columns."""
    rows = []
    for column in columns:
        if column.endswith("_share"):
            continue
        counts = data[column].astype("str").fillna("(missing)").value_counts().sort_index()
        rows += [(column, str(group), int(size)) for group, size in counts.items()]
    groups = pd.DataFrame(rows, columns=["column", "group", "rows"])
    return GroupedPanel(data, columns, groups, lost, assumptions, warnings)
