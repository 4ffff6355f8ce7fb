"""A folder of reports, its store, and the flows on them, as the tests of the flows use them."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from flows.annual import RunSummary, index_reports
from flows.documents import load_documents
from flows.export import ExportSummary, export_indices
from flows.measure import MeasureSummary, measure_indices
from flows.read import ReadSummary, read_reports
from flows.settings import ExportParameters, MeasureParameters, ReadParameters, RunParameters
from flows.store import Store

COUNT = "wu2021_total_count"
DICTIONARY = """\
name: mine
family: digital
title: {{zh: 自编, en: Own}}
authors: [Nobody]
year: 2024
verified: false
unit_of_count: occurrences
dimensions:
  - {{id: words, zh: 词, en: Words, terms: [{terms}]}}
"""


@dataclass
class World:
    """A folder of reports, its store, and the flows on them; the same paths in every test."""

    root: Path
    planted: dict[str, int] = field(default_factory=dict)

    @property
    def reports(self) -> Path:
        return self.root / "reports"

    @property
    def out(self) -> Path:
        return self.root / "out"

    @property
    def store(self) -> Store:
        return Store(str(self.root / "store"))

    def put(self, name: str, text: str | bytes) -> None:
        path = self.reports / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode("utf-8") if isinstance(text, str) else text)

    def dictionary(self, *terms: str) -> dict[str, Any]:
        folder = self.root / "dictionaries"
        folder.mkdir(exist_ok=True)
        (folder / "mine.yml").write_text(DICTIONARY.format(terms=", ".join(terms)), encoding="utf-8")
        return {"dictionaries": ["mine"], "dictionary_folder": str(folder)}

    def read(self, **given: Any) -> ReadSummary:
        return read_reports(ReadParameters(**self.reading(given)))

    def reading(self, given: dict[str, Any]) -> dict[str, Any]:
        return {"folder": str(self.reports), "store": str(self.root / "store"), "max_failure_share": 1.0} | given

    def measure(self, **given: Any) -> MeasureSummary:
        return measure_indices(MeasureParameters(**{"store": str(self.root / "store")} | given))

    def export(self, **given: Any) -> ExportSummary:
        where = {"store": str(self.root / "store"), "out": str(self.out)}
        return export_indices(ExportParameters(**where | given))

    def run(self, **given: Any) -> RunSummary:
        return index_reports(RunParameters(**self.reading(given | {"out": str(self.out)})))

    def statuses(self) -> dict[str, str]:
        documents = load_documents(self.store)
        return dict(zip(documents["file"], documents["status"], strict=True))

    def table(self, name: str = "indices") -> pd.DataFrame:
        return pd.read_parquet(self.out / f"{name}.parquet")

    def counts(self, column: str = COUNT) -> dict[tuple[str, int], int | None]:
        rows = self.table()[["stock_code", "report_year", column]].itertuples(index=False, name=None)
        return {(code, year): None if pd.isna(value) else int(value) for code, year, value in rows}


def text_report(**terms: int) -> str:
    """Return the text of a report with each term so many times, among words of no dictionary."""
    sentences = ["本公司经营情况良好，董事会对股东表示感谢。"] * 40
    sentences += [f"公司推进{term}建设。" for term, times in terms.items() for _ in range(times)]
    return "\n".join(sentences)
