"""A firm-year panel as the quality gate looks at it: for each column a matrix of firms by years."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from shuzhi import UsageError

Array = npt.NDArray[np.float64]
TOTAL = "total"
# Years on each side that a year is compared with.
REACH = 2
NAMED_FIRMS = 5


@dataclass(frozen=True)
class QualityLimits:
    """Thresholds of the gate; each can be set, none is tuned to a dataset.

    Parameters
    ----------
    least_persistence : float
        A column whose typical rank correlation with nearby years is lower fails as a whole. Indices of annual reports
        reach 0.6 to 0.9; single rare terms 0.4; a column shuffled over firms 0.0.
    lost_persistence : float
        A year fails whose best rank correlation with the two years on each side is below this share of what is usual
        for the column, and for the years around it. A year is not judged by the year before alone: a faulty year would
        make the next one fail.
    zero_jump : float
        A year fails whose share of zeros lies this far outside that of the years on both sides.
    level_jump : float
        The same for the mean of ln(1 + value), in log points: 0.4 is a half more.
    gap_share : float
        A year, or an industry in a year, fails where this share of the firms that are there before and after is
        missing.
    copied_share : float
        A year fails where this share of the firms that are not at zero has exactly the values of the year before.
    jump_factor, jump_hits : float
        A firm jumps where its count is this many times larger, or smaller, than in both years around it, and by at
        least so many hits.
    jump_share : float
        A year fails where more than this share of the firms that are not at zero jumps, and three times as many as
        is usual.
    steady_text : float
        A text is steady while its length changes by less than this, in log points.
    worse_reading : float
        A year fails whose mean readable share is this much below the median of all years.
    shorter_text : float
        A year fails whose median text is this much shorter, in log points, than in the years on both sides.
    swap_gain : float
        Columns count as swapped in a year where each continues another one better than itself by this much, in rank
        correlation.
    standard_errors : float
        Every distance must besides exceed this many standard errors, so that small panels do not fail by chance.
    least_firms, least_varied : int
        A correlation over fewer common firms, or with fewer firms off the commonest value, is not judged.
    """

    least_persistence: float = 0.2
    lost_persistence: float = 0.5
    zero_jump: float = 0.10
    level_jump: float = 0.4
    gap_share: float = 0.25
    copied_share: float = 0.9
    jump_factor: float = 5.0
    jump_hits: float = 10.0
    jump_share: float = 0.10
    steady_text: float = 0.2
    worse_reading: float = 0.05
    shorter_text: float = 0.35
    swap_gain: float = 0.10
    standard_errors: float = 4.0
    least_firms: int = 30
    least_varied: int = 20


@dataclass(frozen=True)
class CheckFinding:
    """One thing that a check found.

    Parameters
    ----------
    sentence : str
        In words, with numbers and firms.
    column : str
        Where; empty for the panel as a whole.
    years : tuple of int
        When; empty where a column fails as a whole.
    value, expected : float
        What was seen and what would have been usual, in the unit of the check.
    firms : tuple of str
        Those that show it most.
    is_failure : bool
        False for what is only to be looked at.
    """

    sentence: str
    column: str = ""
    years: tuple[int, ...] = ()
    value: float = np.nan
    expected: float = np.nan
    firms: tuple[str, ...] = ()
    is_failure: bool = True

    @property
    def is_whole_column(self) -> bool:
        """Whether a column fails in every year."""
        return bool(self.column) and not self.years


@dataclass(frozen=True)
class IndexPanel:
    """Matrices of firms by years.

    Parameters
    ----------
    matrices : mapping of str to ndarray of shape (firms, years)
        The columns; missing values are NaN. ``total`` is the sum of several columns of counts.
    firms : ndarray of shape (firms,)
        Stock codes.
    years : ndarray of shape (years,)
        Years with a row, in order.
    is_count : mapping of str to bool
        Whether a column holds whole numbers that are never negative.
    extras : mapping of str to ndarray
        ``industry``, ``characters``, ``readable_share``, as far as they are known.
    duplicated : DataFrame
        Keys of the rows whose firm-year stands more than once; the matrices hold the first.
    firm_years : int
        How many there are, each once.
    """

    matrices: Mapping[str, Array]
    firms: npt.NDArray[np.object_]
    years: npt.NDArray[np.int64]
    is_count: Mapping[str, bool]
    extras: Mapping[str, npt.NDArray[np.generic]] = field(default_factory=dict)
    duplicated: pd.DataFrame = field(default_factory=pd.DataFrame)
    firm_years: int = 0

    @property
    def columns(self) -> list[str]:
        """The columns without their total."""
        return [name for name in self.matrices if name != TOTAL]

    def around(self, place: int) -> list[int]:
        """Return the places of the years around a year, at most two on each side."""
        reach = range(max(place - REACH, 0), min(place + REACH + 1, len(self.years)))
        return [near for near in reach if near != place]

    def beside(self, place: int) -> list[int]:
        """Return the places of the years just before and just after a year, as far as there are any."""
        return [near for near in self.around(place) if abs(near - place) == 1]

    def without(self, columns: Sequence[str]) -> IndexPanel:
        """Return the panel without some of its columns, with the total of the others."""
        kept = {name: self.matrices[name] for name in self.columns if name not in columns}
        return replace(self, matrices=_with_total(kept, self.is_count))

    def ranks(self, column: str) -> Array:
        """Return the ranks of the firms within each year, from 0 to 1."""
        matrix = self.matrices[column]
        return np.column_stack([share_ranks(matrix[:, place]) for place in range(len(self.years))])

    def scaled(self, column: str) -> Array:
        """Return a column on the scale of its level: ln(1 + value) where it is never negative."""
        matrix = self.matrices[column]
        return np.log1p(matrix) if np.nanmin(matrix, initial=0) >= 0 else matrix

    def name_firms(self, scores: Array, most: int = NAMED_FIRMS) -> tuple[str, ...]:
        """Return the firms with the highest scores; those with NaN or 0 never."""
        order = np.argsort(-np.nan_to_num(scores), kind="stable")[:most]
        return tuple(str(self.firms[place]) for place in order if np.nan_to_num(scores[place]) > 0)

    def movers(self, column: str, place: int) -> tuple[str, ...]:
        """Return the firms whose rank in a year is farthest from their ranks in the years around it."""
        ranks = self.ranks(column)
        usual = mean_of(ranks[:, self.beside(place)], axis=1)
        return self.name_firms(np.abs(ranks[:, place] - usual))


def mean_of(values: Array, axis: int = 0) -> Array:
    """Return means over what is present; NaN where nothing is."""
    present = ~np.isnan(values)
    counts = present.sum(axis=axis)
    sums = np.where(present, values, 0.0).sum(axis=axis)
    return np.asarray(np.divide(sums, counts, out=np.full(counts.shape, np.nan), where=counts > 0))


def spread_of(values: Array) -> Array:
    """Return the standard deviations of the columns over what is present; NaN where nothing is."""
    return np.asarray(np.sqrt(mean_of((values - mean_of(values)) ** 2)))


def _with_total(matrices: Mapping[str, Array], is_count: Mapping[str, bool]) -> dict[str, Array]:
    """Add the sum of several columns of counts."""
    columns = {name: matrix for name, matrix in matrices.items() if name != TOTAL}
    if len(columns) > 1 and all(is_count[name] for name in columns) and TOTAL not in matrices:
        return {**columns, TOTAL: np.sum(list(columns.values()), axis=0)}
    return dict(matrices)


def share_ranks(values: Array) -> Array:
    """Return the ranks of values from 0 to 1; NaN stays."""
    result = np.full(len(values), np.nan)
    present = ~np.isnan(values)
    if present.any():
        result[present] = mean_ranks(values[present])[0] / present.sum()
    return result


def rank_correlation(first: Array, second: Array, limits: QualityLimits) -> tuple[float, int]:
    """Return the rank correlation of two columns over the firms that have both; NaN if there is too little to judge.

    Returns
    -------
    correlation : float
        Spearman's, with mean ranks for ties.
    size : int
        How many firms carry it: those that have both, or twice the number off the commonest value where that is less.
        Where nine in ten firms are at zero, a hundred firms say as much as twenty.
    """
    both = ~np.isnan(first) & ~np.isnan(second)
    count = int(both.sum())
    if count < limits.least_firms:
        return np.nan, count
    (ranks, varied), (others, other_varied) = mean_ranks(first[both]), mean_ranks(second[both])
    size = min(count, 2 * varied, 2 * other_varied)
    if min(varied, other_varied) < limits.least_varied:
        return np.nan, size
    ranks, others = ranks - ranks.mean(), others - others.mean()
    return float(ranks @ others / np.sqrt((ranks @ ranks) * (others @ others))), size


def mean_ranks(values: Array) -> tuple[Array, int]:
    """Return the ranks of values, ties at their mean, and how many values differ from the commonest one."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[places], len(values) - int(counts.max())


def arrange(
    panel: pd.DataFrame, *, values: Sequence[str], stock_code: str, report_year: str, extras: Mapping[str, str]
) -> IndexPanel:
    """Turn a panel, long or wide, into matrices of firms by years.

    Raises
    ------
    UsageError
        If a column is not there or holds no numbers.
    """
    for name in (stock_code, report_year):
        if name not in panel.columns:
            raise UsageError(f"the panel has no column {name}; it has {', '.join(map(str, panel.columns))}")
    known = {name: given or name for name, given in extras.items() if given or name in panel.columns}
    absent = [name for name in known.values() if name not in panel.columns]
    if absent:
        raise UsageError(f"the panel has no column {', '.join(absent)}")
    keys = [stock_code, report_year]
    data = panel[panel[stock_code].notna() & panel[report_year].notna()]
    try:
        data = data.astype({stock_code: str, report_year: "int64"})
    except ValueError:
        raise UsageError(f"column {report_year} of the panel holds something that is no year") from None
    if {"index", "value"} <= set(panel.columns) and "index" not in values:
        data, duplicated = _widen(data, keys, list(known.values()))
    else:
        duplicated = data.loc[data.duplicated(keys, keep=False), keys]
        data = data.drop_duplicates(keys)
    columns = list(values) or _numeric(data, {*keys, *known.values()})
    matrices = dict(_matrices(data, columns, keys))
    is_count = {name: _is_count(matrix) for name, matrix in matrices.items()}
    pivots = {name: data.pivot(index=stock_code, columns=report_year, values=column) for name, column in known.items()}
    shape = data.pivot(index=stock_code, columns=report_year, values=columns[0])
    return IndexPanel(
        matrices=_with_total(matrices, is_count),
        firms=shape.index.to_numpy(dtype=object),
        years=shape.columns.to_numpy(dtype=np.int64),
        is_count={**is_count, TOTAL: True},
        extras={
            name: pivot.to_numpy(dtype=object) if name == "industry" else _as_floats(pivot)
            for name, pivot in pivots.items()
        },
        duplicated=duplicated,
        firm_years=len(data),
    )


def _widen(data: pd.DataFrame, keys: list[str], extras: list[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a long panel as a wide one, and its rows that stand more than once."""
    duplicated = data.loc[data.duplicated([*keys, "index"], keep=False), keys]
    unique = data.drop_duplicates([*keys, "index"])
    wide = unique.pivot(index=keys, columns="index", values="value")
    wide = wide[list(dict.fromkeys(unique["index"]))]
    first = unique.drop_duplicates(keys).set_index(keys)[extras]
    wide = wide.drop(columns=[name for name in extras if name in wide.columns])
    return wide.join(first).reset_index(), duplicated


def _numeric(data: pd.DataFrame, others: set[str]) -> list[str]:
    kinds = (name for name in data.columns if name not in others and pd.api.types.is_numeric_dtype(data[name]))
    found = [str(name) for name in kinds if not pd.api.types.is_bool_dtype(data[name])]
    if not found:
        raise UsageError("the panel has no column of numbers to judge; name one")
    return found


def _matrices(data: pd.DataFrame, columns: Sequence[str], keys: list[str]) -> Iterator[tuple[str, Array]]:
    for name in columns:
        if name not in data.columns:
            raise UsageError(f"the panel has no column {name}; it has {', '.join(map(str, data.columns))}")
        numbers = pd.to_numeric(data[name], errors="coerce").replace([np.inf, -np.inf], np.nan)
        if numbers.isna().all():
            raise UsageError(f"column {name} of the panel holds no number")
        yield name, _as_floats(data.assign(**{name: numbers}).pivot(index=keys[0], columns=keys[1], values=name))


def _as_floats(pivot: pd.DataFrame) -> Array:
    floats: Array = pivot.astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan)
    return floats


def _is_count(matrix: Array) -> bool:
    present = matrix[~np.isnan(matrix)]
    return bool(len(present) and (present >= 0).all() and (present == np.round(present)).all())
