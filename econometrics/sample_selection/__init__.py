"""Heckman's two-step correction of a selected sample."""

from econometrics.sample_selection.result import SampleSelection
from econometrics.sample_selection.two_step import heckman

__all__ = ["SampleSelection", "heckman"]
