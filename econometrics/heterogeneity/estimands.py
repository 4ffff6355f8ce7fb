"""What is compared between groups, from Gram matrices: coefficients, or the paths of a mediation."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from econometrics.estimation.design import build_design, independent_terms
from econometrics.estimation.fit import refuse_outcome
from econometrics.resample.kernel import coefficients_from_gram
from shuzhi import EstimationError, ShuzhiError, SpecError

PATHS = ("total", "a", "b", "direct", "indirect")


@dataclass(frozen=True)
class Estimands:
    """Columns of the model and the names of what is estimated from them.

    Parameters
    ----------
    outcome : str
        Column on the left.
    regressors : tuple of str
        Columns on the right; with a mediator the first one is the treatment.
    mediator : str, optional
        Column through which the treatment works.
    """

    outcome: str
    regressors: tuple[str, ...]
    mediator: str | None = None

    def __post_init__(self) -> None:
        names = [self.outcome, *self.regressors, *([self.mediator] if self.mediator else [])]
        doubled = sorted({name for name in names if names.count(name) > 1})
        if doubled or not self.regressors:
            raise SpecError(
                f"columns named twice in one model: {', '.join(doubled)}" if doubled else "a model needs a regressor"
            )

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the Gram matrix."""
        middle = (self.mediator,) if self.mediator else ()
        return (self.outcome, *middle, *self.regressors)

    @property
    def names(self) -> tuple[str, ...]:
        """What is estimated: the regressors, or total, a, b, direct and indirect effect."""
        return PATHS if self.mediator else self.regressors

    def estimate(self, gram: NDArray[np.float64]) -> NDArray[np.float64]:
        """Estimates (draws, names) from Gram matrices; NaN where there is nothing to estimate.

        Parameters
        ----------
        gram : (draws, columns, columns) float array
            Of residualised columns.
        """
        if self.mediator is None:
            return coefficients_from_gram(gram, 0, range(1, 1 + len(self.regressors)))
        right = list(range(2, 2 + len(self.regressors)))
        total = coefficients_from_gram(gram, 0, right)[:, 0]
        a = coefficients_from_gram(gram, 1, right)[:, 0]
        both = coefficients_from_gram(gram, 0, [1, *right])
        return np.column_stack([total, a, both[:, 0], both[:, 1], a * both[:, 0]])


def independent_model(
    rows: pd.DataFrame, model: Estimands, fixed_effects: Sequence[str]
) -> tuple[Estimands, tuple[str, ...]]:
    """Leave out controls that the effects or earlier regressors leave nothing of.

    Parameters
    ----------
    rows : DataFrame
        Rows in which everything is known.
    model : Estimands
        Model as asked for.
    fixed_effects : sequence of str
        Effects to absorb.

    Returns
    -------
    model : Estimands
        Model that can be estimated.
    notes : tuple of str
        What was left out, in words.

    Raises
    ------
    EstimationError
        Nothing is left of the outcome, the first regressor or the mediator.
    """
    design = build_design(
        rows, list(model.columns), fixed_effects=fixed_effects, cluster=(), weights=None, drop_singletons=False
    )
    refuse_outcome(design, model.outcome)
    first, *controls = model.regressors
    needed = [first, *([model.mediator] if model.mediator else [])]
    kept, lost = independent_terms(design, [*needed, *controls])
    absent = [lost[name] for name in needed if name in lost]
    if absent:
        raise EstimationError("; ".join(absent))
    regressors = tuple(name for name in model.regressors if name in kept)
    return replace(model, regressors=regressors), tuple(f"dropped: {text}" for text in lost.values())


def why_not(rows: pd.DataFrame, model: Estimands, fixed_effects: Sequence[str]) -> str:
    """Say why a model cannot be estimated in some rows, in parentheses, or nothing where the reason is another one.

    Parameters
    ----------
    rows : DataFrame
        Rows of a group.
    model : Estimands
        Model.
    fixed_effects : sequence of str
        Effects to absorb.
    """
    try:
        _, notes = independent_model(rows, model, fixed_effects)
    except ShuzhiError as error:
        return f" ({error})"
    return f" ({'; '.join(notes)})" if notes else ""


def paired(groups: Sequence[str]) -> list[tuple[str, str]]:
    """Pairs of each later group with the first.

    Parameters
    ----------
    groups : sequence of str
        Groups in order.
    """
    return [(group, groups[0]) for group in groups[1:]]
