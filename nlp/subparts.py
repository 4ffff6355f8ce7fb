"""The part of a directors' report that is itself named management discussion."""

from __future__ import annotations

import re

from nlp.doubts import DOUBTFUL, Doubt
from nlp.headings import LONGEST_TITLE, NUMBERINGS, SENTENCE, Numbering
from nlp.layout import Layout
from nlp.section_titles import SUBPART_TITLE, parse_number, title_key

PLAIN_LINE = re.compile(r"^ *(?P<title>[^\n]{5,30}?)[:： ]*$", re.MULTILINE)
SUBPART_NUMBERINGS = (
    *(numbering for numbering in NUMBERINGS if numbering.style in ("chinese", "arabic", "bracketed")),
    Numbering("arabic", "(（", re.compile(r"[(（] ?(?P<number>\d{1,2}) ?[)）] *(?P<title>[^\n]*)")),
)
Subpart = tuple[tuple[int, int, int], tuple[Doubt, ...]]


def find_subpart(layout: Layout, start: int, end: int) -> Subpart | None:
    """Find the named sub-part in a section.

    Parameters
    ----------
    layout : Layout
        The report.
    start, end : int
        Place of the section in the joined text.

    Returns
    -------
    tuple or None
        Start, end of heading and end of the sub-part, with what speaks against it; None where nothing is so named.
    """
    heading_end = layout.text.find("\n", start, end)
    if heading_end < 0:
        return None
    found: list[tuple[int, int, int, Numbering | None]] = []
    for numbering in SUBPART_NUMBERINGS:
        for match in numbering.lines(layout, heading_end, end):
            if _is_subpart(match["title"]):
                found.append((match.start(), match.end(), parse_number(match["number"]), numbering))
                break
    if not found:
        lines = PLAIN_LINE.finditer(layout.text, heading_end, end)
        plain = next((match.span("title") for match in lines if _is_subpart(match["title"])), None)
        if plain is None:
            return None
        found.append((*plain, 0, None))
    first, title_end, number, own = min(found, key=lambda item: item[0])
    title_end = first + len(layout.text[first:title_end].rstrip())
    stop = None if own is None else _next_unit(layout, own, number + 1, title_end, end)
    if stop is None:
        return (first, title_end, end), ((DOUBTFUL, "no further part was found, so this one takes the whole section"),)
    return (first, title_end, layout.content_end(stop, title_end)), ()


def _is_subpart(title: str) -> bool:
    title = title.strip()
    return not SENTENCE.search(title.rstrip("：:")) and SUBPART_TITLE.fullmatch(title_key(title)) is not None


def _next_unit(layout: Layout, numbering: Numbering, number: int, start: int, end: int) -> int | None:
    """Return where the next unit of the same numbering begins; lists that begin at one again are passed over."""
    nested = 0
    for match in numbering.lines(layout, start, end):
        value, title = parse_number(match["number"]), match["title"].strip()
        if value == nested + 1 and (nested or value == 1):
            nested = value
        elif value == number and 0 < len(title) <= LONGEST_TITLE and not SENTENCE.search(title):
            return match.start()
    return None
