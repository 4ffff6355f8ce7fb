"""The one shape in which every method hands over industrial clusters: a table of place, industry and year."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from shuzhi import DataError

KEYS = ("place", "industry", "year")
SHAPE = (*KEYS, "is_cluster", "cluster_size", "cluster_strength")


@dataclass(frozen=True)
class ClusterMap:
    """Industrial clusters by place, industry and year, whatever the method.

    Parameters
    ----------
    data : pandas.DataFrame
        One row a place, industry and year, sorted by them: ``place`` and ``industry`` (codes as
        text), ``year`` (int), ``is_cluster`` (bool), ``cluster_size`` (in the unit of the size
        measure; missing where there is no cluster), ``cluster_strength`` (in the unit of the
        method; missing where it is undefined, never zero), then the columns of the method.
    method : str
        Name of the method.
    parameters : Mapping[str, object]
        All choices that the result depends on, a seed included.
    dropped : Mapping[str, int]
        Establishments (or cells) that did not enter, by reason.
    assumptions, warnings : tuple of str
        What the method takes for granted, and what is odd in these data, in words.
    """

    data: pd.DataFrame
    method: str
    parameters: Mapping[str, Any]
    dropped: Mapping[str, int] = field(default_factory=dict)
    assumptions: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_cluster_table(self.data)

    def to_frame(self) -> pd.DataFrame:
        """A copy of the table, with the method in a column ``method``."""
        return self.data.assign(method=self.method)

    def clusters(self) -> pd.DataFrame:
        """Only the rows that are clusters."""
        return self.data[self.data["is_cluster"]].reset_index(drop=True)

    def summary(self) -> str:
        """What was found, with which choices, and what did not enter, for a person to read."""
        found = self.clusters()
        choices = ", ".join(f"{name}={value}" for name, value in self.parameters.items())
        lines = [
            f"Industrial clusters by {self.method} ({choices})",
            f"  {len(self.data):,} place-industry-years; {len(found):,} are clusters, "
            f"in {found['place'].nunique():,} places and {found['industry'].nunique():,} industries",
            f"  strength missing in {int(self.data['cluster_strength'].isna().sum()):,} rows",
        ]
        lines += [f"  not used: {count:,} {reason}" for reason, count in self.dropped.items() if count]
        lines += [f"  assumes: {text}" for text in self.assumptions]
        lines += [f"  warning: {text}" for text in self.warnings]
        return "\n".join(lines)


def check_cluster_table(data: pd.DataFrame) -> None:
    """Check that a table has the shape of a cluster map.

    Parameters
    ----------
    data : pandas.DataFrame
        The table.

    Raises
    ------
    DataError
        If columns are missing, a place, industry and year stands twice, or ``is_cluster`` is not
        boolean.
    """
    missing = [name for name in SHAPE if name not in data.columns]
    if missing:
        raise DataError(f"a cluster map needs the columns {', '.join(SHAPE)}; missing: {', '.join(missing)}")
    problems = []
    double = data.duplicated(list(KEYS), keep=False)
    if double.any():
        example = data.loc[double, list(KEYS)].iloc[0].tolist()
        problems.append(f"{int(double.sum())} rows share a place, industry and year, such as {example}")
    if not pd.api.types.is_bool_dtype(data["is_cluster"]):
        problems.append(f"is_cluster holds {data['is_cluster'].dtype}, not true and false")
    if problems:
        raise DataError("a cluster map cannot be used: " + "; ".join(problems))


def cluster_table(data: pd.DataFrame, columns: Sequence[str] = ()) -> pd.DataFrame:
    """Order rows and columns of a cluster table: keys, the common columns, then those of the method.

    Parameters
    ----------
    data : pandas.DataFrame
        A table that holds at least the common columns.
    columns : sequence of str
        Columns of the method to keep, in this order.

    Returns
    -------
    pandas.DataFrame
        Sorted by place, industry and year, with a fresh index; the size is blanked where there is no cluster.
    """
    table = data[[*SHAPE, *(name for name in columns if name not in SHAPE)]].copy()
    table["is_cluster"] = table["is_cluster"].astype(bool)
    table["cluster_size"] = table["cluster_size"].astype(float).where(table["is_cluster"])
    table["cluster_strength"] = table["cluster_strength"].astype(float)
    return table.sort_values(list(KEYS), kind="stable", ignore_index=True)
