"""Word vectors of a corpus: word2vec by gensim, or pointwise mutual information decomposed, which needs no gensim."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nlp.options import VectorModel
from shuzhi import UsageError

Matrix = npt.NDArray[np.float64]

WINDOW = 5
DIMENSIONS = 100
LARGEST_VOCABULARY = 20_000


@dataclass(frozen=True)
class Vectors:
    """Word vectors.

    Parameters
    ----------
    terms : tuple of str
        Folded words, the most frequent first.
    matrix : array of float, shape (words, dimensions)
        Their vectors, of length one, with the mean of all taken off first.
    """

    terms: tuple[str, ...]
    matrix: Matrix


def train(corpus: Iterable[list[str]], *, model: VectorModel, min_count: int, seed: int) -> Vectors:
    """Train word vectors on a corpus; the same corpus and seed give the same vectors.

    Parameters
    ----------
    corpus : iterable of list of str
        Words of each sentence; gone through several times.
    model : {'word2vec', 'ppmi'}
        Skip-gram with negative sampling by gensim (Mikolov and others, 2013), or positive pointwise mutual
        information with a truncated singular value decomposition (Levy, Goldberg and Dagan, 2015).
    min_count : int
        Fewest occurrences of a word.
    seed : int
        Seed of everything random.

    Returns
    -------
    Vectors
        One a word.

    Raises
    ------
    UsageError
        If gensim is not installed, or no word is frequent enough.
    """
    terms, matrix = (_word2vec if model == "word2vec" else _ppmi)(corpus, min_count, seed)
    centred = matrix - matrix.mean(axis=0)
    norms = np.linalg.norm(centred, axis=1, keepdims=True)
    return Vectors(tuple(terms), centred / np.where(norms > 0, norms, 1))


def _too_small() -> UsageError:
    return UsageError("the corpus has no word that is frequent enough; lower --min-count or read more reports")


def _word2vec(corpus: Iterable[list[str]], min_count: int, seed: int) -> tuple[list[str], Matrix]:
    try:
        from gensim.models import Word2Vec
    except ImportError:
        raise UsageError(
            "word2vec needs gensim: pip install 'shuzhi[expand]', or choose --model ppmi, which needs nothing more"
        ) from None
    # One worker: with more, the order of the updates and so the vectors differ from run to run.
    model = Word2Vec(
        vector_size=DIMENSIONS, window=WINDOW, min_count=min_count, sg=1, negative=10, sample=1e-4, seed=seed, workers=1
    )
    model.build_vocab(corpus)
    if not model.wv.index_to_key:
        raise _too_small()
    model.train(corpus, total_examples=model.corpus_count, epochs=10)
    return list(model.wv.index_to_key), np.asarray(model.wv.vectors, dtype=np.float64)


def _ppmi(corpus: Iterable[list[str]], min_count: int, seed: int) -> tuple[list[str], Matrix]:
    from scipy.sparse import coo_matrix, csr_matrix
    from sklearn.decomposition import TruncatedSVD

    counts: Counter[str] = Counter()
    for sentence in corpus:
        counts.update(sentence)
    frequent = sorted((-count, word) for word, count in counts.items() if count >= min_count)
    terms = [word for _, word in frequent[:LARGEST_VOCABULARY]]
    if len(terms) < 2:
        raise _too_small()
    place = {word: number for number, word in enumerate(terms)}
    together = csr_matrix((len(terms), len(terms)))
    for batch in _batches(corpus, place):
        left, right = _pairs(batch)
        together += coo_matrix((np.ones(left.size), (left, right)), shape=together.shape).tocsr()
    together = (together + together.T).tocoo()
    totals = np.asarray(together.sum(axis=1)).ravel()
    # Contexts are smoothed with 0.75, as word2vec smooths its negative samples.
    smooth = totals**0.75 / (totals**0.75).sum()
    information = np.log(together.data / (totals[together.row] * smooth[together.col]))
    positive = csr_matrix((np.maximum(information, 0), (together.row, together.col)), shape=together.shape)
    size = min(DIMENSIONS, len(terms) - 1)
    decomposed = TruncatedSVD(size, algorithm="randomized", n_iter=5, random_state=seed).fit(positive)
    return terms, np.asarray(positive @ decomposed.components_.T / np.sqrt(decomposed.singular_values_ + 1e-12))


def _batches(corpus: Iterable[list[str]], place: Mapping[str, int]) -> Iterator[npt.NDArray[np.int64]]:
    """Yield word numbers of many sentences in a row, with as many -1 between two as a window is wide."""
    waiting: list[int] = []
    for sentence in corpus:
        waiting += [place.get(word, -1) for word in sentence] + [-1] * WINDOW
        if len(waiting) > 1_000_000:
            yield np.array(waiting, dtype=np.int64)
            waiting = []
    yield np.array(waiting, dtype=np.int64)


def _pairs(words: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    lefts, rights = [], []
    for distance in range(1, WINDOW + 1):
        left, right = words[:-distance], words[distance:]
        both = (left >= 0) & (right >= 0)
        lefts.append(left[both])
        rights.append(right[both])
    return np.concatenate(lefts), np.concatenate(rights)
