"""Work pools, deployments and schedules of a server; everything here may be done twice."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flows.serving.process import prefect_command
from flows.serving.project import Project
from shuzhi import RunError

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.responses import DeploymentResponse

DEPLOY_SECONDS = 180


@dataclass(frozen=True)
class Deployed:
    """A deployment as the dashboard shows it."""

    name: str
    description: str
    schedules: tuple[str, ...]
    is_scheduled: bool


def deploy(project: Project, client: SyncPrefectClient) -> list[Deployed]:
    """Create the work pools that are absent and register every deployment of a project.

    What was switched on or off in the dashboard stays so, although ``prefect deploy`` would reset it.

    Raises
    ------
    RunError
        If Prefect refuses a deployment.
    """
    for pool in project.pools:
        create_pool(client, pool)
    switches = _switches(_read(project, client))
    _run_deploy(project)
    deployments = _read(project, client)
    for deployment in deployments:
        for schedule in deployment.schedules:
            is_active = switches.get(_key(deployment, schedule), schedule.active)
            if is_active != schedule.active:
                client.update_deployment_schedule(deployment.id, schedule.id, active=is_active)
                schedule.active = is_active
    return [_deployed(each, client) for each in deployments]


def create_pool(client: SyncPrefectClient, name: str) -> None:
    """Create a work pool whose runs are processes, unless it is there."""
    from prefect.client.schemas.actions import WorkPoolCreate
    from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound

    try:
        pool = client.read_work_pool(name)
    except ObjectNotFound:
        try:
            client.create_work_pool(WorkPoolCreate(name=name, type="process"))
        except ObjectAlreadyExists:
            return
    else:
        if pool.type != "process":
            raise RunError(
                f"the work pool {name} is of type {pool.type}; name another one in prefect.yaml, or delete it"
            )


def _run_deploy(project: Project) -> None:
    done = subprocess.run(
        prefect_command("--no-prompt", "deploy", "--all"),
        cwd=project.folder,
        env={**os.environ, "NO_COLOR": "1", "COLUMNS": "1000"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=DEPLOY_SECONDS,
        check=False,
    )
    if done.returncode:
        said = [line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        raise RunError(f"prefect.yaml cannot be deployed: {said[-1] if said else f'exit code {done.returncode}'}")


def _read(project: Project, client: SyncPrefectClient) -> list[DeploymentResponse]:
    """Return the deployments of a project that the server knows, in the order of ``prefect.yaml``."""
    from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterName

    wanted = DeploymentFilter(name=DeploymentFilterName(any_=list(project.deployments)))
    found = [each for each in client.read_deployments(deployment_filter=wanted) if each.work_pool_name in project.pools]
    return sorted(found, key=lambda each: project.deployments.index(each.name))


def _key(deployment: DeploymentResponse, schedule: Any) -> tuple[str, str]:
    return str(deployment.id), schedule.schedule.model_dump_json()


def _switches(deployments: Sequence[DeploymentResponse]) -> dict[tuple[str, str], bool]:
    return {_key(each, schedule): schedule.active for each in deployments for schedule in each.schedules}


def _deployed(deployment: DeploymentResponse, client: SyncPrefectClient) -> Deployed:
    flow = client.read_flow(deployment.flow_id)
    return Deployed(
        name=f"{flow.name}/{deployment.name}",
        # A flow without a docstring is described by Prefect as "None".
        description=deployment.description if deployment.description not in (None, "None") else "",
        schedules=tuple(_schedule_text(each.schedule) for each in deployment.schedules),
        is_scheduled=any(each.active for each in deployment.schedules),
    )


def _schedule_text(schedule: Any) -> str:
    when = getattr(schedule, "cron", None) or getattr(schedule, "interval", None) or getattr(schedule, "rrule", "")
    return f"{when} {getattr(schedule, 'timezone', None) or ''}".strip()
