"""Bias-reduced clustered covariance (CR2) with Satterthwaite degrees of freedom, fixed effects absorbed."""

from __future__ import annotations

import numpy as np

from econometrics.estimation.cluster_basis import ClusterBasis
from econometrics.estimation.effects import Floats

# Share of a direction's variance below which it is taken as wholly explained inside its cluster (pseudo-inverse).
NULL_DIRECTION = 1e-10


def cr2_covariance(basis: ClusterBasis) -> tuple[Floats, Floats]:
    """Return the CR2 covariance and the degrees of freedom of each coefficient.

    The adjustment of each cluster is the symmetric root of the pseudo-inverse of its block of I - H, where H is the
    projection on regressors **and all** absorbed effects; the working model has independent errors whose variance is
    the inverse of the weight.

    Parameters
    ----------
    basis : ClusterBasis
        Of the model, one cluster variable.

    Returns
    -------
    covariance : (k, k) float array
        No further small-sample factor applies.
    degrees_of_freedom : (k,) float array
        Of the t distribution, one a coefficient.

    References
    ----------
    Bell and McCaffrey (2002); Pustejovsky and Tipton (2018), JBES 36, and the correction to its Theorem 2: effects that
    cross clusters must be in H.
    """
    influence = basis.influence
    clusters, terms = len(basis.bounds) - 1, influence.shape[1]
    scores = np.empty((clusters, terms))
    lengths = np.empty((clusters, terms))
    loads = np.empty((clusters, basis.columns.shape[1], terms))
    for number in range(clusters):
        rows = slice(basis.bounds[number], basis.bounds[number + 1])
        block = basis.columns[rows]
        directions, singular, _ = np.linalg.svd(block, full_matrices=False)
        left = 1 - np.minimum(singular, 1.0) ** 2
        stretch = np.where(left > NULL_DIRECTION, 1 / np.sqrt(np.maximum(left, NULL_DIRECTION)), 0.0) - 1
        adjusted = influence[rows] + directions @ (stretch[:, None] * (directions.T @ influence[rows]))
        scores[number] = adjusted.T @ basis.residuals[rows]
        lengths[number] = (adjusted**2).sum(axis=0)
        loads[number] = block.T @ adjusted
    return scores.T @ scores, _degrees_of_freedom(lengths, loads)


def _degrees_of_freedom(lengths: Floats, loads: Floats) -> Floats:
    """Trace squared over squared Frobenius norm of the quadratic form's matrix diag(lengths) - loads loads'."""
    through = np.einsum("gpk,gpk->gk", loads, loads)
    trace = (lengths - through).sum(axis=0)
    square = (lengths**2).sum(axis=0) - 2 * (lengths * through).sum(axis=0)
    for term in range(lengths.shape[1]):
        gram = loads[:, :, term].T @ loads[:, :, term]
        square[term] += (gram**2).sum()
    result: Floats = trace**2 / square
    return result
