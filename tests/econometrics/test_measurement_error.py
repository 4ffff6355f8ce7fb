"""A regressor with error: corrections against closed forms, stacking by hand, and panels whose error is known."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from econometrics.measurement_error import correct_attenuation, related_instruments, simulate_extrapolate
from econometrics.measurement_error.extrapolate import extrapolate, extrapolate_variance
from econometrics.regress import regress
from shuzhi import DataError, EstimationError, SpecError

ERROR = 0.49
MODEL = {"controls": "w", "fixed_effects": ["firm", "year"], "cluster": "firm"}


def _panel(seed: int, firms: int = 200, years: int = 8, shared: float = 0.0) -> pd.DataFrame:
    """The true x has a firm's part of variance 2.25 and one of 1 that changes; a, b, c have error variance 0.49."""
    generator = np.random.default_rng(seed)
    rows = firms * years
    firm, year = np.divmod(np.arange(rows), years)
    x = np.repeat(1.5 * generator.standard_normal(firms), years) + generator.standard_normal(rows)
    w = 0.5 * x + generator.standard_normal(rows)
    shock = generator.standard_normal(rows) + np.repeat(generator.standard_normal(firms), years)
    common = generator.standard_normal(rows)

    def measured() -> np.ndarray:
        own = generator.standard_normal(rows)
        return x + np.sqrt(ERROR) * (np.sqrt(shared) * common + np.sqrt(1 - shared) * own)

    return pd.DataFrame(
        {"firm": firm, "year": year, "y": 1.0 * x + 0.5 * w + shock, "w": w, "x": x, "a": measured(), "b": measured(),
         "c": measured()}
    )  # fmt: skip


# The share of the measured variance that is true: (2.25 + 1) / (2.25 + 1 + 0.49).
RELIABILITY = 3.25 / 3.74


def test_one_regressor_is_divided_by_its_reliability() -> None:
    data = _panel(1)
    found = correct_attenuation(data, "y", "a", reliability=0.8)
    plain = regress(data, "y", "a")
    assert found.estimate == pytest.approx(plain.coefficients["a"] / 0.8, rel=1e-10)
    assert found.partial_reliability["level"] == pytest.approx(0.8)
    assert found.within_reliability == 0.8
    frame = found.to_frame().set_index(["correction", "term"])
    assert frame.loc[("none", "a"), "standard_error"] == pytest.approx(plain.standard_errors["a"], rel=1e-10)


def test_corrected_normal_equations_by_hand() -> None:
    """With dummies for the effects written out and S taken off one element of X'X (Fuller 1987)."""
    data = _panel(2, firms=30)
    dummies = pd.get_dummies(data[["firm", "year"]].astype(str), dtype=float).drop(columns="year_0").to_numpy()
    x = np.column_stack([data[["a", "w"]].to_numpy(), dummies])
    rows, absorbed = len(data), 30 + 8 - 1
    removed = (1 - 0.9) * (1 - 0.2) * (rows - absorbed) * data["a"].var()
    gram = x.T @ x
    gram[0, 0] -= removed
    beta = np.linalg.solve(gram, x.T @ data["y"])
    found = correct_attenuation(data, "y", "a", reliability=0.9, persistent_share=0.2, **MODEL)
    chosen = found.to_frame().query("correction == 'level'")
    assert chosen["estimate"].to_numpy() == pytest.approx(beta[:2], rel=1e-8)
    within = data["a"] - dummies @ np.linalg.lstsq(dummies, data["a"], rcond=None)[0]
    expected = 1 - removed / (within @ within)
    assert found.within_reliability == pytest.approx(expected, rel=1e-8)
    assert found.partial_reliability["level"] < found.within_reliability


def test_reliability_within_effects_is_taken_as_given() -> None:
    data = _panel(3)
    found = correct_attenuation(data, "y", "a", reliability=0.7, reliability_of="within", fixed_effects="firm")
    plain = regress(data, "y", "a", fixed_effects="firm")
    assert found.estimate == pytest.approx(plain.coefficients["a"] / 0.7, rel=1e-10)


def test_corrections_are_centred_on_the_truth_and_their_errors_right() -> None:
    """Over 24 panels: all three find 1 where least squares finds 0.61, and know how much they vary."""
    rows = []
    for seed in range(24):
        data = _panel(100 + seed, firms=100)
        known = correct_attenuation(data, "y", "a", reliability=RELIABILITY, **MODEL)
        simulated = simulate_extrapolate(data, "y", "a", error_variance=ERROR, simulations=40, seed=seed + 1, **MODEL)
        related = related_instruments(data, "y", ["a", "b"], **MODEL)
        naive = simulated.naive_estimate
        rows.append(
            (naive, known.estimate, simulated.estimate, related.estimate, known.standard_error,
             simulated.standard_error, related.standard_error)
        )  # fmt: skip
    found = np.array(rows)
    means, spreads = found.mean(axis=0), found.std(axis=0, ddof=1)
    assert means[0] == pytest.approx(0.62, abs=0.03)
    for place in (1, 2, 3):
        assert means[place] == pytest.approx(1.0, abs=3.5 * spreads[place] / np.sqrt(24))
        # The spread over 24 panels is known to about 15 %.
        assert means[place + 3] == pytest.approx(spreads[place], rel=0.5)


def test_the_error_of_the_reliability_goes_into_that_of_the_estimate() -> None:
    data = _panel(4)
    sure = correct_attenuation(data, "y", "a", reliability=0.87, **MODEL)
    unsure = correct_attenuation(data, "y", "a", reliability=0.87, reliability_standard_error=0.01, **MODEL)
    step = 1e-5
    slope = (
        correct_attenuation(data, "y", "a", reliability=0.87 + step, **MODEL).estimate
        - correct_attenuation(data, "y", "a", reliability=0.87 - step, **MODEL).estimate
    ) / (2 * step)
    expected = np.sqrt(sure.standard_error**2 + (slope * 0.01) ** 2)
    assert unsure.standard_error == pytest.approx(expected, rel=1e-5)
    assert any("taken as known" in text for text in sure.warnings)
    assert not any("taken as known" in text for text in unsure.warnings)


def test_too_low_a_reliability_names_the_least() -> None:
    data = _panel(5)
    with pytest.raises(EstimationError, match="must be above") as caught:
        correct_attenuation(data, "y", "a", reliability=0.5, **MODEL)
    least = float(str(caught.value).split("must be above ")[1].split(",")[0])
    assert correct_attenuation(data, "y", "a", reliability=least + 0.01, **MODEL).estimate > 1
    with pytest.raises(
        EstimationError, match=r"all that the effects and controls leave of a; in this model it must be below 1\.258"
    ):
        simulate_extrapolate(data, "y", "a", error_variance=2.0, **MODEL)
    with pytest.raises(SpecError, match=r"reliability is 1.2.*persistent_share is 1"):
        correct_attenuation(data, "y", "a", reliability=1.2, persistent_share=1)
    with pytest.raises(SpecError, match="either error_variance or reliability"):
        simulate_extrapolate(data, "y", "a")
    with pytest.raises(EstimationError, match="absorbed"):
        correct_attenuation(data.assign(k=data["firm"] * 1.0), "y", "k", reliability=0.9, fixed_effects="firm")


@pytest.mark.parametrize("model", [MODEL, {"controls": "w", "cluster": "firm"}, {"fixed_effects": ["year"]}])
def test_simulation_refuses_the_reliabilities_that_the_formula_refuses(model: dict[str, Any]) -> None:
    data = _panel(5)

    def refused(function: Any, reliability: float) -> str:
        try:
            function(data, "y", "a", reliability=reliability, **model)
        except EstimationError as error:
            return str(error)
        return ""

    least = 0.05
    for reliability in np.arange(0.05, 1.0, 0.05):
        formula, simulated = (refused(each, reliability) for each in (correct_attenuation, simulate_extrapolate))
        assert bool(formula) == bool(simulated)
        for text in filter(None, (formula, simulated)):
            assert "the reliability must be above" in text and "persistent_share" in text
        if formula:
            least = float(formula.split("must be above ")[1].split(",")[0])
    # Just below and just above what the message names.
    if least > 0.05:
        assert refused(correct_attenuation, least - 0.002) and refused(simulate_extrapolate, least - 0.002)
        assert not refused(correct_attenuation, least) and not refused(simulate_extrapolate, least + 0.01)


def test_a_flat_path_is_not_followed_to_a_pole_of_its_noise() -> None:
    """With no effect of x the estimates at every error are noise around 0; the curve must stay near the formula."""
    for seed in range(6):
        data = _panel(seed)
        data["y"] = np.random.default_rng(seed).standard_normal(len(data))
        formula = correct_attenuation(data, "y", "a", reliability=0.95, controls="w", cluster="firm")
        found = simulate_extrapolate(data, "y", "a", reliability=0.95, controls="w", cluster="firm", simulations=40)
        assert abs(found.estimate - formula.estimate) < 0.5 * formula.standard_error


def test_extrapolants() -> None:
    """The rational curve is exact for k / (c + error); polynomials are numpy's."""
    steps = np.array([0, 0.5, 1, 1.5, 2])
    path = 3.0 / (2.5 + steps)
    assert extrapolate(steps, path[None, :], "nonlinear")[0] == pytest.approx(2.0, rel=1e-4)
    for degree, name in ((1, "linear"), (2, "quadratic")):
        expected = np.polyval(np.polyfit(steps, path, degree), -1)
        assert extrapolate(steps, path[None, :], name)[0] == pytest.approx(expected)  # type: ignore[arg-type]
    near = 1 / (2.5 + steps)
    variances = 0.3 * near**2 + 0.2 * near**3 + 0.1 * near**4
    expected = 0.3 / 1.5**2 + 0.2 / 1.5**3 + 0.1 / 1.5**4
    assert extrapolate_variance(steps, path, variances, "nonlinear") == pytest.approx(expected, rel=1e-3)
    assert np.isnan(extrapolate_variance(steps, path, -variances, "nonlinear"))


def test_simulated_estimates_are_regressions_on_noisier_data() -> None:
    data = _panel(6, firms=60)
    found = simulate_extrapolate(data, "y", "a", error_variance=ERROR, simulations=3, seed=8, **MODEL)
    noise = np.random.Generator(np.random.PCG64(8)).standard_normal((len(data), 3)) * np.sqrt(ERROR)
    for step in (0.0, 1.0, 2.0):
        by_hand = [
            regress(data.assign(a=data["a"] + np.sqrt(step) * noise[:, draw]), "y", ["a", "w"],
                    fixed_effects=["firm", "year"]).coefficients["a"]
            for draw in range(3)
        ]  # fmt: skip
        row = found.path.set_index("error_added").loc[step, "estimate"]
        assert row == pytest.approx(np.mean(by_hand), rel=1e-9)
    assert found.naive_estimate == pytest.approx(found.path["estimate"].iloc[0])
    again = simulate_extrapolate(data, "y", "a", error_variance=ERROR, simulations=3, seed=8, **MODEL)
    assert found.to_frame().equals(again.to_frame())


def test_reliability_gives_the_error_variance() -> None:
    data = _panel(7)
    found = simulate_extrapolate(data, "y", "a", reliability=0.9, persistent_share=0.25, simulations=5)
    assert found.error_variance == pytest.approx(0.1 * 0.75 * data["a"].var())


def test_bootstrap_errors_agree_with_the_formula() -> None:
    data = _panel(8)
    formula = simulate_extrapolate(data, "y", "a", error_variance=ERROR, simulations=60, **MODEL)
    drawn = simulate_extrapolate(
        data, "y", "a", error_variance=ERROR, simulations=60, variance="bootstrap", draws=200, **MODEL
    )
    assert drawn.estimate == formula.estimate
    ratio = drawn.extrapolations["standard_error"] / formula.extrapolations["standard_error"]
    assert ratio.between(0.8, 1.25).all()
    other = simulate_extrapolate(
        data, "y", "a", error_variance=ERROR, simulations=200, variance="stefanski_cook", **MODEL
    )
    ratio = other.extrapolations["standard_error"] / formula.extrapolations["standard_error"]
    assert ratio.between(0.75, 1.3).all()
    with pytest.raises(SpecError, match="one cluster"):
        simulate_extrapolate(data, "y", "a", error_variance=ERROR, variance="bootstrap")


def test_oriv_is_the_stacked_two_stage_least_squares() -> None:
    """Stacked by hand, dummies of both copies written out, with linearmodels."""
    from linearmodels.iv import IV2SLS

    data = _panel(9, firms=25, years=5)
    found = related_instruments(data, "y", ["a", "b"], **MODEL)
    both = pd.concat([data, data], ignore_index=True)
    copy = np.repeat([0, 1], len(data))
    both["x_star"] = np.where(copy == 0, both["a"], both["b"])
    both["z_first"], both["z_second"] = both["b"] * (copy == 0), both["a"] * (copy == 1)
    effects = pd.get_dummies(both["firm"].astype(str) + "_" + copy.astype(str), dtype=float, prefix="f")
    years = pd.get_dummies(both["year"].astype(str) + "_" + copy.astype(str), dtype=float, prefix="t")
    exogenous = pd.concat([both[["w"]], effects, years.drop(columns=["t_0_0", "t_0_1"])], axis=1)
    other = IV2SLS(both["y"], exogenous, both[["x_star"]], both[["z_first", "z_second"]]).fit(
        cov_type="clustered", clusters=both["firm"], debiased=False
    )
    assert found.estimate == pytest.approx(other.params["x_star"], rel=1e-8)
    assert found.result.coefficients["w"] == pytest.approx(other.params["w"], rel=1e-8)
    # reghdfe's factor: effects nested in the cluster are not counted but for one; the ten year effects lose one level.
    rows, counted = len(both), 2 + (2 * 5 - 1) + 1
    factor = 25 / 24 * (rows - 1) / (rows - counted)
    assert found.standard_error == pytest.approx(other.std_errors["x_star"] * np.sqrt(factor), rel=1e-6)
    assert found.observations == len(data)
    assert found.to_frame()["stacked_rows"].iloc[0] == 2 * len(data)


def test_oriv_lies_between_the_two_instrumented_estimates_and_beats_them() -> None:
    data = _panel(10)
    found = related_instruments(data, "y", ["a", "b"], **MODEL)
    instrumented = found.separate.query("method == 'instrumented'")
    assert instrumented["estimate"].min() <= found.estimate <= instrumented["estimate"].max()
    assert found.standard_error < instrumented["standard_error"].min()
    alone = found.separate.query("method == 'least squares'")
    assert (alone["estimate"] < 0.75).all()
    three = related_instruments(data, "y", ["a", "b", "c"], **MODEL)
    assert three.standard_error < found.standard_error
    assert abs(three.estimate - 1) < 3 * three.standard_error
    plain = related_instruments(data, "y", ["a", "b"], controls="w")
    assert plain.clusters == {"row_of_the_data": len(data)}


def test_shared_error_is_not_undone() -> None:
    """Dictionaries that share terms share errors: the estimate stays too low, as the assumption says."""
    data = _panel(11, firms=400, shared=0.6)
    found = related_instruments(data, "y", ["a", "b"], **MODEL)
    assert found.estimate < 1 - 3 * found.standard_error
    assert any("share terms share errors" in text for text in found.assumptions)


def test_measures_in_other_units_are_flagged() -> None:
    data = _panel(12).assign(b=lambda frame: 10 * frame["b"])
    found = related_instruments(data, "y", ["a", "b"], **MODEL)
    assert any("differ in their spread" in text for text in found.warnings)
    scaled = related_instruments(data, "y", ["a", "b"], scale="standard_deviation", **MODEL)
    assert scaled.estimate == pytest.approx(data["a"].std(), rel=0.15)
    with pytest.raises(SpecError, match="two measures"):
        related_instruments(data, "y", ["a"])
    with pytest.raises(DataError, match="no column 'd'"):
        related_instruments(data, "y", ["a", "d"])
