"""Prefectures from whatever a file calls them: codes of any year and length, full, short and former names, counties."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cache

import pandas as pd

from econometrics.places.lists import MUNICIPALITIES, is_heading, name_stem, place_at_level, place_names
from econometrics.reference import load_reference
from shuzhi import DataError

LAST_LIST = 2019
_CODE = re.compile(r"(\d{2}|\d{4}|\d{6}|\d{9}|\d{12})(?:\.0+)?")
_SPACES = re.compile(r"[\s\u3000·•]+")
# Cities of the production corps carry the number of their division in front.
_CORPS = re.compile(r"^(?:新疆(?:生产建设)?兵团)?第[一二三四五六七八九十]+师")
# 中山区 is a district of 大连 and no part of 中山市: the stem of a district says nothing about its prefecture.
_COUNTY_KINDS = ("区", "县", "旗")


@dataclass(frozen=True)
class PlaceMatch:
    """Prefectures found for the rows of a file.

    Attributes
    ----------
    codes : pandas.Series
        Six-digit code of the prefecture of 2019 (municipality, prefecture, directly administered county), or missing.
    how : pandas.Series
        What it was found by: ``code``, ``county code``, ``former code``, ``name``, ``short name``, ``former name``,
        ``county name`` or ``beginning``.
    unmatched : pandas.DataFrame
        ``given``, ``rows``, ``reason``: each value that found no prefecture, most rows first.
    """

    codes: pd.Series
    how: pd.Series
    unmatched: pd.DataFrame


def province_codes(values: pd.Series) -> pd.Series:
    """Six-digit codes of the provinces that values name, by code of any place in it, by full or short name.

    Parameters
    ----------
    values : pandas.Series
        Codes or names; what is not understood becomes missing.
    """
    unique = {value: _province(value) for value in values.dropna().unique()}
    return values.map(unique).astype("str")


def province_names(codes: pd.Series, *, short: bool = False) -> pd.Series:
    """Names of provinces by their codes, full (内蒙古自治区) or short (内蒙古)."""
    names = {code: _short_province(name) if short else name for code, name in _provinces().items()}
    return codes.map(names).astype("str")


def match_prefectures(values: pd.Series, *, provinces: pd.Series | None = None) -> PlaceMatch:
    """Find the prefecture of 2019 in which each place lies.

    Parameters
    ----------
    values : pandas.Series
        Codes (2 to 12 digits, as text or numbers) or names (full, short, former, of a county, after the province).
    provinces : pandas.Series, optional
        Code or name of the province of each row, to tell equal names apart.

    Returns
    -------
    PlaceMatch
        Codes on the rows of ``values`` and a list of what was not found, with the reason; nothing is guessed.

    Raises
    ------
    DataError
        If ``provinces`` does not stand on the rows of ``values``.
    """
    if provinces is not None and not provinces.index.equals(values.index):
        raise DataError("provinces must stand on the same rows as the places")
    inside = province_codes(provinces).tolist() if provinces is not None else [None] * len(values)
    keys = [
        (_text(value), None if province is None or pd.isna(province) else str(province))
        for value, province in zip(values, inside, strict=True)
    ]
    known = {key: _find(*key) for key in dict.fromkeys(keys)}
    found = [known[key] for key in keys]
    codes = pd.Series([code for code, _, _ in found], index=values.index, dtype="str")
    how = pd.Series([way for _, way, _ in found], index=values.index, dtype="str")
    lost = pd.DataFrame(
        [(text, reason) for (text, _), (code, _, reason) in zip(keys, found, strict=True) if code is None],
        columns=["given", "reason"],
    )
    unmatched = lost.groupby(["given", "reason"], dropna=False, sort=True).size().rename("rows").reset_index()
    unmatched = unmatched.sort_values(["rows", "given"], ascending=[False, True], ignore_index=True)
    return PlaceMatch(codes, how, unmatched[["given", "rows", "reason"]])


def _text(value: object) -> str:
    """A value of a cell as text: 460200.0 is 460200, spaces go, missing is empty."""
    if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return ""
    text = _CORPS.sub("", _SPACES.sub("", str(value)))
    code = _CODE.fullmatch(text)
    return code[1] if code else text


@cache
def _prefectures() -> dict[str, str]:
    """Code to full name of the prefectures of 2019."""
    table = load_reference("china_admin_codes").data
    return dict(zip(table["code"], table["name"], strict=True))


@cache
def _provinces() -> dict[str, str]:
    """Code to full name of the provinces of 2019."""
    return {code: name for code, name in place_names(LAST_LIST).items() if code.endswith("0000")}


def _short_province(name: str) -> str:
    """内蒙古自治区 to 内蒙古, 广西壮族自治区 to 广西, 广东省 to 广东."""
    return re.sub(r"(壮族|回族|维吾尔)?自治区$|特别行政区$|[省市]$", "", name)


@cache
def _province_by_name() -> dict[str, str]:
    names = {}
    for code, name in _provinces().items():
        names[name] = names[_short_province(name)] = code
    return names


@cache
def _by_short_name() -> dict[str, tuple[str, ...]]:
    """Stem of a prefecture's name to its codes; directly administered counties are among them."""
    found: dict[str, list[str]] = defaultdict(list)
    for code, name in _prefectures().items():
        found[name_stem(name)].append(code)
    return {stem: tuple(codes) for stem, codes in found.items()}


@cache
def _counties() -> dict[str, tuple[str, ...]]:
    """Full name of a county of 2019 to the prefectures that have one of this name."""
    found: dict[str, set[str]] = defaultdict(set)
    for code, name in place_names(LAST_LIST).items():
        if not code.endswith("00") and not is_heading(name):
            prefecture = place_at_level(code, "prefecture")
            if prefecture in _prefectures():
                found[name].add(prefecture)
    return {name: tuple(sorted(codes)) for name, codes in found.items()}


@cache
def _former() -> dict[str, tuple[tuple[str, str | None, str], ...]]:
    """Former name to (province, successor or None, note)."""
    found: dict[str, list[tuple[str, str | None, str]]] = defaultdict(list)
    for row in load_reference("former_prefectures").data.itertuples(index=False):
        successor = str(row.code) if isinstance(row.code, str) else None
        found[str(row.name)].append((str(row.province_code), successor, str(row.note)))
    return {name: tuple(rows) for name, rows in found.items()}


@cache
def _old_names() -> dict[str, tuple[str, ...]]:
    """Every code of the lists since 1980 to its names, the last one first; a change of kind is no other name."""
    names: dict[str, dict[str, str]] = defaultdict(dict)
    for year in range(LAST_LIST, 1979, -1):
        for code, name in place_names(year).items():
            known = names[code]
            if not is_heading(name):
                known.setdefault(name_stem(name), name)
    return {code: tuple(known.values()) for code, known in names.items()}


def _province(value: object) -> str | None:
    """Code of the province that a value names."""
    text = _text(value)
    if _CODE.fullmatch(text):
        code = text[:2] + "0000"
        return code if code in _provinces() else None
    names = _province_by_name()
    if text in names:
        return names[text]
    heads = [name for name in names if text.startswith(name)]
    return names[max(heads, key=len)] if heads else None


Found = tuple[str | None, str | None, str | None]


def _one_of(codes: tuple[str, ...], how: str, province: str | None) -> Found:
    """The one code of several that lies in the province, or why there is none."""
    inside = tuple(code for code in codes if province is None or code[:2] == province[:2])
    if len(inside) == 1:
        return inside[0], how, None
    names = ", ".join(f"{_prefectures().get(code, '?')} {code}" for code in (inside or codes))
    if not inside:
        return None, None, f"not in the province given: {names}"
    return None, None, f"ambiguous: {names}"


def _find(text: str, province: str | None) -> Found:
    """Prefecture of one value."""
    if not text:
        return None, None, "missing"
    if _CODE.fullmatch(text):
        return _by_code(text)
    first = _by_name(text, province)
    if first[0] is not None or first[2] is not None:
        return first
    names = _province_by_name()
    heads = sorted((name for name in names if text.startswith(name) and text != name), key=len, reverse=True)
    for rest, inside in [(text, province), *((text.removeprefix(head), names[head]) for head in heads)]:
        for end in range(len(rest), 1, -1):
            # Only the full name of a prefecture may be followed by the rest of an address.
            if end == len(rest) or rest[:end] in _prefectures().values():
                code, how, _ = _by_name(rest[:end], inside)
                if code is not None:
                    return code, how if end == len(rest) else "beginning", None
    return None, None, "no such place"


def _by_name(text: str, province: str | None) -> Found:
    """Prefecture by full, county, short or former name; all None where the name is unknown."""
    full = tuple(code for code, name in _prefectures().items() if name == text)
    if full:
        return _one_of(full, "name", province)
    if text in _former() or text + "市" in _former():
        return _by_former(text if text in _former() else text + "市", province)
    if text in _counties():
        return _one_of(_counties()[text], "county name", province)
    stems = _by_short_name()
    for stem in dict.fromkeys((text, name_stem(text))):
        if stem in stems and (stem == text or not _is_county(text)):
            return _by_stem(stem, stem == text, province)
    is_province = text in _province_by_name()
    return None, None, "a province, not a prefecture" if is_province else None


def _is_county(name: str) -> bool:
    """Whether a name is that of a district, county or banner."""
    return name.endswith(_COUNTY_KINDS) and not name.endswith("地区")


def _by_stem(stem: str, is_bare: bool, province: str | None) -> Found:
    """Prefecture by its name without its kind; 吉林 alone may be the province."""
    codes = _by_short_name()[stem]
    as_province = _province_by_name().get(stem) if is_bare and province is None else None
    if as_province and as_province[:2] not in MUNICIPALITIES:
        return None, None, f"ambiguous: the province or {', '.join(_prefectures()[code] for code in codes)}"
    return _one_of(codes, "short name", province)


def _by_former(name: str, province: str | None) -> Found:
    """Prefecture by a name that ended."""
    rows = [row for row in _former()[name] if province is None or row[0] == province]
    if len(rows) != 1:
        return None, None, "a former name outside the province given"
    return (rows[0][1], "former name", None) if rows[0][1] else (None, None, f"the former {name} was {rows[0][2]}")


def _by_code(text: str) -> Found:
    """Prefecture by a code of 2 to 12 digits of any list since 1980."""
    code = (text + "0000")[:6] if len(text) < 6 else text[:6]
    prefecture = place_at_level(code, "prefecture")
    if prefecture in _prefectures():
        if code != prefecture and code not in _old_names():
            return None, None, "a code that no list has"
        return prefecture, "code" if code == prefecture else "county code", None
    old = _old_names()
    if code not in old:
        return None, None, "a code that no list has"
    if code in _provinces():
        return None, None, "a province, not a prefecture"
    province = code[:2] + "0000"
    # The last name of a county decides, for its code may have been given away; a prefecture that is gone left its name.
    own = [_by_name(name, province)[0] for name in old[code][:1]]
    is_own_prefecture = code == prefecture and not code.endswith("00")
    above = [] if is_own_prefecture else [_by_name(name, province)[0] for name in old.get(prefecture, ())]
    for found in (own, above):
        known = {each for each in found if each is not None}
        if len(known) == 1:
            return known.pop(), "former code", None
    names = ", before ".join(old[code]) or "a heading"
    return None, None, f"{names} ({code}) has no single successor among the prefectures of {LAST_LIST}"
