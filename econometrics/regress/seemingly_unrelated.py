"""Seemingly unrelated regressions: equations on the same rows whose errors are correlated, and tests across them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from econometrics.estimation.design import CONSTANT, as_names, refuse_doubled
from econometrics.estimation.effects import Floats
from econometrics.estimation.sample import estimation_sample, numeric_values
from econometrics.estimation.tails import t_p_values, t_quantiles
from econometrics.instrument.weak import TestResult, chi_squared_test
from shuzhi import EstimationError, SpecError


@dataclass(frozen=True)
class SeeminglyUnrelated:
    """Estimates of several equations.

    Parameters
    ----------
    equations : tuple of str
        Names.
    coefficients : Series
        Indexed by equation and term.
    covariance : DataFrame
        Of all coefficients.
    residual_covariance, residual_correlation : DataFrame
        Between equations, from single-equation least squares.
    observations : int
        Rows an equation.
    dropped : dict of str to int
        Rows dropped by reason.
    assumptions, warnings : tuple of str
        In words.
    """

    equations: tuple[str, ...]
    coefficients: pd.Series
    covariance: pd.DataFrame
    residual_covariance: pd.DataFrame
    residual_correlation: pd.DataFrame
    observations: int
    dropped: dict[str, int]
    assumptions: tuple[str, ...] = (
        "errors of one row are correlated between equations, those of different rows are not",
        "errors of an equation have one variance",
    )
    warnings: tuple[str, ...] = ()

    @property
    def standard_errors(self) -> pd.Series:
        """Standard errors by equation and term."""
        return pd.Series(np.sqrt(np.diag(self.covariance)), index=self.coefficients.index)

    def to_frame(self, level: float = 0.95) -> pd.DataFrame:
        """Return one row a coefficient, with the equation in a column of its own.

        Parameters
        ----------
        level : float
            Coverage of the interval, by the normal distribution.
        """
        errors = self.standard_errors
        statistics = self.coefficients / errors
        half = errors * t_quantiles(level, pd.Series(np.inf, index=errors.index))
        return pd.DataFrame(
            {
                "equation": self.coefficients.index.get_level_values(0),
                "term": self.coefficients.index.get_level_values(1),
                "estimate": self.coefficients.to_numpy(),
                "standard_error": errors.to_numpy(),
                "statistic": statistics.to_numpy(),
                "p_value": t_p_values(statistics, np.inf).to_numpy(),
                "interval_low": (self.coefficients - half).to_numpy(),
                "interval_high": (self.coefficients + half).to_numpy(),
                "observations": self.observations,
            }
        )

    def summary(self) -> str:
        """Say in plain text what was estimated and what came out."""
        lines = [f"Seemingly unrelated regressions, {len(self.equations)} equations, {self.observations:,} rows each"]
        for row in self.to_frame().to_dict("records"):
            lines.append(
                f"{row['equation']}: {row['term']} {row['estimate']:.6g} (standard error {row['standard_error']:.6g}, "
                f"p {row['p_value']:.4f})"
            )
        return "\n".join([*lines, *(f"Assumption: {text}" for text in self.assumptions)])

    def equality_test(self, term: str) -> TestResult:
        """Test that a term has the same coefficient in all equations that hold it.

        Parameters
        ----------
        term : str
            Name as in the equations.

        Raises
        ------
        SpecError
            Fewer than two equations hold it.
        """
        places = [number for number, key in enumerate(self.coefficients.index) if key[1] == term]
        if len(places) < 2:
            raise SpecError(f"{term!r} stands in {len(places)} equations; a test of equality needs two")
        contrast = np.zeros((len(places) - 1, len(self.coefficients)))
        contrast[:, places[0]] = 1
        contrast[np.arange(len(places) - 1), places[1:]] = -1
        gap = contrast @ self.coefficients.to_numpy(dtype=np.float64)
        spread = contrast @ self.covariance.to_numpy(dtype=np.float64) @ contrast.T
        statistic = float(gap @ np.linalg.solve(spread, gap))
        return chi_squared_test("Wald", f"{term} is the same in all equations", statistic, len(places) - 1)


def sur(
    data: pd.DataFrame, equations: Mapping[str, tuple[str, Mapping[str, str] | Sequence[str]]]
) -> SeeminglyUnrelated:
    """Estimate seemingly unrelated regressions by one step of feasible generalised least squares, with constants.

    Parameters
    ----------
    data : DataFrame
        One row an observation, the columns of all equations side by side.
    equations : mapping
        Name of the equation to (outcome, regressors); regressors as a mapping from term to column where the same term
        has different columns in different equations.

    Raises
    ------
    SpecError
        Fewer than two equations.
    EstimationError
        Collinear regressors or too few rows.

    References
    ----------
    Zellner (1962). The residual covariance divides by the root of the product of both equations' degrees of freedom.
    """
    if len(equations) < 2:
        raise SpecError("seemingly unrelated regressions need at least two equations")
    named = {
        name: (outcome, dict(terms) if isinstance(terms, Mapping) else {term: term for term in as_names(terms)})
        for name, (outcome, terms) in equations.items()
    }
    for outcome, terms in named.values():
        refuse_doubled(outcome=[outcome], regressor=list(terms.values()))
    needed = [column for outcome, terms in named.values() for column in (outcome, *terms.values())]
    sample = estimation_sample(data, numeric=needed, categorical=[])
    rows = sample.data
    designs = [
        np.column_stack([*(numeric_values(rows[column]) for column in terms.values()), np.ones(len(rows))])
        for _, terms in named.values()
    ]
    outcomes = [numeric_values(rows[outcome]) for outcome, _ in named.values()]
    # About their means columns of large level lose no digits; the constants are moved back at the end.
    centres = [np.append(x[:, :-1].mean(axis=0), 0.0) for x in designs]
    designs = [x - centre for x, centre in zip(designs, centres, strict=True)]
    _refuse_designs(designs, list(named))
    residuals = np.column_stack(
        [y - x @ np.linalg.lstsq(x, y, rcond=None)[0] for x, y in zip(designs, outcomes, strict=True)]
    )
    freedom = np.sqrt([len(rows) - x.shape[1] for x in designs])
    sigma = residuals.T @ residuals / np.outer(freedom, freedom)
    spreads = np.array([y.std() for y in outcomes])
    precision = _precision(sigma, spreads, {name: outcome for name, (outcome, _) in named.items()})
    coefficients, covariance = _generalised(designs, outcomes, precision)
    move = np.eye(len(coefficients))
    for end, centre in zip(np.cumsum([len(centre) for centre in centres]), centres, strict=True):
        move[end - 1, end - len(centre) : end] -= centre
    coefficients, covariance = move @ coefficients, move @ covariance @ move.T
    index = pd.MultiIndex.from_tuples(
        [(name, term) for name, (_, terms) in named.items() for term in (*terms, CONSTANT)]
    )
    names = list(named)
    deviations = np.sqrt(np.diag(sigma))
    return SeeminglyUnrelated(
        tuple(names),
        pd.Series(coefficients, index=index),
        pd.DataFrame(covariance, index=index, columns=index),
        pd.DataFrame(sigma, index=names, columns=names),
        pd.DataFrame(sigma / np.outer(deviations, deviations), index=names, columns=names),
        len(rows),
        dict(sample.dropped),
    )


def _precision(sigma: Floats, spreads: Floats, outcomes: Mapping[str, str]) -> Floats:
    """Inverse of the residual covariance; refused where an equation fits perfectly or two have the same residuals."""
    deviations = np.sqrt(np.diag(sigma))
    if not (deviations > 1e-10 * spreads).all() or np.linalg.cond(sigma / np.outer(deviations, deviations)) > 1e12:
        raise EstimationError(
            f"the residuals of {', '.join(outcomes.values())} are zero or explain each other: the equations "
            f"{', '.join(outcomes)} cannot be estimated together"
        )
    result: Floats = np.linalg.inv(sigma / np.outer(deviations, deviations)) / np.outer(deviations, deviations)
    return result


def _refuse_designs(designs: Sequence[Floats], names: Sequence[str]) -> None:
    problems = []
    for name, x in zip(names, designs, strict=True):
        if len(x) <= x.shape[1]:
            problems.append(f"equation {name}: {len(x)} rows for {x.shape[1]} coefficients")
        elif np.linalg.matrix_rank(x / np.sqrt((x**2).sum(axis=0)).clip(min=1e-300)) < x.shape[1]:
            problems.append(f"equation {name}: its regressors are collinear")
    if problems:
        raise EstimationError("; ".join(problems))


def _generalised(designs: Sequence[Floats], outcomes: Sequence[Floats], precision: Floats) -> tuple[Floats, Floats]:
    blocks = [[precision[i, j] * (designs[i].T @ designs[j]) for j in range(len(designs))] for i in range(len(designs))]
    target = [
        sum(precision[i, j] * (designs[i].T @ outcomes[j]) for j in range(len(designs))) for i in range(len(designs))
    ]
    gram, right = np.block(blocks), np.concatenate(target)
    scale = np.sqrt(np.diag(gram))
    covariance = np.linalg.inv(gram / scale[:, None] / scale) / scale[:, None] / scale
    coefficients: Floats = covariance @ right
    return coefficients, (covariance + covariance.T) / 2
