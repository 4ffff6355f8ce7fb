"""One whole job in a process of its own, with what it cost, written as JSON; :mod:`tests.benchmarks.scale` starts it.

python -m tests.benchmarks.scale_job CORPUS OUT RESULT.json --workers 2 --runner processes
"""

from __future__ import annotations

import argparse
import contextlib
import cProfile
import json
import os
import resource
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil

LOOK_SECONDS = 0.5
MEGABYTE = 1024 * 1024
SERVER_MARK = "prefect.server.api.server:create_app"


class Watch(threading.Thread):
    """Notes the greatest memory of this process, of its workers and of Prefect's server, and its open files."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.over = threading.Event()
        self.peaks = {"main_megabytes": 0.0, "worker_megabytes": 0.0, "prefect_megabytes": 0.0, "open_files": 0.0}

    def run(self) -> None:
        """Look twice a second, until it is over."""
        while not self.over.wait(LOOK_SECONDS):
            with contextlib.suppress(psutil.Error):
                self.look()

    def look(self) -> None:
        """Note what there is now."""
        me = psutil.Process()
        self._note("main_megabytes", me.memory_info().rss / MEGABYTE)
        self._note("open_files", me.num_fds())
        for child in me.children(recursive=True):
            with contextlib.suppress(psutil.Error):
                kind = "prefect_megabytes" if SERVER_MARK in child.cmdline() else "worker_megabytes"
                self._note(kind, child.memory_info().rss / MEGABYTE)

    def _note(self, name: str, value: float) -> None:
        self.peaks[name] = max(self.peaks[name], value)


def processor_seconds() -> float:
    """Return what this process and all that it started have used so far, Prefect's server among them."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    ended = sum(usage.ru_utime + usage.ru_stime for usage in usages)
    running = (child.cpu_times() for child in psutil.Process().children(recursive=True))
    return ended + sum(times.user + times.system for times in running)


def job(corpus: str, out: str, given: dict[str, Any]) -> dict[str, Any]:
    """Run the whole job and return what it did and cost."""
    # Its time counts: a user waits for it too.
    started = time.perf_counter()
    from flows.server import prepare_prefect, without_heartbeat

    prepare_prefect()
    from flows.annual import index_reports
    from flows.settings import RunParameters

    watch = Watch()
    watch.start()
    with without_heartbeat():
        summary = index_reports(RunParameters(folder=corpus, out=out, **given))
    watch.over.set()
    watch.join()
    return {
        "wall_seconds": time.perf_counter() - started,
        "processor_seconds": processor_seconds(),
        "reading_seconds": summary.reading.seconds,
        "measuring_seconds": summary.measuring.seconds,
        "exporting_seconds": summary.exporting.seconds,
        "read": summary.reading.read,
        "cached": summary.reading.cached,
        "by_status": summary.reading.by_status,
        "hits": summary.exporting.hits,
        "summary": asdict(summary),
        **watch.peaks,
    }


def main() -> None:
    """Run the job and write its result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus")
    parser.add_argument("out")
    parser.add_argument("result")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--runner", default="processes")
    parser.add_argument("--dictionary-folder", default="")
    parser.add_argument("--dictionary", default="wu2021")
    parser.add_argument("--profile", default="", help="write a profile of this process's main thread there")
    options = parser.parse_args()
    os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
    os.environ.setdefault("DO_NOT_TRACK", "1")
    given = {"workers": options.workers, "runner": options.runner, "dictionaries": [options.dictionary]}
    given["dictionary_folder"] = options.dictionary_folder
    profile = cProfile.Profile()
    if options.profile:
        profile.enable()
    result = job(options.corpus, options.out, given)
    if options.profile:
        profile.disable()
        profile.dump_stats(options.profile)
    Path(options.result).write_text(json.dumps(result, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
