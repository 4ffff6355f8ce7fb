"""What one injection is: a kind of fault, and what a case of it must show."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.bench import Bench, Ended


@dataclass
class Case:
    """One injection.

    Parameters
    ----------
    what : str
        What was done, with its drawn numbers.
    ended : list of (Ended, tuple of int)
        Commands that met the fault, and the exit codes that are right for them.
    says : str
        What the next run must say (a regular expression); empty asks for nothing.
    outputs : list of str
        Folders that must be right where the command that wrote them ended with 0.
    faults : list of str
        What was wrong already while the fault was there.
    is_met : bool
        Whether the fault came about; a command may end before its moment comes.
    """

    what: str
    ended: list[tuple[Ended, tuple[int, ...]]] = field(default_factory=list)
    says: str = ""
    outputs: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    is_met: bool = True


@dataclass(frozen=True)
class Kind:
    """A kind of fault: its name, whether a finished store is there before, and what does it."""

    name: str
    group: str
    finished: bool
    inject: Callable[[Bench, Path, random.Random], Case]
