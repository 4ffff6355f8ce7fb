"""Oster's delta: selection on unobserved controls, relative to observed ones, that explains a coefficient away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from econometrics.estimation.effects import Floats

# Oster (2019) proposes 1.3 times the R2 with controls as the most that all controls, unobserved ones too, can explain.
OSTER_RATIO = 1.3


@dataclass(frozen=True)
class OsterDelta:
    """Proportional selection on unobservables that would explain a coefficient away.

    Parameters
    ----------
    delta : float
        Selection on unobservables relative to observables; NaN where there are no controls to compare with.
    r2_max : float
        Share of the variance that all controls, unobserved ones too, are taken to explain.
    estimate, r2 : float
        With controls.
    uncontrolled_estimate, uncontrolled_r2 : float
        Without controls, effects swept out.
    reason : str
        Why there is no delta, empty where there is.
    """

    delta: float
    r2_max: float
    estimate: float
    r2: float
    uncontrolled_estimate: float
    uncontrolled_r2: float
    reason: str = ""


def oster_delta(
    gram: Floats, outcome: int, term: int, controls: Sequence[int], *, r2_max: float | None = None, target: float = 0.0
) -> OsterDelta:
    """Compute Oster's delta for a coefficient, effects partialled out of everything.

    Parameters
    ----------
    gram : (k, k) float array
        Gram matrix of the columns after the effects.
    outcome, term : int
        Columns.
    controls : sequence of int
        Observed controls.
    r2_max : float, optional
        By default 1.3 times the R2 with controls, at most 1.
    target : float
        Value of the coefficient to be explained.

    References
    ----------
    Oster (2019), Unobservable Selection and Coefficient Stability, JBES 37(2), proposition 3.
    """
    total, spread = gram[outcome, outcome], gram[term, term]
    short = float(gram[term, outcome] / spread)
    short_r2 = float(short * gram[term, outcome] / total)
    if not controls:
        reason = "there is no control to compare unobserved ones with"
        return OsterDelta(float("nan"), float("nan"), short, short_r2, short, short_r2, reason)
    right = [term, *controls]
    coefficients = np.linalg.solve(gram[np.ix_(right, right)], gram[right, outcome])
    long, long_r2 = float(coefficients[0]), float(coefficients @ gram[right, outcome] / total)
    ceiling = min(1.0, OSTER_RATIO * long_r2) if r2_max is None else r2_max
    inside = list(controls)
    left = spread - gram[term, inside] @ np.linalg.solve(gram[np.ix_(inside, inside)], gram[inside, term])
    explained, unexplained = (long_r2 - short_r2) * total, (ceiling - long_r2) * total
    distance, change = long - target, short - long
    common = distance**2 * left * change * spread
    cubic = distance**3 * (left * spread - left**2)
    numerator = distance * explained * left + distance * spread * left * change**2 + 2 * common + cubic
    denominator = unexplained * change * spread + distance * unexplained * (spread - left) + common + cubic
    delta = float(numerator / denominator) if denominator else float("inf")
    return OsterDelta(delta, ceiling, long, long_r2, short, short_r2)
