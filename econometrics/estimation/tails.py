"""Tail probabilities and quantiles of t, F, the normal and chi-squared; infinite degrees of freedom are allowed."""

from __future__ import annotations

import numpy as np
import pandas as pd

from shuzhi import SpecError


def t_p_values(statistics: pd.Series, degrees_of_freedom: pd.Series | float) -> pd.Series:
    """Two-sided p values of t statistics; of the normal where degrees of freedom are infinite.

    Parameters
    ----------
    statistics : Series
        t statistics.
    degrees_of_freedom : Series or float
        One for all or one a term.
    """
    from scipy.special import ndtr, stdtr

    degrees = np.broadcast_to(np.asarray(degrees_of_freedom, dtype=np.float64), statistics.shape)
    below = -np.abs(statistics.to_numpy(dtype=np.float64))
    tail = np.where(np.isinf(degrees), ndtr(below), stdtr(np.where(np.isinf(degrees), 1.0, degrees), below))
    return pd.Series(2 * tail, index=statistics.index)


def t_quantiles(level: float, degrees_of_freedom: pd.Series) -> pd.Series:
    """Return the quantile with (1 - level) / 2 above it, for each term.

    Parameters
    ----------
    level : float
        Coverage, between 0 and 1.
    degrees_of_freedom : Series
        One a term; infinite for the normal.
    """
    from scipy.special import ndtri, stdtrit

    if not 0 < level < 1:
        raise SpecError(f"level must lie between 0 and 1, it is {level}; 0.95 is usual")
    degrees = degrees_of_freedom.to_numpy(dtype=np.float64)
    share = (1 + level) / 2
    values = np.where(np.isinf(degrees), ndtri(share), stdtrit(np.where(np.isinf(degrees), 1.0, degrees), share))
    return pd.Series(values, index=degrees_of_freedom.index)


def f_p_value(statistic: float, numerator: float, denominator: float) -> float:
    """Return the upper tail of F, or of chi-squared / numerator where the denominator is infinite.

    Parameters
    ----------
    statistic, numerator, denominator : float
        F and its degrees of freedom.
    """
    from scipy.special import chdtrc, fdtrc

    if np.isnan(statistic):
        return float("nan")
    value = max(statistic, 0.0)
    return float(
        chdtrc(numerator, value * numerator) if np.isinf(denominator) else fdtrc(numerator, denominator, value)
    )
