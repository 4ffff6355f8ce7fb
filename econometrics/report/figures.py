"""The figures of a study, from its plans."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from econometrics.figures.base import Drawing
from econometrics.figures.curve import specification_curve
from econometrics.figures.estimates import coefficient_plot, event_study_plot, marginal_effects_plot
from econometrics.figures.path import mediation_path_diagram
from econometrics.figures.trends import trend_plot, yearly_values
from econometrics.report.base import Both, Naming, both_titles, is_binary, main_term
from econometrics.report.plans import SectionName, added_figures, section_of_figure
from econometrics.spec.vocabulary import Failure
from econometrics.study.results import FigurePlan, StudyResults
from econometrics.tables.model import Language
from econometrics.tables.policies import ESTIMATORS
from shuzhi import DataError

# What the dimensions of a specification curve are called.
CHOICE_WORDS: dict[str, Both] = {
    "outcome": ("被解释变量", "Outcome"),
    "regressor": ("解释变量", "Regressor"),
    "index": ("指数", "Index"),
    "treatment": ("解释变量", "Treatment"),
    "controls": ("控制变量", "Controls"),
    "add_controls": ("增加控制变量", "Controls added"),
    "drop_controls": ("减少控制变量", "Controls dropped"),
    "fixed_effects": ("固定效应", "Fixed effects"),
    "effects": ("固定效应", "Fixed effects"),
    "cluster": ("聚类层级", "Clustered by"),
    "weights": ("权重", "Weights"),
    "standard_errors": ("标准误", "Standard errors"),
    "transform": ("变换", "Transformation"),
    "lag": ("滞后", "Lag"),
    "lead": ("提前", "Lead"),
    "first_differences": ("一阶差分", "First differences"),
    "winsorise": ("缩尾", "Winsorised"),
    "drop_years": ("剔除年份", "Years dropped"),
    "sample": ("样本", "Sample"),
    "tails": ("极端值", "Tails"),
    "years": ("年份", "Years"),
    "all": ("全部", "all"),
    "baseline": ("同基准", "as the baseline"),
    "none": ("无", "none"),
}


@dataclass(frozen=True)
class StudyFigure:
    """A figure of a study.

    Parameters
    ----------
    name : str
        For the file.
    section : str
        Where it stands in the report.
    title : str
        What it shows.
    drawing : Drawing
        The figure.
    """

    name: str
    section: SectionName
    title: str
    drawing: Drawing


def study_figures(
    results: StudyResults, *, language: Language = "zh", font: str | Path | None = None
) -> tuple[tuple[StudyFigure, ...], tuple[Failure, ...]]:
    """Draw every figure that is planned, and those of results that no plan shows.

    Parameters
    ----------
    results : StudyResults
        The study.
    language : {'zh', 'en'}
        Language of titles and labels.
    font : str or Path, optional
        A font file for Chinese.

    Returns
    -------
    figures : tuple of StudyFigure
        Those that could be drawn.
    failures : tuple of Failure
        Why the others could not.
    """
    draw = _Drawer(results, language, font)
    figures, failures = [], []
    for plan in (*results.figures, *added_figures(results)):
        try:
            figures.append(draw.figure(plan))
        except DataError as error:
            failures.append(Failure("figures", plan.name, "failed", str(error)))
    return tuple(figures), tuple(failures)


class _Drawer:
    """Draws the figures of one study in one language."""

    def __init__(self, results: StudyResults, language: Language, font: str | Path | None) -> None:
        self.results, self.language = results, language
        self.naming = Naming(results)
        self.common: dict[str, Any] = {"language": language, "font": font}

    def figure(self, plan: FigurePlan) -> StudyFigure:
        """Draw one figure."""
        by_kind = {
            "coefficients": self._coefficients,
            "event_study": self._event_study,
            "specification_curve": self._curve,
            "paths": self._paths,
            "trends": self._trends,
            "marginal_effects": self._marginal_effects,
        }
        drawing, default = by_kind[plan.kind](plan)
        title = self._said(both_titles(plan.titles, default))
        return StudyFigure(plan.name, section_of_figure(plan), title, Drawing(drawing.figure, drawing.style, title))

    def _said(self, both: tuple[str, str]) -> str:
        return both[self.language == "en"]

    def _labels(self, own: Mapping[str, str] | None = None) -> dict[str, str]:
        return {**self.naming.labels[self.language], **(own or {})}

    def _one(self, plan: FigurePlan, part: str) -> tuple[str, Any]:
        found = getattr(self.results, part)
        for name in plan.parts:
            if name in found:
                return name, found[name]
        raise DataError(f"none of its results is there: {', '.join(plan.parts) or 'no name is given'}")

    def _coefficients(self, plan: FigurePlan) -> tuple[Drawing, tuple[str, str]]:
        models = {name: self.results.models[name] for name in plan.parts if name in self.results.models}
        if not models:
            raise DataError(f"none of its models is there: {', '.join(plan.parts) or 'no name is given'}")
        term = plan.term or main_term(next(iter(models.values())))
        rows = []
        for name, model in models.items():
            frame = model.to_frame().set_index("term")
            if term in frame.index:
                rows.append({**frame.loc[term].to_dict(), "term": self._said(self.naming.title("models", name))})
        if not rows:
            raise DataError(f"no model has the term {term!r}")
        zh, en = self.naming.variable(term)
        return coefficient_plot(pd.DataFrame(rows), **self.common), (f"{zh}的系数", f"Coefficient of {en}")

    def _event_study(self, plan: FigurePlan) -> tuple[Drawing, tuple[str, str]]:
        name, found = self._one(plan, "staggered")
        if not any((each.effects["aggregation"] == "dynamic").any() for each in found.results.values()):
            raise DataError("no estimator has effects by time since treatment")
        labels = {own: self._said(words) for own, words in ESTIMATORS.items()}
        frame = found.event_studies()
        if frame["estimator"].nunique() > 1:
            # Five bands over each other hide the points.
            frame = frame.drop(columns=["uniform_low", "uniform_high"])
        drawing = event_study_plot(frame, estimator="estimator", labels=labels, **self.common)
        zh, en = self.naming.title("staggered", name)
        return drawing, (f"事件研究：{zh}", f"Event study: {en}")

    def _curve(self, plan: FigurePlan) -> tuple[Drawing, tuple[str, str]]:
        name, found = self._one(plan, "curves")
        frame = found.to_frame()
        choices = [str(each) for each in found.choices]
        words = {choice: self._said(both) for choice, both in CHOICE_WORDS.items()}
        drawing = specification_curve(frame, choices, main="is_main", labels={**self._labels(), **words}, **self.common)
        zh, en = self.naming.title("curves", name)
        return drawing, (f"设定曲线：{zh}", f"Specification curve: {en}")

    def _paths(self, plan: FigurePlan) -> tuple[Drawing, tuple[str, str]]:
        name, found = self._one(plan, "mediations")
        drawing = mediation_path_diagram(
            found.to_frame(),
            treatment=found.treatment,
            outcome=found.outcome,
            labels=self._labels(),
            digits=self.results.spec.digits,
            **self.common,
        )
        zh, en = self.naming.title("mediations", name)
        return drawing, (f"路径图：{zh}", f"Paths: {en}")

    def _trends(self, plan: FigurePlan) -> tuple[Drawing, tuple[str, str]]:
        data, year, group = self.results.data, str(self.results.spec.panel.year), plan.group or None
        yearly = yearly_values(data, plan.variable, year=year, group=group)
        label, unit = (
            self.naming.variable(plan.variable),
            getattr(self.results.variables.get(plan.variable), "unit", ""),
        )
        drawing = trend_plot(
            yearly,
            year=year,
            group=group,
            labels=self._group_labels(data, group),
            value_label=self._said(label) + (f" ({unit})" if unit else ""),
            **self.common,
        )
        by = self.naming.variable(group) if group else ("", "")
        zh = f"{label[0]}的年度均值" + (f"，按{by[0]}分组" if group else "")
        return drawing, (zh, f"Mean of {label[1]} by year" + (f" and {by[1]}" if group else ""))

    def _group_labels(self, data: pd.DataFrame, group: str | None) -> dict[str, str]:
        if group is None or not is_binary(data[group]):
            return {}
        name = self._said(self.naming.variable(group))
        yes, no = ("是", "否") if self.language == "zh" else ("yes", "no")
        joint = "：" if self.language == "zh" else ": "
        values = {str(value): yes if value else no for value in data[group].dropna().unique()}
        return {value: f"{name}{joint}{answer}" for value, answer in values.items()}

    def _marginal_effects(self, plan: FigurePlan) -> tuple[Drawing, tuple[str, str]]:
        name, found = self._one(plan, "moderations")
        moderator, treatment = self.naming.variable(found.moderator), self.naming.variable(found.treatment)
        observed = self.results.data[found.moderator] if found.moderator in self.results.data.columns else None
        zh, en = self.naming.title("moderations", name)
        drawing = marginal_effects_plot(
            found.marginal_effects,
            observed=observed,
            moderator_label=self._said(moderator),
            value_label=self._said((f"{treatment[0]}的边际效应", f"Marginal effect of {treatment[1]}")),
            **self.common,
        )
        return drawing, (f"边际效应：{zh}", f"Marginal effects: {en}")
