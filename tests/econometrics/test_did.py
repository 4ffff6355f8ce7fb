"""Reference cases of R (did 2.1.1, fixest 0.12.2), dense computations written differently, and simulated policies."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from econometrics.did import (
    StaggeredEffects,
    bacon_decomposition,
    callaway_santanna,
    compare_estimators,
    event_study,
    imputation,
    static_two_way,
    sun_abraham,
)
from econometrics.regress import regress, wald_test
from shuzhi import DataError, EstimationError

MPDTA = {"unit": "countyreal", "time": "year", "first_treated": "first.treat"}
STAGG: dict[str, Any] = {"unit": "id", "time": "year", "first_treated": "year_treated", "controls": ["x1"]}
CS_CASES = [
    f"{method}|{group}|{covariate}"
    for method in ("dr", "reg", "ipw")
    for group in ("nevertreated", "notyettreated")
    for covariate in ("none", "lpop")
]


def _expected(shared: Path, case: str) -> dict[str, Any]:
    return json.loads((shared / "econ" / "expected.json").read_text("utf-8"))[case]["values"]


def policy_panel(
    seed: int = 1, units: int = 120, periods: int = 10, slope: float = 0.5, noise: float = 0.5
) -> pd.DataFrame:
    """Cohorts 4 and 7 and units never treated; the effect is 1 at once and grows by the slope each period."""
    rng = np.random.default_rng(seed)
    first = rng.permutation(np.repeat([4.0, 7.0, np.nan], units // 3))
    frame = pd.DataFrame(
        {"unit": np.repeat(np.arange(units), periods), "year": np.tile(np.arange(1, periods + 1), units)}
    )
    frame["first"] = first[frame["unit"]]
    since = frame["year"] - frame["first"]
    frame["truth"] = np.where(since >= 0, 1 + slope * since, 0.0)
    level = rng.normal(size=units)[frame["unit"]] + rng.normal(size=periods)[frame["year"] - 1]
    frame["y"] = level + frame["truth"] + rng.normal(scale=noise, size=len(frame))
    frame["x"] = rng.normal(size=len(frame))
    frame["province"] = frame["unit"] % 12
    return frame


PANEL: dict[str, Any] = {"unit": "unit", "time": "year", "first_treated": "first"}


@pytest.mark.parametrize("case", CS_CASES)
def test_callaway_santanna_equals_r(shared: Path, case: str) -> None:
    expected = _expected(shared, "mpdta_cs")[case]
    method, group, covariate = case.split("|")
    result = callaway_santanna(
        pd.read_csv(shared / "econ" / "mpdta.csv"),
        "lemp",
        **MPDTA,
        controls=[] if covariate == "none" else [covariate],
        method=method,  # type: ignore[arg-type]
        control_group="never_treated" if group == "nevertreated" else "not_yet_treated",
    )
    cells = result.to_frame("group_time")
    assert cells["group"].tolist() == expected["g"]
    assert cells["time"].tolist() == expected["t"]
    assert cells["estimate"].to_numpy() == pytest.approx(expected["att"], rel=1e-8)
    assert cells["standard_error"].to_numpy() == pytest.approx(expected["se"], rel=1e-8)
    overall = result.effects.query("aggregation in ('overall', 'mean')").set_index("term")
    rows = {"simple": "overall", "dynamic": "mean over event times", "group": "mean over groups"}
    for name, term in (rows | {"calendar": "mean over times"}).items():
        assert overall.loc[term, "estimate"] == pytest.approx(expected["agg"][name]["overall"], rel=1e-8)
        assert overall.loc[term, "standard_error"] == pytest.approx(expected["agg"][name]["se"], rel=1e-8)
        if name != "simple":
            part = result.to_frame(name)  # type: ignore[arg-type]
            assert part["estimate"].to_numpy() == pytest.approx(expected["agg"][name]["att"], rel=1e-8)
            assert part["standard_error"].to_numpy() == pytest.approx(expected["agg"][name]["se_e"], rel=1e-8)


def _same(frame: pd.DataFrame, key: str, expected: dict[str, Any], prefix: str) -> None:
    wanted = {name: value for name, value in expected["coef"].items() if name.startswith(prefix)}
    names = [f"{prefix}{int(value)}" for value in frame[key]]
    assert sorted(names) == sorted(wanted)
    assert frame["estimate"].to_numpy() == pytest.approx([wanted[name] for name in names], rel=1e-8)
    assert frame["standard_error"].to_numpy() == pytest.approx([expected["se"][name] for name in names], rel=1e-8)


def test_sun_abraham_and_two_way_equal_fixest(shared: Path) -> None:
    data, expected = pd.read_csv(shared / "econ" / "base_stagg.csv"), _expected(shared, "base_stagg_sunab")
    result = sun_abraham(data, "y", **STAGG)
    _same(result.to_frame("dynamic"), "event_time", expected["event"], "year::")
    _same(result.to_frame("group"), "group", expected["cohort"], "cohort::")
    assert result.estimate == pytest.approx(expected["att"]["coef"]["ATT"], rel=1e-8)
    assert result.standard_error == pytest.approx(expected["att"]["se"]["ATT"], rel=1e-8)
    _same(
        event_study(data, "y", **STAGG).to_frame("dynamic"), "event_time", expected["twfe_event"], "time_to_treatment::"
    )
    static, name = static_two_way(data, "y", **STAGG), "treated:I(year >= year_treated)"
    assert static.estimate == pytest.approx(expected["static_twfe"]["coef"][name], rel=1e-8)
    assert static.standard_error == pytest.approx(expected["static_twfe"]["se"][name], rel=1e-8)


def test_sun_abraham_on_mpdta_equals_fixest(shared: Path) -> None:
    expected = _expected(shared, "mpdta_sunab")
    result = sun_abraham(pd.read_csv(shared / "econ" / "mpdta.csv"), "lemp", **MPDTA)
    _same(result.to_frame("dynamic"), "event_time", expected["event"], "year::")
    assert result.standard_error == pytest.approx(expected["att"]["se"]["ATT"], rel=1e-8)


def _dense_imputation(data: pd.DataFrame) -> tuple[float, float]:
    """Borusyak, Jaravel and Spiess by dummies: the estimate as weights on outcomes, and the variance of theorem 3."""
    units = pd.get_dummies(data["unit"]).to_numpy(float)
    years = pd.get_dummies(data["year"]).to_numpy(float)
    x = np.hstack([units, years[:, 1:], data[["x"]].to_numpy()])
    y = data["y"].to_numpy()
    treated = (data["year"] >= data["first"]).to_numpy()
    w = np.full(treated.sum(), 1 / treated.sum())
    v = np.zeros(len(data))
    v[treated] = w
    v[~treated] = -x[~treated] @ np.linalg.pinv(x[~treated].T @ x[~treated]) @ x[treated].T @ w
    left = y - x @ np.linalg.lstsq(x[~treated], y[~treated], rcond=None)[0]
    for _, rows in data[treated].groupby(["first", "year"]):
        place = data.index.get_indexer(rows.index)
        left[place] -= (v[place] ** 2 @ left[place]) / (v[place] ** 2).sum()
    by_unit = np.bincount(data["unit"], weights=v * left)
    return float(v @ y), float(np.sqrt((by_unit**2).sum()))


def test_imputation_equals_a_dense_computation() -> None:
    data = policy_panel(units=60).sample(frac=0.9, random_state=1).sort_index().reset_index(drop=True)
    data["unit"] = pd.factorize(data["unit"])[0]
    result = imputation(data, "y", **PANEL, controls=["x"])
    estimate, error = _dense_imputation(data)
    assert result.estimate == pytest.approx(estimate, abs=1e-8)
    assert result.standard_error == pytest.approx(error, rel=1e-6)


def test_leads_of_the_imputation_estimator_are_a_regression_on_untreated_rows() -> None:
    data = policy_panel(units=60)
    result = imputation(data, "y", **PANEL)
    untreated = data.loc[~(data["year"] >= data["first"])].copy()
    since = untreated["year"] - untreated["first"]
    leads = [step for step in range(-6, -1) if (since == step).any()]
    for step in leads:
        untreated[f"lead{-step}"] = (since == step).astype(float)
    names = [f"lead{-step}" for step in leads]
    model = regress(untreated, "y", names, fixed_effects=["unit", "year"], cluster="unit")
    frame = result.to_frame("dynamic").set_index("event_time").loc[leads]
    assert frame["estimate"].to_numpy() == pytest.approx(model.coefficients.to_numpy(), abs=1e-8)
    assert frame["standard_error"].to_numpy() == pytest.approx(model.standard_errors.to_numpy(), rel=0.02)
    test = result.pre_trend_test()
    assert test["degrees_of_freedom"] == len(leads)
    assert test["p_value"] == pytest.approx(wald_test(model).p_value, abs=0.02)
    assert test["p_value"] > 0.01


@pytest.mark.parametrize("cluster", [None, "province"])
def test_callaway_santanna_equals_diff_diff_on_an_unbalanced_panel(cluster: str | None) -> None:
    from diff_diff import CallawaySantAnna

    data = policy_panel().sample(frac=0.92, random_state=2).sort_index()
    ours = callaway_santanna(data, "y", **PANEL, cluster=cluster, control_group="not_yet_treated").to_frame(
        "group_time"
    )
    other = CallawaySantAnna(control_group="not_yet_treated", cluster=cluster)
    with pytest.warns(UserWarning):
        cells = other.fit(data.fillna({"first": 0}), "y", "unit", "year", "first").group_time_effects
    for row in ours.itertuples():
        cell = cells[(row.group, row.time)]
        assert row.estimate == pytest.approx(cell["effect"], abs=1e-12)
        assert row.standard_error == pytest.approx(cell["se"], rel=1e-9)


def test_every_estimator_finds_a_growing_effect_that_the_static_one_misses() -> None:
    data = policy_panel(units=900, noise=0.3)
    truth = data.loc[data["truth"] > 0, "truth"].mean()
    comparison = compare_estimators(data, "y", **PANEL)
    frame = comparison.to_frame().set_index("estimator")
    assert not comparison.failures
    for name in frame.index.difference(["static_two_way", "event_study"]):
        assert abs(frame.loc[name, "estimate"] - truth) < 3 * frame.loc[name, "standard_error"]
    # Units already treated serve as controls while their effect still grows: the static estimate falls short.
    assert frame.loc["static_two_way", "estimate"] < truth - 5 * frame.loc["static_two_way", "standard_error"]
    assert comparison.bacon is not None and comparison.bacon.forbidden_weight > 0.1
    dynamic = comparison.event_studies()
    at_three = dynamic.loc[(dynamic["event_time"] == 3) & (dynamic["estimator"] != "event_study")]
    assert at_three["estimate"].to_numpy() == pytest.approx(np.full(len(at_three), 2.5), abs=0.15)
    assert "static_two_way" in comparison.summary()


def test_bacon_weights_are_those_of_the_two_way_estimate() -> None:
    data = policy_panel(units=90)
    decomposition = bacon_decomposition(data, "y", **PANEL)
    assert decomposition.comparisons["weight"].sum() == pytest.approx(1, abs=1e-12)
    assert decomposition.gap == pytest.approx(0, abs=1e-10)
    assert decomposition.estimate == pytest.approx(static_two_way(data, "y", **PANEL).estimate, abs=1e-10)
    # One comparison by hand: cohort 4 against never treated is a plain difference in differences.
    mean = data.assign(after=data["year"] >= 4).groupby([data["first"].fillna(0), "after"])["y"].mean()
    by_hand = mean[4.0, True] - mean[4.0, False] - mean[0.0, True] + mean[0.0, False]
    first = decomposition.comparisons.query("treated_group == 4 and comparison_group == 0")
    assert first["estimate"].item() == pytest.approx(by_hand, abs=1e-10)
    unbalanced = bacon_decomposition(data.drop(index=[0, 1]), "y", **PANEL)
    assert unbalanced.dropped == {"unit not seen in all periods": 8}


def test_event_study_window_joins_the_ends() -> None:
    data = policy_panel()
    result = event_study(data, "y", **PANEL, window=(-3, 4))
    frame = result.event_study()
    assert frame["event_time"].tolist() == list(range(-3, 5))
    assert frame.loc[frame["is_reference"], "event_time"].tolist() == [-1]
    since = data["year"] - data["first"]
    assert frame["observations"].iloc[-1] == (since >= 4).sum()
    assert (frame["uniform_high"] >= frame["interval_high"] - 1e-9).all()


def test_universal_base_periods_equal_sun_abraham_without_covariates() -> None:
    # On a balanced panel without covariates both are means of the same differences.
    data = policy_panel()
    ours = callaway_santanna(data, "y", **PANEL, base_period="universal").event_study()
    other = sun_abraham(data, "y", **PANEL).event_study()
    assert ours["estimate"].to_numpy() == pytest.approx(other["estimate"].to_numpy(), abs=1e-10)


def test_without_units_never_treated_the_last_cohort_compares() -> None:
    data = policy_panel().dropna(subset=["first"])
    with pytest.raises(EstimationError, match="not_yet_treated"):
        callaway_santanna(data, "y", **PANEL)
    result = callaway_santanna(data, "y", **PANEL, control_group="not_yet_treated")
    assert result.dropped == {"no comparison left": int((data["year"] >= 7).sum())}
    early = data.loc[data["year"] < 7].assign(first=lambda frame: frame["first"].where(frame["first"] == 4))
    assert result.estimate == pytest.approx(callaway_santanna(early, "y", **PANEL).estimate, abs=1e-12)
    assert any("only comparison" in text for text in result.warnings)
    assert event_study(data, "y", **PANEL).warnings


def test_ways_to_write_never_treated_are_one() -> None:
    data = policy_panel()
    results = [
        callaway_santanna(data.assign(first=data["first"].fillna(value)), "y", **PANEL) for value in (0, np.inf, 10000)
    ]
    plain = callaway_santanna(data, "y", **PANEL)
    for result in results:
        pd.testing.assert_frame_equal(result.effects, plain.effects)


def test_always_treated_units_are_left_out_and_said() -> None:
    data = policy_panel()
    data.loc[data["unit"] < 3, "first"] = 1.0
    result = static_two_way(data, "y", **PANEL)
    assert result.dropped == {"not seen before treatment": 30}
    assert any("3 units" in text for text in result.warnings)
    kept = static_two_way(data, "y", **PANEL, drop_always_treated=False)
    assert kept.observations == len(data)
    # So is a unit whose rows begin after its treatment.
    late = policy_panel()
    unit = late.loc[late["first"] == 4, "unit"].iloc[0]
    late = late.loc[(late["unit"] != unit) | (late["year"] >= 6)]
    assert imputation(late, "y", **PANEL).dropped == {"not seen before treatment": 5}


def test_nullable_columns_and_text_units_work() -> None:
    data = policy_panel()
    other = data.assign(
        unit=data["unit"].map("{:06d}".format), first=data["first"].astype("Int64"), year=data["year"].astype("Int64")
    )
    for function in (static_two_way, callaway_santanna, imputation):
        assert function(other, "y", **PANEL).estimate == pytest.approx(function(data, "y", **PANEL).estimate, abs=1e-10)


def test_what_cannot_work_is_refused() -> None:
    data = policy_panel()
    with pytest.raises(DataError, match="repeat a unit and period"):
        callaway_santanna(pd.concat([data, data.head(2)]), "y", **PANEL)
    with pytest.raises(DataError, match="differs within 1 units"):
        static_two_way(data.assign(first=data["first"].where(data.index != 0, 5)), "y", **PANEL)
    with pytest.raises(DataError, match="no column 'z'"):
        sun_abraham(data, "y", **PANEL, controls=["z"])
    with pytest.raises(EstimationError, match="no unit becomes treated"):
        static_two_way(data.assign(first=np.nan), "y", **PANEL)
    with pytest.raises(DataError, match="unknown estimators: magic"):
        compare_estimators(data, "y", **PANEL, estimators=["magic"])  # type: ignore[list-item]
    with pytest.raises(DataError, match="no aggregation 'calendar'"):
        static_two_way(data, "y", **PANEL).to_frame("calendar")


def test_missing_and_infinite_values_are_counted() -> None:
    data = policy_panel()
    data.loc[[0, 5], "y"] = [np.nan, np.inf]
    data.loc[7, "x"] = np.nan
    result = imputation(data, "y", **PANEL, controls=["x"])
    assert result.dropped == {"missing y": 2, "missing x": 1}
    assert result.observations == len(data) - 3


def test_a_cell_that_cannot_be_estimated_is_flagged() -> None:
    data = policy_panel()
    # The covariate tells cohort 4 from all others: no overlap.
    data["x"] = (data["first"] == 4) * 5.0 + np.random.default_rng(3).uniform(size=120)[data["unit"]]
    result = callaway_santanna(data, "y", **PANEL, controls=["x"])
    assert any("no overlap" in text for text in result.warnings)
    assert set(result.to_frame("group")["group"]) == {7.0}
    one_cluster = callaway_santanna(data.assign(province=1), "y", **PANEL, cluster="province")
    assert np.isnan(one_cluster.standard_error)
    assert any("only 1 clusters" in text for text in one_cluster.warnings)


def test_results_are_the_same_twice() -> None:
    data = policy_panel()

    def run() -> tuple[StaggeredEffects, pd.DataFrame]:
        result = callaway_santanna(data.sample(frac=1, random_state=4), "y", **PANEL)
        return result, result.event_study()

    first, second = run(), run()
    pd.testing.assert_frame_equal(first[0].effects, second[0].effects, check_exact=True)
    pd.testing.assert_frame_equal(first[1], second[1], check_exact=True)
