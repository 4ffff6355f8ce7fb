"""The path diagram of a mediation: treatment, mediators, outcome, and the effects on the arrows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from econometrics.figures.base import (
    COLOURS,
    INK,
    Drawing,
    figure_style,
    finished,
    new_figure,
    require_columns,
    settings,
    title_of,
)
from econometrics.tables.model import MINUS, Cell, Language
from econometrics.tables.notes import star_levels, stars_of
from econometrics.tables.words import variable_label, word

_WIDTH, _BOX, _HEIGHT = 10.0, 2.3, 0.9  # of the plane and of a box, in its own units
_ACROSS, _UP = 0.72, 0.55  # inches of a unit
_LEFT, _SERIAL_STEP, _SERIAL_LEVEL = 1.3, 4.9, 3.4


def mediation_path_diagram(
    effects: pd.DataFrame,
    *,
    treatment: str,
    outcome: str,
    labels: Mapping[str, str] | None = None,
    stars: bool | Sequence[float] = True,
    digits: int = 3,
    language: Language = "zh",
    title: str = "",
    font: str | Path | None = None,
) -> Drawing:
    """Draw the paths from a treatment through its mediators to an outcome.

    Parameters
    ----------
    effects : DataFrame
        Columns effect, mediator, estimate, standard_error, p_value, interval_low, interval_high. Effects a (treatment
        to mediator) and b (mediator to outcome) belong to a mediator, direct and total to none; d goes from the
        mediator that its column term names first to the one in mediator; indirect is printed below with its interval.
        Rows of other effects are not drawn.
    treatment, outcome : str
        Names of the variables.
    labels : mapping of str to str, optional
        What variables are called.
    stars : bool or sequence of float
        Stars at 10, 5 and 1 %, none, or the levels that get one star each.
    digits : int
        Decimal places.
    language : {'zh', 'en'}
        The language of the figure's own words.
    title : str
        Title.
    font : str or Path, optional
        A font file for Chinese.

    Raises
    ------
    DataError
        If a column is missing or there are no rows of paths a and b.
    """
    require_columns(effects, ["effect", "mediator", "estimate"], "path diagram")
    paths = effects[effects["effect"].isin(["a", "b"])]
    require_columns(paths, [], "path diagram: effects a and b")
    labels = labels or {}
    mediators = list(dict.fromkeys(paths["mediator"].astype(str)))
    words = _Numbers(effects, star_levels(stars), digits, language)
    style = figure_style(language, font)
    lines = words.sums(labels)
    serial = bool((effects["effect"] == "d").any())
    with settings(style):
        height = _SERIAL_LEVEL + 1.0 if serial else 1.9 * len(mediators) + 1.6
        height += 0.6 * (len(mediators) - 2) if serial else 0
        width = 2 * _LEFT + 4.8 + _SERIAL_STEP * (len(mediators) - 1) if serial else _WIDTH
        figure = new_figure(_ACROSS * width, _UP * height + 0.24 * len(lines) + 0.3)
        axes = figure.add_subplot()
        axes.set_axis_off()
        axes.set_xlim(0, width)
        axes.set_ylim(-0.42 * len(lines), height)
        places = _places(mediators, width, serial=serial)
        ends = ((_LEFT, 0.6), (width - _LEFT, 0.6))
        for (x, y), name in [*zip(ends, (treatment, outcome), strict=True), *((places[own], own) for own in mediators)]:
            _box(axes, x, y, variable_label(name, labels))
        _paths(axes, words, places, ends, serial=serial)
        for number, line in enumerate(lines):
            axes.text(width / 2, -0.42 * (number + 0.4), line, ha="center", va="center", fontsize=9)
        title_of(axes, title)
        return finished(figure, style, title)


Place = tuple[float, float]


def _places(mediators: Sequence[str], width: float, *, serial: bool) -> dict[str, Place]:
    """Put parallel mediators above each other, serial ones beside each other."""
    if not serial:
        return {name: (width / 2, 0.6 + 1.9 * (number + 1)) for number, name in enumerate(mediators)}
    return {name: (_LEFT + 2.4 + _SERIAL_STEP * number, _SERIAL_LEVEL) for number, name in enumerate(mediators)}


def _paths(axes: Any, words: _Numbers, places: Mapping[str, Place], ends: tuple[Place, Place], *, serial: bool) -> None:
    (left, low), (right, _) = ends
    _arrow(axes, (left + _BOX / 2, low), (right - _BOX / 2, low), words.path("direct", None))
    for name, (x, level) in places.items():
        # Serial mediators are entered from below, so that the path between them stays free.
        shift = (0.0, -_HEIGHT / 2) if serial else (-_BOX / 2, 0.0)
        start, end = (left, low + _HEIGHT / 2), (x + shift[0] - (0.3 if serial else 0), level + shift[1])
        _arrow(axes, start, end, words.path("a", name), share=0.85 if serial else 0.6)
        start, end = (x - shift[0] + (0.3 if serial else 0), level + shift[1]), (right, low + _HEIGHT / 2)
        _arrow(axes, start, end, words.path("b", name), share=0.45 if serial else 0.4)
    for later, earlier, text in words.between():
        start, end = places[earlier], places[later]
        near = abs(list(places).index(later) - list(places).index(earlier)) == 1
        if near:
            _arrow(axes, (start[0] + _BOX / 2, start[1]), (end[0] - _BOX / 2, end[1]), text)
        else:
            top = _HEIGHT / 2
            _arrow(axes, (start[0], start[1] + top), (end[0], end[1] + top), text, bend=-0.12)


class _Numbers:
    """What is printed on the arrows and below the diagram."""

    def __init__(self, effects: pd.DataFrame, levels: Sequence[float], digits: int, language: Language) -> None:
        self.effects, self.levels, self.digits, self.language = effects, levels, digits, language

    def _row(self, effect: str, mediator: str | None) -> pd.Series | None:
        own = self.effects[self.effects["effect"] == effect]
        if mediator is not None:
            own = own[own["mediator"].astype(str) == mediator]
        return None if own.empty else own.iloc[0]

    def _number(self, row: pd.Series, name: str) -> float:
        return float(row[name]) if name in row.index and pd.notna(row[name]) else float("nan")

    def path(self, effect: str, mediator: str | None) -> str:
        row = self._row(effect, mediator)
        return "" if row is None else self._shown("c'" if effect == "direct" else effect, row)

    def _shown(self, name: str, row: pd.Series) -> str:
        stars = stars_of(self._number(row, "p_value"), self.levels)
        shown = f"{name} = {Cell((float(row['estimate']),), digits=self.digits, stars=stars).shown(MINUS)}"
        error = self._number(row, "standard_error")
        return shown if math.isnan(error) else f"{shown} ({Cell((error,), digits=self.digits).shown(MINUS)})"

    def between(self) -> list[tuple[str, str, str]]:
        """Return later mediator, earlier mediator and text of each path between mediators."""
        own = self.effects[self.effects["effect"] == "d"]
        found = []
        for row in own.to_dict("records"):
            earlier = str(row["term"]).split(" -> ")[0]
            found.append((str(row["mediator"]), earlier, self._shown("d", pd.Series(row))))
        return found

    def sums(self, labels: Mapping[str, str]) -> list[str]:
        paths = list(dict.fromkeys(self.effects.loc[self.effects["effect"] == "indirect", "mediator"].astype(str)))
        lines = []
        for path in paths:
            head = word("indirect", self.language)
            if len(paths) > 1:
                name = " → ".join(variable_label(part, labels) for part in path.split(" -> "))
                head += f"（{name}）" if self.language == "zh" else f" ({name})"
            lines.append(self._sum("indirect", path, head))
        if len(paths) > 1:
            lines.append(self._sum("total_indirect", None, word("total_indirect", self.language)))
        lines.append(self._sum("total", None, word("total", self.language)))
        return [line for line in lines if line]

    def _sum(self, effect: str, mediator: str | None, head: str) -> str:
        row = self._row(effect, mediator)
        if row is None:
            return ""
        shown = Cell((float(row["estimate"]),), digits=self.digits).shown(MINUS)
        low, high = self._number(row, "interval_low"), self._number(row, "interval_high")
        if math.isfinite(low) and math.isfinite(high):
            between = "，95% 区间 " if self.language == "zh" else ", 95% interval "
            shown += between + Cell((low, high), digits=self.digits).shown(MINUS)
        return f"{head} {shown}"


def _box(axes: Any, x: float, y: float, text: str) -> None:
    from matplotlib.patches import FancyBboxPatch

    shape = FancyBboxPatch(
        (x - _BOX / 2, y - _HEIGHT / 2),
        _BOX,
        _HEIGHT,
        boxstyle="round,pad=0,rounding_size=0.12",
        facecolor="white",
        edgecolor=INK,
        linewidth=1.0,
        zorder=3,
    )
    axes.add_patch(shape)
    axes.text(x, y, _folded(text), ha="center", va="center", zorder=4, fontsize=10, linespacing=1.25)


def _folded(text: str, most: int = 18) -> str:
    """Break a label that is wider than its box into two lines, at a space if there is one."""
    from econometrics.tables.text import text_width

    if text_width(text) <= most:
        return text
    words = text.split(" ")
    pieces, joint = (words, " ") if len(words) > 1 else (list(text), "")
    cuts = range(1, len(pieces))
    wider = {cut: max(text_width(joint.join(part)) for part in (pieces[:cut], pieces[cut:])) for cut in cuts}
    best = min(cuts, key=lambda cut: wider[cut])
    return f"{joint.join(pieces[:best])}\n{joint.join(pieces[best:])}"


def _arrow(axes: Any, start: Place, end: Place, text: str, *, share: float | None = None, bend: float = 0.0) -> None:
    """Draw an arrow with its text: above its middle, or on it at a share of its length."""
    look: dict[str, Any] = {
        "arrowstyle": "-|>,head_width=0.22,head_length=0.5",
        "color": COLOURS[0],
        "linewidth": 1.2,
        "shrinkA": 0,
        "shrinkB": 1,
    }
    if bend:
        look["connectionstyle"] = f"arc3,rad={bend}"
    axes.annotate("", end, start, arrowprops=look, zorder=2)
    part = 0.5 if share is None else share
    x, y = (begin + part * (finish - begin) for begin, finish in zip(start, end, strict=True))
    if share is None:
        height = 0.15 + abs(bend) * (end[0] - start[0]) / 2 * _ACROSS / _UP
        axes.text(x, y + height, text, fontsize=9, ha="center", va="bottom", zorder=3)
    else:
        back = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
        axes.text(x, y, text, fontsize=9, ha="center", va="center", bbox=back, zorder=3)
