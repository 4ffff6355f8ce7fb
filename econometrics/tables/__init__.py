"""Tables for the paper: builders from results, and one door to every file format.

A builder (`regression_table`, `mediation_table`, ...) gives a `Table`, which knows no file format; a renderer turns
it into Word, LaTeX, HTML, Markdown, Excel, CSV or plain text. Nothing is written here.
"""

from econometrics.tables.descriptive import correlation_table, descriptive_table, frame_table
from econometrics.tables.docx import to_docx
from econometrics.tables.groups import heterogeneity_table
from econometrics.tables.html import TABLE_STYLE, to_html
from econometrics.tables.mediation import mediation_table
from econometrics.tables.model import Cell, Header, Language, Row, Table
from econometrics.tables.policies import did_table, event_study_table
from econometrics.tables.regression import GroupTest, regression_table
from econometrics.tables.render import FORMATS, TableFormat, render_table, render_tables
from econometrics.tables.sheets import to_csv, to_xlsx
from econometrics.tables.tex import tex_document, tex_preamble, to_tex
from econometrics.tables.text import to_markdown, to_text

__all__ = [
    "FORMATS",
    "TABLE_STYLE",
    "Cell",
    "GroupTest",
    "Header",
    "Language",
    "Row",
    "Table",
    "TableFormat",
    "correlation_table",
    "descriptive_table",
    "did_table",
    "event_study_table",
    "frame_table",
    "heterogeneity_table",
    "mediation_table",
    "regression_table",
    "render_table",
    "render_tables",
    "tex_document",
    "tex_preamble",
    "to_csv",
    "to_docx",
    "to_html",
    "to_markdown",
    "to_tex",
    "to_text",
    "to_xlsx",
]
