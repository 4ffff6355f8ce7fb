"""Codes of firms, industries and places as they stand in files: what lost its zeros gets them back, or is missing."""

from __future__ import annotations

import re

import pandas as pd

# The divisions of each section: CSRC guidelines of 2012, which follow GB/T 4754-2011.
SECTIONS = {
    "A": (1, 5),
    "B": (6, 12),
    "C": (13, 43),
    "D": (44, 46),
    "E": (47, 50),
    "F": (51, 52),
    "G": (53, 60),
    "H": (61, 62),
    "I": (63, 65),
    "J": (66, 69),
    "K": (70, 70),
    "L": (71, 72),
    "M": (73, 75),
    "N": (76, 78),
    "O": (79, 81),
    "P": (82, 82),
    "Q": (83, 84),
    "R": (85, 89),
    "S": (90, 90),
}
_EXCHANGES = "SZ|SH|SS|BJ|XSHE|XSHG|SSE|SZSE|BSE|CH"
_STOCK_CODE = re.compile(rf"(?:(?:{_EXCHANGES})[.:]?)?(\d{{1,6}})(?:\.0+)?(?:\.(?:{_EXCHANGES}))?")
_INDUSTRY = re.compile(r"([A-S])?(\d{1,4})(?:\.0+)?(?:[\s\u4e00-\u9fff].*)?", re.DOTALL)
_REGION = re.compile(r"(\d{2}|\d{4}|\d{6}|\d{9}|\d{12})(?:\.0+)?")


def by_value(column: pd.Series, parse: object) -> pd.Series:
    """Apply a function of text to each different value once; missing stays missing."""
    values = column.dropna().unique()
    found = {value: parse(value) for value in values}  # type: ignore[operator]
    return column.map(found).astype("str").where(column.notna())


def stock_code_of(text: str) -> str | None:
    """Return a stock code as six digits, or None where it is none.

    ``1``, ``000001``, ``000001.SZ``, ``SZ000001`` and ``1.0`` all are 000001. Fewer than six digits with a zero in
    front did not lose their zeros in a spreadsheet: 00700 is a code of Hong Kong, not 000700.
    """
    found = _STOCK_CODE.fullmatch(text.strip().lstrip("'`\u2018\u2019").strip().upper())
    if not found or int(found[1]) == 0 or (len(found[1]) < 6 and found[1].startswith("0")):
        return None
    return found[1].zfill(6)


def industry_code_of(text: str) -> str | None:
    """Return an industry code as letter and digits, C39 of ``c39 计算机…`` for example, or None where it is none."""
    found = _INDUSTRY.fullmatch(text.strip().upper())
    if not found or found[1] is None:
        return None
    return found[1] + (found[2].zfill(2) if len(found[2]) < 2 else found[2])


def division_code_of(text: str) -> str | None:
    """Return the division of two digits of an industry code, or None where there is none.

    C39, C3910, 39 and ``39.0`` are 39; 6 is 06. A division that is not in the section its letter says is none.
    """
    found = _INDUSTRY.fullmatch(text.strip().upper())
    if not found:
        return None
    letter, digits = found[1], found[2]
    division = int(digits[:2])
    sections = [SECTIONS[letter]] if letter else list(SECTIONS.values())
    if not any(first <= division <= last for first, last in sections):
        return None
    return f"{division:02d}"


def division_of(codes: pd.Series) -> pd.Series:
    """Return the division of two digits of each industry code (CSRC 2012, GB/T 4754-2011); missing where none.

    Parameters
    ----------
    codes : Series of text
        Such as C39, C3910 or 39.
    """
    return by_value(codes, division_code_of)


def region_code_of(text: str) -> str | None:
    """Return a code of GB/T 2260 as six digits, 410100 of ``4101`` and of ``410100.0``, or None where it is none."""
    found = _REGION.fullmatch(text.strip())
    if not found or not 11 <= int(found[1][:2]) <= 91:
        return None
    return found[1][:6].ljust(6, "0")
