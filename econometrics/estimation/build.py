"""From a fitted linear model to its result: errors by kind and convention, R2, warnings and assumptions in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from econometrics.estimation.cluster_basis import cluster_basis
from econometrics.estimation.covariance import (
    SmallSample,
    SmallSampleTerms,
    StandardErrors,
    repaired,
    sandwich,
    small_sample_terms,
)
from econometrics.estimation.cr2 import cr2_covariance
from econometrics.estimation.design import CONSTANT, Design
from econometrics.estimation.effects import Effects, Floats
from econometrics.estimation.fit import Fit
from econometrics.estimation.least_squares import inverse_gram
from econometrics.estimation.result import Regression
from econometrics.estimation.tails import t_p_values
from econometrics.estimation.wild_bootstrap import WildBootstrap, WildWeights, wild_cluster_bootstrap
from shuzhi import SpecError

FEW_CLUSTERS = 40
NO_CLUSTERS = Effects((), (), ())


@dataclass(frozen=True)
class ErrorOptions:
    """Which standard errors a result gets.

    Parameters
    ----------
    kind : {"classical", "robust", "cluster", "cr2", "wild"}
        Kind of errors.
    convention : {"reghdfe", "fixest", "cluster2", "linearmodels"}
        Small-sample convention.
    seed, draws : int
        Of the wild bootstrap.
    wild_weights : {"rademacher", "webb"}
        Of the wild bootstrap.
    """

    kind: StandardErrors
    convention: SmallSample = "reghdfe"
    seed: int = 1
    draws: int = 9999
    wild_weights: WildWeights = "rademacher"


def choose_kind(standard_errors: StandardErrors | None, cluster: Sequence[str]) -> StandardErrors:
    """Take the kind of errors asked for, by default clustered where a cluster is named and robust where none is.

    Parameters
    ----------
    standard_errors : str or None
        As the user wrote it.
    cluster : sequence of str
        Cluster variables.

    Raises
    ------
    SpecError
        Clusters without clustered errors or the other way round, or an unknown kind.
    """
    kinds: tuple[StandardErrors, ...] = ("classical", "robust", "cluster", "cr2", "wild")
    if standard_errors is None:
        return "cluster" if cluster else "robust"
    if standard_errors not in kinds:
        raise SpecError(f"standard_errors must be one of {', '.join(kinds)}, not {standard_errors!r}")
    clustered = standard_errors in ("cluster", "cr2", "wild")
    if clustered and not cluster:
        raise SpecError(f"standard_errors={standard_errors!r} needs a cluster variable; name it in cluster")
    if cluster and not clustered:
        raise SpecError(
            f"standard_errors={standard_errors!r} takes no cluster ({', '.join(cluster)}); leave out one of the two"
        )
    if standard_errors in ("cr2", "wild") and len(cluster) != 1:
        raise SpecError(f"standard_errors={standard_errors!r} needs exactly one cluster variable, not {len(cluster)}")
    return standard_errors


def covariance_of(design: Design, fit: Fit, options: ErrorOptions) -> tuple[Floats, SmallSampleTerms, str]:
    """Return the covariance (classical, robust or clustered), its small-sample terms, and a warning or nothing.

    Parameters
    ----------
    design : Design
        Effects and clusters.
    fit : Fit
        Fitted model.
    options : ErrorOptions
        Kind and convention.
    """
    observations = len(fit.residuals)
    clusters = design.clusters if options.kind in ("cluster", "cr2", "wild") else NO_CLUSTERS
    terms = small_sample_terms(observations, len(fit.terms), design.effects, clusters, options.convention)
    bread = inverse_gram(fit.score_columns)
    if options.kind == "classical":
        return bread * float(fit.residuals @ fit.residuals) / observations * terms.factor, terms, ""
    scores = fit.score_columns * fit.residuals[:, None]
    own_factors = options.convention == "cluster2"
    covariance = sandwich(bread, scores, clusters.codes, own_factors=own_factors) * terms.factor
    if len(clusters.codes) < 2:
        return covariance, terms, ""
    fixed, warning = repaired(covariance, options.convention)
    return fixed, terms, warning


def build_regression(design: Design, fit: Fit, options: ErrorOptions, *, weights: str | None = None) -> Regression:
    """Add errors, tests, R2 and words to a fitted model.

    Parameters
    ----------
    design : Design
        Rows, effects, clusters, weights and columns.
    fit : Fit
        Fitted model.
    options : ErrorOptions
        Kind and convention of the errors.
    weights : str, optional
        Column of weights, for the record.
    """
    index = pd.Index(list(fit.terms))
    covariance, terms, repair = covariance_of(design, fit, options)
    degrees = pd.Series(terms.degrees_of_freedom, index=index)
    wild: WildBootstrap | None = None
    if options.kind == "cr2":
        covariance, satterthwaite = cr2_covariance(cluster_basis(design, fit.score_columns, fit.residuals))
        degrees = pd.Series(satterthwaite, index=index)
    coefficients = pd.Series(fit.coefficients, index=index, name="estimate")
    degenerate = _degenerate(design, fit, covariance)
    covariance[:, degenerate] = covariance[degenerate, :] = np.nan
    variances = np.diag(covariance)
    errors = pd.Series(np.sqrt(np.where(variances >= 0, variances, np.nan)), index=index, name="standard_error")
    statistics = (coefficients / errors.where(errors > 0)).rename("statistic")
    p_values = t_p_values(statistics, degrees).rename("p_value")
    if options.kind == "wild":
        wild = wild_cluster_bootstrap(
            cluster_basis(design, fit.score_columns, fit.residuals),
            fit.terms,
            fit.coefficients,
            draws=options.draws,
            weights=options.wild_weights,
            seed=options.seed,
        )
        p_values = pd.Series([wild.p_value(term) for term in fit.terms], index=index, name="p_value")
    outcome = design.raw_column(fit.outcome)
    regressors = np.column_stack([design.raw_column(term) for term in fit.terms])
    return Regression(
        outcome=fit.outcome,
        regressors=fit.terms,
        estimator=fit.estimator,
        coefficients=coefficients,
        covariance=pd.DataFrame(covariance, index=index, columns=index),
        standard_errors=errors,
        statistics=statistics,
        p_values=p_values,
        term_degrees_of_freedom=degrees,
        degrees_of_freedom=terms.degrees_of_freedom,
        observations=len(outcome),
        clusters=dict(zip(design.clusters.names, design.clusters.levels, strict=True)),
        fixed_effects=design.effects.names,
        cluster=design.clusters.names,
        effect_levels=dict(zip(design.effects.names, design.effects.levels, strict=True)),
        standard_error_kind=options.kind,
        small_sample=options.convention,
        **_fit_measures(design, fit, terms.residual_degrees_of_freedom),
        collinear=tuple(fit.collinear),
        dropped=dict(design.sample.dropped),
        residuals=_residuals(design, fit),
        outcome_mean=float(outcome.mean()),
        outcome_sd=float(outcome.std(ddof=1)),
        regressor_means=pd.Series(regressors.mean(axis=0), index=index),
        regressor_sds=pd.Series(regressors.std(axis=0, ddof=1), index=index),
        assumptions=fit.assumptions + _error_assumptions(design, options),
        warnings=_warnings(design, fit, options, errors, repair, wild),
        weights=weights,
        seed=options.seed if wild is not None else None,
        draws=wild.draws if wild is not None else None,
        wild=wild,
    )


def _degenerate(design: Design, fit: Fit, covariance: Floats) -> NDArray[np.bool_]:
    """Terms whose scores sum to zero in every one of a few clusters: their variance is rounding, not precision."""
    if not design.clusters.names or min(design.clusters.levels) > len(fit.terms) + 8:
        return np.zeros(len(fit.terms), dtype=np.bool_)
    columns = fit.score_columns
    influence = columns @ inverse_gram(columns)
    independent = ((influence * fit.residuals[:, None]) ** 2).sum(axis=0)
    outcome = design.weighted(design.columns([fit.outcome]))[:, 0]
    # A perfect fit has no errors to estimate a variance from, whatever the clusters.
    perfect = float(fit.residuals @ fit.residuals) <= 1e-20 * float(outcome @ outcome)
    return np.asarray((np.diag(covariance) <= 1e-14 * independent) & (not perfect))


def _residuals(design: Design, fit: Fit) -> pd.Series:
    root = design.root_weights
    values = fit.residuals if root is None else fit.residuals / root[:, 0]
    return pd.Series(values, index=design.sample.data.index, name="residual")


def _fit_measures(design: Design, fit: Fit, left: int) -> dict[str, float]:
    """R2 overall and within, plain and adjusted as reghdfe adjusts them."""
    outcome = design.raw_column(fit.outcome)
    centred = outcome - np.average(outcome, weights=design.weights)
    mass = np.ones(len(outcome)) if design.weights is None else design.weights
    total, rest = float(mass @ centred**2), float(fit.residuals @ fit.residuals)
    measures = {
        "r2": 1 - rest / total,
        # With effects nested in clusters errors may exist where no degree of freedom is left.
        "adjusted_r2": 1 - (rest / left) / (total / (len(outcome) - 1)) if left > 0 else float("nan"),
        "within_r2": float("nan"),
        "adjusted_within_r2": float("nan"),
    }
    if design.effects.names:
        within = float(mass @ design.columns([fit.outcome])[:, 0] ** 2)
        measures["within_r2"] = 1 - rest / within
        if left > 0:
            measures["adjusted_within_r2"] = 1 - (rest / left) / (within / (left + len(fit.terms)))
    return measures


def _error_assumptions(design: Design, options: ErrorOptions) -> tuple[str, ...]:
    names = " and ".join(design.clusters.names)
    texts = {
        "classical": "errors are independent with one variance",
        "robust": "errors are independent; their variances may differ",
        "cluster": f"errors are independent between clusters of {names}; the number of clusters is large",
        "cr2": f"errors are independent between clusters of {names}; few clusters are allowed for, "
        "exactly so if errors are independent with one variance",
        "wild": f"errors are independent between clusters of {names}; their distribution is symmetric enough "
        "for signs to be flipped cluster by cluster",
    }
    return (texts[options.kind],)


def _warnings(
    design: Design,
    fit: Fit,
    options: ErrorOptions,
    errors: pd.Series,
    repair: str,
    wild: WildBootstrap | None,
) -> tuple[str, ...]:
    found = [f"dropped: {reason}" for reason in fit.collinear.values()]
    if repair:
        found.append(repair)
    lost = [str(term) for term in errors.index[errors.isna() | (errors == 0)]]
    if lost:
        found.append(
            f"no standard error for {', '.join(lost)}: its estimated variance is zero (but for rounding) or negative"
        )
    smallest = min(design.clusters.levels, default=0)
    if options.kind == "cluster" and smallest < FEW_CLUSTERS:
        name = design.clusters.names[design.clusters.levels.index(smallest)]
        found.append(
            f"only {smallest} clusters of {name}: clustered errors tend to be too small below about {FEW_CLUSTERS}; "
            "compare standard_errors='cr2' or 'wild'"
        )
    if options.kind in ("cluster", "wild") and smallest <= len([t for t in fit.terms if t != CONSTANT]):
        found.append(
            f"{smallest} clusters and {len(fit.terms)} coefficients: the clustered covariance is singular, "
            "so joint tests of all coefficients cannot be trusted"
        )
    if wild is not None and wild.enumerated and wild.weights == "rademacher" and 2.0 ** (1 - wild.clusters) > 0.05:
        found.append(
            f"with {wild.clusters} clusters the bootstrap p value cannot fall below {2.0 ** (1 - wild.clusters):.3g}; "
            "use wild_weights='webb'"
        )
    return tuple(found)
