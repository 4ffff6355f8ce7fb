"""Microdata of many years in the places and industries of one list, before clusters are looked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from econometrics.clusters.industry_concordance import IndustryScheme, industry_scheme, industry_units, map_industries
from econometrics.places.concordance import PlaceConcordance, map_places
from econometrics.places.lists import PlaceLevel, places_at_level
from shuzhi import DataError


@dataclass(frozen=True)
class Harmonised:
    """Microdata with codes of one list.

    Parameters
    ----------
    data : pandas.DataFrame
        Rows that could be mapped, index kept; ``place`` and ``industry`` are the mapped codes,
        ``place_before`` and ``industry_before`` those given.
    places : PlaceConcordance or None
        How the place codes were mapped.
    industries : pandas.DataFrame
        One row a classification and code: ``scheme``, ``industry``, ``target_industry``,
        ``is_split``, ``is_verified``, ``reason``.
    dropped : Mapping[str, int]
        Rows that were not mapped, by reason.
    rows_given : int
        Rows before.
    """

    data: pd.DataFrame
    places: PlaceConcordance | None
    industries: pd.DataFrame
    dropped: Mapping[str, int]
    rows_given: int

    def summary(self) -> str:
        """How many rows and codes were mapped, for a person to read."""
        lines = [f"{self.rows_given:,} rows given, {len(self.data):,} with mapped codes"]
        lines += [f"  dropped: {count:,} {reason}" for reason, count in self.dropped.items()]
        if self.places is not None:
            lines.append(self.places.summary())
        if len(self.industries):
            mapped = self.industries["target_industry"].notna()
            lines.append(
                f"{len(self.industries):,} industry codes, {int(mapped.sum()):,} mapped, "
                f"{int((mapped & self.industries['is_split']).sum()):,} into units of several industries, "
                f"{int((mapped & ~self.industries['is_verified']).sum()):,} by unverified rows"
            )
        return "\n".join(lines)


def harmonise(
    data: pd.DataFrame,
    *,
    target_year: int | None = None,
    target_scheme: IndustryScheme | None = None,
    source_scheme: IndustryScheme | Literal["survey"] = "survey",
    place_level: PlaceLevel = "county",
    place_splits: Literal["first", "unmapped"] = "first",
    industry_splits: Literal["merge", "unmapped"] = "merge",
    place: str = "place",
    industry: str = "industry",
    year: str = "year",
) -> Harmonised:
    """Map the codes of every row, each read in the list of its own year.

    Do this before clusters are looked for: places and industries that were merged are then counted
    together, which no later step can do.

    Parameters
    ----------
    data : pandas.DataFrame
        Microdata, as from :func:`econometrics.clusters.microdata.standard_microdata`.
    target_year : int, optional
        Year of the list of places to map to; None leaves places as they are.
    target_scheme : str, optional
        Classification whose two-digit industries are wanted; None leaves industries as they are.
    source_scheme : str
        Classification of the data; ``survey`` takes that of the year.
    place_level : {"county", "prefecture", "province"}
        Level of the mapped places.
    place_splits : {"first", "unmapped"}
        A divided place goes to its main part, or its rows are dropped.
    industry_splits : {"merge", "unmapped"}
        Industries that were divided become one unit in all years, or their rows are dropped.
    place, industry, year : str
        Columns; ``place_given`` where microdata were already brought to a level.

    Returns
    -------
    Harmonised

    Raises
    ------
    DataError
        If columns are missing or neither a year nor a classification is given.
    """
    missing = [name for name in (place, industry, year) if name not in data.columns]
    if missing:
        raise DataError(f"no column {', '.join(missing)}; the columns are {', '.join(map(str, data.columns))}")
    if target_year is None and target_scheme is None:
        raise DataError("nothing to map to: give target_year for places, target_scheme for industries, or both")
    places, industries = None, pd.DataFrame()
    new_place, new_industry = data[place].astype("str"), data[industry].astype("str")
    if target_year is not None:
        places = map_places(data, target_year=target_year, place=place, year=year, splits=place_splits)
        pairs = places.data.set_index(["place", "year"])["target_place"]
        keys = pd.MultiIndex.from_arrays([new_place, data[year].astype("int64")])
        new_place = places_at_level(pd.Series(pairs.reindex(keys).to_numpy(), index=data.index), place_level)
    if target_scheme is not None:
        schemes = _schemes(data[year], source_scheme)
        industries = _industries(new_industry, schemes, target_scheme, industry_splits)
        codes = industries.set_index(["scheme", "industry"])["target_industry"]
        keys = pd.MultiIndex.from_arrays([schemes, new_industry])
        new_industry = pd.Series(codes.reindex(keys).to_numpy(), index=data.index)
    lost_place, lost_industry = new_place.isna(), new_industry.isna()
    dropped = {
        "rows whose place is not mapped": int(lost_place.sum()),
        "rows whose industry is not mapped": int((lost_industry & ~lost_place).sum()),
    }
    made = data.assign(
        place=new_place,
        industry=new_industry,
        place_before=data[place],
        industry_before=data[industry],
        year=data[year],
    )
    kept = made[~(lost_place | lost_industry)]
    return Harmonised(kept, places, industries, {k: n for k, n in dropped.items() if n}, len(data))


def _schemes(years: pd.Series, source_scheme: str) -> pd.Series:
    if source_scheme != "survey":
        return pd.Series(source_scheme, index=years.index, dtype="str")
    return years.map({year: industry_scheme(int(year), "survey") for year in years.dropna().unique()}).astype("str")


def _industries(
    codes: pd.Series, schemes: pd.Series, target: str, splits: Literal["merge", "unmapped"]
) -> pd.DataFrame:
    """Every code of every classification with its target; units hold for all classifications together."""
    used = sorted(schemes.dropna().unique())
    units = industry_units(used, target)
    parts = []
    for scheme in used:
        result = map_industries(codes[schemes == scheme], source=scheme, target=target, splits=splits).data
        if splits == "merge":
            first = result["candidates"].str.split(";").str[0]
            target_unit = first.map(units).where(result["target_industry"].notna())
            result = result.assign(
                target_industry=target_unit, is_split=target_unit.str.contains("+", regex=False).eq(True)
            )
        parts.append(result.assign(scheme=scheme))
    columns = ["scheme", "industry", "target_industry", "is_split", "is_verified", "reason"]
    return pd.concat(parts, ignore_index=True)[columns]
