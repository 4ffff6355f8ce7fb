"""What runs on the workers of Dask: each keeps a pool of its own, so that limits hold there as on one machine."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flows.confine import Confined, decide
from flows.files import SUFFIXES
from flows.pool import Outcome, WorkerPool
from flows.settings import PoolParameters
from flows.shared_pool import local_pool
from flows.store import Store, long_path
from flows.versions import versions
from flows.work import text_key
from nlp.options import Segmenter
from shuzhi import ShuzhiError

# A run that was killed cannot close what it left on the workers of a cluster.
IDLE_SECONDS = 600.0
LOOK_SECONDS = 30.0


@dataclass(frozen=True)
class Sample:
    """A file that a worker must see if it sees the folder of the run: its folder, its path and its size."""

    folder: str
    path: str
    size_bytes: int


@dataclass(frozen=True)
class Setup:
    """What a worker of Dask needs to know of a run.

    Parameters
    ----------
    run : str
        Tells runs apart that use one cluster.
    parameters : PoolParameters
        Limits of the calls.
    segmenter : {'rjieba', 'jieba'}
        Loaded before the first call.
    software : mapping of str to str
        Versions of the run, see :func:`software`.
    sample : Sample or None
        A file of the folder of reports, where there is one.
    """

    run: str
    parameters: PoolParameters
    segmenter: Segmenter
    software: Mapping[str, str]
    sample: Sample | None


@dataclass
class _Kept:
    pool: WorkerPool
    busy: int = 0
    last_used: float = field(default_factory=time.monotonic)


_KEPT: dict[str, _Kept] = {}
_LOCK = threading.Lock()


def software(segmenter: Segmenter) -> dict[str, str]:
    """Return the versions of everything that can change a number: a worker with others must not count."""
    return {**versions(), "reading and texts": text_key("pdfium", segmenter)}


def sample_of(folder: str) -> Sample | None:
    """Return a file by which a worker is asked whether it sees the same folder; None where the folder has none."""
    for place, folders, names in os.walk(long_path(folder)):
        folders.sort()
        for name in sorted(names):
            path = Path(place, name)
            if name.lower().endswith(SUFFIXES) and path.is_file():
                return Sample(str(Path(folder).absolute()), str(path.absolute()), path.stat().st_size)
    return None


def trouble(setup: Setup) -> str:
    """Return why this worker cannot take part in a run; empty where it can."""
    theirs = software(setup.segmenter)
    for name, version in setup.software.items():
        if theirs.get(name) != version:
            return f"has {name} {theirs.get(name, 'missing')} where the run has {version}; install the same versions"
    try:
        decide(setup.parameters.confine)
    except ShuzhiError as error:
        return f"says: {error}"
    return _trouble_with_sample(setup.sample) if setup.sample is not None else ""


def _trouble_with_sample(sample: Sample) -> str:
    if not Path(sample.folder).is_dir():
        return f"cannot see folder {sample.folder}; mount it there under the same path"
    try:
        size = Path(long_path(sample.path)).stat().st_size
    except OSError as error:
        return f"cannot see {sample.path} ({error.strerror}); mount the folder of the reports under the same path"
    if size != sample.size_bytes:
        return f"sees another file at {sample.path} ({size} bytes, not {sample.size_bytes}); mount the same folder"
    return ""


def trouble_with_store(url: str) -> str:
    """Return why this worker cannot use a store; empty where it can."""
    try:
        Store(url)
    except ShuzhiError as error:
        return f"cannot open store {url}: {error}"
    except Exception as error:  # whatever the object store's library raises: no credentials, no such bucket
        return f"cannot open store {url}: {type(error).__name__}: {error}"
    return ""


def run_here(
    setup: Setup, function: Callable[..., Any], arguments: tuple[Any, ...], seconds: float | None
) -> tuple[Outcome, float, Confined]:
    """Run one call in this worker's own pool.

    Returns
    -------
    outcome : Outcome
        How the call ended.
    megabytes : float
        Greatest resident memory of a process of the pool so far.
    confined : {'bubblewrap', 'limits'}
        How the processes of the pool are confined.
    """
    try:
        kept = _take(setup)
    except ShuzhiError as error:
        return Outcome("stopped", reason=str(error)), 0.0, "limits"
    try:
        outcome = kept.pool.submit(function, *arguments, seconds=seconds).result()
        return outcome, kept.pool.peak_memory_megabytes, kept.pool.confined
    finally:
        _give_back(kept)


def run_whole_here(
    setup: Setup, function: Callable[..., Any], arguments: tuple[Any, ...], _seconds: float | None
) -> tuple[Outcome, float, Confined]:
    """Run a function in this worker itself, with its pool as the first argument; returns as :func:`run_here`."""
    try:
        kept = _take(setup)
    except ShuzhiError as error:
        return Outcome("stopped", reason=str(error)), 0.0, "limits"
    try:
        outcome = Outcome("done", function(kept.pool, *arguments))
    except ShuzhiError as error:
        outcome = Outcome("error", reason=str(error))
    finally:
        _give_back(kept)
    return outcome, kept.pool.peak_memory_megabytes, kept.pool.confined


def _give_back(kept: _Kept) -> None:
    with _LOCK:
        kept.busy -= 1
        kept.last_used = time.monotonic()


def _take(setup: Setup) -> _Kept:
    with _LOCK:
        kept = _KEPT.get(setup.run)
        if kept is None:
            if words := trouble(setup):
                raise ShuzhiError(f"Dask worker {_address()} {words}")
            # Dask marks its workers as daemons, which may have no children; those of the pool end with their parent.
            multiprocessing.current_process().daemon = False
            kept = _KEPT[setup.run] = _Kept(local_pool(setup.parameters, setup.segmenter, _threads()))
            if len(_KEPT) == 1:
                threading.Thread(target=_close_idle, name="close-idle-pools", daemon=True).start()
        kept.busy += 1
        return kept


def _address() -> str:
    from distributed import get_worker

    return str(get_worker().address)


def _threads() -> int:
    """Return how many calls Dask gives this worker at once."""
    from distributed import get_worker

    return int(get_worker().state.nthreads)


def _close_idle() -> None:
    while True:
        time.sleep(LOOK_SECONDS)
        with _LOCK:
            ends = time.monotonic() - IDLE_SECONDS
            old = [run for run, kept in _KEPT.items() if not kept.busy and kept.last_used < ends]
            idle = [_KEPT.pop(run) for run in old]
            is_last = not _KEPT
        for kept in idle:
            kept.pool.__exit__(None, None, None)
        if is_last:
            return


def end_run(run: str, at_once: bool) -> None:
    """Close the pool of a run; ``at_once`` ends calls that are not finished."""
    with _LOCK:
        kept = _KEPT.pop(run, None)
    if kept is not None:
        error = KeyboardInterrupt() if at_once else None
        kept.pool.__exit__(type(error) if error else None, error, None)
