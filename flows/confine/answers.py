"""How a worker's result travels: as plain data. A worker that a hostile file has taken over can send wrong data only.

A pickle may name any function and have it called where it is read. So results are taken apart into numbers, text,
bytes, lists, tuples, dictionaries and sets, and a reader that refuses every name puts the classes together that are
registered here.
"""

from __future__ import annotations

import dataclasses
import io
import pickle
from typing import Any, TypeVar

import numpy as np

MARK = "\0"
LARGEST_ANSWER_BYTES = 512 << 20
_CLASSES: dict[str, type] = {}
Class = TypeVar("Class", bound=type)
_SCALARS = (bool, int, float, str, bytes)
_COLLECTIONS = (list, tuple, set, frozenset)


class AnswerError(Exception):
    """A result that cannot be sent, or bytes that are no answer."""


def sendable(known: Class) -> Class:
    """Let a frozen dataclass stand in results; it is sent by its fields and made again by its constructor."""
    _CLASSES[known.__name__] = known
    return known


def dump(value: object) -> bytes:
    """Return a result as bytes.

    Raises
    ------
    AnswerError
        If it holds anything but plain data and registered dataclasses.
    """
    return pickle.dumps(_plain(value), protocol=pickle.HIGHEST_PROTOCOL)


def _plain(value: Any) -> Any:
    kind, name = type(value), type(value).__name__
    if value is None or kind in _SCALARS:
        return value
    if kind in _COLLECTIONS:
        return kind(_plain(each) for each in value)
    if kind is dict:
        return {_plain(key): _plain(each) for key, each in value.items()}
    if _CLASSES.get(name) is kind:
        return (MARK, name, *(_plain(getattr(value, field.name)) for field in dataclasses.fields(value)))
    if isinstance(value, np.generic):
        return _plain(value.item())
    raise AnswerError(f"a result must be plain data, and a {name} is none")


class _Reader(pickle.Unpickler):
    def find_class(self, module_name: str, global_name: str) -> Any:
        raise AnswerError(f"the answer names {module_name}.{global_name}, which no answer may")


def load(data: bytes) -> Any:
    """Return a result from bytes; nothing in them is ever called.

    Raises
    ------
    AnswerError
        If they are no answer.
    """
    try:
        # Each value takes a byte at least; whoever repeats one by reference meant to fill the memory.
        return _Builder(len(data)).built(_Reader(io.BytesIO(data)).load())
    except AnswerError:
        raise
    except Exception as error:  # whatever a damaged or hostile pickle makes its reader raise
        raise AnswerError(f"what came back is no answer ({type(error).__name__})") from None


class _Builder:
    def __init__(self, most_values: int) -> None:
        self._left = most_values

    def built(self, value: Any) -> Any:
        self._left -= 1
        if self._left < 0:
            raise AnswerError("what came back repeats itself without end")
        if isinstance(value, tuple):
            if value[:1] == (MARK,):
                return _CLASSES[value[1]](*map(self.built, value[2:]))
            return tuple(map(self.built, value))
        if isinstance(value, list):
            return [self.built(each) for each in value]
        if isinstance(value, dict):
            return {self.built(key): self.built(each) for key, each in value.items()}
        return value
