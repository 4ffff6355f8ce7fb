"""Fetching as a whole: list, choose, ask one link after another, keep, and say what became of each."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from flows.fetch_client import PoliteClient
from flows.fetch_file import Wanted, download
from flows.fetch_gate import FetchError, StopFetchingError, shown
from flows.fetch_list import Choice, choose
from flows.fetch_manifest import HELD, Entry, Ledger, locked, write_manifest
from flows.fetch_names import clean_title, file_name
from flows.fetch_source import announcements_of, open_source, write_announcements
from flows.settings import FetchParameters
from shuzhi import RunError, __version__

LINE_EVERY_SECONDS = 60.0
# For the estimate alone: the median size in a list of 13,258 annual reports, and a slow line.
USUAL_BYTES = 2_400_000
USUAL_BYTES_PER_SECOND = 500_000
Tell = Callable[[str], None]


@dataclass(frozen=True)
class FetchPlan:
    """What a run would ask for: files by name and link, how many are there or left out, size and time."""

    files: list[tuple[str, str]]
    held: int
    refused: int
    left_out: dict[str, int]
    megabytes: float
    minutes: float
    notes: list[str]


@dataclass(frozen=True)
class FetchSummary:
    """What a run did.

    Parameters
    ----------
    announcements : int
        Rows of the list.
    fetched, duplicates, held : int
        Files fetched now; files whose bytes were there already; links whose file was there before the run.
    failed, refused, pending : int
        Links that gave no report: to be tried again, for good, and not reached.
    left_out : dict of str to int
        Announcements that are not wanted, by reason.
    requests : int
        Requests made.
    megabytes, seconds : float
        What was fetched now, and the time of the whole run.
    notes : list of str
        What was odd about the listing.
    """

    announcements: int
    fetched: int
    duplicates: int
    held: int
    failed: int
    refused: int
    pending: int
    left_out: dict[str, int]
    requests: int
    megabytes: float
    seconds: float
    notes: list[str]


def plan_fetching(parameters: FetchParameters) -> FetchPlan:
    """Say what a run would do; nothing is written, and only a service is asked, for its listing."""
    source = open_source(parameters)
    with closing(PoliteClient(parameters, source.hosts)) as client:
        announcements, notes = announcements_of(source, client, parameters)
    choices = choose(announcements, parameters)
    ledger = Ledger(Path(parameters.folder))
    ledger.load()
    wanted = [choice for choice in choices if not choice.left_out]
    asked, refused = [], 0
    for choice in wanted:
        if not ledger.is_settled(choice.announcement.link, retry=parameters.retry):
            try:
                client.gate.check(choice.announcement.link)
                asked.append(choice)
            except FetchError:
                refused += 1
    held = len(wanted) - len(asked) - refused
    asked = asked[: parameters.limit] if parameters.limit else asked
    size = sum(choice.announcement.listed_bytes or USUAL_BYTES for choice in asked)
    pace = len(asked) * (1 / parameters.requests_per_second + parameters.jitter_seconds / 2)
    return FetchPlan(
        files=[(file_name(choice.announced), choice.announcement.link) for choice in asked if choice.announced],
        held=held,
        refused=refused,
        left_out=_left_out(choices),
        megabytes=size / 1e6,
        minutes=max(pace, size / USUAL_BYTES_PER_SECOND) / 60,
        notes=notes,
    )


def _left_out(choices: Sequence[Choice]) -> dict[str, int]:
    return dict(Counter(shown(choice.left_out) for choice in choices if choice.left_out).most_common())


def fetch_all(parameters: FetchParameters, tell: Tell = lambda line: None) -> FetchSummary:
    """Fetch the wanted reports into the folder, and write the manifest of what became of each announcement.

    Parameters
    ----------
    parameters : FetchParameters
        What to fetch, where to, and how politely.
    tell : callable, optional
        Gets a line about once a minute.

    Raises
    ------
    UsageError
        If the list, the settings or the folder cannot be used.
    RunError
        If too many links gave no report, too many failed in a row, or a server asks to be left alone; what was fetched
        by then is kept, and the same command goes on.
    """
    started = time.monotonic()
    source = open_source(parameters)
    folder = Path(parameters.folder)
    with (
        closing(PoliteClient(parameters, source.hosts)) as client,
        locked(folder),
        Ledger(folder) as ledger,
    ):
        announcements, notes = announcements_of(source, client, parameters)
        if source.service:
            write_announcements(folder, announcements)
        choices = choose(announcements, parameters)
        run = _Run(parameters, client, ledger, tell)
        try:
            run.ask_all([choice for choice in choices if not choice.left_out])
        finally:
            write_manifest(folder, run.rows(choices), {"shuzhi": __version__})
    summary = run.summary(choices, notes, time.monotonic() - started)
    _judge(summary, run.stopped, parameters)
    return summary


def _judge(summary: FetchSummary, stopped: str, parameters: FetchParameters) -> None:
    """Raise a `RunError` where the run was stopped, or too many links gave no report."""
    if stopped:
        raise RunError(f"{stopped} ({summary.fetched:,} fetched, {summary.pending:,} not reached; see fetched.csv)")
    lost = summary.failed + summary.refused
    asked = lost + summary.fetched + summary.duplicates + summary.held
    if asked and lost / asked > parameters.max_failure_share:
        raise RunError(
            f"{lost:,} of {asked:,} links gave no report, more than the allowed share of"
            f" {parameters.max_failure_share:g}; {summary.fetched:,} fetched, reasons are in fetched.csv"
        )


class _Run:
    """One pass over the wanted links."""

    def __init__(self, parameters: FetchParameters, client: PoliteClient, ledger: Ledger, tell: Tell) -> None:
        self.parameters = parameters
        self.client = client
        self.ledger = ledger
        self.tell = tell
        # Entries of this run that no server was asked for: not in the journal, for the settings may change.
        self.local: dict[str, Entry] = {}
        self.stopped = ""
        self.counts: Counter[str] = Counter()
        self.megabytes = 0.0
        self._in_row = 0

    def ask_all(self, wanted: Sequence[Choice]) -> None:
        """Ask for the links in order, up to the limit or until the run must stop."""
        last_line, asked = time.monotonic(), 0
        for number, choice in enumerate(wanted, start=1):
            link = choice.announcement.link
            if self.ledger.is_settled(link, retry=self.parameters.retry):
                self._count_settled(self.ledger.entries[link])
            elif self.stopped or (self.parameters.limit and asked >= self.parameters.limit):
                self.counts["pending"] += 1
            else:
                asked += self._ask(choice)
            if time.monotonic() - last_line >= LINE_EVERY_SECONDS:
                last_line = time.monotonic()
                self.tell(f"{number:,} of {len(wanted):,} links, {self.counts['ok']:,} files fetched")

    def _count_settled(self, entry: Entry) -> None:
        self.counts["held" if entry.status in HELD else "refused"] += 1

    def _ask(self, choice: Choice) -> bool:
        """Ask for one link; returns whether a server was asked."""
        announcement = choice.announcement
        wanted = Wanted(announcement.link, announcement.listed_bytes, announcement.is_exact_size)
        try:
            done = download(self.client, wanted, self.ledger.parts, self.parameters)
        except StopFetchingError as error:
            self.stopped = str(error)
            self.counts["pending"] += 1
            return True
        except FetchError as error:
            self._note_failure(choice, error)
            return not error.is_local
        assert choice.announced is not None
        entry = replace(
            _entry(choice, "ok", ""),
            sha256=done.sha256,
            size_bytes=done.size_bytes,
            fetched_at=_now(),
            note=done.note,
        )
        kept = self.ledger.keep(entry, file_name(choice.announced))
        self.counts[kept.status] += 1
        self.megabytes += done.size_bytes / 1e6
        self._in_row = 0
        return True

    def _note_failure(self, choice: Choice, error: FetchError) -> None:
        self.counts[error.status] += 1
        entry = replace(_entry(choice, error.status, error.reason), fetched_at=_now())
        if error.is_local:
            self.local[entry.link] = replace(entry, fetched_at="")
            return
        self.ledger.add(entry)
        self._in_row += 1
        if self._in_row >= self.parameters.failures_in_row:
            self.stopped = f"stopped after {self._in_row} failed links in a row, the last one: {error.reason}"

    def rows(self, choices: Sequence[Choice]) -> list[Entry]:
        """Return the rows of the manifest: all that the journal knows, and what became of the rest of this list."""
        rows = {**self.ledger.entries, **self.local}
        for choice in choices:
            if not choice.left_out:
                rows.setdefault(choice.announcement.link, _entry(choice, "pending", "not reached yet"))
        return [*rows.values(), *(_entry(each, "left_out", each.left_out) for each in choices if each.left_out)]

    def summary(self, choices: Sequence[Choice], notes: list[str], seconds: float) -> FetchSummary:
        """Return what was counted."""
        return FetchSummary(
            announcements=len(choices),
            fetched=self.counts["ok"],
            duplicates=self.counts["duplicate"],
            held=self.counts["held"],
            failed=self.counts["failed"],
            refused=self.counts["refused"],
            pending=self.counts["pending"],
            left_out=_left_out(choices),
            requests=self.client.requests,
            megabytes=self.megabytes,
            seconds=seconds,
            notes=notes,
        )


def _entry(choice: Choice, status: str, reason: str) -> Entry:
    announcement, announced = choice.announcement, choice.announced
    return Entry(
        link=announcement.link,
        status=status,  # type: ignore[arg-type]
        reason=reason,
        stock_code=announced.stock_code if announced else announcement.stock_code,
        short_name=announcement.short_name,
        report_year=announced.report_year if announced else announcement.report_year,
        kind=announced.kind if announced else "",
        revision=announced.revision if announced else "",
        title=clean_title(announcement.title),
        published=announcement.published,
    )


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
