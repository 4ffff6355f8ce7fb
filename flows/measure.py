"""Count the terms of dictionaries in the stored pages, and build the indices. No report is opened."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow as pa
from prefect import flow, get_run_logger, task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE

from flows.batches import batches, run_batches
from flows.dictionary_files import load_dictionaries
from flows.documents import load_documents, to_frame
from flows.made import fingerprint, inputs_of, is_made, note_made
from flows.methods import measuring_methods
from flows.progress import RunProgress, progress
from flows.settings import MeasureParameters
from flows.shared_pool import Pool, calls_at_once, require_store, worker_pool
from flows.store import Store, hash_of
from flows.storing.faults import AGAIN
from flows.storing.repair import repair_measuring
from flows.tables import INDICES, READINGS, SCHEMAS, SECTIONS
from flows.work import Measurement, measure_part
from nlp.dictionary import Dictionary
from nlp.index import TOTAL, aggregate
from nlp.scope import LENGTHS, Scope, check_scopes, lengths_in_scope
from shuzhi import RunError, StoreError

# A part holds a batch of reports; matching one takes a hundredth of reading it.
PART_SECONDS_PER_FILE_LIMIT = 20
SHORTEST_PART_LIMIT = 120.0

COUNTS = """
    WITH counted AS (
        SELECT document_id, dimension, sentence_number FROM hits
        WHERE dictionary = $dictionary AND rule = $rule
            AND ($keep = 'raw' OR ($keep = 'published' AND is_published) OR ($keep = 'strict' AND is_strict))
            AND ($mode = 'report' OR (furniture = '' AND (
            $mode = 'body'
            OR ($mode = 'without') <> (list_contains($kinds, section) OR list_contains($kinds, subsection))
        )))
    )
    SELECT document_id, dimension, count(*) AS hits, count(DISTINCT sentence_number) AS sentences_with_hits
    FROM counted GROUP BY ALL
    UNION ALL
    SELECT document_id, $total, count(*), count(DISTINCT sentence_number) FROM counted GROUP BY document_id
"""


@dataclass(frozen=True)
class MeasureSummary:
    """What a measuring run did: parts matched now and known before, firm-years indexed, what was damaged."""

    parts_measured: int
    parts_cached: int
    firm_years: int
    firm_years_with_value: int
    notes: list[str]
    seconds: float


class Measuring:
    """What the batches of one measuring run share; a plain class, as :class:`flows.read_part.Reading` is."""

    def __init__(self, store_url: str, parameters: MeasureParameters, pool: Pool, shown: RunProgress) -> None:
        self.store_url = store_url
        self.parameters = parameters
        self.pool = pool
        self.shown = shown


@flow(name="measure-indices")
def measure_indices(parameters: MeasureParameters) -> MeasureSummary:
    """Match dictionaries over the stored pages and build firm-year indices; known hits are not made again."""
    started = time.monotonic()
    lists = load_dictionaries(parameters.dictionaries, parameters.dictionary_folder)
    store = Store(parameters.store)
    with store.lock():
        measurements = plan_measurements(store, lists, parameters)
        notes = repair_measuring(store, {each.key for each in measurements})
        check_pages(store)
        parts = store.parts("readings", key_in_force(store))
        work = find_unmeasured(store, parts, measurements)
        with worker_pool(parameters, parameters.segmenter) as pool:
            measure_parts(store, parameters, pool, work)
        scopes = check_scopes(parameters.scopes, parameters.keep)
        indices = [build_indices(store, each, scopes, parameters) for each in measurements]
    long = pd.concat(indices, ignore_index=True)
    for line in notes:
        get_run_logger().warning(line)
    summary = summarise(long, len(work), len(parts) * len(lists), notes, started)
    publish(long)
    return summary


def key_in_force(store: Store) -> str:
    """Return the key of the pages in force."""
    reading = store.current("reading")
    if reading is None:
        raise StoreError(f"store {store.url} holds no pages yet; run 'shuzhi read FOLDER --store {store.url}'")
    return str(reading["key"])


def check_pages(store: Store) -> None:
    """Fail where a readable report has no pages in the store any more: it would silently count zero."""
    documents = load_documents(store)
    readable = set(documents.loc[documents["status"] == "ok", "document_id"])
    readings = store.read_table("readings", key_in_force(store), READINGS)
    missing = readable - set(readings["document_id"].to_pylist())
    if missing:
        raise StoreError(
            f"store {store.url} has lost the pages of {len(missing)} reports; 'shuzhi read FOLDER' reads them again"
        )


def plan_measurements(store: Store, lists: Sequence[Dictionary], parameters: MeasureParameters) -> list[Measurement]:
    """Return what is to be measured: each dictionary on the pages and texts in force."""
    pages_key = key_in_force(store)
    text_key = str((store.current("reading") or {})["text_key"])
    rule, segmenter, script = parameters.rule, parameters.segmenter, parameters.script
    return [Measurement(pages_key, text_key, each, rule, segmenter, script) for each in lists]


def find_unmeasured(
    store: Store, parts: Sequence[str], measurements: Sequence[Measurement]
) -> list[tuple[Measurement, str]]:
    """Return the parts that lack hits, by dictionary."""
    work = []
    for each in measurements:
        measured = set(store.parts("hits", each.key))
        work += [(each, part) for part in parts if part not in measured]
    return work


def measure_parts(
    store: Store, parameters: MeasureParameters, pool: Pool, work: Sequence[tuple[Measurement, str]]
) -> None:
    """Match the parts that lack hits, a few a task where there are over 1,000 of them."""
    with progress("measuring", len(work), "measuring") as shown:
        url = require_store(pool, store.url) if work else ""
        measuring = Measuring(url, parameters, pool, shown)
        cut = enumerate(batches(work, 1), start=1)
        calls = [{"number": number, "work": parts, "measuring": measuring} for number, parts in cut]
        # One more than there are workers waits for the first that is free.
        run_batches(measure_batch, calls, 1 + calls_at_once(pool, parameters) if work else 1)


@task(task_run_name="measure-batch-{number}", cache_policy=NO_CACHE)
def measure_batch(number: int, work: Sequence[tuple[Measurement, str]], measuring: Measuring) -> int:
    """Match some parts in the workers, which write the hits themselves; returns the number of hits."""
    seconds = max(SHORTEST_PART_LIMIT, measuring.parameters.seconds_per_file * PART_SECONDS_PER_FILE_LIMIT)
    futures = [
        measuring.pool.submit(measure_part, measuring.store_url, part, measurement, seconds=seconds)
        for measurement, part in work
    ]
    hits = 0
    for future in futures:
        outcome = future.result()
        if outcome.kind != "done":
            raise RunError(f"batch {number} could not be measured: {outcome.reason}; {AGAIN}")
        hits += outcome.value[1]
        measuring.shown.advance()
    return hits


def build_indices(
    store: Store, measurement: Measurement, scopes: Sequence[Scope], parameters: MeasureParameters
) -> pd.DataFrame:
    """Put the hits of a dictionary in force and build its indices for all firm-years in the store."""
    check_measured(store, measurement.pages_key, measurement.key)
    in_force = put_in_force(store, measurement, parameters.dictionary_folder)
    indices = [build_in_scope(store, measurement, scope) for scope in scopes]
    keys = {scope.name: indices_key(measurement, scope) for scope in scopes}
    store.set_current(name_in_force(measurement), **{**in_force, "scopes": {**in_force["scopes"], **keys}})
    long = pd.concat(indices, ignore_index=True)
    if parameters.years:
        long = long[long["report_year"].isin(parameters.years)]
    return long


def name_in_force(measurement: Measurement) -> str:
    """Return under which name a dictionary's hits by one rule are in force: at most one measurement each."""
    return f"measurement-{measurement.dictionary.name}-{measurement.rule}"


def indices_key(measurement: Measurement, scope: Scope) -> str:
    """Return the key of a dictionary's indices in one scope."""
    return hash_of("indices", measurement.key, scope.name)


def put_in_force(store: Store, measurement: Measurement, dictionary_folder: str) -> dict[str, Any]:
    """Put hits in force; the indices of other scopes stay only where they are made of the same hits."""
    name = name_in_force(measurement)
    before = store.current(name) or {}
    in_force = {
        "key": measurement.key,
        "pages_key": measurement.pages_key,
        "dictionary": measurement.dictionary.name,
        "dictionary_hash": measurement.dictionary.content_hash,
        "dictionary_folder": dictionary_folder,
        "rule": measurement.rule,
        "script": measurement.script,
        "segmenter": measurement.segmenter,
        "methods": measuring_methods(measurement),
        "scopes": before.get("scopes", {}) if before.get("key") == measurement.key else {},
    }
    store.set_current(name, **in_force)
    return in_force


def build_in_scope(store: Store, measurement: Measurement, scope: Scope) -> pd.DataFrame:
    """Build and store the indices of a dictionary in one part of the reports, unless they stand as they would be."""
    key = indices_key(measurement, scope)
    documents = store.read_part("documents", "all", "all")
    parts = [store.parts("hits", measurement.key), store.parts("sections", measurement.text_key)]
    inputs = inputs_of(fingerprint(documents), parts, key, scope.name)
    if is_made(store, "indices", key, inputs):
        return to_frame(store.read_part("indices", key, "all").cast(INDICES))
    long = count_in_scope(store, measurement, scope, load_documents(store))
    store.write_part("indices", key, "all", pa.Table.from_pandas(long, INDICES, preserve_index=False))
    note_made(store, "indices", key, inputs)
    return long


def count_in_scope(store: Store, measurement: Measurement, scope: Scope, documents: pd.DataFrame) -> pd.DataFrame:
    """Return the indices of a dictionary in one part of the reports, from its hits."""
    used = documents[documents["is_used"]]
    counted = store.parts("readings", measurement.pages_key)
    sections = to_frame(store.read_table("sections", measurement.text_key, SECTIONS, counted))
    in_scope = lengths_in_scope(used, sections, scope)
    dictionary, rule = measurement.dictionary, measurement.rule
    values = {"dictionary": dictionary.name, "rule": rule, "mode": scope.mode, "kinds": list(scope.kinds)}
    values["keep"] = scope.keep
    counts = store.query(SCHEMAS, COUNTS, {**values, "total": TOTAL}, [measurement.key])
    used = used.drop(columns=list(LENGTHS)).join(in_scope)
    return aggregate(used, counts, dictionary, rule, scope)


def check_measured(store: Store, pages_key: str, key: str) -> None:
    """Fail where a part of the pages has no hits part: its reports would silently count zero."""
    missing = set(store.parts("readings", pages_key)) - set(store.parts("hits", key))
    if missing:
        raise StoreError(f"{len(missing)} parts of store {store.url} are not measured; run 'shuzhi measure' again")


def summarise(long: pd.DataFrame, measured: int, parts: int, notes: list[str], started: float) -> MeasureSummary:
    """Count what a run did."""
    firm_years = long.drop_duplicates(["stock_code", "report_year"])
    return MeasureSummary(
        parts_measured=measured,
        parts_cached=parts - measured,
        firm_years=len(firm_years),
        firm_years_with_value=int(firm_years["value"].notna().sum()),
        notes=notes,
        seconds=time.monotonic() - started,
    )


def publish(long: pd.DataFrame) -> None:
    """Show in Prefect the total index by dictionary and year."""
    totals = long[(long["dimension"] == TOTAL) & (long["measure"] == "count")]
    groups = totals.groupby(["dictionary", "rule", "scope", "report_year"])["value"]
    grouped = groups.agg(["size", "count", "mean"]).reset_index()
    rows = [
        {
            "dictionary": row["dictionary"],
            "rule": row["rule"],
            "scope": row["scope"],
            "report_year": int(row["report_year"]),
            "firm_years": int(row["size"]),
            "with_value": int(row["count"]),
            "mean_count": None if pd.isna(row["mean"]) else round(float(row["mean"]), 2),
        }
        for row in grouped.to_dict("records")
    ]
    create_table_artifact(key="measure-indices", table=rows, description="Mean count by dictionary and report year")
