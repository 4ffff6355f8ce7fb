"""Panel threshold regression after Hansen (1999): slopes that change where another variable passes a value."""

from econometrics.threshold.regression import threshold_regression
from econometrics.threshold.result import ThresholdRegression, ThresholdTest

__all__ = ["ThresholdRegression", "ThresholdTest", "threshold_regression"]
