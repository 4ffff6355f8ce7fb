"""What effects that are absorbed anew in every draw take away from a Gram matrix, by connected component."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from econometrics.resample.algebra import lower_pairs, swept_product, swept_products
from econometrics.resample.blocks import DummyRows, chunks, cluster_sums, local_levels, removed_dummies

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Remove = Callable[[Floats, Integers], Floats]
# Keys, clusters and values of sums; four bytes a number hold them, as there are many.
Entries = tuple[NDArray[np.int32], NDArray[np.int32], Floats]

# Draws whose sums are held at once where each needs LAPACK, and numbers that these may be.
DRAWS_AT_ONCE = 32
SUMS_AT_ONCE = 2**24


@dataclass(frozen=True)
class Draws:
    """Weights of clusters in a batch of draws.

    Parameters
    ----------
    clusters : int
        Number of clusters.
    weights : (clusters, draws) float array, optional
        Weights; None where each draw leaves one cluster out.
    left_out : range, optional
        Clusters left out, one a draw.
    """

    clusters: int
    weights: Floats | None = None
    left_out: range | None = None

    def sums(self, blocks: Floats, members: Integers) -> Floats:
        """Weighted sums over clusters: (q, members) blocks times the weights of the members give (q, draws)."""
        if self.left_out is None:
            assert self.weights is not None
            whole = len(members) == self.clusters
            return blocks @ (self.weights if whole else self.weights[members])
        inside = (members >= self.left_out.start) & (members < self.left_out.stop)
        result = np.repeat(blocks.sum(axis=1)[:, None], len(self.left_out), axis=1)
        result[:, members[inside] - self.left_out.start] -= blocks[:, inside]
        return result

    @cached_property
    def dense(self) -> Floats:
        """The weights as a (clusters, draws) array, whatever their kind."""
        if self.weights is not None:
            return self.weights
        assert self.left_out is not None
        weights = np.ones((self.clusters, len(self.left_out)))
        weights[np.array(self.left_out), np.arange(len(self.left_out))] = 0.0
        return weights


class Part(Protocol):
    """Something that lowers the Gram sums of a batch of draws."""

    def lower(self, draws: Draws, sums: Floats) -> None:
        """Subtract from the packed (pairs, draws) sums what the part explains."""

    def bytes_per_draw(self) -> int:
        """Say how much memory a draw takes while it is worked on."""


@dataclass(frozen=True)
class SmallPart:
    """A connected component with few levels: dense sums per cluster, one matrix product for all draws.

    Parameters
    ----------
    members : (c,) int array
        Clusters that occur in the component.
    blocks : (q, c) float array
        Their sums, in the order that `swept_products` reads.
    levels, columns : int
        Number of dummies and of columns.
    """

    members: Integers
    blocks: Floats
    levels: int
    columns: int

    def lower(self, draws: Draws, sums: Floats) -> None:
        """Subtract what the component's levels explain."""
        sums -= swept_products(draws.sums(self.blocks, self.members), self.levels, self.columns)

    def bytes_per_draw(self) -> int:
        """Weights, sums and factor of one draw."""
        return 8 * (len(self.members) + 2 * len(self.blocks) + self.levels * (self.levels + self.columns))


@dataclass(frozen=True)
class LargePart:
    """A connected component with many levels: sparse sums per cluster, one Cholesky factor a draw.

    Parameters
    ----------
    sums : sparse (entries, clusters) matrix
        Products of the dummies of each cluster, first pairs of levels, then levels with columns.
    pairs : (p,) int array
        Place ``i * levels + j`` of each pair of levels that some cluster has.
    levels, columns : int
        Number of dummies and of columns.
    """

    sums: Any
    pairs: Integers
    levels: int
    columns: int

    def lower(self, draws: Draws, sums: Floats) -> None:
        """Subtract what the component's levels explain."""
        weights = draws.dense
        first, second = lower_pairs(self.columns)
        matrix = np.zeros(self.levels * self.levels)
        step = max(1, min(DRAWS_AT_ONCE, SUMS_AT_ONCE // self.sums.shape[0]))
        for start in range(0, weights.shape[1], step):
            entries = np.ascontiguousarray((self.sums @ weights[:, start : start + step]).T)
            for number, entry in enumerate(entries):
                matrix[self.pairs] = entry[: len(self.pairs)]
                right = entry[len(self.pairs) :].reshape(self.levels, self.columns)
                product = swept_product(matrix.reshape(self.levels, self.levels), right)
                sums[:, start + number] -= product[first, second]

    def bytes_per_draw(self) -> int:
        """Weights of one draw; the matrices are held for a few draws only."""
        return 8 * int(self.sums.shape[1])


def large_part(part: DummyRows, columns: Floats, clusters: int, remove: Remove, most_entries: int) -> LargePart | None:
    """Build a `LargePart`, unless it would hold more than a number of entries.

    Parameters
    ----------
    part : DummyRows
        Rows of the component, sorted by cluster.
    columns : (k, N) float array
        Residualised columns of the sorted sample, as rows.
    clusters : int
        Number of clusters of the sample.
    remove : callable
        Sweeps the effects that are removed once out of columns at given rows.
    most_entries : int
        Entries above which None is returned.
    """
    from scipy.sparse import coo_matrix

    count, width = part.count, len(columns)
    entries: list[Entries] = []
    held = 0
    for piece in chunks(part, int(local_levels(part)[1].shape[1]) + width):
        found = _sparse_entries(piece, columns, remove)
        entries.extend(found)
        held += sum(len(values) for _, _, values in found)
        if held > most_entries:
            return None
    keys, places, values = (np.concatenate([entry[number] for entry in entries]) for number in range(3))
    pairs = np.unique(keys[keys < count * count])
    row = np.where(keys < count * count, np.searchsorted(pairs, keys), len(pairs) + keys - count * count)
    shape = (len(pairs) + count * width, clusters)
    return LargePart(coo_matrix((values, (row, places)), shape=shape).tocsr(), pairs, count, width)


def _sparse_entries(piece: DummyRows, columns: Floats, remove: Remove) -> list[Entries]:
    """Keys, clusters and values of the products of a piece: ``i * levels + j``, or beyond these levels with columns."""
    count, width = piece.count, len(columns)
    local, table = local_levels(piece)
    own = table.shape[1]
    starts = piece.cluster_starts()
    owners = piece.clusters[starts]
    dummies = removed_dummies(local, own, piece.rows, remove)
    sums = iter(cluster_sums(np.vstack([dummies, columns[:, piece.rows]]), own, starts))
    entries: list[Entries] = []
    for column in range(own):
        level = table[:, column]
        for other in table[:, column:].T:
            value = next(sums)
            known = (level >= 0) & (other >= 0) & (value != 0.0)
            key = np.minimum(level, other) * count + np.maximum(level, other)
            entries.append((key[known].astype(np.int32), owners[known].astype(np.int32), value[known]))
        known = level >= 0
        for term in range(width):
            key = count * count + level[known] * width + term
            entries.append((key.astype(np.int32), owners[known].astype(np.int32), next(sums)[known]))
    return entries
