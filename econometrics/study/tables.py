"""The tables of a study: each plan turned into a table of `econometrics.tables`, ready for any file format."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from econometrics.spec.models import full_model
from econometrics.spec.references import builder_of
from econometrics.study.results import StudyResults, TablePlan
from econometrics.tables.model import Language, Table
from shuzhi import DataError, ShuzhiError

_COLUMNS = (
    "estimate",
    "standard_error",
    "p_value",
    "adjusted_p_value",
    "interval_low",
    "interval_high",
    "observations",
)
_WORDS = {
    "all": {"zh": "全样本", "en": "All"},
    "True": {"zh": "是", "en": "Yes"},
    "False": {"zh": "否", "en": "No"},
    "low": {"zh": "低", "en": "Low"},
    "middle": {"zh": "中", "en": "Middle"},
    "high": {"zh": "高", "en": "High"},
    "small": {"zh": "小", "en": "Small"},
    "medium": {"zh": "中等", "en": "Medium"},
    "large": {"zh": "大", "en": "Large"},
    "inside": {"zh": "政策内", "en": "Inside"},
    "outside": {"zh": "政策外", "en": "Outside"},
}


def build_tables(results: StudyResults, language: Language | None = None) -> tuple[dict[str, Table], dict[str, str]]:
    """Build every table that a study declares.

    Parameters
    ----------
    results : StudyResults
        What `econometrics.study.run` gave.
    language : {"zh", "en"}, optional
        Language of the tables; that of the study if not given.

    Returns
    -------
    tables : dict of str to Table
        By name, in order.
    failures : dict of str to str
        Tables that could not be built, and why.
    """
    chosen: Language = language or results.spec.language
    tables, failures = {}, {}
    for plan in results.tables:
        try:
            tables[plan.name] = build_table(plan, results, chosen)
        except Exception as error:
            # The other tables are not lost for what nobody foresaw in one of them.
            failures[plan.name] = str(error) if isinstance(error, ShuzhiError) else f"{type(error).__name__}: {error}"
    return tables, failures


def build_table(plan: TablePlan, results: StudyResults, language: Language) -> Table:
    """Build one table.

    Parameters
    ----------
    plan : TablePlan
        What is shown.
    results : StudyResults
        Where it is.
    language : {"zh", "en"}
        Language of the table.

    Raises
    ------
    DataError
        If an option does not fit, or nothing is to be shown.
    """
    shared: dict[str, Any] = {
        "labels": study_labels(results, language),
        "language": language,
        "title": plan.titles.get(language) or next(iter(plan.titles.values()), plan.name),
        "number": plan.number,
        **plan.options,
    }
    return _BUILDERS.get(plan.kind, _described)(plan, results, language, shared)


def study_labels(results: StudyResults, language: Language) -> dict[str, str]:
    """Return what columns, and the groups that the package itself names, are called.

    Parameters
    ----------
    results : StudyResults
        With the variables' labels.
    language : {"zh", "en"}
        Language of the labels.
    """
    # A column without a label keeps the words of the tables, which know firm, year and province.
    own = {name: label for name, label in results.labels(language).items() if label != name}
    return {name: words[language] for name, words in _WORDS.items()} | own


def title_of(spec_part: Any, language: Language, otherwise: str) -> str:
    """Return the title of a part of a specification in a language, or another text where it has none."""
    titles: Mapping[str, str] = spec_part.title
    return titles.get(language) or otherwise


def _described(plan: TablePlan, results: StudyResults, language: Language, shared: dict[str, Any]) -> Table:
    table: Table = builder_of(plan.kind)(getattr(results, plan.kind), **shared)
    return table


def _models(plan: TablePlan, results: StudyResults, language: Language, shared: dict[str, Any]) -> Table:
    table: Table = builder_of("models")([results.models[name] for name in plan.parts], **shared)
    return table


def _mediation(plan: TablePlan, results: StudyResults, language: Language, shared: dict[str, Any]) -> Table:
    table: Table = builder_of("mediation")([results.mediations[name] for name in plan.parts], **shared)
    return table


def _heterogeneity(plan: TablePlan, results: StudyResults, language: Language, shared: dict[str, Any]) -> Table:
    splits = []
    for name in plan.parts:
        split = results.groups[name]
        spoken = title_of(results.spec.heterogeneity[name], language, shared["labels"].get(split.name, split.name))
        splits.append(replace(split, name=spoken))
    table: Table = builder_of("heterogeneity")(splits, **shared)
    return table


def _staggered(plan: TablePlan, results: StudyResults, language: Language, shared: dict[str, Any]) -> Table:
    estimators = [effects for name in plan.parts for effects in _named(results.staggered[name].results, plan.kind)]
    table: Table = builder_of(plan.kind)(estimators, **shared)
    return table


def _named(found: Mapping[str, Any], kind: str) -> list[Any]:
    """Return the estimators under the names of the comparison, which tell both of Callaway and Sant'Anna apart."""
    return [
        replace(effects, estimator=name)
        for name, effects in found.items()
        if kind == "staggered" or (effects.effects["aggregation"] == "dynamic").any()
    ]


def _results(plan: TablePlan, results: StudyResults, language: Language, shared: dict[str, Any]) -> Table:
    parts, labels = results.parts(), shared["labels"]
    splits = {name: title_of(each, language, name) for name, each in results.spec.heterogeneity.items()}
    is_of_one = len({key.split("/", 1)[0] for key in plan.parts}) == 1
    frames = []
    for key in plan.parts:
        section, name = key.split("/", 1)
        rows = _wanted_rows(parts[key].to_frame(), plan.terms, _controls_of(results, section, name))
        heading = _heading(results, section, name, language, name if is_of_one else f"{name} ({section})")
        if len(rows):
            frames.append(rows.assign(result=heading, term=_row_names(rows, {**splits, **labels}, language)))
    if not frames:
        raise DataError(f"table {plan.name}: no result has a row of {', '.join(plan.terms)}")
    stacked = pd.concat(frames, ignore_index=True)
    columns = [name for name in _COLUMNS if name in stacked.columns and stacked[name].notna().any()]
    shared.setdefault("stars", False)
    table: Table = builder_of("results")(stacked, stub="term", panel="result", columns=columns, **shared)
    return table


def _wanted_rows(rows: pd.DataFrame, terms: Sequence[str], controls: Sequence[str]) -> pd.DataFrame:
    """Return the rows of some terms or effects, or all but those of controls."""
    if terms:
        names = [name for name in ("term", "effect") if name in rows.columns]
        return rows[pd.concat([rows[name].isin(list(terms)) for name in names], axis=1).any(axis=1)]
    kept = rows[~rows["term"].isin(list(controls))]
    return kept if len(kept) else rows


def _controls_of(results: StudyResults, section: str, name: str) -> tuple[str, ...]:
    """Return the terms of a result's model that are not what it is about."""
    spec = results.spec
    declared = getattr(spec, _SECTIONS.get(section, section), {}).get(name.split(": ", maxsplit=1)[0])
    model = name if section == "models" else getattr(declared, "model", None)
    if model not in spec.models:
        return ()
    about = {getattr(declared, key, None) for key in ("moderator", "regressor", "threshold", "column")}
    about |= {*(getattr(declared, "regressors", None) or ()), *(getattr(declared, "changing", None) or ())}
    return tuple(control for control in full_model(spec, str(model)).controls if control not in about)


_EFFECTS = {
    "total": {"zh": "总效应", "en": "Total effect"},
    "a": {"zh": "路径 a", "en": "Path a"},
    "b": {"zh": "路径 b", "en": "Path b"},
    "direct": {"zh": "直接效应", "en": "Direct effect"},
    "indirect": {"zh": "间接效应", "en": "Indirect effect"},
    "policy": {"zh": "政策随机分配的置换检验", "en": "Policy, against random assignment"},
    "mean effect after treatment": {"zh": "政策后的平均效应", "en": "Mean effect after treatment"},
    "turning point": {"zh": "拐点", "en": "Turning point"},
    "slope at the lower end": {"zh": "左端斜率", "en": "Slope at the lower end"},
    "slope at the upper end": {"zh": "右端斜率", "en": "Slope at the upper end"},
}
_SECTIONS = {
    "mediations": "mediation",
    "groups": "heterogeneity",
    "indirect_groups": "heterogeneity",
    "moderations": "moderators",
    "curves": "specification_curve",
    "placebos": "staggered",
    "honest_bounds": "staggered",
}


def _heading(results: StudyResults, section: str, name: str, language: Language, otherwise: str) -> str:
    declared = getattr(results.spec, _SECTIONS.get(section, section), {})
    part = declared.get(name)
    return title_of(part, language, otherwise) if hasattr(part, "title") else otherwise


def _row_names(rows: pd.DataFrame, labels: Mapping[str, str], language: Language) -> pd.Series:
    """Return what each row is called: what is compared, in which group or against which, and by which test."""

    def told(column: str) -> pd.Series:
        if column not in rows.columns:
            return pd.Series("", index=rows.index)
        return rows[column].astype("str").fillna("")

    def spoken(column: str) -> pd.Series:
        words = {**{name: titles[language] for name, titles in _EFFECTS.items()}, **labels}
        return told(column).map(lambda text: words.get(text, text))

    label = f"label_{language}"
    if label in rows.columns:
        return told(label).where(told("term") == rows["term"].iloc[0], told(label) + ", " + spoken("term"))
    names = spoken("term")
    if "departure" in rows.columns:
        names = names + ", M = " + told("departure")
    for column in ("effect", "estimator", "split", "correction", "extrapolant"):
        names = names.where((told(column) == "") | (told(column) == told("term")), names + ", " + spoken(column))
    names = names.where(told("group") == "", names + ", " + spoken("group"))
    names = names.where(told("reference") == "", names + " \u2212 " + spoken("reference"))
    return names.where(told("test") == "", names + " (" + told("test") + ")")


def controls_of(results: StudyResults, model: str) -> tuple[str, ...]:
    """Return the controls of a model of a study, which tables sum up in one row."""
    return full_model(results.spec, model).controls


_BUILDERS: Mapping[str, Callable[[TablePlan, StudyResults, Language, dict[str, Any]], Table]] = {
    "models": _models,
    "mediation": _mediation,
    "heterogeneity": _heterogeneity,
    "staggered": _staggered,
    "event_study": _staggered,
    "results": _results,
}
