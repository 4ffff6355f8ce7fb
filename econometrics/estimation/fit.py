"""Point estimates by least squares: which terms stay, their coefficients, and what was assumed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from econometrics.estimation.design import CONSTANT, Design, independent_terms
from econometrics.estimation.effects import Floats
from econometrics.estimation.least_squares import least_squares
from shuzhi import EstimationError


@dataclass(frozen=True)
class Fit:
    """A fitted model before inference.

    Parameters
    ----------
    estimator : str
        Name for the result.
    outcome : str
        Column explained.
    terms : tuple of str
        Terms estimated.
    coefficients : (k,) float array
        Estimates.
    score_columns : (n, k) float array
        Regressors, or their projection on the instruments; swept and weighted.
    residuals : (n,) float array
        Outcome less regressors times coefficients; swept and weighted.
    collinear : dict of str to str
        Why each dropped term was dropped.
    assumptions : tuple of str
        In words.
    """

    estimator: str
    outcome: str
    terms: tuple[str, ...]
    coefficients: Floats
    score_columns: Floats
    residuals: Floats
    collinear: dict[str, str]
    assumptions: tuple[str, ...]


def refuse_outcome(design: Design, outcome: str) -> None:
    """Refuse an outcome of which the effects or the constant leave nothing.

    Parameters
    ----------
    design : Design
        Swept columns.
    outcome : str
        Column explained.

    Raises
    ------
    EstimationError
        The outcome does not vary (within the effects).
    """
    raw, swept = design.raw_column(outcome), design.columns([outcome])[:, 0]
    rounding = 64 * float(np.finfo(np.float64).eps) * float(np.abs(raw).max())
    spread = float(raw.std())
    if spread <= rounding:
        raise EstimationError(f"the outcome {outcome} does not vary in the sample (it is {raw[0]:g} throughout)")
    if design.effects.names and float(np.sqrt(np.mean(swept**2))) <= 1e-8 * spread + rounding:
        raise EstimationError(
            f"the fixed effects {' + '.join(design.effects.names)} explain the outcome {outcome} fully: "
            "it does not vary within them; use coarser effects"
        )


def fit_least_squares(design: Design, outcome: str, terms: Sequence[str]) -> Fit:
    """Estimate the coefficients of the terms that can be estimated.

    Parameters
    ----------
    design : Design
        Swept columns.
    outcome : str
        Column explained.
    terms : sequence of str
        Regressors in the order of precedence.

    Raises
    ------
    EstimationError
        The outcome does not vary, or no term is left.
    """
    refuse_outcome(design, outcome)
    kept, collinear = independent_terms(design, terms)
    if terms and not kept:
        raise EstimationError(f"no regressor of {outcome} is left: {'; '.join(collinear.values())}")
    names = kept if design.effects.names else [*kept, CONSTANT]
    if not names:
        raise EstimationError(f"the model of {outcome} has no regressor")
    x, y = design.weighted(design.columns(names)), design.weighted(design.columns([outcome]))
    coefficients = least_squares(x, y)[:, 0]
    residuals = y[:, 0] - x @ coefficients
    given = "regressors and fixed effects" if design.effects.names else "regressors"
    exogenous = f"given the {given}, errors have mean zero" + (
        " in all years of a firm (strict exogeneity)" if len(design.effects.names) else ""
    )
    return Fit(
        "OLS" if design.weights is None else "WLS",
        outcome,
        tuple(names),
        np.asarray(coefficients, dtype=np.float64),
        x,
        residuals,
        collinear,
        ("the outcome is linear in the regressors", exogenous),
    )
