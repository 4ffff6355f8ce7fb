"""Measure how long it takes to explain every changed number between two exports of a large data set.

    python -m tests.benchmarks.difference                    60,000 firm-years, 40 indices, 6 million hits; some minutes
    python -m tests.benchmarks.difference --firm-years 6000  a tenth of that

The exports are made up (the hits by DuckDB, the indices from them by the program's own arithmetic) and differ in one
thing each: nothing, a tenth of the reports revised, a word list edited, all reports read by another reader. Each is
compared in a process of its own. The table goes to bench-output/difference.md and, at full size, between the
``<!-- difference -->`` marks of docs/differences.md.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import pandas as pd

from flows.formats import write_csv, write_parquet
from flows.tables import DOCUMENTS
from flows.versions import versions
from nlp.dictionary import Dictionary, parse
from nlp.index import TOTAL, aggregate, widen
from tests.benchmarks.document import write_parts

ROOT = Path(__file__).resolve().parents[2]
OUTPUT = ROOT / "bench-output"
FIRM_YEARS, YEARS = 60_000, 10
DIMENSIONS, TERMS = 7, 12
HITS = """
    COPY (
        SELECT sha256(CASE WHEN firm_year % 10 < $revised THEN 'revised ' ELSE '' END || firm_year) AS document_id,
            term, 'd' || (number // {terms}) AS dimension, 'made_up' AS dictionary, $hash AS dictionary_hash,
            'longest' AS rule, true AS is_used, n // 3 + 1 AS page, (n % 3) * 400 + $shift AS "offset",
            n // 3 + 1 AS end_page, (n % 3) * 400 + $shift + length(term) AS end_offset, term AS matched,
            '本公司' || (hash(firm_year, n, 'before') % 9973) || '年度推进' || term || '建设并取得进展'
                || (hash(firm_year, n, 'after') % 99991) || '。' AS sentence,
            n + 1 AS sentence_number, n // 3 + 1 AS sentence_page, (n % 3) * 400 AS sentence_offset,
            'mda' AS section, '' AS subsection, '' AS furniture, true AS is_published,
            hash(firm_year, n) % 3 = 0 AS is_strict
        FROM (
            SELECT firm_year, n, (hash(firm_year, n, 'term') % {all})::INTEGER AS number,
                '词' || (hash(firm_year, n, 'term') % {all}) AS term
            FROM range($firm_years) AS f(firm_year), range($hits) AS h(n)
        )
        WHERE (hash(firm_year, n, 'kept') % 100 < 95 OR firm_year % 10 >= $revised)
            AND hash(firm_year, n, 'read') % 100 >= $shift
            AND list_contains($listed, number) ORDER BY firm_year, n
    ) TO '{path}' (FORMAT parquet, COMPRESSION zstd)
"""
COUNTS = """
    SELECT document_id, dimension, count(*) AS hits, count(DISTINCT sentence_number) AS sentences_with_hits
    FROM '{path}' GROUP BY ALL
    UNION ALL
    SELECT document_id, '{total}', count(*), count(DISTINCT sentence_number) FROM '{path}' GROUP BY document_id
"""


@dataclass(frozen=True)
class Made:
    """What an export is made of.

    Parameters
    ----------
    firm_years, hits : int
        How many firm-years, and hits of each.
    revised : int
        Tenths of the reports that are revised.
    first_term : int
        The list lacks the terms before this one.
    shift : int
        Characters by which every place is moved, as another reader moves them; so many hits of a hundred are lost.
    """

    firm_years: int
    hits: int
    revised: int = 0
    first_term: int = 0
    shift: int = 0


def dictionary_of(made: Made) -> Dictionary:
    """Return the made-up list."""
    rows = [
        f"  - {{id: d{place}, zh: 维, en: D, terms: [{', '.join(terms)}]}}"
        for place in range(DIMENSIONS)
        if (terms := [f"词{n}" for n in range(place * TERMS, (place + 1) * TERMS) if n >= made.first_term])
    ]
    head = "name: made_up\nfamily: digital\ntitle: {zh: 虚构, en: Made up}\nauthors: [Nobody]\nyear: 2024\n"
    return parse(f"{head}verified: false\nunit_of_count: occurrences\ndimensions:\n" + "\n".join(rows), "made_up.yml")


def write_export(folder: Path, made: Made) -> None:
    """Write the files of an export that a comparison reads."""
    folder.mkdir(parents=True)
    dictionary = dictionary_of(made)
    path = folder / "hits.parquet"
    values = {"revised": made.revised, "hash": dictionary.content_hash, "shift": made.shift, "hits": made.hits}
    listed = list(range(made.first_term, DIMENSIONS * TERMS))
    words = {"terms": TERMS, "all": DIMENSIONS * TERMS, "path": path}
    duckdb.execute(HITS.format(**words), {**values, "firm_years": made.firm_years, "listed": listed})
    counts = duckdb.execute(COUNTS.format(path=path, total=TOTAL)).df()
    documents = documents_of(made)
    long = aggregate(documents, counts, dictionary, "longest")
    write_parquet(long, folder / "indices_long.parquet", {})
    write_parquet(widen(long, documents), folder / "indices.parquet", {})
    write_csv(documents, folder / "documents.csv")
    run = {
        "parameters": {"rule": "longest", "scopes": ["report"], "years": [], "extractor": ["made up"]},
        "dictionaries": {"made_up": {"hash": dictionary.content_hash, "terms": len(dictionary.terms)}},
        "terms": {"made_up": {each.id: list(each.terms) for each in dictionary.dimensions}},
        "versions": versions(),
        "outputs": {},
    }
    (folder / "run.json").write_text(json.dumps(run), encoding="utf-8")


def documents_of(made: Made) -> pd.DataFrame:
    """Return the files of a made-up export."""
    query = """
        SELECT lpad((i // $years + 1)::VARCHAR, 6, '0') AS stock_code, 2010 + i % $years AS report_year,
            '某公司' || i // $years AS company_name, i % 10 < $revised AS is_revised,
            sha256(CASE WHEN i % 10 < $revised THEN 'revised ' ELSE '' END || i) AS document_id,
            90000 + hash(i) % 20000 + $shift AS chinese_characters
        FROM range($firm_years) AS t(i)
    """
    values = {"years": YEARS, "revised": made.revised, "shift": made.shift, "firm_years": made.firm_years}
    found = duckdb.execute(query, values).df()
    for name, share in (("tokens", 2), ("sentences", 30)):
        found[name] = found["chinese_characters"] // share
    for name in ("chinese_characters", "tokens", "sentences"):
        found[f"body_{name}"] = found[name]
    ending = found["is_revised"].map({True: "（修订版）", False: ""})
    found["file"] = found["stock_code"] + "_" + found["report_year"].astype(str) + ending + ".pdf"
    found["revision"] = found["is_revised"].map({True: "revised", False: "original"})
    found["revision_number"] = found["is_revised"].astype(int)
    given: dict[str, str | bool | float] = {
        "status": "ok",
        "reason": "",
        "kind": "annual",
        "is_used": True,
        "use_status": "used",
        "use_reason": "",
    }
    given |= {"extractor": f"pdfium {made.shift}", "readable_share": 1.0, "ocr_pages": 0, "pages": 200}
    for name, value in given.items():
        found[name] = value
    return found.reindex(columns=DOCUMENTS.names)


def measure(before: Path, after: Path) -> dict[str, float]:
    """Compare in a process of its own; return seconds, megabytes and changed numbers."""
    script = Path(__file__).resolve()
    arguments = [sys.executable, "-m", f"tests.benchmarks.{script.stem}", "--compare", str(before), str(after)]
    answer = subprocess.run(arguments, cwd=ROOT, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(answer.stdout.splitlines()[-1])
    return found


def compare_once(before: Path, after: Path) -> dict[str, float]:
    """Compare two exports and write what changed, timed."""
    from flows.publishing.difference import compare, write_changes

    started = time.monotonic()
    comparison = compare(before, after)
    compared, processor = time.monotonic(), time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        write_changes({"": comparison}, Path(folder))
    written = time.monotonic()
    return {
        "changed": len(comparison.values),
        "unexplained": comparison.unexplained,
        "compare": compared - started,
        "write": written - compared,
        "processor": processor,
        "megabytes": peak_megabytes(),
    }


def peak_megabytes() -> float:
    """Return the largest memory of this process; what `getrusage` says would be that of the process that started it."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), float("nan"))


def report(rows: list[tuple[str, dict[str, float]]], made: Made) -> str:
    """Return the table."""
    lines = [
        f"{made.firm_years:,} firm-years, {5 * (DIMENSIONS + 1)} indices, {made.firm_years * made.hits:,} hits",
        "",
        "| what differs | numbers changed | unexplained | comparing, s | processor, s | writing, s | memory, MB |",
        "|---|---|---|---|---|---|---|",
    ]
    for what, found in rows:
        counts = f"{found['changed']:,.0f} | {found['unexplained']:,.0f}"
        seconds = f"{found['compare']:.1f} | {found['processor']:.1f} | {found['write']:.1f}"
        lines.append(f"| {what} | {counts} | {seconds} | {found['megabytes']:,.0f} |")
    return "\n".join(lines)


def main() -> None:
    """Make the exports, compare them, write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--firm-years", type=int, default=FIRM_YEARS)
    parser.add_argument("--hits", type=int, default=100, help="of each firm-year")
    parser.add_argument("--compare", nargs=2, type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.compare:
        sys.stdout.write(json.dumps(compare_once(*given.compare)) + "\n")
        return
    base = Made(given.firm_years, given.hits)
    cases = {
        "nothing": base,
        "a tenth of the reports revised": replace(base, revised=1),
        "five terms added to the list": base,
        "all reports read by another reader": replace(base, shift=3),
    }
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_export(folder / "base", base)
        write_export(folder / "shorter", replace(base, first_term=5))
        for place, (what, made) in enumerate(cases.items()):
            before = folder / ("shorter" if "added" in what else "base")
            after = folder / f"after{place}"
            write_export(after, made)
            rows.append((what, measure(before, after)))
    text = report(rows, base)
    OUTPUT.mkdir(exist_ok=True)
    (OUTPUT / "difference.md").write_text(text + "\n", encoding="utf-8")
    if given.firm_years == FIRM_YEARS:
        write_parts({"difference": text}, ROOT / "docs" / "differences.md")
    else:
        sys.stdout.write(text + "\n")


if __name__ == "__main__":
    main()
