"""The files of an input folder: which there are, and by which hash of their bytes they are known."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import stat
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from io import BufferedReader
from pathlib import Path

import pyarrow as pa

from flows.store import Store, hash_of, long_path
from flows.tables import FILES
from nlp.identity import from_path
from shuzhi import UsageError

SUFFIXES = (".pdf", ".txt")
HASH_THREADS = 4
LATEST_NANOSECONDS = 2**63 - 1
# File systems tell times in steps; what changed a moment ago may change again within the same step.
FRESH_NANOSECONDS = 2_000_000_000
NOT_A_FILE = "is a pipe or device, not a file"
# No report is near it, and a file of holes that claims a terabyte would be hashed for an hour.
LARGEST_FILE_BYTES = 2 << 30
# They would break lines, terminals and pages that show the name.
CONTROL_CHARACTERS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


@dataclass(frozen=True)
class ListedFile:
    """One file of the input folder.

    Parameters
    ----------
    file : str
        Path within the folder, with ``/``.
    path : str
        Path to open.
    size_bytes, modified_ns : int
        As the file system gives them; a time that 64 bits do not hold is cut.
    document_id : str or None
        SHA-256 of the bytes; None while unknown.
    status, reason : str
        ``failed`` and why, where the file cannot be opened; otherwise empty.
    changed_ns : int or None
        When the file's entry changed last, which no program can set back; a file with the same size and times is not
        hashed again. 0 where that was too short before the listing to tell a later change by, None where an older
        version did not note it.
    """

    file: str
    path: str
    size_bytes: int
    modified_ns: int
    document_id: str | None = None
    status: str = ""
    reason: str = ""
    changed_ns: int | None = 0


def folder_key(folder: str) -> str:
    """Return the key under which the files of a folder are listed."""
    return hash_of("folder", str(Path(folder).resolve()))


def list_folder(folder: str) -> list[ListedFile]:
    """List the reports below a folder, in order of name; nothing is opened.

    Raises
    ------
    UsageError
        If there is no such folder, or no report in it.
    """
    # Workers of Dask are in other folders than this process.
    root = Path(folder).absolute()
    if not root.is_dir():
        raise UsageError(f"{folder}: no such folder; name the folder that holds the reports")
    found: list[ListedFile] = []

    def note(error: OSError) -> None:
        relative = os.path.relpath(str(error.filename), long_path(root))
        reason = f"the folder cannot be opened: {error.strerror}"
        found.append(_failed(relative, str(error.filename), reason))

    for place, folders, names in os.walk(long_path(root), onerror=note):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in names:
            path = os.path.join(place, name)  # noqa: PTH118
            if name.lower().endswith(SUFFIXES) and not name.startswith((".", "~$")):
                found.append(_listed(path, os.path.relpath(path, long_path(root))))
    if not found:
        raise UsageError(f"{folder}: no .pdf or .txt file in it or below it")
    return sorted(_told_apart(found, root), key=lambda listed: listed.file)


def _told_apart(found: Sequence[ListedFile], root: Path) -> list[ListedFile]:
    """Give files whose names look the same, in two encodings say, names that differ: the name is their key."""
    count = Counter(each.file for each in found)
    return [replace(each, file=_marked(each, root)) if count[each.file] > 1 else each for each in found]


def _marked(listed: ListedFile, root: Path) -> str:
    stem, suffix = os.path.splitext(listed.file)  # noqa: PTH122
    name = os.fsencode(os.path.relpath(listed.path, long_path(root)))
    return f"{stem} ({hashlib.sha256(name).hexdigest()[:8]}){suffix}"


@contextlib.contextmanager
def open_report(path: str) -> Iterator[BufferedReader]:
    """Open a file to read, without waiting where a pipe or a device has taken its place since it was listed.

    Raises
    ------
    OSError
        If it cannot be opened, or is no regular file.
    """
    with open(path, "rb", opener=_open_at_once) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, NOT_A_FILE, path)
        yield file


def _open_at_once(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _listed(path: str, relative: str) -> ListedFile:
    try:
        facts = os.stat(path)  # noqa: PTH116
    except OSError as error:
        return _failed(relative, path, f"cannot be opened: {error.strerror}")
    if not stat.S_ISREG(facts.st_mode):
        return _failed(relative, path, NOT_A_FILE)
    if facts.st_size > LARGEST_FILE_BYTES:
        reason = f"has {facts.st_size / 1e9:,.1f} GB; more than {LARGEST_FILE_BYTES / 1e9:.1f} GB are no report"
        return _failed(relative, path, reason, facts.st_size)
    return ListedFile(
        _shown(relative), path, facts.st_size, _cut(facts.st_mtime_ns), changed_ns=_cut(facts.st_ctime_ns)
    )


def _failed(relative: str, path: str, reason: str, size_bytes: int = 0) -> ListedFile:
    return ListedFile(_shown(relative), path, size_bytes, 0, status="failed", reason=reason)


def _cut(nanoseconds: int) -> int:
    return max(min(nanoseconds, LATEST_NANOSECONDS), -LATEST_NANOSECONDS)


def _shown(relative: str) -> str:
    """Return a path that can be stored and printed, with control characters as ``\\x1b``.

    A name that is not UTF-8 came from a Chinese Windows most likely.
    """
    name = os.fsencode(relative)
    for encoding in ("utf-8", "gb18030"):
        try:
            shown = name.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        shown = name.decode("utf-8", "backslashreplace")
    shown = shown.replace(os.sep, "/")
    return CONTROL_CHARACTERS.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), shown)


def select(files: Sequence[ListedFile], years: Sequence[int], limit: int) -> list[ListedFile]:
    """Return the files to read: those whose name does not say another year, up to the limit."""
    if years:
        stated = ((listed, from_path(listed.file).report_year) for listed in files)
        files = [listed for listed, year in stated if year is None or year in years]
    return list(files[:limit] if limit else files)


def with_hashes(files: Sequence[ListedFile], known: Mapping[str, ListedFile]) -> list[ListedFile]:
    """Return the files with their hashes; those unchanged since they were listed last are not opened."""
    with ThreadPoolExecutor(HASH_THREADS) as threads:
        return list(threads.map(lambda listed: _with_hash(listed, known.get(listed.file)), files))


def _with_hash(listed: ListedFile, known: ListedFile | None) -> ListedFile:
    if listed.status:
        return listed
    if known is not None and known.document_id and is_same(listed, known):
        return replace(listed, document_id=known.document_id)
    age = time.time_ns() - (listed.changed_ns or 0)
    changed = listed.changed_ns if age > FRESH_NANOSECONDS else 0
    try:
        with open_report(listed.path) as stream:
            document_id = hashlib.file_digest(stream, "sha256").hexdigest()
            return replace(listed, document_id=document_id, changed_ns=changed)
    except OSError as error:
        return replace(listed, status="failed", reason=f"cannot be opened: {error.strerror or error}")


def is_same(listed: ListedFile, known: ListedFile) -> bool:
    """Tell whether a file is as it was when it was listed before, as far as size and times tell."""
    if (known.size_bytes, known.modified_ns) != (listed.size_bytes, listed.modified_ns):
        return False
    return known.changed_ns is None or known.changed_ns == listed.changed_ns


def load_listing(store: Store, folder: str) -> dict[str, ListedFile]:
    """Return the files of a folder as they were listed last, by name."""
    key = folder_key(folder)
    rows = store.read_table("files", key, FILES).to_pylist()
    return {row["file"]: ListedFile(path="", **row) for row in rows}


def save_listing(store: Store, folder: str, files: Sequence[ListedFile]) -> None:
    """Keep the listing of a folder in the store."""
    rows = [{name: getattr(listed, name) for name in FILES.names} for listed in files]
    table = pa.Table.from_pylist(rows, schema=FILES)
    store.write_part("files", folder_key(folder), "all", table, note=str(Path(folder).resolve()))
