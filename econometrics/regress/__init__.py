"""Linear regression with any number of absorbed effects and the standard errors that journals ask for."""

from econometrics.estimation.covariance import SmallSample, StandardErrors
from econometrics.estimation.result import Regression
from econometrics.instrument.result import InstrumentedRegression
from econometrics.instrument.two_stage import instrument
from econometrics.regress.magnitude import EconomicMagnitude, WaldTest, economic_magnitude, wald_test
from econometrics.regress.regression import regress

__all__ = [
    "EconomicMagnitude",
    "InstrumentedRegression",
    "Regression",
    "SmallSample",
    "StandardErrors",
    "WaldTest",
    "economic_magnitude",
    "instrument",
    "regress",
    "wald_test",
]
