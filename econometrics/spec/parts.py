"""The parts of a study's specification: variables, models, mediations, groups, policies, tables and figures."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag

from econometrics.did.cells import CellMethod
from econometrics.did.compare import Estimator
from econometrics.did.honest_trends import Restriction
from econometrics.estimation.covariance import SmallSample, StandardErrors
from econometrics.heterogeneity.moderators import Centring
from econometrics.mediate.intervals import MethodChoice
from econometrics.mediate.moderated import ModeratorKind
from econometrics.mediate.result import Adjust, Layout
from econometrics.mediate.system import Structure
from econometrics.panel.source_spec import Expression, Labelled, Name, SpecModel, as_list
from econometrics.panel.spec import (
    BlankStep,
    CompleteStep,
    DefineStep,
    DropStep,
    KeepStep,
    MinimumYearsStep,
    TrimStep,
    WinsoriseStep,
)
from econometrics.panel.steps.specs import (
    CutStep,
    EnergyStructureStep,
    IndustryGroupsStep,
    InstrumentStep,
    PolicyStep,
    SizeGroupsStep,
)
from econometrics.spec.vocabulary import FigureKind, TableKind

Language = Literal["zh", "en"]
ResultSection = Literal[
    "models",
    "mediation",
    "heterogeneity",
    "families",
    "moderators",
    "u_tests",
    "thresholds",
    "staggered",
    "robustness",
    "specification_curve",
    "measurement_error",
]


def _interaction(name: str) -> str:
    parts = name.split("^")
    if not all(part.isidentifier() for part in parts):
        raise ValueError(f"{name!r} is no column and no interaction of columns such as industry^report_year")
    return name


Names = Annotated[list[Name], BeforeValidator(as_list)]
Effects = Annotated[list[Annotated[str, AfterValidator(_interaction)]], BeforeValidator(as_list)]
Seed = Annotated[int, Field(ge=0, le=2**63 - 1)]
Draws = Annotated[int, Field(ge=100, le=1_000_000)]
Level = Annotated[float, Field(gt=0.5, lt=1)]


def _titles(value: Any) -> Any:
    """Take one text for the title in both languages."""
    return {"zh": value, "en": value} if isinstance(value, str) else value


Titles = Annotated[dict[Language, str], BeforeValidator(_titles)]


class VariableSpec(Labelled):
    """A variable: computed where there is a formula, else a column of the panel."""

    formula: Expression | None = None
    description: str = Field("", description="What a column of the panel must hold, for those who have to supply it")
    optional: bool = Field(False, description="With skip_missing, what needs it is left out where the panel lacks it")


def variables_of(value: Any) -> Any:
    """Take ``size: log(assets)`` for a formula, and a name without anything for a column of the panel."""
    if not isinstance(value, dict):
        return value
    return {
        name: {} if each is None else {"formula": each} if isinstance(each, str | int | float) else each
        for name, each in value.items()
    }


_STEPS: dict[str, str] = {
    "define": "DefineStep",
    "keep": "KeepStep",
    "drop": "DropStep",
    "blank": "BlankStep",
    "complete": "CompleteStep",
    "minimum_years": "MinimumYearsStep",
    "winsorise": "WinsoriseStep",
    "trim": "TrimStep",
    "policy": "PolicyStep",
    "industry_groups": "IndustryGroupsStep",
    "energy_structure": "EnergyStructureStep",
    "size_groups": "SizeGroupsStep",
    "cut": "CutStep",
    "instrument": "InstrumentStep",
}


def _kind_of_step(value: Any) -> str | None:
    if isinstance(value, SpecModel):
        return type(value).__name__
    found = [kind for kind in _STEPS if isinstance(value, dict) and kind in value]
    return _STEPS[found[0]] if found else None


SampleStep = Annotated[
    Annotated[DefineStep, Tag("DefineStep")]
    | Annotated[KeepStep, Tag("KeepStep")]
    | Annotated[DropStep, Tag("DropStep")]
    | Annotated[BlankStep, Tag("BlankStep")]
    | Annotated[CompleteStep, Tag("CompleteStep")]
    | Annotated[MinimumYearsStep, Tag("MinimumYearsStep")]
    | Annotated[WinsoriseStep, Tag("WinsoriseStep")]
    | Annotated[TrimStep, Tag("TrimStep")]
    | Annotated[PolicyStep, Tag("PolicyStep")]
    | Annotated[IndustryGroupsStep, Tag("IndustryGroupsStep")]
    | Annotated[EnergyStructureStep, Tag("EnergyStructureStep")]
    | Annotated[SizeGroupsStep, Tag("SizeGroupsStep")]
    | Annotated[CutStep, Tag("CutStep")]
    | Annotated[InstrumentStep, Tag("InstrumentStep")],
    Discriminator(
        _kind_of_step,
        custom_error_type="which_kind",
        custom_error_message=f"a step of a sample begins with one of {', '.join(_STEPS)}",
    ),
]


class DefaultsSpec(SpecModel):
    """What holds where a part does not say otherwise."""

    controls: Names = Field([])
    fixed_effects: Effects = Field([])
    cluster: Effects = Field([])
    weights: Name | None = None
    standard_errors: StandardErrors | None = None
    small_sample: SmallSample = "reghdfe"
    drop_singletons: bool = True
    seed: Seed | None = None
    draws: Draws = 1000
    level: Level = 0.95


class ModelSpec(SpecModel):
    """A regression; what is not given comes from ``based_on``, then from ``defaults``."""

    based_on: Name | None = Field(None, description="Another model, of which only what is given here differs")
    outcome: Name | None = None
    regressors: Names | None = None
    controls: Names | None = None
    fixed_effects: Effects | None = None
    cluster: Effects | None = None
    weights: Name | None = None
    standard_errors: StandardErrors | None = None
    small_sample: SmallSample | None = None
    drop_singletons: bool | None = None
    endogenous: Names | None = Field(None, description="Of the regressors, those that are instrumented")
    instruments: Names | None = None
    where: Expression | None = Field(None, description="Rows of the sample that are used")
    title: Titles = Field({})
    magnitude: Literal["sd", "mean"] | None = Field(None, description="Economic magnitude relative to the outcome's")


class MediationSpec(SpecModel):
    """How much of an effect goes through mediators."""

    model: Name | None = Field(None, description="Model whose outcome, first regressor as treatment, and rest is taken")
    outcome: Name | None = None
    treatment: Name | None = None
    mediators: Annotated[Names, Field(min_length=1)]
    controls: Names | None = None
    fixed_effects: Effects | None = None
    cluster: Effects | None = None
    where: Expression | None = None
    interval: MethodChoice = "auto"
    layout: Layout = "channel"
    structure: Structure = "parallel"
    moderator: Name | None = None
    moderator_kind: ModeratorKind = "auto"
    instruments: Annotated[dict[Name, Names] | Names | None, BeforeValidator(as_list)] = None
    interaction: bool = False
    adjust: Adjust = "holm"
    draws: Draws | None = None
    seed: Seed | None = None
    level: Level | None = None
    title: Titles = Field({})


class ModeratorSpec(SpecModel):
    """An effect that changes with a continuous moderator."""

    model: Name
    moderator: Name
    centring: Centring = "mean"
    grid: Annotated[int, Field(ge=2, le=1000)] = 41
    level: Level | None = None
    title: Titles = Field({})


class UTestSpec(SpecModel):
    """A quadratic in the first regressor of a model, or in another, and the test of Lind and Mehlum."""

    model: Name
    regressor: Name | None = None
    interval: tuple[float, float] | None = None
    level: Level | None = None
    title: Titles = Field({})


class ThresholdSpec(SpecModel):
    """Hansen's panel threshold regression."""

    model: Name
    threshold: Name
    changing: Names | None = Field(None, description="Regressors with a slope a regime; the first if not given")
    thresholds: Literal[1, 2] = 1
    trim: Annotated[float, Field(gt=0, lt=0.5)] = 0.05
    draws: Draws | None = None
    seed: Seed | None = None
    title: Titles = Field({})


class PlaceboSpec(SpecModel):
    """The policy dealt out to other units at random."""

    within: Name | None = None
    draws: Draws | None = None
    seed: Seed | None = None


class HonestSpec(SpecModel):
    """Bounds of the event study when trends are not quite parallel."""

    restriction: Restriction = "relative_magnitude"
    departures: list[Annotated[float, Field(ge=0)]] = Field([0.0, 0.5, 1.0, 1.5, 2.0])


class StaggeredSpec(SpecModel):
    """A policy that begins in different years, by several estimators side by side."""

    outcome: Name
    first_treated: Name = Field(description="First year of the policy; missing or 0 for never")
    unit: Name | None = Field(None, description="The panel's firm if not given")
    time: Name | None = None
    controls: Names | None = None
    cluster: Name | None = Field(None, description="Above the unit; the unit itself if not given")
    where: Expression | None = None
    method: CellMethod = "dr"
    estimators: Annotated[list[Estimator], Field(min_length=1)] | None = None
    level: Level | None = None
    placebo: PlaceboSpec | None = None
    honest: HonestSpec | None = None
    title: Titles = Field({})


class DescriptiveSpec(SpecModel):
    """The table of descriptive statistics, and the correlations."""

    variables: Names = Field([], description="Every number of the models if not given")
    by: Name | None = None
    correlations: bool = True
    percentile: Literal["linear", "stata"] = "linear"


class TableSpec(SpecModel):
    """A table: which results, in which words."""

    kind: TableKind
    parts: Names = Field([], description="Names of the results, in order")
    section: ResultSection | None = Field(None, description="For kind results, where the names stand; else anywhere")
    terms: list[str] = Field([], description="For kind results, the rows shown: terms or effects")
    title: Titles = Field({})
    number: str = ""
    options: dict[str, Any] = Field({}, description="Of the table's builder: below, stars, digits, controls_shown ...")


class FigureSpec(SpecModel):
    """A figure: which results."""

    kind: FigureKind
    parts: Names = Field([])
    title: Titles = Field({})
    term: Name | None = Field(None, description="Coefficient, for kind coefficients")
    variable: Name | None = Field(None, description="For kind trends")
    group: Name | None = None
