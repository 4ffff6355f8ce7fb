"""The gate before a release: a candidate beside the last release, and the new year beside the year before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from flows.publishing.difference_result import Cause, Comparison
from flows.publishing.gate_new_year import new_year
from flows.publishing.gate_numbers import Lost, lost_firm_years, read_counts, shown_firm_years
from flows.publishing.gate_report import CheckName, GateCheck, GateReport
from flows.read import RETRIED
from flows.settings import DeclaredChange, GateOptions

FIRST_RELEASE = "there is no release yet"
# What a new or withdrawn report, or a person's correction, does to a number is no fault of the software.
EXPLAINED: frozenset[Cause] = frozenset(("new_file", "removed_file", "revised_report", "other_winner", "correction"))
# A change that is declared explains these causes.
DECLARES: Mapping[DeclaredChange, frozenset[Cause]] = {
    "definition": frozenset(("dictionary", "rule", "scope", "keep")),
    "dictionary": frozenset(("dictionary",)),
    "rule": frozenset(("rule",)),
    "scope": frozenset(("scope",)),
    "keep": frozenset(("keep",)),
    "script": frozenset(("rule",)),
    "reading": frozenset(("reading", "identity")),
    "software": frozenset(("software", "reading", "identity", "keep")),
}
NOT_JUDGED = "not judged: "
FINDING = ["panel", "check", "column", "report_year"]
MOST_SHOWN = 3


@dataclass(frozen=True)
class Judged:
    """One definition of the candidate, and what it is compared with.

    Parameters
    ----------
    name : str
        The definition.
    folder : Path
        Its export.
    before : Path or None
        Its export in the last release; None where that has none.
    comparison : Comparison or None
        What changed between the two.
    """

    name: str
    folder: Path
    before: Path | None = None
    comparison: Comparison | None = None


def judge(
    candidates: Sequence[Judged],
    options: GateOptions,
    *,
    year: int,
    documents: pd.DataFrame,
    max_failure_share: float,
    before: str = "",
    missing: Sequence[str] = (),
) -> GateReport:
    """Run every check.

    Parameters
    ----------
    candidates : sequence of Judged
        The definitions, in order.
    options : GateOptions
        Limits and declared changes.
    year : int
        The new report year.
    documents : DataFrame
        The table ``documents`` of the store.
    max_failure_share : float
        Largest share of files that timed out or failed.
    before : str
        Version of the last release; empty if there is none.
    missing : sequence of str
        Definitions of the last release that the candidate lacks.

    Returns
    -------
    GateReport
        One entry a check and definition.
    """
    checks = [files_failed(documents, max_failure_share), definitions_kept(missing, before, options)]
    for each in candidates:
        counts = read_counts(each.folder)
        checks += [years(each, before), firm_years_lost(each, counts, options), values_changed(each, options)]
        checks += new_year(each.name, counts, year, options)
    return GateReport(tuple(checks), before)


def files_failed(documents: pd.DataFrame, most: float) -> GateCheck:
    """Judge how many files timed out or failed."""
    failed = int(documents["status"].isin(RETRIED).sum())
    share = failed / max(len(documents), 1)
    sentence = f"{failed:,} of {len(documents):,} files timed out or failed ({share:.2%}, at most {most:.2%})"
    return GateCheck("files_failed", "fail" if share > most else "ok", sentence, value=share, limit=most)


def definitions_kept(missing: Sequence[str], before: str, options: GateOptions) -> GateCheck:
    """Judge whether a definition that others use went away."""
    if not before:
        return GateCheck("definitions_kept", "skipped", FIRST_RELEASE)
    if not missing:
        return GateCheck("definitions_kept", "ok", f"all definitions of {before} are there", value=0, limit=0)
    is_meant = "definition" in options.declared_changes
    sentence = f"{', '.join(missing)} of {before} {'is' if len(missing) == 1 else 'are'} not there"
    sentence += ", as declared" if is_meant else "; put it back, or declare the change with --declare definition"
    return GateCheck("definitions_kept", "ok" if is_meant else "fail", sentence, value=len(missing), limit=0)


def years(each: Judged, before: str) -> GateCheck:
    """Judge the findings of the quality gate; those that the last release had already are known."""
    text = (each.folder / "quality.md").read_text(encoding="utf-8")
    if NOT_JUDGED in text:
        why = text.partition(NOT_JUDGED)[2].splitlines()[0]
        return GateCheck("years", "skipped", f"not judged: {why}", each.name)
    findings = _failures(each.folder)
    known = _keys(_failures(each.before)) if each.before else set()
    is_new = pd.Series([key not in known for key in _keys_in_order(findings)], index=findings.index, dtype="bool")
    new = findings[is_new]
    old = len(findings) - len(new)
    sentence = f"{len(new):,} findings fail"
    sentence += f", {old:,} more stood in {before} already" if old else ""
    sentence += "".join(f"; {words}" for words in new["sentence"].head(MOST_SHOWN))
    sentence += f"; and {len(new) - MOST_SHOWN:,} more (quality.md)" if len(new) > MOST_SHOWN else ""
    return GateCheck("years", "fail" if len(new) else "ok", sentence, each.name, value=len(new), limit=0)


def _failures(folder: Path) -> pd.DataFrame:
    found = pd.read_csv(folder / "quality.csv", encoding="utf-8-sig", dtype="str", keep_default_na=False)
    return found[found["status"] == "fail"] if len(found) else pd.DataFrame(columns=[*FINDING, "sentence"])


def _keys_in_order(findings: pd.DataFrame) -> list[tuple[str, ...]]:
    return [tuple(map(str, row)) for row in findings[FINDING].itertuples(index=False, name=None)]


def _keys(findings: pd.DataFrame) -> set[tuple[str, ...]]:
    return set(_keys_in_order(findings))


def firm_years_lost(each: Judged, counts: pd.DataFrame, options: GateOptions) -> GateCheck:
    """Judge how many firm-years lost their value, in the list and scope that lost most."""
    name: CheckName = "firm_years_lost"
    if each.before is None:
        return GateCheck(name, "skipped", FIRST_RELEASE, each.name)
    lost = lost_firm_years(read_counts(each.before), counts)
    if not lost:
        return GateCheck(name, "skipped", "no list and scope of the last release is there", each.name)
    worst: Lost = max(lost, key=lambda one: (one.share, len(one.firm_years)))
    most = options.most_firm_years_lost
    sentence = (
        f"{worst.index}: {len(worst.firm_years):,} of {worst.before:,} firm-years with a value have none now"
        f" ({worst.share:.2%}, at most {most:.2%})"
    )
    sentence += f": {shown_firm_years(worst.firm_years)}" if worst.firm_years else ""
    return GateCheck(name, "fail" if worst.share > most else "ok", sentence, each.name, worst.share, most)


def values_changed(each: Judged, options: GateOptions) -> GateCheck:
    """Judge how many values changed although no report did and nothing was declared."""
    name: CheckName = "values_changed"
    if each.comparison is None or each.before is None:
        return GateCheck(name, "skipped", FIRST_RELEASE, each.name)
    meant: set[str] = set(EXPLAINED).union(*(DECLARES[change] for change in options.declared_changes))
    changed = each.comparison.values
    both = changed[changed["before"].notna() & changed["after"].notna()]
    unexplained = both[~both["cause"].isin(meant)]
    compared = count_compared(each.before, each.folder)
    share, most = len(unexplained) / max(compared, 1), options.most_values_changed
    sentence = (
        f"{len(unexplained):,} of {compared:,} values changed without a new report or a declared change"
        f" ({share:.2%}, at most {most:.2%}); {len(both) - len(unexplained):,} changed with one"
    )
    causes = unexplained["cause"].value_counts()
    sentence += "".join(f"; {count:,} by {cause}" for cause, count in causes.items())
    if share > most:
        sentence += "; if that is meant, say so with --declare"
    return GateCheck(name, "fail" if share > most else "ok", sentence, each.name, share, most)


def count_compared(before: Path, after: Path) -> int:
    """Return the number of values that both exports have."""
    keys = ["stock_code", "report_year", "index"]
    first, second = (
        pd.read_parquet(folder / "indices_long.parquet", columns=[*keys, "value"]).dropna(subset="value")[keys]
        for folder in (before, after)
    )
    return len(first.merge(second, on=keys))
