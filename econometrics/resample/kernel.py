"""Replicates of fixed-effects regressions without refitting: Gram matrices of weighted samples of clusters.

Whole clusters are drawn, left out or relabelled, so that a weight is constant within a cluster. Effects nested in the
cluster are then swept out once and for all; the other effects are absorbed anew in every draw, exactly, through their
Gram blocks. A replicate is a weighted sum of the clusters' blocks and a small solve.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from econometrics.estimation.effects import Effects
from econometrics.resample.algebra import Floats, Integers, solve_gram, unpack
from econometrics.resample.layout import lay_out
from econometrics.resample.parts import Draws, Part
from shuzhi import DataError

# A column with less than this share of its variance left after the effects is explained by them.
ABSORBED_TOLERANCE = 1e-11
# Memory that a batch of draws may take.
BATCH_BYTES = 256 * 2**20


def draw_cluster_weights(clusters: int, draws: int, seed: int) -> npt.NDArray[np.int32]:
    """Draw clusters with replacement, as many as there are: how often each occurs in each draw.

    Parameters
    ----------
    clusters : int
        Number of clusters, at least 1.
    draws : int
        Number of draws.
    seed : int
        Seed of the generator (PCG64).

    Returns
    -------
    (draws, clusters) int array
        Counts; each row is multinomial with equal probabilities and adds up to ``clusters``.

    Raises
    ------
    DataError
        No cluster, or a negative number of draws.
    """
    if clusters < 1 or draws < 0:
        raise DataError(f"cannot draw {draws} times from {clusters} clusters")
    batches = list(_weight_batches(clusters, draws, seed, max(draws, 1)))
    return batches[0] if batches else np.empty((0, clusters), dtype=np.int32)


def _weight_batches(clusters: int, draws: int, seed: int, size: int) -> Iterator[npt.NDArray[np.int32]]:
    """Draw in batches; the draws do not depend on the size of the batches."""
    generator = np.random.Generator(np.random.PCG64(seed))
    for start in range(0, draws, size):
        counts = np.empty((min(size, draws - start), clusters), dtype=np.int32)
        for row in counts:
            row[:] = np.bincount(generator.integers(0, clusters, clusters), minlength=clusters)
        yield counts


@dataclass(frozen=True)
class GramKernel:
    """Sufficient statistics of a sample: Gram matrices of every weighted sample of its clusters.

    Parameters
    ----------
    columns : int
        Number of columns, k.
    clusters : int
        Number of clusters.
    blocks : (k (k + 1) / 2, clusters) float array
        Products of the columns of each cluster, after the effects that are removed once.
    parts : tuple of Part
        What the effects that are absorbed anew in every draw explain.
    spread : (k, clusters) float array
        Squares of the centred columns before any effect, by cluster.
    """

    columns: int
    clusters: int
    blocks: Floats
    parts: tuple[Part, ...]
    spread: Floats

    def gram(self, weights: npt.ArrayLike, max_bytes: int = BATCH_BYTES) -> Floats:
        """Compute the Gram matrix of the residualised columns of every weighted sample.

        Parameters
        ----------
        weights : (draws, clusters) or (clusters,) array
            Weights of the clusters, none negative: counts, masks of 0 and 1, or any numbers.
        max_bytes : int
            Memory that a batch of draws may take.

        Returns
        -------
        (draws, k, k) float array
            Z'WMZ, with zeros where the effects explain a column.

        Raises
        ------
        DataError
            Weights of the wrong shape, negative or not finite.
        """
        given = np.atleast_2d(np.asarray(weights))
        if given.ndim != 2 or given.shape[1] != self.clusters:
            raise DataError(f"weights must have the shape (draws, {self.clusters} clusters); these have {given.shape}")
        if given.size and not (np.isfinite(given).all() and given.min() >= 0):
            raise DataError("weights of clusters must be finite and none negative")
        step = self.batch_size(max_bytes)
        batches = [self._batch(given[start : start + step]) for start in range(0, len(given), step)]
        return np.concatenate(batches) if batches else np.empty((0, self.columns, self.columns))

    def bootstrap(self, draws: int, seed: int, max_bytes: int = BATCH_BYTES) -> Floats:
        """Compute the Gram matrices of cluster bootstrap samples, with the weights of `draw_cluster_weights`.

        Parameters
        ----------
        draws : int
            Number of samples.
        seed : int
            Seed of the generator (PCG64).
        max_bytes : int
            Memory that a batch of draws may take.

        Returns
        -------
        (draws, k, k) float array
        """
        batches = [self._batch(w) for w in _weight_batches(self.clusters, draws, seed, self.batch_size(max_bytes))]
        return np.concatenate(batches) if batches else np.empty((0, self.columns, self.columns))

    def leave_one_out(self, max_bytes: int = BATCH_BYTES) -> Floats:
        """Compute the Gram matrices without each cluster in turn.

        Parameters
        ----------
        max_bytes : int
            Memory that a batch of clusters may take.

        Returns
        -------
        (clusters, k, k) float array
        """
        step = self.batch_size(max_bytes)
        batches = []
        for start in range(0, self.clusters, step):
            batches.append(self._run(Draws(self.clusters, None, range(start, min(start + step, self.clusters)))))
        return np.concatenate(batches)

    def batch_size(self, max_bytes: int = BATCH_BYTES) -> int:
        """Say how many draws fit into a batch.

        Parameters
        ----------
        max_bytes : int
            Memory that a batch of draws may take.
        """
        own = 8 * (3 * self.clusters + 4 * len(self.blocks))
        per_draw = own + max((part.bytes_per_draw() for part in self.parts), default=0)
        return int(np.clip(max_bytes // per_draw, 1, 1024))

    def _batch(self, weights: npt.NDArray[np.generic]) -> Floats:
        return self._run(Draws(self.clusters, weights.T.astype(np.float64, order="C")))

    def _run(self, draws: Draws) -> Floats:
        members = np.arange(self.clusters)
        sums = draws.sums(self.blocks, members)
        for part in self.parts:
            part.lower(draws, sums)
        gram = unpack(sums, self.columns)
        limit = ABSORBED_TOLERANCE * draws.sums(self.spread, members).T
        explained = np.einsum("bii->bi", gram) <= limit
        if explained.any():
            gram[explained[:, :, None] | explained[:, None, :]] = 0.0
        return gram


def gram_kernel(
    matrix: npt.ArrayLike, effects: Effects, cluster_codes: npt.ArrayLike, clusters: int | None = None
) -> GramKernel:
    """Prepare the Gram blocks of a sample.

    Levels of effects that lie within one cluster are removed once; the others are absorbed anew in every draw: few
    levels as dummies, many by connected component, very many by demeaning each draw. Without effects a constant is
    absorbed.

    Parameters
    ----------
    matrix : (n, k) array
        Columns: outcomes, regressors, instruments.
    effects : Effects
        Fixed effects of the n rows, any number.
    cluster_codes : (n,) int array
        Cluster of each row, 0 to clusters - 1.
    clusters : int, optional
        Number of clusters where some have no row here (a group of rows that shares its draws with others).

    Raises
    ------
    DataError
        Values are not finite, or the lengths do not fit.
    """
    values = np.asarray(matrix, dtype=np.float64)
    codes = np.asarray(cluster_codes, dtype=np.int64)
    if values.ndim != 2 or codes.shape != values.shape[:1] or not len(codes):
        raise DataError(f"a matrix of rows and columns and a cluster a row are needed: {values.shape}, {codes.shape}")
    if any(len(code) != len(codes) for code in effects.codes):
        raise DataError("the fixed effects have another number of rows than the matrix")
    if not np.isfinite(values).all():
        raise DataError("the columns hold missing or infinite values; drop these rows first")
    count = int(codes.max()) + 1 if clusters is None else clusters
    if codes.min() < 0 or codes.max() >= count:
        raise DataError(f"cluster codes must run from 0 to {count - 1}")
    layout = lay_out(values, effects, codes, count)
    return GramKernel(values.shape[1], count, layout.blocks, layout.parts, layout.spread)


def coefficients_from_gram(gram: npt.ArrayLike, outcome: int, regressors: Sequence[int]) -> Floats:
    """Regress one column on others in every draw.

    Parameters
    ----------
    gram : (draws, k, k) array
        Gram matrices of `GramKernel`.
    outcome : int
        Column on the left.
    regressors : sequence of int
        Columns on the right.

    Returns
    -------
    (draws, regressors) float array
        Coefficients; NaN in a draw in which a regressor does not vary or is collinear with others.
    """
    columns: Integers = np.asarray(regressors, dtype=np.int64)
    return solve_gram(np.asarray(gram, dtype=np.float64), columns, np.asarray([outcome], dtype=np.int64))[:, :, 0]
