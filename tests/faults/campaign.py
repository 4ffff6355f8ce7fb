"""All injections of a campaign, and what was found."""

from __future__ import annotations

import contextlib
import itertools
import random
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.faults import clocks, damage, disks, kills, releases, together
from tests.faults.bench import OPTIONS, RUN, Bench
from tests.faults.case import Case, Kind
from tests.faults.checks import check_counts, check_left, check_message, check_outputs

# Their commands start and stop Prefect's temporary server as users' do.
OWN_SERVER = ("killed", "disk")
ALL: list[Kind] = [*kills.KINDS, *disks.KINDS, *clocks.KINDS, *together.KINDS, *damage.KINDS, *releases.KINDS]


@dataclass(frozen=True)
class Injected:
    """One injection and what was wrong after it; nothing, if all is well."""

    number: int
    kind: Kind
    case: Case
    losses: tuple[str, ...]
    seconds: float


def inject(bench: Bench, kind: Kind, number: int, seed: int) -> Injected:
    """Inject one fault, run again without it, and check everything."""
    started = time.monotonic()
    rng = random.Random(f"{seed}-{number}-{kind.name}")
    place = bench.case(f"{number:05d}", finished=kind.finished)
    case = kind.inject(bench, place, rng)
    losses = list(case.faults)
    for ended, codes in case.ended:
        losses += check_message(ended, codes)
    if all(ended.code == 0 for ended, _ in case.ended) or kind.group in ("disk", "together"):
        for out in case.outputs:
            losses += _check_numbers(bench, place, out)
    again = bench.run(place, [*RUN, *OPTIONS])
    losses += [f"run again: {fault}" for fault in check_message(again, (0,))]
    if case.says and not _says(case, again.err):
        losses.append(f"run again: nothing was said: {again.err.strip()!r}")
    if again.code == 0 and "numbers of out" not in case.outputs:
        losses += check_outputs(bench, place)
    losses += check_left(bench, place)
    if not losses:
        shutil.rmtree(place)
    return Injected(number, kind, case, tuple(losses), time.monotonic() - started)


def _says(case: Case, text: str) -> bool:
    import re

    return re.search(case.says, text) is not None


def _check_numbers(bench: Bench, place: Path, out: str) -> list[str]:
    """Check what a command wrote that met the fault and went through; a folder without run.json claims nothing."""
    if out.startswith("numbers of "):
        return check_counts(bench, place / out.removeprefix("numbers of "))
    if out.startswith("right or missing in "):
        return check_counts(bench, place / out.removeprefix("right or missing in "), may_lack=True)
    if not (place / out / "run.json").is_file():
        return []
    return [f"{out}: {fault}" for fault in check_outputs(bench, place, out)]


def plan(count: int, names: Sequence[str] = ()) -> list[tuple[int, Kind]]:
    """Return the kinds in turn, so many, with their numbers; only those whose name or group has one of the words."""
    chosen = [kind for kind in ALL if not names or any(word in (kind.group, kind.name) for word in names)]
    return list(enumerate(itertools.islice(itertools.cycle(_mixed(chosen)), count), start=1))


def _mixed(kinds: Sequence[Kind]) -> list[Kind]:
    """Return every kind once, the groups in turn as long as they last: a short campaign meets all groups."""
    groups: dict[str, list[Kind]] = {}
    for kind in kinds:
        groups.setdefault(kind.group, []).append(kind)
    return [kind for row in itertools.zip_longest(*groups.values()) for kind in row if kind is not None]


def run_campaign(
    bench: Bench, planned: Sequence[tuple[int, Kind]], seed: int, tell: Callable[[Injected], None]
) -> list[Injected]:
    """Inject all planned faults, one after the other."""
    results = []
    own = [each for each in planned if each[1].group in OWN_SERVER]
    for several in (own, [each for each in planned if each not in own]):
        with bench.with_server() if several is not own and several else contextlib.nullcontext():
            for number, kind in several:
                found = inject(bench, kind, number, seed)
                tell(found)
                results.append(found)
    return sorted(results, key=lambda found: found.number)
