"""The parts of a study's specification about robustness: checks, the specification curve, measurement error."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from econometrics.panel_spec_sources import Name, SpecModel
from econometrics.spec_parts import Draws, Level, Names, Seed, Titles


class RobustnessSpec(SpecModel):
    """A model, and the checks that vary it; each check is as `econometrics.robustness` declares it."""

    model: Name
    focus: Names | None = Field(None, description="Terms that are compared; the first regressor if not given")
    checks: Annotated[list[dict[str, Any]], Field(min_length=1)]
    draws: Draws | None = None
    seed: Seed | None = None
    title: Titles = Field({})


class CurveSpec(SpecModel):
    """A model, and the choices whose combinations are all estimated."""

    model: Name
    choices: Annotated[dict[str, Any], Field(min_length=1)]
    draws: Draws | None = None
    seed: Seed | None = None
    title: Titles = Field({})


class MeasurementErrorSpec(SpecModel):
    """A model of which one regressor is measured with error of known reliability, or measured twice."""

    model: Name
    column: Name | None = Field(None, description="Regressor measured with error; the first one if not given")
    reliability: Annotated[float, Field(gt=0, le=1)] | None = None
    second_index: Name | None = Field(None, description="Another measurement of the same")
    draws: Draws | None = None
    seed: Seed | None = None
    level: Level | None = None
    title: Titles = Field({})
