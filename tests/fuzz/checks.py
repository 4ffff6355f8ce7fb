"""What must hold after a run: a row and a status for every file, sound outputs, workers within their limits."""

import csv
import hashlib
import re
import typing
from collections.abc import Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd

from nlp.readability import Status
from tests.fuzz.places import Placed
from tests.fuzz.watch import Seen

STATUSES = set(typing.get_args(Status))
# The pool looks at a worker every 50 ms; what a worker may gain in between on a busy machine.
MEMORY_SLACK_MEGABYTES = 350
SECONDS_SLACK = 5.0
# How the pool tells of an exception that nobody foresaw: its last words are a file and a line.
UNFORESEEN = re.compile(r"\(\w+\.py line \d+\)$")
NEIGHBOUR_COLUMNS = ("status", "reason", "pages", "text_pages", "chinese_characters", "tokens", "sentences", "language")
HIT_COLUMNS = ("dictionary", "term", "page", "offset", "end_page", "end_offset", "matched", "sentence")
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


@dataclass(frozen=True)
class Limits:
    """What one file may use in a fuzzing run."""

    seconds: float = 15.0
    megabytes: int = 600
    workers: int = 2


@dataclass(frozen=True)
class Fault:
    """Something that must not be, and the mutation that shows it (None: the round as a whole)."""

    number: int | None
    kind: str
    what: str


@dataclass
class Result:
    """What came of one round."""

    statuses: dict[tuple[str, str], int] = field(default_factory=dict)
    seconds_by_kind: dict[str, float] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    reasons: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    peak_megabytes: float = 0.0
    replaced: int = 0
    starts: list[float] = field(default_factory=list)
    neighbours: dict[str, str] = field(default_factory=dict)
    first: int = 0
    last: int = 0


def _number_of(file: str) -> int:
    found = re.match(r"z?(\d{5})/", file)
    return int(found[1]) if found else -1


def _by_number(documents: pd.DataFrame) -> dict[int, pd.DataFrame]:
    return dict(iter(documents.groupby(documents["file"].map(_number_of))))


def check_documents(placed: Sequence[Placed], documents: pd.DataFrame, result: Result) -> None:
    """Check that every file has a row with a status, a reason where it is not ok, and the status that is certain."""
    rows_of = _by_number(documents)
    for each in placed:
        rows = rows_of.get(each.number, documents.iloc[:0])
        if len(rows) != each.rows:
            result.faults.append(Fault(each.number, each.kind, f"{len(rows)} rows, not {each.rows}"))
        for file, status, reason in rows[["file", "status", "reason"]].itertuples(index=False, name=None):
            key = (each.kind, str(status))
            result.statuses[key] = result.statuses.get(key, 0) + 1
            said = re.sub(r"\d[\d,.]*", "n", str(reason))[:160]
            if status != "ok":
                result.reasons[f"{status}: {said}"] = result.reasons.get(f"{status}: {said}", 0) + 1
            if status not in STATUSES:
                result.faults.append(Fault(each.number, each.kind, f"status {status!r} is none"))
            if status != "ok" and not reason:
                result.faults.append(Fault(each.number, each.kind, f"{status} without a reason"))
            if UNFORESEEN.search(str(reason)):
                result.faults.append(Fault(each.number, each.kind, f"an exception nobody foresaw: {reason}"))
            if CONTROL.search(f"{file}{reason}"):
                result.faults.append(Fault(each.number, each.kind, f"control characters in {file!r} or {reason!r}"))
        _check_expected(each, rows, each.expected, "", result)


def _check_expected(each: Placed, rows: pd.DataFrame, expected: dict[str, str], when: str, result: Result) -> None:
    cells = rows[["file", "status", "reason"]].itertuples(index=False, name=None)
    found = {file.partition("/")[2]: (status, reason) for file, status, reason in cells}
    for name, status in expected.items():
        if found.get(name, ("no row", ""))[0] != status:
            what = f"{name} is {found.get(name)}, not {status}{when}"
            result.faults.append(Fault(each.number, each.kind, what))


def check_second(placed: Sequence[Placed], documents: pd.DataFrame, result: Result) -> None:
    """Check that what came back, or changed, is read in the second run without being asked to try again."""
    rows_of = _by_number(documents)
    for each in placed:
        rows = rows_of.get(each.number, documents.iloc[:0])
        _check_expected(each, rows, each.expected_again, " in the second run", result)


def check_limits(seen: Seen, limits: Limits, kinds: dict[int, str], result: Result) -> None:
    if seen.peak_megabytes > limits.megabytes + MEMORY_SLACK_MEGABYTES:
        what = f"a worker used {seen.peak_megabytes:.0f} MB where {limits.megabytes} MB are allowed"
        result.faults.append(Fault(None, "the run", what))
    for what, over in seen.over.items():
        found = re.search(r"/z?(\d{5})/", what)
        if over > SECONDS_SLACK:
            number = int(found[1]) if found else None
            result.faults.append(Fault(number, "the run", f"{what} took {over:.1f} s more than it may"))
        if found and what.startswith("read_file"):
            kind = kinds.get(int(found[1]), "")
            result.seconds_by_kind[kind] = result.seconds_by_kind.get(kind, 0.0) + seen.seconds[what]


class _Tags(HTMLParser):
    """Collects what a page would run or load."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = {name for name, _ in attrs}
        if tag in ("img", "iframe", "object", "embed") or any(name.startswith("on") for name in names):
            self.found.append(f"<{tag} {attrs}>")


def check_outputs(out: Path, documents: pd.DataFrame, result: Result) -> None:
    """Check that odd names and odd text break neither the tables nor the page."""
    for name in ("documents.csv", "failures.csv", "sections.csv", "indices.csv"):
        with (out / name).open(encoding="utf-8-sig", newline="") as stream:
            rows = list(csv.reader(stream, strict=True))
        if {len(row) for row in rows} != {len(rows[0])}:
            result.faults.append(Fault(None, "the outputs", f"{name} has rows of different length"))
        if name == "documents.csv" and len(rows) != len(documents) + 1:
            result.faults.append(Fault(None, "the outputs", f"{name} has {len(rows) - 1} rows of {len(documents)}"))
        if CONTROL.search("".join(cell for row in rows for cell in row)):
            cells = [(row[0], cell) for row in rows for cell in row if CONTROL.search(cell)]
            result.faults.append(Fault(None, "the outputs", f"{name} holds control characters: {cells[0]!r}"))
    page = (out / "report.html").read_text(encoding="utf-8")
    tags = _Tags()
    tags.feed(page)
    result.faults += [Fault(None, "the outputs", f"report.html would run or load {tag}") for tag in tags.found]
    if page.count("<script") > 1 or "<script>alert" in page:
        result.faults.append(Fault(None, "the outputs", "report.html holds a script of a file"))
    if CONTROL.search(page):
        result.faults.append(Fault(None, "the outputs", "report.html holds control characters"))


def numbers_of_neighbours(out: Path, documents: pd.DataFrame) -> dict[str, str]:
    """Return the numbers of each neighbour, and a hash of its hits, as text to compare."""
    hits = pd.read_parquet(out / "hits.parquet")
    numbers = {}
    for row in documents[documents["file"].str.startswith("neighbour_")].to_dict("records"):
        own = hits.loc[hits["document_id"] == row["document_id"], list(HIT_COLUMNS)]
        digest = hashlib.sha256(own.to_csv(index=False).encode("utf-8")).hexdigest()[:12]
        shown = [f"{name} {row[name]}" for name in NEIGHBOUR_COLUMNS]
        numbers[str(row["file"])] = "; ".join([*shown, f"{len(own)} hits {digest}"])
    return numbers
