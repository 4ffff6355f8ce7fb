"""A study as one YAML file: panel, variables, sample, models and all that is asked of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PrivateAttr

from econometrics.declarations.yaml_lines import Place, line_of, spec_error
from econometrics.panel.source_spec import Name, SpecModel
from econometrics.spec.checks import CurveSpec, MeasurementErrorSpec, RobustnessSpec
from econometrics.spec.groups import FamilySpec, HeterogeneitySpec
from econometrics.spec.parts import (
    DefaultsSpec,
    DescriptiveSpec,
    FigureSpec,
    Language,
    MediationSpec,
    ModelSpec,
    ModeratorSpec,
    SampleStep,
    StaggeredSpec,
    TableSpec,
    ThresholdSpec,
    Titles,
    UTestSpec,
    VariableSpec,
    variables_of,
)
from shuzhi import SpecError


class PanelKeysSpec(SpecModel):
    """The panel: its keys, and where it comes from if it is not named on the command line."""

    firm: Name = Field("stock_code", description="Column that tells firms (or cities) apart")
    year: Name = Field("report_year", description="Column with the year")
    spec: str = Field("", description="Specification of the panel (YAML), beside this file")
    file: str = Field("", description="File of the panel, beside this file")


def _panel_of(value: Any) -> Any:
    """Take the name of a file for the specification of a panel, or for the panel."""
    if isinstance(value, str):
        return {"spec" if value.endswith((".yml", ".yaml")) else "file": value}
    return value


class StudySpec(SpecModel):
    """A study."""

    study: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", description="Name of the study, for files")]
    title: Titles = Field({})
    language: Language = "zh"
    digits: Annotated[int, Field(ge=0, le=10)] = 3
    panel: Annotated[PanelKeysSpec, BeforeValidator(_panel_of)] = PanelKeysSpec()
    skip_missing: bool = Field(False, description="Leave out what needs an optional column that the panel lacks")
    labels: dict[str, Titles] = Field({}, description="What groups and other values are called")
    variables: Annotated[dict[Name, VariableSpec], BeforeValidator(variables_of)] = Field({})
    sample: list[SampleStep] = Field([])
    defaults: DefaultsSpec = DefaultsSpec()
    descriptive: DescriptiveSpec | None = None
    models: Annotated[dict[Name, ModelSpec], Field(min_length=1)]
    main: Name | None = Field(None, description="Model that a report tells of first; the first one if not given")
    mediation: dict[Name, MediationSpec] = Field({})
    heterogeneity: dict[Name, HeterogeneitySpec] = Field({})
    families: dict[Name, FamilySpec] = Field({})
    moderators: dict[Name, ModeratorSpec] = Field({})
    u_tests: dict[Name, UTestSpec] = Field({})
    thresholds: dict[Name, ThresholdSpec] = Field({})
    staggered: dict[Name, StaggeredSpec] = Field({})
    robustness: dict[Name, RobustnessSpec] = Field({})
    specification_curve: dict[Name, CurveSpec] = Field({})
    measurement_error: dict[Name, MeasurementErrorSpec] = Field({})
    tables: dict[Name, TableSpec] = Field({})
    figures: dict[Name, FigureSpec] = Field({})

    _file: str = PrivateAttr("study.yml")
    _lines: dict[Place, int] = PrivateAttr({})
    _text: str = PrivateAttr("")

    @property
    def file(self) -> str:
        """Name of the file it was read from."""
        return self._file

    @property
    def text(self) -> str:
        """The YAML as it was read."""
        return self._text

    @property
    def lines(self) -> Mapping[Place, int]:
        """Line of each entry."""
        return self._lines

    @property
    def content_hash(self) -> str:
        """First 16 digits of the SHA-256 of its text."""
        return hashlib.sha256(self._text.encode("utf-8")).hexdigest()[:16]

    def line(self, *place: str | int) -> int:
        """Return the line of an entry, or of the nearest one around it."""
        return line_of(self._lines, place)

    def error(self, problems: list[tuple[Place, str]]) -> SpecError:
        """Return an error with every problem, by line."""
        return spec_error(self._file, self._lines, problems)
