"""What ``shuzhi serve`` can be told, and the addresses and folders that follow from it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from flows.settings import Parameters

NotifyFormat = Literal["json", "dingtalk", "feishu", "slack", "wecom"]
# A host that means every address of this machine cannot be called; this machine calls itself here.
EVERY_ADDRESS = ("0.0.0.0", "::", "")
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class ServeParameters(Parameters):
    """Run a Prefect server and a worker with the deployments of a ``prefect.yaml``."""

    given_as_secrets: ClassVar[frozenset[str]] = frozenset({"notify_url", "server"})

    project: str = Field(".", description="Folder with prefect.yaml; the runs take place in it")
    host: str = Field("127.0.0.1", description="Address to listen at; 127.0.0.1 is reached from this machine only")
    port: int = Field(4200, ge=1, le=65535, description="Port of the dashboard and the API")
    home: str = Field("", description="Folder for Prefect's database and logs; empty takes PREFECT_HOME or ~/.prefect")
    server: str = Field(
        "", pattern=r"^(https?://\S+)?$", description="API of a Prefect server elsewhere; empty starts one here"
    )
    limit: int = Field(1, ge=1, le=64, description="Runs at a time; two runs on one store wait for each other anyway")
    notify_url: str = Field(
        "", pattern=r"^(https?://\S+)?$", description="Web address that is told when a run fails; empty changes nothing"
    )
    notify_format: NotifyFormat = Field("json", description="What the web address expects")

    def api_url(self) -> str:
        """Return the address of the API, as this machine calls it."""
        if self.server:
            return self.server.rstrip("/")
        return f"{self.dashboard_url()}/api"

    def dashboard_url(self) -> str:
        """Return the address of the dashboard, as this machine calls it."""
        if self.server:
            return self.server.rstrip("/").removesuffix("/api")
        host = "127.0.0.1" if self.host in EVERY_ADDRESS else self.host
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    def home_folder(self) -> Path:
        """Return the folder of Prefect's database and of the logs."""
        return Path(self.home or os.environ.get("PREFECT_HOME") or "~/.prefect").expanduser().resolve()
