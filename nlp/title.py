"""What a title, a file name or a folder says of the report it belongs to.

Every rule is a row of a table of compiled patterns, tried in order; the first that matches decides.
Full-width forms are folded first (NFKC), so the patterns are written in half-width.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

Kind = Literal[
    "annual",
    "summary",
    "semiannual",
    "quarterly",
    "english",
    "hk_annual",
    "correction_notice",
    "inquiry_reply",
    "other",
]
Revision = Literal["original", "revised", "updated", "cancelled"]

CHINESE_DIGITS = {digit: value for value, digit in enumerate("零一二三四五六七八九")} | {
    "〇": 0,
    "○": 0,
    "O": 0,
    "0": 0,
    "两": 2,
    "十": 10,
}
ARABIC_YEAR = r"(?<!\d)(?P<year>(?:19[89]|20[0-4])\d)"
CHINESE_YEAR = r"(?P<chinese>[一二][九零〇○O0][零〇○O0一二三四五六七八九]{2})"
# The second year of a fiscal year that spans two: 2020/21, 2020-2021, 202021.
SECOND_YEAR = r"(?:\s*[/\-–至]?\s*(?P<second>(?:20)?\d\d)(?!\d))?"
GAP = r"[\s_\-]*"
PERIOD_NAME = r"(?:年年度|年度|年|度|上半年|半年度?|中期|第?[一二三四1-4]季度?)"
REPORT_WORD = r"(?:报告|報告|报|報)"
TITLE_YEARS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"{ARABIC_YEAR}{SECOND_YEAR}{GAP}(?:{PERIOD_NAME}{GAP})+{REPORT_WORD}",
        rf"{CHINESE_YEAR}{GAP}(?:{PERIOD_NAME}{GAP})+{REPORT_WORD}",
        rf"annual{GAP}report{GAP}(?:(?:of|for){GAP})?{ARABIC_YEAR}{GAP}{SECOND_YEAR}(?!\d)",
        rf"{ARABIC_YEAR}{SECOND_YEAR}{GAP}annual",
        rf"(?<![a-z])FY{GAP}{ARABIC_YEAR}(?!\d)",
        rf"{ARABIC_YEAR}{GAP}(?:财年|年(?!\s*\d{{1,2}}\s*月))",
        # Vendors name the period by its last day.
        rf"{ARABIC_YEAR}[-_.年]?12[-_.月]?31(?!\d)",
    )
)
BARE_YEAR = re.compile(rf"{ARABIC_YEAR}(?!\d)")
DATE = re.compile(
    r"(?<!\d)(?:19|20)\d\d(?:[-_.年]\s*\d{1,2}[-_.月]\s*\d{1,2}日?(?!\d)|(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?!\d))"
)
FOLDER_YEAR = re.compile(rf"\D{{0,20}}?{ARABIC_YEAR}\D{{0,20}}")

# Codes of 2008 to 2019 that read as year and month are dates: no B share has such a number.
EXCHANGE_CODES: tuple[tuple[str | None, re.Pattern[str]], ...] = (
    (None, re.compile(r"20(?:0[89]|1\d)(?:0[1-9]|1[0-2])")),
    ("SZ", re.compile(r"(?:00[0-4]|20[01]|30[0-2])\d{3}")),
    ("SH", re.compile(r"(?:60[01356]|68[89]|900)\d{3}")),
    ("BJ", re.compile(r"(?:43|83|87|88|92)\d{4}")),
    ("HK", re.compile(r"\d{5}")),
)
SIX_DIGITS = re.compile(r"(?<![\d.])\d{6}(?!\d)")
HONG_KONG_CODES = (
    re.compile(r"(?<![a-z])HK[\s_.\-]?(\d{4,5})(?!\d)", re.IGNORECASE),
    re.compile(r"(?<!\d)(\d{4,5})\.HK(?![a-z])", re.IGNORECASE),
    re.compile(r"^(0\d{4})(?=[\s_\-]|$)"),
)
# A vendor that lost the leading zeros: 2-万科A-2007年年度报告.
STRIPPED_CODE = re.compile(r"^(\d{1,5})[-_](?=[*A-Za-z\u4e00-\u9fff]{2,8}[-_](?:19|20)\d\d年)")

REPORT = r"(?:年度?报告|年报)"
KIND_PATTERNS: tuple[tuple[Kind, str], ...] = (
    (
        "inquiry_reply",
        r"(?:问询函|关注函|监管函|工作函|审核意见函?)(?!.*延期).*(?:回复|答复|回函|复函|说明|意见)"
        r"|(?<!延期)(?:回复|答复).{0,40}(?:问询|关注函|监管函|审核意见)|inquiry",
    ),
    (
        "correction_notice",
        rf"{REPORT}.{{0,40}}(?:更正|修订|补充|更新|修正|修改|调整).{{0,12}}(?:公告|说明|提示)"
        rf"|(?:更正|修订|补充|更新|修正|修改|调整).{{0,40}}{REPORT}.{{0,20}}(?:公告|说明)",
    ),
    (
        "other",
        r"(?<![a-z])mda(?![a-z])|management[\s_\-]*discussion|受托管理|债务人|发行人|公司债|企业债"
        r"|年度?(?:审计|财务)报告|(?:公告|决议|通知|意见)$|(?:^|[_\-])审计报告|内部控制|社会责任|可持续发展|(?<![a-z])ESG(?![a-z])|述职报告|募集说明|招股"
        r"|(?:董事会|监事会|工作|评价|鉴证|评级|核查|募集资金)[^年]{0,20}报告|业绩(?:预告|快报|说明|发布)"
        rf"|{REPORT}(?:中|的|之|有关|相关|涉及|披露|编制|工作|重大|信息|业绩|网上|说明会)"
        rf"|{REPORT}.{{0,40}}(?:公告|通知|决议|意见|函|说明|制度|办法|声明|承诺)",
    ),
    ("quarterly", r"季度报告|季报|第[一二三四1-4]季度|(?<![a-z])Q[1-4](?!\d)|quarter"),
    (
        "semiannual",
        r"半年度?报告|半年度?报|半年度|中期报告|上半年|interim|semi[\s_\-]?annual|half[\s_\-]?year",
    ),
    ("summary", r"(?<!及)(?<!及其)(?<!和)(?<!与)摘要|summary|abstract"),
    ("english", r"(?<!中)英文|english|(?<![a-z])eng?(?![a-z])"),
    ("hk_annual", rf"H\s*股.*{REPORT}|{REPORT}.*H\s*股|年度?報告?|[繁]体"),
    ("annual", rf"{REPORT}|年度{GAP}报告|annual"),
)
KINDS = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in KIND_PATTERNS)
ENGLISH_TITLE = re.compile(r"(?:(?:19|20)\d\d\s+)?(?:[A-Z][A-Za-z&.,' ]*\s)?Annual Report\b[A-Za-z\d /()\-]*")

REVISION_WORDS: tuple[tuple[Revision, str], ...] = (
    ("updated", r"更新|updated?"),
    ("revised", r"修订|更正|修正|调整|补充|修改|订正|revised|revision"),
)
CANCELLED = re.compile(r"已?取消|已?作废|cancell?ed", re.IGNORECASE)
REVISION_WORD = re.compile(
    r"(?P<times>第?\s*(?:[一二两三四五六七八九十]|\d{1,2})\s*次|再次)?\s*"
    rf"(?:(?P<updated>{REVISION_WORDS[0][1]})|(?P<revised>{REVISION_WORDS[1][1]}))"
    r"(?:版本?|后|稿|本)?\s*(?:\(?(?P<number>[一二三四五六七八九十]|\d{1,2})\)?(?![\d年月]))?",
    re.IGNORECASE,
)

COMPANY = re.compile(
    r"(?:^|\d年?|[_\-:\s])(?:关于)?对?(?:发行人|债务人)?"
    r"(?!年|股份有限公司|有限公司|有限责任公司)([\u4e00-\u9fff()·]{4,40}?公司)"
)
SHORT_NAME = re.compile(r"\*?(?:ST|S)?\*?(?:ST)?[A-Za-z\u4e00-\u9fff]{2,8}")
NOT_A_NAME = re.compile(
    r"年报|报告|公告|全文|下载|文件|关于|[HB]\s*股|公司$|年度|半年|季度|摘要|版|^[A-Za-z]+$|上市|股票|数据|交易所"
)


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


def fold(text: str) -> str:
    """Return the text with full-width forms as half-width ones (NFKC)."""
    return unicodedata.normalize("NFKC", text)


def is_stock_code(code: str) -> bool:
    """Return whether these six digits can be the code of a share (not of a bond, a fund or a date)."""
    return len(code) == 6 and code_exchange(code) is not None


def code_exchange(code: str) -> str | None:
    """Return the exchange that a code belongs to: SZ, SH, BJ, HK (five digits), or None."""
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
    match = REVISION_WORD.search(text)
    number = 0
    revision: Revision = "original"
    if match:
        revision = "updated" if match["updated"] else "revised"
        number = _count(match["times"] or match["number"] or "1")
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
    text = re.sub(r"(?:_\(\d+k\))?\.(?:pdfg?|txt|docx?|html?)$", "", fold(title).strip(), flags=re.IGNORECASE)
    # Short names of three characters are set with blanks: 万  科A.
    text = re.sub(r"(?<![\u4e00-\u9fff])([\u4e00-\u9fff])\s+(?=[\u4e00-\u9fff])", r"\1", text)
    undated = DATE.sub(" ", text)
    code = _title_code(undated)
    company = _title_company(undated)
    kind = _title_kind(undated, code, company)
    # A notice about a revised report is itself an original.
    is_notice = kind in ("correction_notice", "inquiry_reply")
    revision, number = parse_revision("" if is_notice else undated)
    return TitleParts(
        report_year=_title_year(text, undated),
        kind=kind,
        revision=revision,
        revision_number=number,
        stock_code=code,
        short_name=_title_short_name(undated, code),
        company_name=company,
        exchange=code_exchange(code) if code else None,
    )


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


def _title_company(text: str) -> str | None:
    match = COMPANY.search(text)
    return match[1] if match else None


def _title_kind(text: str, code: str | None, company: str | None) -> Kind | None:
    if ENGLISH_TITLE.fullmatch(text.strip()) and code is None:
        return "english"
    found = next((kind for kind, pattern in KINDS if pattern.search(text)), None)
    if found != "annual":
        return found
    # A listed firm is a 股份有限公司; another company's report is that of a bond issuer or a parent.
    if company and "股份" not in company and code is None:
        return "other"
    return "hk_annual" if code and len(code) == 5 else "annual"


def _title_short_name(text: str, code: str | None) -> str | None:
    year = next((match for pattern in TITLE_YEARS for match in [pattern.search(text)] if match), None)
    before = text[: year.start()] if year else text
    if not year and not code:
        return None
    pieces = [re.sub(r"^\d{6}|^[a-z]{2}\d{6}", "", piece) for piece in re.split(r"[_\-:\s]+", before)]
    for piece in reversed(pieces):
        if SHORT_NAME.fullmatch(piece) and not NOT_A_NAME.search(piece):
            return piece
    return None


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
    return parts


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
