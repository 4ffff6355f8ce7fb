"""A store in an object store: the same bytes as in a folder, one run at a time, and no secret in any output."""

import json
import logging
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Command
from world import World, text_report

from flows.outputs import read_run
from flows.store import Store
from flows.storing.folder_lock import myself
from flows.storing.remote_lock import locked_remotely
from flows.tables import SCHEMAS
from shuzhi import StoreError

pytest.importorskip("s3fs")
moto_server = pytest.importorskip("moto.server")

SECRET = "secret-of-the-test"
URL = "s3://bucket/of-a-project/store"
PARTS = ("readings", "pages", "texts", "sections", "furniture", "hits", "documents", "indices")


@pytest.fixture(scope="module")
def server() -> Iterator[dict[str, str]]:
    """Start an S3-compatible server with an empty bucket; give the environment that leads to it."""
    import s3fs

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    environment = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "tester",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        s3fs.S3FileSystem.clear_instance_cache()
        s3fs.S3FileSystem().mkdir("bucket")
        yield environment
    server.stop()


def put_reports(world: World) -> None:
    (world.root / "reports").mkdir(exist_ok=True)
    for firm in range(4):
        for year in (2020, 2021):
            text = f"股票代码：60000{firm}\n{year}年年度报告\n" + text_report(大数据=firm, 云计算=year - 2019)
            world.put(f"60000{firm}_{year}_年度报告.txt", text)
    world.put("600009_2021_年度报告.pdf", b"%PDF-1.4 cut off")


EXPECTED = {(f"60000{firm}", year): firm + year - 2019 for firm in range(4) for year in (2020, 2021)}
EXPECTED |= {("600009", 2021): None}


@pytest.fixture(scope="module")
def in_folder(prefect: None, tmp_path_factory: pytest.TempPathFactory) -> World:
    world = World(tmp_path_factory.mktemp("folder"))
    put_reports(world)
    world.run(workers=2, batch_size=2)
    return world


@pytest.fixture(scope="module")
def in_bucket(prefect: None, server: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> World:
    world = World(tmp_path_factory.mktemp("bucket"))
    put_reports(world)
    world.run(workers=2, batch_size=2, store=URL)
    return world


def parts_of(store: Store) -> dict[str, bytes]:
    names = [(table, key, part) for table in PARTS for key in store.keys(table) for part in store.parts(table, key)]
    return {"/".join(each): store.content_of(*each) for each in names}


def test_a_run_into_a_bucket_ends_with_the_bytes_of_a_run_into_a_folder(in_folder: World, in_bucket: World):
    assert in_bucket.counts() == EXPECTED
    assert parts_of(Store(URL)) == parts_of(in_folder.store)
    assert read_run(in_bucket.out)["outputs"] == read_run(in_folder.out)["outputs"]


def test_a_second_run_reads_measures_and_writes_nothing(in_bucket: World):
    summary = in_bucket.run(workers=2, batch_size=2, store=URL)
    assert (summary.reading.read, summary.reading.cached) == (0, 9)
    assert (summary.measuring.parts_measured, summary.exporting.is_new) == (0, False)


def test_a_new_report_and_another_dictionary_are_added_to_the_bucket(in_bucket: World, tmp_path: Path):
    world = World(tmp_path)
    put_reports(world)
    url = "s3://bucket/another"
    world.run(workers=2, batch_size=2, store=url)
    world.put("600004_2021_年度报告.txt", "股票代码：600004\n2021年年度报告\n" + text_report(云计算=7))
    summary = world.run(workers=2, batch_size=2, store=url)
    assert (summary.reading.read, summary.measuring.parts_measured) == (1, 1)
    assert world.counts() == EXPECTED | {("600004", 2021): 7}
    own = world.dictionary("云计算")
    assert world.measure(store=url, workers=2, **own).parts_measured == 6
    world.export(store=url, dictionaries=["mine"])
    assert world.counts("mine_total_count")[("600003", 2021)] == 2
    found = Store(url).query(SCHEMAS, "SELECT count(*) AS hits FROM hits WHERE term = '云计算' AND dictionary = 'mine'")
    assert int(found["hits"].iloc[0]) == 4 * (1 + 2) + 7


def test_the_commands_look_into_a_bucket(in_bucket: World, server: dict[str, str], shuzhi: Command):
    counted = shuzhi("sql", "SELECT count(*) AS n FROM hits", "--store", URL, **server)
    assert counted.returncode == 0, counted.stderr
    assert str(sum(count or 0 for count in EXPECTED.values())) in counted.stdout
    shown = shuzhi("evidence", "--stock-code", "600003", "--year", "2021", "--store", URL, **server)
    assert shown.returncode == 0, shown.stderr
    assert "公司推进" in shown.stdout
    missing = shuzhi("read", in_bucket.reports, "--store", "s3://nowhere/store", **server)
    assert missing.returncode != 0
    assert "store s3://nowhere/store cannot be reached" in missing.stderr
    assert len(missing.stderr.splitlines()) == 1


def test_no_secret_is_in_any_output(in_bucket: World):
    files = [path for path in in_bucket.out.rglob("*") if path.is_file()]
    assert (
        json.loads((in_bucket.out / "run.json").read_text(encoding="utf-8"))["this_run"]["parameters"]["store"] == URL
    )
    assert len(files) > 10
    assert [path.name for path in files if SECRET.encode() in path.read_bytes()] == []


def test_workers_of_dask_share_the_store_in_the_bucket(in_folder: World, server: dict[str, str], tmp_path: Path):
    pytest.importorskip("distributed")
    world = World(tmp_path)
    put_reports(world)
    url = "s3://bucket/of-dask"
    world.run(workers=2, batch_size=2, store=url, runner="dask")
    assert world.counts() == EXPECTED
    assert parts_of(Store(url)) == parts_of(in_folder.store)
    assert read_run(world.out)["outputs"] == read_run(in_folder.out)["outputs"]


# The lock


def test_of_runs_that_start_at_once_one_gets_the_store(server: dict[str, str]):
    store = Store("s3://bucket/locked", create=True)
    got: list[int] = []
    refused: list[str] = []

    def take(number: int) -> None:
        try:
            with locked_remotely(store.files, "bucket/locked/lock.json", "store"):
                got.append(number)
                time.sleep(1)
        except StoreError as error:
            refused.append(str(error))

    threads = [threading.Thread(target=take, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(got), len(refused)) == (1, 5)
    assert all("is in use by" in message for message in refused)
    assert not store.files.exists("bucket/locked/lock.json")


def test_a_second_run_is_told_who_holds_the_store(server: dict[str, str]):
    store = Store("s3://bucket/held", create=True)
    with store.lock(), pytest.raises(StoreError, match=f"in use by process {os.getpid()}"), store.lock():
        pass


def test_the_lock_of_a_dead_process_is_taken_over(server: dict[str, str]):
    store = Store("s3://bucket/left", create=True)
    dead = {**myself(), "started": "0@00000000"}
    store.files.pipe_file("bucket/left/lock.json", json.dumps(dead).encode())
    with store.lock():
        assert json.loads(store.files.cat_file("bucket/left/lock.json"))["started"] == myself()["started"]
    assert not store.files.exists("bucket/left/lock.json")


def test_a_lock_that_another_run_took_meanwhile_is_left_alone(server: dict[str, str]):
    store = Store("s3://bucket/taken", create=True)
    with store.lock():
        store.files.pipe_file("bucket/taken/lock.json", b'{"mark": "of another run"}')
    assert json.loads(store.files.cat_file("bucket/taken/lock.json")) == {"mark": "of another run"}
