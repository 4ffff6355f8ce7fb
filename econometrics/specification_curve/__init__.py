"""Specification curve: every reasonable model at once, and whether all of them together could be chance."""

from econometrics.robustness.baseline import Baseline
from econometrics.specification_curve.curve import estimate_specifications
from econometrics.specification_curve.result import SpecificationCurve

__all__ = ["Baseline", "SpecificationCurve", "estimate_specifications"]
