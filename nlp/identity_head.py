"""The pages of a report where it says whose it is: its first pages, running headers and profile."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from nlp.identity_patterns import CODE_LABEL, MARKS, NAME_MARK, PROFILE
from nlp.title import fold

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
EXCERPT_CHARACTERS = 80
PLACES: tuple[Place, ...] = ("cover", "profile", "header", "body")


@dataclass(frozen=True)
class HeadPage:
    """One of the first pages: its number from 1, its text folded, and as extracted."""

    number: int
    text: str
    raw: str
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

    def has_mark(self, pattern: re.Pattern[str]) -> bool:
        """Return whether the page has a character without which the pattern cannot match; this saves most searches."""
        return any(mark in self.text for mark in MARKS[pattern])

    def excerpt(self, start: int, end: int) -> str:
        """Return the printed lines that hold a stretch of the folded text, or the stretch where they are long."""
        first, last = self.text.count("\n", 0, start), self.text.count("\n", 0, end)
        # Folding leaves every line break where it is.
        lines = self.raw.split("\n", last + 1)[first : last + 1]
        printed = " ".join("\n".join(lines).split())
        if len(printed) <= EXCERPT_CHARACTERS:
            return printed
        return " ".join(self.text[start:end].split())[:EXCERPT_CHARACTERS]


@dataclass(frozen=True)
class Found:
    """A find: what it says, in which place, and from where to where on which page."""

    value: str
    place: Place
    page: HeadPage
    start: int
    end: int

    @property
    def evidence(self) -> str:
        """The line in which it stands."""
        return self.page.excerpt(self.start, self.end)

    @property
    def near(self) -> str:
        """The text from its label on."""
        return self.page.text[self.start : self.end + 80]


def find(match: re.Match[str], place: Place, page: HeadPage, value: str) -> Found:
    """Return a find at a match."""
    return Found(value, place, page, match.start(), match.end())


def head_pages(pages: Sequence[str]) -> list[HeadPage]:
    """Fold the first pages that have text, up to the page after the company profile."""
    head: list[HeadPage] = []
    room = HEAD_CHARACTERS
    is_code_seen = is_name_seen = False
    for number, page in enumerate(pages, start=1):
        raw = page[:room].replace("\r\n", "\n")
        text = tidy(raw)
        if not text.strip():
            continue
        if len(pages) == 1:
            text = _to_profile(text)
        head.append(HeadPage(number, text, raw, not head, len(pages) == 1))
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
    """Fold the last pages, where some reports print their corporate information."""
    if len(pages) == 1:
        ends = [(1, pages[0][HEAD_CHARACTERS:][-LAST_PAGES * FULL_PAGE_CHARACTERS :])]
    else:
        first = max(len(pages) - LAST_PAGES, 1)
        ends = [(number, page[:FULL_PAGE_CHARACTERS]) for number, page in enumerate(pages[first:], start=first + 1)]
    raws = [(number, text.replace("\r\n", "\n")) for number, text in ends]
    return [HeadPage(number, tidy(raw), raw, False, False) for number, raw in raws]


def tidy(text: str) -> str:
    """Fold widths; drop control characters and the brackets of FinGLM's table rows; keep every line break."""
    text = fold(text)
    if "['" in text:
        text = re.sub(r"\['|', '|'\]", " ", text)
    return re.sub(r"[\x00-\x08\x0e-\x1f]", " ", re.sub("[\u200b\u00ad\ufeff]", "", text))


def best(found: Iterator[Found]) -> Found | None:
    """Return the earliest find in the best place."""
    return min(found, key=lambda item: PLACES.index(item.place), default=None)


def labelled(head: Sequence[HeadPage], pattern: re.Pattern[str], group: str) -> Iterator[Found]:
    """Find a labelled value; in brackets in running text it belongs to another firm."""
    for page in head:
        if not page.has_mark(pattern):
            continue
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
            yield find(match, place, page, match[group])
