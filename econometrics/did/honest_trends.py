"""How far trends may differ before the effect of a policy is in doubt: bounds after Rambachan and Roth (2023)."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from econometrics.did.result import StaggeredEffects
from shuzhi import DataError, EstimationError

Restriction = Literal["relative_magnitude", "smoothness"]


@dataclass(frozen=True)
class HonestBounds:
    """Bounds of an effect under growing departures from parallel trends.

    Parameters
    ----------
    bounds : DataFrame
        One row per size of the departure: restriction, departure, term, estimate, standard_error, set_low, set_high
        (the identified set), statistic, p_value (of the effect under parallel trends), interval_low, interval_high
        (the robust interval), observations.
    restriction : str
        The restriction on the difference in trends.
    breakdown : float
        Largest departure at which the robust interval excludes zero; 0 if it holds zero under parallel trends, infinity
        if none was found up to a hundred times the grid, NaN if it was not searched.
    level : float
        Coverage of the robust intervals.
    assumptions, warnings : tuple of str
        In words.
    """

    bounds: pd.DataFrame
    restriction: Restriction
    breakdown: float
    level: float
    assumptions: tuple[str, ...]
    warnings: tuple[str, ...]

    def to_frame(self) -> pd.DataFrame:
        """Bounds by size of the departure."""
        return self.bounds.copy()

    def summary(self) -> str:
        """Plain text for a reader."""
        first = self.bounds.iloc[0]
        lines = [
            f"{first['term']} = {first['estimate']:.4f} ({first['standard_error']:.4f}); {self.restriction} bounds"
        ]
        lines += [
            f"  departure {row.departure:<8.4g} set [{row.set_low:.4f}, {row.set_high:.4f}]  "
            f"{self.level:.0%} interval [{row.interval_low:.4f}, {row.interval_high:.4f}]"
            for row in self.bounds.itertuples()
        ]
        if not np.isnan(self.breakdown):
            lines.append(f"  the interval excludes zero up to a departure of {self.breakdown:.3g}")
        lines += [f"  assumption: {text}" for text in self.assumptions]
        return "\n".join(lines + [f"  warning: {text}" for text in self.warnings])


@dataclass(frozen=True)
class _Path:
    """Effects before and after the reference without gaps, and the weights of the target."""

    before: np.ndarray
    after: np.ndarray
    covariance: np.ndarray
    weights: np.ndarray
    times: list[int]
    term: str


def honest_bounds(
    effects: StaggeredEffects,
    *,
    restriction: Restriction = "relative_magnitude",
    departures: Sequence[float] = (0.0, 0.5, 1.0, 1.5, 2.0),
    event_time: int | None = None,
    level: float = 0.95,
    find_breakdown: bool = True,
) -> HonestBounds:
    """Bound the effect of a policy when trends would not have been parallel.

    Parameters
    ----------
    effects : StaggeredEffects
        From `event_study`, `sun_abraham` or `callaway_santanna` with base_period="universal".
    restriction : {"relative_magnitude", "smoothness"}
        After treatment the difference in trends moves between periods at most `departure` times the largest movement
        seen before; or its slope changes between periods by at most `departure` (0: a linear difference in trends).
    departures : sequence of float
        Sizes of the departure, none negative.
    event_time : int, optional
        Event time of the effect; by default the mean over all event times after treatment.
    level : float
        Coverage of the robust interval.
    find_breakdown : bool
        Search the largest departure whose interval excludes zero (for smoothness some seconds).

    Returns
    -------
    HonestBounds
        Identified sets and robust intervals. For relative magnitudes the interval is the union of the intervals of the
        polyhedra that make up the restriction, each with the joint covariance of the effects before and after
        treatment: it covers at least at its level, and is wider than the hybrid of the authors. For smoothness it is
        their optimal fixed-length interval, computed by diff-diff.

    Raises
    ------
    DataError
        When departures are negative or the event time is not there.
    EstimationError
        When the effects have no common reference period, no covariance, or none before or after treatment.

    References
    ----------
    Rambachan, A. and Roth, J. (2023). A more credible approach to parallel trends. Review of Economic Studies 90.
    """
    if not len(departures) or min(departures) < 0:
        raise DataError("departures must be numbers of 0 or more")
    path = _path(effects, event_time)
    notes = []
    if len(path.before) < 2:
        notes.append("only one effect before treatment: the restriction rests on a single difference")
    rows = [_bounds(path, restriction, float(size), level) for size in departures]
    if any(np.isnan(row["set_low"]) for row in rows):
        notes.append(
            "where the set is empty, no difference in trends so smooth fits the effects before treatment exactly"
        )
    frame = pd.DataFrame(rows).assign(restriction=restriction, term=path.term, observations=effects.observations)
    first = [
        "restriction",
        "departure",
        "term",
        "estimate",
        "standard_error",
        "statistic",
        "p_value",
        "set_low",
        "set_high",
    ]
    texts = {
        "relative_magnitude": "between two periods after treatment the difference in trends moves at most the "
        "departure times its largest movement between two periods before",
        "smoothness": "the slope of the difference in trends changes by at most the departure between two periods",
    }
    return HonestBounds(
        bounds=frame[[*first, "interval_low", "interval_high", "observations"]],
        restriction=restriction,
        breakdown=_breakdown(path, restriction, rows, level) if find_breakdown else np.nan,
        level=level,
        assumptions=(texts[restriction], "the estimated effects are jointly normal with the covariance given"),
        warnings=tuple(notes),
    )


def _path(effects: StaggeredEffects, event_time: int | None) -> _Path:
    if effects.covariance.empty:
        raise EstimationError(f"{effects.estimator} gives no covariance of its dynamic effects; use event_study")
    if effects.options.get("base period") == "varying":
        raise EstimationError('the effects before treatment have no common reference; use base_period="universal"')
    frame = effects.to_frame("dynamic")
    frame = frame.loc[frame["standard_error"] > 0].set_index(frame.loc[frame["standard_error"] > 0, "event_time"])
    estimates = {int(step): float(value) for step, value in frame["estimate"].items()}  # type: ignore[call-overload]
    before, after = [], []
    step = effects.reference - 1
    while step in estimates:
        before.append(step)
        step -= 1
    step = effects.reference + 1
    while step in estimates:
        after.append(step)
        step += 1
    if not before or not after:
        raise EstimationError("bounds need an effect right before and one right after the reference period")
    if event_time is not None and event_time not in after:
        raise DataError(f"no effect at event time {event_time}; there are {after[0]} to {after[-1]}")
    times = [*reversed(before), *after]
    weights = np.array([float(step == event_time) for step in after])
    if event_time is None:
        weights = np.full(len(after), 1 / len(after))
    return _Path(
        before=np.array([estimates[step] for step in reversed(before)]),
        after=np.array([estimates[step] for step in after]),
        covariance=effects.covariance.loc[times, times].to_numpy(dtype=float),
        weights=weights,
        times=times,
        term="mean effect after treatment" if event_time is None else f"event_time {event_time:+d}",
    )


def _bounds(path: _Path, restriction: Restriction, departure: float, level: float) -> dict[str, float]:
    from scipy.stats import norm

    before = len(path.before)
    estimate = float(path.weights @ path.after)
    error = float(np.sqrt(path.weights @ path.covariance[before:, before:] @ path.weights))
    if restriction == "relative_magnitude":
        low, high, interval_low, interval_high = relative_magnitude_bounds(
            path.before, path.after, path.covariance, path.weights, departure, level
        )
    else:
        low, high, interval_low, interval_high = _smoothness_bounds(path, departure, level)
    return {
        "departure": departure,
        "estimate": estimate,
        "standard_error": error,
        "statistic": estimate / error,
        "p_value": float(2 * norm.sf(abs(estimate / error))),
        "set_low": low,
        "set_high": high,
        "interval_low": interval_low,
        "interval_high": interval_high,
    }


def relative_magnitude_bounds(
    before: np.ndarray,
    after: np.ndarray,
    covariance: np.ndarray,
    weights: np.ndarray,
    departure: float,
    level: float = 0.95,
) -> tuple[float, float, float, float]:
    """Identified set and robust interval under a bound relative to the movements before treatment.

    Parameters
    ----------
    before, after : (p,) and (q,) arrays
        Effects before the reference period, the last one adjacent to it, and after it, the first one adjacent.
    covariance : (p + q, p + q) array
        Covariance of both, in this order.
    weights : (q,) array
        Weights of the target on the effects after treatment.
    departure : float
        Largest movement after treatment over the largest movement before.
    level : float
        Coverage of the interval.

    Returns
    -------
    tuple of float
        Lower and upper end of the set, lower and upper end of the interval.
    """
    from scipy.stats import norm

    p, q = len(before), len(after)
    values = np.concatenate([before, after])
    # Movements between neighbours up to the reference, whose effect is zero, as rows over all effects.
    movement = np.zeros((p, p + q))
    movement[np.arange(p), np.arange(p)] = -1.0
    movement[np.arange(p - 1), np.arange(1, p)] = 1.0
    reach = float(np.abs(np.cumsum(weights[::-1])[::-1]).sum())
    target = np.concatenate([np.zeros(p), weights])
    critical = float(norm.ppf(0.5 + level / 2))
    lows, highs = [], []
    for row in [*movement, *-movement]:
        down, up = target - departure * reach * row, target + departure * reach * row
        low = down @ values - critical * np.sqrt(down @ covariance @ down)
        high = up @ values + critical * np.sqrt(up @ covariance @ up)
        if low <= high:
            lows.append(low)
            highs.append(high)
    largest = float(np.abs(movement @ values).max())
    centre = float(target @ values)
    half = departure * reach * largest
    return centre - half, centre + half, float(min(lows)), float(max(highs))


def _smoothness_bounds(path: _Path, departure: float, level: float) -> tuple[float, float, float, float]:
    from diff_diff import HonestDiD
    from diff_diff.results import MultiPeriodDiDResults, PeriodEffect

    values = np.concatenate([path.before, path.after])
    errors = np.sqrt(np.diag(path.covariance))
    periods = {
        step: PeriodEffect(step, float(value), float(error), float(value / error), 0.0, (0.0, 0.0))
        for step, value, error in zip(path.times, values, errors, strict=True)
    }
    before = path.times[: len(path.before)]
    after = path.times[len(path.before) :]
    container = MultiPeriodDiDResults(
        period_effects=periods,
        avg_att=float(path.after.mean()),
        avg_se=0.0,
        avg_t_stat=0.0,
        avg_p_value=0.0,
        avg_conf_int=(0.0, 0.0),
        n_obs=0,
        n_treated=0,
        n_control=0,
        pre_periods=before,
        post_periods=after,
        vcov=path.covariance,
        interaction_indices={step: place for place, step in enumerate(path.times)},
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = HonestDiD(method="smoothness", M=departure, alpha=1 - level, l_vec=path.weights).fit(container)
    return float(result.lb), float(result.ub), float(result.ci_lb), float(result.ci_ub)


def _breakdown(path: _Path, restriction: Restriction, rows: Sequence[dict[str, float]], level: float) -> float:
    """Largest departure whose interval excludes zero, by bisection between the departures already computed."""

    def excludes(row: dict[str, float]) -> bool:
        return row["interval_low"] > 0 or row["interval_high"] < 0

    none = [] if any(row["departure"] == 0 for row in rows) else [_bounds(path, restriction, 0.0, level)]
    known = sorted([*rows, *none], key=lambda row: row["departure"])
    held = [row["departure"] for row in known if not excludes(row)]
    if held and held[0] == 0:
        return 0.0
    largest = max(known[-1]["departure"], 1.0)
    high = held[0] if held else largest
    while not held and excludes(_bounds(path, restriction, high, level)):
        high *= 2
        if high > 100 * largest:
            return float(np.inf)
    low = max(row["departure"] for row in known if row["departure"] < high and excludes(row))
    for _ in range(12):
        middle = (low + high) / 2
        low, high = (middle, high) if excludes(_bounds(path, restriction, middle, level)) else (low, middle)
    return low
