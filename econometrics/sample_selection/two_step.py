"""Heckman's two-step correction of a selected sample, with absorbed effects and errors that know the first step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from econometrics.estimation.absorb import Absorber
from econometrics.estimation.binary_response import ResponseFit, fit_response
from econometrics.estimation.covariance import cluster_sums
from econometrics.estimation.design import CONSTANT, as_names, refuse_doubled
from econometrics.estimation.effects import Floats, Integers, absorbed_degrees_of_freedom
from econometrics.estimation.tails import t_p_values
from econometrics.sample_selection.result import SampleSelection, SelectionErrors
from econometrics.sample_selection.rows import SelectionRows, selection_rows
from shuzhi import EstimationError, SpecError

MILLS = "inverse_mills_ratio"
# Share of the variation of the inverse Mills ratio that the other regressors explain, from which it is said.
COLLINEAR_SHARE = 0.9


@dataclass(frozen=True)
class _Steps:
    """Both steps fitted on some rows."""

    probit: ResponseFit
    mills: Floats
    delta: Floats
    x: Floats
    residuals: Floats
    coefficients: Floats


def heckman(
    data: pd.DataFrame,
    outcome: str,
    regressors: str | Sequence[str],
    selection_regressors: str | Sequence[str],
    *,
    selected: str | None = None,
    selection_categories: str | Sequence[str] = (),
    fixed_effects: str | Sequence[str] = (),
    cluster: str | None = None,
    standard_errors: SelectionErrors | None = None,
    draws: int = 200,
    seed: int = 1,
) -> SampleSelection:
    """Correct a regression for a selected sample: a probit of the selection, then the inverse Mills ratio beside.

    Parameters
    ----------
    data : DataFrame
        One row an observation, selected or not.
    outcome : str
        Column explained; only needed in selected rows.
    regressors, selection_regressors : str or sequence of str
        Numeric columns of the outcome equation and of the probit; the probit should have one more that is excluded
        from the outcome equation.
    selected : str, optional
        Column of 0 and 1; by default a row is selected where the outcome is known.
    selection_categories : str or sequence of str
        Columns whose levels enter the probit as dummies (year, industry).
    fixed_effects : str or sequence of str
        Effects absorbed in the outcome equation.
    cluster : str, optional
        Cluster variable.
    standard_errors : {"two_step", "cluster", "bootstrap"}, optional
        Heckman's formula (Greene 1981), which lets the variance differ between rows only as the selection implies; the
        sandwich of both equations together, summed by cluster; or a cluster bootstrap of both steps. By default
        ``cluster`` where a cluster is named and ``two_step`` where none is.
    draws, seed : int
        Of the bootstrap.

    Raises
    ------
    DataError
        Columns that are missing or not numeric, no rows.
    SpecError
        Errors without the cluster that they need, a column in two roles.
    EstimationError
        All rows or none are selected, or an equation is not identified.

    References
    ----------
    Heckman (1979), Econometrica 47; Greene (1981), Econometrica 49; Newey and McFadden (1994), Handbook of
    Econometrics 4, section 6 (two-step estimators).
    """
    kind = _kind(standard_errors, cluster)
    terms = as_names(regressors)
    effects = as_names(fixed_effects)
    refuse_doubled(outcome=[outcome], regressor=terms)
    rows = selection_rows(
        data, outcome, terms, as_names(selection_regressors), selected, as_names(selection_categories), effects, cluster
    )
    steps = _fit(rows, np.arange(len(rows.selected)))
    notes: list[str] = []
    if kind == "bootstrap":
        covariance, kept = _bootstrap(rows, draws, seed)
        if kept < draws:
            notes.append(f"{draws - kept} of {draws} bootstrap samples could not be estimated and are left out")
    else:
        covariance = _analytic(rows, steps, clustered=kind == "cluster")
    return _result(rows, steps, covariance, kind, notes, draws, seed)


def _kind(standard_errors: SelectionErrors | None, cluster: str | None) -> SelectionErrors:
    if standard_errors is None:
        return "cluster" if cluster else "two_step"
    if standard_errors not in ("two_step", "cluster", "bootstrap"):
        raise SpecError(f"standard_errors must be two_step, cluster or bootstrap, not {standard_errors!r}")
    if standard_errors == "cluster" and cluster is None:
        raise SpecError("standard_errors='cluster' needs a cluster variable")
    if standard_errors == "two_step" and cluster is not None:
        raise SpecError("standard_errors='two_step' takes no cluster variable; leave out one of the two")
    return standard_errors


def _mills(predictor: Floats) -> tuple[Floats, Floats]:
    """Inverse Mills ratio phi / Phi and its negative derivative, finite far out in the tail too."""
    from scipy.special import log_ndtr

    ratio = np.exp(-(predictor**2) / 2 - log_ndtr(predictor)) / np.sqrt(2 * np.pi)
    return ratio, ratio * (ratio + predictor)


def _fit(rows: SelectionRows, chosen: Integers) -> _Steps:
    """Fit both steps on the rows chosen, which may repeat."""
    probit = _observed(fit_response("probit", rows.selected[chosen], rows.z[chosen], rows.selected_name), rows, chosen)
    inside = chosen[rows.selected[chosen] == 1]
    mills, delta = _mills(rows.z[inside] @ probit.coefficients)
    columns = np.column_stack([rows.y[inside], rows.x[inside], mills])
    if rows.effects.names:
        swept = Absorber(rows.effects_of(inside)).demean(columns)
    else:
        swept = np.column_stack([columns, np.ones(len(inside))])
    y, x = swept[:, 0], swept[:, 1:]
    scale = np.sqrt((x**2).sum(axis=0))
    raw = np.sqrt((columns[:, 1:] ** 2).sum(axis=0))
    if (scale[: len(raw)] <= 1e-8 * raw).any() or np.linalg.matrix_rank(x / scale) < x.shape[1]:
        raise EstimationError(
            f"the outcome equation of {rows.outcome} is not identified: a regressor or the inverse Mills ratio is "
            "collinear with the others or with the effects"
        )
    coefficients = np.linalg.lstsq(x / scale, y, rcond=None)[0] / scale
    return _Steps(probit, mills, delta, x, y - x @ coefficients, np.asarray(coefficients, dtype=np.float64))


def _observed(probit: ResponseFit, rows: SelectionRows, chosen: Integers) -> ResponseFit:
    """Take the covariance of the probit from the observed information, as Stata's heckman does."""
    z = rows.z[chosen]
    predictor = z @ probit.coefficients
    curvature = np.where(rows.selected[chosen] == 1, _mills(predictor)[1], _mills(-predictor)[1])
    covariance = np.linalg.inv(z.T @ (z * curvature[:, None]))
    return replace(probit, covariance=np.asarray(covariance, dtype=np.float64))


def _sigma(steps: _Steps, on_mills: float) -> tuple[float, float]:
    """Return sigma and rho (Heckman 1979): the residual variance plus what the truncation took away."""
    variance = float(steps.residuals @ steps.residuals) / len(steps.mills) + on_mills**2 * float(steps.delta.mean())
    sigma = float(np.sqrt(variance))
    return sigma, on_mills / sigma


def _analytic(rows: SelectionRows, steps: _Steps, *, clustered: bool) -> Floats:
    inside = rows.selected == 1
    on_mills = float(steps.coefficients[rows.x.shape[1]])
    bread = np.linalg.inv(steps.x.T @ steps.x)
    through = steps.x.T @ (rows.z[inside] * (on_mills * steps.delta)[:, None])
    if not clustered or rows.clusters is None:
        sigma, rho = _sigma(steps, on_mills)
        own = steps.x.T @ (steps.x * (1 - rho**2 * steps.delta)[:, None]) * sigma**2
        return np.asarray(bread @ (own + through @ steps.probit.covariance @ through.T) @ bread, dtype=np.float64)
    through[rows.x.shape[1]] -= (steps.delta * steps.residuals) @ rows.z[inside]
    scores = np.zeros((len(inside), steps.x.shape[1]))
    scores[inside] = steps.x * steps.residuals[:, None]
    # The first step moves the inverse Mills ratio: what it owes to each row goes through the outcome equation.
    scores += _probit_influence(rows, steps.probit) @ through.T
    sums = cluster_sums(scores, rows.clusters.codes[0])
    count, (n, k) = len(sums), steps.x.shape
    own_rows = np.flatnonzero(inside)
    cluster_codes = [rows.clusters.codes[0][own_rows]]
    absorbed = absorbed_degrees_of_freedom(rows.effects_of(own_rows), cluster_codes) if rows.effects.names else 0
    factor = count / (count - 1) * (n - 1) / (n - k - absorbed)
    return np.asarray(factor * bread @ (sums.T @ sums) @ bread, dtype=np.float64)


def _probit_influence(rows: SelectionRows, probit: ResponseFit) -> Floats:
    predictor = rows.z @ probit.coefficients
    score = np.where(rows.selected == 1, _mills(predictor)[0], -_mills(-predictor)[0])
    influence: Floats = (rows.z * score[:, None]) @ probit.covariance
    return influence


def _bootstrap(rows: SelectionRows, draws: int, seed: int) -> tuple[Floats, int]:
    generator = np.random.Generator(np.random.PCG64(seed))
    codes = rows.clusters.codes[0] if rows.clusters is not None else np.arange(len(rows.selected))
    ends = np.cumsum(np.bincount(codes))
    members = np.split(np.argsort(codes, kind="stable"), ends[:-1])
    found = []
    for _ in range(draws):
        drawn = generator.integers(0, len(members), len(members))
        try:
            found.append(_fit(rows, np.concatenate([members[number] for number in drawn])).coefficients)
        except EstimationError:
            continue
    if len(found) < max(2, draws // 2):
        raise EstimationError(f"only {len(found)} of {draws} bootstrap samples of {rows.outcome} could be estimated")
    return np.atleast_2d(np.cov(np.array(found), rowvar=False)), len(found)


def _result(
    rows: SelectionRows,
    steps: _Steps,
    covariance: Floats,
    kind: SelectionErrors,
    notes: list[str],
    draws: int,
    seed: int,
) -> SampleSelection:
    index = pd.Index([*rows.terms, MILLS, *([] if rows.effects.names else [CONSTANT])])
    coefficients = pd.Series(steps.coefficients, index=index)
    errors = pd.Series(np.sqrt(np.diag(covariance)), index=index)
    statistics = coefficients / errors
    clusters = dict(zip(rows.clusters.names, rows.clusters.levels, strict=True)) if rows.clusters is not None else {}
    degrees = float(min(clusters.values()) - 1) if clusters else np.inf
    sigma, rho = _sigma(steps, float(coefficients[MILLS]))
    mills_r2 = _mills_r2(steps, len(rows.terms))
    statistic, p_value = _excluded_test(rows, steps.probit)
    drawn = kind == "bootstrap"
    return SampleSelection(
        outcome=rows.outcome,
        selected=rows.selected_name,
        coefficients=coefficients,
        standard_errors=errors,
        statistics=statistics,
        p_values=t_p_values(statistics, degrees),
        covariance=pd.DataFrame(covariance, index=index, columns=index),
        degrees_of_freedom=degrees,
        selection=_probit_table(rows, steps.probit),
        excluded=rows.excluded,
        excluded_statistic=statistic,
        excluded_p_value=p_value,
        mills_r2=mills_r2,
        rho=rho,
        sigma=sigma,
        observations=len(steps.mills),
        selection_observations=len(rows.selected),
        clusters=clusters,
        fixed_effects=rows.effects.names,
        standard_error_kind=kind,
        dropped=rows.dropped,
        assumptions=_assumptions(rows, kind),
        warnings=(*notes, *_notes(rows, mills_r2, p_value, rho)),
        seed=seed if drawn else None,
        draws=draws if drawn else None,
    )


def _probit_table(rows: SelectionRows, probit: ResponseFit) -> pd.DataFrame:
    errors = np.sqrt(np.diag(probit.covariance))
    ratio = pd.Series(probit.coefficients / errors)
    return pd.DataFrame(
        {
            "term": list(rows.z_names),
            "estimate": probit.coefficients,
            "standard_error": errors,
            "statistic": ratio.to_numpy(),
            "p_value": t_p_values(ratio, np.inf).to_numpy(),
        }
    )


def _mills_r2(steps: _Steps, place: int) -> float:
    mills, others = steps.x[:, place], np.delete(steps.x, place, axis=1)
    rest = mills - others @ np.linalg.lstsq(others, mills, rcond=None)[0] if others.shape[1] else mills
    spread = float(((steps.mills - steps.mills.mean()) ** 2).sum())
    return 1 - float(rest @ rest) / spread if spread > 0 else 1.0


def _excluded_test(rows: SelectionRows, probit: ResponseFit) -> tuple[float, float]:
    from scipy.special import chdtrc

    places = [number for number, name in enumerate(rows.z_names) if name in rows.excluded]
    if not places:
        return np.nan, np.nan
    estimates = probit.coefficients[places]
    statistic = float(estimates @ np.linalg.solve(probit.covariance[np.ix_(places, places)], estimates))
    return statistic, float(chdtrc(len(places), statistic))


def _notes(rows: SelectionRows, mills_r2: float, p_value: float, rho: float) -> list[str]:
    notes = []
    if not rows.excluded:
        notes.append(
            "no exclusion restriction: every variable of the selection equation is in the outcome equation too, so "
            "the correction rests on the normal distribution alone; add a variable that moves only the selection"
        )
    elif p_value > 0.05:
        notes.append(f"the excluded variables hardly move the selection (p = {p_value:.3f}): the correction is weak")
    if mills_r2 > COLLINEAR_SHARE:
        notes.append(f"the other regressors explain {mills_r2:.1%} of the inverse Mills ratio: errors are inflated")
    if abs(rho) > 1:
        notes.append(f"the correlation of the errors is estimated as {rho:.2f}, beyond 1: the model does not fit")
    return notes


def _assumptions(rows: SelectionRows, kind: SelectionErrors) -> tuple[str, ...]:
    texts = ["the error of the selection is normal and that of the outcome linear in it"]
    if rows.excluded:
        texts.append(f"{', '.join(rows.excluded)} move the selection and, given the regressors, not the outcome")
    if rows.effects.names:
        texts.append(
            f"the selection equation has no effects of {' + '.join(rows.effects.names)} unless given as categories: "
            "what they leave out of the selection is unrelated to the outcome within them"
        )
    words = {
        "two_step": "rows are independent",
        "cluster": "rows of different clusters are independent; the number of clusters is large",
        "bootstrap": "clusters are independent draws" if rows.clusters is not None else "rows are independent draws",
    }
    return (*texts, words[kind])
