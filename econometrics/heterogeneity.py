"""Groups side by side, and whether they really differ: the one door to everything about heterogeneity."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from econometrics.group_family import SplitFamily, family_of_splits
from econometrics.group_mediation import IndirectByGroup, indirect_by_group
from econometrics.group_permutation import GroupPermutation, permute_groups
from econometrics.group_tests import GROUP, InteractedModel, difference_rows, interacted_model, joint_rows
from econometrics.groupings import (
    Grouping,
    as_grouping,
    fix_within_unit,
    group_by_column,
    group_by_market_value,
    group_by_policy,
    group_by_quantiles,
    group_by_threshold,
)
from econometrics.regress import Regression, SmallSample, regress
from shuzhi import DataError, EstimationError, SpecError

__all__ = [
    "GroupComparison",
    "GroupPermutation",
    "Grouping",
    "IndirectByGroup",
    "SplitFamily",
    "as_grouping",
    "by_group",
    "family_of_splits",
    "fix_within_unit",
    "group_by_column",
    "group_by_market_value",
    "group_by_policy",
    "group_by_quantiles",
    "group_by_threshold",
    "indirect_by_group",
    "permute_groups",
]

FEW_CLUSTERS = 10
FEW_ROWS = 30


@dataclass(frozen=True)
class GroupComparison:
    """A model estimated in each group, and the tests between the groups.

    Parameters
    ----------
    name, rule : str
        What the sample is split by, and how.
    outcome : str
        Column explained.
    regressors : tuple of str
        Columns on the right; the first one is the term of interest.
    groups : tuple of str
        Groups that could be estimated, in order; the first is the reference.
    models : dict of str to Regression
        By group.
    flags : dict of str to str
        Groups that could not be estimated, and why.
    differences : DataFrame
        Rows of `group_tests.difference_rows` and, when asked for, of the permutation.
    joint : DataFrame
        Rows of `group_tests.joint_rows`.
    interacted : InteractedModel or None
        The regression of all groups together.
    permutation : GroupPermutation or None
        The permutation test.
    dropped : dict of str to int
        Rows left out before the split, by reason.
    assumptions, warnings : tuple of str
        In words.
    """

    name: str
    rule: str
    outcome: str
    regressors: tuple[str, ...]
    groups: tuple[str, ...]
    models: dict[str, Regression]
    flags: dict[str, str]
    differences: pd.DataFrame
    joint: pd.DataFrame
    interacted: InteractedModel | None
    permutation: GroupPermutation | None
    dropped: dict[str, int]
    assumptions: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def p_values(self) -> dict[str, float]:
        """p values of equal coefficients of the first regressor in all groups, by test."""
        return self.p_values_of(self.regressors[0])

    def p_values_of(self, term: str) -> dict[str, float]:
        """p values of equal coefficients of a regressor in all groups, by test.

        Parameters
        ----------
        term : str
            Regressor.
        """
        found = {}
        if len(self.joint):
            rows = self.joint.loc[self.joint["term"] == term]
            found = dict(zip(rows["test"].astype(str), rows["p_value"].astype(float), strict=True))
        if self.permutation is not None:
            place = self.permutation.names.index(term)
            # With two groups this is the p value of their difference.
            found["permutation"] = float(self.permutation.joint_p_values()[place])
        return found

    @property
    def note(self) -> str:
        """How the permutation was done, or an empty string."""
        if self.permutation is None:
            return ""
        what = self.permutation.unit or "rows"
        return f"permutation of {what}: {self.permutation.draws} draws, seed {self.permutation.seed}"

    @property
    def seed(self) -> int | None:
        """Seed of the permutation, if there is one."""
        return None if self.permutation is None else self.permutation.seed

    @property
    def draws(self) -> int | None:
        """Draws of the permutation, if there is one."""
        return None if self.permutation is None else self.permutation.draws

    def to_frame(self, level: float = 0.95) -> pd.DataFrame:
        """Coefficients by group, groups that could not be estimated, and differences between groups.

        Parameters
        ----------
        level : float
            Level of the intervals of the coefficients.

        Returns
        -------
        DataFrame
            kind (group or difference), test, term, group, reference, estimate, standard_error, statistic, p_value,
            interval_low, interval_high, observations, flag.
        """
        frames = [
            model.to_frame(level).assign(kind="group", group=group, flag="") for group, model in self.models.items()
        ]
        frames += [
            pd.DataFrame({"kind": ["group"], "group": [group], "term": [self.regressors[0]], "flag": [text]})
            for group, text in self.flags.items()
        ]
        if len(self.differences):
            frames.append(self.differences.assign(kind="difference", flag=""))
        columns = ["kind", "test", "term", "group", "reference", "estimate", "standard_error", "statistic", "p_value"]
        whole = pd.concat(frames, ignore_index=True)
        return whole.reindex(columns=[*columns, "interval_low", "interval_high", "observations", "flag"])

    def summary(self) -> str:
        """Plain text for a reader."""
        term = self.regressors[0]
        lines = [f"{self.outcome} on {term}, {self.rule}"]
        for group, model in self.models.items():
            if term in model.coefficients.index:
                lines.append(
                    f"  {group:<20}{model.coefficients[term]:>10.4f} ({model.standard_errors[term]:.4f})  "
                    f"{model.observations} rows"
                )
        lines += [f"  {group:<20}not estimated: {text}" for group, text in self.flags.items()]
        for row in self.differences.loc[self.differences["term"] == term].itertuples() if len(self.differences) else []:
            lines.append(f"  {row.group} less {row.reference}: {row.estimate:.4f}, {row.test} p = {row.p_value:.4f}")
        if len(self.joint):
            chow = self.joint.query("term == 'all regressors' and test == 'interaction'").iloc[0]
            lines.append(f"  all coefficients equal: F = {chow['statistic']:.3f}, p = {chow['p_value']:.4f}")
        lines += [f"  dropped: {count} rows, {reason}" for reason, count in self.dropped.items()]
        return "\n".join(lines + [f"  warning: {text}" for text in self.warnings])


def by_group(
    data: pd.DataFrame,
    outcome: str,
    regressors: str | Sequence[str],
    *,
    group: str | Grouping,
    fixed_effects: str | Sequence[str] = (),
    cluster: str | Sequence[str] = (),
    weights: str | None = None,
    small_sample: SmallSample = "reghdfe",
    permute: str | None = None,
    draws: int = 1000,
    seed: int = 1,
    level: float = 0.95,
) -> GroupComparison:
    """Estimate a model in each group and test whether its coefficients differ.

    Parameters
    ----------
    data : DataFrame
        One row an observation.
    outcome : str
        Column explained.
    regressors : str or sequence of str
        Columns on the right, the term of interest first.
    group : str or Grouping
        Column or grouping (`group_by_threshold`, `group_by_quantiles` ...).
    fixed_effects, cluster : str or sequence of str
        As in `regress`; effects are absorbed in each group by itself.
    weights : str, optional
        Column of analytic weights.
    small_sample : str
        Convention of the standard errors.
    permute : str, optional
        Column of units that exchange their groups as a whole (the firm), or "row" for single rows; by default no
        permutation.
    draws, seed : int
        Of the permutation.
    level : float
        Level of the intervals.

    Returns
    -------
    GroupComparison
        A group that cannot be estimated (no variation, one cluster, no degrees of freedom) is flagged and left out of
        the tests; with fewer than two usable groups there are none.

    Raises
    ------
    DataError
        When columns or groups cannot be used.
    SpecError
        When options exclude each other.
    EstimationError
        When no group can be estimated.

    References
    ----------
    Chow (1960); Weesie, J. (1999). Seemingly unrelated estimation. Stata Technical Bulletin 52.
    """
    names = (regressors,) if isinstance(regressors, str) else tuple(regressors)
    effects = (fixed_effects,) if isinstance(fixed_effects, str) else tuple(fixed_effects)
    clusters = (cluster,) if isinstance(cluster, str) else tuple(cluster)
    if weights is not None and permute is not None:
        raise SpecError("the permutation takes no weights; leave out weights or permute")
    grouping = as_grouping(data, group)
    known = grouping.labels.notna()
    dropped = {} if known.all() else {"missing group": int((~known).sum())}
    rows = data.loc[known.to_numpy()].assign(**{GROUP: grouping.labels.loc[known.to_numpy()].to_numpy()})
    options = {"fixed_effects": effects, "cluster": clusters, "weights": weights, "small_sample": small_sample}
    models, flags = _fit_groups(rows, outcome, names, grouping.groups, options)
    usable = tuple(models)
    notes = _notes(models, flags)
    interacted, differences, joint = None, pd.DataFrame(), pd.DataFrame()
    permutation = None
    if len(usable) >= 2:
        interacted = interacted_model(
            rows.loc[rows[GROUP].isin(usable)],
            outcome,
            names,
            usable,
            models,
            fixed_effects=effects,
            cluster=clusters,
            weights=weights,
            small_sample=small_sample,
        )
        differences = difference_rows(interacted, usable, level)
        joint = joint_rows(interacted, usable)
        if permute is not None:
            permutation = _permutation(data, outcome, names, grouping, usable, effects, permute, draws, seed)
            notes += permutation.warnings
            table = permutation.to_frame().assign(test="permutation")
            differences = pd.concat([differences, table[list(differences.columns)]], ignore_index=True)
    return GroupComparison(
        name=grouping.name,
        rule=grouping.rule,
        outcome=outcome,
        regressors=names,
        groups=usable,
        models=models,
        flags=flags,
        differences=differences,
        joint=joint,
        interacted=interacted,
        permutation=permutation,
        dropped=dropped,
        assumptions=(
            "every coefficient and every effect may differ between groups",
            "the groups do not depend on the outcome or on the term of interest",
            *(permutation.assumptions if permutation is not None else ()),
        ),
        warnings=tuple(dict.fromkeys(notes)),
    )


def _fit_groups(
    rows: pd.DataFrame, outcome: str, regressors: Sequence[str], groups: Sequence[str], options: Mapping[str, object]
) -> tuple[dict[str, Regression], dict[str, str]]:
    models: dict[str, Regression] = {}
    flags: dict[str, str] = {}
    refused: list[DataError] = []
    for name in groups:
        part = rows.loc[rows[GROUP] == name]
        try:
            model = regress(part, outcome, list(regressors), **options)  # type: ignore[arg-type]
        except EstimationError as error:
            flags[name] = str(error)
        except DataError as error:
            flags[name] = str(error)
            refused.append(error)
        else:
            if regressors[0] in model.coefficients.index and np.isfinite(model.standard_errors[regressors[0]]):
                models[name] = model
            else:
                flags[name] = f"{regressors[0]} is not identified: " + "; ".join(model.warnings)
    if not models:
        if len(refused) == len(groups):
            raise refused[0]
        raise EstimationError(
            "no group can be estimated: " + "; ".join(f"{name}: {text}" for name, text in flags.items())
        )
    return models, flags


def _notes(models: Mapping[str, Regression], flags: Mapping[str, str]) -> list[str]:
    notes = [f"group {name} is not estimated: {text}" for name, text in flags.items()]
    if len(models) < 2:
        notes.append("fewer than two groups can be estimated: there is nothing to compare")
    for name, model in models.items():
        if model.observations < FEW_ROWS:
            notes.append(f"group {name} has only {model.observations} rows: its estimates are unreliable")
        small = {variable: count for variable, count in model.clusters.items() if count < FEW_CLUSTERS}
        notes += [
            f"group {name} has only {count} clusters in {variable}: its standard errors are too small"
            for variable, count in small.items()
        ]
        notes += [f"group {name}: {text}" for text in model.warnings]
    return notes


def _permutation(
    data: pd.DataFrame,
    outcome: str,
    regressors: Sequence[str],
    grouping: Grouping,
    usable: tuple[str, ...],
    fixed_effects: Sequence[str],
    permute: str,
    draws: int,
    seed: int,
) -> GroupPermutation:
    chosen = Grouping(grouping.name, grouping.labels.where(grouping.labels.isin(usable)), usable, grouping.rule)
    return permute_groups(
        data,
        outcome,
        regressors,
        group=chosen,
        fixed_effects=fixed_effects,
        unit=None if permute == "row" else permute,
        draws=draws,
        seed=seed,
    )
