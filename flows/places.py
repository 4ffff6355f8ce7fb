"""Where in a report a hit stands: in which section, and whether in page furniture."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

from nlp.furniture import Mark
from nlp.scope import SUBPART


def page_starts_of(pages: Sequence[str]) -> list[int]:
    """Return where each page begins in the pages joined by one character."""
    return [0, *accumulate(len(page) + 1 for page in pages[:-1])]


def span_of(section: Mapping[str, Any], page_starts: Sequence[int]) -> tuple[int, int]:
    """Return start and end of a section's row in the pages joined by one character; empty where it was not found."""
    if not section.get("heading"):
        return 0, 0
    start = page_starts[section["start_page"] - 1] + section["start_offset"]
    return start, page_starts[section["end_page"] - 1] + section["end_offset"]


class Places:
    """Sections and furniture of one document, to be asked for a place in its joined pages.

    Parameters
    ----------
    page_starts : sequence of int
        From :func:`page_starts_of`.
    sections : sequence of mapping
        Rows of the table ``sections``; numbered sections come after the front matter and win over it.
    marks : sequence of Mark
        Furniture.
    """

    def __init__(
        self, page_starts: Sequence[int], sections: Sequence[Mapping[str, Any]], marks: Sequence[Mark]
    ) -> None:
        found = [(row["kind"], *span_of(row, page_starts)) for row in sections if row.get("heading")]
        self._sections = [(start, end, kind) for kind, start, end in found if kind != SUBPART]
        self._subparts = [(start, end) for kind, start, end in found if kind == SUBPART]
        self._marks = sorted(
            (page_starts[mark.page - 1] + mark.start, page_starts[mark.page - 1] + mark.end, mark.kind)
            for mark in marks
        )
        self._mark_starts = [start for start, _, _ in self._marks]

    def at(self, place: int) -> dict[str, str]:
        """Return section, subsection and kind of furniture at a place; each empty where there is none."""
        sections = [kind for start, end, kind in self._sections if start <= place < end]
        is_subpart = any(start <= place < end for start, end in self._subparts)
        index = bisect_right(self._mark_starts, place) - 1
        is_mark = index >= 0 and place < self._marks[index][1]
        return {
            "section": sections[-1] if sections else "",
            "subsection": SUBPART if is_subpart else "",
            "furniture": self._marks[index][2] if is_mark else "",
        }
