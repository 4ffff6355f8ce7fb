"""Every hash of a store at once: which files are damaged or missing, and the command that makes each again."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import get_args

from flows.store import PartTable, Store, made_by
from flows.storing.parts import DamagedPartError
from flows.storing.repair import Place, find_damage
from flows.storing.views import parts_in_force
from shuzhi import StoreError


@dataclass(frozen=True)
class Verified:
    """What a check of a store found.

    Parameters
    ----------
    files : int
        Files whose hash was compared.
    megabytes : float
        Size of the parts among them.
    problems : tuple of str
        A line each: what is damaged or missing, and the command that makes it again.
    """

    files: int
    megabytes: float
    problems: tuple[str, ...]


def verify_store(store: Store) -> Verified:
    """Compare every file of a store with the hash in it, and look for parts that are missing; nothing is changed.

    Parameters
    ----------
    store : Store
        Parts of a store of an older version that carry no hash are checked by Parquet's own checksums.

    Returns
    -------
    Verified
        With no problems if all is well.
    """
    places: list[Place] = [
        (table, key, part)
        for table in get_args(PartTable)
        for key in store.keys(table)
        for part in store.parts(table, key)
    ]
    size = 0
    for place in places:
        with contextlib.suppress(OSError):
            size += int(store.fingerprint(*place)[0])
    problems = list(find_damage(store, places, thorough=True).values())
    problems += _unsealed(store, places)
    kinds = store.kinds()
    for kind in kinds:
        with contextlib.suppress(StoreError):
            store.current(kind)
            continue
        again = "'shuzhi measure'" if kind.startswith("measurement-") else "'shuzhi read FOLDER'"
        problems.append(f"{store.url}/current/{kind}.json is damaged; {again} makes it again")
    problems += _missing(store)
    return Verified(len(places) + len(kinds) + 1, size / 1e6, tuple(problems))


def _unsealed(store: Store, places: list[Place]) -> list[str]:
    """Return the parts of an older store that do not decode; the others are only as sure as Parquet's checksums."""
    if store.is_sealed:
        return []
    problems = []
    for place in places:
        try:
            store.read_part(*place)
        except DamagedPartError as error:
            problems.append(str(error))
    return [
        *problems,
        f"store {store.url} is of an older version: the next 'shuzhi read FOLDER' gives each part its hash",
    ]


def _missing(store: Store) -> list[str]:
    """Return the tables that lack a part which the readings in force ask for."""
    try:
        found = parts_in_force(store)
        measured = store.current_measurements()
    except StoreError:
        # A damaged file of keys is named already.
        return []
    wanted = {part for _, _, part in found["readings"]}
    lines = []
    for table in ("pages", "texts", "sections", "furniture"):
        lacking = wanted - {part for _, _, part in found[table]}
        if lacking:
            lines.append(
                f"{len(lacking)} parts of {table} are missing from {store.url}; {made_by(table)} makes them again"
            )
    for each in measured:
        lacking = wanted - {part for _, key, part in found["hits"] if key == each["key"]}
        if lacking:
            name = each["dictionary"]
            lines.append(
                f"{len(lacking)} parts of the hits of {name} are missing;"
                f" 'shuzhi measure --dictionary {name}' makes them again"
            )
    return lines
