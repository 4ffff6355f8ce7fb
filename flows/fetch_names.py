"""Names under which fetched reports are kept: safe on every system, and read by ``shuzhi run`` as what they are."""

from __future__ import annotations

import html
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from flows.files import CONTROL_CHARACTERS
from nlp.identity import from_path
from nlp.title import Kind, Revision, TitleParts, code_exchange, fold, is_stock_code, parse_title

LONGEST_STEM_BYTES = 180
CANONICAL: dict[Kind, str] = {
    "annual": "年年度报告",
    "summary": "年年度报告摘要",
    "semiannual": "年半年度报告",
    "english": "年年度报告(英文版)",
    "hk_annual": "年年度報告",
}
REVISED: dict[Revision, str] = {"revised": "修订版", "updated": "更新后", "cancelled": "已取消"}
_UNSAFE = re.compile(r'[.\\/:*?"<>|%$`\'#&;!{}~^=@+,\[\]]')
# Marks that turn the direction of writing, and others that cannot be seen.
_UNSEEN = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ufffe\uffff\ue000-\uf8ff]")
_CODE = re.compile(r"(?:SZ|SH|BJ|HK)?[.\-_]?(\d{1,6})(?:\.0)?(?:[.\-_]?(?:SZ|SH|SS|BJ|HK|XSHE|XSHG))?", re.IGNORECASE)


@dataclass(frozen=True)
class Announced:
    """What an announcement is of: the firm, the report year, the kind, the edition."""

    stock_code: str
    short_name: str
    report_year: int
    kind: Kind
    revision: Revision
    revision_number: int
    title: str


def clean_title(title: str) -> str:
    """Return a title as people read it: no marks of search results, no entities, no ending such as ``_(1369k).PDF``."""
    plain = re.sub(r"</?[A-Za-z][^<>]*>", "", html.unescape(title))
    plain = " ".join(CONTROL_CHARACTERS.sub(" ", _UNSEEN.sub("", plain)).split())
    return re.sub(r"(?:_?\(\d+k\))?\.(?:pdf|docx?|html?|txt)$", "", plain, flags=re.IGNORECASE)


def read_code(text: str) -> str | None:
    """Return the stock code as text of six digits (five in Hong Kong), or None where it is none.

    Parameters
    ----------
    text : str
        For example ``000001``, ``sz000001``, ``000001.SZ``, ``1`` where a spreadsheet took the zeros, ``00700.HK``.
    """
    plain = fold(text).strip().lstrip("'")
    found = _CODE.fullmatch(plain)
    if not found:
        return None
    digits = found[1]
    if "HK" in plain.upper() or (len(digits) == 5 and digits.startswith("0")):
        return digits.zfill(5) if len(digits) <= 5 else None
    code = digits.zfill(6)
    return code if is_stock_code(code) and code_exchange(code) is not None else None


def file_name(announced: Announced) -> str:
    """Return the path of a report within the folder, for example ``2019/600519_示范股份_2019年年度报告.pdf``.

    The title stays as it was published where ``shuzhi run`` reads the same firm, year, kind and edition from it;
    otherwise the name is built of these.
    """
    # Short names of two characters are printed with spaces between them.
    name = _safe(announced.short_name).replace("_", "")
    canonical = f"{announced.report_year}{CANONICAL.get(announced.kind, '年' + announced.kind)}{_edition(announced)}"
    stems = [
        [announced.stock_code, name, _safe(announced.title)],
        [announced.stock_code, name, canonical],
        [announced.stock_code, canonical],
    ]
    paths = [f"{announced.report_year}/{_cut('_'.join(part for part in stem if part))}.pdf" for stem in stems]
    return next((path for path in paths if _is_read_as(path, announced)), paths[-1])


def _edition(announced: Announced) -> str:
    if announced.revision == "original":
        return ""
    number = f"第{announced.revision_number}次" if announced.revision_number > 1 else ""
    return f"({number}{REVISED[announced.revision]})"


def _is_read_as(path: str, announced: Announced) -> bool:
    """Return whether a path is read as what was announced, alone and with the number of a second file of that name."""
    return all(_matches(from_path(each), announced) for each in (path, numbered(path, 2)))


def _matches(read: TitleParts, announced: Announced) -> bool:
    said = (read.stock_code, read.report_year, read.kind, read.revision, read.revision_number)
    wanted = (announced.stock_code, announced.report_year, announced.kind)
    return said == (*wanted, announced.revision, announced.revision_number)


def _safe(text: str) -> str:
    """Return text of a list as part of a file name: full-width forms folded, nothing that a system or a shell reads."""
    folded = unicodedata.normalize("NFC", fold(clean_title(text)))
    return re.sub(r"[\s_]+", "_", _UNSAFE.sub("", folded)).strip("._- ")


def _cut(stem: str) -> str:
    """Cut a stem to the bytes that file systems take, between characters."""
    return stem.encode("utf-8")[:LONGEST_STEM_BYTES].decode("utf-8", "ignore").rstrip("._- ")


def numbered(path: str, number: int) -> str:
    """Return the path of the second, third … file of a name."""
    place = Path(path)
    return f"{place.parent.as_posix()}/{place.stem}_{number}{place.suffix}"


def announced_of(code: str, short_name: str, year: int | None, title: str) -> Announced | str:
    """Return what a title announces, or in words why it cannot be told.

    Parameters
    ----------
    code, short_name : str
        The firm, as the list says.
    year : int or None
        Report year that the list says; the title goes before it.
    title : str
        Title of the announcement.
    """
    plain = clean_title(title)
    parts = parse_title(plain)
    report_year = parts.report_year or year
    if parts.kind is None:
        return "the title names no kind of report"
    if report_year is None:
        return "neither the title nor the list says the report year"
    # The title alone says what kind it is, but of Hong Kong's firms only the code does.
    kind: Kind = "hk_annual" if parts.kind == "annual" and len(code) == 5 else parts.kind
    name = clean_title(short_name)
    return Announced(code, name, report_year, kind, parts.revision, parts.revision_number, plain)
