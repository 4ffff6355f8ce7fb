"""Real panels of cities: the low-carbon pilots by all estimators. Nothing here is a known truth but agreement is."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from econometrics.did import EstimatorComparison, compare_estimators, honest_bounds, placebo_in_space

CITY = {"unit": "code", "time": "year", "first_treated": "year_first"}


def _panel(shared: Path, name: str) -> pd.DataFrame:
    folder = shared / "reference"
    data = pd.read_csv(folder / "panels" / name)
    data = data.loc[data["city_code"].notna()]
    data["code"] = data["city_code"].astype(int).map("{:06d}".format)
    pilots = pd.read_csv(folder / "low_carbon_pilots_by_city.csv", comment="#", dtype={"code": "str"})
    return data.merge(pilots[["code", "year_first"]], on="code", how="left", validate="m:1")


@pytest.mark.parametrize(
    ("name", "outcome", "rows", "pilots"),
    [
        ("city_panel_2007_2023.csv.gz", "ln_carbon_intensity", 3655, 92),
        ("city_panel_ceads_2007_2019.csv.gz", "ln_carbon_intensity_ceads", None, None),
    ],
)
def test_low_carbon_pilots_by_all_estimators(
    shared: Path, name: str, outcome: str, rows: int | None, pilots: int | None
) -> None:
    data = _panel(shared, name)
    comparison = compare_estimators(data, outcome, **CITY)
    frame = comparison.to_frame().set_index("estimator")
    assert len(frame) == 6 and not comparison.failures
    if rows is not None:
        assert (frame["rows"] == rows).all() and (frame["treated_units"] == pilots).all()
    # The robust estimators estimate one quantity: they lie within two standard errors of one another.
    robust = frame.drop(index=["static_two_way", "event_study"])
    assert robust["estimate"].max() - robust["estimate"].min() < 2 * robust["standard_error"].max()
    assert frame["standard_error"].between(0.005, 0.1).all()
    _bacon_is_exact(comparison)


def _bacon_is_exact(comparison: EstimatorComparison) -> None:
    assert comparison.bacon is not None
    assert comparison.bacon.gap == pytest.approx(0, abs=1e-9)
    assert comparison.bacon.comparisons["weight"].sum() == pytest.approx(1)


def test_placebo_and_bounds_on_the_city_panel(shared: Path) -> None:
    data = _panel(shared, "city_panel_2007_2023.csv.gz")
    placebo = placebo_in_space(data, "ln_carbon_intensity", **CITY, draws=300)
    comparison = compare_estimators(data, "ln_carbon_intensity", **CITY, estimators=["static_two_way", "sun_abraham"])
    static = comparison.results["static_two_way"]
    assert placebo.estimate == pytest.approx(static.estimate, abs=1e-10)
    assert abs(placebo.replicates.mean()) < 0.01
    # The permutation and the clustered t test see the same evidence.
    assert placebo.p_value == pytest.approx(static.p_value, abs=0.12)
    bounds = honest_bounds(comparison.results["sun_abraham"]).to_frame()
    assert np.all(np.diff(bounds["interval_low"]) < 0)
