"""What the box around a worker costs: at its start, at each call, and for each report.

python -m tests.benchmarks.confinement [FOLDER OF REPORTS]
"""

from __future__ import annotations

import hashlib
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

from flows.confine import Confine, bubblewrap
from flows.pool import Limits, WorkerPool
from flows.work import prepare_worker, read_file

STARTS, CALLS, REPORTS, ROUNDS = 9, 300, 10, 3
WAYS: tuple[Confine, ...] = ("off", "required")


def seconds_of(action: Callable[[], object]) -> float:
    """Return the seconds that something takes."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def start(confine: Confine) -> None:
    """Start a worker that loads nothing, and have it answer once."""
    with WorkerPool(1, Limits(), confine=confine) as pool:
        pool.submit(len, "four").result()


def call_many(pool: WorkerPool) -> None:
    """Have a worker answer many small calls, one after the other."""
    for _ in range(CALLS):
        pool.submit(len, "four").result()


def read_all(pool: WorkerPool, calls: list[tuple[str, str, str, str]]) -> None:
    """Read some reports in a worker."""
    for future in [pool.submit(read_file, *call) for call in calls]:
        assert future.result().kind == "done"


def main() -> None:
    """Print the medians without and with a box, measured in turn."""
    if bubblewrap.trouble():
        sys.exit(f"no box can be made here: {bubblewrap.trouble()}")
    starts: dict[str, list[float]] = {way: [] for way in WAYS}
    for _ in range(STARTS):
        for way in WAYS:
            starts[way].append(seconds_of(lambda way=way: start(way)))  # type: ignore[misc]
    for way in WAYS:
        print(f"start and one call, {way:8}  {statistics.median(starts[way]) * 1000:8.0f} ms")
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(os.environ.get("SHUZHI_SHARED", "../shared"), "reports")
    paths = sorted(folder.glob("*.pdf"))[-REPORTS:] if folder.is_dir() else []
    calls = [(str(path), hashlib.sha256(path.read_bytes()).hexdigest(), "pdfium", "rjieba") for path in paths]
    pools = {way: WorkerPool(1, Limits(), prepare_worker, ("rjieba",), way) for way in WAYS}
    small: dict[str, list[float]] = {way: [] for way in WAYS}
    reading: dict[str, list[float]] = {way: [] for way in WAYS}
    for _ in range(ROUNDS):
        for way, pool in pools.items():
            pool.submit(len, "four").result()
            small[way].append(seconds_of(lambda pool=pool: call_many(pool)) / CALLS)  # type: ignore[misc]
            reading[way].append(seconds_of(lambda pool=pool: read_all(pool, calls)) / max(len(calls), 1))  # type: ignore[misc]
    for way, pool in pools.items():
        print(f"a small call,       {way:8}  {statistics.median(small[way]) * 1000:8.2f} ms")
        if calls:
            print(f"a report of {len(calls):2},    {way:8}  {statistics.median(reading[way]) * 1000:8.0f} ms")
        pool.__exit__(None, None, None)


if __name__ == "__main__":
    main()
