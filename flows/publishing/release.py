"""Making a release: beside its place, whole, read-only, and renamed."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.outputs import RUN_FILE, file_hash, read_run
from flows.publishing.definitions import Definitions
from flows.publishing.descriptor import describe_package
from flows.publishing.gate_report import GATE_FILES, GateReport
from flows.publishing.releases import (
    CHANGES_FILE,
    DESCRIPTOR_FILE,
    RELEASE_FILE,
    SUMS_FILE,
    Release,
    find_releases,
    version_folders,
)
from flows.store import hash_of
from flows.versions import versions
from shuzhi import RunError

READ_ONLY = stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH
# What a folder's run.json says of its last run alone, and of this machine.
NOT_PUBLISHED = ("this_run", "inputs")
TOP_FILES = (*GATE_FILES, CHANGES_FILE, "changes.csv")


@dataclass(frozen=True)
class Contents:
    """What a release is made of.

    Parameters
    ----------
    definitions : Definitions
        The data set and its definitions.
    folders : mapping of str to Path
        The export of each definition.
    tops : Path
        Folder with the gate and the changes.
    gate : GateReport
        What the gate found.
    declared : sequence of str
        Changes that were declared.
    despite : str
        Why it is published although the gate rejects it; empty if it does not.
    """

    definitions: Definitions
    folders: Mapping[str, Path]
    tops: Path
    gate: GateReport
    declared: Sequence[str] = ()
    despite: str = ""


def published_run(folder: Path) -> dict[str, Any]:
    """Return what a release says of how an export was made."""
    return {name: value for name, value in read_run(folder).items() if name not in NOT_PUBLISHED}


def content_of(definitions: Definitions, folders: Mapping[str, Path]) -> str:
    """Return a hash of everything a release would hold but what depends on the release before."""
    declared = definitions.data_set.model_dump()
    return hash_of(declared, [[name, published_run(folder)] for name, folder in folders.items()])


def next_version(releases: Path, year: int) -> str:
    """Return the version of the next release of a report year."""
    numbers = [int(each.name.partition(".")[2]) for each in version_folders(releases) if each.name[:4] == str(year)]
    return f"{year}.{max(numbers, default=0) + 1}"


def make_release(releases: Path, year: int, contents: Contents, previous: Release | None) -> Release:
    """Write a release beside its place and rename it; a run that is killed leaves none.

    Raises
    ------
    RunError
        If it cannot be written, or an export changed meanwhile; nothing is published then.
    """
    version = next_version(releases, year)
    half = releases / f".{version}.tmp-{os.getpid()}"
    try:
        half.mkdir()
        copy_definitions(half, contents.folders)
        for name in TOP_FILES:
            shutil.copyfile(contents.tops / name, half / name)
        _write_json(half / RELEASE_FILE, release_facts(version, year, contents, previous))
        _write_json(half / DESCRIPTOR_FILE, describe_package(half, version, contents.definitions))
        write_sums(half)
        protect(half)
        half.rename(releases / version)
    except OSError as error:
        words = f"{error.strerror or error}; make room or rights, and run again"
        raise RunError(f"release {version} cannot be written to {releases}: {words}") from None
    finally:
        shutil.rmtree(half, ignore_errors=True)
    _sync_folder(releases)
    return next(each for each in find_releases(releases) if each.version == version)


def copy_definitions(half: Path, folders: Mapping[str, Path]) -> None:
    """Copy the files that each export lists, after checking that they are the ones it lists."""
    for name, folder in folders.items():
        (half / name).mkdir()
        run = published_run(folder)
        for file, sha256 in run["outputs"].items():
            (half / name / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(folder / file, half / name / file)
            if file_hash(half / name / file) != sha256:
                raise RunError(f"{folder / file} was changed since it was exported; run again")
        _write_json(half / name / RUN_FILE, run)


def release_facts(version: str, year: int, contents: Contents, previous: Release | None) -> dict[str, Any]:
    """Return the content of ``release.json``: no clock, no place of a machine."""
    runs = {name: published_run(folder) for name, folder in contents.folders.items()}
    return {
        "version": version,
        "sequence": previous.sequence + 1 if previous else 1,
        "report_year": year,
        "previous": _previous(previous),
        "content": content_of(contents.definitions, contents.folders),
        "data_set": contents.definitions.data_set.model_dump(),
        "definitions": {
            each.name: {
                "dictionaries": runs[each.name]["dictionaries"],
                "rule": each.rule,
                "scopes": each.scopes,
                "keep": each.keep,
                "script": each.script,
                "extractor": runs[each.name]["parameters"]["extractor"],
                "counts": runs[each.name]["counts"],
            }
            for each in contents.definitions.definitions
        },
        "software": versions(),
        "declared_changes": list(contents.declared),
        "gate": {
            "verdict": contents.gate.verdict,
            "is_accepted": contents.gate.is_ok,
            "failing": [{"check": each.name, "definition": each.definition} for each in contents.gate.failing],
        },
        "publish_despite": contents.despite,
    }


def _previous(previous: Release | None) -> dict[str, str] | None:
    """Return which release went before, and the hash of its checksums, so that changing it later would show."""
    if previous is None:
        return None
    return {"version": previous.version, "sha256sums": file_hash(previous.folder / SUMS_FILE)}


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    text = json.dumps(content, ensure_ascii=False, indent=1, sort_keys=path.name != DESCRIPTOR_FILE)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")


def write_sums(folder: Path) -> None:
    """Write the checksums of every other file, as ``sha256sum -c`` reads them."""
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    lines = [f"{file_hash(folder / name)}  {name}\n" for name in names]
    (folder / SUMS_FILE).write_text("".join(lines), encoding="utf-8", newline="\n")


def protect(folder: Path) -> None:
    """Bring every file to the disk and make it read-only."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb+") as file:
                os.fsync(file.fileno())
            path.chmod(READ_ONLY)


def _sync_folder(folder: Path) -> None:
    """Bring a rename to the disk, where the system knows how."""
    with contextlib.suppress(OSError, AttributeError):
        handle = os.open(folder, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
