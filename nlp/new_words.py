"""New words of a corpus: stretches of Chinese characters that hold together and stand in many surroundings.

Cohesion and branching entropy need no dictionary. A stretch is counted only where both of its shorter parts are
frequent, so that memory grows with the number of frequent stretches and not with the length of the corpus.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from nlp.clean import tables, to_codes, to_text

LONGEST = 6
CHUNK_CHARACTERS = 2_000_000
# Keys are merged when so many wait; eight bytes each, twice.
WAITING_KEYS = 4_000_000
# An odd number whose powers spread characters over 64 bits; two stretches share a key once in about 10^19.
MULTIPLIER = 0x9E3779B97F4A7C15
# Stretches never begin or end with these: they join words and belong to none.
JOINING = frozenset("的了和及与或是等将被把也而且但之其该并为在于从对向由就都又并以所")

Keys = npt.NDArray[np.uint64]
Counts = npt.NDArray[np.int64]
Codes = npt.NDArray[np.uint32]
Values = npt.NDArray[np.float64]


@dataclass
class Tally:
    """Counts by key, in sorted arrays; what comes in waits until it is worth merging."""

    keys: Keys = field(default_factory=lambda: np.zeros(0, dtype=np.uint64))
    counts: Counts = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    waiting: list[tuple[Keys, Counts]] = field(default_factory=list)
    waiting_keys: int = 0

    def add(self, keys: Keys) -> None:
        """Count keys, each as often as it stands there."""
        found, counts = np.unique(keys, return_counts=True)
        self.waiting.append((found, counts.astype(np.int64)))
        self.waiting_keys += found.size
        if self.waiting_keys > WAITING_KEYS:
            self.merge()

    def merge(self) -> None:
        """Take in what waits."""
        keys = np.concatenate([self.keys, *(each for each, _ in self.waiting)])
        counts = np.concatenate([self.counts, *(each for _, each in self.waiting)])
        self.keys, places = np.unique(keys, return_inverse=True)
        self.counts = np.bincount(places, weights=counts, minlength=self.keys.size).astype(np.int64)
        self.waiting, self.waiting_keys = [], 0

    def at_least(self, fewest: int) -> Tally:
        """Return the keys that were counted often enough."""
        self.merge()
        frequent = self.counts >= fewest
        return Tally(self.keys[frequent], self.counts[frequent])

    def of(self, keys: Keys) -> Counts:
        """Return the counts of keys; 0 for those never seen."""
        if not self.keys.size:
            return np.zeros(keys.shape, dtype=np.int64)
        places = np.minimum(np.searchsorted(self.keys, keys), self.keys.size - 1)
        return np.where(self.keys[places] == keys, self.counts[places], 0)


def new_words(texts: Iterable[str], *, min_count: int, min_cohesion: float, min_entropy: float) -> pd.DataFrame:
    """Find words of two to six Chinese characters by cohesion and branching entropy.

    Parameters
    ----------
    texts : iterable of str
        Folded texts, one a document. It is gone through several times and must give the same texts each time.
    min_count : int
        Fewest occurrences.
    min_cohesion : float
        Least cohesion, in nats.
    min_entropy : float
        Least branching entropy on the poorer side, in nats.

    Returns
    -------
    DataFrame
        ``term``, ``count``, ``cohesion``, ``left_entropy``, ``right_entropy``, in order of term.

    Notes
    -----
    Cohesion is the pointwise mutual information of the weakest split: the least of
    ``ln(N c(ab) / (c(a) c(b)))`` over the ways to cut a stretch in two, with N the number of Chinese characters.
    Branching entropy is the entropy of the character before or after, ``-sum p ln p``; see Z. Jin and
    K. Tanaka-Ishii (2006), Unsupervised segmentation of Chinese text by use of branching entropy, COLING/ACL.
    Marks count as characters; a stretch at the very end of a text has a neighbour of its own.
    """
    tallies, total = _count(texts, min_count)
    characters = _characters(texts, tallies)
    cohesive: dict[int, tuple[Keys, Codes]] = {}
    frames = []
    for length, rows in characters.items():
        cohesion = _cohesion(rows, tallies, total)
        kept = cohesion >= min_cohesion
        cohesive[length] = tallies[length].keys[kept], rows[kept]
        frames.append(
            pd.DataFrame(
                {
                    "term": [to_text(row) for row in rows[kept]],
                    "count": tallies[length].counts[kept],
                    "cohesion": cohesion[kept],
                }
            )
        )
    found = pd.concat([frame.join(each) for frame, each in zip(frames, _entropies(texts, cohesive), strict=True)])
    is_free = found[["left_entropy", "right_entropy"]].min(axis=1) >= min_entropy
    return found[is_free].sort_values("term", ignore_index=True)


def _chunks(texts: Iterable[str]) -> Iterator[Codes]:
    """Yield the texts as code points, many at a time, a line break between two."""
    waiting: list[str] = []
    size = 0
    for text in texts:
        waiting.append(text)
        size += len(text)
        if size >= CHUNK_CHARACTERS:
            yield to_codes("\n" + "\n".join(waiting) + "\n")
            waiting, size = [], 0
    if waiting:
        yield to_codes("\n" + "\n".join(waiting) + "\n")


def _keys(codes: Codes, length: int) -> Keys:
    """Return the key of the stretch of a length that begins at each place."""
    keys = np.zeros(max(codes.size - length + 1, 0), dtype=np.uint64)
    for offset in range(length):
        keys = keys * np.uint64(MULTIPLIER) + codes[offset : offset + keys.size].astype(np.uint64) + np.uint64(1)
    return keys


def _chinese(codes: Codes) -> npt.NDArray[np.bool_]:
    found: npt.NDArray[np.bool_] = tables().is_chinese[np.minimum(codes, 0xFFFF)]
    return found


def _is_in(keys: Keys, known: Keys) -> npt.NDArray[np.bool_]:
    if not known.size:
        return np.zeros(keys.shape, dtype=bool)
    found: npt.NDArray[np.bool_] = known[np.minimum(np.searchsorted(known, keys), known.size - 1)] == keys
    return found


def _count(texts: Iterable[str], min_count: int) -> tuple[dict[int, Tally], int]:
    """Count the frequent stretches of each length, and all Chinese characters."""
    tallies: dict[int, Tally] = {}
    total = 0
    for length in range(1, LONGEST + 1):
        tally = Tally()
        for codes in _chunks(texts):
            keys = _keys(codes, length)
            if length == 1:
                is_counted = _chinese(codes)
                total += int(is_counted.sum())
            else:
                shorter = _is_in(_keys(codes, length - 1), tallies[length - 1].keys)
                is_counted = shorter[: keys.size] & shorter[1 : keys.size + 1]
            tally.add(keys[is_counted])
        tallies[length] = tally.at_least(min_count)
    return tallies, total


def _characters(texts: Iterable[str], tallies: dict[int, Tally]) -> dict[int, Codes]:
    """Return the characters of the frequent stretches of each length, one row of code points a key."""
    found = {length: np.zeros((tallies[length].keys.size, length), dtype=np.uint32) for length in range(2, LONGEST + 1)}
    for codes in _chunks(texts):
        for length, rows in found.items():
            keys = _keys(codes, length)
            places = np.flatnonzero(_is_in(keys, tallies[length].keys))
            first, at = np.unique(keys[places], return_index=True)
            rows[np.searchsorted(tallies[length].keys, first)] = codes[places[at][:, None] + np.arange(length)]
    return found


def _cohesion(rows: Codes, tallies: dict[int, Tally], total: int) -> Values:
    """Return the cohesion of stretches; minus infinity for those that begin or end with a joining character."""
    length = rows.shape[1]
    counts = tallies[length].of(_row_keys(rows))
    cohesion = np.full(len(rows), np.inf)
    for cut in range(1, length):
        left = tallies[cut].of(_row_keys(rows[:, :cut])).astype(np.float64)
        right = tallies[length - cut].of(_row_keys(rows[:, cut:])).astype(np.float64)
        cohesion = np.minimum(cohesion, np.log(counts * float(total) / (left * right)))
    joining = to_codes("".join(sorted(JOINING)))
    joins = np.isin(rows[:, 0], joining) | np.isin(rows[:, -1], joining)
    return np.where(joins, -np.inf, cohesion)


def _entropies(texts: Iterable[str], cohesive: dict[int, tuple[Keys, Codes]]) -> list[pd.DataFrame]:
    """Return the branching entropies of stretches, one frame a length, in the order of the keys."""
    lefts, rights = ({length: Tally() for length in cohesive} for _ in range(2))
    for codes in _chunks(texts):
        for length, (wanted, _) in cohesive.items():
            keys = _keys(codes, length)
            places = np.flatnonzero(_is_in(keys, wanted))
            rows = np.searchsorted(wanted, keys[places]).astype(np.uint64) << np.uint64(16)
            for tally, beside in ((lefts[length], places - 1), (rights[length], places + length)):
                tally.add(rows | np.minimum(codes[beside], 0xFFFF).astype(np.uint64))
    return [
        pd.DataFrame(
            {
                "left_entropy": _entropy(lefts[length], wanted.size),
                "right_entropy": _entropy(rights[length], wanted.size),
            }
        )
        for length, (wanted, _) in cohesive.items()
    ]


def _entropy(neighbours: Tally, size: int) -> Values:
    """Return the entropy of the neighbours of each stretch; a key is a stretch's row and a character's code."""
    neighbours.merge()
    rows = (neighbours.keys >> np.uint64(16)).astype(np.int64)
    counts = neighbours.counts.astype(np.float64)
    totals = np.bincount(rows, weights=counts, minlength=size)
    weighted = np.bincount(rows, weights=counts * np.log(counts), minlength=size)
    safe = np.maximum(totals, 1)
    entropy: Values = np.maximum(np.log(safe) - weighted / safe, 0)
    return entropy


def _row_keys(rows: Codes) -> Keys:
    keys = np.zeros(len(rows), dtype=np.uint64)
    for column in rows.T:
        keys = keys * np.uint64(MULTIPLIER) + column.astype(np.uint64) + np.uint64(1)
    return keys
