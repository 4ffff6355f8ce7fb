"""The resampling kernel against refitting with dummies, and against the stored replicates of R."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from econometrics.estimation.effects import Effects, compact
from econometrics.resample import GramKernel, coefficients_from_gram, draw_cluster_weights, gram_kernel
from econometrics.resample import layout as gram_layout
from econometrics.resample.parts import LargePart, SmallPart
from econometrics.resample.wide import DiagonalPart, IterativePart
from shuzhi import DataError

YEARS = 8


def panel(firms: int, movers: float, seed: int, industries: int = 5) -> dict[str, np.ndarray]:
    """An unbalanced panel; some firms change industry and province."""
    rng = np.random.default_rng(seed)
    rows = []
    for firm in range(firms):
        industry, province = rng.integers(industries), rng.integers(6)
        for year in np.sort(rng.choice(YEARS, rng.integers(2, YEARS + 1), replace=False)):
            if rng.random() < movers / 3:
                industry = rng.integers(industries)
            if rng.random() < movers / 6:
                province = rng.integers(6)
            rows.append((firm, year, industry, province))
    firm, year, industry, province = np.array(rows).T
    return {
        "firm": firm,
        "year": year,
        "industry": industry,
        "province": province,
        "industry^year": industry * 100 + year,
        "province^year": province * 100 + year,
        "row": np.arange(len(firm)),
    }


def encode(columns: dict[str, np.ndarray], names: list[str]) -> Effects:
    codes = [compact(columns[name]) for name in names]
    return Effects(tuple(names), tuple(codes), tuple(int(code.max()) + 1 for code in codes))


def refit(matrix: np.ndarray, effects: Effects, weights: np.ndarray) -> np.ndarray:
    """Gram matrix of the residuals of a weighted regression on dummies, rows without weight left out."""
    rows = weights > 0
    root = np.sqrt(weights[rows])[:, None]
    dummies = [np.eye(levels)[codes[rows]] for codes, levels in zip(effects.codes, effects.levels, strict=True)]
    right = root * np.hstack(dummies or [np.ones((rows.sum(), 1))])
    left = root * matrix[rows]
    left = left - right @ np.linalg.lstsq(right, left, rcond=1e-11)[0]
    return left.T @ left


def check(matrix: np.ndarray, effects: Effects, clusters: np.ndarray, seed: int = 1) -> GramKernel:
    """Compare counts, masks and real weights, a third of them 0, with refits."""
    kernel = gram_kernel(matrix, effects, clusters)
    count = int(clusters.max()) + 1
    rng = np.random.default_rng(seed)
    some = rng.random((2, count)) * (rng.random((2, count)) > 1 / 3)
    weights = np.vstack([np.ones((1, count)), draw_cluster_weights(count, 3, seed), some, some > 0])
    for weight, gram in zip(weights, kernel.gram(weights), strict=True):
        expected = refit(matrix, effects, weight[clusters])
        np.testing.assert_allclose(gram, expected, rtol=0, atol=1e-10 * max(1.0, np.abs(expected).max()))
    return kernel


DESIGNS = [
    [],
    ["firm"],
    ["firm", "year"],
    ["firm", "industry^year"],
    ["firm", "industry^year", "province^year"],
    ["firm", "year", "province", "industry"],
    ["industry^year"],
    ["industry", "province", "year"],
]


@pytest.mark.parametrize("movers", [0.0, 0.4])
@pytest.mark.parametrize("cluster", ["firm", "province", "industry", "year", "row"])
@pytest.mark.parametrize("names", DESIGNS, ids="+".join)
def test_weighted_gram_equals_a_refit_with_dummies(names: list[str], cluster: str, movers: float) -> None:
    columns = panel(50, movers, seed=3)
    rng = np.random.default_rng(4)
    matrix = rng.normal(size=(len(columns["row"]), 3)) + 0.1 * columns["firm"][:, None] + 0.3 * columns["year"][:, None]
    check(matrix, encode(columns, names), compact(columns[cluster]))


def test_firms_that_change_industry_make_one_large_block() -> None:
    columns = panel(90, 0.4, seed=5, industries=15)
    matrix = np.random.default_rng(6).normal(size=(len(columns["row"]), 3))
    kernel = check(matrix, encode(columns, ["firm", "industry^year"]), columns["firm"])
    assert [type(part) for part in kernel.parts] == [LargePart]


def test_firms_that_stay_make_a_small_block_an_industry() -> None:
    columns = panel(60, 0.0, seed=5)
    matrix = np.random.default_rng(6).normal(size=(len(columns["row"]), 3))
    kernel = check(matrix, encode(columns, ["firm", "industry^year"]), columns["firm"])
    assert [type(part) for part in kernel.parts] == [SmallPart] * 5
    assert sorted(part.levels for part in kernel.parts if isinstance(part, SmallPart)) == [YEARS - 1] * 5


def test_an_effect_with_many_levels_that_is_not_nested_in_the_cluster() -> None:
    columns = panel(gram_layout.DIAGONAL_LEVELS + 40, 0.0, seed=7)
    matrix = np.random.default_rng(8).normal(size=(len(columns["row"]), 3)) + 0.01 * columns["firm"][:, None]
    kernel = check(matrix, encode(columns, ["firm", "industry^year"]), columns["row"])
    assert [type(part) for part in kernel.parts] == [DiagonalPart]


def test_very_many_levels_are_demeaned_draw_by_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gram_layout, "SMALL_LEVELS", 3)
    monkeypatch.setattr(gram_layout, "LARGE_LEVELS", 3)
    columns = panel(40, 0.4, seed=9)
    matrix = np.random.default_rng(10).normal(size=(len(columns["row"]), 3))
    kernel = check(matrix, encode(columns, ["firm", "industry^year", "province^year"]), columns["firm"])
    assert [type(part) for part in kernel.parts] == [IterativePart]


@pytest.mark.parametrize("movers", [0.0, 0.4])
def test_leaving_out_each_cluster_is_a_mask(movers: float) -> None:
    columns = panel(90, movers, seed=11, industries=15)
    matrix = np.random.default_rng(12).normal(size=(len(columns["row"]), 3))
    kernel = gram_kernel(matrix, encode(columns, ["firm", "industry^year"]), columns["firm"])
    np.testing.assert_allclose(kernel.leave_one_out(), kernel.gram(1.0 - np.eye(90)), rtol=0, atol=1e-9)
    small = kernel.leave_one_out(max_bytes=1)
    np.testing.assert_allclose(small, kernel.leave_one_out(), rtol=0, atol=1e-12)


def test_replicates_do_not_depend_on_the_size_of_the_batches() -> None:
    columns = panel(50, 0.0, seed=13)
    matrix = np.random.default_rng(14).normal(size=(len(columns["row"]), 3))
    kernel = gram_kernel(matrix, encode(columns, ["firm", "year"]), columns["firm"])
    whole = kernel.bootstrap(200, seed=5)
    step = kernel.batch_size(200_000)
    assert 1 <= step < 200
    np.testing.assert_allclose(kernel.bootstrap(200, seed=5, max_bytes=200_000), whole, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(kernel.gram(draw_cluster_weights(50, 200, seed=5)), whole, rtol=1e-12, atol=1e-12)
    assert (kernel.bootstrap(200, seed=5) == whole).all()
    assert not np.allclose(kernel.bootstrap(200, seed=6), whole)


def test_weights_are_multinomial() -> None:
    weights = draw_cluster_weights(40, 20_000, seed=1)
    assert weights.shape == (20_000, 40)
    assert (weights.sum(axis=1) == 40).all()
    # A count is binomial(40, 1/40): mean 1, variance 39/40; two counts have covariance -1/40.
    assert np.abs(weights.mean(axis=0) - 1.0).max() < 5 * np.sqrt(0.975 / 20_000)
    covariance = np.cov(weights.T)
    assert abs(np.diagonal(covariance).mean() - 0.975) < 0.01
    assert abs(covariance[np.triu_indices(40, 1)].mean() + 1 / 40) < 0.001
    # P(0) = (39/40)^40 = 0.3632
    assert abs((weights == 0).mean() - (39 / 40) ** 40) < 0.003


def test_a_column_that_the_effects_explain_gives_no_coefficient() -> None:
    columns = panel(50, 0.0, seed=15)
    rng = np.random.default_rng(16)
    rows = len(columns["row"])
    explained = 100.0 * columns["firm"] + columns["year"] ** 2
    matrix = np.column_stack([rng.normal(size=rows), rng.normal(size=rows), explained])
    kernel = gram_kernel(matrix, encode(columns, ["firm", "year"]), columns["firm"])
    gram = kernel.bootstrap(20, seed=1)
    assert (gram[:, 2] == 0).all()
    assert np.isfinite(coefficients_from_gram(gram, 0, [1])).all()
    assert np.isnan(coefficients_from_gram(gram, 0, [1, 2])).all()


def test_collinear_columns_give_nan_only_where_they_are_collinear() -> None:
    clusters = np.repeat(np.arange(3), 20)
    rng = np.random.default_rng(17)
    first = rng.normal(size=60)
    second = np.where(clusters == 2, rng.normal(size=60), 2.0 * first)
    matrix = np.column_stack([rng.normal(size=60), first, second])
    kernel = gram_kernel(matrix, Effects(("cluster",), (clusters,), (3,)), clusters)
    found = coefficients_from_gram(kernel.gram([[1, 1, 0], [1, 1, 1]]), 0, [1, 2])
    assert np.isnan(found[0]).all()
    assert np.isfinite(found[1]).all()


def test_wrong_input_is_refused() -> None:
    matrix = np.ones((4, 2))
    effects = Effects(("a",), (np.array([0, 0, 1, 1]),), (2,))
    with pytest.raises(DataError, match="missing or infinite"):
        gram_kernel(np.full((4, 2), np.inf), effects, np.arange(4))
    with pytest.raises(DataError, match="another number of rows"):
        gram_kernel(matrix[:3], effects, np.arange(3))
    kernel = gram_kernel(matrix, effects, np.arange(4))
    with pytest.raises(DataError, match=r"\(draws, 4 clusters\)"):
        kernel.gram(np.ones((2, 3)))
    with pytest.raises(DataError, match="none negative"):
        kernel.gram(-np.ones((2, 4)))
    with pytest.raises(DataError, match="0 clusters"):
        draw_cluster_weights(0, 5, seed=1)


def test_stored_replicates_of_fixest(shared: Path) -> None:
    data = pd.read_csv(shared / "econ" / "wagepan.csv")
    counts = pd.read_csv(shared / "econ" / "wagepan_boot_counts.csv")
    stored = pd.read_csv(shared / "econ" / "wagepan_boot_replicates.csv")
    place = dict(zip(counts["nr"], range(len(counts)), strict=True))
    clusters = data["nr"].map(place).to_numpy()
    effects = Effects(("nr", "year"), (clusters, compact(data["year"].to_numpy())), (len(counts), 8))
    matrix = np.column_stack([data["lwage"], data["union"], np.log(data["hours"]), data["married"], data["expersq"]])
    gram = gram_kernel(matrix, effects, clusters).gram(counts.drop(columns="nr").to_numpy().T)
    path_a = coefficients_from_gram(gram, 2, [1, 3, 4])[:, 0]
    path_b = coefficients_from_gram(gram, 0, [1, 2, 3, 4])
    found = np.column_stack([path_a, path_b[:, 1], path_b[:, 0], path_a * path_b[:, 1]])
    np.testing.assert_allclose(found, stored[["a", "b", "cp", "ab"]].to_numpy(), rtol=0, atol=1e-10)


def test_permuted_labels_of_fixest(shared: Path) -> None:
    data = pd.read_csv(shared / "econ" / "wagepan.csv")
    labels = pd.read_csv(shared / "econ" / "wagepan_perm_labels.csv")
    stored = pd.read_csv(shared / "econ" / "wagepan_perm_diffs.csv")["diff"].to_numpy()
    place = dict(zip(labels["nr"], range(len(labels)), strict=True))
    clusters = data["nr"].map(place).to_numpy()
    effects = Effects(("nr", "year"), (clusters, compact(data["year"].to_numpy())), (len(labels), 8))
    kernel = gram_kernel(data[["lwage", "union", "married", "expersq"]].to_numpy(dtype=float), effects, clusters)
    groups = labels.drop(columns="nr").to_numpy().T
    inside = coefficients_from_gram(kernel.gram(groups), 0, [1, 2, 3])[:, 0]
    outside = coefficients_from_gram(kernel.gram(1 - groups), 0, [1, 2, 3])[:, 0]
    np.testing.assert_allclose(inside - outside, stored, rtol=0, atol=1e-10)
