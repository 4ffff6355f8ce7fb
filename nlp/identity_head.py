"""The pages of a report where it says whose it is: its first pages, running headers and profile."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from nlp.identity_patterns import (
    CODE_LABEL,
    NAME_MARK,
    PROFILE,
)
from nlp.title import (
    fold,
)

Place = Literal["cover", "header", "profile", "body"]
Language = Literal["zh-Hans", "zh-Hant", "en", "mixed"]

HEAD_PAGES = 15
LAST_PAGES = 3
HEAD_CHARACTERS = 30_000
COVER_CHARACTERS = 800
# The first page of an extract or a summary is full of text: its title stands at the very top.
FULL_PAGE_CHARACTERS = 2_000
FULL_PAGE_TITLE_WITHIN = 300
HEADER_CHARACTERS = 110
PROFILE_BEFORE, PROFILE_AFTER = 800, 1_500
PLACES: tuple[Place, ...] = ("cover", "profile", "header", "body")


@dataclass(frozen=True)
class HeadPage:
    """One of the first pages, folded, with its number from 1."""

    number: int
    text: str
    is_first: bool
    is_whole_document: bool

    @property
    def cover_length(self) -> int:
        """How far the cover's title may stand from the top."""
        return FULL_PAGE_TITLE_WITHIN if self.is_full else COVER_CHARACTERS

    @property
    def is_full(self) -> bool:
        """Whether this is a page full of text, which no cover is."""
        return len(self.text) > FULL_PAGE_CHARACTERS and not self.is_whole_document


@dataclass(frozen=True)
class Found:
    """A find: what it says, in which place, on which page, and the text near it."""

    value: str
    place: Place
    page: int
    near: str = ""


def head_pages(pages: Sequence[str]) -> list[HeadPage]:
    """Fold the first pages that have text, up to the page after the company profile."""
    head: list[HeadPage] = []
    room = HEAD_CHARACTERS
    is_code_seen = is_name_seen = False
    for number, page in enumerate(pages, start=1):
        text = tidy(page[:room])
        if not text.strip():
            continue
        if len(pages) == 1:
            text = _to_profile(text)
        head.append(HeadPage(number, text, not head, len(pages) == 1))
        room -= len(text)
        if len(head) == HEAD_PAGES or room <= 0 or (is_code_seen and is_name_seen):
            break
        is_code_seen = is_code_seen or CODE_LABEL.search(text) is not None
        is_name_seen = is_name_seen or NAME_MARK.search(text) is not None
    return head


def _to_profile(text: str) -> str:
    """Cut a text without pages behind its company profile."""
    code, name = CODE_LABEL.search(text), NAME_MARK.search(text)
    return text[: max(code.end(), name.end()) + PROFILE_AFTER] if code and name else text


def last_pages(pages: Sequence[str]) -> list[HeadPage]:
    """Fold the last pages, where reports of Hong Kong may print their corporate information."""
    first = max(len(pages) - LAST_PAGES, 1)
    return [
        HeadPage(number, tidy(page[:FULL_PAGE_CHARACTERS]), False, False)
        for number, page in enumerate(pages[first:], start=first + 1)
    ]


def tidy(text: str) -> str:
    """Fold widths; drop control characters and the brackets of FinGLM's table rows."""
    text = fold(text).replace("\r\n", "\n")
    if "['" in text:
        text = re.sub(r"\['|', '|'\]", " ", text)
    return re.sub(r"[\x00-\x08\x0e-\x1f\u200b\ufeff]", " ", text)


def best(found: Iterator[Found]) -> Found | None:
    """Return the earliest find in the best place."""
    return min(found, key=lambda item: PLACES.index(item.place), default=None)


def labelled(head: Sequence[HeadPage], pattern: re.Pattern[str], group: str) -> Iterator[Found]:
    """Find a labelled value; in brackets in running text it belongs to another firm."""
    for page in head:
        profiles: list[int] | None = None
        for match in pattern.finditer(page.text):
            if profiles is None:
                profiles = [marker.start() for marker in PROFILE.finditer(page.text)]
            place: Place = "body"
            if page.is_first and match.start() < COVER_CHARACTERS:
                place = "cover"
            elif any(-PROFILE_BEFORE <= match.start() - start <= PROFILE_AFTER for start in profiles):
                place = "profile"
            before = page.text[max(0, match.start() - 3) : match.start()].strip()
            if place != "cover" and before.endswith(("(", ",", "为")):
                continue
            yield Found(match[group], place, page.number, page.text[match.start() : match.end() + 80])
