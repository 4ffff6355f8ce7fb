"""How fast stored pages are measured with one more dictionary: by the rules alone, and with the classifier.

    python -m tests.benchmarks.remeasuring           all real reports of the shared folder, about two minutes

The real reports are read once into a store. Then two processes at once measure another dictionary over them, part by
part as a run does (stored pages in, judged hits out), and the rate is reports a second of the wall clock, the median
of five turns. "Rules alone" leaves out the classifier's probabilities and nothing else. The table is written to
bench-output/remeasuring.md.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from flows import judge, work
from flows.annual import index_reports
from flows.dictionary_files import load_dictionaries
from flows.server import prepare_prefect, without_heartbeat
from flows.settings import RunParameters
from flows.store import Store

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("SHUZHI_SHARED", ROOT.parent / "shared"))
OUTPUT = ROOT / "bench-output"
DICTIONARY, RULE, SEGMENTER = "zhao2021", "longest", "rjieba"
PROCESSES, TURNS, ROUNDS = 2, 5, 6


class NoProbabilities:
    """Stands in for the classifier where only the rules are measured."""

    strict_threshold = 1.0
    version = "none"

    def probabilities(self, vectors):
        """Return one pair of numbers a hit, without looking at it."""
        import numpy as np

        return np.full((len(vectors), 2), 0.5)


def prepare(rules_alone: bool) -> None:
    """Make one process ready, as the pool does, with or without the classifier."""
    work.prepare_worker(SEGMENTER)
    if rules_alone:
        judge.own_action_model = NoProbabilities
        judge.vector_of = lambda *_: None


def measure(job: tuple[str, str, str, str]) -> tuple[int, int]:
    """Measure one part some times over, and return how many reports and hits that were."""
    store, pages_key, text_key, part = job
    dictionary = load_dictionaries([DICTIONARY], "")[0]
    measurement = work.Measurement(pages_key, text_key, dictionary, RULE, SEGMENTER)
    done = [work.measure_part(store, part, measurement) for _ in range(ROUNDS)]
    return sum(reports for reports, _ in done), sum(hits for _, hits in done)


def rate(jobs: list[tuple[str, str, str, str]], *, rules_alone: bool) -> tuple[float, int, int]:
    """Return reports a second of two processes, with how many reports and hits one turn had."""
    context = get_context("spawn")
    with ProcessPoolExecutor(PROCESSES, context, initializer=prepare, initargs=(rules_alone,)) as pool:
        list(pool.map(measure, jobs))
        rates = []
        for _ in range(TURNS):
            started = time.perf_counter()
            done = list(pool.map(measure, jobs))
            reports, hits = sum(each[0] for each in done), sum(each[1] for each in done)
            rates.append(reports / (time.perf_counter() - started))
    return statistics.median(rates), reports, hits


def main() -> None:
    """Read the reports, measure both ways and write the table."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        # Two stores of the same reports, so that both processes have a part of the same size.
        jobs: list[tuple[str, str, str, str]] = []
        prepare_prefect()
        with without_heartbeat():
            for number in range(PROCESSES):
                out = Path(folder) / f"out{number}"
                index_reports(RunParameters(folder=str(SHARED / "reports"), out=str(out), rule=RULE, workers=2))
                store = Store(str(out / "store"))
                pages_key, text_key = work.reading_key("pdfium"), work.text_key("pdfium", SEGMENTER)
                jobs += [(store.url, pages_key, text_key, part) for part in sorted(store.parts("pages", pages_key))]
        lines = [
            "| measuring one more dictionary over stored pages | reports a second on 2 cores | hits a report |",
            "| --- | --- | --- |",
        ]
        for label, rules_alone in (("by the rules alone", True), ("with the classifier", False)):
            speed, reports, hits = rate(jobs, rules_alone=rules_alone)
            lines.append(f"| {label} | {speed:,.0f} | {hits / reports:.0f} |")
    table = "\n".join(lines) + "\n"
    OUTPUT.mkdir(exist_ok=True)
    (OUTPUT / "remeasuring.md").write_text(table, encoding="utf-8")
    print(table)


if __name__ == "__main__":
    main()
