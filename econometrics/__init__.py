"""Regressions on the panel that the indices enter, as plain functions over data frames.

What notebooks need can be taken from here; a module is imported when a name of it is first asked for. A function that
is called like its module is taken from there::

    from econometrics import descriptive_statistics, simulate_panel
    from econometrics.mediate import mediate
    from econometrics.regress import regress

docs/api.md shows them at work.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from econometrics.clusters import attach_clusters, identify_clusters, location_quotient_clusters
    from econometrics.describe import correlation_matrix, descriptive_statistics
    from econometrics.did import bacon_decomposition, callaway_santanna, compare_estimators, event_study, honest_bounds
    from econometrics.heterogeneity import by_group, group_by_quantiles, indirect_by_group
    from econometrics.matching import entropy_balance, propensity_match
    from econometrics.mediate import Mediation
    from econometrics.panel import build_panel, parse_panel_spec
    from econometrics.reference import load_reference, references
    from econometrics.regress import Regression, economic_magnitude, wald_test
    from econometrics.sample_selection import heckman
    from econometrics.simulate import PanelDesign, planted_effects, simulate_panel
    from econometrics.spec import parse_study_spec
    from econometrics.specification_curve import estimate_specifications
    from econometrics.tables import mediation_table, regression_table, render_table
    from econometrics.threshold import threshold_regression

__all__ = [
    "Mediation",
    "PanelDesign",
    "Regression",
    "attach_clusters",
    "bacon_decomposition",
    "build_panel",
    "by_group",
    "callaway_santanna",
    "compare_estimators",
    "correlation_matrix",
    "descriptive_statistics",
    "economic_magnitude",
    "entropy_balance",
    "estimate_specifications",
    "event_study",
    "group_by_quantiles",
    "heckman",
    "honest_bounds",
    "identify_clusters",
    "indirect_by_group",
    "load_reference",
    "location_quotient_clusters",
    "mediation_table",
    "parse_panel_spec",
    "parse_study_spec",
    "planted_effects",
    "propensity_match",
    "references",
    "regression_table",
    "render_table",
    "simulate_panel",
    "threshold_regression",
    "wald_test",
]

# Names that are also modules, such as regress and mediate, stay the modules'.
_MODULES = {
    "econometrics.clusters": (
        "attach_clusters",
        "identify_clusters",
        "location_quotient_clusters",
    ),
    "econometrics.describe": (
        "correlation_matrix",
        "descriptive_statistics",
    ),
    "econometrics.did": (
        "bacon_decomposition",
        "callaway_santanna",
        "compare_estimators",
        "event_study",
        "honest_bounds",
    ),
    "econometrics.heterogeneity": (
        "by_group",
        "group_by_quantiles",
        "indirect_by_group",
    ),
    "econometrics.matching": (
        "entropy_balance",
        "propensity_match",
    ),
    "econometrics.mediate": ("Mediation",),
    "econometrics.panel": (
        "build_panel",
        "parse_panel_spec",
    ),
    "econometrics.reference": (
        "load_reference",
        "references",
    ),
    "econometrics.regress": (
        "Regression",
        "economic_magnitude",
        "wald_test",
    ),
    "econometrics.sample_selection": ("heckman",),
    "econometrics.simulate": (
        "PanelDesign",
        "planted_effects",
        "simulate_panel",
    ),
    "econometrics.spec": ("parse_study_spec",),
    "econometrics.specification_curve": ("estimate_specifications",),
    "econometrics.tables": (
        "mediation_table",
        "regression_table",
        "render_table",
    ),
    "econometrics.threshold": ("threshold_regression",),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'econometrics' has no attribute {name!r}")
    found = getattr(importlib.import_module(_MODULE_OF[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    """Name what can be taken from here."""
    return sorted({*globals(), *__all__})
