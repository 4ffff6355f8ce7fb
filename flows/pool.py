"""Worker processes that may hang, crash, grow or be taken over by a hostile file without harm to the batch.

Each worker has its own pipe and its own thread here, which gives it one call at a time and watches the clock
and the memory meanwhile. A worker that goes over a limit is killed and replaced, and only the call it was busy
with is lost. (Pools that share one pipe, pebble's and the standard library's among them, lose the whole pool
when a worker is killed while it sends.) Workers are fresh interpreters, so that Linux, macOS and Windows behave
alike; how they are confined is the matter of :mod:`flows.confine`.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import psutil

from flows.confine import Confine, Confined, decide
from flows.confine.errand import Errand, whole
from flows.confine.process import Outcome, OutcomeKind, Work, Worker
from flows.confine.worker import Setup
from shuzhi import RunError

__all__ = ["Limits", "Outcome", "OutcomeKind", "WorkerPool"]

MOST_FAILED_STARTS = 3


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
class _Call:
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    seconds: float
    future: Future[Outcome]


class WorkerPool:
    """A fixed number of worker processes behind one queue.

    Parameters
    ----------
    workers : int
        Number of processes.
    limits : Limits
        Time and memory of each call.
    initializer : callable, optional
        Called once in each worker, with ``initializer_arguments``; must be importable.
    confine : {'auto', 'required', 'off'}
        Whether workers are put into a box, see :func:`flows.confine.decide`.
    tries : int
        How often a call is given to a new worker when the process dies of it, or is killed from outside.

    Raises
    ------
    UsageError
        If confinement is required and does not work on this machine.
    """

    def __init__(
        self,
        workers: int,
        limits: Limits,
        initializer: Callable[..., None] | None = None,
        initializer_arguments: tuple[Any, ...] = (),
        confine: Confine = "auto",
        tries: int = 1,
    ) -> None:
        if confine == "required":
            decide(confine)
        self.limits = limits
        self.replaced = 0
        self.peak_memory_megabytes = 0.0
        self.tries = tries
        self._confine = confine
        self._stopping = threading.Event()
        self._setup = Setup(initializer, initializer_arguments, limits.memory_megabytes)
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

    @property
    def confined(self) -> Confined:
        """How the workers are confined: in a box of bubblewrap, or by limits alone."""
        return decide(self._confine)

    def submit(self, function: Callable[..., Any], *arguments: Any, seconds: float | None = None) -> Future[Outcome]:
        """Queue one call of an importable function; the future never raises, it holds an ``Outcome``.

        Of a function that is declared an errand (:mod:`flows.confine.errand`) the middle part alone runs in a worker.
        """
        future: Future[Outcome] = Future()
        self._calls.put(_Call(function, arguments, seconds or self.limits.seconds, future))
        return future

    def _forget_waiting_calls(self) -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                call = self._calls.get_nowait()
                if call is not None:
                    call.future.set_result(Outcome("stopped", reason="the run was stopped"))

    def _serve(self) -> None:
        line = _Line(self)
        while (call := self._calls.get()) is not None:
            call.future.set_result(line.answer(call))
        line.close()

    def start(self) -> Worker:
        """Start a worker, trying again where the machine was only out of breath.

        Raises
        ------
        RunError
            If it does not start.
        """
        for _ in range(MOST_FAILED_STARTS - 1):
            with contextlib.suppress(RunError, OSError, psutil.Error):
                return Worker(self._setup, self.confined)
        return Worker(self._setup, self.confined)

    def run(self, worker: Worker, work: Work) -> Outcome:
        """Run a call in a worker, until it is done or over a limit."""
        outcome = worker.run(work, self.limits.memory_megabytes, self._stopping)
        self.peak_memory_megabytes = max(self.peak_memory_megabytes, worker.peak_memory_megabytes)
        return outcome


class _Line:
    """What one thread of a pool holds: its worker, or why it can have none."""

    def __init__(self, pool: WorkerPool) -> None:
        self._pool = pool
        self._worker: Worker | None = None
        self._given_up: Outcome | None = None

    def answer(self, call: _Call) -> Outcome:
        """Answer a call, whatever happens."""
        errand = whole(call.function)
        try:
            arguments = errand.prepare(*call.arguments)
            if errand.is_apart:
                self._take_clean_worker()
            if self._given_up is None:
                self._get_worker()
            outcome = self._given_up or self._run(Work(errand.work, arguments, call.seconds))
            return _finished(errand, call, outcome) if outcome.kind == "done" else outcome
        except Exception as error:
            return Outcome("error", reason=f"{type(error).__name__}: {error}")
        finally:
            self._replace_worker()

    def _get_worker(self) -> None:
        if self._worker is None:
            try:
                self._worker = self._pool.start()
            except Exception as error:
                self._given_up = Outcome("stopped", reason=f"{error} ({MOST_FAILED_STARTS} times in a row)")

    def _run(self, work: Work) -> Outcome:
        assert self._worker is not None
        outcome = self._pool.run(self._worker, work)
        if outcome.kind == "memory" and self._worker.calls > 1:
            # What earlier calls left behind must not decide, so the call gets a worker of its own.
            self._worker.kill()
            outcome = self._run_anew(work)
        for _ in range(self._pool.tries - 1):
            # It may have been killed from outside, by a person or a machine short of memory.
            outcome = self._run_anew(work) if outcome.kind == "crashed" else outcome
        return outcome

    def _run_anew(self, work: Work) -> Outcome:
        self._replace_worker()
        self._get_worker()
        if self._given_up is not None or self._worker is None:
            return self._given_up or Outcome("stopped", reason="no worker could be started")
        return self._pool.run(self._worker, work)

    def _take_clean_worker(self) -> None:
        """Let go of a boxed worker that has opened a file of a stranger."""
        worker = self._worker
        if worker is not None and worker.confined == "bubblewrap" and worker.has_opened_files:
            worker.stop()
            self._worker = None

    def _replace_worker(self) -> None:
        """Let go of a worker that is gone, or kept so much memory that the next call would have too little."""
        worker = self._worker
        if worker is not None and worker.has_kept_too_much(self._pool.limits.memory_megabytes):
            worker.stop()
        if worker is not None and not worker.is_alive():
            self._worker = None
            self._pool.replaced += 1

    def close(self) -> None:
        """End the worker."""
        if self._worker is not None:
            self._worker.stop()


def _finished(errand: Errand, call: _Call, outcome: Outcome) -> Outcome:
    return Outcome("done", errand.finish(outcome.value, *call.arguments))
