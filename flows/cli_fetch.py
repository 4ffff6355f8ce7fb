"""The command that fetches reports."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from shuzhi import masked

if TYPE_CHECKING:
    from flows.fetch_run import FetchPlan, FetchSummary
    from flows.settings import FetchParameters

MOST_SHOWN_FILES = 50
MOST_SHOWN_REASONS = 8


def fetch(
    source: Annotated[
        str,
        typer.Argument(
            metavar="LIST",
            help="List of announcements (CSV: code, year, title, link), or settings of a service (YAML).",
            show_default=False,
        ),
    ],
    to: Annotated[Path, typer.Option(help="Folder to write the reports to.", show_default=False)],
    host: Annotated[list[str] | None, typer.Option(help="Host that may be asked; repeat for more.")] = None,
    kind: Annotated[
        list[str] | None,
        typer.Option(help="Kind of report to fetch, by its title; repeat for more. annual by default."),
    ] = None,
    years: Annotated[str, typer.Option(help="Report years, for example 2019-2023 or 2019,2021.")] = "",
    revised: Annotated[
        bool, typer.Option("--revised/--no-revised", help="Fetch revised and updated reports too.")
    ] = True,
    limit: Annotated[int, typer.Option(min=0, help="Ask for only so many files; for a first try.")] = 0,
    retry: Annotated[bool, typer.Option("--retry", help="Ask again for links that were refused for good.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be fetched, and how long it takes.")
    ] = False,
    requests_per_second: Annotated[float, typer.Option(help="Most requests a second.")] = 0.5,
    jitter_seconds: Annotated[float, typer.Option(help="Random pause after each request, at most; 0 for none.")] = 0.5,
    seed: Annotated[int, typer.Option(help="Seed of the random pauses.")] = 2024,
    tries: Annotated[int, typer.Option(help="Times a link is tried.")] = 4,
    first_wait_seconds: Annotated[float, typer.Option(help="Wait before the second try; doubles with each.")] = 2.0,
    longest_wait_seconds: Annotated[
        float, typer.Option(help="Longest wait; a server that asks for more ends the run.")
    ] = 300.0,
    failures_in_row: Annotated[int, typer.Option(help="Stop after so many failed links in a row.")] = 10,
    connect_seconds: Annotated[float, typer.Option(help="Time limit of a connection.")] = 10.0,
    read_seconds: Annotated[float, typer.Option(help="Longest silence of the server.")] = 30.0,
    seconds_per_file: Annotated[float, typer.Option(help="Time limit of one request in all.")] = 600.0,
    max_megabytes: Annotated[float, typer.Option(help="Largest file.")] = 200.0,
    check_listed_size: Annotated[
        bool, typer.Option("--check-size/--no-check-size", help="Refuse files whose size is not near the listed one.")
    ] = True,
    check_end: Annotated[
        bool, typer.Option("--check-end/--no-check-end", help="Refuse PDFs without their end mark.")
    ] = True,
    contact: Annotated[str, typer.Option(help="Mail address or page that the server is told.")] = "",
    proxy_from_environment: Annotated[
        bool, typer.Option("--proxy-from-environment", help="Use the proxies that the environment names.")
    ] = False,
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="Allow hosts on this machine or in private networks.")
    ] = False,
    certificates: Annotated[str, typer.Option(help="File of further certificate authorities (PEM).")] = "",
    max_failure_share: Annotated[
        float, typer.Option(min=0, max=1, help="Exit with 1 when more than this share of links gave no report.")
    ] = 0.02,
) -> None:
    """Fetch the reports of a list of announcements, politely, one after another, into a folder.

    Running it again asks only for what is not there yet. What became of each announcement is in fetched.csv.

    Example:  shuzhi fetch announcements.csv --to reports --host static.example.org --years 2023
    """
    from pydantic import ValidationError

    from flows.settings import FetchParameters, usage_error

    given = {
        "source": source,
        "folder": str(to),
        "hosts": host or [],
        "kinds": kind or ["annual"],
        "years": years,
        "include_revised": revised,
        "limit": limit,
        "retry": retry,
        "max_failure_share": max_failure_share,
        "requests_per_second": requests_per_second,
        "jitter_seconds": jitter_seconds,
        "seed": seed,
        "tries": tries,
        "first_wait_seconds": first_wait_seconds,
        "longest_wait_seconds": longest_wait_seconds,
        "failures_in_row": failures_in_row,
        "connect_seconds": connect_seconds,
        "read_seconds": read_seconds,
        "seconds_per_file": seconds_per_file,
        "max_megabytes": max_megabytes,
        "check_listed_size": check_listed_size,
        "check_end": check_end,
        "contact": contact,
        "proxies_from_environment": proxy_from_environment,
        "allow_private": allow_private,
        "certificates": certificates,
    }
    try:
        parameters = FetchParameters.model_validate(given)
    except ValidationError as error:
        raise usage_error(error, "shuzhi fetch") from None
    _fetch(parameters, dry_run=dry_run)


def _fetch(parameters: FetchParameters, *, dry_run: bool) -> None:
    from flows.fetch_run import fetch_all, plan_fetching

    if not parameters.contact:
        typer.echo("Note: name yourself to the server with --contact", err=True)
    if dry_run:
        _show_plan(plan_fetching(parameters))
        return
    summary = fetch_all(parameters, lambda line: typer.echo(line, err=True))
    _show_notes(summary.notes)
    typer.echo(closing_line(summary))


def _show_notes(notes: list[str]) -> None:
    for note in notes:
        typer.echo(f"Warning: {note}", err=True)


def _show_plan(plan: FetchPlan) -> None:
    for name, link in plan.files[:MOST_SHOWN_FILES]:
        typer.echo(f"{name}  <-  {masked(link)}")
    if len(plan.files) > MOST_SHOWN_FILES:
        typer.echo(f"… and {len(plan.files) - MOST_SHOWN_FILES:,} more")
    _show_notes(plan.notes)
    typer.echo(
        f"would fetch {len(plan.files):,} files ({plan.held:,} settled, {plan.refused:,} refused,"
        f" {_reasons(plan.left_out)}): about {plan.megabytes:,.0f} MB, {plan.minutes:,.1f} minutes"
    )


def _reasons(left_out: dict[str, int]) -> str:
    """Return how many announcements are left out, and the commonest reasons."""
    total = sum(left_out.values())
    if not total:
        return "0 left out"
    shown = [f"{reason} {count:,}" for reason, count in list(left_out.items())[:MOST_SHOWN_REASONS]]
    more = ["other reasons"] if len(left_out) > MOST_SHOWN_REASONS else []
    return f"{total:,} left out: {', '.join(shown + more)}"


def closing_line(summary: FetchSummary) -> str:
    """Return one line on what a run did."""
    lost = summary.failed + summary.refused
    parts = [
        f"fetched {summary.fetched:,} ({summary.megabytes:,.1f} MB)",
        f"held {summary.held:,}",
        f"duplicates {summary.duplicates:,}",
        *([f"not reached {summary.pending:,}"] if summary.pending else []),
        f"failed {lost:,}{' (see fetched.csv)' if lost else ''}",
        _reasons(summary.left_out),
    ]
    return " · ".join(parts)
