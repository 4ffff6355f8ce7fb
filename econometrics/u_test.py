"""Is it a U? The test of Lind and Mehlum (2010) for a quadratic, and the interval of its turning point by Fieller."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from econometrics.estimation.covariance import SmallSample, StandardErrors
from econometrics.estimation.result import Regression
from econometrics.estimation.sample import columns_of, estimation_sample, numeric_values
from econometrics.regress.regression import regress
from shuzhi import DataError, EstimationError

Shape = Literal["u", "inverted_u"]


@dataclass(frozen=True)
class UTest:
    """A quadratic and the test that it falls and rises within the data.

    Parameters
    ----------
    outcome, regressor, square : str
        Names of the column and of its squared term.
    model : Regression
        The regression with both.
    shape : {"u", "inverted_u"}
        By the sign of the squared term.
    low, high : float
        Interval in which the shape is tested, by default the range of the data.
    slope_low, slope_high : float
        Slopes at both ends.
    slope_errors : tuple of float
        Their standard errors.
    statistic : float
        The smaller of the two one-sided t statistics in the direction of the shape.
    p_value : float
        Of the null hypothesis that the relation is monotone or has the opposite shape.
    turning_point, turning_point_error : float
        Where the slope is zero, and its standard error by the delta method.
    fieller : tuple of float
        Interval of the turning point; infinite ends where the squared term does not differ from zero.
    level : float
        Level of that interval.
    assumptions, warnings : tuple of str
        In words.
    """

    outcome: str
    regressor: str
    square: str
    model: Regression
    shape: Shape
    low: float
    high: float
    slope_low: float
    slope_high: float
    slope_errors: tuple[float, float]
    statistic: float
    p_value: float
    turning_point: float
    turning_point_error: float
    fieller: tuple[float, float]
    level: float
    assumptions: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def confirmed(self) -> bool:
        """Whether the test rejects at one less the level and the turning point's interval lies within the data."""
        inside = self.low < self.fieller[0] and self.fieller[1] < self.high
        return bool(self.p_value < 1 - self.level and inside)

    def to_frame(self) -> pd.DataFrame:
        """Slopes at both ends and the turning point.

        Returns
        -------
        DataFrame
            term (slope at the lower end, slope at the upper end, turning point), at, estimate, standard_error,
            statistic, p_value (one-sided in the direction of the shape; of the whole test for the turning point),
            interval_low, interval_high (Fieller for the turning point), observations.
        """
        from scipy.stats import t as student

        degrees = float(self.model.term_degrees_of_freedom.min())
        critical = float(student.ppf(0.5 + self.level / 2, degrees))
        sign = -1.0 if self.shape == "u" else 1.0
        rows = []
        for name, at, slope, error, direction in (
            ("slope at the lower end", self.low, self.slope_low, self.slope_errors[0], sign),
            ("slope at the upper end", self.high, self.slope_high, self.slope_errors[1], -sign),
        ):
            rows.append(
                {
                    "term": name,
                    "at": at,
                    "estimate": slope,
                    "standard_error": error,
                    "statistic": slope / error,
                    "p_value": float(student.sf(direction * slope / error, degrees)),
                    "interval_low": slope - critical * error,
                    "interval_high": slope + critical * error,
                }
            )
        rows.append(
            {
                "term": "turning point",
                "at": self.turning_point,
                "estimate": self.turning_point,
                "standard_error": self.turning_point_error,
                "statistic": self.statistic,
                "p_value": self.p_value,
                "interval_low": self.fieller[0],
                "interval_high": self.fieller[1],
            }
        )
        return pd.DataFrame(rows).assign(observations=self.model.observations)

    def summary(self) -> str:
        """Plain text for a reader."""
        name = "U" if self.shape == "u" else "inverted U"
        lines = [
            f"{name} of {self.outcome} in {self.regressor} between {self.low:.4g} and {self.high:.4g}: "
            f"t = {self.statistic:.3f}, p = {self.p_value:.4f}",
            f"  slope {self.slope_low:.4f} ({self.slope_errors[0]:.4f}) at the lower end, {self.slope_high:.4f} "
            f"({self.slope_errors[1]:.4f}) at the upper end",
            f"  turning point {self.turning_point:.4g}, {self.level:.0%} Fieller interval [{self.fieller[0]:.4g}, "
            f"{self.fieller[1]:.4g}]",
        ]
        lines += [f"  assumption: {text}" for text in self.assumptions]
        return "\n".join(lines + [f"  warning: {text}" for text in self.warnings])


def u_test(
    data: pd.DataFrame,
    outcome: str,
    regressor: str,
    *,
    controls: Sequence[str] = (),
    fixed_effects: str | Sequence[str] = (),
    cluster: str | Sequence[str] = (),
    weights: str | None = None,
    standard_errors: StandardErrors | None = None,
    small_sample: SmallSample = "reghdfe",
    interval: tuple[float, float] | None = None,
    level: float = 0.95,
) -> UTest:
    """Estimate a quadratic and test whether it is a U (or an inverted U) within the data.

    Parameters
    ----------
    data : DataFrame
        One row an observation.
    outcome, regressor : str
        Numeric columns; the squared term is made here.
    controls, fixed_effects, cluster, weights, standard_errors, small_sample
        As in `regress`.
    interval : tuple of float, optional
        Range in which the shape is tested; by default the smallest and the largest value in the sample.
    level : float
        Level of the turning point's interval.

    Returns
    -------
    UTest
        The test: both slopes must differ from zero in opposite directions (an intersection-union test, so that no
        adjustment is needed).

    Raises
    ------
    DataError
        When columns or the interval cannot be used.
    EstimationError
        When the two terms cannot be told apart.

    References
    ----------
    Lind, J. and Mehlum, H. (2010). With or without U? Oxford Bulletin of Economics and Statistics 72; Fieller (1954).
    """
    from scipy.stats import t as student

    effects = (fixed_effects,) if isinstance(fixed_effects, str) else tuple(fixed_effects)
    clusters = (cluster,) if isinstance(cluster, str) else tuple(cluster)
    square, extra = f"{regressor} squared", [weights] if weights else []
    sample = estimation_sample(
        data, numeric=[outcome, regressor, *controls, *extra], categorical=clusters, fixed_effects=effects
    )
    names = dict.fromkeys([outcome, regressor, *controls, *extra, *columns_of([*effects, *clusters])])
    x = numeric_values(sample.data[regressor])
    frame = sample.data[list(names)].assign(**{square: x**2})
    model = regress(
        frame,
        outcome,
        [regressor, square, *controls],
        fixed_effects=effects,
        cluster=clusters,
        weights=weights,
        standard_errors=standard_errors,
        small_sample=small_sample,
    )
    lost = [name for name in (regressor, square) if name not in model.coefficients.index]
    if lost:
        raise EstimationError(f"{', '.join(lost)} cannot be estimated: {'; '.join(model.warnings)}")
    low, high = (float(x.min()), float(x.max())) if interval is None else (float(interval[0]), float(interval[1]))
    if not low < high:
        raise DataError(f"the interval of {regressor} must rise; got {low:g} to {high:g}")
    b = model.coefficients[[regressor, square]].to_numpy(dtype=float)
    v = model.covariance.loc[[regressor, square], [regressor, square]].to_numpy(dtype=float)
    degrees = float(model.term_degrees_of_freedom.min())
    slopes = b[0] + 2 * b[1] * np.array([low, high])
    errors = np.sqrt([v[0, 0] + 4 * end * v[0, 1] + 4 * end**2 * v[1, 1] for end in (low, high)])
    shape: Shape = "u" if b[1] > 0 else "inverted_u"
    direction = np.array([-1.0, 1.0]) if shape == "u" else np.array([1.0, -1.0])
    statistic = float((direction * slopes / errors).min())
    turning = float(-b[0] / (2 * b[1]))
    gradient = np.array([-1 / (2 * b[1]), b[0] / (2 * b[1] ** 2)])
    fieller = fieller_interval(
        -b[0], 2 * b[1], v[0, 0], 4 * v[1, 1], -2 * v[0, 1], float(student.ppf(0.5 + level / 2, degrees))
    )
    notes = list(model.warnings)
    if not low < turning < high:
        notes.append(f"the turning point lies outside the range of {regressor}: within it the relation is monotone")
    if not np.isfinite(fieller).all():
        notes.append("the squared term does not differ from zero: the turning point's interval is unbounded")
    return UTest(
        outcome=outcome,
        regressor=regressor,
        square=square,
        model=model,
        shape=shape,
        low=low,
        high=high,
        slope_low=float(slopes[0]),
        slope_high=float(slopes[1]),
        slope_errors=(float(errors[0]), float(errors[1])),
        statistic=statistic,
        p_value=float(student.sf(statistic, degrees)),
        turning_point=turning,
        turning_point_error=float(np.sqrt(gradient @ v @ gradient)),
        fieller=fieller,
        level=level,
        assumptions=(f"the relation of {outcome} and {regressor} is a quadratic",),
        warnings=tuple(notes),
    )


def fieller_interval(
    numerator: float,
    denominator: float,
    numerator_variance: float,
    denominator_variance: float,
    covariance: float,
    critical: float,
) -> tuple[float, float]:
    """Interval of a ratio of two normal estimates: all ratios r with (numerator - r denominator) not rejected as zero.

    Parameters
    ----------
    numerator, denominator : float
        Estimates.
    numerator_variance, denominator_variance, covariance : float
        Their covariance matrix.
    critical : float
        Critical value of the t test.

    Returns
    -------
    tuple of float
        Ends; both infinite where the set is not an interval, because the denominator does not differ from zero.

    References
    ----------
    Fieller, E. (1954). Some problems in interval estimation. Journal of the Royal Statistical Society B 16.
    """
    square = critical**2
    leading = denominator**2 - square * denominator_variance
    middle = numerator * denominator - square * covariance
    last = numerator**2 - square * numerator_variance
    root = middle**2 - leading * last
    if leading <= 0 or root < 0:
        return -np.inf, np.inf
    return float((middle - np.sqrt(root)) / leading), float((middle + np.sqrt(root)) / leading)
