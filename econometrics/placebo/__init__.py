"""Permutation placebo: the estimate beside those of treatments that were dealt out at random."""

from econometrics.placebo.permutation import PermutationPlacebo, permutation_p_value, permutation_placebo
from econometrics.placebo.rates import placebo_rejection_rates

__all__ = ["PermutationPlacebo", "permutation_p_value", "permutation_placebo", "placebo_rejection_rates"]
