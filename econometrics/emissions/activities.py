"""CO2 of single activities: fuels, electricity, heat, process, waste, land, and gases by their warming potential."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from econometrics.emissions.factors import FactorSet, activity_factor, fuel_factor, warming_potential
from econometrics.emissions.grid import GridLevel, YearRule, grid_factors
from econometrics.emissions.units import co2_per_carbon
from econometrics.emissions.vendor import COMPONENTS
from econometrics.reference import load_reference
from shuzhi import DataError

WastewaterTreatment = Literal[
    "aerobic_well_managed",
    "aerobic_overloaded",
    "anaerobic_reactor",
    "anaerobic_shallow_lagoon",
    "anaerobic_deep_lagoon",
]
# Each family of units with its size in the first of the family.
_UNITS: tuple[Mapping[str, float], ...] = (
    {"t": 1.0, "kg": 1e-3, "10^4 t": 1e4, "10^8 t": 1e8},
    {"m3": 1.0, "10^3 m3": 1e3, "10^4 m3": 1e4, "10^8 m3": 1e8},
    {"MWh": 1.0, "kWh": 1e-3, "10^3 kWh": 1.0, "10^4 kWh": 10.0, "10^8 kWh": 1e5, "GWh": 1e3},
    {"GJ": 1.0, "MJ": 1e-3, "TJ": 1e3, "10^4 GJ": 1e4},
    {"ha": 1.0, "mu": 1 / 15, "m2": 1e-4, "km2": 100.0},
    {"kg COD": 1.0, "t COD": 1e3},
    {"kg BOD": 1.0, "t BOD": 1e3},
)
_UNIT_NAMES = {
    "吨": "t", "千克": "kg", "万吨": "10^4 t", "立方米": "m3", "万立方米": "10^4 m3", "10^4 Nm3": "10^4 m3",
    "千瓦时": "kWh", "度": "kWh", "兆瓦时": "MWh", "万千瓦时": "10^4 kWh", "吉焦": "GJ", "百万千焦": "GJ",
    "公顷": "ha", "亩": "mu", "平方米": "m2",
}  # fmt: skip
# Gases escaping or left from biomass: tonnes of gas, component, gas.
_GASES = {
    "biomass_ch4": ("combustion_escape", "CH4"),
    "biomass_n2o": ("combustion_escape", "N2O"),
    "mining_escape_ch4": ("combustion_escape", "CH4"),
    "oil_and_gas_escape_ch4": ("combustion_escape", "CH4"),
    "escape_co2": ("combustion_escape", "CO2"),
}
_PROCESS = ("cement_clinker", "lime", "limestone_flux", "dolomite_flux")
_OTHERS = (
    "purchased_electricity",
    "purchased_heat",
    "municipal_waste_burnt",
    "wastewater_cod",
    "wastewater_bod",
    "forest_to_industrial_land",
)


@dataclass(frozen=True)
class ActivityOptions:
    """Which factors turn activities into CO2.

    Attributes
    ----------
    fuel_set : str
        Set of fuel factors; the NDRC enterprise guideline of 2015 by default.
    grid_level, year_rule : str
        Factor of electricity: by region and the nearest published year by default.
    gwp : {"AR4", "AR5"}
        Warming potentials of methane and nitrous oxide.
    wastewater_treatment : str
        Methane correction of wastewater (IPCC 2006, Vol. 5).
    forest_carbon_tonnes_per_ha : float, optional
        Carbon lost per hectare of forest; the national mean of the forest inventory by default.
    """

    fuel_set: FactorSet = "NDRC_enterprise_guideline_2015"
    grid_level: GridLevel = "region"
    year_rule: YearRule = "nearest"
    gwp: Literal["AR4", "AR5"] = "AR4"
    wastewater_treatment: WastewaterTreatment = "anaerobic_reactor"
    forest_carbon_tonnes_per_ha: float | None = None


@dataclass(frozen=True)
class _Factor:
    """Tonnes of CO2e per unit of an activity."""

    component: str
    value: float
    unit: str
    source: str
    is_verified: bool | None


def convert_units(amount: float, given: str, wanted: str) -> float:
    """Convert an amount between units of one kind.

    Parameters
    ----------
    amount : float
        In ``given``.
    given, wanted : str
        Units, English or Chinese.

    Raises
    ------
    DataError
        If a unit is unknown or the two measure different things.
    """
    have, want = _UNIT_NAMES.get(given.strip(), given.strip()), _UNIT_NAMES.get(wanted.strip(), wanted.strip())
    for family in _UNITS:
        if have in family and want in family:
            return amount * family[have] / family[want]
    raise DataError(f"{given!r} is no unit of what is counted in {wanted!r}")


def activity_names(fuel_set: FactorSet = "NDRC_enterprise_guideline_2015") -> list[str]:
    """Activities that have a factor: fuels of a set, gases, process, waste, land, electricity and heat."""
    table = load_reference("emission_factors").data
    return [*table.loc[table["set"] == fuel_set, "fuel"], *_GASES, *_PROCESS, *_OTHERS]


def activity_tonnes(
    activities: pd.DataFrame, year: str, province: str | None, options: ActivityOptions
) -> pd.DataFrame:
    """CO2 of each activity with the factor that made it.

    Parameters
    ----------
    activities : DataFrame
        ``activity``, ``amount``, ``unit``, the year and, for electricity, the province; optional ``factor`` (t CO2e per
        unit of the row) with ``component`` for factors of a firm's own.
    year, province : str
        Columns; ``province`` may be None where no electricity is bought.
    options : ActivityOptions
        Which factors.

    Returns
    -------
    pandas.DataFrame
        The rows with ``component``, ``factor_co2_tonnes``, ``factor_unit``, ``factor_source``, ``factor_year``,
        ``is_verified``, ``co2_tonnes`` and ``reason``.

    Raises
    ------
    DataError
        All unknown activities, units and components in one message, and negative amounts.
    """
    data = activities.copy()
    own = data["factor"].notna() if "factor" in data.columns else pd.Series(False, index=data.index)
    factors, problems = _factors(data[~own], options)
    amount = pd.to_numeric(data["amount"]).astype("float64")
    if (amount < 0).any():
        problems.append(f"{int((amount < 0).sum())} amounts are negative")
    if own.any():
        problems += _own_problems(data[own])
    scale = _scales(data, own, factors, problems)
    if problems:
        raise DataError("activities: " + "; ".join(problems))
    data = _with_factors(data, own, factors)
    data["reason"] = pd.Series(pd.NA, index=data.index, dtype="str").mask(amount.isna(), "the amount is missing")
    _add_electricity(data, year, province, options)
    data["co2_tonnes"] = amount * scale * pd.to_numeric(data["factor_co2_tonnes"]).astype("float64")
    lost = data["co2_tonnes"].isna() & data["reason"].isna()
    data["reason"] = data["reason"].mask(lost, "no factor")
    return data


def _with_factors(data: pd.DataFrame, own: pd.Series, factors: Mapping[str, _Factor]) -> pd.DataFrame:
    """Put the factor of each row beside it, its own where it has one."""
    nothing = _Factor("", np.nan, "", "", None)
    found = [factors.get(name, nothing) for name in data["activity"].astype("str")]
    index = data.index
    table = pd.DataFrame(
        {
            "component": pd.Series([each.component for each in found], index=index, dtype="str"),
            "factor_co2_tonnes": pd.Series([each.value for each in found], index=index, dtype="float64"),
            "factor_unit": pd.Series([each.unit for each in found], index=index, dtype="str"),
            "factor_source": pd.Series([each.source for each in found], index=index, dtype="str"),
            "is_verified": pd.Series([each.is_verified for each in found], index=index, dtype="boolean"),
            "factor_year": pd.Series(pd.NA, index=index, dtype="Int64"),
        }
    )
    if own.any():
        table["component"] = table["component"].mask(own, data["component"])
        table["factor_co2_tonnes"] = table["factor_co2_tonnes"].mask(own, pd.to_numeric(data["factor"]))
        table["factor_unit"] = table["factor_unit"].mask(own, data["unit"])
        table["factor_source"] = table["factor_source"].mask(own, "given with the activity")
        table["is_verified"] = table["is_verified"].mask(own, pd.NA)
    return data.drop(columns=["factor", "component"], errors="ignore").join(table)


def _factors(data: pd.DataFrame, options: ActivityOptions) -> tuple[dict[str, _Factor], list[str]]:
    """Factor of each activity that occurs, and what is unknown."""
    found: dict[str, _Factor] = {}
    problems = []
    known = activity_names(options.fuel_set)
    for name in dict.fromkeys(data["activity"].astype("str")):
        try:
            found[name] = _factor(name, options)
        except DataError as error:
            near = difflib.get_close_matches(name, known, n=1)
            problems.append(f"unknown activity {name!r}" + (f" (did you mean {near[0]}?)" if near else f": {error}"))
    return found, problems


def _factor(name: str, options: ActivityOptions) -> _Factor:
    """Tonnes of CO2e per unit of one activity."""
    if name in _GASES:
        component, gas = _GASES[name]
        return _Factor(component, warming_potential(gas, options.gwp), "t", f"IPCC {options.gwp}", True)
    if name == "purchased_electricity":
        return _Factor("combustion_escape", np.nan, "MWh", f"grid_factors by {options.grid_level}", None)
    if name in (*_PROCESS, *_OTHERS):
        return _default(name, options)
    fuel = fuel_factor(name, options.fuel_set)
    return _Factor("combustion_escape", fuel.co2_tonnes_per_unit, fuel.unit, fuel.factor_set, fuel.verified)


def _default(name: str, options: ActivityOptions) -> _Factor:
    """Factor of an activity that burns no fuel."""
    if name == "municipal_waste_burnt":
        return _waste()
    if name in ("wastewater_cod", "wastewater_bod"):
        return _wastewater(name, options)
    if name == "forest_to_industrial_land":
        return _land(options)
    value, unit, verified = activity_factor(name)
    component = "process" if name in _PROCESS else "combustion_escape"
    return _Factor(component, value, unit, "activity_factors", verified)


def _waste() -> _Factor:
    """Incineration: carbon x fossil share x efficiency x 44/12, per tonne of waste."""
    names = ("municipal_waste_burnt", "municipal_waste_fossil_share", "municipal_waste_efficiency")
    parts = [activity_factor(name) for name in names]
    value = float(np.prod([part[0] for part in parts])) * co2_per_carbon()
    return _Factor("waste", value, "t", "activity_factors", all(part[2] for part in parts))


def _wastewater(name: str, options: ActivityOptions) -> _Factor:
    """Methane of wastewater: capacity x correction of the treatment x warming potential, per kg of COD or BOD."""
    capacity, unit, first = activity_factor(name)
    correction, _, second = activity_factor(f"methane_correction_{options.wastewater_treatment}")
    value = capacity * correction / 1000 * warming_potential("CH4", options.gwp)
    return _Factor("waste", value, unit, "activity_factors", first and second)


def _land(options: ActivityOptions) -> _Factor:
    """Forest turned into industrial land: carbon per hectare x 44/12."""
    if options.forest_carbon_tonnes_per_ha is not None:
        value = options.forest_carbon_tonnes_per_ha * co2_per_carbon()
        return _Factor("land_use", value, "ha", "carbon per hectare given", None)
    (stock, _, first), (area, _, second) = activity_factor("forest_carbon_stock"), activity_factor("forest_area")
    return _Factor(
        "land_use", stock * 1e8 / (area * 1e4) * co2_per_carbon(), "ha", "activity_factors", first and second
    )


def _own_problems(data: pd.DataFrame) -> list[str]:
    """What is wrong with factors that come with the activities."""
    if "component" not in data.columns:
        return ["rows with a factor of their own need a column component"]
    wrong = sorted(set(data["component"].dropna().astype("str")) - set(COMPONENTS))
    problems = [f"unknown component {name!r}; known are {', '.join(COMPONENTS)}" for name in wrong]
    if data["component"].isna().any():
        problems.append(f"{int(data['component'].isna().sum())} rows with a factor of their own name no component")
    return problems


def _scales(data: pd.DataFrame, own: pd.Series, factors: Mapping[str, _Factor], problems: list[str]) -> pd.Series:
    """Size of each row's unit in the unit of its factor; adds unknown units to the problems."""
    known: dict[tuple[str, str], float] = {}
    pairs = list(zip(data["activity"].astype("str"), data["unit"].astype("str"), strict=True))
    for name, unit in dict.fromkeys(pair for pair, is_own in zip(pairs, own, strict=True) if not is_own):
        known[name, unit] = np.nan
        if name in factors:
            try:
                known[name, unit] = convert_units(1.0, unit, factors[name].unit)
            except DataError as error:
                problems.append(f"{name}: {error}")
    scale = [1.0 if is_own else known[pair] for pair, is_own in zip(pairs, own, strict=True)]
    return pd.Series(scale, index=data.index, dtype="float64")


def _add_electricity(data: pd.DataFrame, year: str, province: str | None, options: ActivityOptions) -> None:
    """Put the grid factor of province and year into the rows of electricity."""
    rows = data["activity"].eq("purchased_electricity") & data["factor_co2_tonnes"].isna()
    if not rows.any():
        return
    if province is None:
        if options.grid_level != "nation":
            raise DataError("activities: electricity needs the province of the firm, or grid_level 'nation'")
        places = pd.Series(pd.NA, index=data.index[rows], dtype="str")
    else:
        places = data.loc[rows, province]
    found = grid_factors(places, data.loc[rows, year], level=options.grid_level, year_rule=options.year_rule)
    for column, name in (("factor_co2_tonnes", "tco2_per_mwh"), ("factor_year",) * 2, ("is_verified",) * 2):
        data.loc[rows, column] = found[name]
    data["reason"] = data["reason"].fillna(found["reason"].reindex(data.index))
