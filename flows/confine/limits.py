"""What holds in every worker, boxed or not: limits of the system, no further privileges, no credentials."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from collections.abc import Mapping
from pathlib import Path

MEGABYTE = 1024 * 1024
# The system's own limit is a second net, for allocations that outrun the watch.
SYSTEM_LIMIT_SLACK_MEGABYTES = 1024
LARGEST_FILE_BYTES = 64 << 20
MOST_OPEN_FILES = 256
SLACK_PROCESSOR_SECONDS = 60
NO_NEW_PRIVILEGES = 38  # of prctl
# Everything else may be a credential.
KEPT_VARIABLES = (
    "LANG",
    "LANGUAGE",
    "LC_ALL",
    "LC_CTYPE",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "PATH",
    "PATHEXT",
    "SYSTEMROOT",
    "WINDIR",
    "TZ",
    "TZDIR",
    "PYTHONHASHSEED",
    "PYTHONUTF8",
    "PYTHONWARNINGS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "ARROW_DEFAULT_MEMORY_POOL",
    "MALLOC_ARENA_MAX",
)
TEMPORARY_FOLDERS = ("TMPDIR", "TEMP", "TMP", "HOME", "USERPROFILE")


def environment(given: Mapping[str, str], scratch: str = "") -> dict[str, str]:
    """Return the variables that a worker gets: those that name no credential, and its scratch folder as home.

    Parameters
    ----------
    given : mapping of str to str
        The parent's.
    scratch : str
        The scratch folder; empty leaves home and temporary folders as they are.
    """
    kept = {name: value for name, value in given.items() if name.upper() in KEPT_VARIABLES}
    own = {"HOME": scratch, "TMPDIR": scratch} if scratch else {}
    passed = {} if scratch else {name: given[name] for name in TEMPORARY_FOLDERS if name in given}
    return {**kept, **passed, **own, "PYTHONDONTWRITEBYTECODE": "1"}


def forget_credentials() -> None:
    """Take out of this process's environment what :func:`environment` would not have passed on."""
    kept = environment(os.environ)
    for name in set(os.environ) - set(kept):
        del os.environ[name]


def limit_process(memory_megabytes: int) -> None:
    """Set the system's limits where there are some; Windows relies on the watch alone.

    Parameters
    ----------
    memory_megabytes : int
        Memory that calls may use.
    """
    if sys.platform == "win32":
        return
    import resource

    limits = [
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, LARGEST_FILE_BYTES),
        (resource.RLIMIT_NOFILE, MOST_OPEN_FILES),
    ]
    if sys.platform == "linux":
        memory = (memory_megabytes + SYSTEM_LIMIT_SLACK_MEGABYTES) * MEGABYTE
        limits.append((resource.RLIMIT_DATA, _reserved() + memory))
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None, use_errno=True).prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    for name, value in limits:
        _, hardest = resource.getrlimit(name)
        least = value if hardest == resource.RLIM_INFINITY else min(value, hardest)
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(name, (least, least))


def _reserved() -> int:
    """Return the bytes that libraries have reserved and not used, which are no memory."""
    import resource

    _, resident, *_, data, _ = map(int, Path("/proc/self/statm").read_text(encoding="ascii").split())
    return max(0, data - resident) * resource.getpagesize()


def limit_processor(seconds: float) -> None:
    """Let the system end this process when it has used far more processor time than the next call may take."""
    if sys.platform == "win32":
        return
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF)
    allowed = int(used.ru_utime + used.ru_stime + seconds * (os.cpu_count() or 1)) + SLACK_PROCESSOR_SECONDS
    _, hardest = resource.getrlimit(resource.RLIMIT_CPU)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CPU, (allowed, hardest))
