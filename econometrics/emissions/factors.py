"""Factors that turn energy and activities into CO2, each taken from the shipped tables with its source."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Literal

import numpy as np

from econometrics.emissions.units import co2_per_carbon, energy_constant
from econometrics.reference import load_reference
from shuzhi import DataError

FactorSet = Literal[
    "NDRC_enterprise_guideline_2015",
    "GB/T_32151.22-2024_C1",
    "NDRC_provincial_guideline_2011_industry_others",
    "IPCC_2006",
    "CEADs_Shan2018",
]


@dataclass(frozen=True)
class StandardCoalFactor:
    """Carbon in a tonne of standard coal; the product with 44/12 is computed, not stored.

    Attributes
    ----------
    name : str
        Name of the set, such as ``xiamen_0.68``.
    carbon_tonnes_per_tce : float
        Tonnes of carbon per tonne of standard coal.
    co2_per_carbon : float
        44/12.
    verified : bool
        Whether the factor was compared with its document.
    note : str
        Where it comes from.
    """

    name: str
    carbon_tonnes_per_tce: float
    co2_per_carbon: float
    verified: bool
    note: str

    @property
    def co2_tonnes_per_tce(self) -> float:
        """Tonnes of CO2 per tonne of standard coal."""
        return self.carbon_tonnes_per_tce * self.co2_per_carbon

    @property
    def co2_tonnes_per_tonne_raw_coal(self) -> float:
        """Tonnes of CO2 per tonne of raw coal, which holds 0.7143 tce."""
        return self.co2_tonnes_per_tce * energy_constant("raw_coal_tce_per_tonne")

    def describe(self) -> str:
        """The factor as an assumption in words."""
        return (
            f"{self.carbon_tonnes_per_tce:g} t C per tonne of standard coal x 44/12 = {self.co2_tonnes_per_tce:.4f} "
            f"t CO2 per tce ({self.name}{'' if self.verified else ', not verified'})"
        )


@dataclass(frozen=True)
class FuelFactor:
    """Emission factor of one fuel: net calorific value x carbon content x oxidation x 44/12.

    Attributes
    ----------
    fuel, name, factor_set : str
        Key, Chinese name and set of the factor.
    unit : str
        Unit of the fuel, such as ``t`` or ``10^4 m3``.
    net_calorific_value_gj : float
        GJ per unit.
    carbon_content_tonnes_per_tj : float
        t C per TJ.
    oxidation_share : float
        Share of the carbon that burns.
    verified : bool
        Whether the factor was compared with its document.
    """

    fuel: str
    name: str
    factor_set: str
    unit: str
    net_calorific_value_gj: float
    carbon_content_tonnes_per_tj: float
    oxidation_share: float
    verified: bool

    @property
    def co2_tonnes_per_unit(self) -> float:
        """Tonnes of CO2 per unit of the fuel (NDRC enterprise guidelines 2013-2015; IPCC 2006, Vol. 2)."""
        carbon = self.net_calorific_value_gj * self.carbon_content_tonnes_per_tj / 1000
        return carbon * self.oxidation_share * co2_per_carbon()


def standard_coal_factor(name: str = "xiamen_0.68") -> StandardCoalFactor:
    """Factor per tonne of standard coal.

    Parameters
    ----------
    name : str
        Set in the table ``standard_coal_factors``.

    Raises
    ------
    DataError
        If there is no such set.
    """
    table = load_reference("standard_coal_factors").data
    found = table[table["set"] == name]
    if found.empty:
        raise DataError(f"no factor of standard coal named {name!r}; there are {', '.join(table['set'])}")
    row = found.iloc[0]
    return StandardCoalFactor(
        name, float(row["carbon_t_per_tce"]), co2_per_carbon(), bool(row["verified"]), str(row["note"])
    )


def fuel_factor(
    fuel: str,
    factor_set: FactorSet = "NDRC_enterprise_guideline_2015",
    *,
    oxidation_share: float | None = None,
) -> FuelFactor:
    """Factor of one fuel.

    Parameters
    ----------
    fuel : str
        Key such as ``bituminous`` or ``natural_gas``, or the Chinese name in the table ``emission_factors``.
    factor_set : str
        Which set of defaults.
    oxidation_share : float, optional
        Share burnt, in place of the set's own; needed for sets that give none.

    Raises
    ------
    DataError
        If the set or the fuel is unknown (the nearest name is given), or no oxidation is known.
    """
    table = load_reference("emission_factors").data
    usable = table[table["carbon_content_tc_per_tj"].notna()]
    rows = usable[usable["set"] == factor_set]
    if rows.empty:
        raise DataError(f"no set of emission factors {factor_set!r}; there are {', '.join(usable['set'].unique())}")
    found = rows[(rows["fuel"] == fuel) | (rows["name"] == fuel)]
    if found.empty:
        near = difflib.get_close_matches(fuel, list(rows["fuel"]) + list(rows["name"]), n=1)
        hint = f"; did you mean {near[0]}?" if near else f"; it has {', '.join(rows['fuel'])}"
        extra = (
            " 原煤 is no fuel of this set: name its rank, such as bituminous" if fuel in ("raw_coal", "原煤") else ""
        )
        raise DataError(f"the set {factor_set} has no fuel {fuel!r}{hint}{extra}")
    row = found.iloc[0]
    oxidation = float(row["oxidation_pct"]) / 100 if oxidation_share is None else oxidation_share
    if np.isnan(oxidation) or not 0 < oxidation <= 1:
        raise DataError(f"the set {factor_set} gives no oxidation of {fuel}: pass oxidation_share between 0 and 1")
    return FuelFactor(
        str(row["fuel"]),
        str(row["name"]),
        factor_set,
        str(row["unit"]),
        float(row["ncv_gj_per_unit"]),
        float(row["carbon_content_tc_per_tj"]),
        oxidation,
        bool(row["verified"]),
    )


def activity_factor(activity: str) -> tuple[float, str, bool]:
    """Default of an activity that burns no fuel: factor, unit of the activity, whether verified.

    Parameters
    ----------
    activity : str
        Key in the table ``activity_factors``.

    Raises
    ------
    DataError
        If the table has no such activity.
    """
    table = load_reference("activity_factors").data
    found = table[table["activity"] == activity]
    if found.empty:
        raise DataError(f"no default for the activity {activity!r}; there are {', '.join(table['activity'])}")
    row = found.iloc[0]
    return float(row["factor"]), str(row["unit"]), bool(row["verified"])


def warming_potential(gas: str, report: Literal["AR4", "AR5"] = "AR4") -> float:
    """Global warming potential of a gas over 100 years (IPCC).

    Parameters
    ----------
    gas : str
        CO2, CH4 or N2O.
    report : {"AR4", "AR5"}
        Assessment report of the IPCC.
    """
    table = load_reference("warming_potentials").data
    found = table[(table["gas"] == gas) & (table["report"] == report)]
    if found.empty:
        raise DataError(f"no warming potential of {gas} in {report}; there are CO2, CH4 and N2O in AR4 and AR5")
    return float(found["gwp_100"].iloc[0])
