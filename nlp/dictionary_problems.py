"""What is wrong with the YAML of a word list: every problem at once, each with its line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import yaml

from nlp.clean import clean

REQUIRED_KEYS = ("name", "family", "title", "authors", "year", "verified", "unit_of_count", "dimensions")
OPTIONAL_KEYS = (
    "article",
    "journal",
    "doi",
    "house_list",
    "terms_stated",
    "verified_against",
    "verified_note",
    "unsure",
    "authors_index",
    "authors_cleaning",
    "notes",
    "left_out",
    "lineage",
)
DIMENSION_KEYS = ("id", "zh", "en", "terms")
TERM_KEYS = ("term", "reason", "source")
NAME_PATTERN = re.compile(r"[a-z][a-z0-9_]{0,30}")


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _entries(node: yaml.MappingNode) -> Iterator[tuple[str, int, yaml.Node]]:
    for key, value in node.value:
        yield str(key.value), _line(key), value


def problems_of(root: yaml.MappingNode) -> Iterator[tuple[int, str]]:
    """Yield the problems of a word list's YAML.

    Parameters
    ----------
    root : yaml.MappingNode
        The file as PyYAML composes it.

    Yields
    ------
    tuple of int and str
        Line of the file, and what is wrong there with the way out.
    """
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
    if isinstance(node, yaml.MappingNode):
        values = {key: value for key, _, value in _entries(node)}
        if "term" not in values:
            yield line, "a term is a word, or a mapping with term, reason and source; put a word with ':' in quotes."
            return
        yield from _key_problems(node, (), TERM_KEYS, "this term")
        node = values["term"]
    if not isinstance(node, yaml.ScalarNode):
        yield line, "a term is a word, not a list or mapping; put it in quotes if it holds ':' or '#'."
        return
    term = str(node.value)
    folded = clean([term]).folded
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
