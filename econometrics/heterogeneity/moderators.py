"""Continuous moderators: the interaction and the marginal effect of the treatment over the moderator's range."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import pandas as pd

from econometrics.estimation.covariance import SmallSample, StandardErrors
from econometrics.estimation.result import Regression
from econometrics.estimation.sample import columns_of, estimation_sample, numeric_values
from econometrics.regress.regression import regress
from shuzhi import EstimationError, SpecError

Centring = Literal["none", "mean", "median"]

BINS = 20


@dataclass(frozen=True)
class Moderation:
    """A regression with treatment, moderator and their product.

    Parameters
    ----------
    outcome, treatment, moderator, interaction : str
        Names of the columns and of the product term.
    model : Regression
        The regression; where columns are centred its treatment and moderator are the centred ones.
    centring : str
        How columns were centred.
    treatment_centre, moderator_centre : float
        What was subtracted before the product was taken; 0 without centring.
    marginal_effects : DataFrame
        moderator (in its own units), estimate, standard_error, statistic, p_value, interval_low, interval_high.
    distribution : DataFrame
        low, high, rows: the moderator in the sample, for the bars below the plot.
    significant : DataFrame
        low, high, sign: ranges of the moderator within the sample in which the effect differs from zero.
    level : float
        Level of the intervals.
    assumptions, warnings : tuple of str
        In words.
    """

    outcome: str
    treatment: str
    moderator: str
    interaction: str
    model: Regression
    centring: Centring
    treatment_centre: float
    moderator_centre: float
    marginal_effects: pd.DataFrame
    distribution: pd.DataFrame
    significant: pd.DataFrame
    level: float
    assumptions: tuple[str, ...]
    warnings: tuple[str, ...]

    def effect_at(self, values: Sequence[float]) -> pd.DataFrame:
        """Marginal effects of the treatment at values of the moderator, in its own units.

        Parameters
        ----------
        values : sequence of float
            Values of the moderator.

        Returns
        -------
        DataFrame
            Columns of `marginal_effects`.
        """
        return _marginal_effects(
            self.model,
            self.treatment,
            self.interaction,
            np.asarray(values, dtype=float),
            self.moderator_centre,
            self.level,
        )

    def to_frame(self) -> pd.DataFrame:
        """Coefficients of the regression, one row a term."""
        return self.model.to_frame(self.level)

    def summary(self) -> str:
        """Plain text for a reader."""
        row = self.to_frame().set_index("term").loc[self.interaction]
        lines = [
            f"{self.treatment} on {self.outcome}, moderated by {self.moderator} (centred: {self.centring})",
            f"  interaction {row['estimate']:.4f} ({row['standard_error']:.4f}), p = {row['p_value']:.4f}",
        ]
        for place in (0, len(self.marginal_effects) // 2, -1):
            item = self.marginal_effects.iloc[place]
            lines.append(
                f"  effect at {self.moderator} = {item['moderator']:.4g}: {item['estimate']:.4f} "
                f"[{item['interval_low']:.4f}, {item['interval_high']:.4f}]"
            )
        lines += [
            f"  {item.sign!s} where {self.moderator} lies between {item.low:.4g} and {item.high:.4g}"
            for item in self.significant.itertuples()
        ]
        lines += [f"  assumption: {text}" for text in self.assumptions]
        return "\n".join(lines + [f"  warning: {text}" for text in self.warnings])


def moderate(
    data: pd.DataFrame,
    outcome: str,
    treatment: str,
    moderator: str,
    *,
    controls: Sequence[str] = (),
    fixed_effects: str | Sequence[str] = (),
    cluster: str | Sequence[str] = (),
    weights: str | None = None,
    standard_errors: StandardErrors | None = None,
    small_sample: SmallSample = "reghdfe",
    centring: Centring = "none",
    grid: int | Sequence[float] = 41,
    level: float = 0.95,
) -> Moderation:
    """Let the effect of the treatment change with a continuous moderator.

    Parameters
    ----------
    data : DataFrame
        One row an observation.
    outcome, treatment, moderator : str
        Numeric columns.
    controls, fixed_effects, cluster, weights, standard_errors, small_sample
        As in `regress`; the moderator itself is in the model.
    centring : {"none", "mean", "median"}
        What is subtracted from treatment and moderator before their product is taken. It changes what the coefficient
        of each means (the effect at a zero, mean or median of the other), not the interaction or a marginal effect.
    grid : int or sequence of float
        Number of equally spaced values between the moderator's 1st and 99th percentile, or the values.
    level : float
        Level of the intervals.

    Returns
    -------
    Moderation
        The regression, marginal effects with intervals by the delta method (exact here: the effect is linear in the
        coefficients), the moderator's distribution and the ranges of significance.

    Raises
    ------
    DataError
        When columns cannot be used.
    SpecError
        When a column is named twice.
    EstimationError
        When treatment or interaction is not identified.

    References
    ----------
    Brambor, T., Clark, W. and Golder, M. (2006). Understanding interaction models. Political Analysis 14; Johnson and
    Neyman (1936) for the ranges of significance.
    """
    if treatment == moderator:
        raise SpecError(f"{treatment} cannot moderate itself; for a squared term use u_test")
    effects = (fixed_effects,) if isinstance(fixed_effects, str) else tuple(fixed_effects)
    clusters = (cluster,) if isinstance(cluster, str) else tuple(cluster)
    interaction = f"{treatment} x {moderator}"
    extra = [weights] if weights else []
    sample = estimation_sample(
        data, numeric=[outcome, treatment, moderator, *controls, *extra], categorical=clusters, fixed_effects=effects
    )
    names = dict.fromkeys([outcome, treatment, moderator, *controls, *extra, *columns_of([*effects, *clusters])])
    frame = sample.data[list(names)]
    x, z = numeric_values(frame[treatment]), numeric_values(frame[moderator])
    centre_x, centre_z = _centre(x, centring), _centre(z, centring)
    frame = frame.assign(
        **{treatment: x - centre_x, moderator: z - centre_z, interaction: (x - centre_x) * (z - centre_z)}
    )
    model = regress(
        frame,
        outcome,
        [treatment, interaction, moderator, *controls],
        fixed_effects=effects,
        cluster=clusters,
        weights=weights,
        standard_errors=standard_errors,
        small_sample=small_sample,
    )
    lost = [name for name in (treatment, interaction) if name not in model.coefficients.index]
    if lost:
        raise EstimationError(f"{', '.join(lost)} cannot be estimated: {'; '.join(model.warnings)}")
    low, high = np.quantile(z, [0.01, 0.99])
    values = np.linspace(low, high, grid) if isinstance(grid, int) else np.asarray(grid, dtype=float)
    notes = list(model.warnings)
    outside = int(((values < z.min()) | (values > z.max())).sum())
    if outside:
        notes.append(f"{outside} values of the grid lie outside the sample's range of {moderator}")
    counts, edges = np.histogram(z, bins=BINS)
    return Moderation(
        outcome=outcome,
        treatment=treatment,
        moderator=moderator,
        interaction=interaction,
        model=model,
        centring=centring,
        treatment_centre=centre_x,
        moderator_centre=centre_z,
        marginal_effects=_marginal_effects(model, treatment, interaction, values, centre_z, level),
        distribution=pd.DataFrame({"low": edges[:-1], "high": edges[1:], "rows": counts}),
        significant=_significant(model, treatment, interaction, centre_z, float(z.min()), float(z.max()), level),
        level=level,
        assumptions=(
            f"the effect of {treatment} changes linearly with {moderator}",
            f"{moderator} is not itself changed by {treatment}",
        ),
        warnings=tuple(notes),
    )


def _centre(values: np.ndarray, centring: Centring) -> float:
    if centring == "none":
        return 0.0
    return float(values.mean() if centring == "mean" else np.median(values))


def _moments(model: Regression, treatment: str, interaction: str) -> tuple[float, float, float, float, float]:
    names = [treatment, interaction]
    b = model.coefficients[names].to_numpy(dtype=float)
    v = model.covariance.loc[names, names].to_numpy(dtype=float)
    return float(b[0]), float(b[1]), float(v[0, 0]), float(v[1, 1]), float(v[0, 1])


def _critical(model: Regression, level: float) -> tuple[float, float]:
    """Degrees of freedom of a sum of coefficients, the fewest of its terms, and the critical value."""
    from scipy.stats import t as student

    degrees = float(model.term_degrees_of_freedom.min())
    return degrees, float(student.ppf(0.5 + level / 2, degrees))


def _marginal_effects(
    model: Regression, treatment: str, interaction: str, values: np.ndarray, centre: float, level: float
) -> pd.DataFrame:
    from scipy.stats import t as student

    main, product, v_main, v_product, v_both = _moments(model, treatment, interaction)
    degrees, critical = _critical(model, level)
    at = values - centre
    estimate = main + product * at
    error = np.sqrt(np.maximum(v_main + 2 * at * v_both + at**2 * v_product, 0.0))
    statistic = np.divide(estimate, error, out=np.full(estimate.shape, np.nan), where=error > 0)
    return pd.DataFrame(
        {
            "moderator": values,
            "estimate": estimate,
            "standard_error": error,
            "statistic": statistic,
            "p_value": 2 * student.sf(np.abs(statistic), degrees),
            "interval_low": estimate - critical * error,
            "interval_high": estimate + critical * error,
        }
    )


def _significant(
    model: Regression, treatment: str, interaction: str, centre: float, low: float, high: float, level: float
) -> pd.DataFrame:
    """Ranges between the roots of estimate squared = critical value squared times variance (Johnson-Neyman)."""
    main, product, v_main, v_product, v_both = _moments(model, treatment, interaction)
    _, critical = _critical(model, level)
    square = critical**2
    roots = np.roots(
        [product**2 - square * v_product, 2 * (main * product - square * v_both), main**2 - square * v_main]
    )
    cuts = sorted(float(root.real) + centre for root in roots if abs(root.imag) < 1e-12)
    edges = [low, *[cut for cut in cuts if low < cut < high], high]
    rows = []
    for start, stop in pairwise(edges):
        at = (start + stop) / 2 - centre
        estimate = main + product * at
        if estimate**2 > square * (v_main + 2 * at * v_both + at**2 * v_product):
            rows.append({"low": start, "high": stop, "sign": "positive" if estimate > 0 else "negative"})
    return pd.DataFrame(rows, columns=["low", "high", "sign"])
