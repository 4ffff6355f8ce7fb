"""Policies and attention of governments by place and year, and groups of industries and firms."""

from econometrics.policies.cohorts import POLICIES, PolicyCohorts, policy_cohorts
from econometrics.policies.treatment import TreatedPanel, add_treatment

__all__ = ["POLICIES", "PolicyCohorts", "TreatedPanel", "add_treatment", "policy_cohorts"]
