"""The store: a folder (or object-store prefix) of Parquet parts, queried with DuckDB.

::

    store/
      shuzhi.json                              what this folder is, and its format
      current/<kind>.json                      which keys are in force
      readings|pages/<reading key>/<part>      one row a document | one row a page, as extracted
      texts|sections|furniture/<text key>/<part>   lengths and evidence of identity of each document | its parts
      hits/<measurement key>/<part>            one row an occurrence of a term
      files/<folder key>                       the files of one input folder
      documents, indices/<measurement key>     one row a file; one row a firm-year and index

      checked.json                             which pages were checked when, by size and times; may be removed

A key is the hash of everything that can change the rows: software versions, dictionary, rule. A part is named by the
hash of the documents in it; it is written beside and renamed into place, so a killed run leaves no half part.
``readings`` is written last: pages without it do not count. Every file carries the hash of its bytes and its own
name (:mod:`flows.storing.parts`), which is checked whenever it is read; what is damaged is made again
(:mod:`flows.storing.repair`).
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from flows.storing.faults import explained
from flows.storing.parts import DamagedPartError, UnsealedPartError, check_seal, note_of, seal_of, sealed
from flows.storing.store_files import (
    CHECKED,
    FORMAT,
    UNSEALED_FORMAT,
    PartTable,
    StoreFiles,
    hash_of,
    long_path,
    made_by,
)
from flows.storing.views import connect
from shuzhi import StoreError

__all__ = ["CHECKED", "FORMAT", "PartTable", "Store", "hash_of", "long_path", "made_by"]
LONGEST_PLAIN_PATH = 240


def with_columns(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return rows under a schema; columns that an older version did not write are missing values."""
    for field in schema:
        if field.name not in rows.column_names:
            rows = rows.append_column(field, pa.nulls(len(rows), field.type))
    return rows.select(schema.names).cast(schema)


class Store(StoreFiles):
    """One store: its tables, part by part and as views.

    Parameters
    ----------
    url : str
        Local folder, or any URL that fsspec knows (``s3://bucket/prefix``, ``memory://name``).
    create : bool
        Make it if there is none; otherwise a missing store is an error.

    Raises
    ------
    StoreError
        If there is no store, or the folder holds something else or a newer format.
    """

    def __init__(self, url: str, *, create: bool = False) -> None:
        super().__init__(url, create=create)
        self._checked: dict[str, list[Any] | None] = {}

    def parts(self, table: PartTable, key: str) -> list[str]:
        """Return the names of the parts of a table under a key, in order."""
        names = self._names(table, key)
        return [name.removesuffix(".parquet") for name in names if name.endswith(".parquet")]

    def write_part(self, table: PartTable, key: str, part: str, rows: pa.Table, note: str = "") -> None:
        """Write one part; an older one of the same name is replaced at once."""
        self.write_chunks(table, key, part, rows.schema, [rows], note)

    def write_chunks(
        self, table: PartTable, key: str, part: str, schema: pa.Schema, chunks: Iterable[pa.Table], note: str = ""
    ) -> None:
        """Write one part from tables that come one after the other, of which never two are held at once."""
        content = sealed(f"{table}/{key}/{part}", schema, chunks, note)
        self.write_bytes(self.place(table, key, f"{part}.parquet"), content)

    def content_of(self, table: PartTable, key: str, part: str) -> bytes:
        """Return the bytes of one part, checked against the hash in them.

        Raises
        ------
        DamagedPartError
            If it is missing, or its bytes are not those that were written under this name.
        """
        place = self.place(table, key, f"{part}.parquet")
        content = self.read_bytes(place)
        if content is None:
            raise DamagedPartError(f"{place} is missing; {made_by(table)} makes it again")
        try:
            check_seal(content, f"{table}/{key}/{part}")
        except DamagedPartError as error:
            if not (isinstance(error, UnsealedPartError) and self.format == UNSEALED_FORMAT):
                self.distrust()
                raise DamagedPartError(f"{place} is damaged ({error}); {made_by(table)} makes it again") from None
        return content

    def put_content(self, table: PartTable, key: str, part: str, content: bytes) -> None:
        """Write one part from the bytes that a worker made of it.

        Raises
        ------
        DamagedPartError
            If they do not carry the hash and the name of that part.
        """
        check_seal(content, f"{table}/{key}/{part}")
        self.write_bytes(self.place(table, key, f"{part}.parquet"), content)

    def seal_of(self, table: PartTable, key: str, part: str) -> str:
        """Return the hash that a part carries; a part of an older version carries none."""
        return seal_of(self.content_of(table, key, part))

    def note_of(self, table: PartTable, key: str, part: str) -> str:
        """Return what a part says of itself besides its rows."""
        return note_of(self.content_of(table, key, part))

    def read_part(self, table: PartTable, key: str, part: str, columns: list[str] | None = None) -> pa.Table:
        """Read one part.

        Raises
        ------
        DamagedPartError
            If it is missing or damaged.
        """
        content = self.content_of(table, key, part)
        try:
            return pq.read_table(pa.BufferReader(content), columns=columns, page_checksum_verification=True)
        except (pa.ArrowInvalid, OSError) as error:
            place = self.place(table, key, f"{part}.parquet")
            raise DamagedPartError(f"{place} is damaged ({error}); {made_by(table)} makes it again") from None

    def read_table(self, table: PartTable, key: str, schema: pa.Schema, only: Sequence[str] | None = None) -> pa.Table:
        """Read parts of a table under a key, all if none are named; an empty table if there are none.

        Tables that are summed up must name the parts that have readings: a killed run leaves others.

        Raises
        ------
        DamagedPartError
            If one is damaged, or a named one missing.
        """
        parts = [self.read_part(table, key, part) for part in (self.parts(table, key) if only is None else only)]
        return pa.concat_tables([with_columns(part, schema) for part in parts]) if parts else schema.empty_table()

    def remove(self, table: PartTable, key: str, parts: Iterable[str]) -> None:
        """Remove parts that nothing refers to any more."""
        for part in parts:
            place = self.place(table, key, f"{part}.parquet")
            with explained(place), contextlib.suppress(FileNotFoundError):
                self.files.rm(place)

    def fingerprint(self, table: PartTable, key: str, part: str) -> list[Any]:
        """Return what changes when a part is written again: size and times, or size and the object store's tag.

        Raises
        ------
        FileNotFoundError
            If there is no such part.
        """
        place = self.place(table, key, f"{part}.parquet")
        if self.is_local:
            facts = os.stat(long_path(place))  # noqa: PTH116
            return [facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns]
        facts = self.files.info(place)
        return [facts.get("size"), str(facts.get("ETag") or facts.get("mtime") or facts.get("created"))]

    def trust(self, place: str, fingerprint: list[Any]) -> None:
        """Take a part (table, key and part with ``/`` between) as checked while its fingerprint is this one."""
        self._checked[place] = fingerprint

    def check_once(self, table: PartTable, key: str, part: str) -> None:
        """Check a part against its hash, unless it was checked through this object and has not changed since.

        Raises
        ------
        DamagedPartError
            If it is missing or damaged.
        """
        place = f"{table}/{key}/{part}"
        before = self._fingerprint_or_none(table, key, part)
        if before is None or self._checked.get(place) != before:
            self.content_of(table, key, part)
            self._checked[place] = before

    def _fingerprint_or_none(self, table: PartTable, key: str, part: str) -> list[Any] | None:
        with contextlib.suppress(OSError):
            return self.fingerprint(table, key, part)
        return None

    def connect(
        self, schemas: Mapping[str, pa.Schema], query: str = "", hits: Collection[str] | None = None
    ) -> duckdb.DuckDBPyConnection:
        """Open a DuckDB connection with the tables of design as views; see :func:`flows.storing.views.connect`."""
        return connect(self, schemas, query, hits)

    def query(
        self,
        schemas: Mapping[str, pa.Schema],
        query: str,
        values: Mapping[str, Any] | None = None,
        hits: Collection[str] | None = None,
    ) -> pd.DataFrame:
        """Answer a query over the views of :meth:`connect`, whose parts are checked first.

        Raises
        ------
        StoreError
            If a part is damaged or cannot be read.
        """
        with self.connect(schemas, query, hits) as connection:
            try:
                return connection.execute(query, values).df()
            except duckdb.Error as error:
                raise StoreError(
                    f"store {self.url}: {error}; 'shuzhi verify' names what is damaged, and the next run makes it again"
                ) from None

    def query_path(self, *names: str) -> str:
        """Return the path of a file as DuckDB takes it."""
        place = self.place(*names)
        if not self.is_local:
            return str(self.files.unstrip_protocol(place))
        # DuckDB reads * ? [ in a path as a pattern.
        place = re.sub(r"([*?\[])", r"[\1]", place)
        # DuckDB is not known to take Windows' prefix for long paths, so only a path that needs it gets it.
        return place if len(place) < LONGEST_PLAIN_PATH else long_path(place)
