"""Emissions as a data vendor gives them: columns found, components added up and held against the total."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from econometrics.reference import load_reference, where_to_get
from shuzhi import DataError

COMPONENTS = ("combustion_escape", "process", "waste", "land_use")


@dataclass(frozen=True)
class VendorEmissions:
    """Emissions of a vendor in the columns of this package.

    Attributes
    ----------
    data : pandas.DataFrame
        The rows given; the columns found are renamed to ``co2_<item>_tonnes``, with ``co2_<component>_tonnes`` for the
        four components, ``co2_components_tonnes`` (their sum) and ``co2_tonnes`` (the vendor's total).
    columns : pandas.DataFrame
        ``given``, ``column``, ``component``: what was read as what.
    disagreements : pandas.DataFrame
        Rows in which total and components differ by more than the tolerance, with ``difference_share``.
    checks : pandas.DataFrame
        ``check``, ``rows``.
    warnings : tuple of str
        In words.
    """

    data: pd.DataFrame
    columns: pd.DataFrame
    disagreements: pd.DataFrame
    checks: pd.DataFrame
    warnings: tuple[str, ...]

    def summary(self) -> str:
        """The checks in plain text."""
        lines = [f"{row.check}: {row.rows:,}" for row in self.checks.itertuples()]
        return "\n".join(lines + [f"warning: {each}" for each in self.warnings])


def vendor_emissions(
    data: pd.DataFrame,
    *,
    columns: Mapping[str, str] | None = None,
    unit: str = "t",
    tolerance: float = 1e-3,
) -> VendorEmissions:
    """Read the emissions of a commercial panel and check its components against its total.

    Parameters
    ----------
    data : DataFrame
        The vendor's file as it comes; units in brackets and spaces in the headers do not matter.
    columns : mapping of str to str, optional
        Header to item of ``listed_emission_columns`` (``production_process``, ``total`` ...), beside those headers.
    unit : {"t", "10^4 t", "10^6 t", "kg"}
        Unit of the vendor's values.
    tolerance : float
        Relative difference of total and sum above which a row is listed.

    Returns
    -------
    VendorEmissions

    Raises
    ------
    DataError
        If no column is recognised, two headers mean the same item, an item is unknown, or the unit is.
    """
    scales = {"t": 1.0, "10^4 t": 1e4, "10^6 t": 1e6, "kg": 1e-3}
    if unit not in scales:
        raise DataError(f"unknown unit {unit!r} of emissions; known are {', '.join(scales)}")
    table = load_reference("listed_emission_columns").data
    found = _recognise(data, table, columns or {})
    component_of = dict(zip(table["item"], table["component"], strict=True))
    names = {header: "co2_tonnes" if item == "total" else f"co2_{item}_tonnes" for header, item in found.items()}
    result = data.rename(columns=names)
    for name in names.values():
        result[name] = pd.to_numeric(result[name], errors="raise").astype("float64") * scales[unit]
    for component in COMPONENTS:
        items = [names[header] for header, item in found.items() if component_of[item] == component]
        if items:
            result[f"co2_{component}_tonnes"] = result[items].sum(axis=1, skipna=False)
    parts = [f"co2_{each}_tonnes" for each in COMPONENTS if f"co2_{each}_tonnes" in result.columns]
    result["co2_components_tonnes"] = (
        result[parts].sum(axis=1, skipna=False) if len(parts) == len(COMPONENTS) else np.nan
    )
    mapping = pd.DataFrame(
        [(header, names[header], component_of[item]) for header, item in found.items()],
        columns=["given", "column", "component"],
    )
    missing = [item for item in table["item"] if item not in found.values()]
    return _checked(result, mapping, list(names.values()), missing, tolerance)


def _plain(header: object) -> str:
    """A header without spaces, units and brackets' kind: 上市公司碳排放总量（吨） is 上市公司碳排放总量."""
    text = re.sub(r"\s+", "", str(header)).replace("(", "（").replace(")", "）")
    return re.sub(r"（(?:吨|万吨|t|tCO2|吨CO2|吨二氧化碳)）$|_?(?:吨|万吨)$", "", text, flags=re.IGNORECASE)


def _recognise(data: pd.DataFrame, table: pd.DataFrame, extra: Mapping[str, str]) -> dict[str, str]:
    """Header of the file to item."""
    known = {_plain(name): item for name, item in zip(table["column_zh"], table["item"], strict=True)}
    unknown = sorted(set(extra.values()) - set(table["item"]))
    absent = sorted(set(extra) - set(map(str, data.columns)))
    if unknown or absent:
        raise DataError(
            f"columns: unknown items {', '.join(unknown) or 'none'} (known: {', '.join(table['item'])}); "
            f"headers that the file does not have: {', '.join(absent) or 'none'}"
        )
    found = {str(header): known[_plain(header)] for header in data.columns if _plain(header) in known}
    found |= dict(extra)
    if not found:
        raise DataError(
            f"no column of emissions was recognised among {', '.join(map(str, data.columns))}; name them in columns. "
            + where_to_get("listed_firm_emissions")
        )
    items = pd.Series(found)
    twice = items[items.duplicated(keep=False)]
    if len(twice):
        raise DataError(
            "two headers mean one item: " + ", ".join(f"{header} ({item})" for header, item in twice.items())
        )
    return found


def _checked(
    data: pd.DataFrame, mapping: pd.DataFrame, read: list[str], missing: list[str], tolerance: float
) -> VendorEmissions:
    """Hold the total against the sum of the components."""
    warnings = []
    if missing:
        warnings.append(
            f"the file has no column for {', '.join(missing)}: components with a part missing are not summed"
        )
    checks = [("rows", len(data))]
    negative = int((data[read] < 0).any(axis=1).sum())
    checks.append(("rows with a negative value", negative))
    disagreements = data.iloc[:0]
    if "co2_tonnes" in data.columns:
        total, parts = data["co2_tonnes"], data["co2_components_tonnes"]
        base = pd.concat([total.abs(), parts.abs()], axis=1).max(axis=1)
        difference = ((total - parts).abs() / base.where(base > 0)).where(base > 0, (total - parts).abs())
        comparable = total.notna() & parts.notna()
        apart = comparable & (difference > tolerance)
        disagreements = data[apart].assign(difference_share=difference[apart])
        checks += [
            ("rows with a total", int(total.notna().sum())),
            ("rows with total and all components", int(comparable.sum())),
            (f"rows where they differ by more than {tolerance:g}", len(disagreements)),
            ("rows with a total of zero", int((total == 0).sum())),
        ]
    if len(disagreements):
        warnings.append(f"in {len(disagreements)} rows the components do not add up to the total; see disagreements")
    if negative:
        warnings.append(f"{negative} rows hold a negative value")
    return VendorEmissions(
        data, mapping, disagreements, pd.DataFrame(checks, columns=["check", "rows"]), tuple(warnings)
    )
