"""Units of energy and money, checked: raw coal is not standard coal, and ten thousand tonnes are not tonnes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from econometrics.reference import load_reference
from shuzhi import DataError

EnergyUnit = Literal["tce", "10^4 tce", "10^8 tce", "t raw coal", "10^4 t raw coal", "GJ", "TJ"]
MoneyUnit = Literal["yuan", "10^3 yuan", "10^4 yuan", "10^6 yuan", "10^8 yuan", "10^9 yuan"]

YUAN: Mapping[str, float] = {
    "yuan": 1.0,
    "10^3 yuan": 1e3,
    "10^4 yuan": 1e4,
    "10^6 yuan": 1e6,
    "10^8 yuan": 1e8,
    "10^9 yuan": 1e9,
}
_MONEY_NAMES = {"元": "yuan", "千元": "10^3 yuan", "万元": "10^4 yuan", "百万元": "10^6 yuan", "亿元": "10^8 yuan"}
_MONEY_NAMES |= {"十亿元": "10^9 yuan", "million yuan": "10^6 yuan", "billion yuan": "10^9 yuan"}
_ENERGY_NAMES = {
    "吨标准煤": "tce",
    "吨标煤": "tce",
    "t standard coal": "tce",
    "万吨标准煤": "10^4 tce",
    "万吨标煤": "10^4 tce",
    "10^4 t standard coal": "10^4 tce",
    "亿吨标准煤": "10^8 tce",
    "吨原煤": "t raw coal",
    "万吨原煤": "10^4 t raw coal",
    "吉焦": "GJ",
    "太焦": "TJ",
}
_BARE_TONNES = {"t", "吨", "万吨", "10^4 t", "tonne", "tonnes", "t coal", "吨煤", "万吨煤", "10^4 t coal"}
# The median division of industry used 7 to 20 million tce a year from 1995 to 2020, the largest 850 million; given in
# 10^4 tce the largest number is 85,000, so no reading of one unit falls into the range of the other.
DIVISION_TCE = (1e5, 1.5e9)
# More than all of China uses in a year.
LARGEST_TCE = 7e9


@dataclass(frozen=True)
class Quantity:
    """Numbers with their unit.

    Attributes
    ----------
    values : pandas.Series
        The numbers; missing stays missing.
    unit : str
        Unit in the words of this module, such as ``10^4 tce``.
    """

    values: pd.Series
    unit: str

    def to_tce(self, plausible: tuple[float, float] | None = DIVISION_TCE) -> pd.Series:
        """Tonnes of standard coal; see :func:`energy_in_tce`."""
        return energy_in_tce(self.values, self.unit, plausible=plausible)


def energy_constant(name: str) -> float:
    """One number of the table ``energy_constants``.

    Parameters
    ----------
    name : str
        Such as ``raw_coal_tce_per_tonne``.
    """
    table = load_reference("energy_constants").data.set_index("constant")["value"]
    return float(table[name])


def co2_per_carbon() -> float:
    """Tonnes of CO2 per tonne of carbon, 44/12."""
    return energy_constant("molar_mass_co2") / energy_constant("molar_mass_carbon")


def energy_unit(name: str) -> EnergyUnit:
    """The unit that a text means.

    Parameters
    ----------
    name : str
        English or Chinese, such as ``10^4 tce`` or ``万吨标准煤``.

    Raises
    ------
    DataError
        If the unit is unknown, or says tonnes without saying of what.
    """
    text = re.sub(r"\s+", " ", name.strip())
    found = _ENERGY_NAMES.get(text.replace(" ", ""), _ENERGY_NAMES.get(text, text))
    if found in _tce_per_unit():
        return found  # type: ignore[return-value]
    if text.casefold() in _BARE_TONNES:
        raise DataError(
            f"the unit {name!r} does not say tonnes of what: a tonne of raw coal holds "
            f"{energy_constant('raw_coal_tce_per_tonne')} tce, and a factor per tonne of standard coal on raw coal "
            "overstates emissions by 40 per cent; say 'tce' or 't raw coal' (or '10^4 tce', '10^4 t raw coal')"
        )
    raise DataError(f"unknown unit of energy {name!r}; known are {', '.join(_tce_per_unit())}")


def _tce_per_unit() -> dict[str, float]:
    """Tonnes of standard coal in one of each unit."""
    raw, joule = energy_constant("raw_coal_tce_per_tonne"), energy_constant("gigajoule_per_tce")
    return {
        "tce": 1.0,
        "10^4 tce": 1e4,
        "10^8 tce": 1e8,
        "t raw coal": raw,
        "10^4 t raw coal": 1e4 * raw,
        "GJ": 1.0 / joule,
        "TJ": 1e3 / joule,
    }


def energy_in_tce(
    values: pd.Series, unit: str, *, plausible: tuple[float, float] | None = DIVISION_TCE, name: str = "energy"
) -> pd.Series:
    """Turn energy into tonnes of standard coal and refuse what cannot be the energy of industries.

    Parameters
    ----------
    values : pandas.Series
        Energy in ``unit``; missing stays missing.
    unit : str
        See :func:`energy_unit`.
    plausible : pair of float, optional
        Range in tce in which the median must lie; the default fits two-digit divisions of Chinese industry in a year.
        None switches the check of the median off, as for single firms.
    name : str
        What the message calls the column.

    Returns
    -------
    pandas.Series
        Tonnes of standard coal, on the same rows.

    Raises
    ------
    DataError
        If the unit is unknown, a value is negative or more than China uses, or the median is out of range.

    Notes
    -----
    0.7143 tce a tonne of raw coal: China Energy Statistical Yearbook; 29.3076 GJ a tce: GB/T 2589.
    """
    known = energy_unit(unit)
    tce = pd.to_numeric(values).astype("float64") * _tce_per_unit()[known]
    problems = []
    negative = int((tce < 0).sum())
    if negative:
        problems.append(f"{negative} values are negative")
    above = int((tce > LARGEST_TCE).sum())
    if above:
        problems.append(f"{above} values are more than all of China uses in a year ({LARGEST_TCE:.0e} tce)")
    median = float(tce.median()) if tce.notna().any() else np.nan
    if plausible and not np.isnan(median) and not plausible[0] <= median <= plausible[1]:
        problems.append(
            f"the median of {median:.3g} tce lies outside {plausible[0]:.0e} to {plausible[1]:.1e} tce, "
            "the range of industrial divisions"
        )
    if problems:
        raise DataError(f"{name} in {known}: {'; '.join(problems)}. Check the unit: is it tce, 10^4 tce or raw coal?")
    return tce


def money_in_yuan(values: pd.Series, unit: str) -> pd.Series:
    """Turn amounts of money into yuan.

    Parameters
    ----------
    values : pandas.Series
        Amounts in ``unit``; missing stays missing.
    unit : str
        One of :data:`YUAN`, or 元, 千元, 万元, 百万元, 亿元.

    Raises
    ------
    DataError
        If the unit is unknown.
    """
    text = unit.strip()
    known = _MONEY_NAMES.get(text, text)
    if known not in YUAN:
        raise DataError(f"unknown unit of money {unit!r}; known are {', '.join(YUAN)}")
    return pd.to_numeric(values).astype("float64") * YUAN[known]
