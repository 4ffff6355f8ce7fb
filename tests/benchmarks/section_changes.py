"""Reports changed so that finding their sections gets harder, and how a result is judged against the truth.

The true places are carried through a change as marks within the text (characters that Unicode reserves for nobody),
so that no second search is needed to know where a section of the changed report begins.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from nlp.contents import find_contents
from nlp.layout import lay_out
from nlp.sections import Section, SectionMap, find_sections

Pages = list[str]
Outcome = Literal["right", "not found", "doubtful", "silently wrong"]

BEGIN, TITLE_END, END = 0x10F000, 0x10F100, 0x10F200
LIST_BEGIN, LIST_END, PAGE = "\U0010f300", "\U0010f301", "\U0010f400"
MARK = re.compile("[\U0010f000-\U0010f2ff]")
ANY_MARK = re.compile("[\U0010f000-\U0010f301]")
HEADING = re.compile("([\U0010f000-\U0010f0ff])([^\U0010f100-\U0010f1ff]*)([\U0010f100-\U0010f1ff])")
LISTED = re.compile(f"({LIST_BEGIN})(.*?)({LIST_END})", re.DOTALL)
NUMBER = re.compile(r"第[一二三四五六七八九十\d]+(?:[节章篇]|部分)|[一二三四五六七八九十]+[、．]|\d+\.(?!\d)")
LINE_END = r"(?=\r?\n|\Z|[\U0010f000-\U0010f400])"
NUMERALS = ("一", "二", "三", "四", "五", "六", "七", "八", "九", "十")
# What may stand between the end of a section and that of the page: footer, page number, white space.
LONGEST_FURNITURE = 120
BLANKS = f" \t\r\n\f\v\x1f\u00a0\u3000\u200b{PAGE}"
CHINESE = re.compile("[\u4e00-\u9fff]")


def numeral(number: int) -> str:
    """Write a number up to 99 in Chinese."""
    tens, ones = divmod(number, 10)
    head = "" if not tens else ("十" if tens == 1 else f"{NUMERALS[tens - 1]}十")
    return head + (NUMERALS[ones - 1] if ones else "")


@dataclass(frozen=True)
class Marked:
    """A report with its true places marked, and which of its sections is the discussion."""

    name: str
    text: str
    discussion: int
    titles: tuple[str, ...]

    @property
    def has_pages(self) -> bool:
        return PAGE in self.text


@dataclass
class Truth:
    """Places in the joined text, by section: beginnings, ends, and where headings stood, lost ones among them."""

    begins: dict[int, int] = field(default_factory=dict)
    ends: dict[int, int] = field(default_factory=dict)
    headings: dict[int, int] = field(default_factory=dict)


Change = Callable[[Marked, random.Random], str]


def mark(name: str, pages: Sequence[str], base: SectionMap) -> Marked:
    """Mark the sections that were found in a report, and its contents; only to be used where they are right."""
    assert base.discussion is not None
    layout = lay_out(pages)
    marks: list[tuple[int, int, str]] = []
    for place, section in enumerate(base.sections):
        begin = layout.page_starts[section.start_page - 1] + section.start_offset
        title_end, missing = begin, len(section.heading)
        while missing:
            missing -= layout.text[title_end] not in " \n"
            title_end += 1
        end = layout.page_starts[section.end_page - 1] + section.end_offset
        marks += [(begin, 2, chr(BEGIN + place)), (title_end, 0, chr(TITLE_END + place)), (end, 1, chr(END + place))]
    for begin, end in find_contents(layout).spans:
        marks += [(begin, 4, LIST_BEGIN), (end, -1, LIST_END)]
    marks += [(start - 1, 3, PAGE) for start in layout.page_starts[1:]]
    text, last = [], 0
    for position, _, character in sorted(marks):
        text.append(layout.raw[last:position] + character)
        last = position + (character == PAGE)
    text.append(layout.raw[last:])
    titles = tuple(section.heading for section in base.sections)
    return Marked(name, "".join(text), base.sections.index(base.discussion), titles)


def again(report: Marked, text: str) -> Marked:
    """Return a changed report as one that can be changed again, with the headings it has now."""
    now = {ord(match[1]) - BEGIN: match[2].split(PAGE)[0].strip().split("\n")[0] for match in HEADING.finditer(text)}
    titles = tuple(now.get(place) or title for place, title in enumerate(report.titles))
    return Marked(report.name, text, report.discussion, titles)


def settle(text: str) -> tuple[Pages, Truth]:
    """Take the marks out of a text and return its pages and the places that were marked."""
    truth = Truth()
    plain = ANY_MARK.sub("", text)
    for taken, match in enumerate(ANY_MARK.finditer(text)):
        code, position = ord(match[0]), match.start() - taken
        if BEGIN <= code < TITLE_END:
            truth.begins[code - BEGIN] = position
        elif TITLE_END <= code < END:
            truth.headings[code - TITLE_END] = position
        elif END <= code < 0x10F300:
            truth.ends[code - END] = len(plain[:position].rstrip(BLANKS))
    return plain.split(PAGE), truth


def place_of(pages: Sequence[str], section: Section) -> tuple[int, int]:
    """Return beginning and end of a section in the joined pages."""
    before = [0]
    for page in pages:
        before.append(before[-1] + len(page) + 1)
    return before[section.start_page - 1] + section.start_offset, before[section.end_page - 1] + section.end_offset


def is_right(pages: Sequence[str], truth: Truth, section: Section, index: int) -> bool:
    """Tell whether a section begins where it should and ends between its last character and the next heading."""
    begin, end = place_of(pages, section)
    if truth.begins.get(index) != begin or index not in truth.ends:
        return False
    following = truth.begins.get(index + 1, truth.headings.get(index + 1))
    if following is None:
        following = truth.ends[index] + LONGEST_FURNITURE
    return truth.ends[index] <= end <= max(following, truth.ends[index])


@dataclass
class Result:
    """How a changed report came out: the discussion, and the sections one by one."""

    discussion: Outcome
    expected: int
    right: int
    silently_wrong: list[str]
    note: str


def judge_change(report: Marked, change: Change) -> Result:
    """Change a report, find its sections and compare them with the truth."""
    pages, truth = settle(change(report, random.Random(report.name)))
    found = find_sections(pages)
    at = {position: index for index, position in truth.begins.items()}
    right, wrong = 0, []
    for section in found.sections:
        index = at.get(place_of(pages, section)[0], -1)
        exact = is_right(pages, truth, section, index)
        right += exact
        if not exact and section.confidence >= 0.5:
            wrong.append(section.heading)
    discussion = found.discussion
    outcome: Outcome = "not found"
    if discussion is not None:
        exact = is_right(pages, truth, discussion, report.discussion)
        outcome = "right" if exact else ("doubtful" if discussion.confidence < 0.5 else "silently wrong")
    note = "" if discussion is None else f"{discussion.heading} {discussion.confidence} {discussion.checks}"
    return Result(outcome, len(truth.begins), right, wrong, note or found.discussion_reason)


# ------------------------------------------------------------------------------------------------------ tools


def split_number(heading: str) -> tuple[str, str]:
    """Split a heading into its number and its title."""
    match = NUMBER.match(heading.strip())
    return (match[0], heading.strip()[match.end() :].strip()) if match is not None else ("", heading.strip())


def edit_headings(text: str, edit: Callable[[int, str], str]) -> str:
    """Rewrite the headings in the body; a heading rewritten to nothing loses its mark."""

    def rewrite(match: re.Match[str]) -> str:
        heading = edit(ord(match[1]) - BEGIN, match[2])
        return match[1] + heading + match[3] if heading else match[3]

    return HEADING.sub(rewrite, text)


def edit_contents(text: str, edit: Callable[[str], str]) -> str:
    """Rewrite the contents."""

    def rewrite(match: re.Match[str]) -> str:
        kept = "".join(MARK.findall(match[2]))
        return match[1] + edit(MARK.sub("", match[2])) + match[3] + kept

    return LISTED.sub(rewrite, text)


def renumber(form: str, counted: Callable[[int], str]) -> Change:
    """Return the change to another numbering, in the body and in the contents."""

    def change(report: Marked, chance: random.Random) -> str:
        def head(number: int, title: str) -> str:
            return form.format(counted(number)) + title

        def body(place: int, raw: str) -> str:
            number, title = split_number(raw)
            return head(place + 1, title) if number else raw

        def contents(listing: str) -> str:
            count = iter(range(1, 99))
            pattern = rf"(?m)^((?:_Toc\d+)? *)(?:{NUMBER.pattern})\s*(?=\S)"
            return re.sub(pattern, lambda match: match[1] + head(next(count), ""), listing)

        return edit_contents(edit_headings(report.text, body), contents)

    return change


def pages_of(text: str) -> list[str]:
    return text.split(PAGE)


def running(report: Marked, header: Callable[[int], str], foot: bool = False) -> str:
    """Put a line about the section that runs at the end of each page on top of it, or at its foot."""
    changed, current = [], -1
    for page in pages_of(report.text):
        begun = [ord(match[0]) - BEGIN for match in MARK.finditer(page) if ord(match[0]) < TITLE_END]
        current = begun[-1] if begun else current
        line = header(current) if current >= 0 and report.has_pages else ""
        changed.append((f"{page}\r\n{line}\r\n" if foot else f"{line}\r\n{page}") if line else page)
    return PAGE.join(changed)


def insert_in_discussion(report: Marked, line: str, share: float) -> str:
    """Insert a line at a line end within the discussion, at this share of its length."""
    text, begin = report.text, report.text.index(chr(TITLE_END + report.discussion))
    end = text.index(chr(END + report.discussion))
    cut = text.index("\n", begin + int(share * (end - begin))) + 1
    return text[:cut] + line + text[cut:] if cut < end else text


def next_heading(report: Marked) -> str:
    return " ".join(split_number(report.titles[report.discussion + 1])).strip()


def own_heading(report: Marked) -> str:
    return " ".join(split_number(report.titles[report.discussion])).strip()


def lose(report: Marked, offset: int) -> str:
    lost = report.discussion + offset
    return edit_headings(report.text, lambda place, raw: "" if place == lost else raw)


def without_contents(text: str) -> str:
    return edit_contents(text, lambda listing: "")


def doubled(text: str) -> str:
    """Print every visible character twice, as some fonts' fake bold comes out."""
    return re.sub(r"[^\s\U0010f000-\U0010f400]", lambda match: match[0] * 2, text)


def spaced(text: str) -> str:
    return re.sub(r"(?<=[\u4e00-\u9fff])(?=[\u4e00-\u9fff])", " ", text)


RADICALS = str.maketrans(
    {"一": "⼀", "二": "⼆", "八": "⼋", "十": "⼗", "行": "⾏", "大": "⼤", "人": "⼈", "文": "⽂"}
)
TRADITIONAL = str.maketrans(
    "节报营讨论与会监层财务释义录简业项变动东级员债优关转换备据标摘规则长总经产质结构发开户资本环责险实现计公司情况状",
    "節報營討論與會監層財務釋義錄簡業項變動東級員債優關轉換備據標摘規則長總經產質結構發開戶資本環責險實現計公司情況狀",
)
WIDE = str.maketrans({chr(code): chr(code + 0xFEE0) for code in range(0x21, 0x7F)})


# ---------------------------------------------------------------------------------------------------- changes


def no_spaces(report: Marked, chance: random.Random) -> str:
    return edit_headings(report.text, lambda place, raw: re.sub(r"\s", "", raw))


def wide_spaces(report: Marked, chance: random.Random) -> str:
    return edit_headings(report.text, lambda place, raw: "　 ".join(split_number(raw)).strip())


def two_lines(report: Marked, chance: random.Random) -> str:
    return edit_headings(report.text, lambda place, raw: "\r\n".join(split_number(raw)).strip())


def two_lines_within_title(report: Marked, chance: random.Random) -> str:
    def edit(place: int, raw: str) -> str:
        number, title = split_number(raw)
        return f"{number} {title[:-2]}\r\n{title[-2:]}".strip() if len(title) > 4 else raw

    return edit_headings(report.text, edit)


def blanks_within_titles(report: Marked, chance: random.Random) -> str:
    return edit_headings(report.text, lambda place, raw: spaced(raw))


def blanks_everywhere(report: Marked, chance: random.Random) -> str:
    return spaced(report.text)


def colons_after_titles(report: Marked, chance: random.Random) -> str:
    return edit_headings(report.text, lambda place, raw: raw.rstrip() + "：")


def brackets_around_titles(report: Marked, chance: random.Random) -> str:
    return HEADING.sub(lambda match: f"【{match[1]}{match[2].rstrip()}{match[3]}】", report.text)


def bullets_before_headings(report: Marked, chance: random.Random) -> str:
    bullets = "\uf06c\uf0d8■◆●★"
    pattern = re.compile("[\U0010f000-\U0010f0ff]")
    return pattern.sub(lambda match: f"{chance.choice(bullets)} {match[0]}", report.text)


def doubled_headings(report: Marked, chance: random.Random) -> str:
    return edit_headings(report.text, lambda place, raw: doubled(raw))


def doubled_everywhere(report: Marked, chance: random.Random) -> str:
    return doubled(report.text)


def headings_twice_on_a_line(report: Marked, chance: random.Random) -> str:
    return edit_headings(report.text, lambda place, raw: raw.rstrip() + raw.rstrip())


def headings_on_two_equal_lines(report: Marked, chance: random.Random) -> str:
    return edit_headings(report.text, lambda place, raw: f"{raw.rstrip()}\r\n{raw.rstrip()}")


def headings_with_their_page_number(report: Marked, chance: random.Random) -> str:
    return edit_headings(report.text, lambda place, raw: f"{raw.rstrip()} {chance.randint(1, 180)}")


def headings_glued_to_the_header(report: Marked, chance: random.Random) -> str:
    """The running header and the heading come out as one line, so that no line begins with the number."""
    pattern = re.compile("[\U0010f000-\U0010f0ff]")
    return pattern.sub(lambda match: f"某某股份有限公司 2018 年年度报告全文 {match[0]}", report.text)


def headings_glued_to_the_text(report: Marked, chance: random.Random) -> str:
    pattern = re.compile("([\U0010f100-\U0010f1ff])[ \r\n]+")
    return pattern.sub(lambda match: match[1] + " ", report.text)


def headings_glued_to_each_other(report: Marked, chance: random.Random) -> str:
    """Short sections run into the next heading on one line."""
    pattern = re.compile("([\U0010f200-\U0010f2ff])\\s+([\U0010f000-\U0010f0ff])")
    return pattern.sub(lambda match: match[1] + " " + match[2], report.text)


def full_width(report: Marked, chance: random.Random) -> str:
    return report.text.translate(WIDE)


def radicals(report: Marked, chance: random.Random) -> str:
    return report.text.translate(RADICALS)


def traditional(report: Marked, chance: random.Random) -> str:
    return report.text.translate(TRADITIONAL)


def no_punctuation(report: Marked, chance: random.Random) -> str:
    return re.sub("[、，。；：“”‘’《》（）()]", " ", report.text)


def unix_lines(report: Marked, chance: random.Random) -> str:
    return report.text.replace("\r\n", "\n")


def windows_lines(report: Marked, chance: random.Random) -> str:
    return re.sub(r"\r?\n", "\r\n", report.text)


def old_mac_lines(report: Marked, chance: random.Random) -> str:
    return re.sub(r"\r?\n", "\r", report.text)


def empty_lines(report: Marked, chance: random.Random) -> str:
    return re.sub(r"(\r?\n)", r"\1 \1", report.text)


def wide_margins(report: Marked, chance: random.Random) -> str:
    """Short lines are set right or in the middle by many blanks, and have some behind them."""
    pattern = re.compile(r"^(?=[^\n]{1,60}$)([^\r\n]*)", re.MULTILINE)
    return pattern.sub(lambda match: f"{' ' * 90}{match[1]}{' ' * 60}", report.text)


def control_characters(report: Marked, chance: random.Random) -> str:
    return re.sub(" ", lambda match: chance.choice(" \x1f\u00a0\u3000\u200b"), report.text)


def one_page(report: Marked, chance: random.Random) -> str:
    return report.text.replace(PAGE, "\n")


def one_page_without_furniture(report: Marked, chance: random.Random) -> str:
    text = report.text.replace(PAGE, "\n")
    text = re.sub(r"(?m)^[^\n]{0,40}年年?度报告(?:全文)?[ \r]*\n", "", text)
    return re.sub(r"(?m)^[-–第 ]*\d{1,3}(?: */ *\d{1,3})?[-–页 ]*[ \r]*\n", "", text)


def pages_in_pairs(report: Marked, chance: random.Random) -> str:
    count = iter(range(9_999))
    return re.sub(PAGE, lambda match: match[0] if next(count) % 2 else "\n", report.text)


def pages_broken_elsewhere(report: Marked, chance: random.Random) -> str:
    """Break the pages after every 45 lines, so that sections begin in the middle of pages."""
    lines = report.text.replace(PAGE, "\n").split("\n")
    return PAGE.join("\n".join(lines[start : start + 45]) for start in range(0, len(lines), 45))


def short_pages(report: Marked, chance: random.Random) -> str:
    lines = report.text.replace(PAGE, "\n").split("\n")
    return PAGE.join("\n".join(lines[start : start + 12]) for start in range(0, len(lines), 12))


def no_contents(report: Marked, chance: random.Random) -> str:
    return without_contents(report.text)


def contents_without_leaders(report: Marked, chance: random.Random) -> str:
    return edit_contents(report.text, lambda text: re.sub(r"[.…·]{3,}|…+[.…]*", "  ", text))


def contents_without_pages(report: Marked, chance: random.Random) -> str:
    return edit_contents(report.text, lambda text: re.sub(r"(?m)[ .…·]*\d*[ \r]*$", "", text))


def contents_without_numbers(report: Marked, chance: random.Random) -> str:
    return edit_contents(report.text, lambda text: re.sub(rf"(?m)^((?:_Toc\d+)? *)(?:{NUMBER.pattern}) *", r"\1", text))


def contents_with_wrong_pages(report: Marked, chance: random.Random) -> str:
    return edit_contents(
        report.text, lambda text: re.sub(r"(?m)\d+(?=[ \r]*$)", lambda m: str(chance.randint(1, 90)), text)
    )


def contents_with_the_next_page(report: Marked, chance: random.Random) -> str:
    """Every entry has the page number of the next, as several real ones have."""

    def edit(text: str) -> str:
        numbers = re.findall(r"(?m)(\d+)(?=[ \r]*$)", text)
        following = iter(numbers[1:] + numbers[-1:])
        return re.sub(r"(?m)\d+(?=[ \r]*$)", lambda match: next(following), text)

    return edit_contents(report.text, edit)


def contents_on_two_pages(report: Marked, chance: random.Random) -> str:
    def edit(text: str) -> str:
        lines = text.split("\n")
        half = len(lines) // 2
        middle = f"{PAGE}某某股份有限公司 2018 年年度报告全文\r\n4\r\n" if report.has_pages else "某某公司年度报告\n4\n"
        return "\n".join(lines[:half]) + "\n" + middle + "\n".join(lines[half:])

    return edit_contents(report.text, edit)


def contents_with_garbled_letters(report: Marked, chance: random.Random) -> str:
    def edit(text: str) -> str:
        return CHINESE.sub(lambda match: "\ufffd" if chance.random() < 0.15 else match[0], text)

    return edit_contents(report.text, edit)


def contents_all_garbled(report: Marked, chance: random.Random) -> str:
    return edit_contents(report.text, lambda text: CHINESE.sub("\ufffd", text))


def contents_with_a_line_lost(report: Marked, chance: random.Random) -> str:
    title = split_number(report.titles[report.discussion])[1][:4]
    return edit_contents(report.text, lambda text: "\n".join(line for line in text.split("\n") if title not in line))


def contents_with_sub_entries(report: Marked, chance: random.Random) -> str:
    def edit(text: str) -> str:
        sub = "\n一、概述......8\n二、主要情况......9\n三、其他说明......10\n"
        return re.sub(r"(?m)(?<=\d)[ \r]*\n", sub, text)

    return edit_contents(report.text, edit)


def contents_numbered_off_by_one(report: Marked, chance: random.Random) -> str:
    def edit(text: str) -> str:
        count = iter(range(2, 99))
        return re.sub(r"第[一二三四五六七八九十]+节", lambda match: f"第{numeral(next(count))}节", text)

    return edit_contents(report.text, edit)


def contents_with_anchors(report: Marked, chance: random.Random) -> str:
    return edit_contents(report.text, lambda text: re.sub(r"(?m)^(?=\S)", "_Toc300000084", text))


def contents_twice(report: Marked, chance: random.Random) -> str:
    return edit_contents(report.text, lambda text: f"{text}\n{text}")


def contents_of_other_titles(report: Marked, chance: random.Random) -> str:
    """The contents say 经营情况分析 where the body says something else."""
    title = split_number(report.titles[report.discussion])[1]
    return edit_contents(report.text, lambda text: re.sub(r" *".join(title), "本年度工作回顾", text))


def no_numbers(report: Marked, chance: random.Random) -> str:
    def change(text: str) -> str:
        return re.sub(rf"(?m)^((?:_Toc\d+)? *)(?:{NUMBER.pattern})\s*", r"\1", text)

    return edit_contents(edit_headings(report.text, lambda place, raw: change(raw)), change)


def no_numbers_in_the_body(report: Marked, chance: random.Random) -> str:
    return edit_headings(report.text, lambda place, raw: split_number(raw)[1])


def one_number_lost(report: Marked, chance: random.Random) -> str:
    return edit_headings(report.text, lambda place, raw: split_number(raw)[1] if place == report.discussion else raw)


def next_number_lost(report: Marked, chance: random.Random) -> str:
    return edit_headings(
        report.text, lambda place, raw: split_number(raw)[1] if place == report.discussion + 1 else raw
    )


def next_number_repeated(report: Marked, chance: random.Random) -> str:
    number = split_number(report.titles[report.discussion])[0]
    return edit_headings(
        report.text,
        lambda place, raw: f"{number} {split_number(raw)[1]}" if place == report.discussion + 1 else raw,
    )


def own_number_skipped(report: Marked, chance: random.Random) -> str:
    """From the discussion on, numbers are one too high, in the body and in the contents."""

    def shift(match: re.Match[str]) -> str:
        number = next(n for n in range(1, 60) if numeral(n) == match[1])
        return f"第{numeral(number + 1) if number > report.discussion else match[1]}节"

    def change(text: str) -> str:
        return re.sub(r"第([一二三四五六七八九十]+)节", shift, text)

    return edit_contents(edit_headings(report.text, lambda place, raw: change(raw)), change)


def titles_misread(report: Marked, chance: random.Random) -> str:
    """One character of the discussion's and of the next title is another, as recognised text has it."""

    def edit(place: int, raw: str) -> str:
        if place not in (report.discussion, report.discussion + 1):
            return raw
        number, title = split_number(raw)
        cut = chance.randrange(len(title))
        return f"{number} {title[:cut]}囗{title[cut + 1 :]}".strip()

    return edit_headings(report.text, edit)


def running_headers(report: Marked, chance: random.Random) -> str:
    return running(report, lambda place: " ".join(split_number(report.titles[place])).strip())


def running_titles(report: Marked, chance: random.Random) -> str:
    return running(report, lambda place: split_number(report.titles[place])[1])


def running_footers(report: Marked, chance: random.Random) -> str:
    return running(report, lambda place: " ".join(split_number(report.titles[place])).strip(), foot=True)


def running_headers_with_firm(report: Marked, chance: random.Random) -> str:
    def header(place: int) -> str:
        return f"某某股份有限公司 2018 年年度报告 {' '.join(split_number(report.titles[place]))}"

    return running(report, header)


def running_headers_of_what_begins(report: Marked, chance: random.Random) -> str:
    """The header names the section with which the page begins."""
    changed, current = [], -1
    for page in pages_of(report.text):
        line = " ".join(split_number(report.titles[current])).strip() if current >= 0 and report.has_pages else ""
        changed.append(f"{line}\r\n{page}" if line else page)
        begun = [ord(match[0]) - BEGIN for match in MARK.finditer(page) if ord(match[0]) < TITLE_END]
        current = begun[-1] if begun else current
    return PAGE.join(changed)


def tabs_on_every_page(report: Marked, chance: random.Random) -> str:
    """Every page has the titles of all sections on top, a line each, as in designed reports."""
    tabs = "\r\n".join(split_number(title)[1] for title in report.titles)
    return PAGE.join(f"{tabs}\r\n{page}" for page in pages_of(report.text))


def title_pages(report: Marked, chance: random.Random) -> str:
    """Every section has a page of its own with nothing but its heading, and the heading once more on the next."""
    if not report.has_pages:
        return report.text
    return edit_headings(report.text, lambda place, raw: f"{raw}{PAGE}{raw}")


def cross_references(report: Marked, chance: random.Random) -> str:
    lines = (
        f"相关情况详见\r\n{own_heading(report)}\r\n中的相关内容。\r\n",
        f"详见{own_heading(report)}（三）。\r\n",
        f"见 {own_heading(report)}\r\n",
        f"参见“{own_heading(report)}”之“一、概述”。\r\n",
        f"具体情况请查阅本报告{own_heading(report)}\r\n",
        f"《{own_heading(report)}》\r\n",
        f"请见本报告\r\n{own_heading(report)}三、主要业务\r\n",
    )
    pieces = re.split("([\U0010f100-\U0010f1ff][^\n]*\n)", report.text)
    return "".join(f"{piece}{chance.choice(lines)}" if MARK.match(piece) else piece for piece in pieces)


def references_to_the_next(report: Marked, chance: random.Random) -> str:
    text = insert_in_discussion(report, f"详见本报告\r\n{next_heading(report)}\r\n之“十五、重大合同”。\r\n", 0.3)
    again = Marked(report.name, text, report.discussion, report.titles)
    return insert_in_discussion(again, f"见{next_heading(report)}\r\n", 0.6)


def copies_of_the_next_heading(report: Marked, chance: random.Random) -> str:
    return insert_in_discussion(report, f"{next_heading(report)}\r\n", 0.5)


def copies_of_the_own_heading(report: Marked, chance: random.Random) -> str:
    """A bare copy of the discussion's heading stands within the section before it."""
    begin = report.text.index(chr(BEGIN + report.discussion))
    cut = report.text.rfind("\n", 0, begin - 200) + 1
    return f"{report.text[:cut]}{own_heading(report)}\r\n{report.text[cut:]}"


def sub_heads_like_sections(report: Marked, chance: random.Random) -> str:
    """The discussion has inner units numbered like sections, 第一节 to 第三节."""
    text = report.text
    for share, line in ((0.6, "第三节 未来展望"), (0.4, "第二节 经营计划"), (0.2, "第一节 行业情况")):
        text = insert_in_discussion(Marked("", text, report.discussion, report.titles), f"{line}\r\n", share)
    return text


def audit_report_with_sections(report: Marked, chance: random.Random) -> str:
    """An attached report with contents and sections of its own stands at the end."""
    listed = "\n".join(f"第{numeral(n)}节 {title}......{n}" for n, title in enumerate(ATTACHED, start=1))
    body = "\n".join(f"第{numeral(n)}节 {title}\n{FILLER}" for n, title in enumerate(ATTACHED, start=1))
    return f"{report.text}{PAGE if report.has_pages else chr(10)}目录\n{listed}\n{body}"


ATTACHED = ("释义", "公司基本情况", "管理层讨论与分析", "重要事项", "财务报告")
FILLER = "报告期内，公司围绕年度经营目标开展各项工作，主营业务稳步增长。\n" * 40


def copied_whole(report: Marked, chance: random.Random) -> str:
    """The report stands twice in one file; only the first copy is marked."""
    return f"{report.text}{PAGE if report.has_pages else chr(10)}{ANY_MARK.sub('', report.text)}"


def front_lost(report: Marked, chance: random.Random) -> str:
    """All before the section before the discussion is lost."""
    begin = report.text.index(chr(BEGIN + report.discussion - 1))
    return report.text[begin:]


def front_and_own_heading_lost(report: Marked, chance: random.Random) -> str:
    return report.text[report.text.index(chr(TITLE_END + report.discussion)) + 1 :]


def back_lost(report: Marked, chance: random.Random) -> str:
    """The file ends within the discussion."""
    begin = report.text.index(chr(BEGIN + report.discussion))
    end = report.text.index(chr(END + report.discussion))
    return report.text[: (begin + end) // 2]


def page_of_the_next_heading_lost(report: Marked, chance: random.Random) -> str:
    if not report.has_pages:
        return lose(report, 1)
    begin = chr(BEGIN + report.discussion + 1)
    return PAGE.join(page for page in pages_of(report.text) if begin not in page)


def page_of_the_own_heading_lost(report: Marked, chance: random.Random) -> str:
    if not report.has_pages:
        return lose(report, 0)
    begin = chr(BEGIN + report.discussion)
    return PAGE.join(page for page in pages_of(report.text) if begin not in page)


def pages_of_both_headings_lost(report: Marked, chance: random.Random) -> str:
    text = page_of_the_own_heading_lost(report, chance)
    return page_of_the_next_heading_lost(Marked(report.name, text, report.discussion, report.titles), chance)


def own_heading_lost(report: Marked, chance: random.Random) -> str:
    return lose(report, 0)


def next_heading_lost(report: Marked, chance: random.Random) -> str:
    return lose(report, 1)


def heading_after_the_next_lost(report: Marked, chance: random.Random) -> str:
    return lose(report, 2)


def heading_before_lost(report: Marked, chance: random.Random) -> str:
    return lose(report, -1)


def next_heading_and_contents_lost(report: Marked, chance: random.Random) -> str:
    return without_contents(lose(report, 1))


def own_heading_and_contents_lost(report: Marked, chance: random.Random) -> str:
    return without_contents(lose(report, 0))


def next_heading_and_its_line_lost(report: Marked, chance: random.Random) -> str:
    """Neither the body nor the contents have the next section."""
    title = split_number(report.titles[report.discussion + 1])[1][:4]
    kept = lambda text: "\n".join(line for line in text.split("\n") if title not in line)  # noqa: E731
    return edit_contents(lose(report, 1), kept)


def half_of_the_headings_lost(report: Marked, chance: random.Random) -> str:
    return edit_headings(report.text, lambda place, raw: raw if place % 2 else "")


def garbled_pages(report: Marked, chance: random.Random) -> str:
    pages = [
        page if chance.random() > 0.06 or len(page) < 9 else re.sub(r"[^\s\U0010f200-\U0010f2ff]", "\ufffd", page)
        for page in pages_of(report.text)
    ]
    return PAGE.join(pages)


def pages_shuffled(report: Marked, chance: random.Random) -> str:
    """Two pages of the discussion have changed places with two of the financial report."""
    pages = pages_of(report.text)
    if len(pages) < 60:
        return report.text
    first = next(number for number, page in enumerate(pages) if chr(TITLE_END + report.discussion) in page) + 1
    last = len(pages) - 5
    if not any(MARK.search(pages[number]) for number in (first, last)):
        pages[first], pages[last] = pages[last], pages[first]
    return PAGE.join(pages)


# A change, and the share of reports whose discussion must still be right; the others must be missing or doubtful.
CHANGES: dict[str, tuple[Change, float]] = {
    "第X章": (renumber("第{}章 ", numeral), 1.0),
    "第X部分": (renumber("第{}部分 ", numeral), 1.0),
    "第X篇": (renumber("第{}篇　", numeral), 1.0),
    "第4节": (renumber("第{}节 ", str), 1.0),
    "一、": (renumber("{}、", numeral), 1.0),
    "（一）": (renumber("（{}）", numeral), 1.0),
    "一.": (renumber("{}．", numeral), 1.0),
    "1、": (renumber("{}、", str), 1.0),
    "1.": (renumber("{}. ", str), 1.0),
    "§1": (renumber("§{} ", str), 1.0),
    "01": (renumber("{} ", lambda number: f"{number:02d}"), 1.0),
}
_PLAIN: tuple[tuple[Change, float], ...] = (
    (no_spaces, 1.0),
    (wide_spaces, 1.0),
    (two_lines, 1.0),
    (two_lines_within_title, 1.0),
    (blanks_within_titles, 1.0),
    (blanks_everywhere, 1.0),
    (colons_after_titles, 1.0),
    (brackets_around_titles, 1.0),
    (bullets_before_headings, 1.0),
    (doubled_headings, 1.0),
    (doubled_everywhere, 1.0),
    (headings_twice_on_a_line, 1.0),
    (headings_on_two_equal_lines, 1.0),
    (headings_with_their_page_number, 1.0),
    (headings_glued_to_the_header, 0.0),
    (headings_glued_to_the_text, 0.0),
    (headings_glued_to_each_other, 0.0),
    (full_width, 1.0),
    (radicals, 1.0),
    (traditional, 1.0),
    (no_punctuation, 1.0),
    (unix_lines, 1.0),
    (windows_lines, 1.0),
    (old_mac_lines, 1.0),
    (empty_lines, 1.0),
    (wide_margins, 1.0),
    (control_characters, 1.0),
    (one_page, 1.0),
    (one_page_without_furniture, 1.0),
    (pages_in_pairs, 1.0),
    (pages_broken_elsewhere, 1.0),
    (short_pages, 1.0),
    (no_contents, 1.0),
    (contents_without_leaders, 1.0),
    (contents_without_pages, 1.0),
    (contents_without_numbers, 1.0),
    (contents_with_wrong_pages, 1.0),
    (contents_with_the_next_page, 1.0),
    (contents_on_two_pages, 1.0),
    (contents_with_garbled_letters, 1.0),
    (contents_all_garbled, 1.0),
    (contents_with_a_line_lost, 1.0),
    (contents_with_sub_entries, 1.0),
    (contents_numbered_off_by_one, 1.0),
    (contents_with_anchors, 1.0),
    (contents_twice, 1.0),
    (contents_of_other_titles, 1.0),
    (no_numbers, 0.9),
    (no_numbers_in_the_body, 0.9),
    (one_number_lost, 0.0),
    (next_number_lost, 0.0),
    (next_number_repeated, 1.0),
    (own_number_skipped, 1.0),
    (titles_misread, 0.0),
    (running_headers, 0.9),
    (running_titles, 0.9),
    (running_footers, 0.9),
    (running_headers_with_firm, 0.9),
    (running_headers_of_what_begins, 0.9),
    (tabs_on_every_page, 0.9),
    (title_pages, 0.9),
    (cross_references, 1.0),
    (references_to_the_next, 1.0),
    (copies_of_the_next_heading, 0.0),
    (copies_of_the_own_heading, 0.0),
    (sub_heads_like_sections, 1.0),
    (audit_report_with_sections, 1.0),
    (copied_whole, 0.0),
    (front_lost, 0.0),
    (front_and_own_heading_lost, 0.0),
    (back_lost, 0.0),
    (page_of_the_next_heading_lost, 0.0),
    (page_of_the_own_heading_lost, 0.0),
    (pages_of_both_headings_lost, 0.0),
    (own_heading_lost, 0.0),
    (next_heading_lost, 0.0),
    (heading_after_the_next_lost, 1.0),
    (heading_before_lost, 1.0),
    (next_heading_and_contents_lost, 0.0),
    (own_heading_and_contents_lost, 0.0),
    (next_heading_and_its_line_lost, 0.0),
    (half_of_the_headings_lost, 0.0),
    (garbled_pages, 0.0),
    (pages_shuffled, 0.0),
)
CHANGES |= {change.__name__: (change, share) for change, share in _PLAIN}


def outcomes(reports: Sequence[Marked], change: Change) -> Iterator[tuple[Marked, Result]]:
    """Judge a change on each report."""
    for report in reports:
        yield report, judge_change(report, change)
