"""The command that compares two exports or two releases."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def diff(
    before: Annotated[str, typer.Argument(metavar="A", help="Export folder, release folder, or a release's version.")],
    after: Annotated[str, typer.Argument(metavar="B", help="What it is compared with.")],
    releases: Annotated[
        str, typer.Option(help="Folder of releases, where A and B are versions such as 2024.1 or latest.")
    ] = "",
    out: Annotated[str, typer.Option(help="Folder to write changes.csv and CHANGES.md to.")] = "",
    largest: Annotated[int, typer.Option(min=0, help="How many of the largest changes to show.")] = 15,
) -> None:
    """Explain every number that differs between two exports by its cause.

    Exits with 0 where no number differs, with 1 where one does, and with 2 where A or B cannot be compared.

    Example:  shuzhi diff out-2024 out-2025 --out changes
    """
    from flows.publishing.difference_places import compare_places

    found = compare_places(before, after, releases)
    for line in found.lines(largest):
        typer.echo(line)
    if out:
        found.write(Path(out))
        typer.echo(f"written to {out} (start with CHANGES.md)", err=True)
    if not found.is_same:
        raise typer.Exit(1)
