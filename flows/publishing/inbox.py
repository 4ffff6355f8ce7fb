"""New and revised reports are copied out of an inbox, by content, and every file of it gets a row that says why."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import pandas as pd

from flows.files import ListedFile, is_same, list_folder, load_listing, with_hashes
from flows.formats import write_csv
from flows.publishing.inbox_copy import copy_whole, half_name, leads_out, put_in_place, remove_halves
from flows.publishing.inbox_places import Inbox, open_inbox, shown_url
from flows.settings import AnnualUpdateParameters
from flows.store import Store, hash_of
from nlp.identity import from_path
from shuzhi import RunError, UsageError

INBOX_FILE = "inbox.csv"
COLUMNS = ["inbox_file", "state", "file", "reason", "size_bytes", "document_id"]
State = Literal["taken", "known", "left"]
# A PDF ends with this mark, near its last byte; one that came a moment ago without it is still on its way.
END_MARK = b"%%EOF"
END_BYTES = 2048
STILL_ARRIVING_SECONDS = 600.0


@dataclass(frozen=True)
class InboxRow:
    """What became of one file of the inbox.

    Parameters
    ----------
    inbox_file : str
        Its name in the inbox.
    state : {'taken', 'known', 'left'}
        Copied now, there already with the same bytes, or left where it is.
    file : str
        Its name in the folder of reports; empty where it was left.
    reason : str
        Why.
    size_bytes : int
        Its size.
    document_id : str
        SHA-256 of its bytes; empty where it was left.
    """

    inbox_file: str
    state: State
    file: str
    reason: str
    size_bytes: int
    document_id: str


@dataclass(frozen=True)
class Taking:
    """What was taken out of an inbox.

    Parameters
    ----------
    rows : tuple of InboxRow
        One a file of the inbox, in order of name.
    """

    rows: tuple[InboxRow, ...] = ()

    def count(self, state: State) -> int:
        """Return the number of files with a state."""
        return sum(row.state == state for row in self.rows)

    def years(self) -> set[int]:
        """Return the report years that the names of the files state that are now in the folder.

        Those known before count too: a run that was killed after copying would never read them otherwise.
        """
        stated = (from_path(row.inbox_file).report_year for row in self.rows if row.state != "left")
        return {year for year in stated if year is not None}

    def to_frame(self) -> pd.DataFrame:
        """Return the rows as a table."""
        return pd.DataFrame([vars(row) for row in self.rows], columns=COLUMNS)


def take_reports(parameters: AnnualUpdateParameters) -> Taking:
    """Copy what is new in the inbox into the folder of reports; nothing there is overwritten, nothing is moved.

    Raises
    ------
    UsageError
        If there is no inbox at that place, or it lies in the folder of reports, or around it.
    RunError
        If a copy cannot be written.
    """
    if not parameters.inbox:
        return Taking()
    folder = Path(parameters.folder)
    check_apart(parameters.inbox, folder)
    inbox = open_inbox(parameters.inbox)
    first = inbox.look()
    folder.mkdir(parents=True, exist_ok=True)
    store = Store(parameters.store_url(), create=True)
    with store.lock():
        remove_halves(folder)
        seen = load_seen(store, parameters.inbox)
        files = settled(inbox, first, seen, parameters.settle_seconds)
        files = inbox.with_hashes(files, seen)
        held = hashes_held(store, parameters.folder, {each.size_bytes for each in files})
        rows = []
        for number, each in enumerate(files):
            row = take_one(inbox, each, folder, held)
            rows.append(row)
            files[number] = replace(each, document_id=row.document_id or None)
            if row.state == "taken":
                held[row.document_id] = row.file
        save_seen(store, parameters.inbox, [each for each in files if each.document_id])
    taking = Taking(tuple(rows))
    write_csv(taking.to_frame(), Path(parameters.out) / INBOX_FILE)
    return taking


def seen_name(url: str) -> str:
    """Return under which name a store remembers the files of an inbox; they are no reports of its folders."""
    return f"inbox-{hash_of('inbox', shown_url(url) if '://' in url else str(Path(url).resolve()))}"


def load_seen(store: Store, url: str) -> dict[str, ListedFile]:
    """Return the files of an inbox as they were seen last, so that what did not change is not opened again."""
    rows = (store.current(seen_name(url)) or {}).get("files", [])
    return {row[0]: ListedFile(row[0], "", row[1], row[2], row[3], changed_ns=row[4]) for row in rows}


def save_seen(store: Store, url: str, files: Sequence[ListedFile]) -> None:
    """Remember the files of an inbox whose bytes are in the folder of reports."""
    rows = [[each.file, each.size_bytes, each.modified_ns, each.document_id, each.changed_ns] for each in files]
    store.set_current(seen_name(url), files=rows)


def check_apart(inbox: str, folder: Path) -> None:
    """Refuse an inbox that holds the folder of reports, or lies in it: copies would be found as new files."""
    if "://" in inbox:
        return
    first, second = Path(inbox).resolve(), folder.resolve()
    if first == second or first in second.parents or second in first.parents:
        raise UsageError(f"the inbox {inbox} and the folder {folder} must lie apart; name two folders side by side")


def settled(
    inbox: Inbox, first: Sequence[ListedFile], seen: Mapping[str, ListedFile], seconds: float
) -> list[ListedFile]:
    """Look a second time, and mark what changed meanwhile or cannot be whole yet; nothing new costs no waiting."""
    if all(each.status or _is_as(each, seen.get(each.file)) for each in first):
        return list(first)
    time.sleep(seconds)
    before = {each.file: each for each in first}
    return [_marked(inbox, each, before.get(each.file), seen.get(each.file)) for each in inbox.look()]


def _is_as(now: ListedFile, before: ListedFile | None) -> bool:
    return before is not None and is_same(now, before)


def _marked(inbox: Inbox, now: ListedFile, before: ListedFile | None, seen: ListedFile | None) -> ListedFile:
    if now.status or _is_as(now, seen):
        return now
    if before is None:
        return replace(now, status="failed", reason="arrived just now; left for the next run")
    if not _is_as(now, before):
        words = f"still growing ({before.size_bytes:,} bytes, then {now.size_bytes:,})"
        return replace(now, status="failed", reason=f"{words}; left for the next run")
    if not now.size_bytes:
        return replace(now, status="failed", reason="empty; left for the next run")
    if _is_arriving(now):
        reason = "a PDF without its end mark that came less than ten minutes ago; left for the next run"
        return replace(now, status="failed", reason=reason)
    return now


def _is_arriving(listed: ListedFile) -> bool:
    """Tell whether a PDF of a local inbox came a moment ago and has no end yet; an object arrives as a whole."""
    path = Path(listed.path)
    if not listed.file.lower().endswith(".pdf") or not path.is_file():
        return False
    age = time.time() - listed.modified_ns / 1e9
    if not 0 <= age < STILL_ARRIVING_SECONDS:
        return False
    try:
        with path.open("rb") as stream:
            stream.seek(max(0, listed.size_bytes - END_BYTES))
            return END_MARK not in stream.read()
    except OSError:
        return False


def hashes_held(store: Store, folder: str, sizes: set[int]) -> dict[str, str]:
    """Return name by hash of the reports in the folder that could be one of the inbox: those of the same size."""
    try:
        listed = list_folder(folder)
    except UsageError:
        return {}
    alike = [each for each in listed if each.size_bytes in sizes and not each.status]
    hashed = with_hashes(alike, load_listing(store, folder))
    return {each.document_id: each.file for each in reversed(hashed) if each.document_id}


def take_one(inbox: Inbox, listed: ListedFile, folder: Path, held: Mapping[str, str]) -> InboxRow:
    """Copy one file, unless its bytes are there already or it cannot be taken yet."""
    known = held.get(listed.document_id or "")
    if listed.status:
        return _left(listed, listed.reason)
    if known is not None:
        return _known(listed, known, listed.document_id or "")
    if leads_out(listed.file):
        return _left(listed, "its name cannot be that of a file in the folder; rename it")
    half = half_name(folder, listed.file)
    try:
        document_id, reason = copy_whole(inbox, listed, half)
        return _left(listed, reason) if reason else _placed(listed, half, folder, document_id, held)
    except OSError as error:
        words = f"{error.strerror or error}; make room or rights, and run again"
        raise RunError(f"{listed.file} cannot be copied into {folder}: {words}") from None
    finally:
        half.unlink(missing_ok=True)


def _placed(listed: ListedFile, half: Path, folder: Path, document_id: str, held: Mapping[str, str]) -> InboxRow:
    """Give a whole copy its name, unless its bytes turn out to be there already."""
    if document_id in held:
        return _known(listed, held[document_id], document_id)
    name, is_there = put_in_place(half, folder, listed.file, document_id)
    if is_there:
        return _known(listed, name, document_id)
    words = "new" if name == listed.file else f"new; the name {listed.file} is taken by other bytes"
    return InboxRow(listed.file, "taken", name, words, listed.size_bytes, document_id)


def _left(listed: ListedFile, reason: str) -> InboxRow:
    return InboxRow(listed.file, "left", "", reason, listed.size_bytes, "")


def _known(listed: ListedFile, name: str, document_id: str) -> InboxRow:
    reason = f"the same bytes are in the folder{'' if name == listed.file else f' as {name}'}"
    here, there = from_path(listed.file), from_path(name)
    if (here.stock_code, here.report_year) != (there.stock_code, there.report_year):
        reason += "; the two names say another firm or year, so one of them is wrong"
    return InboxRow(listed.file, "known", name, reason, listed.size_bytes, document_id)
