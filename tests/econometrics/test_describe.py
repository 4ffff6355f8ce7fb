import numpy as np
import pandas as pd
import pytest
from scipy import stats

from econometrics.describe import STATISTICS, correlation_matrix, descriptive_statistics
from econometrics.tables import correlation_table, descriptive_table
from shuzhi import DataError


@pytest.fixture
def data() -> pd.DataFrame:
    rng = np.random.Generator(np.random.PCG64(11))
    frame = pd.DataFrame(rng.normal(size=(200, 3)), columns=["a", "b", "c"])
    frame["b"] = frame["a"] + frame["b"].round(1)
    frame["year"] = 2019 + np.arange(200) % 3
    frame.loc[rng.random(200) < 0.2, "b"] = np.nan
    frame.loc[rng.random(200) < 0.1, "c"] = np.nan
    return frame


def test_a_hand_count():
    found = descriptive_statistics(pd.DataFrame({"x": [4.0, 1, np.nan, 2, 3]}), ["x"]).iloc[0]
    # 1, 2, 3, 4: mean 2.5, sd sqrt(5/3), quartiles at positions 0.75, 1.5, 2.25 of type 7
    assert (found["observations"], found["missing"]) == (4, 1)
    assert found[["mean", "minimum", "p25", "median", "p75", "maximum"]].tolist() == [2.5, 1, 1.75, 2.5, 3.25, 4]
    assert found["sd"] == pytest.approx((5 / 3) ** 0.5)


def test_quartiles_of_stata():
    # summarize of 1..8: 25 % = 2.5, 50 % = 4.5, 75 % = 6.5
    found = descriptive_statistics(pd.DataFrame({"x": range(1, 9)}), ["x"], percentile="stata").iloc[0]
    assert found[["p25", "median", "p75"]].tolist() == [2.5, 4.5, 6.5]


def test_statistics_against_pandas(data):
    found = descriptive_statistics(data, ["a", "b", "c"]).set_index("variable")
    expected = data[["a", "b", "c"]].describe().T
    for mine, theirs in zip(STATISTICS, ["count", None, "mean", "std", "min", "25%", "50%", "75%", "max"], strict=True):
        if theirs:
            np.testing.assert_allclose(found[mine].astype(float), expected[theirs], rtol=1e-12)
    assert found["missing"].tolist() == data[["a", "b", "c"]].isna().sum().tolist()


def test_groups_add_up_to_the_total(data):
    found = descriptive_statistics(data, ["a", "b"], by="year")
    assert found["group"].unique().tolist() == ["all", "2019", "2020", "2021"]
    counts = found.pivot_table(index="group", columns="variable", values="observations")
    assert counts.loc[["2019", "2020", "2021"]].sum().tolist() == counts.loc["all"].tolist()
    assert found[found["group"] == "2020"]["mean"].tolist()[0] == pytest.approx(data[data["year"] == 2020]["a"].mean())
    assert "all" not in descriptive_statistics(data, ["a"], by="year", with_total=False)["group"].tolist()


def test_too_few_values_are_missing_and_not_zero():
    found = descriptive_statistics(pd.DataFrame({"x": [5.0, np.nan], "y": [np.nan, np.nan]}), ["x", "y"])
    assert np.isnan(found["sd"].iloc[0]) and found["mean"].iloc[0] == 5
    assert found.loc[1, list(STATISTICS[2:])].isna().all() and found.loc[1, "observations"] == 0


def test_correlations_against_scipy(data):
    found = correlation_matrix(data, ["a", "b", "c"])
    for one, other in (("a", "b"), ("b", "c"), ("a", "c")):
        pair = data[[one, other]].dropna()
        r, p = stats.pearsonr(pair[one], pair[other])
        assert found.pearson.loc[one, other] == pytest.approx(r, abs=1e-12)
        assert found.pearson_p.loc[one, other] == pytest.approx(p, rel=1e-8, abs=1e-14)
        rho, p = stats.spearmanr(pair[one], pair[other])
        assert found.spearman.loc[one, other] == pytest.approx(rho, abs=1e-12)
        assert found.spearman_p.loc[one, other] == pytest.approx(p, rel=1e-8, abs=1e-14)
        assert found.observations.loc[one, other] == len(pair)
    assert found.single_count is None and found.missing == "pairwise"


def test_listwise_uses_the_same_rows_for_every_pair(data):
    found = correlation_matrix(data, ["a", "b", "c"], missing="listwise")
    complete = data[["a", "b", "c"]].dropna()
    assert found.single_count == len(complete) == found.rows_used
    pd.testing.assert_frame_equal(found.pearson, complete.corr(), check_exact=False, rtol=1e-12)
    pd.testing.assert_frame_equal(found.spearman, complete.corr("spearman"), check_exact=False, rtol=1e-12)


def test_the_square_has_pearson_below_and_spearman_above(data):
    found = correlation_matrix(data, ["a", "b"])
    square = found.square()
    assert square.loc["b", "a"] == found.pearson.loc["b", "a"]
    assert square.loc["a", "b"] == found.spearman.loc["a", "b"] != square.loc["b", "a"]
    assert found.to_frame().shape == (1, 7)
    assert "Pearson below, Spearman above" in found.summary()


def test_what_does_not_vary_has_no_correlation():
    frame = pd.DataFrame({"x": [1.0, 1, 1], "y": [1.0, 2, 3], "z": [2.0, 4, 6]})
    found = correlation_matrix(frame, ["x", "y", "z"])
    assert np.isnan(found.pearson.loc["x", "y"]) and np.isnan(found.pearson_p.loc["x", "y"])
    assert found.pearson.loc["y", "z"] == 1 and found.pearson_p.loc["y", "z"] == 0


def test_huge_and_tiny_numbers():
    frame = pd.DataFrame({"x": [1e-200, 2e-200, 4e-200], "y": [1e200, 2e200, 4e200]})
    assert correlation_matrix(frame, ["x", "y"]).pearson.loc["x", "y"] == pytest.approx(1)


def test_all_problems_of_the_columns_at_once():
    frame = pd.DataFrame({"x": [1.0, np.inf], "name": ["a", "b"]})
    with pytest.raises(DataError) as error:
        descriptive_statistics(frame, ["x", "name", "xx"])
    assert all(words in str(error.value) for words in ("infinite", "'name' holds text", "did you mean 'x'"))
    with pytest.raises(DataError, match="needs two variables"):
        correlation_matrix(pd.DataFrame({"x": [1.0, 2.0]}), ["x"])


def test_they_become_tables(data):
    statistics = descriptive_table(descriptive_statistics(data, ["a", "b"], by="year"), group="group")
    assert len(statistics.rows) == 4 * 3  # a heading and two variables a group
    matrix = correlation_table(correlation_matrix(data, ["a", "b", "c"]), language="en")
    assert len(matrix.rows) == 3
