"""The names of a firm as its report gives them: company name and short name."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from nlp.identity_head import (
    COVER_CHARACTERS,
    HEADER_CHARACTERS,
    Found,
    HeadPage,
    Language,
    Place,
    best,
    find,
    labelled,
)
from nlp.identity_patterns import (
    CHINESE,
    CODE_ROW,
    DEFINITION,
    ENGLISH_DEFINED,
    ENGLISH_LINE,
    NAME_DEFINED,
    NAME_LABELS,
    NAME_LINE,
    NOT_A_COMPANY,
    NOT_A_SHORT_NAME,
    NOT_THE_FIRM,
    OTHER_SHORT_NAME,
    SHORT_NAME_LABEL,
    SHORT_NAME_OF_COMPANY,
    SHORTEST_COMPANY,
)
from nlp.title import is_b_share

LONGEST_ENGLISH_NAME = 150
# Ranks of the places of a name: 中文名称 and 法定中文名称, the cover, a mere 公司名称, running headers.
LABELS = (0, 2, 0)
COVER, HEADER = 1, 3


def _clean_name(name: str) -> str:
    return re.sub(r"\s", "", name) if CHINESE.search(name) else re.sub(r"\s+", " ", name).strip()


def find_company_name(
    head: Sequence[HeadPage], language: Language | None, is_traditional: bool
) -> tuple[Found | None, str | None]:
    """Return the legal name, and the one on the cover where that is another.

    The profile's label goes before the line on the cover, which may be broken, and this before running headers. It is
    the Chinese name, but the English one of a firm that was founded abroad.
    """
    names = sorted(_chinese_names(head), key=lambda ranked: ranked[0])
    chinese = names[0][1] if names else best(_defined_names(head))
    on_cover = next((name.value for rank, name in names if rank == COVER), None)
    other = on_cover if chinese and on_cover != chinese.value else None
    if language == "zh-Hans" or (chinese and "股份有限公司" in chinese.value) or (chinese and language == "zh-Hant"):
        return chinese, other
    return _english_name(head) or chinese, None


def _chinese_names(head: Sequence[HeadPage]) -> Iterator[tuple[int, Found]]:
    """Find Chinese names with the rank of their place."""
    for page in head:
        if "司" not in page.text:
            continue
        top = page.text[: page.cover_length if page.is_first else HEADER_CHARACTERS]
        line: tuple[Place, int] = ("cover", COVER) if page.is_first else ("header", HEADER)
        searches: list[tuple[Place, int, re.Pattern[str], str]] = [
            ("profile", rank, pattern, page.text) for rank, pattern in zip(LABELS, NAME_LABELS, strict=True)
        ]
        for place, rank, pattern, text in (*searches, (*line, NAME_LINE, top)):
            for match in pattern.finditer(text):
                name = _clean_name(match["name"])
                if _is_company(name):
                    yield rank, find(match, place, page, name)


def _defined_names(head: Sequence[HeadPage]) -> Iterator[Found]:
    for page in head:
        for match in NAME_DEFINED.finditer(page.text) if page.has_mark(NAME_DEFINED) else ():
            name = _clean_name(match["name"])
            if _is_company(name):
                yield find(match, "body", page, name)


def _is_company(name: str) -> bool:
    return len(name) >= SHORTEST_COMPANY and not NOT_A_COMPANY.search(name)


def _english_lines(page: HeadPage) -> Iterator[tuple[str, int]]:
    top = page.text[: COVER_CHARACTERS if page.is_first else HEADER_CHARACTERS]
    yield from ((match["name"], match.start("name")) for match in ENGLISH_LINE.finditer(top))


def _english_definitions(page: HeadPage) -> Iterator[tuple[str, int]]:
    for bracket in DEFINITION.finditer(page.text):
        start = max(bracket.start() - LONGEST_ENGLISH_NAME, 0)
        match = ENGLISH_DEFINED.search(page.text[start : bracket.start()].rstrip())
        if match:
            yield match["name"], start + match.start("name")


def _english_name(head: Sequence[HeadPage]) -> Found | None:
    """Return the English name found most often, spelled with small letters where it is."""
    found = [
        Found(_clean_name(name), "cover" if page.is_first else "header", page, start, start + len(name))
        for page in head
        for name, start in (*_english_lines(page), *_english_definitions(page))
        if not NOT_THE_FIRM.search(name)
    ]
    if not found:
        return None
    name, _ = Counter(item.value.casefold() for item in found).most_common(1)[0]
    same = [item for item in found if item.value.casefold() == name]
    spelled = next((item.value for item in same if not item.value.isupper()), same[0].value)
    return replace(same[0], value=spelled)


def find_short_name(head: Sequence[HeadPage], code: str | None) -> Found | None:
    """Return the short name under which the shares are listed: that of the A shares where the code is theirs."""
    names = [
        replace(item, value=re.sub(r"\s", "", item.value))
        for pattern in (SHORT_NAME_LABEL, CODE_ROW, SHORT_NAME_OF_COMPANY)
        for item in labelled(head, pattern, "name")
        if not NOT_A_SHORT_NAME.search(item.value)
    ]
    found = best(iter(names))
    if found is None or is_b_share(code) or not re.search(r"B股?$", found.value):
        return found
    others = (re.sub(r"\s", "", match["name"]) for match in OTHER_SHORT_NAME.finditer(found.near))
    name = next((name for name in others if name[:2] == found.value[:2] and not re.search(r"B股?$", name)), found.value)
    return replace(found, value=name)
