"""The parent's end of a worker: one call at a time, watched by clock and memory while it runs."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Literal

import psutil

from flows.confine import Confined, answers
from flows.confine.errand import FileToSend
from flows.confine.launch import launch, printable
from flows.confine.worker import READY, Setup
from shuzhi import RunError

OutcomeKind = Literal["done", "timeout", "memory", "crashed", "error", "stopped"]
ANSWERED: tuple[OutcomeKind, ...] = ("done", "memory", "error")
WATCH_SECONDS = 0.05
START_SECONDS = 120.0
SECONDS_TO_LEAVE = 5.0
PIECE_BYTES = 1 << 20
LONGEST_REASON = 1000
MEGABYTE = 1024 * 1024
# Libraries keep memory that a large file made them take; a worker that kept this share of its room is retired,
# or the next file, however small, would be over the limit.
MOST_KEPT_SHARE = 0.5


@dataclass(frozen=True)
class Outcome:
    """How a call ended.

    Parameters
    ----------
    kind : {'done', 'timeout', 'memory', 'crashed', 'error', 'stopped'}
        ``done`` alone has a value; ``stopped`` says nothing of the call, which no worker took up.
    value : object
        What the function returned.
    reason : str
        Why there is no value, in words.
    """

    kind: OutcomeKind
    value: Any = None
    reason: str = ""


@dataclass(frozen=True)
class Work:
    """What a worker is to do: an importable function, its arguments, and how long it may take."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    seconds: float


class Worker:
    """One process and the parent's end of its pipe.

    Parameters
    ----------
    setup : Setup
        What it does before its first call.
    confined : {'bubblewrap', 'limits'}
        How it is confined.

    Raises
    ------
    RunError
        If it does not start; the message says what it said last.
    """

    def __init__(self, setup: Setup, confined: Confined) -> None:
        packed = pickle.dumps(setup)
        self._process = launch(confined)
        self._pipe = self._process.pipe
        self.peak_memory_megabytes = 0.0
        self.calls = 0
        self.confined = confined
        self.has_opened_files = False
        self._alive = True
        self._statistics: psutil.Process | None = None
        self._await_start(packed)
        self._statistics = self._process.interpreter()
        self._memory_at_start = self._memory()

    def _await_start(self, setup: bytes) -> None:
        said = ""
        try:
            self._pipe.send_bytes(setup)
            if self._pipe.poll(START_SECONDS):
                said = str(answers.load(self._pipe.recv_bytes(LONGEST_REASON * 100)))
                if said == READY:
                    return
        except (EOFError, OSError, answers.AnswerError):
            self._process.end(SECONDS_TO_LEAVE)
        said = printable(said or self._process.last_words() or "it said nothing", LONGEST_REASON)
        self.kill()
        # There the standard library starts it, by importing the script again.
        script = "; call shuzhi below if __name__ == '__main__': in a script of your own" * (sys.platform == "win32")
        raise RunError(f"a worker process did not start: {said}{script}")

    def run(self, work: Work, memory_megabytes: int, stopping: threading.Event) -> Outcome:
        """Run one call and watch it; kills this worker when the call goes over a limit."""
        started = time.monotonic()
        self.calls += 1
        talk = _Conversation(self._pipe, work)
        self.has_opened_files |= bool(talk.files)
        talk.start()
        while not talk.is_over.wait(WATCH_SECONDS):
            if time.monotonic() - started > work.seconds:
                return self._killed("timeout", f"not finished after {work.seconds:g} seconds", talk)
            if stopping.is_set():
                return self._killed("stopped", "the run was stopped", talk)
            if self._memory() > memory_megabytes:
                return self._killed("memory", f"needed more than {memory_megabytes} MB of memory", talk)
        self._memory()
        if talk.trouble:
            return self._killed("crashed", f"the worker process sent what is no answer: {talk.trouble}", talk)
        return talk.outcome or self._post_mortem()

    def _killed(self, kind: OutcomeKind, reason: str, talk: _Conversation) -> Outcome:
        self._end(talk)
        return Outcome(kind, reason=reason)

    def _memory(self) -> float:
        if self._statistics is None:
            return 0.0
        try:
            megabytes = self._statistics.memory_info().rss / MEGABYTE
        except psutil.Error:
            return 0.0
        self.peak_memory_megabytes = max(self.peak_memory_megabytes, megabytes)
        return megabytes

    def _post_mortem(self) -> Outcome:
        self._process.end(SECONDS_TO_LEAVE)
        code = self._process.exit_code()
        self.kill()
        if code is not None and code < 0:
            with contextlib.suppress(ValueError):
                return Outcome("crashed", reason=f"the worker process died of {signal.Signals(-code).name}")
        return Outcome("crashed", reason=f"the worker process died with exit code {code}")

    def has_kept_too_much(self, memory_megabytes: int) -> bool:
        """Tell whether the calls so far left so much memory taken that the next would have too little."""
        room = memory_megabytes - self._memory_at_start
        return self._alive and self._memory() - self._memory_at_start > MOST_KEPT_SHARE * room

    def is_alive(self) -> bool:
        """Tell whether this worker can take another call."""
        return self._alive

    def stop(self) -> None:
        """Ask the process to end, and end it if it does not."""
        with contextlib.suppress(OSError):
            self._pipe.send_bytes(b"")
        self._process.end(SECONDS_TO_LEAVE)
        self.kill()

    def kill(self) -> None:
        """End the process at once."""
        self._end(None)

    def _end(self, talk: _Conversation | None) -> None:
        self._alive = False
        self._process.kill()
        if talk is not None:
            _hang_up(self._pipe)
            talk.join(SECONDS_TO_LEAVE)
        with contextlib.suppress(OSError):
            self._pipe.close()


def _hang_up(pipe: Connection) -> None:
    """End what a thread waits for on a pipe, should a process still hold the other end."""
    if sys.platform != "win32":
        with contextlib.suppress(OSError), socket.socket(fileno=os.dup(pipe.fileno())) as line:
            line.shutdown(socket.SHUT_RDWR)


class _Conversation(threading.Thread):
    """Sends one call with its files and takes the answer, so that the watch never waits for a worker that stalls."""

    def __init__(self, pipe: Connection, work: Work) -> None:
        super().__init__(daemon=True)
        self._pipe = pipe
        self.files = [each for each in work.arguments if isinstance(each, FileToSend)]
        packed = pickle.dumps((work.function, work.arguments, work.seconds), protocol=pickle.HIGHEST_PROTOCOL)
        self._message = pickle.dumps((len(self.files), packed), protocol=pickle.HIGHEST_PROTOCOL)
        self.is_over = threading.Event()
        self.outcome: Outcome | None = None
        self.trouble = ""

    def run(self) -> None:
        try:
            self._pipe.send_bytes(self._message)
            send_files(self._pipe, self.files)
            self.outcome = _outcome(self._pipe.recv_bytes(answers.LARGEST_ANSWER_BYTES))
        except answers.AnswerError as error:
            self.trouble = printable(str(error), LONGEST_REASON)
        except EOFError:
            pass
        except OSError as error:
            # All others mean that the worker is gone.
            self.trouble = str(error) if "message length" in str(error) else ""
        finally:
            self.is_over.set()


def send_files(pipe: Connection, files: Sequence[FileToSend]) -> None:
    """Send the bytes of files in pieces, each file ended by an empty one and by what was wrong with it, if anything."""
    for each in files:
        trouble: tuple[int | None, str] | None = None
        pieces = _pieces(each.path)
        while True:
            try:
                piece = next(pieces, b"")
            except OSError as error:
                trouble, piece = (error.errno, error.strerror or str(error)), b""
            pipe.send_bytes(piece)
            if not piece:
                break
        pipe.send_bytes(pickle.dumps(trouble))


def _pieces(path: str) -> Iterator[bytes]:
    from flows.files import open_report
    from flows.store import long_path

    with open_report(long_path(path)) as file:
        while piece := file.read(PIECE_BYTES):
            yield piece


def _outcome(answer: bytes) -> Outcome:
    """Return the outcome that an answer tells of.

    Raises
    ------
    AnswerError
        If it tells of none.
    """
    match answers.load(answer):
        case (str(kind), value, str(reason)) if kind in ANSWERED:
            return Outcome(kind, value, printable(reason, LONGEST_REASON))
    raise answers.AnswerError("no kind of outcome")
