"""Count the terms of dictionaries in the stored pages, and build the indices. No report is opened."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa
from prefect import flow, task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE

from flows.dictionary_files import load_dictionaries
from flows.documents import load_documents
from flows.pool import WorkerPool
from flows.progress import RunProgress, progress
from flows.read import BATCH_RUNNER, MOST_TASK_RUNS
from flows.settings import MeasureParameters
from flows.shared_pool import worker_pool
from flows.store import Store
from flows.tables import INDICES, SCHEMAS
from flows.work import measure_part, measurement_key
from nlp.dictionary import Dictionary
from nlp.index import TOTAL, aggregate
from shuzhi import RunError, StoreError

# A part holds a batch of reports; matching one takes a hundredth of reading it.
PART_SECONDS_PER_FILE_LIMIT = 5
SHORTEST_PART_LIMIT = 120.0

COUNTS = """
    SELECT document_id, dimension, count(*) AS hits, count(DISTINCT sentence_number) AS sentences_with_hits
    FROM hits WHERE dictionary = $dictionary AND rule = $rule GROUP BY ALL
    UNION ALL
    SELECT document_id, $total, count(*), count(DISTINCT sentence_number)
    FROM hits WHERE dictionary = $dictionary AND rule = $rule GROUP BY document_id
"""


@dataclass(frozen=True)
class MeasureSummary:
    """What a measuring run did: parts matched now and known before, hits found now, firm-years indexed."""

    parts_measured: int
    parts_cached: int
    firm_years: int
    firm_years_with_value: int
    seconds: float


class Measuring:
    """What the batches of one measuring run share; a plain class, as :class:`flows.read.Reading` is."""

    def __init__(self, store: Store, parameters: MeasureParameters, pool: WorkerPool, shown: RunProgress) -> None:
        self.store = store
        self.parameters = parameters
        self.pool = pool
        self.shown = shown


@flow(name="measure-indices", task_runner=BATCH_RUNNER)
def measure_indices(parameters: MeasureParameters) -> MeasureSummary:
    """Match dictionaries over the stored pages and build firm-year indices; known hits are not made again."""
    started = time.monotonic()
    lists = load_dictionaries(parameters.dictionaries, parameters.dictionary_folder)
    store = Store(parameters.store)
    with store.lock():
        pages_key = key_in_force(store)
        parts = store.parts("readings", pages_key)
        work = find_unmeasured(store, pages_key, parts, lists, parameters)
        with worker_pool(parameters, parameters.segmenter) as pool:
            measure_parts(store, parameters, pool, pages_key, work)
        indices = [build_indices(store, pages_key, each, parameters) for each in lists]
    long = pd.concat(indices, ignore_index=True)
    summary = summarise(long, len(work), len(parts) * len(lists), started)
    publish(long)
    return summary


def key_in_force(store: Store) -> str:
    """Return the key of the pages in force."""
    reading = store.current("reading")
    if reading is None:
        raise StoreError(f"store {store.url} holds no pages yet; run 'shuzhi read FOLDER --store {store.url}'")
    return str(reading["key"])


def find_unmeasured(
    store: Store,
    pages_key: str,
    parts: Sequence[str],
    lists: Sequence[Dictionary],
    parameters: MeasureParameters,
) -> list[tuple[Dictionary, str]]:
    """Return the parts that lack hits, by dictionary."""
    work = []
    for each in lists:
        measured = set(store.parts("hits", measurement_key(pages_key, each, parameters.rule, parameters.segmenter)))
        work += [(each, part) for part in parts if part not in measured]
    return work


def measure_parts(
    store: Store,
    parameters: MeasureParameters,
    pool: WorkerPool,
    pages_key: str,
    work: Sequence[tuple[Dictionary, str]],
) -> None:
    """Match the parts that lack hits, a few a task where there are over 1,000 of them."""
    size = -(-len(work) // MOST_TASK_RUNS) or 1
    with progress("measuring", len(work), "measuring") as shown:
        measuring = Measuring(store, parameters, pool, shown)
        futures = [
            measure_batch.submit(start // size + 1, work[start : start + size], pages_key, measuring)
            for start in range(0, len(work), size)
        ]
        for future in futures:
            future.result()


@task(task_run_name="measure-batch-{number}", cache_policy=NO_CACHE)
def measure_batch(number: int, work: Sequence[tuple[Dictionary, str]], pages_key: str, measuring: Measuring) -> int:
    """Match some parts in the workers, which write the hits themselves; returns the number of hits."""
    parameters = measuring.parameters
    seconds = max(SHORTEST_PART_LIMIT, parameters.seconds_per_file * PART_SECONDS_PER_FILE_LIMIT)
    futures = [
        measuring.pool.submit(
            measure_part,
            measuring.store.url,
            pages_key,
            part,
            dictionary,
            parameters.rule,
            parameters.segmenter,
            seconds=seconds,
        )
        for dictionary, part in work
    ]
    hits = 0
    for future in futures:
        outcome = future.result()
        if outcome.kind != "done":
            raise RunError(f"batch {number} could not be measured: {outcome.reason}")
        hits += outcome.value[1]
        measuring.shown.advance()
    return hits


def build_indices(store: Store, pages_key: str, dictionary: Dictionary, parameters: MeasureParameters) -> pd.DataFrame:
    """Put the hits of a dictionary in force and build its indices for all firm-years in the store."""
    key = measurement_key(pages_key, dictionary, parameters.rule, parameters.segmenter)
    check_measured(store, pages_key, key)
    store.set_current(
        f"measurement-{dictionary.name}-{parameters.rule}",
        key=key,
        pages_key=pages_key,
        dictionary=dictionary.name,
        dictionary_hash=dictionary.content_hash,
        dictionary_folder=parameters.dictionary_folder,
        rule=parameters.rule,
        segmenter=parameters.segmenter,
    )
    documents = load_documents(store)
    used = documents[documents["is_used"]]
    values = {"dictionary": dictionary.name, "rule": parameters.rule, "total": TOTAL}
    counts = store.query(SCHEMAS, COUNTS, values)
    long = aggregate(used, counts, dictionary, parameters.rule)
    table = pa.Table.from_pandas(long, INDICES, preserve_index=False)
    store.write_part("indices", key, "all", table)
    if parameters.years:
        long = long[long["report_year"].isin(parameters.years)]
    return long


def check_measured(store: Store, pages_key: str, key: str) -> None:
    """Fail where a part of the pages has no hits part: its reports would silently count zero."""
    missing = set(store.parts("readings", pages_key)) - set(store.parts("hits", key))
    if missing:
        raise StoreError(f"{len(missing)} parts of store {store.url} are not measured; run 'shuzhi measure' again")


def summarise(long: pd.DataFrame, measured: int, parts: int, started: float) -> MeasureSummary:
    """Count what a run did."""
    firm_years = long.drop_duplicates(["stock_code", "report_year"])
    return MeasureSummary(
        parts_measured=measured,
        parts_cached=parts - measured,
        firm_years=len(firm_years),
        firm_years_with_value=int(firm_years["value"].notna().sum()),
        seconds=time.monotonic() - started,
    )


def publish(long: pd.DataFrame) -> None:
    """Show in Prefect the total index by dictionary and year."""
    totals = long[(long["dimension"] == TOTAL) & (long["measure"] == "count")]
    groups = totals.groupby(["dictionary", "rule", "report_year"])["value"]
    grouped = groups.agg(["size", "count", "mean"]).reset_index()
    rows = [
        {
            "dictionary": row["dictionary"],
            "rule": row["rule"],
            "report_year": int(row["report_year"]),
            "firm_years": int(row["size"]),
            "with_value": int(row["count"]),
            "mean_count": None if pd.isna(row["mean"]) else round(float(row["mean"]), 2),
        }
        for row in grouped.to_dict("records")
    ]
    create_table_artifact(key="measure-indices", table=rows, description="Mean count by dictionary and report year")
