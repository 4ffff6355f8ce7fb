"""The numbers behind the gate: firm-years lost, and how an index moves into its newest year for the same firms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from nlp.index import FIRM_YEAR, TOTAL

Array = npt.NDArray[np.float64]
LONG_COLUMNS = [*FIRM_YEAR, "dictionary", "scope", "dimension", "measure", "value"]
INDEX = ["dictionary", "scope", "dimension"]


def read_counts(folder: Path) -> pd.DataFrame:
    """Return the counts of an export: a row a firm-year, list, scope and dimension; missing where unreadable."""
    filters = [("measure", "==", "count")]
    return pd.read_parquet(folder / "indices_long.parquet", columns=LONG_COLUMNS, filters=filters)


@dataclass(frozen=True)
class Lost:
    """Firm-years that had a value and have none now.

    Parameters
    ----------
    index : str
        List and scope.
    before : int
        Firm-years that had a value.
    firm_years : tuple of (str, int)
        Those without one now, in order.
    """

    index: str
    before: int
    firm_years: tuple[tuple[str, int], ...]

    @property
    def share(self) -> float:
        """Share of those before."""
        return len(self.firm_years) / self.before if self.before else 0.0


def lost_firm_years(before: pd.DataFrame, after: pd.DataFrame) -> list[Lost]:
    """Return what was lost in each list and scope that both exports have."""
    found = []
    after_by_index = dict(iter(_totals(after).groupby(["dictionary", "scope"])))
    for names, rows in _totals(before).groupby(["dictionary", "scope"]):
        if names not in after_by_index:
            continue
        had, has = _with_value(rows), _with_value(after_by_index[names])
        gone = sorted(had - has)
        found.append(Lost(index_name(*map(str, names)), len(had), tuple(gone)))
    return found


def _totals(counts: pd.DataFrame) -> pd.DataFrame:
    return counts[counts["dimension"] == TOTAL]


def _with_value(rows: pd.DataFrame) -> set[tuple[str, int]]:
    there = rows[rows["value"].notna()]
    return {(str(code), int(year)) for code, year in zip(there["stock_code"], there["report_year"], strict=True)}


def index_name(dictionary: str, scope: str, dimension: str = TOTAL) -> str:
    """Return how the gate calls an index, for example ``wu2021 mda big_data``."""
    return " ".join([dictionary, *([] if scope == "report" else [scope]), *([] if dimension == TOTAL else [dimension])])


@dataclass(frozen=True)
class Move:
    """How an index moves from one year to the next, for the firms with a value in both.

    Parameters
    ----------
    index : str
        List, scope and dimension.
    firms : int
        Firms with a value in both years.
    before, after : float
        The mean of ln(1 + count), or the share of zeros, in each year.
    standard_error : float
        Of the difference.
    """

    index: str
    firms: int
    before: float
    after: float
    standard_error: float

    @property
    def size(self) -> float:
        """Distance between the two years."""
        return abs(self.after - self.before)


def moves(counts: pd.DataFrame, year: int) -> tuple[list[Move], list[Move]]:
    """Return how the mean and the share of zeros of each index move into a year.

    Parameters
    ----------
    counts : DataFrame
        What `read_counts` gives.
    year : int
        The new report year; it is compared with the year before.

    Returns
    -------
    means, zeros : list of Move
        One an index that has firms with a value in both years.
    """
    means, zeros = [], []
    for names, rows in counts.groupby(INDEX, sort=True):
        pairs = _pairs(rows, year)
        if pairs.size:
            index = index_name(*map(str, names))
            means.append(_move(index, *np.log1p(pairs)))
            zeros.append(_move(index, *(pairs == 0).astype("float64")))
    return means, zeros


def _pairs(rows: pd.DataFrame, year: int) -> Array:
    """Return the values of the year before and of the year, firm by firm; shape (2, firms)."""
    near = rows[rows["report_year"].isin([year - 1, year]) & rows["value"].notna()]
    wide = near.pivot_table(index="stock_code", columns="report_year", values="value", aggfunc="first")
    return wide.reindex(columns=[year - 1, year]).dropna().to_numpy(dtype="float64").T


def _move(index: str, first: Array, second: Array) -> Move:
    differences = second - first
    error = float(differences.std(ddof=1) / math.sqrt(len(differences))) if len(differences) > 1 else math.inf
    return Move(index, len(differences), float(first.mean()), float(second.mean()), error)


@dataclass(frozen=True)
class Readable:
    """How many firm-years of two years have a value.

    Parameters
    ----------
    index : str
        List and scope.
    rows_before, values_before, rows_after, values_after : int
        Firm-years with a report, and of them with a value, in the year before and in the new one.
    firms_back : int
        Firms with a value in the year before that have a report of the new year.
    """

    index: str
    rows_before: int
    values_before: int
    rows_after: int
    values_after: int
    firms_back: int

    @property
    def rise(self) -> float:
        """By how much the share without a value rises."""
        return self.values_before / self.rows_before - self.values_after / self.rows_after

    @property
    def coverage(self) -> float:
        """Share of the firms of the year before that have filed."""
        return self.firms_back / self.values_before if self.values_before else 1.0


def readable(counts: pd.DataFrame, year: int) -> list[Readable]:
    """Return for each list and scope how many reports of a year, and of the year before, give a value."""
    found = []
    for names, rows in _totals(counts).groupby(["dictionary", "scope"], sort=True):
        before, after = (rows[rows["report_year"] == each] for each in (year - 1, year))
        if not len(before) or not len(after):
            continue
        valued = before[before["value"].notna()]
        back = valued["stock_code"].isin(set(after["stock_code"]))
        values_after = int(after["value"].notna().sum())
        index = index_name(*map(str, names))
        found.append(Readable(index, len(before), len(valued), len(after), values_after, int(back.sum())))
    return found


def shown_firm_years(firm_years: Sequence[tuple[str, int]], most: int = 5) -> str:
    """Return firm-years in words, the first few of them."""
    words = ", ".join(f"{code} {year}" for code, year in firm_years[:most])
    return words + (f" and {len(firm_years) - most:,} more" if len(firm_years) > most else "")
