"""Commands that look and change nothing: status, evidence, sql."""

from __future__ import annotations

import sys
from typing import Annotated

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
    from flows.inspect_store import find_store, missing_firm_years, staleness, status_by_year

    found = find_store(store)
    missing = missing_firm_years(found)
    if as_csv:
        typer.echo(missing.to_csv(index=False), nl=False)
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
    from flows.inspect_store import evidence as find_evidence
    from flows.inspect_store import find_store, hit_lines

    found = find_evidence(find_store(store), stock_code=stock_code, year=year, term=term, dictionary=dictionary)
    shown = found.head(limit) if limit else found
    if as_csv:
        typer.echo(shown.to_csv(index=False), nl=False)
        return
    for line in hit_lines(shown, mark=sys.stdout.isatty()):
        typer.echo(line)
    typer.echo(f"{len(shown):,} of {len(found):,} hits", err=True)


def sql(
    query: Annotated[str, typer.Argument(help="A query on documents, pages, texts, readings, hits, indices.")],
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    store: StoreOption = "",
) -> None:
    """Ask the store in SQL (DuckDB).

    Example:  shuzhi sql "SELECT report_year, count(*) FROM documents GROUP BY ALL ORDER BY 1" --store out
    """
    from flows.inspect_store import find_store, run_sql

    found = run_sql(find_store(store), query)
    typer.echo(found.to_csv(index=False) if as_csv else found.to_string(index=False), nl=not as_csv)
