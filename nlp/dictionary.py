"""Word lists: one YAML file a list, checked as a whole before a single term is counted."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import yaml

from nlp.clean import clean
from nlp.dictionary_problems import problems_of
from nlp.options import Script
from shuzhi import DictionaryError, yaml_loader


@dataclass(frozen=True)
class TermNote:
    """Why a term is in a list, and where it was taken from; either may be empty."""

    reason: str = ""
    source: str = ""


@dataclass(frozen=True)
class Dimension:
    """One dimension of a word list.

    Parameters
    ----------
    id : str
        ASCII name that ends up in column names, for example ``big_data``.
    zh, en : str
        Chinese and English label.
    terms : tuple of str
        Terms as the authors print them.
    """

    id: str
    zh: str
    en: str
    terms: tuple[str, ...]


@dataclass(frozen=True)
class Dictionary:
    """A checked word list with its passport.

    Parameters
    ----------
    name : str
        ASCII name, for example ``wu2021``.
    family : str
        What the list measures, for example ``digital``.
    title_zh, title_en : str
        Title in both languages.
    verified : bool
        True only where the list was checked against two public sources.
    dimensions : tuple of Dimension
        Every term stands in exactly one of them.
    passport : mapping
        All other keys of the file: authors, year, journal, DOI, sources, cleaning by the authors, what is unsure.
    notes : mapping of str to TermNote
        Reason and source of the terms that the file gives one for.
    """

    name: str
    family: str
    title_zh: str
    title_en: str
    verified: bool
    dimensions: tuple[Dimension, ...]
    passport: Mapping[str, object] = field(default_factory=dict)
    notes: Mapping[str, TermNote] = field(default_factory=dict)

    @property
    def terms(self) -> tuple[str, ...]:
        """All terms, in the order of the file."""
        return tuple(term for dimension in self.dimensions for term in dimension.terms)

    @property
    def dimension_of(self) -> dict[str, str]:
        """Dimension id of each term."""
        return {term: dimension.id for dimension in self.dimensions for term in dimension.terms}

    @property
    def content_hash(self) -> str:
        """Twelve hexadecimal digits that stand for name, dimensions and terms, whatever their order."""
        content = {"name": self.name, "dimensions": sorted([d.id, sorted(d.terms)] for d in self.dimensions)}
        text = json.dumps(content, ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(text.encode("utf-8")).hexdigest()[:12]


def fold_term(term: str, script: Script = "as_printed") -> str:
    """Return a term as it is matched: folded exactly as the text is."""
    return clean([term], script=script).folded


def parse(text: str, file: str) -> Dictionary:
    """Build a dictionary from the text of its YAML file.

    Parameters
    ----------
    text : str
        Content of the file.
    file : str
        Name of the file, for messages.

    Returns
    -------
    Dictionary
        The checked list.

    Raises
    ------
    DictionaryError
        With every problem of the file, one a line, each with its line number.
    """
    try:
        root = yaml.compose(text, Loader=yaml_loader())
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "is not YAML"
        raise DictionaryError(f"{file}{line}: {problem}. Mend the YAML and try again.") from None
    if not isinstance(root, yaml.MappingNode):
        raise DictionaryError(f"{file} line 1: a dictionary is a mapping that begins with 'name: …'.")
    problems = sorted(set(problems_of(root)))
    if problems:
        lines = "\n".join(f"  line {line:<4} {message}" for line, message in problems)
        count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}"
        raise DictionaryError(f"{file}: {count}\n{lines}")
    return _build(root)


def _plain(node: yaml.Node) -> object:
    """Turn a YAML node into strings, lists and dicts; no scalar is ever read as a number or a boolean."""
    if isinstance(node, yaml.MappingNode):
        return {str(key.value): _plain(value) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [_plain(value) for value in node.value]
    return str(node.value).strip()


def _build(root: yaml.MappingNode) -> Dictionary:
    values = _plain(root)
    assert isinstance(values, dict)
    notes: dict[str, TermNote] = {}
    dimensions = tuple(
        Dimension(
            id=item["id"], zh=item["zh"], en=item["en"], terms=tuple(_term(each, notes) for each in item["terms"])
        )
        for item in values["dimensions"]
    )
    own = ("name", "family", "title", "verified", "dimensions")
    return Dictionary(
        name=values["name"],
        family=values["family"],
        title_zh=values["title"]["zh"],
        title_en=values["title"]["en"],
        verified=values["verified"] == "true",
        dimensions=dimensions,
        passport={key: value for key, value in values.items() if key not in own},
        notes=notes,
    )


def _term(item: str | dict[str, str], notes: dict[str, TermNote]) -> str:
    """Return a term, and enter its reason and source into the notes if it has any."""
    if isinstance(item, str):
        return item
    notes[item["term"]] = TermNote(item.get("reason", ""), item.get("source", ""))
    return item["term"]
