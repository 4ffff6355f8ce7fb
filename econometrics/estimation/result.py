"""Results of linear regressions: coefficients and their covariance, in a table, in words, and as a magnitude."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

from econometrics.estimation.covariance import SmallSample, StandardErrors
from econometrics.estimation.tails import t_quantiles

if TYPE_CHECKING:
    from econometrics.estimation.wild_bootstrap import WildBootstrap

KIND_IN_WORDS = {
    "classical": "classical (homoskedastic)",
    "robust": "heteroskedasticity-robust (HC1)",
    "cluster": "clustered",
    "cr2": "clustered, bias-reduced (CR2, Satterthwaite degrees of freedom)",
    "wild": "clustered, with p values and intervals by wild cluster bootstrap,",
}


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
        convention = "" if self.standard_error_kind == "cr2" else f"; small-sample convention: {self.small_sample}"
        lines.append(f"Standard errors: {errors}{convention}")
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
