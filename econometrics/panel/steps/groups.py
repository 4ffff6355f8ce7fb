"""Groups and instruments in a panel: polluting industries, energy structure, size, any cut, means of the others."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from econometrics.emissions.sectors import divisions
from econometrics.instrument.ready import lagged, leave_one_out_mean
from econometrics.panel.joins import join_report
from econometrics.panel.steps.emission_kinds import YEARBOOK
from econometrics.panel.steps.result import (
    Given,
    StepResult,
    citation_of,
    examples_of,
    in_unit,
    notes_of,
    prefixed,
    unmatched_rows,
)
from econometrics.panel.steps.specs import (
    CutStep,
    EnergyStructureStep,
    IndustryGroupsStep,
    InstrumentStep,
    SizeGroupsStep,
)
from econometrics.panel.steps.variables import joined_variables
from econometrics.policies.cuts import cut_groups
from econometrics.policies.industry_groups import (
    PLAUSIBLE_MARKET_VALUE,
    GroupedPanel,
    add_energy_structure,
    add_industry_groups,
    add_size_groups,
    sector_energy_intensity,
)
from econometrics.variables import Variable
from shuzhi import DataError

GroupStep = IndustryGroupsStep | EnergyStructureStep | SizeGroupsStep | CutStep | InstrumentStep


def group_step(step: GroupStep, given: Given) -> StepResult:
    """Add columns that put rows into groups, or instruments made of the panel.

    Parameters
    ----------
    step : IndustryGroupsStep, EnergyStructureStep, SizeGroupsStep, CutStep or InstrumentStep
        What is added.
    given : Given
        What it works on.

    Raises
    ------
    DataError
        If a column holds the wrong kind of values, a unit cannot be right, or a code of one's own is none.
    """
    try:
        match step:
            case IndustryGroupsStep():
                return _industry_groups(step, given)
            case EnergyStructureStep():
                return _energy_structure(step, given)
            case SizeGroupsStep():
                return _size_groups(step, given)
            case CutStep():
                return _cut(step, given)
            case InstrumentStep():
                return _instrument(step, given)
    except DataError as error:
        text = str(error)
        raise DataError(text if text.startswith(given.where) else f"{given.where}: {text}") from None


def _grouped(
    name: str, column: str, result: GroupedPanel, added: tuple[pd.DataFrame, Mapping[str, Variable]], table: str
) -> StepResult:
    """Return the result of a function of groups as that of a step."""
    columns, variables = added
    sizes = "; ".join(f"{each} {_sizes(rows)}" for each, rows in result.groups.groupby("column", sort=False))
    examples = examples_of(result.unmatched)
    return StepResult(
        step=name,
        said=f"{name}: {sizes}" + (f"; {examples}" if examples else ""),
        columns=columns,
        variables=dict(variables),
        reasons=dict.fromkeys(columns.columns, examples),
        unmatched=unmatched_rows(name, column, result.unmatched),
        notes=notes_of(name, result.assumptions, result.warnings),
        tables={table: result.groups},
    )


def _sizes(groups: pd.DataFrame) -> str:
    """Return groups and their rows in words; 1.0 of a dummy is 1."""
    pairs = zip(groups["group"].str.removesuffix(".0"), groups["rows"], strict=True)
    return ", ".join(f"{group} {rows:,}" for group, rows in pairs)


def _industry_groups(step: IndustryGroupsStep, given: Given) -> StepResult:
    column = step.industry_groups
    frame = pd.DataFrame({column: given.data[column].astype("str")})
    result = add_industry_groups(
        frame, industry=column, heavy_pollution=step.heavy_pollution, high_energy=step.high_energy
    )
    new = result.data[list(result.columns)]
    known = joined_variables(new)
    for name, words in zip(result.columns, result.assumptions, strict=True):
        known[name] = _described(known[name], words.partition(": ")[2])
    added = prefixed(new, known, step.prefix, "industry_groups")
    return _grouped(f"industry groups of {column}", column, result, added, f"{step.prefix}industry_groups")


def _described(variable: Variable, formula: str) -> Variable:
    from dataclasses import replace

    return replace(variable, formula=formula)


def _energy_structure(step: EnergyStructureStep, given: Given) -> StepResult:
    column = step.energy_structure
    frame = pd.DataFrame({column: given.data[column].astype("str")})
    result = add_energy_structure(
        frame, industry=column, shares=step.shares, structure_year=step.structure_year, cut=step.at
    )
    new = result.data[list(result.columns)]
    known = joined_variables(new)
    for name in list(known):
        words = f"of the division of {column} in {step.structure_year}"
        known[name] = _described(known[name], words if not name.endswith("_group") else f"{name[:-6]} cut at {step.at}")
    joins = []
    if step.intensity is not None:
        table, source = _sector_intensity(step, given)
        keys = pd.DataFrame({"division": divisions(frame[column]), given.year: given.data[given.year]})
        merged = keys.merge(table, on=["division", given.year], how="left")
        merged.index = keys.index
        new = new.join(merged[["tce_per_10k_yuan", "energy_intensity_group"]])
        formula = f"energy of the division / {step.intensity.output}"
        labels = ("Energy of the industry by output", "行业单位产出能耗")
        known["tce_per_10k_yuan"] = Variable("tce_per_10k_yuan", *labels, "tce per 10^4 yuan", formula, source)
        group = (
            "Energy intensity of the industry, group",
            "行业能耗强度分组",
            "",
            f"cut at {step.intensity.at}",
            source,
        )
        known["energy_intensity_group"] = Variable("energy_intensity_group", *group)
        used = set(keys.dropna().itertuples(index=False, name=None))
        right = table[["division", given.year]]
        is_used = pd.Series([key in used for key in right.itertuples(index=False, name=None)], index=right.index)
        facts = (step.intensity.industries, "many_to_one", f"division of {column}, {given.year}", "left")
        joins.append(join_report(facts, (keys, merged["tce_per_10k_yuan"].notna()), (right, is_used)))
    added = prefixed(new, known, step.prefix, YEARBOOK)
    made = _grouped(f"energy structure of {column}", column, result, added, f"{step.prefix}energy_structure")
    return _with_joins(made, joins)


def _with_joins(made: StepResult, joins: list[dict[str, object]]) -> StepResult:
    from dataclasses import replace

    return replace(made, joins=tuple(joins))


def _sector_intensity(step: EnergyStructureStep, given: Given) -> tuple[pd.DataFrame, str]:
    """Return energy by output of the divisions, and where the output comes from."""
    each = step.intensity
    assert each is not None
    source = given.sources[each.industries]
    where = f"{given.where}: {each.industries}"
    table = pd.DataFrame(
        {
            "industry_code": source.data[each.industry].astype("str"),
            given.year: source.data[each.year or given.year],
            "output": in_unit(source.data[each.output], source.variables, each.unit, "yuan", where, " or unit:"),
        }
    )
    found = sector_energy_intensity(
        table.dropna(subset=[given.year]),
        output="output",
        unit="yuan",
        year=given.year,
        scheme=each.scheme,
        concept=each.concept,
        cut=each.at,
    )
    return found, f"{YEARBOOK}; {citation_of(source)}"


def _size_groups(step: SizeGroupsStep, given: Given) -> StepResult:
    column = step.size_groups
    yuan = in_unit(given.data[column], given.variables, step.unit, "yuan", given.where, " or unit:")
    frame = given.data[list(dict.fromkeys([column, *step.within]))].assign(**{column: yuan})
    result = add_size_groups(
        frame,
        column=column,
        cut=step.at,
        labels=step.labels,
        within=step.within,
        plausible=PLAUSIBLE_MARKET_VALUE if step.check_magnitude else None,
    )
    new = result.data[["size_group"]].rename(columns={"size_group": step.name})
    at = step.at if isinstance(step.at, str) else ", ".join(f"{each:g}" for each in step.at) + " yuan"
    within = f" within {', '.join(step.within)}" if step.within else ""
    source = given.variables[column].source if column in given.variables else ""
    variable = Variable(step.name, "Size group", "规模分组", "", f"{column} cut at {at}{within}", source)
    return _grouped(f"size groups of {column}", column, result, (new, {step.name: variable}), step.name)


def _cut(step: CutStep, given: Given) -> StepResult:
    values = given.data[step.cut]
    if not pd.api.types.is_numeric_dtype(values.dtype):
        raise DataError(f"{step.cut} holds text; only numbers are cut")
    target = step.name or f"{step.cut}_group"
    if step.within and not isinstance(step.at, str):
        raise DataError("within: goes with quantiles (median, terciles, quartiles), not with fixed cuts")
    if step.within:
        keys = [given.data[name] for name in step.within]
        parts = [cut_groups(part, step.at, labels=step.labels) for _, part in values.groupby(keys, sort=True)]
        found = pd.concat(parts).reindex(values.index) if parts else pd.Series(index=values.index, dtype="str")
    else:
        found = cut_groups(values, step.at, labels=step.labels)
    columns = pd.DataFrame({target: found.astype("str")})
    sizes = ", ".join(f"{group} {count:,}" for group, count in found.value_counts().sort_index().items())
    at = step.at if isinstance(step.at, str) else ", ".join(f"{each:g}" for each in step.at)
    within = f" within {', '.join(step.within)}" if step.within else ""
    known = given.variables.get(step.cut, Variable(step.cut))
    label_zh = f"{known.label_zh}分组" if known.label_zh else ""
    label_en = f"{known.label_en}, group" if known.label_en else ""
    variable = Variable(target, label_en, label_zh, "", f"{step.cut} cut at {at}{within}", known.source)
    missing = int(found.isna().sum())
    return StepResult(
        step=f"cut of {step.cut}",
        said=f"cut of {step.cut} at {at}{within}: {sizes}" + (f", missing {missing:,}" if missing else ""),
        columns=columns,
        variables={target: variable},
        reasons={target: f"{step.cut} missing: {int(values.isna().sum()):,}"},
    )


def _instrument(step: InstrumentStep, given: Given) -> StepResult:
    column, target = step.instrument, step.column()
    known = given.variables.get(column, Variable(column))
    label_en, label_zh = known.label_en or column, known.label_zh or column
    if step.kind == "lag":
        values = lagged(given.data, column, step.years, firm=given.firm, year=given.year)
        formula = f"{column} of the same firm {step.years} years before"
        words = (f"{label_en}, {step.years} years before", f"{label_zh}（滞后{step.years}年）")
        because = f"no row of the firm {step.years} years before, or no value in it"
    else:
        values = leave_one_out_mean(given.data, column, step.groups, firm=given.firm)
        formula = f"mean of {column} over the other firms of the same {', '.join(step.groups)}"
        words = (f"{label_en}, mean of the other firms", f"{label_zh}（同组其他企业均值）")
        because = "no other firm with a value in the group, or a key is missing"
    columns = pd.DataFrame({target: values.to_numpy()}, index=given.data.index)
    if not pd.api.types.is_numeric_dtype(values.dtype):
        columns[target] = values.array
    variable = Variable(
        target,
        step.label_en or words[0],
        step.label_zh or words[1],
        step.unit or known.unit,
        formula,
        step.source or known.source,
    )
    there = int(values.notna().sum())
    return StepResult(
        step=f"instrument {target}",
        said=f"instrument {target}: {there:,} of {len(values):,} rows with a value",
        columns=columns,
        variables={target: variable},
        reasons={target: because},
    )
