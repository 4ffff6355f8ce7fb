"""Two report years from an inbox to releases: what is published, twice the same, and never overwritten."""

import hashlib
import json
import shutil
import signal
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from release_site import BIG, FIRMS, Site, bytes_of
from world import text_report

from flows.publishing.definitions import load_definitions
from flows.publishing.gate_report import GateReport
from flows.publishing.listing import table_of
from flows.publishing.release import Contents, make_release
from flows.publishing.release_lock import publishing_lock
from flows.publishing.release_pointers import point_to_latest
from flows.publishing.releases import latest_release, verify
from shuzhi import RunError, StoreError, UsageError


def second_year_arrives(site: Site) -> None:
    """Let the new year arrive, with a revised report of the year before and a file that is no report."""
    site.year_arrives(2024)
    site.arrive("000003_2023年年度报告（修订版）.txt", text_report(大数据=30) + "\n修订版。")
    site.arrive("000013_2024年年度报告.pdf", b"%PDF-1.4 cut off\n%%EOF")


@pytest.fixture(scope="module")
def two_years(tmp_path_factory: pytest.TempPathFactory, pool: None):
    """Publish 2023, then 2024 with a revised and a broken report; return the site and what each update said."""
    site = Site(tmp_path_factory.mktemp("site"))
    site.year_arrives(2023)
    first = site.update(2023)
    before = bytes_of(site.releases / "2023.1")
    second_year_arrives(site)
    second = site.update(2024, max_failure_share=0.1)
    return site, first, second, before


# What is published


def test_each_year_is_a_release_of_its_own(two_years: Any):
    _, first, second, _ = two_years
    assert [(each.publishing.state, each.publishing.version) for each in (first, second)] == [
        ("published", "2023.1"),
        ("published", "2024.1"),
    ]
    assert (first.taking.count("taken"), second.taking.count("taken"), second.taking.count("known")) == (12, 14, 12)
    assert second.reading.read == 14


def test_the_numbers_of_a_release_are_those_that_were_planted(two_years: Any):
    site, *_ = two_years
    planted = {(f"{firm:06d}", year): firm for firm in range(1, FIRMS + 1) for year in (2023, 2024)}
    assert site.counts("2023.1") == {key: count for key, count in planted.items() if key[1] == 2023}
    found = site.counts("2024.1")
    # No number for the file that is no report, and never a zero; the revised report replaces the original.
    assert found.pop(("000013", 2024)) != 0
    assert found == planted | {("000003", 2023): 30}


def test_a_revised_report_replaces_the_original_and_both_are_listed(two_years: Any):
    site, *_ = two_years
    documents = site.table("2024.1", name="documents.csv").set_index("file")["use_status"]
    assert documents["000003_2023年年度报告.txt"] == "superseded"
    assert documents["000003_2023年年度报告（修订版）.txt"] == "used"
    changed = pd.read_csv(site.releases / "2024.1" / "changes.csv", encoding="utf-8-sig", dtype=str)
    assert "revised_report" in changed.to_csv()


def test_a_broken_file_is_listed_with_its_reason(two_years: Any):
    site, *_ = two_years
    failures = site.table("2024.1", name="failures.csv").set_index("file")
    assert failures.loc["000013_2024年年度报告.pdf", "status"] != "ok"
    assert failures.loc["000013_2024年年度报告.pdf", "reason"]


def test_an_older_release_is_untouched_byte_for_byte(two_years: Any):
    site, _, _, before = two_years
    assert bytes_of(site.releases / "2023.1") == before


def test_every_file_is_read_only(two_years: Any):
    site, *_ = two_years
    files = [path for path in (site.releases / "2024.1").rglob("*") if path.is_file()]
    assert len(files) > 40
    assert [path for path in files if path.stat().st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH)] == []


def test_the_checksums_are_those_that_sha256sum_computes(two_years: Any):
    site, *_ = two_years
    if not shutil.which("sha256sum"):
        pytest.skip("sha256sum is not installed")
    for version in ("2023.1", "2024.1"):
        command = ["sha256sum", "--check", "--strict", "SHA256SUMS"]
        done = subprocess.run(command, cwd=site.releases / version, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        listed = {line.rsplit(": ", 1)[0] for line in done.stdout.splitlines()}
        assert listed == set(bytes_of(site.releases / version)) - {"SHA256SUMS"}


def test_latest_points_to_the_last_release(two_years: Any):
    site, *_ = two_years
    pointer = json.loads((site.releases / "latest.json").read_text(encoding="utf-8"))
    descriptor = site.releases / pointer["path"] / "datapackage.json"
    assert pointer["version"] == "2024.1"
    assert pointer["datapackage_sha256"] == hashlib.sha256(descriptor.read_bytes()).hexdigest()
    assert (site.releases / "latest").resolve() == (site.releases / "2024.1").resolve()


def test_the_changelog_has_the_newest_release_first(two_years: Any):
    site, *_ = two_years
    text = (site.releases / "CHANGELOG.md").read_text(encoding="utf-8")
    assert text.index("## 2024.1") < text.index("## 2023.1")


def test_a_release_says_what_it_was_made_of(two_years: Any):
    site, *_ = two_years
    facts = json.loads((site.releases / "2024.1" / "release.json").read_text(encoding="utf-8"))
    sums = hashlib.sha256((site.releases / "2023.1" / "SHA256SUMS").read_bytes()).hexdigest()
    assert facts["previous"] == {"version": "2023.1", "sha256sums": sums}
    assert (facts["sequence"], facts["report_year"], facts["publish_despite"]) == (2, 2024, "")
    assert facts["definitions"]["token"]["rule"] == "token"
    assert facts["definitions"]["wu"]["keep"] == ["raw", "strict"]
    assert facts["gate"]["is_accepted"] is True


def test_no_file_of_a_release_names_a_place_of_this_machine(two_years: Any):
    site, *_ = two_years
    named = [
        path.name
        for path in site.releases.rglob("*")
        if path.is_file() and str(site.root).encode() in path.read_bytes()
    ]
    assert named == []


def test_frictionless_accepts_the_descriptor_and_every_table(two_years: Any):
    frictionless = pytest.importorskip("frictionless", reason="frictionless is not installed")
    site, *_ = two_years
    report = frictionless.Package(str(site.releases / "2024.1" / "datapackage.json")).validate()
    assert report.valid, report.flatten(["type", "message"])
    tables = {task.place: task.stats.get("rows") for task in report.tasks if task.type == "table"}
    assert tables["wu/indices.csv"] == tables["token/indices.csv"] == 25
    assert {"wu/indices_long.csv", "wu/documents.csv", "wu/sections.csv", "wu/codebook.csv"} <= set(tables)


def test_frictionless_refuses_a_number_that_was_changed(two_years: Any, tmp_path: Path):
    frictionless = pytest.importorskip("frictionless", reason="frictionless is not installed")
    site, *_ = two_years
    copy = shutil.copytree(site.releases / "2024.1", tmp_path / "copy")
    table = copy / "wu" / "indices.csv"
    table.chmod(0o644)
    text = table.read_text(encoding="utf-8-sig")
    table.write_text(text.replace(",2024,", ",-5,", 1), encoding="utf-8-sig")
    report = frictionless.Package(str(copy / "datapackage.json")).validate()
    found = {row[0] for row in report.flatten(["type"])}
    assert {"hash-count", "constraint-error"} <= found


def test_the_descriptor_has_the_labels_of_the_codebook(two_years: Any):
    site, *_ = two_years
    package = json.loads((site.releases / "2024.1" / "datapackage.json").read_text(encoding="utf-8"))
    assert (package["name"], package["version"]) == ("digital-firms", "2024.1")
    assert package["licenses"] == [{"name": "CC-BY-4.0"}]
    [wide] = [each for each in package["resources"] if each["path"] == "wu/indices.csv"]
    fields = {field["name"]: field for field in wide["schema"]["fields"]}
    assert wide["schema"]["primaryKey"] == ["stock_code", "report_year"]
    assert fields["stock_code"]["type"] == "string"
    assert fields[BIG]["description"].startswith("企业数字化转型")
    assert fields[BIG]["constraints"] == {"minimum": 0}
    assert {each["path"] for each in package["resources"]} == set(bytes_of(site.releases / "2024.1")) - {
        "datapackage.json",
        "SHA256SUMS",
    }


# Twice, and elsewhere


def test_a_second_trigger_with_nothing_new_does_nothing_new_and_says_so(two_years: Any):
    site, *_ = two_years
    before = bytes_of(site.releases)
    again = site.update(2024, max_failure_share=0.1)
    assert (again.publishing.state, again.publishing.version) == ("nothing_new", "2024.1")
    assert (again.taking.count("taken"), again.reading.read) == (0, 0)
    assert [each.exporting.is_new for each in again.built] == [False, False]
    assert bytes_of(site.releases) == before
    assert site.publish().state == "nothing_new"


def test_the_same_input_elsewhere_gives_the_same_release_byte_for_byte(two_years: Any, tmp_path: Path):
    site, *_ = two_years
    elsewhere = tmp_path / "another" / "place"
    elsewhere.mkdir(parents=True)
    other = Site(elsewhere)
    other.year_arrives(2023)
    other.update(2023)
    assert bytes_of(other.releases / "2023.1") == bytes_of(site.releases / "2023.1")


# Changed after publishing


@pytest.fixture
def copied(two_years: Any, tmp_path: Path) -> Path:
    site, *_ = two_years
    return shutil.copytree(site.releases, tmp_path / "releases", symlinks=True)


def overwrite(path: Path, data: bytes) -> None:
    path.chmod(0o644)
    path.write_bytes(data)


def test_releases_as_they_were_published_are_whole(copied: Path):
    assert verify(copied) == []


def test_the_file_that_was_changed_is_named(copied: Path):
    path = copied / "2023.1" / "wu" / "indices.csv"
    overwrite(path, path.read_bytes().replace(b",2023,", b",2022,", 1))
    assert verify(copied) == ["2023.1: wu/indices.csv was changed after publishing"]


def test_files_that_were_added_or_removed_are_named(copied: Path):
    (copied / "2024.1" / "wu" / "more.csv").write_text("a", encoding="utf-8")
    (copied / "2024.1" / "token" / "hits.parquet").unlink()
    assert verify(copied) == [
        "2024.1: token/hits.parquet is missing",
        "2024.1: wu/more.csv was added after publishing",
    ]


def test_a_change_with_new_checksums_shows_in_the_release_after_it(copied: Path):
    path = copied / "2023.1" / "wu" / "failures.csv"
    overwrite(path, b"nothing failed")
    sums = copied / "2023.1" / "SHA256SUMS"
    lines = [line for line in sums.read_text(encoding="utf-8").splitlines() if not line.endswith("wu/failures.csv")]
    lines.append(f"{hashlib.sha256(b'nothing failed').hexdigest()}  wu/failures.csv")
    overwrite(sums, ("\n".join(lines) + "\n").encode())
    assert verify(copied) == ["2023.1: SHA256SUMS is not the one that 2024.1 was published after"]


def test_a_release_that_is_gone_or_damaged_is_named(copied: Path):
    shutil.rmtree(copied / "2023.1")
    assert verify(copied) == ["2023.1: is gone; 2024.1 was published after it"]
    overwrite(copied / "2024.1" / "SHA256SUMS", b"not a sum\n")
    assert verify(copied)[0] == "2024.1: SHA256SUMS has a line that is none: 'not a sum'"


def test_a_wrong_pointer_is_named_and_mended(copied: Path):
    (copied / "latest.json").write_text('{"version": "2023.1", "datapackage_sha256": "x"}', encoding="utf-8")
    assert verify(copied) == ["latest.json names 2023.1, the last release is 2024.1; 'shuzhi publish' writes it anew"]
    point_to_latest(copied)
    assert verify(copied) == []


def test_nothing_is_published_beside_a_damaged_release(copied: Path):
    overwrite(copied / "2023.1" / "release.json", b"{")
    with pytest.raises(UsageError, match=r"release.json is missing or damaged; put the release back"):
        latest_release(copied)


def test_a_folder_without_releases_is_said(tmp_path: Path):
    with pytest.raises(UsageError, match="no release in it"):
        verify(tmp_path)


# Killed, and two at once


def contents_of(site: Site) -> Contents:
    definitions = load_definitions(str(site.root / "definitions.yml"))
    folders = {each.name: site.out / each.name for each in definitions.definitions}
    return Contents(definitions, folders, site.out, GateReport(()))


KILLED = """
import os, signal, sys
from pathlib import Path
from flows.publishing import release
from flows.publishing.definitions import load_definitions
from flows.publishing.gate_report import GateReport
from flows.publishing.release_lock import publishing_lock
from flows.publishing.releases import latest_release

root, releases, moment = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
definitions = load_definitions(str(root / "definitions.yml"))
folders = {each.name: root / "out" / each.name for each in definitions.definitions}
setattr(release, moment, lambda *_: os.kill(os.getpid(), signal.SIGKILL))
with publishing_lock(releases):
    release.make_release(
        releases, 2025, release.Contents(definitions, folders, root / "out", GateReport(())), latest_release(releases)
    )
"""


@pytest.mark.parametrize("moment", ["write_sums", "_sync_folder"])
def test_a_run_that_is_killed_leaves_a_whole_release_or_none(two_years: Any, copied: Path, moment: str):
    site, *_ = two_years
    before = bytes_of(copied)
    done = subprocess.run([sys.executable, "-c", KILLED, site.root, copied, moment], check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert (copied / ".publishing").exists()
    if moment == "write_sums":
        # Killed before the rename: what lies there is no release, and everything else is as it was.
        assert [each.name for each in copied.glob(".2025.1.tmp-*")] != []
        assert verify(copied) == []
        assert {name: sha for name, sha in bytes_of(copied).items() if not name.startswith(".")} == before
    else:
        # Killed after it: the release is whole, and only the pointers are old.
        assert verify(copied) == [
            "latest.json names 2024.1, the last release is 2025.1; 'shuzhi publish' writes it anew"
        ]
    with publishing_lock(copied):
        point_to_latest(copied)
        made = make_release(copied, 2025, contents_of(site), latest_release(copied))
        point_to_latest(copied)
    assert made.version == ("2025.1" if moment == "write_sums" else "2025.2")
    assert verify(copied) == []
    assert [each.name for each in copied.iterdir() if each.name.startswith(".")] == []


def test_two_runs_do_not_publish_at_once(copied: Path):
    code = "import sys, time\nfrom pathlib import Path\nfrom flows.publishing.release_lock import publishing_lock\n"
    code += "with publishing_lock(Path(sys.argv[1])):\n    print('in', flush=True)\n    time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code, copied], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "in\n"
        with pytest.raises(StoreError, match=r"folder of releases .* is in use"), publishing_lock(copied):
            pass
        other.kill()
    with publishing_lock(copied):
        pass
    assert not (copied / ".publishing").exists()


def test_an_export_that_changed_since_it_was_made_is_not_published(two_years: Any, copied: Path, tmp_path: Path):
    site, *_ = two_years
    contents = contents_of(site)
    other = shutil.copytree(site.out / "wu", tmp_path / "wu")
    (other / "indices.csv").write_text("a,b", encoding="utf-8")
    before = bytes_of(copied)
    changed = replace(contents, folders={"wu": other})
    with pytest.raises(RunError, match=r"indices.csv was changed since it was exported; run again"):
        make_release(copied, 2025, changed, latest_release(copied))
    assert bytes_of(copied) == before


def test_a_folder_that_cannot_be_written_to_is_said(tmp_path: Path):
    (tmp_path / "file").write_text("x", encoding="utf-8")
    for path in (tmp_path / "file", tmp_path / "file" / "releases"):
        with pytest.raises(UsageError, match="cannot be written to"), publishing_lock(path):
            pass


def test_the_list_of_releases_has_the_newest_first(copied: Path):
    table = table_of(copied)
    assert table["version"].tolist() == ["2024.1", "2023.1"]
    assert table["previous"].tolist() == ["2023.1", ""]
    assert table["with_value"].tolist() == [24, 12]
