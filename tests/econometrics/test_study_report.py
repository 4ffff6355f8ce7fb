"""The report of a study: its numbers are those of the results, what it warns of is so, and no text of it runs."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pandas as pd
import pytest

from econometrics.emissions.decomposition import apportionment_decomposition
from econometrics.measurement_error import correct_attenuation
from econometrics.report import render_study
from econometrics.report.base import Naming, interval, main_model, number
from econometrics.report.diagnostic_words import SENTENCES
from econometrics.report.diagnostics import Diagnostic, study_diagnostics
from econometrics.report.figures import study_figures
from econometrics.report.findings import answer, question, share_words
from econometrics.report.plans import added_tables
from econometrics.report.sections import describe_by_year
from econometrics.report.tables import result_table
from econometrics.robustness import robustness
from econometrics.simulate import PanelDesign, simulate_panel
from econometrics.spec import parse_study_spec
from econometrics.spec.vocabulary import Failure
from econometrics.specification_curve import estimate_specifications
from econometrics.study import run
from econometrics.study.results import FigurePlan, StudyResults
from econometrics.study.tables import build_table, build_tables

ATTACK = '</td><script>window.hacked=1</script><img src=x onerror="window.hacked=1">'
SPEC = """
study: small
title: {zh: 小样本研究, en: A small study}
panel: {firm: stock_code, year: report_year}
variables:
  cluster: {formula: "where(is_cluster, 1, 0)", label_zh: 产业集聚, label_en: Cluster}
  twice: {formula: size * 2, label_zh: 两倍规模, label_en: Twice the size}
  carbon_intensity_log: {label_zh: 碳强度, label_en: Carbon intensity, unit: ln(t/million yuan)}
  digital_log1p: {label_zh: 数字化, label_en: Digital index}
  size: {label_zh: 规模, label_en: Size}
sample:
  - {keep: leverage < 0.9, because: insolvent firms differ}
defaults: {controls: [size], fixed_effects: [stock_code, report_year], cluster: [stock_code], seed: 5, draws: 100}
descriptive: {}
models:
  base: {outcome: carbon_intensity_log, regressors: cluster, magnitude: sd, title: {zh: 基准, en: Baseline}}
  province: {based_on: base, cluster: [province], title: {zh: 省级聚类, en: By province}}
  collinear: {based_on: base, controls: [size, twice]}
  weak: {based_on: base, regressors: [digital_log1p], endogenous: [digital_log1p], instruments: [noise]}
  nothing: {based_on: base, outcome: constant}
mediation:
  digital: {model: base, mediators: [digital_log1p], title: {zh: 数字化渠道, en: Digital channel}}
heterogeneity:
  owner: {model: base, by: is_state_owned, title: {zh: 产权性质, en: Ownership}}
figures:
  trend: {kind: trends, variable: digital_log1p, group: cluster}
"""


@pytest.fixture(scope="module")
def results() -> StudyResults:
    """A small study with a model that cannot be estimated, few clusters, a weak instrument and a collinear control."""
    data = simulate_panel(PanelDesign(firms=120, years=tuple(range(2010, 2018))), seed=3)
    noise = np.random.default_rng(8).normal(size=len(data))
    return run(parse_study_spec(SPEC, "small.yml"), data.assign(noise=noise, constant=1.0))


def page_of(results: StudyResults, language: Any = "zh", **given: Any) -> str:
    tables, _ = build_tables(results, language)
    figures, failures = study_figures(results, language=language)
    return render_study(results, tables=tables, figures=figures, figure_failures=failures, language=language, **given)


def diagnostics_of(results: StudyResults, **given: Any) -> dict[str, list[Diagnostic]]:
    found: dict[str, list[Diagnostic]] = {}
    for each in study_diagnostics(results, Naming(results), **given):
        found.setdefault(each.kind, []).append(each)
    return found


class Reader(HTMLParser):
    """Collects what a browser would find: tags, their attributes, text outside of scripts and styles."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        self.ids += [str(value) for name, value in attrs if name == "id"]
        if tag in ("script", "style"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.open and self.open[-1] == tag:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        if not self.open:
            self.text.append(data)


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    return reader


def words_of(page: str) -> str:
    return " ".join(" ".join(read(page).text).split())


def test_the_answer_is_two_sentences_with_the_numbers_of_the_results(results):
    model, mediation = results.models["base"], results.mediations["digital"]
    sentences = answer(results, Naming(results))
    assert len(sentences) == 2
    first, second = sentences
    half = 1.959963984540054  # the t quantile is larger, so the interval must be wider than the normal one
    estimate, error = float(model.coefficients["cluster"]), float(model.standard_errors["cluster"])
    low, high = (float(model.confidence_intervals().loc["cluster", end]) for end in ("interval_low", "interval_high"))
    assert low < estimate - half * error and high > estimate + half * error
    for text in first:
        assert number(estimate) in text and interval(low, high) in text and f"{model.observations:,}" in text
        firms = results.data.loc[model.residuals.index, "stock_code"].nunique()
        assert f"{firms:,}" in text and "2010–2017" in text
    share = estimate * float(model.regressor_sds["cluster"]) / model.outcome_sd
    assert f"{share * 100:.1f}%".replace("-", "−") in first[0]
    found = mediation.of("indirect")
    assert number(found.estimate) in second[1] and interval(*found.interval) in second[1]
    assert number(float(mediation.a.estimate * mediation.b.estimate)) == number(found.estimate)
    assert "1 个单位" not in first[0] and "为 1 时" in first[0]


def test_numbers_in_sentences_keep_two_digits():
    assert [number(value) for value in (-0.0574, 0.00059, 1.5, 0.0, math.nan)] == [
        "−0.057",
        "0.00059",
        "1.500",
        "0.000",
        "—",
    ]
    assert interval(-0.00028, 0.000058) == "[−0.00028, 0.00006]" and interval(-1.0, 0.004) == "[−1.000, 0.004]"


def test_the_question_names_treatment_outcome_and_mediator(results):
    zh, en = question(results, Naming(results))
    assert zh == "产业集聚是否影响碳强度？其中有多少经由数字化？"
    assert en == "Does Cluster affect Carbon intensity, and how much of it passes through Digital index?"


def test_the_answer_comes_from_the_model_that_the_others_build_on(results):
    assert main_model(results)[0] == "base"
    # Not the first one that happens to stand there, and not a mediation of something else.
    others = {name: results.models[name] for name in ("weak", "base")}
    assert main_model(replace(results, models=others))[0] == "base"
    alone = replace(results, models={"weak": results.models["weak"]})
    assert main_model(alone)[0] == "weak" and len(answer(alone, Naming(alone))) == 1


def test_a_study_without_any_model_still_has_a_page(results):
    bare = replace(
        results,
        models={}, mediations={}, groups={}, magnitudes={}, tables=(), figures=(), descriptive=None, correlations=None,
    )  # fmt: skip
    assert "没有一个模型得到估计" in words_of(page_of(bare))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_page_holds_every_section_and_needs_no_network(results, language):
    page = page_of(results, language, provenance={"versions": {"numpy": "1"}})
    reader = read(page)
    wanted = ["answer", "sample", "index", "descriptive", "main", "channel", "heterogeneity", "diagnostics"]
    assert [name for name in reader.ids if name in {*wanted, "assumptions", "provenance"}] == [
        *wanted,
        "assumptions",
        "provenance",
    ]
    assert len(reader.ids) == len(set(reader.ids))
    assert not [value for name, value in reader.attributes if name == "src"]
    # What is linked lies within the page; what names an address is an XML namespace.
    links = [str(value) for name, value in reader.attributes if name.endswith("href")]
    assert links and all(link.startswith("#") for link in links)
    addresses = set(re.findall(r"https?://[^\s\"'<>)]+", page))
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert page.startswith('<!DOCTYPE html>\n<html lang="' + ("zh-CN" if language == "zh" else "en"))
    assert "default-src 'none'" in page and "@media print" in page and "prefers-color-scheme: dark" in page
    assert results.spec_hash in page and results.data_hash in page and "numpy" in page
    assert "seed 5, 100 draws" in page and "study: small" in words_of(page)


def test_the_same_results_give_the_same_page(results):
    assert page_of(replace(results, seconds={"models/base": 99.0})) == page_of(results)


def test_what_is_in_the_way_is_said_in_both_languages_with_its_numbers(results):
    found = diagnostics_of(results)
    provinces = results.data.loc[results.models["province"].residuals.index, "province"].nunique()
    assert provinces < 40
    (few,) = found["few_clusters"]
    assert few.places == (("models", "province"),)
    assert f"仅 {provinces} 个省份聚类" in few.zh and f"only {provinces} clusters of province" in few.en
    (weak,) = found["weak_instrument"]
    f = results.models["weak"].weak_instruments.kleibergen_paap_f
    assert f < 10 and weak.weight == "serious"
    assert f"F = {f:.2f}" in weak.zh and f"F = {f:.2f}" in weak.en and "weak" in weak.en
    (collinear,) = found["collinear"]
    assert "两倍规模" in collinear.zh or "规模" in collinear.zh
    (failed,) = found["failed"]
    assert failed.places == (("models", "nothing"),) and failed.message == results.failures[0].message
    assert "第 " in failed.zh and str(results.failures[0].line) in failed.en
    (units,) = found["units"]
    assert units.zh == "变量单位：碳强度（ln(t/million yuan)）。"
    # The most serious come first.
    order = [each.weight for each in study_diagnostics(results, Naming(results))]
    assert order == sorted(order, key=["serious", "caution", "note"].index)


def test_a_strong_instrument_and_many_clusters_are_not_warned_of(results):
    model = results.models["weak"]
    strong = replace(
        model,
        weak_instruments=replace(
            model.weak_instruments, kleibergen_paap_f=80.0, effective_f=70.0, effective_f_critical_values={0.10: 23.1}
        ),
    )
    found = diagnostics_of(replace(results, models={"weak": strong}))
    assert "weak_instrument" not in found and "few_clusters" not in found
    assert "80.00" in found["strong_instrument"][0].zh
    # F above ten, but below the critical value of the effective F: weak.
    between = replace(strong, weak_instruments=replace(strong.weak_instruments, effective_f=15.0))
    assert "23.10" in diagnostics_of(replace(results, models={"weak": between}))["weak_instrument"][0].en


def test_the_emission_trap_is_said_with_its_r2(results):
    random = np.random.default_rng(4)
    data = pd.DataFrame({"division": np.repeat(np.arange(6), 50), "report_year": np.tile(np.arange(5), 60)})
    data["revenue_yuan"] = np.exp(random.normal(10, 1, len(data)))
    data["operating_cost_yuan"] = data["revenue_yuan"] * random.uniform(0.5, 0.9, len(data))
    level = np.exp(data["division"] + 0.1 * data["report_year"])
    data["intensity"] = level * data["operating_cost_yuan"] / data["revenue_yuan"]
    found = apportionment_decomposition(data, intensity="intensity")
    (trap,) = diagnostics_of(results, decompositions={"co2": found})["emission_trap"]
    between = found.r2("industry-year", "logs")
    # R2 of the cell means by hand.
    logs = np.log(data["intensity"])
    means = logs.groupby([data["division"], data["report_year"]]).transform("mean")
    by_hand = 1 - ((logs - means) ** 2).sum() / ((logs - logs.mean()) ** 2).sum()
    assert between == pytest.approx(by_hand, rel=1e-12)
    assert f"{by_hand:.1%}" in trap.zh and f"{by_hand:.1%}" in trap.en and trap.weight == "serious"
    other = apportionment_decomposition(
        data.assign(intensity=data["intensity"] * np.exp(random.normal(size=len(data)))), intensity="intensity"
    )
    assert "emission_trap" not in diagnostics_of(results, decompositions={"co2": other})


def test_an_apportioned_outcome_is_found_in_the_panel_itself(results):
    own = results.data
    level = pd.factorize(own["industry"])[0] + 0.05 * own["report_year"]
    apportioned = level + np.log(own["operating_cost_yuan"] / own["revenue_yuan"])
    trapped = replace(results, data=own.assign(carbon_intensity_log=apportioned))
    assert "emission_trap" in diagnostics_of(trapped)
    # Winsorised it is no longer exact, and still the same thing.
    low, high = apportioned.quantile([0.01, 0.99])
    nearly = diagnostics_of(replace(results, data=own.assign(carbon_intensity_log=apportioned.clip(low, high))))
    assert "emission_trap" not in nearly and nearly["emission_nearly"][0].weight == "serious"
    clipped, ratio = apportioned.clip(low, high), np.log(own["operating_cost_yuan"] / own["revenue_yuan"])
    cells = own["industry"] + own["report_year"].astype(str)
    y, x = (values - values.groupby(cells).transform("mean") for values in (clipped, ratio))
    left = ((y - x * (x @ y) / (x @ x)) ** 2).sum() / ((clipped - clipped.mean()) ** 2).sum()
    assert f"{(1 - left) * 100:.1f}%" in nearly["emission_nearly"][0].en
    # The cost ratio itself is no emission.
    assert not {"emission_trap", "emission_nearly"} & set(
        diagnostics_of(replace(results, data=own.assign(carbon_intensity_log=ratio)))
    )
    # Emissions with a life of their own, or a panel without costs: nothing to say.
    assert not {"emission_trap", "emission_nearly"} & set(diagnostics_of(results))
    without = trapped.data.drop(columns="operating_cost_yuan")
    assert not {"emission_trap", "emission_nearly"} & set(diagnostics_of(replace(trapped, data=without)))


def test_a_low_reliability_is_said_with_what_it_does_to_the_coefficient(results):
    random = np.random.default_rng(6)
    truth = random.normal(size=600)
    data = pd.DataFrame({"x": truth + random.normal(0, 0.8, 600), "y": truth + random.normal(size=600)})
    for reliability, kind in ((0.6, "low_reliability"), (0.9, "reliability")):
        corrected = correct_attenuation(data, "y", "x", reliability=reliability)
        found = diagnostics_of(replace(results, measurement_error={"index": corrected}))
        (each,) = found[kind]
        naive = np.cov(data["x"], data["y"])[0, 1] / data["x"].var()
        assert naive / corrected.estimate == pytest.approx(reliability, rel=1e-9)
        assert f"{reliability:.2f}" in each.zh and f"{reliability * 100:.1f}%" in each.zh
        assert f"{reliability:.2f}" in each.en and f"{reliability * 100:.1f}%" in each.en


def test_the_share_mediated_is_left_out_where_it_means_nothing(results):
    mediation = results.mediations["digital"]

    def with_effects(**changed: float) -> Any:
        effects = tuple(
            replace(row, estimate=changed.get(row.effect, row.estimate), interval_low=changed.get("low", 0.1),
                    interval_high=changed.get("high", 0.2))
            for row in mediation.effects
        )  # fmt: skip
        return replace(mediation, effects=effects, share_mediated=math.nan, share_reason="said otherwise")

    opposite = with_effects(direct=0.2, indirect=-0.1)
    assert share_words(opposite) == (
        "不报告中介占比：直接效应与间接效应符号相反",
        "no share mediated is given: direct and indirect effect have opposite signs",
    )
    near = with_effects(direct=0.2, indirect=0.1, low=-0.3, high=0.4)
    assert "[−0.300, 0.400]" in share_words(near)[0] and "too near zero" in share_words(near)[1]
    given = replace(mediation, share_mediated=0.25)
    assert share_words(given) == ("间接效应占总效应的 25.0%", "the indirect effect is 25.0% of the total")
    found = diagnostics_of(replace(results, mediations={"digital": opposite}))
    assert "符号相反" in found["share_not_shown"][0].zh


def test_every_sentence_has_both_languages_and_the_same_facts():
    for kind, (_, zh, en) in SENTENCES.items():
        facts_zh, facts_en = (set(re.findall(r"\{(\w+)\}", text)) for text in (zh, en))
        assert {name.removesuffix("_zh") for name in facts_zh} == {name.removesuffix("_en") for name in facts_en}, kind
        assert not any(name.endswith("_en") for name in facts_zh), kind


def test_text_of_the_data_stays_text(results):
    variables = {
        name: replace(each, label_zh=ATTACK, label_en=ATTACK, unit=ATTACK, source=ATTACK)
        for name, each in results.variables.items()
    }
    data = results.data.assign(is_state_owned=np.where(results.data["is_state_owned"], ATTACK, "else"))
    flow = results.sample_flow.assign(what=ATTACK)
    hostile = replace(
        results,
        variables=variables,
        data=data,
        sample_flow=flow,
        failures=(*results.failures, Failure("models", ATTACK, "failed", ATTACK, 3)),
        figures=(
            FigurePlan("trend", "trends", variable="digital_log1p", group="is_state_owned", titles={"zh": ATTACK}),
        ),
    )
    page = page_of(hostile, provenance={ATTACK: ATTACK}, simulated=True)
    reader = read(page)
    assert reader.tags.count("script") == 1 and "img" not in reader.tags
    assert not [name for name, _ in reader.attributes if name.startswith("on")]
    assert "window.hacked=1" in words_of(page) and "<script>window" not in page


def test_results_that_no_table_shows_get_one(results):
    bare = replace(results, tables=())
    plans = added_tables(bare)
    assert [plan.kind for plan in plans] == ["descriptive", "correlations", "models", "mediation", "heterogeneity"]
    for plan in plans:
        assert build_table(plan, bare, "zh").rows
    assert added_tables(results) == ()
    without = replace(results, tables=tuple(plan for plan in results.tables if plan.kind != "mediation"))
    assert [plan.parts for plan in added_tables(without)] == [("digital",)]


def test_figures_are_drawn_and_those_that_cannot_be_say_why(results):
    broken = replace(results, figures=(*results.figures, FigurePlan("gone", "event_study", ("none",))))
    figures, failures = study_figures(broken, language="en")
    assert [figure.name for figure in figures] == ["trend", "paths_digital"]
    assert [(each.name, each.kind) for each in failures] == [("gone", "failed")]
    assert "none of its results is there" in failures[0].message
    assert "none of its results is there" in words_of(page_of(broken, "en"))


def test_the_index_by_year_is_described_without_missing_values():
    data = pd.DataFrame({"year": [2001, 2001, 2001, 2002, 2002], "x": [0.0, 1.0, 5.0, np.nan, 3.0]})
    found = describe_by_year(data, "x", "year").set_index("year")
    assert list(found["observations"]) == [3, 1]
    assert found.loc["2001", "mean"] == 2.0 and found.loc["2001", "median"] == 1.0
    assert found.loc["2001", "share"] == pytest.approx(1 / 3) and found.loc["2002", "share"] == 0
    assert math.isnan(found.loc["2002", "sd"])


@pytest.fixture(scope="module")
def with_checks(results: StudyResults) -> StudyResults:
    """The study with a battery of checks, a specification curve and a correction for measurement error."""
    model: dict[str, Any] = {"outcome": "carbon_intensity_log", "regressors": ("cluster",), "controls": ("size",)}
    model |= {"fixed_effects": ("stock_code", "report_year"), "cluster": ("stock_code",)}
    checks: list[Any] = [{"drop_years": [2010]}, {"lag": 1}, {"outcome": "constant"}]
    battery = robustness(results.data, model, checks)
    choices = {"controls": [["size"], None], "drop_years": {"baseline": None, "2010": {"drop_years": [2010]}}}
    curve = estimate_specifications(results.data, model, choices, draws=20)
    corrected = correct_attenuation(results.data, "carbon_intensity_log", "digital_log1p", reliability=0.9)
    return replace(
        results,
        robustness={"battery": battery},
        curves={"curve": curve},
        measurement_error={"digital: attenuation": corrected},
    )


def test_robustness_is_told_with_its_counts_and_what_could_not_be_estimated(with_checks):
    battery, curve = with_checks.robustness["battery"], with_checks.curves["curve"]
    counts, words = battery.counts(), words_of(page_of(with_checks))
    assert counts["not estimated"] == 1 and sum(counts.values()) == 3
    assert f"3 项稳健性检验中，{counts['holds']} 项支持基准结论" in words
    assert f"f 3 robustness checks {counts['holds']} bear out the baseline" in words
    assert next(row.reason for row in battery.rows if row.reason) in words
    assert f"{curve.specifications} 个设定" in words and number(curve.median) in words
    for test in curve.joint_tests.itertuples():
        assert f"{test.p_value:.3f}" in words


def test_tables_of_rows_show_each_result_once_with_its_words(with_checks):
    plans = {plan.name: plan for plan in added_tables(with_checks)}
    assert set(plans) == {"robustness_battery", "curves_curve", "measurement_error_digital_attenuation"}
    checks = result_table(plans["robustness_battery"], with_checks, "zh")
    assert checks is not None and checks.title == "稳健性检验：battery"
    battery = with_checks.robustness["battery"]
    assert [row.label for row in checks.rows] == [row.label_zh for row in battery.rows]
    assert checks.rows[0].cells[0].values == (battery.rows[0].estimate,)
    # What was not estimated is blank, not zero.
    lost = next(place for place, row in enumerate(battery.rows) if row.reason)
    assert [cell.values for cell in checks.rows[lost].cells[:5]] == [()] * 5
    assert checks.rows[lost].cells[-1].text == "未能估计"
    curve = result_table(plans["curves_curve"], with_checks, "en")
    assert curve is not None and len(curve.rows) == len(with_checks.curves["curve"].by_choice())
    assert curve.rows[0].label == "Controls: Size"
    error = result_table(plans["measurement_error_digital_attenuation"], with_checks, "en")
    assert error is not None and error.rows[0].label == "Digital index: corrected by reliability"
    assert error.rows[0].kind == "heading" and error.rows[1].label == "As measured"
    models = next(plan for plan in with_checks.tables if plan.kind == "models")
    assert result_table(models, with_checks, "zh") is None


def test_bounds_placebos_and_groups_have_tables_of_their_own():
    data = simulate_panel(PanelDesign(firms=80, years=tuple(range(2010, 2018))), seed=2)
    provinces = {name: (2013, 2015, np.nan)[place % 3] for place, name in enumerate(sorted(data["province"].unique()))}
    text = """
study: policy
panel: {firm: stock_code, year: report_year}
variables: {cluster: {formula: "where(is_cluster, 1, 0)"}}
defaults: {fixed_effects: [stock_code, report_year], cluster: [stock_code], seed: 5, draws: 100}
models: {base: {outcome: carbon_intensity_log, regressors: cluster}}
mediation: {digital: {model: base, mediators: [digital_log1p]}}
heterogeneity: {owner: {model: base, by: is_state_owned, mediation: digital}}
staggered:
  pilot: {outcome: carbon_intensity_log, first_treated: pilot_year, placebo: {}, honest: {departures: [0, 1]},
    estimators: [static_two_way, event_study]}
"""
    results = run(parse_study_spec(text), data.assign(pilot_year=data["province"].map(provinces)))
    plans = {plan.parts[0].partition("/")[0]: plan for plan in added_tables(results)}
    bounds = result_table(plans["honest_bounds"], results, "zh")
    assert bounds is not None and [row.label for row in bounds.rows] == ["0", "1"]
    found = results.honest_bounds["pilot"].to_frame()
    assert bounds.rows[1].cells[1].values == (found["interval_low"].iloc[1], found["interval_high"].iloc[1])
    placebo = result_table(plans["placebos"], results, "zh")
    assert placebo is not None and placebo.rows[0].cells[0].values == (results.placebos["pilot"].estimate,)
    groups = result_table(plans["indirect_groups"], results, "en")
    assert groups is not None
    labels = [row.label for row in groups.rows]
    assert "Indirect effect, No" in labels and "Indirect effect, Yes − No" in labels
    words = words_of(page_of(results))
    estimates = results.staggered["pilot"].to_frame()["estimate"]
    assert f"平均处理效应在 {number(estimates.min())} 与 {number(estimates.max())} 之间" in words
    breakdown = results.honest_bounds["pilot"].breakdown
    assert ("即使平行趋势成立，区间也含 0" in words) == (breakdown == 0)
    weight = results.staggered["pilot"].bacon.forbidden_weight
    assert (f"有 {weight * 100:.1f}% 的权重" in words) == (weight > 0.1)


def test_what_the_panel_said_of_itself_reaches_the_page(results):
    from dataclasses import replace as changed

    from econometrics.panel.steps.result import PanelNote
    from econometrics.report.base import Naming
    from econometrics.report.diagnostics import study_diagnostics

    notes = (
        PanelNote("decomposition", "emissions", "强度只随成本率变化", "the intensity varies with the cost ratio alone"),
        PanelNote("warning", "policy", "", "three places are unknown"),
        PanelNote("assumption", "policy", "", "the notice counts"),
    )
    noted = changed(results, notes=notes)
    found = {each.kind: each for each in study_diagnostics(noted, Naming(noted))}
    assert found["panel_decomposition"].weight == "serious"
    assert "强度只随成本率变化" in found["panel_decomposition"].zh
    assert "three places are unknown" in found["panel_warning"].zh
    assert not any("the notice counts" in each.en for each in found.values())
