"""Batches: never more task runs than Prefect bears, and enough of them at once that all workers have work."""

import pytest

from flows.batches import MOST_TASK_RUNS, batches, batches_at_once


@pytest.mark.parametrize(
    ("items", "size", "expected"), [(0, 100, []), (250, 100, [100, 100, 50]), (5, 1, [1, 1, 1, 1, 1])]
)
def test_items_are_cut_in_order(items: int, size: int, expected: list[int]):
    cut = batches(range(items), size)
    assert [len(batch) for batch in cut] == expected
    assert [item for batch in cut for item in batch] == list(range(items))


@pytest.mark.parametrize("items", [100_001, 400_000, 10_000_000])
def test_a_large_corpus_has_larger_batches_and_not_more_task_runs(items: int):
    cut = batches(range(items), 100)
    assert len(cut) <= MOST_TASK_RUNS
    assert sum(map(len, cut)) == items


@pytest.mark.parametrize(
    # Two calls for each worker, and a batch more that is being written.
    ("calls", "size", "expected"),
    [(1, 100, 2), (2, 100, 2), (64, 100, 3), (256, 100, 7), (2, 1, 5)],
)
def test_enough_batches_are_read_at_once_for_all_workers(calls: int, size: int, expected: int):
    assert batches_at_once(calls, size) == expected
    assert (expected - 1) * size >= 2 * calls
