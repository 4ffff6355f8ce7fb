"""Instruments built from the panel itself: means of the others in a group, and lags by firm and year."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from econometrics.estimation.design import as_names
from econometrics.estimation.effects import Floats, Integers, encode_effects
from econometrics.estimation.sample import check_firm_years, columns_of, estimation_sample, no_column, numeric_values
from shuzhi import DataError, SpecError


def leave_one_out_mean(
    data: pd.DataFrame,
    variable: str,
    groups: str | Sequence[str],
    firm: str = "stock_code",
) -> pd.Series:
    """Mean of a variable over the **other firms** of a group, such as an industry in a year.

    All rows of the firm itself are left out, not only the row at hand. Missing values are not counted; where no other
    firm has a value, the mean is missing.

    Parameters
    ----------
    data : DataFrame
        One row a firm-year.
    variable : str
        Numeric column.
    groups : str or sequence of str
        Columns that make the group together, such as ``["industry", "report_year"]``.
    firm : str
        Column of the firm.

    Returns
    -------
    Series
        On the index of ``data``; missing where the group, or the firm, is unknown.

    Raises
    ------
    DataError
        A column does not exist or the variable is not numeric.
    """
    names = as_names(groups)
    if not names:
        raise SpecError("leave_one_out_mean needs at least one grouping column, such as industry and report_year")
    # The sample's checks of columns; the rows themselves are chosen below, for a firm without a value has a mean too.
    estimation_sample(data, numeric=[variable], categorical=[*names, firm], drop_singletons=False)
    known = ~data[[*columns_of(names), firm]].isna().any(axis=1).to_numpy(dtype=np.bool_)
    values = numeric_values(data[variable])[known]
    counted = np.isfinite(values)
    amounts = np.where(counted, values, 0.0)
    codes = encode_effects(data[known], ["^".join(names), "^".join([*names, firm])]).codes
    group, own = codes

    def total(code: Integers, amount: Floats) -> Floats:
        return np.asarray(np.bincount(code, weights=amount)[code], dtype=np.float64)

    others = total(group, counted.astype(np.float64)) - total(own, counted.astype(np.float64))
    # Centred first, so that a sum less its own part does not lose digits.
    centre = float(amounts[counted].mean()) if counted.any() else 0.0
    shifted = np.where(counted, values - centre, 0.0)
    sums = total(group, shifted) - total(own, shifted)
    result = np.full(len(data), np.nan)
    result[known] = np.divide(sums, others, out=np.full(len(sums), np.nan), where=others > 0)
    result[known] += centre
    return pd.Series(result, index=data.index, name=f"{variable}_others_mean")


def lagged(
    data: pd.DataFrame,
    variable: str,
    years: int = 1,
    *,
    firm: str = "stock_code",
    year: str = "report_year",
) -> pd.Series:
    """Value of a variable some years earlier, found by firm and year, never by row: a gap gives a missing value.

    Parameters
    ----------
    data : DataFrame
        One row a firm-year, in any order.
    variable : str
        Column of any type.
    years : int
        How many years earlier; negative for later.
    firm, year : str
        Columns of the firm and of the year (whole numbers).

    Returns
    -------
    Series
        On the index of ``data``.

    Raises
    ------
    DataError
        A column does not exist, a firm-year is doubled, or years are not whole numbers.
    """
    check_firm_years(data, firm, year)
    found_columns = int((data.columns == variable).sum())
    if not found_columns:
        raise DataError(f"{no_column(variable, data)} to lag")
    if found_columns > 1:
        raise DataError(f"column {variable!r} occurs {found_columns} times")
    times = numeric_values(data[year]) if pd.api.types.is_numeric_dtype(data[year]) else None
    if times is None or not (np.isnan(times) | (times == np.floor(times))).all():
        raise DataError(f"column {year!r} must hold whole years to lag by")
    known = ~data[[firm, year]].isna().any(axis=1).to_numpy(dtype=np.bool_)
    frame = pd.DataFrame({"firm": data[firm].array, "time": times, "row": np.arange(len(data))})[known]
    source = frame.assign(time=frame["time"] + years).rename(columns={"row": "source"})
    found = frame.merge(source, on=["firm", "time"], how="inner")
    positions = np.full(len(data), -1)
    positions[found["row"].to_numpy()] = found["source"].to_numpy()
    values = data[variable].array.take(positions, allow_fill=True)
    suffix = f"lag{years}" if years >= 0 else f"lead{-years}"
    return pd.Series(values, index=data.index, name=f"{variable}_{suffix}")
