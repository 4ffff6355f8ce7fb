from datetime import datetime

import numpy as np
import pandas as pd
import pytest

from econometrics.declarations.codes import division_code_of, industry_code_of, region_code_of, stock_code_of
from econometrics.panel.header import split_header_rows
from econometrics.panel.units import conversion_factor, split_header
from econometrics.panel.values import guess_kind, read_column
from shuzhi import DataError


def read(kind, *cells, missing=()):
    found = read_column(pd.Series(list(cells), dtype="object"), kind, missing).values
    return [None if pd.isna(each) else each for each in found]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("1", "000001"),
        ("000001", "000001"),
        ("2594.0", "002594"),
        ("600519.SH", "600519"),
        ("SZ000001", "000001"),
        ("sz.000001", "000001"),
        ("'000001", "000001"),
        ("600519.XSHG", "600519"),
        ("00700", None),  # Hong Kong: a number that lost its zeros has none in front
        ("0700.HK", None),
        ("1234567", None),
        ("0", None),
        ("ABC", None),
        ("60051 9", None),
    ],
)
def test_stock_codes(text, code):
    assert stock_code_of(text) == code


@pytest.mark.parametrize(
    ("text", "division"),
    [
        *[
            ("C39", "39"),
            ("c3910", "39"),
            ("39", "39"),
            ("6", "06"),
            ("6.0", "06"),
            ("J66", "66"),
            ("C39 计算机", "39"),
        ],
        *[("J39", None), ("C99", None), ("36+37", None), ("TOTAL", None), ("91", None)],
    ],
)
def test_divisions(text, division):
    assert division_code_of(text) == division


def test_other_codes():
    assert [industry_code_of(text) for text in ("c39", "C39计算机", "39", "C3")] == ["C39", "C39", None, "C03"]
    assert [region_code_of(text) for text in ("4101", "410100.0", "11", "9901", "410100000000")] == [
        "410100",
        "410100",
        "110000",
        None,
        "410100",
    ]


def test_numbers_as_people_write_them():
    assert read("number", "1,234.5", "(12)", "12.5%", "１２３", " 7 ", 3, 2.5, "−4", "1e3") == [
        1234.5,
        -12,
        12.5,
        123,
        7,
        3,
        2.5,
        -4,
        1000,
    ]
    assert read("number", "--", "", None, np.nan, "#N/A", "NULL") == [None] * 6


def test_sentinels_are_compared_as_numbers():
    read_cells = read_column(pd.Series(["-1.0", "-1", "5", "n.a.", "-1.5"]), "number", [-1, "n.a."])
    assert [None if pd.isna(each) else each for each in read_cells.values] == [None, None, 5, None, -1.5]
    assert read_cells.sentinels == {"-1.0": 1, "-1": 1, "n.a.": 1}
    numbers = read_column(pd.Series([-1.0, 2.0, np.inf]), "number", [-1])
    assert numbers.sentinels == {"-1": 1} and numbers.unreadable == {"infinite": 1}
    assert numbers.values.notna().tolist() == [False, True, False]


def test_what_cannot_be_read_is_listed():
    found = read_column(pd.Series(["1", "abc", "abc", "x"]), "number")
    assert found.unreadable == {"abc": 2, "x": 1} and found.values.isna().sum() == 3


def test_years():
    cells = ("2019", 2019, 2019.0, "2019年", "2019年报", "2019-12-31", "2019/12/31", "20191231", "43830", "FY2019")
    assert read("year", *cells, datetime(2019, 12, 31), "2019年12月31日") == [2019] * 12
    assert read("year", "1", "9999", "2019-13-40", "text") == [None] * 4


def test_only_the_last_day_of_december_is_a_year_end():
    assert read("year_end", "2019-12-31", "2019-06-30", "2020-01-01", 43830, "2019", datetime(2020, 9, 30)) == [
        2019,
        None,
        None,
        2019,
        2019,
        None,
    ]


def test_dates_and_truth():
    assert read("date", "2019/4/1", 43830, "2019年4月1日", "x") == ["2019-04-01", "2019-12-31", "2019-04-01", None]
    assert read("boolean", "是", "否", "Y", "0", 1, True, "maybe") == [1, 0, 1, 0, 1, 1, None]


def test_a_column_of_codes_is_not_guessed_to_be_of_numbers():
    assert guess_kind("x", pd.Series(["1", "2.5", ""])) == "number"
    assert guess_kind("x", pd.Series(["01", "12"])) == "text"
    assert guess_kind("county_code", pd.Series([110000])) == "text"
    assert guess_kind("stock_code", pd.Series([1])) == "stock_code"
    assert guess_kind("x", pd.Series([None, None], dtype="object")) == "text"


@pytest.mark.parametrize(
    ("header", "name", "unit"),
    [
        ("营业收入(万元)", "营业收入", "万元"),
        ("营业收入（单位：亿元）", "营业收入", "亿元"),
        ("营业收入[单位]元", "营业收入", "元"),
        ("净利润(合并)", "净利润(合并)", ""),
        ("资产负债率(%)", "资产负债率", "%"),
        ("员工人数(人)", "员工人数", "人"),
        ("能源消费(万吨标准煤)", "能源消费", "万吨标准煤"),
    ],
)
def test_units_in_headers(header, name, unit):
    from econometrics.panel.values import text_of

    assert split_header(text_of(header)) == (name, unit)


@pytest.mark.parametrize(
    ("printed", "wanted", "factor"),
    [
        ("万元", "yuan", 1e4),
        ("亿元", "万元", 1e4),
        ("百万元", "yuan", 1e6),
        ("Mt", "tonne", 1e6),
        ("万吨标准煤", "tce", 1e4),
        ("10^4 tce", "tce", 1e4),
        ("%", "share", 0.01),
        ("万人", "person", 1e4),
        ("", "yuan", 1),
        ("yuan", "", 1),
        ("杯", "杯", 1),
    ],
)
def test_factors_of_units(printed, wanted, factor):
    assert conversion_factor(printed, wanted) == pytest.approx(factor, rel=1e-12)


@pytest.mark.parametrize(("printed", "wanted"), [("万吨", "yuan"), ("杯", "yuan"), ("美元", "yuan"), ("吨", "tce")])
def test_units_that_cannot_become_each_other(printed, wanted):
    with pytest.raises(DataError, match="no factor is known"):
        conversion_factor(printed, wanted)


def table(*rows):
    return pd.DataFrame([list(row) for row in rows])


def test_three_header_rows_of_a_vendor():
    cells = table(
        ("Stkcd", "Accper", "B0011"),
        ("证券代码", "统计截止日期", "营业收入"),
        ("没有单位", "没有单位", "万元"),
        ("000001", "2019-12-31", "5"),
    )
    kinds = {"证券代码": "stock_code", "统计截止日期": "year_end", "B0011": "number"}
    for wanted in (list(kinds), ["Stkcd", "Accper", "B0011"]):
        split = split_header_rows(cells, wanted, {**kinds, "Stkcd": "stock_code", "Accper": "year_end"})
        assert split.header_rows == 3 and len(split.body) == 1
        assert [header.unit for header in split.headers] == ["", "", "万元"]
        assert split.headers[2].names == ("B0011", "营业收入") and split.headers[2].label == "营业收入"


def test_notes_above_the_header():
    cells = table(
        ("数据导出时间：2024", None, None),
        (None, None, None),
        ("代码", "年份", "收入(亿元)"),
        ("1", "2019", "5"),
    )
    split = split_header_rows(cells, ["代码", "年份", "收入"], {"代码": "stock_code", "年份": "year"})
    assert split.notes == ("数据导出时间:2024",) and split.header_rows == 1 and split.body.iloc[0, 2] == "5"


def test_a_first_row_with_a_bad_key_is_no_header():
    # The first record of a file without a readable code must not vanish in the header.
    cells = table(("代码", "年份", "收入"), ("B股", "2019", "5"), ("2", "2019", "6"))
    split = split_header_rows(cells, ["代码", "年份", "收入"], {"代码": "stock_code", "年份": "year"})
    assert split.header_rows == 1 and len(split.body) == 2


def test_a_given_number_of_header_rows_holds():
    cells = table(("a", "b"), ("x", "y"), ("1", "2"))
    assert split_header_rows(cells, ["a"], {}, 2).header_rows == 2
    assert split_header_rows(cells, ["a"], {}, 1).body.shape == (2, 2)


def test_an_empty_table_is_said():
    with pytest.raises(DataError, match="empty"):
        split_header_rows(pd.DataFrame(), [], {})
