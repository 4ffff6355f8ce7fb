"""Regressions with unit and period effects: the static effect, the event study and Sun and Abraham (2021)."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from econometrics.did_result import Aggregation, StaggeredEffects, effect_rows
from econometrics.did_sample import StaggeredSample, staggered_sample, with_comparison
from econometrics.regress import Regression, SmallSample, regress
from shuzhi import DataError, EstimationError

TREATED = "__treated"


def static_two_way(
    data: pd.DataFrame,
    outcome: str,
    *,
    unit: str,
    time: str,
    first_treated: str,
    controls: Sequence[str] = (),
    cluster: str | None = None,
    drop_always_treated: bool = True,
    small_sample: SmallSample = "reghdfe",
    level: float = 0.95,
) -> StaggeredEffects:
    """Estimate one effect of the policy with unit and period effects.

    Parameters
    ----------
    data : DataFrame
        One row per unit and period.
    outcome, unit, time, first_treated : str
        Columns; see `did_sample.staggered_sample` for how units never treated are written.
    controls : sequence of str
        Numeric covariates.
    cluster : str, optional
        Column of clusters; by default the unit.
    drop_always_treated : bool
        Leave out units treated from the first period on.
    small_sample : {"reghdfe", "fixest", "linearmodels"}
        Convention of the standard errors.
    level : float
        Level of the intervals.

    Returns
    -------
    StaggeredEffects
        Aggregation overall.

    Raises
    ------
    DataError, EstimationError
        When the data frame cannot be used or the effect is not identified.
    """
    sample = staggered_sample(
        data,
        outcome=outcome,
        unit=unit,
        time=time,
        first_treated=first_treated,
        controls=controls,
        others=[] if cluster is None else [cluster],
        drop_always_treated=drop_always_treated,
    )
    dummies = pd.DataFrame({TREATED: (sample.times >= sample.row_first).astype(float)}, index=sample.data.index)
    result = _fit(sample, dummies, outcome, unit, time, controls, cluster, small_sample)
    if TREATED not in result.coefficients.index:
        raise EstimationError("the policy is explained by the unit and period effects and controls: no effect is left")
    effects = effect_rows(
        "static_two_way",
        "overall",
        [{}],
        result.coefficients[[TREATED]].to_numpy(),
        result.standard_errors[[TREATED]].to_numpy(),
        [int(dummies[TREATED].sum())],
        degrees_of_freedom=result.degrees_of_freedom,
        level=level,
    )
    return _result(
        "static_two_way",
        sample,
        outcome,
        result,
        effects,
        pd.DataFrame(),
        (
            "the effect is the same for all cohorts and at all times since treatment; otherwise cohorts enter with "
            "weights that may be negative (see bacon_decomposition)",
            *_common_assumptions(controls),
        ),
    )


def event_study(
    data: pd.DataFrame,
    outcome: str,
    *,
    unit: str,
    time: str,
    first_treated: str,
    controls: Sequence[str] = (),
    cluster: str | None = None,
    window: tuple[int, int] | None = None,
    reference: int = -1,
    drop_always_treated: bool = True,
    small_sample: SmallSample = "reghdfe",
    level: float = 0.95,
) -> StaggeredEffects:
    """Estimate effects by time since treatment with unit and period effects.

    Parameters
    ----------
    data : DataFrame
        One row per unit and period.
    outcome, unit, time, first_treated : str
        Columns; see `did_sample.staggered_sample` for how units never treated are written.
    controls : sequence of str
        Numeric covariates.
    cluster : str, optional
        Column of clusters; by default the unit.
    window : tuple of int, optional
        First and last event time; earlier and later ones are joined with them.
    reference : int
        Event time whose effect is zero.
    drop_always_treated : bool
        Leave out units treated from the first period on.
    small_sample : {"reghdfe", "fixest", "linearmodels"}
        Convention of the standard errors.
    level : float
        Level of the intervals.

    Returns
    -------
    StaggeredEffects
        Aggregations dynamic and overall (the mean over event times from 0 on, with weights of treated rows).

    Raises
    ------
    DataError, EstimationError
        When the data frame or the window cannot be used, or nothing is identified.
    """
    sample = staggered_sample(
        data,
        outcome=outcome,
        unit=unit,
        time=time,
        first_treated=first_treated,
        controls=controls,
        others=[] if cluster is None else [cluster],
        drop_always_treated=drop_always_treated,
    )
    relative = sample.event_time
    if window is not None:
        if not window[0] < window[1]:
            raise DataError(f"window must be an earlier and a later event time, such as (-5, 5); got {window}")
        relative = np.clip(relative, window[0], window[1])
    steps = np.unique(relative[np.isfinite(relative)]).astype(int)
    if reference not in steps:
        raise DataError(f"no row at the reference event time {reference}; there are {steps[0]} to {steps[-1]}")
    notes: list[str] = []
    left_out = {reference}
    if np.isfinite(sample.first).all():
        # Without units never treated, event times and periods are collinear: a second reference is needed.
        left_out.add(int(steps[0]))
        notes.append(f"no unit is never treated: the effect at event time {steps[0]} is set to zero as well")
    keys = [{"event_time": float(step)} for step in steps if step not in left_out]
    dummies = pd.DataFrame({_name(key): (relative == key["event_time"]).astype(float) for key in keys})
    dummies.index = sample.data.index
    result = _fit(sample, dummies, outcome, unit, time, controls, cluster, small_sample)
    counts = [int(dummies[_name(key)].sum()) for key in keys]
    effects, covariance = _aggregated("event_study", result, keys, counts, level)
    return _result(
        "event_study",
        sample,
        outcome,
        result,
        effects,
        covariance,
        (
            "effects differ by time since treatment only, not between cohorts; otherwise effects of other event times "
            "leak into each",
            *_common_assumptions(controls),
        ),
        reference=reference,
        notes=notes,
    )


def sun_abraham(
    data: pd.DataFrame,
    outcome: str,
    *,
    unit: str,
    time: str,
    first_treated: str,
    controls: Sequence[str] = (),
    cluster: str | None = None,
    reference: int = -1,
    small_sample: SmallSample = "reghdfe",
    level: float = 0.95,
) -> StaggeredEffects:
    """Estimate effects by cohort and time since treatment in one regression and average them by their rows.

    Parameters
    ----------
    data : DataFrame
        One row per unit and period.
    outcome, unit, time, first_treated : str
        Columns; see `did_sample.staggered_sample` for how units never treated are written. Where no unit is never
        treated, the cohort treated last is the comparison until it is treated.
    controls : sequence of str
        Numeric covariates.
    cluster : str, optional
        Column of clusters; by default the unit.
    reference : int
        Event time whose effect is zero in every cohort.
    small_sample : {"reghdfe", "fixest", "linearmodels"}
        Convention of the standard errors.
    level : float
        Level of the intervals.

    Returns
    -------
    StaggeredEffects
        Aggregations overall (mean over treated rows), dynamic, group, calendar and group_time. Weights are the shares
        of rows, taken as known, as in sunab of the R package fixest.

    Raises
    ------
    DataError, EstimationError
        When the data frame cannot be used or nothing is identified.

    References
    ----------
    Sun, L. and Abraham, S. (2021). Estimating dynamic treatment effects in event studies with heterogeneous treatment
    effects. Journal of Econometrics 225, 175-199.
    """
    sample = staggered_sample(
        data,
        outcome=outcome,
        unit=unit,
        time=time,
        first_treated=first_treated,
        controls=controls,
        others=[] if cluster is None else [cluster],
    )
    sample = with_comparison(sample, last_cohort=True)
    relative, first = sample.event_time, sample.row_first
    cells = pd.DataFrame({"group": first, "event_time": relative}).dropna().drop_duplicates()
    cells = cells.loc[cells["event_time"] != reference].sort_values(["group", "event_time"])
    keys = [
        {"group": float(g), "event_time": float(e), "time": float(g + e)}
        for g, e in zip(cells["group"], cells["event_time"], strict=True)
    ]
    dummies = pd.DataFrame(
        {_name(key): ((first == key["group"]) & (relative == key["event_time"])).astype(float) for key in keys}
    )
    dummies.index = sample.data.index
    result = _fit(sample, dummies, outcome, unit, time, controls, cluster, small_sample)
    counts = [int(dummies[_name(key)].sum()) for key in keys]
    effects, covariance = _aggregated("sun_abraham", result, keys, counts, level)
    return _result(
        "sun_abraham",
        sample,
        outcome,
        result,
        effects,
        covariance,
        _common_assumptions(controls),
        reference=reference,
    )


def _common_assumptions(controls: Sequence[str]) -> tuple[str, ...]:
    given = f", given {', '.join(controls)}" if controls else ""
    return (
        f"without the policy the treated would have changed as the comparison units did{given}",
        "the policy is not anticipated, and once treated a unit stays treated",
    )


def _name(key: Mapping[str, float]) -> str:
    return "__" + "_".join(f"{name}={int(value)}" for name, value in sorted(key.items()))


def _fit(
    sample: StaggeredSample,
    dummies: pd.DataFrame,
    outcome: str,
    unit: str,
    time: str,
    controls: Sequence[str],
    cluster: str | None,
    small_sample: SmallSample,
) -> Regression:
    frame = pd.concat([sample.data, dummies], axis=1)
    return regress(
        frame,
        outcome,
        [*dummies.columns, *controls],
        fixed_effects=(unit, time),
        cluster=(cluster or unit,),
        small_sample=small_sample,
    )


def _aggregated(
    estimator: str, result: Regression, keys: Sequence[Mapping[str, float]], counts: Sequence[int], level: float
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Means of the estimated cells weighted by their rows, by event time, cohort, period and overall."""
    found = [place for place, key in enumerate(keys) if _name(key) in result.coefficients.index]
    names = [_name(keys[place]) for place in found]
    kept = [keys[place] for place in found]
    rows = np.array([counts[place] for place in found], dtype=float)
    values = result.coefficients[names].to_numpy(dtype=float)
    matrix = result.covariance.loc[names, names].to_numpy(dtype=float)
    relative = np.array([key["event_time"] for key in kept])
    post = relative >= 0
    if not post.any():
        raise EstimationError("no effect after treatment is identified")
    frames: list[pd.DataFrame] = []
    covariance = pd.DataFrame()

    def add(aggregation: Aggregation, groups: list[tuple[dict[str, float], np.ndarray]]) -> np.ndarray:
        weights = np.array([np.where(chosen, rows, 0.0) / rows[chosen].sum() for _, chosen in groups])
        spread = weights @ matrix @ weights.T
        frames.append(
            effect_rows(
                estimator,
                aggregation,
                [key for key, _ in groups],
                weights @ values,
                np.sqrt(np.diag(spread)),
                [int(rows[chosen].sum()) for _, chosen in groups],
                degrees_of_freedom=result.degrees_of_freedom,
                level=level,
            )
        )
        return np.asarray(spread)

    add("overall", [({}, post)])
    steps = np.unique(relative)
    spread = add("dynamic", [({"event_time": float(step)}, relative == step) for step in steps])
    covariance = pd.DataFrame(spread, index=steps.astype(int), columns=steps.astype(int))
    if "group" in kept[0]:
        group = np.array([key["group"] for key in kept])
        time = np.array([key["time"] for key in kept])
        add("group", [({"group": float(g)}, post & (group == g)) for g in np.unique(group[post])])
        add("calendar", [({"time": float(t)}, post & (time == t)) for t in np.unique(time[post])])
        add("group_time", [(dict(key), np.arange(len(kept)) == place) for place, key in enumerate(kept)])
    return pd.concat(frames, ignore_index=True), covariance


def _result(
    estimator: str,
    sample: StaggeredSample,
    outcome: str,
    result: Regression,
    effects: pd.DataFrame,
    covariance: pd.DataFrame,
    assumptions: tuple[str, ...],
    *,
    reference: int = -1,
    notes: Sequence[str] = (),
) -> StaggeredEffects:
    dropped = dict(sample.dropped)
    for reason, count in result.dropped.items():
        dropped[reason] = dropped.get(reason, 0) + count
    own = tuple(text for text in result.warnings if "__" not in text)
    hidden = sum(name.startswith("__") for name in result.collinear)
    lost = (f"{hidden} effects are not identified beside the unit and period effects",) if hidden else ()
    return StaggeredEffects(
        estimator=estimator,
        outcome=outcome,
        effects=effects,
        covariance=covariance,
        reference=reference,
        observations=result.observations,
        units=sample.first.size,
        treated_units=int(np.isfinite(sample.first).sum()),
        never_treated_units=int(np.isinf(sample.first).sum()),
        clusters=dict(result.clusters),
        degrees_of_freedom=result.degrees_of_freedom,
        dropped=dropped,
        assumptions=assumptions,
        warnings=(*sample.warnings, *notes, *lost, *own),
        options={"small-sample convention": result.small_sample},
    )
