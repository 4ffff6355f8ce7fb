"""The box around a worker: bubblewrap with namespaces of its own, and nothing in sight but what Python needs."""

from __future__ import annotations

import importlib.util
import re
import shutil
import site
import subprocess
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

PROGRAM = "bwrap"
SCRATCH = "/tmp"
SCRATCH_BYTES = 64 << 20
PROBE_SECONDS = 20
# What the dynamic linker, fonts and the clock need; nothing of /etc that tells of users or passwords.
SYSTEM = ("/usr", "/lib", "/lib32", "/lib64", "/bin", "/nix/store", "/gnu/store")
SYSTEM_FILES = ("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/localtime", "/etc/fonts")
PROCESSORS = "/sys/devices/system/cpu"
OWN_MODULES = ("shuzhi", "flows", "nlp", "dictionaries")
PACKAGE_FOLDERS = ("site-packages", "dist-packages")


def command(program: Sequence[str], size: bool = True, no_further_boxes: bool = True) -> list[str]:
    """Return the command that runs a program in the box.

    Parameters
    ----------
    program : sequence of str
        The program and its arguments.
    size, no_further_boxes : bool
        Whether this bubblewrap can limit the scratch folder, and forbid namespaces inside.
    """
    words = [_program(), "--unshare-user", "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]
    words += ["--disable-userns"] if no_further_boxes else []
    words += ["--hostname", "worker", "--proc", "/proc", "--dev", "/dev", "--remount-ro", "/dev"]
    words += [*(["--size", str(SCRATCH_BYTES)] if size else []), "--tmpfs", SCRATCH]
    for place in (*SYSTEM, *SYSTEM_FILES, PROCESSORS):
        words += ["--ro-bind-try", place, place]
    for place in seen():
        words += ["--ro-bind", place, place]
    return [*words, "--remount-ro", "/", "--chdir", SCRATCH, "--", *program]


def boxed(program: Sequence[str]) -> list[str]:
    """Return the command that runs a program in the box, with the options that this bubblewrap knows."""
    version = _version()
    return command(program, size=version >= (0, 7), no_further_boxes=version >= (0, 8))


def _program() -> str:
    return shutil.which(PROGRAM) or PROGRAM


@cache
def _version() -> tuple[int, ...]:
    try:
        done = subprocess.run(
            [_program(), "--version"], capture_output=True, text=True, timeout=PROBE_SECONDS, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return (0,)
    return tuple(int(number) for number in re.findall(r"\d+", done.stdout)[:2])


@cache
def trouble() -> str:
    """Return why bubblewrap does not work here; empty where it does, which is tried once."""
    if not sys.platform.startswith("linux"):
        return "bubblewrap is a program of Linux"
    if shutil.which(PROGRAM) is None:
        return "bubblewrap is not installed (Debian, Ubuntu: apt install bubblewrap)"
    try:
        tried = subprocess.run(
            boxed([sys.executable, "-P", "-S", "-c", "import sys"]),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PROBE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError) as error:
        return f"bubblewrap does not start ({error})"
    if tried.returncode:
        lines = tried.stderr.strip().splitlines() or [f"exit code {tried.returncode}"]
        return f"bubblewrap may not make a box here ({lines[-1]}); see SECURITY.md on user namespaces"
    return ""


def seen() -> list[str]:
    """Return the places beside the system's own that a worker sees: Python, installed packages, this software's code.

    Of folders that are no place for packages only the modules that are imported are seen, not what lies beside them.
    """
    wanted = [Path(place) for place in dict.fromkeys((sys.prefix, sys.exec_prefix, sys.base_prefix))]
    wanted += [Path(sys.executable).parent]
    packages = [*sys.path, *([site.getusersitepackages()] if site.ENABLE_USER_SITE else [])]
    wanted += [Path(place) for place in packages if Path(place).name in PACKAGE_FOLDERS]
    wanted += [*_own_code(), *_imported_code()]
    found = [Path(place) for place in SYSTEM]
    for known in wanted:
        # A virtual environment's Python is a link to another folder, and both names are used.
        for place in (known.absolute(), known.resolve()):
            is_known = any(place.is_relative_to(above) for above in found)
            if not is_known and place.exists() and not _holds_homes(place):
                found.append(place)
    return [str(place) for place in found[len(SYSTEM) :]]


def _holds_homes(place: Path) -> bool:
    """Tell whether a place is the home folder, or a folder above it."""
    return Path.home().is_relative_to(place)


def _own_code() -> Iterator[Path]:
    for name in OWN_MODULES:
        found = importlib.util.find_spec(name)
        if found is not None and found.submodule_search_locations:
            yield from map(Path, found.submodule_search_locations)
        elif found is not None and found.origin:
            yield Path(found.origin)


def _imported_code() -> Iterator[Path]:
    """Yield the modules that the parent has imported: a function that a worker runs is in one of them."""
    for name, module in list(sys.modules.items()):
        if "." in name or name in ("__main__", "__mp_main__"):
            continue
        folders = getattr(module, "__path__", None)
        if folders is not None:
            yield from (Path(folder) for folder in list(folders))
        elif isinstance(getattr(module, "__file__", None), str):
            yield Path(str(module.__file__))
