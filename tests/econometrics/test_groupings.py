"""Splits by hand."""

import numpy as np
import pandas as pd
import pytest

from econometrics.heterogeneity import (
    as_grouping,
    fix_within_unit,
    group_by_column,
    group_by_market_value,
    group_by_policy,
    group_by_quantiles,
    group_by_threshold,
)
from shuzhi import DataError


def _frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "firm": ["000001", "000001", "000002", "000002", "000003", "000003"],
            "year": [2010, 2011] * 3,
            "owner": ["state", "state", "private", "private", None, None],
            "value": [5e9, 12e9, 10e9, 50e9, 60e9, np.nan],
            "start": [2011, 2011, np.nan, np.nan, 2010, 2010],
        }
    )


def test_columns() -> None:
    grouping = group_by_column(_frame(), "owner")
    assert grouping.groups == ("private", "state")
    assert grouping.counts().to_dict() == {"private": 2, "state": 2, "missing": 2}
    assert group_by_column(_frame(), "owner", order=["state", "private"]).groups == ("state", "private")
    assert group_by_column(_frame(), "year").groups == ("2010", "2011")
    assert group_by_column(_frame(), "start").groups == ("2010", "2011")
    with pytest.raises(DataError, match="no value foreign"):
        group_by_column(_frame(), "owner", order=["state", "foreign"])
    with pytest.raises(DataError, match="1 group"):
        group_by_column(_frame(), "owner", order=["state"])
    with pytest.raises(DataError, match="no column 'region'"):
        group_by_column(_frame(), "region")


def test_market_value_thresholds_belong_to_the_upper_group() -> None:
    frame = _frame()
    grouping = group_by_market_value(frame, "value")
    assert grouping.labels.tolist()[:5] == ["small", "medium", "medium", "large", "large"]
    assert pd.isna(grouping.labels.iloc[5])
    in_hundred_millions = group_by_market_value(frame.assign(value=frame["value"] / 1e8), "value", yuan_per_unit=1e8)
    pd.testing.assert_series_equal(grouping.labels, in_hundred_millions.labels)


def test_thresholds() -> None:
    grouping = group_by_threshold(_frame(), "value", [11e9])
    assert grouping.groups == ("below 1.1e+10", "1.1e+10 and above")
    assert grouping.counts().tolist() == [2, 3, 1]
    with pytest.raises(DataError, match="rising"):
        group_by_threshold(_frame(), "value", [2.0, 1.0])
    with pytest.raises(DataError, match="3 groups; got 2 names"):
        group_by_threshold(_frame(), "value", [1.0, 2.0], names=["a", "b"])


def test_quantiles_over_all_rows_and_within_years() -> None:
    frame = pd.DataFrame({"year": [1] * 6 + [2] * 6, "v": [*range(6), *range(100, 106)]})
    whole = group_by_quantiles(frame, "v", 3)
    assert whole.labels.tolist() == ["low"] * 4 + ["middle"] * 4 + ["high"] * 4
    by_year = group_by_quantiles(frame, "v", 3, within="year")
    assert by_year.labels.tolist() == ["low", "low", "middle", "middle", "high", "high"] * 2
    assert "within year" in by_year.rule
    assert group_by_quantiles(frame, "v", 4).groups == ("q1", "q2", "q3", "q4")
    with pytest.raises(DataError, match="1 group"):
        group_by_quantiles(frame.assign(v=1.0), "v", 3)


def test_policies_ever_and_in_force() -> None:
    ever = group_by_policy(_frame(), "start")
    assert ever.labels.tolist() == ["inside", "inside", "outside", "outside", "inside", "inside"]
    force = group_by_policy(_frame(), "start", time="year", names=("before", "after"))
    assert force.labels.tolist() == ["before", "after", "before", "before", "after", "after"]


def test_one_group_a_firm() -> None:
    frame = _frame()
    grouping = group_by_market_value(frame, "value")
    first = fix_within_unit(grouping, frame, "firm", time="year")
    assert first.labels.tolist() == ["small", "small", "medium", "medium", "large", "large"]
    last = fix_within_unit(grouping, frame, "firm", time="year", at="last")
    assert last.labels.tolist() == ["medium", "medium", "large", "large", "large", "large"]
    # Firms 000001 and 000002 tie: the first in order, small before medium, medium before large.
    common = fix_within_unit(grouping, frame, "firm", at="most_common")
    assert common.labels.tolist() == ["small", "small", "medium", "medium", "large", "large"]
    with pytest.raises(DataError, match="time="):
        fix_within_unit(grouping, frame, "firm")


def test_a_grouping_of_other_rows_is_refused() -> None:
    grouping = group_by_column(_frame(), "owner")
    with pytest.raises(DataError, match="other rows"):
        as_grouping(_frame().head(3), grouping)
