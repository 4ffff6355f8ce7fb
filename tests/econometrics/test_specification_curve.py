"""Specification curves: every point against ``regress``, every draw against a refit, and the joint tests."""

from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest

from econometrics.figures import specification_curve
from econometrics.placebo.shuffles import shuffler
from econometrics.regress import regress
from econometrics.robustness.baseline import Baseline
from econometrics.robustness.setting import Setting
from econometrics.simulate import PanelDesign, simulate_panel
from econometrics.specification_curve import estimate_specifications
from econometrics.specification_curve.fits import Workshop
from econometrics.specification_curve.null import null_curves
from econometrics.specification_curve.space import Maker, read_alternatives
from shuzhi import EstimationError, SpecError

Y, X, FIRM, YEAR = "carbon_intensity_log", "digital_log1p", "stock_code", "report_year"
BASE = Baseline(Y, (X,), controls=("size", "leverage"), fixed_effects=(FIRM, YEAR), cluster=(FIRM,))
SETS: dict[str, tuple[str, ...]] = {"none": (), "both": ("size", "leverage")}
EFFECTS: dict[str, tuple[str, ...]] = {"year": (FIRM, YEAR), "industry-year": (FIRM, f"industry^{YEAR}")}
ALTERNATIVES: dict[str, Any] = {
    "outcome": [Y, "co2_log"],
    "index": {"first": X, "second": "other_index"},
    "controls": {name: list(columns) for name, columns in SETS.items()},
    "fixed_effects": {name: list(columns) for name, columns in EFFECTS.items()},
    "sample": {"all": None, "late": {"drop_years": [2008, 2009]}},
}


@pytest.fixture(scope="module")
def panel() -> pd.DataFrame:
    frame = simulate_panel(PanelDesign(firms=120, years=tuple(range(2008, 2015)), places=20), seed=6)
    generator = np.random.default_rng(3)
    return frame.assign(
        other_index=frame[X] + generator.normal(0, 0.2, len(frame)),
        co2_log=np.log(frame["co2_tonnes"]),
        leverage=frame["leverage"].mask(generator.random(len(frame)) < 0.05),
    )


def test_every_point_is_a_regression(panel: pd.DataFrame) -> None:
    found = estimate_specifications(panel, BASE, ALTERNATIVES, draws=0)
    assert (found.specifications, found.possible) == (32, 32)
    assert found.choices == tuple(ALTERNATIVES)
    frame = found.to_frame().set_index(list(ALTERNATIVES))
    columns = {"first": X, "second": "other_index"}
    for outcome, index, controls, effects, sample in product((Y, "co2_log"), columns, SETS, EFFECTS, ("all", "late")):
        row = frame.loc[(outcome, index, controls, effects, sample)]
        rows = panel if sample == "all" else panel[panel[YEAR] > 2009]
        other = regress(rows, outcome, [columns[index], *SETS[controls]], fixed_effects=EFFECTS[effects], cluster=FIRM)
        assert row["estimate"] == pytest.approx(other.coefficients.iloc[0], rel=1e-9)
        assert row["standard_error"] == pytest.approx(other.standard_errors.iloc[0], rel=1e-9)
        assert row["p_value"] == pytest.approx(other.p_values.iloc[0], rel=1e-7, abs=1e-300)
        assert row["observations"] == other.observations
        scale = other.regressor_sds.iloc[0] / other.outcome_sd
        assert row["standardised_estimate"] == pytest.approx(row["estimate"] * scale)
    assert found.median == pytest.approx(frame["estimate"].median())
    assert found.share_significant == pytest.approx((frame["p_value"] < 0.05).mean())
    main = found.to_frame().query("is_main")
    assert main[list(ALTERNATIVES)].to_numpy().tolist() == [[Y, "first", "both", "year", "all"]]
    assert found.to_frame()["estimate"].is_monotonic_increasing


def test_every_draw_is_a_regression_on_the_same_exchange(panel: pd.DataFrame) -> None:
    """Both indices move together: one exchange of firms serves all specifications of a draw."""
    data = panel.reset_index(drop=True)
    dimensions = read_alternatives(ALTERNATIVES, data, BASE)
    combinations = list(product(*dimensions))
    known = np.ones(len(data), dtype=bool)
    null = null_curves(
        Maker(Setting(data, BASE)), combinations, known, Workshop(), scheme="firms", within=(), draws=3, seed=4
    )
    assert null.estimates.shape == (4, 32)
    order = next(iter(shuffler(data, "firms", (), FIRM, YEAR).batches(3, 4)))
    columns = {"first": X, "second": "other_index"}
    for place in (0, 3, 13, 22, 31):
        outcome, index, controls, effects, sample = (option.label for option in combinations[place])
        for draw in range(4):
            source = np.arange(len(data)) if draw == 0 else order[:, draw - 1]
            dealt = data.assign(**{name: data[name].to_numpy()[source] for name in columns.values()})
            rows = dealt if sample == "all" else dealt[dealt[YEAR] > 2009]
            other = regress(
                rows, outcome, [columns[index], *SETS[controls]], fixed_effects=EFFECTS[effects], cluster=FIRM
            )
            assert null.estimates[draw, place] == pytest.approx(other.coefficients.iloc[0], rel=1e-7)
            assert null.p_values[draw, place] == pytest.approx(other.p_values.iloc[0], rel=1e-6)
    from scipy.stats import norm

    expected = np.sign(null.estimates) * norm.isf(null.p_values / 2)
    assert null.z == pytest.approx(expected, rel=1e-6)


def test_joint_tests_by_hand(panel: pd.DataFrame) -> None:
    found = estimate_specifications(panel, BASE, {"controls": ALTERNATIVES["controls"]}, draws=39, seed=2)
    data = panel.reset_index(drop=True)
    combinations = list(product(*read_alternatives({"controls": ALTERNATIVES["controls"]}, data, BASE)))
    null = null_curves(
        Maker(Setting(data, BASE)), combinations, np.ones(len(data), dtype=bool), Workshop(), scheme="firms",
        within=(), draws=39, seed=2,
    )  # fmt: skip
    tests = found.joint_tests.set_index("test")
    mean_z = null.z.mean(axis=1)
    assert tests.loc["mean z", "p_value"] == (1 + (np.abs(mean_z[1:]) >= abs(mean_z[0])).sum()) / 40
    up = ((null.p_values < 0.05) & (null.z > 0)).mean(axis=1)
    down = ((null.p_values < 0.05) & (null.z < 0)).mean(axis=1)
    share = np.maximum(up, down)
    assert tests.loc["share significant", "statistic"] == share[0]
    assert tests.loc["share significant", "p_value"] == (1 + (share[1:] >= share[0]).sum()) / 40
    assert tests.loc["median", "draws"] == 39
    band = found.to_frame()
    curves = np.sort(null.estimates[1:], axis=1)
    assert band["null_low"].to_numpy() == pytest.approx(np.sort(np.quantile(curves, 0.025, axis=0)))


def test_joint_tests_reject_an_effect_and_not_its_absence() -> None:
    """Over 16 panels without an effect few p values are small; with one they are the smallest there can be."""
    small = 0
    for seed in range(17):
        generator = np.random.default_rng(seed)
        firm, year = np.divmod(np.arange(240), 6)
        x = generator.standard_normal(240) + np.repeat(generator.standard_normal(40), 6)
        error = generator.standard_normal(240) + np.repeat(generator.standard_normal(40), 6)
        w = generator.standard_normal(240)
        frame = pd.DataFrame({"firm": firm, "year": year, "x": x, "w": w, "e": error, "f": error + 0.3 * w})
        base = Baseline("e", ("x",), fixed_effects=("firm",), cluster=("firm",), firm="firm", year="year")
        options = {
            "outcome": ["e", "f"],
            "controls": {"none": [], "w": ["w"]},
            "fixed_effects": {"1": ["firm"], "2": []},
        }
        found = estimate_specifications(frame, base, options, draws=39, seed=seed + 1)
        if seed == 16:
            planted = frame.assign(e=frame["e"] + 0.6 * frame["x"], f=frame["f"] + 0.6 * frame["x"])
            strong = estimate_specifications(planted, base, options, draws=39, seed=1)
            p_values = strong.joint_tests.set_index("test")["p_value"]
            assert p_values[["median", "mean z"]].tolist() == [1 / 40, 1 / 40]
            # All four specifications are significant; that happens by chance in a few draws too.
            assert p_values["share significant"] <= 0.1
        else:
            small += bool(found.joint_tests["p_value"].iloc[2] <= 0.05)
    # Binomial(16, 0.05): more than 4 has a probability of 0.1 %.
    assert small <= 4


def test_what_is_shown(panel: pd.DataFrame) -> None:
    found = estimate_specifications(panel, BASE, ALTERNATIVES, draws=9)
    frame = found.to_frame()
    assert specification_curve(frame, found.choices, main="is_main", language="en") is not None
    assert {"term", "estimate", "standard_error", "statistic", "p_value", "observations"} <= set(frame.columns)
    choices = found.by_choice()
    late = choices.query("dimension == 'sample' and option == 'late'").iloc[0]
    assert late["specifications"] == 16
    assert late["median"] == pytest.approx(frame.query("sample == 'late'")["estimate"].median())
    assert "joint test, mean z" in found.summary()
    assert any("different units" in text for text in found.warnings)
    again = estimate_specifications(panel, BASE, ALTERNATIVES, draws=9)
    pd.testing.assert_frame_equal(frame, again.to_frame())
    pd.testing.assert_frame_equal(found.joint_tests, again.joint_tests)


def test_changed_columns_and_lags(panel: pd.DataFrame) -> None:
    """A lag loses rows: the joint test is on the rows that have both, and says how many."""
    options = {"timing": {"now": None, "before": {"lag": 1}}, "tails": {"as given": None, "5%": [{"winsorise": 0.05}]}}
    found = estimate_specifications(panel, BASE, options, draws=9)
    frame = found.to_frame().set_index(["timing", "tails"])
    source = panel[[FIRM, YEAR, X]].assign(**{YEAR: panel[YEAR] + 1})
    lagged = panel.drop(columns=X).merge(source, on=[FIRM, YEAR], how="left")
    other = regress(lagged, Y, [X, "size", "leverage"], fixed_effects=[FIRM, YEAR], cluster=FIRM)
    row = frame.loc[("before", "as given")]
    assert row["estimate"] == pytest.approx(other.coefficients[X], rel=1e-9)
    assert row["observations"] == other.observations
    assert frame["is_main"].tolist().count(True) == 1
    assert bool(frame.loc[("now", "as given"), "is_main"])
    assert found.joint_tests["draws"].tolist() == [9, 9, 9]


def test_many_are_drawn_and_some_fail(panel: pd.DataFrame) -> None:
    few = estimate_specifications(panel, BASE, ALTERNATIVES, draws=0, most=7, seed=3)
    assert (few.specifications, few.possible) == (7, 32)
    assert any("drawn at random" in text for text in few.warnings)
    broken = estimate_specifications(
        panel, BASE, {"sample": {"all": None, "nothing": {"drop_years": list(range(2008, 2015))}}}, draws=5
    )
    frame = broken.to_frame()
    assert broken.specifications == 1
    assert frame.iloc[-1]["sample"] == "nothing"
    assert "no row is left" in frame.iloc[-1]["reason"]
    with pytest.raises(EstimationError, match="no specification can be estimated"):
        estimate_specifications(panel, BASE, {"sample": {"no": {"drop_years": list(range(2008, 2015))}}}, draws=0)


def test_all_problems_at_once(panel: pd.DataFrame) -> None:
    with pytest.raises(SpecError) as caught:
        estimate_specifications(
            panel,
            BASE,
            {"outcome": ["co2_logg"], "sample": {"a": "drop"}, "estimate": [None], "controls": {"b": ["sise"]},
             "method": {"c": "match"}, "empty": []},
        )  # fmt: skip
    text = str(caught.value)
    for part in (
        "nearest: 'co2_log'",
        "says no change",
        "cannot be called so",
        "nearest: 'size'",
        "another method",
        "empty",
    ):
        assert part in text
