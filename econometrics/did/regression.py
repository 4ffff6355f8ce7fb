"""Regressions on indicators of cohorts and event times, and the means of their coefficients."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from econometrics.did.result import Aggregation, StaggeredEffects, effect_rows
from econometrics.did.sample import StaggeredSample
from econometrics.estimation.covariance import SmallSample
from econometrics.estimation.result import Regression
from econometrics.regress.regression import regress
from shuzhi import EstimationError


def common_assumptions(controls: Sequence[str]) -> tuple[str, ...]:
    """Say what all these regressions suppose.

    Parameters
    ----------
    controls : sequence of str
        Covariates.
    """
    given = f", given {', '.join(controls)}" if controls else ""
    return (
        f"without the policy the treated would have changed as the comparison units did{given}",
        "the policy is not anticipated, and once treated a unit stays treated",
    )


def cell_name(key: Mapping[str, float]) -> str:
    """Name of the indicator of a cell.

    Parameters
    ----------
    key : mapping of str to float
        group, event_time, time, where they apply.
    """
    return "__" + "_".join(f"{name}={int(value)}" for name, value in sorted(key.items()))


def fit_cells(
    sample: StaggeredSample,
    dummies: pd.DataFrame,
    outcome: str,
    unit: str,
    time: str,
    controls: Sequence[str],
    cluster: str | None,
    small_sample: SmallSample,
) -> Regression:
    """Regress the outcome on indicators, controls, unit and period effects.

    Parameters
    ----------
    sample : StaggeredSample
        The sample.
    dummies : DataFrame
        Indicators on the index of the sample's data.
    outcome, unit, time, controls, cluster, small_sample
        As the estimators take them.
    """
    frame = pd.concat([sample.data, dummies], axis=1)
    return regress(
        frame,
        outcome,
        [*dummies.columns, *controls],
        fixed_effects=(unit, time),
        cluster=(cluster or unit,),
        small_sample=small_sample,
    )


def aggregated_effects(
    estimator: str, result: Regression, keys: Sequence[Mapping[str, float]], counts: Sequence[int], level: float
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Means of the estimated cells weighted by their rows, by event time, cohort, period and overall.

    Parameters
    ----------
    estimator : str
        Name of the estimator.
    result : Regression
        With the cells' indicators among its terms.
    keys, counts : sequences
        Key and rows of each cell.
    level : float
        Level of the intervals.

    Returns
    -------
    effects, covariance : DataFrame
        Rows of `StaggeredEffects.effects`, and the covariance of the dynamic ones.

    Raises
    ------
    EstimationError
        When no effect after treatment is identified.
    """
    found = [place for place, key in enumerate(keys) if cell_name(key) in result.coefficients.index]
    names = [cell_name(keys[place]) for place in found]
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
                np.sqrt(np.maximum(np.diag(spread), 0.0)),
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


def regression_effects(
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
    """Put a regression's effects into the common result.

    Parameters
    ----------
    estimator, outcome : str
        Names.
    sample : StaggeredSample
        The sample.
    result : Regression
        The regression.
    effects, covariance : DataFrame
        See `StaggeredEffects`.
    assumptions, notes : sequences of str
        In words.
    reference : int
        Event time whose effect is zero.
    """
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
