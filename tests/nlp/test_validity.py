"""Validity statistics: each number against a computation of its own kind."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import bootstrap, pearsonr, spearmanr

from nlp.reliability import attenuation, cronbach_alpha, reliability, spearman_brown, split_half
from nlp.validity import COLUMNS, convergent, discriminant, draw_placebo_lists, fisher_interval
from shuzhi import UsageError
from tests.benchmarks.validity import read_staff, real_validity


def simulated(firms: int = 150, years: int = 4, terms: int = 8, error: float = 1.0, seed: int = 4):
    """Return firm-years and counts of equally good terms: one trait, and noise of each term."""
    draw = np.random.default_rng(seed)
    trait = np.repeat(draw.normal(0, 1, firms), years)
    counts = trait[:, None] + draw.normal(0, error, (firms * years, terms))
    keys = pd.DataFrame(
        {
            "stock_code": np.repeat([f"{each:06}" for each in range(firms)], years),
            "report_year": np.tile(np.arange(2015, 2015 + years), firms),
            "trait": trait,
        }
    )
    return keys, pd.DataFrame(counts, columns=[f"词{place}" for place in range(terms)])


def row(frame: pd.DataFrame, statistic: str, other: str = "") -> pd.Series:
    chosen = frame[(frame["statistic"] == statistic) & (frame["other"] == other)]
    assert len(chosen) == 1
    return chosen.iloc[0]


# Convergent


def test_convergent_correlations_are_scipys_over_what_both_have():
    panel, counts = simulated()
    panel["index"], panel["rd"] = counts.sum(axis=1), panel["trait"] + np.random.default_rng(1).normal(0, 1, len(panel))
    panel.loc[:9, "rd"] = np.nan
    found = convergent(panel, "index", ["rd"])
    assert list(found.columns) == COLUMNS
    both = panel.dropna()
    pearson = row(found, "convergent_pearson", "rd")
    assert pearson["estimate"] == pytest.approx(pearsonr(both["index"], both["rd"]).statistic, rel=1e-12)
    spearman = row(found, "convergent_spearman", "rd")
    assert spearman["estimate"] == pytest.approx(spearmanr(both["index"], both["rd"]).statistic, rel=1e-12)
    # The first two firms have no value at all, the third two of four.
    assert (pearson["n"], pearson["firms"]) == (590, 148)


def test_the_interval_is_fishers_and_of_firms_not_of_firm_years():
    lower, upper = fisher_interval(0.5, 103)
    # atanh(0.5) = 0.5493; 1.96 / sqrt(100) = 0.196.
    assert (lower, upper) == pytest.approx((math.tanh(0.549306 - 0.195996), math.tanh(0.549306 + 0.195996)), abs=1e-6)
    theirs = pearsonr(*np.random.default_rng(3).normal(0, 1, (2, 103)))
    assert fisher_interval(theirs.statistic, 103) == pytest.approx(tuple(theirs.confidence_interval()), rel=1e-9)
    assert np.isnan(fisher_interval(0.5, 3)).all()


def test_within_years_a_common_trend_counts_for_nothing():
    draw = np.random.default_rng(8)
    firms, years = 200, 10
    keys = {
        "stock_code": np.repeat(np.arange(firms), years).astype(str),
        "report_year": np.tile(np.arange(years), firms),
    }
    trend = np.tile(np.arange(years) * 2.0, firms)
    panel = pd.DataFrame(
        {**keys, "a": trend + draw.normal(0, 1, len(trend)), "b": trend + draw.normal(0, 1, len(trend))}
    )
    found = convergent(panel, "a", ["b"])
    assert row(found, "convergent_pearson", "b")["estimate"] > 0.9
    within = row(found, "convergent_spearman_within_year", "b")
    assert abs(within["estimate"]) < 0.05
    by_hand = panel.groupby("report_year").apply(lambda own: spearmanr(own["a"], own["b"]).statistic)
    # All years are of one size, so ranks pooled within years give the mean of the years' correlations.
    assert within["estimate"] == pytest.approx(by_hand.mean(), abs=1e-12)


def test_a_column_that_never_changes_has_no_correlation():
    panel, _ = simulated()
    found = convergent(panel.assign(flat=1.0), "trait", ["flat"])
    assert found["estimate"].isna().all()
    with pytest.raises(UsageError, match="no column rd"):
        convergent(panel, "trait", ["rd"])


# Reliability


def test_alpha_by_hand():
    # Variances 1, 1 and 1; sums 3, 6 and 9 with variance 9: 3/2 × (1 - 3/9) = 1.
    same = pd.DataFrame({"a": [1, 2, 3], "b": [1, 2, 3], "c": [1, 2, 3]})
    assert cronbach_alpha(same) == pytest.approx(1)
    # Variances 1 and 1; sums 3, 4, 5 less one swap: 1+2, 2+1, 3+3 = 3, 3, 6, variance 3: 2 × (1 - 2/3).
    assert cronbach_alpha(pd.DataFrame({"a": [1, 2, 3], "b": [2, 1, 3]})) == pytest.approx(2 / 3)
    assert np.isnan(cronbach_alpha(same[["a"]]))


def test_alpha_is_that_of_the_mean_covariance():
    _, counts = simulated()
    covariance = counts.cov().to_numpy()
    k = len(covariance)
    mean_covariance = covariance[~np.eye(k, dtype=bool)].mean()
    assert cronbach_alpha(counts) == pytest.approx(k**2 * mean_covariance / covariance.sum(), rel=1e-12)


def test_missing_rows_and_terms_that_never_occur_leave_alpha_as_it_is():
    _, counts = simulated()
    extended = pd.concat([counts.assign(词9=0.0), pd.DataFrame({"词0": [5.0]})], ignore_index=True)
    assert cronbach_alpha(extended) == pytest.approx(cronbach_alpha(counts), rel=1e-12)


def test_spearman_brown_by_hand():
    assert spearman_brown(0.5) == pytest.approx(2 / 3)
    assert spearman_brown(0.5, 3) == pytest.approx(0.75)
    assert spearman_brown(spearman_brown(0.4), 0.5) == pytest.approx(0.4)
    assert np.isnan(spearman_brown(-1.0))


def test_split_halves_are_drawn_from_all_halves():
    _, counts = simulated(terms=4)
    items = counts.to_numpy()
    every = set()
    for half in itertools.combinations(range(4), 2):
        rest = [place for place in range(4) if place not in half]
        r = pearsonr(items[:, half].sum(axis=1), items[:, rest].sum(axis=1)).statistic
        every.add(round(2 * r / (1 + r), 9))
    found = split_half(counts, draws=60, seed=2, form="count")
    assert {round(value, 9) for value in found} == every
    np.testing.assert_array_equal(found, split_half(counts, draws=60, seed=2, form="count"))
    assert not np.array_equal(found, split_half(counts, draws=60, seed=3, form="count"))


def test_reliability_is_what_was_put_in():
    # Eight terms, trait variance 1, error variance 1 each: reliability of the sum 64 / (64 + 8).
    keys, counts = simulated(firms=2000)
    truth = 64 / 72
    found = reliability(counts, keys["stock_code"], "sum", draws=200, seed=1, form="count")
    for name in ("split_half", "cronbach_alpha"):
        assert row(found, name)["estimate"] == pytest.approx(truth, abs=0.01)
    alpha = row(found, "cronbach_alpha")
    assert alpha["lower"] < truth < alpha["upper"]
    # And the regression on the noisy sum is attenuated by that factor.
    y = keys["trait"] + np.random.default_rng(0).normal(0, 0.5, len(keys))
    slope = np.polyfit(counts.mean(axis=1), y, 1)[0]
    assert slope == pytest.approx(row(found, "attenuation", "cronbach_alpha")["estimate"], abs=0.02)


def test_alphas_interval_is_that_of_a_plain_bootstrap_of_firms():
    keys, counts = simulated(firms=60)
    blocks = [own.to_numpy() for _, own in counts.groupby(keys["stock_code"])]

    def statistic(places):
        return cronbach_alpha(pd.DataFrame(np.vstack([blocks[place] for place in places])))

    plain = bootstrap(
        (np.arange(60),),
        statistic,
        n_resamples=600,
        method="percentile",
        vectorized=False,
        rng=np.random.default_rng(1),
    )
    found = row(reliability(counts, keys["stock_code"], "sum", draws=2000, seed=5, form="count"), "cronbach_alpha")
    assert found["lower"] == pytest.approx(plain.confidence_interval.low, abs=0.006)
    assert found["upper"] == pytest.approx(plain.confidence_interval.high, abs=0.006)


def test_attenuation_with_controls_is_that_of_a_regression():
    # True x on a control: R² of x + error on the control is what the formula needs.
    draw = np.random.default_rng(12)
    control = draw.normal(0, 1, 200_000)
    true = 0.8 * control + draw.normal(0, 1, len(control))
    index = true + draw.normal(0, 0.7, len(control))
    y = 2 * true + 3 * control + draw.normal(0, 1, len(control))
    design = np.column_stack([index, control, np.ones_like(control)])
    slope = np.linalg.lstsq(design, y, rcond=None)[0][0]
    factor = attenuation(np.var(true) / np.var(index), np.corrcoef(index, control)[0, 1] ** 2)
    assert slope == pytest.approx(2 * factor, abs=0.02)


def test_attenuation_at_its_ends():
    assert attenuation(0.8) == pytest.approx(0.8)
    assert attenuation(0.8, 0.5) == pytest.approx(0.6)
    assert attenuation(0.4, 0.5) == 0
    assert np.isnan(attenuation(np.nan))
    with pytest.raises(UsageError, match="below 1"):
        attenuation(0.8, 1.0)


def test_the_table_of_reliability_has_its_four_rows():
    keys, counts = simulated()
    counts.loc[0, "词0"] = np.nan
    found = reliability(counts, keys["stock_code"], "idx", draws=50, seed=3, form="count", r_squared=0.3)
    assert list(found["statistic"]) == ["split_half", "attenuation", "cronbach_alpha", "attenuation"]
    assert set(found["n"]) == {599}
    assert set(found["firms"]) == {150}
    half, factor = found["estimate"][:2]
    assert factor == pytest.approx((half - 0.3) / 0.7)
    assert found["method"].iloc[1] == "of split_half; R² of the index on the controls 0.3"


# Discriminant


def corpus(seed: int = 9):
    """Return firm-years, an index with its criterion, and counts of 80 words that have nothing to do with it."""
    draw = np.random.default_rng(seed)
    keys, _ = simulated(firms=120, seed=seed)
    words = pd.DataFrame(
        draw.poisson(draw.uniform(0.05, 5, 80), (len(keys), 80)), columns=[f"词{place}" for place in range(80)]
    ).astype(float)
    mine = pd.DataFrame(
        draw.poisson(np.exp(keys["trait"].to_numpy())[:, None] * [0.2, 1, 2]), columns=["甲", "乙", "丙"]
    )
    keys["index"] = np.log1p(mine.sum(axis=1))
    keys["rd"] = keys["trait"] + draw.normal(0, 1, len(keys))
    frequencies = pd.concat([words.sum(), mine.sum()])
    return keys, words, frequencies, ("甲", "乙", "丙", "丁")


def test_placebo_words_are_as_frequent_as_the_terms_and_never_the_terms():
    _, _, frequencies, terms = corpus()
    lists = draw_placebo_lists(frequencies, terms, draws=30, seed=6, nearest=8)
    others = frequencies.drop(["甲", "乙", "丙"])
    for each in lists:
        assert len(set(each)) == 3
        assert not set(each) & set(terms)
    # Nearest eight in ln(frequency), the first term to choose is the commonest.
    commonest = frequencies[list(terms[:3])].idxmax()
    near = np.abs(np.log(others[others > 0]) - np.log(frequencies[commonest])).nsmallest(8).index
    assert {each[0] for each in lists} == set(near)
    assert lists == draw_placebo_lists(frequencies.sample(frac=1, random_state=1), terms, draws=30, seed=6, nearest=8)
    assert lists != draw_placebo_lists(frequencies, terms, draws=30, seed=7, nearest=8)


def test_too_few_words_for_placebos_are_told():
    with pytest.raises(UsageError, match="2 words besides"):
        draw_placebo_lists(pd.Series({"甲": 3, "a": 2, "b": 1, "c": 0}), ["甲"], draws=1, seed=1)


def test_an_index_does_not_go_with_placebos_nor_they_with_its_criterion():
    keys, words, frequencies, terms = corpus()
    lists = draw_placebo_lists(frequencies, terms, draws=40, seed=6)
    found = discriminant(keys, "index", words, lists, seed=6, criterion="rd")
    by_hand = [spearmanr(keys["index"], np.log1p(words[list(each)].sum(axis=1))).statistic for each in lists]
    placebo = row(found, "discriminant_placebo", "placebo lists")
    assert placebo["estimate"] == pytest.approx(np.mean(by_hand), abs=1e-12)
    assert (placebo["lower"], placebo["upper"]) == pytest.approx(tuple(np.quantile(by_hand, [0.025, 0.975])))
    assert placebo["lower"] < 0 < placebo["upper"]
    own = row(found, "index_criterion", "rd")["estimate"]
    assert own == pytest.approx(spearmanr(keys["index"], keys["rd"]).statistic, rel=1e-12)
    assert own > row(found, "placebo_criterion", "rd")["upper"]
    assert row(found, "placebo_p", "rd")["estimate"] == pytest.approx(1 / 41)
    assert set(found["seed"].dropna()) == {6}


def test_a_placebo_that_does_as_well_shows_in_p():
    keys, words, _, _ = corpus()
    words["词0"], words["词1"] = np.exp(3 * keys["rd"]), np.exp(3 * keys["rd"])
    found = discriminant(keys, "index", words, [("词0",), ("词1",), ("词2",)], seed=1, criterion="rd")
    # Two of three lists: (1 + 2) / (1 + 3).
    assert row(found, "placebo_p", "rd")["estimate"] == pytest.approx(3 / 4)


def test_a_placebo_count_that_is_missing_leaves_the_firm_year_out():
    keys, words, _, _ = corpus()
    words.loc[:99, "词3"] = np.nan
    found = discriminant(keys, "index", words, [("词3", "词4")], seed=1)
    expected = spearmanr(keys["index"][100:], words.loc[100:, ["词3", "词4"]].sum(axis=1)).statistic
    assert found["estimate"].tolist() == [pytest.approx(expected, rel=1e-12)]


# Real data


@pytest.fixture(scope="module")
def panels(shared):
    if not (shared / "reference" / "panels").is_dir():
        pytest.skip("the shared test data hold no panels")
    return shared


def test_real_counts_go_with_the_firms_own_staff(panels):
    found = real_validity(panels)
    for other in ("rd_share", "technical_share"):
        for statistic in ("convergent_spearman", "convergent_spearman_within_year"):
            assert row(found, statistic, other)["lower"] > 0.15
    assert 0.5 < row(found, "cronbach_alpha")["estimate"] < row(found, "split_half")["estimate"] < 0.9


def test_a_zero_of_the_staff_table_is_a_missing_number(panels):
    staff = read_staff(panels)
    assert (staff["rd_share"].dropna() > 0).all()
    assert staff["rd_share"].isna().mean() > 0.1
    assert not staff.duplicated(["stock_code", "report_year"]).any()
    assert staff["stock_code"].str.fullmatch(r"\d{6}").all()
    row_2019 = staff[(staff["stock_code"] == "300565") & (staff["report_year"] == 2019)].iloc[0]
    # 182 of 802 employees in research, 215 technical.
    assert (row_2019["rd_share"], row_2019["technical_share"]) == pytest.approx((182 / 802, 215 / 802))
