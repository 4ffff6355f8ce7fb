"""Rows, groups and sufficient statistics behind a permutation of groups."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from econometrics.estimation.effects import Effects, encode_effects
from econometrics.estimation.sample import estimation_sample, numeric_values
from econometrics.heterogeneity.estimands import Estimands, independent_model, why_not
from econometrics.heterogeneity.groupings import Grouping, group_text
from econometrics.resample.kernel import gram_kernel
from econometrics.resample.rows import row_gram
from shuzhi import DataError, EstimationError

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class PermutationProblem:
    """Rows, groups and sufficient statistics of a permutation.

    Parameters
    ----------
    model : Estimands
        What is estimated.
    gram : callable
        From masks (draws, exchanged) to Gram matrices (draws, k, k).
    codes : tuple of (exchanged,) int arrays
        Group of each unit or row by grouping; -1 for none.
    units : Index
        What is exchanged.
    rows : int
        Number of rows.
    dropped : dict of str to int
        Rows left out, by reason.
    sample : DataFrame
        The rows.
    places : (rows,) int array
        Place of each row in the data frame as given.
    notes : tuple of str
        Regressors left out, in words.
    """

    model: Estimands
    gram: Callable[[NDArray[np.bool_]], Floats]
    codes: tuple[Integers, ...]
    units: pd.Index
    rows: int
    dropped: dict[str, int]
    sample: pd.DataFrame
    places: Integers
    notes: tuple[str, ...]

    def reason(self, grouping: Grouping, group: str, fixed_effects: Sequence[str]) -> str:
        """Why the model cannot be estimated in a group, in parentheses, or nothing.

        Parameters
        ----------
        grouping : Grouping
            Groups of the data frame as given.
        group : str
            Group.
        fixed_effects : sequence of str
            Effects to absorb.
        """
        chosen = (grouping.labels.iloc[self.places] == group).to_numpy(dtype=np.bool_, na_value=False)
        return why_not(self.sample.loc[chosen], self.model, fixed_effects)

    @property
    def exchanged(self) -> int:
        """Number of units or rows that exchange their labels."""
        return len(self.units)

    def estimates(self, labels: Integers, groups: int) -> Floats:
        """Estimates (draws, groups, names) of relabelled groups.

        Parameters
        ----------
        labels : (draws, exchanged) int array
            Group of each unit or row in each draw; -1 for none.
        groups : int
            Number of groups.
        """
        return np.stack([self.model.estimate(self.gram(labels == place)) for place in range(groups)], axis=1)


def prepare(
    data: pd.DataFrame,
    model: Estimands,
    groupings: Sequence[Grouping],
    fixed_effects: Sequence[str],
    unit: str | None,
) -> PermutationProblem:
    """Choose rows and compute what every relabelling needs.

    Parameters
    ----------
    data : DataFrame
        One row an observation.
    model : Estimands
        What is estimated.
    groupings : sequence of Grouping
        One or several; with one, rows without a group are left out.
    fixed_effects : sequence of str
        Effects to absorb in each group.
    unit : str, optional
        Units that are exchanged as a whole; rows without it.

    Raises
    ------
    EstimationError
        When a unit changes its group, or nothing is left of the outcome, the first regressor or the mediator.
    """
    known = groupings[0].labels.notna().to_numpy() if len(groupings) == 1 else np.ones(len(data), dtype=bool)
    if not known.any():
        raise DataError(f"no row belongs to a group of {groupings[0].name}")
    # Rows by their place, because the index of the data frame may repeat.
    sample = estimation_sample(
        data.loc[known].reset_index(drop=True),
        numeric=model.columns,
        categorical=[unit] if unit else [],
        fixed_effects=fixed_effects,
        drop_singletons=False,
    )
    dropped = ({} if known.all() else {"missing group": int((~known).sum())}) | sample.dropped
    rows = sample.data
    model, notes = independent_model(rows, model, fixed_effects)
    place = np.flatnonzero(known)[rows.index.to_numpy()]
    matrix = np.column_stack([numeric_values(rows[name]) for name in model.columns])
    effects = encode_effects(rows, fixed_effects)
    codes = [_codes(grouping, place) for grouping in groupings]
    if unit is None:
        gram = row_gram(matrix, effects).gram
        units = pd.RangeIndex(len(rows))
        return PermutationProblem(model, gram, tuple(codes), units, len(rows), dropped, rows, place, notes)
    number, names = pd.factorize(rows[unit], sort=True)
    pairs = zip(codes, groupings, strict=True)
    by_unit = tuple(_by_unit(code, number, pd.Index(names), grouping, unit) for code, grouping in pairs)
    whole = _unit_gram(matrix, effects, number)
    return PermutationProblem(model, whole, by_unit, pd.Index(names), len(rows), dropped, rows, place, notes)


def shuffled(codes: Integers, draws: int, generator: np.random.Generator) -> Integers:
    """Deal the labels out at random, keeping how many there are of each: (draws, exchanged).

    Parameters
    ----------
    codes : (exchanged,) or (groupings, exchanged) int array
        Labels; those of several groupings move together and come back as (draws, groupings, exchanged).
    draws : int
        Number of relabellings.
    generator : Generator
        Source of chance.
    """
    if codes.ndim == 1:
        # Small integers move four times as fast; the order of the swaps does not depend on what is moved.
        dealt = np.tile(codes.astype(np.int8 if codes.max(initial=0) < 127 else np.int64), (draws, 1))
        return np.asarray(generator.permuted(dealt, axis=1))
    order = generator.permuted(np.tile(np.arange(codes.shape[-1]), (draws, 1)), axis=1)
    return np.asarray(np.moveaxis(codes[:, order], 0, 1))


def _unit_gram(matrix: Floats, effects: Effects, number: Integers) -> Callable[[NDArray[np.bool_]], Floats]:
    kernel = gram_kernel(matrix, effects, number)
    return lambda masks: kernel.gram(masks.astype(np.float64))


def _codes(grouping: Grouping, place: Integers) -> Integers:
    number = {name: code for code, name in enumerate(grouping.groups)}
    return np.asarray(grouping.labels.iloc[place].map(number).fillna(-1).to_numpy(dtype=np.int64))


def _by_unit(codes: Integers, number: Integers, names: pd.Index, grouping: Grouping, unit: str) -> Integers:
    lowest: Integers = np.full(len(names), np.iinfo(np.int64).max)
    highest = np.full(len(names), -2)
    np.minimum.at(lowest, number, codes)
    np.maximum.at(highest, number, codes)
    changing = np.flatnonzero(lowest != highest)
    if changing.size:
        raise EstimationError(
            f"{changing.size} units change their group of {grouping.name}, such as {names[changing[0]]}; give each one "
            "group with fix_within_unit, or exchange rows (without unit)"
        )
    return np.asarray(lowest, dtype=np.int64)


def given_labels(labels: pd.DataFrame, grouping: Grouping, problem: PermutationProblem) -> Integers:
    """Turn a table of labels into codes (draws, exchanged).

    Parameters
    ----------
    labels : DataFrame
        Units in the index, one column a draw; a missing label puts a unit into no group.
    grouping : Grouping
        Whose groups the labels name.
    problem : PermutationProblem
        Whose units they belong to.

    Raises
    ------
    DataError
        When units are absent or a label is no group.
    """
    absent = problem.units.difference(labels.index)
    if len(absent):
        raise DataError(f"the labels lack {len(absent)} units, such as {absent[0]}; units stand in the index")
    number = {name: code for code, name in enumerate(grouping.groups)}
    columns, unknown = [], set()
    for _, column in labels.reindex(problem.units).items():
        text = column.dropna().map(group_text)
        unknown |= set(text.unique()) - set(number)
        columns.append(text.map(number).reindex(column.index).fillna(-1).to_numpy(dtype=np.int64))
    if unknown:
        some = ", ".join(sorted(unknown)[:5])
        raise DataError(f"labels that are no group: {some}; groups are {', '.join(grouping.groups)}")
    return np.stack(columns)
