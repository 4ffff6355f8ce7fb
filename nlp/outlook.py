"""The part of a report that looks ahead: the outlook, the strategy, the business plan of the year to come."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence

from nlp.clean import CleanText

# What the part is called, as a line of its own; 经营计划实施情况 tells of the plan of the year before.
_NUMBER = r"(?:第?[一二三四五六七八九十]+[、.．节]|[（(][一二三四五六七八九十0-9]+[)）]|[0-9]{1,2}[、.．]|[0-9.]{3,6})?"
_FIRM = "(?:公司|本行|本公司|集团|本集团|我行|董事会|管理层)?"
_REST = "(?:[及与和].{0,12})?"
_AHEAD = re.compile(
    rf"{_NUMBER}(?:"
    rf"{_FIRM}(?:关于|对)?{_FIRM}(?:未来|前景|[0-9]{{4}}年|下一?年度?)的?(?:发展|经营|业务|工作)?的?"
    rf"(?:展望|讨论与分析|规划|战略|计划|思路){_REST}"
    rf"|{_FIRM}(?:新|下一?|[0-9]{{4}})年度?的?(?:经营|工作|业务)?(?:计划|展望|目标|重点|安排|思路)"
    rf"|{_FIRM}(?:未来)?发展(?:战略|规划){_REST}|{_FIRM}(?:年度)?经营计划{_REST}|展望未来|未来展望)[:：]?"
)
_LIKELY = re.compile(r"展望|未来发展|发展战略|发展规划|经营计划|工作计划|年度?计划|经营目标|工作重点|工作安排")
_ENDS = re.compile(
    r"第[一二三四五六七八九十]+节|[一二三四五六七八九十]+、(?:接待调研|公司因|报告期内|其他|普通股|利润分配|公司投资|董事会|重要)|接待调研|公司因不适用准则"
)
_CHINESE_LEVEL = re.compile(r"([一二三四五六七八九十]+)、|[（(]([一二三四五六七八九十]+)[)）]")
_PLAIN_HEADING = re.compile(r"(?:[一二三四五六七八九十]+、|[0-9]{1,2}[、.．])?[一-鿿]{4,14}")
_DIGITS = "一二三四五六七八九十"
LONGEST_LINE = 40
LONGEST_PART, SHORTEST_UNNUMBERED, LONGEST_UNNUMBERED = 9_000, 400, 3_000
# A table of contents stands in the first part of a report and has such a line for each section.
FIRST_SHARE = 0.03


def outlook_spans(text: CleanText) -> list[tuple[int, int]]:
    """Find the stretches of a report that look ahead.

    A stretch begins after a line that is a heading such as 公司未来发展的展望, 公司发展战略, 经营计划, and ends at the
    next heading of its own level, at the next section, or after 9,000 characters.

    Parameters
    ----------
    text : CleanText
        The report.

    Returns
    -------
    list of (int, int)
        Start and end in the cleaned text, ascending and disjoint.
    """
    starts, ends = _sentences(text)
    spans: list[tuple[int, int]] = []
    first = int(FIRST_SHARE * text.body_length)
    for likely in _LIKELY.finditer(text.display, first, text.body_length):
        number = bisect_right(starts, likely.start()) - 1
        begin, end = starts[number], ends[number]
        if (spans and begin < spans[-1][1]) or end - begin > LONGEST_LINE:
            continue
        line = text.display[begin:end]
        if _AHEAD.fullmatch(line) is None:
            continue
        spans.append((end, _end_of_part(text.display, line, starts, number + 1)))
    return spans


def _sentences(text: CleanText) -> tuple[list[int], list[int]]:
    ends = text.sentence_ends.tolist()
    return [0, *ends[:-1]], ends


def _end_of_part(display: str, heading: str, starts: Sequence[int], number: int) -> int:
    """Return where the part after a heading ends."""
    numbered = _CHINESE_LEVEL.match(heading)
    begin = starts[number] if number < len(starts) else len(display)
    limit = begin + (LONGEST_PART if numbered else LONGEST_UNNUMBERED)
    successor = _successor(numbered)
    for place in range(number + 1, len(starts)):
        start = starts[place]
        if start >= limit:
            break
        line = display[start : start + LONGEST_LINE]
        if _ENDS.match(line) or (successor is not None and successor.match(line)):
            return start
        if numbered is None and start - begin > SHORTEST_UNNUMBERED and _is_heading(display, starts, place):
            return start
    return min(limit, len(display))


def _is_heading(display: str, starts: Sequence[int], place: int) -> bool:
    """Tell whether a sentence is a short line without a full stop, as headings are that have no number."""
    end = starts[place + 1] if place + 1 < len(starts) else len(display)
    return _PLAIN_HEADING.fullmatch(display[starts[place] : end]) is not None


def _successor(numbered: re.Match[str] | None) -> re.Pattern[str] | None:
    """Return what the next heading of the same level begins with, as a pattern."""
    if numbered is None:
        return None
    plain, bracketed = numbered.groups()
    place = _DIGITS.find(plain or bracketed)
    following = _DIGITS[place + 1] if 0 <= place < len(_DIGITS) - 1 else "十一"
    return re.compile(f"{following}、" if plain else f"[（(]{following}[)）]")


class Outlook:
    """The stretches that look ahead, to be asked for a place.

    Parameters
    ----------
    text : CleanText
        The report.
    """

    def __init__(self, text: CleanText) -> None:
        spans = outlook_spans(text)
        self._starts = [start for start, _ in spans]
        self._ends = [end for _, end in spans]

    def holds(self, position: int) -> bool:
        """Tell whether a place in the cleaned text looks ahead."""
        index = bisect_right(self._starts, position) - 1
        return index >= 0 and position < self._ends[index]
