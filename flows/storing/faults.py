"""What the system refuses, in words: a full disk, a folder that cannot be written, a disk that reports errors."""

from __future__ import annotations

import contextlib
import errno
import signal
import threading
from collections.abc import Iterator

from shuzhi import RunError, ShuzhiError, StoreError

# Some systems lack some of these.
NOT_OF_FILES = (FileNotFoundError, ConnectionError, TimeoutError)
PREFECT_MODULES = {"httpx", "httpcore", "prefect", "websockets", "sqlalchemy", "sqlite3"}
FULL = {getattr(errno, name, errno.ENOSPC) for name in ("ENOSPC", "EDQUOT", "EFBIG")}
FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}
TOLD = {
    errno.EIO: "the disk reports an error",
    errno.EMFILE: "too many files are open, as 'ulimit -n' allows",
    errno.ENFILE: "too many files are open on this machine",
} | {getattr(errno, name, errno.EIO): "the disk is gone" for name in ("ESTALE", "ENOTCONN", "EHOSTDOWN", "ENODEV")}
KEPT = "what is done is kept"
AGAIN = f"give the same command again, {KEPT}"


def explain(error: OSError, place: str) -> ShuzhiError:
    """Return the error that tells a user what the system refused, where, and what to do.

    Parameters
    ----------
    error : OSError
        What the system said.
    place : str
        The file or folder it was about.

    Returns
    -------
    ShuzhiError
        A :class:`shuzhi.StoreError` where another folder must be named, otherwise a :class:`shuzhi.RunError`.
    """
    number = error.errno
    if number in FULL:
        what = "the quota is used up" if number == getattr(errno, "EDQUOT", None) else "the disk is full"
        return RunError(f"{place}: {what}; free some space and {AGAIN}")
    if number in FORBIDDEN:
        what = "is on a read-only disk" if number == errno.EROFS else "cannot be read or written by this user"
        return StoreError(f"{place} {what}; change that or name another folder, {KEPT}")
    what = TOLD.get(number or 0, str(error.strerror or error))
    return RunError(f"{place}: {what}; when that is mended {AGAIN}")


@contextlib.contextmanager
def explained(place: str) -> Iterator[None]:
    """Turn what the system refuses within the block into an error that says what to do.

    Raises
    ------
    StoreError, RunError
        Instead of any OSError but FileNotFoundError, which callers take for an answer.
    """
    try:
        yield
    except (FileNotFoundError, NotADirectoryError, FileExistsError):
        raise
    except OSError as error:
        raise explain(error, place) from error


def explain_end(error: BaseException) -> ShuzhiError | None:
    """Return what a user is told of an error that nobody foresaw, where its cause is the system or Prefect's server.

    Parameters
    ----------
    error : BaseException
        What ended a command.

    Returns
    -------
    ShuzhiError or None
        None where nothing better can be said than the error itself.
    """
    for cause in _causes(error):
        if isinstance(cause, OSError) and not isinstance(cause, NOT_OF_FILES) and cause.errno is not None:
            return explain(cause, str(cause.filename or "a file"))
    modules = {type(cause).__module__.partition(".")[0] for cause in _causes(error)}
    if modules & PREFECT_MODULES or any("Prefect API server" in str(cause) for cause in _causes(error)):
        return RunError(
            f"Prefect's server failed or is gone ({type(error).__name__}: {_first_line(error)}); {AGAIN}."
            " If it fails again, see that the folder PREFECT_HOME can be written and its disk has room"
        )
    return None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and what led to it; some libraries hand the cause on as an argument only."""
    seen: list[BaseException] = []
    while error is not None and error not in seen:
        seen.append(error)
        yield error
        yield from (each for each in error.args if isinstance(each, OSError))
        error = error.__cause__ or error.__context__


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or ["no words"])[0][:200]


def stop_on_termination() -> None:
    """Have SIGTERM end a command as Ctrl-C does: its workers and Prefect's temporary server stop, its lock is free."""

    def stop(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is threading.main_thread():
        for name in ("SIGTERM", "SIGHUP"):
            if hasattr(signal, name) and signal.getsignal(getattr(signal, name)) is signal.SIG_DFL:
                signal.signal(getattr(signal, name), stop)
