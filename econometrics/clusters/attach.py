"""Carry clusters forward to listed firms: an explicit lag or base year, codes of both times mapped, gaps listed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from econometrics.clusters.industry_concordance import IndustryScheme, industry_scheme, map_industries
from econometrics.clusters.map import KEYS, ClusterMap
from econometrics.places.concordance import places_then
from econometrics.places.lists import PlaceLevel, place_at_level
from shuzhi import DataError

Absent = Literal["not_cluster", "missing"]
Several = Literal["strongest", "unmatched"]
Years = Literal["own", "as_given"]
FOUND, ABSENT = "matched", "no establishment of the industry in the place"
OUT = ("is_cluster", "cluster_size", "cluster_strength")


@dataclass(frozen=True)
class AttachedClusters:
    """Firm-years with the clusters of an earlier year.

    Parameters
    ----------
    data : pandas.DataFrame
        The firms, order and index kept, with ``cluster_year``, ``cluster_place``, ``cluster_industry``,
        ``is_cluster`` (boolean, missing where unmatched), ``cluster_size``, ``cluster_strength``,
        ``cluster_candidates`` (cells that the codes may stand for) and ``cluster_match`` (``matched``, or why not).
    matches : pandas.Series
        Firm-years by ``cluster_match``.
    method : str
        Method of the cluster map.
    parameters : Mapping[str, object]
        All choices.
    assumptions : tuple of str
        In words.
    """

    data: pd.DataFrame
    matches: pd.Series
    method: str
    parameters: Mapping[str, Any]
    assumptions: tuple[str, ...]

    @property
    def unmatched(self) -> pd.DataFrame:
        """Firm-years without a cell of the map, with the reason in ``cluster_match``."""
        return self.data[self.data["cluster_match"] != FOUND]

    def summary(self) -> str:
        """How many firm-years were matched, and why the others were not, for a person to read."""
        choices = ", ".join(f"{name}={value}" for name, value in self.parameters.items())
        member = int(self.data["is_cluster"].fillna(False).sum())
        lines = [
            f"Clusters by {self.method} carried to {len(self.data):,} firm-years ({choices})",
            f"  in a cluster: {member:,}; not in one: {int(self.data['is_cluster'].eq(False).fillna(False).sum()):,}; "
            f"unknown: {int(self.data['is_cluster'].isna().sum()):,}",
            f"  codes that stand for several cells: {int(self.data['cluster_candidates'].gt(1).sum()):,}",
        ]
        lines += [f"  {reason}: {int(count):,}" for reason, count in self.matches.items()]
        lines += [f"  assumes: {text}" for text in self.assumptions]
        return "\n".join(lines)


def attach_clusters(
    firms: pd.DataFrame,
    clusters: ClusterMap,
    *,
    lag: int | None = None,
    base_year: int | None = None,
    place: str = "place",
    industry: str = "industry",
    year: str = "report_year",
    place_level: PlaceLevel = "county",
    firm_places: Years | int = "own",
    cluster_places: Years | int = "own",
    firm_scheme: IndustryScheme | Literal["listed", "as_given"] = "as_given",
    cluster_scheme: IndustryScheme | Literal["survey", "as_given"] = "as_given",
    absent: Absent = "not_cluster",
    several: Several = "strongest",
) -> AttachedClusters:
    """Give each firm-year the cluster of its place and industry some years before, or in one base year.

    A firm's present place and industry are looked up in the map of the earlier year; that it moved or
    was founded since is intended. Codes are mapped from the list of the firm's year to that of the map.

    Parameters
    ----------
    firms : pandas.DataFrame
        One row a firm and year.
    clusters : ClusterMap
        Clusters by place, industry and year, whatever the method.
    lag : int, optional
        Years between a firm's year and that of the map, such as 10. Give this or ``base_year``.
    base_year : int, optional
        One year of the map for all firms.
    place, industry, year : str
        Columns of the firms.
    place_level : {"county", "prefecture", "province"}
        Level of the places of the map; firms' codes are brought to it.
    firm_places, cluster_places : "own", "as_given" or int
        List that place codes are from: that of their own year (the firm's, the map's), or that of the year
        given. ``as_given`` for either compares codes as they are.
    firm_scheme, cluster_scheme : str
        Industry classifications; ``listed`` and ``survey`` take that of the year (CSRC 2001 or 2012;
        GB/T 4754). ``as_given`` for either compares codes as they are. Mapping is between two-digit
        industries; a map with more digits gives several cells.
    absent : {"not_cluster", "missing"}
        A place-industry that is not in the map although both the place and the industry are in that
        year: no cluster, its strength missing; or all missing.
    several : {"strongest", "unmatched"}
        Codes that stand for several cells (a divided place or industry): the cluster among them, then the
        largest strength; or unmatched.

    Returns
    -------
    AttachedClusters

    Raises
    ------
    DataError
        If columns are missing, a column would be overwritten, or not exactly one of ``lag`` and ``base_year`` is given.
    """
    _check(firms, lag, base_year, (place, industry, year))
    keys = _firm_keys(firms, (place, industry, year), lag, base_year)
    combos = keys.drop_duplicates(ignore_index=True)
    combos["cell_place"], place_reason = _cell_places(combos, clusters, place_level, firm_places, cluster_places)
    combos["cell_industry"], industry_reason = _cell_industries(combos, clusters, firm_scheme, cluster_scheme)
    reason = place_reason.where(place_reason.ne(""), industry_reason)
    found = _look_up(combos, reason, clusters, absent, several)
    joined = keys.merge(found, on=list(keys.columns), how="left", validate="many_to_one")
    data = firms.assign(
        cluster_year=joined["cluster_year"].to_numpy(),
        **{name: joined[name].array for name in ("cluster_place", "cluster_industry", *OUT)},
        cluster_candidates=joined["cluster_candidates"].to_numpy(),
        cluster_match=joined["cluster_match"].array,
    )
    parameters = {
        **({"lag": lag} if lag is not None else {"base_year": base_year}),
        "place_level": place_level,
        "firm_places": firm_places,
        "cluster_places": cluster_places,
        "firm_scheme": firm_scheme,
        "cluster_scheme": cluster_scheme,
        "absent": absent,
        "several": several,
    }
    when = f"{lag} years before" if lag is not None else f"in {base_year}"
    return AttachedClusters(
        data,
        data["cluster_match"].value_counts(),
        clusters.method,
        parameters,
        (f"a firm's present place and industry say which cluster {when} matters for it",),
    )


def _check(firms: pd.DataFrame, lag: int | None, base_year: int | None, columns: tuple[str, str, str]) -> None:
    problems = []
    if (lag is None) == (base_year is None):
        problems.append("give either lag (such as 10) or base_year (such as 1998)")
    missing = [name for name in columns if name not in firms.columns]
    if missing:
        problems.append(f"firms have no column {', '.join(missing)}; they have {', '.join(map(str, firms.columns))}")
    made = ("cluster_year", "cluster_place", "cluster_industry", *OUT, "cluster_candidates", "cluster_match")
    present = [name for name in made if name in firms.columns]
    if present:
        problems.append(f"firms already have the columns {', '.join(present)}; drop or rename them")
    if problems:
        raise DataError("clusters cannot be attached: " + "; ".join(problems))


def _firm_keys(
    firms: pd.DataFrame, columns: tuple[str, str, str], lag: int | None, base_year: int | None
) -> pd.DataFrame:
    keys = firms[list(columns)].reset_index(drop=True)
    keys.columns = pd.Index(["firm_place", "firm_industry", "firm_year"])
    for name in ("firm_place", "firm_industry"):
        keys[name] = keys[name].astype("str").fillna("")
    keys["firm_year"] = pd.to_numeric(keys["firm_year"]).astype("Int64")
    # A firm-year without a year gets none of the map either, whichever rule holds.
    keys["cluster_year"] = keys["firm_year"] - (lag or 0) if base_year is None else keys["firm_year"] * 0 + base_year
    return keys


def _cell_places(
    combos: pd.DataFrame, clusters: ClusterMap, level: PlaceLevel, firm_places: Years | int, cluster_places: Years | int
) -> tuple[pd.Series, pd.Series]:
    """Candidate places of each row in the codes of the map, and why there are none."""
    known_years = set(clusters.data["year"].unique())
    result, reasons = [], []
    for code, of_year, map_year in zip(combos["firm_place"], combos["firm_year"], combos["cluster_year"], strict=True):
        reason, places = "", []
        if pd.isna(of_year) or pd.isna(map_year):
            reason = "firm without a year"
        elif map_year not in known_years:
            reason = f"the map has no year {map_year}"
        elif len(code) != 6 or not code.isdigit():
            reason = "firm without a place code of six digits"
        elif firm_places == "as_given" or cluster_places == "as_given":
            places = [place_at_level(code, level)]
        else:
            source = int(of_year) if firm_places == "own" else int(firm_places)
            target = int(map_year) if cluster_places == "own" else int(cluster_places)
            places = _mapped_places(code, source, target, level)
            reason = "" if places else "the place code has no place in the list of the map"
        result.append(places)
        reasons.append(reason)
    return pd.Series(result, index=combos.index, dtype=object), pd.Series(reasons, index=combos.index, dtype="str")


def _mapped_places(code: str, source: int, target: int, level: PlaceLevel) -> list[str]:
    """Places of the map at its level; above county level a county that is new since falls back to its prefecture."""
    found = places_then(code, source, target)
    if not found and level != "county":
        found = places_then(place_at_level(code, "prefecture"), source, target)
    return list(dict.fromkeys(place_at_level(one, level) for one in found))


def _cell_industries(
    combos: pd.DataFrame, clusters: ClusterMap, firm_scheme: str, cluster_scheme: str
) -> tuple[pd.Series, pd.Series]:
    """Candidate industries of each row in the codes of the map, and why there are none."""
    finer = _finer_codes(clusters)
    as_given = "as_given" in (firm_scheme, cluster_scheme)
    mapped: dict[tuple[str, str, str], list[str]] = {}
    result, reasons = [], []
    for code, of_year, map_year in zip(
        combos["firm_industry"], combos["firm_year"], combos["cluster_year"], strict=True
    ):
        reason, found = "", []
        if code == "":
            reason = "firm without an industry code"
        elif pd.isna(of_year) or pd.isna(map_year) or as_given:
            found = finer.get(code, [code])
        elif firm_scheme == "listed" and of_year < 2001:
            reason = "no CSRC classification before 2001"
        else:
            source = industry_scheme(int(of_year), "listed") if firm_scheme == "listed" else firm_scheme
            target = industry_scheme(int(map_year), "survey") if cluster_scheme == "survey" else cluster_scheme
            key = (code, source, target)
            if key not in mapped:
                table = map_industries([code], source=source, target=target, splits="candidates").data
                mapped[key] = [str(one) for one in table["target_industry"].dropna()]
            found = list(dict.fromkeys(cell for one in mapped[key] for cell in finer.get(one, [one])))
            reason = "" if found else f"the industry code has no industry in {target}"
        result.append(found)
        reasons.append(reason)
    return pd.Series(result, index=combos.index, dtype=object), pd.Series(reasons, index=combos.index, dtype="str")


def _finer_codes(clusters: ClusterMap) -> dict[str, list[str]]:
    """Codes of the map for a coarser code (first digits of 3921) or for a part of a unit (41 of 24+41)."""
    finer: dict[str, list[str]] = {}
    for code in sorted(clusters.data["industry"].unique()):
        coarser = code.split("+") if "+" in code else [code[:cut] for cut in range(2, len(code))]
        for one in (*coarser, code):
            finer.setdefault(one, []).append(code)
    return finer


def _look_up(
    combos: pd.DataFrame, reason: pd.Series, clusters: ClusterMap, absent: Absent, several: Several
) -> pd.DataFrame:
    """Find the best cell of the map for each row of distinct codes."""
    cells = clusters.data.set_index(list(KEYS))[list(OUT)].sort_index()
    values = dict(zip(cells.index, cells.itertuples(index=False, name=None), strict=True))
    present = {
        kind: set(zip(clusters.data[kind], clusters.data["year"], strict=True)) for kind in ("place", "industry")
    }
    rows = []
    for why, places, industries, of_year in zip(
        reason, combos["cell_place"], combos["cell_industry"], combos["cluster_year"], strict=True
    ):
        candidates = [(one, other, of_year) for one in places for other in industries]
        rows.append(_best(why, candidates, values, present, absent, several))
    names = ["cluster_place", "cluster_industry", *OUT, "cluster_candidates", "cluster_match"]
    found = pd.DataFrame(rows, columns=names, index=combos.index)
    found["is_cluster"] = found["is_cluster"].astype("boolean")
    for name in ("cluster_size", "cluster_strength"):
        found[name] = pd.to_numeric(found[name]).astype("float64")
    for name in ("cluster_place", "cluster_industry", "cluster_match"):
        found[name] = found[name].astype("str")
    return pd.concat([combos.drop(columns=["cell_place", "cell_industry"]), found], axis=1)


def _best(
    why: str,
    candidates: list[tuple[str, str, int]],
    values: Mapping[Any, tuple[Any, ...]],
    present: Mapping[str, set[tuple[str, int]]],
    absent: Absent,
    several: Several,
) -> tuple[Any, ...]:
    nothing = (None, None, None, None, None)
    if why:
        return (*nothing, 0, why)
    here = [cell for cell in candidates if cell in values]
    if len(candidates) > 1 and several == "unmatched":
        return (*nothing, len(candidates), "the codes stand for several cells")
    if here:
        cell = max(here, key=lambda one: (bool(values[one][0]), pd.notna(values[one][2]), values[one][2]))
        return (cell[0], cell[1], *values[cell], len(candidates), FOUND)
    for kind, position in (("place", 0), ("industry", 1)):
        if not any((cell[position], cell[2]) in present[kind] for cell in candidates):
            return (*nothing, len(candidates), f"the map has no such {kind} in the year")
    known = False if absent == "not_cluster" else None
    only = candidates[0][:2] if len(candidates) == 1 else (None, None)
    return (*only, known, None, None, len(candidates), ABSENT)
