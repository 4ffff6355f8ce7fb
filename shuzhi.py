"""What every package may know: the version, the one tree of errors, and how YAML of somebody else is read.

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

import os
import re
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import yaml

DEEPEST_YAML = 60
HIDDEN = "***"
# A value that is written as $NAME is no secret: it stands in the environment.
_USER = re.compile(r"(?<=://)(?:[^/\s@:]*:(?!\$)[^/\s@]+|[^/\s@:$]{16,})(?=@)")
_FIELD = re.compile(
    r"([?&;](?:[\w.-]*(?:token|signature|secret|password|passwd|credential|(?:api|access|account)[_-]?key)[\w.-]*"
    r"|key|sig|pwd|auth)=)(?!\$)[^&;#\s'\"]+",
    re.IGNORECASE,
)
_SECRET_NAME = re.compile(r"(?:TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?|API_?KEY|ACCESS_?KEY(?:_ID)?)$")
_SHORTEST_SECRET = 8

__version__ = "0.1.0"


class ShuzhiError(Exception):
    """Base of every error that shuzhi raises on purpose; its text shows no credentials."""

    def __init__(self, *words: object) -> None:
        super().__init__(*(masked(each) if isinstance(each, str) else each for each in words))


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


def masked(text: str) -> str:
    """Return text in which no credentials can be read: of URLs, and of variables of the environment that hold some.

    Parameters
    ----------
    text : str
        A message, a URL, a path.

    Returns
    -------
    str
        The same with ``***`` for user and password before an ``@``, for fields of a query such as ``token=`` and
        ``X-Amz-Signature=``, and for the value of any variable whose name ends like ``AWS_SECRET_ACCESS_KEY``.
    """
    text = _FIELD.sub(rf"\g<1>{HIDDEN}", _USER.sub(HIDDEN, text))
    for name, value in os.environ.items():
        if len(value) >= _SHORTEST_SECRET and value in text and _SECRET_NAME.search(name.upper()):
            text = text.replace(value, HIDDEN)
    return text


@cache
def yaml_loader(*, aliases: bool = False) -> type[yaml.SafeLoader]:
    """Return the loader of YAML that somebody else may have written: plain data, each of it once.

    It makes no objects, refuses nesting of more than 60 levels, keys that stand twice and values that no number or
    date can be made of, all of them as errors of YAML with their line.

    Parameters
    ----------
    aliases : bool
        Whether values may be named and used again. A few lines of them can stand for more than the memory holds, so
        whoever allows them must count what they stand for.
    """
    import yaml

    class Loader(yaml.SafeLoader):
        depth = 0

        def compose_node(self, parent: Any, index: Any) -> Any:
            event = self.peek_event()  # type: ignore[no-untyped-call]
            if not aliases and isinstance(event, yaml.AliasEvent):
                self.refuse(f"*{event.anchor} repeats a value by its name; write the value out", event.start_mark)
            if self.depth == DEEPEST_YAML:
                self.refuse(f"nested more than {DEEPEST_YAML} levels deep", event.start_mark)
            self.depth += 1
            node = super().compose_node(parent, index)
            self.depth -= 1
            return node

        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            seen: set[str] = set()
            for key in [key for key, _ in node.value if isinstance(key, yaml.ScalarNode)]:
                if key.value in seen:
                    self.refuse(f"key {key.value} stands twice; keep one", key.start_mark)
                seen.add(key.value)
            return super().construct_mapping(node, deep=deep)

        def construct_object(self, node: Any, deep: bool = False) -> Any:
            try:
                return super().construct_object(node, deep=deep)
            except (ValueError, TypeError) as error:
                shown = str(node.value)[:40]
                return self.refuse(f"{shown} cannot be read ({error}); put it in quotation marks", node.start_mark)

        def refuse(self, problem: str, mark: Any) -> Any:
            raise yaml.constructor.ConstructorError(None, None, problem, mark)

    return Loader
