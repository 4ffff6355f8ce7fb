"""Write the indices, and all that backs them, into a folder that other studies can take."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
from prefect import flow
from prefect.artifacts import create_link_artifact, create_table_artifact

from flows.codebook import DictionaryInfo, check_described, codebook, labels, to_markdown
from flows.dictionary_files import load_dictionaries
from flows.documents import load_documents, to_frame
from flows.formats import replacing, write_csv, write_dta, write_parquet, write_xlsx
from flows.read import count_by_status
from flows.report import render_report
from flows.settings import ExportParameters
from flows.store import Store, hash_of
from flows.tables import INDICES, SCHEMAS
from flows.versions import versions
from nlp.dictionary import Dictionary
from nlp.index import widen
from shuzhi import StoreError, UsageError, __version__

OUTPUT_VERSION = "1"
RUN_FILE = "run.json"
SIMULATED_NOTE = "模拟数据，仅供演示 / simulated data, for demonstration only"
SECTION_COLUMNS = ["file", "document_id", "kind", "heading", "start_page", "end_page", "confidence"]
FAILURE_COLUMNS = ["file", "document_id", "stock_code", "report_year", "stage", "status", "reason", "pages"]
OUTPUT_FILES = (
    "codebook.csv",
    "codebook.md",
    "documents.csv",
    "failures.csv",
    "hits.parquet",
    "indices.csv",
    "indices.dta",
    "indices.parquet",
    "indices.xlsx",
    "indices_long.csv",
    "indices_long.parquet",
    "report.html",
    "sections.csv",
)
HIT_ROWS_AT_ONCE = 50_000
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
        sentence_offset
    FROM hits JOIN files USING (document_id)
    WHERE list_contains($dictionaries, dictionary) AND rule = $rule
        AND (len($years) = 0 OR list_contains($years, report_year))
    ORDER BY file, dictionary, start, term
"""


@dataclass(frozen=True)
class ExportSummary:
    """What an export holds: firm-years, files listed as failed, hits; and whether it was made anew."""

    firm_years: int
    failures: int
    hits: int
    is_new: bool
    seconds: float


@dataclass(frozen=True)
class Exported:
    """The tables of one export."""

    dictionaries: tuple[Dictionary, ...]
    rule: str
    documents: pd.DataFrame
    failures: pd.DataFrame
    indices_long: pd.DataFrame
    indices_wide: pd.DataFrame


@flow(name="export-indices")
def export_indices(parameters: ExportParameters) -> ExportSummary:
    """Write the exported tables, the codebook and the report; an export that is up to date is left alone."""
    started = time.monotonic()
    store = Store(parameters.store)
    measurements = choose_measurements(store, parameters)
    out = Path(parameters.out)
    inputs = hash_of(
        OUTPUT_VERSION,
        versions(),
        measurements,
        store.current("reading"),
        parameters.years,
        parameters.title,
        parameters.is_simulated,
        content_of(store, measurements),
    )
    is_new = not is_up_to_date(out, inputs)
    if is_new:
        exported = gather(store, parameters, measurements)
        write_outputs(store, out, exported, parameters, inputs)
    counts = read_run(out)["counts"]
    publish(out, counts)
    return ExportSummary(
        firm_years=counts["firm_years"],
        failures=counts["failures"],
        hits=counts["hits"],
        is_new=is_new,
        seconds=time.monotonic() - started,
    )


def choose_measurements(store: Store, parameters: ExportParameters) -> list[dict[str, Any]]:
    """Return the measurements to export: one rule, all or the named dictionaries.

    Raises
    ------
    StoreError, UsageError
        If nothing was measured, or the rule is not clear.
    """
    found = store.current_measurements()
    if parameters.dictionaries:
        found = [each for each in found if each["dictionary"] in parameters.dictionaries]
    rules = sorted({each["rule"] for each in found})
    rule = parameters.rule or (rules[0] if len(rules) == 1 else "")
    if len(rules) > 1 and not rule:
        raise UsageError(f"measured under the rules {', '.join(rules)}; say which with --rule")
    found = [each for each in found if each["rule"] == rule]
    if not found:
        wanted = ", ".join(parameters.dictionaries) or "any dictionary"
        raise StoreError(f"store {store.url} has no indices of {wanted} {rule}; run 'shuzhi measure' first")
    return found


def content_of(store: Store, measurements: Sequence[Mapping[str, Any]]) -> str:
    """Return a hash of the stored tables that an export is made from."""
    tables = [store.read_part("documents", "all", "all")]
    tables += [store.read_part("indices", each["key"], "all") for each in measurements]
    return hashlib.sha256(b"".join(hash_rows(table.to_pandas()) for table in tables)).hexdigest()


def hash_rows(frame: pd.DataFrame) -> bytes:
    """Return a hash of a frame's cells."""
    return hashlib.sha256(pd.util.hash_pandas_object(frame.astype("string"), index=False).to_numpy().tobytes()).digest()


def is_up_to_date(out: Path, inputs: str) -> bool:
    """Tell whether a folder holds the export of these inputs, every file of it unchanged."""
    try:
        run = read_run(out)
    except (OSError, ValueError):
        return False
    if run.get("inputs") != inputs:
        return False
    return all((out / name).is_file() and file_hash(out / name) == sha for name, sha in run["outputs"].items())


def read_run(out: Path) -> dict[str, Any]:
    """Return the content of a folder's run.json."""
    content: dict[str, Any] = json.loads((out / RUN_FILE).read_text(encoding="utf-8"))
    return content


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def gather(store: Store, parameters: ExportParameters, measurements: Sequence[Mapping[str, Any]]) -> Exported:
    """Collect the tables of an export."""
    documents = load_documents(store)
    parts = [to_frame(store.read_part("indices", each["key"], "all").cast(INDICES)) for each in measurements]
    long = pd.concat(parts, ignore_index=True)
    if parameters.years:
        documents = documents[documents["report_year"].isin(parameters.years) | documents["report_year"].isna()]
        long = long[long["report_year"].isin(parameters.years)]
    lists = [load_dictionaries([each["dictionary"]], each["dictionary_folder"])[0] for each in measurements]
    check_dictionaries(lists, measurements)
    return Exported(
        dictionaries=tuple(lists),
        rule=str(measurements[0]["rule"]),
        documents=documents,
        failures=list_failures(documents),
        indices_long=long,
        indices_wide=widen(long, documents[documents["is_used"]]),
    )


def check_dictionaries(lists: Sequence[Dictionary], measurements: Sequence[Mapping[str, Any]]) -> None:
    """Refuse to label indices with a dictionary that has changed since they were measured."""
    for each, measured in zip(lists, measurements, strict=True):
        if each.content_hash != measured["dictionary_hash"]:
            raise UsageError(
                f"dictionary {each.name} changed ({measured['dictionary_hash']} -> {each.content_hash}) since it was"
                f" measured; run 'shuzhi measure --dictionary {each.name}' first"
            )


def list_failures(documents: pd.DataFrame) -> pd.DataFrame:
    """Return the files that give no index although they should: unreadable, or without code or year."""
    unreadable = documents["status"] != "ok"
    is_report = documents["kind"].isin(["annual"]) | documents["kind"].isna()
    unknown = ~unreadable & is_report & (documents["stock_code"].isna() | documents["report_year"].isna())
    failures = documents[unreadable | unknown].copy()
    failures["stage"] = "read"
    failures.loc[unknown, "stage"] = "identify"
    failures.loc[unknown, "reason"] = failures.loc[unknown, "use_reason"]
    return failures[FAILURE_COLUMNS].sort_values("file", ignore_index=True)


def write_outputs(store: Store, out: Path, exported: Exported, parameters: ExportParameters, inputs: str) -> None:
    """Write every file of an export; run.json comes last and says that it is complete."""
    out.mkdir(parents=True, exist_ok=True)
    (out / RUN_FILE).unlink(missing_ok=True)
    provenance = describe_run(exported, parameters)
    note = SIMULATED_NOTE if parameters.is_simulated else ""
    metadata = {"shuzhi": json.dumps(provenance, ensure_ascii=False, sort_keys=True), "note": note}
    hits = write_hits(store, out / "hits.parquet", exported, parameters, metadata)
    write_indices(out, exported, metadata, note)
    write_csv(exported.documents, out / "documents.csv")
    write_csv(exported.failures, out / "failures.csv")
    sections = pd.DataFrame(columns=SECTION_COLUMNS, dtype=object)
    write_csv(sections, out / "sections.csv")
    write_codebook(out, exported, hits, sections, note)
    write_report(out, exported, hits, provenance, parameters)
    counts = {
        "files": len(exported.documents),
        "firm_years": len(exported.indices_wide),
        "firm_years_with_value": int((exported.indices_wide["status"] == "ok").sum()),
        "failures": len(exported.failures),
        "hits": len(hits),
        "files_by_status": count_by_status(exported.documents),
    }
    outputs = {name: file_hash(out / name) for name in OUTPUT_FILES}
    write_run(out, {**provenance, "counts": counts, "inputs": inputs, "outputs": outputs})


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
    }


def write_hits(
    store: Store, path: Path, exported: Exported, parameters: ExportParameters, metadata: Mapping[str, str]
) -> pd.DataFrame:
    """Stream the hits into one file, and return them for the codebook and the report."""
    values = {
        "dictionaries": [each.name for each in exported.dictionaries],
        "rule": exported.rule,
        "years": list(parameters.years),
    }
    with store.connect(SCHEMAS) as connection, replacing(path) as temporary:
        reader = connection.sql(HITS, params=values).to_arrow_reader(HIT_ROWS_AT_ONCE)
        schema = reader.schema.with_metadata({key.encode(): value.encode() for key, value in metadata.items()})
        with pq.ParquetWriter(temporary, schema, compression="zstd") as writer:
            for batch in reader:
                writer.write_batch(batch.replace_schema_metadata(schema.metadata), row_group_size=HIT_ROWS_AT_ONCE)
    return to_frame(pq.read_table(path))


def write_indices(out: Path, exported: Exported, metadata: Mapping[str, str], note: str) -> None:
    """Write the indices, wide in four formats and long in two."""
    infos = dictionary_infos(exported.dictionaries)
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
        checked = "verified 已核对" if each.verified else "NOT verified 未核对"
        rows.append((each.name, f"{each.title_zh}; {len(each.terms)} terms; hash {each.content_hash}; {checked}"))
    rows.append(
        (
            "missing 缺失",
            "空白表示报告无法读取，不是零；原因见 reason。A blank is a report that could not be read, never zero.",
        )
    )
    return pd.DataFrame(rows, columns=["what", "value"])


def dictionary_infos(lists: Sequence[Dictionary]) -> list[DictionaryInfo]:
    """Return what the codebook must know of each dictionary."""
    return [
        DictionaryInfo(
            name=each.name,
            title_zh=each.title_zh,
            title_en=each.title_en,
            content_hash=each.content_hash,
            verified=each.verified,
            dimensions={"total": ("合计", "All dimensions")}
            | {dimension.id: (dimension.zh, dimension.en) for dimension in each.dimensions},
        )
        for each in lists
    ]


def write_codebook(out: Path, exported: Exported, hits: pd.DataFrame, sections: pd.DataFrame, note: str) -> None:
    """Write the codebook of all exported tables, after checking that it leaves no column out."""
    infos = dictionary_infos(exported.dictionaries)
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


def publish(out: Path, counts: Mapping[str, Any]) -> None:
    """Show in Prefect what was exported, and where."""
    rows = [{"what": name, "count": value} for name, value in counts.items() if isinstance(value, int)]
    create_table_artifact(key="export-indices", table=rows, description=f"Exported to {out.resolve()}")
    create_link_artifact(key="export-report", link=(out / "report.html").resolve().as_uri(), link_text="report.html")
