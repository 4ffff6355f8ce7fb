"""Clusters of Dask: starting one on this machine, connecting, and asking its workers."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from shuzhi import UsageError

CONNECT_SECONDS = 10.0
REACH_SECONDS = 2.0
START_SECONDS = 120.0
LOGGERS = ("distributed", *(f"distributed.{name}" for name in ("client", "core", "nanny", "scheduler", "worker")))
SETTINGS: dict[str, object] = {
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    "distributed.logging.distributed": "critical",
    # A worker that dies several times in a row is away for long; Dask would then take it off the cluster for good.
    "distributed.deploy.lost-worker-timeout": "1 hour",
    # A call is tried on two workers, and later on two more with no other suspect beside it.
    "distributed.scheduler.allowed-failures": 1,
}


def start_cluster(workers: int) -> Any:
    """Start a cluster on this machine, closed to all others by keys that live as long as it.

    Parameters
    ----------
    workers : int
        Worker processes, of one thread each.

    Returns
    -------
    distributed.LocalCluster
        Running.
    """
    import dask
    import distributed

    dask.config.set(SETTINGS)
    _be_quiet()
    return distributed.LocalCluster(  # type: ignore[no-untyped-call]
        n_workers=workers,
        threads_per_worker=1,
        processes=True,
        host="127.0.0.1",
        # Port 0 is any that is free; nothing is served there.
        dashboard_address="127.0.0.1:0",
        # The pool on a worker watches the memory of its calls; what Dask sees is the worker beside them.
        memory_limit=0,
        security=True,
        silence_logs=logging.CRITICAL,
    )


def connect(place: Any) -> Any:
    """Connect to a cluster, and wait until it has a worker.

    Parameters
    ----------
    place : str or distributed.LocalCluster
        Address of a scheduler, or a cluster.

    Returns
    -------
    distributed.Client
        Connected.

    Raises
    ------
    UsageError
        If nobody answers, or there is no worker.
    """
    import distributed

    _be_quiet()
    try:
        client: Any = distributed.Client(place, timeout=CONNECT_SECONDS, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise _no_answer(place, error) from None
    try:
        client.wait_for_workers(1, timeout=CONNECT_SECONDS if isinstance(place, str) else START_SECONDS)
    except TimeoutError:
        client.close()
        raise UsageError(
            f"the Dask scheduler at {place} has no worker; start some with 'dask worker {place}'"
        ) from None
    except OSError as error:
        client.close()
        raise _no_answer(place, error) from None
    return client


def _be_quiet() -> None:
    """Silence Dask's log: a worker that dies is told in the outcome of its calls."""
    for name in LOGGERS:
        logging.getLogger(name).setLevel(logging.CRITICAL)


def _no_answer(place: Any, error: Exception) -> UsageError:
    return UsageError(
        f"no Dask scheduler answers at {place} ({str(error).splitlines()[0]}); start one with 'dask scheduler',"
        " or leave the address out to start Dask on this machine"
    )


def threads_of(client: Any) -> int:
    """Return how many calls the workers of a cluster run at once, as far as this client knows."""
    return sum(int(each["nthreads"]) for each in _workers_of(client).values())


def is_reachable(client: Any) -> bool:
    """Tell whether results can come straight from every worker instead of by way of the scheduler."""
    for address in _workers_of(client):
        place = urlsplit(address)
        try:
            socket.create_connection((place.hostname, place.port), REACH_SECONDS).close()
        except (OSError, ValueError):
            return False
    return True


def trouble_of_workers(client: Any, asked: Callable[..., str], *arguments: Any) -> dict[str, str]:
    """Ask every worker, and return the words of those that are in trouble, by address."""
    answers: dict[str, Any] = client.run(asked, *arguments, on_error="return")
    return {address: _words(answer) for address, answer in answers.items() if answer != ""}


def _words(answer: Any) -> str:
    if isinstance(answer, str):
        return answer
    if isinstance(answer, ImportError):
        return f"has no shuzhi like this one ({answer}); install the same version there"
    return f"says {type(answer).__name__}: {answer}"


def _workers_of(client: Any) -> dict[str, Any]:
    # While a client looks for its scheduler again, it knows of nothing.
    known: dict[str, Any] = client.scheduler_info(n_workers=-1).get("workers", {})
    return known
