"""The specification of a panel: its sources, steps and checks; `econometrics.panel.parse` reads it."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    Discriminator,
    Field,
    PrivateAttr,
    Tag,
    field_validator,
)

from econometrics.declarations.yaml_lines import Place, line_of, spec_error
from econometrics.panel.source_spec import (
    Because,
    DefinitionSpec,
    DropSpec,
    Expression,
    KeepSpec,
    Name,
    Names,
    PlacesSpec,
    SourceSpec,
    SpecModel,
    as_list,
    definitions_of,
)
from econometrics.panel.steps.cluster_specs import ClustersStep
from econometrics.panel.steps.emission_specs import ApportionedStep, ComponentsStep, GivenStep, SectorsStep, VendorStep
from econometrics.panel.steps.specs import (
    DATA_STEPS,
    EMISSION_STEPS,
    AttentionStep,
    CutStep,
    EnergyStructureStep,
    IndustryGroupsStep,
    InstrumentStep,
    PolicyStep,
    SizeGroupsStep,
)
from shuzhi import SpecError

Relationship = Literal["one_to_one", "many_to_one"]
Percentile = Literal["linear", "stata"]


class JoinStep(SpecModel):
    """Add the columns of a source by keys."""

    join: str
    on: Annotated[dict[Name, Name] | Names, BeforeValidator(as_list)] = Field(
        description="Columns with the same name, or a mapping of the panel's column to the source's"
    )
    relationship: Relationship
    keep: Literal["left", "matched", "both"] = Field("left", description="Which rows stay")
    take: Names | None = Field(None, description="Columns that are taken; all if not given")
    prefix: str = Field("", description="Put before the names of the columns that are taken")

    def pairs(self) -> list[tuple[str, str]]:
        """Return the columns of the panel and of the source that must be equal."""
        return list(self.on.items()) if isinstance(self.on, dict) else [(name, name) for name in self.on]


class DefineStep(SpecModel):
    """Compute variables, in order; each may use those before it."""

    define: Annotated[dict[Name, DefinitionSpec], BeforeValidator(definitions_of), Field(min_length=1)]


class KeepStep(KeepSpec):
    """Keep the firm-years that fulfil a condition."""


class DropStep(DropSpec):
    """Drop the firm-years that fulfil a condition."""


class BlankStep(SpecModel):
    """Set values to missing where a condition holds."""

    blank: Names
    where: Expression
    because: Because


class CompleteStep(SpecModel):
    """Keep the firm-years that have a value of every variable named."""

    complete: Names


class MinimumYearsStep(SpecModel):
    """Keep the firms that have at least so many years left."""

    minimum_years: Annotated[int, Field(ge=1)]


class LimitStep(SpecModel):
    """Base of winsorising and trimming."""

    lower: float = Field(0.01, ge=0, lt=0.5, description="Share that is cut below")
    upper: float = Field(0.99, gt=0.5, le=1, description="Share above which is cut")
    by: Annotated[list[Name], BeforeValidator(as_list)] = Field([], description="For example report_year; else overall")
    percentile: Percentile = Field("linear", description="linear as numpy and R, or stata as winsor2")


class WinsoriseStep(LimitStep):
    """Set what is beyond two percentiles to these percentiles."""

    winsorise: Names
    suffix: str = Field("", description="Write to a new column with this ending; else in place")


class TrimStep(LimitStep):
    """Set what is beyond two percentiles to missing."""

    trim: Names


class PlacesStep(PlacesSpec):
    """Read places off a column of the panel."""


STEPS: dict[str, type[SpecModel]] = {
    "join": JoinStep,
    "define": DefineStep,
    "places": PlacesStep,
    "blank": BlankStep,
    "complete": CompleteStep,
    "minimum_years": MinimumYearsStep,
    "winsorise": WinsoriseStep,
    "trim": TrimStep,
    "keep": KeepStep,
    "drop": DropStep,
    **DATA_STEPS,
}


def _kind_of_step(value: Any) -> str | None:
    if isinstance(value, BaseModel):
        return type(value).__name__
    found = [kind for kind in STEPS if isinstance(value, dict) and kind in value]
    if found == ["emissions"]:
        return EMISSION_STEPS.get(str(value["emissions"]), STEPS["emissions"]).__name__
    return STEPS[found[0]].__name__ if found else None


Step = Annotated[
    Annotated[JoinStep, Tag("JoinStep")]
    | Annotated[DefineStep, Tag("DefineStep")]
    | Annotated[PlacesStep, Tag("PlacesStep")]
    | Annotated[BlankStep, Tag("BlankStep")]
    | Annotated[CompleteStep, Tag("CompleteStep")]
    | Annotated[MinimumYearsStep, Tag("MinimumYearsStep")]
    | Annotated[WinsoriseStep, Tag("WinsoriseStep")]
    | Annotated[TrimStep, Tag("TrimStep")]
    | Annotated[KeepStep, Tag("KeepStep")]
    | Annotated[DropStep, Tag("DropStep")]
    | Annotated[ClustersStep, Tag("ClustersStep")]
    | Annotated[ApportionedStep, Tag("ApportionedStep")]
    | Annotated[SectorsStep, Tag("SectorsStep")]
    | Annotated[ComponentsStep, Tag("ComponentsStep")]
    | Annotated[VendorStep, Tag("VendorStep")]
    | Annotated[GivenStep, Tag("GivenStep")]
    | Annotated[PolicyStep, Tag("PolicyStep")]
    | Annotated[IndustryGroupsStep, Tag("IndustryGroupsStep")]
    | Annotated[EnergyStructureStep, Tag("EnergyStructureStep")]
    | Annotated[SizeGroupsStep, Tag("SizeGroupsStep")]
    | Annotated[CutStep, Tag("CutStep")]
    | Annotated[AttentionStep, Tag("AttentionStep")]
    | Annotated[InstrumentStep, Tag("InstrumentStep")],
    Discriminator(
        _kind_of_step,
        custom_error_type="which_kind",
        custom_error_message=f"a step begins with one of {', '.join(STEPS)}",
    ),
]


class CheckSpec(SpecModel):
    """What must hold of a column of the finished panel."""

    at_least: float | None = None
    at_most: float | None = None
    one_of: list[str | int | float] | None = None
    matches: str | None = Field(None, description="Regular expression that the whole text fulfils")
    required: bool = Field(False, description="No value may be missing")

    @field_validator("matches")
    @classmethod
    def _compiles(cls, pattern: str | None) -> str | None:
        try:
            re.compile(pattern or "")
        except re.error as error:
            raise ValueError(f"{pattern!r} is no regular expression: {error}") from None
        return pattern


class PanelSpec(SpecModel):
    """A panel: its keys, its sources, the steps that build it, and what must hold of it."""

    panel: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", description="Name of the panel, for files")]
    title_en: str = ""
    title_zh: str = ""
    firm: Name = Field("stock_code", description="Column that tells firms (or cities) apart")
    year: Name = Field("report_year", description="Column with the year")
    sources: Annotated[dict[Name, SourceSpec], Field(min_length=1)]
    start: str = Field(description="The source whose rows the panel begins with")
    steps: list[Step] = Field([])
    checks: dict[Name, CheckSpec] = Field({})
    output: Names | None = Field(None, description="Columns of the finished panel; all if not given")

    _file: str = PrivateAttr("panel.yml")
    _lines: dict[Place, int] = PrivateAttr({})
    _hash: str = PrivateAttr("")

    @property
    def file(self) -> str:
        """Name of the file it was read from."""
        return self._file

    @property
    def content_hash(self) -> str:
        """First 16 digits of the SHA-256 of its text."""
        return self._hash

    def at(self, *place: str | int) -> str:
        """Return file and line of an entry, for messages."""
        return f"{self._file} line {line_of(self._lines, place)}"

    def error(self, problems: list[tuple[Place, str]]) -> SpecError:
        """Return an error with every problem, by line."""
        return spec_error(self._file, self._lines, problems)
