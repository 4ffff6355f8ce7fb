"""The environment of the server, the worker and the runs."""

from __future__ import annotations

import os
import socket

from flows.serving.options import LOOPBACK, ServeParameters
from shuzhi import UsageError

SERVE_MARK = "SHUZHI_SERVE"
# Prefect's own default is 10 seconds; asking the same machine more often costs nothing.
WORKER_QUERY_SECONDS = "3"


def serving_environment(parameters: ServeParameters, mark: str) -> dict[str, str]:
    """Return the variables that are set for every process that is started.

    Parameters
    ----------
    parameters : ServeParameters
        Where to listen and where the data lie.
    mark : str
        Tells the processes of this ``shuzhi serve`` from others.

    Returns
    -------
    dict of str to str
        Variables to add to those of this process.
    """
    api_url = parameters.api_url()
    given = {
        SERVE_MARK: mark,
        "PREFECT_HOME": str(parameters.home_folder()),
        "PREFECT_API_URL": api_url,
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PYTHONUNBUFFERED": "1",
        "PYTHONIOENCODING": "utf-8",
    }
    usual = {"PREFECT_WORKER_QUERY_SECONDS": WORKER_QUERY_SECONDS}
    if not parameters.server:
        given |= _server_variables(parameters)
        usual["PREFECT_SERVER_CORS_ALLOWED_ORIGINS"] = ",".join(_origins(parameters))
        # Without it any page that a browser of this machine visits could start programs here, by a plain POST.
        usual["PREFECT_SERVER_API_CSRF_PROTECTION_ENABLED"] = "true"
        if parameters.host not in LOOPBACK:
            # Browsers elsewhere ask the server that they have the dashboard from.
            usual["PREFECT_UI_API_URL"] = "/api"
    return given | {name: value for name, value in usual.items() if name not in os.environ}


def _server_variables(parameters: ServeParameters) -> dict[str, str]:
    """Return what only a server of our own needs."""
    # A proxy of the user's must not be asked for addresses of this machine.
    around = {name: ",".join(filter(None, [os.environ.get(name, ""), *LOOPBACK])) for name in ("NO_PROXY", "no_proxy")}
    password = os.environ.get("PREFECT_SERVER_API_AUTH_STRING", "")
    return around | ({"PREFECT_API_AUTH_STRING": password} if password else {})


def _origins(parameters: ServeParameters) -> list[str]:
    """Return the pages that may call the API: its own dashboard, and no page that a browser happens to visit."""
    hosts = [*LOOPBACK[:2], parameters.host]
    if parameters.host not in LOOPBACK:
        hosts.append(socket.gethostname())
    return [f"http://{host}:{parameters.port}" for host in dict.fromkeys(hosts) if host]


def check_exposure(parameters: ServeParameters) -> None:
    """Refuse to be reachable from other machines without a password.

    Raises
    ------
    UsageError
        If the host is not of this machine alone and no password is set.
    """
    is_open = not parameters.server and parameters.host not in LOOPBACK
    if is_open and not os.environ.get("PREFECT_SERVER_API_AUTH_STRING"):
        raise UsageError(
            f"--host {parameters.host}: whoever reaches a Prefect server can run programs on this machine; set"
            " PREFECT_SERVER_API_AUTH_STRING to 'user:password' first, or leave --host at 127.0.0.1"
        )
