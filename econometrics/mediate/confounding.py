"""How strong an unobserved confounder must be to explain a coefficient away: robustness values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from econometrics.estimation.covariance import small_sample_terms
from econometrics.estimation.design import as_names, build_design, independent_terms, refuse_doubled
from econometrics.estimation.effects import Effects, Floats
from econometrics.estimation.fit import refuse_outcome
from econometrics.estimation.least_squares import inverse_gram, least_squares
from econometrics.mediate.fit import swept_columns
from shuzhi import EstimationError, SpecError


def partial_r2(statistic: float, degrees_of_freedom: float) -> float:
    """Compute the share of the outcome's residual variance that a regressor explains.

    Parameters
    ----------
    statistic : float
        t statistic with classical errors.
    degrees_of_freedom : float
        Residual degrees of freedom.
    """
    return statistic**2 / (statistic**2 + degrees_of_freedom)


def robustness_value(
    statistic: float, degrees_of_freedom: float, *, q: float = 1.0, alpha: float | None = None
) -> float:
    """Compute the partial R2 with both treatment and outcome that a confounder needs to lower the estimate by q.

    Parameters
    ----------
    statistic : float
        t statistic with classical errors.
    degrees_of_freedom : float
        Residual degrees of freedom.
    q : float
        Share of the estimate that the confounder takes away; 1 brings it to 0.
    alpha : float, optional
        Then a strength that only makes the estimate insignificant at this level.

    Returns
    -------
    float
        Between 0 and 1.

    Raises
    ------
    SpecError
        q is not positive or alpha not between 0 and 1.

    References
    ----------
    Cinelli and Hazlett (2020), Making Sense of Sensitivity, JRSS B 82(1), equations 11 and 18.
    """
    from scipy.special import stdtrit

    if q <= 0 or (alpha is not None and not 0 < alpha <= 1):
        raise SpecError(f"q must be positive and alpha between 0 and 1: q is {q}, alpha is {alpha}")
    strength = q * abs(statistic) / np.sqrt(degrees_of_freedom)
    critical = 0.0
    if alpha is not None:
        critical = abs(float(stdtrit(degrees_of_freedom - 1, alpha / 2))) / np.sqrt(degrees_of_freedom - 1)
    left = strength - critical
    if not left > 0:
        return 0.0 if left <= 0 else float("nan")
    value = (np.sqrt(left**4 + 4 * left**2) - left**2) / 2
    if critical > 0 and strength > 1 / critical:
        # The confounder that is worst for significance then explains less of the outcome than of the treatment.
        value = (strength**2 - critical**2) / (1 + strength**2)
    return float(value)


@dataclass(frozen=True)
class RobustnessValue:
    """Sensitivity of one coefficient to an unobserved confounder.

    Parameters
    ----------
    outcome, term : str
        Equation and regressor.
    estimate, standard_error, statistic, degrees_of_freedom : float
        With classical errors, on which the measures rest.
    partial_r2 : float
        Share of the outcome's residual variance that the regressor explains.
    robustness_value : float
        Partial R2 with regressor and outcome that brings the estimate to 0.
    robustness_value_alpha : float
        The same to make it insignificant at ``alpha``.
    alpha : float
        Level.
    bounds : DataFrame
        For confounders ``times`` as strong as a benchmark: r2_treatment, r2_outcome, adjusted_estimate,
        adjusted_standard_error, adjusted_statistic; empty without benchmarks.
    """

    outcome: str
    term: str
    estimate: float
    standard_error: float
    statistic: float
    degrees_of_freedom: float
    partial_r2: float
    robustness_value: float
    robustness_value_alpha: float
    alpha: float
    bounds: pd.DataFrame

    def summary(self) -> str:
        """Say the values in words."""
        return (
            f"{self.term} -> {self.outcome}: a confounder that explains {self.robustness_value:.1%} of the residual "
            f"variance of both brings the coefficient to 0, {self.robustness_value_alpha:.1%} makes it insignificant "
            f"at {self.alpha:.0%}; {self.term} itself explains {self.partial_r2:.1%}"
        )


def robustness(
    data: pd.DataFrame,
    outcome: str,
    term: str,
    *,
    controls: str | Sequence[str] = (),
    fixed_effects: str | Sequence[str] = (),
    benchmarks: str | Sequence[str] = (),
    times: Sequence[float] = (1.0, 2.0, 3.0),
    alpha: float = 0.05,
    drop_singletons: bool = False,
) -> RobustnessValue:
    """Compute robustness values of a coefficient, and bounds by the strength of observed controls.

    Parameters
    ----------
    data : DataFrame
        One row an observation.
    outcome, term : str
        Outcome and regressor of interest.
    controls, fixed_effects : str or sequence of str
        As in ``regress``.
    benchmarks : str or sequence of str
        Controls with which confounders are compared.
    times : sequence of float
        How many times as strong as the benchmark.
    alpha : float
        Level of significance.
    drop_singletons : bool
        Drop rows alone in a level of an effect; they change neither estimate nor degrees of freedom.

    Raises
    ------
    SpecError
        A benchmark is no control.
    EstimationError
        The term cannot be estimated.

    References
    ----------
    Cinelli and Hazlett (2020), JRSS B 82(1).
    """
    used, effects, compared = as_names(controls), as_names(fixed_effects), as_names(benchmarks)
    refuse_doubled(outcome=[outcome], term=[term], controls=used)
    unknown = [name for name in compared if name not in used]
    if unknown:
        raise SpecError(f"benchmarks must be controls; these are not: {', '.join(unknown)}")
    design = build_design(
        data, [outcome, term, *used], fixed_effects=effects, cluster=(), weights=None, drop_singletons=drop_singletons
    )
    refuse_outcome(design, outcome)
    kept, lost = independent_terms(design, [term, *used])
    if term not in kept:
        raise EstimationError(f"no robustness value of {term}: {lost[term]}")
    swept = swept_columns(design, 2 + len(used))
    numbers = [design.names.index(name) for name in kept]
    value = coefficient_robustness(swept, 0, numbers, design.effects, (outcome, term), alpha)
    rows = []
    for name in compared:
        if name in kept:
            rows += _bounds(swept, numbers, kept.index(name), design.effects, value, name, times)
    columns = ["benchmark", "times", "r2_treatment", "r2_outcome"]
    columns += ["adjusted_estimate", "adjusted_standard_error", "adjusted_statistic"]
    bounds = pd.DataFrame(rows, columns=columns)
    return RobustnessValue(**{**vars(value), "bounds": bounds})


def classical_statistics(
    swept: Floats, outcome: int, regressors: Sequence[int], effects: Effects
) -> tuple[Floats, Floats, float]:
    """Regress a swept column on others with classical errors.

    Parameters
    ----------
    swept : (n, k) float array
        Columns after the effects, about their means where there are none.
    outcome : int
        Column on the left.
    regressors : sequence of int
        Columns on the right.
    effects : Effects
        Effects swept out, for the degrees of freedom.

    Returns
    -------
    coefficients, standard_errors : (p,) float arrays
    degrees_of_freedom : float
    """
    x, y = swept[:, list(regressors)], swept[:, [outcome]]
    coefficients = least_squares(x, y)[:, 0]
    residuals = y[:, 0] - x @ coefficients
    count = len(regressors) + (0 if effects.names else 1)
    terms = small_sample_terms(len(x), count, effects, Effects((), (), ()), "reghdfe")
    variance = residuals @ residuals / len(x) * terms.factor
    return coefficients, np.sqrt(variance * np.diagonal(inverse_gram(x))), float(terms.residual_degrees_of_freedom)


def coefficient_robustness(
    swept: Floats,
    outcome: int,
    regressors: Sequence[int],
    effects: Effects,
    names: tuple[str, str],
    alpha: float = 0.05,
) -> RobustnessValue:
    """Compute the robustness values of the first regressor.

    Parameters
    ----------
    swept : (n, k) float array
        Columns after the effects, about their means where there are none.
    outcome : int
        Column on the left.
    regressors : sequence of int
        Columns on the right, the one of interest first.
    effects : Effects
        Effects swept out.
    names : (str, str)
        Outcome and regressor.
    alpha : float
        Level of significance.
    """
    coefficients, errors, degrees = classical_statistics(swept, outcome, regressors, effects)
    estimate, error = float(coefficients[0]), float(errors[0])
    statistic = estimate / error if error > 0 else float("nan")
    return RobustnessValue(
        *names,
        estimate,
        error,
        statistic,
        degrees,
        partial_r2(statistic, degrees),
        robustness_value(statistic, degrees),
        robustness_value(statistic, degrees, alpha=alpha),
        alpha,
        pd.DataFrame(),
    )


def _bounds(
    swept: Floats,
    numbers: Sequence[int],
    benchmark: int,
    effects: Effects,
    value: RobustnessValue,
    name: str,
    times: Sequence[float],
) -> list[tuple[str, float, float, float, float, float, float]]:
    """Adjusted estimates for a confounder as strong as a benchmark (Cinelli and Hazlett 2020, section 4.4)."""
    outer = classical_statistics(swept, 0, numbers, effects)
    inner = classical_statistics(swept, numbers[0], numbers[1:], effects)
    with_outcome = partial_r2(outer[0][benchmark] / outer[1][benchmark], outer[2])
    with_treatment = partial_r2(inner[0][benchmark - 1] / inner[1][benchmark - 1], inner[2])
    rows: list[tuple[str, float, float, float, float, float, float]] = []
    degrees = value.degrees_of_freedom
    for factor in times:
        treatment = factor * with_treatment / (1 - with_treatment)
        given = 1 - factor * with_treatment
        if treatment >= 1 or given <= 0:
            nothing = float("nan")
            rows.append((name, factor, nothing, nothing, nothing, nothing, nothing))
            continue
        between = factor * with_treatment**2 / (given * (1 - with_treatment))
        both = ((np.sqrt(factor) + np.sqrt(between)) / np.sqrt(1 - between)) ** 2 * with_outcome / (1 - with_outcome)
        outcome = min(float(both), 1.0)
        bias = value.standard_error * np.sqrt(degrees * outcome * treatment / (1 - treatment))
        adjusted = np.sign(value.estimate) * (abs(value.estimate) - bias)
        error = value.standard_error * np.sqrt((1 - outcome) / (1 - treatment) * degrees / (degrees - 1))
        statistic = adjusted / error if error > 0 else float("nan")
        rows.append((name, factor, float(treatment), outcome, float(adjusted), float(error), float(statistic)))
    return rows
