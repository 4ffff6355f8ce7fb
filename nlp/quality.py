"""A gate before an index is used: faults that a panel shows by itself, with sentences, numbers and firms.

No check knows a dataset. Each compares a year with the years around it, and a column with itself, because an index of
what firms write moves slowly: the rank of a firm this year is near its rank last year.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from nlp import quality_firms, quality_years
from nlp.quality_panel import TOTAL, CheckFinding, IndexPanel, QualityLimits, arrange
from shuzhi import UsageError

Status = Literal["ok", "warning", "fail", "skipped"]
CHECKS: tuple[tuple[str, str, Callable[[IndexPanel, QualityLimits], Sequence[CheckFinding] | str]], ...] = (
    ("duplicates", "a firm-year stands once", quality_firms.duplicates),
    ("copied_years", "no year is a copy of the year before", quality_years.copied_years),
    ("persistence", "firms keep their rank from year to year", quality_years.persistence),
    ("zeros", "the share of zeros moves slowly", quality_years.zeros),
    ("level", "the level moves slowly", quality_years.level),
    ("swapped_columns", "each column continues itself", quality_years.swapped_columns),
    ("alignment", "columns stay in step with each other", quality_years.alignment),
    ("coverage", "firms and industries do not drop out for a year", quality_firms.coverage),
    ("jumps", "few firms leave their path for one year", quality_firms.jumps),
    ("text", "indices do not move without their text", quality_firms.moves_without_text),
    ("reading", "no year's reports read worse", quality_years.reading),
)


@dataclass(frozen=True)
class QualityCheck:
    """The outcome of one check.

    Parameters
    ----------
    name, what : str
        The check, and what holds where it passes.
    status : {'ok', 'warning', 'fail', 'skipped'}
        ``skipped`` where the panel lacks what it needs; a warning is to be looked at and fails nothing.
    sentences : tuple of str
        What was found, with numbers and firms; or why it was skipped.
    years : tuple of int
        Years at fault.
    columns : tuple of str
        Columns at fault.
    firms : tuple of str
        Firms that show it most.
    """

    name: str
    what: str
    status: Status
    sentences: tuple[str, ...] = ()
    years: tuple[int, ...] = ()
    columns: tuple[str, ...] = ()
    firms: tuple[str, ...] = ()
    findings: tuple[CheckFinding, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class QualityReport:
    """What the gate found in a panel.

    Parameters
    ----------
    checks : tuple of QualityCheck
        Every check, in order.
    columns : tuple of str
        The columns that were judged.
    firm_years : int
        Firm-years of the panel, each once.
    """

    checks: tuple[QualityCheck, ...]
    columns: tuple[str, ...]
    firm_years: int

    @property
    def is_ok(self) -> bool:
        """Whether no check failed."""
        return not self.failing

    @property
    def failing(self) -> tuple[QualityCheck, ...]:
        """The checks that failed."""
        return tuple(check for check in self.checks if check.status == "fail")

    @property
    def failing_years(self) -> tuple[int, ...]:
        """Years that a failing check names, other than through a column that fails as a whole."""
        found = {year for check in self.failing for each in check.findings if each.is_failure for year in each.years}
        return tuple(sorted(found))

    @property
    def failing_columns(self) -> tuple[str, ...]:
        """Columns that fail as a whole, in every year."""
        found = [
            each.column for check in self.failing for each in check.findings if each.is_failure and each.is_whole_column
        ]
        return tuple(dict.fromkeys(found))

    def to_frame(self) -> pd.DataFrame:
        """Return one row a finding: check, status, column, year, value, expected, firms, sentence."""
        rows = [
            {
                "check": check.name,
                "status": "fail" if each.is_failure else "warning",
                "column": each.column,
                "report_year": ", ".join(map(str, each.years)),
                "value": each.value,
                "expected": each.expected,
                "firms": ", ".join(each.firms),
                "sentence": each.sentence,
            }
            for check in self.checks
            for each in check.findings
        ]
        columns = ["check", "status", "column", "report_year", "value", "expected", "firms", "sentence"]
        return pd.DataFrame(rows, columns=columns)

    def lines(self) -> Iterator[str]:
        """Yield the report as text, a line a check and the sentences of those that did not pass."""
        marks = {"ok": "ok", "warning": "look", "fail": "FAIL", "skipped": "skipped"}
        for check in self.checks:
            skipped = f" ({check.sentences[0]})" if check.status == "skipped" else ""
            yield f"{marks[check.status]:<8}{check.name}: {check.what}{skipped}"
            if check.status in ("warning", "fail"):
                yield from (f"          {sentence}" for sentence in check.sentences)


def check_index(
    panel: pd.DataFrame,
    *,
    values: Sequence[str] = (),
    stock_code: str = "stock_code",
    report_year: str = "report_year",
    industry: str = "",
    characters: str = "",
    readable_share: str = "",
    limits: QualityLimits | None = None,
) -> QualityReport:
    """Check a firm-year panel of one or more indices, or of counts by term or dimension.

    Parameters
    ----------
    panel : DataFrame
        Wide: one row a firm-year and one column an index. Or long, with the columns ``index`` and ``value``.
    values : sequence of str
        Columns to judge (names in ``index`` of a long panel); all numeric ones but the keys if empty.
    stock_code, report_year : str
        Columns of the keys.
    industry, characters, readable_share : str
        Columns that some checks need; empty takes one of that name, if there.
    limits : QualityLimits or None
        Thresholds; None takes those that were measured.

    Returns
    -------
    QualityReport
        One entry a check.

    Raises
    ------
    UsageError
        If a column is not there, or nothing can be judged.
    """
    limits = limits or QualityLimits()
    arranged = arrange(
        panel,
        values=values,
        stock_code=stock_code,
        report_year=report_year,
        extras={"industry": industry, "characters": characters, "readable_share": readable_share},
    )
    if len(arranged.years) < 2:
        raise UsageError(f"the panel holds {len(arranged.years)} report year; a year is judged by those around it")
    judged, left = tuple(arranged.matrices), arranged
    left, persistence = _judge_persistence(arranged, limits)
    checks = []
    for name, what, check in CHECKS:
        outcome: Sequence[CheckFinding] | str
        if name == "duplicates":
            outcome = check(arranged, limits)
        elif name == "persistence":
            outcome = persistence
        else:
            outcome = check(left, limits) if left.matrices else "no column is left to judge"
        checks.append(_run(name, what, outcome))
    return QualityReport(tuple(checks), judged, arranged.firm_years)


def _judge_persistence(panel: IndexPanel, limits: QualityLimits) -> tuple[IndexPanel, list[CheckFinding]]:
    """Return the panel without the columns that fail as a whole, and what was found of these and of the others.

    No year of such a column is better or worse than another, and it would spoil what is said of the other columns.
    """
    found: list[CheckFinding] = []
    while True:
        now = quality_years.persistence(panel, limits)
        columns = [each.column for each in now if each.is_whole_column]
        if not columns:
            return panel, [*found, *now]
        # The total is judged again without the columns that spoil it.
        found += [each for each in now if each.is_whole_column and (each.column != TOTAL or columns == [TOTAL])]
        panel = panel.without(panel.columns if columns == [TOTAL] else columns)


def _run(name: str, what: str, found: Sequence[CheckFinding] | str) -> QualityCheck:
    """Sum up the findings of a check; a text says why it was skipped."""
    if isinstance(found, str):
        return QualityCheck(name, what, "skipped", (found,))
    status: Status = "ok" if not found else "fail" if any(each.is_failure for each in found) else "warning"
    return QualityCheck(
        name=name,
        what=what,
        status=status,
        sentences=tuple(each.sentence for each in found),
        years=tuple(int(year) for year in np.unique([year for each in found for year in each.years])),
        columns=tuple(dict.fromkeys(each.column for each in found if each.column)),
        firms=tuple(dict.fromkeys(firm for each in found for firm in each.firms)),
        findings=tuple(found),
    )
