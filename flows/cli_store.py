"""Commands for the store itself: verify, clean."""

from __future__ import annotations

from typing import Annotated

import typer

from flows.cli_look import StoreOption


def verify(store: StoreOption = "") -> None:
    """Compare every file of the store with the hash it carries; exit code 1 when one is damaged or missing.

    Nothing is changed: the command that each line names makes again what is damaged.

    Example:  shuzhi verify --store out
    """
    from flows.inspect_store import find_store
    from flows.storing.verify import verify_store

    found = find_store(store)
    checked = verify_store(found)
    for line in checked.problems:
        typer.echo(line)
    state = f"{len(checked.problems):,} problems" if checked.problems else "all as they were written"
    typer.echo(f"store {found.url}: {checked.files:,} files, {checked.megabytes:,.0f} MB, {state}")
    if checked.problems:
        raise typer.Exit(1)


def clean(
    store: StoreOption = "",
    yes: Annotated[bool, typer.Option("--yes", help="Remove it; otherwise it is only listed.")] = False,
) -> None:
    """List what nothing in the store refers to any more, and remove it with --yes.

    That is what older versions, dictionaries and rules left. Going back to one of them makes its parts again.

    Example:  shuzhi clean --store out --yes
    """
    from flows.inspect_store import find_store
    from flows.storing.clear import find_unused, remove_unused

    found = find_store(store)
    unused = remove_unused(found) if yes else find_unused(found)
    for each in unused:
        typer.echo(f"{len(each.places):>7,} parts {each.megabytes:>9,.1f} MB  {each.table}: {each.reason}")
    number, size = sum(len(each.places) for each in unused), sum(each.megabytes for each in unused)
    what = "removed" if yes else "would be removed with --yes"
    typer.echo(f"{number:,} parts, {size:,.1f} MB {what}" if number else "nothing to remove: every part is in use")
