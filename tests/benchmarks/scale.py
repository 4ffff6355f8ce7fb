"""The whole job at 1,000 to 40,000 reports: seconds, memory, sizes, and whether every firm-year is there and right.

    python -m tests.benchmarks.scale                          all sizes, under 20 minutes on 2 idle cores
    python -m tests.benchmarks.scale --reports 1000           one size; repeat for more
    python -m tests.benchmarks.scale --corpus FOLDER          keep the corpus there (8 GB) for the next time

Reports are cut from the real ones of the shared folder (see :mod:`tests.benchmarks.scale_corpus`): a cover and three
real pages, each file with bytes, code and year of its own. Each size runs in fresh processes: the whole job, and the
same command once more, which must find nothing to do. Its results stay in bench-output/scale, and a size that was run
with this software is not run again; --fresh forgets them. The tables go to docs/scale.md. The job over the whole real
reports is run too: what a page of them takes and fills is what the estimates in docs/scale.md rest on.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from flows.dictionary_files import load_dictionaries
from flows.versions import versions
from tests.benchmarks.document import write_parts
from tests.benchmarks.scale_corpus import Cut, cut_reports, write_corpus
from tests.benchmarks.scale_tables import estimate_table, real_table, scale_table

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("SHUZHI_SHARED", ROOT.parent / "shared"))
RESULTS = ROOT / "bench-output" / "scale"
DOCUMENT = ROOT / "docs" / "scale.md"
SIZES = (1_000, 5_000, 10_000, 40_000)
# What a job takes whatever its size is that of ten reports.
START_UP = 10
REAL = "real"
REAL_PATTERN = "[036]*_annual_full.pdf"
WORKERS = 2
LONGEST_SECONDS = 4 * 3600
TABLES = ("readings", "pages", "texts", "sections", "furniture", "hits", "documents", "indices", "files")


def settings_of(cuts: Sequence[Cut], runner: str) -> dict[str, Any]:
    """Return what results depend on: results of other software or another corpus are not taken."""
    sources = sorted(path for folder in ("flows", "nlp") for path in (ROOT / folder).rglob("*.py"))
    code = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:16]
    return {"versions": versions(), "code": code, "corpus": corpus_key(cuts), "workers": WORKERS, "runner": runner}


def corpus_key(cuts: Sequence[Cut]) -> str:
    """Return what a kept corpus is known by: its cuts, and how files are made of them."""
    made_by = (Path(__file__).parent / "scale_corpus.py").read_bytes()
    return hashlib.sha256(made_by + b"".join(cut.content for cut in cuts)).hexdigest()[:16]


@contextlib.contextmanager
def place_for(corpus: str) -> Iterator[Path]:
    """Give the folder of the corpora: the named one, or a temporary one that is removed."""
    if corpus:
        Path(corpus).mkdir(parents=True, exist_ok=True)
        yield Path(corpus)
        return
    with tempfile.TemporaryDirectory(prefix="shuzhi-scale-") as folder:
        yield Path(folder)


def run_size(folder: Path, reports: int, cuts: Sequence[Cut], runner: str) -> dict[str, Any]:
    """Run one size twice, in fresh processes, and check that every firm-year has its count."""
    corpus = folder / f"reports-{reports}-{corpus_key(cuts)}"
    expected = write_corpus(corpus, reports, cuts)
    work = Path(tempfile.mkdtemp(prefix="run-", dir=folder))
    try:
        found = run_job(corpus, work, runner)
        check(work / "out", expected, found)
        return found | {"reports": reports}
    finally:
        shutil.rmtree(work)


def run_real(folder: Path, runner: str) -> dict[str, Any]:
    """Run the job over the whole real reports, once."""
    corpus = folder / "real"
    corpus.mkdir(exist_ok=True)
    for file in sorted((SHARED / "reports").glob(REAL_PATTERN)):
        shutil.copy(file, corpus)
    work = Path(tempfile.mkdtemp(prefix="run-", dir=folder))
    try:
        found = run_job(corpus, work, runner)
        documents = pd.read_csv(work / "out" / "documents.csv")
        return found | {"reports": len(documents), "pages": int(documents["pages"].sum())}
    finally:
        shutil.rmtree(work)


def run_job(corpus: Path, work: Path, runner: str) -> dict[str, Any]:
    """Run the job and run it again, and return what they cost and left."""
    home, out = work / "prefect", work / "out"
    first = start(corpus, out, work / "first.json", home, runner)
    found: dict[str, Any] = {"first": first, "store": sizes(out / "store"), "exports": sizes_of_files(out)}
    found["prefect_bytes"] = sum(file.stat().st_size for file in home.glob("prefect.db*"))
    with contextlib.closing(sqlite3.connect(home / "prefect.db")) as database:
        found["task_runs"] = database.execute("SELECT count(*) FROM task_run").fetchone()[0]
        found["stored_states"] = database.execute(
            "SELECT count(*) FROM task_run WHERE state_type = 'COMPLETED'"
        ).fetchone()[0]
    found["second"] = start(corpus, out, work / "second.json", home, runner)
    return found


def start(corpus: Path, out: Path, result: Path, home: Path, runner: str) -> dict[str, Any]:
    """Run :mod:`tests.benchmarks.scale_job` in a fresh process, with a Prefect of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.scale_job", str(corpus), str(out), str(result)]
    command += ["--workers", str(WORKERS), "--runner", runner]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    subprocess.run(command, cwd=ROOT, env={**kept, "PREFECT_HOME": str(home)}, check=True, timeout=LONGEST_SECONDS)
    found: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
    return found


def sizes(store: Path) -> dict[str, int]:
    """Return the bytes of each table of a store."""
    return {name: sum(file.stat().st_size for file in (store / name).rglob("*.parquet")) for name in TABLES}


def sizes_of_files(out: Path) -> dict[str, int]:
    """Return the bytes of each file of an export."""
    return {file.name: file.stat().st_size for file in sorted(out.iterdir()) if file.is_file()}


def check(out: Path, expected: Mapping[tuple[str, int], int], found: Mapping[str, Any]) -> None:
    """Fail unless each firm-year is there once, read once, with the count of its pages, and nothing else is."""
    indices = pd.read_csv(out / "indices.csv", dtype={"stock_code": str})
    rows = list(zip(indices["stock_code"], indices["report_year"], indices["wu2021_total_count"], strict=True))
    counts = {(code, int(year)): count for code, year, count in rows}
    wrong = [key for key, count in expected.items() if counts.get(key) != count]
    documents = pd.read_csv(out / "documents.csv", usecols=["document_id", "status", "is_used"])
    facts = {
        "rows": (len(rows), len(expected)),
        "firm-years": (len(counts), len(expected)),
        "firm-years with another count": (len(wrong), 0),
        "hits": (found["first"]["hits"], sum(expected.values())),
        "documents": (documents["document_id"].nunique(), len(expected)),
        "used and readable": (int((documents["is_used"] & (documents["status"] == "ok")).sum()), len(expected)),
        "read first": (found["first"]["read"], len(expected)),
        "read again": (found["second"]["read"], 0),
        "known at the second run": (found["second"]["cached"], len(expected)),
        "exported again": (found["second"]["is_new"], False),
        "task runs that Prefect kept": (found["stored_states"], found["task_runs"]),
    }
    problems = [f"{name}: {is_} instead of {must}" for name, (is_, must) in facts.items() if is_ != must]
    if problems:
        sys.exit(f"not exact at {len(expected):,} reports: " + "; ".join(problems) + f" (first: {wrong[:3]})")


def results(folder: Path, sizes_wanted: Sequence[int], runner: str, fresh: bool) -> dict[str, dict[str, Any]]:
    """Return the results of all sizes, running those that are missing, with a line on each."""
    terms = load_dictionaries(["wu2021"])[0].terms
    cuts = cut_reports(SHARED / "reports", terms)
    settings = settings_of(cuts, runner)
    RESULTS.mkdir(parents=True, exist_ok=True)
    found = {}
    for size in (REAL, START_UP, *sizes_wanted):
        file = RESULTS / f"{runner}-{size}.json"
        known = json.loads(file.read_text(encoding="utf-8")) if file.is_file() and not fresh else {}
        if known.get("settings") != settings:
            started = time.perf_counter()
            print(f"{size} reports …", file=sys.stderr, flush=True)
            done = run_real(folder, runner) if size == REAL else run_size(folder, int(size), cuts, runner)
            known = {"settings": settings, **done}
            file.write_text(json.dumps(known, indent=1), encoding="utf-8")
            print(f"{size} reports: done in {time.perf_counter() - started:.0f} s", file=sys.stderr, flush=True)
        found[str(size)] = known
    return found


def main() -> None:
    """Run what is missing, and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reports", type=int, action="append", help="a size; repeat for more; none takes all")
    parser.add_argument("--corpus", default="", help="folder in which the corpora are kept")
    parser.add_argument("--runner", choices=["processes", "dask"], default="processes")
    parser.add_argument("--fresh", action="store_true", help="forget the results of earlier runs")
    options = parser.parse_args()
    if not SHARED.is_dir():
        sys.exit(f"the shared folder with real reports is not at {SHARED}; name it with SHUZHI_SHARED")
    with place_for(options.corpus) as folder:
        found = results(folder, options.reports or SIZES, options.runner, options.fresh)
    real, start_up = found.pop(REAL), found.pop(str(START_UP))
    by_size = list(found.values())
    parts = {"scale": scale_table(by_size, start_up), "real": real_table(real, start_up)}
    parts["estimate"] = estimate_table(real, start_up, by_size[-1])
    if options.runner == "processes" and not options.reports:
        write_parts(parts, DOCUMENT)
    else:
        print("\n\n".join(parts.values()))


if __name__ == "__main__":
    main()
