"""The steps of a specification that find clusters and attach them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from econometrics.clusters.attach import Absent, Several, Years
from econometrics.clusters.industry_concordance import IndustryScheme
from econometrics.clusters.microdata import Duplicates, IndustryDigits
from econometrics.panel.source_spec import Name, Names, SpecModel
from econometrics.panel.steps.spec_parts import Prefix, one_of
from econometrics.places.lists import PlaceLevel

CLUSTER_METHODS = (
    "given",
    "location_quotient",
    "density_based_index",
    "duranton_overman",
    "cluster_strength",
    "related_strength",
    "proximity",
)


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
    method: Annotated[str, one_of(CLUSTER_METHODS, "method")]
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
