"""Put recognised lines of a page into the order in which a reader reads them.

Lines stand in pixels of the picture, y downwards. Boxes side by side make a row, as the cells of a table do; two
columns of running text are read one after the other, as far as nothing crosses the gap between them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from statistics import median

# Two boxes share a row when their middles differ by less than this share of the lower one's height.
SAME_ROW = 0.5
# A gutter between columns of text: where it may be, how full of text both sides are, and how many lines they hold.
GUTTER_FROM, GUTTER_TO = 0.3, 0.7
GUTTER_STEPS = 40
FEWEST_LINES_IN_COLUMN = 6
FILLED_COLUMN = 0.7
MOST_CROSSING_SHARE = 0.35
# Below this ratio of length to height the direction of a box says nothing of the tilt of the page.
LONG_LINE = 5.0


@dataclass(frozen=True)
class Line:
    """One recognised line, or one cell of a table.

    Parameters
    ----------
    text : str
        What was recognised.
    confidence : float
        Mean confidence of its characters, between 0 and 1.
    left, top, right, bottom : float
        Its box in pixels.
    slope : float
        How much its upper edge falls to the right, in pixels a pixel.
    """

    text: str
    confidence: float
    left: float
    top: float
    right: float
    bottom: float
    slope: float = 0.0

    @property
    def width(self) -> float:
        """Width in pixels."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Height in pixels."""
        return self.bottom - self.top

    @property
    def middle(self) -> float:
        """Where the line stands, in pixels from above."""
        return (self.top + self.bottom) / 2


def page_text(lines: Sequence[Line]) -> str:
    """Return the text of a page, a row of boxes a line, cells parted by a blank.

    Parameters
    ----------
    lines : sequence of Line
        In any order.

    Returns
    -------
    str
        Rows from top to bottom, or the left column before the right one where a page has two; empty without lines.
    """
    straight = _untilted(lines)
    return "\n".join(" ".join(line.text for line in row) for row in _ordered_rows(straight))


def _untilted(lines: Sequence[Line]) -> list[Line]:
    """Turn the boxes of a page that lies askew in the scanner, by the tilt of its long lines."""
    slopes = [line.slope for line in lines if line.width > LONG_LINE * line.height]
    if not slopes:
        return list(lines)
    slope = median(slopes)
    untilted = []
    for line in lines:
        shift = slope * (line.left + line.right) / 2
        # The box of a tilted line is higher than the line by what the line falls along its length.
        spare = min(abs(slope) * line.width, line.height / 2) / 2
        untilted.append(replace(line, top=line.top - shift + spare, bottom=line.bottom - shift - spare))
    return untilted


def _rows(lines: Iterable[Line]) -> list[list[Line]]:
    """Group boxes into rows, each from left to right."""
    rows: list[list[Line]] = []
    for line in sorted(lines, key=lambda line: (line.middle, line.left)):
        for row in rows[-2:]:
            middle, height = sum(each.middle for each in row) / len(row), min(each.height for each in row)
            if abs(line.middle - middle) < SAME_ROW * min(height, line.height):
                row.append(line)
                break
        else:
            rows.append([line])
    return [sorted(row, key=lambda line: line.left) for row in rows]


def _ordered_rows(lines: Sequence[Line]) -> list[list[Line]]:
    rows = _rows(lines)
    gutter = _gutter(lines)
    if gutter is None:
        return rows
    ordered: list[list[Line]] = []
    for is_crossing, band in groupby(rows, key=lambda row: any(_crosses(line, gutter) for line in row)):
        if is_crossing:
            ordered += band
            continue
        band_lines = [line for row in band for line in row]
        ordered += _rows(line for line in band_lines if line.right <= gutter)
        ordered += _rows(line for line in band_lines if line.left >= gutter)
    return ordered


def _crosses(line: Line, x: float) -> bool:
    return line.left < x < line.right


def _gutter(lines: Sequence[Line]) -> float | None:
    """Return where two columns of running text part, or None; the cells of a table do not fill their columns."""
    if len(lines) < 2 * FEWEST_LINES_IN_COLUMN:
        return None
    left, right = min(line.left for line in lines), max(line.right for line in lines)
    step = (right - left) * (GUTTER_TO - GUTTER_FROM) / GUTTER_STEPS
    places = [left + (right - left) * GUTTER_FROM + step * number for number in range(GUTTER_STEPS + 1)]
    crossing = {place: sum(_crosses(line, place) for line in lines) for place in places}
    fewest = min(crossing.values())
    clear = [place for place in places if crossing[place] == fewest]
    gutter = clear[len(clear) // 2]
    if fewest > MOST_CROSSING_SHARE * len(lines):
        return None
    sides = (
        (left, gutter, [line for line in lines if line.right <= gutter]),
        (gutter, right, [line for line in lines if line.left >= gutter]),
    )
    for start, end, side in sides:
        if len(side) < FEWEST_LINES_IN_COLUMN:
            return None
        if math.fsum(line.width for line in side) / len(side) < FILLED_COLUMN * (end - start):
            return None
    return gutter
