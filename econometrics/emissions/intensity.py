"""Emissions per unit of revenue, assets or output, and their logs, with the unit in the name of each column."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from econometrics.emissions.totals import need_columns
from econometrics.emissions.units import YUAN
from shuzhi import DataError

# Tonnes per million yuan; a median outside is a unit that was taken for another.
PLAUSIBLE_MEDIAN = (1e-2, 1e4)
UNIT_WORDS = {"10^4 yuan": "10k_yuan", "10^6 yuan": "million_yuan", "10^8 yuan": "100m_yuan"}


@dataclass(frozen=True)
class EmissionIntensities:
    """Intensities of emissions.

    Attributes
    ----------
    data : pandas.DataFrame
        The rows given with one column an intensity and its log.
    columns : pandas.DataFrame
        ``column``, ``unit``, ``formula``, ``observations``, ``mean``, ``median``: what each new column holds.
    undefined : pandas.DataFrame
        ``column``, ``reason``, ``rows``: values that could not be computed.
    warnings : tuple of str
        In words.
    """

    data: pd.DataFrame
    columns: pd.DataFrame
    undefined: pd.DataFrame
    warnings: tuple[str, ...]

    def summary(self) -> str:
        """The new columns with their units and means, and what is undefined."""
        lines = [
            f"{row.column}: {row.formula}, {row.unit}; {row.observations:,} values, mean {row.mean:.4g}, "
            f"median {row.median:.4g}"
            for row in self.columns.itertuples()
        ]
        lines += [f"{row.column}: {row.rows:,} rows undefined, {row.reason}" for row in self.undefined.itertuples()]
        return "\n".join(lines + [f"warning: {each}" for each in self.warnings])


def emission_intensities(
    data: pd.DataFrame,
    *,
    co2: str = "co2_tonnes",
    revenue: str | None = "revenue_yuan",
    assets: str | None = None,
    output: str | None = None,
    per: str = "10^6 yuan",
) -> EmissionIntensities:
    """Divide emissions by revenue, assets or output.

    Parameters
    ----------
    data : DataFrame
        One row a firm-year.
    co2 : str
        Emissions in tonnes.
    revenue, assets, output : str, optional
        Columns in yuan.
    per : {"10^4 yuan", "10^6 yuan", "10^8 yuan"}
        Unit of the denominator. Papers use both 10^4 and 10^6 yuan.

    Returns
    -------
    EmissionIntensities
        ``co2_tonnes_per_million_yuan_revenue`` and so on, ``ln_`` of it (positive values only) and ``ln1p_`` of it
        (ln(x + 1)); ``ln_co2_tonnes``. Zero or negative denominators give missing, never zero.

    Raises
    ------
    DataError
        If columns are missing, the unit is unknown, emissions are negative, or no denominator is named.
    """
    given = {"revenue": revenue, "assets": assets, "output": output}
    denominators = {name: column for name, column in given.items() if column}
    need_columns(data, [co2, *denominators.values()], "data")
    if not denominators or per not in UNIT_WORDS:
        raise DataError(f"name at least one of revenue, assets, output; per is one of {', '.join(UNIT_WORDS)}")
    tonnes = pd.to_numeric(data[co2]).astype("float64")
    if (tonnes < 0).any():
        raise DataError(f"{co2} has {int((tonnes < 0).sum())} negative values; emissions are zero or more")
    result, rows, undefined, warnings = data.copy(), [], [], []
    result["ln_co2_tonnes"] = np.log(tonnes.where(tonnes > 0))
    rows.append(("ln_co2_tonnes", "log of t CO2", f"ln({co2})"))
    undefined.append(("ln_co2_tonnes", "emissions are zero", int((tonnes == 0).sum())))
    for name, column in denominators.items():
        amount = pd.to_numeric(data[column]).astype("float64")
        value = tonnes / (amount.where(amount > 0) / YUAN[per])
        label = f"co2_tonnes_per_{UNIT_WORDS[per]}_{name}"
        result[label] = value
        result[f"ln_{label}"] = np.log(value.where(value > 0))
        result[f"ln1p_{label}"] = np.log1p(value)
        unit = f"t CO2 per {per}"
        rows += [
            (label, unit, f"{co2} / ({column} / {YUAN[per]:.0e})"),
            (f"ln_{label}", f"log of {unit}", f"ln({label})"),
            (f"ln1p_{label}", f"log of {unit} + 1", f"ln({label} + 1)"),
        ]
        undefined += [
            (label, f"{column} is zero or negative", int((amount <= 0).sum())),
            (label, f"{column} is missing", int(amount.isna().sum())),
            (label, "emissions are missing", int(tonnes.isna().sum())),
            (f"ln_{label}", "the intensity is zero", int((value == 0).sum())),
        ]
        warnings += _magnitude(value * YUAN["10^6 yuan"] / YUAN[per], label)
    lost = pd.DataFrame(undefined, columns=["column", "reason", "rows"])
    return EmissionIntensities(
        result, _described(result, rows), lost[lost["rows"] > 0].reset_index(drop=True), tuple(warnings)
    )


def _magnitude(per_million: pd.Series, label: str) -> list[str]:
    """Warn of a median that no industry has."""
    median = float(per_million.median()) if per_million.notna().any() else np.nan
    if np.isnan(median) or PLAUSIBLE_MEDIAN[0] <= median <= PLAUSIBLE_MEDIAN[1]:
        return []
    return [
        f"the median of {label} is {median:.3g} t per million yuan, outside {PLAUSIBLE_MEDIAN[0]:g} to "
        f"{PLAUSIBLE_MEDIAN[1]:g}: check the units of emissions and of money"
    ]


def _described(data: pd.DataFrame, rows: list[tuple[str, str, str]]) -> pd.DataFrame:
    """Table of the new columns."""
    table = pd.DataFrame(rows, columns=["column", "unit", "formula"])
    values = [data[column] for column in table["column"]]
    table["observations"] = [int(each.notna().sum()) for each in values]
    table["mean"] = [float(each.mean()) if each.notna().any() else np.nan for each in values]
    table["median"] = [float(each.median()) if each.notna().any() else np.nan for each in values]
    return table
