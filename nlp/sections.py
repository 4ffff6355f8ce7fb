"""Top-level sections of an annual report: where each begins and ends, what it is, and how sure that is.

Headings are the longest-supported ascending sequence of numbered lines: supported by the contents page, by the
titles reports usually have, and by their place. The page numbers of the contents
only confirm a choice, and only where most of them agree. What does not add
up (a gap in the numbering, a second line that would fit, an odd length) is listed and lowers the confidence; a
section that is not found is missing and never stretches over its neighbours unmarked.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from nlp.chains import (
    MOSTLY,
    appended,
    best_chain,
    fill_from_contents,
    fill_gaps,
    renamed,
    unnumbered_headings,
    without_inner_tail,
)
from nlp.contents import Contents, find_contents
from nlp.doubts import DOUBTFUL, Doubt, find_doubts, implausible
from nlp.headings import EXPLICIT_STYLES, FRONT_MATTER, NUMBERINGS, Heading, Style, find_headings
from nlp.layout import Layout, lay_out
from nlp.section_titles import SectionKind, kind_of, title_key
from nlp.subparts import find_subpart

SECTIONS_VERSION = "2"
FEWEST_NAMED = 3
FEWEST_NAMED_PLAIN = 4
# An outer numbering is preferred if it has this share of the support of the best one.
OUTER_SHARE = 0.6


@dataclass(frozen=True)
class Section:
    """One section.

    The end is exclusive and stands after the last visible character of the section: white space and page furniture
    (running header, page number) before the next heading belong to neither. ``end_page`` is therefore the page of
    the section's last text.

    Parameters
    ----------
    kind : str
        Canonical kind.
    heading : str
        Heading as printed, white space removed.
    start_page, start_offset : int
        Physical page (from 1) and place in its raw text where the heading begins.
    end_page, end_offset : int
        Physical page and place in its raw text where the section ends.
    confidence : float
        From 0 to 1; below 0.5 a boundary is doubtful.
    checks : tuple of str
        Failed sanity checks, in words.
    """

    kind: SectionKind
    heading: str
    start_page: int
    start_offset: int
    end_page: int
    end_offset: int
    confidence: float
    checks: tuple[str, ...]


@dataclass(frozen=True)
class SectionMap:
    """The sections of one report.

    Parameters
    ----------
    sections : tuple of Section
        Numbered top-level sections and appendices, in order.
    discussion : Section or None
        The discussion section: the one named management discussion, else the directors' report.
    discussion_reason : str
        Why this section, or why none.
    discussion_subpart : Section or None
        Part of a directors' report that is itself named management discussion.
    contents_pages : tuple of int
        Pages with the contents.
    front_matter : tuple of Section
        Unnumbered headings at the front: important notice, contents, definitions.
    """

    sections: tuple[Section, ...]
    discussion: Section | None
    discussion_reason: str
    discussion_subpart: Section | None
    contents_pages: tuple[int, ...]
    front_matter: tuple[Section, ...] = ()


def find_sections(pages: Sequence[str], layout: Layout | None = None, contents: Contents | None = None) -> SectionMap:
    """Find the top-level sections of a report.

    Parameters
    ----------
    pages : sequence of str
        Raw text of each page, in order; one page for a file without page breaks.
    layout : Layout, optional
        What :func:`nlp.layout.lay_out` gives for these pages, where it is there already.
    contents : Contents, optional
        What :func:`nlp.contents.find_contents` gives for that layout, where it is there already.

    Returns
    -------
    SectionMap
        The sections, the discussion section and what speaks for or against them.
    """
    layout = layout or lay_out(pages)
    contents = contents or find_contents(layout)
    chain, rivals = _headings(layout, contents)
    sections = _sections(layout, contents, chain, rivals)
    discussion, reason = _discussion(layout, sections, contents)
    subpart = None
    if discussion is not None and discussion.kind == "directors_report":
        subpart = _subpart(layout, discussion)
    spans = contents.spans
    contents_pages = {page for start, end in spans for page in range(layout.page_of(start), layout.page_of(end) + 1)}
    return SectionMap(
        sections=tuple(sections),
        discussion=discussion,
        discussion_reason=reason,
        discussion_subpart=subpart,
        contents_pages=tuple(sorted(contents_pages)),
        front_matter=_front_matter(layout, contents, chain),
    )


def _headings(layout: Layout, contents: Contents) -> tuple[list[Heading], list[Heading]]:
    """Return the chosen headings and all lines of their numbering, or two empty lists."""
    listed = {entry.key: (entry.style, entry.number) for entry in reversed(contents.entries)}
    found: list[tuple[float, list[Heading], list[Heading]]] = []
    for numbering in NUMBERINGS:
        lines = [line for line in find_headings(layout, listed, numbering) if not contents.covers(line.start)]
        support, chain = best_chain(lines)
        chain = without_inner_tail(chain, contents)
        if sum(heading.is_named for heading in chain) >= _fewest_named(numbering.style):
            found.append((support, chain, lines))
        if _is_settled(chain, contents):
            break
    most_listed = max((sum(heading.in_contents for heading in chain) for _, chain, _ in found), default=0)
    if most_listed < (1.0 if contents.is_unnumbered else MOSTLY) * len(contents.entries):
        lines = unnumbered_headings(layout, contents)
        support, chain = best_chain(lines)
        if len(chain) >= FEWEST_NAMED_PLAIN and len(chain) > most_listed:
            return chain, lines
    if not found:
        return [], []
    best = max(support for support, _, _ in found)
    enough = min(best, OUTER_SHARE * best)
    _, chain, lines = next(item for item in found if item[0] >= enough)
    chain = renamed(fill_from_contents(layout, contents, fill_gaps(chain, lines, contents)), contents)
    appendices, more = appended(layout, contents, listed, chain[-1])
    return chain + appendices, sorted(lines + more, key=lambda line: line.start)


def _is_settled(chain: list[Heading], contents: Contents) -> bool:
    """Tell whether a numbering has most titles of the contents, so that no inner one need be tried."""
    listed = sum(heading.in_contents for heading in chain)
    return listed >= FEWEST_NAMED_PLAIN and listed >= MOSTLY * len(contents.entries)


def _fewest_named(style: Style) -> int:
    return FEWEST_NAMED if style in EXPLICIT_STYLES else FEWEST_NAMED_PLAIN


def _sections(layout: Layout, contents: Contents, chain: list[Heading], rivals: list[Heading]) -> list[Section]:
    ends = [layout.content_end(later.start, earlier.end, later.key) for earlier, later in pairwise(chain)]
    if chain:
        ends.append(layout.content_end(len(layout.text), chain[-1].end))
    doubts = find_doubts(layout, chain, rivals, contents)
    total = max(1, len(layout.text))
    sections = []
    for place, (heading, end) in enumerate(zip(chain, ends, strict=True)):
        found = doubts[place] + implausible(chain, place, (end - heading.start) / total, end - heading.start)
        sections.append(_section(layout, heading.kind, (heading.start, heading.end, end), found))
    return sections


def _section(layout: Layout, kind: SectionKind, span: tuple[int, int, int], doubts: Sequence[Doubt]) -> Section:
    start, heading_end, end = span
    start_page, start_offset = layout.locate(start)
    end_page, end_offset = layout.locate(max(end - 1, start))
    confidence = 1.0
    for factor, _ in doubts:
        confidence *= factor
    return Section(
        kind=kind,
        heading=layout.verbatim(start, heading_end),
        start_page=start_page,
        start_offset=start_offset,
        end_page=end_page,
        end_offset=end_offset + 1,
        confidence=round(confidence, 3),
        checks=tuple(words for _, words in doubts if words),
    )


def _discussion(layout: Layout, sections: list[Section], contents: Contents) -> tuple[Section | None, str]:
    """Choose the discussion section by its title: never by its number, its year or its length."""
    if not sections:
        return None, "no sequence of section headings was found"
    named = [section for section in sections if section.kind == "mda"]
    if named:
        against = f"{named[1].heading} is named so too" if len(named) > 1 else ""
        return _doubted(named[0], against), f"the title {named[0].heading} names the discussion"
    listed = next((entry.title for entry in contents.entries if kind_of(entry.key) == "mda"), None)
    if listed is not None:
        return None, f"the contents list {listed}, but no such heading was found"
    reports = [section for section in sections if section.kind == "directors_report"]
    if not reports:
        return None, "no section is named management discussion or directors' report"
    reason = "no section is named management discussion; the directors' report takes its place"
    return _doubted(reports[0], _against_report(layout, sections, reports[0], contents)), reason


def _doubted(section: Section, against: str) -> Section:
    """Return a section with one more failed check, if there is one."""
    if not against:
        return section
    return replace(section, confidence=round(section.confidence * DOUBTFUL, 3), checks=(*section.checks, against))


def _against_report(layout: Layout, sections: list[Section], report: Section, contents: Contents) -> str:
    """Return what says that a directors' report is not the discussion although no title names another section."""
    has_gap = any("missing" in check for section in sections for check in section.checks)
    titles = {title_key(section.heading) for section in sections}
    is_unclear = any(
        kind_of(entry.key) == "other" and not any(title.endswith(entry.key) for title in titles)
        for entry in contents.entries
    )
    if has_gap and (is_unclear or not contents.entries):
        return "a section is missing, which could be the discussion"
    length = _place(layout, report)[1] - _place(layout, report)[0]
    for section in sections[1:]:
        start, end = _place(layout, section)
        if section.kind == "financial_report":
            break
        if section.kind in ("other", "business_overview") and end - start > length:
            return f"{section.heading} is longer, so it could be the discussion"
    return ""


def _place(layout: Layout, section: Section) -> tuple[int, int]:
    """Return start and end of a section in the joined text."""
    starts = layout.page_starts
    return starts[section.start_page - 1] + section.start_offset, starts[section.end_page - 1] + section.end_offset


def _subpart(layout: Layout, discussion: Section) -> Section | None:
    found = find_subpart(layout, *_place(layout, discussion))
    if found is None:
        return None
    span, doubts = found
    subpart = _section(layout, "mda", span, doubts)
    return replace(subpart, confidence=round(min(subpart.confidence, discussion.confidence), 3))


def _front_matter(layout: Layout, contents: Contents, chain: list[Heading]) -> tuple[Section, ...]:
    """Return the unnumbered headings before the second section, each up to the next."""
    if not chain:
        return ()
    limit = chain[1].start if len(chain) > 1 else chain[0].start
    found: dict[str, tuple[int, int]] = {}
    for match in FRONT_MATTER.finditer(layout.text, 0, limit):
        start = match.start("title")
        if not contents.covers(start):
            found.setdefault("".join(match["title"].split()), (start, match.end("title")))
    spans = sorted(found.values())
    stops = sorted([start for start, _ in spans] + [heading.start for heading in chain[:2]] + [limit])
    sections = []
    for start, end in spans:
        stop = stops[bisect_right(stops, start)]
        kind = kind_of(layout.text[start:end])
        sections.append(_section(layout, kind, (start, end, layout.content_end(stop, end)), ()))
    return tuple(sections)
