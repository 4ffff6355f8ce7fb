"""Sweeping fixed effects out of columns, any number of effects at once; the codes themselves are in ``effects``."""

from __future__ import annotations

from typing import Any

import numpy as np

from econometrics.estimation.effects import (
    Effects,
    Floats,
)
from shuzhi import DataError, EstimationError

# Above so many levels (all effects but the largest) conjugate gradients are faster than a dense factor.
DENSE_LEVELS = 500
# Below so many cells the table of two effects is counted densely.
DENSE_CELLS = 1_000_000
PIVOT_TOLERANCE = 1e-10


def demean(effects: Effects, matrix: Floats, weights: Floats | None = None, tolerance: float = 1e-10) -> Floats:
    """Sweep the effects out of the columns: residuals of the (weighted) regression on all dummies.

    Parameters
    ----------
    effects : Effects
        Codes of n rows, any number of effects; with none the columns come back as they are.
    matrix : (n, k) float array
        Columns to demean.
    weights : (n,) float array, optional
        Analytic weights, none negative.
    tolerance : float
        Largest group mean that may be left in any level, in standard deviations of the column as given.

    Raises
    ------
    DataError
        Values are not finite or weights are negative.
    EstimationError
        The tolerance is not met.
    """
    return Absorber(effects, weights).demean(matrix, tolerance)


class Absorber:
    """The factored normal equations of a set of effects, to demean many columns or several matrices.

    The largest effect is eliminated; the levels of the others solve ``S a = b`` with its Schur complement ``S``, by a
    pivoted Cholesky factor where they are few and by conjugate gradients where they are many.

    Parameters
    ----------
    effects : Effects
        Codes of n rows.
    weights : (n,) float array, optional
        Analytic weights, none negative.

    Raises
    ------
    DataError
        Weights are negative or not finite.
    """

    def __init__(self, effects: Effects, weights: Floats | None = None) -> None:
        if weights is not None and not (np.isfinite(weights).all() and (weights >= 0).all()):
            raise DataError("weights must be finite and none negative")
        self.effects = effects
        self.weights = weights
        order = np.argsort([-levels for levels in effects.levels], kind="stable")
        self._codes = [effects.codes[number] for number in order]
        self._levels = [effects.levels[number] for number in order]
        self._mass = [
            np.bincount(codes, weights=weights, minlength=levels).astype(np.float64)
            for codes, levels in zip(self._codes, self._levels, strict=True)
        ]
        self._inverse_mass = [np.divide(1.0, mass, out=np.zeros_like(mass), where=mass > 0) for mass in self._mass]
        if len(self._codes) > 1:
            self._prepare()

    def demean(self, matrix: Floats, tolerance: float = 1e-10) -> Floats:
        """Return the (n, k) matrix with all effects swept out of its columns.

        Parameters
        ----------
        matrix : (n, k) float array
            Columns to demean.
        tolerance : float
            Largest group mean that may be left, in standard deviations of the column.

        Raises
        ------
        DataError
            Values are not finite.
        EstimationError
            The tolerance is not met.
        """
        values = np.asarray(matrix, dtype=np.float64)
        if not np.isfinite(values).all():
            raise DataError("the columns to demean hold missing or infinite values; drop these rows first")
        if not self._codes or not values.size:
            return values.copy()
        columns = np.ascontiguousarray(values.T)
        rounding = np.finfo(np.float64).eps * np.abs(columns).max(axis=1)
        allowed = tolerance * columns.std(axis=1)
        limit = allowed + 64 * rounding
        for _ in range(4):
            columns = self._sweep(columns, 0.01 * allowed + 8 * rounding)
            left = self._largest_mean(columns)
            if (left <= limit).all():
                return np.ascontiguousarray(columns.T)
        worst = int(np.argmax(left / np.maximum(limit, np.finfo(np.float64).tiny)))
        raise EstimationError(
            f"the effects {' + '.join(self.effects.names)} cannot be swept out of column {worst + 1} of "
            f"{len(columns)}: a group mean of {left[worst]:.3g} is left where {limit[worst]:.3g} is allowed; "
            "scale the column or loosen the tolerance"
        )

    def _sums(self, number: int, columns: Floats) -> Floats:
        """Weighted sums of the columns (k, n) in the levels of an effect: (k, levels)."""
        codes, levels = self._codes[number], self._levels[number]
        weights = self.weights
        return np.stack(
            [np.bincount(codes, weights=x if weights is None else x * weights, minlength=levels) for x in columns]
        )

    def _sweep(self, columns: Floats, goal: Floats) -> Floats:
        first = self._sums(0, columns) * self._inverse_mass[0]
        swept: Floats = columns - np.take(first, self._codes[0], axis=1)
        if len(self._codes) == 1:
            return swept
        sums = np.concatenate([self._sums(number, swept) for number in range(1, len(self._codes))], axis=1)
        levels = self._solve(sums.T, goal)
        start = 0
        for number in range(1, len(self._codes)):
            part = np.ascontiguousarray(levels[start : start + self._levels[number]].T)
            swept -= np.take(part, self._codes[number], axis=1)
            start += self._levels[number]
        first = np.ascontiguousarray((self._cross @ levels).T) * self._inverse_mass[0]
        swept += np.take(first, self._codes[0], axis=1)
        return swept

    def _largest_mean(self, columns: Floats) -> Floats:
        means = [
            np.abs(self._sums(number, columns) * self._inverse_mass[number]).max(axis=1)
            for number in range(len(self._codes))
        ]
        return np.asarray(np.max(means, axis=0), dtype=np.float64)

    def _prepare(self) -> None:
        """Table of the first effect against the others, and the Schur complement's factor."""
        from scipy.sparse import coo_matrix, csr_matrix, diags

        offsets = np.concatenate([[0], np.cumsum(self._levels[1:])])
        total, rows, others = int(offsets[-1]), len(self._codes[0]), len(self._codes) - 1
        weights = np.ones(rows) if self.weights is None else self.weights
        shifted = [codes + start for codes, start in zip(self._codes[1:], offsets[:-1], strict=True)]
        mass = np.concatenate(self._mass[1:])
        self._scale = np.divide(1.0, np.sqrt(mass), out=np.zeros_like(mass), where=mass > 0)
        if others == 1 and self._levels[0] * total <= DENSE_CELLS:
            cells = np.bincount(self._codes[0] * total + shifted[0], weights=weights, minlength=self._levels[0] * total)
            self._cross: Any = cells.reshape(self._levels[0], total)
            schur = np.diag(mass) - self._cross.T @ (self._cross * self._inverse_mass[0][:, None])
            self._factor(schur)
            return
        self._cross = coo_matrix(
            (np.tile(weights, others), (np.tile(self._codes[0], others), np.concatenate(shifted))),
            shape=(self._levels[0], total),
        ).tocsr()
        self._among: Any = diags(mass, format="csr")
        if others > 1:
            pointer = np.arange(0, rows * others + 1, others)
            dummies = csr_matrix((np.ones(rows * others), np.stack(shifted, axis=1).ravel(), pointer), (rows, total))
            self._among = (dummies.T @ diags(weights, format="csr") @ dummies).tocsr()
        self._cross_transposed = self._cross.T.tocsr()
        if total <= DENSE_LEVELS:
            among = self._among - self._cross_transposed @ (diags(self._inverse_mass[0], format="csr") @ self._cross)
            self._factor(among.toarray())
        else:
            self._triangle: Floats | None = None

    def _factor(self, schur: Floats) -> None:
        """Pivoted Cholesky: the Schur complement is singular once for each set of levels that add up to others."""
        from scipy.linalg.lapack import dpstrf

        scaled = schur * self._scale[:, None] * self._scale
        factor, pivots, rank, _ = dpstrf(scaled, tol=PIVOT_TOLERANCE, lower=0)
        self._pivots = np.asarray(pivots[:rank], dtype=np.int64) - 1
        self._triangle = np.asarray(factor[:rank, :rank], dtype=np.float64)

    def _solve(self, sums: Floats, goal: Floats) -> Floats:
        """Levels of all effects but the first from the sums (levels, k) of the swept columns.

        ``goal`` is the largest group mean that iterations may leave in each of the k columns.
        """
        scaled: Floats = sums * self._scale[:, None]
        if self._triangle is None:
            scaled_solution = self._conjugate_gradients(scaled, goal)
            scaled_solution *= self._scale[:, None]
            return scaled_solution
        from scipy.linalg import solve_triangular

        solution: Floats = np.zeros_like(scaled)
        if len(self._pivots):
            half = solve_triangular(self._triangle, scaled[self._pivots], trans="T", check_finite=False)
            solution[self._pivots] = solve_triangular(self._triangle, half, check_finite=False)
        solution *= self._scale[:, None]
        return solution

    def _schur_product(self, levels: Floats) -> Floats:
        unscaled = levels * self._scale[:, None]
        through = self._cross_transposed @ ((self._cross @ unscaled) * self._inverse_mass[0][:, None])
        return np.asarray((self._among @ unscaled - through) * self._scale[:, None], dtype=np.float64)

    def _conjugate_gradients(self, target: Floats, goal: Floats, iterations: int = 5000) -> Floats:
        """Solve for all columns at once, until the group means that are left, not their change, meet the goal.

        The system is singular but consistent up to rounding; iterating past the goal would follow the rounding out of
        its range.
        """
        solution: Floats = np.zeros_like(target)
        residual = target.copy()
        direction = residual.copy()
        squared = np.einsum("ij,ij->j", residual, residual)
        for _ in range(iterations):
            going = np.abs(residual * self._scale[:, None]).max(axis=0) > goal
            if not going.any():
                break
            product = self._schur_product(direction)
            curvature = np.einsum("ij,ij->j", direction, product)
            going &= curvature > 0
            step = np.divide(squared, curvature, out=np.zeros_like(squared), where=going)
            solution += step * direction
            residual -= step * product
            renewed = np.einsum("ij,ij->j", residual, residual)
            direction = residual + np.divide(renewed, squared, out=np.zeros_like(squared), where=going) * direction
            squared = renewed
        return solution
