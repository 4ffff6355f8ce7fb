"""The estimation sample: what is dropped adds up, what cannot work is refused with all problems at once."""

import numpy as np
import pandas as pd
import pytest

from econometrics.estimation.sample import check_firm_years, columns_of, estimation_sample
from shuzhi import DataError


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "stock_code": ["000001", "000001", "000002", "000002", None, "000003", "000004", "000004"],
            "report_year": [2015, 2016, 2015, 2016, 2015, 2015, 2015, 2016],
            "y": [1.0, 2.0, np.nan, 4.0, 5.0, 6.0, 7.0, np.inf],
            "x": pd.array([1, 2, 3, 4, 5, 6, None, 8], dtype="Int64"),
            "treated": [True, False, True, False, True, False, True, False],
        },
        index=[10, 11, 12, 13, 14, 15, 16, 17],
    )


def test_reasons_add_up_and_the_index_stays(frame: pd.DataFrame) -> None:
    sample = estimation_sample(
        frame, numeric=["y", "x", "treated"], categorical=["stock_code"], fixed_effects=["stock_code"]
    )
    # 12 no y; 16 no x; 14 no code; 17 infinite y; then 000002 has one row (13) and 000003 one row (15)
    assert sample.dropped == {
        "missing y": 1,
        "missing x": 1,
        "missing stock_code": 1,
        "infinite y": 1,
        "singleton": 2,
    }
    assert sample.rows_given - len(sample.data) == sum(sample.dropped.values())
    assert sample.rows_given == 8


def test_singletons_may_stay(frame: pd.DataFrame) -> None:
    sample = estimation_sample(
        frame, numeric=["y"], categorical=[], fixed_effects=["stock_code"], drop_singletons=False
    )
    assert list(sample.data.index) == [10, 11, 13, 15, 16]
    dropping = estimation_sample(frame, numeric=["y"], categorical=[], fixed_effects=["stock_code"])
    assert list(dropping.data.index) == [10, 11]
    assert dropping.dropped["singleton"] == 3


def test_a_row_counts_under_its_first_reason() -> None:
    frame = pd.DataFrame({"y": [np.nan, 1.0, 2.0], "x": [np.nan, np.nan, 1.0]})
    sample = estimation_sample(frame, numeric=["y", "x"], categorical=[])
    assert sample.dropped == {"missing y": 1, "missing x": 1}
    assert list(sample.data.index) == [2]


def test_all_problems_in_one_message(frame: pd.DataFrame) -> None:
    with pytest.raises(DataError) as caught:
        estimation_sample(frame, numeric=["yy", "stock_code"], categorical=["report_yaer^stock_code"])
    text = str(caught.value)
    assert "'report_yaer' (nearest: 'report_year')" in text
    assert "'stock_code' is not numeric" in text
    assert "no column 'yy'" in text


def test_doubled_column_and_empty_result(frame: pd.DataFrame) -> None:
    doubled = pd.concat([frame, frame[["y"]]], axis=1)
    with pytest.raises(DataError, match="'y' occurs 2 times"):
        estimation_sample(doubled, numeric=["y"], categorical=[])
    with pytest.raises(DataError, match=r"no row is left of 8 \(missing y: 8\)"):
        estimation_sample(frame.assign(y=np.nan), numeric=["y"], categorical=[])
    with pytest.raises(DataError, match="data frame is empty"):
        estimation_sample(frame.iloc[:0], numeric=["y"], categorical=[])


def test_columns_of_takes_interactions_apart() -> None:
    assert columns_of(["a^b", "b", "c"]) == ["a", "b", "c"]


def test_firm_years(frame: pd.DataFrame) -> None:
    check_firm_years(frame, "stock_code", "report_year")
    twice = pd.concat([frame, frame.iloc[[0, 2]]])
    with pytest.raises(DataError, match=r"2 firm-years .*\(4 rows\): 000001 2015, 000002 2015; keep one row each"):
        check_firm_years(twice, "stock_code", "report_year")
