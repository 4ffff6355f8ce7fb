"""The whole job: read, measure, export; for a folder of reports, or for one new report year up to its release."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from prefect import flow

from flows.confine import record as confinement
from flows.documents import load_documents
from flows.export import ExportSummary, export_indices
from flows.measure import MeasureSummary, measure_indices
from flows.outputs import read_run, write_run
from flows.publishing.candidate import Built, build_candidate
from flows.publishing.definitions import definitions_of
from flows.publishing.events import show_taking
from flows.publishing.inbox import Taking, take_reports
from flows.publishing.publish import Publishing, check_releases, publish_candidate
from flows.read import ReadSummary, check_failures, read_reports
from flows.settings import AnnualUpdateParameters, JobOptions, PublishParameters, RunParameters
from flows.shared_pool import worker_pool
from flows.store import Store
from flows.storing.job_lock import one_lock_a_job


@dataclass(frozen=True)
class RunSummary:
    """What the whole job did."""

    reading: ReadSummary
    measuring: MeasureSummary
    exporting: ExportSummary
    seconds: float


@dataclass(frozen=True)
class UpdateSummary:
    """What an update did: files taken, files read, definitions measured and exported, and the release."""

    taking: Taking
    reading: ReadSummary
    built: tuple[Built, ...]
    publishing: Publishing
    seconds: float


@dataclass(frozen=True)
class PublishSummary:
    """What publishing did: definitions measured and exported, and the release."""

    built: tuple[Built, ...]
    publishing: Publishing
    seconds: float


@flow(name="index-reports")
def index_reports(parameters: RunParameters) -> RunSummary:
    """Read a folder of annual reports, measure firm-year indices and export them."""
    started = time.monotonic()
    with one_lock_a_job():
        with worker_pool(parameters, parameters.segmenter):
            reading = read_reports(parameters.reading(parameters.years))
            measuring = measure_indices(parameters.measuring(parameters.years))
        exporting = export_indices(parameters.exporting(parameters.years))
    summary = RunSummary(reading, measuring, exporting, time.monotonic() - started)
    record_run(parameters, Path(parameters.out), reading, measuring, exporting, summary.seconds)
    check_failures(load_documents(Store(parameters.store_url())), parameters.max_failure_share)
    return summary


@flow(name="annual-update")
def annual_update(parameters: AnnualUpdateParameters) -> UpdateSummary:
    """Take the reports of one new report year, export all years anew, and publish them if the gate accepts.

    Earlier years are not read again, but for those of which the inbox holds reports.
    """
    started = time.monotonic()
    definitions = definitions_of(parameters)
    check_releases(parameters.releases)
    taking = take_reports(parameters)
    show_taking(taking)
    with one_lock_a_job(), worker_pool(parameters, parameters.segmenter):
        reading = read_reports(parameters.reading(sorted({parameters.year, *taking.years()})))
        built = build_candidate(parameters, definitions)
    seconds = time.monotonic() - started
    for each in built:
        record_run(parameters, each.folder, reading, each.measuring, each.exporting, seconds)
    publishing = publish_candidate(parameters, definitions, built)
    check_failures(load_documents(Store(parameters.store_url())), parameters.max_failure_share)
    return UpdateSummary(taking, reading, built, publishing, time.monotonic() - started)


@flow(name="publish-release")
def publish_release(parameters: PublishParameters) -> PublishSummary:
    """Measure what a store holds under every definition, and publish it if the gate accepts; nothing is read."""
    started = time.monotonic()
    definitions = definitions_of(parameters)
    with one_lock_a_job(), worker_pool(parameters, parameters.segmenter):
        built = build_candidate(parameters, definitions)
    publishing = publish_candidate(parameters, definitions, built)
    return PublishSummary(built, publishing, time.monotonic() - started)


def record_run(
    parameters: JobOptions,
    out: Path,
    reading: ReadSummary,
    measuring: MeasureSummary,
    exporting: ExportSummary,
    seconds: float,
) -> None:
    """Add to run.json what holds for this run alone: its parameters, its counts and its seconds."""
    this_run: dict[str, Any] = {
        "parameters": parameters.model_dump(),
        "reading": asdict(reading),
        "measuring": asdict(measuring),
        "exporting": asdict(exporting),
        "confined": confinement.noted(Store(parameters.store_url())),
        "seconds": round(seconds, 3),
    }
    write_run(out, {**read_run(out), "this_run": this_run})
