"""Group-time effects on panel data: outcome regression, inverse probability weighting, doubly robust."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

CellMethod = Literal["dr", "reg", "ipw"]

OVERLAP_LIMIT = 0.999


@dataclass(frozen=True)
class CellEffect:
    """Effect of one cohort in one period.

    Parameters
    ----------
    estimate : float
        Effect on the treated; NaN when it is not identified.
    influence : (units of the cell,) array
        Influence function: the estimate less its limit is its mean.
    problem : str
        Why there is no estimate, or an empty string.
    """

    estimate: float
    influence: np.ndarray
    problem: str = ""


def cell_effect(change: np.ndarray, treated: np.ndarray, covariates: np.ndarray, method: CellMethod) -> CellEffect:
    """Estimate one group-time effect from the changes of outcomes.

    Parameters
    ----------
    change : (units,) array
        Outcome of the period less that of the base period.
    treated : (units,) bool array
        Whether the unit belongs to the cohort; the others are its comparison.
    covariates : (units, k) array
        Covariates, first column ones.
    method : {"dr", "reg", "ipw"}
        Doubly robust, outcome regression, or inverse probability weighting with normalised weights.

    Returns
    -------
    CellEffect
        Estimate and influence function.

    References
    ----------
    Sant'Anna, P. and Zhao, J. (2020). Doubly robust difference-in-differences estimators. Journal of Econometrics 219.
    Callaway, B. and Sant'Anna, P. (2021). Difference-in-differences with multiple time periods. Same, 225.
    """
    d = treated.astype(float)
    problem = _problem(treated, covariates, method)
    if problem:
        return CellEffect(np.nan, np.zeros(d.size), problem)
    if covariates.shape[1] == 1:
        return _difference_of_means(change, d)
    if method == "reg":
        return _outcome_regression(change, d, covariates)
    score = _propensity(d, covariates)
    if score is None or score.probability[~treated].max() >= OVERLAP_LIMIT:
        return CellEffect(np.nan, np.zeros(d.size), "no overlap: the covariates tell the treated from the others")
    return _weighted(change, d, covariates, score, doubly_robust=method == "dr")


def _problem(treated: np.ndarray, covariates: np.ndarray, method: CellMethod) -> str:
    k = covariates.shape[1]
    if treated.sum() == 0:
        return "no treated unit"
    if (~treated).sum() == 0:
        return "no comparison unit"
    if method != "ipw" and np.linalg.matrix_rank(covariates[~treated]) < k:
        return "comparison units cannot identify the regression on the covariates"
    if np.linalg.matrix_rank(covariates) < k:
        return "covariates are collinear"
    return ""


def _difference_of_means(change: np.ndarray, d: np.ndarray) -> CellEffect:
    mean_treated, mean_other = change[d == 1].mean(), change[d == 0].mean()
    influence = d * (change - mean_treated) / d.mean() - (1 - d) * (change - mean_other) / (1 - d).mean()
    return CellEffect(float(mean_treated - mean_other), influence)


def _comparison_regression(change: np.ndarray, d: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Prediction from the comparison units and the linear representation of its coefficients, (units, k)."""
    other = d == 0
    beta = np.linalg.lstsq(x[other], change[other], rcond=None)[0]
    predicted = x @ beta
    bread = np.linalg.inv(x[other].T @ x[other] / d.size)
    return predicted, ((1 - d) * (change - predicted))[:, None] * x @ bread


def _outcome_regression(change: np.ndarray, d: np.ndarray, x: np.ndarray) -> CellEffect:
    predicted, linear = _comparison_regression(change, d, x)
    share = d.mean()
    mean_treated, mean_predicted = (d * change).mean() / share, (d * predicted).mean() / share
    other = d * (predicted - mean_predicted) + linear @ (d[:, None] * x).mean(axis=0)
    influence = (d * (change - mean_treated) - other) / share
    return CellEffect(float(mean_treated - mean_predicted), influence)


@dataclass(frozen=True)
class _Propensity:
    probability: np.ndarray
    linear: np.ndarray


def _propensity(d: np.ndarray, x: np.ndarray) -> _Propensity | None:
    """Logit by Fisher scoring, with the start, the stop and the information matrix of R's glm."""
    mean = (d + 0.5) / 2
    linear_predictor = np.log(mean / (1 - mean))
    deviance = np.inf
    for _ in range(25):
        weight = mean * (1 - mean)
        working = linear_predictor + (d - mean) / weight
        information = x.T @ (weight[:, None] * x)
        try:
            beta = np.linalg.solve(information, x.T @ (weight * working))
        except np.linalg.LinAlgError:
            return None
        linear_predictor = np.clip(x @ beta, -30.0, 30.0)
        mean = 1 / (1 + np.exp(-linear_predictor))
        new = -2 * float(np.log(np.where(d == 1, mean, 1 - mean)).sum())
        if abs(new - deviance) / (abs(new) + 0.1) < 1e-8:
            hessian = np.linalg.inv(information) * d.size
            return _Propensity(mean, ((d - mean)[:, None] * x) @ hessian)
        deviance = new
    return None


def _weighted(
    change: np.ndarray, d: np.ndarray, x: np.ndarray, score: _Propensity, *, doubly_robust: bool
) -> CellEffect:
    if doubly_robust:
        predicted, linear = _comparison_regression(change, d, x)
    else:
        predicted, linear = np.zeros(d.size), np.zeros(x.shape)
    residual = change - predicted
    weight = score.probability * (1 - d) / (1 - score.probability)
    mean_treated = (d * residual).mean() / d.mean()
    mean_other = (weight * residual).mean() / weight.mean()
    by_treated = d * (residual - mean_treated) - linear @ (d[:, None] * x).mean(axis=0)
    by_other = (
        weight * (residual - mean_other)
        + score.linear @ ((weight * (residual - mean_other))[:, None] * x).mean(axis=0)
        - linear @ (weight[:, None] * x).mean(axis=0)
    )
    influence = by_treated / d.mean() - by_other / weight.mean()
    return CellEffect(float(mean_treated - mean_other), influence)
