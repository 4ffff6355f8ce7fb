"""The staggered policies of a study: every estimator, the placebo, and the bounds without parallel trends."""

from __future__ import annotations

from typing import Any

from econometrics.did.compare import EstimatorComparison, compare_estimators
from econometrics.did.honest_trends import HonestBounds, honest_bounds
from econometrics.did.placebo import Placebo, placebo_in_space
from econometrics.spec.models import keys_of, seed_of
from econometrics.spec.specification import StudySpec
from econometrics.study.sample import StudySample
from shuzhi import EstimationError


def _policy(spec: StudySpec, name: str) -> dict[str, Any]:
    each = spec.staggered[name]
    firm, year = keys_of(spec)
    return {
        "unit": each.unit or firm,
        "time": each.time or year,
        "first_treated": each.first_treated,
        "controls": each.controls or [],
    }


def run_staggered(spec: StudySpec, sample: StudySample, name: str) -> EstimatorComparison:
    """Estimate a staggered policy by several estimators."""
    each = spec.staggered[name]
    chosen: dict[str, Any] = {} if each.estimators is None else {"estimators": each.estimators}
    return compare_estimators(
        sample.rows(each.where),
        each.outcome,
        cluster=each.cluster,
        method=each.method,
        level=each.level or spec.defaults.level,
        **_policy(spec, name),
        **chosen,
    )


def run_placebo(spec: StudySpec, sample: StudySample, name: str) -> Placebo:
    """Deal a staggered policy out to other units at random."""
    each = spec.staggered[name]
    placebo = each.placebo
    assert placebo is not None
    return placebo_in_space(
        sample.rows(each.where),
        each.outcome,
        within=placebo.within,
        draws=placebo.draws or spec.defaults.draws,
        seed=seed_of(spec, placebo.seed) or 0,
        **_policy(spec, name),
    )


def run_honest_bounds(spec: StudySpec, comparison: EstimatorComparison, name: str) -> HonestBounds:
    """Bound the effect of a staggered policy, from the first event study that it has."""
    honest = spec.staggered[name].honest
    assert honest is not None
    for estimator in ("sun_abraham", "event_study"):
        if estimator in comparison.results:
            effects = comparison.results[estimator]
            return honest_bounds(effects, restriction=honest.restriction, departures=honest.departures)
    raise EstimationError("bounds need the estimator sun_abraham or event_study, and neither could be computed")
