"""Probit, logit and linear models by Fisher scoring, as far as the mediation of a binary outcome needs them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from econometrics.estimation.covariance import cluster_sums
from econometrics.estimation.effects import Floats, Integers
from shuzhi import DataError, EstimationError

Family = Literal["linear", "probit", "logit"]

MOST_STEPS = 50
# A linear predictor beyond this in every row of an outcome means that the regressors separate the outcomes.
SEPARATED = 30.0


@dataclass(frozen=True)
class ResponseFit:
    """A fitted response model.

    Parameters
    ----------
    family : {"linear", "probit", "logit"}
        Kind of model.
    coefficients : (k,) float array
        Estimates.
    covariance : (k, k) float array
        Of the estimates.
    scale : float
        Standard deviation of the errors of a linear model, 1 otherwise.
    """

    family: Family
    coefficients: Floats
    covariance: Floats
    scale: float


def response_mean(family: Family, predictor: Floats) -> Floats:
    """Turn a linear predictor into a mean.

    Parameters
    ----------
    family : {"linear", "probit", "logit"}
        Kind of model.
    predictor : float array
        Regressors times coefficients.
    """
    from scipy.special import expit, ndtr

    if family == "linear":
        return predictor
    return np.asarray(ndtr(predictor) if family == "probit" else expit(predictor), dtype=np.float64)


def fit_response(
    family: Family, y: Floats, x: Floats, name: str, *, clusters: Integers | None = None, robust: bool = False
) -> ResponseFit:
    """Estimate a model by (maximum) likelihood.

    Parameters
    ----------
    family : {"linear", "probit", "logit"}
        Kind of model.
    y : (n,) float array
        Outcome, 0 or 1 unless linear.
    x : (n, k) float array
        Regressors with the constant.
    name : str
        Of the outcome, for messages.
    clusters : (n,) int array, optional
        Then errors are clustered, with G / (G - 1).
    robust : bool
        Heteroskedasticity-robust errors, n / (n - k), where there are no clusters.

    Raises
    ------
    DataError
        The outcome is not 0 or 1.
    EstimationError
        Collinear regressors, an outcome that does not vary, or outcomes that the regressors separate.
    """
    rows, count = x.shape
    if np.linalg.matrix_rank(x / np.sqrt((x**2).sum(axis=0))) < count or rows <= count:
        raise EstimationError(f"the model of {name} is not identified: its regressors are collinear or more than rows")
    if np.ptp(y) == 0:
        raise EstimationError(f"{name} does not vary in the sample (it is {y[0]:g} throughout)")
    if family == "linear":
        coefficients = np.linalg.lstsq(x, y, rcond=None)[0]
        residuals = y - x @ coefficients
        variance = float(residuals @ residuals) / (rows - count)
        bread, score, scale = np.linalg.inv(x.T @ x), residuals, float(np.sqrt(variance))
    else:
        if not np.isin(y, (0.0, 1.0)).all():
            raise DataError(f"{name} must be 0 or 1 for a {family} model")
        coefficients = _fisher_scoring(family, y, x, name)
        weight, score = _derivatives(family, y, x @ coefficients)
        bread, scale, variance = np.linalg.inv(x.T @ (x * weight[:, None])), 1.0, 1.0
    covariance = bread * variance
    if clusters is not None or robust:
        scores = x * score[:, None]
        factor = rows / (rows - count)
        if clusters is not None:
            scores = cluster_sums(scores, clusters)
            factor = len(scores) / (len(scores) - 1)
        covariance = factor * bread @ (scores.T @ scores) @ bread
    return ResponseFit(family, np.asarray(coefficients), np.asarray(covariance, dtype=np.float64), scale)


def _derivatives(family: Family, y: Floats, predictor: Floats) -> tuple[Floats, Floats]:
    """Expected second and observed first derivative of the log likelihood by the predictor."""
    from scipy.special import expit, log_ndtr

    if family == "logit":
        mean = np.asarray(expit(predictor), dtype=np.float64)
        return mean * (1 - mean), y - mean
    density = np.exp(-(predictor**2) / 2) / np.sqrt(2 * np.pi)
    # Logarithms keep the ratios finite far out in the tails.
    above = density * np.exp(-log_ndtr(predictor))
    below = density * np.exp(-log_ndtr(-predictor))
    return np.asarray(above * below, dtype=np.float64), np.where(y == 1, above, -below)


def _fisher_scoring(family: Family, y: Floats, x: Floats, name: str) -> Floats:
    coefficients = np.zeros(x.shape[1])
    for _ in range(MOST_STEPS):
        weight, score = _derivatives(family, y, x @ coefficients)
        information = x.T @ (x * weight[:, None])
        try:
            step = np.linalg.solve(information, x.T @ score)
        except np.linalg.LinAlgError:
            break
        coefficients = coefficients + step
        if np.abs(x @ coefficients).max() > SEPARATED:
            break
        if np.abs(x @ step).max() < 1e-12:
            return coefficients
    raise EstimationError(f"the {family} model of {name} has no maximum: its regressors separate the outcomes")
