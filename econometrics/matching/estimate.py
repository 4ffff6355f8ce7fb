"""Comparable rows before a regression: propensity-score matching and entropy balancing, with what they balanced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import pandas as pd

from econometrics.estimation.design import as_names
from econometrics.matching.methods import entropy_weights, kernel_weights, nearest_neighbours, propensity_scores
from econometrics.matching.result import Matching, balance_table, effective_size
from econometrics.matching.sample import Cut, MatchingSample, matching_sample
from econometrics.regress.regression import regress
from shuzhi import EstimationError, SpecError

MatchingMethod = Literal["nearest", "kernel"]
CaliperScale = Literal["logit_sd", "score"]
WEIGHT = "matching_weight"


def propensity_match(
    data: pd.DataFrame,
    outcome: str,
    treatment: str,
    covariates: str | Sequence[str],
    *,
    categories: str | Sequence[str] = (),
    exact: str | Sequence[str] = (),
    cut: Cut | None = None,
    cut_within: str | Sequence[str] = (),
    method: MatchingMethod = "nearest",
    neighbours: int = 1,
    caliper: float | None = 0.2,
    caliper_scale: CaliperScale = "logit_sd",
    replacement: bool = True,
    bandwidth: float = 0.06,
    common_support: bool = True,
    regressors: str | Sequence[str] | None = None,
    controls: str | Sequence[str] = (),
    fixed_effects: str | Sequence[str] = (),
    cluster: str | Sequence[str] = (),
    weighted: bool = True,
    seed: int = 1,
) -> Matching:
    """Match treated rows to others with a like probability of treatment, then estimate on the matched rows.

    Parameters
    ----------
    data : DataFrame
        One row an observation.
    outcome, treatment : str
        Numeric columns; the treatment is 0 or 1 unless a cut is given.
    covariates, categories : str or sequence of str
        What the logit of the treatment sees: numbers, and columns that enter as dummies.
    exact : str or sequence of str
        Columns that must agree between matches (``report_year`` for matching year by year).
    cut : {"median", "mean"} or float, optional
        Makes a treatment of a continuous column: above it; ``cut_within`` takes it within groups.
    method : {"nearest", "kernel"}
        Nearest neighbours, or Epanechnikov's kernel with ``bandwidth`` on the score.
    neighbours : int
        Matches a treated row.
    caliper : float, optional
        Largest distance of a match, in standard deviations of the logit of the score (Austin 2011) or, with
        ``caliper_scale="score"``, in probabilities.
    replacement : bool
        Whether a row may be matched several times.
    common_support : bool
        Leave out treated rows whose score lies outside of the others'.
    regressors : str or sequence of str, optional
        Of the regression on matched rows; the treatment by default. Name the continuous column here to keep it.
    controls, fixed_effects, cluster : str or sequence of str
        Of that regression.
    weighted : bool
        Weight it by the matching weights; without, matched rows count once each.
    seed : int
        Of the order in which rows choose without replacement.

    Raises
    ------
    DataError, SpecError
        Columns or options that cannot be used.
    EstimationError
        No treated or no other rows, or nobody is matched.

    References
    ----------
    Rosenbaum and Rubin (1983, 1985); Austin (2011), Pharmaceutical Statistics 10; Heckman, Ichimura and Todd (1997);
    Abadie and Imbens (2008) on why no bootstrap is offered; Abadie and Spiess (2022), Journal of the American
    Statistical Association 117, on errors after matching.
    """
    _refuse_options(method, neighbours, caliper, caliper_scale, bandwidth)
    sample = _sample(
        data,
        outcome,
        treatment,
        covariates,
        categories,
        exact,
        cut,
        cut_within,
        regressors,
        controls,
        fixed_effects,
        cluster,
    )
    scores = propensity_scores(sample.covariates, sample.is_treated)
    supported = _supported(scores.probability, sample) if common_support else np.ones(len(sample.data), dtype=np.bool_)
    weights, pairs = np.zeros(len(sample.data)), np.empty((0, 2), dtype=np.int64)
    rows = np.flatnonzero(supported)
    if not sample.is_treated[rows].any():
        raise EstimationError("no treated row lies on the common support of the scores")
    treated, cells = sample.is_treated[rows], sample.cells[rows]
    if method == "kernel":
        weights[rows] = kernel_weights(scores.probability[rows], treated, cells, bandwidth=bandwidth)
    else:
        measure = scores.logit if caliper_scale == "logit_sd" else scores.probability
        unit = float(scores.logit.std(ddof=1)) if caliper_scale == "logit_sd" else 1.0
        weights[rows], found = nearest_neighbours(
            measure[rows],
            treated,
            cells,
            neighbours=neighbours,
            caliper=np.inf if caliper is None else caliper * unit,
            replacement=replacement,
            generator=np.random.Generator(np.random.PCG64(seed)),
        )
        pairs = rows[found]
    options = {
        "method": method,
        "matches": f"{neighbours} {'with' if replacement else 'without'} replacement" if method == "nearest" else "",
        "caliper": f"{caliper} ({caliper_scale})" if method == "nearest" and caliper is not None else "",
        "bandwidth": f"{bandwidth}" if method == "kernel" else "",
        "exact": ", ".join(as_names(exact)),
        "cut": sample.cut,
    }
    notes = [] if weighted else ["the regression counts matched rows once each, however often they were matched"]
    return _finish(
        sample,
        outcome,
        weights,
        scores.probability,
        pairs,
        {name: text for name, text in options.items() if text},
        regressors=regressors,
        controls=controls,
        fixed_effects=fixed_effects,
        cluster=cluster,
        weighted=weighted,
        off_support=int((sample.is_treated & ~supported).sum()),
        converged=True,
        notes=notes,
        seed=seed,
    )


def entropy_balance(
    data: pd.DataFrame,
    outcome: str,
    treatment: str,
    covariates: str | Sequence[str],
    *,
    categories: str | Sequence[str] = (),
    exact: str | Sequence[str] = (),
    cut: Cut | None = None,
    cut_within: str | Sequence[str] = (),
    moments: Literal[1, 2] = 1,
    tolerance: float = 1e-6,
    regressors: str | Sequence[str] | None = None,
    controls: str | Sequence[str] = (),
    fixed_effects: str | Sequence[str] = (),
    cluster: str | Sequence[str] = (),
) -> Matching:
    """Weight other rows so that the moments of their covariates are those of the treated, then estimate.

    Parameters
    ----------
    data, outcome, treatment, covariates, categories, cut, cut_within, regressors, controls, fixed_effects, cluster
        As in ``propensity_match``.
    exact : str or sequence of str
        Columns each of whose cells is balanced by itself.
    moments : {1, 2}
        Balance means, or means and variances.
    tolerance : float
        Largest difference of a moment that counts as balanced, in standard deviations.

    Raises
    ------
    DataError, SpecError
        Columns or options that cannot be used.
    EstimationError
        No treated or no other rows.

    References
    ----------
    Hainmueller (2012), Entropy Balancing for Causal Effects, Political Analysis 20.
    """
    if moments not in (1, 2):
        raise SpecError(f"moments must be 1 or 2, not {moments!r}")
    sample = _sample(
        data,
        outcome,
        treatment,
        covariates,
        categories,
        exact,
        cut,
        cut_within,
        regressors,
        controls,
        fixed_effects,
        cluster,
    )
    found = entropy_weights(sample.covariates, sample.is_treated, sample.cells, moments=moments, tolerance=tolerance)
    notes = []
    if not found.converged:
        notes.append(
            f"entropy balancing did not converge: a moment still differs by {found.largest_difference:.3g} standard "
            "deviations; no weights may exist that balance so much, use fewer covariates, moments or cells"
        )
    options = {
        "method": "entropy",
        "moments": "means" if moments == 1 else "means and variances",
        "exact": ", ".join(as_names(exact)),
        "cut": sample.cut,
    }
    return _finish(
        sample,
        outcome,
        found.weights,
        None,
        np.empty((0, 2), dtype=np.int64),
        {name: text for name, text in options.items() if text},
        regressors=regressors,
        controls=controls,
        fixed_effects=fixed_effects,
        cluster=cluster,
        weighted=True,
        off_support=0,
        converged=found.converged,
        notes=notes,
        seed=None,
    )


def _refuse_options(method: str, neighbours: int, caliper: float | None, scale: str, bandwidth: float) -> None:
    problems = []
    if method not in ("nearest", "kernel"):
        problems.append(f"method must be 'nearest' or 'kernel', not {method!r}")
    if neighbours < 1:
        problems.append("neighbours must be 1 or more")
    if caliper is not None and caliper <= 0:
        problems.append("caliper must be positive; None for no caliper")
    if scale not in ("logit_sd", "score"):
        problems.append(f"caliper_scale must be 'logit_sd' or 'score', not {scale!r}")
    if bandwidth <= 0:
        problems.append("bandwidth must be positive")
    if problems:
        raise SpecError("; ".join(problems))


def _sample(
    data: pd.DataFrame,
    outcome: str,
    treatment: str,
    covariates: str | Sequence[str],
    categories: str | Sequence[str],
    exact: str | Sequence[str],
    cut: Cut | None,
    cut_within: str | Sequence[str],
    regressors: str | Sequence[str] | None,
    controls: str | Sequence[str],
    fixed_effects: str | Sequence[str],
    cluster: str | Sequence[str],
) -> MatchingSample:
    return matching_sample(
        data.reset_index(drop=True),
        treatment,
        as_names(covariates),
        categories=as_names(categories),
        exact=as_names(exact),
        cut=cut,
        cut_within=as_names(cut_within),
        needed=[outcome, *(as_names(regressors) if regressors is not None else ()), *as_names(controls)],
        groups=[*as_names(fixed_effects), *as_names(cluster)],
    )


def _supported(score: np.ndarray, sample: MatchingSample) -> np.ndarray:
    others = score[~sample.is_treated]
    inside = (score >= others.min()) & (score <= others.max())
    return np.asarray(inside | ~sample.is_treated, dtype=np.bool_)


def _finish(
    sample: MatchingSample,
    outcome: str,
    weights: np.ndarray,
    scores: np.ndarray | None,
    pairs: np.ndarray,
    options: Mapping[str, str],
    *,
    regressors: str | Sequence[str] | None,
    controls: str | Sequence[str],
    fixed_effects: str | Sequence[str],
    cluster: str | Sequence[str],
    weighted: bool,
    off_support: int,
    converged: bool,
    notes: list[str],
    seed: int | None,
) -> Matching:
    used = weights > 0
    if not (used & sample.is_treated).any() or not (used & ~sample.is_treated).any():
        raise EstimationError("nobody is matched: widen the caliper or the bandwidth, or use fewer exact columns")
    kept = sample.data[used].assign(**{WEIGHT: weights[used]})
    column = WEIGHT if weighted else None
    terms = [sample.treatment] if regressors is None else list(as_names(regressors))
    regression = regress(
        kept, outcome, [*terms, *as_names(controls)], fixed_effects=fixed_effects, cluster=cluster, weights=column
    )
    difference = regress(kept, outcome, [sample.treatment], cluster=cluster, weights=WEIGHT)
    balance = balance_table(sample, weights)
    worst = float(balance["difference_after"].abs().max())
    if worst > 0.1:
        name = balance["covariate"].iloc[int(balance["difference_after"].abs().argmax())]
        notes.append(f"{name} still differs by {worst:.2f} standard deviations after weighting")
    others = weights[used & ~sample.is_treated]
    return Matching(
        outcome=outcome,
        treatment=sample.treatment,
        terms=tuple(terms),
        regression=regression,
        difference=difference,
        balance=balance,
        weights=pd.Series(weights, index=sample.data.index, name=WEIGHT),
        scores=None if scores is None else pd.Series(scores, index=sample.data.index, name="propensity_score"),
        pairs=pd.DataFrame(
            {"treated": sample.data.index.to_numpy()[pairs[:, 0]], "match": sample.data.index.to_numpy()[pairs[:, 1]]}
        ),
        treated=int(sample.is_treated.sum()),
        others=int((~sample.is_treated).sum()),
        matched_treated=int((used & sample.is_treated).sum()),
        matched_others=len(others),
        effective_others=effective_size(others),
        largest_weight_share=float(others.max() / others.sum()),
        off_support=off_support,
        converged=converged,
        options=options,
        dropped=sample.dropped,
        assumptions=(
            "given the covariates, treatment is as good as random: nothing else moves treatment and outcome",
            "each treated row has others like it",
            "errors take the weights as known",
            *((sample.cut,) if sample.cut else ()),
        ),
        warnings=(*sample.warnings, *notes, *regression.warnings),
        seed=seed,
    )
