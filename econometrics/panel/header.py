"""The header of a table as vendors print it: notes above it, one to several rows, codes, labels and units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from econometrics.panel.units import NO_UNIT, is_unit, split_header
from econometrics.panel.values import read_column, text_of
from shuzhi import DataError

ROWS_SEARCHED = 40
MOST_HEADER_ROWS = 6
_EXPLAINS_A_KEY = ("stock_code", "year", "year_end", "region_code", "date")


@dataclass(frozen=True)
class Header:
    """What the header says of one column.

    Parameters
    ----------
    name : str
        The first name printed, without its unit.
    names : tuple of str
        All texts by which the column may be called: of every row, with and without the unit.
    label : str
        A Chinese label if one of the rows holds it.
    unit : str
        The unit printed, empty where there is none.
    """

    name: str
    names: tuple[str, ...]
    label: str = ""
    unit: str = ""


@dataclass(frozen=True)
class SplitTable:
    """A table of cells, split into its header and its body.

    Parameters
    ----------
    headers : tuple of Header
        One a column.
    body : DataFrame, one row a record
        Cells as the file gives them; columns are numbers from 0.
    notes : tuple of str
        Text that stands above the header.
    header_rows : int
        Rows of the header.
    """

    headers: tuple[Header, ...]
    body: pd.DataFrame
    notes: tuple[str, ...]
    header_rows: int


def describe_header(cells: Sequence[object]) -> Header:
    """Return what the cells of one column's header say, from top to bottom."""
    texts = [text for text in (text_of(cell) for cell in cells) if text is not None]
    names: list[str] = []
    unit = ""
    for text in texts:
        if is_unit(text):
            unit = unit or ("" if text.lower() in NO_UNIT else text)
            continue
        name, own_unit = split_header(text)
        unit = unit or own_unit
        names += [name, text, name.split("\n")[0].strip()]
    unique = tuple(dict.fromkeys(name for name in names if name))
    label = next((name for name in unique if not name.isascii()), "")
    return Header(unique[0] if unique else "", unique, label, unit)


def split_header_rows(
    cells: pd.DataFrame,
    wanted: Sequence[str],
    kinds: Mapping[str, str],
    header_rows: int | str = "auto",
) -> SplitTable:
    """Find the header in a table of cells and take it off.

    Parameters
    ----------
    cells : DataFrame
        Every cell of the file, header and notes included.
    wanted : sequence of str
        Headers that the specification names; empty where all columns are taken.
    kinds : mapping of str to str
        What the wanted columns hold, by header; a row is the first of the body when its keys can be read.
    header_rows : int or "auto"
        Rows of the header, or find out.

    Raises
    ------
    DataError
        If there is no row that could be the header.
    """
    top = [tuple(text_of(cell) for cell in row) for row in cells.head(ROWS_SEARCHED).itertuples(index=False)]
    first = _first_header_row(top, wanted)
    if header_rows == "auto":
        count = _header_length(cells, top, first, kinds)
        while first > 0 and count < MOST_HEADER_ROWS and _is_header_above(top[first - 1], top[first]):
            first, count = first - 1, count + 1
    else:
        count = int(header_rows)
        first = max(0, min(first, len(cells) - count)) if wanted else first
    block = cells.iloc[first : first + count]
    headers = tuple(describe_header(list(block.iloc[:, position])) for position in range(cells.shape[1]))
    notes = tuple(" ".join(text for text in row if text) for row in top[:first] if any(row))
    body = cells.iloc[first + count :].reset_index(drop=True)
    body.columns = pd.RangeIndex(cells.shape[1])
    return SplitTable(headers, body, notes, count)


def _first_header_row(top: Sequence[tuple[str | None, ...]], wanted: Sequence[str]) -> int:
    """Return the row that holds most of the wanted headers; without any wish, the first that is nearly full."""
    if not top:
        raise DataError("the table is empty")
    if wanted:
        named = {text_of(name) for name in wanted}
        scores = [len(named & set(describe_names(row))) for row in top]
        if max(scores):
            return scores.index(max(scores))
    widths = [sum(text is not None for text in row) for row in top]
    full = max(widths)
    if not full:
        raise DataError("the table is empty")
    return next(number for number, width in enumerate(widths) if width * 2 > full)


def describe_names(row: Sequence[str | None]) -> list[str]:
    """Return all names by which the cells of a row may be called."""
    return [name for text in row if text is not None for name in describe_header([text]).names]


def _header_length(
    cells: pd.DataFrame, top: Sequence[tuple[str | None, ...]], first: int, kinds: Mapping[str, str]
) -> int:
    """Count the rows from the header on whose key columns hold no key."""
    named = {text_of(name): kind for name, kind in kinds.items() if kind in _EXPLAINS_A_KEY}
    keys = [
        (position, named[name])
        for position, text in enumerate(top[first])
        if text is not None
        for name in describe_header([text]).names
        if name in named
    ]
    count = 1
    while count < MOST_HEADER_ROWS and first + count < len(top):
        row = top[first + count]
        if _has_a_key(row, keys) if keys else not _looks_like_units(row):
            break
        # A row of blanks or of other firms' codes is no header; what cannot be read there is listed later.
        if keys and not any(text is not None and not _is_number(text) for text in row):
            break
        count += 1
    return count if _ends_in_time(top, first + count, keys) else 1


def _has_a_key(row: Sequence[str | None], keys: Sequence[tuple[int, str]]) -> bool:
    for position, kind in keys:
        cell = pd.Series([row[position]], dtype="object")
        any_day = "year" if kind == "year_end" else kind
        if row[position] is not None and read_column(cell, any_day).values.notna().all():
            return True
    return False


def _ends_in_time(top: Sequence[tuple[str | None, ...]], row: int, keys: Sequence[tuple[int, str]]) -> bool:
    return not keys or row >= len(top) or _has_a_key(top[row], keys)


def _is_number(text: str) -> bool:
    return bool(read_column(pd.Series([text], dtype="object"), "number").values.notna().all())


def _looks_like_units(row: Sequence[str | None]) -> bool:
    told = [text for text in row if text is not None]
    return bool(told) and all(is_unit(text) for text in told)


def _is_header_above(above: Sequence[str | None], row: Sequence[str | None]) -> bool:
    """Tell whether the row above belongs to the header too: as full as the header, and no note."""
    told = [text for text in above if text is not None]
    width = sum(text is not None for text in row)
    return len(told) > 1 and len(told) * 4 >= width * 3 and not told[0].startswith("#")
