"""Commands that look and change nothing: status, evidence, sql, dictionary."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

StoreOption = Annotated[
    str, typer.Option("--store", help="Store: a folder, an output folder, or a URL.", show_default="store in OUT")
]
DictionaryFolder = Annotated[str, typer.Option(help="Folder with dictionaries of your own (YAML).")]
SHOWN_MISSING = 20
dictionary_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="List, show and check dictionaries.")


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


@dictionary_app.command("list")
def dictionary_list(dictionary_folder: DictionaryFolder = "") -> None:
    """List the dictionaries: name, terms, whether verified, title.

    Example:  shuzhi dictionary list
    """
    from flows.dictionary_files import dictionary_paths, load_dictionary

    for name, path in dictionary_paths(dictionary_folder).items():
        each = load_dictionary(path)
        checked = "verified" if each.verified else "NOT verified"
        typer.echo(f"{name:<16} {len(each.terms):>4} terms  {checked:<12}  {each.content_hash}  {each.title_zh}")


@dictionary_app.command("show")
def dictionary_show(
    name: Annotated[str, typer.Argument(help="Name of a dictionary.")],
    dictionary_folder: DictionaryFolder = "",
) -> None:
    """Show a dictionary: its passport and its terms by dimension.

    Example:  shuzhi dictionary show wu2021
    """
    from flows.dictionary_files import load_dictionaries
    from flows.inspect_store import dictionary_lines

    for line in dictionary_lines(load_dictionaries([name], dictionary_folder)[0]):
        typer.echo(line)


@dictionary_app.command("check")
def dictionary_check(
    names: Annotated[list[str], typer.Argument(help="Names of dictionaries, or YAML files.")],
    dictionary_folder: DictionaryFolder = "",
) -> None:
    """Check dictionaries: duplicates, empty terms, unknown keys, terms that are matched alike.

    Example:  shuzhi dictionary check my_words.yml
    """
    from flows.dictionary_files import load_dictionaries, load_dictionary

    for name in names:
        is_file = name.lower().endswith((".yml", ".yaml"))
        each = load_dictionary(Path(name)) if is_file else load_dictionaries([name], dictionary_folder)[0]
        size = f"{len(each.terms)} terms in {len(each.dimensions)} dimensions"
        typer.echo(f"{name}: no problem; {size}, hash {each.content_hash}")
