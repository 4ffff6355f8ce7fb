"""A regression in which only the error added to one regressor changes: everything else is swept once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from econometrics.estimation.absorb import Absorber
from econometrics.estimation.covariance import sandwich, small_sample_terms
from econometrics.estimation.design import Design
from econometrics.estimation.effects import Floats, absorbed_degrees_of_freedom
from econometrics.placebo.projection import column_meat
from econometrics.resample.kernel import gram_kernel

NOISES_AT_ONCE = 16


class ClearedRegressor:
    """Outcome, regressor and simulated errors, cleared of effects and controls once for all amounts of error."""

    def __init__(self, design: Design, outcome: str, regressor: str, controls: Sequence[str], noise: Floats) -> None:
        self.design = design
        self.noise = noise
        self.raw = np.column_stack([design.raw_column(name) for name in (outcome, regressor, *controls)])
        columns = design.columns([outcome, regressor, *controls])
        if design.effects.names:
            swept = np.column_stack([columns, Absorber(design.effects).demean(noise)])
        else:
            swept = np.column_stack([columns, noise])
            swept = swept - swept.mean(axis=0)
        others = swept[:, 2 : 2 + len(controls)]
        rest = np.delete(swept, np.s_[2 : 2 + len(controls)], axis=1)
        if others.shape[1]:
            basis = np.linalg.qr(others)[0]
            rest = rest - basis @ (basis.T @ rest)
        self.y, self.x, self.errors = rest[:, 0], rest[:, 1], rest[:, 2:]
        width = 1 + len(controls) + int(not design.effects.names)
        terms = small_sample_terms(len(noise), width, design.effects, design.clusters, "reghdfe")
        self.factor, self.degrees_of_freedom = terms.factor, terms.degrees_of_freedom
        self.controls = len(controls)

    def left_share(self) -> float:
        """Share of the regressor's variation, after effects and controls, that is not error."""
        return 1 - float((self.errors**2).sum(axis=0).mean()) / float(self.x @ self.x)

    def expected_share(self, variance: float) -> float:
        """Share of the regressor's variation, after effects and controls, that is left by an error of a variance.

        Parameters
        ----------
        variance : float
            Of the error, the same in all rows.
        """
        effects = self.design.effects
        free = len(self.x) - (absorbed_degrees_of_freedom(effects) if effects.names else 1)
        return 1 - variance * free / float(self.x @ self.x)

    def along(self, steps: Floats) -> Floats:
        """Estimates for each simulation and amount of error: (simulations, steps).

        Parameters
        ----------
        steps : (m,) float array
            Error added, in variances of the error.
        """
        uy, _, _ = self._products()
        xy = float(self.x @ self.y)
        columns = [(xy + root * uy) / self._squares(root) for root in np.sqrt(steps)]
        return np.stack(columns, axis=1)

    def _products(self) -> tuple[Floats, Floats, Floats]:
        errors = self.errors
        return errors.T @ self.y, errors.T @ self.x, np.einsum("nb,nb->b", errors, errors)

    def _squares(self, root: float) -> Floats:
        _, ux, uu = self._products()
        return np.asarray(float(self.x @ self.x) + 2 * root * ux + root**2 * uu, dtype=np.float64)

    def _scores(self, root: float, estimates: Floats) -> Iterator[tuple[slice, Floats]]:
        """Regressor with error added times residual, over squares, for some simulations at a time."""
        squares = self._squares(root)
        for start in range(0, self.errors.shape[1], NOISES_AT_ONCE):
            part = slice(start, start + NOISES_AT_ONCE)
            x = self.x[:, None] + root * self.errors[:, part]
            yield part, x * (self.y[:, None] - x * estimates[part]) / squares[part]

    def path_covariance(self, steps: Floats, estimates: Floats) -> Floats:
        """Covariance of the mean estimates at all amounts of error, (steps, steps), summed by cluster.

        Parameters
        ----------
        steps : (m,) float array
            Error added.
        estimates : (simulations, m) float array
            From ``along``.
        """
        influence = np.zeros((len(self.y), len(steps)))
        for place, root in enumerate(np.sqrt(steps)):
            for _, scores in self._scores(root, estimates[:, place]):
                influence[:, place] += scores.sum(axis=1)
        influence /= self.errors.shape[1]
        return sandwich(np.eye(len(steps)), influence, self.design.clusters.codes) * self.factor

    def variances(self, steps: Floats, estimates: Floats) -> Floats:
        """Variance of each single estimate, (simulations, steps).

        Parameters
        ----------
        steps, estimates
            As for ``path_covariance``.
        """
        found = np.empty_like(estimates)
        for place, root in enumerate(np.sqrt(steps)):
            for part, scores in self._scores(root, estimates[:, place]):
                found[part, place] = self.factor * column_meat(scores, self.design.clusters.codes)
        return found

    def bootstrap(self, steps: Floats, draws: int, seed: int) -> Floats:
        """Mean estimate for each bootstrap draw and amount of error: (draws, steps), effects absorbed in every draw."""
        codes = self.design.clusters.codes[0]
        effects = self.design.effects
        base = self.raw.shape[1]
        total = np.zeros((draws, len(steps)))
        for start in range(0, self.noise.shape[1], NOISES_AT_ONCE):
            noise = self.noise[:, start : start + NOISES_AT_ONCE]
            kernel = gram_kernel(np.column_stack([self.raw, noise]), effects, codes)
            gram = kernel.bootstrap(draws, seed)
            total += _from_gram(gram, base, self.controls, steps)
        return np.asarray(total / self.noise.shape[1], dtype=np.float64)


def _from_gram(gram: Floats, base: int, controls: int, steps: Floats) -> Floats:
    """Sum over simulated errors of the estimate at each amount of error: (draws, steps)."""
    inner = np.arange(2, 2 + controls)
    outer = np.r_[0, 1, base : gram.shape[1]]
    left = gram[:, outer[:, None], outer]
    if controls:
        cross = gram[:, inner[:, None], outer]
        left = left - np.swapaxes(cross, 1, 2) @ np.linalg.solve(gram[:, inner[:, None], inner], cross)
    uy, ux = left[:, 2:, 0], left[:, 2:, 1]
    uu = np.einsum("bii->bi", left)[:, 2:]
    xy, xx = left[:, 0, 1][:, None], left[:, 1, 1][:, None]
    columns = [((xy + s * uy) / (xx + 2 * s * ux + s**2 * uu)).sum(axis=1) for s in np.sqrt(steps)]
    return np.stack(columns, axis=1)
