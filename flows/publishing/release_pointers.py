"""What points to the newest release: latest.json, the link latest, and the changelog of the data set."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Sequence
from pathlib import Path

from flows.formats import replacing
from flows.publishing.releases import (
    CHANGELOG_FILE,
    CHANGES_FILE,
    DESCRIPTOR_FILE,
    LATEST_FILE,
    LATEST_LINK,
    Release,
    file_sha256,
    find_releases,
)


def point_to_latest(releases: Path) -> None:
    """Let ``latest.json``, the link ``latest`` and the changelog say what the newest release is.

    All three are made of the releases alone, so a run that was killed before it wrote them is mended by the next.
    """
    found = find_releases(releases)
    if not found:
        return
    last = found[-1]
    pointer = {
        "version": last.version,
        "path": last.version,
        "datapackage_sha256": file_sha256(last.folder / DESCRIPTOR_FILE),
    }
    _replace_text(releases / LATEST_FILE, json.dumps(pointer, indent=1, sort_keys=True) + "\n")
    _replace_link(releases / LATEST_LINK, last.version)
    _replace_text(releases / CHANGELOG_FILE, changelog(found))


def _replace_text(path: Path, text: str) -> None:
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def _replace_link(link: Path, target: str) -> None:
    """Point a symbolic link to a folder beside it; where the system has none, latest.json is enough."""
    if link.is_symlink() and os.readlink(link) == target:  # noqa: PTH115
        return
    temporary = link.with_name(f".{link.name}.{os.getpid()}")
    with contextlib.suppress(OSError, NotImplementedError):
        temporary.unlink(missing_ok=True)
        temporary.symlink_to(target, target_is_directory=True)
        temporary.replace(link)


def changelog(found: Sequence[Release]) -> str:
    """Return the changelog of the data set: what each release changed, the newest first."""
    lines = ["# Changes of the data set, the newest release first", ""]
    for each in reversed(found):
        lines += [f"## {each.version}", ""]
        if each.facts.get("publish_despite"):
            lines += [f"Published despite the gate: {each.facts['publish_despite']}", ""]
        text = (each.folder / CHANGES_FILE).read_text(encoding="utf-8")
        # The first heading is the file's own; those below it go one level down.
        body = [line for number, line in enumerate(text.splitlines()) if number or not line.startswith("# ")]
        lines += [f"#{line}" if line.startswith("#") else line for line in body]
        lines.append("")
    return "\n".join(lines).replace("\n\n\n", "\n\n").rstrip("\n") + "\n"
