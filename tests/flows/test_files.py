"""Which files of a folder are reports, and when a file is opened."""

import hashlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from flows.files import (
    LARGEST_FILE_BYTES,
    ListedFile,
    folder_key,
    list_folder,
    load_listing,
    open_report,
    save_listing,
    select,
    with_hashes,
)
from flows.read import hash_files
from flows.settings import ReadParameters
from flows.store import Store
from shuzhi import UsageError

ON_LINUX = sys.platform.startswith("linux")


def put(folder: Path, *names: str, content: bytes = b"%PDF-1.7") -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def names_in(folder: Path) -> list[str]:
    return [each.file for each in list_folder(str(folder))]


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


# Listing


def test_reports_are_pdf_and_txt_in_any_case(tmp_path: Path):
    put(tmp_path, "a.pdf", "b.PDF", "c.Txt", "d.docx", "e.pdf.crdownload", "f", "g.html")
    assert names_in(tmp_path) == ["a.pdf", "b.PDF", "c.Txt"]


@pytest.mark.parametrize("name", [".a.pdf", "._a.pdf", "~$a.pdf", ".git/a.pdf", "x/.cache/a.txt"])
def test_hidden_files_and_folders_are_left_out(tmp_path: Path, name: str):
    put(tmp_path, "kept.pdf", name)
    assert names_in(tmp_path) == ["kept.pdf"]


def test_a_folder_named_like_a_report_is_a_folder(tmp_path: Path):
    put(tmp_path, "2020.pdf/b.pdf", "a.pdf")
    assert names_in(tmp_path) == ["2020.pdf/b.pdf", "a.pdf"]


def test_files_come_in_order_of_name_whatever_the_order_they_were_made_in(tmp_path: Path):
    put(tmp_path, "z.pdf", "b/y.pdf", "a/x.pdf", "年报.pdf", "B.pdf")
    assert names_in(tmp_path) == sorted(["z.pdf", "b/y.pdf", "a/x.pdf", "年报.pdf", "B.pdf"])


def test_a_listed_file_has_its_size_and_time_and_is_not_opened_yet(tmp_path: Path):
    put(tmp_path, "a.pdf", content=b"12345")
    os.utime(tmp_path / "a.pdf", ns=(0, 1_600_000_000_123_456_700))
    [listed] = list_folder(str(tmp_path))
    assert (listed.size_bytes, listed.modified_ns) == (5, 1_600_000_000_123_456_700)
    assert (listed.document_id, listed.status) == (None, "")


def test_a_missing_folder_is_an_error(tmp_path: Path):
    with pytest.raises(UsageError, match="no such folder; name the folder that holds the reports"):
        list_folder(str(tmp_path / "nowhere"))


def test_a_file_is_no_folder(tmp_path: Path):
    put(tmp_path, "a.pdf")
    with pytest.raises(UsageError, match="no such folder"):
        list_folder(str(tmp_path / "a.pdf"))


def test_a_folder_without_reports_is_an_error(tmp_path: Path):
    put(tmp_path, "notes.docx")
    with pytest.raises(UsageError, match=r"no \.pdf or \.txt file in it or below it"):
        list_folder(str(tmp_path))


@pytest.mark.skipif(sys.platform == "win32", reason="needs symbolic links")
def test_a_link_that_leads_nowhere_is_listed_as_failed_with_the_reason(tmp_path: Path):
    put(tmp_path, "a.pdf")
    (tmp_path / "b.pdf").symlink_to(tmp_path / "moved.pdf")
    listed = list_folder(str(tmp_path))[1]
    assert (listed.file, listed.status) == ("b.pdf", "failed")
    assert listed.reason == "cannot be opened: No such file or directory"


@pytest.mark.skipif(sys.platform == "win32", reason="Unix permissions")
def test_a_file_that_may_not_be_opened_is_failed_with_the_reason(open_folder: Path):
    put(open_folder, "a.pdf", "b.pdf")
    (open_folder / "b.pdf").chmod(0)
    script = "for each in with_hashes(list_folder(sys.argv[1]), {}): print(each.file, each.status, each.reason)"
    assert as_nobody(script, open_folder).splitlines() == [
        "a.pdf  ",
        "b.pdf failed cannot be opened: Permission denied",
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="Unix permissions")
def test_a_subfolder_that_may_not_be_entered_is_not_passed_over_in_silence(open_folder: Path):
    put(open_folder, "a.pdf", "2020/b.pdf")
    (open_folder / "2020").chmod(0)
    script = (
        "try:\n    print(*[(each.file, each.status) for each in list_folder(sys.argv[1])])\n"
        "except UsageError as error:\n    print(error)"
    )
    try:
        assert "2020" in as_nobody(script, open_folder)
    finally:
        (open_folder / "2020").chmod(0o755)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Give a folder that every user may enter."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def as_nobody(script: str, folder: Path) -> str:
    """Run a script on a folder as somebody who is not root, and return what it prints."""
    first = "import os, sys; from flows.files import list_folder, with_hashes; from shuzhi import UsageError\n"
    drop = "os.setuid(65534)\n" if os.geteuid() == 0 else ""
    command = [sys.executable, "-c", first + drop + script, str(folder)]
    return subprocess.run(command, capture_output=True, encoding="utf-8", check=True, timeout=60).stdout.strip()


@pytest.mark.skipif(not ON_LINUX, reason="other file systems take UTF-8 names alone")
def test_a_name_that_is_not_utf8_can_be_shown_and_opened(tmp_path: Path):
    name = os.fsencode(tmp_path) + "/平安银行2020年年度报告.pdf".encode("gb18030")
    Path(os.fsdecode(name)).write_bytes(b"content")
    [listed] = with_hashes(list_folder(str(tmp_path)), {})
    assert listed.document_id == sha(b"content")
    listed.file.encode("utf-8")
    assert listed.file.endswith(".pdf")


@pytest.mark.skipif(not ON_LINUX, reason="other file systems take UTF-8 names alone")
def test_two_names_that_are_not_utf8_stay_two_names(tmp_path: Path):
    for name in ("工商银行2020年年度报告.pdf", "建设银行2020年年度报告.pdf"):
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name.encode("gb18030"))).write_bytes(name.encode())
    assert len({each.file for each in list_folder(str(tmp_path))}) == 2


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes in folders")
def test_what_is_no_regular_file_is_never_waited_for(tmp_path: Path):
    put(tmp_path, "a.pdf")
    os.mkfifo(tmp_path / "b.pdf")
    script = "import sys; from flows.files import *\nwith_hashes(list_folder(sys.argv[1]), {})"
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True, timeout=10)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes in folders")
@pytest.mark.parametrize("place", ["pipe", "device"])
def test_what_took_the_place_of_a_file_since_it_was_listed_is_never_waited_for(tmp_path: Path, place: str):
    put(tmp_path, "a.pdf", "b.pdf")
    listed = list_folder(str(tmp_path))
    (tmp_path / "b.pdf").unlink()
    os.mkfifo(tmp_path / "b.pdf") if place == "pipe" else (tmp_path / "b.pdf").symlink_to("/dev/zero")
    statuses = [(each.status, each.reason) for each in with_hashes(listed, {})]
    assert statuses == [("", ""), ("failed", "cannot be opened: is a pipe or device, not a file")]


def test_a_report_is_opened_to_read_its_bytes(tmp_path: Path):
    put(tmp_path, "a.pdf", content=b"a\r\nb\x1a")
    with open_report(str(tmp_path / "a.pdf")) as file:
        assert file.read() == b"a\r\nb\x1a"


@pytest.mark.skipif(sys.platform == "win32", reason="needs files with holes")
def test_a_file_that_claims_a_terabyte_is_failed_and_not_hashed(tmp_path: Path):
    put(tmp_path, "a.pdf", "b.pdf")
    os.truncate(tmp_path / "b.pdf", 10**12)
    listed = with_hashes(list_folder(str(tmp_path)), {})
    assert [(each.status, each.document_id is None) for each in listed] == [("", False), ("failed", True)]
    assert listed[1].reason == "has 1,000.0 GB; more than 2.1 GB are no report"
    assert 10**12 > LARGEST_FILE_BYTES > 2 * 10**9


@pytest.mark.skipif(sys.platform == "win32", reason="Windows forbids control characters in names")
def test_control_characters_in_a_name_are_spelled_out(tmp_path: Path):
    put(tmp_path, "a\nb\x1b[31m\x7f\x85\u2028.pdf", content=b"content")
    [listed] = with_hashes(list_folder(str(tmp_path)), {})
    assert listed.file == r"a\nb\x1b[31m\x7f\x85\u2028.pdf"
    assert listed.document_id == sha(b"content")


@pytest.mark.skipif(not ON_LINUX, reason="other file systems take UTF-8 names alone")
def test_two_names_that_look_the_same_stay_two_names(tmp_path: Path):
    for encoding in ("utf-8", "gb18030"):
        name = "平安银行2020年年度报告.pdf".encode(encoding)
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_bytes(encoding.encode())
    put(tmp_path, "c.pdf")
    listed = with_hashes(list_folder(str(tmp_path)), {})
    assert {each.document_id for each in listed} == {sha(b"utf-8"), sha(b"gb18030"), sha(b"%PDF-1.7")}
    names = [each.file for each in listed]
    assert len(set(names)) == 3
    assert [name.partition(" (")[0] for name in names] == ["c.pdf", "平安银行2020年年度报告", "平安银行2020年年度报告"]
    assert all(name.endswith(".pdf") for name in names)
    assert [each.file for each in list_folder(str(tmp_path))] == names


# Hashes


def test_the_hash_is_that_of_the_bytes(tmp_path: Path):
    put(tmp_path, "a.pdf", content=b"abc")
    [listed] = with_hashes(list_folder(str(tmp_path)), {})
    assert listed.document_id == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def known_files(folder: Path) -> dict[str, ListedFile]:
    return {each.file: each for each in with_hashes(list_folder(str(folder)), {})}


def settled(listed: ListedFile) -> ListedFile:
    """Return a file as if it had been listed long after its last change."""
    assert listed.changed_ns is not None
    return replace(listed, changed_ns=os.stat(listed.path).st_ctime_ns)  # noqa: PTH116


def test_a_file_with_the_same_size_and_times_is_not_opened_again(tmp_path: Path):
    put(tmp_path, "a.pdf", content=b"before")
    known = {name: replace(settled(each), document_id="known") for name, each in known_files(tmp_path).items()}
    [listed] = with_hashes(list_folder(str(tmp_path)), known)
    assert listed.document_id == "known"


def test_other_bytes_of_the_same_size_are_seen_though_the_time_was_set_back(tmp_path: Path):
    put(tmp_path, "a.pdf", content=b"before")
    known = {name: settled(each) for name, each in known_files(tmp_path).items()}
    modified = known["a.pdf"].modified_ns
    time.sleep(0.02)
    put(tmp_path, "a.pdf", content=b"after!")
    os.utime(tmp_path / "a.pdf", ns=(modified, modified))
    [listed] = with_hashes(list_folder(str(tmp_path)), known)
    assert (listed.modified_ns, listed.document_id) == (modified, sha(b"after!"))


def test_a_file_that_changed_a_moment_before_it_was_listed_is_hashed_again_the_next_time(tmp_path: Path):
    put(tmp_path, "a.pdf", content=b"before")
    known = known_files(tmp_path)
    assert known["a.pdf"].changed_ns == 0
    known["a.pdf"] = replace(known["a.pdf"], document_id="known")
    [listed] = with_hashes(list_folder(str(tmp_path)), known)
    assert listed.document_id == sha(b"before")


def test_a_listing_of_an_older_version_is_believed_once(tmp_path: Path):
    put(tmp_path, "a.pdf", content=b"before")
    known = {"a.pdf": replace(known_files(tmp_path)["a.pdf"], changed_ns=None, document_id="known")}
    [listed] = with_hashes(list_folder(str(tmp_path)), known)
    assert listed.document_id == "known"
    assert listed.changed_ns


@pytest.mark.parametrize("seconds", [-3e9, 0, 1.6e10], ids=["before 1970", "1970", "after 2262"])
def test_any_time_of_a_file_can_be_stored(tmp_path: Path, seconds: float):
    put(tmp_path / "reports", "a.pdf", content=b"a")
    os.utime(tmp_path / "reports" / "a.pdf", (seconds, seconds))
    store = Store(str(tmp_path / "store"), create=True)
    known = known_files(tmp_path / "reports")
    save_listing(store, str(tmp_path / "reports"), list(known.values()))
    assert load_listing(store, str(tmp_path / "reports"))["a.pdf"].modified_ns == known["a.pdf"].modified_ns


@pytest.mark.parametrize(("content", "later"), [(b"after!", 1), (b"longer than before", 0)], ids=["time", "size"])
def test_a_file_with_another_size_or_time_is_hashed_again(tmp_path: Path, content: bytes, later: int):
    put(tmp_path, "a.pdf", content=b"before")
    known = known_files(tmp_path)
    time = known["a.pdf"].modified_ns + later
    put(tmp_path, "a.pdf", content=content)
    os.utime(tmp_path / "a.pdf", ns=(time, time))
    [listed] = with_hashes(list_folder(str(tmp_path)), known)
    assert listed.document_id == sha(content)


def test_a_file_that_went_away_since_it_was_listed_is_failed(tmp_path: Path):
    put(tmp_path, "a.pdf", "b.pdf")
    listed = list_folder(str(tmp_path))
    (tmp_path / "a.pdf").unlink()
    statuses = [(each.status, each.document_id is None) for each in with_hashes(listed, {})]
    assert statuses == [("failed", True), ("", False)]


def test_a_failed_file_is_tried_again_the_next_time(tmp_path: Path):
    put(tmp_path, "a.pdf", content=b"abc")
    [listed] = list_folder(str(tmp_path))
    known = {"a.pdf": ListedFile("a.pdf", "", listed.size_bytes, listed.modified_ns, None, "failed", "locked")}
    assert with_hashes([listed], known)[0].document_id == sha(b"abc")


# The listing in the store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path / "store"), create=True)


def test_a_listing_comes_back_without_its_paths(tmp_path: Path, store: Store):
    folder = tmp_path / "reports"
    put(folder, "a.pdf", "年报/b.pdf")
    files = with_hashes(list_folder(str(folder)), {})
    save_listing(store, str(folder), files)
    loaded = load_listing(store, str(folder))
    assert list(loaded) == ["a.pdf", "年报/b.pdf"]
    assert {each.path for each in loaded.values()} == {""}
    assert [each.document_id for each in loaded.values()] == [each.document_id for each in files]


def test_a_folder_never_listed_has_no_listing(tmp_path: Path, store: Store):
    assert load_listing(store, str(tmp_path)) == {}


def test_a_folder_is_known_however_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "reports").mkdir()
    monkeypatch.chdir(tmp_path)
    keys = {folder_key(each) for each in ("reports", "./reports/", str(tmp_path / "reports"), "reports/../reports")}
    assert len(keys) == 1


def hashed_in_store(store: Store, folder: Path) -> list[str]:
    return [name for name, each in load_listing(store, str(folder)).items() if each.document_id]


def test_a_limited_run_hashes_only_its_files(tmp_path: Path, store: Store):
    folder = tmp_path / "reports"
    put(folder, "a.pdf", "b.pdf", "c.pdf")
    parameters = ReadParameters(folder=str(folder), store=store.url, limit=1)
    assert [each.file for each in hash_files(store, parameters, list_folder(str(folder)))] == ["a.pdf"]
    assert hashed_in_store(store, folder) == ["a.pdf"]


def test_a_second_limited_run_hashes_no_more_than_the_first(tmp_path: Path, store: Store):
    folder = tmp_path / "reports"
    put(folder, "a.pdf", "b.pdf", "c.pdf")
    parameters = ReadParameters(folder=str(folder), store=store.url, limit=1)
    for _ in range(2):
        hash_files(store, parameters, list_folder(str(folder)))
    assert hashed_in_store(store, folder) == ["a.pdf"]


def test_a_limited_run_keeps_the_hashes_of_the_others(tmp_path: Path, store: Store):
    folder = tmp_path / "reports"
    put(folder, "a.pdf", "b.pdf", "c.pdf")
    for limit in (0, 1):
        hash_files(store, ReadParameters(folder=str(folder), store=store.url, limit=limit), list_folder(str(folder)))
    assert hashed_in_store(store, folder) == ["a.pdf", "b.pdf", "c.pdf"]


# Selection


def listed_files(*names: str) -> list[ListedFile]:
    return [ListedFile(name, "", 1, 1) for name in names]


def selected(files: list[ListedFile], years: list[int], limit: int = 0) -> list[str]:
    return [each.file for each in select(files, years, limit)]


FILES = listed_files("000001_2019年年度报告.pdf", "000001_2020年年度报告.pdf", "000002_2021年年度报告.pdf")


def test_without_years_all_files_are_read():
    assert len(selected(FILES, [])) == 3


def test_files_of_other_years_are_left_out():
    assert selected(FILES, [2019, 2021]) == ["000001_2019年年度报告.pdf", "000002_2021年年度报告.pdf"]


def test_a_file_that_does_not_tell_its_year_is_read():
    assert selected(listed_files("scan0001.pdf"), [2020]) == ["scan0001.pdf"]


def test_the_limit_takes_the_first_files():
    assert selected(FILES, [], 2) == [each.file for each in FILES[:2]]


def test_the_limit_counts_files_of_the_chosen_years():
    assert selected(FILES, [2020, 2021], 1) == ["000001_2020年年度报告.pdf"]


def test_a_limit_above_the_number_of_files_takes_all():
    assert len(selected(FILES, [], 99)) == 3
