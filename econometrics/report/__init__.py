"""The report of a study: one HTML page that needs no network, prints, and says what was asked, found and assumed."""

from econometrics.report.page import render_study

__all__ = ["render_study"]
