"""A worker that a hostile file has taken over: what it can reach, and what it can make the parent do."""

import hashlib
import os
import platform
import re
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import hostile_functions as hostile
import psutil
import pytest

from flows.confine import bubblewrap, decide
from flows.pool import Limits, Outcome, WorkerPool
from flows.work import prepare_worker, read_file
from shuzhi import UsageError

ON_LINUX = sys.platform.startswith("linux")
FILTERED = ON_LINUX and platform.machine() in ("x86_64", "aarch64")
needs_linux = pytest.mark.skipif(not ON_LINUX, reason="looks into /proc")
needs_filter = pytest.mark.skipif(not FILTERED, reason="the filter of system calls is for Linux on x86-64 and aarch64")
SECRET = "planted-4711-secret"


@pytest.fixture(scope="session")
def needs_box() -> None:
    """Skip where bubblewrap does not work."""
    trouble = bubblewrap.trouble()
    if trouble:
        pytest.skip(trouble)


@pytest.fixture(scope="module")
def box(needs_box: None) -> Iterator[WorkerPool]:
    """One boxed worker."""
    with WorkerPool(1, Limits(seconds=60, memory_megabytes=400), confine="required") as pool:
        yield pool


@pytest.fixture(scope="module")
def open_pool() -> Iterator[WorkerPool]:
    """One worker with limits alone."""
    with WorkerPool(1, Limits(seconds=60, memory_megabytes=400), confine="off") as pool:
        yield pool


def value_of(pool: WorkerPool, function, *arguments):
    outcome = pool.submit(function, *arguments).result(120)
    assert outcome.kind == "done", outcome
    return outcome.value


@pytest.fixture
def listener() -> Iterator[tuple[str, int]]:
    """A server on this machine that a worker would reach if it had a network."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[:2]


@pytest.fixture
def secret() -> Iterator[Path]:
    """A file in the home folder, as keys and passwords lie there."""
    path = Path.home() / f".shuzhi-test-secret-{os.getpid()}"
    path.write_text(SECRET, encoding="utf-8")
    yield path
    path.unlink()


def test_the_parent_reaches_the_server_that_workers_must_not(listener: tuple[str, int]):
    assert hostile.reach_the_network(*listener)["tcp"].startswith("did it")


def test_a_boxed_worker_has_no_network(box: WorkerPool, listener: tuple[str, int]):
    tried = value_of(box, hostile.reach_the_network, *listener)
    assert not [way for way, result in tried.items() if result.startswith("did it")], tried


def test_the_box_alone_keeps_the_network_away(needs_box: None, listener: tuple[str, int]):
    # Without the filter of system calls, which is another line of defence.
    code = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 2); print('did it')"
    words = [sys.executable, "-S", "-c", code, *map(str, listener)]
    assert subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip() == "did it"
    done = subprocess.run(bubblewrap.boxed(words), capture_output=True, text=True, check=False)
    assert done.returncode != 0 and "did it" not in done.stdout


@needs_filter
def test_a_worker_without_a_box_has_no_network_either(open_pool: WorkerPool, listener: tuple[str, int]):
    tried = value_of(open_pool, hostile.reach_the_network, *listener)
    assert not [way for way, result in tried.items() if result.startswith("did it")], tried


def test_a_boxed_worker_writes_to_its_scratch_folder_alone(box: WorkerPool, tmp_path: Path):
    here = Path(__file__).parent
    places = [tmp_path, here, Path.home(), Path(sys.prefix), Path("/"), Path("/dev/shm"), Path("/usr"), Path("/etc")]
    tried = [str(place / "planted") for place in places]
    assert value_of(box, hostile.write_to, [*tried, "/tmp/planted"]) == ["/tmp/planted"]
    assert not [place for place in tried if Path(place).exists()]
    assert not Path("/tmp/planted").exists()


def test_the_scratch_folder_is_small(box: WorkerPool):
    written = value_of(box, hostile.write_much, "/tmp/much", 200)
    assert 10 << 20 < written <= bubblewrap.SCRATCH_BYTES


def test_a_boxed_worker_sees_no_secret(box: WorkerPool, secret: Path):
    places = [secret, Path.home() / ".ssh", Path.home() / ".aws", Path("/etc/passwd"), Path("/etc/shadow")]
    places += [Path("/var/log"), Path("/run"), Path("/proc/1/environ"), Path(f"/proc/{os.getpid()}/environ")]
    assert hostile.read_from([str(secret)]) == {str(secret): SECRET}
    found = value_of(box, hostile.read_from, [str(place) for place in places])
    assert SECRET not in str(found)
    # The first process of the box is bubblewrap's own, whose environment is as clean.
    assert set(found) <= {"/proc/1/environ"}


def test_a_boxed_worker_sees_nothing_of_the_home_folder_but_python(box: WorkerPool, secret: Path):
    home = Path.home()
    found = value_of(box, hostile.read_from, [str(home)])
    seen = set(found.get(str(home), "").split())
    assert seen <= {
        Path(place).relative_to(home).parts[0] for place in bubblewrap.seen() if Path(place).is_relative_to(home)
    }


def test_a_boxed_worker_sees_no_other_process(box: WorkerPool):
    around = value_of(box, hostile.look_around)
    assert len(around["processes"]) == 2
    assert all("bwrap" in each or "flows.confine.worker" in each for each in around["commands"])


@needs_linux
@pytest.mark.parametrize("confine", ["auto", "off"])
def test_no_worker_gets_credentials_from_the_environment(monkeypatch, confine):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("MY_DATABASE_URL", f"postgresql://user:{SECRET}@host/db")
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:{SECRET}@proxy:8080")
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    with WorkerPool(1, Limits(), confine=confine) as pool:
        variables = value_of(pool, hostile.look_around)["variables"]
    assert SECRET not in str(variables)
    assert "LANG" in variables


@needs_linux
@pytest.mark.parametrize("confine", ["auto", "off"])
def test_a_worker_holds_no_handle_of_the_parent(tmp_path: Path, confine):
    with (tmp_path / "open").open("w", encoding="utf-8") as file, WorkerPool(1, Limits(), confine=confine) as pool:
        os.set_inheritable(file.fileno(), True)
        handles = value_of(pool, hostile.look_around)["handles"]
    assert str(tmp_path / "open") not in handles
    # Two pipes of the parent, and what it prints.
    assert len([each for each in handles if each.startswith(("socket:", "pipe:"))]) == 2


@needs_filter
@pytest.mark.parametrize("kind", ["box", "open_pool"])
def test_a_worker_starts_no_program_and_no_process(kind: str, request: pytest.FixtureRequest):
    tried = value_of(request.getfixturevalue(kind), hostile.start_others)
    assert not [way for way, result in tried.items() if result.startswith("did it")], tried


@pytest.mark.parametrize("kind", ["box", "open_pool"])
def test_a_worker_may_have_threads(kind: str, request: pytest.FixtureRequest):
    assert value_of(request.getfixturevalue(kind), hostile.use_threads, 20) == 20


@needs_linux
@pytest.mark.parametrize("kind", ["box", "open_pool"])
def test_the_limits_of_the_system_are_set(kind: str, request: pytest.FixtureRequest):
    pool = request.getfixturevalue(kind)
    found = value_of(pool, hostile.limits)
    assert found["RLIMIT_CORE"] == (0, 0)
    assert 0 < found["RLIMIT_FSIZE"][1] <= 64 << 20
    assert 0 < found["RLIMIT_NOFILE"][1] <= 256
    assert 400 << 20 < found["RLIMIT_DATA"][1] < 8 << 30
    # A minute beyond what the sixty seconds of a call can take on all processors.
    assert 60 < found["RLIMIT_CPU"][0] <= 60 * (os.cpu_count() or 1) + 70
    status = value_of(pool, hostile.privileges)
    assert status["NoNewPrivs"] == "1"
    if FILTERED:
        assert status["Seccomp"] == "2"


def test_a_boxed_worker_has_no_capabilities(box: WorkerPool):
    status = value_of(box, hostile.privileges)
    assert {int(status[name], 16) for name in ("CapEff", "CapPrm", "CapInh", "CapBnd", "CapAmb")} == {0}


@pytest.mark.parametrize("kind", ["box", "open_pool"])
def test_a_pickle_that_would_run_code_is_refused(kind: str, request: pytest.FixtureRequest, tmp_path: Path):
    pool = request.getfixturevalue(kind)
    outcome = pool.submit(hostile.answer_with_code, f"touch {tmp_path}/ran").result(60)
    assert outcome.kind == "crashed"
    assert "posix.system" in outcome.reason or "nt.system" in outcome.reason
    assert not (tmp_path / "ran").exists()
    assert value_of(pool, hostile.double, 2) == 4


@pytest.mark.parametrize(
    ("function", "arguments", "words"),
    [
        (hostile.answer_with_class_change, (), "flows.work_files.FileResult"),
        (hostile.answer_with_repetition, (), "repeats itself"),
        (hostile.answer_with_loop, (), "repeats itself|RecursionError"),
        (hostile.answer_with_bytes, (b"",), "EOFError"),
        (hostile.answer_with_bytes, (b"\x80\x05K\x01.",), "no kind of outcome"),
        (hostile.answer_with_bytes, (b"cos\nsystem\n(S'id'\ntR.",), "os.system"),
        (hostile.answer_as, ("Popen", "id"), "KeyError"),
    ],
)
def test_an_answer_that_is_none_costs_its_call_alone(box: WorkerPool, function, arguments, words):
    outcome = box.submit(function, *arguments).result(60)
    assert outcome.kind == "crashed"
    assert re.search(words, outcome.reason), outcome.reason
    assert value_of(box, hostile.double, 3) == 6


def test_no_answer_changes_a_class_of_the_parent():
    from flows.work_files import FileResult

    assert FileResult({}).is_lost is False


def test_a_worker_that_stalls_within_its_answer_is_ended_in_time(box: WorkerPool):
    started = time.monotonic()
    outcome = box.submit(hostile.stall_within_an_answer, seconds=1.0).result(60)
    assert outcome == Outcome("timeout", reason="not finished after 1 seconds")
    assert time.monotonic() - started < 20


def test_a_worker_that_announces_too_much_is_ended(box: WorkerPool):
    before = psutil.Process().memory_info().rss
    outcome = box.submit(hostile.announce_much, seconds=20).result(60)
    assert outcome.kind == "crashed" and "bad message length" in outcome.reason
    assert psutil.Process().memory_info().rss - before < 200 << 20
    assert value_of(box, hostile.double, 4) == 8


def test_a_result_of_another_file_is_refused(box: WorkerPool, tmp_path: Path, monkeypatch):
    from flows.confine import errand

    honest = errand.whole(read_file)
    hostile_parts = errand.Errand(honest.prepare, hostile.another_file, honest.finish)
    monkeypatch.setitem(errand._ERRANDS, read_file, hostile_parts)
    path = tmp_path / "report.txt"
    path.write_text("公司年度报告。", encoding="utf-8")
    document_id = hashlib.sha256(path.read_bytes()).hexdigest()
    outcome = box.submit(read_file, str(path), document_id, "pdfium", "rjieba").result(60)
    assert outcome.kind == "error"
    assert "no result of this file" in outcome.reason


def test_memory_time_and_crashes_are_seen_from_outside_the_box(needs_box: None):
    with WorkerPool(1, Limits(seconds=60, memory_megabytes=300), confine="required") as pool:
        assert pool.submit(hostile.take_memory, 2000).result(60).kind == "memory"
        assert pool.submit(time.sleep, 60, seconds=0.5).result(60).kind == "timeout"
        assert pool.submit(hostile.segfault).result(60).reason == "the worker process died of SIGSEGV"
        assert pool.submit(hostile.leave, 3).result(60).reason == "the worker process died with exit code 3"
        assert pool.submit(hostile.take_memory, 100).result(60).kind == "done"
        assert 100 < pool.peak_memory_megabytes < 400
        assert pool.replaced == 4


PARENT = """
    import sys
    import time

    import hostile_functions as hostile
    from flows.pool import Limits, WorkerPool

    if __name__ == "__main__":
        with WorkerPool(2, Limits(600, 300), confine="required") as pool:
            for future in [pool.submit(hostile.spin, 0.5) for _ in range(2)]:
                future.result()
            if sys.argv[1] == "busy":
                for _ in range(2):
                    pool.submit(hostile.spin, 600)
            time.sleep(0.2)
            print("started", flush=True)
            time.sleep(600)
"""


@pytest.mark.parametrize("state", ["busy", "idle"])
def test_boxes_end_when_their_parent_is_killed(needs_box: None, tmp_path: Path, state: str):
    script = tmp_path / "parent.py"
    script.write_text(textwrap.dedent(PARENT), encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    words = [sys.executable, str(script), state]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment) as parent:
        try:
            assert parent.stdout is not None and parent.stdout.readline().strip() == "started"
            boxes = psutil.Process(parent.pid).children(recursive=True)
            # Of each box: bubblewrap outside, its first process inside, and Python.
            assert len(boxes) == 6
            parent.send_signal(signal.SIGKILL)
            parent.wait(10)
            _, alive = psutil.wait_procs(boxes, timeout=10)
            assert not alive
        finally:
            parent.kill()


def test_a_real_report_reads_the_same_in_the_box_and_outside(needs_box: None, reports: Path):
    path = reports / "603339_2019_annual_full.pdf"
    call = (str(path), hashlib.sha256(path.read_bytes()).hexdigest(), "pdfium", "rjieba")
    with WorkerPool(1, Limits(), prepare_worker, ("rjieba",), confine="required") as pool:
        boxed = value_of(pool, read_file, *call)
    assert boxed == read_file(*call)
    assert boxed.reading["status"] == "ok" and len(boxed.pages) > 100


def test_a_file_that_cannot_be_opened_says_why(box: WorkerPool, tmp_path: Path):
    missing = value_of(box, read_file, str(tmp_path / "gone.pdf"), "0" * 64, "pdfium", "rjieba")
    assert missing.is_lost and missing.reading["reason"] == "cannot be opened: No such file or directory"
    folder = value_of(box, read_file, str(tmp_path), "0" * 64, "pdfium", "rjieba")
    assert folder.is_lost and "cannot be opened" in folder.reading["reason"]


def test_a_worker_that_opened_a_file_makes_nothing_that_is_stored(needs_box: None, tmp_path: Path):
    from flows.confine.errand import errand, pass_on

    store = errand(pass_on, hostile.double, lambda value, *_: value, is_apart=True)(lambda number: number)
    path = tmp_path / "report.txt"
    path.write_text("公司年度报告。", encoding="utf-8")
    document_id = hashlib.sha256(path.read_bytes()).hexdigest()
    with WorkerPool(1, Limits(), confine="required") as pool:
        first = [process.pid for process in _started(pool)]
        assert value_of(pool, store, 2) == 4
        assert [process.pid for process in _started(pool)] == first
        value_of(pool, read_file, str(path), document_id, "pdfium", "rjieba")
        assert [process.pid for process in _started(pool)] == first
        assert value_of(pool, store, 3) == 6
        assert [process.pid for process in _started(pool)] != first
        assert pool.replaced == 0


def _started(pool: WorkerPool) -> list[psutil.Process]:
    value_of(pool, hostile.double, 1)
    own = psutil.Process().children()
    return sorted((each for each in own if each.name() == "bwrap"), key=lambda each: each.create_time())[-1:]


def test_confinement_that_is_required_and_missing_fails_with_the_way_out(monkeypatch, tmp_path: Path):
    monkeypatch.setenv("PATH", str(tmp_path))
    bubblewrap.trouble.cache_clear()
    try:
        with pytest.raises(UsageError, match="apt install bubblewrap.*--confine auto" if ON_LINUX else "Linux"):
            WorkerPool(1, Limits(), confine="required")
        assert decide("auto") == "limits"
        with WorkerPool(1, Limits()) as pool:
            assert pool.confined == "limits"
            assert value_of(pool, hostile.double, 2) == 4
    finally:
        monkeypatch.undo()
        bubblewrap.trouble.cache_clear()


@pytest.mark.skipif(not ON_LINUX, reason="bubblewrap is a program of Linux")
def test_a_bubblewrap_that_may_not_make_boxes_is_as_good_as_none(monkeypatch, tmp_path: Path):
    program = tmp_path / "bwrap"
    program.write_text("#!/bin/sh\necho 'bwrap: setting up uid map: Permission denied' >&2\nexit 1\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    bubblewrap.trouble.cache_clear()
    try:
        assert decide("auto") == "limits"
        with pytest.raises(UsageError, match=r"uid map: Permission denied.*SECURITY\.md"):
            decide("required")
    finally:
        monkeypatch.undo()
        bubblewrap.trouble.cache_clear()
