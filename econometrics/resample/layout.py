"""Which effects a resampling kernel removes once and how it absorbs the others anew in every draw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from econometrics.estimation.absorb import demean
from econometrics.estimation.effects import Effects, compact, is_nested, keep_rows
from econometrics.resample.blocks import DummyRows, cluster_sums, dense_sums
from econometrics.resample.parts import Part, Remove, SmallPart, large_part
from econometrics.resample.wide import DiagonalPart, IterativePart, diagonal_part

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# Levels up to which a component's dummies are held densely for each cluster, and numbers that may be held so.
SMALL_LEVELS = 64
SMALL_ENTRIES = 25_000_000
# Levels up to which a draw factors a dense matrix, and numbers that its sparse sums may hold.
LARGE_LEVELS = 2500
LARGE_ENTRIES = 20_000_000
# Levels across clusters from which an effect is eliminated as a diagonal matrix in every draw.
DIAGONAL_LEVELS = 300
DIAGONAL_ENTRIES = 8_000_000


@dataclass(frozen=True)
class Layout:
    """Blocks and parts of a `GramKernel`."""

    blocks: Floats
    parts: tuple[Part, ...]
    spread: Floats


def lay_out(matrix: Floats, effects: Effects, clusters: Integers, count: int) -> Layout:
    """Sort the rows by cluster, remove once what can be, and make a part for each of the rest.

    Parameters
    ----------
    matrix : (n, k) float array
        Columns.
    effects : Effects
        Fixed effects; none stands for a constant.
    clusters : (n,) int array
        Cluster of each row.
    count : int
        Number of clusters.
    """
    order = np.argsort(clusters, kind="stable")
    owner = clusters[order]
    codes = [code[order] for code in effects.codes] or [np.zeros(len(owner), dtype=np.int64)]
    effects = without_redundant(Effects(effects.names or ("constant",), tuple(codes), effects.levels or (1,)))
    columns = matrix[order] - matrix.mean(axis=0)
    spread = _scatter(np.add.reduceat(columns.T**2, _starts(owner), axis=1), owner, count)

    nested = [is_nested(code, owner) for code in effects.codes]
    largest = int(np.argmax(effects.levels))
    across = _levels_across(effects.codes[largest], owner)
    diagonal = not any(nested) and int(across.sum()) > DIAGONAL_LEVELS
    if diagonal:
        cells = effects.levels[largest] * (sum(effects.levels) - effects.levels[largest] + matrix.shape[1])
        part: Part = IterativePart(effects, columns.T, owner)
        if cells <= DIAGONAL_ENTRIES:
            part = _diagonal(effects, largest, columns, owner, count)
        return Layout(_blocks(columns, owner, count), (part,), spread)
    if any(nested):
        remove = _remove_nested(_choose(effects, nested))
        levels = [code for code, inside in zip(effects.codes, nested, strict=True) if not inside]
    else:
        shared = across[effects.codes[largest]]
        remove = _remove_single(np.where(shared, -1, effects.codes[largest]), effects.levels[largest])
        levels = [code for number, code in enumerate(effects.codes) if number != largest]
        levels.append(np.where(shared, effects.codes[largest], -1))
    left = remove(columns, np.arange(len(owner)))
    parts = _parts(effects, levels, any(nested), left, owner, count, remove)
    if parts is None:
        parts = (IterativePart(effects, left.T, owner),)
    return Layout(_blocks(left, owner, count), parts, spread)


def without_redundant(effects: Effects) -> Effects:
    """Leave out effects whose dummies are sums of another effect's: firms' industries where no firm changes its own.

    Parameters
    ----------
    effects : Effects
        Any number of effects.
    """
    kept: list[int] = []
    for number in sorted(range(len(effects.names)), key=lambda place: -effects.levels[place]):
        if not any(is_nested(effects.codes[finer], effects.codes[number]) for finer in kept):
            kept.append(number)
    return _choose(effects, [number in kept for number in range(len(effects.names))])


def _starts(owner: Integers) -> Integers:
    return np.flatnonzero(np.r_[True, owner[1:] != owner[:-1]])


def _scatter(sums: Floats, owner: Integers, count: int) -> Floats:
    """Put sums of the clusters that occur into an array over all cluster codes."""
    result = np.zeros((len(sums), count))
    result[:, owner[_starts(owner)]] = sums
    return result


def _blocks(columns: Floats, owner: Integers, count: int) -> Floats:
    return _scatter(cluster_sums(np.ascontiguousarray(columns.T), columns.shape[1], _starts(owner)), owner, count)


def _levels_across(codes: Integers, owner: Integers) -> NDArray[np.bool_]:
    """Mark the levels that occur in more than one cluster."""
    levels = int(codes.max()) + 1
    first = np.full(levels, -1, dtype=np.int64)
    first[codes[::-1]] = owner[::-1]
    across = np.zeros(levels, dtype=np.bool_)
    across[codes[first[codes] != owner]] = True
    return across


def _choose(effects: Effects, chosen: Sequence[bool]) -> Effects:
    numbers = [number for number, wanted in enumerate(chosen) if wanted]
    return Effects(
        tuple(effects.names[number] for number in numbers),
        tuple(effects.codes[number] for number in numbers),
        tuple(effects.levels[number] for number in numbers),
    )


def _remove_nested(once: Effects) -> Remove:
    """Sweep out whole effects; weights that are constant within clusters make no difference to that."""

    def remove(columns: Floats, rows: Integers) -> Floats:
        inside = np.zeros(len(once.codes[0]), dtype=np.bool_)
        inside[rows] = True
        return demean(once if inside.all() else keep_rows(once, inside), columns, tolerance=1e-12)

    return remove


def _remove_single(levels: Integers, count: int) -> Remove:
    """Sweep out the levels of one effect that lie within a cluster; other rows (-1) stay as they are."""

    def remove(columns: Floats, rows: Integers) -> Floats:
        own = levels[rows]
        inside = own >= 0
        if not inside.any():
            return columns
        size = np.maximum(np.bincount(own[inside], minlength=count), 1)
        result = columns.copy()
        for number in range(columns.shape[1]):
            means = np.bincount(own[inside], weights=columns[inside, number], minlength=count) / size
            result[inside, number] -= means[own[inside]]
        return result

    return remove


def _components(effects: Effects) -> Integers:
    """Component of each row in the graph of all levels of all effects."""
    from scipy.sparse import coo_matrix, csgraph

    offsets = np.concatenate([[0], np.cumsum(effects.levels)])
    nodes = [code + offset for code, offset in zip(effects.codes, offsets[:-1], strict=True)]
    first = np.concatenate([nodes[0]] * len(nodes))
    second = np.concatenate(nodes)
    size = int(offsets[-1])
    graph = coo_matrix((np.ones(len(first), dtype=np.int8), (first, second)), shape=(size, size))
    return compact(csgraph.connected_components(graph, directed=False)[1][nodes[0]])


def _parts(
    effects: Effects,
    levels: list[Integers],
    drop_first: bool,
    left: Floats,
    owner: Integers,
    count: int,
    remove: Remove,
) -> tuple[Part, ...] | None:
    """Make a part for each connected component; None where one is too large."""
    columns = np.ascontiguousarray(left.T)
    component = _components(effects)
    by_component = np.argsort(component, kind="stable")
    edges = np.searchsorted(component[by_component], np.arange(int(component.max()) + 2))
    parts: list[Part] = []
    for start, stop in pairwise(edges):
        dummies = _dummy_rows(by_component[start:stop], owner, levels, drop_first)
        if dummies.count == 0:
            continue
        made = _part(dummies, columns, count, remove)
        if made is None:
            return None
        parts.append(made)
    return tuple(parts)


def _part(dummies: DummyRows, columns: Floats, count: int, remove: Remove) -> Part | None:
    members = dummies.clusters[dummies.cluster_starts()]
    entries = dummies.count * (dummies.count + 1) // 2 + dummies.count * len(columns)
    if dummies.count <= SMALL_LEVELS and entries * len(members) <= SMALL_ENTRIES:
        return SmallPart(members, dense_sums(dummies, columns, remove), dummies.count, len(columns))
    if dummies.count > LARGE_LEVELS:
        return None
    return large_part(dummies, columns, count, remove, LARGE_ENTRIES)


def _dummy_rows(rows: Integers, owner: Integers, levels: list[Integers], drop_first: bool) -> DummyRows:
    """Number the levels that occur in a component from 0 over all effects.

    The dummies of an effect add up to 1, which lies in the span of an effect that was removed: one can be dropped.
    """
    offset, numbered = 0, []
    for code in levels:
        own = code[rows]
        known = own >= 0
        result = np.full(len(own), -1, dtype=np.int64)
        distinct, inverse = np.unique(own[known], return_inverse=True)
        result[known] = np.where(inverse >= drop_first, inverse - drop_first + offset, -1)
        offset += max(len(distinct) - drop_first, 0)
        numbered.append(result)
    return DummyRows(rows, owner[rows], np.array(numbered, dtype=np.int64).reshape(len(levels), len(rows)), offset)


def _diagonal(effects: Effects, largest: int, columns: Floats, owner: Integers, count: int) -> DiagonalPart:
    offset, others = 0, []
    for number, code in enumerate(effects.codes):
        if number != largest:
            others.append(code + offset)
            offset += effects.levels[number]
    stacked = np.array(others, dtype=np.int64).reshape(len(others), len(owner))
    return diagonal_part(
        effects.codes[largest], effects.levels[largest], stacked, offset, np.ascontiguousarray(columns.T), owner, count
    )
