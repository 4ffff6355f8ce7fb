"""What the steps of clusters, emissions, policies and groups need and add, by name, known before any work."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError

from econometrics.declarations.yaml_lines import Place, Problem, nearest
from econometrics.emissions.intensity import UNIT_WORDS
from econometrics.emissions.vendor import COMPONENTS
from econometrics.panel.steps.cluster_specs import ClusterMapSpec, ClustersStep
from econometrics.panel.steps.emission_specs import (
    ApportionedStep,
    ComponentsStep,
    EmissionsStep,
    GivenStep,
    SectorsStep,
    VendorStep,
)
from econometrics.panel.steps.specs import (
    AttentionStep,
    CutStep,
    DataStep,
    EnergyStructureStep,
    IndustryGroupsStep,
    InstrumentStep,
    PolicyStep,
    SizeGroupsStep,
)

CLUSTER_COLUMNS = (
    "cluster_year",
    "cluster_place",
    "cluster_industry",
    "is_cluster",
    "cluster_size",
    "cluster_strength",
    "cluster_candidates",
    "cluster_match",
)
PLACE_CODE = "place_code"
# Options of the methods that are tables, with the columns that a source must have for them.
TABLE_OPTIONS: dict[str, tuple[str, ...]] = {
    "area": ("place", "area_km2"),
    "groups": ("industry", "group"),
    "relatedness": ("industry", "other_industry", "relatedness"),
    "proximity": ("industry", "other_industry", "proximity"),
}
# What the step itself decides.
_NO_OPTIONS = ("place", "industry", "year", "longitude", "latitude", "threads")


@dataclass
class StepNames:
    """Names that a step needs of the panel and of sources, and those that it adds.

    Parameters
    ----------
    panel : list of (str, list of str)
        By key of the step, the columns of the panel.
    sources : list of (str, str, list of str)
        By key of the step, a source and its columns.
    added : list of str
        New columns.
    kept : list of str
        Columns that are added unless they are there already.
    """

    panel: list[tuple[str, list[str]]] = field(default_factory=list)
    sources: list[tuple[str, str, list[str]]] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)


def step_names(step: DataStep, firm: str, year: str) -> StepNames:
    """Return what a step needs and adds.

    Parameters
    ----------
    step : DataStep
        The step.
    firm, year : str
        Keys of the panel.
    """
    match step:
        case ClustersStep():
            return _clusters(step)
        case SectorsStep():
            usual = "industry_co2_tonnes" if step.of == "co2" else "industry_energy_tce"
            added = [f"{step.prefix}division", step.name or step.prefix + usual, f"{step.prefix}vintage"]
            return StepNames([("industry", [step.industry])], added=added)
        case ApportionedStep() | ComponentsStep() | VendorStep() | GivenStep():
            return _emissions(step, firm, year)
        case PolicyStep():
            return _policy(step)
        case AttentionStep():
            wanted = [step.source_place, step.source_year or year, step.value, *step.where]
            panel = [("place", [step.place]), *([("province", [step.province])] if step.province else [])]
            return StepNames(panel, [("attention", step.attention, wanted)], [step.name], [PLACE_CODE])
        case _:
            return _groups(step, year)


def _clusters(step: ClustersStep) -> StepNames:
    names = StepNames([("attach", [step.attach.place, step.attach.industry])])
    names.sources = [("clusters", source, []) for source in step.clusters] + table_sources(step)
    names.added = [step.prefix + name for name in CLUSTER_COLUMNS]
    return names


def table_sources(step: ClusterMapSpec) -> list[tuple[str, str, list[str]]]:
    """Return the sources that options of a method name, with the columns that they must have."""
    return [
        ("options", step.options[name], list(columns))
        for name, columns in TABLE_OPTIONS.items()
        if isinstance(step.options.get(name), str) and step.options[name] != "locational_correlation"
    ]


def _emissions(step: ApportionedStep | ComponentsStep | VendorStep | GivenStep, firm: str, year: str) -> StepNames:
    names = StepNames()
    match step:
        case ApportionedStep():
            names.panel = [("industry", [step.industry]), ("cost", [step.cost])]
            wanted = [step.industry_column, step.industry_year or year, step.industry_cost]
            names.sources = [("industries", step.industries, [*wanted, *([step.energy] if step.energy else [])])]
            if step.sectors:
                value = "energy_tce" if step.by == "energy" else "co2_tonnes"
                names.sources.append(("sectors", step.sectors, ["division", year, value]))
            names.added = ["division", "cost_share_of_industry", "industry_co2_tonnes", "co2_tonnes", "co2_reason"]
            # The tables that come with shuzhi say their edition; tables of one's own may.
            names.added += ["vintage"] if has_vintage(step) else []
        case ComponentsStep():
            names.panel = [("industry", [step.industry])]
            names.panel += [(key, [value]) for key in ("province", "scale") if (value := getattr(step, key))]
            names.sources = [("activities", step.activities, [firm, year, "activity", "amount", "unit"])]
            names.added = [f"co2_{each}_tonnes" for each in COMPONENTS] + [f"{each}_basis" for each in COMPONENTS]
            names.added += ["co2_tonnes", "imputed_share"]
        case VendorStep():
            wanted = [step.firm_column or firm, step.year_column or year, *step.columns]
            names.sources = [("vendor", step.vendor, wanted)]
            parts = ["co2_components_tonnes", *(f"co2_{each}_tonnes" for each in COMPONENTS)]
            names.added = ["co2_tonnes", *(parts if step.components else [])]
        case GivenStep():
            names.panel = [("co2", [step.co2])]
            names.added = [] if step.prefix + "co2_tonnes" == step.co2 else ["co2_tonnes"]
    if step.intensities:
        names.panel.append(("intensities", list(step.intensities.given().values())))
        names.added += intensity_columns(step)
    if step.decomposition:
        told = [step.decomposition.cost, step.decomposition.industry]
        effects = [part for each in step.decomposition.fixed_effects for part in each.split("^")]
        names.panel.append(("decomposition", [name for name in (*told, *effects) if name]))
    names.added = [step.prefix + name for name in names.added]
    return names


def has_vintage(step: ApportionedStep) -> bool:
    """Whether the emissions of a step rest on a table that comes with shuzhi."""
    return bool(step.energy_table) or (step.by == "co2" and not step.sectors)


def intensity_columns(step: EmissionsStep) -> list[str]:
    """Return the columns of the intensities of a step, without its prefix."""
    assert step.intensities is not None
    names = ["ln_co2_tonnes"]
    for kind in step.intensities.given():
        label = f"co2_tonnes_per_{UNIT_WORDS[step.intensities.per]}_{kind}"
        names += [label, f"ln_{label}", f"ln1p_{label}"]
    return names


def _policy(step: PolicyStep) -> StepNames:
    names = StepNames([("place", [step.place])], added=list(step.treatment_columns().values()), kept=[PLACE_CODE])
    names.panel += [(key, [value]) for key in ("province", "industry") if (value := getattr(step, key))]
    if step.cohorts:
        names.sources = [("cohorts", step.cohorts.source, [step.cohorts.place, step.cohorts.year])]
    return names


def _groups(step: Any, year: str) -> StepNames:
    match step:
        case IndustryGroupsStep():
            added = [step.prefix + name for name in ("is_heavy_pollution", "is_high_energy")]
            return StepNames([("industry_groups", [step.industry_groups])], added=added)
        case EnergyStructureStep():
            added = [name for share in step.shares for name in (share, f"{share}_group")]
            names = StepNames([("energy_structure", [step.energy_structure])])
            if step.intensity:
                each = step.intensity
                wanted = [each.industry, each.year or year, each.output]
                names.sources = [("intensity", each.industries, wanted)]
                added += ["tce_per_10k_yuan", "energy_intensity_group"]
            names.added = [step.prefix + name for name in added]
            return names
        case SizeGroupsStep():
            return StepNames([("size_groups", [step.size_groups]), ("within", step.within)], added=[step.name])
        case CutStep():
            return StepNames([("cut", [step.cut]), ("within", step.within)], added=[step.name or f"{step.cut}_group"])
        case InstrumentStep():
            return StepNames([("instrument", [step.instrument]), ("groups", step.groups)], added=[step.column()])
    raise AssertionError(f"no such step: {step!r}")


def option_problems(place: Place, step: ClusterMapSpec) -> Iterator[Problem]:
    """Say which options of a method there are not, are needed, or do not fit.

    Parameters
    ----------
    place : tuple
        Path of the step.
    step : ClusterMapSpec
        Method and options.
    """
    if step.method == "given":
        return
    function = method_function(step)
    parameters = dict(list(inspect.signature(function).parameters.items())[1:])
    known = [name for name in parameters if name not in _NO_OPTIONS]
    known += ["reach"] if step.method == "duranton_overman" and "reach" not in known else []
    for name in step.options:
        if name not in known:
            near = nearest(name, known)
            words = f"{step.method} has no option '{name}'.{near or ' There are: ' + ', '.join(known) + '.'}"
            yield (*place, "options", name), words
    needed = [name for name in known if name in parameters and parameters[name].default is inspect.Parameter.empty]
    for name in needed:
        if name not in step.options:
            columns = f", a source with {', '.join(TABLE_OPTIONS[name])}" if name in TABLE_OPTIONS else ""
            yield (*place, "options"), f"{step.method} needs the option {name}:{columns}"
    for name, value in step.options.items():
        adapter = _adapters(function).get(name) if name in known else None
        try:
            _ = adapter.validate_python(value) if adapter else None
        except ValidationError as error:
            words = "; or: ".join(dict.fromkeys(each["msg"] for each in error.errors(include_url=False)))
            yield (*place, "options", name), f"{words} (given: {value!r})"
    yield from _table_problems(place, step)
    reach = step.options.get("reach", "k_density")
    if step.method == "duranton_overman" and not (reach == "k_density" or _is_positive(reach)):
        yield (*place, "options", "reach"), f"reach is a number of kilometres or k_density (given: {reach!r})"


def method_function(step: ClusterMapSpec) -> Callable[..., Any]:
    """Return the function of a method; without a reach in kilometres, K-densities are estimated first."""
    from econometrics.clusters.from_k_densities import k_density_clusters
    from econometrics.clusters.identify import cluster_methods

    if step.method == "duranton_overman" and not _is_positive(step.options.get("reach")):
        return k_density_clusters
    return cluster_methods()[step.method]


def _is_positive(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0


def _adapters(function: Callable[..., Any]) -> dict[str, TypeAdapter[Any]]:
    """Return what checks and converts the plain options of a method's function, by name."""
    config = ConfigDict(arbitrary_types_allowed=True)
    hints = typing.get_type_hints(function)
    names = [name for name in hints if name not in (*TABLE_OPTIONS, *_NO_OPTIONS, "reach", "return")]
    return {name: TypeAdapter(hints[name], config=config) for name in names}


def plain_options(step: ClusterMapSpec) -> dict[str, Any]:
    """Return the options of a method that are no tables, as its function wants them: 1e-2, text in YAML, is a number.

    Parameters
    ----------
    step : ClusterMapSpec
        Method and options, without problems.
    """
    adapters = _adapters(method_function(step))
    plain = {name: value for name, value in step.options.items() if name not in TABLE_OPTIONS}
    return {name: adapters[name].validate_python(value) if name in adapters else value for name, value in plain.items()}


def _table_problems(place: Place, step: ClusterMapSpec) -> Iterator[Problem]:
    """Say which options that are tables are none: a source's name, or what stands for one."""
    for name, needed in TABLE_OPTIONS.items():
        value = step.options.get(name)
        if value is None or isinstance(value, str):
            continue
        if name == "groups" and (
            _is_positive(value) or (isinstance(value, dict) and all(isinstance(each, str) for each in value.values()))
        ):
            continue
        also = ", a mapping of industries to groups, or a number of groups" if name == "groups" else ""
        columns = ", ".join(needed)
        yield (*place, "options", name), f"{name} is a source with the columns {columns}{also} (given: {value!r})"


def data_step_sources(step: object, firm: str, year: str) -> set[str]:
    """Return the names of all sources that a step reads."""
    if not isinstance(step, DataStep):
        return set()
    return {source for _, source, _ in step_names(step, firm, year).sources}


def printed_sources(steps: Iterable[object]) -> set[str]:
    """Return the sources of clusters: where no columns are declared, they are read as they are printed."""
    return {source for step in steps if isinstance(step, ClusterMapSpec) for source in step.clusters}


def data_step_problems(
    place: Place, step: DataStep, columns: Any, sources: Mapping[str, Any], firm: str, year: str
) -> Iterator[Problem]:
    """Return what is wrong with the names of a step, and take its new columns in.

    Parameters
    ----------
    place : tuple
        Path of the step.
    step : DataStep
        The step.
    columns : Columns
        Those of the panel so far.
    sources : mapping of str to Columns
        Those of the sources.
    firm, year : str
        Keys of the panel.
    """
    names = step_names(step, firm, year)
    for key, wanted in names.panel:
        yield from columns.check((*place, key), wanted, " in the panel so far")
    for key, source, wanted in names.sources:
        if source not in sources:
            yield (*place, key), f"there is no source '{source}'.{nearest(source, sources)}"
        else:
            yield from sources[source].check((*place, key), wanted, f" in the source {source}")
    if isinstance(step, ClusterMapSpec):
        yield from option_problems(place, step)
    yield from columns.add(place, names.added)
    columns.names += [name for name in names.kept if name not in columns.names]
