"""What must hold after a fault: nothing wrong, nothing lost, nothing left behind, and one line that says what to do."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pandas as pd

from flows.store import Store
from flows.storing.verify import verify_store
from tests.faults.bench import Bench, Ended

COUNT = "wu2021_total_count"
# What a message must offer: a command, or something to do.
WAYS_OUT = re.compile(
    r"again|wait for it|wait for them|name (a|another)|free some space|goes on|run 'shuzhi|use the version|export again"
)
# The export's own hash of its inputs holds for one state of the store, and what one run did for that run.
NOT_COMPARED = ("this_run",)


def outputs_of(out: Path) -> dict[str, bytes | str]:
    """Return the exported files by name; run.json without what holds for one run alone."""
    found: dict[str, bytes | str] = {}
    for path in sorted(out.iterdir()) if out.is_dir() else []:
        if path.name == "run.json":
            content = json.loads(path.read_text(encoding="utf-8"))
            found[path.name] = json.dumps({k: v for k, v in content.items() if k not in NOT_COMPARED}, sort_keys=True)
        elif path.is_file():
            found[path.name] = path.read_bytes()
    return found


def check_outputs(bench: Bench, place: Path, out: str = "out") -> list[str]:
    """Return what differs from the undisturbed run, which must be nothing, and what differs from what was planted."""
    expected, found = outputs_of(bench.folder / "undisturbed" / "out"), outputs_of(place / out)
    faults = [f"{name} is missing" for name in expected.keys() - found.keys()]
    faults += [f"{name} should not be there" for name in found.keys() - expected.keys()]
    faults += [f"{name} differs" for name in expected.keys() & found.keys() if expected[name] != found[name]]
    return faults + (check_counts(bench, place / out) if "indices.parquet" in found else [])


def check_counts(bench: Bench, out: Path, *, may_lack: bool = False) -> list[str]:
    """Return the firm-years whose number is not that of the terms planted in their report.

    Parameters
    ----------
    bench : Bench
        Knows what was planted.
    out : Path
        Folder of an export.
    may_lack : bool
        Whether a number may be missing, with a reason: its report could not be read while the fault was there.
    """
    if not (out / "run.json").is_file():
        return []
    wide = pd.read_parquet(out / "indices.parquet", columns=["stock_code", "report_year", COUNT, "reason"])
    found = {(code, year): (count, reason) for code, year, count, reason in wide.itertuples(index=False, name=None)}
    faults = []
    for place, planted in bench.planted.items():
        count, reason = found.get(place, (None, ""))
        is_said = pd.isna(count) and bool(reason)
        if not (may_lack and is_said) and (pd.isna(count) or count != planted):
            faults.append(f"{place} counts {count}, planted were {planted}")
    return faults


def check_message(ended: Ended, codes: tuple[int, ...]) -> list[str]:
    """Return what is wrong with how a command ended: its exit code, a traceback, or no way out."""
    faults = []
    if ended.code not in codes:
        faults.append(f"exit code {ended.code}, not {' or '.join(map(str, codes))}: {ended.last_line}")
    if "Traceback" in ended.err or "Traceback" in ended.out:
        faults.append(f"a traceback: {ended.last_line}")
    if ended.code > 0 and not WAYS_OUT.search(ended.last_line):
        faults.append(f"no way out is named: {ended.last_line}")
    if ended.code > 0 and not re.match(r"Error: |stopped; ", ended.last_line):
        faults.append(f"not one line: {ended.last_line}")
    return faults


def check_left(bench: Bench, place: Path) -> list[str]:
    """Return what is left behind: temporary files, locks, processes; and what is damaged in the store."""
    faults = [f"left behind: {path.relative_to(place)}" for path in place.rglob("*.tmp")]
    faults += [f"left behind: {path.relative_to(place)}" for path in place.rglob("*lock.json")]
    faults += [f"still running: {command}" for command in bench.left_over()]
    faults += [f"damaged: {problem}" for problem in verify_store(Store(str(place / "store"))).problems]
    return faults
