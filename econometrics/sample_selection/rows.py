"""The rows and columns of a selection model: who is selected, and what each of the two equations sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from econometrics.estimation.design import CONSTANT
from econometrics.estimation.effects import Effects, Floats, Integers, compact, encode_effects, singleton_rows
from econometrics.estimation.sample import columns_of, estimation_sample, numeric_values
from shuzhi import DataError, EstimationError, SpecError


@dataclass(frozen=True)
class SelectionRows:
    """Both equations of a selection model, on the rows of the first.

    Parameters
    ----------
    outcome, selected_name : str
        Names.
    terms : tuple of str
        Regressors of the outcome equation.
    z_names : tuple of str
        Columns of the probit with dummies and constant.
    excluded : tuple of str
        Those of them that are not in the outcome equation (dummies and constant do not count).
    selected : (n,) float array
        0 or 1.
    y, x, z : float arrays
        Outcome and regressors (zero where not selected), and the probit's columns.
    effects : Effects
        Of the outcome equation; rows that are not selected hold level 0.
    clusters : Effects or None
        Cluster codes.
    dropped : dict of str to int
        Rows left out, by reason.
    """

    outcome: str
    selected_name: str
    terms: tuple[str, ...]
    z_names: tuple[str, ...]
    excluded: tuple[str, ...]
    selected: Floats
    y: Floats
    x: Floats
    z: Floats
    effects: Effects
    clusters: Effects | None
    dropped: dict[str, int]

    def effects_of(self, chosen: Integers) -> Effects:
        """Effects of some selected rows, which may repeat.

        Parameters
        ----------
        chosen : (m,) int array
            Positions of the rows.
        """
        codes = tuple(compact(code[chosen]) for code in self.effects.codes)
        return Effects(self.effects.names, codes, tuple(int(code.max(initial=-1)) + 1 for code in codes))


def selection_rows(
    data: pd.DataFrame,
    outcome: str,
    terms: Sequence[str],
    selection_terms: Sequence[str],
    selected: str | None,
    categories: Sequence[str],
    effects: Sequence[str],
    cluster: str | None,
) -> SelectionRows:
    """Choose the rows of both equations and build their columns.

    Parameters
    ----------
    data : DataFrame
        One row an observation.
    outcome : str
        Column explained.
    terms, selection_terms : sequence of str
        Numeric columns of the outcome equation and of the probit.
    selected : str or None
        Column of 0 and 1, or None for where the outcome is known.
    categories : sequence of str
        Columns that enter the probit as dummies.
    effects : sequence of str
        Effects of the outcome equation.
    cluster : str or None
        Cluster variable.

    Raises
    ------
    DataError
        Columns or values that cannot be used.
    EstimationError
        All rows or none are selected.
    """
    if not selection_terms and not categories:
        raise SpecError("the selection equation has no regressor")
    groups = [*categories, *([cluster] if cluster else [])]
    needed = [*selection_terms, *([selected] if selected else [])]
    every = estimation_sample(data, numeric=needed, categorical=groups, drop_singletons=False)
    # The checks of the outcome's columns, on all rows, before any row is judged.
    estimation_sample(data, numeric=[outcome, *terms], categorical=effects, drop_singletons=False)
    frame, dropped = every.data, dict(every.dropped)
    chosen = numeric_values(frame[selected]) if selected else np.isfinite(numeric_values(frame[outcome])) * 1.0
    if not np.isin(chosen, (0.0, 1.0)).all():
        raise DataError(f"{selected} must be 0 or 1")
    lost = (chosen == 1) & _incomplete(frame, [outcome, *terms], columns_of(effects))
    if effects:
        inside = np.flatnonzero((chosen == 1) & ~lost)
        single = singleton_rows(encode_effects(frame.iloc[inside], effects)) if len(inside) else np.zeros(0, bool)
        if single.any():
            dropped["singleton"] = int(single.sum())
            alone = np.zeros(len(frame), dtype=np.bool_)
            alone[inside[single]] = True
            frame, chosen, lost = frame[~alone], chosen[~alone], lost[~alone]
    if lost.any():
        dropped["selected, but a variable of the outcome equation is missing"] = int(lost.sum())
        frame, chosen = frame[~lost], chosen[~lost]
    if len(chosen) == 0 or chosen.min() == chosen.max():
        raise EstimationError(
            f"{'no row is' if len(chosen) == 0 or chosen.max() == 0 else 'all rows are'} selected: "
            "there is no selection to correct for"
        )
    names, columns = _probit_columns(frame, selection_terms, categories)
    is_in = chosen == 1
    y, x = _inside(frame, [outcome], is_in)[:, 0], _inside(frame, terms, is_in)
    excluded = tuple(name for name in selection_terms if name not in terms)
    return SelectionRows(
        outcome=outcome,
        selected_name=selected or f"{outcome} known",
        terms=tuple(terms),
        z_names=tuple(names),
        excluded=excluded,
        selected=chosen,
        y=y,
        x=x,
        z=columns,
        effects=_effects_inside(frame, effects, is_in),
        clusters=encode_effects(frame, [cluster]) if cluster else None,
        dropped=dropped,
    )


def _incomplete(frame: pd.DataFrame, numeric: Sequence[str], groups: Sequence[str]) -> np.ndarray:
    values = np.column_stack([numeric_values(frame[name]) for name in numeric])
    missing = np.asarray(~np.isfinite(values).all(axis=1), dtype=np.bool_)
    if groups:
        missing = missing | frame[list(groups)].isna().any(axis=1).to_numpy(dtype=np.bool_)
    return missing


def _inside(frame: pd.DataFrame, names: Sequence[str], is_in: np.ndarray) -> Floats:
    columns = [np.where(is_in, numeric_values(frame[name]), 0.0) for name in names]
    return np.column_stack(columns) if columns else np.empty((len(frame), 0))


def _effects_inside(frame: pd.DataFrame, effects: Sequence[str], is_in: np.ndarray) -> Effects:
    if not effects:
        return Effects((), (), ())
    inner = encode_effects(frame[is_in], effects)
    codes = []
    for code in inner.codes:
        whole = np.zeros(len(frame), dtype=np.int64)
        whole[is_in] = code
        codes.append(whole)
    return Effects(inner.names, tuple(codes), inner.levels)


def _probit_columns(frame: pd.DataFrame, terms: Sequence[str], categories: Sequence[str]) -> tuple[list[str], Floats]:
    names, columns = list(terms), [numeric_values(frame[name]) for name in terms]
    for category in categories:
        values = frame[category]
        for level in sorted(values.unique())[1:]:
            names.append(f"{category}={level}")
            columns.append((values == level).to_numpy(dtype=np.float64))
    return [*names, CONSTANT], np.column_stack([*columns, np.ones(len(frame))])
