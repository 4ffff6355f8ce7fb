"""The folder that a study leaves: report, tables, figures, estimates, replicates, replication, codebook."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from econometrics.emissions.decomposition import ApportionmentDecomposition
from econometrics.report import render_study
from econometrics.report.figures import StudyFigure, study_figures
from econometrics.report.plans import added_tables
from econometrics.report.tables import result_table, retitled
from econometrics.spec.vocabulary import Failure
from econometrics.study.results import StudyResults
from econometrics.study.tables import build_table
from econometrics.tables import TableFormat, render_table, render_tables
from econometrics.tables.model import Language, Table
from flows.formats import replacing
from flows.outputs import RUN_FILE, file_hash
from flows.study_files import write_codebook, write_estimates, write_replicates
from flows.study_replication import refuse_doubled_index, write_replication
from shuzhi import ShuzhiError, __version__

MANIFEST = "manifest.json"
TABLE_FORMATS: tuple[TableFormat, ...] = ("docx", "tex", "html", "md", "xlsx", "csv")
# What can change a number or a byte of a study.
PACKAGES = ("numpy", "pandas", "scipy", "scikit-learn", "linearmodels", "diff-diff", "pyarrow", "matplotlib")


def write_study(
    results: StudyResults,
    out: Path,
    *,
    language: Language | None = None,
    provenance: Mapping[str, object] | None = None,
    decompositions: Mapping[str, ApportionmentDecomposition] | None = None,
    simulated: bool = False,
    font: str | Path | None = None,
) -> list[Path]:
    """Write everything that a study leaves behind.

    Parameters
    ----------
    results : StudyResults
        What `econometrics.study.run` gave.
    out : Path
        The folder; it is made. Files that an earlier study left there and this one does not have are removed.
    language : {'zh', 'en'}, optional
        Language of tables, figures and report; that of the study if not given.
    provenance : mapping of str to object, optional
        What the report tells of the source besides hashes, seeds and versions.
    decompositions : mapping of str to ApportionmentDecomposition, optional
        What emission intensities consist of.
    simulated : bool
        Whether the data were made up, which the report then says.
    font : str or Path, optional
        A font file for Chinese figures.

    Returns
    -------
    list of Path
        The files, sorted; ``manifest.json``, which is written last, holds their hashes.

    Raises
    ------
    UsageError
        If a file cannot be written.
    """
    refuse_doubled_index(results)
    chosen: Language = language or results.spec.language
    out.mkdir(parents=True, exist_ok=True)
    before = _listed(out)
    for name in (MANIFEST, RUN_FILE):
        (out / name).unlink(missing_ok=True)
    tables, table_failures = study_tables(results, chosen)
    figures, figure_failures = study_figures(results, language=chosen, font=font)
    page = render_study(
        results,
        tables=tables,
        figures=figures,
        figure_failures=(*table_failures, *figure_failures),
        language=chosen,
        provenance={"版本 versions": study_versions(), **(provenance or {})},
        decompositions=decompositions,
        simulated=simulated,
    )
    written = [_write_text(out / "report.html", page)]
    written += write_tables(tables, out / "tables")
    written += write_figures(figures, out / "figures")
    written += write_estimates(results, out)
    written += write_replicates(results, out / "replicates")
    written += write_replication(results, out / "replication")
    written += write_codebook(results, out / "codebook.csv")
    _remove_stale(out, before, written)
    written.append(_write_manifest(results, out, written))
    return sorted(written)


def study_tables(results: StudyResults, language: Language) -> tuple[dict[str, Table], tuple[Failure, ...]]:
    """Build the declared tables, and one for every result that none of them shows.

    Parameters
    ----------
    results : StudyResults
        The study.
    language : {'zh', 'en'}
        Language of the tables.

    Returns
    -------
    tables : dict of str to Table
        By the name of their plan.
    failures : tuple of Failure
        Those that could not be built.
    """
    tables, failures = {}, []
    for plan in (*retitled(results.tables), *added_tables(results)):
        try:
            tables[plan.name] = result_table(plan, results, language) or build_table(plan, results, language)
        except ShuzhiError as error:
            failures.append(Failure("tables", plan.name, "failed", str(error)))
    return tables, tuple(failures)


def write_tables(tables: Mapping[str, Table], folder: Path) -> list[Path]:
    """Write every table in every format, and all of them in one Word document, one workbook and one LaTeX document."""
    written = [
        _write_bytes(folder / f"{name}.{format_}", render_table(table, format_))
        for name, table in tables.items()
        for format_ in TABLE_FORMATS
    ]
    if not tables:
        return written
    every = list(tables.values())
    stem = "all_tables" if "tables" in tables else "tables"
    written.append(_write_bytes(folder / f"{stem}.docx", render_tables(every, "docx")))
    written.append(_write_bytes(folder / f"{stem}.xlsx", render_tables(every, "xlsx")))
    written.append(_write_bytes(folder / f"{stem}.tex", render_tables(every, "tex")))
    return written


def write_figures(figures: tuple[StudyFigure, ...], folder: Path) -> list[Path]:
    """Write every figure as SVG and PNG."""
    written = []
    for figure in figures:
        written.append(_write_text(folder / f"{figure.name}.svg", figure.drawing.svg()))
        written.append(_write_bytes(folder / f"{figure.name}.png", figure.drawing.png()))
    return written


def study_versions() -> dict[str, str]:
    """Return the versions of everything that can change a number or a byte of a study."""
    found = {"shuzhi": __version__, "python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def _listed(out: Path) -> set[str]:
    """Return the files that an earlier study says it wrote here."""
    try:
        content = json.loads((out / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return set()
    files = content.get("files") if isinstance(content, dict) else None
    return {str(name) for name in files} if isinstance(files, dict) else set()


def _remove_stale(out: Path, before: set[str], written: list[Path]) -> None:
    """Remove what an earlier study wrote and this one did not; other files are left alone."""
    kept = {path.relative_to(out).as_posix() for path in written}
    root = out.resolve()
    for name in sorted(before - kept):
        path = (out / name).resolve()
        if path.is_relative_to(root) and path.is_file():
            path.unlink()


def _write_manifest(results: StudyResults, out: Path, written: list[Path]) -> Path:
    content: dict[str, Any] = {
        "study": results.spec.study,
        "spec_hash": results.spec_hash,
        "data_hash": results.data_hash,
        "rows": len(results.data),
        "versions": study_versions(),
        "failures": [
            {"part": each.part, "name": each.name, "kind": each.kind, "line": each.line, "message": each.message}
            for each in results.failures
        ],
        "files": {path.relative_to(out).as_posix(): file_hash(path) for path in sorted(written)},
    }
    text = json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True)
    return _write_text(out / MANIFEST, text + "\n")


def _write_text(path: Path, text: str) -> Path:
    return _write_bytes(path, text.encode("utf-8"))


def _write_bytes(path: Path, content: bytes) -> Path:
    with replacing(path) as temporary:
        temporary.write_bytes(content)
    return path
