"""What to know of a word list before it is used: overlaps, terms a segmenter breaks, terms with other meanings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Literal

import yaml

from nlp.dictionary import Dictionary, fold_term
from nlp.options import Segmenter
from nlp.segment import build_cutter

Kind = Literal["nested", "shared", "alike", "broken", "risky", "in_longer_word", "number_of_terms"]
SHOWN_NEIGHBOURS = 5


@dataclass(frozen=True)
class Finding:
    """One warning about a term.

    Parameters
    ----------
    kind : str
        ``nested``, ``shared``, ``alike``, ``broken``, ``risky``, ``in_longer_word`` or ``number_of_terms``.
    dictionary : str
        Name of the list, or of two lists joined by `` + ``.
    term : str
        The term as printed; empty where the warning is about the whole list.
    message : str
        What it is, in one sentence.
    """

    kind: Kind
    dictionary: str
    term: str
    message: str


@dataclass(frozen=True)
class Difference:
    """How two lists differ; terms are told apart as they are matched, whatever their width and case.

    Parameters
    ----------
    only_first, only_second : tuple of (str, str)
        Dimension and term of what one of them holds alone.
    moved : tuple of (str, str, str)
        Term, its dimension in the first and in the second list.
    common : int
        Terms of both lists in the same dimension.
    """

    only_first: tuple[tuple[str, str], ...]
    only_second: tuple[tuple[str, str], ...]
    moved: tuple[tuple[str, str, str], ...]
    common: int


def compare(first: Dictionary, second: Dictionary) -> Difference:
    """Compare two lists term by term, in the order of the lists.

    Parameters
    ----------
    first, second : Dictionary
        The lists.

    Returns
    -------
    Difference
        A dimension is the same where its ids are the same.
    """
    left = {fold_term(term): (dimension, term) for term, dimension in first.dimension_of.items()}
    right = {fold_term(term): (dimension, term) for term, dimension in second.dimension_of.items()}
    both = [folded for folded in left if folded in right]
    moved = tuple((left[each][1], left[each][0], right[each][0]) for each in both if left[each][0] != right[each][0])
    return Difference(
        only_first=tuple(entry for folded, entry in left.items() if folded not in right),
        only_second=tuple(entry for folded, entry in right.items() if folded not in left),
        moved=moved,
        common=len(both) - len(moved),
    )


def check_alone(dictionary: Dictionary, segmenters: Sequence[Segmenter] = ("jieba",)) -> list[Finding]:
    """Return the warnings about one list: nested terms, terms a segmenter breaks, terms with other meanings.

    Parameters
    ----------
    dictionary : Dictionary
        The list.
    segmenters : sequence of {'jieba', 'rjieba'}
        Which segmenters must keep the terms whole.

    Returns
    -------
    list of Finding
        In the order of the list.
    """
    name = dictionary.name
    stated = str(dictionary.passport.get("terms_stated", ""))
    found: list[Finding] = []
    if stated and stated != str(len(dictionary.terms)):
        message = f"the source states {stated} terms, the list holds {len(dictionary.terms)}"
        found.append(Finding("number_of_terms", name, "", message))
    for inner, outers in _nested(dictionary.terms, dictionary.terms).items():
        message = f"{inner} lies inside {_listed(outers)}: the rule substring counts both, longest only the longer"
        found.append(Finding("nested", name, inner, message))
    for segmenter in segmenters:
        found += [
            Finding(
                "broken", name, term, f"{term} is cut by {segmenter} into {' | '.join(tokens)}: the rule token loses it"
            )
            for term, tokens in broken_terms(dictionary, segmenter).items()
        ]
    risks = risky_terms()
    for term in dictionary.terms:
        if (risk := risks.get(fold_term(term))) is not None:
            found.append(Finding("risky", name, term, f"{term} often means something else: {risk}"))
        elif len(term) <= 2 and not term.isascii():
            message = f"{term} is two characters: read its hits; --store counts how many lie in longer words"
            found.append(Finding("risky", name, term, message))
    return found


def check_pair(first: Dictionary, second: Dictionary) -> list[Finding]:
    """Return the warnings about two lists together: what adding their counts up would count twice.

    Parameters
    ----------
    first, second : Dictionary
        The lists.

    Returns
    -------
    list of Finding
        Shared terms, terms that are matched alike though printed differently, terms inside terms.
    """
    names = f"{first.name} + {second.name}"
    right = {fold_term(term): term for term in second.terms}
    shared, found = [], []
    for term in first.terms:
        twin = right.get(fold_term(term))
        if twin == term:
            shared.append(term)
        elif twin is not None:
            message = f"{term} of {first.name} and {twin} of {second.name} are matched alike (width, case, blanks)"
            found.append(Finding("alike", names, term, message))
    if shared:
        found.insert(0, Finding("shared", names, "", f"{len(shared)} terms in both: {_listed(shared, len(shared))}"))
    for inner_list, outer_list in ((first, second), (second, first)):
        for inner, outers in _nested(inner_list.terms, outer_list.terms).items():
            message = f"{inner} of {inner_list.name} lies inside {_listed(outers)} of {outer_list.name}"
            found.append(Finding("nested", names, inner, message))
    return found


def _nested(inners: Sequence[str], outers: Sequence[str]) -> dict[str, list[str]]:
    """Return for each term the longer terms that it lies inside, where it would be counted there."""
    folded = {term: fold_term(term) for term in (*inners, *outers)}
    found: dict[str, list[str]] = {}
    for inner in inners:
        longer = [each for each in outers if folded[each] != folded[inner] and _holds(folded[each], folded[inner])]
        if longer:
            found[inner] = longer
    return found


def _holds(text: str, term: str) -> bool:
    places = (place for place in range(len(text)) if text.startswith(term, place))
    return any(is_whole_word(text, place, place + len(term)) for place in places)


def is_whole_word(text: str, start: int, end: int) -> bool:
    """Tell whether a span of a folded text does not cut a Latin word or number in two, as the matcher asks for."""
    cuts_left = start > 0 and _is_latin(text[start]) and _is_latin(text[start - 1])
    cuts_right = end < len(text) and _is_latin(text[end - 1]) and _is_latin(text[end])
    return not (cuts_left or cuts_right)


def _is_latin(character: str) -> bool:
    return ord(character) < 0x250 and character.isalnum()


def _listed(terms: Sequence[str], most: int = SHOWN_NEIGHBOURS) -> str:
    rest = len(terms) - most
    return ", ".join(terms[:most]) + (f" and {rest} more" if rest > 0 else "")


def broken_terms(dictionary: Dictionary, segmenter: Segmenter) -> dict[str, list[str]]:
    """Return the terms that a segmenter cuts although they were added to it, and what it makes of them.

    Parameters
    ----------
    dictionary : Dictionary
        The list; all its terms are added, as for the rule ``token``.
    segmenter : {'jieba', 'rjieba'}
        Who cuts.

    Returns
    -------
    dict of str to list of str
        Tokens by term as printed.
    """
    folded = {term: fold_term(term) for term in dictionary.terms}
    cut = build_cutter(segmenter, folded.values())
    tokens = {term: cut(each) for term, each in folded.items()}
    return {term: cuts for term, cuts in tokens.items() if cuts != [folded[term]]}


@lru_cache(maxsize=1)
def risky_terms() -> Mapping[str, str]:
    """Return the shipped terms that often mean something else, folded, each with what else it means."""
    text = resources.files("nlp").joinpath("data/risky_terms.yml").read_text(encoding="utf-8")
    table = yaml.load(text, Loader=yaml.BaseLoader)
    return {fold_term(term): str(meaning) for term, meaning in table.items()}
