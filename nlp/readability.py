"""Whether extracted text can be read: page by page from its characters, then for the whole document."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt

from nlp.character_model import CharacterModel, is_garbled, load_model
from nlp.clean import Codes, tables, to_codes

Status = Literal["ok", "sparse", "scanned", "garbled", "encrypted", "not_a_pdf", "empty", "timeout", "failed"]
PageStatus = Literal["text", "sparse", "blank", "scanned", "garbled", "ocr"]
"""Status of a page.

``text`` can be read; ``sparse`` holds hardly any visible characters although much is drawn on it; ``blank`` holds
nothing, or a page number alone; ``scanned`` is a picture, with no text or the unreliable text of a recognition program;
``garbled`` holds characters that no readable report has; ``ocr`` was recognised from its picture.
"""

# In this order where two are equally frequent.
UNREADABLE: tuple[Literal["scanned", "garbled", "sparse"], ...] = ("scanned", "garbled", "sparse")
PAGE_NOTES: dict[PageStatus, str] = {
    "scanned": "are scans: pictures without text, or with the unreliable text of a recognition program",
    "garbled": "are garbled: their characters are none that a report would print (a font without a usable map)",
    "sparse": "hold hardly any text although pictures or lines are drawn on them",
    "ocr": "were recognised from their picture by OCR",
}

# On 5,700 pages of 40 real reports at most 3.2 % of the characters are unmapped; in a file with a wrong ToUnicode
# table 11 to 17 % are.
GARBLED_SHARE = 0.05
SMALLEST_PAGE_TO_JUDGE = 50
# The shortest covers of real reports have 19 visible characters, all others more.
FEW_CHARACTERS = 20
# Alphabets that annual reports use; letters of any other come from a wrong character map.
EXPECTED_RANGES = (
    (0x0000, 0x0250),
    (0x0370, 0x0530),
    (0x1E00, 0x2C00),
    (0x2E80, 0xA4D0),
    (0xAC00, 0xD7B0),
    (0xF900, 0xFB07),
    (0xFE30, 0x10000),
)
_EXPECTED, _UNMAPPED, _SPACE, _CONTROL = range(4)
# pdfminer's mark of a glyph without a character.
_CID_MARK = re.compile(r"\(cid:\d+\)")
# Controls that readable reports hold: hyphens at line ends (U+0002) and separators of old fonts (U+001F), which
# are white space, and U+0000, which PDFium puts for a character of no width.
_USUAL_CONTROLS = "\0\x01\x02\x83\x84"


@dataclass(frozen=True)
class Judgement:
    """What a text's characters say of it.

    Parameters
    ----------
    status : {'text', 'blank', 'garbled'}
        Whether it can be read.
    note : str
        Why it is garbled, or empty.
    visible : int
        Number of its visible characters.
    unmapped : float
        Share of its visible characters that no report would print; see :func:`unmapped_share`.
    """

    status: PageStatus
    note: str
    visible: int
    unmapped: float


@lru_cache(maxsize=1)
def _kinds_of_codes() -> npt.NDArray[np.uint8]:
    table = np.full(0x10000, _EXPECTED, dtype=np.uint8)
    fold = tables().fold
    for code in range(0x10000):
        meant = int(fold[code])
        category = unicodedata.category(chr(meant))
        is_expected = any(low <= meant < high for low, high in EXPECTED_RANGES)
        if category in ("Co", "Cn", "Cs") or (category[0] in "LM" and not is_expected):
            table[code] = _UNMAPPED
    table[0xFFFD] = _UNMAPPED
    table[tables().is_space] = _SPACE
    for code in (*range(0x20), *range(0x7F, 0xA0)):
        if not chr(code).isspace() and chr(code) not in _USUAL_CONTROLS:
            table[code] = _CONTROL
    return table


def basic_plane(text: str) -> Codes:
    """Return the code points of a text, those outside the basic plane as U+FFFF."""
    codes: Codes = np.minimum(to_codes(text), 0xFFFF)
    return codes


def unmapped_share(text: str) -> float:
    """Return the share of visible characters that no report would print.

    Private-use, unassigned and replacement characters, control characters, letters of foreign alphabets, and
    pdfminer's ``(cid:n)`` marks are counted; they come from fonts without a usable character map.

    Parameters
    ----------
    text : str
        Text of one page.

    Returns
    -------
    float
        Between 0 and 1; 0 for an empty page.
    """
    return _count(text, basic_plane(text))[1]


def _count(text: str, codes: Codes) -> tuple[int, float]:
    """Return the number of visible characters and the share of unmapped ones; a ``(cid:n)`` mark is one character."""
    counts = np.bincount(_kinds_of_codes()[codes], minlength=4)
    visible = int(codes.size - counts[_SPACE])
    if not visible:
        return 0, 0.0
    unmapped = int(counts[_UNMAPPED] + counts[_CONTROL])
    if "(cid:" in text:
        marks = _CID_MARK.findall(text)
        return visible, (unmapped + len(marks)) / (visible - sum(map(len, marks)) + len(marks))
    return visible, unmapped / visible


def judge(text: str, model: CharacterModel | None = None) -> Judgement:
    """Judge a page by its characters alone.

    A page is garbled if many of its characters are unmapped, or if a model of the characters of readable reports
    finds them, or their order, more surprising than any readable page. A page of few characters without a letter
    among them, such as a page number, is blank.

    Parameters
    ----------
    text : str
        Text of the page as extracted.
    model : CharacterModel, optional
        The packaged model unless given.

    Returns
    -------
    Judgement
        Its status is ``text``, ``blank`` or ``garbled``.
    """
    codes = basic_plane(text)
    visible, unmapped = _count(text, codes)
    if visible < FEW_CHARACTERS and not any(character.isalpha() for character in text):
        return Judgement("blank", "", visible, unmapped)
    if visible < SMALLEST_PAGE_TO_JUDGE:
        return Judgement("text", "", visible, unmapped)
    if unmapped >= GARBLED_SHARE:
        note = f"garbled: {unmapped:.0%} of its {visible} visible characters are none that a report would print"
        return Judgement("garbled", note, visible, unmapped)
    garbled, reason = is_garbled(codes, model or load_model())
    return Judgement("garbled" if garbled else "text", f"garbled: {reason}" if garbled else "", visible, unmapped)


def judge_text(text: str, model: CharacterModel | None = None) -> PageStatus:
    """Return whether a page's text is ``text``, ``garbled`` or ``blank``; see :func:`judge`."""
    return judge(text, model).status


def judge_document(pages: Sequence[PageStatus]) -> tuple[Status, str]:
    """Return the status of a document and its reason from the states of its pages.

    Parameters
    ----------
    pages : sequence of {'text', 'sparse', 'blank', 'scanned', 'garbled', 'ocr'}
        State of each page.

    Returns
    -------
    status : str
        ``ok`` if at least half of the pages that hold anything hold readable text, their own or recognised; so an
        all but empty page between two sections does no harm. Otherwise what most of the others are.
    reason : str
        Why not, in words; for an ``ok`` document a note on unreadable and recognised pages, or empty.
    """
    count = Counter(pages)
    filled = len(pages) - count["blank"]
    if not pages:
        return "empty", "the file has no pages"
    if not filled:
        return "empty", f"all {len(pages)} pages are blank: no text but page numbers and no picture of a page"
    notes = {kind: f"{count[kind]} of {len(pages)} pages {words}" for kind, words in PAGE_NOTES.items() if count[kind]}
    if 2 * (count["text"] + count["ocr"]) < filled:
        worst = max(UNREADABLE, key=lambda kind: count[kind])
        return worst, "; ".join([notes.pop(worst), *notes.values()])
    return "ok", "; ".join(words for kind, words in notes.items() if kind != "sparse")
