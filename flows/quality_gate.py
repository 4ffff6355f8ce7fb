"""The quality gate on a store's indices, or on any panel in a file."""

from __future__ import annotations

import gzip
from codecs import BOM_UTF8
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from flows.formats import in_fence, replacing, unescaped, write_csv
from flows.store import Store
from flows.table_guard import check_table
from flows.tables import SCHEMAS
from nlp.quality import QualityReport, check_index
from shuzhi import StoreError, UsageError

COUNTS_OF_STORE = """
    SELECT i.stock_code, i.report_year, i.dictionary || '_' || i.rule || '_' || i.scope AS measured, i.dimension,
        i.value, d.chinese_characters AS characters, d.readable_share
    FROM indices AS i LEFT JOIN documents AS d ON d.document_id = i.document_id AND d.is_used
        AND d.stock_code = i.stock_code AND d.report_year = i.report_year
    WHERE i.measure = 'count'
        AND (len($dictionaries) = 0 OR list_contains($dictionaries, i.dictionary))
        AND (len($rules) = 0 OR list_contains($rules, i.rule))
        AND (len($scopes) = 0 OR list_contains($scopes, i.scope))
    ORDER BY ALL
"""
CODE_DIGITS = 6
TABLE_ENDINGS = ".csv, .csv.gz, .parquet, .dta or .xlsx"


@dataclass(frozen=True)
class PanelColumns:
    """Names of the columns of a panel in a file; empty ones are looked for by their usual name."""

    values: Sequence[str] = field(default=())
    stock_code: str = "stock_code"
    report_year: str = "report_year"
    industry: str = ""
    characters: str = ""
    readable_share: str = ""


def read_panel(path: str, stock_code: str = "stock_code") -> pd.DataFrame:
    """Read a table of firm-years: stock codes as text of six digits, lines of notes before the header left out.

    Raises
    ------
    UsageError
        If it cannot be read.
    """
    place = Path(path)
    name = place.name.lower()
    try:
        check_table(place)
        if name.endswith((".csv", ".csv.gz")):
            notes = _notes_before_header(place)
            kinds = {stock_code: str}
            frame = pd.read_csv(place, skiprows=notes, dtype=kinds, encoding="utf-8-sig", low_memory=False)
            frame = unescaped(frame)
        elif name.endswith(".parquet"):
            frame = pd.read_parquet(place)
        elif name.endswith(".dta"):
            frame = pd.read_stata(place, convert_categoricals=False)
        elif name.endswith(".xlsx"):
            frame = pd.read_excel(place, engine="calamine", dtype={stock_code: str})
        else:
            raise UsageError(f"{path}: no kind of table that is known; give {TABLE_ENDINGS}")
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror or error})") from None
    except ImportError as error:
        raise UsageError(f"{path}: {error}; save it as CSV in UTF-8, or install that package") from None
    except (ValueError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read ({error}); save it as CSV in UTF-8") from None
    if stock_code in frame.columns:
        frame[stock_code] = _codes(frame[stock_code])
    return frame


def _notes_before_header(path: Path) -> int:
    """Return the number of lines that begin with # before the header."""
    with path.open("rb") as file, gzip.open(file) if path.suffix == ".gz" else nullcontext(file) as lines:
        for number, line in enumerate(lines):
            if not line.removeprefix(BOM_UTF8).startswith(b"#"):
                return number
    return 0


def _codes(codes: pd.Series) -> pd.Series:
    """Return stock codes as text; what lost its leading zeros gets them back."""
    if pd.api.types.is_numeric_dtype(codes):
        codes = codes.astype("Int64").astype("string")
    codes = codes.astype("string").str.strip()
    is_short = codes.str.fullmatch(r"\d{1,5}").fillna(False)
    return codes.mask(is_short, codes.str.zfill(CODE_DIGITS)).astype(object)


def check_panel(path: str, columns: PanelColumns) -> dict[str, QualityReport]:
    """Run the gate on a panel in a file."""
    panel = read_panel(path, columns.stock_code)
    try:
        report = check_index(
            panel,
            values=columns.values,
            stock_code=columns.stock_code,
            report_year=columns.report_year,
            industry=columns.industry,
            characters=columns.characters,
            readable_share=columns.readable_share,
        )
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from None
    return {Path(path).name: report}


def check_store(
    store: Store, dictionaries: Sequence[str] = (), rules: Sequence[str] = (), scopes: Sequence[str] = ()
) -> dict[str, QualityReport]:
    """Run the gate on the counts by dimension of every list, rule and scope that was measured.

    Parameters
    ----------
    store : Store
        With indices.
    dictionaries, rules, scopes : sequence of str
        Those to judge; empty takes all.

    Returns
    -------
    dict of str to QualityReport
        By list, rule and scope.

    Raises
    ------
    StoreError
        If nothing was measured.
    UsageError
        If there is only one report year.
    """
    wanted = {"dictionaries": list(dictionaries), "rules": list(rules), "scopes": list(scopes)}
    counts = store.query(SCHEMAS, COUNTS_OF_STORE, wanted)
    if counts.empty:
        raise StoreError(f"store {store.url} has no indices; run 'shuzhi measure' first")
    reports = {}
    for measured, rows in counts.groupby("measured"):
        dimensions = [name for name in dict.fromkeys(rows["dimension"]) if name != "total"]
        names = dimensions if len(dimensions) > 1 else ["total"]
        long = rows[rows["dimension"].isin(names)].rename(columns={"dimension": "index"})
        if long["value"].notna().any() and long["report_year"].nunique() > 1:
            reports[str(measured)] = check_index(long, values=_with_values(long, names))
    if not reports:
        raise UsageError("the data hold one report year; a year is judged by those around it")
    return reports


def _with_values(long: pd.DataFrame, names: Sequence[str]) -> list[str]:
    """Return the indices that have a value in some firm-year."""
    has_value = long.groupby("index")["value"].apply(lambda values: values.notna().any())
    return [name for name in names if has_value.get(name, False)]


def report_lines(reports: dict[str, QualityReport]) -> list[str]:
    """Return reports as text."""
    lines = []
    for name, report in reports.items():
        state = "passes" if report.is_ok else f"FAILS ({', '.join(check.name for check in report.failing)})"
        lines.append(f"{name}: {report.firm_years:,} firm-years, {len(report.columns)} columns: {state}")
        if report.failing_years:
            lines.append(f"years at fault: {', '.join(map(str, report.failing_years))}")
        if report.failing_columns:
            lines.append(f"columns at fault in every year: {', '.join(report.failing_columns)}")
        lines += [*report.lines(), ""]
    return lines


def write_reports(reports: dict[str, QualityReport], out: Path, why_not: str = "") -> None:
    """Write what was found: ``quality.csv``, one row a finding, and ``quality.md``; or why nothing could be judged."""
    out.mkdir(parents=True, exist_ok=True)
    findings = [report.to_frame().assign(panel=name) for name, report in reports.items()]
    table = pd.concat(findings, ignore_index=True) if findings else pd.DataFrame(columns=["panel"])
    write_csv(table[["panel", *[name for name in table.columns if name != "panel"]]], out / "quality.csv")
    with replacing(out / "quality.md") as temporary:
        lines = report_lines(reports) if reports else [f"not judged: {why_not}"]
        text = "\n".join(["# Quality of the indices", "", "```", *map(in_fence, lines), "```"])
        temporary.write_text(text + "\n", encoding="utf-8", newline="\n")
