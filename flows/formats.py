"""How a frame becomes a file: CSV, Parquet, Excel and Stata.

The same frame gives the same bytes: no clock, no random name inside a file. Every writer writes beside its
target and renames, so that a killed run leaves either the old file or the new one.
"""

from __future__ import annotations

import hashlib
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from os import getpid
from pathlib import Path
from threading import get_ident

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import xlsxwriter

from shuzhi import UsageError

FORMULA_RULE_ZH = (
    "CSV 文件中，以 = + - @（含全角 ＝ ＋ － ＠）、制表符或换行符开头的文本单元格前加一个撇号（'），"
    "以免被电子表格当作公式执行；本身以撇号再接上述字符开头的文本同样再加一个撇号，因此去掉一个撇号即得原文。"
    "数值从不加撇号；其他格式保存原文。"
)
FORMULA_RULE_EN = (
    "In CSV files a text cell that begins with = + - @ (also full-width), a tab or a line break gets one "
    "leading apostrophe ('), so that no spreadsheet runs it as a formula; text that already begins with "
    "apostrophes before such a character gets one more, so taking one apostrophe off always gives the text "
    "back. Numbers never get one; the other formats hold the text as it is."
)

STATA_LABEL_LENGTH = 80

_RUNS_AS_FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
_ESCAPED = re.compile(r"'+[=+\-@\t\r\n＝＋－＠]")
_MARKDOWN = re.compile(r"[\\`*_\[\]|]")
_FIXED_TIME = datetime(2000, 1, 1)
_SHEET_ROWS = 1_048_575  # Excel's limit without the header
_CELLS_IN_MEMORY = 500_000
_CHOICES_LENGTH = 255
_NOT_XML = re.compile("[\ufffe\uffff\ud800-\udfff]")

_STATA_LENGTH = 32
_STATA_RESERVED = re.compile(
    r"_all|_b|byte|_coef|_cons|double|float|if|in|int|long|_n|_N|_pi|_pred|_rc|_skip|str(\d+|L)|using|with"
)
_ABBREVIATIONS = (
    ("per_10k_chars", "p10k"),
    ("per_1k_tokens", "p1k"),
    ("sentence_share", "sshare"),
    ("transformation", "trans"),
    ("manufacturing", "manuf"),
    ("environmental", "env"),
    ("infrastructure", "infra"),
    ("intelligence", "intel"),
    ("intelligent", "intel"),
    ("application", "app"),
    ("technology", "tech"),
    ("management", "mgmt"),
    ("blockchain", "bchain"),
    ("computing", "comp"),
    ("business", "busi"),
    ("digital", "dig"),
)


def escape_formula(text: str) -> str:
    """Put an apostrophe before text that a spreadsheet would run; see ``FORMULA_RULE_EN``."""
    return "'" + text if _RUNS_AS_FORMULA.match(text) else text


def unescape_formula(text: str) -> str:
    """Give back the text that `escape_formula` was given."""
    return text[1:] if _ESCAPED.match(text) else text


def in_markdown(text: str) -> str:
    """Return text of a report or a user so that Markdown shows it as it is: no markup, no link, no cell, one line."""
    plain = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;")
    return _MARKDOWN.sub(r"\\\g<0>", plain)


def in_fence(text: str) -> str:
    """Return text that cannot end the fenced block of Markdown in which it stands."""
    return text.replace("```", "'''").replace("~~~", "'''")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary name beside `path` and rename it to `path` if all went well."""
    temporary = path.with_name(f".{path.name}.{getpid()}-{get_ident()}.tmp")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield temporary
        temporary.replace(path)
    except PermissionError as error:
        raise UsageError(
            f"{path.name} cannot be written: close it where it is open (Excel, Stata) and run again"
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def write_csv(frame: pd.DataFrame, path: Path) -> None:
    r"""Write a CSV file that Excel in China opens right: UTF-8 with a byte-order mark, formulas escaped.

    Parameters
    ----------
    frame : DataFrame
        What to write; its index is left out. Missing values become empty cells.
    path : Path
        The file to write or replace.

    Notes
    -----
    Lines end with ``\r\n`` as RFC 4180 says. Besides, Python's csv module only quotes the characters of its
    own line end: with ``\n`` a lone ``\r`` inside a reason would stand unquoted and break the row in Excel.
    """
    check_codes(frame)
    with replacing(path) as temporary:
        _escaped(frame).to_csv(temporary, index=False, encoding="utf-8-sig", lineterminator="\r\n", compression=None)


def csv_text(frame: pd.DataFrame) -> str:
    """Return a frame as CSV to be printed: formulas escaped as in files, lines as on the screen."""
    text: str = _escaped(frame).to_csv(index=False)
    return text


def _escaped(frame: pd.DataFrame) -> pd.DataFrame:
    escaped = frame.copy(deep=False)
    escaped.columns = pd.Index([escape_formula(str(name)) for name in frame.columns], dtype="object")
    for position in range(frame.shape[1]):
        column = frame.iloc[:, position]
        if _is_text(column):
            escaped.isetitem(position, _escaped_column(column))
    return escaped


def _escaped_column(column: pd.Series) -> npt.NDArray[np.object_]:
    if column.dtype == "str":
        # Most texts of a long table stand in thousands of rows.
        codes, texts = pd.factorize(column)
        return np.array([*map(escape_formula, texts), None], dtype="object")[codes]
    return np.array([escape_formula(value) if isinstance(value, str) else value for value in column], dtype="object")


def unescaped(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame that was read from CSV with the apostrophes taken off that :func:`write_csv` puts before text.

    Parameters
    ----------
    frame : DataFrame
        As it was read; it is left as it is.
    """
    given = frame.copy(deep=False)
    given.columns = frame.columns.map(lambda name: unescape_formula(name) if isinstance(name, str) else name)
    for position in range(frame.shape[1]):
        cells: list[object] = list(frame.iloc[:, position]) if _is_text(frame.iloc[:, position]) else []
        if any(isinstance(value, str) and value.startswith("'") for value in cells):
            plain = [unescape_formula(value) if isinstance(value, str) else value for value in cells]
            given.isetitem(position, pd.array(plain, dtype=frame.dtypes.iloc[position]))
    return given


def write_parquet(frame: pd.DataFrame, path: Path, metadata: Mapping[str, str]) -> None:
    """Write a zstd-compressed Parquet file.

    Parameters
    ----------
    frame : DataFrame
        What to write; its index is left out.
    path : Path
        The file to write or replace.
    metadata : mapping of str to str
        What the file says of itself (hashes, versions), stored in its schema.
    """
    check_codes(frame)
    table = pa.Table.from_pandas(frame, preserve_index=False)
    # A column without a single value has no type of its own; those of ours that can be empty are text.
    fields = [field.with_type(pa.string()) if pa.types.is_null(field.type) else field for field in table.schema]
    own = {key.encode("utf-8"): metadata[key].encode("utf-8") for key in sorted(metadata)}
    table = table.cast(pa.schema(fields, metadata={**(table.schema.metadata or {}), **own}))
    with replacing(path) as temporary:
        pq.write_table(table, temporary, compression="zstd")


def write_xlsx(
    sheets: Mapping[str, pd.DataFrame], path: Path, choices: Mapping[str, Sequence[str]] | None = None
) -> None:
    """Write an Excel workbook in which nothing is interpreted: codes, formulas and links are text.

    Parameters
    ----------
    sheets : mapping of str to DataFrame
        Sheet names (at most 31 characters) and what they hold; what is too long goes on in ``name (2)``.
    path : Path
        The file to write or replace.
    choices : mapping of str to sequence of str, optional
        What a drop-down offers in the cells of a column, by column name, on every sheet that has it. Other text
        may be typed in after a warning. Excel takes at most 255 characters of choices; longer ones are left out.

    Notes
    -----
    Cells are stored as strings, which Excel never runs, so their text stays as it is, without an apostrophe.
    """
    for frame in sheets.values():
        check_codes(frame)
    options = {
        "constant_memory": sum(frame.size for frame in sheets.values()) > _CELLS_IN_MEMORY,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with replacing(path) as temporary, xlsxwriter.Workbook(str(temporary), options) as workbook:
        workbook.set_properties({"created": _FIXED_TIME})
        bold = workbook.add_format({"bold": True, "bottom": 1, "valign": "top"})
        text = workbook.add_format({"num_format": "@"})
        for name, frame in sheets.items():
            for number, start in enumerate(range(0, max(len(frame), 1), _SHEET_ROWS), start=1):
                sheet = workbook.add_worksheet(name if number == 1 else f"{name[:26]} ({number})")
                rows = frame.iloc[start : start + _SHEET_ROWS]
                _fill_sheet(sheet, rows, bold, text)
                _offer_choices(sheet, rows, choices or {})


def _offer_choices(
    sheet: xlsxwriter.worksheet.Worksheet, frame: pd.DataFrame, choices: Mapping[str, Sequence[str]]
) -> None:
    for column, name in enumerate(frame.columns):
        offered = list(choices.get(str(name), ()))
        if offered and len(frame) and len(",".join(offered)) <= _CHOICES_LENGTH:
            rule = {"validate": "list", "source": offered, "error_type": "warning"}
            sheet.data_validation(1, column, len(frame), column, rule)


def _fill_sheet(
    sheet: xlsxwriter.worksheet.Worksheet,
    frame: pd.DataFrame,
    bold: xlsxwriter.format.Format,
    text: xlsxwriter.format.Format,
) -> None:
    styles = [text if str(name).endswith("_code") else None for name in frame.columns]
    for column, name in enumerate(frame.columns):
        sheet.set_column(column, column, _width(frame[name]))
        sheet.write_string(0, column, str(name), bold)
    for row, values in enumerate(frame.itertuples(index=False, name=None), start=1):
        for column, value in enumerate(values):
            if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
                continue
            if isinstance(value, bool | np.bool_):
                sheet.write_boolean(row, column, bool(value))
            elif isinstance(value, int | float | np.number):
                sheet.write_number(row, column, value)
            elif value != "":
                sheet.write_string(row, column, _NOT_XML.sub("\ufffd", str(value)), styles[column])
    if len(frame.columns):
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, len(frame), len(frame.columns) - 1)
        # Otherwise every stock code wears a green "number stored as text" triangle.
        sheet.ignore_errors({"number_stored_as_text": f"A1:XFD{len(frame) + 1}"})


def _width(column: pd.Series) -> float:
    shown = [str(column.name), *(str(value) for value in column.head(100) if isinstance(value, str))]
    widths = (sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in cell) for cell in shown)
    return min(max(widths) + 3, 48)


def write_dta(frame: pd.DataFrame, path: Path, labels: Mapping[str, str], data_label: str) -> None:
    """Write a Stata 14 or later data file (format 118, or 119 above 32,767 variables).

    Parameters
    ----------
    frame : DataFrame
        What to write; its index is left out. A missing number becomes Stata's ``.``, missing text "".
    path : Path
        The file to write or replace.
    labels : mapping of str to str
        Variable labels by the frame's column names; what is longer than Stata's 80 characters is cut.
    data_label : str
        The label of the whole file.
    """
    check_codes(frame)
    names = stata_names(frame.columns)
    table = pd.DataFrame({names[name]: _stata_column(frame[name]) for name in frame.columns})
    variable_labels = {names[name]: _cut(labels.get(name, "")) for name in frame.columns}
    with replacing(path) as temporary:
        table.to_stata(
            temporary,
            write_index=False,
            time_stamp=_FIXED_TIME,
            data_label=_cut(data_label),
            variable_labels=dict(variable_labels),
            version=118 if len(names) <= 32_767 else 119,
            compression=None,
        )


def _stata_column(column: pd.Series) -> pd.Series:
    if not _is_text(column):
        return column
    kinds = {type(value) for value in column.dropna()}
    if kinds and kinds <= {bool, np.bool_}:
        return column.astype("boolean")
    cells = [value if isinstance(value, str) else "" if pd.isna(value) else str(value) for value in column]
    return pd.Series(cells, index=column.index, dtype="object")


def _cut(label: str) -> str:
    return label if len(label) <= STATA_LABEL_LENGTH else label[: STATA_LABEL_LENGTH - 1] + "…"


def stata_names(columns: Iterable[str]) -> dict[str, str]:
    """Give every column a Stata name: ASCII, at most 32 characters, valid, unique.

    Parameters
    ----------
    columns : iterable of str
        The columns of one table.

    Returns
    -------
    dict of str to str
        Column name to Stata name, in the order given.

    Notes
    -----
    A name depends on its column alone, so that next year's file has the same names. Only where two columns
    would end up with the same name, those that had to be changed carry six digits of their hash.
    """
    columns = list(columns)
    short = {name: _stata_name(name) for name in columns}
    taken = Counter(short.values())
    return {
        name: stata if taken[stata] == 1 or stata == name else _with_hash(stata, name) for name, stata in short.items()
    }


def _stata_name(name: str) -> str:
    plain = re.sub(r"\W", "_", name, flags=re.ASCII)
    if not plain or plain[0].isdigit() or _STATA_RESERVED.fullmatch(plain):
        plain = "v_" + plain
    if not name.isascii():
        # What was lost may be all that told two names apart.
        return _with_hash(re.sub(r"_{2,}", "_", plain), name)
    for long, abbreviation in _ABBREVIATIONS:
        if len(plain) <= _STATA_LENGTH:
            return plain
        plain = plain.replace(long, abbreviation)
    words = plain.split("_")
    for word in sorted(words, key=len, reverse=True):
        if len("_".join(words)) <= _STATA_LENGTH:
            break
        place = words.index(word)
        words[place] = word[:1] + re.sub(r"[aeiou]", "", word[1:])
    plain = "_".join(words)
    return plain if len(plain) <= _STATA_LENGTH else _with_hash(plain, name)


def _with_hash(stata: str, name: str) -> str:
    digest = hashlib.sha256(name.encode("utf-8")).hexdigest()[:6]
    return f"{stata[: _STATA_LENGTH - 7].rstrip('_')}_{digest}"


def check_codes(frame: pd.DataFrame) -> None:
    """Raise a `UsageError` if a ``*_code`` column holds numbers, which have lost their leading zeros."""
    for name in frame.columns:
        if str(name).endswith("_code") and not _is_text(frame[name]) and frame[name].notna().any():
            raise UsageError(f"column {name} holds numbers: codes are text, or 000001 becomes 1")


def _is_text(column: pd.Series) -> bool:
    return not (pd.api.types.is_numeric_dtype(column.dtype) or pd.api.types.is_datetime64_any_dtype(column.dtype))
