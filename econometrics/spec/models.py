"""The models and mediations of a study with nothing left open: what is based on another, and what the defaults say."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any

from econometrics.declarations.formula import parse_formula
from econometrics.declarations.yaml_lines import Problem
from econometrics.estimation.covariance import SmallSample, StandardErrors
from econometrics.estimation.sample import columns_of
from econometrics.robustness.baseline import Baseline
from econometrics.robustness.declare import read_check
from econometrics.robustness.setting import Check
from econometrics.spec.parts import MediationSpec
from econometrics.spec.specification import StudySpec


@dataclass(frozen=True)
class FullModel:
    """A model of a study, complete.

    Parameters
    ----------
    name, outcome : str
        Names of the model and of the column explained.
    regressors, controls : tuple of str
        Columns on the right; no control is a regressor too.
    endogenous, instruments : tuple of str
        Empty but for two-stage least squares.
    fixed_effects, cluster : tuple of str
        Also interactions ``a^b``.
    weights : str or None
        Column of weights.
    where : str or None
        Condition of its rows.
    standard_errors, small_sample, drop_singletons
        As in ``regress``.
    """

    name: str
    outcome: str
    regressors: tuple[str, ...]
    controls: tuple[str, ...]
    endogenous: tuple[str, ...]
    instruments: tuple[str, ...]
    fixed_effects: tuple[str, ...]
    cluster: tuple[str, ...]
    weights: str | None
    where: str | None
    standard_errors: StandardErrors | None
    small_sample: SmallSample
    drop_singletons: bool

    @property
    def terms(self) -> tuple[str, ...]:
        """Regressors and controls, each once."""
        return tuple(dict.fromkeys((*self.regressors, *self.controls)))

    @property
    def numbers(self) -> tuple[str, ...]:
        """Columns that must hold numbers."""
        weights = [self.weights] if self.weights else []
        return tuple(dict.fromkeys((self.outcome, *self.terms, *self.instruments, *weights)))

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns that it needs."""
        groups = columns_of([*self.fixed_effects, *self.cluster])
        return tuple(dict.fromkeys((*self.numbers, *groups, *condition_columns(self.where))))


def condition_columns(where: str | None) -> tuple[str, ...]:
    """Return the columns that a condition names."""
    return parse_formula(where).columns if where else ()


def chain_of(spec: StudySpec, name: str) -> list[str]:
    """Return a model and those it is based on, itself first; it ends before an unknown name or a circle."""
    chain: list[str] = []
    here: str | None = name
    while here is not None and here in spec.models and here not in chain:
        chain.append(here)
        here = spec.models[here].based_on
    return chain


def _told(spec: StudySpec, name: str, key: str) -> Any:
    for each in chain_of(spec, name):
        value = getattr(spec.models[each], key)
        if value is not None:
            return value
    return getattr(spec.defaults, key, None)


def full_model(spec: StudySpec, name: str) -> FullModel:
    """Return a model with all that it takes from others and from the defaults.

    Parameters
    ----------
    spec : StudySpec
        The study.
    name : str
        A model of it that has an outcome and regressors, which `reference_problems` makes sure of.
    """
    regressors = tuple(_told(spec, name, "regressors") or ())
    controls = tuple(each for each in _told(spec, name, "controls") or () if each not in regressors)
    return FullModel(
        name=name,
        outcome=_told(spec, name, "outcome") or "",
        regressors=regressors,
        controls=controls,
        endogenous=tuple(_told(spec, name, "endogenous") or ()),
        instruments=tuple(_told(spec, name, "instruments") or ()),
        fixed_effects=tuple(_told(spec, name, "fixed_effects") or ()),
        cluster=tuple(_told(spec, name, "cluster") or ()),
        weights=_told(spec, name, "weights"),
        where=_told(spec, name, "where"),
        standard_errors=_told(spec, name, "standard_errors"),
        small_sample=_told(spec, name, "small_sample"),
        drop_singletons=_told(spec, name, "drop_singletons"),
    )


@dataclass(frozen=True)
class FullMediation:
    """A mediation of a study, complete; see `econometrics.mediate.mediate` for its options."""

    name: str
    outcome: str
    treatment: str
    mediators: tuple[str, ...]
    controls: tuple[str, ...]
    fixed_effects: tuple[str, ...]
    cluster: tuple[str, ...]
    where: str | None
    small_sample: SmallSample
    drop_singletons: bool
    draws: int
    seed: int
    level: float
    instruments: tuple[str, ...] = field(default=())

    @property
    def numbers(self) -> tuple[str, ...]:
        """Columns that must hold numbers."""
        named = (self.outcome, self.treatment, *self.mediators, *self.controls, *self.instruments)
        return tuple(dict.fromkeys(named))

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns that it needs but the moderator."""
        groups = columns_of([*self.fixed_effects, *self.cluster])
        return tuple(dict.fromkeys((*self.numbers, *groups, *condition_columns(self.where))))


def instruments_of(each: MediationSpec) -> tuple[str, ...]:
    """Return all instruments of a mediation, whatever they instrument."""
    given = each.instruments
    if isinstance(given, dict):
        return tuple(dict.fromkeys(name for names in given.values() for name in names))
    return tuple(given or ())


def full_mediation(spec: StudySpec, name: str) -> FullMediation:
    """Return a mediation with all that it takes from its model and from the defaults.

    Parameters
    ----------
    spec : StudySpec
        The study.
    name : str
        A mediation of it that has an outcome and a treatment.
    """
    each, defaults = spec.mediation[name], spec.defaults
    model = full_model(spec, each.model) if each.model in spec.models else None
    outcome = each.outcome or (model.outcome if model else "")
    treatment = each.treatment or (model.regressors[0] if model and model.regressors else "")
    controls = each.controls
    if controls is None:
        controls = list(model.terms if model else defaults.controls)
    taken = {outcome, treatment, *each.mediators, *instruments_of(each)}
    effects = each.fixed_effects if each.fixed_effects is not None else list(model.fixed_effects if model else ())
    cluster = each.cluster if each.cluster is not None else list(model.cluster if model else ())
    if model is None:
        effects = each.fixed_effects if each.fixed_effects is not None else defaults.fixed_effects
        cluster = each.cluster if each.cluster is not None else defaults.cluster
    return FullMediation(
        name=name,
        outcome=outcome,
        treatment=treatment,
        mediators=tuple(each.mediators),
        controls=tuple(control for control in controls if control not in taken),
        fixed_effects=tuple(effects),
        cluster=tuple(cluster),
        where=each.where or (model.where if model else None),
        small_sample=model.small_sample if model else defaults.small_sample,
        drop_singletons=model.drop_singletons if model else defaults.drop_singletons,
        draws=each.draws or defaults.draws,
        seed=seed_of(spec, each.seed) or 0,
        level=each.level or defaults.level,
        instruments=instruments_of(each),
    )


def seed_of(spec: StudySpec, own: int | None) -> int | None:
    """Return the seed of a part: its own, or that of the defaults."""
    return own if own is not None else spec.defaults.seed


def baseline_of(spec: StudySpec, model: str, focus: list[str] | None = None) -> Baseline:
    """Return a model as the baseline that robustness checks vary.

    Parameters
    ----------
    spec : StudySpec
        The study.
    model : str
        One of its models, by least squares.
    focus : list of str, optional
        Terms that are compared; by default the first regressor.
    """
    full = full_model(spec, model)
    return Baseline(
        outcome=full.outcome,
        regressors=full.regressors,
        controls=full.controls,
        focus=tuple(focus or full.regressors[:1]),
        fixed_effects=full.fixed_effects,
        cluster=full.cluster,
        weights=full.weights,
        standard_errors=full.standard_errors,
        small_sample=full.small_sample,
        firm=spec.panel.firm,
        year=spec.panel.year,
    )


def checks_of(spec: StudySpec, name: str) -> tuple[list[tuple[int, Check]], list[Problem]]:
    """Read the checks of a study's battery; those that draw and name no seed take the study's.

    Parameters
    ----------
    spec : StudySpec
        The study.
    name : str
        One of its batteries.

    Returns
    -------
    checks : list of (int, Check)
        With their places in the list.
    problems : list of (tuple, str)
        Places and words.
    """
    each = spec.robustness[name]
    checks: list[tuple[int, Check]] = []
    problems: list[Problem] = []
    for number, entry in enumerate(each.checks):
        check, found = read_check(entry, ("robustness", name, "checks", number))
        problems += found
        if check is not None:
            checks.append((number, _seeded(check, entry, spec, each.seed, each.draws)))
    return checks, problems


def _seeded(check: Check, entry: Any, spec: StudySpec, seed: int | None, draws: int | None) -> Check:
    """Give a check the study's seed and draws where its own entry names none."""
    given = entry.get(check.kind) if isinstance(entry, dict) else None
    named = set(given) if isinstance(given, dict) else set()
    told = {"seed": seed_of(spec, seed), "draws": draws or spec.defaults.draws}
    known = {each.name for each in fields(check)}
    new: dict[str, Any] = {key: value for key, value in told.items() if key in known - named and value is not None}
    return replace(check, **new) if new else check


def keys_of(spec: StudySpec) -> tuple[str, str]:
    """Return the columns of firm and year."""
    return spec.panel.firm, spec.panel.year
