"""Results of corrections for measurement error: by a known reliability, and by simulation (SIMEX)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pandas as pd

from econometrics.estimation.tails import t_p_values, t_quantiles
from econometrics.measurement_error.extrapolate import Extrapolant

ReliabilityOf = Literal["level", "within"]
SimexVariance = Literal["estimating_equations", "stefanski_cook", "bootstrap"]


@dataclass(frozen=True)
class AttenuationCorrection:
    """A regression corrected for the error of one regressor, by its reliability.

    Parameters
    ----------
    outcome, term : str
        Column explained, and the regressor with error.
    estimates : DataFrame
        correction (``none``, ``level``, ``within``), term, estimate, standard_error, statistic, p_value,
        degrees_of_freedom.
    main : {"level", "within"}
        What the reliability given is taken for.
    reliability, reliability_standard_error : float
        As given.
    within_reliability : float
        Reliability of what the fixed effects leave, if the one given is that of the levels.
    partial_reliability : dict of str to float
        By correction: the same after the other regressors too; the estimate without correction is that share of the
        corrected one.
    persistent_share : float
        Share of the error's variance that the effects absorb.
    observations : int
        Rows used.
    clusters : dict of str to int
        Clusters by variable.
    fixed_effects : tuple of str
        Effects absorbed.
    dropped : dict of str to int
        Rows left out, by reason.
    assumptions, warnings : tuple of str
        In words.
    """

    outcome: str
    term: str
    estimates: pd.DataFrame
    main: ReliabilityOf
    reliability: float
    reliability_standard_error: float
    within_reliability: float
    partial_reliability: dict[str, float]
    persistent_share: float
    observations: int
    clusters: dict[str, int]
    fixed_effects: tuple[str, ...]
    dropped: dict[str, int]
    assumptions: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def estimate(self) -> float:
        """Corrected coefficient of the regressor with error."""
        return float(self._row()["estimate"])

    @property
    def standard_error(self) -> float:
        """Standard error of the corrected coefficient."""
        return float(self._row()["standard_error"])

    def _row(self) -> pd.Series:
        found = self.estimates
        return found[(found["correction"] == self.main) & (found["term"] == self.term)].iloc[0]

    def to_frame(self, level: float = 0.95) -> pd.DataFrame:
        """One row a correction and term.

        Parameters
        ----------
        level : float
            Coverage of the interval.
        """
        half = self.estimates["standard_error"] * t_quantiles(level, self.estimates["degrees_of_freedom"])
        return self.estimates.drop(columns="degrees_of_freedom").assign(
            interval_low=self.estimates["estimate"] - half,
            interval_high=self.estimates["estimate"] + half,
            observations=self.observations,
        )

    def summary(self) -> str:
        """Plain text for a reader."""
        lines = [
            f"{self.term} on {self.outcome}, reliability {self.reliability:.3f} of its "
            f"{'levels' if self.main == 'level' else 'variation within the effects'}; "
            f"{self.observations:,} observations"
        ]
        if self.fixed_effects:
            lines.append(f"  levels with that reliability leave {self.within_reliability:.3f} within the effects")
        words = {"none": "not corrected", "level": "reliability of levels", "within": "reliability within effects"}
        for row in self.to_frame().itertuples():
            if row.term == self.term:
                lines.append(
                    f"  {words[str(row.correction)]:<28}{row.estimate:>12.5g} ({row.standard_error:.4g}), "
                    f"p = {row.p_value:.4f}"
                )
        lines += [f"  warning: {text}" for text in self.warnings]
        return "\n".join(lines + [f"  assumption: {text}" for text in self.assumptions])


@dataclass(frozen=True)
class SimulationExtrapolation:
    """A coefficient followed back to a regressor without error.

    Parameters
    ----------
    outcome, term : str
        Column explained, and the regressor with error.
    estimate, standard_error : float
        By the extrapolant chosen.
    naive_estimate : float
        Without correction.
    extrapolant : {"nonlinear", "quadratic", "linear"}
        The curve chosen.
    extrapolations : DataFrame
        extrapolant, estimate, standard_error of all three.
    path : DataFrame
        error_added (0 is the data as they are, in variances of the error), estimate (mean over simulations).
    error_variance : float
        Variance of the error that the effects do not absorb.
    simulations : int
        Simulated errors.
    variance : {"estimating_equations", "stefanski_cook", "bootstrap"}
        Where the standard error comes from.
    degrees_of_freedom : float
        Of the t distribution.
    observations : int
        Rows used.
    clusters : dict of str to int
        Clusters by variable.
    fixed_effects : tuple of str
        Effects absorbed.
    seed, draws : int
        Seed, and bootstrap draws (0 without).
    dropped : dict of str to int
        Rows left out, by reason.
    assumptions, warnings : tuple of str
        In words.
    """

    outcome: str
    term: str
    estimate: float
    standard_error: float
    naive_estimate: float
    extrapolant: Extrapolant
    extrapolations: pd.DataFrame
    path: pd.DataFrame
    error_variance: float
    simulations: int
    variance: SimexVariance
    degrees_of_freedom: float
    observations: int
    clusters: dict[str, int]
    fixed_effects: tuple[str, ...]
    seed: int
    draws: int
    dropped: dict[str, int]
    assumptions: tuple[str, ...]
    warnings: tuple[str, ...]

    def to_frame(self, level: float = 0.95) -> pd.DataFrame:
        """One row an extrapolant; the one chosen first.

        Parameters
        ----------
        level : float
            Coverage of the interval.
        """
        found = self.extrapolations
        first = found["extrapolant"] == self.extrapolant
        found = pd.concat([found[first], found[~first]], ignore_index=True)
        statistics = found["estimate"] / found["standard_error"]
        degrees = pd.Series(self.degrees_of_freedom, index=found.index)
        half = found["standard_error"] * t_quantiles(level, degrees)
        return pd.DataFrame(
            {
                "term": self.term,
                "extrapolant": found["extrapolant"],
                "estimate": found["estimate"],
                "standard_error": found["standard_error"],
                "statistic": statistics,
                "p_value": t_p_values(statistics, degrees),
                "interval_low": found["estimate"] - half,
                "interval_high": found["estimate"] + half,
                "observations": self.observations,
                "simulations": self.simulations,
                "draws": self.draws,
                "seed": self.seed,
            }
        )

    def summary(self) -> str:
        """Plain text for a reader."""
        lines = [
            f"SIMEX of {self.term} on {self.outcome}: {self.naive_estimate:.5g} as measured, {self.estimate:.5g} "
            f"({self.standard_error:.4g}) without error ({self.extrapolant}); error variance "
            f"{self.error_variance:.4g}, {self.simulations} simulations, seed {self.seed}"
        ]
        lines += [f"  {row.extrapolant:<12}{row.estimate:>12.5g}" for row in self.extrapolations.itertuples()]
        lines += [f"  warning: {text}" for text in self.warnings]
        return "\n".join(lines + [f"  assumption: {text}" for text in self.assumptions])
