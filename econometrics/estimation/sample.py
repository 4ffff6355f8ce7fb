"""The rows that an estimate can use: what is dropped is counted by reason, what cannot work is refused at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from econometrics.estimation.effects import encode_effects, singleton_rows
from shuzhi import DataError

# Values beyond, or all below its inverse, overflow or vanish when they are squared twice.
LARGEST = 1e75


@dataclass(frozen=True)
class EstimationSample:
    """Rows of a data frame that a model can use.

    Parameters
    ----------
    data : DataFrame
        The rows kept, with the index they had.
    dropped : dict of str to int
        Rows dropped by reason: ``missing VAR``, ``infinite VAR``, ``singleton``. A row counts once, under its first
        reason, so the numbers add up to ``rows_given - len(data)``.
    rows_given : int
        Rows of the data frame as given.
    """

    data: pd.DataFrame
    dropped: dict[str, int] = field(default_factory=dict)
    rows_given: int = 0


def columns_of(names: Iterable[str]) -> list[str]:
    """List the columns behind names of effects or clusters, interactions ``a^b`` taken apart, each once.

    Parameters
    ----------
    names : iterable of str
        Columns or interactions.
    """
    return list(dict.fromkeys(part.strip() for name in names for part in name.split("^")))


def numeric_values(column: pd.Series) -> NDArray[np.float64]:
    """Return a numeric or boolean column as floats, missing as NaN.

    Parameters
    ----------
    column : Series
        Numeric or boolean, also of a nullable type.
    """
    if isinstance(column.dtype, np.dtype):
        return column.to_numpy(dtype=np.float64)
    return column.to_numpy(dtype=np.float64, na_value=np.nan)


def estimation_sample(
    data: pd.DataFrame,
    *,
    numeric: Sequence[str],
    categorical: Sequence[str],
    fixed_effects: Sequence[str] = (),
    drop_singletons: bool = True,
) -> EstimationSample:
    """Keep the rows in which every variable of the model is known and finite.

    Parameters
    ----------
    data : DataFrame
        One row an observation.
    numeric : sequence of str
        Columns that enter as numbers; booleans count as 0 and 1.
    categorical : sequence of str
        Columns that only tell rows apart (clusters, groups); ``a^b`` for interactions.
    fixed_effects : sequence of str
        Effects, whose singletons are dropped; ``a^b`` for interactions.
    drop_singletons : bool
        Drop rows alone in a level of an effect, until none is left (Correia 2015).

    Raises
    ------
    DataError
        Columns that do not exist (with the nearest name), exist twice or are not numeric, values too large or too
        small to be squared, or no row is left; all problems in one message.
    """
    groups = columns_of([*categorical, *fixed_effects])
    _refuse_columns(data, list(dict.fromkeys(numeric)), groups)
    keep = np.ones(len(data), dtype=np.bool_)
    dropped: dict[str, int] = {}

    def drop(rows: NDArray[np.bool_], reason: str) -> None:
        count = int((rows & keep).sum())
        if count:
            dropped[reason] = count
            keep[rows] = False

    values = {name: numeric_values(data[name]) for name in dict.fromkeys(numeric)}
    _refuse_magnitudes(values)
    unusable = {name: column for name, column in values.items() if not np.isfinite(column).all()}
    for name, column in unusable.items():
        drop(np.isnan(column), f"missing {name}")
    for name in groups:
        drop(data[name].isna().to_numpy(dtype=np.bool_), f"missing {name}")
    for name, column in unusable.items():
        drop(np.isinf(column), f"infinite {name}")
    kept = data if keep.all() else data[keep]
    if drop_singletons and fixed_effects and len(kept):
        single = singleton_rows(encode_effects(kept, fixed_effects))
        if single.any():
            dropped["singleton"] = int(single.sum())
            kept = kept[~single]
    if not len(kept):
        reasons = ", ".join(f"{reason}: {count}" for reason, count in dropped.items()) or "the data frame is empty"
        raise DataError(f"no row is left of {len(data)} ({reasons})")
    return EstimationSample(kept, dropped, len(data))


def check_firm_years(data: pd.DataFrame, firm: str, year: str) -> None:
    """Refuse a panel in which a firm has two rows of one year.

    Parameters
    ----------
    data : DataFrame
        One row a firm-year.
    firm, year : str
        Columns of the firm and of the year.

    Raises
    ------
    DataError
        A column does not exist, or firm-years occur more than once: how many, with examples.
    """
    _refuse_columns(data, [], [firm, year])
    known = data[[firm, year]].dropna()
    again = known[known.duplicated(keep=False)]
    if len(again):
        pairs = again.drop_duplicates()
        examples = ", ".join(f"{row[0]} {row[1]}" for row in pairs.head(5).itertuples(index=False))
        raise DataError(
            f"{len(pairs)} firm-years of {firm} and {year} occur more than once ({len(again)} rows): {examples}"
            f"{' ...' if len(pairs) > 5 else ''}; keep one row each"
        )


def no_column(name: str, data: pd.DataFrame) -> str:
    """Say that a column does not exist, with the nearest name.

    Parameters
    ----------
    name : str
        Name asked for.
    data : DataFrame
        Whose columns there are.
    """
    near = get_close_matches(name, [str(column) for column in data.columns], n=1)
    return f"no column {name!r}" + (f" (nearest: {near[0]!r})" if near else "")


def _refuse_columns(data: pd.DataFrame, numeric: list[str], groups: list[str]) -> None:
    names = [str(column) for column in data.columns]
    problems = []
    for name in dict.fromkeys([*numeric, *groups]):
        found = names.count(name)
        if not found:
            problems.append(no_column(name, data))
        elif found > 1:
            problems.append(f"column {name!r} occurs {found} times")
        elif name in numeric and not _is_number(data[name]):
            problems.append(f"column {name!r} is not numeric ({data[name].dtype})")
    if problems:
        raise DataError("; ".join(problems))


def _refuse_magnitudes(values: dict[str, NDArray[np.float64]]) -> None:
    problems = []
    for name, column in values.items():
        finite = column[np.isfinite(column)]
        largest = float(max(finite.max(), -finite.min())) if finite.size else 0.0
        if largest > LARGEST or 0 < largest < 1 / LARGEST:
            problems.append(f"column {name!r} holds values up to {largest:.3g}, whose squares cannot be computed")
    if problems:
        raise DataError("; ".join(problems) + "; give them in another unit")


def _is_number(column: pd.Series) -> bool:
    types = pd.api.types
    return types.is_bool_dtype(column) or (types.is_numeric_dtype(column) and not types.is_complex_dtype(column))
