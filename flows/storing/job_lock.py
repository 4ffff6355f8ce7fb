"""One lock for all stages of a job, so that no other run comes between reading and exporting."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from contextvars import ContextVar

_JOB: ContextVar[tuple[ExitStack, set[str]] | None] = ContextVar("job", default=None)


@contextlib.contextmanager
def one_lock_a_job() -> Iterator[None]:
    """Keep every lock that a stage within the block takes until the block ends."""
    with ExitStack() as locks:
        token = _JOB.set((locks, set()))
        try:
            yield
        finally:
            _JOB.reset(token)


@contextlib.contextmanager
def kept_for_job(name: str, lock: Callable[[], AbstractContextManager[None]]) -> Iterator[None]:
    """Hold a lock while the block runs, or, within a job, take it once and keep it to the job's end.

    Parameters
    ----------
    name : str
        What is locked.
    lock : callable
        Takes the lock.
    """
    job = _JOB.get()
    if job is None:
        with lock():
            yield
        return
    locks, held = job
    if name not in held:
        locks.enter_context(lock())
        held.add(name)
    yield
