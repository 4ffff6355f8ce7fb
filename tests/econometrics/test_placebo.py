"""Permutation placebo: draws against refits, who exchanges with whom, and how often the test rejects."""

import numpy as np
import pandas as pd
import pytest

from econometrics.placebo import permutation_placebo
from econometrics.placebo.adoption import adoption_batches, adoption_of
from econometrics.placebo.rates import placebo_rejection_rates
from econometrics.placebo.shuffles import shuffler
from econometrics.regress import regress
from econometrics.simulate import PanelDesign, simulate_panel
from shuzhi import DataError, EstimationError, SpecError

Y, X = "carbon_intensity_log", "is_cluster"


@pytest.fixture(scope="module")
def panel() -> pd.DataFrame:
    frame = simulate_panel(PanelDesign(firms=150, years=tuple(range(2010, 2018)), places=20), seed=3)
    weights = np.random.default_rng(1).uniform(0.5, 2, len(frame))
    return frame.assign(is_cluster=frame[X].astype(float), weight=weights)


@pytest.mark.parametrize(
    "effects",
    [[], ["stock_code"], ["stock_code", "report_year"], ["stock_code", "industry^report_year", "province^report_year"]],
)
@pytest.mark.parametrize("weights", [None, "weight"])
@pytest.mark.parametrize("statistic", ["estimate", "t"])
def test_draws_equal_refits(panel: pd.DataFrame, effects: list[str], weights: str | None, statistic: str) -> None:
    """Each placebo is the regression on data in which the treatment was really exchanged."""
    found = permutation_placebo(
        panel, Y, X, controls=["size", "leverage"], fixed_effects=effects, cluster="stock_code", weights=weights,
        scheme="rows", within="report_year", statistic=statistic, draws=3, seed=5,
    )  # fmt: skip
    real = regress(panel, Y, [X, "size", "leverage"], fixed_effects=effects, cluster="stock_code", weights=weights)
    expected = real.statistics[X] if statistic == "t" else real.coefficients[X]
    assert found.observed == pytest.approx(expected, rel=1e-8)
    assert found.estimate == pytest.approx(real.coefficients[X], rel=1e-8)
    kept = panel.loc[real.residuals.index].reset_index(drop=True)
    exchange = shuffler(kept, "rows", ("report_year",), "stock_code", "report_year")
    order = next(iter(exchange.batches(3, 5)))
    for draw in range(3):
        dealt = kept.assign(**{X: kept[X].to_numpy()[order[:, draw]]})
        again = regress(dealt, Y, [X, "size", "leverage"], fixed_effects=effects, cluster="stock_code", weights=weights)
        expected = again.statistics[X] if statistic == "t" else again.coefficients[X]
        assert found.replicates[draw] == pytest.approx(expected, rel=1e-7)


def test_p_value_counts_the_real_one(panel: pd.DataFrame) -> None:
    found = permutation_placebo(panel, Y, X, fixed_effects=["stock_code", "report_year"], draws=99, seed=2)
    larger = sum(abs(value) >= abs(found.estimate) for value in found.replicates)
    assert found.p_value == (larger + 1) / 100
    frame = found.to_frame()
    assert frame.loc[0, "draws"] == 99
    assert frame.loc[0, "standard_error"] == pytest.approx(np.std(found.estimates, ddof=1))
    assert "seed 2" in found.summary()


def test_firms_lend_their_nearest_year() -> None:
    """Firm a is seen in 2010, 2011 and 2014, firm b in all years: b gets a's 2011 in 2012, and a's 2014 in 2013."""
    data = pd.DataFrame(
        {"firm": ["a"] * 3 + ["b"] * 5, "year": [2010, 2011, 2014, *range(2010, 2015)], "x": np.arange(8.0)}
    )
    exchange = shuffler(data, "firms", (), "firm", "year")
    assert exchange.donors.tolist() == [[0, 1, 1, 2, 2], [3, 4, 5, 6, 7]]
    assert exchange.exchanged == 2
    # Of the eight rows two lie in years (2012, 2013) that one of the two firms lacks.
    assert exchange.borrowed == pytest.approx(2 * (1 / 8) * (1 / 2))
    swapped = next(iter(exchange.batches(20, 1)))
    assert {tuple(column) for column in swapped.T} == {(0, 1, 2, 3, 4, 5, 6, 7), (3, 4, 7, 0, 1, 1, 2, 2)}


def test_exchange_stays_within_groups(panel: pd.DataFrame) -> None:
    exchange = shuffler(panel, "firms", ("industry",), "stock_code", "report_year")
    order = next(iter(exchange.batches(4, 1)))
    industry = panel["industry"].to_numpy()
    assert all((industry[order[:, draw]] == industry).all() for draw in range(4))
    assert (order != np.arange(len(panel))[:, None]).any()
    rows = next(iter(shuffler(panel, "rows", ("report_year",), "stock_code", "report_year").batches(2, 1)))
    assert sorted(rows[:, 0]) == list(range(len(panel)))


def test_draws_do_not_depend_on_batches(panel: pd.DataFrame) -> None:
    exchange = shuffler(panel, "firms", (), "stock_code", "report_year")
    small = np.concatenate(list(exchange.batches(10, 7, size=3)), axis=1)
    assert (small == next(iter(exchange.batches(10, 7, size=64)))).all()


def test_random_adoption() -> None:
    """Four of ten firms are treated from their first treated year on; so are four in every draw, never in year one."""
    firm, year = np.divmod(np.arange(60), 6)
    treatment = ((firm < 4) & (year >= 2 + firm % 3)) * 1.0
    data = pd.DataFrame({"firm": firm, "year": year + 2000, "d": treatment})
    adoption = adoption_of(data, treatment, "firm", "year")
    assert (adoption.firms, adoption.treated, adoption.years) == (10, 4, 6)
    dealt = np.concatenate(list(adoption_batches(adoption, 100, 1)), axis=1)
    assert dealt.shape == (60, 100)
    paths = dealt.T.reshape(100, 10, 6)
    assert (paths[:, :, -1].sum(axis=1) == 4).all()
    assert (np.diff(paths, axis=2) >= 0).all()
    assert not paths[:, :, 0].any()
    outcome = np.random.default_rng(1).standard_normal(60) + 2 * treatment
    found = permutation_placebo(
        data.assign(y=outcome), "y", "d", fixed_effects=["firm", "year"], scheme="random_adoption", firm="firm",
        year="year", draws=199,
    )  # fmt: skip
    assert found.p_value < 0.02
    with pytest.raises(DataError, match="ends again"):
        adoption_of(data, 1 - treatment, "firm", "year")


def test_size_and_power() -> None:
    """Without an effect about 5 % reject, with one most do; errors and treatment are persistent within the firm."""
    rates = placebo_rejection_rates((0.0, 0.35), simulations=120, draws=99, firms=40, years=6, seed=11)
    none, some = rates["rate"]
    assert rates.loc[0, "rate_low"] <= 0.05 <= rates.loc[0, "rate_high"]
    assert none < 0.11
    assert some > 0.6
    assert rates["simulations"].tolist() == [120, 120]


def test_exchanging_rows_rejects_too_often(panel: pd.DataFrame) -> None:
    rates = placebo_rejection_rates((0.0,), simulations=60, draws=99, firms=40, years=6, scheme="rows", seed=11)
    assert rates.loc[0, "rate_low"] > 0.05
    found = permutation_placebo(panel, Y, X, fixed_effects=["stock_code"], scheme="rows", draws=5)
    assert any("far too often" in text for text in found.warnings)
    assert not permutation_placebo(panel, Y, X, fixed_effects=["stock_code"], draws=25).warnings


def test_what_cannot_be_done_is_refused(panel: pd.DataFrame) -> None:
    with pytest.raises(EstimationError, match="leave nothing"):
        permutation_placebo(panel, Y, "firm_age", fixed_effects=["stock_code", "report_year"], draws=5)
    with pytest.raises(DataError, match="changes its report_year"):
        permutation_placebo(panel, Y, X, within="report_year", draws=5)
    with pytest.raises(DataError, match="more than once"):
        permutation_placebo(pd.concat([panel, panel.head(1)]), Y, X, draws=5)
    with pytest.raises(SpecError, match="scheme"):
        permutation_placebo(panel, Y, X, scheme="cities", draws=5)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="nearest"):
        permutation_placebo(panel, Y, "is_clusters", draws=5)
