"""From a data frame and names to the swept columns of a linear model, and which terms stand on their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from econometrics.estimation.absorb import Absorber
from econometrics.estimation.effects import Effects, Floats, encode_effects
from econometrics.estimation.sample import (
    EstimationSample,
    check_firm_years,
    columns_of,
    estimation_sample,
    numeric_values,
)
from shuzhi import DataError, EstimationError, SpecError

CONSTANT = "constant"
# Share of a column's standard deviation below which what the effects leave of it is rounding.
ABSORBED = 1e-8
# 1 - R2 of a column on the columns before it, below which it is collinear.
COLLINEAR = 1e-10


@dataclass(frozen=True)
class Design:
    """Columns of a model after the effects are swept out.

    Parameters
    ----------
    sample : EstimationSample
        Rows kept and what was dropped.
    effects, clusters : Effects
        Codes of the fixed effects and of the cluster variables.
    weights : (n,) float array or None
        Analytic weights, scaled to a mean of 1.
    names : tuple of str
        Columns of ``raw`` and ``swept``; without effects the last one is the constant.
    raw, swept : (n, k) float arrays
        Columns as given, and with the effects swept out (as given where there are no effects).
    """

    sample: EstimationSample
    effects: Effects
    clusters: Effects
    weights: Floats | None
    names: tuple[str, ...]
    raw: Floats
    swept: Floats

    def columns(self, names: Sequence[str]) -> Floats:
        """Return the swept columns of these names, (n, len(names)).

        Parameters
        ----------
        names : sequence of str
            Names out of ``self.names``.
        """
        return self.swept[:, [self.names.index(name) for name in names]]

    def raw_column(self, name: str) -> Floats:
        """Return one column as given.

        Parameters
        ----------
        name : str
            Name out of ``self.names``.
        """
        return self.raw[:, self.names.index(name)]

    @property
    def root_weights(self) -> Floats | None:
        """Square roots of the weights, (n, 1), or None."""
        return None if self.weights is None else np.sqrt(self.weights)[:, None]

    def weighted(self, matrix: Floats) -> Floats:
        """Multiply rows by the square root of their weight.

        Parameters
        ----------
        matrix : (n, k) float array
            Columns.
        """
        root = self.root_weights
        return matrix if root is None else matrix * root


def as_names(value: str | Sequence[str]) -> tuple[str, ...]:
    """Take one name or several.

    Parameters
    ----------
    value : str or sequence of str
        Names as a user writes them.
    """
    return (value,) if isinstance(value, str) else tuple(value)


def refuse_doubled(**roles: Sequence[str]) -> None:
    """Refuse a model that names one column twice in roles that exclude each other.

    Parameters
    ----------
    **roles : sequence of str
        Names by role, such as ``outcome`` and ``regressors``.

    Raises
    ------
    SpecError
        All doubled names with their roles.
    """
    seen: dict[str, list[str]] = {}
    for role, names in roles.items():
        for name in names:
            seen.setdefault(name, []).append(role)
    problems = [f"{name!r} is named as {' and as '.join(uses)}" for name, uses in seen.items() if len(uses) > 1]
    if CONSTANT in seen:
        problems.append(f"a column cannot be called {CONSTANT!r}: the model names its own constant so")
    if problems:
        raise SpecError("; ".join(problems) + "; name each column once")


def build_design(
    data: pd.DataFrame,
    numeric: Sequence[str],
    *,
    fixed_effects: Sequence[str],
    cluster: Sequence[str],
    weights: str | None,
    drop_singletons: bool,
    firm_year: tuple[str, str] | None = None,
) -> Design:
    """Choose the rows, encode effects and clusters, and sweep the effects out of the columns.

    Parameters
    ----------
    data : DataFrame
        One row an observation.
    numeric : sequence of str
        Outcome, regressors and instruments, each once.
    fixed_effects, cluster : sequence of str
        Columns or interactions ``a^b``.
    weights : str or None
        Column of analytic weights.
    drop_singletons : bool
        Drop rows alone in a level of an effect.
    firm_year : pair of str, optional
        Columns of firm and year, to refuse doubled firm-years.

    Raises
    ------
    DataError
        Columns that are not there, no row left, doubled firm-years, weights that are not positive.
    EstimationError
        A cluster variable with one level.
    """
    if firm_year is not None:
        check_firm_years(data, *firm_year)
    needed = [*numeric, *([weights] if weights else [])]
    used = list(dict.fromkeys([*needed, *columns_of([*cluster, *fixed_effects])]))
    sample = estimation_sample(
        # An unknown column is refused with the nearest of all names.
        data[used] if set(used) <= set(data.columns) else data,
        numeric=needed,
        categorical=cluster,
        fixed_effects=fixed_effects,
        drop_singletons=drop_singletons,
    )
    rows = sample.data
    effects = encode_effects(rows, fixed_effects)
    clusters = encode_effects(rows, cluster)
    _refuse_clusters(clusters)
    scaled = _scaled_weights(rows, weights)
    raw = np.column_stack([numeric_values(rows[name]) for name in numeric])
    if effects.names:
        return Design(sample, effects, clusters, scaled, tuple(numeric), raw, Absorber(effects, scaled).demean(raw))
    raw = np.column_stack([raw, np.ones(len(rows))])
    return Design(sample, effects, clusters, scaled, (*numeric, CONSTANT), raw, raw)


def _refuse_clusters(clusters: Effects) -> None:
    single = [name for name, levels in zip(clusters.names, clusters.levels, strict=True) if levels < 2]
    if single:
        raise EstimationError(
            f"one cluster only in {', '.join(single)}: errors clustered there cannot be estimated; "
            "cluster by a finer variable or ask for standard_errors='robust'"
        )


def _scaled_weights(rows: pd.DataFrame, weights: str | None) -> Floats | None:
    if weights is None:
        return None
    values = numeric_values(rows[weights])
    if (values <= 0).any():
        raise DataError(
            f"weights {weights!r} are zero or negative in {int((values <= 0).sum())} rows; drop these rows first"
        )
    scaled: Floats = values / values.mean()
    return scaled


def independent_terms(
    design: Design, terms: Sequence[str], given: Sequence[str] = ()
) -> tuple[list[str], dict[str, str]]:
    """Sort terms into those that can be estimated and those that the effects or earlier terms leave nothing of.

    Parameters
    ----------
    design : Design
        Swept columns.
    terms : sequence of str
        Terms in the order of precedence: of two collinear ones the later is dropped.
    given : sequence of str
        Terms that are in the model already and independent.

    Returns
    -------
    kept : list of str
        Terms that stay, without ``given``.
    dropped : dict of str to str
        Why each other term is dropped, in words.
    """
    kept: list[str] = []
    dropped: dict[str, str] = {}
    varying = []
    for term in terms:
        reason = _absorbed_reason(design, term)
        if reason:
            dropped[term] = reason
        else:
            varying.append(term)
    order = [*given, *varying]
    if not varying:
        return kept, dropped
    matrix = design.weighted(_centred(design, order))
    norm = np.sqrt((matrix**2).sum(axis=0))
    gram = (matrix.T @ matrix) / norm[:, None] / norm
    chosen: list[int] = []
    for number, term in enumerate(order):
        block = gram[np.ix_(chosen, chosen)]
        along = gram[chosen, number]
        coefficients = np.linalg.solve(block, along) if chosen else np.empty(0)
        if gram[number, number] - along @ coefficients > COLLINEAR:
            chosen.append(number)
            if term not in given:
                kept.append(term)
        else:
            partners = [order[i] for i, value in zip(chosen, coefficients, strict=True) if abs(value) > 1e-6]
            dropped[term] = f"{term} is collinear with {', '.join(partners)}"
    return kept, dropped


def _centred(design: Design, names: Sequence[str]) -> Floats:
    """Columns about their mean where the model has a constant, else as swept."""
    matrix = design.columns(names)
    if design.effects.names:
        return matrix
    return matrix - np.average(matrix, axis=0, weights=design.weights)


def _absorbed_reason(design: Design, term: str) -> str:
    raw = design.raw_column(term)
    spread = float(raw.std())
    rounding = 64 * float(np.finfo(np.float64).eps) * float(np.abs(raw).max())
    if spread <= rounding:
        return f"{term} does not vary in the sample (it is {raw[0]:g} throughout)"
    left = np.sqrt(np.mean(_centred(design, [term]) ** 2))
    if left > ABSORBED * spread + rounding:
        return ""
    effects = design.effects
    alone = []
    for name, codes, levels in zip(effects.names, effects.codes, effects.levels, strict=True):
        swept = Absorber(Effects((name,), (codes,), (levels,)), design.weights).demean(raw[:, None])
        if np.sqrt(np.mean(swept**2)) <= ABSORBED * spread + rounding:
            alone.append(name)
    if alone:
        return f"{term} is absorbed by the fixed effect {' and by '.join(alone)}: it does not vary within its levels"
    return f"{term} is absorbed by the fixed effects {' + '.join(effects.names)} together"
