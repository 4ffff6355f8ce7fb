"""The store: parts that are whole or not there, locks, and views over what is in force."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flows.store import FORMAT, Store, hash_of
from flows.tables import PAGES, READINGS, SCHEMAS, TEXTS
from shuzhi import StoreError


def pages_of(*documents: str, text: str = "数字化转型") -> pa.Table:
    rows = [
        {"document_id": each, "page": page, "text": text, "reader": "text", "status": "text"}
        for each in documents
        for page in (1, 2)
    ]
    return pa.Table.from_pylist(rows, schema=PAGES)


def rows_for(schema: pa.Schema, *documents: str) -> pa.Table:
    rows = [dict.fromkeys(schema.names) | {"document_id": each} for each in documents]
    return pa.Table.from_pylist(rows, schema=schema)


def count(store: Store, table: str) -> int:
    with store.connect(SCHEMAS) as connection:
        [(number,)] = connection.execute(f"SELECT count(*) FROM {table}").fetchall()
    return number


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path / "store"), create=True)


@pytest.fixture(params=["folder", "memory"])
def any_store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    url = str(tmp_path / "store") if request.param == "folder" else f"memory://{tmp_path.name}"
    return Store(url, create=True)


# Opening


def test_a_missing_store_is_an_error_that_says_how_to_make_one(tmp_path: Path):
    with pytest.raises(StoreError, match=r"no store at .*; make one with 'shuzhi read FOLDER --store"):
        Store(str(tmp_path / "nowhere"))


def test_looking_for_a_store_makes_nothing(tmp_path: Path):
    with pytest.raises(StoreError):
        Store(str(tmp_path / "nowhere"))
    assert list(tmp_path.iterdir()) == []


def test_a_new_store_is_opened_again(any_store: Store):
    assert Store(any_store.url).parts("pages", "key") == []


def test_a_folder_that_holds_something_else_is_refused(tmp_path: Path):
    (tmp_path / "thesis.docx").touch()
    with pytest.raises(StoreError, match="is not empty and holds no store"):
        Store(str(tmp_path), create=True)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.docx"]


def test_a_file_in_the_place_of_the_store_is_refused(tmp_path: Path):
    (tmp_path / "report.pdf").touch()
    with pytest.raises(StoreError):
        Store(str(tmp_path / "report.pdf"), create=True)


def test_a_newer_format_is_refused(store: Store):
    Path(store.url, "shuzhi.json").write_text(json.dumps({"format": FORMAT + 1}), encoding="utf-8")
    with pytest.raises(StoreError, match=f"has format {FORMAT + 1}, this version reads {FORMAT}"):
        Store(store.url, create=True)


@pytest.mark.parametrize("text", ['{"format": ', "[1]", "", '{"format": 99, "sha256": "0"}'])
def test_a_damaged_marker_hides_no_part(store: Store, text: str):
    store.write_part("pages", "key", "part", pages_of("x"))
    Path(store.url, "shuzhi.json").write_text(text, encoding="utf-8")
    assert Store(store.url, create=True).read_part("pages", "key", "part").num_rows == 2


def test_a_removed_marker_hides_no_part(store: Store):
    store.write_part("pages", "key", "part", pages_of("x"))
    Path(store.url, "shuzhi.json").unlink()
    assert Store(store.url, create=True).read_part("pages", "key", "part").num_rows == 2


@pytest.mark.parametrize("url", ["nosuch://bucket/store", "s3:/"])
def test_a_url_that_leads_nowhere_is_refused(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StoreError, match=url.split(":", maxsplit=1)[0]):
        Store(url)


# Parts


def test_a_part_comes_back_as_it_was_written(any_store: Store):
    rows = pages_of("a", "b", text="人工智能\n\u0001 🧮")
    any_store.write_part("pages", "key", "part", rows)
    assert any_store.read_part("pages", "key", "part").equals(rows)


def test_some_columns_of_a_part(any_store: Store):
    any_store.write_part("pages", "key", "part", pages_of("a"))
    assert any_store.read_part("pages", "key", "part", ["text"]).to_pydict() == {"text": ["数字化转型"] * 2}


def test_a_part_without_rows_keeps_its_columns(any_store: Store):
    any_store.write_part("pages", "key", "part", PAGES.empty_table())
    assert any_store.read_part("pages", "key", "part").schema.equals(PAGES)


def test_a_part_of_the_same_name_is_replaced(any_store: Store):
    any_store.write_part("pages", "key", "part", pages_of("a", "b"))
    any_store.write_part("pages", "key", "part", pages_of("c"))
    assert any_store.read_table("pages", "key", PAGES).column("document_id").to_pylist() == ["c", "c"]


def test_parts_are_listed_in_order_and_by_key(any_store: Store):
    for key, part in (("one", "b"), ("one", "a"), ("two", "c")):
        any_store.write_part("pages", key, part, pages_of("x"))
    assert any_store.parts("pages", "one") == ["a", "b"]


def test_a_table_is_all_parts_of_its_key(any_store: Store):
    for key, part, document in (("one", "b", "y"), ("one", "a", "x"), ("two", "c", "z")):
        any_store.write_part("readings", key, part, rows_for(READINGS, document))
    assert any_store.read_table("readings", "one", READINGS).column("document_id").to_pylist() == ["x", "y"]


def test_a_table_without_parts_is_empty(any_store: Store):
    assert any_store.read_table("texts", "none", TEXTS).equals(TEXTS.empty_table())


def test_removed_parts_are_gone(any_store: Store):
    for part in ("a", "b", "c"):
        any_store.write_part("pages", "key", part, pages_of("x"))
    any_store.remove("pages", "key", ["a", "c"])
    assert any_store.parts("pages", "key") == ["b"]


def test_the_same_rows_give_the_same_bytes(store: Store):
    written = []
    for _ in range(2):
        store.write_part("pages", "key", "part", pages_of("x"))
        written.append(Path(store.url, "pages", "key", "part.parquet").read_bytes())
    assert written[0] == written[1]


def test_writing_leaves_nothing_beside(store: Store):
    store.write_part("pages", "key", "part", pages_of("x"))
    store.set_current("reading", key="key")
    left = sorted(path.relative_to(store.url).as_posix() for path in Path(store.url).rglob("*") if path.is_file())
    assert left == ["current/reading.json", "pages/key/part.parquet", "shuzhi.json"]


def test_what_a_killed_run_left_beside_is_no_part(store: Store):
    store.write_part("pages", "key", "part", pages_of("x"))
    Path(store.url, "pages", "key", "part.parquet.0a1b2c3d.tmp").write_bytes(b"PAR1 half")
    assert store.parts("pages", "key") == ["part"]
    store.set_current("reading", key="key", text_key="none")
    store.write_part("readings", "key", "part", rows_for(READINGS, "x"))
    assert count(store, "pages") == 2


@pytest.mark.parametrize("content", [b"", b"PAR1", b"not a part at all, but long enough to be one"])
def test_a_damaged_part_is_named(store: Store, content: bytes):
    store.write_part("pages", "key", "part", pages_of("x"))
    Path(store.url, "pages", "key", "part.parquet").write_bytes(content)
    with pytest.raises(StoreError, match=r"pages/key/part\.parquet is damaged"):
        store.read_part("pages", "key", "part")


def test_a_part_cut_anywhere_is_damaged(store: Store):
    store.write_part("pages", "key", "part", pages_of("x"))
    file = Path(store.url, "pages", "key", "part.parquet")
    whole = file.read_bytes()
    for size in range(0, len(whole), 97):
        file.write_bytes(whole[:size])
        with pytest.raises(StoreError, match="is damaged"):
            store.read_part("pages", "key", "part")


def test_a_flipped_bit_never_changes_the_text_unnoticed(store: Store):
    texts = [f"第{number}页：数字化转型与大数据{number * 7919 % 1009}。" for number in range(400)]
    rows = pa.Table.from_pylist([{"document_id": "x", "page": 1, "text": text} for text in texts], schema=PAGES)
    store.write_part("pages", "key", "part", rows)
    file = Path(store.url, "pages", "key", "part.parquet")
    whole = file.read_bytes()
    column = pq.ParquetFile(file).metadata.row_group(0).column(2)
    start = column.dictionary_page_offset or column.data_page_offset
    changed = []
    for place in range(start, start + column.total_compressed_size, 11):
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        try:
            read = store.read_part("pages", "key", "part", ["text"])
        except StoreError:
            continue
        if not read.column("text").equals(rows.column("text")):
            changed.append(place)
    assert changed == []


def test_a_missing_part_is_named(any_store: Store):
    with pytest.raises(StoreError, match=r"pages/key/part\.parquet is missing"):
        any_store.read_part("pages", "key", "part")


@pytest.mark.parametrize(
    "name",
    ["中文 文件夹", "年报[2019-2023]", "it's", "100% #1 & co", "/".join(["很长的文件夹名称" * 4] * 6)],
    ids=["chinese", "brackets", "quote", "signs", "long"],
)
def test_any_folder_name_will_do(tmp_path: Path, name: str):
    store = Store(str(tmp_path / name), create=True)
    store.write_part("pages", "key", "part", pages_of("x"))
    store.write_part("readings", "key", "part", rows_for(READINGS, "x"))
    store.set_current("reading", key="key", text_key="none")
    assert count(Store(str(tmp_path / name)), "pages") == 2


def test_a_relative_path_stays_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    store = Store("store", create=True)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    store.write_part("pages", "key", "part", pages_of("x"))
    assert (tmp_path / "store/pages/key/part.parquet").is_file()


# What is in force


def test_keys_in_force_come_back(any_store: Store):
    any_store.set_current("reading", key="abc", extractor="pdfium 1")
    assert Store(any_store.url).current("reading") == {"key": "abc", "extractor": "pdfium 1"}


def test_nothing_is_in_force_at_first(any_store: Store):
    assert any_store.current("reading") is None
    assert any_store.current_measurements() == []


def test_measurements_in_force_come_in_order_of_name(any_store: Store):
    for name in ("zhao2020", "wu2021"):
        any_store.set_current(f"measurement-{name}-longest", key=name)
    any_store.set_current("reading", key="abc")
    assert [each["key"] for each in any_store.current_measurements()] == ["wu2021", "zhao2020"]


def test_putting_the_same_in_force_again_writes_nothing(store: Store):
    store.set_current("reading", key="abc")
    file = Path(store.url, "current", "reading.json")
    os.utime(file, ns=(1, 1))
    store.set_current("reading", key="abc")
    assert file.stat().st_mtime_ns == 1


def test_a_damaged_current_file_is_named(store: Store):
    store.set_current("reading", key="abc")
    Path(store.url, "current", "reading.json").write_bytes(b'{"key": "ab\xff')
    with pytest.raises(StoreError, match=r"current/reading\.json is damaged"):
        store.current("reading")


# Views


@pytest.mark.parametrize("table", list(SCHEMAS))
def test_every_view_is_there_and_empty_where_nothing_is(any_store: Store, table: str):
    with any_store.connect(SCHEMAS) as connection:
        found = connection.sql(f"SELECT * FROM {table}").to_arrow_table()
    assert found.num_rows == 0
    assert found.column_names == SCHEMAS[table].names


def test_views_show_only_the_keys_in_force(any_store: Store):
    for key, documents in (("old", "ab"), ("new", "c")):
        any_store.write_part("readings", key, "part", rows_for(READINGS, *documents))
        any_store.write_part("texts", f"text-{key}", "part", rows_for(TEXTS, *documents))
    any_store.set_current("reading", key="new", text_key="text-old")
    assert (count(any_store, "readings"), count(any_store, "texts")) == (1, 2)


def test_the_views_of_hits_hold_all_measurements_in_force(any_store: Store):
    any_store.set_current("reading", key="pages", text_key="none")
    any_store.write_part("readings", "pages", "part", rows_for(READINGS, "x"))
    for key, documents in (("longest", "x"), ("substring", "xx"), ("forgotten", "xxx")):
        any_store.write_part("hits", key, "part", rows_for(SCHEMAS["hits"], *documents))
        if key != "forgotten":
            any_store.set_current(f"measurement-wu2021-{key}", key=key, scopes={"report": key, "mda": f"{key}-mda"})
    assert count(any_store, "hits") == 3


def test_pages_without_their_reading_do_not_count(store: Store):
    store.set_current("reading", key="key", text_key="none")
    store.write_part("pages", "key", "whole", pages_of("a"))
    store.write_part("readings", "key", "whole", rows_for(READINGS, "a"))
    # A run was killed between the two.
    store.write_part("pages", "key", "half", pages_of("a", "b"))
    assert count(store, "pages") == 2


def test_a_query_never_writes_to_the_store(store: Store):
    store.write_part("readings", "key", "part", rows_for(READINGS, "a"))
    store.set_current("reading", key="key", text_key="none")
    with store.connect(SCHEMAS) as connection, pytest.raises(Exception, match=r"(?i)can only|view"):
        connection.execute("DELETE FROM readings")
    assert count(store, "readings") == 1


# The lock


def test_a_second_lock_is_refused_while_the_first_is_held(any_store: Store):
    with any_store.lock(), pytest.raises(StoreError, match=f"in use by process {os.getpid()}"), any_store.lock():
        pass


def test_a_refused_lock_leaves_the_first_in_place(any_store: Store):
    with any_store.lock():
        for _ in range(2):
            with pytest.raises(StoreError), any_store.lock():
                pass


def test_a_lock_is_released_also_after_an_error(any_store: Store):
    with pytest.raises(ZeroDivisionError), any_store.lock():
        raise ZeroDivisionError
    with any_store.lock():
        pass


def test_the_lock_of_another_live_process_is_respected(store: Store):
    script = (
        "import sys; from flows.store import Store\n"
        "with Store(sys.argv[1]).lock():\n"
        "    print('held', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", script, store.url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(StoreError, match=f"in use by process {other.pid}"), store.lock():
            pass
        other.stdin.close()
        other.wait(20)
    with store.lock():
        pass


def test_the_lock_of_a_killed_process_is_taken_over(store: Store):
    script = (
        "import os, sys; from flows.store import Store\nwith Store(sys.argv[1]).lock():\n    os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", script, store.url], check=False, timeout=60)
    assert Path(store.url, "lock.json").is_file()
    with store.lock():
        held = json.loads(Path(store.url, "lock.json").read_text(encoding="utf-8"))
        assert held["process"] == os.getpid()


def test_the_lock_of_an_earlier_process_with_the_same_number_is_taken_over(store: Store):
    with store.lock():
        held = json.loads(Path(store.url, "lock.json").read_text(encoding="utf-8"))
    older = {"process": os.getpid(), "created": psutil.Process().create_time() - 3600, "host": held["host"]}
    store.write_json("lock.json", older)
    with store.lock():
        pass


@pytest.mark.parametrize("seconds", [0.0, 0.3])
def test_the_lock_of_a_live_process_of_an_older_version_is_respected(store: Store, seconds: float):
    # It noted a process's start as the system gives it, which moves by a fraction when the clock is set.
    created = psutil.Process().create_time() + seconds
    store.write_json("lock.json", {"process": os.getpid(), "created": created, "host": socket.gethostname()})
    with pytest.raises(StoreError, match="in use"), store.lock():
        pass


def test_the_lock_of_another_host_is_respected(store: Store):
    store.write_json("lock.json", {"process": 1, "created": 0.0, "host": "another-host"})
    with pytest.raises(StoreError, match=r"on another-host; wait for it, or remove .*lock.json"), store.lock():
        pass


# Keys


def test_a_key_is_sixteen_digits_that_depend_on_every_value_and_their_order():
    keys = [hash_of("a", "b"), hash_of("b", "a"), hash_of("ab"), hash_of("a", "b", ""), hash_of(["a", "b"])]
    assert len(set(keys)) == len(keys)
    assert all(len(key) == 16 and int(key, 16) >= 0 for key in keys)


def test_a_key_is_the_same_in_every_process():
    script = "from flows.store import hash_of; print(hash_of('读', {'b': 1, 'a': [2.5, None]}))"
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == hash_of("读", {"a": [2.5, None], "b": 1})
