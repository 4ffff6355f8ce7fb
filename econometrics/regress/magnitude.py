"""What a coefficient means: joint tests, and the economic magnitude in standard deviations of the outcome."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from econometrics.estimation.design import CONSTANT
from econometrics.estimation.result import Regression
from econometrics.estimation.sample import numeric_values
from econometrics.estimation.tails import f_p_value
from shuzhi import DataError, SpecError


@dataclass(frozen=True)
class WaldTest:
    """A test that several coefficients are zero at once.

    Parameters
    ----------
    terms : tuple of str
        Coefficients tested.
    statistic : float
        F, the Wald statistic divided by the number of terms.
    numerator_degrees_of_freedom : int
        Number of terms.
    denominator_degrees_of_freedom : float
        Of the model's t distribution.
    p_value : float
        Of the F distribution (chi-squared where the denominator's are infinite).
    """

    terms: tuple[str, ...]
    statistic: float
    numerator_degrees_of_freedom: int
    denominator_degrees_of_freedom: float
    p_value: float


def wald_test(result: Regression, terms: Sequence[str] | None = None) -> WaldTest:
    """Test that coefficients are zero at once, with the covariance of the result.

    Parameters
    ----------
    result : Regression
        Estimates.
    terms : sequence of str, optional
        All but the constant by default.

    Raises
    ------
    SpecError
        A term is not in the model.
    """
    chosen = [term for term in result.coefficients.index if term != CONSTANT] if terms is None else list(terms)
    refuse_terms(result, chosen)
    values = result.coefficients[chosen].to_numpy(dtype=np.float64)
    matrix = result.covariance.loc[chosen, chosen].to_numpy(dtype=np.float64)
    scale = np.sqrt(np.diag(matrix))
    standard = values / scale
    statistic = float(standard @ np.linalg.pinv(matrix / scale[:, None] / scale, hermitian=True) @ standard)
    number = len(chosen)
    degrees = result.degrees_of_freedom
    return WaldTest(tuple(chosen), statistic / number, number, degrees, f_p_value(statistic / number, number, degrees))


def refuse_terms(result: Regression, terms: Sequence[str]) -> None:
    """Refuse terms that the model does not estimate.

    Parameters
    ----------
    result : Regression
        Estimates.
    terms : sequence of str
        Terms asked for.

    Raises
    ------
    SpecError
        A term is not in the model, or none is named.
    """
    unknown = [term for term in terms if term not in result.coefficients.index]
    if unknown or not terms:
        raise SpecError(
            f"no coefficient of {', '.join(unknown) or 'any term'}; the model of {result.outcome} has "
            f"{', '.join(result.coefficients.index)}"
        )


@dataclass(frozen=True)
class EconomicMagnitude:
    """How much of the outcome's spread or level one standard deviation of a regressor moves.

    Parameters
    ----------
    term, outcome : str
        Regressor and outcome.
    coefficient : float
        Estimated effect of one unit.
    term_sd : float
        Standard deviation of the regressor.
    relative_to : {"sd", "mean"}
        What the change is compared with.
    outcome_scale : float
        Standard deviation or mean of the outcome.
    """

    term: str
    outcome: str
    coefficient: float
    term_sd: float
    relative_to: Literal["sd", "mean"]
    outcome_scale: float

    @property
    def change(self) -> float:
        """Change of the outcome, in its units, as the regressor rises by one standard deviation."""
        return self.coefficient * self.term_sd

    @property
    def share(self) -> float:
        """The change as a share of the outcome's standard deviation or mean."""
        return self.change / abs(self.outcome_scale) if self.outcome_scale else float("nan")

    def summary(self) -> str:
        """Say the magnitude in one sentence with its arithmetic."""
        name = {"sd": "standard deviation", "mean": "mean"}[self.relative_to]
        return (
            f"One standard deviation of {self.term} ({self.term_sd:.4g}) goes with a change of {self.outcome} by "
            f"{self.change:.4g}, {self.share:.1%} of its {name} "
            f"({self.coefficient:.4g} x {self.term_sd:.4g} / {self.outcome_scale:.4g})."
        )


def economic_magnitude(
    result: Regression,
    term: str,
    *,
    data: pd.DataFrame | None = None,
    relative_to: Literal["sd", "mean"] = "sd",
) -> EconomicMagnitude:
    """Compute coefficient times the regressor's standard deviation over the outcome's standard deviation or mean.

    Parameters
    ----------
    result : Regression
        Estimates.
    term : str
        Regressor.
    data : DataFrame, optional
        Rows that set the standard deviations; by default the rows of the estimate.
    relative_to : {"sd", "mean"}
        What the change is compared with.

    Raises
    ------
    SpecError
        The term is not in the model.
    DataError
        ``data`` lacks a column.
    """
    refuse_terms(result, [term])
    term_sd = float(result.regressor_sds[term])
    scale = result.outcome_sd if relative_to == "sd" else result.outcome_mean
    if data is not None:
        lacking = [name for name in (term, result.outcome) if name not in data.columns]
        if lacking:
            raise DataError(f"no column {', '.join(lacking)} in the data for the magnitude of {term}")
        term_sd = float(np.nanstd(numeric_values(data[term]), ddof=1))
        outcome = numeric_values(data[result.outcome])
        scale = float(np.nanstd(outcome, ddof=1) if relative_to == "sd" else np.nanmean(outcome))
    return EconomicMagnitude(term, result.outcome, float(result.coefficients[term]), term_sd, relative_to, float(scale))
