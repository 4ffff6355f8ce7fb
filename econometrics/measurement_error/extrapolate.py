"""The curves along which SIMEX goes back from more error to none."""

from __future__ import annotations

from typing import Literal

import numpy as np

from econometrics.estimation.effects import Floats

Extrapolant = Literal["linear", "quadratic", "nonlinear"]
# Poles of the rational curve that are tried, as distances beyond no error; the best one is then refined.
NEAREST_POLE, FARTHEST_POLE, POLES = 1e-3, 1e4, 141
REFINEMENTS = 6


def extrapolate(steps: Floats, paths: Floats, extrapolant: Extrapolant, beyond: float | None = None) -> Floats:
    """Follow paths of estimates back to minus one variance of the error: (paths,).

    Parameters
    ----------
    steps : (m,) float array
        Error added, in variances of the error; 0 is the data as they are.
    paths : (paths, m) float array
        Estimates at these amounts.
    extrapolant : {"linear", "quadratic", "nonlinear"}
        A polynomial, or ``a + b / (c + error)`` with ``c > 1``, by least squares.
    beyond : float, optional
        Where c - 1 lies for a linear model: true over false variation. The curve is sought within a factor of two of
        it; a flat path says little of its own pole, and one that is taken too near sends the curve anywhere.
    """
    if extrapolant != "nonlinear":
        degree = 1 if extrapolant == "linear" else 2
        return _by_columns(np.vander(steps, degree + 1), np.vander([-1.0], degree + 1)[0], paths)[0]
    return _best_rational(steps, paths, beyond)[0]


def extrapolation_slopes(steps: Floats, path: Floats, extrapolant: Extrapolant, beyond: float | None = None) -> Floats:
    """Return how much the extrapolated value moves with each estimate of the path: (m,), by central differences.

    Parameters
    ----------
    steps : (m,) float array
        Error added.
    path : (m,) float array
        Estimates.
    extrapolant : {"linear", "quadratic", "nonlinear"}
        Curve.
    beyond : float, optional
        As for `extrapolate`.
    """
    size = 1e-3 * max(float(np.ptp(path)), 1e-12)
    moved = path + size * np.concatenate([np.eye(len(path)), -np.eye(len(path))])
    values = extrapolate(steps, moved, extrapolant, beyond)
    return np.asarray((values[: len(path)] - values[len(path) :]) / (2 * size), dtype=np.float64)


def extrapolate_variance(
    steps: Floats, path: Floats, variances: Floats, extrapolant: Extrapolant, beyond: float | None = None
) -> float:
    """Follow the variance of an estimate back to no error; NaN where it comes out negative.

    With ``estimate = k / (c + error)`` the variance is a polynomial in ``1 / (c + error)`` with powers two to four (the
    delta method for a ratio), whose coefficients are fitted given the c of the estimates. For the polynomials the
    variance follows a polynomial of the same degree (Stefanski and Cook 1995).

    Parameters
    ----------
    steps : (m,) float array
        Error added.
    path, variances : (m,) float array
        Estimates and their variances at these amounts.
    extrapolant : {"linear", "quadratic", "nonlinear"}
        Curve of the estimates.
    beyond : float, optional
        As for `extrapolate`.
    """
    if extrapolant != "nonlinear":
        value = float(extrapolate(steps, variances[None, :], extrapolant)[0])
    else:
        pole = float(_best_rational(steps, path[None, :], beyond)[1][0])
        near = 1.0 / (1.0 + pole + steps)
        powers = np.arange(2, min(5, len(steps) + 1))
        # Each row counts by its own size, for the variances differ by orders of magnitude.
        columns = near[:, None] ** powers / np.abs(variances)[:, None]
        coefficients = np.linalg.lstsq(columns, np.sign(variances), rcond=None)[0]
        value = float((1.0 / pole) ** powers @ coefficients)
    return value if value > 0 else float("nan")


def _best_rational(steps: Floats, paths: Floats, beyond: float | None = None) -> tuple[Floats, Floats]:
    """Extrapolated values and c - 1 of the best curves ``a + b / (c + error)``.

    For a given c the curve is linear in a and b: a search over one number, for all paths at once.
    """
    nearest, farthest = (NEAREST_POLE, FARTHEST_POLE) if beyond is None else (beyond / 2, beyond * 2)
    poles = np.tile(np.geomspace(nearest, farthest, POLES), (len(paths), 1))
    rows = np.arange(len(paths))
    for _ in range(REFINEMENTS):
        fits, losses = _rational(steps, paths, poles)
        best = losses.argmin(axis=1)
        found, pole = fits[rows, best], poles[rows, best]
        low = poles[rows, np.maximum(best - 1, 0)]
        high = poles[rows, np.minimum(best + 1, poles.shape[1] - 1)]
        poles = np.geomspace(low, high, 25, axis=1)
    return found, pole


def _by_columns(columns: Floats, at: Floats, paths: Floats) -> tuple[Floats, Floats]:
    coefficients = np.linalg.lstsq(columns, paths.T, rcond=None)[0]
    return np.asarray(at @ coefficients), np.asarray(((paths.T - columns @ coefficients) ** 2).sum(axis=0))


def _rational(steps: Floats, paths: Floats, poles: Floats) -> tuple[Floats, Floats]:
    """Extrapolated value and squared residuals for each path and pole, by simple regression on 1 / (c + error)."""
    x = 1.0 / (1.0 + poles[:, :, None] + steps)
    mean_x, mean_y = x.mean(axis=2), paths.mean(axis=1)[:, None]
    centred, outcome = x - mean_x[:, :, None], (paths - mean_y)[:, None, :]
    slope = (centred * outcome).sum(axis=2) / (centred**2).sum(axis=2)
    losses = ((outcome - slope[:, :, None] * centred) ** 2).sum(axis=2)
    return mean_y + slope * (1.0 / poles - mean_x), losses
