"""The demonstration, which is the first command a new user runs."""

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
