"""Firm or establishment microdata as they come, in one frame: place, industry, year, employment, output, point."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from econometrics.clusters.microdata_codes import (
    identifier_codes,
    industry_codes,
    map_unique,
    number_values,
    place_codes,
    year_numbers,
)
from econometrics.places.lists import PlaceLevel, name_in_or_near, place_at_level
from econometrics.reference import load_reference
from shuzhi import DataError

IndustryDigits = Literal[2, 3, 4]
Duplicates = Literal["first", "largest", "drop", "keep"]
KEYS = ("place", "industry", "year")
# Longitude and latitude of China with its seas, in degrees.
BOX = ((73.0, 136.0), (3.0, 54.0))


@dataclass(frozen=True)
class Microdata:
    """Establishments in one frame, with everything that was found odd.

    Parameters
    ----------
    data : pandas.DataFrame
        One row an establishment and year; the original index is kept.
    checks : pandas.DataFrame
        One row a finding: ``check``, ``column``, ``rows``, ``treatment``, ``examples``.
    columns : Mapping[str, str]
        Standard column to column of the file.
    dropped : Mapping[str, int]
        Rows that were dropped, by reason.
    rows_given : int
        Rows of the file.
    """

    data: pd.DataFrame
    checks: pd.DataFrame
    columns: Mapping[str, str]
    dropped: Mapping[str, int]
    rows_given: int

    def summary(self) -> str:
        """What was read, changed and dropped, for a person to read."""
        lines = [f"{self.rows_given:,} rows given, {len(self.data):,} kept"]
        lines += [f"  dropped: {count:,} {reason}" for reason, count in self.dropped.items() if count]
        for check, column, rows, treatment, examples in self.checks.itertuples(index=False, name=None):
            lines.append(f"  {check}: {rows:,} rows of {column}, {treatment}" + (f" ({examples})" if examples else ""))
        return "\n".join(lines)


class _Checks:
    """Collects findings; empty ones are left out."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, str, int, str, str]] = []

    def add(self, check: str, column: str, rows: pd.Series, treatment: str, values: pd.Series | None = None) -> None:
        count = int(rows.sum())
        if count:
            shown = [] if values is None else list(dict.fromkeys(map(str, values[rows])))[:3]
            self.rows.append((check, column, count, treatment, ", ".join(shown)))

    def table(self) -> pd.DataFrame:
        return pd.DataFrame(self.rows, columns=["check", "column", "rows", "treatment", "examples"])


def _fold(name: str) -> str:
    """Column names compare without case, blanks, brackets, dashes and underscores."""
    return re.sub(r"[\s()_\-.:,、\[\]]", "", unicodedata.normalize("NFKC", str(name))).lower()


def find_columns(
    names: Sequence[str], mapping: Mapping[str, str] | None = None
) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Find the standard columns among the names of a file.

    Parameters
    ----------
    names : sequence of str
        Names of the file's columns.
    mapping : Mapping[str, str], optional
        Standard column to column of the file; goes before the usual names.

    Returns
    -------
    tuple
        Standard column to column of the file, and standard column to further columns that would do as well.

    Raises
    ------
    DataError
        If the mapping names a column that the file lacks or a standard column that does not exist.
    """
    table = load_reference("establishment_columns").data
    given = dict(mapping or {})
    known = list(dict.fromkeys(table["column"]))
    problems = [f"no standard column {name!r}; there are {', '.join(known)}" for name in given if name not in known]
    problems += [f"no column {name!r} in the file for {key}" for key, name in given.items() if name not in names]
    if problems:
        raise DataError("the mapping of columns does not fit: " + "; ".join(problems))
    folded: dict[str, str] = {}
    for name in names:
        folded.setdefault(_fold(name), name)
    found, others = dict(given), {}
    for column, rows in table.groupby("column", sort=False):
        hits = [folded[key] for key in dict.fromkeys(map(_fold, rows["alias"])) if key in folded]
        hits = [hit for hit in dict.fromkeys(hits) if hit not in given.values()]
        if column not in found and hits:
            found[str(column)], rest = hits[0], hits[1:]
            if rest:
                others[str(column)] = rest
    return found, others


def standard_microdata(
    data: pd.DataFrame,
    *,
    mapping: Mapping[str, str] | None = None,
    factors: Mapping[str, float] | None = None,
    industry_digits: IndustryDigits = 4,
    place_level: PlaceLevel = "county",
    year: int | None = None,
    duplicates: Duplicates = "first",
) -> Microdata:
    """Bring microdata into the standard frame and count all that is odd.

    Usual names are those of the Annual Survey of Industrial Firms in Chinese, English and pinyin.
    Nothing is guessed about amounts: text in a number, a negative number and a point outside China
    become missing and are counted. Rows without place, industry or year are dropped, the others kept.

    Parameters
    ----------
    data : pandas.DataFrame
        The file.
    mapping : Mapping[str, str], optional
        Standard column to column of the file, where names are not the usual ones.
    factors : Mapping[str, float], optional
        Multiply a standard number column, such as ``{"output": 10.0}`` for ten thousand yuan into thousand yuan.
    industry_digits : {2, 3, 4}
        Codes are cut to so many digits; shorter ones are dropped and counted.
    place_level : {"county", "prefecture", "province"}
        Level of ``place``; the six digits as given stay in ``place_given``.
    year : int, optional
        Year of all rows, for files without such a column.
    duplicates : {"first", "largest", "drop", "keep"}
        Of rows with the same identifier and year keep the first in the file, the one with the largest
        employment, none, or all.

    Returns
    -------
    Microdata
        ``place``, ``industry`` (str), ``year`` (int), ``place_given``, and those of the standard
        columns that the file has.

    Raises
    ------
    DataError
        If place, industry or year has no column (the file's columns are named), or no row is left.
    """
    columns, others = find_columns([str(name) for name in data.columns], mapping)
    missing = [name for name in KEYS if name not in columns and not (name == "year" and year is not None)]
    if missing:
        raise DataError(
            f"no column for {', '.join(missing)}; name it in the mapping. The columns are: "
            + ", ".join(map(str, data.columns))
        )
    checks = _Checks()
    for column, names in others.items():
        everything = pd.Series(True, index=data.index)
        checks.add("several columns fit", column, everything, f"{columns[column]} was read, not {', '.join(names)}")
    frame = _convert(data, columns, factors or {}, year, checks)
    frame = _points(frame, checks)
    frame, dropped = _drop_incomplete(frame, industry_digits)
    frame = _coarsen(frame, industry_digits, place_level, checks)
    frame, double = _duplicates(frame, duplicates, checks)
    dropped |= double
    if frame.empty:
        reasons = ", ".join(f"{count} {reason}" for reason, count in dropped.items() if count)
        raise DataError(f"no establishment is left of {len(data)}: {reasons}")
    return Microdata(frame, checks.table(), columns, {k: n for k, n in dropped.items() if n}, len(data))


def _convert(
    data: pd.DataFrame, columns: Mapping[str, str], factors: Mapping[str, float], year: int | None, checks: _Checks
) -> pd.DataFrame:
    kinds = load_reference("establishment_columns").data.drop_duplicates("column").set_index("column")["kind"]
    out: dict[str, Any] = {}
    for column, name in columns.items():
        raw, kind = data[name], kinds[column]
        if kind == "code":
            out[column], short = identifier_codes(raw)
            checks.add("lost zeros", column, short, "restored", out[column])
        elif kind == "industry":
            out[column], short = industry_codes(raw)
            checks.add("lost zeros", column, short, "restored", out[column])
        elif kind == "place":
            out[column], other = place_codes(raw)
            checks.add("code without six digits", column, other, "cut or filled to six", raw)
            checks.add("no place code", column, out[column].eq("") & raw.notna(), "missing", raw)
        elif kind == "integer":
            out[column] = year_numbers(raw)
        elif kind == "number":
            out[column] = _numbers(raw, column, factors.get(column, 1.0), checks)
        else:
            out[column] = map_unique(raw, lambda value: str(value).strip())
    if year is not None:
        out["year"] = pd.Series(year, index=data.index, dtype="Int64")
    return pd.DataFrame(out, index=data.index)


def _numbers(raw: pd.Series, column: str, factor: float, checks: _Checks) -> pd.Series:
    values, text = number_values(raw)
    checks.add("no number", column, text, "missing", raw)
    is_point = column in ("longitude", "latitude")
    if not is_point and column != "value_added":
        checks.add("negative", column, values.lt(0), "missing", raw)
        values = values.mask(values.lt(0))
    checks.add("missing", column, values.isna(), "kept as missing")
    if not is_point:
        checks.add("zero", column, values.eq(0), "kept")
    return values * factor


def _points(frame: pd.DataFrame, checks: _Checks) -> pd.DataFrame:
    if not {"longitude", "latitude"} <= set(frame.columns):
        return frame
    (west, east), (south, north) = BOX
    longitude, latitude = frame["longitude"], frame["latitude"]
    inside = longitude.between(west, east) & latitude.between(south, north)
    swapped = ~inside & latitude.between(west, east) & longitude.between(south, north)
    outside = ~inside & ~swapped & longitude.notna() & latitude.notna()
    checks.add("longitude and latitude exchanged", "longitude", swapped, "turned round", longitude)
    checks.add("point outside China", "longitude", outside, "missing", longitude)
    return frame.assign(
        longitude=longitude.mask(swapped, latitude).mask(outside),
        latitude=latitude.mask(swapped, longitude).mask(outside),
    )


def _drop_incomplete(frame: pd.DataFrame, digits: int) -> tuple[pd.DataFrame, dict[str, int]]:
    """Drop each row for the first thing that it lacks."""
    number = frame["industry"].str.extract(r"^[A-Z]?(\d+)$", expand=False).fillna("")
    reasons = {
        "without a year": frame["year"].isna(),
        "without a place": frame["place"].eq(""),
        "without an industry": number.eq(""),
        f"with an industry code of fewer than {digits} digits": number.str.len().lt(digits),
    }
    keep = pd.Series(True, index=frame.index)
    dropped = {}
    for reason, rows in reasons.items():
        dropped[reason] = int((rows & keep).sum())
        keep &= ~rows
    return frame[keep], dropped


def _coarsen(frame: pd.DataFrame, digits: int, level: PlaceLevel, checks: _Checks) -> pd.DataFrame:
    pairs = frame[["place", "year"]].drop_duplicates()
    unknown = {
        (code, year)
        for code, year in zip(pairs["place"], pairs["year"], strict=True)
        if name_in_or_near(code, int(year)) is None
    }
    listed = pd.Series(
        [pair not in unknown for pair in zip(frame["place"], frame["year"], strict=True)], index=frame.index
    )
    checks.add("place code in no list from 1980 to 2019", "place", ~listed, "kept", frame["place"])
    if level == "county":
        # Cities without counties (东莞, 中山) carry the code of the prefecture, so such a code is no error by itself.
        checks.add(
            "code of a prefecture or province", "place", frame["place"].str.endswith("00"), "kept", frame["place"]
        )
    place = map_unique(frame["place"], lambda code: place_at_level(str(code), level))
    letters = frame["industry"].str.extract(r"^([A-Z]?)", expand=False).str.len()
    industry = pd.Series(
        [code[: digits + letter] for code, letter in zip(frame["industry"], letters, strict=True)],
        index=frame.index,
        dtype="str",
    )
    first = [name for name in ("establishment_id", "name") if name in frame.columns]
    made = frame.assign(place_given=frame["place"], place=place, industry=industry, year=frame["year"].astype("int64"))
    order = [*first, *KEYS, "place_given"]
    return made[order + [name for name in made.columns if name not in order]]


def _duplicates(frame: pd.DataFrame, rule: Duplicates, checks: _Checks) -> tuple[pd.DataFrame, dict[str, int]]:
    if "establishment_id" not in frame.columns:
        return frame, {}
    blank = frame["establishment_id"].eq("")
    checks.add("no identifier", "establishment_id", blank, "kept, never taken for a duplicate")
    keys = ["establishment_id", "year"]
    double = frame.duplicated(keys, keep=False) & ~blank
    checks.add(
        "whole row repeated", "establishment_id", frame.duplicated() & ~blank, f"rule {rule}", frame["establishment_id"]
    )
    checks.add("identifier and year repeated", "establishment_id", double, f"rule {rule}", frame["establishment_id"])
    if rule == "keep" or not double.any():
        return frame, {}
    if rule == "drop":
        remove = double
    elif rule == "largest" and "employment" in frame.columns:
        order = np.argsort(-frame["employment"].fillna(-np.inf).to_numpy(), kind="stable")
        later = np.zeros(len(frame), dtype=bool)
        later[order] = frame[keys].iloc[order].duplicated().to_numpy()
        remove = pd.Series(later, index=frame.index) & ~blank
    else:
        remove = frame.duplicated(keys) & ~blank
    return frame[~remove], {f"repeating an identifier and year (rule {rule})": int(remove.sum())}
