"""Fixed effects: codes, singletons, demeaning against dense dummies, degrees of freedom counted by hand and by rank."""

import numpy as np
import pandas as pd
import pytest

from econometrics.estimation import absorb
from econometrics.estimation.absorb import demean
from econometrics.estimation.effects import (
    Effects,
    absorbed_degrees_of_freedom,
    connected_components,
    encode_effects,
    is_nested,
    keep_rows,
    singleton_rows,
)
from shuzhi import DataError, EstimationError


def dummies(effects: Effects) -> np.ndarray:
    return np.hstack([np.eye(levels)[codes] for codes, levels in zip(effects.codes, effects.levels, strict=True)])


def dense_residuals(effects: Effects, matrix: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    root = np.ones(len(matrix)) if weights is None else np.sqrt(weights)
    design = dummies(effects)
    centred = (matrix - matrix.mean(axis=0)) / matrix.std(axis=0)
    levels = np.linalg.lstsq(design * root[:, None], centred * root[:, None], rcond=None)[0]
    return (centred - design @ levels) * matrix.std(axis=0)


@pytest.fixture
def panel() -> pd.DataFrame:
    random = np.random.Generator(np.random.PCG64(7))
    firm = np.repeat(np.arange(60), 6)
    frame = pd.DataFrame(
        {
            "firm": [f"{code:06d}" for code in firm],
            "year": np.tile(np.arange(2015, 2021), 60),
            "industry": np.where(random.random(360) < 0.2, random.integers(0, 5, 360), firm % 5),
            "city": firm % 12,
        }
    )
    return frame[random.random(360) < 0.8].reset_index(drop=True)


EFFECTS = [
    ["firm"],
    ["firm", "year"],
    ["year", "firm"],
    ["firm", "industry^year"],
    ["firm", "year", "industry"],
    ["firm", "industry^year", "city^year", "industry"],
    ["firm", "city"],
]


@pytest.mark.parametrize("names", EFFECTS, ids="+".join)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dense", [True, False])
def test_demean_equals_residuals_on_dense_dummies(
    panel: pd.DataFrame, names: list[str], weighted: bool, dense: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not dense:  # the path of many levels: sparse table, conjugate gradients
        monkeypatch.setattr(absorb, "DENSE_LEVELS", 0)
        monkeypatch.setattr(absorb, "DENSE_CELLS", 0)
    random = np.random.Generator(np.random.PCG64(3))
    matrix = random.normal(size=(len(panel), 4)) * [1, 1e6, 1e-6, 1] + [0, 1e9, 1, 5]
    weights = random.uniform(0.2, 5, len(panel)) if weighted else None
    effects = encode_effects(panel, names)
    before = matrix.copy()
    result = demean(effects, matrix, weights)
    np.testing.assert_allclose(
        result / matrix.std(axis=0), dense_residuals(effects, matrix, weights) / matrix.std(axis=0), atol=1e-9
    )
    np.testing.assert_array_equal(matrix, before)
    mass = np.ones(len(panel)) if weights is None else weights
    for codes in effects.codes:
        sums = np.stack([np.bincount(codes, weights=column * mass) for column in result.T]) / np.bincount(
            codes, weights=mass
        )
        assert (np.abs(sums).max(axis=1) <= 1e-10 * matrix.std(axis=0) + 1e-13 * np.abs(matrix).max(axis=0)).all()


def test_one_effect_by_hand() -> None:
    effects = encode_effects(pd.DataFrame({"g": ["b", "a", "b", "a"]}), ["g"])
    # means: b (1 + 5) / 2 = 3, a (2 + 8) / 2 = 5
    np.testing.assert_array_equal(demean(effects, np.array([[1.0], [2], [5], [8]]))[:, 0], [-2, -3, 2, 3])
    # weights 3 and 1: b (3 + 5) / 4 = 2, a (6 + 8) / 4 = 3.5
    weighted = demean(effects, np.array([[1.0], [2], [5], [8]]), np.array([3.0, 3, 1, 1]))
    np.testing.assert_allclose(weighted[:, 0], [-1, -1.5, 3, 4.5])


def test_a_hard_graph_converges_or_says_so() -> None:
    """A chain of 700 levels that meet only pairwise: the slowest case for alternating projections."""
    links = np.arange(700)
    first = np.concatenate([links, links])
    second = np.concatenate([links, (links + 1)[:-1], [699]])
    effects = Effects(("worker", "plant"), (first, second), (700, 700))
    random = np.random.Generator(np.random.PCG64(1))
    matrix = random.normal(size=(1400, 1))
    try:
        result = demean(effects, matrix)
    except EstimationError as error:
        pytest.fail(str(error))
    assert max(np.abs(np.bincount(codes, weights=result[:, 0])).max() for codes in effects.codes) < 1e-9


def test_many_levels_and_three_effects() -> None:
    random = np.random.Generator(np.random.PCG64(5))
    frame = pd.DataFrame(
        {
            "firm": random.integers(0, 900, 6000),
            "cell": random.integers(0, 700, 6000),
            "year": random.integers(0, 9, 6000),
        }
    )
    effects = encode_effects(frame, ["firm", "cell", "year"])
    result = demean(effects, random.normal(size=(6000, 3)) + 100)
    for codes, levels in zip(effects.codes, effects.levels, strict=True):
        means = np.stack(
            [np.bincount(codes, weights=column, minlength=levels) / np.bincount(codes) for column in result.T]
        )
        assert np.abs(means).max() < 1e-10


def test_no_effect_returns_the_columns() -> None:
    matrix = np.arange(6.0).reshape(3, 2)
    np.testing.assert_array_equal(demean(Effects((), (), ()), matrix), matrix)


def test_values_and_weights_that_cannot_work() -> None:
    effects = encode_effects(pd.DataFrame({"g": [1, 1, 2]}), ["g"])
    with pytest.raises(DataError, match="missing or infinite"):
        demean(effects, np.array([[1.0], [np.nan], [2]]))
    with pytest.raises(DataError, match="weights"):
        demean(effects, np.ones((3, 1)), np.array([1.0, -1, 1]))


def test_encode_interactions_and_complaints() -> None:
    frame = pd.DataFrame({"a": ["x", "y", "x", "y"], "b": [1, 1, 2, 1], "c": [1.0, np.nan, 2.0, np.nan]})
    effects = encode_effects(frame, ["a^b", "b"])
    assert effects.names == ("a^b", "b")
    assert effects.levels == (3, 2)
    np.testing.assert_array_equal(effects.codes[0], [0, 2, 1, 2])
    with pytest.raises(DataError, match=r"c \(2 rows\)"):
        encode_effects(frame, ["a^c"])
    with pytest.raises(DataError, match="nope"):
        encode_effects(frame, ["nope"])


def test_singletons_to_the_fixed_point() -> None:
    # row 4 is alone in firm c; without it year 3 holds only row 3; without row 3 firm b holds only row 2 - and so on
    firm = np.array([0, 0, 1, 1, 2])
    year = np.array([0, 1, 1, 2, 2])
    effects = Effects(("firm", "year"), (firm, year), (3, 3))
    np.testing.assert_array_equal(singleton_rows(effects), [True] * 5)
    chain = Effects(("firm",), (np.array([0, 0, 1]),), (2,))
    np.testing.assert_array_equal(singleton_rows(chain), [False, False, True])
    assert keep_rows(chain, ~singleton_rows(chain)).levels == (1,)


def test_nested_and_components() -> None:
    firm, city = np.array([0, 0, 1, 1, 2]), np.array([0, 0, 0, 0, 1])
    assert is_nested(firm, city)
    assert not is_nested(city, firm)
    np.testing.assert_array_equal(connected_components(firm, city), [0, 0, 0, 0, 1])
    np.testing.assert_array_equal(connected_components(np.array([0, 1, 1, 2]), np.array([0, 0, 1, 2])), [0, 0, 0, 1])


@pytest.mark.parametrize("names", [["firm", "year"], ["firm", "industry^year"], ["year", "firm"], ["firm", "city"]])
def test_degrees_of_freedom_of_two_effects_are_the_rank_of_the_dummies(panel: pd.DataFrame, names: list[str]) -> None:
    effects = encode_effects(panel, names)
    assert absorbed_degrees_of_freedom(effects) == np.linalg.matrix_rank(dummies(effects))


def test_degrees_of_freedom_with_clusters() -> None:
    firm = np.repeat(np.arange(4), 3)
    year = np.tile(np.arange(3), 4)
    effects = Effects(("firm", "year"), (firm, year), (4, 3))
    assert absorbed_degrees_of_freedom(effects) == 4 + 3 - 1
    assert absorbed_degrees_of_freedom(effects, [firm]) == 3 - 1  # reghdfe: year loses one although it stands alone now
    assert absorbed_degrees_of_freedom(effects, [firm // 2]) == 3 - 1  # nested in a coarser cluster too
    assert absorbed_degrees_of_freedom(effects, [firm, year]) == 0
    only_year = Effects(("year",), (year,), (3,))
    assert absorbed_degrees_of_freedom(only_year, [firm]) == 3
    # third effect: the largest number of components over the pairs with earlier ones (half and firm // 2: 2 components)
    three = Effects(("firm", "year", "half"), (firm, year, firm // 2), (4, 3, 2))
    assert absorbed_degrees_of_freedom(three) == 4 + (3 - 1) + (2 - 2)
