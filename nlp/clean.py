"""A copy of a report's text to match on, and the way back from it to the raw page.

The cleaned copy has no white space inside Chinese text, so that words broken across lines and pages are
whole again; between two Latin letters or digits one blank is kept. Running headers, footers and page numbers stand
behind the rest, out of the way of a word that goes on on the next page. Letters printed twice to look bold count
once. Every character of it knows its place in the raw text. All of it is array work: a report of 200,000
characters takes a few milliseconds.
"""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from nlp.folding import PRIVATE_USE, RADICALS, simplified
from nlp.options import Script

CLEAN_VERSION = "2"
SENTENCE_ENDS = "。！？；!?;"
CLOSING_MARKS = "”’」』）)】》"
HYPHEN_MARKS = "\x02\xad\ufffe"
# A line that ends before this share of the usual line width ends a heading, a table row or a paragraph.
FULL_LINE_SHARE = 0.85
USUAL_WIDTH_PERCENTILE = 90
SENTENCE_WINDOW = 200
# Radicals printed for ideographs, compatibility ideographs, full-width forms of ASCII.
FOLDED_RANGES = ((0x2E80, 0x2FE0), (0xF900, 0xFB00), (0xFF01, 0xFF5F))
# A line is taken as printed twice from so many pairs on, of so many different Chinese characters.
DOUBLED_PAIRS, DOUBLED_CHARACTERS = 4, 3

Codes = npt.NDArray[np.uint32]
Positions = npt.NDArray[np.int64]
Properties = npt.NDArray[np.uint16]
Mask = npt.NDArray[np.bool_]
# Start and end of stretches, in order and disjoint.
Spans = Sequence[tuple[int, int]] | Positions


# What a character is, one bit a property, so that one look-up tells them all.
SPACE, HYPHEN, LATIN, CHINESE, UNMAPPED, END, CLOSING, WIDE, FOLDED_CHINESE, LINE_BREAK = (
    np.uint16(1 << bit) for bit in range(10)
)


@dataclass(frozen=True)
class Tables:
    """Lookup tables over the 65,536 characters of the basic plane; ``properties`` holds all that is not ``fold``."""

    is_space: npt.NDArray[np.bool_]
    is_chinese: npt.NDArray[np.bool_]
    properties: Properties
    fold: Codes
    width: npt.NDArray[np.int64]


def tables(script: Script = "as_printed") -> Tables:
    """Return the lookup tables, built once a process.

    ``fold`` maps a character to the one it is matched as: full-width forms to half-width, Kangxi radicals,
    compatibility ideographs and the private-use characters of old GBK fonts to the usual character, capitals to
    small letters. Only mappings of one character to one character are taken, so that positions never shift.

    Parameters
    ----------
    script : {'as_printed', 'simplified'}
        Whether ``fold`` also takes traditional characters to simplified ones (OpenCC's table of characters).
    """
    return _tables(script)


@lru_cache(maxsize=2)
def _tables(script: Script) -> Tables:
    size = 0x10000
    is_space = np.zeros(size, dtype=bool)
    is_latin = np.zeros(size, dtype=bool)
    fold = np.arange(size, dtype=np.uint32)
    width = np.ones(size, dtype=np.int64)
    for code in range(size):
        character = chr(code)
        category = unicodedata.category(character)
        is_space[code] = character.isspace() or category in ("Cc", "Cf") or character in HYPHEN_MARKS
        if unicodedata.east_asian_width(character) in "WF":
            width[code] = 2
        normal = unicodedata.normalize("NFKC", character)
        if len(normal) == 1 and ord(normal) < size and any(low <= code < high for low, high in FOLDED_RANGES):
            fold[code] = ord(normal)
        fold[code] = PRIVATE_USE.get(code, ord(RADICALS.get(character, chr(fold[code]))))
        small = chr(fold[code]).lower()
        if len(small) == 1 and ord(small) < size:
            fold[code] = ord(small)
        if fold[code] < 0x80:
            is_latin[code] = chr(fold[code]).isalnum()
        elif 0xC0 <= code < 0x250 and category[0] == "L":
            is_latin[code] = True
    is_chinese = np.zeros(size, dtype=bool)
    is_chinese[0x3400:0x4DC0] = True
    is_chinese[0x4E00:0xA000] = True
    is_unmapped = (fold >= 0xE000) & (fold < 0xF900)
    is_unmapped[0xFFFD] = True
    if script == "simplified":
        chinese = np.flatnonzero(is_chinese[np.minimum(fold, 0xFFFF)])
        fold[chinese] = to_codes(simplified(to_text(fold[chinese])))
    is_hyphen, is_end, is_closing = (_members(marks) for marks in (HYPHEN_MARKS, SENTENCE_ENDS, CLOSING_MARKS))
    is_folded_chinese = is_chinese[np.minimum(fold, 0xFFFF)]
    is_line_break = _members("\n\f")
    properties = np.zeros(size, dtype=np.uint16)
    for bit, members in (
        *((SPACE, is_space), (HYPHEN, is_hyphen), (LATIN, is_latin), (CHINESE, is_chinese), (UNMAPPED, is_unmapped)),
        *((END, is_end), (CLOSING, is_closing), (WIDE, width == 2), (FOLDED_CHINESE, is_folded_chinese)),
        (LINE_BREAK, is_line_break),
    ):
        properties[members] |= bit
    return Tables(is_space, is_chinese, properties, fold, width)


def _members(characters: str) -> npt.NDArray[np.bool_]:
    """Return a table that is true for the given characters."""
    table = np.zeros(0x10000, dtype=bool)
    table[[ord(character) for character in characters]] = True
    return table


def to_codes(text: str) -> Codes:
    """Return the code points of a text, one number a character."""
    order = "utf-32-le" if sys.byteorder == "little" else "utf-32-be"
    return np.frombuffer(text.encode(order, "surrogatepass"), dtype=np.uint32)


def to_text(codes: Codes) -> str:
    """Return the text of code points; the inverse of :func:`to_codes`."""
    order = "utf-32-le" if sys.byteorder == "little" else "utf-32-be"
    return np.ascontiguousarray(codes, dtype=np.uint32).tobytes().decode(order, "surrogatepass")


@dataclass(frozen=True)
class CleanText:
    """The cleaned copy of one document.

    Parameters
    ----------
    display : str
        Cleaned text as it reads, for quoting.
    folded : str
        Cleaned text as it is matched, character by character parallel to ``display``.
    raw_positions : array of int64
        Place of each cleaned character in the pages joined by one form feed.
    page_starts : array of int64
        Place where each page begins in the same joined text.
    sentence_ends : array of int64
        Ends (exclusive) of the sentences in the cleaned text, ascending; the last is its length.
    sentence_numbers : array of int64
        Number of each sentence among those with a Chinese character, from 1; 0 for one without.
    chinese_characters : int
        Characters in the CJK Unified Ideographs blocks.
    sentences : int
        Sentences with at least one Chinese character.
    body_length : int
        Where the running headers, footers and page numbers begin that were moved behind the rest.
    unmapped_characters : int
        Private-use and replacement characters, which no term can match.
    """

    display: str
    folded: str
    raw_positions: Positions
    page_starts: Positions
    sentence_ends: Positions
    sentence_numbers: Positions
    chinese_characters: int
    sentences: int
    body_length: int
    unmapped_characters: int

    def locate(self, position: int) -> tuple[int, int]:
        """Return page (from 1) and offset in the raw page of a cleaned character."""
        raw = int(self.raw_positions[position])
        page = int(np.searchsorted(self.page_starts, raw, side="right"))
        return page, raw - int(self.page_starts[page - 1])

    def sentence_of(self, start: int, end: int) -> tuple[int, int, int]:
        """Return number (0: without Chinese), start and end of the sentence around a span of the cleaned text.

        A span that crosses an end belongs to the sentence it begins in, and the quoted text goes on to the end
        of the sentence it ends in. A quote reaches at most 200 characters to each side of the span.
        """
        first = int(np.searchsorted(self.sentence_ends, start, side="right"))
        last = int(np.searchsorted(self.sentence_ends, end - 1, side="right"))
        first_character = int(self.sentence_ends[first - 1]) if first else 0
        last_character = int(self.sentence_ends[last])
        return (
            int(self.sentence_numbers[first]),
            max(first_character, start - SENTENCE_WINDOW),
            min(last_character, end + SENTENCE_WINDOW),
        )

    def is_whole_word(self, start: int, end: int) -> bool:
        """Tell whether a span does not cut a Latin word or number in two, at either side."""
        text = self.folded
        cuts_left = start > 0 and _is_latin(text[start]) and _is_latin(text[start - 1])
        cuts_right = end < len(text) and _is_latin(text[end - 1]) and _is_latin(text[end])
        return not (cuts_left or cuts_right)


def _is_latin(character: str) -> bool:
    return bool(tables().properties[min(ord(character), 0xFFFF)] & LATIN)


def _basic(codes: Codes) -> Codes:
    """Clip code points to the basic plane, where the lookup tables end."""
    return np.minimum(codes, 0xFFFF)


@dataclass(frozen=True)
class _Stream:
    """Raw places of some characters in reading order, which of them stand for a blank, and ends of sentences."""

    positions: Positions
    blanks: Positions
    ends: Positions


def clean(pages: Sequence[str], edges: Spans = (), script: Script = "as_printed") -> CleanText:
    """Clean the pages of one document for matching.

    Parameters
    ----------
    pages : sequence of str
        Raw text of each page, in order.
    edges : sequence of (int, int)
        Running headers, footers and page numbers: start and end in the pages joined by one character, in order.
        Each is a sentence or more of its own behind the rest of the text.
    script : {'as_printed', 'simplified'}
        Whether traditional characters are matched as simplified ones.

    Returns
    -------
    CleanText
        The cleaned text with the way back to the raw pages.
    """
    table = tables(script)
    raw = to_codes("\f".join(pages))
    lengths = np.fromiter((len(page) + 1 for page in pages), dtype=np.int64, count=len(pages))
    page_starts = np.concatenate(([0], np.cumsum(lengths)[:-1])).astype(np.int64)
    basic = _basic(raw)
    properties = table.properties.take(basic.astype(np.intp))
    newlines, hyphens = (np.flatnonzero((properties & bit) != 0) for bit in (LINE_BREAK, HYPHEN))
    visible = (properties & SPACE) == 0
    _drop_doubles(basic, properties, visible, newlines)
    is_edge = _inside(visible.size, edges)
    body = _stream(properties, visible & ~is_edge, newlines, hyphens, every_line=False)
    moved = _stream(properties, visible & is_edge, newlines, hyphens, every_line=True)
    body_length = body.positions.size
    streams = [(start, stream) for start, stream in ((0, body), (body_length, moved)) if stream.positions.size]
    positions = np.concatenate((body.positions, moved.positions))
    blanks = np.concatenate((body.blanks, body_length + moved.blanks))
    ends = np.concatenate([start + stream.ends for start, stream in streams] or [body.ends])
    display, kept = raw.take(positions), properties.take(positions)
    folded = table.fold.take(_basic(display).astype(np.intp))
    beyond = np.flatnonzero(display > 0xFFFF)
    folded[beyond] = display[beyond]
    folded[blanks] = display[blanks] = ord(" ")
    is_chinese = (kept & FOLDED_CHINESE) != 0
    is_chinese[blanks] = False
    chinese_before = np.concatenate(([0], np.cumsum(is_chinese, dtype=np.int32)))
    in_sentence = np.diff(chinese_before[np.concatenate(([0], ends))])
    has_chinese = in_sentence > 0
    return CleanText(
        display=to_text(display),
        folded=to_text(folded),
        raw_positions=positions,
        page_starts=page_starts,
        sentence_ends=ends,
        sentence_numbers=np.where(has_chinese, np.cumsum(has_chinese), 0),
        chinese_characters=int(chinese_before[-1]),
        sentences=int(np.count_nonzero(has_chinese)),
        body_length=body_length,
        unmapped_characters=int(np.count_nonzero((kept & UNMAPPED) != 0)),
    )


def within(places: Positions, spans: Spans) -> Mask:
    """Return which places, in ascending order, lie in one of the spans, which are in order and disjoint."""
    bounds = np.searchsorted(places, np.asarray(spans, dtype=np.int64).ravel())
    lengths = np.diff(np.concatenate(([0], bounds, [places.size])))
    return np.repeat(np.arange(lengths.size) % 2 == 1, lengths)


def _inside(size: int, spans: Spans) -> Mask:
    """Return which of the places 0 to ``size`` - 1 lie in one of the spans."""
    bounds = np.minimum(np.asarray(spans, dtype=np.int64).ravel(), size)
    lengths = np.diff(np.concatenate(([0], bounds, [size])))
    return np.repeat(np.arange(lengths.size) % 2 == 1, lengths)


def _drop_doubles(basic: Codes, properties: Properties, visible: Mask, newlines: Positions) -> None:
    """Take the second of each pair out of ``visible`` on lines whose characters are all printed twice to look bold."""
    places = np.flatnonzero(visible)
    codes = basic[places]
    pairs = np.flatnonzero(codes[1:] == codes[:-1])
    chinese_pairs = pairs[(properties[places[pairs]] & CHINESE) != 0]
    if chinese_pairs.size < DOUBLED_CHARACTERS:
        return
    lines = np.searchsorted(newlines, places[chinese_pairs + 1], side="right")
    for line in np.flatnonzero(np.bincount(lines) >= DOUBLED_CHARACTERS).tolist():
        start, end = np.searchsorted(places, (newlines[line - 1] if line else 0, _line_end(newlines, line, basic.size)))
        span = codes[start:end]
        is_doubled = span.size % 2 == 0 and span.size >= 2 * DOUBLED_PAIRS and bool((span[::2] == span[1::2]).all())
        if is_doubled and np.unique(span[tables().is_chinese[span]]).size >= DOUBLED_CHARACTERS:
            visible[places[start + 1 : end : 2]] = False


def _line_end(newlines: Positions, line: int, size: int) -> int:
    return int(newlines[line]) if line < newlines.size else size


def _stream(
    properties: Properties, visible: Mask, newlines: Positions, hyphens: Positions, *, every_line: bool
) -> _Stream:
    """Return what is kept of some visible characters; with ``every_line`` each line is a sentence or more."""
    places = np.flatnonzero(visible)
    positions, blanks = _with_blanks(properties, places, hyphens)
    shown = properties.take(positions)
    shown[blanks] = 0
    is_end = _after_marks(shown)
    if every_line:
        on_lines = np.bincount(np.searchsorted(newlines, places), minlength=newlines.size)[: newlines.size]
        lines = np.flatnonzero(on_lines)
    else:
        lines = _short_lines(properties, visible, newlines)
    is_end[np.searchsorted(positions, newlines[lines])] = True
    is_end[positions.size] = True
    is_end[0] = not positions.size
    return _Stream(positions, blanks, np.flatnonzero(is_end))


def _with_blanks(properties: Properties, places: Positions, hyphens: Positions) -> tuple[Positions, Positions]:
    """Return the raw places to keep, visible characters and one blank between Latin words, and which are blanks."""
    gaps = np.flatnonzero(np.diff(places) > 1)
    keep = gaps[(properties[places[gaps]] & properties[places[gaps + 1]] & LATIN) != 0]
    if hyphens.size:
        keep = keep[np.searchsorted(hyphens, places[keep + 1]) == np.searchsorted(hyphens, places[keep])]
    return np.insert(places, keep + 1, places[keep] + 1), keep + 1 + np.arange(keep.size)


def _after_marks(shown: Properties) -> Mask:
    """Return of each place in the cleaned text, and its end, whether a sentence ends before it by an end mark."""
    after_mark = np.flatnonzero((shown & END) != 0) + 1
    for _ in range(2):
        inside = after_mark < shown.size
        step = np.zeros(after_mark.size, dtype=np.int64)
        step[inside] = (shown[after_mark[inside]] & CLOSING) != 0
        after_mark = after_mark + step
    is_end = np.zeros(shown.size + 1, dtype=bool)
    is_end[after_mark] = True
    return is_end


def _short_lines(properties: Properties, visible: Mask, newlines: Positions) -> Positions:
    """Return the lines that stop short of the usual width: they end a heading, a table row or a paragraph."""
    widths = visible.view(np.uint8) + (visible & ((properties & WIDE) != 0)).view(np.uint8)
    line_widths = np.diff(np.cumsum(widths, dtype=np.int32)[newlines], prepend=np.int32(0))
    filled = line_widths > 0
    if not filled.any():
        return np.zeros(0, dtype=np.int64)
    usual = np.percentile(line_widths[filled], USUAL_WIDTH_PERCENTILE)
    return np.flatnonzero(filled & (line_widths < FULL_LINE_SHARE * usual))
