"""Permuted differences one by one: the stored ones of R, and subsample regressions in a loop."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from econometrics.estimation.absorb import demean
from econometrics.estimation.effects import encode_effects, keep_rows
from econometrics.estimation.multiple_testing import romano_wolf
from econometrics.heterogeneity import family_of_splits, group_by_quantiles, permute_groups
from econometrics.heterogeneity.permutation_problem import shuffled
from econometrics.resample.rows import row_gram
from shuzhi import DataError, EstimationError
from tests.econometrics.group_panels import firm_panel


def wagepan(shared: Path) -> pd.DataFrame:
    data = pd.read_csv(shared / "econ" / "wagepan.csv")
    return data.assign(hs=(data["educ"] >= 12).astype(int))


def _dense(data: pd.DataFrame, outcome: str, regressors: Sequence[str], effects: Sequence[str]) -> np.ndarray:
    """Coefficients by dummies and least squares."""
    dummies = [
        pd.get_dummies(data[name.split("^")].astype(str).agg("-".join, axis=1)).to_numpy(float) for name in effects
    ]
    whole = np.hstack([data[list(regressors)].to_numpy(float), *dummies])
    return np.linalg.lstsq(whole, data[outcome].to_numpy(), rcond=None)[0][: len(regressors)]


def test_permuted_differences_equal_the_stored_ones(shared: Path) -> None:
    expected = json.loads((shared / "econ" / "expected.json").read_text("utf-8"))["wagepan_between_group"]["values"]
    stored = pd.read_csv(shared / "econ" / "wagepan_perm_diffs.csv")["diff"].to_numpy()
    labels = pd.read_csv(shared / "econ" / "wagepan_perm_labels.csv").set_index("nr")
    result = permute_groups(
        wagepan(shared),
        "lwage",
        ["union", "married", "expersq"],
        group="hs",
        fixed_effects=["nr", "year"],
        unit="nr",
        labels=labels,
    )
    assert result.replicates[:, 0, 0] == pytest.approx(stored, abs=1e-10)
    assert result.differences[0, 0] == pytest.approx(expected["diff"], rel=1e-8)
    assert result.shares()[0, 0] == pytest.approx(expected["perm_p_two_sided"])
    assert result.p_values()[0, 0] == pytest.approx(expected["perm_p_two_sided_plus1"], rel=1e-8)
    # With two groups the joint test is the test of their difference.
    assert result.joint_p_values()[0] == result.p_values()[0, 0]


@pytest.mark.parametrize("effects", [["firm", "year"], ["firm", "industry^year"], ["firm"], []])
@pytest.mark.parametrize("unit", ["firm", None])
def test_replicates_equal_subsample_regressions(effects: list[str], unit: str | None) -> None:
    data = firm_panel(firms=120, years=4)
    result = permute_groups(data, "y", ["x", "c"], group="group", fixed_effects=effects, unit=unit, draws=3, seed=5)
    by = data["firm"] if unit else pd.Series(data.index)
    units = np.sort(by.unique())
    first = data.groupby(by.to_numpy())["group"].first().reindex(units).to_numpy()
    codes = (first == "b").astype(int)
    dealt = shuffled(codes, 3, np.random.Generator(np.random.PCG64(5)))
    for draw in range(3):
        labels = by.map(dict(zip(units, dealt[draw], strict=True)))
        subsets = [data.loc[(labels == code).to_numpy()].assign(one=1) for code in (0, 1)]
        parts = [_dense(subset, "y", ["x", "c"], effects or ["one"]) for subset in subsets]
        assert result.replicates[draw, :, 0] == pytest.approx(parts[1] - parts[0], abs=1e-9)


def test_indirect_effects_are_permuted_too() -> None:
    data = firm_panel(firms=40, years=4)
    effects = ["firm", "year"]
    result = permute_groups(
        data, "y", ["x", "c"], group="group", mediator="m", fixed_effects=effects, unit="firm", draws=20
    )
    assert result.names == ("total", "a", "b", "direct", "indirect")
    for column, name in enumerate(result.groups):
        part = data.loc[data["group"] == name]
        total = _dense(part, "y", ["x", "c"], effects)[0]
        a = _dense(part, "m", ["x", "c"], effects)[0]
        direct, b = _dense(part, "y", ["x", "m", "c"], effects)[:2]
        assert result.estimates[:, column] == pytest.approx([total, a, b, direct, a * b], abs=1e-9)
        assert total == pytest.approx(direct + a * b, abs=1e-10)
    assert result.replicates.shape == (20, 5, 1)


@pytest.mark.parametrize(
    ("effects", "switching"),
    [(["firm", "year"], False), (["firm", "industry^year"], False), (["firm", "industry^year"], True),
     (["firm", "year", "industry"], True), (["firm", "industry"], True), ([], False)],
)  # fmt: skip
def test_row_gram_equals_demeaning_each_subset(effects: list[str], switching: bool) -> None:
    data = firm_panel(firms=150, years=5, switching=switching)
    matrix = data[["y", "x", "m", "c"]].to_numpy()
    coded = encode_effects(data.assign(one=1), effects or ["one"])
    masks = np.random.default_rng(1).random((70, len(data))) < 0.3
    masks[3] = False
    gram = row_gram(matrix, encode_effects(data, effects)).gram(masks)
    for draw in (0, 3, 65, 69):
        left = matrix[masks[draw]]
        left = demean(keep_rows(coded, masks[draw]), left) if len(left) else left
        assert gram[draw] == pytest.approx(left.T @ left, abs=1e-9)


def test_units_that_change_their_group_are_refused() -> None:
    data = firm_panel()
    grouping = group_by_quantiles(data, "x", 2)
    with pytest.raises(EstimationError, match="change their group"):
        permute_groups(data, "y", ["x"], group=grouping, unit="firm", draws=5)
    assert permute_groups(data, "y", ["x"], group=grouping, draws=5).level == "row"


def test_labels_must_be_groups_of_all_units() -> None:
    data = firm_panel(firms=20)
    firms = sorted(data["firm"].unique())
    labels = pd.DataFrame({"p1": ["a", "b"] * 10}, index=range(20)).loc[firms]
    with pytest.raises(DataError, match="no group: z"):
        permute_groups(data, "y", ["x"], group="group", unit="firm", labels=labels.replace("b", "z"))
    with pytest.raises(DataError, match="lack 1 units"):
        permute_groups(data, "y", ["x"], group="group", unit="firm", labels=labels.iloc[1:])


def test_the_permutation_keeps_its_size_and_finds_a_gap() -> None:
    p_values = []
    for seed in range(80):
        data = firm_panel(seed=seed, firms=40, years=4)
        p_values.append(
            permute_groups(data, "y", ["x", "c"], group="group", fixed_effects=["firm", "year"], unit="firm", draws=99)
            .p_values()[0, 0]
        )  # fmt: skip
    # Eighty uniform p values: below 0.1 a binomial count with mean 8 and standard deviation 2.7.
    assert (np.array(p_values) <= 0.1).sum() <= 16
    assert 0.4 < np.mean(p_values) < 0.6
    data = firm_panel(gap=0.5)
    result = permute_groups(data, "y", ["x"], group="group", fixed_effects=["firm", "year"], unit="firm", draws=199)
    assert result.p_values()[0, 0] == 1 / 200
    assert result.differences[0, 0] == pytest.approx(0.5, abs=0.2)


def test_a_family_of_splits_moves_together() -> None:
    data = firm_panel(gap=0.4)
    data["copy"] = data["group"]
    data["coin"] = (data["firm"] % 2).astype(str)
    splits = {"group": "group", "copy": "copy", "coin": "coin"}
    family = family_of_splits(
        data, "y", ["x"], splits=splits, fixed_effects=["firm", "year"], unit="firm", draws=199, seed=3
    )
    frame = family.to_frame().set_index("split")
    # A copy of a split is the same test: identical replicates, no price for it.
    assert np.array_equal(family.replicates[:, 0], family.replicates[:, 1])
    assert frame.loc["group", "adjusted_p_value"] == frame.loc["copy", "adjusted_p_value"] == 1 / 200
    spread = family.replicates.std(axis=0, ddof=1)
    expected = romano_wolf(frame["estimate"].to_numpy() / spread, family.replicates / spread)
    assert frame["adjusted_p_value"].to_numpy() == pytest.approx(expected)
    single = permute_groups(
        data, "y", ["x"], group="coin", fixed_effects=["firm", "year"], unit="firm", draws=199, seed=3
    )
    assert single.replicates[:, 0, 0] == pytest.approx(family.replicates[:, 2], abs=1e-12)
    holm = family_of_splits(
        data, "y", ["x"], splits=splits, fixed_effects=["firm", "year"], unit="firm", draws=199, adjustment="holm"
    )
    assert holm.to_frame()["adjusted_p_value"].iloc[0] == pytest.approx(3 / 200)


def test_a_split_that_cannot_be_estimated_is_flagged() -> None:
    data = firm_panel(firms=30)
    data["lonely"] = (data["firm"] == data["firm"].iloc[0]).map({True: "one", False: "rest"})
    data.loc[data["lonely"] == "one", "x"] = 1.0
    family = family_of_splits(
        data, "y", ["x"], splits={"group": "group", "lonely": "lonely"}, fixed_effects=["firm"], unit="firm", draws=19
    )
    assert list(family.flags) == ["lonely"]
    assert family.to_frame()["flag"].tolist()[0] == ""
    assert "lonely" in family.summary()
    with pytest.raises(EstimationError, match="no split"):
        family_of_splits(data, "y", ["x"], splits={"lonely": "lonely"}, fixed_effects=["firm"], unit="firm", draws=9)
    with pytest.raises(EstimationError, match="group one"):
        permute_groups(data, "y", ["x"], group="lonely", fixed_effects=["firm"], unit="firm", draws=9)


def test_one_sided_shares_by_counting() -> None:
    result = permute_groups(firm_panel(gap=0.1), "y", ["x", "c"], group="group", unit="firm", draws=99)
    for place in (0, 1):
        drawn, observed = result.replicates[:, place, 0], result.differences[place, 0]
        above = sum(value > observed for value in drawn) / 99
        assert result.one_sided_shares()[place, 0] == pytest.approx(min(above, 1 - above))
    assert (result.one_sided_shares() <= 0.5).all()
