"""Coefficients by linearmodels' estimator, and the inverse cross product that standard errors need."""

from __future__ import annotations

import numpy as np

from econometrics.estimation.effects import Floats


def least_squares(x: Floats, y: Floats, z: Floats | None = None) -> Floats:
    """Estimate coefficients with linearmodels' two-stage least squares, which is least squares where ``z`` is ``x``.

    Columns are made orthonormal first, so that neither units nor levels far from zero cost digits.

    Parameters
    ----------
    x : (n, k) float array
        Regressors, of full column rank.
    y : (n, m) float array
        Outcomes.
    z : (n, l) float array, optional
        Instruments, l >= k.
    """
    from linearmodels.iv import IV2SLS

    norm = np.sqrt((x**2).sum(axis=0))
    base, triangle = np.linalg.qr(x / norm)
    instruments = base if z is None else np.linalg.qr(z / np.sqrt((z**2).sum(axis=0)))[0]
    coefficients = np.asarray(IV2SLS.estimate_parameters(base, y, instruments, 1.0), dtype=np.float64)
    if z is None:
        coefficients += base.T @ (y - base @ coefficients)
    result: Floats = np.linalg.solve(triangle, coefficients) / norm[:, None]
    return result


def inverse_gram(x: Floats) -> Floats:
    """Invert x'x, by the triangle of its orthonormal form, which keeps twice the digits.

    Parameters
    ----------
    x : (n, k) float array
        Columns of full rank.
    """
    norm = np.sqrt((x**2).sum(axis=0))
    root = np.linalg.inv(np.linalg.qr(x / norm, mode="r"))
    inverse = root @ root.T
    result: Floats = (inverse + inverse.T) / 2 / norm[:, None] / norm
    return result
