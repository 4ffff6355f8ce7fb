"""Workbooks, packed lists and Parquet files that unpack into all of the memory are refused before they are opened."""

import gzip
import re
import struct
import time
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from econometrics.panel.source_spec import SourceSpec
from flows import table_guard
from flows.coding_sheet import read_sheets
from flows.dictionary_files import ImportRequest, import_dictionary
from flows.formats import write_xlsx
from flows.panel_read import read_panel_file, read_source
from flows.quality_gate import read_panel
from flows.table_guard import check_table, unpacked
from flows.validate import read_industries
from shuzhi import DataError, UsageError

SHEET = "xl/worksheets/sheet1.xml"
MEGABYTE = 1 << 20
READERS: dict[str, Callable[[Path], object]] = {
    "guard": check_table,
    "gate": lambda path: read_panel(str(path)),
    "panel source": lambda path: read_source(SourceSpec(path=path.name), str(path)),
    "panel": lambda path: read_panel_file(str(path)),
    "coding sheet": lambda path: read_sheets([path]),
    "dictionary": lambda path: import_dictionary(ImportRequest(path, "hostile")),
}


@pytest.fixture(params=READERS)
def reader(request: pytest.FixtureRequest) -> Callable[[Path], object]:
    return READERS[request.param]


@pytest.fixture
def workbook(tmp_path: Path) -> Path:
    path = tmp_path / "colleague.xlsx"
    write_xlsx({"terms": pd.DataFrame({"term": ["大数据", "云计算"], "dimension": ["a", "b"]})}, path)
    return path


def rewritten(path: Path, change: Callable[[zipfile.ZipInfo, bytes], bytes]) -> Path:
    with zipfile.ZipFile(path) as given:
        members = [(info, given.read(info)) for info in given.infolist()]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for info, content in members:
            target.writestr(info.filename, change(info, content))
    return path


def zeros(path: Path, megabytes: int) -> Path:
    """Put so many megabytes of spaces into the sheet."""
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as target, target.open("xl/media/filler.xml", "w") as member:
        for _ in range(megabytes):
            member.write(b" " * MEGABYTE)
    return path


def refused(reader: Callable[[Path], object], path: Path, words: str) -> None:
    started = time.monotonic()
    tracemalloc.start()
    try:
        with pytest.raises(UsageError, match=words) as error:
            reader(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert path.name in str(error.value)
    assert peak < 60 * MEGABYTE
    assert time.monotonic() - started < 60


def test_a_zip_bomb_is_refused(workbook: Path):
    refused(check_table, zeros(workbook, 120), "unpack into more than")


def test_a_zip_bomb_is_refused_by_every_reader(reader, workbook: Path, monkeypatch):
    monkeypatch.setattr(table_guard, "SMALL_BYTES", 10 * MEGABYTE)
    refused(reader, zeros(workbook, 12), "unpack into more than")


def test_a_bomb_that_lies_about_its_size_is_refused(workbook: Path, monkeypatch):
    monkeypatch.setattr(table_guard, "SMALL_BYTES", 10 * MEGABYTE)
    zeros(workbook, 12)
    # Small in the directory, whatever the stream unpacks into.
    data = bytearray(workbook.read_bytes())
    place = data.rfind(b"PK\x01\x02", 0, data.rfind(b"xl/media/filler.xml"))
    data[place + 24 : place + 28] = struct.pack("<I", 10)
    workbook.write_bytes(data)
    with zipfile.ZipFile(workbook) as archive:
        assert archive.getinfo("xl/media/filler.xml").file_size == 10
    refused(check_table, workbook, "unpack into more than|not as long as it says")


def test_files_that_overlap_inside_are_refused(workbook: Path):
    data = bytearray(workbook.read_bytes())
    first, second = [found.start() for found in re.finditer(b"PK\x01\x02", data)][:2]
    data[second + 42 : second + 46] = data[first + 42 : first + 46]
    workbook.write_bytes(data)
    refused(check_table, workbook, "overlap")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
def test_declared_entities_are_refused(reader, workbook: Path, encoding: str):
    laughs = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>'.encode(encoding)
    refused(reader, rewritten(workbook, lambda info, content: laughs + content), "declares a document type or entities")


def test_entities_behind_much_else_are_found(workbook: Path):
    comment = b"<!--" + b"x" * (3 * MEGABYTE - 7) + b"-->"
    hidden = comment + b"<!DOCTYPE x [<!ENTITY a 'ha'>]>"
    refused(check_table, rewritten(workbook, lambda info, content: hidden + content), "declares a document type")


def test_many_files_inside_are_refused(workbook: Path, monkeypatch):
    monkeypatch.setattr(table_guard, "MOST_MEMBERS", 5)
    refused(check_table, workbook, "files inside")


def test_an_encrypted_member_is_refused(workbook: Path):
    data = bytearray(workbook.read_bytes())
    place = data.find(b"PK\x01\x02")
    data[place + 8] |= 1
    workbook.write_bytes(data)
    refused(check_table, workbook, "encrypted")


@pytest.mark.parametrize("cut", [0.2, 0.5, 0.9, 0.99])
def test_a_workbook_that_is_cut_off_says_so_in_one_line(reader, workbook: Path, cut: float):
    data = workbook.read_bytes()
    workbook.write_bytes(data[: int(len(data) * cut)])
    with pytest.raises(UsageError, match=r"no whole Excel workbook|cannot be read") as error:
        reader(workbook)
    assert len(str(error.value).splitlines()) <= 2


@pytest.mark.parametrize("name", ["gate", "panel source", "panel", "guard"])
def test_a_packed_list_that_unpacks_without_end_is_refused(name: str, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(table_guard, "SMALL_BYTES", 10 * MEGABYTE)
    path = tmp_path / "colleague.csv.gz"
    squeeze = zlib.compressobj(9, wbits=31)
    with path.open("wb") as file:
        file.write(squeeze.compress(b"stock_code,report_year,value\n"))
        for _ in range(30):
            file.write(squeeze.compress(b"\n" * MEGABYTE))
        file.write(squeeze.flush())
    with pytest.raises(UsageError, match="unpack into more than"):
        READERS[name](path)


def test_a_packed_list_that_is_cut_off_says_so(tmp_path: Path):
    content = gzip.compress(b"stock_code,report_year,value\n000001,2020,1\n" * 1000)
    with pytest.raises(DataError, match="cannot be unpacked"):
        unpacked(content[: len(content) // 2], "cut.csv.gz")
    assert unpacked(content, "whole.csv.gz") == gzip.decompress(content)
    assert unpacked(b"plain", "plain.csv") == b"plain"


def test_a_small_parquet_file_of_endless_rows_is_refused(tmp_path: Path, monkeypatch):
    path = tmp_path / "colleague.parquet"
    pq.write_table(pa.table({"value": pa.array([0] * 1_000_000, pa.int8())}), path)
    assert path.stat().st_size < 10_000
    check_table(path)
    monkeypatch.setattr(table_guard, "MOST_CELLS", 999_999)
    with pytest.raises(DataError, match="1,000,000 rows of 1 columns"):
        read_panel_file(str(path))


def test_a_list_of_industries_that_is_packed_is_checked_too(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(table_guard, "SMALL_BYTES", 10 * MEGABYTE)
    path = tmp_path / "industries.csv.gz"
    path.write_bytes(gzip.compress(b"stock_code,industry\n" + b"\n" * (12 * MEGABYTE), 9))
    with pytest.raises(DataError, match="unpack into more than"):
        read_industries(path)


def test_real_tables_pass(workbook: Path, tmp_path: Path):
    large = tmp_path / "zeros.xlsx"
    write_xlsx(
        {"zeros": pd.DataFrame(0, index=range(20_000), columns=[f"value_{number}" for number in range(20)])}, large
    )
    packed = tmp_path / "zeros.csv.gz"
    pd.read_excel(large, engine="calamine").to_csv(packed, index=False)
    for path in (workbook, large, packed):
        check_table(path)
    assert len(read_panel(str(large))) == len(read_panel(str(packed))) == 20_000
    assert import_dictionary(ImportRequest(workbook, "own")).terms == ("大数据", "云计算")


def test_what_another_program_wrote_passes(tmp_path: Path):
    path = tmp_path / "openpyxl.xlsx"
    pd.DataFrame({"stock_code": ["000001"], "report_year": [2020], "text": ["<!DOCTYPE x> & <!ENTITY>"]}).to_excel(
        path, engine="openpyxl", index=False
    )
    assert read_panel(str(path))["text"].tolist() == ["<!DOCTYPE x> & <!ENTITY>"]


def test_the_guard_reads_content_without_a_file(workbook: Path):
    table_guard.check_content(workbook.read_bytes(), "workbook")
    table_guard.check_content(b"", "empty")
    with pytest.raises(DataError, match="workbook: is no whole"):
        table_guard.check_content(workbook.read_bytes()[:100], "workbook")
