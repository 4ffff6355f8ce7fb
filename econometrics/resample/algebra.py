"""Sweeping dummies out of Gram matrices: many small ones side by side, or one large one by LAPACK."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# A pivot below this share of its diagonal is a dummy that others add up to (or a level without weight).
PIVOT_TOLERANCE = 1e-11
# A regressor with less than this share of its variance left, given the others, is collinear.
COLLINEAR_TOLERANCE = 1e-10


def lower_pairs(size: int) -> tuple[Integers, Integers]:
    """List the pairs (i, j) with i <= j in the order in which Gram sums are packed.

    Parameters
    ----------
    size : int
        Number of columns.
    """
    first, second = np.triu_indices(size)
    return first.astype(np.int64), second.astype(np.int64)


def unpack(packed: Floats, size: int) -> Floats:
    """Turn packed sums (pairs, draws) into symmetric matrices (draws, size, size).

    Parameters
    ----------
    packed : (size (size + 1) / 2, draws) float array
        Sums in the order of `lower_pairs`.
    size : int
        Number of columns.
    """
    first, second = lower_pairs(size)
    full = np.empty((packed.shape[1], size, size))
    full[:, first, second] = packed.T
    full[:, second, first] = packed.T
    return full


def swept_products(sums: Floats, levels: int, columns: int) -> Floats:
    """Compute R'A^-R for many symmetric A and their R at once, A possibly singular.

    A column of the Cholesky factor whose pivot vanishes is skipped, which is a generalised inverse of a positive
    semi-definite matrix: dummies that add up to others, and levels without weight, drop out.

    Parameters
    ----------
    sums : (q, draws) float array
        For each level j in turn the entries A[j, j:] and then R[j, :]; q = levels (levels + 1) / 2 + levels columns.
    levels, columns : int
        Size of A and number of columns of R.

    Returns
    -------
    (columns (columns + 1) / 2, draws) float array
        Packed in the order of `lower_pairs`.
    """
    width, draws = levels + columns, sums.shape[1]
    factor = np.zeros((levels, width, draws))
    start = 0
    for level in range(levels):
        stop = start + width - level
        row = sums[start:stop]
        if level:
            row = row - np.einsum("trb,tb->rb", factor[:level, level:], factor[:level, level])
        pivot = row[0]
        usable = pivot > PIVOT_TOLERANCE * sums[start]
        scale = np.divide(1.0, np.sqrt(np.where(usable, pivot, 1.0)), out=np.zeros(draws), where=usable)
        np.multiply(row, scale, out=factor[level, level:])
        start = stop
    tail = factor[:, levels:]
    return np.concatenate([np.einsum("tb,tjb->jb", tail[:, column], tail[:, column:]) for column in range(columns)])


def swept_product(matrix: Floats, right: Floats) -> Floats:
    """Compute R'A^-R for one positive semi-definite A, possibly singular, by a (pivoted) Cholesky factor.

    Parameters
    ----------
    matrix : (levels, levels) float array
        A; only its upper triangle is read.
    right : (levels, columns) float array
        R, in the range of A.

    Returns
    -------
    (columns, columns) float array
    """
    from scipy.linalg import lapack

    diagonal = np.diagonal(matrix)
    kept = np.flatnonzero(diagonal > 0)
    scale = 1.0 / np.sqrt(diagonal[kept])
    scaled = np.asfortranarray(matrix[np.ix_(kept, kept)] * (scale[:, None] * scale[None, :]))
    targets = right[kept] * scale[:, None]
    if not len(kept):
        return np.zeros((right.shape[1], right.shape[1]))
    factor, status = lapack.dpotrf(scaled, lower=0, clean=0)
    if status == 0 and float(np.diagonal(factor).min()) ** 2 > PIVOT_TOLERANCE:
        half, _ = lapack.dtrtrs(factor, targets, lower=0, trans=1)
    else:
        factor, pivots, rank, _ = lapack.dpstrf(scaled, tol=PIVOT_TOLERANCE, lower=0)
        half, _ = lapack.dtrtrs(factor[:rank, :rank], targets[pivots[:rank] - 1], lower=0, trans=1)
    return np.asarray(half.T @ half, dtype=np.float64)


def solve_gram(gram: Floats, regressors: Integers, targets: Integers) -> Floats:
    """Regress columns on others in every draw, from Gram matrices.

    Parameters
    ----------
    gram : (draws, k, k) float array
        Gram matrices of residualised columns.
    regressors, targets : int arrays
        Columns on the right and on the left.

    Returns
    -------
    (draws, regressors, targets) float array
        Coefficients; NaN in a draw in which the regressors are collinear.
    """
    inner = np.ascontiguousarray(np.moveaxis(gram[:, regressors][:, :, regressors], 0, -1))
    right = np.ascontiguousarray(np.moveaxis(gram[:, regressors][:, :, targets], 0, -1))
    return np.moveaxis(solve_many(inner, right), -1, 0)


def solve_many(inner: Floats, right: Floats) -> Floats:
    """Solve many small positive definite systems side by side.

    Parameters
    ----------
    inner : (p, p, draws) float array
        Symmetric matrices.
    right : (p, t, draws) float array
        Right-hand sides.

    Returns
    -------
    (p, t, draws) float array
        Solutions; NaN in a draw whose matrix is singular.
    """
    size, count, draws = inner.shape[0], right.shape[1], inner.shape[2]
    factor = np.zeros((size, size, draws))
    bad = np.zeros(draws, dtype=np.bool_)
    solution = np.empty((size, count, draws))
    for row in range(size):
        column = inner[row:, row] - np.einsum("tb,trb->rb", factor[:row, row], factor[:row, row:])
        singular = ~(column[0] > COLLINEAR_TOLERANCE * inner[row, row])
        bad |= singular
        pivot = np.sqrt(np.where(singular, 1.0, column[0]))
        factor[row, row:] = column / pivot
        factor[row, row] = pivot
        target = right[row] - np.einsum("tb,tcb->cb", factor[:row, row], solution[:row])
        solution[row] = target / pivot
    for row in range(size - 1, -1, -1):
        later = np.einsum("tb,tcb->cb", factor[row, row + 1 :], solution[row + 1 :])
        solution[row] = (solution[row] - later) / factor[row, row]
    solution[:, :, bad] = np.nan
    return solution
