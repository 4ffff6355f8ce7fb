"""The server and the workers of a ``shuzhi serve``, kept running until it ends."""

from __future__ import annotations

import socket
import time
from collections import deque
from collections.abc import Callable

import psutil

from flows.serving.lost import close_lost_runs
from flows.serving.options import ServeParameters
from flows.serving.port import is_prefect
from flows.serving.process import Child, abandoned, is_flow_run, kill_all, marked, own_mark, prefect_command, stop_all
from flows.serving.project import Project
from flows.storing.folder_lock import this_machine
from shuzhi import RunError

# The first start on an empty or old database takes longest.
START_SECONDS = 300.0
STOP_SECONDS = 10.0
# A program that dies oftener than this is not started again: whoever reads the log finds out why.
MOST_RESTARTS = 5
RESTART_WINDOW_SECONDS = 600.0
LOG_FOLDER = "shuzhi-serve"
# Only the server has to know the database and its password; runs are kept from it.
SERVER_ONLY = ("PREFECT_API_DATABASE_", "PREFECT_SERVER_DATABASE_")
LOOK_SECONDS = 0.5


class Stack:
    """A server, unless it runs elsewhere, and one worker a work pool.

    Parameters
    ----------
    parameters : ServeParameters
        Where and how.
    project : Project
        Whose work pools the workers serve.
    environment : dict of str to str
        Variables that every process gets.
    say : callable
        Gets a line for the user.
    """

    def __init__(
        self, parameters: ServeParameters, project: Project, environment: dict[str, str], say: Callable[[str], None]
    ) -> None:
        self._parameters = parameters
        self._project = project
        self._environment = environment
        self._say = say
        self._logs = parameters.home_folder() / LOG_FOLDER
        self._server = self._child("server", self._server_command(), ())
        self._worker_names = {pool: _worker_name(pool) for pool in project.pools}
        self._workers = [
            self._child(
                "worker" if len(project.pools) == 1 else f"worker-{pool}", self._worker_command(pool), SERVER_ONLY
            )
            for pool in project.pools
        ]
        self._deaths: deque[float] = deque(maxlen=MOST_RESTARTS)

    def _child(self, name: str, command: list[str], without: tuple[str, ...]) -> Child:
        return Child(name, command, self._project.folder, self._logs / f"{name}.log", self._environment, without)

    def _server_command(self) -> list[str]:
        where = ("--host", self._parameters.host, "--port", str(self._parameters.port))
        return prefect_command("server", "start", *where)

    def _worker_command(self, pool: str) -> list[str]:
        what = ("--pool", pool, "--name", self._worker_names[pool], "--limit", str(self._parameters.limit))
        return prefect_command("worker", "start", *what)

    def start_server(self) -> None:
        """Start the server and wait until it answers.

        Raises
        ------
        RunError
            If it ends, or does not answer in time.
        """
        api = self._parameters.api_url()
        if self._parameters.server:
            if not is_prefect(api, seconds=20):
                raise RunError(f"no Prefect server answers at {api}; is it running, and does the address end in /api?")
            self._check_password()
            return
        self._server.start()
        deadline = time.monotonic() + START_SECONDS
        while not is_prefect(api):
            if not self._server.is_alive():
                raise RunError(f"the server did not start ({self._server.ending()}): {self._last_words(self._server)}")
            if time.monotonic() > deadline:
                raise RunError(f"the server did not answer within {START_SECONDS:.0f} seconds: see {self._server.log}")
            time.sleep(LOOK_SECONDS)

    def _check_password(self) -> None:
        from prefect.client.orchestration import get_client
        from prefect.exceptions import PrefectHTTPStatusError

        with get_client(sync_client=True) as client:
            try:
                client.read_work_pools(limit=1)
            except PrefectHTTPStatusError as error:
                if error.response.status_code in (401, 403):
                    raise RunError(
                        f"the Prefect server at {self._parameters.api_url()} wants a password: set"
                        " PREFECT_API_AUTH_STRING to its 'user:password'"
                    ) from None
                raise

    def start_workers(self) -> None:
        """Start the workers, after closing the runs of workers that are gone."""
        self.close_lost()
        for worker in self._workers:
            worker.start()

    def stop_abandoned(self) -> None:
        """Stop what a ``shuzhi serve`` has left that was killed."""
        left = abandoned()
        if left:
            stop_all(left, STOP_SECONDS)
            self._say(f"stopped {len(left)} processes of a shuzhi serve that was killed")

    def close_lost(self) -> None:
        """Mark runs as crashed whose process is gone."""
        from prefect.client.orchestration import get_client

        with get_client(sync_client=True) as client:
            for name in close_lost_runs(client, self._project.pools, tuple(self._worker_names.values())):
                self._say(f"the run {name} was cut off; start it again, it goes on where it was")

    def watch(self) -> None:
        """Start again what dies, until the caller is interrupted.

        Raises
        ------
        RunError
            If something dies again and again.
        """
        while True:
            time.sleep(LOOK_SECONDS)
            if not self._parameters.server and not self._server.is_alive():
                self._count_death(self._server)
                self.start_server()
            for worker in self._workers:
                if not worker.is_alive():
                    self._count_death(worker)
                    # What a dead worker has started could never tell it the end, and would hide from the limit; asked
                    # to stop, it would sometimes tell the server so in Prefect's words, which name no way out.
                    _kill_runs()
                    self.close_lost()
                    worker.start()

    def _count_death(self, child: Child) -> None:
        now = time.monotonic()
        if len(self._deaths) == MOST_RESTARTS and now - self._deaths[0] < RESTART_WINDOW_SECONDS:
            raise RunError(
                f"the {child.name} ended {MOST_RESTARTS + 1} times within {RESTART_WINDOW_SECONDS / 60:.0f} minutes,"
                f" the last time with {child.ending()}: {self._last_words(child)}"
            )
        self._deaths.append(now)
        self._say(f"the {child.name} ended ({child.ending()}) and is started again; its log: {child.log}")

    def _last_words(self, child: Child) -> str:
        return f"{child.last_words() or 'it said nothing'} (see {child.log})"

    def stop(self) -> None:
        """Stop the runs, the workers and the server, in this order, so that each can tell the next."""
        runs = [run for worker in self._workers for run in worker.runs()]
        if runs:
            self._say(
                f"stopping {len(runs)} {'run' if len(runs) == 1 else 'runs'}; the next start goes on where it was"
            )
            # The worker sees its runs end and tells the server, so it must outlive them.
            psutil.wait_procs(_terminated(runs), timeout=STOP_SECONDS)
            time.sleep(LOOK_SECONDS)
        for worker in self._workers:
            worker.stop(STOP_SECONDS)
        _kill_runs()
        if runs:
            self._close_quietly()
        self._server.stop(STOP_SECONDS)
        stop_all(marked(own_mark()), 1)

    def _close_quietly(self) -> None:
        try:
            self.close_lost()
        except Exception as error:
            self._say(f"the runs could not be marked as ended ({type(error).__name__}); the next shuzhi serve does it")


def _worker_name(pool: str) -> str:
    """Return a name that is the same at every start on this machine, and another one on the next machine."""
    return f"{pool}-{socket.gethostname()}-{this_machine().get('machine', '')[:6]}".strip("-")


def _kill_runs() -> None:
    kill_all([each for each in marked(own_mark()) if is_flow_run(each)])


def _terminated(processes: list[psutil.Process]) -> list[psutil.Process]:
    for process in processes:
        process.terminate()
    return processes
