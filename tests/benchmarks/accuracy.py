"""How right identity and sections are on the labelled reports, beside cntext's extract_mda, and on changed reports.

    python -m tests.benchmarks.accuracy                      identity and sections, every label that is there
    python -m tests.benchmarks.accuracy --cntext PYTHON      also cntext's extract_mda, by a Python that has it
    python -m tests.benchmarks.accuracy --changes            also every report under every change, and 1,000 pairs

Tables go to bench-output/accuracy.md, a row for each file to bench-output/accuracy.tsv, and each table between its
marks in docs/accuracy.md (`<!-- sections -->` … `<!-- /sections -->`).
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from nlp.sections import SectionMap, find_sections
from tests.benchmarks.document import write_parts
from tests.benchmarks.gold import (
    ROOT,
    SHARED,
    Labelled,
    Overlap,
    SectionScore,
    identity_answers,
    label_span,
    overlap,
    read_labels,
    score_sections,
    section_span,
    squeeze,
    tally,
    text_span,
)
from tests.benchmarks.section_changes import CHANGES, Marked, Result, again, judge_change, mark

OUTPUT = ROOT / "bench-output"
FIELDS = {"stock_code": "stock code", "report_year": "fiscal year", "kind": "kind", "company_name": "company name"}
PAIRS = 1_000
SECONDS_FOR_CNTEXT = 3_600
Row = Sequence[object]


def table(head: Row, rows: Iterable[Row]) -> str:
    """Write a table in markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def identity_table(reports: Sequence[Labelled]) -> tuple[str, list[dict[str, object]]]:
    """Return the table of identity and the answers file by file."""
    by_source = {
        "text alone": [identity_answers(report, with_name=False) for report in reports],
        "text, file name and metadata": [identity_answers(report, with_name=True) for report in reports],
    }
    rows = []
    for field, name in FIELDS.items():
        answers = [[answer[field] for answer in found if answer[field] is not None] for found in by_source.values()]
        rows.append([name, *(f"{sum(map(bool, given))} of {len(given)}" for given in answers)])
    named = by_source["text, file name and metadata"]
    details = [{field: answer[field] for field in FIELDS} for answer in named]
    return table(["right of those that carry it", *by_source], rows), list(details)


def sections_table(scores: Sequence[SectionScore], reports: Sequence[Labelled]) -> str:
    """Return the table of sections."""
    right, expected, found = (sum(getattr(score, name) for score in scores) for name in ("right", "expected", "found"))
    outcomes = Counter(score.discussion for score in scores)
    in_text = [score for score, report in zip(scores, reports, strict=True) if not report.has_pages]
    in_pages = [score for score, report in zip(scores, reports, strict=True) if report.has_pages]
    subparts = [score for score in scores if score.subpart is not None]
    rows = [
        ["discussion: first and last page", tally(in_pages, lambda score: score.pages)],
        ["discussion: first and last words at their offsets", tally(in_pages, lambda score: score.offsets)],
        ["discussion in text files: both offsets to the character", tally(in_text, lambda score: score.offsets)],
        ["discussion: not found", outcomes["not found"]],
        ["discussion: wrong and flagged (confidence below 0.5)", outcomes["flagged low"]],
        ["discussion: silently wrong", outcomes["silently wrong"]],
        ["discussion: right but flagged", sum(s.discussion == "exact" and s.confidence < 0.5 for s in scores)],
        ["named sub-part: heading and pages", tally(subparts, lambda score: bool(score.subpart))],
        ["section lists: precision", f"{right / max(found, 1):.3f} ({right} of {found})"],
        ["section lists: recall", f"{right / max(expected, 1):.3f} ({right} of {expected})"],
        ["sections with confidence below 0.5", sum(score.low for score in scores)],
        ["sections silently wrong", sum(len(score.silently_wrong) for score in scores)],
    ]
    return table([f"{len(scores)} reports with labelled sections", "result"], rows)


def has_cntext(python: str) -> bool:
    """Tell whether a Python has cntext; it may be impossible to install."""
    try:
        return subprocess.run([python, "-c", "import cntext"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def cntext_overlaps(python: str, reports: Sequence[Labelled]) -> tuple[str, list[Overlap]]:
    """Return cntext's version and how its discussions compare with the labels, in the text that it reads itself."""
    folder = OUTPUT / "cntext-texts"
    folder.mkdir(parents=True, exist_ok=True)
    jobs = []
    for report in reports:
        path = report.path
        if path.suffix != ".pdf":
            path = folder / path.name
            # Of JSON lines it gets the text inside, which it cannot take out itself.
            path.write_text(
                "\n".join(report.pages) if report.is_rows else "".join(report.pages), encoding="utf-8", newline=""
            )
        jobs.append(str(path))
    (folder / "jobs.json").write_text(json.dumps(jobs), encoding="utf-8")
    command = [
        python,
        str(Path(__file__).with_name("cntext_mda.py")),
        str(folder / "jobs.json"),
        str(folder / "out.json"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS_FOR_CNTEXT, check=False)
    if done.returncode:
        sys.exit(f"cntext failed with {python}:\n{done.stderr[-2_000:]}")
    overlaps = []
    for report, answer in zip(reports, json.loads((folder / "out.json").read_text(encoding="utf-8")), strict=True):
        pages = report.pages if report.is_rows else answer["pages"]
        expected = label_span(report.label, pages)
        found = text_span(squeeze("".join(answer["pages"])), squeeze(answer["discussion"]), expected[0])
        if answer["discussion"].strip() and found == (0, 0):
            sys.exit(f"cntext's text of {report.path.name} stands nowhere in what it was given")
        overlaps.append(overlap(expected, found))
    return done.stdout.strip().splitlines()[-1], overlaps


def cntext_table(version: str, theirs: Sequence[Overlap], ours: Sequence[Overlap]) -> str:
    """Return the table of cntext beside ours."""
    verdicts = [Counter(each.verdict for each in overlaps) for overlaps in (ours, theirs)]
    names = {
        "right": "right: 98 % of the label, and 98 % of it the label's",
        "too much": "too much: the label and more",
        "cut or elsewhere": "cut, or another part",
        "nothing": "nothing",
    }
    rows: list[Row] = [[name, *(verdict[key] for verdict in verdicts)] for key, name in names.items()]
    longest = [
        max((each.length * each.recall and 1 / each.precision for each in some), default=0) for some in (ours, theirs)
    ]
    rows.append(["most text for one character of the label's", *(f"{each:.1f}" for each in longest)])
    return table([f"{len(theirs)} reports, characters without white space", "shuzhi", f"cntext {version}"], rows)


def changes_tables(reports: Sequence[Marked]) -> str:
    """Return the table of every change, and of pairs of changes drawn at random."""
    rows, total = [], _Tally()
    for name, (change, _) in CHANGES.items():
        results = _Tally()
        for report in reports:
            results.add(judge_change(report, change))
        rows.append([name.replace("_", " "), *results.row()])
        total.merge(results)
    rows.append(["**all changes**", *total.row()])
    chance, pairs = random.Random(1), _Tally()
    # In a file that holds the report twice, the second copy is as right as the first where the first is damaged.
    names = [name for name in CHANGES if name != "copied_whole"]
    while pairs.reports < PAIRS:
        report, pair = chance.choice(reports), sorted(chance.sample(names, 2), key=names.index)
        try:
            first = again(report, CHANGES[pair[0]][0](report, chance))
            pairs.add(judge_change(first, CHANGES[pair[1]][0]))
        except (ValueError, StopIteration):  # the second change has lost what it was to change
            continue
    rows.append([f"**{PAIRS:,} pairs of changes**", *pairs.row()])
    head = ["change", "right", "not found", "flagged", "silently wrong", "sections right", "sections silently wrong"]
    return table(head, rows)


class _Tally:
    """Sums over results of changes."""

    def __init__(self) -> None:
        self.reports = self.right = self.expected = self.silent = 0
        self.outcomes: Counter[str] = Counter()

    def add(self, result: Result) -> None:
        self.reports += 1
        self.outcomes[result.discussion] += 1
        self.right += result.right
        self.expected += result.expected
        self.silent += len(result.silently_wrong)

    def merge(self, other: _Tally) -> None:
        for name in ("reports", "right", "expected", "silent"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.outcomes += other.outcomes

    def row(self) -> Row:
        counts = [self.outcomes[name] for name in ("right", "not found", "doubtful", "silently wrong")]
        return [*counts, f"{self.right} of {self.expected}", self.silent]


def write_files(rows: Sequence[dict[str, object]]) -> None:
    """Write one line a file."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = ["\t".join(names), *("\t".join(str(row.get(name, "")) for name in names) for row in rows)]
    (OUTPUT / "accuracy.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def describe(score: SectionScore, ours: Overlap, theirs: Overlap | None) -> dict[str, object]:
    """Return the columns of a report with labelled sections."""
    columns: dict[str, object] = {
        "discussion": score.discussion,
        "heading": score.heading,
        "confidence": score.confidence,
        "pages_right": score.pages,
        "offsets_right": score.offsets,
        "subpart_right": score.subpart,
        "sections_expected": score.expected,
        "sections_found": score.found,
        "sections_right": score.right,
        "missed": "; ".join(score.missed),
        "extra": "; ".join(score.extra),
        "sections_low": score.low,
        "sections_silently_wrong": "; ".join(score.silently_wrong),
        "text_recall": f"{ours.recall:.4f}",
        "text_precision": f"{ours.precision:.4f}",
    }
    if theirs is not None:
        columns |= {
            "cntext": theirs.verdict,
            "cntext_recall": f"{theirs.recall:.4f}",
            "cntext_precision": f"{theirs.precision:.4f}",
        }
    return columns


def main() -> None:
    """Measure, print the tables and write them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cntext", metavar="PYTHON", help="a Python that has cntext installed")
    parser.add_argument("--changes", action="store_true", help="also the changed reports, some minutes")
    options = parser.parse_args()
    reports = read_labels()
    if not reports:
        sys.exit(f"no labelled reports in {SHARED}; name the shared folder with SHUZHI_SHARED")
    OUTPUT.mkdir(exist_ok=True)
    labelled = [report for report in reports if report.has_sections]
    found: dict[str, SectionMap] = {report.path.name: find_sections(report.pages) for report in labelled}
    scores = [score_sections(report, found[report.path.name]) for report in labelled]
    ours = [
        overlap(label_span(report.label, report.pages), section_span(report.pages, found[report.path.name].discussion))
        for report in labelled
    ]
    identity, answers = identity_table(reports)
    parts = {"identity": identity, "sections": sections_table(scores, labelled)}
    theirs: list[Overlap] = []
    if options.cntext and not has_cntext(options.cntext):
        print(f"{options.cntext} has no cntext, so its table stays as it is\n")
    elif options.cntext:
        version, theirs = cntext_overlaps(options.cntext, labelled)
        parts["cntext"] = cntext_table(version, theirs, ours)
    if options.changes:
        exact = [report for report, score in zip(labelled, scores, strict=True) if score.discussion == "exact"]
        parts["changes"] = changes_tables([mark(each.path.name, each.pages, found[each.path.name]) for each in exact])
    columns = {
        report.path.name: describe(score, own, theirs[place] if theirs else None)
        for place, (report, score, own) in enumerate(zip(labelled, scores, ours, strict=True))
    }
    write_files(
        [
            {"file": each.path.name, **row, **columns.get(each.path.name, {})}
            for each, row in zip(reports, answers, strict=True)
        ]
    )
    write_parts(parts)
    (OUTPUT / "accuracy.md").write_text("\n\n".join(parts.values()) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
