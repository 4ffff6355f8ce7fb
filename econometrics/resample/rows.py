"""Gram matrices of many subsets of rows with fixed effects absorbed anew in each: what permuting rows needs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from econometrics.estimation.absorb import demean
from econometrics.estimation.effects import Effects, connected_components, keep_rows
from econometrics.resample.algebra import lower_pairs, swept_products, unpack

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# Cells of the padded layout a row of the sample may cost before rows are handled one subset at a time.
MOST_CELLS_PER_ROW = 4
# Units of a table and subsets of a batch: what is worked on at once stays in the processor's cache.
UNITS = 64
SUBSETS = 64


@dataclass(frozen=True)
class RowTable:
    """Rows of some units as a table of units by levels of the second effect.

    Parameters
    ----------
    cells : (units, levels) int array
        Row of each cell; the number of rows where there is none.
    columns : (units, levels, k) float array
        Values of the rows, zero in empty cells.
    products : (units levels, pairs) float array
        Products of the columns of each cell.
    """

    cells: Integers
    columns: Floats
    products: Floats

    def sums(self, masks: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """Sums that the units of the table add, with the first effect absorbed.

        Parameters
        ----------
        masks : (n + 1, draws) float array
            1 for rows in the subset; the last row is zero, for empty cells.

        Returns
        -------
        tuple of float arrays
            Products of the columns (pairs, draws), columns by level (levels, draws, k), rows by level (draws, levels),
            and what the first effect explains of levels and columns together (draws, levels + k, levels + k).
        """
        units, levels, _ = self.columns.shape
        chosen = masks[self.cells]
        weight = np.ascontiguousarray(chosen.transpose(0, 2, 1))
        count = weight.sum(axis=2)
        # Units with equal weights of 0 and 1: the root of the count splits evenly between both sides.
        root = np.sqrt(np.divide(1.0, count, out=np.zeros_like(count), where=count > 0))
        scaled = np.concatenate([weight, weight @ self.columns], axis=2)
        scaled *= root[:, :, None]
        by_draw = np.ascontiguousarray(scaled.transpose(1, 0, 2))
        swept = by_draw.transpose(0, 2, 1) @ by_draw
        products = self.products.T @ chosen.reshape(units * levels, -1)
        by_level = np.ascontiguousarray(chosen.transpose(1, 2, 0)) @ self.columns.transpose(1, 0, 2)
        return products, by_level, chosen.sum(axis=0).T, swept


@dataclass(frozen=True)
class RowBlock:
    """One connected component, its units in tables small enough for the processor's cache.

    Parameters
    ----------
    tables : tuple of RowTable
        Units of the component.
    """

    tables: tuple[RowTable, ...]

    def packed(self, masks: Floats) -> Floats:
        """Packed Gram sums (pairs, draws) of this component, both effects absorbed.

        Parameters
        ----------
        masks : (n + 1, draws) float array
            1 for rows in the subset; the last row is zero.
        """
        parts: tuple[Floats, ...] = self.tables[0].sums(masks)
        for table in self.tables[1:]:
            parts = tuple(np.add(total, part) for total, part in zip(parts, table.sums(masks), strict=True))
        products, by_level, rows, swept = parts
        levels, _, k = by_level.shape
        first, second = lower_pairs(k)
        gram = products - swept[:, levels + first, levels + second].T
        entries = []
        for level in range(levels):
            own = -swept[:, level, level:levels]
            own[:, 0] += rows[:, level]
            entries.append(np.concatenate([own, by_level[level] - swept[:, level, levels:]], axis=1).T)
        return np.asarray(gram - swept_products(np.concatenate(entries), levels, k))


@dataclass(frozen=True)
class RowGram:
    """Gram matrices of subsets of rows.

    Parameters
    ----------
    values : (n, k) float array
        Columns, cleared of the effects of the whole sample.
    effects : Effects
        Effects to absorb in each subset.
    blocks : tuple of RowBlock, or None
        Layout by component; None where each subset is demeaned by itself.
    """

    values: Floats
    effects: Effects
    blocks: tuple[RowBlock, ...] | None

    def gram(self, masks: NDArray[np.bool_]) -> Floats:
        """Gram matrices of the residualised columns of each subset.

        Parameters
        ----------
        masks : (draws, n) bool array
            Rows of each subset.

        Returns
        -------
        (draws, k, k) float array
        """
        k = self.values.shape[1]
        if self.blocks is None:
            return np.stack([self._one(mask) for mask in masks]) if len(masks) else np.empty((0, k, k))
        batches = [self._batch(masks[start : start + SUBSETS]) for start in range(0, len(masks), SUBSETS)]
        return np.concatenate(batches) if batches else np.empty((0, k, k))

    def _batch(self, masks: NDArray[np.bool_]) -> Floats:
        assert self.blocks is not None
        padded = np.zeros((masks.shape[1] + 1, len(masks)))
        padded[:-1] = masks.T
        sums = self.blocks[0].packed(padded)
        for block in self.blocks[1:]:
            sums = sums + block.packed(padded)
        return unpack(sums, self.values.shape[1])

    def _one(self, mask: NDArray[np.bool_]) -> Floats:
        left = demean(keep_rows(self.effects, mask), self.values[mask])
        return np.asarray(left.T @ left)


def row_gram(matrix: Floats, effects: Effects) -> RowGram:
    """Prepare the Gram matrices of subsets of rows.

    Two effects whose pairs of levels occur once (firm and year, firm and industry-year) are laid out as tables
    and absorbed for many subsets at once; any other set of effects is demeaned subset by subset.

    Parameters
    ----------
    matrix : (n, k) float array
        Columns without missing values.
    effects : Effects
        Fixed effects of the n rows; without any a constant is absorbed.

    Returns
    -------
    RowGram
        What is needed for every subset.
    """
    values = np.asarray(matrix, dtype=np.float64)
    n = len(values)
    if not effects.codes:
        effects = Effects(("constant",), (np.zeros(n, dtype=np.int64),), (1,))
    values = demean(effects, values)
    if len(effects.codes) != 2:
        return RowGram(values, effects, None)
    order = sorted(range(len(effects.codes)), key=lambda number: -effects.levels[number])
    units = effects.codes[order[0]]
    levels = effects.codes[order[1]]
    width = int(levels.max()) + 1
    if len(np.unique(units * width + levels)) < n:
        return RowGram(values, effects, None)
    component = connected_components(units, levels)
    blocks = []
    cells = 0
    for number in range(int(component.max()) + 1):
        rows = np.flatnonzero(component == number)
        own_units, unit = np.unique(units[rows], return_inverse=True)
        own_levels, level = np.unique(levels[rows], return_inverse=True)
        cells += own_units.size * own_levels.size
        if cells > MOST_CELLS_PER_ROW * n:
            return RowGram(values, effects, None)
        table = np.full((own_units.size, own_levels.size), n, dtype=np.int64)
        table[unit, level] = rows
        blocks.append(RowBlock(tuple(_table(table[start : start + UNITS], values) for start in _steps(len(table)))))
    return RowGram(values, effects, tuple(blocks))


def _steps(units: int) -> range:
    return range(0, units, UNITS)


def _table(cells: Integers, values: Floats) -> RowTable:
    columns = np.vstack([values, np.zeros((1, values.shape[1]))])[cells]
    first, second = lower_pairs(values.shape[1])
    flat = columns.reshape(-1, values.shape[1])
    return RowTable(cells, columns, flat[:, first] * flat[:, second])
