"""What a run does before its work: it finds what is damaged in a store and removes it, so that it is made again.

Nothing is removed that cannot be made again from what lies upstream: pages from the reports, texts from the pages,
hits from both, indices from the hits. The run that finds a damage says so. Left to :mod:`flows.storing.lost` are
reports that must be read again although nobody asked for their year, and those whose file is gone.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, get_args

from flows.store import CHECKED, FORMAT, PartTable, Store
from flows.storing.parts import DamagedPartError
from flows.storing.views import CHECK_THREADS
from shuzhi import RunError

Place = tuple[PartTable, str, str]
# They are not used in every run, and all pages of a large store would take a minute to hash.
SELDOM_USED: tuple[PartTable, ...] = ("pages", "furniture")
SHOWN = 3


def repair_reading(store: Store, pages_key: str, text_key: str) -> list[str]:
    """Remove what is damaged of what reading makes; call it with the store locked.

    Parameters
    ----------
    store : Store
        With what earlier runs left.
    pages_key, text_key : str
        Keys of the pages and texts that this run makes.

    Returns
    -------
    list of str
        What was found, a line each, for the user.
    """
    lines = [*_tidy(store), *_repair_current(store, ("reading", "folders")), *_restore_folders(store)]
    keys = _keys_of_reading(pages_key, text_key)
    parts = {table: set(store.parts(table, key)) for table, key in keys.items()}
    places: list[Place] = [(table, key, part) for table, key in keys.items() for part in sorted(parts[table])]
    places += [("documents", "all", part) for part in store.parts("documents", "all")]
    places += [("files", key, part) for key in store.keys("files") for part in store.parts("files", key)]
    damage = find_damage(store, places)
    sound = {table: {part for part in parts[table] if (table, key, part) not in damage} for table, key in keys.items()}
    # A reading without its pages, and texts without their sections, would count where they must not.
    unread = parts["readings"] - sound["pages"]
    undescribed = parts["texts"] - (sound["sections"] & sound["furniture"])
    missing = (unread | undescribed) - {part for _, _, part in damage}
    if missing:
        lines.append(f"{_count(len(missing), 'batch', 'es')} of reports had lost one of their tables, made again")
    store.remove("readings", pages_key, unread)
    store.remove("texts", text_key, undescribed)
    return [*lines, *_removed(store, damage, "made again")]


def check_written(store: Store, pages_key: str, text_key: str) -> None:
    """Read back what is seldom used, so that the next run need not; what was checked before is not read.

    Raises
    ------
    RunError
        If a part was damaged since it was written.
    """
    keys: dict[PartTable, str] = {"pages": pages_key, "furniture": text_key}
    places = [(table, key, part) for table, key in keys.items() for part in store.parts(table, key)]
    for why in find_damage(store, places).values():
        raise RunError(f"{why.partition(';')[0]} just after it was written; check the disk, then run again")


def repair_measuring(store: Store, planned: Collection[str]) -> list[str]:
    """Remove what is damaged of what measuring makes; call it with the store locked.

    Parameters
    ----------
    store : Store
        With what is in force.
    planned : collection of str
        Keys of the hits that this run measures; others are left unmeasured, which their next run makes good.

    Returns
    -------
    list of str
        What was found, a line each, for the user.
    """
    kinds = [kind for kind in store.kinds() if kind.startswith("measurement-")]
    lines = [*_tidy(store), *_repair_current(store, kinds)]
    in_force = {str(each["key"]): each for each in store.current_measurements()}
    places: list[Place] = [
        ("hits", key, part) for key in sorted({*planned, *in_force}) for part in store.parts("hits", key)
    ]
    scopes = {str(key) for each in in_force.values() for key in each.get("scopes", {}).values()}
    places += [("indices", key, part) for key in sorted(scopes) for part in store.parts("indices", key)]
    damage = find_damage(store, places)
    others = {place: why for place, why in damage.items() if place[0] == "hits" and place[1] not in planned}
    lines += _removed(store, {place: why for place, why in damage.items() if place not in others}, "made again")
    names = " --dictionary ".join(sorted({str(in_force[place[1]]["dictionary"]) for place in others}))
    return [*lines, *_removed(store, others, f"made again by 'shuzhi measure --dictionary {names}'")]


def find_damage(store: Store, places: Sequence[Place], *, thorough: bool = False) -> dict[Place, str]:
    """Return the parts whose bytes are not those that were written, and why, in order.

    Parameters
    ----------
    store : Store
        It is read; what was checked of the seldom used tables is noted in it.
    places : sequence of (table, key, part)
        What to check.
    thorough : bool
        Check also what was checked before and has not been written since.
    """
    known = {} if thorough else store.read_checked()
    noted: dict[str, Any] = {}
    damage: dict[Place, str] = {}

    def check(place: Place) -> str:
        name = "/".join(place)
        with contextlib.suppress(OSError):
            found = store.fingerprint(*place)
            may_skip = place[0] in SELDOM_USED or not store.is_local
            if may_skip:
                noted[name] = found
            if may_skip and known.get(name) == found:
                store.trust(name, found)
                return ""
        try:
            store.check_once(*place)
        except DamagedPartError as error:
            noted.pop(name, None)
            return str(error)
        return ""

    with ThreadPoolExecutor(CHECK_THREADS) as threads:
        for place, why in zip(places, threads.map(check, places), strict=True):
            if why:
                damage[place] = why
    tables = {place[0] for place in places}
    kept = {name: each for name, each in known.items() if name.partition("/")[0] not in tables}
    if not thorough and kept | noted != known:
        store.write_json(CHECKED, {"parts": kept | noted})
    return damage


def _removed(store: Store, damage: Mapping[Place, str], what_follows: str) -> list[str]:
    """Remove damaged parts, and return a line for each table that has any."""
    lines = []
    for table in dict.fromkeys(place[0] for place in damage):
        parts = [place for place in damage if place[0] == table]
        shown = ", ".join("/".join(place) for place in parts[:SHOWN]) + (", …" if len(parts) > SHOWN else "")
        lines.append(f"{_count(len(parts), 'damaged part')} of {table} in the store ({shown}), {what_follows}")
    for table, key, part in damage:
        store.remove(table, key, [part])
    return lines


def _count(number: int, what: str, plural: str = "s") -> str:
    return f"{number:,} {what}{'' if number == 1 else plural}"


def _keys_of_reading(pages_key: str, text_key: str) -> dict[PartTable, str]:
    return {
        "readings": pages_key,
        "pages": pages_key,
        "texts": text_key,
        "sections": text_key,
        "furniture": text_key,
    }


def _tidy(store: Store) -> list[str]:
    """Remove what killed runs left beside, and bring a store of an older version to the present format."""
    for path in store.leftovers():
        with contextlib.suppress(OSError):
            Path(path).unlink()
    return _upgrade(store) if store.format < FORMAT else []


def _upgrade(store: Store) -> list[str]:
    """Give every file of an older store its hash; what is damaged gets none and is found by that."""
    folders = _folders_or_none(store) or {}
    number = 0
    for table in get_args(PartTable):
        for key in store.keys(table):
            for part in store.parts(table, key):
                with contextlib.suppress(DamagedPartError):
                    rows = store.read_part(table, key, part)
                    store.write_part(table, key, part, rows, folders.get(key, "") if table == "files" else "")
                    number += 1
    for kind in store.kinds():
        with contextlib.suppress(DamagedPartError):
            store.write_json(f"current/{kind}.json", store.current(kind) or {})
    store.write_marker()
    return [f"store {store.url} was brought to format {FORMAT}: {_count(number, 'part')} carry their hash now"]


def _repair_current(store: Store, kinds: Collection[str]) -> list[str]:
    """Remove damaged files of keys in force, which the run writes again."""
    lines = []
    for kind in kinds:
        try:
            store.current(kind)
        except DamagedPartError:
            store.forget_current(kind)
            again = "made again" if not kind.startswith("measurement-") else "made again where it is measured now"
            lines.append(f"current/{kind}.json in the store was damaged, {again}")
    return lines


def _folders_or_none(store: Store) -> dict[str, str] | None:
    with contextlib.suppress(DamagedPartError):
        return dict((store.current("folders") or {}).get("keys", {}))
    return None


def _restore_folders(store: Store) -> list[str]:
    """Note again the folders whose listings say that they belong to this store."""
    known = _folders_or_none(store) or {}
    found = {}
    for key in store.keys("files"):
        if key not in known:
            with contextlib.suppress(DamagedPartError):
                found[key] = store.note_of("files", key, "all")
    found = {key: folder for key, folder in found.items() if folder}
    if not found:
        return []
    store.set_current("folders", keys={**known, **found})
    return [f"{_count(len(found), 'folder')} of reports {'is' if len(found) == 1 else 'are'} noted in the store again"]
