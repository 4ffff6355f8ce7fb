"""All rounds of a fuzzing run, each in a sandbox of its own, and what must hold between them."""

import time
from collections.abc import Sequence
from pathlib import Path

from flows.server import without_heartbeat
from tests.fuzz.bases import load_bases
from tests.fuzz.checks import Fault, Limits, Result
from tests.fuzz.kinds import Kind
from tests.fuzz.rounds import run_round


def run_rounds(seed: int, numbered: Sequence[tuple[int, Kind]], limits: Limits, size: int, keep: Path) -> list[Result]:
    """Run the mutations, so many a round; the first round has none and says what the neighbours' numbers are.

    Parameters
    ----------
    seed : int
        With each mutation's number, all that its bytes depend on.
    numbered : sequence of (int, Kind)
        The mutations.
    limits : Limits
        Of one file.
    size : int
        Mutations a round.
    keep : Path
        Folder for the files that show a fault.

    Returns
    -------
    list of Result
        One a round.
    """
    started = time.monotonic()
    bases = load_bases()
    with without_heartbeat():
        results = [run_round(seed, [], bases, limits, keep)]
        for first in range(0, len(numbered), size):
            result = run_round(seed, numbered[first : first + size], bases, limits, keep)
            result.first, result.last = numbered[first][0], numbered[min(first + size, len(numbered)) - 1][0]
            _compare_neighbours(results[0], result)
            results.append(result)
            done = f"{min(first + size, len(numbered)):,} of {len(numbered):,}, {result.seconds:.0f} s"
            cost = f"peak {result.peak_megabytes:.0f} MB, {result.replaced} workers replaced"
            print(f"{done}, {cost}, {len(result.faults)} faults", flush=True)
            for fault in result.faults:
                print(f"  {fault.number or ''} {fault.kind}: {fault.what}"[:500], flush=True)
    print(f"{time.monotonic() - started:.0f} s in all", flush=True)
    return results


def _compare_neighbours(alone: Result, result: Result) -> None:
    if any(fault.kind == "the run" and fault.what.startswith("ended") for fault in result.faults):
        return
    for name, numbers in alone.neighbours.items():
        if result.neighbours.get(name) != numbers:
            what = f"numbers of {name} changed: {result.neighbours.get(name)}, not {numbers}"
            result.faults.append(Fault(None, "the neighbours", what))
