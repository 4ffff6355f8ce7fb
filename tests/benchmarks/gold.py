"""The labelled reports: reading them, and how a result compares with a label. Works for whatever labels are there."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from nlp.identity import decide, from_pages, from_path
from nlp.pdf import read_document
from nlp.sections import Section, SectionMap
from nlp.title import fold

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("SHUZHI_SHARED", ROOT.parent / "shared"))
Outcome = Literal["exact", "not found", "flagged low", "silently wrong"]
# Below this a boundary is said to be doubtful.
LOW = 0.5
# How the labels' kinds are called here, by the language of the report.
KINDS = {("annual", "en"): "english", ("annual", "zh-Hant"): "hk_annual", ("annual", "en+zh-Hant"): "hk_annual"}
BLANK = re.compile(r"[\s\x00-\x1f]+")
NOT_A_WORD = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class Labelled:
    """A labelled report with the text that is read from it; no pages where it cannot be read."""

    label: dict[str, Any]
    path: Path
    pages: list[str]
    metadata_title: str | None

    @property
    def has_sections(self) -> bool:
        return bool(self.label.get("sections"))

    @property
    def has_pages(self) -> bool:
        """Tell whether the label gives pages; else it gives places in the text of the file."""
        return bool(self.label.get("pages"))

    @property
    def is_rows(self) -> bool:
        """Tell whether the file holds one row of a table a line, so that a label's last words may stand elsewhere."""
        return "jsonl" in (self.label.get("encoding") or "")


def read_labels(shared: Path = SHARED) -> list[Labelled]:
    """Read all labelled reports that are there."""
    reports = []
    for path in sorted((shared / "gold" / "reports").glob("*.json")):
        label = json.loads(path.read_text(encoding="utf-8"))
        file = shared / "reports" / label["file"]
        if not file.exists():
            continue
        try:
            document = read_document(file.read_bytes(), file.suffix)
            pages, title = [page.text for page in document.pages], document.metadata_title
        except Exception:  # what cannot be read is a row of the table, whatever its fault
            pages, title = [], None
        reports.append(Labelled(label, file, pages, title))
    return reports


def squeeze(text: str) -> str:
    """Return a text without white space and control characters."""
    return BLANK.sub("", text)


def words(text: str) -> str:
    """Return a text without white space, punctuation and marks: two text layers have lost theirs."""
    return NOT_A_WORD.sub("", text)


# --------------------------------------------------------------------------------------------------- identity


def identity_answers(report: Labelled, *, with_name: bool) -> dict[str, bool | None]:
    """Return for each field whether it is right; None where the text does not carry it and the name is not used."""
    label = report.label
    path = from_path(label["file"] if with_name else "x.pdf")
    found = decide(
        path, from_pages(report.pages) if report.pages else None, report.metadata_title if with_name else None
    )
    text = squeeze(fold("".join(report.pages))).casefold()
    names = {squeeze(fold(name)).casefold() for name in (label["company_name"], label.get("company_name_zh")) if name}
    expected_kind = "other" if label["kind"] == "mda" else KINDS.get((label["kind"], label["language"]), label["kind"])
    return {
        "stock_code": _answer(found.stock_code == label["stock_code"], with_name or label["stock_code"] in text),
        "report_year": _answer(
            found.report_year == label["fiscal_year"], with_name or str(label["fiscal_year"]) in text
        ),
        "kind": _answer(found.kind == expected_kind, bool(report.pages)),
        "company_name": _answer(
            squeeze(fold(found.company_name or "")).casefold() in names, any(name in text for name in names)
        ),
    }


def _answer(is_right: bool, is_carried: bool) -> bool | None:
    return is_right if is_carried or is_right else None


# --------------------------------------------------------------------------------------------------- sections


def text_of(pages: Sequence[str], section: Section) -> str:
    """Return the text of a section without white space."""
    whole = list(pages[section.start_page - 1 : section.end_page])
    whole[-1] = whole[-1][: section.end_offset]
    whole[0] = whole[0][section.start_offset :]
    return squeeze("".join(whole))


@dataclass
class SectionScore:
    """How the sections of one report came out.

    ``pages`` is whether the first and last page of the discussion are the label's, ``offsets`` whether it begins and
    ends with the label's words (or, in a text file, at the label's places); both None without a label.
    """

    file: str
    discussion: Outcome
    pages: bool
    offsets: bool
    subpart: bool | None
    expected: int = 0
    found: int = 0
    right: int = 0
    missed: list[str] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)
    low: int = 0
    silently_wrong: list[str] = field(default_factory=list)
    heading: str = ""
    confidence: float = 0.0
    reason: str = ""


def score_sections(report: Labelled, found: SectionMap) -> SectionScore:
    """Compare the sections of a report with its label."""
    label, discussion = report.label, found.discussion
    pages_right, offsets_right = discussion_exact(report, discussion)
    outcome: Outcome = "not found"
    if discussion is not None:
        wrong: Outcome = "flagged low" if discussion.confidence < LOW else "silently wrong"
        outcome = "exact" if pages_right and offsets_right else wrong
    place = "page" if report.has_pages else "start_char"
    expected = {(words(item["title"]), item[place]) for item in label["sections"]}
    mine = {_key(report, section): section for section in found.sections}
    score = SectionScore(label["file"], outcome, pages_right, offsets_right, subpart_right(report, found))
    score.expected, score.found, score.right = len(expected), len(mine), len(expected & mine.keys())
    score.missed = sorted(f"{title} {where}" for title, where in expected - mine.keys())
    extra = [section for key, section in mine.items() if key not in expected]
    score.extra = [f"{section.heading} p{section.start_page}" for section in extra]
    score.low = sum(section.confidence < LOW for section in found.sections)
    score.silently_wrong = [section.heading for section in extra if section.confidence >= LOW]
    score.heading = discussion.heading if discussion is not None else ""
    score.confidence = discussion.confidence if discussion is not None else 0.0
    score.reason = found.discussion_reason
    return score


def _key(report: Labelled, section: Section) -> tuple[str, int]:
    return words(section.heading), section.start_page if report.has_pages else section.start_offset


def discussion_exact(report: Labelled, section: Section | None) -> tuple[bool, bool]:
    """Tell whether the pages and the offsets of the discussion are those of the label."""
    label = report.label["mda"]
    if section is None:
        return False, False
    if not report.has_pages:
        exact = (section.start_offset, section.end_offset) == (label["start_char"], label["end_char"])
        return exact, exact
    pages_right = (section.start_page, section.end_page) == (label["start_page"], label["end_page"])
    text = words(text_of(report.pages, section))
    ends = report.is_rows or any(text.endswith(words(end)) for end in _end_texts(label))
    return pages_right, text.startswith(words(label["start_text"])) and ends


def _end_texts(label: dict[str, Any]) -> list[str]:
    return [value for key, value in sorted(label.items()) if key.startswith("end_text") and value]


def subpart_right(report: Labelled, found: SectionMap) -> bool | None:
    """Tell whether the named sub-part is the label's; None where there is none and none was found."""
    expected, mine = report.label["mda"].get("subpart"), found.discussion_subpart
    if expected is None:
        # Labels of text files name no sub-parts.
        return None if mine is None or not report.has_pages else False
    if mine is None:
        return False
    is_place = (mine.start_page, mine.end_page) == (expected["start_page"], expected["end_page"])
    return words(mine.heading) == words(expected["title"]) and (is_place or not report.has_pages)


# ------------------------------------------------------------------------------------ the discussion as a text


@dataclass(frozen=True)
class Overlap:
    """How much of a label's text another has, and how much of that text is the label's, in characters."""

    length: int
    recall: float
    precision: float

    @property
    def verdict(self) -> str:
        if not self.length:
            return "nothing"
        if self.recall >= 0.98 and self.precision >= 0.98:
            return "right"
        return "too much" if self.recall >= 0.98 else "cut or elsewhere"


def label_span(label: dict[str, Any], pages: Sequence[str]) -> tuple[int, int]:
    """Return where the label's discussion begins and ends in a text without white space."""
    mda = label["mda"]
    if mda.get("start_page") is None:
        text = "".join(pages)
        return len(squeeze(text[: mda["start_char"]])), len(squeeze(text[: mda["end_char"]]))
    squeezed = [squeeze(page) for page in pages]
    first, last = squeezed[mda["start_page"] - 1], squeezed[mda["end_page"] - 1]
    begin = max(first.find(squeeze(mda["start_text"])), first.find(squeeze(mda["title"])), 0)
    ends = [last.rfind(squeeze(end)) + len(squeeze(end)) for end in _end_texts(mda) if squeeze(end) in last]
    following = last.find(squeeze(mda["next_title"])) if mda["next_page"] == mda["end_page"] else -1
    end = max(ends) if ends else (following if following >= 0 else len(last))
    before = [sum(map(len, squeezed[:number])) for number in (mda["start_page"] - 1, mda["end_page"] - 1)]
    return before[0] + begin, before[1] + end


def overlap(label: tuple[int, int], other: tuple[int, int]) -> Overlap:
    """Compare two stretches of one text."""
    length, shared = other[1] - other[0], max(0, min(label[1], other[1]) - max(label[0], other[0]))
    return Overlap(length, shared / (label[1] - label[0]), shared / length if length else 0.0)


def section_span(pages: Sequence[str], section: Section | None) -> tuple[int, int]:
    """Return where a section begins and ends in the pages without white space."""
    if section is None:
        return 0, 0
    return _squeezed(pages, section.start_page, section.start_offset), _squeezed(
        pages, section.end_page, section.end_offset
    )


def _squeezed(pages: Sequence[str], page: int, offset: int) -> int:
    return sum(len(squeeze(each)) for each in pages[: page - 1]) + len(squeeze(pages[page - 1][:offset]))


def text_span(text: str, part: str, near: int) -> tuple[int, int]:
    """Return where a part stands in a text, both without white space; of several places the one nearest to a place.

    The part may have a heading of up to 80 characters before it that the text has elsewhere.
    """
    if not part:
        return 0, 0
    for head in range(min(80, len(part))):
        places = [match.start() for match in re.finditer(re.escape(part[head:]), text)]
        if places:
            begin = min(places, key=lambda place: abs(place - near))
            return begin, begin + len(part) - head
    return 0, 0


def tally(scores: Sequence[SectionScore], condition: Callable[[SectionScore], bool]) -> str:
    """Write how many of the reports fulfil a condition."""
    return f"{sum(map(condition, scores))} of {len(scores)}"
