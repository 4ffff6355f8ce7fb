"""The index that a coded sample implies, with its standard error, and the recall of the list."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from flows.coded import Coded, weigh
from flows.documents import load_documents
from flows.store import Store
from flows.validate import POPULATION, fetch
from nlp.codes import TARGETS
from nlp.validate import corrected_counts, recall
from shuzhi import UsageError

# A cell of the corrected index needs so many coded hits; smaller ones are taken together.
LEAST_IN_CELL = 10
REST = "rest"


def corrected_table(coded: Coded, store: Store) -> pd.DataFrame:
    """Return for each firm-year how many of its hits are expected to be the filer's own, with the standard error.

    Cells are dictionary and tier of term frequency, as the sample was drawn; those with fewer than
    ``LEAST_IN_CELL`` coded hits are taken together within their dictionary.
    """
    design = coded.design
    hashes = {each["dictionary"]: each["dictionary_hash"] for each in store.current_measurements()}
    for name, digest in design["dictionary_hashes"].items():
        if hashes.get(name) != digest:
            raise UsageError(
                f"the sample was drawn from {name} {digest}, store {store.url} has {hashes.get(name, 'none')};"
                " name the store of the sample, or draw a new one"
            )
    tiers = pd.DataFrame(design["tiers"], columns=["dictionary", "term", "tier"])
    values = {"dictionaries": design["dictionaries"], "rule": design["rule"], "years": design["years"]}
    hits = fetch(store, POPULATION, values)
    hits = hits.merge(tiers, on=["dictionary", "term"], how="left")
    rows = coded.agreed
    coded_cells = rows.groupby(["dictionary", "tier"]).size()
    small = set(coded_cells[coded_cells < LEAST_IN_CELL].index)
    tables = []
    documents = load_documents(store)
    used = documents[documents["is_used"]]
    if design["years"]:
        used = used[used["report_year"].isin(design["years"])]
    firm_years = used[["stock_code", "company_name", "report_year", "document_id", "status"]]
    for dictionary in design["dictionaries"]:
        own = hits[hits["dictionary"].astype(str) == dictionary]
        tier = [_cell(dictionary, each, small, coded_cells) for each in own["tier"].astype(str)]
        counts = pd.crosstab(own["document_id"].astype(str), np.array(tier, dtype=object))
        counts = counts.reindex(firm_years["document_id"]).fillna(0)
        table = firm_years.reset_index(drop=True).assign(dictionary=dictionary, hits=counts.sum(axis=1).to_numpy())
        sample = rows[rows["dictionary"] == dictionary]
        cells = np.array([_cell(dictionary, each, small, coded_cells) for each in sample["tier"]], dtype=object)
        for target, codes in TARGETS.items():
            is_true = sample["agreed"].isin(codes).to_numpy(dtype=bool)
            found = {cell: weigh(sample, is_true, _inside(cells, cell)) for cell in counts.columns}
            share = pd.Series({cell: each.share for cell, each in found.items()}, dtype="float64")
            error = pd.Series({cell: each.standard_error for cell, each in found.items()}, dtype="float64")
            corrected = corrected_counts(counts, share, error).reset_index(drop=True)
            table[target], table[f"{target}_se"] = corrected["expected"], corrected["se"]
            table[f"{target}_log1p"] = np.log1p(corrected["expected"])
        # A report that cannot be read has no number, corrected or not.
        numbers = [name for name in table.columns if name == "hits" or name.startswith("own")]
        table.loc[table["status"] != "ok", numbers] = np.nan
        tables.append(table)
    whole = pd.concat(tables).sort_values(["dictionary", "stock_code", "report_year"], ignore_index=True)
    return whole.assign(hits=whole["hits"].astype("Int64")).drop(columns=["document_id"])


def _inside(cells: npt.NDArray[np.object_], cell: str) -> npt.NDArray[np.bool_]:
    """Return which coded hits speak for a cell: its own, or all of the dictionary where it has none."""
    own: npt.NDArray[np.bool_] = np.asarray(cells == cell, dtype=bool)
    return own if own.any() else np.ones(len(cells), dtype=bool)


def _cell(dictionary: str, tier: str, small: set[Any], coded: pd.Series) -> str:
    is_known = (dictionary, tier) in coded.index
    return tier if is_known and (dictionary, tier) not in small else REST


def recall_table(missed: Coded, hits: Coded | None) -> pd.DataFrame:
    """Return how many sentences a broad list adds that are the filer's own, and recall where hits were coded too.

    A coded hit stands for its weight in hits, and so for weight / hits in its sentence in sentences.
    """
    table = []
    for target, codes in TARGETS.items():
        found = weigh(missed.agreed, missed.agreed["agreed"].isin(codes).to_numpy(dtype=bool))
        population = float(missed.design["population"])
        row: dict[str, Any] = {"target": target, "missed_coded": found.n, "missed_sentences": population}
        row |= {"missed_share": found.share, "missed_low": found.low, "missed_high": found.high}
        row |= {"missed_own": found.share * population, "missed_own_se": found.standard_error * population}
        if hits is not None:
            check_same_lists(missed, hits)
            total, error = sentences_found(hits, codes)
            row |= {"found_own": total, "found_own_se": error}
            least = found.high * population
            names = ("recall", "recall_low", "recall_high")
            row |= dict(zip(names, recall(total, error, row["missed_own"], row["missed_own_se"], least), strict=True))
        table.append(row)
    return pd.DataFrame(table)


def check_same_lists(missed: Coded, hits: Coded) -> None:
    """Refuse to set sentences missed by one list against hits of another."""
    of_missed, of_hits = sorted(missed.design["narrow"]), sorted(hits.design["dictionaries"])
    if of_missed != of_hits or missed.design["rule"] != hits.design["rule"]:
        raise UsageError(
            f"the missed sentences are those of {', '.join(of_missed)} ({missed.design['rule']}), the hits those of"
            f" {', '.join(of_hits)} ({hits.design['rule']}); draw both for the same lists and rule"
        )


def sentences_found(coded: Coded, codes: Sequence[str]) -> tuple[float, float]:
    """Estimate the number of sentences with a true hit and its standard error, each hit a share of its sentence."""
    rows = coded.agreed
    share = rows["agreed"].isin(codes).to_numpy(dtype="float64") / rows["hits_in_sentence"].clip(lower=1)
    total = variance = 0.0
    for _, own in share.groupby(rows["stratum"]):
        size, n = float(rows.loc[own.index[0], "stratum_size"]), len(own)
        total += size * float(own.mean())
        variance += size**2 * (1 - min(n / size, 1)) * (float(own.var(ddof=1)) if n > 1 else 0.25) / n
    return total, math.sqrt(variance)
