"""Charts of the report: inline SVG drawn by small functions, sharp in print and in the reader's colours."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

Row = dict[str, Any]
NO_YEAR = "—"


# Charts: numbers in, SVG out. Nothing but numbers and years ever stands in them, so nothing needs escaping.

_WIDTH, _HEIGHT = 520, 230
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 12, 12, 30


def line_chart(years: Sequence[Row]) -> Markup:
    """Draw mean, median and the middle half of the firms by year; a year without values leaves a gap."""
    if not years:
        return Markup("")
    first, last = years[0]["year"], years[-1]["year"]
    ticks = round_steps(max(max(row["high"], row["mean"]) for row in years))

    def at(row: Row, name: str) -> str:
        across = 0.5 if first == last else (row["year"] - first) / (last - first)
        return f"{_across(across):.1f},{_down(row[name] / ticks[-1]):.1f}"

    parts = [_grid(ticks), _year_labels(first, last)]
    for run in _runs(years):
        outline = [at(row, "high") for row in run] + [at(row, "low") for row in reversed(run)]
        parts.append(f'<polygon class="band" points="{" ".join(outline)}"/>')
        for name in ("median", "mean"):
            parts.append(f'<polyline class="{name}" points="{" ".join(at(row, name) for row in run)}"/>')
    for row in years:
        for name in ("median", "mean"):
            x, y = at(row, name).split(",")
            parts.append(f'<circle class="{name}" cx="{x}" cy="{y}" r="3"/>')
    return _svg(parts)


def bar_chart(rows: Sequence[Row], read_first: bool) -> Markup:
    """Draw files by year, those read below and the others stacked on them."""
    rows = [row for row in rows if row["year"] != NO_YEAR]
    if not rows:
        return Markup("")
    first, last = int(rows[0]["year"]), int(rows[-1]["year"])
    ticks = round_steps(max(row["files"] for row in rows))
    step = 1 / (last - first + 1)
    parts = [_grid(ticks), _year_labels(first, last, middle=True)]
    for row in rows:
        left, right = (_across((int(row["year"]) - first + edge) * step) for edge in (0.2, 0.8))
        read = row["counts"][0] if read_first else 0
        for name, low, high in (("read", 0, read), ("unread", read, row["files"])):
            top, bottom = _down(high / ticks[-1]), _down(low / ticks[-1])
            shape = f'x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" height="{bottom - top:.1f}"'
            parts.append(f'<rect class="{name}" {shape}/>' if high > low else "")
    return _svg(parts)


def histogram(values: npt.NDArray[np.float64]) -> Markup:
    """Draw how many firms have which value."""
    if not len(values):
        return Markup("")
    bounds = round_steps(float(values.max()))
    counts, edges = np.histogram(values, bins=20, range=(0.0, bounds[-1]))
    ticks = round_steps(int(counts.max()))
    parts = [_grid(ticks)]
    for count, low, high in zip(counts, edges[:-1], edges[1:], strict=True):
        left, right = _across(low / bounds[-1]), _across(high / bounds[-1])
        top = _down(count / ticks[-1])
        shape = f'x="{left + 0.5:.1f}" y="{top:.1f}" width="{right - left - 1:.1f}" height="{_down(0) - top:.1f}"'
        parts.append(f'<rect class="read" {shape}/>' if count else "")
    parts += [_label_below(_across(tick / bounds[-1]), f"{tick:g}") for tick in bounds]
    return _svg(parts)


def _runs(years: Sequence[Row]) -> list[list[Row]]:
    runs: list[list[Row]] = []
    for row in years:
        if runs and row["year"] - runs[-1][-1]["year"] == 1:
            runs[-1].append(row)
        else:
            runs.append([row])
    return runs


def round_steps(top: float) -> list[float]:
    """Return round numbers from 0 to at least `top`, and whole ones where `top` is an integer."""
    rough = max(top, 1e-9) / 4
    scale = 10.0 ** math.floor(math.log10(rough))
    step = next(scale * factor for factor in (1, 2, 2.5, 5, 10) if scale * factor >= rough * (1 - 1e-9))
    if top == 0:
        step = 1.0
    elif isinstance(top, int):
        step = max(1.0, math.ceil(step))
    return [step * number for number in range(max(1, math.ceil(top / step - 1e-9)) + 1)]


def _across(share: float) -> float:
    return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)


def _down(share: float) -> float:
    return _HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM)


def _grid(ticks: Sequence[float]) -> str:
    lines = []
    for tick in ticks:
        y = _down(tick / ticks[-1])
        lines.append(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        shown = f"{tick:,.0f}" if tick >= 1000 else f"{tick:g}"
        lines.append(f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{shown}</text>')
    return "".join(lines)


def _year_labels(first: int, last: int, middle: bool = False) -> str:
    span = last - first + 1
    every = math.ceil(span / 10)
    labels = []
    for year in range(first, last + 1, every):
        share = (year - first + 0.5) / span if middle or span == 1 else (year - first) / (span - 1)
        labels.append(_label_below(_across(share), str(year)))
    return "".join(labels)


def _label_below(x: float, text: str) -> str:
    return f'<text x="{x:.1f}" y="{_HEIGHT - _BOTTOM + 18}" text-anchor="middle">{text}</text>'


def _svg(parts: Iterable[str]) -> Markup:
    return Markup(f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" aria-hidden="true">{"".join(parts)}</svg>')
