"""Panel threshold regression after Hansen (1999): slopes that change where another variable passes a value."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from econometrics.estimation.covariance import SmallSample
from econometrics.estimation.effects import absorbed_degrees_of_freedom, encode_effects
from econometrics.estimation.result import Regression
from econometrics.estimation.sample import columns_of, estimation_sample, numeric_values
from econometrics.regress.regression import regress
from econometrics.threshold.bootstrap import ThresholdSearch, bootstrap_test
from econometrics.threshold.result import Errors, ThresholdRegression
from econometrics.threshold.search import ThresholdProblem, threshold_problem
from shuzhi import EstimationError, SpecError

Floats = NDArray[np.float64]


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
    given = numeric_values(rows[outcome])
    if (problem.outcome**2).sum() <= 1e-16 * (given**2).sum():
        raise EstimationError(f"the outcome {outcome} does not vary within {' and '.join(effects)}")
    if not len(problem.ends):
        raise EstimationError(f"no value of {threshold} leaves {trim:.0%} of the rows on both sides")
    if bootstrap == "residual" and len(np.unique(problem.sizes)) > 1:
        raise SpecError('units have different numbers of rows: use bootstrap="wild"')
    search = ThresholdSearch(problem, trim)
    rounding = 64 * np.finfo(np.float64).eps * np.abs(problem.x).max(axis=0)
    left = search.whole.std(axis=0) <= 1e-8 * problem.x.std(axis=0) + rounding
    if left.any():
        absorbed = ", ".join(name for name, flag in zip(names, left, strict=True) if flag)
        raise EstimationError(f"the fixed effects and controls leave nothing of {absorbed}")
    found, curves = search.estimate(thresholds)
    tests = tuple(
        bootstrap_test(search, number, draws=draws, seed=seed, bootstrap=bootstrap)
        for number in range(1, thresholds + 1)
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
