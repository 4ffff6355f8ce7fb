"""Ours from files to indices, beside a bare PDFium loop and the usual pdfplumber + jieba script, in one run.

    python -m tests.benchmarks.reading                 8 real reports, about 10 minutes on one core
    python -m tests.benchmarks.reading --reports 0     all real reports of the shared folder

Rates are pages a second of processor time, user and system, of all processes together (ours: the run, its one
worker and Prefect's temporary server), so that they are per core whatever the machine. Ours runs in this process
after a warm-up, in turn with the bare loop, and medians of three turns are taken. What the same job costs on a
one-page file (flows, one worker) is taken off as start-up. The table is written to bench-output/reading.md.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import resource
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import psutil

from flows.annual import index_reports
from flows.dictionary_files import load_dictionaries
from flows.measure import measure_indices
from flows.server import prepare_prefect, without_heartbeat
from flows.settings import MeasureParameters, RunParameters

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("SHUZHI_SHARED", ROOT.parent / "shared"))
OUTPUT = ROOT / "bench-output"
# Readable reports of mainland firms; the one-page file of the start-up is no report.
PATTERN = "[036]*_annual_full.pdf"
ONE_PAGE = "hardcase_bond_prospectus_table_onepage.pdf"
COPIES = 6
# Ours and the bare loop take turns, so that a machine whose speed drifts is fair to both.
TURNS = 3
RULE = "token"


@dataclass(frozen=True)
class Cost:
    """Wall-clock and processor seconds of a command, with its children."""

    wall: float
    processor: float


def measured(work: Callable[[], object]) -> Cost:
    """Run something and return what it and its children cost, Prefect's server among them."""
    started, before = time.perf_counter(), _processor_seconds()
    work()
    return Cost(time.perf_counter() - started, _processor_seconds() - before)


def _processor_seconds() -> float:
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    ended = sum(usage.ru_utime + usage.ru_stime for usage in usages)
    running = (child.cpu_times() for child in psutil.Process().children(recursive=True))
    return ended + sum(times.user + times.system for times in running)


def bare_loop(files: Sequence[Path]) -> int:
    """Extract the text of every page with PDFium and drop it; the limit of what reading can cost."""
    import pypdfium2

    pages = 0
    for file in files:
        document = pypdfium2.PdfDocument(file)
        for page in document:
            textpage = page.get_textpage()
            textpage.get_text_range()
            textpage.close()
            page.close()
            pages += 1
        document.close()
    return pages


def usual_script(files: Sequence[Path], terms: Sequence[str]) -> dict[str, int]:
    """Count terms as the scripts in circulation do: pdfplumber, white space out, jieba with the terms added."""
    import jieba
    import pdfplumber

    jieba.setLogLevel("WARNING")
    for term in terms:
        jieba.add_word(term.lower())
    counts: collections.Counter[str] = collections.Counter()
    for file in files:
        with pdfplumber.open(file) as document:
            text = "".join((page.extract_text() or "") for page in document.pages)
        tokens = collections.Counter(jieba.lcut("".join(text.split()).lower()))
        counts.update({term: tokens[term.lower()] for term in terms})
    return dict(counts)


def job(folder: Path, out: Path) -> Cost:
    """Run the whole job with one worker and return its cost."""
    parameters = RunParameters(folder=str(folder), out=str(out), rule=RULE, workers=1)
    return measured(lambda: index_reports(parameters))


def remeasure(out: Path, name: str, words: Path) -> Cost:
    """Measure another dictionary from the stored pages, with one worker, and return its cost."""
    parameters = MeasureParameters(
        store=str(out / "store"), dictionaries=[name], dictionary_folder=str(words), rule=RULE, workers=1
    )
    return measured(lambda: measure_indices(parameters))


def median(costs: Sequence[Cost]) -> Cost:
    """Return the median of wall-clock and of processor seconds."""
    return Cost(statistics.median(cost.wall for cost in costs), statistics.median(cost.processor for cost in costs))


def copies(files: Sequence[Path], folder: Path) -> list[Path]:
    """Copy each report several times with other bytes, so that the store takes each copy for a document."""
    made = []
    for number in range(COPIES):
        for file in files:
            target = folder / f"copy{number}" / file.name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.read_bytes() + f"\n% copy {number}\n".encode())
            made.append(target)
    return made


def found_counts(out: Path) -> dict[str, int]:
    """Return the hits by term of one copy of each report."""
    hits = pd.read_parquet(out / "hits.parquet")
    return hits[hits["file"].str.startswith("copy0/")]["term"].value_counts().to_dict()


def changed_dictionary(folder: Path) -> str:
    """Write a dictionary that differs from wu2021 by a term, and return its name."""
    text = (ROOT / "dictionaries" / "wu2021.yml").read_text(encoding="utf-8")
    folder.mkdir()
    changed = text.replace("name: wu2021", "name: changed").replace("      - 开放银行\n", "      - 智能制造\n")
    (folder / "changed.yml").write_text(changed, encoding="utf-8")
    return "changed"


def run(reports: int) -> list[tuple[str, str]]:
    """Measure everything and return the rows of the table."""
    files = sorted(SHARED.glob(f"reports/{PATTERN}"))
    files = files[:: max(1, len(files) // reports)][:reports] if reports else files
    terms = load_dictionaries(["wu2021"])[0].terms
    work = Path(tempfile.mkdtemp(prefix="shuzhi-bench-"))
    corpus, one = work / "reports", work / "one"
    made = copies(files, corpus)
    one.mkdir()
    shutil.copy(SHARED / "reports" / ONE_PAGE, one)
    words = work / "words"
    changed = changed_dictionary(words)

    job(one, work / "warm")
    start = median([job(one, work / f"start{number}") for number in range(3)])
    start_again = median([job(one, work / "start0") for _ in range(3)])
    start_measuring = median([remeasure(work / f"start{number}", changed, words) for number in range(3)])
    pages = bare_loop(made)
    turns = [(measured(lambda: bare_loop(made)), job(corpus, work / f"turn{number}")) for number in range(TURNS)]
    bare, ours = median([each for each, _ in turns]), median([each for _, each in turns])
    ratios = sorted(each.processor / (mine.processor - start.processor) for each, mine in turns)
    out = work / "turn0"
    peak = json.loads((out / "run.json").read_text(encoding="utf-8"))["this_run"]["reading"]["peak_worker_megabytes"]
    again = job(corpus, out)
    corpus.rename(work / "moved-away")
    remeasured = remeasure(out, changed, words)
    script_counts: dict[str, int] = {}
    script = measured(lambda: script_counts.update(usual_script(files, terms)))
    ours_counts = found_counts(out)
    shutil.rmtree(work)
    different = [term for term in terms if script_counts[term] != ours_counts.get(term, 0)]

    net = ours.processor - start.processor
    rate_ours, rate_bare = pages / net, pages / bare.processor
    rate_script = pages / COPIES / script.processor
    share_again = (again.wall - start_again.wall) / ours.wall
    net_remeasured = remeasured.processor - start_measuring.processor
    hits = sum(script_counts.values())
    return [
        ("reports, pages", f"{len(files)} real reports × {COPIES} copies, {pages:,} pages"),
        ("(a) ours: read, match, index, store, export", f"{rate_ours:,.0f} pages/s"),
        ("(b) bare PDFium text loop", f"{rate_bare:,.0f} pages/s"),
        ("(c) pdfplumber + jieba script", f"{rate_script:,.1f} pages/s"),
        ("(a) / (b), turn by turn", f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"),
        ("(a) / (c)", f"{rate_ours / rate_script:.1f}"),
        ("counts of (a) and (c), rule token", f"{hits} hits, terms that differ: {', '.join(different) or 'none'}"),
        ("first run, wall clock", f"{ours.wall:.1f} s, of it start-up {start.wall:.1f} s"),
        (
            "second run, nothing new",
            f"{again.wall:.1f} s, where start-up alone takes {start_again.wall:.1f} s: {share_again:.1%} of the first",
        ),
        (
            "re-measuring, another dictionary, files moved away",
            f"{net / net_remeasured:.0f} times faster than (a), {2 * len(made) / net_remeasured:,.0f} reports a second"
            " on 2 cores",
        ),
        ("peak memory of a worker", f"{peak:.0f} MB"),
    ]


def main() -> None:
    """Print the table and write it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reports", type=int, default=8, help="number of reports; 0 takes all")
    options = parser.parse_args()
    if not SHARED.is_dir():
        sys.exit(f"the shared folder with real reports is not at {SHARED}; name it with SHUZHI_SHARED")
    prepare_prefect()
    with without_heartbeat():
        rows = run(options.reports)
    table = "\n".join(["| what | result |", "| --- | --- |", *(f"| {what} | {result} |" for what, result in rows)])
    OUTPUT.mkdir(exist_ok=True)
    (OUTPUT / "reading.md").write_text(table + "\n", encoding="utf-8")
    print(table)


if __name__ == "__main__":
    main()
