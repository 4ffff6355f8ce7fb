"""Sensitivity of an indirect effect to unobserved confounding of mediator and outcome, effects swept out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from econometrics.estimation.effects import Effects, Floats
from econometrics.mediate.confounding import (
    RobustnessValue,
    coefficient_robustness,
)
from econometrics.mediate.selection import OsterDelta, oster_delta
from econometrics.resample.algebra import solve_gram

RHO_GRID = tuple(round(-0.9 + 0.1 * step, 1) for step in range(19))


def indirect_at_rho(
    path_a: npt.ArrayLike, ratio: npt.ArrayLike, correlation: npt.ArrayLike, rho: npt.ArrayLike
) -> Floats:
    """Compute the indirect effect if the errors of mediator and outcome equation correlate by rho.

    Parameters
    ----------
    path_a : array
        Effect of the treatment on the mediator.
    ratio : array
        Standard deviation of the outcome's residual over that of the mediator's, the mediator left out of both.
    correlation : array
        Correlation of these two residuals: rho at which the indirect effect is 0.
    rho : array
        Correlations of the errors, between -1 and 1.

    References
    ----------
    Imai, Keele and Yamamoto (2010), Statistical Science 25(1), theorem 4, solved in closed form.
    """
    r, assumed = np.asarray(correlation, dtype=np.float64), np.asarray(rho, dtype=np.float64)
    slope = np.asarray(ratio) * (r - assumed * np.sqrt((1 - r**2) / (1 - assumed**2)))
    return np.asarray(np.asarray(path_a) * slope, dtype=np.float64)


@dataclass(frozen=True)
class MediationSensitivity:
    """How strong confounding must be to explain an indirect effect away.

    Parameters
    ----------
    rho_at_zero : float
        Correlation of the errors of both equations at which the indirect effect is 0.
    rho_interval_low, rho_interval_high : float
        Its bootstrap interval; NaN without a bootstrap.
    curve : DataFrame
        Indirect effect by ``rho``: indirect, interval_low, interval_high.
    r2_residual_product : float
        Product of the shares of the *residual* variances of mediator and outcome that a confounder explains at 0.
    r2_total_product : float
        The same as shares of the whole variances, after the effects.
    r2_mediator, r2_outcome : float
        R2 of both equations, after the effects.
    path_a, path_b, direct : RobustnessValue
        Robustness values of the three coefficients.
    oster_a, oster_b : OsterDelta
        Oster's delta of both paths.
    """

    rho_at_zero: float
    rho_interval_low: float
    rho_interval_high: float
    curve: pd.DataFrame
    r2_residual_product: float
    r2_total_product: float
    r2_mediator: float
    r2_outcome: float
    path_a: RobustnessValue
    path_b: RobustnessValue
    direct: RobustnessValue
    oster_a: OsterDelta
    oster_b: OsterDelta

    def to_frame(self) -> pd.DataFrame:
        """Return one row a measure: measure, value, interval_low, interval_high."""
        nothing = float("nan")
        rows: list[tuple[str, float, float, float]] = [
            ("rho_at_zero", self.rho_at_zero, self.rho_interval_low, self.rho_interval_high),
            ("r2_residual_product", self.r2_residual_product, nothing, nothing),
            ("r2_total_product", self.r2_total_product, nothing, nothing),
        ]
        for name, value in (("a", self.path_a), ("b", self.path_b), ("direct", self.direct)):
            rows.append((f"robustness_value_{name}", value.robustness_value, nothing, nothing))
            rows.append((f"robustness_value_alpha_{name}", value.robustness_value_alpha, nothing, nothing))
            rows.append((f"partial_r2_{name}", value.partial_r2, nothing, nothing))
        rows.append(("oster_delta_a", self.oster_a.delta, nothing, nothing))
        rows.append(("oster_delta_b", self.oster_b.delta, nothing, nothing))
        return pd.DataFrame(rows, columns=["measure", "value", "interval_low", "interval_high"])

    def summary(self) -> str:
        """Say the measures in words."""
        between = ""
        if np.isfinite(self.rho_interval_low):
            between = f" (interval {self.rho_interval_low:.3f} to {self.rho_interval_high:.3f})"
        lines = [
            "Sensitivity to a confounder of mediator and outcome",
            f"The indirect effect is 0 where both equations' errors correlate by {self.rho_at_zero:.3f}{between}: "
            f"shares of their residual variances with product {self.r2_residual_product:.4f}, "
            f"of their whole variances {self.r2_total_product:.4f}",
            self.path_a.summary(),
            self.path_b.summary(),
        ]
        for name, value in (("a", self.oster_a), ("b", self.oster_b)):
            shown = f"{value.delta:.3g} (R2 at most {value.r2_max:.3f})" if not value.reason else value.reason
            lines.append(f"Oster's delta of path {name}: {shown}")
        return "\n".join(lines)


def residual_moments(gram: Floats, outcome: int, treatment: int, mediator: int, controls: Sequence[int]) -> Floats:
    """Compute path a, ratio and correlation for `indirect_at_rho` in every draw.

    Parameters
    ----------
    gram : (draws, k, k) float array
        Gram matrices.
    outcome, treatment, mediator : int
        Columns.
    controls : sequence of int
        Columns.

    Returns
    -------
    (draws, 3) float array
    """
    right = np.array([treatment, *controls], dtype=np.int64)
    left = np.array([mediator, outcome], dtype=np.int64)
    coefficients = solve_gram(gram, right, left)
    rest = gram[:, left][:, :, left] - np.einsum("brs,brt->bst", gram[:, right][:, :, left], coefficients)
    m, y = np.maximum(rest[:, 0, 0], 0.0), np.maximum(rest[:, 1, 1], 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        moments = np.stack([coefficients[:, 0, 0], np.sqrt(y / m), rest[:, 0, 1] / np.sqrt(m * y)], axis=1)
    return np.asarray(np.where(np.isfinite(moments), moments, np.nan), dtype=np.float64)


def mediation_sensitivity(
    swept: Floats,
    names: tuple[str, str, str],
    effects: Effects,
    *,
    replicates: Floats | None = None,
    level: float = 0.95,
    rho: Sequence[float] = RHO_GRID,
) -> MediationSensitivity:
    """Compute all measures for one mediator.

    Parameters
    ----------
    swept : (n, 3 + controls) float array
        Outcome, treatment, mediator and controls after the effects, about their means where there are none.
    names : (str, str, str)
        Outcome, treatment and mediator.
    effects : Effects
        Effects swept out, for degrees of freedom.
    replicates : (draws, k, k) float array, optional
        Gram matrices of bootstrap samples of the same columns, for intervals.
    level : float
        Coverage of the intervals.
    rho : sequence of float
        Correlations at which the indirect effect is computed.

    References
    ----------
    Imai, Keele and Yamamoto (2010); Cinelli and Hazlett (2020); Oster (2019).
    """
    controls = range(3, swept.shape[1])
    gram = swept.T @ swept
    path_a, ratio, correlation = residual_moments(gram[None], 0, 1, 2, controls)[0]
    grid = np.asarray(rho, dtype=np.float64)
    curve = pd.DataFrame({"rho": grid, "indirect": indirect_at_rho(path_a, ratio, correlation, grid)})
    curve["interval_low"] = curve["interval_high"] = np.nan
    low = high = float("nan")
    if replicates is not None:
        drawn = residual_moments(replicates, 0, 1, 2, controls)
        drawn = drawn[np.isfinite(drawn).all(axis=1)]
        if len(drawn) > 1:
            tails = [(1 - level) / 2, (1 + level) / 2]
            curves = indirect_at_rho(drawn[:, [0]], drawn[:, [1]], drawn[:, [2]], grid[None, :])
            curve["interval_low"], curve["interval_high"] = np.quantile(curves, tails, axis=0)
            low, high = (float(limit) for limit in np.quantile(drawn[:, 2], tails))
    r2_mediator, r2_outcome = _r2(gram, 2, [1, *controls]), _r2(gram, 0, [1, 2, *controls])
    outcome, treatment, mediator = names
    return MediationSensitivity(
        float(correlation),
        low,
        high,
        curve,
        float(correlation**2),
        float(correlation**2 * (1 - r2_mediator) * (1 - r2_outcome)),
        r2_mediator,
        r2_outcome,
        coefficient_robustness(swept, 2, [1, *controls], effects, (mediator, treatment)),
        coefficient_robustness(swept, 0, [2, 1, *controls], effects, (outcome, mediator)),
        coefficient_robustness(swept, 0, [1, 2, *controls], effects, (outcome, treatment)),
        oster_delta(gram, 2, 1, list(controls)),
        oster_delta(gram, 0, 2, [1, *controls]),
    )


def _r2(gram: Floats, outcome: int, regressors: Sequence[int]) -> float:
    right = list(regressors)
    along = gram[right, outcome]
    return float(along @ np.linalg.solve(gram[np.ix_(right, right)], along) / gram[outcome, outcome])
