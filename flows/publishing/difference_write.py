"""changes.csv and CHANGES.md: what changed between two releases, for programs and for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from flows.formats import replacing, write_csv
from flows.publishing.difference_result import CAUSES, WORDS, Comparison
from flows.publishing.difference_words import (
    changed_inputs,
    fact_lines,
    file_lines,
    firm_lines,
    index_lines,
    largest,
    show_number,
    verdict,
)

CHANGES_CSV, CHANGES_MD = "changes.csv", "CHANGES.md"
COLUMNS = ["definition", "what", "change", "stock_code", "report_year", "index", "before", "after", "cause", "detail"]
FIRST = "No release went before; nothing to compare with."
MOST_ROWS = 20


def write_changes(comparisons: Mapping[str, Comparison], folder: Path, notes: Sequence[str] = ()) -> None:
    """Write ``changes.csv`` and ``CHANGES.md``.

    Parameters
    ----------
    comparisons : mapping of str to Comparison
        By definition, in order; empty where there is nothing to compare with.
    folder : Path
        Where to write.
    notes : sequence of str
        Lines to put first, for example definitions that only one release has.
    """
    folder.mkdir(parents=True, exist_ok=True)
    frames = [rows_of(name, each) for name, each in comparisons.items()]
    write_csv(pd.concat(frames, ignore_index=True) if frames else empty(), folder / CHANGES_CSV)
    with replacing(folder / CHANGES_MD) as temporary:
        temporary.write_text(to_markdown(comparisons, notes), encoding="utf-8", newline="\n")


def empty() -> pd.DataFrame:
    """Return a table of changes without a row."""
    return pd.DataFrame({name: pd.Series(dtype="str") for name in COLUMNS})


def rows_of(name: str, comparison: Comparison) -> pd.DataFrame:
    """Return everything that changed in one table: firm-years, numbers, other columns, indices; unexplained first."""
    moved = comparison.firm_years
    moved = moved[moved["change"].isin(["added", "removed"])].assign(what="firm_year")
    values = comparison.values.assign(what="number", change="changed")
    for column in ("before", "after"):
        values[column] = values[column].map(_exact, na_action="ignore")
    facts = comparison.facts.rename(columns={"column": "index"}).assign(what="column", change="changed")
    indices = comparison.indices.assign(what="index")
    parts = [frame.reindex(columns=COLUMNS) for frame in (moved, values, facts, indices)]
    found = pd.concat([part for part in parts if len(part)] or [empty()], ignore_index=True)
    found["definition"] = name
    found["report_year"] = found["report_year"].astype("Int64")
    is_known = found["cause"] != "unexplained"
    return found.iloc[is_known.argsort(kind="stable")].reset_index(drop=True)


def _exact(value: float) -> str:
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))


def to_markdown(comparisons: Mapping[str, Comparison], notes: Sequence[str] = ()) -> str:
    """Return what changed as a page for people."""
    lines = ["# What changed, and why", ""]
    lines += [line for note in notes for line in (f"- {note}", "")]
    if not comparisons:
        return "\n".join([*lines, FIRST, ""])
    for name, comparison in comparisons.items():
        lines += [*([f"## {name}", ""] if name else []), *_section(comparison)]
    lines += [f"Every changed number is a row of {CHANGES_CSV}.", ""]
    return "\n".join(lines)


def _section(comparison: Comparison) -> list[str]:
    if comparison.is_identical:
        return ["No difference: every table and page is the same, byte for byte.", ""]
    told = [*verdict(comparison), *firm_lines(comparison), *index_lines(comparison), *file_lines(comparison)]
    told += fact_lines(comparison)
    lines = [line for each in told for line in (f"- {_cell(each)}",)]
    lines += ["", *_causes(comparison), *_inputs(comparison), *_spread(comparison), *_firm_years(comparison)]
    return [*lines, *_largest(comparison)]


def _causes(comparison: Comparison) -> list[str]:
    numbers = comparison.values["cause"].value_counts()
    firm_years = comparison.firm_years["cause"].value_counts()
    rows = [
        (cause, f"{numbers.get(cause, 0):,}", f"{firm_years.get(cause, 0):,}", WORDS[cause])
        for cause in CAUSES
        if cause in numbers.index or cause in firm_years.index
    ]
    return _table(["cause", "numbers", "firm-years", "meaning"], rows)


def _inputs(comparison: Comparison) -> list[str]:
    rows = [(name, before or "not said", after or "not said") for name, before, after in changed_inputs(comparison)]
    return _table(["input", "before", "after"], rows)


def _spread(comparison: Comparison) -> list[str]:
    columns = ["index", "changed", "lost", "gained", "least", "lower", "median", "upper", "most"]
    frame = comparison.spread[columns]
    counts = frame[frame["index"].str.endswith("_count")]
    is_long = len(frame) > MOST_ROWS and len(counts) > 0
    shown = counts if is_long else frame
    rows = [tuple(_short(value) for value in row) for row in shown.itertuples(index=False, name=None)]
    note = f"Counts only; {len(frame) - len(counts):,} other indices changed too." if is_long else ""
    return [*_table(columns, rows), *([note, ""] if note else [])]


def _firm_years(comparison: Comparison) -> list[str]:
    frame = comparison.firm_years[comparison.firm_years["change"] != "unchanged"]
    rows = []
    for change in ("added", "removed", "changed"):
        own = frame[frame["change"] == change]
        rows += list(own.head(MOST_ROWS).astype("str").itertuples(index=False, name=None))
        if len(own) > MOST_ROWS:
            rows.append(("…", "", change, "", f"{len(own) - MOST_ROWS:,} more in {CHANGES_CSV}"))
    return _table(["firm", "year", "change", "cause", "detail"], rows)


def _largest(comparison: Comparison) -> list[str]:
    rows = [
        tuple(_short(value) for value in row)
        for row in largest(comparison, MOST_ROWS).itertuples(index=False, name=None)
    ]
    columns = ["firm", "year", "index", "before", "after", "cause", "detail"]
    return ["Largest changes", "", *_table(columns, rows)] if rows else []


def _short(value: object) -> str:
    if isinstance(value, float):
        return show_number(value)
    return str(value)


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    if not rows:
        return []
    lines = [f"| {' | '.join(columns)} |", "|" + "---|" * len(columns)]
    lines += [f"| {' | '.join(_cell(str(cell)) for cell in row)} |" for row in rows]
    return [*lines, ""]


def _cell(text: str) -> str:
    """Return text that stays text inside Markdown."""
    plain = " ".join(text.split())
    for sign in "\\|<>[]*_`":
        plain = plain.replace(sign, "\\" + sign)
    return plain
