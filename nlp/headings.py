"""What headings of top-level sections look like: their numberings, their lines, their surroundings."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from nlp.layout import Layout, furniture_key
from nlp.section_titles import SectionKind, kind_of_key, parse_number, title_key

Style = Literal["part", "chapter", "section", "chinese", "arabic", "roman", "bracketed", "appendix", "none"]

_CHINESE_DIGITS = "一二三四五六七八九十"
_CHINESE = f"[{_CHINESE_DIGITS}](?: ?[{_CHINESE_DIGITS}]){{0,2}}"
_NUMBER = r"(?P<number>(?:[一二三四五六七八九十百零〇\d] ?){1,4})"
_TITLE = r" *(?P<title>[^\n]*)"


@dataclass(frozen=True)
class Numbering:
    """A numbering style: the characters its lines begin with, and the pattern of such a line."""

    style: Style
    begins: str
    pattern: re.Pattern[str]

    def lines(self, layout: Layout, start: int, end: int) -> Iterator[re.Match[str]]:
        """Yield the lines of this style between two places, in order."""
        starts = [place for first in self.begins for place in layout.numbered_lines.get(first, ())]
        if len(self.begins) > 1:
            starts.sort()
        for place in starts[bisect_left(starts, start) : bisect_left(starts, end)]:
            match = self.pattern.match(layout.text, place)
            if match is not None:
                yield match


NUMBERINGS: tuple[Numbering, ...] = (
    Numbering("part", "第", re.compile(rf"第 ?{_NUMBER} ?(?:部 ?分|篇)[、.．:： ]*{_TITLE}")),
    Numbering("chapter", "第", re.compile(rf"第 ?{_NUMBER} ?章[、.．:： ]*{_TITLE}")),
    Numbering("section", "第", re.compile(rf"第 ?{_NUMBER} ?节[、.．:： ]*{_TITLE}")),
    Numbering("chinese", _CHINESE_DIGITS, re.compile(rf"(?P<number>{_CHINESE}) ?[、.．,，:： ]{_TITLE}")),
    Numbering(
        "arabic",
        "§0123456789",
        re.compile(r"§? ?(?P<number>\d{1,2}) ?[、.．: ] *(?P<title>[^\n\d\s.%,，、][^\n]*|(?=\n|\Z))"),
    ),
    Numbering("roman", "ivxⅠⅡⅢⅣⅤⅥⅦⅧⅨⅩⅪⅫ", re.compile(rf"(?P<number>[ivx]{{1,5}}|[Ⅰ-Ⅻ]) ?[、.．]{_TITLE}")),
    Numbering("bracketed", "(（", re.compile(rf"[(（] ?(?P<number>{_CHINESE}) ?[)）]{_TITLE}")),
)
# Numberings that hardly ever stand before anything but a top-level section.
EXPLICIT_STYLES: frozenset[Style] = frozenset(("part", "chapter", "section", "appendix"))
APPENDIX = Numbering("appendix", "附", re.compile(rf"附 ?录 ?{_NUMBER} ?[、.．:： ]{_TITLE}"))
FRONT_MATTER = re.compile(r"^ *(?P<title>(?:重 *要 *提 *示|目 *录|释 *义)[:：]?) *$", re.MULTILINE)
LEADERS = re.compile(r"(?:[.．·•‥] ?){3,}|…+(?: ?[.．…])*|[-_—。]{4,}")

LONGEST_TITLE = 46
MOST_LINES = 3
SHORTEST_BROKEN = 4
LONGEST_TOP = 400
SENTENCE = re.compile("[。；;？！?!，,“”\"'|｜]|：.|:.")
# What stands before and after a section's name that is only mentioned.
MENTION_BEFORE = re.compile(
    r"(?:见|参阅|参照|参考|查阅|阅读|根据|依据|按照|之|的|在|于|及|和|与|或|从|至|[、，,“‘《（(「『/])$"
)
MENTION_AFTER = re.compile(r"[。，,；;、”’》）)」』/]|[之中的]|部分|所述|相关内容")


@dataclass(frozen=True)
class Heading:
    """A line that could be the heading of a section.

    Parameters
    ----------
    style : str
        How it is numbered.
    number : int
        Its number; for unnumbered headings the place in the contents.
    start, end : int
        Its place in the joined text, from the numbering to the last character of the title.
    key : str
        Title as it is compared.
    kind : str
        Canonical kind by the title.
    in_contents : bool
        Whether the contents page lists the title.
    flags : frozenset of str
        ``top`` (first on its page), ``running`` (in a running header), ``mention`` (in a cross reference).
    score : float
        How much speaks for it.
    """

    style: Style
    number: int
    start: int
    end: int
    key: str
    kind: SectionKind
    in_contents: bool
    flags: frozenset[str]
    score: float

    @property
    def is_named(self) -> bool:
        """Whether the title is listed in the contents or a usual one."""
        return self.in_contents or self.kind != "other"


def find_headings(layout: Layout, listed: frozenset[str], numbering: Numbering) -> Iterator[Heading]:
    """Yield the lines of a numbering style that could be headings, in order.

    Parameters
    ----------
    layout : Layout
        The report.
    listed : frozenset of str
        Titles on the contents page, as :func:`title_key` gives them.
    numbering : Numbering
        Numbering style.
    """
    prefixes = frozenset(title[:length] for title in listed for length in range(SHORTEST_BROKEN, len(title)))
    for match in numbering.lines(layout, 0, len(layout.text)):
        number = parse_number(match["number"])
        if not 0 < number < 40:
            continue
        found = _title_at(layout, match.start("title"), match.end(), listed, prefixes, numbering.style)
        if found is not None:
            key, end = found
            yield judge(layout, numbering.style, number, (match.start(), end), key, listed)


def judge(
    layout: Layout, style: Style, number: int, span: tuple[int, int], key: str, listed: frozenset[str]
) -> Heading:
    """Weigh a line that could be a heading by its title and its surroundings."""
    start, end = span
    kind = kind_of_key(key)
    is_usual = kind != "other"
    in_contents = key in listed
    flags: set[str] = set()
    if in_contents or is_usual or style in EXPLICIT_STYLES:
        flags = _surroundings(layout, start, end)
    score = 3.0 * in_contents + 1.5 * is_usual + (style in EXPLICIT_STYLES)
    score += 0.8 * ("top" in flags) - 2.5 * ("running" in flags) - 2.5 * ("mention" in flags)
    return Heading(style, number, start, end, key, kind, in_contents, frozenset(flags), score)


def _title_at(
    layout: Layout, start: int, end: int, listed: frozenset[str], prefixes: frozenset[str], style: Style
) -> tuple[str, int] | None:
    """Return key and end of the title on a line, joined with the next line where it is broken over two."""
    line = layout.text[start:end]
    if LEADERS.search(line) or len(line) > 2 * LONGEST_TITLE:
        return None
    title = line.strip()
    key = title_key(title)
    end = start + len(line.rstrip())
    if key not in listed and (not key or style in EXPLICIT_STYLES or key in prefixes):
        joined = _joined(layout, title, end, listed)
        if joined is not None:
            return joined
    if not key or SENTENCE.search(title) or len(title.replace(" ", "")) > LONGEST_TITLE:
        return None
    return key, end


def _joined(layout: Layout, title: str, end: int, listed: frozenset[str]) -> tuple[str, int] | None:
    """Return key and end of a title together with the next lines, if only that makes it one we know."""
    is_broken = not title or kind_of_key(title_key(title)) == "other"
    for _ in range(MOST_LINES - 1):
        next_start, next_end = layout.line_after(end)
        rest = layout.text[next_start:next_end].strip()
        title, end = title + rest, next_start + len(rest)
        if not rest or len(title) > LONGEST_TITLE or SENTENCE.search(title) or LEADERS.search(rest):
            return None
        if any(numbering.pattern.match(rest) for numbering in NUMBERINGS):
            return None
        key = title_key(title)
        if key in listed or (is_broken and kind_of_key(key) != "other"):
            return key, end
    return None


def _surroundings(layout: Layout, start: int, end: int) -> set[str]:
    """Return what the lines around a heading say about it."""
    flags: set[str] = set()
    line = layout.text[start:end]
    own = furniture_key(line)
    page_start = layout.page_starts[layout.page_of(start) - 1]
    below_start, below_end = layout.line_after(end)
    if layout.is_page_top(start, own):
        flags.add("top")
        is_repeated = own in furniture_key(layout.text[max(page_start, start - LONGEST_TOP) : start])
        below = layout.text[slice(*layout.line_after(end, past_furniture=True))]
        if (layout.is_running(line) and not is_repeated) or own == furniture_key(below):
            flags.add("running")
    above = layout.line_before(start, page_start)
    if above is not None and MENTION_BEFORE.search(layout.text[slice(*above)].rstrip()):
        flags.add("mention")
    if MENTION_AFTER.match(layout.text[below_start:below_end]):
        flags.add("mention")
    return flags
