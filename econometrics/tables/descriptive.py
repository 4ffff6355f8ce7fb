"""Descriptive tables: from frames that are computed elsewhere to tables of the paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol

import numpy as np
import pandas as pd

from econometrics.tables.model import Cell, CellStyle, Header, Language, Row, Table
from econometrics.tables.notes import star_levels, stars_note, stars_of
from econometrics.tables.words import variable_label, word
from shuzhi import DataError

_COUNTS = ("observations", "missing", "firms", "years", "n", "N", "count", "clusters", "units")
_SHARES = ("share", "missing_share")


def frame_table(
    frame: pd.DataFrame,
    *,
    stub: str,
    small: Literal["number", "fixed"] = "number",
    columns: Sequence[str] | None = None,
    panel: str | None = None,
    labels: Mapping[str, str] | None = None,
    language: Language = "zh",
    digits: int = 3,
    stars: bool | Sequence[float] = False,
    title: str = "",
    notes: Sequence[str] = (),
    number: str = "",
) -> Table:
    """Build a table that shows a frame as it is, one row a row.

    Parameters
    ----------
    frame : DataFrame
        Integers become counts, other numbers get decimals, a pair of columns interval_low and interval_high becomes
        one interval, missing values stay blank.
    stub : str
        Column of the row labels.
    small : {'number', 'fixed'}
        Whether a number that would look like zero gets more decimals.
    columns : sequence of str, optional
        Columns to show, in this order; all but `stub` and `panel` by default.
    panel : str, optional
        Column whose values become headings between the rows.
    labels : mapping of str to str, optional
        What columns, row labels and headings are called.
    language : {'zh', 'en'}
        The language of the table's own words.
    digits : int
        Decimal places.
    stars : bool or sequence of float
        Stars behind the column estimate, from the column p_value.
    title, number : str
        Caption and its number.
    notes : sequence of str
        Sentences below the table.

    Raises
    ------
    DataError
        If a column is missing or there are no rows.
    """
    labels = labels or {}
    shown = [name for name in (columns or frame.columns) if name not in (stub, panel)]
    missing = [name for name in (stub, panel, *shown) if name is not None and name not in frame.columns]
    if missing or frame.empty or not shown:
        raise DataError(
            f"table {title!r}: the frame has no column {', '.join(map(repr, missing))}"
            if missing
            else f"table {title!r}: the frame has no rows or nothing but row labels"
        )
    levels = star_levels(stars) if "p_value" in frame.columns else ()
    parts = _interval_pairs(shown)
    rows: list[Row] = []
    previous: Any = None
    for record in frame.to_dict("records"):
        if panel is not None and record[panel] != previous:
            previous = record[panel]
            heading = _label(previous, labels)
            rows.append(Row(word("all", language) if heading == "all" else heading, (), "heading"))
        cells = tuple(_frame_cell(record, names, frame, digits, levels, small) for names in parts)
        rows.append(Row(_label(record[stub], labels), cells))
    headers = tuple(Header(_column_label(names, labels, language)) for names in parts)
    sentences = (*notes, *(stars_note(levels, language) if levels and "estimate" in shown else ()))
    return Table(title, (headers,), tuple(rows), sentences, language, number, _own_label(stub, labels, language))


def _interval_pairs(columns: Sequence[str]) -> list[tuple[str, ...]]:
    pairs: list[tuple[str, ...]] = []
    for name in columns:
        if name.endswith("_low") and f"{name[:-4]}_high" in columns:
            pairs.append((name, f"{name[:-4]}_high"))
        elif not (name.endswith("_high") and f"{name[:-5]}_low" in columns):
            pairs.append((name,))
    return pairs


def _column_label(names: tuple[str, ...], labels: Mapping[str, str], language: Language) -> str:
    if len(names) == 1:
        return _own_label(names[0], labels, language)
    kind = names[0].removesuffix("_low")
    known = {"interval": ("95% 置信区间", "95% interval"), "uniform": ("联合 95% 置信带", "Uniform 95% band")}
    return labels.get(kind) or known.get(kind, (kind, kind))[language == "en"]


def _own_label(name: str, labels: Mapping[str, str], language: Language) -> str:
    return labels.get(name) or word(name, language)


def _label(value: Any, labels: Mapping[str, str]) -> str:
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return ""
    return variable_label(f"{value:g}" if isinstance(value, float) else str(value), labels)


def _frame_cell(
    record: Mapping[Any, Any],
    names: tuple[str, ...],
    frame: pd.DataFrame,
    digits: int,
    levels: Sequence[float],
    style: CellStyle,
) -> Cell:
    values = [record[name] for name in names]
    if any(value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)) for value in values):
        return Cell()
    if isinstance(values[0], bool | np.bool_):
        return Cell(text=str(values[0]))
    if not isinstance(values[0], int | float | np.number):
        return Cell(text=str(values[0]))
    numbers = tuple(float(value) for value in values)
    name = names[0]
    stars = stars_of(float(record["p_value"]), levels) if name == "estimate" and levels else ""
    if pd.api.types.is_integer_dtype(frame[name].dtype) or (name in _COUNTS and all(map(float.is_integer, numbers))):
        return Cell(numbers, style="whole", stars=stars)
    if name in _SHARES:
        return Cell(numbers, digits=1, style="percent")
    return Cell(numbers, digits=digits, style="p_value" if name.endswith("p_value") else style, stars=stars)


def descriptive_table(
    statistics: pd.DataFrame,
    *,
    variable: str = "variable",
    group: str | None = None,
    columns: Sequence[str] | None = None,
    labels: Mapping[str, str] | None = None,
    language: Language = "zh",
    digits: int = 3,
    title: str = "",
    notes: Sequence[str] = (),
    number: str = "",
) -> Table:
    """Build the table of descriptive statistics.

    Parameters
    ----------
    statistics : DataFrame
        One row a variable (and group): the variable's name and its statistics, such as observations, mean, sd,
        minimum, median, maximum.
    variable : str
        Column of the variables' names.
    group : str, optional
        Column of groups or years, which become headings.
    columns : sequence of str, optional
        Statistics to show, in this order; all by default.
    labels : mapping of str to str, optional
        What variables, groups and columns are called.
    language : {'zh', 'en'}
        The language of the table's own words.
    digits : int
        Decimal places.
    title, number : str
        Caption and its number; "描述性统计" or "Descriptive statistics" by default.
    notes : sequence of str
        Sentences below the table.

    Raises
    ------
    DataError
        If a column is missing or there are no rows.
    """
    title = title or ("描述性统计" if language == "zh" else "Descriptive statistics")
    return frame_table(
        statistics,
        stub=variable,
        small="fixed",
        columns=columns,
        panel=group,
        labels=labels,
        language=language,
        digits=digits,
        title=title,
        notes=notes,
        number=number,
    )


class Correlations(Protocol):
    """What a table needs of a matrix of correlations; all frames have the variables as index and columns."""

    @property
    def pearson(self) -> pd.DataFrame:
        """Correlations of values."""

    @property
    def spearman(self) -> pd.DataFrame:
        """Correlations of ranks."""

    @property
    def pearson_p(self) -> pd.DataFrame:
        """Their p values."""

    @property
    def spearman_p(self) -> pd.DataFrame:
        """Their p values."""

    @property
    def observations(self) -> pd.DataFrame:
        """Rows behind each correlation."""


def correlation_table(
    matrix: Correlations,
    *,
    labels: Mapping[str, str] | None = None,
    language: Language = "zh",
    stars: bool | Sequence[float] = True,
    digits: int = 3,
    title: str = "",
    number: str = "",
) -> Table:
    """Build the correlation matrix: Pearson below the diagonal, Spearman above it.

    Parameters
    ----------
    matrix : CorrelationMatrix
        Correlations with their p values and numbers of rows.
    labels : mapping of str to str, optional
        What variables are called.
    language : {'zh', 'en'}
        The language of the table's own words.
    stars : bool or sequence of float
        Stars at 10, 5 and 1 %, none, or the levels that get one star each.
    digits : int
        Decimal places.
    title, number : str
        Caption and its number; "相关系数矩阵" or "Correlations" by default.

    Raises
    ------
    DataError
        If the frames are not square over the same variables.
    """
    names = [str(name) for name in matrix.pearson.columns]
    frames = (matrix.pearson, matrix.spearman, matrix.pearson_p, matrix.spearman_p, matrix.observations)
    if any([str(name) for name in axis] != names for frame in frames for axis in (frame.index, frame.columns)):
        raise DataError("correlation table: all frames must have the same variables as index and as columns")
    labels, levels = labels or {}, star_levels(stars)
    below, above, p_below, p_above = (np.asarray(frame, dtype="float64") for frame in frames[:4])
    rows = []
    for line, name in enumerate(names):
        cells = []
        for column in range(len(names)):
            values, p_values = (below, p_below) if column <= line else (above, p_above)
            mark = "" if column == line else stars_of(float(p_values[line, column]), levels)
            cells.append(Cell((float(values[line, column]),), digits=digits, style="fixed", stars=mark))
        rows.append(Row(f"({line + 1}) {variable_label(name, labels)}", tuple(cells)))
    headers = tuple(Header(f"({column + 1})") for column in range(len(names)))
    default = "相关系数矩阵" if language == "zh" else "Correlations"
    notes = _correlation_notes(np.asarray(matrix.observations), language) + stars_note(levels, language)
    return Table(title or default, (headers,), tuple(rows), notes, language, number)


def _correlation_notes(observations: np.ndarray, language: Language) -> tuple[str, ...]:
    least, most = int(observations.min()), int(observations.max())
    shown = f"{least:,}" if least == most else f"{least:,}–{most:,}"
    if language == "zh":
        return ("对角线下方为 Pearson 相关系数，上方为 Spearman 相关系数。", f"每对变量的观测值为 {shown}。")
    return ("Pearson correlations below the diagonal, Spearman correlations above it.", f"{shown} observations a pair.")
