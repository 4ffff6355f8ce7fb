"""Two exports side by side: every number that differs, with its cause found in what the exports hold."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pandas as pd

from flows.publishing.difference_documents import BothFiles, Files
from flows.publishing.difference_facts import facts_of
from flows.publishing.difference_pairs import explain_pairs, load_pairs
from flows.publishing.difference_result import CAUSES, WORDS, Cause, Comparison
from flows.publishing.difference_setting import Setting
from flows.publishing.difference_sides import are_identical, inputs_of, open_side
from flows.publishing.difference_tables import (
    count_compared,
    describe_indices,
    files_of,
    firm_years_of,
    indices_of_one,
    spread_of,
)
from flows.publishing.difference_values import explain_values
from flows.publishing.difference_write import write_changes
from shuzhi import UsageError

__all__ = ["CAUSES", "WORDS", "Cause", "Comparison", "compare", "write_changes"]


def compare(before: Path, after: Path) -> Comparison:
    """Compare two exports and find the cause of every number that differs.

    Parameters
    ----------
    before, after : Path
        Two folders that ``shuzhi export`` wrote, or two definitions of releases.

    Returns
    -------
    Comparison
        Tables of what differs; nothing depends on where the folders lie.

    Raises
    ------
    UsageError
        If one of them is no export or lacks files.
    """
    setting = Setting(open_side(Path(before)), open_side(Path(after)))
    try:
        return _compare(setting)
    except (duckdb.Error, pd.errors.ParserError, UnicodeDecodeError, KeyError) as error:
        words = str(error).splitlines()[0]
        raise UsageError(f"{before} or {after} cannot be read ({words}); export it again") from error


def _compare(setting: Setting) -> Comparison:
    with _connection() as connection:
        files = BothFiles(Files(setting.before), Files(setting.after))
        pairs = explain_pairs(load_pairs(connection, setting.before, setting.after), files, setting)
        first, second = (describe_indices(connection, side) for side in (setting.before, setting.after))
        values = explain_values(connection, pairs, setting)
        return Comparison(
            before_name=setting.before.name,
            after_name=setting.after.name,
            firm_years=firm_years_of(connection, pairs),
            values=values,
            facts=facts_of(pairs, files, setting),
            indices=indices_of_one(first, second, setting),
            files=files_of(files, setting),
            inputs=inputs_of(setting.before, setting.after),
            spread=spread_of(connection, first),
            compared=count_compared(connection, setting),
            is_identical=are_identical(setting.before, setting.after),
        )


@contextmanager
def _connection() -> Iterator[duckdb.DuckDBPyConnection]:
    """Give a DuckDB of its own, which puts what does not fit into memory in a folder that goes away."""
    with tempfile.TemporaryDirectory(prefix="shuzhi-diff-") as folder:
        connection = duckdb.connect(config={"temp_directory": folder})
        try:
            yield connection
        finally:
            connection.close()
