"""Groups side by side and continuous moderators, and whether effects really differ."""

from econometrics.heterogeneity.comparison import GroupComparison
from econometrics.heterogeneity.estimate import by_group
from econometrics.heterogeneity.family import SplitFamily, family_of_splits
from econometrics.heterogeneity.groupings import (
    Grouping,
    as_grouping,
    fix_within_unit,
    group_by_column,
    group_by_market_value,
    group_by_policy,
    group_by_quantiles,
    group_by_threshold,
)
from econometrics.heterogeneity.mediation import IndirectByGroup, indirect_by_group
from econometrics.heterogeneity.moderators import Moderation, moderate
from econometrics.heterogeneity.permutation import GroupPermutation, permute_groups

__all__ = [
    "GroupComparison",
    "GroupPermutation",
    "Grouping",
    "IndirectByGroup",
    "Moderation",
    "SplitFamily",
    "as_grouping",
    "by_group",
    "family_of_splits",
    "fix_within_unit",
    "group_by_column",
    "group_by_market_value",
    "group_by_policy",
    "group_by_quantiles",
    "group_by_threshold",
    "indirect_by_group",
    "moderate",
    "permute_groups",
]
