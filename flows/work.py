"""What runs inside the worker processes: reading one file, measuring one part. Plain importable functions."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path, PurePath
from typing import Any

import pyarrow as pa

from flows.store import Store, hash_of, long_path
from flows.tables import HITS, SECTIONS, TEXTS
from nlp.clean import CLEAN_VERSION, CleanText, clean, tables
from nlp.dictionary import Dictionary
from nlp.identity import IDENTITY_VERSION, from_pages
from nlp.match import MATCH_VERSION, Match, Matcher
from nlp.options import Reader, Rule, Segmenter
from nlp.pdf import extractor_version, read_document
from nlp.sections import SECTIONS_VERSION, SectionMap, find_sections
from nlp.segment import Cut, build_cutter, count_tokens, segmenter_version
from shuzhi import ReadError

_MATCHERS: dict[tuple[str, str, str, str], Matcher] = {}


def reading_key(reader: Reader) -> str:
    """Return the key of the pages that a reader extracts."""
    return hash_of("reading", extractor_version(reader))


def text_key(reader: Reader, segmenter: Segmenter) -> str:
    """Return the key of what is derived from each document's text, whatever the dictionary."""
    versions = (CLEAN_VERSION, IDENTITY_VERSION, SECTIONS_VERSION, str(segmenter_version(segmenter)))
    return hash_of("text", reading_key(reader), *versions)


def measurement_key(pages_key: str, dictionary: Dictionary, rule: Rule, segmenter: Segmenter) -> str:
    """Return the key of a dictionary's hits; the segmenter counts only where the rule asks for it."""
    cutter = str(segmenter_version(segmenter)) if rule == "token" else ""
    return hash_of("hits", pages_key, CLEAN_VERSION, MATCH_VERSION, dictionary.content_hash, rule, cutter)


@dataclass(frozen=True)
class FileResult:
    """What reading one file gave: rows of readings, texts, sections and pages."""

    reading: dict[str, Any]
    text: dict[str, Any] | None
    sections: Sequence[dict[str, Any]]
    pages: Sequence[tuple[str, str, str]]


def prepare_worker(segmenter: Segmenter) -> None:
    """Load what every file needs, so that no file's time limit pays for it."""
    tables()
    _cutter(segmenter)


@lru_cache(maxsize=2)
def _cutter(segmenter: Segmenter) -> Cut:
    return build_cutter(segmenter)


def read_file(path: str, document_id: str, reader: Reader, segmenter: Segmenter) -> FileResult:
    """Read one file: its pages as extracted, its status, its lengths and the evidence of whose it is.

    Parameters
    ----------
    path : str
        The file.
    document_id : str
        SHA-256 of its bytes when it was listed.
    reader, segmenter : str
        As in :class:`flows.settings.ReadParameters`.

    Returns
    -------
    FileResult
        Always; an unreadable file has a status and a reason and no pages.
    """
    row: dict[str, Any] = {
        "document_id": document_id,
        "pages": 0,
        "text_pages": 0,
        "readable_share": None,
        "reader": "",
        "extractor": extractor_version(reader),
        "metadata_title": "",
        "size_bytes": 0,
    }
    try:
        data = Path(long_path(path)).read_bytes()
        row["size_bytes"] = len(data)
        if hashlib.sha256(data).hexdigest() != document_id:
            raise ReadError("failed", "the file changed while the run read it; run again")
        document = read_document(data, PurePath(path).suffix, reader)
    except ReadError as error:
        return FileResult({**row, "status": error.status, "reason": error.reason}, None, [], [])
    except OSError as error:
        reason = f"cannot be opened: {error.strerror or error}"
        return FileResult({**row, "status": "failed", "reason": reason}, None, [], [])
    filled = sum(page.status != "blank" for page in document.pages)
    row.update(
        status=document.status,
        reason=document.reason,
        pages=len(document.pages),
        text_pages=document.text_pages,
        readable_share=document.text_pages / filled if filled else None,
        reader=document.readers,
        metadata_title=document.metadata_title,
    )
    pages = [(page.text, page.reader, page.status) for page in document.pages]
    texts = [page.text for page in document.pages]
    text, sections = describe_text(document_id, texts, segmenter)
    return FileResult(row, text, sections, pages)


def describe_text(
    document_id: str, pages: Sequence[str], segmenter: Segmenter
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return what a document's text says of it: lengths and evidence of identity, and its sections."""
    text = clean(pages)
    tokens = count_tokens(_cutter(segmenter)(text.folded))
    row = {
        "document_id": document_id,
        "chinese_characters": text.chinese_characters,
        "tokens": tokens,
        "sentences": text.sentences,
        **asdict(from_pages(pages)),
    }
    return row, section_rows(document_id, find_sections(pages))


def section_rows(document_id: str, found: SectionMap) -> list[dict[str, Any]]:
    """Return the rows of ``sections``: the discussion is ``mda`` whatever its heading; not found is a row too."""
    rows = []
    for section in (*found.front_matter, *found.sections):
        kind = "mda" if section == found.discussion else section.kind
        rows.append({"document_id": document_id, **asdict(section), "kind": kind, "checks": "; ".join(section.checks)})
    if found.discussion is None:
        rows.append({"document_id": document_id, "kind": "mda", "confidence": 0.0, "checks": found.discussion_reason})
    return rows


def describe_part(store_url: str, pages_key: str, new_text_key: str, part: str, segmenter: Segmenter) -> int:
    """Derive the texts of one part again from its stored pages; returns the number of documents."""
    store = Store(store_url)
    pages = store.read_part("pages", pages_key, part, ["document_id", "text"])
    described = [describe_text(document, texts, segmenter) for document, texts in _by_document(pages)]
    sections = [row for _, rows in described for row in rows]
    store.write_part("sections", new_text_key, part, pa.Table.from_pylist(sections, schema=SECTIONS))
    store.write_part("texts", new_text_key, part, pa.Table.from_pylist([row for row, _ in described], schema=TEXTS))
    return len(described)


def measure_part(
    store_url: str, pages_key: str, part: str, dictionary: Dictionary, rule: Rule, segmenter: Segmenter
) -> tuple[int, int]:
    """Match one dictionary over the stored pages of one part and write its hits.

    Returns
    -------
    documents, hits : int
        How many there were.
    """
    store = Store(store_url)
    readings = store.read_part("readings", pages_key, part, ["document_id", "status"]).to_pydict()
    readable = {
        document for document, status in zip(readings["document_id"], readings["status"], strict=True) if status == "ok"
    }
    pages = store.read_part("pages", pages_key, part, ["document_id", "text"])
    matcher = _matcher(dictionary, rule, segmenter)
    columns: dict[str, list[Any]] = {name: [] for name in HITS.names}
    for document, texts in _by_document(pages):
        if document in readable:
            text = clean(texts)
            for match in matcher.find(text):
                _append_hit(columns, document, text, match)
    count = len(columns["document_id"])
    for name, value in (
        ("dictionary", dictionary.name),
        ("dictionary_hash", dictionary.content_hash),
        ("rule", rule),
    ):
        columns[name] = [value] * count
    key = measurement_key(pages_key, dictionary, rule, segmenter)
    store.write_part("hits", key, part, pa.Table.from_pydict(columns, schema=HITS))
    return len(readable), count


def _matcher(dictionary: Dictionary, rule: Rule, segmenter: Segmenter) -> Matcher:
    """Build a matcher once a worker: terms are added to the segmenter here, never in the parent alone."""
    key = (dictionary.name, dictionary.content_hash, rule, segmenter)
    if key not in _MATCHERS:
        _MATCHERS[key] = Matcher(dictionary, rule, segmenter)
    return _MATCHERS[key]


def _by_document(pages: pa.Table) -> list[tuple[str, list[str]]]:
    """Group the texts of pages by document, in the order in which they are stored."""
    grouped: dict[str, list[str]] = {}
    for document, text in zip(pages["document_id"].to_pylist(), pages["text"].to_pylist(), strict=True):
        grouped.setdefault(document, []).append(text)
    return list(grouped.items())


def _append_hit(columns: dict[str, list[Any]], document: str, text: CleanText, match: Match) -> None:
    page, offset = text.locate(match.start)
    end_page, last_offset = text.locate(match.end - 1)
    number, sentence_start, sentence_end = text.sentence_of(match.start, match.end)
    sentence_page, sentence_offset = text.locate(sentence_start)
    values = {
        "document_id": document,
        "term": match.term,
        "dimension": match.dimension,
        "start": match.start,
        "page": page,
        "offset": offset,
        "end_page": end_page,
        "end_offset": last_offset + 1,
        "matched": text.display[match.start : match.end],
        "sentence": text.display[sentence_start:sentence_end],
        # Null, so that a count of distinct sentences never exceeds the number of sentences with Chinese text.
        "sentence_number": number or None,
        "sentence_page": sentence_page,
        "sentence_offset": sentence_offset,
    }
    for name, value in values.items():
        columns[name].append(value)
