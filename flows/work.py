"""What runs inside the worker processes: reading one file, measuring one part. Plain importable functions."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from itertools import groupby, islice
from pathlib import PurePath
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from flows.confine.errand import errand, pass_on
from flows.files import CONTROL_CHARACTERS
from flows.judge import Judge, judgement_version
from flows.places import Places, page_starts_of, place_furniture, span_of
from flows.store import PartTable, Store, hash_of
from flows.storing.parts import sealed
from flows.tables import FURNITURE, HITS, SECTIONS, TEXTS
from flows.work_files import FileResult, check_described, check_result, content_of, send_file
from flows.work_parts import Content, Source, decode, open_sources, store_content
from nlp.clean import CLEAN_VERSION, CleanText, clean, tables
from nlp.contents import find_contents
from nlp.context import FilerNames
from nlp.dictionary import Dictionary
from nlp.furniture import FURNITURE_VERSION, Mark, edge_spans, find_furniture, inner_spans
from nlp.identity import IDENTITY_VERSION, from_pages
from nlp.layout import lay_out
from nlp.lengths import Lengths, count_lengths
from nlp.match import MATCH_VERSION, Match, Matcher
from nlp.options import Ocr, Reader, Rule, Script, Segmenter
from nlp.pdf import extractor_version, read_document
from nlp.scope import SUBPART
from nlp.sections import SECTIONS_VERSION, Section, SectionMap, find_sections
from nlp.segment import Cut, build_cutter, chinese_token_starts, segmenter_version
from shuzhi import ReadError

# The last one makes the others count.
DERIVED: tuple[PartTable, ...] = ("sections", "furniture", "texts")
NO_FURNITURE: Sequence[Sequence[Any]] = ([], [], [], [])
NAME_COLUMNS = ("company_name", "short_name")
_MATCHERS: dict[tuple[str, ...], Matcher] = {}
# A batch may have a million hits, and each holds kilobytes until it is written.
HITS_AT_ONCE = 5_000


def reading_key(reader: Reader, ocr: Ocr = "off") -> str:
    """Return the key of the pages that a reader extracts, with what recognises scanned ones if anything does."""
    if ocr == "off":
        return hash_of("reading", extractor_version(reader))
    from nlp.ocr import ocr_version

    return hash_of("reading", extractor_version(reader), ocr_version())


def text_key(reader: Reader, segmenter: Segmenter, ocr: Ocr = "off") -> str:
    """Return the key of what is derived from each document's text, whatever the dictionary."""
    versions = (CLEAN_VERSION, IDENTITY_VERSION, SECTIONS_VERSION, FURNITURE_VERSION, str(segmenter_version(segmenter)))
    return hash_of("text", reading_key(reader, ocr), *versions)


def measurement_key(
    new_text_key: str, dictionary: Dictionary, rule: Rule, segmenter: Segmenter, script: Script = "as_printed"
) -> str:
    """Return the key of a dictionary's hits; the segmenter counts only where the rule asks for it."""
    cutter = str(segmenter_version(segmenter)) if rule == "token" else ""
    versions = (MATCH_VERSION, judgement_version())
    return hash_of("hits", new_text_key, *versions, dictionary.content_hash, rule, cutter, script)


def prepare_worker(segmenter: Segmenter) -> None:
    """Load what every file needs, so that no file's time limit pays for it."""
    # It warns of every odd operator, so that one damaged file could fill a terminal or a log.
    logging.getLogger("pdfminer").setLevel(logging.CRITICAL)
    # Arrow reserves a gigabyte of addresses at its first use; the pool takes off what is reserved by now.
    pa.allocate_buffer(1)
    tables()
    _cutter(segmenter)
    judgement_version()


@lru_cache(maxsize=2)
def _cutter(segmenter: Segmenter) -> Cut:
    return build_cutter(segmenter)


def read_bytes(
    content: bytes | OSError, suffix: str, document_id: str, reader: Reader, segmenter: Segmenter
) -> FileResult:
    """Read a file from its bytes, or note why they could not be had; see :func:`read_file`."""
    row: dict[str, Any] = {
        "document_id": document_id,
        "pages": 0,
        "text_pages": 0,
        "ocr_pages": 0,
        "ocr_confidence": None,
        "readable_share": None,
        "reader": "",
        "extractor": extractor_version(reader),
        "metadata_title": "",
        "size_bytes": 0,
    }
    if isinstance(content, OSError):
        reason = f"cannot be opened: {content.strerror or content}"
        return FileResult({**row, "status": "failed", "reason": reason}, is_lost=True)
    row["size_bytes"] = len(content)
    if hashlib.sha256(content).hexdigest() != document_id:
        reason = "the file changed while the run read it; run again"
        return FileResult({**row, "status": "failed", "reason": reason}, is_lost=True)
    try:
        document = read_document(content, suffix, reader)
    except ReadError as error:
        return FileResult({**row, "status": error.status, "reason": error.reason})
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
    text, sections, furniture = describe_text(document_id, [page.text for page in document.pages], segmenter)
    return FileResult(row, text, sections, furniture, document.pages)


@errand(send_file, read_bytes, check_result)
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
    return read_bytes(content_of(path), PurePath(path).suffix, document_id, reader, segmenter)


def describe_text(
    document_id: str, pages: Sequence[str], segmenter: Segmenter
) -> tuple[dict[str, Any], list[dict[str, Any]], tuple[Mark, ...]]:
    """Return what a document's text says of it: lengths and evidence of identity, its sections, its furniture."""
    layout = lay_out(pages)
    contents = find_contents(layout)
    found = find_sections(pages, layout, contents)
    furniture = find_furniture(layout, contents, found)
    text = clean(pages, edge_spans(furniture, layout.page_starts))
    token_starts = chinese_token_starts(_cutter(segmenter)(text.folded))
    rows = section_rows(document_id, found)
    spans = [(0, len(layout.raw)), *(span_of(row, layout.page_starts) for row in rows)]
    body, *lengths = count_lengths(text, token_starts, spans, inner_spans(furniture, layout.page_starts))
    row = {
        "document_id": document_id,
        **asdict(Lengths(text.chinese_characters, int(token_starts.size), text.sentences)),
        **{f"body_{name}": value for name, value in asdict(body).items()},
        "unmapped_characters": text.unmapped_characters,
        **{name: _printable(value) for name, value in asdict(from_pages(pages)).items()},
    }
    sections = [
        {**each, **asdict(length)} if each.get("heading") else each for each, length in zip(rows, lengths, strict=True)
    ]
    return row, sections, furniture


errand(pass_on, describe_text, check_described)(describe_text)


def _printable(value: str | int | None) -> str | int | None:
    """Return a value without the control characters that old and damaged fonts give, which no table shows."""
    return CONTROL_CHARACTERS.sub(" ", value) if isinstance(value, str) else value


def section_rows(document_id: str, found: SectionMap) -> list[dict[str, Any]]:
    """Return the rows of ``sections``: the discussion is ``mda`` whatever its heading; not found is a row too."""
    named: list[tuple[str, Section]] = [(section.kind, section) for section in found.front_matter]
    named += [("mda" if section == found.discussion else section.kind, section) for section in found.sections]
    if found.discussion_subpart is not None:
        named.append((SUBPART, found.discussion_subpart))
    rows = [
        {"document_id": document_id, **asdict(section), "kind": kind, "checks": "; ".join(section.checks)}
        for kind, section in named
    ]
    if found.discussion is None:
        rows.append({"document_id": document_id, "kind": "mda", "confidence": 0.0, "checks": found.discussion_reason})
    return rows


def open_pages(store_url: str, pages_key: str, new_text_key: str, part: str, segmenter: Segmenter) -> tuple[Any, ...]:
    """Return what a worker needs to derive the texts of one part: its pages, and the names of what it makes."""
    [pages] = open_sources(Store(store_url), [("pages", pages_key)], part)
    return pages, new_text_key, part, segmenter


def describe_pages(pages: bytes, new_text_key: str, part: str, segmenter: Segmenter) -> tuple[list[Content], int]:
    """Derive the texts of one part from its pages; returns the parts to be stored, and the number of documents."""
    stored = decode(pages, ["document_id", "text"])
    described = [describe_text(document, texts, segmenter) for document, texts in _by_document(stored)]
    return described_parts(new_text_key, part, described), len(described)


def store_described(made: Any, store_url: str, _pages_key: str, new_text_key: str, part: str, *_: Any) -> int:
    """Store what was derived from the pages of one part; returns the number of documents."""
    contents, documents = made
    store = Store(store_url)
    for table, content in zip(DERIVED, contents, strict=True):
        store_content(store, (table, new_text_key), part, content)
    return int(documents)


@errand(open_pages, describe_pages, store_described, is_apart=True)
def describe_part(store_url: str, pages_key: str, new_text_key: str, part: str, segmenter: Segmenter) -> int:
    """Derive the texts of one part again from its stored pages; returns the number of documents."""
    opened = open_pages(store_url, pages_key, new_text_key, part, segmenter)
    return store_described(describe_pages(*opened), store_url, pages_key, new_text_key, part)


def write_described(
    store: Store,
    new_text_key: str,
    part: str,
    described: Sequence[tuple[dict[str, Any], Sequence[dict[str, Any]], Sequence[Mark]]],
) -> None:
    """Write what was derived from the texts of one part; ``texts`` comes last, because it makes the others count."""
    for table, content in zip(DERIVED, described_parts(new_text_key, part, described), strict=True):
        store_content(store, (table, new_text_key), part, content)


def described_parts(
    new_text_key: str,
    part: str,
    described: Sequence[tuple[dict[str, Any], Sequence[dict[str, Any]], Sequence[Mark]]],
) -> list[Content]:
    """Return what was derived from the texts of one part as the parts of the tables ``DERIVED``."""
    sections = [row for _, rows, _ in described for row in rows]
    marks = [(text["document_id"], mark) for text, _, furniture in described for mark in furniture]
    columns: dict[str, list[Any]] = {"document_id": [document for document, _ in marks]}
    columns |= {name: [getattr(mark, name) for _, mark in marks] for name in FURNITURE.names[1:]}
    tables = [
        pa.Table.from_pylist(sections, schema=SECTIONS),
        pa.Table.from_pydict(columns, schema=FURNITURE),
        pa.Table.from_pylist([text for text, _, _ in described], schema=TEXTS),
    ]
    return [
        bytes(sealed(f"{name}/{new_text_key}/{part}", table.schema, [table]))
        for name, table in zip(DERIVED, tables, strict=True)
    ]


@dataclass(frozen=True)
class Measurement:
    """What is measured: the pages and texts in force, and how a dictionary's terms are found in them."""

    pages_key: str
    text_key: str
    dictionary: Dictionary
    rule: Rule
    segmenter: Segmenter
    script: Script = "as_printed"

    @property
    def key(self) -> str:
        """The key of the hits."""
        return measurement_key(self.text_key, self.dictionary, self.rule, self.segmenter, self.script)

    @property
    def sources(self) -> list[Source]:
        """Tables of the store that matching needs, with their keys."""
        of_texts: list[PartTable] = ["sections", "furniture", "texts"]
        return [("readings", self.pages_key), ("pages", self.pages_key), *((name, self.text_key) for name in of_texts)]


def open_part(store_url: str, part: str, measurement: Measurement) -> tuple[Any, ...]:
    """Return what a worker needs to match a dictionary over one part."""
    return open_sources(Store(store_url), measurement.sources, part), part, measurement


def measure_content(contents: Sequence[Content], part: str, measurement: Measurement) -> tuple[Content, int, int]:
    """Match one dictionary over the tables of one part; returns the part of hits, the documents and the hits."""
    of_readings, of_pages, of_sections, of_furniture, of_texts = contents
    readings = decode(of_readings, ["document_id", "status"]).to_pydict()
    readable = {
        document for document, status in zip(readings["document_id"], readings["status"], strict=True) if status == "ok"
    }
    pages = decode(of_pages, ["document_id", "page", "text", "status"])
    sections, furniture = _grouped(decode(of_sections)), _furniture_of(decode(of_furniture))
    names = _filer_names(decode(of_texts, ["document_id", *NAME_COLUMNS]))
    matcher = _matcher(measurement)
    count = 0

    def chunks() -> Iterator[pa.Table]:
        nonlocal count
        columns: dict[str, list[Any]] = {name: [] for name in HITS.names}
        for document, texts in _by_document(pages):
            if document not in readable:
                continue
            page_starts = page_starts_of(texts)
            placed = place_furniture(furniture.get(document, NO_FURNITURE), page_starts)
            text = clean(texts, placed.edges, measurement.script)
            places = Places(page_starts, sections.get(document, ()), placed)
            judge = Judge(text, names.get(document, FilerNames()), measurement.script)
            for matches in _batched(matcher.iterate(text), HITS_AT_ONCE):
                _append_hits(columns, document, text, matches, places, judge)
                count += len(matches)
                if len(columns["document_id"]) >= HITS_AT_ONCE:
                    yield _hit_table(columns, pages, measurement)
                    columns = {name: [] for name in HITS.names}
        yield _hit_table(columns, pages, measurement)

    hits = bytes(sealed(f"hits/{measurement.key}/{part}", HITS, chunks()))
    return hits, len(readable), count


def store_hits(made: Any, store_url: str, part: str, measurement: Measurement) -> tuple[int, int]:
    """Store the hits of one part; returns the number of documents and of hits."""
    content, documents, hits = made
    store_content(Store(store_url), ("hits", measurement.key), part, content)
    return int(documents), int(hits)


@errand(open_part, measure_content, store_hits, is_apart=True)
def measure_part(store_url: str, part: str, measurement: Measurement) -> tuple[int, int]:
    """Match one dictionary over the stored pages of one part and write its hits.

    Returns
    -------
    documents, hits : int
        How many there were.
    """
    return store_hits(measure_content(*open_part(store_url, part, measurement)), store_url, part, measurement)


def _hit_table(columns: dict[str, list[Any]], pages: pa.Table, measurement: Measurement) -> pa.Table:
    """Return hits as a table, with what all hits of a measurement share."""
    columns["is_ocr"] = _are_recognised(pages, columns)
    for name, value in (
        ("dictionary", measurement.dictionary.name),
        ("dictionary_hash", measurement.dictionary.content_hash),
        ("rule", measurement.rule),
    ):
        columns[name] = [value] * len(columns["document_id"])
    return pa.Table.from_pydict(columns, schema=HITS)


def _grouped(table: pa.Table) -> dict[str, list[dict[str, Any]]]:
    """Group the rows of a table by document, in the order in which they are stored."""
    grouped: dict[str, list[dict[str, Any]]] = {}
    for row in table.to_pylist():
        grouped.setdefault(row["document_id"], []).append(row)
    return grouped


def _furniture_of(table: pa.Table) -> dict[str, Sequence[Sequence[Any]]]:
    """Return kinds, pages, starts and ends of the furniture of each document."""
    documents = table["document_id"].to_pylist()
    columns = [table["kind"].to_pylist(), *(table[name].to_numpy() for name in ("page", "start", "end"))]
    found: dict[str, Sequence[Sequence[Any]]] = {}
    for document, rows in groupby(range(len(documents)), key=documents.__getitem__):
        numbers = list(rows)
        found[document] = [column[numbers[0] : numbers[-1] + 1] for column in columns]
    return found


def _are_recognised(pages: pa.Table, columns: dict[str, list[Any]]) -> list[bool]:
    """Tell of each hit whether its page was read by OCR."""
    read = pages.filter(pc.equal(pages["status"], "ocr"))
    recognised = set(zip(read["document_id"].to_pylist(), read["page"].to_pylist(), strict=True))
    return [place in recognised for place in zip(columns["document_id"], columns["page"], strict=True)]


def _matcher(measurement: Measurement) -> Matcher:
    """Build a matcher once a worker: terms are added to the segmenter here, never in the parent alone."""
    dictionary, rule, segmenter, script = (
        measurement.dictionary,
        measurement.rule,
        measurement.segmenter,
        measurement.script,
    )
    key = (dictionary.name, dictionary.content_hash, rule, segmenter, script)
    if key not in _MATCHERS:
        _MATCHERS[key] = Matcher(dictionary, rule, segmenter, script)
    return _MATCHERS[key]


def _by_document(pages: pa.Table) -> Iterator[tuple[str, list[str]]]:
    """Give each document's texts, in the order in which they are stored; one document at a time leaves Arrow."""
    documents = pages["document_id"].to_pylist()
    for document, rows in groupby(range(len(documents)), key=documents.__getitem__):
        numbers = list(rows)
        yield document, pages["text"].slice(numbers[0], len(numbers)).to_pylist()


def _filer_names(texts: pa.Table) -> dict[str, FilerNames]:
    """Return what each document's firm is called, by its own text: hits depend on nothing else."""
    rows = texts.to_pylist()
    return {row["document_id"]: FilerNames(*(row[name] for name in NAME_COLUMNS)) for row in rows}


def _batched(matches: Iterator[Match], size: int) -> Iterator[list[Match]]:
    while batch := list(islice(matches, size)):
        yield batch


def _append_hits(
    columns: dict[str, list[Any]],
    document: str,
    text: CleanText,
    matches: Sequence[Match],
    places: Places,
    judge: Judge,
) -> None:
    where = [places.at(int(text.raw_positions[match.start])) for match in matches]
    sentences = [text.sentence_of(match.start, match.end) for match in matches]
    judged = judge.judge(matches, where, [(start, end) for _, start, end in sentences])
    for match, place, sentence, judgement in zip(matches, where, sentences, judged, strict=True):
        row = {"document_id": document, **_location(text, match, sentence), **place, **judgement}
        for name, value in row.items():
            columns[name].append(value)


def _location(text: CleanText, match: Match, sentence: tuple[int, int, int]) -> dict[str, Any]:
    """Return what a hit is and where it stands, with its sentence."""
    page, offset = text.locate(match.start)
    end_page, last_offset = text.locate(match.end - 1)
    number, start, end = sentence
    sentence_page, sentence_offset = text.locate(start)
    return {
        "term": match.term,
        "dimension": match.dimension,
        "start": match.start,
        "page": page,
        "offset": offset,
        "end_page": end_page,
        "end_offset": last_offset + 1,
        "matched": text.display[match.start : match.end],
        "sentence": text.display[start:end],
        # Null, so that a count of distinct sentences never exceeds the number of sentences with Chinese text.
        "sentence_number": number or None,
        "sentence_page": sentence_page,
        "sentence_offset": sentence_offset,
    }
