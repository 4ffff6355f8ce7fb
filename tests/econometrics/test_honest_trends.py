"""Witnesses: the linear programme of diff-diff, a constrained variance by hand, and simulated coverage."""

import numpy as np
import pandas as pd
import pytest

from econometrics.did import callaway_santanna, event_study, honest_bounds, imputation, static_two_way
from econometrics.did.honest_trends import _Path, _smoothness_bounds, relative_magnitude_bounds
from shuzhi import DataError, EstimationError
from tests.econometrics.test_did import PANEL, policy_panel


def _random_path(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    factor = rng.normal(size=(7, 7)) / 10
    return rng.normal(size=4), rng.normal(size=3), factor @ factor.T, np.array([0.5, 0.2, 0.3])


def test_the_set_equals_a_linear_programme() -> None:
    from diff_diff.honest_did import _solve_rm_bounds_union

    before, after, covariance, weights = _random_path(1)
    for departure in (0.0, 0.3, 2.0):
        low, high = _solve_rm_bounds_union(before, after, weights, 4, departure)
        ours = relative_magnitude_bounds(before, after, covariance, weights, departure)
        assert ours[:2] == pytest.approx((low, high), abs=1e-7)


def test_no_departure_is_the_usual_interval() -> None:
    before, after, covariance, weights = _random_path(2)
    ours = relative_magnitude_bounds(before, after, covariance, weights, 0.0)
    error = np.sqrt(weights @ covariance[4:, 4:] @ weights)
    assert ours[2:] == pytest.approx((weights @ after - 1.959964 * error, weights @ after + 1.959964 * error), abs=1e-6)


def test_the_interval_covers_when_trends_differ_as_allowed() -> None:
    # The difference in trends moves by 1 before and by 1 after, the worst case of departure 1; the effect is 0.
    rng = np.random.default_rng(3)
    trend = np.array([-3.0, -2, -1, 1, 2])
    factor = rng.normal(size=(5, 5)) / 5
    covariance, weights = factor @ factor.T, np.array([0.5, 0.5])
    covered = 0
    for _ in range(1000):
        drawn = trend + factor @ rng.normal(size=5)
        bounds = relative_magnitude_bounds(drawn[:3], drawn[3:], covariance, weights, 1.0)
        covered += bounds[2] <= 0 <= bounds[3]
    assert covered >= 940


def test_smoothness_zero_is_a_linear_extrapolation() -> None:
    result = event_study(policy_panel(), "y", **PANEL, window=(-3, 1))
    found = honest_bounds(result, restriction="smoothness", departures=[0.0], find_breakdown=False)
    bounds = found.to_frame().iloc[0]
    assert np.isnan(found.breakdown) and "excludes zero" not in found.summary()
    frame = result.to_frame("dynamic")
    times, values = frame["event_time"].to_numpy(), frame["estimate"].to_numpy()
    covariance = result.covariance.to_numpy()
    # Smallest variance of a weighted sum with the target's weights after treatment and no weight on a linear trend.
    after = times >= 0
    target = np.where(after, 1 / after.sum(), 0.0)
    # times + 1 are the values of a linear difference in trends that is zero at the reference.
    slope, before = times + 1.0, ~after
    a, b = covariance[np.ix_(before, before)], covariance[before] @ target
    system = np.block([[a, slope[before][:, None]], [slope[before][None, :], np.zeros((1, 1))]])
    weights = target.copy()
    weights[before] = np.linalg.solve(system, np.append(-b, -(slope @ target)))[:-1]
    estimate, error = weights @ values, np.sqrt(weights @ covariance @ weights)
    expected = (estimate - 1.959964 * error, estimate + 1.959964 * error)
    assert (bounds["interval_low"], bounds["interval_high"]) == pytest.approx(expected, abs=1e-3 * error)


def _worst_bias(weights: np.ndarray, slopes: np.ndarray, size: float) -> float:
    """Largest bias of a weighted sum when second differences are at most the size, as a linear programme."""
    from scipy.optimize import linprog

    padded = np.concatenate([slopes[slopes < 0], [0.0], slopes[slopes > 0]])
    rows = []
    for middle in range(1, padded.size - 1):
        row = np.zeros(padded.size)
        row[middle - 1 : middle + 2] = 1, -2, 1
        rows += [np.delete(row, np.flatnonzero(padded == 0)), -np.delete(row, np.flatnonzero(padded == 0))]
    found = linprog(-weights, A_ub=np.array(rows), b_ub=np.full(len(rows), size), bounds=[(-100, 100)] * weights.size)
    return float(-found.fun)


def test_the_smoothness_interval_is_the_shortest_that_allows_for_the_worst_bias() -> None:
    from scipy.stats import ncx2

    rng = np.random.default_rng(1)
    factor = rng.normal(size=(4, 4)) / 10
    covariance, target = factor @ factor.T + 0.005 * np.eye(4), np.array([1.0])
    # Effects at event times -4, -3, -2 and 0; a linear difference in trends has the values -3, -2, -1 and 1.
    slopes, size, base = np.array([-3.0, -2.0, -1.0, 1.0]), 0.05, rng.normal(size=4) / 5

    def ends(values: np.ndarray) -> np.ndarray:
        path = _Path(values[:3], values[3:], covariance, target, [-4, -3, -2, 0], "effect")
        return np.array(_smoothness_bounds(path, size, 0.95)[2:])

    def half_length(weights: np.ndarray) -> float:
        error = np.sqrt(weights @ covariance @ weights)
        bias = _worst_bias(weights, slopes, size)
        return float(error * np.sqrt(ncx2.ppf(0.95, 1, max((bias / error) ** 2, 1e-12))))

    here = ends(base)
    # The centre of the interval is linear in the effects: its weights are its derivatives.
    weights = np.array([(ends(base + step) - here).mean() for step in np.eye(4)])
    before = slopes[:3]
    weights[:3] -= before * (slopes @ weights) / (before @ before)
    assert (here[1] - here[0]) / 2 == pytest.approx(half_length(weights), rel=1e-6)
    for _ in range(100):
        other = weights.copy()
        other[:3] += rng.normal(size=3) * 10 ** rng.uniform(-3, -0.5)
        other[:3] -= before * (slopes @ other) / (before @ before)
        assert half_length(other) >= half_length(weights) * (1 - 1e-6)


def test_bounds_widen_and_break_down() -> None:
    result = callaway_santanna(policy_panel(units=300), "y", **PANEL, base_period="universal")
    bounds = honest_bounds(result, departures=[0.0, 1.0, 2.0, 4.0])
    frame = bounds.to_frame()
    assert (np.diff(frame["interval_high"] - frame["interval_low"]) > 0).all()
    at_breakdown = honest_bounds(result, departures=[bounds.breakdown]).to_frame().iloc[0]
    assert at_breakdown["interval_low"] == pytest.approx(0, abs=0.01)
    first = honest_bounds(result, event_time=0).to_frame()
    dynamic = result.to_frame("dynamic").set_index("event_time")
    assert first["estimate"].iloc[0] == pytest.approx(dynamic.loc[0, "estimate"])
    assert "excludes zero" in bounds.summary()
    null = policy_panel(seed=5)
    nothing = event_study(null.assign(y=null["y"] - null["truth"]), "y", **PANEL)
    assert honest_bounds(nothing).breakdown == 0


def test_what_has_no_common_reference_is_refused() -> None:
    data = policy_panel()
    with pytest.raises(EstimationError, match="universal"):
        honest_bounds(callaway_santanna(data, "y", **PANEL))
    for result in (imputation(data, "y", **PANEL), static_two_way(data, "y", **PANEL)):
        with pytest.raises(EstimationError, match="no covariance"):
            honest_bounds(result)
    study = event_study(data, "y", **PANEL)
    with pytest.raises(DataError, match="event time 99"):
        honest_bounds(study, event_time=99)
    with pytest.raises(DataError, match="departures"):
        honest_bounds(study, departures=[-1.0])
    assert isinstance(honest_bounds(study).to_frame(), pd.DataFrame)
