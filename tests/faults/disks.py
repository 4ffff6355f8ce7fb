"""Disks that are full, cannot be written, or report errors: real ones where they may be mounted, refusals otherwise."""

from __future__ import annotations

import contextlib
import json
import os
import random
import subprocess
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from tests.faults.bench import OPTIONS, RUN, Bench
from tests.faults.case import Case, Kind

FAILED = (1, 2)


def _mount(*arguments: str) -> bool:
    return subprocess.run(["mount", *arguments], capture_output=True, check=False).returncode == 0


@lru_cache(maxsize=1)
def may_mount() -> bool:
    """Tell whether this user may mount small disks; otherwise the steps are refused by a hook in the process."""
    import tempfile

    if os.geteuid() != 0:
        return False
    with tempfile.TemporaryDirectory() as folder:
        if not _mount("-t", "tmpfs", "-o", "size=64k", "tmpfs", folder):
            return False
        subprocess.run(["umount", folder], check=False)
    return True


@contextlib.contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[None]:
    """Put a small disk in the place of a folder, and keep what was written to it when it is taken away."""
    folder.mkdir(parents=True, exist_ok=True)
    _mount("-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder))
    try:
        yield
    finally:
        kept = folder.with_name(folder.name + "-kept")
        subprocess.run(["cp", "-a", str(folder), str(kept)], check=True)
        subprocess.run(["umount", "-l", str(folder)], check=True)
        folder.rmdir()
        kept.rename(folder)


@contextlib.contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Make a folder one of a read-only disk."""
    _mount("--bind", str(folder), str(folder))
    _mount("-o", "remount,bind,ro", str(folder))
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) // 1024


def _full(bench: Bench, place: Path, rng: random.Random, name: str) -> Case:
    needed = _size(bench.folder / "undisturbed" / name)
    kilobytes = rng.randint(8, max(needed - 8, 16))
    if may_mount():
        with small_disk(place / name, kilobytes):
            ended = bench.run(place, [*RUN, *OPTIONS])
        return Case(f"a disk of {kilobytes} kB for {name}, which takes {needed} kB", [(ended, FAILED)])
    return _refused(bench, place, rng, "ENOSPC", place / name)


def _refused(
    bench: Bench, place: Path, rng: random.Random, error: str, root: Path, mode: str = "write", times: int = 10**6
) -> Case:
    step = rng.randint(1, bench.steps[mode])
    fault = json.dumps({"step": step, "action": error, "root": str(root), "mode": mode, "times": times})
    ended = bench.run(place, [*RUN, *OPTIONS], SHUZHI_FAULT=fault)
    lasting = "from step" if times > 1 else "at step"
    case = Case(f"{error} {lasting} {step} of {mode} below {root.name}", [(ended, (0, *FAILED))])
    case.outputs = ["out" if mode == "write" else "right or missing in out"]
    case.is_met = ended.code != 0 or mode == "read"
    return case


def full_store(bench: Bench, place: Path, rng: random.Random) -> Case:
    """Fill the disk of the store."""
    return _full(bench, place, rng, "store")


def full_output(bench: Bench, place: Path, rng: random.Random) -> Case:
    """Fill the disk of the outputs."""
    return _full(bench, place, rng, "out")


def full_home(bench: Bench, place: Path, rng: random.Random) -> Case:
    """Fill the disk of Prefect's own database."""
    if not may_mount():
        return Case("needs to mount", is_met=False)
    with small_disk(place / "home", rng.randint(100, 6000)):
        ended = bench.run(place, [*RUN, *OPTIONS], PREFECT_HOME=str(place / "home"))
    return Case("a small disk for PREFECT_HOME", [(ended, (0, *FAILED))], outputs=["out"], is_met=ended.code != 0)


def quota(bench: Bench, place: Path, rng: random.Random) -> Case:
    """Use up a quota from one step on."""
    return _refused(bench, place, rng, "EDQUOT", place)


def one_full_step(bench: Bench, place: Path, rng: random.Random) -> Case:
    """Refuse one step alone: somebody freed space a moment later."""
    return _refused(bench, place, rng, "ENOSPC", place, times=1)


def error_on_write(bench: Bench, place: Path, rng: random.Random) -> Case:
    """Have the disk report an error from one step on."""
    return _refused(bench, place, rng, "EIO", place)


def error_on_read(bench: Bench, place: Path, rng: random.Random) -> Case:
    """Have the disk report errors for a while when something is read."""
    return _refused(bench, place, rng, "EIO", place, "read", times=rng.choice([1, 3]))


def read_only_store(bench: Bench, place: Path, rng: random.Random) -> Case:
    """Run with a finished store that cannot be written; the export from it must still be right."""
    del rng
    if not may_mount():
        return Case("needs to mount", is_met=False)
    with read_only(place / "store"):
        run = bench.run(place, [*RUN, *OPTIONS])
        export = bench.run(place, ["export", "--store", "store", "--out", "other"])
    return Case("a read-only store: run, then export", [(run, FAILED), (export, (0,))], outputs=["other"])


def read_only_output(bench: Bench, place: Path, rng: random.Random) -> Case:
    """Run with an output folder that cannot be written."""
    del rng
    (place / "out").mkdir(exist_ok=True)
    if may_mount():
        with read_only(place / "out"):
            ended = bench.run(place, [*RUN, *OPTIONS])
        return Case("a read-only output folder", [(ended, FAILED)])
    fault = json.dumps({"step": 1, "action": "EROFS", "root": str(place / "out"), "times": 10**6})
    return Case("a read-only output folder", [(bench.run(place, [*RUN, *OPTIONS], SHUZHI_FAULT=fault), FAILED)])


KINDS = [
    Kind("full disk: store", "disk", False, full_store),
    Kind("full disk: outputs", "disk", False, full_output),
    Kind("full disk: Prefect's folder", "disk", False, full_home),
    Kind("full disk at one step only", "disk", False, one_full_step),
    Kind("quota used up", "disk", False, quota),
    Kind("disk error on writing", "disk", False, error_on_write),
    Kind("disk error on reading", "disk", False, error_on_read),
    Kind("read-only store", "disk", True, read_only_store),
    Kind("read-only outputs", "disk", False, read_only_output),
]
