"""The worker's end: it takes calls from its pipe, one at a time, until the parent says stop or is gone."""

from __future__ import annotations

import os
import pickle
import signal
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from multiprocessing.connection import Connection
from typing import Any

from flows.confine import answers
from flows.confine.errand import FileToSend
from flows.confine.limits import forget_credentials, limit_process, limit_processor
from flows.confine.system_calls import refuse_calls

READY = "ready"
OUT_OF_MEMORY = "ran out of the memory that a worker may use"


@dataclass(frozen=True)
class Setup:
    """What a worker is told before its first call."""

    initializer: Callable[..., None] | None
    arguments: tuple[Any, ...]
    memory_megabytes: int


def main(pipe: int, life: int) -> None:
    """Serve calls from a pipe of the parent; leave when its other pipe ends, which it does with the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def end_with_parent() -> None:
        os.read(life, 1)
        os._exit(1)

    threading.Thread(target=end_with_parent, daemon=True).start()
    serve(Connection(pipe))


def main_of_multiprocessing(pipe: Connection) -> None:
    """Serve calls where only the standard library can hand a pipe over, which is on Windows."""
    import multiprocessing

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    forget_credentials()

    def end_with_parent() -> None:
        parent = multiprocessing.parent_process()
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=end_with_parent, daemon=True).start()
    serve(pipe)


def serve(pipe: Connection) -> None:
    """Set this process up, say so, and answer calls."""
    try:
        setup: Setup = pickle.loads(pipe.recv_bytes())
        if setup.initializer is not None:
            setup.initializer(*setup.arguments)
        limit_process(setup.memory_megabytes)
        refuse_calls()
    except Exception as error:
        pipe.send_bytes(answers.dump(f"{type(error).__name__}: {error}"))
        raise
    pipe.send_bytes(answers.dump(READY))
    while True:
        try:
            message = pipe.recv_bytes()
            if not message:
                return
            pipe.send_bytes(_answer(pipe, message))
        except (EOFError, OSError):
            return


def _answer(pipe: Connection, message: bytes) -> bytes:
    """Run one call and return its answer as bytes: kind of outcome, value, reason."""
    try:
        function, arguments, seconds = _unpacked(pipe, message)
        limit_processor(seconds)
        value = function(*arguments)
        del arguments
    except MemoryError:
        return answers.dump(("memory", None, OUT_OF_MEMORY))
    except Exception as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{os.path.basename(frame.filename)} line {frame.lineno}"  # noqa: PTH119
        return answers.dump(("error", None, f"{type(error).__name__}: {error} ({place})"))
    try:
        return answers.dump(("done", value, ""))
    except MemoryError:
        return answers.dump(("memory", None, OUT_OF_MEMORY))
    except Exception as error:
        return answers.dump(("error", None, f"the result cannot be sent: {error}"))


def _unpacked(pipe: Connection, message: bytes) -> tuple[Callable[..., Any], list[Any], float]:
    """Return function, arguments and seconds of a call, each file in its place."""
    waiting, packed = pickle.loads(message)
    files = [_received(pipe) for _ in range(waiting)]
    function, arguments, seconds = pickle.loads(packed)
    given = iter(files)
    return function, [next(given) if isinstance(each, FileToSend) else each for each in arguments], seconds


def _received(pipe: Connection) -> bytes | OSError:
    """Return the bytes of a file as they come in pieces, or why the parent could not read it."""
    content = BytesIO()
    while piece := pipe.recv_bytes():
        content.write(piece)
    trouble = pickle.loads(pipe.recv_bytes())
    return content.getvalue() if trouble is None else OSError(*trouble)
