"""Result of a specification curve: all estimates, what each choice does, and the joint tests."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from econometrics.robustness.baseline import Baseline


@dataclass(frozen=True)
class SpecificationCurve:
    """Estimates of all specifications, and joint tests.

    Parameters
    ----------
    baseline : Baseline
        The model that is varied.
    choices : tuple of str
        Dimensions, columns of ``estimates``.
    estimates : DataFrame
        One row a specification, in the order of the estimates: specification, one column a dimension, outcome_column,
        regressor_column, estimate, standard_error, statistic, p_value, interval_low, interval_high, observations,
        clusters, within_r2, standardised_estimate (in standard deviations of outcome and regressor), is_main, reason,
        and null_low and null_high: between which 95 % of the curves without an effect lie at this rank.
    joint_tests : DataFrame
        test (median, share significant, mean z), statistic, p_value, null_mean, draws; empty without draws.
    specifications, possible : int
        Estimated, and all that there are.
    level : float
        Significance level.
    observations : int
        Most rows that a specification uses.
    draws, seed : int
        Of the joint tests.
    assumptions, warnings : tuple of str
        In words.
    """

    baseline: Baseline
    choices: tuple[str, ...]
    estimates: pd.DataFrame
    joint_tests: pd.DataFrame
    specifications: int
    possible: int
    level: float
    observations: int
    draws: int
    seed: int
    assumptions: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def median(self) -> float:
        """Median estimate."""
        return float(self._known()["estimate"].median())

    @property
    def standardised_median(self) -> float:
        """Median of the estimates in standard deviations of outcome and regressor."""
        return float(self._known()["standardised_estimate"].median())

    @property
    def share_significant(self) -> float:
        """Share of specifications whose p value is below the level."""
        return float((self._known()["p_value"] < self.level).mean())

    @property
    def share_same_sign(self) -> float:
        """Share of specifications with the sign of the median."""
        return float((np.sign(self._known()["estimate"]) == np.sign(self.median)).mean())

    def _known(self) -> pd.DataFrame:
        return self.estimates[self.estimates["estimate"].notna()]

    def to_frame(self) -> pd.DataFrame:
        """One row a specification, as ``figures.specification_curve`` draws it."""
        return self.estimates.rename(columns={"regressor_column": "term"}).assign(
            regressor_column=self.estimates["regressor_column"]
        )

    def by_choice(self) -> pd.DataFrame:
        """One row an option of a dimension: specifications, median, share_significant, lowest, highest."""
        rows = []
        for dimension in self.choices:
            for option, part in self._known().groupby(dimension, sort=False):
                rows.append(
                    {
                        "dimension": dimension,
                        "option": option,
                        "specifications": len(part),
                        "median": float(part["estimate"].median()),
                        "share_significant": float((part["p_value"] < self.level).mean()),
                        "lowest": float(part["estimate"].min()),
                        "highest": float(part["estimate"].max()),
                    }
                )
        return pd.DataFrame(rows)

    def summary(self) -> str:
        """Plain text for a reader."""
        known = self._known()
        lines = [
            f"specification curve: {self.specifications:,} of {self.possible:,} specifications of "
            f"{', '.join(self.choices)}; median {self.median:.4g} (standardised "
            f"{self.standardised_median:.4g}), from {known['estimate'].min():.4g} to "
            f"{known['estimate'].max():.4g}; {self.share_significant:.0%} significant at {self.level:g}, "
            f"{self.share_same_sign:.0%} with the sign of the median"
        ]
        for row in self.joint_tests.itertuples():
            lines.append(
                f"  joint test, {row.test!s}: {row.statistic:.4g} (without an effect {row.null_mean:.4g} on average), "
                f"p = {row.p_value:.4f}"
            )
        for row in self.by_choice().itertuples():
            lines.append(
                f"  {row.dimension!s} = {row.option!s}: median {row.median:.4g}, {row.share_significant:.0%} of "
                f"{row.specifications} significant"
            )
        lines += [f"  warning: {text}" for text in self.warnings]
        return "\n".join(lines + [f"  assumption: {text}" for text in self.assumptions])
