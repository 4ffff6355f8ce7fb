"""Validity statistics of an index, as a tidy frame for the tables of a paper.

Every function returns rows of ``COLUMNS``. Intervals hold 95 %. Firm-years of one firm are not independent, so
wherever an interval comes from the number of observations, it is the number of firms.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import norm

from shuzhi import UsageError

Array = npt.NDArray[np.float64]
Form = Literal["count", "log1p"]
COLUMNS = ["statistic", "index", "other", "estimate", "lower", "upper", "n", "firms", "draws", "seed", "method"]
FIRM, YEAR = "stock_code", "report_year"
LEVEL = 0.95
FISHER = "Fisher's z over the number of firms"
FEWEST = 4


def tidy(rows: Sequence[Mapping[str, object]]) -> pd.DataFrame:
    """Return rows as a frame with all columns; whole numbers stay whole where some are missing."""
    frame = pd.DataFrame(list(rows), columns=COLUMNS)
    frame = frame.astype(dict.fromkeys(("n", "firms", "draws", "seed"), "Int64"))
    return frame.astype(dict.fromkeys(("estimate", "lower", "upper"), "float64"))


def convergent(panel: pd.DataFrame, index: str, others: Sequence[str]) -> pd.DataFrame:
    """Correlate an index with what should go with it: other word lists, R&D staff, technical staff.

    Parameters
    ----------
    panel : DataFrame
        One row a firm-year: stock_code, report_year, the index and the others. Pairs of present values count.
    index : str
        Column of the index.
    others : sequence of str
        Columns to compare it with.

    Returns
    -------
    DataFrame
        Three rows a column: ``pearson``, ``spearman``, and ``spearman_within_year``, of ranks within each year, which a
        common trend cannot make large.
    """
    _need(panel, [FIRM, YEAR, index, *others])
    rows: list[dict[str, object]] = []
    for other in others:
        both = panel[[FIRM, YEAR, index, other]].dropna()
        firms = both[FIRM].nunique()
        ranks = both[[index, other]].rank()
        within = both.groupby(YEAR)[[index, other]].rank(pct=True)
        within = within - within.groupby(both[YEAR]).transform("mean")
        for name, frame in (("pearson", both), ("spearman", ranks), ("spearman_within_year", within)):
            estimate = correlation_of(frame[index].to_numpy(dtype=float), frame[other].to_numpy(dtype=float))
            lower, upper = fisher_interval(estimate, firms)
            rows.append(
                {
                    "statistic": f"convergent_{name}",
                    "index": index,
                    "other": other,
                    "estimate": estimate,
                    "lower": lower,
                    "upper": upper,
                    "n": len(both),
                    "firms": firms,
                    "method": FISHER,
                }
            )
    return tidy(rows)


def fisher_interval(correlation: float, size: int, level: float = LEVEL) -> tuple[float, float]:
    """Return the interval of a correlation: tanh(atanh(r) ± z / sqrt(size - 3)) (Fisher 1921, Metron 1)."""
    if np.isnan(correlation) or size < FEWEST:
        return np.nan, np.nan
    middle = np.arctanh(np.clip(correlation, -1 + 1e-15, 1 - 1e-15))
    width = norm.ppf(0.5 + level / 2) / np.sqrt(size - 3)
    return float(np.tanh(middle - width)), float(np.tanh(middle + width))


def draw_placebo_lists(
    frequencies: pd.Series, terms: Sequence[str], *, draws: int, seed: int, nearest: int = 20
) -> list[tuple[str, ...]]:
    """Draw word lists that have nothing in common with a dictionary but the frequency of its words.

    For every term one word is drawn among those nearest to it in ln(frequency), each word at most once a list.

    Parameters
    ----------
    frequencies : Series
        Occurrences in the corpus by word; the terms among them.
    terms : sequence of str
        Terms of the dictionary; those that never occur need no double.
    draws : int
        How many lists.
    seed : int
        Of the draw.
    nearest : int
        Among how many words each double is drawn.

    Raises
    ------
    UsageError
        If the corpus has too few other words.
    """
    occurring = [term for term in terms if frequencies.get(term, 0) > 0]
    others = frequencies[~frequencies.index.isin(list(terms)) & (frequencies > 0)].sort_index()
    if len(others) < nearest + len(occurring):
        raise UsageError(
            f"{len(others)} words besides the dictionary's are too few for placebo lists of {len(occurring)} words;"
            " count more words of the corpus"
        )
    logs = np.log(others.to_numpy(dtype=float))
    draw = np.random.default_rng(seed)
    # Rare terms have many doubles and common ones few, so the commonest choose first.
    by_frequency = sorted(occurring, key=lambda term: (-frequencies[term], term))
    lists = []
    for _ in range(draws):
        is_free = np.ones(len(others), dtype=bool)
        chosen: list[str] = []
        for term in by_frequency:
            distance = np.where(is_free, np.abs(logs - np.log(float(frequencies[term]))), np.inf)
            place = int(draw.choice(np.argsort(distance, kind="stable")[:nearest]))
            is_free[place] = False
            chosen.append(str(others.index[place]))
        lists.append(tuple(chosen))
    return lists


def discriminant(
    panel: pd.DataFrame,
    index: str,
    words: pd.DataFrame,
    lists: Sequence[Sequence[str]],
    *,
    seed: int,
    criterion: str = "",
    form: Form = "log1p",
) -> pd.DataFrame:
    """Compare an index with indices of placebo lists: it should not go with them, and they not with its criterion.

    Parameters
    ----------
    panel : DataFrame
        One row a firm-year: stock_code, report_year, the index and the criterion.
    index, criterion : str
        Columns; without a criterion, only the correlation with the placebo indices is given.
    words : DataFrame
        Index as of ``panel``, one column a word of the lists: its occurrences in each firm-year.
    lists : sequence of sequence of str
        As :func:`draw_placebo_lists` gives them.
    seed : int
        Of that draw, for the table.
    form : {'count', 'log1p'}
        How the placebo counts become an index.

    Returns
    -------
    DataFrame
        ``discriminant_placebo``: Spearman correlation of the index with the placebo indices, mean and 95 % of them.
        ``placebo_criterion``: theirs with the criterion; ``index_criterion``: that of the index itself;
        ``placebo_p``: (1 + lists that do at least as well) / (1 + lists).
    """
    _need(panel, [FIRM, YEAR, index, *([criterion] if criterion else [])])
    made = np.column_stack([as_index(words[list(each)].sum(axis=1, skipna=False), form) for each in lists])
    rows: list[dict[str, object]] = []
    shared = {"index": index, "draws": len(lists), "seed": seed, "method": "quantiles over the placebo lists"}
    with_index = _against(panel, index, made)
    rows.append({**shared, **_spread_over(with_index), "statistic": "discriminant_placebo", "other": "placebo lists"})
    if criterion:
        with_criterion = _against(panel, criterion, made)
        own = panel[[FIRM, index, criterion]].dropna()
        firms = own[FIRM].nunique()
        ranks = own[[index, criterion]].rank()
        estimate = correlation_of(ranks[index].to_numpy(), ranks[criterion].to_numpy())
        lower, upper = fisher_interval(estimate, firms)
        as_good = int(np.sum(with_criterion >= estimate))
        rows += [
            {**shared, **_spread_over(with_criterion), "statistic": "placebo_criterion", "other": criterion},
            {
                "statistic": "index_criterion",
                "index": index,
                "other": criterion,
                "estimate": estimate,
                "lower": lower,
                "upper": upper,
                "n": len(own),
                "firms": firms,
                "method": FISHER,
            },
            {
                **shared,
                "statistic": "placebo_p",
                "other": criterion,
                "estimate": (1 + as_good) / (1 + len(lists)),
                "method": "share of placebo lists that go with the criterion at least as well",
            },
        ]
    return tidy(rows)


def _against(panel: pd.DataFrame, column: str, made: Array) -> Array:
    """Return the rank correlation of a column with each placebo index."""
    values = panel[column].astype("Float64").to_numpy(dtype=float, na_value=np.nan)
    found = []
    for placebo in made.T:
        both = ~np.isnan(values) & ~np.isnan(placebo)
        ranks = pd.DataFrame({"a": values[both], "b": placebo[both]}).rank()
        found.append(correlation_of(ranks["a"].to_numpy(), ranks["b"].to_numpy()))
    return np.array(found)


def _spread_over(values: Array) -> dict[str, object]:
    lower, upper = np.nanquantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return {"estimate": float(np.nanmean(values)), "lower": float(lower), "upper": float(upper)}


def as_index(values: Array | pd.Series, form: Form) -> Array:
    """Return counts as an index: themselves, or ln(1 + count)."""
    numbers = np.asarray(values, dtype=float)
    return np.log1p(numbers) if form == "log1p" else numbers


def correlation_of(first: Array, second: Array) -> float:
    """Return Pearson's correlation; NaN where one of the two never changes."""
    if len(first) < 2 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return np.nan
    return float(np.corrcoef(first, second)[0, 1])


def _need(panel: pd.DataFrame, names: Sequence[str]) -> None:
    missing = [name for name in names if name not in panel.columns]
    if missing:
        raise UsageError(f"the panel has no column {', '.join(missing)}")
