"""Lists of announcements: read from a CSV file, and which of their rows are wanted."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from flows.fetch_gate import host_of
from flows.fetch_names import Announced, announced_of, read_code
from flows.formats import unescape_formula
from flows.settings import FetchParameters
from nlp.term_rows import decode
from shuzhi import DictionaryError, UsageError

# Headers by field, in lower case; the first of a list is the one that shuzhi writes.
HEADERS: Mapping[str, tuple[str, ...]] = {
    "stock_code": ("stock_code", "code", "stkcd", "seccode", "证券代码", "股票代码", "公司代码", "代码"),
    "short_name": ("short_name", "name", "secname", "证券简称", "股票简称", "公司简称", "简称", "公司名称"),
    "report_year": ("report_year", "year", "报告年度", "报告年份", "会计年度", "年度", "年份"),
    "title": ("title", "announcementtitle", "公告标题", "标题", "公告名称", "公告"),
    "link": ("link", "url", "adjuncturl", "公告链接", "下载链接", "链接", "网址", "地址"),
    "size_bytes": ("size_bytes", "bytes", "字节数", "字节"),
    "size_kilobytes": ("size_kilobytes", "adjunctsize", "kb", "大小kb"),
    "published": ("published", "date", "announcementtime", "公告日期", "公告时间", "发布日期", "日期"),
}
NEEDED = ("stock_code", "title", "link")
LISTED_KILOBYTES = re.compile(r"\((\d{1,9})k\)", re.IGNORECASE)
LARGEST_LIST_BYTES = 1 << 30


@dataclass(frozen=True)
class Announcement:
    """One row of a list, as the list says it.

    Parameters
    ----------
    stock_code, short_name, title, link, published : str
        The firm, the title, where the file is, and the day of publication; empty where the list says nothing.
    report_year : int or None
        Report year that the list says.
    listed_bytes : int or None
        Size of the file that the list says, as far as it says one.
    is_exact_size : bool
        Whether that size is in bytes, and not in rounded kilobytes.
    """

    stock_code: str
    short_name: str
    report_year: int | None
    title: str
    link: str
    published: str = ""
    listed_bytes: int | None = None
    is_exact_size: bool = False


@dataclass(frozen=True)
class Choice:
    """What becomes of an announcement: what it announces, and why it is not fetched (empty where it is)."""

    announcement: Announcement
    announced: Announced | None
    left_out: str = ""


def read_list(path: Path) -> list[Announcement]:
    """Read a list of announcements.

    Parameters
    ----------
    path : Path
        CSV file in UTF-8 or GB18030, separated by commas, semicolons or tabs, with the columns of ``titles.csv``
        (``report_year``, ``stock_code``, ``short_name``, ``title``) and ``link``; Chinese headers are known too.

    Raises
    ------
    UsageError
        If the file is missing or no table, or lacks a column; the message says which.
    """
    rows = _rows(path)
    header = [_plain(cell).lower() for cell in rows[0]] if rows else []
    places = {field: [header.index(name) for name in names if name in header] for field, names in HEADERS.items()}
    lacking = [f"{field} (or {', '.join(HEADERS[field][1:])})" for field in NEEDED if not places[field]]
    if lacking:
        raise UsageError(f"{path}: no column " + "; no column ".join(lacking))
    taken = {field: found[0] for field, found in places.items() if found}
    return [_announcement({field: _cell(row, place) for field, place in taken.items()}) for row in rows[1:] if any(row)]


def _rows(path: Path) -> list[list[str]]:
    try:
        if path.stat().st_size > LARGEST_LIST_BYTES:
            raise UsageError(f"{path}: larger than 1 GB; split the list")
        text = decode(path.read_bytes(), str(path))
    except OSError as error:
        raise UsageError(f"{path}: cannot be opened: {error.strerror}; name a list of announcements (CSV)") from None
    except DictionaryError as error:
        raise UsageError(str(error)) from None
    first = text.partition("\n")[0]
    separator = max(",;\t", key=first.count)
    try:
        return list(csv.reader(StringIO(text, newline=""), delimiter=separator))
    except csv.Error as error:
        raise UsageError(f"{path}: no CSV file: {error}") from None


def _plain(cell: str) -> str:
    return cell.replace("\ufeff", "").strip()


def _cell(row: Sequence[str], place: int) -> str:
    return unescape_formula(_plain(row[place])) if place < len(row) else ""


def _announcement(cells: Mapping[str, str]) -> Announcement:
    year = re.fullmatch(r"((?:19|20)\d\d)(?:\.0)?(?:年|-12-31|/12/31)?", cells.get("report_year", ""))
    exact, in_title = _number(cells.get("size_bytes", "")), LISTED_KILOBYTES.search(cells.get("title", ""))
    kilobytes = _number(cells.get("size_kilobytes", "")) or _number(in_title[1] if in_title else "")
    return Announcement(
        stock_code=cells.get("stock_code", ""),
        short_name=cells.get("short_name", ""),
        report_year=int(year[1]) if year else None,
        title=cells.get("title", ""),
        link=cells.get("link", "").replace(" ", "%20"),
        published=cells.get("published", ""),
        listed_bytes=exact or (kilobytes * 1000 if kilobytes else None),
        is_exact_size=exact is not None,
    )


def _number(text: str) -> int | None:
    digits = text.replace(",", "").removesuffix(".0")
    return int(digits) or None if digits.isascii() and digits.isdigit() and len(digits) < 16 else None


def choose(announcements: Sequence[Announcement], parameters: FetchParameters) -> list[Choice]:
    """Say of each announcement what it is of, and why it is left out if it is; a link counts once."""
    choices, seen = [], set()
    for each in announcements:
        choice = _choose(each, parameters)
        if not choice.left_out and each.link in seen:
            choice = Choice(each, choice.announced, "the link stands in the list before")
        seen.add(each.link)
        choices.append(choice)
    return choices


def _choose(each: Announcement, parameters: FetchParameters) -> Choice:
    code = read_code(each.stock_code)
    if code is None:
        return Choice(each, None, f"{each.stock_code or 'an empty cell'} is no code of a share")
    announced = announced_of(code, each.short_name, each.report_year, each.title)
    if isinstance(announced, str):
        return Choice(each, None, announced)
    if announced.kind not in parameters.kinds:
        return Choice(each, announced, f"kind {announced.kind}")
    reason = "" if each.link else "no link"
    if parameters.years and announced.report_year not in parameters.years:
        reason = f"report year {announced.report_year}"
    elif announced.revision == "cancelled":
        reason = "the report was cancelled"
    elif announced.revision != "original" and not parameters.include_revised:
        reason = f"the report was {announced.revision}"
    return Choice(each, announced, reason)


def check_hosts(announcements: Sequence[Announcement], hosts: Sequence[str]) -> None:
    """Raise a `UsageError` that names the hosts of a list where none is configured."""
    if hosts:
        return
    found = Counter(host for each in announcements if (host := host_of(each.link)))
    if not found:
        raise UsageError("the list holds no http or https link")
    named = ", ".join(f"{host} ({count:,})" for host, count in found.most_common(10))
    raise UsageError(f"no host is allowed yet; the links go to {named}. Allow those you trust with --host")
