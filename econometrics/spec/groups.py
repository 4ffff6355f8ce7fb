"""The parts of a study's specification about heterogeneity: splits, and families of them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from econometrics.heterogeneity.family import FamilyAdjustment
from econometrics.heterogeneity.groupings import Moment
from econometrics.panel.source_spec import Name, SpecModel
from econometrics.spec.parts import Draws, Names, Seed, Titles


class GroupingSpec(SpecModel):
    """By what the sample is split; one of the keys column to market_value says how."""

    column: Name | None = Field(None, description="Values are the groups")
    order: list[str | int | float] | None = Field(None, description="Values that are used, the reference first")
    cut: Name | None = Field(None, description="Number that is cut at the values of at:")
    at: Annotated[list[float], Field(min_length=1)] | None = None
    quantiles_of: Name | None = Field(None, description="Number that is cut into groups of equal size")
    quantiles: Annotated[int, Field(ge=2, le=10)] = 3
    within: Name | None = Field(None, description="Quantiles are taken within its values, for example within a year")
    policy: Name | None = Field(None, description="First year of a policy; missing or 0 where there is none")
    in_force: bool = Field(False, description="Inside from the first year on, instead of ever")
    market_value: Name | None = Field(None, description="Market value, cut at 10 and 50 billion yuan")
    yuan_per_unit: Annotated[float, Field(gt=0)] = 1.0
    names: list[str] | None = Field(None, description="What the groups are called, from the lowest")
    one_group_a_firm: Moment | None = Field(None, description="Which group a firm keeps for all its years")

    def kinds(self) -> list[str]:
        """Return which of the ways to split are given."""
        return [kind for kind in GROUPING_KINDS if getattr(self, kind) is not None]

    def model_post_init(self, _: Any, /) -> None:
        """Check that there is one way, with what it needs."""
        if len(self.kinds()) != 1:
            raise ValueError(f"give one of {', '.join(GROUPING_KINDS)}")
        if (self.cut is None) != (self.at is None):
            raise ValueError("cut: and at: belong together")


GROUPING_KINDS = ("column", "cut", "quantiles_of", "policy", "market_value")


def grouping_of(value: Any) -> Any:
    """Take the name of a column for the groups that it holds."""
    return {"column": value} if isinstance(value, str) else value


class HeterogeneitySpec(SpecModel):
    """A model, and where there is a mediation an indirect effect, by groups, and the tests between them."""

    model: Name
    by: Annotated[GroupingSpec, BeforeValidator(grouping_of)]
    regressors: Names | None = Field(None, description="The first one is compared; those of the model if not given")
    mediation: Name | None = Field(None, description="Mediation whose indirect effect is compared too")
    permute: Literal["firm", "row", "none"] = Field("firm", description="What exchanges its group in the permutation")
    minimum_rows: Annotated[int, Field(ge=10)] = Field(30, description="Rows that each group must have")
    draws: Draws | None = None
    seed: Seed | None = None
    title: Titles = Field({})


class FamilySpec(SpecModel):
    """Several splits of one model, with p values adjusted for how many there are."""

    splits: Annotated[Names, Field(min_length=2)]
    indirect: bool = Field(False, description="Compare the indirect effects instead of the coefficients")
    adjustment: FamilyAdjustment = "romano_wolf"
    draws: Draws | None = None
    seed: Seed | None = None
    title: Titles = Field({})
