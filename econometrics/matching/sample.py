"""The rows of a matching: a treatment of two values, covariates with their dummies, cells that must agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from econometrics.estimation.effects import Booleans, Floats, Integers, encode_effects
from econometrics.estimation.sample import columns_of, estimation_sample, numeric_values
from shuzhi import DataError, EstimationError, SpecError

Cut = Literal["median", "mean"] | float


@dataclass(frozen=True)
class MatchingSample:
    """Treated and other rows, and what they are compared by.

    Parameters
    ----------
    data : DataFrame
        Rows of the sample, with the treatment of 0 and 1 in column ``treatment``.
    treatment : str
        Column of the treatment, or ``NAME_above_cut``.
    is_treated : (n,) bool array
        Who is treated.
    names : tuple of str
        Covariates, and ``column=level`` for dummies.
    covariates : (n, k) float array
        Their values.
    cells : (n,) int array
        Cell of each row; rows are compared within cells only.
    cut : str
        How two values were made of the treatment, in words; empty where it had two.
    dropped : dict of str to int
        Rows left out, by reason.
    warnings : tuple of str
        In words.
    """

    data: pd.DataFrame
    treatment: str
    is_treated: Booleans
    names: tuple[str, ...]
    covariates: Floats
    cells: Integers
    cut: str
    dropped: dict[str, int]
    warnings: tuple[str, ...]


def matching_sample(
    data: pd.DataFrame,
    treatment: str,
    covariates: Sequence[str],
    *,
    categories: Sequence[str],
    exact: Sequence[str],
    cut: Cut | None,
    cut_within: Sequence[str],
    needed: Sequence[str],
    groups: Sequence[str],
) -> MatchingSample:
    """Choose the rows of a matching and cut the treatment in two.

    Parameters
    ----------
    data : DataFrame
        One row an observation.
    treatment : str
        Column of 0 and 1, or any number with a cut.
    covariates, categories : sequence of str
        Numeric covariates, and columns that enter as dummies.
    exact : sequence of str
        Columns that must agree between rows that are compared.
    cut : {"median", "mean"} or float, optional
        Above which a row is treated.
    cut_within : sequence of str
        Columns within whose values the median or mean is taken.
    needed, groups : sequence of str
        Further numeric columns and groups that must be known (of the regression that follows).

    Raises
    ------
    DataError
        A treatment of more than two values without a cut, or columns that cannot be used.
    EstimationError
        No treated or no other rows.
    SpecError
        No covariate.
    """
    if not covariates and not categories:
        raise SpecError("a matching needs covariates")
    keys = columns_of([*categories, *exact, *cut_within, *groups])
    sample = estimation_sample(
        data,
        numeric=list(dict.fromkeys([treatment, *covariates, *needed])),
        categorical=keys,
        drop_singletons=False,
    )
    rows, dropped = sample.data, dict(sample.dropped)
    values = numeric_values(rows[treatment])
    above, name, words = _cut(rows, values, treatment, cut, cut_within)
    if not above.any() or above.all():
        raise EstimationError(f"{'no row is' if not above.any() else 'all rows are'} treated by {name}")
    cells = encode_effects(rows, ["^".join(exact)]).codes[0] if exact else np.zeros(len(rows), dtype=np.int64)
    both = _has_both(cells, above)
    notes = []
    if not both.all():
        dropped[f"no treated or no other row of the same {' and '.join(exact)}"] = int((~both).sum())
        rows, above, cells = rows[both], above[both], cells[both]
    if not both.any():
        raise EstimationError(f"no cell of {' and '.join(exact)} has treated and other rows")
    names, columns, lost = _columns(rows, covariates, categories)
    if lost:
        notes.append(f"covariates without variation are left out: {', '.join(lost)}")
    return MatchingSample(
        data=rows.assign(**{name: above.astype(np.float64)}),
        treatment=name,
        is_treated=above,
        names=tuple(names),
        covariates=columns,
        cells=encode_effects(rows, ["^".join(exact)]).codes[0] if exact else cells,
        cut=words,
        dropped=dropped,
        warnings=tuple(notes),
    )


def _cut(
    rows: pd.DataFrame, values: Floats, treatment: str, cut: Cut | None, within: Sequence[str]
) -> tuple[Booleans, str, str]:
    if cut is None:
        if not np.isin(values, (0.0, 1.0)).all():
            raise DataError(f"{treatment} has other values than 0 and 1; give a cut, such as cut='median'")
        return values == 1, treatment, ""
    if isinstance(cut, str) and cut not in ("median", "mean"):
        raise SpecError(f"cut must be 'median', 'mean' or a number, not {cut!r}")
    place = f" within {' and '.join(within)}" if within else ""
    if isinstance(cut, str):
        series = pd.Series(values, index=rows.index)
        groups = pd.Series(encode_effects(rows, ["^".join(within)]).codes[0], index=rows.index) if within else None
        limit = series.groupby(groups).transform(cut).to_numpy() if groups is not None else series.agg(cut)
        words = f"treated where {treatment} is above its {cut}{place}"
    else:
        limit, words = float(cut), f"treated where {treatment} is above {cut:g}"
    return np.asarray(values > limit, dtype=np.bool_), f"{treatment}_above_cut", words


def _has_both(cells: Integers, treated: Booleans) -> Booleans:
    count = np.bincount(cells)
    inside = np.bincount(cells, weights=treated.astype(np.float64))
    return np.asarray(((inside > 0) & (inside < count))[cells], dtype=np.bool_)


def _columns(
    rows: pd.DataFrame, covariates: Sequence[str], categories: Sequence[str]
) -> tuple[list[str], Floats, list[str]]:
    found = [(name, numeric_values(rows[name])) for name in covariates]
    for category in categories:
        values = rows[category]
        for level in sorted(values.unique())[1:]:
            found.append((f"{category}={level}", (values == level).to_numpy(dtype=np.float64)))
    kept = [(name, column) for name, column in found if np.ptp(column) > 0]
    lost = [name for name, column in found if np.ptp(column) == 0]
    if not kept:
        raise EstimationError("no covariate of the matching varies")
    return [name for name, _ in kept], np.column_stack([column for _, column in kept]), lost
