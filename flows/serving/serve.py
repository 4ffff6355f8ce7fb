"""Serve: start the server, deploy, start the worker, keep both running, stop everything."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

from flows.serving.claim import check_claim, claimed
from flows.serving.deploy import Deployed, deploy
from flows.serving.environment import check_exposure, serving_environment
from flows.serving.notify import create_notifications
from flows.serving.options import ServeParameters
from flows.serving.port import check_port
from flows.serving.process import own_mark
from flows.serving.project import load_project
from flows.serving.stack import LOG_FOLDER, Stack

READY = "Ctrl-C stops everything."


def serve(parameters: ServeParameters, say: Callable[[str], None]) -> None:
    """Run a Prefect server and a worker with the deployments of a project, until interrupted.

    Parameters
    ----------
    parameters : ServeParameters
        Where and how.
    say : callable
        Gets a line for the user.

    Raises
    ------
    UsageError
        If the port or the folder is in use, or the project is none.
    RunError
        If the server does not start, Prefect refuses a deployment, or something dies again and again.
    """
    project = load_project(Path(parameters.project))
    check_exposure(parameters)
    check_claim(parameters.home_folder())
    environment = serving_environment(parameters, own_mark())
    stack = Stack(parameters, project, environment, say)
    stack.stop_abandoned()
    if not parameters.server:
        check_port(parameters)
    with claimed(parameters.home_folder(), parameters.dashboard_url()):
        if not parameters.server:
            say(f"starting a Prefect server at {parameters.dashboard_url()} (the first time takes longest) ...")
        # From here on this process is a client of that server too; Prefect reads these when it is imported.
        os.environ.update(environment)
        with _ended_by_signals(), _stopping(stack, say):
            stack.start_server()
            deployed = _register(parameters, stack, say)
            for line in summary(parameters, deployed):
                say(line)
            stack.watch()


def _register(parameters: ServeParameters, stack: Stack, say: Callable[[str], None]) -> list[Deployed]:
    """Bring the server up to date, and start the workers."""
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        deployed = deploy(load_project(Path(parameters.project)), client)
    if parameters.notify_url:
        create_notifications(parameters.notify_url, parameters.notify_format)
    stack.start_workers()
    return deployed


def summary(parameters: ServeParameters, deployed: list[Deployed]) -> list[str]:
    """Return what a user wants to know once everything runs."""
    width = max(len(each.name) for each in deployed)
    scheduled = [f"{each.name} ({', '.join(each.schedules)})" for each in deployed if each.is_scheduled]
    database = os.environ.get("PREFECT_API_DATABASE_CONNECTION_URL", "")
    home = parameters.home_folder()
    return [
        "",
        f"dashboard    {parameters.dashboard_url()}",
        f"data, logs   {home}, {home / LOG_FOLDER}" + (" (database elsewhere)" if database else ""),
        f"schedules    {'on: ' + '; '.join(scheduled) if scheduled else 'all off'}",
        f"deployments  {len(deployed)}, {parameters.limit} at a time:",
        *(f"  {each.name:<{width}}  {each.description}" for each in deployed),
        "",
        "Start a run in the dashboard, or in another terminal:",
        f"  PREFECT_API_URL={parameters.api_url()} {_prefect_program()} deployment run {deployed[0].name}",
        READY,
    ]


def _prefect_program() -> str:
    """Return Prefect's command as a user can type it: with its folder where that is not on PATH."""
    beside = shutil.which("prefect", path=str(Path(sys.executable).parent))
    if beside is None or shutil.which("prefect") == beside:
        return "prefect"
    return str(Path(beside).relative_to(Path.cwd())) if Path(beside).is_relative_to(Path.cwd()) else beside


@contextlib.contextmanager
def _stopping(stack: Stack, say: Callable[[str], None]) -> Iterator[None]:
    """Stop everything at the end, also after an error; being interrupted is the usual end."""
    try:
        yield
    except KeyboardInterrupt:
        say("stopping ...")
    finally:
        with _without_signals():
            stack.stop()
    say("stopped")


@contextlib.contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let the signals that end a service, or its terminal, do what Ctrl-C does.

    A shell lets programs in the background ignore SIGINT, and they hand that down; but Prefect's worker stops by it.
    """

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    with _handled(interrupt, "SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"):
        yield


@contextlib.contextmanager
def _without_signals() -> Iterator[None]:
    """Take no signal while everything is stopped, which is over within half a minute."""
    with _handled(signal.SIG_IGN, "SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"):
        yield


@contextlib.contextmanager
def _handled(handler: Callable[[int, FrameType | None], None] | signal.Handlers, *names: str) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)
