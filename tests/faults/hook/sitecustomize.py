"""Loaded by every Python process of a command under test: kills it or refuses at one step of the file system.

``SHUZHI_FAULT`` says what happens: ``step`` (which one, from 1), ``action`` (``kill``, or the name of an error such
as ``ENOSPC``), ``mode`` (``write`` or ``read``), ``root`` (only files below it) and ``times`` (how many steps from
there on are refused). ``SHUZHI_COUNT`` names a file that the number of steps is written to at the end.
"""
# ruff: noqa: PTH100, PTH115, PTH119, PTH123

import atexit
import errno
import json
import os
import signal
import sys
import time
from typing import Any

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


class Fault:
    """Counts the steps of this process, and acts at the chosen one."""

    def __init__(self, given: dict[str, Any], count_file: str) -> None:
        self.step = int(given.get("step", 0))
        self.last = self.step + int(given.get("times", 1))
        self.action = str(given.get("action", ""))
        self.mode = str(given.get("mode", "write"))
        self.root = str(given.get("root", ""))
        self.seen = {"write": 0, "read": 0}
        self.count_file = count_file

    def note(self, path: Any, mode: str) -> None:
        """Count a step, and act if it is the one."""
        if not isinstance(path, (str, bytes)):
            return
        name = os.path.abspath(os.fsdecode(path))
        if not name.startswith(self.root) or name == self.count_file:
            return
        self.seen[mode] += 1
        if mode == self.mode and self.step <= self.seen[mode] < self.last:
            if self.action == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            elif self.action:
                number = getattr(errno, self.action)
                raise OSError(number, os.strerror(number), name)

    def hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Hear of what this process asks of the system."""
        if event == "open":
            is_writing = bool((arguments[2] or 0) & WRITING) or any(each in (arguments[1] or "") for each in "wax+")
            self.note(arguments[0], "write" if is_writing else "read")
        elif event in ("os.rename", "os.remove", "os.mkdir", "os.rmdir"):
            self.note(arguments[0], "write")

    def sync(self, fd: Any) -> None:
        """Stand in for os.fsync: a step of its own, between writing and renaming."""
        self.note(os.readlink(f"/proc/self/fd/{fd if isinstance(fd, int) else fd.fileno()}"), "write")
        FSYNC(fd)

    def say(self) -> None:
        """Write how many steps there were."""
        with open(self.count_file, "w", encoding="utf-8") as file:
            json.dump(self.seen, file)


def is_command() -> bool:
    """Tell whether this process is the command itself, and no worker and no server."""
    words = [os.path.basename(word) for word in sys.orig_argv[1:3]]
    return "shuzhi" in words or "flows.cli" in words


FSYNC = os.fsync
if is_command() and ("SHUZHI_FAULT" in os.environ or "SHUZHI_COUNT" in os.environ):
    fault = Fault(json.loads(os.environ.get("SHUZHI_FAULT", "{}")), os.environ.get("SHUZHI_COUNT", ""))
    os.fsync = fault.sync
    sys.addaudithook(fault.hook)
    if fault.count_file:
        atexit.register(fault.say)

if "SHUZHI_CLOCK" in os.environ and not os.environ.get("LD_PRELOAD"):
    # Seconds that the clock is off, and after how many seconds it begins to be.
    offset, delay = map(float, os.environ["SHUZHI_CLOCK"].split())
    now, now_nanoseconds, started = time.time, time.time_ns, time.monotonic()

    def shifted() -> float:
        """Return the time of a clock that is wrong."""
        return now() + (offset if time.monotonic() - started >= delay else 0.0)

    def shifted_nanoseconds() -> int:
        """Return the same in nanoseconds."""
        return now_nanoseconds() + (int(offset * 1e9) if time.monotonic() - started >= delay else 0)

    time.time, time.time_ns = shifted, shifted_nanoseconds
