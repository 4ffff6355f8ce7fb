"""Replicates of fixed-effects regressions without refitting: Gram matrices of weighted samples of clusters."""

from econometrics.resample.kernel import GramKernel, coefficients_from_gram, draw_cluster_weights, gram_kernel

__all__ = ["GramKernel", "coefficients_from_gram", "draw_cluster_weights", "gram_kernel"]
