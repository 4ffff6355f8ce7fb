"""What was fetched: a journal that survives a kill, the files themselves, and the manifest for people."""

from __future__ import annotations

import hashlib
import json
import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from types import TracebackType
from typing import IO, Literal, Self

import psutil

from flows.fetch_file import Part
from flows.fetch_names import numbered
from shuzhi import UsageError

HIDDEN = ".fetch"
MANIFEST = "fetched.csv"
MANIFEST_PARQUET = "fetched.parquet"
JOURNAL = "journal.jsonl"
LOCK = "lock.json"
CLOCK_TOLERANCE_SECONDS = 5.0
FetchStatus = Literal["ok", "duplicate", "failed", "refused", "left_out", "pending"]
HELD: tuple[FetchStatus, ...] = ("ok", "duplicate")


@dataclass(frozen=True)
class Entry:
    """One row of the manifest.

    Parameters
    ----------
    stock_code, short_name, report_year, kind, revision, title, published : str, str, int or None, str, str, str, str
        What the announcement is of.
    link : str
        Where the file is on the network.
    status : str
        ``ok``; ``duplicate``: the same bytes as another file, kept once; ``failed``: the next run tries again;
        ``refused``: for good, unless asked to try again; ``left_out``: not wanted; ``pending``: not reached yet.
    reason : str
        Why it is not ``ok``.
    file : str
        Path within the folder.
    sha256, size_bytes, fetched_at : str, int or None, str
        Of the file; the time is UTC.
    note : str
        What else there is to know, for example that it was resumed.
    """

    link: str
    status: FetchStatus
    reason: str = ""
    stock_code: str = ""
    short_name: str = ""
    report_year: int | None = None
    kind: str = ""
    revision: str = ""
    title: str = ""
    published: str = ""
    file: str = ""
    sha256: str = ""
    size_bytes: int | None = None
    fetched_at: str = ""
    note: str = ""


COLUMNS = (
    "stock_code",
    "short_name",
    "report_year",
    "kind",
    "revision",
    "title",
    "published",
    "status",
    "reason",
    "file",
    "sha256",
    "size_bytes",
    "fetched_at",
    "link",
    "note",
)


@dataclass
class Ledger:
    """The journal of a folder, its entries by link, and the files that it speaks of.

    Parameters
    ----------
    folder : Path
        Where the reports are kept.
    """

    folder: Path
    entries: dict[str, Entry] = field(default_factory=dict)
    _by_hash: dict[str, str] = field(default_factory=dict)
    _journal: IO[bytes] | None = None

    @property
    def parts(self) -> Path:
        """Return the folder of unfinished files."""
        return self.folder / HIDDEN

    def __enter__(self) -> Self:
        """Read the journal, finish what a killed run left between two steps, and open it for more."""
        self.parts.mkdir(parents=True, exist_ok=True)
        data = self.load()
        for entry in self.entries.values():
            if entry.status == "ok":
                self._finish(entry)
        self._journal = (self.parts / JOURNAL).open("ab")
        if data and not data.endswith(b"\n"):
            self._journal.write(b"\n")
        if not data:
            self._journal.writelines(_line(entry) for entry in self.entries.values())
        return self

    def load(self) -> bytes:
        """Read the entries, and change nothing; returns the journal as it is."""
        path = self.parts / JOURNAL
        data = path.read_bytes() if path.exists() else b""
        self.entries = dict(_entries_of(data)) if path.exists() else self._from_manifest()
        return data

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the journal."""
        if self._journal is not None:
            self._journal.close()

    def _from_manifest(self) -> dict[str, Entry]:
        """Return what the manifest says is there, where the journal was deleted."""
        path = self.folder / MANIFEST_PARQUET
        if not path.exists():
            return {}
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            rows = pq.read_table(path, columns=list(COLUMNS)).to_pylist()
        except (OSError, pa.ArrowException):
            return {}
        # A row without a time was refused by settings of that run; no server said so.
        return {row["link"]: Entry(**row) for row in rows if row["fetched_at"] and row["link"]}

    def _finish(self, entry: Entry) -> None:
        """Rename the part of a file that was journaled but not renamed; note the hashes of files that are there."""
        target, part = self.folder / entry.file, Part(self.parts, entry.link)
        if not target.exists() and part.facts().get("is_complete") and part.size() == entry.size_bytes:
            _rename(part, target)
        if self.has_file(entry):
            self._by_hash.setdefault(entry.sha256, entry.file)
            part.discard()

    def has_file(self, entry: Entry) -> bool:
        """Return whether the file of an entry is there, with its size."""
        path = self.folder / entry.file
        return bool(entry.file) and path.is_file() and path.stat().st_size == entry.size_bytes

    def is_settled(self, link: str, *, retry: bool) -> bool:
        """Return whether a link needs no request: its file is there, or it was refused for good."""
        entry = self.entries.get(link)
        if entry is None:
            return False
        if entry.status in HELD:
            return self.has_file(entry)
        return entry.status == "refused" and not retry

    def add(self, entry: Entry) -> None:
        """Write an entry to the journal, and to the disk, before anything rests on it."""
        assert self._journal is not None
        self._journal.write(_line(entry))
        self._journal.flush()
        os.fsync(self._journal.fileno())
        self.entries[entry.link] = entry

    def keep(self, entry: Entry, name: str) -> Entry:
        """Give a whole part its own name, or note that the same bytes are there already; nothing is overwritten.

        Parameters
        ----------
        entry : Entry
            With hash and size of the part.
        name : str
            The path that the file should have; a number is added where another file has it.
        """
        part = Part(self.parts, entry.link)
        same = self._by_hash.get(entry.sha256) or self._found(name, entry)
        if same and (self.folder / same).is_file():
            is_own = same == name and same not in self._spoken(entry.link)
            reason = "" if is_own else f"the same bytes as {same}"
            kept = replace(entry, status="ok" if is_own else "duplicate", reason=reason, file=same)
            self.add(kept)
            part.discard()
        else:
            kept = replace(entry, file=self._free(name, self._spoken(entry.link)))
            self.add(kept)
            _rename(part, self.folder / kept.file)
        self._by_hash.setdefault(kept.sha256, kept.file)
        return kept

    def _found(self, name: str, entry: Entry) -> str:
        """Return the name where a file of the same bytes lies there already, put by someone else."""
        path = self.folder / name
        if not path.is_file() or path.stat().st_size != entry.size_bytes:
            return ""
        with path.open("rb") as file:
            return name if hashlib.file_digest(file, "sha256").hexdigest() == entry.sha256 else ""

    def _spoken(self, link: str) -> set[str]:
        """Return the files that entries of other links speak of."""
        return {each.file for each in self.entries.values() if each.file and each.link != link}

    def _free(self, name: str, spoken: set[str]) -> str:
        """Return the name, or the first numbered one that no file has and no entry speaks of."""
        number, free = 1, name
        while free in spoken or os.path.lexists(self.folder / free):
            number += 1
            free = numbered(name, number)
        return free


def _line(entry: Entry) -> bytes:
    return json.dumps(asdict(entry), ensure_ascii=False, sort_keys=True).encode("utf-8", "replace") + b"\n"


def _rename(part: Part, target: Path) -> None:
    """Move a part to its name; a file that has it by now is left alone."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(part.path, target)
    except FileExistsError:
        raise UsageError(f"{target}: was made by something else just now; run again") from None
    except OSError:
        # Some file systems know no second name of a file.
        part.path.rename(target)
    part.discard()


def _entries_of(data: bytes) -> Iterator[tuple[str, Entry]]:
    """Yield the entries of a journal; a line that a kill cut off is none."""
    names = {each.name for each in fields(Entry)}
    for line in data.splitlines():
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict) and {"link", "status"} <= row.keys():
            yield row["link"], Entry(**{name: value for name, value in row.items() if name in names})


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep a second run from fetching into the same folder; the lock of a dead process is taken over.

    Raises
    ------
    UsageError
        If another run is at work there, or the folder cannot be written.
    """
    path = folder / HIDDEN / LOCK
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if _is_held(path):
            raise UsageError(
                f"{folder}: another run is fetching into it; wait for it, or remove {path} if it is long gone"
            )
        path.unlink(missing_ok=True)
        with path.open("x", encoding="utf-8") as file:
            created = psutil.Process().create_time()
            json.dump({"process": os.getpid(), "created": created, "host": socket.gethostname()}, file)
    except FileExistsError:
        raise UsageError(f"{folder}: another run is fetching into it since just now; wait for it") from None
    except OSError as error:
        raise UsageError(f"{folder}: cannot be written: {error.strerror or error}") from None
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _is_held(path: Path) -> bool:
    try:
        holder = json.loads(path.read_text(encoding="utf-8"))
        if holder["host"] != socket.gethostname():
            return True
        created = psutil.Process(int(holder["process"])).create_time()
        return bool(abs(created - float(holder["created"])) < CLOCK_TOLERANCE_SECONDS)
    except (OSError, ValueError, KeyError, TypeError, psutil.NoSuchProcess):
        return False


def write_manifest(folder: Path, entries: Sequence[Entry], extra: Mapping[str, str]) -> None:
    """Write the manifest as CSV and as Parquet, in order of firm, year and link."""
    import pandas as pd

    from flows.formats import write_csv, write_parquet

    ordered = sorted(entries, key=lambda each: (each.stock_code, each.report_year or 0, each.link, each.title))
    rows = [asdict(each) for each in ordered]
    frame = pd.DataFrame({name: [row[name] for row in rows] for name in COLUMNS})
    for name in ("report_year", "size_bytes"):
        frame[name] = frame[name].astype("Int64")
    for name in set(COLUMNS) - {"report_year", "size_bytes"}:
        frame[name] = frame[name].astype("str")
    write_parquet(frame, folder / MANIFEST_PARQUET, extra)
    write_csv(frame, folder / MANIFEST)
