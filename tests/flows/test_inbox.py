"""What an inbox gives: new bytes once, whole, over no other file, and a row that says why for each."""

import hashlib
import os
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import fsspec
import pandas as pd
import pytest

from flows.files import list_folder, save_listing, with_hashes
from flows.publishing import inbox as inbox_module
from flows.publishing import inbox_copy
from flows.publishing.inbox import Taking, take_reports
from flows.publishing.inbox_places import shown_url
from flows.settings import AnnualUpdateParameters
from flows.store import Store
from nlp.identity import from_path
from shuzhi import RunError, StoreError, UsageError

WHOLE = b"%PDF-1.4 a report\n%%EOF\n"


class Place:
    """An inbox and a folder of reports."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.inbox = root / "inbox"
        self.folder = root / "reports"
        self.inbox.mkdir()

    def arrive(self, name: str, data: bytes = WHOLE) -> Path:
        path = self.inbox / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def hold(self, name: str, data: bytes = WHOLE) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def take(self, **given: Any) -> Taking:
        where = {"inbox": str(self.inbox), "folder": str(self.folder), "out": str(self.root / "out")}
        return take_reports(AnnualUpdateParameters(**where | {"year": 2024, "settle_seconds": 0.0} | given))

    def read(self) -> None:
        """List the folder in the store, as reading does."""
        listed = with_hashes(list_folder(str(self.folder)), {})
        save_listing(Store(str(self.root / "out" / "store")), str(self.folder), listed)

    def held(self) -> dict[str, bytes]:
        if not self.folder.exists():
            return {}
        files = sorted(path for path in self.folder.rglob("*") if path.is_file())
        return {path.relative_to(self.folder).as_posix(): path.read_bytes() for path in files}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def states(taking: Taking) -> dict[str, str]:
    return {row.inbox_file: row.state for row in taking.rows}


def test_new_reports_are_copied_with_their_folders_and_stay_in_the_inbox(place: Place):
    place.arrive("2024/600519_2024.pdf")
    place.arrive("000001_2024.txt", "正文".encode())
    taking = place.take()
    assert states(taking) == {"000001_2024.txt": "taken", "2024/600519_2024.pdf": "taken"}
    assert place.held() == {"000001_2024.txt": "正文".encode(), "2024/600519_2024.pdf": WHOLE}
    assert (place.inbox / "000001_2024.txt").exists()
    assert taking.rows[1].document_id == hashlib.sha256(WHOLE).hexdigest()


def test_the_rows_are_written(place: Place):
    place.arrive("600519_2024.pdf")
    place.arrive("notes.docx")
    place.take()
    table = pd.read_csv(place.root / "out" / "inbox.csv", encoding="utf-8-sig", keep_default_na=False)
    assert table[["inbox_file", "state", "file", "reason"]].to_numpy().tolist() == [
        ["600519_2024.pdf", "taken", "600519_2024.pdf", "new"],
        ["notes.docx", "left", "", "not a .pdf or .txt file"],
    ]


def test_a_second_look_takes_nothing_and_opens_nothing(place: Place, monkeypatch: pytest.MonkeyPatch):
    # What arrived less than two seconds ago is hashed again, because it may change within one tick of the clock.
    monkeypatch.setattr("flows.files.FRESH_NANOSECONDS", 0)
    place.arrive("600519_2024.pdf")
    place.take()
    before = place.held()
    place.read()

    def refuse(*_: object) -> None:
        raise AssertionError("a known file was opened, or waited for")

    monkeypatch.setattr("flows.files.open_report", refuse)
    monkeypatch.setattr(time, "sleep", refuse)
    taking = place.take(settle_seconds=60)
    assert states(taking) == {"600519_2024.pdf": "known"}
    assert place.held() == before


def test_bytes_that_are_there_under_another_name_are_not_taken_again(place: Place):
    place.hold("old/maotai.pdf")
    place.arrive("600519_2024.pdf")
    [row] = place.take().rows
    assert (row.state, row.file) == ("known", "old/maotai.pdf")
    assert "as old/maotai.pdf" in row.reason
    assert list(place.held()) == ["old/maotai.pdf"]


def test_the_same_bytes_twice_in_an_inbox_are_taken_once(place: Place):
    place.arrive("a_2024.pdf")
    place.arrive("b_2024.pdf")
    taking = place.take()
    assert states(taking) == {"a_2024.pdf": "taken", "b_2024.pdf": "known"}
    assert list(place.held()) == ["a_2024.pdf"]


def test_a_name_that_other_bytes_have_gets_another_and_nothing_is_overwritten(place: Place):
    place.hold("600519_2024.pdf", b"%PDF the original %%EOF")
    place.arrive("600519_2024.pdf", b"%PDF the revised %%EOF")
    [row] = place.take().rows
    held = place.held()
    assert held.pop("600519_2024.pdf") == b"%PDF the original %%EOF"
    assert held == {row.file: b"%PDF the revised %%EOF"}
    assert row.file.startswith("600519_2024 (")
    assert states(place.take()) == {"600519_2024.pdf": "known"}


@pytest.mark.parametrize("seed", range(40))
def test_the_other_name_says_the_same_code_and_year(seed: int):
    # Eight digits of a hash could read as a date, and the file would be taken for another year's.
    mark = hashlib.sha256(str(seed).encode()).hexdigest()[:8].translate(inbox_copy.LETTERS)
    assert not any(letter.isdigit() for letter in mark)
    plain, marked = from_path("600519_2023年年度报告.pdf"), from_path(f"600519_2023年年度报告 ({mark}).pdf")
    assert (marked.stock_code, marked.report_year, marked.kind) == (plain.stock_code, 2023, plain.kind)


def test_long_names_get_a_shorter_other_name(place: Place):
    name = "公司年度报告" * 13 + "_2024.txt"
    place.hold(name, b"one")
    place.arrive(name, b"two")
    [row] = place.take().rows
    assert row.state == "taken"
    assert sorted(place.held().values()) == [b"one", b"two"]


# What is not whole yet


def test_a_file_that_grows_is_left_for_the_next_run(place: Place):
    path = place.arrive("600519_2024.txt", b"x" * 1000)
    stop = threading.Event()

    def grow() -> None:
        while not stop.wait(0.05):
            with path.open("ab") as file:
                file.write(b"x" * 100)

    thread = threading.Thread(target=grow)
    thread.start()
    try:
        [row] = place.take(settle_seconds=0.5).rows
    finally:
        stop.set()
        thread.join()
    assert row.state == "left"
    assert "still growing (" in row.reason
    assert place.held() == {}
    assert states(place.take()) == {"600519_2024.txt": "taken"}


def test_a_young_pdf_without_its_end_is_left_and_an_old_one_is_taken(place: Place):
    path = place.arrive("600519_2024.pdf", b"%PDF-1.4 the first half")
    assert "without its end mark" in place.take().rows[0].reason
    hour_ago = time.time() - 3600
    os.utime(path, (hour_ago, hour_ago))
    assert states(place.take()) == {"600519_2024.pdf": "taken"}


def test_a_pdf_from_a_clock_that_runs_ahead_is_taken(place: Place):
    path = place.arrive("600519_2024.pdf", b"%PDF-1.4 without end")
    os.utime(path, (time.time() + 86400, time.time() + 86400))
    assert states(place.take()) == {"600519_2024.pdf": "taken"}


def test_an_empty_file_is_left(place: Place):
    place.arrive("600519_2024.pdf", b"")
    assert place.take().rows[0].reason == "empty; left for the next run"


def test_a_file_that_arrives_between_the_two_looks_is_left(place: Place, monkeypatch: pytest.MonkeyPatch):
    place.arrive("000001_2024.pdf")
    monkeypatch.setattr(inbox_module.time, "sleep", lambda _: place.arrive("000002_2024.pdf", WHOLE + b"2"))
    assert states(place.take()) == {"000001_2024.pdf": "taken", "000002_2024.pdf": "left"}
    monkeypatch.undo()
    assert states(place.take()) == {"000001_2024.pdf": "known", "000002_2024.pdf": "taken"}


def test_a_file_that_changes_while_it_is_copied_is_left(place: Place, monkeypatch: pytest.MonkeyPatch):
    path = place.arrive("600519_2024.txt", b"x" * 10)
    real = inbox_module.copy_whole

    def grown(inbox: Any, listed: Any, half: Path) -> tuple[str, str]:
        path.write_bytes(b"y" * 20)
        return real(inbox, listed, half)

    monkeypatch.setattr(inbox_module, "copy_whole", grown)
    assert place.take().rows[0].reason == "changed while it was copied; left for the next run"
    assert place.held() == {}


# Odd inboxes


def test_pipes_and_hidden_files_are_no_reports(place: Place):
    os.mkfifo(place.inbox / "600519_2024.pdf")
    place.arrive(".600519_2024.pdf.part.pdf")
    taking = place.take()
    assert [(row.inbox_file, row.reason) for row in taking.rows] == [
        ("600519_2024.pdf", "is a pipe or device, not a file")
    ]


def test_an_empty_inbox_is_no_error_and_a_missing_one_is(place: Place):
    assert place.take().rows == ()
    with pytest.raises(UsageError, match="no such folder; name the inbox"):
        place.take(inbox=str(place.root / "elsewhere"))


@pytest.mark.parametrize("where", ["reports", "reports/inbox", "."])
def test_inbox_and_folder_lie_apart(place: Place, where: str):
    (place.root / where).mkdir(parents=True, exist_ok=True)
    with pytest.raises(UsageError, match="must lie apart"):
        place.take(inbox=str(place.root / where))


def test_without_an_inbox_nothing_is_taken_and_nothing_written(place: Place):
    assert place.take(inbox="").rows == ()
    assert not (place.root / "out").exists()


def test_a_second_run_at_once_is_refused(place: Place):
    place.arrive("600519_2024.pdf")
    with Store(str(place.root / "out" / "store"), create=True).lock(), pytest.raises(StoreError, match="in use"):
        place.take()


def test_what_a_killed_copy_left_is_cleared_and_never_read(place: Place):
    place.hold(".inbox-0123456789abcdef-1.tmp", b"half")
    place.arrive("600519_2024.pdf")
    place.take()
    assert list(place.held()) == ["600519_2024.pdf"]


def test_a_full_disk_ends_the_run_with_the_way_out_and_leaves_no_half_file(
    place: Place, monkeypatch: pytest.MonkeyPatch
):
    place.arrive("600519_2024.pdf")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    kept = {name: getattr(os, name) for name in ("getpid", "link", "path")}
    monkeypatch.setattr(inbox_copy, "os", SimpleNamespace(fsync=full, **kept))
    with pytest.raises(RunError, match="No space left on device; make room"):
        place.take()
    assert place.held() == {}
    monkeypatch.undo()
    assert states(place.take()) == {"600519_2024.pdf": "taken"}


def test_the_years_that_names_state_count_also_after_a_kill(place: Place):
    place.arrive("600519_2023年年度报告（修订版）.pdf")
    place.arrive("x.pdf", WHOLE + b"x")
    assert place.take().years() == {2023}
    # The copies are there; a run that was killed before reading must find their years again.
    assert place.take().years() == {2023}


# Object stores


@pytest.fixture
def bucket(tmp_path: Path):
    files = fsspec.filesystem("memory")
    root = f"/bucket-{tmp_path.name}"
    yield files, root
    if files.exists(root):
        files.rm(root, recursive=True)


def test_objects_are_taken_once_by_content(place: Place, bucket: Any):
    files, root = bucket
    files.pipe_file(f"{root}/in/2024/600519_2024.pdf", WHOLE)
    files.pipe_file(f"{root}/in/copy_2024.pdf", WHOLE)
    files.pipe_file(f"{root}/in/readme.md", b"hello")
    url = f"memory:/{root}/in"
    assert states(place.take(inbox=url)) == {
        "2024/600519_2024.pdf": "taken",
        "copy_2024.pdf": "known",
        "readme.md": "left",
    }
    assert place.held() == {"2024/600519_2024.pdf": WHOLE}
    assert set(states(place.take(inbox=url)).values()) == {"known", "left"}


def test_a_known_object_is_not_fetched_again(place: Place, bucket: Any, monkeypatch: pytest.MonkeyPatch):
    files, root = bucket
    files.pipe_file(f"{root}/in/600519_2024.pdf", WHOLE)
    place.take(inbox=f"memory:/{root}/in")

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a known object was fetched")

    monkeypatch.setattr(type(files), "open", refuse)
    assert states(place.take(inbox=f"memory:/{root}/in")) == {"600519_2024.pdf": "known"}


def test_a_prefix_without_objects_is_an_empty_inbox(place: Place, bucket: Any):
    assert place.take(inbox=f"memory:/{bucket[1]}/nothing").rows == ()


@pytest.mark.parametrize("name", ["../600519_2024.pdf", "a/../../600519_2024.pdf", "..\\600519_2024.pdf"])
def test_a_name_of_an_object_cannot_lead_out_of_the_folder(name: str):
    assert inbox_copy.leads_out(name)
    assert not inbox_copy.leads_out("2024/600519_2024.pdf")


def test_an_unknown_protocol_is_said(place: Place):
    with pytest.raises(UsageError, match="inbox nosuch://host/x"):
        place.take(inbox="nosuch://host/x")


def test_no_password_of_a_url_is_shown():
    assert shown_url("ftp://user:secret@host/in?key=secret") == "ftp://host/in"
    assert shown_url("data/inbox") == "data/inbox"


def test_a_bucket_of_s3_is_an_inbox_and_new_bytes_under_an_old_name_are_seen(
    place: Place, monkeypatch: pytest.MonkeyPatch
):
    s3fs = pytest.importorskip("s3fs", reason="s3fs is not installed")
    moto_server = pytest.importorskip("moto.server", reason="moto is not installed")
    server = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "of-the-test")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        s3fs.S3FileSystem.clear_instance_cache()
        files = s3fs.S3FileSystem()
        files.mkdir("inbox")
        files.pipe_file("inbox/new/2024/600519_2024.pdf", WHOLE)
        url = "s3://inbox/new"
        assert states(place.take(inbox=url)) == {"2024/600519_2024.pdf": "taken"}
        assert states(place.take(inbox=url)) == {"2024/600519_2024.pdf": "known"}
        files.pipe_file("inbox/new/2024/600519_2024.pdf", WHOLE + b"revised")
        assert states(place.take(inbox=url)) == {"2024/600519_2024.pdf": "taken"}
        assert sorted(place.held().values()) == [WHOLE, WHOLE + b"revised"]
    finally:
        server.stop()
        s3fs.S3FileSystem.clear_instance_cache()
