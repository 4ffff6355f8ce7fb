"""Group-time effects of a staggered policy and their means, with influence functions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from econometrics.did.cells import CellMethod, cell_effect
from econometrics.did.sample import StaggeredSample
from shuzhi import EstimationError

ControlGroup = Literal["never_treated", "not_yet_treated"]
BasePeriod = Literal["varying", "universal"]
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


def group_time_effects(
    sample: StaggeredSample,
    outcome: str,
    controls: Sequence[str],
    method: CellMethod,
    control_group: ControlGroup,
    base_period: BasePeriod,
) -> GroupTimeEffects:
    """Estimate the effect of every cohort in every period.

    Parameters
    ----------
    sample : StaggeredSample
        The sample.
    outcome, controls : str and sequence of str
        Columns.
    method, control_group, base_period : str
        See `did_callaway_santanna.callaway_santanna`.

    Raises
    ------
    EstimationError
        When no effect can be estimated.
    """
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
