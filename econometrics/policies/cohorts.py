"""Cohorts of policies: which prefectures are treated from which year on, by named coding rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from econometrics.reference import Reference, load_reference
from shuzhi import DataError

Policy = Literal[
    "low_carbon_pilots", "carbon_trading_pilots", "broadband_china", "bigdata_zones", "key_air_control_cities_2013"
]
PilotRule = Literal["first", "named_first", "city_only", "any"]
Timing = Literal["force", "notice"]
POLICIES: tuple[str, ...] = (
    "low_carbon_pilots",
    "carbon_trading_pilots",
    "broadband_china",
    "bigdata_zones",
    "key_air_control_cities_2013",
)
_RULES = {
    "first": "the earliest of the listings of a city and of its province",
    "named_first": "a city's own listing, else that of its province",
    "city_only": "only cities listed by name; provinces do not count",
    "any": "the earliest of the listings of a city, of its province and of a county in it",
}


@dataclass(frozen=True)
class PolicyCohorts:
    """Places of a policy with the year in which each is first treated.

    Attributes
    ----------
    policy : str
        Name of the policy.
    data : pandas.DataFrame
        ``code`` (prefecture of 2019), ``name``, ``first_treated_year``; treated places only, sorted by code.
    assumptions, warnings : tuple of str
        Rules and cautions in words.
    """

    policy: str
    data: pd.DataFrame
    assumptions: tuple[str, ...]
    warnings: tuple[str, ...]


def policy_cohorts(
    policy: Policy,
    *,
    rule: PilotRule = "first",
    timing: Timing = "force",
    with_counties: bool = True,
    with_unverified: bool = True,
) -> PolicyCohorts:
    """Places and first years of a policy.

    Parameters
    ----------
    policy : str
        One of :data:`POLICIES`.
    rule : {"first", "named_first", "city_only", "any"}
        Low-carbon pilots only: what counts where a province and a city in it are both listed.
    timing : {"force", "notice"}
        Year in force or year of the notice. Low-carbon pilots: 2010, 2013, 2017 or 2010, 2012, 2017; carbon trading:
        start of trading (2013, 2014, 2016) or approval (2011). The other policies have one year.
    with_counties : bool
        Broadband China only: whether a county-level city (昆山) treats its prefecture.
    with_unverified : bool
        Whether rows that nobody verified count, such as Fujian in carbon trading.

    Returns
    -------
    PolicyCohorts

    Raises
    ------
    DataError
        If there is no such policy, rule or timing.
    """
    readers: Mapping[str, Callable[[Reference], tuple[pd.DataFrame, str]]] = {
        "low_carbon_pilots": lambda table: _low_carbon(table, rule, timing),
        "carbon_trading_pilots": lambda table: _carbon_trading(table, timing, with_unverified),
        "broadband_china": lambda table: _broadband(table, with_counties),
        "bigdata_zones": lambda table: (
            _expanded(table.data, "code", "year"),
            "provinces count as all their prefectures",
        ),
        "key_air_control_cities_2013": lambda table: (_expanded(table.data, "code", "year"), "as listed"),
    }
    if policy not in readers:
        raise DataError(f"no policy named {policy!r}; there are {', '.join(POLICIES)}")
    if rule not in _RULES or timing not in ("force", "notice"):
        raise DataError(
            f"rule is one of {', '.join(_RULES)} and timing is force or notice, not {rule!r} and {timing!r}"
        )
    name = "low_carbon_pilots_by_city" if policy == "low_carbon_pilots" else policy
    table = load_reference(name)
    rows, words = readers[policy](table)
    first = rows.groupby("code", sort=True)["first_treated_year"].min().astype("int64").reset_index()
    names = load_reference("china_admin_codes").data.set_index("code")["name"]
    first.insert(1, "name", first["code"].map(names))
    warnings = (table.caution,) if table.caution and not _only_verified(policy, with_unverified) else ()
    return PolicyCohorts(policy, first, (f"{policy}: {words}",), warnings)


def _only_verified(policy: str, with_unverified: bool) -> bool:
    """Whether the rows used are all verified although the table is not."""
    return policy == "carbon_trading_pilots" and not with_unverified


def _low_carbon(table: Reference, rule: PilotRule, timing: Timing) -> tuple[pd.DataFrame, str]:
    """Cohorts of the low-carbon pilots; the notice of the second batch is of 2012, in force it is from 2013."""
    rows = table.data.rename(columns={f"year_{rule}": "first_treated_year"})[["code", "first_treated_year"]].dropna()
    if timing == "notice":
        rows["first_treated_year"] = rows["first_treated_year"].replace(_notice_years())
    year = "year of the notice" if timing == "notice" else "year in force"
    return rows, f"{_RULES[rule]}; {year}"


def _notice_years() -> dict[int, int]:
    """Year in force to year of the notice of each batch."""
    pilots = load_reference("low_carbon_pilots").data
    pairs = pilots[["year_in_force", "year_issued"]].drop_duplicates()
    return {int(force): int(notice) for force, notice in pairs.itertuples(index=False)}


def _carbon_trading(table: Reference, timing: Timing, with_unverified: bool) -> tuple[pd.DataFrame, str]:
    """Cohorts of the carbon-trading pilots; Shenzhen began before Guangdong."""
    column = "start_year" if timing == "force" else "year_did_2011"
    rows = table.data if with_unverified else table.data[table.data["verified"]]
    words = "start of trading" if timing == "force" else "approval of 2011; 福建省 was not approved then"
    return _expanded(rows.dropna(subset=[column]), "code", column), f"{words}; provinces count as all their prefectures"


def _broadband(table: Reference, with_counties: bool) -> tuple[pd.DataFrame, str]:
    """Cohorts of Broadband China."""
    rows = table.data if with_counties else table.data[table.data["code"] == table.data["match_code"]]
    words = "a county-level city treats its prefecture" if with_counties else "county-level cities are left out"
    return _expanded(rows, "match_code", "batch_year"), words


def _expanded(rows: pd.DataFrame, code: str, year: str) -> pd.DataFrame:
    """Prefectures of the places listed: a province becomes its prefectures."""
    admin = load_reference("china_admin_codes").data
    own = rows[rows[code].isin(admin["code"])][[code, year]].rename(columns={code: "code"})
    whole = rows[~rows[code].isin(admin["code"])][[code, year]]
    inside = whole.merge(
        admin[["code", "province_code"]], left_on=code, right_on="province_code", suffixes=("_given", "")
    )
    found = pd.concat([own, inside[["code", year]]], ignore_index=True)
    return found.rename(columns={year: "first_treated_year"})
