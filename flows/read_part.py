"""Reading one batch of files into one part of the store: here, or as a whole on a worker of Dask."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from flows.files import ListedFile
from flows.pool import Outcome, WorkerPool
from flows.recognise import recognise_results
from flows.settings import ReadingOptions, ReadParameters
from flows.shared_pool import Pool
from flows.store import Store, hash_of
from flows.storing.faults import AGAIN
from flows.tables import PAGES, READINGS
from flows.work import read_file, reading_key, text_key, write_described
from flows.work_files import FileResult
from nlp.pdf import extractor_version
from shuzhi import RunError

if TYPE_CHECKING:
    from flows.progress import RunProgress


class Reading:
    """What the batches of one reading run share.

    A plain class on purpose: Prefect looks for futures inside dataclasses and collections, not in here.
    """

    def __init__(
        self, store: Store, parameters: ReadParameters, pool: Pool, shown: RunProgress | None, store_url: str = ""
    ) -> None:
        self.store = store
        self.parameters = parameters
        self.pool = pool
        self.shown = shown
        self.store_url = store_url

    def advance(self, files: int) -> None:
        """Show that so many files are done."""
        if self.shown is not None:
            self.shown.advance(files)


@dataclass(frozen=True)
class PartRead:
    """What reading a batch gave: readable documents, and the files that went away or changed since they were listed."""

    readable: int
    lost: list[ListedFile]


def keys_of(parameters: ReadingOptions) -> tuple[str, str]:
    """Return the keys of the pages and of the texts that these parameters make."""
    reader, ocr = parameters.reader, parameters.ocr
    return reading_key(reader, ocr), text_key(reader, parameters.segmenter, ocr)


def read_somewhere(reading: Reading, batch: Sequence[ListedFile]) -> PartRead:
    """Read a batch through the pool of this process, or as a whole on a worker of Dask, which writes its part there.

    Then no text passes through the scheduler and this process, which would be the limit of a large cluster.

    Raises
    ------
    RunError
        If the cluster is gone, or a worker could not write.
    """
    if isinstance(reading.pool, WorkerPool):
        return read_part(reading, batch)
    outcome = reading.pool.submit_whole(read_part_here, reading.store_url, reading.parameters, batch).result()
    if outcome.kind == "done":
        reading.advance(len(batch))
        part: PartRead = outcome.value
        return part
    if outcome.kind == "crashed":
        # One of its files, or bad luck, ended several workers; each file by itself, so that the others are read.
        return read_part(reading, batch)
    raise RunError(f"a batch that begins with {batch[0].file} was not read: {outcome.reason}")


def read_part_here(
    pool: WorkerPool, store_url: str, parameters: ReadParameters, batch: Sequence[ListedFile]
) -> PartRead:
    """Read a batch on a worker of Dask, through the pool there."""
    return read_part(Reading(Store(store_url), parameters, pool, None), batch)


def read_part(reading: Reading, batch: Sequence[ListedFile]) -> PartRead:
    """Read a batch through a pool and write its part."""
    results = read_files(reading, batch)
    if reading.parameters.ocr != "off":
        results = recognise_results(reading.pool, reading.parameters.segmenter, batch, results)
    known = [result for result in results if not result.is_lost]
    if known:
        write_documents(reading.store, *keys_of(reading.parameters), known)
    lost = [
        replace(each, document_id=None, status="failed", reason=result.reading["reason"])
        for each, result in zip(batch, results, strict=True)
        if result.is_lost
    ]
    return PartRead(sum(bool(result.reading["status"] == "ok") for result in results), lost)


def read_files(reading: Reading, batch: Sequence[ListedFile]) -> list[FileResult]:
    """Read files in the workers; the results come in the order of the files, one for each."""
    parameters = reading.parameters
    waiting = {
        reading.pool.submit(read_file, each.path, each.document_id, parameters.reader, parameters.segmenter): each
        for each in batch
    }
    results = {}
    for future in as_completed(waiting):
        each = waiting[future]
        results[each.file] = _result(each, future.result(), parameters)
        reading.advance(1)
    return [results[each.file] for each in batch]


def _result(listed: ListedFile, outcome: Outcome, parameters: ReadParameters) -> FileResult:
    """Turn the end of a call into a result: a worker that died gives its file a status and a reason."""
    if outcome.kind == "done":
        result: FileResult = outcome.value
        return result
    if outcome.kind == "stopped":
        raise RunError(f"{listed.file} was not read: {outcome.reason}; {AGAIN}")
    reading = {
        "document_id": listed.document_id,
        "status": "timeout" if outcome.kind == "timeout" else "failed",
        "reason": outcome.reason,
        "pages": 0,
        "text_pages": 0,
        "ocr_pages": 0,
        "ocr_confidence": None,
        "readable_share": None,
        "reader": "",
        "extractor": extractor_version(parameters.reader),
        "metadata_title": "",
        "size_bytes": listed.size_bytes,
    }
    return FileResult(reading)


def write_documents(store: Store, pages_key: str, new_text_key: str, results: Sequence[FileResult]) -> None:
    """Write the part of one batch; the readings come last, because they make the part count."""
    # The status belongs to the name: a document read again after a failure must not meet its old, empty hits.
    part = hash_of(sorted([result.reading["document_id"], result.reading["status"]] for result in results))
    store.write_part("pages", pages_key, part, _page_table(results))
    described = [(result.text, result.sections, result.furniture) for result in results if result.text is not None]
    write_described(store, new_text_key, part, described)
    readings = [result.reading for result in results]
    store.write_part("readings", pages_key, part, pa.Table.from_pylist(readings, schema=READINGS))


def _page_table(results: Sequence[FileResult]) -> pa.Table:
    columns: dict[str, list[Any]] = {name: [] for name in PAGES.names}
    for result in results:
        columns["document_id"] += [result.reading["document_id"]] * len(result.pages)
        columns["page"] += range(1, len(result.pages) + 1)
        for name in PAGES.names[2:]:
            columns[name] += [getattr(page, name) for page in result.pages]
    return pa.Table.from_pydict(columns, schema=PAGES)
