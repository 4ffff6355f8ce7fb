"""Commands that judge indices: the quality gate, and the grid of specifications."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flows.cli_look import StoreOption


def quality(
    panel: Annotated[
        Path | None, typer.Argument(help="Panel of firm-years: .csv, .csv.gz, .parquet, .dta or .xlsx.")
    ] = None,
    value: Annotated[
        list[str] | None, typer.Option(help="Column to judge; repeat for more. All numbers if not given.")
    ] = None,
    stock_code: Annotated[str, typer.Option(help="Column with the stock code.")] = "stock_code",
    report_year: Annotated[str, typer.Option(help="Column with the report year.")] = "report_year",
    industry: Annotated[str, typer.Option(help="Column with the industry.")] = "",
    characters: Annotated[str, typer.Option(help="Column with the length of the text.")] = "",
    readable_share: Annotated[str, typer.Option(help="Column with the share of readable pages.")] = "",
    out: Annotated[Path | None, typer.Option(help="Folder for quality.csv and quality.md.")] = None,
    store: StoreOption = "",
) -> None:
    """Check the indices of a store, or any panel of firm-years; exit code 1 when a check fails.

    Example:  shuzhi quality panel.csv --stock-code stkcd --report-year year --value ai --value cloud
    """
    from flows.quality_gate import PanelColumns, check_panel, check_store, report_lines, write_reports

    if panel is not None:
        columns = PanelColumns(value or (), stock_code, report_year, industry, characters, readable_share)
        reports = check_panel(str(panel), columns)
    else:
        from flows.inspect_store import find_store

        reports = check_store(find_store(store))
    for line in report_lines(reports):
        typer.echo(line)
    if out is not None:
        write_reports(reports, out)
    if not all(report.is_ok for report in reports.values()):
        raise typer.Exit(1)
