"""Codes and numbers of survey files as they come: lost zeros, floats, dates, full-width digits."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

import numpy as np
import pandas as pd

EMPTY = frozenset({"", "-", "--", ".", "..", "na", "n/a", "nan", "none", "null", "缺失", "无"})
# Industries whose codes begin with a zero: mining, divisions 06 to 09 of GB/T 4754.
ZERO_DIVISIONS = ("06", "07", "08", "09")


def clean_text(value: object) -> str:
    """Text of a cell: NFKC, no blanks around, no decimals after a whole number, empty for all ways to say missing."""
    if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return ""
    text = unicodedata.normalize("NFKC", str(value)).strip().strip("'\"`").strip()
    if text.lower() in EMPTY:
        return ""
    return re.sub(r"^(\d+)\.0+$", r"\1", text)


def map_unique(column: pd.Series, function: Callable[[object], str]) -> pd.Series:
    """Apply a function to every distinct value once."""
    known = {value: function(value) for value in column.dropna().unique()}
    return pd.Series([known.get(value, "") for value in column], index=column.index, dtype="str")


def usual_length(codes: pd.Series) -> int:
    """The most frequent length of the codes that are digits; 0 if none are. Ties go to the longer."""
    digits = codes[codes.str.fullmatch(r"\d+")]
    if digits.empty:
        return 0
    counts = digits.str.len().value_counts()
    return int(max(counts[counts == counts.max()].index))


def identifier_codes(column: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Identifiers as text, zeros restored where most are longer, and the rows where that was done."""
    text = map_unique(column, clean_text)
    width = usual_length(text)
    # Organisation codes have nine digits however many zeros a spreadsheet took; other identifiers lose few.
    fewest = 1 if width == 9 else width - 3
    short = text.str.fullmatch(r"\d+") & text.str.len().lt(width) & text.str.len().ge(fewest)
    return text.mask(short, text.str.zfill(width)), short


def industry_codes(column: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Industry codes as text, the leading zero of mining restored, and the rows where that was done.

    A code lost its zero if it is one digit short of the usual length and begins with a mining
    division when filled: 610 among four-digit codes is 0610, 131 stays a group.
    """
    text = map_unique(column, clean_text).str.upper()
    width = usual_length(text)
    padded = "0" + text
    short = text.str.fullmatch(r"\d+") & text.str.len().eq(width - 1) & padded.str[:2].isin(ZERO_DIVISIONS)
    return text.mask(short, padded), short


def place_codes(column: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Six-digit place codes, empty where there is none, and the rows whose code was longer or shorter.

    Twelve and nine digits (villages, townships) are cut to the county, four and two are filled to
    the prefecture and province.
    """
    text = map_unique(column, clean_text)
    digits = text.str.fullmatch(r"[1-8]\d+")
    length = text.str.len()
    six = text.str[:6].where(digits & length.isin([6, 9, 12]), "")
    filled = text.str.ljust(6, "0").where(digits & length.isin([2, 4]), "")
    return six.mask(six.eq(""), filled), digits & length.ne(6) & (six.ne("") | filled.ne(""))


def year_numbers(column: pd.Series) -> pd.Series:
    """Years from numbers, dates and texts such as 2004年; missing where there is no year from 1949 to 2099."""

    def year_of(value: object) -> str:
        found = re.match(r"(19[4-9]\d|20\d\d)(?!\d)|(19[4-9]\d|20\d\d)(?:0[1-9]|1[0-2])(?:\d\d)?$", clean_text(value))
        return (found.group(1) or found.group(2)) if found else ""

    years = map_unique(column, year_of)
    return pd.to_numeric(years.where(years.ne(""))).astype("Int64")


def number_values(column: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Numbers, missing where a cell holds none, and the rows that hold some other text."""
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        values = column.astype("float64")
        return values.where(np.isfinite(values)), pd.Series(False, index=column.index)
    text = map_unique(column, clean_text).str.replace(",", "", regex=False)
    values = pd.to_numeric(text, errors="coerce").astype("float64")
    values = values.where(np.isfinite(values))
    return values, text.ne("") & values.isna()
