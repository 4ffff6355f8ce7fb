"""Staggered policies: all estimators side by side, and the one door to each of them."""

from econometrics.did.bacon import BaconDecomposition, bacon_decomposition
from econometrics.did.callaway_and_santanna import callaway_santanna
from econometrics.did.cells import CellMethod
from econometrics.did.compare import Estimator, EstimatorComparison, compare_estimators
from econometrics.did.group_time import BasePeriod, ControlGroup
from econometrics.did.honest_trends import HonestBounds, honest_bounds
from econometrics.did.imputed import imputation
from econometrics.did.placebo import Placebo, placebo_in_space, placebo_in_time
from econometrics.did.result import StaggeredEffects, uniform_critical_value
from econometrics.did.sample import StaggeredSample, staggered_sample
from econometrics.did.sun_and_abraham import sun_abraham
from econometrics.did.two_way import event_study, static_two_way

__all__ = [
    "BaconDecomposition",
    "BasePeriod",
    "CellMethod",
    "ControlGroup",
    "Estimator",
    "EstimatorComparison",
    "HonestBounds",
    "Placebo",
    "StaggeredEffects",
    "StaggeredSample",
    "bacon_decomposition",
    "callaway_santanna",
    "compare_estimators",
    "event_study",
    "honest_bounds",
    "imputation",
    "placebo_in_space",
    "placebo_in_time",
    "staggered_sample",
    "static_two_way",
    "sun_abraham",
    "uniform_critical_value",
]
