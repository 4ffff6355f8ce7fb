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

TOP_LINES = 3
BOTTOM_LINES = 2
# A running header stands on this share of the pages, and on three at least.
FURNITURE_SHARE = 0.2
FURNITURE_PAGES = 3
EDGE_CHARACTERS = 240
LONGEST_HEADER = 80
# A text of several pages that has lost its page breaks: longer than any page.
ONE_PAGE_AT_MOST = 12_000

PAGE_NUMBER = re.compile(r"[-–—~·第 ]*\d{1,4}[-–—~·页 ]*(?:[/／,，]?[共第 ]*\d{1,4}[页 ]*)?")
NUMBER_ALONE = re.compile(r"\n *[-–—]? ?\d{1,4} ?[-–—]? *(?=\n)")
NUMBERED_LINE = re.compile(r"\n *(?=[第附§\d(（ivxⅠ-Ⅻ一二三四五六七八九十])")
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
        """Return a stretch of the raw text without its white space."""
        pairs = zip(self.raw[start:end], self.text[start:end], strict=True)
        return "".join(character for character, folded in pairs if folded not in " \n")

    @cached_property
    def numbered_lines(self) -> dict[str, list[int]]:
        """Starts of the lines that begin like a numbered heading, by their first character."""
        lines: dict[str, list[int]] = {}
        if self.text[:1] not in ("", "\n"):
            lines[self.text.lstrip(" ")[:1]] = [len(self.text) - len(self.text.lstrip(" "))]
        for match in NUMBERED_LINE.finditer(self.text):
            lines.setdefault(self.text[match.end()], []).append(match.end())
        return lines

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
                    if end - start < LONGEST_HEADER:
                        counts[furniture_key(self.text[start:end])] += 1
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
        """Tell whether a line stands at the edge of three pages or more."""
        return self.edge_lines[furniture_key(line)] >= FURNITURE_PAGES

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
        line_start = self.text.rfind("\n", 0, position) + 1
        page = self.page_of(position)
        end = max(line_start, limit)
        if self.has_page_breaks and page > 1 and self.is_page_top(position, own):
            end = max(limit, self.page_starts[page - 1] - 1)
        while end > limit:
            end = self._text_end(end, limit)
            start = max(limit, self.text.rfind("\n", limit, end) + 1)
            if start <= limit or not self._is_break_line(start, end):
                return end
            end = start
        return limit

    def _is_break_line(self, start: int, end: int) -> bool:
        """Tell whether a line between two sections belongs to the page break and not to the section above."""
        if not self.is_furniture(self.text[start:end]):
            return False
        if not self.has_page_breaks:
            return True
        page_start = self.page_starts[self.page_of(start) - 1]
        page = self.page_of(start)
        page_end = self.page_starts[page] - 1 if page < len(self.page_starts) else len(self.text)
        return not self.text[end:page_end].strip() or not self.text[page_start:start].strip()


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
    folded = _fold()[np.minimum(codes, 0xFFFF)]
    return Layout(raw, to_text(np.where(codes > 0xFFFF, codes, folded)), tuple(starts))


@lru_cache(maxsize=1)
def _fold() -> Codes:
    """Build the table from a character to the one it is searched as, once a process."""
    table = tables()
    fold = table.fold.copy()
    fold[table.is_space] = ord(" ")
    fold[LINE_BREAKS] = ord("\n")
    return fold
