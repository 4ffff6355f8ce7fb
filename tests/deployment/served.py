"""A ``shuzhi serve`` of the tests' own, its API, and a place that is told when a run fails."""

import contextlib
import http.server
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parents[2]
READY = "Ctrl-C stops everything."
# Nobody listens there: whoever asks a proxy for addresses of this machine fails.
NO_PROXY_THERE = "http://127.0.0.1:9"
START_SECONDS = 400
RUN_SECONDS = 600


def free_port() -> int:
    with socket.socket() as any_port:
        any_port.bind(("127.0.0.1", 0))
        return int(any_port.getsockname()[1])


def command() -> list[str]:
    found = shutil.which("shuzhi", path=str(Path(sys.executable).parent))
    return [found] if found else [sys.executable, "-m", "flows.cli"]


def environment(**more: str) -> dict[str, str]:
    """Return an environment without the user's Prefect, with a proxy that answers nothing."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "SHUZHI_"))}
    proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), NO_PROXY_THERE)
    return kept | proxies | {"DO_NOT_TRACK": "1", "PREFECT_WORKER_QUERY_SECONDS": "1", "COLUMNS": "500"} | more


def wait_for(what: Callable[[], Any], seconds: float, every: float = 0.2) -> Any:
    """Wait until a call returns something true, and return it."""
    deadline = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < deadline, f"not within {seconds} seconds"
        time.sleep(every)
    return found


def _answer(request: urllib.request.Request) -> Any:
    """Send a request past all proxies; a server that is busy is asked again, as Prefect's own clients do."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    for wait in (1, 2, 4, 8, 16, 0):
        try:
            with opener.open(request, timeout=60) as answer:
                text = answer.read()
            return json.loads(text) if text else None
        except urllib.error.HTTPError as error:
            if error.code != 503 or not wait:
                raise
            time.sleep(wait)
    raise AssertionError("never asked")


class Receiver:
    """A web address that keeps what it is sent."""

    def __init__(self) -> None:
        received: list[dict[str, Any]] = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                received.append({"type": self.headers["Content-Type"], **json.loads(body)})
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.received = received
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/told?key=a-secret"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Served:
    """A ``shuzhi serve``: started, asked by its API, and stopped."""

    def __init__(self, folder: Path, project: Path = ROOT) -> None:
        self.folder = folder
        self.project = project
        self.home = folder / "prefect"
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.log = folder / "serve.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *arguments: str) -> str:
        """Start it, and return what it says until it is ready."""
        options = ["--project", self.project, "--home", self.home, "--port", self.port, *arguments]
        before = len(self.said())
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*command(), "serve", *map(str, options)], env=environment(), stdout=log, stderr=log
            )
        wait_for(lambda: READY in self.said()[before:] or self._process.poll() is not None, START_SECONDS)
        assert self._process.poll() is None, self.said()[before:]
        return self.said()[before:]

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8") if self.log.exists() else ""

    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def processes(self) -> list[psutil.Process]:
        return psutil.Process(self.pid()).children(recursive=True)

    def worker(self) -> psutil.Process:
        """Return the worker; wait while it is started again."""

        def find() -> psutil.Process | None:
            for each in self.processes():
                with contextlib.suppress(psutil.Error):
                    if "worker" in each.cmdline():
                        return each
            return None

        return wait_for(find, 60)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Stop it and return its exit code; nothing that it started may be left."""
        if self._process is None:
            return 0
        left = self.processes() if self._process.poll() is None else []
        self._process.send_signal(number)
        code = self._process.wait(120)
        self._process = None
        assert [each for each in left if each.is_running() and each.status() != psutil.STATUS_ZOMBIE] == []
        return code

    def ask(self, path: str, body: Any = None, method: str = "") -> Any:
        """Ask the API as a browser of the dashboard does, with a token against forged requests."""
        headers = {"Content-Type": "application/json", "Prefect-Csrf-Client": "tests"}
        if body is not None or method:
            headers["Prefect-Csrf-Token"] = self.ask("/csrf-token?client=tests")["token"]
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.address}/api{path}", data, headers, method=method or None)
        return _answer(request)

    def refusal(self, path: str, body: Any) -> tuple[int, str]:
        """Return the status and text with which the API refuses."""
        try:
            answer = self.ask(path, body)
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        raise AssertionError(f"accepted: {answer}")

    def deployments(self) -> dict[str, dict[str, Any]]:
        return {each["name"]: each for each in self.ask("/deployments/filter", {})}

    def trigger(self, deployment: str, **parameters: Any) -> str:
        """Start a run of a deployment and return its id."""
        number = self.deployments()[deployment]["id"]
        created = self.ask(f"/deployments/{number}/create_flow_run", {"parameters": {"parameters": parameters}})
        return str(created["id"])

    def run(self, number: str) -> dict[str, Any]:
        return dict(self.ask(f"/flow_runs/{number}"))

    def is_reading(self, number: str) -> bool:
        """Return whether a run has come as far as to read: its first stage has begun, which its first task run says."""
        assert self.run(number)["state"]["type"] in ("SCHEDULED", "PENDING", "RUNNING")
        return bool(self.ask("/task_runs/filter", {"flow_runs": {"id": {"any_": [number]}}}))

    def end(self, number: str) -> dict[str, Any]:
        """Wait until a run has ended, and return it."""

        def ended() -> dict[str, Any] | None:
            run = self.run(number)
            return run if run["state"]["type"] in ("COMPLETED", "FAILED", "CRASHED", "CANCELLED") else None

        return dict(wait_for(ended, RUN_SECONDS))

    def artifacts(self, number: str) -> dict[str, dict[str, Any]]:
        """Return the artifacts of a run and of its stages, by key."""
        runs = [number]
        tasks = self.ask("/task_runs/filter", {"flow_runs": {"id": {"any_": [number]}}})
        ids = [each["id"] for each in tasks]
        if ids:
            below = self.ask("/flow_runs/filter", {"flow_runs": {"parent_task_run_id": {"any_": ids}}})
            runs += [each["id"] for each in below]
        found = self.ask("/artifacts/filter", {"artifacts": {"flow_run_id": {"any_": runs}}})
        return {each["key"]: each for each in found}

    def prefect(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run Prefect's command line against it."""
        where = {"PREFECT_API_URL": f"{self.address}/api", "PREFECT_HOME": str(self.folder / "client")}
        return subprocess.run(
            [sys.executable, "-m", "prefect", *arguments],
            env=environment(NO_PROXY="127.0.0.1", no_proxy="127.0.0.1", **where),
            capture_output=True,
            encoding="utf-8",
            timeout=200,
            check=False,
        )
