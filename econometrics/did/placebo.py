"""Placebo tests of a staggered policy: too early, and for units drawn at random."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from econometrics.did.result import StaggeredEffects
from econometrics.did.sample import StaggeredSample, kept_rows, staggered_sample
from econometrics.did.two_way import static_two_way
from econometrics.estimation.absorb import Absorber
from econometrics.estimation.effects import encode_effects
from shuzhi import DataError, EstimationError

COLUMNS_AT_ONCE = 64


@dataclass(frozen=True)
class Placebo:
    """The static effect of the policy beside the effects of policies that never were.

    Parameters
    ----------
    outcome : str
        Column of the outcome.
    estimate : float
        Effect of the real policy.
    replicates : (draws,) array
        Effects when the first treated periods are dealt out to random units.
    p_value : float
        Two-sided: (1 + placebo effects at least as large) / (1 + draws).
    draws, seed : int
        Number of draws and their seed.
    observations, units : int
        Size of the sample.
    dropped : dict of str to int
        Rows left out, by reason.
    assumptions, warnings : tuple of str
        In words.
    """

    outcome: str
    estimate: float
    replicates: np.ndarray
    p_value: float
    draws: int
    seed: int
    observations: int
    units: int
    dropped: dict[str, int]
    assumptions: tuple[str, ...]
    warnings: tuple[str, ...]

    def to_frame(self) -> pd.DataFrame:
        """One row: the estimate, the spread of the placebo effects as its standard error, and their central 95 %."""
        low, high = np.quantile(self.replicates, [0.025, 0.975])
        spread = float(self.replicates.std(ddof=1))
        return pd.DataFrame(
            {
                "term": ["policy"],
                "estimate": [self.estimate],
                "standard_error": [spread],
                "statistic": [self.estimate / spread if spread > 0 else np.nan],
                "p_value": [self.p_value],
                "interval_low": [low],
                "interval_high": [high],
                "observations": [self.observations],
                "placebo_mean": [float(self.replicates.mean())],
                "draws": [self.draws],
                "seed": [self.seed],
            }
        )

    def summary(self) -> str:
        """Plain text for a reader."""
        row = self.to_frame().iloc[0]
        lines = [
            f"placebo in space: effect {self.estimate:.4f} on {self.outcome}; {self.draws} random policies have mean "
            f"{row['placebo_mean']:.4f} and 95 % of them lie in [{row['interval_low']:.4f}, "
            f"{row['interval_high']:.4f}], p = {self.p_value:.4f} (seed {self.seed})"
        ]
        lines += [f"  assumption: {text}" for text in self.assumptions]
        return "\n".join(lines + [f"  warning: {text}" for text in self.warnings])


def placebo_in_time(
    data: pd.DataFrame,
    outcome: str,
    *,
    unit: str,
    time: str,
    first_treated: str,
    controls: Sequence[str] = (),
    cluster: str | None = None,
    shift: int = 3,
) -> StaggeredEffects:
    """Pretend that the policy began earlier and look only at the time before it really did.

    Parameters
    ----------
    data : DataFrame
        One row per unit and period.
    outcome, unit, time, first_treated : str
        Columns; see `did_sample.staggered_sample` for how units never treated are written.
    controls : sequence of str
        Numeric covariates.
    cluster : str, optional
        Column of clusters; by default the unit.
    shift : int
        Periods by which the policy is moved forward.

    Returns
    -------
    StaggeredEffects
        Static two-way effect of the shifted policy on the rows before the real one; it should be zero.

    Raises
    ------
    DataError
        When the shift is not positive or the data frame cannot be used.
    EstimationError
        When no unit is seen before the shifted policy.
    """
    if shift < 1:
        raise DataError(f"shift must be 1 or more periods; got {shift}")
    others = [] if cluster is None else [cluster]
    sample = staggered_sample(
        data, outcome=outcome, unit=unit, time=time, first_treated=first_treated, controls=controls, others=others
    )
    before = sample.times < sample.row_first
    kept = kept_rows(sample, before, "after the real policy")
    moved = np.where(np.isfinite(kept.row_first), kept.row_first - shift, np.nan)
    frame = kept.data.assign(**{first_treated: moved})
    # A policy moved to period 0 would read as never treated.
    if (moved == 0).any():
        raise DataError(f"a shift of {shift} moves a first treated period to 0, which stands for never treated")
    result = static_two_way(
        frame, outcome, unit=unit, time=time, first_treated=first_treated, controls=controls, cluster=cluster
    )
    options = {**result.options, "placebo": f"the policy {shift} periods earlier, rows before the real one"}
    return StaggeredEffects(
        **{
            **{name: getattr(result, name) for name in result.__dataclass_fields__},
            "estimator": "placebo_in_time",
            "effects": result.effects.assign(estimator="placebo_in_time"),
            "dropped": kept.dropped | result.dropped,
            "options": options,
        }
    )


def placebo_in_space(
    data: pd.DataFrame,
    outcome: str,
    *,
    unit: str,
    time: str,
    first_treated: str,
    controls: Sequence[str] = (),
    within: str | None = None,
    draws: int = 1000,
    seed: int = 1,
) -> Placebo:
    """Deal the first treated periods out to random units again and again and estimate the static two-way effect.

    Parameters
    ----------
    data : DataFrame
        One row per unit and period.
    outcome, unit, time, first_treated : str
        Columns; see `did_sample.staggered_sample` for how units never treated are written.
    controls : sequence of str
        Numeric covariates.
    within : str, optional
        Column, constant in each unit, within whose values units are exchanged (a province, an industry).
    draws, seed : int
        Number of random policies and their seed.

    Returns
    -------
    Placebo
        The real effect, the placebo effects and the p value of the permutation.

    Raises
    ------
    DataError
        When the data frame cannot be used or units change their value of `within`.
    EstimationError
        When the real effect is not identified.
    """
    others = [] if within is None else [within]
    sample = staggered_sample(
        data, outcome=outcome, unit=unit, time=time, first_treated=first_treated, controls=controls, others=others
    )
    strata = _strata(sample, unit, within)
    absorber = Absorber(encode_effects(sample.data, [unit, time]))
    columns = absorber.demean(sample.data[[outcome, *controls]].to_numpy(dtype=float))
    left, right = columns[:, 1:], columns[:, 0]
    basis = _basis(left, sample.data[list(controls)].to_numpy(dtype=float)) if left.size else left
    whole = sample.data[outcome].to_numpy(dtype=float)
    if (right**2).sum() <= 1e-16 * (whole**2).sum():
        raise EstimationError(f"the outcome {outcome} does not vary within units and periods")
    generator = np.random.Generator(np.random.PCG64(seed))
    firsts = np.vstack([sample.first, *(_dealt(sample.first, strata, generator) for _ in range(draws))])
    effects = np.concatenate(
        [
            _effects(sample, firsts[start : start + COLUMNS_AT_ONCE], absorber, basis, right)
            for start in range(0, len(firsts), COLUMNS_AT_ONCE)
        ]
    )
    estimate, replicates = float(effects[0]), effects[1:]
    if not np.isfinite(estimate):
        raise EstimationError("the policy is explained by the unit and period effects and controls")
    notes = list(sample.warnings)
    lost = int((~np.isfinite(replicates)).sum())
    if lost:
        notes.append(f"{lost} of {draws} random policies are not identified and are left out")
        replicates = replicates[np.isfinite(replicates)]
    larger = int((np.abs(replicates) >= abs(estimate) * (1 - 1e-12)).sum())
    return Placebo(
        outcome=outcome,
        estimate=estimate,
        replicates=replicates,
        p_value=(1 + larger) / (1 + replicates.size),
        draws=int(replicates.size),
        seed=seed,
        observations=len(sample.data),
        units=sample.first.size,
        dropped=sample.dropped,
        assumptions=(
            "without an effect, which units are treated when is as if drawn at random"
            + (f" within {within}" if within else ""),
        ),
        warnings=tuple(notes),
    )


def _basis(left: np.ndarray, raw: np.ndarray) -> np.ndarray:
    """Orthonormal columns that span the controls; what the effects leave nothing of, or others explain, spans none."""
    norms = np.sqrt((left**2).sum(axis=0))
    varying = norms > 1e-8 * np.maximum(np.sqrt((raw**2).sum(axis=0)), np.finfo(float).tiny)
    if not varying.any():
        return left[:, :0]
    vectors, singular, _ = np.linalg.svd(left[:, varying] / norms[varying], full_matrices=False)
    return np.asarray(vectors[:, singular > 1e-7 * singular[0]])


def _strata(sample: StaggeredSample, unit: str, within: str | None) -> np.ndarray:
    if within is None:
        return np.zeros(sample.first.size, dtype=int)
    values = sample.data.groupby(unit, sort=True)[within]
    changing = values.nunique() > 1
    if changing.any():
        raise DataError(f"{int(changing.sum())} units change their {within}, such as {changing.index[changing][0]}")
    return np.asarray(pd.factorize(values.first().reindex(sample.unit_names), sort=True)[0])


def _dealt(first: np.ndarray, strata: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    dealt = first.copy()
    for stratum in np.unique(strata):
        members = np.flatnonzero(strata == stratum)
        dealt[members] = first[generator.permutation(members)]
    return dealt


def _effects(
    sample: StaggeredSample, firsts: np.ndarray, absorber: Absorber, basis: np.ndarray, outcome: np.ndarray
) -> np.ndarray:
    """Static effects of several policies at once: each indicator cleared of effects and controls (Frisch-Waugh)."""
    treated = (sample.times[:, None] >= firsts.T[sample.units]).astype(float)
    cleared = absorber.demean(treated)
    left = cleared - basis @ (basis.T @ cleared)
    squares = (left**2).sum(axis=0)
    whole = (treated**2).sum(axis=0)
    effects = np.full(len(firsts), np.nan)
    usable = squares > 1e-10 * np.maximum(whole, 1.0)
    effects[usable] = (left[:, usable].T @ outcome) / squares[usable]
    return effects
