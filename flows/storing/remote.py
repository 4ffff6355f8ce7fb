"""What an object store's library raises, in words: no credentials, no such bucket, nobody at the address."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from shuzhi import ShuzhiError, StoreError


@contextlib.contextmanager
def reached(url: str, *answers: type[Exception]) -> Iterator[None]:
    """Turn whatever the library raises within the block into an error that says what to look at.

    Parameters
    ----------
    url : str
        The store.
    *answers : type
        Exceptions that callers take for an answer.

    Raises
    ------
    StoreError
        Instead of any exception but these and our own.
    """
    passed: tuple[type[Exception], ...] = (ShuzhiError, *answers)
    try:
        yield
    except passed:
        raise
    except Exception as error:
        words = (str(error).strip().splitlines() or ["no words"])[0]
        raise StoreError(
            f"store {url} cannot be reached ({type(error).__name__}: {words}); check its bucket, its address and the"
            " credentials (for S3: AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY), then give the same"
            " command again: what is done is kept"
        ) from error
