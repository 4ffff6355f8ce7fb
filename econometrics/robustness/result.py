"""The table of a battery of checks: what changed, what came out, and whether the baseline's finding holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd

from econometrics.robustness.baseline import Baseline
from econometrics.robustness.setting import Check, Finding, Setting

Verdict = Literal["baseline", "holds", "weaker", "changes", "not estimated"]


@dataclass(frozen=True)
class RobustnessRow:
    """One check and one term.

    Parameters
    ----------
    number : int
        Place of the check; 0 is the baseline.
    kind : str
        Kind of the check.
    label_zh, label_en : str
        What was changed.
    term, column : str
        Term of the baseline, and the one that stands for it here.
    estimate, standard_error, statistic, p_value, interval_low, interval_high : float
        What came out; NaN where nothing did.
    observations : int
        Rows used; 0 where nothing came out.
    clusters : int or None
        Smallest number of clusters.
    within_r2 : float
        NaN where there is none.
    same_rows_estimate : float
        The baseline's estimate on the rows of this check, where it changed columns; else NaN.
    same_sign, is_significant : bool
        Whether the sign is the baseline's, and the p value below the level.
    verdict : str
        ``holds`` (same sign and significant as the baseline; for leads: not significant), ``weaker`` (same sign, no
        longer significant), ``changes``, ``not estimated``.
    dropped : dict of str to int
        Rows left out, by reason: by the check and by the estimate.
    reason : str
        Why it could not be estimated.
    notes : tuple of str
        What must be known of the change, and warnings of the estimate.
    result : object
        The whole result, or None.
    """

    number: int
    kind: str
    label_zh: str
    label_en: str
    term: str
    column: str
    estimate: float
    standard_error: float
    statistic: float
    p_value: float
    interval_low: float
    interval_high: float
    observations: int
    clusters: int | None
    within_r2: float
    same_rows_estimate: float
    same_sign: bool
    is_significant: bool
    verdict: Verdict
    dropped: dict[str, int]
    reason: str
    notes: tuple[str, ...]
    result: Any = field(repr=False, compare=False)


@dataclass(frozen=True)
class Robustness:
    """A baseline and its checks.

    Parameters
    ----------
    baseline : Baseline
        The model.
    level : float
        Significance level.
    rows : tuple of RobustnessRow
        The baseline first.
    assumptions, warnings : tuple of str
        In words.
    """

    baseline: Baseline
    level: float
    rows: tuple[RobustnessRow, ...]
    assumptions: tuple[str, ...]
    warnings: tuple[str, ...]

    def to_frame(self) -> pd.DataFrame:
        """One row a check and term, the baseline first."""
        names = [name for name in RobustnessRow.__dataclass_fields__ if name not in ("result", "dropped", "notes")]
        frame = pd.DataFrame([{name: getattr(row, name) for name in names} for row in self.rows])
        frame["clusters"] = frame["clusters"].astype("Int64")
        frame["rows_dropped"] = [sum(row.dropped.values()) for row in self.rows]
        frame["dropped"] = [_counts(row.dropped) for row in self.rows]
        frame["notes"] = ["; ".join(row.notes) for row in self.rows]
        return frame

    def results(self) -> dict[tuple[int, str], Any]:
        """The whole result of each check, by number and term."""
        return {(row.number, row.term): row.result for row in self.rows if row.result is not None}

    def counts(self) -> dict[str, int]:
        """How many checks hold, are weaker, change or could not be estimated."""
        found = {"holds": 0, "weaker": 0, "changes": 0, "not estimated": 0}
        for row in self.rows:
            if row.verdict != "baseline":
                found[row.verdict] += 1
        return found

    def summary(self, language: Literal["zh", "en"] = "en") -> str:
        """Plain text for a reader.

        Parameters
        ----------
        language : {"en", "zh"}
            Of the labels.
        """
        lines = [f"robustness of {', '.join(self.baseline.focus)} on {self.baseline.outcome} (level {self.level:g})"]
        for row in self.rows:
            label = row.label_zh if language == "zh" else row.label_en
            if row.reason:
                lines.append(f"  {label}: not estimated: {row.reason}")
                continue
            what = f" [{row.term}]" if len(self.baseline.focus) > 1 else ""
            same = (
                f"; baseline on these rows {row.same_rows_estimate:.4g}"
                if row.same_rows_estimate == row.same_rows_estimate
                else ""
            )
            verdict = "" if row.verdict == "baseline" else f": {row.verdict}"
            lines.append(
                f"  {label}{what}: {row.estimate:.4g} ({row.standard_error:.4g}), p = {row.p_value:.3f}, "
                f"N = {row.observations:,}{same}{verdict}"
            )
        counts = ", ".join(f"{name} {count}" for name, count in self.counts().items() if count)
        lines.append(f"checks: {counts or 'none'}")
        lines += [f"warning: {text}" for text in self.warnings]
        return "\n".join(lines + [f"assumption: {text}" for text in self.assumptions])


def made_row(
    number: int,
    check: Check | None,
    label: tuple[str, str],
    term: str,
    found: Finding | str,
    focus: tuple[str, ...],
    *,
    level: float,
    base: Finding,
    rows: int,
    setting: Setting | None = None,
    place: int | None = None,
    same_rows: Mapping[str, float] | None = None,
) -> RobustnessRow:
    """Make a row of what a check found, or of why it found nothing.

    Parameters
    ----------
    number : int
        Place of the check; 0 for the baseline.
    check : Check or None
        None for the baseline.
    label : (str, str)
        Chinese and English label.
    term : str
        Term of the baseline's focus.
    found : Finding or str
        What was found, or the reason why nothing was.
    focus : tuple of str
        Terms of the focus as they are named now, in the baseline's order.
    level : float
        Significance level.
    base : Finding
        Of the baseline.
    rows : int
        Rows given.
    setting : Setting, optional
        As the check left it.
    place : int, optional
        Place of the term in the focus; by default found by name.
    same_rows : mapping of str to float, optional
        The baseline's estimates on the rows of the check.
    """
    own = _row_of(base.rows, term)
    column = focus[place] if place is not None and place < len(focus) else term
    values = dict.fromkeys(
        ("estimate", "standard_error", "statistic", "p_value", "interval_low", "interval_high"), np.nan
    )
    observations, clusters, within_r2, reason = 0, None, np.nan, ""
    dropped: dict[str, int] = dict(setting.dropped) if setting is not None else {}
    notes: tuple[str, ...] = setting.notes if setting is not None else ()
    result: Any = None
    if isinstance(found, str):
        reason = found
    else:
        line = _row_of(found.rows, column)
        if line is None and len(found.rows) == 1:
            line = found.rows.iloc[0]
            column = str(line["term"])
        dropped |= found.dropped
        notes, result = (*notes, *found.warnings), found.result
        if line is None:
            reason = next((text for text in found.warnings if column in text), f"{column} is not in the model")
        else:
            values = {name: float(line[name]) for name in values}
            observations = int(line["observations"])
            clusters, within_r2 = found.clusters, found.within_r2
    reading = check.reading if check is not None else "holds"
    same_sign = own is not None and bool(np.sign(values["estimate"]) == np.sign(float(own["estimate"])))
    significant = bool(values["p_value"] < level)
    was = own is not None and bool(float(own["p_value"]) < level)
    verdict: Verdict = "baseline" if check is None else "holds"
    if reason:
        verdict = "not estimated"
    elif check is not None:
        verdict = _verdict(reading, same_sign, significant, was)
    return RobustnessRow(
        number=number,
        kind=check.kind if check is not None else "baseline",
        label_zh=label[0],
        label_en=label[1],
        term=term,
        column=column,
        **values,
        observations=observations,
        clusters=clusters,
        within_r2=within_r2,
        same_rows_estimate=(same_rows or {}).get(term, np.nan),
        same_sign=same_sign,
        is_significant=significant,
        verdict=verdict,
        dropped=dropped,
        reason=reason,
        notes=notes,
        result=result,
    )


def _row_of(frame: pd.DataFrame, term: str) -> pd.Series | None:
    found = frame[frame["term"] == term]
    return found.iloc[0] if len(found) else None


def _verdict(reading: str, same_sign: bool, significant: bool, was: bool) -> Verdict:
    if reading == "vanishes":
        return "changes" if significant else "holds"
    if not same_sign:
        # Two estimates that are both near zero say the same thing whatever their signs.
        return "holds" if not was and not significant else "changes"
    if significant == was:
        return "holds"
    return "weaker" if was else "changes"


def _counts(dropped: Mapping[str, int]) -> str:
    return "; ".join(f"{reason}: {count:,}" for reason, count in dropped.items())
