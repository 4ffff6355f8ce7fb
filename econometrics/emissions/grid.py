"""The CO2 of electricity: average factors of the grids by province, region or nation, and which year serves which."""

from __future__ import annotations

from typing import Literal, NamedTuple

import pandas as pd

from econometrics.places.matching import province_codes, province_names
from econometrics.reference import load_reference
from shuzhi import DataError

GridLevel = Literal["province", "region", "nation"]
YearRule = Literal["nearest", "last", "exact"]
FIRST_YEAR_OF_SOUTHWEST = 2021


class GridFactor(NamedTuple):
    """Factor of one place and year."""

    tco2_per_mwh: float
    factor_year: int | None
    factor_place: str | None
    is_verified: bool | None
    reason: str | None


def grid_factors(
    provinces: pd.Series, years: pd.Series, *, level: GridLevel = "region", year_rule: YearRule = "nearest"
) -> pd.DataFrame:
    """Average CO2 factor of the grid for each row, in t CO2 per MWh.

    Parameters
    ----------
    provinces : pandas.Series
        Code or name of the province of each row.
    years : pandas.Series
        Year of each row, on the same index.
    level : {"province", "region", "nation"}
        Which factor. Regions follow the boundaries before 2021 up to 2020 and the later ones from 2021 on.
    year_rule : {"nearest", "last", "exact"}
        Which published year serves a row: the nearest (the earlier of two at the same distance), the last one that is
        not after the row's year, or only the same year.

    Returns
    -------
    pandas.DataFrame
        ``tco2_per_mwh``, ``factor_year``, ``factor_place``, ``is_verified`` and ``reason`` (why there is no factor), on
        the index of ``provinces``. Factors: NDRC for 2010 to 2012, MEE for 2021 and 2022.

    Raises
    ------
    DataError
        If the two series do not stand on one index.
    """
    if not provinces.index.equals(years.index):
        raise DataError("provinces and years of grid_factors must stand on the same rows")
    table = load_reference("grid_factors").data
    by_place = {
        str(place): rows.sort_values("year")
        for place, rows in table[table["level"] == level].groupby("name", sort=True)
    }
    regions = load_reference("grid_regions").data.set_index("province")
    names = province_names(province_codes(provinces), short=True)
    known: dict[tuple[str | None, int | None], GridFactor] = {}
    found = []
    for name, year in zip(names, pd.to_numeric(years), strict=True):
        key = (None if pd.isna(name) else str(name), None if pd.isna(year) else int(year))
        if key not in known:
            known[key] = _one(key, level, year_rule, by_place, regions)
        found.append(known[key])
    data = pd.DataFrame(found, columns=list(GridFactor._fields), index=provinces.index)
    kinds = {"tco2_per_mwh": "float64", "factor_year": "Int64", "is_verified": "boolean"}
    return data.astype({**kinds, "factor_place": "str", "reason": "str"})


def _one(
    key: tuple[str | None, int | None],
    level: GridLevel,
    year_rule: YearRule,
    by_place: dict[str, pd.DataFrame],
    regions: pd.DataFrame,
) -> GridFactor:
    """Factor of one province and year."""
    province, year = key
    if year is None:
        return GridFactor(float("nan"), None, None, None, "the year is missing")
    place: str | None = "全国"
    if level != "nation":
        if province is None:
            return GridFactor(float("nan"), None, None, None, "the province is missing or unknown")
        column = "region_from_2021" if year >= FIRST_YEAR_OF_SOUTHWEST else "region_to_2020"
        place = province if level == "province" else _region(regions, province, column)
    if place is None or place not in by_place:
        return GridFactor(float("nan"), None, None, None, f"no factor for {province} at the level {level}")
    rows = by_place[place]
    if year_rule == "exact":
        rows = rows[rows["year"] == year]
    elif year_rule == "last":
        rows = rows[rows["year"] <= year].tail(1)
    else:
        distance = (rows["year"] - year).abs()
        rows = rows[distance == distance.min()].head(1)
    if rows.empty:
        return GridFactor(float("nan"), None, place, None, f"no factor of {place} for {year} by the rule {year_rule}")
    row = rows.iloc[0]
    return GridFactor(float(row["tco2_per_mwh"]), int(row["year"]), place, bool(row["verified"]), None)


def _region(regions: pd.DataFrame, province: str, column: str) -> str | None:
    """Grid of a province, or None where the table has none."""
    if province not in regions.index:
        return None
    region = regions.at[province, column]
    return region if isinstance(region, str) else None
