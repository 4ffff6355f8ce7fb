"""Witnesses: the same placebo policies by one regression each, and the hand-made sample before the policy."""

import numpy as np
import pandas as pd
import pytest

from econometrics.did import placebo_in_space, placebo_in_time, static_two_way
from econometrics.regress import regress
from shuzhi import DataError
from tests.econometrics.test_did import PANEL, policy_panel


def test_random_policies_equal_single_regressions() -> None:
    data = policy_panel().sample(frac=0.9, random_state=1).sort_index()
    placebo = placebo_in_space(data, "y", **PANEL, controls=["x"], draws=5, seed=7)
    assert placebo.estimate == pytest.approx(static_two_way(data, "y", **PANEL, controls=["x"]).estimate, abs=1e-10)
    generator = np.random.Generator(np.random.PCG64(7))
    units = np.sort(data["unit"].unique())
    first = data.groupby("unit")["first"].first().fillna(np.inf).to_numpy()
    for replicate in placebo.replicates:
        dealt = pd.Series(first[generator.permutation(np.arange(units.size))], index=units)
        frame = data.assign(policy=(data["year"] >= data["unit"].map(dealt)).astype(float))
        single = regress(frame, "y", ["policy", "x"], fixed_effects=("unit", "year"), cluster=("unit",))
        assert replicate == pytest.approx(single.coefficients["policy"], abs=1e-10)


def test_the_p_value_is_uniform_without_an_effect_and_small_with_one() -> None:
    data = policy_panel(units=60)
    real = placebo_in_space(data, "y", **PANEL, draws=199)
    assert real.p_value == 1 / 200
    assert real.to_frame()["draws"].item() == 199
    p_values = []
    for seed in range(60):
        null = policy_panel(seed=seed, units=30, slope=0.0)
        p_values.append(placebo_in_space(null.assign(y=null["y"] - null["truth"]), "y", **PANEL, draws=99).p_value)
    # Sixty uniform p values: below 0.1 falls a binomial count with mean 6 and standard deviation 2.3.
    assert 0 <= (np.array(p_values) <= 0.1).sum() <= 13
    assert 0.38 < np.mean(p_values) < 0.62
    assert "random policies" in real.summary()


def test_units_are_exchanged_within_their_province() -> None:
    data = policy_panel(units=24)
    # Provinces 0 to 5 hold all cohort-4 units: exchanged within provinces, the policy map barely moves.
    data["province"] = data["first"].fillna(0)
    fixed = placebo_in_space(data, "y", **PANEL, within="province", draws=9)
    assert fixed.replicates == pytest.approx(np.full(9, fixed.estimate), abs=1e-10)
    assert fixed.p_value == 1.0
    with pytest.raises(DataError, match="change their province"):
        placebo_in_space(data.assign(province=data["year"]), "y", **PANEL, within="province", draws=9)


def test_placebo_in_time_uses_the_rows_before_the_policy() -> None:
    data = policy_panel()
    placebo = placebo_in_time(data, "y", **PANEL, shift=2)
    before = data.loc[~(data["year"] >= data["first"])]
    frame = before.assign(policy=(before["year"] >= before["first"] - 2).astype(float))
    single = regress(frame, "y", ["policy"], fixed_effects=("unit", "year"), cluster=("unit",))
    assert placebo.estimate == pytest.approx(single.coefficients["policy"], abs=1e-10)
    assert placebo.standard_error == pytest.approx(single.standard_errors["policy"], rel=1e-10)
    assert placebo.dropped["after the real policy"] == int((data["year"] >= data["first"]).sum())
    assert abs(placebo.estimate) < 3 * placebo.standard_error
    with pytest.raises(DataError, match="shift"):
        placebo_in_time(data, "y", **PANEL, shift=0)


def test_the_same_seed_gives_the_same_placebos() -> None:
    data = policy_panel(units=30)
    first, second, third = (placebo_in_space(data, "y", **PANEL, draws=20, seed=seed) for seed in (3, 3, 4))
    assert np.array_equal(first.replicates, second.replicates)
    assert not np.array_equal(first.replicates, third.replicates)
    assert first.seed == 3
