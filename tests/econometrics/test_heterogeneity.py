"""Reference numbers of R, subsample regressions, and groups that must not crash."""

import json
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd
import pytest

from econometrics.estimation.effects import encode_effects
from econometrics.heterogeneity import by_group, group_by_threshold, indirect_by_group, permute_groups
from econometrics.regress import regress
from econometrics.resample import coefficients_from_gram, gram_kernel
from shuzhi import DataError, EstimationError, SpecError
from tests.econometrics.group_panels import firm_panel
from tests.econometrics.test_group_permutation import wagepan

MODEL = {"fixed_effects": ["firm", "year"], "cluster": "firm"}


def test_groups_of_wagepan_equal_r(shared: Path) -> None:
    expected = json.loads((shared / "econ" / "expected.json").read_text("utf-8"))["wagepan_between_group"]["values"]
    result = by_group(
        wagepan(shared),
        "lwage",
        ["union", "married", "expersq"],
        group="hs",
        fixed_effects=["nr", "year"],
        cluster="nr",
        small_sample="fixest",
    )
    for group, key in (("0", "g0"), ("1", "g1")):
        model = result.models[group]
        assert model.coefficients.to_dict() == pytest.approx(expected[key]["coef"], rel=1e-8)
        assert model.standard_errors.to_dict() == pytest.approx(expected[key]["se"], rel=1e-8)
    union = result.differences.loc[result.differences["term"] == "union"].set_index("test")
    assert union.loc["interaction", "estimate"] == pytest.approx(expected["interacted"]["coef"], rel=1e-8)
    assert union.loc["interaction", "standard_error"] == pytest.approx(expected["interacted"]["se"], rel=1e-8)
    assert union.loc["suest", "statistic"] == pytest.approx(expected["suest_z_independent"], rel=1e-8)
    chow = result.joint.query("term == 'all regressors' and test == 'interaction'").iloc[0]
    assert chow["numerator_degrees_of_freedom"] == expected["interacted"]["df1"]
    assert chow["statistic"] == pytest.approx(expected["interacted"]["chow_F"], rel=1e-8)
    assert chow["p_value"] == pytest.approx(expected["interacted"]["chow_p"], rel=1e-8)


@pytest.mark.parametrize("cluster", ["firm", "province", ("firm", "year"), ()])
def test_the_difference_is_that_of_the_subsamples(cluster: str | tuple[str, ...]) -> None:
    data = firm_panel(gap=0.3)
    result = by_group(data, "y", ["x", "c"], group="group", fixed_effects=["firm", "industry^year"], cluster=cluster)
    parts = {
        name: regress(part, "y", ["x", "c"], fixed_effects=["firm", "industry^year"], cluster=cluster)
        for name, part in data.groupby("group")
    }
    rows = result.differences.loc[result.differences["test"] == "suest"].set_index("term")
    for term in ("x", "c"):
        expected = parts["b"].coefficients[term] - parts["a"].coefficients[term]
        assert rows.loc[term, "estimate"] == pytest.approx(expected, abs=1e-9)
    if cluster in ("firm", ()):
        # No cluster holds rows of both groups: the estimates are independent.
        error = np.hypot(parts["a"].standard_errors["x"], parts["b"].standard_errors["x"])
        assert rows.loc["x", "standard_error"] == pytest.approx(error, rel=1e-9)


def test_clusters_that_span_groups_enter_the_covariance() -> None:
    data = firm_panel(firms=60)
    result = by_group(data, "y", ["x"], group="group", fixed_effects=["firm"], cluster="province")
    # By hand: scores of each group summed by province, with its own small-sample factor.
    pieces, scale = {}, {}
    for name, part in data.groupby("group"):
        clean = part.loc[part.groupby("firm")["firm"].transform("size") > 1]
        x = clean["x"] - clean.groupby("firm")["x"].transform("mean")
        y = clean["y"] - clean.groupby("firm")["y"].transform("mean")
        slope = (x @ y) / (x @ x)
        influence = (x * (y - slope * x) / (x @ x)).groupby(clean["province"]).sum()
        error = regress(part, "y", ["x"], fixed_effects=["firm"], cluster="province").standard_errors["x"]
        scale[name] = error / np.sqrt((influence**2).sum())
        pieces[name] = influence.reindex(range(8), fill_value=0.0) * scale[name]
    error = np.sqrt(((pieces["b"] - pieces["a"]) ** 2).sum())
    row = result.differences.query("test == 'suest'").iloc[0]
    assert row["standard_error"] == pytest.approx(error, rel=1e-9)


def test_three_groups_have_pairs_and_one_joint_test() -> None:
    data = firm_panel()
    data["third"] = pd.Series(["a", "b", "c"])[data["firm"] % 3].to_numpy()
    result = by_group(data, "y", ["x", "c"], group="third", **MODEL, permute="firm", draws=99)
    assert result.differences.query("test == 'interaction' and term == 'x'")["group"].tolist() == ["b", "c"]
    assert result.joint.query("term == 'x'")["numerator_degrees_of_freedom"].tolist() == [2, 2]
    assert result.joint.query("term == 'all regressors'")["numerator_degrees_of_freedom"].tolist() == [4, 4]
    assert set(result.p_values) == {"interaction", "suest", "permutation"}
    assert result.note == "permutation of firm: 99 draws, seed 1"
    between = result.permutation
    assert between is not None
    values = between.estimates[0]
    drawn = np.concatenate([np.zeros((99, 1)), between.replicates[:, 0]], axis=1)
    larger = (drawn.var(axis=1) >= values.var() * (1 - 1e-12)).sum()
    assert result.p_values["permutation"] == (1 + larger) / 100


def test_tiny_groups_are_flagged_not_fatal() -> None:
    data = firm_panel(firms=60)
    data["size"] = "large"
    data.loc[data["firm"].isin(data["firm"].unique()[:2]), "size"] = "ten rows"
    data.loc[data["firm"] == data["firm"].unique()[3], "size"] = "one firm"
    result = by_group(data, "y", ["x", "c"], group="size", **MODEL, permute="firm", draws=19)
    # Its year effects leave nothing of a single firm; without them there is a single cluster.
    assert "singleton" in result.flags["one firm"]
    without = by_group(data, "y", ["x", "c"], group="size", fixed_effects=["firm"], cluster="firm")
    assert "one cluster" in without.flags["one firm"]
    assert "one firm" not in result.groups
    frame = result.to_frame()
    assert frame.loc[frame["group"] == "one firm", "flag"].str.contains("singleton").all()
    assert any("only 2 clusters" in text for text in result.warnings) or "ten rows" in result.flags
    alone = by_group(data.loc[data["size"] != "ten rows"], "y", ["x", "c"], group="size", **MODEL)
    assert alone.differences.empty and alone.p_values == {}
    assert any("nothing to compare" in text for text in alone.warnings)
    constant = data.assign(x=data["x"].where(data["group"] == "a", 1.0))
    flagged = by_group(constant, "y", ["x", "c"], group="group", **MODEL)
    assert list(flagged.flags) == ["b"]
    assert "summary" not in flagged.summary()


def test_what_cannot_work_is_refused() -> None:
    data = firm_panel()
    with pytest.raises(DataError, match="no column"):
        by_group(data, "y", ["z"], group="group", **MODEL)
    with pytest.raises(SpecError, match="weights"):
        by_group(data.assign(w=1.0), "y", ["x"], group="group", weights="w", permute="firm")
    with pytest.raises(EstimationError, match="no group"):
        by_group(data.assign(x=1.0), "y", ["x"], group="group", **MODEL)


def test_missing_groups_are_counted_and_indices_may_repeat() -> None:
    data = firm_panel()
    data.index = [0] * len(data)
    data["size"] = data["c"].where(data["c"] > -1)
    result = by_group(data, "y", ["x"], group=group_by_threshold(data, "size", [0.0]), **MODEL, permute="row", draws=9)
    assert result.dropped == {"missing group": int((data["c"] <= -1).sum())}
    assert result.permutation is not None and result.permutation.dropped == result.dropped


def test_indirect_effects_by_group() -> None:
    data = firm_panel(firms=80, gap=0.0)
    effects = ["firm", "year"]
    result = indirect_by_group(
        data,
        "y",
        "x",
        "m",
        group="group",
        cluster="firm",
        controls=["c"],
        fixed_effects=effects,
        permute="firm",
        draws=200,
    )
    frame = result.to_frame()
    for name, part in data.groupby("group"):
        a = regress(part, "m", ["x", "c"], fixed_effects=effects, cluster="firm").coefficients["x"]
        full = regress(part, "y", ["x", "m", "c"], fixed_effects=effects, cluster="firm").coefficients
        row = frame.query("kind == 'group' and term == 'indirect'").set_index("group").loc[name]
        assert row["estimate"] == pytest.approx(a * full["m"], abs=1e-9)
        assert row["interval_low"] < row["estimate"] < row["interval_high"]
    # Replicates keep the identity of linear models draw by draw.
    total, _, _, direct, indirect = np.moveaxis(result.replicates, 1, 0)
    assert total == pytest.approx(direct + indirect, abs=1e-9)
    difference = frame.query("kind == 'difference' and term == 'indirect'").iloc[0]
    permuted = permute_groups(
        data, "y", ["x", "c"], group="group", mediator="m", fixed_effects=effects, unit="firm", draws=200
    )
    assert difference["estimate"] == pytest.approx(permuted.differences[4, 0], abs=1e-12)
    assert difference["permutation_p_value"] == permuted.p_values()[4, 0]
    assert difference["p_value"] > 0.01


def test_indirect_effects_of_groups_with_few_clusters_have_expanded_intervals() -> None:
    data = firm_panel(firms=120, gap=0.0)
    firms = sorted(data["firm"].unique())
    # 70 firms in one group, 50 less one in the other: only the second, and the difference, are short of clusters.
    data["part"] = np.where(data["firm"].isin(firms[:70]), "large", "small")
    data = data[data["firm"] != firms[-1]]
    given: dict[str, Any] = {"group": "part", "cluster": "firm", "fixed_effects": ["firm", "year"], "draws": 200}
    result = indirect_by_group(data, "y", "x", "m", **given)
    assert result.clusters == {"large": 70, "small": 49}
    methods = {(row.kind, row.group): row.method for row in result.to_frame().itertuples()}
    assert methods["group", "large"] == "percentile"
    assert methods["group", "small"] == methods["difference", "small"] == "expanded_percentile"
    drawn = result.replicates[:, result.names.index("indirect"), result.groups.index("small")]
    # t quantile with 48 degrees of freedom at 2.5 %: -2.0106348, times sqrt(49 / 48).
    share = NormalDist().cdf(-2.0106348 * (49 / 48) ** 0.5)
    group = result.to_frame().query("term == 'indirect' and kind == 'group' and group == 'small'").iloc[0]
    assert (group["interval_low"], group["interval_high"]) == pytest.approx(
        tuple(np.quantile(drawn, [share, 1 - share])), rel=1e-6
    )
    plain = indirect_by_group(data, "y", "x", "m", interval="percentile", **given).to_frame()
    assert set(plain["method"]) == {"percentile"}
    group = plain.query("term == 'indirect' and kind == 'group' and group == 'small'").iloc[0]
    assert group["interval_low"] == pytest.approx(np.quantile(drawn, 0.025), rel=1e-12)


def test_indirect_effects_may_draw_interacted_clusters() -> None:
    data = firm_panel(firms=60, gap=0.0)
    number = data["firm"].astype("category").cat.codes
    data = data.assign(place=number % 7, branch=number % 3, cell=number % 7 * 10 + number % 3)
    given: dict[str, Any] = {"group": "group", "controls": ["c"], "fixed_effects": ["firm", "year"], "draws": 50}
    named = indirect_by_group(data, "y", "x", "m", cluster="place^branch", **given).to_frame()
    joined = indirect_by_group(data, "y", "x", "m", cluster="cell", **given).to_frame()
    pd.testing.assert_frame_equal(named, joined)


def test_clusters_that_span_groups_are_drawn_once() -> None:
    data = firm_panel(firms=80)
    result = indirect_by_group(data, "y", "x", "m", group="group", cluster="province", fixed_effects=["firm"], draws=20)
    from econometrics.resample import draw_cluster_weights

    weights = draw_cluster_weights(8, 20, 1)
    part = data.loc[data["group"] == "b"]
    codes = np.searchsorted(np.sort(part["province"].unique()), part["province"])
    kernel = gram_kernel(part[["y", "x"]].to_numpy(), encode_effects(part, ["firm"]), codes)
    expected = coefficients_from_gram(kernel.gram(weights[:, np.sort(part["province"].unique())]), 0, [1])[:, 0]
    assert result.replicates[:, 0, 1] == pytest.approx(expected, abs=1e-12)
    assert any("only 8 clusters" in text for text in result.warnings)
