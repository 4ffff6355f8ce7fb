"""The documents table: one row a file, with whose report it is and whether it enters the indices."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from flows.files import folder_key
from flows.made import fingerprint, inputs_of, is_made, note_made
from flows.store import Store
from flows.tables import DOCUMENTS, FILES, READINGS, TEXTS
from nlp.corrections import Correction, CorrectionOutcome, apply_corrections, parse_corrections
from nlp.identity import TextEvidence, decide, from_path
from nlp.index import choose_reports
from shuzhi import UsageError

EVIDENCE = [field.name for field in fields(TextEvidence)]
READING_COLUMNS = ["status", "reason", "pages", "text_pages", "ocr_pages", "ocr_confidence", "readable_share"]
READING_COLUMNS += ["reader", "extractor"]
TEXT_COLUMNS = ["chinese_characters", "tokens", "sentences", "body_chinese_characters", "body_tokens"]
TEXT_COLUMNS += ["body_sentences", "unmapped_characters"]
LOST_REASON = "its pages in the store were damaged or removed, and its file is not there to read it again"
TIMES = ["modified_ns", "changed_ns"]
USE_COLUMNS = ["is_used", "use_status", "use_reason", "winner_document_id"]


def load_corrections(path: str) -> tuple[Correction, ...]:
    """Read a user's file of corrections; none where no file is named.

    Raises
    ------
    UsageError
        If the file cannot be read, or with every problem in it.
    """
    if not path:
        return ()
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        words = getattr(error, "strerror", None) or "it is not UTF-8"
        raise UsageError(f"{path}: cannot be read ({words}); name a file of corrections in UTF-8") from None
    return parse_corrections(text, Path(path).name)


def resolve_documents(
    store: Store,
    pages_key: str,
    new_text_key: str,
    kinds: Sequence[str] = ("annual",),
    corrections: Sequence[Correction] = (),
    expected: Collection[str] = (),
) -> tuple[pd.DataFrame, tuple[CorrectionOutcome, ...]]:
    """Decide for every listed file whose report it is, which one wins its firm-year, and store the table.

    Parameters
    ----------
    store : Store
        With listings, readings and texts.
    pages_key, new_text_key : str
        Keys of the readings and texts in force.
    kinds : sequence of str
        Kinds of report that enter the indices, the preferred one first.
    corrections : sequence of Correction
        What a person knows better; they override what was found.
    expected : collection of str
        Documents that earlier runs read; one that has no reading any more is failed, not left out.

    Returns
    -------
    documents : DataFrame
        The table ``documents``, ordered by file.
    outcomes : tuple of CorrectionOutcome
        What became of each correction.
    """
    tables = [store.read_table("readings", pages_key, READINGS), store.read_table("texts", new_text_key, TEXTS)]
    folders = list(known_folders(store))
    # When a file was changed says nothing of whose report it is.
    files = [store.read_table("files", key, FILES).drop_columns(TIMES) for key in folders]
    made_from = [fingerprint(table) for table in (*tables, *files)]
    missing = sorted(set(expected) - set(tables[0]["document_id"].to_pylist()))
    inputs = inputs_of(made_from, folders, pages_key, new_text_key, list(kinds), missing)
    if not corrections and is_made(store, "documents", "all", inputs):
        return load_documents(store), ()
    readings, texts = map(_by_document, tables)
    listings = [_lost(listed, readings, expected) for table in files for listed in table.to_pylist()]
    found = [row for listed in listings if (row := _document(listed, readings, texts)) is not None]
    rows, outcomes = apply_corrections(found, corrections)
    documents = pd.DataFrame(rows, columns=[name for name in DOCUMENTS.names if name not in USE_COLUMNS])
    documents = documents.sort_values("file", ignore_index=True)
    documents = pd.concat([documents, choose_reports(documents, kinds)], axis=1)[DOCUMENTS.names]
    store.write_part("documents", "all", "all", pa.Table.from_pandas(documents, DOCUMENTS, preserve_index=False))
    note_made(store, "documents", "all", "with corrections" if corrections else inputs)
    return load_documents(store), outcomes


def load_documents(store: Store) -> pd.DataFrame:
    """Return the stored table ``documents``, with whole numbers that may be missing as ``Int64``."""
    table = store.read_table("documents", "all", DOCUMENTS)
    return to_frame(table)


def to_frame(table: pa.Table) -> pd.DataFrame:
    """Turn an Arrow table into a frame: whole numbers stay whole where some are missing."""
    frame: pd.DataFrame = table.to_pandas(integer_object_nulls=True)
    for field in table.schema:
        if pa.types.is_integer(field.type):
            frame[field.name] = frame[field.name].astype("Int64")
    return frame


def _by_document(table: pa.Table) -> dict[str, dict[str, Any]]:
    return {row["document_id"]: row for row in table.to_pylist()}


def _lost(listed: dict[str, Any], readings: Mapping[str, dict[str, Any]], expected: Collection[str]) -> dict[str, Any]:
    """Return a listed file, failed where its pages were lost and reading it again gave none."""
    document = listed["document_id"]
    if listed["status"] or document not in expected or document in readings:
        return listed
    return listed | {"status": "failed", "reason": LOST_REASON}


def known_folders(store: Store) -> dict[str, str]:
    """Return the folders whose files are listed in a store, by key."""
    folders: dict[str, str] = (store.current("folders") or {}).get("keys", {})
    return dict(sorted(folders.items()))


def register_folder(store: Store, folder: str) -> None:
    """Note that a folder's files belong to this store."""
    store.set_current("folders", keys={**known_folders(store), folder_key(folder): str(Path(folder).resolve())})


def _document(
    listed: dict[str, Any], readings: dict[str, dict[str, Any]], texts: dict[str, dict[str, Any]]
) -> dict[str, Any] | None:
    """Return the row of one file; None for a file that was listed but not read (years, limit)."""
    reading = readings.get(listed["document_id"] or "")
    if reading is None and not listed["status"]:
        return None
    text = texts.get(listed["document_id"] or "")
    evidence = TextEvidence(**{name: text[name] for name in EVIDENCE}) if text else None
    identity = decide(from_path(listed["file"]), evidence, (reading or {}).get("metadata_title") or None)
    row: dict[str, Any] = {"file": listed["file"], "document_id": listed["document_id"], **asdict(identity)}
    row |= (
        {name: reading[name] for name in READING_COLUMNS} if reading else {"pages": 0, "text_pages": 0, "ocr_pages": 0}
    )
    row |= {name: text[name] for name in (*TEXT_COLUMNS, "language")} if text else {}
    row |= {"status": listed["status"], "reason": listed["reason"]} if listed["status"] else {}
    return row | {"size_bytes": listed["size_bytes"]}
