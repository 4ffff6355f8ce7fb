"""Mediation with absorbed effects: paths, indirect effects, their intervals, and what they rest on."""

from econometrics.mediate.analysis import mediate
from econometrics.mediate.intervals import Method, MethodChoice
from econometrics.mediate.result import EffectEstimate, Mediation

__all__ = ["EffectEstimate", "Mediation", "Method", "MethodChoice", "mediate"]
