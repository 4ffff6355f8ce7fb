"""Files: read back as written, byte for byte the same each time, and nothing in them runs."""

from __future__ import annotations

import datetime as clock
import time
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows import formats
from shuzhi import UsageError

DANGEROUS = ["=1+1", "+86 755", "-5", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "'=1", "''-x"]
HARMLESS = ["平安银行", "1=1", "", "'quoted'", "a,b", 'a "b"', "line\nline", "line\rline"]


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "stock_code": ["000001", "600519", "300750"],
            "company_name": ["平安银行", '=HYPERLINK("http://x")', None],
            "report_year": pd.array([2019, 2020, None], dtype="Int64"),
            "wu2021_total_count": pd.array([12, None, 0], dtype="Int64"),
            "wu2021_total_log1p": [np.log(13.0), np.nan, -0.0],
            "is_used": [True, False, True],
            "has_plan": pd.array([True, None, False], dtype="boolean"),
            "reason": ["", "扫描件，没有文字\x0b\ufffe", None],
        }
    )


def write_all(frame: pd.DataFrame, folder: Path) -> dict[str, bytes]:
    formats.write_csv(frame, folder / "a.csv")
    formats.write_parquet(frame, folder / "a.parquet", {"hash": "ab12", "version": "0.1.0"})
    formats.write_xlsx({"indices": frame, "codebook": frame.head(1)}, folder / "a.xlsx")
    formats.write_dta(frame, folder / "a.dta", {"wu2021_total_count": "数字化词频"}, "数字化转型指数")
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_same_frame_gives_the_same_bytes(
    frame: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = write_all(frame, tmp_path / "first")
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 86_400 * 400)
    time.sleep(2.1)  # zip entries count in steps of two seconds
    assert write_all(frame.copy(), tmp_path / "second") == first
    assert sorted(first) == ["a.csv", "a.dta", "a.parquet", "a.xlsx"]  # and no temporary file is left


def test_no_file_holds_the_date_of_today(frame: pd.DataFrame, tmp_path: Path) -> None:
    write_all(frame, tmp_path)
    assert openpyxl.load_workbook(tmp_path / "a.xlsx").properties.created == clock.datetime(2000, 1, 1)
    assert b"01 Jan 2000 00:00" in (tmp_path / "a.dta").read_bytes()


def test_csv_reads_back(frame: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    formats.write_csv(frame, path)
    data = path.read_bytes()
    assert data.startswith(b"\xef\xbb\xbfstock_code,")
    assert data.count(b"\r\n") == 4
    back = pd.read_csv(path, dtype={"stock_code": str}, encoding="utf-8-sig")
    assert back["stock_code"].tolist() == ["000001", "600519", "300750"]
    assert back["company_name"].tolist()[1] == '\'=HYPERLINK("http://x")'
    assert back["wu2021_total_count"].isna().tolist() == [False, True, False]
    assert back["wu2021_total_log1p"][0] == np.log(13.0)


def test_csv_escapes_text_and_never_numbers(tmp_path: Path) -> None:
    texts = DANGEROUS + HARMLESS
    frame = pd.DataFrame({"text": texts, "mixed": [-1.5, *texts[1:]], "number": -1.0 * np.arange(len(texts))})
    path = tmp_path / "a.csv"
    formats.write_csv(frame, path)
    with path.open(encoding="utf-8-sig", newline="") as stream:
        back = pd.read_csv(stream, keep_default_na=False, lineterminator=None, dtype={"mixed": str})
    shown = [text.replace("\r", "\n") for text in back["text"]]
    assert shown[: len(DANGEROUS)] == ["'" + text.replace("\r", "\n") for text in DANGEROUS]
    assert shown[len(DANGEROUS) :] == [text.replace("\r", "\n") for text in HARMLESS]
    assert back["mixed"][0] == "-1.5"
    assert back["number"].tolist() == frame["number"].tolist()


@given(st.text(alphabet="'=+-@\t\r\n＝＋－＠a中1 ", max_size=6))
def test_an_escape_can_always_be_taken_back(text: str) -> None:
    escaped = formats.escape_formula(text)
    assert formats.unescape_formula(escaped) == text
    assert escaped[:1] not in {*"=+-@\t\r\n＝＋－＠"} or not escaped


def test_parquet_reads_back(frame: pd.DataFrame, tmp_path: Path) -> None:
    frame["never"] = None
    path = tmp_path / "a.parquet"
    formats.write_parquet(frame, path, {"dictionary_hash": "ab12"})
    schema = pq.read_schema(path)
    assert schema.metadata[b"dictionary_hash"] == b"ab12"
    assert str(schema.field("never").type) == "string"
    assert pq.ParquetFile(path).metadata.row_group(0).column(0).compression == "ZSTD"
    back = pd.read_parquet(path)
    assert back["stock_code"].tolist() == frame["stock_code"].tolist()
    assert back["report_year"].dtype == "Int64"
    assert back["wu2021_total_count"].isna().tolist() == [False, True, False]


def test_xlsx_runs_nothing_and_keeps_zeros(tmp_path: Path) -> None:
    texts = [*DANGEROUS, "http://example.com", "{=1+1}", "x\x0bcontrol", "bad\ufffe", "\ud800", "_x0041_"]
    frame = pd.DataFrame({"stock_code": ["000001"] * len(texts), "text": pd.Series(texts, dtype="object")})
    path = tmp_path / "a.xlsx"
    formats.write_xlsx({"indices": frame}, path)
    sheet = openpyxl.load_workbook(path)["indices"]
    rows = list(sheet.iter_rows(min_row=2))
    assert {cell.data_type for row in rows for cell in row} == {"s"}
    assert not any(cell.hyperlink for row in rows for cell in row)
    assert {row[0].value for row in rows} == {"000001"}
    assert rows[0][0].number_format == "@"
    assert [row[1].value for row in rows][:5] == ["=1+1", "+86 755", "-5", "@SUM(A1)", "\t=1"]
    assert rows[len(DANGEROUS) + 3][1].value == "bad\ufffd"
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == f"A1:B{len(texts) + 1}"
    assert sheet["A1"].font.bold


def test_xlsx_leaves_missing_cells_empty(frame: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    formats.write_xlsx({"indices": frame}, path)
    sheet = openpyxl.load_workbook(path)["indices"]
    assert [cell.value for cell in sheet["D"]] == ["wu2021_total_count", 12, None, 0]
    assert [cell.value for cell in sheet["F"]] == ["is_used", True, False, True]


def test_xlsx_goes_on_in_a_second_sheet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "_SHEET_ROWS", 2)
    monkeypatch.setattr(formats, "_CELLS_IN_MEMORY", 1)  # and with constant memory
    path = tmp_path / "a.xlsx"
    formats.write_xlsx({"codes": pd.DataFrame({"stock_code": ["000001", "000002", "=3"]})}, path)
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["codes", "codes (2)"]
    assert [cell.value for cell in book["codes (2)"]["A"]] == ["stock_code", "=3"]
    assert book["codes (2)"]["A2"].data_type in {"s", "inlineStr"}


def test_dta_reads_back(frame: pd.DataFrame, tmp_path: Path) -> None:
    frame["reason"] = ["x" * 2046, "短", None]
    frame["never"] = None
    path = tmp_path / "a.dta"
    labels = {"wu2021_total_count": "数字化转型词频：" + "很长" * 60, "company_name": "公司全称"}
    formats.write_dta(frame, path, labels, "数字化转型指数")
    assert path.read_bytes().startswith(b"<stata_dta><header><release>118</release>")
    with pd.io.stata.StataReader(path) as reader:
        stored = reader.variable_labels()
        assert reader.data_label == "数字化转型指数"
        back = reader.read()
    assert stored["company_name"] == "公司全称"
    assert len(stored["wu2021_total_count"]) == 80
    assert back["stock_code"].tolist() == ["000001", "600519", "300750"]
    assert back["wu2021_total_count"].isna().tolist() == [False, True, False]
    assert back["report_year"].isna().tolist() == [False, False, True]
    assert back["wu2021_total_log1p"].isna().tolist() == [False, True, False]
    assert back["has_plan"].isna().tolist() == [False, True, False]
    assert back["reason"].tolist() == ["x" * 2046, "短", ""]
    assert back["never"].tolist() == ["", "", ""]


def test_stata_names_are_valid_unique_and_readable() -> None:
    columns = [
        "stock_code",
        "wu2021_total_count",
        "wu2021_application_per_10k_chars",
        "yaojiaquan2024_blockchain_sentence_share",
        "lichuntao2020_fintech_internet_banking_services_sentence_share",
        "a-b",
        "a_b",
        "a b",
        "人工智能_count",
        "大数据_count",
        "2019",
        "_cons",
        "str5",
        "",
    ]
    names = formats.stata_names(columns)
    assert list(names) == columns
    assert len(set(names.values())) == len(columns)
    for name in names.values():
        assert name.isascii() and name.isidentifier() and len(name) <= 32
    assert names["wu2021_total_count"] == "wu2021_total_count"
    assert names["wu2021_application_per_10k_chars"] == "wu2021_application_per_10k_chars"
    assert names["yaojiaquan2024_blockchain_sentence_share"] == "yaojiaquan2024_blockchain_sshare"
    assert names["a_b"] == "a_b"
    assert names["_cons"] == "v__cons"


@given(st.lists(st.text(alphabet="abAB_-.1中文 ", max_size=50), unique=True, max_size=30))
def test_stata_names_do_not_depend_on_the_order(columns: list[str]) -> None:
    names = formats.stata_names(columns)
    assert len(set(names.values())) == len(columns)
    assert all(name.isascii() and name.isidentifier() and len(name) <= 32 for name in names.values())
    assert names == formats.stata_names(list(reversed(columns)))


def test_empty_frames_can_be_written(frame: pd.DataFrame, tmp_path: Path) -> None:
    assert len(write_all(frame.head(0), tmp_path)) == 4
    assert pd.read_stata(tmp_path / "a.dta").columns.tolist() == list(frame.columns)
    formats.write_csv(pd.DataFrame(), tmp_path / "none.csv")
    formats.write_xlsx({"none": pd.DataFrame()}, tmp_path / "none.xlsx")


@pytest.mark.parametrize("name", ["a.csv", "a.parquet", "a.xlsx", "a.dta"])
def test_codes_must_be_text(name: str, tmp_path: Path) -> None:
    frame = pd.DataFrame({"stock_code": [1, 600519]})
    with pytest.raises(UsageError, match="stock_code"):
        {
            "a.csv": lambda path: formats.write_csv(frame, path),
            "a.parquet": lambda path: formats.write_parquet(frame, path, {}),
            "a.xlsx": lambda path: formats.write_xlsx({"a": frame}, path),
            "a.dta": lambda path: formats.write_dta(frame, path, {}, ""),
        }[name](tmp_path / name)


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old", encoding="utf-8")
    with pytest.raises(ValueError, match="half"), formats.replacing(path) as temporary:
        temporary.write_text("half", encoding="utf-8")
        raise ValueError("half")
    assert path.read_text(encoding="utf-8") == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]
    with pytest.raises(UsageError, match="close it"), formats.replacing(path) as temporary:
        raise PermissionError
