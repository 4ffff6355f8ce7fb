"""The specification of a panel: sources, steps and checks, read from YAML and judged as a whole before any work."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    PrivateAttr,
    Tag,
    ValidationError,
    field_validator,
)

from econometrics.panel_formula import parse_formula
from econometrics.panel_yaml import Place, line_of, pydantic_problems, read_yaml, spec_error
from shuzhi import SpecError

SourceFormat = Literal["csv", "excel", "stata", "parquet", "sql", "shuzhi"]
ColumnKind = Literal[
    "number",
    "text",
    "stock_code",
    "year",
    "year_end",
    "date",
    "region_code",
    "industry_code",
    "division",
    "boolean",
]
Relationship = Literal["one_to_one", "many_to_one"]
Repeated = Literal["error", "identical", "first", "last"]
Percentile = Literal["linear", "stata"]


class SpecModel(BaseModel):
    """Base of all parts of a specification: frozen, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def _formula(text: Any) -> str:
    if isinstance(text, bool) or not isinstance(text, str | int | float):
        raise ValueError("write a formula, for example log(revenue)")
    try:
        return parse_formula(str(text)).text
    except SpecError as error:
        raise ValueError(str(error)) from None


def _identifier(name: str) -> str:
    if not name.isidentifier():
        raise ValueError(f"{name!r} is no name of a column: letters, digits and _ only, no digit first")
    return name


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Expression = Annotated[str, BeforeValidator(_formula)]
Name = Annotated[str, AfterValidator(_identifier)]
Names = Annotated[list[Name], BeforeValidator(_as_list), Field(min_length=1)]
Because = Annotated[str, Field(min_length=1)]


class Labelled(SpecModel):
    """What every variable may say of itself."""

    label_en: str = ""
    label_zh: str = ""
    unit: str = Field("", description="Unit of the values in the panel")
    source: str = Field("", description="Where the values come from; the source's own citation if not given")


class ColumnSpec(Labelled):
    """One column of a source: the header as printed, and what it holds."""

    from_: str = Field("", alias="from", description="Header as printed; the name itself if not given")
    kind: ColumnKind | None = Field(None, description="What it holds; number unless the name is stock_code or a year")
    printed_unit: str = Field("", description="Unit of the file where its header does not say it")
    missing: list[str | int | float] = Field([], description="Values that stand for a missing one in this column")


class KeepSpec(SpecModel):
    """Keep the rows of a source that fulfil a condition."""

    keep: Expression
    because: Because


class DropSpec(SpecModel):
    """Drop the rows of a source that fulfil a condition."""

    drop: Expression
    because: Because


def _kind_of_filter(value: Any) -> str | None:
    names = value if isinstance(value, dict) else dict(value) if isinstance(value, BaseModel) else {}
    return "KeepSpec" if "keep" in names else "DropSpec" if "drop" in names else None


Filter = Annotated[
    Annotated[KeepSpec, Tag("KeepSpec")] | Annotated[DropSpec, Tag("DropSpec")],
    Discriminator(
        _kind_of_filter,
        custom_error_type="which_kind",
        custom_error_message="write keep: or drop: with a condition, and because:",
    ),
]


class PlacesSpec(SpecModel):
    """Read province, prefecture and county off an address, a place's name or a firm's name."""

    places: Name
    text: Literal["address", "firm_name"] = Field("address", description="What the column holds")
    prefix: str = Field("", description="Put before the names of the new columns")


class WideSpec(SpecModel):
    """Years that stand in the headers, as in ``revenue 2019``: each becomes a row."""

    pattern: str = Field(description="Regular expression with the groups name and year")
    year: Name = "report_year"

    @field_validator("pattern")
    @classmethod
    def _has_groups(cls, pattern: str) -> str:
        try:
            groups = re.compile(pattern).groupindex
        except re.error as error:
            raise ValueError(f"{pattern!r} is no regular expression: {error}") from None
        if not {"name", "year"} <= set(groups):
            raise ValueError("needs the groups (?P<name>…) and (?P<year>…)")
        return pattern


def _columns(value: Any) -> Any:
    """Take ``revenue: 营业收入`` for ``revenue: {from: 营业收入}``."""
    if isinstance(value, dict):
        return {name: {"from": each} if isinstance(each, str) else each or {} for name, each in value.items()}
    return value


class DefinitionSpec(Labelled):
    """A variable that is computed: by a formula, or by patterns in a text."""

    formula: Expression | None = None
    from_: Name | None = Field(None, alias="from", description="Column of text in which patterns are looked for")
    patterns: dict[str, str] = Field({}, description="Value to regular expression; the first that is found holds")

    @field_validator("patterns")
    @classmethod
    def _compile(cls, patterns: dict[str, str]) -> dict[str, str]:
        for value, pattern in patterns.items():
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"pattern of {value!r}: {error}") from None
        return patterns

    def model_post_init(self, _: Any, /) -> None:
        """Check that it is one of the two."""
        if (self.formula is None) == (self.from_ is None) or (self.from_ is None) != (not self.patterns):
            raise ValueError("give formula:, or from: and patterns:")


def _definitions(value: Any) -> Any:
    """Take ``size: log(assets)`` for ``size: {formula: log(assets)}``."""
    if isinstance(value, dict):
        return {
            name: {"formula": each} if isinstance(each, str | int | float) else each for name, each in value.items()
        }
    return value


class SourceSpec(SpecModel):
    """One table: where it is, how it is written, which columns and rows are taken."""

    path: str = Field("", description="File or folder, relative to the specification or to the data folder")
    format: SourceFormat | None = Field(None, description="Told by the ending if not given")
    encoding: str = Field("auto", description="auto takes UTF-8, UTF-16 with a mark or GB18030, and says which")
    separator: str = Field("auto", description="Of a CSV file: auto, or one character")
    sheet: str | int = Field(0, description="Of an Excel file: name or number of the sheet")
    header_rows: int | Literal["auto"] = Field("auto", description="Rows of the header; auto looks for the first code")
    database: str = Field("", description="Of format sql: file of SQLite or DuckDB, or a URL of SQLAlchemy")
    query: str = Field("", description="Of format sql: the SELECT")
    columns: Annotated[dict[Name, ColumnSpec] | Literal["all"], BeforeValidator(_columns)] = "all"
    missing: list[str | int | float] = Field([], description="Values that stand for a missing one in every column")
    wide: WideSpec | None = None
    keys: Names | None = Field(None, description="Columns that tell rows apart; the panel's keys if not given")
    repeated: Repeated = Field("error", description="What is done with rows that have the same keys")
    places: list[PlacesSpec] = []
    define: Annotated[dict[Name, DefinitionSpec], BeforeValidator(_definitions)] = {}
    filters: list[Filter] = []
    citation: str = Field("", description="Source of its columns, as a paper cites it")

    @field_validator("header_rows")
    @classmethod
    def _few_rows(cls, rows: Any) -> Any:
        if rows != "auto" and not 1 <= rows <= 10:
            raise ValueError("a header has 1 to 10 rows")
        return rows


class JoinStep(SpecModel):
    """Add the columns of a source by keys."""

    join: str
    on: Annotated[dict[Name, Name] | Names, BeforeValidator(_as_list)] = Field(
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

    define: Annotated[dict[Name, DefinitionSpec], BeforeValidator(_definitions), Field(min_length=1)]


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
    by: Annotated[list[Name], BeforeValidator(_as_list)] = Field([], description="For example report_year; else overall")
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
}


def _kind_of_step(value: Any) -> str | None:
    if isinstance(value, BaseModel):
        return type(value).__name__
    found = [kind for kind in STEPS if isinstance(value, dict) and kind in value]
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
    | Annotated[DropStep, Tag("DropStep")],
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
    steps: list[Step] = []
    checks: dict[Name, CheckSpec] = {}
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


def parse_panel_spec(text: str, file: str = "panel.yml") -> PanelSpec:
    """Read the specification of a panel.

    Parameters
    ----------
    text : str
        YAML.
    file : str
        Its name, for messages.

    Returns
    -------
    PanelSpec
        Frozen; it remembers the line of each entry.

    Raises
    ------
    SpecError
        With every problem, its line and the nearest name: unknown keys, wrong values, formulas that are none, and
        columns, sources and steps that do not fit together.
    """
    from econometrics.panel_names import name_problems

    content, lines = read_yaml(text, file)
    if not isinstance(content, Mapping):
        raise SpecError(f"{file}: a panel is a mapping with panel:, sources:, start: and steps:")
    try:
        spec = PanelSpec.model_validate(content)
    except ValidationError as error:
        raise spec_error(file, lines, pydantic_problems(error, PanelSpec)) from None
    spec._file = file
    spec._lines = lines
    spec._hash = hashlib.sha256(text.encode("utf-8")).hexdigest()[:16]
    problems = name_problems(spec)
    if problems:
        raise spec.error(problems)
    return spec
