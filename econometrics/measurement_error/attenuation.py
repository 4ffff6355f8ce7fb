"""A regressor measured with error: its reliability carried into the estimate.

Three ways with different needs: ``correct_attenuation`` takes a known reliability, ``simulate_extrapolate`` (SIMEX) the
variance of the error, ``related_instruments`` (ORIV) a second measure of the same thing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from econometrics.estimation.covariance import sandwich, small_sample_terms
from econometrics.estimation.design import CONSTANT, Design, as_names, build_design, independent_terms, refuse_doubled
from econometrics.estimation.effects import Floats, absorbed_degrees_of_freedom
from econometrics.estimation.least_squares import inverse_gram
from econometrics.estimation.tails import t_p_values
from econometrics.measurement_error.result import AttenuationCorrection, ReliabilityOf
from shuzhi import EstimationError, SpecError


def correct_attenuation(
    data: pd.DataFrame,
    outcome: str,
    regressor: str,
    *,
    reliability: float,
    reliability_standard_error: float = 0.0,
    reliability_of: ReliabilityOf = "level",
    persistent_share: float = 0.0,
    controls: str | Sequence[str] = (),
    fixed_effects: str | Sequence[str] = (),
    cluster: str | Sequence[str] = (),
) -> AttenuationCorrection:
    """Correct a regression for the error of one regressor, given its reliability.

    With the swept columns X, of which x is measured with error, and the error's sum of squares S::

        beta = (X'X - S e e')^-1 X'y                                    e picks x
        S    = (1 - r) (1 - p) (n - k) var(x)        r the reliability of the levels, k the absorbed coefficients
        S    = (1 - r) x'x                           r the reliability of what the effects leave

    Effects take away much of what x truly says and little of its error: the reliability within them is
    ``1 - (1 - r) (1 - p) var(x) / var_within(x)``, lower than r unless the error is as persistent as x.

    Parameters
    ----------
    data : DataFrame
        One row an observation.
    outcome, regressor : str
        Numeric columns; the regressor is measured with error.
    reliability : float
        Share of the regressor's variance that is true, above 0 and up to 1 (a split-half coefficient stepped up).
    reliability_standard_error : float
        Its own standard error, which goes into that of the estimate by the delta method.
    reliability_of : {"level", "within"}
        Whether the reliability given is that of the levels over all rows, or of what the effects leave. Both are
        computed; this says which is the result.
    persistent_share : float
        Share p of the error's variance that is constant within levels of the effects (words that a firm always uses
        in its own way), from 0 to below 1; only for ``level``.
    controls, fixed_effects, cluster : str or sequence of str
        As in ``regress``.

    Raises
    ------
    SpecError
        A reliability or a share out of bounds.
    EstimationError
        The error would be larger than the variation that is left of the regressor; the message says which reliability
        is the least that can be.

    References
    ----------
    Fuller (1987), Measurement Error Models, section 2.2 and 3.1; Griliches and Hausman (1986), Journal of
    Econometrics 31.
    """
    _refuse_shares(reliability, reliability_standard_error, persistent_share, reliability_of)
    terms = [regressor, *as_names(controls)]
    refuse_doubled(outcome=[outcome], regressor=terms)
    effects, clusters = as_names(fixed_effects), as_names(cluster)
    design = build_design(
        data, [outcome, *terms], fixed_effects=effects, cluster=clusters, weights=None, drop_singletons=True
    )
    kept, lost = independent_terms(design, terms)
    if regressor not in kept:
        raise EstimationError(f"{lost.get(regressor, regressor)}; nothing is left to correct")
    names = kept if effects else [*kept, CONSTANT]
    x, y = design.columns(names), design.columns([outcome])[:, 0]
    raw = design.raw_column(regressor)
    free = len(raw) - (absorbed_degrees_of_freedom(design.effects) if effects else 1)
    squares = (raw - raw.mean()) ** 2
    level = (1 - persistent_share) * free / (len(raw) - 1) * squares
    within = x[:, 0] ** 2 if effects else squares
    errors: dict[str, Floats] = {"none": np.zeros(len(raw)), "level": level, "within": within}
    frames, partial = [], {}
    for correction, contribution in errors.items():
        if correction not in ("none", reliability_of) and not effects:
            continue
        try:
            frame, partial[correction] = _corrected(
                design, names, x, y, contribution, reliability, reliability_standard_error
            )
        except EstimationError:
            if correction == reliability_of:
                raise
            continue
        frames.append(frame.assign(correction=correction))
    estimates = pd.concat(frames, ignore_index=True)
    within_reliability = 1 - (1 - reliability) * float(level.sum()) / float(within.sum())
    return AttenuationCorrection(
        outcome=outcome,
        term=regressor,
        estimates=estimates[["correction", *[name for name in estimates.columns if name != "correction"]]],
        main=reliability_of,
        reliability=reliability,
        reliability_standard_error=reliability_standard_error,
        within_reliability=within_reliability if effects else reliability,
        partial_reliability=partial,
        persistent_share=persistent_share,
        observations=len(raw),
        clusters=dict(zip(design.clusters.names, design.clusters.levels, strict=True)),
        fixed_effects=effects,
        dropped=dict(design.sample.dropped),
        assumptions=_assumptions(regressor, reliability_of, persistent_share, effects),
        warnings=_notes(partial, lost, reliability_of, reliability_standard_error),
    )


def _refuse_shares(reliability: float, error: float, persistent: float, of: str) -> None:
    problems = []
    if not 0 < reliability <= 1:
        problems.append(f"reliability is {reliability}; it lies above 0 and up to 1")
    if not (np.isfinite(error) and error >= 0):
        problems.append(f"reliability_standard_error is {error}; it cannot be negative")
    if not 0 <= persistent < 1:
        problems.append(f"persistent_share is {persistent}; it lies from 0 to below 1")
    if of not in ("level", "within"):
        problems.append(f"reliability_of must be 'level' or 'within', not {of!r}")
    if problems:
        raise SpecError("; ".join(problems))


def _corrected(
    design: Design,
    names: Sequence[str],
    x: Floats,
    y: Floats,
    contribution: Floats,
    reliability: float,
    reliability_error: float,
) -> tuple[pd.DataFrame, float]:
    """Solve the corrected normal equations; ``contribution`` times (1 - r) sums to the error's sum of squares."""
    whole = float(contribution.sum())
    removed = (1 - reliability) * whole
    inverse = inverse_gram(x)
    left = 1 - removed * float(inverse[0, 0])
    if left <= 1e-6:
        least = math.ceil(1000 * (1 - 1 / (whole * float(inverse[0, 0])))) / 1000
        raise EstimationError(
            f"with a reliability of {reliability:.3f} the error of {names[0]} would be all that the effects and "
            "controls leave of it; in this model the reliability must be above "
            f"{least:.3f}, or the error persistent (persistent_share)"
        )
    first = np.zeros(x.shape[1])
    first[0] = 1.0
    # Sherman-Morrison: the corrected matrix differs in one element.
    bread = inverse + removed / left * np.outer(inverse[:, 0], inverse[:, 0])
    coefficients = bread @ (x.T @ y)
    residuals = y - x @ coefficients
    scores = x * residuals[:, None]
    scores[:, 0] += (1 - reliability) * contribution * coefficients[0]
    terms = small_sample_terms(len(y), x.shape[1], design.effects, design.clusters, "reghdfe")
    covariance = sandwich(bread, scores, design.clusters.codes) * terms.factor
    slope = -whole * coefficients[0] * (bread @ first)
    covariance = covariance + np.outer(slope, slope) * reliability_error**2 * (removed > 0)
    errors = np.sqrt(np.diag(covariance))
    statistics = pd.Series(coefficients / errors)
    frame = pd.DataFrame(
        {
            "term": list(names),
            "estimate": coefficients,
            "standard_error": errors,
            "statistic": statistics,
            "p_value": t_p_values(statistics, terms.degrees_of_freedom),
            "degrees_of_freedom": terms.degrees_of_freedom,
        }
    )
    return frame, left


def _notes(partial: dict[str, float], lost: dict[str, str], main: str, error: float) -> tuple[str, ...]:
    notes = [f"dropped: {reason}" for reason in lost.values()]
    if partial[main] < 0.3:
        notes.append(
            f"only {partial[main]:.0%} of the variation left by effects and controls is true: the corrected estimate "
            "rests on a small difference and moves much with the reliability"
        )
    if not error:
        notes.append("the reliability is taken as known; give reliability_standard_error to carry its own error over")
    return tuple(notes)


def _assumptions(term: str, main: str, persistent: float, effects: tuple[str, ...]) -> tuple[str, ...]:
    texts = [
        f"the error of {term} is unrelated to its true value, to the controls and to the error of the outcome",
        "the controls are measured without error",
    ]
    if effects and main == "level":
        share = f"a share of {persistent:g} is constant" if persistent else "nothing of it is constant"
        texts.append(f"the error has one variance in all rows; {share} within levels of {' + '.join(effects)}")
    if effects and main == "within":
        texts.append(f"the reliability was computed on what {' + '.join(effects)} leave of {term}")
    return tuple(texts)
