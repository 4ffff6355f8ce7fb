"""Regressions with unit and period effects: the static effect and the event study."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from econometrics.did.regression import aggregated_effects, cell_name, common_assumptions, fit_cells, regression_effects
from econometrics.did.result import StaggeredEffects, effect_rows
from econometrics.did.sample import staggered_sample
from econometrics.estimation.covariance import SmallSample
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
        Leave out units that are treated in all their rows.
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
    result = fit_cells(sample, dummies, outcome, unit, time, controls, cluster, small_sample)
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
    return regression_effects(
        "static_two_way",
        sample,
        outcome,
        result,
        effects,
        pd.DataFrame(),
        (
            "the effect is the same for all cohorts and at all times since treatment; otherwise cohorts enter with "
            "weights that may be negative (see bacon_decomposition)",
            *common_assumptions(controls),
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
        Leave out units that are treated in all their rows.
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
    dummies = pd.DataFrame({cell_name(key): (relative == key["event_time"]).astype(float) for key in keys})
    dummies.index = sample.data.index
    result = fit_cells(sample, dummies, outcome, unit, time, controls, cluster, small_sample)
    counts = [int(dummies[cell_name(key)].sum()) for key in keys]
    effects, covariance = aggregated_effects("event_study", result, keys, counts, level)
    return regression_effects(
        "event_study",
        sample,
        outcome,
        result,
        effects,
        covariance,
        (
            "effects differ by time since treatment only, not between cohorts; otherwise effects of other event times "
            "leak into each",
            *common_assumptions(controls),
        ),
        reference=reference,
        notes=notes,
    )
