"""The parts of the store as a worker gets and gives them: bytes, which the parent reads and writes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq

from flows.store import PartTable, Store

Content: TypeAlias = bytes
Source: TypeAlias = tuple[PartTable, str]


def open_sources(store: Store, sources: Sequence[Source], part: str) -> list[Content]:
    """Return the bytes of one part of some tables, each checked against its hash.

    Raises
    ------
    DamagedPartError
        If one is missing or damaged.
    """
    return [store.content_of(table, key, part) for table, key in sources]


def decode(content: Content, columns: list[str] | None = None) -> pa.Table:
    """Return the rows of a part from its bytes."""
    return pq.read_table(pa.BufferReader(content), columns=columns, page_checksum_verification=True)


def store_content(store: Store, source: Source, part: str, content: Content) -> None:
    """Store one part as a worker made it.

    Raises
    ------
    DamagedPartError
        If its bytes are not those of a part of that name.
    """
    store.put_content(*source, part, content)
