"""Inject faults into real runs, and check that nothing is wrong and nothing lost.

    python -m tests.faults --count 400 --seed 1        what ``make faults`` does; two hours on two cores
    python -m tests.faults --count 20 --kinds killed   only some: a kind's name, or killed, disk, clock, together,
                                                       damaged, store, export, release
    python -m tests.faults --seed 1 --only 17          one injection again

Ends with exit code 1 where anything was lost. The table goes into docs/faults.md with --write, and to
bench-output/faults.md always; the folders of injections that lost something are kept in bench-output/faults.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.faults.bench import ROOT

OUTPUT = ROOT / "bench-output"
DOCUMENT = ROOT / "docs" / "faults.md"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the campaign, write the table and return the exit code."""
    given = _parse(arguments)
    if not sys.platform.startswith("linux"):
        print("the faults are injected as only Linux allows", file=sys.stderr)
        return 2
    from tests.benchmarks.document import write_parts
    from tests.faults.bench import bench
    from tests.faults.campaign import Injected, plan, run_campaign
    from tests.faults.table import render

    planned = plan(given.count, [word for word in given.kinds.split(",") if word])
    planned = [planned[given.only - 1]] if given.only else planned[given.first - 1 :]
    shared = Path(os.environ.get("SHUZHI_SHARED") or ROOT.parent / "shared") / "reports"
    folder = Path(given.folder or tempfile.mkdtemp(prefix="faults-"))

    def tell(found: Injected) -> None:
        state = "LOST" if found.losses else "ok" if found.case.is_met else "not met"
        print(
            f"{found.number:>4}  {state:<7}  {found.seconds:>4.0f} s  {found.kind.name}: {found.case.what}", flush=True
        )
        for loss in found.losses:
            print(f"               {loss}"[:600], flush=True)

    with bench(folder, reports=shared if shared.is_dir() and not given.simulated else None) as made:
        print(f"an undisturbed run takes {made.seconds:.1f} s and {made.steps} steps", flush=True)
        results = run_campaign(made, planned, given.seed, tell)
    text = render(results, given.seed)
    OUTPUT.mkdir(exist_ok=True)
    (OUTPUT / "faults.md").write_text(text + "\n", encoding="utf-8")
    print(text)
    if given.write:
        write_parts({"faults": text}, DOCUMENT)
    if any(found.losses for found in results):
        kept = OUTPUT / "faults"
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(folder, kept, symlinks=True)
        return 1
    shutil.rmtree(folder)
    return 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=400, help="injections in all")
    parser.add_argument("--seed", type=int, default=1, help="the same seed draws the same moments and places")
    parser.add_argument("--first", type=int, default=1, help="leave out the injections before this one")
    parser.add_argument("--only", type=int, default=0, help="run this injection of them alone")
    parser.add_argument("--kinds", default="", help="only these kinds or groups, with commas between")
    parser.add_argument("--folder", default="", help="where to work; a temporary folder if not given")
    parser.add_argument("--simulated", action="store_true", help="leave out real reports even where there are some")
    parser.add_argument("--write", action="store_true", help="put the table into docs/faults.md")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
