"""The specification curve with the panel of its choices (Simonsohn, Simmons and Nelson 2020)."""

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
    QUIET,
    Drawing,
    error_lengths,
    figure_style,
    finished,
    new_figure,
    require_columns,
    settings,
    title_of,
    zero_line,
)
from econometrics.figures.estimates import INTERVAL_COLUMNS
from econometrics.tables.model import Language
from econometrics.tables.words import variable_label

_WORDS = {
    "estimate": ("估计系数", "Estimate"),
    "median": ("中位数 {0}", "median {0}"),
    "specifications": (
        "{0} 个设定，按系数排序；{1} 个区间不含 0",
        "{0} specifications in the order of their estimates; {1} intervals exclude 0",
    ),
    "null": ("无效应时的 95% 范围", "95% range without an effect"),
    "main": ("基准设定", "main specification"),
    "excludes": ("区间不含 0", "interval excludes 0"),
    "includes": ("区间含 0", "interval includes 0"),
    "failed": ("；另有 {0} 个未能估计", "; {0} more could not be estimated"),
}
_MOST_BARS = 150


def specification_curve(
    estimates: pd.DataFrame,
    choices: Sequence[str],
    *,
    labels: Mapping[str, str] | None = None,
    main: str | None = None,
    language: Language = "zh",
    title: str = "",
    value_label: str = "",
    font: str | Path | None = None,
) -> Drawing:
    """Draw all specifications in the order of their estimates, and below each what was chosen in it.

    Parameters
    ----------
    estimates : DataFrame
        One row a specification: estimate, interval_low, interval_high and one column a choice; null_low and
        null_high add the range of the curve without an effect, in the order of the ranks. Rows without an estimate
        are not drawn but counted in the text below.
    choices : sequence of str
        Columns of the choices, drawn from top to bottom with one line for each of their values.
    labels : mapping of str to str, optional
        What choices and their values are called.
    main : str, optional
        Column of booleans that marks the main specification.
    language : {'zh', 'en'}
        The language of the figure's own words.
    title, value_label : str
        Title; label of the estimates.
    font : str or Path, optional
        A font file for Chinese.

    Raises
    ------
    DataError
        If a column is missing or there are no rows.
    """
    wanted = [*INTERVAL_COLUMNS, *choices, *([main] if main else [])]
    require_columns(estimates, wanted, "specification curve")
    labels = labels or {}
    kept = estimates[np.isfinite(estimates["estimate"].astype("float64"))]
    require_columns(kept, wanted, "specification curve, after rows without an estimate")
    order = kept.sort_values("estimate", kind="stable").reset_index(drop=True)
    lines = [(name, value) for name in choices for value in _values(estimates[name])]
    style = figure_style(language, font)
    with settings(style):
        heights = (2.6, 0.17 * len(lines) + 0.16 * len(choices))
        figure = new_figure(7.2, sum(heights) + 0.9)
        grid = figure.add_gridspec(2, 1, height_ratios=heights, hspace=0.02)
        curve = figure.add_subplot(grid[0])
        panel = figure.add_subplot(grid[1], sharex=curve)
        _curve(curve, order, main, language, value_label)
        _panel(panel, order, lines, labels, main)
        text = _word("specifications", language).format(f"{len(order):,}", f"{int(_excludes_zero(order).sum()):,}")
        if len(order) < len(estimates):
            text += _word("failed", language).format(f"{len(estimates) - len(order):,}")
        panel.set_xlabel(text)
        title_of(curve, title)
        figure.legend(loc="outside lower center", ncols=3, fontsize=8)
        return finished(figure, style, title)


def _word(key: str, language: Language) -> str:
    return _WORDS[key][language == "en"]


def _values(column: pd.Series) -> list[str]:
    return list(dict.fromkeys(column.astype(str)))


def _excludes_zero(frame: pd.DataFrame) -> npt.NDArray[np.bool_]:
    low, high = (frame[end].to_numpy(dtype="float64") for end in ("interval_low", "interval_high"))
    return np.asarray((low > 0) | (high < 0))


def _curve(axes: Any, order: pd.DataFrame, main: str | None, language: Language, value_label: str) -> None:
    ranks = np.arange(len(order))
    values = order["estimate"].to_numpy(dtype="float64")
    clear = _excludes_zero(order)
    if {"null_low", "null_high"} <= set(order.columns):
        low, high = (np.sort(order[end].to_numpy(dtype="float64")) for end in ("null_low", "null_high"))
        axes.fill_between(ranks, low, high, color=GRID, linewidth=0, label=_word("null", language), zorder=0)
    crowded = len(order) > _MOST_BARS
    for chosen, colour, key in ((clear, COLOURS[0], "excludes"), (~clear, COLOURS[1], "includes")):
        if chosen.any():
            axes.errorbar(
                ranks[chosen],
                values[chosen],
                yerr=error_lengths(order)[:, chosen],
                fmt="o",
                markersize=2.2 if crowded else 3.6,
                elinewidth=0.5 if crowded else 0.9,
                color=colour,
                alpha=0.9,
                label=_word(key, language),
            )
    if main is not None:
        _mark_main(axes, order, main, values, language)
    zero_line(axes, across=True)
    median = float(np.median(values))
    axes.axhline(
        median,
        color=QUIET,
        linewidth=0.8,
        linestyle=(0, (4, 3)),
        label=_word("median", language).format(f"{median:.3f}"),
    )
    axes.set_ylabel(value_label or _word("estimate", language))
    axes.tick_params(axis="x", length=0, labelbottom=False)
    axes.spines["bottom"].set_visible(False)
    axes.set_xlim(-1, len(order))


def _mark_main(axes: Any, order: pd.DataFrame, main: str, values: npt.NDArray[np.float64], language: Language) -> None:
    chosen = np.flatnonzero(order[main].fillna(False).astype(bool).to_numpy())
    if len(chosen):
        look = {"color": COLOURS[4], "markersize": 8, "zorder": 5, "label": _word("main", language)}
        axes.plot(chosen, values[chosen], "D", markerfacecolor="none", markeredgewidth=1.4, **look)


def _panel(
    axes: Any, order: pd.DataFrame, lines: Sequence[tuple[str, str]], labels: Mapping[str, str], main: str | None
) -> None:
    heights, height, previous = [], 0.0, ""
    for name, _ in lines:
        height += 1.0 if name == previous else 1.9
        heights.append(height)
        previous = name
    clear = _excludes_zero(order)
    size = max(1.5, min(4.5, 320 / len(order)))
    for (name, value), height in zip(lines, heights, strict=True):
        chosen = np.flatnonzero((order[name].astype(str) == value).to_numpy())
        axes.axhline(height, color=GRID, linewidth=0.5, zorder=0)
        for part, colour in ((chosen[clear[chosen]], COLOURS[0]), (chosen[~clear[chosen]], COLOURS[1])):
            axes.plot(
                part, np.full(len(part), height), "|", color=colour, markersize=size * 1.6, markeredgewidth=size / 2.6
            )
    if main is not None:
        for place in np.flatnonzero(order[main].fillna(False).astype(bool).to_numpy()):
            axes.axvline(place, color=COLOURS[4], linewidth=0.7, zorder=0)
    axes.set_yticks(heights, [variable_label(value, labels) for _, value in lines], fontsize=8)
    for name in dict.fromkeys(name for name, _ in lines):
        first = next(height for (own, _), height in zip(lines, heights, strict=True) if own == name)
        axes.annotate(
            variable_label(name, labels),
            (0, first - 0.95),
            xycoords=("axes fraction", "data"),
            xytext=(-4, 0),
            textcoords="offset points",
            ha="right",
            va="center",
            fontsize=8,
            color=COLOURS[0],
        )
    axes.set_ylim(heights[-1] + 0.8, heights[0] - 1.6)
    axes.tick_params(axis="both", length=0)
    axes.set_xticks([])
    axes.spines["left"].set_visible(False)
    axes.spines["bottom"].set_visible(False)
