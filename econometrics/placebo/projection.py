"""Coefficients of many candidate treatments at once: each cleared of effects and controls (Frisch-Waugh-Lovell)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np

from econometrics.estimation.absorb import Absorber
from econometrics.estimation.covariance import cluster_sums
from econometrics.estimation.effects import Effects, Floats, Integers, compact

# Above so many levels of the smaller effect the treatments themselves are demeaned.
MOST_LEVELS = 600
# Share of a treatment's variation below which the effects and controls leave nothing of it.
NOTHING_LEFT = 1e-9


class TreatmentProjection:
    """A model in which only the treatment changes from draw to draw.

    With at most two effects the squares of a cleared treatment follow from its sums by level, so that no column is
    demeaned; the rest of the model is swept once.

    Parameters
    ----------
    outcome : (n,) float array
        Column explained.
    controls : (n, k) float array
        Other columns on the right, as given.
    effects : Effects
        Effects to absorb; none for a constant.
    weights : (n,) float array, optional
        Analytic weights.
    absorber : Absorber, optional
        Of the same effects and weights, where it is there already.
    """

    def __init__(
        self,
        outcome: Floats,
        controls: Floats,
        effects: Effects,
        weights: Floats | None = None,
        absorber: Absorber | None = None,
    ) -> None:
        rows = len(outcome)
        if not effects.names:
            effects = Effects(("constant",), (np.zeros(rows, dtype=np.int64),), (1,))
            absorber = None
        self.effects = effects
        self.weights = weights
        self.absorber = absorber or Absorber(effects, weights)
        swept = self.absorber.demean(np.column_stack([outcome, controls]))
        root = np.ones((rows, 1)) if weights is None else np.sqrt(weights)[:, None]
        self._root = root
        right = swept[:, 1:] * root
        norm = np.sqrt((right**2).sum(axis=0))
        raw = np.sqrt((np.atleast_2d(controls.T) ** 2).sum(axis=1)) if controls.size else np.empty(0)
        right = right[:, norm > 1e-8 * raw]
        # The left singular vectors that carry something; collinear controls add none.
        vectors, values, _ = np.linalg.svd(right, full_matrices=False) if right.size else (right, np.empty(0), None)
        self._basis = vectors[:, values > 1e-10 * values.max(initial=0.0)] if right.size else right
        left = swept[:, 0] * root[:, 0]
        self.outcome: Floats = left - self._basis @ (self._basis.T @ left)
        self._fast = len(effects.levels) <= 2 and min(effects.levels) <= MOST_LEVELS
        if self._fast:
            self._prepare()

    @property
    def controls_kept(self) -> int:
        """Number of controls that are independent of the effects and of each other."""
        return int(self._basis.shape[1])

    def _prepare(self) -> None:
        from scipy.sparse import csr_matrix

        order = np.argsort([-levels for levels in self.effects.levels], kind="stable")
        codes = [self.effects.codes[number] for number in order]
        levels = [self.effects.levels[number] for number in order]
        rows = len(codes[0])
        mass = np.ones(rows) if self.weights is None else self.weights
        self._sums: list[Any] = [
            csr_matrix((mass, (code, np.arange(rows))), (level, rows))
            for code, level in zip(codes, levels, strict=True)
        ]
        self._inverse = 1.0 / np.bincount(codes[0], weights=mass, minlength=levels[0])
        if len(codes) == 2:
            cells = csr_matrix((mass, (codes[0], codes[1])), (levels[0], levels[1]))
            self._cross: Any = cells
            schur = np.diag(np.bincount(codes[1], weights=mass, minlength=levels[1])) - np.asarray(
                (cells.T @ cells.multiply(self._inverse[:, None]).tocsr()).todense()
            )
            self._solve = np.linalg.pinv(schur, rcond=1e-12, hermitian=True)

    def _squares(self, treatments: Floats) -> Floats:
        """Squares of treatments cleared of the effects and controls, without demeaning them."""
        mass = self._root[:, 0] ** 2
        first = self._sums[0] @ treatments
        explained = np.einsum("lb,lb,l->b", first, first, self._inverse)
        if len(self._sums) == 2:
            rest = self._sums[1] @ treatments - self._cross.T @ (first * self._inverse[:, None])
            explained += np.einsum("lb,lb->b", rest, self._solve @ rest)
        along = self._basis.T @ (treatments * self._root)
        return np.asarray(mass @ treatments**2 - explained - (along**2).sum(axis=0), dtype=np.float64)

    def estimates(self, treatments: Floats) -> Floats:
        """Coefficients of the treatments, one at a time: (draws,); NaN where nothing is left of one.

        Parameters
        ----------
        treatments : (n, draws) float array
            Candidate treatments; not missing.
        """
        if not self._fast:
            return self.tests(treatments, ())[0]
        centred = treatments - treatments.mean(axis=0)
        squares = self._squares(centred)
        whole = (self._root[:, 0] ** 2) @ centred**2
        products = centred.T @ (self.outcome * self._root[:, 0])
        found: Floats = np.full(len(squares), np.nan)
        np.divide(products, squares, out=found, where=squares > NOTHING_LEFT * whole)
        return found

    def cleared(self, treatments: Floats, swept: Floats | None = None) -> Floats:
        """Treatments cleared of effects and controls, times the root of the weights: (n, draws).

        Parameters
        ----------
        treatments : (n, draws) float array
            Candidate treatments; not missing.
        swept : (n, draws) float array, optional
            The same with the effects swept out, where that is done already.
        """
        left = (self.absorber.demean(treatments) if swept is None else swept) * self._root
        return np.asarray(left - self._basis @ (self._basis.T @ left), dtype=np.float64)

    def tests(
        self, treatments: Floats, clusters: Sequence[Integers], factor: float = 1.0, *, swept: Floats | None = None
    ) -> tuple[Floats, Floats]:
        """Coefficients and their t statistics: two arrays (draws,).

        Parameters
        ----------
        treatments : (n, draws) float array
            Candidate treatments; not missing.
        clusters : sequence of (n,) int arrays
            Cluster variables; none for heteroskedasticity-robust errors.
        factor : float
            Small-sample factor of the variance.
        swept : (n, draws) float array, optional
            The treatments with the effects swept out, where that is done already.
        """
        cleared = self.cleared(treatments, swept)
        squares = (cleared**2).sum(axis=0)
        whole = ((treatments - treatments.mean(axis=0)) ** 2 * self._root**2).sum(axis=0)
        nothing = np.full(len(squares), np.nan)
        usable = squares > NOTHING_LEFT * whole
        estimates = np.divide(cleared.T @ self.outcome, squares, out=nothing.copy(), where=usable)
        scores = cleared * (self.outcome[:, None] - cleared * estimates)
        meat = column_meat(scores, clusters)
        errors = np.sqrt(factor * np.where(meat > 0, meat, np.nan)) / np.where(usable, squares, np.nan)
        return estimates, np.divide(estimates, errors, out=nothing.copy(), where=usable & (errors > 0))


def column_meat(scores: Floats, clusters: Sequence[Integers]) -> Floats:
    """Sum of squared cluster sums of each column; over several cluster variables by inclusion and exclusion.

    Parameters
    ----------
    scores : (n, draws) float array
        Regressor times residual, one column a model.
    clusters : sequence of (n,) int arrays
        Cluster variables; none for single rows.
    """
    if not clusters:
        return np.asarray((scores**2).sum(axis=0), dtype=np.float64)
    found: Floats = np.zeros(scores.shape[1])
    for size in range(1, len(clusters) + 1):
        for chosen in combinations(clusters, size):
            joint = chosen[0]
            for code in chosen[1:]:
                joint = compact(joint * (int(code.max(initial=-1)) + 1) + code)
            found += (1 if size % 2 else -1) * (cluster_sums(scores, joint) ** 2).sum(axis=0)
    return found
