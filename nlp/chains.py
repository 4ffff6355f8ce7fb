"""The sequence of headings that numbering, titles and contents support together."""

from __future__ import annotations

import re
from dataclasses import replace
from difflib import SequenceMatcher

from nlp.contents import Contents
from nlp.headings import APPENDIX, CLOSING, EXPLICIT_STYLES, Heading, Listed, Style, find_headings, is_copy, judge
from nlp.layout import BEFORE_HEADING, Layout
from nlp.section_titles import SectionKind, kind_of_key, title_key

SKIPPED = 1.0
LATE_START = 0.7
SAME_NUMBER = 2.0
# A rival line whose score comes this near makes the choice doubtful.
MARGIN = 1.0
# Share of equal characters from which on a title is the one of the contents, misread.
ALIKE = 0.7
# Share of the contents' titles from which on a numbering is theirs.
MOSTLY = 0.6
CLOSING_KINDS: frozenset[SectionKind] = frozenset(("reference_documents", "confirmation", "other"))
ANNEX = re.compile(r"^ *(?P<title>附 *[件录])[:： ]*$", re.MULTILINE)
STATEMENTS = re.compile("审计报告|会计报表|财务报表|资产负债表")
ANNEX_HEAD = 2_000
SHORT_LINE = re.compile(rf"^{BEFORE_HEADING}(?P<title>[^\n。；，,;]{{2,46}}?)[{CLOSING}]*$", re.MULTILINE)


def best_chain(lines: list[Heading]) -> tuple[float, list[Heading]]:
    """Choose the best ascending sequence of headings.

    Parameters
    ----------
    lines : list of Heading
        Lines of one numbering, in order.

    Returns
    -------
    tuple of float and list of Heading
        Support and headings; each missing number costs one point, two sections of one number two.
    """
    nodes = [line for line in lines if line.score > 0]
    totals: list[float] = []
    previous: list[int] = []
    best_of: dict[int, int] = {}
    for index, line in enumerate(nodes):
        total, link = line.score - LATE_START * (line.number - 1), -1
        for number, other in best_of.items():
            if number < line.number:
                offer = totals[other] + line.score - SKIPPED * (line.number - number - 1)
            elif number == line.number and _differ(nodes[other], line):
                offer = totals[other] + line.score - SAME_NUMBER
            else:
                continue
            if offer > total:
                total, link = offer, other
        totals.append(total)
        previous.append(link)
        if line.number not in best_of or total > totals[best_of[line.number]]:
            best_of[line.number] = index
    if not nodes:
        return 0.0, []
    index = max(range(len(nodes)), key=lambda place: (totals[place], -place))
    support = totals[index]
    chain: list[Heading] = []
    while index >= 0:
        chain.append(nodes[index])
        index = previous[index]
    return support, chain[::-1]


def _differ(one: Heading, other: Heading) -> bool:
    if one.style not in EXPLICIT_STYLES and not (one.in_contents and other.in_contents):
        return False
    return one.is_named and other.is_named and one.key != other.key


def fill_gaps(chain: list[Heading], lines: list[Heading], contents: Contents) -> list[Heading]:
    """Add lines with unusual titles whose number is the missing one, where only one such line fits.

    In a plain numbering, which inner units have as well, the title must be much like the one the contents list.

    Parameters
    ----------
    chain : list of Heading
        Chosen headings.
    lines : list of Heading
        All lines of their numbering.
    contents : Contents
        Its contents page.

    Returns
    -------
    list of Heading
        The headings with what fills the gaps.
    """
    if chain and chain[0].style not in EXPLICIT_STYLES:
        found = {heading.key for heading in chain}
        lines = [line for line in lines if _listed_as(line, contents, found)]
    filled: list[Heading] = []
    number, start = 0, -1
    for heading in chain:
        for missing in range(number + 1, heading.number):
            fitting = [line for line in lines if line.number == missing and start < line.start < heading.start]
            fitting = [line for line in fitting if "top" in line.flags] if len(fitting) > 1 else fitting
            if len(fitting) == 1:
                filled.append(fitting[0])
                start = fitting[0].start
        filled.append(heading)
        number, start = heading.number, heading.start
    return filled


def fill_from_contents(layout: Layout, contents: Contents, chain: list[Heading]) -> list[Heading]:
    """Add lines without a number that hold a title of the contents and stand between its neighbours.

    Parameters
    ----------
    layout : Layout
        The report.
    contents : Contents
        Its contents page.
    chain : list of Heading
        Chosen headings.

    Returns
    -------
    list of Heading
        The headings with those that have lost their number, where only one line fits.
    """
    at = _entries_found(chain, contents)
    filled = list(chain)
    for place, entry in enumerate(contents.entries):
        earlier = next((at[other] for other in range(place - 1, -1, -1) if other in at), None)
        later = next((at[other] for other in range(place + 1, len(contents.entries)) if other in at), None)
        if place in at or earlier is None or later is None or entry.style not in (chain[0].style, "none"):
            continue
        number = entry.number or earlier.number + 1
        if earlier.number < number < later.number:
            found = _without_number(layout, (chain[0].style, number), entry.key, (earlier.end, later.start))
            if found is not None:
                filled.insert(filled.index(later), found)
                at[place] = found
    return filled


def _entries_found(chain: list[Heading], contents: Contents) -> dict[int, Heading]:
    """Return the places of the entries that a heading has, by its title or else by its number."""
    by_key = {heading.key: heading for heading in reversed(chain)}
    by_number = {(heading.style, heading.number): heading for heading in reversed(chain)}
    found = {
        place: by_key.get(entry.key) or by_number.get((entry.style, entry.number))
        for place, entry in enumerate(contents.entries)
    }
    return {place: heading for place, heading in found.items() if heading is not None}


def _without_number(layout: Layout, number: tuple[Style, int], key: str, span: tuple[int, int]) -> Heading | None:
    """Return the line between two places that holds a title of the contents and nothing else, if only one does."""
    found = [
        judge(layout, *number, match.span("title"), key, {key: number})
        for match in SHORT_LINE.finditer(layout.text, *span)
        if title_key(match["title"]) == key
    ]
    found = [line for line in found if not line.flags & {"running", "mention"}]
    found = [line for line in found if "top" in line.flags] or found
    return replace(found[0], flags=found[0].flags | {"unnumbered"}) if len(found) == 1 else None


def renamed(chain: list[Heading], contents: Contents) -> list[Heading]:
    """Give headings that are misread the kind of their entry in the contents: a title nearly the same."""
    at = {id(heading): place for place, heading in _entries_found(chain, contents).items()}
    found = {contents.entries[place].key for place in at.values()} & {heading.key for heading in chain}
    named = []
    for heading in chain:
        key = _listed_as(heading, contents, found) if heading.kind == "other" else ""
        named.append(replace(heading, kind=kind_of_key(key)) if key else heading)
    return named


def _listed_as(heading: Heading, contents: Contents, found: set[str]) -> str:
    """Return the title of the contents that is nearly the heading's and that no other heading has, else nothing."""
    alike = [
        (SequenceMatcher(None, heading.key, entry.key, autojunk=False).ratio(), entry.key)
        for entry in contents.entries
        if entry.key not in found and entry.number in (0, heading.number)
    ]
    likeness, key = max(alike, default=(0.0, ""))
    return key if likeness >= ALIKE else ""


def without_inner_tail(chain: list[Heading], contents: Contents) -> list[Heading]:
    """Drop what follows the last entry of the contents where the numbering is one that inner units have as well."""
    if not chain or chain[0].style in EXPLICIT_STYLES:
        return chain
    last = max((place for place, heading in enumerate(chain) if heading.in_contents), default=-1)
    is_complete = sum(heading.in_contents for heading in chain) >= MOSTLY * len(contents.entries)
    tail = chain[last + 1 :]
    # Where the second page of the contents was overlooked, the rest of the sections stand atop pages.
    is_inner = sum(heading.is_named and "top" in heading.flags for heading in tail) <= max(1, len(tail) / 2)
    return chain[: last + 1] if last >= 0 and is_complete and is_inner else chain


def appended(layout: Layout, contents: Contents, listed: Listed, last: Heading) -> tuple[list[Heading], list[Heading]]:
    """Return the appendices (附录一, 附录二, or one 附件) after the last section, and all lines that could be one.

    They are those of the contents; without contents, those atop pages.
    """
    keys = {key.removeprefix("附录"): entry for key, entry in listed.items() if key.startswith("附录")}
    if contents.entries and not keys:
        return _annex(layout, last), []
    lines = [line for line in find_headings(layout, keys, APPENDIX) if line.start > last.end]
    chain = best_chain([line for line in lines if line.in_contents or (not keys and "top" in line.flags)])[1]
    return [_as_appendix(line) for line in chain], [_as_appendix(line) for line in lines]


def _annex(layout: Layout, last: Heading) -> list[Heading]:
    """Return the line 附件 atop a page after a closing section, where the financial statements are attached."""
    if last.kind not in CLOSING_KINDS:
        return []
    for match in ANNEX.finditer(layout.text, last.end):
        start, end = match.span("title")
        if layout.is_page_top(start):
            below = layout.text[end : end + ANNEX_HEAD]
            kind: SectionKind = "financial_report" if STATEMENTS.search(below.replace(" ", "")) else "appendix"
            return [Heading("appendix", 1, start, end, "附件", kind, False, frozenset({"top"}), 1.0)]
    return []


def _as_appendix(line: Heading) -> Heading:
    return replace(line, key="附录" + line.key, kind="appendix")


def unnumbered_headings(layout: Layout, contents: Contents) -> list[Heading]:
    """Return the lines that hold nothing but a title of the contents, numbered by their place in the contents."""
    places = {entry.key: place for place, entry in reversed(list(enumerate(contents.entries, start=1)))}
    listed: Listed = {key: ("none", place) for key, place in places.items()}
    lines: list[Heading] = []
    for match in SHORT_LINE.finditer(layout.text):
        key = title_key(match["title"])
        if key in places and not contents.covers(match.start("title")):
            line = judge(layout, "none", places[key], match.span("title"), key, listed)
            if not lines or not is_copy(layout, lines[-1], line):
                lines.append(line)
    return lines
