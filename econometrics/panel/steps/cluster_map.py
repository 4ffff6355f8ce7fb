"""A map of clusters from the sources of a specification: microdata read, codes of one list, clusters found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from econometrics.clusters.map import SHAPE, ClusterMap, cluster_table
from econometrics.clusters.microdata import find_columns, standard_microdata
from econometrics.clusters.microdata_codes import industry_codes, number_values, place_codes, year_numbers
from econometrics.clusters.one_list import harmonise
from econometrics.panel.rows import FLOW_COLUMNS
from econometrics.panel.sources import Source
from econometrics.panel.steps.cluster_specs import ClusterMapSpec
from econometrics.panel.steps.names import TABLE_OPTIONS, method_function, plain_options
from econometrics.panel.units import conversion_factor, split_header
from econometrics.panel.values import text_of
from econometrics.places.lists import place_at_level
from econometrics.reference import load_reference
from shuzhi import DataError

_TRUE, _FALSE = frozenset(("1", "true", "yes", "是")), frozenset(("0", "false", "no", "否"))


@dataclass(frozen=True)
class BuiltMap:
    """A map of clusters and how it came about.

    Parameters
    ----------
    clusters : ClusterMap
        The map.
    flow : DataFrame
        Rows of the microdata, step by step, with ``FLOW_COLUMNS``.
    checks : DataFrame
        What was odd in them: ``source``, ``check``, ``column``, ``rows``, ``treatment``, ``examples``.
    unmapped : DataFrame
        Codes of places and industries that the lists do not have: ``what``, ``given``, ``rows``, ``reason``.
    """

    clusters: ClusterMap
    flow: pd.DataFrame
    checks: pd.DataFrame
    unmapped: pd.DataFrame


def build_map(step: ClusterMapSpec, sources: Mapping[str, Source], where: str) -> BuiltMap:
    """Read microdata, bring their codes to one list, and find clusters.

    Parameters
    ----------
    step : ClusterMapSpec
        Sources, method and options.
    sources : mapping of str to Source
        Those that the step names.
    where : str
        File and line, for messages.

    Raises
    ------
    DataError
        If a source lacks a column, no establishment is left, or an option cannot be.
    """
    try:
        if step.method == "given":
            return _given(step, sources[step.clusters[0]])
        return _found(step, sources)
    except DataError as error:
        raise DataError(f"{where}: {error}") from None


class _Rows:
    """The flow of rows that are counted, not shown."""

    def __init__(self, table: str, what: str, rows: int) -> None:
        self.table, self.left = table, rows
        self.lines: list[dict[str, Any]] = []
        self._note(what, 0)

    def lose(self, rows: int, what: str) -> None:
        self.left -= rows
        self._note(what, rows)

    def _note(self, what: str, removed: int) -> None:
        self.lines.append(dict(zip(FLOW_COLUMNS, (self.table, what, removed, self.left, pd.NA, pd.NA), strict=True)))


def _frame(lines: list[dict[str, Any]]) -> pd.DataFrame:
    frame = pd.DataFrame(lines, columns=list(FLOW_COLUMNS))
    return frame.astype({"firms_removed": "Int64", "firms_left": "Int64"})


def _found(step: ClusterMapSpec, sources: Mapping[str, Source]) -> BuiltMap:
    _check_mapping(step, sources)
    table = "clusters " + ", ".join(step.clusters)
    losses: dict[str, int] = {}
    parts, checks = [], []
    given = 0
    for name in step.clusters:
        source = sources[name]
        found = standard_microdata(
            source.data,
            mapping=_mapping_of(step, source) or None,
            factors=_factors(step, source),
            industry_digits=step.industry_digits,
            place_level="county" if step.harmonise and step.harmonise.target_year else step.place_level,
            year=step.source_year,
            duplicates=step.duplicates,
        )
        parts.append(found.data)
        checks.append(found.checks.assign(source=name))
        given += found.rows_given
        for reason, count in found.dropped.items():
            losses[reason] = losses.get(reason, 0) + count
    rows = _Rows(table, f"establishments of {', '.join(step.clusters)}", given)
    for reason, count in losses.items():
        rows.lose(count, reason)
    data = pd.concat(parts, ignore_index=True)
    unmapped = pd.DataFrame(columns=["what", "given", "rows", "reason"])
    if step.harmonise:
        data, unmapped = _harmonised(step, data, rows)
    clusters = method_function(step)(data, **_options(step, sources, data))
    for reason, count in clusters.dropped.items():
        if count:
            rows.lose(0, f"not used by {step.method}: {count:,} {reason}")
    order = ["source", "check", "column", "rows", "treatment", "examples"]
    return BuiltMap(clusters, _frame(rows.lines), pd.concat(checks, ignore_index=True)[order], unmapped)


def _mapping_of(step: ClusterMapSpec, source: Source) -> dict[str, str]:
    """Return the mapping of the headers that a source has, written with their unit or without."""
    found = {}
    for key, header in step.mapping.items():
        names = (header, split_header(text_of(header) or "")[0])
        there = next((name for name in names if name in source.data.columns), None)
        if there is not None:
            found[key] = there
    return found


def _check_mapping(step: ClusterMapSpec, sources: Mapping[str, Source]) -> None:
    """Refuse a header of the mapping that none of the files has."""
    headers = {str(name) for each in step.clusters for name in sources[each].data.columns}
    found = {key for each in step.clusters for key in _mapping_of(step, sources[each])}
    absent = [f"{key}: {header}" for key, header in step.mapping.items() if key not in found]
    if absent:
        raise DataError(f"mapping: no such header ({'; '.join(absent)}); the headers are {', '.join(sorted(headers))}")


def _factors(step: ClusterMapSpec, source: Source) -> dict[str, float]:
    """Return what numbers are multiplied with: as the step says, else from the units that the headers print."""
    columns, _ = find_columns([str(name) for name in source.data.columns], _mapping_of(step, source) or None)
    units = load_reference("establishment_columns").data.drop_duplicates("column").set_index("column")["unit"]
    factors = dict(step.factors)
    for name, header in columns.items():
        printed = source.variables[header].unit if header in source.variables else ""
        wanted = str(units.get(name, "")).replace("persons", "person")
        if name not in factors and printed and wanted and wanted != "degrees":
            factors[name] = conversion_factor(printed, wanted)
    return factors


def _harmonised(step: ClusterMapSpec, data: pd.DataFrame, rows: _Rows) -> tuple[pd.DataFrame, pd.DataFrame]:
    assert step.harmonise is not None
    each = step.harmonise
    result = harmonise(
        data,
        target_year=each.target_year,
        target_scheme=each.target_scheme,
        source_scheme=each.source_scheme,
        place_level=step.place_level,
        place_splits=each.place_splits,
        industry_splits=each.industry_splits,
    )
    for reason, count in result.dropped.items():
        rows.lose(count, reason)
    lost = data[~data.index.isin(result.data.index)]
    tables = []
    if result.places is not None:
        pairs = result.places.data
        pairs = pairs[pairs["target_place"].isna()]
        keys = lost.groupby(["place", "year"]).size().rename("rows").reset_index()
        found = keys.merge(pairs[["place", "year", "reason"]], on=["place", "year"])
        label = found["place"] + " " + found["year"].astype("str")
        tables.append(pd.DataFrame({"what": "place", "given": label, "rows": found["rows"], "reason": found["reason"]}))
    if len(result.industries):
        codes = result.industries[result.industries["target_industry"].isna()].drop_duplicates("industry")
        keys = lost.groupby("industry").size().rename("rows").reset_index()
        found = keys.merge(codes[["industry", "reason"]], on="industry")
        columns = {"what": "industry", "given": found["industry"], "rows": found["rows"], "reason": found["reason"]}
        tables.append(pd.DataFrame(columns))
    unmapped = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()
    return result.data, unmapped


def _options(step: ClusterMapSpec, sources: Mapping[str, Source], data: pd.DataFrame) -> dict[str, Any]:
    """Return the options of a method with its tables in place of the names of their sources."""
    options = plain_options(step)
    if options.get("reach") == "k_density":
        del options["reach"]
    for name, value in step.options.items():
        if name not in TABLE_OPTIONS:
            continue
        if name == "groups" and isinstance(value, int | float):
            options[name] = _own_groups(step, data, int(value))
        elif value == "locational_correlation":
            options[name] = _correlation(step, data)
        else:
            options[name] = _table(name, sources[value], step) if isinstance(value, str) else value
    return options


def _correlation(step: ClusterMapSpec, data: pd.DataFrame) -> pd.DataFrame:
    from econometrics.clusters.related import locational_correlation

    return locational_correlation(data, size=step.options.get("size", "employment"))


def _own_groups(step: ClusterMapSpec, data: pd.DataFrame, groups: int) -> pd.Series:
    from econometrics.clusters.related import group_industries

    return group_industries(_correlation(step, data), groups)


def _table(name: str, source: Source, step: ClusterMapSpec) -> Any:
    """Return the table of an option in the shape that its method takes."""
    table = source.data[list(TABLE_OPTIONS[name])].copy()
    if name == "area":
        return _areas(place_codes(table["place"])[0], number_values(table["area_km2"])[0], step)
    table["industry"] = industry_codes(table["industry"])[0]
    if name == "groups":
        return table.set_index("industry")["group"].astype("str")
    table["other_industry"] = industry_codes(table["other_industry"])[0]
    table[name] = number_values(table[name])[0]
    return table.pivot(index="industry", columns="other_industry", values=name)


def _areas(codes: pd.Series, areas: pd.Series, step: ClusterMapSpec) -> pd.DataFrame:
    """Return the areas of places at a level: its own where the table has it, else the sum over the places in it."""
    twice = codes[codes.ne("") & codes.duplicated()]
    if len(twice):
        raise DataError(
            f"area: {len(twice):,} places stand more than once, such as {twice.iloc[0]}; keep one row of each"
        )
    table = pd.DataFrame({"code": codes, "area_km2": areas})[codes.ne("")]
    table["place"] = [place_at_level(code, step.place_level) for code in table["code"]]
    own = table[table["code"] == table["place"]]
    parts = table[~table["place"].isin(own["place"])]
    sums = parts.groupby("place", sort=True)["area_km2"].sum(min_count=1).reset_index()
    return pd.concat([own[["place", "area_km2"]], sums], ignore_index=True)


def _given(step: ClusterMapSpec, source: Source) -> BuiltMap:
    """Read a table of clusters that is ready: codes get their zeros back, is_cluster becomes true or false."""
    _check_mapping(step, {source.name: source})
    data = source.data.rename(columns={header: name for name, header in _mapping_of(step, source).items()})
    needed = [name for name in SHAPE[:4] if name not in data.columns]
    if needed:
        raise DataError(
            f"the source {source.name} has no column {', '.join(needed)}; name them under mapping:. It has "
            + ", ".join(map(str, source.data.columns))
        )
    given = len(data)
    places = place_codes(data["place"])[0]
    truth = data["is_cluster"].map(_truth)
    table = pd.DataFrame(
        {
            "place": pd.Series(
                [place_at_level(code, step.place_level) if code else "" for code in places], dtype="str"
            ),
            "industry": industry_codes(data["industry"])[0].array,
            "year": year_numbers(data["year"]).array,
            "is_cluster": truth.array,
        }
    )
    for name in SHAPE[4:]:
        table[name] = number_values(data[name])[0].array if name in data.columns else np.nan
    rows = _Rows("clusters " + source.name, f"rows of {source.name}", given)
    for is_lost, words in (
        (table["place"].eq(""), "without a place"),
        (table["industry"].eq(""), "without an industry"),
        (table["year"].isna(), "without a year"),
        (table["is_cluster"].isna(), "where is_cluster is neither yes nor no"),
    ):
        count = int((is_lost & table["place"].ne("lost")).sum())
        if count:
            rows.lose(count, words)
            table.loc[is_lost, "place"] = "lost"
    table = table[table["place"].ne("lost")].astype({"year": "int64", "is_cluster": "bool"})
    extra = ["cluster_size", "cluster_strength"]
    clusters = ClusterMap(cluster_table(table, extra), "given", {"source": source.name})
    checks = pd.DataFrame(columns=["source", "check", "column", "rows", "treatment", "examples"])
    unmapped = pd.DataFrame(columns=["what", "given", "rows", "reason"])
    return BuiltMap(clusters, _frame(rows.lines), checks, unmapped)


def _truth(value: object) -> bool | None:
    text = str(value).strip().lower().removesuffix(".0")
    return True if text in _TRUE else False if text in _FALSE else None
