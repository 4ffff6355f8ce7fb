"""Two-stage least squares with absorbed effects, and the tests of its instruments."""

from econometrics.instrument.result import FirstStage, InstrumentedRegression
from econometrics.instrument.two_stage import instrument

__all__ = ["FirstStage", "InstrumentedRegression", "instrument"]
