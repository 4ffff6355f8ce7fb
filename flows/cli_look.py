"""Commands that look and change nothing: status, evidence, sql."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

StoreOption = Annotated[
    str, typer.Option("--store", help="Store: a folder, an output folder, or a URL.", show_default="store in OUT")
]
DictionaryFolder = Annotated[
    str, typer.Option(envvar="SHUZHI_DICTIONARIES", help="Folder with dictionaries of your own (YAML).")
]
SHOWN_MISSING = 20


def status(
    store: StoreOption = "",
    as_csv: Annotated[bool, typer.Option("--csv", help="Print the firm-years without a report as CSV.")] = False,
) -> None:
    """Show what the store holds, what is stale and why, and which firm-years have no readable report.

    Example:  shuzhi status --store out
    """
    from flows.formats import csv_text
    from flows.inspect_store import find_store, missing_firm_years, staleness, status_by_year

    found = find_store(store)
    missing = missing_firm_years(found)
    if as_csv:
        typer.echo(csv_text(missing), nl=False)
        return
    typer.echo(f"store {found.url}")
    for each in staleness(found):
        typer.echo(f"  {each.state:<10}  {each.what}: {each.reason}")
    typer.echo(status_by_year(found).to_string(index=False, na_rep="?"))
    typer.echo(f"{len(missing):,} firm-years without a readable report, between each firm's first and last year")
    for row in missing.head(SHOWN_MISSING).to_dict("records"):
        typer.echo(f"  {row['stock_code']}  {row['report_year']}  {row['company_name']}  {row['reason']}")
    if len(missing) > SHOWN_MISSING:
        typer.echo(f"  … and {len(missing) - SHOWN_MISSING:,} more; 'shuzhi status --csv' lists them all")


def evidence(
    stock_code: Annotated[str, typer.Option(help="Stock code, for example 600519.")] = "",
    year: Annotated[int, typer.Option(help="Report year.")] = 0,
    term: Annotated[str, typer.Option(help="Only this term.")] = "",
    dictionary: Annotated[str, typer.Option(help="Only this dictionary.")] = "",
    limit: Annotated[int, typer.Option(min=0, help="At most so many hits; 0 shows all.")] = 0,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    store: StoreOption = "",
) -> None:
    """Show hits in context, with their page.

    Example:  shuzhi evidence --stock-code 600519 --year 2020 --term 大数据 --store out
    """
    from flows.formats import csv_text
    from flows.inspect_store import evidence as find_evidence
    from flows.inspect_store import find_store, hit_lines

    found = find_evidence(find_store(store), stock_code=stock_code, year=year, term=term, dictionary=dictionary)
    shown = found.head(limit) if limit else found
    if as_csv:
        typer.echo(csv_text(shown), nl=False)
        return
    for line in hit_lines(shown, mark=sys.stdout.isatty()):
        typer.echo(line)
    typer.echo(f"{len(shown):,} of {len(found):,} hits", err=True)


def sql(
    query: Annotated[
        str, typer.Argument(help="A query on documents, pages, texts, sections, readings, hits, indices.")
    ],
    value: Annotated[
        list[str] | None,
        typer.Option("--value", help="What $name in the query stands for: name=value; repeat for more."),
    ] = None,
    out: Annotated[str, typer.Option(help="File to write the answer to: .csv, .parquet or .xlsx.")] = "",
    form: Annotated[
        Literal["csv", "parquet", "xlsx"] | None,
        typer.Option("--format", help="Format, where the name of the file does not say; without --out: csv."),
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="The same as --format csv.")] = False,
    store: StoreOption = "",
) -> None:
    """Ask the store in SQL (DuckDB); nothing can be changed.

    Example:  shuzhi sql "SELECT report_year, count(*) FROM documents GROUP BY ALL ORDER BY 1" --store out
    """
    from flows.formats import csv_text
    from flows.inspect_store import ask_store, find_store
    from flows.sql import answer_frame, parse_values, write_answer
    from shuzhi import UsageError

    kind = "csv" if as_csv else form
    if not out and kind in ("parquet", "xlsx"):
        raise UsageError(f"sql: --format {kind} needs a file; name one with --out")
    found = ask_store(find_store(store), query, parse_values(value or []))
    if out:
        write_answer(found, Path(out), kind)
        typer.echo(f"{found.num_rows:,} rows written to {out}")
        return
    frame = answer_frame(found)
    typer.echo(csv_text(frame) if kind == "csv" else frame.to_string(index=False), nl=kind != "csv")
