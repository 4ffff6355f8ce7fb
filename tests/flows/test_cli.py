"""The command line as a user types it: exit codes, one line for an error, nothing written by mistake."""

import json
import re
import shutil
import statistics
import time
from pathlib import Path

import pandas as pd
import pytest
from conftest import Command

COMMANDS = [
    ["fetch"],
    ["update"],
    ["publish"],
    ["releases"],
    ["definitions"],
    ["diff"],
    ["run"],
    ["read"],
    ["measure"],
    ["export"],
    ["demo"],
    ["status"],
    ["verify"],
    ["clean"],
    ["evidence"],
    ["sql"],
    ["dictionary", "list"],
    ["dictionary", "show"],
    ["dictionary", "check"],
    ["dictionary", "diff"],
    ["dictionary", "import"],
    ["dictionary", "expand"],
    ["quality"],
    ["serve"],
    ["clusters"],
    ["panel"],
    ["describe"],
    ["study"],
    ["validate", "sample"],
    ["validate", "score"],
    ["validate", "missed"],
]
BAD = """\
name: bad
family: digital
title: {zh: 坏}
authors: [Nobody]
year: 2024
verified: maybe
unit_of_count: occurrences
dimensions:
  - id: words
    zh: 词
    en: Words
    terms: [大数据, 大数据, ""]
"""


def error_of(done, code: int) -> str:
    """Return the one line of an error, after checking that there is nothing else and no traceback."""
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    [line] = done.stderr.strip().splitlines()
    assert line.startswith("Error: ")
    return line


@pytest.fixture(scope="module")
def ran(shuzhi: Command, small_corpus, tmp_path_factory: pytest.TempPathFactory):
    """Run the whole job once, on a corpus in which 1 of 8 files fails; return the folder and what was printed."""
    folder = tmp_path_factory.mktemp("ran")
    shutil.copytree(small_corpus[0], folder / "reports")
    return folder, shuzhi("run", "reports", "--out", "out", "--workers", 2, cwd=folder)


# Help


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_has_an_example_that_begins_with_the_command(shuzhi: Command, command: list[str]):
    done = shuzhi(*command, "--help")
    assert done.returncode == 0
    assert re.search(rf"Example:\s+shuzhi {' '.join(command)}\b", done.stdout)


def test_help_names_every_command_tested_here(shuzhi: Command):
    found = [
        [*prefix, line.split()[0]]
        for prefix in ([], ["dictionary"], ["validate"])
        for line in shuzhi(*prefix, "--help").stdout.split("Commands:")[1].splitlines()
        if line.startswith("  ") and not line.startswith("   ")
    ]
    assert sorted(found) == sorted([*COMMANDS, ["dictionary"], ["validate"]])


def test_help_comes_at_once(shuzhi: Command):
    seconds = []
    for _ in range(3):
        started = time.monotonic()
        assert shuzhi("--help").returncode == 0
        seconds.append(time.monotonic() - started)
    assert statistics.median(seconds) < 1.5


def test_without_a_command_there_is_help(shuzhi: Command):
    done = shuzhi()
    assert "Usage: shuzhi" in done.stdout + done.stderr


def test_the_version_lists_all_that_can_change_a_number(shuzhi: Command):
    done = shuzhi("--version")
    assert done.returncode == 0
    lines = dict(line.rsplit(" ", 1) for line in done.stdout.splitlines())
    assert {"shuzhi", "python", "pypdfium2", "jieba", "dictionary wu2021"} <= set(lines)
    assert all(re.match(r"\d|[0-9a-f]{12}$", number) for number in lines.values())


# Wrong use


@pytest.mark.parametrize(
    "arguments", [["run"], ["run", "reports"], ["export"], ["sql"], ["runn"], ["run", "--nonsense"]]
)
def test_a_command_that_lacks_something_is_wrong_use(shuzhi: Command, tmp_path: Path, arguments: list[str]):
    done = shuzhi(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "Usage: shuzhi" in done.stderr


@pytest.mark.parametrize("option", ["--rule", "--reader", "--segmenter"])
def test_a_choice_that_does_not_exist_is_answered_with_those_that_do(shuzhi: Command, tmp_path: Path, option: str):
    done = shuzhi("run", "reports", "--out", "out", option, "nosuch", cwd=tmp_path)
    assert done.returncode == 2
    assert {"--rule": "longest", "--reader": "pdfium", "--segmenter": "rjieba"}[option] in done.stderr


@pytest.mark.parametrize("command", [["run", "--out", "out"], ["read"]], ids=["run", "read"])
def test_a_missing_folder_is_one_line_and_leaves_nothing_behind(shuzhi: Command, tmp_path: Path, command: list[str]):
    done = shuzhi(command[0], "nowhere", *command[1:], cwd=tmp_path)
    assert "nowhere: no such folder" in error_of(done, 2)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_dictionary_is_one_line_with_the_known_ones(shuzhi: Command, tmp_path: Path):
    done = shuzhi("run", tmp_path, "--out", tmp_path / "out", "--dictionary", "wu2012")
    assert re.search(r"no dictionary wu2012\. There are: .*wu2021", error_of(done, 2))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("years", ["soon", "2023-2019", "1066"])
def test_bad_years_are_told_with_what_was_given(shuzhi: Command, tmp_path: Path, years: str):
    done = shuzhi("read", tmp_path, "--years", years)
    assert done.returncode == 2
    first, problem = done.stderr.strip().splitlines()
    assert first == "Error: shuzhi read: 1 problem"
    assert problem.startswith("  years")
    assert years in problem


def test_all_problems_of_the_options_come_at_once(shuzhi: Command, tmp_path: Path):
    done = shuzhi("run", tmp_path, "--out", "out", "--years", "soon", "--seconds-per-file", 0, "--memory-megabytes", 1)
    assert done.returncode == 2
    lines = done.stderr.strip().splitlines()
    assert lines[0] == "Error: shuzhi run: 3 problems"
    assert [line.split(":")[0].strip() for line in lines[1:]] == ["seconds_per_file", "memory_megabytes", "years"]


@pytest.mark.parametrize(
    "command",
    [["status"], ["measure"], ["export", "--out", "out"], ["evidence"], ["sql", "SELECT 1"]],
    ids=lambda command: command[0],
)
def test_without_a_store_there_is_one_line_that_says_how_to_name_one(
    shuzhi: Command, tmp_path: Path, command: list[str]
):
    error = error_of(shuzhi(*command, cwd=tmp_path), 2)
    assert "no store at the current folder, 'store' or 'out/store'; name one with --store" in error
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_place_of_the_store_is_one_line(shuzhi: Command, tmp_path: Path):
    (tmp_path / "a.pdf").touch()
    assert "a.pdf" in error_of(shuzhi("read", tmp_path, "--store", tmp_path / "a.pdf"), 2)


def test_debug_shows_where_an_error_comes_from(shuzhi: Command, tmp_path: Path):
    done = shuzhi("--debug", "status", cwd=tmp_path)
    assert done.returncode != 0
    assert "Traceback" in done.stderr


# Dictionaries


def test_the_list_of_dictionaries_says_size_and_whether_verified(shuzhi: Command):
    done = shuzhi("dictionary", "list")
    assert done.returncode == 0
    [line] = [line for line in done.stdout.splitlines() if line.startswith("wu2021 ")]
    assert re.search(r"\b76 terms\s+verified\s+[0-9a-f]{12}\s+企业数字化转型", line)


def test_a_dictionary_is_shown_with_all_its_terms(shuzhi: Command):
    from flows.dictionary_files import load_dictionaries

    shown = shuzhi("dictionary", "show", "wu2021").stdout
    [dictionary] = load_dictionaries(["wu2021"])
    assert [term for term in dictionary.terms if term not in shown] == []
    assert dictionary.content_hash in shown


def test_a_sound_dictionary_has_no_problem(shuzhi: Command):
    done = shuzhi("dictionary", "check", "wu2021")
    assert done.returncode == 0
    assert done.stdout.startswith("wu2021: no problem; 76 terms in 5 dimensions, hash ")


def test_a_bad_dictionary_shows_all_its_problems_with_their_lines(shuzhi: Command, tmp_path: Path):
    (tmp_path / "bad.yml").write_text(BAD, encoding="utf-8")
    done = shuzhi("dictionary", "check", "bad.yml", cwd=tmp_path)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    lines = done.stderr.strip().splitlines()
    assert lines[0] == "Error: bad.yml: 4 problems"
    found = [re.sub(r"\s+", " ", line.strip())[:27] for line in lines[1:]]
    assert [line.split(" ")[:2] for line in found] == [["line", "3"], ["line", "6"], ["line", "12"], ["line", "12"]]


@pytest.mark.parametrize("name", ["missing.yml", "nosuch"])
def test_a_dictionary_that_is_not_there_is_one_line(shuzhi: Command, tmp_path: Path, name: str):
    assert name in error_of(shuzhi("dictionary", "check", name, cwd=tmp_path), 2)


# A plan


def test_a_dry_run_says_what_would_be_read_and_makes_nothing(shuzhi: Command, small_corpus, tmp_path: Path):
    folder, _ = small_corpus
    done = shuzhi("run", folder, "--out", tmp_path / "out", "--dry-run", "--years", 2020, "--workers", 2)
    assert done.returncode == 0
    assert done.stdout.startswith("would read 4 of 8 files (0 known, 4 left out): ")
    assert done.stdout.endswith(" with 2 workers\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_dry_run_after_the_run_finds_nothing_to_read(shuzhi: Command, ran):
    folder, _ = ran
    done = shuzhi("run", "reports", "--out", "out", "--dry-run", cwd=folder)
    assert done.stdout.startswith("would read 0 of 8 files (8 known, 0 left out)")


# A run


@pytest.mark.slow
def test_a_run_past_the_failure_share_ends_with_1_and_one_line(ran):
    _, done = ran
    line = error_of(done, 1)
    assert "1 of 8 files timed out or failed, more than 2%" in line
    assert "--retry" in line
    assert "--max-failure-share" in line


@pytest.mark.slow
def test_a_run_past_the_failure_share_has_written_its_outputs(ran):
    from flows.outputs import OUTPUT_FILES

    folder, _ = ran
    assert {*OUTPUT_FILES, "run.json", "store"} == {path.name for path in (folder / "out").iterdir()}
    assert "this_run" in json.loads((folder / "out" / "run.json").read_text(encoding="utf-8"))


@pytest.mark.slow
def test_the_same_run_with_more_failures_allowed_ends_with_0_and_the_counts(shuzhi: Command, ran):
    folder, _ = ran
    done = shuzhi("run", "reports", "--out", "out", "--max-failure-share", 0.2, cwd=folder)
    assert done.returncode == 0
    assert done.stdout == "read 0 · cached 8 · failed 2 (see failures.csv)\n"
    assert done.stderr.splitlines()[-1].startswith("8 firm-years, 6 of them with a value, ")
    assert done.stderr.splitlines()[-1].endswith("unchanged in out (start with report.html)")


@pytest.mark.slow
def test_an_export_into_another_folder_says_where(shuzhi: Command, ran, tmp_path: Path):
    folder, _ = ran
    done = shuzhi("export", "--out", tmp_path / "second", "--store", "out", cwd=folder)
    assert done.returncode == 0
    assert re.fullmatch(r"exported 8 firm-years · \d+ hits · written to .*second\n", done.stdout)
    assert (tmp_path / "second" / "indices.csv").read_bytes() == (folder / "out" / "indices.csv").read_bytes()


# Looking


@pytest.mark.slow
def test_status_counts_by_year_and_finds_all_up_to_date(shuzhi: Command, ran):
    folder, _ = ran
    done = shuzhi("status", "--store", "out", cwd=folder)
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    states = [line.split("  ")[1] for line in lines if line.startswith("  ")]
    assert [line for line in lines if "stale" in line or "missing" in line] == []
    assert len([state for state in states if state.startswith("up to date")]) == 3
    rows = [line.split() for line in lines if re.match(r"\s*20\d\d\s", line)]
    assert [row[:2] for row in rows] == [["2020", "4"], ["2021", "4"]]
    assert sum(int(row[3]) for row in rows) == 2


@pytest.mark.slow
def test_status_names_what_is_new_changed_and_gone(shuzhi: Command, ran):
    folder, _ = ran
    reports = folder / "reports"
    first, second = sorted(reports.iterdir())[:2]
    moved, kept = folder / "moved.pdf", first.read_bytes()
    second.rename(moved)
    first.write_bytes(kept + b"\n")
    (reports / "new.txt").write_text("新", encoding="utf-8")
    try:
        done = shuzhi("status", "--store", "out", cwd=folder)
        [line] = [line for line in done.stdout.splitlines() if "folder" in line]
        assert f"1 new (new.txt); 1 changed ({first.name}); 1 gone ({second.name})" in line
        assert line.startswith("  stale ")
    finally:
        moved.rename(second)
        first.write_bytes(kept)
        (reports / "new.txt").unlink()


@pytest.mark.slow
def test_evidence_shows_every_hit_of_a_report_in_its_sentence(shuzhi: Command, ran, small_corpus):
    folder, _ = ran
    planted = next(each for each in small_corpus[1] if each.fault == "none" and each.planted_count)
    done = shuzhi(
        "evidence", "--stock-code", planted.stock_code, "--year", planted.report_year, "--store", "out", cwd=folder
    )
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert len(lines) == 2 * planted.planted_count
    assert all(line.count("【") >= 1 for line in lines[1::2])
    assert done.stderr.strip() == f"{planted.planted_count:,} of {planted.planted_count:,} hits"


@pytest.mark.slow
def test_evidence_as_csv_can_be_read_back(shuzhi: Command, ran, tmp_path: Path):
    folder, _ = ran
    done = shuzhi("evidence", "--csv", "--limit", 3, "--store", "out", cwd=folder)
    (tmp_path / "hits.csv").write_text(done.stdout, encoding="utf-8")
    frame = pd.read_csv(tmp_path / "hits.csv", dtype={"stock_code": str})
    assert len(frame) == 3
    assert all(matched in sentence for matched, sentence in zip(frame["matched"], frame["sentence"], strict=True))


@pytest.mark.slow
def test_evidence_of_a_firm_that_is_not_there_is_one_line(shuzhi: Command, ran):
    folder, _ = ran
    done = shuzhi("evidence", "--stock-code", "999999", "--store", "out", cwd=folder)
    assert "no report of 999999" in error_of(done, 2)


@pytest.mark.slow
def test_sql_answers(shuzhi: Command, ran):
    folder, _ = ran
    query = "SELECT status, count(*) AS files FROM documents GROUP BY ALL ORDER BY 1"
    done = shuzhi("sql", query, "--csv", "--store", "out", cwd=folder)
    assert done.returncode == 0
    assert done.stdout == "status,files\nfailed,1\nok,6\nscanned,1\n"


@pytest.mark.slow
@pytest.mark.parametrize("query", ["SELEC 1", "SELECT nosuch FROM documents", "SELECT * FROM nosuch", ""])
def test_bad_sql_is_wrong_use(shuzhi: Command, ran, query: str):
    folder, _ = ran
    done = shuzhi("sql", query, "--store", "out", cwd=folder)
    assert done.returncode == 2
    assert done.stderr.startswith("Error: sql: ")
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_the_store_is_found_from_the_environment(shuzhi: Command, ran, tmp_path: Path):
    folder, _ = ran
    done = shuzhi("sql", "SELECT 42 AS answer", "--csv", cwd=tmp_path, SHUZHI_STORE=str(folder / "out"))
    assert done.stdout == "answer\n42\n"


@pytest.mark.slow
def test_the_store_is_found_in_the_usual_place(shuzhi: Command, ran):
    folder, _ = ran
    assert shuzhi("sql", "SELECT 42 AS answer", "--csv", cwd=folder).stdout == "answer\n42\n"


def test_status_of_a_store_in_which_nothing_was_read_yet(shuzhi: Command, tmp_path: Path):
    from flows.store import Store

    Store(str(tmp_path / "store"), create=True)
    done = shuzhi("status", cwd=tmp_path)
    assert done.returncode == 0
    assert "nothing was read yet" in done.stdout
