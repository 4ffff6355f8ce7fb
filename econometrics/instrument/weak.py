"""How strong instruments are: Cragg-Donald, Kleibergen-Paap, Montiel Olea-Pflueger, Sanderson-Windmeijer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from econometrics.estimation.effects import Floats
from econometrics.estimation.tails import f_p_value
from econometrics.instrument.space import InstrumentSpace, orthonormal

TAUS = (0.05, 0.10, 0.20, 0.30)


@dataclass(frozen=True)
class TestResult:
    """A test statistic with its distribution under the null.

    Parameters
    ----------
    name : str
        Of the test.
    null : str
        Null hypothesis in words.
    statistic : float
        Chi-squared, or F where the denominator's degrees of freedom are finite.
    numerator_degrees_of_freedom, denominator_degrees_of_freedom : float
        The denominator's are infinite for chi-squared.
    p_value : float
        Upper tail.
    """

    __test__ = False  # not a test case, whatever its name makes pytest think

    name: str
    null: str
    statistic: float
    numerator_degrees_of_freedom: float
    denominator_degrees_of_freedom: float
    p_value: float


def chi_squared_test(name: str, null: str, statistic: float, degrees: float) -> TestResult:
    """Build a chi-squared test.

    Parameters
    ----------
    name, null : str
        Words.
    statistic, degrees : float
        Chi-squared and its degrees of freedom.
    """
    return TestResult(
        name, null, statistic, degrees, float("inf"), f_p_value(statistic / degrees, degrees, float("inf"))
    )


@dataclass(frozen=True)
class WeakInstrumentTests:
    """Strength of a set of instruments.

    Parameters
    ----------
    kleibergen_paap_f : float
        rk Wald F by the errors of the model; for one endogenous variable the first stage's F of the instruments.
    kleibergen_paap_lm : TestResult
        Underidentification; Anderson's canonical correlations for classical errors.
    cragg_donald_f : float
        Its counterpart for errors with one variance.
    effective_f : float
        Montiel Olea and Pflueger, one endogenous variable only, else NaN.
    effective_f_critical_values : dict of float to float
        5 % critical values by the worst-case bias of 2SLS (0.10: a tenth), simplified, so on the safe side.
    """

    kleibergen_paap_f: float
    kleibergen_paap_lm: TestResult
    cragg_donald_f: float
    effective_f: float
    effective_f_critical_values: dict[float, float]


def weak_instrument_tests(space: InstrumentSpace) -> WeakInstrumentTests:
    """Compute the tests of instrument strength.

    Parameters
    ----------
    space : InstrumentSpace
        Partialled columns.

    References
    ----------
    Cragg and Donald (1993); Kleibergen and Paap (2006), with the scaling of Stata's ivreg2; Montiel Olea and Pflueger
    (2013).
    """
    base = orthonormal(space.instruments)
    count, number = space.instruments.shape[1], space.endogenous.shape[1]
    terms = space.terms(count + space.controls)
    scaled = orthonormal(space.endogenous)
    correlations = np.linalg.svd(base.T @ scaled, compute_uv=False)
    smallest = min(float(correlations[-1]), 1.0) ** 2
    ratio = smallest / (1 - smallest) if smallest < 1 else float("inf")
    cragg_donald = ratio * terms.counted_degrees_of_freedom / count
    if space.kind == "classical":
        wald_f, score = cragg_donald, space.observations * smallest
    else:
        wald_f = _rank_statistic(space, base, scaled, residuals=True) / terms.factor / count
        score = _rank_statistic(space, base, scaled, residuals=False)
    effective = float("nan")
    critical: dict[float, float] = {}
    if number == 1:
        effective, critical = _effective_f(space, base, terms.factor)
    name = "Anderson canonical correlations LM" if space.kind == "classical" else "Kleibergen-Paap rk LM"
    underidentified = chi_squared_test(name, "the instruments do not identify the model", score, count - number + 1)
    return WeakInstrumentTests(wald_f, underidentified, cragg_donald, effective, critical)


def _rank_statistic(space: InstrumentSpace, base: Floats, scaled: Floats, *, residuals: bool) -> float:
    """rk statistic of the smallest singular value: Wald with first-stage residuals, LM with the variables themselves.

    With orthonormal instruments and endogenous variables the null directions are the last singular vectors; the
    statistic does not depend on which basis of them is taken.
    """
    theta = base.T @ scaled
    left, _, right = np.linalg.svd(theta)
    number = scaled.shape[1]
    null_left, null_right = left[:, number - 1 :], right[number - 1]
    errors = scaled - base @ theta if residuals else scaled
    moments = null_left.T @ theta @ null_right
    variance = null_left.T @ space.meat(base, errors @ null_right) @ null_left
    return float(moments @ np.linalg.solve(variance, moments))


def _effective_f(space: InstrumentSpace, base: Floats, factor: float) -> tuple[float, dict[float, float]]:
    """Effective F and its critical values with x = 1 / tau (the simplified procedure)."""
    from scipy.special import chndtrix

    endogenous = space.endogenous[:, 0]
    coefficients = base.T @ endogenous
    variance = space.meat(base, endogenous - base @ coefficients) * factor
    trace = float(np.trace(variance))
    largest = float(np.linalg.eigvalsh(variance)[-1])
    critical = {}
    for tau in TAUS:
        bound = 1 / tau
        degrees = trace**2 * (1 + 2 * bound) / (float((variance**2).sum()) + 2 * bound * trace * largest)
        critical[tau] = float(chndtrix(0.95, degrees, degrees * bound)) / degrees
    return float(coefficients @ coefficients) / trace, critical


def conditional_f(space: InstrumentSpace, number: int) -> tuple[float, float]:
    """Return the conditional F of one of several endogenous variables (for one alone, the first stage's F).

    The variable less the others, weighted as its regression on their projections says, is regressed on the instruments;
    the Wald statistic is divided by l - m + 1.

    Parameters
    ----------
    space : InstrumentSpace
        Partialled columns.
    number : int
        Column of the endogenous variable.

    Returns
    -------
    conditional_f : float
        With the small-sample factor of the model, all coefficients counted.
    conditional_f_uncounted : float
        With neither effects nor controls counted, as R's ``lfe::condfstat`` prints.

    References
    ----------
    Sanderson and Windmeijer (2016), Journal of Econometrics 190; the projection as corrected in lfe.
    """
    base = orthonormal(space.instruments)
    count, total = space.instruments.shape[1], space.endogenous.shape[1]
    variable = space.endogenous[:, number]
    others = np.delete(space.endogenous, number, axis=1)
    if others.shape[1]:
        projected = base @ (base.T @ others)
        variable = variable - others @ np.linalg.lstsq(projected, variable, rcond=None)[0]
    coefficients = base.T @ variable
    residuals = variable - base @ coefficients
    wald = float(coefficients @ np.linalg.solve(space.meat(base, residuals), coefficients)) / (count - total + 1)
    rows = space.observations
    uncounted = rows / (rows - count)
    if space.cluster_codes:
        groups = min(int(codes.max()) + 1 for codes in space.cluster_codes)
        uncounted = (rows - 1) / (rows - count) * groups / (groups - 1)
    return wald / space.terms(count + space.controls).factor, wald / uncounted
