"""Prefect without a server of one's own: quiet, patient, and leaving nothing behind."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

import psutil

from flows.storing.folder_lock import process_start

SERVER_MARK = "prefect.server.api.server:create_app"
RUN_MARK = "SHUZHI_RUN"


def prepare_prefect(*, debug: bool = False) -> None:
    """Set what a run from the command line needs, before Prefect is imported.

    A setting that the user's environment has already is left alone. Prefect's own log is silent, because errors
    are told in one line; ``debug`` brings it back.

    Parameters
    ----------
    debug : bool
        Show Prefect's log.
    """
    for name in ("PREFECT_LOGGING_LEVEL", "PREFECT_LOGGING_ROOT_LEVEL", "PREFECT_SERVER_LOGGING_LEVEL"):
        os.environ.setdefault(name, "INFO" if debug else "CRITICAL")
    os.environ.setdefault("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "120")
    # A temporary server that is gone does not come back; with Prefect's own five tries a run would wait for minutes.
    os.environ.setdefault("PREFECT_CLIENT_MAX_RETRIES", "3")
    stop_orphaned_servers()
    os.environ[RUN_MARK] = f"{os.getpid()} {process_start(os.getpid())}"


@contextlib.contextmanager
def without_heartbeat() -> Iterator[None]:
    """Run flows without Prefect's heartbeat, which waits up to a second at the end of each.

    The command line sees how its run ends; deployments keep the heartbeat.
    """
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

    with temporary_settings(updates={PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
        yield


def stop_orphaned_servers() -> int:
    """Stop the temporary Prefect servers whose run was killed; returns how many there were.

    A run started by the command line marks its environment with its process; the temporary server inherits the
    mark and cannot notice that the run is gone.
    """
    stopped = 0
    for process in psutil.process_iter(["cmdline"]):
        if SERVER_MARK in (process.info["cmdline"] or []):
            with contextlib.suppress(psutil.Error, ValueError):
                number, started = process.environ().get(RUN_MARK, "").split()
                if not is_running(int(number), started):
                    process.terminate()
                    stopped += 1
    return stopped


def is_running(number: int, started: str) -> bool:
    """Return whether a process runs and is no later one with the same number.

    Parameters
    ----------
    number : int
        Number of the process.
    started : str
        As :func:`flows.storing.folder_lock.process_start` gives it, which no setting of the clock moves.
    """
    try:
        if "@" in started:
            return process_start(number) == started
        # As older versions and some systems note it, in seconds since 1970.
        return abs(psutil.Process(number).create_time() - float(started)) < 1
    except psutil.NoSuchProcess:
        return False
