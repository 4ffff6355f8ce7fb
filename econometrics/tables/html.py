"""Tables as self-contained HTML fragments that follow the reader's colours and print well."""

from __future__ import annotations

from html import escape
from typing import Literal

from econometrics.tables.model import MINUS, Cell, Row, Table, aligned_cells, is_aligned, placed_cells, split_at_point
from econometrics.tables.text import one_line

TABLE_STYLE = """<style>
.paper-table { margin: 1.5em 0; overflow-x: auto; line-height: 1.4; \
font-family: "Times New Roman", "Songti SC", SimSun, "Source Han Serif SC", "Noto Serif CJK SC", serif; }
.paper-table table { border-collapse: collapse; border-top: 2px solid; border-bottom: 2px solid; \
font-variant-numeric: lining-nums tabular-nums; }
.paper-table caption { caption-side: top; padding: 0 0 .5em; font-weight: 600; }
.paper-table th, .paper-table td { padding: .16em .7em; font-weight: 400; text-align: center; white-space: nowrap; }
.paper-table thead tr:last-child > *, .paper-table thead th.stub { border-bottom: 1px solid; vertical-align: bottom; }
.paper-table thead tr:first-child > *, .paper-table tbody tr:first-child > * { padding-top: .4em; }
.paper-table thead tr:last-child > *, .paper-table thead th.stub, .paper-table tbody tr:last-child > * \
{ padding-bottom: .4em; }
.paper-table th[scope=row], .paper-table th.stub { text-align: left; }
.paper-table th.heading { text-align: left; font-style: italic; padding-top: .6em; }
.paper-table :lang(zh) th.heading, .paper-table:lang(zh) th.heading { font-style: normal; font-weight: 600; }
.paper-table tr.coefficient > * { padding-bottom: 0; }
.paper-table tr.below > * { padding-top: 0; }
.paper-table tr.ruled > * { border-top: 1px solid; }
.paper-table span.rule { display: block; border-bottom: 1px solid; padding-bottom: .15em; }
.paper-table td span { display: inline-block; }
.paper-table td .before { text-align: right; }
.paper-table td .after { text-align: left; }
.paper-table .notes { font-size: .88em; margin: .5em 0 0; max-width: 60em; }
@media print { .paper-table { overflow: visible; break-inside: avoid; }
.paper-table thead { display: table-header-group; } }
</style>
"""


def to_html(table: Table, *, style: Literal["with", "without"] = "with") -> str:
    """Render a table as an HTML fragment that needs nothing else.

    Parameters
    ----------
    table : Table
        The table; every text of it is escaped.
    style : {'with', 'without'}
        Whether the fragment brings its style sheet, `TABLE_STYLE`, along. A page with many tables needs it once.

    Returns
    -------
    str
        ``<style>`` and ``<div class="paper-table">``; the same table gives the same text.
    """
    language = "zh-CN" if table.language == "zh" else "en"
    parts = [TABLE_STYLE if style == "with" else "", f'<div class="paper-table" lang="{language}">\n<table>\n']
    if table.caption:
        parts.append(f"<caption>{_text(table.caption)}</caption>\n")
    parts += ["<thead>\n", *_head(table), "</thead>\n<tbody>\n", *_body(table), "</tbody>\n</table>\n"]
    if table.notes_text:
        parts.append(f'<p class="notes">{_text(table.notes_text)}</p>\n')
    return "".join([*parts, "</div>\n"])


def _head(table: Table) -> list[str]:
    lines = []
    for number, line in enumerate(table.headers):
        stub = f'<th class="stub" rowspan="{len(table.headers)}">{_text(table.stub)}</th>' if number == 0 else ""
        cells = []
        for header in line:
            scope = "col" if header.span == 1 else "colgroup"
            text = f'<span class="rule">{_text(header.text)}</span>' if header.rule else _text(header.text)
            cells.append(f'<th scope="{scope}"{_span(header.span)}>{text}</th>')
        lines.append(f"<tr>{stub}{''.join(cells)}</tr>\n")
    return lines


def _body(table: Table) -> list[str]:
    widths = {
        column: (max(map(len, befores)), max(map(len, afters)))
        for column, cells in aligned_cells(table).items()
        if cells
        for befores, afters in [zip(*(split_at_point(cell.shown()) for cell in cells), strict=True)]
    }
    lines, ruled = [], False
    for row in table.rows:
        if row.kind == "rule":
            ruled = True
            continue
        lines.append(_row(row, table.columns, widths, ruled))
        ruled = False
    return lines


def _row(row: Row, columns: int, widths: dict[int, tuple[int, int]], ruled: bool) -> str:
    classes = f"{row.kind}{' ruled' if ruled else ''}"
    if row.kind == "heading":
        head = f'<th class="heading" scope="rowgroup" colspan="{columns + 1}">{_text(row.label)}</th>'
        return f'<tr class="{classes}">{head}</tr>\n'
    cells = "".join(
        f"<td{_span(cell.span)}>{_cell(cell, widths.get(column))}</td>"
        for column, cell in placed_cells(row.cells or (Cell(span=columns),))
    )
    return f'<tr class="{classes}"><th scope="row">{_text(row.label)}</th>{cells}</tr>\n'


def _cell(cell: Cell, widths: tuple[int, int] | None) -> str:
    shown = cell.shown(MINUS)
    if not is_aligned(cell) or widths is None:
        return _text(shown)
    before, after = split_at_point(shown)
    return (
        f'<span class="before" style="min-width:{widths[0]}ch">{_text(before)}</span>'
        f'<span class="after" style="min-width:{widths[1]}ch">{_text(after)}</span>'
    )


def _span(span: int) -> str:
    return f' colspan="{span}"' if span > 1 else ""


def _text(text: str) -> str:
    return escape(one_line(text), quote=True)
