"""What the parent does for a call, because its worker has neither files nor network: it fetches and it stores.

A function of three parts is declared with :func:`errand`. Called directly it runs as it stands; a pool runs
``prepare`` and ``finish`` in the parent and ``work`` alone in the worker.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True)
class Errand:
    """The parts of a call.

    Parameters
    ----------
    prepare : callable
        From the arguments of the call to those of ``work``; runs in the parent.
    work : callable
        Runs in the worker; importable, its result plain data or a dataclass known to :mod:`flows.confine.answers`.
    finish : callable
        From that result and the arguments of the call to the value of the call; runs in the parent, and trusts
        nothing that came back.
    is_apart : bool
        Whether a boxed worker that has opened a file of a stranger is replaced first: what is stored must not be
        made by a worker that such a file may have taken over.
    """

    prepare: Callable[..., tuple[Any, ...]]
    work: Callable[..., Any]
    finish: Callable[..., Any]
    is_apart: bool = False


@dataclass(frozen=True)
class FileToSend:
    """Stands among the arguments of ``work`` for a file; the worker gets its bytes, or the ``OSError`` of opening."""

    path: str


_ERRANDS: dict[Callable[..., Any], Errand] = {}


def pass_on(*arguments: Any) -> tuple[Any, ...]:
    """Give a worker the arguments as they are."""
    return arguments


def errand(
    prepare: Callable[..., tuple[Any, ...]],
    work: Callable[..., Any],
    finish: Callable[..., Any],
    *,
    is_apart: bool = False,
) -> Callable[[Function], Function]:
    """Declare the parts of a function; see :class:`Errand`."""

    def declare(function: Function) -> Function:
        _ERRANDS[function] = Errand(prepare, work, finish, is_apart)
        return function

    return declare


def whole(function: Callable[..., Any]) -> Errand:
    """Return the parts of a function; one that declares none does all of its work in the worker."""
    return _ERRANDS.get(function) or Errand(pass_on, function, lambda value, *_: value)
