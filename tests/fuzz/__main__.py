"""Mutate real reports and run them through the real flow.

    python -m tests.fuzz --count 5000 --seed 1           what ``make fuzz`` does; under an hour on two cores
    python -m tests.fuzz --seed 1 --only 1234            one mutation again, beside its readable neighbours
    python -m tests.fuzz --count 500 --kinds gigantic_line,many_pages

Ends with exit code 1 where anything failed. The table is written to bench-output/fuzz.md; the files that show a
fault are kept in bench-output/fuzz-failures.
"""

import argparse
import itertools
import sys
from collections.abc import Sequence
from pathlib import Path

from flows.server import prepare_prefect
from tests.fuzz.bases import ROOT
from tests.fuzz.kinds import all_kinds, kinds_of
from tests.fuzz.places import IS_SUPPORTED

OUTPUT = ROOT / "bench-output"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all rounds, print the table and return the exit code."""
    given = _parse(arguments)
    if not IS_SUPPORTED:
        print("the fuzzer makes pipes, links and names that only Linux takes", file=sys.stderr)
        return 2
    # Prefect reads its settings where it is imported, so what imports it comes after this.
    prepare_prefect()
    from tests.fuzz.campaign import run_rounds
    from tests.fuzz.checks import Limits
    from tests.fuzz.table import render

    limits = Limits(given.seconds, given.megabytes, given.workers)
    numbered = list(enumerate(kinds_of(given.count), start=1))
    if given.kinds:
        turn = [kind for kind in all_kinds() if kind.name in given.kinds.split(",")]
        numbered = list(enumerate(itertools.islice(itertools.cycle(turn), given.count), start=1))
    numbered = [numbered[given.only - 1]] if given.only else numbered[given.first - 1 :]
    results = run_rounds(given.seed, numbered, limits, given.round, OUTPUT / "fuzz-failures")
    text = render(results, given.seed, len(numbered), limits)
    print(text)
    OUTPUT.mkdir(exist_ok=True)
    (OUTPUT / given.table).write_text(text, encoding="utf-8")
    return int(any(result.faults for result in results))


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=5000, help="mutations in all")
    parser.add_argument("--seed", type=int, default=1, help="the same seed makes the same files")
    parser.add_argument("--round", type=int, default=250, help="mutations a round")
    parser.add_argument("--first", type=int, default=1, help="leave out the mutations before this one")
    parser.add_argument("--only", type=int, default=0, help="run this mutation of them alone")
    parser.add_argument("--kinds", default="", help="only these kinds, with commas between")
    parser.add_argument("--seconds", type=float, default=15, help="time limit of one file")
    parser.add_argument("--megabytes", type=int, default=600, help="memory limit of one worker")
    parser.add_argument("--workers", type=int, default=2, help="worker processes")
    parser.add_argument("--table", type=Path, default=Path("fuzz.md"), help="name of the table in bench-output")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
