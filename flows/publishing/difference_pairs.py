"""Firm-years of two exports side by side: which file stood behind each, and how that file was read."""

from __future__ import annotations

import re
from typing import Any

import duckdb
import pandas as pd

from flows.publishing.difference_documents import (
    BothFiles,
    Row,
    Why,
    is_same_document,
    why_added,
    why_other,
    why_removed,
)
from flows.publishing.difference_setting import ARROW, Setting
from flows.publishing.difference_sides import BODY_LENGTHS, FIRM_YEAR, LENGTHS, WIDE, Side, as_text

WIDE_COLUMNS = ["company_name", "status", "reason", "file", "document_id", *LENGTHS, "readable_share", "ocr_pages"]
# What says that a file gave another text.
TEXT_SIGNS = ["status", *LENGTHS, *BODY_LENGTHS, "unmapped_characters", "text_pages", "ocr_pages"]
LENGTH_WORDS = {"chinese_characters": "Chinese characters", "tokens": "words", "sentences": "sentences"}
READ_SIGNS = ["status", "reason", "extractor", "ocr_pages"]
PIECES = re.compile(r"[(),]+\s*")


def load_pairs(connection: duckdb.DuckDBPyConnection, before: Side, after: Side) -> pd.DataFrame:
    """Return the firm-years of either export in order, with what both say of them.

    Returns
    -------
    DataFrame
        stock_code, report_year, is_before, is_after, and each of the described columns as ``a_…`` and ``b_…``.
    """
    columns = ", ".join(f"a.{name} AS a_{name}, b.{name} AS b_{name}" for name in WIDE_COLUMNS)
    query = f"""
        SELECT coalesce(a.stock_code, b.stock_code) AS stock_code,
            coalesce(a.report_year, b.report_year) AS report_year,
            a.stock_code IS NOT NULL AS is_before, b.stock_code IS NOT NULL AS is_after, {columns}
        FROM read_parquet($before) AS a FULL JOIN read_parquet($after) AS b
            ON a.stock_code = b.stock_code AND a.report_year = b.report_year
        ORDER BY 1, 2
    """
    found = connection.execute(query, {"before": before.path(WIDE), "after": after.path(WIDE)}).df()
    found["report_year"] = found["report_year"].astype("int64")
    for name in (*LENGTHS, "ocr_pages"):
        for side in ("a", "b"):
            found[f"{side}_{name}"] = found[f"{side}_{name}"].astype("Int64")
    return found


def explain_pairs(pairs: pd.DataFrame, files: BothFiles, setting: Setting) -> pd.DataFrame:
    """Say of each firm-year why another file stands behind it, or how the same file was read otherwise.

    Returns
    -------
    DataFrame
        ``pairs`` with is_same (the same bytes), file_cause and file_detail (empty where the file is the same),
        is_text_changed, read_cause and read_detail (empty where the same file was read alike).
    """
    both = pairs["is_before"] & pairs["is_after"]
    ids = pairs["a_document_id"].fillna("") == pairs["b_document_id"].fillna("")
    names = pairs["a_document_id"].notna() | (pairs["a_file"] == pairs["b_file"])
    pairs = pairs.assign(is_same=both & ids & names)
    causes: dict[Any, Why] = {}
    for place, code, year in pairs.loc[~pairs["is_same"], FIRM_YEAR].itertuples(name=None):
        causes[place] = _why(code, year, files, setting)
    pairs["file_cause"] = pd.Series({place: why.cause for place, why in causes.items()}, dtype="str").reindex(
        pairs.index, fill_value=""
    )
    pairs["file_detail"] = pd.Series({place: why.detail for place, why in causes.items()}, dtype="str").reindex(
        pairs.index, fill_value=""
    )
    return _explain_reading(pairs, setting)


def _why(code: str, year: int, files: BothFiles, setting: Setting) -> Why:
    before, after = files.before, files.after
    first, second = before.of_firm_year(code, year), after.of_firm_year(code, year)
    if first is None and second is None:
        return Why("unexplained", "no file of this firm-year is listed in documents.csv")
    if first is None:
        assert second is not None
        return why_added(second, before, setting)
    if second is None:
        return why_removed(first, after, setting)
    if is_same_document(first, second):
        return Why("unexplained", "documents.csv and indices.parquet name different files")
    return why_other(first, second, before, after, setting)


def _explain_reading(pairs: pd.DataFrame, setting: Setting) -> pd.DataFrame:
    """Say of the firm-years with the same file how it was read otherwise."""
    used = [_used(side) for side in (setting.before, setting.after)]
    keys = pd.MultiIndex.from_frame(pairs[FIRM_YEAR])
    first, second = (each.reindex(keys).set_axis(pairs.index) for each in used)
    signs = pd.DataFrame({name: _differ(first[name], second[name]) for name in TEXT_SIGNS})
    is_other = signs.any(axis=1) & pairs["is_same"]
    is_suspect = (is_other | _differ(first["extractor"], second["extractor"])) & pairs["is_same"]
    is_suspect |= bool(setting.reading) & pairs["is_same"]
    told = _say_once(first.loc[is_suspect, READ_SIGNS], second.loc[is_suspect, READ_SIGNS], setting)
    pairs = pairs.assign(is_text_changed=is_other, read_cause="", read_detail="")
    pairs.loc[is_suspect, "read_cause"] = [cause for cause, _ in told]
    pairs.loc[is_suspect, "read_detail"] = [detail for _, detail in told]
    return pairs


def _say_once(first: pd.DataFrame, second: pd.DataFrame, setting: Setting) -> list[tuple[str, str]]:
    """Return for each firm-year how its file was read otherwise; most were read otherwise in the same way."""
    known: dict[tuple[Any, ...], tuple[str, str]] = {}
    rows = zip(first.itertuples(index=False, name=None), second.itertuples(index=False, name=None), strict=True)
    # A missing cell is not equal to itself, so it could not be found again.
    plain = [tuple(None if pd.isna(cell) else cell for cell in (*one, *two)) for one, two in rows]
    for cells in dict.fromkeys(plain):
        before = dict(zip(READ_SIGNS, cells[: len(READ_SIGNS)], strict=True))
        after = dict(zip(READ_SIGNS, cells[len(READ_SIGNS) :], strict=True))
        known[cells] = _how_read(before, after, setting)
    return [known[cells] for cells in plain]


def _used(side: Side) -> pd.DataFrame:
    documents = side.documents
    used = documents[documents["is_used"]].drop_duplicates(FIRM_YEAR)
    used = used.assign(report_year=used["report_year"].astype("int64"))
    return used.set_index(FIRM_YEAR)


def _differ(first: pd.Series, second: pd.Series) -> pd.Series:
    """Tell where two columns differ; two missing cells are alike."""
    same = (first == second).fillna(False).astype(bool) | (first.isna() & second.isna())
    return ~same


def _how_read(before: Row, after: Row, setting: Setting) -> tuple[str, str]:
    """Return the cause, and in words how the same file was read otherwise."""
    words = []
    if before["status"] != after["status"]:
        words.append(
            f"{before['status']} {ARROW} {after['status']} ({as_text(after['reason']) or as_text(before['reason'])})"
        )
    if before["extractor"] != after["extractor"]:
        words.append(_extractors(as_text(before["extractor"]), as_text(after["extractor"])))
    if before["ocr_pages"] != after["ocr_pages"]:
        words.append(f"pages recognised by OCR {before['ocr_pages'] or 0} {ARROW} {after['ocr_pages'] or 0}")
    if setting.reading:
        words.append(setting.reading)
    is_known = bool(words) or setting.knows_reading or not setting.software
    if not words:
        words.append(
            "the same methods gave another text" if setting.knows_reading else setting.software or "other text"
        )
    return ("reading" if is_known else "software"), f"same file, {', '.join(filter(None, words))}"


def _extractors(before: str, after: str) -> str:
    """Return which parts of two extractors' versions differ."""
    first, second = (PIECES.split(text.strip(")")) for text in (before, after))
    if len(first) != len(second):
        return f"reader {before or 'none'} {ARROW} {after or 'none'}"
    changed = [(one, two) for one, two in zip(first, second, strict=True) if one != two]
    return "reader " + ", ".join(f"{one.strip()} {ARROW} {two.strip()}" for one, two in changed)
