"""Table 1 of a paper: descriptive statistics, overall and by group, and correlations with their p values."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from shuzhi import DataError

MissingPairs = Literal["pairwise", "listwise"]
Percentile = Literal["linear", "stata"]
STATISTICS = ("observations", "missing", "mean", "sd", "minimum", "p25", "median", "p75", "maximum")


def descriptive_statistics(
    data: pd.DataFrame,
    variables: Sequence[str],
    *,
    by: str | None = None,
    with_total: bool = True,
    percentile: Percentile = "linear",
) -> pd.DataFrame:
    """Describe variables, overall or by group or year.

    Parameters
    ----------
    data : DataFrame, one row an observation
        The panel.
    variables : sequence of str
        Columns of numbers, in the order of the rows.
    by : str, optional
        Column of groups or years, sorted; rows whose group is missing are counted under no group but in the total.
    with_total : bool
        Whether all rows come first when there are groups, as the group ``all``.
    percentile : {"linear", "stata"}
        Type 7 of Hyndman and Fan (1996), The American Statistician 50(4), as numpy and R compute percentiles, or
        type 2, as Stata's ``summarize, detail`` does.

    Returns
    -------
    DataFrame, one row a (group and) variable
        Columns ``group`` (if `by`), ``variable`` and those of ``STATISTICS``: observations with a value, those
        without, mean, standard deviation (n - 1), minimum, quartiles, maximum. What too few values do not define
        is missing: a mean of none, a standard deviation of one.

    Raises
    ------
    DataError
        If a column is unknown or holds text; all of them are named.
    """
    check_numbers(data, variables, [by] if by else [])
    groups: list[tuple[object, pd.DataFrame]] = [("all", data)] if by is None or with_total else []
    if by is not None:
        groups += list(data.groupby(by, sort=True, dropna=True))
    rows = [
        {"group": group, "variable": name, **_statistics(part[name], percentile)}
        for group, part in groups
        for name in variables
    ]
    frame = pd.DataFrame(rows, columns=["group", "variable", *STATISTICS])
    if by is None:
        return frame.drop(columns="group")
    frame["group"] = [str(group) for group in frame["group"]]
    return frame


def _statistics(column: pd.Series, percentile: Percentile) -> dict[str, float | int]:
    values = column.to_numpy(dtype="float64", na_value=np.nan)
    present = values[~np.isnan(values)]
    found: dict[str, float | int] = {"observations": len(present), "missing": len(values) - len(present)}
    if not len(present):
        return found | dict.fromkeys(STATISTICS[2:], float("nan"))
    method: Literal["linear", "averaged_inverted_cdf"] = "linear" if percentile == "linear" else "averaged_inverted_cdf"
    p25, median, p75 = np.quantile(present, [0.25, 0.5, 0.75], method=method)
    return found | {
        "mean": float(present.mean()),
        "sd": float(present.std(ddof=1)) if len(present) > 1 else float("nan"),
        "minimum": float(present.min()),
        "p25": float(p25),
        "median": float(median),
        "p75": float(p75),
        "maximum": float(present.max()),
    }


def check_numbers(data: pd.DataFrame, variables: Sequence[str], others: Sequence[str] = ()) -> None:
    """Raise a `DataError` that names every column that is not there, or that should be of numbers and is not."""
    import difflib

    problems = []
    for name in dict.fromkeys([*variables, *others]):
        if name not in data.columns:
            near = difflib.get_close_matches(name, [str(column) for column in data.columns], n=1)
            problems.append(f"there is no column '{name}'" + (f"; did you mean '{near[0]}'?" if near else ""))
        elif name in variables and not pd.api.types.is_numeric_dtype(data[name].dtype):
            problems.append(f"column '{name}' holds text")
        elif name in variables and np.isinf(data[name].to_numpy(dtype="float64", na_value=np.nan)).any():
            problems.append(f"column '{name}' holds infinite numbers")
    if not variables:
        problems.append("no variable is named")
    if problems:
        raise DataError(f"descriptive statistics: {'; '.join(problems)}")


@dataclass(frozen=True)
class CorrelationMatrix:
    """Correlations of several variables, two ways.

    Parameters
    ----------
    pearson, spearman : DataFrame, shape (variables, variables)
        Correlations of values, and of ranks (ties get their mean rank). Missing where a variable does not vary.
    pearson_p, spearman_p : DataFrame, shape (variables, variables)
        Two-sided p values of Student's t with n - 2 degrees of freedom; missing on the diagonal.
    observations : DataFrame of int, shape (variables, variables)
        Rows behind each correlation.
    missing : {"pairwise", "listwise"}
        Whether each pair uses all rows that have both, or all pairs the rows that have every variable.
    rows_given, rows_used : int
        Rows of the data, and those that entered (any pair).
    """

    pearson: pd.DataFrame
    spearman: pd.DataFrame
    pearson_p: pd.DataFrame
    spearman_p: pd.DataFrame
    observations: pd.DataFrame
    missing: MissingPairs
    rows_given: int
    rows_used: int

    @property
    def single_count(self) -> int | None:
        """The number of rows if it is the same for every pair, else None."""
        counts = np.unique(self.observations.to_numpy())
        return int(counts[0]) if len(counts) == 1 else None

    def square(self) -> pd.DataFrame:
        """Return one matrix: Pearson below the diagonal, Spearman above, 1 on it."""
        names = list(self.pearson.columns)
        lower = np.tril(np.ones((len(names), len(names)), dtype=bool))
        return pd.DataFrame(np.where(lower, self.pearson, self.spearman), index=names, columns=names)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a pair of variables: both correlations, their p values and the number of rows."""
        names = list(self.pearson.columns)
        rows = [
            {
                "variable": a,
                "other": b,
                "pearson": self.pearson.loc[b, a],
                "pearson_p_value": self.pearson_p.loc[b, a],
                "spearman": self.spearman.loc[a, b],
                "spearman_p_value": self.spearman_p.loc[a, b],
                "observations": self.observations.loc[a, b],
            }
            for a, b in itertools.combinations(names, 2)
        ]
        columns = ["variable", "other", "pearson", "pearson_p_value", "spearman", "spearman_p_value", "observations"]
        return pd.DataFrame(rows, columns=columns)

    def summary(self) -> str:
        """Return the matrix as plain text, with the number of rows."""
        counts = self.observations.to_numpy()
        shown = f"{counts.min():,}" if counts.min() == counts.max() else f"{counts.min():,} to {counts.max():,}"
        head = f"Pearson below, Spearman above; {shown} rows a pair ({self.missing}), of {self.rows_given:,}"
        return f"{head}\n{self.square().round(3).to_string(na_rep='')}"


def correlation_matrix(
    data: pd.DataFrame, variables: Sequence[str], *, missing: MissingPairs = "pairwise"
) -> CorrelationMatrix:
    """Correlate variables with each other, by values (Pearson) and by ranks (Spearman).

    Parameters
    ----------
    data : DataFrame, one row an observation
        The panel.
    variables : sequence of str
        At least two columns of numbers.
    missing : {"pairwise", "listwise"}
        Which rows a pair uses, see `CorrelationMatrix`. Ranks are taken within these rows.

    Raises
    ------
    DataError
        If a column is unknown or holds text, or there are fewer than two.
    """
    check_numbers(data, variables)
    names = list(dict.fromkeys(variables))
    if len(names) < 2:
        raise DataError("a correlation needs two variables")
    values = data[names].astype("float64").to_numpy()
    complete = ~np.isnan(values)
    if missing == "listwise":
        complete = np.repeat(complete.all(axis=1)[:, None], len(names), axis=1)
    size = len(names)
    pearson, spearman = np.eye(size), np.eye(size)
    counts = np.zeros((size, size), dtype="int64")
    for a in range(size):
        counts[a, a] = complete[:, a].sum()
        for b in range(a):
            rows = complete[:, a] & complete[:, b]
            x, y = values[rows, a], values[rows, b]
            counts[a, b] = counts[b, a] = rows.sum()
            pearson[a, b] = pearson[b, a] = _correlation(x, y)
            spearman[a, b] = spearman[b, a] = _correlation(_ranks(x), _ranks(y))
    frames = [pd.DataFrame(each, index=names, columns=names) for each in (pearson, spearman)]
    p_values = [pd.DataFrame(_p_values(each, counts), index=names, columns=names) for each in (pearson, spearman)]
    observations = pd.DataFrame(counts, index=names, columns=names)
    used = int(complete.all(axis=1).sum() if missing == "listwise" else (complete.sum(axis=1) >= 2).sum())
    return CorrelationMatrix(frames[0], frames[1], p_values[0], p_values[1], observations, missing, len(data), used)


def _ranks(values: np.ndarray) -> np.ndarray:
    return pd.Series(values).rank(method="average").to_numpy(dtype="float64")


def _correlation(x: np.ndarray, y: np.ndarray) -> float:
    if len(x) < 2 or (x == x[0]).all() or (y == y[0]).all():
        return float("nan")
    # Scaling first keeps squares of tiny and huge numbers within what a float holds.
    a, b = (each - each.mean() for each in (x / np.abs(x).max(), y / np.abs(y).max()))
    found = float(a @ b / np.sqrt((a @ a) * (b @ b)))
    return min(1.0, max(-1.0, found))


def _p_values(correlations: np.ndarray, counts: np.ndarray) -> np.ndarray:
    from scipy.special import stdtr

    degrees = (counts - 2).astype("float64")
    with np.errstate(divide="ignore", invalid="ignore"):
        statistics = np.abs(correlations) * np.sqrt(degrees / (1 - correlations**2))
        found = np.where(degrees > 0, 2 * stdtr(np.where(degrees > 0, degrees, 1), -statistics), np.nan)
    found = np.where(np.isnan(correlations), np.nan, found)
    np.fill_diagonal(found, np.nan)
    return found
