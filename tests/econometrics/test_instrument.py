"""Instrumental variables: R and published results, linearmodels, definitions computed another way, weak instruments."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from linearmodels.iv import IV2SLS, IVGMM
from scipy import stats

from econometrics.regress import InstrumentedRegression, instrument, regress
from shuzhi import EstimationError, SpecError

SIX_DIGITS = 1e-6
CRIME_CONTROLS = (
    *("lprbconv", "lprbpris", "lavgsen", "ldensity", "lwcon", "lwtuc", "lwtrd"),
    *("lwfir", "lwser", "lwmfg", "lwfed", "lwsta", "lwloc", "lpctymle"),
)


@pytest.fixture(scope="session")
def expected(shared: Path) -> dict[str, Any]:
    path = shared / "econ" / "expected.json"
    if not path.is_file():
        pytest.skip("the shared test data hold no econ/expected.json")
    cases: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return cases


def panel(strength: float = 1.0, firms: int = 80, seed: int = 3) -> pd.DataFrame:
    """Firm panel with two endogenous variables, three instruments and errors correlated within firms."""
    random = np.random.Generator(np.random.PCG64(seed))
    firm = np.repeat(np.arange(firms), 5)
    rows = len(firm)
    frame = pd.DataFrame({"stock_code": [f"{code:06d}" for code in firm], "report_year": np.tile(np.arange(5), firms)})
    for name in ("z1", "z2", "z3", "c"):
        frame[name] = random.normal(size=rows) + 0.5 * random.normal(size=firms)[firm]
    error = random.normal(size=rows) + 0.7 * random.normal(size=firms)[firm]
    pushed = strength * (frame["z1"] + 0.5 * frame["z2"])
    frame["x"] = pushed + 0.3 * frame["c"] + 0.8 * error + random.normal(size=rows)
    frame["v"] = strength * (frame["z3"] - 0.4 * frame["z1"]) + 0.5 * error + random.normal(size=rows)
    frame["y"] = 0.5 * frame["x"] - 0.3 * frame["v"] + 0.2 * frame["c"] + error * (1 + 0.3 * np.abs(frame["z1"]))
    frame["w"] = random.uniform(0.5, 2, rows)
    return frame


def test_mroz(shared: Path, expected: dict[str, Any]) -> None:
    data = pd.read_csv(shared / "econ" / "mroz.csv").query("inlf == 1")
    values = expected["mroz_2sls"]["values"]
    names = {"(Intercept)": "constant", "fit_educ": "educ"}

    def fit(**options: Any) -> InstrumentedRegression:
        return instrument(data, "lwage", "educ", ["motheduc", "fatheduc"], exogenous=["exper", "expersq"], **options)

    classical, robust = fit(standard_errors="classical"), fit()
    for term, value in values["coef"].items():
        assert classical.coefficients[names.get(term, term)] == pytest.approx(value, rel=SIX_DIGITS)
    for result, key in ((classical, "se_iid_dof"), (robust, "se_hc1")):
        for term, value in values[key].items():
            assert result.standard_errors[names.get(term, term)] == pytest.approx(value, rel=SIX_DIGITS)
    assert classical.first_stages[0].classical_f.statistic == pytest.approx(values["first_stage_F"], rel=SIX_DIGITS)
    robust_f = values["first_stage_F_robust"]
    assert robust.first_stages[0].f.statistic == pytest.approx(robust_f, rel=SIX_DIGITS)
    # one endogenous variable: Kleibergen-Paap's F and the conditional F are the robust first-stage F
    assert robust.weak_instruments is not None
    assert robust.weak_instruments.kleibergen_paap_f == pytest.approx(robust_f, rel=SIX_DIGITS)
    assert robust.first_stages[0].conditional_f == pytest.approx(robust_f, rel=SIX_DIGITS)
    for test, key in ((classical.overidentification, "sargan"), (classical.endogeneity, "wu_hausman")):
        assert test is not None
        assert test.statistic == pytest.approx(values[key]["stat"], rel=SIX_DIGITS)
        assert test.p_value == pytest.approx(values[key]["p"], rel=SIX_DIGITS)


def test_crime4_two_endogenous(shared: Path, expected: dict[str, Any]) -> None:
    data = pd.read_csv(shared / "econ" / "crime4.csv")
    values = expected["crime4_fe2sls"]["values"]
    cases: dict[str, dict[str, Any]] = {"iid": {"standard_errors": "classical"}, "cl_county": {"cluster": "county"}}
    for case, options in cases.items():
        result = instrument(
            data,
            "lcrmrte",
            ["lprbarr", "lpolpc"],
            ["ltaxpc", "lmix"],
            exogenous=CRIME_CONTROLS,
            fixed_effects=["county", "year"],
            **options,
        )
        for term, value in values[case]["coef"].items():
            assert result.coefficients[term.removeprefix("fit_")] == pytest.approx(value, rel=SIX_DIGITS)
        for term, value in values[case]["se"].items():
            assert result.standard_errors[term.removeprefix("fit_")] == pytest.approx(value, rel=SIX_DIGITS)
        kind = {"iid": "condF_iid", "cl_county": "condF_cluster"}[case]
        for stage in result.first_stages:
            wanted = values["lfe_conditional_F"][kind][stage.endogenous]
            assert stage.conditional_f_uncounted == pytest.approx(wanted, rel=SIX_DIGITS)
    # R counted county effects as nested in its default clusters for this F, as the clustered result does
    for stage in result.first_stages:
        wanted = values["first_stage_F"][f"ivf1::{stage.endogenous}"]
        assert stage.classical_f.statistic == pytest.approx(wanted, rel=SIX_DIGITS)
        wanted = values["first_stage_wald_cluster"][f"ivwald1::{stage.endogenous}"]
        assert stage.f.statistic == pytest.approx(wanted, rel=SIX_DIGITS)
    assert any("weak instruments: the conditional F of lprbarr, lpolpc" in text for text in result.warnings)
    assert result.overidentification is None


@pytest.mark.parametrize("weights", [None, "w"])
def test_against_linearmodels(weights: str | None) -> None:
    frame = panel()
    mass = None if weights is None else frame[weights]
    exog = frame[["c"]].assign(constant=1.0)
    model = IV2SLS(frame["y"], exog, frame[["x", "v"]], frame[["z1", "z2", "z3"]], weights=mass)
    n, k = len(frame), 4
    options: dict[str, Any] = {"exogenous": "c", "weights": weights}
    cases: list[tuple[dict[str, Any], dict[str, Any], float]] = [
        ({"cov_type": "unadjusted"}, {"standard_errors": "classical"}, n / (n - k)),
        ({"cov_type": "robust"}, {}, n / (n - k)),
        (
            {"cov_type": "clustered", "clusters": frame["stock_code"].astype(int)},
            {"cluster": "stock_code"},
            (n - 1) / (n - k) * 80 / 79,
        ),
    ]
    for theirs, ours, factor in cases:
        witness = model.fit(debiased=False, **theirs)
        result = instrument(frame, "y", ["x", "v"], ["z1", "z2", "z3"], **options, **ours)
        order = list(result.regressors)
        np.testing.assert_allclose(result.coefficients, witness.params[order], rtol=1e-9)
        np.testing.assert_allclose(result.covariance, witness.cov.loc[order, order] * factor, rtol=1e-8)
    if weights is None:
        classical = instrument(frame, "y", ["x", "v"], ["z1", "z2", "z3"], exogenous="c", standard_errors="classical")
        assert classical.overidentification is not None
        assert classical.endogeneity is not None
        unadjusted = model.fit(cov_type="unadjusted")
        assert classical.overidentification.statistic == pytest.approx(unadjusted.sargan.stat, rel=1e-8)
        assert classical.endogeneity.statistic == pytest.approx(unadjusted.wu_hausman().stat, rel=1e-8)
        partial = unadjusted.first_stage.diagnostics["partial.rsquared"]
        for stage in classical.first_stages:
            assert stage.partial_r2 == pytest.approx(partial[stage.endogenous], rel=1e-8)


@pytest.mark.parametrize("clustered", [False, True])
def test_hansen_j_is_the_minimum_of_two_step_gmm(clustered: bool) -> None:
    frame = panel()
    weight: dict[str, Any] = {"weight_type": "robust"}
    if clustered:
        weight = {"weight_type": "clustered", "clusters": frame["stock_code"].astype(int)}
    exog = frame[["c"]].assign(constant=1.0)
    witness = IVGMM(frame["y"], exog, frame[["x", "v"]], frame[["z1", "z2", "z3"]], **weight).fit(iter_limit=2)
    cluster = "stock_code" if clustered else ()
    result = instrument(frame, "y", ["x", "v"], ["z1", "z2", "z3"], exogenous="c", cluster=cluster)
    assert result.overidentification is not None
    assert result.overidentification.statistic == pytest.approx(witness.j_stat.stat, rel=1e-7)
    assert result.overidentification.numerator_degrees_of_freedom == 1


def with_dummies(frame: pd.DataFrame) -> np.ndarray:
    firm = pd.get_dummies(frame["stock_code"]).to_numpy(float)
    year = pd.get_dummies(frame["report_year"]).to_numpy(float)[:, 1:]
    return np.hstack([frame[["c"]].to_numpy(), firm, year])


def residual(frame: pd.DataFrame, names: list[str], controls: np.ndarray) -> np.ndarray:
    columns = frame[names].to_numpy(float)
    return columns - controls @ np.linalg.lstsq(controls, columns, rcond=None)[0]


def test_absorbed_effects_equal_dummies() -> None:
    frame = panel()
    effects = ["stock_code", "report_year"]
    result = instrument(
        frame, "y", ["x", "v"], ["z1", "z2", "z3"], exogenous="c", fixed_effects=effects, cluster="stock_code"
    )
    dummies = pd.get_dummies(frame["stock_code"], dtype=float).add_prefix("f")
    years = pd.get_dummies(frame["report_year"], dtype=float).iloc[:, 1:].add_prefix("t")
    exog = pd.concat([frame[["c"]], dummies, years], axis=1)
    witness = IV2SLS(frame["y"], exog, frame[["x", "v"]], frame[["z1", "z2", "z3"]]).fit(
        cov_type="clustered", clusters=frame["stock_code"].astype(int)
    )
    n, counted = len(frame), 3 + (5 - 1) + 1  # firms are nested in the cluster; one coefficient for the constant
    np.testing.assert_allclose(result.coefficients, witness.params[["x", "v", "c"]], rtol=1e-8)
    errors = witness.std_errors[["x", "v", "c"]] * np.sqrt((n - 1) / (n - counted) * 80 / 79)
    np.testing.assert_allclose(result.standard_errors, errors, rtol=1e-7)
    own = regress(frame, "x", ["z1", "z2", "z3", "c"], fixed_effects=effects, cluster="stock_code")
    stage = result.first_stage("x")
    pd.testing.assert_series_equal(stage.regression.coefficients, own.coefficients)
    names = ["z1", "z2", "z3"]
    b, v = own.coefficients[names].to_numpy(), own.covariance.loc[names, names].to_numpy()
    assert stage.f.statistic == pytest.approx(b @ np.linalg.inv(v) @ b / 3, rel=1e-8)
    assert result.reduced_form is not None
    assert result.reduced_form.outcome == "y"


def kleibergen_paap_by_definition(
    endogenous: np.ndarray, instruments: np.ndarray, groups: np.ndarray, wald: bool
) -> float:
    """The rk statistic written out as in section 2 of the paper, with Kronecker products and vec."""
    number = endogenous.shape[1]
    pi = np.linalg.solve(instruments.T @ instruments, instruments.T @ endogenous)
    f = np.linalg.cholesky(instruments.T @ instruments).T
    g = np.linalg.inv(np.linalg.cholesky(endogenous.T @ endogenous).T)
    theta = f @ pi @ g
    u, _, vt = np.linalg.svd(theta)
    v = vt.T
    u12, u22 = u[: number - 1, number - 1 :], u[number - 1 :, number - 1 :]
    v12, v22 = v[: number - 1, number - 1 :], v[number - 1 :, number - 1 :]

    def root(matrix: np.ndarray) -> np.ndarray:
        values, vectors = np.linalg.eigh(matrix)
        return vectors @ np.diag(np.sqrt(values)) @ vectors.T

    a = np.vstack([u12, u22]) @ np.linalg.inv(u22) @ root(u22 @ u22.T)
    b = root(v22 @ v22.T) @ np.linalg.inv(v22.T) @ np.vstack([v12, v22]).T
    errors = endogenous - instruments @ pi if wald else endogenous
    moments = np.stack([np.kron(e, z) for e, z in zip(errors, instruments, strict=True)])
    sums = pd.DataFrame(moments).groupby(groups).sum().to_numpy()
    scale = np.kron(g.T, np.linalg.inv(f).T)
    variance = scale @ sums.T @ sums @ scale.T
    project = np.kron(b, a.T)
    value = project @ theta.T.reshape(-1)
    return float(value @ np.linalg.solve(project @ variance @ project.T, value))


@pytest.mark.parametrize("endogenous", [["x"], ["x", "v"]])
def test_kleibergen_paap_equals_its_definition(endogenous: list[str]) -> None:
    frame = panel(strength=0.3)
    names = ["z1", "z2", "z3"]
    result = instrument(
        frame, "y", endogenous, names, exogenous="c", fixed_effects=["stock_code", "report_year"], cluster="stock_code"
    )
    controls = with_dummies(frame)
    x, z = residual(frame, endogenous, controls), residual(frame, names, controls)
    groups = frame["stock_code"].to_numpy()
    weak = result.weak_instruments
    assert weak is not None
    score = kleibergen_paap_by_definition(x, z, groups, wald=False)
    assert weak.kleibergen_paap_lm.statistic == pytest.approx(score, rel=1e-7)
    degrees = 3 - len(endogenous) + 1
    assert weak.kleibergen_paap_lm.p_value == pytest.approx(stats.chi2(degrees).sf(score), rel=1e-6)
    n, counted = len(frame), 4 + 4 + 1
    wald = kleibergen_paap_by_definition(x, z, groups, wald=True)
    # as ivreg2 scales it: degrees of freedom and clusters, divided by the number of excluded instruments
    assert weak.kleibergen_paap_f == pytest.approx(wald * (n - counted) / (n - 1) * 79 / 80 / 3, rel=1e-7)
    fitted = z @ np.linalg.solve(z.T @ z, z.T @ x)
    left = (x - fitted).T @ (x - fitted)
    smallest = np.linalg.eigvals(np.linalg.solve(left, fitted.T @ fitted)).real.min()
    assert weak.cragg_donald_f == pytest.approx(smallest * (n - counted) / 3, rel=1e-7)


def test_effective_f_and_its_critical_values() -> None:
    frame = panel(strength=0.2)
    result = instrument(frame, "y", "x", ["z1", "z2", "z3"], exogenous="c", cluster="stock_code")
    controls = np.column_stack([frame["c"], np.ones(len(frame))])
    x, z = residual(frame, ["x"], controls)[:, 0], residual(frame, ["z1", "z2", "z3"], controls)
    stage = result.first_stage("x").regression
    names = ["z1", "z2", "z3"]
    b, v, q = stage.coefficients[names].to_numpy(), stage.covariance.loc[names, names].to_numpy(), z.T @ z
    weak = result.weak_instruments
    assert weak is not None
    np.testing.assert_allclose(b, np.linalg.lstsq(z, x, rcond=None)[0], rtol=1e-8)
    assert weak.effective_f == pytest.approx(b @ q @ b / np.trace(v @ q), rel=1e-8)
    # one instrument: the well-known 23.1 for a bias of a tenth, and 37.4 for a twentieth
    single = instrument(frame, "y", "x", "z1", exogenous="c", cluster="stock_code").weak_instruments
    assert single is not None
    assert single.effective_f_critical_values[0.10] == pytest.approx(23.1, abs=0.05)
    assert single.effective_f_critical_values[0.05] == pytest.approx(37.4, abs=0.05)
    for tau, value in weak.effective_f_critical_values.items():
        half = np.linalg.cholesky(q)
        w2 = half.T @ v @ half
        x_tau = 1 / tau
        top, trace = np.linalg.eigvalsh(w2)[-1], np.trace(w2)
        degrees = trace**2 * (1 + 2 * x_tau) / (np.trace(w2 @ w2) + 2 * x_tau * trace * top)
        assert value == pytest.approx(stats.ncx2(degrees, degrees * x_tau).ppf(0.95) / degrees, rel=1e-6)


@pytest.mark.parametrize("clustered", [False, True])
def test_anderson_rubin_by_regression_at_every_value(clustered: bool) -> None:
    """F of the instruments in a regression of y - b x, at the ends of the set exactly the critical value."""
    frame = panel(strength=0.15)
    frame["y"] += 0.3 * frame["v"]  # so that the instruments are valid for x alone
    options: dict[str, Any] = {"fixed_effects": ["stock_code", "report_year"]}
    options |= {"cluster": "stock_code"} if clustered else {}
    names = ["z1", "z2", "z3"]
    result = instrument(frame, "y", "x", names, exogenous="c", **options)
    assert result.anderson_rubin is not None

    def by_regression(value: float) -> tuple[float, float]:
        own = regress(frame.assign(gap=frame["y"] - value * frame["x"]), "gap", [*names, "c"], **options)
        b, v = own.coefficients[names].to_numpy(), own.covariance.loc[names, names].to_numpy()
        statistic = float(b @ np.linalg.inv(v) @ b / 3)
        return statistic, float(stats.f(3, own.degrees_of_freedom).sf(statistic))

    for value in (0.0, -2.0, 0.7, 40.0):
        assert result.anderson_rubin.statistic(value) == pytest.approx(by_regression(value)[0], rel=1e-7)
    assert result.anderson_rubin.test.p_value == pytest.approx(by_regression(0.0)[1], rel=1e-7)
    found = result.anderson_rubin_set(0.9)
    ends = [end for piece in found.intervals for end in piece if np.isfinite(end)]
    assert ends
    for end in ends:
        assert by_regression(end)[1] == pytest.approx(0.1, abs=1e-6)
    grid = np.linspace(-6, 6, 41)
    inside = [any(low <= value <= high for low, high in found.intervals) for value in grid]
    assert inside == [by_regression(value)[1] >= 0.1 for value in grid]


def test_anderson_rubin_sets_of_all_shapes() -> None:
    shapes = {}
    for seed in range(60):
        for strength in (0.0, 0.03, 0.06, 1.0):
            frame = panel(strength=strength, firms=25, seed=seed)
            result = instrument(frame, "y", "x", "z1", exogenous="c")
            found = result.anderson_rubin_set(0.95)
            shapes[found.shape] = (found, result)
    assert set(shapes) == {"interval", "unbounded", "whole line"}
    found, result = shapes["unbounded"]
    assert result.anderson_rubin is not None
    assert "unbounded" in found.summary()
    if len(found.intervals) == 2:  # two rays: what lies between is rejected
        (_, left), (right, _) = found.intervals
        assert result.anderson_rubin.p_value((left + right) / 2) < 0.05
    assert "say nothing" in shapes["whole line"][0].summary()
    contradictory = panel(firms=80)
    contradictory["y"] += 3 * contradictory["z2"]  # z2 moves the outcome on its own
    empty = instrument(contradictory, "y", "x", ["z1", "z2"], exogenous="c").anderson_rubin_set()
    assert empty.shape == "empty"
    assert "every value is rejected" in empty.summary()


def test_just_identified_anderson_rubin_set_solves_a_quadratic() -> None:
    frame = panel(strength=0.5)
    result = instrument(frame, "y", "x", "z1", exogenous="c")
    n = len(frame)
    controls = np.column_stack([frame["c"], np.ones(n)])
    y, x, z = (residual(frame, [name], controls)[:, 0] for name in ("y", "x", "z1"))
    zz = z @ z
    py, px = z @ y / zz, z @ x / zz
    ey, ex = y - z * py, x - z * px
    factor = n / (n - 3) / zz**2
    vyy, vyx, vxx = (factor * np.sum(z**2 * a * b) for a, b in ((ey, ey), (ey, ex), (ex, ex)))
    critical = stats.f(1, n - 3).ppf(0.95)
    roots = np.sort(np.roots([px**2 - critical * vxx, -2 * (py * px - critical * vyx), py**2 - critical * vyy]).real)
    np.testing.assert_allclose(result.anderson_rubin_set().intervals[0], roots, rtol=1e-8)


def test_endogeneity_test_with_clusters_by_regression() -> None:
    frame = panel()
    options: dict[str, Any] = {"fixed_effects": ["stock_code", "report_year"], "cluster": "stock_code"}
    result = instrument(frame, "y", ["x", "v"], ["z1", "z2", "z3"], exogenous="c", **options)
    frame["rx"] = result.first_stage("x").regression.residuals
    frame["rv"] = result.first_stage("v").regression.residuals
    own = regress(frame, "y", ["x", "v", "c", "rx", "rv"], **options)
    b, v = own.coefficients[["rx", "rv"]].to_numpy(), own.covariance.loc[["rx", "rv"], ["rx", "rv"]].to_numpy()
    assert result.endogeneity is not None
    assert result.endogeneity.statistic == pytest.approx(b @ np.linalg.inv(v) @ b / 2, rel=1e-7)
    assert result.endogeneity.p_value < 0.001


def test_exogenous_regressor_as_its_own_instrument_is_least_squares() -> None:
    frame = panel()
    frame["copy"] = frame["x"]
    result = instrument(frame, "y", "x", "copy", exogenous="c", fixed_effects="stock_code", cluster="stock_code")
    plain = regress(frame, "y", ["x", "c"], fixed_effects="stock_code", cluster="stock_code")
    np.testing.assert_allclose(result.coefficients, plain.coefficients, rtol=1e-9)
    np.testing.assert_allclose(result.standard_errors, plain.standard_errors, rtol=1e-9)


def test_words_and_frames() -> None:
    frame = panel(strength=0.05)
    result = instrument(frame, "y", "x", ["z1", "z2"], exogenous="c", fixed_effects="stock_code", cluster="stock_code")
    text = result.summary()
    for part in (
        "2SLS of y",
        "Instrumented: x",
        "Excluded instruments: z1, z2",
        "Kleibergen-Paap rk Wald F",
        "Hansen J",
    ):
        assert part in text
    assert any("read the Anderson-Rubin set" in warning for warning in result.warnings)
    assert set(result.diagnostics()["diagnostic"]) >= {"Effective F", "Durbin-Wu-Hausman", "Anderson-Rubin"}
    assert list(result.to_frame()["term"]) == ["x", "c"]
    with pytest.raises(SpecError, match="for one endogenous variable"):
        instrument(frame, "y", ["x", "v"], ["z1", "z3"]).anderson_rubin_set()
    with pytest.raises(SpecError, match="no endogenous variable 'q'"):
        result.first_stage("q")


def test_models_that_are_not_identified() -> None:
    frame = panel().assign(twice=lambda f: 2 * f["z1"], still=lambda f: f["stock_code"].astype(int))
    with pytest.raises(EstimationError, match=r"\(x, v\) and 1 usable .*twice is collinear with z1"):
        instrument(frame, "y", ["x", "v"], ["z1", "twice"])
    with pytest.raises(EstimationError, match="still is absorbed by the fixed effect stock_code"):
        instrument(frame, "y", "x", "still", fixed_effects="stock_code")
    with pytest.raises(EstimationError, match="endogenous variable of y is not identified: still is absorbed"):
        instrument(frame, "y", "still", "z1", fixed_effects="stock_code")
    dropped = instrument(frame, "y", "x", ["z1", "twice", "z2"])
    assert dropped.instruments == ("z1", "z2")
    assert any("twice is collinear with z1" in text for text in dropped.warnings)
    with pytest.raises(SpecError, match="'x' is named as endogenous and as instrument"):
        instrument(frame, "y", "x", ["x", "z1"])
    with pytest.raises(SpecError, match="not defined for two-stage"):
        instrument(frame, "y", "x", "z1", cluster="stock_code", standard_errors="wild")
    same = frame.copy()
    same["v"] = same["x"] * 2 + np.random.Generator(np.random.PCG64(1)).normal(size=len(same))
    z = same[["z1", "z2"]].to_numpy() - same[["z1", "z2"]].to_numpy().mean(axis=0)
    noise = same["v"].to_numpy() - 2 * same["x"].to_numpy()
    noise = noise - noise.mean() - z @ np.linalg.lstsq(z, noise - noise.mean(), rcond=None)[0]
    same["v"] = 2 * same["x"] + noise  # the part of v that is not x is orthogonal to the instruments
    with pytest.raises(EstimationError, match="do not tell the endogenous variables x, v apart"):
        instrument(same, "y", ["x", "v"], ["z1", "z2"])
