"""Looking into a store: what is stale and why, hits in context, SQL."""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from flows.dictionary_files import dictionary_paths, load_dictionary
from flows.documents import known_folders, load_documents
from flows.files import ListedFile, is_same, list_folder, load_listing
from flows.sql import answer_frame, ask
from flows.store import Store
from flows.tables import SCHEMAS
from flows.work import measurement_key
from nlp.pdf import extractor_version
from shuzhi import ShuzhiError, StoreError, UsageError

STORE_VARIABLE = "SHUZHI_STORE"
USUAL_PLACES = (".", "store", "out/store", "out")
EVIDENCE = """
    SELECT d.stock_code, d.company_name, d.report_year, d.file,
        h.* EXCLUDE (document_id, dictionary_hash, "start", sentence_number)
    FROM hits AS h JOIN documents AS d USING (document_id)
    WHERE d.is_used AND ($stock_code = '' OR d.stock_code = $stock_code) AND ($year = 0 OR d.report_year = $year)
        AND ($term = '' OR h.term = $term) AND ($dictionary = '' OR h.dictionary = $dictionary)
    ORDER BY d.stock_code, d.report_year, h.dictionary, h.rule, h.start, h.term
"""


def find_store(given: str = "") -> Store:
    """Open the store that was named, or the one in a usual place.

    Parameters
    ----------
    given : str
        The store, or an output folder with ``store`` inside; empty looks at ``SHUZHI_STORE``, then at ``.``,
        ``store`` and ``out/store``.

    Raises
    ------
    StoreError
        If there is none.
    """
    named = given or os.environ.get(STORE_VARIABLE, "")
    if "://" in named:
        return Store(named)
    places = [named, str(Path(named) / "store")] if named else list(USUAL_PLACES)
    for place in places:
        if (Path(place) / "shuzhi.json").is_file():
            return Store(place)
    where = named or "the current folder, 'store' or 'out/store'"
    raise StoreError(f"no store at {where}; name one with --store, for example --store OUT of 'shuzhi run'")


@dataclass(frozen=True)
class Staleness:
    """One thing in a store and whether it is up to date: what, its state, and the reason in words."""

    what: str
    state: str
    reason: str


def staleness(store: Store) -> list[Staleness]:
    """Return for each folder, the pages and each measurement whether it is up to date, and why not."""
    found = [_folder_state(store, folder) for folder in known_folders(store).values()]
    reading = store.current("reading")
    if reading is None:
        return [*found, Staleness("pages", "missing", "nothing was read yet")]
    extractor = reading["extractor"]
    now = extractor_version("pdfplumber" if extractor.startswith("pdfplumber") else "pdfium")
    same = extractor == now
    found.append(
        Staleness(
            "pages",
            "up to date" if same else "stale",
            extractor if same else f"read with {extractor}; installed is {now}",
        )
    )
    return found + [_measurement_state(store, reading, each) for each in store.current_measurements()]


def _folder_state(store: Store, folder: str) -> Staleness:
    what = f"folder {folder}"
    try:
        now = {each.file: each for each in list_folder(folder)}
    except UsageError as error:
        return Staleness(what, "missing", str(error))
    then = load_listing(store, folder)
    new = [name for name in now if name not in then or not then[name].document_id]
    changed = [name for name, each in now.items() if name in then and name not in new and _differs(each, then[name])]
    gone = [name for name in then if name not in now]
    parts = [
        f"{len(names)} {kind} ({', '.join(names[:3])}{', …' if len(names) > 3 else ''})"
        for kind, names in (("new", new), ("changed", changed), ("gone", gone))
        if names
    ]
    return Staleness(what, "stale" if parts else "up to date", "; ".join(parts) or f"{len(now)} files")


def _differs(now: ListedFile, then: ListedFile) -> bool:
    # A file that was new when it was listed has no time of change to go by.
    return not is_same(now, then if then.changed_ns else replace(then, changed_ns=None))


def _measurement_state(store: Store, reading: Mapping[str, Any], measured: Mapping[str, Any]) -> Staleness:
    what = f"indices {measured['dictionary']} {measured['rule']} in {', '.join(measured['scopes'])}"
    try:
        path = dictionary_paths(measured["dictionary_folder"])[measured["dictionary"]]
        dictionary = load_dictionary(path)
    except (KeyError, ShuzhiError):
        return Staleness(what, "stale", "the dictionary's file is gone or has problems")
    if dictionary.content_hash != measured["dictionary_hash"]:
        change = f"{measured['dictionary_hash']} -> {dictionary.content_hash}"
        return Staleness(what, "stale", f"dictionary {path.name} changed ({change})")
    found = (dictionary, measured["rule"], measured["segmenter"], measured["script"])
    key = measurement_key(reading["text_key"], *found)
    if key != measured["key"]:
        return Staleness(what, "stale", "the pages, the segmenter or the matching changed with a new version")
    missing = set(store.parts("readings", reading["key"])) - set(store.parts("hits", key))
    if missing:
        return Staleness(what, "stale", f"{len(missing)} batches of reports were read since")
    return Staleness(what, "up to date", f"dictionary {dictionary.content_hash}")


def status_by_year(store: Store) -> pd.DataFrame:
    """Return the number of files by report year: readable, unreadable, and firm-years used and without text."""
    documents = load_documents(store)
    annual = documents[documents["kind"].isin(["annual"]) | documents["kind"].isna()]
    used = annual[annual["is_used"]]
    year = annual["report_year"]
    return (
        pd.DataFrame(
            {
                "files": annual.groupby(year, dropna=False).size(),
                "readable": (annual["status"] == "ok").groupby(year, dropna=False).sum(),
                "unreadable": (annual["status"] != "ok").groupby(year, dropna=False).sum(),
                "firm_years": used.groupby(used["report_year"]).size(),
                "firm_years_without_text": (used["status"] != "ok").groupby(used["report_year"]).sum(),
            }
        )
        .astype("Int64")
        .rename_axis("report_year")
        .reset_index()
    )


def missing_firm_years(store: Store) -> pd.DataFrame:
    """Return the firm-years without a readable report, between the first and the last year of each firm, and why.

    Returns
    -------
    DataFrame
        stock_code, company_name, report_year and reason, in order.
    """
    documents = load_documents(store)
    known = documents[documents["stock_code"].notna() & documents["report_year"].notna()]
    is_report = known["is_used"] | known["kind"].isin(["annual", "summary"])
    rows = []
    for code, own in known[is_report].groupby("stock_code"):
        name = next(iter(own["company_name"].dropna()), "")
        for year in range(int(own["report_year"].min()), int(own["report_year"].max()) + 1):
            of_year = own[own["report_year"] == year]
            if not (of_year["is_used"] & (of_year["status"] == "ok")).any():
                rows.append((code, name, year, _why_none(of_year)))
    return pd.DataFrame(rows, columns=["stock_code", "company_name", "report_year", "reason"])


def _why_none(of_year: pd.DataFrame) -> str:
    """Return why none of the files of a firm-year can be used."""
    if of_year.empty:
        return "no file"
    used = of_year[of_year["is_used"]]
    if len(used):
        row = used.iloc[0]
        return f"{row['file']} is {row['status']}: {row['reason']}"
    return "; ".join(f"{row['file']}: {row['use_reason']}" for row in of_year.to_dict("records"))


def evidence(store: Store, *, stock_code: str, year: int, term: str, dictionary: str) -> pd.DataFrame:
    """Return the hits of a firm-year in context, in the order of the report.

    Raises
    ------
    UsageError
        If the store has no such firm-year; a firm-year without hits gives an empty table.
    """
    values = {"stock_code": stock_code, "year": year, "term": term, "dictionary": dictionary}
    found = store.query(SCHEMAS, EVIDENCE, values)
    if found.empty:
        documents = load_documents(store)
        matching = documents["is_used"]
        if stock_code:
            matching &= documents["stock_code"] == stock_code
        if year:
            matching &= documents["report_year"] == year
        if not matching.any():
            raise UsageError(
                f"no report of {stock_code or 'any firm'} {year or ''} in the store; 'shuzhi sql \"SELECT stock_code,"
                " report_year FROM documents\"' lists them"
            )
    return found


def ask_store(store: Store, query: str, values: Mapping[str, Any] | None = None) -> pa.Table:
    """Answer a query that only reads, from the tables documents, pages, texts, sections, readings, hits and indices.

    Raises
    ------
    UsageError
        If it is no such query, or DuckDB does not take it; its own words say why.
    """
    with store.connect(SCHEMAS, query) as connection:
        return ask(connection, query, values)


def run_sql(store: Store, query: str, values: Mapping[str, Any] | None = None) -> pd.DataFrame:
    """Return what :func:`ask_store` does as a frame."""
    return answer_frame(ask_store(store, query, values))


def hit_lines(hits: pd.DataFrame, *, mark: bool) -> Iterator[str]:
    """Yield hits as text: where each stands, then its sentence with the hit in brackets, or in bold.

    Parameters
    ----------
    hits : DataFrame
        As :func:`evidence` returns them.
    mark : bool
        Set the hit off in bold, for a terminal.
    """
    before, after = ("\x1b[1m", "\x1b[0m") if mark else ("【", "】")
    for hit in hits.to_dict("records"):
        sentence = str(hit["sentence"])
        start = find_hit(sentence, str(hit["matched"]), hit)
        end = start + len(str(hit["matched"]))
        where = f"{hit['stock_code']} {hit['company_name']} {hit['report_year']} p. {hit['page']}"
        where = " ".join([where, *marks_of(hit)])
        yield f"{where}  {hit['dictionary']}/{hit['dimension']} {hit['term']} ({hit['rule']})"
        yield f"    {sentence[:start]}{before}{sentence[start:end]}{after}{sentence[end:]}"


def marks_of(hit: Mapping[Hashable, Any]) -> list[str]:
    """Return in brackets what a hit carries: its section, where it is no body text, its kind, and every flag."""
    texts = (hit.get(name) for name in ("section", "subsection", "furniture", "kind"))
    flags = (str(name) for name, value in hit.items() if isinstance(value, bool) and value)
    return [f"[{each}]" for each in (*texts, *flags) if isinstance(each, str) and each]


def find_hit(sentence: str, matched: str, hit: Mapping[Hashable, Any]) -> int:
    """Return where in its sentence a hit stands: of several occurrences, the one its offset points to."""
    places = [place for place in range(len(sentence)) if sentence.startswith(matched, place)]
    if not places:
        return 0
    expected = int(hit["offset"]) - int(hit["sentence_offset"]) if hit["page"] == hit["sentence_page"] else 0
    # White space was taken out of the sentence, so a hit never stands after the place its offset says.
    before = [place for place in places if place <= expected]
    return max(before, default=places[0])
