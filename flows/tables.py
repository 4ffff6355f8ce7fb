"""Columns of the stored tables; the one place that names them."""

from __future__ import annotations

import types
import typing
from dataclasses import fields

import pyarrow as pa

from nlp.context import FLAG_FIELDS
from nlp.identity import Identity, TextEvidence


def _arrow_type(annotation: object) -> pa.DataType:
    """Return the Arrow type of a dataclass field: text, or a whole number that may be missing."""
    kinds = typing.get_args(annotation) if isinstance(annotation, types.UnionType) else (annotation,)
    return pa.int64() if int in kinds else pa.string()


def _fields_of(record: type) -> list[tuple[str, pa.DataType]]:
    annotations = typing.get_type_hints(record)
    return [(field.name, _arrow_type(annotations[field.name])) for field in fields(record)]


READINGS = pa.schema(
    [
        ("document_id", pa.string()),
        ("status", pa.string()),
        ("reason", pa.string()),
        ("pages", pa.int32()),
        ("text_pages", pa.int32()),
        ("ocr_pages", pa.int32()),
        ("ocr_confidence", pa.float64()),
        ("readable_share", pa.float64()),
        ("reader", pa.string()),
        ("extractor", pa.string()),
        ("metadata_title", pa.string()),
        ("size_bytes", pa.int64()),
    ]
)
PAGES = pa.schema(
    [
        ("document_id", pa.string()),
        ("page", pa.int32()),
        ("text", pa.string()),
        ("reader", pa.string()),
        ("status", pa.string()),
        ("note", pa.string()),
        ("confidence", pa.float64()),
    ]
)
TEXTS = pa.schema(
    [
        ("document_id", pa.string()),
        ("chinese_characters", pa.int64()),
        ("tokens", pa.int64()),
        ("sentences", pa.int64()),
        ("body_chinese_characters", pa.int64()),
        ("body_tokens", pa.int64()),
        ("body_sentences", pa.int64()),
        ("unmapped_characters", pa.int64()),
        *_fields_of(TextEvidence),
    ]
)
SECTIONS = pa.schema(
    [
        ("document_id", pa.string()),
        ("kind", pa.string()),
        ("heading", pa.string()),
        ("start_page", pa.int32()),
        ("start_offset", pa.int32()),
        ("end_page", pa.int32()),
        ("end_offset", pa.int32()),
        ("confidence", pa.float64()),
        ("checks", pa.string()),
        ("chinese_characters", pa.int64()),
        ("tokens", pa.int64()),
        ("sentences", pa.int64()),
    ]
)
FURNITURE = pa.schema(
    [
        ("document_id", pa.string()),
        ("kind", pa.string()),
        ("page", pa.int32()),
        ("start", pa.int32()),
        ("end", pa.int32()),
    ]
)
HITS = pa.schema(
    [
        ("document_id", pa.string()),
        ("dictionary", pa.string()),
        ("dictionary_hash", pa.string()),
        ("rule", pa.string()),
        ("term", pa.string()),
        ("dimension", pa.string()),
        ("start", pa.int64()),
        ("page", pa.int32()),
        ("offset", pa.int32()),
        ("end_page", pa.int32()),
        ("end_offset", pa.int32()),
        ("matched", pa.string()),
        ("sentence", pa.string()),
        ("sentence_number", pa.int32()),
        ("sentence_page", pa.int32()),
        ("sentence_offset", pa.int32()),
        ("section", pa.string()),
        ("subsection", pa.string()),
        ("furniture", pa.string()),
        ("is_ocr", pa.bool_()),
        *((name, pa.bool_()) for name in FLAG_FIELDS if name != "furniture"),
        ("flag_rules", pa.string()),
        ("kind", pa.string()),
        ("own_or_planned", pa.float64()),
        ("own_done", pa.float64()),
        ("is_published", pa.bool_()),
        ("is_strict", pa.bool_()),
    ]
)
FILES = pa.schema(
    [
        ("file", pa.string()),
        ("size_bytes", pa.int64()),
        ("modified_ns", pa.int64()),
        ("changed_ns", pa.int64()),
        ("document_id", pa.string()),
        ("status", pa.string()),
        ("reason", pa.string()),
    ]
)
DOCUMENTS = pa.schema(
    [
        ("file", pa.string()),
        ("document_id", pa.string()),
        *_fields_of(Identity),
        ("status", pa.string()),
        ("reason", pa.string()),
        ("pages", pa.int32()),
        ("text_pages", pa.int32()),
        ("ocr_pages", pa.int32()),
        ("ocr_confidence", pa.float64()),
        ("readable_share", pa.float64()),
        ("reader", pa.string()),
        ("extractor", pa.string()),
        ("language", pa.string()),
        ("is_used", pa.bool_()),
        ("use_status", pa.string()),
        ("use_reason", pa.string()),
        ("winner_document_id", pa.string()),
        ("chinese_characters", pa.int64()),
        ("tokens", pa.int64()),
        ("sentences", pa.int64()),
        ("body_chinese_characters", pa.int64()),
        ("body_tokens", pa.int64()),
        ("body_sentences", pa.int64()),
        ("unmapped_characters", pa.int64()),
        ("size_bytes", pa.int64()),
    ]
)
INDICES = pa.schema(
    [
        ("stock_code", pa.string()),
        ("company_name", pa.string()),
        ("report_year", pa.int64()),
        ("index", pa.string()),
        ("dictionary", pa.string()),
        ("dictionary_hash", pa.string()),
        ("rule", pa.string()),
        ("scope", pa.string()),
        ("dimension", pa.string()),
        ("measure", pa.string()),
        ("value", pa.float64()),
        ("numerator", pa.int64()),
        ("denominator", pa.int64()),
        ("denominator_unit", pa.string()),
        ("document_id", pa.string()),
        ("status", pa.string()),
        ("reason", pa.string()),
    ]
)
SCHEMAS = {
    "readings": READINGS,
    "pages": PAGES,
    "texts": TEXTS,
    "sections": SECTIONS,
    "furniture": FURNITURE,
    "hits": HITS,
    "documents": DOCUMENTS,
    "indices": INDICES,
}
