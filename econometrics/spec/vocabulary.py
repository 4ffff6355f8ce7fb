"""What the parts of a study, its tables and its figures are called, and what is said of a part that is not there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Part = Literal[
    "variables",
    "sample",
    "descriptive",
    "correlations",
    "models",
    "magnitudes",
    "mediations",
    "groups",
    "indirect_groups",
    "families",
    "moderations",
    "u_tests",
    "thresholds",
    "staggered",
    "placebos",
    "honest_bounds",
    "robustness",
    "curves",
    "measurement_error",
    "tables",
    "figures",
]
TableKind = Literal[
    "descriptive",
    "correlations",
    "models",
    "mediation",
    "heterogeneity",
    "staggered",
    "event_study",
    "results",
]
FigureKind = Literal["coefficients", "event_study", "specification_curve", "paths", "trends", "marginal_effects"]


@dataclass(frozen=True)
class Failure:
    """A part of a study that could not be done, or was left out; the others were done.

    Parameters
    ----------
    part : str
        Which part of the specification (``models``, ``mediations`` ...), a name of `Part`.
    name : str
        Name of the result that is not there.
    kind : {"failed", "skipped"}
        Whether the data could not bear it, or a column that it needs is not in the panel (``skip_missing``).
    message : str
        Why, in words.
    line : int
        Line of the specification.
    """

    part: Part
    name: str
    kind: Literal["failed", "skipped"]
    message: str
    line: int = 0
