"""The index over the years, by group."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from econometrics.figures.base import (
    COLOURS,
    MARKERS,
    Drawing,
    figure_style,
    finished,
    integer_ticks,
    new_figure,
    require_columns,
    settings,
    title_of,
)
from econometrics.tables.model import Language
from econometrics.tables.words import variable_label

_WORDS = {
    "year": ("年份", "Year"),
    "mean": ("均值（95% 置信区间）", "Mean (95% confidence interval)"),
    "median": ("中位数（中间 50%）", "Median (middle 50%)"),
}


def yearly_values(
    data: pd.DataFrame,
    value: str,
    *,
    year: str = "report_year",
    group: str | None = None,
    statistic: Literal["mean", "median"] = "mean",
) -> pd.DataFrame:
    """Sum up a variable by year and group.

    Parameters
    ----------
    data : DataFrame
        One row a firm-year.
    value : str
        The variable; missing values are left out and not counted.
    year, group : str
        Columns of the year and, if given, of the group; rows where one is missing are left out.
    statistic : {'mean', 'median'}
        The mean with its 95 % interval (normal, independent firms within a year), or the median with the quartiles.

    Returns
    -------
    DataFrame
        Year, group, estimate, interval_low, interval_high, observations; sorted.

    Raises
    ------
    DataError
        If a column is missing or there are no rows.
    """
    keys = [year, *([group] if group else [])]
    require_columns(data, [value, *keys], "yearly values")
    own = data[[*keys, value]].dropna()
    require_columns(own, [], "yearly values, after missing ones")
    grouped = own.groupby(keys, sort=True, observed=True)[value]
    if statistic == "median":
        columns = {"interval_low": 0.25, "estimate": 0.5, "interval_high": 0.75}
        result = pd.DataFrame({name: grouped.quantile(share) for name, share in columns.items()})
    else:
        mean = grouped.mean()
        half: pd.Series = 1.959963984540054 * grouped.std() / np.sqrt(grouped.count())
        result = pd.DataFrame({"estimate": mean, "interval_low": mean - half, "interval_high": mean + half})
    result["observations"] = grouped.count()
    return result.reset_index()[[*keys, "estimate", "interval_low", "interval_high", "observations"]]


def trend_plot(
    yearly: pd.DataFrame,
    *,
    year: str = "report_year",
    group: str | None = None,
    labels: Mapping[str, str] | None = None,
    statistic: Literal["mean", "median"] = "mean",
    language: Language = "zh",
    title: str = "",
    value_label: str = "",
    font: str | Path | None = None,
) -> Drawing:
    """Draw a variable over the years, one line a group; a year without values leaves a gap.

    Parameters
    ----------
    yearly : DataFrame
        Columns of the year, the group if given, estimate, and interval_low and interval_high for a band; see
        `yearly_values`.
    year, group : str
        Names of the columns.
    labels : mapping of str to str, optional
        What groups are called.
    statistic : {'mean', 'median'}
        What the values are, for the label of the axis.
    language : {'zh', 'en'}
        The language of the figure's own words.
    title, value_label : str
        Title; label of the values.
    font : str or Path, optional
        A font file for Chinese.

    Raises
    ------
    DataError
        If a column is missing or there are no rows.
    """
    require_columns(yearly, [year, "estimate", *([group] if group else [])], "trends")
    labels = labels or {}
    names = list(dict.fromkeys(yearly[group].astype(str))) if group else [""]
    years = np.arange(int(yearly[year].min()), int(yearly[year].max()) + 1)
    style = figure_style(language, font)
    with settings(style):
        figure = new_figure(6.4, 3.8)
        axes = figure.add_subplot()
        for number, name in enumerate(names):
            own = yearly if group is None else yearly[yearly[group].astype(str) == name]
            full = own.set_index(own[year].astype(int)).reindex(years)
            look = {"color": COLOURS[number % len(COLOURS)]}
            if {"interval_low", "interval_high"} <= set(full.columns):
                ends = (full[end].to_numpy(dtype="float64") for end in ("interval_low", "interval_high"))
                axes.fill_between(years, *ends, alpha=0.13, linewidth=0, **look)
            marker = MARKERS[number % len(MARKERS)]
            label = variable_label(name, labels) or None
            axes.plot(
                years, full["estimate"].to_numpy(dtype="float64"), marker=marker, markersize=4, label=label, **look
            )
        integer_ticks(axes.xaxis)
        axes.grid(axis="y")
        axes.set_axisbelow(True)
        axes.set_xlabel(_WORDS["year"][language == "en"])
        axes.set_ylabel(value_label or _WORDS[statistic][language == "en"])
        title_of(axes, title)
        if len(names) > 1:
            figure.legend(loc="outside lower center", ncols=min(len(names), 4))
        return finished(figure, style, title)
