"""How a study's specification splits a sample into groups, and whether the groups can bear what is asked of them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from econometrics.declarations.yaml_lines import Problem
from econometrics.heterogeneity.groupings import (
    Grouping,
    fix_within_unit,
    group_by_column,
    group_by_market_value,
    group_by_policy,
    group_by_quantiles,
    group_by_threshold,
)
from econometrics.spec.groups import GroupingSpec
from econometrics.spec.models import full_model
from econometrics.spec.specification import StudySpec
from shuzhi import DataError


def grouping_for(by: GroupingSpec, data: pd.DataFrame, firm: str, year: str) -> Grouping:
    """Split a sample as a specification says.

    Parameters
    ----------
    by : GroupingSpec
        By what.
    data : DataFrame, one row a firm-year
        The sample.
    firm, year : str
        Its keys.

    Raises
    ------
    DataError
        If there are fewer than two groups, or names do not fit.
    """
    grouping = _split(by, data, year)
    if by.one_group_a_firm is not None:
        grouping = fix_within_unit(grouping, data, firm, time=year, at=by.one_group_a_firm)
    return grouping


def _split(by: GroupingSpec, data: pd.DataFrame, year: str) -> Grouping:
    if by.column is not None:
        found = group_by_column(data, by.column, order=by.order)
    elif by.cut is not None:
        return group_by_threshold(data, by.cut, by.at or [], names=by.names)
    elif by.quantiles_of is not None:
        return group_by_quantiles(data, by.quantiles_of, by.quantiles, within=by.within, names=by.names)
    elif by.policy is not None:
        found = group_by_policy(data, by.policy, time=year if by.in_force else None)
    else:
        found = group_by_market_value(data, str(by.market_value), yuan_per_unit=by.yuan_per_unit)
    return renamed(found, by.names) if by.names else found


def renamed(grouping: Grouping, names: list[str]) -> Grouping:
    """Return a grouping whose groups are called otherwise, in their order.

    Raises
    ------
    DataError
        If there are not as many names as groups.
    """
    if len(names) != len(grouping.groups):
        groups = ", ".join(grouping.groups)
        raise DataError(f"{len(names)} names for the {len(grouping.groups)} groups of {grouping.name}: {groups}")
    new = dict(zip(grouping.groups, names, strict=True))
    return Grouping(grouping.name, grouping.labels.map(new).astype("str"), tuple(names), grouping.rule)


def group_problems(spec: StudySpec, name: str, data: pd.DataFrame) -> Iterator[Problem]:
    """Say what is wrong with a split of a study, now that its sample is known.

    Parameters
    ----------
    spec : StudySpec
        The study.
    name : str
        A split of it whose columns are all there.
    data : DataFrame, one row a firm-year
        The rows of the sample that fulfil the model's condition.
    """
    each, keys = spec.heterogeneity[name], spec.panel
    place = ("heterogeneity", name, "by")
    try:
        grouping = grouping_for(each.by, data, keys.firm, keys.year)
    except DataError as error:
        yield place, str(error)
        return
    counts = (
        grouping.labels[usable_rows(spec, each.model, data)].value_counts().reindex(list(grouping.groups), fill_value=0)
    )
    for group, count in counts.items():
        if count < each.minimum_rows:
            words = f"group '{group}' has {count:,} usable rows, fewer than minimum_rows: {each.minimum_rows}"
            yield place, f"{words}; cut otherwise, leave it out with order:, or lower minimum_rows:"
    changing = changing_units(grouping, data[keys.firm])
    if changing and each.permute == "firm":
        words = f"{changing:,} of {data[keys.firm].nunique():,} firms change their group, and firms are permuted"
        yield place, f"{words}; write one_group_a_firm: first, last or most_common, or permute: row or none"


def changing_units(grouping: Grouping, units: pd.Series) -> int:
    """Return how many units have more than one group."""
    known = grouping.labels.notna()
    return int((grouping.labels[known].groupby(units[known]).nunique() > 1).sum())


def usable_rows(spec: StudySpec, model: str, data: pd.DataFrame) -> pd.Series:
    """Return which rows have a value of everything that a model needs.

    Parameters
    ----------
    spec : StudySpec
        The study.
    model : str
        One of its models.
    data : DataFrame
        The rows.
    """
    columns = data[list(full_model(spec, model).columns)]
    numbers = columns.select_dtypes("number").to_numpy(dtype="float64", na_value=np.nan)
    usable: pd.Series = columns.notna().all(axis=1) & np.isfinite(numbers).all(axis=1)
    return usable
