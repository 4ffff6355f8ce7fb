"""Lines, pages and page furniture of a report, on one text whose positions are those of the raw pages."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from nlp.clean import Codes, tables, to_codes, to_text
from nlp.section_titles import TITLE_VARIANTS, SectionKind, kind_of_key

TOP_LINES = 3
BOTTOM_LINES = 2
# A running header stands on this share of the pages, and on three at least.
FURNITURE_SHARE = 0.2
FURNITURE_PAGES = 3
EDGE_CHARACTERS = 240
LONGEST_HEADER = 80
# A text of several pages that has lost its page breaks: longer than any page.
ONE_PAGE_AT_MOST = 12_000
FIRST_CHINESE = 0x4E00

PAGE_NUMBER = re.compile(r"[-–—~·第 ]*\d{1,4}[-–—~·页 ]*(?:[/／,，共第][共第 ]*\d{1,4}[页 ]*)?")
DATE = re.compile(r"[\d二〇○零一三四五六七八九十 ]{4,8}年[ \d一二三四五六七八九十]+月[ \d一二三四五六七八九十]+日")
NUMBER_ALONE = re.compile(r"\n *[-–—]? ?\d{1,4} ?[-–—]? *(?=\n)")
# Blanks, bullets (old fonts keep theirs in the private-use area) and opening brackets before a heading.
BEFORE_HEADING = r"[ \ue000-\uf8ff■◆●★▲▶►•【〖#*]*"
# Amounts, shares and telephone numbers stand in the last row of a table, not in a running header.
FIGURES = re.compile(r"\d,\d{3}|\d\.\d|\d{7}|%")
# A running header with one of these titles names the section of its page.
RUNNING_KINDS: frozenset[SectionKind] = frozenset(
    {
        *("company_profile", "financial_highlights", "business_overview", "mda", "directors_report"),
        *("significant_events", "shares", "directors", "governance"),
    }
)
NUMBERED_KEY = re.compile("(?:第?[一二三四五六七八九十]+[节章]?)?(.*)")
NOT_A_KEY = re.compile(r"[\W\d_]+")
LINE_BREAKS = [0x0A, 0x0B, 0x0C, 0x0D, 0x85, 0x2028, 0x2029]
CHECK_BOX = re.compile("[□√☑✓]")


def furniture_key(line: str) -> str:
    """Return a line without digits, white space and punctuation: running headers differ in these only."""
    return NOT_A_KEY.sub("", line)


@dataclass(frozen=True)
class Layout:
    """A report as one text.

    Parameters
    ----------
    raw : str
        The pages as extracted, joined by one character.
    text : str
        The same, place by place, as it is searched: blanks and control characters are blanks, every line and
        page ends in a line feed, full-width letters, radicals and capitals are folded.
    page_starts : tuple of int
        Place where each page begins.
    """

    raw: str
    text: str
    page_starts: tuple[int, ...]

    def locate(self, position: int) -> tuple[int, int]:
        """Return page (from 1) and offset in the raw page of a place."""
        page = self.page_of(position)
        return page, position - self.page_starts[page - 1]

    def page_of(self, position: int) -> int:
        """Return the page (from 1) of a place."""
        return max(1, bisect_right(self.page_starts, position))

    def verbatim(self, start: int, end: int) -> str:
        """Return a stretch of the raw text without its white space and without the second of doubled characters."""
        pairs = zip(self.raw[start:end], self.text[start:end], strict=True)
        return "".join(character for character, folded in pairs if folded not in " \n")

    @cached_property
    def _lines_by_beginning(self) -> dict[str, list[int]]:
        return {}

    def lines_beginning(self, characters: str) -> list[int]:
        """Return the starts of the lines that begin with one of some characters, bullets before it left out."""
        starts = self._lines_by_beginning.get(characters)
        if starts is None:
            beginning = re.compile(rf"{BEFORE_HEADING}(?=[{re.escape(characters)}])")
            first = beginning.match(self.text)
            starts = [first.end()] if first is not None else []
            starts += [match.end() for match in re.compile(f"\n{beginning.pattern}").finditer(self.text)]
            self._lines_by_beginning[characters] = starts
        return starts

    @cached_property
    def has_page_breaks(self) -> bool:
        """Tell whether the pages of the file are pages: a long text in one page has lost its breaks."""
        return len(self.page_starts) > 1 or len(self.text) <= ONE_PAGE_AT_MOST

    def line_after(self, position: int, past_furniture: bool = False) -> tuple[int, int]:
        """Return start and end of the next line with text, or an empty stretch at the end."""
        for _ in range(TOP_LINES):
            while position < len(self.text) and self.text[position] in " \n":
                position += 1
            end = self.text.find("\n", position)
            end = len(self.text) if end < 0 else end
            if not past_furniture or not self.is_furniture(self.text[position:end]):
                break
            position = end
        return position, end

    def line_before(self, position: int, limit: int = 0) -> tuple[int, int] | None:
        """Return start and end of the line with text above the line of a place, not above ``limit``."""
        line_start = self.text.rfind("\n", limit, position) + 1
        end = self._text_end(max(line_start, limit), limit)
        if end == limit:
            return None
        return max(limit, self.text.rfind("\n", limit, end) + 1), end

    def _text_end(self, end: int, limit: int) -> int:
        """Return the end of the text above a place, white space left out."""
        while end > limit and self.text[end - 1] in " \n":
            end -= 1
        return end

    @cached_property
    def edge_lines(self) -> Counter[str]:
        """Keys of the lines at the top and foot of pages, with the number of pages."""
        counts: Counter[str] = Counter()
        if not self.has_page_breaks:
            for match in NUMBER_ALONE.finditer(self.text):
                for start, end in (self.line_before(match.start() + 1) or (0, 0), self.line_after(match.end())):
                    line = self.text[start:end].strip(" ")
                    if len(line) < LONGEST_HEADER:
                        counts[furniture_key(line)] += 1
            return counts
        for top, bottom in self._edges():
            lines = [line for line in top.split("\n") if line.strip()][:TOP_LINES]
            lines += [line for line in bottom.split("\n") if line.strip()][-BOTTOM_LINES:]
            counts.update({furniture_key(line) for line in lines})
        return counts

    def _edges(self) -> Iterator[tuple[str, str]]:
        ends = (*(start - 1 for start in self.page_starts[1:]), len(self.text))
        for start, end in zip(self.page_starts, ends, strict=True):
            top_end = min(end, start + EDGE_CHARACTERS)
            yield self.text[start:top_end], self.text[max(top_end, end - EDGE_CHARACTERS) : end]

    @cached_property
    def furniture(self) -> frozenset[str]:
        """Keys of the running headers and footers."""
        pages = len(self.page_starts) if self.has_page_breaks else len(self.text) / 1_000
        enough = max(FURNITURE_PAGES, FURNITURE_SHARE * pages)
        return frozenset(key for key, count in self.edge_lines.items() if key and count >= enough)

    def is_furniture(self, line: str) -> bool:
        """Tell whether a line is a page number or a running header or footer."""
        line = line.strip()
        if PAGE_NUMBER.fullmatch(line):
            return True
        return furniture_key(line) in self.furniture and not CHECK_BOX.search(line)

    def is_running(self, line: str) -> bool:
        """Tell whether a line stands at the edge of three pages or more; table rows and check boxes do not count."""
        key = furniture_key(line)
        if not key or self.edge_lines[key] < FURNITURE_PAGES:
            return False
        return not CHECK_BOX.search(line) and not FIGURES.search(line)

    @cached_property
    def running_titles(self) -> frozenset[str]:
        """Keys of the running headers and footers that name sections."""
        running = (key for key, count in self.edge_lines.items() if count >= FURNITURE_PAGES)
        titles = (match for match in map(NUMBERED_KEY.fullmatch, running) if match is not None)
        return frozenset(match[0] for match in titles if kind_of_key(match[1]) in RUNNING_KINDS)

    def is_running_title(self, line: str) -> bool:
        """Tell whether a line is a running header or footer that names a section."""
        return furniture_key(line) in self.running_titles

    @cached_property
    def has_numbered_feet(self) -> bool:
        """Tell whether the pages have their numbers at the foot."""
        bottoms = (bottom.rstrip(" \n").rpartition("\n")[2] for _, bottom in self._edges())
        numbered = sum(PAGE_NUMBER.fullmatch(line.strip()) is not None for line in bottoms)
        return numbered >= max(FURNITURE_PAGES, FURNITURE_SHARE * len(self.page_starts))

    @cached_property
    def foot_lines(self) -> Counter[str]:
        """Keys of the lines at the foot of pages, with the number of pages."""
        bottoms = ([line for line in bottom.split("\n") if line.strip()] for _, bottom in self._edges())
        return Counter(key for lines in bottoms for key in {furniture_key(line) for line in lines[-BOTTOM_LINES:]})

    def is_page_foot(self, end: int) -> bool:
        """Tell whether nothing but page furniture follows on the page after the line that ends here."""
        page = self.page_of(end)
        page_end = self.page_starts[page] - 1 if page < len(self.page_starts) else len(self.text)
        lines = self.text[end:page_end].split("\n", 2 * BOTTOM_LINES)
        return self.has_page_breaks and not any(line.strip() and not self.is_furniture(line) for line in lines)

    def is_page_top(self, position: int, own: str = "") -> bool:
        """Tell whether a line is the first of its page, page furniture and a header that repeats it aside.

        Parameters
        ----------
        position : int
            A place in the line.
        own : str
            The line's title as :func:`furniture_key` gives it; a header may hold it and stand on this page only.
        """
        limit = self.page_starts[self.page_of(position) - 1]
        for _ in range(2 * TOP_LINES):
            above = self.line_before(position, limit)
            if above is None:
                return True
            line = self.text[slice(*above)]
            if not self._is_edge(line) and not (own and furniture_key(line).endswith(own)):
                return False
            if not self.has_page_breaks:
                return True
            position = above[0]
        return False

    def _is_edge(self, line: str) -> bool:
        return self.is_furniture(line) or self.is_running(line)

    def content_end(self, position: int, limit: int, own: str = "") -> int:
        """Return where the text above a heading ends, page furniture left out, at ``limit`` at the earliest."""
        line_start = self.text.rfind("\n", 0, position) + 1 if position < len(self.text) else position
        page = self.page_of(position)
        end = max(line_start, limit)
        if self.has_page_breaks and page > 1 and self.is_page_top(position, own):
            end = max(limit, self.page_starts[page - 1] - 1)
        has_number = False
        while end > limit:
            end = self._text_end(end, limit)
            start = max(limit, self.text.rfind("\n", limit, end) + 1)
            is_number = PAGE_NUMBER.fullmatch(self.text[start:end].strip()) is not None
            if start <= limit or (is_number and has_number) or not self._is_break_line(start, end, is_number):
                break
            has_number = has_number or is_number
            end = start
        # The second of two equal characters is folded to a blank where all of a line is printed twice.
        return end + (limit < end < len(self.text) and self.text[end] == " " and self.raw[end] == self.raw[end - 1])

    def _is_break_line(self, start: int, end: int, is_number: bool) -> bool:
        """Tell whether a line between two sections belongs to the page break and not to the section above."""
        # A date under a signature ends a section, though the pages of the accounts may have dates for headers.
        if not self.is_furniture(self.text[start:end]) or DATE.fullmatch(self.text[start:end].strip()):
            return False
        if not self.has_page_breaks:
            return True
        page_start = self.page_starts[self.page_of(start) - 1]
        if not self.text[page_start:start].strip():
            return True
        return (self.has_numbered_feet or not is_number) and self.is_page_foot(end)


def lay_out(pages: Sequence[str]) -> Layout:
    """Join pages into the text that headings are searched in.

    Parameters
    ----------
    pages : sequence of str
        Raw text of each page, in order.

    Returns
    -------
    Layout
        The text with the way back to the pages.
    """
    raw = "\f".join(pages)
    starts = [0]
    for page in pages[:-1]:
        starts.append(starts[-1] + len(page) + 1)
    codes = to_codes(raw)
    folded = _undoubled(_fold()[np.minimum(codes, 0xFFFF)])
    return Layout(raw, to_text(np.where(codes > 0xFFFF, codes, folded)), tuple(starts))


def _undoubled(codes: Codes) -> Codes:
    """Return a text with blanks for the second of each pair on the lines whose characters are all printed twice."""
    is_equal = codes[1:] == codes[:-1]
    pairs = np.flatnonzero(is_equal[:-2] & is_equal[2:])
    pairs = pairs[(codes[pairs] >= FIRST_CHINESE) & (codes[pairs] != codes[pairs + 2])]
    if not pairs.size:
        return codes
    codes = codes.copy()
    breaks = np.concatenate(([-1], np.flatnonzero(codes == ord("\n")), [codes.size]))
    for line in np.unique(np.searchsorted(breaks, pairs)):
        start = breaks[line - 1] + 1
        visible = start + np.flatnonzero(codes[start : breaks[line]] != ord(" "))
        if visible.size % 2 == 0 and np.array_equal(codes[visible[::2]], codes[visible[1::2]]):
            codes[visible[1::2]] = ord(" ")
    return codes


@lru_cache(maxsize=1)
def _fold() -> Codes:
    """Build the table from a character to the one it is searched as, once a process."""
    table = tables()
    fold = table.fold.copy()
    fold[table.is_space] = ord(" ")
    fold[LINE_BREAKS] = ord("\n")
    fold[[ord(character) for character in TITLE_VARIANTS]] = [ord(character) for character in TITLE_VARIANTS.values()]
    return fold
