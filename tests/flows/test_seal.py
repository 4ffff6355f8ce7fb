"""A part that carries the hash of its own bytes and its own name."""

import random

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flows.storing.parts import DamagedPartError, UnsealedPartError, check_seal, note_of, sealed

NAME = "hits/0123456789abcdef/fedcba9876543210"
ROWS = pa.table({"text": ["数字化转型" + str(number) for number in range(5000)], "number": range(5000)})


@pytest.fixture(scope="module")
def content() -> bytes:
    return bytes(sealed(NAME, ROWS.schema, [ROWS], note="某文件夹"))


def test_a_sealed_part_is_whole(content: bytes):
    check_seal(content, NAME)


def test_any_reader_of_parquet_reads_it(content: bytes, tmp_path):
    assert pq.read_table(pa.BufferReader(content)).equals(ROWS)
    (tmp_path / "part.parquet").write_bytes(content)
    [(number,)] = duckdb.sql(f"SELECT sum(number) FROM '{tmp_path / 'part.parquet'}'").fetchall()
    assert number == 4999 * 2500


def test_its_rows_carry_nothing_of_the_seal(content: bytes):
    assert pq.read_table(pa.BufferReader(content)).schema.equals(ROWS.schema, check_metadata=True)


def test_the_same_rows_give_the_same_bytes_however_they_come(content: bytes):
    assert bytes(sealed(NAME, ROWS.schema, iter([ROWS]), note="某文件夹")) == content


def test_a_note_comes_back(content: bytes):
    assert note_of(content) == "某文件夹"
    assert note_of(bytes(sealed(NAME, ROWS.schema, [ROWS]))) == ""


def test_a_flipped_bit_is_seen_wherever_it_is(content: bytes):
    # Every byte of the footer, where the seal itself is, and many of the rest.
    footer = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    places = [*range(footer, len(content)), *random.Random(1).sample(range(footer), 500)]
    unseen = []
    for place in places:
        for bit in (0, 5, 7):
            changed = bytearray(content)
            changed[place] ^= 1 << bit
            try:
                check_seal(bytes(changed), NAME)
            except DamagedPartError:
                continue
            unseen.append((place, bit))
    assert len(places) > 1000
    assert unseen == []


def test_a_cut_is_seen_wherever_it_is(content: bytes):
    for size in (*range(0, 300), *range(300, len(content), 997), len(content) - 1):
        with pytest.raises(UnsealedPartError, match=r"cut off or no part at all|carries no checksum"):
            check_seal(content[:size], NAME)


def test_another_part_under_this_name_is_seen(content: bytes):
    with pytest.raises(DamagedPartError, match=f"it is another part, {NAME}"):
        check_seal(content, NAME.replace("hits", "pages"))


def test_a_part_without_a_seal_is_told_from_a_damaged_one():
    sink = pa.BufferOutputStream()
    pq.write_table(ROWS, sink)
    with pytest.raises(UnsealedPartError, match="carries no checksum"):
        check_seal(sink.getvalue().to_pybytes(), NAME)


def test_a_text_that_looks_like_a_seal_is_none():
    looks = pa.table({"text": ["shuzhi.sha256\x18\x40" + "0" * 64] * 3})
    content = bytes(sealed(NAME, looks.schema, [looks]))
    check_seal(content, NAME)
    assert pq.read_table(pa.BufferReader(content)).equals(looks)
