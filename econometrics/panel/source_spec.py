"""The parts of a specification that say what a source is: its file, columns, places, definitions and filters."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    field_validator,
)

from econometrics.declarations.formula import parse_formula
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
Repeated = Literal["error", "identical", "first", "last"]


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


def as_list(value: Any) -> Any:
    """Take one name for a list of one."""
    return [value] if isinstance(value, str) else value


Expression = Annotated[str, BeforeValidator(_formula)]
Name = Annotated[str, AfterValidator(_identifier)]
Names = Annotated[list[Name], BeforeValidator(as_list), Field(min_length=1)]
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
    """Take ``revenue: 营业收入`` for ``revenue: {from: 营业收入}``, and a list for columns with their printed names."""
    if isinstance(value, list) and all(isinstance(name, str) for name in value):
        return {name: {} for name in value}
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


def definitions_of(value: Any) -> Any:
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
    define: Annotated[dict[Name, DefinitionSpec], BeforeValidator(definitions_of)] = {}
    filters: list[Filter] = []
    citation: str = Field("", description="Source of its columns, as a paper cites it")

    @field_validator("header_rows")
    @classmethod
    def _few_rows(cls, rows: Any) -> Any:
        if rows != "auto" and not 1 <= rows <= 10:
            raise ValueError("a header has 1 to 10 rows")
        return rows
