"""The estimator of Callaway and Sant'Anna (2021): group-time effects and their aggregations."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd

from econometrics.did.cells import CellMethod
from econometrics.did.group_time import (
    BasePeriod,
    ControlGroup,
    GroupMean,
    GroupTimeEffects,
    aggregate_effects,
    group_time_effects,
)
from econometrics.did.result import Aggregation, StaggeredEffects, effect_rows
from econometrics.did.sample import StaggeredSample, balanced, staggered_sample, with_comparison
from shuzhi import EstimationError

Unbalanced = Literal["pairwise", "balance"]


def callaway_santanna(
    data: pd.DataFrame,
    outcome: str,
    *,
    unit: str,
    time: str,
    first_treated: str,
    controls: Sequence[str] = (),
    cluster: str | None = None,
    method: CellMethod = "dr",
    control_group: ControlGroup = "never_treated",
    base_period: BasePeriod = "varying",
    unbalanced: Unbalanced = "pairwise",
    group_mean: GroupMean = "did",
    level: float = 0.95,
) -> StaggeredEffects:
    """Estimate group-time effects of a staggered policy and aggregate them in four ways.

    Parameters
    ----------
    data : DataFrame
        One row per unit and period.
    outcome, unit, time, first_treated : str
        Columns; see `did_sample.staggered_sample` for how units never treated are written.
    controls : sequence of str
        Covariates of the parallel trends, taken in the earlier of the two periods of each cell.
    cluster : str, optional
        Column of clusters above the unit (a province); by default each unit is its own cluster.
    method : {"dr", "reg", "ipw"}
        How covariates enter; without covariates the three are one.
    control_group : {"never_treated", "not_yet_treated"}
        Whom the treated are compared with.
    base_period : {"varying", "universal"}
        Before treatment: change from the period before (varying), or from the last one before treatment (universal).
    unbalanced : {"pairwise", "balance"}
        Use in each cell all units seen in both periods, or only units seen in all periods.
    group_mean : {"did", "exact"}
        Standard error of the mean over groups: as `aggte` of the R package did 2.1.1, whose term for the estimated
        cohort shares uses the cohorts of the first cells, or with the cohorts themselves (a difference of 1 % or less).
    level : float
        Level of the intervals.

    Returns
    -------
    StaggeredEffects
        Aggregations overall (mean over all treated unit-periods), mean (means over event times, groups and times),
        dynamic, group, calendar and group_time.

    Raises
    ------
    DataError
        When the data frame cannot be used.
    EstimationError
        When there is no comparison group or no cell can be estimated.

    References
    ----------
    Callaway, B. and Sant'Anna, P. (2021). Difference-in-differences with multiple time periods. Journal of Econometrics
    225, 200-230. Standard errors from influence functions, as `att_gt` of the R package did with bstrap = FALSE.
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
    sample = with_comparison(sample, last_cohort=control_group == "not_yet_treated")
    if unbalanced == "balance":
        sample = balanced(sample)
    cells = group_time_effects(sample, outcome, controls, method, control_group, base_period)
    groups = _unit_clusters(sample, cluster)
    clusters = int(groups.max()) + 1
    degrees = np.inf if cluster is None else float(clusters - 1)
    effects, dynamic_influence, event_times = _all_effects(sample, cells, groups, degrees, level, group_mean)
    covariance = _covariance(dynamic_influence, groups)
    notes = list(sample.warnings)
    notes += [f"{count} group-time effects are not estimated: {reason}" for reason, count in cells.problems.items()]
    if cluster is not None and clusters < 30:
        notes.append(f"only {clusters} clusters: standard errors from influence functions are too small")
    return StaggeredEffects(
        estimator="callaway_santanna",
        outcome=outcome,
        effects=effects,
        covariance=pd.DataFrame(covariance, index=event_times, columns=event_times),
        reference=-1,
        observations=len(sample.data),
        units=sample.first.size,
        treated_units=int(np.isfinite(sample.first).sum()),
        never_treated_units=int(np.isinf(sample.first).sum()),
        clusters={unit if cluster is None else cluster: clusters},
        degrees_of_freedom=degrees,
        dropped=sample.dropped,
        assumptions=_assumptions(controls, method, control_group, unbalanced),
        warnings=tuple(notes),
        options={"method": method, "control group": control_group, "base period": base_period},
    )


def _assumptions(
    controls: Sequence[str], method: CellMethod, control_group: ControlGroup, unbalanced: Unbalanced
) -> tuple[str, ...]:
    whom = "units never treated" if control_group == "never_treated" else "units not yet treated"
    given = f", given {', '.join(controls)} before the change" if controls else ""
    right = {
        "dr": "the outcome regression or the propensity score is right",
        "reg": "the regression of the change on the covariates is right",
        "ipw": "the propensity score is right",
    }[method]
    texts = [
        f"without the policy the treated would have changed as {whom} did{given}",
        "the policy is not anticipated, and once treated a unit stays treated",
        "no unit's policy affects another unit",
    ]
    if controls:
        texts.append(right)
    if unbalanced == "pairwise":
        texts.append("each group-time effect uses the units seen in both of its periods")
    return tuple(texts)


def _all_effects(
    sample: StaggeredSample,
    cells: GroupTimeEffects,
    groups: np.ndarray,
    degrees: float,
    level: float,
    group_mean: GroupMean,
) -> tuple[pd.DataFrame, np.ndarray, list[int]]:
    parts = aggregate_effects(sample, cells, group_mean)
    if "simple" not in parts:
        raise EstimationError("no effect after treatment can be estimated: " + "; ".join(cells.problems))
    names: list[tuple[str, Aggregation]] = [
        ("simple", "overall"),
        ("dynamic_mean", "mean"),
        ("group_mean", "mean"),
        ("calendar_mean", "mean"),
        ("dynamic", "dynamic"),
        ("group", "group"),
        ("calendar", "calendar"),
    ]
    labels = {
        "simple": "overall",
        "dynamic_mean": "mean over event times",
        "group_mean": "mean over groups",
        "calendar_mean": "mean over times",
    }
    frames = []
    for name, aggregation in names:
        keys, estimates, influence = parts[name]
        errors = np.sqrt(np.diag(_covariance(influence, groups)))
        counts = _treated_counts(cells, name, keys)
        frame = effect_rows(
            "callaway_santanna",
            aggregation,
            keys,
            estimates,
            errors,
            counts,
            degrees_of_freedom=degrees,
            level=level,
        )
        frames.append(frame.assign(term=labels[name]) if name in labels else frame)
    cell_keys = [
        {"group": int(g), "time": int(t), "event_time": int(t - g)}
        for g, t in zip(cells.groups, cells.times, strict=True)
    ]
    errors = np.sqrt(np.diag(_covariance(cells.influence, groups)))
    frames.append(
        effect_rows(
            "callaway_santanna",
            "group_time",
            cell_keys,
            cells.estimates,
            errors,
            cells.treated_units,
            degrees_of_freedom=degrees,
            level=level,
        )
    )
    keys, _, influence = parts["dynamic"]
    return pd.concat(frames, ignore_index=True), influence, [int(key["event_time"]) for key in keys]


def _treated_counts(cells: GroupTimeEffects, name: str, keys: Sequence[dict[str, float]]) -> list[int]:
    """Treated unit-periods behind each effect."""
    post = cells.times >= cells.groups
    relative = cells.times - cells.groups
    if name == "dynamic":
        return [int(cells.treated_units[relative == key["event_time"]].sum()) for key in keys]
    if name == "group":
        return [int(cells.treated_units[post & (cells.groups == key["group"])].sum()) for key in keys]
    if name == "calendar":
        return [int(cells.treated_units[post & (cells.times == key["time"])].sum()) for key in keys]
    return [int(cells.treated_units[post].sum())]


def _unit_clusters(sample: StaggeredSample, cluster: str | None) -> np.ndarray:
    if cluster is None:
        return np.arange(sample.first.size)
    codes, _ = pd.factorize(sample.data[cluster], sort=True)
    lowest = np.full(sample.first.size, codes.max() + 1)
    highest = np.full(sample.first.size, -1)
    np.minimum.at(lowest, sample.units, codes)
    np.maximum.at(highest, sample.units, codes)
    if (lowest != highest).any():
        raise EstimationError(
            f"{int((lowest != highest).sum())} units change their {cluster}; clusters must hold whole units"
        )
    return lowest


def _covariance(influence: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Crossproduct of the clusters' contributions, with G/(G-1) when a cluster holds several units."""
    clusters = int(groups.max()) + 1
    if clusters == influence.shape[0]:
        return np.asarray(influence.T @ influence)
    summed = np.zeros((clusters, influence.shape[1]))
    np.add.at(summed, groups, influence)
    if clusters < 2:
        return np.full((influence.shape[1],) * 2, np.nan)
    return np.asarray(summed.T @ summed) * clusters / (clusters - 1)
