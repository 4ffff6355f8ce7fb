"""Two commands at the same moment, on one store or one output folder."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from pathlib import Path

from tests.faults.bench import OPTIONS, RUN, Bench
from tests.faults.case import Case, Kind

REFUSED = (0, 1, 2)


def _both(
    bench: Bench, place: Path, rng: random.Random, first: Sequence[str], second: Sequence[str], longest: float
) -> Case:
    delay = rng.uniform(0.0, longest)
    one = bench.start(place, first)
    time.sleep(delay)
    two = bench.start(place, second)
    ended = [one.wait(), two.wait()]
    case = Case(f"{first[0]}, and {second[0]} {delay:.2f} s later", [(each, REFUSED) for each in ended])
    if all(each.code for each in ended) and first == second:
        case.faults.append(f"neither went through: {ended[0].last_line} | {ended[1].last_line}")
    return case


def two_runs(bench: Bench, place: Path, rng: random.Random) -> Case:
    """Start the same run twice, nearly at once, on a store that is not there yet."""
    case = _both(bench, place, rng, [*RUN, *OPTIONS], [*RUN, *OPTIONS], 0.2 if rng.random() < 0.7 else bench.seconds)
    case.outputs = ["out"]
    return case


def run_and_measure(bench: Bench, place: Path, rng: random.Random) -> Case:
    """Measure while a run is on."""
    return _both(bench, place, rng, [*RUN, *OPTIONS], ["measure", "--store", "store"], bench.seconds)


def run_and_export(bench: Bench, place: Path, rng: random.Random) -> Case:
    """Export to another folder while a run is on."""
    export = ["export", "--store", "store", "--out", "other"]
    case = _both(bench, place, rng, [*RUN, *OPTIONS], export, bench.seconds)
    if case.ended[1][0].code == 0:
        case.outputs = ["other"]
    return case


def two_exports(bench: Bench, place: Path, rng: random.Random) -> Case:
    """Export twice to one folder."""
    export = ["export", "--store", "store", "--out", "other"]
    case = _both(bench, place, rng, export, export, 2.0)
    case.outputs = ["other"]
    return case


def run_on_finished(bench: Bench, place: Path, rng: random.Random) -> Case:
    """Run twice on a store where nothing is new, which leaves the shortest of moments."""
    return _both(bench, place, rng, [*RUN, *OPTIONS], [*RUN, *OPTIONS], 1.0)


KINDS = [
    Kind("two runs at once", "together", False, two_runs),
    Kind("run and measure", "together", True, run_and_measure),
    Kind("run and export", "together", True, run_and_export),
    Kind("two exports to one folder", "together", True, two_exports),
    Kind("two runs with nothing new", "together", True, run_on_finished),
]
