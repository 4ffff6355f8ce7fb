"""The sequence of headings that numbering, titles and contents support together."""

from __future__ import annotations

import re
from dataclasses import replace

from nlp.contents import Contents
from nlp.headings import APPENDIX, Heading, find_headings, judge
from nlp.layout import Layout
from nlp.section_titles import title_key

SKIPPED = 1.0
LATE_START = 0.7
SAME_NUMBER = 2.0
# A rival line whose score comes this near makes the choice doubtful.
MARGIN = 1.0
SHORT_LINE = re.compile(r"^ *(?P<title>[^\n。；，,;]{2,46}?) *$", re.MULTILINE)


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
    return one.is_named and other.is_named and one.key != other.key


def fill_gaps(chain: list[Heading], lines: list[Heading]) -> list[Heading]:
    """Add lines with unusual titles whose number is the missing one, where only one such line fits.

    Parameters
    ----------
    chain : list of Heading
        Chosen headings.
    lines : list of Heading
        All lines of their numbering.

    Returns
    -------
    list of Heading
        The headings with what fills the gaps.
    """
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


def appended(layout: Layout, contents: Contents, listed: frozenset[str], after: int) -> list[Heading]:
    """Return the appendices (附录一, 附录二) after the last section: those of the contents, else those atop pages."""
    keys = frozenset(key.removeprefix("附录") for key in listed if key.startswith("附录"))
    if contents.entries and not keys:
        return []
    lines = [line for line in find_headings(layout, keys, APPENDIX) if line.start > after]
    chain = best_chain([line for line in lines if line.in_contents or (not keys and "top" in line.flags)])[1]
    return [_as_appendix(line) for line in chain]


def _as_appendix(line: Heading) -> Heading:
    return replace(line, key="附录" + line.key, kind="appendix")


def unnumbered_headings(layout: Layout, contents: Contents) -> list[Heading]:
    """Return the lines that hold nothing but a title of the contents, numbered by their place in the contents."""
    places = {entry.key: place for place, entry in reversed(list(enumerate(contents.entries, start=1)))}
    listed = frozenset(places)
    lines = []
    for match in SHORT_LINE.finditer(layout.text):
        key = title_key(match["title"])
        if key in places and not contents.covers(match.start("title")):
            lines.append(judge(layout, "none", places[key], match.span("title"), key, listed))
    return lines
