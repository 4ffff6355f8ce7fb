"""Result of a sample-selection model: both equations, the exclusion restriction, and what stays doubtful."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pandas as pd

from econometrics.estimation.tails import t_quantiles

SelectionErrors = Literal["two_step", "cluster", "bootstrap"]


@dataclass(frozen=True)
class SampleSelection:
    """A regression corrected for the selection of its rows.

    Parameters
    ----------
    outcome, selected : str
        Columns explained by the two equations.
    coefficients, standard_errors, statistics, p_values : Series
        Of the outcome equation, with the inverse Mills ratio after the regressors.
    covariance : DataFrame
        Of the coefficients.
    degrees_of_freedom : float
        Of the t distribution behind p values and intervals; infinite for the normal.
    selection : DataFrame
        The probit: term, estimate, standard_error, statistic, p_value.
    excluded : tuple of str
        Terms of the probit that are not in the outcome equation: the exclusion restriction.
    excluded_statistic, excluded_p_value : float
        Wald test that they all are without effect on the selection (chi-squared); NaN where there are none.
    mills_r2 : float
        Share of the inverse Mills ratio that the other regressors and effects explain: near one, the correction
        rests on the shape of the normal distribution alone.
    rho, sigma : float
        Correlation of the two errors, and standard deviation of the outcome's.
    observations, selection_observations : int
        Rows of the outcome equation and of the probit.
    clusters : dict of str to int
        Clusters by variable.
    fixed_effects : tuple of str
        Absorbed in the outcome equation.
    standard_error_kind : {"two_step", "cluster", "bootstrap"}
        How errors were computed.
    dropped : dict of str to int
        Rows left out, by reason.
    assumptions, warnings : tuple of str
        In words.
    seed, draws : int or None
        Of the bootstrap.
    """

    outcome: str
    selected: str
    coefficients: pd.Series
    standard_errors: pd.Series
    statistics: pd.Series
    p_values: pd.Series
    covariance: pd.DataFrame
    degrees_of_freedom: float
    selection: pd.DataFrame
    excluded: tuple[str, ...]
    excluded_statistic: float
    excluded_p_value: float
    mills_r2: float
    rho: float
    sigma: float
    observations: int
    selection_observations: int
    clusters: dict[str, int]
    fixed_effects: tuple[str, ...]
    standard_error_kind: SelectionErrors
    dropped: dict[str, int]
    assumptions: tuple[str, ...]
    warnings: tuple[str, ...]
    seed: int | None = None
    draws: int | None = None

    def to_frame(self, level: float = 0.95) -> pd.DataFrame:
        """One row a term of the outcome equation.

        Parameters
        ----------
        level : float
            Coverage of the interval.
        """
        half = self.standard_errors * t_quantiles(level, pd.Series(self.degrees_of_freedom, self.coefficients.index))
        return pd.DataFrame(
            {
                "term": list(self.coefficients.index),
                "estimate": self.coefficients.to_numpy(),
                "standard_error": self.standard_errors.to_numpy(),
                "statistic": self.statistics.to_numpy(),
                "p_value": self.p_values.to_numpy(),
                "interval_low": (self.coefficients - half).to_numpy(),
                "interval_high": (self.coefficients + half).to_numpy(),
                "observations": self.observations,
            }
        )

    def summary(self) -> str:
        """Plain text for a reader."""
        lines = [
            f"Heckman two-step of {self.outcome}: {self.observations:,} of {self.selection_observations:,} rows "
            f"selected ({self.selected}); errors: {self.standard_error_kind}"
        ]
        if self.fixed_effects:
            lines.append(f"Fixed effects: {', '.join(self.fixed_effects)}")
        for row in self.to_frame().itertuples():
            lines.append(f"  {row.term:<24}{row.estimate:>12.5g} ({row.standard_error:.4g}), p = {row.p_value:.4f}")
        lines.append(f"rho {self.rho:.3f}, sigma {self.sigma:.4g}")
        if self.excluded:
            lines.append(
                f"Exclusion: {', '.join(self.excluded)}; chi2 {self.excluded_statistic:.2f}, "
                f"p = {self.excluded_p_value:.4f}"
            )
        if self.dropped:
            lines.append("Rows dropped: " + ", ".join(f"{reason} {count:,}" for reason, count in self.dropped.items()))
        lines += [f"Warning: {text}" for text in self.warnings]
        return "\n".join(lines + [f"Assumption: {text}" for text in self.assumptions])
