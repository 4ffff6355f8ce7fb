"""Weightings and transforms: formulas by hand, scikit-learn's own checks, and missing stays missing."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.base import clone
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from nlp.transform import Dummy, GroupDemean, Log1p, ShareOf, Standardise, Trim, Winsorise
from nlp.weighting import EntropyWeights, EqualWeights, FirstComponent, TermSum, TermTfidf

WEIGHTINGS = [TermSum(), TermTfidf(), EntropyWeights(), FirstComponent(), EqualWeights(), EqualWeights("minmax")]
TRANSFORMS = [Log1p(), Dummy(), GroupDemean(), Standardise(), Trim(), Winsorise(0.1)]
COUNTS = pd.DataFrame({"大数据": [3, 0, 1, 6], "云计算": [0, 0, 2, 2], "区块链": [1, 0, 0, 0]})


@pytest.mark.parametrize("estimator", [*WEIGHTINGS, *TRANSFORMS], ids=repr)
@pytest.mark.filterwarnings("ignore")
def test_scikit_learns_own_checks_pass(estimator):
    # ShareOf is not among them: it needs a frame with a named column.
    results = check_estimator(estimator, on_fail=None)
    failed = [f"{each['check_name']}: {each['exception']}" for each in results if each["status"] == "failed"]
    assert failed == []
    assert sum(each["status"] == "passed" for each in results) > 40


@pytest.mark.parametrize("estimator", WEIGHTINGS, ids=repr)
def test_a_missing_count_makes_a_missing_result_and_never_zero(estimator):
    frame = COUNTS.astype("Int64")
    frame.loc[1, "云计算"] = pd.NA
    result = clone(estimator).fit(frame).transform(frame)
    assert np.isnan(result[1]).all()
    assert not np.isnan(result[[0, 2, 3]]).any()
    complete = clone(estimator).fit(frame.drop(index=1)).transform(frame.drop(index=1))
    np.testing.assert_array_equal(result[[0, 2, 3]], complete)


@pytest.mark.parametrize("estimator", [*WEIGHTINGS, *TRANSFORMS], ids=repr)
def test_output_can_be_a_frame_with_the_names_that_are_promised(estimator):
    made = clone(estimator).set_output(transform="pandas").fit(COUNTS)
    result = made.transform(COUNTS)
    assert isinstance(result, pd.DataFrame)
    assert list(result.columns) == list(made.get_feature_names_out())
    assert list(result.index) == list(COUNTS.index)


def test_they_stand_in_a_pipeline():
    pipeline = make_pipeline(TermTfidf(), TermSum(), Log1p(), Winsorise(0.25)).set_output(transform="pandas")
    result = pipeline.fit(COUNTS).transform(COUNTS)
    assert list(result.columns) == ["count"]
    again = clone(pipeline).fit(COUNTS).transform(COUNTS)
    pd.testing.assert_frame_equal(result, again)


def test_tf_idf_by_hand_and_as_scikit_learn_has_it():
    # 大数据 is in 3 of 4 reports, 云计算 in 2, 区块链 in 1; smooth idf = ln((1 + 4) / (1 + df)) + 1.
    idf = [math.log(5 / 4) + 1, math.log(5 / 3) + 1, math.log(5 / 2) + 1]
    made = TermTfidf().fit(COUNTS)
    expected = COUNTS.to_numpy() * np.array(idf)
    np.testing.assert_allclose(made.transform(COUNTS), expected, rtol=1e-12)
    for options in ({"norm": "l2"}, {"norm": None, "sublinear_tf": True}, {"norm": "l1", "smooth_idf": False}):
        ours = TermTfidf(**options).fit_transform(COUNTS)
        theirs = TfidfTransformer(**options).fit_transform(COUNTS.to_numpy(dtype=float)).toarray()
        np.testing.assert_array_equal(ours, theirs)


def test_tf_idf_knows_only_what_it_was_fitted_on():
    early, late = COUNTS.iloc[:2], COUNTS.iloc[2:]
    made = TermTfidf().fit(early)
    # Of two reports: 大数据 in 1, 云计算 in 0, 区块链 in 1.
    expected = late.to_numpy() * np.array([math.log(3 / 2) + 1, math.log(3 / 1) + 1, math.log(3 / 2) + 1])
    np.testing.assert_allclose(made.transform(late), expected, rtol=1e-12)


def test_entropy_weights_by_hand():
    # a scaled: 0, 1/2, 1, shares 0, 1/3, 2/3; b scaled: 0, 0, 1, shares 0, 0, 1, entropy 0.
    frame = pd.DataFrame({"a": [0, 2, 4], "b": [5, 5, 9]})
    made = EntropyWeights().fit(frame)
    entropy = -(1 / 3 * math.log(1 / 3) + 2 / 3 * math.log(2 / 3)) / math.log(3)
    np.testing.assert_allclose(made.entropy_, [entropy, 0], atol=1e-12)
    weight = (1 - entropy) / (2 - entropy)
    np.testing.assert_allclose(made.weights_, [weight, 1 - weight], rtol=1e-12)
    np.testing.assert_allclose(made.transform(frame).ravel(), [0, weight / 2, 1], rtol=1e-12)


def test_a_dimension_that_never_changes_has_no_entropy_weight():
    made = EntropyWeights().fit(pd.DataFrame({"a": [0, 2, 4], "b": [7, 7, 7]}))
    np.testing.assert_allclose(made.weights_, [1, 0], atol=1e-12)
    with pytest.raises(ValueError, match="no dimension tells firm-years apart"):
        EntropyWeights().fit(pd.DataFrame({"a": [1, 1], "b": [7, 7]}))


def test_the_first_component_is_the_first_eigenvector_of_the_correlation_matrix():
    draw = np.random.default_rng(3)
    frame = pd.DataFrame(draw.poisson(np.exp(draw.normal(1, 1, (200, 1))) * [1, 3, 0.5, 2]), columns=list("abcd"))
    made = FirstComponent().fit(frame)
    values, vectors = np.linalg.eigh(np.corrcoef(frame.to_numpy().T))
    leading = vectors[:, -1] * np.sign(vectors[:, -1].sum())
    np.testing.assert_allclose(made.loadings_, leading, rtol=1e-9)
    assert made.share_of_variance_ == pytest.approx(values[-1] / 4, rel=1e-12)
    standard = (frame - frame.mean()) / frame.std(ddof=0)
    np.testing.assert_allclose(made.transform(frame).ravel(), standard.to_numpy() @ leading, rtol=1e-9)


def test_the_sign_of_the_component_does_not_depend_on_the_order_of_the_columns():
    one = FirstComponent().fit(COUNTS).transform(COUNTS)
    other = FirstComponent().fit(COUNTS.iloc[:, ::-1]).transform(COUNTS.iloc[:, ::-1])
    np.testing.assert_allclose(one, other, atol=1e-9)
    assert np.corrcoef(one.ravel(), COUNTS.sum(axis=1))[0, 1] > 0


@pytest.mark.parametrize(
    ("scale", "expected"),
    [
        ("none", [1, 3, 5]),
        ("minmax", [0, 0.5, 1]),
        # a: mean 2, sd sqrt(8/3); b: mean 4, sd sqrt(8/3).
        ("standardise", [-math.sqrt(1.5), 0, math.sqrt(1.5)]),
    ],
)
def test_equal_weights_by_hand(scale, expected):
    frame = pd.DataFrame({"a": [0, 2, 4], "b": [2, 4, 6]})
    np.testing.assert_allclose(EqualWeights(scale).fit_transform(frame).ravel(), expected, atol=1e-12)


def test_a_scale_that_is_not_known_is_refused():
    with pytest.raises(ValueError, match="'big' is unknown"):
        EqualWeights("big").fit(COUNTS)


def test_shares_by_hand_and_no_share_of_nothing():
    frame = pd.DataFrame(
        {"n": [5.0, 5.0, np.nan, 1.0], "chinese_characters": pd.array([20_000, 0, 100, None], "Int64")}
    )
    made = ShareOf("chinese_characters", 10_000).set_output(transform="pandas").fit(frame)
    result = made.transform(frame)
    assert list(result.columns) == ["n"]
    assert result["n"].iloc[0] == 2.5
    assert result["n"].iloc[1:].isna().all()
    with pytest.raises(ValueError, match="tokens is needed"):
        ShareOf("tokens").fit(frame)


def test_the_dummy_and_the_logarithm_by_hand():
    frame = pd.DataFrame({"n": [0, 1, 5, np.nan]})
    np.testing.assert_array_equal(Dummy().fit_transform(frame).ravel(), [0, 1, 1, np.nan])
    np.testing.assert_array_equal(Dummy(1).fit_transform(frame).ravel(), [0, 0, 1, np.nan])
    np.testing.assert_allclose(Log1p().fit_transform(frame).ravel(), [0, math.log(2), math.log(6), np.nan])
    with pytest.raises(ValueError, match="Negative values"):
        Log1p().fit(pd.DataFrame({"n": [-1.0]}))


GROUPED = pd.DataFrame(
    {
        "value": [1.0, 3.0, 8.0, np.nan, 4.0, 6.0],
        "industry": ["C39", "C39", "C39", "C39", None, "I65"],
        "report_year": [2020, 2020, 2021, 2020, 2020, 2021],
    }
)


def test_demeaning_by_industry_and_year_by_hand():
    result = GroupDemean(["industry", "report_year"]).fit_transform(GROUPED).ravel()
    # C39 2020: mean 2; a firm alone in its industry-year, and one without an industry, have no distance.
    np.testing.assert_array_equal(result, [-1, 1, np.nan, np.nan, np.nan, np.nan])
    alone = GroupDemean(["industry", "report_year"], smallest_group=1).fit_transform(GROUPED).ravel()
    np.testing.assert_array_equal(alone, [-1, 1, 0, np.nan, np.nan, 0])


def test_a_group_that_was_not_seen_gives_missing_values():
    made = GroupDemean("report_year").fit(GROUPED[["value", "report_year"]])
    later = pd.DataFrame({"value": [3.0, 3.0], "report_year": [2020, 2022]})
    # 2020: mean of 1, 3 and 4.
    np.testing.assert_allclose(made.transform(later).ravel(), [3 - 8 / 3, np.nan])


def test_no_known_group_at_all_gives_missing_values():
    frame = pd.DataFrame({"value": [1.0, 2.0], "industry": [None, None]})
    assert np.isnan(GroupDemean("industry").fit_transform(frame)).all()
    assert np.isnan(Trim(0.1, "industry").fit_transform(frame)).all()


def test_standardising_without_groups_is_scikit_learns():
    frame = pd.DataFrame({"a": [1.0, 2.0, np.nan, 7.0], "b": [5.0, 5.0, 5.0, 5.0]})
    np.testing.assert_allclose(Standardise().fit_transform(frame), StandardScaler().fit_transform(frame), rtol=1e-12)
    by_year = Standardise("report_year").fit_transform(GROUPED[["value", "report_year"]]).ravel()
    own = GROUPED.groupby("report_year")["value"]
    expected = (GROUPED["value"] - own.transform("mean")) / own.transform(lambda values: values.std(ddof=0))
    np.testing.assert_allclose(by_year, expected, rtol=1e-12)


def test_trimming_drops_what_lies_beyond_the_limits_and_counts_it():
    frame = pd.DataFrame({"value": [*range(1000)]})
    made = Trim(0.005).fit(frame)
    result = made.transform(frame).ravel()
    # 1,000 × 0.005 = 5 whole: the limits lie between the fifth and sixth value at each end.
    assert list(np.flatnonzero(np.isnan(result))) == [*range(5), *range(995, 1000)]
    assert made.n_affected_.tolist() == [10]
    assert Trim(0.005, tails="upper").fit(frame).n_affected_.tolist() == [5]
    assert Trim(0.005, tails="lower").fit(frame).n_affected_.tolist() == [5]


def test_trimming_a_small_year_does_not_drop_its_largest_firm():
    frame = pd.DataFrame({"value": [*range(10), *range(1000)], "report_year": [2000] * 10 + [2020] * 1000})
    made = Trim(0.005, "report_year").fit(frame)
    dropped = np.isnan(made.transform(frame).ravel())
    assert (dropped[:10].sum(), dropped[10:].sum()) == (0, 10)
    assert made.n_affected_.tolist() == [10]


def test_the_zeros_of_an_index_are_not_trimmed_for_being_many():
    frame = pd.DataFrame({"value": [0.0] * 900 + [*range(1, 101)]})
    result = Trim(0.005).fit_transform(frame).ravel()
    assert not np.isnan(result[:900]).any()
    assert np.isnan(result).sum() == 5


def test_winsorising_draws_to_the_limit_by_group():
    frame = pd.DataFrame({"value": [0, 1, 2, 3, 100, 0, 10, 20, 30, 1000], "year": [1] * 5 + [2] * 5})
    # 5 × 0.2 = 1: the limits are the means of the first two and of the last two values.
    made = Winsorise(0.2, "year").fit(frame)
    np.testing.assert_array_equal(made.transform(frame).ravel(), [0.5, 1, 2, 3, 51.5, 5, 10, 20, 30, 515])
    assert made.n_affected_.tolist() == [4]


@pytest.mark.parametrize(("options", "words"), [({"share": 0.5}, "share is 0.5"), ({"tails": "top"}, "'top'")])
def test_limits_that_make_no_sense_are_refused(options, words):
    with pytest.raises(ValueError, match=words):
        Trim(**options).fit(COUNTS)


@given(
    arrays(float, st.tuples(st.integers(1, 60), st.just(2)), elements=st.integers(0, 20).map(float) | st.just(np.nan)),
    st.sampled_from([0.0, 0.005, 0.05, 0.2, 0.4]),
)
@settings(max_examples=60, deadline=None)
def test_trimming_and_winsorising_touch_the_same_values_and_at_most_their_share(values, share):
    trim, winsorise = Trim(share).fit(values), Winsorise(share).fit(values)
    trimmed, drawn = trim.transform(values), winsorise.transform(values)
    touched = np.isnan(trimmed) & ~np.isnan(values)
    np.testing.assert_array_equal(touched, (drawn != values) & ~np.isnan(values))
    np.testing.assert_array_equal(np.isnan(drawn), np.isnan(values))
    np.testing.assert_array_equal(trim.n_affected_, touched.sum(axis=0))
    present = (~np.isnan(values)).sum(axis=0)
    assert (touched.sum(axis=0) <= 2 * share * present + 1e-9).all()
    np.testing.assert_array_equal(trimmed[~np.isnan(trimmed)], values[~np.isnan(trimmed)])
