"""The descriptor of a release: a Data Package (v1) whose tables have types, labels, ranges, keys, sizes and hashes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from flows.publishing.definitions import DataSet, Definitions
from flows.publishing.releases import file_sha256
from nlp.dictionary import Dictionary
from shuzhi import __version__

DEFAULT_TITLE = "企业年报指数 / Firm-year indices from annual reports"
MISSING_RULE = "缺失不等于零。Missing is never zero: an empty cell is a report that could not be read; reason says why."
REPORTS_SOURCE = {"title": "Annual reports of listed firms, as filed 上市公司年度报告"}
TYPES = {"text": "string", "integer": "integer", "number": "number", "boolean": "boolean"}
# File of an export, and what its table is called in the codebook; the key that names a row, where one does.
TABLES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "indices.csv": ("indices_wide", ("stock_code", "report_year")),
    "indices_long.csv": ("indices_long", ("stock_code", "report_year", "index")),
    # Two folders of one store may hold files of the same name.
    "documents.csv": ("documents", ()),
    "failures.csv": ("failures", ()),
    "sections.csv": ("sections", ()),
    "codebook.csv": ("codebook", ("table", "name")),
}
MEDIA_TYPES = {
    ".csv": "text/csv",
    ".parquet": "application/vnd.apache.parquet",
    ".dta": "application/x-stata-dta",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".html": "text/html",
    ".md": "text/markdown",
    ".json": "application/json",
}
DESCRIPTIONS = {
    "indices.csv": "Firm-year indices, one row a firm-year",
    "indices.parquet": "As indices.csv, Parquet",
    "indices.dta": "As indices.csv, Stata 14 or later, Chinese labels",
    "indices.xlsx": "As indices.csv, Excel, codes as text",
    "indices_long.csv": "One row a firm-year and index, with numerator, denominator, reason, document",
    "indices_long.parquet": "As indices_long.csv, Parquet",
    "hits.parquet": "Every hit with sentence, page, flags and kind",
    "documents.csv": "Every file: whose report it is, whether it is used, and why not",
    "failures.csv": "Files that give no index, with the reason",
    "sections.csv": "The sections of each annual report",
    "codebook.csv": "Every column of every table",
    "codebook.md": "The codebook, to read",
    "quality.csv": "What the quality gate found in the years",
    "quality.md": "The quality gate, to read",
    "report.html": "The report; start here",
    "evidence.html": "From any number to its sentences",
    "run.json": "Parameters, versions, hashes of dictionaries and outputs",
    "release.json": "Version, definitions, software, gate",
    "gate.csv": "Every check of the gate before publishing",
    "gate.md": "The gate, to read",
    "CHANGES.md": "What changed since the release before",
    "changes.csv": "Every changed number and why",
}


def describe_package(folder: Path, version: str, definitions: Definitions) -> dict[str, Any]:
    """Return the descriptor of everything in a release's folder.

    Parameters
    ----------
    folder : Path
        The release, complete but for descriptor and checksums.
    version : str
        Its version.
    definitions : Definitions
        The data set and its definitions.

    Returns
    -------
    dict
        Ready for ``datapackage.json``; the same folder gives the same descriptor.
    """
    data_set = definitions.data_set
    lists = [each for definition in definitions.definitions for each in definition.lists()]
    package: dict[str, Any] = {
        "profile": "data-package",
        "name": data_set.name,
        "title": data_set.title or DEFAULT_TITLE,
        "description": " ".join(filter(None, [data_set.description, MISSING_RULE])),
        "version": version,
        "keywords": ["annual reports", "listed firms", "China", "firm-year", "text indices"],
        "created_with": f"shuzhi {__version__}",
        "contributors": [_filled(each.model_dump()) for each in data_set.contributors],
        "licenses": _licences(data_set),
        "sources": [*([_filled(each.model_dump()) for each in data_set.sources] or [REPORTS_SOURCE]), *_cited(lists)],
        "resources": resources(folder, [each.name for each in definitions.definitions]),
    }
    return {name: value for name, value in package.items() if value not in ("", [])}


def _filled(values: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in values.items() if value}


def _licences(data_set: DataSet) -> list[dict[str, str]]:
    """Return the licence; none is made up where the file of definitions names none."""
    named = _filled({"name": data_set.licence, "path": data_set.licence_path})
    return [named] if named else []


def _cited(lists: Iterable[Dictionary]) -> list[dict[str, str]]:
    """Return the word lists as sources."""
    titles = []
    for each in lists:
        authors = each.passport.get("authors")
        named = ", ".join(map(str, authors)) if isinstance(authors, list | tuple) else str(authors or "")
        who = ", ".join(filter(None, [named, str(each.passport.get("year", ""))]))
        titles.append(f"{each.title_en} ({who}): word list {each.name}, hash {each.content_hash}")
    return [{"title": title} for title in dict.fromkeys(titles)]


def resources(folder: Path, definitions: Sequence[str]) -> list[dict[str, Any]]:
    """Return one resource a file, those of the release first and then definition by definition."""
    books = {
        name: pd.read_csv(folder / name / "codebook.csv", encoding="utf-8-sig", dtype="str") for name in definitions
    }
    found = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        place = path.relative_to(folder).as_posix()
        definition = place.partition("/")[0] if "/" in place else ""
        found.append(_resource(path, place, definition, books.get(definition)))
    return sorted(found, key=lambda each: ("/" in each["path"], each["path"]))


def _resource(path: Path, place: str, definition: str, book: pd.DataFrame | None) -> dict[str, Any]:
    resource: dict[str, Any] = {
        "name": place.lower().replace("/", "-").replace(".", "-").replace("_", "-"),
        "path": place,
        "description": DESCRIPTIONS.get(path.name, path.name) + (f" ({definition})" if definition else ""),
        "format": path.suffix.removeprefix(".") or "text",
        "mediatype": MEDIA_TYPES.get(path.suffix, "application/octet-stream"),
        "bytes": path.stat().st_size,
        "hash": f"sha256:{file_sha256(path)}",
    }
    if path.name in TABLES and book is not None:
        table, key = TABLES[path.name]
        resource |= {"profile": "tabular-data-resource", "encoding": "utf-8", "schema": schema(path, table, key, book)}
    else:
        # Otherwise readers of packages would take Parquet and Excel for tables without a schema.
        resource |= {"profile": "data-resource", "type": "file"}
    return resource


def schema(path: Path, table: str, key: Sequence[str], book: pd.DataFrame) -> dict[str, Any]:
    """Return the schema of a table, its fields in the order of its columns."""
    header = pd.read_csv(path, encoding="utf-8-sig", nrows=0, dtype="str")
    entries = {str(row["name"]): row for row in book[book["table"] == table].fillna("").to_dict("records")}
    made: dict[str, Any] = {"fields": [_field(str(name), entries[str(name)]) for name in header.columns]}
    return {**made, "missingValues": [""], **({"primaryKey": list(key)} if key else {})}


def _field(name: str, entry: Mapping[Any, Any]) -> dict[str, Any]:
    kind = TYPES[str(entry["type"])]
    field: dict[str, Any] = {
        "name": name,
        "type": kind,
        "title": entry["label_en"],
        "description": entry["label_zh"],
        "unit": entry["unit"],
        "formula": entry["formula"],
        "source": entry["source"],
    }
    if kind == "boolean":
        field |= {"trueValues": ["True"], "falseValues": ["False"]}
    constraints = _constraints(kind, str(entry["valid_range"]))
    return {key: value for key, value in field.items() if value != ""} | (
        {"constraints": constraints} if constraints else {}
    )


def _constraints(kind: str, valid_range: str) -> dict[str, Any]:
    """Return a range as the codebook writes it: ``>= 0``, ``0 to 1``, ``1990 to 2100``."""
    if kind not in ("integer", "number"):
        return {}
    words = valid_range.split()
    if len(words) == 2 and words[0] == ">=":
        return {"minimum": int(words[1])}
    if len(words) == 3 and words[1] == "to":
        return {"minimum": int(words[0]), "maximum": int(words[2])}
    return {}
