"""The battery: each check against the same change made by hand, and what is said of it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from econometrics.placebo import permutation_placebo
from econometrics.regress import instrument, regress
from econometrics.robustness import Baseline, checks_from, declared, read_check, robustness
from econometrics.robustness.declare import KINDS
from econometrics.robustness.models import OtherEffects
from econometrics.simulate import PanelDesign, simulate_panel
from shuzhi import DataError, SpecError

Y, X = "carbon_intensity_log", "digital_log1p"
CONTROLS = ("size", "leverage")
FIRM, YEAR = "stock_code", "report_year"
BASE = {"outcome": Y, "regressors": X, "controls": CONTROLS, "fixed_effects": [FIRM, YEAR], "cluster": FIRM}


@pytest.fixture(scope="module")
def panel() -> pd.DataFrame:
    frame = simulate_panel(PanelDesign(firms=160, years=tuple(range(2008, 2017)), places=24), seed=5)
    generator = np.random.default_rng(2)
    code = frame["city_code"].where(frame[FIRM] > "004010", "110000")
    return frame.assign(
        city_code=code,
        other_index=frame[X] + generator.normal(0, 0.1, len(frame)),
        co2_log=np.log(frame["co2_tonnes"]),
        weight=generator.uniform(0.5, 2, len(frame)),
        instrument=frame[X] + generator.normal(0, 1, len(frame)),
        digital_log1p=frame[X].mask(generator.random(len(frame)) < 0.05, 0.0),
    )


def _fit(data: pd.DataFrame, outcome: str = Y, terms: Any = (X, *CONTROLS), **changed: Any) -> tuple[float, float, int]:
    options = {"fixed_effects": [FIRM, YEAR], "cluster": FIRM} | changed
    found = regress(data, outcome, terms, **options)
    return float(found.coefficients.iloc[0]), float(found.standard_errors.iloc[0]), found.observations


def _shift(data: pd.DataFrame, names: list[str], years: int) -> pd.DataFrame:
    """Values of so many years before, by a merge on firm and year."""
    source = data[[FIRM, YEAR, *names]].assign(**{YEAR: data[YEAR] + years})
    return data.drop(columns=names).merge(source, on=[FIRM, YEAR], how="left")


def _whole(data: pd.DataFrame) -> pd.DataFrame:
    return data[data.groupby(FIRM)[YEAR].transform("nunique") == data[YEAR].nunique()]


def _clip(data: pd.DataFrame, share: float, by: str | None = None) -> pd.DataFrame:
    out = data.copy()
    for name in (Y, X, *CONTROLS):
        for _, rows in data.groupby(by) if by else [(None, data)]:
            low, high = np.percentile(rows[name], [100 * share, 100 - 100 * share])
            out.loc[rows.index, name] = np.minimum(np.maximum(rows[name], low), high)
    return out


def _trim(data: pd.DataFrame, share: float) -> pd.DataFrame:
    kept = data
    for name in (Y, X, *CONTROLS):
        low, high = np.percentile(data[name], [100 * share, 100 - 100 * share])
        kept = kept[(kept[name] >= low) & (kept[name] <= high)]
    return kept


def _differences(data: pd.DataFrame) -> tuple[float, float, int]:
    before = _shift(data, [Y, X, *CONTROLS], 1)
    now = data.reset_index(drop=True)
    return _fit(now.assign(**{name: now[name] - before[name] for name in (Y, X, *CONTROLS)}), fixed_effects=[YEAR])


CASES: list[tuple[Any, Callable[[pd.DataFrame], tuple[float, float, int]]]] = [
    ({"outcome": "co2_log"}, lambda d: _fit(d, "co2_log")),
    ({"regressor": ["other_index"]}, lambda d: _fit(d, terms=["other_index", *CONTROLS])),
    ({"lag": 1}, lambda d: _fit(_shift(d, [X], 1))),
    ({"lag": {"years": 2, "controls": True}}, lambda d: _fit(_shift(d, [X, *CONTROLS], 2))),
    ({"lead": {"years": 1, "beside": False}}, lambda d: _fit(_shift(d, [X], -1))),
    ({"transform": "dummy"}, lambda d: _fit(d.assign(**{X: (d[X] > 0) * 1.0}))),
    ({"transform": "above_median"}, lambda d: _fit(d.assign(**{X: (d[X] > d.groupby(YEAR)[X].transform("median"))}))),
    ({"transform": "expm1"}, lambda d: _fit(d.assign(**{X: np.exp(d[X]) - 1}))),
    ({"transform": "standardised"}, lambda d: _fit(d.assign(**{X: (d[X] - d[X].mean()) / d[X].std()}))),
    ({"transform": {"form": "log", "of": X}}, lambda d: _fit(d[d[X] > 0].assign(**{X: np.log(d[X][d[X] > 0])}))),
    ({"winsorise": 0.05}, lambda d: _fit(_clip(d, 0.05))),
    ({"winsorise": {"share": 0.01, "by": YEAR}}, lambda d: _fit(_clip(d, 0.01, YEAR))),
    ({"trim": 0.005}, lambda d: _fit(_trim(d, 0.005))),
    ({"drop_years": [2008, 2009]}, lambda d: _fit(d[d[YEAR] > 2009])),
    ({"drop_municipalities": "city_code"}, lambda d: _fit(d[d[FIRM] > "004010"])),
    ({"drop_industries": ["C39", "C2"]}, lambda d: _fit(d[~d["industry"].str.match("C39|C2")])),
    ({"drop_values": {"column": "is_state_owned", "values": [True]}}, lambda d: _fit(d[~d["is_state_owned"]])),
    ({"drop_values": {"column": "industry", "values": ["C13"]}}, lambda d: _fit(d[d["industry"] != "C13"])),
    ({"drop_values": {"column": YEAR, "values": [2010, 2012, 2013], "keep": True}},
     lambda d: _fit(d[d[YEAR].isin([2010, 2012, 2013])])),
    ("balanced_panel", lambda d: _fit(_whole(d))),
    ({"balanced_panel": {"first": 2010, "last": 2013}}, lambda d: _fit(_whole(d[d[YEAR].between(2010, 2013)]))),
    ({"minimum_years": 8}, lambda d: _fit(d[d.groupby(FIRM)[YEAR].transform("size") >= 8])),
    ("drop_zeros", lambda d: _fit(d[d[X] != 0])),
    ({"fixed_effects": [FIRM, f"industry^{YEAR}"]}, lambda d: _fit(d, fixed_effects=[FIRM, f"industry^{YEAR}"])),
    ({"cluster": ["city_code"]}, lambda d: _fit(d, cluster="city_code")),
    ({"cluster": [FIRM, YEAR]}, lambda d: _fit(d, cluster=[FIRM, YEAR])),
    ({"standard_errors": "cr2"}, lambda d: _fit(d, standard_errors="cr2")),
    ({"standard_errors": "robust"}, lambda d: _fit(d, standard_errors="robust", cluster=())),
    ({"add_controls": "return_on_assets"}, lambda d: _fit(d, terms=[X, *CONTROLS, "return_on_assets"])),
    ({"drop_controls": "size"}, lambda d: _fit(d, terms=[X, "leverage"])),
    ("drop_controls", lambda d: _fit(d, terms=[X])),
    ({"controls": ["return_on_assets"]}, lambda d: _fit(d, terms=[X, "return_on_assets"])),
    ({"weights": "weight"}, lambda d: _fit(d, weights="weight")),
    ("first_differences", _differences),
]  # fmt: skip


@pytest.mark.parametrize(("check", "by_hand"), CASES, ids=[str(case[0]) for case in CASES])
def test_each_check_is_the_change_made_by_hand(panel: pd.DataFrame, check: Any, by_hand: Callable[..., Any]) -> None:
    found = robustness(panel, BASE, [check])
    row = found.rows[1]
    estimate, error, observations = by_hand(panel)
    assert row.reason == ""
    assert row.estimate == pytest.approx(estimate, rel=1e-9)
    assert row.standard_error == pytest.approx(error, rel=1e-9)
    assert row.observations == observations
    assert sum(row.dropped.values()) == len(panel) - observations


def test_the_table(panel: pd.DataFrame) -> None:
    labels = {X: ("数字化", "digital index"), YEAR: ("年份", "year")}
    checks = [{"lag": [1, 2]}, {"winsorise": {"share": 0.01, "by": YEAR}}, {"cluster": "city_code", "label_zh": "城市"}]
    found = robustness(panel, BASE, checks, labels=labels)
    frame = found.to_frame()
    assert frame["number"].tolist() == [0, 1, 2, 3, 4]
    assert frame["label_zh"].tolist() == ["基准回归", "数字化滞后 1 期", "数字化滞后 2 期", "缩尾 1%（按年份）", "城市"]
    assert frame.loc[1, "label_en"] == "digital index lagged 1 year"
    assert frame.loc[3, "label_en"] == "Winsorised at 1% by year"
    plain = regress(panel, Y, [X, *CONTROLS], fixed_effects=[FIRM, YEAR], cluster=FIRM)
    assert frame.loc[0, "estimate"] == plain.coefficients[X]
    assert frame.loc[0, "within_r2"] == plain.within_r2
    assert frame["clusters"].tolist()[:1] == [160]
    assert frame["clusters"].iloc[4] == panel["city_code"].nunique()
    for name in ("interval_low", "interval_high", "statistic", "p_value", "verdict", "rows_dropped", "dropped"):
        assert name in frame.columns
    assert "缩尾" in found.summary("zh")
    assert set(found.results()) == {(number, X) for number in range(5)}


def test_what_a_change_of_rows_does_is_told_apart(panel: pd.DataFrame) -> None:
    row = robustness(panel, BASE, [{"lag": 1}]).rows[1]
    lagged = _shift(panel, [X], 1)
    same = panel.reset_index(drop=True)[lagged[X].notna().to_numpy()]
    kept = same[same.groupby(FIRM)[YEAR].transform("size") > 1]
    assert row.same_rows_estimate == pytest.approx(_fit(kept)[0], rel=1e-9)
    assert np.isnan(robustness(panel, BASE, [{"cluster": "city_code"}]).rows[1].same_rows_estimate)


def test_verdicts(panel: pd.DataFrame) -> None:
    generator = np.random.default_rng(1)
    data = panel.assign(**{Y: panel[Y] - 0.3 * panel[X]}, noise=generator.standard_normal(len(panel)), turned=-panel[X])
    checks = [
        {"regressor": ["noise", "turned"]},
        {"cluster": "city_code"},
        {"lead": {"years": 2}},
        {"drop_values": {"column": YEAR, "values": sorted(set(panel[YEAR]))}},
    ]
    found = robustness(data, BASE, checks)
    verdicts = [row.verdict for row in found.rows]
    assert verdicts[0] == "baseline"
    assert verdicts[1] in ("weaker", "changes")
    assert verdicts[2:] == ["changes", "holds", "holds", "not estimated"]
    assert "no row is left" in found.rows[-1].reason
    assert found.counts()["not estimated"] == 1
    assert any("could not be estimated" in text for text in found.warnings)


def test_several_terms_of_focus(panel: pd.DataFrame) -> None:
    base = Baseline(
        outcome=Y, regressors=(X, "is_cluster"), controls=CONTROLS, focus=(X, "is_cluster"),
        fixed_effects=(FIRM, YEAR), cluster=(FIRM,),
    )  # fmt: skip
    found = robustness(panel, base, [{"lag": 1}, {"regressor": {"to": "other_index", "of": X}}])
    assert [(row.number, row.term, row.column) for row in found.rows] == [
        (0, X, X), (0, "is_cluster", "is_cluster"), (1, X, X), (1, "is_cluster", "is_cluster"),
        (2, X, "other_index"), (2, "is_cluster", "is_cluster"),
    ]  # fmt: skip
    both = _fit(_shift(panel.assign(is_cluster=panel["is_cluster"] * 1.0), [X, "is_cluster"], 1),
                terms=["is_cluster", X, *CONTROLS])  # fmt: skip
    assert found.rows[3].estimate == pytest.approx(both[0], rel=1e-9)


def test_other_methods(panel: pd.DataFrame) -> None:
    checks = [
        "match",
        {"entropy_balance": {"covariates": ["size", "leverage"], "keep_regressor": True}},
        {"placebo": {"draws": 49, "seed": 3}},
        {"reliability": 0.98},
        {"simex": {"reliability": 0.98, "simulations": 10}},
        {"related_instruments": "other_index"},
        {"instrument": "instrument"},
    ]
    found = robustness(panel, BASE, checks)
    assert [row.reason for row in found.rows] == [""] * 8
    placebo = permutation_placebo(panel, Y, X, controls=CONTROLS, fixed_effects=[FIRM, YEAR], draws=49, seed=3)
    assert found.rows[3].p_value == placebo.p_value
    other = instrument(panel, Y, X, "instrument", exogenous=CONTROLS, fixed_effects=[FIRM, YEAR], cluster=FIRM)
    assert found.rows[7].estimate == pytest.approx(other.coefficients[X])
    assert abs(found.rows[4].estimate) > abs(found.rows[0].estimate)
    assert found.rows[6].column == "true_regressor"
    assert found.rows[1].column == f"{X}_above_cut"
    assert found.rows[2].column == X


def test_selected_sample(panel: pd.DataFrame) -> None:
    noise = np.random.default_rng(4).standard_normal(len(panel))
    hidden = panel.assign(**{Y: panel[Y].mask(20 * panel["return_on_assets"] + noise < 0)})
    row = robustness(hidden, BASE, [{"heckman": {"excluded": "return_on_assets"}}]).rows[1]
    assert row.reason == ""
    assert row.observations == row.result.observations < row.result.selection_observations


def test_input_stays_as_it_is(panel: pd.DataFrame) -> None:
    before = panel.copy(deep=True)
    robustness(panel, BASE, [check for check, _ in CASES[:20]])
    pd.testing.assert_frame_equal(panel, before)


def test_result_does_not_depend_on_the_index(panel: pd.DataFrame) -> None:
    moved = panel.sample(frac=1, random_state=1).set_index(np.zeros(len(panel), dtype=int))
    checks = [{"lag": 1}, "balanced_panel", {"winsorise": {"share": 0.02, "by": YEAR}}]
    first, second = robustness(panel, BASE, checks), robustness(moved, BASE, checks)
    assert [row.estimate for row in second.rows] == pytest.approx([row.estimate for row in first.rows], rel=1e-9)


def test_declarations_go_there_and_back() -> None:
    entries = [entry for entry, _ in CASES] + ["match", {"placebo": {"draws": 9}}, {"reliability": 0.9},
                                               {"heckman": "z"}, {"simex": 0.8}]  # fmt: skip
    checks = checks_from(entries)
    assert checks_from([declared(check) for check in checks]) == checks
    assert len(set(checks)) == len(checks)
    assert OtherEffects("a") == OtherEffects(["a"]) == OtherEffects(("a",))  # type: ignore[arg-type]
    assert all(kind == cls.kind for kind, cls in KINDS.items())


def test_all_problems_at_once(panel: pd.DataFrame) -> None:
    with pytest.raises(SpecError) as caught:
        checks_from([{"lagg": 1}, {"lag": {"yeers": 1}}, {"winsorise": {"share": "much"}}, 3, {"a": 1, "b": 2},
                     {"regressor": {}}, {"drop_values": 3}])  # fmt: skip
    text = str(caught.value)
    for part in ("7 problems", "1.lagg: no such check. Did you mean 'lag'?", "Did you mean 'years'?",
                 "3.winsorise.share", "not 3", "names 2", "6.regressor.to: is missing", "7.drop_values"):  # fmt: skip
        assert part in text
    check, problems = read_check({"lag": {"years": "one"}}, ("robustness", 4))
    assert check is None
    assert problems[0][0] == ("robustness", 4, "lag", "years")
    with pytest.raises(SpecError, match=r"other_indx.*nearest: 'other_index'.*citycode"):
        robustness(panel, BASE, [{"regressor": "other_indx"}, {"cluster": "citycode"}])
    with pytest.raises(SpecError, match="baseline has no outcom"):
        robustness(panel, {"outcom": Y, "regressors": X}, [])
    with pytest.raises(SpecError, match="is no regressor"):
        Baseline(Y, (X,), focus=("size",))


def test_a_baseline_that_cannot_be_estimated_is_an_error(panel: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="no row is left"):
        robustness(panel.assign(**{X: np.nan}), BASE, [])


def test_a_check_that_changes_nothing_says_so(panel: pd.DataFrame) -> None:
    row = robustness(panel, BASE, [{"drop_years": 1999}]).rows[1]
    assert row.estimate == pytest.approx(_fit(panel)[0])
    assert any("no row is dropped" in text for text in row.notes)
