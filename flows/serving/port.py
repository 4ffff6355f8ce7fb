"""Is the port free?"""

from __future__ import annotations

import errno
import json
import socket
import urllib.request

from flows.serving.options import ServeParameters
from shuzhi import UsageError

MOST_TRIED_PORTS = 50


def check_port(parameters: ServeParameters) -> None:
    """Refuse a port that is in use, and name one that is free.

    Raises
    ------
    UsageError
        If the server could not listen there.
    """
    problem = _problem(parameters.host, parameters.port)
    if problem is None:
        return
    if problem.errno not in (errno.EADDRINUSE, errno.EACCES):
        raise UsageError(f"cannot listen at {parameters.host}: {problem.strerror or problem}; leave --host out")
    why = "is in use" if problem.errno == errno.EADDRINUSE else "may not be used by this account"
    who = ", by a Prefect server" if is_prefect(parameters.api_url()) else ""
    free = free_port(parameters.host, parameters.port + 1)
    raise UsageError(
        f"port {parameters.port} at {parameters.host} {why}{who}; stop what runs there, or take another:"
        f" shuzhi serve --port {free}"
    )


def _problem(host: str, port: int) -> OSError | None:
    """Try to listen at an address; return why it does not work."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind(address)
    except OSError as error:
        return error
    return None


def free_port(host: str, first: int) -> int:
    """Return the next free port; where none is near, the system's choice."""
    near = range(first, min(first + MOST_TRIED_PORTS, 65536))
    found = next((port for port in near if _problem(host, port) is None), 0)
    if found:
        return found
    with socket.socket() as any_port:
        any_port.bind(("127.0.0.1", 0))
        return int(any_port.getsockname()[1])


def is_prefect(api_url: str, seconds: float = 2.0) -> bool:
    """Return whether a healthy Prefect server answers; proxies of the environment are not asked."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{api_url}/health", timeout=seconds) as answer:
            return json.load(answer) is True
    except (OSError, ValueError):
        return False
