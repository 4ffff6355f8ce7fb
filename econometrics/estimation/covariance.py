"""Covariances of coefficients: the sandwich with any number of cluster variables, and small-sample factors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np

from econometrics.estimation.effects import (
    Effects,
    Floats,
    Integers,
    absorbed_degrees_of_freedom,
    compact,
    nested_effects,
)
from shuzhi import EstimationError, SpecError

StandardErrors = Literal["classical", "robust", "cluster", "cr2", "wild"]
SmallSample = Literal["reghdfe", "fixest", "cluster2", "linearmodels"]
CONVENTIONS: tuple[SmallSample, ...] = ("reghdfe", "fixest", "cluster2", "linearmodels")


@dataclass(frozen=True)
class SmallSampleTerms:
    """What a convention makes of the sample's size.

    Parameters
    ----------
    factor : float
        By which the sandwich (or, for classical errors, rss / n times the bread) is multiplied.
    degrees_of_freedom : float
        Of the t distribution; infinite for the normal.
    residual_degrees_of_freedom : int
        Observations less all coefficients, absorbed ones included, as adjusted R2 counts them.
    counted_degrees_of_freedom : int
        Observations less the coefficients that the factor counts: effects nested in a cluster are not among them.
    """

    factor: float
    degrees_of_freedom: float
    residual_degrees_of_freedom: int
    counted_degrees_of_freedom: int


def small_sample_terms(
    observations: int,
    columns: int,
    effects: Effects,
    clusters: Effects,
    convention: SmallSample,
) -> SmallSampleTerms:
    """Return the factor and the degrees of freedom of a convention.

    ``reghdfe``: (N - 1) / (N - K) * G / (G - 1) with the smallest G, effects nested in a cluster not counted (one
    coefficient is, for the constant), redundant levels of the others counted by connected components; N / (N - K)
    without clusters; t with G - 1. ``fixest`` (0.12) differs in one thing: every effect after the first loses one
    level however many components there are. ``cluster2`` (Petersen's Stata command, fixest's "conventional") differs
    in another: with several cluster variables each part of the covariance has its own G / (G - 1). ``linearmodels``:
    ``PanelOLS.fit`` as called without options: N / (N - K) whatever the clusters, one effect alone not counted where
    it is nested in every cluster variable, t with N - K of all effects.

    Parameters
    ----------
    observations : int
        Rows N.
    columns : int
        Coefficients estimated, with the constant where there is one.
    effects, clusters : Effects
        Codes of the effects and of the cluster variables; no cluster variable for errors without clusters.
    convention : {"reghdfe", "fixest", "cluster2", "linearmodels"}
        Whose rules to follow.

    Raises
    ------
    EstimationError
        No degrees of freedom are left.
    SpecError
        An unknown convention.

    References
    ----------
    Correia (2017) and the source of reghdfe; Bergé, "On standard-errors" (fixest); linearmodels, PanelOLS.fit.
    """
    if convention not in CONVENTIONS:
        raise SpecError(f"small_sample must be one of {', '.join(CONVENTIONS)}, not {convention!r}")
    exact = convention in ("reghdfe", "cluster2")
    nested = nested_effects(effects, clusters.codes)
    simple = sum(effects.levels) - max(len(effects.levels) - 1, 0)
    everything = absorbed_degrees_of_freedom(effects) if exact else simple
    left = observations - columns - everything
    smallest = min(clusters.levels) if clusters.names else 0
    if convention == "linearmodels":
        counted = everything
        if len(effects.names) == 1 and clusters.names and all(_nested_in_all(effects, clusters)):
            counted = 0
        used = observations - columns - counted
        factor, degrees = _ratio(observations, used), float(left)
    elif not clusters.names:
        used = left
        factor, degrees = _ratio(observations, left), float(left)
    else:
        if exact:
            absorbed = absorbed_degrees_of_freedom(effects, clusters.codes)
            counted = absorbed + int(any(nested))
        else:
            inside = sum(levels - 1 for levels, flag in zip(effects.levels, nested, strict=True) if flag)
            absorbed = counted = simple - inside
        used = observations - columns - counted
        factor = _ratio(observations - 1, used)
        if convention != "cluster2":
            factor *= smallest / (smallest - 1)
        degrees = float(min(smallest - 1, observations - columns - absorbed))
    return SmallSampleTerms(factor, degrees, left, used)


def _nested_in_all(effects: Effects, clusters: Effects) -> list[bool]:
    return [nested_effects(effects, [codes])[0] for codes in clusters.codes]


def _ratio(numerator: int, denominator: int) -> float:
    if denominator <= 0:
        raise EstimationError(
            f"no degrees of freedom are left: {numerator} observations and as many coefficients, "
            "absorbed ones included; use fewer regressors or effects"
        )
    return numerator / denominator


def cluster_sums(scores: Floats, codes: Integers) -> Floats:
    """Sum rows by cluster: (clusters, k).

    Parameters
    ----------
    scores : (n, k) float array
        Rows to sum.
    codes : (n,) int array
        Cluster of each row, from 0.
    """
    levels = int(codes.max(initial=-1)) + 1
    return np.stack([np.bincount(codes, weights=column, minlength=levels) for column in scores.T], axis=1)


def cluster_meat(scores: Floats, cluster_codes: Sequence[Integers], *, own_factors: bool = False) -> Floats:
    """Outer products of cluster sums, over any number of cluster variables by inclusion and exclusion.

    Parameters
    ----------
    scores : (n, k) float array
        Regressors times residuals (times weights).
    cluster_codes : sequence of (n,) int arrays
        One array a cluster variable.
    own_factors : bool
        Multiply each part by its own G / (G - 1).

    References
    ----------
    Cameron, Gelbach and Miller (2011), Robust Inference with Multiway Clustering.
    """
    meat = np.zeros((scores.shape[1], scores.shape[1]))
    for size in range(1, len(cluster_codes) + 1):
        for chosen in combinations(cluster_codes, size):
            joint = chosen[0]
            for codes in chosen[1:]:
                joint = compact(joint * (int(codes.max(initial=-1)) + 1) + codes)
            sums = cluster_sums(scores, joint)
            factor = len(sums) / (len(sums) - 1) if own_factors else 1.0
            meat += (1 if size % 2 else -1) * factor * (sums.T @ sums)
    return meat


def sandwich(bread: Floats, scores: Floats, cluster_codes: Sequence[Integers], *, own_factors: bool = False) -> Floats:
    """Bread, meat, bread, without a small-sample factor; heteroskedasticity only where there are no clusters.

    Parameters
    ----------
    bread : (k, k) float array
        Inverse of x'x (of the projected regressors for two-stage least squares).
    scores : (n, k) float array
        Regressors times residuals (times weights).
    cluster_codes : sequence of (n,) int arrays
        One array a cluster variable; none for White's covariance.
    own_factors : bool
        Multiply each part of a clustered covariance by its own G / (G - 1).

    References
    ----------
    White (1980); Liang and Zeger (1986); Cameron, Gelbach and Miller (2011).
    """
    # The bread goes onto the rows first: between large meat and bread a level far from zero would cancel digits.
    rows = scores @ bread
    result: Floats = cluster_meat(rows, cluster_codes, own_factors=own_factors) if len(cluster_codes) else rows.T @ rows
    return (result + result.T) / 2


def repaired(covariance: Floats, convention: SmallSample) -> tuple[Floats, str]:
    """Set negative eigenvalues of a multi-way covariance to zero, as the convention's software does.

    reghdfe does so whenever there are any, fixest only where a variance is negative, the others never.

    Parameters
    ----------
    covariance : (k, k) float array
        Symmetric.
    convention : {"reghdfe", "fixest", "cluster2", "linearmodels"}
        Whose rules to follow.

    Returns
    -------
    covariance : (k, k) float array
        Repaired or as it was.
    warning : str
        What was done, in words; empty if nothing.
    """
    scale = np.sqrt(np.maximum(np.abs(np.diag(covariance)), np.finfo(np.float64).tiny))
    negative = bool((np.linalg.eigvalsh(covariance / scale[:, None] / scale) < -1e-12).any())
    if not negative:
        return covariance, ""
    if convention == "reghdfe" or (convention == "fixest" and (np.diag(covariance) < 0).any()):
        values, vectors = np.linalg.eigh(covariance)
        fixed: Floats = (vectors * np.maximum(values, 0)) @ vectors.T
        return (fixed + fixed.T) / 2, (
            "the multi-way clustered covariance had negative eigenvalues, which were set to zero "
            "(Cameron, Gelbach and Miller 2011)"
        )
    return covariance, "the multi-way clustered covariance has negative eigenvalues; joint tests may fail"
