"""Mediation against stored numbers of R, against refits with dummies, and on data that cannot work."""

import json
from collections.abc import Callable
from pathlib import Path
from statistics import NormalDist
from typing import Any, get_args

import numpy as np
import pandas as pd
import pytest

from econometrics.estimation.multiple_testing import holm
from econometrics.mediate import mediate
from econometrics.mediate.fit import SystemFit, gradient, hessians
from econometrics.mediate.intervals import (
    BOOTSTRAP,
    METHODS,
    MethodChoice,
    analytic_inference,
    resampling_inference,
)
from econometrics.mediate.nonlinear import mediate_nonlinear
from econometrics.mediate.system import Columns, linear_system
from econometrics.regress import regress
from econometrics.resample import draw_cluster_weights
from econometrics.tables.mediation import _METHODS as METHODS_IN_TABLES
from econometrics.tables.mediation_parts import BOOTSTRAPS
from shuzhi import DataError, EstimationError, SpecError

EFFECTS = ["stock_code", "report_year"]


def panel(seed: int = 1, firms: int = 60) -> pd.DataFrame:
    """An unbalanced firm panel with two mediators, instruments and groups."""
    rng = np.random.default_rng(seed)
    firm, year = np.nonzero(rng.random((firms, 8)) < 0.8)
    rows = len(firm)
    trait = rng.normal(size=(firms, 3))[firm]
    z, zm, shock = rng.normal(size=(3, rows))
    x = 0.7 * z + 0.4 * shock + trait[:, 0] + rng.normal(size=rows)
    m1 = 0.5 * x * (1 + 0.5 * (firm % 2)) + 0.8 * zm + trait[:, 1] + rng.normal(size=rows)
    m2 = 0.3 * x + 0.4 * m1 + rng.normal(size=rows)
    y = 0.2 * x + 0.4 * m1 + 0.3 * m2 + 0.5 * shock + 0.1 * x * m1 + trait[:, 2] + 0.05 * year + rng.normal(size=rows)
    return pd.DataFrame(
        {
            "stock_code": [f"{number:06d}" for number in firm],
            "report_year": 2010 + year,
            "industry": [f"C{number % 7}" for number in firm],
            "province": firm % 12,
            "state": np.where(firm % 2 == 1, "state", "private"),
            "x": x,
            "m1": m1,
            "m2": m2,
            "y": y,
            "z": z,
            "zm": zm,
            "size": trait[:, 0] + rng.normal(size=rows),
        }
    )


def residuals(
    data: pd.DataFrame, columns: list[str], effects: list[str], weights: np.ndarray | None = None
) -> pd.DataFrame:
    """Columns less their (weighted) regression on dummies, times the square root of the weights."""
    dummies = [pd.get_dummies(data[name].astype(str)).to_numpy(dtype=float) for name in effects]
    right = np.hstack(dummies or [np.ones((len(data), 1))])
    left = data[columns].to_numpy(dtype=float)
    root = np.ones((len(data), 1)) if weights is None else np.sqrt(weights)[:, None]
    rest = root * left - root * right @ np.linalg.lstsq(root * right, root * left, rcond=1e-11)[0]
    return pd.DataFrame(rest, columns=columns)


def ols(rest: pd.DataFrame, outcome: str, *regressors: str) -> np.ndarray:
    return np.linalg.lstsq(rest[list(regressors)].to_numpy(), rest[outcome].to_numpy(), rcond=None)[0]


@pytest.fixture(scope="module")
def expected(shared: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((shared / "econ" / "expected.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def wagepan(shared: Path) -> pd.DataFrame:
    data = pd.read_csv(shared / "econ" / "wagepan.csv")
    return data.assign(lhours=np.log(data["hours"]))


@pytest.fixture(scope="module")
def wage_model(wagepan: pd.DataFrame) -> Callable[..., Any]:
    def run(method: str, **more: Any) -> Any:
        options = {"controls": ["married", "expersq"], "fixed_effects": ["nr", "year"], "cluster": "nr", "draws": 400}
        return mediate(wagepan, "lwage", "union", "lhours", **{**options, "method": method, **more})

    return run


def test_wage_panel_of_fixest(wage_model: Callable[..., Any], expected: dict[str, Any]) -> None:
    values = expected["wagepan_panel_mediation"]["values"]
    found = wage_model("sobel")
    for row, estimate in ((found.total, "total"), (found.a, "a"), (found.b, "b"), (found.direct, "direct")):
        assert row.estimate == pytest.approx(values[estimate], rel=1e-9)
    assert found.a.standard_error == pytest.approx(values["se_a"], rel=1e-9)
    assert found.b.standard_error == pytest.approx(values["se_b"], rel=1e-9)
    assert found.direct.standard_error == pytest.approx(values["se_direct"], rel=1e-9)
    assert found.indirect.estimate == pytest.approx(values["ab"], rel=1e-9)
    assert found.indirect.standard_error == pytest.approx(values["sobel_se"], rel=1e-9)
    assert abs(found.identity_gap) < 1e-12
    # Share by hand: 0.004241 / 0.080002
    assert found.share_mediated == pytest.approx(values["ab"] / values["total"])
    assert found.clusters == {"nr": 545}


def test_percentile_interval_of_the_stored_replicates(shared: Path, expected: dict[str, Any]) -> None:
    values = expected["wagepan_panel_mediation"]["values"]
    stored = pd.read_csv(shared / "econ" / "wagepan_boot_replicates.csv")["ab"].to_numpy()[:, None]
    found = resampling_inference(np.array([values["ab"]]), stored, "percentile", 0.95)
    assert [found.low[0], found.high[0]] == pytest.approx(values["boot_pct_ci"], rel=1e-9)
    assert found.standard_errors[0] == pytest.approx(values["boot_sd_ab"], rel=1e-9)


def test_jobs_of_r_mediation(shared: Path, expected: dict[str, Any]) -> None:
    values = expected["jobs_mediate_linear"]["values"]
    jobs = pd.read_csv(shared / "econ" / "jobs.csv")
    names = ("depress2", "treat", "job_seek")
    found = mediate(jobs, *names, controls=["econ_hard", "sex", "age"], method="sobel")
    assert found.a.estimate == pytest.approx(values["a"], rel=1e-9)
    assert found.b.estimate == pytest.approx(values["b"], rel=1e-9)
    assert found.direct.estimate == pytest.approx(values["direct"], rel=1e-9)
    assert found.indirect.estimate == pytest.approx(values["ab"], rel=1e-9)
    assert found.indirect.standard_error == pytest.approx(values["sobel_se"], rel=1e-9)
    aroian = mediate(jobs, *names, controls=["econ_hard", "sex", "age"], method="aroian")
    assert aroian.indirect.standard_error == pytest.approx(values["aroian_se"], rel=1e-9)
    # With classical errors paths a and b are uncorrelated, so that the delta method is Sobel's.
    delta = mediate(jobs, *names, controls=["econ_hard", "sex", "age"], method="delta")
    assert delta.indirect.standard_error == pytest.approx(values["sobel_se"], rel=1e-9)
    drawn = mediate(jobs, *names, controls=["econ_hard", "sex", "age"], method="monte_carlo", draws=20_000)
    width = values["ACME_ci_qb"][1] - values["ACME_ci_qb"][0]
    assert list(drawn.indirect.interval) == pytest.approx(values["ACME_ci_qb"], abs=0.05 * width)
    assert np.isnan(drawn.share_mediated)
    assert "near 0" in drawn.share_reason


def test_every_replicate_equals_a_refit_with_dummies() -> None:
    data = panel()
    found = mediate(
        data, "y", "x", "m1", controls="size", fixed_effects=["stock_code", "industry^report_year"],
        cluster="stock_code", draws=6, seed=11,
    )  # fmt: skip
    firms = pd.factorize(data["stock_code"])[0]
    data["cell"] = data["industry"] + data["report_year"].astype(str)
    weights = draw_cluster_weights(firms.max() + 1, 6, seed=11)
    for weight, replicate in zip(weights, found.replicates.itertuples(index=False), strict=True):
        # Rows repeated as often as their firm was drawn, each copy a row of the same firm.
        again = data.loc[data.index.repeat(weight[firms])].reset_index(drop=True)
        rest = residuals(again, ["y", "x", "m1", "size"], ["stock_code", "cell"])
        a = ols(rest, "m1", "x", "size")[0]
        direct, b, _ = ols(rest, "y", "x", "m1", "size")
        total = ols(rest, "y", "x", "size")[0]
        assert list(replicate) == pytest.approx([total, a, b, direct, a * b], abs=1e-10)


def test_standard_errors_are_those_of_regress_and_paths_are_correlated() -> None:
    data = panel()
    found = mediate(data, "y", "x", "m1", controls="size", fixed_effects=EFFECTS, cluster="province", method="delta")
    total, first = found.regressions
    assert found.total.standard_error == pytest.approx(total.standard_errors["x"], rel=1e-10)
    assert found.a.standard_error == pytest.approx(first.standard_errors["x"], rel=1e-10)
    assert found.a.interval == pytest.approx(tuple(first.confidence_intervals().loc["x"]), rel=1e-10)
    stepwise = mediate(
        data, "y", "x", "m1", controls="size", fixed_effects=EFFECTS, cluster="province", method="delta",
        layout="stepwise",
    )  # fmt: skip
    third = stepwise.regressions[2]
    assert found.b.standard_error == pytest.approx(third.standard_errors["m1"], rel=1e-10)
    # Covariance of a and b by hand: scores of both equations, summed by province.
    rest = residuals(data, ["y", "x", "m1", "size"], EFFECTS)
    one, two = rest[["x", "size"]].to_numpy(), rest[["x", "m1", "size"]].to_numpy()
    e = rest["m1"] - one @ ols(rest, "m1", "x", "size")
    u = rest["y"] - two @ ols(rest, "y", "x", "m1", "size")
    influence = np.column_stack(
        [(one @ np.linalg.inv(one.T @ one))[:, 0] * e, (two @ np.linalg.inv(two.T @ two))[:, 1] * u]
    )
    sums = pd.DataFrame(influence).groupby(data["province"].to_numpy()).sum().to_numpy()
    covariance = sums.T @ sums
    scale = np.array([found.a.standard_error, found.b.standard_error]) / np.sqrt(np.diag(covariance))
    covariance *= np.outer(scale, scale)
    slope = np.array([found.b.estimate, found.a.estimate])
    assert found.indirect.standard_error == pytest.approx(np.sqrt(slope @ covariance @ slope), rel=1e-9)
    sobel = mediate(data, "y", "x", "m1", controls="size", fixed_effects=EFFECTS, cluster="province", method="sobel")
    assert abs(sobel.indirect.standard_error / found.indirect.standard_error - 1) > 0.01


@pytest.mark.parametrize("structure", ["parallel", "serial"])
def test_two_mediators(structure: Any) -> None:
    data = panel()
    found = mediate(
        data, "y", "x", ["m1", "m2"], controls="size", fixed_effects=EFFECTS, cluster="stock_code", draws=300,
        structure=structure,
    )  # fmt: skip
    rest = residuals(data, ["y", "x", "m1", "m2", "size"], EFFECTS)
    a1 = ols(rest, "m1", "x", "size")[0]
    total = ols(rest, "y", "x", "size")[0]
    direct, b1, b2, _ = ols(rest, "y", "x", "m1", "m2", "size")
    if structure == "parallel":
        a2 = ols(rest, "m2", "x", "size")[0]
        paths = {"m1": a1 * b1, "m2": a2 * b2}
    else:
        a2, d, _ = ols(rest, "m2", "x", "m1", "size")
        paths = {"m1": a1 * b1, "m2": a2 * b2, "m1 -> m2": a1 * d * b2}
    for path, value in paths.items():
        assert found.of("indirect", path).estimate == pytest.approx(value, rel=1e-9)
    assert found.indirect.estimate == pytest.approx(total - direct, rel=1e-9)
    drawn = found.replicates
    indirect = sum(drawn[f"indirect[{path}]"] for path in paths)
    np.testing.assert_allclose(drawn["total"], drawn["direct"] + indirect, atol=1e-10)
    rows = [found.of("indirect", path) for path in paths]
    np.testing.assert_allclose([row.adjusted_p_value for row in rows], holm([row.p_value for row in rows]))
    assert np.isnan(found.total.adjusted_p_value)
    with pytest.raises(SpecError, match="2 effects are called a"):
        _ = found.a


def test_romano_wolf_needs_replicates_and_lies_between() -> None:
    data = panel()
    options: dict[str, Any] = {"fixed_effects": EFFECTS, "cluster": "stock_code", "draws": 300}
    found = mediate(data, "y", "x", ["m1", "m2"], adjust="romano_wolf", **options)
    rows = [row for row in found.effects if row.effect == "indirect"]
    assert all(1 / 301 <= row.adjusted_p_value <= 1 for row in rows)
    with pytest.raises(SpecError, match="needs bootstrap replicates"):
        mediate(data, "y", "x", ["m1", "m2"], adjust="romano_wolf", method="delta", **options)


def test_instrumented_treatment_and_mediator() -> None:
    data = panel()
    options: dict[str, Any] = {
        "controls": "size",
        "fixed_effects": EFFECTS,
        "cluster": "stock_code",
        "draws": 4,
        "seed": 3,
    }
    found = mediate(data, "y", "x", "m1", instruments={"x": "z", "m1": "zm"}, **options)
    columns = ["y", "x", "m1", "size", "z", "zm"]
    firms = pd.factorize(data["stock_code"])[0]
    weights = draw_cluster_weights(firms.max() + 1, 4, seed=3)
    rows = [found.replicates.iloc[number].tolist() for number in range(4)]
    rows.append([row.estimate for row in (found.total, found.a, found.b, found.direct, found.indirect)])
    for weight, numbers in zip([*weights, np.ones(firms.max() + 1)], rows, strict=True):
        rest = residuals(data, columns, EFFECTS, weight[firms].astype(float))
        # Just identified: instruments are orthogonal to the residuals.
        short, controls = rest[["z", "size"]].to_numpy(), rest[["x", "size"]].to_numpy()
        total = np.linalg.solve(short.T @ controls, short.T @ rest["y"])[0]
        a = np.linalg.solve(short.T @ controls, short.T @ rest["m1"])[0]
        given, right = rest[["z", "zm", "size"]].to_numpy(), rest[["x", "m1", "size"]].to_numpy()
        direct, b, _ = np.linalg.solve(given.T @ right, given.T @ rest["y"])
        assert numbers == pytest.approx([total, a, b, direct, a * b], abs=1e-10)
        assert total == pytest.approx(direct + a * b, abs=1e-10)
    assert found.first_stages.keys() == {"total", "a[m1]", "outcome"}
    assert found.first_stages["total"] > 10
    assert found.sensitivity is None
    assert any("instruments of x" in text for text in found.assumptions)


def test_more_instruments_than_variables_break_the_identity_which_is_said() -> None:
    data = panel().assign(z2=lambda d: d["z"] + np.random.default_rng(0).normal(size=len(d)))
    found = mediate(
        data, "y", "x", "m1", instruments=["z", "z2"], fixed_effects=EFFECTS, cluster="stock_code", draws=50
    )
    assert found.identity_gap != 0
    assert any("more instruments" in text for text in found.warnings)


@pytest.mark.parametrize("method", ["delta", "percentile", "bca", "monte_carlo"])
def test_groups_are_subsamples_and_their_difference(method: Any) -> None:
    data = panel()
    options: dict[str, Any] = {
        "controls": "size", "fixed_effects": EFFECTS, "cluster": "stock_code", "method": method, "draws": 300,
    }  # fmt: skip
    found = mediate(data, "y", "x", "m1", moderator="state", **options)
    rows = {(row.effect, row.group): row for row in found.moderation}
    groups = {group: f"state = {group}" for group in ("private", "state")}
    apart = {group: mediate(data[data["state"] == group], "y", "x", "m1", **options) for group in groups}
    for group, label in groups.items():
        assert rows["indirect_in_group", label].estimate == pytest.approx(apart[group].indirect.estimate, rel=1e-9)
        if method == "delta":
            assert rows["indirect_in_group", label].standard_error == pytest.approx(
                apart[group].indirect.standard_error, rel=1e-9
            )
    difference = rows["indirect_difference", "state = state less state = private"]
    assert difference.estimate == pytest.approx(
        apart["state"].indirect.estimate - apart["private"].indirect.estimate, rel=1e-9
    )
    # The groups share no firm, so that variances add up.
    together = np.hypot(*(apart[group].indirect.standard_error for group in groups))
    assert difference.standard_error == pytest.approx(together, rel=1e-9 if method == "delta" else 0.2)
    assert difference.interval_low < difference.estimate < difference.interval_high


def test_continuous_moderator() -> None:
    data = panel()
    found = mediate(data, "y", "x", "m1", moderator="size", fixed_effects=EFFECTS, cluster="stock_code", method="delta")
    w = data["size"] - data["size"].mean()
    wide = data.assign(w=w, xw=(data["x"] - data["x"].mean()) * w, mw=(data["m1"] - data["m1"].mean()) * w)
    rest = residuals(wide, ["y", "x", "m1", "w", "xw", "mw"], EFFECTS)
    a, a_change, _ = ols(rest, "m1", "x", "xw", "w")
    _, _, b, b_change, _ = ols(rest, "y", "x", "xw", "m1", "mw", "w")
    spread = data["size"].std()
    rows = [row for row in found.moderation if row.effect == "indirect_in_group"]
    values = [(a + a_change * value) * (b + b_change * value) for value in (-spread, 0.0, spread)]
    assert [row.estimate for row in rows] == pytest.approx(values, rel=1e-9)
    (difference,) = (row for row in found.moderation if row.effect == "indirect_difference")
    assert difference.estimate == pytest.approx(values[2] - values[0], rel=1e-9)


def test_interaction_of_treatment_and_mediator() -> None:
    data = panel()
    found = mediate(
        data, "y", "x", "m1", fixed_effects=EFFECTS, cluster="stock_code", method="delta", interaction=True,
        treatment_values=(-1.0, 1.0),
    )  # fmt: skip
    wide = data.assign(both=data["x"] * (data["m1"] - data["m1"].mean()))
    rest = residuals(wide, ["y", "x", "m1", "both"], EFFECTS)
    (a,) = ols(rest, "m1", "x")
    direct, b, h = ols(rest, "y", "x", "m1", "both")
    rows = {row.effect: row for row in found.interaction}
    assert rows["interaction"].estimate == pytest.approx(h, rel=1e-9)
    assert rows["indirect_at_low"].estimate == pytest.approx(2 * a * (b - h), rel=1e-9)
    assert rows["indirect_at_high"].estimate == pytest.approx(2 * a * (b + h), rel=1e-9)
    at_low = 2 * (direct + h * a * (-1 - data["x"].mean()))
    assert rows["direct_at_low"].estimate == pytest.approx(at_low, rel=1e-9)
    assert rows["total_with_interaction"].estimate == pytest.approx(at_low + 2 * a * (b + h), rel=1e-9)
    assert rows["interaction"].p_value < 0.05


def test_intervals_by_hand() -> None:
    rng = np.random.default_rng(0)
    replicates, jackknife = rng.gamma(2.0, size=(999, 1)), rng.gamma(3.0, size=(40, 1))
    estimate = np.array([1.6])
    values = np.sort(replicates[:, 0])
    percentile = resampling_inference(estimate, replicates, "percentile", 0.9)
    # 5 % and 95 % of 999 values: positions 0.05 * 998 = 49.9 and 948.1 from 0.
    assert percentile.low[0] == pytest.approx(values[49] + 0.9 * (values[50] - values[49]))
    assert percentile.high[0] == pytest.approx(values[948] + 0.1 * (values[949] - values[948]))
    basic = resampling_inference(estimate, replicates, "basic", 0.9)
    assert basic.low[0] == pytest.approx(3.2 - percentile.high[0])
    assert basic.high[0] == pytest.approx(3.2 - percentile.low[0])
    normal = NormalDist()
    # t quantile with 11 degrees of freedom at 5 %: -1.795885, times sqrt(12 / 11).
    expanded = resampling_inference(estimate, replicates, "expanded_percentile", 0.9, clusters=12)
    share = normal.cdf(-1.7958848 * (12 / 11) ** 0.5)
    assert expanded.low[0] == pytest.approx(np.quantile(values, share), rel=1e-6)
    assert expanded.high[0] == pytest.approx(np.quantile(values, 1 - share), rel=1e-6)
    z0 = normal.inv_cdf(sum(value < 1.6 for value in values) / 999)
    mean = sum(jackknife[:, 0]) / 40
    cubes = sum((mean - value) ** 3 for value in jackknife[:, 0])
    squares = sum((mean - value) ** 2 for value in jackknife[:, 0])
    acceleration = cubes / (6 * squares**1.5)
    bca = resampling_inference(estimate, replicates, "bca", 0.9, jackknife)
    for tail, limit in ((0.05, bca.low[0]), (0.95, bca.high[0])):
        z = z0 + normal.inv_cdf(tail)
        assert limit == pytest.approx(np.quantile(values, normal.cdf(z0 + z / (1 - acceleration * z))), rel=1e-9)


@pytest.mark.parametrize(("firms", "used"), [(49, "expanded_percentile"), (50, "percentile")])
def test_the_interval_is_expanded_below_50_clusters_unless_another_is_named(firms: int, used: str) -> None:
    options: dict[str, Any] = {"fixed_effects": EFFECTS, "cluster": "stock_code", "draws": 200}
    auto = mediate(panel(firms=firms), "y", "x", "m1", **options)
    assert auto.clusters == {"stock_code": firms}
    assert auto.method == used and {row.method for row in auto.effects} == {used}
    assert auto.to_frame().equals(mediate(panel(firms=firms), "y", "x", "m1", method=used, **options).to_frame())
    named = mediate(panel(firms=firms), "y", "x", "m1", method="percentile", **options)
    assert named.method == "percentile"
    replicates = named.replicates["indirect[m1]"]
    assert named.indirect.interval == pytest.approx(tuple(np.quantile(replicates, [0.025, 0.975])), rel=1e-12)
    assert ("expanded for few clusters" in auto.summary()) == (firms < 50)
    few = [text for text in auto.warnings if "clusters" in text]
    assert few == [
        "49 clusters of stock_code are few: the percentile interval is expanded by as much as t quantiles are wider; "
        "regress(..., standard_errors='wild') or 'cr2' checks the paths"
    ] * (firms < 50)


def test_groups_with_few_clusters_have_expanded_intervals_of_their_own_number() -> None:
    # 60 firms together, 30 in each group.
    found = mediate(panel(), "y", "x", "m1", moderator="state", fixed_effects=EFFECTS, cluster="stock_code", draws=300)
    assert found.method == "percentile" and {row.method for row in found.effects} == {"percentile"}
    assert {row.method for row in found.moderation} == {"expanded_percentile"}
    # t quantile with 29 degrees of freedom at 2.5 %: -2.0452296, times sqrt(30 / 29).
    share = NormalDist().cdf(-2.0452296 * (30 / 29) ** 0.5)
    for row in found.moderation:
        if row.effect in ("indirect_in_group", "indirect_difference"):
            drawn = found.moderation_replicates[f"{row.effect}[m1]{{{row.group}}}"]
            assert row.interval == pytest.approx(tuple(np.quantile(drawn, [share, 1 - share])), rel=1e-6)
    assert "percentile bootstrap; by moderator: percentile bootstrap, expanded" in found.summary()


def test_tables_have_words_for_every_method() -> None:
    assert set(METHODS_IN_TABLES) == set(METHODS)
    assert set(BOOTSTRAPS) == set(BOOTSTRAP)
    assert set(get_args(MethodChoice)) == {"auto", *METHODS}


@pytest.mark.parametrize("method", ["percentile", "expanded_percentile", "basic", "bca"])
def test_p_value_is_the_level_at_which_the_interval_ends_at_0(method: Any) -> None:
    rng = np.random.default_rng(1)
    replicates, jackknife = rng.normal(1.5, 1.0, size=(100_000, 1)), rng.gamma(2.0, size=(50, 1))
    estimate = np.array([1.4])
    p_value = resampling_inference(estimate, replicates, method, 0.95, jackknife, 12).p_values[0]
    found = resampling_inference(estimate, replicates, method, 1 - p_value, jackknife, 12)
    assert 0.01 < p_value < 0.5
    assert min(abs(found.low[0]), abs(found.high[0])) < 0.01


def test_derivatives_of_products() -> None:
    columns = Columns(0, 1, (2, 3), (), {}, ("y", "x", "m1", "m2"))
    system = linear_system(columns, "serial")
    names = [f"{effect.effect}[{effect.mediator}]" for effect in system.effects]
    point = np.array([1.0, 0.5, 0.3, 0.4, 0.2, 0.6, 0.7])
    # Coefficients: total, a1, a2, d, direct, b1, b2; the path through both is a1 d b2.
    row = names.index("indirect[m1 -> m2]")
    assert gradient(system, point)[row] == pytest.approx([0, 0.4 * 0.7, 0, 0.5 * 0.7, 0, 0, 0.5 * 0.4])
    second = hessians(system, point)[row]
    assert second[1, 3] == pytest.approx(0.7)
    assert second[1, 6] == pytest.approx(0.4)
    assert second[3, 6] == pytest.approx(0.5)
    np.testing.assert_allclose(np.diag(second), 0, atol=1e-9)


def test_aroian_is_exact_for_a_product_of_independent_normals() -> None:
    system = linear_system(Columns(0, 1, (2,), (), {}, ("y", "x", "m")))
    covariance = np.diag([0.01, 0.04, 0.02, 0.09])
    fit = SystemFit(system, np.array([1.0, 0.5, 0.3, 0.8]), covariance, np.eye(4, dtype=bool), None, 50.0)
    # Variance of a b with a ~ (0.5, 0.04), b ~ (0.8, 0.09): a2 vb + b2 va + va vb = 0.0225 + 0.0256 + 0.0036
    assert analytic_inference(fit, "aroian", 0.95).standard_errors[-1] == pytest.approx(np.sqrt(0.0517))
    assert analytic_inference(fit, "sobel", 0.95).standard_errors[-1] == pytest.approx(np.sqrt(0.0481))


def test_same_input_same_output_and_input_unchanged() -> None:
    data = panel()
    before = data.copy(deep=True)
    options: dict[str, Any] = {"fixed_effects": EFFECTS, "cluster": "stock_code", "draws": 200, "moderator": "state"}
    first, second = (mediate(data, "y", "x", "m1", **options) for _ in range(2))
    assert first.to_frame().equals(second.to_frame())
    assert first.replicates.equals(second.replicates)
    assert first.summary() == second.summary()
    other = mediate(data, "y", "x", "m1", seed=2, **options)
    assert other.indirect.interval != first.indirect.interval
    assert other.indirect.estimate == first.indirect.estimate
    assert (first.seed, first.draws, len(first.replicates)) == (1, 200, 200)
    pd.testing.assert_frame_equal(data, before)


def test_layouts_say_what_they_assume() -> None:
    data = panel()
    options: dict[str, Any] = {"fixed_effects": EFFECTS, "cluster": "stock_code", "method": "delta"}
    channel = mediate(data, "y", "x", "m1", **options)
    stepwise = mediate(data, "y", "x", "m1", layout="stepwise", **options)
    assert [result.outcome for result in channel.regressions] == ["y", "m1"]
    assert [result.outcome for result in stepwise.regressions] == ["y", "m1", "y"]
    assert {result.observations for result in stepwise.regressions} == {stepwise.observations}
    assert any("Jiang 2022" in text for text in channel.assumptions)
    assert any("stepwise layout" in text for text in stepwise.assumptions)
    assert "Channel (Jiang 2022)" in channel.summary()
    columns = ["effect", "mediator", "term", "estimate", "standard_error", "statistic", "p_value", "interval_low"]
    assert set(columns) <= set(channel.to_frame().columns)


def test_share_is_not_given_where_signs_differ() -> None:
    data = panel()
    data["y"] = data["y"] - 2.0 * data["m1"]
    found = mediate(data, "y", "x", "m1", fixed_effects=EFFECTS, cluster="stock_code", draws=200)
    assert found.direct.estimate * found.indirect.estimate < 0
    assert np.isnan(found.share_mediated)
    assert "opposite signs" in found.share_reason
    assert "not given" in found.summary()


def test_same_sample_in_all_equations() -> None:
    data = panel()
    data.loc[3, "m1"] = np.nan
    data.loc[5, "y"] = np.inf
    data.loc[7, "size"] = np.nan
    found = mediate(data, "y", "x", "m1", controls="size", fixed_effects=EFFECTS, cluster="stock_code", draws=100)
    assert found.dropped == {"missing m1": 1, "missing size": 1, "infinite y": 1}
    assert found.observations == len(data) - 3
    assert {result.observations for result in found.regressions} == {len(data) - 3}
    assert any("100 bootstrap draws are few" in text for text in found.warnings)


def test_collinear_control_is_dropped_and_named() -> None:
    data = panel().assign(twice=lambda d: 2 * d["size"] + 1)
    options: dict[str, Any] = {"fixed_effects": EFFECTS, "cluster": "stock_code", "draws": 100}
    found = mediate(data, "y", "x", "m1", controls=["size", "twice"], **options)
    plain = mediate(data, "y", "x", "m1", controls=["size"], **options)
    assert found.collinear == ("twice",)
    assert any("twice is collinear with size" in text for text in found.warnings)
    assert found.indirect.estimate == pytest.approx(plain.indirect.estimate, rel=1e-12)
    assert found.indirect.interval == pytest.approx(plain.indirect.interval, rel=1e-9)


def test_few_clusters_are_flagged() -> None:
    found = mediate(panel(), "y", "x", "m1", fixed_effects=EFFECTS, cluster="province", draws=100)
    assert any("12 clusters of province are few" in text for text in found.warnings)


REFUSED = [
    ({"mediator": "flat"}, EstimationError, "flat does not vary"),
    ({"mediator": "trait"}, EstimationError, "trait is absorbed by the fixed effect"),
    ({"mediator": "same"}, EstimationError, "same is collinear with x"),
    ({"treatment": "flat"}, EstimationError, "flat does not vary"),
    ({"outcome": "flat"}, EstimationError, "flat does not vary"),
    ({"cluster": "one"}, EstimationError, "one cluster only"),
    ({"mediator": "empty"}, DataError, "no row is left"),
    ({"mediator": "endless"}, DataError, "no row is left"),
    ({"mediator": "state"}, DataError, "not numeric"),
    ({"mediator": "m3"}, DataError, "no column 'm3'"),
    ({"mediator": "x"}, SpecError, "'x' is named as treatment and as mediator"),
    ({"mediator": []}, SpecError, "no mediator"),
    ({"cluster": ["stock_code", "province"]}, SpecError, "one variable"),
    ({"instruments": {"size": "z"}}, SpecError, "not for size"),
    ({"instruments": "flat"}, EstimationError, "no instrument of x is left"),
    ({"method": "bayes"}, SpecError, "method 'bayes' is unknown"),
    ({"level": 95}, SpecError, "level must lie between"),
    ({"draws": 1}, SpecError, "draws must be at least 2"),
    ({"mediator": ["m1", "m2"], "interaction": True}, SpecError, "takes one mediator"),
    ({"moderator": "x"}, SpecError, "is also outcome, treatment or mediator"),
    ({"moderator": "stock_code"}, SpecError, "60 groups"),
    ({"moderator": "one"}, EstimationError, "one value only"),
    ({"moderator": "tiny"}, EstimationError, r"tiny = small \(3 rows\)"),
]


@pytest.mark.parametrize(("change", "error", "message"), REFUSED, ids=lambda value: str(value)[:40])
def test_what_cannot_work_is_refused_with_a_reason(change: dict[str, Any], error: type, message: str) -> None:
    data = panel()
    data["flat"], data["one"], data["empty"], data["endless"] = 3.0, "a", np.nan, np.inf
    data["trait"] = pd.factorize(data["stock_code"])[0].astype(float)
    data["same"] = 2 * data["x"]
    data["tiny"] = np.where(np.arange(len(data)) < 3, "small", "large")
    arguments = {"outcome": "y", "treatment": "x", "mediator": "m1", "controls": ["size"], "fixed_effects": EFFECTS}
    arguments |= {"cluster": "stock_code", "draws": 20}
    with pytest.raises(error, match=message):
        mediate(data, **{**arguments, **change})


def test_doubled_firm_years_are_refused() -> None:
    data = panel()
    with pytest.raises(DataError, match="occur more than once"):
        mediate(pd.concat([data, data.iloc[:2]]), "y", "x", "m1", fixed_effects=EFFECTS, cluster="stock_code")


def test_a_group_of_ten_rows_that_can_be_estimated_is_flagged() -> None:
    data = panel()
    first = data.groupby("stock_code").cumcount() < 5
    small = first & data["stock_code"].isin(sorted(data["stock_code"].unique())[:2])
    assert small.sum() == 10
    data["tiny"] = np.where(small, "small", "large")
    found = mediate(data, "y", "x", "m1", moderator="tiny", fixed_effects="stock_code", cluster="stock_code", draws=300)
    assert any("tiny = small (10 rows, 2 clusters): too few" in text for text in found.warnings)


def test_rows_are_resampled_without_a_cluster() -> None:
    data = panel().head(80)
    found = mediate(data, "y", "x", "m1", draws=5, seed=4)
    weights = draw_cluster_weights(80, 5, seed=4)
    for weight, replicate in zip(weights, found.replicates.itertuples(index=False), strict=True):
        rest = residuals(data, ["y", "x", "m1"], [], weight.astype(float))
        a, (direct, b) = ols(rest, "m1", "x")[0], ols(rest, "y", "x", "m1")
        assert list(replicate) == pytest.approx([direct + a * b, a, b, direct, a * b], abs=1e-10)
    robust = mediate(data, "y", "x", "m1", method="delta", robust=True)
    assert robust.a.standard_error == pytest.approx(regress(data, "m1", "x").standard_errors["x"], rel=1e-10)


def test_framing_with_a_probit_outcome(shared: Path, expected: dict[str, Any]) -> None:
    values = expected["framing_mediate_probit"]["values"]
    data = pd.read_csv(shared / "econ" / "framing.csv")
    found = mediate_nonlinear(
        data, "cong_mesg", "treat", "emo", controls=["age", "educ", "gender", "income"], draws=20_000
    )
    # Two simulations: R's 5,000 draws have a standard error of 0.06 / sqrt(5,000) = 0.0009 for direct and total effect.
    assert found.indirect.estimate == pytest.approx(values["ACME_avg"], rel=0.02)
    assert found.total.estimate == pytest.approx(values["total"], abs=0.003)
    assert found.direct.estimate == pytest.approx(values["ADE_avg"], abs=0.003)
    assert list(found.indirect.interval) == pytest.approx(values["ACME_ci"], abs=0.006)
    assert list(found.direct.interval) == pytest.approx(values["ADE_ci"], abs=0.012)
    assert found.share_mediated == pytest.approx(values["prop"], rel=0.05)


def test_simulated_effects_of_linear_models_are_products() -> None:
    data = panel()
    data["x"] = (data["x"] > 0).astype(float)
    found = mediate_nonlinear(data, "y", "x", "m1", controls=["size", "state"], outcome_model="linear", draws=4000)
    linear = mediate(
        data.assign(s=(data["state"] == "state") * 1.0), "y", "x", "m1", controls=["size", "s"], method="delta"
    )
    assert found.indirect.estimate == pytest.approx(linear.indirect.estimate, abs=0.05 * linear.indirect.standard_error)
    assert found.indirect.standard_error == pytest.approx(linear.indirect.standard_error, rel=0.05)
    assert found.direct.estimate == pytest.approx(linear.direct.estimate, abs=0.05 * linear.direct.standard_error)


@pytest.mark.parametrize("family", ["probit", "logit"])
def test_binary_models_against_statsmodels(family: Any) -> None:
    import statsmodels.api as sm

    from econometrics.estimation.binary_response import fit_response

    data = panel()
    x = np.column_stack([np.ones(len(data)), data["x"], data["m1"]])
    y = (data["y"] > data["y"].median()).to_numpy(dtype=float)
    codes = pd.factorize(data["stock_code"])[0]
    link = sm.families.links.Probit() if family == "probit" else sm.families.links.Logit()
    reference = sm.GLM(y, x, family=sm.families.Binomial(link)).fit(tol=1e-14)
    found = fit_response(family, y, x, "y")
    np.testing.assert_allclose(found.coefficients, reference.params, rtol=1e-8)
    np.testing.assert_allclose(found.covariance, reference.cov_params(), rtol=1e-6)
    clustered = fit_response(family, y, x, "y", clusters=codes)
    assert clustered.covariance[1, 1] != pytest.approx(found.covariance[1, 1], rel=0.01)
    with pytest.raises(EstimationError, match="separate"):
        fit_response(family, (x[:, 1] > 0).astype(float), x[:, :2], "y")
    with pytest.raises(DataError, match="0 or 1"):
        fit_response(family, data["y"].to_numpy(), x, "y")


@pytest.mark.parametrize("robust", [False, True])
def test_groups_without_clusters_and_with_instruments(robust: bool) -> None:
    data = panel().assign(is_state=lambda d: (d["state"] == "state").astype(int))
    options: dict[str, Any] = {"method": "delta", "robust": robust, "instruments": "z", "controls": "size"}
    found = mediate(data, "y", "x", "m1", moderator="is_state", **options)
    apart = [mediate(data[data["is_state"] == value], "y", "x", "m1", **options).indirect for value in (0, 1)]
    (row,) = (row for row in found.moderation if row.effect == "indirect_difference")
    assert row.group == "is_state = 1 less is_state = 0"
    assert row.estimate == pytest.approx(apart[1].estimate - apart[0].estimate, rel=1e-9)
    assert row.standard_error == pytest.approx(np.hypot(apart[0].standard_error, apart[1].standard_error), rel=1e-9)


def test_missing_groups_are_dropped_and_counted() -> None:
    data = panel()
    data["state"] = data["state"].astype("str").where(data.index >= 5)
    found = mediate(data, "y", "x", "m1", moderator="state", fixed_effects=EFFECTS, cluster="stock_code", draws=50)
    assert found.dropped["missing state"] == 5
    assert {row.group for row in found.moderation if row.effect == "a_in_group"} == {"state = private", "state = state"}


def test_a_fixed_moderator_is_left_to_the_effects() -> None:
    data = panel()
    trait = pd.Series(np.random.default_rng(3).normal(size=200))
    data["trait"] = trait[pd.factorize(data["stock_code"])[0]].to_numpy()
    found = mediate(data, "y", "x", "m1", moderator="trait", fixed_effects=EFFECTS, cluster="stock_code", draws=100)
    assert [row.effect for row in found.moderation[:2]] == ["a_by_moderator", "b_by_moderator"]
    assert all(np.isfinite(row.standard_error) for row in found.moderation)
