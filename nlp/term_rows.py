"""The terms of a word list as a file of somebody else gives them: a table, one term a line, jieba's dictionary."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from shuzhi import DictionaryError

ListFormat = Literal["csv", "text", "jieba"]
Keep = Literal["yes", "no", ""]
HEADERS: Mapping[str, tuple[str, ...]] = {
    "term": ("term", "terms", "word", "keyword", "词", "词语", "词汇", "关键词", "术语", "特征词"),
    "dimension": ("dimension", "dim", "category", "group", "维度", "分类", "类别", "一级指标", "二级指标"),
    "keep": ("keep", "保留", "是否保留"),
    "reason": ("reason", "理由", "原因"),
    "source": ("source", "来源", "出处"),
}
YES, NO = ("yes", "y", "1", "true", "是", "保留"), ("no", "n", "0", "false", "否", "删除")
# Jieba's own pattern of a line of its user dictionary.
JIEBA_LINE = re.compile(r"(?P<term>.+?)(?P<frequency> [0-9]+)?(?P<tag> [a-z]+)?")


@dataclass(frozen=True)
class TermRow:
    """One term as a file gives it.

    Parameters
    ----------
    place : str
        Where it stands, for messages, for example ``line 3`` or ``sheet proposals, row 3``.
    term, dimension, reason, source : str
        Cells; empty where the file has no such column.
    keep : {'yes', 'no', ''}
        What a reader of the sheet decided; ``yes`` where the file has no such column.
    problem : str
        What is wrong with the row itself; told with all the others when a list is built.
    """

    place: str
    term: str
    dimension: str = ""
    keep: Keep = "yes"
    reason: str = ""
    source: str = ""
    problem: str = ""


def decode(data: bytes, file: str) -> str:
    """Return the text of a file in UTF-8, UTF-16 with its mark, or GB18030.

    Raises
    ------
    DictionaryError
        If it is none of them, with the place of the first byte that does not fit.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        place = f"{file} line {data[: error.start].count(10) + 1}"
    # In a damaged UTF-8 file most characters are still right; in GB18030 hardly any is. GB18030 itself would take both.
    loose = data.decode("utf-8", errors="replace")
    wrong, other = loose.count("\ufffd"), sum(ord(character) > 0x7F for character in loose)
    if other - wrong <= 2 * wrong:
        try:
            return data.decode("gb18030")
        except UnicodeDecodeError as error:
            place = f"{file} line {data[: error.start].count(10) + 1}"
    raise DictionaryError(f"{place}: not text in UTF-8 or GB18030; save the file as UTF-8")


def guess_format(text: str, suffix: str) -> ListFormat:
    """Tell how a text file holds its terms: a table with a header, jieba's user dictionary, or one term a line."""
    if suffix.lower() in (".csv", ".tsv"):
        return "csv"
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    parsed = [match for line in lines if (match := JIEBA_LINE.fullmatch(line)) and " " not in match["term"]]
    has_numbers = any(match["frequency"] for match in parsed)
    return "jieba" if lines and len(parsed) == len(lines) and has_numbers else "text"


def rows_of_text(text: str, form: ListFormat) -> list[TermRow]:
    """Return the terms of a text file.

    Parameters
    ----------
    text : str
        Content of the file.
    form : {'csv', 'text', 'jieba'}
        ``csv`` has a header and is separated by commas, semicolons or tabs; ``text`` has one term a line, lines
        that begin with ``#`` are remarks; ``jieba`` has a term, its frequency and its tag a line.

    Returns
    -------
    list of TermRow
        In the order of the file.

    Raises
    ------
    DictionaryError
        If a table has no column of terms.
    """
    if form == "csv":
        body = "\n".join("" if line.startswith("#") else line for line in text.splitlines())
        first = next((line for line in body.splitlines() if line.strip()), "")
        delimiter = max("\t,;，", key=first.count) if first else ","
        reader = csv.reader(io.StringIO(body), delimiter=delimiter)
        table = [(f"line {reader.line_num}", cells) for cells in reader]
        return rows_of_table(table)
    lines = [(f"line {number}", line.strip()) for number, line in enumerate(text.splitlines(), start=1)]
    kept = [(place, line) for place, line in lines if line and not line.startswith("#")]
    if form == "jieba":
        matches = ((place, JIEBA_LINE.fullmatch(line)) for place, line in kept)
        kept = [(place, match["term"]) for place, match in matches if match]
    return [TermRow(place, term) for place, term in kept]


def rows_of_table(table: Sequence[tuple[str, Sequence[object]]]) -> list[TermRow]:
    """Return the terms of a table with a header.

    Parameters
    ----------
    table : sequence of (str, sequence of object)
        Place and cells of each row; the first row that is not empty is the header.

    Returns
    -------
    list of TermRow
        One a row that is not empty.

    Raises
    ------
    DictionaryError
        If no column is named as one of terms.
    """
    rows = [(place, [_cell(value) for value in cells]) for place, cells in table]
    rows = [(place, cells) for place, cells in rows if any(cells)]
    if not rows:
        raise DictionaryError("the file is empty; give it a header and one term a row")
    place, header = rows[0]
    columns = _columns(header)
    if "term" not in columns:
        raise DictionaryError(f"{place}: no column of terms among {', '.join(filter(None, header))}; name it 'term'")
    found = []
    for place, cells in rows[1:]:
        values = {key: cells[at] if at < len(cells) else "" for key, at in columns.items()}
        decided = values.pop("keep", "yes")
        keep = _keep(decided)
        problem = f"keep is {decided!r}; write yes or no, or leave it empty" if keep is None else ""
        found.append(TermRow(place, keep=keep or "", problem=problem, **values))
    return found


def has_terms(cells: Sequence[object]) -> bool:
    """Tell whether a header names a column of terms."""
    return "term" in _columns([_cell(value) for value in cells])


def _columns(header: Sequence[str]) -> dict[str, int]:
    names = [cell.strip().lower() for cell in header]
    return {
        key: next(names.index(name) for name in known if name in names)
        for key, known in HEADERS.items()
        if set(known) & set(names)
    }


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def _keep(cell: str) -> Keep | None:
    folded = cell.lower()
    return "yes" if folded in YES else "no" if folded in NO else "" if not folded else None
