"""The imputation estimator of Borusyak, Jaravel and Spiess (2024), through the package diff-diff."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from econometrics.did.result import StaggeredEffects, effect_rows
from econometrics.did.sample import StaggeredSample, staggered_sample
from shuzhi import EstimationError

FIRST = "__first_treated"


def imputation(
    data: pd.DataFrame,
    outcome: str,
    *,
    unit: str,
    time: str,
    first_treated: str,
    controls: Sequence[str] = (),
    cluster: str | None = None,
    leave_one_out: bool = False,
    level: float = 0.95,
) -> StaggeredEffects:
    """Impute what the treated would have had without the policy from all untreated rows, and average the difference.

    Parameters
    ----------
    data : DataFrame
        One row per unit and period.
    outcome, unit, time, first_treated : str
        Columns; see `did_sample.staggered_sample` for how units never treated are written.
    controls : sequence of str
        Covariates of the untreated outcome, beside unit and period effects.
    cluster : str, optional
        Column of clusters; by default the unit.
    leave_one_out : bool
        The refinement of their appendix A.9, with larger standard errors.
    level : float
        Level of the intervals.

    Returns
    -------
    StaggeredEffects
        Aggregations overall, dynamic and group. Effects before treatment come from a regression on the untreated rows
        with leads (their equation 9), so that they are no part of the estimate. The covariance is empty.

    Raises
    ------
    DataError
        When the data frame cannot be used.
    EstimationError
        When the effects are not identified.

    References
    ----------
    Borusyak, K., Jaravel, X. and Spiess, J. (2024). Revisiting event-study designs. Review of Economic Studies 91.
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
    fitted, dynamic, group, leads, notes = _fit(sample, outcome, unit, time, controls, cluster, leave_one_out)
    if not np.isfinite(fitted.overall_att):
        raise EstimationError("the imputation estimator finds no effect: no period has untreated rows to impute from")
    real = np.flatnonzero(~np.asarray(dynamic.is_reference) & np.isfinite(dynamic.att))
    name = "imputation"
    effects = pd.concat(
        [
            effect_rows(
                name,
                "overall",
                [{}],
                np.array([fitted.overall_att]),
                np.array([fitted.overall_se]),
                [int(fitted.n_treated_obs)],
                level=level,
            ),
            effect_rows(
                name,
                "dynamic",
                [{"event_time": int(dynamic.event_time[row])} for row in real],
                dynamic.att[real],
                dynamic.se[real],
                np.nan_to_num(dynamic.n[real]).astype(int),
                level=level,
            ),
            effect_rows(
                name,
                "group",
                [{"group": int(label)} for label in group.label],
                group.att,
                group.se,
                group.n.astype(int),
                level=level,
            ),
        ],
        ignore_index=True,
    )
    clusters = sample.data[cluster or unit].nunique()
    return StaggeredEffects(
        estimator=name,
        outcome=outcome,
        effects=effects,
        covariance=pd.DataFrame(),
        reference=-1,
        observations=len(sample.data),
        units=sample.first.size,
        treated_units=int(np.isfinite(sample.first).sum()),
        never_treated_units=int(np.isinf(sample.first).sum()),
        clusters={cluster or unit: int(clusters)},
        degrees_of_freedom=np.inf,
        dropped=sample.dropped,
        assumptions=(
            "without the policy all units would have had unit and period effects"
            + (f" and the same slopes on {', '.join(controls)}" if controls else "")
            + ", in all periods before and after",
            "the policy is not anticipated, and once treated a unit stays treated",
            "standard errors take the effects of one cohort at one event time as equal, which makes them too large "
            "where they are not",
        ),
        warnings=sample.warnings + notes,
        options={"leave one out": "yes" if leave_one_out else "no"},
        leads_test={
            "statistic": float(leads["f_stat"]) * float(leads["n_leads"]),
            "degrees_of_freedom": float(leads["n_leads"]),
            "p_value": float(leads["p_value"]),
        },
    )


def _fit(
    sample: StaggeredSample,
    outcome: str,
    unit: str,
    time: str,
    controls: Sequence[str],
    cluster: str | None,
    leave_one_out: bool,
) -> tuple[Any, Any, Any, dict[str, Any], tuple[str, ...]]:
    """The package's result, its event study, its effects by cohort and its test of leads."""
    from diff_diff import ImputationDiD

    frame = sample.data.reset_index(drop=True)
    frame[FIRST] = np.where(np.isfinite(sample.row_first), sample.row_first, 0.0)
    frame[time] = frame[time].astype(int)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            fitted = ImputationDiD(pretrends=True, cluster=cluster, leave_one_out=leave_one_out).fit(
                frame,
                outcome=outcome,
                unit=unit,
                time=time,
                first_treat=FIRST,
                covariates=list(controls) or None,
            )
            dynamic, group = fitted.aggregate("event_study"), fitted.aggregate("group")
            leads = fitted.pretrend_test()
        except (ValueError, np.linalg.LinAlgError) as error:
            raise EstimationError(f"the imputation estimator cannot be computed: {error}") from error
    return fitted, dynamic, group, leads, package_notes(caught)


def package_notes(caught: Sequence[warnings.WarningMessage]) -> tuple[str, ...]:
    """Texts of the warnings that speak to the user, each once, without those about code.

    Parameters
    ----------
    caught : sequence of WarningMessage
        What `warnings.catch_warnings(record=True)` recorded.

    Returns
    -------
    tuple of str
        One line each.
    """
    spoken = [item for item in caught if issubclass(item.category, UserWarning | RuntimeWarning)]
    return tuple(dict.fromkeys("diff-diff: " + " ".join(str(item.message).split()) for item in spoken))
