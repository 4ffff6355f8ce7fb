"""The Anderson-Rubin test, which is valid however weak the instruments are, and its confidence set by inversion."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from econometrics.estimation.effects import Floats
from econometrics.estimation.tails import f_p_value
from econometrics.instrument.space import InstrumentSpace, orthonormal
from econometrics.instrument.weak import TestResult
from shuzhi import SpecError

GRID = 4001
Shape = Literal["interval", "union of intervals", "unbounded", "whole line", "empty"]


@dataclass(frozen=True)
class ConfidenceSet:
    """Values of one coefficient that a test does not reject; neither bounded nor connected nor non-empty of need.

    Parameters
    ----------
    intervals : tuple of (float, float)
        Its pieces from left to right; ends may be infinite.
    level : float
        Coverage.
    """

    intervals: tuple[tuple[float, float], ...]
    level: float

    @property
    def shape(self) -> Shape:
        """What the set looks like."""
        if not self.intervals:
            return "empty"
        ends = (self.intervals[0][0], self.intervals[-1][1])
        if len(self.intervals) == 1 and np.isinf(ends).all():
            return "whole line"
        if np.isinf(ends).any():
            return "unbounded"
        return "interval" if len(self.intervals) == 1 else "union of intervals"

    def summary(self) -> str:
        """Say the set in words."""
        pieces = " or ".join(
            f"{'(' if np.isinf(low) else '['}{low:.6g}, {high:.6g}{')' if np.isinf(high) else ']'}"
            for low, high in self.intervals
        )
        texts = {
            "empty": "empty: every value is rejected, so the instruments contradict each other or the model",
            "whole line": "the whole line: the instruments say nothing about the coefficient",
            "unbounded": f"{pieces}, unbounded: the instruments are too weak to bound the coefficient",
            "interval": pieces,
            "union of intervals": pieces,
        }
        return texts[self.shape]


@dataclass(frozen=True)
class AndersonRubin:
    """Anderson-Rubin test of the endogenous variables' coefficients.

    Parameters
    ----------
    test : TestResult
        That all of them are zero.
    estimate, spread : float
        Centre and width of the search for the set, from 2SLS (one endogenous variable).
    coefficients : (2, l) float array
        Reduced form and first stage on orthonormal instruments.
    covariances : (3, l, l) float array
        Of the reduced form, of it with the first stage (summed both ways), of the first stage.
    numerator, denominator : float
        Degrees of freedom of F.
    """

    test: TestResult
    estimate: float
    spread: float
    coefficients: Floats = field(repr=False)
    covariances: Floats = field(repr=False)
    numerator: float
    denominator: float

    def statistic(self, value: float) -> float:
        """Return F for a value of the coefficient (one endogenous variable).

        Parameters
        ----------
        value : float
            Coefficient under the null.
        """
        return float(self._statistics(np.array([1.0]), np.array([-value]))[0])

    def p_value(self, value: float) -> float:
        """Return the p value of a value of the coefficient (one endogenous variable).

        Parameters
        ----------
        value : float
            Coefficient under the null.
        """
        return f_p_value(self.statistic(value), self.numerator, self.denominator)

    def _statistics(self, outcome: Floats, endogenous: Floats) -> Floats:
        """F of outcome * y + endogenous * x on the instruments, for many weights at once."""
        effects = outcome[:, None] * self.coefficients[0] + endogenous[:, None] * self.coefficients[1]
        weights = np.stack([outcome**2, outcome * endogenous, endogenous**2], axis=1)
        variances = np.einsum("nw,wij->nij", weights, self.covariances)
        solved = np.linalg.solve(variances, effects[:, :, None])[:, :, 0]
        result: Floats = np.einsum("ni,ni->n", effects, solved) / self.numerator
        return result

    def confidence_set(self, level: float = 0.95) -> ConfidenceSet:
        """Return the values that the test does not reject.

        The line is wound onto a circle, value = estimate + spread * tan(angle), so that infinity is a point like any
        other; a grid on the circle finds the pieces, root finding their ends.

        Parameters
        ----------
        level : float
            Coverage, between 0 and 1.

        Raises
        ------
        SpecError
            A level outside (0, 1), or more than one endogenous variable.
        """
        from scipy.special import chdtri, fdtri

        if not 0 < level < 1:
            raise SpecError(f"level must lie between 0 and 1, it is {level}; 0.95 is usual")
        if np.isnan(self.estimate):
            raise SpecError("the Anderson-Rubin set is for one endogenous variable; with several use its joint test")
        infinite = np.isinf(self.denominator)
        critical = (
            chdtri(self.numerator, 1 - level) / self.numerator
            if infinite
            else fdtri(self.numerator, self.denominator, level)
        )
        return ConfidenceSet(self._pieces(float(critical)), level)

    def _excess(self, angles: Floats, critical: float) -> Floats:
        sine, cosine = np.sin(angles), np.cos(angles)
        return self._statistics(cosine, -(self.estimate * cosine + self.spread * sine)) - critical

    def _pieces(self, critical: float) -> tuple[tuple[float, float], ...]:
        from scipy.optimize import brentq, minimize_scalar

        def excess(angle: float) -> float:
            return float(self._excess(np.array([angle]), critical)[0])

        angles = np.linspace(-np.pi / 2, np.pi / 2, GRID)
        values = self._excess(angles, critical)
        # A piece smaller than the grid lies at a local minimum.
        dips = np.flatnonzero((values[1:-1] < values[:-2]) & (values[1:-1] <= values[2:]) & (values[1:-1] > 0)) + 1
        for dip in dips:
            found = minimize_scalar(excess, bounds=(angles[dip - 1], angles[dip + 1]), method="bounded")
            if found.fun <= 0:
                angles = np.append(angles, found.x)
        angles = np.sort(angles)
        inside = self._excess(angles, critical) <= 0
        if inside.all():
            return ((-np.inf, np.inf),)
        edges = np.flatnonzero(inside[1:] != inside[:-1])
        roots = [brentq(excess, angles[edge], angles[edge + 1], xtol=1e-14) for edge in edges]
        ends = [self.estimate + self.spread * float(np.tan(root)) for root in roots]
        if inside[0]:
            ends.insert(0, -np.inf)
        if inside[-1]:
            ends.append(np.inf)
        return tuple(zip(ends[::2], ends[1::2], strict=True))


def anderson_rubin(space: InstrumentSpace, estimates: Floats, errors: Floats) -> AndersonRubin:
    """Test the endogenous variables' coefficients by the reduced form of the outcome.

    Parameters
    ----------
    space : InstrumentSpace
        Partialled columns.
    estimates, errors : (m,) float arrays
        2SLS coefficients and standard errors, to centre the search.

    References
    ----------
    Anderson and Rubin (1949); inversion as in Mikusheva and Poi (2006), here for any covariance.
    """
    base = orthonormal(space.instruments)
    count, number = base.shape[1], space.endogenous.shape[1]
    terms = space.terms(count + space.controls)
    outcome = base.T @ space.outcome
    rest = space.outcome - base @ outcome
    own = space.meat(base, rest) * terms.factor
    statistic = float(outcome @ np.linalg.solve(own, outcome)) / count
    test = TestResult(
        "Anderson-Rubin",
        "the endogenous variables have no effect (and the instruments are valid)",
        statistic,
        count,
        terms.degrees_of_freedom,
        f_p_value(statistic, count, terms.degrees_of_freedom),
    )
    coefficients, covariances = np.zeros((2, count)), np.zeros((3, count, count))
    estimate = spread = float("nan")
    if number == 1:
        endogenous = base.T @ space.endogenous[:, 0]
        left = space.endogenous[:, 0] - base @ endogenous
        cross = space.meat(base, rest, left) * terms.factor
        coefficients = np.stack([outcome, endogenous])
        covariances = np.stack([own, cross + cross.T, space.meat(base, left) * terms.factor])
        estimate, spread = float(estimates[0]), float(errors[0])
    return AndersonRubin(test, estimate, spread, coefficients, covariances, count, terms.degrees_of_freedom)
