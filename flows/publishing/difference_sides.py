"""One of two exports that are compared: its run.json, its files, its tables as DuckDB reads them."""

from __future__ import annotations

import filecmp
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from flows.formats import unescape_formula
from flows.outputs import RUN_FILE, read_run
from shuzhi import UsageError

LONG, WIDE, HITS, DOCUMENTS = "indices_long.parquet", "indices.parquet", "hits.parquet", "documents.csv"
NEEDED = (RUN_FILE, LONG, WIDE, HITS, DOCUMENTS)
# What run.json says of the run that wrote it last: how many files it read, how many it knew.
LAST_RUN = "this_run"
FIRM_YEAR = ["stock_code", "report_year"]
IDENTITY = ["stock_code", "report_year", "kind", "revision", "revision_number", "company_name"]
SOURCES = ["stock_code_source", "report_year_source", "kind_source", "revision_source", "company_name_source"]
LENGTHS = ["chinese_characters", "tokens", "sentences"]
BODY_LENGTHS = [f"body_{name}" for name in LENGTHS]
READ = ["status", "reason", "pages", "text_pages", "ocr_pages", "readable_share", "reader", "extractor"]
USE = ["is_used", "use_status", "use_reason", "winner_document_id"]
COLUMNS = ["file", "document_id", *IDENTITY, *SOURCES, *READ, *USE, *LENGTHS, *BODY_LENGTHS, "unmapped_characters"]
WHOLE_NUMBERS = ["report_year", "revision_number", "pages", "text_pages", "ocr_pages", *LENGTHS, *BODY_LENGTHS]


@dataclass(frozen=True)
class Side:
    """An export that is compared.

    Parameters
    ----------
    folder : Path
        Where it lies.
    name : str
        How it is called.
    run : mapping
        Its run.json.
    """

    folder: Path
    name: str
    run: Mapping[str, Any]

    def path(self, name: str) -> str:
        """Return a file's path as DuckDB takes it, which reads * ? [ as a pattern."""
        return re.sub(r"([*?\[])", r"[\1]", str(self.folder / name))

    @cached_property
    def documents(self) -> pd.DataFrame:
        """The files, one row each, in order of name; text as it was before it was escaped for spreadsheets."""
        path = self.folder / DOCUMENTS
        found = pd.read_csv(path, encoding="utf-8-sig", dtype="str", keep_default_na=False, na_values=[""])
        found = found.reindex(columns=COLUMNS)
        for name in found.columns:
            texts = {text: unescape_formula(text) for text in found[name].dropna().unique()}
            if any(text != plain for text, plain in texts.items()):
                found[name] = found[name].map(texts)
        for name in WHOLE_NUMBERS:
            found[name] = pd.to_numeric(found[name]).astype("Int64")
        found["is_used"] = found["is_used"].eq("True")
        return found.sort_values("file", ignore_index=True)

    @property
    def years(self) -> list[int]:
        """The report years it is limited to; empty for all."""
        return [int(year) for year in self.run.get("parameters", {}).get("years", [])]

    @property
    def rule(self) -> str:
        """The matching rule."""
        return str(self.run.get("parameters", {}).get("rule", ""))

    @property
    def scopes(self) -> list[str]:
        """The parts of a report."""
        return [str(name) for name in self.run.get("parameters", {}).get("scopes", [])]

    @property
    def hashes(self) -> dict[str, str]:
        """The hash of each word list."""
        return {name: str(each["hash"]) for name, each in self.run.get("dictionaries", {}).items()}

    def terms(self, dictionary: str) -> dict[str, list[str]] | None:
        """Return the terms of a list by dimension; None where the export does not hold them."""
        found: dict[str, list[str]] | None = self.run.get("terms", {}).get(dictionary)
        return found

    @property
    def versions(self) -> dict[str, str]:
        """The versions of the software and its packages."""
        return {name: str(value) for name, value in self.run.get("versions", {}).items()}

    @property
    def reading_methods(self) -> dict[str, str]:
        """The methods behind the texts; empty where the export does not say them."""
        return {name: str(value) for name, value in self.run.get("methods", {}).get("reading", {}).items()}

    def measuring_methods(self, dictionary: str) -> dict[str, str]:
        """Return the methods behind a list's hits; empty where the export does not say them."""
        found = self.run.get("methods", {}).get("measuring", {}).get(dictionary, {})
        return {name: str(value) for name, value in found.items()}

    @property
    def texts_key(self) -> str:
        """The key that stands for all methods behind the texts; empty where it is not known."""
        return str(self.run.get("methods", {}).get("keys", {}).get("texts", ""))


def open_side(folder: Path) -> Side:
    """Open an export.

    Raises
    ------
    UsageError
        If it is no export, or lacks files.
    """
    missing = [name for name in NEEDED if not (folder / name).is_file()]
    if not folder.is_dir() or RUN_FILE in missing:
        raise UsageError(
            f"{folder}: no export in it ({RUN_FILE} is not there); name a folder that 'shuzhi export' wrote"
        )
    if missing:
        raise UsageError(f"{folder}: {', '.join(missing)} is missing; export again, or put it back")
    try:
        run = read_run(folder)
    except (OSError, ValueError) as error:
        raise UsageError(f"{folder / RUN_FILE}: cannot be read ({error}); export again") from None
    return Side(folder, folder.name, run)


def are_identical(before: Side, after: Side) -> bool:
    """Tell whether two exports hold the same files, byte for byte; what run.json says of its last run is left out."""
    first, second = ({**side.run, LAST_RUN: None} for side in (before, after))
    names = {name for side in (before, after) for name in (*side.run.get("outputs", {}), *NEEDED)} - {RUN_FILE}
    return first == second and all(
        (before.folder / name).is_file()
        and (after.folder / name).is_file()
        and filecmp.cmp(before.folder / name, after.folder / name, shallow=False)
        for name in sorted(names)
    )


def inputs_of(before: Side, after: Side) -> pd.DataFrame:
    """Return everything the two exports say of how they were made, side by side."""
    first, second = _inputs(before), _inputs(after)
    names = list(dict.fromkeys([*first, *second]))
    rows = [(name, first.get(name, ""), second.get(name, "")) for name in names]
    return pd.DataFrame(rows, columns=["what", "before", "after"], dtype="str")


def _inputs(side: Side) -> dict[str, str]:
    parameters = side.run.get("parameters", {})
    found = {"rule": side.rule, "scopes": ", ".join(side.scopes), "years": ", ".join(map(str, side.years)) or "all"}
    if not side.reading_methods:
        found["extractor"] = "; ".join(map(str, parameters.get("extractor", [])))
    for name, each in side.run.get("dictionaries", {}).items():
        found[f"dictionary {name}"] = f"{each['hash']} ({each['terms']} terms)"
    found |= {f"reading: {name}": value for name, value in side.reading_methods.items()}
    for name in side.hashes:
        found |= {f"measuring {name}: {method}": value for method, value in side.measuring_methods(name).items()}
    return found | side.versions


def as_text(value: Any) -> str:
    """Return a cell as text; empty where it is missing."""
    return "" if pd.isna(value) else str(value)
