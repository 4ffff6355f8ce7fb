"""Figures for the paper and the report: data frames in, drawings out that give SVG and PNG.

No figure touches pyplot or leaves a setting behind; the same frame gives the same bytes.
"""

from econometrics.figures.base import Drawing, figure_style
from econometrics.figures.curve import specification_curve
from econometrics.figures.estimates import coefficient_plot, event_study_plot, marginal_effects_plot
from econometrics.figures.fonts import ChineseFont, ChineseFontWarning, find_chinese_font, use_chinese_font
from econometrics.figures.path import mediation_path_diagram
from econometrics.figures.trends import trend_plot, yearly_values

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
