"""How a sample is split into groups: by a column, thresholds, quantiles, market value or a policy."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import numpy as np
import pandas as pd

from econometrics.estimation.sample import no_column, numeric_values
from shuzhi import DataError

# Large firms above 50 billion yuan, small ones below 10 billion.
MARKET_VALUE_THRESHOLDS = (10e9, 50e9)

Moment = Literal["first", "last", "most_common"]


@dataclass(frozen=True)
class Grouping:
    """A split of the rows of a data frame.

    Parameters
    ----------
    name : str
        What the sample is split by.
    labels : Series of str
        Group of each row, on the index of the data frame; missing where a row belongs to none.
    groups : tuple of str
        Groups in their order; differences are taken to the first.
    rule : str
        In words.
    """

    name: str
    labels: pd.Series
    groups: tuple[str, ...]
    rule: str

    def counts(self) -> pd.Series:
        """Rows by group, in the order of the groups, and those without one under the label ``missing``."""
        counted = self.labels.value_counts().reindex(list(self.groups), fill_value=0)
        missing = int(self.labels.isna().sum())
        return pd.concat([counted, pd.Series({"missing": missing})]) if missing else counted


def group_by_column(data: pd.DataFrame, column: str, *, order: Sequence[object] | None = None) -> Grouping:
    """Take the values of a column as groups.

    Parameters
    ----------
    data : DataFrame
        The rows to split.
    column : str
        Column of groups (ownership, region, pollution class).
    order : sequence, optional
        Values to use, in their order, the first being the reference; by default all, sorted.

    Returns
    -------
    Grouping
        Rows whose value is missing or not in `order` belong to no group.

    Raises
    ------
    DataError
        When there is no such column, or fewer than two values.
    """
    values = _column(data, column)
    present = sorted(values.dropna().unique(), key=lambda value: (isinstance(value, str), value))
    chosen = present if order is None else list(order)
    absent = [value for value in chosen if value not in present]
    if absent:
        raise DataError(f"column {column} has no value {', '.join(map(str, absent))}; it has {present[:10]}")
    names = {value: group_text(value) for value in chosen}
    return _checked(column, values.map(names).astype("str"), tuple(names.values()), f"by {column}")


def group_by_threshold(
    data: pd.DataFrame, column: str, thresholds: Sequence[float], *, names: Sequence[str] | None = None
) -> Grouping:
    """Split at fixed values; a value on a threshold belongs to the upper group.

    Parameters
    ----------
    data : DataFrame
        The rows to split.
    column : str
        Numeric column.
    thresholds : sequence of float
        Rising values, in the unit of the column.
    names : sequence of str, optional
        One name more than thresholds, from the lowest group on.

    Returns
    -------
    Grouping
        Groups from low to high.

    Raises
    ------
    DataError
        When the thresholds do not rise, names do not fit, or fewer than two groups have rows.
    """
    cuts = [float(value) for value in thresholds]
    if not cuts or any(b <= a for a, b in pairwise(cuts)):
        raise DataError(f"thresholds must be one or more rising numbers; got {cuts}")
    values = _numbers(data, column)
    given = tuple(names) if names is not None else _interval_names(cuts)
    if len(given) != len(cuts) + 1:
        raise DataError(f"{len(cuts)} thresholds make {len(cuts) + 1} groups; got {len(given)} names")
    place = np.searchsorted(cuts, values, side="right")
    rule = f"by {column} at {', '.join(f'{cut:g}' for cut in cuts)}, a value on a threshold in the upper group"
    return _checked(column, _named(data.index, place, values, given), given, rule)


def group_by_market_value(data: pd.DataFrame, column: str, *, yuan_per_unit: float = 1.0) -> Grouping:
    """Split firms by market value: small below 10, medium below 50, large from 50 billion yuan on.

    Parameters
    ----------
    data : DataFrame
        The rows to split.
    column : str
        Market value.
    yuan_per_unit : float
        Yuan in one unit of the column, such as 1e8 for a column in 100 million yuan.

    Returns
    -------
    Grouping
        Groups small, medium and large, those that have rows.
    """
    cuts = [value / yuan_per_unit for value in MARKET_VALUE_THRESHOLDS]
    grouping = group_by_threshold(data, column, cuts, names=("small", "medium", "large"))
    return replace(grouping, rule=f"market value ({column}) below 10, from 10 to 50, and from 50 billion yuan on")


def group_by_quantiles(
    data: pd.DataFrame,
    column: str,
    quantiles: int = 3,
    *,
    within: str | None = None,
    names: Sequence[str] | None = None,
) -> Grouping:
    """Split into groups of equal size by a numeric column.

    Parameters
    ----------
    data : DataFrame
        The rows to split.
    column : str
        Numeric column.
    quantiles : int
        Number of groups: 2 at the median, 3 terciles, 4 quartiles.
    within : str, optional
        Column within whose values quantiles are taken (the year); by default over all rows.
    names : sequence of str, optional
        From the lowest group on; by default low, high or low, middle, high or q1, q2, ...

    Returns
    -------
    Grouping
        A value on a quantile belongs to the lower group; rows with missing values belong to none.

    Raises
    ------
    DataError
        When there are fewer than two quantiles or ties leave fewer than two groups.
    """
    if quantiles < 2:
        raise DataError(f"quantiles must be 2 or more; got {quantiles}")
    default = {2: ("low", "high"), 3: ("low", "middle", "high")}
    given = tuple(names) if names is not None else default.get(quantiles, tuple(f"q{i + 1}" for i in range(quantiles)))
    if len(given) != quantiles:
        raise DataError(f"{quantiles} groups need {quantiles} names; got {len(given)}")
    values = _numbers(data, column)
    keys = np.zeros(len(data), dtype=int) if within is None else pd.factorize(_column(data, within))[0]
    place = np.full(len(data), -1)
    probabilities = np.arange(1, quantiles) / quantiles
    for key in np.unique(keys[keys >= 0]):
        rows = np.flatnonzero((keys == key) & np.isfinite(values))
        if rows.size:
            place[rows] = np.searchsorted(np.quantile(values[rows], probabilities), values[rows], side="left")
    scope = f"within {within}" if within else "over all rows"
    usable = np.where(place >= 0, values, np.nan)
    labels = _named(data.index, np.maximum(place, 0), usable, given)
    return _checked(column, labels, given, f"{quantiles} quantiles of {column} {scope}")


def group_by_policy(
    data: pd.DataFrame, first_treated: str, *, time: str | None = None, names: tuple[str, str] = ("outside", "inside")
) -> Grouping:
    """Split by a policy: places that ever have it, or rows in which it is in force.

    Parameters
    ----------
    data : DataFrame
        The rows to split.
    first_treated : str
        First period of the policy; missing or 0 where there is none.
    time : str, optional
        Column of periods; with it a row is inside from the first period on, without it always if the policy ever comes.
    names : tuple of str
        Names of rows outside and inside.

    Returns
    -------
    Grouping
        Two groups.
    """
    first = _numbers(data, first_treated)
    ever = np.isfinite(first) & (first != 0)
    inside = ever if time is None else ever & (_numbers(data, time) >= np.where(ever, first, np.inf))
    rule = f"{first_treated} ever" if time is None else f"{first_treated} in force in {time}"
    labels = _named(data.index, inside.astype(int), np.zeros(len(data)), names)
    return _checked(first_treated, labels, names, rule)


def fix_within_unit(
    grouping: Grouping, data: pd.DataFrame, unit: str, *, time: str | None = None, at: Moment = "first"
) -> Grouping:
    """Give each unit one group for all its rows, as a comparison that permutes whole units needs.

    Parameters
    ----------
    grouping : Grouping
        Groups that may change within a unit.
    data : DataFrame
        The rows that were split.
    unit : str
        Column of units (firms).
    time : str, optional
        Column of periods, needed for first and last.
    at : {"first", "last", "most_common"}
        Group in the unit's first or last period with a group, or the most common one (of ties the first in order).

    Returns
    -------
    Grouping
        The same groups.

    Raises
    ------
    DataError
        When a column is missing.
    """
    frame = pd.DataFrame({"unit": _column(data, unit), "label": grouping.labels})
    frame["place"] = frame["label"].map({name: place for place, name in enumerate(grouping.groups)})
    if at == "most_common":
        counts = frame.dropna().groupby(["unit", "place"]).size().reset_index(name="rows")
        chosen = counts.sort_values(["unit", "rows", "place"], ascending=[True, False, True], kind="stable")
    else:
        if time is None:
            raise DataError(f"to take the {at} group of each unit name the column of periods (time=...)")
        frame["time"] = _column(data, time)
        chosen = frame.dropna().sort_values(["unit", "time"], ascending=[True, at == "first"], kind="stable")
    one = chosen.drop_duplicates("unit").set_index("unit")["place"]
    place = frame["unit"].map(one)
    labels = _named(data.index, place.fillna(0).astype(int).to_numpy(), place.to_numpy(dtype=float), grouping.groups)
    return _checked(grouping.name, labels, grouping.groups, f"{grouping.rule}, {at.replace('_', ' ')} of each {unit}")


def as_grouping(data: pd.DataFrame, group: "str | Grouping") -> Grouping:
    """Take a grouping or the name of a column of groups.

    Parameters
    ----------
    data : DataFrame
        The rows to split.
    group : str or Grouping
        Column or grouping made from these rows.

    Raises
    ------
    DataError
        When the grouping belongs to other rows.
    """
    if isinstance(group, str):
        return group_by_column(data, group)
    if not group.labels.index.equals(data.index):
        raise DataError(f"the grouping {group.name} was made for other rows; make it from the data frame that is used")
    return group


def _column(data: pd.DataFrame, name: str) -> pd.Series:
    found = int((data.columns == name).sum())
    if not found:
        raise DataError(f"{no_column(name, data)} to split by; there are {', '.join(map(str, data.columns))}")
    if found > 1:
        raise DataError(f"column {name!r} occurs {found} times")
    return data[name]


def _numbers(data: pd.DataFrame, name: str) -> np.ndarray:
    column = _column(data, name)
    if not pd.api.types.is_numeric_dtype(column):
        raise DataError(f"column {name!r} is not numeric ({column.dtype}); split by its values with group_by_column")
    return numeric_values(column)


def group_text(value: object) -> str:
    """Name of the group of a value: whole numbers without a decimal point.

    Parameters
    ----------
    value : object
        Value of a column of groups.
    """
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value)


def _interval_names(cuts: Sequence[float]) -> tuple[str, ...]:
    middle = [f"{a:g} to {b:g}" for a, b in pairwise(cuts)]
    return (f"below {cuts[0]:g}", *middle, f"{cuts[-1]:g} and above")


def _named(index: pd.Index, place: np.ndarray, values: np.ndarray, names: Sequence[str]) -> pd.Series:
    labels = pd.Series(np.asarray(names, dtype=object)[place], index=index, dtype="str")
    return labels.mask(np.isnan(values))


def _checked(name: str, labels: pd.Series, groups: tuple[str, ...], rule: str) -> Grouping:
    present = set(labels.dropna().unique())
    used = tuple(group for group in groups if group in present)
    if len(used) < 2:
        raise DataError(f"splitting by {name} leaves {len(used)} group(s) with rows; at least 2 are needed")
    return Grouping(name, labels, used, rule)
