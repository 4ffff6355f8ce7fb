"""Groups side by side, and whether they really differ: the one door to everything about heterogeneity."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from econometrics.estimation.covariance import SmallSample
from econometrics.estimation.result import Regression
from econometrics.heterogeneity.comparison import GroupComparison
from econometrics.heterogeneity.equality import GROUP, difference_rows, interacted_model, joint_rows
from econometrics.heterogeneity.groupings import (
    Grouping,
    as_grouping,
)
from econometrics.heterogeneity.permutation import GroupPermutation, permute_groups
from econometrics.regress.regression import regress
from shuzhi import DataError, EstimationError, SpecError

FEW_CLUSTERS = 10
FEW_ROWS = 30


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
