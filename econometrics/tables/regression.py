"""Tables of regressions: coefficients, controls, fixed effects, statistics, tests between groups, notes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import pandas as pd

from econometrics.tables.model import Cell, CellStyle, Header, Language, Row, Table
from econometrics.tables.notes import Below, model_notes, star_levels, stars_of, yes_no
from econometrics.tables.words import effect_label, effect_name, variable_label, word
from shuzhi import DataError

CONSTANTS = ("Intercept", "intercept", "const", "constant", "_cons")
DEFAULT_STATISTICS = (
    "weak_instruments.kleibergen_paap_f",
    "weak_instruments.effective_f",
    "anderson_rubin.test.p_value",
    "overidentification.p_value",
    "observations",
    "clusters",
    "adjusted_r2",
    "within_r2",
)


class ModelResult(Protocol):
    """What a table needs of a regression; more attributes are shown where there are any."""

    @property
    def outcome(self) -> str:
        """Name of the dependent variable."""

    @property
    def coefficients(self) -> pd.Series:
        """Estimates by term."""

    @property
    def standard_errors(self) -> pd.Series:
        """Standard errors by term."""

    @property
    def statistics(self) -> pd.Series:
        """t statistics by term."""

    @property
    def p_values(self) -> pd.Series:
        """p values by term."""

    @property
    def observations(self) -> int:
        """Rows used."""


@dataclass(frozen=True)
class GroupTest:
    """A test of equal coefficients between columns, shown below them in one cell.

    Parameters
    ----------
    columns : tuple of int
        First and last column (from 0) that the test compares.
    p_value : float
        Its p value.
    label : str
        What stands at the row; tests with the same label share a row.
    note : str
        How it was computed, for the notes.
    """

    columns: tuple[int, int]
    p_value: float
    label: str = ""
    note: str = ""


def regression_table(
    models: Sequence[ModelResult],
    *,
    labels: Mapping[str, str] | None = None,
    language: Language = "zh",
    below: Below = "standard_error",
    stars: bool | Sequence[float] = True,
    digits: int = 3,
    controls: Sequence[str] = (),
    controls_shown: Literal["all", "yes_row"] | Sequence[str] = "yes_row",
    columns: Sequence[str] | None = None,
    groups: Sequence[tuple[str, int]] = (),
    group_tests: Sequence[GroupTest] = (),
    statistics: Sequence[str] = DEFAULT_STATISTICS,
    title: str = "",
    number: str = "",
) -> Table:
    """Build the table of one or more regressions.

    Parameters
    ----------
    models : sequence of results
        One a column.
    labels : mapping of str to str, optional
        What variables and effects are called; others keep their names.
    language : {'zh', 'en'}
        The language of the table's own words.
    below : {'standard_error', 't', 'p_value', 'interval', 'none'}
        What stands beneath each coefficient.
    stars : bool or sequence of float
        Stars at 10, 5 and 1 %, none, or the levels that get one star each.
    digits : int
        Decimal places.
    controls : sequence of str
        The regressors that are controls.
    controls_shown : {'all', 'yes_row'} or sequence of str
        Every control with its coefficient, one row that says whether they are in, or these and a row for the others.
    columns : sequence of str, optional
        Headers instead of the dependent variables.
    groups : sequence of (str, int)
        Headers over several columns each, with their widths; the widths add up to the columns.
    group_tests : sequence of GroupTest
        Tests of equal coefficients.
    statistics : sequence of str
        Attributes of the results to show in the lower part, with points for attributes of attributes; those that no
        result has are left out.
    title, number : str
        Caption and its number.

    Raises
    ------
    DataError
        If there are no models, or headers or tests do not fit their number.
    """
    labels = labels or {}
    _check(models, columns, groups, group_tests)
    levels = star_levels(stars)
    shown, hidden = _split_controls(models, controls, controls_shown)
    rows: list[Row] = []
    for term in shown:
        rows += coefficient_rows(models, term, variable_label_of(term, labels, language), below, levels, digits)
    rows.append(Row(kind="rule"))
    rows += _control_row(models, hidden, language)
    rows += effect_rows(models, labels, language)
    rows += statistic_rows(models, statistics, labels, language, digits)
    rows += test_rows(group_tests, len(models), language, digits)
    outcomes = columns or [variable_label(model.outcome, labels) for model in models]
    lines = [tuple(Header(text, span, rule=bool(text)) for text, span in groups)] if groups else []
    lines.append(tuple(Header(f"({at + 1})") for at in range(len(models))))
    lines.append(tuple(Header(text) for text in outcomes))
    notes = model_notes(models, labels, language, below=below, levels=levels, hidden_controls=hidden)
    notes += tuple(dict.fromkeys(test.note for test in group_tests if test.note))
    return Table(title, tuple(lines), tuple(rows), notes, language, number)


def _check(
    models: Sequence[Any], columns: Sequence[str] | None, groups: Sequence[tuple[str, int]], tests: Sequence[GroupTest]
) -> None:
    problems = []
    if not models:
        problems.append("there is no model: give at least one result")
    if columns is not None and len(columns) != len(models):
        problems.append(f"{len(columns)} column headers for {len(models)} models")
    if groups and sum(span for _, span in groups) != len(models):
        problems.append(f"the groups cover {sum(span for _, span in groups)} columns of {len(models)} models")
    for test in tests:
        if not 0 <= test.columns[0] <= test.columns[1] < len(models):
            problems.append(f"a group test names columns {test.columns} of {len(models)} models, counted from 0")
    if problems:
        raise DataError(f"regression table: {'; '.join(problems)}")


def variable_label_of(term: str, labels: Mapping[str, str], language: Language) -> str:
    """Return the label of a term; a constant without one gets the word of the language."""
    if term in CONSTANTS and term not in labels:
        return word("constant", language)
    return variable_label(term, labels)


def _split_controls(
    models: Sequence[ModelResult], controls: Sequence[str], shown: Literal["all", "yes_row"] | Sequence[str]
) -> tuple[list[str], list[str]]:
    terms = list(dict.fromkeys(str(term) for model in models for term in model.coefficients.index))
    terms = [term for term in terms if term not in CONSTANTS] + [term for term in terms if term in CONSTANTS]
    if shown == "all":
        return terms, []
    kept = () if isinstance(shown, str) else tuple(shown)
    # Results that keep no coefficients of their controls name them.
    named = [str(term) for model in models for term in getattr(model, "controls", ())]
    hidden = [term for term in dict.fromkeys([*terms, *named]) if term in controls and term not in kept]
    return [term for term in terms if term not in hidden], hidden


def coefficient_rows(
    models: Sequence[ModelResult],
    term: str,
    label: str,
    below: Below,
    levels: Sequence[float],
    digits: int,
) -> list[Row]:
    """Return the row of a coefficient and the one beneath it; columns without the term stay blank."""
    upper, lower = [], []
    for model in models:
        if term not in model.coefficients.index:
            upper.append(Cell())
            lower.append(Cell())
            continue
        stars = stars_of(float(model.p_values[term]), levels)
        upper.append(Cell((float(model.coefficients[term]),), digits=digits, stars=stars))
        lower.append(below_cell(model, term, below, digits))
    rows = [Row(label, tuple(upper), "coefficient")]
    return rows if below == "none" else [*rows, Row("", tuple(lower), "below")]


def below_cell(model: ModelResult, term: str, below: Below, digits: int) -> Cell:
    """Return what stands beneath a coefficient."""
    if below == "interval":
        interval = model.confidence_intervals().loc[term]  # type: ignore[attr-defined]
        return Cell((float(interval["interval_low"]), float(interval["interval_high"])), digits=digits)
    if below == "t":
        return Cell((float(model.statistics[term]),), digits=min(digits, 2), style="fixed", enclosure="()")
    if below == "p_value":
        return Cell((float(model.p_values[term]),), digits=3, style="p_value", enclosure="()")
    return Cell((float(model.standard_errors[term]),), digits=digits, enclosure="()")


def _control_row(models: Sequence[ModelResult], hidden: Sequence[str], language: Language) -> list[Row]:
    if not hidden:
        return []
    cells = []
    for model in models:
        known = {str(term) for term in model.coefficients.index} | set(getattr(model, "collinear", ()) or ())
        known |= set(getattr(model, "controls", ()))
        present = sum(term in known for term in hidden)
        key = "yes" if present == len(hidden) else "some" if present else "no"
        cells.append(Cell(text=word(key, language)))
    return [Row(word("controls", language), tuple(cells))]


def effect_rows(models: Sequence[Any], labels: Mapping[str, str], language: Language) -> list[Row]:
    """Return a row of yes and no for each fixed effect that any of the models has."""
    effects = dict.fromkeys(name for model in models for name in getattr(model, "fixed_effects", ()) or ())
    return [
        Row(
            effect_label(name, labels, language),
            tuple(Cell(text=yes_no(name in (getattr(model, "fixed_effects", ()) or ()), language)) for model in models),
        )
        for name in effects
    ]


def statistic_rows(
    models: Sequence[Any], statistics: Sequence[str], labels: Mapping[str, str], language: Language, digits: int
) -> list[Row]:
    """Return a row for each statistic that any of the models has; a count has no decimals."""
    rows = []
    for name in statistics:
        if name == "clusters":
            rows += _cluster_rows(models, labels, language)
            continue
        cells = tuple(_statistic(_attribute(model, name), name, digits) for model in models)
        if any(cell.values or cell.text for cell in cells):
            rows.append(Row(word(name, language), cells))
    return rows


def _attribute(model: Any, name: str) -> Any:
    for part in name.split("."):
        model = getattr(model, part, None)
    return model


def _statistic(value: Any, name: str, digits: int) -> Cell:
    if isinstance(value, str):
        return Cell(text=value)
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return Cell()
    style: CellStyle = "whole" if isinstance(value, int) else "p_value" if "p_value" in name else "number"
    return Cell((float(value),), digits=3 if style == "p_value" else digits, style=style)


def _cluster_rows(models: Sequence[Any], labels: Mapping[str, str], language: Language) -> list[Row]:
    own: list[Mapping[str, int]] = [getattr(model, "clusters", None) or {} for model in models]
    levels = list(dict.fromkeys(name for counts in own for name in counts))
    rows = []
    for name in levels:
        level = effect_name(name, labels, language)
        label = word("clusters", language) + (
            f"（{level}）" if language == "zh" else f" ({level.lower() if name not in labels else level})"
        )
        cells = tuple(Cell((float(counts[name]),), style="whole") if name in counts else Cell() for counts in own)
        rows.append(Row(label, cells))
    return rows


def test_rows(tests: Sequence[GroupTest], columns: int, language: Language, digits: int) -> list[Row]:
    """Return the rows of tests between columns; tests whose columns overlap stand in rows of their own."""
    rows: list[tuple[str, list[GroupTest]]] = []
    for test in tests:
        label = test.label or word("group_test", language)
        fitting = (own for name, own in rows if name == label and not any(_overlap(test, other) for other in own))
        own = next(fitting, None)
        if own is None:
            rows.append((label, [test]))
        else:
            own.append(test)
    return [Row(label, tuple(_spanning(own, columns, digits))) for label, own in rows]


def _overlap(one: GroupTest, other: GroupTest) -> bool:
    return one.columns[0] <= other.columns[1] and other.columns[0] <= one.columns[1]


def _spanning(tests: Sequence[GroupTest], columns: int, digits: int) -> Iterable[Cell]:
    column = 0
    for test in sorted(tests, key=lambda test: test.columns):
        first, last = test.columns
        yield from (Cell() for _ in range(column, first))
        yield Cell((test.p_value,), digits=max(digits, 3), style="p_value", span=last - first + 1)
        column = last + 1
    yield from (Cell() for _ in range(column, columns))
