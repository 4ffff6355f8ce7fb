"""The place where faults are injected: a corpus with known counts, an undisturbed run of it, commands of its own."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]
HOOK = Path(__file__).parent / "hook"
MARK = "SHUZHI_FAULT_RUN"
RUN = ["run", "reports", "--store", "store", "--out", "out"]
OPTIONS = ["--batch-size", "4", "--workers", "2", "--max-failure-share", "0.5"]
LONGEST_SECONDS = 600.0
SECONDS_TO_END = 20.0
SETTLED = 1_700_000_000


@dataclass(frozen=True)
class Ended:
    """How a command ended: exit code (negative: the signal that killed it), what it printed, its seconds."""

    code: int
    out: str
    err: str
    seconds: float

    @property
    def last_line(self) -> str:
        """The last line of what it said."""
        lines = self.err.strip().splitlines()
        return lines[-1] if lines else ""


@dataclass
class Bench:
    """A folder with the corpus, a store and an export of an undisturbed run, and what that run was like.

    Parameters
    ----------
    folder : Path
        Everything lies in it.
    planted : mapping of (str, int) to int
        Terms planted in the reports of the corpus by firm and year; only of the readable ones.
    steps : mapping of str to int
        Steps of the file system in an undisturbed run, by ``write`` and ``read``.
    seconds : float
        How long it took.
    mark : str
        What every process of this bench carries in its environment.
    server : str
        Address of a Prefect server for the faults that do not concern it, which saves each command its own.
    """

    folder: Path
    planted: Mapping[tuple[str, int], int] = field(default_factory=dict)
    steps: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    mark: str = field(default_factory=lambda: f"{os.getpid()}-{time.monotonic_ns()}")
    server: str = ""

    @property
    def home(self) -> Path:
        """Folder of Prefect for all commands of this bench."""
        return self.folder / "prefect"

    def environment(self, **more: str) -> dict[str, str]:
        """Return the environment of a command: nothing of the user's Prefect, and the hook within reach."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "SHUZHI_"))}
        own = {"PREFECT_HOME": str(self.home), "DO_NOT_TRACK": "1", MARK: self.mark, "OPENBLAS_NUM_THREADS": "1"}
        paths = os.pathsep.join(filter(None, [str(HOOK), os.environ.get("PYTHONPATH", "")]))
        own |= {"PREFECT_API_URL": self.server} if self.server else {}
        return {**kept, **own, "PREFECT_SERVER_ANALYTICS_ENABLED": "false", "PYTHONPATH": paths, **more}

    def start(self, place: Path, arguments: Sequence[str], **more: str) -> Running:
        """Start a command in a folder."""
        return Running(place, arguments, self.environment(**more))

    def run(self, place: Path, arguments: Sequence[str], **more: str) -> Ended:
        """Run a command to its end."""
        return self.start(place, arguments, **more).wait()

    def case(self, name: str, *, finished: bool) -> Path:
        """Make a folder for one injection: with the corpus, and with the undisturbed run's store and outputs or not."""
        # As deep as the undisturbed run's: the evidence page links to the reports by a relative path.
        place = self.folder / f"case-{name}"
        place.mkdir()
        (place / "reports").symlink_to(self.folder / "reports")
        if finished:
            shutil.copytree(self.folder / "undisturbed" / "store", place / "store")
            shutil.copytree(self.folder / "undisturbed" / "out", place / "out")
        return place

    @contextlib.contextmanager
    def with_server(self) -> Iterator[None]:
        """Run one Prefect server for all commands that take none of their own."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
        environment = {**self.environment(), "PREFECT_HOME": str(self.folder / "server"), MARK: "server"}
        with (self.folder / "server.log").open("wb") as log:
            process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=self.folder)
        try:
            address = f"http://127.0.0.1:{port}/api"
            _await(f"{address}/health", process)
            self.server = address
            yield
        finally:
            self.server = ""
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(20)
            process.kill()

    def marked(self) -> list[psutil.Process]:
        """Return the live processes that commands of this bench started."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if process.status() != psutil.STATUS_ZOMBIE and process.environ().get(MARK) == self.mark:
                    found.append(process)
        return found

    def left_over(self) -> list[str]:
        """Wait for the processes of ended commands to end, and return those that do not."""
        end = time.monotonic() + SECONDS_TO_END
        while (left := self.marked()) and time.monotonic() < end:
            time.sleep(0.1)
        return [" ".join(process.cmdline()[:4]) for process in left]

    def close(self) -> None:
        """End what should have ended by itself."""
        for process in self.marked():
            with contextlib.suppress(psutil.Error):
                process.kill()


def _await(address: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=5):
            return
        time.sleep(0.2)
    raise RuntimeError("the Prefect server of this bench did not start; see server.log")


class Running:
    """A command that runs, its output in files: a server that outlives it would hold pipes open."""

    def __init__(self, place: Path, arguments: Sequence[str], environment: Mapping[str, str]) -> None:
        self._number = time.monotonic_ns()
        self._files = [place / f"std{name}-{self._number}" for name in ("out", "err")]
        self._started = time.monotonic()
        command = shutil.which("shuzhi", path=str(Path(sys.executable).parent))
        with self._files[0].open("wb") as stdout, self._files[1].open("wb") as stderr:
            self.process = subprocess.Popen(
                [*([command] if command else [sys.executable, "-m", "flows.cli"]), *arguments],
                cwd=place,
                env=environment,
                stdout=stdout,
                stderr=stderr,
                # What runs in the background of a shell ignores SIGINT, and so would its children.
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
            )

    def is_running(self) -> bool:
        """Tell whether it still runs."""
        return self.process.poll() is None

    def wait_until(self, is_time: Callable[[], bool], seconds: float = LONGEST_SECONDS) -> bool:
        """Wait for a moment; False if the command ended before it came."""
        end = time.monotonic() + seconds
        while not is_time():
            if not self.is_running() or time.monotonic() > end:
                return False
            time.sleep(0.002)
        return True

    def wait(self) -> Ended:
        """Wait for its end."""
        try:
            code = self.process.wait(LONGEST_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            code = -999
        texts = [file.read_text(encoding="utf-8", errors="replace") for file in self._files]
        for file in self._files:
            file.unlink()
        return Ended(code, texts[0], texts[1], time.monotonic() - self._started)


@contextlib.contextmanager
def bench(
    folder: Path, firms: int = 4, years: Sequence[int] = (2020, 2021, 2022), reports: Path | None = None
) -> Iterator[Bench]:
    """Write the corpus, run it undisturbed, and count the steps that such a run takes.

    Parameters
    ----------
    folder : Path
        Where everything is made.
    firms, years
        Size of the simulated corpus.
    reports : Path, optional
        Folder of real reports, of which the smallest few are added.
    """
    from flows.corpus import write_corpus
    from flows.dictionary_files import load_dictionaries

    terms = load_dictionaries(["wu2021"])[0].terms
    folder.mkdir(parents=True, exist_ok=True)
    planted = write_corpus(folder / "reports", terms=terms, firms=firms, years=years)
    if reports is not None:
        for path in sorted(reports.glob("*.pdf"), key=lambda path: path.stat().st_size)[:3]:
            shutil.copy2(path, folder / "reports" / path.name)
    for path in (folder / "reports").iterdir():
        # An inbox leaves a damaged report that came a moment ago for the next run, as it may still be growing.
        os.utime(path, (SETTLED, SETTLED))
    made = Bench(
        folder, {(each.stock_code, each.report_year): each.planted_count for each in planted if each.fault == "none"}
    )
    try:
        place = folder / "undisturbed"
        place.mkdir()
        (place / "reports").symlink_to(folder / "reports")
        count = folder / "steps.json"
        fault = json.dumps({"root": str(place)})
        ended = made.run(place, [*RUN, *OPTIONS], SHUZHI_FAULT=fault, SHUZHI_COUNT=str(count))
        if ended.code != 0:
            raise RuntimeError(f"the undisturbed run failed: {ended.err}")
        made.steps, made.seconds = json.loads(count.read_text(encoding="utf-8")), ended.seconds
        yield made
    finally:
        made.close()
