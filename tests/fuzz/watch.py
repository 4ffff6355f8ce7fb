"""Independent witnesses of a run: what its workers used, how long each call took, what was written where."""

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from flows.confine.process import Worker

POLL_SECONDS = 0.02
SPAWN_MARK = "sys.path[:] = "


@dataclass
class Seen:
    """What was seen of the workers: greatest resident memory by the kernel's own count, and each call's cost.

    ``seconds`` holds the seconds of each call, ``over`` how many more than its limit it took, ``starts`` the
    seconds that each new worker took until it was ready.
    """

    peak_megabytes: float = 0.0
    seconds: dict[str, float] = field(default_factory=dict)
    over: dict[str, float] = field(default_factory=dict)
    starts: list[float] = field(default_factory=list)


@contextlib.contextmanager
def watching() -> Iterator[Seen]:
    """Watch the workers from outside while the block runs."""
    seen = Seen()
    stop = threading.Event()
    thread = threading.Thread(target=_poll_memory, args=(seen, stop), daemon=True)
    thread.start()
    original = Worker.run

    def timed(worker: Any, call: Any, *arguments: Any) -> Any:
        started = time.monotonic()
        outcome = original(worker, call, *arguments)
        what = f"{call.function.__name__} {call.arguments[0]}"
        took = time.monotonic() - started
        seen.seconds[what] = seen.seconds.get(what, 0.0) + took
        seen.over[what] = max(seen.over.get(what, 0.0), took - call.seconds)
        return outcome

    start = Worker._await_start

    def timed_start(worker: Any, setup: bytes) -> None:
        started = time.monotonic()
        start(worker, setup)
        seen.starts.append(time.monotonic() - started)

    Worker.run = timed  # type: ignore[method-assign]
    Worker._await_start = timed_start  # type: ignore[method-assign]
    try:
        yield seen
    finally:
        Worker.run = original  # type: ignore[method-assign]
        Worker._await_start = start  # type: ignore[method-assign]
        stop.set()
        thread.join()


def _poll_memory(seen: Seen, stop: threading.Event) -> None:
    me = psutil.Process()
    while not stop.wait(POLL_SECONDS):
        with contextlib.suppress(psutil.Error, OSError):
            for child in me.children(recursive=True):
                seen.peak_megabytes = max(seen.peak_megabytes, _high_water(child.pid))


def _high_water(pid: int) -> float:
    """Return the greatest resident memory of a spawned worker so far, in megabytes; 0 for any other process."""
    with contextlib.suppress(OSError):
        if SPAWN_MARK not in Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8", errors="replace"):
            return 0.0
        for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return 0.0


def tree(folder: Path, but: tuple[str, ...]) -> set[bytes]:
    """Return the paths below a folder, without those below some of its entries."""
    found: set[bytes] = set()
    for place, folders, names in os.walk(os.fsencode(folder)):
        if place == os.fsencode(folder):
            folders[:] = [name for name in folders if os.fsdecode(name) not in but]
        found.update(place + b"/" + name for name in (*folders, *names))
    return found


@contextlib.contextmanager
def meddling(is_time: Callable[[], bool], actions: list[Callable[[], None]]) -> Iterator[list[str]]:
    """Do something to files as soon as it is time to, beside the run; yields the errors of doing so."""
    errors: list[str] = []
    stop = threading.Event()

    def meddle() -> None:
        while not stop.is_set() and not is_time():
            time.sleep(0.005)
        for action in actions if is_time() else []:
            try:
                action()
            except OSError as error:
                errors.append(str(error))

    thread = threading.Thread(target=meddle, daemon=True)
    thread.start()
    try:
        yield errors
    finally:
        stop.set()
        thread.join()
