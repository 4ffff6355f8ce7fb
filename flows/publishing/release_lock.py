"""One run at a time publishes to a folder of releases, and what a killed one left is cleared away."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from flows.storing.folder_lock import locked
from shuzhi import UsageError

LOCK_FILE = ".publishing"


@contextlib.contextmanager
def publishing_lock(releases: Path) -> Iterator[None]:
    """Let one run at a time publish here; a lock that a dead run left is taken over.

    Parameters
    ----------
    releases : Path
        Folder of releases; made if it is not there.

    Raises
    ------
    StoreError
        If another run is publishing.
    UsageError
        If the folder cannot be made.
    """
    try:
        if not releases.is_dir():
            releases.mkdir(parents=True)
    except OSError as error:
        raise UsageError(f"{releases}: cannot be written to: {error.strerror}; name another folder") from None
    with locked(str(releases / LOCK_FILE), f"folder of releases {releases}"):
        remove_halves(releases)
        yield


def remove_halves(releases: Path) -> None:
    """Remove what a killed run left: releases that were not finished, pointers that were not put in place."""
    for half in releases.glob(".*.tmp-*"):
        shutil.rmtree(half, ignore_errors=True)
    for pattern in (".latest.*", ".*.tmp"):
        for half in releases.glob(pattern):
            half.unlink(missing_ok=True)
