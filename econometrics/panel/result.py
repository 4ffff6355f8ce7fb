"""A panel and how it came about, and what a person reads about it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from econometrics.clusters.map import ClusterMap
from econometrics.panel.steps.result import UNMATCHED_COLUMNS, PanelNote
from econometrics.variables import Variable

PANEL = "panel"
EXAMPLES = 5
TITLES = {"decomposition": "What the outcome can vary with", "warning": "Warnings", "assumption": "Assumed"}


@dataclass(frozen=True)
class Panel:
    """A panel and how it came about.

    Parameters
    ----------
    name : str
        Its name in the specification.
    firm, year : str
        Its keys: each pair stands once, and none is missing.
    data : DataFrame, one row a firm-year
        Sorted by the keys, numbered from 0.
    variables : mapping of str to Variable
        Labels, unit, formula and source of every column.
    flow : DataFrame, columns table, what, rows_removed, rows_left, firms_removed, firms_left
        What each step removed: of the sources first, then of the panel.
    joins : DataFrame
        One row a join: rows with and without a partner on both sides, with examples.
    adjustments : DataFrame
        Values that were winsorised, trimmed or set to missing: limits, and how many.
    definitions : DataFrame, columns variable, formula, observations, missing, missing_because
        One row a computed variable.
    reading : DataFrame, columns source, column, what, cells, examples
        Everything in the files that did not stand for itself: encodings, units, sentinels, codes.
    spec_hash : str
        First 16 digits of the SHA-256 of the specification.
    title_en, title_zh : str
        Its titles, as the specification says.
    unmatched : DataFrame, columns step, column, given, rows, reason
        What the steps of clusters, emissions, policies and groups could not match, of the panel and of their sources.
    notes : tuple of PanelNote
        What a report made of the panel must say: what an apportioned intensity can vary with; assumptions, warnings.
    cluster_maps : mapping of str to ClusterMap
        Maps of clusters that were attached, by the name of their file.
    tables : mapping of str to DataFrame
        Further tables of these steps, by the name of their file.
    texts : mapping of str to str
        Further texts of these steps, by the name of their file.
    """

    name: str
    firm: str
    year: str
    data: pd.DataFrame
    variables: Mapping[str, Variable]
    flow: pd.DataFrame
    joins: pd.DataFrame
    adjustments: pd.DataFrame
    definitions: pd.DataFrame
    reading: pd.DataFrame
    spec_hash: str = ""
    title_en: str = ""
    title_zh: str = ""
    unmatched: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(UNMATCHED_COLUMNS)))
    notes: tuple[PanelNote, ...] = ()
    cluster_maps: Mapping[str, ClusterMap] = field(default_factory=dict)
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)

    def sample_flow(self) -> pd.DataFrame:
        """Return the flow of the panel alone, without that of its sources."""
        return self.flow[self.flow["table"] == PANEL].reset_index(drop=True)

    def summary(self) -> str:
        """Return the sample flow and the joins as text."""
        return summarise(self)


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
