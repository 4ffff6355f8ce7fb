"""What the system refuses is told in words that a user can act on."""

import errno
import os

import pytest
from xlsxwriter.exceptions import FileCreateError

from flows.storing.faults import explain, explain_end, explained
from shuzhi import RunError, StoreError


def error_of(number: int) -> OSError:
    return OSError(number, os.strerror(number), "out/indices.csv")


@pytest.mark.parametrize(
    ("number", "kind", "words"),
    [
        (errno.ENOSPC, RunError, "the disk is full; free some space and give the same command again"),
        (errno.EDQUOT, RunError, "the quota is used up; free some space"),
        (errno.EROFS, StoreError, "is on a read-only disk; change that or name another folder"),
        (errno.EACCES, StoreError, "cannot be read or written by this user"),
        (errno.EIO, RunError, "the disk reports an error; when that is mended give the same command again"),
        (errno.ESTALE, RunError, "the disk is gone"),
        (errno.EMFILE, RunError, "too many files are open"),
        (errno.EBUSY, RunError, os.strerror(errno.EBUSY)),
    ],
)
def test_an_error_of_the_system_names_the_place_and_the_way_out(number: int, kind: type[Exception], words: str):
    told = explain(error_of(number), "out/indices.csv")
    assert type(told) is kind
    assert str(told).startswith("out/indices.csv")
    assert words in str(told)
    assert str(told).endswith("what is done is kept")


def test_a_block_tells_its_errors_but_for_answers():
    with pytest.raises(RunError, match="store/x: the disk is full"), explained("store/x"):
        raise error_of(errno.ENOSPC)
    with pytest.raises(FileNotFoundError), explained("store/x"):
        raise FileNotFoundError(errno.ENOENT, "no", "x")


def test_the_cause_is_found_behind_what_a_library_made_of_it():
    told = explain_end(FileCreateError(error_of(errno.ENOSPC)))
    assert str(told).startswith("out/indices.csv: the disk is full")
    try:
        try:
            raise error_of(errno.EROFS)
        except OSError as error:
            raise ValueError("cannot save") from error
    except ValueError as error:
        told = explain_end(error)
    assert "read-only disk" in str(told)


def test_a_server_that_is_gone_is_no_matter_of_files():
    import httpx

    error = httpx.ConnectError("All connection attempts failed")
    error.__cause__ = ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
    assert str(explain_end(error)).startswith("Prefect's server failed or is gone (ConnectError: All connection")
    told = explain_end(RuntimeError("Timed out while attempting to connect to ephemeral Prefect API server."))
    assert "see that the folder PREFECT_HOME can be written" in str(told)


def test_what_is_no_matter_of_the_system_is_left_as_it_is():
    assert explain_end(ValueError("x")) is None
    assert explain_end(KeyError(FileNotFoundError(errno.ENOENT, "no"))) is None
