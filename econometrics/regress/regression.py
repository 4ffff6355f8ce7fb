"""Linear regression with any number of absorbed effects and the standard errors that journals ask for."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from econometrics.estimation.build import ErrorOptions, build_regression, choose_kind
from econometrics.estimation.covariance import SmallSample, StandardErrors
from econometrics.estimation.design import as_names, build_design, refuse_doubled
from econometrics.estimation.fit import fit_least_squares
from econometrics.estimation.result import Regression
from econometrics.estimation.wild_bootstrap import WildWeights


def regress(
    data: pd.DataFrame,
    outcome: str,
    regressors: str | Sequence[str],
    *,
    fixed_effects: str | Sequence[str] = (),
    cluster: str | Sequence[str] = (),
    weights: str | None = None,
    standard_errors: StandardErrors | None = None,
    small_sample: SmallSample = "reghdfe",
    drop_singletons: bool = True,
    firm_year: tuple[str, str] | None = None,
    seed: int = 1,
    draws: int = 9999,
    wild_weights: WildWeights = "rademacher",
) -> Regression:
    """Estimate a linear model by least squares, fixed effects swept out; with a constant where there are none.

    Parameters
    ----------
    data : DataFrame
        One row an observation; rows with missing or infinite values are dropped and counted.
    outcome : str
        Numeric column explained.
    regressors : str or sequence of str
        Numeric columns; of collinear ones the later is dropped and named.
    fixed_effects : str or sequence of str
        Effects to absorb, any number; ``a^b`` for the interaction of two columns.
    cluster : str or sequence of str
        Cluster variables, any number; ``a^b`` for interactions.
    weights : str, optional
        Column of analytic weights, all positive: the variance of an error is inverse to its weight.
    standard_errors : {"classical", "robust", "cluster", "cr2", "wild"}, optional
        By default ``cluster`` where a cluster is named and ``robust`` (HC1) where none is.
    small_sample : {"reghdfe", "fixest", "cluster2", "linearmodels"}
        Convention of factors and degrees of freedom, see ``small_sample_terms``; CR2 has its own.
    drop_singletons : bool
        Drop rows alone in a level of an effect, again and again; the number is in ``dropped``.
    firm_year : pair of str, optional
        Columns of firm and year; doubled firm-years are then refused.
    seed, draws : int
        Of the wild cluster bootstrap.
    wild_weights : {"rademacher", "webb"}
        Of the wild cluster bootstrap; Webb's six points for fewer than about ten clusters.

    Raises
    ------
    DataError
        Columns that are missing or not numeric, no row left, doubled firm-years, weights that are not positive.
    SpecError
        Options that exclude each other, a column named twice.
    EstimationError
        One cluster only, no regressor left, an outcome that does not vary, no degrees of freedom.

    References
    ----------
    Correia (2017); Cameron, Gelbach and Miller (2008, 2011); Pustejovsky and Tipton (2018); Roodman et al. (2019).
    """
    terms, effects, clusters = as_names(regressors), as_names(fixed_effects), as_names(cluster)
    kind = choose_kind(standard_errors, clusters)
    refuse_doubled(outcome=[outcome], regressor=terms)
    design = build_design(
        data,
        [outcome, *terms],
        fixed_effects=effects,
        cluster=clusters,
        weights=weights,
        drop_singletons=drop_singletons,
        firm_year=firm_year,
    )
    options = ErrorOptions(kind, small_sample, seed, draws, wild_weights)
    return build_regression(design, fit_least_squares(design, outcome, terms), options, weights=weights)
