"""Regression with absorbed effects: published and R results, linearmodels, dense dummies, input that cannot work."""

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from linearmodels.panel import PanelOLS

from econometrics.regress import economic_magnitude, regress, wald_test
from econometrics.regress.magnitude import EconomicMagnitude
from shuzhi import DataError, EstimationError, SpecError

SIX_DIGITS = 1e-6


@pytest.fixture(scope="session")
def expected(shared: Path) -> dict[str, Any]:
    path = shared / "econ" / "expected.json"
    if not path.is_file():
        pytest.skip("the shared test data hold no econ/expected.json")
    cases: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return cases


def table(shared: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(shared / "econ" / f"{name}.csv")


def close(found: pd.Series, wanted: dict[str, float]) -> None:
    names = {"(Intercept)": "constant"}
    for term, value in wanted.items():
        assert found[names.get(term, term)] == pytest.approx(value, rel=SIX_DIGITS), term


@pytest.fixture
def panel() -> pd.DataFrame:
    """Unbalanced panel in which some firms change industry."""
    random = np.random.Generator(np.random.PCG64(11))
    firm = np.repeat(np.arange(50), 8)
    industry = np.where(random.random(400) < 0.1, random.integers(0, 4, 400), firm % 4)
    frame = pd.DataFrame(
        {
            "stock_code": [f"{code:06d}" for code in firm],
            "report_year": np.tile(np.arange(2012, 2020), 50),
            "industry": [f"C{code}" for code in industry],
            "city": firm % 9,
        }
    )
    effect = random.normal(size=50)[firm]
    frame["x"] = random.normal(size=400) + effect
    frame["z"] = random.normal(size=400) * 100 + 3000
    frame["w"] = random.uniform(0.5, 4, 400)
    frame["y"] = 0.5 * frame["x"] - 0.002 * frame["z"] + effect + random.normal(size=400) * (1 + 0.3 * (firm % 3))
    return frame[random.random(400) < 0.85].reset_index(drop=True)


# --- reference cases -------------------------------------------------------------------------------------------------


def test_petersen(shared: Path, expected: dict[str, Any]) -> None:
    data, values = table(shared, "petersen"), expected["petersen_cluster"]["values"]
    kinds: dict[str, dict[str, Any]] = {
        "iid": {"standard_errors": "classical"},
        "hetero": {"standard_errors": "robust"},
        "cl_firm": {"cluster": "firm"},
        "cl_year": {"cluster": "year"},
        "cl_twoway_min_ssc": {"cluster": ["firm", "year"]},
        "cl_twoway_conv_ssc": {"cluster": ["firm", "year"], "small_sample": "cluster2"},
    }
    for kind, options in kinds.items():
        result = regress(data, "y", "x", **options)
        close(result.coefficients, values["coef"])
        close(result.standard_errors, values[kind])
        assert result.observations == values["n"]


def test_grunfeld_within(shared: Path, expected: dict[str, Any]) -> None:
    data = table(shared, "grunfeld11").query("firm != 'American Steel'")
    values = expected["grunfeld_within"]["values"]
    one = regress(data, "invest", ["value", "capital"], fixed_effects="firm", standard_errors="classical")
    close(one.coefficients, values["oneway_coef"])
    close(one.standard_errors, values["oneway_se"])
    effects = ["firm", "year"]
    two = regress(data, "invest", ["value", "capital"], fixed_effects=effects, standard_errors="classical")
    close(two.coefficients, values["twoway_coef"])
    close(two.standard_errors, values["twoway_se"])
    for case, cluster in {"twoway_cl_firm": ["firm"], "twoway_cl_2": effects}.items():
        result = regress(data, "invest", ["value", "capital"], fixed_effects=effects, cluster=cluster)
        close(result.standard_errors, values[case]["se"])


def test_wagepan(shared: Path, expected: dict[str, Any]) -> None:
    data, values = table(shared, "wagepan"), expected["wagepan_fe"]["values"]
    kinds: dict[str, dict[str, Any]] = {
        "iid": {"standard_errors": "classical"},
        "hetero": {},
        "cl_nr": {"cluster": "nr"},
        "cl_nr_year": {"cluster": ["nr", "year"]},
    }
    for kind, options in kinds.items():
        result = regress(data, "lwage", ["expersq", "married", "union"], fixed_effects=["nr", "year"], **options)
        close(result.coefficients, values[kind]["coef"])
        close(result.standard_errors, values[kind]["se"])
    assert result.r2 == pytest.approx(values["r2"], rel=SIX_DIGITS)
    assert result.within_r2 == pytest.approx(values["wr2"], rel=SIX_DIGITS)
    assert result.observations == values["n"]
    assert result.degrees_of_freedom == 8 - 1  # the smaller number of clusters less one
    absorbed = regress(data, "lwage", ["exper", "married", "union", "expersq"], fixed_effects=["nr", "year"])
    assert absorbed.collinear == ("exper",)  # experience is the year less a number of the person's own
    assert "absorbed by the fixed effects nr + year together" in absorbed.warnings[0]


def test_jtrain_keeps_singletons_by_choice(shared: Path, expected: dict[str, Any]) -> None:
    data, values = table(shared, "jtrain"), expected["jtrain_fe"]["values"]
    terms = ["d88", "d89", "grant", "grant_1"]
    for kind, options in {"iid": {"standard_errors": "classical"}, "cl": {"cluster": "fcode"}}.items():
        result = regress(data, "lscrap", terms, fixed_effects="fcode", drop_singletons=False, **options)  # type: ignore[arg-type]
        close(result.coefficients, values[kind]["coef"])
        close(result.standard_errors, values[kind]["se"])
        assert result.observations == values["n"]
    dropping = regress(data, "lscrap", terms, fixed_effects="fcode", standard_errors="classical")
    close(dropping.coefficients, values["iid"]["coef"])
    assert dropping.dropped["missing lscrap"] == data["lscrap"].isna().sum()


# --- independent computations ---------------------------------------------------------------------------------------


def dense(
    frame: pd.DataFrame, terms: list[str], effects: list[list[str]], weights: str | None = None
) -> dict[str, Any]:
    """The same regression with every dummy as a column, by numpy's least squares on the whole design."""
    blocks = [frame[terms].to_numpy(float)]
    for columns in effects:
        key = frame[columns].astype(str).agg("|".join, axis=1)
        blocks.append(pd.get_dummies(key).to_numpy(float))
    if not effects:
        blocks.append(np.ones((len(frame), 1)))
    design, y = np.hstack(blocks), frame["y"].to_numpy(float)
    root = np.ones(len(frame)) if weights is None else np.sqrt(frame[weights] / frame[weights].mean()).to_numpy()
    x, target = design * root[:, None], y * root
    pseudo = np.linalg.pinv(x, rcond=1e-12)
    inverse, coefficients = pseudo @ pseudo.T, pseudo @ target
    rest = target - x @ coefficients
    return {"x": x, "inverse": inverse, "b": coefficients, "e": rest, "rank": np.linalg.matrix_rank(x)}


MODELS: list[tuple[list[str], list[list[str]]]] = [
    ([], []),
    (["stock_code"], [["stock_code"]]),
    (["stock_code", "report_year"], [["stock_code"], ["report_year"]]),
    (["stock_code", "industry^report_year"], [["stock_code"], ["industry", "report_year"]]),
    (["report_year", "industry", "city"], [["report_year"], ["industry"], ["city"]]),
]


@pytest.mark.parametrize(("effects", "blocks"), MODELS, ids=lambda value: "+".join(map(str, value)) or "none")
@pytest.mark.parametrize("weights", [None, "w"])
def test_against_all_dummies(
    panel: pd.DataFrame, effects: list[str], blocks: list[list[str]], weights: str | None
) -> None:
    terms = ["x", "z"]
    result = regress(panel, "y", terms, fixed_effects=effects, weights=weights, standard_errors="classical")
    # drop_singletons changed nothing here: the comparison below is over all rows
    assert result.observations == len(panel)
    witness = dense(panel, terms, blocks, weights)
    n, rank = len(panel), witness["rank"]
    np.testing.assert_allclose(result.coefficients[terms], witness["b"][:2], rtol=1e-9)
    rss = witness["e"] @ witness["e"]
    classical = np.sqrt(np.diag(witness["inverse"])[:2] * rss / (n - rank))
    np.testing.assert_allclose(result.standard_errors[terms], classical, rtol=1e-9)
    robust = regress(panel, "y", terms, fixed_effects=effects, weights=weights)
    scores = witness["x"] * witness["e"][:, None]
    meat = witness["inverse"] @ scores.T @ scores @ witness["inverse"]
    np.testing.assert_allclose(robust.standard_errors[terms], np.sqrt(np.diag(meat)[:2] * n / (n - rank)), rtol=1e-9)
    mass = np.ones(n) if weights is None else (panel[weights] / panel[weights].mean()).to_numpy()
    centred = panel["y"] - np.average(panel["y"], weights=mass)
    total = mass @ centred**2
    assert result.r2 == pytest.approx(1 - rss / total, rel=1e-9)
    assert result.adjusted_r2 == pytest.approx(1 - (rss / (n - rank)) / (total / (n - 1)), rel=1e-9)
    root = np.sqrt(mass)
    np.testing.assert_allclose(result.residuals.to_numpy() * root, witness["e"], atol=1e-9)


def test_three_way_clusters_by_inclusion_and_exclusion(panel: pd.DataFrame) -> None:
    clusters = ["stock_code", "report_year", "industry"]
    result = regress(panel, "y", ["x", "z"], cluster=clusters, small_sample="fixest")
    witness = dense(panel, ["x", "z"], [])
    scores = pd.DataFrame(witness["x"] * witness["e"][:, None])
    meat = np.zeros((3, 3))
    signs = {("stock_code",): 1, ("report_year",): 1, ("industry",): 1, ("stock_code", "report_year"): -1}
    signs |= {("stock_code", "industry"): -1, ("report_year", "industry"): -1, tuple(clusters): 1}
    for names, sign in signs.items():
        sums = scores.groupby([panel[name] for name in names]).sum().to_numpy()
        meat += sign * sums.T @ sums
    n, smallest = len(panel), panel["industry"].nunique()
    factor = (n - 1) / (n - 3) * smallest / (smallest - 1)
    wanted = witness["inverse"] @ meat @ witness["inverse"] * factor
    np.testing.assert_allclose(result.covariance.loc[["x", "z"], ["x", "z"]], wanted[:2, :2], rtol=1e-8)


COUNTED: list[tuple[list[str], list[list[str]], list[str], str]] = [
    # effects, their columns, clusters, and what is counted besides the two regressors
    (["stock_code", "report_year"], [["stock_code"], ["report_year"]], ["stock_code"], "years"),
    (["stock_code", "industry^report_year"], [["stock_code"], ["industry", "report_year"]], ["stock_code"], "cells"),
    (["stock_code", "report_year"], [["stock_code"], ["report_year"]], ["city"], "years"),
    (["stock_code", "report_year"], [["stock_code"], ["report_year"]], ["stock_code", "report_year"], "one"),
    (["stock_code", "report_year"], [["stock_code"], ["report_year"]], ["industry"], "all"),
]


@pytest.mark.parametrize(("effects", "blocks", "clusters", "counted"), COUNTED)
def test_clustered_factor_by_hand(
    panel: pd.DataFrame, effects: list[str], blocks: list[list[str]], clusters: list[str], counted: str
) -> None:
    """(N - 1) / (N - K) * G / (G - 1) times the sandwich on all dummies, K counted by hand."""
    result = regress(panel, "y", ["x", "z"], fixed_effects=effects, cluster=clusters)
    witness = dense(panel, ["x", "z"], blocks)
    scores = pd.DataFrame(witness["x"] * witness["e"][:, None])
    meat = 0
    for names, sign in [([name], 1) for name in clusters] + ([(clusters, -1)] if len(clusters) > 1 else []):
        sums = scores.groupby([panel[name] for name in names]).sum().to_numpy()
        meat = meat + sign * sums.T @ sums
    n, firms, years = len(panel), panel["stock_code"].nunique(), panel["report_year"].nunique()
    cells = len(panel.groupby(["industry", "report_year"]))
    parameters = 2 + {"years": years, "cells": cells, "one": 1, "all": firms + years - 1}[counted]
    smallest = min(panel[name].nunique() for name in clusters)
    factor = (n - 1) / (n - parameters) * smallest / (smallest - 1)
    wanted = witness["inverse"] @ meat @ witness["inverse"] * factor
    np.testing.assert_allclose(result.standard_errors, np.sqrt(np.diag(wanted)[:2]), rtol=1e-8)
    assert result.degrees_of_freedom == smallest - 1


def test_linearmodels_convention_is_panelols_as_called(panel: pd.DataFrame) -> None:
    indexed = panel.set_index(["stock_code", "report_year"])
    for entity, time in [(True, False), (True, True)]:
        model = PanelOLS(indexed["y"], indexed[["x", "z"]], entity_effects=entity, time_effects=time)
        effects = ["stock_code"] + (["report_year"] if time else [])
        cases: list[tuple[dict[str, Any], dict[str, Any]]] = [
            ({"cov_type": "unadjusted"}, {"standard_errors": "classical"}),
            ({"cov_type": "robust"}, {}),
            ({"cov_type": "clustered", "cluster_entity": True}, {"cluster": "stock_code"}),
            (
                {"cov_type": "clustered", "cluster_entity": True, "cluster_time": True},
                {"cluster": ["stock_code", "report_year"]},
            ),
        ]
        for theirs, ours in cases:
            witness = model.fit(**theirs)
            result = regress(panel, "y", ["x", "z"], fixed_effects=effects, small_sample="linearmodels", **ours)
            np.testing.assert_allclose(result.coefficients, witness.params, rtol=1e-9)
            np.testing.assert_allclose(result.standard_errors, witness.std_errors, rtol=1e-9)
            np.testing.assert_allclose(result.p_values, witness.pvalues, rtol=1e-6, atol=1e-14)


def test_conventions_differ_only_where_they_should(panel: pd.DataFrame) -> None:
    # firms that never move: the graph of firms and industry-years has one component an industry
    still = panel.assign(industry=panel["stock_code"].astype(int) % 4)
    effects = ["stock_code", "industry^report_year"]
    n, firms, cells = len(still), still["stock_code"].nunique(), len(still.groupby(["industry", "report_year"]))
    exact = regress(still, "y", "x", fixed_effects=effects)
    simple = regress(still, "y", "x", fixed_effects=effects, small_sample="fixest")
    counted = {"reghdfe": firms + cells - 4, "fixest": firms + cells - 1}
    ratio = (n - 1 - counted["fixest"]) / (n - 1 - counted["reghdfe"])
    assert (exact.standard_errors["x"] / simple.standard_errors["x"]) ** 2 == pytest.approx(ratio, rel=1e-12)
    clustered = [
        regress(still, "y", "x", fixed_effects=effects, cluster="stock_code", small_sample=convention)
        for convention in ("reghdfe", "fixest")
    ]
    assert clustered[0].standard_errors["x"] == pytest.approx(clustered[1].standard_errors["x"], rel=1e-12)


def test_negative_eigenvalues_are_set_to_zero_and_said() -> None:
    """Two clusters a variable that cancel each other: the two-way covariance of two terms has a negative eigenvalue."""
    random = np.random.Generator(np.random.PCG64(4))
    for seed in range(40):
        random = np.random.Generator(np.random.PCG64(seed))
        frame = pd.DataFrame(random.normal(size=(12, 4)), columns=["y", "a", "b", "c"])
        frame["g"], frame["h"] = np.arange(12) % 3, np.arange(12) // 4
        raw = regress(frame, "y", ["a", "b", "c"], cluster=["g", "h"], small_sample="linearmodels")
        lowest = np.linalg.eigvalsh(raw.covariance.to_numpy()).min()
        if lowest < -1e-6:
            break
    repaired = regress(frame, "y", ["a", "b", "c"], cluster=["g", "h"])
    assert np.linalg.eigvalsh(repaired.covariance.to_numpy()).min() > -1e-12
    assert any("negative eigenvalues, which were set to zero" in text for text in repaired.warnings)
    assert any("has negative eigenvalues" in text for text in raw.warnings)


def test_units_do_not_cost_digits(panel: pd.DataFrame) -> None:
    plain = regress(panel, "y", ["x", "z"], fixed_effects=["stock_code", "report_year"], cluster="stock_code")
    scaled = panel.assign(x=panel["x"] * 1e9 + 5e10, z=panel["z"] * 1e-9, y=panel["y"] * 1e6)
    result = regress(scaled, "y", ["x", "z"], fixed_effects=["stock_code", "report_year"], cluster="stock_code")
    np.testing.assert_allclose(result.statistics, plain.statistics, rtol=1e-7)
    assert result.coefficients["x"] * 1e3 == pytest.approx(plain.coefficients["x"], rel=1e-7)


def test_same_input_same_bytes_and_input_untouched(panel: pd.DataFrame) -> None:
    before = panel.copy()
    options: dict[str, Any] = {"cluster": "stock_code", "standard_errors": "wild", "draws": 199}
    frames = [regress(panel, "y", ["x", "z"], fixed_effects="stock_code", **options).to_frame() for _ in range(2)]
    assert frames[0].to_csv() == frames[1].to_csv()
    pd.testing.assert_frame_equal(panel, before)


# --- results in words and numbers -----------------------------------------------------------------------------------


def test_frame_summary_and_wald(panel: pd.DataFrame) -> None:
    result = regress(panel, "y", ["x", "z"], fixed_effects=["stock_code", "report_year"], cluster="stock_code")
    frame = result.to_frame(0.9)
    assert list(frame["term"]) == ["x", "z"]
    needed = {"estimate", "standard_error", "statistic", "p_value", "interval_low", "interval_high", "observations"}
    assert set(frame.columns) >= needed
    from scipy import stats

    half = stats.t(result.degrees_of_freedom).ppf(0.95) * result.standard_errors["x"]
    assert frame["interval_high"][0] - frame["estimate"][0] == pytest.approx(half, rel=1e-9)
    assert frame["p_value"][0] == pytest.approx(2 * stats.t(result.degrees_of_freedom).sf(abs(frame["statistic"][0])))
    test = wald_test(result)
    b, v = result.coefficients.to_numpy(), result.covariance.to_numpy()
    assert test.statistic == pytest.approx(b @ np.linalg.inv(v) @ b / 2, rel=1e-9)
    assert test.p_value == pytest.approx(stats.f(2, result.degrees_of_freedom).sf(test.statistic), rel=1e-9)
    text = result.summary()
    for part in ("stock_code (50)", "report_year (8)", "within R2", "clustered by stock_code"):
        assert part in text
    with pytest.raises(SpecError, match="no coefficient of q"):
        wald_test(result, ["q"])
    with pytest.raises(SpecError, match="level must lie between"):
        result.confidence_intervals(95)


def test_economic_magnitude_as_printed() -> None:
    """The seed study prints 0.46 * 0.059 / 1.233 = 2.2 %."""
    magnitude = EconomicMagnitude("digital", "ln_co2", 0.46, 0.059, "sd", 1.233)
    assert round(100 * magnitude.share, 1) == 2.2
    assert "2.2% of its standard deviation (0.46 x 0.059 / 1.233)" in magnitude.summary()


def test_economic_magnitude_of_a_result(panel: pd.DataFrame) -> None:
    result = regress(panel, "y", ["x", "z"])
    by_hand = result.coefficients["x"] * panel["x"].std() / panel["y"].std()
    assert economic_magnitude(result, "x").share == pytest.approx(by_hand, rel=1e-12)
    part = panel.head(100)
    relative = economic_magnitude(result, "x", data=part, relative_to="mean")
    wanted = result.coefficients["x"] * part["x"].std() / abs(part["y"].mean())
    assert relative.share == pytest.approx(wanted, rel=1e-12)
    with pytest.raises(SpecError, match="no coefficient of nope"):
        economic_magnitude(result, "nope")
    with pytest.raises(DataError, match="no column x"):
        economic_magnitude(result, "x", data=part[["y"]])


# --- input that cannot work -----------------------------------------------------------------------------------------


def test_collinear_and_constant_regressors_are_named(panel: pd.DataFrame) -> None:
    frame = panel.assign(double=2 * panel["x"] + 1, one=7.0, shock=panel["report_year"] ** 2)
    frame["born"] = frame["stock_code"].astype(int) * 3
    result = regress(
        frame, "y", ["x", "double", "one", "born", "shock", "z"], fixed_effects=["stock_code", "report_year"]
    )
    assert result.regressors == ("x", "z")
    assert result.collinear == ("one", "born", "shock", "double")
    text = " ".join(result.warnings)
    assert "double is collinear with x" in text
    assert "one does not vary in the sample (it is 7 throughout)" in text
    assert "born is absorbed by the fixed effect stock_code" in text
    assert "shock is absorbed by the fixed effect report_year" in text
    plain = regress(panel, "y", ["x", "z"], fixed_effects=["stock_code", "report_year"])
    np.testing.assert_allclose(result.standard_errors, plain.standard_errors, rtol=1e-9)
    without = regress(frame, "y", ["one", "x", "double"])
    assert without.regressors == ("x", "constant")
    with pytest.raises(EstimationError, match=r"no regressor of y is left: born is absorbed"):
        regress(frame, "y", "born", fixed_effects="stock_code")


def test_outcome_that_does_not_vary(panel: pd.DataFrame) -> None:
    with pytest.raises(EstimationError, match="outcome y does not vary"):
        regress(panel.assign(y=3.0), "y", "x")
    with pytest.raises(EstimationError, match="explain the outcome y fully"):
        regress(panel.assign(y=panel["city"] * 1.5), "y", "x", fixed_effects="stock_code")


def test_clusters_one_few_and_doubled_roles(panel: pd.DataFrame) -> None:
    with pytest.raises(EstimationError, match="one cluster only in nation"):
        regress(panel.assign(nation="CN"), "y", "x", cluster="nation")
    few = regress(panel, "y", "x", cluster="industry")
    assert any("only 4 clusters of industry" in text for text in few.warnings)
    with pytest.raises(SpecError, match="'robust' takes no cluster"):
        regress(panel, "y", "x", cluster="industry", standard_errors="robust")
    with pytest.raises(SpecError, match="needs a cluster variable"):
        regress(panel, "y", "x", standard_errors="cluster")
    with pytest.raises(SpecError, match="exactly one cluster variable, not 2"):
        regress(panel, "y", "x", cluster=["industry", "city"], standard_errors="cr2")
    with pytest.raises(SpecError, match="'y' is named as outcome and as regressor"):
        regress(panel, "y", ["x", "y"])
    with pytest.raises(SpecError, match="standard_errors must be one of"):
        regress(panel, "y", "x", standard_errors="hc9")  # type: ignore[arg-type]
    with pytest.raises(SpecError, match="small_sample must be one of"):
        regress(panel, "y", "x", small_sample="stata")  # type: ignore[arg-type]


def test_missing_infinite_doubled_and_weights(panel: pd.DataFrame) -> None:
    frame = panel.copy()
    frame.loc[[0, 1], "x"] = np.nan
    frame.loc[2, "z"] = np.inf
    result = regress(frame, "y", ["x", "z"], fixed_effects="stock_code", drop_singletons=False)
    assert result.dropped == {"missing x": 2, "infinite z": 1}
    assert list(result.residuals.index[:2]) == [3, 4]
    with pytest.raises(DataError, match="no row is left"):
        regress(frame.assign(x=np.nan), "y", "x")
    with pytest.raises(DataError, match=r"2 firm-years .* occur more than once"):
        regress(pd.concat([panel, panel.head(2)]), "y", "x", firm_year=("stock_code", "report_year"))
    with pytest.raises(DataError, match="zero or negative in 1 rows"):
        regress(panel.assign(w=panel["w"].where(panel.index != 5, 0.0)), "y", "x", weights="w")
    with pytest.raises(DataError, match="no column 'xx'"):
        regress(panel, "y", "xx")
    with pytest.raises(EstimationError, match="no degrees of freedom"):
        regress(panel.head(3), "y", ["x", "z", "w"])


def test_no_warning_leaks(panel: pd.DataFrame) -> None:
    frame = panel.assign(x=panel["x"].astype("Float64"), treated=panel["x"] > 0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        regress(frame, "y", ["x", "treated"], fixed_effects=["stock_code", "industry^report_year"], cluster="industry")
        regress(frame.head(12), "y", ["x"], cluster="city", standard_errors="wild", draws=199)
