"""Sectors that the carbon-trading pilots cover, as industries of the CSRC guide."""

from __future__ import annotations

import re

import pandas as pd

from econometrics.reference import load_reference
from shuzhi import DataError


def covered_industries() -> pd.DataFrame:
    """Industries that each carbon-trading pilot covers.

    Returns
    -------
    pandas.DataFrame
        ``code``, ``region``, ``sector``, ``csrc2012`` (a division such as D44, or letters of whole sections),
        ``is_complete`` (whether the list of the pilot is whole), ``note``.
    """
    return load_reference("carbon_trading_sectors").data


def is_covered(policy: str, places: pd.Series, industries: pd.Series) -> tuple[pd.Series, str]:
    """Whether the pilot of a place covers an industry.

    Parameters
    ----------
    policy : str
        Must be ``carbon_trading_pilots``.
    places : pandas.Series
        Codes of prefectures.
    industries : pandas.Series
        Industry codes with their letter, such as C36 or D44.

    Returns
    -------
    pandas.Series, str
        True, False, or missing where the industry is not known or the list of the pilot is not whole and does not name
        it; False outside the pilots. And the assumption in words.

    Raises
    ------
    DataError
        For another policy.
    """
    if policy != "carbon_trading_pilots":
        raise DataError(f"only carbon_trading_pilots has sectors, not {policy}: leave industry out")
    table = covered_industries()
    rules = {
        str(code): ({part for each in rows["csrc2012"] for part in each.split()}, bool(rows["is_complete"].all()))
        for code, rows in table.groupby("code", sort=True)
    }
    pairs = list(zip(places, [_plain(each) for each in industries], strict=True))
    known = {pair: _one(pair, rules) for pair in dict.fromkeys(pairs)}
    covered = pd.Series([known[pair] for pair in pairs], index=places.index, dtype="boolean")
    words = (
        "carbon trading treats the industries of covered sectors (all their firms, though the pilots cover firms above "
        "a threshold); industries that an incomplete list does not name are missing"
    )
    return covered, words


def _plain(value: object) -> str | None:
    """C3670 and c36 to C36."""
    found = re.match(r"\s*([A-Za-z])(\d{2})", str(value))
    return f"{found[1].upper()}{found[2]}" if found else None


def _one(pair: tuple[object, str | None], rules: dict[str, tuple[set[str], bool]]) -> bool | None:
    """Whether one place covers one industry."""
    place, industry = pair
    if not isinstance(place, str):
        return None
    rule = rules.get(place) or rules.get(place[:2] + "0000")
    if rule is None:
        return False
    if industry is None:
        return None
    parts, is_complete = rule
    if industry in parts or industry[0] in parts:
        return True
    return False if is_complete else None
