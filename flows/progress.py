"""How far a run is: a bar on a terminal, a line a minute elsewhere, and an artifact in Prefect."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Iterator
from uuid import UUID

from prefect.artifacts import create_progress_artifact, update_progress_artifact
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

LINE_EVERY_SECONDS = 60.0
ARTIFACT_STEP = 0.02


class RunProgress:
    """Counts finished units of one stage; safe to advance from several threads.

    Parameters
    ----------
    label : str
        What is being done, for example ``reading``.
    total : int
        Units in all.
    key : str
        Key of the Prefect artifact: lower case and dashes.
    """

    def __init__(self, label: str, total: int, key: str) -> None:
        self._label = label
        self._total = total
        self._done = 0
        self._lock = threading.Lock()
        self._started = self._last_line = time.monotonic()
        self._shown_share = 0.0
        self._artifact: UUID | None = create_progress_artifact(0.0, key=key, description=label)  # type: ignore[assignment]
        self._console = Console(stderr=True)
        self._bar: Progress | None = None
        if self._console.is_terminal:
            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[rate]}"),
                TimeRemainingColumn(),
                console=self._console,
                transient=True,
            )
            self._task = self._bar.add_task(label, total=total, rate="")
            self._bar.start()

    def advance(self, units: int = 1) -> None:
        """Count finished units, and show it when it is time to."""
        with self._lock:
            self._done += units
            now = time.monotonic()
            if self._bar is not None:
                self._bar.update(self._task, completed=self._done, rate=self._rate(now))
            elif now - self._last_line >= LINE_EVERY_SECONDS:
                self._last_line = now
                print(self._line(now), file=sys.stderr, flush=True)
            share = self._done / self._total if self._total else 1.0
            if self._artifact is not None and share - self._shown_share >= ARTIFACT_STEP:
                self._shown_share = share
                update_progress_artifact(self._artifact, 100.0 * share)

    def _rate(self, now: float) -> str:
        elapsed = max(now - self._started, 1e-9)
        return f"{60 * self._done / elapsed:,.0f} a minute"

    def _line(self, now: float) -> str:
        elapsed = now - self._started
        left = elapsed / self._done * (self._total - self._done) if self._done else 0.0
        return f"{self._label} {self._done:,} of {self._total:,}, {self._rate(now)}, {left / 60:.0f} minutes left"

    def close(self) -> None:
        """Take the bar away and complete the artifact."""
        if self._bar is not None:
            self._bar.stop()
        if self._artifact is not None:
            update_progress_artifact(self._artifact, 100.0)


@contextlib.contextmanager
def progress(label: str, total: int, key: str) -> Iterator[RunProgress]:
    """Show the progress of one stage while the block runs."""
    shown = RunProgress(label, total, key)
    try:
        yield shown
    finally:
        shown.close()
