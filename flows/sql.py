"""Questions in SQL: one that only reads, its values bound, its answer a frame or a file."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

from flows.formats import write_csv, write_parquet, write_xlsx
from shuzhi import UsageError

AnswerFormat = Literal["csv", "parquet", "xlsx"]
NOT_A_QUESTION = (
    "sql: one query that only reads is answered (SELECT, FROM, WITH, DESCRIBE, SHOW, SUMMARIZE); to save an answer say"
    " --out FILE"
)
_WHOLE_NUMBERS: Mapping[pa.DataType, Any] = {
    **{kind: pd.Int64Dtype() for kind in (pa.int8(), pa.int16(), pa.int32(), pa.int64())},
    **{kind: pd.Int64Dtype() for kind in (pa.uint8(), pa.uint16(), pa.uint32())},
    pa.uint64(): pd.UInt64Dtype(),
    pa.bool_(): pd.BooleanDtype(),
}


def ask(connection: duckdb.DuckDBPyConnection, query: str, values: Mapping[str, Any] | None = None) -> pa.Table:
    """Answer one query that only reads.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        With the tables that may be asked for.
    query : str
        One statement; ``$name`` stands for a value.
    values : mapping of str to object, optional
        What the names stand for; bound, never pasted into the query. Text is taken as the number that it is compared
        with, so ``"2020"`` does for a year and ``"000001"`` for a code.

    Returns
    -------
    pyarrow.Table
        The answer, with DuckDB's own types.

    Raises
    ------
    UsageError
        If the query is none, writes something, or DuckDB does not take it; its own words say why.
    """
    if not query.strip():
        raise UsageError('sql: the query is empty; try "SELECT * FROM documents LIMIT 5"')
    try:
        statements = connection.extract_statements(query)
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            raise UsageError(NOT_A_QUESTION)
        with warnings.catch_warnings():
            # It says that one more copy of the rows is made, which an answer can bear.
            warnings.simplefilter("ignore", UserWarning)
            return connection.execute(statements[0], dict(values or {})).to_arrow_table()
    except duckdb.Error as error:
        raise UsageError(f"sql: {error}") from None


def answer_frame(table: pa.Table) -> pd.DataFrame:
    """Return an answer as a frame in which whole numbers and truth values stay such where some are missing.

    Sums, which DuckDB gives as numbers of 38 digits, are whole numbers too where they fit into 64 bits.
    """
    for place, field in enumerate(table.schema):
        if pa.types.is_decimal(field.type):
            table = table.set_column(place, field.name, _usual_number(table.column(place), field.type.scale))
    frame: pd.DataFrame = table.to_pandas(types_mapper=_WHOLE_NUMBERS.get)
    return frame


def _usual_number(column: pa.ChunkedArray, scale: int) -> pa.ChunkedArray:
    if scale == 0:
        try:
            return column.cast(pa.int64())
        except pa.ArrowInvalid:
            pass
    return column.cast(pa.float64())


def _flat(frame: pd.DataFrame, schema: pa.Schema) -> pd.DataFrame:
    """Return a frame in which lists and structures are text (JSON), as a file of cells can hold them."""
    for field in schema:
        if pa.types.is_nested(field.type):
            cells = [None if value is None else as_json(value) for value in frame[field.name]]
            frame = frame.assign(**{field.name: pd.Series(cells, index=frame.index, dtype="str")})
    return frame


def as_json(value: Any) -> str:
    """Return a list or a structure as JSON."""
    plain = value.tolist() if isinstance(value, np.ndarray) else value
    return json.dumps(plain, ensure_ascii=False, default=lambda each: getattr(each, "tolist", each.__str__)())


def parse_values(given: Sequence[str]) -> dict[str, str]:
    """Turn ``name=value`` into the values of a query.

    Raises
    ------
    UsageError
        If one has no ``=``, no name, or a name comes twice.
    """
    values: dict[str, str] = {}
    for text in given:
        name, sign, value = text.partition("=")
        if not sign or not name.isidentifier() or name in values:
            raise UsageError(f"sql: --value {text}: write name=value, each name once, for example code=000001")
        values[name] = value
    return values


def format_of(path: Path, chosen: AnswerFormat | None = None) -> AnswerFormat:
    """Return the format of a file: the one that was chosen, else the one that its name ends with.

    Raises
    ------
    UsageError
        If the name ends with none of them.
    """
    suffix = path.suffix.lower().removeprefix(".")
    for known in get_args(AnswerFormat):
        if known == (chosen or suffix):
            return known  # type: ignore[no-any-return]
    raise UsageError(f"sql: {path.name} ends with no known format; name it .csv, .parquet or .xlsx, or say --format")


def write_answer(table: pa.Table, path: Path, chosen: AnswerFormat | None = None) -> None:
    """Write an answer to a file, which is replaced only when all of it is written.

    Parameters
    ----------
    table : pyarrow.Table
        The answer.
    path : Path
        File ending with .csv, .parquet or .xlsx.
    chosen : {"csv", "parquet", "xlsx"}, optional
        Format of a file that is called otherwise.

    Raises
    ------
    UsageError
        If the format is not known, two columns share a name, or a column of codes holds numbers.
    """
    doubled = sorted({name for name in table.column_names if table.column_names.count(name) > 1})
    if doubled:
        raise UsageError(f"sql: the answer has several columns {', '.join(doubled)}; name them apart with AS")
    kind, frame = format_of(path, chosen), answer_frame(table)
    if kind == "csv":
        write_csv(_flat(frame, table.schema), path)
    elif kind == "xlsx":
        write_xlsx({"answer": _flat(frame, table.schema)}, path)
    else:
        write_parquet(frame, path, {})
