"""What the choices raw, published and strict count in real reports, and the sentences they differ by.

    python -m tests.benchmarks.presets

Reads the annual reports of 平安银行 (000001) and 神州高铁 (000008) in the shared folder, counts `wu2021` by the longest
term, and writes the table between its marks in docs/accuracy.md.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flows.dictionary_files import load_dictionaries
from flows.judge import Judge
from flows.places import Places, page_starts_of, place_marks
from flows.work import describe_text
from nlp.clean import clean
from nlp.context import FilerNames
from nlp.furniture import edge_spans
from nlp.match import Matcher
from nlp.pdf import read_document
from tests.benchmarks.document import write_parts

SHARED = Path(os.environ.get("SHUZHI_SHARED", Path(__file__).resolve().parents[3] / "shared"))
PATTERNS = ("000001_*_annual_full.pdf", "000001_2018_annual.txt", "000008_*_annual*")
SENTENCES = 2
AROUND = 28


def judged(path: Path, matcher: Matcher) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return what a report says of itself, and its hits as the hits table has them."""
    pages = [page.text for page in read_document(path.read_bytes(), path.suffix).pages]
    row, sections, marks = describe_text("report", pages, "rjieba")
    starts = page_starts_of(pages)
    text = clean(pages, edge_spans(marks, starts))
    matches = matcher.find(text)
    places = Places(starts, sections, place_marks(marks, starts))
    where = [places.at(int(text.raw_positions[match.start])) for match in matches]
    sentences = [text.sentence_of(match.start, match.end)[1:] for match in matches]
    found = Judge(text, FilerNames(row["company_name"], row["short_name"]), "as_printed").judge(
        matches, where, sentences
    )
    for match, hit in zip(matches, found, strict=True):
        before, after = text.display[max(0, match.start - AROUND) : match.start], text.display[match.end :][:AROUND]
        hit["shown"] = f"…{before}**{text.display[match.start : match.end]}**{after}…"
        hit["page"] = text.locate(match.start)[0]
    return row, found


def rows() -> Iterator[str]:
    """Yield a row a report."""
    matcher = Matcher(load_dictionaries(["wu2021"])[0], "longest")
    for path in sorted({path for pattern in PATTERNS for path in (SHARED / "reports").glob(pattern)}):
        row, found = judged(path, matcher)
        published, strict = (sum(hit[name] for hit in found) for name in ("is_published", "is_strict"))
        left_out = [hit for hit in found if not hit["is_strict"]]
        # One sentence of each kind first, so that the differences are seen in their breadth.
        by_kind = {hit["kind"]: hit for hit in reversed(left_out)}
        shown = [f"{hit['kind']}: {hit['shown'].replace('|', '/')}" for hit in [*by_kind.values()][:SENTENCES]]
        firm = f"{row['short_name'] or row['company_name']} {row['report_year']}"
        yield f"| {firm} | {len(found)} | {published} | {strict} | {'<br>'.join(shown)} |"


def main() -> None:
    """Print the table and write it."""
    if not SHARED.is_dir():
        sys.exit(f"the shared folder with real reports is not at {SHARED}; name it with SHUZHI_SHARED")
    head = "| report | raw | published | strict | what strict leaves out, by kind |\n| --- | --- | --- | --- | --- |"
    write_parts({"presets": "\n".join([head, *rows()])})


if __name__ == "__main__":
    main()
