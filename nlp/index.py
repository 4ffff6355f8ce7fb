"""From counts to firm-year indices. Missing is never zero: an unreadable report has a null and a reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import numpy as np
import pandas as pd

from nlp.dictionary import Dictionary
from nlp.scope import REPORT, Scope

Measure = Literal["count", "log1p", "per_10k_chars", "per_1k_tokens", "sentence_share"]
TOTAL = "total"

# Measure -> numerator column, denominator column (None: there is none), and the formula.
MEASURES: Mapping[Measure, tuple[str, str | None, Callable[[pd.Series, pd.Series], pd.Series]]] = {
    "count": ("hits", None, lambda hits, _: hits),
    "log1p": ("hits", None, lambda hits, _: np.log1p(hits)),
    "per_10k_chars": ("hits", "chinese_characters", lambda hits, characters: 10_000 * hits / characters),
    "per_1k_tokens": ("hits", "tokens", lambda hits, tokens: 1_000 * hits / tokens),
    "sentence_share": ("sentences_with_hits", "sentences", lambda hits, sentences: hits / sentences),
}
FIRM_YEAR = ["stock_code", "report_year"]
LONG_COLUMNS = [
    "stock_code",
    "company_name",
    "report_year",
    "index",
    "dictionary",
    "dictionary_hash",
    "rule",
    "scope",
    "dimension",
    "measure",
    "value",
    "numerator",
    "denominator",
    "denominator_unit",
    "document_id",
    "status",
    "reason",
]
WIDE_KEYS = [
    "stock_code",
    "company_name",
    "report_year",
    "status",
    "reason",
    "file",
    "document_id",
    "chinese_characters",
    "tokens",
    "sentences",
    "readable_share",
    "ocr_pages",
]
WHOLE_REPORT = Scope(REPORT, "report")
# A file with less text than this share of the longest of its firm-year is no full report.
FULL_REPORT_SHARE = 0.5


def choose_reports(documents: pd.DataFrame, kinds: Sequence[str] = ("annual",)) -> pd.DataFrame:
    """Say of each file whether its report enters the indices, and why not.

    Of the files that claim one firm-year the winner is, in this order: a readable one before an unreadable one; a
    full one before one with less than half the Chinese characters of the longest; the kind named first in ``kinds``;
    the highest revision; the most Chinese characters; the first by file name. A cancelled report never wins.

    Parameters
    ----------
    documents : DataFrame
        One row a file: file, document_id, stock_code, report_year, kind, revision, revision_number, status,
        chinese_characters.
    kinds : sequence of str
        Kinds of report that may enter, the preferred one first.

    Returns
    -------
    DataFrame
        Index as in ``documents``; columns ``is_used``, ``use_status`` (``used``, ``superseded``, ``duplicate``,
        ``left_out``), ``use_reason`` (empty for the used ones) and ``winner_document_id`` (of the file that is used
        for the firm-year instead; null where there is none).
    """
    result = pd.DataFrame({"use_status": "left_out", "use_reason": _left_out(documents, kinds)}, index=documents.index)
    result["winner_document_id"] = pd.Series(pd.NA, documents.index, dtype=object)
    ranked = _ranked(documents[result["use_reason"] == ""], kinds)
    winners = ranked.drop_duplicates(FIRM_YEAR)
    losers = ranked.drop(winners.index)
    by_firm_year = winners.set_index(FIRM_YEAR)
    winner_of = by_firm_year.loc[pd.MultiIndex.from_frame(losers[FIRM_YEAR])].set_index(losers.index)
    is_same = losers["document_id"] == winner_of["document_id"]
    result.loc[winners.index, "use_status"] = "used"
    result.loc[losers.index, "use_status"] = is_same.map({True: "duplicate", False: "superseded"})
    words = is_same.map({True: "duplicate of ", False: "superseded by "}) + winner_of["file"]
    short = (losers["status"] == "ok") & ~losers["is_full"] & ~is_same
    result.loc[losers.index, "use_reason"] = words + short.map({True: ": less than half as long", False: ""})
    result.loc[losers.index, "winner_document_id"] = winner_of["document_id"]
    return result.assign(is_used=result["use_status"] == "used")


def _left_out(documents: pd.DataFrame, kinds: Sequence[str]) -> pd.Series:
    """Return why a file can belong to no firm-year; empty for those that can."""
    reasons = pd.Series("", index=documents.index, dtype=object)
    excluded = documents["status"] == "excluded"
    reasons[excluded] = "excluded by " + documents.get("reason", reasons)[excluded].astype(str)
    wrong_kind = ~documents["kind"].isin(list(kinds)) & ~excluded
    reasons[wrong_kind] = "not an annual report: " + documents["kind"].fillna("kind unknown")[wrong_kind]
    reasons[(documents["revision"] == "cancelled") & (reasons == "")] = "cancelled by the firm"
    for column, words in (("stock_code", "no stock code found"), ("report_year", "no report year found")):
        reasons[documents[column].isna() & (reasons == "")] = words
    return reasons


def _ranked(candidates: pd.DataFrame, kinds: Sequence[str]) -> pd.DataFrame:
    """Return the candidates of all firm-years, the best of each first."""
    readable = candidates["status"] == "ok"
    characters = candidates["chinese_characters"].fillna(0).astype("int64")
    longest = characters.where(readable, 0).groupby([candidates[name] for name in FIRM_YEAR]).transform("max")
    is_full = characters >= FULL_REPORT_SHARE * longest
    keys = {
        "readable": readable,
        "is_full": is_full,
        "preference": -candidates["kind"].map({kind: place for place, kind in enumerate(kinds)}).astype("int64"),
        "revision": candidates["revision_number"].fillna(0),
        "characters": characters,
    }
    order = pd.DataFrame(keys).assign(file=candidates["file"])
    order = order.sort_values([*keys, "file"], ascending=[False] * len(keys) + [True])
    return candidates.assign(is_full=is_full).loc[order.index]


def aggregate(
    documents: pd.DataFrame, counts: pd.DataFrame, dictionary: Dictionary, rule: str, scope: Scope = WHOLE_REPORT
) -> pd.DataFrame:
    """Build the long table of indices of one dictionary.

    Parameters
    ----------
    documents : DataFrame
        The used reports, one row a firm-year: stock_code, company_name, report_year, document_id, status,
        reason, and the lengths within the scope: chinese_characters, tokens, sentences; optionally scope_reason,
        which says why a report has no such part.
    counts : DataFrame
        One row a document and dimension with hits, and one with dimension ``total``: document_id, dimension,
        hits, sentences_with_hits. A readable document without a row has no hits.
    dictionary : Dictionary
        The word list.
    rule : str
        The matching rule of the counts.
    scope : Scope
        The part of the report that counts and lengths come from.

    Returns
    -------
    DataFrame
        One row a firm-year, dimension and measure, sorted; columns as in design. ``value`` is null, never 0,
        where ``status`` is not ``ok``, the text holds no Chinese or has no such part, and ``reason`` says why.
    """
    documents = documents.copy()
    documents["reason"] = why_missing(documents, scope)
    readable = (documents["status"] == "ok") & (documents["chinese_characters"].fillna(0) > 0)
    by_dimension = counts.set_index(["document_id", "dimension"])
    frames = []
    for dimension in (TOTAL, *(each.id for each in dictionary.dimensions)):
        numbers = _numbers(documents, by_dimension, dimension, readable)
        for measure, (numerator, denominator, formula) in MEASURES.items():
            below = _column(documents, denominator)
            value = formula(numbers[numerator].astype("Float64"), below)
            frames.append(
                documents.assign(
                    index=index_name(dictionary, scope, dimension, measure),
                    dictionary=dictionary.name,
                    dictionary_hash=dictionary.content_hash,
                    rule=rule,
                    scope=scope.name,
                    dimension=dimension,
                    measure=measure,
                    value=value.astype("Float64").astype(float),
                    numerator=numbers[numerator],
                    denominator=below.where(readable),
                    denominator_unit=denominator or "",
                )
            )
    long = pd.concat(frames, ignore_index=True)[LONG_COLUMNS]
    for column in ("numerator", "denominator"):
        long[column] = long[column].astype("Int64")
    check_indices(long)
    # Stable, so that within a firm-year the dimensions and measures keep the order of the dictionary.
    return long.sort_values(FIRM_YEAR, kind="stable", ignore_index=True)


def why_missing(documents: pd.DataFrame, scope: Scope) -> pd.Series:
    """Return the reasons of the documents, with those of readable ones that give no index in this scope."""
    reasons = documents["reason"].copy()
    is_read = documents["status"] == "ok"
    where = "the report" if scope.mode == "report" else scope.name
    reasons[is_read & ~(documents["chinese_characters"].fillna(0) > 0)] = f"no Chinese text in {where}"
    if "scope_reason" in documents:
        has_no_part = is_read & (documents["scope_reason"] != "")
        reasons[has_no_part] = documents.loc[has_no_part, "scope_reason"]
    return reasons


def _numbers(documents: pd.DataFrame, counts: pd.DataFrame, dimension: str, readable: pd.Series) -> pd.DataFrame:
    """Return the counts of one dimension by document: 0 where a readable report has none, else null."""
    keys = pd.MultiIndex.from_arrays([documents["document_id"], [dimension] * len(documents)])
    found = counts[["hits", "sentences_with_hits"]].reindex(keys)
    found.index = documents.index
    return found.fillna(0).where(readable).astype("Int64")


def _column(documents: pd.DataFrame, name: str | None) -> pd.Series:
    """Return a column of lengths, or one of nulls for measures without a denominator."""
    return (documents[name] if name else pd.Series(pd.NA, documents.index)).astype("Float64")


def check_indices(long: pd.DataFrame) -> None:
    """Fail loudly where an index cannot be right."""
    duplicated = long.duplicated([*FIRM_YEAR, "index"])
    assert not duplicated.any(), f"{duplicated.sum()} firm-year indices appear twice"
    unreadable = long["status"] != "ok"
    assert long.loc[unreadable, "value"].isna().all(), "an unreadable report has a value"
    assert not (long["value"] < 0).any(), "an index is negative"
    shares = long.loc[long["measure"] == "sentence_share", "value"]
    assert not (shares > 1).any(), "more sentences with hits than sentences"


def index_name(dictionary: Dictionary, scope: Scope, dimension: str, measure: str) -> str:
    """Return the name of an index: dictionary, scope (not for the whole report), dimension, measure."""
    return f"{dictionary.name}_{scope.column_part}{dimension}_{measure}"


def index_names(dictionary: Dictionary, scope: Scope = WHOLE_REPORT) -> list[str]:
    """Return the names of all indices of a dictionary in a scope, in their order in every table."""
    dimensions = (TOTAL, *(dimension.id for dimension in dictionary.dimensions))
    return [index_name(dictionary, scope, dimension, measure) for dimension in dimensions for measure in MEASURES]


def widen(long: pd.DataFrame, documents: pd.DataFrame, names: Sequence[str] = ()) -> pd.DataFrame:
    """Turn the long table into one row a firm-year and one column an index.

    Parameters
    ----------
    long : DataFrame
        As :func:`aggregate` returns it, of one or more dictionaries.
    documents : DataFrame
        The used reports, with ``file``.
    names : sequence of str
        Names of the index columns; those that ``long`` holds if empty.

    Returns
    -------
    DataFrame
        Keys and lengths first, then the indices in the order of ``long``'s dictionaries and dimensions.
    """
    order = list(names or dict.fromkeys(long["index"]))
    values = long.pivot(index=FIRM_YEAR, columns="index", values="value").reindex(columns=order)
    for name in order:
        if name.endswith("_count"):
            values[name] = values[name].astype("Int64")
    said = long[[*FIRM_YEAR, "reason"]].drop_duplicates()
    reasons = said.groupby(FIRM_YEAR)["reason"].agg(lambda texts: "; ".join(filter(None, texts)))
    keys = documents.set_index(FIRM_YEAR).drop(columns=["reason"]).join(reasons, how="inner").reset_index()
    wide = keys[WIDE_KEYS].merge(values.reset_index(), on=FIRM_YEAR, how="left", validate="one_to_one")
    wide.columns.name = None
    return wide.sort_values(FIRM_YEAR, ignore_index=True)
