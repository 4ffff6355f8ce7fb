"""From a fitted system to effects with errors and intervals, by the method asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from econometrics.estimation.covariance import SmallSample
from econometrics.estimation.effects import Floats
from econometrics.mediate.fit import SystemFit
from econometrics.mediate.intervals import (
    ANALYTIC,
    Method,
    analytic_inference,
    monte_carlo_coefficients,
    resampling_inference,
)
from econometrics.mediate.result import EffectEstimate, effect_estimates
from econometrics.mediate.system import Effect
from econometrics.resample.kernel import GramKernel

Estimate = Callable[[Sequence[GramKernel], Callable[[GramKernel], Floats]], Floats]


@dataclass(frozen=True)
class Options:
    """How to infer.

    Parameters
    ----------
    method : str
        Kind of interval.
    draws, seed : int
        Of Monte Carlo draws and bootstrap samples.
    level : float
        Coverage.
    classical : bool
        Analytic errors without clusters or heteroskedasticity.
    small_sample : str
        Convention of the analytic errors.
    is_chosen : bool
        Whether the method was chosen by the number of clusters, so that groups with fewer may need another.
    """

    method: Method
    draws: int
    seed: int
    level: float
    classical: bool
    small_sample: SmallSample
    is_chosen: bool = False


@dataclass(frozen=True)
class Outcome:
    """Effects, their replicates (empty for analytic methods), warnings, and the Gram matrices of the first kernel."""

    effects: tuple[EffectEstimate, ...]
    replicates: pd.DataFrame
    warnings: tuple[str, ...]
    grams: Floats | None


def column_name(effect: Effect) -> str:
    """Name the column of an effect's replicates: ``a``, ``a[mediator]``, ``indirect_in_group[mediator]{group}``.

    Parameters
    ----------
    effect : Effect
        Name.
    """
    name = f"{effect.effect}[{effect.mediator}]" if effect.mediator else effect.effect
    return f"{name}{{{effect.group}}}" if effect.group else name


def infer(
    fit: SystemFit,
    kernels: Sequence[Callable[[], GramKernel]],
    estimate: Estimate,
    options: Options,
    observations: int,
    clusters: Sequence[int] | None = None,
) -> Outcome:
    """Compute errors and intervals of a system's effects.

    Parameters
    ----------
    fit : SystemFit
        Estimates and joint covariance.
    kernels : sequence of callables
        Make the resampling kernels, one a group of rows; called only where samples are drawn.
    estimate : callable
        From kernels, and a function that draws Gram matrices from one, to coefficients (draws, q).
    options : Options
        How to infer.
    observations : int
        Rows used.
    clusters : sequence of int, optional
        Number of clusters behind each effect, for the expanded percentile interval; those of the kernel if not given.
    """
    names, effects, method = fit.system.effects, fit.effects, options.method
    labels = [column_name(name) for name in names]
    if method in ANALYTIC:
        inference = analytic_inference(fit, method, options.level)
        return Outcome(
            effect_estimates(names, effects, inference, observations, method), pd.DataFrame(columns=labels), (), None
        )
    grams: list[Floats] = []
    jackknife = None
    if method == "monte_carlo":
        coefficients = monte_carlo_coefficients(
            fit.coefficients, fit.covariance, options.draws, options.seed, fit.degrees_of_freedom
        )
    else:
        made = [kernel() for kernel in kernels]
        clusters = clusters or [made[0].clusters] * len(names)

        def draw(kernel: GramKernel) -> Floats:
            gram = kernel.bootstrap(options.draws, options.seed)
            if not grams:
                grams.append(gram)
            return gram

        coefficients = estimate(made, draw)
        if method == "bca":
            jackknife = np.asarray(fit.system.function(estimate(made, GramKernel.leave_one_out)), dtype=np.float64)
    replicates = np.asarray(fit.system.function(coefficients), dtype=np.float64)
    inference = resampling_inference(effects, replicates, method, options.level, jackknife, clusters)
    return Outcome(
        effect_estimates(names, effects, inference, observations, method),
        pd.DataFrame(replicates, columns=labels),
        _draw_warnings(replicates, method, options.draws),
        grams[0] if grams else None,
    )


def _draw_warnings(replicates: Floats, method: Method, draws: int) -> tuple[str, ...]:
    lost = int((~np.isfinite(replicates).all(axis=1)).sum())
    warnings = []
    if lost:
        warnings.append(
            f"{lost:,} of {draws:,} draws hold a sample in which a path cannot be estimated; they are left out"
        )
    if draws < 1000:
        name = "Monte Carlo draws" if method == "monte_carlo" else "bootstrap draws"
        warnings.append(f"{draws:,} {name} are few for an interval; 1,000 or more are usual")
    return tuple(warnings)
