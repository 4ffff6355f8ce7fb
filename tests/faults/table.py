"""The table of a campaign: how often what was injected, and how often anything was lost."""

from __future__ import annotations

from collections.abc import Sequence

from tests.faults.campaign import Injected
from tests.faults.clocks import clock_library
from tests.faults.disks import may_mount

GROUPS = {
    "killed": "killed or stopped",
    "disk": "disk",
    "clock": "clock",
    "together": "two commands at once",
    "damaged": "store damaged",
    "store": "store of another version, or with leftovers",
    "export": "exported files",
    "release": "a new report year",
}
DAMAGED = "damaged"


def render(results: Sequence[Injected], seed: int) -> str:
    """Return the table as Markdown, with a line on how the faults were made."""
    lines = [
        "| fault | injected | met | something wrong or lost |",
        "| --- | ---: | ---: | ---: |",
    ]
    for group, title in GROUPS.items():
        own = [found for found in results if found.kind.group == group]
        for name in dict.fromkeys(_row_of(found) for found in own):
            rows = [found for found in own if _row_of(found) == name]
            lines.append(f"| {title}: {name} | {_numbers(rows)} |")
    lines.append(f"| **all** | {_numbers(results)} |")
    how = "full and read-only disks were real ones" if may_mount() else "disks were refused by a hook in the process"
    clock = "the clock was moved under every program" if clock_library() else "the clock was moved in Python alone"
    seconds = sum(found.seconds for found in results)
    lines += ["", f"Seed {seed}, {seconds / 60:,.0f} minutes; {how}; {clock}."]
    lost = [found for found in results if found.losses]
    lines += [f"- injection {found.number}, {found.kind.name}: {found.losses[0]}" for found in lost]
    return "\n".join(lines)


def _row_of(found: Injected) -> str:
    """Return under which row a kind is counted: every table of the store is one, whatever the way."""
    return found.kind.name.split()[0] if found.kind.group == DAMAGED else found.kind.name


def _numbers(rows: Sequence[Injected]) -> str:
    met, lost = sum(found.case.is_met for found in rows), sum(bool(found.losses) for found in rows)
    return f"{len(rows)} | {met} | {lost}"
