"""Witnesses: hand counts, scipy's Benjamini-Hochberg, and step-downs written as plain loops."""

import numpy as np
import pytest
from scipy.stats import false_discovery_control

from econometrics.estimation.multiple_testing import adjust, benjamini_hochberg, centred_statistics, holm, romano_wolf
from shuzhi import DataError


def test_holm_by_hand() -> None:
    # Sorted 0.01, 0.02, 0.03, 0.04 -> x4 = .04, x3 = .06, x2 = .06, x1 = .04 raised to .06.
    assert holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06], abs=1e-15)


def test_holm_equals_its_definition() -> None:
    p = np.random.default_rng(1).uniform(size=30) ** 3
    expected = [min(1.0, max((30 - sum(p < q)) * q for q in p[p <= own])) for own in p]
    assert holm(p) == pytest.approx(expected, abs=1e-15)


def test_benjamini_hochberg_equals_scipy() -> None:
    p = np.random.default_rng(2).uniform(size=40) ** 2
    assert benjamini_hochberg(p) == pytest.approx(false_discovery_control(p), abs=1e-15)


def test_a_test_that_could_not_be_done_does_not_count() -> None:
    assert holm([0.02, np.nan, 0.5])[[0, 2]] == pytest.approx([0.04, 0.5])
    assert np.isnan(benjamini_hochberg([0.02, np.nan])[1])
    assert adjust([0.02, 0.5], "none") == pytest.approx([0.02, 0.5])
    assert adjust([0.02, 0.5], "benjamini_hochberg") == pytest.approx([0.04, 0.5])


def test_p_values_outside_their_range_are_refused() -> None:
    with pytest.raises(DataError, match=r"1\.2"):
        holm([0.1, 1.2])
    with pytest.raises(DataError, match="draws"):
        romano_wolf([1.0, 2.0], np.zeros((5, 3)))


def _step_down(statistics: np.ndarray, replicates: np.ndarray) -> np.ndarray:
    """The algorithm of Romano and Wolf (2016), section 4, one hypothesis after the other."""
    left = list(np.argsort(-np.abs(statistics)))
    adjusted, floor = np.empty(statistics.size), 0.0
    while left:
        top = left[0]
        count = sum(max(abs(row[j]) for j in left) >= abs(statistics[top]) for row in replicates)
        floor = max(floor, (count + 1) / (len(replicates) + 1))
        adjusted[top] = floor
        left.remove(top)
    return adjusted


def test_romano_wolf_equals_the_loop() -> None:
    rng = np.random.default_rng(3)
    replicates = rng.normal(size=(199, 6)) + rng.normal(size=(199, 1))
    statistics = np.array([0.3, -3.1, 2.2, 1.4, -0.9, 5.0])
    assert romano_wolf(statistics, replicates) == pytest.approx(_step_down(statistics, replicates), abs=1e-15)


def test_romano_wolf_uses_the_dependence() -> None:
    # Five copies of one test are one test: the adjusted p value is the single one, where Holm multiplies by five.
    draws = np.random.default_rng(4).normal(size=(999, 1))
    single = (1 + (np.abs(draws) >= 2.3).sum()) / 1000
    assert romano_wolf(np.full(5, 2.3), np.repeat(draws, 5, axis=1)) == pytest.approx(np.full(5, single))
    assert holm(np.full(5, single)) == pytest.approx(np.full(5, 5 * single))


def test_romano_wolf_keeps_the_family_error() -> None:
    rng = np.random.default_rng(5)
    rejected = 0
    for _ in range(400):
        replicates = rng.normal(size=(199, 8))
        rejected += (romano_wolf(rng.normal(size=8), replicates) <= 0.05).any()
    # 400 trials at 5 %: mean 20, standard deviation 4.4.
    assert 7 <= rejected <= 34


def test_centred_statistics() -> None:
    statistics, replicates = centred_statistics([2.0, 1.0], [[1.0, 1.0], [3.0, 1.0]])
    assert statistics[0] == pytest.approx(2 / np.sqrt(2))
    assert replicates[:, 0] == pytest.approx([-1 / np.sqrt(2), 1 / np.sqrt(2)])
    assert np.isnan(statistics[1])
    assert np.isnan(romano_wolf(statistics, replicates)[1])
