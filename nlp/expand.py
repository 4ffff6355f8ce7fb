"""Terms that a word list lacks: candidates from a corpus, ranked by how like the list's own terms they are used.

Two ways find candidates: tokens of the segmenter, and new words by cohesion and branching entropy. Word vectors,
trained on the same corpus, rank them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import ahocorasick_rs
import numpy as np
import pandas as pd

from nlp.clean import SENTENCE_ENDS
from nlp.dictionary import Dictionary, fold_term
from nlp.dictionary_checks import is_whole_word
from nlp.new_words import JOINING, new_words
from nlp.segment import Cut
from nlp.word_vectors import LARGEST_VOCABULARY, Matrix, Vectors
from shuzhi import UsageError

SENTENCE_END = re.compile(f"[{re.escape(SENTENCE_ENDS)}]")
HAS_WORD = re.compile(r"[a-z\u3400-\u9fff]")
CANDIDATE = re.compile(r"[\u3400-\u9fff]{2,8}|[a-z][a-z0-9]{1,9}|[a-z0-9]{1,6}[\u3400-\u9fff]{2,6}")
FEWEST_TOKENS = 4
# A candidate is as like a list as to its nearest seeds on average, so that one odd seed does not decide.
NEAREST = 3
# Neighbours whose likeness tells how crowded a word's place is; see :func:`rank`.
NEIGHBOURS = 10
BLOCK = 500
SHORTEST_CHINESE = 3
# What a report does or says of itself, never a name of a thing: 全面推进, 提升服务, 着力打造, 本行依托. 化 and 性 go
# with the word before them, but for a few words of their own.
GENERIC_START = re.compile(
    """提升|推进|推动|推出|开展|打造|着力|全面|全力|大力|不断|积极|实现|加强|加快|加大|提供|构建|完善|优化|深化|深入|继续|持续
    |进一步|通过|依托|借助|充分|成为|提高|满足|强化|促进|支持|面向|包括|其他|相关|有关|主要|各类|各项|本行|本公司|公司|集团
    |我国|全国|行业|独具|一方面|另一方面|[化性][^学工肥纤妆验石疗解能质价别格]""",
    re.VERBOSE,
)


def candidates(
    texts: Iterable[str], cut: Cut, *, min_count: int, min_cohesion: float = 3.0, min_entropy: float = 1.0
) -> pd.DataFrame:
    """Collect the words of a corpus that could be terms.

    Parameters
    ----------
    texts : iterable of str
        Folded texts, one a document; gone through several times.
    cut : callable
        A segmenter with the stock dictionary, see :func:`nlp.segment.build_cutter`.
    min_count : int
        Fewest occurrences.
    min_cohesion, min_entropy : float
        See :func:`nlp.new_words.new_words`; tokens of the segmenter need neither.

    Returns
    -------
    DataFrame
        ``term``, ``found_by`` (token, new_word or both), ``cohesion``, ``left_entropy`` and ``right_entropy``
        (missing for a token that is no new word), in order of term.
    """
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(cut(text))
    tokens = {each for each, count in counts.items() if count >= min_count and CANDIDATE.fullmatch(each)}
    tokens = {each for each in tokens if each[0] not in JOINING and each[-1] not in JOINING}
    found = new_words(texts, min_count=min_count, min_cohesion=min_cohesion, min_entropy=min_entropy)
    every = pd.DataFrame({"term": sorted(tokens | set(found["term"]))})
    joined = every.merge(found.drop(columns="count"), on="term", how="left")
    is_token, is_new = joined["term"].isin(tokens), joined["cohesion"].notna()
    joined.insert(1, "found_by", np.where(is_token & is_new, "both", np.where(is_token, "token", "new_word")))
    return joined


def sentences(texts: Iterable[str], cut: Cut) -> Iterator[list[str]]:
    """Yield the words of each sentence of at least four words, without numbers and marks.

    Parameters
    ----------
    texts : iterable of str
        Folded texts.
    cut : callable
        A segmenter that knows the candidates and the seeds.

    Yields
    ------
    list of str
        Words of one sentence.
    """
    for text in texts:
        for sentence in SENTENCE_END.split(text):
            words = [word for word in cut(sentence) if HAS_WORD.search(word)]
            if len(words) >= FEWEST_TOKENS:
                yield words


def is_generic(term: str) -> bool:
    """Tell whether a candidate is too short or plainly no name of a thing: 应用, 全面推进, 化发展."""
    is_short = len(term) < SHORTEST_CHINESE and not term.isascii()
    return is_short or GENERIC_START.match(term) is not None


def rank(found: pd.DataFrame, vectors: Vectors, dictionary: Dictionary) -> pd.DataFrame:
    """Rank candidates by their likeness to the terms of a list.

    Parameters
    ----------
    found : DataFrame
        As :func:`candidates` returns it.
    vectors : Vectors
        Trained on the same corpus.
    dictionary : Dictionary
        The list; its terms are the seeds.

    Returns
    -------
    DataFrame
        The likest first: the columns of ``found``, ``dimension`` (of most of the three nearest seeds), ``score``,
        ``similarity`` (mean cosine to those seeds) and ``nearest_seeds``. Left out are candidates without a vector,
        terms of the list, what holds one (it is counted there already), and what :func:`is_generic` names.

    Raises
    ------
    UsageError
        If no term of the list has a vector.

    Notes
    -----
    Words that are rare in a small corpus lie close to everything. The score therefore takes off how crowded the
    places of both words are, ``2 cos(c, s) - r(c) - r(s)`` with r the mean cosine to the ten nearest words (Conneau
    and others, 2018, Word translation without parallel data), and averages over the three nearest seeds.
    """
    number = {word: at for at, word in enumerate(vectors.terms)}
    folded = {fold_term(term): term for term in dictionary.terms}
    seeds = [seed for seed in folded if seed in number]
    if not seeds:
        raise UsageError(f"no term of {dictionary.name} is frequent enough in the corpus; lower --min-count")
    is_wanted = [
        word in number and not is_generic(word) and not any(seed in word for seed in folded) for word in found["term"]
    ]
    kept = found[is_wanted].reset_index(drop=True)
    words = vectors.matrix[[number[word] for word in kept["term"]]]
    centres = vectors.matrix[[number[seed] for seed in seeds]]
    cosine = words @ centres.T
    score = 2 * cosine - _crowding(words, vectors.matrix)[:, None] - _crowding(centres, vectors.matrix)[None, :]
    dimension_of = [dictionary.dimension_of[folded[seed]] for seed in seeds]
    nearest = np.argsort(-np.round(score, 6), axis=1, kind="stable")[:, :NEAREST]
    near_cosine = np.take_along_axis(cosine, nearest, axis=1)
    labels = [
        "、".join(f"{folded[seeds[at]]} {value:.2f}" for at, value in zip(places, values, strict=True))
        for places, values in zip(nearest, near_cosine, strict=True)
    ]
    ranked = kept.assign(
        # Counter keeps the order of the nearest, so that a tie goes to the nearer seed.
        dimension=[Counter(dimension_of[at] for at in places).most_common(1)[0][0] for places in nearest],
        score=np.round(_nearest_mean(score), 4),
        similarity=np.round(near_cosine.mean(axis=1), 4),
        nearest_seeds=labels,
    )
    return ranked.sort_values(["score", "term"], ascending=[False, True], ignore_index=True)


def _crowding(words: Matrix, every: Matrix) -> Matrix:
    """Return the mean cosine of words to their nearest neighbours among the most frequent words, without themselves."""
    others = every[:LARGEST_VOCABULARY].T
    parts = [np.zeros(0)]
    for start in range(0, len(words), BLOCK):
        cosine = np.partition(words[start : start + BLOCK] @ others, -min(NEIGHBOURS + 1, others.shape[1]), axis=1)
        top = np.sort(cosine[:, -(NEIGHBOURS + 1) :], axis=1)
        parts.append(top[:, :-1].mean(axis=1) if top.shape[1] > 1 else np.zeros(len(top)))
    crowding: Matrix = np.concatenate(parts)
    return crowding


def _nearest_mean(cosine: Matrix) -> Matrix:
    ordered = np.sort(cosine, axis=1)[:, ::-1]
    mean: Matrix = ordered[:, :NEAREST].mean(axis=1)
    return mean


def count_terms(texts: Iterable[tuple[str, str]], terms: Sequence[str]) -> pd.DataFrame:
    """Count terms in texts, nested ones too.

    Parameters
    ----------
    texts : iterable of (str, str)
        Firm and folded text of each document.
    terms : sequence of str
        Folded terms.

    Returns
    -------
    DataFrame
        ``term``, ``frequency``, ``firms`` and ``documents``, in the order given.
    """
    automaton = ahocorasick_rs.AhoCorasick(list(terms), matchkind=ahocorasick_rs.MatchKind.Standard)
    frequency, documents = np.zeros(len(terms), dtype=np.int64), np.zeros(len(terms), dtype=np.int64)
    firms: list[set[str]] = [set() for _ in terms]
    for firm, text in texts:
        matches = automaton.find_matches_as_indexes(text, overlapping=True)
        here = Counter(index for index, start, end in matches if is_whole_word(text, start, end))
        for index, count in here.items():
            frequency[index] += count
            documents[index] += 1
            firms[index].add(firm)
    return pd.DataFrame(
        {"term": list(terms), "frequency": frequency, "firms": [len(each) for each in firms], "documents": documents}
    )
