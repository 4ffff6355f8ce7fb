"""Tables for the paper: builders from results, and one door to every file format.

A builder (`regression_table`, `mediation_table`, ...) gives a `Table`, which knows no file format; a renderer turns
it into Word, LaTeX, HTML, Markdown, Excel, CSV or plain text. Nothing is written here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, get_args

from econometrics.tables.docx import to_docx
from econometrics.tables.html import to_html
from econometrics.tables.model import Table
from econometrics.tables.sheets import to_csv, to_xlsx
from econometrics.tables.tex import tex_document, to_tex
from econometrics.tables.text import to_markdown, to_text
from shuzhi import UsageError

TableFormat = Literal["docx", "tex", "html", "md", "xlsx", "csv", "txt"]
FORMATS: tuple[TableFormat, ...] = get_args(TableFormat)


_TEXT: dict[str, Callable[[Table], str]] = {
    "tex": to_tex,
    "html": to_html,
    "md": to_markdown,
    "csv": to_csv,
    "txt": to_text,
}
_BYTES: dict[str, Callable[[Table], bytes]] = {"docx": to_docx, "xlsx": to_xlsx}


def render_table(table: Table, format_: TableFormat) -> bytes:
    """Render a table as the content of a file.

    Parameters
    ----------
    table : Table
        The table.
    format_ : {'docx', 'tex', 'html', 'md', 'xlsx', 'csv', 'txt'}
        The format, named as its files end.

    Returns
    -------
    bytes
        The content; text is UTF-8, CSV with the byte-order mark that Excel in China needs. The same table gives the
        same bytes.

    Raises
    ------
    UsageError
        If there is no such format.
    """
    if format_ in _BYTES:
        return _BYTES[format_](table)
    if format_ in _TEXT:
        return _TEXT[format_](table).encode("utf-8-sig" if format_ == "csv" else "utf-8")
    raise UsageError(f"no table format {format_!r}: choose one of {', '.join(FORMATS)}")


def render_tables(tables: Sequence[Table], format_: Literal["docx", "tex", "xlsx"]) -> bytes:
    """Render several tables as one file: a Word document, a LaTeX document that compiles, or a workbook.

    Parameters
    ----------
    tables : sequence of Table
        The tables in their order.
    format_ : {'docx', 'tex', 'xlsx'}
        The format.

    Raises
    ------
    UsageError
        If the format cannot hold several tables.
    """
    if format_ == "docx":
        return to_docx(tables)
    if format_ == "xlsx":
        return to_xlsx(tables)
    if format_ == "tex":
        return tex_document(tables).encode()
    raise UsageError(f"format {format_!r} cannot hold several tables: choose docx, tex or xlsx")
