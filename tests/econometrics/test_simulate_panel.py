"""The simulated panel: the moments it is calibrated to, and effects that an independent computation gives back."""

import math

import numpy as np
import pandas as pd
import pytest

from econometrics.simulate import (
    PanelDesign,
    mean_log1p,
    planted_effects,
    simulate_emissions,
    simulate_firm_years,
    simulate_panel,
)
from shuzhi import UsageError


@pytest.fixture(scope="module")
def panel() -> pd.DataFrame:
    return simulate_panel(seed=11)


def test_the_printed_moments_of_the_seed_study_are_met(panel):
    # Printed: sd of cluster 0.46, sd of the outcome 1.233; with 60 x 19 place-industries the share itself varies.
    assert panel["is_cluster"].std() == pytest.approx(0.46, abs=0.01)
    assert panel["carbon_intensity_log"].std() == pytest.approx(1.233, abs=0.04)
    assert planted_effects(panel, PanelDesign()).total == pytest.approx(-0.059, abs=0.0005)


def test_the_mean_of_ln_1_plus_n_is_the_sum_over_the_poisson_distribution():
    # Poisson(2), summed by hand with math.factorial instead of gammaln.
    expected = sum(math.exp(-2.0) * 2.0**n / math.factorial(n) * math.log(1 + n) for n in range(60))
    assert mean_log1p(np.array([2.0, 1e-9]))[0] == pytest.approx(expected, rel=1e-12)
    assert mean_log1p(np.array([2.0, 1e-9]))[1] == pytest.approx(1e-9 * math.log(2), rel=1e-6)


def test_counts_far_from_the_mean_of_others_do_not_disturb_each_other():
    means = np.array([0.5, 900.0, 3.0])
    one_by_one = [mean_log1p(np.array([mean]))[0] for mean in means]
    assert mean_log1p(means) == pytest.approx(one_by_one, rel=1e-12)


def test_dummies_for_every_firm_and_year_give_back_what_was_planted():
    design = PanelDesign(firms=300, years=tuple(range(2010, 2020)), noise=0.05)
    panel = simulate_panel(design, seed=3)
    x = panel[["is_cluster", "digital_log1p", "size"]].astype(float)
    dummies = [pd.get_dummies(panel[name], drop_first=True, dtype=float) for name in ("stock_code", "report_year")]
    matrix = np.column_stack((np.ones(len(panel)), x, *dummies))
    estimate, *_ = np.linalg.lstsq(matrix, panel["carbon_intensity_log"].to_numpy(), rcond=None)
    residual = panel["carbon_intensity_log"].to_numpy() - matrix @ estimate
    variance = residual @ residual / (matrix.shape[0] - matrix.shape[1]) * np.linalg.inv(matrix.T @ matrix)
    errors = np.sqrt(np.diag(variance))[1:4]
    planted = np.array([design.direct, design.digital_on_carbon, design.size_on_carbon])
    assert (np.abs(estimate[1:4] - planted) < 4 * errors).all()
    assert (errors < 0.02).all()


def test_the_same_seed_gives_the_same_panel_and_another_seed_another():
    design = PanelDesign(firms=40, years=(2018, 2019, 2020))
    pd.testing.assert_frame_equal(simulate_panel(design, seed=5), simulate_panel(design, seed=5))
    assert not simulate_panel(design, seed=5).equals(simulate_panel(design, seed=6))


def test_clusters_belong_to_place_industry_and_year():
    frame = simulate_firm_years(PanelDesign(), seed=2)
    of_cell = frame.groupby(["city_code", "industry", "cluster_year"])["is_cluster"].nunique()
    assert (of_cell == 1).all()
    assert (frame["report_year"] - frame["cluster_year"] == 10).all()
    changes = frame.groupby("stock_code")["is_cluster"].nunique()
    assert (changes == 2).mean() > 0.3


def test_a_missing_count_gives_missing_emissions_and_no_zero():
    design = PanelDesign(firms=3, years=(2019, 2020))
    frame = simulate_firm_years(design, seed=1)
    counts = pd.array([4, None, 7, 1, 0, 2], dtype="Int64")
    found = simulate_emissions(frame.assign(digital_count=counts), design, seed=1)
    assert found["co2_tonnes"].isna().tolist() == [False, True, False, False, False, False]


def test_emissions_follow_from_the_intensity(panel):
    implied = panel["co2_tonnes"] / (panel["revenue_yuan"] / 1e6)
    np.testing.assert_allclose(np.log(implied), panel["carbon_intensity_log"], rtol=1e-9)


def test_a_bad_design_is_refused_with_every_problem():
    design = PanelDesign(firms=0, years=(2020, 2019), cluster_share=1.5)
    with pytest.raises(UsageError, match=r"at least one firm.*ascend.*cluster_share"):
        simulate_firm_years(design, seed=1)
