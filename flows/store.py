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

A key is the hash of everything that can change the rows: software versions, dictionary, rule. A part carries the
hash of the documents in it; it is written beside and renamed into place, so a killed run leaves no half part.
``readings`` is written last: pages without it do not count.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import socket
import sys
import uuid
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import duckdb
import fsspec
import pandas as pd
import psutil
import pyarrow as pa
import pyarrow.parquet as pq

from shuzhi import StoreError

FORMAT = 1
MARKER = "shuzhi.json"
PartTable = Literal["readings", "pages", "texts", "sections", "furniture", "hits", "files", "documents", "indices"]
HASH_DIGITS = 16
# A process's start as the system gives it moves when the clock is set.
CLOCK_TOLERANCE_SECONDS = 5.0
LONGEST_PLAIN_PATH = 240


def hash_of(*values: object) -> str:
    """Return sixteen hexadecimal digits that stand for the values, in order."""
    text = json.dumps(values, ensure_ascii=False, sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:HASH_DIGITS]


def long_path(path: str | Path) -> str:
    """Return a path that Windows opens however long it is; elsewhere the path itself."""
    if sys.platform == "win32":
        absolute = str(Path(path).resolve())
        return absolute if absolute.startswith("\\\\") else "\\\\?\\" + absolute
    return str(path)


def _is_running(holder: Mapping[str, Any]) -> bool:
    """Tell whether the process that holds a lock may still be at work; on another host, assume so."""
    if holder.get("host") != socket.gethostname():
        return True
    try:
        created = psutil.Process(int(holder["process"])).create_time()
        return bool(abs(created - float(holder["created"])) < CLOCK_TOLERANCE_SECONDS)
    except (psutil.NoSuchProcess, KeyError, TypeError, ValueError):
        return False


class Store:
    """One store.

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
        self.url = url
        try:
            self._files, root = fsspec.core.url_to_fs(url)
        except (ImportError, ValueError) as error:
            raise StoreError(f"store {url}: {error}") from None
        self.is_local = self._files.protocol in ("file", ("file", "local"))
        self._root = str(root).rstrip("/")
        self._check_marker(create)

    def _check_marker(self, create: bool) -> None:
        found = self._read_json(MARKER)
        if found is not None:
            if found.get("format") != FORMAT:
                raise StoreError(
                    f"store {self.url} has format {found.get('format')}, this version reads {FORMAT};"
                    " use the version that wrote it, or name a new store"
                )
            return
        if not create:
            raise StoreError(f"no store at {self.url}; make one with 'shuzhi read FOLDER --store {self.url}'")
        if self._files.exists(self._root) and self._files.ls(self._root, detail=False):
            raise StoreError(f"{self.url} is not empty and holds no store; name an empty or new folder")
        self.write_json(MARKER, {"what": "store of shuzhi", "format": FORMAT})

    def _place(self, *names: str) -> str:
        return "/".join((self._root, *names))

    def _write(self, place: str, data: bytes) -> None:
        """Write bytes beside and rename them into place; an object store's put is whole or nothing by itself."""
        folder = place.rsplit("/", 1)[0]
        if self.is_local:
            os.makedirs(long_path(folder), exist_ok=True)  # noqa: PTH103
            beside = f"{place}.{uuid.uuid4().hex[:8]}.tmp"
            with open(long_path(beside), "wb") as file:  # noqa: PTH123
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(long_path(beside), long_path(place))  # noqa: PTH105
        else:
            self._files.pipe_file(place, data)

    def _read(self, place: str) -> bytes | None:
        try:
            content: bytes = self._files.cat_file(place)
        except FileNotFoundError:
            return None
        except NotADirectoryError:
            raise StoreError(f"store {self.url} is a file, not a folder; name a folder") from None
        return content

    def _read_json(self, name: str) -> dict[str, Any] | None:
        content = self._read(self._place(name))
        if content is None:
            return None
        try:
            value = json.loads(content.decode("utf-8"))
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise StoreError(f"{self.url}/{name} is damaged; remove it and run again")
        return value

    def write_json(self, name: str, value: Mapping[str, Any]) -> None:
        """Write a small file of the store's own."""
        text = json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True)
        self._write(self._place(name), text.encode("utf-8"))

    def set_current(self, kind: str, **values: Any) -> None:
        """Put keys in force, for example ``set_current('reading', key=…)``."""
        if self.current(kind) != values:
            self.write_json(f"current/{kind}.json", values)

    def current(self, kind: str) -> dict[str, Any] | None:
        """Return the keys in force of a kind, or None."""
        return self._read_json(f"current/{kind}.json")

    def current_measurements(self) -> list[dict[str, Any]]:
        """Return what is in force for each measured dictionary and rule, in order of name."""
        names = [name for name in self._names("current") if name.startswith("measurement-")]
        found = (self._read_json(f"current/{name}") for name in names)
        return [values for values in found if values is not None]

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Keep a second run from writing to this store; a lock left by a dead process is taken over.

        Raises
        ------
        StoreError
            If another run is writing.
        """
        place = self._place("lock.json")
        holder = self._read_json("lock.json")
        if holder is not None and _is_running(holder):
            raise StoreError(
                f"store {self.url} is in use by process {holder.get('process')} on {holder.get('host')};"
                f" wait for it, or remove {place} if it is long gone"
            )
        created = psutil.Process().create_time()
        mine = {"process": os.getpid(), "created": created, "host": socket.gethostname()}
        if self.is_local:
            self._lock_exclusively(place, mine)
        else:
            self.write_json("lock.json", mine)
        try:
            yield
        finally:
            with contextlib.suppress(FileNotFoundError):
                self._files.rm(place)

    def _lock_exclusively(self, place: str, mine: Mapping[str, Any]) -> None:
        """Create the lock so that of two runs that start at once only one gets it."""
        with contextlib.suppress(FileNotFoundError):
            os.remove(long_path(place))  # noqa: PTH107
        try:
            with open(long_path(place), "x", encoding="utf-8") as file:  # noqa: PTH123
                json.dump(mine, file)
        except FileExistsError:
            raise StoreError(f"store {self.url} is in use by a run that started just now; wait for it") from None

    def _names(self, *folder: str) -> list[str]:
        place = self._place(*folder)
        try:
            entries = self._files.ls(place, detail=False)
        except FileNotFoundError:
            return []
        names = (str(entry).rstrip("/").rsplit("/", 1)[-1] for entry in entries)
        return sorted(name for name in names if not name.endswith(".tmp"))

    def parts(self, table: PartTable, key: str) -> list[str]:
        """Return the names of the parts of a table under a key, in order."""
        names = self._names(table, key)
        return [name.removesuffix(".parquet") for name in names if name.endswith(".parquet")]

    def write_part(self, table: PartTable, key: str, part: str, rows: pa.Table) -> None:
        """Write one part; an older one of the same name is replaced at once."""
        sink = pa.BufferOutputStream()
        pq.write_table(
            rows, sink, compression="zstd", compression_level=1, row_group_size=20_000, write_page_checksum=True
        )
        self._write(self._place(table, key, f"{part}.parquet"), sink.getvalue().to_pybytes())

    def write_chunks(
        self, table: PartTable, key: str, part: str, schema: pa.Schema, chunks: Iterable[pa.Table]
    ) -> None:
        """Write one part from tables that come one after the other, of which never two are held at once."""
        sink = pa.BufferOutputStream()
        settings = {"compression": "zstd", "compression_level": 1, "write_page_checksum": True}
        with pq.ParquetWriter(sink, schema, **settings) as writer:
            for chunk in chunks:
                writer.write_table(chunk, row_group_size=20_000)
        self._write(self._place(table, key, f"{part}.parquet"), sink.getvalue().to_pybytes())

    def read_part(self, table: PartTable, key: str, part: str, columns: list[str] | None = None) -> pa.Table:
        """Read one part.

        Raises
        ------
        StoreError
            If it is missing or damaged.
        """
        place = self._place(table, key, f"{part}.parquet")
        content = self._read(place)
        if content is None:
            raise StoreError(f"{place} is missing; run 'shuzhi read' again")
        try:
            return pq.read_table(pa.BufferReader(content), columns=columns, page_checksum_verification=True)
        except (pa.ArrowInvalid, OSError) as error:
            raise StoreError(f"{place} is damaged ({error}); remove it and run again") from None

    def read_table(self, table: PartTable, key: str, schema: pa.Schema) -> pa.Table:
        """Read all parts of a table under a key; an empty table of the given schema if there is none."""
        parts = [self.read_part(table, key, part) for part in self.parts(table, key)]
        return pa.concat_tables(parts).cast(schema) if parts else schema.empty_table()

    def remove(self, table: PartTable, key: str, parts: Iterable[str]) -> None:
        """Remove parts that nothing refers to any more."""
        for part in parts:
            self._files.rm(self._place(table, key, f"{part}.parquet"))

    def connect(self, schemas: Mapping[str, pa.Schema]) -> duckdb.DuckDBPyConnection:
        """Open a DuckDB connection with the tables of design as views over the keys in force.

        Parameters
        ----------
        schemas : mapping of str to pyarrow.Schema
            Columns of the tables, for those that are still empty.

        Returns
        -------
        duckdb.DuckDBPyConnection
            In memory; it reads the store and never writes to it.
        """
        connection = duckdb.connect()
        if not self.is_local:
            connection.register_filesystem(self._files)
        reading = self.current("reading") or {}
        measured = self.current_measurements()
        hits = [str(each["key"]) for each in measured]
        pages_key, text_key = str(reading.get("key", "")), str(reading.get("text_key", ""))
        counted = set(self.parts("readings", pages_key)) if pages_key else set()
        places: dict[str, list[tuple[PartTable, str]]] = {
            "readings": [("readings", pages_key)],
            "pages": [("pages", pages_key)],
            "texts": [("texts", text_key)],
            "sections": [("sections", text_key)],
            "furniture": [("furniture", text_key)],
            "hits": [("hits", key) for key in hits],
            "documents": [("documents", "all")],
            "indices": [("indices", str(key)) for each in measured for key in each.get("scopes", {}).values()],
        }
        for name, folders in places.items():
            only = None if name in ("documents", "indices") else counted
            files = [file for table, key in folders if key for file in self._part_files(table, key, only)]
            self._create_view(connection, name, files, schemas[name])
        return connection

    def query(
        self, schemas: Mapping[str, pa.Schema], query: str, values: Mapping[str, Any] | None = None
    ) -> pd.DataFrame:
        """Answer a query over the views of :meth:`connect`.

        Raises
        ------
        StoreError
            If a part cannot be read.
        """
        with self.connect(schemas) as connection:
            try:
                return connection.execute(query, values).df()
            except duckdb.Error as error:
                raise StoreError(f"store {self.url}: {error}; remove the part it names and run again") from None

    def _part_files(self, table: PartTable, key: str, only: set[str] | None) -> list[str]:
        parts = [part for part in self.parts(table, key) if only is None or part in only]
        return [self._query_path(table, key, f"{part}.parquet") for part in parts]

    def _query_path(self, *names: str) -> str:
        place = self._place(*names)
        if not self.is_local:
            return str(self._files.unstrip_protocol(place))
        # DuckDB reads * ? [ in a path as a pattern.
        place = re.sub(r"([*?\[])", r"[\1]", place)
        # DuckDB is not known to take Windows' prefix for long paths, so only a path that needs it gets it.
        return place if len(place) < LONGEST_PLAIN_PATH else long_path(place)

    @staticmethod
    def _create_view(connection: duckdb.DuckDBPyConnection, name: str, files: list[str], schema: pa.Schema) -> None:
        if not files:
            connection.register(name, schema.empty_table())
            return
        listed = ", ".join("'" + file.replace("'", "''") + "'" for file in files)
        try:
            connection.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet([{listed}])")
        except duckdb.Error as error:
            raise StoreError(f"{str(error).splitlines()[0]}; remove that file and run again") from None
