"""Heckman's two-step correction of a selected sample, with absorbed effects and errors that know the first step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from econometrics.absorb import Absorber
from econometrics.binary_response import ResponseFit, fit_response
from econometrics.covariance import cluster_sums
from econometrics.design import CONSTANT, as_names, refuse_doubled
from econometrics.effects import Effects, Floats, Integers, absorbed_degrees_of_freedom, encode_effects, keep_rows
from econometrics.sample import numeric_values
from econometrics.selection_rows import SelectionRows, selection_rows
from econometrics.tails import t_p_values, t_quantiles
from shuzhi import EstimationError, SpecError

SelectionErrors = Literal["two_step", "cluster", "bootstrap"]
MILLS = "inverse_mills_ratio"
# Share of the variation of the inverse Mills ratio that the other regressors explain, from which it is said.
COLLINEAR_SHARE = 0.9


@dataclass(frozen=True)
class SampleSelection:
    """A regression corrected for the selection of its rows.

    Parameters
    ----------
    outcome, selected : str
        Columns explained by the two equations.
    coefficients, standard_errors, statistics, p_values : Series
        Of the outcome equation, with the inverse Mills ratio as last regressor.
    covariance : DataFrame
        Of the coefficients.
    degrees_of_freedom : float
        Of the t distribution behind p values and intervals; infinite for the normal.
    selection : DataFrame
        The probit: term, estimate, standard_error, statistic, p_value.
    excluded : tuple of str
        Terms of the probit that are not in the outcome equation: the exclusion restriction.
    excluded_statistic, excluded_p_value : float
        Wald test that they all are without effect on the selection (chi-squared); NaN where there are none.
    mills_r2 : float
        Share of the inverse Mills ratio that the other regressors and effects explain: near one, the correction
        rests on the shape of the normal distribution alone.
    rho, sigma : float
        Correlation of the two errors, and standard deviation of the outcome's.
    observations, selected_observations : int
        Rows of the probit and of the outcome equation.
    clusters : dict of str to int
        Clusters by variable.
    fixed_effects : tuple of str
        Absorbed in the outcome equation.
    standard_error_kind : {"two_step", "cluster", "bootstrap"}
        How errors were computed.
    dropped : dict of str to int
        Rows left out, by reason.
    seed, draws : int or None
        Of the bootstrap.
    assumptions, warnings : tuple of str
        In words.
    """

    outcome: str
    selected: str
    coefficients: pd.Series
    standard_errors: pd.Series
    statistics: pd.Series
    p_values: pd.Series
    covariance: pd.DataFrame
    degrees_of_freedom: float
    selection: pd.DataFrame
    excluded: tuple[str, ...]
    excluded_statistic: float
    excluded_p_value: float
    mills_r2: float
    rho: float
    sigma: float
    observations: int
    selected_observations: int
    clusters: dict[str, int]
    fixed_effects: tuple[str, ...]
    standard_error_kind: SelectionErrors
    dropped: dict[str, int]
    assumptions: tuple[str, ...]
    warnings: tuple[str, ...]
    seed: int | None = None
    draws: int | None = None

    def to_frame(self, level: float = 0.95) -> pd.DataFrame:
        """One row a term of the outcome equation.

        Parameters
        ----------
        level : float
            Coverage of the interval.
        """
        half = self.standard_errors * t_quantiles(level, pd.Series(self.degrees_of_freedom, self.coefficients.index))
        return pd.DataFrame(
            {
                "term": list(self.coefficients.index),
                "estimate": self.coefficients.to_numpy(),
                "standard_error": self.standard_errors.to_numpy(),
                "statistic": self.statistics.to_numpy(),
                "p_value": self.p_values.to_numpy(),
                "interval_low": (self.coefficients - half).to_numpy(),
                "interval_high": (self.coefficients + half).to_numpy(),
                "observations": self.selected_observations,
            }
        )

    def summary(self) -> str:
        """Plain text for a reader."""
        lines = [
            f"Heckman two-step of {self.outcome}: {self.selected_observations:,} of {self.observations:,} rows selected "
            f"by {self.selected}; errors: {self.standard_error_kind}"
        ]
        if self.fixed_effects:
            lines.append(f"Fixed effects: {', '.join(self.fixed_effects)}")
        for row in self.to_frame().itertuples():
            lines.append(f"  {row.term:<24}{row.estimate:>12.5g} ({row.standard_error:.4g}), p = {row.p_value:.4f}")
        lines.append(f"rho {self.rho:.3f}, sigma {self.sigma:.4g}")
        if self.excluded:
            lines.append(
                f"Exclusion: {', '.join(self.excluded)}; chi2 {self.excluded_statistic:.2f}, "
                f"p = {self.excluded_p_value:.4f}"
            )
        lines += [f"Warning: {text}" for text in self.warnings]
        return "\n".join(lines + [f"Assumption: {text}" for text in self.assumptions])


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
    steps = _fit(rows, rows.effects, np.arange(len(rows.selected)))
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
    if (standard_errors == "cluster") != (cluster is not None) and standard_errors != "bootstrap":
        word = "needs a cluster variable" if standard_errors == "cluster" else "takes no cluster variable"
        raise SpecError(f"standard_errors={standard_errors!r} {word}")
    return standard_errors


def _mills(predictor: Floats) -> tuple[Floats, Floats]:
    """Inverse Mills ratio phi / Phi and its negative derivative, finite far out in the tail too."""
    from scipy.special import log_ndtr

    ratio = np.exp(-(predictor**2) / 2 - log_ndtr(predictor)) / np.sqrt(2 * np.pi)
    return ratio, ratio * (ratio + predictor)


def _fit(rows: SelectionRows, effects: Effects, chosen: Integers) -> _Steps:
    """Fit both steps on the rows chosen, which may repeat."""
    probit = fit_response("probit", rows.selected[chosen], rows.z[chosen], rows.selected_name)
    inside = chosen[rows.selected[chosen] == 1]
    mills, delta = _mills(rows.z[inside] @ probit.coefficients)
    columns = np.column_stack([rows.y[inside], rows.x[inside], mills])
    if effects.names:
        codes = tuple(code[inside] for code in effects.codes)
        here = Effects(effects.names, codes, effects.levels)
        swept = Absorber(keep_rows(here, np.ones(len(inside), dtype=np.bool_))).demean(columns)
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


def _sigma(steps: _Steps, on_mills: float, observations: int) -> tuple[float, float]:
    """Return sigma and rho (Heckman 1979): the residual variance plus what the truncation took away."""
    variance = float(steps.residuals @ steps.residuals) / observations + on_mills**2 * float(steps.delta.mean())
    sigma = float(np.sqrt(variance))
    return sigma, on_mills / sigma


def _analytic(rows: SelectionRows, steps: _Steps, *, clustered: bool) -> Floats:
    inside = rows.selected == 1
    place = rows.x.shape[1]
    on_mills = float(steps.coefficients[place])
    bread = np.linalg.inv(steps.x.T @ steps.x)
    z = rows.z[inside]
    through = steps.x.T @ (z * (on_mills * steps.delta)[:, None])
    if not clustered:
        sigma, rho = _sigma(steps, on_mills, len(steps.mills))
        own = steps.x.T @ (steps.x * (1 - rho**2 * steps.delta)[:, None]) * sigma**2
        return np.asarray(bread @ (own + through @ steps.probit.covariance @ through.T) @ bread, dtype=np.float64)
    assert rows.clusters is not None
    scores = np.zeros((len(inside), steps.x.shape[1]))
    scores[inside] = steps.x * steps.residuals[:, None]
    # The first step moves the inverse Mills ratio: its influence goes through the same rows.
    scores += _probit_influence(rows, steps.probit) @ through.T
    sums = cluster_sums(scores, rows.clusters.codes[0])
    count = len(sums)
    n, k = len(steps.mills), steps.x.shape[1]
    absorbed = absorbed_degrees_of_freedom(rows.effects_inside, rows.clusters_inside) if rows.effects.names else 0
    factor = count / (count - 1) * (n - 1) / (n - k - absorbed)
    return np.asarray(factor * bread @ (sums.T @ sums) @ bread, dtype=np.float64)


def _probit_influence(rows: SelectionRows, probit: ResponseFit) -> Floats:
    above, _ = _mills(rows.z @ probit.coefficients)
    below, _ = _mills(-(rows.z @ probit.coefficients))
    score = np.where(rows.selected == 1, above, -below)
    influence: Floats = (rows.z * score[:, None]) @ probit.covariance
    return influence


def _bootstrap(rows: SelectionRows, draws: int, seed: int) -> tuple[Floats, int]:
    generator = np.random.Generator(np.random.PCG64(seed))
    codes = rows.clusters.codes[0] if rows.clusters is not None else np.arange(len(rows.selected))
    order = np.argsort(codes, kind="stable")
    ends = np.cumsum(np.bincount(codes))
    members = np.split(order, ends[:-1])
    found = []
    for _ in range(draws):
        drawn = generator.integers(0, len(members), len(members))
        chosen = np.concatenate([members[number] for number in drawn])
        try:
            found.append(_fit(rows, rows.effects, chosen).coefficients)
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
    names = [*rows.terms, MILLS, *([] if rows.effects.names else [CONSTANT])]
    index = pd.Index(names)
    coefficients = pd.Series(steps.coefficients, index=index)
    errors = pd.Series(np.sqrt(np.diag(covariance)), index=index)
    statistics = coefficients / errors
    count = rows.clusters.levels[0] if rows.clusters is not None else 0
    degrees = float(count - 1) if count else np.inf
    sigma, rho = _sigma(steps, float(coefficients[MILLS]), len(steps.mills))
    mills = steps.x[:, len(rows.terms)]
    others = np.delete(steps.x, len(rows.terms), axis=1)
    rest = mills - others @ np.linalg.lstsq(others, mills, rcond=None)[0] if others.shape[1] else mills
    spread = float(((steps.mills - steps.mills.mean()) ** 2).sum())
    mills_r2 = 1 - float(rest @ rest) / spread if spread > 0 else 1.0
    statistic, p_value = _excluded_test(rows, steps.probit)
    notes += _notes(rows, mills_r2, p_value, rho)
    probit_errors = np.sqrt(np.diag(steps.probit.covariance))
    ratio = pd.Series(steps.probit.coefficients / probit_errors)
    selection = pd.DataFrame(
        {
            "term": list(rows.z_names),
            "estimate": steps.probit.coefficients,
            "standard_error": probit_errors,
            "statistic": ratio.to_numpy(),
            "p_value": t_p_values(ratio, np.inf).to_numpy(),
        }
    )
    return SampleSelection(
        outcome=rows.outcome,
        selected=rows.selected_name,
        coefficients=coefficients,
        standard_errors=errors,
        statistics=statistics,
        p_values=t_p_values(statistics, degrees),
        covariance=pd.DataFrame(covariance, index=index, columns=index),
        degrees_of_freedom=degrees,
        selection=selection,
        excluded=rows.excluded,
        excluded_statistic=statistic,
        excluded_p_value=p_value,
        mills_r2=mills_r2,
        rho=rho,
        sigma=sigma,
        observations=len(rows.selected),
        selected_observations=len(steps.mills),
        clusters={rows.clusters.names[0]: count} if rows.clusters is not None else {},
        fixed_effects=rows.effects.names,
        standard_error_kind=kind,
        dropped=rows.dropped,
        assumptions=_assumptions(rows, kind),
        warnings=tuple(notes),
        seed=seed if kind == "bootstrap" else None,
        draws=draws if kind == "bootstrap" else None,
    )


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
    texts = ["the errors of selection and outcome are jointly normal, or the outcome's is linear in the selection's"]
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
