"""The equations of a mediation model on one Gram matrix, and the effects as functions of their coefficients."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from econometrics.resample.algebra import solve_gram, solve_many
from shuzhi import SpecError

Floats = NDArray[np.float64]
Structure = Literal["parallel", "serial"]

# With more mediators in a row the paths (2^n - 1) are more than a table can hold.
MOST_SERIAL = 5


@dataclass(frozen=True)
class Equation:
    """One linear equation of the model.

    Parameters
    ----------
    name : str
        ``total``, ``a[mediator]`` or ``outcome``.
    outcome : int
        Column on the left.
    regressors : tuple of int
        Columns on the right.
    instruments : tuple of int
        All exogenous columns, excluded instruments among them; the regressors themselves for least squares.
    """

    name: str
    outcome: int
    regressors: tuple[int, ...]
    instruments: tuple[int, ...]

    @property
    def instrumented(self) -> bool:
        """Whether it is estimated by two-stage least squares."""
        return self.instruments != self.regressors


@dataclass(frozen=True)
class Effect:
    """Name of an effect.

    Parameters
    ----------
    effect : str
        ``total``, ``a``, ``b``, ``direct``, ``indirect``, ``total_indirect``, ``d`` (a mediator's effect on a later
        one), or an effect of the interaction or of the moderator.
    mediator : str
        Mediator or path, empty where the effect belongs to none.
    term : str
        What the number measures, such as ``union -> log_hours``.
    group : str
        Group of the moderator, empty for the whole sample.
    """

    effect: str
    mediator: str = ""
    term: str = ""
    group: str = ""


@dataclass(frozen=True)
class System:
    """Equations, the coefficients of interest among theirs, and effects as a function of these.

    Parameters
    ----------
    equations : tuple of Equation
        In the order total, mediators, outcome.
    coefficients : tuple of (equation, column)
        Number of the equation and column of the regressor of each coefficient.
    effects : tuple of Effect
        Names.
    function : callable
        From coefficients (..., coefficients) to effects (..., effects); a polynomial, so that it takes complex numbers.
    """

    equations: tuple[Equation, ...]
    coefficients: tuple[tuple[int, int], ...]
    effects: tuple[Effect, ...]
    function: Callable[[NDArray[Any]], NDArray[Any]]

    def estimate(self, gram: Floats) -> Floats:
        """Compute the coefficients of interest in every draw.

        Parameters
        ----------
        gram : (draws, k, k) float array
            Gram matrices.

        Returns
        -------
        (draws, coefficients) float array
            NaN where an equation is not identified.
        """
        solved = [estimate_equation(gram, equation) for equation in self.equations]
        columns = [
            solved[number][:, self.equations[number].regressors.index(column)] for number, column in self.coefficients
        ]
        return np.stack(columns, axis=1)


def estimate_equation(gram: Floats, equation: Equation) -> Floats:
    """Estimate an equation in every draw, by least squares or two-stage least squares.

    Parameters
    ----------
    gram : (draws, k, k) float array
        Gram matrices.
    equation : Equation
        What to estimate.

    Returns
    -------
    (draws, regressors) float array
        NaN where the coefficients are not identified.
    """
    right = np.array(equation.regressors, dtype=np.int64)
    if not equation.instrumented:
        return solve_gram(gram, right, np.array([equation.outcome], dtype=np.int64))[:, :, 0]
    given = np.array(equation.instruments, dtype=np.int64)
    first_stages = solve_gram(gram, given, right)
    with_right = gram[:, given][:, :, right]
    inner = np.einsum("bip,biq->pqb", first_stages, with_right)
    target = np.einsum("bip,bi->pb", first_stages, gram[:, given, equation.outcome])
    bad = np.isnan(inner).any(axis=(0, 1))
    inner[:, :, bad] = 0.0
    return np.moveaxis(solve_many(np.ascontiguousarray(inner), target[:, None, :]), -1, 0)[:, :, 0]


@dataclass(frozen=True)
class Columns:
    """Where the variables stand in the matrix.

    Parameters
    ----------
    outcome, treatment : int
        Columns.
    mediators, controls : tuple of int
        Columns.
    instruments : mapping of int to tuple of int
        Excluded instruments of the treatment or of mediators, by the column instrumented.
    names : tuple of str
        Name of each column.
    """

    outcome: int
    treatment: int
    mediators: tuple[int, ...]
    controls: tuple[int, ...]
    instruments: Mapping[int, tuple[int, ...]]
    names: tuple[str, ...]

    def equation(self, name: str, outcome: int, regressors: Sequence[int]) -> Equation:
        """Build an equation with the instruments of those regressors that have any.

        Parameters
        ----------
        name : str
            Name of the equation.
        outcome : int
            Column on the left.
        regressors : sequence of int
            Columns on the right, without the controls.
        """
        right = (*regressors, *self.controls)
        given = [column for column in right if column not in self.instruments]
        given += [column for endogenous in right for column in self.instruments.get(endogenous, ())]
        instruments = tuple(dict.fromkeys(given))
        return Equation(name, outcome, right, right if set(instruments) == set(right) else instruments)


def linear_system(columns: Columns, structure: Structure = "parallel") -> System:
    """Build the linear model without interaction, for one, parallel or serial mediators.

    Parameters
    ----------
    columns : Columns
        Where the variables stand.
    structure : {"parallel", "serial"}
        Serial mediators act on those named after them.

    Raises
    ------
    SpecError
        Too many serial mediators.

    References
    ----------
    Hayes (2022), Introduction to Mediation, Moderation, and Conditional Process Analysis, chapters 5 and 6.
    """
    count = len(columns.mediators)
    if structure == "serial" and count > MOST_SERIAL:
        raise SpecError(f"{count} serial mediators make {2**count - 1} paths; at most {MOST_SERIAL} are allowed")
    treatment = columns.treatment
    equations = [columns.equation("total", columns.outcome, [treatment])]
    coefficients = [(0, treatment)]
    for number, mediator in enumerate(columns.mediators):
        earlier = columns.mediators[:number] if structure == "serial" else ()
        name = f"a[{columns.names[mediator]}]"
        equations.append(columns.equation(name, mediator, [treatment, *earlier]))
        coefficients += [(number + 1, treatment), *((number + 1, column) for column in earlier)]
    equations.append(columns.equation("outcome", columns.outcome, [treatment, *columns.mediators]))
    coefficients += [(count + 1, column) for column in (treatment, *columns.mediators)]
    place = {key: number for number, key in enumerate(coefficients)}
    terms = _linear_terms(columns, structure, place)
    return System(tuple(equations), tuple(coefficients), tuple(terms), _sums_of_products(list(terms.values())))


def _linear_terms(
    columns: Columns, structure: Structure, place: Mapping[tuple[int, int], int]
) -> dict[Effect, list[tuple[int, ...]]]:
    """Each effect as a list of products of coefficients."""
    names, mediators, treatment = columns.names, columns.mediators, columns.treatment
    x, y, last = names[treatment], names[columns.outcome], len(mediators) + 1
    terms: dict[Effect, list[tuple[int, ...]]] = {Effect("total", "", f"{x} -> {y}"): [(place[0, treatment],)]}
    for number, mediator in enumerate(mediators):
        m = names[mediator]
        terms[Effect("a", m, f"{x} -> {m}")] = [(place[number + 1, treatment],)]
        for earlier in mediators[:number] if structure == "serial" else ():
            terms[Effect("d", m, f"{names[earlier]} -> {m}")] = [(place[number + 1, earlier],)]
    for mediator in mediators:
        terms[Effect("b", names[mediator], f"{names[mediator]} -> {y}")] = [(place[last, mediator],)]
    terms[Effect("direct", "", f"{x} -> {y}, given {', '.join(names[m] for m in mediators)}")] = [
        (place[last, treatment],)
    ]
    numbers = range(len(mediators))
    sizes = range(1, len(mediators) + 1 if structure == "serial" else 2)
    paths = {}
    for path in (path for size in sizes for path in combinations(numbers, size)):
        steps = [place[path[0] + 1, treatment]]
        steps += [place[later + 1, mediators[earlier]] for earlier, later in pairwise(path)]
        steps.append(place[last, mediators[path[-1]]])
        through = " -> ".join(names[mediators[number]] for number in path)
        paths[Effect("indirect", through, f"{x} -> {through} -> {y}")] = [tuple(steps)]
    terms.update(paths)
    if len(paths) > 1:
        terms[Effect("total_indirect", "", f"{x} -> mediators -> {y}")] = [product for (product,) in paths.values()]
    return terms


def _sums_of_products(terms: Sequence[Sequence[tuple[int, ...]]]) -> Callable[[NDArray[Any]], NDArray[Any]]:
    def function(coefficients: NDArray[Any]) -> NDArray[Any]:
        effects = []
        for products in terms:
            total = np.zeros(coefficients.shape[:-1], dtype=coefficients.dtype)
            for product in products:
                value = coefficients[..., product[0]]
                for factor in product[1:]:
                    value = value * coefficients[..., factor]
                total = total + value
            effects.append(total)
        return np.stack(effects, axis=-1)

    return function
