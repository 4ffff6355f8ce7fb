"""The versions that a result depends on."""

from __future__ import annotations

import platform
from importlib.metadata import version

from shuzhi import __version__

# Everything that can change a number, or a byte of the outputs.
PACKAGES = (
    "pypdfium2",
    "pdfplumber",
    "pdfminer.six",
    "jieba",
    "rjieba",
    "ahocorasick_rs",
    "numpy",
    "pandas",
    "pyarrow",
    "duckdb",
    "XlsxWriter",
)


def versions() -> dict[str, str]:
    """Return the versions of everything that can change a number or a byte."""
    found = {name: version(name) for name in PACKAGES}
    return {"shuzhi": __version__, "python": platform.python_version(), **found}
