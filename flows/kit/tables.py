"""The tables of a study kit: the indices wide and long, the hits where they were asked for, their codebook."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from flows.codebook import table_sections
from flows.formats import FORMULA_RULE_EN, FORMULA_RULE_ZH, replacing, write_csv, write_dta, write_parquet, write_xlsx
from flows.notebook import Export
from shuzhi import __version__

# The name of a file says where reports lie on somebody's machine.
WIDE_LEFT_OUT = ("file",)
# The same in every row, or in the wide table beside the firm-year.
LONG_LEFT_OUT = ("company_name", "dictionary_hash", "rule", "document_id")
HITS_KEPT = (
    "stock_code",
    "report_year",
    "dictionary",
    "term",
    "dimension",
    "page",
    "section",
    "furniture",
    "matched",
    "sentence",
    "org_name",
    "false_sense",
    "negated",
    "person",
    "other_party",
    "context",
    "plan",
    "kind",
    "is_published",
    "is_strict",
)


def kit_tables(export: Export, has_sentences: bool) -> dict[str, pd.DataFrame]:
    """Return the tables of a kit by their names: those of the export without what is nobody else's business."""
    found = {
        "indices_wide": export.indices.drop(columns=list(WIDE_LEFT_OUT)),
        "indices_long": export.indices_long.drop(columns=list(LONG_LEFT_OUT)),
    }
    if has_sentences:
        hits = export.hits
        found["hits"] = hits.loc[hits["is_used"], list(HITS_KEPT)].reset_index(drop=True)
    return found


def write_tables(tables: Mapping[str, pd.DataFrame], export: Export, folder: Path) -> None:
    """Write each table: indices as CSV, Stata, Parquet and Excel, hits as CSV and Parquet."""
    metadata = {"shuzhi": __version__, "rule": str(export.run["parameters"]["rule"])}
    for name, table in tables.items():
        write_csv(table, folder / f"{name}.csv")
        write_parquet(table, folder / f"{name}.parquet", metadata)
        if name == "hits":
            continue
        write_xlsx({name: table}, folder / f"{name}.xlsx")
        label = f"shuzhi {__version__} {name}" + (" SIMULATED 模拟数据" if export.run["is_simulated"] else "")
        write_dta(table, folder / f"{name}.dta", export.labels("zh", name), label)


def kit_codebook(export: Export, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the rows of the export's codebook that are about the kit's tables and columns."""
    kept = [(table, str(name)) for table, frame in tables.items() for name in frame.columns]
    rows = export.codebook.set_index(["table", "name"]).loc[kept].reset_index()
    return rows.dropna(axis="columns", how="all")


def write_codebook(book: pd.DataFrame, folder: Path, note: str) -> None:
    """Write the codebook as CSV, Markdown and Excel, a sheet a table."""
    write_csv(book, folder / "codebook.csv")
    write_xlsx({str(table): part for table, part in book.groupby("table", sort=False)}, folder / "codebook.xlsx")
    head = [
        "# 变量说明 Codebook",
        *(["", f"> {note}"] if note else []),
        "",
        "- 缺失不等于零。Missing is never zero: `reason` says why.",
        "- 股票代码一律为文本。Stock codes are text, so that leading zeros stay.",
        "- `stata_name` 为 `.dta` 文件中的变量名。`stata_name` is the name in the `.dta` files.",
        f"- {FORMULA_RULE_ZH} {FORMULA_RULE_EN}",
    ]
    write_text(folder / "codebook.md", "\n".join([*head, *table_sections(book)]) + "\n")


def provenance(export: Export) -> dict[str, Any]:
    """Return what the export says of how it was made, without places of a machine and without lists of words."""
    kept = ("what", "title", "is_simulated", "parameters", "dictionaries", "passports", "methods", "versions", "counts")
    return {name: export.run[name] for name in kept if name in export.run}


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write JSON, keys in order, beside its place and rename it."""
    write_text(path, json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write text in UTF-8 with plain line ends, beside its place, and rename it."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")
