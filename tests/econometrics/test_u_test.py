"""Witnesses: known quadratics, slopes by hand, and Fieller's set by its definition."""

import numpy as np
import pandas as pd
import pytest

from econometrics.regress import regress
from econometrics.u_test import fieller_interval, u_test
from shuzhi import DataError, EstimationError
from tests.econometrics.group_panels import firm_panel


def _u_panel(bend: float, centre: float = 0.0, seed: int = 1) -> pd.DataFrame:
    data = firm_panel(seed=seed, firms=200)
    data["y"] = bend * (data["x"] - centre) ** 2 + data["y"] - (data["x"] + 0.5 * data["m"])
    return data


def test_a_known_u_and_inverted_u() -> None:
    for bend, shape in ((0.5, "u"), (-0.5, "inverted_u")):
        data = _u_panel(bend, centre=0.4)
        result = u_test(data, "y", "x", controls=["c"], fixed_effects=["firm", "year"], cluster="firm")
        assert result.shape == shape
        assert result.p_value < 1e-6
        assert result.turning_point == pytest.approx(0.4, abs=0.1)
        assert result.fieller[0] < 0.4 < result.fieller[1]
        assert result.confirmed
        assert "turning point" in result.summary()


def test_numbers_by_hand() -> None:
    data = _u_panel(0.5)
    result = u_test(data, "y", "x", fixed_effects=["firm"], cluster="firm")
    frame = data.assign(square=data["x"] ** 2)
    model = regress(frame, "y", ["x", "square"], fixed_effects=["firm"], cluster="firm")
    b1, b2 = model.coefficients
    v = model.covariance.to_numpy()
    low, high = data["x"].min(), data["x"].max()
    assert (result.slope_low, result.slope_high) == pytest.approx((b1 + 2 * b2 * low, b1 + 2 * b2 * high), abs=1e-12)
    errors = [np.sqrt(v[0, 0] + 4 * end * v[0, 1] + 4 * end**2 * v[1, 1]) for end in (low, high)]
    assert result.slope_errors == pytest.approx(errors, rel=1e-10)
    expected = min(-result.slope_low / errors[0], result.slope_high / errors[1])
    assert result.statistic == pytest.approx(expected, rel=1e-10)
    rows = result.to_frame().set_index("term")
    assert rows["p_value"].iloc[:2].max() == pytest.approx(result.p_value, rel=1e-10)
    assert rows.loc["turning point", "estimate"] == pytest.approx(-b1 / 2 / b2)


def test_a_significant_square_is_not_yet_a_u() -> None:
    # The bend is real, but its turning point lies far to the left of all data: rising throughout.
    data = _u_panel(0.05, centre=-20)
    result = u_test(data, "y", "x", fixed_effects=["firm"], cluster="firm")
    assert result.model.p_values["x squared"] < 0.01
    assert result.p_value > 0.5
    assert not result.confirmed
    assert any("outside the range" in text for text in result.warnings)


def test_the_test_keeps_its_size_at_the_border() -> None:
    # The turning point is the sample's smallest value, the border of the null hypothesis.
    rejected = 0
    for seed in range(100):
        data = _u_panel(0.2, centre=-2.0, seed=seed)
        data = data.loc[data["x"].between(-2, 3)]
        result = u_test(data, "y", "x", fixed_effects=["firm"], cluster="firm", interval=(-2.0, 3.0))
        rejected += result.p_value < 0.05
    # A binomial count with mean 5 and standard deviation 2.2.
    assert rejected <= 12


def test_fieller_is_the_set_of_ratios_not_rejected() -> None:
    numerator, denominator, v11, v22, v12, critical = 1.2, 0.8, 0.04, 0.02, 0.01, 1.96
    low, high = fieller_interval(numerator, denominator, v11, v22, v12, critical)
    grid = np.linspace(0, 4, 400_001)
    accepted = grid[np.abs(numerator - grid * denominator) <= critical * np.sqrt(v11 - 2 * grid * v12 + grid**2 * v22)]
    assert (low, high) == pytest.approx((accepted.min(), accepted.max()), abs=1e-4)
    assert fieller_interval(1.0, 0.01, 0.04, 0.02, 0.0, 1.96) == (-np.inf, np.inf)


def test_what_cannot_work_is_refused() -> None:
    data = firm_panel(firms=30)
    with pytest.raises(EstimationError, match="x squared cannot be estimated"):
        u_test(data.assign(x=(data["x"] > 0).astype(float)), "y", "x", cluster="firm")
    with pytest.raises(DataError, match="must rise"):
        u_test(data, "y", "x", cluster="firm", interval=(1.0, 0.0))
    flat = u_test(data.assign(y=data["c"]), "y", "x", cluster="firm")
    assert not flat.confirmed
