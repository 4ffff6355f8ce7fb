"""The instrumented part of a model, effects and controls partialled out, and the errors asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from econometrics.estimation.covariance import SmallSampleTerms, StandardErrors, sandwich
from econometrics.estimation.effects import Floats, Integers


@dataclass(frozen=True)
class InstrumentSpace:
    """Columns after effects and controls are partialled out, and the errors asked for.

    Parameters
    ----------
    outcome : (n,) float array
        Outcome.
    endogenous : (n, m) float array
        Endogenous regressors.
    instruments : (n, l) float array
        Excluded instruments, l >= m.
    cluster_codes : tuple of (n,) int arrays
        Cluster variables; none for errors without clusters.
    kind : {"classical", "robust", "cluster"}
        Kind of errors.
    controls : int
        Coefficients partialled out besides the effects, the constant included.
    own_factors : bool
        Each part of a multi-way clustered covariance has its own G / (G - 1).
    terms : callable
        From a number of coefficients (those of the effects not among them) to the small-sample terms.
    """

    outcome: Floats
    endogenous: Floats
    instruments: Floats
    cluster_codes: tuple[Integers, ...]
    kind: StandardErrors
    controls: int
    own_factors: bool
    terms: Callable[[int], SmallSampleTerms]

    @property
    def observations(self) -> int:
        """Rows."""
        return len(self.outcome)

    def meat(self, columns: Floats, left: Floats, right: Floats | None = None) -> Floats:
        """Covariance of the coefficients on orthonormal columns, without small-sample factor.

        Parameters
        ----------
        columns : (n, l) float array
            Orthonormal columns.
        left, right : (n,) float arrays
            Residuals; where two are given, the covariance between the coefficients of their two equations.
        """
        other = left if right is None else right
        if self.kind == "classical":
            return float(left @ other) / self.observations * np.eye(columns.shape[1])
        stacked = np.hstack([columns * left[:, None], columns * other[:, None]])
        both = sandwich(np.eye(stacked.shape[1]), stacked, self.cluster_codes, own_factors=self.own_factors)
        size = columns.shape[1]
        result: Floats = both[:size, size:]
        return result


def orthonormal(columns: Floats) -> Floats:
    """Return orthonormal columns that span the given ones, by QR of the columns scaled to unit length.

    Parameters
    ----------
    columns : (n, k) float array
        Independent columns.
    """
    result: Floats = np.linalg.qr(columns / np.sqrt((columns**2).sum(axis=0)))[0]
    return result


def partialled(columns: Floats, controls: Floats) -> Floats:
    """Residuals of columns on controls.

    Parameters
    ----------
    columns : (n, k) float array
        Columns.
    controls : (n, c) float array
        Independent controls; may be empty.
    """
    if not controls.shape[1]:
        return columns
    base = orthonormal(controls)
    rest = columns - base @ (base.T @ columns)
    result: Floats = rest - base @ (base.T @ rest)
    return result
