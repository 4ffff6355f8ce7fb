"""Word segmentation: jieba is the definition, its Rust twin the engine."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nlp.clean import tables, to_codes
from nlp.options import Segmenter

Cut = Callable[[str], list[str]]


@dataclass(frozen=True)
class SegmenterVersion:
    """Name and version of a segmenter; both can change a number."""

    name: Segmenter
    version: str

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


def segmenter_version(name: Segmenter) -> SegmenterVersion:
    """Return which version of a segmenter is installed."""
    return SegmenterVersion(name, importlib.metadata.version(name))


def term_frequencies(terms: Iterable[str]) -> dict[str, int]:
    """Return the frequency with which each term enters a segmenter's dictionary.

    It is jieba's own suggestion, just high enough to keep the term whole, computed on the stock dictionary with
    no other term added, so that the order of the terms does not matter. Both segmenters get the same number.

    Parameters
    ----------
    terms : iterable of str
        Folded terms.

    Returns
    -------
    dict of str to int
        Frequency by term.
    """
    import rjieba

    stock = rjieba.Jieba()
    return {term: int(stock.suggest_freq(term)) for term in terms}


def build_cutter(name: Segmenter, terms: Iterable[str] = ()) -> Cut:
    """Return a function that cuts a text into tokens, with terms added to the stock dictionary.

    Call it inside each worker process: words added in a parent process are lost under ``spawn``, and every
    such term would count 0.

    Parameters
    ----------
    name : {'rjieba', 'jieba'}
        Segmenter.
    terms : iterable of str
        Folded terms to keep whole.

    Returns
    -------
    callable
        From a text to its list of tokens; the tokens joined give the text back.
    """
    frequencies = term_frequencies(terms)
    if name == "rjieba":
        import rjieba

        rust = rjieba.Jieba()
        for term, frequency in frequencies.items():
            rust.add_word(term, frequency, None)
        return lambda text: list(rust.cut(text, True))
    import logging

    import jieba

    jieba.setLogLevel(logging.WARNING)
    tokenizer = jieba.Tokenizer()
    # Its own start would load a cache from the temporary folder, where anybody on the machine may have put one.
    tokenizer.FREQ, tokenizer.total = tokenizer.gen_pfdict(tokenizer.get_dict_file())
    tokenizer.initialized = True
    for term, frequency in frequencies.items():
        tokenizer.add_word(term, frequency)
    return lambda text: list(tokenizer.lcut(text))


def chinese_token_starts(tokens: Sequence[str]) -> npt.NDArray[np.int64]:
    """Return where the tokens begin that hold a Chinese character.

    Numbers, punctuation and Latin words are left out: the two segmenters cut Latin text with ``-`` and ``.``
    differently, and a report's tables of figures say nothing of its length as text.

    Parameters
    ----------
    tokens : sequence of str
        All tokens of a text, in order.

    Returns
    -------
    array of int64
        Places in the joined tokens, ascending.
    """
    if not tokens:
        return np.zeros(0, dtype=np.int64)
    codes = to_codes("".join(tokens))
    is_chinese = tables().is_chinese[np.minimum(codes, 0xFFFF)]
    before = np.concatenate(([0], np.cumsum(is_chinese)))
    ends = np.cumsum(np.fromiter(map(len, tokens), dtype=np.int64, count=len(tokens)))
    starts = np.concatenate(([0], ends))
    return starts[:-1][np.diff(before[starts]) > 0]


def count_tokens(tokens: Sequence[str]) -> int:
    """Count the tokens that hold a Chinese character, as :func:`chinese_token_starts` finds them."""
    return int(chinese_token_starts(tokens).size)
