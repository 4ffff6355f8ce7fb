"""Word lists made of the rows of a file, alone or on top of another list; and back to YAML."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from nlp.dictionary import Dictionary, Dimension, TermNote, fold_term
from nlp.dictionary_problems import NAME_PATTERN
from nlp.term_rows import TermRow
from shuzhi import DictionaryError

LONGEST_TERM = 30


@dataclass(frozen=True)
class Passport:
    """What a new list says of itself: its name, titles, and where it comes from."""

    name: str
    family: str
    title_zh: str
    title_en: str
    lineage: Mapping[str, str]
    authors: tuple[str, ...] = ("not stated",)
    year: str = "not stated"


def build(
    rows: Iterable[TermRow],
    passport: Passport,
    file: str,
    base: Dictionary | None = None,
    ids: Mapping[str, str] | None = None,
) -> Dictionary:
    """Build a list from the terms of a file, alone or on top of another list.

    On top of a base, rows with ``keep: yes`` add a term or move it to another dimension, rows with ``no`` take it
    out, and all other terms of the base stay.

    Parameters
    ----------
    rows : iterable of TermRow
        The terms.
    passport : Passport
        What the new list says of itself.
    file : str
        Name of the file, for messages.
    base : Dictionary, optional
        The list it extends.
    ids : mapping of str to str, optional
        Id by label for dimensions that are new and whose label is not ASCII; others are numbered.

    Returns
    -------
    Dictionary
        Not verified; its lineage is in the passport.

    Raises
    ------
    DictionaryError
        With every problem of the file, each with its place.
    """
    rows = list(rows)
    labels = _dimension_labels(rows, base, ids or {})
    problems = list(_row_problems(rows, base, labels, passport.name))
    if problems:
        count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}"
        raise DictionaryError("\n".join([f"{file}: {count}", *(f"  {each}" for each in problems)]))
    return _assemble(rows, passport, base, labels)


def _dimension_labels(rows: Sequence[TermRow], base: Dictionary | None, ids: Mapping[str, str]) -> dict[str, str]:
    """Return the id of each label of a dimension: of the base, as told, the label itself, or a number."""
    known: dict[str, str] = {}
    for dimension in base.dimensions if base else ():
        known |= {dimension.id: dimension.id, dimension.zh: dimension.id, dimension.en: dimension.id}
    only = base.dimensions[0].id if base and len(base.dimensions) == 1 else "" if base else "terms"
    labels: dict[str, str] = {}
    for row in rows:
        label = row.dimension
        if row.keep != "yes" or label in labels:
            continue
        number = f"dimension_{len(set(labels.values()) - set(known.values())) + 1}"
        own = label if NAME_PATTERN.fullmatch(label) and label != "total" else number
        labels[label] = known.get(label) or ids.get(label) or (own if label else only)
    return labels


def _row_problems(
    rows: Sequence[TermRow], base: Dictionary | None, labels: Mapping[str, str], name: str
) -> Iterable[str]:
    if not NAME_PATTERN.fullmatch(name):
        yield f"name {name!r}: lower-case ASCII letters, digits and _ only, at most 31 characters"
    if not any(row.keep == "yes" for row in rows) and base is None:
        yield "no term is kept; mark rows with keep: yes"
    in_base = {fold_term(term) for term in base.terms} if base else set()
    seen: dict[str, TermRow] = {}
    for row in rows:
        folded = fold_term(row.term)
        if row.problem:
            yield f"{row.place}: {row.problem}"
        if not folded:
            yield f"{row.place}: no term"
            continue
        if len(folded) > LONGEST_TERM:
            yield f"{row.place}: {row.term[:LONGEST_TERM]}… is longer than {LONGEST_TERM} characters; one term a row"
        if any(ord(character) < 32 for character in row.term):
            yield f"{row.place}: {row.term!r} holds a control character or a line break; one term a row"
            continue
        if folded in seen:
            twin = seen[folded]
            how = "stands" if twin.term == row.term else f"is matched like {twin.term}, which stands"
            yield f"{row.place}: {row.term} {how} already at {twin.place}; keep one"
        seen.setdefault(folded, row)
        if row.keep == "yes" and not labels[row.dimension] and folded not in in_base:
            yield f"{row.place}: {row.term} has no dimension; the base has several, so name one"
    for label, identifier in labels.items():
        if identifier and (not NAME_PATTERN.fullmatch(identifier) or identifier == "total"):
            yield f"dimension {label}: {identifier!r} is no id; lower-case ASCII letters, digits, _ only; not 'total'"


def _assemble(
    rows: Sequence[TermRow], passport: Passport, base: Dictionary | None, labels: Mapping[str, str]
) -> Dictionary:
    titles = {dimension.id: (dimension.zh, dimension.en) for dimension in base.dimensions} if base else {}
    for label, identifier in labels.items():
        if identifier:
            titles.setdefault(
                identifier, (label or passport.title_zh, label if label.isascii() and label else identifier)
            )
    terms: dict[str, tuple[str, str]] = {}
    notes = dict(base.notes) if base else {}
    for term, dimension in base.dimension_of.items() if base else ():
        terms[fold_term(term)] = (term, dimension)
    for row in rows:
        folded = fold_term(row.term)
        if row.keep == "no":
            terms.pop(folded, None)
        elif row.keep == "yes":
            old = terms.get(folded, (row.term, ""))
            terms[folded] = (old[0], labels[row.dimension] or old[1])
            if row.reason or row.source:
                notes[old[0]] = TermNote(row.reason, row.source)
    kept = {term for term, _ in terms.values()}
    dimensions = [
        Dimension(id=key, zh=zh, en=en, terms=tuple(term for term, dimension in terms.values() if dimension == key))
        for key, (zh, en) in titles.items()
    ]
    return Dictionary(
        name=passport.name,
        family=passport.family,
        title_zh=passport.title_zh,
        title_en=passport.title_en,
        verified=False,
        dimensions=tuple(each for each in dimensions if each.terms),
        passport={
            "authors": list(passport.authors),
            "year": passport.year,
            "verified_note": "Made by import; nobody compared it with a publication.",
            "unit_of_count": str(base.passport["unit_of_count"]) if base else "occurrences",
            "lineage": dict(passport.lineage),
        },
        notes={term: note for term, note in notes.items() if term in kept},
    )


def to_yaml(dictionary: Dictionary) -> str:
    """Return a list as the text of its YAML file; :func:`nlp.dictionary.parse` gives the same list back."""
    head: dict[str, Any] = {
        "name": dictionary.name,
        "family": dictionary.family,
        "title": {"zh": dictionary.title_zh, "en": dictionary.title_en},
        "verified": dictionary.verified,
        **dictionary.passport,
    }
    head["dimensions"] = [
        {"id": each.id, "zh": each.zh, "en": each.en, "terms": [_entry(term, dictionary.notes) for term in each.terms]}
        for each in dictionary.dimensions
    ]
    return yaml.safe_dump(head, allow_unicode=True, sort_keys=False, width=110)


def _entry(term: str, notes: Mapping[str, TermNote]) -> str | dict[str, str]:
    note = notes.get(term)
    if note is None:
        return term
    return {"term": term} | {key: value for key, value in (("reason", note.reason), ("source", note.source)) if value}
