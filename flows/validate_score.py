"""What coded sheets say: precision, agreement, confusion, the corrected index, and recall."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from flows.coded import Coded, combine, weigh
from flows.coding_sheet import MACHINE, CodedSheet
from flows.store import Store
from flows.validate_index import corrected_table, recall_table
from nlp.codes import CODE_NAMES, CODES, TARGETS, read_code
from nlp.validate import cohen_kappa, confusion, krippendorff_alpha, majority, percent_agreement, wilson

GROUPS = ("dictionary", "dimension", "tier")
FINE_GROUPS = ("section", "report_year", "raw_term")
RESULT_FILES = (
    "precision",
    "codes",
    "agreement",
    "confusion_coders",
    "confusion_machine",
    "flags",
    "corrected",
    "recall",
)


@dataclass(frozen=True)
class Scores:
    """All results by the name of their file, and what was left out, in words."""

    tables: dict[str, pd.DataFrame]
    notes: list[str] = field(default_factory=list)


def score(sheets: Sequence[CodedSheet], store: Store | None = None) -> Scores:
    """Score coded sheets of one sample of hits, of one of missed sentences, or of one of each.

    Parameters
    ----------
    sheets : sequence of CodedSheet
        As :func:`flows.coding_sheet.read_sheets` gives them.
    store : Store or None
        The store of the sample, for the corrected index.

    Raises
    ------
    UsageError
        If sheets are of different samples, or the store no longer holds the lists they were drawn from.
    """
    hits = [sheet for sheet in sheets if sheet.kind == "hits"]
    missed = [sheet for sheet in sheets if sheet.kind == "missed"]
    scores = Scores({})
    coded = combine(hits) if hits else None
    coded_missed = combine(missed) if missed else None
    for each in (coded, coded_missed):
        if each is not None:
            _score_agreement(each, scores)
    if coded is not None:
        scores.tables["precision"] = precision_table(coded)
        scores.tables["codes"] = code_table(coded)
        machine_tables(coded, scores)
        if store is not None:
            scores.tables["corrected"] = corrected_table(coded, store)
    if coded_missed is not None:
        scores.tables["recall"] = recall_table(coded_missed, coded)
        if coded is None:
            scores.notes.append("recall needs the coded sample of hits as well: name both sheets")
    return scores


def _score_agreement(coded: Coded, scores: Scores) -> None:
    coders, n = coded.codes, len(coded.rows)
    drawn = int(coded.design.get("n", n))
    uncoded, divided = (int(sum(each)) for each in _open_rows(coded))
    sentence = f"{coded.kind}: {drawn} drawn, {drawn - n} rows gone, {uncoded} not coded, {divided} without a majority"
    scores.notes.append(sentence)
    rows = [_agreement(coded.kind, one, other, coders[one], coders[other]) for one, other in _pairs(coders)]
    alpha = krippendorff_alpha(list(coders.values())) if len(coders) > 1 else math.nan
    both = sum(sum(code is not None for code in unit) > 1 for unit in zip(*coders.values(), strict=True))
    own = [[code and str(code in TARGETS["own_or_plan"]) for code in codes] for codes in coders.values()]
    alpha_own = krippendorff_alpha(own) if len(coders) > 1 else math.nan
    everyone: dict[str, Any] = {"sample": coded.kind, "coder": "all", "other": "", "n": both}
    rows.append(everyone | {"alpha": alpha, "alpha_own_or_plan": alpha_own})
    columns = ["sample", "coder", "other", "n", "agreement", "kappa", "kappa_own_or_plan", "alpha", "alpha_own_or_plan"]
    table = pd.DataFrame(rows).reindex(columns=columns)
    before = scores.tables.get("agreement")
    scores.tables["agreement"] = table if before is None else pd.concat([before, table], ignore_index=True)
    if len(coders) > 1 and coded.kind == "hits":
        scores.tables["confusion_coders"] = pd.concat(
            [_long(confusion(coders[one], coders[other]), one, other) for one, other in _pairs(coders)],
            ignore_index=True,
        )


def _open_rows(coded: Coded) -> tuple[list[bool], list[bool]]:
    units = list(zip(*coded.codes.values(), strict=True))
    is_uncoded = [all(code is None for code in unit) for unit in units]
    has_none = [majority(unit) is None for unit in units]
    return is_uncoded, [none and not empty for none, empty in zip(has_none, is_uncoded, strict=True)]


def _pairs(coders: Mapping[str, Sequence[str | None]]) -> list[tuple[str, str]]:
    return list(itertools.combinations(coders, 2))


def _agreement(
    kind: str, one: str, other: str, first: Sequence[str | None], second: Sequence[str | None]
) -> dict[str, Any]:
    both = sum(a is not None and b is not None for a, b in zip(first, second, strict=True))
    own = [[code and str(code in TARGETS["own_or_plan"]) for code in codes] for codes in (first, second)]
    return {
        "sample": kind,
        "coder": one,
        "other": other,
        "n": both,
        "agreement": percent_agreement(first, second),
        "kappa": cohen_kappa(first, second),
        "kappa_own_or_plan": cohen_kappa(own[0], own[1]),
    }


def _long(table: pd.DataFrame, one: str, other: str) -> pd.DataFrame:
    cells = [(one, other, row, column, int(table.loc[row, column])) for row in table.index for column in table.columns]
    frame = pd.DataFrame(cells, columns=["coder", "other", "code", "other_code", "n"])
    return frame[frame["n"] > 0]


def _shares(coded: Coded, is_true: Callable[[pd.DataFrame], pd.Series], domain: pd.Series | None) -> dict[str, Any]:
    """Return a share, plain with Wilson's interval and weighted by the chances of the sample."""
    rows = coded.agreed
    inside = np.ones(len(rows), dtype=bool) if domain is None else domain.to_numpy(dtype=bool)
    true = is_true(rows).to_numpy(dtype=bool)
    found = weigh(rows, true, inside)
    n, hits = int(inside.sum()), int((true & inside).sum())
    low, high = wilson(hits, n)
    values: dict[str, Any] = {"n": n, "true": hits, "share": hits / n if n else math.nan, "low": low, "high": high}
    weighted = {"weighted_share": found.share, "weighted_se": found.standard_error}
    return values | weighted | {"weighted_low": found.low, "weighted_high": found.high}


def precision_table(coded: Coded) -> pd.DataFrame:
    """Return the share of hits that are the filer's own, and with its plans, by whatever the sheets know of a hit."""
    rows = coded.agreed
    groups: list[tuple[str, str, pd.Series | None]] = [("all", "", None)]
    groups += _by_value(rows, (*GROUPS, *machine_columns(rows, "kind")))
    for name in machine_flags(rows):
        is_up = rows[name].fillna(0).astype(float) > 0
        groups += [(name, "1", is_up), (name, "0", ~is_up)]
    groups += _by_value(rows, FINE_GROUPS)
    table = [
        {"group": group, "value": value, "target": target}
        | _shares(coded, lambda frame, codes=codes: frame["agreed"].isin(codes), domain)  # type: ignore[misc]
        for group, value, domain in groups
        for target, codes in TARGETS.items()
    ]
    return pd.DataFrame(table)


def _by_value(rows: pd.DataFrame, names: Sequence[str]) -> list[tuple[str, str, pd.Series | None]]:
    groups: list[tuple[str, str, pd.Series | None]] = []
    for name in names:
        values = rows[name].fillna("").astype(str)
        groups += [(name.removeprefix("raw_"), value, values == value) for value in sorted(values.unique())]
    return groups


def code_table(coded: Coded) -> pd.DataFrame:
    """Return the share of each code among the hits."""
    labels = {code.name: code.zh for code in CODES}
    table = [
        {"code": name, "label": labels[name]} | _shares(coded, lambda frame, name=name: frame["agreed"] == name, None)  # type: ignore[misc]
        for name in CODE_NAMES
    ]
    return pd.DataFrame(table)


def machine_columns(rows: pd.DataFrame, *names: str) -> list[str]:
    """Return the columns of these names in which the machine said something."""
    return [MACHINE + name for name in names if MACHINE + name in rows and rows[MACHINE + name].notna().any()]


def machine_flags(rows: pd.DataFrame) -> list[str]:
    """Return the machine's flags, each named like a code."""
    return machine_columns(rows, "org_name", "false_sense", "negated", "person", "other_party", "context", "plan")


def machine_tables(coded: Coded, scores: Scores) -> None:
    """Compare what the machine said of the hits with what the coders agreed on."""
    rows = coded.agreed
    kinds = machine_columns(rows, "kind")
    if kinds:
        said = [_as_code(value) for value in rows[kinds[0]]]
        scores.tables["confusion_machine"] = _long(confusion(said, list(rows["agreed"])), "machine", "coders")
    flags = []
    for name in machine_flags(rows):
        up = (rows[name].fillna(0).astype(float) > 0).to_numpy(dtype=bool)
        true = (rows["agreed"] == read_code(name.removeprefix(MACHINE))).to_numpy(dtype=bool)
        both = int((up & true).sum())
        low, high = wilson(both, int(up.sum()))
        recall_low, recall_high = wilson(both, int(true.sum()))
        row: dict[str, Any] = {"flag": name.removeprefix(MACHINE), "flagged": int(up.sum()), "true": int(true.sum())}
        row |= {"both": both, "precision": both / up.sum() if up.any() else math.nan, "low": low, "high": high}
        row |= {"recall": both / true.sum() if true.any() else math.nan}
        flags.append(row | {"recall_low": recall_low, "recall_high": recall_high})
    if flags:
        scores.tables["flags"] = pd.DataFrame(flags)


def _as_code(value: object) -> str | None:
    try:
        return read_code(value)
    except ValueError:
        return str(value)
