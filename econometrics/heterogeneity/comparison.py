"""A model in each group side by side, with the tests between the groups."""

from dataclasses import dataclass

import pandas as pd

from econometrics.estimation.result import Regression
from econometrics.heterogeneity.equality import InteractedModel
from econometrics.heterogeneity.permutation import GroupPermutation


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
        if self.permutation is not None and term in self.permutation.names:
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
