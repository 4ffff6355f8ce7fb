"""Leave-one-out means and lags, counted by hand and by loops."""

import numpy as np
import pandas as pd
import pytest

from econometrics.instrument.ready import lagged, leave_one_out_mean
from shuzhi import DataError, SpecError


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "stock_code": ["000001", "000002", "000003", "000001", "000002", "000004", None],
            "report_year": [2015, 2015, 2015, 2016, 2016, 2016, 2016],
            "industry": ["C", "C", "C", "C", "C", "D", "C"],
            "x": [1.0, 2.0, 6.0, 4.0, np.nan, 5.0, 7.0],
        },
        index=[3, 1, 4, 15, 9, 2, 6],
    )


def test_mean_of_the_others_by_hand(frame: pd.DataFrame) -> None:
    result = leave_one_out_mean(frame, "x", ["industry", "report_year"])
    assert list(result.index) == list(frame.index)
    # 2015 C: (2 + 6) / 2, (1 + 6) / 2, (1 + 2) / 2; 2016 C: 000001 has only 000002, whose x is missing; 000002 has
    # 000001 alone; D holds one firm; the last row has no firm
    np.testing.assert_allclose(result, [4, 3.5, 1.5, np.nan, 4, np.nan, np.nan])
    assert result.name == "x_others_mean"


def test_all_rows_of_the_firm_are_left_out() -> None:
    random = np.random.Generator(np.random.PCG64(6))
    rows = 300
    frame = pd.DataFrame(
        {
            "stock_code": random.integers(0, 40, rows),
            "industry": random.integers(0, 5, rows),
            "x": random.normal(size=rows) * 1e-3 + 1e6,
        }
    )
    frame.loc[random.random(rows) < 0.1, "x"] = np.nan
    result = leave_one_out_mean(frame, "x", "industry")
    for row in range(rows):
        own = frame.iloc[row]
        others = frame[(frame["industry"] == own["industry"]) & (frame["stock_code"] != own["stock_code"])]["x"]
        assert result.iloc[row] == pytest.approx(others.mean(), rel=1e-13)


def test_lag_goes_by_year_not_by_row(frame: pd.DataFrame) -> None:
    panel = pd.DataFrame(
        {
            "stock_code": ["b", "a", "a", "b", "a", "b"],
            "report_year": [2017, 2018, 2015, 2015, 2016, 2016],
            "x": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
            "name": ["p", "q", "r", "s", "t", "u"],
        },
        index=[5, 4, 3, 2, 1, 0],
    )
    # a has 2015, 2016, 2018: 2018 has no year before; b has 2015 to 2017
    np.testing.assert_array_equal(lagged(panel, "x"), [6, np.nan, np.nan, np.nan, 3, 4])
    np.testing.assert_array_equal(lagged(panel, "x", 2), [4, 5, np.nan, np.nan, np.nan, np.nan])
    np.testing.assert_array_equal(lagged(panel, "x", -1), [np.nan, np.nan, 5, 6, np.nan, 1])
    assert lagged(panel, "name").tolist()[0] == "u"
    assert lagged(panel, "name").isna().tolist() == [False, True, True, True, False, False]
    assert list(lagged(panel, "x").index) == list(panel.index)
    assert lagged(panel, "x", -1).name == "x_lead1"


def test_complaints(frame: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="no column 'industri'"):
        leave_one_out_mean(frame, "x", "industri")
    with pytest.raises(SpecError, match="at least one grouping column"):
        leave_one_out_mean(frame, "x", [])
    twice = pd.concat([frame, frame.head(1)])
    with pytest.raises(DataError, match="1 firm-years"):
        lagged(twice, "x")
    with pytest.raises(DataError, match="whole years"):
        lagged(frame.assign(report_year=frame["report_year"] + 0.5), "x")
    with pytest.raises(DataError, match="no column 'q' to lag"):
        lagged(frame, "q")
