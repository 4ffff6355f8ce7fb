"""The kinds of firms' emissions in a panel: apportioned, of the sector, by components, of a vendor, given."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from econometrics.emissions.activities import ActivityOptions
from econometrics.emissions.apportioned import ApportionedEmissions, apportion_co2, apportion_energy
from econometrics.emissions.components import component_emissions
from econometrics.emissions.factors import standard_coal_factor
from econometrics.emissions.sectors import divisions, sector_co2, sector_energy
from econometrics.emissions.vendor import vendor_emissions
from econometrics.panel.joins import join_report
from econometrics.panel.sources import Source
from econometrics.panel.steps.emission_specs import ApportionedStep, ComponentsStep, GivenStep, SectorsStep, VendorStep
from econometrics.panel.steps.names import has_vintage, step_names
from econometrics.panel.steps.result import Given, PanelNote, citation_of, counted, in_unit, notes_of, unmatched_rows
from econometrics.panel.units import conversion_factor
from econometrics.panel.values import read_column
from econometrics.variables import Variable
from shuzhi import DataError

CEADS = "CEADs, sectoral CO2 inventory of China 1997-2019"
YEARBOOK = "China Energy Statistical Yearbook"


@dataclass
class Emissions:
    """New columns without prefix, and what is said of them."""

    columns: pd.DataFrame
    source: str
    formula: str
    reasons: str = ""
    by_column: dict[str, str] = field(default_factory=dict)
    said: str = ""
    joins: list[dict[str, Any]] = field(default_factory=list)
    unmatched: list[pd.DataFrame] = field(default_factory=list)
    notes: list[PanelNote] = field(default_factory=list)
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)


def _firms(given: Given, industry: str, cost: str = "") -> pd.DataFrame:
    """Return keys, industry and cost in yuan under the names that the functions of emissions use."""
    data = given.data
    frame = pd.DataFrame({given.firm: data[given.firm], given.year: data[given.year], "industry_code": data[industry]})
    frame["industry_code"] = frame["industry_code"].astype("str")
    if cost:
        frame["operating_cost_yuan"] = in_unit(data[cost], given.variables, "", "yuan", given.where, "")
    return frame


def apportioned(step: ApportionedStep, given: Given, name: str) -> Emissions:
    """Return the emissions of industries, apportioned to firms by their share of the cost."""
    source = given.sources[step.industries]
    year = step.industry_year or given.year
    industries = pd.DataFrame(
        {"industry_code": source.data[step.industry_column].astype("str"), given.year: source.data[year]}
    )
    where = f"{given.where}: {step.industries}"
    industries["industry_cost"] = in_unit(
        source.data[step.industry_cost],
        source.variables,
        step.industry_cost_unit,
        "yuan",
        where,
        " or industry_cost_unit:",
    )
    if "vintage" in source.data.columns:
        industries["vintage"] = source.data["vintage"]
    industries = industries.dropna(subset=[given.year])
    firms = _firms(given, step.industry, step.cost)
    keys: dict[str, Any] = {"industry_cost_unit": "yuan", "scheme": step.scheme, "firm": given.firm, "year": given.year}
    sectors = _own_sectors(step, given) if step.sectors else None
    if step.by == "co2":
        result = apportion_co2(firms, industries, sectors=sectors, **keys)
        origin = citation_of(given.sources[step.sectors]) if step.sectors else CEADS
        factor = "industry_co2_tonnes"
    else:
        if step.energy:
            industries["energy"] = source.data[step.energy]
            keys["energy_unit"] = _energy_unit(step, source, where)
        elif step.energy_table:
            sectors = sector_energy(concept=step.energy_table).data
        result = apportion_energy(firms, industries, sectors=sectors, factor=step.factor, **keys)
        origin = citation_of(source) if step.energy else YEARBOOK if step.energy_table else str(step.sectors)
        factor = f"industry energy x {standard_coal_factor(step.factor).describe()}"
    made = Emissions(
        result.data, "; ".join(dict.fromkeys((citation_of(source), origin))), f"{step.cost} / industry cost x {factor}"
    )
    if not has_vintage(step):
        made.columns = made.columns.drop(columns="vintage", errors="ignore")
    _tell_apportioned(step, given, result, made, name)
    made.joins.append(_apportion_line(step, given, firms, industries, result))
    return made


def _own_sectors(step: ApportionedStep, given: Given) -> pd.DataFrame:
    """Return a table of sectors of one's own, in the unit that the name of its column says."""
    source = given.sources[str(step.sectors)]
    column, unit = ("energy_tce", "tce") if step.by == "energy" else ("co2_tonnes", "tonne")
    own = source.variables[column].unit if column in source.variables else ""
    where = f"{given.where}: {step.sectors}"
    values = in_unit(source.data[column], source.variables, "" if own else unit, unit, where, "")
    return source.data.assign(**{column: values}).rename(columns={given.year: "report_year"})


def _energy_unit(step: ApportionedStep, source: Source, where: str) -> str:
    own = source.variables[str(step.energy)].unit if step.energy in source.variables else ""
    if not (step.energy_unit or own):
        raise DataError(f"{where}: {step.energy} has no unit; say energy_unit:, such as 10^4 tce (of standard coal)")
    return step.energy_unit or own


def _tell_apportioned(
    step: ApportionedStep, given: Given, result: ApportionedEmissions, made: Emissions, name: str
) -> None:
    lost = result.data["co2_tonnes"].isna()
    label = given.data[step.industry].astype("str").fillna("(missing)") + " " + given.data[given.year].astype("str")
    made.unmatched.append(
        unmatched_rows(name, step.industry, counted(label[lost], result.data.loc[lost, "co2_reason"]))
    )
    reasons = result.data.loc[lost, "co2_reason"].value_counts().sort_index()
    made.reasons = "; ".join(f"{reason}: {count:,}" for reason, count in reasons.items())
    made.by_column["co2_reason"] = "there is a value"
    warnings = [each.replace("see frame", f"see {step.prefix}industry_years") for each in result.warnings]
    made.notes += notes_of(name, result.assumptions, warnings)
    made.tables["industry_years"] = result.frame
    above = len(result.above_industry)
    if above:
        made.said = f"; the listed firms exceed their industry in {above} industry-years"


def _apportion_line(
    step: ApportionedStep,
    given: Given,
    firms: pd.DataFrame,
    industries: pd.DataFrame,
    result: ApportionedEmissions,
) -> dict[str, Any]:
    """Return the line of the report of joins: by division and year."""
    left = pd.DataFrame({"division": result.data["division"], given.year: firms[given.year]})
    right = pd.DataFrame({"division": divisions(industries["industry_code"], step.scheme)})
    right[given.year] = industries[given.year]
    right = right.reset_index(drop=True)
    pairs = set(left.dropna().itertuples(index=False, name=None))
    there = set(right.dropna().itertuples(index=False, name=None))
    is_left = pd.Series([key in there for key in left.itertuples(index=False, name=None)], index=left.index)
    is_right = pd.Series([key in pairs for key in right.itertuples(index=False, name=None)], index=right.index)
    facts = (step.industries, "many_to_one", f"division of {step.industry}, {given.year}", "left")
    return join_report(facts, (left, is_left), (right, is_right))


def sectors(step: SectorsStep, given: Given, name: str) -> Emissions:
    """Return the emissions or the energy of each firm's sector."""
    table = sector_co2() if step.of == "co2" else sector_energy(concept=step.concept)
    value = "co2_tonnes" if step.of == "co2" else "energy_tce"
    column = f"industry_{value}"
    division = divisions(given.data[step.industry].astype("str"))
    years = pd.Series(step.sector_year, index=division.index) if step.sector_year else given.data[given.year]
    keys = pd.DataFrame({"division": division, "report_year": years}, index=division.index)
    lookup = table.data.set_index(["division", "report_year"])
    rows = pd.MultiIndex.from_frame(keys)
    if step.sector_year is not None and step.sector_year not in set(table.data["report_year"]):
        known = sorted(int(year) for year in table.data["report_year"].unique())
        raise DataError(f"sector_year: there is no {step.sector_year}; the years are {', '.join(map(str, known))}")
    columns = pd.DataFrame(
        {
            "division": division,
            column: lookup[value].reindex(rows).to_numpy(),
            "vintage": lookup["vintage"].astype("object").reindex(rows).to_numpy(),
        },
        index=division.index,
    ).astype({"vintage": "str"})
    lost = columns[column].isna()
    reason = pd.Series("no value of the sector in the year", index=division.index, dtype="str")
    reason = reason.mask(division.isna(), "the industry is no division of mining, manufacturing or utilities")
    reason = reason.mask(given.data[step.industry].isna(), "the industry is missing")
    when = f"in {step.sector_year}, for all years" if step.sector_year else "in the year"
    made = Emissions(columns, CEADS if step.of == "co2" else YEARBOOK, f"of the sector of {step.industry} {when}")
    made.unmatched.append(
        unmatched_rows(name, step.industry, counted(given.data.loc[lost, step.industry], reason[lost]))
    )
    made.reasons = "; ".join(f"{why}: {count:,}" for why, count in reason[lost].value_counts().sort_index().items())
    made.notes += notes_of(name, table.assumptions, table.warnings)
    wanted = {step.sector_year} if step.sector_year else set(given.data[given.year].dropna())
    right = table.data.loc[table.data["report_year"].isin(wanted), ["division", "report_year"]].reset_index(drop=True)
    used = set(keys.dropna().itertuples(index=False, name=None))
    is_used = pd.Series(
        [key in used for key in right.itertuples(index=False, name=None)], index=right.index, dtype=bool
    )
    facts = (
        f"sector {step.of}",
        "many_to_one",
        f"division of {step.industry}, year {step.sector_year or ''}".strip(),
        "left",
    )
    made.joins.append(join_report(facts, (keys, ~lost), (right, is_used)))
    return made


def components(step: ComponentsStep, given: Given, name: str) -> Emissions:
    """Return emissions added up from activities, in four components."""
    source = given.sources[step.activities]
    firms = _firms(given, step.industry)
    if step.province:
        firms["province"] = given.data[step.province]
    if step.scale:
        firms["scale"] = pd.to_numeric(given.data[step.scale]).astype("float64")
    keys = [given.firm, given.year]
    wanted = [*keys, "activity", "amount", "unit", *(each for each in ("factor", "component") if each in source.data)]
    activities = source.data[wanted]
    pairs = set(firms[keys].itertuples(index=False, name=None))
    is_known = pd.Series(
        [key in pairs for key in activities[keys].itertuples(index=False, name=None)],
        index=activities.index,
        dtype=bool,
    )
    options = ActivityOptions(
        step.fuel_set,
        step.grid_level,
        step.year_rule,
        step.gwp,
        step.wastewater_treatment,
        step.forest_carbon_tonnes_per_ha,
    )
    result = component_emissions(
        firms,
        activities[is_known],
        firm=given.firm,
        year=given.year,
        province="province" if step.province else None,
        options=options,
        imputation=step.imputation,
        scale="scale" if step.scale else None,
        smallest_group=step.smallest_group,
        total=step.total,
    )
    made = Emissions(result.data, citation_of(source), "sum of the four components")
    basis = "; ".join(
        f"{row.component} measured {row.measured:,}, imputed {row.imputed:,}, missing {row.missing:,}"
        for row in result.basis.itertuples()
    )
    made.reasons = basis
    outside = activities[~is_known]
    label = outside[given.firm].astype("str") + " " + outside[given.year].astype("str")
    not_there = pd.Series("an activity of a firm-year that is not in the panel", index=outside.index, dtype="str")
    made.unmatched.append(unmatched_rows(name, step.activities, counted(label, not_there)))
    problems = result.problems.assign(given="(activities)")
    made.unmatched.append(unmatched_rows(name, step.activities, problems))
    made.notes += notes_of(name, result.assumptions, result.warnings)
    made.tables |= {"activities": result.activities, "components": result.basis}
    measured = set(activities[is_known][keys].itertuples(index=False, name=None))
    is_left = pd.Series([key in measured for key in firms[keys].itertuples(index=False, name=None)], index=firms.index)
    facts = (step.activities, "one_to_many, added up", ", ".join(keys), "left")
    made.joins.append(join_report(facts, (firms[keys], is_left), (activities[keys], is_known)))
    return made


def vendor(step: VendorStep, given: Given, name: str) -> Emissions:
    """Return a vendor's emissions on the firm-years of the panel."""
    source = given.sources[step.vendor]
    firm, year = step.firm_column or given.firm, step.year_column or given.year
    firm_kind = "stock_code" if given.firm == "stock_code" else "text"
    table = source.data.drop(columns=[firm, year])
    printed = {each: known.unit for each in table.columns if (known := source.variables.get(str(each))) and known.unit}
    other = sorted(
        f"{each} ({unit})" for each, unit in printed.items() if _tonnes(unit) not in (None, _tonnes(step.unit))
    )
    if other:
        raise DataError(f"{step.vendor}: {', '.join(other)} is not in {step.unit}; say unit:")
    result = vendor_emissions(table, columns=step.columns or None, unit=step.unit, tolerance=step.tolerance)
    columns = step_names(step, given.firm, given.year).added
    wanted = [each.removeprefix(step.prefix) for each in columns]
    found = result.data.reindex(columns=[each for each in wanted if not each.startswith("ln")])
    keys = pd.DataFrame(
        {
            given.firm: read_column(source.data[firm], firm_kind).values,
            given.year: read_column(source.data[year], "year").values,
        }
    )
    complete = keys.notna().all(axis=1)
    twice = keys[complete & keys.duplicated(keep=False)]
    if len(twice):
        first = twice.iloc[0]
        raise DataError(
            f"{step.vendor}: {len(twice):,} rows share {firm} and {year}, such as {first.iloc[0]} {first.iloc[1]}; "
            "keep one row of each with filters:"
        )
    # A vendor's file counts as zero nothing: what is not in it stays missing.
    lookup = pd.concat([keys, found], axis=1)[complete].astype({given.year: "int64"})
    left = given.data[[given.firm, given.year]]
    merged = left.astype({given.year: "int64"}).merge(
        lookup.assign(_there=True), on=[given.firm, given.year], how="left"
    )
    merged.index = left.index
    is_left = merged["_there"].eq(True).fillna(False).astype(bool)
    pairs = set(left.itertuples(index=False, name=None))
    is_right = pd.Series([key in pairs for key in keys.itertuples(index=False, name=None)], index=keys.index)
    made = Emissions(
        merged.drop(columns=[given.firm, given.year, "_there"]).astype("float64"),
        citation_of(source),
        f"as {step.vendor} gives it, in {step.unit}",
    )
    facts = (step.vendor, "one_to_one", f"{given.firm}, {given.year}", "left")
    made.joins.append(join_report(facts, (left, is_left), (keys, is_right)))
    missing = {
        "not in the file": int((~is_left).sum()),
        "no total in the file": int((is_left & merged["co2_tonnes"].isna()).sum()),
    }
    made.reasons = "; ".join(f"{why}: {count:,}" for why, count in missing.items() if count)
    # That the file has no components matters to those who ask for them.
    warnings = [each for each in result.warnings if step.components or not each.startswith("the file has no column")]
    made.notes += notes_of(
        name, (), [each.replace("see disag", f"see {step.prefix or 'vendor_'}disag") for each in warnings]
    )
    kind = "" if step.prefix else "vendor_"
    made.tables |= {f"{kind}columns": result.columns, f"{kind}checks": result.checks}
    if len(result.disagreements):
        listed = result.disagreements
        shown = ["co2_tonnes", "co2_components_tonnes", "difference_share"]
        made.tables[f"{kind}disagreements"] = pd.concat([keys.loc[listed.index], listed[shown]], axis=1)
    return made


def _tonnes(unit: str) -> float | None:
    """Return how many tonnes a printed unit is; None where it is none of mass."""
    names = {"10^4 t": "10^4 tonne", "10^6 t": "10^6 tonne", "t": "tonne"}
    try:
        return conversion_factor(names.get(unit, unit), "tonne")
    except DataError:
        return None


def given_column(step: GivenStep, given: Given) -> Emissions:
    """Return emissions that the panel has already, in tonnes."""
    tonnes = in_unit(given.data[step.co2], given.variables, step.unit, "tonne", given.where, " or unit:")
    known = given.variables.get(step.co2, Variable(step.co2))
    made = Emissions(pd.DataFrame({"co2_tonnes": tonnes}), known.source, step.co2)
    missing = int(tonnes.isna().sum())
    made.reasons = f"{step.co2} missing: {missing:,}" if missing else ""
    return made
