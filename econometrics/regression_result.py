"""Results of linear regressions: coefficients and their covariance, in a table, in words, and as a magnitude."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from econometrics.covariance import SmallSample, StandardErrors
from econometrics.sample import numeric_values
from shuzhi import DataError, SpecError

if TYPE_CHECKING:
    from econometrics.wild_bootstrap import WildBootstrap

KIND_IN_WORDS = {
    "classical": "classical (homoskedastic)",
    "robust": "heteroskedasticity-robust (HC1)",
    "cluster": "clustered",
    "cr2": "clustered, CR2 with Satterthwaite degrees of freedom",
    "wild": "clustered; p values and intervals by wild cluster bootstrap",
}


def t_p_values(statistics: pd.Series, degrees_of_freedom: pd.Series | float) -> pd.Series:
    """Two-sided p values of t statistics; of the normal where degrees of freedom are infinite.

    Parameters
    ----------
    statistics : Series
        t statistics.
    degrees_of_freedom : Series or float
        One for all or one a term.
    """
    from scipy.special import ndtr, stdtr

    degrees = np.broadcast_to(np.asarray(degrees_of_freedom, dtype=np.float64), statistics.shape)
    below = -np.abs(statistics.to_numpy(dtype=np.float64))
    tail = np.where(np.isinf(degrees), ndtr(below), stdtr(np.where(np.isinf(degrees), 1.0, degrees), below))
    return pd.Series(2 * tail, index=statistics.index)


def t_quantiles(level: float, degrees_of_freedom: pd.Series) -> pd.Series:
    """Return the quantile with (1 - level) / 2 above it, for each term.

    Parameters
    ----------
    level : float
        Coverage, between 0 and 1.
    degrees_of_freedom : Series
        One a term; infinite for the normal.
    """
    from scipy.special import ndtri, stdtrit

    if not 0 < level < 1:
        raise SpecError(f"level must lie between 0 and 1, it is {level}; 0.95 is usual")
    degrees = degrees_of_freedom.to_numpy(dtype=np.float64)
    share = (1 + level) / 2
    values = np.where(np.isinf(degrees), ndtri(share), stdtrit(np.where(np.isinf(degrees), 1.0, degrees), share))
    return pd.Series(values, index=degrees_of_freedom.index)


@dataclass(frozen=True)
class Regression:
    """A linear regression, fixed effects absorbed.

    Parameters
    ----------
    outcome : str
        Column explained.
    regressors : tuple of str
        Terms estimated, with ``constant`` where there is no effect.
    estimator : str
        ``OLS``, ``WLS`` or ``2SLS``.
    coefficients, standard_errors, statistics, p_values, term_degrees_of_freedom : Series
        By term.
    covariance : DataFrame
        Of the coefficients.
    degrees_of_freedom : float
        Of the t distribution by the convention; CR2 has its own for each term.
    observations : int
        Rows used.
    clusters : dict of str to int
        Number of clusters by cluster variable.
    fixed_effects, cluster : tuple of str
        As given.
    effect_levels : dict of str to int
        Levels of each effect.
    standard_error_kind, small_sample : str
        Which errors, by which convention.
    r2, adjusted_r2, within_r2, adjusted_within_r2 : float
        Overall and within (NaN without effects), adjusted as reghdfe does, absorbed coefficients counted.
    collinear : tuple of str
        Terms dropped because effects or other terms leave nothing of them; why is in ``warnings``.
    dropped : dict of str to int
        Rows dropped by reason.
    residuals : Series
        On the index of the rows used.
    outcome_mean, outcome_sd : float
        In the rows used; the standard deviation with n - 1.
    regressor_means, regressor_sds : Series
        By term, the same way.
    assumptions, warnings : tuple of str
        In words.
    weights : str or None
        Column of analytic weights.
    seed, draws : int or None
        Of the wild bootstrap.
    wild : WildBootstrap or None
        Its distribution, for p values and intervals.
    """

    outcome: str
    regressors: tuple[str, ...]
    estimator: str
    coefficients: pd.Series
    covariance: pd.DataFrame
    standard_errors: pd.Series
    statistics: pd.Series
    p_values: pd.Series
    term_degrees_of_freedom: pd.Series
    degrees_of_freedom: float
    observations: int
    clusters: dict[str, int]
    fixed_effects: tuple[str, ...]
    cluster: tuple[str, ...]
    effect_levels: dict[str, int]
    standard_error_kind: StandardErrors
    small_sample: SmallSample
    r2: float
    adjusted_r2: float
    within_r2: float
    adjusted_within_r2: float
    collinear: tuple[str, ...]
    dropped: dict[str, int]
    residuals: pd.Series
    outcome_mean: float
    outcome_sd: float
    regressor_means: pd.Series
    regressor_sds: pd.Series
    assumptions: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    weights: str | None = None
    seed: int | None = None
    draws: int | None = None
    wild: WildBootstrap | None = field(default=None, repr=False)

    def confidence_intervals(self, level: float = 0.95) -> pd.DataFrame:
        """Return interval_low and interval_high by term, by t quantiles or, for ``wild``, by inverting the test.

        Parameters
        ----------
        level : float
            Coverage, between 0 and 1.
        """
        half = self.standard_errors * t_quantiles(level, self.term_degrees_of_freedom)
        frame = pd.DataFrame({"interval_low": self.coefficients - half, "interval_high": self.coefficients + half})
        if self.wild is not None:
            for term in self.wild.terms:
                frame.loc[term, ["interval_low", "interval_high"]] = self.wild.interval(term, level)
        return frame

    def to_frame(self, level: float = 0.95) -> pd.DataFrame:
        """Return one row a term with estimate, error, statistic, p value, interval and observations.

        Parameters
        ----------
        level : float
            Coverage of the interval.
        """
        frame = pd.DataFrame(
            {
                "term": self.coefficients.index,
                "estimate": self.coefficients.to_numpy(),
                "standard_error": self.standard_errors.to_numpy(),
                "statistic": self.statistics.to_numpy(),
                "p_value": self.p_values.to_numpy(),
            }
        )
        intervals = self.confidence_intervals(level)
        frame["interval_low"] = intervals["interval_low"].to_numpy()
        frame["interval_high"] = intervals["interval_high"].to_numpy()
        frame["observations"] = self.observations
        frame["degrees_of_freedom"] = self.term_degrees_of_freedom.to_numpy()
        return frame

    def summary(self, level: float = 0.95) -> str:
        """Say in plain text what was estimated and what came out.

        Parameters
        ----------
        level : float
            Coverage of the interval.
        """
        return "\n".join([*self._head(), "", *_table(self.to_frame(level), level), "", *self._foot()])

    def _head(self) -> list[str]:
        lines = [f"{self.estimator} of {self.outcome}, {self.observations:,} observations"]
        if self.fixed_effects:
            levels = (f"{name} ({self.effect_levels[name]:,})" for name in self.fixed_effects)
            lines.append(f"Fixed effects: {', '.join(levels)}")
        errors = KIND_IN_WORDS[self.standard_error_kind]
        if self.cluster:
            errors += " by " + ", ".join(f"{name} ({self.clusters[name]:,})" for name in self.cluster)
        lines.append(f"Standard errors: {errors}; small-sample convention: {self.small_sample}")
        if self.weights:
            lines.append(f"Weights: {self.weights}")
        if self.seed is not None:
            lines.append(f"Bootstrap: {self.draws:,} draws, seed {self.seed}")
        return lines

    def _foot(self) -> list[str]:
        parts = [f"R2 {self.r2:.4f} (adjusted {self.adjusted_r2:.4f})"]
        if self.fixed_effects:
            parts.append(f"within R2 {self.within_r2:.4f} (adjusted {self.adjusted_within_r2:.4f})")
        lines = [", ".join(parts)]
        if self.dropped:
            lines.append("Rows dropped: " + ", ".join(f"{reason} {count:,}" for reason, count in self.dropped.items()))
        lines += [f"Warning: {text}" for text in self.warnings]
        lines += [f"Assumption: {text}" for text in self.assumptions]
        return lines


def _table(frame: pd.DataFrame, level: float) -> list[str]:
    width = max([4, *(len(str(term)) for term in frame["term"])])
    head = (
        f"{'term':<{width}} {'estimate':>12} {'std. error':>12} {'statistic':>10} {'p value':>8}  {level:.0%} interval"
    )
    lines = [head]
    for row in frame.itertuples(index=False):
        lines.append(
            f"{row.term:<{width}} {row.estimate:>12.6g} {row.standard_error:>12.6g} {row.statistic:>10.3f} "
            f"{row.p_value:>8.4f}  [{row.interval_low:.6g}, {row.interval_high:.6g}]"
        )
    return lines


@dataclass(frozen=True)
class WaldTest:
    """A test that several coefficients are zero at once.

    Parameters
    ----------
    terms : tuple of str
        Coefficients tested.
    statistic : float
        F, the Wald statistic divided by the number of terms.
    numerator_degrees_of_freedom : int
        Number of terms.
    denominator_degrees_of_freedom : float
        Of the model's t distribution.
    p_value : float
        Of the F distribution (chi-squared where the denominator's are infinite).
    """

    terms: tuple[str, ...]
    statistic: float
    numerator_degrees_of_freedom: int
    denominator_degrees_of_freedom: float
    p_value: float


def f_p_value(statistic: float, numerator: float, denominator: float) -> float:
    """Return the upper tail of F, or of chi-squared / numerator where the denominator is infinite.

    Parameters
    ----------
    statistic, numerator, denominator : float
        F and its degrees of freedom.
    """
    from scipy.special import chdtrc, fdtrc

    if np.isnan(statistic):
        return float("nan")
    value = max(statistic, 0.0)
    return float(
        chdtrc(numerator, value * numerator) if np.isinf(denominator) else fdtrc(numerator, denominator, value)
    )


def wald_test(result: Regression, terms: Sequence[str] | None = None) -> WaldTest:
    """Test that coefficients are zero at once, with the covariance of the result.

    Parameters
    ----------
    result : Regression
        Estimates.
    terms : sequence of str, optional
        All but the constant by default.

    Raises
    ------
    SpecError
        A term is not in the model.
    """
    chosen = [term for term in result.coefficients.index if term != "constant"] if terms is None else list(terms)
    _refuse_terms(result, chosen)
    values = result.coefficients[chosen].to_numpy(dtype=np.float64)
    matrix = result.covariance.loc[chosen, chosen].to_numpy(dtype=np.float64)
    scale = np.sqrt(np.diag(matrix))
    standard = values / scale
    statistic = float(standard @ np.linalg.pinv(matrix / scale[:, None] / scale, hermitian=True) @ standard)
    number = len(chosen)
    degrees = result.degrees_of_freedom
    return WaldTest(tuple(chosen), statistic / number, number, degrees, f_p_value(statistic / number, number, degrees))


def _refuse_terms(result: Regression, terms: Sequence[str]) -> None:
    unknown = [term for term in terms if term not in result.coefficients.index]
    if unknown or not terms:
        raise SpecError(
            f"no coefficient of {', '.join(unknown) or 'any term'}; the model of {result.outcome} has "
            f"{', '.join(result.coefficients.index)}"
        )


@dataclass(frozen=True)
class EconomicMagnitude:
    """How much of the outcome's spread or level one standard deviation of a regressor moves.

    Parameters
    ----------
    term, outcome : str
        Regressor and outcome.
    coefficient : float
        Estimated effect of one unit.
    term_sd : float
        Standard deviation of the regressor.
    relative_to : {"sd", "mean"}
        What the change is compared with.
    outcome_scale : float
        Standard deviation or mean of the outcome.
    """

    term: str
    outcome: str
    coefficient: float
    term_sd: float
    relative_to: Literal["sd", "mean"]
    outcome_scale: float

    @property
    def change(self) -> float:
        """Change of the outcome, in its units, as the regressor rises by one standard deviation."""
        return self.coefficient * self.term_sd

    @property
    def share(self) -> float:
        """The change as a share of the outcome's standard deviation or mean."""
        return self.change / abs(self.outcome_scale) if self.outcome_scale else float("nan")

    def summary(self) -> str:
        """Say the magnitude in one sentence with its arithmetic."""
        name = {"sd": "standard deviation", "mean": "mean"}[self.relative_to]
        return (
            f"One standard deviation of {self.term} ({self.term_sd:.4g}) goes with a change of {self.outcome} by "
            f"{self.change:.4g}, {self.share:.1%} of its {name} "
            f"({self.coefficient:.4g} x {self.term_sd:.4g} / {self.outcome_scale:.4g})."
        )


def economic_magnitude(
    result: Regression,
    term: str,
    *,
    data: pd.DataFrame | None = None,
    relative_to: Literal["sd", "mean"] = "sd",
) -> EconomicMagnitude:
    """Compute coefficient times the regressor's standard deviation over the outcome's standard deviation or mean.

    Parameters
    ----------
    result : Regression
        Estimates.
    term : str
        Regressor.
    data : DataFrame, optional
        Rows that set the standard deviations; by default the rows of the estimate.
    relative_to : {"sd", "mean"}
        What the change is compared with.

    Raises
    ------
    SpecError
        The term is not in the model.
    DataError
        ``data`` lacks a column.
    """
    _refuse_terms(result, [term])
    term_sd = float(result.regressor_sds[term])
    scale = result.outcome_sd if relative_to == "sd" else result.outcome_mean
    if data is not None:
        lacking = [name for name in (term, result.outcome) if name not in data.columns]
        if lacking:
            raise DataError(f"no column {', '.join(lacking)} in the data for the magnitude of {term}")
        term_sd = float(np.nanstd(numeric_values(data[term]), ddof=1))
        outcome = numeric_values(data[result.outcome])
        scale = float(np.nanstd(outcome, ddof=1) if relative_to == "sd" else np.nanmean(outcome))
    return EconomicMagnitude(term, result.outcome, float(result.coefficients[term]), term_sd, relative_to, float(scale))
