"""The files of an export: indices, documents, failures, hits, codebook, report, run.json."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from flows.codebook import DictionaryInfo, check_described, codebook, labels, to_markdown
from flows.documents import known_folders, to_frame
from flows.evidence_page import relative_base, render_evidence
from flows.formats import replacing, write_csv, write_dta, write_parquet, write_xlsx
from flows.quality_gate import check_store, write_reports
from flows.read import count_by_status
from flows.report import render_report
from flows.settings import ExportParameters
from flows.store import Store
from flows.tables import SCHEMAS
from flows.versions import versions
from nlp.dictionary import Dictionary
from nlp.scope import LENGTHS, parse_scope
from shuzhi import UsageError, __version__

OUTPUT_VERSION = "3"
RUN_FILE = "run.json"
SIMULATED_NOTE = "模拟数据，仅供演示 / simulated data, for demonstration only"
SECTIONS_QUERY = """
    SELECT d.file, s.document_id, d.stock_code, d.report_year, s.kind, s.heading, s.start_page, s.end_page,
        s.confidence, s.start_offset, s.end_offset, s.checks, s.chinese_characters, s.tokens, s.sentences
    FROM sections AS s JOIN documents AS d USING (document_id)
    WHERE d.kind = 'annual' AND (len($years) = 0 OR list_contains($years, d.report_year))
    ORDER BY d.file, s.start_page NULLS LAST, s.start_offset, s.kind
"""
SECTION_NUMBERS = ("report_year", "start_page", "end_page", "start_offset", "end_offset", *LENGTHS)
OUTPUT_FILES = (
    "codebook.csv",
    "codebook.md",
    "documents.csv",
    "evidence.html",
    "failures.csv",
    "hits.parquet",
    "indices.csv",
    "indices.dta",
    "indices.parquet",
    "indices.xlsx",
    "indices_long.csv",
    "indices_long.parquet",
    "quality.csv",
    "quality.md",
    "report.html",
    "sections.csv",
)
HIT_ROWS_AT_ONCE = 50_000
# What the passport of a word list says of where it comes from.
PASSPORT_KEYS = ("authors", "year", "article", "journal", "doi", "house_list", "verified_against", "verified_note")
HITS = """
    WITH files AS (
        SELECT document_id, first(file ORDER BY is_used DESC, file) AS file,
            first(stock_code ORDER BY is_used DESC, file) AS stock_code,
            first(report_year ORDER BY is_used DESC, file) AS report_year,
            bool_or(is_used) AS is_used
        FROM documents GROUP BY document_id
    )
    SELECT hits.document_id, file, stock_code, report_year, is_used, dictionary, dictionary_hash, rule, term,
        dimension, page, "offset", end_page, end_offset, matched, sentence, sentence_number, sentence_page,
        sentence_offset, section, subsection, furniture, is_ocr, org_name, false_sense, negated, person, other_party,
        context, plan, flag_rules, kind, own_or_planned, own_done, is_published, is_strict
    FROM hits JOIN files USING (document_id)
    WHERE list_contains($dictionaries, dictionary) AND rule = $rule
        AND (len($years) = 0 OR list_contains($years, report_year))
    ORDER BY file, document_id, dictionary, start, term
"""


@dataclass(frozen=True)
class Exported:
    """The tables of one export."""

    dictionaries: tuple[Dictionary, ...]
    scopes: tuple[str, ...]
    rule: str
    documents: pd.DataFrame
    failures: pd.DataFrame
    indices_long: pd.DataFrame
    indices_wide: pd.DataFrame
    hits_keys: tuple[str, ...] = ()
    methods: Mapping[str, Any] = field(default_factory=dict)


def read_run(out: Path) -> dict[str, Any]:
    """Return the content of a folder's run.json."""
    content: dict[str, Any] = json.loads((out / RUN_FILE).read_text(encoding="utf-8"))
    return content


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_outputs(store: Store, out: Path, exported: Exported, parameters: ExportParameters, inputs: str) -> None:
    """Write every file of an export; run.json comes last and says that it is complete."""
    out.mkdir(parents=True, exist_ok=True)
    (out / RUN_FILE).unlink(missing_ok=True)
    remove_halves(out)
    provenance = describe_run(exported, parameters)
    note = SIMULATED_NOTE if parameters.is_simulated else ""
    metadata = {"shuzhi": json.dumps(provenance, ensure_ascii=False, sort_keys=True), "note": note}
    hits = write_hits(store, out / "hits.parquet", exported, parameters, metadata)
    write_indices(out, exported, metadata, note)
    write_csv(exported.documents, out / "documents.csv")
    write_csv(exported.failures, out / "failures.csv")
    sections = store.query(SCHEMAS, SECTIONS_QUERY, {"years": list(parameters.years)})
    for name in SECTION_NUMBERS:
        sections[name] = sections[name].astype("Int64")
    write_csv(sections, out / "sections.csv")
    write_codebook(out, exported, hits, sections, note)
    write_report(out, exported, hits, provenance, parameters)
    write_evidence(store, out, exported, hits, parameters)
    failing = write_quality(store, out, exported)
    counts = {
        "files": len(exported.documents),
        "firm_years": len(exported.indices_wide),
        "firm_years_with_value": int((exported.indices_wide["status"] == "ok").sum()),
        "failures": len(exported.failures),
        "hits": len(hits),
        "failing_checks": len(failing),
        "files_by_status": count_by_status(exported.documents),
    }
    outputs = {name: file_hash(out / name) for name in OUTPUT_FILES}
    whole = {
        **provenance,
        "title": parameters.title,
        "is_simulated": parameters.is_simulated,
        "terms": terms_of(exported.dictionaries),
        "passports": {each.name: passport_of(each) for each in exported.dictionaries},
    }
    write_run(out, {**whole, "counts": counts, "inputs": inputs, "outputs": outputs})


def remove_halves(out: Path) -> None:
    """Remove the temporary files that a killed export left beside its outputs."""
    for name in (*OUTPUT_FILES, RUN_FILE):
        for half in out.glob(f".{name}.*.tmp"):
            half.unlink(missing_ok=True)


def write_run(out: Path, content: Mapping[str, Any]) -> None:
    """Write run.json beside and rename it into place."""
    text = json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True, default=int)
    with replacing(out / RUN_FILE) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8", newline="\n")


def describe_run(exported: Exported, parameters: ExportParameters) -> dict[str, Any]:
    """Return what an export was made of: parameters, versions, dictionaries. No clock and no path of a machine."""
    return {
        "what": "firm-year indices by shuzhi" + (f" ({SIMULATED_NOTE})" if parameters.is_simulated else ""),
        "parameters": {
            "rule": exported.rule,
            "scopes": list(exported.scopes),
            "years": list(parameters.years),
            "extractor": sorted(exported.documents["extractor"].dropna().unique()),
        },
        "dictionaries": {
            each.name: {
                "hash": each.content_hash,
                "terms": len(each.terms),
                "verified": each.verified,
                "title": each.title_zh,
            }
            for each in exported.dictionaries
        },
        "versions": versions(),
        "methods": exported.methods,
    }


def terms_of(dictionaries: Sequence[Dictionary]) -> dict[str, dict[str, list[str]]]:
    """Return the terms of each list by dimension: run.json alone holds them, the other files only their hash."""
    return {
        each.name: {dimension.id: sorted(dimension.terms) for dimension in each.dimensions} for each in dictionaries
    }


def passport_of(dictionary: Dictionary) -> dict[str, Any]:
    """Return titles of a list, its dimensions with their labels, and where it comes from."""
    found = {name: dictionary.passport[name] for name in PASSPORT_KEYS if name in dictionary.passport}
    dimensions = {each.id: {"zh": each.zh, "en": each.en} for each in dictionary.dimensions}
    titles = {"zh": dictionary.title_zh, "en": dictionary.title_en}
    return {"title": titles, "verified": dictionary.verified, "dimensions": dimensions, **found}


def write_hits(
    store: Store, path: Path, exported: Exported, parameters: ExportParameters, metadata: Mapping[str, str]
) -> pd.DataFrame:
    """Stream the hits into one file, and return them for the codebook and the report."""
    values = {
        "dictionaries": [each.name for each in exported.dictionaries],
        "rule": exported.rule,
        "years": list(parameters.years),
    }
    with store.connect(SCHEMAS, HITS, exported.hits_keys) as connection, replacing(path) as temporary:
        reader = connection.sql(HITS, params=values).to_arrow_reader(HIT_ROWS_AT_ONCE)
        schema = reader.schema.with_metadata({key.encode(): value.encode() for key, value in metadata.items()})
        with pq.ParquetWriter(temporary, schema, compression="zstd") as writer:
            for batch in reader:
                writer.write_batch(batch.replace_schema_metadata(schema.metadata), row_group_size=HIT_ROWS_AT_ONCE)
    return to_frame(pq.read_table(path))


def write_indices(out: Path, exported: Exported, metadata: Mapping[str, str], note: str) -> None:
    """Write the indices, wide in four formats and long in two."""
    infos = dictionary_infos(exported)
    wide = exported.indices_wide
    write_csv(wide, out / "indices.csv")
    write_parquet(wide, out / "indices.parquet", metadata)
    write_xlsx({"indices": wide, "notes": notes_sheet(exported, note)}, out / "indices.xlsx")
    label = f"shuzhi {__version__} 企业年度指数 {note}".strip()
    write_dta(wide, out / "indices.dta", labels("indices_wide", wide, infos), label)
    write_csv(exported.indices_long, out / "indices_long.csv")
    write_parquet(exported.indices_long, out / "indices_long.parquet", metadata)


def notes_sheet(exported: Exported, note: str) -> pd.DataFrame:
    """Return what a reader of the workbook must know, as a table of two columns."""
    rows = [("note", note)] if note else []
    rows += [("rule 匹配规则", exported.rule)]
    for each in exported.dictionaries:
        checked = (
            "house list 自编词表"
            if is_house_list(each)
            else "verified 已核对"
            if each.verified
            else "NOT verified 未核对"
        )
        rows.append((each.name, f"{each.title_zh}; {len(each.terms)} terms; hash {each.content_hash}; {checked}"))
    rows.append(
        (
            "missing 缺失",
            "空白表示报告无法读取，不是零；原因见 reason。A blank is a report that could not be read, never zero.",
        )
    )
    return pd.DataFrame(rows, columns=["what", "value"])


def is_house_list(dictionary: Dictionary) -> bool:
    """Tell whether a list is ours and of no publication."""
    return str(dictionary.passport.get("house_list", "")).lower() == "true"


def dictionary_infos(exported: Exported) -> list[DictionaryInfo]:
    """Return what the codebook must know of each dictionary."""
    scopes = tuple((parse_scope(name).column_part, name) for name in exported.scopes)
    return [
        DictionaryInfo(
            scopes=scopes,
            is_house_list=is_house_list(each),
            name=each.name,
            title_zh=each.title_zh,
            title_en=each.title_en,
            content_hash=each.content_hash,
            verified=each.verified,
            dimensions={"total": ("合计", "All dimensions")}
            | {dimension.id: (dimension.zh, dimension.en) for dimension in each.dimensions},
        )
        for each in exported.dictionaries
    ]


def write_codebook(out: Path, exported: Exported, hits: pd.DataFrame, sections: pd.DataFrame, note: str) -> None:
    """Write the codebook of all exported tables, after checking that it leaves no column out."""
    infos = dictionary_infos(exported)
    frames = {
        "indices_wide": exported.indices_wide,
        "indices_long": exported.indices_long,
        "documents": exported.documents,
        "hits": hits,
        "failures": exported.failures,
        "sections": sections,
    }
    check_described(frames, infos)
    described = codebook(frames, infos)
    write_csv(described, out / "codebook.csv")
    heading = f"> {note}\n\n" if note else ""
    with replacing(out / "codebook.md") as temporary:
        temporary.write_text(heading + to_markdown(described), encoding="utf-8", newline="\n")


def write_report(
    out: Path,
    exported: Exported,
    hits: pd.DataFrame,
    provenance: Mapping[str, Any],
    parameters: ExportParameters,
) -> None:
    """Write the page that a person reads first."""
    page = render_report(
        title=parameters.title or "企业年报指数报告",
        indices_long=exported.indices_long,
        documents=exported.documents,
        hits=hits,
        failures=exported.failures,
        provenance=provenance,
        simulated=parameters.is_simulated,
    )
    with replacing(out / "report.html") as temporary:
        temporary.write_text(page, encoding="utf-8", newline="\n")


def write_evidence(
    store: Store, out: Path, exported: Exported, hits: pd.DataFrame, parameters: ExportParameters
) -> None:
    """Write the page that leads from a number to its sentences; it links to reports that lie in one folder."""
    folders = list(known_folders(store).values()) if parameters.link_reports else []
    page = render_evidence(
        title=f"{parameters.title or '企业年报指数报告'}：原文证据",
        hits=hits,
        documents=exported.documents,
        indices_long=exported.indices_long,
        dictionaries=exported.dictionaries,
        reports_base=relative_base(folders[0], out) if len(folders) == 1 else "",
        simulated=parameters.is_simulated,
    )
    with replacing(out / "evidence.html") as temporary:
        temporary.write_text(page, encoding="utf-8", newline="\n")


def write_quality(store: Store, out: Path, exported: Exported) -> list[str]:
    """Write what the quality gate says of the exported indices, and return the names of the checks that fail."""
    names = [each.name for each in exported.dictionaries]
    try:
        reports, why_not = check_store(store, names, [exported.rule], exported.scopes), ""
    except UsageError as error:
        reports, why_not = {}, str(error)
    write_reports(reports, out, why_not)
    return [f"{name}: {check.name}" for name, report in reports.items() for check in report.failing]
