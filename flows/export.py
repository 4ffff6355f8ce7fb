"""Write the indices, and all that backs them, into a folder that other studies can take."""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from prefect import flow
from prefect.artifacts import create_link_artifact, create_table_artifact

from flows.dictionary_files import load_dictionaries
from flows.documents import load_documents, to_frame
from flows.kit.options import KitOptions
from flows.kit.write import write_kit
from flows.measure import check_measured, key_in_force
from flows.methods import methods_in_force
from flows.outputs import OUTPUT_VERSION, RUN_FILE, Exported, file_hash, read_run, write_outputs
from flows.settings import ExportParameters
from flows.store import Store, hash_of
from flows.storing.faults import explained
from flows.storing.folder_lock import locked
from flows.tables import INDICES
from flows.versions import versions
from nlp.dictionary import Dictionary
from nlp.index import index_names, widen
from nlp.scope import REPORT, check_scopes, parse_scope
from shuzhi import RunError, StoreError, UsageError

LOCK_FILE = ".export-lock.json"
FAILURE_COLUMNS = ["file", "document_id", "stock_code", "report_year", "stage", "status", "reason", "pages"]


@dataclass(frozen=True)
class ExportSummary:
    """What an export holds: firm-years, files listed as failed, hits, failing checks; whether it was made anew."""

    firm_years: int
    failures: int
    hits: int
    failing_checks: int
    is_new: bool
    seconds: float


@flow(name="export-indices")
def export_indices(parameters: ExportParameters) -> ExportSummary:
    """Write the exported tables, the codebook and the report; an export that is up to date is left alone."""
    started = time.monotonic()
    store = Store(parameters.store)
    measurements = choose_measurements(store, parameters)
    check_complete(store, measurements)
    out = Path(parameters.out)
    inputs = inputs_of(store, parameters, measurements)
    is_new = not is_up_to_date(out, inputs)
    if is_new:
        with export_lock(out):
            exported = gather(store, parameters, measurements)
            write_outputs(store, out, exported, parameters, inputs)
            check_unchanged(store, out, parameters, inputs)
    if parameters.study_kit:
        with export_lock(out):
            write_kit(out, kit_options(parameters))
    counts = read_run(out)["counts"]
    publish(out, counts)
    return ExportSummary(
        firm_years=counts["firm_years"],
        failures=counts["failures"],
        hits=counts["hits"],
        failing_checks=counts["failing_checks"],
        is_new=is_new,
        seconds=time.monotonic() - started,
    )


def kit_options(parameters: ExportParameters) -> KitOptions:
    """Return what a study kit is told."""
    return KitOptions(
        authors=tuple(parameters.kit_authors),
        licence=parameters.kit_licence,
        has_sentences=parameters.kit_sentences,
    )


def inputs_of(store: Store, parameters: ExportParameters, measurements: Sequence[Mapping[str, Any]]) -> str:
    """Return a hash of all that an export depends on."""
    return hash_of(
        OUTPUT_VERSION,
        versions(),
        measurements,
        store.current("reading"),
        parameters.years,
        parameters.title,
        parameters.is_simulated,
        parameters.link_reports,
        content_of(store, measurements),
    )


@contextlib.contextmanager
def export_lock(out: Path) -> Iterator[None]:
    """Keep a second export from writing to a folder at the same time.

    Raises
    ------
    StoreError, RunError
        If another run is exporting to it, or it cannot be written.
    """
    with explained(str(out)):
        out.mkdir(parents=True, exist_ok=True)
    with locked(str(out / LOCK_FILE), f"the output folder {out}"):
        yield


def check_unchanged(store: Store, out: Path, parameters: ExportParameters, inputs: str) -> None:
    """Refuse an export during which another run changed the store: its files may be of two states."""
    measurements = choose_measurements(store, parameters)
    check_complete(store, measurements)
    if inputs_of(store, parameters, measurements) != inputs:
        (out / RUN_FILE).unlink(missing_ok=True)
        raise RunError(f"store {store.url} was changed by another run meanwhile; export again when that has ended")


def choose_measurements(store: Store, parameters: ExportParameters) -> list[dict[str, Any]]:
    """Return the measurements to export: one rule, all or the named dictionaries and parts of a report.

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
    wanted = [scope.name for scope in check_scopes(parameters.scopes, parameters.keep)]
    found = [expanded for each in found for expanded in by_scope(each, wanted)]
    if not found:
        what = ", ".join((*parameters.dictionaries, *wanted)) or "any dictionary"
        raise StoreError(f"store {store.url} has no indices of {what} {rule}; run 'shuzhi measure' first")
    missing = sorted(set(parameters.dictionaries) - {each["dictionary"] for each in found})
    if missing:
        raise StoreError(f"{', '.join(missing)} was not measured under the rule {rule}; run 'shuzhi measure' first")
    return found


def by_scope(measurement: Mapping[str, Any], scopes: Sequence[str]) -> list[dict[str, Any]]:
    """Return a measurement once for each wanted part of a report, all of them if none is named."""
    measured = measurement.get("scopes", {})
    wanted = scopes or sorted(measured, key=lambda name: (name != REPORT, name))
    return [{**measurement, "scope": name, "indices_key": measured[name]} for name in wanted if name in measured]


def check_complete(store: Store, measurements: Sequence[Mapping[str, Any]]) -> None:
    """Refuse to export indices that do not cover what was read since."""
    pages_key = key_in_force(store)
    for each in measurements:
        if each["pages_key"] != pages_key:
            raise StoreError(
                f"{each['dictionary']} was measured on pages of another reader; run 'shuzhi measure' again"
            )
        check_measured(store, pages_key, each["key"])


def content_of(store: Store, measurements: Sequence[Mapping[str, Any]]) -> str:
    """Return a hash of the stored tables that an export is made from."""
    tables = [store.read_part("documents", "all", "all")]
    tables += [store.read_part("indices", each["indices_key"], "all") for each in measurements]
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


def gather(store: Store, parameters: ExportParameters, measurements: Sequence[Mapping[str, Any]]) -> Exported:
    """Collect the tables of an export."""
    documents = load_documents(store)
    parts = [to_frame(store.read_part("indices", each["indices_key"], "all").cast(INDICES)) for each in measurements]
    long = pd.concat(parts, ignore_index=True)
    check_covered(store, documents, parts)
    if parameters.years:
        documents = documents[documents["report_year"].isin(parameters.years) | documents["report_year"].isna()]
        long = long[long["report_year"].isin(parameters.years)]
    lists = [load_dictionaries([each["dictionary"]], each["dictionary_folder"])[0] for each in measurements]
    check_dictionaries(lists, measurements)
    return Exported(
        dictionaries=tuple({each.name: each for each in lists}.values()),
        scopes=tuple(dict.fromkeys(str(each["scope"]) for each in measurements)),
        rule=str(measurements[0]["rule"]),
        documents=documents,
        failures=list_failures(documents),
        indices_long=long,
        indices_wide=widen(
            long,
            documents[documents["is_used"]],
            [
                name
                for each, measured in zip(lists, measurements, strict=True)
                for name in index_names(each, parse_scope(measured["scope"]))
            ],
        ),
        hits_keys=tuple(dict.fromkeys(str(each["key"]) for each in measurements)),
        methods=methods_in_force(store, measurements),
    )


def check_covered(store: Store, documents: pd.DataFrame, indices: Sequence[pd.DataFrame]) -> None:
    """Refuse to export indices of other reports than those that count now."""
    names = ["stock_code", "report_year", "document_id"]

    def reports_of(frame: pd.DataFrame) -> set[tuple[str, ...]]:
        texts = frame[names].drop_duplicates().astype("string").fillna("")
        return set(texts.itertuples(index=False, name=None))

    used = reports_of(documents[documents["is_used"]])
    if any(reports_of(long) != used for long in indices):
        raise StoreError(f"the reports of store {store.url} changed since they were measured; run 'shuzhi measure'")


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


def publish(out: Path, counts: Mapping[str, Any]) -> None:
    """Show in Prefect what was exported, and where."""
    rows = [{"what": name, "count": value} for name, value in counts.items() if isinstance(value, int)]
    create_table_artifact(key="export-indices", table=rows, description=f"Exported to {out.resolve()}")
    create_link_artifact(key="export-report", link=(out / "report.html").resolve().as_uri(), link_text="report.html")
