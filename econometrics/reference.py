"""Facts that ship with the package: each table with its source, its date and whether it was verified."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from io import StringIO
from typing import Any

import pandas as pd
import yaml

from shuzhi import DataError

INDEX = "index.yml"
NOT_SHIPPED = "not_shipped.yml"
SOURCE_LINE = "# source: "


@dataclass(frozen=True)
class Reference:
    """A table of facts with where it comes from.

    Attributes
    ----------
    name : str
        Name of the table, the file name without ``.csv``.
    title : str
        What a row is about.
    data : pandas.DataFrame
        The table; codes are text, the columns that the index calls integers, decimals and flags are not.
    source : str
        The publication.
    provenance : str
        The first line of the file: the copies that were read and what was derived.
    date : str
        Date or years of the facts.
    verified : bool
        Whether every row was compared with a second source.
    notes : str
        What a user must know.
    """

    name: str
    title: str
    data: pd.DataFrame
    source: str
    provenance: str
    date: str
    verified: bool
    notes: str

    @property
    def caution(self) -> str:
        """One sentence for results that rest on facts nobody verified; empty when all rows are."""
        if self.verified:
            return ""
        return f"{self.name} is not verified throughout ({self.source}): {self.notes}"


@cache
def _yaml(name: str) -> dict[str, dict[str, Any]]:
    """Read a YAML file of the folder of facts, once a process; callers do not change it."""
    text = (files("econometrics") / "reference" / name).read_text(encoding="utf-8")
    content: dict[str, dict[str, Any]] = yaml.safe_load(text)
    return content


def reference_index() -> dict[str, dict[str, Any]]:
    """Read the index of the shipped tables: name to title, source, date, verified, notes and column kinds."""
    return deepcopy(_yaml(INDEX))


def where_to_get(name: str) -> str:
    """Say where a table that does not ship comes from and which columns it needs.

    Parameters
    ----------
    name : str
        Name in ``not_shipped.yml``, such as ``industry_costs``.

    Raises
    ------
    DataError
        If the table is not described there.
    """
    entries = _yaml(NOT_SHIPPED)
    if name not in entries:
        raise DataError(f"{name} is not described in {NOT_SHIPPED}; described are: {', '.join(sorted(entries))}")
    entry = entries[name]
    columns = "; ".join(f"{column} ({meaning})" for column, meaning in entry["columns"].items())
    return (
        f"{name} ({entry['what']}) does not ship with shuzhi: {entry['why']}. "
        f"Get it from {str(entry['where']).strip()}. "
        f"Columns needed: {columns}."
    )


def references() -> pd.DataFrame:
    """List the shipped tables: name, title, source, date, verified, notes; one row a table."""
    keys = ["title", "source", "date", "verified", "notes"]
    rows = [{"name": name, **{key: entry[key] for key in keys}} for name, entry in reference_index().items()]
    return pd.DataFrame(rows)


def load_reference(name: str) -> Reference:
    """Load one shipped table of facts.

    Parameters
    ----------
    name : str
        Name as in :func:`references`, such as ``low_carbon_pilots``.

    Returns
    -------
    Reference
        A fresh copy; changing its data changes nothing else.

    Raises
    ------
    DataError
        If there is no such table (the nearest name is given), if it does not ship (where to get it is said), or if its
        file is missing or has no line of source.
    """
    index = _yaml(INDEX)
    if name not in index and name in _yaml(NOT_SHIPPED):
        raise DataError(where_to_get(name))
    if name not in index:
        near = difflib.get_close_matches(name, list(index), n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise DataError(f"no reference table named {name}{hint} The tables are: {', '.join(sorted(index))}.")
    found = _read(name)
    return replace(found, data=found.data.copy())


@cache
def _read(name: str) -> Reference:
    """Read a table of the index, once a process."""
    entry = _yaml(INDEX)[name]
    path = files("econometrics") / "reference" / f"{name}.csv"
    if not path.is_file():
        raise DataError(
            f"the reference table {name} is in {INDEX} but its file {name}.csv is missing: reinstall shuzhi"
        )
    head, _, body = path.read_text(encoding="utf-8").partition("\n")
    if not head.startswith(SOURCE_LINE):
        raise DataError(f"the first line of {name}.csv must begin with {SOURCE_LINE!r} and name the source")
    return Reference(
        name=name,
        title=str(entry["title"]),
        data=_typed(pd.read_csv(StringIO(body), dtype=str, keep_default_na=False, na_values=[""]), entry, name),
        source=str(entry["source"]),
        provenance=head.removeprefix(SOURCE_LINE).strip(),
        date=str(entry["date"]),
        verified=bool(entry["verified"]),
        notes=str(entry["notes"]).strip(),
    )


def _typed(data: pd.DataFrame, entry: Mapping[str, Any], name: str) -> pd.DataFrame:
    """Turn the columns that the index names into integers, decimals and booleans."""
    kinds = {kind: list(entry.get(kind) or []) for kind in ("integers", "decimals", "flags")}
    unknown = sorted({column for columns in kinds.values() for column in columns} - set(data.columns))
    if unknown:
        raise DataError(f"{INDEX} names columns that {name}.csv does not have: {', '.join(unknown)}")
    for column in kinds["integers"]:
        data[column] = pd.to_numeric(data[column]).astype("Int64" if data[column].isna().any() else "int64")
    for column in kinds["decimals"]:
        data[column] = pd.to_numeric(data[column]).astype("float64")
    for column in kinds["flags"]:
        data[column] = data[column].eq("1")
    return data
