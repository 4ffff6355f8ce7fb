"""Firms' emissions in a panel, with their intensities, and with what an apportioned intensity can vary with."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd

from econometrics.emissions.decomposition import ApportionmentDecomposition, apportionment_decomposition
from econometrics.emissions.intensity import emission_intensities
from econometrics.emissions.sectors import divisions
from econometrics.panel.steps.emission_kinds import Emissions, apportioned, components, given_column, sectors, vendor
from econometrics.panel.steps.emission_specs import (
    ApportionedStep,
    ComponentsStep,
    EmissionsStep,
    GivenStep,
    SectorsStep,
    VendorStep,
)
from econometrics.panel.steps.names import intensity_columns, step_names
from econometrics.panel.steps.result import Given, PanelNote, StepResult, in_unit, notes_of, prefixed
from econometrics.panel.steps.variables import joined_variables
from econometrics.variables import Variable
from shuzhi import DataError

_KINDS_ZH = {
    "apportioned": "分摊",
    "sectors": "行业",
    "components": "分项核算",
    "vendor": "数据商",
    "given": "已有",
}


EmissionKinds = ApportionedStep | SectorsStep | ComponentsStep | VendorStep | GivenStep


def emissions_step(step: EmissionKinds, given: Given) -> StepResult:
    """Add emissions to a panel.

    Parameters
    ----------
    step : ApportionedStep, SectorsStep, ComponentsStep, VendorStep or GivenStep
        Kind, sources and units.
    given : Given
        What it works on.

    Raises
    ------
    DataError
        If a unit is unknown or cannot be right, a source lacks a column, or its keys repeat.
    """
    name = f"emissions {step.emissions}" + (f" ({step.prefix})" if step.prefix else "")
    try:
        match step:
            case ApportionedStep():
                made = apportioned(step, given, name)
            case SectorsStep():
                made = sectors(step, given, name)
            case ComponentsStep():
                made = components(step, given, name)
            case VendorStep():
                made = vendor(step, given, name)
            case GivenStep():
                made = given_column(step, given)
        if not isinstance(step, SectorsStep):
            _intensities(step, given, made, name)
    except DataError as error:
        text = str(error)
        raise DataError(text if text.startswith(given.where) else f"{given.where}: {text}") from None
    return _result(step, given, made, name)


def _new_name(step: EmissionKinds, column: str) -> str:
    """Return the name of a column in the panel."""
    is_value = column in ("industry_co2_tonnes", "industry_energy_tce")
    return step.name if isinstance(step, SectorsStep) and step.name and is_value else step.prefix + column


def _result(step: EmissionKinds, given: Given, made: Emissions, name: str) -> StepResult:
    wanted = step_names(step, given.firm, given.year).added
    plain = made.columns[[each for each in made.columns.columns if _new_name(step, str(each)) in wanted]]
    known = joined_variables(plain)
    main = "co2_tonnes" if "co2_tonnes" in made.columns else "industry_co2_tonnes"
    if main in known:
        known[main] = replace(known[main], formula=made.formula or known[main].formula)
    if "industry_energy_tce" in plain.columns:
        words = ("Energy of the industry", "行业能源消费量", "tce", made.formula)
        known["industry_energy_tce"] = Variable("industry_energy_tce", *words)
    if step.prefix:
        zh = _KINDS_ZH[step.emissions]
        for each, variable in known.items():
            labels = (f"{variable.label_en} ({step.emissions})", f"{variable.label_zh}（{zh}）")
            known[each] = replace(variable, label_en=labels[0], label_zh=labels[1])
    if not isinstance(step, SectorsStep) and step.intensities:
        for kind, column in step.intensities.given().items():
            for each, variable in known.items():
                if each.endswith(f"_{kind}"):
                    formula = variable.formula.replace(f"({kind} /", f"({column} /")
                    known[each] = replace(variable, formula=formula)
    columns, variables = prefixed(plain, known, step.prefix, made.source)
    if isinstance(step, SectorsStep) and step.name:
        usual = step.prefix + main if main in plain.columns else f"{step.prefix}industry_energy_tce"
        columns = columns.rename(columns={usual: step.name})
        variables[step.name] = replace(variables.pop(usual), name=step.name)
    value = next(each for each in ("co2_tonnes", "industry_co2_tonnes", "industry_energy_tce") if each in made.columns)
    there = int(made.columns[value].notna().sum())
    said = f"{name}: {there:,} of {len(plain):,} rows with a value{made.said}"
    empty = pd.DataFrame(columns=["step", "column", "given", "rows", "reason"])
    return StepResult(
        step=name,
        said=f"{said} ({made.reasons})" if made.reasons else said,
        columns=columns,
        variables=variables,
        reasons={_new_name(step, str(each)): made.by_column.get(str(each), made.reasons) for each in plain.columns},
        joins=tuple(made.joins),
        unmatched=pd.concat(made.unmatched, ignore_index=True) if made.unmatched else empty,
        notes=tuple(made.notes),
        tables={step.prefix + key: table for key, table in made.tables.items()},
        texts={step.prefix + key: text for key, text in made.texts.items()},
    )


def _intensities(step: EmissionsStep, given: Given, made: Emissions, name: str) -> None:
    """Add intensities, and say what an apportioned one can vary with."""
    if step.intensities is None:
        return
    base = pd.DataFrame({"co2_tonnes": made.columns["co2_tonnes"]})
    denominators: dict[str, Any] = {"revenue": None, "assets": None, "output": None}
    for kind, column in step.intensities.given().items():
        base[kind] = in_unit(given.data[column], given.variables, "", "yuan", given.where, "")
        denominators[kind] = kind
    result = emission_intensities(base, per=step.intensities.per, **denominators)
    new = intensity_columns(step)
    made.columns = made.columns.drop(columns=new, errors="ignore").join(result.data[new])
    made.notes += notes_of(name, (), result.warnings)
    made.tables["intensities"] = result.columns
    for row in result.undefined.itertuples():
        said = made.by_column.get(str(row.column), "")
        words = f"{row.reason}: {row.rows:,}"
        made.by_column[str(row.column)] = f"{said}; {words}" if said else words
    for each in new:
        # The logs lack what the intensity lacks, and their own.
        plain = each.removeprefix("ln_").removeprefix("ln1p_")
        inherited = made.by_column.get(plain, "") if plain != each else ""
        own = made.by_column.get(each, "") if plain != each else ""
        if plain not in {each, "co2_tonnes"}:
            made.by_column[each] = "; ".join(text for text in (inherited, own) if text)
    undefined = [f"{row.column}: {row.reason}: {row.rows:,}" for row in result.undefined.itertuples()]
    made.texts["intensities"] = "\n".join([result.summary(), *undefined])
    is_apportioned = isinstance(step, ApportionedStep)
    if step.intensities.revenue and (is_apportioned or step.decomposition):
        try:
            _decompose(step, given, made, base["revenue"], name)
        except DataError as error:
            # Nobody asked for it: that it cannot be computed is said, and the panel goes on.
            if step.decomposition:
                raise
            made.notes += notes_of(name, (), (f"the intensity was not decomposed: {error}",))


def _decompose(step: EmissionsStep, given: Given, made: Emissions, revenue: pd.Series, name: str) -> None:
    asked = step.decomposition
    assert step.intensities is not None
    cost = (asked.cost if asked else None) or (step.cost if isinstance(step, ApportionedStep) else "")
    industry = (asked.industry if asked else None) or ""
    intensity = next(
        each for each in intensity_columns(step) if each.endswith("_revenue") and not each.startswith("ln")
    )
    frame = given.data[list(dict.fromkeys([given.firm, given.year, *_effects(asked)]))].copy()
    frame["_intensity"] = made.columns[intensity]
    frame["_industry"] = divisions(given.data[industry].astype("str")) if industry else made.columns["division"]
    frame["_cost"] = in_unit(given.data[str(cost)], given.variables, "", "yuan", given.where, "")
    frame["_revenue"] = revenue
    result: ApportionmentDecomposition = apportionment_decomposition(
        frame,
        intensity="_intensity",
        industry="_industry",
        year=given.year,
        cost="_cost",
        revenue="_revenue",
        fixed_effects=asked.fixed_effects if asked else (),
    )
    made.notes.append(PanelNote("decomposition", name, result.sentence("zh"), result.sentence("en")))
    made.tables["decomposition"] = result.table
    made.texts["decomposition"] = "\n".join([result.sentence("zh"), "", result.summary()])


def _effects(asked: Any) -> list[str]:
    return [part for each in asked.fixed_effects for part in each.split("^")] if asked else []
