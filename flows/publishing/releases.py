"""Published releases as they lie on disk: which there are, the last one, and whether a byte of them was changed."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shuzhi import UsageError

VERSION = re.compile(r"\d{4}\.[1-9]\d*")
RELEASE_FILE = "release.json"
DESCRIPTOR_FILE = "datapackage.json"
SUMS_FILE = "SHA256SUMS"
LATEST_FILE = "latest.json"
LATEST_LINK = "latest"
CHANGELOG_FILE = "CHANGELOG.md"
CHANGES_FILE = "CHANGES.md"
SUM_LINE = re.compile(r"([0-9a-f]{64}) [ *](.+)")


@dataclass(frozen=True)
class Release:
    """One published release.

    Parameters
    ----------
    folder : Path
        Where it lies.
    facts : dict
        Its ``release.json``.
    """

    folder: Path
    facts: dict[str, Any]

    @property
    def version(self) -> str:
        """Its version, for example ``2025.1``."""
        return self.folder.name

    @property
    def sequence(self) -> int:
        """Its place among the releases, in the order in which they were published."""
        return int(self.facts["sequence"])

    @property
    def content(self) -> str:
        """A hash of what it was made of; the same content is not published twice."""
        return str(self.facts["content"])

    def definitions(self) -> dict[str, Path]:
        """Return the folders of its definitions by name."""
        return {name: self.folder / name for name in self.facts["definitions"]}


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def version_folders(releases: Path) -> list[Path]:
    """Return the folders that are named as versions are."""
    if not releases.is_dir():
        return []
    return sorted(each for each in releases.iterdir() if VERSION.fullmatch(each.name) and each.is_dir())


def find_releases(releases: Path) -> list[Release]:
    """Return the published releases, in the order in which they were published.

    Raises
    ------
    UsageError
        If one of them cannot be read; nothing is published beside a damaged release.
    """
    found = []
    for folder in version_folders(releases):
        facts = read_facts(folder)
        if facts is None:
            raise UsageError(f"{folder / RELEASE_FILE} is missing or damaged; put the release back from a copy")
        found.append(Release(folder, facts))
    return sorted(found, key=lambda each: each.sequence)


def read_facts(folder: Path) -> dict[str, Any] | None:
    """Return a release's own file; None where it is missing or damaged."""
    try:
        facts = json.loads((folder / RELEASE_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    is_whole = isinstance(facts, dict) and {"sequence", "content", "definitions"} <= facts.keys()
    return facts if is_whole else None


def latest_release(releases: Path) -> Release | None:
    """Return the release that was published last, or None."""
    found = find_releases(releases)
    return found[-1] if found else None


def verify(releases: Path) -> list[str]:
    """Return everything that is not as it was published, a sentence each; empty where all is whole.

    Raises
    ------
    UsageError
        If there is no such folder, or no release in it.
    """
    folders = version_folders(releases)
    if not folders:
        raise UsageError(f"{releases}: no release in it; name the folder that --releases named")
    problems = [problem for folder in folders for problem in verify_one(folder)]
    facts = {folder.name: read_facts(folder) for folder in folders}
    problems += list(_broken_chain(releases, {name: found for name, found in facts.items() if found is not None}))
    return problems + list(_wrong_pointer(releases, {name: found for name, found in facts.items() if found}))


def verify_one(folder: Path) -> Iterator[str]:
    """Yield what changed in one release: files with other bytes, missing ones, and ones that were added."""
    try:
        lines = (folder / SUMS_FILE).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        yield f"{folder.name}: {SUMS_FILE} is missing or damaged"
        return
    sums: dict[str, str] = {}
    for line in lines:
        found = SUM_LINE.fullmatch(line)
        if found is None:
            yield f"{folder.name}: {SUMS_FILE} has a line that is none: {line[:80]!r}"
        else:
            sums[found[2]] = found[1]
    there = {str(path.relative_to(folder).as_posix()): path for path in folder.rglob("*") if not path.is_dir()}
    for name in sorted(sums.keys() | there.keys() - {SUMS_FILE}):
        if name not in there:
            yield f"{folder.name}: {name} is missing"
        elif name not in sums:
            yield f"{folder.name}: {name} was added after publishing"
        elif file_sha256(there[name]) != sums[name]:
            yield f"{folder.name}: {name} was changed after publishing"


def _broken_chain(releases: Path, facts: dict[str, dict[str, Any]]) -> Iterator[str]:
    """Yield where a release is not the one that its successor was published after."""
    for name, found in facts.items():
        previous = found.get("previous") or {}
        version = str(previous.get("version", ""))
        if not version:
            continue
        sums = releases / version / SUMS_FILE
        if not sums.is_file():
            yield f"{version}: is gone; {name} was published after it"
        elif file_sha256(sums) != previous.get("sha256sums"):
            yield f"{version}: {SUMS_FILE} is not the one that {name} was published after"


def _wrong_pointer(releases: Path, facts: dict[str, dict[str, Any]]) -> Iterator[str]:
    if not facts:
        return
    last = max(facts, key=lambda name: int(facts[name]["sequence"]))
    try:
        pointer = json.loads((releases / LATEST_FILE).read_text(encoding="utf-8"))
        version, sha256 = pointer["version"], pointer["datapackage_sha256"]
    except (OSError, ValueError, KeyError, TypeError):
        yield f"{LATEST_FILE} is missing or damaged; 'shuzhi publish' writes it anew"
        return
    if version != last:
        yield f"{LATEST_FILE} names {version}, the last release is {last}; 'shuzhi publish' writes it anew"
    elif file_sha256(releases / last / DESCRIPTOR_FILE) != sha256:
        yield f"{last}: {DESCRIPTOR_FILE} is not the one that {LATEST_FILE} names"
