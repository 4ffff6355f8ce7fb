"""Changed cells of the columns that are no index: names, files, statuses, lengths."""

from __future__ import annotations

from typing import Any

import pandas as pd

from flows.publishing.difference_documents import BothFiles, Why, why_named
from flows.publishing.difference_pairs import WIDE_COLUMNS
from flows.publishing.difference_setting import Setting
from flows.publishing.difference_sides import FIRM_YEAR, as_text

FACTS = ["stock_code", "report_year", "column", "before", "after", "cause", "detail"]
# No way of reading a file gives it another name.
UNREAD = ("file", "company_name")


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
    told = _why_names(rows, files, setting) if name == "company_name" else {}
    own = _why_column(name, setting)
    is_file = rows["file_cause"] != ""
    is_read = (rows["read_cause"] != "") & (name not in UNREAD)
    frame = rows[FIRM_YEAR].assign(column=name)
    for side, column in (("a", "before"), ("b", "after")):
        frame[column] = [as_text(value) for value in rows[f"{side}_{name}"]]
    for column, word in (("cause", own.cause), ("detail", own.detail)):
        known = rows[f"read_{column}"].where(is_read, word)
        frame[column] = rows[f"file_{column}"].where(is_file, known)
        frame.loc[list(told), column] = [getattr(why, column) for why in told.values()]
    return frame


def _why_names(rows: pd.DataFrame, files: BothFiles, setting: Setting) -> dict[Any, Why]:
    """Return why the same file gives its firm another name."""
    found: dict[Any, Why] = {}
    for place, code, year in rows.loc[rows["is_same"], FIRM_YEAR].itertuples(name=None):
        first, second = files.before.of_firm_year(code, year), files.after.of_firm_year(code, year)
        if first is not None and second is not None:
            found[place] = why_named(first, second, setting)
    return found


def _why_column(column: str, setting: Setting) -> Why:
    """Return why a cell differs where the file and how it was read are the same."""
    if column == "file":
        return Why("renamed_file", "the same bytes under another name")
    if column == "reason" and setting.before.scopes != setting.after.scopes:
        return Why("scope", "the exports hold other parts of the reports")
    if column == "reason":
        return Why("reading", "sections of the same text")
    return Why("software", setting.software) if setting.software else Why("unexplained", "no cause found")
