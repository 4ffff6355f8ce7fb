"""What a report's own pages say of whose it is: cover, running headers, company profile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from nlp.identity_code import find_stock_codes, text_exchange
from nlp.identity_head import Found, Language, head_pages, last_pages
from nlp.identity_names import find_company_name, find_short_name
from nlp.identity_patterns import CHINESE, LATIN_WORD, SIMPLIFIED, TRADITIONAL
from nlp.identity_title import cover_revision, find_kind, find_report_year, report_titles, year_ends
from nlp.title import Kind, Revision, fold

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
    company_name_other : str or None
        Name on the cover where the profile gives another.
    fiscal_year_end : str or None
        Last day of the fiscal year (ISO date).
    kind, exchange, revision, revision_number, language : str, int or None
        As in :class:`Identity`; the language is ``zh-Hans``, ``zh-Hant``, ``en`` or ``mixed``.
    stock_code_place, company_name_place, report_year_place, kind_place : str or None
        ``cover``, ``header``, ``profile`` or ``body`` (in passing).
    stock_code_page, company_name_page, short_name_page, report_year_page, kind_page : int or None
        1-based page.
    stock_code_evidence, company_name_evidence, short_name_evidence, report_year_evidence, kind_evidence, \
revision_evidence : str or None
        The line in which it stands, as printed, of at most 80 characters.
    """

    stock_code: str | None = None
    stock_code_place: str | None = None
    stock_code_page: int | None = None
    stock_code_evidence: str | None = None
    stock_code_b: str | None = None
    stock_code_h: str | None = None
    company_name: str | None = None
    company_name_place: str | None = None
    company_name_page: int | None = None
    company_name_evidence: str | None = None
    company_name_other: str | None = None
    short_name: str | None = None
    short_name_page: int | None = None
    short_name_evidence: str | None = None
    report_year: int | None = None
    report_year_place: str | None = None
    report_year_page: int | None = None
    report_year_evidence: str | None = None
    report_year_other: int | None = None
    fiscal_year_end: str | None = None
    kind: Kind | None = None
    kind_place: str | None = None
    kind_page: int | None = None
    kind_evidence: str | None = None
    exchange: str | None = None
    revision: Revision = "original"
    revision_number: int = 0
    revision_evidence: str | None = None
    language: Language | None = None


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
    language, is_traditional = _language(pages)
    codes = find_stock_codes(head, language)
    company, other_name = find_company_name(head, language, is_traditional)
    if codes.code is None:
        # Some print their corporate information at the end.
        last = find_stock_codes(last_pages(pages), language)
        codes = last if last.code and (last.code.place == "profile" or language != "zh-Hans") else codes
    titles = report_titles(head, language)
    year, other_year = find_report_year(head, titles, pages)
    # The accounting law of the mainland makes every fiscal year a calendar year.
    ends = list(year_ends(head)) if year is None or language != "zh-Hans" else []
    kind = find_kind(head, titles, sum(map(len, pages)))
    what = kind[0] if kind else None
    if what == "annual":
        what = _annual_kind(codes.code, company, language, is_traditional)
    if year is None and ends:
        year = replace(ends[0], value=ends[0].value[:4])
    report_year = int(year.value) if year else None
    revision, number, revision_evidence = cover_revision(head[0])
    short_name = find_short_name(head, codes.code.value if codes.code else None)
    return TextEvidence(
        **_columns("stock_code", codes.code),
        stock_code_b=codes.code_b,
        stock_code_h=codes.code_h,
        **_columns("company_name", company),
        company_name_other=other_name,
        short_name=short_name.value if short_name else None,
        short_name_page=short_name.page.number if short_name else None,
        short_name_evidence=short_name.evidence if short_name else None,
        **_columns("report_year", year) | {"report_year": report_year},
        report_year_other=other_year,
        fiscal_year_end=_fiscal_year_end(ends, report_year, what),
        **_columns("kind", kind[1] if kind else None) | {"kind": what},
        exchange=text_exchange(head, codes.code),
        revision=revision,
        revision_number=number,
        revision_evidence=revision_evidence,
        language=language,
    )


def _columns(name: str, found: Found | None) -> dict[str, Any]:
    """Return a find as the columns for its value, place, page and evidence."""
    if found is None:
        return {}
    where = {f"{name}_place": found.place, f"{name}_page": found.page.number, f"{name}_evidence": found.evidence}
    return {name: found.value, **where}


def _language(pages: Sequence[str]) -> tuple[Language | None, bool]:
    """Return the language of samples from the whole document, and whether its Chinese is traditional."""
    text = "\n".join(pages) if len(pages) < SAMPLES else ""
    samples = (
        [text[len(text) * part // SAMPLES :][:SAMPLE_CHARACTERS] for part in range(SAMPLES)]
        if text
        else [pages[(2 * part + 1) * len(pages) // (2 * SAMPLES)][:SAMPLE_CHARACTERS] for part in range(SAMPLES)]
    )
    sample = fold("".join(samples))
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


def _fiscal_year_end(ends: Sequence[Found], year: int | None, kind: Kind | None) -> str | None:
    stated = next((end.value for end in ends if end.value[:4] == str(year)), None)
    return stated or (f"{year}-12-31" if year and kind in ("annual", "summary") else None)
