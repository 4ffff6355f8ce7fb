"""One mutation of each kind through the whole job; ``make fuzz`` runs thousands."""

import os
import random
from pathlib import Path

import pandas as pd
import pytest

from tests.fuzz.bases import Bases, load_bases
from tests.fuzz.checks import Limits, Result, check_documents, check_second
from tests.fuzz.kinds import Kind, all_kinds
from tests.fuzz.places import IS_SUPPORTED, PLACES, Placed
from tests.fuzz.rounds import run_round
from tests.fuzz.watch import tree

pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("prefect"),
    pytest.mark.skipif(not IS_SUPPORTED, reason="the fuzzer makes pipes, links and names that only Linux takes"),
]

SEED = 7
LIMITS = Limits(seconds=8, megabytes=500)
KINDS = sorted({kind.name: kind for kind in all_kinds()}.values(), key=lambda kind: kind.name)


@pytest.fixture(scope="module")
def bases() -> Bases:
    return load_bases()


@pytest.fixture(scope="module")
def rounds(prefect: None, bases: Bases, tmp_path_factory: pytest.TempPathFactory) -> tuple[Result, Result]:
    """Run the readable neighbours alone, then beside one mutation of each kind."""
    keep = tmp_path_factory.mktemp("kept")
    numbered = list(enumerate(KINDS, start=1))
    return run_round(SEED, [], bases, LIMITS, keep), run_round(SEED, numbered, bases, LIMITS, keep)


def test_nothing_that_must_not_be_happens(rounds: tuple[Result, Result]):
    assert [fault for result in rounds for fault in result.faults] == []


def test_the_numbers_of_the_readable_neighbours_are_those_without_the_others(rounds: tuple[Result, Result]):
    alone, beside = rounds
    assert len(alone.neighbours) >= 2
    assert all("status ok;" in numbers for numbers in alone.neighbours.values())
    assert any(not numbers.endswith("; 0 hits e3b0c44298fc") for numbers in alone.neighbours.values())
    assert beside.neighbours == alone.neighbours


def test_the_mutations_end_in_different_ways(rounds: tuple[Result, Result]):
    statuses = {status for _, status in rounds[1].statuses}
    assert {"ok", "failed", "empty", "encrypted"} <= statuses
    assert sum(rounds[1].statuses.values()) >= len(KINDS) - 2  # a folder and a link to one have no row


def test_there_are_fifty_kinds():
    assert len(KINDS) > 50
    assert {kind.name for kind in KINDS if kind.make is None} == set(PLACES)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.make], ids=lambda kind: kind.name)
def test_a_mutation_is_that_of_its_seed(bases: Bases, kind: Kind):
    assert kind.make is not None
    first, second = (kind.make(random.Random("1-1"), bases) for _ in range(2))
    assert first == second
    assert first


# The checks themselves: each must find its fault.


def documents(*rows: tuple[str, str, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["file", "status", "reason"])


def faults_of(placed: Placed, frame: pd.DataFrame) -> list[str]:
    result = Result()
    check_documents([placed], frame, result)
    return [fault.what for fault in result.faults]


FILE = Path("x.pdf")


def test_a_sound_row_is_no_fault():
    assert faults_of(Placed(3, "kind", FILE), documents(("00003/x.pdf", "ok", ""), ("z00004/y.pdf", "ok", ""))) == []


@pytest.mark.parametrize(
    ("row", "found"),
    [
        (("00004/x.pdf", "ok", ""), "0 rows, not 1"),
        (("00003/x.pdf", "fine", "why"), "status 'fine' is none"),
        (("00003/x.pdf", "failed", ""), "failed without a reason"),
        (("00003/x.pdf", "failed", "E: a (work.py line 7)"), "an exception nobody foresaw: E: a (work.py line 7)"),
        (("00003/x\x1b.pdf", "ok", ""), r"control characters in '00003/x\x1b.pdf' or ''"),
    ],
    ids=["no row", "no status", "no reason", "exception", "control"],
)
def test_an_unsound_row_is_a_fault(row: tuple[str, str, str], found: str):
    assert faults_of(Placed(3, "kind", FILE), documents(row)) == [found]


def test_another_status_than_the_certain_one_is_a_fault_in_either_run():
    placed = Placed(3, "kind", FILE, expected={"x.pdf": "failed"}, expected_again={"x.pdf": "ok"})
    assert faults_of(placed, documents(("00003/x.pdf", "ok", ""))) == ["x.pdf is ('ok', ''), not failed"]
    result = Result()
    check_second([placed], documents(("00003/x.pdf", "failed", "gone")), result)
    assert [fault.what for fault in result.faults] == ["x.pdf is ('failed', 'gone'), not ok in the second run"]


def test_what_is_written_outside_is_seen(tmp_path: Path):
    (tmp_path / "out").mkdir()
    before = tree(tmp_path, but=("out",))
    (tmp_path / "out" / "fine.csv").touch()
    (tmp_path / "evil").touch()
    assert [os.fsdecode(path) for path in tree(tmp_path, but=("out",)) - before] == [str(tmp_path / "evil")]
