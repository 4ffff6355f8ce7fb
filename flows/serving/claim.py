"""One ``shuzhi serve`` a folder: two servers on one SQLite database would damage each other's work."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

from flows.serving.process import own_mark, owner_is_running
from shuzhi import UsageError

CLAIM_FILE = "shuzhi-serve.json"


def check_claim(home: Path) -> None:
    """Refuse a folder that another ``shuzhi serve`` holds.

    Raises
    ------
    UsageError
        If there is one, with its process and dashboard.
    """
    holder = _holder(home / CLAIM_FILE)
    if holder is not None:
        raise UsageError(
            f"{home} is in use by another shuzhi serve (process {holder[0]}, dashboard {holder[1]}); use that one, stop"
            " it, or give this one a folder of its own with --home"
        )


@contextlib.contextmanager
def claimed(home: Path, dashboard: str) -> Iterator[None]:
    """Hold a folder for this process.

    Raises
    ------
    UsageError
        If nothing can be written there.
    """
    path = home / CLAIM_FILE
    try:
        home.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"mark": own_mark(), "dashboard": dashboard}) + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{home} cannot be written to: {error.strerror}; name another folder with --home") from None
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _holder(path: Path) -> tuple[str, str] | None:
    """Return the process and dashboard of the one that holds a folder, if it still runs."""
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        mark, dashboard = str(held["mark"]), str(held["dashboard"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return (mark.split(maxsplit=1)[0], dashboard) if owner_is_running(mark) else None
