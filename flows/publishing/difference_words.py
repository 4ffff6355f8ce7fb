"""A comparison in words: what a person reads first, on the terminal and in CHANGES.md."""

from __future__ import annotations

import pandas as pd

from flows.publishing.difference_result import CAUSES, WORDS, Comparison

MOST_LARGEST = 15
MOST_NAMED = 8
MOST_INPUTS = 30
MOST_SPREAD = 12
LONGEST_WHOLE = 1e12


def summary_lines(comparison: Comparison, most: int = MOST_LARGEST) -> list[str]:
    """Return a comparison in lines: verdict, causes, firms, files, inputs, spread, largest changes."""
    if comparison.is_identical:
        return ["no difference: every table and page is the same, byte for byte"]
    lines = verdict(comparison)
    lines += cause_lines(comparison)
    lines += firm_lines(comparison)
    lines += index_lines(comparison)
    lines += file_lines(comparison)
    lines += fact_lines(comparison)
    lines += input_lines(comparison)
    lines += spread_lines(comparison)
    lines += largest_lines(comparison, most)
    return lines


def verdict(comparison: Comparison) -> list[str]:
    """Return the first line: how many numbers differ, and whether any has no cause."""
    changed = len(comparison.values)
    if comparison.is_same:
        return [f"no number differs ({comparison.compared:,} compared)"]
    lines = []
    if comparison.unexplained:
        lines.append(f"UNEXPLAINED: {comparison.unexplained:,} changes have no cause; they come first in changes.csv")
    lines.append(f"{changed:,} numbers differ, of {comparison.compared:,} that both hold")
    lost, gained = comparison.values["after"].isna().sum(), comparison.values["before"].isna().sum()
    if lost or gained:
        lines[-1] += f" ({lost:,} went missing, {gained:,} were missing before)"
    return lines


def cause_lines(comparison: Comparison) -> list[str]:
    """Return how many numbers and firm-years each cause changed."""
    numbers = comparison.values["cause"].value_counts()
    firm_years = comparison.firm_years["cause"].value_counts()
    lines = [
        f"  {cause:<15} {numbers.get(cause, 0):>9,} numbers {firm_years.get(cause, 0):>7,} firm-years   {WORDS[cause]}"
        for cause in CAUSES
        if cause in numbers.index or cause in firm_years.index
    ]
    return ["by cause:", *lines] if lines else []


def firm_lines(comparison: Comparison) -> list[str]:
    """Return how many firm-years and firms came and went, and which reports were revised."""
    counts = comparison.firm_years["change"].value_counts()
    words = [f"{counts.get(name, 0):,} {name}" for name in ("added", "removed", "changed", "unchanged")]
    lines = [f"firm-years: {', '.join(words)}"]
    added, removed = firms_added_removed(comparison)
    for word, firms in (("added", added), ("lost", removed)):
        if firms:
            lines.append(f"firms {word}: {_some(firms)}")
    revised = comparison.facts[
        comparison.facts["column"].eq("document_id") & comparison.facts["cause"].eq("revised_report")
    ]
    names = [f"{code} {year}" for code, year in zip(revised["stock_code"], revised["report_year"], strict=True)]
    return [*lines, f"revised reports: {_some(names)}"] if names else lines


def firms_added_removed(comparison: Comparison) -> tuple[list[str], list[str]]:
    """Return the codes of firms that only the second, and only the first export has."""
    frame = comparison.firm_years
    before = set(frame.loc[frame["change"] != "added", "stock_code"])
    after = set(frame.loc[frame["change"] != "removed", "stock_code"])
    return sorted(after - before), sorted(before - after)


def _some(names: list[str], most: int = MOST_NAMED) -> str:
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return f"{len(names):,}: " + ", ".join(names[:most]) + more


def index_lines(comparison: Comparison) -> list[str]:
    """Return the indices that only one export has."""
    lines = []
    for (change, cause, detail), rows in comparison.indices.groupby(["change", "cause", "detail"], sort=False):
        lines.append(f"indices {change} ({cause}: {detail}): {_some(rows['index'].to_list(), 4)}")
    return lines


def file_lines(comparison: Comparison) -> list[str]:
    """Return what became of the files, with the first of each."""
    groups = comparison.files.groupby("change", sort=True)["file"]
    return [f"files {change}: {_some(rows.to_list(), 4)}" for change, rows in groups]


def fact_lines(comparison: Comparison) -> list[str]:
    """Return how many cells of other columns changed."""
    counts = comparison.facts["column"].value_counts(sort=False)
    return ["other columns: " + ", ".join(f"{name} {count:,}" for name, count in counts.items())] if len(counts) else []


def input_lines(comparison: Comparison) -> list[str]:
    """Return the inputs that differ; one that only one export says is not known to differ."""
    rows = changed_inputs(comparison)
    lines = [f"  {name}: {before or 'not said'} -> {after or 'not said'}" for name, before, after in rows]
    more = [f"  and {len(lines) - MOST_INPUTS} more"] if len(lines) > MOST_INPUTS else []
    return ["inputs that differ:", *lines[:MOST_INPUTS], *more] if lines else ["inputs: the same"]


def changed_inputs(comparison: Comparison) -> list[tuple[str, str, str]]:
    """Return the inputs whose two sides differ: what, before, after."""
    rows = zip(*(comparison.inputs[name].to_list() for name in ("what", "before", "after")), strict=True)
    return [(name, before, after) for name, before, after in rows if before != after]


def spread_lines(comparison: Comparison) -> list[str]:
    """Return how far the numbers of each index moved."""
    if comparison.spread.empty:
        return []
    rows = comparison.spread.sort_values(["changed", "index"], ascending=[False, True])
    lines = [f"{'change of an index':<44}{'changed':>9}{'least':>11}{'median':>11}{'most':>11}"]
    columns = ["index", "changed", "least", "median", "most"]
    for index, changed, *steps in rows[columns].head(MOST_SPREAD).itertuples(index=False, name=None):
        lines.append(f"  {index:<42}{changed:>9,}" + "".join(f"{show_number(step):>11}" for step in steps))
    more = len(rows) - MOST_SPREAD
    return [*lines, f"  and {more} more indices"] if more > 0 else lines


def largest(comparison: Comparison, most: int) -> pd.DataFrame:
    """Return the changes that are largest beside their index's spread before; of total counts, if any changed."""
    both = comparison.values.dropna(subset=["before", "after"])
    chosen = _headline(both)
    deviation = chosen["index"].map(comparison.spread.set_index("index")["deviation"]).astype("float64")
    size = (chosen["after"] - chosen["before"]).abs()
    order = (size / deviation.where(deviation > 0, 1.0)).sort_values(ascending=False, kind="stable").index
    return chosen.loc[order].head(most)


def _headline(values: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of total counts, which the other measures follow; all counts or rows where there are none."""
    for ending in ("_total_count", "_count"):
        rows = values[values["index"].str.endswith(ending)]
        if len(rows):
            return rows
    return values


def largest_lines(comparison: Comparison, most: int) -> list[str]:
    """Return the largest changes, and the first of the numbers that were or went missing."""
    lines = _change_lines(largest(comparison, most))
    missing = comparison.values[comparison.values["before"].isna() | comparison.values["after"].isna()]
    missed = _change_lines(_headline(missing).head(most))
    lines = ["largest changes:", *lines] if lines else []
    return [*lines, "missing in one of the two:", *missed] if missed else lines


def _change_lines(values: pd.DataFrame) -> list[str]:
    return [
        f"  {code} {year} {index}: {show_number(before)} -> {show_number(after)}  [{cause}] {detail}"
        for code, year, index, before, after, cause, detail in values.itertuples(index=False, name=None)
    ]


def show_number(value: float) -> str:
    """Return a number as a person reads it; missing is never zero."""
    if pd.isna(value):
        return "missing"
    return f"{value:,.0f}" if float(value).is_integer() and abs(value) < LONGEST_WHOLE else f"{value:.4g}"
