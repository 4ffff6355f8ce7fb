"""A source as it comes becomes a table: columns by their printed headers, units, codes, filters, one row a key."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from econometrics.declarations.yaml_lines import nearest
from econometrics.panel.header import Header, split_header_rows
from econometrics.panel.rows import DEFINITION_COLUMNS, Flow, apply_filter, define_variables, resolve_repeated
from econometrics.panel.source_spec import ColumnSpec, KeepSpec, SourceSpec
from econometrics.panel.spec import PanelSpec
from econometrics.panel.units import conversion_factor, split_header
from econometrics.panel.values import guess_kind, read_column, text_of
from econometrics.variables import Variable
from shuzhi import DataError

EXAMPLES = 5


@dataclass(frozen=True)
class RawTable:
    """What a file holds, before anything of it is understood.

    Parameters
    ----------
    cells : DataFrame
        With ``has_header`` the columns bear their names; otherwise every cell of the file, header included.
    has_header : bool
        Whether the names of the columns are known already.
    variables : mapping of str to Variable
        What the file itself says of its columns (labels of Stata, a codebook).
    facts : mapping of str to str
        How it was read, for example its encoding.
    citation : str
        Where the file says it comes from.
    """

    cells: pd.DataFrame
    has_header: bool = False
    variables: Mapping[str, Variable] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)
    citation: str = ""


@dataclass(frozen=True)
class Source:
    """A table that can be joined.

    Parameters
    ----------
    name : str
        Its name in the specification.
    data : DataFrame, one row a record
        Its columns by their names in the specification.
    variables : mapping of str to Variable
        What they are.
    flow : DataFrame
        What was removed, see `econometrics.panel.rows.Flow`.
    reading : DataFrame, columns source, column, what, cells, examples
        Everything that is not as a cell says: sentinels, units converted, codes that are none.
    definitions : DataFrame
        The variables that were computed, and why values are missing.
    """

    name: str
    data: pd.DataFrame
    variables: Mapping[str, Variable]
    flow: pd.DataFrame
    reading: pd.DataFrame
    definitions: pd.DataFrame


def tidy_source(name: str, raw: RawTable, spec: PanelSpec, *, as_printed: bool = False) -> Source:
    """Turn a source as it comes into a table.

    Parameters
    ----------
    name : str
        Its name in the specification.
    raw : RawTable
        What its file holds.
    spec : PanelSpec
        The specification.
    as_printed : bool
        Whether the cells of all columns are left as they are, under their printed headers, if none are declared.

    Raises
    ------
    DataError
        With every column that is not there, every cell that is no number, and keys that stand twice.
    """
    source = spec.sources[name]
    where = f"{spec.at('sources', name)}: source {name}"
    headers, body, notes = _header_of(raw, source, where)
    facts = [_fact(name, "", f"{what}: {value}") for what, value in raw.facts.items()]
    facts += [_fact(name, "", f"note above the header: {note}") for note in notes]
    if source.wide:
        headers, body = lengthen(headers, body, source, where)
    if as_printed and source.columns == "all":
        return _as_printed(name, headers, body, facts, source, spec)
    columns = _columns_of(source, headers, body)
    chosen = _choose(columns, headers, where)
    keys = source.keys or [spec.firm, spec.year]
    data, variables, reading = _read_all(name, columns, chosen, headers, body, raw, source, keys, where)
    flow = Flow(name, spec.firm)
    flow.start(data, f"rows of {source.path or source.query or name}")
    data, lost = _without_keys(data, [key for key in keys if key in columns], columns, body, chosen, flow)
    made = define_variables(data, variables, source.places, source.define, spec, ("sources", name))
    data, variables = made.data, made.variables
    for number, each in enumerate(source.filters):
        condition = each.keep if isinstance(each, KeepSpec) else each.drop
        keeps = isinstance(each, KeepSpec)
        place = ("sources", name, "filters", number)
        data = apply_filter(data, condition, keeps, each.because, spec, place, flow)
    if set(keys) <= set(data.columns):
        data = resolve_repeated(data, keys, source.repeated, where, flow)
    return Source(
        name,
        data.reset_index(drop=True),
        variables,
        flow.frame(),
        pd.DataFrame([*facts, *reading, *lost], columns=["source", "column", "what", "cells", "examples"]),
        made.definitions,
    )


def _as_printed(
    name: str,
    headers: Sequence[Header],
    body: pd.DataFrame,
    facts: list[dict[str, Any]],
    source: SourceSpec,
    spec: PanelSpec,
) -> Source:
    """Return cells as they are under their printed headers, for steps that know the usual headers of such files."""
    names: list[str] = []
    for position, header in enumerate(headers):
        plain = header.name or f"column_{position + 1}"
        while plain in names:
            plain += "_2"
        names.append(plain)
    data = body.copy(deep=False)
    data.columns = pd.Index(names)
    flow = Flow(name, spec.firm)
    flow.start(data, f"rows of {source.path or source.query or name}")
    variables = {
        plain: Variable(plain, label_zh=header.label, unit=header.unit, source=source.citation or source.path)
        for plain, header in zip(names, headers, strict=True)
    }
    reading = pd.DataFrame(facts, columns=["source", "column", "what", "cells", "examples"])
    return Source(name, data, variables, flow.frame(), reading, pd.DataFrame(columns=list(DEFINITION_COLUMNS)))


def _fact(source: str, column: str, what: str, cells: int = 0, examples: Sequence[str] = ()) -> dict[str, Any]:
    return {"source": source, "column": column, "what": what, "cells": cells, "examples": "; ".join(examples)}


def _header_of(raw: RawTable, source: SourceSpec, where: str) -> tuple[list[Header], pd.DataFrame, tuple[str, ...]]:
    if raw.has_header:
        known = {str(name): raw.variables.get(str(name), Variable(str(name))) for name in raw.cells.columns}
        headers = [
            Header(
                name,
                tuple(dict.fromkeys([name, *filter(None, [text_of(name), each.label_zh, each.label_en])])),
                each.label_zh,
                each.unit,
            )
            for name, each in known.items()
        ]
        body = raw.cells.copy(deep=False).reset_index(drop=True)
        body.columns = pd.RangeIndex(body.shape[1])
        return headers, body, ()
    declared = source.columns if isinstance(source.columns, dict) else {}
    wanted = {column.from_ or name: column.kind or _kind_by_name(name) for name, column in declared.items()}
    try:
        split = split_header_rows(raw.cells, list(wanted), wanted, source.header_rows)
    except DataError as error:
        raise DataError(f"{where}: {error}") from None
    return list(split.headers), split.body, split.notes


def _kind_by_name(name: str) -> str:
    return {"stock_code": "stock_code", "report_year": "year", "year": "year"}.get(name, "number")


def lengthen(
    headers: Sequence[Header], body: pd.DataFrame, source: SourceSpec, where: str
) -> tuple[list[Header], pd.DataFrame]:
    """Turn columns such as ``revenue 2019`` and ``revenue 2020`` into rows with a year."""
    wide = source.wide
    assert wide is not None
    found = [
        next(filter(None, (re.fullmatch(wide.pattern, name) for name in header.names)), None) for header in headers
    ]
    if not any(found):
        raise DataError(f"{where}: no header fulfils the pattern {wide.pattern!r}")
    fixed = [position for position, match in enumerate(found) if match is None]
    split = [split_header(match["name"].strip()) if match else ("", "") for match in found]
    names = list(dict.fromkeys(name for name, _ in split if name))
    years = sorted({match["year"] for match in found if match})
    by_cell = {(split[position][0], match["year"]): position for position, match in enumerate(found) if match}
    parts = []
    for year in years:
        part = body[fixed].copy()
        part["year"] = year
        for name in names:
            position = by_cell.get((name, year))
            part[name] = body[position] if position is not None else None
        part.columns = pd.RangeIndex(part.shape[1])
        parts.append(part)
    units = {name: unit or headers[position].unit for position, (name, unit) in enumerate(split) if name}
    new = [headers[position] for position in fixed] + [Header(wide.year, (wide.year,))]
    new += [Header(name, (name,), "" if name.isascii() else name, units[name]) for name in names]
    return new, pd.concat(parts, ignore_index=True)


def _columns_of(source: SourceSpec, headers: Sequence[Header], body: pd.DataFrame) -> dict[str, ColumnSpec]:
    """Return the columns to take: those declared, or all, under names that a formula can write."""
    if isinstance(source.columns, dict):
        columns = dict(source.columns)
        if source.wide and source.wide.year not in columns:
            columns[source.wide.year] = ColumnSpec(kind="year")
        return columns
    columns = {}
    for position, header in enumerate(headers):
        if not header.name:
            continue
        plain = re.sub(r"\W+", "_", header.name).strip("_") or f"column_{position + 1}"
        plain = plain if plain.isidentifier() else f"column_{plain}"
        while plain in columns:
            plain += "_2"
        columns[plain] = ColumnSpec(from_=header.name, kind=guess_kind(plain, body[position]))
    return columns


def _choose(columns: Mapping[str, ColumnSpec], headers: Sequence[Header], where: str) -> dict[str, int]:
    """Return the position of each column, or say which are not there."""
    chosen: dict[str, int] = {}
    problems = []
    everything = [name for header in headers for name in header.names]
    taken_by_name = {header.name: position for position, header in reversed(list(enumerate(headers)))}
    for name, column in columns.items():
        wanted = text_of(column.from_ or name) or ""
        positions = [position for position, header in enumerate(headers) if wanted in header.names]
        if len(positions) > 1 and wanted in taken_by_name and len({headers[each].name for each in positions}) > 1:
            positions = [position for position in positions if headers[position].name == wanted]
        if not positions:
            problems.append(f"{name}: no header '{wanted}'.{nearest(wanted, everything)}")
        elif len(positions) > 1:
            shown = ", ".join(str(position + 1) for position in positions)
            problems.append(f"{name}: header '{wanted}' stands in columns {shown}; which one is meant?")
        else:
            chosen[name] = positions[0]
    if problems:
        raise DataError(f"{where}: {len(problems)} columns cannot be taken\n  " + "\n  ".join(problems))
    return chosen


def _read_all(
    name: str,
    columns: Mapping[str, ColumnSpec],
    chosen: Mapping[str, int],
    headers: Sequence[Header],
    body: pd.DataFrame,
    raw: RawTable,
    source: SourceSpec,
    keys: Sequence[str],
    where: str,
) -> tuple[pd.DataFrame, dict[str, Variable], list[dict[str, Any]]]:
    """Read every column as what it holds; cells that are no numbers are all said at once."""
    values, variables, reading, problems = {}, {}, [], []
    for column_name, column in columns.items():
        header = headers[chosen[column_name]]
        kind = column.kind or _kind_by_name(column_name)
        read = read_column(body[chosen[column_name]], kind, [*source.missing, *column.missing])
        if read.unreadable and kind in {"number", "boolean"}:
            cells = sum(read.unreadable.values())
            problems.append(f"{column_name}: {cells:,} cells are no {kind}: {_examples(read.unreadable)}")
        elif read.unreadable and column_name not in keys:
            words = f"no {kind}, missing now"
            reading.append(_fact(name, column_name, words, sum(read.unreadable.values()), _list(read.unreadable)))
        for sentinel, cells in sorted(read.sentinels.items()):
            reading.append(_fact(name, column_name, f"'{sentinel}' stands for a missing value", cells))
        printed = column.printed_unit or header.unit
        try:
            factor = conversion_factor(printed, column.unit) if kind == "number" else 1.0
        except DataError as error:
            problems.append(f"{column_name}: {error}")
            factor = 1.0
        series = read.values
        if factor != 1.0:
            series = series * factor
            cells = int(series.notna().sum())
            reading.append(_fact(name, column_name, f"{printed} became {column.unit}: times {factor:g}", cells))
        values[column_name] = series
        variables[column_name] = _variable(column_name, column, header, raw, source, printed)
    if problems:
        way_out = "name what stands for a missing value under missing:, or another kind:"
        raise DataError(f"{where}: {len(problems)} columns cannot be read; {way_out}\n  " + "\n  ".join(problems))
    return pd.DataFrame(values), variables, reading


def _variable(
    name: str, column: ColumnSpec, header: Header, raw: RawTable, source: SourceSpec, printed: str
) -> Variable:
    known = raw.variables.get(header.name, Variable(name))
    return replace(
        known,
        name=name,
        label_en=column.label_en or known.label_en,
        label_zh=column.label_zh or known.label_zh or header.label,
        unit=column.unit or known.unit or printed,
        source=column.source or source.citation or known.source or raw.citation or source.path,
    )


def _list(found: Mapping[str, int]) -> list[str]:
    most = sorted(found.items(), key=lambda item: (-item[1], item[0]))[:EXAMPLES]
    return [f"{value[:40]} ({count:,})" for value, count in most]


def _examples(found: Mapping[str, int]) -> str:
    more = len(found) - EXAMPLES
    return ", ".join(_list(found)) + (f" and {more:,} other values" if more > 0 else "")


def _without_keys(
    data: pd.DataFrame,
    keys: Sequence[str],
    columns: Mapping[str, ColumnSpec],
    body: pd.DataFrame,
    chosen: Mapping[str, int],
    flow: Flow,
) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Drop the rows whose keys cannot be read: blank rows, sums and notes below the table, days within a year."""
    lost = []
    for key in keys:
        is_lost = data[key].isna()
        if is_lost.any():
            shown = [text_of(cell) for cell in body.loc[data.index[is_lost], chosen[key]].head(200)]
            examples = list(dict.fromkeys(f"'{text}'" if text else "blank" for text in shown))[:EXAMPLES]
            words = f"no {columns[key].kind or _kind_by_name(key)} in {key}"
            lost.append(_fact(flow.table, key, f"{words}: row dropped", int(is_lost.sum()), examples))
            data = data[~is_lost]
            flow.add(data, f"{words} ({', '.join(examples)})")
    return data, lost
