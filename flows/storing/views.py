"""The tables of a store as views of DuckDB over the parts in force, each part checked before it is queried."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from shuzhi import StoreError

if TYPE_CHECKING:
    from flows.store import PartTable, Store

CHECK_THREADS = 4
# These have one part under a key, and are not parts of a batch of documents.
WHOLE = ("documents", "indices")


def connect(
    store: Store, schemas: Mapping[str, pa.Schema], query: str = "", hits: Collection[str] | None = None
) -> duckdb.DuckDBPyConnection:
    """Open a connection with the tables of a store as views over the keys in force.

    Parameters
    ----------
    store : Store
        It is read and never written to.
    schemas : mapping of str to pyarrow.Schema
        Columns of the tables, for those that are still empty.
    query : str
        What will be asked: only the tables that it names become views, and only their parts are checked against
        their hashes; where it names none, all become views and none is checked.
    hits : collection of str, optional
        Keys of the measurements whose hits are wanted; all in force if left out.

    Returns
    -------
    duckdb.DuckDBPyConnection
        In memory.

    Raises
    ------
    StoreError
        If a part that is asked for is damaged.
    """
    places = parts_in_force(store, hits)
    named = {name: found for name, found in places.items() if query and names(query, name)}
    check_parts(store, [place for found in named.values() for place in found])
    places = named or places
    connection = duckdb.connect()
    if not store.is_local:
        connection.register_filesystem(store.files)
    for name, found in places.items():
        files = [store.query_path(table, key, f"{part}.parquet") for table, key, part in found]
        _create_view(connection, name, files, schemas[name])
    return connection


def names(query: str, table: str) -> bool:
    """Tell whether a query may ask for a table."""
    return re.search(rf"\b{table}\b", query, re.IGNORECASE) is not None


def parts_in_force(store: Store, hits: Collection[str] | None = None) -> dict[str, list[tuple[PartTable, str, str]]]:
    """Return table, key and part of everything in force, by table; parts without their reading do not count."""
    reading = store.current("reading") or {}
    measured = [each for each in store.current_measurements() if hits is None or str(each["key"]) in hits]
    pages_key, text_key = str(reading.get("key", "")), str(reading.get("text_key", ""))
    counted = set(store.parts("readings", pages_key)) if pages_key else set()
    keys: dict[PartTable, list[str]] = {
        "readings": [pages_key],
        "pages": [pages_key],
        "texts": [text_key],
        "sections": [text_key],
        "furniture": [text_key],
        "hits": [str(each["key"]) for each in measured],
        "documents": ["all"],
        "indices": [str(key) for each in measured for key in each.get("scopes", {}).values()],
    }
    return {
        table: [
            (table, key, part)
            for key in found
            if key
            for part in store.parts(table, key)
            if table in WHOLE or part in counted
        ]
        for table, found in keys.items()
    }


def check_parts(store: Store, places: Collection[tuple[PartTable, str, str]]) -> None:
    """Check parts against their hashes, several at once; one that was checked and has not changed since is not read.

    Raises
    ------
    DamagedPartError
        For the first that is damaged.
    """
    with ThreadPoolExecutor(CHECK_THREADS) as threads:
        for _ in threads.map(lambda place: store.check_once(*place), places):
            pass


def _create_view(connection: duckdb.DuckDBPyConnection, name: str, files: list[str], schema: pa.Schema) -> None:
    if not files:
        connection.register(name, schema.empty_table())
        return
    listed = ", ".join("'" + file.replace("'", "''") + "'" for file in files)
    try:
        connection.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet([{listed}])")
    except duckdb.Error as error:
        raise StoreError(
            f"{str(error).splitlines()[0]}; 'shuzhi verify' names what is damaged, and the next run makes it again"
        ) from None
