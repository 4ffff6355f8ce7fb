"""The steps of a specification that attach clusters, emissions, policies, groups, attention and instruments."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from econometrics.emissions.sectors import EnergyConcept, Scheme
from econometrics.panel.source_spec import Labelled, Name, SpecModel, as_list
from econometrics.panel.steps.cluster_specs import (
    ClustersStep,
)
from econometrics.panel.steps.emission_specs import (
    ApportionedStep,
    ComponentsStep,
    GivenStep,
    SectorsStep,
    VendorStep,
)
from econometrics.panel.steps.spec_parts import Cuts, Prefix, one_of
from econometrics.policies.cohorts import POLICIES, PilotRule, Timing
from econometrics.policies.industry_groups import EnergyShare
from econometrics.policies.treatment import Never

OWN = "own"


class CohortsSpec(SpecModel):
    """A list of treated places of one's own."""

    source: Name
    place: Name
    year: Name = Field(description="First year in which the place is treated")


class PolicyColumnsSpec(SpecModel):
    """Names for the columns of a policy; only those that are named are taken."""

    ever: Name | None = Field(None, description="Whether the place is ever treated")
    post: Name | None = Field(None, description="Whether it is treated in the year")
    first: Name | None = Field(None, description="Its first year")
    since: Name | None = Field(None, description="Years since")


class PolicyStep(SpecModel):
    """Treatment columns of a policy by place and year."""

    policy: Annotated[str, one_of((*POLICIES, OWN), "policy")]
    cohorts: CohortsSpec | None = Field(None, description="Of policy: own, the treated places")
    place: Name
    province: Name | None = None
    industry: Name | None = Field(None, description="Only covered sectors are treated; carbon trading only")
    name: Name | None = Field(None, description="is_<name>, is_<name>_post, <name>_first_year, years_since_<name>")
    columns: PolicyColumnsSpec | None = Field(None, description="Names in place of those")
    never: Never = "missing"
    rule: PilotRule = "first"
    timing: Timing = "force"
    with_counties: bool = True
    with_unverified: bool = True

    def model_post_init(self, _: Any, /) -> None:
        """Check that a list of one's own is named, and only then."""
        if (self.policy == OWN) != (self.cohorts is not None):
            raise ValueError("policy: own goes with cohorts: (source, place, year), and only that")
        if self.industry and self.policy != "carbon_trading_pilots":
            raise ValueError("only carbon_trading_pilots has sectors; leave industry: out")
        if self.columns and (self.name or not self.treatment_columns()):
            raise ValueError("give name:, or columns: with one of ever:, post:, first:, since:")

    def treatment_columns(self) -> dict[str, str]:
        """Return the names of the columns that are taken, by what they are: ever, post, first, since."""
        if self.columns:
            return {key: name for key, name in self.columns if name}
        if self.name is None:
            usual = ("is_treated", "is_treated_post", "first_treated_year", "years_since_treated")
        else:
            usual = (f"is_{self.name}", f"is_{self.name}_post", f"{self.name}_first_year", f"years_since_{self.name}")
        return dict(zip(("ever", "post", "first", "since"), usual, strict=True))


class IndustryGroupsStep(SpecModel):
    """Heavily polluting and energy-intensive industries."""

    industry_groups: Name
    heavy_pollution: Literal["heavy_pollution_16", "heavy_pollution_broad"] | list[str] = "heavy_pollution_16"
    high_energy: list[str] | None = None
    prefix: Prefix = ""


class EnergyIntensitySpec(SpecModel):
    """Energy of sectors by their output, cost or value added."""

    industries: Name
    industry: Name = "industry_code"
    year: Name | None = None
    output: Name
    unit: str = Field("", description="That of the source's column if not given")
    scheme: Scheme = "GB/T 4754-2011"
    concept: EnergyConcept = "total"
    at: Cuts = "median"


class EnergyStructureStep(SpecModel):
    """Energy structure of the sector, and its energy by output."""

    energy_structure: Name
    shares: list[EnergyShare] = Field(["coal_share"], min_length=1)
    structure_year: Literal[2007, 2019, 2020] = 2019
    at: Cuts = "median"
    intensity: EnergyIntensitySpec | None = None
    prefix: Prefix = ""


class SizeGroupsStep(SpecModel):
    """Groups of firms by an amount of money."""

    size_groups: Name
    unit: str = Field("", description="That of the column if not given")
    at: Cuts = Field([10e9, 50e9], description="In yuan, or quantiles")
    labels: list[str] | None = None
    within: Annotated[list[Name], BeforeValidator(as_list)] = Field([])
    check_magnitude: bool = Field(True, description="Whether the median must be that of a listed firm's market value")
    name: Name = "size_group"


class CutStep(SpecModel):
    """Groups by any number, at quantiles or at fixed values."""

    cut: Name
    at: Cuts = "median"
    within: Annotated[list[Name], BeforeValidator(as_list)] = Field([])
    labels: list[str] | None = None
    name: Name | None = Field(None, description="<column>_group if not given")


class AttentionStep(Labelled):
    """Text indices of governments' work reports, by place and year."""

    attention: Name = Field(description="Source with the indices of a run over work reports")
    place: Name
    province: Name | None = None
    source_place: Name = "place"
    source_year: Name | None = Field(None, description="The panel's year if not given")
    value: Name
    where: dict[Name, str | int | float | bool] = Field({}, description="Which rows of the source")
    level: Literal["prefecture", "province"] = "prefecture"
    lag: Annotated[int, Field(ge=0, le=50)] = 0
    name: Name = "government_attention"


class InstrumentStep(Labelled):
    """Instruments made of the panel itself."""

    instrument: Name
    kind: Literal["leave_one_out_mean", "lag"]
    groups: Annotated[list[Name], BeforeValidator(as_list)] = Field([])
    years: Annotated[int, Field(ge=1, le=100)] = 1
    name: Name | None = Field(None, description="<column>_others_mean or <column>_lag<years> if not given")

    def model_post_init(self, _: Any, /) -> None:
        """Check that a mean of the others has its groups."""
        if (self.kind == "leave_one_out_mean") != bool(self.groups):
            raise ValueError("leave_one_out_mean needs groups:, such as [industry, report_year]; a lag has none")

    def column(self) -> str:
        """Return the name of the new column."""
        usual = f"{self.instrument}_others_mean" if self.groups else f"{self.instrument}_lag{self.years}"
        return self.name or usual


EMISSION_STEPS: dict[str, type[SpecModel]] = {
    "apportioned": ApportionedStep,
    "sectors": SectorsStep,
    "components": ComponentsStep,
    "vendor": VendorStep,
    "given": GivenStep,
}
# By the key that a step begins with; the kind of emissions says which of theirs.
DATA_STEPS: dict[str, type[SpecModel]] = {
    "clusters": ClustersStep,
    "emissions": ApportionedStep,
    "policy": PolicyStep,
    "industry_groups": IndustryGroupsStep,
    "energy_structure": EnergyStructureStep,
    "size_groups": SizeGroupsStep,
    "cut": CutStep,
    "attention": AttentionStep,
    "instrument": InstrumentStep,
}
DataStep = (
    ClustersStep
    | ApportionedStep
    | SectorsStep
    | ComponentsStep
    | VendorStep
    | GivenStep
    | PolicyStep
    | IndustryGroupsStep
    | EnergyStructureStep
    | SizeGroupsStep
    | CutStep
    | AttentionStep
    | InstrumentStep
)
