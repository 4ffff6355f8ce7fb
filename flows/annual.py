"""The whole job: read, measure, export; for a folder of reports, or for one new report year."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from prefect import flow

from flows.documents import load_documents
from flows.export import ExportSummary, export_indices
from flows.measure import MeasureSummary, measure_indices
from flows.outputs import read_run, write_run
from flows.read import ReadSummary, check_failures, read_reports
from flows.settings import AnnualUpdateParameters, JobOptions, RunParameters
from flows.shared_pool import worker_pool
from flows.store import Store


@dataclass(frozen=True)
class RunSummary:
    """What the whole job did."""

    reading: ReadSummary
    measuring: MeasureSummary
    exporting: ExportSummary
    seconds: float


@flow(name="index-reports")
def index_reports(parameters: RunParameters) -> RunSummary:
    """Read a folder of annual reports, measure firm-year indices and export them."""
    return run_job(parameters, read_years=parameters.years, exported_years=parameters.years)


@flow(name="annual-update")
def annual_update(parameters: AnnualUpdateParameters) -> RunSummary:
    """Read the reports of one new report year and export all years anew; earlier years are not read again."""
    return run_job(parameters, read_years=[parameters.year], exported_years=[])


def run_job(parameters: JobOptions, *, read_years: list[int], exported_years: list[int]) -> RunSummary:
    """Read, measure and export in turn, and fail at the very end where too many files failed."""
    started = time.monotonic()
    with worker_pool(parameters, parameters.segmenter):
        reading = read_reports(parameters.reading(read_years))
        measuring = measure_indices(parameters.measuring(exported_years))
    exporting = export_indices(parameters.exporting(exported_years))
    summary = RunSummary(reading, measuring, exporting, time.monotonic() - started)
    record_run(parameters, summary)
    check_failures(load_documents(Store(parameters.store_url())), parameters.max_failure_share)
    return summary


def record_run(parameters: JobOptions, summary: RunSummary) -> None:
    """Add to run.json what holds for this run alone: its parameters, its counts and its seconds."""
    out = Path(parameters.out)
    this_run: dict[str, Any] = {
        "parameters": parameters.model_dump(),
        "reading": asdict(summary.reading),
        "measuring": asdict(summary.measuring),
        "exporting": asdict(summary.exporting),
        "seconds": round(summary.seconds, 3),
    }
    write_run(out, {**read_run(out), "this_run": this_run})
