"""For notebooks: an export or a store opened as frames with the right types, and asked in SQL.

::

    from flows.notebook import open_export, open_store

    export = open_export("out")
    export.indices                                                  # one row a firm-year
    export.sql("SELECT term, count(*) AS hits FROM hits GROUP BY ALL ORDER BY hits DESC")

Nothing is ever written. Codes are text, whole numbers stay whole where some are missing, and missing is never zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from flows.documents import load_documents
from flows.formats import unescape_formula
from flows.inspect_store import evidence, find_store, run_sql
from flows.outputs import RUN_FILE, file_hash, read_run
from flows.sql import answer_frame, ask
from flows.store import Store
from flows.tables import SCHEMAS
from shuzhi import UsageError

# Table of an export as the codebook calls it -> its file.
EXPORT_FILES: Mapping[str, str] = {
    "indices_wide": "indices.parquet",
    "indices_long": "indices_long.parquet",
    "hits": "hits.parquet",
    "documents": "documents.csv",
    "sections": "sections.csv",
    "failures": "failures.csv",
    "codebook": "codebook.csv",
    "quality": "quality.csv",
}
_TYPES: Mapping[str, Any] = {
    "text": pd.StringDtype(na_value=float("nan")),
    "integer": pd.Int64Dtype(),
    "number": "float64",
    "boolean": pd.BooleanDtype(),
}


@dataclass(frozen=True)
class Export:
    """The folder that ``shuzhi run`` or ``shuzhi export`` wrote, or one definition of a release.

    Parameters
    ----------
    folder : Path
        The folder.
    run : dict
        Its ``run.json``: parameters, versions, hashes of word lists and files, counts.
    """

    folder: Path
    run: dict[str, Any] = field(repr=False)

    @cached_property
    def indices(self) -> pd.DataFrame:
        """One row a firm-year, one column an index; an index that is missing has a reason."""
        return self.table("indices_wide")

    @cached_property
    def indices_long(self) -> pd.DataFrame:
        """One row a firm-year and index, with numerator, denominator and document."""
        return self.table("indices_long")

    @cached_property
    def hits(self) -> pd.DataFrame:
        """One row an occurrence of a term, with page, sentence and flags."""
        return self.table("hits")

    @cached_property
    def documents(self) -> pd.DataFrame:
        """One row a file: whose report, how we know, whether it is used."""
        return self.table("documents")

    @cached_property
    def codebook(self) -> pd.DataFrame:
        """One row a table and column: labels in Chinese and English, unit, formula, missing share."""
        return self.table("codebook")

    def table(self, name: str) -> pd.DataFrame:
        """Return a table of the export by its name in the codebook: ``failures``, ``sections``, ``quality``, …

        Raises
        ------
        UsageError
            If there is no such table.
        """
        if name not in EXPORT_FILES:
            raise UsageError(f"{name} is no table of an export; there are {', '.join(EXPORT_FILES)}")
        path = self.folder / EXPORT_FILES[name]
        if not path.is_file():
            raise UsageError(f"{path} is missing; 'shuzhi export --out {self.folder}' writes it")
        return answer_frame(pq.read_table(path)) if path.suffix == ".parquet" else self._read_csv(name, path)

    def labels(self, language: str = "en", table: str = "indices_wide") -> dict[str, str]:
        """Return the label of each column of a table, in English (``en``) or Chinese (``zh``)."""
        rows = self.codebook[self.codebook["table"] == table]
        return dict(zip(rows["name"], rows[f"label_{language}"], strict=True))

    def sql(self, query: str, values: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """Ask the export in SQL (DuckDB): every table is there by its name, and ``indices`` is the long one.

        Parameters
        ----------
        query : str
            One query that only reads; ``$name`` stands for a value.
        values : mapping of str to object, optional
            What the names stand for.

        Raises
        ------
        UsageError
            If it is no such query, or DuckDB does not take it.
        """
        with duckdb.connect() as connection:
            for name in (*EXPORT_FILES, "indices"):
                self._add_table(connection, name)
            return answer_frame(ask(connection, query, values))

    def damaged(self) -> list[str]:
        """Return the files that are not the ones that the run wrote; empty where all is well."""
        listed = self.run["outputs"].items()
        return [name for name, sha in listed if not self._has(name) or file_hash(self.folder / name) != sha]

    def _has(self, name: str) -> bool:
        return (self.folder / name).is_file()

    def _add_table(self, connection: duckdb.DuckDBPyConnection, name: str) -> None:
        file = EXPORT_FILES["indices_long" if name == "indices" else name]
        if not self._has(file):
            return
        if file.endswith(".parquet"):
            # As a view, a query reads those columns and rows alone that it asks for.
            connection.read_parquet(_plain_pattern(self.folder / file)).create_view(name)
        else:
            connection.register(name, pa.Table.from_pandas(self.table(name), preserve_index=False))

    def _read_csv(self, name: str, path: Path) -> pd.DataFrame:
        """Read a CSV file of ours: all as text first, so that no code loses a zero; types are the codebook's."""
        frame = pd.read_csv(path, encoding="utf-8-sig", dtype="str", keep_default_na=False, na_values=[""])
        frame = frame.map(unescape_formula, na_action="ignore")
        types = {} if name in ("codebook", "quality") else self._types_of(name)
        numbers = {"missing_share": "number", "first_year": "integer", "last_year": "integer"}
        return _typed(frame, types if name != "codebook" else numbers)

    def _types_of(self, table: str) -> dict[str, str]:
        rows = self.codebook[self.codebook["table"] == table]
        return dict(zip(rows["name"], rows["type"], strict=True))


@dataclass(frozen=True)
class OpenStore:
    """A store to look into: its tables as frames, and SQL over them.

    Parameters
    ----------
    store : Store
        The store itself, with ``connect`` for a DuckDB connection of one's own.
    """

    store: Store

    @cached_property
    def documents(self) -> pd.DataFrame:
        """One row a file, with its status and whether it is used."""
        return load_documents(self.store)

    def evidence(self, stock_code: str = "", year: int = 0, term: str = "", dictionary: str = "") -> pd.DataFrame:
        """Return hits in context, in the order of the report; what is left out does not narrow them down."""
        return evidence(self.store, stock_code=stock_code, year=year, term=term, dictionary=dictionary)

    def sql(self, query: str, values: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """Ask the store in SQL: documents, pages, texts, sections, readings, hits, indices; see :meth:`Export.sql`."""
        return run_sql(self.store, query, values)

    def connect(self) -> duckdb.DuckDBPyConnection:
        """Return a DuckDB connection in memory with the tables as views; close it when done."""
        return self.store.connect(SCHEMAS)


def open_export(folder: str | Path) -> Export:
    """Open a folder that ``shuzhi run`` or ``shuzhi export`` wrote.

    Parameters
    ----------
    folder : str or Path
        The folder; of a release, the folder of one definition.

    Returns
    -------
    Export
        Its tables are read when they are first asked for.

    Raises
    ------
    UsageError
        If it holds no finished export.
    """
    place = Path(folder)
    try:
        return Export(place, read_run(place))
    except (OSError, ValueError) as error:
        words = getattr(error, "strerror", None) or "it is not JSON"
        raise UsageError(
            f"{place / RUN_FILE}: {words}; name a folder that 'shuzhi run' or 'shuzhi export' wrote to its end"
        ) from None


def open_store(place: str | Path = "") -> OpenStore:
    """Open a store to look into.

    Parameters
    ----------
    place : str or Path
        The store, an output folder with ``store`` inside, or a URL; empty looks in the usual places.

    Raises
    ------
    StoreError
        If there is none.
    """
    return OpenStore(find_store(str(place)))


def read_estimates(folder: str | Path) -> pd.DataFrame:
    """Return every estimate of a study that ``shuzhi study`` wrote, one row each, with its sample and model.

    Parameters
    ----------
    folder : str or Path
        The study's output folder.

    Raises
    ------
    UsageError
        If there are none.
    """
    path = Path(folder) / "estimates.parquet"
    if not path.is_file():
        raise UsageError(f"{path} is missing; name a folder that 'shuzhi study' wrote to its end")
    return answer_frame(pq.read_table(path))


def _typed(frame: pd.DataFrame, types: Mapping[str, str]) -> pd.DataFrame:
    columns = {}
    for name in frame.columns:
        column, kind = frame[name], types.get(name, "text")
        if kind == "boolean":
            column = column.map({"True": True, "False": False})
        columns[name] = column.astype(_TYPES[kind])
    return pd.DataFrame(columns)


def _plain_pattern(path: Path) -> str:
    """Return a path in which DuckDB takes no character as a pattern."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in str(path))
