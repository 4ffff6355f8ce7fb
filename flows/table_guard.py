"""What a table of somebody else may be: no workbook, packed file or Parquet file that unpacks into all of the memory.

Excel workbooks are archives of XML: a few kilobytes of them can stand for gigabytes, say so or not, and their XML can
declare entities that repeat each other. So all of a file is unpacked once, in pieces that are thrown away, before
anything opens it.
"""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from shuzhi import DataError

MOST_MEMBERS = 10_000
MOST_UNPACKED_BYTES = 4 << 30
# The greatest ratio of a real workbook or list that we met is 40; a thousand is the most that packing can give.
MOST_RATIO = 200
SMALL_BYTES = 100 << 20
MOST_CELLS = 2_000_000_000
PIECE_BYTES = 1 << 20
ZIP, GZIP, PARQUET = b"PK\x03\x04", b"\x1f\x8b", b"PAR1"
LOCAL_HEADER_BYTES = 30
XML_ENDINGS = (".xml", ".rels", ".vml")
_DECLARATIONS = tuple(
    word.encode(encoding) for word in ("<!DOCTYPE", "<!ENTITY") for encoding in ("ascii", "utf-16-le", "utf-16-be")
)
_OVERLAP = max(map(len, _DECLARATIONS)) - 1


def check_table(path: str | Path) -> None:
    """Refuse a file whose content takes far more memory than the file; one that is missing is for others to report.

    Parameters
    ----------
    path : str or Path
        Excel workbook, packed CSV file, Parquet file; others pass.

    Raises
    ------
    DataError
        If it is a bomb, or is not what it looks like.
    """
    place = Path(path)
    if place.is_file():
        with place.open("rb") as file:
            _check(file, place.name, place.stat().st_size)


def check_content(content: bytes, name: str) -> None:
    """Refuse the content of a file as :func:`check_table` does."""
    _check(io.BytesIO(content), name, len(content))


def unpacked(content: bytes, name: str) -> bytes:
    """Return content, unpacked where it is packed by gzip.

    Raises
    ------
    DataError
        If it unpacks into more than a table has, or not at all.
    """
    if not content.startswith(GZIP):
        return content
    return b"".join(_gzip_pieces(io.BytesIO(content), name, len(content)))


def _check(file: BinaryIO, name: str, size: int) -> None:
    head = file.read(len(ZIP))
    file.seek(0)
    if head == ZIP:
        _check_archive(file, name, size)
    elif head.startswith(GZIP):
        for _ in _gzip_pieces(file, name, size):
            pass
    elif head == PARQUET:
        _check_parquet(file, name, size)


def _gzip_pieces(file: BinaryIO, name: str, size: int) -> Iterator[bytes]:
    total = 0
    try:
        with gzip.GzipFile(fileobj=file) as packed:
            while piece := packed.read(PIECE_BYTES):
                total += len(piece)
                _check_size(name, total, size)
                yield piece
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{name}: cannot be unpacked ({error}); pack it again") from None


def _check_size(name: str, unpacked_bytes: int, packed_bytes: int) -> None:
    if unpacked_bytes > MOST_UNPACKED_BYTES or unpacked_bytes > max(SMALL_BYTES, MOST_RATIO * packed_bytes):
        raise DataError(
            f"{name}: its {packed_bytes:,} bytes unpack into more than {unpacked_bytes:,}, as no table does; it is not"
            " opened. If it is yours, save it as CSV or Parquet"
        )


def _check_archive(file: BinaryIO, name: str, size: int) -> None:
    """Check an archive by unpacking it: what its directory says of sizes may be a lie."""
    try:
        members = zipfile.ZipFile(file).infolist()
    except (zipfile.BadZipFile, OSError, ValueError, EOFError, struct.error, UnicodeDecodeError) as error:
        raise DataError(f"{name}: is no whole Excel workbook ({error}); save it again") from None
    if len(members) > MOST_MEMBERS:
        raise DataError(f"{name}: holds {len(members):,} files inside, as no workbook does; it is not opened")
    members = sorted(members, key=lambda member: member.header_offset)
    ends = [member.header_offset + LOCAL_HEADER_BYTES + member.compress_size for member in members]
    starts = [*(member.header_offset for member in members[1:]), size]
    if any(end > start for end, start in zip(ends, starts, strict=True)):
        raise DataError(f"{name}: the files inside overlap, as in no workbook; it is not opened")
    total = 0
    for member in members:
        tail, length = b"", 0
        is_xml = member.filename.lower().endswith(XML_ENDINGS)
        for piece in _pieces(file, member, name):
            total, length = total + len(piece), length + len(piece)
            _check_size(name, total, size)
            if is_xml:
                text = tail + piece
                if any(word in text for word in _DECLARATIONS):
                    raise DataError(
                        f"{name}: {member.filename} declares a document type or entities, as no workbook"
                        " does; it is not opened"
                    )
                tail = text[-_OVERLAP:]
        if length != member.file_size:
            raise DataError(f"{name}: {member.filename} is not as long as it says; it is not opened")


def _pieces(file: BinaryIO, member: zipfile.ZipInfo, name: str) -> Iterator[bytes]:
    """Yield the content of a file in an archive piece by piece, to the end of what is there."""
    if member.flag_bits & 1 or member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise DataError(f"{name}: {member.filename} is encrypted or packed in a way that no workbook is; save it again")
    file.seek(member.header_offset)
    header = file.read(LOCAL_HEADER_BYTES)
    if len(header) < LOCAL_HEADER_BYTES or not header.startswith(ZIP):
        raise DataError(f"{name}: is damaged at {member.filename}; save it again")
    file.seek(sum(struct.unpack("<HH", header[26:30])), io.SEEK_CUR)
    left = member.compress_size
    inflate = zlib.decompressobj(-zlib.MAX_WBITS) if member.compress_type == zipfile.ZIP_DEFLATED else None
    try:
        while left > 0 and (packed := file.read(min(left, PIECE_BYTES))):
            left -= len(packed)
            if inflate is None:
                yield packed
            while inflate is not None and packed:
                yield inflate.decompress(packed, PIECE_BYTES)
                packed = inflate.unconsumed_tail
        if inflate is not None:
            yield inflate.flush(PIECE_BYTES)
    except zlib.error as error:
        raise DataError(f"{name}: is damaged at {member.filename} ({error}); save it again") from None


def _check_parquet(file: BinaryIO, name: str, size: int) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        facts = pq.read_metadata(file)
        groups = [facts.row_group(number) for number in range(facts.num_row_groups)]
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{name}: is no whole Parquet file ({error})") from None
    cells = facts.num_rows * max(facts.num_columns, 1)
    if cells > MOST_CELLS or sum(group.total_byte_size for group in groups) > 4 * MOST_UNPACKED_BYTES:
        raise DataError(
            f"{name}: its {size:,} bytes stand for {facts.num_rows:,} rows of {facts.num_columns:,} columns; it is not"
            " opened. Cut it into smaller files"
        )
