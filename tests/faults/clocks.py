"""Clocks that are wrong, jump, or left impossible times on files."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import tempfile
from functools import lru_cache
from pathlib import Path

from tests.faults.bench import OPTIONS, RUN, Bench, Ended
from tests.faults.case import Case, Kind

DAY = 86_400.0
SOURCE = Path(__file__).parent / "clock.c"


@lru_cache(maxsize=1)
def clock_library() -> str:
    """Return a library that moves the clock of every program, or nothing where no compiler makes it."""
    compiler = shutil.which("cc")
    if compiler is None:
        return ""
    made = Path(tempfile.mkdtemp(prefix="clock-")) / "clock.so"
    command = [compiler, "-O2", "-shared", "-fPIC", "-o", str(made), str(SOURCE), "-ldl"]
    return str(made) if subprocess.run(command, capture_output=True, check=False).returncode == 0 else ""


def _with_clock(bench: Bench, place: Path, seconds: float, delay: float) -> Ended:
    more = {"LD_PRELOAD": clock_library()} if clock_library() else {}
    return bench.run(place, [*RUN, *OPTIONS], SHUZHI_CLOCK=f"{seconds} {delay}", **more)


def clock_off(bench: Bench, place: Path, rng: random.Random) -> Case:
    """Read with a clock that is years off, in the run, its workers and its server alike."""
    days = rng.choice([-1, 1]) * rng.randint(1, 4000)
    ended = _with_clock(bench, place, days * DAY, 0.0)
    return Case(f"a clock {days:+d} days off", [(ended, (0,))], outputs=["out"])


def clock_jumps(bench: Bench, place: Path, rng: random.Random) -> Case:
    """Set the clock while the run goes on: each process feels it so many seconds after its own start."""
    seconds = rng.choice([-1, 1]) * rng.choice([3.0, 3600.0, 40 * DAY])
    delay = rng.uniform(0.02, 0.6) * bench.seconds
    ended = _with_clock(bench, place, seconds, delay)
    return Case(f"the clock set by {seconds:+.0f} s after {delay:.1f} s", [(ended, (0,))], outputs=["out"])


def file_times(bench: Bench, place: Path, rng: random.Random) -> Case:
    """Give everything in store and outputs, and the reports, impossible or equal times."""
    seconds = rng.choice([-1e9, 0.0, 1.0, 2.2e9, 4.1e9, 1.6e10])
    (place / "reports").unlink()
    (place / "reports").mkdir()
    for path in (bench.folder / "reports").iterdir():
        (place / "reports" / path.name).write_bytes(path.read_bytes())
    for path in place.rglob("*"):
        os.utime(path, (seconds, seconds))
    for path in (place / "out").iterdir():
        path.unlink()
    ended = bench.run(place, [*RUN, *OPTIONS])
    # Reports of another folder are other files, so this run is compared by its numbers alone.
    return Case(f"every file dated {seconds:.0f} s from 1970", [(ended, (0,))], outputs=["numbers of out"])


KINDS = [
    Kind("clock off by days", "clock", False, clock_off),
    Kind("clock set during the run", "clock", False, clock_jumps),
    Kind("impossible file times", "clock", True, file_times),
]
