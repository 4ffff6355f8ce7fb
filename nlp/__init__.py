"""Chinese text of annual reports: reading, identity, matching and indices, as plain functions.

What notebooks need can be taken from here; a module is imported when a name of it is first asked for::

    from nlp import Matcher, build_index, find_hits, read_report

docs/api.md shows them at work.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nlp.clean import CleanText
    from nlp.dictionary import Dictionary, Dimension
    from nlp.identity import Identity
    from nlp.index import aggregate, choose_reports, widen
    from nlp.match import Match, Matcher
    from nlp.one_report import Report, build_index, find_hits, read_report, to_wide
    from nlp.pdf import ReadDocument, read_document
    from nlp.scope import Scope, parse_scope
    from nlp.sections import Section, SectionMap, find_sections
    from nlp.segment import build_cutter

__all__ = [
    "CleanText",
    "Dictionary",
    "Dimension",
    "Identity",
    "Match",
    "Matcher",
    "ReadDocument",
    "Report",
    "Scope",
    "Section",
    "SectionMap",
    "aggregate",
    "build_cutter",
    "build_index",
    "choose_reports",
    "find_hits",
    "find_sections",
    "parse_scope",
    "read_document",
    "read_report",
    "to_wide",
    "widen",
]

# Names that are also modules, such as clean, stay the modules'.
_MODULES = {
    "nlp.clean": ("CleanText",),
    "nlp.dictionary": (
        "Dictionary",
        "Dimension",
    ),
    "nlp.identity": ("Identity",),
    "nlp.index": (
        "aggregate",
        "choose_reports",
        "widen",
    ),
    "nlp.match": (
        "Match",
        "Matcher",
    ),
    "nlp.one_report": (
        "Report",
        "build_index",
        "find_hits",
        "read_report",
        "to_wide",
    ),
    "nlp.pdf": (
        "ReadDocument",
        "read_document",
    ),
    "nlp.scope": (
        "Scope",
        "parse_scope",
    ),
    "nlp.sections": (
        "Section",
        "SectionMap",
        "find_sections",
    ),
    "nlp.segment": ("build_cutter",),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'nlp' has no attribute {name!r}")
    found = getattr(importlib.import_module(_MODULE_OF[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    """Name what can be taken from here."""
    return sorted({*globals(), *__all__})
