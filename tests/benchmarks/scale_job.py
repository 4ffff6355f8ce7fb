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
from pathlib import Path
from typing import Any

import psutil

LOOK_SECONDS = 0.5
MEGABYTE = 1024 * 1024
SERVER_MARK = "prefect.server.api.server:create_app"


class Watch(threading.Thread):
    """Notes the greatest memory of this process, of its workers and of Prefect's server, and its open files.

    Processor seconds of the others are the last that were seen of each, since a worker in a box takes them with it.
    """

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.over = threading.Event()
        self.peaks = {"main_megabytes": 0.0, "worker_megabytes": 0.0, "prefect_megabytes": 0.0, "open_files": 0.0}
        self._seconds: dict[tuple[int, float], tuple[str, float]] = {}

    def run(self) -> None:
        """Look twice a second, until it is over."""
        while not self.over.wait(LOOK_SECONDS):
            self.look()

    def look(self) -> None:
        """Note what there is now."""
        me = psutil.Process()
        self._note("main_megabytes", me.memory_info().rss / MEGABYTE)
        self._note("open_files", me.num_fds())
        for child in me.children(recursive=True):
            with contextlib.suppress(psutil.Error):
                kind = "prefect" if SERVER_MARK in child.cmdline() else "worker"
                self._note(f"{kind}_megabytes", child.memory_info().rss / MEGABYTE)
                times = child.cpu_times()
                self._seconds[child.pid, child.create_time()] = (kind, times.user + times.system)

    def processor_seconds(self, kind: str) -> float:
        """Return what the workers, or Prefect's server, have used."""
        return sum(seconds for own, seconds in self._seconds.values() if own == kind)

    def _note(self, name: str, value: float) -> None:
        self.peaks[name] = max(self.peaks[name], value)


def job(corpus: str, out: str, given: dict[str, Any]) -> dict[str, Any]:
    """Run the whole job and return what it did and cost; the seconds begin when Python is there."""
    started = time.perf_counter()
    from flows.server import prepare_prefect, without_heartbeat

    prepare_prefect()
    from flows.annual import index_reports
    from flows.settings import RunParameters

    watch = Watch()
    watch.start()
    with without_heartbeat():
        summary = index_reports(RunParameters(folder=corpus, out=out, max_failure_share=1.0, **given))
    watch.look()
    watch.over.set()
    watch.join()
    own = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "seconds": time.perf_counter() - started,
        "reading": summary.reading.seconds,
        "measuring": summary.measuring.seconds,
        "exporting": summary.exporting.seconds,
        "main_processor": own.ru_utime + own.ru_stime,
        "worker_processor": watch.processor_seconds("worker"),
        "prefect_processor": watch.processor_seconds("prefect"),
        "read": summary.reading.read,
        "cached": summary.reading.cached,
        "failed": summary.reading.failed,
        "hits": summary.exporting.hits,
        "is_new": summary.exporting.is_new,
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
    parser.add_argument("--profile", default="", help="write a profile of this process's main thread there")
    options = parser.parse_args()
    os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
    os.environ.setdefault("DO_NOT_TRACK", "1")
    profile = cProfile.Profile()
    if options.profile:
        profile.enable()
    result = job(options.corpus, options.out, {"workers": options.workers, "runner": options.runner})
    if options.profile:
        profile.disable()
        profile.dump_stats(options.profile)
    Path(options.result).write_text(json.dumps(result, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
