"""Changed cells of the columns that are no index: names, files, statuses, lengths."""

from __future__ import annotations

from typing import Any

import pandas as pd

from flows.publishing.difference_documents import BothFiles, Why, why_named
from flows.publishing.difference_pairs import WIDE_COLUMNS
from flows.publishing.difference_setting import Setting
from flows.publishing.difference_sides import FIRM_YEAR, as_text

FACTS = ["stock_code", "report_year", "column", "before", "after", "cause", "detail"]


def facts_of(pairs: pd.DataFrame, files: BothFiles, setting: Setting) -> pd.DataFrame:
    """Return every changed cell of the columns that are no index, with its cause.

    Parameters
    ----------
    pairs : DataFrame
        As :func:`flows.publishing.difference_pairs.explain_pairs` gives them.
    files : BothFiles
        The files of the two exports.
    setting : Setting
        What differs between the exports as wholes.

    Returns
    -------
    DataFrame
        stock_code, report_year, column, before, after, cause, detail; in order of firm-year and column.
    """
    both = pairs[pairs["is_before"] & pairs["is_after"]]
    frames = [_changed_cells(both, name, files, setting) for name in WIDE_COLUMNS]
    frames = [frame for frame in frames if len(frame)]
    if not frames:
        return pd.DataFrame(columns=FACTS).astype({name: "int64" if name == "report_year" else "str" for name in FACTS})
    return pd.concat(frames).sort_values([*FIRM_YEAR, "column"], ignore_index=True)[FACTS]


def _changed_cells(pairs: pd.DataFrame, name: str, files: BothFiles, setting: Setting) -> pd.DataFrame:
    first, second = pairs[f"a_{name}"], pairs[f"b_{name}"]
    same = (first == second).fillna(False).astype(bool) | (first.isna() & second.isna())
    rows = pairs[~same]
    why = _why_names(rows, files, setting) if name == "company_name" else {}
    told = [why.get(place) or _why(name, row, setting) for place, row in zip(rows.index, _records(rows), strict=True)]
    return rows[FIRM_YEAR].assign(
        column=name,
        before=[as_text(value) for value in rows[f"a_{name}"]],
        after=[as_text(value) for value in rows[f"b_{name}"]],
        cause=[each.cause for each in told],
        detail=[each.detail for each in told],
    )


def _records(rows: pd.DataFrame) -> list[dict[Any, Any]]:
    return rows[["is_same", "file_cause", "file_detail", "read_cause", "read_detail"]].to_dict("records")


def _why_names(rows: pd.DataFrame, files: BothFiles, setting: Setting) -> dict[Any, Why]:
    """Return why the same file gives its firm another name."""
    found: dict[Any, Why] = {}
    for place, code, year in rows.loc[rows["is_same"], FIRM_YEAR].itertuples(name=None):
        first, second = files.before.of_firm_year(code, year), files.after.of_firm_year(code, year)
        if first is not None and second is not None:
            found[place] = why_named(first, second, setting)
    return found


def _why(column: str, row: dict[Any, Any], setting: Setting) -> Why:
    if row["file_cause"]:
        return Why(row["file_cause"], row["file_detail"])
    if column == "file":
        return Why("renamed_file", "the same bytes under another name")
    if row["read_cause"]:
        return Why(row["read_cause"], row["read_detail"])
    if column == "reason" and setting.before.scopes != setting.after.scopes:
        return Why("scope", "the exports hold other parts of the reports")
    if column == "reason":
        return Why("reading", "sections of the same text")
    return Why("software", setting.software) if setting.software else Why("unexplained", "no cause found")
