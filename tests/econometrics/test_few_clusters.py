"""CR2 and the wild cluster bootstrap against computations on the whole design with every dummy, and their coverage."""

import warnings
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from diff_diff.linalg import compute_robust_vcov

from econometrics.regress import regress
from shuzhi import EstimationError, SpecError

MODELS: list[list[str]] = [
    [],
    ["stock_code"],
    ["report_year"],
    ["stock_code", "report_year"],
    ["stock_code", "sector^report_year"],
]


@pytest.fixture
def panel() -> pd.DataFrame:
    """Firms in seven provinces of unequal size, unbalanced; sectors cross provinces."""
    random = np.random.Generator(np.random.PCG64(21))
    firm = np.repeat(np.arange(36), 5)
    province = np.array([0] * 12 + [1] * 8 + [2] * 5 + [3] * 4 + [4] * 3 + [5] * 2 + [6] * 2)[firm]
    frame = pd.DataFrame(
        {
            "stock_code": [f"{code:06d}" for code in firm],
            "report_year": np.tile(np.arange(2015, 2020), 36),
            "province": [f"P{code}" for code in province],
            "sector": firm % 3,
        }
    )
    shock = random.normal(size=7)[province]
    frame["x"] = random.normal(size=180) + 0.5 * shock
    frame["z"] = random.normal(size=180) * (1 + province)
    frame["w"] = random.uniform(0.5, 3, 180)
    frame["y"] = 0.4 * frame["x"] + 0.1 * frame["z"] + shock + random.normal(size=180)
    return frame[random.random(180) < 0.9].reset_index(drop=True)


def design(frame: pd.DataFrame, effects: list[str], weights: str | None) -> tuple[np.ndarray, np.ndarray]:
    """Regressors and independent dummies, and the outcome, rows multiplied by the root of the weight."""
    columns = [frame["x"].to_numpy(), frame["z"].to_numpy(), np.ones(len(frame))]
    for effect in effects:
        key = frame[effect.split("^")].astype(str).agg("|".join, axis=1)
        columns += list(pd.get_dummies(key).to_numpy(float).T)
    chosen: list[np.ndarray] = []
    for column in columns:  # one after the other, so that the regressors come first
        if np.linalg.matrix_rank(np.column_stack([*chosen, column])) > len(chosen):
            chosen.append(column)
    root = np.ones(len(frame)) if weights is None else np.sqrt(frame[weights]).to_numpy()
    return np.column_stack(chosen) * root[:, None], frame["y"].to_numpy() * root


def dense_cr2(x: np.ndarray, y: np.ndarray, cluster: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bell and McCaffrey by their definition: full matrices, one pseudo-inverse root a cluster."""
    inverse = np.linalg.inv(x.T @ x)
    annihilator = np.eye(len(y)) - x @ inverse @ x.T
    rest = annihilator @ y
    meat, vectors = np.zeros((x.shape[1],) * 2), [[], []]  # type: ignore[var-annotated]
    for level in np.unique(cluster):
        rows = np.flatnonzero(cluster == level)
        values, directions = np.linalg.eigh(annihilator[np.ix_(rows, rows)])
        root = directions @ np.diag([value**-0.5 if value > 1e-10 else 0 for value in values]) @ directions.T
        score = x[rows].T @ root @ rest[rows]
        meat += np.outer(score, score)
        for term in range(2):
            vectors[term].append(annihilator[:, rows] @ root @ x[rows] @ inverse[:, term])
    degrees = []
    for term in range(2):
        gram = np.column_stack(vectors[term]).T @ np.column_stack(vectors[term])
        degrees.append(np.trace(gram) ** 2 / (gram**2).sum())
    covariance = inverse @ meat @ inverse
    return covariance[:2, :2], np.array(degrees)


@pytest.mark.parametrize("effects", MODELS, ids=lambda names: "+".join(names) or "none")
@pytest.mark.parametrize("weights", [None, "w"])
def test_cr2_equals_its_definition_on_all_dummies(panel: pd.DataFrame, effects: list[str], weights: str | None) -> None:
    result = regress(
        panel, "y", ["x", "z"], fixed_effects=effects, cluster="province", weights=weights, standard_errors="cr2"
    )
    covariance, degrees = dense_cr2(*design(panel, effects, weights), panel["province"].to_numpy())
    np.testing.assert_allclose(result.covariance.loc[["x", "z"], ["x", "z"]], covariance, rtol=1e-7)
    np.testing.assert_allclose(result.term_degrees_of_freedom[["x", "z"]], degrees, rtol=1e-7)


@pytest.mark.parametrize("effects", [MODELS[0], MODELS[2], MODELS[3]], ids=lambda names: "+".join(names) or "none")
def test_cr2_equals_another_program(panel: pd.DataFrame, effects: list[str]) -> None:
    x, y = design(panel, effects, None)
    rest = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it doubts the degrees of freedom of some dummies, which are not compared
        covariance, degrees = compute_robust_vcov(
            x, rest, cluster_ids=panel["province"].to_numpy(), vcov_type="hc2_bm", return_dof=True
        )
    result = regress(panel, "y", ["x", "z"], fixed_effects=effects, cluster="province", standard_errors="cr2")
    np.testing.assert_allclose(result.standard_errors[["x", "z"]], np.sqrt(np.diag(covariance)[:2]), rtol=1e-7)
    np.testing.assert_allclose(result.term_degrees_of_freedom[["x", "z"]], degrees[:2], rtol=1e-7)
    from scipy import stats

    t = result.coefficients["x"] / result.standard_errors["x"]
    assert result.p_values["x"] == pytest.approx(2 * stats.t(degrees[0]).sf(abs(t)), rel=1e-6)


def test_cr2_is_unbiased_where_errors_are_independent(panel: pd.DataFrame) -> None:
    """The mean of the CR2 variance over draws of homoskedastic errors is the true variance; CR1's is smaller."""
    random = np.random.Generator(np.random.PCG64(2))
    found: dict[Any, list[float]] = {"cr2": [], "cluster": []}
    options: dict[str, Any] = {"fixed_effects": "report_year", "cluster": "province"}
    for _ in range(300):
        frame = panel.assign(y=random.normal(size=len(panel)))
        for kind, values in found.items():
            result = regress(frame, "y", ["x", "z"], standard_errors=kind, **options)
            values.append(result.covariance.loc["z", "z"])
    x, _ = design(panel, ["report_year"], None)
    truth = np.linalg.inv(x.T @ x)[1, 1]
    error = np.std(found["cr2"]) / np.sqrt(300)
    assert abs(np.mean(found["cr2"]) - truth) < 3 * error
    gap = np.array(found["cr2"]) - np.array(found["cluster"])
    assert gap.mean() > 3 * gap.std() / np.sqrt(300)


def refit_statistics(
    x: np.ndarray, y: np.ndarray, cluster: np.ndarray, term: int, null: float, draws: np.ndarray
) -> tuple[np.ndarray, float]:
    """Bootstrap t statistics by refitting everything for every draw, and the observed one."""
    others = np.delete(x, term, axis=1)
    target = y - null * x[:, term]
    fitted = others @ np.linalg.lstsq(others, target, rcond=None)[0]
    inverse, codes = np.linalg.inv(x.T @ x), np.unique(cluster, return_inverse=True)[1]

    def statistic(outcome: np.ndarray) -> float:
        coefficients = inverse @ (x.T @ outcome)
        scores = x * (outcome - x @ coefficients)[:, None]
        sums = np.stack([scores[codes == level].sum(axis=0) for level in range(codes.max() + 1)])
        variance = (inverse @ sums.T @ sums @ inverse)[term, term]
        return float((coefficients[term] - null) / np.sqrt(variance))

    observed = statistic(y)
    drawn = [statistic(fitted + null * x[:, term] + draw[codes] * (target - fitted)) for draw in draws]
    return np.array(drawn), observed


@pytest.mark.parametrize("effects", MODELS, ids=lambda names: "+".join(names) or "none")
@pytest.mark.parametrize("weights", [None, "w"])
def test_wild_bootstrap_equals_refitting_every_draw(
    panel: pd.DataFrame, effects: list[str], weights: str | None
) -> None:
    result = regress(
        panel, "y", ["x", "z"], fixed_effects=effects, cluster="province", weights=weights, standard_errors="wild"
    )
    assert result.wild is not None
    assert result.wild.enumerated
    assert result.draws == 2**7
    x, y = design(panel, effects, weights)
    # the enumeration numbers clusters by first appearance; the data name them in that order
    order = np.unique(panel["province"].to_numpy())
    assert list(order) == list(panel["province"].drop_duplicates())
    draws = np.array(list(product([-1.0, 1.0], repeat=7)))
    for term, name in enumerate(["x", "z"]):
        for null in (0.0, 0.3):
            drawn, observed = refit_statistics(x, y, panel["province"].to_numpy(), term, null, draws)
            np.testing.assert_allclose(result.wild.statistics(name, null), drawn, rtol=1e-6, atol=1e-9)
            p_value = np.mean(np.abs(drawn) >= abs(observed) * (1 - 1e-9))
            assert result.wild.p_value(name, null) == pytest.approx(p_value)
    assert result.p_values["x"] == result.wild.p_value("x")


def test_wild_interval_is_what_the_test_does_not_reject(panel: pd.DataFrame) -> None:
    result = regress(
        panel, "y", ["x", "z"], fixed_effects=["stock_code", "report_year"], cluster="province", standard_errors="wild"
    )
    assert result.wild is not None
    low, high = result.confidence_intervals(0.9).loc["x"]
    assert low < result.coefficients["x"] < high
    step = 1e-6 * (high - low)
    for edge, out in ((low, -step), (high, step)):
        assert result.wild.p_value("x", edge + out) <= 0.1 < result.wild.p_value("x", edge - out)


def test_webb_weights_seeds_and_the_smallest_p_value(panel: pd.DataFrame) -> None:
    options: dict[str, Any] = {"cluster": "province", "standard_errors": "wild", "wild_weights": "webb"}
    first = regress(panel, "y", ["x"], draws=999, seed=4, **options)
    again = regress(panel, "y", ["x"], draws=999, seed=4, **options)
    other = regress(panel, "y", ["x"], draws=999, seed=5, **options)
    assert first.wild is not None and again.wild is not None and other.wild is not None
    np.testing.assert_array_equal(first.wild.statistics("x"), again.wild.statistics("x"))
    assert (first.wild.statistics("x") != other.wild.statistics("x")).any()
    assert first.seed == 4
    assert "999 draws, seed 4" in first.summary()
    assert abs(first.p_values["x"] - other.p_values["x"]) < 0.06
    four = panel[panel["province"].isin(["P0", "P1", "P2", "P3"])]
    result = regress(four, "y", ["x"], cluster="province", standard_errors="wild")
    assert result.p_values["x"] >= 2.0**-3  # 16 sign patterns in pairs of opposite signs
    assert any("cannot fall below 0.125" in text for text in result.warnings)
    assert np.isinf(result.confidence_intervals(0.95).loc["x"]).all()
    with pytest.raises(SpecError, match="at least 99"):
        regress(panel, "y", ["x"], cluster="province", standard_errors="wild", draws=10)


def test_many_clusters_agree_with_clustered_errors() -> None:
    """With 300 clusters the bootstrap and the t test say the same."""
    random = np.random.Generator(np.random.PCG64(8))
    firm = np.repeat(np.arange(300), 4)
    frame = pd.DataFrame({"stock_code": firm, "report_year": np.tile(np.arange(4), 300), "x": random.normal(size=1200)})
    frame["y"] = 0.06 * frame["x"] + random.normal(size=300)[firm] + random.normal(size=1200)
    effects = ["stock_code", "report_year"]
    wild = regress(frame, "y", "x", fixed_effects=effects, cluster="stock_code", standard_errors="wild", draws=4999)
    plain = regress(frame, "y", "x", fixed_effects=effects, cluster="stock_code")
    assert wild.p_values["x"] == pytest.approx(plain.p_values["x"], abs=0.02)
    np.testing.assert_allclose(wild.confidence_intervals(), plain.confidence_intervals(), atol=0.006)
    assert wild.standard_errors["x"] == plain.standard_errors["x"]


def test_effects_that_cross_clusters_may_be_too_many(monkeypatch: pytest.MonkeyPatch, panel: pd.DataFrame) -> None:
    monkeypatch.setattr("econometrics.estimation.cluster_basis.MOST_LEVELS", 10)
    with pytest.raises(EstimationError, match=r"sector\^report_year cross the clusters and have 15 levels"):
        regress(panel, "y", "x", fixed_effects="sector^report_year", cluster="province", standard_errors="cr2")
