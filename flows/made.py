"""Whether a table of the store that is made from others must be made again, or stands as it is.

What it was made from is noted beside it as a hash: the tables, the choices, and the source code that makes it, so that
a change of any leads to the table being made anew. The table's own hash is noted too: one that was put back from
before, or written by a run that was killed before it could note it, is no longer what was made.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

import pyarrow as pa

import nlp
from flows.store import PartTable, Store, hash_of
from flows.storing.parts import DamagedPartError

KIND, PART = "made", "all"


@lru_cache(maxsize=1)
def code() -> str:
    """Return a hash of the source code that can change such a table: all of nlp, and the modules beside this one."""
    places = [Path(str(nlp.__file__)).parent, Path(__file__).parent]
    digest = hashlib.sha256()
    for file in sorted(file for place in places for file in place.glob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def fingerprint(table: pa.Table) -> str:
    """Return a hash of a table's rows and columns."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema.remove_metadata()) as writer:
        writer.write_table(table.combine_chunks())
    return hashlib.sha256(sink.getvalue()).hexdigest()


def is_made(store: Store, table: PartTable, key: str, inputs: str) -> bool:
    """Tell whether the one part of a table under a key stands as it would be made from these inputs."""
    try:
        return _noted(store).get(f"{table}/{key}") == [inputs, store.seal_of(table, key, PART)]
    except DamagedPartError:
        return False


def note_made(store: Store, table: PartTable, key: str, inputs: str) -> None:
    """Note what the one part of a table under a key was made from, once it is written."""
    store.set_current(KIND, **{**_noted(store), f"{table}/{key}": [inputs, store.seal_of(table, key, PART)]})


def inputs_of(*values: object) -> str:
    """Return the hash that stands for what a table is made from, the source code included."""
    return hash_of(code(), *values)


def _noted(store: Store) -> dict[str, object]:
    try:
        return dict(store.current(KIND) or {})
    except DamagedPartError:
        return {}
