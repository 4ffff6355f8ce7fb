"""Kills and stops: at any step of the file system, at any time; the run, its workers, its server."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from tests.faults.bench import OPTIONS, RUN, Bench, Ended, Running
from tests.faults.case import Case, Kind

# Of the files of a run; the rest are made when the workers have ended.
WORKING = 0.35
KILLED = (-signal.SIGKILL,)
SERVER_WORDS = ("prefect.server.api.server:create_app",)


def kill_at_step(bench: Bench, place: Path, rng: random.Random) -> Case:
    """Kill the run at one step of the file system, with no chance to clear up."""
    step = rng.randint(1, bench.steps["write"])
    fault = json.dumps({"step": step, "action": "kill", "root": str(place)})
    ended = bench.run(place, [*RUN, *OPTIONS], SHUZHI_FAULT=fault)
    what = f"kill -9 at step {step} of {bench.steps['write']}"
    return Case(what, [(ended, (*KILLED, 0))], is_met=ended.code != 0)


def _files(place: Path) -> int:
    return sum(len(names) for name in ("store", "out") for _, _, names in os.walk(place / name))


def _at_moment(
    bench: Bench, place: Path, rng: random.Random, act: Callable[[Running], bool], what: str, share: float = 1.0
) -> tuple[Ended, str, bool]:
    """Run, and do something to it at a moment; returns how it ended, what was done, and whether it could be."""
    # Moments are counted in files, which come as fast as the machine is free to make them, and a little time.
    last = int(share * _files(bench.folder / "undisturbed")) - 1
    files, seconds = rng.randint(0, last), rng.uniform(0.0, 1.0)
    running = bench.start(place, [*RUN, *OPTIONS])
    running.wait_until(lambda: _files(place) >= files)
    started = time.monotonic()
    running.wait_until(lambda: time.monotonic() - started >= seconds)
    is_met = False
    # What is to be killed may only be there a little later.
    while running.is_running() and not is_met:
        is_met = act(running)
        time.sleep(0.01)
    return running.wait(), f"{what} {seconds:.1f} s after the {files}th file", is_met


def _signal(number: int) -> Callable[[Running], bool]:
    def act(running: Running) -> bool:
        with contextlib.suppress(ProcessLookupError):
            running.process.send_signal(number)
            return True
        return False

    return act


def _kill_children(chosen: Callable[[psutil.Process], bool], number: int) -> Callable[[Running], bool]:
    def act(running: Running) -> bool:
        killed = 0
        with contextlib.suppress(psutil.Error):
            for child in psutil.Process(running.process.pid).children(recursive=True):
                with contextlib.suppress(psutil.Error):
                    if killed < number and chosen(child):
                        child.kill()
                        killed += 1
        return killed > 0

    return act


def is_server(process: psutil.Process) -> bool:
    """Tell whether a process is Prefect's temporary server."""
    return any(word in SERVER_WORDS for word in process.cmdline())


def is_worker(process: psutil.Process) -> bool:
    """Tell whether a process is a worker: the command's own child that is no server and no helper of the system's."""
    words = " ".join(process.cmdline())
    return not is_server(process) and "resource_tracker" not in words and ("spawn" in words or "flows" in words)


def kill_run(bench: Bench, place: Path, rng: random.Random) -> Case:
    """Kill the run at a moment."""
    ended, what, is_met = _at_moment(bench, place, rng, _signal(signal.SIGKILL), "kill -9 of the run")
    return Case(what, [(ended, (*KILLED, 0))], is_met=is_met)


def terminate_run(bench: Bench, place: Path, rng: random.Random) -> Case:
    """End the run as systemd and worker processes do."""
    ended, what, is_met = _at_moment(bench, place, rng, _signal(signal.SIGTERM), "SIGTERM")
    return Case(what, [(ended, (1, 0, -signal.SIGTERM))], is_met=is_met)


def interrupt_run(bench: Bench, place: Path, rng: random.Random) -> Case:
    """End the run as Ctrl-C does."""
    ended, what, is_met = _at_moment(bench, place, rng, _signal(signal.SIGINT), "Ctrl-C")
    return Case(what, [(ended, (1, 0, -signal.SIGINT))], is_met=is_met)


def kill_worker(bench: Bench, place: Path, rng: random.Random) -> Case:
    """Kill one worker; the run must go on."""
    ended, what, is_met = _at_moment(bench, place, rng, _kill_children(is_worker, 1), "kill -9 of a worker", WORKING)
    return Case(what, [(ended, (0,))], outputs=["out"], is_met=is_met)


def kill_workers(bench: Bench, place: Path, rng: random.Random) -> Case:
    """Kill all workers at once; the run must go on."""
    ended, what, is_met = _at_moment(
        bench, place, rng, _kill_children(is_worker, 99), "kill -9 of all workers", WORKING
    )
    return Case(what, [(ended, (0,))], outputs=["out"], is_met=is_met)


def kill_server(bench: Bench, place: Path, rng: random.Random) -> Case:
    """Kill Prefect's temporary server."""
    ended, what, is_met = _at_moment(bench, place, rng, _kill_children(is_server, 9), "kill -9 of Prefect's server")
    return Case(what, [(ended, (0, 1))], outputs=["out"], is_met=is_met)


KINDS = [
    Kind("kill -9 of the run, at a step", "killed", False, kill_at_step),
    Kind("kill -9 of the run, at a time", "killed", False, kill_run),
    Kind("kill -9 of a worker", "killed", False, kill_worker),
    Kind("kill -9 of all workers", "killed", False, kill_workers),
    Kind("kill -9 of Prefect's server", "killed", False, kill_server),
    Kind("SIGTERM", "killed", False, terminate_run),
    Kind("Ctrl-C", "killed", False, interrupt_run),
]
