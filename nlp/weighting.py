"""From counts by term or dimension to one number a firm-year, as scikit-learn transformers.

They take a firm-year × term (or dimension) matrix. A row with a missing count gives a missing result: never zero.
"""

from __future__ import annotations

from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted, validate_data

Array = npt.NDArray[np.float64]
Scale = Literal["standardise", "minmax", "none"]


class Weighting(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Base: reads counts with missing rows, and gives one column."""

    output = "index"
    is_positive_only = True

    def read(self, counts: Any, *, reset: bool) -> Array:
        """Return counts as floats, of shape (firm-years, terms), missing ones as NaN."""
        read: Array = validate_data(self, counts, reset=reset, dtype=np.float64, ensure_all_finite="allow-nan")
        if self.is_positive_only and np.nanmin(read, initial=0) < 0:
            raise ValueError(f"Negative values in data passed to {type(self).__name__}; it takes counts")
        return read

    def read_complete(self, counts: Any) -> Array:
        """Return the rows without a missing count, to fit on."""
        values = self.read(counts, reset=True)
        complete = values[~np.isnan(values).any(axis=1)]
        if not len(complete):
            raise ValueError(f"{type(self).__name__}: n_samples=0 without a missing count; there is nothing to fit on")
        return complete

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: N803
        """Learn the weights from counts X of shape (firm-years, terms); y is ignored."""
        self.learn(self.read_complete(X))
        self.is_fitted_ = True
        return self

    def transform(self, X: Any) -> Array:  # noqa: N803
        """Return the index of counts X of shape (firm-years, terms), of shape (firm-years, 1)."""
        check_is_fitted(self, "is_fitted_")
        values = self.read(X, reset=False)
        result = np.full((len(values), self.width()), np.nan)
        complete = ~np.isnan(values).any(axis=1)
        if complete.any():
            result[complete] = self.combine(values[complete])
        return result

    def width(self) -> int:
        """Return the number of columns that come out."""
        return 1

    def learn(self, counts: Array) -> None:
        """Learn from complete counts; nothing by default."""

    def combine(self, counts: Array) -> Array:
        """Return the result for complete counts."""
        raise NotImplementedError

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        """Return the name of the one column that comes out."""
        check_is_fitted(self, "is_fitted_")
        return np.array([self.output], dtype=object)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.positive_only = self.is_positive_only
        return tags


class TermSum(Weighting):
    """The sum of the counts of a firm-year: every occurrence weighs the same."""

    output = "count"
    is_positive_only = False

    def combine(self, counts: Array) -> Array:
        """Return the sums over the columns."""
        return np.asarray(counts.sum(axis=1, keepdims=True))


class TermTfidf(OneToOneFeatureMixin, Weighting):  # type: ignore[misc]
    """Counts by term times inverse document frequency, by scikit-learn's ``TfidfTransformer``.

    With ``smooth_idf`` the weight of a term in df of n reports is ``ln((1 + n) / (1 + df)) + 1``, without it
    ``ln(n / df) + 1``. What it is fitted on (which corpus, which years) is part of the index; say it.

    Parameters
    ----------
    norm : {'l1', 'l2'} or None
        Length of each row; None keeps the lengths apart, so that more words make a larger index.
    use_idf, smooth_idf, sublinear_tf : bool
        As in ``TfidfTransformer``; ``sublinear_tf`` takes 1 + ln(count), as Loughran and McDonald (2011) do.
    """

    def __init__(
        self,
        norm: Literal["l1", "l2"] | None = None,
        use_idf: bool = True,
        smooth_idf: bool = True,
        sublinear_tf: bool = False,
    ) -> None:
        self.norm = norm
        self.use_idf = use_idf
        self.smooth_idf = smooth_idf
        self.sublinear_tf = sublinear_tf

    def width(self) -> int:
        """Return one column a term."""
        return int(self.n_features_in_)

    def learn(self, counts: Array) -> None:
        """Fit the document frequencies."""
        self.tfidf_ = TfidfTransformer(
            norm=self.norm, use_idf=self.use_idf, smooth_idf=self.smooth_idf, sublinear_tf=self.sublinear_tf
        ).fit(counts)

    def combine(self, counts: Array) -> Array:
        """Return the weighted counts."""
        weighted: Array = self.tfidf_.transform(counts).toarray()
        return weighted


class EntropyWeights(Weighting):
    """A weighted sum of dimensions by the entropy weight method (熵值法).

    With ``x' = (x - min) / (max - min)`` and ``p_ij = x'_ij / sum_i x'_ij`` over n firm-years, the entropy of
    dimension j is ``e_j = -sum_i p_ij ln(p_ij) / ln(n)``, with ``0 ln 0 = 0``, and its weight ``(1 - e_j) /
    sum_j (1 - e_j)``: what is spread evenly says little. The entropy is that of Shannon (1948, Bell System Technical
    Journal 27); the weights follow Zeleny (1982, Multiple Criteria Decision Making). Many papers shift x' by 0.0001 so
    as to avoid ln 0; there is no need. A dimension that never changes weighs nothing.

    Attributes
    ----------
    weights_, entropy_ : ndarray of shape (n_dimensions,)
        The weights, which sum to one, and the entropies, from 0 to 1.
    """

    output = "entropy_index"
    is_positive_only = False

    def learn(self, counts: Array) -> None:
        """Learn range, entropy and weight of each dimension."""
        if len(counts) < 2:
            raise ValueError("EntropyWeights: n_samples=1; the entropy of one firm-year is not defined")
        self.minimum_, self.range_ = counts.min(axis=0), np.ptp(counts, axis=0)
        scaled = _divide(counts - self.minimum_, self.range_)
        shares = _divide(scaled, scaled.sum(axis=0))
        logs = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
        self.entropy_ = np.where(self.range_ > 0, -(shares * logs).sum(axis=0) / np.log(len(counts)), 1.0)
        divergence = 1 - self.entropy_
        if not divergence.sum() > 1e-12:
            raise ValueError("EntropyWeights: no dimension tells firm-years apart; there are no weights")
        self.weights_ = divergence / divergence.sum()

    def combine(self, counts: Array) -> Array:
        """Return the weighted sum of the scaled dimensions."""
        return np.asarray(_divide(counts - self.minimum_, self.range_) @ self.weights_)[:, None]


class FirstComponent(Weighting):
    """The first principal component of the standardised dimensions.

    The sign is fixed so that the loadings sum to a positive number: more words make a larger index.

    Attributes
    ----------
    loadings_ : ndarray of shape (n_dimensions,)
        Of unit length; 0 for a dimension that never changes.
    share_of_variance_ : float
        Share of the variance of the standardised dimensions that the component holds.
    """

    output = "first_component"
    is_positive_only = False

    def learn(self, counts: Array) -> None:
        """Fit the component."""
        if len(counts) < 2:
            raise ValueError("FirstComponent: n_samples=1; a component needs at least two firm-years")
        self.scaler_ = StandardScaler().fit(counts)
        component = PCA(n_components=1, svd_solver="full").fit(self.scaler_.transform(counts))
        (loadings,) = component.components_
        sign = -1.0 if (loadings.sum() or loadings[np.abs(loadings).argmax()]) < 0 else 1.0
        self.loadings_: Array = sign * loadings
        self.share_of_variance_ = float(component.explained_variance_ratio_[0])

    def combine(self, counts: Array) -> Array:
        """Return the scores."""
        return np.asarray(self.scaler_.transform(counts) @ self.loadings_)[:, None]


class EqualWeights(Weighting):
    """The mean of the scaled dimensions: each weighs the same, however many words it counts.

    Parameters
    ----------
    scale : {'standardise', 'minmax', 'none'}
        How the dimensions are made comparable before.
    """

    output = "equal_weight_index"
    is_positive_only = False

    def __init__(self, scale: Scale = "standardise") -> None:
        self.scale = scale

    def learn(self, counts: Array) -> None:
        """Learn centre and width of each dimension."""
        if self.scale == "standardise":
            self.centre_, self.spread_ = counts.mean(axis=0), counts.std(axis=0)
        elif self.scale == "minmax":
            self.centre_, self.spread_ = counts.min(axis=0), np.ptp(counts, axis=0)
        elif self.scale == "none":
            self.centre_, self.spread_ = np.zeros(counts.shape[1]), np.ones(counts.shape[1])
        else:
            raise ValueError(f"EqualWeights: scale {self.scale!r} is unknown; take standardise, minmax or none")

    def combine(self, counts: Array) -> Array:
        """Return the means over the dimensions."""
        return np.asarray(_divide(counts - self.centre_, self.spread_).mean(axis=1, keepdims=True))


def _divide(above: Array, below: Array) -> Array:
    """Divide, with 0 where there is nothing to divide by: a dimension that never changes tells nothing."""
    below = np.broadcast_to(below, above.shape)
    result: Array = np.divide(above, below, out=np.zeros_like(above), where=below > 0)
    return result
