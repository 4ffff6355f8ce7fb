"""What a comparison of two exports says: firm-years, changed numbers, other columns, indices, files, inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import pandas as pd

Cause = Literal[
    "new_file",
    "removed_file",
    "revised_report",
    "other_winner",
    "renamed_file",
    "correction",
    "identity",
    "reading",
    "dictionary",
    "rule",
    "scope",
    "keep",
    "years",
    "software",
    "unexplained",
]
CAUSES: tuple[Cause, ...] = get_args(Cause)
WORDS: Mapping[Cause, str] = {
    "new_file": "a file that was not there before",
    "removed_file": "a file that is not there any more",
    "revised_report": "a revised report that took the place of an earlier one",
    "other_winner": "another file among those known before",
    "renamed_file": "the same bytes under another name",
    "correction": "a correction of whose report a file is",
    "identity": "the program takes the file for another firm, year or kind",
    "reading": "the same file read otherwise: reader, OCR, cleaning, sections",
    "dictionary": "another word list",
    "rule": "another matching rule or script",
    "scope": "other parts of the report",
    "keep": "the same hits judged otherwise: context rules, classifier",
    "years": "the exports hold other years",
    "software": "another version of the software or a package",
    "unexplained": "no cause was found",
}
# Which word goes first where two causes weigh the same.
RANK: Mapping[str, int] = {cause: place for place, cause in enumerate(CAUSES)}


@dataclass(frozen=True)
class Comparison:
    """What differs between two exports, and why.

    Parameters
    ----------
    before_name, after_name : str
        How the two are called.
    firm_years : DataFrame
        One row a firm-year of either: stock_code, report_year, change (``added``, ``removed``, ``changed``,
        ``unchanged``), cause, detail; cause is empty where nothing changed.
    values : DataFrame
        One row a changed number of a firm-year and index that both have: stock_code, report_year, index, before,
        after (missing is NaN, never zero), cause, detail.
    facts : DataFrame
        One row a changed cell of another column (company_name, file, chinese_characters, …): stock_code,
        report_year, column, before, after (text), cause, detail.
    indices : DataFrame
        One row an index that only one has: index, change (``added``, ``removed``), values (how many numbers), cause,
        detail.
    files : DataFrame
        One row a file that came, went, was renamed or has other bytes: file, change, stock_code, report_year, detail.
    inputs : DataFrame
        One row an input: what, before, after; empty where an export does not say it.
    spread : DataFrame
        One row an index with changes: index, changed, lost, gained, least, lower, median, upper, most, deviation.
    compared : int
        Numbers that both have.
    is_identical : bool
        Whether every table and page of the two is the same, byte for byte.
    """

    before_name: str
    after_name: str
    firm_years: pd.DataFrame
    values: pd.DataFrame
    facts: pd.DataFrame
    indices: pd.DataFrame
    files: pd.DataFrame
    inputs: pd.DataFrame
    spread: pd.DataFrame
    compared: int
    is_identical: bool = False

    @property
    def is_same(self) -> bool:
        """Whether no number differs: the same firm-years, indices, values and lengths."""
        moved = self.firm_years["change"].isin(["added", "removed"]).any()
        is_text = self.facts["column"].isin(TEXT_FACTS)
        return not (moved or len(self.values) or len(self.indices) or (~is_text).any())

    @property
    def unexplained(self) -> int:
        """How many changes have no cause."""
        moved = self.firm_years[self.firm_years["change"].isin(["added", "removed"])]
        frames = (self.values, self.facts, self.indices, moved)
        return sum(int((frame["cause"] == "unexplained").sum()) for frame in frames)

    def summary(self) -> list[str]:
        """Return what a person reads first, line by line."""
        from flows.publishing.difference_words import summary_lines

        return summary_lines(self)


# Columns of a firm-year that hold words; the others hold numbers.
TEXT_FACTS = ("company_name", "status", "reason", "file", "document_id")
NUMBER_FACTS = ("chinese_characters", "tokens", "sentences", "readable_share", "ocr_pages")
