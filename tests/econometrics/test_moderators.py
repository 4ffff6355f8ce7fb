"""Witnesses: regressions with the moderator moved to each value, whose main effect is the marginal effect there."""

import numpy as np
import pandas as pd
import pytest

from econometrics.heterogeneity.moderators import moderate
from econometrics.regress import regress
from shuzhi import DataError, EstimationError, SpecError
from tests.econometrics.group_panels import firm_panel

MODEL = {"controls": ["m"], "fixed_effects": ["firm", "year"], "cluster": "firm"}


def _panel(interaction: float = 0.5) -> pd.DataFrame:
    data = firm_panel(firms=200)
    data["y"] = data["y"] + interaction * data["x"] * data["c"]
    return data


def test_marginal_effects_are_main_effects_of_a_moved_moderator() -> None:
    data = _panel()
    result = moderate(data, "y", "x", "c", **MODEL, grid=[-1.5, 0.0, 2.0])
    for row in result.marginal_effects.itertuples():
        moved = data.assign(z=data["c"] - row.moderator)
        moved["p"] = moved["x"] * moved["z"]
        model = regress(moved, "y", ["x", "p", "z", "m"], fixed_effects=["firm", "year"], cluster="firm")
        frame = model.to_frame().set_index("term").loc["x"]
        for name in ("estimate", "standard_error", "p_value", "interval_low", "interval_high"):
            assert getattr(row, name) == pytest.approx(frame[name], rel=1e-7, abs=1e-12)
    assert result.model.coefficients["x x c"] == pytest.approx(0.5, abs=0.1)
    pd.testing.assert_frame_equal(result.effect_at([-1.5, 0.0, 2.0]), result.marginal_effects)


def test_centring_moves_main_effects_and_nothing_else() -> None:
    data = _panel().assign(c=lambda frame: frame["c"] + 3)
    plain, mean, median = (moderate(data, "y", "x", "c", **MODEL, centring=how) for how in ("none", "mean", "median"))
    for other in (mean, median):
        pd.testing.assert_frame_equal(plain.marginal_effects, other.marginal_effects, rtol=1e-7)
        assert other.model.standard_errors["x x c"] == pytest.approx(plain.model.standard_errors["x x c"], rel=1e-7)
        at_centre = plain.effect_at([other.moderator_centre])["estimate"].item()
        assert other.model.coefficients["x"] == pytest.approx(at_centre, rel=1e-7)
    assert mean.moderator_centre == pytest.approx(data.loc[data.groupby("firm")["c"].transform("size") > 1, "c"].mean())
    assert plain.moderator_centre == 0.0


def test_ranges_of_significance_are_where_the_intervals_exclude_zero() -> None:
    data = _panel().assign(y=lambda frame: frame["y"] - 1.3 * frame["x"])
    result = moderate(data, "y", "x", "c", **MODEL)
    assert result.significant["sign"].tolist() == ["negative", "positive"]
    grid = result.effect_at(np.linspace(data["c"].min(), data["c"].max(), 500))
    excluded = (grid["interval_low"] > 0) | (grid["interval_high"] < 0)
    ranges = [grid["moderator"].between(row.low, row.high) for row in result.significant.itertuples()]
    assert (excluded == (ranges[0] | ranges[1])).mean() > 0.995
    assert result.distribution["rows"].sum() == result.model.observations
    assert "negative where c" in result.summary()


def test_what_cannot_work_is_refused() -> None:
    data = firm_panel(firms=30)
    with pytest.raises(SpecError, match="u_test"):
        moderate(data, "y", "x", "x", cluster="firm")
    with pytest.raises(EstimationError, match="x x c"):
        moderate(data.assign(c=2.0), "y", "x", "c", **MODEL)
    with pytest.raises(DataError, match="no column 'z'"):
        moderate(data, "y", "x", "z", cluster="firm")
    outside = moderate(data, "y", "x", "c", **MODEL, grid=[100.0])
    assert any("outside" in text for text in outside.warnings)
