"""Read, measure and export on a small folder, with a real Prefect and real workers."""

import contextvars
import json
import os
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
from world import World, text_report

from flows.annual import RunSummary, annual_update
from flows.documents import load_documents
from flows.formats import stata_names
from flows.measure import check_measured, key_in_force
from flows.outputs import OUTPUT_FILES
from flows.read import plan_reading
from flows.settings import (
    AnnualUpdateParameters,
    ReadParameters,
)
from flows.shared_pool import _SHARED
from flows.store import Store
from flows.tables import SCHEMAS
from shuzhi import RunError, StoreError, UsageError

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("prefect")]

COUNT = "wu2021_total_count"


def with_own_pool(flow: Callable[[], Any]) -> Any:
    """Run a flow with the pool that its own parameters ask for."""
    context = contextvars.copy_context()
    context.run(_SHARED.set, None)
    return context.run(flow)


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory, small_corpus, pool: None) -> tuple[World, Path]:
    """Read and measure the corpus and some broken files once; keep a copy to go back to."""
    corpus, planted = small_corpus
    root = tmp_path_factory.mktemp("world")
    world = World(root, {each.file: each.planted_count for each in planted if each.fault == "none"})
    shutil.copytree(corpus, world.reports)
    twin = min(world.planted)
    world.put("copies/未命名.pdf", (corpus / twin).read_bytes())
    world.put("000002_2020年年度报告.pdf", b"")
    world.put("000004_2020年年度报告.pdf", b"<html>404</html>")
    world.put("000005_2020年年度报告.txt", b"\0\1\2\3")
    (world.reports / "000006_2020年年度报告.pdf").symlink_to(root / "moved.pdf")
    world.read()
    world.measure()
    backup = tmp_path_factory.mktemp("backup") / "world"
    shutil.copytree(root, backup, symlinks=True)
    return world, backup


@pytest.fixture(scope="module")
def exported(pristine: tuple[World, Path], tmp_path_factory: pytest.TempPathFactory) -> World:
    """Give the corpus as exported, for tests that only look."""
    _, backup = pristine
    root = tmp_path_factory.mktemp("exported")
    shutil.copytree(backup / "store", root / "store")
    world = World(root, pristine[0].planted)
    world.export()
    return world


@pytest.fixture
def measured(pristine: tuple[World, Path]) -> World:
    """Give the corpus as read and measured, with nothing exported."""
    world, backup = pristine
    for place in world.root.iterdir():
        shutil.rmtree(place)
    shutil.copytree(backup, world.root, symlinks=True, dirs_exist_ok=True)
    return world


# Reading


def test_every_file_has_a_status(exported: World, small_corpus):
    _, planted = small_corpus
    expected = {each.file: {"none": "ok", "scanned": "scanned", "broken": "failed"}[each.fault] for each in planted}
    expected |= {
        "copies/未命名.pdf": "ok",
        "000002_2020年年度报告.pdf": "empty",
        "000004_2020年年度报告.pdf": "not_a_pdf",
        "000005_2020年年度报告.txt": "failed",
        "000006_2020年年度报告.pdf": "failed",
    }
    assert exported.statuses() == expected


def test_every_unreadable_file_has_a_reason(exported: World):
    documents = load_documents(exported.store)
    unreadable = documents[documents["status"] != "ok"]
    assert len(unreadable) == 6
    assert (unreadable["reason"].str.len() > 10).all()


def test_every_readable_report_counts_what_was_planted(exported: World):
    found = exported.table().set_index("file")[COUNT].dropna().astype(int).to_dict()
    assert found == exported.planted


def test_a_copy_under_another_name_is_a_duplicate_and_used_once(exported: World):
    documents = load_documents(exported.store).set_index("file")
    twin, copy = min(exported.planted), "copies/未命名.pdf"
    assert documents["document_id"][twin] == documents["document_id"][copy]
    assert documents["is_used"][[twin, copy]].to_list() == [True, False]
    assert documents["use_reason"][copy] == f"duplicate of {twin}"


def test_a_second_run_reads_nothing(measured: World):
    summary = measured.read()
    # 13 files: a copy and a link that leads nowhere are no documents of their own.
    assert (summary.files, summary.read, summary.cached, summary.failed) == (13, 0, 11, 6)


def test_a_second_run_changes_no_byte_of_the_store(measured: World):
    # The first run notes that the copied parts of this store were checked.
    measured.read()
    before = content_of(Path(measured.store.url))
    measured.read()
    measured.measure()
    assert content_of(Path(measured.store.url)) == before


def content_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_adding_one_report_reads_one(measured: World):
    measured.put("000007_2021年年度报告.txt", text_report(大数据=3))
    summary = measured.read()
    assert (summary.files, summary.read, summary.cached) == (14, 1, 11)
    assert measured.statuses()["000007_2021年年度报告.txt"] == "ok"


def test_a_changed_file_is_a_new_document(world: World):
    name = "000001_2020年年度报告.txt"
    world.put(name, text_report(大数据=3))
    world.run()
    assert world.counts() == {("000001", 2020): 3}
    world.put(name, text_report(大数据=5, 区块链=1))
    assert world.run().reading.read == 1
    assert world.counts() == {("000001", 2020): 6}
    assert world.table("hits")["document_id"].nunique() == 1


def test_a_file_that_vanished_leaves_the_export(world: World):
    for year in (2020, 2021):
        world.put(f"000001_{year}年年度报告.txt", text_report(大数据=year - 2018))
    world.run()
    (world.reports / "000001_2020年年度报告.txt").unlink()
    world.run()
    assert world.counts() == {("000001", 2021): 3}
    assert world.table("hits")["report_year"].unique().tolist() == [2021]
    assert len(pd.read_csv(world.out / "documents.csv")) == 1


def test_the_reports_of_a_moved_folder_count_once(world: World):
    world.put("old/000001_2020年年度报告.txt", text_report(大数据=1))
    world.run(folder=str(world.reports / "old"))
    (world.reports / "old").rename(world.reports / "new")
    assert world.run(folder=str(world.reports / "new")).reading.read == 0
    assert world.counts() == {("000001", 2020): 1}
    assert len(world.table("hits")) == 1


def test_a_plan_reads_nothing_and_makes_nothing(world: World):
    world.put("000001_2020年年度报告.txt", text_report())
    world.put("000001_2021年年度报告.txt", text_report())
    plan = plan_reading(ReadParameters(**world.reading({"years": [2020]})))
    assert (plan.files, plan.new, plan.known, plan.skipped) == (2, 1, 0, 1)
    assert [path.name for path in world.root.iterdir()] == ["reports"]


def test_the_limit_reads_so_many_files(world: World):
    for year in (2019, 2020, 2021):
        world.put(f"000001_{year}年年度报告.txt", text_report(大数据=year - 2018))
    summary = world.read(limit=2)
    assert (summary.read, summary.skipped) == (2, 1)
    assert list(world.statuses()) == ["000001_2019年年度报告.txt", "000001_2020年年度报告.txt"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
def test_two_files_whose_names_are_not_utf8_are_both_read(world: World):
    for bank in ("工商银行", "建设银行"):
        name = os.fsdecode(f"{bank}2020年年度报告.txt".encode("gb18030"))
        world.put(name, text_report(大数据=3) + bank)
    summary = world.read()
    assert (summary.files, summary.read) == (2, 2)
    assert load_documents(world.store)["document_id"].nunique() == 2


def test_a_store_in_use_is_refused(measured: World):
    with measured.store.lock():
        for flow in (measured.read, measured.measure):
            with pytest.raises(StoreError, match="in use by process"):
                flow()


def test_a_folder_that_is_not_there_leaves_no_store_behind(world: World):
    with pytest.raises(UsageError, match="no such folder"):
        world.read(folder=str(world.root / "nowhere"))
    assert not (world.root / "store").exists()


def test_too_many_failures_fail_the_run_after_the_outputs_are_written(world: World):
    world.put("000001_2020年年度报告.txt", text_report(大数据=2))
    world.put("000002_2020年年度报告.txt", b"\0binary")
    with pytest.raises(RunError, match="1 of 2 files timed out or failed, more than 49%"):
        world.run(max_failure_share=0.49)
    assert world.counts() == {("000001", 2020): 2, ("000002", 2020): None}


def test_failures_up_to_the_share_are_allowed(world: World):
    world.put("000001_2020年年度报告.txt", text_report(大数据=2))
    world.put("000002_2020年年度报告.txt", b"\0binary")
    assert world.run(max_failure_share=0.5).reading.failed == 1


def test_scans_and_other_unreadable_files_do_not_fail_a_run(world: World):
    world.put("000001_2020年年度报告.txt", text_report(大数据=2))
    world.put("000002_2020年年度报告.pdf", b"<html>")
    assert world.run(max_failure_share=0.0).reading.by_status == {"not_a_pdf": 1, "ok": 1}


# Retrying


@pytest.fixture
def timed_out(world: World) -> World:
    """Give two reports that timed out, each in a batch of its own, measured as such."""
    for year in (2020, 2021):
        world.put(f"000001_{year}年年度报告.txt", text_report(大数据=year - 2018, 区块链=1))
    with_own_pool(lambda: world.read(seconds_per_file=0.0001, batch_size=1, workers=1))
    world.measure()
    assert set(world.statuses().values()) == {"timeout"}
    return world


def test_what_timed_out_is_not_read_again_by_itself(timed_out: World):
    assert timed_out.read().read == 0
    assert set(timed_out.statuses().values()) == {"timeout"}


def test_what_timed_out_is_read_again_on_request(timed_out: World):
    assert timed_out.read(retry=True, batch_size=1).read == 2
    assert set(timed_out.statuses().values()) == {"ok"}


@pytest.mark.parametrize("batch_size", [1, 100])
def test_a_report_that_timed_out_first_has_its_counts_after_the_retry(timed_out: World, batch_size: int):
    timed_out.read(retry=True, batch_size=batch_size)
    timed_out.measure()
    timed_out.export()
    assert timed_out.counts() == {("000001", 2020): 3, ("000001", 2021): 4}


def test_a_retry_leaves_readable_reports_alone(measured: World):
    before = measured.statuses()
    # The report that is cut off and the text that is none; the link that leads nowhere was never opened.
    assert measured.read(retry=True).read == 2
    assert measured.statuses() == before


def test_hits_are_not_doubled_by_a_retry(measured: World):
    measured.read(retry=True)
    measured.measure()
    measured.export()
    found = measured.table().set_index("file")[COUNT].dropna().astype(int).to_dict()
    assert found == measured.planted


# Measuring


def test_a_second_measuring_matches_nothing(measured: World):
    summary = measured.measure()
    assert summary.parts_measured == 0
    assert summary.parts_cached >= 1


def test_a_changed_dictionary_is_measured_without_opening_a_report(world: World):
    world.put("000001_2020年年度报告.txt", text_report(大数据=3, 区块链=4, 云计算=5))
    world.read()
    world.measure(**world.dictionary("大数据", "区块链"))
    world.export()
    assert world.counts("mine_total_count") == {("000001", 2020): 7}
    world.reports.rename(world.root / "moved away")
    assert world.measure(**world.dictionary("大数据", "云计算")).parts_measured == 1
    world.export()
    assert world.counts("mine_total_count") == {("000001", 2020): 8}


def test_an_export_with_a_dictionary_changed_since_is_refused(world: World):
    world.put("000001_2020年年度报告.txt", text_report(大数据=3))
    world.read()
    world.measure(**world.dictionary("大数据"))
    world.dictionary("区块链")
    with pytest.raises(UsageError, match=r"dictionary mine changed .* run 'shuzhi measure --dictionary mine' first"):
        world.export()


def test_going_back_to_a_dictionary_matches_nothing(world: World):
    world.put("000001_2020年年度报告.txt", text_report(大数据=3))
    world.read()
    world.measure(**world.dictionary("大数据"))
    world.measure(**world.dictionary("区块链"))
    assert world.measure(**world.dictionary("大数据")).parts_measured == 0
    world.export()
    assert world.counts("mine_total_count") == {("000001", 2020): 3}


def test_rules_stand_side_by_side(world: World):
    # 移动互联 lies inside 移动互联网: longest counts 2 hits, substring counts 4.
    world.put("000001_2020年年度报告.txt", text_report(移动互联网=2))
    world.read()
    for rule in ("longest", "substring"):
        world.measure(rule=rule)
    found = {}
    for rule in ("longest", "substring"):
        world.export(rule=rule)
        found[rule] = world.counts()[("000001", 2020)]
    assert found == {"longest": 2, "substring": 4}


def test_an_export_does_not_choose_between_rules(measured: World):
    measured.measure(rule="substring")
    with pytest.raises(UsageError, match="measured under the rules longest, substring; say which with --rule"):
        measured.export()
    assert not measured.out.exists()


def test_an_export_of_what_was_not_measured_is_refused(measured: World):
    with pytest.raises(StoreError, match="has no indices of any dictionary token; run 'shuzhi measure' first"):
        measured.export(rule="token")


def test_a_dictionary_that_was_not_measured_is_not_left_out_in_silence(measured: World):
    measured.dictionary("大数据")
    with pytest.raises(StoreError, match="mine"):
        measured.export(dictionaries=["wu2021", "mine"])


def test_nothing_can_be_measured_before_something_was_read(world: World):
    Store(str(world.root / "store"), create=True)
    with pytest.raises(StoreError, match="holds no pages yet; run 'shuzhi read FOLDER"):
        world.measure()


def hits_parts(world: World) -> list[Path]:
    return sorted(Path(world.store.url, "hits").rglob("*.parquet"))


def test_a_store_that_lacks_hits_of_some_reports_is_refused(measured: World):
    [part] = hits_parts(measured)
    store, key = measured.store, part.parent.name
    check_measured(store, key_in_force(store), key)
    part.unlink()
    with pytest.raises(StoreError, match=r"1 parts of store .* are not measured; run 'shuzhi measure' again"):
        check_measured(store, key_in_force(store), key)


def test_lost_hits_are_measured_again(measured: World):
    [part] = hits_parts(measured)
    part.unlink()
    assert measured.measure().parts_measured == 1
    assert hits_parts(measured) == [part]


def test_damaged_hits_are_named_and_made_again(measured: World):
    [part] = hits_parts(measured)
    whole = part.read_bytes()
    part.write_bytes(whole[:100])
    with pytest.raises(StoreError, match=rf"{part.name} is damaged .*; 'shuzhi measure' makes it again"):
        measured.export()
    [note] = measured.measure().notes
    assert note.startswith("1 damaged part of hits in the store (hits/")
    assert part.read_bytes() == whole


# Exporting


def test_an_export_refuses_reports_that_were_read_but_not_measured(measured: World):
    measured.put("000007_2021年年度报告.txt", text_report(大数据=3))
    measured.read()
    with pytest.raises(StoreError, match="run 'shuzhi measure'"):
        measured.export()


def value_columns(frame: pd.DataFrame, names: dict[str, str] | None = None) -> list[str]:
    kinds = ("_count", "_log1p", "_chars", "_tokens", "_share")
    columns = [name for name in pq.read_schema(frame.attrs["parquet"]).names if name.startswith("wu2021_")]
    assert len(columns) == 30
    assert all(name.endswith(kinds) for name in columns)
    return [names[name] if names else name for name in columns]


def read_back(world: World, suffix: str) -> pd.DataFrame:
    file = world.out / f"indices.{suffix}"
    readers: dict[str, Callable[..., pd.DataFrame]] = {
        "csv": lambda path: pd.read_csv(path, dtype={"stock_code": str}),
        "parquet": pd.read_parquet,
        "xlsx": lambda path: pd.read_excel(path, engine="calamine", sheet_name="indices", dtype={"stock_code": str}),
        "dta": pd.read_stata,
    }
    frame = readers[suffix](file)
    frame.attrs["parquet"] = str(world.out / "indices.parquet")
    return frame


@pytest.mark.parametrize("suffix", ["csv", "parquet", "xlsx", "dta"])
def test_an_unreadable_report_is_missing_and_never_zero(exported: World, suffix: str):
    frame = read_back(exported, suffix)
    names = stata_names(pq.read_schema(exported.out / "indices.parquet").names) if suffix == "dta" else None
    unreadable = frame[frame["status"] != "ok"]
    assert len(unreadable) == 6
    assert unreadable[value_columns(frame, names)].isna().all(axis=None)
    assert (unreadable["reason"].str.len() > 10).all()
    readable = frame[frame["status"] == "ok"]
    assert readable[value_columns(frame, names)].notna().all(axis=None)


@pytest.mark.parametrize("suffix", ["csv", "parquet", "xlsx", "dta"])
def test_every_format_holds_the_same_counts(exported: World, suffix: str):
    frame = read_back(exported, suffix)
    assert frame.set_index("file")[COUNT].dropna().astype(int).to_dict() == exported.planted


def test_a_readable_report_without_a_hit_is_zero_and_not_missing(world: World):
    world.put("000001_2020年年度报告.txt", text_report())
    world.run()
    assert world.counts() == {("000001", 2020): 0}


def test_failures_are_listed_once_each_with_stage_and_reason(exported: World):
    failures = pd.read_csv(exported.out / "failures.csv")
    assert set(failures["file"]) == {name for name, status in exported.statuses().items() if status != "ok"}
    assert failures["file"].is_unique
    assert set(failures["stage"]) == {"read"}


def test_a_report_without_code_or_year_is_a_failure_to_identify(world: World):
    world.put("年度报告.txt", text_report(大数据=2))
    world.run()
    failures = pd.read_csv(world.out / "failures.csv")
    assert failures[["file", "stage"]].to_dict("records") == [{"file": "年度报告.txt", "stage": "identify"}]


def test_a_folder_in_which_nothing_can_be_read_is_exported_all_the_same(world: World):
    world.put("000001_2020年年度报告.pdf", b"")
    world.run()
    assert world.counts() == {("000001", 2020): None}


def test_an_export_without_a_firm_year_keeps_the_columns_of_its_indices(world: World):
    world.put("notes.txt", text_report(大数据=2))
    world.run()
    assert len(world.table()) == 0
    assert COUNT in world.table().columns


def test_the_hits_add_up_to_the_counts(exported: World):
    hits = exported.table("hits")
    used = hits[hits["is_used"]]
    assert Counter(used["file"]) == {name: count for name, count in exported.planted.items() if count}


def test_the_export_has_exactly_its_files(exported: World):
    assert sorted(path.name for path in exported.out.iterdir()) == sorted([*OUTPUT_FILES, "run.json"])


def without_this_run(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = content_of(folder)
    run = json.loads(found.pop("run.json"))
    return found | {"run": {name: value for name, value in run.items() if name != "this_run"}}


def test_a_second_folder_gets_the_same_bytes(measured: World):
    measured.export()
    measured.export(out=str(measured.root / "second"))
    first, second = without_this_run(measured.out), without_this_run(measured.root / "second")
    assert len(first) == len(OUTPUT_FILES) + 1
    assert first == second


def test_the_number_of_workers_and_batches_changes_no_byte(world: World, small_corpus):
    corpus, _ = small_corpus
    shutil.copytree(corpus, world.reports, dirs_exist_ok=True)
    world.run(store=str(world.root / "one"), batch_size=100)
    world.out.rename(world.root / "first")
    with_own_pool(lambda: world.run(store=str(world.root / "two"), batch_size=3, workers=1))
    assert without_this_run(world.out) == without_this_run(world.root / "first")


def test_an_export_that_is_up_to_date_is_left_alone(measured: World):
    assert measured.export().is_new
    before = {path: path.stat().st_mtime_ns for path in measured.out.iterdir()}
    assert not measured.export().is_new
    assert {path: path.stat().st_mtime_ns for path in measured.out.iterdir()} == before


@pytest.mark.parametrize("name", ["indices.csv", "run.json"])
def test_an_output_that_was_changed_is_made_anew(measured: World, name: str):
    measured.export()
    before = content_of(measured.out)
    (measured.out / name).write_text("{}", encoding="utf-8")
    assert measured.export().is_new
    assert content_of(measured.out) == before


def test_what_a_killed_export_left_beside_is_cleared_away(measured: World):
    measured.out.mkdir()
    (measured.out / ".indices.csv.4242-4242.tmp").write_text("half", encoding="utf-8")
    measured.export()
    assert [path.name for path in measured.out.iterdir() if path.name.endswith(".tmp")] == []


def test_an_export_leaves_other_files_in_its_folder_alone(measured: World):
    measured.out.mkdir()
    (measured.out / "thesis.tmp").write_text("mine", encoding="utf-8")
    measured.export()
    assert (measured.out / "thesis.tmp").read_text(encoding="utf-8") == "mine"


def test_years_choose_what_is_exported(measured: World):
    measured.export(years=[2021])
    assert set(measured.table()["report_year"]) == {2021}
    assert set(measured.table("hits")["report_year"]) == {2021}


def test_no_output_names_a_path_of_this_machine(exported: World):
    named = [name for name, content in content_of(exported.out).items() if str(exported.root).encode() in content]
    assert named == []


def test_the_record_of_a_run_says_what_it_did(world: World):
    world.put("000001_2020年年度报告.txt", text_report(大数据=2))
    summary = world.run()
    this_run = json.loads((world.out / "run.json").read_text(encoding="utf-8"))["this_run"]
    assert this_run["reading"]["read"] == summary.reading.read == 1
    assert this_run["parameters"]["folder"] == str(world.reports)
    assert this_run["exporting"]["hits"] == 2


# A new report year


@pytest.fixture
def two_years(world: World) -> World:
    """Give a world with 2020 exported and the report of 2021 just arrived."""
    world.put("000001_2020年年度报告.txt", text_report(大数据=2))
    world.run()
    world.put("000001_2021年年度报告.txt", text_report(大数据=3))
    world.put("000001_2022年年度报告.txt", text_report(大数据=9))
    return world


def update(world: World, year: int) -> RunSummary:
    return annual_update(AnnualUpdateParameters(**world.reading({"out": str(world.out)}), year=year))


def test_an_annual_update_reads_its_year_alone(two_years: World):
    reading = update(two_years, 2021).reading
    assert (reading.files, reading.read, reading.skipped) == (3, 1, 2)


def test_an_annual_update_keeps_the_years_before(two_years: World):
    update(two_years, 2021)
    assert two_years.counts() == {("000001", 2020): 2, ("000001", 2021): 3}


def test_an_annual_update_adds_rows_and_changes_none(two_years: World):
    before = two_years.table()
    update(two_years, 2021)
    after = two_years.table()
    pd.testing.assert_frame_equal(after[after["report_year"] == 2020].reset_index(drop=True), before)


# Views


def test_the_store_answers_in_sql_for_every_table(exported: World):
    with exported.store.connect(SCHEMAS) as connection:
        rows = {
            name: connection.execute(f"SELECT count(DISTINCT document_id) FROM {name}").fetchall()[0][0]
            for name in SCHEMAS
        }
    readable = len(exported.planted)
    assert rows["readings"] == 11
    assert rows["texts"] >= readable
    assert rows["documents"] == 11
    assert 0 < rows["hits"] <= readable
