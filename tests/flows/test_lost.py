"""Files that go away or change while a run reads; documents with a great many hits, or control characters."""

import hashlib
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from world import COUNT, World, text_report

from flows.work import HITS_AT_ONCE, read_file
from tests.fuzz.watch import meddling

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("prefect")]

REPORT = text_report(大数据=3)
NAME = "000001_2020_a.txt"


def is_listed(world: World) -> Callable[[], bool]:
    """Return a test for the moment when the run knows its files and has not opened them to read."""
    return lambda: any(world.root.glob("store/files/*/*.parquet"))


def read_while(world: World, action: Callable[[], None]) -> None:
    """Read the folder while something happens to a file after it was listed."""
    # Enough files before it that the last one is still to be read.
    for number in range(40):
        world.put(f"0/{number:03d}.txt", f"{REPORT} {number}")
    with meddling(is_listed(world), [action]) as errors:
        world.read()
    assert errors == []


def of(world: World, *names: str) -> list[str]:
    statuses = world.statuses()
    return [statuses[name] for name in names]


@pytest.mark.parametrize("later", [REPORT, REPORT + "后来"], ids=["the same bytes", "other bytes"])
def test_a_file_that_went_away_is_failed_and_read_when_it_is_back(world: World, later: str):
    world.put(NAME, REPORT)
    read_while(world, (world.reports / NAME).unlink)
    assert of(world, NAME) == ["failed"]
    world.put(NAME, later)
    assert world.read().read == 1
    assert of(world, NAME) == ["ok"]


@pytest.mark.parametrize("later", [REPORT, REPORT + "后来"], ids=["the first bytes", "the later bytes"])
def test_a_file_that_changed_is_failed_and_read_the_next_time(world: World, later: str):
    world.put(NAME, REPORT)
    read_while(world, lambda: world.put(NAME, REPORT + "后来"))
    assert of(world, NAME) == ["failed"]
    world.put(NAME, later)
    assert world.read().read == 1
    assert of(world, NAME) == ["ok"]


def test_a_copy_is_read_where_the_first_file_of_the_same_bytes_went_away(world: World):
    copy = "000001_2020_b.txt"
    world.put(NAME, REPORT)
    world.put(copy, REPORT)
    read_while(world, (world.reports / NAME).unlink)
    assert of(world, NAME, copy) == ["failed", "ok"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes in folders")
def test_reading_never_waits_for_a_pipe(tmp_path: Path):
    os.mkfifo(tmp_path / "a.txt")
    result = read_file(str(tmp_path / "a.txt"), "0" * 64, "pdfium", "rjieba")
    assert (result.is_lost, result.reading["reason"]) == (True, "cannot be opened: is a pipe or device, not a file")


def test_a_document_of_other_bytes_than_listed_is_lost_and_gives_nothing(tmp_path: Path):
    (tmp_path / "a.txt").write_text(REPORT, encoding="utf-8")
    result = read_file(str(tmp_path / "a.txt"), hashlib.sha256(b"other").hexdigest(), "pdfium", "rjieba")
    assert result.is_lost
    assert (result.text, result.pages) == (None, ())


def test_control_characters_of_a_text_stand_in_no_evidence(tmp_path: Path):
    text = "平安银行股份有限公司\n2020\x0f年年度报告\n\x1b[2J股票代码：000001\x1f\n" + REPORT
    (tmp_path / "a.txt").write_text(text, encoding="utf-8")
    result = read_file(str(tmp_path / "a.txt"), hashlib.sha256(text.encode("utf-8")).hexdigest(), "pdfium", "rjieba")
    assert result.text is not None
    assert result.text["report_year"] == 2020
    assert "\x0f" in result.pages[0].text
    assert not [value for value in result.text.values() if re.search("[\x00-\x1f]", str(value))]


def test_more_hits_than_are_written_at_once_are_all_counted(world: World):
    times = 2 * HITS_AT_ONCE + 17
    sentences = [f"公司在第{number * 7919}号项目中推进大数据建设。" for number in range(times)]
    world.put("000001_2020年年度报告.txt", text_report() + "\n".join(sentences))
    world.put("000002_2020年年度报告.txt", text_report(大数据=5))
    world.read()
    world.measure()
    world.export()
    assert world.counts(COUNT) == {("000001", 2020): times, ("000002", 2020): 5}
    assert len(world.table("hits")) == times + 5
