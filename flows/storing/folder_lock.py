"""A lock on a folder: one run at a time, and none is locked out by a run that died.

The system itself holds the lock (``flock``; on Windows a locked byte), so that it ends with its process, however
that ends: no process number that was given again, no container that cannot see the other's processes, and no clock
can mislead it. Where a network folder knows no such lock, the file alone stands for it.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import socket
import sys
import time
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import psutil

from flows.storing.faults import explained
from shuzhi import StoreError

# Errors that say that this file system has no locks.
UNKNOWN_HERE = {errno.ENOLCK, errno.ENOSYS, errno.EINVAL} | {
    getattr(errno, name, errno.ENOSYS) for name in ("EOPNOTSUPP", "ENOTSUP")
}
# Behind all that a lock file says, so that others may read it on Windows too.
LOCKED_BYTE = 1 << 30
MOST_TRIES = 20
SECONDS_TO_LOOK_AGAIN = 0.3


def process_start(process: int) -> str:
    """Return what tells a process from others that had its number; it does not move when the clock is set.

    Raises
    ------
    psutil.NoSuchProcess
        If there is none.
    """
    try:
        words = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return f"{psutil.Process(process).create_time():.1f}"
    # The third field of the line is the first behind the name; the 22nd counts ticks since the machine started.
    return f"{words[19]}@{this_machine().get('boot', '')[:8]}"


@lru_cache(maxsize=1)
def this_machine() -> dict[str, str]:
    """Return how this machine is known: its name, its number, and its present start, as far as the system says."""
    found = {"host": socket.gethostname()}
    for name, place in (("machine", "/etc/machine-id"), ("boot", "/proc/sys/kernel/random/boot_id")):
        with contextlib.suppress(OSError):
            found[name] = Path(place).read_text(encoding="utf-8").strip()
    return found


def myself() -> dict[str, Any]:
    """Return what a lock says of the process that holds it."""
    return {"process": os.getpid(), "started": process_start(os.getpid()), **this_machine()}


def may_be_elsewhere(holder: Mapping[str, Any]) -> bool:
    """Tell whether a lock may be held on another machine, of whose locks this one need not know.

    The same start of the same machine is here, also from another container. Another start of a machine with the same
    name and number is over.
    """
    here = this_machine()
    if "host" not in holder:
        return False
    if holder.get("boot") and holder["boot"] == here.get("boot"):
        return False
    is_same = holder["host"] == here["host"]
    return not is_same or holder.get("machine", here.get("machine")) != here.get("machine")


def is_running(holder: Mapping[str, Any]) -> bool:
    """Tell whether the process that a lock names may still be at work, where no lock of the system's tells."""
    if may_be_elsewhere(holder):
        return True
    try:
        process = int(holder["process"])
        if "started" in holder:
            return bool(process_start(process) == holder["started"])
        # As older versions wrote it; this time moves when the clock is set.
        return bool(abs(psutil.Process(process).create_time() - float(holder["created"])) < 5)
    except (psutil.Error, KeyError, TypeError, ValueError):
        return False


@contextlib.contextmanager
def locked(place: str, what: str) -> Iterator[None]:
    """Hold a lock file while the block runs, and remove it at the end.

    Parameters
    ----------
    place : str
        The lock file; its folder exists.
    what : str
        What is locked, for the message: ``store out/store``.

    Raises
    ------
    StoreError
        If another run holds it.
    """
    with explained(place):
        file = _take(place, what)
    try:
        yield
    finally:
        _release(file, place)


def _take(place: str, what: str) -> int:
    """Return the open file of the lock; a file that its last holder removed meanwhile is no lock, so try again."""
    for _ in range(MOST_TRIES):
        file = os.open(place, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            by_system = _hold(file)
            holder = _read(file)
            if by_system is None:
                raise StoreError(_in_use(what, place, holder))
            is_stale = not _is_still(file, place)
            if not is_stale:
                # Versions before this one, and systems without locks, only write the file.
                has_lock = by_system and "started" in holder
                if may_be_elsewhere(holder) if has_lock else is_running(holder):
                    raise StoreError(_in_use(what, place, holder))
                if by_system:
                    return _signed(file, place)
        except BaseException:
            os.close(file)
            raise
        os.close(file)
        if not by_system and not is_stale:
            return _take_without_system(place, what)
    raise StoreError(f"{what} is in use by runs that come and go; wait for them")


def _signed(file: int, place: str) -> int:
    """Write into a lock that is ours whose it is; a full disk that takes no word of it keeps no empty file."""
    try:
        _write(file)
    except BaseException:
        with contextlib.suppress(OSError):
            os.remove(place)  # noqa: PTH107
        raise
    return file


def _take_without_system(place: str, what: str) -> int:
    """Take over a lock whose holder is gone by the file alone, and look again whether nobody else did at once."""
    with contextlib.suppress(FileNotFoundError):
        os.remove(place)  # noqa: PTH107
    try:
        file = os.open(place, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
    except FileExistsError:
        raise StoreError(_in_use(what, place, {})) from None
    _write(file)
    time.sleep(SECONDS_TO_LOOK_AGAIN)
    if not _is_still(file, place):
        os.close(file)
        raise StoreError(_in_use(what, place, {}))
    return file


def _write(file: int) -> None:
    os.ftruncate(file, 0)
    os.lseek(file, 0, os.SEEK_SET)
    os.write(file, json.dumps(myself()).encode("utf-8"))


def _read(file: int) -> dict[str, Any]:
    """Return what a lock file says; what a killed or full system left half-written says nothing."""
    try:
        os.lseek(file, 0, os.SEEK_SET)
        found = json.loads(os.read(file, 4096).decode("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _hold(file: int) -> bool | None:
    """Take the system's lock: True if it is ours, None if another process has it, False if there are none here."""
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(file, LOCKED_BYTE, os.SEEK_SET)
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in UNKNOWN_HERE:
            return False
        if error.errno in (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK):
            return None
        raise
    return True


def _is_still(file: int, place: str) -> bool:
    try:
        return sys.platform == "win32" or os.path.samestat(os.fstat(file), os.stat(place))  # noqa: PTH116
    except FileNotFoundError:
        return False


def _in_use(what: str, place: str, holder: Mapping[str, Any]) -> str:
    if not holder:
        return f"{what} is in use by a run that started just now; wait for it"
    who = f"process {holder.get('process')} on {holder.get('host')}"
    return f"{what} is in use by {who}; wait for it, or remove {place} if it is long gone"


def _release(file: int, place: str) -> None:
    """Remove the file while it is locked, or the next run's would be removed; Windows removes no open file."""
    if sys.platform == "win32":
        os.close(file)
    with contextlib.suppress(OSError):
        os.remove(place)  # noqa: PTH107
    if sys.platform != "win32":
        os.close(file)
