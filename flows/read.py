"""Read the reports of a folder into the store."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa
from prefect import flow, get_run_logger, task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE

from flows.batches import batches, batches_at_once, run_batches
from flows.confine import record as confinement
from flows.documents import load_corrections, register_folder, resolve_documents
from flows.files import ListedFile, list_folder, load_listing, save_listing, select, with_hashes
from flows.methods import reading_methods
from flows.pool import WorkerPool
from flows.progress import progress
from flows.read_part import Reading, keys_of, read_somewhere
from flows.settings import ReadingOptions, ReadParameters
from flows.shared_pool import Pool, calls_at_once, require_store, worker_pool
from flows.store import Store
from flows.storing.faults import AGAIN
from flows.storing.lost import describe_gone, describe_lost, find_lost, known_before, restore_listings
from flows.storing.repair import check_written, repair_reading
from flows.tables import READINGS
from flows.work import describe_part
from nlp.corrections import CorrectionOutcome
from nlp.ocr import require_ocr
from nlp.pdf import extractor_version
from shuzhi import RunError, StoreError

# Measured on 25 real reports of 120 to 310 pages.
USUAL_SECONDS_PER_FILE = 0.8
MOST_SHOWN_FAILURES = 200
RETRIED = ("timeout", "failed")
BATCHES_PER_WORKER = 4


@dataclass(frozen=True)
class ReadSummary:
    """What a reading run did.

    Parameters
    ----------
    files : int
        Files in the folder.
    read, cached, skipped : int
        Documents read now, documents known before, files left out by years or limit.
    failed : int
        Files that ended with a status other than ``ok``, whenever they were read.
    by_status : dict of str to int
        Files by status.
    corrections, failed_corrections : list of str
        What became of each correction, and of those that could not be applied.
    notes : list of str
        What was damaged in the store and is made again, and which known reports are gone.
    peak_worker_megabytes : float
        Greatest resident memory of a worker.
    seconds : float
        Wall-clock time.
    """

    files: int
    read: int
    cached: int
    skipped: int
    failed: int
    by_status: dict[str, int]
    corrections: list[str]
    failed_corrections: list[str]
    notes: list[str]
    peak_worker_megabytes: float
    seconds: float


@flow(name="read-reports")
def read_reports(parameters: ReadParameters) -> ReadSummary:
    """Extract the text of every new report of a folder; what the store holds already is not opened."""
    started = time.monotonic()
    check_options(parameters)
    corrections = load_corrections(parameters.corrections)
    listed = list_folder(parameters.folder)
    store = Store(parameters.store, create=True)
    with store.lock():
        before = known_before(store, keys_of(parameters)[0])
        notes = repair_reading(store, *keys_of(parameters))
        files = hash_files(store, parameters, listed)
        notes += restore_listings(store, parameters.folder)
        put_in_force(store, parameters)
        new = find_new(store, parameters, files)
        lost = find_lost(store, parameters.folder, listed, before.expected, held_documents(store, parameters, new))
        notes += describe_lost(lost)
        files, new = [*files, *lost.here], [*new, *lost.here]
        with worker_pool(parameters, parameters.segmenter) as pool:
            unread = read_new(store, parameters, pool, new)
            read_new(store, parameters, pool, lost.elsewhere)
            files = read_copies(store, parameters, pool, files, unread)
            held = {each.document_id for each in files}
            new = [each for each in new if each.document_id in held]
            describe_stale(store, parameters, pool)
            if new:
                confinement.note(store, pool.confined)
        documents, outcomes = resolve_documents(
            store, *keys_of(parameters), parameters.kinds, corrections, before.expected
        )
        check_written(store, *keys_of(parameters))
    notes += describe_gone(before, documents["document_id"], documents["file"])
    for line in notes:
        get_run_logger().warning(line)
    summary = summarise(
        listed, files, new, count_by_status(documents), outcomes, notes, pool.peak_memory_megabytes, started
    )
    publish(summary, documents)
    check_failures(documents, parameters.max_failure_share)
    return summary


def check_options(parameters: ReadingOptions) -> None:
    """Fail before any work where an option needs a package that is not installed."""
    if parameters.ocr != "off":
        require_ocr()


def hash_files(store: Store, parameters: ReadParameters, listed: list[ListedFile]) -> list[ListedFile]:
    """Choose the files to read, find their hashes, and keep the listing of the whole folder."""
    known = load_listing(store, parameters.folder)
    files = with_hashes(select(listed, parameters.years, parameters.limit), known)
    hashed = {each.file: each for each in files}
    rest = [each for each in listed if each.file not in hashed and each.file in known and known[each.file].document_id]
    rest = with_hashes(rest, known)
    hashed |= {each.file: each for each in rest}
    save_listing(store, parameters.folder, [hashed.get(each.file, each) for each in listed])
    register_folder(store, parameters.folder)
    return files


@dataclass(frozen=True)
class ReadPlan:
    """What a reading run would do: files in all, new, known and left out, their size, and about how long."""

    files: int
    new: int
    known: int
    skipped: int
    megabytes: float
    minutes: float
    workers: int


def plan_reading(parameters: ReadParameters) -> ReadPlan:
    """Return what a run would read, without reading it; a store that is not there yet is not made."""
    check_options(parameters)
    listed = list_folder(parameters.folder)
    chosen = select(listed, parameters.years, parameters.limit)
    try:
        store = Store(parameters.store)
    except StoreError:
        new = chosen
    else:
        files = with_hashes(chosen, load_listing(store, parameters.folder))
        new = find_new(store, parameters, files)
    size = sum(each.size_bytes for each in new) / 1e6
    workers = parameters.worker_count()
    return ReadPlan(
        files=len(listed),
        new=len(new),
        known=len(chosen) - len(new),
        skipped=len(listed) - len(chosen),
        megabytes=size,
        minutes=len(new) * USUAL_SECONDS_PER_FILE / workers / 60,
        workers=workers,
    )


def put_in_force(store: Store, parameters: ReadParameters) -> None:
    """Put the keys of this reader and segmenter in force."""
    pages, texts = keys_of(parameters)
    methods = reading_methods(parameters.reader, parameters.segmenter, parameters.ocr, parameters.kinds)
    extractor = extractor_version(parameters.reader)
    store.set_current("reading", key=pages, text_key=texts, extractor=extractor, methods=methods)


def find_new(store: Store, parameters: ReadParameters, files: list[ListedFile]) -> list[ListedFile]:
    """Return one file for each document that the store does not hold."""
    pages_key, _ = keys_of(parameters)
    known: set[str] = set()
    for part in store.parts("readings", pages_key):
        rows = store.read_part("readings", pages_key, part)
        if parameters.retry:
            rows = _without_failures(store, pages_key, part, rows)
        known.update(rows["document_id"].to_pylist())
    new = {each.document_id: each for each in reversed(files) if each.document_id and each.document_id not in known}
    return sorted(new.values(), key=lambda each: each.file)


def held_documents(store: Store, parameters: ReadParameters, new: Sequence[ListedFile]) -> set[str]:
    """Return the documents that the store holds, and those that are about to be read."""
    readings = store.read_table("readings", keys_of(parameters)[0], READINGS)
    return {*readings["document_id"].to_pylist(), *(each.document_id or "" for each in new)}


def _without_failures(store: Store, pages_key: str, part: str, rows: pa.Table) -> pa.Table:
    """Forget the documents of a part that timed out or failed, so that they are read again."""
    keep = [status not in RETRIED for status in rows["status"].to_pylist()]
    if all(keep):
        return rows
    kept = rows.filter(pa.array(keep))
    store.write_part("readings", pages_key, part, kept)
    return kept


def read_new(store: Store, parameters: ReadParameters, pool: Pool, new: Sequence[ListedFile]) -> list[ListedFile]:
    """Read new documents, a batch a task; returns the files that went away or changed since they were listed."""
    with progress("reading", len(new), "reading") as shown:
        if not new:
            return []
        reading = Reading(store, parameters, pool, shown, require_store(pool, store.url))
        size, at_once = plan_batches(len(new), parameters, pool)
        cut = enumerate(batches(new, size), start=1)
        calls = [{"number": number, "batch": batch, "reading": reading} for number, batch in cut]
        return [each for lost in run_batches(read_batch, calls, at_once) for each in lost]


def plan_batches(files: int, parameters: ReadParameters, pool: Pool) -> tuple[int, int]:
    """Return how many files a batch has, and how many batches are read at once."""
    calls, size = calls_at_once(pool, parameters), parameters.batch_size
    if isinstance(pool, WorkerPool):
        return size, batches_at_once(calls, size)
    # A worker of Dask reads a whole batch: small enough that all have work to the end, and one waits for each.
    return max(1, min(size, -(-files // (BATCHES_PER_WORKER * calls)))), calls + 1


def read_copies(
    store: Store, parameters: ReadParameters, pool: Pool, files: list[ListedFile], lost: Sequence[ListedFile]
) -> list[ListedFile]:
    """Note the lost files in the listing, so that the next run takes them up, and read other copies of theirs now."""
    parameters = parameters.model_copy(update={"retry": False})
    while lost:
        by_name = {each.file: each for each in lost}
        files = [by_name.get(each.file, each) for each in files]
        listing = load_listing(store, parameters.folder)
        save_listing(store, parameters.folder, [by_name.get(name, each) for name, each in listing.items()])
        lost = read_new(store, parameters, pool, find_new(store, parameters, files))
    return files


@task(task_run_name="read-batch-{number}", cache_policy=NO_CACHE)
def read_batch(number: int, batch: Sequence[ListedFile], reading: Reading) -> list[ListedFile]:
    """Read one batch and write its part; returns the files that were lost meanwhile."""
    part = read_somewhere(reading, batch)
    get_run_logger().info("batch %d: %d of %d documents are readable", number, part.readable, len(batch))
    return part.lost


def describe_stale(store: Store, parameters: ReadParameters, pool: Pool) -> None:
    """Derive lengths and identity again, from stored pages, where a newer version would find others."""
    pages_key, new_text_key = keys_of(parameters)
    described = set(store.parts("texts", new_text_key))
    stale = [part for part in store.parts("readings", pages_key) if part not in described]
    url = require_store(pool, store.url) if stale else ""
    futures = [pool.submit(describe_part, url, pages_key, new_text_key, part, parameters.segmenter) for part in stale]
    for future in futures:
        outcome = future.result()
        if outcome.kind != "done":
            raise RunError(f"stored pages could not be described: {outcome.reason}; {AGAIN}")


def count_by_status(documents: pd.DataFrame) -> dict[str, int]:
    """Return the number of files by status, in order of status."""
    counts = documents["status"].value_counts().sort_index()
    return {str(status): int(count) for status, count in counts.items()}


def summarise(
    listed: list[ListedFile],
    files: list[ListedFile],
    new: list[ListedFile],
    by_status: dict[str, int],
    outcomes: Sequence[CorrectionOutcome],
    notes: list[str],
    peak_worker_megabytes: float,
    started: float,
) -> ReadSummary:
    """Count what a run did."""
    return ReadSummary(
        files=len(listed),
        read=len(new),
        cached=len({each.document_id for each in files if each.document_id}) - len(new),
        skipped=len(listed) - len(files),
        failed=sum(count for status, count in by_status.items() if status != "ok"),
        by_status=by_status,
        corrections=[each.message for each in outcomes],
        failed_corrections=[each.message for each in outcomes if each.outcome != "applied"],
        notes=notes,
        peak_worker_megabytes=round(peak_worker_megabytes, 1),
        seconds=time.monotonic() - started,
    )


def publish(summary: ReadSummary, documents: pd.DataFrame) -> None:
    """Show in Prefect what was read, cached and unreadable, and why."""
    rows = [
        {"what": "files in the folder", "count": summary.files},
        {"what": "documents read now", "count": summary.read},
        {"what": "documents known before", "count": summary.cached},
        {"what": "files left out (years, limit)", "count": summary.skipped},
        *({"what": f"files with status {status}", "count": count} for status, count in summary.by_status.items()),
    ]
    create_table_artifact(key="read-reports", table=rows, description="What was read, cached and unreadable")
    unreadable = documents.loc[documents["status"] != "ok", ["file", "status", "reason"]]
    if len(unreadable):
        first = unreadable.head(MOST_SHOWN_FAILURES)
        shown = {str(name): first[name].tolist() for name in first}
        create_table_artifact(key="read-failures", table=shown, description=f"{len(unreadable)} unreadable files")


def check_failures(documents: pd.DataFrame, max_failure_share: float) -> None:
    """Fail the run where too many files timed out or failed; unreadable ones (scans, …) do not count."""
    failed = int(documents["status"].isin(RETRIED).sum())
    if failed > max_failure_share * max(len(documents), 1):
        raise RunError(
            f"{failed} of {len(documents)} files timed out or failed, more than {max_failure_share:.0%}; their reasons"
            " are in documents ('shuzhi status'). Try again with --retry, or allow more with --max-failure-share"
        )
