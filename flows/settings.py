"""What a run can be told: one frozen model a flow, shared by the command line, the Prefect form and YAML."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from flows.confine import Confine
from nlp.options import Ocr, Preset, Reader, Rule, Runner, Script, Segmenter
from nlp.scope import check_scopes
from nlp.title import Kind
from shuzhi import UsageError, masked

FIRST_YEAR = 1990
LAST_YEAR = 2100
YEARS_PATTERN = re.compile(r"(\d{4})(?:\s*-\s*(\d{4}))?")


def parse_years(value: Any) -> Any:
    """Turn ``2019-2023``, ``2019,2021`` or a list of these into years; other values pass for pydantic to judge."""
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, (list, tuple)):
        return value
    years: list[Any] = []
    for part in parts:
        found = YEARS_PATTERN.fullmatch(part.strip()) if isinstance(part, str) else None
        if found:
            first, last = int(found[1]), int(found[2] or found[1])
            if last < first:
                raise ValueError(f"{part}: the first year is after the last; write {last}-{first}")
            years.extend(range(first, last + 1))
        elif isinstance(part, str) and part.strip():
            raise ValueError(f"{part}: write a year or a range, for example 2023 or 2019-2023")
        elif part != "":
            years.append(part)
    return sorted(set(years)) if all(isinstance(year, int) for year in years) else years


Year = Annotated[int, Field(ge=FIRST_YEAR, le=LAST_YEAR)]
Years = Annotated[list[Year], BeforeValidator(parse_years)]


def _known_scopes(names: list[str]) -> list[str]:
    """Return the scopes, each once, or say which of them is no part of a report."""
    try:
        return [scope.name for scope in check_scopes(names)]
    except UsageError as error:
        raise ValueError(str(error)) from None


Scopes = Annotated[list[str], AfterValidator(_known_scopes)]
SCOPES_HELP = (
    "Parts of a report to count in: report, body, a kind of section such as mda, several joined by +,"
    " or without_financial_report"
)


Keep = list[Preset]
KEEP_HELP = (
    "Which hits count: raw (all), published (not negated, not about another firm or a person), strict (the filer's own"
    " action, done)"
)


DeclaredChange = Literal["definition", "dictionary", "rule", "scope", "keep", "script", "reading", "software"]


def default_workers() -> int:
    """Return one worker a processor that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return max(1, os.cpu_count() or 1)


def _form_order(schema: dict[str, Any], model: type[BaseModel]) -> None:
    """Let a form begin with what must be given, then what is most the flow's own; what few change comes last."""
    required = schema.get("required", ())
    classes = [each for each in model.__mro__ if issubclass(each, BaseModel)]
    late = {"ReadingOptions": 1, "PoolParameters": 2, "GateOptions": 3}

    def rank(name: str) -> tuple[bool, int, int]:
        # A field belongs to the first class, from the base on, that has it.
        owner = max(place for place, each in enumerate(classes) if name in each.model_fields)
        return name not in required, late.get(classes[owner].__name__, 0), owner

    if "properties" in schema:
        schema["properties"] = {name: schema["properties"][name] for name in sorted(schema["properties"], key=rank)}


class Parameters(BaseModel):
    """Base of all parameter models: frozen, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=_form_order)

    # Fields that are handed to a server as secrets, and kept nowhere else.
    given_as_secrets: ClassVar[frozenset[str]] = frozenset()

    @model_validator(mode="after")
    def _holds_no_credentials(self) -> Self:
        texts = {name: value for name, value in self if isinstance(value, str) and name not in self.given_as_secrets}
        shown = [name for name, value in texts.items() if masked(value) != value]
        if shown:
            raise ValueError(
                f"{' and '.join(shown)}: a password or token in an address would be kept with the run; write $NAME in"
                " its place, and set that variable"
            )
        return self


class PoolParameters(Parameters):
    """How many worker processes there are, and what one file may use."""

    workers: int = Field(0, ge=0, le=256, description="Worker processes; 0 takes one a processor")
    seconds_per_file: float = Field(180, gt=0, description="Time limit of one file, in seconds")
    memory_megabytes: int = Field(1000, ge=300, description="Memory limit of one worker, in megabytes")
    batch_size: int = Field(100, ge=1, le=1000, description="Files a task run; 50 to 200 is right")
    runner: Runner = Field(
        "processes", description="Where the work runs: processes of this machine, or the workers of Dask"
    )
    dask_address: str = Field(
        "",
        pattern=r"^$|^(tcp|tls|ucx|ws|wss)://[^\s/]+$",
        description="Address of a Dask scheduler, for example tcp://10.0.0.5:8786; empty starts Dask on this machine",
    )

    confine: Confine = Field(
        "auto",
        description="Whether workers that open reports are put into a box of bubblewrap: auto where it works, required"
        " or the run fails, off",
    )

    @model_validator(mode="after")
    def _address_belongs_to_dask(self) -> Self:
        if self.dask_address and self.runner != "dask":
            raise ValueError("dask_address is for the runner dask; say runner: dask (--runner dask) as well")
        return self

    def worker_count(self) -> int:
        """Return the number of workers to start."""
        return self.workers or default_workers()


class ReadingOptions(PoolParameters):
    """How the files of a folder are read; shared by all flows that read."""

    folder: str = Field(description="Folder with annual reports (.pdf, .txt); its subfolders are read too")
    reader: Reader = Field("pdfium", description="First reader of PDF pages")
    segmenter: Segmenter = Field("rjieba", description="Who cuts the tokens that are counted")
    ocr: Ocr = Field("off", description="Who reads scanned pages, 3 to 6 seconds each; 'off' leaves them unread")
    kinds: list[Kind] = Field(["annual"], min_length=1, description="Kinds of report that count, the preferred first")
    corrections: str = Field("", description="File with corrections of whose report a file is (YAML)")
    limit: int = Field(0, ge=0, description="Read only the first so many files; 0 reads all")
    retry: bool = Field(False, description="Try files again that timed out or failed before")
    max_failure_share: float = Field(
        0.02, ge=0, le=1, description="The run fails when a greater share of the files timed out or failed"
    )


class ReadParameters(ReadingOptions):
    """Read the reports of a folder into the store."""

    store: str = Field(description="Folder or object-store URL of the store")
    years: Years = Field([], description="Report years, for example 2019-2023; empty takes all")


class MeasureParameters(PoolParameters):
    """Count the terms of dictionaries in the stored pages, and build the indices."""

    store: str = Field(description="Folder or object-store URL of the store")
    dictionaries: list[str] = Field(["wu2021"], min_length=1, description="Names of dictionaries")
    dictionary_folder: str = Field("", description="Folder with dictionaries of your own (YAML)")
    rule: Rule = Field("longest", description="What counts as an occurrence")
    scopes: Scopes = Field(["report"], min_length=1, description=SCOPES_HELP)
    keep: Keep = Field(["raw"], min_length=1, description=KEEP_HELP)
    script: Script = Field("as_printed", description="Match traditional characters as printed, or as simplified ones")
    segmenter: Segmenter = Field("rjieba", description="Who cuts tokens, for the rule 'token'")
    years: Years = Field([], description="Report years to sum up; the stored indices always hold all years")


class ExportParameters(Parameters):
    """Write the indices and all that backs them into a folder."""

    store: str = Field(description="Folder or object-store URL of the store")
    out: str = Field(description="Folder to write to")
    dictionaries: list[str] = Field([], description="Names of dictionaries; empty takes all measured")
    rule: Literal["", "longest", "substring", "token"] = Field(
        "", description="Matching rule; empty takes the only one measured"
    )
    scopes: Scopes = Field([], description="Parts of a report that were measured; empty takes all")
    keep: Keep = Field(["raw"], min_length=1, description=KEEP_HELP)
    years: Years = Field([], description="Report years; empty takes all")
    title: str = Field("", description="Title of the report; empty takes the usual one")
    is_simulated: bool = Field(False, description="Mark every output as simulated data")
    link_reports: bool = Field(True, description="Link the evidence to the reports, where they lie in one folder")
    study_kit: bool = Field(
        False, description="Also write study-kit and study-kit.zip: data, codebook, README, citation and sample code"
    )
    kit_authors: list[str] = Field([], description="Who is cited for the kit: 'Family, Given', or a team's name")
    kit_licence: str = Field(
        "",
        pattern=r"^$|^[A-Za-z0-9.+-]+$",
        description="SPDX name of the kit's licence, for example CC-BY-4.0; empty says that none was chosen",
    )
    kit_sentences: bool = Field(
        False, description="Put the sentences of the hits into the kit, which are quotations from the reports"
    )

    @model_validator(mode="after")
    def _kit_is_asked_for(self) -> Self:
        if not self.study_kit and (self.kit_authors or self.kit_licence or self.kit_sentences):
            raise ValueError("authors, licence and sentences are of a study kit; say study_kit (--study-kit) as well")
        return self


class JobOptions(ReadingOptions):
    """What the whole job can be told, whatever the years."""

    out: str = Field(description="Folder to write to")
    store: str = Field("", description="Folder or URL of the store; empty takes the folder 'store' in out")
    dictionaries: list[str] = Field(["wu2021"], min_length=1, description="Names of dictionaries")
    dictionary_folder: str = Field("", description="Folder with dictionaries of your own (YAML)")
    rule: Rule = Field("longest", description="What counts as an occurrence")
    scopes: Scopes = Field(["report"], min_length=1, description=SCOPES_HELP)
    keep: Keep = Field(["raw"], min_length=1, description=KEEP_HELP)
    script: Script = Field("as_printed", description="Match traditional characters as printed, or as simplified ones")
    title: str = Field("", description="Title of the report; empty takes the usual one")
    is_simulated: bool = Field(False, description="Mark every output as simulated data")

    def store_url(self) -> str:
        """Return where the store is."""
        return self.store or str(Path(self.out) / "store")

    def reading(self, years: list[int]) -> ReadParameters:
        """Return what reading needs; too many failures are judged when the outputs exist."""
        shared = self._shared(ReadParameters)
        return ReadParameters(**{**shared, "store": self.store_url(), "years": years, "max_failure_share": 1.0})

    def measuring(self, years: list[int]) -> MeasureParameters:
        """Return what measuring needs."""
        return MeasureParameters(**{**self._shared(MeasureParameters), "store": self.store_url(), "years": years})

    def exporting(self, years: list[int]) -> ExportParameters:
        """Return what exporting needs."""
        return ExportParameters(**{**self._shared(ExportParameters), "store": self.store_url(), "years": years})

    def _shared(self, model: type[Parameters]) -> dict[str, Any]:
        own = type(self).model_fields
        return {name: getattr(self, name) for name in model.model_fields if name in own}


class RunParameters(JobOptions):
    """Read, measure and export in one go."""

    years: Years = Field([], description="Report years, for example 2019-2023; empty takes all")


class GateOptions(Parameters):
    """What a data set may show beside the release before it, and still be published."""

    declared_changes: list[DeclaredChange] = Field(
        [], description="Changes since the last release that are meant; values that they move are no fault"
    )
    most_firm_years_lost: float = Field(
        0.01, ge=0, le=1, description="Largest share of the last release's firm-years that may lose their value"
    )
    most_values_changed: float = Field(
        0.0, ge=0, le=1, description="Largest share of values that may change without a new report or a declared change"
    )
    largest_mean_jump: float = Field(
        0.4, gt=0, description="Largest move of the mean of ln(1 + count) from the year before; 0.4 is a half more"
    )
    largest_zero_jump: float = Field(
        0.1, gt=0, le=1, description="Largest move of the share of zeros from the year before"
    )
    largest_missing_jump: float = Field(
        0.1, gt=0, le=1, description="Largest rise of the share of firm-years without a value from the year before"
    )
    least_coverage: float = Field(
        0.0, ge=0, le=1, description="Least share of the firms of the year before that must have filed; 0 asks for none"
    )
    least_firms: int = Field(10, ge=2, description="Fewer firms in both years than this, and no move is judged")


class ReleaseOptions(GateOptions):
    """Under which definitions a data set is measured, and where its releases are published."""

    definitions: str = Field(
        "", description="File of registered index definitions (YAML); empty takes the one that these parameters make"
    )
    releases: str = Field("", description="Folder of published releases; empty publishes nothing")
    publish_despite: str = Field(
        "", description="Reason to publish what the gate rejects; it is recorded in the release. Empty refuses"
    )


class AnnualUpdateParameters(JobOptions, ReleaseOptions):
    """Take the reports of one new report year, and export and publish all years in the store."""

    year: Year = Field(description="The new report year (the fiscal year, not the year of filing)")
    inbox: str = Field(
        "", description="Folder or object-store URL where new reports arrive; they are copied, never moved. Empty: none"
    )
    settle_seconds: float = Field(
        2.0, ge=0, le=600, description="Time between two looks at the inbox; a file that grows meanwhile is left"
    )


class PublishParameters(PoolParameters, ReleaseOptions):
    """Measure, judge and publish what a store holds; nothing is read."""

    store: str = Field(description="Folder or object-store URL of the store")
    out: str = Field(description="Folder for the candidate of the release")
    releases: str = Field(min_length=1, description="Folder of published releases")
    year: int = Field(0, ge=0, le=LAST_YEAR, description="Report year of the release; 0 takes the newest in the store")
    dictionaries: list[str] = Field(["wu2021"], min_length=1, description="Names of dictionaries")
    dictionary_folder: str = Field("", description="Folder with dictionaries of your own (YAML)")
    rule: Rule = Field("longest", description="What counts as an occurrence")
    scopes: Scopes = Field(["report"], min_length=1, description=SCOPES_HELP)
    keep: Keep = Field(["raw"], min_length=1, description=KEEP_HELP)
    script: Script = Field("as_printed", description="Match traditional characters as printed, or as simplified ones")
    segmenter: Segmenter = Field("rjieba", description="Who cuts tokens, for the rule 'token'")
    max_failure_share: float = Field(
        0.02, ge=0, le=1, description="The gate rejects when a greater share of the files timed out or failed"
    )
    title: str = Field("", description="Title of the report; empty takes the usual one")
    is_simulated: bool = Field(False, description="Mark every output as simulated data")


class StudyParameters(Parameters):
    """Run a study over a panel."""

    spec: str = Field(description="Specification (YAML), or the name of a study that comes with shuzhi")
    panel: str = Field("", description="Table or folder of the panel; empty takes what the specification names")
    out: str = Field(description="Folder to write to")
    data: str = Field("", description="Folder of the sources, where the specification builds its panel")
    is_simulated: bool = Field(False, description="Mark the report as one of simulated data")


class FetchParameters(Parameters):
    """Fetch the reports of a list of announcements, politely, into a folder."""

    source: str = Field(description="List of announcements (CSV), or settings of an announcement service (YAML)")
    folder: str = Field(description="Folder to write the reports to")
    hosts: list[str] = Field([], description="Hosts that may be asked, for example static.example.org; none else is")
    kinds: list[Kind] = Field(["annual"], min_length=1, description="Kinds of report to fetch, by their titles")
    years: Years = Field([], description="Report years, for example 2019-2023; empty takes all")
    include_revised: bool = Field(True, description="Fetch revised and updated reports too")
    limit: int = Field(0, ge=0, description="Ask for only so many files; 0 asks for all")
    retry: bool = Field(False, description="Ask again for links that were refused for good before")
    max_failure_share: float = Field(
        0.02, ge=0, le=1, description="The run fails when a greater share of the links gave no report"
    )
    requests_per_second: float = Field(0.5, gt=0, le=1000, description="Most requests a second")
    jitter_seconds: float = Field(0.5, ge=0, description="Random pause after each request, at most so long; 0 for none")
    seed: int = Field(2024, ge=0, description="Seed of the random pauses")
    tries: int = Field(4, ge=1, le=20, description="Times a link is tried before it counts as failed")
    first_wait_seconds: float = Field(2.0, ge=0, description="Wait before the second try; it doubles with each")
    longest_wait_seconds: float = Field(
        300.0, ge=0, description="Longest wait; a server that asks for more ends the run"
    )
    failures_in_row: int = Field(10, ge=1, description="The run stops after so many failed links in a row")
    connect_seconds: float = Field(10.0, gt=0, description="Time limit of a connection, in seconds")
    read_seconds: float = Field(30.0, gt=0, description="Longest silence of the server, in seconds")
    seconds_per_file: float = Field(600.0, gt=0, description="Time limit of one request in all, in seconds")
    max_megabytes: float = Field(200.0, gt=0, description="Largest file, in megabytes")
    check_listed_size: bool = Field(True, description="Refuse a file whose size is not near the one that was listed")
    check_end: bool = Field(True, description="Refuse a PDF without its end mark, which was cut off most likely")
    contact: str = Field("", pattern=r"^[ -~]*$", description="Mail address or page that the server is told, in ASCII")
    proxies_from_environment: bool = Field(False, description="Use the proxies that the environment names")
    allow_private: bool = Field(False, description="Allow hosts on this machine or in private networks")
    certificates: str = Field("", description="File of further certificate authorities (PEM)")


def usage_error(error: ValidationError, source: str) -> UsageError:
    """Turn pydantic's report into ours: every problem on a line, with what was given and what would do.

    Parameters
    ----------
    error : ValidationError
        What pydantic found.
    source : str
        Where the values came from, for example ``shuzhi run`` or a file.

    Returns
    -------
    UsageError
        Ready to be raised.
    """
    lines = []
    for problem in error.errors(include_url=False):
        name = ".".join(str(part) for part in problem["loc"]) or "parameters"
        message = problem["msg"].removeprefix("Value error, ")
        given = "" if problem["type"] == "missing" else f" (given: {problem['input']!r})"
        lines.append(f"  {name}: {message}{given}")
    count = f"{len(lines)} problem{'s' if len(lines) > 1 else ''}"
    return UsageError(f"{source}: {count}\n" + "\n".join(lines))
