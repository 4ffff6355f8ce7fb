"""The demonstration, which is the first command a new user runs."""

import numpy as np
import pandas as pd
import pytest

from flows.demo import run_demo

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("pool")]


def test_the_demonstration_finds_what_was_planted_and_makes_no_zero_of_a_scan(tmp_path):
    shown = run_demo(tmp_path / "demo", firms=3, seed=2024)
    assert shown.is_right
    # 3 firms × 4 years, one report a scan and one cut off.
    assert "10 of 10 readable reports: found equals planted" in shown.text
    compared = pd.read_csv(tmp_path / "demo" / "planted_and_found.csv")
    assert compared.loc[compared["fault"] != "none", "found_count"].isna().all()
    assert (tmp_path / "demo" / "out" / "evidence.html").exists()


def test_the_study_of_the_demonstration_estimates_from_the_measured_index_alone(tmp_path):
    shown = run_demo(tmp_path / "demo", firms=20, seed=2024)
    assert shown.is_right
    compared = pd.read_csv(tmp_path / "demo" / "planted_and_estimated.csv").set_index("effect")
    # The panel holds what was measured: a report that is a scan or cut off has no count, and no zero.
    panel = pd.read_csv(tmp_path / "demo" / "panel.csv", dtype={"stock_code": str})
    found = pd.read_csv(tmp_path / "demo" / "planted_and_found.csv", dtype={"stock_code": str})
    both = panel.merge(found, on=["stock_code", "report_year"], validate="one_to_one")
    assert len(both) == 80
    assert both["digital_count"].equals(both["found_count"])
    assert both["digital_count"].isna().sum() == 2
    # A second computation of path a: dummies for firms and years, and the same controls.
    used = panel.dropna(subset=["digital_count"])
    controls = used[["is_cluster", "size", "leverage", "return_on_assets"]].astype(float)
    dummies = [pd.get_dummies(used[name], drop_first=True, dtype=float) for name in ("stock_code", "report_year")]
    matrix = np.column_stack((np.ones(len(used)), controls, *dummies))
    estimate, *_ = np.linalg.lstsq(matrix, np.log1p(used["digital_count"].to_numpy()), rcond=None)
    assert compared.loc["a", "estimate"] == pytest.approx(estimate[1], abs=1e-8)
    assert compared.loc["indirect", "planted"] == pytest.approx(
        compared.loc["a", "planted"] * compared.loc["b", "planted"], rel=1e-12
    )
    assert (tmp_path / "demo" / "study" / "report.html").exists()
