"""What a report's own pages say of whose it is: cover, running headers, company profile."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from nlp.identity_head import (
    COVER_CHARACTERS,
    HEADER_CHARACTERS,
    PLACES,
    Found,
    HeadPage,
    Language,
    Place,
    best,
    head_pages,
    labelled,
    last_pages,
)
from nlp.identity_names import (
    find_company_name,
    find_short_name,
)
from nlp.identity_patterns import (
    _MONTHS,
    CHINESE,
    CHINESE_TITLES,
    CODE_LABEL,
    CODE_ROW,
    ENGLISH_TITLES,
    EXCHANGES,
    H_SHARE_LABEL,
    HONG_KONG_LABEL,
    LATIN_WORD,
    NEARBY_CODE,
    NOTICES,
    PAGE_NUMBER,
    PERIODS,
    SIMPLIFIED,
    TITLE_TAIL,
    TRADITIONAL,
    WHAT_KINDS,
    YEAR_ENDS,
)
from nlp.title import (
    CHINESE_DIGITS,
    Kind,
    Revision,
    code_exchange,
    is_b_share,
    is_stock_code,
    matched_year,
    parse_revision,
)

# A running header alone makes no annual report: extracts have it too, and are shorter than this.
REPORT_CHARACTERS = 30_000
SAMPLES, SAMPLE_CHARACTERS = 8, 600


@dataclass(frozen=True)
class TextEvidence:
    """What the pages say, as scalars for a row of a table; None where they do not say.

    Parameters
    ----------
    stock_code, stock_code_b, stock_code_h : str or None
        The firm's code, and the B share and H share codes printed beside it.
    company_name, short_name : str or None
        Names as printed, full-width forms folded, without white space between Chinese characters.
    report_year, report_year_other : int or None
        Fiscal year, and the year that another place of the text states instead.
    fiscal_year_end : str or None
        Last day of the fiscal year (ISO date).
    kind, exchange, revision, revision_number, language : str, int or None
        As in :class:`Identity`; the language is ``zh-Hans``, ``zh-Hant``, ``en`` or ``mixed``.
    stock_code_place, company_name_place, report_year_place, kind_place : str or None
        ``cover``, ``header``, ``profile`` or ``body`` (in passing).
    stock_code_page, company_name_page, report_year_page, kind_page : int or None
        1-based page.
    """

    stock_code: str | None = None
    stock_code_place: str | None = None
    stock_code_page: int | None = None
    stock_code_b: str | None = None
    stock_code_h: str | None = None
    company_name: str | None = None
    company_name_place: str | None = None
    company_name_page: int | None = None
    short_name: str | None = None
    report_year: int | None = None
    report_year_place: str | None = None
    report_year_page: int | None = None
    report_year_other: int | None = None
    fiscal_year_end: str | None = None
    kind: Kind | None = None
    kind_place: str | None = None
    kind_page: int | None = None
    exchange: str | None = None
    revision: Revision = "original"
    revision_number: int = 0
    language: Language | None = None


@dataclass(frozen=True)
class _ReportTitle:
    year: int
    kind: Kind
    place: Place
    page: int


def from_pages(pages: Sequence[str]) -> TextEvidence:
    """Read the identity from the raw text of a document's pages.

    Parameters
    ----------
    pages : sequence of str
        All pages, as extracted; only the first ones are searched.

    Returns
    -------
    TextEvidence
        All None for a document without text.
    """
    head = head_pages(pages)
    if not head:
        return TextEvidence()
    length = sum(map(len, pages))
    language, is_traditional = _language(pages)
    code, code_b, code_h = _stock_code(head)
    if code is None and language != "zh-Hans":
        code, code_b, code_h = _stock_code(last_pages(pages))
    company = find_company_name(head, language, is_traditional)
    titles = list(_report_titles(head, language))
    year, other_year = _report_year(head, titles)
    # The accounting law of the mainland makes every fiscal year a calendar year.
    ends = list(_year_ends(head)) if year is None or language != "zh-Hans" else []
    if year is None and ends:
        year = Found(ends[0].value[:4], "body", ends[0].page)
    kind = _text_kind(head, titles, length)
    if kind and kind.value == "annual":
        kind = Found(_annual_kind(code, company, language, is_traditional), kind.place, kind.page)
    report_year = int(year.value) if year else None
    revision, number = _cover_revision(head[0])
    return TextEvidence(
        **_columns("stock_code", code),
        stock_code_b=code_b,
        stock_code_h=code_h,
        **_columns("company_name", company),
        short_name=find_short_name(head),
        **_columns("report_year", year) | {"report_year": report_year},
        report_year_other=other_year,
        fiscal_year_end=_fiscal_year_end(ends, report_year, kind),
        **_columns("kind", kind),
        exchange=_text_exchange(head, code),
        revision=revision,
        revision_number=number,
        language=language,
    )


def _columns(name: str, found: Found | None) -> dict[str, Any]:
    """Return a find as the columns for its value, place and page."""
    if found is None:
        return {}
    return {name: found.value, f"{name}_place": found.place, f"{name}_page": found.page}


def _language(pages: Sequence[str]) -> tuple[Language | None, bool]:
    """Return the language of samples from the whole document, and whether its Chinese is traditional."""
    text = "\n".join(pages) if len(pages) < SAMPLES else ""
    samples = (
        [text[len(text) * part // SAMPLES :][:SAMPLE_CHARACTERS] for part in range(SAMPLES)]
        if text
        else [pages[(2 * part + 1) * len(pages) // (2 * SAMPLES)][:SAMPLE_CHARACTERS] for part in range(SAMPLES)]
    )
    sample = "".join(samples)
    chinese, latin = len(CHINESE.findall(sample)), len(LATIN_WORD.findall(sample))
    if chinese + latin == 0:
        return None, False
    is_traditional = len(TRADITIONAL.findall(sample)) > len(SIMPLIFIED.findall(sample))
    share = chinese / (chinese + latin)
    if share < 0.15:
        return "en", is_traditional
    if share < 0.85:
        return "mixed", is_traditional
    return ("zh-Hant" if is_traditional else "zh-Hans"), is_traditional


def _stock_code(head: Sequence[HeadPage]) -> tuple[Found | None, str | None, str | None]:
    """Return the code of the firm, its B share code and its H share code."""
    listed = [
        found
        for pattern in (CODE_LABEL, CODE_ROW)
        for found in labelled(head, pattern, "code")
        if is_stock_code(found.value)
    ]
    found_code = best(iter(listed))
    code_h = next((found.value.zfill(5) for found in labelled(head, H_SHARE_LABEL, "code")), None)
    hong_kong = best(
        Found(found.value.zfill(5), found.place, found.page)
        for found in labelled(head, HONG_KONG_LABEL, "code")
        if int(found.value)
    )
    if hong_kong and (found_code is None or PLACES.index(hong_kong.place) < PLACES.index(found_code.place)):
        return hong_kong, None, hong_kong.value
    if found_code is None:
        return None, None, code_h
    beside = [code for code in NEARBY_CODE.findall(found_code.near) if is_stock_code(code)]
    beside += [found.value for found in listed if found.place in ("cover", "profile")]
    same = [code for code in (found_code.value, *beside) if code_exchange(code) == code_exchange(found_code.value)]
    code_a = next((code for code in same if not is_b_share(code)), found_code.value)
    code_b = next((code for code in same if is_b_share(code)), None)
    return Found(code_a, found_code.place, found_code.page), code_b, code_h


def _text_exchange(head: Sequence[HeadPage], code: Found | None) -> str | None:
    if code:
        return code_exchange(code.value)
    named = {exchange for name, exchange in EXCHANGES if any(name in page.text for page in head)}
    return named.pop() if len(named) == 1 else None


def _report_titles(head: Sequence[HeadPage], language: Language | None) -> Iterator[_ReportTitle]:
    """Find every mention of a report with its year."""
    for page in head:
        is_chinese_only = language == "zh-Hans" and not page.is_first
        patterns = CHINESE_TITLES if is_chinese_only else CHINESE_TITLES + ENGLISH_TITLES
        for pattern in patterns:
            for match in pattern.finditer(page.text):
                year = matched_year(match)
                if year is None:
                    continue
                tail = TITLE_TAIL.match(page.text, match.end())
                kind = next(kind for word, kind in WHAT_KINDS if word in match["what"].lower())
                if kind == "annual" and tail and tail["summary"]:
                    kind = "summary"
                yield _ReportTitle(year, kind, _title_place(page, match, tail), page.number)


def _title_place(page: HeadPage, match: re.Match[str], tail: re.Match[str] | None) -> Place:
    if page.is_first and tail and match.start() < page.cover_length:
        # On a page full of text, a title with the page number below it is a running header.
        is_header = page.is_full and PAGE_NUMBER.match(page.text, tail.end())
        return "header" if is_header else "cover"
    if page.is_whole_document:
        return "body"
    is_margin = match.start() < HEADER_CHARACTERS or match.end() > len(page.text) - HEADER_CHARACTERS
    return "header" if is_margin else "body"


def _most_common(titles: Sequence[_ReportTitle], place: Place) -> _ReportTitle | None:
    """Return the first of the most frequent kind and year in a place; on the cover simply the first."""
    here = [title for title in titles if title.place == place]
    if not here or place == "cover":
        return here[0] if here else None
    (year, kind), _ = Counter((title.year, title.kind) for title in here).most_common(1)[0]
    return next(title for title in here if (title.year, title.kind) == (year, kind))


def _report_year(head: Sequence[HeadPage], titles: Sequence[_ReportTitle]) -> tuple[Found | None, int | None]:
    """Return the fiscal year (cover, running header, reporting period, any mention) and one against it."""
    found: list[Found] = []
    for place in ("cover", "header"):
        title = _most_common(titles, place)
        if title:
            found.append(Found(str(title.year), title.place, title.page))
    period = next(
        ((match, page) for page in head for pattern in PERIODS for match in pattern.finditer(page.text)), None
    )
    if period:
        found.append(Found(str(matched_year(period[0])), "profile", period[1].number))
    if not found:
        title = _most_common(titles, "body")
        return (Found(str(title.year), "body", title.page) if title else None), None
    other = next((int(item.value) for item in found if item.value != found[0].value), None)
    return found[0], other


def _text_kind(head: Sequence[HeadPage], titles: Sequence[_ReportTitle], length: int) -> Found | None:
    first = head[0]
    for kind, pattern in NOTICES:
        if pattern.search(first.text[:COVER_CHARACTERS]):
            return Found(kind, "cover", first.number)
    title = _most_common(titles, "cover")
    if title:
        return Found(title.kind, "cover", title.page)
    title = _most_common(titles, "header") or _most_common(titles, "body")
    if title is None:
        return None
    if title.kind == "annual" and length < REPORT_CHARACTERS:
        return Found("other", "header", title.page) if title.place == "header" else None
    return Found(title.kind, title.place, title.page)


def _annual_kind(code: Found | None, company: Found | None, language: Language | None, is_traditional: bool) -> Kind:
    """Tell apart annual reports of listed firms in Chinese, in English, in Hong Kong, and of others."""
    if language == "en":
        return "english"
    if is_traditional or (code and len(code.value) == 5):
        return "hk_annual"
    # Only a 股份有限公司 can be listed, few foreign ones aside; those print a stock code.
    if code is None and company and "股份" not in company.value:
        return "other"
    return "annual"


def _year_ends(head: Sequence[HeadPage]) -> Iterator[Found]:
    for page in head:
        for pattern in YEAR_ENDS:
            for match in pattern.finditer(page.text):
                year, month, day = matched_year(match), _number(match["month"]), _number(match["day"])
                if year and 1 <= month <= 12 and 1 <= day <= 31:
                    yield Found(f"{year:04}-{month:02}-{day:02}", "body", page.number)


def _number(text: str) -> int:
    """Return the value of a month or day: 9, 九, 三十一 or September."""
    text = re.sub(r"\s", "", text).lower()
    if text.isdigit() and text.isascii():
        return int(text)
    if text in _MONTHS:
        return _MONTHS.index(text) + 1
    tens, mark, ones = text.partition("十")
    if not mark:
        return CHINESE_DIGITS.get(text, 0)
    return (CHINESE_DIGITS.get(tens, 0) if tens else 1) * 10 + (CHINESE_DIGITS.get(ones, 0) if ones else 0)


def _fiscal_year_end(ends: Sequence[Found], year: int | None, kind: Found | None) -> str | None:
    stated = next((end.value for end in ends if end.value[:4] == str(year)), None)
    is_mainland = kind is not None and kind.value in ("annual", "summary")
    return stated or (f"{year}-12-31" if year and is_mainland else None)


def _cover_revision(page: HeadPage) -> tuple[Revision, int]:
    """Read a revision that the cover prints in brackets or on a line of its own."""
    for line in page.text[: page.cover_length].split("\n"):
        marked = re.search(r"\(([^()]{2,10})\)\s*$", line)
        words = marked[1] if marked else line.strip()
        if len(words) <= 10:
            revision, number = parse_revision(words)
            if revision in ("revised", "updated"):
                return revision, number
    return "original", 0
