"""Several splits of one sample are several tests: their p values adjusted for each other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from econometrics.estimation.multiple_testing import adjust, romano_wolf
from econometrics.heterogeneity.estimands import Estimands, paired
from econometrics.heterogeneity.groupings import Grouping, as_grouping
from econometrics.heterogeneity.permutation import DRAWS_AT_ONCE
from econometrics.heterogeneity.permutation_problem import PermutationProblem, prepare, shuffled
from shuzhi import DataError, EstimationError

Floats = NDArray[np.float64]
FamilyAdjustment = Literal["romano_wolf", "holm", "benjamini_hochberg", "none"]


@dataclass(frozen=True)
class SplitFamily:
    """Differences between groups over a family of splits.

    Parameters
    ----------
    term : str
        What is compared: the first regressor, or a path of a mediation.
    differences : DataFrame
        Columns of `to_frame`.
    replicates : (draws, differences) array
        The differences when groups are dealt out at random, one deal for all splits of a draw.
    adjustment : str
        How p values are adjusted.
    flags : dict of str to str
        Splits that could not be estimated, and why.
    draws, seed : int
        Of the permutation.
    dropped : dict of str to int
        Rows left out, by reason.
    assumptions, warnings : tuple of str
        In words.
    """

    term: str
    differences: pd.DataFrame
    replicates: Floats
    adjustment: FamilyAdjustment
    flags: dict[str, str]
    draws: int
    seed: int
    dropped: dict[str, int]
    assumptions: tuple[str, ...]
    warnings: tuple[str, ...]

    def to_frame(self) -> pd.DataFrame:
        """One row per split and pair of groups.

        Returns
        -------
        DataFrame
            split, term, group, reference, estimate, standard_error (spread of the permuted differences), statistic,
            p_value, adjusted_p_value, interval_low, interval_high (central 95 % of the permuted differences),
            observations, flag.
        """
        return self.differences.copy()

    def summary(self) -> str:
        """Plain text for a reader."""
        lines = [
            f"differences in {self.term} over {self.differences['split'].nunique()} splits, p by {self.adjustment}"
        ]
        for row in self.differences.itertuples():
            text = f"{row.group} less {row.reference}: {row.estimate:.4f}, p = {row.p_value:.4f}"
            text = str(row.flag) or f"{text}, adjusted {row.adjusted_p_value:.4f}"
            lines.append(f"  {row.split!s:<20}{text}")
        return "\n".join(lines + [f"  warning: {text}" for text in self.warnings])


def family_of_splits(
    data: pd.DataFrame,
    outcome: str,
    regressors: Sequence[str],
    *,
    splits: Mapping[str, str | Grouping],
    mediator: str | None = None,
    fixed_effects: Sequence[str] = (),
    unit: str | None = None,
    adjustment: FamilyAdjustment = "romano_wolf",
    draws: int = 1000,
    seed: int = 1,
) -> SplitFamily:
    """Test differences over several splits and adjust the p values for how many there are.

    Parameters
    ----------
    data : DataFrame
        One row an observation.
    outcome : str
        Column explained.
    regressors : sequence of str
        Columns on the right; the first one is compared.
    splits : mapping of str to str or Grouping
        Name and grouping of each split.
    mediator : str, optional
        Compare the indirect effect of the first regressor through this column instead.
    fixed_effects : sequence of str
        Effects, absorbed anew in each permuted group.
    unit : str, optional
        Column of units that exchange all their groups together; without it rows do.
    adjustment : {"romano_wolf", "holm", "benjamini_hochberg", "none"}
        Romano-Wolf uses the dependence between the splits: in each draw a unit takes over all groups of another.
    draws, seed : int
        Of the permutation.

    Returns
    -------
    SplitFamily
        Differences of each later group to the first, with p values of the permutation and adjusted ones. A split that
        cannot be estimated is flagged.

    Raises
    ------
    DataError
        When columns cannot be used or there is no split.
    EstimationError
        When no split can be estimated, or a unit changes its group.
    """
    if not splits:
        raise DataError("a family needs at least one split")
    model = Estimands(outcome, tuple(regressors), mediator)
    term = model.names.index("indirect") if mediator else 0
    groupings = {name: as_grouping(data, group) for name, group in splits.items()}
    problem = prepare(data, model, list(groupings.values()), fixed_effects, unit)
    observed, flags = _observed(problem, groupings, term, fixed_effects)
    kept = [name for name in groupings if name not in flags]
    if not kept:
        raise EstimationError("no split can be estimated: " + "; ".join(f"{k}: {text}" for k, text in flags.items()))
    replicates = _replicates(problem, groupings, kept, term, draws, seed)
    estimates = np.concatenate([observed[name] for name in kept])
    spread = np.nanstd(replicates, axis=0, ddof=1)
    larger = (np.abs(replicates) >= np.abs(estimates) * (1 - 1e-12)).sum(axis=0)
    p_values = (1 + larger) / (1 + np.isfinite(replicates).sum(axis=0))
    adjusted = (
        adjust(p_values, adjustment)
        if adjustment != "romano_wolf"
        else romano_wolf(estimates / spread, replicates / spread)
    )
    low, high = np.nanquantile(replicates, [0.025, 0.975], axis=0)
    keys = [(name, *pair) for name in kept for pair in paired(groupings[name].groups)]
    frame = pd.DataFrame(keys, columns=["split", "group", "reference"]).assign(
        term=model.names[term],
        estimate=estimates,
        standard_error=spread,
        statistic=estimates / spread,
        p_value=p_values,
        adjusted_p_value=adjusted,
        interval_low=low,
        interval_high=high,
        observations=problem.rows,
        flag="",
    )
    if flags:
        bad = pd.DataFrame({"split": list(flags), "term": model.names[term], "flag": list(flags.values())})
        frame = pd.concat([frame, bad], ignore_index=True)
    columns = ["split", "term", "group", "reference", "estimate", "standard_error", "statistic", "p_value"]
    return SplitFamily(
        term=model.names[term],
        differences=frame[[*columns, "adjusted_p_value", "interval_low", "interval_high", "observations", "flag"]],
        replicates=replicates,
        adjustment=adjustment,
        flags=flags,
        draws=draws,
        seed=seed,
        dropped=problem.dropped,
        assumptions=(
            f"without any difference the {'units' if unit else 'rows'} could as well be in each other's groups",
        ),
        warnings=(*problem.notes, *(f"split {name} is not estimated: {text}" for name, text in flags.items())),
    )


def _observed(
    problem: PermutationProblem, groupings: Mapping[str, Grouping], term: int, fixed_effects: Sequence[str]
) -> tuple[dict[str, Floats], dict[str, str]]:
    found: dict[str, Floats] = {}
    flags: dict[str, str] = {}
    for codes, (name, grouping) in zip(problem.codes, groupings.items(), strict=True):
        values = problem.estimates(codes[None, :], len(grouping.groups))[0, :, term]
        lost = [group for group, value in zip(grouping.groups, values, strict=True) if np.isnan(value)]
        if lost:
            reason = problem.reason(grouping, lost[0], fixed_effects)
            flags[name] = f"the model cannot be estimated in group {', '.join(lost)}{reason}"
        else:
            found[name] = values[1:] - values[0]
    return found, flags


def _replicates(
    problem: PermutationProblem,
    groupings: Mapping[str, Grouping],
    kept: Sequence[str],
    term: int,
    draws: int,
    seed: int,
) -> Floats:
    """Differences of all splits (draws, differences), each draw one deal for all of them."""
    generator = np.random.Generator(np.random.PCG64(seed))
    whole = np.stack(problem.codes)
    pieces = []
    for start in range(0, draws, DRAWS_AT_ONCE):
        dealt = shuffled(whole, min(DRAWS_AT_ONCE, draws - start), generator)
        parts = []
        for place, (name, grouping) in enumerate(groupings.items()):
            if name in kept:
                values = problem.estimates(dealt[:, place], len(grouping.groups))[:, :, term]
                parts.append(values[:, 1:] - values[:, :1])
        pieces.append(np.concatenate(parts, axis=1))
    return np.concatenate(pieces)
