"""One part of a study at a time: what the specification says, turned into a call of the estimator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from econometrics.estimation.result import Regression
from econometrics.estimation.sample import columns_of
from econometrics.heterogeneity.comparison import GroupComparison
from econometrics.heterogeneity.estimate import by_group
from econometrics.heterogeneity.family import SplitFamily, family_of_splits
from econometrics.heterogeneity.mediation import IndirectByGroup, indirect_by_group
from econometrics.heterogeneity.moderators import Moderation, moderate
from econometrics.instrument.result import InstrumentedRegression
from econometrics.instrument.two_stage import instrument
from econometrics.mediate.analysis import mediate
from econometrics.mediate.result import Mediation
from econometrics.regress.regression import regress
from econometrics.spec.models import FullModel, full_mediation, full_model, keys_of, seed_of
from econometrics.spec.specification import StudySpec
from econometrics.study.checks import run_curve, run_robustness
from econometrics.study.groups import grouping_for
from econometrics.study.policies import run_staggered
from econometrics.study.sample import StudySample
from econometrics.threshold.regression import threshold_regression
from econometrics.threshold.result import ThresholdRegression
from econometrics.u_test import UTest, u_test
from shuzhi import EstimationError


def run_model(spec: StudySpec, sample: StudySample, name: str) -> Regression | InstrumentedRegression:
    """Estimate a model of a study, by least squares or with instruments."""
    model = full_model(spec, name)
    shared: dict[str, Any] = {
        "fixed_effects": model.fixed_effects,
        "cluster": model.cluster,
        "weights": model.weights,
        "standard_errors": model.standard_errors,
        "small_sample": model.small_sample,
        "drop_singletons": model.drop_singletons,
        "firm_year": keys_of(spec),
    }
    data = sample.rows(model.where)
    if model.endogenous:
        exogenous = [term for term in model.terms if term not in model.endogenous]
        return instrument(data, model.outcome, model.endogenous, model.instruments, exogenous=exogenous, **shared)
    found = regress(data, model.outcome, model.terms, seed=spec.defaults.seed or 0, **shared)
    if not any(name in found.coefficients.index for name in model.regressors):
        raise EstimationError(f"{', '.join(model.regressors)} cannot be estimated: {'; '.join(found.warnings)}")
    return found


def run_mediation(spec: StudySpec, sample: StudySample, name: str) -> Mediation:
    """Estimate a mediation of a study."""
    each, full = spec.mediation[name], full_mediation(spec, name)
    return mediate(
        sample.rows(full.where),
        full.outcome,
        full.treatment,
        list(full.mediators),
        controls=full.controls,
        fixed_effects=full.fixed_effects,
        cluster=full.cluster or None,
        method=each.interval,
        draws=full.draws,
        seed=full.seed,
        instruments=each.instruments,
        moderator=each.moderator,
        moderator_kind=each.moderator_kind,
        interaction=each.interaction,
        structure=each.structure,
        layout=each.layout,
        adjust=each.adjust,
        level=full.level,
        small_sample=full.small_sample,
        drop_singletons=full.drop_singletons,
        firm_year=keys_of(spec),
    )


def run_groups(spec: StudySpec, sample: StudySample, name: str) -> GroupComparison:
    """Estimate a model of a study by groups."""
    each, model = spec.heterogeneity[name], full_model(spec, spec.heterogeneity[name].model)
    data = sample.rows(model.where)
    firm, year = keys_of(spec)
    permute = {"firm": firm, "row": "row", "none": None}[each.permute]
    return by_group(
        data,
        model.outcome,
        group_terms(spec, name),
        group=grouping_for(each.by, data, firm, year),
        fixed_effects=model.fixed_effects,
        cluster=model.cluster,
        weights=model.weights,
        small_sample=model.small_sample,
        permute=permute,
        draws=each.draws or spec.defaults.draws,
        seed=seed_of(spec, each.seed) or 0,
        level=spec.defaults.level,
    )


def group_terms(spec: StudySpec, name: str) -> list[str]:
    """Return the right side of a split's model, the terms that are compared first."""
    each = spec.heterogeneity[name]
    return list(dict.fromkeys([*(each.regressors or []), *full_model(spec, each.model).terms]))


def run_indirect_groups(spec: StudySpec, sample: StudySample, name: str) -> IndirectByGroup:
    """Compare the indirect effect of a study's mediation between groups."""
    each = spec.heterogeneity[name]
    full = full_mediation(spec, str(each.mediation))
    data = sample.rows(full.where)
    firm, year = keys_of(spec)
    parts = columns_of(full.cluster)
    cluster = " × ".join(parts)
    if len(parts) > 1:
        numbers = data.groupby(list(parts), dropna=True).ngroup()
        data = data.assign(**{cluster: numbers.where(numbers >= 0)})
    return indirect_by_group(
        data,
        full.outcome,
        full.treatment,
        full.mediators[0],
        group=grouping_for(each.by, data, firm, year),
        cluster=cluster,
        controls=full.controls,
        fixed_effects=full.fixed_effects,
        permute={"firm": firm, "row": "row", "none": None}[each.permute],
        draws=each.draws or full.draws,
        seed=seed_of(spec, each.seed) or 0,
        level=full.level,
    )


def run_family(spec: StudySpec, sample: StudySample, name: str) -> SplitFamily:
    """Compare several splits of a study, with adjusted p values."""
    family = spec.families[name]
    usable = [split for split in family.splits if split in sample.plan.names["heterogeneity"]]
    first = spec.heterogeneity[usable[0]]
    firm, year = keys_of(spec)
    if family.indirect:
        full = full_mediation(spec, str(first.mediation))
        data, terms = sample.rows(full.where), [full.treatment, *full.controls]
        outcome, effects, mediator = full.outcome, full.fixed_effects, full.mediators[0]
    else:
        model = full_model(spec, first.model)
        data, terms = sample.rows(model.where), group_terms(spec, usable[0])
        outcome, effects, mediator = model.outcome, model.fixed_effects, None
    splits = {split: grouping_for(spec.heterogeneity[split].by, data, firm, year) for split in usable}
    return family_of_splits(
        data,
        outcome,
        terms,
        splits=splits,
        mediator=mediator,
        fixed_effects=effects,
        unit=firm if first.permute == "firm" else None,
        adjustment=family.adjustment,
        draws=family.draws or spec.defaults.draws,
        seed=seed_of(spec, family.seed) or 0,
    )


def _of_model(model: FullModel) -> dict[str, Any]:
    return {
        "fixed_effects": model.fixed_effects,
        "cluster": model.cluster,
        "weights": model.weights,
        "standard_errors": model.standard_errors,
        "small_sample": model.small_sample,
    }


def run_moderation(spec: StudySpec, sample: StudySample, name: str) -> Moderation:
    """Let the effect of a model's first regressor change with a moderator."""
    each, model = spec.moderators[name], full_model(spec, spec.moderators[name].model)
    treatment, *others = model.terms
    return moderate(
        sample.rows(model.where),
        model.outcome,
        treatment,
        each.moderator,
        controls=[term for term in others if term != each.moderator],
        centring=each.centring,
        grid=each.grid,
        level=each.level or spec.defaults.level,
        **_of_model(model),
    )


def run_u_test(spec: StudySpec, sample: StudySample, name: str) -> UTest:
    """Test for a U in a regressor of a model."""
    each, model = spec.u_tests[name], full_model(spec, spec.u_tests[name].model)
    regressor = each.regressor or model.regressors[0]
    return u_test(
        sample.rows(model.where),
        model.outcome,
        regressor,
        controls=[term for term in model.terms if term != regressor],
        interval=each.interval,
        level=each.level or spec.defaults.level,
        **_of_model(model),
    )


def run_threshold(spec: StudySpec, sample: StudySample, name: str) -> ThresholdRegression:
    """Search the threshold of a model's slopes; the firm's effect comes first, as the estimator wants it."""
    each, model = spec.thresholds[name], full_model(spec, spec.thresholds[name].model)
    firm, _ = keys_of(spec)
    changing = each.changing or [model.regressors[0]]
    return threshold_regression(
        sample.rows(model.where),
        model.outcome,
        changing,
        threshold=each.threshold,
        unit=firm,
        controls=[term for term in model.terms if term not in changing],
        fixed_effects=[firm, *(effect for effect in model.fixed_effects if effect != firm)],
        cluster=model.cluster or None,
        thresholds=each.thresholds,
        trim=each.trim,
        draws=each.draws or spec.defaults.draws,
        seed=seed_of(spec, each.seed) or 0,
        small_sample=model.small_sample,
        level=spec.defaults.level,
    )


RUNNERS: Mapping[str, Callable[[StudySpec, StudySample, str], Any]] = {
    "models": run_model,
    "mediation": run_mediation,
    "heterogeneity": run_groups,
    "families": run_family,
    "moderators": run_moderation,
    "u_tests": run_u_test,
    "thresholds": run_threshold,
    "staggered": run_staggered,
    "robustness": run_robustness,
    "specification_curve": run_curve,
}
