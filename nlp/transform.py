"""What is done to an index after it was counted, as scikit-learn transformers.

Each takes a frame of one row a firm-year. Columns named in ``by`` or ``denominator`` say how and do not come out.
What is missing stays missing; where a group is unknown, the result is missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

Array = npt.NDArray[np.float64]
Tails = Literal["both", "upper", "lower"]
# Stata's definition of a percentile, which the programs of the field use.
QUANTILE: Literal["averaged_inverted_cdf"] = "averaged_inverted_cdf"


class Transform(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Base: one column comes out for each that goes in."""

    is_positive_only = False

    def read(self, values: Any, *, reset: bool) -> Array:
        """Return values as floats, of shape (firm-years, columns), missing ones as NaN."""
        read: Array = validate_data(self, values, reset=reset, dtype=np.float64, ensure_all_finite="allow-nan")
        if self.is_positive_only and np.nanmin(read, initial=0) < 0:
            raise ValueError(f"Negative values in data passed to {type(self).__name__}; it takes counts and shares")
        return read

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: N803
        """Look at values X of shape (firm-years, columns); y is ignored."""
        self.read(X, reset=True)
        return self

    def transform(self, X: Any) -> Array:  # noqa: N803
        """Return the transformed values X, of the same shape."""
        check_is_fitted(self, "n_features_in_")
        return self.apply(self.read(X, reset=False))

    def apply(self, values: Array) -> Array:
        """Return the transformed values."""
        raise NotImplementedError

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.positive_only = self.is_positive_only
        return tags


class Log1p(Transform):
    """ln(1 + value), for values that are never negative."""

    is_positive_only = True

    def apply(self, values: Array) -> Array:
        """Return the logarithms."""
        return np.log1p(values)


class Dummy(Transform):
    """1 where a value is above a threshold, else 0.

    Parameters
    ----------
    threshold : float
        In the unit of the values.
    """

    def __init__(self, threshold: float = 0.0) -> None:
        self.threshold = threshold

    def apply(self, values: Array) -> Array:
        """Return ones and zeros."""
        return np.where(np.isnan(values), np.nan, (values > self.threshold).astype(float))


class ShareOf(Transform):
    """Each column over one that gives the length of the text.

    Parameters
    ----------
    denominator : str
        Name of the column with the lengths; where it is 0 or missing, the share is missing.
    per : float
        What one is multiplied by, for example 10,000 characters.
    """

    def __init__(self, denominator: str, per: float = 1.0) -> None:
        self.denominator = denominator
        self.per = per

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: N803
        """Look at the columns of X; y is ignored."""
        self.read(_without(X, [self.denominator]), reset=True)
        return self

    def transform(self, X: Any) -> Array:  # noqa: N803
        """Return the shares."""
        check_is_fitted(self, "n_features_in_")
        values = self.read(_without(X, [self.denominator]), reset=False)
        lengths = pd.to_numeric(X[self.denominator]).astype("Float64").to_numpy(dtype=float, na_value=np.nan)
        lengths = np.where(lengths > 0, lengths, np.nan)
        return self.per * values / lengths[:, None]


class GroupedTransform(Transform):
    """Base of what is learned apart for each group of firm-years, or for all at once.

    Parameters
    ----------
    by : str, sequence of str or None
        Columns that name the group; None takes all rows as one. With it, values come as a DataFrame.
    """

    def __init__(self, by: str | Sequence[str] | None = None) -> None:
        self.by = by

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: N803
        """Learn the statistics of each group in X, of shape (firm-years, columns); y is ignored."""
        values = self.read(_without(X, self.names()), reset=True)
        keys = self.keys_of(X, len(values))
        self.groups_ = keys[~_is_missing(keys)].unique().sort_values()
        places = self.groups_.get_indexer(keys)
        found = [self.learn(values[places == place]) for place in range(len(self.groups_))]
        # The last row stands for groups that were not seen: everything about them is missing.
        self.statistics_ = np.stack([*found, np.full_like(self.learn(values[:0]), np.nan)])
        return self

    def transform(self, X: Any) -> Array:  # noqa: N803
        """Return the transformed values of X; missing where the group was not seen before or is missing."""
        check_is_fitted(self, "statistics_")
        values = self.read(_without(X, self.names()), reset=False)
        places = self.groups_.get_indexer(self.keys_of(X, len(values)))
        return self.apply_with(values, np.moveaxis(self.statistics_[places], 1, 0))

    def names(self) -> list[str]:
        """Return the columns that name the group."""
        return [] if self.by is None else [self.by] if isinstance(self.by, str) else list(self.by)

    def keys_of(self, values: Any, rows: int) -> pd.Index:
        """Return the group of each row."""
        names = self.names()
        if not names:
            return pd.Index(np.zeros(rows, dtype=int))
        frame: pd.DataFrame = values
        return pd.Index(frame[names[0]]) if len(names) == 1 else pd.MultiIndex.from_frame(frame[names])

    def learn(self, values: Array) -> Array:
        """Return the statistics of one group, of shape (statistics, columns)."""
        raise NotImplementedError

    def apply_with(self, values: Array, statistics: Array) -> Array:
        """Return the transformed values, given the statistics of each row: (statistics, rows, columns)."""
        raise NotImplementedError


class GroupDemean(GroupedTransform):
    """Values less the mean of their group, for example of their industry and year.

    Parameters
    ----------
    by : str, sequence of str or None
        Columns that name the group; a firm without one gets a missing value.
    smallest_group : int
        A group with fewer values gives missing ones: a firm alone in its industry is no distance from its own mean.
    """

    def __init__(self, by: str | Sequence[str] | None = None, smallest_group: int = 2) -> None:
        super().__init__(by)
        self.smallest_group = smallest_group

    def learn(self, values: Array) -> Array:
        """Return the means, missing for groups that are too small."""
        means, counts = _mean(values), (~np.isnan(values)).sum(axis=0)
        return np.where(counts >= self.smallest_group, means, np.nan)[None]

    def apply_with(self, values: Array, statistics: Array) -> Array:
        """Return the distances from the means."""
        return np.asarray(values - statistics[0])


class Standardise(GroupedTransform):
    """Values less the mean of their group, over its standard deviation (as ``StandardScaler``, by group)."""

    def learn(self, values: Array) -> Array:
        """Return means and standard deviations; 1 where nothing varies, as ``StandardScaler`` has it."""
        means = _mean(values)
        spread = np.sqrt(_mean((values - means) ** 2))
        is_constant = spread <= 10 * np.finfo(float).eps * np.abs(means)
        return np.stack([means, np.where(is_constant, 1.0, spread)])

    def apply_with(self, values: Array, statistics: Array) -> Array:
        """Return the standardised values."""
        return np.asarray((values - statistics[0]) / statistics[1])


class Trim(GroupedTransform):
    """Values beyond the extreme quantiles of their group become missing.

    A value exactly at a limit stays, so that the zeros of an index are never dropped for being many, and at most
    ``share`` of a group goes at each end. Quantiles are Stata's: the average of two values where n × share is whole.

    Parameters
    ----------
    share : float
        Share at each end that is extreme, from 0 to 0.5; the seed study drops 0.005.
    by : str, sequence of str or None
        Columns that name the group, for example ``report_year``; None takes limits over all rows.
    tails : {'both', 'upper', 'lower'}
        At which end.

    Attributes
    ----------
    n_affected_ : ndarray of shape (n_columns,)
        Number of fitted values beyond the limits.
    """

    def __init__(self, share: float = 0.005, by: str | Sequence[str] | None = None, tails: Tails = "both") -> None:
        super().__init__(by)
        self.share = share
        self.tails = tails

    def learn(self, values: Array) -> Array:
        """Return the lower and the upper limit."""
        if not 0 <= self.share < 0.5:
            raise ValueError(f"{type(self).__name__}: share is {self.share}; give a share of at least 0 and below 0.5")
        if self.tails not in ("both", "upper", "lower"):
            raise ValueError(f"{type(self).__name__}: tails is {self.tails!r}; take both, upper or lower")
        lower, upper = np.full(values.shape[1], -np.inf), np.full(values.shape[1], np.inf)
        for place, column in enumerate(values.T):
            present = column[~np.isnan(column)]
            if len(present) and self.tails != "upper":
                lower[place] = np.quantile(present, self.share, method=QUANTILE)
            if len(present) and self.tails != "lower":
                upper[place] = np.quantile(present, 1 - self.share, method=QUANTILE)
        return np.stack([lower, upper])

    def apply_with(self, values: Array, statistics: Array) -> Array:
        """Return the values within the limits."""
        return np.where((values >= statistics[0]) & (values <= statistics[1]), values, np.nan)

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: N803
        """Learn the limits of each group in X, of shape (firm-years, columns), and count what lies beyond them."""
        super().fit(X, y)
        values = self.read(_without(X, self.names()), reset=False)
        places = self.groups_.get_indexer(self.keys_of(X, len(values)))
        lower, upper = np.moveaxis(self.statistics_[places], 1, 0)
        self.n_affected_ = ((values < lower) | (values > upper)).sum(axis=0)
        return self


class Winsorise(Trim):
    """Values beyond the extreme quantiles of their group become the quantile; parameters as :class:`Trim`."""

    def apply_with(self, values: Array, statistics: Array) -> Array:
        """Return the values, drawn to the limits."""
        return np.clip(values, statistics[0], statistics[1])


def _without(values: Any, names: Sequence[str]) -> Any:
    """Return a frame without the columns that say how to transform the others."""
    if not names:
        return values
    missing = [name for name in names if not isinstance(values, pd.DataFrame) or name not in values.columns]
    if missing:
        raise ValueError(f"column {', '.join(missing)} is needed; give a DataFrame that holds it")
    return values.drop(columns=list(names))


def _is_missing(keys: pd.Index) -> npt.NDArray[np.bool_]:
    if isinstance(keys, pd.MultiIndex):
        return np.asarray(keys.to_frame().isna().any(axis=1))
    return np.asarray(keys.isna())


def _mean(values: Array) -> Array:
    """Return the means of the columns over what is present; NaN where nothing is."""
    counts = (~np.isnan(values)).sum(axis=0)
    sums = np.nansum(values, axis=0)
    result: Array = np.divide(sums, counts, out=np.full(values.shape[1], np.nan), where=counts > 0)
    return result
