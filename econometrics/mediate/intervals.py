"""Errors, p values and intervals of effects: Sobel, Aroian, delta, Monte Carlo and four bootstrap intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from econometrics.mediate.fit import SystemFit, gradient, hessians
from econometrics.resample.percentiles import EXPANDED_BELOW, expanded_limits, widening

Floats = NDArray[np.float64]
Method = Literal["sobel", "aroian", "delta", "monte_carlo", "percentile", "expanded_percentile", "basic", "bca"]
MethodChoice = Literal[
    "auto", "sobel", "aroian", "delta", "monte_carlo", "percentile", "expanded_percentile", "basic", "bca"
]
ANALYTIC: tuple[Method, ...] = ("sobel", "aroian", "delta")
BOOTSTRAP: tuple[Method, ...] = ("percentile", "expanded_percentile", "basic", "bca")
METHODS: tuple[Method, ...] = (*ANALYTIC, "monte_carlo", *BOOTSTRAP)


def chosen_method(choice: MethodChoice, clusters: int) -> Method:
    """Return the kind of interval that is meant: "auto" expands percentile intervals below 50 clusters.

    Parameters
    ----------
    choice : str
        As asked for.
    clusters : int
        Number of clusters, of rows where there is no cluster variable.
    """
    if choice != "auto":
        return choice
    return "expanded_percentile" if clusters < EXPANDED_BELOW else "percentile"


@dataclass(frozen=True)
class Inference:
    """What is known about each effect.

    Parameters
    ----------
    standard_errors, p_values, low, high : (r,) float arrays
        One number an effect.
    """

    standard_errors: Floats
    p_values: Floats
    low: Floats
    high: Floats


def analytic_inference(fit: SystemFit, method: Method, level: float) -> Inference:
    """Infer from first or second derivatives.

    Sobel: first order, coefficients of different equations uncorrelated, normal. Aroian: second order, so that for one
    product the variance is a2 vb + b2 va + va vb. Delta: first order with the whole joint covariance, t distribution.
    An effect that is a single coefficient has its own error and the t distribution under each.

    Parameters
    ----------
    fit : SystemFit
        Estimates and their joint covariance.
    method : {"sobel", "aroian", "delta"}
        Which.
    level : float
        Coverage of the interval.

    References
    ----------
    Sobel (1982), Sociological Methodology 13; Aroian (1947), Annals of Mathematical Statistics 18.
    """
    from scipy.special import ndtr, ndtri, stdtr, stdtrit

    effects = fit.effects
    slope = gradient(fit.system, fit.coefficients)
    covariance = fit.covariance if method == "delta" else np.where(fit.same_equation, fit.covariance, 0.0)
    variance = np.einsum("rp,pq,rq->r", slope, covariance, slope)
    if method == "aroian":
        curved = hessians(fit.system, fit.coefficients) @ covariance
        variance = variance + np.einsum("rpq,rqp->r", curved, curved) / 2
    errors = np.sqrt(np.maximum(variance, 0.0))
    single = (slope != 0).sum(axis=1) == 1
    degrees = fit.degrees_of_freedom
    student = single | (method == "delta")
    share = (1 + level) / 2
    half = np.where(student, stdtrit(degrees, share), ndtri(share)) * errors
    statistic = np.divide(np.abs(effects), errors, out=np.full(len(effects), np.nan), where=errors > 0)
    p_values = 2 * np.where(student, stdtr(degrees, -statistic), ndtr(-statistic))
    return Inference(errors, p_values, effects - half, effects + half)


def monte_carlo_coefficients(
    coefficients: Floats, covariance: Floats, draws: int, seed: int, degrees_of_freedom: float = np.inf
) -> Floats:
    """Draw coefficients from their joint normal distribution, or t distribution where there are few clusters.

    Parameters
    ----------
    coefficients : (q,) float array
        Means.
    covariance : (q, q) float array
        Joint covariance, also singular.
    draws : int
        Number of draws.
    seed : int
        Seed of the generator (PCG64).
    degrees_of_freedom : float
        Of the joint t distribution; infinite for the normal.

    References
    ----------
    MacKinnon, Lockwood and Williams (2004), Multivariate Behavioral Research 39(1).
    """
    scale = np.sqrt(np.maximum(np.diagonal(covariance), np.finfo(np.float64).tiny))
    values, vectors = np.linalg.eigh(covariance / scale[:, None] / scale)
    # The sign of an eigenvector is LAPACK's choice; fixing it keeps draws the same everywhere.
    vectors = vectors * np.where(vectors[np.abs(vectors).argmax(axis=0), np.arange(len(scale))] < 0, -1.0, 1.0)
    root = vectors * np.sqrt(np.maximum(values, 0.0)) * scale[:, None]
    generator = np.random.Generator(np.random.PCG64(seed))
    noise = generator.standard_normal((draws, len(scale)))
    if np.isfinite(degrees_of_freedom):
        noise /= np.sqrt(generator.chisquare(degrees_of_freedom, (draws, 1)) / degrees_of_freedom)
    return np.asarray(coefficients + noise @ root.T, dtype=np.float64)


def resampling_inference(
    estimates: Floats,
    replicates: Floats,
    method: Method,
    level: float,
    jackknife: Floats | None = None,
    clusters: int | Sequence[int] | None = None,
) -> Inference:
    """Infer from replicates: a percentile (also of Monte Carlo draws), basic or BCa interval and the p value that fits.

    The p value is one less the coverage of the interval of the kind that ends at 0, at least 1 / (draws + 1).

    Parameters
    ----------
    estimates : (r,) float array
        Effects in the sample.
    replicates : (draws, r) float array
        Effects in the draws, NaN where not identified.
    method : {"monte_carlo", "percentile", "expanded_percentile", "basic", "bca"}
        Kind of interval. The expanded one takes percentiles further out, by the factor by which t quantiles with
        clusters - 1 degrees of freedom, and the divisor clusters - 1, widen a normal interval.
    level : float
        Coverage.
    jackknife : (clusters, r) float array, optional
        Effects without each cluster, needed for BCa.
    clusters : int or sequence of int, optional
        Number of clusters, of all effects or of each, needed for the expanded percentile interval.

    References
    ----------
    Davison and Hinkley (1997), Bootstrap Methods and their Application, chapter 5; Efron (1987), JASA 82; Hesterberg
    (2015), The American Statistician 69(4), section 3.3, on expanded percentiles.
    """
    used = replicates[np.isfinite(replicates).all(axis=1)]
    count = len(estimates)
    if len(used) < 2:
        nothing = np.full(count, np.nan)
        return Inference(nothing, nothing, nothing, nothing)
    errors = used.std(axis=0, ddof=1)
    tail = (1 - level) / 2
    if method == "bca":
        assert jackknife is not None
        return _bca(estimates, used, tail, errors, jackknife)
    if method == "expanded_percentile":
        assert clusters is not None
        return _expanded(used, tail, errors, clusters)
    low, high = np.quantile(used, [tail, 1 - tail], axis=0)
    compared = used
    if method == "basic":
        low, high = 2 * estimates - high, 2 * estimates - low
        compared = 2 * estimates - used
    below, above = (compared <= 0).sum(axis=0), (compared >= 0).sum(axis=0)
    p_values = np.minimum(2 * (np.minimum(below, above) + 1) / (len(used) + 1), 1.0)
    return Inference(errors, p_values, low, high)


def _expanded(used: Floats, tail: float, errors: Floats, clusters: int | Sequence[int]) -> Inference:
    from scipy.special import ndtri, stdtr

    low, high = expanded_limits(used, tail, clusters)
    counts = np.broadcast_to(clusters, used.shape[1])
    wider = np.array([widening(count) for count in counts])
    draws = len(used)
    smaller = np.minimum((used <= 0).sum(axis=0), (used >= 0).sum(axis=0))
    share = np.clip(smaller / draws, 0.5 / draws, 0.5)
    p_values = np.clip(2 * stdtr(counts - 1, ndtri(share) / wider), 1 / (draws + 1), 1.0)
    return Inference(errors, np.asarray(p_values, dtype=np.float64), low, high)


def _bca(estimates: Floats, used: Floats, tail: float, errors: Floats, jackknife: Floats) -> Inference:
    from scipy.special import ndtr, ndtri

    left = jackknife[np.isfinite(jackknife).all(axis=1)]
    deviation = left.mean(axis=0) - left
    cubes, squares = (deviation**3).sum(axis=0), (deviation**2).sum(axis=0)
    acceleration = np.divide(cubes, 6 * squares**1.5, out=np.zeros(len(estimates)), where=squares > 0)
    draws = len(used)
    # Half a draw is kept on each side, so that the bias correction stays finite.
    less = (used < estimates).mean(axis=0) + (used == estimates).mean(axis=0) / 2
    bias = ndtri(np.clip(less, 0.5 / draws, 1 - 0.5 / draws))
    limits = []
    for z in (ndtri(tail), ndtri(1 - tail)):
        moved = bias + (bias + z) / (1 - acceleration * (bias + z))
        limits.append([np.quantile(used[:, column], ndtr(moved[column])) for column in range(len(estimates))])
    # The level at which a limit is 0 follows from the share of draws below 0, the other way round.
    below = (used < 0).mean(axis=0) + (used == 0).mean(axis=0) / 2
    shifted = ndtri(np.clip(below, 0.5 / draws, 1 - 0.5 / draws)) - bias
    z = shifted / (1 + acceleration * shifted) - bias
    p_values = np.clip(2 * ndtr(-np.abs(z)), 1 / (draws + 1), 1.0)
    return Inference(errors, np.asarray(p_values, dtype=np.float64), np.array(limits[0]), np.array(limits[1]))
