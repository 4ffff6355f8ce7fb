"""The deployments that a ``prefect.yaml`` declares."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from shuzhi import UsageError

PROJECT_FILE = "prefect.yaml"


@dataclass(frozen=True)
class Project:
    """A folder with a ``prefect.yaml``."""

    folder: Path
    deployments: tuple[str, ...]
    pools: tuple[str, ...]


def load_project(folder: Path) -> Project:
    """Read which deployments and work pools a folder declares.

    Raises
    ------
    UsageError
        If there is no ``prefect.yaml``, or one that declares nothing that a worker could run.
    """
    path = folder / PROJECT_FILE
    if not path.is_file():
        raise UsageError(
            f"{path} does not exist: call shuzhi serve in the folder of shuzhi's source, or name it --project"
        )
    try:
        declared = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is no YAML: {' '.join(str(error).split())}") from None
    deployments = declared.get("deployments") if isinstance(declared, dict) else None
    if not isinstance(deployments, list) or not deployments:
        raise UsageError(f"{path} declares no deployments")
    pools = tuple(sorted({_pool(each, path) for each in deployments}))
    return Project(folder.resolve(), tuple(str(each.get("name")) for each in deployments), pools)


def _pool(deployment: Any, path: Path) -> str:
    pool = deployment.get("work_pool") if isinstance(deployment, dict) else None
    name = pool.get("name") if isinstance(pool, dict) else None
    if not isinstance(name, str) or not name:
        raise UsageError(f"{path}: a deployment names no work_pool, so that no worker would run it")
    return name
