"""Tests that coefficients are equal between groups: full interaction, seemingly unrelated estimation, Chow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from econometrics.estimation.covariance import SmallSample
from econometrics.estimation.result import Regression
from econometrics.estimation.sample import numeric_values
from econometrics.heterogeneity.estimands import paired
from econometrics.regress.regression import regress
from shuzhi import EstimationError

GROUP = "__group"
# Difference that rounding explains, in standard deviations of the outcome a standard deviation of the regressor.
ROUNDING = 1e-7


@dataclass(frozen=True)
class InteractedModel:
    """One regression in which every regressor and every effect differs between groups.

    Parameters
    ----------
    model : Regression
        The regression; its terms are ``REGRESSOR [GROUP]``.
    terms : DataFrame
        Name of the term by regressor (rows) and group (columns); missing where it is not estimated.
    separate : DataFrame
        Covariance of all terms with each group's own small-sample factor: its z is that of the separate regressions.
        Stata's suest has G / (G - 1) of all clusters for every group instead.
    """

    model: Regression
    terms: pd.DataFrame
    separate: pd.DataFrame


def term_name(regressor: str, group: str) -> str:
    """Name of the coefficient of a regressor in a group.

    Parameters
    ----------
    regressor, group : str
        Names.
    """
    return f"{regressor} [{group}]"


def interacted_model(
    rows: pd.DataFrame,
    outcome: str,
    regressors: Sequence[str],
    groups: Sequence[str],
    models: Mapping[str, Regression],
    *,
    fixed_effects: Sequence[str],
    cluster: Sequence[str],
    weights: str | None,
    small_sample: SmallSample,
) -> InteractedModel:
    """Estimate all groups in one regression, whose coefficients are exactly those of the subsamples.

    Parameters
    ----------
    rows : DataFrame
        Rows of the usable groups, with the group of each in the column ``GROUP``.
    outcome : str
        Column explained.
    regressors, groups : sequence of str
        Regressors and groups.
    models : mapping of str to Regression
        Regression of each subsample.
    fixed_effects, cluster : sequence of str
        As in the subsamples; each effect is interacted with the group.
    weights : str or None
        Column of analytic weights.
    small_sample : str
        Convention of the standard errors.

    Returns
    -------
    InteractedModel
        The regression and both covariances.

    Raises
    ------
    EstimationError
        When its coefficients are not those of the subsamples.
    """
    columns = {
        term_name(regressor, group): _within_group(rows, regressor, group)
        for regressor in regressors
        for group in groups
    }
    needed = dict.fromkeys([outcome, GROUP, *_parts([*fixed_effects, *cluster]), *([weights] if weights else [])])
    frame = pd.concat([rows[list(needed)], pd.DataFrame(columns, index=rows.index)], axis=1)
    effects = [f"{effect}^{GROUP}" for effect in fixed_effects] or [GROUP]
    model = regress(
        frame,
        outcome,
        list(columns),
        fixed_effects=effects,
        cluster=tuple(cluster),
        weights=weights,
        small_sample=small_sample,
    )
    terms = pd.DataFrame(
        {
            group: [
                term_name(regressor, group)
                if regressor in models[group].coefficients.index and term_name(regressor, group) in model.coefficients
                else None
                for regressor in regressors
            ]
            for group in groups
        },
        index=list(regressors),
        dtype=object,
    )
    factors = pd.Series(np.nan, index=model.coefficients.index)
    for group in groups:
        own = models[group]
        for regressor in regressors:
            name = terms.loc[regressor, group]
            if not isinstance(name, str):
                continue
            error = float(own.standard_errors[regressor])
            rounding = ROUNDING * own.outcome_sd / float(own.regressor_sds[regressor])
            if abs(model.coefficients[name] - own.coefficients[regressor]) > 1e-6 * error + rounding:
                raise EstimationError(f"{name} of the interacted model differs from its subsample; scale {regressor}")
            whole = float(model.standard_errors[name])
            factors[name] = error / whole if whole > 0 else np.nan
    separate = model.covariance * np.outer(factors, factors)
    return InteractedModel(model, terms, separate)


def _within_group(rows: pd.DataFrame, regressor: str, group: str) -> pd.Series:
    """Deviations from the group's mean, which its own effects absorb, and zero elsewhere: no digits are lost."""
    inside = (rows[GROUP] == group).to_numpy(dtype=np.bool_)
    values = numeric_values(rows[regressor])
    usable = values[inside & np.isfinite(values)]
    return pd.Series(np.where(inside, values - (usable.mean() if usable.size else 0.0), 0.0), index=rows.index)


def _parts(names: Sequence[str]) -> list[str]:
    return [part.strip() for name in names for part in name.split("^")]


def difference_rows(interacted: InteractedModel, groups: Sequence[str], level: float = 0.95) -> pd.DataFrame:
    """Differences of every coefficient between each later group and the first, by both tests.

    Parameters
    ----------
    interacted : InteractedModel
        Estimates.
    groups : sequence of str
        Groups in order.
    level : float
        Level of the intervals.

    Returns
    -------
    DataFrame
        test, term, group, reference, estimate, standard_error, statistic, p_value, interval_low, interval_high,
        observations.
    """
    from scipy.stats import t as student

    model, rows = interacted.model, []
    for regressor in interacted.terms.index:
        for group, reference in paired(groups):
            names = [interacted.terms.loc[regressor, group], interacted.terms.loc[regressor, reference]]
            for test, covariance, degrees in (
                ("interaction", model.covariance, model.degrees_of_freedom),
                ("suest", interacted.separate, np.inf),
            ):
                estimate = error = np.nan
                if all(isinstance(name, str) for name in names):
                    estimate = float(model.coefficients[names[0]] - model.coefficients[names[1]])
                    block = covariance.loc[names, names].to_numpy()
                    variance = float(block[0, 0] + block[1, 1] - 2 * block[0, 1])
                    error = float(np.sqrt(variance)) if variance > 0 else np.nan
                critical = float(student.ppf(0.5 + level / 2, degrees))
                rows.append(
                    {
                        "test": test,
                        "term": regressor,
                        "group": group,
                        "reference": reference,
                        "estimate": estimate,
                        "standard_error": error,
                        "statistic": estimate / error,
                        "p_value": float(2 * student.sf(abs(estimate / error), degrees)),
                        "interval_low": estimate - critical * error,
                        "interval_high": estimate + critical * error,
                        "observations": model.observations,
                    }
                )
    return pd.DataFrame(rows)


def joint_rows(interacted: InteractedModel, groups: Sequence[str]) -> pd.DataFrame:
    """Wald tests that coefficients are equal in all groups: each by itself, and all at once (Chow).

    Parameters
    ----------
    interacted : InteractedModel
        Estimates.
    groups : sequence of str
        Groups in order.

    Returns
    -------
    DataFrame
        test (interaction or suest), term (a regressor, or ``all regressors``), statistic (F, for suest chi-squared over
        its degrees of freedom), numerator_degrees_of_freedom, denominator_degrees_of_freedom, p_value. The denominator
        has the degrees of freedom of the t tests, by the convention fixest those of the residuals, as its `wald` has.

    References
    ----------
    Chow, G. (1960). Tests of equality between sets of coefficients in two linear regressions. Econometrica 28.
    """
    rows, model = [], interacted.model
    whole = list(interacted.terms.index)
    own = _residual_degrees(model) if model.small_sample == "fixest" else model.degrees_of_freedom
    for label, chosen in [*((name, [name]) for name in whole), ("all regressors", whole)]:
        for test, covariance, degrees in (
            ("interaction", model.covariance, own),
            ("suest", interacted.separate, np.inf),
        ):
            statistic, number = _wald(interacted, covariance, chosen, groups)
            rows.append(
                {
                    "test": test,
                    "term": label,
                    "statistic": statistic,
                    "numerator_degrees_of_freedom": number,
                    "denominator_degrees_of_freedom": degrees,
                    "p_value": _upper_tail(statistic, number, degrees),
                }
            )
    return pd.DataFrame(rows)


def _residual_degrees(model: Regression) -> float:
    """Rows less coefficients, every effect after the first losing one level."""
    levels = list(model.effect_levels.values())
    return float(model.observations - len(model.coefficients) - sum(levels) + max(len(levels) - 1, 0))


def _upper_tail(statistic: float, numerator: int, denominator: float) -> float:
    """P value of F, of chi-squared over its degrees of freedom where the denominator's are infinite."""
    from scipy.stats import chi2, f

    if np.isinf(denominator):
        return float(chi2.sf(statistic * numerator, numerator))
    return float(f.sf(statistic, numerator, denominator))


def _wald(
    interacted: InteractedModel, covariance: pd.DataFrame, regressors: Sequence[str], groups: Sequence[str]
) -> tuple[float, int]:
    terms = interacted.terms.loc[list(regressors)].dropna()
    if terms.empty:
        return np.nan, 0
    names = [name for group in groups for name in terms[group]]
    values = interacted.model.coefficients[names].to_numpy(dtype=float)
    matrix = covariance.loc[names, names].to_numpy(dtype=float)
    size = len(terms)
    contrasts = np.zeros((size * (len(groups) - 1), len(names)))
    for place in range(len(groups) - 1):
        block = slice(place * size, (place + 1) * size)
        contrasts[block, :size] = -np.eye(size)
        contrasts[block, (place + 1) * size : (place + 2) * size] = np.eye(size)
    difference, spread = contrasts @ values, contrasts @ matrix @ contrasts.T
    scale = np.sqrt(np.maximum(np.diag(spread), np.finfo(float).tiny))
    inverse = np.linalg.pinv(spread / np.outer(scale, scale), hermitian=True)
    return float(difference / scale @ inverse @ (difference / scale)) / len(difference), len(difference)
