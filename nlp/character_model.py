"""How surprising the characters of a text are to a model of readable annual reports.

The model holds, for each character, how often it occurs and which characters it follows, as bits: the negative
binary logarithm of its probability. A readable page costs about 5 bits a character; a page whose characters were
exchanged by a wrong character map costs 14, one in a wrong encoding 17 and more. It is built from readable reports
and a dictionary of words, and all of this measured, by ``tests/benchmarks/character_model.py``.
"""

from __future__ import annotations

import importlib.resources
import io
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from nlp.clean import Codes

MODEL_FILE = "character_model.npz"
PAIR_TABLE_BITS = 20
STEPS_PER_BIT = 4
# A pair that no readable report has costs this more than its second character alone.
UNSEEN_PAIR_BITS = 3.0
SPACE = 0
"""Symbol of what is passed over: white space and control characters."""

SAME = 0
"""Slot of a symbol after itself: never expected, so that runs of one character are surprising."""

NUMERIC, ASCII, WIDE = 0, 1, 2
"""Kinds of symbols: digits and rows of marks, other ASCII characters, and all others, mostly Chinese."""

_SKIPPED, _WIDE_PAIR, _ASCII_PAIR = 0, 1, 2
_PAIR_KINDS = np.zeros((3, 3), dtype=np.uint8)
_PAIR_KINDS[WIDE, WIDE] = _WIDE_PAIR
_PAIR_KINDS[ASCII, ASCII] = _PAIR_KINDS[ASCII, NUMERIC] = _PAIR_KINDS[NUMERIC, ASCII] = _ASCII_PAIR


@dataclass(frozen=True)
class CharacterModel:
    """Bits of characters and of pairs of neighbours.

    Parameters
    ----------
    symbols : array of uint16, shape (65536,)
        Symbol of each character of the basic plane: traditional and simplified forms, capitals and small letters,
        all digits share one; rare characters share one a class; 0 for white space.
    kinds : array of uint8, shape (symbols,)
        Kind of each symbol.
    single_bits : array of float32, shape (symbols,)
        Bits of a symbol by itself.
    pair_bits : array of uint8, shape (2 ** PAIR_TABLE_BITS,)
        Quarter bits of a symbol after another, at the slot of both; 0 where readable reports have no such pair.
    """

    symbols: npt.NDArray[np.uint16]
    kinds: npt.NDArray[np.uint8]
    single_bits: npt.NDArray[np.float32]
    pair_bits: npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Surprise:
    """What the pairs of one kind on a page cost.

    Parameters
    ----------
    pairs : int
        Number of pairs of neighbours.
    bits : float
        Mean bits of a character after the one before it; 0 without pairs.
    disorder : float
        The same less the mean bits that the order saves: high where usual characters stand in no order.
    """

    pairs: int
    bits: float
    disorder: float


@dataclass(frozen=True)
class Limits:
    """From where on a text is garbled.

    Parameters
    ----------
    pairs : int
        Fewest pairs that are judged.
    bits, disorder : float
        Highest values of a readable text.
    """

    pairs: int
    bits: float
    disorder: float

    def exceeded(self, surprise: Surprise) -> bool:
        """Tell whether a text is more surprising than any readable one."""
        if surprise.pairs < self.pairs:
            return False
        return surprise.bits > self.bits or surprise.disorder > self.disorder


# Over 5,700 pages of 24 firms, each judged without its firm's reports, readable pages have at most 10.2 bits and a
# disorder of 9.1. Pages with exchanged characters have at least 12.5 bits, or a disorder of 10.6 where only equally
# frequent ones were exchanged; in random order at least 10.2. In ASCII words readable pages have at most 5.8 bits and
# a disorder of 3.4; with exchanged letters they have at least 6.4 bits.
WIDE_LIMITS = Limits(pairs=40, bits=11.8, disorder=10.3)
ASCII_LIMITS = Limits(pairs=300, bits=6.3, disorder=5.5)


def pair_slots(first: npt.NDArray[np.uint16], second: npt.NDArray[np.uint16]) -> npt.NDArray[np.uint32]:
    """Return the slot of each pair of symbols in the table of pairs, by multiplicative hashing (Knuth 1973)."""
    mixed = first.astype(np.uint32) * np.uint32(0x9E3779B1) ^ second.astype(np.uint32) * np.uint32(0x85EBCA77)
    slots: npt.NDArray[np.uint32] = (mixed * np.uint32(0xC2B2AE35)) >> np.uint32(32 - PAIR_TABLE_BITS)
    slots[first == second] = SAME
    return slots


@lru_cache(maxsize=1)
def load_model() -> CharacterModel:
    """Return the model that is packaged with the code, read once a process."""
    return from_bytes((importlib.resources.files("nlp") / "data" / MODEL_FILE).read_bytes())


def from_bytes(data: bytes) -> CharacterModel:
    """Return a model from the bytes of its file, a NumPy archive without pickled objects."""
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        return CharacterModel(arrays["symbols"], arrays["kinds"], arrays["single_bits"], arrays["pair_bits"])


def to_bytes(model: CharacterModel) -> bytes:
    """Return the bytes of a model's file; the inverse of :func:`from_bytes`."""
    file = io.BytesIO()
    np.savez_compressed(
        file,
        symbols=model.symbols,
        kinds=model.kinds,
        single_bits=model.single_bits,
        pair_bits=model.pair_bits,
    )
    return file.getvalue()


def surprise(codes: Codes, model: CharacterModel) -> tuple[Surprise, Surprise]:
    """Return how surprising a text is: its Chinese and other wide characters, and its ASCII words.

    Pairs of digits say nothing and pairs of a Chinese and an ASCII character little; both are passed over, so that
    tables and pages in two languages are judged by their words.

    Parameters
    ----------
    codes : array of uint32, shape (characters,)
        Characters of the text, at most U+FFFF.
    model : CharacterModel
        The model.

    Returns
    -------
    wide, ascii : Surprise
        Bits a character.
    """
    symbols = model.symbols[codes]
    symbols = symbols[symbols != SPACE]
    first, second = symbols[:-1], symbols[1:]
    steps = model.pair_bits[pair_slots(first, second)]
    single = model.single_bits[second]
    bits = np.where(steps > 0, steps * np.float32(1 / STEPS_PER_BIT), single + np.float32(UNSEEN_PAIR_BITS))
    kinds = _PAIR_KINDS[model.kinds[first], model.kinds[second]]
    counts = np.bincount(kinds, minlength=3)
    sums = np.bincount(kinds, weights=bits, minlength=3)
    sums_single = np.bincount(kinds, weights=single, minlength=3)
    wide, ascii_words = (
        _mean(int(counts[kind]), float(sums[kind]), float(sums_single[kind])) for kind in (_WIDE_PAIR, _ASCII_PAIR)
    )
    return wide, ascii_words


def _mean(pairs: int, bits: float, single_bits: float) -> Surprise:
    return Surprise(pairs, bits / pairs, (2 * bits - single_bits) / pairs) if pairs else Surprise(0, 0.0, 0.0)


def is_garbled(codes: Codes, model: CharacterModel) -> tuple[bool, str]:
    """Tell whether no readable report has such characters in such an order, and why in words.

    Parameters
    ----------
    codes : array of uint32, shape (characters,)
        Characters of the text, at most U+FFFF.
    model : CharacterModel
        The model.

    Returns
    -------
    garbled : bool
        False for a text that is too short to judge.
    reason : str
        The measured bits and their limit, or empty.
    """
    found = surprise(codes, model)
    for name, value, limits in zip(("characters", "letters"), found, (WIDE_LIMITS, ASCII_LIMITS), strict=True):
        if limits.exceeded(value):
            measured = (
                f"its {value.pairs} pairs of {name} cost {value.bits:.1f} bits each, disorder {value.disorder:.1f};"
            )
            return True, f"{measured} readable reports stay under {limits.bits:g} and {limits.disorder:g}"
    return False, ""
