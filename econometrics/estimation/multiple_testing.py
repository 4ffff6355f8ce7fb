"""P values of several hypotheses at once: Holm, Benjamini-Hochberg and the Romano-Wolf step-down."""

from typing import Literal

import numpy as np
import numpy.typing as npt

from shuzhi import DataError

Adjustment = Literal["none", "holm", "benjamini_hochberg"]


def holm(p_values: npt.ArrayLike) -> np.ndarray:
    """Adjust p values so that the chance of any false rejection is bounded (Holm 1979).

    Parameters
    ----------
    p_values : (hypotheses,) array
        P values between 0 and 1; NaN marks a test that could not be done: it stays NaN and does not count.

    Returns
    -------
    (hypotheses,) array
        Adjusted p values in the order given.

    Raises
    ------
    DataError
        When a p value lies outside [0, 1].

    References
    ----------
    Holm, S. (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal of Statistics 6.
    """
    p, done = _checked(p_values)
    order = np.argsort(p[done], kind="stable")
    steps = np.arange(order.size, 0, -1)
    raised = np.minimum(np.maximum.accumulate(p[done][order] * steps), 1.0)
    return _put_back(p, done, order, raised)


def benjamini_hochberg(p_values: npt.ArrayLike) -> np.ndarray:
    """Adjust p values so that the expected share of false rejections is bounded (Benjamini and Hochberg 1995).

    Parameters
    ----------
    p_values : (hypotheses,) array
        P values between 0 and 1; NaN marks a test that could not be done: it stays NaN and does not count.

    Returns
    -------
    (hypotheses,) array
        Adjusted p values (often called q values) in the order given.

    Raises
    ------
    DataError
        When a p value lies outside [0, 1].

    References
    ----------
    Benjamini, Y. and Hochberg, Y. (1995). Controlling the false discovery rate. JRSS B 57.
    """
    p, done = _checked(p_values)
    order = np.argsort(p[done], kind="stable")
    ranks = np.arange(1, order.size + 1)
    scaled = p[done][order] * order.size / ranks
    lowered = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return _put_back(p, done, order, lowered)


def romano_wolf(
    statistics: npt.ArrayLike, replicates: npt.ArrayLike, *, alternative: Literal["two_sided", "greater"] = "two_sided"
) -> np.ndarray:
    """Adjust p values by the step-down of Romano and Wolf, which uses the dependence among the tests.

    Parameters
    ----------
    statistics : (hypotheses,) array
        Observed test statistics, best studentised so that they share one scale; NaN is left out.
    replicates : (draws, hypotheses) array
        The same statistics under the null hypothesis: permuted, or bootstrap statistics centred at the estimates
        (`centred_statistics`); one row holds one draw for all hypotheses. A NaN counts as no evidence in its draw.
    alternative : {"two_sided", "greater"}
        Whether large absolute or large positive values speak against the null hypothesis.

    Returns
    -------
    (hypotheses,) array
        Adjusted p values, (1 + draws at least as large) / (1 + draws), never falling along the ordered statistics.

    Raises
    ------
    DataError
        When the shapes do not fit or there is no draw.

    References
    ----------
    Romano, J. and Wolf, M. (2005). Stepwise multiple testing as formalized data snooping. Econometrica 73; and
    (2016) Efficient computation of adjusted p-values for resampling-based stepdown multiple testing. SPL 113.
    """
    observed = np.asarray(statistics, dtype=float)
    drawn = np.asarray(replicates, dtype=float)
    if observed.ndim != 1 or drawn.ndim != 2 or drawn.shape[1] != observed.size or drawn.shape[0] == 0:
        raise DataError(
            f"romano_wolf needs k statistics and replicates of shape (draws, k): got {observed.shape} and {drawn.shape}"
        )
    if alternative == "two_sided":
        observed, drawn = np.abs(observed), np.abs(drawn)
    adjusted = np.full(observed.size, np.nan)
    tested = np.flatnonzero(np.isfinite(observed))
    if tested.size == 0:
        return adjusted
    order = tested[np.argsort(-observed[tested], kind="stable")]
    ranked = np.where(np.isnan(drawn[:, order]), -np.inf, drawn[:, order])
    # The largest statistic among this hypothesis and all that come after it.
    largest = np.maximum.accumulate(ranked[:, ::-1], axis=1)[:, ::-1]
    # The observed labelling is one of the permutations and must not miss its own value by a rounding error.
    level = observed[order] - 1e-12 * np.maximum(observed[order], 1.0)
    single = (1.0 + (largest >= level).sum(axis=0)) / (1.0 + drawn.shape[0])
    adjusted[order] = np.maximum.accumulate(single)
    return adjusted


def centred_statistics(estimates: npt.ArrayLike, replicates: npt.ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Turn estimates and their bootstrap replicates into what `romano_wolf` needs.

    Parameters
    ----------
    estimates : (hypotheses,) array
        Estimates whose true value is zero under the null hypothesis.
    replicates : (draws, hypotheses) array
        Bootstrap replicates of the estimates.

    Returns
    -------
    tuple of (hypotheses,) and (draws, hypotheses) arrays
        Estimates over the standard deviation of their replicates, and replicates less the estimates over the same;
        NaN where the replicates do not vary.
    """
    estimate = np.asarray(estimates, dtype=float)
    drawn = np.asarray(replicates, dtype=float)
    spread = np.nanstd(drawn, axis=0, ddof=1) if drawn.shape[0] > 1 else np.zeros(estimate.size)
    scale = np.where(spread > 0, spread, np.nan)
    return estimate / scale, (drawn - estimate) / scale


def adjust(p_values: npt.ArrayLike, method: Adjustment) -> np.ndarray:
    """Adjust p values by the method named.

    Parameters
    ----------
    p_values : (hypotheses,) array
        P values between 0 and 1; NaN marks a test that could not be done.
    method : {"none", "holm", "benjamini_hochberg"}
        The adjustment; "none" returns a copy.

    Returns
    -------
    (hypotheses,) array
        Adjusted p values.

    Raises
    ------
    DataError
        When a p value lies outside [0, 1].
    """
    if method == "holm":
        return holm(p_values)
    if method == "benjamini_hochberg":
        return benjamini_hochberg(p_values)
    return _checked(p_values)[0].copy()


def _checked(p_values: npt.ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    p = np.atleast_1d(np.asarray(p_values, dtype=float))
    done = np.isfinite(p)
    wrong = p[done & ((p < 0) | (p > 1))]
    if wrong.size:
        raise DataError(f"p values must lie between 0 and 1; these do not: {wrong[:5].tolist()}")
    return p, done


def _put_back(p: np.ndarray, done: np.ndarray, order: np.ndarray, ordered: np.ndarray) -> np.ndarray:
    adjusted = np.full(p.size, np.nan)
    places = np.flatnonzero(done)
    adjusted[places[order]] = ordered
    return adjusted
