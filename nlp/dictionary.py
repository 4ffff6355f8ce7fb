"""Word lists: one YAML file a list, checked as a whole before a single term is counted."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import yaml

from nlp.clean import clean
from nlp.options import Script
from shuzhi import DictionaryError

REQUIRED_KEYS = ("name", "family", "title", "authors", "year", "verified", "unit_of_count", "dimensions")
OPTIONAL_KEYS = (
    "article",
    "journal",
    "doi",
    "verified_against",
    "verified_note",
    "authors_index",
    "authors_cleaning",
    "notes",
)
DIMENSION_KEYS = ("id", "zh", "en", "terms")
NAME_PATTERN = re.compile(r"[a-z][a-z0-9_]{0,30}")


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
        All other keys of the file: authors, year, journal, DOI, sources, cleaning by the authors.
    """

    name: str
    family: str
    title_zh: str
    title_en: str
    verified: bool
    dimensions: tuple[Dimension, ...]
    passport: Mapping[str, object] = field(default_factory=dict)

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
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "is not YAML"
        raise DictionaryError(f"{file}{line}: {problem}. Mend the YAML and try again.") from None
    if not isinstance(root, yaml.MappingNode):
        raise DictionaryError(f"{file} line 1: a dictionary is a mapping that begins with 'name: …'.")
    problems = sorted(set(_problems(root)))
    if problems:
        lines = "\n".join(f"  line {line:<4} {message}" for line, message in problems)
        count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}"
        raise DictionaryError(f"{file}: {count}\n{lines}")
    return _build(root)


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _entries(node: yaml.MappingNode) -> Iterator[tuple[str, int, yaml.Node]]:
    for key, value in node.value:
        yield str(key.value), _line(key), value


def _problems(root: yaml.MappingNode) -> Iterator[tuple[int, str]]:
    yield from _key_problems(root, REQUIRED_KEYS, OPTIONAL_KEYS, "this dictionary")
    values = {key: value for key, _, value in _entries(root)}
    name = values.get("name")
    if name is not None and not (isinstance(name, yaml.ScalarNode) and NAME_PATTERN.fullmatch(str(name.value))):
        yield _line(name), "name: lower-case ASCII letters, digits and _ only, at most 31 characters."
    title = values.get("title")
    if title is not None:
        if isinstance(title, yaml.MappingNode):
            yield from _key_problems(title, ("zh", "en"), (), "title")
        else:
            yield _line(title), "title: give one in each language, 'zh: …' and 'en: …'."
    verified = values.get("verified")
    if verified is not None and getattr(verified, "value", None) not in ("true", "false"):
        yield _line(verified), "verified: true or false."
    sources = values.get("verified_against")
    has_two_sources = isinstance(sources, yaml.SequenceNode) and len(sources.value) >= 2
    if verified is not None and getattr(verified, "value", None) == "true" and not has_two_sources:
        yield _line(verified), "verified: true needs verified_against with the two public sources."
    dimensions = values.get("dimensions")
    if dimensions is not None:
        if isinstance(dimensions, yaml.SequenceNode) and dimensions.value:
            yield from _dimension_problems(dimensions)
        else:
            yield _line(dimensions), "dimensions: give a list with at least one dimension."


def _key_problems(
    node: yaml.MappingNode, required: Sequence[str], optional: Sequence[str], owner: str
) -> Iterator[tuple[int, str]]:
    seen: dict[str, int] = {}
    for key, line, value in _entries(node):
        if key in seen:
            yield (
                line,
                f"key {key} stands already on line {seen[key]}: YAML keeps only one; remove the other.",
            )
        elif key not in (*required, *optional):
            yield line, f"unknown key {key}. Known are {', '.join((*required, *optional))}."
        elif key in required and isinstance(value, yaml.ScalarNode) and not str(value.value).strip():
            yield line, f"{key} is empty."
        seen.setdefault(key, line)
    for key in required:
        if key not in seen:
            yield _line(node), f"{key} is missing in {owner}."


def _dimension_problems(dimensions: yaml.SequenceNode) -> Iterator[tuple[int, str]]:
    terms: dict[str, tuple[str, int, str]] = {}
    ids: dict[str, int] = {}
    for node in dimensions.value:
        if not isinstance(node, yaml.MappingNode):
            yield _line(node), "a dimension is a mapping with id, zh, en and terms."
            continue
        yield from _key_problems(node, DIMENSION_KEYS, (), "this dimension")
        values = {key: value for key, _, value in _entries(node)}
        identifier = str(getattr(values.get("id"), "value", ""))
        if identifier and not NAME_PATTERN.fullmatch(identifier):
            yield _line(values["id"]), "id: lower-case ASCII letters, digits and _ only."
        if identifier == "total":
            yield _line(values["id"]), "id: total is the name of the sum over all dimensions; choose another."
        if identifier in ids:
            yield _line(values["id"]), f"dimension {identifier} stands already on line {ids[identifier]}."
        elif identifier:
            ids[identifier] = _line(values["id"])
        listed = values.get("terms")
        if isinstance(listed, yaml.SequenceNode) and listed.value:
            for term in listed.value:
                yield from _term_problems(term, identifier, terms)
        elif listed is not None:
            yield (
                _line(listed),
                f"terms of {identifier or 'this dimension'}: give a list with at least one term.",
            )


def _term_problems(node: yaml.Node, dimension: str, seen: dict[str, tuple[str, int, str]]) -> Iterator[tuple[int, str]]:
    line = _line(node)
    if not isinstance(node, yaml.ScalarNode):
        yield line, "a term is a word, not a list or mapping; put it in quotes if it holds ':' or '#'."
        return
    term = str(node.value)
    folded = fold_term(term)
    if not folded:
        yield line, "empty term."
        return
    if term != term.strip():
        yield line, f"{term!r} has white space around it."
    if folded in seen:
        other, other_line, other_dimension = seen[folded]
        if other == term:
            where = f"in dimensions {other_dimension} and {dimension}" if other_dimension != dimension else "twice"
            yield line, f"{term} stands {where} (line {other_line}); keep one."
        else:
            yield (
                line,
                f"{term} and {other} (line {other_line}) are matched alike (width, case, blanks); keep one.",
            )
    else:
        seen[folded] = (term, line, dimension)


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
    dimensions = tuple(
        Dimension(id=item["id"], zh=item["zh"], en=item["en"], terms=tuple(item["terms"]))
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
    )
