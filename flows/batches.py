"""Work in batches: a Prefect task a batch, never more of them than Prefect bears, and a few at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from prefect import Task
from prefect.task_runners import ThreadPoolTaskRunner

# Prefect loses task runs where there are several thousands.
MOST_TASK_RUNS = 1000
Item = TypeVar("Item")


def batches(items: Sequence[Item], size: int) -> list[Sequence[Item]]:
    """Cut items into batches of a size, or larger ones where that would make over 1,000 task runs."""
    size = max(size, -(-len(items) // MOST_TASK_RUNS))
    return [items[start : start + size] for start in range(0, len(items), size)]


def batches_at_once(calls: int, batch_size: int) -> int:
    """Return how many batches keep workers busy while one is written; more would only hold more text in memory.

    Parameters
    ----------
    calls : int
        Calls that the workers run at once.
    batch_size : int
        Calls of a batch.
    """
    return 1 + -(-2 * calls // batch_size)


def run_batches(work: Task[..., Any], calls: Sequence[Mapping[str, Any]], at_once: int) -> list[Any]:
    """Run a task for each set of parameters, some at once in threads, and return their results in order."""
    with ThreadPoolTaskRunner[Any](max_workers=at_once) as runner:
        futures = [runner.submit(work, dict(call)) for call in calls]
        return [future.result() for future in futures]
