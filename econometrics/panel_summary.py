"""What a person reads about a panel: the flow chart of its sample, its joins, what was changed."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from econometrics.panel import Panel

EXAMPLES = 5
TITLES = {"decomposition": "What the outcome can vary with", "warning": "Warnings", "assumption": "Assumed"}


def summarise(panel: Panel) -> str:
    """Return the sample flow, the joins and the adjustments of a panel as plain text."""
    data = panel.data
    years = f"{data[panel.year].min()}-{data[panel.year].max()}"
    titles = [title for title in (panel.title_zh, panel.title_en) if title]
    lines = [
        *titles,
        f"Panel {panel.name}: {len(data):,} rows, {data[panel.firm].nunique():,} of {panel.firm}, {years},"
        f" {data.shape[1]} columns",
        "",
        "Sample",
    ]
    for table, rows in panel.flow.groupby("table", sort=False):
        lines += [f"  {table}", *_flow_lines(rows)]
    if len(panel.joins):
        lines += ["", "Joins", *(line for row in panel.joins.to_dict("records") for line in _join_lines(row))]
    if len(panel.adjustments):
        lines += ["", "Values changed", *_adjustment_lines(panel.adjustments)]
    if len(panel.reading):
        lines += ["", "In the files", *_reading_lines(panel.reading)]
    lost = [row for row in panel.definitions.to_dict("records") if int(row["missing"]) > 0]
    if lost:
        lines += ["", "Computed variables with missing values"]
        lines += [f"  {row['variable']}: {int(row['missing']):,} missing ({row['missing_because']})" for row in lost]
    if len(panel.unmatched):
        lines += ["", "Not matched", *_unmatched_lines(panel.unmatched)]
    for kind, title in TITLES.items():
        texts = [(note.step, note.zh, note.en) for note in panel.notes if note.kind == kind]
        if texts:
            lines += ["", title, *(f"  {step}: {text}" for step, zh, en in texts for text in (zh, en) if text)]
    return "\n".join(lines)


def _unmatched_lines(unmatched: pd.DataFrame) -> list[str]:
    """Return what was not matched, by step, column and reason, with examples."""
    lines = []
    for (step, column, reason), rows in unmatched.groupby(["step", "column", "reason"], sort=False):
        first = rows.head(EXAMPLES)
        pairs = zip(first["given"], first["rows"], strict=True)
        shown = ", ".join(f"{str(given)[:40] or '(empty)'} ({count:,})" for given, count in pairs)
        total = int(rows["rows"].sum())
        lines.append(f"  {step}, {column}: {total:,} rows, {len(rows):,} values, {reason}: {shown}")
    return lines


def _flow_lines(rows: pd.DataFrame) -> list[str]:
    lines = []
    for row in rows.to_dict("records"):
        removed = f"{-int(row['rows_removed']):+,}" if row["rows_removed"] else "0"
        firms = "" if pd.isna(row["firms_left"]) else f"{int(row['firms_left']):>8,} firms"
        lines.append(f"    {removed:>10} {int(row['rows_left']):>10,} rows {firms}  {row['what']}")
    return lines


def _join_lines(row: Mapping[Hashable, Any]) -> list[str]:
    lines = [f"  {row['source']} ({row['relationship']}) on {row['on']}"]
    for side, name in (("left", "panel"), ("right", "source")):
        line = f"    {name}: {row[f'{side}_matched']:,} of {row[f'{side}_rows']:,} rows matched"
        if row[f"{side}_unmatched"]:
            line += (
                f"; {row[f'{side}_unmatched']:,} without partner, {row[f'{side}_unmatched_keys']:,} keys:"
                f" {row[f'{side}_examples']}"
            )
        if row[f"{side}_missing_key"]:
            line += f"; {row[f'{side}_missing_key']:,} without a key"
        lines.append(line)
    return lines


def _adjustment_lines(adjustments: pd.DataFrame) -> list[str]:
    lines = []
    for (variable, what), rows in adjustments.groupby(["variable", "what"], sort=False):
        below, above = int(rows["changed_below"].fillna(0).sum()), int(rows["changed_above"].fillna(0).sum())
        groups = f" in {len(rows)} groups" if len(rows) > 1 else ""
        sides = f"{below:,} below, {above:,} above" if rows["lower"].notna().any() else f"{above:,} values"
        lines.append(f"  {variable}: {what}{groups}: {sides} of {int(rows['observations'].sum()):,}")
    return lines


def _reading_lines(reading: pd.DataFrame) -> list[str]:
    lines = []
    for row in reading.to_dict("records"):
        name = f"{row['source']}.{row['column']}" if row["column"] else row["source"]
        cells = f": {row['cells']:,} cells" if row["cells"] else ""
        examples = f", for example {row['examples']}" if row["examples"] else ""
        lines.append(f"  {name}: {row['what']}{cells}{examples}")
    return lines
