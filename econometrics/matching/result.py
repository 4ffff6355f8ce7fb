"""Result of a matching: the estimate, how like the rows became, and how many of them carry it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from econometrics.estimation.effects import Floats
from econometrics.estimation.result import Regression
from econometrics.matching.sample import MatchingSample


@dataclass(frozen=True)
class Matching:
    """A regression on matched or weighted rows, with the balance of the covariates.

    Parameters
    ----------
    outcome, treatment : str
        Columns; the treatment may be ``NAME_above_cut``.
    terms : tuple of str
        Regressors of interest of the regression.
    regression, difference : Regression
        The weighted regression with controls and effects; and the weighted difference of means (the effect on the
        treated), without them.
    balance : DataFrame
        covariate, mean_treated, mean_before, mean_after, difference_before, difference_after (in standard deviations,
        of both groups before weighting), ratio_before, ratio_after (of variances).
    weights, scores : Series
        Of each row of the sample, by its position in the data frame given; scores are None for entropy balancing.
    pairs : DataFrame
        treated, match: positions; empty where there are no pairs.
    treated, others, matched_treated, matched_others : int
        Rows before and after.
    effective_others : float
        How many equally weighted rows the weights of the others are worth (Kish).
    largest_weight_share : float
        Share of all weight of the others that the heaviest one has.
    off_support : int
        Treated rows outside of the scores of the others.
    converged : bool
        Whether balancing came to its end.
    options : mapping of str to str
        Choices made.
    dropped : dict of str to int
        Rows left out before matching, by reason.
    assumptions, warnings : tuple of str
        In words.
    seed : int or None
        Of the order of matching.
    """

    outcome: str
    treatment: str
    terms: tuple[str, ...]
    regression: Regression
    difference: Regression
    balance: pd.DataFrame = field(repr=False)
    weights: pd.Series = field(repr=False)
    scores: pd.Series | None = field(repr=False)
    pairs: pd.DataFrame = field(repr=False)
    treated: int
    others: int
    matched_treated: int
    matched_others: int
    effective_others: float
    largest_weight_share: float
    off_support: int
    converged: bool
    options: Mapping[str, str]
    dropped: dict[str, int]
    assumptions: tuple[str, ...]
    warnings: tuple[str, ...]
    seed: int | None

    def to_frame(self, level: float = 0.95) -> pd.DataFrame:
        """One row a term of the regression, and the difference of means; ``estimator`` says which.

        Parameters
        ----------
        level : float
            Coverage of the interval.
        """
        main = self.regression.to_frame(level).assign(estimator="regression")
        plain = self.difference.to_frame(level).assign(estimator="difference of means")
        return pd.concat([main, plain[plain["term"] == self.treatment]], ignore_index=True)

    def summary(self) -> str:
        """Plain text for a reader."""
        chosen = ", ".join(f"{name} {text}" for name, text in self.options.items())
        lines = [
            f"{self.treatment} on {self.outcome}: {chosen}",
            f"  treated {self.matched_treated:,} of {self.treated:,} matched, others {self.matched_others:,} of "
            f"{self.others:,} (worth {self.effective_others:,.0f} equal ones; the heaviest has "
            f"{self.largest_weight_share:.1%})",
        ]
        if self.off_support:
            lines.append(f"  treated off the common support: {self.off_support:,}")
        for row in self.to_frame().itertuples():
            if row.term in (*self.terms, self.treatment):
                lines.append(
                    f"  {row.estimator!s:<20} {row.term!s:<24}{row.estimate:>12.5g} ({row.standard_error:.4g}), "
                    f"p = {row.p_value:.4f}, {row.observations:,} observations"
                )
        lines.append("  standardised differences before and after:")
        lines += [
            f"    {row.covariate!s:<28}{row.difference_before:>8.3f}{row.difference_after:>8.3f}"
            for row in self.balance.itertuples()
        ]
        lines += [f"  warning: {text}" for text in self.warnings]
        return "\n".join(lines + [f"  assumption: {text}" for text in self.assumptions])


def balance_table(sample: MatchingSample, weights: Floats) -> pd.DataFrame:
    """Compare the covariates of treated and others before and after weighting.

    Differences are divided by the root of the mean of both groups' variances before weighting (Rosenbaum and Rubin
    1985), so that they can only fall by better balance.

    Parameters
    ----------
    sample : MatchingSample
        Rows and covariates.
    weights : (n,) float array
        Weights of the rows; 0 for those left out.
    """
    treated = sample.is_treated
    inside, others = sample.covariates[treated], sample.covariates[~treated]
    pooled = np.sqrt((inside.var(axis=0, ddof=1) + others.var(axis=0, ddof=1)) / 2)
    pooled = np.where(pooled > 0, pooled, np.nan)
    kept, kept_variance = _moments(inside, weights[treated])
    weighted, weighted_variance = _moments(others, weights[~treated])
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio_before = inside.var(axis=0, ddof=1) / others.var(axis=0, ddof=1)
        ratio_after = kept_variance / weighted_variance
    return pd.DataFrame(
        {
            "covariate": list(sample.names),
            "mean_treated": inside.mean(axis=0),
            "mean_before": others.mean(axis=0),
            "mean_treated_after": kept,
            "mean_after": weighted,
            "difference_before": (inside.mean(axis=0) - others.mean(axis=0)) / pooled,
            "difference_after": (kept - weighted) / pooled,
            "ratio_before": ratio_before,
            "ratio_after": ratio_after,
        }
    )


def _moments(columns: Floats, weights: Floats) -> tuple[Floats, Floats]:
    mean = np.average(columns, axis=0, weights=weights)
    size = effective_size(weights)
    variance = np.average((columns - mean) ** 2, axis=0, weights=weights)
    return mean, variance * (size / (size - 1) if size > 1 else np.nan)


def effective_size(weights: Floats) -> float:
    """Return how many equal weights these are worth: (sum w)^2 / sum w^2 (Kish 1965).

    Parameters
    ----------
    weights : (n,) float array
        None negative.
    """
    return float(weights.sum() ** 2 / (weights**2).sum())
