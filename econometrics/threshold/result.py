"""Results of panel threshold regressions."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from econometrics.estimation.result import Regression

Floats = NDArray[np.float64]
Errors = Literal["wild", "residual"]


@dataclass(frozen=True)
class ThresholdTest:
    """Test of one threshold more.

    Parameters
    ----------
    thresholds : int
        Number of thresholds under the alternative.
    statistic : float
        F: fall of the sum of squares over the residual variance.
    p_value : float
        (1 + bootstrap statistics at least as large) / (1 + draws).
    replicates : (draws,) float array
        Bootstrap statistics under the null hypothesis.
    critical_values : dict of float to float
        Their quantiles at 90, 95 and 99 %.
    """

    thresholds: int
    statistic: float
    p_value: float
    replicates: Floats
    critical_values: dict[float, float]


@dataclass(frozen=True)
class ThresholdRegression:
    """A regression with one or two thresholds.

    Parameters
    ----------
    outcome, threshold_variable : str
        Columns.
    changing : tuple of str
        Regressors whose slopes change.
    thresholds : tuple of float
        Rising; a row belongs to the lower regime up to and including the threshold.
    intervals : tuple of (float, float)
        Interval of each threshold by inverting the likelihood ratio.
    tests : tuple of ThresholdTest
        Of one threshold against none and, where asked for, two against one.
    model : Regression
        The regression given the thresholds, terms ``REGRESSOR [regime]``.
    regimes : DataFrame
        regime, low, high, rows.
    likelihood_ratio : DataFrame
        value, statistic for each threshold (column ``threshold`` 1 or 2), for the plot; and the critical value.
    bootstrap : {"wild", "residual"}
        How errors are drawn.
    draws, seed : int
        Of the bootstrap.
    dropped : dict of str to int
        Rows left out, by reason.
    assumptions, warnings : tuple of str
        In words.
    """

    outcome: str
    threshold_variable: str
    changing: tuple[str, ...]
    thresholds: tuple[float, ...]
    intervals: tuple[tuple[float, float], ...]
    tests: tuple[ThresholdTest, ...]
    model: Regression
    regimes: pd.DataFrame
    likelihood_ratio: pd.DataFrame
    bootstrap: Errors
    draws: int
    seed: int
    dropped: dict[str, int]
    assumptions: tuple[str, ...]
    warnings: tuple[str, ...]

    def to_frame(self, level: float = 0.95) -> pd.DataFrame:
        """Coefficients by regime, and a row for each threshold with its interval and bootstrap p value.

        Parameters
        ----------
        level : float
            Level of the coefficients' intervals.
        """
        rows = [
            {
                "term": f"threshold {place + 1}",
                "estimate": value,
                "statistic": self.tests[place].statistic if place < len(self.tests) else np.nan,
                "p_value": self.tests[place].p_value if place < len(self.tests) else np.nan,
                "interval_low": interval[0],
                "interval_high": interval[1],
                "observations": self.model.observations,
            }
            for place, (value, interval) in enumerate(zip(self.thresholds, self.intervals, strict=True))
        ]
        return pd.concat([self.model.to_frame(level), pd.DataFrame(rows)], ignore_index=True)

    def summary(self) -> str:
        """Plain text for a reader."""
        lines = [f"{self.outcome}: slopes of {', '.join(self.changing)} change with {self.threshold_variable}"]
        for value, interval in zip(self.thresholds, self.intervals, strict=True):
            lines.append(f"  threshold {value:.4g}, interval [{interval[0]:.4g}, {interval[1]:.4g}]")
        for test in self.tests:
            quantiles = ", ".join(f"{level:.0%} {value:.2f}" for level, value in test.critical_values.items())
            lines.append(
                f"  {test.thresholds} against {test.thresholds - 1}: F = {test.statistic:.2f}, p = {test.p_value:.4f} "
                f"({self.draws} {self.bootstrap} draws, seed {self.seed}; critical values {quantiles})"
            )
        for row in self.model.to_frame().itertuples():
            if "[" in str(row.term):
                lines.append(f"  {row.term!s:<32}{row.estimate:>10.4f} ({row.standard_error:.4f})")
        lines += [f"  dropped: {count} rows, {reason}" for reason, count in self.dropped.items()]
        lines += [f"  assumption: {text}" for text in self.assumptions]
        return "\n".join(lines + [f"  warning: {text}" for text in self.warnings])
