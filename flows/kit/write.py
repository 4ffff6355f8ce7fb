"""Write the study kit of an export: data, codebook, README, citation, sample code, licence note."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pandas as pd

from flows.formats import replacing, write_csv
from flows.kit.archive import has_sums, write_archive, write_sums
from flows.kit.citation import citation_bib, citation_cff
from flows.kit.example import example_panel, expected_result
from flows.kit.facts import gather_facts
from flows.kit.options import HITS_FILES, KIT_FOLDER, KIT_VERSION, LONG_CSV, SOURCES, SUMS_FILE, KitOptions
from flows.kit.tables import (
    kit_codebook,
    kit_tables,
    provenance,
    write_codebook,
    write_json,
    write_tables,
    write_text,
)
from flows.kit.texts import kit_texts
from flows.notebook import Export, open_export
from flows.outputs import SIMULATED_NOTE, file_hash
from flows.store import hash_of
from shuzhi import RunError


def write_kit(out: Path, options: KitOptions) -> Path:
    """Write the folder ``study-kit`` and the archive ``study-kit.zip`` into the folder of an export.

    Parameters
    ----------
    out : Path
        Folder of a finished export.
    options : KitOptions
        Authors, licence, and whether sentences go in.

    Returns
    -------
    Path
        The folder of the kit. One that is up to date is left alone; files of others in it are never touched.

    Raises
    ------
    UsageError
        If the folder holds no export, or one without a firm-year.
    RunError
        If a file of the export was changed since it was written.
    """
    export = open_export(out)
    folder = out / KIT_FOLDER
    made_from = _made_from(export, options)
    if not _is_current(folder, options, made_from):
        _check_whole(export)
        (folder / SUMS_FILE).unlink(missing_ok=True)
        _remove_halves(folder, options)
        _write_files(export, folder, options, made_from)
        for name in sorted(set(HITS_FILES) - set(options.files)):
            (folder / name).unlink(missing_ok=True)
        write_sums(folder, options.files)
    write_archive(folder, options.files, folder.with_name(f"{KIT_FOLDER}.zip"))
    return folder


def _made_from(export: Export, options: KitOptions) -> str:
    """Return a hash of all that a kit depends on."""
    sources = [export.run["outputs"][name] for name in SOURCES]
    return hash_of(KIT_VERSION, sources, provenance(export), asdict(options))


def _is_current(folder: Path, options: KitOptions, made_from: str) -> bool:
    path = folder / "provenance.json"
    if not path.is_file() or f'"kit": "{made_from}"' not in path.read_text(encoding="utf-8"):
        return False
    return has_sums(folder, options.files)


def _check_whole(export: Export) -> None:
    """Refuse to make a kit from files that are not the ones that were exported."""
    changed = sorted(set(export.damaged()) & set(SOURCES))
    if changed:
        raise RunError(
            f"{export.folder}: {', '.join(changed)} changed since the export; run 'shuzhi export' again for a kit"
        )


def _remove_halves(folder: Path, options: KitOptions) -> None:
    """Remove the temporary files that a killed run left beside the files of a kit."""
    for path in (folder / name for name in (*options.files, *HITS_FILES, SUMS_FILE)):
        for half in path.parent.glob(f".{path.name}.*.tmp"):
            half.unlink(missing_ok=True)


def _write_files(export: Export, folder: Path, options: KitOptions, made_from: str) -> None:
    tables = kit_tables(export, options.has_sentences)
    (folder / "data").mkdir(parents=True, exist_ok=True)
    write_tables(tables, export, folder / "data")
    write_codebook(kit_codebook(export, tables), folder, SIMULATED_NOTE if export.run["is_simulated"] else "")
    facts = gather_facts(export, tables, file_hash(folder / LONG_CSV), options)
    wide = tables["indices_wide"]
    panel = example_panel(wide, facts.index)
    expected = expected_result(wide, panel, facts.index)
    _write_plain_csv(panel, folder / "own_panel_example.csv")
    write_csv(expected, folder / "expected_result.csv")
    texts = kit_texts(facts, expected, [str(name) for name in wide.columns])
    texts |= {"CITATION.cff": citation_cff(facts), "CITATION.bib": citation_bib(facts)}
    texts["quality.md"] = (export.folder / "quality.md").read_text(encoding="utf-8")
    for name, text in texts.items():
        write_text(folder / name, text)
    write_json(folder / "provenance.json", {**provenance(export), "kit": made_from, "data_hash": facts.data_hash})


def _write_plain_csv(frame: pd.DataFrame, path: Path) -> None:
    """Write the example as most panels come: plain ASCII, codes without their zeros."""
    with replacing(path) as temporary:
        frame.to_csv(temporary, index=False, encoding="ascii", lineterminator="\n")
