"""County and prefecture codes of one year in the places of another: by code, name and known successor."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Literal

import numpy as np
import pandas as pd

from econometrics.places.distances import great_circle_km
from econometrics.places.lists import (
    MUNICIPALITIES,
    is_heading,
    is_shared_name,
    level_of,
    list_date,
    name_in_or_near,
    name_stem,
    place_names,
)
from econometrics.reference import load_reference
from shuzhi import DataError

# How a place was found, best first; the last ones ask for a look.
HOW = MappingProxyType(
    {
        "same": "code and name unchanged",
        "same_code_new_kind": "code unchanged, another kind of place (county to district)",
        "name_in_prefecture": "name unchanged, another code in the same prefecture",
        "stem_in_prefecture": "another code and kind in the same prefecture",
        "successor": "named in the table of successors",
        "name_in_province": "name unchanged, another prefecture",
        "stem_in_province": "another code, kind and prefecture; the only one of its name in the province",
        "merged_since": "the place of that year that has since become part of this one",
        "same_code_new_name": "code unchanged, another name: renamed, or the code was given anew",
    }
)
Splits = Literal["first", "candidates", "unmapped"]


@dataclass(frozen=True)
class PlaceConcordance:
    """Place codes of one list in the places of another.

    Parameters
    ----------
    data : pandas.DataFrame
        One row a code and year (with ``splits="candidates"`` one a candidate): ``place``, ``name``,
        ``year``, ``listed_year`` (of the list the code was found in, if not that of its year),
        ``target_place``, ``target_name``, ``how`` (see :data:`HOW`), ``is_split``, ``candidates``
        (codes joined by semicolons), ``reason`` (why there is no target), ``distance_km`` (between
        the points of both, missing where one has none).
    target_year : int
        Year whose list the targets are from.
    splits : str
        How places that were divided are treated.
    """

    data: pd.DataFrame
    target_year: int
    splits: Splits

    @property
    def unmapped(self) -> pd.DataFrame:
        """Codes without a target, with the reason."""
        return self.data[self.data["target_place"].isna()].reset_index(drop=True)

    @property
    def doubtful(self) -> pd.DataFrame:
        """Mapped codes to look at: found by a code whose name changed, or more than 60 km from their target."""
        weak = self.data["how"].eq("same_code_new_name") | self.data["distance_km"].gt(60.0)
        return self.data[weak & self.data["target_place"].notna()].reset_index(drop=True)

    def summary(self) -> str:
        """How many codes were found, and how, and how many were not, for a person to read."""
        codes = self.data.drop_duplicates(["place", "name", "year"])
        lines = [f"{len(codes):,} place codes in the list of {self.target_year}:"]
        counts = codes["how"].value_counts()
        lines += [f"  {int(counts[how]):,} {text}" for how, text in HOW.items() if how in counts]
        lines.append(f"  {int(codes['is_split'].sum()):,} were divided ({self.splits})")
        reasons = self.unmapped["reason"].value_counts()
        lines += [f"  not mapped: {int(count):,} {reason}" for reason, count in reasons.items()]
        return "\n".join(lines)


@dataclass(frozen=True)
class _Target:
    """A list with its names turned round: (area, name) and (area, stem) to codes."""

    names: Mapping[str, str]
    by_name: Mapping[tuple[str, str], tuple[str, ...]]
    by_stem: Mapping[tuple[str, str], tuple[str, ...]]


@cache
def _target(date: str) -> _Target:
    names = place_names(int(date[:4])) if date == list_date(int(date[:4])) else {}
    by_name: dict[tuple[str, str], list[str]] = defaultdict(list)
    by_stem: dict[tuple[str, str], list[str]] = defaultdict(list)
    for code, name in names.items():
        if is_heading(name):
            continue
        for area in (code[:2], code[:4]):
            key = f"{level_of(code)}:{area}"
            by_name[key, name].append(code)
            by_stem[key, name_stem(name)].append(code)
    return _Target(
        names,
        {key: tuple(codes) for key, codes in by_name.items()},
        {key: tuple(codes) for key, codes in by_stem.items()},
    )


@cache
def _successors() -> Mapping[tuple[str, str], tuple[str, ...]]:
    """Code and name of a vanished place to the codes of 2019 that hold its land, the main one first."""
    table = load_reference("china_county_successors").data
    return {
        (str(code), str(name)): tuple(str(codes).split(";"))
        for code, name, codes in zip(table["code"], table["name"], table["successors_2019"], strict=True)
    }


def _only(codes: tuple[str, ...] | None) -> str | None:
    return codes[0] if codes and len(codes) == 1 else None


def _same_stem(area: str, name: str, target: _Target) -> str | None:
    """The only place of the area with the stem of the name; a city or district never turns back into a county."""
    stem = name_stem(name)
    found = _only(target.by_stem.get((area, stem))) if len(stem) >= 2 else None
    if found is None or (name[-1] in "市区" and target.names[found][-1] in "县旗"):
        return None
    return found


def _by_name(code: str, name: str, target: _Target) -> tuple[str, str] | None:
    """Look for the name, then its stem, in the prefecture, then in the province."""
    level = level_of(code)
    areas = [("prefecture", code[:4])] if level == "county" else []
    # Across prefectures the name of a city district says nothing, except within a municipality.
    if not is_shared_name(name) or code[:2] in MUNICIPALITIES:
        areas.append(("province", code[:2]))
    for label, area in areas:
        key = f"{level}:{area}"
        found = _only(target.by_name.get((key, name)))
        if found:
            return found, f"name_in_{label}"
        found = _same_stem(key, name, target)
        if found:
            return found, f"stem_in_{label}"
    return None


def _renamed(code: str, name: str, source: Mapping[str, str], target: _Target) -> tuple[str, str] | None:
    """Accept an unchanged code with a new name, unless that name stood elsewhere in the prefecture (a reused code)."""
    new_name = target.names.get(code)
    if new_name is None or is_heading(new_name):
        return None
    stem = name_stem(new_name)
    reused = any(
        other != code and other[:4] == code[:4] and level_of(other) == level_of(code) and name_stem(other_name) == stem
        for other, other_name in source.items()
    )
    return None if reused else (code, "same_code_new_name")


def _find(code: str, name: str, source: Mapping[str, str], target: _Target) -> tuple[tuple[str, ...], str]:
    """Codes of the target list that hold a place, the main one first, and how they were found; empty where none is."""
    new_name = target.names.get(code)
    if new_name == name:
        return (code,), "same"
    if new_name is not None and name_stem(new_name) == name_stem(name) and not is_heading(new_name):
        return (code,), "same_code_new_kind"
    known = tuple(other for other in _successors().get((code, name), ()) if other in target.names)
    if known:
        return known, "successor"
    found = _by_name(code, name, target) or _renamed(code, name, source, target)
    return ((found[0],), found[1]) if found else ((), "")


def _no_target(code: str, year: int, found_name: bool) -> str:
    if found_name:
        return "no place of the target list holds it"
    heading = is_heading(place_names(year).get(code, ""))
    return "heading for all places of an area" if heading else "code in no list from 1980 to 2019"


@cache
def _held_then(year: int, target_year: int) -> Mapping[str, tuple[tuple[str, ...], str]]:
    """For a target list before the codes: each later place with the earlier places that became part of it."""
    earlier, later = place_names(target_year), _target(list_date(year))
    held: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for code, name in earlier.items():
        if not is_heading(name):
            found, how = _find(code, name, earlier, later)
            for one in found:
                held[one].append((code, how if len(found) == 1 else "successor"))
    return {
        code: (tuple(pair[0] for pair in pairs), pairs[0][1] if len(pairs) == 1 else "merged_since")
        for code, pairs in ((code, sorted(pairs, key=lambda pair: pair[0] != code)) for code, pairs in held.items())
    }


def _map_one(code: str, year: int, target_year: int) -> tuple[str | None, int, tuple[str, ...], str]:
    """Name of a code, the year of the list it was read in, its places in the target list and how they were found."""
    known = name_in_or_near(code, year)
    if known is None:
        return None, year, (), ""
    name, listed = known
    if list_date(listed) > list_date(target_year):
        found, how = _held_then(listed, target_year).get(code, ((), ""))
    else:
        found, how = _find(code, name, place_names(listed), _target(list_date(target_year)))
    return name, listed, found, how


@cache
def places_then(code: str, year: int, target_year: int) -> tuple[str, ...]:
    """Places of the target year's list that hold one place, the main one first; empty if none does.

    Parameters
    ----------
    code : str
        Six digits.
    year, target_year : int
        Year of the code, and of the list wanted; rules as in :func:`map_places`.
    """
    return _map_one(code, year, target_year)[2]


def map_places(
    places: pd.DataFrame | pd.Series,
    *,
    target_year: int,
    place: str = "place",
    year: str = "year",
    source_year: int | None = None,
    splits: Splits = "first",
) -> PlaceConcordance:
    """Map county, prefecture and province codes of any years to the places of one list.

    Each code is read in the list in force at the end of its own year, or in the nearest list that
    has it, so a code that changed hands is not confused. Rules, in order: code and name; code and
    stem of the name; the table of known successors; name, then stem, in the prefecture; the same in
    the province unless it is the name of a city district; the unchanged code of a renamed place.
    For a target year before the codes the same rules run forward and are turned round: a district
    gets the places that have since become part of it, and is marked as split if they are several.

    Parameters
    ----------
    places : pandas.DataFrame or pandas.Series
        Codes with their years (a frame), or codes of one year (a series, with ``source_year``).
    target_year : int
        Year of the list to map to.
    place, year : str
        Columns of the code and of the year.
    source_year : int, optional
        Year of all codes; then no column of years is read.
    splits : {"first", "candidates", "unmapped"}
        A place that was divided goes to its main part, to all parts (one row each), or to none, with the reason.

    Returns
    -------
    PlaceConcordance
        One row a distinct code and year (more with ``candidates``), sorted.

    Raises
    ------
    DataError
        If columns are missing, no year is given, or a year lies before the first list (1980).
    """
    rows = []
    for code, of_year in _pairs(places, place, year, source_year):
        name, listed, found, how = _map_one(code, of_year, target_year)
        divided = len(found) > 1
        chosen: tuple[str | None, ...] = found if divided and splits == "candidates" else (found[:1] or (None,))
        reason = "" if found else _no_target(code, of_year, name is not None)
        if divided and splits == "unmapped":
            chosen, reason = (None,), "divided among several places"
        rows += [(code, name, of_year, listed, one, how, divided, ";".join(found), reason) for one in chosen]
    columns = ["place", "name", "year", "listed_year", "target_place", "how", "is_split", "candidates", "reason"]
    data = pd.DataFrame(rows, columns=columns).astype({"place": "str", "target_place": "str", "year": "int64"})
    data.insert(5, "target_name", data["target_place"].map(dict(place_names(target_year))))
    data["distance_km"] = _distance(data, target_year)
    return PlaceConcordance(data.sort_values(["place", "year", "target_place"], ignore_index=True), target_year, splits)


def _pairs(places: pd.DataFrame | pd.Series, place: str, year: str, source_year: int | None) -> list[tuple[str, int]]:
    """Distinct codes with their years, in order."""
    if isinstance(places, pd.Series):
        if source_year is None:
            raise DataError("codes without a column of years need source_year")
        return sorted({(str(code), source_year) for code in places.dropna()})
    needed = [place] if source_year is not None else [place, year]
    missing = [name for name in needed if name not in places.columns]
    if missing:
        raise DataError(
            f"places have no column {', '.join(missing)}; the columns are {', '.join(map(str, places.columns))}"
        )
    known = places[needed].dropna().drop_duplicates()
    years = known[year] if source_year is None else [source_year] * len(known)
    return sorted({(str(code), int(of_year)) for code, of_year in zip(known[place], years, strict=True)})


@cache
def _points() -> pd.DataFrame:
    """Every code and name of 1998 to 2014 with its point; only points found for the place itself."""
    table = load_reference("china_county_codes_1998_2014").data
    return table[table["match"].ne("prefecture_fallback")].set_index(["code", "name"])[["longitude", "latitude"]]


def _distance(data: pd.DataFrame, target_year: int) -> pd.Series:
    """Kilometres between the point of a code and that of its target, where both have one."""
    points = _points()
    # The list of points ends in 2014: a later target is looked up by its code and name, if they stood then already.
    source = points.reindex(pd.MultiIndex.from_frame(data[["place", "name"]]))
    target = points.reindex(pd.MultiIndex.from_frame(data[["target_place", "target_name"]]))
    km = great_circle_km(
        *(points[column].to_numpy() for points in (source, target) for column in ("longitude", "latitude"))
    )
    return pd.Series(np.round(km, 1), index=data.index)
