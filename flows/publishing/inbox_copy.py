"""One file of an inbox becomes a file of the folder of reports: whole or not at all, and over no other."""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path, PurePosixPath

from flows.files import ListedFile
from flows.publishing.inbox_places import Inbox

HALF_PREFIX = ".inbox-"
HALF_SUFFIX = ".tmp"
COPY_BYTES = 1 << 20
# Digits in a name could be taken for a year or a stock code.
LETTERS = str.maketrans("0123456789", "ghijklmnop")
LONGEST_NAME_BYTES = 240


def half_name(folder: Path, name: str) -> Path:
    """Return the temporary name of a copy; listing the folder passes it over."""
    return folder / f"{HALF_PREFIX}{hashlib.sha256(name.encode()).hexdigest()[:16]}-{os.getpid()}{HALF_SUFFIX}"


def remove_halves(folder: Path) -> None:
    """Remove the half copies of a run that was killed."""
    for half in folder.rglob(f"{HALF_PREFIX}*{HALF_SUFFIX}"):
        half.unlink(missing_ok=True)


def leads_out(name: str) -> bool:
    """Tell whether a name, as an object store gives it, would leave the folder."""
    parts = PurePosixPath(name).parts
    return not parts or any(part in ("..", "/", ".") or "\\" in part or "\0" in part for part in parts)


def copy_whole(inbox: Inbox, listed: ListedFile, half: Path) -> tuple[str, str]:
    """Copy a file under a temporary name; return its hash, or why it is left.

    Raises
    ------
    OSError
        If the copy cannot be written; what goes wrong with the source is a reason to leave it.
    """
    digest, size = hashlib.sha256(), 0
    with half.open("wb") as target, contextlib.ExitStack() as stack:
        try:
            source = stack.enter_context(inbox.open(listed.path))
        except (OSError, ValueError, RuntimeError) as error:
            return "", f"cannot be opened: {_words(error)}"
        while True:
            try:
                block = source.read(COPY_BYTES)
            except (OSError, ValueError, RuntimeError) as error:
                return "", f"cannot be read: {_words(error)}; left for the next run"
            if not block:
                break
            digest.update(block)
            size += len(block)
            target.write(block)
        target.flush()
        os.fsync(target.fileno())
    document_id = digest.hexdigest()
    if size != listed.size_bytes or (listed.document_id and listed.document_id != document_id):
        return "", "changed while it was copied; left for the next run"
    return document_id, ""


def _words(error: Exception) -> str:
    text = str(getattr(error, "strerror", None) or error)
    return text.splitlines()[0] if text else type(error).__name__


def put_in_place(half: Path, folder: Path, name: str, document_id: str) -> tuple[str, bool]:
    """Give a copy its name, or another where other bytes have it; tell whether the same bytes were there."""
    mark = document_id[:8].translate(LETTERS)
    stem, suffix = os.path.splitext(name)  # noqa: PTH122
    while len(PurePosixPath(stem).name.encode("utf-8")) > LONGEST_NAME_BYTES - len(suffix):
        stem = stem[:-1]
    for candidate in (name, f"{stem} ({mark}){suffix}", f"{stem} ({document_id.translate(LETTERS)[:24]}){suffix}"):
        target = folder / candidate
        if target.exists():
            if _hash(target) == document_id:
                return candidate, True
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        if _link(half, target):
            return candidate, False
    raise OSError(f"no free name for {name}")


def _hash(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _link(half: Path, target: Path) -> bool:
    """Rename without overwriting; False where the name was taken in this very moment."""
    try:
        os.link(half, target)
    except FileExistsError:
        return False
    except OSError:
        # No hard links on this file system.
        if target.exists():
            return False
        half.rename(target)
    return True
