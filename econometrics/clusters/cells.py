"""Sums of microdata by place, industry and year, with the totals that all measures of clustering share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from econometrics.clusters.map import KEYS
from shuzhi import DataError

Grid = Literal["observed", "balanced"]


@dataclass(frozen=True)
class Cells:
    """Place-industry-years with their size and the totals around them.

    Parameters
    ----------
    data : pandas.DataFrame
        ``place``, ``industry``, ``year``, ``firms`` (rows of the microdata), ``size`` (sum of the
        size measure), ``place_size``, ``industry_size``, ``total_size`` and ``place_firms``,
        ``industry_firms``, ``total_firms`` of the same year, ``is_observed``.
    size : str
        The size measure: a column of the microdata, or ``firms``.
    dropped : dict of str to int
        Rows of the microdata that were not counted, by reason.
    """

    data: pd.DataFrame
    size: str
    dropped: dict[str, int]


def cluster_cells(
    data: pd.DataFrame,
    *,
    size: str = "employment",
    place: str = "place",
    industry: str = "industry",
    year: str = "year",
    grid: Grid = "observed",
) -> Cells:
    """Sum microdata by place, industry and year.

    Parameters
    ----------
    data : pandas.DataFrame
        One row an establishment and year.
    size : str
        Column to sum, such as ``employment`` or ``output``, or ``firms`` to count rows.
    place, industry, year : str
        Columns of the codes and the year.
    grid : {"observed", "balanced"}
        Only cells with an establishment, or all places times all industries times all years of the
        data; the added cells have no firm and size 0, and ``is_observed`` is false.

    Returns
    -------
    Cells

    Raises
    ------
    DataError
        If columns are missing or not numeric, a size is negative, or nothing is left; all problems in one message.
    """
    columns = [place, industry, year] + ([] if size == "firms" else [size])
    _check(data, columns, size)
    used = data[columns].copy()
    used.columns = pd.Index([*KEYS, *(["size"] if size != "firms" else [])])
    if size == "firms":
        used["size"] = 1.0
    keep, dropped = _complete(used, (place, industry, year, size))
    used = used[keep].astype({"place": "str", "industry": "str", "year": "int64", "size": "float64"})
    if used.empty:
        raise DataError(f"no establishment of {len(data)} has a place, an industry, a year and {size}")
    cells = used.groupby(list(KEYS), as_index=False, sort=True).agg(firms=("size", "size"), size=("size", "sum"))
    cells["is_observed"] = True
    if grid == "balanced":
        cells = _balance(cells)
    return Cells(_totals(cells), size, dropped)


def _check(data: pd.DataFrame, columns: Sequence[str], size: str) -> None:
    missing = [name for name in columns if name not in data.columns]
    if missing:
        raise DataError(f"no column {', '.join(missing)}; the columns are {', '.join(map(str, data.columns))}")
    if size == "firms":
        return
    if not pd.api.types.is_numeric_dtype(data[size]):
        raise DataError(f"{size} is not numeric ({data[size].dtype}); standard_microdata turns texts into numbers")
    negative = int((data[size] < 0).sum())
    if negative:
        raise DataError(f"{size} is negative in {negative} rows; set them to missing or correct them first")


def _complete(used: pd.DataFrame, names: Sequence[str]) -> tuple[pd.Series, dict[str, int]]:
    keep = pd.Series(True, index=used.index)
    dropped = {}
    for column, name in zip(("place", "industry", "year", "size"), names, strict=True):
        gone = used[column].isna()
        if column in ("place", "industry"):
            gone = gone | used[column].astype("str").eq("")
        if column == "size":
            gone = gone | ~np.isfinite(used["size"].to_numpy(dtype="float64", na_value=np.nan))
        count = int((gone & keep).sum())
        if count:
            dropped[f"establishments without {name}"] = count
        keep &= ~gone
    return keep, dropped


def _balance(cells: pd.DataFrame) -> pd.DataFrame:
    levels = [sorted(cells[name].unique()) for name in KEYS]
    full = pd.MultiIndex.from_product(levels, names=list(KEYS))
    wide = cells.set_index(list(KEYS)).reindex(full)
    wide["is_observed"] = wide["firms"].notna()
    return wide.fillna({"firms": 0, "size": 0.0}).astype({"firms": "int64"}).reset_index()


def _totals(cells: pd.DataFrame) -> pd.DataFrame:
    out = cells.copy()
    for measure in ("size", "firms"):
        out[f"place_{measure}"] = out.groupby(["place", "year"])[measure].transform("sum")
        out[f"industry_{measure}"] = out.groupby(["industry", "year"])[measure].transform("sum")
        out[f"total_{measure}"] = out.groupby("year")[measure].transform("sum")
    return out


def ratio(numerator: pd.Series, denominator: pd.Series) -> pd.Series:
    """Divide, with a missing value where the denominator is zero or missing."""
    return numerator / denominator.where(denominator != 0)


def check_percent(top_percent: float) -> None:
    """Refuse a percentage that is not above 0 and at most 100."""
    if not 0 < top_percent <= 100:
        raise DataError(f"top_percent is {top_percent}; it must lie above 0 and at most at 100")
