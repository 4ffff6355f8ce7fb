"""The steps of a specification that bring emissions of firms and their intensities."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from econometrics.emissions.activities import WastewaterTreatment
from econometrics.emissions.components import Imputation, Total
from econometrics.emissions.factors import FactorSet
from econometrics.emissions.grid import GridLevel, YearRule
from econometrics.emissions.sectors import EnergyConcept, Scheme
from econometrics.panel.source_spec import Name, SpecModel, as_list
from econometrics.panel.steps.spec_parts import Prefix, one_of

EMISSION_KINDS = ("apportioned", "sectors", "components", "vendor", "given")


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


EmissionKind = Annotated[str, one_of(EMISSION_KINDS, "kind of emissions")]


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
