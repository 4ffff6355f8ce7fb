"""Panel threshold regression after Hansen (1999): slopes that change where another variable passes a value."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from econometrics.absorb import absorbed_degrees_of_freedom, encode_effects
from econometrics.regress import Regression, SmallSample, regress
from econometrics.sample import columns_of, estimation_sample, numeric_values
from econometrics.threshold_search import CumulativeGram, ThresholdProblem, cumulative_gram, threshold_problem
from shuzhi import EstimationError, SpecError

Floats = NDArray[np.float64]
Errors = Literal["wild", "residual"]

DRAWS_AT_ONCE = 64


@dataclass(frozen=True)
class ThresholdTest:
    """Test of one threshold more.

    Parameters
    ----------
    thresholds : int
        Number of thresholds under the alternative.
    statistic : float
        F: fall of the sum of squares over the residual variance.
    p_value : float
        (1 + bootstrap statistics at least as large) / (1 + draws).
    replicates : (draws,) float array
        Bootstrap statistics under the null hypothesis.
    critical_values : dict of float to float
        Their quantiles at 90, 95 and 99 %.
    """

    thresholds: int
    statistic: float
    p_value: float
    replicates: Floats
    critical_values: dict[float, float]


@dataclass(frozen=True)
class ThresholdRegression:
    """A regression with one or two thresholds.

    Parameters
    ----------
    outcome, threshold_variable : str
        Columns.
    changing : tuple of str
        Regressors whose slopes change.
    thresholds : tuple of float
        Rising; a row belongs to the lower regime up to and including the threshold.
    intervals : tuple of (float, float)
        Interval of each threshold by inverting the likelihood ratio.
    tests : tuple of ThresholdTest
        Of one threshold against none and, where asked for, two against one.
    model : Regression
        The regression given the thresholds, terms ``REGRESSOR [regime]``.
    regimes : DataFrame
        regime, low, high, rows.
    likelihood_ratio : DataFrame
        value, statistic for each threshold (column ``threshold`` 1 or 2), for the plot; and the critical value.
    bootstrap : {"wild", "residual"}
        How errors are drawn.
    draws, seed : int
        Of the bootstrap.
    dropped : dict of str to int
        Rows left out, by reason.
    assumptions, warnings : tuple of str
        In words.
    """

    outcome: str
    threshold_variable: str
    changing: tuple[str, ...]
    thresholds: tuple[float, ...]
    intervals: tuple[tuple[float, float], ...]
    tests: tuple[ThresholdTest, ...]
    model: Regression
    regimes: pd.DataFrame
    likelihood_ratio: pd.DataFrame
    bootstrap: Errors
    draws: int
    seed: int
    dropped: dict[str, int]
    assumptions: tuple[str, ...]
    warnings: tuple[str, ...]

    def to_frame(self, level: float = 0.95) -> pd.DataFrame:
        """Coefficients by regime, and a row for each threshold with its interval and bootstrap p value.

        Parameters
        ----------
        level : float
            Level of the coefficients' intervals.
        """
        rows = [
            {
                "term": f"threshold {place + 1}",
                "estimate": value,
                "statistic": self.tests[place].statistic if place < len(self.tests) else np.nan,
                "p_value": self.tests[place].p_value if place < len(self.tests) else np.nan,
                "interval_low": interval[0],
                "interval_high": interval[1],
                "observations": self.model.observations,
            }
            for place, (value, interval) in enumerate(zip(self.thresholds, self.intervals, strict=True))
        ]
        return pd.concat([self.model.to_frame(level), pd.DataFrame(rows)], ignore_index=True)

    def summary(self) -> str:
        """Plain text for a reader."""
        lines = [f"{self.outcome}: slopes of {', '.join(self.changing)} change with {self.threshold_variable}"]
        for value, interval in zip(self.thresholds, self.intervals, strict=True):
            lines.append(f"  threshold {value:.4g}, interval [{interval[0]:.4g}, {interval[1]:.4g}]")
        for test in self.tests:
            quantiles = ", ".join(f"{level:.0%} {value:.2f}" for level, value in test.critical_values.items())
            lines.append(
                f"  {test.thresholds} against {test.thresholds - 1}: F = {test.statistic:.2f}, p = {test.p_value:.4f} "
                f"({self.draws} {self.bootstrap} draws, seed {self.seed}; critical values {quantiles})"
            )
        for row in self.model.to_frame().itertuples():
            if "[" in str(row.term):
                lines.append(f"  {row.term!s:<32}{row.estimate:>10.4f} ({row.standard_error:.4f})")
        lines += [f"  dropped: {count} rows, {reason}" for reason, count in self.dropped.items()]
        lines += [f"  assumption: {text}" for text in self.assumptions]
        return "\n".join(lines + [f"  warning: {text}" for text in self.warnings])


def threshold_regression(
    data: pd.DataFrame,
    outcome: str,
    changing: str | Sequence[str],
    *,
    threshold: str,
    unit: str,
    controls: Sequence[str] = (),
    fixed_effects: Sequence[str] | None = None,
    cluster: str | Sequence[str] | None = None,
    thresholds: Literal[1, 2] = 1,
    trim: float = 0.05,
    candidates: int | None = 400,
    bootstrap: Errors = "wild",
    draws: int = 300,
    seed: int = 1,
    small_sample: SmallSample = "reghdfe",
    level: float = 0.95,
) -> ThresholdRegression:
    """Estimate at which values of a variable slopes change, and test that they do.

    Parameters
    ----------
    data : DataFrame
        One row per unit and period.
    outcome : str
        Column explained.
    changing : str or sequence of str
        Regressors whose slopes differ between regimes.
    threshold : str
        Column whose values divide the regimes; it should not respond to the outcome.
    unit : str
        Column of units (firms).
    controls : sequence of str
        Regressors with one slope.
    fixed_effects : sequence of str, optional
        By default the unit. The unit must come first; further effects (the year) enter as dummies.
    cluster : str or sequence of str, optional
        Of the standard errors given the thresholds; by default the unit.
    thresholds : {1, 2}
        How many; the second is searched given the first, and the first again given the second.
    trim : float
        Share of rows that each regime keeps at least.
    candidates : int, optional
        Number of quantiles that are searched; None searches all values.
    bootstrap : {"wild", "residual"}
        Errors of a unit with a random sign, for any panel and heteroskedasticity; or errors of another unit drawn with
        replacement, as Hansen does, for balanced panels whose rows are sorted by period within units.
    draws, seed : int
        Of the bootstrap; 0 draws skip the tests' p values.
    small_sample : str
        Convention of the standard errors.
    level : float
        Level of the thresholds' intervals.

    Returns
    -------
    ThresholdRegression
        Thresholds with intervals, tests and the regression by regime.

    Raises
    ------
    DataError
        When columns cannot be used.
    SpecError
        When options exclude each other.
    EstimationError
        When no candidate leaves enough rows, or slopes cannot be told apart.

    References
    ----------
    Hansen, B. (1999). Threshold effects in non-dynamic panels. Journal of Econometrics 93, 345-368.
    """
    names = (changing,) if isinstance(changing, str) else tuple(changing)
    effects = tuple(fixed_effects) if fixed_effects is not None else (unit,)
    clusters = (unit,) if cluster is None else ((cluster,) if isinstance(cluster, str) else tuple(cluster))
    if not effects or effects[0] != unit:
        raise SpecError(f"the first fixed effect must be the unit {unit!r}; got {effects}")
    if not 0 < trim < 0.5:
        raise SpecError(f"trim must lie between 0 and 0.5; got {trim}")
    numeric = list(dict.fromkeys([outcome, *names, *controls, threshold]))
    sample = estimation_sample(data, numeric=numeric, categorical=clusters, fixed_effects=effects)
    rows = sample.data
    coded = encode_effects(rows, effects)
    q = numeric_values(rows[threshold])
    problem = threshold_problem(
        numeric_values(rows[outcome]),
        np.column_stack([numeric_values(rows[name]) for name in names]),
        np.column_stack([numeric_values(rows[name]) for name in controls]) if controls else np.zeros((len(rows), 0)),
        q,
        coded,
        trim=trim,
        candidates=candidates,
        absorbed=absorbed_degrees_of_freedom(coded),
    )
    if not len(problem.ends):
        raise EstimationError(f"no value of {threshold} leaves {trim:.0%} of the rows on both sides")
    if bootstrap == "residual" and len(np.unique(problem.sizes)) > 1:
        raise SpecError('units have different numbers of rows: use bootstrap="wild"')
    search = _Search(problem, trim)
    left = np.sqrt((search.whole**2).sum(axis=0)) <= 1e-8 * np.sqrt((problem.x**2).sum(axis=0))
    if left.any():
        absorbed = ", ".join(name for name, flag in zip(names, left, strict=True) if flag)
        raise EstimationError(f"the fixed effects and controls leave nothing of {absorbed}")
    found, curves = search.estimate(thresholds)
    tests = tuple(
        _test(search, number, draws=draws, seed=seed, bootstrap=bootstrap) for number in range(1, thresholds + 1)
    )
    critical = -2 * np.log(1 - np.sqrt(level))
    intervals = tuple(_interval(problem, curve, critical) for curve in curves)
    values = tuple(float(problem.values[place]) for place in found)
    model, regimes = _final_model(
        rows[list(dict.fromkeys([*numeric, *columns_of([*effects, *clusters])]))],
        outcome,
        names,
        controls,
        threshold,
        values,
        effects,
        clusters,
        small_sample,
    )
    profile = pd.concat(
        [
            pd.DataFrame({"threshold": place + 1, "value": problem.values, "statistic": curve})
            for place, curve in enumerate(curves)
        ],
        ignore_index=True,
    ).assign(critical_value=critical)
    return ThresholdRegression(
        outcome=outcome,
        threshold_variable=threshold,
        changing=names,
        thresholds=values,
        intervals=intervals,
        tests=tests,
        model=model,
        regimes=regimes,
        likelihood_ratio=profile,
        bootstrap=bootstrap,
        draws=draws,
        seed=seed,
        dropped=sample.dropped,
        assumptions=(
            f"{threshold} and the regressors do not respond to the outcome (no lagged outcome among them)",
            "standard errors of the slopes take the thresholds as known",
            "intervals of the thresholds suppose errors of equal variance",
        ),
        warnings=tuple(dict.fromkeys(model.warnings)),
    )


class _Search:
    """Grid searches for one and two thresholds, whose Gram matrices are made once."""

    def __init__(self, problem: ThresholdProblem, trim: float) -> None:
        self.problem = problem
        self.gap = trim * len(problem.outcome)
        self.whole = problem.clear(problem.x)
        self.single = cumulative_gram(problem, self.whole)
        self._given: dict[int, CumulativeGram] = {}

    def given(self, place: int) -> CumulativeGram:
        """Search given a threshold at a candidate."""
        if place not in self._given:
            lower = self.problem.clear(self.problem.regime(0, int(self.problem.ends[place])))
            self._given[place] = cumulative_gram(self.problem, np.column_stack([self.whole, lower]))
        return self._given[place]

    def far_from(self, place: int) -> NDArray[np.bool_]:
        """Candidates that leave enough rows between them and another threshold."""
        return np.asarray(np.abs(self.problem.ends - self.problem.ends[place]) >= max(self.gap, 1))

    def second(self, place: int, outcomes: Floats) -> Floats:
        """Sums of squares (candidates, m) of a second threshold given the first; NaN where it is too near."""
        sums = self.given(place).sums_of_squares(outcomes)
        sums[~self.far_from(place)] = np.nan
        return sums

    def estimate(self, thresholds: int) -> tuple[list[int], list[Floats]]:
        """Places of the thresholds, rising, and their likelihood ratios over the candidates."""
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
        """Residual variance of a model with so many thresholds."""
        return float(sum_of_squares / (self.problem.degrees_of_freedom - thresholds * self.problem.x.shape[1]))


def _lowest(sums: Floats) -> int:
    if np.isnan(sums).all():
        raise EstimationError("no threshold leaves slopes that can be told apart in all regimes")
    return int(np.nanargmin(sums))


def _sum_of_squares(columns: Floats, outcomes: Floats) -> tuple[Floats, Floats]:
    """Sums of squared residuals and fitted values of outcomes on cleared columns."""
    fitted = columns @ np.linalg.lstsq(columns, outcomes, rcond=None)[0]
    return ((outcomes - fitted) ** 2).sum(axis=0), fitted


def _test(search: _Search, thresholds: int, *, draws: int, seed: int, bootstrap: Errors) -> ThresholdTest:
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


def _statistics(search: _Search, thresholds: int, outcomes: Floats) -> Floats:
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


def _interval(problem: ThresholdProblem, curve: Floats, critical: float) -> tuple[float, float]:
    inside = np.flatnonzero(curve <= critical)
    return float(problem.values[inside[0]]), float(problem.values[inside[-1]])


def _final_model(
    rows: pd.DataFrame,
    outcome: str,
    changing: Sequence[str],
    controls: Sequence[str],
    threshold: str,
    values: Sequence[float],
    effects: Sequence[str],
    clusters: Sequence[str],
    small_sample: SmallSample,
) -> tuple[Regression, pd.DataFrame]:
    q = numeric_values(rows[threshold])
    place = np.searchsorted(np.asarray(values), q, side="left")
    edges = [-np.inf, *values, np.inf]
    names = [_regime_name(threshold, low, high) for low, high in pairwise(edges)]
    columns = {
        f"{name} [{regime}]": np.where(place == number, numeric_values(rows[name]), 0.0)
        for name in changing
        for number, regime in enumerate(names)
    }
    frame = pd.concat([rows, pd.DataFrame(columns, index=rows.index)], axis=1)
    model = regress(
        frame,
        outcome,
        [*columns, *controls],
        fixed_effects=tuple(effects),
        cluster=tuple(clusters),
        small_sample=small_sample,
    )
    regimes = pd.DataFrame(
        {"regime": names, "low": edges[:-1], "high": edges[1:], "rows": np.bincount(place, minlength=len(names))}
    )
    return model, regimes


def _regime_name(threshold: str, low: float, high: float) -> str:
    if np.isinf(low):
        return f"{threshold} <= {high:.6g}"
    if np.isinf(high):
        return f"{threshold} > {low:.6g}"
    return f"{low:.6g} < {threshold} <= {high:.6g}"
