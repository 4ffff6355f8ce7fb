"""Mediation systems with products of variables: treatment times mediator, and both times a continuous moderator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from econometrics.mediate.system import Columns, Effect, System


def interaction_system(columns: Columns, product: int, low: float, high: float, mean: float) -> System:
    """Build the model with a treatment-mediator interaction and one mediator.

    Parameters
    ----------
    columns : Columns
        Where the variables stand.
    product : int
        Column of treatment times the centred mediator.
    low, high : float
        Values of the treatment that are compared.
    mean : float
        Mean of the treatment in the sample, at which the centred mediator is 0 on average.

    References
    ----------
    Imai, Keele and Yamamoto (2010), Statistical Science 25(1), section 3; VanderWeele (2015), chapter 2.
    """
    (mediator,), treatment = columns.mediators, columns.treatment
    x, m, y = columns.names[treatment], columns.names[mediator], columns.names[columns.outcome]
    equations = (
        columns.equation(f"a[{m}]", mediator, [treatment]),
        columns.equation("outcome", columns.outcome, [treatment, mediator, product]),
    )
    step = high - low

    def function(coefficients: NDArray[Any]) -> NDArray[Any]:
        a, direct, b, both = (coefficients[..., number] for number in range(4))
        indirect = [a * (b + both * value) * step for value in (low, high)]
        straight = [(direct + both * a * (value - mean)) * step for value in (low, high)]
        return np.stack([both, *indirect, *straight, straight[0] + indirect[1]], axis=-1)

    change = f"{x} from {low:.4g} to {high:.4g}"
    effects = (
        Effect("interaction", m, f"{x} x {m} -> {y}"),
        Effect("indirect_at_low", m, f"{change}, path to {y} as at {low:.4g}"),
        Effect("indirect_at_high", m, f"{change}, path to {y} as at {high:.4g}"),
        Effect("direct_at_low", "", f"{change}, {m} as at {low:.4g}"),
        Effect("direct_at_high", "", f"{change}, {m} as at {high:.4g}"),
        Effect("total_with_interaction", "", f"{change}: direct at {low:.4g} plus indirect at {high:.4g}"),
    )
    coefficients = ((0, treatment), (1, treatment), (1, mediator), (1, product))
    return System(equations, coefficients, effects, function)


def moderated_system(
    columns: Columns, moderator: int | None, products: tuple[int, int], values: Sequence[float], name: str
) -> System:
    """Build the model in which a continuous moderator changes both paths, with one mediator.

    Parameters
    ----------
    columns : Columns
        Where the variables stand.
    moderator : int or None
        Column of the centred moderator; None where the effects explain it.
    products : (int, int)
        Columns of the centred treatment and mediator times the centred moderator.
    values : sequence of float
        Values of the centred moderator at which the effects are computed, ascending.
    name : str
        What the moderator is called.

    References
    ----------
    Preacher, Rucker and Hayes (2007), Multivariate Behavioral Research 42(1); Hayes (2015) on the index.
    """
    (mediator,), treatment = columns.mediators, columns.treatment
    x, m, y = columns.names[treatment], columns.names[mediator], columns.names[columns.outcome]
    w, alone = name, [] if moderator is None else [moderator]
    equations = (
        columns.equation(f"a[{m}]", mediator, [treatment, products[0], *alone]),
        columns.equation("outcome", columns.outcome, [treatment, products[0], mediator, products[1], *alone]),
    )

    def function(coefficients: NDArray[Any]) -> NDArray[Any]:
        a, a_change, direct, direct_change, b, b_change = (coefficients[..., number] for number in range(6))
        indirect = [(a + a_change * value) * (b + b_change * value) for value in values]
        straight = [direct + direct_change * value for value in values]
        change = [indirect[-1] - indirect[0], straight[-1] - straight[0]]
        return np.stack([a_change, b_change, *indirect, *straight, *change], axis=-1)

    labels = [f"{w} = mean {value:+.4g}" for value in values]
    span = f"{labels[-1]} less {labels[0]}"
    effects = (
        Effect("a_by_moderator", m, f"{x} x {w} -> {m}"),
        Effect("b_by_moderator", m, f"{m} x {w} -> {y}"),
        *(Effect("indirect_in_group", m, f"{x} -> {m} -> {y}", label) for label in labels),
        *(Effect("direct_in_group", "", f"{x} -> {y}, given {m}", label) for label in labels),
        Effect("indirect_difference", m, f"{x} -> {m} -> {y}", span),
        Effect("direct_difference", "", f"{x} -> {y}, given {m}", span),
    )
    coefficients = (
        (0, treatment),
        (0, products[0]),
        (1, treatment),
        (1, products[0]),
        (1, mediator),
        (1, products[1]),
    )
    return System(equations, coefficients, effects, function)
