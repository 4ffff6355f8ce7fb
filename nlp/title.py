"""What a title, a file name or a folder says of the report it belongs to."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from nlp.folding import RADICALS
from nlp.title_patterns import (
    ANY_RADICAL,
    BARE_YEAR,
    CANCELLED,
    CHINESE_DIGITS,
    COMPANY,
    DATE,
    ENGLISH_TITLE,
    EXCHANGE_CODES,
    FOLDER_YEAR,
    HONG_KONG_CODES,
    KINDS,
    NOT_A_NAME,
    REVISION_WORD,
    SHORT_NAME,
    SIX_DIGITS,
    SPEAKS_OF_REPORT,
    STRIPPED_CODE,
    TITLE_YEARS,
    Kind,
    Revision,
)

__all__ = [
    "Kind",
    "Revision",
    "TitleParts",
    "code_exchange",
    "fold",
    "from_path",
    "is_b_share",
    "is_stock_code",
    "matched_year",
    "parse_revision",
    "parse_title",
]


@dataclass(frozen=True)
class TitleParts:
    """What a title says; None where it does not say.

    Parameters
    ----------
    report_year : int or None
        Fiscal year; of a year that spans two (2020/21) the later one, in which it ends.
    kind : Kind or None
        Kind of document.
    revision : Revision
        ``original`` unless the title says otherwise.
    revision_number : int
        0 for an original, 1 for the first revision, and so on.
    stock_code, short_name, company_name, exchange : str or None
        The firm.
    from_folder : tuple of str
        Names of the fields that only a folder name gave; empty for a title.
    title, folder : str
        The title and the folders as they were read.
    """

    report_year: int | None = None
    kind: Kind | None = None
    revision: Revision = "original"
    revision_number: int = 0
    stock_code: str | None = None
    short_name: str | None = None
    company_name: str | None = None
    exchange: str | None = None
    from_folder: tuple[str, ...] = ()
    title: str = ""
    folder: str = ""


def fold(text: str) -> str:
    """Return the text with full-width forms as half-width ones (NFKC) and radicals as the characters they stand for."""
    return ANY_RADICAL.sub(lambda radical: RADICALS[radical[0]], unicodedata.normalize("NFKC", text))


def is_stock_code(code: str) -> bool:
    """Return whether these six digits can be the code of a share (not of a bond, a fund or a date)."""
    return len(code) == 6 and code_exchange(code) is not None


def code_exchange(code: str) -> str | None:
    """Return the exchange that a code belongs to: SZ, SH, BJ, NEEQ, HK (five digits), or None."""
    for exchange, pattern in EXCHANGE_CODES:
        if pattern.fullmatch(code):
            return exchange
    return None


def is_b_share(code: str | None) -> bool:
    """Return whether the code is one of a B share (200xxx, 201xxx, 900xxx)."""
    return code is not None and len(code) == 6 and code.startswith(("200", "201", "900"))


def matched_year(match: re.Match[str]) -> int | None:
    """Return the fiscal year of a match (groups year, second, chinese, next); None where they contradict."""
    groups = match.groupdict()
    if groups.get("chinese"):
        digits = re.sub(r"\s", "", groups["chinese"])
        return int("".join(str(CHINESE_DIGITS[digit]) for digit in digits)) + bool(groups.get("next"))
    year = int(re.sub(r"\s", "", groups["year"]))
    if year < 100:
        year += 1900 if year >= 80 else 2000
    second = groups.get("second")
    if not second:
        return year
    return year + 1 if int(second) % 100 == (year + 1) % 100 else None


def parse_revision(text: str) -> tuple[Revision, int]:
    """Return whether a title names a revised edition, and its number.

    Parameters
    ----------
    text : str
        A folded title or cover.

    Returns
    -------
    tuple of Revision and int
        For example ``("revised", 2)`` for 二次修订稿; a cancelled report keeps the number it had.
    """
    matches = list(REVISION_WORD.finditer(text))
    number = max((_count(match["times"] or match["number"] or "1") for match in matches), default=0)
    revision: Revision = "original"
    if matches:
        revision = "updated" if matches[0]["updated"] else "revised"
    if CANCELLED.search(text):
        revision = "cancelled"
    return revision, number


def _count(words: str) -> int:
    if "再" in words:
        return 2
    digits = re.search(r"\d+", words)
    if digits:
        return max(int(digits[0]), 1)
    return next((CHINESE_DIGITS[word] for word in words if word in CHINESE_DIGITS), 1)


def parse_title(title: str) -> TitleParts:
    """Read an announcement title or a file stem.

    Parameters
    ----------
    title : str
        For example ``2019年年度报告(更新后)``, or a vendor's stem such as ``000001_2008_annual_full``.

    Returns
    -------
    TitleParts
        None in every field that the title does not state.
    """
    text = _tidy(title)
    undated = DATE.sub(" ", text)
    code = _title_code(undated)
    match = COMPANY.search(undated)
    company = match[1] if match else None
    short_name = _title_short_name(undated, code, company)
    kind = _title_kind(undated, code, company, short_name)
    # A notice about a revised report is itself an original.
    is_notice = kind in ("correction_notice", "inquiry_reply") or (kind == "other" and SPEAKS_OF_REPORT.search(undated))
    revision, number = parse_revision("" if is_notice else undated)
    return TitleParts(
        report_year=_title_year(text, undated),
        kind=kind,
        revision=revision,
        revision_number=number,
        stock_code=code,
        short_name=short_name,
        company_name=company,
        exchange=code_exchange(code) if code else None,
        title=title,
    )


def _tidy(title: str) -> str:
    """Fold a title; drop its ending and the marks of search results; close up letter-spaced short names."""
    text = re.sub(r"</?em>", "", fold(title).strip())
    text = re.sub(r"(?:_\(\d+k\))?\.(?:pdfg?|txt|docx?|html?)$", "", text, flags=re.IGNORECASE)
    # 万  科A, *ST 唐陶, S 延边路, 水仙 3.
    text = re.sub(r"(?<![\u4e00-\u9fff])([\u4e00-\u9fff])\s+(?=[\u4e00-\u9fff])", r"\1", text)
    text = re.sub(r"(?<![A-Za-z])(?!SZ|SH|BJ|HK)([A-Z*]{1,4})\s+(?=\*?(?:ST)?[\u4e00-\u9fff])", r"\1", text)
    text = re.sub(r"(?<=[\u4e00-\u9fff])\s+(?=[AB](?:[_\-:(\s]|$|(?:19|20)\d\d))", "", text)
    return re.sub(r"(?<=[\u4e00-\u9fffAB])\s+(?=[1-5](?:[_\-:(\s]|$|(?:19|20)\d\d))", "", text)


def _title_year(text: str, undated: str) -> int | None:
    for pattern in TITLE_YEARS:
        for match in pattern.finditer(text):
            year = matched_year(match)
            if year is not None:
                return year
    years = {int(match["year"]) for match in BARE_YEAR.finditer(undated)}
    return years.pop() if len(years) == 1 else None


def _title_code(text: str) -> str | None:
    for match in SIX_DIGITS.finditer(text):
        if is_stock_code(match[0]):
            return match[0]
    for pattern in HONG_KONG_CODES:
        found = pattern.search(text)
        if found:
            return found[1].zfill(5)
    stripped = STRIPPED_CODE.match(text)
    if stripped and is_stock_code(stripped[1].zfill(6)):
        return stripped[1].zfill(6)
    return None


def _title_kind(text: str, code: str | None, company: str | None, short_name: str | None) -> Kind | None:
    if ENGLISH_TITLE.fullmatch(text.strip()) and code is None:
        return "english"
    found = next((kind for kind, pattern in KINDS if pattern.search(text)), None)
    if found != "annual":
        return found
    # A listed firm is a 股份有限公司; another company's report is that of a bond issuer, a parent or a subsidiary.
    if company and "股份" not in company and (code is None or (short_name and not _abbreviates(short_name, company))):
        return "other"
    return "hk_annual" if code and len(code) == 5 else "annual"


def _abbreviates(short_name: str, company: str) -> bool:
    """Return whether the characters of a short name stand in a company's name in this order."""
    rest = iter(company)
    return all(character in rest for character in re.sub(r"^\*?S?\*?(?:ST)?|[AB]$", "", short_name))


def _title_short_name(text: str, code: str | None, company: str | None) -> str | None:
    year = next((match for pattern in TITLE_YEARS for match in [pattern.search(text)] if match), None)
    if not year and not code:
        return None
    before = text[: year.start()] if year else text
    pieces = _name_pieces(before.replace(company, " ") if company else before)
    if not any(pieces) and code and code in text:
        # 2009年年度报告-示范股份-600519: the name stands beside the code.
        head, _, tail = text.partition(code)
        pieces = [*_name_pieces(tail)[:1], *_name_pieces(head)[-1:]]
    return next(
        (piece for piece in reversed(pieces) if SHORT_NAME.fullmatch(piece) and not NOT_A_NAME.search(piece)), None
    )


def _name_pieces(text: str) -> list[str]:
    pieces = [re.sub(r"^\d{6}|^[a-z]{2}\d{6}", "", piece) for piece in re.split(r"[_\-:()\s]+", text)]
    return [piece for piece in pieces if piece]


def from_path(path: str) -> TitleParts:
    """Read the file name, and from the folder names what the file name leaves open.

    Parameters
    ----------
    path : str
        For example ``000008/2016.pdf`` or ``2019/600519.pdf``; either kind of slash.

    Returns
    -------
    TitleParts
        With the names of the fields that came from a folder in ``from_folder``.
    """
    *folders, name = path.replace("\\", "/").split("/")
    stem = re.sub(r"\.[A-Za-z]{2,5}$", "", name)
    parts = parse_title(stem)
    for folder in reversed(folders[-3:]):
        parts = _fill(parts, _parse_folder(folder))
    return replace(parts, folder="/".join(folders[-3:]))


# A corpus has few folders and many files.
@lru_cache(maxsize=4096)
def _parse_folder(folder: str) -> TitleParts:
    """Read a folder name: a code at its beginning with the name beside it, a lone year, a kind in words."""
    text = fold(folder)
    parts = parse_title(text)
    year = FOLDER_YEAR.fullmatch(text) if not SIX_DIGITS.search(text) else None
    has_code = parts.stock_code is not None and re.match(r"(?:[a-z]{2})?\d", text, re.IGNORECASE)
    return TitleParts(
        report_year=int(year["year"]) if year else None,
        kind=parts.kind if parts.kind != "other" and re.search(r"报|report", text) else None,
        stock_code=parts.stock_code if has_code else None,
        short_name=parts.short_name if has_code else None,
        exchange=parts.exchange if has_code else None,
    )


FOLDER_FIELDS: Sequence[str] = ("report_year", "kind", "stock_code", "short_name", "exchange")


def _fill(parts: TitleParts, folder: TitleParts) -> TitleParts:
    gained = {
        field: getattr(folder, field)
        for field in FOLDER_FIELDS
        if getattr(parts, field) is None and getattr(folder, field) is not None
    }
    return replace(parts, **gained, from_folder=(*parts.from_folder, *gained))
