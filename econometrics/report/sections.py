"""The sections of a study's report: which sentences, tables and figures stand where."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from econometrics.report.base import Both, Naming
from econometrics.report.figures import StudyFigure
from econometrics.report.plans import SectionName, added_tables, index_variables, section_of_table
from econometrics.report.sentences import section_sentences
from econometrics.study.results import StudyResults
from econometrics.study.tables import study_labels
from econometrics.tables.descriptive import frame_table
from econometrics.tables.model import Language, Table
from econometrics.tables.words import message

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
    more : tuple of Table
        Tables of results that the specification has no table for, though it declares tables.
    """

    name: str
    title: Both
    sentences: tuple[Both, ...] = ()
    figures: tuple[StudyFigure, ...] = ()
    tables: tuple[Table, ...] = ()
    more: tuple[Table, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to show."""
        return not (self.sentences or self.figures or self.tables or self.more)


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
    declared = list(results.tables)
    added = list(added_tables(results))
    if not results.spec.tables:
        declared, added = [*declared, *added], []
    own, more = (
        [
            content.tables[plan.name]
            for plan in plans
            if plan.name in content.tables and section_of_table(plan, results) == name
        ]
        for plans in (declared, added)
    )
    if name == "index":
        own = [*_index_tables(content), *own]
    figures = tuple(figure for figure in content.figures if figure.section == name)
    sentences = section_sentences(name, results, content.naming)
    return Section(name, TITLES[name], sentences, figures, tuple(own), tuple(more))


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
    own = study_labels(results, language)
    labels = {str(step): message(str(step), own, language) for step in flow["what"]}
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
