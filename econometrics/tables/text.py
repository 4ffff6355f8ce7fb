"""Tables as plain text for the terminal and as Markdown."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence

from econometrics.tables.model import Cell, Header, Row, Table, aligned_cells, is_aligned, placed_cells, split_at_point

_GAP = 2
_MARKDOWN_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#~])")
_WIDE = "\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef"
_PIECES = re.compile(rf"[{_WIDE}]|[^\s{_WIDE}]+|\s+")
_OPENING, _CLOSING = "（【《“", "，。；：、！？）】》”"
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]+")


def text_width(text: str) -> int:
    """Return the columns that a text takes in a terminal: two for a Chinese character, none for a combining mark."""
    return sum(
        0 if unicodedata.combining(letter) else 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        for letter in text
    )


def one_line(text: str) -> str:
    """Replace line breaks and control characters by spaces."""
    return _CONTROLS.sub(" ", text)


def to_text(table: Table, width: int | None = None) -> str:
    """Render a table for the terminal.

    Parameters
    ----------
    table : Table
        The table.
    width : int, optional
        Columns of the terminal. A wider table is cut into blocks of columns below each other, each with the labels.

    Returns
    -------
    str
        The text, with decimal points below each other; it ends with a line break.
    """
    lines = _Lines(table)
    blocks = lines.blocks(width)
    parts = [one_line(table.caption)] if table.caption else []
    for first, last in blocks:
        parts += lines.block(first, last)
    total = max((text_width(line) for line in parts), default=0)
    if table.notes_text:
        parts += wrap(one_line(table.notes_text), max(min(width or total, max(total, 40)), 20))
    return "\n".join(line.rstrip() for line in parts) + "\n"


class _Lines:
    """The lines of one table with the widths of its columns."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.cells = aligned_texts(table, one_line)
        labels = [table.stub, *(row.label for row in table.rows if row.kind not in ("heading", "rule"))]
        self.stub = max((text_width(one_line(label)) for label in labels), default=0)
        self.widths = [0] * table.columns
        spans: list[tuple[int, int, int]] = []
        lines: list[Sequence[Cell | Header]] = [*table.headers, *(row.cells for row in table.rows)]
        for cells in lines:
            column = 0
            for cell in cells:
                shown = one_line(cell.text if isinstance(cell, Header) else cell.shown())
                spans.append((column, cell.span, text_width(shown)))
                column += cell.span
        for row in self.cells:
            spans += [(column, 1, text_width(text)) for column, text in row.items()]
        for column, span, needed in sorted(spans, key=lambda item: item[1]):
            share = -(-(needed - _GAP * (span - 1)) // span)
            for place in range(column, column + span):
                self.widths[place] = max(self.widths[place], share)

    def blocks(self, width: int | None) -> list[tuple[int, int]]:
        blocks, first, used = [], 0, self.stub
        for column, own in enumerate(self.widths):
            if width is not None and column > first and used + _GAP + own > width:
                blocks.append((first, column))
                first, used = column, self.stub
            used += _GAP + own
        return [*blocks, (first, self.table.columns)]

    def block(self, first: int, last: int) -> list[str]:
        total = self.stub + sum(_GAP + own for own in self.widths[first:last])
        lines = ["=" * total]
        for number, line in enumerate(self.table.headers, start=1):
            label = self.table.stub if number == len(self.table.headers) else ""
            lines.append(self._line(label, line, {}, first, last))
            if any(header.rule for header in line):
                lines.append(self._rules(line, first, last))
        lines.append("-" * total)
        for row, texts in zip(self.table.rows, self.cells, strict=True):
            if row.kind == "rule":
                lines.append("-" * total)
            elif row.kind == "heading":
                lines.append(one_line(row.label))
            else:
                lines.append(self._line(row.label, row.cells, texts, first, last))
        return [*lines, "=" * total]

    def _line(self, label: str, cells: Sequence[Cell | Header], texts: dict[int, str], first: int, last: int) -> str:
        parts = [pad(one_line(label), self.stub, "left")]
        column = 0
        for cell in cells:
            begin, end = max(column, first), min(column + cell.span, last)
            if begin < end:
                own = sum(self.widths[begin:end]) + _GAP * (end - begin - 1)
                shown = cell.text if isinstance(cell, Header) else cell.shown()
                parts.append(pad(texts.get(column, one_line(shown)), own, "centre"))
            column += cell.span
        return (" " * _GAP).join(parts)

    def _rules(self, line: Sequence[Header], first: int, last: int) -> str:
        parts = [" " * self.stub]
        column = 0
        for header in line:
            begin, end = max(column, first), min(column + header.span, last)
            if begin < end:
                own = sum(self.widths[begin:end]) + _GAP * (end - begin - 1)
                parts.append(("-" if header.rule else " ") * own)
            column += header.span
        return (" " * _GAP).join(parts)


def aligned_texts(table: Table, clean: Callable[[str], str]) -> list[dict[int, str]]:
    """Return for each row the texts of its aligned cells by column, padded so that decimal points meet."""
    widths = {
        column: tuple(max((len(part) for part in side), default=0) for side in zip(*parts, strict=True))
        for column, cells in aligned_cells(table).items()
        if (parts := [split_at_point(cell.shown()) for cell in cells])
    }
    rows = []
    for row in table.rows:
        texts = {}
        for column, cell in placed_cells(row.cells):
            if is_aligned(cell):
                before, after = split_at_point(cell.shown())
                texts[column] = clean(before.rjust(widths[column][0]) + after.ljust(widths[column][1]))
        rows.append(texts)
    return rows


def pad(text: str, width: int, side: str) -> str:
    """Fill a text with spaces to a width in terminal columns."""
    room = max(width - text_width(text), 0)
    if side == "left":
        return text + " " * room
    return " " * (room // 2) + text + " " * (room - room // 2)


def wrap(text: str, width: int) -> list[str]:
    """Break a text into lines of at most `width` terminal columns, at spaces or between Chinese characters.

    Parameters
    ----------
    text : str
        The text.
    width : int
        Columns; a longer word stands alone on its line, and a closing mark may stand out by its own width.
    """
    lines, line = [], ""
    for piece in _PIECES.findall(text):
        if text_width(line + piece) > width and line.strip() and piece not in _CLOSING:
            # No line ends with an opening mark.
            kept = line.rstrip().rstrip(_OPENING)
            lines.append(kept.rstrip())
            line = line.rstrip()[len(kept) :]
        line += piece if line or not piece.isspace() else ""
    return [*lines, line.rstrip()] if line.strip() else lines


def to_markdown(table: Table) -> str:
    """Render a table as Markdown (the pipe tables of GitHub and Pandoc).

    Parameters
    ----------
    table : Table
        The table. Its header lines become one, because Markdown has only one.

    Returns
    -------
    str
        Caption in bold, table, notes; it ends with a line break.
    """
    headers = [""] * table.columns
    for line in table.headers:
        column = 0
        for header in line:
            for place in range(column, column + header.span):
                headers[place] = "<br>".join(part for part in (headers[place], _escape(header.text)) if part)
            column += header.span
    grid = [[_escape(table.stub), *headers]]
    grid += [[_row_label(row), *_markdown_cells(row, table.columns)] for row in table.rows if row.kind != "rule"]
    widths = [max(3, *(text_width(line[column]) for line in grid)) for column in range(table.columns + 1)]
    rule = ["-" * widths[0], *(f":{'-' * (width - 2)}:" for width in widths[1:])]
    lines = [f"**{_escape(table.caption)}**", ""] if table.caption else []
    for number, texts in enumerate(grid):
        sides = ["left", *["centre"] * table.columns]
        cells = [pad(text, width, side) for text, width, side in zip(texts, widths, sides, strict=True)]
        lines.append(f"| {' | '.join(cells)} |")
        if number == 0:
            lines.append(f"| {' | '.join(rule)} |")
    if table.notes_text:
        lines += ["", _escape(table.notes_text)]
    return "\n".join(lines) + "\n"


def _row_label(row: Row) -> str:
    label = _escape(row.label)
    return f"**{label}**" if row.kind == "heading" and label else label


def _markdown_cells(row: Row, columns: int) -> list[str]:
    texts = [""] * columns
    for column, cell in placed_cells(row.cells):
        texts[column] = _escape(cell.shown())
    return texts


def _escape(text: str) -> str:
    return _MARKDOWN_SPECIAL.sub(r"\\\1", one_line(text)).replace("&", "&amp;")
