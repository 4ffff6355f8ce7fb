"""Witnesses: dense regressions at every candidate, known thresholds, and the size of the bootstrap."""

import numpy as np
import pandas as pd
import pytest

from econometrics.regress import regress
from econometrics.threshold import threshold_regression
from shuzhi import DataError, EstimationError, SpecError


def _panel(seed: int = 1, firms: int = 60, years: int = 6, *, jumps: tuple[float, ...] = (1.0,)) -> pd.DataFrame:
    """Slope 1 below q = 0, plus a jump at 0 and, where there is a second one, at 1; firm and year effects."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"firm": np.repeat(np.arange(firms), years), "year": np.tile(np.arange(years), firms)})
    frame["q"] = rng.normal(size=len(frame)).round(2)
    frame["x"] = rng.normal(size=len(frame))
    frame["c"] = rng.normal(size=len(frame)) + 0.3 * frame["q"]
    slope = 1.0 + sum(jump * (frame["q"] > cut) for cut, jump in zip((0.0, 1.0), jumps, strict=False))
    level = rng.normal(size=firms)[frame["firm"]] + 0.2 * frame["year"]
    frame["y"] = slope * frame["x"] + 0.5 * frame["c"] + level + rng.normal(scale=0.7, size=len(frame))
    return frame


def _dense_sum(data: pd.DataFrame, cuts: list[float], effects: list[str]) -> float:
    """Sum of squares by dummies for regimes at the cuts."""
    place = np.searchsorted(cuts, data["q"].to_numpy(), side="left")
    columns = [data["x"].to_numpy() * (place == number) for number in range(len(cuts) + 1)]
    dummies = [pd.get_dummies(data[name]).to_numpy(float) for name in effects]
    whole = np.column_stack([*columns, data["c"], *dummies])
    fitted = whole @ np.linalg.lstsq(whole, data["y"].to_numpy(), rcond=None)[0]
    return float(((data["y"] - fitted) ** 2).sum())


@pytest.mark.parametrize("effects", [["firm"], ["firm", "year"]])
def test_every_candidate_equals_a_dense_regression(effects: list[str]) -> None:
    data = _panel(firms=20).sample(frac=0.9, random_state=1).sort_index()
    options = {"threshold": "q", "unit": "firm", "controls": ["c"], "fixed_effects": effects, "draws": 0}
    result = threshold_regression(data, "y", "x", **options, candidates=None, trim=0.1)
    profile = result.likelihood_ratio
    sums = np.array([_dense_sum(data, [value], effects) for value in profile["value"]])
    coefficients = 20 + (5 if len(effects) > 1 else 0) + 3
    variance = sums.min() / (len(data) - coefficients)
    assert profile["statistic"].to_numpy() == pytest.approx((sums - sums.min()) / variance, abs=1e-7)
    assert result.thresholds[0] == profile["value"].iloc[int(sums.argmin())]
    null = _dense_sum(data, [], effects)
    assert result.tests[0].statistic == pytest.approx((null - sums.min()) / variance, rel=1e-9)
    inside = profile.loc[profile["statistic"] <= 7.3523, "value"]
    assert result.intervals[0] == (inside.min(), inside.max())
    # All distinct values that leave a tenth of the rows on both sides were searched.
    distinct = np.sort(data["q"].unique())
    below = np.array([(data["q"] <= value).sum() for value in distinct])
    allowed = distinct[(below >= 0.1 * len(data)) & (len(data) - below >= 0.1 * len(data))]
    assert profile["value"].tolist() == allowed.tolist()


def test_two_thresholds_equal_the_dense_search() -> None:
    data = _panel(firms=25, jumps=(1.0, 1.5))
    options = {"threshold": "q", "unit": "firm", "controls": ["c"], "draws": 0, "trim": 0.1, "candidates": 40}
    result = threshold_regression(data, "y", "x", **options, thresholds=2)
    values = result.likelihood_ratio.query("threshold == 1")["value"].to_numpy()
    below = np.array([(data["q"] <= value).sum() for value in values])

    def best(given: float | None) -> tuple[float, float]:
        far = (
            np.ones(len(values), bool) if given is None else abs(below - (data["q"] <= given).sum()) >= 0.1 * len(data)
        )
        cuts = [[value] if given is None else sorted([given, value]) for value in values]
        sums = [_dense_sum(data, cut, ["firm"]) if ok else np.inf for cut, ok in zip(cuts, far, strict=True)]
        return values[int(np.argmin(sums))], min(sums)

    first, alone = best(None)
    second, both = best(first)
    refined, _ = best(second)
    assert result.thresholds == tuple(sorted([second, refined]))
    variance = both / (len(data) - 25 - 1 - 3)
    assert result.tests[1].statistic == pytest.approx((alone - both) / variance, rel=1e-8)


def test_a_known_threshold_is_found_and_confirmed() -> None:
    data = _panel(firms=150)
    result = threshold_regression(data, "y", "x", threshold="q", unit="firm", controls=["c"], draws=99)
    assert result.thresholds[0] == pytest.approx(0.0, abs=0.1)
    assert result.intervals[0][0] <= 0.0 <= result.intervals[0][1]
    assert result.tests[0].p_value == 1 / 100
    low, high = (result.model.coefficients[name] for name in result.model.coefficients.index[:2])
    assert (low, high) == pytest.approx((1.0, 2.0), abs=0.15)
    # Given the threshold the model is a plain regression on the two regimes.
    cut = result.thresholds[0]
    frame = data.assign(a=data["x"] * (data["q"] <= cut), b=data["x"] * (data["q"] > cut))
    plain = regress(frame, "y", ["a", "b", "c"], fixed_effects=["firm"], cluster="firm")
    assert result.model.coefficients.to_numpy() == pytest.approx(plain.coefficients.to_numpy(), abs=1e-10)
    assert result.regimes["rows"].tolist() == [(data["q"] <= cut).sum(), (data["q"] > cut).sum()]
    assert "threshold" in result.summary()
    assert result.to_frame()["term"].tolist()[-1] == "threshold 1"


def test_a_second_threshold_is_tested_against_the_first() -> None:
    two = threshold_regression(
        _panel(firms=150, jumps=(1.0, 1.5)), "y", "x", threshold="q", unit="firm", thresholds=2, draws=99
    )
    assert two.thresholds == pytest.approx((0.0, 1.0), abs=0.12)
    assert two.tests[1].p_value == 1 / 100
    one = threshold_regression(_panel(firms=150), "y", "x", threshold="q", unit="firm", thresholds=2, draws=99)
    assert one.tests[0].p_value == 1 / 100
    assert one.tests[1].p_value > 0.05


@pytest.mark.parametrize("bootstrap", ["wild", "residual"])
def test_the_bootstrap_keeps_its_size(bootstrap: str) -> None:
    p_values = [
        threshold_regression(
            _panel(seed=seed, firms=40, years=5, jumps=()),
            "y",
            "x",
            threshold="q",
            unit="firm",
            draws=49,
            candidates=50,
            bootstrap=bootstrap,  # type: ignore[arg-type]
        )
        .tests[0]
        .p_value
        for seed in range(80)
    ]
    # Eighty uniform p values: below 0.1 a binomial count with mean 8 and standard deviation 2.7.
    assert (np.array(p_values) <= 0.1).sum() <= 17
    assert 0.37 < np.mean(p_values) < 0.63


def test_the_same_seed_gives_the_same_draws() -> None:
    data = _panel(firms=30)
    runs = [
        threshold_regression(data, "y", "x", threshold="q", unit="firm", draws=20, seed=seed).tests[0].replicates
        for seed in (1, 1, 2)
    ]
    assert np.array_equal(runs[0], runs[1])
    assert not np.array_equal(runs[0], runs[2])


def test_several_changing_slopes_and_a_threshold_that_is_a_regressor() -> None:
    data = _panel(firms=40)
    result = threshold_regression(data, "y", ["x", "q"], threshold="q", unit="firm", controls=["c"], draws=9)
    assert len(result.model.coefficients) == 5
    assert result.thresholds[0] == pytest.approx(0.0, abs=0.3)


def test_what_cannot_work_is_refused() -> None:
    data = _panel(firms=20)
    with pytest.raises(DataError, match="no column 'z'"):
        threshold_regression(data, "y", "x", threshold="z", unit="firm")
    with pytest.raises(EstimationError, match="no value of q"):
        threshold_regression(data.assign(q=1.0), "y", "x", threshold="q", unit="firm")
    with pytest.raises(SpecError, match="wild"):
        threshold_regression(data.iloc[1:], "y", "x", threshold="q", unit="firm", bootstrap="residual")
    with pytest.raises(SpecError, match="first fixed effect"):
        threshold_regression(data, "y", "x", threshold="q", unit="firm", fixed_effects=["year"])
    dummy = data.assign(x=(data["q"] > 0).astype(float), q=(data["q"] > 0).astype(float))
    with pytest.raises(EstimationError, match="told apart"):
        threshold_regression(dummy, "y", "x", threshold="q", unit="firm")
    with pytest.raises(EstimationError, match="leave nothing of x"):
        threshold_regression(
            data.assign(x=data["firm"] * 1.0, q=data["firm"] % 5), "y", "x", threshold="q", unit="firm"
        )
