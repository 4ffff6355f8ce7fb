"""What a report prints for the reader's orientation and not as text: running headers, page numbers, contents, glossary.

Found by repetition and place, and marked; nothing is deleted.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, get_args

from nlp.contents import Contents
from nlp.layout import (
    CHECK_BOX,
    FURNITURE_PAGES,
    FURNITURE_SHARE,
    LONGEST_HEADER,
    NUMBER_ALONE,
    PAGE_NUMBER,
    Layout,
    furniture_key,
)
from nlp.sections import SectionMap

FURNITURE_VERSION = "1"
FurnitureKind = Literal["running_header", "page_number", "contents", "glossary"]
FURNITURE_KINDS: tuple[FurnitureKind, ...] = get_args(FurnitureKind)
EDGE_KINDS: tuple[FurnitureKind, ...] = ("running_header", "page_number")

# The notes to the accounts have headers of five lines: firm, title, date, unit, page number.
TOP_LINES, BOTTOM_LINES = 6, 4
# Depth of the last line; far from that of the first ones.
FOOT = -10
# A bare number at the edge is a page number if so many pages have one with the same distance to the physical page.
FEWEST_NUMBERED = 3
# Without page breaks: numbers that ascend, at most by so many, at least so far apart, at least so many of them.
LARGEST_STEP, NUMBERS_APART, FEWEST_CHAINED = 4, 200, 5
KEPT_CANDIDATES = 4
# A bare page number has no more digits than this; years have four.
FIRST_NUMBER = re.compile(r"\d{1,4}")
# Forms to tick and whole sentences repeat without being headers.
TEXT_LINE = re.compile(rf"{CHECK_BOX.pattern}|[。；] *$")
# A row of the glossary: a short term, then 指 (means), then what it means.
GLOSSARY_ROW = re.compile(
    r"^(?! *(?:第|[(（]?[一二三四五六七八九十]+[)）、]))"
    r""".{1,60}?(?:[ ”"'’,，] *指(?=[ '’:：,，\n]|$)|指[:：]|[”"]指)""",
    re.MULTILINE,
)
FEWEST_GLOSSARY_ROWS = 3
GLOSSARY_APART = 1_200


@dataclass(frozen=True)
class Mark:
    """A stretch of furniture.

    Parameters
    ----------
    kind : {'running_header', 'page_number', 'contents', 'glossary'}
        What it is.
    page : int
        Page, from 1.
    start, end : int
        Place in the raw text of the page, ``end`` exclusive.
    """

    kind: FurnitureKind
    page: int
    start: int
    end: int


def find_furniture(layout: Layout, contents: Contents, found: SectionMap) -> tuple[Mark, ...]:
    """Find the furniture of a report.

    Parameters
    ----------
    layout : Layout
        The report.
    contents : Contents
        Its contents page.
    found : SectionMap
        Its sections; the glossary is looked for in those named definitions.

    Returns
    -------
    tuple of Mark
        In order; no two of them overlap, none crosses a page.
    """
    edges = list(_page_edges(layout) if layout.has_page_breaks else _edges_without_pages(layout))
    inner: list[_Span] = [("contents", *span) for span in _contents_spans(layout, contents)]
    inner += [("glossary", *span) for span in _glossary_spans(layout, found)]
    marks: list[Mark] = []
    for kind, start, end in sorted((*edges, *inner), key=lambda item: (item[1], item[2])):
        marks += _marks(layout, kind, start, end)
    return _disjoint(layout, marks)


def edge_spans(marks: Sequence[Mark], page_starts: Sequence[int]) -> list[tuple[int, int]]:
    """Return the running headers, footers and page numbers as spans of the pages joined by one character."""
    return _spans(marks, page_starts, EDGE_KINDS)


def inner_spans(marks: Sequence[Mark], page_starts: Sequence[int]) -> list[tuple[int, int]]:
    """Return contents and glossary as spans of the pages joined by one character."""
    return _spans(marks, page_starts, ("contents", "glossary"))


def _spans(marks: Sequence[Mark], page_starts: Sequence[int], kinds: Sequence[FurnitureKind]) -> list[tuple[int, int]]:
    return [
        (page_starts[mark.page - 1] + mark.start, page_starts[mark.page - 1] + mark.end)
        for mark in marks
        if mark.kind in kinds
    ]


_Span = tuple[FurnitureKind, int, int]


@dataclass(frozen=True)
class _Line:
    """A line near the edge of a page: its place, its depth from the top or from :data:`FOOT`, key, number."""

    page: int
    start: int
    end: int
    depth: int
    key: str
    number: str


def _page_edges(layout: Layout) -> Iterator[_Span]:
    """Yield the lines at the top and foot of each page that repeat, or that number the pages."""
    lines = [line for page in range(1, len(layout.page_starts) + 1) for line in _edge_lines(layout, page)]
    numbers = {(line.page, line.start): int(line.number) for line in lines if line.number}
    shifts = Counter(number - page for (page, _), number in numbers.items())
    pages_with = Counter((line.depth, line.key) for line in lines)
    enough = max(FURNITURE_PAGES, FURNITURE_SHARE * len(layout.page_starts))
    is_open = True
    for line in lines:
        # Furniture is what stands between the edge and the first line of text.
        is_open = is_open or line.depth in (0, FOOT)
        if not is_open:
            continue
        alike = sum(pages_with[line.depth + shift, line.key] for shift in (-1, 0, 1))
        if line.number and shifts[int(line.number) - line.page] >= FEWEST_NUMBERED:
            yield "page_number", line.start, line.end
        elif line.key and alike >= enough:
            yield "running_header", line.start, line.end
        else:
            is_open = False


def _page_number(line: str) -> str:
    """Return the number that a line of page furniture prints first, or an empty text."""
    line = line.strip()
    first = FIRST_NUMBER.search(line) if PAGE_NUMBER.fullmatch(line) else None
    return first[0] if first else ""


def _edge_lines(layout: Layout, page: int) -> Iterator[_Line]:
    """Yield the first lines of a page from the top, then the last ones from the foot."""
    position = layout.page_starts[page - 1]
    limit = layout.page_starts[page] - 1 if page < len(layout.page_starts) else len(layout.text)
    for depth in range(TOP_LINES):
        start, end = layout.line_after(position)
        if start >= limit or end > limit:
            break
        yield _line(layout, page, start, end, depth)
        position = end
    # On a short page a line is near both edges.
    page_start, position = layout.page_starts[page - 1], limit
    for depth in range(BOTTOM_LINES):
        while position > page_start and layout.text[position - 1] in " \n":
            position -= 1
        if position == page_start:
            break
        start = max(page_start, layout.text.rfind("\n", page_start, position) + 1)
        yield _line(layout, page, start, position, FOOT - depth)
        position = start


def _line(layout: Layout, page: int, start: int, end: int, depth: int) -> _Line:
    text = layout.text[start:end]
    is_text = end - start > LONGEST_HEADER or TEXT_LINE.search(text) is not None
    return _Line(page, start, end, depth, "" if is_text else furniture_key(text), "" if is_text else _page_number(text))


def _edges_without_pages(layout: Layout) -> Iterator[_Span]:
    """Yield page numbers and the repeated lines beside them in a text that has lost its page breaks."""
    for start, end in _ascending_numbers(layout):
        before, after = layout.line_before(start), layout.line_after(end)
        if before is not None and _is_header(layout, *before):
            yield "running_header", *before
        yield "page_number", start, end
        if _is_header(layout, *after):
            yield "running_header", *after


def _is_header(layout: Layout, start: int, end: int) -> bool:
    line = layout.text[start:end]
    return 0 < end - start < LONGEST_HEADER and not PAGE_NUMBER.fullmatch(line.strip()) and layout.is_furniture(line)


def _ascending_numbers(layout: Layout) -> list[tuple[int, int]]:
    """Return the longest chain of bare numbers that ascend in small steps down the text."""
    places: list[tuple[int, int]] = []
    lengths: list[int] = []
    before: list[int] = []
    candidates: dict[int, list[int]] = {}
    for match in NUMBER_ALONE.finditer(layout.text):
        digits = FIRST_NUMBER.search(match[0])
        if digits is None:
            continue
        number, start = int(digits[0]), match.start() + len(match[0]) - len(match[0].lstrip())
        earlier = [
            other
            for step in range(1, LARGEST_STEP + 1)
            for other in candidates.get(number - step, ())
            if start - places[other][1] >= NUMBERS_APART * step
        ]
        link = max(earlier, key=lambda other: (lengths[other], other), default=-1)
        places.append((start, start + len(match[0].strip())))
        lengths.append(1 + (lengths[link] if link >= 0 else 0))
        before.append(link)
        own = [*candidates.get(number, ()), len(places) - 1]
        candidates[number] = sorted(own, key=lambda other: lengths[other])[-KEPT_CANDIDATES:]
    if not lengths or max(lengths) < FEWEST_CHAINED:
        return []
    chain: list[tuple[int, int]] = []
    place = lengths.index(max(lengths))
    while place >= 0:
        chain.append(places[place])
        place = before[place]
    return chain[::-1]


def _contents_spans(layout: Layout, contents: Contents) -> Iterator[tuple[int, int]]:
    """Yield the lines of the contents, with the heading 目录 above them."""
    for start, end in contents.spans:
        above = layout.line_before(start)
        is_heading = above is not None and "".join(layout.text[slice(*above)].split()).startswith(("目录", "目次"))
        yield (above[0] if above is not None and is_heading else start), end


def _glossary_spans(layout: Layout, found: SectionMap) -> Iterator[tuple[int, int]]:
    """Yield the rows of glossaries (X 指 Y) in the sections named definitions."""
    starts = layout.page_starts
    for section in (*found.front_matter, *found.sections):
        if section.kind != "definitions":
            continue
        start = starts[section.start_page - 1] + section.start_offset + len(section.heading)
        end = starts[section.end_page - 1] + section.end_offset
        rows = [match.start() for match in GLOSSARY_ROW.finditer(layout.text, start, end)]
        if len(rows) < FEWEST_GLOSSARY_ROWS:
            continue
        # The last row may go on over several lines, but a glossary ends where rows stop following each other.
        last = next((place for place, after in pairwise(rows) if after - place > GLOSSARY_APART), rows[-1])
        line_end = layout.text.find("\n", last)
        yield rows[0], end if last == rows[-1] and end - last < GLOSSARY_APART else min(end, max(last, line_end))


def _marks(layout: Layout, kind: FurnitureKind, start: int, end: int) -> Iterator[Mark]:
    """Cut a span at page breaks and yield a mark for each page, white space at the ends left out."""
    page = layout.page_of(start)
    while start < end:
        page_start = layout.page_starts[page - 1]
        page_end = layout.page_starts[page] - 1 if page < len(layout.page_starts) else len(layout.text)
        stretch = layout.text[start : min(end, page_end)]
        first = start + len(stretch) - len(stretch.lstrip())
        if stretch.strip():
            yield Mark(kind, page, first - page_start, first - page_start + len(stretch.strip()))
        start, page = page_end + 1, page + 1


def _disjoint(layout: Layout, marks: Sequence[Mark]) -> tuple[Mark, ...]:
    """Return the marks in order without overlaps: page furniture inside contents or a glossary cuts them in two."""
    kept = {mark for mark in marks if mark.kind in EDGE_KINDS}
    by_page: dict[int, list[Mark]] = {}
    for edge in sorted(kept, key=lambda mark: mark.start):
        by_page.setdefault(edge.page, []).append(edge)
    for mark in marks:
        if mark.kind in EDGE_KINDS:
            continue
        page_start, start = layout.page_starts[mark.page - 1], mark.start
        inside = [edge for edge in by_page.get(mark.page, ()) if mark.start <= edge.start < mark.end]
        for edge in (*inside, Mark(mark.kind, mark.page, mark.end, mark.end)):
            kept.update(_marks(layout, mark.kind, page_start + start, page_start + edge.start))
            start = edge.end
    result: list[Mark] = []
    for mark in sorted(kept, key=lambda mark: (mark.page, mark.start, -mark.end)):
        if not result or result[-1].page != mark.page or mark.start >= result[-1].end:
            result.append(mark)
    return tuple(result)
