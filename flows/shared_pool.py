"""One worker pool for all stages of a run, so that the workers start once."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from flows.pool import Limits, WorkerPool
from flows.settings import PoolParameters
from flows.work import prepare_worker
from nlp.options import Segmenter

if TYPE_CHECKING:
    from flows.dask_pool import DaskPool

TRIES = 3
Pool: TypeAlias = "WorkerPool | DaskPool"
_SHARED: ContextVar[Pool | None] = ContextVar("shared_pool", default=None)


def local_pool(parameters: PoolParameters, segmenter: Segmenter, workers: int) -> WorkerPool:
    """Make a pool of processes of this machine; processes start when the first call is queued."""
    limits = Limits(parameters.seconds_per_file, parameters.memory_megabytes)
    return WorkerPool(workers, limits, prepare_worker, (segmenter,), parameters.confine, TRIES)


@contextlib.contextmanager
def worker_pool(parameters: PoolParameters, segmenter: Segmenter) -> Iterator[Pool]:
    """Give the pool of the run around this stage, or one for this stage alone.

    Parameters
    ----------
    parameters : PoolParameters
        Runner, number of workers and limits; where they name a folder of reports, the workers of Dask must see it.
    segmenter : {'rjieba', 'jieba'}
        Loaded in each worker before its first file.

    Yields
    ------
    WorkerPool or DaskPool
        Processes start when the first call is queued, so a stage without work costs nothing.
    """
    shared = _SHARED.get()
    if shared is not None:
        yield shared
        return
    with _new_pool(parameters, segmenter) as pool:
        token = _SHARED.set(pool)
        try:
            yield pool
        finally:
            _SHARED.reset(token)


def _new_pool(parameters: PoolParameters, segmenter: Segmenter) -> Pool:
    if parameters.runner == "dask":
        from flows.dask_pool import DaskPool

        return DaskPool(parameters, segmenter, folder=str(getattr(parameters, "folder", "")))
    return local_pool(parameters, segmenter, parameters.worker_count())


def calls_at_once(pool: Pool, parameters: PoolParameters) -> int:
    """Return how many calls the workers of a pool run at once."""
    return parameters.worker_count() if isinstance(pool, WorkerPool) else max(1, pool.workers)


def require_store(pool: Pool, url: str) -> str:
    """Return the URL of a store for workers, once each of them can use it.

    Raises
    ------
    RunError
        With what each worker of Dask that cannot use it says.
    """
    url = url if "://" in url else str(Path(url).resolve())
    if not isinstance(pool, WorkerPool):
        pool.require_store(url)
    return url
