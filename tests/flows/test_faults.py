"""A few injections of ``make faults``, and the checks themselves: each must find its fault."""

import random
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.bench import Bench, Ended, bench
from tests.faults.campaign import ALL, inject, plan
from tests.faults.case import Case, Kind
from tests.faults.checks import check_message, check_outputs
from tests.faults.damage import DAMAGED_TABLES

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the faults are injected as only Linux allows"),
]

SEED = 3
BY_NAME = {kind.name: kind for kind in ALL}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with bench(tmp_path_factory.mktemp("faults"), firms=3, years=(2020, 2021)) as made:
        yield made


@pytest.mark.parametrize("name", ["kill -9 of all workers", "two runs at once"])
def test_nothing_is_wrong_or_lost_after_a_fault(made: Bench, name: str):
    found = inject(made, BY_NAME[name], 1, SEED)
    assert found.losses == ()
    assert found.case.is_met


def test_a_loss_is_seen(made: Bench, tmp_path: Path):
    def spoil(_bench: Bench, place: Path, _rng: random.Random) -> Case:
        (place / "out" / "extra.csv").touch()
        (place / "store" / "hits" / "half.tmp").touch()
        ended = Ended(1, "", "Error: OSError: something", 0.0)
        return Case("spoiled", [(ended, (1,))], says="never said")

    losses = inject(made, Kind("spoiled", "export", True, spoil), 2, SEED).losses
    assert "no way out is named: Error: OSError: something" in losses
    assert "extra.csv should not be there" in losses
    assert any(loss.startswith("run again: nothing was said") for loss in losses)
    indices = made.folder / "case-00002" / "out" / "indices.csv"
    indices.write_bytes(indices.read_bytes().replace(b",0", b",1", 1))
    assert "indices.csv differs" in check_outputs(made, made.folder / "case-00002")


@pytest.mark.parametrize(
    ("ended", "found"),
    [
        (Ended(0, "", "", 1.0), []),
        (Ended(1, "", "Error: the disk is full; free some space", 1.0), []),
        (Ended(0, "", "Traceback (most recent call last):\nx", 1.0), ["a traceback: x"]),
        (Ended(3, "", "Error: run it again", 1.0), ["exit code 3, not 0 or 1: Error: run it again"]),
        (Ended(1, "", "give up again", 1.0), ["not one line: give up again"]),
    ],
    ids=["well", "a way out", "traceback", "code", "no error"],
)
def test_a_message_is_judged(ended: Ended, found: list[str]):
    assert check_message(ended, (0, 1)) == found


def test_a_campaign_meets_every_kind_once_before_any_twice():
    kinds = [kind.name for _, kind in plan(len(ALL))]
    assert len(set(kinds)) == len(ALL) > 90
    assert len({kind.group for _, kind in plan(8)}) == 8
    assert {name.split()[0] for name in kinds} >= set(DAMAGED_TABLES)
