"""A study from its specification to its outputs: panel read or built, models run, tables and report written."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from prefect import flow, get_run_logger, task
from prefect.artifacts import create_link_artifact, create_markdown_artifact
from prefect.cache_policies import NO_CACHE

from econometrics.panel.steps.result import PanelNote
from econometrics.spec import StudySpec
from econometrics.study import run
from econometrics.study.results import StudyResults
from econometrics.variables import Variable
from flows.formats import in_fence, in_markdown, replacing
from flows.settings import StudyParameters
from flows.study_outputs import study_versions, write_study
from flows.study_read import load_study, read_study_panel

MOST_SHOWN = 12


@dataclass(frozen=True)
class StudySummary:
    """What a study gave: results by part, tables and figures, what failed and what was left out, and the text."""

    rows: int
    results: dict[str, int]
    failed: tuple[str, ...]
    skipped: tuple[str, ...]
    files: int
    text: str
    seconds: float


@flow(name="run-study")
def run_study(parameters: StudyParameters) -> StudySummary:
    """Run a study over a panel and write its tables, figures, report and replication folder.

    Parameters
    ----------
    parameters : StudyParameters
        Specification, panel and the folder to write to.

    Returns
    -------
    StudySummary
        A model that these data cannot bear is listed in it and in ``run.json``; the others are done.
    """
    return do_study(parameters, work=estimate, publish_to=publish)


def do_study(
    parameters: StudyParameters,
    *,
    work: Callable[..., StudyResults] | None = None,
    publish_to: Callable[[Path, StudyResults, str], None] | None = None,
    progress: Callable[[str, str], None] | None = None,
) -> StudySummary:
    """Run a study, with or without Prefect around it; see `run_study`."""
    started = time.monotonic()
    spec = load_study(parameters.spec)
    panel = read_study_panel(spec, parameters)
    results = (work or run_study_of)(spec, panel.data, panel.variables, panel.notes, progress)
    out = Path(parameters.out)
    provenance = {"面板 panel": {**panel.source, "rows": results.panel_rows}}
    written = write_study(results, out, provenance=provenance, simulated=parameters.is_simulated)
    text = summary_text(results)
    seconds = time.monotonic() - started
    names = [path.relative_to(out).as_posix() for path in written]
    write_run_file(parameters, results, panel.source, names, seconds, out)
    if publish_to is not None:
        publish_to(out, results, text)
    return StudySummary(
        rows=len(results.data),
        results=count_results(results),
        failed=failure_lines(results, "failed"),
        skipped=failure_lines(results, "skipped"),
        files=len(written),
        text=text,
        seconds=seconds,
    )


def run_study_of(
    spec: StudySpec,
    data: pd.DataFrame,
    variables: Mapping[str, Variable],
    notes: Sequence[PanelNote],
    progress: Callable[[str, str], None] | None = None,
) -> StudyResults:
    """Run a study over a panel that was read."""
    return run(spec, data, variables=variables, notes=notes, progress=progress)


@task(name="estimate", cache_policy=NO_CACHE, persist_result=False)
def estimate(
    spec: StudySpec,
    data: pd.DataFrame,
    variables: Mapping[str, Variable],
    notes: Sequence[PanelNote],
    progress: Callable[[str, str], None] | None = None,
) -> StudyResults:
    """Run a study over a panel as one task; its log says what is being worked on."""
    logger = get_run_logger()
    return run_study_of(
        spec, data, variables, notes, progress or (lambda part, name: logger.info("%s: %s", part, name))
    )


def count_results(results: StudyResults) -> dict[str, int]:
    """Return how many results there are of each part."""
    counts: dict[str, int] = {}
    for key in results.parts():
        part = key.split("/", 1)[0]
        counts[part] = counts.get(part, 0) + 1
    return counts


def failure_lines(results: StudyResults, kind: str) -> tuple[str, ...]:
    """Return one line a part that failed, or was left out."""
    return tuple(
        f"{results.spec.file} line {each.line}: {each.part} {each.name}: {' '.join(each.message.split())}"
        for each in results.failures
        if each.kind == kind
    )


def summary_text(results: StudyResults) -> str:
    """Return what a person reads first: the sample, the main coefficients, the indirect effects."""
    spec = results.spec
    title = spec.title.get(spec.language) or spec.study
    lines = [f"{title}: {len(results.data):,} of {results.panel_rows:,} rows of the panel"]
    for name, model in list(results.models.items())[:MOST_SHOWN]:
        frame = model.to_frame()
        row = frame.iloc[0]
        lines.append(
            f"  {name}: {model.outcome} on {row['term']} {row['estimate']:.4g} ({row['standard_error']:.4g}),"
            f" p = {row['p_value']:.3f}, N = {model.observations:,}"
        )
        if name in results.magnitudes:
            lines.append(f"    {results.magnitudes[name].summary()}")
    for name, mediation in list(results.mediations.items())[:MOST_SHOWN]:
        frame = mediation.to_frame()
        for each in frame[frame["effect"] == "indirect"].itertuples():
            lines.append(
                f"  {name}: indirect effect {each.estimate:.4g} [{each.interval_low:.4g}, {each.interval_high:.4g}]"
            )
    return "\n".join(lines)


def write_run_file(
    parameters: StudyParameters,
    results: StudyResults,
    source: Mapping[str, str],
    written: list[str],
    seconds: float,
    out: Path,
) -> None:
    """Write run.json: what went in, with hashes and versions; what came out; what failed; and the seconds."""
    content: dict[str, Any] = {
        "study": results.spec.study,
        "spec": {"file": results.spec.file, "hash": results.spec_hash},
        "panel": {**source, "rows": results.panel_rows, "data_hash": results.data_hash},
        "parameters": parameters.model_dump(mode="json"),
        "versions": study_versions(),
        "rows": len(results.data),
        "results": count_results(results),
        "failures": [asdict(each) for each in results.failures],
        "files": sorted(written),
        "seconds": {**results.seconds, "total": round(seconds, 3)},
    }
    with replacing(out / "run.json") as temporary:
        text = json.dumps(content, ensure_ascii=False, indent=2) + "\n"
        temporary.write_text(text, encoding="utf-8", newline="\n")


def publish(out: Path, results: StudyResults, text: str) -> None:
    """Show in Prefect what was found, what failed, and where the report is."""
    lines = ["```", in_fence(text), "```"]
    for kind in ("failed", "skipped"):
        found = failure_lines(results, kind)
        if found:
            lines += [f"**{kind}**", *(f"- {in_markdown(line)}" for line in found)]
    create_markdown_artifact(key="run-study", markdown="\n".join(lines), description=f"Written to {out.resolve()}")
    report = out / "report.html"
    if report.is_file():
        create_link_artifact(key="study-report", link=report.resolve().as_uri(), link_text="report.html")
