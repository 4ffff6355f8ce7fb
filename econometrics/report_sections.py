"""The sections of a study's report: which sentences, tables and figures stand where."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from econometrics.report_base import Both, Naming, interval, number, p_text
from econometrics.report_figures import StudyFigure
from econometrics.report_findings import group_sentence, mediation_sentence, policy_sentence, robustness_sentence
from econometrics.report_plans import SectionName, added_tables, index_variables, section_of_table
from econometrics.study_results import StudyResults
from econometrics.table_describe import frame_table
from econometrics.table_model import Language, Table

TITLES: dict[SectionName, Both] = {
    "index": ("指数", "The index"),
    "descriptive": ("描述性统计", "Descriptive statistics"),
    "main": ("主要结果", "Main results"),
    "channel": ("作用机制", "Channel"),
    "heterogeneity": ("异质性与非线性", "Heterogeneity and non-linearity"),
    "policies": ("政策效应", "Policies"),
    "robustness": ("稳健性", "Robustness"),
}
_FLOW_LABELS: dict[str, Both] = {
    "table": ("数据表", "Table"),
    "what": ("步骤", "Step"),
    "rows_removed": ("剔除行数", "Rows removed"),
    "rows_left": ("剩余行数", "Rows left"),
    "firms_removed": ("剔除个体数", "Units removed"),
    "firms_left": ("剩余个体数", "Units left"),
    "variable": ("变量", "Variable"),
    "year": ("年份", "Year"),
    "zeros": ("零值占比", "Share of zeros"),
}


@dataclass(frozen=True)
class Section:
    """One section of the report.

    Parameters
    ----------
    name : str
        Anchor.
    title : (str, str)
        Chinese and English.
    sentences : tuple of (str, str)
        What was found.
    figures : tuple of StudyFigure
        In order.
    tables : tuple of Table
        In order.
    """

    name: str
    title: Both
    sentences: tuple[Both, ...] = ()
    figures: tuple[StudyFigure, ...] = ()
    tables: tuple[Table, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to show."""
        return not (self.sentences or self.figures or self.tables)


@dataclass(frozen=True)
class _Content:
    """What the sections are filled from."""

    results: StudyResults
    naming: Naming
    language: Language
    tables: Mapping[str, Table]
    figures: Sequence[StudyFigure] = field(default_factory=tuple)


def study_sections(
    results: StudyResults,
    naming: Naming,
    *,
    language: Language,
    tables: Mapping[str, Table],
    figures: Sequence[StudyFigure],
) -> tuple[Section, ...]:
    """Put the parts of a study into sections; a section without content is left out.

    Parameters
    ----------
    results : StudyResults
        The study.
    naming : Naming
        What things are called.
    language : {'zh', 'en'}
        Language of the tables made here.
    tables : mapping of str to Table
        By the name of their plan.
    figures : sequence of StudyFigure
        The figures.
    """
    content = _Content(results, naming, language, tables, figures)
    found = [_section(name, content) for name in TITLES]
    return tuple(section for section in found if not section.is_empty)


def _section(name: SectionName, content: _Content) -> Section:
    results = content.results
    plans = [*results.tables, *added_tables(results)]
    own = [
        content.tables[plan.name]
        for plan in plans
        if plan.name in content.tables and section_of_table(plan, results) == name
    ]
    sentences = tuple(_SENTENCES[name](content)) if name in _SENTENCES else ()
    if name == "index":
        own = [*_index_tables(content), *own]
    figures = tuple(figure for figure in content.figures if figure.section == name)
    return Section(name, TITLES[name], sentences, figures, tuple(own))


def flow_tables(results: StudyResults, language: Language) -> tuple[Table, ...]:
    """Return the sample flow as tables, one for each panel table that it names.

    Parameters
    ----------
    results : StudyResults
        The study.
    language : {'zh', 'en'}
        Language of the words.
    """
    flow = results.sample_flow
    if flow.empty:
        return ()
    # A step is a sentence, which a colon does not make a product of two variables.
    labels = {str(step): str(step) for step in flow["what"]}
    labels |= {name: both[language == "en"] for name, both in _FLOW_LABELS.items()}
    columns = [name for name in flow.columns if name not in ("table", "what")]
    several = "table" in flow.columns and flow["table"].nunique() > 1
    title = "样本形成过程" if language == "zh" else "How the sample came about"
    return (
        frame_table(
            flow,
            stub="what",
            columns=columns,
            panel="table" if several else None,
            labels=labels,
            language=language,
            title=title,
        ),
    )


def _index_tables(content: _Content) -> Iterable[Table]:
    """Describe each index by year."""
    results, language = content.results, content.language
    year = str(results.spec.panel.year)
    if year not in results.data.columns:
        return
    for name in index_variables(results):
        by_year = describe_by_year(results.data, name, year)
        if by_year.empty:
            continue
        zh, en = content.naming.variable(name)
        labels = {key: both[language == "en"] for key, both in _FLOW_LABELS.items()}
        yield frame_table(
            by_year,
            stub="year",
            columns=["observations", "mean", "sd", "p25", "median", "p75", "share"],
            labels={**labels, "share": labels["zeros"]},
            language=language,
            small="fixed",
            title=f"{zh}：分年描述" if language == "zh" else f"{en} by year",
        )


def describe_by_year(data: pd.DataFrame, name: str, year: str) -> pd.DataFrame:
    """Describe a variable year by year: values, mean, spread, quartiles, share of zeros; missing ones do not count.

    Parameters
    ----------
    data : DataFrame
        One row a firm-year.
    name, year : str
        Columns.
    """
    own = data[[year, name]].dropna().astype({name: "float64"})
    grouped = own.groupby(year, sort=True)[name]
    frame = pd.DataFrame(
        {
            "observations": grouped.count(),
            "mean": grouped.mean(),
            "sd": grouped.std(),
            "p25": grouped.quantile(0.25),
            "median": grouped.median(),
            "p75": grouped.quantile(0.75),
            "share": grouped.apply(lambda values: float((values == 0).mean())),
        }
    )
    frame.insert(0, "year", [str(int(each)) for each in frame.index])
    return frame.reset_index(drop=True)


def _index_sentences(content: _Content) -> Iterable[Both]:
    for name in index_variables(content.results):
        known = content.results.variables.get(name)
        values = content.results.data[name].dropna()
        zh, en = content.naming.variable(name)
        parts_zh, parts_en = [f"{len(values):,} 个非缺失值"], [f"{len(values):,} values"]
        if known is not None and known.unit:
            parts_zh, parts_en = [*parts_zh, f"单位：{known.unit}"], [*parts_en, f"unit: {known.unit}"]
        if known is not None and known.formula:
            parts_zh, parts_en = [*parts_zh, f"算法：{known.formula}"], [*parts_en, f"computed as {known.formula}"]
        if known is not None and known.source:
            parts_zh, parts_en = [*parts_zh, f"来源：{known.source}"], [*parts_en, f"source: {known.source}"]
        yield f"{zh}（{name}）：{'；'.join(parts_zh)}。", f"{en} ({name}): {'; '.join(parts_en)}."


def _main_sentences(content: _Content) -> Iterable[Both]:
    for name, found in content.results.magnitudes.items():
        if not np.isfinite(found.share):
            continue
        title = content.naming.title("models", name)
        x, y = content.naming.variable(found.term), content.naming.variable(found.outcome)
        scale = {"sd": ("标准差", "standard deviation"), "mean": ("均值", "mean")}[found.relative_to]
        working = f"{number(found.coefficient)} × {number(found.term_sd)} / {number(found.outcome_scale)}"
        share = f"{found.share * 100:.1f}%".replace("-", "\u2212")
        yield (
            f"{title[0]}：{x[0]}上升一个标准差，{y[0]}变化其{scale[0]}的 {share}（{working}）。",
            f"{title[1]}: one standard deviation of {x[1]} goes with {share} of the {scale[1]} of {y[1]} ({working}).",
        )


def _channel_sentences(content: _Content) -> Iterable[Both]:
    for name, found in content.results.mediations.items():
        title = content.naming.title("mediations", name)
        zh, en = mediation_sentence(found, content.naming, content.results.spec.digits)
        yield f"{title[0]}：{zh}", f"{title[1]}: {en[:1].lower()}{en[1:]}"


def _heterogeneity_sentences(content: _Content) -> Iterable[Both]:
    results, naming = content.results, content.naming
    for name, found in results.groups.items():
        yield group_sentence(name, found, naming, results.spec.digits)
    for name, by_group in results.indirect_groups.items():
        yield from _indirect_sentences(name, by_group, naming)
    for name, family in results.families.items():
        frame = family.to_frame()
        clear = int((frame["adjusted_p_value"] < 0.05).sum())
        zh, en = naming.title("families", name)
        yield (
            f"{zh}：{len(frame)} 项组间差异经多重检验调整后，{clear} 项在 5% 水平上显著。",
            f"{en}: of {len(frame)} differences {clear} differ from zero at 5% once adjusted for how many there are.",
        )
    for name, u_test in results.u_tests.items():
        (zh, en), shape = (
            naming.title("u_tests", name),
            ("U 型", "U") if u_test.shape == "u" else ("倒 U 型", "inverted U"),
        )
        verdict = ("成立", "holds") if u_test.confirmed else ("不成立", "does not hold")
        yield (
            f"{zh}：{shape[0]}关系{verdict[0]}（{p_text(u_test.p_value)}），"
            f"拐点 {number(u_test.turning_point)}（区间 {interval(*u_test.fieller)}）。",
            f"{en}: the {shape[1]} shape {verdict[1]} ({p_text(u_test.p_value)}); turning point "
            f"{number(u_test.turning_point)} (interval {interval(*u_test.fieller)}).",
        )
    for name, threshold in results.thresholds.items():
        (zh, en), of = naming.title("thresholds", name), naming.variable(threshold.threshold_variable)
        for value, ends, test in zip(threshold.thresholds, threshold.intervals, threshold.tests, strict=False):
            shown = f"{number(value)} {interval(*ends)}, {p_text(test.p_value)}"
            yield f"{zh}：{of[0]}的门槛值 {shown}。", f"{en}: threshold of {of[1]} at {shown}."


def _indirect_sentences(name: str, found: Any, naming: Naming) -> Iterable[Both]:
    frame = found.to_frame()
    rows = frame[(frame["term"] == "indirect") & (frame["kind"] == "difference")]
    zh, en = naming.title("indirect_groups", name)
    for row in rows.itertuples():
        one, other = naming.variable(str(row.group)), naming.variable(str(row.reference))
        ends, value = interval(row.interval_low, row.interval_high), number(row.estimate)
        permuted = row.permutation_p_value
        p_zh, p_en = (
            (f"，置换 {p_text(permuted)}", f", permutation {p_text(permuted)}") if np.isfinite(permuted) else ("", "")
        )
        yield (
            f"{zh}：间接效应之差（{one[0]} 减 {other[0]}）{value}，区间 {ends}{p_zh}。",
            f"{en}: difference of the indirect effects ({one[1]} less {other[1]}) {value}, interval {ends}{p_en}.",
        )


def _policy_sentences(content: _Content) -> Iterable[Both]:
    results, naming = content.results, content.naming
    for name, found in results.staggered.items():
        yield policy_sentence(name, found, naming, results.spec.digits)
    for name, placebo in results.placebos.items():
        zh, en = naming.title("placebos", name)
        yield (
            f"{zh}：{placebo.draws:,} 次随机指派政策的安慰剂检验，{p_text(placebo.p_value)}（种子 {placebo.seed}）。",
            f"{en}: placebo with {placebo.draws:,} policies dealt out at random, {p_text(placebo.p_value)} "
            f"(seed {placebo.seed}).",
        )
    for name, bounds in results.honest_bounds.items():
        zh, en = naming.title("honest_bounds", name)
        found_zh, found_en = _breakdown(float(bounds.breakdown))
        yield f"{zh}：{found_zh}。", f"{en}: {found_en}."


def _breakdown(value: float) -> Both:
    """Say how far trends may depart from parallel ones before the interval holds zero."""
    if value <= 0:
        return "即使平行趋势成立，区间也含 0", "the interval holds zero even under parallel trends"
    if not np.isfinite(value):
        return "在所试的各种偏离程度下，区间均不含 0", "the interval excludes zero under every departure that was tried"
    shown = number(value, 2)
    return (
        f"偏离平行趋势的程度不超过 {shown} 时，区间不含 0",
        f"the interval excludes zero up to a departure from parallel trends of {shown}",
    )


def _robustness_sentences(content: _Content) -> Iterable[Both]:
    for name, found in content.results.robustness.items():
        sentence = robustness_sentence(found)
        if sentence is not None:
            title = content.naming.title("robustness", name)
            yield f"{title[0]}：{sentence[0]}", f"{title[1]}: {sentence[1][:1].lower()}{sentence[1][1:]}"


_SENTENCES: dict[SectionName, Any] = {
    "index": _index_sentences,
    "main": _main_sentences,
    "channel": _channel_sentences,
    "heterogeneity": _heterogeneity_sentences,
    "policies": _policy_sentences,
    "robustness": _robustness_sentences,
}
