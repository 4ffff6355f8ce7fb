"""Mediation with absorbed effects: paths, indirect effects, their intervals, and what they rest on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import get_args

import pandas as pd

from econometrics.estimation.covariance import SmallSample
from econometrics.mediate.build import (
    adjusted_effects,
    equation_regressions,
    identity_gap,
    sensitivity_of,
    share_mediated,
    whole_sample,
)
from econometrics.mediate.inference import Options
from econometrics.mediate.intervals import ANALYTIC, MethodChoice, chosen_method
from econometrics.mediate.model import Names, build_model, read_names
from econometrics.mediate.moderated import (
    Extra,
    ModeratorKind,
    by_group,
    by_value,
    encode_groups,
    moderator_is_continuous,
    with_interaction,
)
from econometrics.mediate.result import Adjust, Layout, Mediation
from econometrics.mediate.system import Structure
from econometrics.mediate.words import assumptions_in_words, warnings_in_words
from shuzhi import SpecError

STANDARD_FIRM_YEAR = ("stock_code", "report_year")


def mediate(
    data: pd.DataFrame,
    outcome: str,
    treatment: str,
    mediator: str | Sequence[str],
    *,
    controls: str | Sequence[str] = (),
    fixed_effects: str | Sequence[str] = (),
    cluster: str | Sequence[str] | None = None,
    method: MethodChoice = "auto",
    draws: int = 5000,
    seed: int = 1,
    instruments: str | Sequence[str] | Mapping[str, str | Sequence[str]] | None = None,
    moderator: str | None = None,
    moderator_kind: ModeratorKind = "auto",
    interaction: bool = False,
    treatment_values: tuple[float, float] | None = None,
    structure: Structure = "parallel",
    layout: Layout = "channel",
    adjust: Adjust = "holm",
    level: float = 0.95,
    robust: bool = False,
    small_sample: SmallSample = "reghdfe",
    drop_singletons: bool = True,
    firm_year: tuple[str, str] | None = None,
) -> Mediation:
    """Estimate how much of a treatment's effect on an outcome goes through mediators, fixed effects absorbed.

    All equations use the same rows, controls and effects. Bootstrap methods resample whole clusters and absorb all
    effects anew in every draw, exactly, see `econometrics.resample`.

    Parameters
    ----------
    data : DataFrame
        One row an observation; rows with missing or infinite values are dropped and counted.
    outcome, treatment : str
        Numeric columns.
    mediator : str or sequence of str
        One or several numeric columns.
    controls, fixed_effects : str or sequence of str
        As in ``regress``, the same in all equations.
    cluster : str, optional
        Cluster variable, ``a^b`` for an interaction: the unit that is resampled and that errors are clustered by.
        Without it single rows are resampled.
    method : {"auto", "sobel", "aroian", "delta", "monte_carlo", "percentile", "expanded_percentile", "basic", "bca"}
        Kind of interval; "expanded_percentile" is wider with few clusters, and "auto" takes it below 50 clusters and
        "percentile" from there on. The result's ``method`` says which was used.
    draws, seed : int
        Of Monte Carlo draws and bootstrap samples.
    instruments : str, sequence of str, or mapping, optional
        Excluded instruments of the treatment, or a mapping from treatment and mediators to theirs; 2SLS throughout.
    moderator : str, optional
        Column by which indirect effects are compared: groups are estimated apart, effects of their own included; a
        continuous moderator enters by its products with treatment and mediator.
    moderator_kind : {"auto", "groups", "continuous"}
        "auto" takes numbers with more than six values as continuous.
    interaction : bool
        Also let the mediator's effect depend on the treatment (one mediator).
    treatment_values : (float, float), optional
        Values of the treatment that the interaction compares; 0 and 1, or a standard deviation around the mean.
    structure : {"parallel", "serial"}
        Serial mediators act on those named after them.
    layout : {"channel", "stepwise"}
        Whether tables show treatment on outcome and on mediators (Jiang 2022), or the three equations.
    adjust : {"none", "holm", "benjamini_hochberg", "romano_wolf"}
        Adjustment of p values over several indirect effects.
    level : float
        Coverage of the intervals.
    robust : bool
        Heteroskedasticity-robust analytic errors where there is no cluster variable (classical ones otherwise).
    small_sample : {"reghdfe", "fixest", "linearmodels"}
        Convention of the analytic errors.
    drop_singletons : bool
        Drop rows alone in a level of an effect.
    firm_year : pair of str, optional
        Columns of firm and year, to refuse doubled firm-years; by default stock_code and report_year where both exist.

    Raises
    ------
    DataError
        Columns that are not there or not numeric, no row left, doubled firm-years.
    SpecError
        Options that exclude each other; all at once.
    EstimationError
        One cluster only; a treatment, mediator or outcome that does not vary, is absorbed or collinear; a group that
        cannot be estimated.

    References
    ----------
    Baron and Kenny (1986); Imai, Keele and Yamamoto (2010); Jiang Ting (2022), China Industrial Economics 5.
    """
    names = read_names(outcome, treatment, mediator, controls, fixed_effects, cluster, instruments)
    kind = moderator_is_continuous(data, moderator, moderator_kind) if moderator else False
    _refuse_options(names, method, draws, level, moderator, kind, interaction, structure, adjust)
    if firm_year is None and set(STANDARD_FIRM_YEAR) <= set(data.columns):
        firm_year = STANDARD_FIRM_YEAR
    rows, groups = (data, {}) if moderator is None or kind else encode_groups(data, moderator)
    extra = [moderator] if moderator else []
    model = build_model(rows, names, extra=extra, drop_singletons=drop_singletons, firm_year=firm_year)
    chosen = chosen_method(method, model.clusters)
    options = Options(chosen, draws, seed, level, not names.cluster and not robust, small_sample, method == "auto")
    found = whole_sample(model, structure, options)
    moderation, with_product = Extra(), Extra()
    if moderator is not None and kind:
        moderation = by_value(model, moderator, options)
    elif moderator is not None:
        moderation = by_group(model, structure, moderator, groups, options, drop_singletons)
    if interaction:
        with_product = with_interaction(model, options, treatment_values)
    gap, gap_warning = identity_gap(model, found.effects)
    share, reason = share_mediated(found.effects)
    regressions, stages = equation_regressions(model, structure, layout, options)
    return Mediation(
        outcome=outcome,
        treatment=treatment,
        mediators=names.mediators,
        controls=model.names.controls,
        fixed_effects=names.fixed_effects,
        cluster=names.cluster,
        instruments=model.names.instruments,
        method=chosen,
        layout=layout,
        structure=structure,
        level=level,
        observations=len(model.design.raw),
        clusters={names.cluster[0] if names.cluster else "rows": model.clusters},
        effects=adjusted_effects(found, adjust),
        moderation=moderation.effects,
        interaction=with_product.effects,
        replicates=found.replicates,
        moderation_replicates=moderation.replicates,
        share_mediated=share,
        share_reason=reason,
        identity_gap=gap,
        regressions=regressions,
        sensitivity=sensitivity_of(model, found, options),
        first_stages=stages,
        adjustment=adjust if len(names.mediators) > 1 else "none",
        dropped=model.design.sample.dropped,
        collinear=tuple(model.collinear),
        assumptions=assumptions_in_words(model, structure, layout),
        warnings=(
            *warnings_in_words(model, options, gap_warning),
            *found.warnings,
            *moderation.warnings,
            *with_product.warnings,
        ),
        seed=None if chosen in ANALYTIC else seed,
        draws=None if chosen in ANALYTIC else draws,
        standard_error_kind="cluster" if names.cluster else "robust" if robust else "classical",
        small_sample=small_sample,
    )


def _refuse_options(
    names: Names,
    method: MethodChoice,
    draws: int,
    level: float,
    moderator: str | None,
    continuous: bool,
    interaction: bool,
    structure: Structure,
    adjust: Adjust,
) -> None:
    problems = []
    if method not in get_args(MethodChoice):
        problems.append(f"method {method!r} is unknown; there are {', '.join(get_args(MethodChoice))}")
    if method not in ANALYTIC and draws < 2:
        problems.append(f"draws must be at least 2, 1,000 or more are usual; it is {draws}")
    if not 0 < level < 1:
        problems.append(f"level must lie between 0 and 1, 0.95 is usual; it is {level}")
    if structure not in ("parallel", "serial"):
        problems.append(f"structure must be 'parallel' or 'serial', not {structure!r}")
    if adjust == "romano_wolf" and method in (*ANALYTIC, "monte_carlo"):
        problems.append(f"adjust='romano_wolf' needs bootstrap replicates, which method {method!r} has none of")
    if moderator in (names.outcome, names.treatment, *names.mediators):
        problems.append(f"moderator {moderator!r} is also outcome, treatment or mediator")
    for wanted, what in ((interaction, "interaction=True"), (continuous, "a continuous moderator")):
        if wanted and len(names.mediators) > 1:
            problems.append(f"{what} takes one mediator; {len(names.mediators)} are named")
        if wanted and names.instruments:
            problems.append(f"{what} cannot be combined with instruments")
    if problems:
        raise SpecError("; ".join(problems))
