"""What nothing refers to any more: parts of older software, dictionaries and rules, and what killed runs left."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from flows.store import PartTable, Store
from flows.storing.repair import Place
from flows.storing.views import parts_in_force

REASONS = {
    "readings": "pages by another reader, or by another version of it",
    "pages": "pages by another reader, or by another version of it, or of a run that was killed",
    "texts": "texts of other pages, or by another version",
    "sections": "sections of other pages, or by another version",
    "furniture": "furniture of other pages, or by another version",
    "hits": "hits of a dictionary or rule that is no longer in force, or of other pages",
    "files": "listings of folders that do not belong to this store",
    "documents": "documents of another version",
    "indices": "indices of a dictionary, rule or scope that is no longer in force",
}


@dataclass(frozen=True)
class Unused:
    """What of one table nothing refers to: the table, its parts, their size, and what they are in words."""

    table: str
    places: tuple[Place, ...]
    megabytes: float
    reason: str


def find_unused(store: Store) -> list[Unused]:
    """Return the parts that nothing in force refers to, by table.

    Parameters
    ----------
    store : Store
        Whose files of keys in force are whole; otherwise everything would look unused.

    Raises
    ------
    StoreError
        If a file of keys in force is damaged, or nothing was read yet.
    """
    used = {place for places in parts_in_force(store).values() for place in places}
    folders = (store.current("folders") or {}).get("keys", {})
    used |= {("files", key, part) for key in folders for part in store.parts("files", key)}
    found = []
    for table in get_args(PartTable):
        places = [
            (table, key, part)
            for key in store.keys(table)
            for part in store.parts(table, key)
            if (table, key, part) not in used
        ]
        if places:
            size = sum(float(store.fingerprint(*place)[0]) for place in places)
            found.append(Unused(table, tuple(places), size / 1e6, REASONS[table]))
    return found


def remove_unused(store: Store) -> list[Unused]:
    """Remove what nothing refers to, with the store locked, and return what was removed."""
    with store.lock():
        unused = find_unused(store)
        for each in unused:
            for table, key, part in each.places:
                store.remove(table, key, [part])
        for path in store.leftovers():
            with contextlib.suppress(OSError):
                Path(path).unlink()
        store.remove_empty_folders()
    return unused
