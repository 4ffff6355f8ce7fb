"""Figures for the paper and the report: data frames in, drawings out that give SVG and PNG.

No figure touches pyplot or leaves a setting behind; the same frame gives the same bytes.
"""

from __future__ import annotations

from econometrics.figure_base import Drawing, figure_style
from econometrics.figure_curve import specification_curve
from econometrics.figure_estimates import coefficient_plot, event_study_plot, marginal_effects_plot
from econometrics.figure_path import mediation_path_diagram
from econometrics.figure_trends import trend_plot, yearly_values
from econometrics.fonts import ChineseFont, ChineseFontWarning, find_chinese_font, use_chinese_font

__all__ = [
    "ChineseFont",
    "ChineseFontWarning",
    "Drawing",
    "coefficient_plot",
    "event_study_plot",
    "figure_style",
    "find_chinese_font",
    "marginal_effects_plot",
    "mediation_path_diagram",
    "specification_curve",
    "trend_plot",
    "use_chinese_font",
    "yearly_values",
]
