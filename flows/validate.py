"""Samples to code by hand, drawn from the hits of a store: of hits, and of sentences that a broader list would add."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from flows.coding_sheet import HIDDEN, MACHINE, SheetKind
from flows.inspect_store import find_hit
from flows.store import Store, hash_of
from flows.table_guard import check_table
from flows.tables import SCHEMAS
from nlp.sampling import draw, frequency_tiers
from shuzhi import StoreError, UsageError

WINDOW = 120  # characters shown on either side of a hit
_SPACE = re.compile(r"\s+")
USED = """
    WITH used AS (
        SELECT document_id, file, stock_code, company_name, report_year FROM documents
        WHERE is_used AND status = 'ok' AND (len($years) = 0 OR list_contains($years, report_year))
        -- One file that stands for two firm-years is one document, and its hits are coded once.
        QUALIFY row_number() OVER (PARTITION BY document_id ORDER BY file) = 1
    )
"""
# Every hit of the lists in the reports that are used.
POPULATION = f"""
    {USED}
    SELECT document_id, stock_code, report_year, dictionary, rule, term, dimension, "start", 1 AS sentences
    FROM hits JOIN used USING (document_id)
    WHERE list_contains($dictionaries, dictionary) AND rule = $rule
    ORDER BY document_id, dictionary, "start", term
"""
# Every sentence with a hit of the broad list and none of the narrow one; its first hit stands for it.
MISSED = f"""
    {USED}, narrow AS (
        SELECT DISTINCT document_id, sentence_number FROM hits WHERE list_contains($narrow, dictionary) AND rule = $rule
    ), broad AS (
        SELECT document_id, stock_code, report_year, dictionary, rule, term, dimension, "start", sentence_number,
            row_number() OVER (PARTITION BY document_id, sentence_number ORDER BY "start", term) AS place
        FROM hits JOIN used USING (document_id)
        WHERE list_contains($dictionaries, dictionary) AND rule = $rule AND sentence_number IS NOT NULL
    )
    SELECT document_id, stock_code, report_year, dictionary, rule, term, dimension, "start", 1 AS sentences
    FROM broad ANTI JOIN narrow USING (document_id, sentence_number) WHERE place = 1
    ORDER BY document_id, "start", term
"""
DETAILS = f"""
    {USED}
    SELECT h.*, u.file, u.stock_code, u.company_name, u.report_year,
        (SELECT count(*) FROM hits AS o WHERE o.document_id = h.document_id AND o.dictionary = h.dictionary
            AND o.rule = h.rule AND o.sentence_number = h.sentence_number) AS hits_in_sentence
    FROM drawn JOIN hits AS h USING (document_id, dictionary, rule, "start", term) JOIN used AS u USING (document_id)
    WHERE len($dictionaries) > 0
"""
PAGES = "SELECT DISTINCT document_id, page, text FROM pages SEMI JOIN drawn USING (document_id, page)"
# What the machine says of a hit, as far as the store has it.
MACHINE_COLUMNS = ["kind", "furniture", "org_name", "false_sense", "negated", "person", "other_party", "context"]
MACHINE_COLUMNS += ["plan", "own_or_planned", "own_done", "is_ocr"]


@dataclass(frozen=True)
class Drawn:
    """A sample ready for its sheet: the rows, and what it was drawn from and how."""

    rows: pd.DataFrame
    kind: SheetKind
    design: dict[str, Any]


def draw_hits(
    store: Store,
    *,
    n: int,
    seed: int,
    dictionaries: Sequence[str] = (),
    rule: str = "",
    years: Sequence[int] = (),
    industries: pd.DataFrame | None = None,
) -> Drawn:
    """Draw hits: strata are dictionary and tier of term frequency; years and industries come in proportion.

    Raises
    ------
    StoreError, UsageError
        If the lists were not measured, or the sample is too small for its strata.
    """
    names, rule = choose_measured(store, dictionaries, rule)
    values = {"dictionaries": names, "rule": rule, "years": list(years)}
    population = fetch(store, POPULATION, values)
    return _draw(store, population, "hits", n=n, seed=seed, values=values, industries=industries)


def draw_missed(
    store: Store,
    *,
    n: int,
    seed: int,
    narrow: Sequence[str],
    broad: Sequence[str],
    rule: str = "",
    years: Sequence[int] = (),
    industries: pd.DataFrame | None = None,
) -> Drawn:
    """Draw sentences without a hit of the lists under test that a broader list flags.

    Raises
    ------
    StoreError, UsageError
        As for :func:`draw_hits`; besides, if the broad list flags no other sentence.
    """
    names, rule = choose_measured(store, [*narrow, *broad], rule)
    narrow = [name for name in names if name not in broad]
    values = {"dictionaries": list(broad), "narrow": narrow, "rule": rule, "years": list(years)}
    population = fetch(store, MISSED, values)
    return _draw(store, population, "missed", n=n, seed=seed, values=values, industries=industries)


def choose_measured(store: Store, dictionaries: Sequence[str], rule: str) -> tuple[list[str], str]:
    """Return the measured lists to take, and the one rule they were measured by."""
    measured = store.current_measurements()
    names = list(dict.fromkeys(dictionaries)) or sorted({str(each["dictionary"]) for each in measured})
    rules = sorted({str(each["rule"]) for each in measured if each["dictionary"] in names})
    if not rule and len(rules) > 1:
        raise UsageError(f"measured under the rules {', '.join(rules)}; say which with --rule")
    rule = rule or next(iter(rules), "")
    found = {str(each["dictionary"]) for each in measured if each["rule"] == rule}
    missing = [name for name in names if name not in found]
    if missing or not names:
        what = ", ".join(missing) or "any dictionary"
        command = "shuzhi measure" + "".join(f" --dictionary {name}" for name in missing)
        raise StoreError(
            f"store {store.url} has no hits of {what} by the rule {rule or 'longest'}; run '{command}' first"
        )
    return names, rule


def fetch(store: Store, query: str, values: dict[str, Any]) -> pd.DataFrame:
    """Return the population of a sample, its texts as categories: five million hits stay in memory."""
    with store.connect(SCHEMAS, query) as connection:
        table = connection.sql(query, params=values).to_arrow_table()
        frame: pd.DataFrame = table.to_pandas(strings_to_categorical=True)
    return frame


def add_tiers(population: pd.DataFrame) -> pd.DataFrame:
    """Add the tier of term frequency of each hit, within its dictionary."""
    counts = population.groupby(["dictionary", "term"], observed=True).size()
    tiers = {}
    for dictionary in counts.index.unique(level=0):
        of_terms = frequency_tiers(counts.loc[dictionary])
        tiers.update({(str(dictionary), str(term)): str(tier) for term, tier in of_terms.items()})
    # By category codes: a lookup a distinct pair, not a hit.
    pairs = population[["dictionary", "term"]].drop_duplicates()
    pairs = pairs.assign(tier=[tiers[str(d), str(t)] for d, t in pairs.itertuples(index=False, name=None)])
    merged = population.merge(pairs, on=["dictionary", "term"], how="left", validate="many_to_one")
    return merged.set_axis(population.index)


def _draw(
    store: Store,
    population: pd.DataFrame,
    kind: SheetKind,
    *,
    n: int,
    seed: int,
    values: dict[str, Any],
    industries: pd.DataFrame | None,
) -> Drawn:
    if population.empty:
        what = "hits" if kind == "hits" else "sentences that the broad list would add"
        raise UsageError(f"store {store.url} has no {what} of {', '.join(values['dictionaries'])} in these years")
    population = add_tiers(population)
    order = ["report_year"]
    if industries is not None:
        population = add_industries(population, industries)
        order = ["industry", "report_year"]
    sample = draw(population, ["dictionary", "tier"], order, n, seed)
    hashes = {each["dictionary"]: each["dictionary_hash"] for each in store.current_measurements()}
    tiers = population[["dictionary", "term", "tier"]].drop_duplicates()
    design: dict[str, Any] = {
        **values,
        "seed": seed,
        "n": len(sample),
        "population": len(population),
        "strata": {str(each["stratum"]): int(each["stratum_size"]) for each in sample.to_dict("records")},
        "dictionary_hashes": {name: hashes[name] for name in (*values["dictionaries"], *values.get("narrow", ()))},
        "tiers": [list(map(str, row)) for row in tiers.itertuples(index=False, name=None)],
    }
    rows = with_context(store, sample, values)
    identifiers = sorted(rows["hit_id"])
    design["sample_id"] = hash_of(kind, design, identifiers)
    rows["sample_id"] = design["sample_id"]
    machine = [name for name in rows.columns if str(name).startswith(MACHINE)]
    return Drawn(rows[[*HIDDEN, "company_name", "page", "before", "hit", "after", *machine]], kind, design)


def add_industries(population: pd.DataFrame, industries: pd.DataFrame) -> pd.DataFrame:
    """Add the industry of each hit's firm, or firm-year; those that the table does not know share one of their own."""
    keys = [name for name in ("stock_code", "report_year") if name in industries.columns]
    known = industries.drop_duplicates(keys)
    merged = population.assign(stock_code=population["stock_code"].astype(str)).merge(known, on=keys, how="left")
    return merged.assign(industry=merged["industry"].fillna("").astype(str)).set_axis(population.index)


def read_industries(path: Path) -> pd.DataFrame:
    """Read a table with stock_code, industry and, where it changes, report_year (CSV).

    Raises
    ------
    UsageError
        If it cannot be read or lacks these columns.
    """
    try:
        check_table(path)
        table = pd.read_csv(path, dtype={"stock_code": str, "industry": str}, encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: cannot be read ({error}); name a CSV file in UTF-8") from None
    if not {"stock_code", "industry"} <= set(table.columns):
        raise UsageError(f"{path}: needs the columns stock_code and industry, and report_year where it changes")
    return table[[name for name in ("stock_code", "report_year", "industry") if name in table.columns]]


def with_context(store: Store, sample: pd.DataFrame, values: dict[str, Any]) -> pd.DataFrame:
    """Add to drawn hits all that their sheet shows: the report, the text around, and what the machine said."""
    keys = ["document_id", "dictionary", "rule", "start", "term"]
    kept = ["tier", "stratum", "stratum_size", "stratum_drawn", "weight"]
    drawn = sample[[*keys, *kept]].astype(dict.fromkeys(("document_id", "dictionary", "rule", "term"), "object"))
    given = {name: values[name] for name in ("dictionaries", "years")}
    with store.connect(SCHEMAS, DETAILS + PAGES) as connection:
        connection.register("drawn", drawn[keys])
        details = connection.execute(DETAILS, given).df()
        connection.register("drawn", details[["document_id", "page"]])
        pages = connection.execute(PAGES).df()
    rows = drawn.merge(details, on=keys, how="left", validate="one_to_one")
    texts = {(row["document_id"], row["page"]): row["text"] for row in pages.to_dict("records")}
    contexts = [_context(row, texts.get((row["document_id"], row["page"]))) for row in rows.to_dict("records")]
    rows[["before", "hit", "after"]] = pd.DataFrame(contexts, index=rows.index)
    rows["hit_id"] = [hit_id(row) for row in rows.to_dict("records")]
    rows["raw_term"] = rows["term"]
    rows["company_name"] = rows["company_name"].fillna("")
    return rows.rename(columns={name: MACHINE + name for name in MACHINE_COLUMNS})


def hit_id(row: Any) -> str:
    """Return a name for a hit that is the same in every sample."""
    parts = (row["document_id"], row["dictionary"], row["rule"], row["term"], int(row["page"]), int(row["offset"]))
    return "h" + hashlib.sha256("|".join(map(str, parts)).encode("utf-8")).hexdigest()[:12]


def _context(row: Any, page: str | None) -> tuple[str, str, str]:
    """Return the text before a hit, the hit and the text after, from its page, else from its sentence."""
    matched = str(row["matched"])
    if page is not None and row["end_page"] == row["page"]:
        start, end = int(row["offset"]), int(row["end_offset"])
        if _SPACE.sub("", page[start:end]) == _SPACE.sub("", matched):
            return _SPACE.sub("", page[:start])[-WINDOW:], matched, _SPACE.sub("", page[end:])[:WINDOW]
    sentence = str(row["sentence"])
    start = find_hit(sentence, matched, row)
    return sentence[:start], matched, sentence[start + len(matched) :]
