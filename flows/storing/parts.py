"""The seal of a part: a Parquet file that carries the hash of its own bytes and its own name.

The hash stands in the file's footer, as ``shuzhi.sha256``, and is that of the file with zeros in its place; the name
stands beside it. So a part is checked by itself, whatever became of the files around it: a byte that changed
anywhere, a cut, and another part under its name are all seen, and any reader of Parquet still reads the file.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from shuzhi import StoreError

NAME, NOTE, HASH = b"shuzhi.part", b"shuzhi.note", b"shuzhi.sha256"
NO_HASH = b"0" * 64
# A text of 64 bytes as Parquet's footer (Thrift, compact) writes it behind its name.
SEAL = re.compile(re.escape(HASH) + rb"\x18\x40([0-9a-f]{64})")
TAIL_BYTES = 8
ROW_GROUP_ROWS = 20_000
WRITING: dict[str, Any] = {"compression": "zstd", "compression_level": 1, "write_page_checksum": True}


class DamagedPartError(StoreError):
    """A part that is missing, or whose bytes are not those that were written under its name."""


class UnsealedPartError(DamagedPartError):
    """A part without a seal: an older version wrote it, or something else did."""


def sealed(name: str, schema: pa.Schema, chunks: Iterable[pa.Table], note: str = "") -> bytearray:
    """Return tables of one schema as the bytes of a sealed Parquet file.

    Parameters
    ----------
    name : str
        Table, key and part, with ``/`` between.
    schema : pyarrow.Schema
        Of every chunk.
    chunks : iterable of pyarrow.Table
        Of which never two are held at once.
    note : str
        What the file says of itself besides, for example of which folder it is the listing.

    Returns
    -------
    bytearray
        The same for the same arguments.
    """
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(sink, schema, **WRITING) as writer:
        for chunk in chunks:
            writer.write_table(chunk, row_group_size=ROW_GROUP_ROWS)
        own = {NAME: name.encode("utf-8"), HASH: NO_HASH}
        writer.add_key_value_metadata(own | ({NOTE: note.encode("utf-8")} if note else {}))
    content = bytearray(sink.getvalue())
    place = _place_of_hash(content)
    if place is None:
        raise StoreError(f"{name}: this version of pyarrow ({pa.__version__}) writes no seal; install the locked one")
    content[place : place + len(NO_HASH)] = _hash_without(content, place).encode("ascii")
    return content


def check_seal(content: bytes, name: str) -> None:
    """Check that bytes are those that were written under a name.

    Raises
    ------
    UnsealedPartError, DamagedPartError
        If they carry no seal, or another one; the text says why.
    """
    place = _place_of_hash(content)
    if place is None:
        cut = not (content[:4] == content[-4:] == b"PAR1")
        raise UnsealedPartError("it is cut off or no part at all" if cut else "it carries no checksum")
    if _hash_without(content, place).encode("ascii") != content[place : place + len(NO_HASH)]:
        raise DamagedPartError("its bytes are not those that were written")
    found = _metadata(content).get(NAME, b"").decode("utf-8")
    if found != name:
        raise DamagedPartError(f"it is another part, {found}")


def seal_of(content: bytes) -> str:
    """Return the hash that a file carries of itself, or nothing where it is not sealed."""
    place = _place_of_hash(content)
    return "" if place is None else content[place : place + len(NO_HASH)].decode("ascii")


def note_of(content: bytes) -> str:
    """Return what a sealed file says of itself besides."""
    return _metadata(content).get(NOTE, b"").decode("utf-8")


def _metadata(content: bytes) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = pq.read_metadata(pa.BufferReader(content)).metadata or {}
    return found


def _place_of_hash(content: bytes | bytearray) -> int | None:
    """Return where the hash stands in the footer, the one place where it may be looked for."""
    size = int.from_bytes(content[-TAIL_BYTES:-4], "little")
    start = len(content) - TAIL_BYTES - size
    if start < 0 or content[-4:] != b"PAR1":
        return None
    found = SEAL.search(content, start, len(content) - TAIL_BYTES)
    return found.start(1) if found else None


def _hash_without(content: bytes | bytearray, place: int) -> str:
    view = memoryview(content)
    digest = hashlib.sha256(view[:place])
    digest.update(NO_HASH)
    digest.update(view[place + len(NO_HASH) :])
    return digest.hexdigest()
