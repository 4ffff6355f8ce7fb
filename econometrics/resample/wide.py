"""What effects too large for blocks per cluster take away from a Gram matrix: by a diagonal, or draw by draw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from econometrics.estimation.absorb import demean
from econometrics.estimation.effects import Effects, keep_rows
from econometrics.resample.algebra import lower_pairs, swept_product
from econometrics.resample.parts import DRAWS_AT_ONCE, Draws

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# Numbers that the tables of a batch of draws may hold.
TABLE_ENTRIES = 2**24
# What is left of a dummy that the large effect explains, as a share of its rows, is a rounding error.
EXPLAINED = 1e-11


@dataclass(frozen=True)
class DiagonalPart:
    """One effect with many levels, none removed once, beside effects with few: its dummies are a diagonal matrix.

    Parameters
    ----------
    mass : sparse (levels, clusters) matrix
        Rows of each level in each cluster.
    cross : sparse (levels * width, clusters) matrix
        Sums of the other dummies and of the columns in each level.
    others : sparse (pairs, clusters) matrix
        Products of the other dummies and the columns with each other, in the order of `lower_pairs`.
    levels, dummies, columns : int
        Number of levels of the effect, of other dummies, and of columns.
    """

    mass: Any
    cross: Any
    others: Any
    levels: int
    dummies: int
    columns: int

    def lower(self, draws: Draws, sums: Floats) -> None:
        """Subtract what the effect and the other dummies explain."""
        weights, width = draws.dense, self.dummies + self.columns
        first, second = lower_pairs(self.columns)
        step = max(1, min(DRAWS_AT_ONCE, TABLE_ENTRIES // (self.levels * width)))
        for start in range(0, weights.shape[1], step):
            batch = np.ascontiguousarray(weights[:, start : start + step])
            mass = self.mass @ batch
            inverse = np.divide(1.0, mass, out=np.zeros_like(mass), where=mass > 0)
            cross = (self.cross @ batch).reshape(self.levels, width, -1)
            others = self.others @ batch
            for number in range(batch.shape[1]):
                product = self._explained(cross[:, :, number], inverse[:, number], others[:, number])
                sums[:, start + number] -= product[first, second]

    def _explained(self, cross: Floats, inverse: Floats, others: Floats) -> Floats:
        """Products of the columns that the large effect explains, and the other dummies after it."""
        table = np.ascontiguousarray(cross)
        through = table.T @ (table * inverse[:, None])
        dummies = self.dummies
        if not dummies:
            return np.asarray(through, dtype=np.float64)
        left = np.zeros_like(through)
        left[lower_pairs(len(through))] = others
        left -= np.triu(through)
        diagonal = np.diagonal(left)
        np.fill_diagonal(left, np.where(diagonal > EXPLAINED * np.diagonal(through), diagonal, 0.0))
        return np.asarray(
            through[dummies:, dummies:] + swept_product(left[:dummies, :dummies], left[:dummies, dummies:]),
            dtype=np.float64,
        )

    def bytes_per_draw(self) -> int:
        """Weights of one draw; the tables are held for a few draws only."""
        return 8 * int(self.mass.shape[1])


def diagonal_part(
    codes: Integers, levels: int, others: Integers, dummies: int, columns: Floats, clusters: Integers, count: int
) -> DiagonalPart:
    """Build a `DiagonalPart`.

    Parameters
    ----------
    codes : (n,) int array
        Level of the large effect, 0 to levels - 1.
    levels : int
        Number of its levels.
    others : (e, n) int array
        Levels of the other effects, 0 to dummies - 1 over all of them.
    dummies : int
        Number of other dummies.
    columns : (k, n) float array
        Columns as rows, not residualised.
    clusters : (n,) int array
        Cluster of each row.
    count : int
        Number of clusters.
    """
    from scipy.sparse import coo_matrix, csr_matrix

    terms, rows = columns.shape
    width = dummies + terms
    # Where the entries of a row stand (one dummy of each other effect, then the columns), and what they are.
    places = np.vstack([others, np.repeat(np.arange(dummies, width)[:, None], rows, axis=1)])
    values = np.vstack([np.ones(others.shape), columns])
    mass = coo_matrix((np.ones(rows), (codes, clusters)), shape=(levels, count)).tocsr()
    cross = csr_matrix((levels * width, count))
    pairs = csr_matrix((width * (width + 1) // 2, count))
    for number, (place, value) in enumerate(zip(places, values, strict=True)):
        cross = cross + coo_matrix((value, (codes * width + place, clusters)), shape=cross.shape).tocsr()
        for other_place, other_value in zip(places[number:], values[number:], strict=True):
            low, high = np.minimum(place, other_place), np.maximum(place, other_place)
            packed = low * width - low * (low - 1) // 2 + high - low
            pairs = pairs + coo_matrix((value * other_value, (packed, clusters)), shape=pairs.shape).tocsr()
    return DiagonalPart(mass, cross, pairs, levels, dummies, terms)


@dataclass(frozen=True)
class IterativePart:
    """Effects too large for any matrix of their dummies: every draw is demeaned with its weights.

    Parameters
    ----------
    effects : Effects
        All effects of the sorted sample.
    columns : (k, n) float array
        Residualised (or plain) columns of the sorted sample, as rows.
    clusters : (n,) int array
        Cluster of each row.
    """

    effects: Effects
    columns: Floats
    clusters: Integers

    def lower(self, draws: Draws, sums: Floats) -> None:
        """Replace the sums by those of the demeaned columns."""
        first, second = lower_pairs(len(self.columns))
        weights = draws.dense
        for number in range(weights.shape[1]):
            weight = weights[self.clusters, number]
            rows = weight > 0
            left = demean(keep_rows(self.effects, rows), self.columns[:, rows].T, weight[rows], tolerance=1e-12)
            sums[:, number] = (left.T @ (left * weight[rows, None]))[first, second]

    def bytes_per_draw(self) -> int:
        """Weights of one draw; rows are held for one draw only."""
        return 8 * int(self.clusters.max(initial=0) + 1)
