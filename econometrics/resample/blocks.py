"""Gram sums of each cluster: the terms of which the Gram matrix of every weighted sample is a weighted sum."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# Bytes of dummy columns that are held at once while the blocks are made.
CHUNK_BYTES = 64 * 2**20
# From so many rows a cluster on, a matrix product per cluster beats sums over sorted rows.
ROWS_FOR_PRODUCT = 60
# A residual of a dummy below this is a rounding error.
ROUNDING = 1e-11


@dataclass(frozen=True)
class DummyRows:
    """Rows of a connected component, sorted by cluster, with the levels of the effects to absorb anew in every draw.

    Parameters
    ----------
    rows : (n,) int array
        Places in the sorted sample.
    clusters : (n,) int array
        Cluster of each row, ascending.
    levels : (e, n) int array
        For each effect the level of each row, 0 to ``count - 1`` over all effects together; -1 for no dummy.
    count : int
        Number of levels.
    """

    rows: Integers
    clusters: Integers
    levels: Integers
    count: int

    def cluster_starts(self) -> Integers:
        """Return the places at which a new cluster begins, the first being 0."""
        return np.flatnonzero(np.r_[True, self.clusters[1:] != self.clusters[:-1]])


def cluster_sums(columns: Floats, first: int, starts: Integers) -> Floats:
    """Sum products of columns within clusters: rows 0 to first - 1 with themselves and all that follow them.

    Parameters
    ----------
    columns : (p, n) float array
        Columns as rows, sorted by cluster.
    first : int
        Number of leading columns whose products with all columns from themselves on are wanted.
    starts : (c,) int array
        First place of each cluster.

    Returns
    -------
    (pairs, c) float array
        For column j in turn the products with columns j, j + 1, ..., p - 1.
    """
    width, rows = columns.shape
    sums = np.empty((sum(width - column for column in range(first)), len(starts)))
    if rows > ROWS_FOR_PRODUCT * len(starts):
        inside = np.repeat(np.arange(first), width - np.arange(first))
        after = np.concatenate([np.arange(column, width) for column in range(first)]) if first else inside
        for number, (start, stop) in enumerate(zip(starts, [*starts[1:], rows], strict=True)):
            part = columns[:, start:stop]
            sums[:, number] = (part[:first] @ part.T)[inside, after]
        return sums
    place = 0
    for column in range(first):
        products = columns[column] * columns[column:]
        np.add.reduceat(products, starts, axis=1, out=sums[place : place + width - column])
        place += width - column
    return sums


def local_levels(part: DummyRows) -> tuple[Integers, Integers]:
    """Number the levels anew within each cluster, so that clusters can share dummy columns.

    Parameters
    ----------
    part : DummyRows
        Rows sorted by cluster.

    Returns
    -------
    local : (e, n) int array
        Number of each row's level among the levels of its cluster; -1 for no dummy.
    table : (clusters of the part, most levels in a cluster) int array
        Level behind each number; -1 where the cluster has fewer.
    """
    ordinal = np.zeros(len(part.clusters), dtype=np.int64)
    ordinal[part.cluster_starts()[1:]] = 1
    ordinal = np.cumsum(ordinal)
    keys = np.where(part.levels >= 0, ordinal[None, :] * part.count + part.levels, -1)
    distinct, inverse = np.unique(keys, return_inverse=True)
    inverse = inverse.reshape(keys.shape)
    offset = int(len(distinct) > 0 and distinct[0] == -1)
    owner = distinct[offset:] // part.count
    begins = np.searchsorted(owner, np.arange(int(ordinal[-1]) + 1))
    within = np.arange(len(owner)) - begins[owner]
    table = np.full((int(ordinal[-1]) + 1, int(within.max(initial=-1)) + 1), -1, dtype=np.int64)
    table[owner, within] = distinct[offset:] % part.count
    local = np.where(keys >= 0, np.r_[np.full(offset, -1, dtype=np.int64), within][inverse], -1)
    return local, table


def dummy_columns(levels: Integers, count: int) -> Floats:
    """Return the dummies of all effects as rows of a (count, n) array.

    Parameters
    ----------
    levels : (e, n) int array
        Level of each row for each effect; -1 for none.
    count : int
        Number of dummies.
    """
    columns = np.zeros((count, levels.shape[1]))
    for codes in levels:
        rows = np.flatnonzero(codes >= 0)
        columns[codes[rows], rows] += 1.0
    return columns


def removed_dummies(
    levels: Integers, count: int, rows: Integers, remove: Callable[[Floats, Integers], Floats]
) -> Floats:
    """Return dummies after the effects that are removed once, as rows of a (count, n) array.

    Parameters
    ----------
    levels : (e, n) int array
        Level of each row for each effect; -1 for none.
    count : int
        Number of dummies.
    rows : (n,) int array
        Places of the rows in the sorted sample.
    remove : callable
        Sweeps the effects that are removed once out of (n, c) columns at given rows.
    """
    columns = np.ascontiguousarray(remove(dummy_columns(levels, count).T, rows).T)
    # A dummy that the removed effects explain must vanish, or its rounding errors would count as a level.
    columns[np.abs(columns) < ROUNDING] = 0.0
    return columns


def dense_sums(part: DummyRows, columns: Floats, remove: Callable[[Floats, Integers], Floats]) -> Floats:
    """Compute for each cluster of a component the products of its dummies with each other and with the columns.

    Parameters
    ----------
    part : DummyRows
        Rows of the component.
    columns : (k, N) float array
        Residualised columns of the whole sorted sample, as rows.
    remove : callable
        Sweeps the effects that are removed once out of (n, c) columns at given rows.

    Returns
    -------
    (q, clusters of the part) float array
        In the order that `swept_products` reads.
    """
    pieces = []
    for piece in chunks(part, part.count + len(columns)):
        dummies = removed_dummies(piece.levels, part.count, piece.rows, remove)
        pieces.append(cluster_sums(np.vstack([dummies, columns[:, piece.rows]]), part.count, piece.cluster_starts()))
    return np.concatenate(pieces, axis=1)


def chunks(part: DummyRows, width: int) -> Iterator[DummyRows]:
    """Cut a component into runs of whole clusters of bounded size.

    Parameters
    ----------
    part : DummyRows
        Rows of the component.
    width : int
        Columns that are held for each row.
    """
    limit = max(1, CHUNK_BYTES // (8 * width))
    starts = part.cluster_starts()
    stops = np.r_[starts[1:], len(part.rows)]
    begin = 0
    while begin < len(part.rows):
        fits = stops[(stops > begin) & (stops <= begin + limit)]
        stop = int(fits[-1]) if len(fits) else int(stops[stops > begin][0])
        inside = slice(begin, stop)
        yield DummyRows(part.rows[inside], part.clusters[inside], part.levels[:, inside], part.count)
        begin = stop
