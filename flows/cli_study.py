"""The command for studies: run a specification over a panel, or only check it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer


def study(
    spec: Annotated[
        str,
        typer.Argument(help="Specification (YAML), or the name of a study that comes with shuzhi.", show_default=False),
    ],
    panel: Annotated[
        str, typer.Option(help="Panel: a table (.parquet, .csv, .dta, .xlsx), or the folder of 'shuzhi panel'.")
    ] = "",
    out: Annotated[
        Path | None, typer.Option(help="Folder to write to; needed unless --check.", show_default=False)
    ] = None,
    data: Annotated[str, typer.Option(help="Folder of the sources, where the specification builds its panel.")] = "",
    check: Annotated[
        bool, typer.Option("--check", help="Only judge the specification, against the panel where one is named.")
    ] = False,
    simulated: Annotated[bool, typer.Option("--simulated", help="Mark the report as one of simulated data.")] = False,
) -> None:
    """Run a study: models, mechanism, heterogeneity, policies and robustness of one specification over a panel.

    A model that the data cannot bear is listed and does not stop the others; the exit code is then 1.

    Example:  shuzhi study liu2024 --panel panel.parquet --out study
    """
    from flows.settings import StudyParameters
    from shuzhi import UsageError

    if check:
        _check(spec, panel, data)
        return
    if out is None:
        raise UsageError("say where to write with --out FOLDER, or use --check")
    from flows.study_read import load_study

    # What cannot work is said before anything slow is imported.
    load_study(spec)
    _prepare()
    from flows.study import do_study

    # The same work as the flow run-study, without the half minute that a temporary Prefect takes to start.
    given = StudyParameters(spec=spec, panel=panel, out=str(out), data=data, is_simulated=simulated)
    summary = do_study(given, progress=_show_progress if sys.stderr.isatty() else None)
    if sys.stderr.isatty():
        typer.echo("\r\033[K", nl=False, err=True)
    typer.echo(summary.text)
    for line in summary.skipped:
        typer.echo(f"Left out: {line}", err=True)
    for line in summary.failed:
        typer.echo(f"Failed: {line}", err=True)
    done = sum(summary.results.values())
    left_out = f" · left out {len(summary.skipped)}" if summary.skipped else ""
    typer.echo(
        f"done {done}{left_out} · failed {len(summary.failed)}; {summary.files} files written to {out}"
        " (start with report.html)"
    )
    if summary.failed:
        raise typer.Exit(1)


def _show_progress(part: str, name: str) -> None:
    """Say on one line what is being worked on."""
    typer.echo(f"\r\033[K{part.replace('_', ' ')}: {name}", nl=False, err=True)


def _prepare() -> None:
    from flows.cli import _prepare as prepare

    prepare()


def _check(spec: str, panel: str, data: str) -> None:
    """Say what is wrong with a specification, or that nothing is."""
    from econometrics.study.sample import prepare_sample
    from flows.settings import StudyParameters
    from flows.study_read import load_study, read_study_panel

    found = load_study(spec)
    parts = ("models", "mediation", "heterogeneity", "staggered", "robustness", "tables", "figures")
    counts = ", ".join(f"{part} {len(getattr(found, part))}" for part in parts if getattr(found, part))
    if not panel and not data:
        typer.echo(f"{found.file}: {counts}; no problem found (name a panel to check its columns too)")
        return
    given = read_study_panel(found, StudyParameters(spec=spec, panel=panel, out="", data=data))
    sample = prepare_sample(found, given.data, given.variables, given.notes)
    typer.echo(sample.panel.sample_flow().to_string(index=False))
    for each in sample.plan.skipped:
        typer.echo(f"Left out: {found.file} line {each.line}: {each.part} {each.name}: {each.message}")
    typer.echo(f"{found.file}: {counts}; {len(sample.panel.data):,} rows; no problem found")
