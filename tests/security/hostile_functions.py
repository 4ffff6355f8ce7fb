"""What a worker does that a hostile file has taken over; the pool's workers import it by name."""

import contextlib
import ctypes
import gc
import os
import pickle
import resource
import socket
import struct
import subprocess
import threading
import time
from multiprocessing.connection import Connection
from pathlib import Path

from flows.confine import answers, worker


def double(number: int) -> int:
    return 2 * number


def _tried(action) -> str:
    try:
        return f"did it: {action()}"
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        return type(error).__name__


def reach_the_network(address: str, port: int) -> dict[str, str]:
    """Try every way out that needs no privilege: TCP, UDP, a name, a local socket, a raw system call."""

    def raw_call() -> int:
        call = ctypes.CDLL(None, use_errno=True).socket
        handle = call(socket.AF_INET, socket.SOCK_STREAM, 0)
        if handle < 0:
            raise OSError(ctypes.get_errno(), "refused")
        return handle

    return {
        "tcp": _tried(lambda: socket.create_connection((address, port), 2)),
        "udp": _tried(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"secret", (address, port))),
        "name": _tried(lambda: socket.getaddrinfo("example.org", 80)),
        "local": _tried(lambda: socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)),
        "raw": _tried(raw_call),
    }


def write_to(places: list[str]) -> list[str]:
    """Return the places that could be written."""
    written = []
    for place in places:
        with contextlib.suppress(OSError):
            Path(place).write_text("was here", encoding="utf-8")
            written.append(place)
    return written


def write_much(place: str, megabytes: int) -> int:
    """Return the bytes that went into a file before the system refused, and remove it."""
    handle = os.open(place, os.O_CREAT | os.O_WRONLY)
    with contextlib.suppress(OSError):
        for _ in range(megabytes):
            os.write(handle, bytes(1 << 20))
    written = os.fstat(handle).st_size
    os.close(handle)
    Path(place).unlink()
    return written


def read_from(places: list[str]) -> dict[str, str]:
    found = {}
    for place in places:
        with contextlib.suppress(OSError):
            path = Path(place)
            found[place] = " ".join(_names(place)) if path.is_dir() else path.read_text("utf-8", "replace")
    return found


def look_around() -> dict[str, list[str]]:
    """Return the processes, variables and top folders in sight, and the open handles."""
    processes = [name for name in _names("/proc") if name.isdigit()]
    handles = [path for path in Path("/proc/self/fd").iterdir() if path.is_symlink()]
    return {
        "processes": processes,
        "commands": [Path("/proc", name, "cmdline").read_text("utf-8", "replace") for name in processes],
        "variables": sorted(os.environ) + Path("/proc/self/environ").read_text("utf-8", "replace").split("\0"),
        "folders": _names("/"),
        "handles": [str(path.readlink()) for path in handles if path.is_symlink()],
    }


def _names(folder: str) -> list[str]:
    return sorted(path.name for path in Path(folder).iterdir())


def start_others() -> dict[str, str]:
    return {
        "program": _tried(lambda: subprocess.run(["/bin/echo", "hello"], check=True)),
        "shell": _tried(lambda: os.execv("/bin/sh", ["sh", "-c", "true"])),
        "fork": _tried(os.fork),
        "namespace": _tried(lambda: _unshare(0x10000000)),
        "attach": _tried(lambda: _raise_unless_zero(ctypes.CDLL(None, use_errno=True).ptrace(16, os.getppid(), 0, 0))),
    }


def _unshare(flags: int) -> int:
    return _raise_unless_zero(ctypes.CDLL(None, use_errno=True).unshare(flags))


def _raise_unless_zero(value: int) -> int:
    if value:
        raise OSError(ctypes.get_errno(), "refused")
    return value


def use_threads(count: int) -> int:
    """Return how many threads ran: libraries need them, so that the filter must not refuse them."""
    done = []
    threads = [threading.Thread(target=done.append, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(done)


def limits() -> dict[str, tuple[int, int]]:
    names = ("RLIMIT_CORE", "RLIMIT_FSIZE", "RLIMIT_NOFILE", "RLIMIT_DATA", "RLIMIT_CPU")
    return {name: resource.getrlimit(getattr(resource, name)) for name in names}


def privileges() -> dict[str, str]:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def spin(seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


def take_memory(megabytes: int) -> int:
    held = []
    for _ in range(megabytes // 10):
        held.append(b"x" * (10 << 20))
        time.sleep(0.01)
    return len(held)


def segfault() -> None:
    ctypes.string_at(0)


def leave(code: int) -> None:
    os._exit(code)


class Payload:
    """Runs a command where it is unpickled."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


def answer_with_code(command: str) -> None:
    """Answer this call with a pickle that runs a command in the parent."""
    _answer_with(pickle.dumps(("done", Payload(command), "")))


def answer_with_class_change() -> None:
    """Answer with a pickle that sets an attribute of a class of the parent."""
    state = pickle.dumps((None, {"is_lost": True}))
    body = b"cflows.work_files\nFileResult\n" + state[2:-1] + b"b."
    _answer_with(body)


def answer_with_repetition() -> None:
    """Answer with a few bytes that stand for more values than the memory holds."""
    value: list = ["x"]
    for _ in range(40):
        value = [value, value]
    _answer_with(pickle.dumps(("done", value, "")))


def answer_with_loop() -> None:
    value: list = []
    value.append(value)
    _answer_with(pickle.dumps(("done", value, "")))


def answer_with_bytes(data: bytes) -> None:
    _answer_with(data)


def answer_as(name: str, *fields: object) -> None:
    """Answer with a registered class whose fields are of any kind."""
    _answer_with(pickle.dumps(("done", (answers.MARK, name, *fields), "")))


def _answer_with(data: bytes) -> None:
    # The next answer alone is the hostile one.
    honest = worker.answers.dump

    def dump(value: object) -> bytes:
        worker.answers.dump = honest
        return data

    worker.answers.dump = dump


def _pipe() -> Connection:
    return next(each for each in gc.get_objects() if isinstance(each, Connection) and not each.closed)


def stall_within_an_answer() -> None:
    """Announce an answer, send a part of it, and send no more."""
    os.write(_pipe().fileno(), struct.pack("!i", 1000) + b"half")
    time.sleep(600)


def announce_much() -> None:
    """Announce an answer of a hundred gigabytes."""
    os.write(_pipe().fileno(), struct.pack("!i", -1) + struct.pack("!Q", 100 << 30) + b"x")
    time.sleep(600)


def another_file(content: object, suffix: str, document_id: str, *_: object) -> object:
    from flows.work_files import FileResult

    return FileResult({"document_id": "f" * 64, "status": "ok", "reason": ""})
