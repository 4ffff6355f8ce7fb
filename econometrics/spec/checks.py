"""The parts of a study's specification about robustness: checks, the specification curve, measurement error."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from econometrics.measurement_error.extrapolate import Extrapolant
from econometrics.measurement_error.oriv import Scale
from econometrics.measurement_error.result import ReliabilityOf, SimexVariance
from econometrics.panel.source_spec import Name, SpecModel
from econometrics.placebo.shuffles import Scheme
from econometrics.spec.parts import Draws, Names, Seed, Titles


class RobustnessSpec(SpecModel):
    """A model, and the checks that vary it; each check is as `econometrics.robustness` declares it."""

    model: Name
    focus: Names | None = Field(None, description="Terms that are compared; the first regressor if not given")
    checks: Annotated[list[str | dict[str, Any]], Field(min_length=1)]
    draws: Draws | None = None
    seed: Seed | None = None
    title: Titles = Field({})


class CurveSpec(SpecModel):
    """A model, and the choices whose combinations are all estimated; see `econometrics.specification_curve`."""

    model: Name
    focus: Names | None = Field(None, description="Term that is followed; the first regressor if not given")
    choices: Annotated[dict[str, Any], Field(min_length=1, description="Options by dimension")]
    scheme: Scheme = "firms"
    most: Annotated[int, Field(ge=2, le=100_000)] = 2000
    draws: Draws | None = None
    seed: Seed | None = None
    title: Titles = Field({})


class MeasurementErrorSpec(SpecModel):
    """A model of which one regressor is measured with error of known reliability, or measured more than once."""

    model: Name
    column: Name | None = Field(None, description="Regressor measured with error; the first one if not given")
    reliability: Annotated[float, Field(gt=0, le=1)] | None = None
    reliability_standard_error: Annotated[float, Field(ge=0)] = 0.0
    reliability_of: ReliabilityOf = "level"
    persistent_share: Annotated[float, Field(ge=0, lt=1)] = 0.0
    simulate: bool = Field(False, description="Also simulation and extrapolation (SIMEX), with the reliability")
    extrapolant: Extrapolant = "nonlinear"
    simulations: Annotated[int, Field(ge=10, le=10_000)] = 100
    variance: SimexVariance = "stefanski_cook"
    other_indices: Names = Field([], description="Other measures of the same; each is instrumented by the others")
    scale: Scale = "as_given"
    draws: Draws | None = None
    seed: Seed | None = None
    title: Titles = Field({})

    def model_post_init(self, _: Any, /) -> None:
        """Check that there is something to correct with."""
        if self.reliability is None and not self.other_indices:
            raise ValueError("give reliability:, or other_indices: with another measure of the same")
        if self.simulate and self.reliability is None:
            raise ValueError("simulate: needs reliability:")
