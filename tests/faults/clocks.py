"""Clocks that are wrong, jump, or left impossible times on files."""

from __future__ import annotations

import os
import random
from pathlib import Path

from tests.faults.bench import OPTIONS, RUN, Bench
from tests.faults.case import Case, Kind

DAY = 86_400.0
LIBRARIES = ("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1", "/usr/lib/faketime/libfaketimeMT.so.1")


def faketime() -> str:
    """Return libfaketime, which shifts the clock of every program; empty where it is not installed."""
    places = (os.environ.get("SHUZHI_FAKETIME", ""), *LIBRARIES)
    return next((place for place in places if place and Path(place).is_file()), "")


def clock_off(bench: Bench, place: Path, rng: random.Random) -> Case:
    """Read with a clock that is years off, in the run, its workers and its server alike."""
    days = rng.choice([-1, 1]) * rng.randint(1, 4000)
    if faketime():
        more = {"LD_PRELOAD": faketime(), "FAKETIME": f"{days:+d}d", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        how = "libfaketime"
    else:
        more, how = {"SHUZHI_CLOCK": f"{days * DAY} 0"}, "a hook"
    ended = bench.run(place, [*RUN, *OPTIONS], **more)
    return Case(f"a clock {days:+d} days off, by {how}", [(ended, (0,))], outputs=["out"])


def clock_jumps(bench: Bench, place: Path, rng: random.Random) -> Case:
    """Set the clock while the run goes on."""
    seconds = rng.choice([-1, 1]) * rng.choice([3.0, 3600.0, 40 * DAY])
    delay = rng.uniform(0.1, 1.0) * bench.seconds
    ended = bench.run(place, [*RUN, *OPTIONS], SHUZHI_CLOCK=f"{seconds} {delay}")
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
