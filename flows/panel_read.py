"""The sources of a panel as they lie on disk: CSV, Excel, Stata, Parquet, SQL, and the indices that shuzhi exported."""

from __future__ import annotations

import csv
import json
import os
import re
import sqlite3
import warnings
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd

from econometrics.panel import RawTable
from econometrics.panel.source_spec import SourceSpec
from econometrics.panel.spec import PanelSpec
from econometrics.variables import Variable, variables_from_records
from flows.formats import unescaped
from flows.table_guard import check_table, unpacked
from shuzhi import DataError, UsageError, masked

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
CLUSTER_METADATA = "shuzhi_clusters"
# The tables of a codebook that hold what an output of shuzhi says of its indices.
INDEX_TABLES = ("indices_wide", "indices")
LINES_SEARCHED = 200
_TWO_BYTES = re.compile("[\u0080-\u07ff]")
_THREE_BYTES = re.compile("[\u0800-\U0010ffff]")
_IN_A_WORD = re.compile("[A-Za-z][\u0080-\u07ff]|[\u0080-\u07ff][A-Za-z]")


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
            problems.append(
                f"{spec.at('sources', name)}: source {name}: no {source.path or source.database} in {looked}"
            )
        else:
            places[name] = place
    if problems:
        raise UsageError("\n".join(problems))
    tables = {}
    for name, place in places.items():
        try:
            tables[name] = read_source(spec.sources[name], place)
        except UsageError as error:
            problems.append(f"{spec.at('sources', name)}: source {name}: {error}")
        except Exception as error:
            # Each library has its own errors for a damaged file, some of them none of the usual kinds.
            kind = spec.sources[name].format or format_of(place)
            words = (
                f"cannot be read as {kind} ({type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''})"
            )
            problems.append(f"{spec.at('sources', name)}: source {name}: {words}")
    if problems:
        raise DataError("\n".join(problems))
    return tables


def find_source(source: SourceSpec, folder: Path, data: Path | None) -> str | None:
    """Return where a source is: an URL as it is, a path in the data folder or in that of the specification."""
    named = source.database if source.format == "sql" else source.path
    if masked(named) != named:
        raise UsageError(f"{masked(named)}: write $NAME for the password, and set that variable: files are passed on")
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
    if "://" not in place:
        check_table(place)
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
        raise UsageError(f"{path.name}: unknown kind of table; say format: ({', '.join(FORMATS)})")
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
        text = content.decode("utf-8-sig")
        if not _is_chance(text):
            return text, "utf-8"
        return content.decode("gb18030"), "gb18030 (as UTF-8 it would hold no Chinese)"
    except UnicodeDecodeError as error:
        try:
            return content.decode("gb18030"), f"gb18030 (no UTF-8 from byte {error.start:,} on)"
        except UnicodeDecodeError as second:
            raise DataError(
                f"is neither UTF-8 (byte {error.start:,}) nor GB18030 (byte {second.start:,}); say encoding:"
            ) from None


def _is_chance(text: str) -> bool:
    """Tell whether bytes that are UTF-8 are so by chance, and common Chinese characters in GB18030 in truth.

    A short file may be: 营业 in GB18030 is Ӫҵ in UTF-8. Such letters have two bytes each, none stands beside a Latin
    one as in größer, and each pair of bytes is one of the 3,755 common characters (level 1 of GB 2312).
    """
    if not (_TWO_BYTES.search(text) and not _THREE_BYTES.search(text)) or _IN_A_WORD.search(text):
        return False
    pairs = [letter.encode("utf-8") for letter in text if not letter.isascii()]
    return all(0xB0 <= first <= 0xD7 and second >= 0xA1 for first, second in pairs)


def read_csv(source: SourceSpec, place: str) -> RawTable:
    """Read a CSV file, its header included; lines of notes that begin with # come first and are kept."""
    content = unpacked(Path(place).read_bytes(), Path(place).name)
    text, encoding = decode(content, source.encoding)
    notes = []
    while text.startswith(("#", "\ufeff#")):
        line, _, text = text.partition("\n")
        notes.append(line.lstrip("\ufeff# ").strip())
    separator = source.separator if source.separator != "auto" else _separator(text)
    if len(separator) != 1:
        raise DataError(f"separator: {separator!r} is not one character")
    top = list(csv.reader(StringIO("\n".join(text.splitlines()[:LINES_SEARCHED])), delimiter=separator))
    width = max((len(row) for row in top), default=0)
    if not width:
        raise DataError("cannot be read as csv: it is empty")
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
    return RawTable(unescaped(cells), facts=facts, citation=citation)


def _separator(text: str) -> str:
    lines = [line for line in text.splitlines()[:50] if line.strip()]
    counts = {each: sum(line.count(each) for line in lines) for each in (",", "\t", ";", "|")}
    return max(counts, key=lambda each: counts[each]) if any(counts.values()) else ","


def read_excel(source: SourceSpec, place: str) -> RawTable:
    """Read a sheet of an Excel file, its header included."""
    # Calamine reads ten times as fast as openpyxl, and .xls too; the cells are the same.
    with warnings.catch_warnings(action="ignore"), pd.ExcelFile(place, engine="calamine") as book:
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
    with pd.read_stata(place, convert_categoricals=False, iterator=True) as reader:
        labels = reader.variable_labels()
    frame = pd.read_stata(place, convert_categoricals=False)
    variables = {
        name: Variable(name, label_zh="" if label.isascii() else label, label_en=label if label.isascii() else "")
        for name, label in labels.items()
    }
    return RawTable(frame, has_header=True, variables=variables)


def read_parquet(source: SourceSpec, place: str) -> RawTable:
    """Read a Parquet file; one that a panel was written to brings its variables along."""
    frame = pd.read_parquet(place)
    return RawTable(frame, has_header=True, variables=panel_metadata(place)[0])


def read_sql(source: SourceSpec, place: str) -> RawTable:
    """Run a query on a SQLite or DuckDB file, or on a database by its URL."""
    if "://" in place:
        import sqlalchemy

        try:
            engine = sqlalchemy.create_engine(place)
            with engine.connect() as connection:
                return RawTable(pd.read_sql_query(sqlalchemy.text(source.query), connection), has_header=True)
        except (sqlalchemy.exc.SQLAlchemyError, pd.errors.DatabaseError) as error:
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
        ".csv": lambda: unescaped(
            pd.read_csv(table, encoding="utf-8-sig", dtype={"stock_code": str}, low_memory=False)
        ),
        ".dta": lambda: pd.read_stata(table, convert_categoricals=False),
        ".xlsx": lambda: pd.read_excel(table, engine="calamine", dtype={"stock_code": str}),
    }
    if table.suffix not in read:
        raise DataError(f"{table.name} is no file of indices; name the folder, or indices.parquet or indices.csv in it")
    check_table(table)
    frame = read[table.suffix]()
    if isinstance(source.columns, dict):
        return RawTable(frame, has_header=True, variables=codebook_of(folder), citation="shuzhi")
    keys = [name for name in ("stock_code", "report_year") if name in frame.columns]
    numbers = [str(name) for name in frame.columns if name not in keys and _is_index(frame[name])]
    return RawTable(frame[[*keys, *numbers]], has_header=True, variables=codebook_of(folder), citation="shuzhi")


def _is_index(column: pd.Series) -> bool:
    return bool(pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype))


def codebook_of(folder: Path) -> dict[str, Variable]:
    """Return what the codebook of an output folder says of its indices."""
    path = folder / "codebook.csv"
    if not path.is_file():
        return {}
    table = unescaped(pd.read_csv(path, encoding="utf-8-sig", dtype=str, keep_default_na=False))
    rows = table[table["table"].isin(INDEX_TABLES)] if "table" in table.columns else table
    return variables_from_records([{str(k): str(v) for k, v in row.items()} for row in rows.to_dict("records")])


def panel_metadata(place: str) -> tuple[dict[str, Variable], dict[str, Any]]:
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
    check_table(path)
    if path.suffix == ".parquet":
        variables, facts = panel_metadata(str(path))
        return pd.read_parquet(path), variables, facts
    if path.suffix == ".dta":
        raw = read_stata(SourceSpec(path=path.name), str(path))
        return raw.cells, dict(raw.variables), {}
    from flows.quality_gate import read_panel

    frame = read_panel(str(path))
    codebook = path.parent / "codebook.csv"
    return frame, codebook_of(path.parent) if codebook.is_file() else {}, {}
