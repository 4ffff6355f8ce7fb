"""Whether instruments agree (Sargan, Hansen) and whether they are needed (Durbin, Wu, Hausman)."""

from __future__ import annotations

import numpy as np

from econometrics.estimation.effects import Floats
from econometrics.estimation.tails import f_p_value
from econometrics.instrument.space import InstrumentSpace, orthonormal
from econometrics.instrument.weak import TestResult, chi_squared_test


def quadratic_form(vector: Floats, variance: Floats) -> float:
    """Compute vector' variance^-1 vector, or NaN where the variance is singular, as with fewer clusters than terms.

    Parameters
    ----------
    vector : (k,) float array
        Estimates.
    variance : (k, k) float array
        Their covariance.
    """
    scale = np.sqrt(np.maximum(np.diag(variance), np.finfo(np.float64).tiny))
    standard = variance / scale[:, None] / scale
    if not np.isfinite(standard).all() or np.linalg.cond(standard) > 1e13:
        return float("nan")
    return float(vector / scale @ np.linalg.solve(standard, vector / scale))


def overidentification_test(space: InstrumentSpace, estimates: Floats) -> TestResult | None:
    """Test that all instruments agree; None where there are no more instruments than endogenous variables.

    Sargan's n R2 for classical errors; otherwise Hansen's J, the minimum of the two-step efficient GMM criterion with
    weights from the 2SLS residuals.

    Parameters
    ----------
    space : InstrumentSpace
        Partialled columns.
    estimates : (m,) float array
        2SLS coefficients of the endogenous variables.

    References
    ----------
    Sargan (1958); Hansen (1982).
    """
    base = orthonormal(space.instruments)
    surplus = base.shape[1] - space.endogenous.shape[1]
    if surplus <= 0:
        return None
    residuals = space.outcome - space.endogenous @ estimates
    null = "all instruments are valid"
    if space.kind == "classical":
        explained = base.T @ residuals
        statistic = space.observations * float(explained @ explained) / float(residuals @ residuals)
        return chi_squared_test("Sargan", null, statistic, surplus)
    weight = np.linalg.pinv(space.meat(base, residuals), hermitian=True)
    slope, start = base.T @ space.endogenous, base.T @ space.outcome
    efficient = np.linalg.lstsq(slope.T @ weight @ slope, slope.T @ weight @ start, rcond=None)[0]
    moments = start - slope @ efficient
    return chi_squared_test("Hansen J", null, float(moments @ weight @ moments), surplus)


def endogeneity_test(space: InstrumentSpace) -> TestResult:
    """Test that the endogenous variables are exogenous, by adding their first-stage residuals to least squares.

    With classical errors this is the Wu-Hausman F; with robust or clustered errors it holds for those too.

    Parameters
    ----------
    space : InstrumentSpace
        Partialled columns.

    References
    ----------
    Durbin (1954); Wu (1973); Hausman (1978); Wooldridge (1995) for the robust form.
    """
    base = orthonormal(space.instruments)
    number = space.endogenous.shape[1]
    extra = space.endogenous - base @ (base.T @ space.endogenous)
    within = orthonormal(space.endogenous)
    columns = orthonormal(extra - within @ (within.T @ extra))
    both = np.column_stack([within, columns])
    coefficients = both.T @ space.outcome
    residuals = space.outcome - both @ coefficients
    terms = space.terms(2 * number + space.controls)
    variance = space.meat(both, residuals)[number:, number:] * terms.factor
    added = coefficients[number:]
    statistic = quadratic_form(added, variance) / number
    degrees = terms.degrees_of_freedom
    return TestResult(
        "Durbin-Wu-Hausman",
        "the endogenous variables are exogenous",
        statistic,
        number,
        degrees,
        f_p_value(statistic, number, degrees),
    )
