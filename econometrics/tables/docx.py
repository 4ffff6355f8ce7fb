"""Tables as Word documents: three-line tables in Times New Roman and SimSun, ready to be pasted into a paper."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Sequence
from functools import cache
from typing import Any

from econometrics.tables.docx_xml import (
    add_runs,
    borders,
    document_fonts,
    merge_across,
    page_setup,
    repeat_as_header,
    rule_below,
    sequence_field,
    table_geometry,
)
from econometrics.tables.model import (
    MINUS,
    Cell,
    Header,
    Row,
    Table,
    aligned_cells,
    is_aligned,
    placed_cells,
    split_at_point,
)
from econometrics.tables.text import one_line, text_width

_FIXED_TIME = (2000, 1, 1, 0, 0, 0)
_THICK, _MIDDLE, _THIN = 12, 6, 4  # eighths of a point: 1.5, 0.75 and 0.5 pt
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_EM = {"(": 0.333, ")": 0.333, "[": 0.333, "]": 0.333, ".": 0.25, ",": 0.25, "*": 0.5, "%": 0.833, MINUS: 0.564}
_SPACES = (("\u2007", 0.5), ("\u2004", 1 / 3), ("\u2005", 0.25), ("\u2006", 1 / 6))
_SQUEEZE = 1.12  # how far the widths, which are estimates with room, may be pressed together
_PAGE_WIDTH_CM, _PAGE_LONG_CM, _MARGIN_CM = 21.0, 29.7, 2.54


def to_docx(tables: Table | Sequence[Table]) -> bytes:
    """Render tables as a Word document.

    Parameters
    ----------
    tables : Table or sequence of Table
        The tables, one below the other. The page lies on its side where one of them is too wide to stand.

    Returns
    -------
    bytes
        The document; the same tables give the same bytes. Top and bottom rules have 1.5 pt, the middle one
        0.75 pt, there are no vertical rules; the headers repeat on every page; captions are numbered by Word.
    """
    import docx

    every = [tables] if isinstance(tables, Table) else list(tables)
    document = docx.Document()
    size = 10.5 if max((table.columns for table in every), default=1) <= 5 else 9.0
    widths = [_column_widths(table, size) for table in every]
    upright = _PAGE_WIDTH_CM - 2 * _MARGIN_CM
    landscape = any(sum(own) > upright * _SQUEEZE for own in widths)
    room = (_PAGE_LONG_CM if landscape else _PAGE_WIDTH_CM) - 2 * _MARGIN_CM
    document_fonts(document, size)
    page_setup(document, _PAGE_WIDTH_CM, _PAGE_LONG_CM, _MARGIN_CM, landscape=landscape)
    for table, own in zip(every, widths, strict=True):
        scale = min(1.0, room / sum(own))
        smaller = max(min(scale * _SQUEEZE, 1.0), 0.6)
        _add_table(document, table, [width * scale for width in own], size * smaller)
    document.core_properties.title = _clean(every[0].caption) if every else ""
    document.core_properties.author = ""
    document.core_properties.comments = ""
    out = io.BytesIO()
    document.save(out)
    return _fixed_times(out.getvalue())


def _add_table(document: Any, table: Table, widths: Sequence[float], size: float) -> None:
    _add_caption(document, table, size)
    rows = [row for row in table.rows if row.kind != "rule"]
    ruled = {id(below) for row, below in zip(table.rows, table.rows[1:], strict=False) if row.kind == "rule"}
    grid = document.add_table(rows=len(table.headers) + len(rows), cols=table.columns + 1)
    table_geometry(grid, widths)
    lines = list(grid.rows)
    for number, line in enumerate(table.headers):
        last = number == len(table.headers) - 1
        edges = {"top": _THICK if number == 0 else 0, "bottom": _MIDDLE if last else 0}
        _fill_header(list(lines[number].cells), line, table.stub if last else "", edges, size)
        repeat_as_header(lines[number])
    paddings = _Paddings(table)
    for number, row in enumerate(rows):
        last = number == len(rows) - 1
        edges = {"top": _THIN if id(row) in ruled else 0, "bottom": _THICK if last else 0}
        _fill_row(list(lines[len(table.headers) + number].cells), row, table, paddings, edges, size, keep=not last)
    note = document.add_paragraph()
    note.paragraph_format.space_after = _points(14)
    note.paragraph_format.space_before = _points(3)
    if table.notes_text:
        add_runs(note, _clean(table.notes_text), size * 6 / 7)


def _add_caption(document: Any, table: Table, size: float) -> None:
    if not table.caption:
        return
    paragraph = document.add_paragraph(style="Caption")
    paragraph.alignment = 1
    paragraph.paragraph_format.keep_with_next = True
    paragraph.paragraph_format.space_after = _points(4)
    if table.number.isdecimal():
        head, _, tail = table.caption.partition(table.number)
        add_runs(paragraph, _clean(head), size, bold=True)
        sequence_field(paragraph, head.strip(), table.number, size)
        add_runs(paragraph, _clean(tail), size, bold=True)
    else:
        add_runs(paragraph, _clean(table.caption), size, bold=True)


def _fill_header(cells: Sequence[Any], line: Sequence[Header], stub: str, edges: dict[str, int], size: float) -> None:
    _put(cells[0], _clean(stub), size, edges, "left")
    column = 1
    for header in line:
        cell = merge_across(cells, column, header.span)
        _put(cell, _clean(header.text), size, edges, "centre")
        if header.rule:
            rule_below(cell.paragraphs[0], _THIN)
        column += header.span


def _fill_row(
    cells: Sequence[Any],
    content: Row,
    table: Table,
    paddings: _Paddings,
    edges: dict[str, int],
    size: float,
    *,
    keep: bool,
) -> None:
    if content.kind == "heading":
        cell = merge_across(cells, 0, table.columns + 1)
        look = {"bold": table.language == "zh", "italic": table.language == "en"}
        _put(cell, _clean(content.label), size, edges, "left", keep=keep, **look)
        return
    _put(cells[0], _clean(content.label), size, edges, "left", keep=keep)
    for column, cell in placed_cells(content.cells or (Cell(),) * table.columns):
        target = merge_across(cells, column + 1, cell.span)
        text = paddings.padded(column, cell) if is_aligned(cell) else _clean(cell.shown(MINUS))
        _put(target, text, size, edges, "centre", keep=keep)


def _put(
    cell: Any,
    text: str,
    size: float,
    edges: dict[str, int],
    side: str,
    *,
    keep: bool = True,
    bold: bool = False,
    italic: bool = False,
) -> None:
    borders(cell, edges)
    paragraph = cell.paragraphs[0]
    paragraph.alignment = 0 if side == "left" else 1
    paragraph.paragraph_format.keep_with_next = keep
    add_runs(paragraph, text, size, bold=bold, italic=italic)


class _Paddings:
    """Spaces that put the decimal points of centred cells below each other, in the widths of Times New Roman.

    Word has decimal tabs for this, but other programs place them differently; spaces as wide as a digit look
    the same everywhere.
    """

    def __init__(self, table: Table) -> None:
        self.widths = {
            column: tuple(max(_em(part) for part in side) for side in zip(*parts, strict=True))
            for column, cells in aligned_cells(table).items()
            if (parts := [split_at_point(cell.shown(MINUS)) for cell in cells])
        }

    def padded(self, column: int, cell: Cell) -> str:
        before, after = split_at_point(cell.shown(MINUS))
        left, right = self.widths[column]
        return _spaces(left - _em(before)) + before + after + _spaces(right - _em(after))


def _em(text: str) -> float:
    return sum(_EM.get(letter, 0.5) for letter in text)


@cache
def _spaces(width: float) -> str:
    """Return the spaces whose widths come nearest to a width in ems."""
    digits = max(int(width / 0.5) - 1, 0)
    rest = width - digits * 0.5
    choices = [("", 0.0)]
    for _ in range(3):
        choices += [(own + space, length + wide) for own, length in choices for space, wide in _SPACES]
    nearest = min(choices, key=lambda choice: (round(abs(choice[1] - rest), 3), len(choice[0]), choice[0]))
    return "\u2007" * digits + nearest[0]


def _column_widths(table: Table, size: float) -> list[float]:
    """Return the widths in centimetres that the columns need, the labels first."""
    centimetre = size / 72 * 2.54 / 2  # half an em, the width of a digit
    labels = [table.stub, *(row.label for row in table.rows if row.kind not in ("heading", "rule"))]
    needed = [max((text_width(label) for label in labels), default=4) * 1.0, *[4.0] * table.columns]
    lines: list[Sequence[tuple[str, int]]] = [[(header.text, header.span) for header in line] for line in table.headers]
    lines += [[(cell.shown(), cell.span) for cell in row.cells] for row in table.rows]
    for line in lines:
        column = 1
        for text, span in line:
            for place in range(column, column + span):
                needed[place] = max(needed[place], text_width(text) / span)
            column += span
    for column, cells in aligned_cells(table).items():
        if cells:
            parts = [split_at_point(cell.shown()) for cell in cells]
            both = max(len(left) for left, _ in parts) + max(len(right) for _, right in parts)
            needed[column + 1] = max(needed[column + 1], float(both))
    return [(width + 2) * centimetre for width in needed]


def _points(size: float) -> Any:
    from docx.shared import Pt

    return Pt(size)


def _clean(text: str) -> str:
    return _NOT_XML.sub("\ufffd", one_line(text))


def _fixed_times(archive: bytes) -> bytes:
    """Return the same archive with one fixed time on every file in it."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as given, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for entry in given.infolist():
            target.writestr(zipfile.ZipInfo(entry.filename, _FIXED_TIME), given.read(entry), zipfile.ZIP_DEFLATED)
    return out.getvalue()
