"""What every package may know: the version and the one tree of errors.

::

    ShuzhiError                 base of all; its text is one line that a user can act on
    ├── UsageError              a command or a parameter that cannot work as given (exit code 2)
    │   ├── DictionaryError     a word list with problems; lists all of them, with file and line
    │   ├── StoreError          a store that is missing, foreign or damaged
    │   ├── DataError           a data frame or a table of facts that cannot be used as it is; lists all problems
    │   └── SpecError           a panel or study specification with problems; lists all of them, with file and line
    ├── EstimationError         a model that these data cannot identify or estimate
    ├── ReadError               a file that cannot be read; carries the status it ends with
    └── RunError                a run that finished with more failures than allowed (exit code 1)
"""

from __future__ import annotations

__version__ = "0.1.0"


class ShuzhiError(Exception):
    """Base of every error that shuzhi raises on purpose."""


class UsageError(ShuzhiError):
    """A command or parameter that cannot work as given."""


class DictionaryError(UsageError):
    """A word list with problems, each named with its file and line."""


class StoreError(UsageError):
    """A store that is missing, foreign or damaged."""


class DataError(UsageError):
    """A data frame or a table of facts that cannot be used as it is; the message lists all problems."""


class SpecError(UsageError):
    """A panel or study specification with problems, each named with its file and line."""


class EstimationError(ShuzhiError):
    """A model that these data cannot identify or estimate."""


class ReadError(ShuzhiError):
    """A file that cannot be read.

    Parameters
    ----------
    status : str
        The status that the file's row in ``documents`` gets.
    reason : str
        Why, in words.
    """

    def __init__(self, status: str, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class RunError(ShuzhiError):
    """A run that finished with more failures than its parameters allow."""
