"""What is shown of a study: the tables and figures that it declares, or the usual ones where it declares none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from econometrics.spec.models import full_model
from econometrics.spec.parts import TableSpec
from econometrics.spec.references import SHOWN
from econometrics.spec.vocabulary import TableKind
from econometrics.study.results import FigurePlan, StudyResults, TablePlan

# The mapping of `StudyResults` in which a table or figure of each kind finds its parts.
HELD_IN: dict[str, str] = {
    "models": "models",
    "coefficients": "models",
    "mediation": "mediations",
    "paths": "mediations",
    "heterogeneity": "groups",
    "staggered": "staggered",
    "event_study": "staggered",
    "marginal_effects": "moderations",
    "specification_curve": "curves",
}
# Mappings that a table of kind results takes rows from, by the section in which their names are declared.
RESULTS_OF: dict[str, tuple[str, ...]] = {
    "models": ("models",),
    "mediation": ("mediations",),
    "heterogeneity": ("groups", "indirect_groups"),
    "families": ("families",),
    "moderators": ("moderations",),
    "u_tests": ("u_tests",),
    "thresholds": ("thresholds",),
    "staggered": ("staggered", "placebos", "honest_bounds"),
    "robustness": ("robustness",),
    "specification_curve": ("curves",),
    "measurement_error": ("measurement_error",),
}
_TITLES: dict[str, dict[str, str]] = {
    "descriptive": {"zh": "描述性统计", "en": "Descriptive statistics"},
    "correlations": {"zh": "相关系数矩阵", "en": "Correlations"},
    "models": {"zh": "回归结果", "en": "Regressions"},
    "mediation": {"zh": "机制检验", "en": "Mechanism"},
    "heterogeneity": {"zh": "异质性分析", "en": "Heterogeneity"},
    "staggered": {"zh": "政策效应：多种估计量", "en": "Effect of the policy by several estimators"},
    "event_study": {"zh": "事件研究", "en": "Event study"},
    "families": {"zh": "多重检验校正", "en": "Adjusted for several splits"},
    "moderators": {"zh": "调节效应", "en": "Moderation"},
    "u_tests": {"zh": "U 型检验", "en": "U test"},
    "thresholds": {"zh": "门槛回归", "en": "Threshold regression"},
    "robustness": {"zh": "稳健性检验", "en": "Robustness"},
    "measurement_error": {"zh": "测量误差", "en": "Measurement error"},
}
MOST_COLUMNS = 8


def table_plans(results: StudyResults) -> tuple[TablePlan, ...]:
    """Return the tables of a study in order.

    Parameters
    ----------
    results : StudyResults
        With all results, and the specification.
    """
    declared = results.spec.tables or _usual_tables(results)
    plans = []
    for name, table in declared.items():
        parts, missing = _found(results, table.kind, table.parts, table.section)
        if table.kind in {"descriptive", "correlations"}:
            missing = () if getattr(results, table.kind) is not None else (table.kind,)
        titles = {str(key): text for key, text in (table.title or _TITLES.get(table.kind, {})).items()}
        options, terms = _options(results, table), tuple(table.terms)
        plans.append(TablePlan(name, table.kind, parts, missing, titles, table.number, options, terms))
    return tuple(plan for plan in plans if plan.parts or (SHOWN.get(plan.kind) is None and not plan.missing))


def figure_plans(results: StudyResults) -> tuple[FigurePlan, ...]:
    """Return the figures of a study in order; those that have nothing to show are left out."""
    plans = []
    for name, figure in results.spec.figures.items():
        parts, missing = _found(results, figure.kind, figure.parts)
        wanted = [column for column in (figure.variable, figure.group) if column]
        if (figure.kind != "trends" and not parts) or any(column not in results.data.columns for column in wanted):
            continue
        words = (figure.term or "", figure.variable or "", figure.group or "")
        titles = {str(key): text for key, text in figure.title.items()}
        plans.append(FigurePlan(name, figure.kind, parts, missing, titles, *words))
    return tuple(plans)


def _usual_tables(results: StudyResults) -> dict[str, TableSpec]:
    """Return a table of each kind of which there is a result."""
    found: dict[str, TableSpec] = {}
    for kind in ("descriptive", "correlations"):
        if getattr(results, kind) is not None:
            found[kind] = TableSpec(kind=kind)
    kinds: tuple[TableKind, ...] = ("models", "mediation", "heterogeneity", "staggered", "event_study")
    for each in kinds:
        names = list(getattr(results, HELD_IN[each]))
        size = MOST_COLUMNS if each == "models" else max(len(names), 1)
        for number, start in enumerate(range(0, len(names), size), start=1):
            name = each if len(names) <= size else f"{each}_{number}"
            found[name] = TableSpec(kind=each, parts=names[start : start + size])
    for section, mappings in RESULTS_OF.items():
        # A curve has hundreds of rows, and is drawn.
        shown_already = section in {"models", "mediation", "heterogeneity", "staggered", "specification_curve"}
        found_names = [name.split(": ")[0] for mapping in mappings for name in getattr(results, mapping)]
        names = [] if shown_already else found_names
        if names:
            names, title = list(dict.fromkeys(names)), _TITLES[section]
            found[section] = TableSpec(kind="results", parts=names, section=section, title=title)
    return found


def _found(
    results: StudyResults, kind: str, names: Sequence[str], section: str | None = None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return which names have a result that a table or figure of this kind can show, and which do not."""
    if kind == "results":
        held_in = RESULTS_OF[section] if section else [part for each in RESULTS_OF.values() for part in each]
        keys = {
            name: [f"{part}/{key}" for part in held_in for key in getattr(results, part) if key.split(": ")[0] == name]
            for name in names
        }
        return tuple(key for found in keys.values() for key in found), tuple(name for name in names if not keys[name])
    held = getattr(results, HELD_IN[kind]) if kind in HELD_IN else {}
    parts = tuple(name for name in names if name in held and _is_shown(kind, held[name]))
    return parts, tuple(name for name in names if name not in parts)


def _is_shown(kind: str, result: Any) -> bool:
    """A split with one group has nothing to compare; a comparison without an event study has nothing to plot."""
    if kind == "heterogeneity":
        return len(result.groups) > 1
    if kind == "event_study":
        return len(_with_events(result)) > 0
    return True


def _with_events(comparison: Any) -> list[str]:
    return [name for name, effects in comparison.results.items() if (effects.effects["aggregation"] == "dynamic").any()]


def _options(results: StudyResults, table: TableSpec) -> dict[str, Any]:
    """Return a table's options, with the study's decimals and the controls of its models."""
    options = dict(table.options)
    options.setdefault("digits", results.spec.digits)
    models = {
        "models": [name for name in table.parts if name in results.models],
        "heterogeneity": [results.spec.heterogeneity[name].model for name in table.parts if name in results.groups],
    }.get(table.kind)
    if models is not None:
        named = [full_model(results.spec, model) for model in models]
        shown = {term for model in named for term in model.regressors}
        controls = dict.fromkeys(control for model in named for control in model.controls if control not in shown)
        options.setdefault("controls", list(controls))
    if table.kind == "mediation":
        options.setdefault("layout", _layout(results, table.parts))
    if table.kind == "descriptive" and results.spec.descriptive is not None and results.spec.descriptive.by:
        options.setdefault("group", "group")
    return options


def _layout(results: StudyResults, names: Sequence[str]) -> str:
    chosen = {results.spec.mediation[name].layout for name in names if name in results.mediations}
    return chosen.pop() if len(chosen) == 1 else "stepwise"
