"""Whatever is damaged in a store is found, said, and made again: the store ends with the bytes that it had."""

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from test_parts import pages
from world import COUNT, World, text_report

from flows.documents import LOST_REASON, load_documents
from flows.store import FORMAT, Store
from flows.storing.clear import find_unused, remove_unused
from flows.storing.verify import verify_store
from shuzhi import StoreError
from tests.faults.damage import WAYS, a_file, a_part, unseal

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("prefect")]

REPORTS = {
    "000001_2019年年度报告.txt": text_report(大数据=3),
    "000001_2020年年度报告.txt": text_report(大数据=5, 云计算=2),
    "000002_2020年年度报告.txt": text_report(人工智能=1),
}
COUNTS = {("000001", 2019): 3, ("000001", 2020): 7, ("000002", 2020): 1}
# Two ways for each table and file, each way several times.
TABLES = ["readings", "pages", "texts", "sections", "furniture", "hits", "files", "documents", "indices"]
FILES = ["shuzhi.json", "current/reading.json", "current/folders.json", "current/measurement-*.json"]
CASES = [(name, list(WAYS)[(2 * number + turn) % 5]) for number, name in enumerate(TABLES + FILES) for turn in range(2)]


def content_of(store: Store) -> dict[str, bytes]:
    """Return the files of a store; when its parts were checked is no content."""
    root = Path(store.url)
    files = {path.relative_to(root).as_posix(): path for path in root.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in files.items() if name != "checked.json"}


def work(world: World, **given: object) -> list[str]:
    """Read and measure, and return what was said."""
    return [*world.read(batch_size=2, **given).notes, *world.measure().notes]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, pool: None) -> World:
    """Three reports in two batches, read and measured, and listed once more when their times had settled."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "reports").mkdir()
    world = World(folder)
    for name, text in REPORTS.items():
        world.put(name, text)
    work(world)
    assert work(world) == []
    return world


@pytest.fixture
def damaged(whole: World, tmp_path: Path) -> World:
    """The same folder of reports, with a copy of the store to damage."""
    shutil.copytree(whole.root / "store", tmp_path / "store")
    (tmp_path / "reports").symlink_to(whole.reports)
    return World(tmp_path)


def choose(name: str) -> Callable[[Path, random.Random], Path]:
    return (
        (lambda store, rng: a_file(name, store, rng)) if "json" in name else lambda store, rng: a_part(name, store, rng)
    )


def hurt(world: World, name: str, way: str, seed: int = 1) -> Path:
    rng = random.Random(seed)
    path = choose(name)(world.root / "store", rng)
    WAYS[way](path, rng, world.root / "store")
    return path


@pytest.mark.parametrize(("name", "way"), CASES)
def test_what_is_damaged_is_made_again_with_the_same_bytes(whole: World, damaged: World, name: str, way: str):
    path = hurt(damaged, name, way)
    said = work(damaged)
    if way != "removed" and name != "shuzhi.json":
        assert any(path.stem in line for line in said), said
    assert content_of(damaged.store) == content_of(whole.store)
    assert verify_store(damaged.store).problems == ()


@pytest.mark.parametrize("way", ["flipped", "swapped"])
@pytest.mark.parametrize("name", ["readings", "hits", "documents", "indices", "current/reading.json"])
def test_no_command_exports_a_wrong_number_from_a_damaged_store(damaged: World, name: str, way: str):
    hurt(damaged, name, way)
    try:
        damaged.export()
    except StoreError as error:
        assert "again" in str(error) or "run 'shuzhi" in str(error)
    else:
        assert damaged.counts() == COUNTS


def test_measuring_alone_never_counts_zero_where_pages_are_gone(damaged: World):
    hurt(damaged, "readings", "removed")
    with pytest.raises(StoreError, match=r"has lost the pages of \d reports; 'shuzhi read FOLDER' reads them again"):
        damaged.measure()


def test_verify_names_every_damage_and_what_makes_it_again(damaged: World):
    paths = [hurt(damaged, name, "flipped") for name in ("pages", "hits", "current/reading.json")]
    problems = verify_store(damaged.store).problems
    assert len(problems) == 3
    for path, problem, command in zip(paths, problems, ["read FOLDER", "measure", "read FOLDER"], strict=True):
        assert path.name in problem
        assert f"'shuzhi {command}' makes it again" in problem


def test_verify_names_a_table_that_lost_a_part(damaged: World):
    hurt(damaged, "hits", "removed")
    [problem] = verify_store(damaged.store).problems
    assert problem == "1 parts of the hits of wu2021 are missing; 'shuzhi measure --dictionary wu2021' makes them again"


@pytest.mark.parametrize("table", ["documents", "indices", "files"])
def test_a_part_put_back_from_before_is_made_again(world: World, table: str):
    world.put("000001_2019年年度报告.txt", text_report(大数据=3))
    world.run()
    [path] = (world.root / "store" / table).rglob("*.parquet")
    older = path.read_bytes()
    world.put("000001_2020年年度报告.txt", text_report(大数据=5))
    world.run()
    path.write_bytes(older)
    world.run()
    assert world.counts() == {("000001", 2019): 3, ("000001", 2020): 5}


def test_corrections_of_a_run_that_was_killed_are_not_kept(damaged: World):
    before = content_of(damaged.store)
    corrections = damaged.root / "corrections.yml"
    entry = "- file: 000002*\n  field: report_year\n  value: 2018\n  reason: the cover prints another year\n"
    corrections.write_text(entry, encoding="utf-8")
    damaged.read(corrections=str(corrections))
    # Killed when the documents were written and what they were made from was not noted yet.
    (damaged.root / "store" / "current" / "made.json").write_bytes(before["current/made.json"])
    work(damaged)
    damaged.export()
    assert damaged.counts() == COUNTS


# Reports that are lost


def test_a_lost_report_is_read_again_though_its_year_is_not_asked_for(damaged: World):
    for each in (damaged.root / "store" / "readings").rglob("*.parquet"):
        each.unlink()
    said = work(damaged, years=[2019])
    # The third is of 2019 and would have been read anyway.
    assert said == ["2 known reports had no pages in the store any more and are read again"]
    damaged.export()
    assert damaged.counts() == COUNTS


def test_a_report_of_another_folder_is_read_again_from_there(whole: World, damaged: World, tmp_path: Path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "000009_2020年年度报告.txt").write_text(text_report(大数据=9), encoding="utf-8")
    damaged.read(folder=str(other))
    for each in (damaged.root / "store" / "readings").rglob("*.parquet"):
        each.unlink()
    damaged.read()
    damaged.measure()
    damaged.export()
    assert damaged.counts() == COUNTS | {("000009", 2020): 9}


def test_a_report_that_cannot_be_read_again_is_missing_with_the_reason_and_never_zero(damaged: World, tmp_path: Path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "000009_2020年年度报告.txt").write_text(text_report(大数据=9), encoding="utf-8")
    damaged.read(folder=str(other))
    shutil.rmtree(other)
    for each in (damaged.root / "store" / "readings").rglob("*.parquet"):
        each.unlink()
    damaged.read()
    damaged.measure()
    damaged.export()
    assert damaged.counts() == COUNTS | {("000009", 2020): None}
    wide = damaged.table().set_index("stock_code")
    assert wide.loc["000009", "reason"] == LOST_REASON
    documents = load_documents(damaged.store).set_index("file")
    assert documents.loc["000009_2020年年度报告.txt", "status"] == "failed"
    # It stays so, and is back with its file.
    damaged.read()
    other.mkdir()
    (other / "000009_2020年年度报告.txt").write_text(text_report(大数据=9), encoding="utf-8")
    damaged.read(folder=str(other))
    damaged.measure()
    damaged.export()
    assert damaged.counts() == COUNTS | {("000009", 2020): 9}


def test_reports_that_left_their_folder_are_named(world: World):
    for name, text in REPORTS.items():
        world.put(name, text)
    world.read()
    (world.reports / "000002_2020年年度报告.txt").unlink()
    [note] = world.read().notes
    assert note == "1 reports of the last run are gone from their folder and no longer count: 000002_2020年年度报告.txt"


def test_reports_that_only_another_reader_has_read_are_counted_out_loud(world: World):
    for name, text in REPORTS.items():
        world.put(name, text)
    world.read()
    [note] = world.read(reader="pdfplumber", years=[2019]).notes
    assert note.startswith("2 reports of the last run were read by another reader or version and do not count")


def test_a_changed_report_is_not_called_gone(world: World):
    world.put("000001_2019年年度报告.txt", text_report(大数据=3))
    world.read()
    world.put("000001_2019年年度报告.txt", text_report(大数据=4))
    assert world.read().notes == []


# Exports


def test_an_export_refuses_indices_of_other_reports_than_those_that_count_now(damaged: World):
    corrections = damaged.root / "corrections.yml"
    entry = "- file: 000002*\n  field: report_year\n  value: 2018\n  reason: the cover prints another year\n"
    corrections.write_text(entry, encoding="utf-8")
    damaged.read(corrections=str(corrections))
    with pytest.raises(StoreError, match="changed since they were measured; run 'shuzhi measure'"):
        damaged.export()
    damaged.measure()
    damaged.export()
    assert damaged.counts() == {**{key: COUNTS[key] for key in list(COUNTS)[:2]}, ("000002", 2018): 1}


# Killed runs


def test_what_a_killed_run_left_of_the_same_reports_is_not_added_to_their_lengths(world: World):
    world.put("000001_2019_年度报告.txt", "\f".join(pages()))
    scopes = ["without_financial_report", "mda"]
    world.run(scopes=scopes)
    before = world.table("indices_long")
    assert before["denominator"].notna().any()
    # Killed before its readings were written; the next run had the report in another batch.
    key = (world.store.current("reading") or {})["text_key"]
    for table in ("sections", "furniture", "texts"):
        [part] = world.store.parts(table, key)
        world.store.write_part(table, key, "0" * 16, world.store.read_part(table, key, part))
    world.measure(scopes=scopes)
    world.export(scopes=scopes)
    pd.testing.assert_frame_equal(world.table("indices_long"), before)


# Older versions


def test_a_store_of_format_1_is_read_as_it_is_and_sealed_by_the_next_run(whole: World, damaged: World):
    unseal(damaged.root / "store")
    before = content_of(Store(str(damaged.root / "store")))
    damaged.export()
    assert damaged.counts() == COUNTS
    assert content_of(damaged.store) == before
    said = damaged.read(batch_size=2).notes
    assert [line.split(": ")[1] for line in said] == ["15 parts carry their hash now"]
    assert damaged.store.format == FORMAT
    assert damaged.measure().notes == []
    # Once more, because the older listing did not note when a file was changed.
    assert content_of(damaged.store) == content_of(whole.store)


def test_a_damaged_part_of_format_1_is_found_when_it_is_sealed(whole: World, damaged: World):
    unseal(damaged.root / "store")
    path = hurt(damaged, "hits", "cut")
    said = work(damaged)
    assert any(path.stem in line for line in said)
    assert content_of(damaged.store) == content_of(whole.store)


def test_a_part_without_a_seal_in_a_sealed_store_is_damaged(damaged: World):
    [path, *_] = sorted((damaged.root / "store" / "indices").rglob("*.parquet"))
    # Whole, and with another number: as somebody who edits a part by hand would leave it.
    rows = pd.read_parquet(path)
    rows["value"] = rows["value"] + 1
    rows.to_parquet(path)
    with pytest.raises(StoreError, match="it carries no checksum"):
        damaged.export()


# Clearing away


def test_nothing_of_a_store_in_force_is_unused(whole: World):
    assert find_unused(whole.store) == []


def test_what_another_dictionary_left_is_listed_and_removed_only_when_told_to(damaged: World):
    given = damaged.dictionary("大数据")
    damaged.measure(**given)
    damaged.dictionary("大数据", "云计算")
    damaged.measure(**given)
    found = {each.table: len(each.places) for each in find_unused(damaged.store)}
    assert found == {"hits": 2, "indices": 1}
    before = content_of(damaged.store)
    assert {each.table for each in remove_unused(damaged.store)} == {"hits", "indices"}
    after = content_of(damaged.store)
    assert len(before) - len(after) == 3
    assert find_unused(damaged.store) == []
    damaged.export(dictionaries=["wu2021"])
    assert damaged.counts(COUNT) == COUNTS
