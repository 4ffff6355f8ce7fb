"""One result for every estimator of a staggered policy, and its uniform band."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from shuzhi import DataError

Aggregation = Literal["overall", "mean", "dynamic", "group", "calendar", "group_time"]

COLUMNS = (
    "estimator",
    "aggregation",
    "term",
    "event_time",
    "group",
    "time",
    "estimate",
    "standard_error",
    "statistic",
    "p_value",
    "interval_low",
    "interval_high",
    "observations",
)


@dataclass(frozen=True)
class StaggeredEffects:
    """Effects of a staggered policy by one estimator.

    Parameters
    ----------
    estimator, outcome : str
        Name of the estimator and of the outcome.
    effects : DataFrame
        One row per effect with the columns of `COLUMNS`; `aggregation` is overall (the effect on the treated, one
        row), mean (other means of Callaway-Sant'Anna), dynamic (by periods since treatment), group (by first treated
        period), calendar or group_time.
    covariance : DataFrame
        Covariance of the dynamic effects, rows and columns by event time; empty where there are none.
    reference : int
        Event time whose effect is zero by construction.
    observations, units, treated_units, never_treated_units : int
        Size of the sample.
    clusters : dict of str to int
        Number of clusters of each clustering column.
    degrees_of_freedom : float
        Of the t distribution behind intervals and p values; infinity for the normal distribution.
    dropped : dict of str to int
        Rows left out, by reason.
    assumptions, warnings : tuple of str
        In words.
    options : mapping of str to str
        Choices made (control group, method, base period).
    leads_test : dict of str to float, optional
        Joint test of the effects before treatment, where it does not follow from the covariance.
    """

    estimator: str
    outcome: str
    effects: pd.DataFrame
    covariance: pd.DataFrame
    reference: int
    observations: int
    units: int
    treated_units: int
    never_treated_units: int
    clusters: dict[str, int]
    degrees_of_freedom: float
    dropped: dict[str, int]
    assumptions: tuple[str, ...]
    warnings: tuple[str, ...]
    options: Mapping[str, str] = field(default_factory=dict)
    leads_test: dict[str, float] | None = None

    @property
    def estimate(self) -> float:
        """Overall effect on the treated."""
        return float(self._overall()["estimate"])

    @property
    def standard_error(self) -> float:
        """Standard error of the overall effect."""
        return float(self._overall()["standard_error"])

    @property
    def p_value(self) -> float:
        """Two-sided p value of the overall effect."""
        return float(self._overall()["p_value"])

    def _overall(self) -> pd.Series:
        return self.effects.loc[self.effects["aggregation"] == "overall"].iloc[0]

    def to_frame(self, aggregation: Aggregation | None = None) -> pd.DataFrame:
        """Effects as a tidy frame, all of them or those of one aggregation.

        Parameters
        ----------
        aggregation : str, optional
            One of overall, mean, dynamic, group, calendar, group_time.

        Returns
        -------
        DataFrame
            Columns `COLUMNS`, one row per effect.

        Raises
        ------
        DataError
            When the estimator has no such aggregation.
        """
        if aggregation is None:
            return self.effects.copy()
        chosen = self.effects.loc[self.effects["aggregation"] == aggregation].reset_index(drop=True)
        if chosen.empty:
            have = ", ".join(self.effects["aggregation"].unique())
            raise DataError(f"{self.estimator} has no aggregation '{aggregation}'; it has {have}")
        return chosen

    def event_study(self, *, level: float = 0.95, draws: int = 10_000, seed: int = 1) -> pd.DataFrame:
        """Dynamic effects with the reference period and a uniform band, ready for a plot.

        Parameters
        ----------
        level : float
            Level of the uniform band.
        draws, seed : int
            Normal draws of the largest statistic and their seed.

        Returns
        -------
        DataFrame
            event_time, estimate, standard_error, statistic, p_value, interval_low, interval_high, uniform_low,
            uniform_high (NaN where the covariance is not known), observations, is_reference; sorted by event time.
        """
        frame = self.to_frame("dynamic")
        wanted = ["event_time", "estimate", "standard_error", "statistic", "p_value", "interval_low", "interval_high"]
        frame = frame[[*wanted, "observations"]].assign(is_reference=False)
        # Without the covariance of the effects there is no joint statement.
        critical = (
            uniform_critical_value(self.covariance.to_numpy(), level=level, draws=draws, seed=seed)
            if self.covariance.size
            else np.nan
        )
        frame["uniform_low"] = frame["estimate"] - critical * frame["standard_error"]
        frame["uniform_high"] = frame["estimate"] + critical * frame["standard_error"]
        if self.reference not in set(frame["event_time"]):
            bounds = ["estimate", "interval_low", "interval_high", "uniform_low", "uniform_high"]
            row: dict[str, object] = {"event_time": self.reference, "is_reference": True}
            row |= dict.fromkeys(bounds, 0.0)
            frame = pd.concat([frame, pd.DataFrame([row])], ignore_index=True)
        return frame.astype({"event_time": int}).sort_values("event_time").reset_index(drop=True)

    def pre_trend_test(self) -> dict[str, float]:
        """Joint Wald test that all effects before the treatment are zero (for the imputation estimator an F test).

        Returns
        -------
        dict
            statistic (chi-squared), degrees_of_freedom, p_value; NaN where no effect before treatment is estimated.
        """
        from scipy.stats import chi2

        if self.leads_test is not None:
            return dict(self.leads_test)
        frame = self.effects.loc[self.effects["aggregation"] == "dynamic"]
        before = frame.loc[(frame["event_time"] < 0) & (frame["standard_error"] > 0), ["event_time", "estimate"]]
        if before.empty or self.covariance.empty:
            return {"statistic": np.nan, "degrees_of_freedom": 0.0, "p_value": np.nan}
        times = before["event_time"].astype(int)
        block = self.covariance.loc[times, times].to_numpy()
        values = before["estimate"].to_numpy()
        rank = int(np.linalg.matrix_rank(block, hermitian=True))
        statistic = float(values @ np.linalg.pinv(block, hermitian=True) @ values)
        return {"statistic": statistic, "degrees_of_freedom": float(rank), "p_value": float(chi2.sf(statistic, rank))}

    def summary(self) -> str:
        """Plain text for a reader."""
        pre = self.pre_trend_test()
        lines = [
            f"{self.estimator}: effect of the policy on {self.outcome}",
            f"  {self.observations} rows, {self.units} units, {self.treated_units} treated, "
            f"{self.never_treated_units} never treated",
        ]
        lines += [f"  {name}: {value}" for name, value in self.options.items()]
        for kind in ("overall", "mean", "dynamic", "group", "calendar"):
            for row in self.effects.loc[self.effects["aggregation"] == kind].itertuples():
                stars = f"[{row.interval_low:.4f}, {row.interval_high:.4f}]"
                lines.append(f"  {row.term:<22}{row.estimate:>11.4f}  ({row.standard_error:.4f})  {stars}")
        if np.isfinite(pre["p_value"]):
            lines.append(
                f"  effects before treatment jointly zero: chi2({pre['degrees_of_freedom']:.0f}) = "
                f"{pre['statistic']:.2f}, p = {pre['p_value']:.4f}"
            )
        lines += [f"  dropped: {count} rows, {reason}" for reason, count in self.dropped.items()]
        lines += [f"  assumption: {text}" for text in self.assumptions]
        lines += [f"  warning: {text}" for text in self.warnings]
        return "\n".join(lines)


def effect_rows(
    estimator: str,
    aggregation: Aggregation,
    keys: Sequence[Mapping[str, float]],
    estimates: np.ndarray,
    standard_errors: np.ndarray,
    observations: Sequence[int] | np.ndarray,
    *,
    degrees_of_freedom: float = np.inf,
    level: float = 0.95,
) -> pd.DataFrame:
    """Rows of `StaggeredEffects.effects` from estimates and standard errors.

    Parameters
    ----------
    estimator : str
        Name of the estimator.
    aggregation : str
        Kind of all rows.
    keys : sequence of mappings
        event_time, group and time of each effect, where they apply.
    estimates, standard_errors, observations : (effects,) arrays
        Numbers of each effect.
    degrees_of_freedom : float
        Of the t distribution; infinity for the normal one.
    level : float
        Level of the intervals.

    Returns
    -------
    DataFrame
        Columns `COLUMNS`.
    """
    from scipy.stats import t as student

    estimate = np.asarray(estimates, dtype=float)
    error = np.where(np.asarray(standard_errors, dtype=float) > 0, standard_errors, np.nan)
    critical = float(student.ppf(0.5 + level / 2, degrees_of_freedom))
    statistic = estimate / error
    frame = pd.DataFrame(list(keys), index=range(estimate.size))
    frame = frame.reindex(columns=["event_time", "group", "time"]).astype(float)
    return frame.assign(
        estimator=estimator,
        aggregation=aggregation,
        term=[_term(aggregation, key) for key in keys],
        estimate=estimate,
        standard_error=error,
        statistic=statistic,
        p_value=2 * student.sf(np.abs(statistic), degrees_of_freedom),
        interval_low=estimate - critical * error,
        interval_high=estimate + critical * error,
        observations=np.asarray(observations),
    )[list(COLUMNS)]


def uniform_critical_value(covariance: np.ndarray, *, level: float = 0.95, draws: int = 10_000, seed: int = 1) -> float:
    """Critical value of the largest absolute t statistic of jointly normal estimates.

    Parameters
    ----------
    covariance : (effects, effects) array
        Covariance of the estimates; effects without variance are left out.
    level : float
        Joint coverage.
    draws, seed : int
        Normal draws and their seed.

    Returns
    -------
    float
        The critical value, never below that of a single estimate.

    References
    ----------
    Montiel Olea, J. L. and Plagborg-Moller, M. (2019). Simultaneous confidence bands. Journal of Applied Econometrics.
    """
    from scipy.stats import norm

    single = float(norm.ppf(0.5 + level / 2))
    used = np.flatnonzero(np.diag(covariance) > 0) if covariance.size else np.array([], dtype=int)
    if used.size < 2:
        return single
    block = covariance[np.ix_(used, used)]
    spread = np.sqrt(np.diag(block))
    values, vectors = np.linalg.eigh(block / np.outer(spread, spread))
    factor = vectors * np.sqrt(np.maximum(values, 0.0))
    drawn = np.random.Generator(np.random.PCG64(seed)).standard_normal((draws, used.size)) @ factor.T
    return max(single, float(np.quantile(np.abs(drawn).max(axis=1), level)))


def _term(aggregation: Aggregation, key: Mapping[str, float]) -> str:
    if aggregation in ("overall", "mean"):
        return aggregation
    if aggregation == "dynamic":
        return f"event_time {int(key['event_time']):+d}"
    if aggregation == "group":
        return f"group {int(key['group'])}"
    if aggregation == "calendar":
        return f"time {int(key['time'])}"
    return f"group {int(key['group'])}, time {int(key['time'])}"
