"""The titles of reports that a report's own pages print: of which year and kind it is, and which edition."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from nlp.identity_head import COVER_CHARACTERS, HEADER_CHARACTERS, Found, HeadPage, Language, Place, find, tidy
from nlp.identity_patterns import (
    ANNUAL_MARK,
    BALANCE_SHEET_DATE,
    CHINESE_TITLES,
    ENGLISH_TITLES,
    MONTHS,
    NOTICES,
    OTHER_COVER,
    PAGE_NUMBER,
    PERIOD_ON_COVER,
    PERIODS,
    REPORT_MARK,
    TITLE_TAIL,
    WHAT_KINDS,
    YEAR_ENDS,
)
from nlp.title import Kind, Revision, matched_year, parse_revision
from nlp.title_patterns import CHINESE_DIGITS

# A running header alone makes no annual report: extracts have it too, and are shorter than this.
REPORT_CHARACTERS = 30_000
LONGEST_MARK = 20
FEW_DATES = 3


@dataclass(frozen=True)
class ReportTitle:
    """A mention of a report: its year and kind, where it stands, and whether it ends its line as titles do."""

    year: int
    kind: Kind
    found: Found
    is_line_end: bool

    @property
    def place(self) -> Place:
        """Where it stands."""
        return self.found.place


def report_titles(head: Sequence[HeadPage], language: Language | None) -> list[ReportTitle]:
    """Find every mention of a report with its year; a lone one at the edge of a page is no running header."""
    titles = list(_mentions(head, language))
    in_headers = [(title.year, title.kind) for title in titles if title.place == "header"]
    return [
        replace(title, found=replace(title.found, place="body"))
        if title.place == "header" and not title.is_line_end and in_headers.count((title.year, title.kind)) == 1
        else title
        for title in titles
    ]


def _mentions(head: Sequence[HeadPage], language: Language | None) -> Iterator[ReportTitle]:
    for page in head:
        is_chinese_only = language == "zh-Hans" and not page.is_first
        patterns = CHINESE_TITLES if is_chinese_only else CHINESE_TITLES + ENGLISH_TITLES
        for pattern in filter(page.has_mark, patterns):
            for match in pattern.finditer(page.text):
                year = matched_year(match)
                if year is None:
                    continue
                tail = TITLE_TAIL.match(page.text, match.end())
                kind = next(kind for word, kind in WHAT_KINDS if word in match["what"].lower())
                if kind == "annual" and tail and tail["summary"]:
                    kind = "summary"
                found = find(match, _title_place(page, match, tail), page, str(year))
                yield ReportTitle(year, kind, found, tail is not None)


def _title_place(page: HeadPage, match: re.Match[str], tail: re.Match[str] | None) -> Place:
    if page.is_first and tail and match.start() < page.cover_length:
        # On a page full of text, a title with the page number below it is a running header.
        is_header = page.is_full and PAGE_NUMBER.match(page.text, tail.end())
        return "header" if is_header else "cover"
    if page.is_whole_document:
        return "body"
    is_margin = match.start() < HEADER_CHARACTERS or match.end() > len(page.text) - HEADER_CHARACTERS
    return "header" if is_margin else "body"


def _most_common(titles: Sequence[ReportTitle], place: Place) -> ReportTitle | None:
    """Return the first of the most frequent kind and year in a place; on the cover simply the first."""
    here = [title for title in titles if title.place == place]
    if not here or place == "cover":
        return here[0] if here else None
    (year, kind), _ = Counter((title.year, title.kind) for title in here).most_common(1)[0]
    return next(title for title in here if (title.year, title.kind) == (year, kind))


def find_report_year(
    head: Sequence[HeadPage], titles: Sequence[ReportTitle], pages: Sequence[str]
) -> tuple[Found | None, int | None]:
    """Return the fiscal year and one that another place states.

    Cover, running header and reporting period go before the year of the balance sheet and this before any mention.
    """
    found: list[Found] = []
    for place in ("cover", "header"):
        title = _most_common(titles, place)
        if title:
            found.append(title.found)
    period = next(
        ((match, page) for page in head for pattern in PERIODS for match in pattern.finditer(page.text)), None
    )
    if period:
        found.append(find(period[0], "profile", period[1], str(matched_year(period[0]))))
    if not found:
        mention = _most_common(titles, "body")
        sheet = _balance_sheet_year(pages) if mention is None or mention.kind == "annual" else None
        found = [item for item in (sheet, mention.found if mention else None, _period_on_the_cover(head)) if item]
    if not found:
        return None, None
    return found[0], next((int(item.value) for item in found if item.value != found[0].value), None)


def _balance_sheet_year(pages: Sequence[str]) -> Found | None:
    """Return the latest of the years whose 31 December a long document names most."""
    if sum(map(len, pages)) < REPORT_CHARACTERS:
        return None
    dates = [
        (match["year"], number) for number, page in enumerate(pages) for match in BALANCE_SHEET_DATE.finditer(page)
    ]
    count = Counter(year for year, _ in dates)
    often = [year for year, times in count.items() if times >= max(count.values()) / 2 and times >= FEW_DATES]
    if not often:
        return None
    year = max(often)
    number = next(number for date, number in dates if date == year)
    raw = pages[number].replace("\r\n", "\n")
    page = HeadPage(number + 1, tidy(raw), raw, False, False)
    match = next(match for match in BALANCE_SHEET_DATE.finditer(page.text) if match["year"] == year)
    return find(match, "body", page, year)


def _period_on_the_cover(head: Sequence[HeadPage]) -> Found | None:
    """Return the year of 2019 年度 on the cover of a document that names no report."""
    match = PERIOD_ON_COVER.search(head[0].text[: head[0].cover_length])
    return find(match, "cover", head[0], str(matched_year(match))) if match else None


def find_kind(head: Sequence[HeadPage], titles: Sequence[ReportTitle], length: int) -> tuple[Kind, Found] | None:
    """Return what the document is: by the words on its cover, its title there, in headers or in passing.

    Parameters
    ----------
    head : sequence of HeadPage
        First pages.
    titles : sequence of ReportTitle
        From :func:`report_titles`.
    length : int
        Characters of the whole document.
    """
    first = head[0]
    for kind, pattern in NOTICES:
        match = pattern.search(first.text[:COVER_CHARACTERS])
        if match:
            return kind, find(match, "cover", first, kind)
    title = _most_common(titles, "cover")
    other = OTHER_COVER.search(first.text[: first.cover_length])
    if other and (title is None or other.start() <= title.found.start):
        return "other", find(other, "cover", first, "other")
    if title:
        return title.kind, title.found
    header = _most_common(titles, "header")
    if header:
        return ("other" if header.kind == "annual" and length < REPORT_CHARACTERS else header.kind), header.found
    return _kind_in_passing(head, titles, length)


def _kind_in_passing(head: Sequence[HeadPage], titles: Sequence[ReportTitle], length: int) -> tuple[Kind, Found] | None:
    """Return the kind that is only mentioned; of annual reports a long document that vouches for itself is one."""
    mention = _most_common(titles, "body")
    if mention and mention.kind != "annual":
        return mention.kind, mention.found
    pattern = REPORT_MARK if mention else ANNUAL_MARK
    marks = ((match, page) for page in head for match in [pattern.search(page.text)] if match)
    mark = next(marks, None) if length >= REPORT_CHARACTERS else None
    if mark is None:
        return None
    return "annual", mention.found if mention else find(mark[0], "body", mark[1], "annual")


def year_ends(head: Sequence[HeadPage]) -> Iterator[Found]:
    """Find the ends of fiscal years, as ISO dates: 截至二零二一年三月三十一日止年度, year ended 31 March 2021."""
    for page in head:
        for pattern in filter(page.has_mark, YEAR_ENDS):
            for match in pattern.finditer(page.text):
                year, month, day = matched_year(match), _number(match["month"]), _number(match["day"])
                if year and 1 <= month <= 12 and 1 <= day <= 31:
                    yield find(match, "body", page, f"{year:04}-{month:02}-{day:02}")


def _number(text: str) -> int:
    """Return the value of a month or day: 9, 九, 三十一 or September."""
    text = re.sub(r"\s", "", text).lower()
    if text.isdigit() and text.isascii():
        return int(text)
    if text in MONTHS:
        return MONTHS.index(text) + 1
    tens, mark, ones = text.partition("十")
    if not mark:
        return CHINESE_DIGITS.get(text, 0)
    return (CHINESE_DIGITS.get(tens, 0) if tens else 1) * 10 + (CHINESE_DIGITS.get(ones, 0) if ones else 0)


def cover_revision(page: HeadPage) -> tuple[Revision, int, str | None]:
    """Read a revision that the cover prints in brackets or on a line of its own, and that line."""
    start = 0
    for line in page.text[: page.cover_length].split("\n"):
        marked = re.search(rf"\(([^()]{{2,{LONGEST_MARK}}})\)\s*$", line)
        words = marked[1] if marked else line.strip()
        if len(words) <= (LONGEST_MARK if marked else LONGEST_MARK // 2):
            revision, number = parse_revision(words)
            if revision in ("revised", "updated"):
                return revision, number, page.excerpt(start, start + len(line))
        start += len(line) + 1
    return "original", 0, None
