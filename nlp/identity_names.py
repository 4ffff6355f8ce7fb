"""The names of a firm as its report gives them: company name and short name."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from nlp.identity_head import (
    COVER_CHARACTERS,
    HEADER_CHARACTERS,
    Found,
    HeadPage,
    Language,
    Place,
    best,
    labelled,
)
from nlp.identity_patterns import (
    CHINESE,
    CODE_ROW,
    ENGLISH_DEFINED,
    ENGLISH_LINE,
    NAME_DEFINED,
    NAME_LABELS,
    NAME_LINE,
    NOT_A_COMPANY,
    NOT_A_SHORT_NAME,
    NOT_THE_FIRM,
    SHORT_NAME_LABEL,
    SHORTEST_COMPANY,
)


def _clean_name(name: str) -> str:
    return re.sub(r"\s", "", name) if CHINESE.search(name) else re.sub(r"\s+", " ", name).strip()


def find_company_name(head: Sequence[HeadPage], language: Language | None, is_traditional: bool) -> Found | None:
    """Return the legal name: the Chinese one, but the English one of a firm that was founded abroad."""
    chinese = best(_chinese_names(head)) or best(_defined_names(head))
    if language == "zh-Hans" or (chinese and "股份有限公司" in chinese.value) or (chinese and language == "zh-Hant"):
        return chinese
    return _english_name(head) or chinese


def _chinese_names(head: Sequence[HeadPage]) -> Iterator[Found]:
    for page in head:
        top = page.text[: page.cover_length if page.is_first else HEADER_CHARACTERS]
        searches: list[tuple[Place, re.Pattern[str], str]] = [
            ("profile", pattern, page.text) for pattern in NAME_LABELS
        ]
        searches.append(("header", NAME_LINE, top))
        for place, pattern, text in searches:
            for match in pattern.finditer(text):
                name = _clean_name(match["name"])
                if _is_company(name):
                    yield Found(name, "cover" if place == "header" and page.is_first else place, page.number)


def _defined_names(head: Sequence[HeadPage]) -> Iterator[Found]:
    for page in head:
        for match in NAME_DEFINED.finditer(page.text):
            name = _clean_name(match["name"])
            if _is_company(name):
                yield Found(name, "body", page.number)


def _is_company(name: str) -> bool:
    return len(name) >= SHORTEST_COMPANY and not NOT_A_COMPANY.search(name)


def _english_name(head: Sequence[HeadPage]) -> Found | None:
    """Return the English name found most often, spelled with small letters where it is."""
    found = [
        Found(_clean_name(match["name"]), "cover" if page.is_first else "header", page.number)
        for page in head
        for pattern, text in (
            (ENGLISH_DEFINED, page.text),
            (ENGLISH_LINE, page.text[: COVER_CHARACTERS if page.is_first else HEADER_CHARACTERS]),
        )
        for match in pattern.finditer(text)
        if not NOT_THE_FIRM.search(match["name"])
    ]
    if not found:
        return None
    name, _ = Counter(item.value.casefold() for item in found).most_common(1)[0]
    same = [item for item in found if item.value.casefold() == name]
    spelled = next((item.value for item in same if not item.value.isupper()), same[0].value)
    return Found(spelled, same[0].place, same[0].page)


def find_short_name(head: Sequence[HeadPage]) -> str | None:
    """Return the short name under which the shares are listed."""
    found = best(
        item
        for pattern in (SHORT_NAME_LABEL, CODE_ROW)
        for item in labelled(head, pattern, "name")
        if not NOT_A_SHORT_NAME.search(item.value)
    )
    return re.sub(r"\s", "", found.value) if found else None
