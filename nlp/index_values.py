"""From counts by term to the values of a declared index. What is missing has a reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.pipeline import Pipeline, make_pipeline

from nlp.index_spec import GROUPS, OF_DIMENSIONS, SENTENCE_SHARE, SHARES, IndexSpec, Step
from nlp.transform import Dummy, GroupDemean, Log1p, ShareOf, Standardise, Transform, Trim, Winsorise
from nlp.weighting import EntropyWeights, EqualWeights, FirstComponent, TermSum, TermTfidf
from shuzhi import UsageError

VALUE = "value"


@dataclass(frozen=True)
class IndexValues:
    """The values of one index.

    Parameters
    ----------
    spec : IndexSpec
        What was declared.
    values : DataFrame
        Index as of the firm-years; ``value`` and ``reason``, which says why a value is missing.
    facts : mapping of str to float
        n, missing, mean, sd, zero_share, trimmed, winsorised, share_of_variance (as they apply).
    weights : Series
        Weight of each dimension, or of each term under TF-IDF; empty for counts.
    terms : DataFrame
        Counts by term that the index is made of, of its dimension or of all; index as of the firm-years.
    """

    spec: IndexSpec
    values: pd.DataFrame
    facts: Mapping[str, float]
    weights: pd.Series
    terms: pd.DataFrame


def build_weighting(spec: IndexSpec) -> Pipeline:
    """Return the weighting of an index as an unfitted scikit-learn pipeline from counts to one column."""
    steps = {
        "count": [TermSum()],
        "tfidf": [TermTfidf(), TermSum()],
        "entropy": [EntropyWeights()],
        "first_component": [FirstComponent()],
        "equal": [EqualWeights()],
    }
    return make_pipeline(*steps[spec.weighting])


def build_step(step: Step) -> Transform:
    """Return one step as an unfitted scikit-learn transformer of a frame of values and what groups them."""
    by = list(GROUPS[step.by]) or None
    if step.name in SHARES:
        return ShareOf(*SHARES[step.name])
    if step.name == "demean":
        return GroupDemean(by)
    if step.name == "standardise":
        return Standardise(by)
    if step.name == "dummy":
        return Dummy(step.number)
    if step.name == "log1p":
        return Log1p()
    return (Trim if step.name == "trim" else Winsorise)(step.number, by, step.tails)


def compute_index(
    spec: IndexSpec, terms: pd.DataFrame, dimension_of: Mapping[str, str], firm_years: pd.DataFrame
) -> IndexValues:
    """Compute a declared index.

    Parameters
    ----------
    spec : IndexSpec
        What to compute.
    terms : DataFrame
        Kept hits within the scope, one row a firm-year and one column a term; a row of missing values where the
        report gives no index.
    dimension_of : mapping of str to str
        Dimension of each term.
    firm_years : DataFrame
        Index as of ``terms``: stock_code, report_year, reason (why a row is missing), and as the index needs them
        chinese_characters, tokens, sentences (lengths of the scope), sentences_with_hits, industry.

    Returns
    -------
    IndexValues
        With as many rows as ``terms``.

    Raises
    ------
    UsageError
        If a column is needed that is not there, or the weights cannot be learned.
    """
    _check_columns(spec, firm_years)
    counts = _columns_of(spec, terms, dimension_of)
    reason = firm_years["reason"].where(counts.isna().any(axis=1), "").astype(object)
    value, facts, weights = _weigh(spec, counts, firm_years)
    if spec.transform and spec.transform[0].name == SENTENCE_SHARE:
        with_hits = firm_years["sentences_with_hits"].astype("Float64").to_numpy(dtype=float, na_value=np.nan)
        above = np.where(value.isna(), np.nan, with_hits)
        below = firm_years["sentences"].astype("Float64").to_numpy(dtype=float, na_value=np.nan)
        value = pd.Series(np.divide(above, np.where(below > 0, below, np.nan)), index=terms.index)
        reason = _explain(reason, value, "no sentences in the scope")
    for step in spec.transform:
        if step.name == SENTENCE_SHARE:
            continue
        value, changed = _apply(step, value, firm_years)
        reason = _explain(reason, value, _why(step, firm_years))
        for name, number in changed.items():
            facts[name] = facts.get(name, 0.0) + number
    values = pd.DataFrame({VALUE: value, "reason": reason}, index=terms.index)
    own = [name for name in terms.columns if spec.dimension in ("total", dimension_of[name])]
    return IndexValues(spec, values, {**_summary(value), **facts}, weights, terms[own])


def _check_columns(spec: IndexSpec, firm_years: pd.DataFrame) -> None:
    needed = {"stock_code", "report_year", "reason"}
    for step in spec.transform:
        needed |= set(GROUPS[step.by])
        needed |= {SHARES[step.name][0]} if step.name in SHARES else set()
        needed |= {"sentences", "sentences_with_hits"} if step.name == SENTENCE_SHARE else set()
    missing = sorted(needed - set(firm_years.columns))
    if "industry" in missing:
        raise UsageError(
            f"index {spec.name}: its steps need the industry of each firm; give a table with stock_code, industry"
            " (and report_year, where it changes)"
        )
    if missing:
        raise UsageError(f"index {spec.name}: the firm-years have no column {', '.join(missing)}")


def _columns_of(spec: IndexSpec, terms: pd.DataFrame, dimension_of: Mapping[str, str]) -> pd.DataFrame:
    """Return the counts that the weighting takes: by term, of one dimension or all, or by dimension."""
    dimensions = pd.Series({term: dimension_of[term] for term in terms.columns}, dtype=object)
    if spec.dimension != "total":
        if spec.dimension not in set(dimension_of.values()):
            known = ", ".join(dict.fromkeys(dimension_of.values()))
            raise UsageError(f"index {spec.name}: {spec.dictionary} has no dimension {spec.dimension}; it has {known}")
        return terms.loc[:, (dimensions == spec.dimension).to_numpy()]
    if spec.weighting not in OF_DIMENSIONS:
        return terms
    names = list(dict.fromkeys(dimension_of.values()))
    if len(names) < 2:
        raise UsageError(f"index {spec.name}: {spec.dictionary} has one dimension; {spec.weighting} needs two or more")
    columns = {name: terms.loc[:, (dimensions == name).to_numpy()].sum(axis=1, skipna=False) for name in names}
    return pd.DataFrame(columns, index=terms.index)


def _weigh(
    spec: IndexSpec, counts: pd.DataFrame, firm_years: pd.DataFrame
) -> tuple[pd.Series, dict[str, float], pd.Series]:
    """Return the weighted number of each firm-year, what was learned, and the weights."""
    weighting = build_weighting(spec)
    learned_from = counts[firm_years["report_year"].isin(spec.fit_years)] if spec.fit_years else counts
    learned_from = learned_from.dropna().astype(float)
    if counts.notna().all(axis=1).any() and learned_from.empty:
        raise UsageError(f"index {spec.name}: no readable report of the years {spec.describe()['fit_years']} to fit on")
    if learned_from.empty or counts.columns.empty:
        return pd.Series(np.nan, index=counts.index), {}, pd.Series(dtype=float)
    try:
        weighting.fit(learned_from)
    except ValueError as error:
        raise UsageError(f"index {spec.name}: {error}") from None
    value = pd.Series(weighting.transform(counts.astype(float)).ravel(), index=counts.index)
    first = weighting[0]
    facts = {"share_of_variance": first.share_of_variance_} if isinstance(first, FirstComponent) else {}
    learned: npt.NDArray[np.float64] | Sequence[float] = []
    if isinstance(first, EntropyWeights):
        learned = first.weights_
    elif isinstance(first, FirstComponent):
        learned = first.loadings_
    elif isinstance(first, TermTfidf):
        learned = first.tfidf_.idf_
    elif isinstance(first, EqualWeights):
        learned = np.full(counts.shape[1], 1 / counts.shape[1])
    return value, facts, pd.Series(learned, index=counts.columns if len(learned) else None, dtype=float)


def _apply(step: Step, value: pd.Series, firm_years: pd.DataFrame) -> tuple[pd.Series, dict[str, float]]:
    """Return the values after a step, and how many it trimmed or winsorised."""
    given = [*GROUPS[step.by], *([SHARES[step.name][0]] if step.name in SHARES else [])]
    frame = firm_years[given].assign(**{VALUE: value})
    transform = build_step(step)
    try:
        result = pd.Series(transform.fit(frame).transform(frame).ravel(), index=value.index)
    except ValueError as error:
        raise UsageError(f"step {step.text}: {error}") from None
    names = {"trim": "trimmed", "winsorise": "winsorised"}
    return result, {names[step.name]: float(transform.n_affected_[0])} if step.name in names else {}


def _why(step: Step, firm_years: pd.DataFrame) -> pd.Series | str:
    """Return why a step gives no value to a firm-year."""
    if step.name == "trim":
        return f"trimmed: beyond the extreme {100 * step.number:g} % of {'its year' if step.by == 'year' else 'all'}"
    if step.name in SHARES:
        return f"no {SHARES[step.name][0].replace('_', ' ')} in the scope"
    small = f"fewer than two firms in its {step.by}"
    if "industry" not in GROUPS[step.by]:
        return small
    return pd.Series(small, firm_years.index).where(firm_years["industry"].notna(), "no industry is known of the firm")


def _explain(reason: pd.Series, value: pd.Series, why: pd.Series | str) -> pd.Series:
    """Give a reason to the values that are missing and have none yet."""
    return reason.mask(value.isna() & (reason == ""), why)


def _summary(value: pd.Series) -> dict[str, float]:
    """Return how many values there are and how they spread."""
    present = value.dropna()
    return {
        "n": float(len(present)),
        "missing": float(len(value) - len(present)),
        "mean": float(present.mean()) if len(present) else np.nan,
        "sd": float(present.std()) if len(present) > 1 else np.nan,
        "zero_share": float((present == 0).mean()) if len(present) else np.nan,
    }


def correlate(values: pd.DataFrame) -> pd.DataFrame:
    """Correlate indices pair by pair over the firm-years that both have.

    Parameters
    ----------
    values : DataFrame
        One row a firm-year, one column an index.

    Returns
    -------
    DataFrame
        One row a pair: index_a, index_b, n, pearson, spearman; missing where fewer than three firm-years are shared
        or one of the two never changes.
    """
    rows = []
    for place, first in enumerate(values.columns):
        for second in values.columns[place + 1 :]:
            both = values[[first, second]].dropna()
            varies = len(both) >= 3 and bool((both.nunique() > 1).all())
            ranks = both.rank()
            rows.append(
                {
                    "index_a": first,
                    "index_b": second,
                    "n": len(both),
                    "pearson": both[first].corr(both[second]) if varies else np.nan,
                    "spearman": ranks[first].corr(ranks[second]) if varies else np.nan,
                }
            )
    return pd.DataFrame(rows, columns=["index_a", "index_b", "n", "pearson", "spearman"])
