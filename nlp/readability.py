"""Whether extracted text can be read: page by page from its characters, then for the whole document."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt

from nlp.clean import Codes, tables, to_codes

Status = Literal["ok", "scanned", "garbled", "encrypted", "not_a_pdf", "empty", "timeout", "failed"]
PageStatus = Literal["text", "blank", "scanned", "garbled"]

# Over 3,000 pages of 26 real reports at most 3.2 % of a page's characters are unmapped; in a file with a wrong
# ToUnicode table 11 to 17 % are.
GARBLED_SHARE = 0.05
SMALLEST_PAGE_TO_JUDGE = 50
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


@lru_cache(maxsize=1)
def _unmapped_table() -> npt.NDArray[np.bool_]:
    table = np.zeros(0x10000, dtype=bool)
    for code in range(0x10000):
        category = unicodedata.category(chr(code))
        is_expected = any(low <= code < high for low, high in EXPECTED_RANGES)
        table[code] = category in ("Co", "Cn", "Cs") or (category[0] in "LM" and not is_expected)
    table[0xFFFD] = True
    return table


def unmapped_share(text: str) -> float:
    """Return the share of visible characters that no report would print.

    Private-use, unassigned and replacement characters, letters of foreign alphabets, and pdfminer's
    ``(cid:n)`` marks are counted; they come from fonts without a usable character map.

    Parameters
    ----------
    text : str
        Text of one page.

    Returns
    -------
    float
        Between 0 and 1; 0 for an empty page.
    """
    return _unmapped_share(text, _visible(text))


def _unmapped_share(text: str, visible: Codes) -> float:
    if not visible.size:
        return 0.0
    return min(1.0, (int(_unmapped_table()[visible].sum()) + 7 * text.count("(cid:")) / visible.size)


def _visible(text: str) -> Codes:
    """Return the codes of the visible characters, clipped to the basic plane."""
    codes = np.minimum(to_codes(text), 0xFFFF)
    return codes[~tables().is_space[codes]]


def judge_text(text: str) -> PageStatus:
    """Return whether a page's text is ``text``, ``garbled`` or ``blank``, judged by its characters alone."""
    visible = _visible(text)
    if not visible.size:
        return "blank"
    if visible.size >= SMALLEST_PAGE_TO_JUDGE and _unmapped_share(text, visible) >= GARBLED_SHARE:
        return "garbled"
    return "text"


def judge_document(pages: Sequence[PageStatus]) -> tuple[Status, str]:
    """Return the status of a document and its reason from the states of its pages.

    Parameters
    ----------
    pages : sequence of {'text', 'blank', 'scanned', 'garbled'}
        State of each page.

    Returns
    -------
    status : str
        ``ok`` if at least half of the pages that hold anything hold readable text.
    reason : str
        Why not, in words; for an ``ok`` document a note on unreadable pages, or empty.
    """
    count = Counter(pages)
    filled = len(pages) - count["blank"]
    if not pages:
        return "empty", "the file has no pages"
    if not filled:
        return "empty", f"all {len(pages)} pages are blank: no text and no picture of a page"
    unreadable: dict[PageStatus, str] = {
        "scanned": "are scans: pictures without text, or with the unreliable text of a recognition program",
        "garbled": "are garbled: their characters map to no known letters (a font without a usable character map)",
    }
    worst: Literal["scanned", "garbled"] = "scanned" if count["scanned"] >= count["garbled"] else "garbled"
    if 2 * (count["scanned"] + count["garbled"]) > filled:
        return worst, f"{count[worst]} of {len(pages)} pages {unreadable[worst]}"
    notes = [f"{count[kind]} of {len(pages)} pages {text}" for kind, text in unreadable.items() if count[kind]]
    return "ok", "; ".join(notes)
