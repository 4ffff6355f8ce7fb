"""Lags and leads by firm and year: a year that the firm has no row of gives a missing value, whatever the row above."""

from __future__ import annotations

import numpy as np
import pandas as pd

from shuzhi import DataError


def shift_by_year(values: pd.Series, firm: pd.Series, year: pd.Series, years: int) -> tuple[pd.Series, pd.Series]:
    """Return the value of the same firm so many years before, or after where the number is negative.

    Parameters
    ----------
    values : Series of float, shape (rows,)
        What is looked up.
    firm, year : Series, shape (rows,)
        The keys; each firm-year stands once.
    years : int
        1 is a lag of one year, -1 a lead of one year.

    Returns
    -------
    shifted : Series of float, shape (rows,)
        Missing where the firm has no row of that year, or no value in it.
    has_row : Series of bool, shape (rows,)
        Whether there is such a row.

    Raises
    ------
    DataError
        If a firm-year stands twice, or the year is no whole number: which one would be meant?
    """
    if not pd.api.types.is_numeric_dtype(year.dtype):
        raise DataError(f"column {year.name} must hold whole years for lags; read it with kind: year")
    codes, _ = pd.factorize(firm, use_na_sentinel=True)
    numbers = year.to_numpy(dtype="float64", na_value=np.nan)
    has_key = (codes >= 0) & ~np.isnan(numbers)
    if not np.equal(np.mod(numbers[has_key], 1), 0).all():
        raise DataError(f"column {year.name} must hold whole years for lags")
    if not has_key.any():
        return values * np.nan, pd.Series(False, index=values.index)
    whole = np.where(has_key, numbers, 0).astype("int64")
    first = int(whole[has_key].min()) - abs(years)
    width = int(whole[has_key].max()) + abs(years) - first + 1
    keys = codes.astype("int64") * width + (whole - first)
    order = np.flatnonzero(has_key)[np.argsort(keys[has_key], kind="stable")]
    known = keys[order]
    twice = np.flatnonzero(known[1:] == known[:-1])
    if len(twice):
        row = order[twice[0]]
        raise DataError(f"{len(twice)} firm-years stand twice, for example {firm.iloc[row]} {year.iloc[row]}")
    wanted = keys - years
    position = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    has_row = has_key & (known[position] == wanted)
    found = np.where(has_row, values.to_numpy(dtype="float64", na_value=np.nan)[order[position]], np.nan)
    return pd.Series(found, index=values.index), pd.Series(has_row, index=values.index)
