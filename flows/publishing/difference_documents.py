"""Why another file, or none, stands behind a firm-year: found from what both exports say of every file."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flows.publishing.difference_result import Cause
from flows.publishing.difference_setting import Setting
from flows.publishing.difference_sides import COLUMNS, Side, as_text
from nlp.corrections import EXCLUDED

# The source of a corrected field is the entry: "corrections.yml line 7: the cover prints the year of filing".
CORRECTED = re.compile(r".+ line \d+: ")
SOURCE_OF = {
    "stock_code": "stock_code_source",
    "report_year": "report_year_source",
    "kind": "kind_source",
    "revision": "revision_source",
    "revision_number": "revision_source",
}
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Why:
    """A cause, and one plain line on it."""

    cause: Cause
    detail: str


class Files:
    """The files of one export, found by document, by name and by firm-year."""

    def __init__(self, side: Side) -> None:
        documents = side.documents[COLUMNS].astype(object)
        documents = documents.where(documents.notna(), None)
        self._columns = {name: documents[name].to_list() for name in COLUMNS}
        self._by_document: dict[str, list[int]] = defaultdict(list)
        for place, document in enumerate(self._columns["document_id"]):
            if document is not None:
                self._by_document[document].append(place)
        self._by_file = {file: place for place, file in enumerate(self._columns["file"])}
        keys = zip(self._columns["stock_code"], self._columns["report_year"], strict=True)
        used = zip(keys, self._columns["is_used"], strict=True)
        self._used = {key: place for place, (key, is_used) in enumerate(used) if is_used}

    def row(self, place: int) -> Row:
        """Return a file's row; missing cells are None."""
        return {name: values[place] for name, values in self._columns.items()}

    def of_firm_year(self, stock_code: str, report_year: int) -> Row | None:
        """Return the file that a firm-year's index is made of."""
        place = self._used.get((stock_code, report_year))
        return None if place is None else self.row(place)

    def same(self, row: Row) -> Row | None:
        """Return the same file here: with the same bytes, the same name preferred."""
        if row["document_id"] is None:
            place = self._by_file.get(row["file"])
            return None if place is None else self.row(place)
        places = self._by_document.get(row["document_id"], [])
        rows = [self.row(place) for place in places]
        order = sorted(rows, key=lambda each: (each["file"] != row["file"], not each["is_used"], each["file"]))
        return order[0] if order else None

    def named(self, file: str) -> Row | None:
        """Return what lies under a name here."""
        place = self._by_file.get(file)
        return None if place is None else self.row(place)


@dataclass(frozen=True)
class BothFiles:
    """The files of two exports.

    Parameters
    ----------
    before, after : Files
        Of each.
    """

    before: Files
    after: Files


def is_same_document(before: Row, after: Row) -> bool:
    """Tell whether two rows are of the same bytes; of a file that could not be opened, of the same name."""
    if before["document_id"] is None and after["document_id"] is None:
        return bool(before["file"] == after["file"])
    return bool(before["document_id"] == after["document_id"])


def why_added(row: Row, before: Files, setting: Setting) -> Why:
    """Return why a firm-year is there that was not."""
    earlier, years = before.same(row), setting.before.years
    if years and row["report_year"] not in years:
        return Why("years", f"the first export holds {_years(years)} only")
    if earlier is None:
        return _new_file(row, before)
    return _moved(earlier, row, setting) or Why("other_winner", f"{_named(row)} was left out: {_use(earlier)}")


def why_removed(row: Row, after: Files, setting: Setting) -> Why:
    """Return why a firm-year is not there any more."""
    later, years = after.same(row), setting.after.years
    if years and row["report_year"] not in years:
        return Why("years", f"the second export holds {_years(years)} only")
    if later is None:
        return _removed_file(row, setting)
    return _moved(row, later, setting) or Why("other_winner", f"{_named(row)} is left out: {_use(later)}")


def why_other(first: Row, second: Row, before: Files, after: Files, setting: Setting) -> Why:
    """Return why another file stands behind a firm-year."""
    earlier, later = before.same(second), after.same(first)
    if earlier is None:
        return _newcomer(first, second, before, later)
    moved = _moved(earlier, second, setting)
    if moved:
        return moved
    if later is None:
        gone = _removed_file(first, setting)
        return Why(gone.cause, f"{gone.detail}; {_named(second)} takes its place")
    moved = _moved(first, later, setting)
    if moved:
        return Why(moved.cause, f"{moved.detail}; {_named(second)} takes its place")
    reread = _reread(first, later) or _reread(earlier, second)
    if reread:
        return Why("reading", f"{reread}; {_named(second)} is used instead of {_named(first)}")
    return Why("other_winner", f"{_named(second)} is used instead of {_named(first)}: {later['use_reason'] or 'known'}")


def why_named(before: Row, after: Row, setting: Setting) -> Why:
    """Return why the same file gives its firm another name."""
    old, new = as_text(before["company_name_source"]), as_text(after["company_name_source"])
    says = next((each for each in (new, old) if CORRECTED.match(each)), "")
    if says and old != new:
        return Why("correction", f"{_named(after)}: {says if CORRECTED.match(new) else 'a correction was taken back'}")
    return Why("identity", f"{_named(after)}: {setting.identity or 'found in ' + (new or 'no source')}")


def _newcomer(first: Row, second: Row, before: Files, later: Row | None) -> Why:
    """Return why a file that was not known takes the place of another."""
    is_revision = (second["revision_number"] or 0) > (first["revision_number"] or 0)
    is_revision |= second["revision"] not in (None, "", "original", first["revision"])
    if is_revision:
        words = f"{_named(second)} ({_revision(second)}) takes the place of {_named(first)} ({_revision(first)})"
        return Why("revised_report", words + ("" if later else ", which is not there any more"))
    if before.named(second["file"]) is not None:
        return _new_file(second, before)
    if later is None:
        return Why("new_file", f"{_named(second)} is new and {_named(first)} is not there any more")
    return Why("new_file", f"{_named(second)} is new and used instead of {_named(first)}: {later['use_reason']}")


def _new_file(row: Row, before: Files) -> Why:
    replaced = before.named(row["file"])
    if replaced is not None and replaced["document_id"] is not None:
        bytes_before, bytes_after = (str(each["document_id"])[:8] for each in (replaced, row))
        return Why("new_file", f"{_named(row)} has other bytes ({bytes_before} -> {bytes_after})")
    return Why("new_file", f"{_named(row)} is new")


def _removed_file(row: Row, setting: Setting) -> Why:
    years = setting.after.years
    limit = f" among the files of {_years(years)}" if years else ""
    return Why("removed_file", f"{_named(row)} is not there any more{limit}")


def _moved(before: Row, after: Row, setting: Setting) -> Why | None:
    """Return why the same file is taken for another firm, year, kind or revision; None where it is not."""
    excluded = [row for row in (before, after) if row["status"] == EXCLUDED]
    if before["status"] != after["status"] and excluded:
        words = "is excluded now" if after["status"] == EXCLUDED else "is not excluded any more"
        return Why("correction", f"{_named(after)} {words} ({as_text(excluded[0]['reason'])})")
    changed = [name for name in SOURCE_OF if before[name] != after[name]]
    if not changed:
        return _admitted(before, after, setting)
    sources = [(as_text(before[SOURCE_OF[name]]), as_text(after[SOURCE_OF[name]])) for name in changed]
    entries = [new or old for old, new in sources if old != new and (CORRECTED.match(new) or CORRECTED.match(old))]
    words = ", ".join(
        f"{name} {as_text(before[name]) or 'none'} -> {as_text(after[name]) or 'none'}" for name in changed
    )
    if entries:
        says = next((each for each in entries if CORRECTED.match(each)), "a correction was taken back")
        return Why("correction", f"{_named(after)}: {words} ({says})")
    renamed = f"; renamed from {before['file']}" if before["file"] != after["file"] else ""
    return Why(
        "identity", f"{_named(after)}: {words} ({setting.identity or 'found in ' + _sources(after, changed)}){renamed}"
    )


def _admitted(before: Row, after: Row, setting: Setting) -> Why | None:
    """Return why a file of the same firm, year and kind may enter that could not, or the other way round."""
    if setting.kinds and "left_out" in (before["use_status"], after["use_status"]):
        return Why("other_winner", f"{_named(after)}: {setting.kinds}")
    return None


def _reread(before: Row, after: Row) -> str:
    """Return in words whether a file was read otherwise, so that another may win."""
    if before["status"] != after["status"]:
        said = as_text(after["reason"]) or as_text(before["reason"])
        return f"{_named(after)}: {before['status']} -> {after['status']} ({said})"
    if before["chinese_characters"] != after["chinese_characters"]:
        first, second = (f"{row['chinese_characters'] or 0:,}" for row in (before, after))
        return f"{_named(after)}: Chinese characters {first} -> {second}"
    return ""


def _sources(row: Row, fields: list[str]) -> str:
    return ", ".join(dict.fromkeys(as_text(row[SOURCE_OF[name]]) or "no source" for name in fields))


def _use(row: Row) -> str:
    return as_text(row["use_reason"]) or as_text(row["use_status"])


def _named(row: Row) -> str:
    return f"file {row['file']}"


def _revision(row: Row) -> str:
    number = int(row["revision_number"] or 0)
    return f"{row['revision'] or 'original'} {number}" if number else str(row["revision"] or "original")


def _years(years: list[int]) -> str:
    return ", ".join(map(str, years))
