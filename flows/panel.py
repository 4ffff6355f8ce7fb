"""Panels on disk: reading their sources (CSV, Excel, Stata, Parquet, SQL, outputs of shuzhi), writing what was built."""

from __future__ import annotations

import gzip
import json
import os
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd

from econometrics.panel import Panel, RawTable, build_panel, parse_panel_spec
from econometrics.panel_spec import PanelSpec, SourceSpec
from econometrics.variables import Variable, codebook_table, variable_labels, variables_from_records, variables_to_records
from flows.formats import replacing, stata_names, write_csv, write_dta, write_parquet, write_xlsx
from shuzhi import DataError, UsageError, __version__

FORMATS = {
    ".csv": "csv",
    ".txt": "csv",
    ".tsv": "csv",
    ".xlsx": "excel",
    ".xlsm": "excel",
    ".xls": "excel",
    ".dta": "stata",
    ".parquet": "parquet",
}
METADATA = "shuzhi_panel"
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
    "panel.txt",
)
# Columns of an output of shuzhi that are no index but belong to the panel, by their names in the codebook.
INDEX_TABLES = ("indices_wide", "indices")


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
        Folder to write ``PANEL_FILES`` to.
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
        raise UsageError(f"{path}: cannot be read ({words}); name the specification of a panel in YAML and UTF-8") from None
    return parse_panel_spec(text, Path(path).name)


def read_tables(spec: PanelSpec, folder: Path, data: Path | None = None) -> dict[str, RawTable]:
    """Read the file of every source; what cannot be read is said of all of them at once.

    Parameters
    ----------
    spec : PanelSpec
        The specification.
    folder : Path
        Where paths begin.
    data : Path, optional
        Where they begin first.
    """
    problems, places = [], {}
    for name, source in spec.sources.items():
        place = find_source(source, folder, data)
        if place is None:
            looked = f"{data} and {folder}" if data else f"{folder}; name the folder of the data with --data"
            problems.append(f"{spec.at('sources', name)}: source {name}: no {source.path or source.database} in {looked}")
        else:
            places[name] = place
    if problems:
        raise UsageError("\n".join(problems))
    tables = {}
    for name, place in places.items():
        try:
            tables[name] = read_source(spec.sources[name], place)
        except (UsageError, OSError, ValueError, ImportError, UnicodeError, LookupError) as error:
            problems.append(f"{spec.at('sources', name)}: source {name}: {error}")
    if problems:
        raise DataError("\n".join(problems))
    return tables


def find_source(source: SourceSpec, folder: Path, data: Path | None) -> str | None:
    """Return where a source is: an URL as it is, a path in the data folder or in that of the specification."""
    named = source.database if source.format == "sql" else source.path
    named = os.path.expandvars(named)
    if "://" in named:
        return named
    for root in (data, folder):
        if root is not None and (root / named).exists():
            return str(root / named)
    return None


def read_source(source: SourceSpec, place: str) -> RawTable:
    """Read one file, folder or query.

    Raises
    ------
    UsageError
        If its format is not known.
    """
    kind = source.format or format_of(place)
    readers: dict[str, Callable[[SourceSpec, str], RawTable]] = {
        "csv": read_csv,
        "excel": read_excel,
        "stata": read_stata,
        "parquet": read_parquet,
        "sql": read_sql,
        "shuzhi": read_shuzhi,
    }
    return readers[kind](source, place)


def format_of(place: str) -> str:
    """Return the format of a path by its ending; a folder is an output of shuzhi."""
    path = Path(place)
    if path.is_dir():
        return "shuzhi"
    ending = Path(path.name.lower().removesuffix(".gz")).suffix
    if ending not in FORMATS:
        raise UsageError(f"{path.name}: no kind of table that is known by its ending; say format: ({', '.join(FORMATS)})")
    return FORMATS[ending]


def decode(content: bytes, encoding: str = "auto") -> tuple[str, str]:
    """Return the text of bytes and its encoding: UTF-16 with a mark, UTF-8, else GB18030.

    Raises
    ------
    DataError
        If it is none of these.
    """
    if encoding != "auto":
        try:
            return content.decode(encoding), encoding
        except (UnicodeDecodeError, LookupError) as error:
            raise DataError(f"is not {encoding} ({error}); leave encoding: out to have it found") from None
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16"), "utf-16"
    try:
        return content.decode("utf-8-sig"), "utf-8"
    except UnicodeDecodeError as error:
        try:
            return content.decode("gb18030"), f"gb18030 (no UTF-8 from byte {error.start:,} on)"
        except UnicodeDecodeError as second:
            raise DataError(
                f"is neither UTF-8 (byte {error.start:,}) nor GB18030 (byte {second.start:,}); say encoding:"
            ) from None


def read_csv(source: SourceSpec, place: str) -> RawTable:
    """Read a CSV file, its header included; lines of notes that begin with # come first and are kept."""
    import csv
    from io import StringIO

    content = Path(place).read_bytes()
    content = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
    text, encoding = decode(content, source.encoding)
    notes = []
    while text.startswith(("#", "\ufeff#")):
        line, _, text = text.partition("\n")
        notes.append(line.lstrip("\ufeff# ").strip())
    separator = source.separator if source.separator != "auto" else _separator(text)
    if len(separator) != 1:
        raise DataError(f"separator: {separator!r} is not one character")
    top = list(csv.reader(StringIO("\n".join(text.splitlines()[:200])), delimiter=separator))
    width = max((len(row) for row in top), default=0)
    if not width:
        raise DataError("the file is empty")
    cells = pd.read_csv(
        StringIO(text),
        header=None,
        names=range(width),
        sep=separator,
        dtype=str,
        keep_default_na=False,
        na_filter=False,
        index_col=False,
        skip_blank_lines=True,
        low_memory=False,
    )
    facts = {"encoding": encoding} | ({"separator": repr(separator)} if separator != "," else {})
    citation = " ".join(note.removeprefix("source:").strip() for note in notes)
    return RawTable(cells, facts=facts, citation=citation)


def _separator(text: str) -> str:
    lines = [line for line in text.splitlines()[:50] if line.strip()]
    counts = {each: sum(line.count(each) for line in lines) for each in (",", "\t", ";", "|")}
    return max(counts, key=lambda each: counts[each]) if any(counts.values()) else ","


def read_excel(source: SourceSpec, place: str) -> RawTable:
    """Read a sheet of an Excel file, its header included."""
    with pd.ExcelFile(place) as book:
        names = [str(name) for name in book.sheet_names]
        if isinstance(source.sheet, str) and source.sheet not in names:
            raise DataError(f"has no sheet '{source.sheet}'; it has {', '.join(names)}")
        if isinstance(source.sheet, int) and not 0 <= source.sheet < len(names):
            raise DataError(f"has no sheet number {source.sheet}; it has {len(names)}, the first is 0")
        cells = pd.read_excel(book, sheet_name=source.sheet, header=None, dtype=object, na_filter=False)
    position = names.index(source.sheet) if isinstance(source.sheet, str) else source.sheet
    others = [name for number, name in enumerate(names) if number != position]
    facts = {"sheet": names[position]} | ({"sheets not read": ", ".join(others)} if others else {})
    return RawTable(cells, facts=facts)


def read_stata(source: SourceSpec, place: str) -> RawTable:
    """Read a Stata file with its variable labels; coded values stay numbers."""
    with pd.io.stata.StataReader(place, convert_categoricals=False) as reader:
        frame = reader.read()
        labels = reader.variable_labels()
    variables = {
        name: Variable(name, label_zh="" if label.isascii() else label, label_en=label if label.isascii() else "")
        for name, label in labels.items()
    }
    return RawTable(frame, has_header=True, variables=variables)


def read_parquet(source: SourceSpec, place: str) -> RawTable:
    """Read a Parquet file; one that a panel was written to brings its variables along."""
    frame = pd.read_parquet(place)
    return RawTable(frame, has_header=True, variables=_metadata_of(place)[0])


def read_sql(source: SourceSpec, place: str) -> RawTable:
    """Run a query on a SQLite or DuckDB file, or on a database by its URL."""
    if "://" in place:
        import sqlalchemy

        try:
            engine = sqlalchemy.create_engine(place)
            with engine.connect() as connection:
                return RawTable(pd.read_sql_query(sqlalchemy.text(source.query), connection), has_header=True)
        except sqlalchemy.exc.SQLAlchemyError as error:
            raise DataError(f"the query failed: {str(error).splitlines()[0]}") from None
    if Path(place).read_bytes()[:15] == b"SQLite format 3":
        with sqlite3.connect(f"{Path(place).resolve().as_uri()}?mode=ro", uri=True) as connection:
            try:
                return RawTable(pd.read_sql_query(source.query, connection), has_header=True)
            except pd.errors.DatabaseError as error:
                raise DataError(f"the query failed: {error}") from None
    import duckdb

    try:
        with duckdb.connect(place, read_only=True) as connection:
            return RawTable(connection.execute(source.query).df(), has_header=True)
    except duckdb.Error as error:
        raise DataError(f"the query failed: {str(error).splitlines()[0]}") from None


def read_shuzhi(source: SourceSpec, place: str) -> RawTable:
    """Read the indices that shuzhi exported: the folder, or one of its files ``indices.*``.

    Keys, the indices by their names, and what the folder's codebook says of them.
    """
    path = Path(place)
    folder = path if path.is_dir() else path.parent
    table = folder / "indices.parquet" if path.is_dir() else path
    if path.is_dir() and not table.is_file():
        table = folder / "indices.csv"
    if not table.is_file():
        raise DataError(f"{folder} holds no indices.parquet and no indices.csv; run 'shuzhi export --out {folder}'")
    read: dict[str, Callable[[], pd.DataFrame]] = {
        ".parquet": lambda: pd.read_parquet(table),
        ".csv": lambda: pd.read_csv(table, encoding="utf-8-sig", dtype={"stock_code": str}, low_memory=False),
        ".dta": lambda: pd.read_stata(table, convert_categoricals=False),
        ".xlsx": lambda: pd.read_excel(table, dtype={"stock_code": str}),
    }
    if table.suffix not in read:
        raise DataError(f"{table.name} is no file of indices; name the folder, or indices.parquet or indices.csv in it")
    frame = read[table.suffix]()
    if isinstance(source.columns, dict):
        return RawTable(frame, has_header=True, variables=_codebook_of(folder), citation="shuzhi")
    keys = [name for name in ("stock_code", "report_year") if name in frame.columns]
    numbers = [str(name) for name in frame.columns if name not in keys and _is_index(frame[name])]
    return RawTable(frame[[*keys, *numbers]], has_header=True, variables=_codebook_of(folder), citation="shuzhi")


def _is_index(column: pd.Series) -> bool:
    return bool(pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype))


def _codebook_of(folder: Path) -> dict[str, Variable]:
    """Return what the codebook of an output folder says of its indices."""
    path = folder / "codebook.csv"
    if not path.is_file():
        return {}
    table = pd.read_csv(path, encoding="utf-8-sig", dtype=str, keep_default_na=False)
    rows = table[table["table"].isin(INDEX_TABLES)] if "table" in table.columns else table
    return variables_from_records([{str(k): str(v) for k, v in row.items()} for row in rows.to_dict("records")])


def write_panel(panel: Panel, out: Path) -> None:
    """Write a panel as Parquet, CSV, Stata and Excel, with its codebook, flow, joins and adjustments."""
    data, variables = panel.data, panel.variables
    codebook = codebook_table(variables, data, panel.year)
    names = stata_names(data.columns)
    codebook.insert(1, "stata_name", [names[name] for name in data.columns])
    reports = {
        "flow": panel.flow,
        "joins": panel.joins,
        "adjustments": panel.adjustments,
        "definitions": panel.definitions,
        "reading": panel.reading,
    }
    metadata = {
        METADATA: json.dumps(
            {
                "name": panel.name,
                "firm": panel.firm,
                "year": panel.year,
                "spec_hash": panel.spec_hash,
                "version": __version__,
                "variables": variables_to_records(variables),
            },
            ensure_ascii=False,
            sort_keys=True,
        )
    }
    labels = variable_labels(variables, [str(name) for name in data.columns], "zh", with_unit=True)
    title = f"{panel.name} (shuzhi {__version__}, spec {panel.spec_hash})"
    write_parquet(data, out / "panel.parquet", metadata)
    write_csv(data, out / "panel.csv")
    write_dta(data, out / "panel.dta", labels, title)
    write_xlsx({"panel": data, "variables": codebook, **reports}, out / "panel.xlsx")
    write_csv(codebook, out / "codebook.csv")
    for name, frame in reports.items():
        write_csv(frame, out / f"{name}.csv")
    with replacing(out / "panel.txt") as temporary:
        temporary.write_text(panel.summary() + "\n", encoding="utf-8", newline="\n")


def _metadata_of(place: str) -> tuple[dict[str, Variable], dict[str, Any]]:
    """Return the variables and keys that a Parquet file says of itself."""
    import pyarrow.parquet as pq

    found = (pq.read_schema(place).metadata or {}).get(METADATA.encode())
    if not found:
        return {}, {}
    content: dict[str, Any] = json.loads(found.decode("utf-8"))
    return variables_from_records(content.get("variables", [])), content


def read_panel_file(place: str) -> tuple[pd.DataFrame, dict[str, Variable], dict[str, Any]]:
    """Read a panel from a file, or from the folder that ``shuzhi panel`` wrote.

    Returns
    -------
    data : DataFrame
        Stock codes are text.
    variables : dict of str to Variable
        As far as the file knows them.
    facts : dict
        Name and keys of the panel, where the file says them.
    """
    path = Path(place)
    path = path / "panel.parquet" if path.is_dir() else path
    if not path.is_file():
        raise UsageError(f"{place}: no such panel; name a table, or the folder that 'shuzhi panel' wrote")
    if path.suffix == ".parquet":
        variables, facts = _metadata_of(str(path))
        return pd.read_parquet(path), variables, facts
    if path.suffix == ".dta":
        raw = read_stata(SourceSpec(path=path.name), str(path))
        return raw.cells, dict(raw.variables), {}
    from flows.quality_gate import read_panel

    frame = read_panel(str(path))
    codebook = path.parent / "codebook.csv"
    return frame, _codebook_of(path.parent) if codebook.is_file() else {}, {}
