"""Figures of estimates: coefficients, event studies, marginal effects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from econometrics.figures.base import (
    COLOURS,
    GRID,
    MARKERS,
    QUIET,
    Drawing,
    error_lengths,
    figure_style,
    finished,
    integer_ticks,
    new_figure,
    require_columns,
    settings,
    title_of,
    zero_line,
)
from econometrics.tables.model import Language
from econometrics.tables.words import variable_label

INTERVAL_COLUMNS = ("estimate", "interval_low", "interval_high")

_WORDS = {
    "coefficient": ("估计系数（95% 置信区间）", "Estimate (95% confidence interval)"),
    "event_time": ("政策实施前后年数", "Years since treatment"),
    "effect": ("处理效应", "Treatment effect"),
    "pointwise": ("逐点 95% 区间", "pointwise 95% interval"),
    "uniform": ("联合 95% 置信带", "uniform 95% band"),
    "marginal": ("边际效应", "Marginal effect"),
    "moderator": ("调节变量", "Moderator"),
    "distribution": ("样本分布", "distribution in the sample"),
}


def figure_word(key: str, language: Language) -> str:
    """Return a word of the figures by its key."""
    return _WORDS[key][language == "en"]


def coefficient_plot(
    estimates: pd.DataFrame,
    *,
    labels: Mapping[str, str] | None = None,
    group: str | None = None,
    language: Language = "zh",
    title: str = "",
    value_label: str = "",
    font: str | Path | None = None,
) -> Drawing:
    """Draw estimates with their intervals, one line a term.

    Parameters
    ----------
    estimates : DataFrame
        Columns term, estimate, interval_low, interval_high; terms stand in their order, from top to bottom. An
        estimate that is missing leaves its line empty.
    labels : mapping of str to str, optional
        What terms and groups are called.
    group : str, optional
        Column of models that stand beside each other in one line, with a legend.
    language : {'zh', 'en'}
        The language of the figure's own words.
    title, value_label : str
        Title; label of the axis.
    font : str or Path, optional
        A font file for Chinese.

    Raises
    ------
    DataError
        If a column is missing or there are no rows.
    """
    require_columns(estimates, ["term", *INTERVAL_COLUMNS, *([group] if group else [])], "coefficient plot")
    labels = labels or {}
    terms = list(dict.fromkeys(estimates["term"].astype(str)))
    groups = list(dict.fromkeys(estimates[group].astype(str))) if group else [""]
    style = figure_style(language, font)
    with settings(style):
        figure = new_figure(6.4, 1.1 + max(len(terms) * (0.24 + 0.14 * len(groups)), 0.8))
        axes = figure.add_subplot()
        for number, name in enumerate(groups):
            own = estimates if group is None else estimates[estimates[group].astype(str) == name]
            shift = (number - (len(groups) - 1) / 2) * 0.7 / len(groups)
            heights = np.array([terms.index(term) for term in own["term"].astype(str)]) + shift
            _points(axes, own, heights, number, upright=False, label=variable_label(name, labels))
        zero_line(axes, across=False)
        axes.set_yticks(range(len(terms)), [variable_label(term, labels) for term in terms])
        axes.set_ylim(len(terms) - 0.5, -0.5)
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x")
        axes.set_axisbelow(True)
        axes.set_xlabel(value_label or figure_word("coefficient", language))
        title_of(axes, title)
        if len(groups) > 1:
            figure.legend(loc="outside lower center", ncols=min(len(groups), 4))
        return finished(figure, style, title)


def _points(
    axes: Any, frame: pd.DataFrame, places: npt.NDArray[Any], number: int, *, upright: bool, label: str
) -> None:
    values = frame["estimate"].to_numpy(dtype="float64")
    look = {
        "fmt": MARKERS[number % len(MARKERS)],
        "color": COLOURS[number % len(COLOURS)],
        "markersize": 4.5,
        "elinewidth": 1.2,
        "label": label or None,
        "zorder": 3,
    }
    if upright:
        axes.errorbar(places, values, yerr=error_lengths(frame), **look)
    else:
        axes.errorbar(values, places, xerr=error_lengths(frame), **look)


def event_study_plot(
    estimates: pd.DataFrame,
    *,
    estimator: str | None = None,
    labels: Mapping[str, str] | None = None,
    language: Language = "zh",
    title: str = "",
    time_label: str = "",
    value_label: str = "",
    font: str | Path | None = None,
) -> Drawing:
    """Draw effects by the time since treatment.

    Parameters
    ----------
    estimates : DataFrame
        Columns event_time, estimate, interval_low, interval_high; uniform_low and uniform_high add a band, and
        is_reference marks the period that is zero by construction (drawn hollow).
    estimator : str, optional
        Column of estimators that stand beside each other, with a legend.
    labels : mapping of str to str, optional
        What estimators are called.
    language : {'zh', 'en'}
        The language of the figure's own words.
    title, time_label, value_label : str
        Title and labels of the axes.
    font : str or Path, optional
        A font file for Chinese.

    Raises
    ------
    DataError
        If a column is missing or there are no rows.
    """
    wanted = ["event_time", *INTERVAL_COLUMNS, *([estimator] if estimator else [])]
    require_columns(estimates, wanted, "event study")
    labels = labels or {}
    names = list(dict.fromkeys(estimates[estimator].astype(str))) if estimator else [""]
    style = figure_style(language, font)
    with settings(style):
        figure = new_figure(6.4, 3.9)
        axes = figure.add_subplot()
        for number, name in enumerate(names):
            own = estimates if estimator is None else estimates[estimates[estimator].astype(str) == name]
            own = own.sort_values("event_time")
            shift = (number - (len(names) - 1) / 2) * 0.6 / len(names)
            _event_points(axes, own, shift, number, variable_label(name, labels), language)
        zero_line(axes, across=True)
        axes.axvline(-0.5, color=QUIET, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
        axes.grid(axis="y")
        axes.set_axisbelow(True)
        integer_ticks(axes.xaxis)
        axes.set_xlabel(time_label or figure_word("event_time", language))
        axes.set_ylabel(value_label or figure_word("effect", language))
        title_of(axes, title)
        if axes.get_legend_handles_labels()[1]:
            figure.legend(loc="outside lower center", ncols=3)
        return finished(figure, style, title)


def _event_points(axes: Any, frame: pd.DataFrame, shift: float, number: int, name: str, language: Language) -> None:
    reference = (
        frame["is_reference"].fillna(False).astype(bool) if "is_reference" in frame else frame["event_time"].isna()
    )
    times = frame["event_time"].to_numpy(dtype="float64") + shift
    has_band = {"uniform_low", "uniform_high"} <= set(frame.columns)
    colour = COLOURS[number % len(COLOURS)]
    if has_band and frame["uniform_low"].notna().any():
        ends = (frame[end].to_numpy(dtype="float64") for end in ("uniform_low", "uniform_high"))
        band = f"{name} {figure_word('uniform', language)}".strip()
        axes.fill_between(times, *ends, color=colour, alpha=0.13, linewidth=0, label=band, zorder=2)
    label = name or (figure_word("pointwise", language) if has_band else "")
    estimated = ~reference.to_numpy()
    _points(axes, frame[estimated], times[estimated], number, upright=True, label=label)
    axes.plot(
        times[~estimated],
        frame.loc[~estimated, "estimate"].to_numpy(dtype="float64"),
        MARKERS[number % len(MARKERS)],
        markerfacecolor="white",
        markeredgecolor=colour,
        markersize=5,
        zorder=4,
    )


def marginal_effects_plot(
    estimates: pd.DataFrame,
    *,
    moderator: str = "moderator",
    observed: Sequence[float] | pd.Series | None = None,
    language: Language = "zh",
    title: str = "",
    moderator_label: str = "",
    value_label: str = "",
    font: str | Path | None = None,
) -> Drawing:
    """Draw the marginal effect over the values of a moderator, with the moderator's distribution below it.

    Parameters
    ----------
    estimates : DataFrame
        Columns estimate, interval_low, interval_high and the moderator's values.
    moderator : str
        Name of the column of values.
    observed : sequence of float, optional
        The moderator in the sample, drawn as a histogram, so that nobody reads an effect where there are no data.
    language : {'zh', 'en'}
        The language of the figure's own words.
    title, moderator_label, value_label : str
        Title and labels of the axes.
    font : str or Path, optional
        A font file for Chinese.

    Raises
    ------
    DataError
        If a column is missing or there are no rows.
    """
    require_columns(estimates, [moderator, *INTERVAL_COLUMNS], "marginal effects")
    own = estimates.sort_values(moderator)
    places = own[moderator].to_numpy(dtype="float64")
    style = figure_style(language, font)
    with settings(style):
        figure = new_figure(6.4, 3.9)
        axes = figure.add_subplot()
        low, high = (own[end].to_numpy(dtype="float64") for end in ("interval_low", "interval_high"))
        axes.fill_between(places, low, high, color=COLOURS[0], alpha=0.15, linewidth=0)
        axes.plot(places, own["estimate"].to_numpy(dtype="float64"), color=COLOURS[0], zorder=3)
        zero_line(axes, across=True)
        if observed is not None:
            _histogram(axes, np.asarray(pd.Series(observed).dropna(), dtype="float64"), places, language)
        axes.grid(axis="y")
        axes.set_axisbelow(True)
        axes.set_xlabel(moderator_label or figure_word("moderator", language))
        axes.set_ylabel(value_label or figure_word("marginal", language))
        title_of(axes, title)
        return finished(figure, style, title)


def _histogram(
    axes: Any, observed: npt.NDArray[np.float64], places: npt.NDArray[np.float64], language: Language
) -> None:
    below = axes.twinx()
    inside = observed[(observed >= places.min()) & (observed <= places.max())]
    counts, _, _ = below.hist(inside, bins=30, color=GRID, edgecolor="white", linewidth=0.4, zorder=0)
    below.set_ylim(0, max(counts.max() * 4, 1))
    below.set_yticks([])
    below.spines["right"].set_visible(False)
    axes.set_zorder(below.get_zorder() + 1)
    axes.patch.set_visible(False)
    below.annotate(
        figure_word("distribution", language),
        (1, 0.02),
        xycoords="axes fraction",
        ha="right",
        fontsize=7.5,
        color=QUIET,
    )
