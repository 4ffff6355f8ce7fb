"""The workers of Dask behind the interface of :class:`flows.pool.WorkerPool`.

A call travels to a worker of Dask and runs there in a process of that worker's own pool, with its limits, so that a
file that hangs or crashes costs no worker of Dask. When a worker of Dask dies, Dask runs its calls elsewhere; each
result arrives here once. A call under which several workers died is tried once more when no other suspect runs, and
then given up with a reason, so that those who only stood beside it are not.
"""

from __future__ import annotations

import contextlib
import importlib
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from flows.confine import Confined, decide
from flows.dask_cluster import connect, is_reachable, start_cluster, threads_of, trouble_of_workers
from flows.dask_pool_worker import (
    Setup,
    end_run,
    run_here,
    run_whole_here,
    sample_of,
    software,
    trouble,
    trouble_with_store,
)
from flows.pool import Limits, Outcome
from flows.settings import PoolParameters
from nlp.options import Segmenter
from shuzhi import RunError, UsageError

# Results are taken in by a few threads, which Dask serves together.
COLLECTORS = 4
LOOK_SECONDS = 2.0
LONGEST_WITHOUT_WORKERS = 120.0
END_SECONDS = 20.0
GONE = (
    "the Dask cluster{place} is gone; what was finished is kept, and the same command goes on when the cluster is back"
)


@dataclass(eq=False)
class _Call:
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    seconds: float | None
    future: Future[Outcome]
    is_whole: bool = False
    is_suspect: bool = False


class DaskPool:
    """Workers of Dask that take calls as :class:`flows.pool.WorkerPool` does.

    Parameters
    ----------
    parameters : PoolParameters
        Address of the scheduler (empty starts a cluster on this machine), number of workers, and limits of a call.
    segmenter : {'rjieba', 'jieba'}
        Loaded in each worker before its first call.
    folder : str
        Folder of reports that every worker must see under this path; empty where no report is opened.

    Raises
    ------
    UsageError
        If Dask is not installed, or nobody answers at the address.
    RunError
        If a worker cannot see the folder, or has other software.
    """

    def __init__(self, parameters: PoolParameters, segmenter: Segmenter, folder: str = "") -> None:
        require_dask()
        self.limits = Limits(parameters.seconds_per_file, parameters.memory_megabytes)
        self.peak_memory_megabytes = 0.0
        self.replaced = 0
        self._parameters = parameters
        sample = sample_of(folder) if folder else None
        # A worker needs no more of the parameters than those of a pool.
        own = {name: getattr(parameters, name) for name in PoolParameters.model_fields}
        self._setup = Setup(uuid.uuid4().hex, PoolParameters(**own), segmenter, software(segmenter), sample)
        self._confined: set[Confined] = set()
        self._lock = threading.Lock()
        self._waiting: dict[_Call, Any] = {}
        self._suspects: deque[_Call] = deque()
        self._tried: _Call | None = None
        self._collectors = ThreadPoolExecutor(COLLECTORS, "dask-results")
        self._ended = threading.Event()
        self._cluster: Any = None
        self._client: Any = None
        if parameters.dask_address:
            self._connect()

    def __enter__(self) -> DaskPool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            for future in [call.future for call in list(self._waiting)]:
                future.result()
        self._ended.set()
        sent = list(self._waiting.values())
        self._give_up("the run was stopped")
        self._collectors.shutdown(wait=False, cancel_futures=True)
        if self._client is not None:
            with contextlib.suppress(Exception):  # a cluster that is gone cannot be told
                self._client.cancel(sent)
                self._client.run(end_run, self._setup.run, kind is not None, on_error="ignore", wait=kind is None)
            with contextlib.suppress(Exception):
                self._client.close(END_SECONDS)
        if self._cluster is not None:
            with contextlib.suppress(Exception):
                self._cluster.close(END_SECONDS)

    @property
    def workers(self) -> int:
        """Calls that can run at once."""
        return threads_of(self._client) if self._client is not None else self._parameters.worker_count()

    @property
    def confined(self) -> Confined:
        """How the calls so far were confined: by limits alone where a single one was."""
        weakest = min(self._confined, key=["limits", "bubblewrap"].index, default=None)
        return weakest or decide(self._parameters.confine)

    def submit(self, function: Callable[..., Any], *arguments: Any, seconds: float | None = None) -> Future[Outcome]:
        """Queue one call of an importable function; the future never raises, it holds an ``Outcome``."""
        self._connect()
        call = _Call(function, arguments, seconds, Future())
        self._send(call)
        return call.future

    def submit_whole(self, function: Callable[..., Any], *arguments: Any) -> Future[Outcome]:
        """Queue a function that a worker of Dask runs itself; it gets the pool of that worker as first argument.

        It may open the store and call for many files; limits hold for the calls that it makes.
        """
        self._connect()
        call = _Call(function, arguments, None, Future(), is_whole=True)
        self._send(call)
        return call.future

    def require_store(self, url: str) -> None:
        """Fail where a worker cannot use a store.

        Raises
        ------
        RunError
            With what each worker says.
        """
        if self._parameters.dask_address:
            self._connect()
            self._require("open the store", trouble_with_store, url)

    def _connect(self) -> None:
        """Connect once, and see that every worker can do the work before it gets any."""
        with self._lock:
            if self._client is not None:
                return
            address = self._parameters.dask_address
            cluster = None if address else start_cluster(self._parameters.worker_count())
            try:
                client = connect(address or cluster)
            except UsageError:
                if cluster is not None:
                    cluster.close(END_SECONDS)
                raise
            self._cluster, self._client = cluster, client
        try:
            self._require("take part", trouble, self._setup)
        except RunError:
            self.__exit__(RunError, None, None)
            raise
        # Reports are large; past the scheduler they cost it nothing.
        client.direct_to_workers = cluster is not None or is_reachable(client)
        threading.Thread(target=self._watch, name="watch-dask", daemon=True).start()

    def _require(self, what: str, asked: Callable[..., str], *arguments: Any) -> None:
        problems = trouble_of_workers(self._client, asked, *arguments)
        if problems:
            lines = "\n".join(f"  worker {address} {words}" for address, words in sorted(problems.items()))
            raise RunError(f"{len(problems)} workers of Dask cannot {what}:\n{lines}")

    def _send(self, call: _Call) -> None:
        try:
            key = f"{call.function.__name__}-{uuid.uuid4().hex}"
            arguments = (self._setup, call.function, call.arguments, call.seconds)
            sent = self._client.submit(run_whole_here if call.is_whole else run_here, *arguments, key=key, pure=False)
        except Exception as error:
            call.future.set_result(self._outcome_of_unsent(error))
            return
        with self._lock:
            self._waiting[call] = sent
        sent.add_done_callback(lambda _: self._collect(call, sent))

    def _outcome_of_unsent(self, error: Exception) -> Outcome:
        if self._client.status in ("running", "connecting"):
            return Outcome("error", reason=f"the call cannot be sent: {type(error).__name__}: {error}")
        return Outcome("stopped", reason=self._gone())

    def _collect(self, call: _Call, sent: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the run has ended, and nobody waits any more
            self._collectors.submit(self._take_in, call, sent)

    def _take_in(self, call: _Call, sent: Any) -> None:
        """Turn what Dask says of a call into its outcome."""
        try:
            outcome, megabytes, confined = sent.result()
        except Exception as error:  # Dask's own trouble: the call itself never raises
            if type(error).__name__ == "KilledWorker":
                self._suspect(call, error)
                return
            self._answer(call, self._outcome_of_lost(error))
            return
        with self._lock:
            self.peak_memory_megabytes = max(self.peak_memory_megabytes, megabytes)
            self._confined.add(confined)
        self._answer(call, outcome)

    def _outcome_of_lost(self, error: Exception) -> Outcome:
        is_cancelled = "Cancelled" in type(error).__name__ or "Closed" in type(error).__name__
        if is_cancelled or self._client.status != "running":
            return Outcome("stopped", reason="the run was stopped" if self._ended.is_set() else self._gone())
        return Outcome("error", reason=f"{type(error).__name__}: {error}")

    def _gone(self) -> str:
        address = self._parameters.dask_address
        return GONE.format(place=f" at {address}" if address else "")

    def _answer(self, call: _Call, outcome: Outcome) -> None:
        with self._lock:
            self._waiting.pop(call, None)
            if call is self._tried:
                self._tried = None
        with contextlib.suppress(Exception):  # answered before, by the end of the run
            call.future.set_result(outcome)
        self._try_suspect()

    def _suspect(self, call: _Call, error: Exception) -> None:
        """Try a call under which workers died once more, with no other suspect beside it, or give it up."""
        with self._lock:
            self.replaced += int(getattr(error, "allowed_failures", 0)) + 1
        if call.is_suspect:
            self._answer(call, Outcome("crashed", reason="every worker of Dask that took it died, again and again"))
            return
        call.is_suspect = True
        with self._lock:
            self._suspects.append(call)
        self._try_suspect()

    def _try_suspect(self) -> None:
        with self._lock:
            if self._tried is not None or not self._suspects or self._ended.is_set():
                return
            self._tried = call = self._suspects.popleft()
        self._send(call)

    def _watch(self) -> None:
        """Answer all calls when the cluster is gone or has had no worker for long."""
        last_seen = time.monotonic()
        while not self._ended.wait(LOOK_SECONDS):
            if self._client.status not in ("running", "connecting"):
                self._give_up(self._gone())
                return
            if threads_of(self._client):
                last_seen = time.monotonic()
            elif time.monotonic() - last_seen > LONGEST_WITHOUT_WORKERS:
                self._give_up(f"{self._gone()} (no worker for {LONGEST_WITHOUT_WORKERS:g} seconds)")
                return

    def _give_up(self, reason: str) -> None:
        with self._lock:
            calls = list(self._waiting)
            self._waiting.clear()
            self._suspects.clear()
        for call in calls:
            with contextlib.suppress(Exception):  # answered meanwhile
                call.future.set_result(Outcome("stopped", reason=reason))


def require_dask() -> None:
    """Fail where Dask is not installed.

    Raises
    ------
    UsageError
        With the line that installs it.
    """
    try:
        importlib.import_module("distributed")
        importlib.import_module("cryptography")
    except ImportError as error:
        raise UsageError(f'the runner dask needs Dask ({error}): pip install "shuzhi[dask]"') from None
