"""A panel from its specification to its files: read, built, written, with all that backs it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from econometrics.clusters.map import ClusterMap
from econometrics.panel import Panel, build_panel, parse_panel_spec
from econometrics.panel.spec import PanelSpec
from econometrics.panel.steps.result import notes_to_records
from econometrics.variables import codebook_table, variable_labels, variables_to_records
from flows.formats import replacing, stata_names, write_csv, write_dta, write_parquet, write_xlsx
from flows.panel_read import CLUSTER_METADATA, METADATA, read_tables
from shuzhi import UsageError, __version__

PANEL_FILES = (
    "panel.parquet",
    "panel.csv",
    "panel.dta",
    "panel.xlsx",
    "codebook.csv",
    "flow.csv",
    "joins.csv",
    "adjustments.csv",
    "definitions.csv",
    "reading.csv",
    "unmatched.csv",
    "notes.csv",
    "panel.txt",
)
# What single steps found out: maps of clusters, industry-years, cohorts, the decomposition of an intensity.
STEPS_FOLDER = "steps"
_OF_STEPS = {".parquet", ".csv", ".txt"}


@dataclass(frozen=True)
class PanelSummary:
    """What was built: rows, firms, columns, and the text that a person reads."""

    rows: int
    firms: int
    columns: int
    text: str


def make_panel(spec_file: str, out: str, data: str = "") -> PanelSummary:
    """Build the panel of a specification and write it.

    Parameters
    ----------
    spec_file : str
        The specification (YAML).
    out : str
        Folder to write ``PANEL_FILES`` to, and what single steps found out to ``steps`` in it.
    data : str
        Folder in which sources are looked for before the folder of the specification.

    Raises
    ------
    UsageError
        If a file cannot be read or is not what the specification says; see `econometrics.panel.build_panel`.
    """
    panel = load_panel(spec_file, data)
    write_panel(panel, Path(out))
    return PanelSummary(len(panel.data), int(panel.data[panel.firm].nunique()), panel.data.shape[1], panel.summary())


def load_panel(spec_file: str, data: str = "") -> Panel:
    """Build the panel of a specification."""
    spec = load_spec(spec_file)
    return build_panel(spec, read_tables(spec, Path(spec_file).parent, Path(data) if data else None))


def load_spec(path: str) -> PanelSpec:
    """Read a specification.

    Raises
    ------
    UsageError
        If it cannot be read, or has problems.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        words = getattr(error, "strerror", None) or "it is not UTF-8"
        raise UsageError(
            f"{path}: cannot be read ({words}); name the specification of a panel in YAML and UTF-8"
        ) from None
    return parse_panel_spec(text, Path(path).name)


def write_panel(panel: Panel, out: Path) -> None:
    """Write a panel as Parquet, CSV, Stata and Excel, with its codebook, flow, joins and adjustments."""
    data, variables = panel.data, panel.variables
    codebook = codebook_table(variables, data, panel.year)
    names = stata_names(data.columns)
    notes = notes_to_records(panel.notes)
    codebook.insert(1, "stata_name", [names[name] for name in data.columns])
    reports = {
        "flow": panel.flow,
        "joins": panel.joins,
        "adjustments": panel.adjustments,
        "definitions": panel.definitions,
        "reading": panel.reading,
        "unmatched": panel.unmatched,
        "notes": pd.DataFrame(notes, columns=["kind", "step", "zh", "en"]),
    }
    metadata = {
        METADATA: json.dumps(
            {
                "name": panel.name,
                "title_en": panel.title_en,
                "title_zh": panel.title_zh,
                "firm": panel.firm,
                "year": panel.year,
                "spec_hash": panel.spec_hash,
                "version": __version__,
                "variables": variables_to_records(variables),
                "notes": notes,
            },
            ensure_ascii=False,
            sort_keys=True,
        )
    }
    labels = variable_labels(variables, [str(name) for name in data.columns], "zh", with_unit=True)
    title = f"{panel.title_en or panel.name} (shuzhi {__version__}, spec {panel.spec_hash})"
    write_parquet(data, out / "panel.parquet", metadata)
    write_csv(data, out / "panel.csv")
    write_dta(data, out / "panel.dta", labels, title)
    write_xlsx({"panel": data, "variables": codebook, **reports}, out / "panel.xlsx")
    write_csv(codebook, out / "codebook.csv")
    for name, frame in reports.items():
        write_csv(frame, out / f"{name}.csv")
    write_text(panel.summary(), out / "panel.txt")
    _write_steps(panel, out / STEPS_FOLDER)


def write_text(text: str, path: Path) -> None:
    """Write a text as UTF-8 with a line break at its end."""
    with replacing(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8", newline="\n")


def write_cluster_map(clusters: ClusterMap, folder: Path, name: str) -> None:
    """Write a map of clusters as Parquet, which says how it was found, and as CSV.

    Parameters
    ----------
    clusters : ClusterMap
        The map.
    folder : Path
        Where to.
    name : str
        Name of the files without ending.
    """
    frame = clusters.to_frame()
    facts = {"method": clusters.method, "parameters": {name: str(each) for name, each in clusters.parameters.items()}}
    metadata = {CLUSTER_METADATA: json.dumps(facts, ensure_ascii=False, sort_keys=True)}
    write_parquet(frame, folder / f"{name}.parquet", metadata)
    write_csv(frame, folder / f"{name}.csv")


def _write_steps(panel: Panel, folder: Path) -> None:
    """Write what single steps found out; what an earlier run left in the folder goes."""
    for old in sorted(folder.glob("*")) if folder.is_dir() else []:
        if old.is_file() and old.suffix in _OF_STEPS:
            old.unlink()
    for name, clusters in panel.cluster_maps.items():
        write_cluster_map(clusters, folder, name)
    for name, frame in panel.tables.items():
        write_csv(frame, folder / f"{name}.csv")
    for name, text in panel.texts.items():
        write_text(text, folder / f"{name}.txt")
