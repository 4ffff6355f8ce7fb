"""How long parts of a report are: the denominators of indices that count in a section only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nlp.clean import CleanText, tables, to_codes, within


@dataclass(frozen=True)
class Lengths:
    """Chinese characters, tokens with a Chinese character, and sentences of a part of a report."""

    chinese_characters: int
    tokens: int
    sentences: int


def count_lengths(
    text: CleanText,
    token_starts: npt.NDArray[np.int64],
    spans: Sequence[tuple[int, int]],
    left_out: Sequence[tuple[int, int]] = (),
) -> list[Lengths]:
    """Count the lengths of some spans, in the body of the text alone.

    Running headers, footers and page numbers, which the cleaned text holds behind its body, belong to no span.

    Parameters
    ----------
    text : CleanText
        The document.
    token_starts : array of int64
        Places in the cleaned text where tokens with a Chinese character begin.
    spans : sequence of (int, int)
        Start and end in the pages joined by one character.
    left_out : sequence of (int, int)
        Stretches of the same that do not count: contents, glossary; in order and disjoint.

    Returns
    -------
    list of Lengths
        One a span. A sentence counts in each span that it reaches into.
    """
    places = text.raw_positions[: text.body_length]
    counts = ~within(places, left_out)
    codes = np.minimum(to_codes(text.folded[: text.body_length]), 0xFFFF)
    characters = _before(tables().is_chinese[codes] & counts)
    begins = np.zeros(places.size, dtype=bool)
    begins[token_starts[token_starts < places.size]] = True
    tokens = _before(begins & counts)
    visible = _before(counts)
    found = []
    for start, end in spans:
        low, high = (int(place) for place in np.searchsorted(places, (start, end)))
        sentences = _count_sentences(text, visible, low, high)
        found.append(Lengths(int(characters[high] - characters[low]), int(tokens[high] - tokens[low]), sentences))
    return found


def _before(flags: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Return how many flags are set before each place, one place more than there are flags."""
    return np.concatenate(([0], np.cumsum(flags))).astype(np.int64)


def _count_sentences(text: CleanText, visible: npt.NDArray[np.int64], low: int, high: int) -> int:
    """Count the sentences with Chinese text of which a character that counts lies between two cleaned places."""
    if low >= high:
        return 0
    first = int(np.searchsorted(text.sentence_ends, low, side="right"))
    last = int(np.searchsorted(text.sentence_ends, high - 1, side="right"))
    ends = np.minimum(text.sentence_ends[first : last + 1], high)
    starts = np.concatenate(([low], ends[:-1]))
    has_text = visible[ends] > visible[starts]
    return int(np.count_nonzero(has_text & (text.sentence_numbers[first : last + 1] > 0)))
