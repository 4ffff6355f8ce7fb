"""Messages in Chinese: a template in English is matched with its parameters, and its Chinese twin filled with them.

Results say in English what a reader should know: warnings, assumptions, reasons, steps of a sample. A page or table in
Chinese shows these sentences in Chinese. Because sentences are matched as text, those that come from a stored panel or
out of a data frame are found like any others. The catalogue is ``templates/messages_zh.yml``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from string import Formatter
from typing import Literal

import yaml

Language = Literal["zh", "en"]
CATALOGUE = "templates/messages_zh.yml"

_PATTERNS: dict[str, str] = {
    "number": r"[-−+]?[\d.,]+(?:e[-+]?\d+)?\s?%?",
    "": r".+?",
    "list": r".+?",
    "text": r".+?",
    "known": r".+?",
    "name": r"\S+(?: x \S+)*",
}
_BETWEEN = re.compile(r", | and | \+ ")


@dataclass(frozen=True)
class _Template:
    """An English template as a pattern, and the Chinese one."""

    pattern: re.Pattern[str]
    kinds: Mapping[str, str]
    chinese: str


def placeholders(template: str) -> list[tuple[str, str]]:
    """Return name and kind of each placeholder of a template.

    Parameters
    ----------
    template : str
        Such as ``only {count:number} clusters of {name}``.
    """
    return [(name, kind or "") for _, name, kind, _ in Formatter().parse(template) if name]


def in_chinese(text: str, labels: Mapping[str, str] | None = None) -> str:
    """Return a message in Chinese; as it is where there is no Chinese for it.

    Parameters
    ----------
    text : str
        A message in English, or several with semicolons between them.
    labels : mapping of str to str, optional
        What columns are called in Chinese.
    """
    return _translated(str(text), labels or {}) or str(text)


def in_language(text: str, language: Language, labels: Mapping[str, str] | None = None) -> str:
    """Return a message in a language; all are made in English.

    Parameters
    ----------
    text : str
        A message.
    language : {'zh', 'en'}
        The language.
    labels : mapping of str to str, optional
        What columns are called in this language.
    """
    return in_chinese(text, labels) if language == "zh" else str(text)


def has_chinese(text: str) -> bool:
    """Whether a message can be said in Chinese.

    Parameters
    ----------
    text : str
        A message in English.
    """
    return bool(_translated(str(text), {}))


def _translated(text: str, labels: Mapping[str, str]) -> str:
    """Return a message in Chinese, empty where it is unknown."""
    text = text.strip()
    for template in _templates():
        found = template.pattern.fullmatch(text)
        if found and _has_what_it_needs(template, found):
            filled = {name: _filled(value, template.kinds[name], labels) for name, value in found.groupdict().items()}
            return template.chinese.format(**filled)
    parts = text.split("; ")
    if len(parts) > 1:
        told = [_translated(part, labels) for part in parts]
        return "；".join(told) if all(told) else ""
    return ""


def _has_what_it_needs(template: _Template, found: re.Match[str]) -> bool:
    """Whether the messages within a message that must be known are."""
    return all(_translated(found[name], {}) for name, kind in template.kinds.items() if kind == "known")


def _filled(value: str, kind: str, labels: Mapping[str, str]) -> str:
    if kind == "word":
        return catalogue()["words"][value]
    if kind in ("text", "known"):
        return _translated(value, labels) or _parts(value, labels) or value
    if kind == "list":
        return "、".join(_named(name, labels) for name in _BETWEEN.split(value))
    return value if kind == "number" else _named(value, labels)


def _parts(value: str, labels: Mapping[str, str]) -> str:
    """Return several messages of which some have no Chinese; empty for a single one."""
    parts = value.split("; ")
    return "；".join(_translated(part, labels) or part for part in parts) if len(parts) > 1 else ""


def _named(name: str, labels: Mapping[str, str]) -> str:
    """Return what a column or an interaction of columns is called."""
    if name in labels:
        return labels[name]
    parts = name.split("^")
    return "×".join(labels.get(part, part) for part in parts) if len(parts) > 1 else name


@lru_cache(maxsize=1)
def catalogue() -> Mapping[str, Mapping[str, str]]:
    """Return the catalogue: Chinese by English, section by section."""
    text = (files("econometrics") / CATALOGUE).read_text(encoding="utf-8")
    content: dict[str, dict[str, str]] = yaml.safe_load(text)
    return content


def templates() -> dict[str, str]:
    """Return the Chinese template of each English one."""
    return {en: zh for section, pairs in catalogue().items() if section != "words" for en, zh in pairs.items()}


@lru_cache(maxsize=1)
def _templates() -> tuple[_Template, ...]:
    """Return all templates as patterns, those with the most text of their own first."""
    pairs = templates()
    return tuple(_compiled(english, pairs[english]) for english in sorted(pairs, key=_own_text, reverse=True))


def _own_text(template: str) -> int:
    return sum(len(literal) for literal, *_ in Formatter().parse(template))


def _compiled(english: str, chinese: str) -> _Template:
    kinds = dict(placeholders(english))
    pattern, seen = "", set[str]()
    for literal, name, kind, _ in Formatter().parse(english):
        pattern += re.escape(literal)
        if name:
            pattern += f"(?P={name})" if name in seen else f"(?P<{name}>{_pattern(kind or '')})"
            seen.add(name)
    return _Template(re.compile(pattern, re.DOTALL), kinds, chinese)


def _pattern(kind: str) -> str:
    if kind == "word":
        return "|".join(map(re.escape, sorted(catalogue()["words"], key=len, reverse=True)))
    return _PATTERNS[kind]
