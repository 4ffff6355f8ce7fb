"""Recognise the scanned pages of files that were read: a few pages a call, and only pages that could not be read."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

from flows.confine.errand import FileToSend, errand
from flows.files import ListedFile
from flows.pool import Outcome
from flows.shared_pool import Pool
from flows.work import describe_text
from flows.work_files import FileResult, check_pages, content_of
from nlp.ocr import better_page, ocr_version, recognise_pages
from nlp.options import Segmenter
from nlp.pdf import Page, ReadDocument
from nlp.readability import judge_document
from shuzhi import ReadError

UNREAD = ("scanned", "garbled", "sparse")
PAGES_PER_CALL = 8
# A dense page takes 4 to 9 seconds of one processor; a call has its own limit, whatever that of a file.
SECONDS_PER_PAGE = 30.0
SECONDS_TO_START = 60.0


def send_pages(path: str, document_id: str, numbers: Sequence[int]) -> tuple[Any, ...]:
    """Return what a worker gets to recognise pages: the file itself, its hash and the numbers."""
    return FileToSend(path), document_id, numbers


def recognise_bytes(content: bytes | OSError, document_id: str, numbers: Sequence[int]) -> list[Page]:
    """Recognise some pages of a file from its bytes; see :func:`recognise_chunk`."""
    if isinstance(content, OSError):
        raise content
    if hashlib.sha256(content).hexdigest() != document_id:
        raise ReadError("failed", "the file changed while the run read it; run again")
    return recognise_pages(content, numbers)


@errand(send_pages, recognise_bytes, check_pages)
def recognise_chunk(path: str, document_id: str, numbers: Sequence[int]) -> list[Page]:
    """Recognise some pages of one file; runs in a worker.

    Parameters
    ----------
    path : str
        The PDF file.
    document_id : str
        SHA-256 of its bytes when it was read.
    numbers : sequence of int
        Pages, from 1.

    Returns
    -------
    list of Page
        As :func:`nlp.ocr.recognise_pages` gives them.

    Raises
    ------
    ReadError
        If the file is not the one that was read.
    """
    return recognise_bytes(content_of(path), document_id, numbers)


def pages_to_recognise(pages: Sequence[Page]) -> list[int]:
    """Return the numbers, from 1, of the pages of a PDF file that nobody could read although they hold something."""
    return [
        number
        for number, page in enumerate(pages, start=1)
        if page.status in UNREAD and page.reader not in ("text", "ocr")
    ]


def recognise_results(
    pool: Pool, segmenter: Segmenter, batch: Sequence[ListedFile], results: Sequence[FileResult]
) -> list[FileResult]:
    """Recognise what could not be read in the files of a batch.

    Parameters
    ----------
    pool : WorkerPool or DaskPool
        Where it runs; each call has its own time limit, and the engine is built once a worker.
    segmenter : {'rjieba', 'jieba'}
        For the lengths of the new text.
    batch : sequence of ListedFile
        The files.
    results : sequence of FileResult
        What reading each gave, in the same order.

    Returns
    -------
    list of FileResult
        In the same order; pages whose call failed stay as they were, with a note.
    """
    calls = [_submit_chunks(pool, each, result) for each, result in zip(batch, results, strict=True)]
    pages = [_merged_pages(result.pages, chunks) for result, chunks in zip(results, calls, strict=True)]
    # All files are described side by side, in the workers, once their pages are there.
    described = [_describe(pool, segmenter, result, new) for result, new in zip(results, pages, strict=True)]
    return [_merged(result, new, future) for result, new, future in zip(results, pages, described, strict=True)]


def _submit_chunks(pool: Pool, listed: ListedFile, result: FileResult) -> list[tuple[Sequence[int], Future[Outcome]]]:
    numbers = pages_to_recognise(result.pages)
    chunks = [numbers[start : start + PAGES_PER_CALL] for start in range(0, len(numbers), PAGES_PER_CALL)]
    return [
        (
            chunk,
            pool.submit(
                recognise_chunk,
                listed.path,
                listed.document_id,
                chunk,
                seconds=SECONDS_TO_START + SECONDS_PER_PAGE * len(chunk),
            ),
        )
        for chunk in chunks
    ]


def _merged_pages(pages: Sequence[Page], chunks: Sequence[tuple[Sequence[int], Future[Outcome]]]) -> tuple[Page, ...]:
    merged = list(pages)
    for numbers, future in chunks:
        outcome = future.result()
        failed = Page("", "ocr", "scanned", f"not recognised: {outcome.reason}")
        found = outcome.value if outcome.kind == "done" else [failed] * len(numbers)
        for number, page in zip(numbers, found, strict=True):
            merged[number - 1] = better_page(merged[number - 1], page)
    return tuple(merged)


def _describe(pool: Pool, segmenter: Segmenter, result: FileResult, pages: Sequence[Page]) -> Future[Outcome] | None:
    """Derive lengths, identity and sections again where the text changed."""
    if not any(page.status == "ocr" for page in pages):
        return None
    texts = [page.text for page in pages]
    return pool.submit(describe_text, result.reading["document_id"], texts, segmenter)


def _merged(result: FileResult, pages: tuple[Page, ...], described: Future[Outcome] | None) -> FileResult:
    if described is None:
        return replace(result, pages=pages)
    outcome = described.result()
    if outcome.kind != "done":
        note = f"its recognised text could not be described ({outcome.reason}), and is left out"
        reason = "; ".join(filter(None, (result.reading["reason"], note)))
        return replace(result, reading={**result.reading, "reason": reason})
    text, sections, furniture = outcome.value
    reading = reading_row(result.reading, pages)
    return replace(result, reading=reading, text=text, sections=sections, furniture=furniture, pages=pages)


def reading_row(row: dict[str, Any], pages: Sequence[Page]) -> dict[str, Any]:
    """Return the row of ``readings`` of a document after recognition; recognised pages are counted apart."""
    status, reason = judge_document([page.status for page in pages])
    document = ReadDocument(status, reason, tuple(pages), row["metadata_title"])
    filled = sum(page.status != "blank" for page in pages)
    recognised = [(len(page.text), page.confidence) for page in pages if page.status == "ocr"]
    characters = sum(length for length, _ in recognised)
    confidence = sum(length * (value or 0.0) for length, value in recognised)
    return {
        **row,
        "status": status,
        "reason": reason,
        "text_pages": document.text_pages,
        "ocr_pages": len(recognised),
        "ocr_confidence": round(confidence / characters, 4) if characters else None,
        "readable_share": (document.text_pages + len(recognised)) / filled if filled else None,
        "reader": document.readers,
        "extractor": f"{row['extractor']}; {ocr_version()}",
    }
