r"""Tables as LaTeX: booktabs rules, threeparttable notes, dcolumn for decimal points below each other."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from econometrics.tables.model import (
    Cell,
    Header,
    Language,
    Row,
    Table,
    aligned_cells,
    is_aligned,
    placed_cells,
    split_at_point,
)
from econometrics.tables.text import one_line

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "[": "{[}",
    "]": "{]}",
    "²": r"\textsuperscript{2}",
    "³": r"\textsuperscript{3}",
    "×": r"$\times$",
    "−": "$-$",
    "±": r"$\pm$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "≠": r"$\neq$",
    "∞": r"$\infty$",
    "→": r"$\to$",
    "Δ": r"$\Delta$",
    "α": r"$\alpha$",
    "β": r"$\beta$",
    "γ": r"$\gamma$",
    "δ": r"$\delta$",
    "λ": r"$\lambda$",
    "ρ": r"$\rho$",
    "σ": r"$\sigma$",
    "τ": r"$\tau$",
    "χ": r"$\chi$",
}
_ANY_SPECIAL = re.compile("|".join(re.escape(letter) for letter in _SPECIAL))
_LABEL = re.compile(r"[^A-Za-z0-9:.-]+")


def tex_preamble(language: Language) -> str:
    """Return the lines that a document needs before its first table; Chinese needs XeLaTeX or LuaLaTeX."""
    chinese = "\\usepackage{ctex}\n" if language == "zh" else ""
    return f"{chinese}\\usepackage{{booktabs,dcolumn,threeparttable}}\n"


def tex_document(tables: Sequence[Table]) -> str:
    """Render tables as a whole document that compiles as it is, with XeLaTeX where a table is Chinese.

    Parameters
    ----------
    tables : sequence of Table
        The tables, one float each.
    """
    language: Language = "zh" if any(table.language == "zh" for table in tables) else "en"
    kind = "ctexart" if language == "zh" else "article"
    preamble = tex_preamble("en")
    body = "\n".join(to_tex(table) for table in tables)
    return (
        f"\\documentclass[a4paper]{{{kind}}}\n\\usepackage[margin=2.5cm]{{geometry}}\n{preamble}"
        f"\\begin{{document}}\n{body}\\end{{document}}\n"
    )


def to_tex(table: Table, *, label: str = "", size: Literal["normalsize", "small", "footnotesize"] = "small") -> str:
    r"""Render a table as a LaTeX float.

    Parameters
    ----------
    table : Table
        The table; every text of it is escaped. Its number is left to LaTeX.
    label : str
        The name for ``\ref``; ``tab:`` stands before it. Empty for none.
    size : {'normalsize', 'small', 'footnotesize'}
        The size of the type.

    Returns
    -------
    str
        ``table`` environment, to be put into a document whose preamble holds `tex_preamble`.
    """
    lines = [
        "% needs \\usepackage{booktabs,dcolumn,threeparttable}"
        + (" and ctex with XeLaTeX or LuaLaTeX" if table.language == "zh" else ""),
        "\\begin{table}[!htbp]",
        "\\centering",
        f"\\{size}",
        "\\begin{threeparttable}",
        f"\\caption{{{tex_escape(table.title)}}}" if table.title else "",
        f"\\label{{tab:{_LABEL.sub('-', label)}}}" if label else "",
        f"\\begin{{tabular}}{{l{''.join(_column(cells) for cells in aligned_cells(table).values())}}}",
        "\\toprule",
        *_head(table),
        "\\midrule",
        *_body(table),
        "\\bottomrule",
        "\\end{tabular}",
        *_notes(table),
        "\\end{threeparttable}",
        "\\end{table}",
    ]
    return "\n".join(line for line in lines if line) + "\n"


def tex_escape(text: str) -> str:
    """Return a text in which LaTeX sees no command; signs that text fonts lack become mathematics."""
    return _ANY_SPECIAL.sub(lambda found: _SPECIAL[found.group()], one_line(text))


def _column(cells: Sequence[Cell]) -> str:
    if not cells:
        return "c"
    parts = [split_at_point(cell.shown()) for cell in cells]
    before = max(len(left) for left, _ in parts)
    after = max(len(right.removeprefix(".")) for _, right in parts)
    return f"D{{.}}{{.}}{{{before}.{after}}}"


def _head(table: Table) -> list[str]:
    lines = []
    for number, line in enumerate(table.headers, start=1):
        stub = tex_escape(table.stub) if number == len(table.headers) else ""
        cells, rules, column = [stub], [], 2
        for header in line:
            cells.append(_header(header))
            if header.rule:
                rules.append(f"\\cmidrule(lr){{{column}-{column + header.span - 1}}}")
            column += header.span
        lines.append(f"{' & '.join(cells)} \\\\{''.join(rules)}")
    return lines


def _header(header: Header) -> str:
    return f"\\multicolumn{{{header.span}}}{{c}}{{{tex_escape(header.text)}}}" if header.text or header.span > 1 else ""


def _body(table: Table) -> list[str]:
    lines = []
    for row in table.rows:
        if row.kind == "rule":
            lines.append("\\midrule")
        elif row.kind == "heading":
            shown = tex_escape(row.label)
            style = "\\textbf" if table.language == "zh" else "\\textit"
            lines.append(f"\\multicolumn{{{table.columns + 1}}}{{l}}{{{style}{{{shown}}}}} \\\\")
        else:
            lines.append(_row(row, table.columns))
    return lines


def _row(row: Row, columns: int) -> str:
    cells = [_cell(cell) for _, cell in placed_cells(row.cells)] or [""] * columns
    return f"{tex_escape(row.label)} & {' & '.join(cells)} \\\\"


def _cell(cell: Cell) -> str:
    if is_aligned(cell):
        # A column of dcolumn is in mathematics: minus signs come out right, and only these signs need care.
        bare = cell.shown().removesuffix(cell.stars) if cell.stars else cell.shown()
        stars = f"^{{{cell.stars}}}" if cell.stars else ""
        shown = re.sub(r"(\d),(?=\d)", r"\1{,}", bare).replace("%", "\\%")
        return re.sub(r"e([+-])0*(\d+)", r"\\mathrm{e}{\1}\2", shown) + stars
    shown = tex_escape(cell.shown("−"))
    return f"\\multicolumn{{{cell.span}}}{{c}}{{{shown}}}" if shown or cell.span > 1 else ""


def _notes(table: Table) -> list[str]:
    if not table.notes_text:
        return []
    head, _, rest = table.notes_text.partition("：" if table.language == "zh" else ": ")
    mark = "：" if table.language == "zh" else ":"
    return [
        "\\begin{tablenotes}[flushleft]",
        "\\footnotesize",
        f"\\item {tex_escape(head)}{mark} {tex_escape(rest)}",
        "\\end{tablenotes}",
    ]
