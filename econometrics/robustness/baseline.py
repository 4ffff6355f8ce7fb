"""The model that robustness checks and specification curves vary, as one declaration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import pandas as pd

from econometrics.estimation.covariance import SmallSample, StandardErrors
from econometrics.estimation.design import as_names
from econometrics.estimation.result import Regression
from econometrics.estimation.sample import columns_of
from econometrics.regress.regression import regress
from shuzhi import SpecError


@dataclass(frozen=True)
class Baseline:
    """A call of ``regress``, and the terms whose coefficients the checks are about.

    Parameters
    ----------
    outcome : str
        Column explained.
    regressors : str or sequence of str
        Columns of interest.
    controls : str or sequence of str
        Further columns on the right.
    focus : str or sequence of str
        Terms that are compared; by default the first regressor.
    fixed_effects, cluster : str or sequence of str
        Effects and cluster variables, ``a^b`` for interactions.
    weights : str, optional
        Column of analytic weights.
    standard_errors : str, optional
        As in ``regress``.
    small_sample : str
        As in ``regress``.
    firm, year : str
        Columns of the firm and of the year, for checks that need them.

    Raises
    ------
    SpecError
        No regressor, or a focus that is none of the regressors.
    """

    outcome: str
    regressors: tuple[str, ...]
    controls: tuple[str, ...] = ()
    focus: tuple[str, ...] = ()
    fixed_effects: tuple[str, ...] = ()
    cluster: tuple[str, ...] = ()
    weights: str | None = None
    standard_errors: StandardErrors | None = None
    small_sample: SmallSample = "reghdfe"
    firm: str = "stock_code"
    year: str = "report_year"

    def __post_init__(self) -> None:
        for name in ("regressors", "controls", "focus", "fixed_effects", "cluster"):
            object.__setattr__(self, name, as_names(getattr(self, name)))
        if not self.regressors:
            raise SpecError("the baseline names no regressor")
        if not self.focus:
            object.__setattr__(self, "focus", self.regressors[:1])
        strange = [name for name in self.focus if name not in self.terms]
        if strange:
            raise SpecError(f"the focus {', '.join(strange)} is no regressor; there are {', '.join(self.terms)}")

    @property
    def terms(self) -> tuple[str, ...]:
        """Regressors and controls, each once."""
        return tuple(dict.fromkeys((*self.regressors, *self.controls)))

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns that the model needs."""
        groups = columns_of([*self.fixed_effects, *self.cluster])
        weights = [self.weights] if self.weights else []
        return tuple(dict.fromkeys([self.outcome, *self.terms, *weights, *groups]))

    def estimate(self, data: pd.DataFrame) -> Regression:
        """Estimate the model.

        Parameters
        ----------
        data : DataFrame
            One row an observation.
        """
        return regress(
            data,
            self.outcome,
            self.terms,
            fixed_effects=self.fixed_effects,
            cluster=self.cluster,
            weights=self.weights,
            standard_errors=self.standard_errors,
            small_sample=self.small_sample,
        )


def as_baseline(baseline: Baseline | Mapping[str, Any]) -> Baseline:
    """Take a baseline, or its fields by name.

    Parameters
    ----------
    baseline : Baseline or mapping
        As a user writes it.

    Raises
    ------
    SpecError
        Fields that do not exist, or no outcome or regressor.
    """
    if isinstance(baseline, Baseline):
        return baseline
    known = set(Baseline.__dataclass_fields__)
    strange = [str(name) for name in baseline if name not in known]
    if strange:
        raise SpecError(f"the baseline has no {', '.join(strange)}; there are {', '.join(sorted(known))}")
    missing = [name for name in ("outcome", "regressors") if name not in baseline]
    if missing:
        raise SpecError(f"the baseline lacks {' and '.join(missing)}")
    return Baseline(**baseline)


def unknown_columns(data: pd.DataFrame, names: Sequence[str], where: str) -> list[str]:
    """Say of each name that is no column where it stands and which column is nearest.

    Parameters
    ----------
    data : DataFrame
        With the columns that exist.
    names : sequence of str
        Columns that are needed.
    where : str
        Who needs them.
    """
    known = [str(column) for column in data.columns]
    found = []
    for name in dict.fromkeys(names):
        if name not in known:
            near = get_close_matches(name, known, n=1)
            found.append(f"{where}: no column {name!r}" + (f" (nearest: {near[0]!r})" if near else ""))
    return found


def raise_problems(problems: Sequence[str]) -> None:
    """Raise one error with all problems, or nothing where there are none.

    Parameters
    ----------
    problems : sequence of str
        In words.

    Raises
    ------
    SpecError
        There is a problem.
    """
    if problems:
        raise SpecError("; ".join(problems))
