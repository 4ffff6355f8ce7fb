"""Worker processes that hang, crash and grow: only the call that did it is lost."""

import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pool_functions as work
import psutil
import pytest

from flows.pool import Limits, Outcome, WorkerPool

LIMITS = Limits(seconds=30, memory_megabytes=300)
ON_LINUX = sys.platform.startswith("linux")


@pytest.fixture
def pool() -> Iterator[WorkerPool]:
    with WorkerPool(1, LIMITS, confine="off") as pool:
        yield pool


def wait_until(condition, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.01)
    return bool(condition())


def test_each_future_holds_the_result_of_its_own_call():
    with WorkerPool(2, LIMITS, confine="off") as pool:
        futures = [pool.submit(work.double, number) for number in range(50)]
        values = [future.result(60).value for future in futures]
    assert values == [2 * number for number in range(50)]


def test_calls_are_shared_among_the_workers(tmp_path: Path):
    with WorkerPool(2, LIMITS, confine="off") as pool:
        futures = [pool.submit(work.say_and_sleep, str(tmp_path), 0.3) for _ in range(4)]
        assert [future.result(60).kind for future in futures] == ["done"] * 4
    assert len(list(tmp_path.iterdir())) == 2


def test_a_pool_without_calls_starts_no_process():
    before = set(psutil.Process().children())
    with WorkerPool(2, LIMITS, confine="off"):
        time.sleep(0.2)
        assert set(psutil.Process().children()) == before


def test_the_initializer_runs_once_in_a_worker():
    with WorkerPool(1, LIMITS, work.remember, ("word list",), confine="off") as pool:
        assert pool.submit(work.recall).result(60).value == ["word list"]
        assert pool.submit(work.recall).result(60).value == ["word list"]


def test_a_hanging_call_is_killed_at_the_time_limit(pool: WorkerPool):
    pool.submit(work.double, 1).result(60)
    started = time.monotonic()
    outcome = pool.submit(work.sleep_for, 60, seconds=0.5).result(30)
    assert outcome == Outcome("timeout", reason="not finished after 0.5 seconds")
    assert 0.5 <= time.monotonic() - started < 5


def test_the_time_limit_of_the_pool_holds_where_a_call_names_none():
    with WorkerPool(1, Limits(seconds=0.4, memory_megabytes=300), confine="off") as pool:
        assert pool.submit(work.sleep_for, 60).result(60).reason == "not finished after 0.4 seconds"


def test_the_start_of_a_worker_does_not_count_towards_the_time_limit():
    with WorkerPool(1, LIMITS, work.sleep_for, (1.0,), confine="off") as pool:
        assert pool.submit(work.double, 4, seconds=0.8).result(60).value == 8


def test_a_killed_worker_is_gone_and_replaced(pool: WorkerPool):
    first = pool.submit(work.own_pid).result(60).value
    pool.submit(work.sleep_for, 60, seconds=0.2).result(30)
    second = pool.submit(work.own_pid).result(60).value
    assert first != second
    assert not psutil.pid_exists(first)
    assert pool.replaced == 1


def test_a_worker_serves_many_calls(pool: WorkerPool):
    pids = {pool.submit(work.own_pid).result(60).value for _ in range(10)}
    assert len(pids) == 1
    assert pool.replaced == 0


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals")
def test_a_real_segfault_costs_one_call(pool: WorkerPool):
    outcome = pool.submit(work.segfault).result(60)
    assert outcome == Outcome("crashed", reason="the worker process died of SIGSEGV")
    assert pool.submit(work.double, 2).result(60).value == 4


@pytest.mark.parametrize("way", [work.leave, work.leave_politely])
def test_a_worker_that_exits_says_its_code(pool: WorkerPool, way):
    outcome = pool.submit(way, 3).result(60)
    assert outcome == Outcome("crashed", reason="the worker process died with exit code 3")
    assert pool.submit(work.double, 2).result(60).value == 4


@pytest.mark.skipif(not ON_LINUX, reason="reads what a process has written from /proc")
def test_a_worker_killed_while_it_sends_a_large_result():
    with WorkerPool(1, Limits(seconds=60, memory_megabytes=2000), confine="off") as pool:
        worker = psutil.Process(pool.submit(work.own_pid).result(60).value)
        before = worker.io_counters().write_chars
        future = pool.submit(work.large_result, 400)
        # The header of a message is written by itself; the 400 MB behind it count when they all are.
        while (sent := worker.io_counters().write_chars - before) == 0 and not future.done():
            pass
        worker.kill()
        outcome = future.result(60)
        assert 0 < sent < 1_000
        assert outcome == Outcome("crashed", reason="the worker process died of SIGKILL")
        assert pool.submit(work.double, 2).result(60).value == 4


def test_a_large_result_arrives_whole():
    with WorkerPool(1, Limits(seconds=60, memory_megabytes=2000), confine="off") as pool:
        assert len(pool.submit(work.large_result, 100).result(60).value) == 100 * 1024 * 1024


def test_a_call_that_grows_over_the_memory_limit_is_killed(pool: WorkerPool):
    outcome = pool.submit(work.allocate_in_steps, 2000, 20).result(60)
    assert outcome == Outcome("memory", reason="needed more than 300 MB of memory")
    assert pool.submit(work.double, 2).result(60).value == 4


@pytest.mark.skipif(not ON_LINUX, reason="only Linux limits the data of a process")
def test_one_huge_allocation_is_refused_by_the_system(pool: WorkerPool):
    outcome = pool.submit(work.allocate_at_once, 20_000).result(60)
    assert outcome == Outcome("memory", reason="ran out of the memory that a worker may use")
    assert pool.submit(work.double, 2).result(60).value == 4


@pytest.mark.skipif(not ON_LINUX, reason="only Linux limits the data of a process")
def test_addresses_that_a_library_reserved_at_the_start_are_no_memory():
    with WorkerPool(1, LIMITS, work.reserve, (4000,), confine="off") as pool:
        assert pool.submit(work.allocate_in_steps, 150, 0.1).result(60).kind == "done"
        outcome = pool.submit(work.allocate_at_once, 20_000).result(60)
        assert outcome == Outcome("memory", reason="ran out of the memory that a worker may use")


def test_a_memory_error_is_no_crash(pool: WorkerPool):
    assert pool.submit(work.raise_memory_error).result(60).kind == "memory"
    assert pool.submit(work.double, 2).result(60).value == 4
    assert pool.replaced == 0


def test_an_exception_gives_its_text_and_place(pool: WorkerPool):
    lines = Path(work.__file__).read_text(encoding="utf-8").splitlines()
    line = 1 + lines.index("    raise ValueError(text)")
    outcome = pool.submit(work.raise_value_error, "页码 7").result(60)
    assert outcome == Outcome("error", reason=f"ValueError: 页码 7 (pool_functions.py line {line})")


def test_a_worker_outlives_an_exception(pool: WorkerPool):
    before = pool.submit(work.own_pid).result(60).value
    pool.submit(work.raise_value_error, "x").result(60)
    assert pool.submit(work.own_pid).result(60).value == before


def test_a_result_that_cannot_be_sent_says_so(pool: WorkerPool):
    before = pool.submit(work.own_pid).result(60).value
    outcome = pool.submit(work.return_unpicklable).result(60)
    assert outcome.kind == "error"
    assert "must be plain data" in outcome.reason
    assert pool.submit(work.own_pid).result(60).value == before


def test_a_call_that_cannot_be_sent_says_so(pool: WorkerPool):
    outcome = pool.submit(lambda: None).result(60)
    assert outcome.kind == "error"
    assert "lambda" in outcome.reason
    assert pool.submit(work.double, 2).result(60).value == 4


def test_a_worker_that_cannot_start_gives_an_answer_to_every_call():
    with WorkerPool(2, LIMITS, work.refuse_to_start, confine="off") as pool:
        outcomes = [future.result(60) for future in [pool.submit(work.double, number) for number in range(4)]]
    assert {outcome.kind for outcome in outcomes} == {"stopped"}
    assert all("did not start" in outcome.reason for outcome in outcomes)


def test_a_worker_that_cannot_start_at_first_is_tried_again(tmp_path: Path):
    with WorkerPool(1, LIMITS, work.refuse_to_start_at_first, (str(tmp_path), 2), confine="off") as pool:
        assert pool.submit(work.double, 21).result(60).value == 42
    assert len(list(tmp_path.iterdir())) == 2


def test_a_worker_that_kept_much_memory_is_retired_before_the_next_call(pool: WorkerPool):
    first = pool.submit(work.own_pid).result(60).value
    assert pool.submit(work.keep, 50).result(60).kind == "done"
    assert pool.submit(work.own_pid).result(60).value == first
    assert pool.submit(work.keep, 170).result(60).kind == "done"
    assert pool.submit(work.own_pid).result(60).value != first
    assert pool.submit(work.allocate_in_steps, 150, 0.1).result(60).kind == "done"


def test_peak_memory_is_that_of_the_largest_call(pool: WorkerPool):
    pool.submit(work.double, 1).result(60)
    small = pool.peak_memory_megabytes
    pool.submit(work.allocate_in_steps, 150, 0.3).result(60)
    assert 0 < small < 100
    assert small + 140 < pool.peak_memory_megabytes < 300


def test_leaving_the_pool_waits_for_the_calls_and_ends_the_workers():
    with WorkerPool(1, LIMITS, confine="off") as pool:
        pid = pool.submit(work.own_pid).result(60).value
        future = pool.submit(work.sleep_for, 0.3)
    assert future.result(0).value == "awake"
    assert not psutil.pid_exists(pid)


def test_leaving_the_pool_by_an_error_answers_the_waiting_calls():
    futures = []

    def fail() -> None:
        with WorkerPool(1, LIMITS, confine="off") as pool:
            futures.append(pool.submit(work.sleep_for, 1))
            futures.extend(pool.submit(work.double, number) for number in range(20))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert futures[-1].result(1) == Outcome("stopped", reason="the run was stopped")


def test_leaving_the_pool_by_an_error_does_not_wait_for_a_hanging_call(tmp_path: Path):
    def fail() -> None:
        with WorkerPool(1, LIMITS, confine="off") as pool:
            pool.submit(work.say_and_sleep, str(tmp_path), 10)
            assert wait_until(lambda: any(tmp_path.iterdir()), 60)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    [worker] = tmp_path.iterdir()
    assert time.time() - worker.stat().st_mtime < 5


PARENT = """
    import sys
    import time

    import pool_functions as work
    from flows.pool import Limits, WorkerPool

    if __name__ == "__main__":
        with WorkerPool(2, Limits(600, 300), confine="off") as pool:
            pids = set()
            while len(pids) < 2:
                pids |= {future.result().value for future in [pool.submit(work.own_pid) for _ in range(4)]}
            if sys.argv[1] == "busy":
                for _ in pids:
                    pool.submit(work.sleep_for, 600)
            time.sleep(0.5)
            print(*pids, flush=True)
            time.sleep(600)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is a Unix signal")
@pytest.mark.parametrize("state", ["busy", "idle"])
def test_workers_end_when_their_parent_is_killed(tmp_path: Path, state: str):
    script = tmp_path / "parent.py"
    script.write_text(textwrap.dedent(PARENT), encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(Path(work.__file__).parent)}
    parent = subprocess.Popen([sys.executable, str(script), state], stdout=subprocess.PIPE, text=True, env=environment)
    workers: list[psutil.Process] = []
    try:
        assert parent.stdout is not None
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        descendants = psutil.Process(parent.pid).children(recursive=True)
        workers = [psutil.Process(pid) for pid in pids]
        assert len(workers) == 2
        assert set(workers) <= set(descendants)
        parent.send_signal(signal.SIGKILL)
        parent.wait(10)
        assert wait_until(lambda: not any(process.is_running() for process in descendants), 10)
    finally:
        parent.kill()
        parent.wait(10)
        if parent.stdout is not None:
            parent.stdout.close()
        for worker in workers:
            if worker.is_running():
                worker.kill()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals")
def test_twenty_crashes_in_a_batch_of_two_hundred_lose_twenty_calls():
    draw = random.Random(20)
    ways = {number: draw.choice(["segfault", "exit", "kill"]) for number in draw.sample(range(200), 20)}
    with WorkerPool(2, LIMITS, confine="off") as pool:
        futures = [pool.submit(work.double_or_die, number, ways.get(number, "live")) for number in range(200)]
        outcomes = [future.result(120) for future in futures]
    assert {number for number, outcome in enumerate(outcomes) if outcome.kind == "crashed"} == set(ways)
    assert [outcome.value for number, outcome in enumerate(outcomes) if number not in ways] == [
        2 * number for number in range(200) if number not in ways
    ]
    assert pool.replaced == 20


def test_what_earlier_calls_kept_does_not_decide_whether_a_call_fits():
    with WorkerPool(1, LIMITS, confine="off") as pool:
        assert pool.submit(work.keep, 90).result(60).kind == "done"
        assert pool.submit(work.allocate_in_steps, 220, 0.1).result(60).kind == "done"
        assert pool.replaced == 1


def test_a_call_that_needs_too_much_in_a_used_worker_is_killed_there_and_in_one_of_its_own(pool: WorkerPool):
    assert pool.submit(work.double, 1).result(60).value == 2
    assert pool.submit(work.allocate_in_steps, 2000, 20).result(60).kind == "memory"
    assert pool.replaced == 2
    assert pool.submit(work.double, 2).result(60).value == 4
