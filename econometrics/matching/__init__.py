"""Comparable rows before a regression: propensity-score matching and entropy balancing."""

from econometrics.matching.estimate import entropy_balance, propensity_match
from econometrics.matching.result import Matching

__all__ = ["Matching", "entropy_balance", "propensity_match"]
