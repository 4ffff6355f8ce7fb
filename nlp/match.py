"""Finding terms: three rules, each declared and stored, because the rule is part of the index."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby
from operator import itemgetter

import ahocorasick_rs

from nlp.clean import CleanText
from nlp.dictionary import Dictionary, fold_term
from nlp.options import Rule, Script, Segmenter
from nlp.segment import Cut, build_cutter

MATCH_VERSION = "2"
# Neither segmenter ever lets a token reach across these marks, so a stretch between them is cut as it would be
# in the whole text.
TOKEN_BARRIERS = re.compile(r"[\s，。、；：！？（）《》“”‘’【】…—,;:!?()\[\]\"'/|]")
# Terms are looked for in windows of so many characters.
WINDOW = 100_000

Span = tuple[int, int, int]


@dataclass(frozen=True)
class Match:
    """One occurrence of a term in a cleaned text.

    Parameters
    ----------
    start, end : int
        Span in the cleaned text, ``end`` exclusive.
    term : str
        Term as printed in the dictionary.
    dimension : str
        Its dimension.
    """

    start: int
    end: int
    term: str
    dimension: str


class Matcher:
    """Finds the terms of one dictionary under one rule.

    ``substring`` counts every occurrence of every term, nested ones too. ``longest`` reads from the left and at
    each place takes the longest term, so that a character belongs to at most one hit and a hit to one dimension.
    ``token`` counts the tokens of the segmenter, with the terms added to it, that equal a term. Under every rule
    a term that begins or ends with a Latin letter or digit must begin or end at a Latin word's boundary.

    Parameters
    ----------
    dictionary : Dictionary
        The terms.
    rule : {'longest', 'substring', 'token'}
        What counts as an occurrence.
    segmenter : {'rjieba', 'jieba'}
        Who cuts tokens; used by the rule ``token`` alone.
    script : {'as_printed', 'simplified'}
        How the texts are cleaned that it will search; the terms are folded alike.
    """

    def __init__(
        self,
        dictionary: Dictionary,
        rule: Rule,
        segmenter: Segmenter = "rjieba",
        script: Script = "as_printed",
    ) -> None:
        self.dictionary = dictionary
        self.rule: Rule = rule
        self._terms = dictionary.terms
        self._folded = [fold_term(term, script) for term in self._terms]
        self._dimensions = [dictionary.dimension_of[term] for term in self._terms]
        self._automaton = ahocorasick_rs.AhoCorasick(self._folded, matchkind=ahocorasick_rs.MatchKind.Standard)
        self._cut: Cut | None = build_cutter(segmenter, self._folded) if rule == "token" else None

    def find(self, text: CleanText) -> list[Match]:
        """Return the matches in a cleaned text, from left to right.

        Parameters
        ----------
        text : CleanText
            The document.

        Returns
        -------
        list of Match
            Ordered by start, then end.
        """
        return list(self.iterate(text))

    def iterate(self, text: CleanText) -> Iterator[Match]:
        """Give what :meth:`find` returns, one match after the other, so that a million of them take no memory."""
        candidates = self._candidates(text)
        if self.rule == "longest":
            candidates = _leftmost_longest(candidates)
        elif self._cut is not None:
            candidates = _whole_tokens(candidates, text.folded, self._cut)
        for start, end, index in candidates:
            yield Match(start, end, self._terms[index], self._dimensions[index])

    def _candidates(self, text: CleanText) -> Iterator[Span]:
        """Give every occurrence of every term in order; windows overlap by what the longest term needs."""
        reach = max(map(len, self._folded), default=1) - 1
        for left in range(0, len(text.folded), WINDOW):
            window = text.folded[left : left + WINDOW + reach]
            found = self._automaton.find_matches_as_indexes(window, overlapping=True)
            spans = sorted((left + start, left + end, index) for index, start, end in found if start < WINDOW)
            yield from (span for span in spans if text.is_whole_word(span[0], span[1]))


def _leftmost_longest(candidates: Iterator[Span]) -> Iterator[Span]:
    free_from = 0
    for start, spans in groupby(candidates, key=itemgetter(0)):
        if start >= free_from:
            longest = max(spans, key=lambda span: (span[1], -span[2]))
            yield longest
            free_from = longest[1]


def _whole_tokens(candidates: Iterator[Span], text: str, cut: Cut) -> Iterator[Span]:
    """Keep the candidates that are tokens; only stretches with a candidate are segmented."""
    tokens: set[tuple[int, int]] = set()
    segmented_to = 0
    for start, end, index in candidates:
        if start >= segmented_to:
            left, right = _stretch(text, start)
            tokens = set(_token_spans(cut(text[left:right]), left))
            segmented_to = right
        if (start, end) in tokens:
            yield start, end, index


def _stretch(text: str, position: int) -> tuple[int, int]:
    """Return the longest span around a position without a barrier inside."""
    window = 256
    left = max(0, position - window)
    while True:
        marks = list(TOKEN_BARRIERS.finditer(text, left, position))
        if marks or left == 0:
            break
        left = max(0, left - 8 * window)
    barrier = TOKEN_BARRIERS.search(text, position)
    return (marks[-1].end() if marks else 0), (barrier.start() if barrier else len(text))


def _token_spans(tokens: Sequence[str], offset: int) -> Iterator[tuple[int, int]]:
    ends = accumulate((len(token) for token in tokens), initial=offset)
    start = next(ends)
    for end in ends:
        yield start, end
        start = end
