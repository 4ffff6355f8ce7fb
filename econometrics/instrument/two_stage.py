"""Two-stage least squares with absorbed effects, several endogenous variables, and the tests that go with it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from econometrics.estimation.build import NO_CLUSTERS, ErrorOptions, build_regression, choose_kind
from econometrics.estimation.covariance import SmallSample, SmallSampleTerms, StandardErrors, small_sample_terms
from econometrics.estimation.design import CONSTANT, Design, as_names, build_design, independent_terms, refuse_doubled
from econometrics.estimation.effects import Floats
from econometrics.estimation.fit import Fit, fit_least_squares, refuse_outcome
from econometrics.estimation.least_squares import least_squares
from econometrics.estimation.tails import f_p_value
from econometrics.instrument.anderson_rubin import anderson_rubin
from econometrics.instrument.result import FirstStage, InstrumentedRegression, instrumented
from econometrics.instrument.space import InstrumentSpace, orthonormal, partialled
from econometrics.instrument.specification_tests import endogeneity_test, overidentification_test, quadratic_form
from econometrics.instrument.weak import TestResult, conditional_f, weak_instrument_tests
from shuzhi import EstimationError, SpecError


def instrument(
    data: pd.DataFrame,
    outcome: str,
    endogenous: str | Sequence[str],
    instruments: str | Sequence[str],
    *,
    exogenous: str | Sequence[str] = (),
    fixed_effects: str | Sequence[str] = (),
    cluster: str | Sequence[str] = (),
    weights: str | None = None,
    standard_errors: StandardErrors | None = None,
    small_sample: SmallSample = "reghdfe",
    drop_singletons: bool = True,
    firm_year: tuple[str, str] | None = None,
) -> InstrumentedRegression:
    """Estimate a linear model with endogenous regressors by two-stage least squares, fixed effects swept out.

    Parameters
    ----------
    data : DataFrame
        One row an observation; rows with missing or infinite values are dropped and counted.
    outcome : str
        Numeric column explained.
    endogenous, instruments : str or sequence of str
        Endogenous regressors and excluded instruments, at least as many.
    exogenous : str or sequence of str
        Controls, instruments of themselves.
    fixed_effects, cluster, weights, small_sample, drop_singletons, firm_year
        As in ``regress``; ``linearmodels`` follows PanelOLS here too.
    standard_errors : {"classical", "robust", "cluster"}, optional
        By default ``cluster`` where a cluster is named and ``robust`` (HC1) where none is. All tests use them.

    Raises
    ------
    DataError
        Columns that are missing or not numeric, no row left, doubled firm-years, weights that are not positive.
    SpecError
        Options that exclude each other, a column in two roles, CR2 or wild errors.
    EstimationError
        Fewer instruments than endogenous variables are left, an endogenous variable or the outcome that does not vary.

    References
    ----------
    Stock and Yogo (2005); Kleibergen and Paap (2006); Montiel Olea and Pflueger (2013); Andrews, Stock and Sun (2019).
    """
    targets, excluded, controls = as_names(endogenous), as_names(instruments), as_names(exogenous)
    effects, clusters = as_names(fixed_effects), as_names(cluster)
    kind = choose_kind(standard_errors, clusters)
    if kind in ("cr2", "wild"):
        raise SpecError(f"standard_errors={kind!r} is not defined for two-stage least squares; use 'cluster'")
    refuse_doubled(outcome=[outcome], endogenous=targets, instrument=excluded, exogenous=controls)
    if not targets:
        raise SpecError(f"no endogenous variable of {outcome} is named; use regress")
    design = build_design(
        data,
        [outcome, *targets, *controls, *excluded],
        fixed_effects=effects,
        cluster=clusters,
        weights=weights,
        drop_singletons=drop_singletons,
        firm_year=firm_year,
    )
    refuse_outcome(design, outcome)
    options = ErrorOptions(kind, small_sample)
    roles = _Roles.choose(design, outcome, targets, excluded, controls)
    return _estimate(design, roles, options, weights)


class _Roles:
    """Names by role after collinear ones are dropped."""

    def __init__(
        self,
        outcome: str,
        endogenous: list[str],
        instruments: list[str],
        controls: list[str],
        collinear: dict[str, str],
    ) -> None:
        self.outcome = outcome
        self.endogenous = endogenous
        self.instruments = instruments
        self.controls = controls
        self.collinear = collinear

    @classmethod
    def choose(
        cls,
        design: Design,
        outcome: str,
        endogenous: Sequence[str],
        instruments: Sequence[str],
        controls: Sequence[str],
    ) -> _Roles:
        kept, collinear = independent_terms(design, controls)
        left, lost = independent_terms(design, endogenous, kept)
        if lost:
            raise EstimationError(f"an endogenous variable of {outcome} is not identified: {'; '.join(lost.values())}")
        usable, unusable = independent_terms(design, instruments, kept)
        if len(usable) < len(left):
            reasons = f" ({'; '.join(unusable.values())})" if unusable else ""
            raise EstimationError(
                f"the model of {outcome} is not identified: {len(left)} endogenous variables "
                f"({', '.join(left)}) and {len(usable)} usable instruments{reasons}"
            )
        constant = [] if design.effects.names else [CONSTANT]
        return cls(outcome, left, usable, [*kept, *constant], {**collinear, **unusable})


def _estimate(design: Design, roles: _Roles, options: ErrorOptions, weights: str | None) -> InstrumentedRegression:
    space = _space(design, roles, options)
    names = (*roles.endogenous, *roles.controls)
    y = design.weighted(design.columns([roles.outcome]))
    x = design.weighted(design.columns(names))
    z = design.weighted(design.columns([*roles.controls, *roles.instruments]))
    _refuse_unidentified(space, roles)
    coefficients = least_squares(x, y, z)[:, 0]
    base = orthonormal(z)
    fit = Fit(
        "2SLS" if design.weights is None else "weighted 2SLS",
        roles.outcome,
        names,
        np.asarray(coefficients, dtype=np.float64),
        np.column_stack([base @ (base.T @ x[:, : len(roles.endogenous)]), x[:, len(roles.endogenous) :]]),
        y[:, 0] - x @ coefficients,
        roles.collinear,
        (
            "the outcome is linear in the regressors",
            f"{', '.join(roles.instruments)} move {', '.join(roles.endogenous)} "
            f"and touch {roles.outcome} through nothing else",
        ),
    )
    second = build_regression(design, fit, options, weights=weights)
    number = len(roles.endogenous)
    estimates = fit.coefficients[:number]
    errors = second.standard_errors.to_numpy(dtype=np.float64)[:number]
    kept_controls = [term for term in roles.controls if term != CONSTANT]
    first = tuple(
        _first_stage(design, roles, space, options, position, kept_controls, weights) for position in range(number)
    )
    reduced = fit_least_squares(design, roles.outcome, [*roles.instruments, *kept_controls])
    return instrumented(
        second,
        endogenous=tuple(roles.endogenous),
        instruments=tuple(roles.instruments),
        exogenous=tuple(kept_controls),
        first_stages=first,
        reduced_form=build_regression(design, reduced, options, weights=weights),
        weak_instruments=weak_instrument_tests(space),
        anderson_rubin=anderson_rubin(space, estimates, errors),
        overidentification=overidentification_test(space, estimates),
        endogeneity=endogeneity_test(space),
    )


def _space(design: Design, roles: _Roles, options: ErrorOptions) -> InstrumentSpace:
    controls = design.weighted(design.columns(roles.controls))
    columns = [roles.outcome, *roles.endogenous, *roles.instruments]
    rest = partialled(design.weighted(design.columns(columns)), controls)
    number = len(roles.endogenous)
    clusters = design.clusters if options.kind == "cluster" else NO_CLUSTERS

    def terms(count: int) -> SmallSampleTerms:
        return small_sample_terms(len(rest), count, design.effects, clusters, options.convention)

    return InstrumentSpace(
        rest[:, 0],
        rest[:, 1 : 1 + number],
        rest[:, 1 + number :],
        clusters.codes,
        options.kind,
        len(roles.controls),
        options.convention == "cluster2",
        terms,
    )


def _refuse_unidentified(space: InstrumentSpace, roles: _Roles) -> None:
    """Instruments whose projections of the endogenous variables are collinear identify nothing."""
    base = orthonormal(space.instruments)
    singular = np.linalg.svd(base.T @ orthonormal(space.endogenous), compute_uv=False)
    if singular[-1] < 1e-8:
        raise EstimationError(
            f"the instruments {', '.join(roles.instruments)} do not tell the endogenous variables "
            f"{', '.join(roles.endogenous)} apart: their first stages have rank "
            f"{int((singular >= 1e-8).sum())} instead of {len(roles.endogenous)}"
        )


def _first_stage(
    design: Design,
    roles: _Roles,
    space: InstrumentSpace,
    options: ErrorOptions,
    position: int,
    controls: list[str],
    weights: str | None,
) -> FirstStage:
    name = roles.endogenous[position]
    regression = build_regression(
        design, fit_least_squares(design, name, [*roles.instruments, *controls]), options, weights=weights
    )
    base = orthonormal(space.instruments)
    variable = space.endogenous[:, position]
    coefficients = base.T @ variable
    residuals = variable - base @ coefficients
    terms = space.terms(base.shape[1] + space.controls)
    explained, rest = float(coefficients @ coefficients), float(residuals @ residuals)
    classical = explained / base.shape[1] / (rest / terms.counted_degrees_of_freedom)
    variance = space.meat(base, residuals) * terms.factor
    wald = quadratic_form(coefficients, variance) / base.shape[1]
    conditional, uncounted = conditional_f(space, position)
    null = f"the instruments do not move {name}"
    return FirstStage(
        name,
        regression,
        _f_test("First-stage F (classical)", null, classical, base, terms.counted_degrees_of_freedom),
        _f_test("First-stage F", null, wald, base, terms.degrees_of_freedom),
        explained / (explained + rest),
        conditional,
        uncounted,
    )


def _f_test(name: str, null: str, statistic: float, base: Floats, denominator: float) -> TestResult:
    count = base.shape[1]
    return TestResult(name, null, statistic, count, denominator, f_p_value(statistic, count, denominator))
