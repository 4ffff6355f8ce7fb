"""A lock in an object store: one run at a time, made by a put that fails where the object is there already.

S3 and those like it know such a put (``If-None-Match``), and one that replaces only what was read (``If-Match``). A
server that ignores the condition is found out by looking again: whoever does not find his own mark gives way.
"""

from __future__ import annotations

import contextlib
import json
import time
import uuid
from collections.abc import Iterator
from typing import Any

from flows.storing.folder_lock import is_running, myself
from shuzhi import StoreError

MOST_TRIES = 5
SECONDS_TO_LOOK_AGAIN = 0.3
MARK = "mark"


@contextlib.contextmanager
def locked_remotely(files: Any, place: str, what: str) -> Iterator[None]:
    """Hold a lock object while the block runs, and remove it at the end.

    Parameters
    ----------
    files : fsspec file system
        Where the object stands.
    place : str
        Its path there.
    what : str
        What is locked, for the message: ``store s3://bucket/store``.

    Raises
    ------
    StoreError
        If another run holds it.
    """
    mark = uuid.uuid4().hex
    _take(files, place, what, mark)
    try:
        yield
    finally:
        # The lock may have been removed by hand and taken by another run since.
        if _read(files, place).get(MARK) == mark:
            with contextlib.suppress(FileNotFoundError):
                files.rm_file(place)


def _take(files: Any, place: str, what: str, mark: str) -> None:
    content = json.dumps({**myself(), MARK: mark}).encode("utf-8")
    for _ in range(MOST_TRIES):
        holder = _read(files, place)
        if holder and is_running(holder):
            raise StoreError(_in_use(what, place, holder))
        if _put(files, place, content, holder):
            # A server without conditions lets two puts pass; the later one stays.
            time.sleep(SECONDS_TO_LOOK_AGAIN)
            if (found := _read(files, place)).get(MARK) == mark:
                return
            raise StoreError(_in_use(what, place, found))
    raise StoreError(f"{what} is in use by runs that come and go; wait for them")


def _put(files: Any, place: str, content: bytes, holder: dict[str, Any]) -> bool:
    """Write the lock where there is none, or in place of the dead holder's; tell whether the server did."""
    try:
        if not holder:
            files.pipe_file(place, content, mode="create")
        elif _is_s3(files):
            files.pipe_file(place, content, IfMatch=files.info(place, refresh=True)["ETag"])
        else:
            files.pipe_file(place, content)
    except FileNotFoundError:
        # The dead holder's lock was removed meanwhile, or there is no such bucket.
        if not holder:
            raise
        return False
    except OSError:
        if _read(files, place) != holder:
            return False
        # This server refuses the condition itself, or the put: then it says so again.
        files.pipe_file(place, content)
    return True


def _is_s3(files: Any) -> bool:
    return "s3" in ((files.protocol,) if isinstance(files.protocol, str) else files.protocol)


def _read(files: Any, place: str) -> dict[str, Any]:
    """Return what a lock says; one that is not there, or says nothing, is empty."""
    try:
        found = json.loads(files.cat_file(place).decode("utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _in_use(what: str, place: str, holder: dict[str, Any]) -> str:
    if not holder:
        return f"{what} is in use by a run that started just now; wait for it"
    who = f"process {holder.get('process')} on {holder.get('host')}"
    return f"{what} is in use by {who}; wait for it, or remove {place} if it is long gone"
