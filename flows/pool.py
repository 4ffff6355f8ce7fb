"""Worker processes that may hang, crash or grow without harm to the batch.

Each worker has its own pipe and its own thread here, which gives it one call at a time and watches the clock
and the memory meanwhile. A worker that goes over a limit is killed and replaced, and only the call it was busy
with is lost. (Pools that share one pipe, pebble's and the standard library's among them, lose the whole pool
when a worker is killed while it sends.) Workers are spawned, so that Linux, macOS and Windows behave alike.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import psutil

from shuzhi import RunError

OutcomeKind = Literal["done", "timeout", "memory", "crashed", "error", "stopped"]
WATCH_SECONDS = 0.05
START_SECONDS = 120.0
MOST_FAILED_STARTS = 3
# The system's own limit is a second net, for allocations that outrun the watch.
SYSTEM_LIMIT_SLACK_MEGABYTES = 1024
# Libraries keep memory that a large file made them take; a worker that kept this share of its room is retired,
# or the next file, however small, would be over the limit.
MOST_KEPT_SHARE = 0.5
MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """What one call may use.

    Parameters
    ----------
    seconds : float
        Wall-clock time.
    memory_megabytes : int
        Resident memory of the worker.
    """

    seconds: float = 180.0
    memory_megabytes: int = 1000


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
class _Call:
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    seconds: float
    future: Future[Outcome]


class WorkerPool:
    """A fixed number of spawned workers behind one queue.

    Parameters
    ----------
    workers : int
        Number of processes.
    limits : Limits
        Time and memory of each call.
    initializer : callable, optional
        Called once in each worker, with ``initializer_arguments``; must be importable.
    """

    def __init__(
        self,
        workers: int,
        limits: Limits,
        initializer: Callable[..., None] | None = None,
        initializer_arguments: tuple[Any, ...] = (),
    ) -> None:
        self.limits = limits
        self.replaced = 0
        self._stopping = threading.Event()
        self.peak_memory_megabytes = 0.0
        self._setup = (initializer, initializer_arguments, limits.memory_megabytes)
        self._calls: queue.Queue[_Call | None] = queue.Queue()
        self._threads = [
            threading.Thread(target=self._serve, name=f"worker-{number}", daemon=True) for number in range(workers)
        ]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> WorkerPool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._stopping.set()
            self._forget_waiting_calls()
        for _ in self._threads:
            self._calls.put(None)
        for thread in self._threads:
            thread.join()

    def submit(self, function: Callable[..., Any], *arguments: Any, seconds: float | None = None) -> Future[Outcome]:
        """Queue one call of an importable function; the future never raises, it holds an ``Outcome``."""
        future: Future[Outcome] = Future()
        self._calls.put(_Call(function, arguments, seconds or self.limits.seconds, future))
        return future

    def _forget_waiting_calls(self) -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                call = self._calls.get_nowait()
                if call is not None:
                    call.future.set_result(Outcome("stopped", reason="the run was stopped"))

    def _start(self) -> _Worker:
        """Start a worker, trying again where the machine was only out of breath."""
        for _ in range(MOST_FAILED_STARTS - 1):
            with contextlib.suppress(RunError, OSError, psutil.Error):
                return _Worker(*self._setup)
        return _Worker(*self._setup)

    def _note(self, worker: _Worker) -> None:
        self.peak_memory_megabytes = max(self.peak_memory_megabytes, worker.peak_memory_megabytes)

    def _serve(self) -> None:
        worker: _Worker | None = None
        given_up: Outcome | None = None
        while (call := self._calls.get()) is not None:
            if given_up is not None:
                call.future.set_result(given_up)
                continue
            try:
                if worker is None:
                    worker = self._start()
                outcome = worker.run(call, self.limits.memory_megabytes, self._stopping)
                if outcome.kind == "memory" and worker.calls > 1:
                    # What earlier calls left behind must not decide, so the call gets a worker of its own.
                    worker.kill()
                    self._note(worker)
                    self.replaced += 1
                    worker = None
                    worker = self._start()
                    outcome = worker.run(call, self.limits.memory_megabytes, self._stopping)
                self._note(worker)
            except Exception as error:  # whatever happens, the caller gets an answer
                outcome = Outcome("error", reason=f"{type(error).__name__}: {error}")
                if worker is not None:
                    worker.kill()
                else:
                    outcome = given_up = Outcome("stopped", reason=f"{error} ({MOST_FAILED_STARTS} times in a row)")
            if worker is not None and worker.has_kept_too_much(self.limits.memory_megabytes):
                worker.stop()
            if worker is not None and not worker.is_alive():
                worker = None
                self.replaced += 1
            call.future.set_result(outcome)
        if worker is not None:
            worker.stop()


class _Worker:
    """One process and the parent's end of its pipe."""

    def __init__(
        self, initializer: Callable[..., None] | None, arguments: tuple[Any, ...], memory_megabytes: int
    ) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=_work, args=(theirs, initializer, arguments, memory_megabytes), daemon=True
        )
        self._process.start()
        theirs.close()
        self.peak_memory_megabytes = 0.0
        self.calls = 0
        self._alive = True
        self._await_start()
        self._statistics = psutil.Process(self._process.pid)
        self._memory_at_start = self._memory()

    def _await_start(self) -> None:
        try:
            if self._pipe.poll(START_SECONDS) and self._pipe.recv() == "ready":
                return
        except (EOFError, OSError):
            pass
        self.kill()
        raise RunError(
            "a worker process did not start; in a script of your own, call shuzhi below"
            " if __name__ == '__main__':, and see the lines above for its error"
        )

    def run(self, call: _Call, memory_megabytes: int, stopping: threading.Event) -> Outcome:
        """Run one call and watch it; kills this worker when the call goes over a limit."""
        started = time.monotonic()
        self.calls += 1
        try:
            self._pipe.send((call.function, call.arguments))
            while not self._pipe.poll(WATCH_SECONDS):
                if time.monotonic() - started > call.seconds:
                    self.kill()
                    return Outcome("timeout", reason=f"not finished after {call.seconds:g} seconds")
                if stopping.is_set():
                    self.kill()
                    return Outcome("stopped", reason="the run was stopped")
                if self._memory() > memory_megabytes:
                    self.kill()
                    return Outcome("memory", reason=f"needed more than {memory_megabytes} MB of memory")
            self._memory()
            kind, value, reason = self._pipe.recv()
        except (EOFError, OSError):
            return self._post_mortem()
        return Outcome(kind, value, reason)

    def _memory(self) -> float:
        try:
            megabytes = self._statistics.memory_info().rss / MEGABYTE
        except psutil.Error:
            return 0.0
        self.peak_memory_megabytes = max(self.peak_memory_megabytes, megabytes)
        return megabytes

    def _post_mortem(self) -> Outcome:
        self._process.join(5)
        code = self._process.exitcode
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
            self._pipe.send(None)
        self._process.join(5)
        self.kill()

    def kill(self) -> None:
        """End the process at once."""
        self._alive = False
        self._process.kill()
        self._process.join()
        self._pipe.close()


def _work(
    pipe: Connection,
    initializer: Callable[..., None] | None,
    arguments: tuple[Any, ...],
    memory_megabytes: int,
) -> None:
    """Serve calls in the worker process until the parent says stop or is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if initializer is not None:
        initializer(*arguments)
    _limit_memory(memory_megabytes)
    pipe.send("ready")
    while True:
        try:
            message = pipe.recv()
        except (EOFError, OSError):
            return
        if message is None:
            return
        try:
            pipe.send_bytes(_packed(_answer(*message)))
        except (EOFError, OSError):
            return


def _packed(answer: tuple[OutcomeKind, Any, str]) -> memoryview:
    try:
        return ForkingPickler.dumps(answer)
    except MemoryError:
        return ForkingPickler.dumps(("memory", None, "ran out of the memory that a worker may use"))
    except Exception as error:
        return ForkingPickler.dumps(("error", None, f"the result cannot be sent: {error}"))


def _answer(function: Callable[..., Any], arguments: tuple[Any, ...]) -> tuple[OutcomeKind, Any, str]:
    try:
        return "done", function(*arguments), ""
    except MemoryError:
        return "memory", None, "ran out of the memory that a worker may use"
    except Exception as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{os.path.basename(frame.filename)} line {frame.lineno}"  # noqa: PTH119
        return "error", None, f"{type(error).__name__}: {error} ({place})"


def _limit_memory(megabytes: int) -> None:
    """Set the system's limit where there is one; Windows and macOS rely on the watch alone."""
    if sys.platform.startswith("linux"):
        import resource

        _, resident, *_, data, _ = map(int, Path("/proc/self/statm").read_text(encoding="ascii").split())
        # What libraries have reserved and not used is no memory.
        reserved = max(0, data - resident) * resource.getpagesize()
        allowed = reserved + (megabytes + SYSTEM_LIMIT_SLACK_MEGABYTES) * MEGABYTE
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_DATA, (allowed, allowed))


def _end_with_parent() -> None:
    """Leave when the parent is gone, so that a killed run leaves no process behind."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
