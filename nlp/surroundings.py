"""How often a term stands by itself in real text, and how often it is a part of a longer word."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import ahocorasick_rs

from nlp.dictionary import Dictionary, fold_term
from nlp.dictionary_checks import Finding, is_whole_word
from nlp.options import Segmenter
from nlp.segment import build_cutter

# A term of so few characters is warned of from so many hits and such a share of them in longer words on.
SHORT, FEWEST_HITS, LONGER_SHARE = 3, 5, 0.2
SHOWN_WORDS = 5
# Characters on each side of an occurrence that are cut with it.
WINDOW = 12


@dataclass(frozen=True)
class Surroundings:
    """How often a term stands by itself in real text.

    Parameters
    ----------
    term : str
        The term as printed.
    hits : int
        Occurrences.
    in_longer_word : int
        Those that lie inside a longer word of the segmenter, or across the border of two words.
    words : tuple of (str, int)
        The most frequent such words, or pairs of words joined by ``|``, and how often each.
    """

    term: str
    hits: int
    in_longer_word: int
    words: tuple[tuple[str, int], ...]

    @property
    def share(self) -> float:
        """Share of the hits in longer words; 0 without a hit."""
        return self.in_longer_word / self.hits if self.hits else 0.0


def surroundings(dictionary: Dictionary, texts: Iterable[str], segmenter: Segmenter = "rjieba") -> list[Surroundings]:
    """Count for each term how many of its occurrences belong to a longer word.

    The stock dictionary of the segmenter cuts the sentence around each occurrence, with no term added; the
    occurrence stands by itself where the cut begins and ends with it.

    Parameters
    ----------
    dictionary : Dictionary
        The list.
    texts : iterable of str
        Folded texts, one a document.
    segmenter : {'rjieba', 'jieba'}
        Who cuts.

    Returns
    -------
    list of Surroundings
        One a term, in the order of the list.
    """
    folded = [fold_term(term) for term in dictionary.terms]
    automaton = ahocorasick_rs.AhoCorasick(folded, matchkind=ahocorasick_rs.MatchKind.Standard)
    cut = build_cutter(segmenter)
    hits = [0] * len(folded)
    words: list[Counter[str]] = [Counter() for _ in folded]
    for text in texts:
        for index, start, end in automaton.find_matches_as_indexes(text, overlapping=True):
            if not is_whole_word(text, start, end):
                continue
            hits[index] += 1
            if (
                word := _longer_word(cut(text[max(0, start - 12) : end + 12]), min(start, 12), end - start)
            ) is not None:
                words[index][word] += 1
    return [
        Surroundings(
            term,
            hits[index],
            sum(words[index].values()),
            tuple(sorted(words[index].items(), key=_by_number)[:SHOWN_WORDS]),
        )
        for index, term in enumerate(dictionary.terms)
    ]


def _by_number(entry: tuple[str, int]) -> tuple[int, str]:
    return -entry[1], entry[0]


def _longer_word(tokens: Sequence[str], start: int, length: int) -> str | None:
    """Return the tokens that an occurrence shares with its neighbours; None where it begins and ends with tokens."""
    position, first = 0, 0
    touched: list[str] = []
    for token in tokens:
        if position < start + length and position + len(token) > start:
            first = first if touched else position
            touched.append(token)
        position += len(token)
    if first == start and sum(map(len, touched)) == length:
        return None
    return "|".join(touched)


def warn_of_surroundings(dictionary: Dictionary, found: Iterable[Surroundings]) -> Iterator[Finding]:
    """Yield a warning for each short term of which many occurrences belong to longer words.

    Longer terms are spared: a segmenter takes 绿色建筑行业 for one word, and 绿色建筑 inside it is what was meant.

    Parameters
    ----------
    dictionary : Dictionary
        The list.
    found : iterable of Surroundings
        As :func:`surroundings` returns them.

    Yields
    ------
    Finding
        For terms of at most 3 characters, where at least 5 hits were found and 20 % of them lie in longer words.
    """
    for each in found:
        if len(each.term) <= SHORT and each.hits >= FEWEST_HITS and each.share >= LONGER_SHARE:
            words = ", ".join(f"{word} {number}" for word, number in each.words)
            share = f"{each.in_longer_word} of {each.hits} hits ({each.share:.0%})"
            message = f"{each.term}: {share} lie in longer words: {words}"
            yield Finding("in_longer_word", dictionary.name, each.term, message)
