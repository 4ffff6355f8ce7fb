"""Processes of a ``shuzhi serve``: started, watched, stopped, and found again when their parent was killed."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import psutil

from flows.server import is_running
from flows.serving.environment import SERVE_MARK
from flows.storing.folder_lock import process_start

# A log above this is set aside when its process starts; one older log is kept.
LARGEST_LOG_BYTES = 10_000_000
LAST_WORDS_BYTES = 5_000
ERROR_LINE = re.compile(r"[\w.]*(Error|Exception)\b.*:")
# What the migrations say of a database that they do not know.
NEWER_DATABASE = "Can't locate revision"
RUN_MODULE = "prefect.engine"


@dataclass
class Child:
    """A program that runs until it is told to stop, with a log; ``without``: beginnings of variables kept from it."""

    name: str
    command: list[str]
    folder: Path
    log: Path
    environment: dict[str, str]
    without: tuple[str, ...] = ()
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    _log_file: IO[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        """Start it in a process group of its own, so that Ctrl-C reaches it in order and not at once."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > LARGEST_LOG_BYTES:
            self.log.replace(self.log.with_suffix(".old.log"))
        self._log_file = self.log.open("ab")
        self._process = subprocess.Popen(
            self.command,
            cwd=self.folder,
            env={
                name: value
                for name, value in (os.environ | self.environment).items()
                if not (self.without and name.startswith(self.without))
            },
            stdin=subprocess.DEVNULL,
            stdout=self._log_file,
            stderr=subprocess.STDOUT,
            start_new_session=os.name != "nt",
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )

    def is_alive(self) -> bool:
        """Return whether it runs."""
        return self._process is not None and self._process.poll() is None

    def ending(self) -> str:
        """Return how it ended, in words."""
        code = self._process.poll() if self._process is not None else None
        if code is not None and code < 0:
            with contextlib.suppress(ValueError):
                return f"signal {signal.Signals(-code).name}"
        return f"exit code {code}"

    def runs(self) -> list[psutil.Process]:
        """Return the flow runs that it has started."""
        if self._process is None or not self.is_alive():
            return []
        with contextlib.suppress(psutil.Error):
            return [each for each in psutil.Process(self._process.pid).children() if is_flow_run(each)]
        return []

    def stop(self, seconds: float) -> None:
        """Ask it to stop, and kill it with all it has started if it does not."""
        if self._process is not None:
            below = _tree(self._process.pid)
            if self._process.poll() is None:
                self._process.terminate()
            try:
                self._process.wait(seconds)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            _kill(below)
        if self._log_file is not None:
            self._log_file.close()
            self._log_file = None

    def last_words(self) -> str:
        """Return the last error in its log, or its last line."""
        try:
            text = self.log.read_bytes()[-LAST_WORDS_BYTES:].decode("utf-8", errors="replace")
        except OSError:
            return ""
        if NEWER_DATABASE in text:
            return (
                "its database is of a newer version of Prefect; install that version, or take another folder (--home)"
            )
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        return next((line for line in reversed(lines) if ERROR_LINE.match(line)), lines[-1] if lines else "")


def prefect_command(*arguments: str) -> list[str]:
    """Return Prefect's command line by this very Python, wherever PATH leads."""
    return [sys.executable, "-m", "prefect", *arguments]


def is_flow_run(process: psutil.Process) -> bool:
    """Return whether a process is a flow run of a worker."""
    with contextlib.suppress(psutil.Error):
        return RUN_MODULE in process.cmdline()
    return False


def stop_all(processes: list[psutil.Process], seconds: float) -> None:
    """Ask processes to stop; kill those, and all they have started, that are still there after some seconds."""
    trees = _with_started(processes)
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.terminate()
    psutil.wait_procs(processes, timeout=seconds)
    _kill(trees)


def kill_all(processes: list[psutil.Process]) -> None:
    """Kill processes and all they have started, so that none can say anything any more."""
    _kill(_with_started(processes))


def _with_started(processes: list[psutil.Process]) -> list[psutil.Process]:
    return list({each for root in processes for each in (root, *_tree(root.pid))})


def _tree(number: int) -> list[psutil.Process]:
    """Return all that a process has started."""
    with contextlib.suppress(psutil.Error):
        return list(psutil.Process(number).children(recursive=True))
    return []


def _kill(processes: list[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(processes, timeout=5)


def marked(mark: str) -> list[psutil.Process]:
    """Return the processes that a ``shuzhi serve`` has started and that run."""
    return [process for process, theirs in _marks() if theirs == mark]


def abandoned() -> list[psutil.Process]:
    """Return the processes whose ``shuzhi serve`` was killed."""
    return [process for process, theirs in _marks() if not owner_is_running(theirs)]


def owner_is_running(mark: str) -> bool:
    """Return whether the ``shuzhi serve`` that a mark stands for runs."""
    with contextlib.suppress(ValueError, psutil.Error):
        number, started = mark.split()
        return is_running(int(number), started)
    return False


def own_mark() -> str:
    """Return what marks the processes that this one starts."""
    return f"{os.getpid()} {process_start(os.getpid())}"


def _marks() -> Iterator[tuple[psutil.Process, str]]:
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            theirs = process.environ().get(SERVE_MARK, "")
            if theirs and process.pid != os.getpid():
                yield process, theirs
