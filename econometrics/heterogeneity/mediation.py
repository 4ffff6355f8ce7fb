"""The paths of a mediation in each group, their differences with bootstrap intervals, and the permutation test."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from econometrics.estimation.effects import encode_effects, is_nested, keep_rows
from econometrics.estimation.sample import columns_of, estimation_sample, numeric_values
from econometrics.heterogeneity.estimands import Estimands, independent_model, paired, why_not
from econometrics.heterogeneity.groupings import Grouping, as_grouping
from econometrics.heterogeneity.permutation import GroupPermutation, permute_groups
from econometrics.resample.kernel import draw_cluster_weights, gram_kernel
from econometrics.resample.percentiles import EXPANDED_BELOW, expanded_tail
from shuzhi import EstimationError

Floats = NDArray[np.float64]
PercentileInterval = Literal["auto", "percentile", "expanded_percentile"]


@dataclass(frozen=True)
class IndirectByGroup:
    """Total, a, b, direct and indirect effects by group.

    Parameters
    ----------
    outcome, treatment, mediator : str
        Columns of the model.
    names, groups : tuple of str
        Effects and groups; differences are taken to the first group.
    estimates : (names, groups) array
        Effects.
    replicates : (draws, names, groups) array
        Bootstrap replicates, all effects absorbed anew.
    permutation : GroupPermutation or None
        The permutation test of the differences.
    observations, clusters : dict of str to int
        Rows and clusters by group.
    cluster : str
        Column of clusters that are drawn.
    draws, seed : int
        Of the bootstrap.
    level : float
        Level of the percentile intervals.
    interval : {"auto", "percentile", "expanded_percentile"}
        As asked for; the column ``method`` of the frame says which each row has.
    dropped : dict of str to int
        Rows left out, by reason.
    assumptions, warnings : tuple of str
        In words.
    """

    outcome: str
    treatment: str
    mediator: str
    names: tuple[str, ...]
    groups: tuple[str, ...]
    estimates: Floats
    replicates: Floats
    permutation: GroupPermutation | None
    observations: dict[str, int]
    clusters: dict[str, int]
    cluster: str
    draws: int
    seed: int
    level: float
    interval: PercentileInterval
    dropped: dict[str, int]
    assumptions: tuple[str, ...]
    warnings: tuple[str, ...]

    def to_frame(self) -> pd.DataFrame:
        """Effects by group and their differences.

        Returns
        -------
        DataFrame
            kind (group or difference), term, group, reference, estimate, standard_error (of the replicates), statistic,
            p_value (normal), interval_low, interval_high, permutation_p_value, observations, method (of the interval).
        """
        rows = []
        p_values = None if self.permutation is None else self.permutation.p_values()
        for place, name in enumerate(self.names):
            for column, group in enumerate(self.groups):
                drawn = self.replicates[:, place, column]
                rows.append(self._row("group", name, (group,), self.estimates[place, column], drawn))
        for place, name in enumerate(self.names):
            for column, (group, reference) in enumerate(paired(self.groups), start=1):
                estimate = self.estimates[place, column] - self.estimates[place, 0]
                drawn = self.replicates[:, place, column] - self.replicates[:, place, 0]
                row = self._row("difference", name, (group, reference), estimate, drawn)
                if p_values is not None:
                    row["permutation_p_value"] = float(p_values[place, column - 1])
                rows.append(row)
        columns = ["kind", "term", "group", "reference", "estimate", "standard_error", "statistic", "p_value"]
        return pd.DataFrame(rows).reindex(
            columns=[*columns, "interval_low", "interval_high", "permutation_p_value", "observations", "method"]
        )

    def _row(self, kind: str, name: str, groups: tuple[str, ...], estimate: float, drawn: Floats) -> dict[str, object]:
        from scipy.stats import norm

        known = drawn[np.isfinite(drawn)]
        error = float(known.std(ddof=1)) if known.size > 1 else np.nan
        clusters = min(self.clusters[group] for group in groups)
        auto = "expanded_percentile" if clusters < EXPANDED_BELOW else "percentile"
        method = auto if self.interval == "auto" else self.interval
        tail = (1 - self.level) / 2
        tail = expanded_tail(tail, clusters) if method == "expanded_percentile" else tail
        low, high = np.quantile(known, [tail, 1 - tail]) if known.size else (np.nan, np.nan)
        statistic = float(estimate) / error if error > 0 else np.nan
        rows = self.observations[groups[0]] if kind == "group" else sum(self.observations.values())
        return {
            "kind": kind,
            "term": name,
            "group": groups[0],
            "reference": groups[1] if len(groups) > 1 else None,
            "estimate": float(estimate),
            "standard_error": error,
            "statistic": statistic,
            "p_value": float(2 * norm.sf(abs(statistic))),
            "interval_low": float(low),
            "interval_high": float(high),
            "observations": rows,
            "method": method,
        }

    def summary(self) -> str:
        """Plain text for a reader."""
        model = f"{self.treatment} on {self.outcome} through {self.mediator}"
        lines = [f"{model}, by group; {self.draws} draws of {self.cluster}, seed {self.seed}"]
        for row in self.to_frame().query("term == 'indirect'").itertuples():
            who = str(row.group) if row.kind == "group" else f"{row.group!s} less {row.reference!s}"
            lines.append(
                f"  indirect, {who:<24}{row.estimate:>10.4f} ({row.standard_error:.4f})  "
                f"[{row.interval_low:.4f}, {row.interval_high:.4f}]"
            )
        if self.permutation is not None:
            place = self.names.index("indirect")
            lines.append(f"  permutation p = {self.permutation.joint_p_values()[place]:.4f}")
        lines += [f"  dropped: {count} rows, {reason}" for reason, count in self.dropped.items()]
        return "\n".join(lines + [f"  warning: {text}" for text in self.warnings])


def indirect_by_group(
    data: pd.DataFrame,
    outcome: str,
    treatment: str,
    mediator: str,
    *,
    group: str | Grouping,
    cluster: str,
    controls: Sequence[str] = (),
    fixed_effects: Sequence[str] = (),
    permute: str | None = None,
    draws: int = 1000,
    seed: int = 1,
    level: float = 0.95,
    interval: PercentileInterval = "auto",
) -> IndirectByGroup:
    """Estimate the indirect effect in each group and test whether the groups differ.

    Parameters
    ----------
    data : DataFrame
        One row an observation.
    outcome, treatment, mediator : str
        Columns of the mediation.
    group : str or Grouping
        Column or grouping.
    cluster : str
        Column of the clusters that the bootstrap draws, or an interaction ``a^b``; within groups where each lies
        in one group.
    controls, fixed_effects : sequence of str
        In both equations; effects are absorbed anew in each group and draw.
    permute : str, optional
        Column of units that exchange their groups as a whole, or "row"; by default no permutation.
    draws, seed : int
        Of the bootstrap and of the permutation.
    level : float
        Level of the percentile intervals.
    interval : {"auto", "percentile", "expanded_percentile"}
        Kind of interval; "auto" expands it for groups with fewer than 50 clusters, by as much as t quantiles are wider.

    Returns
    -------
    IndirectByGroup
        Effects by group, differences, bootstrap replicates and permutation.

    Raises
    ------
    DataError
        When columns or groups cannot be used.
    EstimationError
        When the model cannot be estimated in a group, or there are fewer than two clusters in one.
    """
    model = Estimands(outcome, (treatment, *controls), mediator)
    grouping = as_grouping(data, group)
    known = grouping.labels.notna().to_numpy()
    frame = data.loc[known].reset_index(drop=True)
    sample = estimation_sample(
        frame,
        numeric=model.columns,
        categorical=columns_of([cluster]),
        fixed_effects=fixed_effects,
        drop_singletons=False,
    )
    rows = sample.data
    model, lost = independent_model(rows, model, fixed_effects)
    labels = grouping.labels.loc[known].to_numpy()[rows.index.to_numpy()]
    matrix = np.column_stack([numeric_values(rows[name]) for name in model.columns])
    effects, clusters = encode_effects(rows, fixed_effects), encode_effects(rows, [cluster]).codes[0]
    places = pd.factorize(pd.Series(labels))[0]
    nested = is_nested(clusters, places)
    weights = None if nested else draw_cluster_weights(int(clusters.max()) + 1, draws, seed)
    states = np.random.SeedSequence(seed).generate_state(len(grouping.groups))
    estimates, replicates, counts, numbers = [], [], {}, {}
    for state, name in zip(states, grouping.groups, strict=True):
        chosen = labels == name
        own = np.unique(clusters[chosen])
        counts[name], numbers[name] = int(chosen.sum()), int(own.size)
        if own.size < 2:
            raise EstimationError(f"group {name} of {grouping.name} lies in {own.size} {cluster}: nothing can be drawn")
        codes = np.searchsorted(own, clusters[chosen])
        kernel = gram_kernel(matrix[chosen], keep_rows(effects, chosen), codes)
        estimate = model.estimate(kernel.gram(np.ones(own.size)))[0]
        if np.isnan(estimate).any():
            reason = why_not(rows.loc[chosen], model, fixed_effects)
            raise EstimationError(f"the model cannot be estimated in group {name} of {grouping.name}{reason}")
        estimates.append(estimate)
        gram = kernel.bootstrap(draws, int(state)) if weights is None else kernel.gram(weights[:, own])
        replicates.append(model.estimate(gram))
    permutation = None
    if permute is not None:
        permutation = permute_groups(
            data,
            outcome,
            model.regressors,
            group=grouping,
            mediator=mediator,
            fixed_effects=fixed_effects,
            unit=None if permute == "row" else permute,
            draws=draws,
            seed=seed,
        )
    whole = np.stack(replicates, axis=2)
    few = [f"group {name} has only {count} clusters in {cluster}" for name, count in numbers.items() if count < 30]
    notes = [*lost, *few]
    bad = int(np.isnan(whole).any(axis=(1, 2)).sum())
    if bad:
        notes.append(f"{bad} of {draws} draws cannot be estimated in some group and do not count")
    return IndirectByGroup(
        outcome=outcome,
        treatment=treatment,
        mediator=mediator,
        names=model.names,
        groups=grouping.groups,
        estimates=np.stack(estimates, axis=1),
        replicates=whole,
        permutation=permutation,
        observations=counts,
        clusters=numbers,
        cluster=cluster,
        draws=draws,
        seed=seed,
        level=level,
        interval=interval,
        dropped=({} if known.all() else {"missing group": int((~known).sum())}) | sample.dropped,
        assumptions=(
            "in each group the treatment, and given it the mediator, are as good as random given controls and effects",
            "every coefficient and every effect may differ between groups",
            *(permutation.assumptions if permutation is not None else ()),
        ),
        warnings=tuple(dict.fromkeys((*notes, *(permutation.warnings if permutation is not None else ())))),
    )
