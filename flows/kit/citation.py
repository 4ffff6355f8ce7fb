"""How to cite a data set: CITATION.cff (Citation File Format 1.2.0) and BibTeX, from facts that the export holds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

from flows.kit.facts import KitFacts, WordList
from shuzhi import __version__

SOFTWARE_AUTHOR = "The shuzhi developers"
# The format's schema takes no other character in a DOI.
_DOI = re.compile(r"10\.\d{4,9}(\.\d+)?/[A-Za-z0-9:/_;\-.()\[\]\\]+")
_SPECIAL = re.compile(r"([&%$#_{}])")


def citation_cff(facts: KitFacts) -> str:
    """Return the text of CITATION.cff: the data set, the software, and the article of each word list."""
    content: dict[str, Any] = {
        "cff-version": "1.2.0",
        "message": "If you use these data, please cite the data set, the software and the source of the word list.",
        "type": "dataset",
        "title": facts.title_en,
        "abstract": facts.abstract,
        "authors": [_agent(name) for name in facts.authors],
        "version": facts.version,
        "keywords": ["annual reports", "listed firms", "China", "text index", "firm-year panel"],
        "identifiers": [
            {
                "type": "other",
                "value": f"sha256:{facts.data_hash}",
                "description": "SHA-256 of data/indices_long.csv",
            }
        ],
        "references": [_software(), *filter(None, map(_article, facts.word_lists))],
    }
    if facts.licence:
        content["license"] = facts.licence
    return yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=100)


def _agent(name: str) -> dict[str, str]:
    """Return a person from ``Family, Given``, else an entity."""
    family, comma, given = (part.strip() for part in name.partition(","))
    return {"family-names": family, "given-names": given} if comma and given else {"name": name.strip()}


def _software() -> dict[str, Any]:
    return {
        "type": "software",
        "title": "shuzhi",
        "version": __version__,
        "license": "MIT",
        "authors": [{"name": SOFTWARE_AUTHOR}],
    }


def _article(words: WordList) -> dict[str, Any] | None:
    """Return the article that a word list comes from; none for a list without one."""
    if not words.article_en and not words.article_zh:
        return None
    title = f"{words.article_zh} ({words.article_en})" if words.article_en and words.article_zh else words.article_any
    found: dict[str, Any] = {
        "type": "article",
        "title": title,
        # A Chinese name is not cut in two: nobody could say where.
        "authors": [{"family-names": name} for name in words.authors] or [{"name": "anonymous"}],
        "notes": f"Source of the word list {words.name} ({words.terms} terms, hash {words.content_hash}); "
        f"{words.checked_en}",
    }
    if words.journal:
        found["journal"] = words.journal
    if words.year.isdigit():
        found["year"] = int(words.year)
    if _DOI.fullmatch(words.doi):
        found["doi"] = words.doi
    return found


def citation_bib(facts: KitFacts) -> str:
    """Return the same as BibTeX, for biber or a BibTeX that takes UTF-8."""
    entries = [
        _entry(
            "misc",
            f"indices_{facts.version.partition('-')[2]}",
            {
                "title": f"{{{_tex(facts.title_en)}}}",
                "author": " and ".join(_bib_name(name) for name in facts.authors),
                "version": facts.version,
                "note": f"Data set, firm-years {facts.first_year}--{facts.last_year}, made with shuzhi {__version__}. "
                f"SHA-256 of data/indices\\_long.csv: {facts.data_hash}",
            },
        ),
        _entry(
            "misc",
            f"shuzhi_{__version__}",
            {
                "title": "{shuzhi}",
                "author": f"{{{SOFTWARE_AUTHOR}}}",
                "version": __version__,
                "note": "Software, MIT licence",
            },
        ),
    ]
    entries += [_bib_article(each) for each in facts.word_lists if each.article_any]
    return "\n".join(entries)


def _bib_article(words: WordList) -> str:
    return _entry(
        "article",
        words.name,
        {
            "title": f"{{{_tex(words.article_any)}}}",
            "author": " and ".join(f"{{{_tex(name)}}}" for name in words.authors),
            "journal": _tex(words.journal),
            "year": words.year,
            "doi": words.doi,
            "note": _tex(f"Source of the word list {words.name}; {words.checked_en}"),
        },
    )


def _bib_name(name: str) -> str:
    return _tex(name) if "given-names" in _agent(name) else f"{{{_tex(name)}}}"


def _entry(kind: str, key: str, fields: Mapping[str, str]) -> str:
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
    return "\n".join([f"@{kind}{{{key},", *lines, "}", ""])


def _tex(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)
