"""The commands of publishing as a user types them: what they say, and their exit codes."""

from pathlib import Path

import pytest
from conftest import Command
from world import text_report

DEFINITIONS = "definitions:\n  - {name: wu, dictionaries: [wu2021]}\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("commands")
    (folder / "inbox").mkdir()
    for firm in range(1, 4):
        name = f"{firm:06d}_2023年年度报告.txt"
        (folder / "inbox" / name).write_text(text_report(大数据=firm) + f"\n第{firm}号。", encoding="utf-8")
    (folder / "inbox" / "notes.docx").write_bytes(b"notes")
    (folder / "definitions.yml").write_text(DEFINITIONS, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def updated(shuzhi: Command, folder: Path):
    where = ["--folder", "reports", "--inbox", "inbox", "--definitions", "definitions.yml", "--releases", "releases"]
    return shuzhi("update", "--year", 2023, *where, "--workers", 1, "--settle-seconds", 0, cwd=folder)


def test_an_update_says_what_it_took_read_and_published(updated, folder: Path):
    assert updated.returncode == 0, updated.stderr
    assert (
        updated.stdout
        == "took 3, known 0, left 1 · read 3 · cached 0 · failed 0 · published 2023.1 (accepted: 9 checks)\n"
    )
    assert "Left in the inbox: notes.docx: not a .pdf or .txt file" in updated.stderr
    assert (folder / "releases" / "2023.1" / "wu" / "report.html").is_file()


def test_publishing_the_same_again_says_that_nothing_is_new(updated, shuzhi: Command, folder: Path):
    done = shuzhi("publish", "--releases", "releases", "--definitions", "definitions.yml", "--workers", 1, cwd=folder)
    assert (done.returncode, done.stdout) == (0, "nothing is new since 2023.1; no release was made\n"), done.stderr


def test_releases_are_listed_and_verified(updated, shuzhi: Command, folder: Path):
    done = shuzhi("releases", "releases", "--csv", cwd=folder)
    assert done.stdout.splitlines()[1].startswith("2023.1,,1,3,3,accepted: 9 checks")
    done = shuzhi("releases", "releases", "--verify", cwd=folder)
    assert (done.returncode, done.stdout) == (0, "every release is as it was published\n")
    path = folder / "releases" / "2023.1" / "wu" / "indices.csv"
    before = path.read_bytes()
    path.chmod(0o644)
    path.write_bytes(before + b"x")
    done = shuzhi("releases", "releases", "--verify", cwd=folder)
    path.write_bytes(before)
    assert (done.returncode, done.stdout) == (1, "2023.1: wu/indices.csv was changed after publishing\n")


def test_definitions_are_checked_listed_and_printed_as_a_file_to_keep(updated, shuzhi: Command, folder: Path):
    done = shuzhi("definitions", "definitions.yml", cwd=folder)
    assert done.stdout.splitlines()[0] == "wu: rule longest; scopes report; keep raw"
    assert "no licence is named" in done.stderr
    kept = shuzhi("definitions", "--store", "out", cwd=folder)
    (folder / "kept.yml").write_text(kept.stdout, encoding="utf-8")
    assert shuzhi("definitions", "kept.yml", cwd=folder).stdout.splitlines()[0].startswith("wu2021: rule longest")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["definitions", "nothing.yml"], "nothing.yml: cannot be read"),
        (["releases", "nothing"], "no release in it"),
        (["update", "--year", "2023", "--folder", "f", "--definitions", "nothing.yml"], "cannot be read"),
        (["update", "--year", "23", "--folder", "f", "--declare", "everything"], "2 problems"),
        (["publish", "--releases", "", "--store", "out"], "releases"),
    ],
)
def test_what_cannot_work_is_said_at_once(updated, shuzhi: Command, folder: Path, arguments: list[str], words: str):
    done = shuzhi(*arguments, cwd=folder)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
