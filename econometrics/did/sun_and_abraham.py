"""The interaction-weighted event study of Sun and Abraham (2021)."""

from collections.abc import Sequence

import pandas as pd

from econometrics.did.regression import aggregated_effects, cell_name, common_assumptions, fit_cells, regression_effects
from econometrics.did.result import StaggeredEffects
from econometrics.did.sample import staggered_sample, with_comparison
from econometrics.estimation.covariance import SmallSample


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
        {cell_name(key): ((first == key["group"]) & (relative == key["event_time"])).astype(float) for key in keys}
    )
    dummies.index = sample.data.index
    result = fit_cells(sample, dummies, outcome, unit, time, controls, cluster, small_sample)
    counts = [int(dummies[cell_name(key)].sum()) for key in keys]
    effects, covariance = aggregated_effects("sun_abraham", result, keys, counts, level)
    return regression_effects(
        "sun_abraham",
        sample,
        outcome,
        result,
        effects,
        covariance,
        common_assumptions(controls),
        reference=reference,
    )
