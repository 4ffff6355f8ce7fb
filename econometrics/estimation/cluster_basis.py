"""Orthonormal columns that span regressors and the effects that cross clusters, for CR2 and the wild bootstrap.

Effects nested in the cluster act inside each cluster and are swept out once. Effects that cross clusters (years, say)
tie clusters together, so their dummies join the regressors here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from econometrics.estimation.absorb import Absorber
from econometrics.estimation.design import Design
from econometrics.estimation.effects import Effects, Floats, nested_effects
from shuzhi import EstimationError, SpecError

MOST_LEVELS = 3000
MOST_CELLS = 150_000_000


@dataclass(frozen=True)
class ClusterBasis:
    """Orthonormal columns of a model, rows in the order of their clusters.

    Parameters
    ----------
    columns : (n, p) float array
        First the k directions of the regressors, then those of the effects that cross clusters; nested effects swept
        out, rows multiplied by the root of their weight.
    loadings : (k, k) float array
        Column j turns the first k columns into the vector whose product with the outcome is coefficient j.
    residuals : (n,) float array
        Of the model, rows multiplied by the root of their weight.
    bounds : (clusters + 1,) int array
        Where each cluster begins and ends.
    """

    columns: Floats
    loadings: Floats
    residuals: Floats
    bounds: np.ndarray

    @property
    def influence(self) -> Floats:
        """(n, k) array whose columns, times the outcome, are the coefficients."""
        result: Floats = self.columns[:, : len(self.loadings)] @ self.loadings
        return result

    def cluster_products(self, left: Floats, right: Floats) -> Floats:
        """Products left_g' right_g for each cluster, (clusters, a, b).

        Parameters
        ----------
        left : (n, a) float array
            Rows in the order of the clusters.
        right : (n, b) float array
            Rows in the same order.
        """
        pieces = [
            left[start:end].T @ right[start:end] for start, end in zip(self.bounds[:-1], self.bounds[1:], strict=True)
        ]
        return np.stack(pieces)


def cluster_basis(design: Design, x: Floats, residuals: Floats) -> ClusterBasis:
    """Build the basis for one-way clusters.

    Parameters
    ----------
    design : Design
        The model's effects, weights and its one cluster variable.
    x : (n, k) float array
        Swept regressors that stay in the model, weighted by the root of the weights.
    residuals : (n,) float array
        Weighted the same way.

    Raises
    ------
    SpecError
        Not exactly one cluster variable.
    EstimationError
        Effects that cross clusters have too many levels to hold.
    """
    if len(design.clusters.names) != 1:
        raise SpecError(
            "CR2 errors and the wild cluster bootstrap need exactly one cluster variable, "
            f"not {len(design.clusters.names)}; name one in cluster"
        )
    norm = np.sqrt((x**2).sum(axis=0))
    base, triangle = np.linalg.qr(x / norm)
    inverse = np.linalg.inv(triangle).T
    columns = np.column_stack([base, _crossing_columns(design)])
    order = np.argsort(design.clusters.codes[0], kind="stable")
    counts = np.bincount(design.clusters.codes[0])
    bounds = np.concatenate([[0], np.cumsum(counts)])
    return ClusterBasis(columns[order], inverse / norm, residuals[order], bounds)


def _crossing_columns(design: Design) -> Floats:
    """Orthonormal dummies of the effects that are not nested in the cluster, within those that are."""
    from scipy.linalg import solve_triangular
    from scipy.linalg.lapack import dpstrf

    effects = design.effects
    rows = len(design.raw)
    nested = nested_effects(effects, design.clusters.codes)
    names = [name for name, inside in zip(effects.names, nested, strict=True) if not inside]
    total = sum(levels for levels, inside in zip(effects.levels, nested, strict=True) if not inside)
    if total > MOST_LEVELS or total * rows > MOST_CELLS:
        raise EstimationError(
            f"the effects {' + '.join(names)} cross the clusters and have {total:,} levels over {rows:,} rows, more "
            "than CR2 errors and the wild bootstrap can hold; cluster so that they are nested, or use coarser effects"
        )
    if not total:
        return np.empty((rows, 0))
    dummies = np.zeros((rows, total))
    start = 0
    for codes, levels, inside in zip(effects.codes, effects.levels, nested, strict=True):
        if not inside:
            dummies[np.arange(rows), start + codes] = 1
            start += levels
    keep = [number for number, inside in enumerate(nested) if inside]
    within = Effects(
        tuple(effects.names[i] for i in keep),
        tuple(effects.codes[i] for i in keep),
        tuple(effects.levels[i] for i in keep),
    )
    swept = design.weighted(Absorber(within, design.weights).demean(dummies))
    norm = np.sqrt((swept**2).sum(axis=0))
    swept = swept[:, norm > 1e-8] / norm[norm > 1e-8]
    triangle, pivots, rank, _ = dpstrf(swept.T @ swept, tol=1e-10, lower=0)
    independent = swept[:, np.asarray(pivots[:rank]) - 1]
    result: Floats = solve_triangular(triangle[:rank, :rank], independent.T, trans="T", lower=False).T
    return result
