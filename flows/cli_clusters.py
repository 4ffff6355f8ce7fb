"""The command for maps of industrial clusters."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer


def clusters(
    given: Annotated[
        Path, typer.Argument(metavar="SPEC|MICRODATA", help="Specification (.yml), or a table of plants or firms.")
    ],
    out: Annotated[Path, typer.Option(help="Folder to write to.")],
    data: Annotated[
        str, typer.Option(help="Folder in which the sources of a specification are looked for first.")
    ] = "",
    method: Annotated[
        str | None,
        typer.Option(help="Of a table: location_quotient if not given, duranton_overman, proximity and others."),
    ] = None,
    option: Annotated[
        list[str] | None, typer.Option("--option", help="Option of the method as name=value; repeat for more.")
    ] = None,
    place_level: Annotated[
        Literal["county", "prefecture", "province"] | None, typer.Option(help="Of a table: level of the places.")
    ] = None,
    industry_digits: Annotated[
        int | None, typer.Option(min=2, max=4, help="Of a table: digits of the industry.")
    ] = None,
    year: Annotated[int | None, typer.Option(help="Of a table without such a column: year of all rows.")] = None,
) -> None:
    """Find industrial clusters in microdata and write the map: place, industry, year, in a cluster, size, strength.

    Example:  shuzhi clusters plants.csv --place-level prefecture --option quotient=1.25 --out clusters
    """
    from flows.clusters import make_clusters
    from shuzhi import UsageError

    choices = {"place_level": place_level, "industry_digits": industry_digits, "source_year": year}
    told = {name: value for name, value in choices.items() if value is not None}
    is_spec = given.suffix.lower() in (".yml", ".yaml")
    if is_spec and method:
        raise UsageError(f"{given.name} says its method itself; leave --method out")
    found = make_clusters(
        str(given), str(out), data, method=method or "location_quotient", options=option or (), choices=told
    )
    typer.echo(found.text)
    typer.echo(f"written to {out} (start with clusters.txt)")
