"""Wild cluster bootstrap of t statistics with the null imposed, by sums over clusters; intervals by inversion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Literal

import numpy as np
import pandas as pd

from econometrics.estimation.cluster_basis import ClusterBasis
from econometrics.estimation.effects import Floats
from shuzhi import SpecError

WildWeights = Literal["rademacher", "webb"]
POINTS: dict[WildWeights, tuple[float, ...]] = {
    "rademacher": (-1.0, 1.0),
    "webb": (-(1.5**0.5), -1.0, -(0.5**0.5), 0.5**0.5, 1.0, 1.5**0.5),
}
BATCH_BYTES = 64_000_000
# Statistics closer than this share count as equal: the enumeration contains the sample itself.
TIE = 1e-10


@dataclass(frozen=True)
class WildBootstrap:
    """Bootstrap distributions of t statistics, for any value of the null.

    Each draw's numerator is n0 + d n1 and its squared denominator s0 + d s1 + d2 s2, where d is the estimate less the
    null's value; so p values at any null, and intervals by inversion, need no new draws.

    Parameters
    ----------
    terms : tuple of str
        Coefficients.
    estimates, errors : Series
        Coefficients and their clustered errors without small-sample factor.
    numerators : (2, draws, k) float array
        n0 and n1.
    denominators : (3, draws, k) float array
        s0, s1 and s2.
    weights : {"rademacher", "webb"}
        Distribution of the draws.
    draws : int
        Number of draws, or of all combinations where ``enumerated``.
    enumerated : bool
        Every combination once, no randomness.
    seed : int
        Of the draws.
    clusters : int
        Number of clusters.
    """

    terms: tuple[str, ...]
    estimates: pd.Series
    errors: pd.Series
    numerators: Floats = field(repr=False)
    denominators: Floats = field(repr=False)
    weights: WildWeights
    draws: int
    enumerated: bool
    seed: int
    clusters: int

    def statistics(self, term: str, null: float = 0.0) -> Floats:
        """Return the bootstrap t statistics of a coefficient under a null, (draws,); NaN where a draw has no variance.

        Parameters
        ----------
        term : str
            Coefficient.
        null : float
            Its value under the null.
        """
        number = self.terms.index(term)
        distance = float(self.estimates[term]) - null
        top = self.numerators[0, :, number] + distance * self.numerators[1, :, number]
        below = self.denominators[:, :, number]
        squared = below[0] + distance * below[1] + distance**2 * below[2]
        scale = below[0] + abs(distance) * np.abs(below[1]) + distance**2 * below[2]
        usable = squared > 1e-12 * scale
        return np.divide(top, np.sqrt(np.where(usable, squared, 1.0)), out=np.full_like(top, np.nan), where=usable)

    def p_value(self, term: str, null: float = 0.0) -> float:
        """Return the symmetric two-sided p value of a null.

        Parameters
        ----------
        term : str
            Coefficient.
        null : float
            Its value under the null.
        """
        observed = abs((float(self.estimates[term]) - null) / float(self.errors[term]))
        drawn = np.abs(self.statistics(term, null))
        drawn = drawn[~np.isnan(drawn)]
        return float(np.mean(drawn >= observed * (1 - TIE))) if len(drawn) else float("nan")

    def interval(self, term: str, level: float = 0.95) -> tuple[float, float]:
        """Return the values that the test does not reject at 1 - level; infinite where it never rejects.

        Parameters
        ----------
        term : str
            Coefficient.
        level : float
            Coverage, between 0 and 1.
        """
        if not 0 < level < 1:
            raise SpecError(f"level must lie between 0 and 1, it is {level}; 0.95 is usual")
        return self._bound(term, 1 - level, -1), self._bound(term, 1 - level, 1)

    def _bound(self, term: str, size: float, sign: int) -> float:
        estimate, error = float(self.estimates[term]), float(self.errors[term])
        inside, outside = 0.0, 2.0
        while self.p_value(term, estimate + sign * outside * error) > size:
            inside, outside = outside, 2 * outside
            if outside > 1e6:
                return float(sign * np.inf)
        for _ in range(50):
            middle = (inside + outside) / 2
            if self.p_value(term, estimate + sign * middle * error) > size:
                inside = middle
            else:
                outside = middle
            if outside - inside < 1e-9 * outside:
                break
        return estimate + sign * outside * error


def wild_cluster_bootstrap(
    basis: ClusterBasis,
    terms: Sequence[str],
    coefficients: Floats,
    *,
    draws: int,
    weights: WildWeights,
    seed: int,
) -> WildBootstrap:
    """Bootstrap the t statistic of every coefficient, each with its own null imposed.

    Effects are re-absorbed in every draw: those nested in the cluster need nothing (the draw is constant within a
    cluster), those that cross clusters are columns of the basis. With at most ``draws`` combinations of the weights all
    of them are used, once each.

    Parameters
    ----------
    basis : ClusterBasis
        Of the model.
    terms : sequence of str
        Names of the k coefficients.
    coefficients : (k,) float array
        Estimates.
    draws : int
        Number of draws.
    weights : {"rademacher", "webb"}
        Two-point weights, or Webb's six points for very few clusters.
    seed : int
        Of the random generator.

    Raises
    ------
    SpecError
        Fewer than 99 draws.

    References
    ----------
    Cameron, Gelbach and Miller (2008); Roodman, MacKinnon, Nielsen and Webb (2019), Stata Journal 19; Webb (2023).
    """
    if draws < 99:
        raise SpecError(f"{draws} draws are too few for a bootstrap p value; use at least 99, better 9999")
    clusters = len(basis.bounds) - 1
    pieces = _Pieces.build(basis)
    points = np.asarray(POINTS[weights])
    enumerated = clusters * np.log(len(points)) <= np.log(draws) + 1e-9
    count = len(points) ** clusters if enumerated else draws
    every = _combinations(points, clusters) if enumerated else None
    generator = np.random.Generator(np.random.PCG64(seed))
    numerators = np.empty((2, count, len(terms)))
    denominators = np.empty((3, count, len(terms)))
    size = max(1, BATCH_BYTES // (8 * clusters))
    for start in range(0, count, size):
        rows = slice(start, min(start + size, count))
        number = rows.stop - rows.start
        drawn = every[rows] if every is not None else points[generator.integers(0, len(points), (number, clusters))]
        numerators[:, rows], denominators[:, rows] = pieces.evaluate(drawn)
    return WildBootstrap(
        tuple(terms),
        pd.Series(coefficients, index=list(terms)),
        pd.Series(np.sqrt(pieces.observed), index=list(terms)),
        numerators,
        denominators,
        weights,
        count,
        bool(enumerated),
        seed,
        clusters,
    )


def _combinations(points: Floats, clusters: int) -> Floats:
    return np.array(list(product(points, repeat=clusters)))


@dataclass(frozen=True)
class _Pieces:
    """Sums over clusters, for residuals of the model (0) and what a step of the null adds to them (1).

    ``own`` (2, G, k): influence times residuals; ``sums_residuals`` (G, p) and ``sums_step`` (G, p, k): basis times
    residuals; ``load`` (G, p, k): basis times influence; ``observed`` (k,): clustered variances of the sample itself.
    """

    own: Floats
    sums_residuals: Floats
    sums_step: Floats
    load: Floats
    observed: Floats

    @classmethod
    def build(cls, basis: ClusterBasis) -> _Pieces:
        influence = basis.influence
        # Residual of regressor j on the others: its influence, scaled so that their product is one.
        step = influence / (influence**2).sum(axis=0)
        residuals = basis.residuals[:, None]
        starts = basis.bounds[:-1]
        own = np.stack([np.add.reduceat(influence * residuals, starts), np.add.reduceat(influence * step, starts)])
        load = basis.cluster_products(basis.columns, influence)
        return cls(
            own,
            np.add.reduceat(basis.columns * residuals, starts),
            load / (influence**2).sum(axis=0),
            load,
            (own[0] ** 2).sum(axis=0),
        )

    def evaluate(self, drawn: Floats) -> tuple[Floats, Floats]:
        """Numerators (2, draws, k) and coefficients of the squared denominators (3, draws, k)."""
        clusters, columns, terms = self.load.shape
        numerators = np.stack([drawn @ self.own[0], drawn @ self.own[1]])
        denominators = np.empty((3, len(drawn), terms))
        if clusters <= columns:
            for term in range(terms):
                denominators[:, :, term] = self._by_clusters(drawn, term)
            return numerators, denominators
        squares, moved = drawn**2, drawn @ self.sums_residuals
        for term in range(terms):
            denominators[:, :, term] = self._by_columns(drawn, squares, moved, term)
        return numerators, denominators

    def _by_clusters(self, drawn: Floats, term: int) -> Floats:
        """Squared sums of the cluster scores themselves: cheap where there are fewer clusters than columns."""
        load = self.load[:, :, term]
        first = drawn @ (np.diag(self.own[0, :, term]) - load @ self.sums_residuals.T).T
        second = drawn @ (np.diag(self.own[1, :, term]) - load @ self.sums_step[:, :, term].T).T
        return np.stack([_rows(first, first), 2 * _rows(first, second), _rows(second, second)])

    def _by_columns(self, drawn: Floats, squares: Floats, moved: Floats, term: int) -> Floats:
        """The same sums expanded, so that no array has a row a draw and a column a cluster but the draws."""
        load, own = self.load[:, :, term], self.own[:, :, term]
        gram = load.T @ load
        # One wide product reads the draws once instead of three times.
        wide = np.hstack([self.sums_step[:, :, term], own[0][:, None] * load, own[1][:, None] * load])
        step, *cross = np.split(drawn @ wide, 3, axis=1)
        shift = [moved, step]
        through = [shift[0] @ gram, shift[1] @ gram]
        return np.stack(
            [
                squares @ own[0] ** 2 + _rows(through[0] - 2 * cross[0], shift[0]),
                squares @ (2 * own[0] * own[1])
                - 2 * (_rows(cross[0], shift[1]) + _rows(cross[1], shift[0]))
                + 2 * _rows(through[0], shift[1]),
                squares @ own[1] ** 2 + _rows(through[1] - 2 * cross[1], shift[1]),
            ]
        )


def _rows(left: Floats, right: Floats) -> Floats:
    result: Floats = np.einsum("ij,ij->i", left, right)
    return result
