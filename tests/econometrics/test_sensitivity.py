"""Sensitivity measures against stored numbers, against constructed confounders and against their definitions."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from econometrics.mediate import mediate
from econometrics.mediate.confounding import partial_r2, robustness, robustness_value
from econometrics.mediate.selection import oster_delta
from econometrics.mediate.sensitivity import indirect_at_rho
from shuzhi import EstimationError, SpecError


@pytest.fixture(scope="module")
def expected(shared: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((shared / "econ" / "expected.json").read_text(encoding="utf-8"))
    return found


def test_jobs_of_r_medsens(shared: Path, expected: dict[str, Any]) -> None:
    values = expected["jobs_mediate_linear"]["values"]
    jobs = pd.read_csv(shared / "econ" / "jobs.csv")
    found = mediate(jobs, "depress2", "treat", "job_seek", controls=["econ_hard", "sex", "age"], draws=200).sensitivity
    assert found is not None
    assert found.rho_at_zero == pytest.approx(values["rho_at_zero_exact"], abs=1e-12)
    np.testing.assert_allclose(found.curve["rho"], values["rho_grid"])
    np.testing.assert_allclose(found.curve["indirect"], values["ACME_rho"], atol=2e-5)
    # medsens prints the products at its grid's -0.3.
    at_grid = 0.09 * (1 - found.r2_mediator) * (1 - found.r2_outcome)
    assert at_grid == pytest.approx(values["R2tilde_product"], rel=1e-9)
    assert found.r2_residual_product == pytest.approx(values["rho_at_zero_exact"] ** 2)
    assert found.rho_interval_low < found.rho_at_zero < found.rho_interval_high
    assert (found.curve["interval_low"] <= found.curve["interval_high"]).all()
    assert "-0.273" in found.summary()


def test_correlated_errors_are_recovered() -> None:
    # m = 0.5 x + e, y = 0.2 x + 0.4 m + u with corr(e, u) = 0.5: least squares is wrong, rho = 0.5 gives 0.5 * 0.4.
    rng = np.random.default_rng(1)
    rows = 400_000
    x, e, other = rng.normal(size=(3, rows))
    m = 0.5 * x + e
    y = 0.2 * x + 0.4 * m + 0.5 * e + np.sqrt(0.75) * other
    found = mediate(pd.DataFrame({"x": x, "m": m, "y": y}), "y", "x", "m", method="delta")
    assert abs(found.indirect.estimate - 0.2) > 0.1
    assert found.sensitivity is not None
    at_half = found.sensitivity.curve.set_index("rho")["indirect"][0.5]
    assert at_half == pytest.approx(0.2, abs=0.005)


def test_indirect_effect_is_zero_at_the_correlation() -> None:
    assert indirect_at_rho(0.7, 1.3, -0.4, -0.4) == pytest.approx(0.0, abs=1e-15)
    # rho = 0 leaves a * ratio * r.
    assert indirect_at_rho(0.7, 1.3, -0.4, 0.0) == pytest.approx(0.7 * 1.3 * -0.4)


def test_darfur_of_sensemakr(shared: Path, expected: dict[str, Any]) -> None:
    values = expected["darfur_sensemakr"]["values"]
    data = pd.read_csv(shared / "econ" / "darfur.csv")
    controls = ["age", "farmer_dar", "herder_dar", "pastvoted", "hhsize_darfur", "female"]
    options: dict[str, Any] = {"controls": controls, "fixed_effects": "village", "benchmarks": "female"}
    found = robustness(data, "peacefactor", "directlyharmed", **options)
    assert found.estimate == pytest.approx(values["coef"], rel=1e-9)
    assert found.standard_error == pytest.approx(values["se"], rel=1e-9)
    assert found.degrees_of_freedom == values["df"]
    assert found.partial_r2 == pytest.approx(values["partial_r2"], rel=1e-9)
    assert found.robustness_value == pytest.approx(values["RV_q1"], rel=1e-9)
    assert found.robustness_value_alpha == pytest.approx(values["RV_q1_alpha05"], rel=1e-9)
    dropped = robustness(data, "peacefactor", "directlyharmed", drop_singletons=True, **options)
    assert dropped.robustness_value == pytest.approx(found.robustness_value, rel=1e-9)


def test_bounds_equal_a_confounder_made_as_strong_as_the_benchmark() -> None:
    # A confounder uncorrelated with the control, built to have the partial R2 that the bounds name.
    rng = np.random.default_rng(2)
    rows = 500
    control = rng.normal(size=rows)
    x = 0.5 * control + rng.normal(size=rows)
    y = 0.4 * x + 0.6 * control + rng.normal(size=rows)
    data = pd.DataFrame({"x": x, "y": y, "control": control})
    found = robustness(data, "y", "x", controls="control", benchmarks="control", times=[1.0])
    bound = found.bounds.iloc[0]

    def rest(left: np.ndarray, *right: np.ndarray) -> np.ndarray:
        design = np.column_stack([np.ones(rows), *right])
        return left - design @ np.linalg.lstsq(design, left, rcond=None)[0]

    e = rest(x, control)
    u = rest(y, x, control)
    noise = rest(rng.normal(size=rows), x, control, y)
    e, u, noise = (part / np.sqrt(part @ part) for part in (e, u, noise))
    treatment, outcome = bound["r2_treatment"], bound["r2_outcome"]
    # z has correlation sqrt(treatment) with e, and given e correlation sqrt(outcome) with u.
    z = np.sqrt(treatment) * e + np.sqrt(1 - treatment) * (np.sqrt(outcome) * u + np.sqrt(1 - outcome) * noise)
    coefficients = np.linalg.lstsq(np.column_stack([np.ones(rows), x, control, z]), y, rcond=None)[0]
    assert coefficients[1] == pytest.approx(bound["adjusted_estimate"], rel=1e-9)
    again = robustness(data.assign(z=z), "y", "x", controls=["control", "z"])
    assert again.standard_error == pytest.approx(bound["adjusted_standard_error"], rel=1e-9)


@pytest.mark.parametrize(("statistic", "degrees"), [(4.18, 783), (1.0, 30), (12.0, 50)])
def test_robustness_value_takes_the_estimate_to_zero(statistic: float, degrees: float) -> None:
    value = robustness_value(statistic, degrees)
    # Bias of a confounder with partial R2 value on both sides, in standard errors.
    assert np.sqrt(degrees * value * value / (1 - value)) == pytest.approx(statistic)
    half = robustness_value(statistic, degrees, q=0.5)
    assert np.sqrt(degrees * half * half / (1 - half)) == pytest.approx(statistic / 2)
    assert partial_r2(statistic, degrees) == pytest.approx(statistic**2 / (statistic**2 + degrees))


def test_robustness_value_of_significance() -> None:
    from scipy.stats import t

    # Already insignificant: nothing is needed.
    assert robustness_value(1.5, 100, alpha=0.05) == 0.0
    # The adjusted t statistic stands at the critical value.
    value = robustness_value(4.0, 100, alpha=0.05)
    estimate = 4.0 - np.sqrt(100 * value * value / (1 - value))
    error = np.sqrt((1 - value) / (1 - value) * 100 / 99)
    assert estimate / error == pytest.approx(t.ppf(0.975, 99), rel=1e-9)
    with pytest.raises(SpecError, match="q must be positive"):
        robustness_value(2.0, 10, q=0)


def test_oster_delta_of_a_constructed_population() -> None:
    # y = 0.3 x + w1 + w2 with w1 and w2 uncorrelated and delta * cov(x, w1) / var(w1) = cov(x, w2) / var(w2).
    beta, delta, var1, var2, cov1 = 0.3, 1.7, 1.0, 0.8, 0.25
    cov2 = delta * cov1 / var1 * var2
    var_x = 2.0
    names = {"y": 0, "x": 1, "w1": 2}
    gram = np.zeros((3, 3))
    gram[1, 1], gram[2, 2] = var_x, var1
    gram[1, 2] = gram[2, 1] = cov1
    gram[0, 1] = gram[1, 0] = beta * var_x + cov1 + cov2
    gram[0, 2] = gram[2, 0] = beta * cov1 + var1
    explained = beta**2 * var_x + var1 + var2 + 2 * beta * (cov1 + cov2)
    gram[0, 0] = explained + 0.5
    found = oster_delta(gram, names["y"], names["x"], [names["w1"]], r2_max=explained / gram[0, 0], target=beta)
    assert found.delta == pytest.approx(delta, rel=1e-9)
    usual = oster_delta(gram, 0, 1, [2])
    assert usual.r2_max == pytest.approx(min(1.0, 1.3 * usual.r2))
    assert "no control" in oster_delta(gram, 0, 1, []).reason


def test_robustness_refuses_what_it_cannot_do() -> None:
    rng = np.random.default_rng(3)
    data = pd.DataFrame({"y": rng.normal(size=50), "x": rng.normal(size=50), "c": rng.normal(size=50), "k": 1.0})
    with pytest.raises(SpecError, match="benchmarks must be controls"):
        robustness(data, "y", "x", benchmarks="c")
    with pytest.raises(EstimationError, match="k does not vary"):
        robustness(data, "y", "k", controls="c")


def test_paths_of_a_mediation_have_the_values_of_their_equations() -> None:
    rng = np.random.default_rng(4)
    firm = np.repeat(np.arange(40), 6)
    x = rng.normal(size=240) + rng.normal(size=40)[firm]
    c = rng.normal(size=240)
    m = 0.5 * x + 0.3 * c + rng.normal(size=240)
    data = pd.DataFrame({"firm": firm, "x": x, "c": c, "m": m, "y": 0.2 * x + 0.4 * m + c + rng.normal(size=240)})
    found = mediate(data, "y", "x", "m", controls="c", fixed_effects="firm", cluster="firm", method="delta").sensitivity
    assert found is not None
    path_a = robustness(data, "m", "x", controls="c", fixed_effects="firm")
    path_b = robustness(data, "y", "m", controls=["x", "c"], fixed_effects="firm")
    assert found.path_a.robustness_value == pytest.approx(path_a.robustness_value, rel=1e-9)
    assert found.path_b.robustness_value_alpha == pytest.approx(path_b.robustness_value_alpha, rel=1e-9)
    frame = found.to_frame().set_index("measure")["value"]
    assert frame["robustness_value_a"] == found.path_a.robustness_value
    assert frame["rho_at_zero"] == found.rho_at_zero
