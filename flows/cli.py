"""The command line: a thin door to the same flows and parameter models that Prefect runs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows import (
    cli_clusters,
    cli_dictionary,
    cli_difference,
    cli_fetch,
    cli_look,
    cli_panel,
    cli_publish,
    cli_quality,
    cli_serve,
    cli_store,
    cli_study,
    cli_validate,
)
from flows.cli_look import DictionaryFolder, StoreOption
from flows.confine import Confine
from flows.server import prepare_prefect, without_heartbeat
from flows.storing.faults import explain_end, stop_on_termination
from nlp.options import Ocr, Reader, Rule, Runner, Script, Segmenter
from shuzhi import ShuzhiError, UsageError, masked

if TYPE_CHECKING:
    from pydantic import BaseModel

    from flows.annual import RunSummary
    from flows.export import ExportSummary
    from flows.read import ReadSummary

app = typer.Typer(
    name="shuzhi",
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Annual reports of listed firms in, firm-year indices of digital transformation out.\n\n"
    "Example:  shuzhi run reports --out out",
)
_state = {"debug": False}
# What typer returns when Ctrl-C was pressed.
INTERRUPTED = 130

Folder = Annotated[Path, typer.Argument(help="Folder with annual reports (.pdf, .txt).", show_default=False)]
Dictionaries = Annotated[list[str] | None, typer.Option("--dictionary", help="Dictionary; repeat for more.")]
RuleOption = Annotated[Rule, typer.Option(help="What counts as an occurrence of a term.")]
SegmenterOption = Annotated[Segmenter, typer.Option(help="Who cuts tokens.")]
ReaderOption = Annotated[Reader, typer.Option(help="First reader of PDF pages.")]
ScopesOption = Annotated[
    list[str] | None,
    typer.Option(
        "--scope",
        help="Part of a report to count in: report, body, mda or another kind of section, several joined by +, or"
        " without_financial_report; repeat for more.",
    ),
]
KeepOption = Annotated[
    list[str] | None,
    typer.Option(
        "--keep",
        help="Which hits count: raw (all), published (not negated, not about another firm or a person) or strict (the"
        " filer's own action, done); repeat for more.",
    ),
]
GridOption = Annotated[
    str, typer.Option(help="File that declares many indices (YAML); all are computed at once and compared.")
]
ScriptOption = Annotated[Script, typer.Option(help="Match traditional characters as printed or as simplified ones.")]
OcrOption = Annotated[Ocr, typer.Option(help="Who reads scanned pages, 3 to 6 seconds each.")]
KindsOption = Annotated[
    list[str] | None, typer.Option("--kind", help="Kind of report that counts, the preferred first; repeat for more.")
]
CorrectionsOption = Annotated[str, typer.Option(help="File with corrections of whose report a file is (YAML).")]
YearsOption = Annotated[str, typer.Option(help="Report years, for example 2019-2023 or 2019,2021.")]
LimitOption = Annotated[int, typer.Option(min=0, help="Only the first so many files; for a first try.")]
WorkersOption = Annotated[int, typer.Option(min=0, help="Worker processes; 0 takes one a processor.")]
SecondsOption = Annotated[float, typer.Option(help="Time limit of one file, in seconds.")]
MemoryOption = Annotated[int, typer.Option(help="Memory limit of one worker, in megabytes.")]
BatchOption = Annotated[int, typer.Option(min=1, max=1000, help="Files a task run.")]
RunnerOption = Annotated[
    Runner, typer.Option(help="Where the work runs: processes of this machine, or the workers of Dask.")
]
AddressOption = Annotated[
    str, typer.Option(help="Dask scheduler, for example tcp://10.0.0.5:8786; empty starts Dask on this machine.")
]
ConfineOption = Annotated[
    Confine,
    typer.Option(help="Put workers that open reports into a box of bubblewrap: auto where it works, required, or off."),
]
RetryOption = Annotated[bool, typer.Option("--retry", help="Try files again that timed out or failed.")]
FailureOption = Annotated[
    float,
    typer.Option(min=0, max=1, help="Exit with 1 when more than this share of files timed out or failed."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and how long it takes.")]


def main() -> None:
    """Run the command line; a user sees one line for an error, and a traceback only with --debug."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    stop_on_termination()
    command = typer.main.get_command(app)
    try:
        code = command.main(prog_name="shuzhi", standalone_mode=False) or 0
    except ShuzhiError as error:
        if _state["debug"]:
            raise
        typer.echo(f"Error: {error}", err=True)
        code = 2 if isinstance(error, UsageError) else 1
    except KeyboardInterrupt:
        code = INTERRUPTED
    except Exception as error:
        code = _exit_code_of(error)
    if code == INTERRUPTED:
        typer.echo("stopped; the same command goes on where this one was stopped", err=True)
        code = 1
    sys.exit(code)


def _exit_code_of(error: Exception) -> int:
    """Show a wrong option as typer does, and anything unforeseen in one line; return the exit code."""
    if hasattr(error, "show") and hasattr(error, "exit_code"):
        error.show()
        return int(error.exit_code)
    if type(error).__name__ == "Abort":
        return INTERRUPTED
    if _state["debug"]:
        raise error
    known = explain_end(error)
    if known is not None:
        typer.echo(f"Error: {known}", err=True)
        return 2 if isinstance(known, UsageError) else 1
    words = f"{type(error).__name__}: {masked(str(error))}"
    typer.echo(f"Error: {words} (add --debug before the command to see where)", err=True)
    return 1


@app.callback(invoke_without_command=True)
def _start(
    version: Annotated[
        bool, typer.Option("--version", help="Show the versions of everything that can change a number.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks and Prefect's log.")] = False,
) -> None:
    _state["debug"] = debug
    if version:
        from flows.dictionary_files import dictionary_paths, load_dictionary
        from flows.versions import versions

        for name, number in versions().items():
            typer.echo(f"{name} {number}")
        for path in dictionary_paths().values():
            dictionary = load_dictionary(path)
            typer.echo(f"dictionary {dictionary.name} {dictionary.content_hash}")
        raise typer.Exit


def _checked(model: type[BaseModel], command: str, **values: Any) -> Any:
    """Build a parameter model, with all its problems in one message."""
    from pydantic import ValidationError

    from flows.settings import usage_error

    try:
        return model(**values)
    except ValidationError as error:
        raise usage_error(error, f"shuzhi {command}") from None


def _prepare() -> None:
    prepare_prefect(debug=_state["debug"])


@app.command()
def run(
    folder: Folder,
    out: Annotated[Path, typer.Option(help="Folder to write to.", show_default=False)],
    dictionary: Dictionaries = None,
    dictionary_folder: DictionaryFolder = "",
    rule: RuleOption = "longest",
    scope: ScopesOption = None,
    keep: KeepOption = None,
    script: ScriptOption = "as_printed",
    years: YearsOption = "",
    limit: LimitOption = 0,
    store: StoreOption = "",
    kind: KindsOption = None,
    corrections: CorrectionsOption = "",
    ocr: OcrOption = "off",
    reader: ReaderOption = "pdfium",
    segmenter: SegmenterOption = "rjieba",
    workers: WorkersOption = 0,
    seconds_per_file: SecondsOption = 180,
    memory_megabytes: MemoryOption = 1000,
    batch_size: BatchOption = 100,
    runner: RunnerOption = "processes",
    dask_address: AddressOption = "",
    confine: ConfineOption = "auto",
    retry: RetryOption = False,
    max_failure_share: FailureOption = 0.02,
    dry_run: DryRun = False,
) -> None:
    """Read a folder of annual reports, measure firm-year indices and export them.

    Running it again reads only what is new. Results are in OUT: start with report.html.

    Example:  shuzhi run reports --out out --years 2019-2023
    """
    _prepare()
    from flows.settings import RunParameters

    parameters = _checked(
        RunParameters,
        "run",
        folder=str(folder),
        out=str(out),
        dictionaries=dictionary or ["wu2021"],
        dictionary_folder=dictionary_folder,
        rule=rule,
        scopes=scope or ["report"],
        keep=keep or ["raw"],
        script=script,
        years=years,
        limit=limit,
        store=store,
        kinds=kind or ["annual"],
        corrections=corrections,
        ocr=ocr,
        reader=reader,
        segmenter=segmenter,
        workers=workers,
        seconds_per_file=seconds_per_file,
        memory_megabytes=memory_megabytes,
        batch_size=batch_size,
        runner=runner,
        dask_address=dask_address,
        confine=confine,
        retry=retry,
        max_failure_share=max_failure_share,
    )
    from flows.documents import load_corrections
    from flows.files import list_folder

    # What cannot work is said before Prefect takes its seconds to start.
    _warn_of_lists(parameters.dictionaries, parameters.dictionary_folder)
    load_corrections(parameters.corrections)
    list_folder(parameters.folder)
    if dry_run:
        _show_plan(parameters.reading(parameters.years))
        return
    from flows.annual import index_reports

    with without_heartbeat():
        summary = index_reports(parameters)
    _close(summary, out)


def _warn_of_lists(names: list[str], folder: str) -> None:
    """Say plainly which lists nobody has checked."""
    from flows.dictionary_files import load_dictionaries

    for each in load_dictionaries(names, folder):
        if not each.verified and str(each.passport.get("house_list", "")).lower() != "true":
            note = str(each.passport.get("verified_note", "")).strip()
            typer.echo(f"Warning: {each.name} is NOT verified{f': {note}' if note else ''}", err=True)


def _close(summary: RunSummary, out: Path) -> None:
    exporting = summary.exporting
    state = "written to" if exporting.is_new else "unchanged in"
    typer.echo(
        f"{exporting.firm_years:,} firm-years, {summary.measuring.firm_years_with_value:,} of them with a value,"
        f" {exporting.hits:,} hits; {state} {out} (start with report.html)",
        err=True,
    )
    _warn_of_checks(exporting)
    _say(summary.measuring.notes)
    _warn(summary.reading)
    typer.echo(_closing_line(summary.reading))


def _warn_of_checks(exporting: ExportSummary) -> None:
    if exporting.failing_checks:
        fail = "check of the indices fails" if exporting.failing_checks == 1 else "checks of the indices fail"
        typer.echo(f"Warning: {exporting.failing_checks} {fail}; see quality.md", err=True)


def _warn(reading: ReadSummary) -> None:
    for message in (*reading.notes, *reading.failed_corrections):
        typer.echo(f"Warning: {message}", err=True)


def _say(notes: list[str]) -> None:
    for note in notes:
        typer.echo(f"Warning: {note}", err=True)


def _closing_line(reading: ReadSummary, where: str = "failures.csv") -> str:
    failed = f"failed {reading.failed:,}" + (f" (see {where})" if reading.failed else "")
    skipped = f" · skipped {reading.skipped:,}" if reading.skipped else ""
    return f"read {reading.read:,} · cached {reading.cached:,}{skipped} · {failed}"


def _show_plan(parameters: Any) -> None:
    from flows.read import plan_reading

    plan = plan_reading(parameters)
    typer.echo(
        f"would read {plan.new:,} of {plan.files:,} files ({plan.known:,} known, {plan.skipped:,} left out):"
        f" {plan.megabytes:,.0f} MB, about {plan.minutes:,.1f} minutes with {plan.workers} workers"
    )


@app.command()
def read(
    folder: Folder,
    store: StoreOption = "store",
    years: YearsOption = "",
    limit: LimitOption = 0,
    kind: KindsOption = None,
    corrections: CorrectionsOption = "",
    ocr: OcrOption = "off",
    reader: ReaderOption = "pdfium",
    segmenter: SegmenterOption = "rjieba",
    workers: WorkersOption = 0,
    seconds_per_file: SecondsOption = 180,
    memory_megabytes: MemoryOption = 1000,
    batch_size: BatchOption = 100,
    runner: RunnerOption = "processes",
    dask_address: AddressOption = "",
    confine: ConfineOption = "auto",
    retry: RetryOption = False,
    max_failure_share: FailureOption = 0.02,
    dry_run: DryRun = False,
) -> None:
    """Extract the text of every new report of a folder into the store.

    Example:  shuzhi read reports --store store
    """
    _prepare()
    from flows.settings import ReadParameters

    parameters = _checked(
        ReadParameters,
        "read",
        folder=str(folder),
        store=store,
        years=years,
        limit=limit,
        kinds=kind or ["annual"],
        corrections=corrections,
        ocr=ocr,
        reader=reader,
        segmenter=segmenter,
        workers=workers,
        seconds_per_file=seconds_per_file,
        memory_megabytes=memory_megabytes,
        batch_size=batch_size,
        runner=runner,
        dask_address=dask_address,
        confine=confine,
        retry=retry,
        max_failure_share=max_failure_share,
    )
    from flows.files import list_folder

    list_folder(parameters.folder)
    if dry_run:
        _show_plan(parameters)
        return
    from flows.read import read_reports

    with without_heartbeat():
        summary = read_reports(parameters)
    _warn(summary)
    typer.echo(_closing_line(summary, "shuzhi status"))


@app.command()
def measure(
    dictionary: Dictionaries = None,
    store: StoreOption = "",
    dictionary_folder: DictionaryFolder = "",
    rule: RuleOption = "longest",
    scope: ScopesOption = None,
    keep: KeepOption = None,
    script: ScriptOption = "as_printed",
    segmenter: SegmenterOption = "rjieba",
    years: YearsOption = "",
    workers: WorkersOption = 0,
    runner: RunnerOption = "processes",
    dask_address: AddressOption = "",
    confine: ConfineOption = "auto",
    grid: GridOption = "",
    out: Annotated[str, typer.Option(help="With --grid: folder to write to.")] = "grid",
    industries: Annotated[str, typer.Option(help="With --grid: table with stock_code and industry.")] = "",
    others: Annotated[
        str, typer.Option("--with", help="With --grid: table by firm-year of what the indices should go with.")
    ] = "",
    draws: Annotated[int, typer.Option(help="With --grid: random halves of the terms; 0 for none.")] = 200,
    seed: Annotated[int, typer.Option(help="With --grid: seed of these draws.")] = 1,
) -> None:
    """Count the terms of dictionaries in the stored pages and build the indices; no report is opened.

    Example:  shuzhi measure --dictionary wu2021 --scope report --scope mda --store store
    """
    _prepare()
    from flows.inspect_store import find_store
    from flows.settings import MeasureParameters

    if grid:
        shared: dict[str, Any] = {
            "dictionary_folder": dictionary_folder,
            "script": script,
            "segmenter": segmenter,
            "years": years,
        }
        shared |= {"industries": industries, "others": others, "draws": draws, "seed": seed, "workers": workers}
        shared |= {"runner": runner, "dask_address": dask_address}
        _measure_grid(store=find_store(store).url, grid=grid, out=out, **shared)
        return
    parameters = _checked(
        MeasureParameters,
        "measure",
        store=find_store(store).url,
        dictionaries=dictionary or ["wu2021"],
        dictionary_folder=dictionary_folder,
        rule=rule,
        scopes=scope or ["report"],
        keep=keep or ["raw"],
        script=script,
        segmenter=segmenter,
        years=years,
        workers=workers,
        runner=runner,
        dask_address=dask_address,
        confine=confine,
    )
    from flows.measure import measure_indices

    _warn_of_lists(parameters.dictionaries, parameters.dictionary_folder)
    with without_heartbeat():
        summary = measure_indices(parameters)
    _say(summary.notes)
    typer.echo(
        f"measured {summary.parts_measured:,} batches · cached {summary.parts_cached:,} ·"
        f" {summary.firm_years:,} firm-years, {summary.firm_years_with_value:,} with a value"
    )


def _measure_grid(**given: Any) -> None:
    from flows.grid import GridParameters, load_grid, measure_grid

    parameters = _checked(GridParameters, "measure", **given)
    load_grid(parameters.grid)
    with without_heartbeat():
        summary = measure_grid(parameters)
    typer.echo(
        f"{summary.indices:,} indices of {summary.firm_years:,} firm-years, lowest rank correlation"
        f" {summary.lowest_spearman:.3f}; written to {parameters.out} (start with grid.md)"
    )


@app.command()
def export(
    out: Annotated[Path, typer.Option(help="Folder to write to.", show_default=False)],
    dictionary: Dictionaries = None,
    rule: Annotated[str, typer.Option(help="Matching rule; needed where several were measured.")] = "",
    scope: ScopesOption = None,
    keep: KeepOption = None,
    store: StoreOption = "",
    years: YearsOption = "",
    study_kit: Annotated[
        bool,
        typer.Option("--study-kit", help="Also write study-kit and study-kit.zip, for colleagues without shuzhi."),
    ] = False,
    kit_author: Annotated[
        list[str] | None,
        typer.Option("--kit-author", help="Who is cited for the kit: 'Family, Given' or a team; repeat for more."),
    ] = None,
    kit_licence: Annotated[str, typer.Option(help="Licence of the kit, for example CC-BY-4.0.")] = "",
    kit_sentences: Annotated[
        bool, typer.Option("--kit-sentences", help="Put sentences of the reports (quotations) into the kit too.")
    ] = False,
) -> None:
    """Write the indices, hits, codebook and report into a folder, and a study kit for others.

    Example:  shuzhi export --out out --years 2019-2023 --store store --study-kit
    """
    _prepare()
    from flows.inspect_store import find_store
    from flows.settings import ExportParameters

    parameters = _checked(
        ExportParameters,
        "export",
        store=find_store(store).url,
        out=str(out),
        dictionaries=dictionary or [],
        rule=rule,
        scopes=scope or [],
        keep=keep or ["raw"],
        years=years,
        study_kit=study_kit,
        kit_authors=kit_author or [],
        kit_licence=kit_licence,
        kit_sentences=kit_sentences,
    )
    from flows.export import export_indices

    with without_heartbeat():
        summary = export_indices(parameters)
    _warn_of_checks(summary)
    state = "written to" if summary.is_new else "unchanged in"
    typer.echo(f"exported {summary.firm_years:,} firm-years · {summary.hits:,} hits · {state} {out}")
    if study_kit:
        typer.echo(f"study kit in {out / 'study-kit'}, packed as study-kit.zip (start with README.md)")


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder to write to.")] = Path("demo"),
    firms: Annotated[int, typer.Option(min=3, max=400, help="Simulated firms.")] = 60,
    seed: Annotated[int, typer.Option(help="Seed of the simulation.")] = 2024,
) -> None:
    """From simulated PDF reports to a study: what was planted in texts and effects, beside what is found.

    Example:  shuzhi demo --out demo
    """
    _prepare()
    from flows.demo import run_demo

    with without_heartbeat():
        demonstration = run_demo(out, firms=firms, seed=seed)
    typer.echo(demonstration.text)
    if not demonstration.is_right:
        raise typer.Exit(1)


for command in (cli_look.status, cli_look.evidence, cli_look.sql, cli_quality.quality):
    app.command()(command)
for data_command in (cli_clusters.clusters, cli_panel.panel, cli_panel.describe, cli_study.study):
    app.command()(data_command)
app.command()(cli_fetch.fetch)
app.command()(cli_difference.diff)
for release_command in (cli_publish.update, cli_publish.publish, cli_publish.releases, cli_publish.definitions):
    app.command()(release_command)
app.command()(cli_serve.serve)
for store_command in (cli_store.verify, cli_store.clean):
    app.command()(store_command)
app.add_typer(cli_dictionary.dictionary_app, name="dictionary")
app.add_typer(cli_validate.validate_app, name="validate")

if __name__ == "__main__":
    main()
