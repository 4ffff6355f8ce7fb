"""The workers of Dask: the same bytes as on one machine, whatever dies meanwhile."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pool_functions as work
import psutil
import pytest
from world import World, text_report

from flows.dask_pool import DaskPool
from flows.dask_pool_worker import Setup, sample_of, software, trouble
from flows.outputs import read_run
from flows.pool import Outcome
from flows.settings import PoolParameters
from shuzhi import RunError, UsageError

pytest.importorskip("distributed")
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kills processes by Unix signals")

MEGABYTES = 400
BIN = Path(sys.executable).parent
PARTS = ("readings", "pages", "texts", "sections", "furniture", "hits", "documents", "indices")


def wait_until(condition: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


# The pool


@pytest.fixture(scope="module")
def local_dask() -> Iterator[DaskPool]:
    parameters = PoolParameters(runner="dask", workers=2, memory_megabytes=MEGABYTES, confine="off")
    with DaskPool(parameters, "rjieba") as pool:
        yield pool


def pids(pool: DaskPool) -> dict[str, int]:
    return pool._client.run(os.getpid)


def test_each_future_holds_the_result_of_its_own_call(local_dask: DaskPool):
    futures = [local_dask.submit(work.double, number) for number in range(40)]
    assert [future.result(60).value for future in futures] == [2 * number for number in range(40)]
    assert local_dask.workers == 2
    assert 0 < local_dask.peak_memory_megabytes < MEGABYTES
    assert local_dask.confined == "limits"


def test_a_call_that_hangs_or_crashes_costs_no_worker_of_dask(local_dask: DaskPool):
    before = pids(local_dask)
    hanging = local_dask.submit(work.sleep_for, 60, seconds=0.5)
    crashing = local_dask.submit(work.segfault)
    growing = local_dask.submit(work.allocate_in_steps, 2000, 20)
    assert hanging.result(60) == Outcome("timeout", reason="not finished after 0.5 seconds")
    assert crashing.result(60).kind == "crashed"
    assert growing.result(60) == Outcome("memory", reason=f"needed more than {MEGABYTES} MB of memory")
    assert pids(local_dask) == before


def test_the_calls_of_a_killed_worker_of_dask_run_elsewhere_once_more(local_dask: DaskPool, tmp_path: Path):
    futures = [local_dask.submit(work.note_and_sleep, str(tmp_path), number, 0.1) for number in range(40)]
    wait_until(lambda: len(list(tmp_path.iterdir())) >= 6, 60)
    os.kill(next(iter(pids(local_dask).values())), signal.SIGKILL)
    assert [future.result(90).value for future in futures] == list(range(40))
    runs = [int(path.name.split("-")[0]) for path in tmp_path.iterdir()]
    assert set(runs) == set(range(40))
    # What the dead worker had in hand, or had finished and not handed over, ran again; the rest did not.
    assert 40 <= len(runs) < 50


def test_a_call_that_kills_every_worker_is_given_up_and_those_beside_it_are_not(local_dask: DaskPool, tmp_path: Path):
    killer = local_dask.submit(work.kill_parent)
    futures = [local_dask.submit(work.note_and_sleep, str(tmp_path), number, 0.05) for number in range(20)]
    outcome = killer.result(150)
    assert (outcome.kind, outcome.value) == ("crashed", None)
    assert "every worker of Dask that took it died" in outcome.reason
    assert [future.result(60).value for future in futures] == list(range(20))
    # Two tries on two workers each; one that stood beside the killer both times is tried again like it.
    assert local_dask.replaced in (4, 6, 8)


def test_a_stage_without_work_starts_no_cluster():
    before = set(psutil.Process().children())
    with DaskPool(PoolParameters(runner="dask", workers=2), "rjieba") as pool:
        assert pool.confined in ("bubblewrap", "limits")
    assert set(psutil.Process().children()) <= before


def test_leaving_the_pool_by_an_error_answers_the_waiting_calls(tmp_path: Path):
    futures = []

    def fail() -> None:
        with DaskPool(PoolParameters(runner="dask", workers=1, confine="off"), "rjieba") as pool:
            futures.append(pool.submit(work.say_and_sleep, str(tmp_path), 100))
            futures.extend(pool.submit(work.double, number) for number in range(5))
            wait_until(lambda: any(tmp_path.iterdir()), 60)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert [future.result(1) for future in futures] == [Outcome("stopped", reason="the run was stopped")] * 6
    [busy] = tmp_path.iterdir()
    wait_until(lambda: not psutil.pid_exists(int(busy.name)), 10)


# What a worker must have


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    (tmp_path / "reports" / "2020").mkdir(parents=True)
    (tmp_path / "reports" / "2020" / "600519.txt").write_text("年报", encoding="utf-8")
    sample = sample_of(str(tmp_path / "reports"))
    assert sample is not None and sample.size_bytes == 6
    return Setup("run", PoolParameters(), "rjieba", software("rjieba"), sample)


def test_a_worker_with_the_same_software_and_folder_can_take_part(setup: Setup):
    assert trouble(setup) == ""


def test_a_worker_with_other_software_or_files_says_what_it_lacks(setup: Setup, tmp_path: Path):
    other = Setup("run", setup.parameters, "rjieba", {**setup.software, "pypdfium2": "1.0"}, setup.sample)
    assert "pypdfium2" in trouble(other) and "install the same versions" in trouble(other)
    (tmp_path / "reports" / "2020" / "600519.txt").write_text("半年报", encoding="utf-8")
    assert "sees another file" in trouble(setup)
    shutil.rmtree(tmp_path / "reports")
    assert trouble(setup) == f"cannot see folder {tmp_path / 'reports'}; mount it there under the same path"


def test_nobody_at_the_address_is_said_at_once(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("flows.dask_cluster.CONNECT_SECONDS", 0.5)
    with pytest.raises(UsageError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9"):
        DaskPool(PoolParameters(runner="dask", dask_address="tcp://127.0.0.1:9"), "rjieba")


# The flows


@pytest.fixture(scope="module")
def by_processes(prefect: None, tmp_path_factory: pytest.TempPathFactory) -> World:
    """Index 24 reports, one of which cannot be read, by processes of this machine."""
    world = World(tmp_path_factory.mktemp("processes"))
    write_reports(world)
    world.run(workers=2, batch_size=3)
    return world


def write_reports(world: World) -> None:
    for firm in range(6):
        for year in range(2018, 2022):
            text = f"股票代码：60000{firm}\n{year}年年度报告\n" + text_report(大数据=firm, 云计算=year - 2017)
            world.put(f"{year}/60000{firm}_{year}_年度报告.txt", text)
    world.put("2021/600009_2021_年度报告.pdf", b"%PDF-1.4 cut off")


def content_of(world: World) -> dict[str, bytes]:
    store = world.out / "store" if (world.out / "store").is_dir() else world.root / "store"
    return {str(file.relative_to(store)): file.read_bytes() for name in PARTS for file in store.rglob(f"{name}/*/*")}


def check_outputs(world: World, by_processes: World) -> None:
    counts = by_processes.counts()
    # The plan of the reports: the firm's number of one term, and one more of another each year.
    expected = {(f"60000{firm}", year): firm + year - 2017 for firm in range(6) for year in range(2018, 2022)}
    assert counts == {**expected, ("600009", 2021): None}
    assert world.counts() == counts
    assert read_run(world.out)["outputs"] == read_run(by_processes.out)["outputs"]


def dask_workers() -> list[psutil.Process]:
    """Return the workers of a cluster of this process: what was spawned by Dask's nannies, and not by the pools."""
    return [each for each in psutil.Process().children() if "--multiprocessing-fork" in each.cmdline()]


def test_a_run_on_dask_that_loses_a_worker_ends_with_the_same_bytes(by_processes: World, tmp_path: Path):
    world = World(tmp_path)
    write_reports(world)
    killed = threading.Event()

    def kill_one() -> None:
        readings = tmp_path / "store" / "readings"
        with contextlib.suppress(AssertionError):
            wait_until(lambda: any(readings.rglob("*.parquet")), 100)
            next(each for each in dask_workers() if each not in known).kill()
            killed.set()

    known = dask_workers()
    watch = threading.Thread(target=kill_one)
    watch.start()
    summary = world.run(workers=2, batch_size=3, runner="dask")
    watch.join()
    assert killed.is_set()
    assert summary.reading.read == 25
    check_outputs(world, by_processes)
    assert content_of(world) == content_of(by_processes)
    assert dask_workers() == known


# A cluster at an address


@contextlib.contextmanager
def cluster(folder: Path, *before_worker: str) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """Start a scheduler and a worker as ``dask scheduler`` and ``dask worker`` do; give the address."""
    file = folder / "scheduler.json"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(work.__file__).parent)])}
    commands = [
        [str(BIN / "dask"), "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"],
        [*before_worker, str(BIN / "dask"), "worker", "--nthreads", "2", "--no-dashboard", "--no-nanny"],
    ]
    processes = []
    with (folder / "log").open("wb") as log:
        try:
            for command in commands:
                full = [*command, "--scheduler-file", str(file)]
                processes.append(subprocess.Popen(full, stdout=log, stderr=log, env=environment, cwd=folder))
                wait_until(lambda: file.is_file() and b"tcp://" in file.read_bytes(), 60)

            yield json.loads(file.read_text(encoding="utf-8"))["address"], processes
        finally:
            for process in reversed(processes):
                process.kill()
                process.wait(10)


def test_a_cluster_that_is_gone_is_one_error_and_the_same_command_goes_on(by_processes: World, tmp_path: Path):
    world = World(tmp_path)
    write_reports(world)
    (tmp_path / "first").mkdir()
    with cluster(tmp_path / "first") as (address, processes):

        def kill_scheduler() -> None:
            with contextlib.suppress(AssertionError):
                wait_until(lambda: any((tmp_path / "store" / "readings").rglob("*.parquet")), 100)
                processes[0].kill()

        watch = threading.Thread(target=kill_scheduler)
        watch.start()
        with pytest.raises(RunError, match="is gone; what was finished is kept, and the same command goes on"):
            world.run(batch_size=3, runner="dask", dask_address=address)
        watch.join()
    (tmp_path / "second").mkdir()
    with cluster(tmp_path / "second") as (address, _):
        summary = world.run(batch_size=3, runner="dask", dask_address=address)
    assert 0 < summary.reading.read < 25
    check_outputs(world, by_processes)


@pytest.mark.skipif(shutil.which("bwrap") is None, reason="needs bubblewrap to hide a folder from a worker")
def test_a_worker_that_cannot_see_the_folder_is_named_before_any_work(prefect: None, tmp_path: Path):
    world = World(tmp_path / "world")
    write_reports(world)
    hidden = ["bwrap", "--bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", str(world.reports)]
    (tmp_path / "first").mkdir()
    expected = rf"cannot take part(.|\n)*cannot see {world.reports}"
    with cluster(tmp_path / "first", *hidden) as (address, _), pytest.raises(RunError, match=expected):
        world.run(runner="dask", dask_address=address)
    assert not (tmp_path / "world" / "store" / "readings").exists()
