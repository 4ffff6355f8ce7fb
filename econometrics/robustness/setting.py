"""What a check starts from and what it gives: rows, a model, the names of the terms it is about."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd

from econometrics.estimation.effects import Booleans
from econometrics.robustness.baseline import Baseline

Reading = Literal["holds", "vanishes"]


@dataclass(frozen=True)
class Names:
    """How variables are called in the two languages.

    Parameters
    ----------
    labels : mapping of str to (str, str)
        Chinese and English label by column.
    """

    labels: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def zh(self, *columns: str) -> str:
        """Chinese labels of columns or effects, in a row."""
        return "、".join(self._one(column, 0, "×") for column in columns)

    def en(self, *columns: str) -> str:
        """English labels of columns or effects, in a row."""
        return ", ".join(self._one(column, 1, " × ") for column in columns)

    def _one(self, column: str, language: int, times: str) -> str:
        parts = [part.strip() for part in column.split("^")]
        return times.join(self.labels.get(part, (part, part))[language] or part for part in parts)


@dataclass(frozen=True)
class Setting:
    """Rows and a model, after none or some checks changed them.

    Parameters
    ----------
    data : DataFrame
        One row an observation.
    model : Baseline
        The model; its focus has the names of the terms as they now are.
    dropped : dict of str to int
        Rows that checks took away, by reason.
    notes : tuple of str
        What a reader must know of the change.
    changes_columns : bool
        Whether a check changed or replaced a column, so that fewer rows may have it.
    """

    data: pd.DataFrame
    model: Baseline
    dropped: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    changes_columns: bool = False

    def keep(self, rows: Booleans, reason: str) -> Setting:
        """Keep the marked rows.

        Parameters
        ----------
        rows : (n,) bool array
            Rows that stay.
        reason : str
            Why the others go.
        """
        gone = int((~rows).sum())
        note = () if gone else (f"no row is dropped ({reason})",)
        dropped = {**self.dropped, **({reason: gone} if gone else {})}
        return replace(self, data=self.data[rows], dropped=dropped, notes=(*self.notes, *note))

    def columns(self, values: Mapping[str, Any]) -> Setting:
        """Put new values into columns.

        Parameters
        ----------
        values : mapping of str to (n,) array
            Values by column.
        """
        return replace(self, data=self.data.assign(**dict(values)), changes_columns=True)

    def change(self, **fields: Any) -> Setting:
        """Change the model.

        Parameters
        ----------
        **fields
            Fields of ``Baseline``.
        """
        return replace(self, model=replace(self.model, **fields))

    def note(self, text: str) -> Setting:
        """Add a note.

        Parameters
        ----------
        text : str
            In words.
        """
        return replace(self, notes=(*self.notes, text))


@dataclass(frozen=True, kw_only=True)
class Check(ABC):
    """A change of the baseline that should not change the result.

    Parameters
    ----------
    label_zh, label_en : str
        What the check is called; by default it says itself what it changes.
    """

    label_zh: str = ""
    label_en: str = ""
    kind: ClassVar[str] = ""
    main: ClassVar[str] = ""
    reading: ClassVar[Reading] = "holds"

    def __post_init__(self) -> None:
        # One value may stand for several, and a list for a tuple, so that checks can be compared and hashed.
        for each in fields(self):
            value = getattr(self, each.name)
            if isinstance(value, list):
                object.__setattr__(self, each.name, tuple(value))
            elif str(each.type).startswith("tuple[") and value is not None and not isinstance(value, tuple):
                object.__setattr__(self, each.name, (value,))

    def split(self, model: Baseline) -> tuple[Check, ...]:
        """Return the check as one check a row of the table.

        Parameters
        ----------
        model : Baseline
            The baseline.
        """
        return (self,)

    def needs(self, model: Baseline) -> tuple[str, ...]:
        """Columns that the check needs beside the baseline's.

        Parameters
        ----------
        model : Baseline
            The baseline.
        """
        return ()

    @abstractmethod
    def words(self, model: Baseline, names: Names) -> tuple[str, str]:
        """Say what is changed, in Chinese and English.

        Parameters
        ----------
        model : Baseline
            The baseline.
        names : Names
            Labels of columns.
        """

    def label(self, model: Baseline, names: Names) -> tuple[str, str]:
        """Return the labels given, or the check's own words.

        Parameters
        ----------
        model : Baseline
            The baseline.
        names : Names
            Labels of columns.
        """
        own = self.words(model, names)
        return self.label_zh or own[0], self.label_en or own[1]


@dataclass(frozen=True, kw_only=True)
class ModelCheck(Check):
    """A check that changes rows, columns or the model and estimates as the baseline does."""

    @abstractmethod
    def apply(self, setting: Setting) -> Setting:
        """Return the rows and the model as changed.

        Parameters
        ----------
        setting : Setting
            Before the check.
        """


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Parameters
    ----------
    rows : DataFrame
        One row a term of the focus, with at least term, estimate, standard_error, statistic, p_value, interval_low,
        interval_high, observations.
    clusters : int or None
        Smallest number of clusters.
    within_r2 : float
        NaN where there is none.
    dropped : dict of str to int
        Rows left out by the estimate, by reason.
    warnings : tuple of str
        In words.
    result : object
        The whole result.
    """

    rows: pd.DataFrame
    clusters: int | None
    within_r2: float
    dropped: dict[str, int]
    warnings: tuple[str, ...]
    result: Any


@dataclass(frozen=True, kw_only=True)
class MethodCheck(Check):
    """A check that estimates by another method."""

    @abstractmethod
    def run(self, setting: Setting) -> Finding:
        """Estimate by this method.

        Parameters
        ----------
        setting : Setting
            Rows and model.
        """


def as_texts(values: pd.Series) -> pd.Series:
    """Return the values of a column as text, whole numbers without decimals, missing as missing.

    Parameters
    ----------
    values : Series
        Codes, names or numbers.
    """
    if pd.api.types.is_float_dtype(values.dtype):
        whole = values.dropna()
        if np.equal(np.mod(whole, 1), 0).all():
            return values.astype("Int64").astype("string")
    return values.astype("string")
