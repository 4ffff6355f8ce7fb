"""Random effects (Swamy and Arora) and the choice between them and fixed effects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from econometrics.covariance import cluster_sums
from econometrics.design import CONSTANT, as_names
from econometrics.effects import Floats, Integers, encode_effects
from econometrics.magnitude import wald_test
from econometrics.regress import regress
from econometrics.regression_result import Regression
from econometrics.sample import estimation_sample
from econometrics.weak_instruments import TestResult, chi_squared_test
from shuzhi import EstimationError

NULL = "firm effects are unrelated to the regressors, so random effects are consistent"


@dataclass(frozen=True)
class RandomEffects:
    """One-way random effects, balanced or not.

    Parameters
    ----------
    coefficients : Series
        By term, the constant last.
    covariance : DataFrame
        Of the coefficients, for errors with one variance.
    error_variance, firm_variance : float
        Of the idiosyncratic and of the firm component; the latter is 0 where its estimate is negative.
    observations, firms : int
        Rows and firms.
    """

    coefficients: pd.Series
    covariance: pd.DataFrame
    error_variance: float
    firm_variance: float
    observations: int
    firms: int


def random_effects(
    data: pd.DataFrame, outcome: str, regressors: str | Sequence[str], firm: str = "stock_code"
) -> RandomEffects:
    """Estimate one-way random effects by feasible generalised least squares.

    Parameters
    ----------
    data : DataFrame
        One row a firm-year.
    outcome : str
        Numeric column explained.
    regressors : str or sequence of str
        Numeric columns that vary within firms.
    firm : str
        Column of the firm.

    Raises
    ------
    EstimationError
        Fewer firms than coefficients.

    References
    ----------
    Swamy and Arora (1972); Baltagi and Chang (1994) for unbalanced panels.
    """
    terms = list(as_names(regressors))
    within = regress(data, outcome, terms, fixed_effects=firm, standard_errors="classical", drop_singletons=False)
    return _random_effects(data, within, firm)


def _random_effects(data: pd.DataFrame, within: Regression, firm: str) -> RandomEffects:
    terms = list(within.regressors)
    rows = estimation_sample(data, numeric=[within.outcome, *terms], categorical=[firm], drop_singletons=False).data
    codes = encode_effects(rows, [firm]).codes[0]
    y = rows[within.outcome].to_numpy(dtype=np.float64)
    x = np.column_stack([rows[terms].to_numpy(dtype=np.float64), np.ones(len(rows))])
    sizes = np.bincount(codes).astype(np.float64)
    firms, columns = len(sizes), x.shape[1]
    if firms <= columns:
        raise EstimationError(f"{firms} firms are too few for random effects with {columns} coefficients")
    residuals = within.residuals.to_numpy(dtype=np.float64)
    error_variance = float(residuals @ residuals) / (len(y) - firms - len(terms))
    x_means, y_means = _means(x, codes, sizes), _means(y[:, None], codes, sizes)[:, 0]
    inverse = np.linalg.inv((x_means * sizes[:, None]).T @ x_means)
    between = y_means - x_means @ (inverse @ ((x_means * sizes[:, None]).T @ y_means))
    spread = float(sizes @ between**2) - (firms - columns) * error_variance
    scaled = x_means * sizes[:, None]
    firm_variance = max(spread / (len(y) - float(np.trace(inverse @ (scaled.T @ scaled)))), 0.0)
    theta = 1 - np.sqrt(error_variance / (error_variance + sizes * firm_variance))
    x_star = x - theta[codes][:, None] * x_means[codes]
    y_star = y - theta[codes] * y_means[codes]
    bread = np.linalg.inv(x_star.T @ x_star)
    coefficients = bread @ (x_star.T @ y_star)
    rest = y_star - x_star @ coefficients
    variance = float(rest @ rest) / (len(y) - columns)
    index = pd.Index([*terms, CONSTANT])
    return RandomEffects(
        pd.Series(coefficients, index=index),
        pd.DataFrame(bread * variance, index=index, columns=index),
        error_variance,
        firm_variance,
        len(y),
        firms,
    )


def _means(columns: Floats, codes: Integers, sizes: Floats) -> Floats:
    result: Floats = cluster_sums(columns, codes) / sizes[:, None]
    return result


def hausman_test(
    data: pd.DataFrame,
    outcome: str,
    regressors: str | Sequence[str],
    firm: str = "stock_code",
    *,
    method: Literal["classical", "robust"] = "classical",
) -> TestResult:
    """Test random against fixed effects of firms.

    ``classical`` compares the two estimates (errors with one variance); ``robust`` adds the firms' means to least
    squares and tests them with errors clustered by firm (Mundlak), valid with heteroskedasticity and correlation.

    Parameters
    ----------
    data : DataFrame
        One row a firm-year.
    outcome : str
        Numeric column explained.
    regressors : str or sequence of str
        Numeric columns that vary within firms.
    firm : str
        Column of the firm.
    method : {"classical", "robust"}
        Which form.

    References
    ----------
    Hausman (1978); Mundlak (1978); Arellano (1993).
    """
    within = regress(data, outcome, regressors, fixed_effects=firm, standard_errors="classical", drop_singletons=False)
    terms = list(within.regressors)
    if method == "classical":
        random = _random_effects(data, within, firm)
        gap = (within.coefficients - random.coefficients[terms]).to_numpy(dtype=np.float64)
        spread = (within.covariance - random.covariance.loc[terms, terms]).to_numpy(dtype=np.float64)
        statistic = float(gap @ np.linalg.pinv(spread, hermitian=True) @ gap)
        return chi_squared_test("Hausman", NULL, statistic, len(terms))
    rows = estimation_sample(data, numeric=[outcome, *terms], categorical=[firm], drop_singletons=False).data
    frame = rows[[outcome, *terms, firm]]
    names = [f"{term} (mean of the firm)" for term in terms]
    means = frame.groupby(firm)[terms].transform("mean").set_axis(names, axis=1)
    extended = regress(pd.concat([frame, means], axis=1), outcome, [*terms, *names], cluster=firm)
    found = wald_test(extended, [name for name in names if name in extended.coefficients.index])
    return TestResult(
        "Hausman (Mundlak form, clustered)",
        NULL,
        found.statistic,
        found.numerator_degrees_of_freedom,
        found.denominator_degrees_of_freedom,
        found.p_value,
    )
