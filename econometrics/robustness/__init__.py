"""A battery of robustness checks from one declaration: each changes the baseline in one way."""

from econometrics.robustness.baseline import Baseline
from econometrics.robustness.battery import robustness
from econometrics.robustness.declare import checks_from, declared, read_check
from econometrics.robustness.result import Robustness, RobustnessRow
from econometrics.robustness.setting import Check

__all__ = ["Baseline", "Check", "Robustness", "RobustnessRow", "checks_from", "declared", "read_check", "robustness"]
