"""Random effects and the Hausman test against R and linearmodels; seemingly unrelated regressions against R."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from linearmodels.system import SUR
from scipy import stats

from econometrics.regress import regress
from econometrics.regress.hausman import hausman_test, random_effects
from econometrics.regress.seemingly_unrelated import sur
from shuzhi import EstimationError, SpecError


@pytest.fixture(scope="session")
def expected(shared: Path) -> dict[str, Any]:
    path = shared / "econ" / "expected.json"
    if not path.is_file():
        pytest.skip("the shared test data hold no econ/expected.json")
    cases: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return cases


def panel(correlated: float, seed: int = 2, firms: int = 60) -> pd.DataFrame:
    random = np.random.Generator(np.random.PCG64(seed))
    firm = np.repeat(np.arange(firms), 6)
    effect = random.normal(size=firms)[firm]
    frame = pd.DataFrame({"stock_code": firm, "x": random.normal(size=6 * firms) + correlated * effect})
    frame["z"] = random.normal(size=6 * firms)
    frame["y"] = 0.5 * frame["x"] + 0.2 * frame["z"] + effect + random.normal(size=6 * firms)
    return frame[random.random(6 * firms) < 0.8].reset_index(drop=True)


def test_grunfeld_hausman(shared: Path, expected: dict[str, Any]) -> None:
    data = pd.read_csv(shared / "econ" / "grunfeld11.csv").query("firm != 'American Steel'")
    wanted = expected["grunfeld_within"]["values"]["hausman_oneway"]
    result = hausman_test(data, "invest", ["value", "capital"], "firm")
    assert result.statistic == pytest.approx(wanted["stat"], rel=1e-6)
    assert result.p_value == pytest.approx(wanted["p"], rel=1e-6)


def test_random_effects_by_generalised_least_squares() -> None:
    """The whole covariance of an unbalanced panel inverted, at the estimated variances."""
    frame = panel(0.0)
    result = random_effects(frame, "y", ["x", "z"])
    firm = frame["stock_code"].to_numpy()
    omega = result.error_variance * np.eye(len(frame)) + result.firm_variance * (firm[:, None] == firm)
    x = np.column_stack([frame["x"], frame["z"], np.ones(len(frame))])
    inverse = np.linalg.inv(omega)
    coefficients = np.linalg.solve(x.T @ inverse @ x, x.T @ inverse @ frame["y"].to_numpy())
    np.testing.assert_allclose(result.coefficients, coefficients, rtol=1e-9)
    within = regress(frame, "y", ["x", "z"], fixed_effects="stock_code", drop_singletons=False)
    left = len(frame) - frame["stock_code"].nunique() - 2
    assert result.error_variance == pytest.approx((within.residuals**2).sum() / left, rel=1e-12)
    many = random_effects(panel(0.0, firms=3000, seed=5), "y", ["x", "z"])
    assert many.error_variance == pytest.approx(1, abs=0.05)
    assert many.firm_variance == pytest.approx(1, abs=0.1)


def test_hausman_finds_correlated_effects_and_keeps_its_size() -> None:
    for method in ("classical", "robust"):
        assert hausman_test(panel(0.8), "y", ["x", "z"], method=method).p_value < 0.01  # type: ignore[arg-type]
        draws = [hausman_test(panel(0.0, seed=seed), "y", ["x", "z"], method=method).p_value for seed in range(60)]  # type: ignore[arg-type]
        assert stats.kstest(draws, "uniform").pvalue > 0.001


def grunfeld_wide(shared: Path) -> pd.DataFrame:
    data = pd.read_csv(shared / "econ" / "grunfeld11.csv")
    names = {"General Electric": "GE", "Westinghouse": "WH"}
    chosen = data[data["firm"].isin(names)].assign(firm=lambda frame: frame["firm"].map(names))
    wide = chosen.pivot(index="year", columns="firm", values=["invest", "value", "capital"])
    return wide.set_axis([f"{name}_{firm}" for name, firm in wide.columns], axis=1).reset_index()


EQUATIONS = {
    firm: (f"invest_{firm}", {"value": f"value_{firm}", "capital": f"capital_{firm}"}) for firm in ("GE", "WH")
}


def test_grunfeld_sur(shared: Path, expected: dict[str, Any]) -> None:
    values = expected["grunfeld_sur"]["values"]
    result = sur(grunfeld_wide(shared), EQUATIONS)
    for kind, found in (("coef", result.coefficients), ("se", result.standard_errors)):
        for name, value in values[kind].items():
            firm, term = name.split("_", 1)
            key = (firm, term.split(".")[0].replace("(Intercept)", "constant"))
            assert found[key] == pytest.approx(value, rel=1e-5)
    test = result.equality_test("value")
    assert test.statistic == pytest.approx(values["wald_chi2"], rel=1e-5)
    assert test.p_value == pytest.approx(values["p"], rel=1e-5)


def test_sur_against_linearmodels(shared: Path) -> None:
    wide = grunfeld_wide(shared).assign(constant=1.0)
    systems = {
        firm: {"dependent": wide[outcome], "exog": wide[[*terms.values(), "constant"]]}
        for firm, (outcome, terms) in EQUATIONS.items()
    }
    witness = SUR(systems).fit(method="gls", cov_type="unadjusted")
    result = sur(wide, EQUATIONS)
    np.testing.assert_allclose(result.coefficients, witness.params, rtol=1e-8)
    # linearmodels divides the residual covariance by n, systemfit and we by n - 3 of both equations
    np.testing.assert_allclose(result.standard_errors, witness.std_errors * np.sqrt(20 / 17), rtol=1e-8)
    frame = result.to_frame()
    assert list(frame["equation"]) == ["GE"] * 3 + ["WH"] * 3
    assert frame["p_value"][0] == pytest.approx(2 * stats.norm.sf(abs(frame["statistic"][0])), rel=1e-9)
    assert "2 equations" in result.summary()


def test_sur_complaints(shared: Path) -> None:
    wide = grunfeld_wide(shared)
    with pytest.raises(SpecError, match="at least two equations"):
        sur(wide, {"GE": EQUATIONS["GE"]})
    double = wide.assign(capital_GE=2 * wide["value_GE"])
    with pytest.raises(EstimationError, match="equation GE: its regressors are collinear"):
        sur(double, EQUATIONS)
    with pytest.raises(SpecError, match="stands in 0 equations"):
        sur(wide, EQUATIONS).equality_test("size")
    with pytest.raises(EstimationError, match="are too few for random effects"):
        random_effects(panel(0.0, firms=3), "y", ["x", "z"])
