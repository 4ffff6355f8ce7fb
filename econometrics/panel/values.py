"""What the cells of a file mean: numbers, years, codes and dates as people and vendors write them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import isfinite
from typing import Any

import numpy as np
import pandas as pd

from econometrics.declarations.codes import division_code_of, industry_code_of, region_code_of, stock_code_of

# What stands for a missing value in exports of CSMAR, Wind, Excel and pandas, whatever the specification says.
BLANKS = frozenset({"", "-", "--", "—", "——", "N/A", "#N/A", "NA", "NaN", "nan", "NULL", "null", "None", "<NA>", "NaT"})
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_DATE = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?(?:[ T]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?)?")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?:\.0+)?")
_YEAR = re.compile(r"(?:FY\s*)?(\d{4})(?:\.0+)?\s*(?:年(?:度|报|年报|年度报告)?)?", re.IGNORECASE)
_SERIAL = re.compile(r"(\d{5})(?:\.0+)?")
_EXCEL_START = date(1899, 12, 30)
_TRUE = frozenset({"1", "1.0", "是", "y", "yes", "true", "t", "√"})
_FALSE = frozenset({"0", "0.0", "否", "n", "no", "false", "f", "×"})
YEARS = (1900, 2100)


@dataclass(frozen=True)
class Read:
    """A column that was read.

    Parameters
    ----------
    values : Series, shape (rows,)
        float64, Int64 (years) or text.
    blank : int
        Cells that hold nothing, or what stands for nothing.
    sentinels : dict of str to int
        Values declared as missing, and how many there were.
    unreadable : dict of str to int
        Other cells that are not of the kind, with their number; they are missing in `values`.
    """

    values: pd.Series
    blank: int
    sentinels: dict[str, int]
    unreadable: dict[str, int]


def text_of(cell: Any) -> str | None:
    """Return a cell as text: numbers without a needless ``.0``, dates as ISO, blanks as None."""
    if cell is None or cell is pd.NA or cell is pd.NaT:
        return None
    if isinstance(cell, datetime | pd.Timestamp):
        return cell.strftime("%Y-%m-%d")
    if isinstance(cell, bool | np.bool_):
        return "1" if cell else "0"
    if isinstance(cell, float | np.floating):
        number = float(cell)
        if not np.isfinite(number):
            return None
        return str(int(number)) if number == int(number) and abs(number) < 1e15 else repr(number)
    text = str(cell)
    text = text if text.isascii() else unicodedata.normalize("NFKC", text).replace("\u2212", "-")
    text = text.strip()
    return None if text in BLANKS else text


def number_of(text: str) -> float | None:
    """Return the number that a text says, with thousands separators, per cent signs and accountants' brackets."""
    plain = text.replace(",", "").replace(" ", "").removesuffix("%")
    if plain.startswith("(") and plain.endswith(")"):
        plain = "-" + plain[1:-1]
    return float(plain) if _NUMBER.fullmatch(plain) else None


def _plain_number(cell: Any) -> float | None:
    """Return the number of a cell that is one as it stands: most cells are, and a table may hold millions."""
    if not isinstance(cell, str | int | float) or (isinstance(cell, str) and "_" in cell):
        return None
    try:
        number = float(cell)
    except (ValueError, OverflowError):
        return None
    return number if isfinite(number) else None


def date_of(text: str) -> date | None:
    """Return the day that a text says: 2019-12-31, 2019/12/31, 2019年12月31日, 20191231, or Excel's 43830."""
    found = _DATE.fullmatch(text) or _COMPACT.fullmatch(text)
    try:
        if found:
            return date(int(found[1]), int(found[2]), int(found[3]))
        serial = _SERIAL.fullmatch(text)
        return _EXCEL_START + timedelta(days=int(serial[1])) if serial else None
    except ValueError:
        return None


def year_of(text: str) -> int | None:
    """Return the year that a text says: 2019, 2019.0, 2019年, FY2019, or the year of a day."""
    found = _YEAR.fullmatch(text)
    day = None if found else date_of(text)
    year = int(found[1]) if found else day.year if day else None
    return year if year is not None and YEARS[0] <= year <= YEARS[1] else None


def year_end_of(text: str) -> int | None:
    """Return the year of a last day of December, or of a year alone; None for any other day."""
    day = None if _YEAR.fullmatch(text) else date_of(text)
    if day is not None and (day.month, day.day) != (12, 31):
        return None
    return year_of(text)


def truth_of(text: str) -> float | None:
    """Return 1 for 是, Y, yes, true and 1, and 0 for their opposites."""
    plain = text.lower()
    return 1.0 if plain in _TRUE else 0.0 if plain in _FALSE else None


def _iso_of(text: str) -> str | None:
    day = date_of(text)
    return day.isoformat() if day else None


_TO_NUMBER: dict[str, Callable[[str], float | None]] = {
    "number": number_of,
    "boolean": truth_of,
    "year": year_of,
    "year_end": year_end_of,
}
_TO_TEXT: dict[str, Callable[[str], str | None]] = {
    "text": lambda text: text,
    "stock_code": stock_code_of,
    "date": _iso_of,
    "region_code": region_code_of,
    "industry_code": industry_code_of,
    "division": division_code_of,
}


def read_column(cells: pd.Series, kind: str, missing: Sequence[str | int | float] = ()) -> Read:
    """Read the cells of a column as what it holds.

    Parameters
    ----------
    cells : Series, shape (rows,)
        As a file gives them: text, numbers, dates, missing.
    kind : str
        A ``ColumnKind``.
    missing : sequence of str or number
        Values that stand for a missing one; numbers are compared as numbers, so that -1 is also ``-1.0``.

    Returns
    -------
    Read
        Nothing is guessed: what is not of the kind is missing and listed.
    """
    sentinels = {_sentinel(each) for each in missing}
    if kind == "number" and pd.api.types.is_numeric_dtype(cells.dtype):
        return _read_numbers(cells, sentinels)
    # A file repeats its codes, years and sentinels: each different cell is understood once.
    kinds, unique = pd.factorize(cells.astype("object"), use_na_sentinel=True)
    numeric_sentinels = {value for value in map(number_of, sentinels) if value is not None}
    parse = _TO_NUMBER.get(kind) or _TO_TEXT[kind]
    counts = np.bincount(kinds[kinds >= 0], minlength=len(unique))
    values: list[Any] = []
    blank, found_sentinels, unreadable = int((kinds < 0).sum()), dict[str, int](), dict[str, int]()
    for cell, count in zip(unique, counts, strict=True):
        value: Any = _plain_number(cell) if kind == "number" else None
        if value is not None and value not in numeric_sentinels:
            values.append(value)
            continue
        text, value = text_of(cell), None
        if text is None:
            blank += int(count)
        elif sentinels and _sentinel(text) in sentinels:
            found_sentinels[text] = found_sentinels.get(text, 0) + int(count)
        else:
            value = parse(text)
            if value is None:
                unreadable[text] = unreadable.get(text, 0) + int(count)
        values.append(value)
    return Read(_spread(values, kinds, kind, cells), blank, found_sentinels, unreadable)


def _spread(values: list[Any], kinds: np.ndarray, kind: str, cells: pd.Series) -> pd.Series:
    if kind in _TO_NUMBER:
        numbers = np.array([np.nan if value is None else value for value in [*values, None]], dtype="float64")
        column = pd.Series(numbers[kinds], index=cells.index, name=cells.name)
        return column.astype("Int64") if kind in {"year", "year_end"} else column
    texts = pd.Series([*values, None], dtype="str")
    column = texts.iloc[kinds]
    return pd.Series(column.to_numpy(), index=cells.index, name=cells.name, dtype="str")


def _read_numbers(cells: pd.Series, sentinels: set[str]) -> Read:
    numbers = pd.Series(cells.to_numpy(dtype="float64", na_value=np.nan), index=cells.index, name=cells.name)
    blank = int(numbers.isna().sum())
    found = {}
    for sentinel in sorted(sentinels):
        value = number_of(sentinel)
        hit = numbers == value if value is not None else pd.Series(False, index=cells.index)
        if hit.any():
            found[sentinel] = int(hit.sum())
            numbers = numbers.mask(hit)
    infinite = np.isinf(numbers)
    unreadable = {"infinite": int(infinite.sum())} if infinite.any() else {}
    return Read(numbers.mask(infinite), blank, found, unreadable)


def _sentinel(value: str | int | float) -> str:
    """Return the form in which values are compared: numbers without a needless ``.0``."""
    text = text_of(value)
    number = number_of(text) if text is not None else None
    if text is None or number is None or text.endswith(("%", ")")):
        return text or ""
    return text_of(number) or ""


def guess_kind(name: str, cells: pd.Series) -> str:
    """Return what a column holds that nobody declared: a key by its name, numbers if all cells are, else text."""
    if name == "stock_code":
        return "stock_code"
    if name in {"report_year", "year"}:
        return "year"
    if name.endswith("_code"):
        return "text"
    if pd.api.types.is_numeric_dtype(cells.dtype):
        return "number"
    texts = [text_of(each) for each in pd.unique(cells.dropna().astype("object"))]
    told = [text for text in texts if text is not None]
    # A code with zeros in front is no number: it would lose them.
    has_codes = any(len(text) > 1 and text.isdigit() and text.startswith("0") for text in told)
    return "number" if told and not has_codes and all(number_of(text) is not None for text in told) else "text"
