"""What all figures share: style, one frozen drawing that gives SVG and PNG, checks of their frames."""

from __future__ import annotations

import difflib
import hashlib
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from econometrics.figures.fonts import use_chinese_font
from econometrics.tables.model import Language
from shuzhi import DataError

INK, QUIET, GRID = "#1d2229", "#646d78", "#dfe3e8"
# Blue, ochre, green, purple, red, grey: told apart by colour-blind readers and, with their markers, in print.
COLOURS = ("#1f4e79", "#b0752a", "#2f7d5b", "#7a4b94", "#a63d40", "#646d78")
MARKERS = ("o", "s", "^", "D", "v", "P")
SvgText = Literal["outlines", "text"]


@dataclass(frozen=True)
class Drawing:
    """A finished figure with the settings under which it was drawn.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The figure; it belongs to no window and no global state.
    style : mapping of str to object
        matplotlib settings.
    title : str
        What the figure shows, for the file's metadata and for readers who hear it.
    """

    figure: Any
    style: Mapping[str, Any] = field(repr=False)
    title: str = ""

    def svg(self, text: SvgText = "outlines") -> str:
        """Return the figure as SVG; the same figure gives the same text.

        Parameters
        ----------
        text : {'outlines', 'text'}
            Letters as shapes, which look the same everywhere, or as text, which can be searched but needs the font
            of this machine on the reader's.
        """
        out = io.StringIO()
        kind = {"svg.fonttype": "path" if text == "outlines" else "none", "svg.hashsalt": "shuzhi"}
        metadata = {"Date": None, "Creator": None} | ({"Title": self.title} if self.title else {})
        with settings({**self.style, **kind}):
            self.figure.savefig(out, format="svg", metadata=metadata)
        return _own_names(re.sub(r"(?s)^.*?(?=<svg )", "", out.getvalue(), count=1))

    def png(self, dots_per_inch: int = 200) -> bytes:
        """Return the figure as PNG; the same figure gives the same bytes.

        Parameters
        ----------
        dots_per_inch : int
            Dots per inch of the width and height in inches.
        """
        out = io.BytesIO()
        with settings(self.style):
            self.figure.savefig(out, format="png", dpi=dots_per_inch, metadata={"Software": None})
        return out.getvalue()


def _own_names(svg: str) -> str:
    """Give the names inside an SVG a prefix of their own, so that several can stand in one page."""
    used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', svg))
    prefix = hashlib.sha256(svg.encode("utf-8")).hexdigest()[:8]

    def renamed(found: re.Match[str]) -> str:
        return f' id="{prefix}-{found[1]}"' if found[1] in used else ""

    svg = re.sub(r' id="([^"]*)"', renamed, svg)
    return re.sub(r'(href="#|url\(#)', rf"\g<1>{prefix}-", svg)


def settings(style: Mapping[str, Any]) -> Any:
    """Return a context in which matplotlib has the given settings; it takes them back at its end."""
    import matplotlib as mpl

    chosen: Any = dict(style)
    return mpl.rc_context(chosen)


def figure_style(language: Language = "zh", font: str | Path | None = None) -> dict[str, Any]:
    """Return the settings of all figures: type, thin axes, no box.

    Parameters
    ----------
    language : {'zh', 'en'}
        English figures do without a Chinese font; their labels may still hold Chinese if one is installed.
    font : str or Path, optional
        A font file instead of the installed Chinese ones.
    """
    import warnings

    with warnings.catch_warnings():
        if language == "en":
            warnings.simplefilter("ignore")
        style = use_chinese_font(font)
    if language == "en":
        style["font.family"] = ["DejaVu Sans", *[family for family in style["font.family"] if family != "DejaVu Sans"]]
    return style | {
        "font.size": 9.5,
        "axes.titlesize": 11,
        "axes.labelsize": 9.5,
        "axes.edgecolor": QUIET,
        "axes.labelcolor": INK,
        "axes.linewidth": 0.7,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "xtick.color": QUIET,
        "ytick.color": QUIET,
        "xtick.labelcolor": INK,
        "ytick.labelcolor": INK,
        "text.color": INK,
        "grid.color": GRID,
        "grid.linewidth": 0.6,
        "legend.frameon": False,
        "text.parse_math": False,
        "lines.linewidth": 1.5,
        "savefig.facecolor": "white",
    }


def new_figure(width: float, height: float) -> Any:
    """Return an empty figure of a size in inches whose parts make room for each other."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def finished(figure: Any, style: Mapping[str, Any], title: str) -> Drawing:
    """Return a figure as a drawing whose layout is settled, so that every file of it has the same one."""
    for _ in range(2):
        figure.draw_without_rendering()
    figure.set_layout_engine("none")
    return Drawing(figure, style, title)


def require_columns(frame: pd.DataFrame, columns: Sequence[str], figure: str) -> None:
    """Raise a `DataError` that names every column that a figure needs and the frame does not have."""
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        near = [difflib.get_close_matches(name, map(str, frame.columns), n=1) for name in missing]
        shown = [
            f"{name!r}" + (f" (did you mean {match[0]!r}?)" if match else "")
            for name, match in zip(missing, near, strict=True)
        ]
        raise DataError(
            f"{figure}: the frame has no column {', '.join(shown)}; it has {', '.join(map(str, frame.columns))}"
        )
    if frame.empty:
        raise DataError(f"{figure}: the frame has no rows")


def integer_ticks(axis: Any) -> None:
    """Let an axis of years or periods have whole numbers only."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axis.set_major_locator(MaxNLocator(integer=True, nbins=12))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0f}"))


def zero_line(axes: Any, *, across: bool) -> None:
    """Draw the line of no effect: across the figure, or from top to bottom."""
    draw = axes.axhline if across else axes.axvline
    draw(0, color=QUIET, linewidth=0.8, zorder=1)


def title_of(axes: Any, title: str) -> None:
    """Set a title at the left, where reading begins."""
    if title:
        axes.set_title(title, loc="left", fontweight="normal", pad=10)


def error_lengths(frame: pd.DataFrame) -> Any:
    """Return the distances from estimates to interval ends, two rows; nothing where an end is missing."""
    import numpy as np

    lengths = np.vstack([frame["estimate"] - frame["interval_low"], frame["interval_high"] - frame["estimate"]]).astype(
        "float64"
    )
    return np.where(np.isfinite(lengths), np.maximum(lengths, 0.0), 0.0)
