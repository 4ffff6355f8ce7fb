"""Tables: the model, the builders over real results, and every format read back by another program."""

import csv
import io
import math
import re
import shutil
import subprocess
import zipfile
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from econometrics.describe import correlation_matrix, descriptive_statistics
from econometrics.did import EstimatorComparison
from econometrics.did.result import StaggeredEffects
from econometrics.heterogeneity import by_group
from econometrics.instrument import instrument
from econometrics.mediate import mediate
from econometrics.regress import regress
from econometrics.tables import (
    FORMATS,
    GroupTest,
    correlation_table,
    descriptive_table,
    did_table,
    event_study_table,
    frame_table,
    heterogeneity_table,
    mediation_table,
    regression_table,
    render_table,
    render_tables,
    tex_document,
    to_csv,
    to_docx,
    to_html,
    to_markdown,
    to_tex,
    to_text,
    to_xlsx,
)
from econometrics.tables.docx import _EM, _Paddings
from econometrics.tables.groups import Split
from econometrics.tables.model import MINUS, Cell, Header, Row, Table, aligned_cells, split_at_point
from econometrics.tables.notes import star_levels, stars_of
from econometrics.tables.sheets import number_format
from econometrics.tables.tex import tex_escape
from econometrics.tables.text import text_width, wrap
from econometrics.tables.words import effect_label
from shuzhi import DataError, UsageError

WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
LABELS = {"carbon": "碳强度", "cluster": "产业集群", "size": "企业规模", "leverage": "资产负债率", "digital": "数字化"}
NASTY = r"=1+1 <script>alert('x')</script> & 100% _a_ $b$ {c} \d | ~^ # 表"


@pytest.fixture(scope="module")
def panel() -> pd.DataFrame:
    """300 firms over up to ten years, drawn once; five leverages are missing."""
    draw = np.random.default_rng(3)
    firms, years = (grid.ravel() for grid in np.meshgrid(np.arange(300), np.arange(2011, 2021), indexing="ij"))
    kept = draw.uniform(size=len(firms)) < 0.7
    firms, years = firms[kept], years[kept]
    rows = len(firms)
    cluster, size = draw.normal(size=rows), draw.normal(22, 1, size=rows)
    digital = 0.3 * cluster + draw.normal(size=rows)
    frame = pd.DataFrame(
        {
            "stock_code": [f"{firm:06d}" for firm in firms],
            "report_year": years,
            "industry": [f"C{firm % 9}" for firm in firms],
            "cluster": cluster,
            "size": size,
            "leverage": draw.uniform(size=rows),
            "digital": digital,
            "shifter": digital + draw.normal(size=rows),
            "carbon": -0.3 * cluster - 0.1 * digital + draw.normal(size=rows),
        }
    )
    frame.loc[:4, "leverage"] = np.nan
    return frame


@pytest.fixture(scope="module")
def models(panel):
    controls = ["size", "leverage"]
    firm = {"fixed_effects": ["stock_code", "report_year"], "cluster": "stock_code"}
    wide = {"fixed_effects": ["stock_code", "industry^report_year"], "cluster": ["stock_code", "report_year"]}
    return [
        regress(panel, "carbon", "cluster", **firm),
        regress(panel, "carbon", ["cluster", *controls], **firm),
        regress(panel, "carbon", ["cluster", *controls], **wide),
    ]


@pytest.fixture(scope="module")
def table(models):
    return regression_table(models, labels=LABELS, controls=["size", "leverage"], title="基准回归", number="2")


@pytest.fixture(scope="module")
def nasty():
    """A table whose every text tries to break out of its format."""
    cells = (Cell((-1234.5678,), stars="***"), Cell((0.25,), enclosure="()"), Cell(text=NASTY))
    rows = (
        Row(NASTY, cells, "coefficient"),
        Row(kind="rule"),
        Row("-minus", (Cell((29929.0,), style="whole"), Cell((0.0004,), style="p_value", span=2))),
        Row(NASTY, (), "heading"),
        Row("@at", (Cell((-0.5, 1.25)), Cell((0.342,), style="percent", digits=1), Cell((math.nan,)))),
    )
    headers = ((Header(NASTY, 2, rule=True), Header()), (Header("(1)"), Header("+2"), Header("(3)")))
    return Table(NASTY, headers, rows, (NASTY,), "zh", "7")


def grid(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


def row_of(table: Table, label: str) -> list[str]:
    return next([cell.shown() for cell in row.cells] for row in table.rows if row.label == label)


# ---------------------------------------------------------------------------------------------------- cells


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        (Cell((0.0594,)), "0.059"),
        (Cell((-0.0594,), stars="**", digits=2), "-0.06**"),
        (Cell((0.0213,), enclosure="()"), "(0.021)"),
        (Cell((-12345.678,)), "-12,345.678"),
        (Cell((29929.0,), style="whole"), "29,929"),
        (Cell((0.342,), style="percent", digits=1), "34.2%"),
        (Cell((0.0004,), style="p_value"), "<0.001"),
        (Cell((0.0005, 0.25)), "[0.001, 0.250]"),
        (Cell((0.000412,)), "0.00041"),  # not 0.000: the estimate is not zero
        (Cell((4.12e-12,)), "4.1e-12"),
        (Cell((-0.0002,), style="fixed"), "0.000"),
        (Cell((0.0,)), "0.000"),
        (Cell((-0.0,)), "0.000"),
        (Cell((math.nan,)), "—"),
        (Cell((math.nan, 1.0)), "[—, 1.000]"),
        (Cell((-math.inf,)), "-∞"),
        (Cell(text="是"), "是"),
        (Cell(), ""),
    ],
)
def test_a_cell_shows_its_number(cell, shown):
    assert cell.shown() == shown


def test_minus_sign_is_chosen_by_the_format():
    assert Cell((-0.5,)).shown(MINUS) == "−0.500"


def test_stars_follow_their_levels():
    assert star_levels([0.01, 0.05]) == (0.05, 0.01)
    marks = [stars_of(p, star_levels(True)) for p in (0.1, 0.0999, 0.05, 0.0499, 0.01, 0.0099, math.nan)]
    # Journals ask for p < level, so a p value on the level gets the fewer stars.
    assert marks == ["", "*", "*", "**", "**", "***", ""]


def test_a_table_that_does_not_fill_its_columns_names_every_bad_row():
    headers = ((Header("a"), Header("b")),)
    rows = (Row("good", (Cell(), Cell())), Row("short", (Cell(),)), Row("long", (Cell(span=3),)))
    with pytest.raises(DataError, match=r"row 2 \('short'\) covers 1 columns; row 3 \('long'\) covers 3"):
        Table("t", headers, rows)


# ------------------------------------------------------------------------------------------------- builders


def test_a_regression_table_has_every_part_that_a_journal_prints(table, models):
    assert row_of(table, "控制变量") == ["否", "是", "是"]
    assert row_of(table, "企业固定效应") == ["是", "是", "是"]
    assert row_of(table, "年份固定效应") == ["是", "是", "否"]
    assert row_of(table, "行业×年份固定效应") == ["否", "否", "是"]
    assert row_of(table, "观测值") == [f"{model.observations:,}" for model in models]
    assert row_of(table, "聚类数（企业）") == [str(model.clusters["stock_code"]) for model in models]
    assert row_of(table, "聚类数（年份）") == ["", "", "10"]
    assert row_of(table, "组内 R²") == [f"{model.within_r2:.3f}" for model in models]
    assert table.caption == "表 2  基准回归"


def test_coefficients_carry_stars_and_what_stands_beneath(table, models):
    first, below = table.rows[0], table.rows[1]
    assert first.label == "产业集群"
    for place, model in enumerate(models):
        estimate, p_value = model.coefficients["cluster"], model.p_values["cluster"]
        assert first.cells[place].values == (estimate,)
        assert first.cells[place].stars == "*" * sum(p_value < level for level in (0.1, 0.05, 0.01))
        assert below.cells[place].shown() == f"({model.standard_errors['cluster']:.3f})"


@pytest.mark.parametrize(
    ("below", "shown"),
    [
        ("t", lambda m: f"({m.statistics['cluster']:.2f})"),
        ("interval", lambda m: "[{:.3f}, {:.3f}]".format(*m.confidence_intervals().loc["cluster"])),
        ("p_value", lambda m: "(<0.001)" if m.p_values["cluster"] < 0.001 else f"({m.p_values['cluster']:.3f})"),
    ],
)
def test_what_stands_beneath_a_coefficient_can_be_chosen(models, below, shown):
    table = regression_table(models, below=below, language="en")
    assert [cell.shown() for cell in table.rows[1].cells] == [shown(model) for model in models]


def test_notes_say_what_was_done(table):
    notes = table.notes_text
    assert notes.startswith("注：第 (1)、(2) 列：括号内为聚类到企业层面的标准误。")
    assert "第 (3) 列：括号内为聚类到企业和年份层面的标准误。" in notes
    assert "***、**、* 分别表示在 1%、5%、10% 的水平上显著。" in notes
    assert "小样本调整与 reghdfe 一致。" in notes
    assert "控制变量包括企业规模、资产负债率。" in notes
    assert "缺失资产负债率 5 行" in notes
    assert "提示（第 (3) 列）：只有 10 个年份聚类：少于约 40 个时聚类标准误往往偏小" in notes


def test_english_notes_and_labels(models):
    table = regression_table(models, language="en", stars=[0.05], number="A1", title="Baseline")
    assert table.caption == "Table A1. Baseline"
    assert "Column (3): standard errors clustered by firm and year in parentheses." in table.notes_text
    assert "* p < 0.05." in table.notes_text and "**" not in table.notes_text
    assert row_of(table, "Industry × Year fixed effects") == ["No", "No", "Yes"]
    assert not any("\u4e00" <= letter <= "\u9fff" for letter in to_text(table))


def test_wild_bootstrap_and_weights_are_in_the_notes(panel):
    weighted = panel.assign(weight=1.0 + (panel["report_year"] - 2010))
    model = regress(
        weighted, "carbon", "cluster", cluster="industry", standard_errors="wild", weights="weight", draws=199, seed=5
    )
    notes = regression_table([model], labels={"weight": "年数"}).notes_text
    assert "p 值与区间取自 wild cluster bootstrap（199 次，种子 5）。" in notes
    assert "以年数为权重。" in notes and "reghdfe" not in notes


def test_controls_can_be_shown_one_by_one(models):
    controls = ["size", "leverage"]
    labels = {row.label for row in regression_table(models, controls=controls, controls_shown="all").rows}
    assert {"size", "leverage"} <= labels and "控制变量" not in labels
    some = regression_table(models, controls=controls, controls_shown=["size"])
    labels = {row.label for row in some.rows}
    assert "size" in labels and "leverage" not in labels
    assert row_of(some, "控制变量") == ["否", "是", "是"]


def test_half_of_the_controls_is_neither_yes_nor_no(panel, models):
    half = regress(panel, "carbon", ["cluster", "size"], cluster="stock_code")
    table = regression_table([models[1], half], controls=["size", "leverage"])
    assert row_of(table, "控制变量") == ["是", "部分"]
    assert row_of(table, "常数项")[0] == ""  # absorbed by the effects of the first column


def test_instruments_bring_their_diagnostics(panel):
    model = instrument(panel, "carbon", "digital", "shifter", exogenous="size", cluster="stock_code")
    table = regression_table([model], labels=LABELS, controls=["size"])
    assert row_of(table, "Kleibergen-Paap rk Wald F") == [Cell((model.weak_instruments.kleibergen_paap_f,)).shown()]
    assert "两阶段最小二乘，数字化的工具变量为shifter。" in table.notes_text


def test_group_tests_span_the_columns_that_they_compare(models):
    tests = [GroupTest((0, 1), 0.0004, note="置换 1,000 次，种子 1。"), GroupTest((1, 2), 0.034)]
    table = regression_table(models, group_tests=tests)
    rows = [row for row in table.rows if "组间" in row.label]
    # The two tests share column 1, so they cannot stand in one row.
    assert [[(cell.shown(), cell.span) for cell in row.cells] for row in rows] == [
        [("<0.001", 2), ("", 1)],
        [("", 1), ("0.034", 2)],
    ]
    assert table.notes[-1] == "置换 1,000 次，种子 1。"


def test_all_problems_of_a_regression_table_come_at_once(models):
    with pytest.raises(DataError, match=r"2 column headers for 3 models; the groups cover 1 columns.*\(2, 3\)"):
        regression_table(models, columns=["a", "b"], groups=[("g", 1)], group_tests=[GroupTest((2, 3), 0.5)])
    with pytest.raises(DataError, match="no model"):
        regression_table([])


def test_a_split_without_a_test_is_refused(models):
    with pytest.raises(DataError, match=r"split 'size' has no test between its groups"):
        heterogeneity_table([Split("size", {"large": models[0], "small": models[1]})])


def test_a_heterogeneity_table_shows_splits_and_tests(models):
    splits = [
        Split("污染程度", {"重": models[0], "轻": models[1]}, {"费舍尔": 0.012, "suest": 0.2}),
        Split("所有制", {"国有": models[1], "民营": models[2]}, {"费舍尔": 0.4}),
    ]
    table = heterogeneity_table(splits, labels=LABELS)
    assert [(header.text, header.span) for header in table.headers[0]] == [("污染程度", 2), ("所有制", 2)]
    assert [header.text for header in table.headers[2]] == ["重", "轻", "国有", "民营"]
    assert row_of(table, "组间系数差异检验 p 值（费舍尔）") == ["0.012", "0.400"]
    assert row_of(table, "组间系数差异检验 p 值（似无相关）") == ["0.200", "", ""]
    assert table.notes[0] == "被解释变量为碳强度。"


def test_a_comparison_of_groups_is_a_split(panel):
    data = panel.assign(heavy=np.where(panel["stock_code"] < "000150", "重", "轻"))
    compared = by_group(
        data, "carbon", ["cluster", "size"], group="heavy", cluster="stock_code", permute="stock_code", draws=99, seed=4
    )
    table = heterogeneity_table([compared], labels=LABELS, controls=["size"])
    expected = {"交互项": "interaction", "似无相关": "suest", "费舍尔置换": "permutation"}
    for name, test in expected.items():
        cell = Cell((compared.p_values[test],), style="p_value")
        assert row_of(table, f"组间系数差异检验 p 值（{name}）") == [cell.shown()]
    assert "费舍尔置换以企业为单位，99 次，种子 4。" in table.notes_text
    assert (
        row_of(table, "产业集群")[0]
        == Cell((compared.models[compared.groups[0]].coefficients["cluster"],), stars="***").shown()
    )


@pytest.fixture(scope="module")
def mediation(panel):
    options = {"controls": ["size"], "fixed_effects": ["stock_code", "report_year"], "cluster": "stock_code"}
    return mediate(panel, "carbon", "cluster", "digital", layout="stepwise", draws=1000, seed=7, **options)


def test_the_channel_layout_stops_at_the_mediator(mediation):
    table = mediation_table(mediation, labels=LABELS)
    assert [header.text for header in table.headers[-1]] == ["碳强度", "数字化"]
    values = [cell.values[0] for cell in table.rows[0].cells]
    assert values == pytest.approx([mediation.total.estimate, mediation.a.estimate], rel=1e-9)
    assert not any("间接" in row.label for row in table.rows)
    assert "江艇（2022）" in table.notes_text


def test_the_stepwise_layout_has_effects_interval_share_draws_and_seed(mediation):
    table = mediation_table(mediation, layout="stepwise", labels=LABELS)
    assert [header.text for header in table.headers[-1]] == ["碳强度", "数字化", "碳强度"]
    total, a, direct = (cell.values[0] for cell in table.rows[0].cells)
    b = table.rows[2].cells[2].values[0]
    place = next(number for number, row in enumerate(table.rows) if row.label == "间接效应")
    indirect, interval = table.rows[place].cells[0], table.rows[place + 1].cells[0]
    assert indirect.span == interval.span == 3
    assert indirect.values[0] == pytest.approx(a * b, rel=1e-9)
    assert total == pytest.approx(direct + indirect.values[0], rel=1e-9)
    assert interval.values == mediation.indirect.interval
    assert row_of(table, "中介效应占比") == [f"{100 * indirect.values[0] / total:.1f}%"]
    assert row_of(table, "控制变量") == ["是", "是", "是"]
    assert "整群自助法，百分位区间（1,000 次，种子 7）" in table.notes_text
    assert "括号内为聚类到企业层面的标准误。" in table.notes_text
    # The errors in brackets are those of the regressions, not those of the bootstrap.
    assert table.rows[1].cells[0].values[0] == mediation.regressions[0].standard_errors["cluster"]


def test_a_layout_without_its_regressions_uses_the_errors_of_the_effects(panel):
    result = mediate(panel, "carbon", "cluster", "digital", layout="channel", cluster="stock_code", draws=1000)
    table = mediation_table(result, layout="stepwise", language="en", below="t")
    assert table.rows[1].cells[2].values[0] == pytest.approx(result.direct.statistic)
    assert "t statistics in parentheses, from standard errors from a bootstrap of firm clusters." in table.notes_text


def test_every_effect_in_a_row(mediation):
    table = mediation_table(mediation, layout="effects", labels=LABELS)
    assert [header.text for header in table.headers[0]] == ["估计值", "标准误", "p 值", "95% 置信区间"]
    row = next(row for row in table.rows if row.label == "间接效应（数字化）")
    assert row.cells[1].values == (mediation.indirect.standard_error,)
    assert row.cells[3].values == mediation.indirect.interval
    assert row_of(table, "观测值")[0] == f"{mediation.observations:,}"


def test_several_mediators_get_their_stars_from_adjusted_p_values(panel):
    result = mediate(
        panel, "carbon", "cluster", ["digital", "shifter"], layout="stepwise", cluster="stock_code", draws=1000, seed=2
    )
    table = mediation_table(result, layout="stepwise", labels=LABELS)
    for name, label in (("digital", "数字化"), ("shifter", "shifter")):
        cell = next(row for row in table.rows if row.label == f"间接效应（{label}）").cells[0]
        p_value = result.of("indirect", name).adjusted_p_value
        assert cell.stars == "*" * sum(p_value < level for level in (0.1, 0.05, 0.01))
    assert "调整后的 p 值：Holm。" in table.notes_text
    several = mediation_table([result, result], layout="stepwise", labels=LABELS)
    assert [(header.text, header.span) for header in several.headers[0]] == [("数字化、shifter", 4)] * 2


def test_a_result_without_effects_is_no_mediation(models):
    with pytest.raises(DataError, match="Regression has no rows of effects 'total' and 'a'"):
        mediation_table(models[0])


def test_effect_labels_in_both_languages():
    assert effect_label("industry^report_year", {}, "zh") == "行业×年份固定效应"
    assert effect_label("industry^report_year", {"industry": "Sector"}, "en") == "Sector × Year fixed effects"
    assert effect_label("工厂", {}, "zh") == "工厂固定效应"


def test_descriptive_statistics_by_group(panel):
    frame = descriptive_statistics(panel, ["carbon", "leverage"], by="report_year")
    table = descriptive_table(frame, group="group", columns=["observations", "mean", "sd"], labels=LABELS)
    headings = [row.label for row in table.rows if row.kind == "heading"]
    assert headings == ["全样本", *(str(year) for year in range(2011, 2021))]
    leverage = panel["leverage"].dropna()
    assert [cell.shown() for cell in table.rows[2].cells] == [
        f"{len(leverage):,}",
        f"{leverage.mean():.3f}",
        f"{leverage.std():.3f}",
    ]
    assert [header.text for header in table.headers[0]] == ["观测值", "均值", "标准差"]


def test_correlations_stand_below_and_above(panel):
    names = ["carbon", "cluster", "leverage"]
    table = correlation_table(correlation_matrix(panel, names), labels=LABELS)
    pearson = panel["carbon"].corr(panel["cluster"])
    spearman = panel["carbon"].rank().corr(panel["cluster"].rank())
    assert table.rows[1].cells[0].values[0] == pytest.approx(pearson, abs=1e-12)
    assert table.rows[0].cells[1].values[0] == pytest.approx(spearman, abs=1e-12)
    assert table.rows[1].cells[0].stars == "***"  # the planted effect is -0.33 standard deviations
    assert table.rows[1].cells[1].shown() == "1.000"
    assert f"{len(panel) - 5:,}–{len(panel):,}" in table.notes_text


def staggered(name: str, shift: float) -> StaggeredEffects:
    times = [-2, 0, 1]
    rows = [
        {"aggregation": kind, "term": term, "event_time": time, "estimate": value, "standard_error": 0.01}
        for kind, term, time, value in (
            ("overall", "ATT", np.nan, 0.05 + shift),
            *(("dynamic", f"{time:+d}", time, 0.02 * time + shift) for time in times),
        )
    ]
    effects = pd.DataFrame(rows)
    effects = effects.assign(
        estimator=name,
        group=np.nan,
        time=np.nan,
        statistic=effects["estimate"] / 0.01,
        p_value=[0.001, 0.6, 0.04, 0.07],
        interval_low=effects["estimate"] - 0.0196,
        interval_high=effects["estimate"] + 0.0196,
        observations=400,
    )
    covariance = pd.DataFrame(np.eye(3) * 1e-4, index=times, columns=times)
    sizes = {"observations": 400, "units": 40, "treated_units": 25, "never_treated_units": 15}
    return StaggeredEffects(
        estimator=name,
        outcome="carbon",
        effects=effects,
        covariance=covariance,
        reference=-1,
        clusters={"city": 40},
        degrees_of_freedom=39.0,
        dropped={},
        assumptions=(),
        warnings=("few treated units",) if shift else (),
        options={"control group": "never treated"},
        **sizes,
    )


def test_policy_effects_by_several_estimators():
    table = did_table([staggered("TWFE", 0.0), staggered("Callaway-Sant'Anna", 0.01)], labels=LABELS)
    assert row_of(table, "平均处理效应") == ["0.050***", "0.060***"]
    assert row_of(table, "95% 置信区间") == ["[0.030, 0.070]", "[0.040, 0.080]"]
    assert row_of(table, "从未处理个体数") == ["15", "15"]
    # One effect before treatment: z = -0.04 / 0.01 and -0.03 / 0.01, chi2(1) = 16 and 9, p = 0.00006 and 0.0027.
    assert row_of(table, "事前各期效应联合为零 p 值") == ["<0.001", "0.003"]
    assert "提示（第 (2) 列）：few treated units。" in table.notes_text
    assert "对照组：never treated。" in table.notes_text


def test_effects_by_event_time_name_the_reference():
    table = event_study_table([staggered("TWFE", 0.0)], language="en")
    labels = [row.label for row in table.rows if row.kind == "coefficient"]
    assert labels == ["−2", "−1", "0", "+1"]
    assert row_of(table, "−1") == ["reference"]
    assert row_of(table, "0") == ["0.000**"]
    assert table.stub == "Event time"


def test_a_comparison_of_estimators_names_them_and_what_failed():
    results = {"static_two_way": staggered("TWFE", 0.0), "sun_abraham": staggered("SA", 0.01)}
    compared = EstimatorComparison(results, {"imputation": "no untreated row"}, None, {}, (), ())
    table = did_table(compared, labels=LABELS)
    assert [header.text for header in table.headers[-1]] == ["双向固定效应", "Sun-Abraham"]
    assert [(header.text, header.span) for header in table.headers[0]] == [("碳强度", 2)]
    assert table.notes[-1] == "插补法未能估计（no untreated row）。"
    assert event_study_table(compared, language="en").columns == 2


def test_a_frame_becomes_a_table():
    frame = pd.DataFrame(
        {
            "term": ["a", "b"],
            "estimate": [0.5, -1.0],
            "interval_low": [0.1, np.nan],
            "interval_high": [0.9, 1.0],
            "p_value": [0.03, 0.4],
            "n": [10, 12],
            "note": ["x", "y"],
        }
    )
    table = frame_table(frame, stub="term", stars=True, language="en", title="t")
    assert [header.text for header in table.headers[0]] == ["Estimate", "95% interval", "p value", "n", "note"]
    assert [cell.shown() for cell in table.rows[0].cells] == ["0.500**", "[0.100, 0.900]", "0.030", "10", "x"]
    assert table.rows[1].cells[1].shown() == ""
    with pytest.raises(DataError, match="no column 'gone'"):
        frame_table(frame, stub="gone")


# ---------------------------------------------------------------------------------------------- every format


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_gives_the_same_bytes_twice(kind, table, nasty):
    for one in (table, nasty):
        first, second = render_table(one, kind), render_table(one, kind)
        assert first == second and len(first) > 200


def test_an_unknown_format_is_named(table):
    with pytest.raises(UsageError, match="no table format 'pdf'"):
        render_table(table, "pdf")
    with pytest.raises(UsageError, match="cannot hold several"):
        render_tables([table], "csv")


def test_csv_gives_every_number_back(table, models):
    lines = grid(to_csv(table))
    first = next(line for line in lines if line[0] == "产业集群")
    numbers = [float(value) for value in first[1::2]]
    assert numbers == [float(model.coefficients["cluster"]) for model in models]  # equal, not close
    assert first[2::2] == [cell.stars for cell in table.rows[0].cells]
    assert len({len(line) for line in lines}) == 1


def test_csv_runs_no_formula_and_splits_intervals(nasty):
    lines = grid(to_csv(nasty))
    labels = [line[0] for line in lines]
    assert labels.count("'" + NASTY) == 2 and "'-minus" in labels
    assert labels[-2:] == ["'@at下限", "'@at上限"]
    assert [lines[-2][1], lines[-1][1]] == ["-0.5", "1.25"]
    assert "-1234.5678" in to_csv(nasty) and "'-1234" not in to_csv(nasty)


def test_excel_keeps_numbers_and_text_apart(nasty, table, models):
    import openpyxl

    book = openpyxl.load_workbook(io.BytesIO(to_xlsx([table, nasty])))
    assert len(book.sheetnames) == 2
    cells = [cell for line in book.worksheets[1].iter_rows() for cell in line if cell.value is not None]
    assert all(cell.data_type in "ns" for cell in cells)  # no formula anywhere
    assert sum(cell.value == NASTY for cell in cells) >= 3
    by_label = {line[0].value: line for line in book.worksheets[0].iter_rows()}
    # The workbook holds 16 digits.
    expected = [float(model.coefficients["cluster"]) for model in models]
    assert [cell.value for cell in by_label["产业集群"][1:]] == pytest.approx(expected, rel=1e-15)
    assert by_label["产业集群"][1].number_format.startswith("0.000")


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (Cell((-0.0594,), stars="***"), '0.000"***"'),
        (Cell((-0.0213,), enclosure="()"), '"("0.000")";"("-0.000")"'),
        (Cell((0.000412,)), "0.00000"),
        (Cell((29929.0,), style="whole"), "#,##0"),
        (Cell((0.342,), style="percent", digits=1), "0.0%"),
        (Cell((0.0001,), style="p_value"), '[<0.001]"<0.001";0.000'),
    ],
)
def test_excel_shows_numbers_as_the_table_does(cell, expected):
    assert number_format(cell) == expected


class _Checker(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def test_html_is_well_formed_and_escaped(nasty):
    checker = _Checker()
    checker.feed(to_html(nasty))
    assert not checker.open and "script" not in checker.seen
    assert sum(NASTY in text for text in checker.text) == 6  # caption, header, label, cell, heading, notes
    root = ElementTree.fromstring(to_html(nasty, style="without"))
    rows = root.findall(".//tbody/tr")
    spans = [sum(int(cell.get("colspan", "1")) for cell in row) for row in rows]
    assert set(spans) == {4}


def test_html_stands_alone(table):
    page = to_html(table)
    assert not re.search(r"https?:|src=|@import|url\(", page)


def test_tex_escapes_every_special_sign(nasty):
    assert tex_escape(r"50% a_b & {x} \y $z$") == r"50\% a\_b \& \{x\} \textbackslash{}y \$z\$"
    tex = to_tex(nasty, label="my table_1")
    assert r"\label{tab:my-table-1}" in tex
    bare = re.sub(r"\\[{}]", "", tex)
    assert bare.count("{") == bare.count("}")
    body = tex[tex.index(r"\toprule") : tex.index(r"\bottomrule")]
    assert [rule in body for rule in (r"\toprule", r"\midrule")] == [True, True] and "|" not in tex.split("tabular}")[1]
    assert r"-1{,}234.568^{***}" in tex


@pytest.mark.slow
def test_tex_compiles(table, nasty, models, tmp_path):
    if shutil.which("xelatex") is None:
        pytest.skip("needs xelatex with ctex, booktabs, threeparttable and dcolumn")
    english = regression_table(models, language="en", below="interval", title="50% of A_b & more")
    (tmp_path / "t.tex").write_text(tex_document([table, nasty, english]), encoding="utf-8")
    command = ["xelatex", "-interaction=nonstopmode", "-halt-on-error", "t.tex"]
    done = subprocess.run(
        command, check=False, cwd=tmp_path, capture_output=True, text=True, errors="replace", timeout=120
    )
    assert done.returncode == 0, done.stdout[-2000:]
    assert (tmp_path / "t.pdf").stat().st_size > 10_000


def word_rows(content: bytes):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        root = ElementTree.fromstring(archive.read("word/document.xml"))
    return root, [table.findall(f"{WORD}tr") for table in root.iter(f"{WORD}tbl")]


def edge(cell, side: str) -> str | None:
    found = cell.find(f"{WORD}tcPr/{WORD}tcBorders/{WORD}{side}")
    return None if found is None or found.get(f"{WORD}val") == "nil" else found.get(f"{WORD}sz")


def test_word_tables_have_three_lines_and_no_vertical_one(table):
    _, (rows,) = word_rows(to_docx(table))
    cells = [row.findall(f"{WORD}tc") for row in rows]
    headers = len(table.headers)
    assert {edge(cell, "top") for cell in cells[0]} == {"12"}  # eighths of a point: 1.5 pt
    assert {edge(cell, "bottom") for cell in cells[headers - 1]} == {"6"}
    assert {edge(cell, "bottom") for cell in cells[-1]} == {"12"}
    assert {edge(cell, side) for row in cells for cell in row for side in ("left", "right")} == {None}
    assert [row.find(f"{WORD}trPr/{WORD}tblHeader") is not None for row in rows] == [
        number < headers for number in range(len(rows))
    ]


def test_word_uses_both_fonts_in_every_run_and_its_own_numbering(table):
    root, _ = word_rows(to_docx(table))
    fonts = [run.find(f"{WORD}rPr/{WORD}rFonts") for run in root.iter(f"{WORD}r")]
    assert {(font.get(f"{WORD}ascii"), font.get(f"{WORD}eastAsia")) for font in fonts} == {("Times New Roman", "宋体")}
    assert "".join(text.text for text in root.iter(f"{WORD}instrText")).strip() == r"SEQ 表 \* ARABIC"


def test_word_properties_stand_in_the_order_of_the_schema(nasty):
    root, _ = word_rows(to_docx(nasty))
    order = ["tcW", "gridSpan", "vMerge", "tcBorders", "shd", "noWrap", "tcMar", "vAlign"]
    for properties in root.iter(f"{WORD}tcPr"):
        places = [order.index(child.tag.removeprefix(WORD)) for child in properties]
        assert places == sorted(places)
    order = ["pStyle", "keepNext", "keepLines", "pBdr", "spacing", "ind", "jc"]
    for properties in root.iter(f"{WORD}pPr"):
        places = [order.index(child.tag.removeprefix(WORD)) for child in properties]
        assert places == sorted(places)


def test_word_opens_and_says_the_same(nasty, table):
    import docx

    document = docx.Document(io.BytesIO(to_docx([table, nasty])))
    first, second = document.tables
    texts = [[cell.text.strip() for cell in row.cells] for row in first.rows]
    expected = [cell.shown(MINUS) for cell in table.rows[0].cells]
    assert texts[len(table.headers)] == ["产业集群", *expected]
    assert second.rows[2].cells[0].text == NASTY
    assert any(paragraph.text == nasty.notes_text for paragraph in document.paragraphs)


def test_decimal_points_meet_in_word(table):
    paddings = _Paddings(table)
    widths = {"\u2007": 0.5, "\u2004": 1 / 3, "\u2005": 0.25, "\u2006": 1 / 6}
    for column, cells in aligned_cells(table).items():
        places = []
        for cell in cells:
            shown = paddings.padded(column, cell)
            before, after = split_at_point(shown)
            sides = [sum(widths.get(letter, _EM.get(letter, 0.5)) for letter in side) for side in (before, after)]
            places.append(sides[0] - sum(sides) / 2)  # the point, measured from the middle of the cell
        assert max(places) - min(places) < 0.06  # ems: 0.6 pt at 10 pt


def test_widths_of_letters_are_those_of_times():
    from matplotlib.font_manager import findfont
    from PIL import ImageFont

    font = ImageFont.truetype(findfont("STIXGeneral", fallback_to_default=False), 1000)  # same widths as Times
    for letter in "0123456789()[].,*":
        assert _EM.get(letter, 0.5) == pytest.approx(font.getlength(letter) / 1000, abs=0.01), letter


def test_a_wide_table_lies_on_its_side(models):
    wide = regression_table([models[0]] * 9, labels={"cluster": "a rather long label of a variable"}, language="en")
    root, _ = word_rows(to_docx(wide))
    size = next(root.iter(f"{WORD}pgSz"))
    assert int(size.get(f"{WORD}w")) > int(size.get(f"{WORD}h"))


def test_text_lines_up(table):
    lines = to_text(table).splitlines()
    body = lines[1 : lines.index(next(line for line in lines if line.startswith("注")))]
    width = text_width(body[0])
    assert all(text_width(line) <= width for line in body)
    rows = [line for line in body if "." in line and "R²" not in line]
    places = [[text_width(line[: found.start()]) for found in re.finditer(r"\.", line)] for line in rows]
    assert len({tuple(place) for place in places if len(place) == 3}) == 1


def test_text_is_cut_to_the_terminal(table):
    lines = to_text(table, 44).splitlines()
    assert max(map(text_width, lines)) <= 45  # a closing mark may stand out by one
    assert sum(line.strip() == "(3)" for line in lines) == 1


def test_wrapping_keeps_brackets_with_their_words():
    lines = wrap("按江艇（2022）检验处理变量对中介变量的影响（第一步）。", 12)
    assert not any(line.endswith("（") for line in lines)
    assert not any(line[0] in "，。）" for line in lines)
    assert "".join(lines) == "按江艇（2022）检验处理变量对中介变量的影响（第一步）。"


def test_markdown_has_one_header_and_no_open_mark(nasty):
    lines = [line for line in to_markdown(nasty).splitlines() if line.startswith("|")]
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in lines}) == 1
    assert sum(set(line) <= set("|-: ") for line in lines) == 1
    assert "<script>" not in to_markdown(nasty)


def test_several_tables_in_one_file(table, nasty):
    _, tables = word_rows(render_tables([table, nasty], "docx"))
    assert len(tables) == 2
    assert render_tables([table, nasty], "tex").decode().count(r"\begin{tabular}") == 2
