"""The parts of WordprocessingML (ECMA-376, part 1, chapter 17) that python-docx has no words for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

LATIN, EAST_ASIAN = "Times New Roman", "宋体"
_THEME_ATTRIBUTES = ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme")


def document_fonts(document: Any, size: float) -> None:
    """Set the fonts of the styles in use, in points, without the theme that would override them."""
    from docx.shared import Pt, RGBColor

    for name in ("Normal", "Caption"):
        style = document.styles[name]
        _fonts(style.element.get_or_add_rPr())
        style.font.size = Pt(size)
        style.font.color.rgb = RGBColor(0, 0, 0)
        style.paragraph_format.space_after = Pt(0)
        style.paragraph_format.line_spacing = 1.0


def _fonts(properties: Any) -> None:
    from docx.oxml.ns import qn

    fonts = properties.get_or_add_rFonts()
    for attribute in _THEME_ATTRIBUTES:
        fonts.attrib.pop(qn(f"w:{attribute}"), None)
    for attribute, font in (("ascii", LATIN), ("hAnsi", LATIN), ("eastAsia", EAST_ASIAN), ("cs", LATIN)):
        fonts.set(qn(f"w:{attribute}"), font)


def add_runs(paragraph: Any, text: str, size: float, *, bold: bool = False, italic: bool = False) -> Any:
    """Add a text to a paragraph with both fonts named in the run, so that they stay when it is pasted elsewhere."""
    from docx.shared import Pt

    run = paragraph.add_run(text)
    _fonts(run._r.get_or_add_rPr())
    run.font.size = Pt(round(size * 2) / 2)
    run.bold, run.italic = bold or None, italic or None
    return run


def sequence_field(paragraph: Any, name: str, shown: str, size: float) -> None:
    """Add a number that Word counts on by itself, as its own captions have (field SEQ)."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    for kind, text in (
        ("begin", ""),
        ("", f" SEQ {name} \\* ARABIC "),
        ("separate", ""),
        ("result", shown),
        ("end", ""),
    ):
        run = add_runs(paragraph, text if kind == "result" else "", size, bold=True)
        if kind in ("begin", "separate", "end"):
            mark = OxmlElement("w:fldChar")
            mark.set(qn("w:fldCharType"), kind)
            run._r.append(mark)
        elif not kind:
            instruction = OxmlElement("w:instrText")
            instruction.set(qn("xml:space"), "preserve")
            instruction.text = text
            run._r.append(instruction)


def page_setup(document: Any, short: float, long: float, margin: float, *, landscape: bool) -> None:
    """Set an A4 page in centimetres, upright or on its side."""
    from docx.enum.section import WD_ORIENT
    from docx.shared import Cm

    section = document.sections[0]
    section.orientation = WD_ORIENT.LANDSCAPE if landscape else WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = (Cm(long), Cm(short)) if landscape else (Cm(short), Cm(long))
    section.left_margin = section.right_margin = Cm(margin)
    section.top_margin = section.bottom_margin = Cm(margin)


def table_geometry(table: Any, widths: Sequence[float]) -> None:
    """Centre a table, fix its column widths in centimetres and narrow the margins of its cells."""
    from docx.enum.table import WD_TABLE_ALIGNMENT
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn
    from docx.shared import Cm

    table.alignment = WD_TABLE_ALIGNMENT.CENTER
    table.autofit = False
    margins = OxmlElement("w:tblCellMar")
    for side in ("left", "right"):
        edge = OxmlElement(f"w:{side}")
        edge.set(qn("w:w"), "57")
        edge.set(qn("w:type"), "dxa")
        margins.append(edge)
    # The schema wants tblCellMar before tblLook.
    look = table._tbl.tblPr.find(qn("w:tblLook"))
    if look is None:
        table._tbl.tblPr.append(margins)
    else:
        look.addprevious(margins)
    for column, width in zip(table.columns, widths, strict=True):
        column.width = Cm(width)
    for row in table.rows:
        _row_property(row, "cantSplit")
        row.height = Cm(0.5)
        for cell, width in zip(row.cells, widths, strict=True):
            cell.width = Cm(width)


def repeat_as_header(row: Any) -> None:
    """Repeat a row at the head of every page."""
    _row_property(row, "tblHeader")


def _row_property(row: Any, name: str) -> None:
    from docx.oxml import OxmlElement

    row._tr.get_or_add_trPr().append(OxmlElement(f"w:{name}"))


def merge_across(cells: Sequence[Any], column: int, span: int) -> Any:
    """Return the cell of a row at a column, merged with the ones to its right that it covers."""
    return cells[column] if span == 1 else cells[column].merge(cells[column + span - 1])


def borders(cell: Any, edges: Mapping[str, int]) -> None:
    """Draw the given edges of a cell in eighths of a point; no other edge, and none of width 0, is drawn."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    properties = cell._tc.get_or_add_tcPr()
    own = OxmlElement("w:tcBorders")
    for side in ("top", "left", "bottom", "right"):
        width = edges.get(side, 0)
        edge = OxmlElement(f"w:{side}")
        edge.set(qn("w:val"), "single" if width else "nil")
        if width:
            edge.set(qn("w:sz"), str(width))
            edge.set(qn("w:space"), "0")
            edge.set(qn("w:color"), "000000")
        own.append(edge)
    align = OxmlElement("w:vAlign")
    align.set(qn("w:val"), "center")
    properties.append(own)
    properties.append(align)


def rule_below(paragraph: Any, width: int) -> None:
    """Draw a rule, in eighths of a point, below a paragraph; unlike the edge of a cell it leaves a gap at both ends."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    rules, edge = OxmlElement("w:pBdr"), OxmlElement("w:bottom")
    for name, value in (("val", "single"), ("sz", str(width)), ("space", "1"), ("color", "000000")):
        edge.set(qn(f"w:{name}"), value)
    rules.append(edge)
    properties = paragraph._p.get_or_add_pPr()
    # The schema wants pBdr before spacing and jc.
    following = next((child for child in properties if child.tag in (qn("w:spacing"), qn("w:jc"))), None)
    if following is None:
        properties.append(rules)
    else:
        following.addprevious(rules)
