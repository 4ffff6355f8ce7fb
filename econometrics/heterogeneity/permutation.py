"""Fisher's permutation test of differences between groups: whole firms, or single rows, change their group."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from econometrics.heterogeneity.estimands import Estimands, paired
from econometrics.heterogeneity.groupings import Grouping, as_grouping
from econometrics.heterogeneity.permutation_problem import given_labels, prepare, shuffled
from shuzhi import EstimationError

Floats = NDArray[np.float64]
Level = Literal["unit", "row"]

DRAWS_AT_ONCE = 256


@dataclass(frozen=True)
class GroupPermutation:
    """Differences between groups beside the differences of randomly relabelled groups.

    Parameters
    ----------
    names : tuple of str
        What is estimated: regressors, or the paths of a mediation.
    groups : tuple of str
        Groups in order; the first is the reference.
    estimates : (names, groups) array
        Estimates by group.
    differences : (names, groups - 1) array
        Estimate of each later group less that of the first.
    replicates : (draws, names, groups - 1) array
        The same differences after each relabelling; NaN where a group could not be estimated.
    level : {"unit", "row"}
        What is relabelled.
    unit : str or None
        Column of the units that are relabelled as a whole.
    observations, exchanged : int
        Rows, and units (or rows) that exchange their labels.
    draws, seed : int
        Relabellings and their seed.
    dropped : dict of str to int
        Rows left out, by reason.
    assumptions, warnings : tuple of str
        In words.
    """

    names: tuple[str, ...]
    groups: tuple[str, ...]
    estimates: Floats
    differences: Floats
    replicates: Floats
    level: Level
    unit: str | None
    observations: int
    exchanged: int
    draws: int
    seed: int
    dropped: dict[str, int]
    assumptions: tuple[str, ...]
    warnings: tuple[str, ...]

    def p_values(self) -> Floats:
        """Two-sided p values (names, groups - 1): (1 + differences at least as large) / (1 + draws)."""
        return _p_values(self.differences, self.replicates)

    def shares(self) -> Floats:
        """Share of relabellings with a difference at least as large in size, two-sided."""
        larger, draws = _larger(self.differences, self.replicates)
        return np.asarray(np.divide(larger, draws, out=np.full(larger.shape, np.nan), where=draws > 0))

    def one_sided_shares(self) -> Floats:
        """Share of relabellings at least as far on the difference's own side, the smaller one, as bdiff counts."""
        draws = np.isfinite(self.replicates).sum(axis=0)
        rounding = 1e-12 * np.abs(self.differences)
        with np.errstate(invalid="ignore"):
            above = (self.replicates >= self.differences - rounding).sum(axis=0)
            below = (self.replicates <= self.differences + rounding).sum(axis=0)
        beyond = np.minimum(above, below).astype(np.float64)
        return np.asarray(np.divide(beyond, draws, out=np.full(beyond.shape, np.nan), where=draws > 0))

    def joint_p_values(self) -> Floats:
        """One p value a name over all groups: of the variance of the estimates between the groups."""
        return _p_values(_between(self.differences), _between(self.replicates))

    def to_frame(self) -> pd.DataFrame:
        """One row per name and pair of groups.

        Returns
        -------
        DataFrame
            term, group, reference, estimate (the difference), standard_error (the spread of the relabelled ones),
            statistic, p_value, share, interval_low and interval_high (central 95 % of the relabelled differences),
            observations, draws, seed.
        """
        p_values, shares = self.p_values(), self.shares()
        rows = []
        for place, name in enumerate(self.names):
            for column, (group, reference) in enumerate(paired(self.groups)):
                drawn = self.replicates[:, place, column]
                drawn = drawn[np.isfinite(drawn)]
                spread = float(drawn.std(ddof=1)) if drawn.size > 1 else np.nan
                low, high = np.quantile(drawn, [0.025, 0.975]) if drawn.size else (np.nan, np.nan)
                difference = float(self.differences[place, column])
                rows.append(
                    {
                        "term": name,
                        "group": group,
                        "reference": reference,
                        "estimate": difference,
                        "standard_error": spread,
                        "statistic": difference / spread if spread > 0 else np.nan,
                        "p_value": p_values[place, column],
                        "share": shares[place, column],
                        "interval_low": float(low),
                        "interval_high": float(high),
                        "observations": self.observations,
                        "draws": drawn.size,
                        "seed": self.seed,
                    }
                )
        return pd.DataFrame(rows)

    def summary(self) -> str:
        """Plain text for a reader."""
        what = f"whole units ({self.unit})" if self.level == "unit" else "single rows"
        lines = [f"permutation of {what} between {', '.join(self.groups)}: {self.draws} draws, seed {self.seed}"]
        lines += [
            f"  {row.term:<20}{row.group} less {row.reference}: {row.estimate:.4f}, p = {row.p_value:.4f}"
            for row in self.to_frame().itertuples()
        ]
        lines += [f"  assumption: {text}" for text in self.assumptions]
        return "\n".join(lines + [f"  warning: {text}" for text in self.warnings])


def permute_groups(
    data: pd.DataFrame,
    outcome: str,
    regressors: Sequence[str],
    *,
    group: str | Grouping,
    mediator: str | None = None,
    fixed_effects: Sequence[str] = (),
    unit: str | None = None,
    draws: int = 1000,
    seed: int = 1,
    labels: pd.DataFrame | None = None,
) -> GroupPermutation:
    """Test differences between groups by exchanging the group labels of units or rows.

    Parameters
    ----------
    data : DataFrame
        One row an observation.
    outcome : str
        Column explained.
    regressors : sequence of str
        Columns on the right; with a mediator the treatment and then controls.
    group : str or Grouping
        Column or grouping.
    mediator : str, optional
        Compare the total, a, b, direct and indirect effects of the first regressor instead of coefficients.
    fixed_effects : sequence of str
        Effects, absorbed anew within each relabelled group.
    unit : str, optional
        Column of units that keep all their rows together (firms; places where a policy is assigned by place). Without
        it single rows are exchanged, as Stata's bdiff does, which breaks up firms.
    draws, seed : int
        Relabellings and their seed.
    labels : DataFrame, optional
        Relabellings to use instead: units in the index, one column a draw, values as in the group column.

    Returns
    -------
    GroupPermutation
        Differences, their replicates and p values.

    Raises
    ------
    DataError
        When columns or labels cannot be used.
    EstimationError
        When a group cannot be estimated, or units change their group while whole units are exchanged.

    References
    ----------
    Fisher (1935); Cleary, S. (1999). The relationship between firm investment and financial status. Journal of Finance.
    """
    model = Estimands(outcome, tuple(regressors), mediator)
    grouping = as_grouping(data, group)
    problem = prepare(data, model, [grouping], fixed_effects, unit)
    model = problem.model
    codes = problem.codes[0]
    observed = problem.estimates(codes[None, :], len(grouping.groups))[0]
    lost = [name for name, row in zip(grouping.groups, observed, strict=True) if np.isnan(row).any()]
    if lost:
        reason = problem.reason(grouping, lost[0], fixed_effects)
        raise EstimationError(f"the model cannot be estimated in group {', '.join(lost)} of {grouping.name}{reason}")
    given = given_labels(labels, grouping, problem) if labels is not None else None
    count = draws if given is None else len(given)
    pieces = []
    generator = np.random.Generator(np.random.PCG64(seed))
    for start in range(0, count, DRAWS_AT_ONCE):
        size = min(DRAWS_AT_ONCE, count - start)
        dealt = given[start : start + size] if given is not None else shuffled(codes, size, generator)
        pieces.append(problem.estimates(dealt, len(grouping.groups)))
    replicates = np.concatenate(pieces) if pieces else np.empty((0, *observed.shape))
    notes = list(problem.notes)
    bad = int(np.isnan(replicates).any(axis=(1, 2)).sum())
    if bad:
        notes.append(f"{bad} of {count} relabellings leave a group that cannot be estimated; they do not count")
    if problem.exchanged < 20:
        notes.append(f"only {problem.exchanged} {'units' if unit else 'rows'} exchange their groups")
    return GroupPermutation(
        names=model.names,
        groups=grouping.groups,
        estimates=observed.T,
        differences=(observed[1:] - observed[0]).T,
        replicates=np.moveaxis(replicates[:, 1:] - replicates[:, :1], 1, 2),
        level="unit" if unit else "row",
        unit=unit,
        observations=problem.rows,
        exchanged=problem.exchanged,
        draws=count,
        seed=seed,
        dropped=problem.dropped,
        assumptions=(
            f"without a difference the {'units' if unit else 'rows'} could as well be in any other group",
            *(() if unit else ("rows of one unit are exchanged as if they were independent",)),
        ),
        warnings=tuple(notes),
    )


def _between(differences: Floats) -> Floats:
    """Variance between groups from the differences to the first, over the last axis."""
    whole = np.concatenate([np.zeros((*differences.shape[:-1], 1)), differences], axis=-1)
    return np.asarray(((whole - whole.mean(axis=-1, keepdims=True)) ** 2).mean(axis=-1))


def _larger(observed: Floats, replicates: Floats) -> tuple[Floats, Floats]:
    # The observed labelling is one of the relabellings and must not miss its own value by a rounding error.
    level = np.abs(observed) * (1 - 1e-12)
    with np.errstate(invalid="ignore"):
        larger = (np.abs(replicates) >= level).sum(axis=0)
    return np.asarray(larger, dtype=float), np.asarray(np.isfinite(replicates).sum(axis=0), dtype=float)


def _p_values(observed: Floats, replicates: Floats) -> Floats:
    larger, draws = _larger(observed, replicates)
    return np.asarray((1 + larger) / (1 + draws))
