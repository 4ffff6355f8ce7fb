"""Joins that were declared: how many rows a key may have is checked, and what finds no partner is listed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from econometrics.panel.rows import key_text
from econometrics.panel.spec import JoinStep
from shuzhi import DataError

JOIN_COLUMNS = (
    "source",
    "relationship",
    "on",
    "keep",
    "left_rows",
    "left_matched",
    "left_unmatched",
    "left_unmatched_keys",
    "left_missing_key",
    "left_examples",
    "right_rows",
    "right_matched",
    "right_unmatched",
    "right_unmatched_keys",
    "right_missing_key",
    "right_examples",
)
EXAMPLES = 5
_POSITION = "\0row of the source"


@dataclass(frozen=True)
class Joined:
    """The result of a join: the data, and its line of the report with the columns of ``JOIN_COLUMNS``."""

    data: pd.DataFrame
    report: dict[str, Any]


def join_tables(left: pd.DataFrame, right: pd.DataFrame, step: JoinStep, where: str) -> Joined:
    """Add the columns of a source to the panel.

    Parameters
    ----------
    left : DataFrame, one row a firm-year
        The panel so far.
    right : DataFrame, one row a record
        The source.
    step : JoinStep
        Keys, relationship, and which rows stay.
    where : str
        File and line, for messages.

    Returns
    -------
    Joined
        A missing key matches nothing. Rows stay in the order of the panel; with ``keep: both`` the rows of the source
        without a partner follow.

    Raises
    ------
    DataError
        If a key stands more than once on a side where the relationship says it stands once, with the keys; or if
        the keys are text on one side and numbers on the other.
    """
    pairs = step.pairs()
    left_keys, right_keys = [a for a, _ in pairs], [b for _, b in pairs]
    _check_kinds(left, right, pairs, step, where)
    problems = _repeated(right, right_keys, f"in {step.join}")
    if step.relationship == "one_to_one":
        problems += _repeated(left, left_keys, "in the panel")
    if problems:
        raise DataError(f"{where}: the join with {step.join} is not {step.relationship}\n  " + "\n  ".join(problems))
    taken = [name for name in (step.take or right.columns) if name not in right_keys]
    lookup = right[[*right_keys, *taken]].rename(columns={name: step.prefix + name for name in taken})
    lookup = lookup.rename(columns=dict(zip(right_keys, left_keys, strict=True)))
    _check_free(left, [step.prefix + name for name in taken], step, where)
    lookup[_POSITION] = range(len(lookup))
    complete = lookup[lookup[left_keys].notna().all(axis=1)]
    merged = left.merge(complete, on=left_keys, how="left", sort=False)
    merged.index = left.index
    is_matched = merged[_POSITION].notna()
    used = set(merged.loc[is_matched, _POSITION].astype("int64"))
    is_used = lookup[_POSITION].isin(used)
    on = ", ".join(a if a == b else f"{a} = {b}" for a, b in pairs)
    report = join_report(
        (step.join, step.relationship, on, step.keep),
        (left[left_keys], is_matched),
        (right[right_keys], pd.Series(is_used.to_numpy(), index=right.index)),
    )
    if step.keep == "matched":
        merged = merged[is_matched]
    elif step.keep == "both":
        merged = pd.concat([merged, lookup[~is_used & lookup[left_keys].notna().all(axis=1)]], ignore_index=True)
    return Joined(merged.drop(columns=[_POSITION]), report)


def _check_kinds(
    left: pd.DataFrame, right: pd.DataFrame, pairs: Sequence[tuple[str, str]], step: JoinStep, where: str
) -> None:
    problems = []
    for a, b in pairs:
        numbers = [pd.api.types.is_numeric_dtype(frame[name].dtype) for frame, name in ((left, a), (right, b))]
        if numbers[0] != numbers[1]:
            kinds = ["numbers" if each else "text" for each in numbers]
            problems.append(f"{a} holds {kinds[0]} in the panel, {b} {kinds[1]} in {step.join}; give both one kind:")
    if problems:
        raise DataError(f"{where}: the keys of the join with {step.join} cannot be equal\n  " + "\n  ".join(problems))


def _check_free(left: pd.DataFrame, names: Sequence[str], step: JoinStep, where: str) -> None:
    both = [name for name in names if name in left.columns]
    if both:
        raise DataError(f"{where}: {step.join} and the panel both have {', '.join(both)}; use take: or prefix:")


def _repeated(frame: pd.DataFrame, keys: list[str], side: str) -> list[str]:
    complete = frame[frame[keys].notna().all(axis=1)]
    twice = complete[complete.duplicated(keys, keep=False)]
    if twice.empty:
        return []
    counts = twice.groupby(keys, sort=True).size()
    shown = [f"{_shown(key)} ({count} times)" for key, count in counts.head(EXAMPLES).items()]
    return [f"{side} {len(counts):,} keys ({', '.join(keys)}) stand more than once: {'; '.join(shown)}"]


def _shown(key: Any) -> str:
    return key_text(key) if isinstance(key, tuple) else str(key)


def join_report(
    facts: tuple[str, str, str, str],
    left: tuple[pd.DataFrame, pd.Series],
    right: tuple[pd.DataFrame, pd.Series],
) -> dict[str, Any]:
    """Return the line of a join for the report.

    Parameters
    ----------
    facts : (str, str, str, str)
        Source, relationship, keys in words, which rows stay.
    left, right : (DataFrame, Series of bool)
        Keys of the rows of the panel and of the source, and which found a partner.

    Returns
    -------
    dict
        With the keys of ``JOIN_COLUMNS``.
    """
    report: dict[str, Any] = dict(zip(("source", "relationship", "on", "keep"), facts, strict=True))
    for side, (frame, matched) in (("left", left), ("right", right)):
        keys = list(frame.columns)
        has_key = frame.notna().all(axis=1)
        lonely = frame[~matched & has_key]
        different = lonely.drop_duplicates().sort_values(keys)
        examples = "; ".join(key_text(row) for row in _spread(different).itertuples(index=False, name=None))
        report |= {
            f"{side}_rows": len(frame),
            f"{side}_matched": int(matched.sum()),
            f"{side}_unmatched": len(lonely),
            f"{side}_unmatched_keys": len(different),
            f"{side}_missing_key": int((~has_key).sum()),
            f"{side}_examples": examples,
        }
    return {name: report[name] for name in JOIN_COLUMNS}


def _spread(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a few rows from all over a sorted frame: the first ones alone are often all of one firm."""
    if len(frame) <= EXAMPLES:
        return frame
    return frame.iloc[[round(step * (len(frame) - 1) / (EXAMPLES - 1)) for step in range(EXAMPLES)]]
