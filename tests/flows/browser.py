"""A headless Chromium that tests drive by the DevTools protocol; no driver program, one small websocket."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chromium-headless-shell", "chrome")
OPTIONS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--no-first-run",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


def find_chromium() -> str | None:
    """Return the path of a Chromium: SHUZHI_CHROMIUM, or one on PATH."""
    named = os.environ.get("SHUZHI_CHROMIUM", "")
    return named or next((found for name in NAMES if (found := shutil.which(name))), None)


class Browser:
    """One page of a Chromium of its own."""

    def __init__(self, program: str, width: int = 1440, height: int = 900) -> None:
        self._home = tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True)
        profile = Path(self._home.name)
        command = [program, *OPTIONS, f"--window-size={width},{height}", f"--user-data-dir={profile}", "about:blank"]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        port = self._port(profile)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=20) as answer:
            target = next(each for each in json.load(answer) if each["type"] == "page")
        self._socket: ClientConnection = connect(target["webSocketDebuggerUrl"], max_size=None)
        self._number = 0
        self.problems: list[str] = []
        self.call("Runtime.enable")
        self.call("Log.enable")
        self.call("Page.enable")

    def _port(self, profile: Path) -> int:
        for _ in range(300):
            try:
                return int((profile / "DevToolsActivePort").read_text().splitlines()[0])
            except (OSError, IndexError, ValueError):
                if self._process.poll() is not None:
                    raise RuntimeError(f"chromium ended with {self._process.returncode}") from None
                time.sleep(0.1)
        raise RuntimeError("chromium did not start within 30 seconds")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send one command and return its result; what the page logs meanwhile is kept in ``problems``."""
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv(timeout=60))
            if message.get("id") == self._number:
                assert "error" not in message, message["error"]
                return dict(message["result"])
            if message.get("method") == "Runtime.exceptionThrown":
                self.problems.append(json.dumps(message["params"]["exceptionDetails"], ensure_ascii=False))
            if message.get("method") == "Log.entryAdded" and message["params"]["entry"]["level"] == "error":
                self.problems.append(message["params"]["entry"]["text"])

    def run(self, script: str) -> Any:
        """Evaluate an expression in the page and return its value; a promise is awaited."""
        result = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def open(self, path: Path, fragment: str = "") -> None:
        """Open a page and wait until it is ready."""
        self.call("Page.navigate", url="about:blank")
        self.call("Page.navigate", url=path.resolve().as_uri() + fragment)
        self.wait("document.body && document.body.dataset.readyMilliseconds")

    def visit(self, url: str, condition: str, seconds: float = 60) -> None:
        """Open a page of a local server and wait until an expression is true in it."""
        self.call("Page.navigate", url="about:blank")
        self.call("Page.navigate", url=url)
        self.wait(condition, seconds)

    def wait(self, condition: str, seconds: float = 20) -> None:
        """Wait until an expression is true."""
        deadline = time.monotonic() + seconds
        while not self.run(f"Boolean({condition})"):
            assert time.monotonic() < deadline, f"not true within {seconds} s: {condition}; {self.problems}"
            time.sleep(0.02)

    def press(self, key: str, text: str = "") -> None:
        """Press a key where the focus is."""
        down = {"key": key, "code": key} | ({"text": text} if text else {})
        self.call("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", **down)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, code=key)

    def picture(self, path: Path) -> None:
        """Write what is seen as a PNG."""
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))

    def close(self) -> None:
        """End this Chromium."""
        self._socket.close()
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._home.cleanup()
