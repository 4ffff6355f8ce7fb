"""The rules that say what a hit is evidence of: read from ``data/context_rules.yml``, compiled once, asked of one hit.

A rule asks regular expressions of the words around a hit. All of this is local to the hit, so that it costs some
microseconds and needs nothing of the report but a window of its text.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files
from typing import Any, Literal, get_args

import ahocorasick_rs
import yaml

from shuzhi import DictionaryError

CONTEXT_VERSION = "2"
RULES_FILE = "context_rules.yml"
FlagName = Literal["org_name", "furniture", "false_sense", "negated", "person", "other_party", "context", "plan"]
# In the order of the coding guide: of several that fit, the first is what the hit is.
FLAG_NAMES: tuple[FlagName, ...] = get_args(FlagName)
LEFT_WINDOW, RIGHT_WINDOW = 120, 90
LEFT_NEAR, RIGHT_NEAR = 24, 60
# At these marks a clause ends.
CLAUSE_MARKS = "，。；！？,;!?"
_CLAUSE_END = re.compile(f"[{CLAUSE_MARKS}]")
_STOP_MARKS = "。！？；!?;"
_STOP = re.compile(f"[{_STOP_MARKS}]")
TextName = Literal[
    "left",
    "right",
    "clause_left",
    "clause_right",
    "clause",
    "sentence_left",
    "sentence_right",
    "sentence",
    "stretch_left",
    "stretch",
    "window",
]
TEXT_NAMES: tuple[TextName, ...] = get_args(TextName)
_OTHER_KEYS = frozenset(("id", "flag", "note", "terms", "term_contains", "sections", "outlook", "filer", "needs"))


@dataclass(frozen=True, slots=True)
class HitContext:
    """The words around one hit and its place in the report; all that the rules and the classifier see.

    Parameters
    ----------
    left, right : str
        Up to 120 characters of the cleaned text before the hit, up to 90 after it.
    hit : str
        The hit as printed.
    term : str
        Term of the dictionary.
    section, subsection, furniture : str
        As in the table ``hits``; each empty where there is none.
    sentence_left, sentence_right : int
        How many of the characters of ``left`` and ``right`` belong to the sentence of the hit; -1 takes them all.
    outlook : bool
        Whether the hit stands in the part of the report that looks ahead, see :mod:`nlp.outlook`.
    position : float
        Place in the report, from 0 to 1.
    """

    left: str
    hit: str
    right: str
    term: str = ""
    section: str = ""
    subsection: str = ""
    furniture: str = ""
    sentence_left: int = -1
    sentence_right: int = -1
    outlook: bool = False
    position: float = 0.5


# Some text layers print every mark half-width; within a number a comma is no mark.
_HALF_WIDTH = re.compile(r"[,;!?:](?:(?<![0-9],)(?<![0-9A-Za-z]:)|(?![0-9A-Za-z/])|(?<=,)(?![0-9]))")
_FULL_WIDTH = {",": "，", ";": "；", "!": "！", "?": "？", ":": "："}


def with_full_width_marks(context: HitContext) -> HitContext:
    """Return the same words with the marks between them as Chinese text prints them, each at its place."""
    left, right = _full_width(context.left), _full_width(context.right)
    if left is context.left and right is context.right:
        return context
    return replace(context, left=left, right=right)


def _full_width(text: str) -> str:
    # Asked of every hit: looking for each mark is many times faster than the expression.
    if not any(mark in text for mark in _FULL_WIDTH):
        return text
    return _HALF_WIDTH.sub(_full_width_mark, text)


def _full_width_mark(mark: re.Match[str]) -> str:
    return _FULL_WIDTH[mark.group()]


class Views:
    """The texts of one hit that rules ask for, each cut once."""

    __slots__ = ("_needed", "_texts", "brands", "context")

    def __init__(self, context: HitContext, brands: Sequence[str] = ()) -> None:
        self.context = with_full_width_marks(context)
        self.brands = brands
        self._texts: dict[str, str] = {}
        self._needed: frozenset[str] | None = None

    def needed(self, book: RuleBook) -> frozenset[str]:
        """Return which of the words that rules need stand in the window around the hit."""
        if self._needed is None:
            self._needed = book.words_in(self["window"])
        return self._needed

    def __getitem__(self, name: str) -> str:
        text = self._texts.get(name)
        if text is None:
            text = self._texts[name] = _VIEWS[name](self)
        return text


def _stretch_left(views: Views) -> str:
    left = views.context.left
    return left[max(left.rfind(mark) for mark in _STOP_MARKS) + 1 :]


def _stretch(views: Views) -> str:
    right = views.context.right
    end = _STOP.search(right)
    return f"{views['stretch_left']} {right if end is None else right[: end.start()]}"


def _sentence_left(views: Views) -> str:
    count = views.context.sentence_left
    left = views.context.left
    return left if count < 0 or count >= len(left) else left[len(left) - count :]


def _sentence_right(views: Views) -> str:
    count = views.context.sentence_right
    return views.context.right if count < 0 else views.context.right[:count]


def _clause_left(views: Views) -> str:
    left = views["sentence_left"]
    return left[max(left.rfind(mark) for mark in CLAUSE_MARKS) + 1 :]


def _clause_right(views: Views) -> str:
    right = views["sentence_right"]
    end = _CLAUSE_END.search(right)
    return right if end is None else right[: end.start()]


_VIEWS: Mapping[str, Callable[[Views], str]] = {
    "left": lambda views: views.context.left[-LEFT_NEAR:],
    "right": lambda views: views.context.right[:RIGHT_NEAR],
    "sentence_left": _sentence_left,
    "sentence_right": _sentence_right,
    "sentence": lambda views: f"{views['sentence_left']} {views['sentence_right']}",
    "clause_left": _clause_left,
    "clause_right": _clause_right,
    "clause": lambda views: f"{views['clause_left']} {views['clause_right']}",
    "stretch_left": _stretch_left,
    "stretch": _stretch,
    "window": lambda views: f"{views.context.left} {views.context.right}",
}


@dataclass(frozen=True)
class Rule:
    """One rule of the file, compiled.

    Parameters
    ----------
    id, flag, note : str
        Its name, the flag it raises, an example.
    conditions : sequence of (str, callable, bool)
        Name of a text, the search in it, and whether something must be found there.
    """

    id: str
    flag: FlagName
    note: str
    conditions: tuple[tuple[str, Callable[[str], object], bool], ...]
    terms: frozenset[str]
    term_parts: tuple[str, ...]
    sections: frozenset[str]
    only_outlook: bool
    names_filer: bool | None
    needs: frozenset[str]

    def fits(self, views: Views, book: RuleBook) -> bool:
        """Tell whether all conditions hold."""
        context = views.context
        if self.only_outlook and not context.outlook:
            return False
        if self.sections and context.section not in self.sections:
            return False
        if self.needs and self.needs.isdisjoint(views.needed(book)):
            return False
        if not all((search(views[name]) is not None) is wanted for name, search, wanted in self.conditions):
            return False
        return self.names_filer is None or any(brand in views["stretch"] for brand in views.brands) is self.names_filer

    def takes(self, term: str) -> bool:
        """Tell whether the rule speaks of a term."""
        if self.terms:
            return term in self.terms
        return not self.term_parts or any(part in term for part in self.term_parts)


@dataclass(frozen=True)
class RuleBook:
    """All rules.

    Parameters
    ----------
    rules : tuple of Rule
        In the order of the file.
    content_hash : str
        Twelve hexadecimal digits of the file's content.
    """

    rules: tuple[Rule, ...]
    content_hash: str

    def for_term(self, term: str) -> tuple[Rule, ...]:
        """Return the rules that speak of a term, in their order."""
        return _rules_for(self, term)

    def words_in(self, text: str) -> frozenset[str]:
        """Return which of the words that rules need stand in a text."""
        words, automaton = _needed_words(self)
        if automaton is None:
            return frozenset()
        return frozenset(words[index] for index, _, _ in automaton.find_matches_as_indexes(text, overlapping=True))

    def __hash__(self) -> int:
        return hash(self.content_hash)


@lru_cache(maxsize=8)
def _needed_words(book: RuleBook) -> tuple[tuple[str, ...], Any]:
    """Return the words that rules need, and what finds all of them in one pass."""
    words = tuple(sorted(set().union(*(rule.needs for rule in book.rules))))
    return words, ahocorasick_rs.AhoCorasick(list(words)) if words else None


@lru_cache(maxsize=4096)
def _rules_for(book: RuleBook, term: str) -> tuple[Rule, ...]:
    return tuple(rule for rule in book.rules if rule.takes(term))


@lru_cache(maxsize=1)
def rule_book() -> RuleBook:
    """Read and compile the rules that ship, once a process."""
    return parse_rules(files("nlp").joinpath("data", RULES_FILE).read_text(encoding="utf-8"))


def parse_rules(text: str) -> RuleBook:
    """Compile the rules of a YAML text.

    Raises
    ------
    DictionaryError
        If a rule has an unknown key or flag, lacks a condition, or its expression does not compile.
    """
    content = yaml.safe_load(text)
    parts = {name: f"(?:{part})" for name, part in content["parts"].items()}
    rules = tuple(_compile(rule, parts) for rule in content["rules"])
    names = [rule.id for rule in rules]
    if twice := {name for name in names if names.count(name) > 1}:
        raise DictionaryError(f"{RULES_FILE}: two rules are called {', '.join(sorted(twice))}; give each its own id")
    return RuleBook(rules, hashlib.sha256(text.encode("utf-8")).hexdigest()[:12])


def _compile(entry: Mapping[str, Any], parts: Mapping[str, str]) -> Rule:
    name = str(entry.get("id", "?"))
    if entry.get("flag") not in FLAG_NAMES:
        raise DictionaryError(f"{RULES_FILE}, rule {name}: its flag is none of {', '.join(FLAG_NAMES)}")
    conditions: list[tuple[str, Callable[[str], object], bool]] = []
    for key, value in entry.items():
        if key in _OTHER_KEYS:
            continue
        text = key.removeprefix("not_")
        if text not in TEXT_NAMES:
            raise DictionaryError(f"{RULES_FILE}, rule {name}: unknown key {key}; texts are {', '.join(TEXT_NAMES)}")
        conditions.append((text, _search(text, value, parts, name), text == key))
    if not conditions:
        raise DictionaryError(f"{RULES_FILE}, rule {name}: it asks nothing of the text; give it a condition")
    return Rule(
        id=name,
        flag=entry["flag"],
        note=str(entry.get("note", "")),
        # What must begin at the hit is asked first, for it fails at once.
        conditions=tuple(sorted(conditions, key=lambda condition: condition[0] != "right")),
        terms=frozenset(entry.get("terms", ())),
        term_parts=tuple(entry.get("term_contains", ())),
        sections=frozenset(entry.get("sections", ())),
        only_outlook=bool(entry.get("outlook", False)),
        names_filer=entry.get("filer"),
        needs=frozenset(str(word) for word in entry.get("needs", ())),
    )


def _search(text: str, pattern: str, parts: Mapping[str, str], rule: str) -> Callable[[str], object]:
    """Return the search of one condition: ``left`` ends at the hit, ``right`` begins at it."""
    for name, part in parts.items():
        pattern = pattern.replace(f"{{{name}}}", part)
    try:
        if text == "left":
            return re.compile(f"(?:{pattern})$").search
        compiled = re.compile(pattern)
    except re.error as error:
        raise DictionaryError(f"{RULES_FILE}, rule {rule}, {text}: {error}; correct the expression") from error
    return compiled.match if text == "right" else compiled.search


def fired(views: Views, book: RuleBook, flags: Sequence[FlagName] = FLAG_NAMES) -> dict[FlagName, str]:
    """Return the flags that rules raise for one hit, each with the id of the first rule that raised it."""
    found: dict[FlagName, str] = {}
    for rule in book.for_term(views.context.term or views.context.hit):
        if rule.flag not in found and rule.flag in flags and rule.fits(views, book):
            found[rule.flag] = rule.id
    return found
