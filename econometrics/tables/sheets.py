"""Tables as spreadsheets: Excel with numbers that stay numbers, and CSV in full precision."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from econometrics.tables.model import Cell, Row, Table, decimals_needed, placed_cells, split_intervals
from econometrics.tables.text import one_line, text_width

_RUNS_AS_FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
_NOT_XML = re.compile("[\ufffe\uffff\ud800-\udfff]")
_FIXED_TIME = datetime(2000, 1, 1)
_SHEET_NAME_LENGTH = 31
_NOT_IN_SHEET_NAMES = re.compile(r"[\[\]:*?/\\']")


def to_csv(table: Table) -> str:
    r"""Render a table as CSV in full precision: reading a number back gives the same number.

    Parameters
    ----------
    table : Table
        The table. Each interval becomes two rows, stars get a column of their own where a column has any.

    Returns
    -------
    str
        Comma-separated lines ended by ``\r\n``, without caption and notes. A text cell that a spreadsheet would
        run as a formula has an apostrophe before it. Write it as ``utf-8-sig`` for Excel in China.
    """
    rows = split_intervals(table)
    starred = _starred_columns(rows)
    stars = "显著性" if table.language == "zh" else "stars"
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    for number, line in enumerate(table.headers):
        texts = [table.stub if number == len(table.headers) - 1 else ""]
        for column, text in enumerate(_spread(line)):
            texts.append(text)
            if column in starred:
                texts.append(stars if number == len(table.headers) - 1 else "")
        writer.writerow([_safe(text) for text in texts])
    for row in rows:
        if row.kind == "rule":
            continue
        cells = dict(placed_cells(row.cells))
        line_cells = [_safe(row.label)]
        for column in range(table.columns):
            cell = cells.get(column, Cell())
            line_cells.append(_plain(cell))
            if column in starred:
                line_cells.append(cell.stars)
        writer.writerow(line_cells)
    return out.getvalue()


def _plain(cell: Cell) -> str:
    if not cell.values:
        return _safe(cell.text)
    value = cell.values[0]
    if math.isnan(value):
        return ""
    return str(int(value)) if cell.style == "whole" and math.isfinite(value) else repr(float(value))


def _safe(text: str) -> str:
    return "'" + text if _RUNS_AS_FORMULA.match(text) else text


def _starred_columns(rows: Sequence[Row]) -> set[int]:
    return {column for row in rows for column, cell in placed_cells(row.cells) if cell.stars}


def _spread(line: Sequence[Any]) -> list[str]:
    return [text for header in line for text in (header.text, *[""] * (header.span - 1))]


def to_xlsx(tables: Table | Sequence[Table]) -> bytes:
    """Render tables as an Excel workbook, one sheet each, in which every number is a number.

    Parameters
    ----------
    tables : Table or sequence of Table
        The tables. Brackets, percent signs and stars are number formats, so that the cells can be computed with.

    Returns
    -------
    bytes
        The workbook; the same tables give the same bytes. Text is stored as text and never runs as a formula.
    """
    import xlsxwriter

    every = [tables] if isinstance(tables, Table) else list(tables)
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "in_memory": True}
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, options) as workbook:
        workbook.set_properties({"created": _FIXED_TIME})
        for table, name in zip(every, _sheet_names(every), strict=True):
            _Sheet(workbook, workbook.add_worksheet(name), table).write()
    return out.getvalue()


def _sheet_names(tables: Sequence[Table]) -> list[str]:
    names: list[str] = []
    for number, table in enumerate(tables, start=1):
        text = _NOT_IN_SHEET_NAMES.sub(" ", one_line(_NOT_XML.sub("", table.caption))).strip()
        name = text[:_SHEET_NAME_LENGTH].strip() or f"Table {number}"
        if name.casefold() in {other.casefold() for other in names} or name.casefold() == "history":
            name = f"{name[: _SHEET_NAME_LENGTH - len(str(number)) - 3].strip()} ({number})"
        names.append(name)
    return names


class _Sheet:
    """One sheet while it is written."""

    def __init__(self, workbook: Any, sheet: Any, table: Table) -> None:
        self.workbook, self.sheet, self.table = workbook, sheet, table
        self.rows = split_intervals(table)
        self.formats: dict[tuple[tuple[str, Any], ...], Any] = {}
        self.line = 0

    def write(self) -> None:
        table = self.table
        font = "宋体" if table.language == "zh" else "Times New Roman"
        self.base = {"font_name": font, "font_size": 11, "valign": "vcenter"}
        if table.caption:
            self._text(0, 0, table.caption, {"bold": True})
            self.line = 1
        first = self.line
        for number, line in enumerate(table.headers):
            last = number == len(table.headers) - 1
            edges = {"top": 5} if number == 0 else {}
            edges |= {"bottom": 1} if last else {}
            self._text(self.line, 0, table.stub if last else "", edges)
            column = 1
            for header in line:
                rule = {"bottom": 1} if header.rule else {}
                self._write(column, Cell(text=header.text, span=header.span), edges | rule)
                column += header.span
            self.line += 1
        self.sheet.freeze_panes(self.line, 1)
        self._body()
        self._widths()
        if table.notes_text:
            look = {"text_wrap": True, "valign": "top", "font_size": 9}
            self.sheet.merge_range(self.line, 0, self.line, table.columns, "", self._format(look))
            self._text(self.line, 0, table.notes_text, look)
            self.sheet.set_row(self.line, 13 * (1 + text_width(table.notes_text) // max(self.total_width, 20)))
        self.sheet.repeat_rows(first, first + len(table.headers) - 1)
        self.sheet.hide_gridlines(2)
        self.sheet.set_paper(9)
        self.sheet.fit_to_pages(1, 0)

    def _body(self) -> None:
        shown = [number for number, row in enumerate(self.rows) if row.kind != "rule"]
        for number in shown:
            row = self.rows[number]
            edges = {"bottom": 5} if number == shown[-1] else {}
            edges |= {"top": 1} if number and self.rows[number - 1].kind == "rule" else {}
            emphasis = {"bold": True} if row.kind == "heading" else {}
            self._text(self.line, 0, row.label, edges | emphasis)
            for column, cell in placed_cells(row.cells or (Cell(span=1),) * self.table.columns):
                self._write(column + 1, cell, edges)
            self.line += 1

    def _write(self, column: int, cell: Cell, edges: dict[str, Any]) -> None:
        look = {"align": "center"} | edges
        if cell.is_number:
            look["num_format"] = number_format(cell)
        if cell.span > 1:
            self.sheet.merge_range(self.line, column, self.line, column + cell.span - 1, "", self._format(look))
        if cell.is_number:
            self.sheet.write_number(self.line, column, cell.values[0], self._format(look))
        else:
            self._text(self.line, column, cell.shown(), look)

    def _text(self, line: int, column: int, text: str, look: dict[str, Any]) -> None:
        if text:
            self.sheet.write_string(line, column, _NOT_XML.sub("\ufffd", one_line(text)), self._format(look))
        else:
            self.sheet.write_blank(line, column, None, self._format(look))

    def _format(self, look: dict[str, Any]) -> Any:
        own = {**self.base, **look}
        key = tuple(sorted(own.items()))
        if key not in self.formats:
            self.formats[key] = self.workbook.add_format(own)
        return self.formats[key]

    def _widths(self) -> None:
        labels = [self.table.stub, *(row.label for row in self.rows if row.kind != "heading")]
        widths = [max((text_width(label) for label in labels), default=8) + 2]
        for column in range(self.table.columns):
            texts = [
                cell.shown()
                for row in self.rows
                for place, cell in placed_cells(row.cells)
                if place == column and cell.span == 1
            ]
            texts += [_spread(line)[column] for line in self.table.headers]
            widths.append(max([8, *(text_width(text) for text in texts)]) + 2)
        for column, width in enumerate(widths):
            self.sheet.set_column(column, column, min(width, 48))
        self.total_width = sum(min(width, 48) for width in widths)


def number_format(cell: Cell) -> str:
    """Return the Excel number format that shows a number as the cell does: decimals, brackets, percent sign, stars.

    Parameters
    ----------
    cell : Cell
        A cell with one number.
    """
    value = cell.values[0] * (100 if cell.style == "percent" else 1)
    stars = f'"{cell.stars}"' if cell.stars else ""
    opening, closing = (f'"{mark}"' for mark in cell.enclosure) if cell.enclosure else ("", "")
    if cell.style == "p_value":
        least = f"{10.0**-cell.digits:.{cell.digits}f}"
        number = f"0.{'0' * cell.digits}"
        return f'[<{least}]{opening}"<{least}"{closing}{stars};{opening}{number}{closing}{stars}'
    decimals = {"whole": 0, "fixed": cell.digits}.get(cell.style, decimals_needed(value, cell.digits))
    if decimals is None:
        number = "0.0E+00"
    else:
        number = ("#,##0" if abs(value) >= 1000 else "0") + ("." + "0" * decimals if decimals else "")
    number += "%" if cell.style == "percent" else ""
    if not cell.enclosure:
        return number + stars
    opening, closing = (f'"{mark}"' for mark in cell.enclosure)
    return f"{opening}{number}{closing}{stars};{opening}-{number}{closing}{stars}"
