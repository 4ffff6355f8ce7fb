"""Fixed effects as integer codes: encoding, singletons, nesting, and the degrees of freedom they cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from shuzhi import DataError

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]


@dataclass(frozen=True)
class Effects:
    """Fixed effects of a sample as integer codes.

    Parameters
    ----------
    names : tuple of str
        Name of each effect; ``a^b`` is the interaction of two columns.
    codes : tuple of (n,) int arrays
        Level of each row, 0 to levels - 1, each level used at least once.
    levels : tuple of int
        Number of levels of each effect.
    """

    names: tuple[str, ...]
    codes: tuple[Integers, ...]
    levels: tuple[int, ...]


def compact(codes: NDArray[Any]) -> Integers:
    """Renumber integer codes so that they run from 0 without gaps, in their order.

    Parameters
    ----------
    codes : (n,) int array
        Any integers.
    """
    import pandas as pd

    return np.asarray(pd.factorize(codes, sort=True)[0], dtype=np.int64)


def encode_effects(data: pd.DataFrame, fixed_effects: Sequence[str]) -> Effects:
    """Turn columns, or interactions ``a^b`` of columns, into integer codes.

    Parameters
    ----------
    data : DataFrame
        Rows of the estimation sample; the columns may be of any type.
    fixed_effects : sequence of str
        Columns or interactions, in the order in which degrees of freedom are counted.

    Raises
    ------
    DataError
        A column is not there or has missing values.
    """

    parts = {name: [part.strip() for part in name.split("^")] for name in fixed_effects}
    columns = list(dict.fromkeys(part for names in parts.values() for part in names))
    unknown = [column for column in columns if column not in data.columns]
    if unknown:
        raise DataError(f"no column for the fixed effect or cluster: {', '.join(unknown)}")
    single: dict[str, Integers] = {}
    missing = []
    for column in columns:
        single[column] = _codes(data[column])
        if (single[column] < 0).any():
            missing.append(f"{column} ({int((single[column] < 0).sum())} rows)")
    if missing:
        raise DataError(f"fixed effects or clusters with missing values: {', '.join(missing)}; drop these rows first")
    codes = []
    for names in parts.values():
        joint = single[names[0]]
        for column in names[1:]:
            other = single[column]
            joint = compact(joint * (int(other.max(initial=0)) + 1) + other)
        codes.append(joint)
    return Effects(tuple(parts), tuple(codes), tuple(int(code.max(initial=-1)) + 1 for code in codes))


def _codes(column: pd.Series) -> Integers:
    """Codes in sorted order, so that draws of clusters do not depend on the order of the rows."""
    import pandas as pd

    try:
        return np.asarray(pd.factorize(column, sort=True)[0], dtype=np.int64)
    except TypeError:
        # Values of several types have no order.
        return np.asarray(pd.factorize(column)[0], dtype=np.int64)


def keep_rows(effects: Effects, rows: Booleans) -> Effects:
    """Keep the marked rows of the effects and renumber their levels.

    Parameters
    ----------
    effects : Effects
        Codes of n rows.
    rows : (n,) bool array
        True for the rows that stay.
    """
    codes = tuple(compact(code[rows]) for code in effects.codes)
    return Effects(effects.names, codes, tuple(int(code.max(initial=-1)) + 1 for code in codes))


def singleton_rows(effects: Effects) -> Booleans:
    """Mark rows that are alone in a level of some effect, again and again until none is left (Correia 2015).

    Parameters
    ----------
    effects : Effects
        Codes of n rows.

    Returns
    -------
    (n,) bool array
        True for the rows to drop.
    """
    rows = len(effects.codes[0]) if effects.codes else 0
    single = np.zeros(rows, dtype=np.bool_)
    found = True
    while found:
        found = False
        for codes, levels in zip(effects.codes, effects.levels, strict=True):
            counts = np.bincount(codes[~single], minlength=levels)
            new = (counts[codes] == 1) & ~single
            if new.any():
                single |= new
                found = True
    return single


def is_nested(codes: Integers, cluster_codes: Integers) -> bool:
    """Say whether each level lies wholly within one cluster.

    Parameters
    ----------
    codes, cluster_codes : (n,) int arrays
        Levels of the effect and of the cluster variable, from 0.
    """
    if not len(codes):
        return True
    cluster_of_level = np.empty(int(codes.max()) + 1, dtype=np.int64)
    cluster_of_level[codes] = cluster_codes
    return bool((cluster_of_level[codes] == cluster_codes).all())


def nested_effects(effects: Effects, cluster_codes: Sequence[Integers]) -> tuple[bool, ...]:
    """Say of each effect whether it is nested in one of the cluster variables.

    Parameters
    ----------
    effects : Effects
        Codes of n rows.
    cluster_codes : sequence of (n,) int arrays
        One array a cluster variable.
    """
    return tuple(any(is_nested(codes, clusters) for clusters in cluster_codes) for codes in effects.codes)


def connected_components(codes_a: Integers, codes_b: Integers) -> Integers:
    """Number the connected components of the graph whose nodes are levels and whose edges are rows (Abowd et al. 2002).

    Parameters
    ----------
    codes_a, codes_b : (n,) int arrays
        Levels of two effects, from 0.

    Returns
    -------
    (n,) int array
        Component of each row, from 0.
    """
    from scipy.sparse import coo_matrix, csgraph

    first = int(codes_a.max(initial=-1)) + 1
    nodes = first + int(codes_b.max(initial=-1)) + 1
    graph = coo_matrix((np.ones(len(codes_a), dtype=np.int8), (codes_a, first + codes_b)), shape=(nodes, nodes))
    return compact(csgraph.connected_components(graph, directed=False)[1][codes_a])


def absorbed_degrees_of_freedom(effects: Effects, cluster_codes: Sequence[Integers] = ()) -> int:
    """Count the coefficients that the effects use up, as reghdfe does.

    The first effect counts all its levels; a later one loses as many as the graph with an earlier one has connected
    components (the largest number over the pairs, a lower bound from the third effect on). An effect nested in a
    cluster counts 0 and takes no part in the pairs; the others then lose at least one each.

    Parameters
    ----------
    effects : Effects
        Codes of n rows.
    cluster_codes : sequence of (n,) int arrays
        One array a cluster variable; none without clustering.

    References
    ----------
    Correia (2017), Linear Models with High-Dimensional Fixed Effects; reghdfe's ``dofadjustments(all)``.
    """
    nested = nested_effects(effects, cluster_codes)
    free = [number for number, inside in enumerate(nested) if not inside]
    redundant = {number: int(any(nested) or number != free[0]) for number in free}
    for first, second in combinations(free, 2):
        components = int(connected_components(effects.codes[first], effects.codes[second]).max(initial=-1)) + 1
        redundant[second] = max(redundant[second], components)
    return sum(effects.levels[number] - redundant[number] for number in free)
