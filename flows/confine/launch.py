"""How a worker process is started and ended: a fresh interpreter, boxed where it can be, with nothing but its pipes."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import re
import subprocess
import sys
import tempfile
from multiprocessing.connection import Connection
from pathlib import Path
from typing import IO, Protocol

import psutil

from flows.confine import Confined, bubblewrap
from flows.confine.limits import environment
from flows.confine.worker import main_of_multiprocessing

CODE = "import sys; sys.path[:] = {paths!r}; from flows.confine.worker import main; main({pipe}, {life})"
# A shell's way to tell that a program died of a signal, which bubblewrap has too.
SIGNAL_BASE = 128
LONGEST_LAST_WORDS = 500
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f]+")


def printable(text: str, longest: int) -> str:
    """Return text of a worker on one line, without control characters, not too long."""
    plain = _UNPRINTABLE.sub(" ", text).strip()
    return plain if len(plain) <= longest else plain[: longest - 1] + "…"


class Launched(Protocol):
    """A started worker process."""

    pipe: Connection

    def interpreter(self) -> psutil.Process:
        """Return the process that runs Python."""

    def end(self, seconds: float) -> None:
        """Wait for it to leave, at most so long."""

    def kill(self) -> None:
        """End it at once, with all that it started."""

    def exit_code(self) -> int | None:
        """Return its exit code, negative for a signal, or None while it runs."""

    def last_words(self) -> str:
        """Return the last line that it printed, for the message of a failed start."""


def launch(confined: Confined) -> Launched:
    """Start a worker process."""
    if sys.platform == "win32":
        return _OfMultiprocessing()
    return _Spawned(confined)


class _Spawned:
    def __init__(self, confined: Confined) -> None:
        self.pipe, theirs = multiprocessing.Pipe()
        life, self._life = os.pipe()
        self._is_boxed = confined == "bubblewrap"
        self._interpreter: psutil.Process | None = None
        # The current folder may be one of downloads, from which nothing is imported.
        paths = [*filter(None, sys.path), str(Path(__file__).parents[2])]
        code = CODE.format(paths=paths, pipe=theirs.fileno(), life=life)
        command = [sys.executable, "-P", "-c", code]
        self._errors = _scratch_file()
        try:
            self._process = subprocess.Popen(
                bubblewrap.boxed(command) if self._is_boxed else command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._errors or subprocess.DEVNULL,
                pass_fds=(theirs.fileno(), life),
                env=environment(os.environ, bubblewrap.SCRATCH if self._is_boxed else ""),
            )
        except OSError:
            self._close()
            raise
        finally:
            theirs.close()
            os.close(life)

    def interpreter(self) -> psutil.Process:
        outer = psutil.Process(self._process.pid)
        # Between the two there is the first process of the box, which only waits.
        inner = outer.children(recursive=True) if self._is_boxed else []
        self._interpreter = inner[-1] if inner else outer
        return self._interpreter

    def end(self, seconds: float) -> None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)

    def kill(self) -> None:
        if self._interpreter is not None and self._is_boxed:
            with contextlib.suppress(psutil.Error):
                self._interpreter.kill()
        self._process.kill()
        self._process.wait()
        self._close()

    def _close(self) -> None:
        with contextlib.suppress(OSError):
            os.close(self._life)
        self._life = -1
        if self._errors is not None:
            self._errors.close()

    def exit_code(self) -> int | None:
        code = self._process.poll()
        return SIGNAL_BASE - code if code is not None and self._is_boxed and code > SIGNAL_BASE else code

    def last_words(self) -> str:
        if self._errors is None:
            return ""
        with contextlib.suppress(OSError, ValueError):
            self._errors.seek(0)
            lines = self._errors.read(1 << 20).decode("utf-8", "replace").strip().splitlines()
            return printable(lines[-1], LONGEST_LAST_WORDS) if lines else ""
        return ""


def _scratch_file() -> IO[bytes] | None:
    """Return a file without a name for what a worker prints, which must not reach the user's terminal."""
    try:
        return tempfile.TemporaryFile()
    except OSError:
        return None


class _OfMultiprocessing:
    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self._process = context.Process(target=main_of_multiprocessing, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()

    def interpreter(self) -> psutil.Process:
        return psutil.Process(self._process.pid)

    def end(self, seconds: float) -> None:
        self._process.join(seconds)

    def kill(self) -> None:
        self._process.kill()
        self._process.join()

    def exit_code(self) -> int | None:
        return self._process.exitcode

    def last_words(self) -> str:
        return ""
