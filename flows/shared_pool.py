"""One worker pool for all stages of a run, so that the workers start once."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar

from flows.pool import Limits, WorkerPool
from flows.settings import PoolParameters
from flows.work import prepare_worker
from nlp.options import Segmenter

_SHARED: ContextVar[WorkerPool | None] = ContextVar("shared_pool", default=None)


@contextlib.contextmanager
def worker_pool(parameters: PoolParameters, segmenter: Segmenter) -> Iterator[WorkerPool]:
    """Give the pool of the run around this stage, or one for this stage alone.

    Parameters
    ----------
    parameters : PoolParameters
        Number of workers and limits.
    segmenter : {'rjieba', 'jieba'}
        Loaded in each worker before its first file.

    Yields
    ------
    WorkerPool
        Processes start when the first call is queued, so a stage without work costs nothing.
    """
    shared = _SHARED.get()
    if shared is not None:
        yield shared
        return
    limits = Limits(parameters.seconds_per_file, parameters.memory_megabytes)
    with WorkerPool(parameters.worker_count(), limits, prepare_worker, (segmenter,)) as pool:
        token = _SHARED.set(pool)
        try:
            yield pool
        finally:
            _SHARED.reset(token)
