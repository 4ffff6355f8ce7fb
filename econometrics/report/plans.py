"""Where the tables and figures of a study stand in its report, and which are added for results that no plan shows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Literal

from econometrics.report.base import PART_TITLES, Naming, main_model, main_term
from econometrics.spec.vocabulary import TableKind
from econometrics.study.results import FigurePlan, StudyResults, TablePlan
from econometrics.study.tables import controls_of

SectionName = Literal["index", "descriptive", "main", "channel", "heterogeneity", "policies", "robustness"]

_SECTION_OF_TABLE: dict[TableKind, SectionName] = {
    "descriptive": "descriptive",
    "correlations": "descriptive",
    "models": "main",
    "mediation": "channel",
    "heterogeneity": "heterogeneity",
    "staggered": "policies",
    "event_study": "policies",
}
_SECTION_OF_FIGURE: dict[str, SectionName] = {
    "coefficients": "main",
    "event_study": "policies",
    "specification_curve": "robustness",
    "paths": "channel",
    "trends": "index",
    "marginal_effects": "heterogeneity",
}
# The results that a table of kind "results" may show, with the section of each.
_SECTION_OF_PART: dict[str, SectionName] = {
    "robustness": "robustness",
    "curves": "robustness",
    "measurement_error": "robustness",
    "indirect_groups": "heterogeneity",
    "families": "heterogeneity",
    "moderations": "heterogeneity",
    "u_tests": "heterogeneity",
    "thresholds": "heterogeneity",
    "placebos": "policies",
    "honest_bounds": "policies",
    "staggered": "policies",
    "groups": "heterogeneity",
    "mediations": "channel",
    "models": "main",
}
_SHOWN_BY: dict[str, tuple[str, ...]] = {
    "models": ("models",),
    "mediation": ("mediations",),
    "heterogeneity": ("groups",),
    "staggered": ("staggered",),
    "event_study": ("staggered",),
    "results": tuple(_SECTION_OF_PART),
}


def section_of_table(plan: TablePlan, results: StudyResults) -> SectionName:
    """Return the section of the report that a table belongs to.

    Parameters
    ----------
    plan : TablePlan
        The table.
    results : StudyResults
        The study, to see of what kind the results of a table of rows are.
    """
    if plan.kind in _SECTION_OF_TABLE:
        return _SECTION_OF_TABLE[plan.kind]
    for part, section in _SECTION_OF_PART.items():
        if any(name.partition("/")[2] in getattr(results, part) and name.startswith(part) for name in plan.parts):
            return section
    for part, section in _SECTION_OF_PART.items():
        if any(name in getattr(results, part) for name in plan.parts):
            return section
    return "robustness"


def section_of_figure(plan: FigurePlan) -> SectionName:
    """Return the section of the report that a figure belongs to."""
    return _SECTION_OF_FIGURE[plan.kind]


def added_tables(results: StudyResults) -> tuple[TablePlan, ...]:
    """Plan tables for the results that no table of the specification shows.

    Parameters
    ----------
    results : StudyResults
        The study.
    """
    taken = {plan.name for plan in results.tables}
    found = _missing_tables(results)
    return tuple(plan for plan in found if plan.name not in taken)


def _missing_tables(results: StudyResults) -> Iterable[TablePlan]:
    kinds = {plan.kind for plan in results.tables}
    if results.descriptive is not None and "descriptive" not in kinds:
        yield TablePlan("descriptive", "descriptive", titles={"zh": "描述性统计", "en": "Descriptive statistics"})
    if results.correlations is not None and "correlations" not in kinds:
        yield TablePlan("correlations", "correlations", titles={"zh": "相关系数", "en": "Correlations"})
    models = _unshown(results, "models")
    if models:
        titles = {"zh": "回归结果", "en": "Regressions"}
        controls = dict.fromkeys(control for name in models for control in controls_of(results, name))
        options = {"controls": list(controls), "digits": results.spec.digits}
        yield TablePlan("models", "models", models, titles=titles, options=options)
    mediations = _unshown(results, "mediations")
    if mediations:
        titles = {"zh": "中介效应", "en": "Mediation"}
        yield TablePlan("mediation", "mediation", mediations, titles=titles, options={"layout": "effects"})
    groups = tuple(name for name in _unshown(results, "groups") if results.groups[name].p_values)
    if groups:
        yield TablePlan("heterogeneity", "heterogeneity", groups, titles={"zh": "异质性", "en": "Heterogeneity"})
    for name in _unshown(results, "staggered"):
        zh, en = Naming(results).title("staggered", name)
        titles = {"zh": f"政策效应：{zh}", "en": f"Policy effect: {en}"}
        yield TablePlan(_file_name(f"policy_{name}"), "staggered", (name,), titles=titles)
    for part in _RESULT_TABLES:
        for name in _unshown(results, part):
            yield TablePlan(
                _file_name(f"{part}_{name}"), "results", (f"{part}/{name}",), titles=_titles(part, name, results)
            )


_RESULT_TABLES = (
    "indirect_groups",
    "families",
    "moderations",
    "u_tests",
    "thresholds",
    "placebos",
    "honest_bounds",
    "robustness",
    "curves",
    "measurement_error",
)


def _titles(part: str, name: str, results: StudyResults) -> dict[str, str]:
    (kind_zh, kind_en), (zh, en) = PART_TITLES[part], Naming(results).title(part, name)
    return {"zh": f"{kind_zh}：{zh}", "en": f"{kind_en}: {en}"}


def _file_name(name: str) -> str:
    """Return a name that every file system takes: results may be called "digital: simex"."""
    return re.sub(r"\W+", "_", name).strip("_")


def _unshown(results: StudyResults, part: str) -> tuple[str, ...]:
    """Return the results of a part that no table shows; a kind that is planned at all is left as it was planned."""
    shown = {
        name
        for plan in results.tables
        if part in _SHOWN_BY.get(plan.kind, ())
        for given in plan.parts
        for name in _plain(given, part)
    }
    return tuple(name for name in getattr(results, part) if name not in shown)


def _plain(given: str, part: str) -> Sequence[str]:
    kind, mark, name = given.partition("/")
    return [name] if mark and kind == part else [] if mark else [given]


def added_figures(results: StudyResults) -> tuple[FigurePlan, ...]:
    """Plan figures for the results that no figure of the specification shows.

    Parameters
    ----------
    results : StudyResults
        The study.
    """
    shown = {(plan.kind, name) for plan in results.figures for name in plan.parts}
    kinds = {plan.kind for plan in results.figures}
    taken = {plan.name for plan in results.figures}
    found: list[FigurePlan] = []
    if "trends" not in kinds:
        found += [FigurePlan(_file_name(f"trend_{name}"), "trends", variable=name) for name in index_variables(results)]
    found += [
        FigurePlan(_file_name(f"paths_{name}"), "paths", (name,))
        for name in results.mediations
        if ("paths", name) not in shown
    ]
    found += [
        FigurePlan(_file_name(f"event_study_{name}"), "event_study", (name,))
        for name in results.staggered
        if ("event_study", name) not in shown
    ]
    found += [
        FigurePlan(_file_name(f"marginal_effects_{name}"), "marginal_effects", (name,))
        for name in results.moderations
        if ("marginal_effects", name) not in shown
    ]
    found += [
        FigurePlan(_file_name(f"curve_{name}"), "specification_curve", (name,))
        for name in results.curves
        if ("specification_curve", name) not in shown
    ]
    return tuple(plan for plan in found if plan.name not in taken)


def index_variables(results: StudyResults) -> tuple[str, ...]:
    """Return the variables that the report describes as the index: those of the trends, else what is not a dummy.

    Parameters
    ----------
    results : StudyResults
        The study.
    """
    planned = [plan.variable for plan in results.figures if plan.kind == "trends" and plan.variable]
    mediators = [name for each in results.mediations.values() for name in each.mediators]
    found = main_model(results)
    first = [main_term(found[1])] if found else []
    chosen = planned or mediators or first
    return tuple(dict.fromkeys(name for name in chosen if name in results.data.columns))
