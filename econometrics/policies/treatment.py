"""Policies by place and year: the treatment columns that two-way fixed effects and staggered designs need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pandas as pd

from econometrics.emissions.totals import need_columns
from econometrics.places.matching import match_prefectures
from econometrics.policies.cohorts import PilotRule, Policy, PolicyCohorts, Timing, policy_cohorts
from econometrics.policies.sectors import is_covered
from shuzhi import DataError

Never = Literal["missing", "zero"]


@dataclass(frozen=True)
class TreatedPanel:
    """A panel with the treatment columns of one policy.

    Attributes
    ----------
    data : pandas.DataFrame
        The rows given with ``place_code``, ``is_treated`` (0/1: the place is ever treated), ``is_treated_post`` (0/1:
        treated in this year), ``first_treated_year`` and ``years_since_treated``; with a name the columns carry it.
    unmatched : pandas.DataFrame
        ``given``, ``rows``, ``reason``: places that were not found; their columns are missing, never 0.
    cohorts : pandas.DataFrame
        ``first_treated_year``, ``places``, ``rows``, ``rows_before``, ``rows_after``; never treated last.
    unused : pandas.DataFrame
        ``code``, ``name``, ``first_treated_year``: treated places that the panel does not have.
    assumptions, warnings : tuple of str
        In words.
    """

    data: pd.DataFrame
    unmatched: pd.DataFrame
    cohorts: pd.DataFrame
    unused: pd.DataFrame
    assumptions: tuple[str, ...]
    warnings: tuple[str, ...]

    def summary(self) -> str:
        """Cohorts, places without a match and rules, in plain text."""
        lines = [self.cohorts.to_string(index=False)]
        lines += [
            f"not matched: {given or '(empty)'}, {rows} rows, {reason}"
            for given, rows, reason in self.unmatched.head(10).itertuples(index=False)
        ]
        if len(self.unmatched) > 10:
            lines.append(f"and {len(self.unmatched) - 10} more values not matched")
        lines += [f"assumed: {each}" for each in self.assumptions] + [f"warning: {each}" for each in self.warnings]
        return "\n".join(lines)


def add_treatment(
    data: pd.DataFrame,
    policy: Policy | PolicyCohorts,
    *,
    place: str,
    year: str = "report_year",
    province: str | None = None,
    industry: str | None = None,
    name: str | None = None,
    never: Never = "missing",
    rule: PilotRule = "first",
    timing: Timing = "force",
) -> TreatedPanel:
    """Add the columns of a policy to a panel: for two-way fixed effects and for staggered designs.

    Parameters
    ----------
    data : DataFrame
        One row a firm-year or a place-year.
    policy : str or PolicyCohorts
        A policy, or cohorts from :func:`policy_cohorts` or of one's own.
    place, year : str
        Column of the place (codes of any length, full, short or former names) and of the year.
    province : str, optional
        Column of the province, to tell equal names apart.
    industry : str, optional
        Column of the industry (C36): only covered sectors are treated. Carbon trading only.
    name : str, optional
        Puts the columns ``is_<name>``, ``is_<name>_post``, ``<name>_first_year``, ``years_since_<name>`` in place of
        ``is_treated``, ``is_treated_post``, ``first_treated_year``, ``years_since_treated``.
    never : {"missing", "zero"}
        What the first year of places never treated is: missing, or 0 as some packages of staggered designs want it.
    rule, timing : str
        As in :func:`policy_cohorts`.

    Returns
    -------
    TreatedPanel
        Rows in the order given, none dropped.

    Raises
    ------
    DataError
        If columns are missing or already there.
    """
    cohorts = policy if isinstance(policy, PolicyCohorts) else policy_cohorts(policy, rule=rule, timing=timing)
    need_columns(data, [place, year, *(each for each in (province, industry) if each)], "data")
    columns = _column_names(name)
    there = [column for column in columns.values() if column in data.columns]
    if there:
        raise DataError(f"the panel already has {', '.join(there)}; give another name")
    match = match_prefectures(data[place], provinces=data[province] if province else None)
    known = match.codes.notna()
    first = match.codes.map(cohorts.data.set_index("code")["first_treated_year"]).astype("float64")
    if industry:
        covered, reason = is_covered(cohorts.policy, match.codes, data[industry])
        first, known = first.where(covered.eq(True)), known & (covered.notna() | first.isna())
    years = pd.to_numeric(data[year]).astype("float64")
    result = data.copy()
    result["place_code"] = match.codes
    result[columns["ever"]] = first.notna().astype("float64").where(known)
    result[columns["post"]] = (years >= first).astype("float64").where(known & years.notna())
    result[columns["first"]] = (first.fillna(0.0) if never == "zero" else first).where(known)
    result[columns["since"]] = (years - first).where(known)
    present = set(match.codes.dropna())
    assumptions = [
        *cohorts.assumptions,
        "places are the prefectures of 2019; a place not found is missing, not untreated",
    ]
    if industry:
        assumptions.append(reason)
    return TreatedPanel(
        result,
        match.unmatched,
        _cohort_table(match.codes[known], first[known], years[known]),
        cohorts.data[~cohorts.data["code"].isin(present)].reset_index(drop=True),
        tuple(assumptions),
        (*cohorts.warnings, *_panel_warnings(match.unmatched, len(data), first[known], years[known])),
    )


def _column_names(name: str | None) -> dict[str, str]:
    """Names of the treatment columns."""
    if name is None:
        ever, since = "is_treated", "years_since_treated"
        return {"ever": ever, "post": "is_treated_post", "first": "first_treated_year", "since": since}
    return {
        "ever": f"is_{name}",
        "post": f"is_{name}_post",
        "first": f"{name}_first_year",
        "since": f"years_since_{name}",
    }


def _cohort_table(codes: pd.Series, first: pd.Series, years: pd.Series) -> pd.DataFrame:
    """Places and rows of each cohort, before and after treatment; the never treated last."""
    rows = pd.DataFrame({"code": codes, "first_treated_year": first, "after": (years >= first)})
    table = (
        rows.groupby("first_treated_year", dropna=False, sort=True)
        .agg(places=("code", "nunique"), rows=("code", "size"), rows_after=("after", "sum"))
        .reset_index()
    )
    table["rows_before"] = table["rows"] - table["rows_after"]
    table["first_treated_year"] = table["first_treated_year"].astype("Int64")
    return table[["first_treated_year", "places", "rows", "rows_before", "rows_after"]]


def _panel_warnings(unmatched: pd.DataFrame, rows: int, first: pd.Series, years: pd.Series) -> list[str]:
    """What a design with these cohorts must know."""
    warnings = []
    lost = int(unmatched["rows"].sum()) if len(unmatched) else 0
    if lost:
        warnings.append(f"{lost:,} of {rows:,} rows name no known place: their treatment is missing; see unmatched")
    if not first.notna().any():
        warnings.append("no row lies in a treated place")
    elif not first.isna().any():
        warnings.append("every place is treated: there are no never-treated controls")
    elif (years >= first).sum() == 0:
        warnings.append("no row lies in or after its year of treatment")
    return warnings
