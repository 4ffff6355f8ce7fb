"""What headings of top-level sections look like: their numberings, their lines, their surroundings."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from nlp.layout import FURNITURE_PAGES, Layout, furniture_key
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
        starts = layout.lines_beginning(self.begins)
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
SHORTEST_BROKEN = 2
LONGEST_TOP = 400
SHORTEST_REPEATED = 4
SENTENCE = re.compile("[。；;？！?!，,“”\"'|｜]|：.|:.")
LONE_NUMERAL = re.compile("[(（]?[一1][)）]?[、.]?")
CLOSING = " 】〗*#"
# What stands before and after a section's name that is only mentioned.
MENTION_BEFORE = re.compile(
    r"(?:见|见本报告|见本年度报告|参阅|参照|参考|查阅|阅读|根据|依据|按照|之|的|在|于|及|和|与|或|从|至|[、，,“‘《（(「『/])$"
)
MENTION_AFTER = re.compile(r"[。，,；;、”’》）)」』/]|[之中的]|部分|所述|相关内容")


# Titles on the contents page, as they are compared, with style and number of their entry.
Listed = Mapping[str, tuple[Style, int]]


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


def find_headings(layout: Layout, listed: Listed, numbering: Numbering) -> Iterator[Heading]:
    """Yield the lines of a numbering style that could be headings, in order.

    Parameters
    ----------
    layout : Layout
        The report.
    listed : mapping
        Titles on the contents page, as :func:`title_key` gives them, with style and number of their entry.
    numbering : Numbering
        Numbering style.
    """
    prefixes = frozenset(title[:length] for title in listed for length in range(SHORTEST_BROKEN, len(title)))
    last: Heading | None = None
    for line in numbering.lines(layout, 0, len(layout.text)):
        for match in _split(line, numbering):
            number = parse_number(match["number"])
            if not 0 < number < 40:
                continue
            found = _title_at(layout, match, listed, prefixes, numbering.style)
            if found is None:
                continue
            key, end = found
            heading = judge(layout, numbering.style, number, (match.start(), end), key, listed)
            if last is None or not is_copy(layout, last, heading):
                yield heading
                last = heading


def is_copy(layout: Layout, last: Heading, heading: Heading) -> bool:
    """Tell whether a heading only repeats the line before it, to look bold or after a title page."""
    is_same = (last.number, last.key) == (heading.number, heading.key) and "running" not in last.flags
    return is_same and not layout.text[last.end : heading.start].strip()


def _split(line: re.Match[str], numbering: Numbering) -> Iterator[re.Match[str]]:
    """Yield the headings of a line: one as a rule, two where a section holds no text of its own."""
    second = line["title"].find("第", 1) if numbering.style in EXPLICIT_STYLES else -1
    again = numbering.pattern.match(line.string, line.start("title") + second) if second > 0 else None
    if again is None or parse_number(again["number"]) != parse_number(line["number"]) + 1:
        yield line
        return
    first = numbering.pattern.match(line.string, line.start(), again.start())
    if first is not None:
        yield first
        yield again


def judge(layout: Layout, style: Style, number: int, span: tuple[int, int], key: str, listed: Listed) -> Heading:
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
    layout: Layout, match: re.Match[str], listed: Listed, prefixes: frozenset[str], style: Style
) -> tuple[str, int] | None:
    """Return key and end of the title on a line, joined with the next line where it is broken over two."""
    line = match["title"]
    if LEADERS.search(line) or len(line.strip(" ")) > 2 * LONGEST_TITLE:
        return None
    title = _once(match[0], line).strip(CLOSING)
    key = title_key(title)
    end = match.start("title") + line.index(title) + len(title) if title else match.end() - len(line)
    if key not in listed and (not key or style in EXPLICIT_STYLES or key in prefixes):
        joined = _joined(layout, title, end, listed, is_listed_only=bool(title) and style not in EXPLICIT_STYLES)
        # A number alone on its line is a page number, unless the contents have that number before the title.
        is_page_number = style == "arabic" and match[0].strip().isdecimal()
        if joined is not None and not (is_page_number and listed.get(joined[0]) != (style, int(match["number"]))):
            return joined
    if not key or SENTENCE.search(title) or len(title.replace(" ", "")) > LONGEST_TITLE:
        return None
    return key, end


def _once(line: str, title: str) -> str:
    """Return the title of a line, only its first copy where the whole line is there twice to look bold."""
    visible = line.replace(" ", "")
    half, is_odd = divmod(len(visible), 2)
    if is_odd or half < 4 or visible[:half] != visible[half:]:
        return title
    head = len(visible) - len(title.replace(" ", ""))
    missing = half - head
    for place, character in enumerate(title):
        missing -= character != " "
        if missing < 0:
            return title[:place]
    return title


def _joined(layout: Layout, title: str, end: int, listed: Listed, *, is_listed_only: bool) -> tuple[str, int] | None:
    """Return key and end of a title together with the next lines, if only that makes it one we know."""
    is_broken = not title or kind_of_key(title_key(title)) == "other"
    for _ in range(MOST_LINES - 1):
        next_start, next_end = layout.line_after(end)
        rest = layout.text[next_start:next_end].strip()
        if not title and LONE_NUMERAL.fullmatch(rest):
            # Readers that put lines in another order print the first inner number between number and title.
            next_start, next_end = layout.line_after(next_end)
            rest = layout.text[next_start:next_end].strip()
        title, end = title + rest, next_start + len(rest)
        if not rest or len(title) > LONGEST_TITLE or SENTENCE.search(title) or LEADERS.search(rest):
            return None
        if any(numbering.pattern.match(rest) for numbering in NUMBERINGS):
            return None
        key = title_key(title)
        if key in listed or (is_broken and not is_listed_only and kind_of_key(key) != "other"):
            return key, end
    return None


def _is_below_header(layout: Layout, start: int, own: str) -> bool:
    """Tell whether a running header above names a section already, this one or the one before."""
    above = layout.text[max(layout.page_starts[layout.page_of(start) - 1], start - LONGEST_TOP) : start]
    return own in furniture_key(above) or any(layout.is_running_title(line) for line in above.split("\n"))


def _is_title_page(layout: Layout, end: int, own: str) -> bool:
    """Tell whether a page has nothing but a title, and the page before is none of its section."""
    page = layout.page_of(end)
    below, _ = layout.line_after(end, past_furniture=True)
    if layout.page_of(below) == page:
        return False
    before = layout.page_starts[max(0, page - 2)]
    return page == 1 or own not in furniture_key(layout.text[before : before + LONGEST_TOP])


def _stands_again(layout: Layout, end: int, own: str) -> bool:
    """Tell whether a title, or the first line of one that is broken, is a line further down the page, not its foot."""
    page = layout.page_of(end)
    page_end = layout.page_starts[page] if page < len(layout.page_starts) else len(layout.text)
    position = end
    for line in layout.text[end:page_end].split("\n"):
        position += len(line)
        key = furniture_key(line)
        if len(key) >= SHORTEST_REPEATED and own.startswith(key):
            return not layout.is_page_foot(position)
        position += 1
    return False


def _surroundings(layout: Layout, start: int, end: int) -> set[str]:
    """Return what the lines around a heading say about it."""
    flags: set[str] = set()
    line = layout.text[start:end]
    own = furniture_key(line)
    page = layout.page_of(start)
    page_start = layout.page_starts[page - 1]
    below_start, below_end = layout.line_after(end)
    is_running = layout.is_running(line)
    if layout.is_page_top(start, own):
        flags.add("top")
        is_header = is_running and not _is_below_header(layout, start, own) and not _is_title_page(layout, end, own)
        if is_header or (layout.running_titles and _stands_again(layout, end, own)):
            flags.add("running")
    elif is_running and layout.foot_lines[own] >= FURNITURE_PAGES and layout.is_page_foot(end):
        flags.add("running")
    above = layout.line_before(start, page_start)
    if above is not None and MENTION_BEFORE.search(layout.text[slice(*above)].rstrip()):
        flags.add("mention")
    if MENTION_AFTER.match(layout.text[below_start:below_end]):
        flags.add("mention")
    return flags
