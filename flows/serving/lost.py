"""Runs whose process is gone: the server believes that they run, and their deployments wait for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psutil

from flows.serving.process import is_flow_run

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.objects import FlowRun

LOST = "Its process ended with the worker; start it again, it goes on where it was"


def close_lost_runs(client: SyncPrefectClient, pools: tuple[str, ...], own_workers: tuple[str, ...]) -> list[str]:
    """Mark the runs of work pools as crashed whose process is gone, while no worker of ours is running.

    Where another worker serves a pool too, perhaps on another machine, its runs cannot be told from ours and stay.

    Parameters
    ----------
    client : SyncPrefectClient
        A client of the server.
    pools : tuple of str
        Names of work pools.
    own_workers : tuple of str
        Names of the workers that are known to have stopped.

    Returns
    -------
    list of str
        Names of the runs that were marked.
    """
    from prefect.states import Cancelled, Crashed

    closed = []
    for pool in pools:
        if _other_workers(client, pool, own_workers):
            continue
        for run in _unfinished(client, pool):
            if not _has_process(run):
                is_cancelling = run.state is not None and run.state.is_cancelling()
                state: Any = Cancelled() if is_cancelling else Crashed(message=LOST)
                client.set_flow_run_state(run.id, state, force=True)
                closed.append(run.name)
    return closed


def _other_workers(client: SyncPrefectClient, pool: str, own_workers: tuple[str, ...]) -> list[str]:
    workers = client.read_workers_for_work_pool(pool)
    return [each.name for each in workers if each.status == "ONLINE" and each.name not in own_workers]


def _unfinished(client: SyncPrefectClient, pool: str) -> list[FlowRun]:
    from prefect.client.schemas.filters import (
        FlowRunFilter,
        FlowRunFilterState,
        FlowRunFilterStateType,
        WorkPoolFilter,
        WorkPoolFilterName,
    )
    from prefect.client.schemas.objects import StateType

    unfinished = FlowRunFilterStateType(any_=[StateType.RUNNING, StateType.PENDING, StateType.CANCELLING])
    return client.read_flow_runs(
        flow_run_filter=FlowRunFilter(state=FlowRunFilterState(type=unfinished)),
        work_pool_filter=WorkPoolFilter(name=WorkPoolFilterName(any_=[pool])),
    )


def _has_process(run: FlowRun) -> bool:
    number = (run.infrastructure_pid or "").rpartition(":")[2]
    try:
        return bool(number) and is_flow_run(psutil.Process(int(number)))
    except (psutil.Error, ValueError):
        return False
