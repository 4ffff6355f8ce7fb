"""The Excel sheets that people code, written and read back.

A row carries what is needed to score it in hidden columns, so that rows may be sorted, filtered or removed. What
people type is read with patience (:func:`nlp.codes.read_code`); all problems of all sheets come in one error.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

import pandas as pd
import xlsxwriter

from flows.formats import replacing
from flows.table_guard import check_table
from nlp.codes import CODES, read_code, read_sure
from shuzhi import DataError, UsageError

CODING, GUIDE, DESIGN = "编码 coding", "指南 guide", "design"
SheetKind = Literal["hits", "missed"]
# Header, width, where its value comes from.
VISIBLE = (
    ("序号 no", 6),
    ("公司 firm", 22),
    ("年度 year", 8),
    ("页 page", 7),
    ("词语 term", 14),
    ("上下文 context", 84),
    ("编码 code", 18),
    ("确定 sure", 9),
    ("备注 note", 24),
)
CODE, SURE, NOTE, CONTEXT, PAGE = 6, 7, 8, 5, 3
HIDDEN = (
    "hit_id",
    "sample_id",
    "stratum",
    "stratum_size",
    "stratum_drawn",
    "weight",
    "tier",
    "dictionary",
    "rule",
    "dimension",
    "raw_term",
    "stock_code",
    "report_year",
    "section",
    "file",
    "document_id",
    "hits_in_sentence",
)
MACHINE = "machine_"
_NUMBERS = ("stratum_size", "stratum_drawn", "weight", "report_year", "hits_in_sentence")
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\ufffe\uffff\ud800-\udfff]")
_LONGEST_URL = 2000
_CHARACTERS_A_LINE = 42
_HELP = "从列表选择，或键入编码、中文名或编号。Choose, or type a code, its label or its number."
PREFACE = (
    "每行是一处命中，【】内加粗的词是命中。“本公司”指提交年报的公司及其合并范围内的子公司。只按所示上下文判断。",
    "从上往下，取第一个符合的编码；没有把握时“确定”填 0。行可以排序、筛选或删除，请勿改动隐藏列。",
    "A row is one hit, the bold word in 【】. Judge from the context shown alone; take the first code that fits.",
    "Put 0 into “sure” where you are not. Rows may be sorted, filtered or removed; leave the hidden columns alone.",
)
MISSED_PREFACE = (
    "本表的句子没有本词典的命中，但较宽的词表认为可能相关。问题相同：这句话是不是本公司在做或计划做的（数字化等）行动？",
    "These sentences have no hit of the dictionary under test; a broader list flags them. The codes are the same.",
)


@dataclass(frozen=True)
class CodedSheet:
    """One sheet as it came back.

    Parameters
    ----------
    coder : str
        Name of the file without its suffix.
    kind : {'hits', 'missed'}
        What was drawn.
    design : mapping
        What the sample was drawn from and how.
    rows : DataFrame
        The hidden columns, with ``code`` (None where empty) and ``sure``.
    """

    coder: str
    kind: SheetKind
    design: Mapping[str, Any]
    rows: pd.DataFrame


def write_sheet(path: Path, sample: pd.DataFrame, kind: SheetKind, design: Mapping[str, Any], base: str = "") -> None:
    """Write a sample as a workbook to code in.

    Parameters
    ----------
    path : Path
        The workbook to write or replace.
    sample : DataFrame
        The hidden columns, ``company_name``, ``page``, ``before``, ``hit``, ``after``, and what the machine said in
        columns that begin with ``machine_``.
    kind : {'hits', 'missed'}
        What was drawn.
    design : mapping
        Kept on a hidden sheet and given back by :func:`read_sheet`.
    base : str
        Where the reports stand, to link to them: a URL, or a path as seen from the workbook; empty links nothing.
    """
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with replacing(path) as temporary, xlsxwriter.Workbook(str(temporary), options) as workbook:
        workbook.set_properties({"created": datetime(2000, 1, 1)})
        _write_coding(workbook, sample, base)
        _write_guide(workbook, kind)
        sheet = workbook.add_worksheet(DESIGN)
        sheet.hide()
        for row, (key, value) in enumerate({"kind": kind, **design}.items()):
            sheet.write_string(row, 0, key)
            sheet.write_string(row, 1, json.dumps(value, ensure_ascii=False, sort_keys=True))


def _write_coding(workbook: xlsxwriter.Workbook, sample: pd.DataFrame, base: str) -> None:
    sheet = workbook.add_worksheet(CODING)
    plain = {"valign": "top", "quote_prefix": True}
    text = workbook.add_format({**plain, "num_format": "@", "text_wrap": True})
    entry = workbook.add_format({"valign": "top", "bg_color": "#FFF8E1", "border": 1, "border_color": "#E0D6B8"})
    link = workbook.add_format({"valign": "top", "font_color": "#1F4E79", "underline": 1})
    number, done = workbook.add_format({"valign": "top"}), workbook.add_format({"bg_color": "#E3F1E1"})
    bold = workbook.add_format({"bold": True, "font_color": "#B03A00"})
    head = workbook.add_format({"bold": True, "bottom": 1, "valign": "top", "text_wrap": True})
    hidden = [*HIDDEN, *(name for name in sample.columns if str(name).startswith(MACHINE))]
    for column, (name, width) in enumerate(VISIBLE):
        sheet.set_column(column, column, width)
        sheet.write_string(0, column, name, head)
    for column, name in enumerate(hidden, start=len(VISIBLE)):
        sheet.write_string(0, column, name, head)
    sheet.set_column(len(VISIBLE), len(VISIBLE) + len(hidden) - 1, None, None, {"hidden": True})
    for row, hit in enumerate(sample.to_dict("records"), start=1):
        sheet.write_number(row, 0, row, number)
        sheet.write_string(row, 1, _clean(hit["company_name"] or hit["stock_code"]), text)
        sheet.write_number(row, 2, int(hit["report_year"]), number)
        _write_page(sheet, row, hit, base, link, number)
        sheet.write_string(row, 4, _clean(hit["raw_term"]), text)
        before, mark, after = (_clean(hit[name]) for name in ("before", "hit", "after"))
        sheet.write_rich_string(row, CONTEXT, before + "【", bold, mark or " ", "】" + after, text)
        lines = -(-len(before + mark + after) // _CHARACTERS_A_LINE)
        sheet.set_row(row, max(2, lines) * 15.5)
        for column in (CODE, SURE, NOTE):
            sheet.write_blank(row, column, None, entry)
        for column, name in enumerate(hidden, start=len(VISIBLE)):
            _write_hidden(sheet, row, column, hit[name])
    last = max(len(sample), 1)
    first = len(PREFACE) + len(MISSED_PREFACE) + 3
    guide = f"='{GUIDE}'!$A${first}:$A${first + len(CODES) - 1}"
    rule = {"validate": "list", "source": guide, "error_type": "warning", "error_title": "编码 code"}
    rule |= {"error_message": _HELP, "input_title": "编码 code", "input_message": _HELP}
    sheet.data_validation(1, CODE, last, CODE, rule)
    sheet.data_validation(1, SURE, last, SURE, {"validate": "list", "source": ["1", "0"], "error_type": "warning"})
    sheet.conditional_format(1, CODE, last, CODE, {"type": "no_blanks", "format": done})
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, last, len(VISIBLE) + len(hidden) - 1)
    sheet.ignore_errors({"number_stored_as_text": f"A1:XFD{last + 1}"})
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)


def _write_page(
    sheet: xlsxwriter.worksheet.Worksheet,
    row: int,
    hit: Mapping[Any, Any],
    base: str,
    link: xlsxwriter.format.Format,
    plain: xlsxwriter.format.Format,
) -> None:
    page, place = int(hit["page"]), link_to(base, str(hit["file"]), int(hit["page"]))
    if place:
        sheet.write_url(row, PAGE, place, link, str(page))
    else:
        sheet.write_number(row, PAGE, page, plain)


def link_to(base: str, file: str, page: int) -> str:
    """Return a link to a report as Excel wants it; empty where there is none to give.

    Excel opens a file on disk whatever its page; the page is part of a link on the web alone.
    """
    if not base:
        return ""
    if re.match(r"https?://", base, re.IGNORECASE):
        mark = f"#page={page}" if file.lower().endswith(".pdf") else ""
        place = f"{base.rstrip('/')}/{quote(file)}{mark}"
    elif re.match(r"[a-z][a-z0-9+.-]+:", base, re.IGNORECASE) or "#" in base + file:
        return ""
    else:
        place = f"external:{base.rstrip('/')}/{file}"
    return place if len(place) <= _LONGEST_URL else ""


def _write_hidden(sheet: xlsxwriter.worksheet.Worksheet, row: int, column: int, value: Any) -> None:
    if value is None or pd.isna(value):
        return
    if isinstance(value, bool):
        sheet.write_number(row, column, int(value))
    elif isinstance(value, int | float):
        sheet.write_number(row, column, value)
    else:
        sheet.write_string(row, column, _clean(value))


def _write_guide(workbook: xlsxwriter.Workbook, kind: SheetKind) -> None:
    sheet = workbook.add_worksheet(GUIDE)
    wrap = workbook.add_format({"text_wrap": True, "valign": "top"})
    bold = workbook.add_format({"bold": True, "valign": "top"})
    lines = [*PREFACE, *(MISSED_PREFACE if kind == "missed" else ("",) * len(MISSED_PREFACE))]
    for row, line in enumerate(lines):
        sheet.write_string(row, 0, line)
    head = len(lines) + 1
    for column, (name, width) in enumerate((("编码 code", 26), ("中文", 62), ("English", 62))):
        sheet.set_column(column, column, width)
        sheet.write_string(head, column, name, bold)
    for number, code in enumerate(CODES, start=1):
        sheet.write_string(head + number, 0, choice(number, code.name, code.zh), bold)
        sheet.write_string(head + number, 1, code.rule_zh, wrap)
        sheet.write_string(head + number, 2, f"{code.en}: {code.rule_en}", wrap)


def choice(number: int, name: str, zh: str) -> str:
    """Return a code as the drop-down list shows it."""
    return f"{number} {name} {zh}"


def _clean(value: object) -> str:
    return _UNPRINTABLE.sub("", str(value))


def read_sheets(paths: Sequence[Path]) -> list[CodedSheet]:
    """Read coded sheets back, one a coder.

    Raises
    ------
    UsageError
        With every problem of every sheet, each with its file, sheet and row.
    """
    problems: list[str] = []
    found = [sheet for path in paths if (sheet := _read_sheet(path, problems)) is not None]
    if len({sheet.coder for sheet in found}) < len(found):
        problems.append("two sheets have the same file name, which names the coder; rename one")
    if problems:
        count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}"
        raise UsageError(f"coded sheets: {count}\n" + "\n".join(f"  {problem}" for problem in problems))
    return found


def _read_sheet(path: Path, problems: list[str]) -> CodedSheet | None:
    book = _open_book(path, problems)
    if book is None:
        return None
    with_ids = [sheet for sheet in book.worksheets if "hit_id" in _header(sheet)]
    if not with_ids or DESIGN not in book.sheetnames:
        problems.append(
            f"{path}: has not the hidden columns and sheet of 'shuzhi validate sample'; start from its file"
        )
        return None
    cells = {str(row[0]): row[1] for row in book[DESIGN].iter_rows(max_col=2, values_only=True) if row[0]}
    design = {key: json.loads(str(value)) for key, value in cells.items()}
    sheet = with_ids[0]
    where = f"{path.name}, sheet {sheet.title}"
    missing = [name for name in (*HIDDEN, "code") if name not in _header(sheet)]
    if missing:
        problems.append(f"{where}: columns {', '.join(missing)} are gone; start from the file as it was written")
        return None
    rows = pd.DataFrame(_rows(sheet, where, str(design.get("sample_id")), problems))
    if rows.empty or rows["code"].isna().all():
        problems.append(f"{where}: not one row is coded")
        return None
    return CodedSheet(path.stem, "missed" if design.get("kind") == "missed" else "hits", design, rows)


def _open_book(path: Path, problems: list[str]) -> Any:
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        check_table(path)
        return load_workbook(path, data_only=True)
    except DataError as error:
        problems.append(f"{path.parent / str(error)}")
    except OSError as error:
        problems.append(f"{path}: cannot be opened: {error.strerror or error}")
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError):
        problems.append(f"{path}: is no Excel workbook (.xlsx); save the sheet in that format")
    return None


def _header(sheet: Any) -> dict[str, int]:
    """Return where each column stands: hidden ones by name, visible ones by the English end of theirs."""
    found: dict[str, int] = {}
    for column, value in enumerate(next(sheet.iter_rows(max_row=1, values_only=True), ())):
        if isinstance(value, str) and value.strip():
            found.setdefault(value.strip().split()[-1].lower(), column)
    return found


def _rows(sheet: Any, where: str, sample_id: str, problems: list[str]) -> Iterator[dict[str, Any]]:
    header = _header(sheet)
    seen: dict[str, tuple[int, str | None]] = {}
    kept = [name for name in header if name in HIDDEN or name.startswith(MACHINE)]
    for number, values in enumerate(sheet.iter_rows(min_row=2, values_only=True), start=2):
        if not any(value is not None and str(value).strip() for value in values):
            continue
        row: dict[str, Any] = {name: values[header[name]] for name in kept}
        identifier = row["hit_id"]
        if not identifier or row["sample_id"] != sample_id:
            problems.append(f"{where}, row {number}: is no row of this sample; remove it")
            continue
        try:
            row["code"] = read_code(values[header["code"]])
            row["sure"] = read_sure(values[header["sure"]]) if "sure" in header else None
            row |= {name: float(row[name]) for name in _NUMBERS if row[name] is not None}
        except (TypeError, ValueError) as error:
            problems.append(f"{where}, row {number}: {error}")
            continue
        before = seen.get(identifier)
        if before is not None:
            if before[1] != row["code"]:
                problems.append(f"{where}, row {number}: repeats row {before[0]} with another code; remove one")
            continue
        seen[identifier] = (number, row["code"])
        yield row
