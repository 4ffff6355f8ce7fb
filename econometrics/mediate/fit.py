"""Point estimates of a mediation model and the joint covariance of its coefficients across equations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from econometrics.estimation.covariance import SmallSample, cluster_sums, small_sample_terms
from econometrics.estimation.design import Design
from econometrics.estimation.effects import Effects
from econometrics.estimation.least_squares import inverse_gram, least_squares
from econometrics.mediate.system import Equation, System

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class SystemFit:
    """A fitted system.

    Parameters
    ----------
    system : System
        What was estimated.
    coefficients : (q,) float array
        Coefficients of interest.
    covariance : (q, q) float array
        Joint covariance, also between equations.
    same_equation : (q, q) bool array
        True for pairs of coefficients of one equation.
    influence : (clusters, q) float array or None
        What each cluster adds to the coefficients, small-sample factors included; None for classical errors.
    degrees_of_freedom : float
        Of the t distribution, the smallest of the equations.
    """

    system: System
    coefficients: Floats
    covariance: Floats
    same_equation: NDArray[np.bool_]
    influence: Floats | None
    degrees_of_freedom: float

    @property
    def effects(self) -> Floats:
        """The effects at the estimates, (r,)."""
        return np.asarray(self.system.function(self.coefficients), dtype=np.float64)


@dataclass(frozen=True)
class _Solved:
    coefficients: Floats
    bread: Floats
    columns: Floats
    residuals: Floats
    factor: float
    degrees_of_freedom: float


def swept_columns(design: Design, count: int) -> Floats:
    """Return the first columns of a design after the effects, or about their means where there are none.

    Parameters
    ----------
    design : Design
        Swept columns.
    count : int
        Number of columns.
    """
    columns = design.swept[:, :count]
    return columns if design.effects.names else columns - columns.mean(axis=0)


def fit_system(system: System, design: Design, classical: bool, small_sample: SmallSample) -> SystemFit:
    """Estimate a system and stack the influence functions of its equations.

    The joint covariance is that of seemingly unrelated regressions: cluster sums of the stacked scores, each equation
    with its own small-sample factor. With classical errors, residuals have one covariance matrix between equations.

    Parameters
    ----------
    system : System
        Equations over the first columns of the design.
    design : Design
        Swept columns; without cluster variables every row is its own cluster.
    classical : bool
        Homoskedastic, uncorrelated errors.
    small_sample : {"reghdfe", "fixest", "linearmodels"}
        Convention of the factors.

    References
    ----------
    White (1996), Estimation, Inference and Specification Analysis, on stacked scores; Weesie (1999), STB 52 (suest).
    """
    width = 1 + max(
        column
        for equation in system.equations
        for column in (equation.outcome, *equation.regressors, *equation.instruments)
    )
    swept = swept_columns(design, width)
    clusters = Effects((), (), ()) if classical else design.clusters
    solved = [_solve(equation, swept, design, clusters, small_sample) for equation in system.equations]
    numbers = np.array([number for number, _ in system.coefficients])
    places = [system.equations[number].regressors.index(column) for number, column in system.coefficients]
    coefficients = np.array([solved[number].coefficients[place] for number, place in zip(numbers, places, strict=True)])
    # Row weights of each coefficient: its row of the bread times the regressors.
    lines = [
        solved[number].columns @ solved[number].bread[place] * np.sqrt(solved[number].factor)
        for number, place in zip(numbers, places, strict=True)
    ]
    same = numbers[:, None] == numbers[None, :]
    degrees = min(part.degrees_of_freedom for part in solved)
    if classical:
        residuals = np.stack([part.residuals for part in solved], axis=1)
        between = residuals.T @ residuals / len(residuals)
        stacked = np.stack(lines, axis=1)
        covariance = stacked.T @ stacked * between[np.ix_(numbers, numbers)]
        return SystemFit(system, coefficients, covariance, same, None, degrees)
    scores = np.stack([line * solved[number].residuals for line, number in zip(lines, numbers, strict=True)], axis=1)
    influence = cluster_sums(scores, design.clusters.codes[0]) if design.clusters.names else scores
    return SystemFit(system, coefficients, influence.T @ influence, same, influence, degrees)


def _solve(equation: Equation, swept: Floats, design: Design, clusters: Effects, small_sample: SmallSample) -> _Solved:
    x, y = swept[:, list(equation.regressors)], swept[:, [equation.outcome]]
    z = swept[:, list(equation.instruments)] if equation.instrumented else None
    coefficients = least_squares(x, y, z)[:, 0]
    residuals = y[:, 0] - x @ coefficients
    columns = x
    if z is not None:
        columns = z @ (inverse_gram(z) @ (z.T @ x))
    count = x.shape[1] + (0 if design.effects.names else 1)
    terms = small_sample_terms(len(x), count, design.effects, clusters, small_sample)
    return _Solved(coefficients, inverse_gram(columns), columns, residuals, terms.factor, terms.degrees_of_freedom)


def gradient(system: System, coefficients: Floats) -> Floats:
    """Differentiate the effects by complex steps, which is exact for polynomials to rounding.

    Parameters
    ----------
    system : System
        Effects as a function of coefficients.
    coefficients : (q,) float array
        Where.

    Returns
    -------
    (r, q) float array
    """
    step = 1e-30
    moved = coefficients + 1j * step * np.eye(len(coefficients))
    return np.asarray(system.function(moved).imag.T / step, dtype=np.float64)


def hessians(system: System, coefficients: Floats) -> Floats:
    """Differentiate twice by central differences of `gradient`, exact for products of up to three coefficients.

    Parameters
    ----------
    system : System
        Effects as a function of coefficients.
    coefficients : (q,) float array
        Where.

    Returns
    -------
    (r, q, q) float array
    """
    step = np.maximum(np.abs(coefficients), 1.0)
    columns = []
    for number, size in enumerate(step):
        move = np.zeros(len(coefficients))
        move[number] = size
        columns.append((gradient(system, coefficients + move) - gradient(system, coefficients - move)) / (2 * size))
    return np.stack(columns, axis=2)


def stack_covariance(fits: Sequence[SystemFit]) -> Floats:
    """Return the joint covariance of coefficients of several fits that share their clusters.

    Parameters
    ----------
    fits : sequence of SystemFit
        Fits of groups of rows; classical errors are independent between groups.
    """
    sizes = [len(fit.coefficients) for fit in fits]
    total = np.zeros((sum(sizes), sum(sizes)))
    influences = [fit.influence for fit in fits]
    if all(influence is not None for influence in influences):
        stacked = np.concatenate([influence for influence in influences if influence is not None], axis=1)
        return np.asarray(stacked.T @ stacked, dtype=np.float64)
    start = 0
    for fit, size in zip(fits, sizes, strict=True):
        total[start : start + size, start : start + size] = fit.covariance
        start += size
    return total
