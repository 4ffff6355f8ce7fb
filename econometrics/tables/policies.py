"""Tables of policy effects: estimators side by side, and effects by the time since treatment."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import pandas as pd

from econometrics.tables.model import Cell, Header, Language, Row, Table
from econometrics.tables.notes import by_columns, star_levels, stars_note, stars_of, warning_notes
from econometrics.tables.words import effect_name, message, variable_label, word
from shuzhi import DataError

ESTIMATORS: dict[str, tuple[str, str]] = {
    "static_two_way": ("双向固定效应", "Two-way FE"),
    "event_study": ("事件研究", "Event study"),
    "callaway_santanna": ("Callaway-Sant'Anna", "Callaway-Sant'Anna"),
    "callaway_santanna_never_treated": ("CS（从未处理）", "CS, never treated"),
    "callaway_santanna_not_yet_treated": ("CS（尚未处理）", "CS, not yet treated"),
    "sun_abraham": ("Sun-Abraham", "Sun-Abraham"),
    "imputation": ("插补法", "Imputation"),
}

_OPTIONS_ZH = {
    "method": "方法",
    "dr": "双重稳健",
    "reg": "结果回归",
    "ipw": "逆概率加权",
    "control group": "对照组",
    "never_treated": "从未处理",
    "not_yet_treated": "尚未处理",
    "base period": "基期",
    "varying": "前一期",
    "universal": "固定",
    "small-sample convention": "小样本调整",
    "leave one out": "留一法标准误",
    "yes": "是",
    "no": "否",
}


class PolicyResult(Protocol):
    """What a table needs of an estimator of a policy's effect."""

    estimator: str
    outcome: str

    def to_frame(self) -> pd.DataFrame:
        """One row an effect: aggregation, term, event_time, estimate, standard_error, p_value, interval ends."""


def did_table(
    results: Any | Sequence[Any],
    *,
    labels: Mapping[str, str] | None = None,
    language: Language = "zh",
    stars: bool | Sequence[float] = True,
    digits: int = 3,
    title: str = "",
    number: str = "",
) -> Table:
    """Build the table of the overall effect by several estimators, one a column.

    Parameters
    ----------
    results : sequence of results, or the comparison of ``compare_estimators``
        With ``estimator``, ``outcome`` and ``to_frame()`` in which the overall effect is a row of the aggregation
        "overall", or the only row.
    labels : mapping of str to str, optional
        What estimators, outcomes and clusters are called.
    language : {'zh', 'en'}
        The language of the table's own words.
    stars : bool or sequence of float
        Stars at 10, 5 and 1 %, none, or the levels that get one star each.
    digits : int
        Decimal places.
    title, number : str
        Caption and its number.

    Raises
    ------
    DataError
        If there are no results or one has no overall effect.
    """
    labels = labels or {}
    given, results, names = results, *_each(results)
    if not results:
        raise DataError("policy table: there is no result, give at least one")
    levels = star_levels(stars)
    overall = [_overall(result) for result in results]
    effects = tuple(_estimate(row, digits, levels) for row in overall)
    errors = tuple(Cell((float(row["standard_error"]),), digits=digits, enclosure="()") for row in overall)
    ends = tuple(Cell((float(row["interval_low"]), float(row["interval_high"])), digits=digits) for row in overall)
    rows = [
        Row(word("average_effect", language), effects, "coefficient"),
        Row("", errors, "below"),
        Row("95% 置信区间" if language == "zh" else "95% interval", ends),
        Row(kind="rule"),
        *_count_rows(results, labels, language),
    ]
    pre_trends = [_pre_trend(result) for result in results]
    if any(cell.values for cell in pre_trends):
        label = "事前各期效应联合为零 p 值" if language == "zh" else "Effects before treatment zero: p value"
        rows.append(Row(label, tuple(pre_trends)))
    notes = [word("standard_error", language) + ("位于括号内。" if language == "zh" else "s in parentheses.")]
    notes += [
        *stars_note(levels, language),
        *_option_notes(results, language),
        *warning_notes(results, labels, language),
    ]
    notes += _failure_notes(given, labels, language)
    return Table(title, _policy_headers(results, names, labels, language), tuple(rows), tuple(notes), language, number)


def _each(results: Any, aggregation: str = "overall") -> tuple[list[Any], list[str]]:
    """Return results and their names; of a comparison those that have the aggregation."""
    if not isinstance(getattr(results, "results", None), Mapping):
        return list(results), [str(getattr(result, "estimator", "")) for result in results]
    chosen = {
        name: result
        for name, result in results.results.items()
        if (result.to_frame()["aggregation"] == aggregation).any()
    }
    return list(chosen.values()), list(chosen)


def estimator_label(name: str, labels: Mapping[str, str], language: Language) -> str:
    """Return what an estimator of a policy's effect is called."""
    return labels.get(name) or ESTIMATORS.get(name, (name, name))[language == "en"]


def _policy_headers(
    results: Sequence[Any], names: Sequence[str], labels: Mapping[str, str], language: Language
) -> tuple[tuple[Header, ...], ...]:
    outcomes = [variable_label(str(getattr(result, "outcome", "")), labels) for result in results]
    lines = [
        tuple(Header(f"({at + 1})") for at in range(len(results))),
        tuple(Header(estimator_label(name, labels, language)) for name in names),
    ]
    same = len(set(outcomes)) == 1
    first = (Header(outcomes[0], len(outcomes), rule=True),) if same else tuple(map(Header, outcomes))
    return (first, *lines)


def _failure_notes(given: Any, labels: Mapping[str, str], language: Language) -> list[str]:
    failures: Mapping[str, str] = getattr(given, "failures", None) or {}
    pattern = "{0}未能估计（{1}）。" if language == "zh" else "{0} could not be estimated ({1})."
    return [
        pattern.format(estimator_label(name, labels, language), message(why, labels, language))
        for name, why in failures.items()
    ]


def _overall(result: Any) -> pd.Series:
    frame: pd.DataFrame = result.to_frame()
    if "aggregation" in frame.columns:
        frame = frame[frame["aggregation"] == "overall"]
    if len(frame) != 1:
        name = getattr(result, "estimator", type(result).__name__)
        raise DataError(f"policy table: {name} has {len(frame)} overall effects, one is needed (aggregation 'overall')")
    return frame.iloc[0]


def _estimate(row: Any, digits: int, levels: Sequence[float]) -> Cell:
    return Cell((float(row["estimate"]),), digits=digits, stars=stars_of(float(row["p_value"]), levels))


def _count_rows(results: Sequence[Any], labels: Mapping[str, str], language: Language) -> list[Row]:
    names = {
        "observations": ("观测值", "Observations"),
        "units": ("个体数", "Units"),
        "treated_units": ("处理组个体数", "Treated units"),
        "never_treated_units": ("从未处理个体数", "Never-treated units"),
    }
    rows = []
    for name, words in names.items():
        values = [getattr(result, name, None) for result in results]
        if any(value is not None for value in values):
            cells = tuple(Cell() if value is None else Cell((float(value),), style="whole") for value in values)
            rows.append(Row(words[language == "en"], cells))
    own: list[Mapping[str, int]] = [getattr(result, "clusters", None) or {} for result in results]
    for level in dict.fromkeys(name for counts in own for name in counts):
        name = effect_name(level, labels, language)
        label = f"{word('clusters', language)}（{name}）" if language == "zh" else f"Clusters ({name})"
        rows.append(
            Row(
                label,
                tuple(Cell((float(counts[level]),), style="whole") if level in counts else Cell() for counts in own),
            )
        )
    return rows


def _pre_trend(result: Any) -> Cell:
    test = getattr(result, "pre_trend_test", None)
    p_value = float(test()["p_value"]) if callable(test) else float("nan")
    return Cell() if math.isnan(p_value) else Cell((p_value,), style="p_value")


def _option_notes(results: Sequence[Any], language: Language) -> list[str]:
    comma, colon = ("，", "：") if language == "zh" else (", ", ": ")

    def shown(text: str) -> str:
        return _OPTIONS_ZH.get(text, text) if language == "zh" else text.replace("_", " ")

    options = [getattr(result, "options", None) or {} for result in results]
    texts = [comma.join(f"{shown(name)}{colon}{shown(value)}" for name, value in own.items()) for own in options]
    stop, after = ("。", "，") if language == "zh" else (".", ": ")
    return [f"{columns}{after if columns else ''}{text}{stop}" for text, columns in by_columns(texts, language)]


def event_study_table(
    results: Any | Sequence[Any],
    *,
    labels: Mapping[str, str] | None = None,
    language: Language = "zh",
    stars: bool | Sequence[float] = True,
    digits: int = 3,
    title: str = "",
    number: str = "",
) -> Table:
    """Build the table of effects by the time since treatment, one estimator a column.

    Parameters
    ----------
    results : sequence of results, or the comparison of ``compare_estimators``
        With ``estimator``, ``outcome`` and ``to_frame()`` that has event_time, estimate, standard_error and p_value;
        of several aggregations the one called "dynamic" is taken.
    labels : mapping of str to str, optional
        What estimators and outcomes are called.
    language : {'zh', 'en'}
        The language of the table's own words.
    stars : bool or sequence of float
        Stars at 10, 5 and 1 %, none, or the levels that get one star each.
    digits : int
        Decimal places.
    title, number : str
        Caption and its number.

    Raises
    ------
    DataError
        If there are no results or one has no effects by event time.
    """
    labels = labels or {}
    levels = star_levels(stars)
    given, results, names = results, *_each(results, "dynamic")
    frames = [_dynamic(result) for result in results]
    if not frames:
        raise DataError("event-study table: there is no result, give at least one")
    references = [getattr(result, "reference", None) for result in results]
    times = {time for frame in frames for time in frame} | {int(own) for own in references if own is not None}
    rows: list[Row] = []
    for time in sorted(times):
        upper, lower = [], []
        for frame, reference in zip(frames, references, strict=True):
            row = frame.get(time)
            if row is not None and float(row["standard_error"]) > 0:
                upper.append(_estimate(row, digits, levels))
                lower.append(Cell((float(row["standard_error"]),), digits=digits, enclosure="()"))
            else:
                base = ("基期" if language == "zh" else "reference") if time == reference else ""
                upper.append(Cell(text=base))
                lower.append(Cell())
        label = "0" if time == 0 else f"{time:+d}".replace("-", "−")
        rows += [Row(label, tuple(upper), "coefficient")]
        rows += [Row("", tuple(lower), "below")] if any(cell.values for cell in lower) else []
    rows += [Row(kind="rule"), *_count_rows(results, labels, language)]
    notes = [word("standard_error", language) + ("位于括号内。" if language == "zh" else "s in parentheses.")]
    notes += [
        *stars_note(levels, language),
        *_option_notes(results, language),
        *warning_notes(results, labels, language),
    ]
    notes += _failure_notes(given, labels, language)
    stub = word("event_time", language)
    return Table(
        title, _policy_headers(results, names, labels, language), tuple(rows), tuple(notes), language, number, stub
    )


def _dynamic(result: Any) -> dict[int, dict[Any, Any]]:
    frame: pd.DataFrame = result.to_frame()
    if "aggregation" in frame.columns:
        frame = frame[frame["aggregation"] == "dynamic"]
    if "event_time" not in frame.columns or frame["event_time"].isna().all():
        name = getattr(result, "estimator", type(result).__name__)
        raise DataError(f"event-study table: {name} has no effects by event_time")
    frame = frame[frame["event_time"].notna()]
    return {int(row["event_time"]): row for row in frame.to_dict("records")}
