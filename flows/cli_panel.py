"""Commands for panels: build one from a specification, describe one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer


def panel(
    spec: Annotated[Path, typer.Argument(help="Specification of the panel (YAML).", show_default=False)],
    out: Annotated[
        Path | None, typer.Option(help="Folder to write to; needed unless --check.", show_default=False)
    ] = None,
    data: Annotated[str, typer.Option(help="Folder in which the sources are looked for first.")] = "",
    check: Annotated[bool, typer.Option("--check", help="Only read the specification and say what is wrong.")] = False,
) -> None:
    """Build a panel of firm-years from the sources, steps and checks of a specification.

    Shows the flow chart of the sample, every join with the keys that found no partner, and all that was changed.

    Example:  shuzhi panel panel.yml --data data --out panel
    """
    from flows.panel import load_spec, make_panel
    from shuzhi import UsageError

    if check:
        found = load_spec(str(spec))
        typer.echo(f"{spec}: {len(found.sources)} sources, {len(found.steps)} steps, no problem found")
        return
    if out is None:
        raise UsageError("say where to write with --out FOLDER, or use --check")
    summary = make_panel(str(spec), str(out), data)
    typer.echo(summary.text)
    typer.echo(f"{summary.rows:,} rows, {summary.columns} columns; written to {out} (start with panel.txt)")


def describe(
    panel: Annotated[
        Path,
        typer.Argument(help="Folder that 'shuzhi panel' wrote, or a table (.parquet, .dta, .csv, .xlsx)."),
    ],
    variable: Annotated[
        list[str] | None,
        typer.Option("--variable", help="Column to describe; repeat for more. All numbers if not given."),
    ] = None,
    by: Annotated[str, typer.Option(help="Column of groups or years.")] = "",
    out: Annotated[
        Path | None, typer.Option(help="Folder for the tables, in Word, LaTeX, HTML, Excel and more.")
    ] = None,
    format_: Annotated[
        list[str] | None, typer.Option("--format", help="Format; repeat for more. All if not given.")
    ] = None,
    missing: Annotated[
        Literal["pairwise", "listwise"], typer.Option(help="Rows of a correlation: those of the pair, or of all.")
    ] = "pairwise",
    percentile: Annotated[
        Literal["linear", "stata"], typer.Option(help="How quartiles are computed: as numpy and R, or as Stata.")
    ] = "linear",
    language: Annotated[Literal["zh", "en"], typer.Option(help="Language of the tables.")] = "zh",
    digits: Annotated[int, typer.Option(min=0, max=10, help="Decimals.")] = 3,
) -> None:
    """Show descriptive statistics and correlations of a panel (Pearson below, Spearman above), or write them as tables.

    Example:  shuzhi describe panel --variable digital_log1p --variable revenue_log --by report_year --out tables
    """
    from econometrics.tables import FORMATS, render_table
    from flows.describe import DescribeOptions, describe_panel, write_description
    from shuzhi import UsageError

    wanted = [name for name in FORMATS if not format_ or name in format_]
    unknown = sorted(set(format_ or []) - set(FORMATS))
    if unknown:
        raise UsageError(f"no format {', '.join(unknown)}; there are {', '.join(FORMATS)}")
    options = DescribeOptions(tuple(variable or ()), by, missing, percentile, language, digits)
    description = describe_panel(str(panel), options)
    for table in description.tables.values():
        typer.echo(render_table(table, "txt").decode("utf-8"))
    if out is not None:
        written = write_description(description, out, wanted)
        typer.echo(f"{len(written)} files written to {out}")
