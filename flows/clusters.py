"""A map of clusters alone: from microdata, or from a specification, to files."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import yaml
from pydantic import Field, ValidationError

from econometrics.clusters.map import ClusterMap
from econometrics.declarations.yaml_lines import Place, nearest, pydantic_problems, read_yaml, spec_error
from econometrics.panel.source_spec import Name, SourceSpec
from econometrics.panel.sources import Source, tidy_source
from econometrics.panel.spec import PanelSpec
from econometrics.panel.steps.cluster_map import BuiltMap, build_map
from econometrics.panel.steps.cluster_specs import ClusterMapSpec
from econometrics.panel.steps.names import option_problems, table_sources
from flows.formats import write_csv
from flows.panel import write_cluster_map, write_text
from flows.panel_read import FORMATS, read_tables
from shuzhi import SpecError, UsageError, yaml_loader

CLUSTER_FILES = (
    "clusters.parquet",
    "clusters.csv",
    "flow.csv",
    "checks.csv",
    "unmapped.csv",
    "clusters.txt",
)
SPEC_ENDINGS = (".yml", ".yaml")


class ClusterFileSpec(ClusterMapSpec):
    """A map of clusters with its sources, in a file of its own."""

    sources: Annotated[dict[Name, SourceSpec], Field(min_length=1)]


@dataclass(frozen=True)
class ClusterSummary:
    """What was found, and the text that a person reads."""

    clusters: ClusterMap
    text: str


def make_clusters(
    given: str,
    out: str,
    data: str = "",
    *,
    method: str = "location_quotient",
    options: Sequence[str] = (),
    choices: Mapping[str, Any] | None = None,
) -> ClusterSummary:
    """Find clusters and write the map.

    Parameters
    ----------
    given : str
        A specification in YAML, or a file of microdata.
    out : str
        Folder to write ``CLUSTER_FILES`` to.
    data : str
        Folder in which the sources of a specification are looked for first.
    method, options, choices
        Of a file of microdata: the method, its options as ``name=value``, and further keys of the step.

    Raises
    ------
    UsageError
        If a file cannot be read, or the specification has problems.
    """
    path = Path(given)
    if path.suffix.lower() in SPEC_ENDINGS:
        if options or choices:
            raise UsageError(f"{path.name} says method and options itself; change them there")
        step, spec = load_cluster_spec(path)
    else:
        step, spec = _spec_of_file(path, method, options, choices or {})
    tables = read_tables(spec, path.parent, Path(data) if data else None)
    sources: dict[str, Source] = {
        name: tidy_source(name, tables[name], spec, as_printed=name in step.clusters) for name in spec.sources
    }
    built = build_map(step, sources, spec.file)
    text = _text(built)
    _write(built, text, Path(out))
    return ClusterSummary(built.clusters, text)


def load_cluster_spec(path: Path) -> tuple[ClusterFileSpec, PanelSpec]:
    """Read the specification of a map of clusters.

    Raises
    ------
    UsageError
        If it cannot be read.
    SpecError
        With every problem, its line and the nearest name.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        words = getattr(error, "strerror", None) or "it is not UTF-8"
        raise UsageError(f"{path}: cannot be read ({words}); name a specification in YAML, or a table") from None
    return parse_cluster_spec(text, path.name)


def parse_cluster_spec(text: str, file: str) -> tuple[ClusterFileSpec, PanelSpec]:
    """Read the specification of a map of clusters from YAML, as `load_cluster_spec`."""
    content, lines = read_yaml(text, file)
    if not isinstance(content, Mapping):
        raise SpecError(f"{file}: a map of clusters is a mapping with sources:, clusters: and method:")
    try:
        step = ClusterFileSpec.model_validate(content)
    except ValidationError as error:
        raise spec_error(file, lines, pydantic_problems(error, ClusterFileSpec)) from None
    problems = list(option_problems((), step))
    wanted: list[tuple[Place, str]] = [(("clusters",), name) for name in step.clusters]
    wanted += [((key,), name) for key, name, _ in table_sources(step)]
    for place, name in wanted:
        if name not in step.sources:
            problems.append((place, f"there is no source '{name}'.{nearest(name, step.sources)}"))
    if problems:
        raise spec_error(file, lines, problems)
    spec = PanelSpec(panel="clusters", sources=step.sources, start=next(iter(step.sources)))
    spec._file = file
    spec._lines = lines
    spec._hash = hashlib.sha256(text.encode("utf-8")).hexdigest()[:16]
    return step, spec


def _spec_of_file(
    path: Path, method: str, options: Sequence[str], choices: Mapping[str, Any]
) -> tuple[ClusterFileSpec, PanelSpec]:
    """Return the specification that the options of the command line make of a file of microdata."""
    if not path.is_file():
        raise UsageError(f"{path}: no such file; name microdata ({', '.join(FORMATS)}) or a specification (.yml)")
    named: dict[str, Any] = {}
    for option in options:
        name, equals, value = option.partition("=")
        if not equals:
            raise UsageError(f"--option {option}: write name=value, such as quotient=1.25")
        try:
            named[name.strip()] = yaml.load(value, Loader=yaml_loader())
        except yaml.YAMLError as error:
            problem = getattr(error, "problem", None) or "is not YAML"
            raise UsageError(f"--option {option}: {problem}") from None
    content = {
        "sources": {"microdata": {"path": path.name}},
        "clusters": "microdata",
        "method": method,
        "options": named,
        **{key: value for key, value in choices.items() if value is not None},
    }
    return parse_cluster_spec(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), "options of the command")


def _text(built: BuiltMap) -> str:
    lines = [built.clusters.summary(), "", "Establishments"]
    for row in built.flow.to_dict("records"):
        removed = f"{-int(row['rows_removed']):+,}" if row["rows_removed"] else "0"
        lines.append(f"  {removed:>10} {int(row['rows_left']):>10,} rows  {row['what']}")
    if len(built.checks):
        lines += ["", "In the files"]
        for row in built.checks.to_dict("records"):
            examples = f", for example {row['examples']}" if row["examples"] else ""
            lines.append(
                f"  {row['source']}.{row['column']}: {row['check']}, {row['treatment']}: {row['rows']:,}{examples}"
            )
    if len(built.unmapped):
        lines += ["", "Codes without a place or industry in the list"]
        lines += [
            f"  {row['what']} {row['given']}: {row['rows']:,} rows, {row['reason']}"
            for row in built.unmapped.head(20).to_dict("records")
        ]
        more = len(built.unmapped) - 20
        lines += [f"  and {more:,} more; see unmapped.csv"] if more > 0 else []
    return "\n".join(lines)


def _write(built: BuiltMap, text: str, out: Path) -> None:
    write_cluster_map(built.clusters, out, "clusters")
    tables: dict[str, pd.DataFrame] = {"flow": built.flow, "checks": built.checks, "unmapped": built.unmapped}
    for name, frame in tables.items():
        write_csv(frame, out / f"{name}.csv")
    write_text(text, out / "clusters.txt")
