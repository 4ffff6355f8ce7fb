"""The steps of a specification that attach clusters, emissions, policies, groups, attention and instruments."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from econometrics.clusters.attach import Absent, Several, Years
from econometrics.clusters.industry_concordance import IndustryScheme
from econometrics.clusters.microdata import Duplicates, IndustryDigits
from econometrics.declarations.yaml_lines import nearest
from econometrics.emissions.activities import WastewaterTreatment
from econometrics.emissions.components import Imputation, Total
from econometrics.emissions.factors import FactorSet
from econometrics.emissions.grid import GridLevel, YearRule
from econometrics.emissions.sectors import EnergyConcept, Scheme
from econometrics.panel.source_spec import Labelled, Name, Names, SpecModel, as_list
from econometrics.places.lists import PlaceLevel
from econometrics.policies.cohorts import POLICIES, PilotRule, Timing
from econometrics.policies.cuts import Cut
from econometrics.policies.industry_groups import EnergyShare
from econometrics.policies.treatment import Never

CLUSTER_METHODS = (
    "given",
    "location_quotient",
    "density_based_index",
    "duranton_overman",
    "cluster_strength",
    "related_strength",
    "proximity",
)
EMISSION_KINDS = ("apportioned", "sectors", "components", "vendor", "given")
OWN = "own"
Prefix = Annotated[str, Field(pattern=r"^([A-Za-z_]\w*)?$", description="Put before the names of the new columns")]
Cuts = Cut | list[float]


def _one_of(known: tuple[str, ...], what: str) -> Any:
    """Return a check that a text is one of a few, with the nearest one in its message."""

    def check(value: str) -> str:
        if value not in known:
            near = nearest(value, known).removesuffix(" ") or f" There are: {', '.join(known)}."
            raise ValueError(f"there is no {what} '{value}'.{near}")
        return value

    return AfterValidator(check)


class HarmoniseSpec(SpecModel):
    """The lists of places and industries that microdata of many years are brought to."""

    target_year: int | None = Field(None, description="Year of the list of places")
    target_scheme: IndustryScheme | None = Field(None, description="Classification of industries (two digits)")
    source_scheme: IndustryScheme | Literal["survey"] = "survey"
    place_splits: Literal["first", "unmapped"] = "first"
    industry_splits: Literal["merge", "unmapped"] = "merge"

    def model_post_init(self, _: Any, /) -> None:
        """Check that there is something to map to."""
        if self.target_year is None and self.target_scheme is None:
            raise ValueError("give target_year: for places, target_scheme: for industries, or both")


class AttachSpec(SpecModel):
    """Which cluster of the map a firm-year gets: by place, industry and an earlier year."""

    place: Name
    industry: Name
    lag: Annotated[int, Field(ge=0, le=100)] | None = Field(None, description="Years that the map is earlier")
    base_year: int | None = Field(None, description="One year of the map for all firm-years")
    firm_places: Years | int = Field("own", description="Year of the list that the firms' codes are from")
    cluster_places: Years | int | None = Field(None, description="As harmonised, else own")
    firm_scheme: IndustryScheme | Literal["listed", "as_given"] | None = Field(
        None, description="listed where industries were harmonised, else as_given"
    )
    cluster_scheme: IndustryScheme | Literal["survey", "as_given"] | None = None
    absent: Absent = "not_cluster"
    several: Several = "strongest"

    def model_post_init(self, _: Any, /) -> None:
        """Check that one of lag and base year is given."""
        if (self.lag is None) == (self.base_year is None):
            raise ValueError("give lag: (such as 10) or base_year: (such as 1998), not both")


class ClusterMapSpec(SpecModel):
    """From microdata, or from a table that is ready, to a map of clusters."""

    clusters: Names = Field(description="Sources of microdata, one or one a year; or the table that is ready")
    method: Annotated[str, _one_of(CLUSTER_METHODS, "method")]
    options: dict[str, Any] = Field({}, description="Options of the method's function")
    mapping: dict[str, str] = Field(
        {}, description="Standard column to header of the file, where it is not a usual one"
    )
    factors: dict[str, float] = Field({}, description="Multiply a standard number, such as output: 10")
    industry_digits: IndustryDigits = 4
    place_level: PlaceLevel = "county"
    source_year: int | None = Field(None, description="Year of all rows of a file that has no such column")
    duplicates: Duplicates = "first"
    harmonise: HarmoniseSpec | None = None

    def model_post_init(self, _: Any, /) -> None:
        """Check that a ready table is not asked for what only microdata can give."""
        if self.method == "given":
            asked = {"options": self.options, "factors": self.factors, "harmonise": self.harmonise}
            wrong = [name for name, value in asked.items() if value]
            if wrong or len(self.clusters) > 1:
                words = f"{', '.join(wrong)} cannot go with it" if wrong else "name one source"
                raise ValueError(f"method: given takes a table of clusters as it is; {words}")


class ClustersStep(ClusterMapSpec):
    """Attach to each firm-year whether its place and industry were a cluster some years before."""

    attach: AttachSpec
    prefix: Prefix = ""


class IntensitiesSpec(SpecModel):
    """Emissions per unit of money."""

    revenue: Name | None = None
    assets: Name | None = None
    output: Name | None = None
    per: Literal["10^4 yuan", "10^6 yuan", "10^8 yuan"] = "10^6 yuan"

    def model_post_init(self, _: Any, /) -> None:
        """Check that there is a denominator."""
        if not self.given():
            raise ValueError("name at least one of revenue:, assets:, output:")

    def given(self) -> dict[str, str]:
        """Return the columns of the denominators by their kind."""
        named = {"revenue": self.revenue, "assets": self.assets, "output": self.output}
        return {kind: name for kind, name in named.items() if name}


class DecompositionSpec(SpecModel):
    """What the intensity by revenue varies with: industry-years and the ratio of cost to revenue."""

    cost: Name | None = Field(None, description="The cost of the apportioning if not given")
    industry: Name | None = Field(None, description="The industry of the apportioning if not given")
    fixed_effects: Annotated[list[str], BeforeValidator(as_list)] = Field(
        [], description="Effects of the study, such as stock_code and report_year"
    )


EmissionKind = Annotated[str, _one_of(EMISSION_KINDS, "kind of emissions")]


class EmissionsStep(SpecModel):
    """What all kinds of firms' emissions share."""

    emissions: EmissionKind
    prefix: Prefix = ""
    intensities: IntensitiesSpec | None = None
    decomposition: DecompositionSpec | None = None

    def model_post_init(self, _: Any, /) -> None:
        """Check that a decomposition has its intensity, industry and cost."""
        if self.decomposition is None:
            return
        if self.intensities is None or not self.intensities.revenue:
            raise ValueError("decomposition: needs intensities: with revenue:")
        told = self.emissions == "apportioned" or (self.decomposition.cost and self.decomposition.industry)
        if not told:
            raise ValueError("decomposition: needs cost: and industry: where emissions are not apportioned")


class ApportionedStep(EmissionsStep):
    """Emissions of the industry, apportioned to firms by their share of its cost."""

    industry: Name
    cost: Name
    by: Literal["energy", "co2"] = Field("energy", description="Industry energy times a factor, or industry CO2")
    industries: Name = Field(description="Source with the cost of each industry and year")
    industry_column: Name = "industry_code"
    industry_year: Name | None = Field(None, description="The panel's year if not given")
    industry_cost: Name = "industry_cost"
    industry_cost_unit: str = Field("", description="That of the source's column if not given")
    energy: Name | None = Field(None, description="Column of the same source")
    energy_unit: str = Field("", description="That of the source's column if not given")
    energy_table: EnergyConcept | None = Field(None, description="The table that comes with shuzhi, by its concept")
    sectors: Name | None = Field(None, description="Source with division, year and energy_tce or co2_tonnes")
    scheme: Scheme = "GB/T 4754-2011"
    factor: str = "xiamen_0.68"

    def model_post_init(self, context: Any, /) -> None:
        """Check that the energy comes from one place."""
        super().model_post_init(context)
        given = [name for name in ("energy", "energy_table", "sectors") if getattr(self, name)]
        if self.by == "energy" and len(given) != 1:
            raise ValueError("by: energy needs one of energy:, energy_table: and sectors:")
        if self.by == "co2" and set(given) - {"sectors"}:
            raise ValueError("by: co2 takes the inventory that comes with shuzhi, or sectors:")


class SectorsStep(SpecModel):
    """Emissions or energy of the whole sector of each firm."""

    emissions: EmissionKind
    prefix: Prefix = ""
    industry: Name
    of: Literal["co2", "energy"] = "co2"
    concept: EnergyConcept = "total"
    name: Name | None = Field(None, description="Of the value; industry_co2_tonnes or industry_energy_tce else")
    sector_year: int | None = Field(None, description="One year of the table for all rows; else each its own")


class ComponentsStep(EmissionsStep):
    """Emissions added up from activities, in four components."""

    activities: Name = Field(description="Source with the panel's keys, activity, amount, unit")
    industry: Name
    province: Name | None = None
    scale: Name | None = Field(None, description="Means of an industry-year are taken per unit of this")
    imputation: Imputation = "industry_mean"
    smallest_group: Annotated[int, Field(ge=1)] = 3
    total: Total = "all_components"
    fuel_set: FactorSet = "NDRC_enterprise_guideline_2015"
    grid_level: GridLevel = "region"
    year_rule: YearRule = "nearest"
    gwp: Literal["AR4", "AR5"] = "AR4"
    wastewater_treatment: WastewaterTreatment = "anaerobic_reactor"
    forest_carbon_tonnes_per_ha: float | None = None


class VendorStep(EmissionsStep):
    """Emissions as a data vendor gives them, joined by firm and year."""

    vendor: Name = Field(description="Source that the vendor's file is")
    firm_column: Name | None = Field(None, description="The panel's key if not given")
    year_column: Name | None = Field(None, description="The panel's key if not given")
    columns: dict[str, str] = Field({}, description="Column of the file to item, where it is not a usual header")
    unit: Literal["t", "10^4 t", "10^6 t", "kg"] = "t"
    components: bool = Field(False, description="Take the four components and their sum too")
    tolerance: float = Field(1e-3, ge=0)


class GivenStep(EmissionsStep):
    """Emissions that the panel has already, in any unit."""

    co2: Name
    unit: str = Field("", description="That of the column if not given")


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

    policy: Annotated[str, _one_of((*POLICIES, OWN), "policy")]
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
