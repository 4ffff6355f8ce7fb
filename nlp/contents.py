"""The contents page of a report: where it stands and which titles it lists. Its page numbers only confirm."""

from __future__ import annotations

import re
from dataclasses import dataclass

from nlp.headings import APPENDIX, LEADERS, LONGEST_TITLE, NUMBERINGS, SENTENCE, Style
from nlp.layout import Layout
from nlp.section_titles import parse_number, title_key

# The contents stand within the first pages; a file without page breaks has them within the first characters.
FIRST_PAGES = 15
FIRST_CHARACTERS = 30_000
FEWEST_ENTRIES = 4
FARTHEST_APART = 320
DENSE_ENTRIES = 5
DENSE_APART = 90
WITHIN_HEADING = 4_000

CONTENTS_HEADING = re.compile(r"^ *(?:目 *录|目 *次)[:： ]*$", re.MULTILINE)
AFTER_LEADERS = re.compile(r"[ .．…·•‥]*[-–(（]? ?第? ?(?:\d ?){0,4}[页)）–-]? *")
LONGEST_LISTED = 80
NUMBER_LINE = re.compile(
    r"^(?P<title>[^\n]{2,60}?)(?: +|(?<=\D))\(?第? ?(?P<page>\d(?: ?\d){0,2})页?\)? *$", re.MULTILINE
)
LEADING_LINE = re.compile(r"^ *(?P<page>\d{1,3}) +(?P<title>[^\W\d][^\n]{1,40}?) *$", re.MULTILINE)
LAST_NUMBER = re.compile(r"(\d{1,4})\D{0,4}\Z")
STRAY_ANCHOR = re.compile(r"^ *_toc\d+")


@dataclass(frozen=True)
class Entry:
    """One line of the contents: numbering style, number (0 without), title as it is compared, and as printed, page."""

    style: Style
    number: int
    key: str
    title: str
    page: int


@dataclass(frozen=True)
class Contents:
    """The contents page.

    Parameters
    ----------
    entries : tuple of Entry
        Top-level entries in order; empty where there is no contents page.
    spans : tuple of (int, int)
        Stretches of the joined text that are contents.
    """

    entries: tuple[Entry, ...]
    spans: tuple[tuple[int, int], ...]

    @property
    def is_unnumbered(self) -> bool:
        """Whether the titles are listed without section numbers."""
        return bool(self.entries) and all(entry.style == "none" for entry in self.entries)

    def covers(self, position: int) -> bool:
        """Tell whether a place is within the contents."""
        return any(start <= position < end for start, end in self.spans)


def find_contents(layout: Layout) -> Contents:
    """Find the contents page and its top-level entries.

    Parameters
    ----------
    layout : Layout
        The report.

    Returns
    -------
    Contents
        Entries and place; both empty where there is none.
    """
    starts = layout.page_starts
    limit = starts[FIRST_PAGES] if len(starts) > FIRST_PAGES else min(len(layout.text), FIRST_CHARACTERS)
    for spans in (_leader_spans(layout, limit), _number_spans(layout, limit), _dense_spans(layout, limit)):
        entries = tuple(entry for start, end in spans for entry in _entries(layout.text[start:end]))
        top = _top_level(entries)
        if len(top) >= FEWEST_ENTRIES:
            return Contents(top, tuple(spans))
    return _leading_numbers(layout, limit)


def _runs(lines: list[tuple[int, int]], fewest: int, apart: int) -> list[tuple[int, int]]:
    """Return the stretches in which at least ``fewest`` lines stand no more than ``apart`` characters apart."""
    runs: list[list[tuple[int, int]]] = []
    for line in lines:
        if runs and line[0] - runs[-1][-1][1] <= apart:
            runs[-1].append(line)
        else:
            runs.append([line])
    return [(run[0][0], run[-1][1]) for run in runs if len(run) >= fewest]


def _leader_spans(layout: Layout, limit: int) -> list[tuple[int, int]]:
    lines: list[tuple[int, int]] = []
    for leaders in LEADERS.finditer(layout.text, 0, limit):
        start, end = layout.text.rfind("\n", 0, leaders.start()) + 1, _line_end(layout, leaders.end())
        title = layout.text[start : leaders.start()].strip(" ")
        is_first = not lines or lines[-1][0] != start
        if is_first and len(title) <= LONGEST_LISTED and AFTER_LEADERS.fullmatch(layout.text, leaders.end(), end):
            lines.append((start, end))
    spans = _runs(lines, FEWEST_ENTRIES, FARTHEST_APART)
    return [(_first_line(layout, start), end) for start, end in _together(spans)]


def _line_end(layout: Layout, position: int) -> int:
    end = layout.text.find("\n", position)
    return len(layout.text) if end < 0 else end


def _together(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the first stretch and those that go on right after it, past a page break or a heading."""
    kept = spans[:1]
    for span in spans[1:]:
        if span[0] - kept[-1][1] > 3 * FARTHEST_APART:
            break
        kept.append(span)
    return kept


def _first_line(layout: Layout, start: int) -> int:
    """Return where a contents begins whose first entry is broken over two lines."""
    above = layout.line_before(start, max(0, start - 2 * LONGEST_TITLE))
    if above is not None and _numbering(layout.text[slice(*above)].strip())[1] == 1:
        return above[0]
    return start


def _number_spans(layout: Layout, limit: int) -> list[tuple[int, int]]:
    """Return the stretches below a heading 目录 where lines end in a page number without leaders."""
    spans = []
    for heading in CONTENTS_HEADING.finditer(layout.text, 0, limit):
        window = (heading.end(), min(len(layout.text), heading.end() + WITHIN_HEADING))
        lines = [
            match.span()
            for match in NUMBER_LINE.finditer(layout.text, *window)
            if not SENTENCE.search(match["title"].strip().replace("：", "")) and title_key(match["title"])
        ]
        spans += [run for run in _runs(lines, FEWEST_ENTRIES, DENSE_APART) if run[0] - heading.end() <= FARTHEST_APART]
    return spans


def _leading_numbers(layout: Layout, limit: int) -> Contents:
    """Return the contents below a heading 目录 whose lines begin with their page number, as in designed reports."""
    for heading in CONTENTS_HEADING.finditer(layout.text, 0, limit):
        window = (heading.end(), min(len(layout.text), heading.end() + WITHIN_HEADING))
        lines = [line for line in LEADING_LINE.finditer(layout.text, *window) if not SENTENCE.search(line["title"])]
        lines = [line for line in lines if title_key(line["title"])]
        for start, end in _runs([line.span() for line in lines], FEWEST_ENTRIES, DENSE_APART):
            entries = [_entry(line["title"], int(line["page"])) for line in lines if start <= line.start() < end]
            pages = [entry.page for entry in entries]
            # Section numbers ascend by one; page numbers have gaps.
            if pages == sorted(pages) and pages[-1] - pages[0] >= 2 * len(pages):
                return Contents(_top_level(tuple(entries)), ((start, end),))
    return Contents((), ())


def _dense_spans(layout: Layout, limit: int) -> list[tuple[int, int]]:
    """Return the stretches where numbered titles follow each other with no text between: contents without pages."""
    spans: list[tuple[int, int]] = []
    for numbering in NUMBERINGS[:4]:
        run: list[tuple[int, int]] = []
        last = 0
        for match in numbering.lines(layout, 0, limit):
            number = parse_number(match["number"])
            if number == last + 1 and (not run or match.start() - run[-1][1] <= DENSE_APART):
                run.append(match.span())
            else:
                spans += [(run[0][0], run[-1][1])] if len(run) >= DENSE_ENTRIES else []
                run = [match.span()] if number == 1 else []
            last = number if run else 0
        spans += [(run[0][0], run[-1][1])] if len(run) >= DENSE_ENTRIES else []
        if spans:
            return spans
    return spans


def _entries(text: str) -> list[Entry]:
    entries: list[Entry] = []
    carried = ""
    for raw_line in text.split("\n"):
        line = STRAY_ANCHOR.sub("", raw_line).strip()
        if not line:
            continue
        listed = _listed_title(line)
        title = listed if listed is not None else line
        if carried and _numbering(title)[1]:
            entries.append(_entry(carried, 0))
            carried = ""
        if listed is None:
            carried = line if _numbering(line)[1] else ""
            continue
        page = LAST_NUMBER.search(line[len(title) :].replace(" ", ""))
        entries.append(_entry(carried + title, int(page[1]) if page is not None else 0))
        carried = ""
    if carried:
        entries.append(_entry(carried, 0))
    return [entry for entry in entries if entry.key]


def _listed_title(line: str) -> str | None:
    """Return the title of a line that ends in leaders or a page number, else None."""
    leaders = LEADERS.search(line)
    if leaders is not None:
        is_listed = leaders.start() <= LONGEST_LISTED and AFTER_LEADERS.fullmatch(line, leaders.end())
        return line[: leaders.start()].strip() if is_listed else None
    match = NUMBER_LINE.match(line)
    return match["title"].strip() if match is not None else None


def _numbering(line: str) -> tuple[Style, int, str]:
    """Return numbering style, number (0 without) and title of a line."""
    appendix = APPENDIX.pattern.match(line)
    if appendix is not None:
        return "appendix", parse_number(appendix["number"]), "附录" + appendix["title"]
    for numbering in NUMBERINGS:
        match = numbering.pattern.match(line)
        number = parse_number(match["number"]) if match is not None else 0
        if match is not None and number:
            return numbering.style, number, match["title"]
    return "none", 0, line


def _entry(line: str, page: int) -> Entry:
    style, number, title = _numbering(line)
    return Entry(style, number, title_key(title), line, page)


def _top_level(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    """Return the entries of the outermost numbering, or all where hardly any is numbered."""
    for first in entries:
        if first.number == 1 and first.style not in ("appendix", "none"):
            numbered = [entry for entry in entries if entry.style == first.style]
            if len(numbered) >= FEWEST_ENTRIES:
                return tuple(entry for entry in entries if entry.style in (first.style, "appendix"))
    return tuple(entry for entry in entries if not entry.key.startswith("目录"))
