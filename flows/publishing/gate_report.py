"""What the gate found: a line a check, with the number, the limit and a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pandas as pd

from flows.formats import replacing, write_csv

GATE_FILES = ("gate.csv", "gate.md")
CheckName = Literal[
    "files_failed",
    "definitions_kept",
    "years",
    "firm_years_lost",
    "values_changed",
    "new_year_mean",
    "new_year_zeros",
    "new_year_missing",
    "new_year_coverage",
]
Status = Literal["ok", "fail", "skipped"]
WHAT: dict[CheckName, str] = {
    "files_failed": "few files timed out or failed",
    "definitions_kept": "every definition of the last release is there",
    "years": "the indices pass the quality gate, or show only what the last release showed",
    "firm_years_lost": "firm-years with a value keep one",
    "values_changed": "no value changes without a new report or a declared change",
    "new_year_mean": "the mean moves slowly into the new year, for the same firms",
    "new_year_zeros": "the share of zeros moves slowly into the new year, for the same firms",
    "new_year_missing": "the reports of the new year can be read as those of the year before",
    "new_year_coverage": "the firms of the year before have filed for the new year",
}
_MARKS: dict[Status, str] = {"ok": "ok", "fail": "FAIL", "skipped": "skipped"}


@dataclass(frozen=True)
class GateCheck:
    """One check of one definition.

    Parameters
    ----------
    name : str
        The check.
    status : {'ok', 'fail', 'skipped'}
        ``skipped`` where there is nothing to compare with.
    sentence : str
        What was found, with numbers.
    definition : str
        Which definition; empty for the data set as a whole.
    value, limit : float or None
        What was measured and what it may reach; None where it was skipped.
    """

    name: CheckName
    status: Status
    sentence: str
    definition: str = ""
    value: float | None = None
    limit: float | None = None


@dataclass(frozen=True)
class GateReport:
    """The outcome of the gate.

    Parameters
    ----------
    checks : tuple of GateCheck
        Every check, in order.
    before : str
        Version of the release that was compared with; empty for the first.
    """

    checks: tuple[GateCheck, ...]
    before: str = ""

    @property
    def failing(self) -> tuple[GateCheck, ...]:
        """The checks that failed."""
        return tuple(check for check in self.checks if check.status == "fail")

    @property
    def is_ok(self) -> bool:
        """Whether no check failed."""
        return not self.failing

    @property
    def verdict(self) -> str:
        """Whether the gate accepts, in one line."""
        beside = f" beside {self.before}" if self.before else ""
        if self.is_ok:
            return f"accepted: {len(self.checks)} checks{beside}"
        return f"rejected: {len(self.failing)} of {len(self.checks)} checks fail{beside}"

    def to_frame(self) -> pd.DataFrame:
        """Return one row a check."""
        columns = ["check", "definition", "status", "value", "limit", "sentence"]
        rows = [
            (each.name, each.definition, each.status, each.value, each.limit, each.sentence) for each in self.checks
        ]
        return pd.DataFrame(rows, columns=columns).astype({"value": "float64", "limit": "float64"})

    def lines(self) -> Iterator[str]:
        """Yield the report as text, a line a check."""
        for each in self.checks:
            where = f" ({each.definition})" if each.definition else ""
            yield f"{_MARKS[each.status]:<8}{each.name}{where}: {each.sentence}"

    def to_markdown(self) -> str:
        """Return the report as a page."""
        rows = ["| check | what holds | definition | | found |", "| --- | --- | --- | --- | --- |"]
        for each in self.checks:
            sentence = each.sentence.replace("|", "\\|").replace("<", "&lt;")
            mark = f"**{_MARKS[each.status]}**" if each.status == "fail" else _MARKS[each.status]
            rows.append(f"| {each.name} | {WHAT[each.name]} | {each.definition} | {mark} | {sentence} |")
        return "\n".join(["# Gate of the release", "", f"**{self.verdict}**", "", *rows]) + "\n"

    def write(self, folder: Path) -> None:
        """Write ``gate.csv`` and ``gate.md``."""
        write_csv(self.to_frame(), folder / GATE_FILES[0])
        with replacing(folder / GATE_FILES[1]) as temporary:
            temporary.write_text(self.to_markdown(), encoding="utf-8", newline="\n")
