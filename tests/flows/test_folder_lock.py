"""A lock that ends with its process, whatever the clock, the process numbers and the machine's name say."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from flows.store import Store
from flows.storing import folder_lock
from flows.storing.folder_lock import is_running, locked, may_be_elsewhere, myself, process_start, this_machine
from flows.storing.job_lock import one_lock_a_job
from shuzhi import StoreError

HOLD = """\
import sys, time
from flows.storing.folder_lock import locked
with locked(sys.argv[1], "the folder"):
    print("held", flush=True)
    sys.stdin.read()
"""


def hold(path: Path) -> subprocess.Popen[str]:
    """Start a process that holds a lock until its input ends."""
    command = [sys.executable, "-c", HOLD, str(path)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lock.json"


def test_a_lock_is_gone_when_it_is_released(path: Path):
    with locked(str(path), "the folder"):
        assert json.loads(path.read_text(encoding="utf-8")) == myself()
    assert not path.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL and SIGSTOP are Unix signals")
@pytest.mark.parametrize(
    "content", [None, "", "{", "[]", '{"process": 1}'], ids=["as written", "empty", "half", "list", "odd"]
)
def test_a_held_lock_is_respected_whatever_its_file_says_and_free_after_a_kill(path: Path, content: str | None):
    with hold(path) as other:
        if content is not None:
            path.write_text(content, encoding="utf-8")
        other.send_signal(signal.SIGSTOP)
        with pytest.raises(StoreError, match="is in use by"), locked(str(path), "the folder"):
            pass
        other.kill()
    with locked(str(path), "the folder"):
        pass


@pytest.mark.parametrize("content", ["", "{", "[]", "\x00" * 40])
def test_a_half_written_lock_of_a_crashed_machine_is_taken_over(path: Path, content: str):
    path.write_text(content, encoding="utf-8")
    with locked(str(path), "the folder"):
        pass


def test_a_process_number_that_was_given_again_holds_nothing(path: Path):
    # Of this very process, which runs, and yet holds no lock of the system's.
    path.write_text(json.dumps(myself()), encoding="utf-8")
    with locked(str(path), "the folder"):
        pass


def holder(**changed: str) -> dict[str, object]:
    return {"process": 1, "started": "1@0", **this_machine(), **changed}


@pytest.mark.skipif("boot" not in this_machine(), reason="this system gives its start no number")
@pytest.mark.parametrize(
    ("changed", "elsewhere"),
    [
        ({}, False),
        ({"host": "a-container"}, False),
        ({"boot": "before"}, False),
        ({"boot": "another", "host": "another"}, True),
        ({"boot": "another", "machine": "another"}, True),
    ],
    ids=["here", "a container here", "here, restarted", "another host", "another host of the same name"],
)
def test_where_a_lock_is_held(path: Path, changed: dict[str, str], elsewhere: bool):
    assert may_be_elsewhere(holder(**changed)) is elsewhere
    path.write_text(json.dumps(holder(**changed)), encoding="utf-8")
    if elsewhere:
        with pytest.raises(StoreError, match=r"wait for it, or remove .*lock\.json"), locked(str(path), "the folder"):
            pass
    else:
        with locked(str(path), "the folder"):
            pass


def test_a_process_start_does_not_depend_on_the_clock(monkeypatch: pytest.MonkeyPatch):
    before = process_start(os.getpid())
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert process_start(os.getpid()) == before
    assert is_running(myself())
    assert not is_running({**myself(), "started": "1@0"})


def test_a_file_system_without_locks_still_keeps_runs_apart(path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(folder_lock, "_hold", lambda file: False)
    monkeypatch.setattr(folder_lock, "SECONDS_TO_LOOK_AGAIN", 0.01)
    with locked(str(path), "the folder"), pytest.raises(StoreError, match="in use"), locked(str(path), "the folder"):
        pass
    assert not path.exists()
    path.write_text(json.dumps(holder()), encoding="utf-8")
    with locked(str(path), "the folder"):
        pass


def take_turns(path: str, counter: str, times: int) -> None:
    """Add to a number in a file, under the lock; refused turns are tried again."""
    done = 0
    while done < times:
        try:
            with locked(path, "the folder"):
                number = int(Path(counter).read_text(encoding="utf-8"))
                time.sleep(0.0005)
                Path(counter).write_text(str(number + 1), encoding="utf-8")
            done += 1
        except StoreError:
            time.sleep(0.0005)


def test_many_processes_at_once_never_hold_it_together(path: Path, tmp_path: Path):
    counter = tmp_path / "counter"
    counter.write_text("0", encoding="utf-8")
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=take_turns, args=(str(path), str(counter), 100)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert counter.read_text(encoding="utf-8") == "400"


def test_a_folder_that_is_not_there_or_cannot_be_written_is_named(tmp_path: Path):
    with pytest.raises((StoreError, FileNotFoundError)), locked(str(tmp_path / "no" / "lock.json"), "the folder"):
        pass


def test_a_job_keeps_its_lock_between_its_stages(tmp_path: Path):
    store = Store(str(tmp_path / "store"), create=True)
    script = "import sys; from flows.store import Store\nwith Store(sys.argv[1]).lock(): print('got it')"
    command = [sys.executable, "-c", script, store.url]
    with one_lock_a_job():
        for _ in range(2):
            with store.lock():
                pass
        other = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        assert f"in use by process {os.getpid()}" in other.stderr
    other = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert other.stdout == "got it\n"
