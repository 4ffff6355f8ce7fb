"""A run that was killed goes on where it was, and ends with the same bytes as one that was not."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from conftest import Command

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL and SIGINT are Unix signals"),
]

MARK = "SHUZHI_TEST_RUN"
ARGUMENTS = ["--out", "out", "--batch-size", "8", "--workers", "2", "--max-failure-share", "0.1"]


def parts(folder: Path, table: str) -> int:
    return len(list((folder / "out" / "store").glob(f"{table}/*/*.parquet")))


def outputs(folder: Path) -> int:
    return len([path for path in (folder / "out").glob("*") if path.is_file()])


# In order; each begins where the one before was killed.
MOMENTS: dict[str, Callable[[Path], bool]] = {
    "the first batch is read": lambda folder: parts(folder, "readings") > 0,
    "the first batch is measured": lambda folder: parts(folder, "hits") > 0,
    "the first output is written": lambda folder: outputs(folder) > 0,
}


@dataclass(frozen=True)
class Killed:
    """What was there when a run had been killed."""

    readings: int
    hits: int
    outputs: int
    has_run_file: bool


def marked(mark: str) -> list[psutil.Process]:
    """Return the live processes that carry a mark in their environment: a run and all that it started."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.status() != psutil.STATUS_ZOMBIE and process.environ().get(MARK) == mark:
                found.append(process)
    return found


@pytest.fixture(scope="module")
def mark() -> Iterator[str]:
    """Mark the processes of this file, and end at last whatever should have ended by itself."""
    mark = f"{os.getpid()}-{time.time_ns()}"
    yield mark
    for process in marked(mark):
        with contextlib.suppress(psutil.Error):
            process.kill()


@pytest.fixture(scope="module")
def start(command_line: list[str], command_environment: Mapping[str, str], mark: str):
    def start(folder: Path) -> subprocess.Popen[bytes]:
        # Into files: Prefect's temporary server outlives a killed run and would hold pipes open.
        with (folder / "stdout").open("wb") as stdout, (folder / "stderr").open("wb") as stderr:
            return subprocess.Popen(
                [*command_line, "run", "reports", *ARGUMENTS],
                cwd=folder,
                env={**command_environment, MARK: mark},
                stdout=stdout,
                stderr=stderr,
                # A test run in the background of a shell ignores SIGINT, and so would its children.
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
            )

    return start


def wait_for(moment: Callable[[Path], bool], folder: Path, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 120
    while not moment(folder):
        assert process.poll() is None, "the run ended before its moment came"
        assert time.monotonic() < end
        time.sleep(0.002)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write 60 simulated reports for all runs of this file."""
    from flows.corpus import write_corpus
    from flows.dictionary_files import load_dictionaries

    folder = tmp_path_factory.mktemp("resume")
    terms = load_dictionaries(["wu2021"])[0].terms
    write_corpus(folder / "reports", terms=terms, firms=15, years=(2020, 2021, 2022, 2023))
    return folder


def place_for(folder: Path, name: str) -> Path:
    """Make a folder in which a run finds the reports under the same relative path."""
    place = folder / name
    place.mkdir()
    (place / "reports").symlink_to(folder / "reports")
    return place


@pytest.fixture(scope="module")
def uninterrupted(folder: Path, shuzhi: Command, mark: str) -> Path:
    """Run once from beginning to end."""
    place = place_for(folder, "uninterrupted")
    done = shuzhi("run", "reports", *ARGUMENTS, cwd=place, **{MARK: mark})
    assert done.returncode == 0, done.stderr
    return place


@pytest.fixture(scope="module")
def killed(folder: Path, uninterrupted: Path, start) -> tuple[Path, dict[str, Killed]]:
    """Kill a run at every moment, each time going on with the same command."""
    place = place_for(folder, "killed")
    states = {}
    for name, moment in MOMENTS.items():
        process = start(place)
        try:
            wait_for(moment, place, process)
        finally:
            process.kill()
            process.wait(60)
        has_run_file = (place / "out" / "run.json").exists()
        states[name] = Killed(parts(place, "readings"), parts(place, "hits"), outputs(place), has_run_file)
    return place, states


@pytest.fixture(scope="module")
def resumed(killed: tuple[Path, dict[str, Killed]], shuzhi: Command, mark: str):
    """Give the command once more, to its end."""
    place, _ = killed
    return place, shuzhi("run", "reports", *ARGUMENTS, cwd=place, **{MARK: mark})


def files_of(place: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (place / "out").iterdir() if path.is_file()}


def run_file(place: Path) -> dict[str, object]:
    content = json.loads((place / "out" / "run.json").read_text(encoding="utf-8"))
    return {name: value for name, value in content.items() if name != "this_run"}


def test_the_kills_fell_into_reading_measuring_and_exporting(killed: tuple[Path, dict[str, Killed]]):
    _, states = killed
    reading, measured, exporting = states.values()
    assert 1 <= reading.readings < 8
    assert reading.hits == 0
    assert measured.readings == 8
    assert (measured.hits >= 1, measured.outputs) == (True, 0)
    assert exporting.hits == 8
    assert exporting.outputs >= 1
    assert not exporting.has_run_file


def test_the_resumed_run_finishes(resumed):
    _, done = resumed
    assert done.returncode == 0, done.stderr
    assert done.stdout == "read 0 · cached 60 · failed 2 (see failures.csv)\n"


def test_every_output_is_that_of_an_uninterrupted_run(resumed, uninterrupted: Path):
    place, _ = resumed
    expected, found = files_of(uninterrupted), files_of(place)
    assert "indices.csv" in expected
    assert found.keys() == expected.keys()
    assert [name for name in expected if name != "run.json" and found[name] != expected[name]] == []


def test_the_run_file_is_that_of_an_uninterrupted_run(resumed, uninterrupted: Path):
    assert run_file(resumed[0]) == run_file(uninterrupted)


def test_no_document_was_read_twice(resumed):
    import pyarrow.parquet as pq

    place, _ = resumed
    read = [
        document
        for file in (place / "out" / "store").glob("readings/*/*.parquet")
        for document in pq.read_table(file, columns=["document_id"]).column(0).to_pylist()
    ]
    assert len(read) == len(set(read)) == 60


def test_no_temporary_file_is_left_in_the_outputs(resumed):
    place, _ = resumed
    assert [path.name for path in (place / "out").iterdir() if path.name.endswith(".tmp")] == []


def test_no_temporary_file_is_left_in_the_store(resumed):
    place, _ = resumed
    assert [path.name for path in (place / "out" / "store").rglob("*.tmp")] == []


def test_no_process_of_a_killed_run_is_left(resumed, mark: str):
    end = time.monotonic() + 15
    while (left := marked(mark)) and time.monotonic() < end:
        time.sleep(0.2)
    assert [process.cmdline() for process in left] == []


def test_a_run_that_is_stopped_by_hand_says_so_and_can_go_on(folder: Path, resumed, start, mark: str):
    place = place_for(folder, "stopped")
    process = start(place)
    try:
        wait_for(MOMENTS["the first batch is read"], place, process)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 1
    finally:
        process.kill()
    stderr = (place / "stderr").read_text(encoding="utf-8")
    assert (place / "stdout").read_text(encoding="utf-8") == ""
    assert stderr.strip().splitlines()[-1] == "stopped; the same command goes on where this one was stopped"
    assert "Traceback" not in stderr
    assert not (place / "out" / "store" / "lock.json").exists()
    assert parts(place, "readings") < 8
