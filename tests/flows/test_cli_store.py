"""The commands for the store itself, as a user types them."""

from pathlib import Path

import pyarrow as pa
import pytest
from conftest import Command

from flows.store import Store
from flows.tables import PAGES, READINGS


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """One part in force, and one of an older key."""
    store = Store(str(tmp_path / "store"), create=True)
    page = {"document_id": "x", "page": 1, "text": "数字化转型", "reader": "text", "status": "text"}
    for key in ("key", "older"):
        store.write_part("pages", key, "part", pa.Table.from_pylist([page], schema=PAGES))
    store.write_part("readings", "key", "part", pa.Table.from_pylist([{"document_id": "x"}], schema=READINGS))
    for table in ("texts", "sections", "furniture"):
        store.write_part(table, "text", "part", pa.table({"document_id": ["x"]}))
    store.set_current("reading", key="key", text_key="text", extractor="x")
    return store


def test_a_whole_store_is_verified(shuzhi: Command, store: Store):
    done = shuzhi("verify", "--store", store.url)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"store {store.url}: 8 files, 0 MB, all as they were written\n"


def test_what_is_damaged_is_named_with_the_command_that_makes_it_again(shuzhi: Command, store: Store):
    path = Path(store.url, "pages", "key", "part.parquet")
    path.write_bytes(path.read_bytes()[:-1])
    Path(store.url, "current", "reading.json").write_text("{}", encoding="utf-8")
    done = shuzhi("verify", "--store", store.url)
    assert (done.returncode, done.stderr) == (1, "")
    first, second, last = done.stdout.splitlines()
    assert first == f"{path} is damaged (it is cut off or no part at all); 'shuzhi read FOLDER' makes it again"
    assert second == f"{store.url}/current/reading.json is damaged; 'shuzhi read FOLDER' makes it again"
    assert last.endswith("8 files, 0 MB, 2 problems")


def test_clean_lists_what_is_unused_and_removes_it_when_told_to(shuzhi: Command, store: Store):
    older = Path(store.url, "pages", "older", "part.parquet")
    done = shuzhi("clean", "--store", store.url)
    assert (done.returncode, done.stderr) == (0, "")
    assert "1 parts" in done.stdout
    assert "pages: pages by another reader" in done.stdout
    assert done.stdout.splitlines()[-1].endswith("would be removed with --yes")
    assert older.is_file()
    assert shuzhi("clean", "--store", store.url, "--yes").stdout.splitlines()[-1].endswith(" MB removed")
    assert not older.parent.exists()
    assert shuzhi("clean", "--store", store.url).stdout == "nothing to remove: every part is in use\n"
    assert Store(store.url).parts("pages", "key") == ["part"]


def test_clean_refuses_where_it_cannot_know_what_is_in_use(shuzhi: Command, store: Store):
    path = Path(store.url, "current", "reading.json")
    path.write_text(path.read_text(encoding="utf-8").replace("key", "kez"), encoding="utf-8")
    done = shuzhi("clean", "--store", store.url, "--yes")
    assert done.returncode == 2
    assert "current/reading.json is damaged: it was changed since it was written" in done.stderr
    assert Store(store.url).parts("pages", "older") == ["part"]
