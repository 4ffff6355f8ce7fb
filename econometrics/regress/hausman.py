"""Random effects (Swamy and Arora) and the choice between them and fixed effects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from econometrics.estimation.covariance import cluster_sums
from econometrics.estimation.design import CONSTANT, as_names
from econometrics.estimation.effects import Floats, Integers, encode_effects
from econometrics.estimation.result import Regression
from econometrics.estimation.sample import estimation_sample, numeric_values
from econometrics.estimation.tails import t_p_values, t_quantiles
from econometrics.instrument.weak import TestResult, chi_squared_test
from econometrics.regress.magnitude import wald_test
from econometrics.regress.regression import regress
from shuzhi import EstimationError

NULL = "firm effects are unrelated to the regressors, so random effects are consistent"


@dataclass(frozen=True)
class RandomEffects:
    """One-way random effects, balanced or not.

    Parameters
    ----------
    coefficients : Series
        By term, the constant last; collinear terms are left out.
    covariance : DataFrame
        Of the coefficients, for errors with one variance.
    error_variance, firm_variance : float
        Of the idiosyncratic and of the firm component; the latter is 0 where its estimate is negative.
    observations, firms : int
        Rows and firms.
    assumptions, warnings : tuple of str
        In words.
    """

    coefficients: pd.Series
    covariance: pd.DataFrame
    error_variance: float
    firm_variance: float
    observations: int
    firms: int
    assumptions: tuple[str, ...] = (
        "firm effects are unrelated to the regressors",
        "errors have one variance and are uncorrelated given the firm effect",
    )
    warnings: tuple[str, ...] = ()

    @property
    def standard_errors(self) -> pd.Series:
        """Standard errors by term."""
        return pd.Series(np.sqrt(np.diag(self.covariance)), index=self.coefficients.index)

    def to_frame(self, level: float = 0.95) -> pd.DataFrame:
        """Return one row a term, with p values and intervals of the normal distribution.

        Parameters
        ----------
        level : float
            Coverage of the interval.
        """
        errors = self.standard_errors
        statistics = self.coefficients / errors
        half = errors * t_quantiles(level, pd.Series(np.inf, index=errors.index))
        return pd.DataFrame(
            {
                "term": self.coefficients.index,
                "estimate": self.coefficients.to_numpy(),
                "standard_error": errors.to_numpy(),
                "statistic": statistics.to_numpy(),
                "p_value": t_p_values(statistics, np.inf).to_numpy(),
                "interval_low": (self.coefficients - half).to_numpy(),
                "interval_high": (self.coefficients + half).to_numpy(),
                "observations": self.observations,
            }
        )

    def summary(self) -> str:
        """Plain text for a reader."""
        share = self.firm_variance / (self.firm_variance + self.error_variance)
        lines = [
            f"random effects, {self.observations:,} rows of {self.firms:,} firms; {share:.1%} of the error is theirs"
        ]
        lines += [
            f"  {row.term:<20}{row.estimate:>12.5g} ({row.standard_error:.5g})" for row in self.to_frame().itertuples()
        ]
        lines += [f"  warning: {text}" for text in self.warnings]
        return "\n".join(lines + [f"  assumption: {text}" for text in self.assumptions])


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
        Numeric columns, of which at least one varies within firms; year dummies and constant traits of firms may be
        among them.
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
    rows, terms, warnings = _usable(data, outcome, regressors, firm)
    return _random_effects(rows, terms, _within(rows, outcome, terms, firm), firm, warnings)


def _usable(
    data: pd.DataFrame, outcome: str, regressors: str | Sequence[str], firm: str
) -> tuple[pd.DataFrame, list[str], tuple[str, ...]]:
    """Rows in which everything is known, terms that are not collinear, and what was left out."""
    names = as_names(regressors)
    rows = estimation_sample(data, numeric=[outcome, *names], categorical=[firm], drop_singletons=False).data
    pooled = regress(rows, outcome, names, standard_errors="classical")
    return rows, [name for name in names if name in pooled.coefficients.index], pooled.warnings


def _within(rows: pd.DataFrame, outcome: str, terms: Sequence[str], firm: str) -> Regression:
    return regress(rows, outcome, terms, fixed_effects=firm, standard_errors="classical", drop_singletons=False)


def _random_effects(
    rows: pd.DataFrame, terms: list[str], within: Regression, firm: str, warnings: tuple[str, ...]
) -> RandomEffects:
    codes = encode_effects(rows, [firm]).codes[0]
    y = numeric_values(rows[within.outcome])
    x = np.column_stack([*(numeric_values(rows[term]) for term in terms), np.ones(len(rows))])
    # About their means columns of large level lose no digits; the constant is moved back at the end.
    centre = np.append(x[:, :-1].mean(axis=0), 0.0)
    x = x - centre
    sizes = np.bincount(codes).astype(np.float64)
    firms, columns = len(sizes), x.shape[1]
    residuals = within.residuals.to_numpy(dtype=np.float64)
    error_variance = float(residuals @ residuals) / (len(y) - firms - len(within.coefficients))
    x_means, y_means = _means(x, codes, sizes), _means(y[:, None], codes, sizes)[:, 0]
    base = _basis(x_means * np.sqrt(sizes)[:, None], np.sqrt((x**2).sum(axis=0)))
    if firms <= base.shape[1]:
        raise EstimationError(f"{firms} firms are too few for random effects with {columns} coefficients")
    scaled = y_means * np.sqrt(sizes)
    between = scaled - base @ (base.T @ scaled)
    spread = float(between @ between) - (firms - base.shape[1]) * error_variance
    firm_variance = max(spread / (len(y) - float(sizes @ (base**2).sum(axis=1))), 0.0)
    theta = 1 - np.sqrt(error_variance / (error_variance + sizes * firm_variance))
    x_star = x - theta[codes][:, None] * x_means[codes]
    y_star = y - theta[codes] * y_means[codes]
    bread = np.linalg.inv(x_star.T @ x_star)
    coefficients = bread @ (x_star.T @ y_star)
    rest = y_star - x_star @ coefficients
    variance = float(rest @ rest) / (len(y) - columns)
    move = np.eye(columns)
    move[-1] -= centre
    index = pd.Index([*terms, CONSTANT])
    return RandomEffects(
        pd.Series(move @ coefficients, index=index),
        pd.DataFrame(move @ bread @ move.T * variance, index=index, columns=index),
        error_variance,
        firm_variance,
        len(y),
        firms,
        warnings=warnings,
    )


def _basis(columns: Floats, scale: Floats) -> Floats:
    """Orthonormal columns that span the given ones: means of year dummies are constant in a balanced panel."""
    norm = np.sqrt((columns**2).sum(axis=0))
    varying = norm > 1e-10 * scale
    left, singular, _ = np.linalg.svd(columns[:, varying] / norm[varying], full_matrices=False)
    result: Floats = left[:, singular > 1e-10 * singular[0]]
    return result


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
        Numeric columns, of which at least one varies within firms; those that do are compared.
    firm : str
        Column of the firm.
    method : {"classical", "robust"}
        Which form.

    References
    ----------
    Hausman (1978); Mundlak (1978); Arellano (1993).
    """
    rows, everything, notes = _usable(data, outcome, regressors, firm)
    within = _within(rows, outcome, everything, firm)
    terms = list(within.coefficients.index)
    if method == "classical":
        random = _random_effects(rows, everything, within, firm, notes)
        gap = (within.coefficients - random.coefficients[terms]).to_numpy(dtype=np.float64)
        spread = (within.covariance - random.covariance.loc[terms, terms]).to_numpy(dtype=np.float64)
        statistic = float(gap @ np.linalg.pinv(spread, hermitian=True) @ gap)
        return chi_squared_test("Hausman", NULL, statistic, len(terms))
    frame = rows[[outcome, *everything, firm]]
    names = [f"{term} (mean of the firm)" for term in terms]
    means = frame.groupby(encode_effects(rows, [firm]).codes[0])[terms].transform("mean").set_axis(names, axis=1)
    extended = regress(pd.concat([frame, means], axis=1), outcome, [*everything, *names], cluster=firm)
    found = wald_test(extended, [name for name in names if name in extended.coefficients.index])
    return TestResult(
        "Hausman (Mundlak form, clustered)",
        NULL,
        found.statistic,
        found.numerator_degrees_of_freedom,
        found.denominator_degrees_of_freedom,
        found.p_value,
    )
