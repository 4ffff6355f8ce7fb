"""Parts of the store that are damaged: a byte flipped, cut, emptied, another's bytes, removed; of every table."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import get_args

from flows.store import PartTable
from tests.faults.bench import Bench
from tests.faults.case import Case, Kind

Damage = Callable[[Path, random.Random, Path], str]


def flip(path: Path, rng: random.Random, _folder: Path) -> str:
    """Flip one bit anywhere."""
    content = bytearray(path.read_bytes())
    place = rng.randrange(len(content))
    content[place] ^= 1 << rng.randrange(8)
    path.write_bytes(bytes(content))
    return f"a bit of byte {place} of {len(content)} flipped"


def cut(path: Path, rng: random.Random, _folder: Path) -> str:
    """Keep only the beginning."""
    content = path.read_bytes()
    size = rng.randrange(1, len(content))
    path.write_bytes(content[:size])
    return f"cut after {size} of {len(content)} bytes"


def empty(path: Path, _rng: random.Random, _folder: Path) -> str:
    """Leave a file without a byte, as a power cut may."""
    path.write_bytes(b"")
    return "emptied"


def swap(path: Path, rng: random.Random, folder: Path) -> str:
    """Put another whole file of the same kind in its place."""
    others = sorted(each for each in folder.rglob(f"*{path.suffix}") if each != path and each.parent != folder)
    same = [each for each in others if each.parent == path.parent] or others
    other = rng.choice(same)
    path.write_bytes(other.read_bytes())
    return f"replaced by {other.relative_to(folder)}"


def remove(path: Path, _rng: random.Random, _folder: Path) -> str:
    """Remove the file."""
    path.unlink()
    return "removed"


WAYS: dict[str, Damage] = {"flipped": flip, "cut": cut, "emptied": empty, "swapped": swap, "removed": remove}
# What is made anew in every run needs no word; neither does a removed file that the run makes as if for the first time.
SILENT = {(name, way) for name in ("shuzhi", "made", "checked", "lock") for way in WAYS}
DAMAGED_TABLES: tuple[PartTable, ...] = get_args(PartTable)
SAID = r"damaged|had lost|no pages in the store any more|noted in the store again|was gone from the store"


def damage(
    choose: Callable[[Path, random.Random], Path], name: str, way: str, bench: Bench, place: Path, rng: random.Random
) -> Case:
    """Damage one file of a finished store, and export: that must be right or refused, and never wrong."""
    del bench
    store = place / "store"
    path = choose(store, rng)
    what = WAYS[way](path, rng, store)
    case = Case(f"{path.relative_to(store)}: {what}")
    said = (name, way) not in SILENT and way != "removed"
    case.says = SAID if said else ""
    return case


def damage_and_export(
    choose: Callable[[Path, random.Random], Path], name: str, way: str, bench: Bench, place: Path, rng: random.Random
) -> Case:
    """Damage, and have a command that makes nothing again meet it first."""
    case = damage(choose, name, way, bench, place, rng)
    command = rng.choice([["export", "--store", "store", "--out", "other"], ["measure", "--store", "store"]])
    ended = bench.run(place, command)
    case.what += f"; then {command[0]}"
    case.ended, case.outputs = [(ended, (0, 1, 2))], ["other"] if command[0] == "export" else []
    if command[0] == "measure":
        # What measuring makes again itself it has said already.
        case.says = ""
    for path in (place / "out").iterdir():
        path.unlink()
    return case


def a_part(table: str, store: Path, rng: random.Random) -> Path:
    """Choose a part of a table."""
    return rng.choice(sorted((store / table).rglob("*.parquet")))


def a_file(pattern: str, store: Path, _rng: random.Random) -> Path:
    """Choose a small file."""
    return next(iter(sorted(store.glob(pattern))))


def a_lock(store: Path, _rng: random.Random) -> Path:
    """Leave a lock as a crashed machine would."""
    path = store / "lock.json"
    path.write_text('{"process": 1, "started": "1@00000000", "host": ""}', encoding="utf-8")
    return path


def kinds() -> list[Kind]:
    """Return a kind for each table and way, and for each small file and way."""
    found = []
    for table in DAMAGED_TABLES:
        found += [
            Kind(f"{table} {way}", "damaged", True, partial(damage_and_export, partial(a_part, table), table, way))
            for way in WAYS
        ]
    files = {"shuzhi": "shuzhi.json", "checked": "checked.json", "made": "current/made.json"}
    files |= {"reading": "current/reading.json", "folders": "current/folders.json"}
    files |= {"measurement": "current/measurement-*.json"}
    for name, pattern in files.items():
        found += [
            Kind(f"{name}.json {way}", "damaged", True, partial(damage_and_export, partial(a_file, pattern), name, way))
            for way in WAYS
        ]
    return found + [
        Kind(f"lock.json {way}", "damaged", True, partial(damage_and_export, a_lock, "lock", way)) for way in WAYS
    ]


def older_store(bench: Bench, place: Path, rng: random.Random) -> Case:
    """Turn a store into one of format 1: no seals, no hashes, and the columns that it had."""
    del rng
    unseal(place / "store")
    export = bench.run(place, ["export", "--store", "store", "--out", "other"])
    return Case(
        "a store of format 1: export, then run", [(export, (0,))], says="brought to format 2", outputs=["other"]
    )


def unseal(store: Path) -> None:
    """Write a store as the version before seals wrote it."""
    import json

    import pyarrow.parquet as pq

    for path in store.rglob("*.parquet"):
        rows = pq.read_table(path)
        if "changed_ns" in rows.column_names:
            rows = rows.drop_columns("changed_ns")
        pq.write_table(rows, path, compression="zstd", compression_level=1, write_page_checksum=True)
    for path in (*(store / "current").iterdir(), store / "shuzhi.json"):
        content = json.loads(path.read_text(encoding="utf-8"))
        content.pop("sha256")
        if path.name == "shuzhi.json":
            content["format"] = 1
        path.write_text(json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True), encoding="utf-8")
    (store / "checked.json").unlink(missing_ok=True)


def newer_store(bench: Bench, place: Path, rng: random.Random) -> Case:
    """Meet a store of a newer version: refused with a way out, and untouched."""
    del rng
    marker = place / "store" / "shuzhi.json"
    own = marker.read_bytes()
    marker.write_text('{"format": 99}', encoding="utf-8")
    before = {path: path.read_bytes() for path in (place / "store").rglob("*") if path.is_file()}
    ended = bench.run(place, ["run", "reports", "--store", "store", "--out", "other"])
    case = Case("a store of format 99", [(ended, (2,))])
    if {path: path.read_bytes() for path in (place / "store").rglob("*") if path.is_file()} != before:
        case.faults.append("the newer store was changed")
    marker.write_bytes(own)
    return case


def left_over_parts(bench: Bench, place: Path, rng: random.Random) -> Case:
    """Leave parts of older keys and halves of killed runs; ``clean`` lists them, and removes them when told to."""
    store = place / "store"
    for table in get_args(PartTable):
        if table == "files":
            continue
        path = a_part(table, store, rng)
        (store / table / "0123456789abcdef").mkdir()
        shutil.copy(path, store / table / "0123456789abcdef" / path.name)
    (store / "hits" / "half.parquet.0a1b2c3d.tmp").write_bytes(b"PAR1")
    before = sorted(path for path in store.rglob("*") if path.is_file())
    listed = bench.run(place, ["clean", "--store", "store"])
    case = Case("parts of older keys: clean, clean --yes", [(listed, (0,))])
    if sorted(path for path in store.rglob("*") if path.is_file()) != before:
        case.faults.append("clean removed something without being told to")
    removed = bench.run(place, ["clean", "--store", "store", "--yes"])
    case.ended.append((removed, (0,)))
    left = sorted(path.relative_to(store) for path in store.rglob("*") if path.is_file())
    undisturbed = bench.folder / "undisturbed" / "store"
    expected = sorted(path.relative_to(undisturbed) for path in undisturbed.rglob("*") if path.is_file())
    if left != expected:
        case.faults.append(f"clean left {set(left) ^ set(expected)}")
    return case


def changed_export(bench: Bench, place: Path, rng: random.Random) -> Case:
    """Change, cut, empty or remove one exported file, or leave a half of one."""
    path = rng.choice(sorted(each for each in (place / "out").iterdir() if each.is_file()))
    way = rng.choice(["flipped", "cut", "emptied", "removed"])
    what = WAYS[way](path, rng, place / "out")
    (place / "out" / ".indices.csv.1-1.tmp").write_bytes(b"half")
    del bench
    return Case(f"{path.name} {what}, and a half beside")


def open_export(bench: Bench, place: Path, rng: random.Random) -> Case:
    """Hold an exported file open and mapped while it is written anew."""
    import mmap

    del rng
    path = place / "out" / "hits.parquet"
    (place / "out" / "run.json").unlink()
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as mapped:
        before = bytes(mapped)
        ended = bench.run(place, ["export", "--store", "store", "--out", "out"])
        case = Case("hits.parquet open in another program", [(ended, (0,))], outputs=["out"])
        if bytes(mapped) != before:
            case.faults.append("the bytes of an open file changed under its reader")
    return case


KINDS = [
    *kinds(),
    Kind("store of an older version", "store", True, older_store),
    Kind("store of a newer version", "store", True, newer_store),
    Kind("parts that nothing refers to", "store", True, left_over_parts),
    Kind("an exported file changed", "export", True, changed_export),
    Kind("an exported file open elsewhere", "export", True, open_export),
]
