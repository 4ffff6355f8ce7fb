"""Where in a report a hit stands: in which section, and whether in page furniture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np
import numpy.typing as npt

from nlp.furniture import EDGE_KINDS, Mark
from nlp.scope import SUBPART

MARK_FIELDS = ("kind", "page", "start", "end")


def page_starts_of(pages: Sequence[str]) -> list[int]:
    """Return where each page begins in the pages joined by one character."""
    return [0, *accumulate(len(page) + 1 for page in pages[:-1])]


def span_of(section: Mapping[str, Any], page_starts: Sequence[int]) -> tuple[int, int]:
    """Return start and end of a section's row in the pages joined by one character; empty where it was not found."""
    if not section.get("heading"):
        return 0, 0
    start = page_starts[section["start_page"] - 1] + section["start_offset"]
    return start, page_starts[section["end_page"] - 1] + section["end_offset"]


@dataclass(frozen=True)
class PlacedFurniture:
    """Furniture of one document, in the pages joined by one character.

    Parameters
    ----------
    kinds : sequence of str
        Kind of each stretch, in order.
    starts, ends : array of int64
        Where each stretch begins and ends.
    """

    kinds: Sequence[str]
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]

    @property
    def edges(self) -> npt.NDArray[np.int64]:
        """Start and end of each running header, footer and page number, shape (n, 2)."""
        is_edge = np.isin(np.asarray(self.kinds, dtype=object), EDGE_KINDS)
        return np.column_stack((self.starts, self.ends))[is_edge]


def place_furniture(columns: Sequence[Sequence[Any]], page_starts: Sequence[int]) -> PlacedFurniture:
    """Return furniture in the joined pages, given kinds, pages, starts and ends within the pages."""
    kinds, pages, starts, ends = columns
    base = np.asarray(page_starts, dtype=np.int64)[np.asarray(pages, dtype=np.int64) - 1]
    return PlacedFurniture(kinds, base + np.asarray(starts, np.int64), base + np.asarray(ends, np.int64))


def place_marks(marks: Sequence[Mark], page_starts: Sequence[int]) -> PlacedFurniture:
    """Return marks in the joined pages."""
    return place_furniture([[getattr(mark, name) for mark in marks] for name in MARK_FIELDS], page_starts)


class Places:
    """Sections and furniture of one document, to be asked for a place in its joined pages.

    Parameters
    ----------
    page_starts : sequence of int
        From :func:`page_starts_of`.
    sections : sequence of mapping
        Rows of the table ``sections``; numbered sections come after the front matter and win over it.
    furniture : PlacedFurniture
        What is no text; its stretches are in order and disjoint.
    """

    def __init__(
        self, page_starts: Sequence[int], sections: Sequence[Mapping[str, Any]], furniture: PlacedFurniture
    ) -> None:
        found = [(row["kind"], *span_of(row, page_starts)) for row in sections if row.get("heading")]
        self._sections = [(start, end, kind) for kind, start, end in found if kind != SUBPART]
        self._subparts = [(start, end) for kind, start, end in found if kind == SUBPART]
        self._furniture = furniture

    def at(self, place: int) -> dict[str, str]:
        """Return section, subsection and kind of furniture at a place; each empty where there is none."""
        sections = [kind for start, end, kind in self._sections if start <= place < end]
        is_subpart = any(start <= place < end for start, end in self._subparts)
        index = int(np.searchsorted(self._furniture.starts, place, side="right")) - 1
        is_mark = index >= 0 and place < self._furniture.ends[index]
        return {
            "section": sections[-1] if sections else "",
            "subsection": SUBPART if is_subpart else "",
            "furniture": self._furniture.kinds[index] if is_mark else "",
        }
