"""A study run over panels whose effects are planted: every part of it, what fails, and what is left out."""

from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from econometrics.reference import load_reference
from econometrics.report import render_study
from econometrics.report.figures import study_figures
from econometrics.report.plans import added_tables
from econometrics.report.tables import result_table
from econometrics.simulate import PanelDesign, planted_effects, simulate_panel
from econometrics.spec import StudySpec, parse_study_spec
from econometrics.study import run
from econometrics.study.results import StudyResults
from econometrics.study.sample import content_hash
from econometrics.study.tables import build_table, build_tables
from econometrics.tables import render_table
from econometrics.variables import Variable
from tests.econometrics.message_sites import english_in, texts_of

STUDIES = Path(str(files("econometrics") / "studies"))
DESIGN = PanelDesign(firms=260, years=tuple(range(2010, 2021)), places=30, industries=8)
FEW_DRAWS = {"draws: 1000": "draws: 120", "draws: 500": "draws: 120", "draws: 300": "draws: 100"}


def study(name: str, changes: dict[str, str] | None = None) -> StudySpec:
    """Return a study that comes with shuzhi, with few draws and other changes of its text."""
    text = (STUDIES / f"{name}.yml").read_text(encoding="utf-8")
    for old, new in {**FEW_DRAWS, **(changes or {})}.items():
        text = text.replace(old, new)
    return parse_study_spec(text, f"{name}.yml")


def with_groups(panel: pd.DataFrame) -> pd.DataFrame:
    """Add the columns that users of the study supply themselves; none of them moves anything."""
    generator = np.random.Generator(np.random.PCG64(9))
    industry = panel["industry"].str[1:].astype(int)
    noise = {
        name: generator.normal(size=len(panel)) for name in ("words", "patents", "analysts", "other", "instrument")
    }
    return panel.assign(
        energy_intensity=industry / 10 + (panel["report_year"] - 2008) / 100,
        environmental_words=noise["words"],
        green_patents=noise["patents"],
        analysts=noise["analysts"],
        cluster_strength=panel["is_cluster"] * (1 + 0.2 * noise["words"]),
        digital_other_log1p=panel["digital_log1p"] + 0.1 * noise["other"],
        carbon_intensity_other=panel["carbon_intensity_log"] + 0.1 * noise["other"],
        cluster_instrument=panel["is_cluster"] + 0.5 * noise["instrument"],
    )


@pytest.fixture(scope="module")
def panel() -> pd.DataFrame:
    return simulate_panel(DESIGN, seed=5)


@pytest.fixture(scope="module")
def whole(panel: pd.DataFrame) -> StudyResults:
    """The seed study's design over a panel that has everything."""
    return run(study("liu2024"), with_groups(panel))


def test_the_whole_design_runs_and_nothing_fails(whole):
    assert whole.failures == ()
    spec = whole.spec
    assert list(whole.models) == list(spec.models)
    assert list(whole.mediations) == list(spec.mediation)
    assert list(whole.groups) == list(spec.heterogeneity)
    assert set(whole.indirect_groups) == {name for name, each in spec.heterogeneity.items() if each.mediation}
    assert list(whole.families) == list(spec.families)
    assert set(whole.staggered["pilots"].results) == {
        "static_two_way",
        "event_study",
        "callaway_santanna_never_treated",
        "callaway_santanna_not_yet_treated",
        "sun_abraham",
        "imputation",
    }
    for part in ("moderations", "u_tests", "thresholds", "placebos", "honest_bounds", "robustness", "curves"):
        assert len(getattr(whole, part)) == 1
    assert len(whole.robustness["battery"].rows) > 20
    assert [plan.name for plan in whole.tables] == list(spec.tables)
    assert [plan.name for plan in whole.figures] == list(spec.figures)


def chinese_texts(results: StudyResults) -> list[str]:
    """What a reader of a study in Chinese sees: texts of its page not marked as English, and notes of its tables."""
    plans = (*results.tables, *added_tables(results))
    tables = {plan.name: result_table(plan, results, "zh") or build_table(plan, results, "zh") for plan in plans}
    figures, failures = study_figures(results, language="zh")
    page = render_study(results, tables=tables, figures=figures, figure_failures=failures, language="zh")
    notes = [note for table in tables.values() for note in table.notes]
    return [*texts_of(page), *notes]


def test_the_chinese_report_of_the_whole_design_is_chinese(whole):
    texts = chinese_texts(whole)
    assert english_in(texts, [load_reference("industry_groups").source]) == []
    page = "\n".join(texts)
    # Its warnings and the steps of its sample are there, in Chinese.
    assert sum(len(getattr(each, "warnings", ())) for each in whole.parts().values()) > 5
    for said in (
        "自助法抽样仅 120 次",
        "个个体在处理前没有观测，已略去",
        "仅保留 report_year >= 2008 and report_year <= 2020",
    ):
        assert said in page
    assert "政策 low_carbon_pilots" in page and "industry_groups 未逐条核对" in page


def test_the_chinese_report_of_the_demonstration_is_chinese():
    design = PanelDesign(firms=30, years=tuple(range(2014, 2020)), places=12, industries=4)
    results = run(study("demo"), simulate_panel(design, seed=4))
    texts = chinese_texts(results)
    assert english_in(texts, []) == []
    warnings = {text for each in results.parts().values() for text in getattr(each, "warnings", ())}
    assert any("30 clusters of stock_code are few" in text for text in warnings)
    assert any("只有 30 个企业聚类" in text for text in texts)
    assert any("整群自助法，按聚类数放宽的百分位区间" in text for text in texts)


def test_the_planted_effects_are_found(whole, panel):
    """Within three standard errors: of ten intervals of 95 % one may well miss, and coverage has tests of its own."""
    known = panel.merge(whole.data[["stock_code", "report_year"]], on=["stock_code", "report_year"])
    planted = planted_effects(known, DESIGN)
    for mediation in whole.mediations.values():
        found = mediation.to_frame().drop_duplicates("effect").set_index("effect")
        for effect in ("total", "a", "b", "direct", "indirect"):
            truth = getattr(planted, effect)
            assert abs(found.loc[effect, "estimate"] - truth) < 3 * found.loc[effect, "standard_error"], effect
        assert found.loc["indirect", "interval_high"] < 0
    assert whole.magnitudes["baseline"].share == pytest.approx(
        whole.models["baseline"].coefficients["is_cluster"]
        * whole.data["is_cluster"].std()
        / whole.data["carbon_intensity_log"].std()
    )


def test_the_baseline_is_what_dummies_give(whole, panel):
    """The sample taken by hand, winsorised by numpy, and least squares with a column for every firm and year."""
    names = ["carbon_intensity_log", "size", "leverage", "return_on_assets"]
    data = panel.dropna(subset=[*names, "digital_log1p"]).reset_index(drop=True)
    for name in names:
        data[name] = np.clip(data[name], *np.quantile(data[name], [0.005, 0.995]))
    dummies = [pd.get_dummies(data[key], dtype=float).to_numpy() for key in ("stock_code", "report_year")]
    regressors = [
        data["is_cluster"],
        data["size"],
        data["leverage"],
        data["return_on_assets"],
        np.log1p(data["firm_age"]),
    ]
    matrix = np.column_stack([*(np.asarray(each, dtype=float) for each in regressors), dummies[0], dummies[1][:, 1:]])
    solution = np.linalg.lstsq(matrix, data["carbon_intensity_log"].to_numpy(), rcond=None)[0]
    found = whole.models["baseline"].coefficients[
        ["is_cluster", "size", "leverage", "return_on_assets", "firm_age_log"]
    ]
    assert found.to_numpy() == pytest.approx(solution[:5], abs=1e-8)
    assert whole.models["baseline"].observations == len(data)


def test_the_sample_flow_counts_what_each_filter_removes(whole, panel):
    flow = whole.sample_flow
    assert flow["rows_left"].iloc[0] == len(panel) == whole.panel_rows
    assert flow["rows_left"].iloc[-1] == len(whole.data)
    lost = flow[flow["what"] == "no value of carbon_intensity_log"]["rows_removed"].item()
    assert lost == panel["carbon_intensity_log"].isna().sum()
    assert set(whole.adjustments["variable"]) == {"carbon_intensity_log", "size", "leverage", "return_on_assets"}


def test_firms_are_split_at_10_and_50_billion_yuan(whole):
    most = whole.data["market_value_yuan"]
    group = pd.cut(most, [-np.inf, 10e9, 50e9, np.inf], right=False, labels=["small", "medium", "large"])
    by_firm = group.groupby(whole.data["stock_code"]).agg(lambda values: values.value_counts(sort=False).idxmax())
    firms = by_firm.value_counts()
    models = whole.groups["size"].models
    assert {
        name: model.clusters["city_code^industry"] <= firms[name] for name, model in models.items()
    } == dict.fromkeys(models, True)
    rows = whole.data["stock_code"].map(by_firm.astype(str)).value_counts()
    singles = {
        name: sum(count for reason, count in model.dropped.items() if reason == "singleton")
        for name, model in models.items()
    }
    assert {name: model.observations + singles[name] for name, model in models.items()} == {
        name: rows[name] for name in models
    }


def test_every_table_is_built_and_shows_the_numbers(whole):
    for language in ("zh", "en"):
        tables, failures = build_tables(whole, language)
        assert failures == {}
        assert list(tables) == list(whole.spec.tables)
    text = render_table(tables["baseline"], "csv").decode("utf-8-sig")
    assert repr(float(whole.models["baseline"].coefficients["is_cluster"]))[:12] in text
    shown = render_table(tables["traits"], "txt").decode()
    assert "Pollutant emissions" in shown
    assert "Lightly polluting" in shown
    assert "permutation" in shown
    rows = render_table(tables["indirect"], "txt").decode()
    assert "Indirect effect, Heavily polluting" in rows
    assert "Size" not in rows


def test_without_the_optional_columns_their_parts_are_left_out_and_listed(panel):
    found = run(study("liu2024"), panel)
    assert {each.kind for each in found.failures} == {"skipped"}
    left_out = {(each.part, each.name) for each in found.failures}
    assert {("models", "strength"), ("groups", "energy"), ("models", "instrumented")} <= left_out
    # A family does without a split that is left out as long as two are left.
    assert {("families", "traits: energy"), ("families", "impetus")} <= left_out
    assert ("robustness", "battery: outcome") in left_out
    assert list(found.groups) == ["pollution", "coal", "pilot", "size", "ownership"]
    assert found.mediations.keys() == {"channel", "stepwise"}
    assert list(found.families) == ["traits", "traits_indirect"]
    assert found.families["traits"].differences["split"].tolist() == ["pollution", "coal"]
    others = next(plan for plan in found.tables if plan.name == "impetus")
    assert (others.parts, others.missing) == (("size", "ownership"), ("internal", "external"))
    line = next(each.line for each in found.failures if each.name == "energy")
    assert found.spec.text.splitlines()[line - 1].strip() == "energy:"


SMALL = """\
study: small
defaults: {controls: [size], fixed_effects: [stock_code, report_year], cluster: stock_code, seed: 1, draws: 100}
variables: {nothing: size - size, is_early: report_year < 2014}
models:
  constant: {outcome: carbon_intensity_log, regressors: nothing}
  good: {outcome: carbon_intensity_log, regressors: is_cluster}
  early: {based_on: good, where: report_year < 2014}
mediation:
  none: {model: good, mediators: nothing}
  channel: {model: good, mediators: digital_log1p}
heterogeneity:
  owner: {model: good, by: is_state_owned}
"""


def test_a_model_that_fails_is_listed_and_stops_nothing(panel):
    found = run(parse_study_spec(SMALL, "small.yml"), panel)
    assert [(each.part, each.name, each.kind, each.line) for each in found.failures] == [
        ("models", "constant", "failed", 5),
        ("mediations", "none", "failed", 9),
    ]
    assert "nothing" in found.failures[0].message
    assert (list(found.models), list(found.mediations), list(found.groups)) == (
        ["good", "early"],
        ["channel"],
        ["owner"],
    )
    known = panel.dropna(subset=["carbon_intensity_log"])
    early = found.models["early"]
    assert early.observations + early.dropped.get("singleton", 0) == (known["report_year"] < 2014).sum()
    # Without tables of its own a study gets the usual ones.
    assert [plan.name for plan in found.tables] == ["models", "mediation", "heterogeneity"]
    assert build_tables(found)[1] == {}


def test_data_that_bear_no_model_are_reasons_and_no_crash(panel):
    """Missing everywhere, one cluster, infinite values, a control that repeats another: each is said, in words."""
    text = """\
study: hard
defaults: {controls: [size], fixed_effects: [stock_code, report_year], cluster: stock_code, seed: 1, draws: 100}
variables: {never: log(size - size - 1), everyone: size > 0, double: 2 * size}
models:
  lost: {outcome: carbon_intensity_log, regressors: never}
  lone: {outcome: carbon_intensity_log, regressors: is_cluster, cluster: everyone}
  fixed: {outcome: carbon_intensity_log, regressors: is_state_owned}
  same: {outcome: carbon_intensity_log, regressors: is_cluster, controls: [size, double]}
  endless: {outcome: carbon_intensity_log, regressors: is_cluster, controls: [leverage]}
heterogeneity:
  thirds: {model: same, by: {quantiles_of: size, one_group_a_firm: first}, permute: none}
"""
    data = panel.assign(leverage=panel["leverage"].where(panel.index != 7, np.inf))
    found = run(parse_study_spec(text, "hard.yml"), data)
    reasons = {each.name: each.message for each in found.failures}
    assert list(reasons) == ["lost", "lone", "fixed"]
    assert "no row is left" in reasons["lost"]
    assert "one cluster" in reasons["lone"] or "1 cluster" in reasons["lone"]
    assert "is_state_owned cannot be estimated" in reasons["fixed"]
    assert any("double" in text for text in found.models["same"].warnings)
    assert found.models["endless"].dropped["infinite leverage"] == 1
    assert len(found.groups["thirds"].models) == 3


def test_the_same_panel_gives_the_same_results_and_stays_as_it_is(panel):
    spec, before = parse_study_spec(SMALL), panel.copy(deep=True)
    labels = {"is_cluster": Variable("is_cluster", "Cluster", "产业集群")}
    first, second = run(spec, panel, variables=labels), run(spec, panel.copy(), variables=labels)
    pd.testing.assert_frame_equal(panel, before)
    assert first.data_hash == second.data_hash == content_hash(panel)
    assert content_hash(panel.assign(size=panel["size"] + 1e-9)) != first.data_hash
    assert content_hash(panel.iloc[::-1]) != first.data_hash
    assert first.failures == second.failures
    assert list(first.parts()) == list(second.parts())
    for name, part in first.parts().items():
        pd.testing.assert_frame_equal(part.to_frame(), second.parts()[name].to_frame())
    for language in ("zh", "en"):
        (one, _), (two, _) = build_tables(first, language), build_tables(second, language)
        assert {name: render_table(table, "docx") for name, table in one.items()} == {
            name: render_table(table, "docx") for name, table in two.items()
        }
    assert first.labels("zh")["is_cluster"] == "产业集群"


def test_a_planted_policy_is_found_by_every_estimator():
    generator = np.random.Generator(np.random.PCG64(3))
    firms, years = 120, range(2008, 2020)
    first = np.repeat(generator.choice([0, 2012, 2015], firms), len(years))
    frame = pd.DataFrame(
        {"firm": np.repeat([f"{n:06d}" for n in range(firms)], len(years)), "year": list(years) * firms}
    )
    level = np.repeat(generator.normal(size=firms), len(years))
    effect = -0.5 * ((first > 0) & (frame["year"] >= first))
    frame = frame.assign(
        first=first, y=level + 0.1 * (frame["year"] - 2008) + effect + 0.2 * generator.normal(size=len(frame))
    )
    text = """\
study: policy
panel: {firm: firm, year: year}
defaults: {fixed_effects: [firm, year], cluster: firm, seed: 4, draws: 100}
variables: {treated: first > 0 and year >= first}
models: {two_way: {outcome: y, regressors: treated}}
staggered: {policy: {outcome: y, first_treated: first, placebo: {}, honest: {departures: [0, 0.5]}}}
"""
    found = run(parse_study_spec(text), frame)
    assert found.failures == ()
    rows = found.staggered["policy"].to_frame().query("aggregation == 'overall'")
    assert len(rows) == 6
    assert ((rows["interval_low"] < -0.5) & (rows["interval_high"] > -0.5)).all()
    static = rows.set_index("estimator")["estimate"]["static_two_way"]
    assert found.models["two_way"].coefficients["treated"] == pytest.approx(static, abs=1e-10)
    assert found.placebos["policy"].p_value == pytest.approx(1 / 101)
    assert found.honest_bounds["policy"].to_frame()["interval_high"].iloc[0] < 0
