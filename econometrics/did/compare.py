"""Staggered policies: all estimators side by side, and the one door to each of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import pandas as pd

from econometrics.did.bacon import BaconDecomposition, bacon_decomposition
from econometrics.did.callaway_and_santanna import callaway_santanna
from econometrics.did.cells import CellMethod
from econometrics.did.imputed import imputation
from econometrics.did.result import StaggeredEffects
from econometrics.did.sample import staggered_sample
from econometrics.did.sun_and_abraham import sun_abraham
from econometrics.did.two_way import event_study, static_two_way
from shuzhi import DataError, EstimationError

Estimator = Literal[
    "static_two_way",
    "event_study",
    "callaway_santanna_never_treated",
    "callaway_santanna_not_yet_treated",
    "sun_abraham",
    "imputation",
]


@dataclass(frozen=True)
class EstimatorComparison:
    """Effects of one policy by several estimators on the same rows.

    Parameters
    ----------
    results : dict of str to StaggeredEffects
        By estimator, those that could be computed.
    failures : dict of str to str
        Why the others could not.
    bacon : BaconDecomposition or None
        What the static two-way estimate without covariates averages.
    dropped : dict of str to int
        Rows left out for all estimators, by reason.
    assumptions, warnings : tuple of str
        In words.
    """

    results: dict[str, StaggeredEffects]
    failures: dict[str, str]
    bacon: BaconDecomposition | None
    dropped: dict[str, int]
    assumptions: tuple[str, ...]
    warnings: tuple[str, ...]

    def to_frame(self) -> pd.DataFrame:
        """Overall effect on the treated by estimator, one row each, with the p value of the effects before treatment.

        Returns
        -------
        DataFrame
            Columns of `StaggeredEffects.effects` and pre_trend_p_value, treated_units, never_treated_units, rows.
        """
        frames = []
        for name, result in self.results.items():
            row = result.to_frame("overall").head(1).assign(estimator=name)
            frames.append(
                row.assign(
                    pre_trend_p_value=result.pre_trend_test()["p_value"],
                    treated_units=result.treated_units,
                    never_treated_units=result.never_treated_units,
                    rows=result.observations,
                )
            )
        return pd.concat(frames, ignore_index=True).drop(columns=["event_time", "group", "time"])

    def event_studies(self, *, level: float = 0.95, seed: int = 1) -> pd.DataFrame:
        """Effects by time since treatment of all estimators that have them, for one plot.

        Parameters
        ----------
        level : float
            Level of the uniform bands.
        seed : int
            Seed of their normal draws.

        Returns
        -------
        DataFrame
            estimator and the columns of `StaggeredEffects.event_study`.
        """
        frames = [
            result.event_study(level=level, seed=seed).assign(estimator=name)
            for name, result in self.results.items()
            if (result.effects["aggregation"] == "dynamic").any()
        ]
        frame = pd.concat(frames, ignore_index=True)
        return frame[["estimator", *[name for name in frame.columns if name != "estimator"]]]

    def summary(self) -> str:
        """Plain text for a reader."""
        lines = ["effect of the policy on the treated, by estimator"]
        for row in self.to_frame().itertuples():
            lines.append(
                f"  {row.estimator:<36}{row.estimate:>10.4f} ({row.standard_error:.4f})  "
                f"[{row.interval_low:.4f}, {row.interval_high:.4f}]  {row.rows} rows"
            )
        lines += [f"  {name}: not computed, {reason}" for name, reason in self.failures.items()]
        if self.bacon is not None:
            lines.append(self.bacon.summary())
        lines += [f"  dropped: {count} rows, {reason}" for reason, count in self.dropped.items()]
        return "\n".join(lines + [f"  warning: {text}" for text in self.warnings])


def compare_estimators(
    data: pd.DataFrame,
    outcome: str,
    *,
    unit: str,
    time: str,
    first_treated: str,
    controls: Sequence[str] = (),
    cluster: str | None = None,
    method: CellMethod = "dr",
    estimators: Sequence[Estimator] = get_args(Estimator),
    level: float = 0.95,
) -> EstimatorComparison:
    """Estimate the effect of a staggered policy by all estimators on the same rows.

    Parameters
    ----------
    data : DataFrame
        One row per unit and period.
    outcome, unit, time, first_treated : str
        Columns; see `did_sample.staggered_sample` for how units never treated are written.
    controls : sequence of str
        Numeric covariates. The two-way, Sun-Abraham and imputation estimators take them in each period,
        Callaway-Sant'Anna takes them before the change.
    cluster : str, optional
        Column of clusters above the unit; by default the unit.
    method : {"dr", "reg", "ipw"}
        Method of Callaway-Sant'Anna.
    estimators : sequence of str
        Which ones, by default all.
    level : float
        Level of the intervals.

    Returns
    -------
    EstimatorComparison
        An estimator that cannot be computed is a flagged failure, not an error.

    Raises
    ------
    DataError
        When the data frame cannot be used or an estimator has another name.
    EstimationError
        When no estimator can be computed.
    """
    unknown = [name for name in estimators if name not in get_args(Estimator)]
    if unknown:
        raise DataError(f"unknown estimators: {', '.join(unknown)}; there are {', '.join(get_args(Estimator))}")
    others = [] if cluster is None else [cluster]
    sample = staggered_sample(
        data, outcome=outcome, unit=unit, time=time, first_treated=first_treated, controls=controls, others=others
    )
    shared: dict[str, Any] = {
        "unit": unit,
        "time": time,
        "first_treated": first_treated,
        "controls": controls,
        "cluster": cluster,
        "level": level,
    }
    calls: dict[str, tuple[Callable[..., StaggeredEffects], dict[str, Any]]] = {
        "static_two_way": (static_two_way, {}),
        "event_study": (event_study, {}),
        "callaway_santanna_never_treated": (callaway_santanna, {"method": method}),
        "callaway_santanna_not_yet_treated": (
            callaway_santanna,
            {"method": method, "control_group": "not_yet_treated"},
        ),
        "sun_abraham": (sun_abraham, {}),
        "imputation": (imputation, {}),
    }
    results: dict[str, StaggeredEffects] = {}
    failures: dict[str, str] = {}
    for name in estimators:
        function, options = calls[name]
        try:
            results[name] = function(sample.data, outcome, **shared, **options)
        except EstimationError as error:
            failures[name] = str(error)
    if not results:
        raise EstimationError("no estimator can be computed: " + "; ".join(failures.values()))
    bacon, notes = None, list(sample.warnings)
    try:
        bacon = bacon_decomposition(sample.data, outcome, unit=unit, time=time, first_treated=first_treated)
        notes += [text for text in bacon.warnings if text not in notes]
    except EstimationError as error:
        failures["bacon_decomposition"] = str(error)
    for result in results.values():
        notes += [text for text in result.warnings if text not in notes]
    assumptions = tuple(dict.fromkeys(text for result in results.values() for text in result.assumptions))
    return EstimatorComparison(results, failures, bacon, sample.dropped, assumptions, tuple(notes))
