"""A panel from its specification: sources joined step by step, and every row and value that was lost accounted for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from econometrics.declarations.yaml_lines import Place
from econometrics.panel.checks import check_panel
from econometrics.panel.joins import JOIN_COLUMNS, join_tables
from econometrics.panel.limits import limit_values, relabel
from econometrics.panel.names import name_problems
from econometrics.panel.result import PANEL, Panel
from econometrics.panel.rows import (
    ADJUSTMENT_COLUMNS,
    DEFINITION_COLUMNS,
    Flow,
    apply_filter,
    blank_values,
    condition_of,
    define_variables,
)
from econometrics.panel.sources import RawTable, Source, tidy_source
from econometrics.panel.spec import (
    BlankStep,
    CompleteStep,
    DefineStep,
    DropStep,
    JoinStep,
    KeepStep,
    MinimumYearsStep,
    PanelSpec,
    PlacesStep,
    TrimStep,
    WinsoriseStep,
)
from econometrics.panel.steps.names import printed_sources
from econometrics.panel.steps.result import UNMATCHED_COLUMNS, PanelNote, StepResult
from econometrics.panel.steps.specs import DataStep
from econometrics.variables import Variable
from shuzhi import DataError, SpecError


@dataclass
class _State:
    """What a panel is while it is built."""

    data: pd.DataFrame
    variables: dict[str, Variable]
    flow: Flow
    joins: list[dict[str, object]]
    adjustments: list[dict[str, object]]
    definitions: list[pd.DataFrame]
    results: list[StepResult] = field(default_factory=list)


def build_panel(spec: PanelSpec, tables: Mapping[str, RawTable]) -> Panel:
    """Build a panel.

    Parameters
    ----------
    spec : PanelSpec
        What `parse_panel_spec` gave.
    tables : mapping of str to RawTable
        What the file of each source holds.

    Returns
    -------
    Panel
        The same tables give the same panel.

    Raises
    ------
    SpecError
        If a name points nowhere, now that the columns of all sources are known.
    DataError
        If a file is not what the specification says: all problems of all sources at once; a join that is not what it
        was declared to be, with the keys; a check that fails, with the rows.
    """
    sources = read_sources(spec, tables)
    problems = name_problems(spec, {name: list(source.data.columns) for name, source in sources.items()})
    if problems:
        raise spec.error(problems)
    first = sources[spec.start]
    flow = Flow(PANEL, spec.firm)
    flow.start(first.data, f"rows of the source {first.name}")
    state = _State(_with_keys(first.data, spec, flow), dict(first.variables), flow, [], [], [])
    for number, step in enumerate(spec.steps):
        _take_step(state, step, spec, sources, ("steps", number))
    return _finish(state, spec, sources)


def refine_panel(
    data: pd.DataFrame, variables: Mapping[str, Variable], spec: PanelSpec, notes: Sequence[PanelNote] = ()
) -> Panel:
    """Do the steps of a specification on a table that is a panel already; none of them is a join.

    Parameters
    ----------
    data : DataFrame, one row a firm-year
        Has the keys of the specification.
    variables : mapping of str to Variable
        What is known of its columns.
    spec : PanelSpec
        Only its keys, steps and checks are used.
    notes : sequence of PanelNote
        What the panel's own specification found out, which must be said of the result too.

    Raises
    ------
    SpecError, DataError
        As `build_panel`.
    """
    flow = Flow(PANEL, spec.firm)
    flow.start(data, "rows of the panel")
    state = _State(_with_keys(data, spec, flow), dict(variables), flow, [], [], [])
    for number, step in enumerate(spec.steps):
        _take_step(state, step, spec, {}, ("steps", number))
    found = _finish(state, spec, {})
    return replace(found, notes=tuple(dict.fromkeys([*notes, *found.notes])))


def read_sources(spec: PanelSpec, tables: Mapping[str, RawTable]) -> dict[str, Source]:
    """Turn every table into a source; the problems of all of them are said at once."""
    sources, problems = {}, []
    printed = printed_sources(spec.steps)
    for name in spec.sources:
        try:
            sources[name] = tidy_source(name, tables[name], spec, as_printed=name in printed)
        except SpecError:
            raise
        except DataError as error:
            problems.append(str(error))
    if problems:
        raise DataError("\n".join(problems))
    return sources


def _with_keys(data: pd.DataFrame, spec: PanelSpec, flow: Flow) -> pd.DataFrame:
    """Drop the rows without a firm or a year, and say how many."""
    for key in (spec.firm, spec.year):
        if data[key].isna().any():
            data = data[data[key].notna()]
            flow.add(data, f"no {key}")
    return data


def _take_step(state: _State, step: object, spec: PanelSpec, sources: Mapping[str, Source], place: Place) -> None:
    """Do one step of a specification."""
    match step:
        case JoinStep():
            _join(state, step, spec, sources[step.join], place)
        case DefineStep() | PlacesStep():
            places = [step] if isinstance(step, PlacesStep) else []
            definitions = step.define if isinstance(step, DefineStep) else {}
            made = define_variables(state.data, state.variables, places, definitions, spec, place)
            state.data, state.variables = made.data, made.variables
            state.definitions.append(made.definitions)
        case KeepStep():
            state.data = apply_filter(state.data, step.keep, True, step.because, spec, (*place, "keep"), state.flow)
        case DropStep():
            state.data = apply_filter(state.data, step.drop, False, step.because, spec, (*place, "drop"), state.flow)
        case CompleteStep():
            _complete(state, step)
        case MinimumYearsStep():
            years = state.data.groupby(spec.firm)[spec.year].transform("nunique")
            state.data = state.data[years >= step.minimum_years]
            state.flow.add(state.data, f"firms with fewer than {step.minimum_years} years")
        case BlankStep():
            condition = condition_of(state.data, step.where, spec, (*place, "where"))
            words = f"{step.because} ({step.where})"
            state.data, rows = blank_values(state.data, step.blank, condition, words)
            state.adjustments += rows
        case WinsoriseStep() | TrimStep():
            _limit(state, step, spec, place)
        case _ if isinstance(step, DataStep):
            _attach(state, step, spec, sources, place)


def _join(state: _State, step: JoinStep, spec: PanelSpec, source: Source, place: Place) -> None:
    joined = join_tables(state.data, source.data, step, spec.at(*place))
    report = joined.report
    state.joins.append(report)
    words = (
        f"joined {step.join} ({step.relationship}): {report['left_matched']:,} of {report['left_rows']:,} rows matched"
    )
    removed = f"; {report['right_unmatched']:,} of its own {report['right_rows']:,} rows found no partner"
    if step.keep == "matched":
        words += f", the others removed (e.g. {report['left_examples']})" if report["left_examples"] else ""
    state.data = joined.data
    if step.keep == "both":
        state.data = _with_keys(state.data, spec, state.flow)
    state.flow.add(state.data, words + removed)
    right_keys = {right for _, right in step.pairs()}
    for name in step.take or source.data.columns:
        if name not in right_keys:
            known = source.variables.get(name, Variable(name))
            state.variables[step.prefix + name] = replace(known, name=step.prefix + name)


def _attach(state: _State, step: DataStep, spec: PanelSpec, sources: Mapping[str, Source], place: Place) -> None:
    """Add the columns of a step that keeps all rows, and note what it says."""
    # Clusters, K-densities and inventories are loaded for panels that ask for them.
    from econometrics.panel.steps.result import Given
    from econometrics.panel.steps.run import do_step

    made = do_step(step, Given(state.data, state.variables, sources, spec.firm, spec.year, spec.at(*place)))
    state.data = pd.concat([state.data, made.columns], axis=1)
    state.variables |= made.variables
    state.joins += made.joins
    state.definitions.append(made.definitions())
    state.flow.add(state.data, made.said)
    state.results.append(made)


def _complete(state: _State, step: CompleteStep) -> None:
    """Drop the rows without a value of each variable, one variable a line."""
    for name in step.complete:
        state.data = state.data[state.data[name].notna()]
        state.flow.add(state.data, f"no value of {name}")


def _limit(state: _State, step: WinsoriseStep | TrimStep, spec: PanelSpec, place: Place) -> None:
    state.data, rows = limit_values(state.data, step, spec, place)
    state.adjustments += rows
    by = f" by {', '.join(step.by)}" if step.by else ""
    if isinstance(step, WinsoriseStep):
        words = f"winsorised at {step.lower:g} and {step.upper:g}{by}"
        state.variables = relabel(state.variables, step.winsorise, step.suffix, words)
    else:
        words = f"missing beyond {step.lower:g} and {step.upper:g}{by}"
        state.variables = relabel(state.variables, step.trim, "", words)


def _finish(state: _State, spec: PanelSpec, sources: Mapping[str, Source]) -> Panel:
    """Sort the panel, leave out what is not wanted, and check it."""
    if state.data.empty:
        shown = "; ".join(f"{row.what}: -{row.rows_removed:,}" for row in state.flow.frame().itertuples())
        raise DataError(f"{spec.file}: no row is left ({shown})")
    data = state.data.sort_values([spec.firm, spec.year], ignore_index=True, kind="stable")
    keys = [spec.firm, spec.year]
    data = data[[*keys, *(name for name in spec.output or data.columns if name not in keys)]]
    if not data[spec.year].isna().any():
        data = data.assign(**{spec.year: data[spec.year].astype("int64")})
    # A panel that is refined was checked when it was built; its estimates count infinite values and leave them out.
    if sources or spec.checks:
        check_panel(data, spec.firm, spec.year, spec.checks, spec.at("checks"))
    definitions = [*(source.definitions for source in sources.values()), *state.definitions]
    return Panel(
        name=spec.panel,
        firm=spec.firm,
        year=spec.year,
        data=data,
        variables={str(name): state.variables.get(str(name), Variable(str(name))) for name in data.columns},
        flow=_flow(state, sources),
        joins=pd.DataFrame(state.joins, columns=list(JOIN_COLUMNS)),
        adjustments=pd.DataFrame(state.adjustments, columns=list(ADJUSTMENT_COLUMNS)).astype(_ADJUSTMENT_KINDS),
        definitions=_stacked(definitions),
        reading=_reading(state, sources),
        spec_hash=spec.content_hash,
        title_en=spec.title_en,
        title_zh=spec.title_zh,
        unmatched=_stacked([each.unmatched for each in state.results], UNMATCHED_COLUMNS),
        notes=tuple(dict.fromkeys(note for each in state.results for note in each.notes)),
        cluster_maps={next(iter(each.tables)): each.cluster_map for each in state.results if each.cluster_map},
        tables=_by_file([each.tables for each in state.results if not each.cluster_map]),
        texts=_by_file([each.texts for each in state.results]),
    )


def _flow(state: _State, sources: Mapping[str, Source]) -> pd.DataFrame:
    """Stack the flows of the sources, of what steps made of them, and of the panel."""
    parts = [*(source.flow for source in sources.values()), *(each.flow for each in state.results if len(each.flow))]
    return pd.concat([*parts, state.flow.frame()], ignore_index=True)


def _reading(state: _State, sources: Mapping[str, Source]) -> pd.DataFrame:
    columns = ["source", "column", "what", "cells", "examples"]
    steps = pd.DataFrame([row for each in state.results for row in each.reading], columns=columns)
    return _stacked([*(source.reading for source in sources.values()), steps], columns)


def _by_file(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Merge what steps name by file; the second of a name gets a number."""
    found: dict[str, Any] = {}
    for part in parts:
        for name, content in part.items():
            numbers = (f"{name}_{number}" for number in range(2, len(found) + 3))
            found[name if name not in found else next(each for each in numbers if each not in found)] = content
    return found


_ADJUSTMENT_KINDS = {
    **dict.fromkeys(("lower", "upper", "lower_limit", "upper_limit"), "float64"),
    **dict.fromkeys(("observations", "changed_below", "changed_above"), "Int64"),
}


def _stacked(frames: Sequence[pd.DataFrame], columns: Sequence[str] = DEFINITION_COLUMNS) -> pd.DataFrame:
    filled = [frame for frame in frames if len(frame)]
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=list(columns))
