"""The estimator of Callaway and Sant'Anna (2021): group-time effects and their aggregations."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from econometrics.did_cells import CellMethod, cell_effect
from econometrics.did_result import Aggregation, StaggeredEffects, effect_rows
from econometrics.did_sample import StaggeredSample, balanced, staggered_sample, with_comparison
from shuzhi import EstimationError

ControlGroup = Literal["never_treated", "not_yet_treated"]
BasePeriod = Literal["varying", "universal"]
Unbalanced = Literal["pairwise", "balance"]
GroupMean = Literal["did", "exact"]


@dataclass(frozen=True)
class GroupTimeEffects:
    """All group-time effects with their influence functions.

    Parameters
    ----------
    groups, times, estimates, treated_units : (cells,) arrays
        First treated period, period, effect and number of treated units of each cell.
    influence : (units, cells) array
        Contribution of each unit: the covariance of the estimates is its crossproduct.
    problems : dict of str to int
        Cells without an estimate, by reason; they are not among the arrays.
    """

    groups: np.ndarray
    times: np.ndarray
    estimates: np.ndarray
    treated_units: np.ndarray
    influence: np.ndarray
    problems: dict[str, int]


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
    cells = _all_cells(sample, outcome, controls, method, control_group, base_period)
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


def _all_cells(
    sample: StaggeredSample,
    outcome: str,
    controls: Sequence[str],
    method: CellMethod,
    control_group: ControlGroup,
    base_period: BasePeriod,
) -> GroupTimeEffects:
    periods, first = sample.periods, sample.first
    column = np.searchsorted(periods, sample.times)
    wide = np.full((first.size, periods.size, 1 + len(controls)), np.nan)
    wide[sample.units, column] = sample.data[[outcome, *controls]].to_numpy(dtype=float)
    found: list[tuple[int, int, float, int, np.ndarray]] = []
    problems: dict[str, int] = {}
    for group in sample.cohorts:
        before = np.flatnonzero(periods < group)[-1]
        for now in range(periods.size):
            base = now - 1 if base_period == "varying" and periods[now] < group else before
            if base < 0 or base == now:
                continue
            other = np.isinf(first)
            if control_group == "not_yet_treated":
                other = other | ((first > max(periods[now], periods[base])) & (first != group))
            member = (first == group) | other
            seen = np.isfinite(wide[:, [now, base]]).all(axis=(1, 2))
            rows = np.flatnonzero(member & seen)
            earlier = wide[rows, min(now, base), 1:]
            result = cell_effect(
                wide[rows, now, 0] - wide[rows, base, 0],
                first[rows] == group,
                np.column_stack([np.ones(rows.size), earlier]),
                method,
            )
            if result.problem:
                problems[result.problem] = problems.get(result.problem, 0) + 1
                continue
            influence = np.zeros(first.size)
            influence[rows] = result.influence / rows.size
            found.append((group, periods[now], result.estimate, int((first[rows] == group).sum()), influence))
    if not found:
        reasons = "; ".join(problems) or "no period before treatment"
        raise EstimationError(f"no group-time effect can be estimated: {reasons}")
    return GroupTimeEffects(
        groups=np.array([cell[0] for cell in found]),
        times=np.array([cell[1] for cell in found]),
        estimates=np.array([cell[2] for cell in found]),
        treated_units=np.array([cell[3] for cell in found]),
        influence=np.column_stack([cell[4] for cell in found]),
        problems=problems,
    )


def _mean_of_cells(sample: StaggeredSample, cells: GroupTimeEffects, which: np.ndarray) -> tuple[float, np.ndarray]:
    """Mean over cells weighted by cohort size, and its influence with that of the estimated weights."""
    groups = cells.groups[which]
    return _weighted_mean(sample.first, groups, groups, cells.estimates[which], cells.influence[:, which])


def _weighted_mean(
    first: np.ndarray, groups: np.ndarray, share_of: np.ndarray, estimates: np.ndarray, influence: np.ndarray
) -> tuple[float, np.ndarray]:
    share = (first[:, None] == groups[None, :]).mean(axis=0)
    total = share.sum()
    centred = (first[:, None] == share_of[None, :]) - share
    weights = share / total
    by_weight = (centred / total - centred.sum(axis=1, keepdims=True) * share / total**2) @ estimates / first.size
    return float(weights @ estimates), influence @ weights + by_weight


def aggregate_effects(
    sample: StaggeredSample, cells: GroupTimeEffects, group_mean: GroupMean = "did"
) -> dict[str, tuple[list[dict[str, float]], np.ndarray, np.ndarray]]:
    """Aggregate group-time effects as `aggte` of the R package did does.

    Parameters
    ----------
    sample : StaggeredSample
        The sample of the cells.
    cells : GroupTimeEffects
        All group-time effects.
    group_mean : {"did", "exact"}
        See `callaway_santanna`.

    Returns
    -------
    dict
        For simple, dynamic, group, calendar: keys of the effects, estimates and (units, effects) influence; and for
        dynamic_mean, group_mean, calendar_mean their means over times since treatment, cohorts and periods.
    """
    post = cells.times >= cells.groups
    relative = cells.times - cells.groups
    out: dict[str, tuple[list[dict[str, float]], np.ndarray, np.ndarray]] = {}

    def put(name: str, keys: list[dict[str, float]], parts: list[tuple[float, np.ndarray]]) -> None:
        influence = np.column_stack([part[1] for part in parts]) if parts else np.zeros((sample.first.size, 0))
        out[name] = (keys, np.array([part[0] for part in parts]), influence)

    if post.any():
        put("simple", [{}], [_mean_of_cells(sample, cells, np.flatnonzero(post))])
    steps = np.unique(relative)
    put(
        "dynamic",
        [{"event_time": int(step)} for step in steps],
        [_mean_of_cells(sample, cells, np.flatnonzero(relative == step)) for step in steps],
    )
    cohorts = np.unique(cells.groups[post])
    put(
        "group",
        [{"group": int(cohort)} for cohort in cohorts],
        [_plain_mean(cells, np.flatnonzero(post & (cells.groups == cohort))) for cohort in cohorts],
    )
    periods = np.unique(cells.times[post])
    put(
        "calendar",
        [{"time": int(period)} for period in periods],
        [_mean_of_cells(sample, cells, np.flatnonzero(post & (cells.times == period))) for period in periods],
    )
    if post.any():
        _, values, influence = out["dynamic"]
        later = steps >= 0
        put("dynamic_mean", [{}], [(float(values[later].mean()), influence[:, later].mean(axis=1))])
        _, values, influence = out["calendar"]
        put("calendar_mean", [{}], [(float(values.mean()), influence.mean(axis=1))])
        _, values, influence = out["group"]
        share_of = cohorts if group_mean == "exact" else cells.groups[: cohorts.size]
        put("group_mean", [{}], [_weighted_mean(sample.first, cohorts, share_of, values, influence)])
    return out


def _plain_mean(cells: GroupTimeEffects, which: np.ndarray) -> tuple[float, np.ndarray]:
    return float(cells.estimates[which].mean()), cells.influence[:, which].mean(axis=1)


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
