"""Pictures of pages and of their lines: drawn by PDFium, straightened, and cut where a line is too long."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pypdfium2

Picture = npt.NDArray[np.uint8]
Corners = npt.NDArray[np.float32]

# 150 dpi reads clean pages as well as 300 does; blurred and tilted small print wants 200.
DOTS_PER_INCH = 200
# Of the longer side, in pixels: pages that claim to be huge or tiny are brought to a size that can be read.
LARGEST_SIDE, SMALLEST_SIDE = 3400, 1600
# The recogniser breaks down on some lines of more than 40 times their height, and on no piece of 16.
LONGEST_PIECE = 16
# A box this much higher than wide holds characters below one another.
UPRIGHT_BOX = 2.5
# Pixels that differ from the paper by less are no ink; a blank of this share of the height parts Latin words.
INK_FROM = 40
WIDE_BLANK = 0.15


def render_page(document: pypdfium2.PdfDocument, number: int) -> Picture:
    """Draw a page, from 1, as an array of (height, width, 3) blue, green and red bytes."""
    page = document[number - 1]
    try:
        longer = max(page.get_size()) or 1.0
        scale = min(max(DOTS_PER_INCH / 72, SMALLEST_SIDE / longer), LARGEST_SIDE / longer)
        # The buffer belongs to PDFium and goes with the bitmap.
        return np.array(page.render(scale=scale).to_numpy()[:, :, :3])
    finally:
        page.close()


def box_sides(box: Corners) -> tuple[int, int]:
    """Return width and height of a box that may be tilted, in whole pixels."""
    width = max(np.linalg.norm(box[0] - box[1]), np.linalg.norm(box[3] - box[2]))
    height = max(np.linalg.norm(box[0] - box[3]), np.linalg.norm(box[1] - box[2]))
    return max(1, int(width)), max(1, int(height))


def is_sideways(boxes: Corners) -> bool:
    """Tell whether most of the length of the lines runs from top to bottom."""
    sides = [box_sides(box) for box in boxes]
    upright = sum(height for width, height in sides if height > UPRIGHT_BOX * width)
    return upright > sum(width for width, height in sides if height <= UPRIGHT_BOX * width)


def straightened(picture: Picture, box: Corners) -> Picture:
    """Return the picture of one box, with its upper left corner in the upper left."""
    import cv2

    width, height = box_sides(box)
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
    turn = cv2.getPerspectiveTransform(box, corners)
    line = cv2.warpPerspective(
        picture, turn, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    ).astype(np.uint8, copy=False)
    # Characters below one another are recognised on their side, as the model was trained.
    return np.ascontiguousarray(np.rot90(line)) if height >= UPRIGHT_BOX * width else line


def cut_line(line: Picture) -> list[tuple[Picture, bool]]:
    """Cut a long line in the widest blanks near equal parts; says of each piece whether it follows a wide blank."""
    height, width = line.shape[:2]
    count = -(-width // (LONGEST_PIECE * height))
    if count == 1:
        return [(line, False)]
    shade = line.min(axis=2).astype(np.int32)
    ink = np.maximum(0, np.abs(np.median(shade) - shade) - INK_FROM).sum(axis=0)
    pieces, start, is_after_blank = [], 0, False
    for number in range(1, count):
        first = number * width // count - 2 * height
        cut, blank = _widest_blank(ink[first : first + 4 * height])
        pieces.append((np.ascontiguousarray(line[:, start : first + cut]), is_after_blank))
        start, is_after_blank = first + cut, blank >= WIDE_BLANK * height
    return [*pieces, (np.ascontiguousarray(line[:, start:]), is_after_blank)]


def _widest_blank(ink: npt.NDArray[np.float64]) -> tuple[int, int]:
    """Return the middle of the longest run of columns with the least ink, and its length in pixels."""
    is_blank = np.concatenate(([False], ink <= ink.min(), [False]))
    edges = np.flatnonzero(is_blank[1:] != is_blank[:-1])
    starts, ends = edges[::2], edges[1::2]
    longest = int((ends - starts).argmax())
    return int(starts[longest] + ends[longest]) // 2, int(ends[longest] - starts[longest])
