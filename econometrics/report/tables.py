"""Tables of results that are lists of rows: robustness, bounds, curves, measurement error, placebos, families."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from econometrics.report.base import PART_TITLES, Both, Naming, both_titles
from econometrics.report.figures import CHOICE_WORDS
from econometrics.study.results import StudyResults, TablePlan
from econometrics.tables.descriptive import frame_table
from econometrics.tables.model import Language, Table

_COLUMN_WORDS: dict[str, Both] = {
    "verdict": ("与基准相比", "Against the baseline"),
    "check": ("检验", "Check"),
    "departure": ("偏离程度", "Departure"),
    "set_low": ("识别集", "Identified set"),
    "set": ("识别集", "Identified set"),
    "option": ("选择", "Choice"),
    "specifications": ("设定数", "Specifications"),
    "share": ("显著占比", "Significant"),
    "lowest": ("最小", "Lowest"),
    "highest": ("最大", "Highest"),
    "correction": ("校正方法", "Correction"),
    "placebo_mean": ("安慰剂均值", "Mean of the placebos"),
    "draws": ("次数", "Draws"),
    "what": ("比较", "Comparison"),
    "permutation_p_value": ("置换 p 值", "Permutation: p value"),
}
_VERDICTS: dict[str, Both] = {
    "baseline": ("—", "—"),
    "holds": ("支持", "holds"),
    "weaker": ("同号，不显著", "same sign, not significant"),
    "changes": ("改变", "changes"),
    "not estimated": ("未能估计", "not estimated"),
}
_CORRECTIONS: dict[str, Both] = {
    "none": ("未校正", "As measured"),
    "level": ("信度校正（水平信度）", "By the reliability of the levels"),
    "within": ("信度校正（扣除固定效应后的信度）", "By the reliability within the effects"),
    "quadratic": ("SIMEX（二次外推）", "SIMEX, quadratic"),
    "linear": ("SIMEX（线性外推）", "SIMEX, linear"),
    "nonlinear": ("SIMEX（有理外推）", "SIMEX, rational linear"),
    "stacked": ("两种测量互为工具变量（ORIV）", "Two measures as instruments (ORIV)"),
}
_PATHS: dict[str, Both] = {
    "total": ("总效应", "Total effect"),
    "a": ("路径 a", "Path a"),
    "b": ("路径 b", "Path b"),
    "direct": ("直接效应", "Direct effect"),
    "indirect": ("间接效应", "Indirect effect"),
}
_ESTIMATE = ["estimate", "standard_error", "p_value", "interval_low", "interval_high", "observations"]


def result_table(plan: TablePlan, results: StudyResults, language: Language) -> Table | None:
    """Build the table of results that are lists of rows; None for a plan of another kind.

    Parameters
    ----------
    plan : TablePlan
        What is shown; its parts are named as in `StudyResults.parts`.
    results : StudyResults
        Where it is.
    language : {"zh", "en"}
        Language of the table.

    Raises
    ------
    DataError
        If there are no rows.
    """
    keys = [key.partition("/") for key in plan.parts]
    kinds = {part for part, _, _ in keys}
    if plan.kind != "results" or plan.terms or len(kinds) != 1 or not kinds <= set(_MAKERS):
        return None
    part = kinds.pop()
    stub, columns, rows_of = _MAKERS[part]
    naming, english = Naming(results), language == "en"
    frames = []
    for _, _, name in keys:
        rows = rows_of(getattr(results, part)[name], naming, language)
        frames.append(rows.assign(result=naming.title(part, name)[english]))
    frame = pd.concat(frames, ignore_index=True)
    shown = [name for name in columns if name in frame.columns and frame[name].notna().any()]
    # Labels are made already: nothing of a cell is to be looked up or split again.
    labels = {text: text for name in (stub, "result") for text in frame[name].astype(str)}
    labels |= {name: words[english] for name, words in _COLUMN_WORDS.items()}
    title = both_titles(plan.titles, PART_TITLES[part])[english]
    return frame_table(
        frame,
        stub=stub,
        panel="result" if len(frames) > 1 or part in _PANELLED else None,
        columns=shown,
        labels=labels,
        language=language,
        digits=int(plan.options.get("digits", results.spec.digits)),
        stars=plan.options.get("stars", False),
        title=title,
        number=plan.number,
        notes=(_NOTES[part][english],) if part in _NOTES else (),
    )


def _robustness(found: Any, naming: Naming, language: Language) -> pd.DataFrame:
    frame: pd.DataFrame = found.to_frame()
    frame["check"] = frame[f"label_{language}"]
    if len(found.baseline.focus) > 1:
        terms = [naming.variable(str(term))[language == "en"] for term in frame["term"]]
        frame["check"] = [f"{check}, {term}" for check, term in zip(frame["check"], terms, strict=True)]
    frame["verdict"] = [_VERDICTS[str(each)][language == "en"] for each in frame["verdict"]]
    frame["observations"] = frame["observations"].where(frame["observations"] > 0).astype("Int64")
    return frame


def _bounds(found: Any, naming: Naming, language: Language) -> pd.DataFrame:
    frame: pd.DataFrame = found.to_frame()
    return frame.assign(departure=[f"{value:g}" for value in frame["departure"]])


def _curve(found: Any, naming: Naming, language: Language) -> pd.DataFrame:
    frame: pd.DataFrame = found.by_choice().rename(columns={"share_significant": "share"})
    english = language == "en"
    dimension = [CHOICE_WORDS.get(str(each), (str(each), str(each)))[english] for each in frame["dimension"]]
    option = [
        CHOICE_WORDS[each][english] if each in CHOICE_WORDS else _joined(each, naming, english)
        for each in frame["option"].astype(str)
    ]
    joint = "：" if language == "zh" else ": "
    return frame.assign(option=[f"{of}{joint}{each}" for of, each in zip(dimension, option, strict=True)])


def _joined(option: str, naming: Naming, english: bool) -> str:
    return " + ".join(naming.effect(part)[english] for part in option.split(" + "))


def _corrections(found: Any, naming: Naming, language: Language) -> pd.DataFrame:
    frame: pd.DataFrame = found.to_frame()
    english = language == "en"
    if hasattr(found, "separate"):
        # Each measure by itself stands above what both together give.
        alone = [_measured(row, naming, english) for row in found.separate.to_dict("records")]
        stacked = frame.head(1).assign(correction=_CORRECTIONS["stacked"][english])
        separate: pd.DataFrame = found.separate.assign(correction=alone)
        return pd.concat([separate, stacked], ignore_index=True)
    kind = "correction" if "correction" in frame.columns else "extrapolant"
    own: pd.DataFrame = frame[frame["term"] == str(found.term)]
    return own.assign(correction=[_CORRECTIONS.get(each, (each, each))[english] for each in own[kind].astype(str)])


def _measured(row: Mapping[Any, Any], naming: Naming, english: bool) -> str:
    measure = naming.variable(str(row["measure"]))[english]
    by = _text(row.get("instrument"))
    if not by:
        return f"{measure}, as measured" if english else f"{measure}（未校正）"
    instrument = naming.variable(by)[english]
    return f"{measure}, instrumented by {instrument}" if english else f"{measure}，以{instrument}为工具变量"


def _placebo(found: Any, naming: Naming, language: Language) -> pd.DataFrame:
    zh, en = naming.variable(str(found.outcome))
    frame: pd.DataFrame = found.to_frame()
    return frame.assign(term=en if language == "en" else zh)


def _compared(found: Any, naming: Naming, language: Language) -> pd.DataFrame:
    frame: pd.DataFrame = found.to_frame()
    english = language == "en"
    paths = {name: words[english] for name, words in _PATHS.items()}
    rows = []
    for row in frame.to_dict("records"):
        named = [paths.get(str(row["term"]), naming.variable(str(row["term"]))[english])]
        if _text(row.get("split")):
            named.append(naming.title("groups", str(row["split"]))[english])
        groups = [naming.variable(text)[english] for key in ("group", "reference") if (text := _text(row.get(key)))]
        named += [" − ".join(groups)] if groups else []
        rows.append(("，" if language == "zh" else ", ").join(named))
    return frame.assign(what=rows)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


_Maker = tuple[str, list[str], Callable[[Any, Naming, Language], pd.DataFrame]]
_MAKERS: Mapping[str, _Maker] = {
    "robustness": ("check", [*_ESTIMATE, "verdict"], _robustness),
    "honest_bounds": ("departure", ["set_low", "set_high", "interval_low", "interval_high"], _bounds),
    "curves": ("option", ["specifications", "median", "share", "lowest", "highest"], _curve),
    "measurement_error": ("correction", _ESTIMATE, _corrections),
    "placebos": ("term", ["estimate", "placebo_mean", "interval_low", "interval_high", "p_value", "draws"], _placebo),
    "indirect_groups": (
        "what",
        ["estimate", "standard_error", "interval_low", "interval_high", "permutation_p_value", "observations"],
        _compared,
    ),
    "families": ("what", ["estimate", "p_value", "adjusted_p_value", "observations"], _compared),
}
_PANELLED = ("measurement_error",)
_NOTES: dict[str, Both] = {
    "robustness": (
        "“支持”：与基准同号，显著性结论一致；逐项检验，未作多重检验调整。",
        "Holds: sign and significance of the baseline; each check for itself, not adjusted for how many there are.",
    ),
    "honest_bounds": (
        "偏离程度为 0 时平行趋势成立；识别集与区间随允许的偏离扩大。",
        "Trends are parallel at a departure of 0; set and interval widen with the departure allowed.",
    ),
    "placebos": (
        "区间为随机指派政策所得效应的中间 95%。",
        "The interval holds the central 95% of the effects of policies dealt out at random.",
    ),
}


def retitled(plans: Iterable[TablePlan]) -> tuple[TablePlan, ...]:
    """Return plans in which a title that is only the name of a section gives way to words in both languages.

    Parameters
    ----------
    plans : iterable of TablePlan
        The plans of a study.
    """
    return tuple(_retitled(plan) for plan in plans)


def _retitled(plan: TablePlan) -> TablePlan:
    part = next((key.partition("/")[0] for key in plan.parts), "")
    if plan.kind != "results" or plan.titles.get("zh") != plan.name or part not in PART_TITLES:
        return plan
    zh, en = PART_TITLES[part]
    return replace(plan, titles={"zh": zh, "en": en})
