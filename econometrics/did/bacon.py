"""What a two-way estimate of a staggered policy averages: the decomposition of Goodman-Bacon (2021)."""

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd

from econometrics.did.imputed import FIRST, package_notes
from econometrics.did.sample import staggered_sample
from shuzhi import EstimationError

KINDS = {
    "treated_vs_never": "treated against never treated",
    "earlier_vs_later": "earlier against later treated",
    "later_vs_earlier": "later against already treated",
}


@dataclass(frozen=True)
class BaconDecomposition:
    """The two-by-two comparisons behind a static two-way estimate.

    Parameters
    ----------
    comparisons : DataFrame
        One row per comparison: kind, treated_group, comparison_group (0 for never treated), estimate, weight.
    estimate : float
        The static two-way estimate without covariates, on a balanced panel the weighted sum of the comparisons.
    gap : float
        The estimate less the weighted sum; zero on a balanced panel.
    forbidden_weight : float
        Weight of comparisons with units already treated.
    dropped : dict of str to int
        Rows left out, by reason.
    assumptions, warnings : tuple of str
        In words.
    """

    comparisons: pd.DataFrame
    estimate: float
    gap: float
    forbidden_weight: float
    dropped: dict[str, int]
    assumptions: tuple[str, ...]
    warnings: tuple[str, ...]

    def to_frame(self) -> pd.DataFrame:
        """Weight and mean estimate by kind of comparison: kind, comparisons, weight, estimate."""
        rows = []
        for kind in KINDS.values():
            part = self.comparisons.loc[self.comparisons["kind"] == kind]
            weight = float(part["weight"].sum())
            mean = float((part["weight"] * part["estimate"]).sum() / weight) if weight > 0 else np.nan
            rows.append({"kind": kind, "comparisons": len(part), "weight": weight, "estimate": mean})
        return pd.DataFrame(rows)

    def summary(self) -> str:
        """Plain text for a reader."""
        lines = [f"static two-way estimate {self.estimate:.4f} is a weighted mean of two-by-two comparisons:"]
        lines += [
            f"  {row.kind:<32}{row.comparisons:>4} comparisons, weight {row.weight:.3f}, mean {row.estimate:.4f}"
            for row in self.to_frame().itertuples()
        ]
        lines += [f"  dropped: {count} rows, {reason}" for reason, count in self.dropped.items()]
        return "\n".join(lines + [f"  warning: {text}" for text in self.warnings])


def bacon_decomposition(
    data: pd.DataFrame, outcome: str, *, unit: str, time: str, first_treated: str, balance: bool = True
) -> BaconDecomposition:
    """Decompose the static two-way estimate into its two-by-two comparisons.

    Parameters
    ----------
    data : DataFrame
        One row per unit and period.
    outcome, unit, time, first_treated : str
        Columns; see `did_sample.staggered_sample` for how units never treated are written.
    balance : bool
        Keep only units seen in all periods: the decomposition is exact for a balanced panel alone.

    Returns
    -------
    BaconDecomposition
        All comparisons with weights that sum to one.

    Raises
    ------
    DataError
        When the data frame cannot be used.
    EstimationError
        When no unit is seen in all periods, or there is nothing to compare.

    References
    ----------
    Goodman-Bacon, A. (2021). Difference-in-differences with variation in treatment timing. Journal of Econometrics 225.
    """
    from diff_diff import BaconDecomposition as Decomposition

    sample = staggered_sample(data, outcome=outcome, unit=unit, time=time, first_treated=first_treated)
    frame, dropped, notes = sample.data.copy(), dict(sample.dropped), list(sample.warnings)
    frame[FIRST] = np.where(np.isfinite(sample.row_first), sample.row_first, 0.0)
    frame[time] = frame[time].astype(int)
    full = (np.bincount(sample.units) == sample.periods.size)[sample.units]
    if not full.all() and balance:
        dropped["unit not seen in all periods"] = int((~full).sum())
        frame = frame.loc[full]
        notes.append(
            f"the decomposition is of the {frame[unit].nunique()} of {sample.first.size} units seen in all periods"
        )
        if frame.empty:
            raise EstimationError("no unit is seen in all periods; use balance=False, where the weights are inexact")
    elif not full.all():
        notes.append("the panel is not balanced: the weighted sum need not equal the two-way estimate")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            fitted = Decomposition().fit(
                frame.reset_index(drop=True), outcome=outcome, unit=unit, time=time, first_treat=FIRST
            )
        except (ValueError, np.linalg.LinAlgError) as error:
            raise EstimationError(f"the two-way estimate cannot be decomposed: {error}") from error
    comparisons = pd.DataFrame(
        {
            "kind": [KINDS[item.comparison_type] for item in fitted.comparisons],
            "treated_group": [int(item.treated_group) for item in fitted.comparisons],
            "comparison_group": [
                0 if item.control_group == "never_treated" else int(item.control_group) for item in fitted.comparisons
            ],
            "estimate": [float(item.estimate) for item in fitted.comparisons],
            "weight": [float(item.weight) for item in fitted.comparisons],
        }
    )
    forbidden = float(comparisons.loc[comparisons["kind"] == KINDS["later_vs_earlier"], "weight"].sum())
    if forbidden > 0.1:
        notes.append(
            f"{forbidden:.0%} of the weight compares with units already treated, which misleads when effects change "
            "with time"
        )
    gap = float(fitted.twfe_estimate) - float((comparisons["weight"] * comparisons["estimate"]).sum())
    return BaconDecomposition(
        comparisons=comparisons,
        estimate=float(fitted.twfe_estimate),
        gap=gap,
        forbidden_weight=forbidden,
        dropped=dropped,
        assumptions=("no covariates enter, and each unit-period counts once",),
        warnings=tuple(notes) + package_notes(caught),
    )
