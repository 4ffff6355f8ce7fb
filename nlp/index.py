"""From counts to firm-year indices. Missing is never zero: an unreadable report has a null and a reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import numpy as np
import pandas as pd

from nlp.dictionary import Dictionary

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
]


def choose_reports(documents: pd.DataFrame, kinds: Sequence[str] = ("annual",)) -> pd.DataFrame:
    """Say of each file whether its report enters the indices, and why not.

    Of the files that claim one firm-year the winner is: a readable one before an unreadable one, then the
    highest revision, then the one with the most Chinese characters, then the first by file name. A cancelled
    report never wins.

    Parameters
    ----------
    documents : DataFrame
        One row a file: file, document_id, stock_code, report_year, kind, revision, revision_number, status,
        chinese_characters.
    kinds : sequence of str
        Kinds of report that may enter.

    Returns
    -------
    DataFrame
        Index as in ``documents``; columns ``is_used`` and ``use_reason`` (empty for the used ones).
    """
    reasons = pd.Series("", index=documents.index, dtype=object)
    wrong_kind = ~documents["kind"].isin(list(kinds))
    reasons[wrong_kind] = "not an annual report: " + documents["kind"].fillna("kind unknown")[wrong_kind]
    cancelled = (documents["revision"] == "cancelled") & (reasons == "")
    reasons[cancelled] = "cancelled by the firm"
    for column, words in (("stock_code", "no stock code found"), ("report_year", "no report year found")):
        reasons[documents[column].isna() & (reasons == "")] = words
    candidates = documents[reasons == ""]
    order = pd.DataFrame(
        {
            "readable": candidates["status"] == "ok",
            "revision": candidates["revision_number"].fillna(0),
            "characters": candidates["chinese_characters"].fillna(0),
            "file": candidates["file"],
        }
    ).sort_values(["readable", "revision", "characters", "file"], ascending=[False, False, False, True])
    ranked = candidates.loc[order.index]
    winners = ranked.drop_duplicates(FIRM_YEAR)
    winner_of = winners.set_index(FIRM_YEAR)
    losers = ranked.drop(winners.index)
    winner_of = winner_of.loc[pd.MultiIndex.from_frame(losers[FIRM_YEAR])].set_index(losers.index)
    is_same = losers["document_id"] == winner_of["document_id"]
    reasons[losers.index] = is_same.map({True: "duplicate of ", False: "superseded by "}) + winner_of["file"]
    return pd.DataFrame({"is_used": reasons == "", "use_reason": reasons})


def aggregate(documents: pd.DataFrame, counts: pd.DataFrame, dictionary: Dictionary, rule: str) -> pd.DataFrame:
    """Build the long table of indices of one dictionary.

    Parameters
    ----------
    documents : DataFrame
        The used reports, one row a firm-year: stock_code, company_name, report_year, document_id, status,
        reason, chinese_characters, tokens, sentences.
    counts : DataFrame
        One row a document and dimension with hits, and one with dimension ``total``: document_id, dimension,
        hits, sentences_with_hits. A readable document without a row has no hits.
    dictionary : Dictionary
        The word list.
    rule : str
        The matching rule of the counts.

    Returns
    -------
    DataFrame
        One row a firm-year, dimension and measure, sorted; columns as in design. ``value`` is null, never 0,
        where ``status`` is not ``ok`` or the text holds no Chinese, and ``reason`` says why.
    """
    documents = documents.copy()
    no_chinese = (documents["status"] == "ok") & ~(documents["chinese_characters"].fillna(0) > 0)
    documents.loc[no_chinese, "reason"] = "no Chinese text in the report"
    readable = (documents["status"] == "ok") & ~no_chinese
    by_dimension = counts.set_index(["document_id", "dimension"])
    frames = []
    for dimension in (TOTAL, *(each.id for each in dictionary.dimensions)):
        numbers = _numbers(documents, by_dimension, dimension, readable)
        for measure, (numerator, denominator, formula) in MEASURES.items():
            below = _column(documents, denominator)
            value = formula(numbers[numerator].astype("Float64"), below)
            frames.append(
                documents.assign(
                    index=f"{dictionary.name}_{dimension}_{measure}",
                    dictionary=dictionary.name,
                    dictionary_hash=dictionary.content_hash,
                    rule=rule,
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


def index_names(dictionary: Dictionary) -> list[str]:
    """Return the names of all indices of a dictionary, in their order in every table."""
    dimensions = (TOTAL, *(dimension.id for dimension in dictionary.dimensions))
    return [f"{dictionary.name}_{dimension}_{measure}" for dimension in dimensions for measure in MEASURES]


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
    reasons = long.drop_duplicates(FIRM_YEAR).set_index(FIRM_YEAR)["reason"]
    keys = documents.set_index(FIRM_YEAR).drop(columns=["reason"]).join(reasons, how="inner").reset_index()
    wide = keys[WIDE_KEYS].merge(values.reset_index(), on=FIRM_YEAR, how="left", validate="one_to_one")
    wide.columns.name = None
    return wide.sort_values(FIRM_YEAR, ignore_index=True)
