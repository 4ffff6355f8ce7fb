"""Coefficients by linearmodels' estimator, and the inverse cross product that standard errors need."""

from __future__ import annotations

import numpy as np

from econometrics.effects import Floats


def least_squares(x: Floats, y: Floats, z: Floats | None = None) -> Floats:
    """Estimate coefficients with linearmodels' two-stage least squares, which is least squares where ``z`` is ``x``.

    Columns are scaled to unit length first, so that units do not cost digits, and one step of refinement follows.

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
    scaled = x / norm
    instruments = scaled if z is None else z / np.sqrt((z**2).sum(axis=0))
    coefficients = np.asarray(IV2SLS.estimate_parameters(scaled, y, instruments, 1.0), dtype=np.float64)
    if z is None:
        rest = y - scaled @ coefficients
        coefficients += np.linalg.solve(scaled.T @ scaled, scaled.T @ rest)
    result: Floats = coefficients / norm[:, None]
    return result


def inverse_gram(x: Floats) -> Floats:
    """Invert x'x, with columns scaled to unit length in between.

    Parameters
    ----------
    x : (n, k) float array
        Columns of full rank.
    """
    norm = np.sqrt((x**2).sum(axis=0))
    scaled = x / norm
    inverse = np.linalg.inv(scaled.T @ scaled)
    result: Floats = (inverse + inverse.T) / 2 / norm[:, None] / norm
    return result
