"""A panel from its specification: sources joined step by step, and every row and value that was lost accounted for."""

from econometrics.panel.build import build_panel, read_sources, refine_panel
from econometrics.panel.parse import parse_panel_spec
from econometrics.panel.result import Panel
from econometrics.panel.sources import RawTable, Source
from econometrics.panel.spec import PanelSpec

__all__ = [
    "Panel",
    "PanelSpec",
    "RawTable",
    "Source",
    "build_panel",
    "parse_panel_spec",
    "read_sources",
    "refine_panel",
]
