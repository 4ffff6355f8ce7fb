"""Questions in SQL: bound, read-only, with the right types, and answers as files."""

from pathlib import Path

import duckdb
import openpyxl
import pandas as pd
import pytest

from flows.sql import answer_frame, ask, format_of, parse_values, write_answer
from shuzhi import UsageError


@pytest.fixture
def connection():
    with duckdb.connect() as opened:
        opened.execute(
            "CREATE TABLE firms AS SELECT * FROM (VALUES ('000001', 2019, 3, true), ('600519', 2020, NULL, NULL))"
            " AS t(stock_code, report_year, hits, is_used)"
        )
        yield opened


def test_whole_numbers_and_truth_stay_such_where_some_are_missing(connection: duckdb.DuckDBPyConnection):
    found = answer_frame(ask(connection, "SELECT * FROM firms ORDER BY 1"))
    assert {name: str(kind) for name, kind in found.dtypes.items()} == {
        "stock_code": "str",
        "report_year": "Int64",
        "hits": "Int64",
        "is_used": "boolean",
    }
    assert found["hits"].isna().tolist() == [False, True]


def test_sums_are_whole_numbers(connection: duckdb.DuckDBPyConnection):
    found = answer_frame(
        ask(connection, "SELECT sum(hits) AS s, sum(hits) / 2 AS h, 10::HUGEINT ** 30 AS big FROM firms")
    )
    assert found["s"].dtype == "Int64"
    assert found["s"].tolist() == [3]
    assert found["h"].tolist() == [1.5]
    assert found["big"].tolist() == pytest.approx([1e30])


def test_values_are_bound_and_taken_as_what_they_are_compared_with(connection: duckdb.DuckDBPyConnection):
    query = "SELECT count(*) FROM firms WHERE stock_code = $code AND report_year = $year"
    assert ask(connection, query, {"code": "000001", "year": "2019"}).to_pylist() == [{"count_star()": 1}]
    hostile = "000001' OR '1' = '1"
    assert ask(connection, query, {"code": hostile, "year": "2019"}).to_pylist() == [{"count_star()": 0}]


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM firms",
        "DROP TABLE firms",
        "CREATE TABLE other AS SELECT 1",
        "COPY firms TO 'firms.csv'",
        "COPY (SELECT 1) TO 'firms.csv'",
        "INSERT INTO firms VALUES ('1', 1, 1, true)",
        "ATTACH 'other.db'",
        "INSTALL httpfs",
        "SET threads = 1",
        "SELECT 1; DROP TABLE firms",
        "EXPLAIN ANALYZE DELETE FROM firms",
        "EXPORT DATABASE 'here'",
        "PRAGMA enable_profiling",
        "-- nothing",
    ],
)
def test_what_writes_is_refused_and_nothing_is_written(
    connection: duckdb.DuckDBPyConnection, query: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="only reads"):
        ask(connection, query)
    assert list(tmp_path.iterdir()) == []
    assert connection.execute("SELECT count(*) FROM firms").fetchall() == [(2,)]


@pytest.mark.parametrize(
    "query", ["FROM firms", "WITH a AS (SELECT 1 AS b) SELECT b FROM a", "DESCRIBE firms", "SHOW TABLES", "VALUES (1)"]
)
def test_what_reads_is_answered(connection: duckdb.DuckDBPyConnection, query: str):
    assert ask(connection, query).num_rows > 0


@pytest.mark.parametrize(
    ("query", "values", "words"),
    [
        ("", {}, "empty"),
        ("SELECT nosuch FROM firms", {}, "nosuch"),
        ("SELEC 1", {}, "syntax error"),
        ("SELECT * FROM firms WHERE report_year = $year", {}, "year"),
        ("SELECT * FROM firms WHERE report_year = $year", {"year": "soon"}, "soon"),
        ("SELECT 1", {"year": "2019"}, "Expected 0, got 1"),
    ],
)
def test_what_cannot_be_answered_says_why(connection: duckdb.DuckDBPyConnection, query: str, values: dict, words: str):
    with pytest.raises(UsageError, match=words):
        ask(connection, query, values)


def test_values_of_the_command_line():
    assert parse_values(["code=000001", "term=a=b", "none="]) == {"code": "000001", "term": "a=b", "none": ""}
    for wrong in (["code"], ["=1"], ["a b=1"], ["a=1", "a=2"]):
        with pytest.raises(UsageError, match="name=value"):
            parse_values(wrong)


def test_formats():
    assert format_of(Path("a.CSV")) == "csv"
    assert format_of(Path("a"), "parquet") == "parquet"
    with pytest.raises(UsageError, match=r"a\.txt ends with no known format"):
        format_of(Path("a.txt"))


def test_answers_as_files(connection: duckdb.DuckDBPyConnection, tmp_path: Path):
    columns = "stock_code, hits, '=1+1' AS text, [1, 2] AS list, {'a': DATE '2020-01-01'} AS pair"
    table = ask(connection, f"SELECT {columns} FROM firms ORDER BY 1")
    for kind in ("csv", "parquet", "xlsx"):
        write_answer(table, tmp_path / f"a.{kind}")
    csv = (tmp_path / "a.csv").read_text(encoding="utf-8-sig").splitlines()
    assert csv[1] == '000001,3,\'=1+1,"[1, 2]","{""a"": ""2020-01-01""}"'
    assert csv[2].startswith("600519,,")
    parquet = pd.read_parquet(tmp_path / "a.parquet")
    assert parquet["text"].tolist() == ["=1+1"] * 2
    assert list(parquet["list"].iloc[0]) == [1, 2]
    rows = list(openpyxl.load_workbook(tmp_path / "a.xlsx").active.iter_rows(values_only=True))
    assert rows[1] == ("000001", 3, "=1+1", "[1, 2]", '{"a": "2020-01-01"}')
    assert rows[2][1] is None


def test_columns_of_one_name_make_no_file(connection: duckdb.DuckDBPyConnection, tmp_path: Path):
    with pytest.raises(UsageError, match="several columns a"):
        write_answer(ask(connection, "SELECT 1 AS a, 2 AS a"), tmp_path / "a.csv")
    assert list(tmp_path.iterdir()) == []
