"""How much of an index is error: random halves of its terms, Cronbach's alpha, and what that does to a regression."""

from __future__ import annotations

import numpy as np
import pandas as pd

from nlp.validity import LEVEL, Array, Form, as_index, correlation_of, tidy
from shuzhi import UsageError


def cronbach_alpha(counts: pd.DataFrame) -> float:
    """Return Cronbach's alpha: ``k / (k - 1) × (1 - sum of the variances / variance of the sum)``.

    Parameters
    ----------
    counts : DataFrame
        One row a firm-year, one column a term or dimension; rows with a missing count are left out, columns that never
        change too.

    Notes
    -----
    Cronbach (1951, Psychometrika 16). NaN for fewer than two columns.
    """
    items = _items(counts)
    if items.shape[1] < 2 or len(items) < 2:
        return np.nan
    return float(_alpha(items.var(axis=0, ddof=1).sum(), items.sum(axis=1).var(ddof=1), items.shape[1]))


def _alpha(variances: float | Array, variance: float | Array, columns: int) -> float | Array:
    return columns / (columns - 1) * (1 - variances / variance)


def spearman_brown(correlation: float | Array, factor: float = 2.0) -> float | Array:
    """Return the reliability of a list ``factor`` times as long: ``f r / (1 + (f - 1) r)``.

    Spearman (1910) and Brown (1910), both British Journal of Psychology 3. NaN where that is not defined.
    """
    below = 1 + (factor - 1) * np.asarray(correlation)
    with np.errstate(divide="ignore", invalid="ignore"):
        stepped = np.where(below > 0, factor * np.asarray(correlation) / below, np.nan)
    return stepped if isinstance(correlation, np.ndarray) else float(stepped)


def split_half(counts: pd.DataFrame, *, draws: int, seed: int, form: Form = "log1p") -> Array:
    """Return the reliability by random halves of the terms, stepped up by Spearman and Brown, of shape (draws,).

    Parameters
    ----------
    counts : DataFrame
        One row a firm-year, one column a term; incomplete rows and terms that never change are left out.
    draws : int
        How many random halvings.
    seed : int
        Of the draw.
    form : {'count', 'log1p'}
        How the sum of a half becomes an index.
    """
    items = _items(counts)
    if items.shape[1] < 2:
        return np.full(draws, np.nan)
    draw = np.random.default_rng(seed)
    half = items.shape[1] // 2
    found = np.empty(draws)
    for place in range(draws):
        order = draw.permutation(items.shape[1])
        first, second = items[:, order[:half]].sum(axis=1), items[:, order[half:]].sum(axis=1)
        found[place] = correlation_of(as_index(first, form), as_index(second, form))
    return np.asarray(spearman_brown(found))


def reliability(
    counts: pd.DataFrame,
    firms: pd.Series,
    index: str,
    *,
    draws: int = 1000,
    seed: int = 0,
    form: Form = "log1p",
    r_squared: float = 0.0,
) -> pd.DataFrame:
    """Return split-half reliability and Cronbach's alpha, and the attenuation that each implies.

    Parameters
    ----------
    counts : DataFrame
        One row a firm-year, one column a term.
    firms : Series
        Stock code of each row.
    index : str
        Name of the index, for the table.
    draws, seed : int
        Of the random halves, and of the bootstrap of whole firms for alpha's interval.
    form : {'count', 'log1p'}
        How sums become the index; alpha is always of counts.
    r_squared : float
        Of the index on the controls and fixed effects of the regression that it enters.

    Returns
    -------
    DataFrame
        ``split_half`` (median of the halvings; its interval holds 95 % of them), ``cronbach_alpha`` (interval over
        resampled firms), and for each ``attenuation``: the factor by which the coefficient of the index is too small.
    """
    complete = counts.notna().all(axis=1)
    shared = {"index": index, "other": "", "n": int(complete.sum()), "firms": firms[complete].nunique()}
    shared |= {"draws": draws, "seed": seed}
    halves = split_half(counts, draws=draws, seed=seed, form=form)
    alphas = _bootstrap_alpha(counts[complete], firms[complete], draws, seed)
    half = np.nan if np.isnan(halves).all() else float(np.nanmedian(halves))
    quantiles = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
    rows: list[dict[str, object]] = []
    for name, estimate, values, method in (
        (
            "split_half",
            half,
            halves,
            f"random halves of the terms, {form}; Spearman-Brown",
        ),
        ("cronbach_alpha", cronbach_alpha(counts), alphas, "counts by term; bootstrap of firms"),
    ):
        lower, upper = (np.nan, np.nan) if np.isnan(values).all() else np.nanquantile(values, quantiles)
        rows.append(
            {**shared, "statistic": name, "estimate": estimate, "lower": lower, "upper": upper, "method": method}
        )
        factors = [attenuation(each, r_squared) for each in (estimate, lower, upper)]
        said = f"of {name}; R² of the index on the controls {r_squared:g}"
        low, high = factors[1:]
        rows.append(
            {**shared, "statistic": "attenuation", "other": name, "estimate": factors[0], "lower": low, "upper": high}
            | {"method": said}
        )
    return tidy(rows)


def attenuation(reliability: float, r_squared: float = 0.0) -> float:
    """Return the factor by which random error in an index shrinks its regression coefficient.

    ``(reliability - R²) / (1 - R²)``, with R² of the index on the other regressors: these take away true variance and
    leave the error. With no other regressor it is the reliability itself (Fuller 1987, Measurement Error Models,
    section 1.1; Spearman 1904, American Journal of Psychology 15, for correlations, which shrink by its square root).
    It is 0 where the controls leave nothing but error, and NaN where the reliability is unknown.

    Raises
    ------
    UsageError
        If R² is not a share below one.
    """
    if not 0 <= r_squared < 1:
        raise UsageError(f"the R² of the index on the controls is {r_squared}; give a share of at least 0 and below 1")
    return float(np.maximum((reliability - r_squared) / (1 - r_squared), 0.0))


def _bootstrap_alpha(counts: pd.DataFrame, firms: pd.Series, draws: int, seed: int) -> Array:
    """Return alpha of resamples of whole firms, from the sums of each firm alone."""
    items = _items(counts)
    if items.shape[1] < 2 or len(items) < 2:
        return np.full(draws, np.nan)
    codes = pd.factorize(firms)[0]
    total = items.sum(axis=1, keepdims=True)
    moments = np.hstack([np.ones_like(total), items, items**2, total, total**2])
    by_firm = np.zeros((codes.max() + 1, moments.shape[1]))
    np.add.at(by_firm, codes, moments)
    draw = np.random.default_rng(seed)
    weights = draw.multinomial(len(by_firm), np.full(len(by_firm), 1 / len(by_firm)), size=draws)
    sums = weights @ by_firm
    size, columns = sums[:, :1], items.shape[1]
    spread = sums[:, columns + 1 : 2 * columns + 1] - sums[:, 1 : columns + 1] ** 2 / size
    of_total = sums[:, -1] - sums[:, -2] ** 2 / size[:, 0]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(_alpha(spread.sum(axis=1), of_total, columns))


def _items(counts: pd.DataFrame) -> Array:
    """Return the complete rows as floats, without columns that never change."""
    items = counts.dropna().astype(float).to_numpy()
    varies = np.ptp(items, axis=0) > 0 if len(items) else np.zeros(items.shape[1], dtype=bool)
    return np.asarray(items[:, varies])
