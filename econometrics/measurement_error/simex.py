"""SIMEX: more and more error is added by simulation, and the trend of the estimate is followed back to no error."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from econometrics.estimation.design import as_names, build_design, independent_terms, refuse_doubled
from econometrics.estimation.effects import Floats
from econometrics.measurement_error.cleared import ClearedRegressor
from econometrics.measurement_error.extrapolate import (
    Extrapolant,
    extrapolate,
    extrapolate_variance,
    extrapolation_slopes,
)
from econometrics.measurement_error.result import SimexVariance, SimulationExtrapolation
from shuzhi import EstimationError, SpecError

EXTRAPOLANTS: tuple[Extrapolant, ...] = ("linear", "quadratic", "nonlinear")
# A correction is refused where no more than this share of what effects and controls leave would be true.
LEAST_LEFT = 1e-6


def simulate_extrapolate(
    data: pd.DataFrame,
    outcome: str,
    regressor: str,
    *,
    error_variance: float | None = None,
    reliability: float | None = None,
    persistent_share: float = 0.0,
    controls: str | Sequence[str] = (),
    fixed_effects: str | Sequence[str] = (),
    cluster: str | Sequence[str] = (),
    extrapolant: Extrapolant = "nonlinear",
    error_added: Sequence[float] = (0.5, 1.0, 1.5, 2.0),
    simulations: int = 100,
    variance: SimexVariance = "estimating_equations",
    draws: int = 200,
    seed: int = 1,
) -> SimulationExtrapolation:
    """Correct a coefficient for measurement error by simulation and extrapolation.

    Parameters
    ----------
    data : DataFrame
        One row an observation.
    outcome, regressor : str
        Numeric columns; the regressor is measured with error.
    error_variance, reliability : float
        Variance of the error, or the reliability of the levels, from which it is (1 - reliability) times the variance
        of the regressor; one of the two.
    persistent_share : float
        Share of the error's variance that the effects absorb, from 0 to below 1.
    controls, fixed_effects, cluster : str or sequence of str
        As in ``regress``.
    extrapolant : {"nonlinear", "quadratic", "linear"}
        ``a + b / (c + error)``, which is exact for a linear model; or a polynomial, which removes a part of the bias.
    error_added : sequence of float
        Errors to add, in variances of the error; at least two, all positive.
    simulations : int
        Errors simulated, the same for all amounts.
    variance : {"estimating_equations", "stefanski_cook", "bootstrap"}
        The covariance of the whole path of estimates, carried through the extrapolation by the delta method (Carroll
        and others 1996); the extrapolated difference of the variance of an estimate and that between simulations
        (Stefanski and Cook 1995), which needs many simulations; or a bootstrap of clusters with extrapolation in
        every draw.
    draws, seed : int
        Bootstrap draws, and the seed of everything.

    Raises
    ------
    SpecError
        Options out of bounds.
    EstimationError
        Nothing is left of the regressor, or its error is all that is left.

    References
    ----------
    Cook and Stefanski (1994), Journal of the American Statistical Association 89; Stefanski and Cook (1995), the same
    journal 90; Carroll, Kuechenhoff, Lombard and Stefanski (1996), the same journal 91; Carroll, Ruppert, Stefanski and
    Crainiceanu (2006), Measurement Error in Nonlinear Models, chapter 5.
    """
    added = np.asarray(sorted(error_added), dtype=np.float64)
    clusters = as_names(cluster)
    _refuse_options(error_variance, reliability, persistent_share, added, simulations, variance, clusters, extrapolant)
    terms = [regressor, *as_names(controls)]
    refuse_doubled(outcome=[outcome], regressor=terms)
    effects = as_names(fixed_effects)
    design = build_design(
        data, [outcome, *terms], fixed_effects=effects, cluster=clusters, weights=None, drop_singletons=True
    )
    kept, lost = independent_terms(design, terms)
    if regressor not in kept:
        raise EstimationError(f"{lost.get(regressor, regressor)}; nothing is left to correct")
    raw = design.raw_column(regressor)
    whole = (1 - reliability) * float(raw.var(ddof=1)) if reliability is not None else float(error_variance or 0.0)
    size = (1 - persistent_share) * whole
    generator = np.random.Generator(np.random.PCG64(seed))
    noise = generator.standard_normal((len(raw), simulations)) * np.sqrt(size)
    model = ClearedRegressor(design, outcome, regressor, kept[1:], noise)
    # The simulated errors leave a little more or less than errors of this variance do.
    left = min(model.left_share(), model.expected_share(size))
    if left <= LEAST_LEFT:
        raise EstimationError(_too_much(regressor, size, left, reliability))
    beyond = left / (1 - left)
    steps = np.concatenate([[0.0], added])
    estimates = model.along(steps)
    path = estimates.mean(axis=0)
    found = {name: extrapolate(steps, path[None, :], name, beyond)[0] for name in EXTRAPOLANTS}
    errors = _errors(model, steps, estimates, variance, draws, seed, beyond)
    extrapolations = pd.DataFrame(
        {
            "extrapolant": list(EXTRAPOLANTS),
            "estimate": [float(found[name]) for name in EXTRAPOLANTS],
            "standard_error": [errors[name] for name in EXTRAPOLANTS],
        }
    )
    return SimulationExtrapolation(
        outcome=outcome,
        term=regressor,
        estimate=float(found[extrapolant]),
        standard_error=errors[extrapolant],
        naive_estimate=float(path[0]),
        extrapolant=extrapolant,
        extrapolations=extrapolations,
        path=pd.DataFrame({"error_added": steps, "estimate": path}),
        error_variance=size,
        simulations=simulations,
        variance=variance,
        degrees_of_freedom=model.degrees_of_freedom,
        observations=len(raw),
        clusters=dict(zip(design.clusters.names, design.clusters.levels, strict=True)),
        fixed_effects=effects,
        seed=seed,
        draws=draws if variance == "bootstrap" else 0,
        dropped=dict(design.sample.dropped),
        assumptions=(
            f"the error of {regressor} is unrelated to its true value, to the controls and to the error of the outcome",
            "the error has one known variance in all rows"
            + (", apart from what the effects absorb" if effects else ""),
            "the controls are measured without error",
        ),
        warnings=tuple(_notes(lost, left, errors[extrapolant], extrapolant)),
    )


def _too_much(regressor: str, size: float, left: float, reliability: float | None) -> str:
    """Say that the error would be all that is left of the regressor, and what could be."""
    if reliability is None:
        return (
            f"an error variance of {size:.4g} would be all that the effects and controls leave of {regressor}; in this "
            f"model it must be below {size / (1 - left):.4g}, or the error persistent (persistent_share)"
        )
    least = math.ceil(1000 * (1 - (1 - reliability) / (1 - left))) / 1000
    return (
        f"with a reliability of {reliability:.3f} the error of {regressor} would be all that the effects and controls "
        f"leave of it; in this model the reliability must be above {least:.3f}, or the "
        "error persistent (persistent_share)"
    )


def _errors(
    model: ClearedRegressor,
    steps: Floats,
    estimates: Floats,
    variance: SimexVariance,
    draws: int,
    seed: int,
    beyond: float,
) -> dict[Extrapolant, float]:
    """Standard error of each extrapolated value."""
    path = estimates.mean(axis=0)
    if variance == "bootstrap":
        replicates = model.bootstrap(steps, draws, seed)
        return {name: float(extrapolate(steps, replicates, name, beyond).std(ddof=1)) for name in EXTRAPOLANTS}
    if variance == "stefanski_cook":
        spread = model.variances(steps, estimates).mean(axis=0) - estimates.var(axis=0, ddof=1)
        return {name: float(np.sqrt(extrapolate_variance(steps, path, spread, name, beyond))) for name in EXTRAPOLANTS}
    covariance = model.path_covariance(steps, estimates)
    slopes = {name: extrapolation_slopes(steps, path, name, beyond) for name in EXTRAPOLANTS}
    return {name: float(np.sqrt(slope @ covariance @ slope)) for name, slope in slopes.items()}


def _refuse_options(
    error_variance: float | None,
    reliability: float | None,
    persistent: float,
    added: Floats,
    simulations: int,
    variance: str,
    clusters: Sequence[str],
    extrapolant: str,
) -> None:
    problems = []
    if (error_variance is None) == (reliability is None):
        problems.append("give either error_variance or reliability")
    if error_variance is not None and error_variance <= 0:
        problems.append(f"error_variance is {error_variance}; it must be positive")
    if reliability is not None and not 0 < reliability < 1:
        problems.append(f"reliability is {reliability}; it lies between 0 and 1")
    if not 0 <= persistent < 1:
        problems.append(f"persistent_share is {persistent}; it lies from 0 to below 1")
    if len(added) < 2 or (added <= 0).any() or len(np.unique(added)) < len(added):
        problems.append("error_added needs at least two different positive numbers")
    if simulations < 2:
        problems.append("simulations must be 2 or more")
    if extrapolant not in EXTRAPOLANTS:
        problems.append(f"extrapolant must be one of {', '.join(EXTRAPOLANTS)}, not {extrapolant!r}")
    if variance not in ("estimating_equations", "stefanski_cook", "bootstrap"):
        problems.append(f"variance must be estimating_equations, stefanski_cook or bootstrap, not {variance!r}")
    if variance == "bootstrap" and len(clusters) != 1:
        problems.append("variance='bootstrap' needs exactly one cluster variable")
    if problems:
        raise SpecError("; ".join(problems))


def _notes(lost: dict[str, str], left: float, error: float, extrapolant: str) -> list[str]:
    notes = [f"dropped: {reason}" for reason in lost.values()]
    if left < 0.3:
        notes.append(f"only {left:.0%} of what effects and controls leave of the regressor is true: a long way back")
    if not np.isfinite(error):
        notes.append("the extrapolated variance is negative: use another variance or more simulations")
    if extrapolant != "nonlinear":
        notes.append(f"the {extrapolant} extrapolant removes only a part of the bias of a linear model")
    return notes
