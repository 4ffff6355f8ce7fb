"""What the workers of the pool tests run; spawned processes import it by name."""

import ctypes
import mmap
import os
import signal
import sys
import time
from pathlib import Path

MEGABYTE = 1024 * 1024
_given: list[str] = []


def double(number: int) -> int:
    return 2 * number


def own_pid() -> int:
    return os.getpid()


def sleep_for(seconds: float) -> str:
    time.sleep(seconds)
    return "awake"


def say_and_sleep(folder: str, seconds: float) -> None:
    Path(folder, str(os.getpid())).touch()
    time.sleep(seconds)


def segfault() -> None:
    ctypes.string_at(0)


def leave(code: int) -> None:
    os._exit(code)


def leave_politely(code: int) -> None:
    sys.exit(code)


def double_or_die(number: int, way: str) -> int:
    if way == "segfault":
        segfault()
    if way == "exit":
        leave(3)
    if way == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    return double(number)


def note_and_sleep(folder: str, number: int, seconds: float) -> int:
    """Leave a file for each time it runs."""
    Path(folder, f"{number}-{os.getpid()}-{time.monotonic_ns()}").touch()
    time.sleep(seconds)
    return number


def kill_parent() -> None:
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(30)


def raise_value_error(text: str) -> None:
    raise ValueError(text)


def raise_memory_error() -> None:
    raise MemoryError


def return_unpicklable() -> object:
    return lambda: None


def large_result(megabytes: int) -> bytes:
    return bytes(megabytes * MEGABYTE)


def allocate_in_steps(megabytes: int, hold_seconds: float) -> int:
    held = []
    for _ in range(megabytes // 10):
        held.append(b"x" * 10 * MEGABYTE)
        time.sleep(0.005)
    time.sleep(hold_seconds)
    return len(held)


def allocate_at_once(megabytes: int) -> int:
    return len(b"x" * megabytes * MEGABYTE)


def remember(text: str) -> None:
    _given.append(text)


def recall() -> list[str]:
    return _given


def refuse_to_start() -> None:
    raise RuntimeError("no word list")


def refuse_to_start_at_first(folder: str, times: int) -> None:
    """Fail in the first so many processes, counted by the files they leave."""
    tried = len(list(Path(folder).iterdir()))
    if tried < times:
        Path(folder, str(tried)).touch()
        raise RuntimeError("out of breath")


_kept: list[bytes] = []


def keep(megabytes: int) -> int:
    _kept.append(b"x" * megabytes * MEGABYTE)
    return len(_kept)


_reserved: list[mmap.mmap] = []


def reserve(megabytes: int) -> None:
    """Take addresses as a library does that reserves an arena, and touch none of them."""
    _reserved.append(mmap.mmap(-1, megabytes * MEGABYTE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))
