"""Industry codes of one classification in the industries of another, with divided industries marked and gaps listed.

Places are mapped by :func:`econometrics.places.concordance.map_places`, which is offered here too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal, get_args

import pandas as pd

from econometrics.reference import load_reference
from shuzhi import DataError

IndustryScheme = Literal["gbt4754_1994", "gbt4754_2002", "gbt4754_2011", "gbt4754_2017", "csrc_2001", "csrc_2012"]
IndustrySplits = Literal["merge", "candidates", "unmapped"]
Register = Literal["survey", "listed"]


@dataclass(frozen=True)
class IndustryConcordance:
    """Industry codes of one classification in another.

    Parameters
    ----------
    data : pandas.DataFrame
        One row a code (with ``splits="candidates"`` one a code and candidate): ``industry``,
        ``division`` (what was looked up), ``target_industry`` (with ``merge`` a unit such as
        ``24+41``), ``is_split``, ``candidates`` (joined by semicolons), ``is_verified`` (all rows
        of the reference table that were used), ``reason`` (why there is no target).
    source, target : str
        The two classifications.
    splits : str
        How divided industries are treated.
    never_reached : tuple of str
        Target industries that no code of the source classification maps to.
    """

    data: pd.DataFrame
    source: str
    target: str
    splits: IndustrySplits
    never_reached: tuple[str, ...]

    @property
    def unmapped(self) -> pd.DataFrame:
        """Codes without a target, with the reason."""
        return self.data[self.data["target_industry"].isna()].reset_index(drop=True)

    def summary(self) -> str:
        """How many codes were mapped, divided, unverified and not mapped, for a person to read."""
        codes = self.data.drop_duplicates("industry")
        mapped = codes["target_industry"].notna()
        lines = [
            f"{len(codes):,} industry codes from {self.source} to {self.target}: {int(mapped.sum()):,} mapped, "
            f"{int((mapped & codes['is_split']).sum()):,} of them divided ({self.splits}), "
            f"{int((mapped & ~codes['is_verified']).sum()):,} by unverified rows"
        ]
        lines += [f"  not mapped: {row.industry} ({row.reason})" for row in self.unmapped.itertuples(index=False)]
        if self.never_reached:
            lines.append(f"  industries of {self.target} that nothing maps to: {', '.join(self.never_reached)}")
        return "\n".join(lines)


def industry_scheme(year: int, register: Register) -> IndustryScheme:
    """Classification in use for a year of data.

    Parameters
    ----------
    year : int
        Year of the data.
    register : {"survey", "listed"}
        The Annual Survey of Industrial Firms (GB/T 4754-1994 to 2002, -2002 to 2012, -2011 to 2017, then -2017), or
        listed firms (CSRC 2001 for 2001 to 2011, CSRC 2012 since).

    Raises
    ------
    DataError
        If listed firms had no such classification yet.
    """
    if register == "listed":
        if year < 2001:
            raise DataError(f"the CSRC guide dates from 2001; listed firms of {year} have no code in it")
        return "csrc_2001" if year < 2012 else "csrc_2012"
    if year <= 2002:
        return "gbt4754_1994"
    if year <= 2012:
        return "gbt4754_2002"
    return "gbt4754_2011" if year <= 2017 else "gbt4754_2017"


COMMON: IndustryScheme = "gbt4754_2011"


@dataclass(frozen=True)
class _Row:
    """A row of the table: the target, its kind, the groups it is limited to, whether it is verified."""

    target: str
    kind: str
    prefixes: tuple[str, ...]
    verified: bool


@cache
def _rows(scheme: str, target: str = COMMON) -> Mapping[str, tuple[_Row, ...]]:
    table = load_reference("industry_divisions").data
    rows: dict[str, list[_Row]] = defaultdict(list)
    for row in table[(table["scheme"] == scheme) & (table["target_scheme"] == target)].itertuples(index=False):
        prefixes = tuple(str(row.prefixes).split(";")) if isinstance(row.prefixes, str) else ()
        rows[str(row.code)].append(_Row(str(row.target_code), str(row.kind), prefixes, bool(row.verified)))
    return {code: tuple(found) for code, found in rows.items()}


def _division_of(code: str, scheme: str) -> str:
    """The code of the table behind a finer one: C39 of C3921 in the CSRC guides, 39 of 3921 in GB/T 4754."""
    return code[:3] if scheme.startswith("csrc") else code[:2]


def _forward(code: str, scheme: str, target: str = COMMON) -> tuple[tuple[str, ...], bool]:
    """Targets of a code, resolved by its group where it has one, and whether every row used is verified."""
    rows = _rows(scheme, target).get(_division_of(code, scheme), ())
    if len(code) > len(_division_of(code, scheme)):
        named = [row for row in rows if any(code.startswith(prefix) for prefix in row.prefixes)]
        rows = tuple(named or [row for row in rows if not row.prefixes])
    else:
        rows = tuple(row for row in rows if row.kind != "minor")
    return tuple(sorted({row.target for row in rows})), all(row.verified for row in rows)


@cache
def _backward(scheme: str, target: str = COMMON) -> Mapping[str, tuple[tuple[str, ...], bool]]:
    """Industries of a classification by the target that they go to in whole or in part."""
    back: dict[str, list[tuple[str, bool]]] = defaultdict(list)
    for code, rows in _rows(scheme, target).items():
        for row in rows:
            if row.kind != "minor":
                back[row.target].append((code, row.verified))
    return {
        one: (tuple(sorted(code for code, _ in codes)), all(verified for _, verified in codes))
        for one, codes in back.items()
    }


def _map_code(code: str, source: str, target: str) -> tuple[tuple[str, ...], bool]:
    """Targets of one code: itself, by a table between the two, or by way of the divisions of 2011."""
    division = _division_of(code, source)
    if source == target:
        return ((division,) if division in _rows(source) else ()), True
    if _rows(source, target):
        return _forward(code, source, target)
    if _rows(target, source):
        return _backward(target, source).get(division, ((), True))
    divisions, verified = _forward(code, source)
    steps = [_backward(target)[one] for one in divisions if one in _backward(target)]
    found = tuple(sorted({other for codes, _ in steps for other in codes}))
    return found, verified and all(sure for _, sure in steps)


def _units(links: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """Label of each target's connected component in the graph of source and target codes: 24 and 41 become 24+41."""
    component: dict[str, set[str]] = {}
    for targets in links.values():
        merged = set(targets).union(*(component.get(one, set()) for one in targets))
        for one in merged:
            component[one] = merged
    return {one: "+".join(sorted(members)) for one, members in component.items()}


def industry_units(sources: Sequence[str], target: str) -> dict[str, str]:
    """Units of target industries that hold for several classifications at once.

    Parameters
    ----------
    sources : sequence of str
        Classifications of the data, one for each part of a panel.
    target : str
        Classification wanted.

    Returns
    -------
    dict of str to str
        Target industry to unit: industries that any source links, directly or through others, share one
        (with the surveys of 1994 and 2002, 24, 41 and 42 of 2011 are ``24+41+42``).
    """
    links = {f"{source} {code}": _map_code(code, source, target)[0] for source in sources for code in _rows(source)}
    return _units(links) | {one: one for one in _rows(target) if all(one not in found for found in links.values())}


def _table_links(table: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    missing = [name for name in ("source", "target") if name not in table.columns]
    if missing:
        raise DataError(f"a concordance table needs the columns source and target; missing: {', '.join(missing)}")
    pairs = table[["source", "target"]].dropna().astype("str").drop_duplicates()
    return {str(code): tuple(sorted(rows["target"])) for code, rows in pairs.groupby("source")}


def map_industries(
    codes: pd.Series | Sequence[str],
    *,
    source: IndustryScheme | str,
    target: IndustryScheme | str,
    splits: IndustrySplits = "merge",
    table: pd.DataFrame | None = None,
) -> IndustryConcordance:
    """Map industry codes from one classification to the two-digit industries of another, or by a table of the user's.

    Codes of three or four digits are read by their division; where a division was divided and the
    group tells the part (372 is motor vehicles), ``candidates`` and ``unmapped`` use it, while
    ``merge`` keeps the divided industry whole so that both sides have the same unit.

    Parameters
    ----------
    codes : pandas.Series or sequence of str
        Codes as text; CSRC codes with their letter.
    source, target : str
        ``gbt4754_1994``, ``gbt4754_2002``, ``gbt4754_2011``, ``gbt4754_2017``, ``csrc_2001`` or ``csrc_2012``; any name
        with a ``table``.
    splits : {"merge", "candidates", "unmapped"}
        An industry with several targets becomes one unit with all that it is linked to, one row for
        each target, or none with the reason.
    table : pandas.DataFrame, optional
        Own concordance with columns ``source`` and ``target`` at any number of digits, such as the four-digit one of
        Brandt, Van Biesebroeck and Zhang (2012); one row a pair.

    Returns
    -------
    IndustryConcordance
        One row a distinct code (more with ``candidates``), sorted.

    Raises
    ------
    DataError
        If a classification is unknown or a table lacks its columns.
    """
    known = get_args(IndustryScheme)
    unknown = [name for name in (source, target) if table is None and name not in known]
    if unknown:
        raise DataError(f"no industry classification {', '.join(unknown)}; the known ones are {', '.join(known)}")
    distinct = sorted({str(code) for code in pd.Series(codes).dropna()})
    links, universe = _all_links(source, target, table)
    units = _units(links)
    rows = []
    for code in distinct:
        division = code if table is not None else _division_of(code, source)
        if table is not None or splits == "merge":
            found, verified = links.get(division, ()), table is not None or _map_code(division, source, target)[1]
        else:
            found, verified = _map_code(code, source, target)
        rows += _result_rows(code, division, found, verified, splits, units, source, target)
    columns = ["industry", "division", "target_industry", "is_split", "candidates", "is_verified", "reason"]
    data = pd.DataFrame(rows, columns=columns).astype({"industry": "str", "target_industry": "str"})
    reached = {one for targets in links.values() for one in targets}
    return IndustryConcordance(data, source, target, splits, tuple(sorted(universe - reached)))


def _all_links(source: str, target: str, table: pd.DataFrame | None) -> tuple[Mapping[str, tuple[str, ...]], set[str]]:
    """Every code of the source with its targets, and all codes of the target."""
    if table is not None:
        links = _table_links(table)
        return links, {one for targets in links.values() for one in targets}
    return {code: _map_code(code, source, target)[0] for code in _rows(source)}, set(_rows(target))


def _result_rows(
    code: str,
    division: str,
    found: tuple[str, ...],
    verified: bool,
    splits: IndustrySplits,
    units: Mapping[str, str],
    source: str,
    target: str,
) -> list[tuple[str, str, str | None, bool, str, bool, str]]:
    divided = len(found) > 1
    candidates = ";".join(found)
    if not found:
        return [(code, division, None, False, "", verified, f"{source} {division} has no industry in {target}")]
    if divided and splits == "unmapped":
        return [(code, division, None, True, candidates, verified, f"divided among {', '.join(found)}")]
    if splits == "merge":
        return [(code, division, units[found[0]], "+" in units[found[0]], candidates, verified, "")]
    return [(code, division, one, divided, candidates, verified, "") for one in found]
