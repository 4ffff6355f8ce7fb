"""The tables of a comparison besides its numbers: firm-years, other columns, indices, files, how far numbers moved."""

from __future__ import annotations

from typing import Any

import duckdb
import pandas as pd

from flows.publishing.difference_documents import BothFiles, Files, Row
from flows.publishing.difference_setting import Setting
from flows.publishing.difference_sides import FIRM_YEAR, LONG, Side, as_text

INDEX_QUERY = """
    SELECT index, any_value(dictionary) AS dictionary, any_value(scope) AS scope, any_value(dimension) AS dimension,
        count(value) AS numbers, stddev_pop(CASE WHEN isnan(value) THEN NULL ELSE value END) AS deviation
    FROM read_parquet($path) GROUP BY index ORDER BY index
"""
COMPARED = """
    SELECT count(*) FROM read_parquet($before) AS a JOIN read_parquet($after) AS b
        ON a.stock_code = b.stock_code AND a.report_year = b.report_year AND a.index = b.index
    WHERE a.value IS NOT NULL AND b.value IS NOT NULL
"""
SPREAD = """
    SELECT index, count(*) AS changed,
        count(*) FILTER (after IS NULL) AS lost, count(*) FILTER (before IS NULL) AS gained,
        min(after - before) AS least, quantile_cont(after - before, 0.25) AS lower, median(after - before) AS median,
        quantile_cont(after - before, 0.75) AS upper, max(after - before) AS most
    FROM cells GROUP BY index ORDER BY index
"""
BY_FIRM_YEAR = """
    WITH counted AS (
        SELECT stock_code, report_year, cause, count(*) AS numbers, arg_min(detail, index) AS detail
        FROM cells JOIN explained USING (row) GROUP BY ALL
    )
    SELECT stock_code, report_year, arg_max(cause, (numbers, -rank)) AS cause,
        sum(numbers) || ' numbers (' || string_agg(cause || ' ' || numbers, ', ' ORDER BY numbers DESC, rank) || '): '
            || arg_max(detail, (numbers, -rank)) AS detail
    FROM counted JOIN ranks USING (cause) GROUP BY ALL
"""
INDICES = ["index", "change", "values", "cause", "detail"]
SAME_FILE = ["file", "document_id", "stock_code", "report_year", "kind", "revision"]
FILES = ["file", "change", "stock_code", "report_year", "detail"]


def describe_indices(connection: duckdb.DuckDBPyConnection, side: Side) -> pd.DataFrame:
    """Return the indices of an export: index, dictionary, scope, dimension, numbers, deviation."""
    return connection.execute(INDEX_QUERY, {"path": side.path(LONG)}).df()


def indices_of_one(before: pd.DataFrame, after: pd.DataFrame, setting: Setting) -> pd.DataFrame:
    """Return the indices that only one export has, and why."""
    rows = []
    for change, own, other, side in (
        ("removed", before, after, setting.after),
        ("added", after, before, setting.before),
    ):
        alone = own[~own["index"].isin(other["index"])]
        for row in alone.to_dict("records"):
            cause, detail = _why_index(row, other, setting, side)
            rows.append((row["index"], change, row["numbers"], cause, detail))
    frame = pd.DataFrame(rows, columns=INDICES)
    return frame.astype({"index": "str", "change": "str", "values": "int64", "cause": "str", "detail": "str"})


def _why_index(row: dict[Any, Any], other: pd.DataFrame, setting: Setting, side: Side) -> tuple[str, str]:
    """Return why an export has no such index."""
    if row["dictionary"] not in side.hashes:
        return "dictionary", f"{side_word(setting, side)} has no list {row['dictionary']}"
    if row["scope"] not in side.scopes:
        part, _, keep = str(row["scope"]).partition(":")
        parts = {name.partition(":")[0] for name in side.scopes}
        cause = "keep" if part in parts else "scope"
        words = f"{keep or 'raw'} hits of {part}" if cause == "keep" else f"the part {part} of the reports"
        return cause, f"{side_word(setting, side)} does not hold {words}"
    if row["dimension"] not in set(other.loc[other["dictionary"] == row["dictionary"], "dimension"]):
        return "dictionary", f"{setting.dictionary(row['dictionary'])}: the dimension {row['dimension']} is in one only"
    if setting.software:
        return "software", setting.software
    return "unexplained", "no cause found"


def side_word(setting: Setting, side: Side) -> str:
    """Return how an export is called in a sentence."""
    return "the first export" if side is setting.before else "the second export"


def count_compared(connection: duckdb.DuckDBPyConnection, setting: Setting) -> int:
    """Return how many numbers both exports have."""
    paths = {"before": setting.before.path(LONG), "after": setting.after.path(LONG)}
    row = connection.execute(COMPARED, paths).fetchone()
    return int(row[0]) if row else 0


def spread_of(connection: duckdb.DuckDBPyConnection, before: pd.DataFrame) -> pd.DataFrame:
    """Return for each index with changes how many there are and how far the numbers moved."""
    found = connection.execute(SPREAD).df()
    return found.merge(before[["index", "deviation"]], on="index", how="left")


def firm_years_of(connection: duckdb.DuckDBPyConnection, pairs: pd.DataFrame) -> pd.DataFrame:
    """Return what became of each firm-year: its change, the commonest cause of its numbers, and one line."""
    frame = pairs[FIRM_YEAR].assign(change="unchanged")
    frame.loc[~pairs["is_before"], "change"] = "added"
    frame.loc[~pairs["is_after"], "change"] = "removed"
    moved = frame["change"] != "unchanged"
    frame["cause"] = pairs["file_cause"].where(moved, "")
    frame["detail"] = pairs["file_detail"].where(moved, "")
    told = connection.execute(BY_FIRM_YEAR).df().set_index(FIRM_YEAR)
    told = told.reindex(pd.MultiIndex.from_frame(frame[FIRM_YEAR])).set_axis(frame.index)
    is_changed = told["cause"].notna() & ~moved
    frame.loc[is_changed, "change"] = "changed"
    for name in ("cause", "detail"):
        frame.loc[is_changed, name] = told.loc[is_changed, name]
    return frame


def files_of(files: BothFiles, setting: Setting) -> pd.DataFrame:
    """Return the files that came, went, were renamed, hold other bytes, or are taken for another report."""
    first, second = (side.documents[SAME_FILE] for side in (setting.before, setting.after))
    alike = second.merge(first, on=SAME_FILE)["file"]
    changed = second.loc[~second["file"].isin(alike), "file"]
    rows = [_became(row, files.before) for file in changed if (row := files.after.named(file))]
    gone = first.loc[~first["file"].isin(second["file"]), "file"]
    lost = [row for file in gone if (row := files.before.named(file)) and files.after.same(row) is None]
    rows += [_file_row(row, "removed", "") for row in lost]
    frame = pd.DataFrame(rows, columns=FILES).astype({"report_year": "Int64"})
    return frame.sort_values(["change", "file"], ignore_index=True)


def _became(row: Row, before: Files) -> tuple[Any, ...]:
    """Return what became of a file since."""
    earlier = before.named(row["file"])
    if earlier is not None and earlier["document_id"] == row["document_id"]:
        changed = [name for name in SAME_FILE if earlier[name] != row[name]]
        words = ", ".join(f"{name} {as_text(earlier[name])} -> {as_text(row[name])}" for name in changed)
        return _file_row(row, "taken for another", words)
    if earlier is not None:
        return _file_row(row, "other bytes", "")
    same = before.same(row)
    if same is None:
        return _file_row(row, "added", "")
    return _file_row(row, "renamed or copied", f"the same bytes as {same['file']}")


def _file_row(row: Row, change: str, detail: str) -> tuple[Any, ...]:
    return (row["file"], change, row["stock_code"], row["report_year"], detail)
