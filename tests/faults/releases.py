"""A new report year under faults: no half release, none twice, and the same bytes as an undisturbed one."""

from __future__ import annotations

import json
import random
import shutil
import time
from pathlib import Path

from tests.faults.bench import Bench, Ended
from tests.faults.case import Case, Kind
from tests.faults.disks import FAILED, may_mount, small_disk

UPDATE = ["update", "--year", "2022", "--folder", "reports", "--inbox", "inbox", "--out", "out", "--store", "store"]
UPDATE += ["--releases", "releases", "--workers", "2", "--max-failure-share", "0.5"]
KILLED = (-9, 0)


def _new_year(place: Path, bench: Bench) -> None:
    """Lay the reports into an inbox; the folder that they are copied to is empty at first."""
    (place / "reports").unlink()
    (place / "reports").mkdir()
    (place / "inbox").symlink_to(bench.folder / "reports")


def undisturbed(bench: Bench) -> tuple[Path, int]:
    """Return the releases of an update that nothing disturbed, and how many steps of the file system it took."""
    place, count = bench.folder / "undisturbed-update", bench.folder / "steps-update.json"
    if not count.is_file():
        place.mkdir()
        (place / "reports").symlink_to(bench.folder / "reports")
        _new_year(place, bench)
        fault = json.dumps({"root": str(place)})
        ended = bench.run(place, UPDATE, SHUZHI_FAULT=fault, SHUZHI_COUNT=str(count))
        if ended.code != 0:
            raise RuntimeError(f"the undisturbed update failed: {ended.err}")
    return place / "releases", int(json.loads(count.read_text(encoding="utf-8"))["write"])


def check_releases(bench: Bench, place: Path) -> list[str]:
    """Return what differs from the undisturbed releases, file by file."""
    expected, found = (_content(folder) for folder in (undisturbed(bench)[0], place / "releases"))
    faults = [f"releases: {name} is missing" for name in expected.keys() - found.keys()]
    faults += [f"releases: {name} should not be there" for name in found.keys() - expected.keys()]
    return faults + [
        f"releases: {name} differs" for name in expected.keys() & found.keys() if expected[name] != found[name]
    ]


def _content(folder: Path) -> dict[str, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def _finish(bench: Bench, place: Path, case: Case) -> Case:
    """Give the update once more without the fault, and look at the releases; the run that follows checks the rest."""
    again = bench.run(place, UPDATE)
    case.ended.append((again, (0,)))
    case.faults += check_releases(bench, place)
    # What every case ends with reads the reports where the undisturbed run has them.
    shutil.rmtree(place / "reports")
    (place / "reports").symlink_to(bench.folder / "reports")
    for name in ("store", "out"):
        shutil.rmtree(place / name)
    return case


def kill_update(bench: Bench, place: Path, rng: random.Random) -> Case:
    """Kill an update at one step, be it copying, reading, exporting or publishing."""
    steps = undisturbed(bench)[1]
    _new_year(place, bench)
    step = rng.randint(1, steps)
    fault = json.dumps({"step": step, "action": "kill", "root": str(place)})
    ended = bench.run(place, UPDATE, SHUZHI_FAULT=fault)
    case = Case(f"kill -9 of an update at step {step} of {steps}", [(ended, KILLED)], is_met=ended.code != 0)
    return _finish(bench, place, case)


def kill_publishing(bench: Bench, place: Path, rng: random.Random) -> Case:
    """Kill an update while it publishes, which are its last steps."""
    steps = undisturbed(bench)[1]
    _new_year(place, bench)
    step = rng.randint(int(steps * 0.7), steps)
    fault = json.dumps({"step": step, "action": "kill", "root": str(place)})
    ended = bench.run(place, UPDATE, SHUZHI_FAULT=fault)
    case = Case(f"kill -9 of an update at step {step} of {steps}", [(ended, KILLED)], is_met=ended.code != 0)
    return _finish(bench, place, case)


def full_releases(bench: Bench, place: Path, rng: random.Random) -> Case:
    """Fill the disk of the releases."""
    releases, steps = undisturbed(bench)
    _new_year(place, bench)
    if may_mount():
        needed = sum(path.stat().st_size for path in releases.rglob("*") if path.is_file()) // 1024
        kilobytes = rng.randint(8, max(needed - 16, 16))
        with small_disk(place / "releases", kilobytes):
            ended = bench.run(place, UPDATE)
        case = Case(f"a disk of {kilobytes} kB for releases of {needed} kB", [(ended, FAILED)])
    else:
        fault = json.dumps({"step": rng.randint(1, steps), "action": "ENOSPC", "root": str(place / "releases")})
        ended = bench.run(place, UPDATE, SHUZHI_FAULT=fault)
        case = Case("ENOSPC at a step of publishing", [(ended, (0, *FAILED))], is_met=ended.code != 0)
    return _finish(bench, place, case)


def two_updates(bench: Bench, place: Path, rng: random.Random) -> Case:
    """Start the same update twice."""
    undisturbed(bench)
    _new_year(place, bench)
    delay = rng.uniform(0.0, bench.seconds)
    one = bench.start(place, UPDATE)
    time.sleep(delay)
    two = bench.start(place, UPDATE)
    ended: list[Ended] = [one.wait(), two.wait()]
    case = Case(f"an update, and the same {delay:.1f} s later", [(each, (0, 1, 2)) for each in ended])
    return _finish(bench, place, case)


def update_and_export(bench: Bench, place: Path, rng: random.Random) -> Case:
    """Export while an update is on."""
    undisturbed(bench)
    _new_year(place, bench)
    delay = rng.uniform(0.3, 1.0) * bench.seconds
    update = bench.start(place, UPDATE)
    time.sleep(delay)
    export = bench.run(place, ["export", "--store", "store", "--out", "other"])
    case = Case(f"an update, and an export {delay:.1f} s later", [(update.wait(), (0,)), (export, (0, 1, 2))])
    expected = bench.folder / "undisturbed-update" / "out" / "indices.csv"
    if export.code == 0 and (place / "other" / "indices.csv").read_bytes() != expected.read_bytes():
        case.faults.append("the export during an update went through and differs")
    return _finish(bench, place, case)


KINDS = [
    Kind("kill -9 of an update", "release", False, kill_update),
    Kind("kill -9 of publishing", "release", False, kill_publishing),
    Kind("full disk: releases", "release", False, full_releases),
    Kind("two updates at once", "release", False, two_updates),
    Kind("update and export", "release", False, update_and_export),
]
