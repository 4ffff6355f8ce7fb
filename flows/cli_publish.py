"""Commands for a data set that lasts: a new report year, publishing, releases, registered definitions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.cli_look import DictionaryFolder, StoreOption
from flows.confine import Confine
from nlp.options import Ocr, Reader, Rule, Runner, Script, Segmenter

if TYPE_CHECKING:
    from flows.annual import UpdateSummary
    from flows.publishing.publish import Publishing

Out = Annotated[Path, typer.Option(help="Folder to write the candidate to.")]
Releases = Annotated[str, typer.Option(help="Folder of published releases; nothing is published if not given.")]
DefinitionsOption = Annotated[str, typer.Option(help="File of registered index definitions (YAML).")]
Despite = Annotated[str, typer.Option(help="Publish what the gate rejects, for this reason; it is recorded.")]
Declared = Annotated[
    list[str] | None,
    typer.Option(
        "--declare",
        help="Change since the last release that is meant: definition, dictionary, rule, scope, keep, script, reading"
        " or software; repeat for more.",
    ),
]
Dictionaries = Annotated[list[str] | None, typer.Option("--dictionary", help="Dictionary; repeat for more.")]
RuleOption = Annotated[Rule, typer.Option(help="What counts as an occurrence of a term.")]
ScopesOption = Annotated[
    list[str] | None, typer.Option("--scope", help="Part of a report to count in; repeat for more.")
]
KeepOption = Annotated[
    list[str] | None, typer.Option("--keep", help="Which hits count: raw, published or strict; repeat for more.")
]
ScriptOption = Annotated[Script, typer.Option(help="Match traditional characters as printed or as simplified ones.")]
SegmenterOption = Annotated[Segmenter, typer.Option(help="Who cuts tokens.")]
RunnerOption = Annotated[
    Runner, typer.Option(help="Where the work runs: processes of this machine, or the workers of Dask.")
]
AddressOption = Annotated[str, typer.Option(help="Dask scheduler; empty starts Dask on this machine.")]
ConfineOption = Annotated[
    Confine, typer.Option(help="Put workers that open reports into a box of bubblewrap: auto, required, or off.")
]
Workers = Annotated[int, typer.Option(min=0, help="Worker processes; 0 takes one a processor.")]
Failures = Annotated[float, typer.Option(min=0, max=1, help="Largest share of files that may time out or fail.")]
FirmYearsLost = Annotated[
    float, typer.Option(min=0, max=1, help="Largest share of the last release's firm-years that may lose their value.")
]
ValuesChanged = Annotated[
    float, typer.Option(min=0, max=1, help="Largest share of values that may change without a declared reason.")
]
MeanJump = Annotated[float, typer.Option(help="Largest move of the mean of ln(1 + count) into the new year.")]
ZeroJump = Annotated[float, typer.Option(help="Largest move of the share of zeros into the new year.")]
MissingJump = Annotated[float, typer.Option(help="Largest rise of the share without a value in the new year.")]
Coverage = Annotated[
    float, typer.Option(min=0, max=1, help="Least share of last year's firms that must have filed; 0 asks for none.")
]
LeastFirms = Annotated[int, typer.Option(min=2, help="Fewer firms in both years than this, and no move is judged.")]
Title = Annotated[str, typer.Option(help="Title of the report.")]


def update(
    year: Annotated[int, typer.Option(help="The new report year (fiscal year).", show_default=False)],
    folder: Annotated[Path, typer.Option(help="Folder with annual reports (.pdf, .txt).", show_default=False)],
    inbox: Annotated[str, typer.Option(help="Folder or object-store URL where new reports arrive.")] = "",
    out: Out = Path("out"),
    releases: Releases = "",
    definitions: DefinitionsOption = "",
    store: StoreOption = "",
    publish_despite: Despite = "",
    declare: Declared = None,
    dictionary: Dictionaries = None,
    dictionary_folder: DictionaryFolder = "",
    rule: RuleOption = "longest",
    scope: ScopesOption = None,
    keep: KeepOption = None,
    script: ScriptOption = "as_printed",
    kind: Annotated[
        list[str] | None,
        typer.Option("--kind", help="Kind of report that counts, the preferred first; repeat for more."),
    ] = None,
    corrections: Annotated[str, typer.Option(help="File with corrections of whose report a file is (YAML).")] = "",
    ocr: Annotated[Ocr, typer.Option(help="Who reads scanned pages, 3 to 6 seconds each.")] = "off",
    reader: Annotated[Reader, typer.Option(help="First reader of PDF pages.")] = "pdfium",
    segmenter: SegmenterOption = "rjieba",
    retry: Annotated[bool, typer.Option("--retry", help="Try files again that timed out or failed.")] = False,
    workers: Workers = 0,
    seconds_per_file: Annotated[float, typer.Option(help="Time limit of one file, in seconds.")] = 180,
    memory_megabytes: Annotated[int, typer.Option(help="Memory limit of one worker, in megabytes.")] = 1000,
    batch_size: Annotated[int, typer.Option(min=1, max=1000, help="Files a task run.")] = 100,
    runner: RunnerOption = "processes",
    dask_address: AddressOption = "",
    confine: ConfineOption = "auto",
    max_failure_share: Failures = 0.02,
    settle_seconds: Annotated[float, typer.Option(help="Time between two looks at the inbox, in seconds.")] = 2.0,
    most_firm_years_lost: FirmYearsLost = 0.01,
    most_values_changed: ValuesChanged = 0.0,
    largest_mean_jump: MeanJump = 0.4,
    largest_zero_jump: ZeroJump = 0.1,
    largest_missing_jump: MissingJump = 0.1,
    least_coverage: Coverage = 0.0,
    least_firms: LeastFirms = 10,
    title: Title = "",
) -> None:
    """Take a new report year: inbox, reading, measuring, gate, and a published release of all years.

    Running it again takes and publishes only what is new. What changed is in OUT/CHANGES.md, what the gate says in
    OUT/gate.md.

    Example:  shuzhi update --year 2025 --folder reports --inbox inbox --releases releases
    """
    _prepare()
    from flows.settings import AnnualUpdateParameters

    parameters = _checked(
        AnnualUpdateParameters,
        "update",
        year=year,
        folder=str(folder),
        inbox=inbox,
        out=str(out),
        releases=releases,
        definitions=definitions,
        store=store,
        publish_despite=publish_despite,
        declared_changes=declare or [],
        dictionaries=dictionary or ["wu2021"],
        dictionary_folder=dictionary_folder,
        rule=rule,
        scopes=scope or ["report"],
        keep=keep or ["raw"],
        script=script,
        kinds=kind or ["annual"],
        corrections=corrections,
        ocr=ocr,
        reader=reader,
        segmenter=segmenter,
        retry=retry,
        workers=workers,
        seconds_per_file=seconds_per_file,
        memory_megabytes=memory_megabytes,
        batch_size=batch_size,
        runner=runner,
        dask_address=dask_address,
        confine=confine,
        max_failure_share=max_failure_share,
        settle_seconds=settle_seconds,
        most_firm_years_lost=most_firm_years_lost,
        most_values_changed=most_values_changed,
        largest_mean_jump=largest_mean_jump,
        largest_zero_jump=largest_zero_jump,
        largest_missing_jump=largest_missing_jump,
        least_coverage=least_coverage,
        least_firms=least_firms,
        title=title,
    )
    from flows.documents import load_corrections
    from flows.publishing.definitions import definitions_of

    # What cannot work is said before Prefect takes its seconds to start.
    definitions_of(parameters)
    load_corrections(parameters.corrections)
    from flows.annual import annual_update
    from flows.server import without_heartbeat

    with without_heartbeat():
        summary = annual_update(parameters)
    _close_update(summary, parameters.out)


def publish(
    releases: Annotated[str, typer.Option(help="Folder of published releases.", show_default=False)],
    store: StoreOption = "",
    out: Out = Path("out"),
    year: Annotated[int, typer.Option(help="Report year of the release; 0 takes the newest in the store.")] = 0,
    definitions: DefinitionsOption = "",
    publish_despite: Despite = "",
    declare: Declared = None,
    dictionary: Dictionaries = None,
    dictionary_folder: DictionaryFolder = "",
    rule: RuleOption = "longest",
    scope: ScopesOption = None,
    keep: KeepOption = None,
    script: ScriptOption = "as_printed",
    segmenter: SegmenterOption = "rjieba",
    workers: Workers = 0,
    runner: RunnerOption = "processes",
    dask_address: AddressOption = "",
    confine: ConfineOption = "auto",
    max_failure_share: Failures = 0.02,
    most_firm_years_lost: FirmYearsLost = 0.01,
    most_values_changed: ValuesChanged = 0.0,
    largest_mean_jump: MeanJump = 0.4,
    largest_zero_jump: ZeroJump = 0.1,
    largest_missing_jump: MissingJump = 0.1,
    least_coverage: Coverage = 0.0,
    least_firms: LeastFirms = 10,
    title: Title = "",
) -> None:
    """Measure, judge and publish what a store holds, without reading any report.

    Example:  shuzhi publish --store out --definitions definitions.yml --releases releases
    """
    _prepare()
    from flows.inspect_store import find_store
    from flows.settings import PublishParameters

    parameters = _checked(
        PublishParameters,
        "publish",
        releases=releases,
        store=find_store(store).url,
        out=str(out),
        year=year,
        definitions=definitions,
        publish_despite=publish_despite,
        declared_changes=declare or [],
        dictionaries=dictionary or ["wu2021"],
        dictionary_folder=dictionary_folder,
        rule=rule,
        scopes=scope or ["report"],
        keep=keep or ["raw"],
        script=script,
        segmenter=segmenter,
        workers=workers,
        runner=runner,
        dask_address=dask_address,
        confine=confine,
        max_failure_share=max_failure_share,
        most_firm_years_lost=most_firm_years_lost,
        most_values_changed=most_values_changed,
        largest_mean_jump=largest_mean_jump,
        largest_zero_jump=largest_zero_jump,
        largest_missing_jump=largest_missing_jump,
        least_coverage=least_coverage,
        least_firms=least_firms,
        title=title,
    )
    from flows.publishing.definitions import definitions_of

    definitions_of(parameters)
    from flows.annual import publish_release
    from flows.server import without_heartbeat

    with without_heartbeat():
        summary = publish_release(parameters)
    typer.echo(closing_line(summary.publishing, parameters.releases))


def releases(
    folder: Annotated[Path, typer.Argument(help="Folder of published releases.", show_default=False)],
    verify: Annotated[bool, typer.Option("--verify", help="Check every byte; exit with 1 if one was changed.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
) -> None:
    """List the published releases of a data set, or say which file of which release was changed.

    Example:  shuzhi releases releases --verify
    """
    from flows.publishing.listing import table_of
    from flows.publishing.releases import verify as problems_of

    if verify:
        problems = problems_of(folder)
        for problem in problems:
            typer.echo(problem)
        if problems:
            raise typer.Exit(1)
        typer.echo("every release is as it was published")
        return
    table = table_of(folder)
    from flows.formats import csv_text

    typer.echo(csv_text(table) if as_csv else table.to_string(index=False, na_rep=""), nl=not as_csv)


def definitions(
    file: Annotated[Path | None, typer.Argument(help="File of registered index definitions (YAML).")] = None,
    store: StoreOption = "",
) -> None:
    """Check a file of index definitions and list it; without a file, print what a store has in force as one.

    Example:  shuzhi definitions definitions.yml
    """
    from flows.publishing.definitions import load_definitions
    from flows.publishing.definitions_in_force import in_force, shown, to_yaml

    if file is None:
        from flows.inspect_store import find_store

        typer.echo(to_yaml(in_force(find_store(store))), nl=False)
        return
    found = load_definitions(str(file))
    for each in found.definitions:
        for line in shown(each):
            typer.echo(line)
    if not found.data_set.licence:
        typer.echo("Note: no licence is named; others may not know what they may do with the data set", err=True)


def _prepare() -> None:
    from flows.cli import _prepare as prepare

    prepare()


def _checked(model: Any, command: str, **values: Any) -> Any:
    from flows.cli import _checked as checked

    return checked(model, command, **values)


def _close_update(summary: UpdateSummary, out: str) -> None:
    """Say what an update did: files, failures, release."""
    taking = summary.taking
    for row in taking.rows:
        if row.state == "left":
            typer.echo(f"Left in the inbox: {row.inbox_file}: {row.reason}", err=True)
    for message in summary.reading.failed_corrections:
        typer.echo(f"Warning: {message}", err=True)
    taken = f"took {taking.count('taken'):,}, known {taking.count('known'):,}, left {taking.count('left'):,} · "
    reading = summary.reading
    typer.echo(
        f"{taken if taking.rows else ''}read {reading.read:,} · cached {reading.cached:,} · failed {reading.failed:,} ·"
        f" {closing_line(summary.publishing, out)}"
    )


def closing_line(publishing: Publishing, where: str) -> str:
    """Say in one line what became of the candidate."""
    if publishing.state == "not_asked":
        return f"exported to {where}; nothing was published, because --releases is not given"
    if publishing.state == "nothing_new":
        return f"nothing is new since {publishing.version}; no release was made"
    despite = f", despite the gate: {publishing.despite}" if publishing.despite else ""
    return f"published {publishing.version} ({publishing.verdict}{despite})"
