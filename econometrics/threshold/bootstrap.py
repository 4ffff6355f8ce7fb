"""Grid searches for thresholds, and the bootstrap of their tests."""

import numpy as np
from numpy.typing import NDArray

from econometrics.threshold.result import Errors, ThresholdTest
from econometrics.threshold.search import CumulativeGram, ThresholdProblem, cumulative_gram
from shuzhi import EstimationError

Floats = NDArray[np.float64]

DRAWS_AT_ONCE = 64


class ThresholdSearch:
    """Grid searches for one and two thresholds, whose Gram matrices are made once.

    Parameters
    ----------
    problem : ThresholdProblem
        The sorted rows.
    trim : float
        Share of rows that each regime keeps at least.
    """

    def __init__(self, problem: ThresholdProblem, trim: float) -> None:
        self.problem = problem
        self.gap = trim * len(problem.outcome)
        self.whole = problem.clear(problem.x)
        self.single = cumulative_gram(problem, self.whole)
        self._given: dict[int, CumulativeGram] = {}

    def given(self, place: int) -> CumulativeGram:
        """Search given a threshold at a candidate.

        Parameters
        ----------
        place : int
            Number of the candidate.
        """
        if place not in self._given:
            lower = self.problem.clear(self.problem.regime(0, int(self.problem.ends[place])))
            self._given[place] = cumulative_gram(self.problem, np.column_stack([self.whole, lower]))
        return self._given[place]

    def far_from(self, place: int) -> NDArray[np.bool_]:
        """Candidates that leave enough rows between them and another threshold.

        Parameters
        ----------
        place : int
            Candidate of the other threshold.
        """
        return np.asarray(np.abs(self.problem.ends - self.problem.ends[place]) >= max(self.gap, 1))

    def second(self, place: int, outcomes: Floats) -> Floats:
        """Sums of squares (candidates, m) of a second threshold given the first; NaN where it is too near.

        Parameters
        ----------
        place : int
            Candidate of the first threshold.
        outcomes : (n, m) float array
            Outcomes, cleared.
        """
        sums = self.given(place).sums_of_squares(outcomes)
        sums[~self.far_from(place)] = np.nan
        return sums

    def estimate(self, thresholds: int) -> tuple[list[int], list[Floats]]:
        """Places of the thresholds, rising, and their likelihood ratios over the candidates.

        Parameters
        ----------
        thresholds : int
            1 or 2.
        """
        outcome = self.problem.outcome[:, None]
        sums = self.single.sums_of_squares(outcome)[:, 0]
        first = _lowest(sums)
        if thresholds == 1:
            return [first], [self._ratio(sums, 1)]
        second_sums = self.second(first, outcome)[:, 0]
        second = _lowest(second_sums)
        # The first estimate ignored the second threshold; searched again it is efficient (Hansen 1999, section 4.2).
        first_sums = self.second(second, outcome)[:, 0]
        first = _lowest(first_sums)
        pairs = sorted([(first, self._ratio(first_sums, 2)), (second, self._ratio(second_sums, 2))], key=lambda p: p[0])
        return [pair[0] for pair in pairs], [pair[1] for pair in pairs]

    def _ratio(self, sums: Floats, thresholds: int) -> Floats:
        lowest = float(np.nanmin(sums))
        return (sums - lowest) / self.variance(lowest, thresholds)

    def variance(self, sum_of_squares: float | np.floating, thresholds: int) -> float:
        """Residual variance of a model with so many thresholds.

        Parameters
        ----------
        sum_of_squares : float
            Of its residuals.
        thresholds : int
            How many.
        """
        return float(sum_of_squares / (self.problem.degrees_of_freedom - thresholds * self.problem.x.shape[1]))


def _lowest(sums: Floats) -> int:
    if np.isnan(sums).all():
        raise EstimationError("no threshold leaves slopes that can be told apart in all regimes")
    return int(np.nanargmin(sums))


def _sum_of_squares(columns: Floats, outcomes: Floats) -> tuple[Floats, Floats]:
    """Sums of squared residuals and fitted values of outcomes on cleared columns."""
    fitted = columns @ np.linalg.lstsq(columns, outcomes, rcond=None)[0]
    return ((outcomes - fitted) ** 2).sum(axis=0), fitted


def bootstrap_test(
    search: ThresholdSearch, thresholds: int, *, draws: int, seed: int, bootstrap: Errors
) -> ThresholdTest:
    """Test one threshold more, with errors drawn under the null hypothesis.

    Parameters
    ----------
    search : ThresholdSearch
        The search.
    thresholds : int
        Number of thresholds under the alternative, 1 or 2.
    draws, seed : int
        Of the bootstrap.
    bootstrap : {"wild", "residual"}
        Errors of a unit with a random sign, or errors of another unit.

    Returns
    -------
    ThresholdTest
        Statistic, replicates and p value.
    """
    problem, outcome = search.problem, search.problem.outcome[:, None]
    sums = search.single.sums_of_squares(outcome)[:, 0]
    first = _lowest(sums)
    if thresholds == 1:
        null = search.whole
        alternative = np.column_stack([null, problem.clear(problem.regime(0, int(problem.ends[first])))])
        smallest = float(sums[first])
    else:
        null = np.column_stack([search.whole, problem.clear(problem.regime(0, int(problem.ends[first])))])
        second_sums = search.second(first, outcome)[:, 0]
        second = _lowest(second_sums)
        alternative = np.column_stack([null, problem.clear(problem.regime(0, int(problem.ends[second])))])
        smallest = float(second_sums[second])
    null_sum, null_fit = _sum_of_squares(null, outcome)
    statistic = (float(null_sum[0]) - smallest) / search.variance(smallest, thresholds)
    residual = (outcome - _sum_of_squares(alternative, outcome)[1])[:, 0]
    generator = np.random.Generator(np.random.PCG64([seed, thresholds]))
    replicates = []
    for start in range(0, draws, DRAWS_AT_ONCE):
        errors = _errors(problem, residual, min(DRAWS_AT_ONCE, draws - start), generator, bootstrap)
        replicates.append(_statistics(search, thresholds, problem.clear(null_fit + errors)))
    drawn = np.concatenate(replicates) if replicates else np.empty(0)
    known = drawn[np.isfinite(drawn)]
    p_value = float((1 + (known >= statistic).sum()) / (1 + known.size)) if draws else np.nan
    quantiles = {share: float(np.quantile(known, share)) if known.size else np.nan for share in (0.9, 0.95, 0.99)}
    return ThresholdTest(thresholds, statistic, p_value, drawn, quantiles)


def _errors(
    problem: ThresholdProblem, residual: Floats, draws: int, generator: np.random.Generator, bootstrap: Errors
) -> Floats:
    units = len(problem.sizes)
    if bootstrap == "wild":
        signs = generator.integers(0, 2, (draws, units)) * 2 - 1
        return np.asarray(residual[:, None] * signs[:, problem.units].T)
    place = np.lexsort((problem.order, problem.units))
    by_unit = residual[place].reshape(units, -1)
    drawn = by_unit[generator.integers(0, units, (draws, units))].reshape(draws, -1)
    errors = np.empty((len(residual), draws))
    errors[place] = drawn.T
    return errors


def _statistics(search: ThresholdSearch, thresholds: int, outcomes: Floats) -> Floats:
    sums = search.single.sums_of_squares(outcomes)
    lowest = np.nanmin(sums, axis=0)
    if thresholds == 1:
        null = _sum_of_squares(search.whole, outcomes)[0]
        return np.asarray((null - lowest) / np.array([search.variance(value, 1) for value in lowest]))
    places = np.nanargmin(sums, axis=0)
    second = np.full(outcomes.shape[1], np.nan)
    for place in np.unique(places):
        chosen = np.flatnonzero(places == place)
        candidates = search.second(int(place), outcomes[:, chosen])
        if not np.isnan(candidates).all():
            second[chosen] = np.nanmin(candidates, axis=0)
    return np.asarray((lowest - second) / np.array([search.variance(value, 2) for value in second]))
