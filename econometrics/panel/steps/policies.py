"""Policies and the attention of governments in a panel, by place and year."""

from __future__ import annotations

from typing import Any

import pandas as pd

from econometrics.panel.joins import join_report
from econometrics.panel.steps.names import PLACE_CODE
from econometrics.panel.steps.result import Given, StepResult, citation_of, examples_of, notes_of, unmatched_rows
from econometrics.panel.steps.specs import OWN, AttentionStep, PolicyStep
from econometrics.panel.steps.variables import joined_variables
from econometrics.places.matching import match_prefectures
from econometrics.policies.attention import add_government_attention, government_attention
from econometrics.policies.cohorts import PolicyCohorts, policy_cohorts
from econometrics.policies.treatment import add_treatment
from econometrics.reference import load_reference
from econometrics.variables import Variable
from shuzhi import DataError

_POLICY_ZH = {
    "low_carbon_pilots": "低碳试点",
    "carbon_trading_pilots": "碳排放权交易试点",
    "broadband_china": "宽带中国",
    "bigdata_zones": "大数据综合试验区",
    "key_air_control_cities_2013": "大气污染防治重点城市",
    OWN: "政策",
}
_GIVEN_NAMES = {
    "ever": "is_treated",
    "post": "is_treated_post",
    "first": "first_treated_year",
    "since": "years_since_treated",
}
# By column: labels, unit, formula.
_COLUMNS = {
    "ever": ("ever treated", "是否试点地区", "0/1", "the place has a first year"),
    "post": ("in force", "试点地区×试点后", "0/1", "{year} >= first year"),
    "first": ("first year", "首次受影响年份", "year", "{rule}"),
    "since": ("years since", "距实施年数", "years", "{year} - first year"),
}


def policy_step(step: PolicyStep, given: Given) -> StepResult:
    """Add the treatment columns of a policy to a panel.

    Parameters
    ----------
    step : PolicyStep
        Policy, rule, timing, places.
    given : Given
        What it works on.

    Raises
    ------
    DataError
        If a list of one's own names no place, or a place twice with different years.
    """
    label = step.name or (step.treatment_columns()["first"] if step.columns and step.columns.first else step.policy)
    name = f"policy {step.name or step.policy}"
    name += f" ({', '.join(step.treatment_columns().values())})" if step.columns else ""
    wanted = [step.place, given.year, *(each for each in (step.province, step.industry) if each)]
    frame = given.data[list(dict.fromkeys(wanted))]
    try:
        cohorts, lost, source = _cohorts(step, given, name)
        result = add_treatment(
            frame,
            cohorts,
            place=step.place,
            year=given.year,
            province=step.province,
            industry=step.industry,
            never=step.never,
        )
    except DataError as error:
        raise DataError(f"{given.where}: {error}") from None
    taken = step.treatment_columns()
    own = {_GIVEN_NAMES[key]: name for key, name in taken.items()}
    columns = result.data[list(own)].rename(columns=own)
    if PLACE_CODE not in given.data.columns:
        columns[PLACE_CODE] = result.data[PLACE_CODE]
    ever, post = result.data[_GIVEN_NAMES["ever"]], result.data[_GIVEN_NAMES["post"]]
    unmatched = unmatched_rows(name, step.place, result.unmatched)
    said = f"{name}: {int(ever.sum()):,} of {len(columns):,} rows in a treated place, "
    said += f"{int(post.sum()):,} of them since its first year"
    examples = examples_of(result.unmatched)
    return StepResult(
        step=name,
        said=f"{said}; {examples}" if examples else said,
        columns=columns,
        variables=_variables(step, columns, source, cohorts, given.year),
        reasons={each: _why_missing(columns[each], ever, result.data[PLACE_CODE]) for each in columns.columns},
        joins=(_join_line(step, given, result.data[PLACE_CODE], cohorts),),
        unmatched=pd.concat([unmatched, lost], ignore_index=True),
        notes=notes_of(name, result.assumptions, result.warnings),
        tables={
            f"{label}_cohorts": result.cohorts,
            f"{label}_unused": result.unused,
        },
    )


def _why_missing(column: pd.Series, ever: pd.Series, codes: pd.Series) -> str:
    """Return why values of a column of a policy are missing, with counts."""
    missing = column.isna()
    counts = {
        "place not found": int((missing & codes.isna()).sum()),
        "never treated": int((missing & ever.eq(0)).sum()),
        "industry not named by an incomplete list": int((missing & codes.notna() & ever.isna()).sum()),
    }
    return "; ".join(f"{why}: {count:,}" for why, count in counts.items() if count)


def _cohorts(step: PolicyStep, given: Given, name: str) -> tuple[PolicyCohorts, pd.DataFrame, str]:
    """Return the treated places, those of a list of one's own that are none, and where they come from."""
    nothing = unmatched_rows(name, "", pd.DataFrame(columns=["given", "rows", "reason"]))
    if step.cohorts is None:
        cohorts = policy_cohorts(
            step.policy,  # type: ignore[arg-type]
            rule=step.rule,
            timing=step.timing,
            with_counties=step.with_counties,
            with_unverified=step.with_unverified,
        )
        table = "low_carbon_pilots_by_city" if step.policy == "low_carbon_pilots" else step.policy
        return cohorts, nothing, load_reference(table).source
    own = step.cohorts
    source = given.sources[own.source]
    match = match_prefectures(source.data[own.place])
    years = pd.to_numeric(source.data[own.year]).astype("float64")
    listed = pd.DataFrame({"code": match.codes, "first_treated_year": years, "name": source.data[own.place]}).dropna()
    if listed.empty:
        raise DataError(f"{own.source}: no row of {own.place} is a place with a year")
    different = listed.groupby("code")["first_treated_year"].nunique()
    if (different > 1).any():
        twice = ", ".join(different.index[different > 1][:5])
        raise DataError(f"{own.source}: places with more than one first year: {twice}; keep one row a place")
    first = (
        listed.drop_duplicates("code").sort_values("code", ignore_index=True).astype({"first_treated_year": "int64"})
    )
    words = (f"treated are the places of {own.source} from {own.year} on",)
    lost = unmatched_rows(name, f"{own.source}.{own.place}", match.unmatched)
    cohorts = PolicyCohorts(step.name or OWN, first[["code", "name", "first_treated_year"]], words, ())
    return cohorts, lost, citation_of(source)


def _variables(
    step: PolicyStep, columns: pd.DataFrame, source: str, cohorts: PolicyCohorts, given_year: str
) -> dict[str, Variable]:
    en = (step.name or step.policy if step.policy == OWN else step.policy).replace("_", " ")
    zh = _POLICY_ZH[step.policy]
    rule = "; ".join(cohorts.assumptions)
    found = {}
    for key, name in step.treatment_columns().items():
        label_en, label_zh, unit, formula = _COLUMNS[key]
        text = formula.format(year=given_year, rule=rule) + ("" if key == "first" else f" ({rule})")
        found[name] = Variable(name, f"{en}: {label_en}", f"{zh}：{label_zh}", unit, text, source)
    if PLACE_CODE in columns.columns:
        found[PLACE_CODE] = _place_code(step.place)
    return found


def _place_code(place: str) -> Variable:
    from dataclasses import replace

    known = joined_variables(pd.DataFrame({PLACE_CODE: ["110000"]}))[PLACE_CODE]
    return replace(known, formula=f"prefecture of {place}")


def _join_line(step: PolicyStep, given: Given, codes: pd.Series, cohorts: PolicyCohorts) -> dict[str, Any]:
    """Return the line of the report of joins: rows with a known place; treated places that the panel has."""
    there = set(codes.dropna())
    right = cohorts.data[["code", "name"]].reset_index(drop=True)
    facts = (f"policy {step.name or step.policy}", "many_to_one", f"prefecture of {step.place}", "left")
    left = pd.DataFrame({step.place: given.data[step.place].astype("str")}, index=codes.index)
    return join_report(facts, (left, codes.notna()), (right, right["code"].isin(there)))


def attention_step(step: AttentionStep, given: Given) -> StepResult:
    """Add the attention of the government of each row's place.

    Parameters
    ----------
    step : AttentionStep
        Source, value, places.
    given : Given
        What it works on.

    Raises
    ------
    DataError
        If no row of the source is left, or a place and year has two values.
    """
    name = f"attention {step.name}"
    source = given.sources[step.attention]
    wanted = [step.place, given.year, *([step.province] if step.province else [])]
    try:
        attention = government_attention(
            source.data,
            place=step.source_place,
            year=step.source_year or given.year,
            value=step.value,
            where=step.where,
            name=step.name,
            level=step.level,
        )
        result = add_government_attention(
            given.data[list(dict.fromkeys(wanted))],
            attention,
            place=step.place,
            year=given.year,
            province=step.province,
            lag=step.lag,
            level=step.level,
        )
    except DataError as error:
        raise DataError(f"{given.where}: {error}") from None
    columns = result.data[[step.name, *([PLACE_CODE] if PLACE_CODE not in given.data.columns else [])]]
    counts = "; ".join(f"{row.what}: {row.rows:,}" for row in result.joins.itertuples())
    known = source.variables.get(step.value, Variable(step.value))
    when = f", {step.lag} years before" if step.lag else ""
    variables = {
        step.name: Variable(
            step.name,
            step.label_en or f"Attention of the government{when}",
            step.label_zh or "政府关注度" + (f"（滞后{step.lag}年）" if step.lag else ""),
            step.unit or known.unit,
            f"{step.value} of the work report of the {step.level}{when}",
            step.source or citation_of(source),
        )
    }
    if PLACE_CODE in columns.columns:
        variables[PLACE_CODE] = _place_code(step.place)
    keys = pd.DataFrame({PLACE_CODE: result.data[PLACE_CODE], given.year: given.data[given.year] - step.lag})
    right = attention.data[["place_code", "report_year"]]
    used = set(keys.dropna().itertuples(index=False, name=None))
    is_used = pd.Series(
        [key in used for key in right.itertuples(index=False, name=None)], index=right.index, dtype=bool
    )
    before = f" - {step.lag}" if step.lag else ""
    facts = (step.attention, "many_to_one", f"{step.level} of {step.place}, {given.year}{before}", "left")
    return StepResult(
        step=name,
        said=f"{name}: {counts}",
        columns=columns,
        variables=variables,
        reasons={step.name: "no report of the place and year, or the place is unknown"},
        joins=(join_report(facts, (keys, result.data[step.name].notna()), (right, is_used)),),
        unmatched=pd.concat(
            [
                unmatched_rows(name, step.place, result.unmatched),
                unmatched_rows(name, f"{step.attention}.{step.source_place}", attention.unmatched),
            ],
            ignore_index=True,
        ),
        notes=notes_of(name, result.assumptions, ()),
    )
