"""The candidate of a release: every definition measured and exported into a folder of its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from flows.export import ExportSummary, export_indices
from flows.measure import MeasureSummary, measure_indices
from flows.publishing.definitions import Definition, Definitions
from flows.settings import (
    AnnualUpdateParameters,
    ExportParameters,
    MeasureParameters,
    PoolParameters,
    PublishParameters,
)

UpdateOrPublish = AnnualUpdateParameters | PublishParameters


@dataclass(frozen=True)
class Built:
    """One definition of a candidate: its folder, and what measuring and exporting it did."""

    name: str
    folder: Path
    measuring: MeasureSummary
    exporting: ExportSummary


def build_candidate(parameters: UpdateOrPublish, definitions: Definitions) -> tuple[Built, ...]:
    """Measure and export each definition in turn.

    One after the other, because a store has one measurement in force for each list and rule: of two definitions that
    differ in script alone, the second puts the first out of force.
    """
    built = []
    for each in definitions.definitions:
        folder = folder_of(parameters, each)
        measuring = measure_indices(measuring_of(parameters, each))
        built.append(Built(each.name, folder, measuring, export_indices(exporting_of(parameters, each, folder))))
    return tuple(built)


def store_of(parameters: UpdateOrPublish) -> str:
    """Return where the store is."""
    return parameters.store_url() if isinstance(parameters, AnnualUpdateParameters) else parameters.store


def folder_of(parameters: UpdateOrPublish, definition: Definition) -> Path:
    """Return where a definition is exported to: the output folder itself, where no file of definitions is named."""
    out = Path(parameters.out)
    return out / definition.name if parameters.definitions else out


def measuring_of(parameters: UpdateOrPublish, definition: Definition) -> MeasureParameters:
    """Return what measuring a definition needs."""
    return MeasureParameters(
        **{name: getattr(parameters, name) for name in PoolParameters.model_fields},
        store=store_of(parameters),
        dictionaries=definition.dictionaries,
        dictionary_folder=definition.dictionary_folder,
        rule=definition.rule,
        scopes=definition.scopes,
        keep=definition.keep,
        script=definition.script,
        segmenter=parameters.segmenter,
    )


def exporting_of(parameters: UpdateOrPublish, definition: Definition, folder: Path) -> ExportParameters:
    """Return what exporting a definition needs; what is published links to no folder of this machine."""
    return ExportParameters(
        store=store_of(parameters),
        out=str(folder),
        dictionaries=definition.dictionaries,
        rule=definition.rule,
        scopes=definition.scopes,
        keep=definition.keep,
        title=parameters.title,
        is_simulated=parameters.is_simulated,
        link_reports=not parameters.releases,
    )
