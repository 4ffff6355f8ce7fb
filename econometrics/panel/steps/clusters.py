"""Clusters in a panel: the map of earlier years attached to firm-years, with all that did not enter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from econometrics.clusters.attach import FOUND, AttachedClusters, attach_clusters
from econometrics.panel.joins import join_report
from econometrics.panel.sources import Source
from econometrics.panel.steps.cluster_map import BuiltMap, build_map
from econometrics.panel.steps.cluster_specs import ClustersStep
from econometrics.panel.steps.names import CLUSTER_COLUMNS
from econometrics.panel.steps.result import StepResult, counted, notes_of, prefixed, unmatched_rows
from econometrics.variables import Variable
from shuzhi import DataError


def clusters_step(
    step: ClustersStep, data: pd.DataFrame, sources: Mapping[str, Source], year: str, where: str
) -> StepResult:
    """Attach the clusters of an earlier year to a panel.

    Parameters
    ----------
    step : ClustersStep
        Sources, method, and how the map is attached.
    data : DataFrame, one row a firm-year
        The panel.
    sources : mapping of str to Source
        Those that the step names.
    year : str
        Column of the year.
    where : str
        File and line, for messages.
    """
    built = build_map(step, sources, where)
    each, harmonised = step.attach, step.harmonise
    mapped_year = harmonised.target_year if harmonised else None
    mapped_scheme = harmonised.target_scheme if harmonised else None
    try:
        attached = attach_clusters(
            data[[each.place, each.industry, year]],
            built.clusters,
            lag=each.lag,
            base_year=each.base_year,
            place=each.place,
            industry=each.industry,
            year=year,
            place_level=step.place_level,
            firm_places=each.firm_places,
            cluster_places=each.cluster_places or mapped_year or "own",
            firm_scheme=each.firm_scheme or ("listed" if mapped_scheme else "as_given"),
            cluster_scheme=each.cluster_scheme or mapped_scheme or "as_given",
            absent=each.absent,
            several=each.several,
        )
    except DataError as error:
        raise DataError(f"{where}: {error}") from None
    return _result(step, built, attached, data, year)


def _result(
    step: ClustersStep, built: BuiltMap, attached: AttachedClusters, data: pd.DataFrame, year: str
) -> StepResult:
    name = f"clusters {step.method}" + (f" ({step.prefix})" if step.prefix else "")
    found = attached.data[list(CLUSTER_COLUMNS)]
    found = found.assign(is_cluster=found["is_cluster"].astype("Float64").astype("float64"))
    columns, variables = prefixed(found, _variables(step, attached), step.prefix, ", ".join(step.clusters))
    is_found = found["cluster_match"].eq(FOUND)
    lost = found[~is_found]
    keys = data.loc[lost.index, [step.attach.place, step.attach.industry]].astype("str").fillna("(missing)")
    label = keys[step.attach.place] + " " + keys[step.attach.industry] + " " + lost["cluster_year"].astype("str")
    in_panel = unmatched_rows(
        name, f"{step.attach.place}, {step.attach.industry}, {year}", counted(label, lost["cluster_match"])
    )
    unmapped = [unmatched_rows(name, f"microdata: {what}", rows) for what, rows in built.unmapped.groupby("what")]
    reasons = "; ".join(f"{reason}: {count:,}" for reason, count in attached.matches.items() if reason != FOUND)
    member, known = int(found["is_cluster"].sum()), int(found["is_cluster"].notna().sum())
    said = f"{name}: {member:,} of {len(found):,} rows in a cluster, {len(found) - known:,} unknown"
    prefix = f"{step.prefix}clusters"
    return StepResult(
        step=name,
        said=f"{said} ({reasons})" if reasons else said,
        columns=columns,
        variables=variables,
        reasons={step.prefix + each: _why_missing(found, each) for each in found.columns},
        joins=(_join_line(step, built, found, data, year),),
        unmatched=pd.concat([in_panel, *unmapped], ignore_index=True),
        flow=built.flow,
        reading=tuple(
            {
                "source": row["source"],
                "column": row["column"],
                "what": f"{row['check']}, {row['treatment']}",
                "cells": row["rows"],
                "examples": row["examples"],
            }
            for row in built.checks.to_dict("records")
        ),
        notes=notes_of(name, (*built.clusters.assumptions, *attached.assumptions), built.clusters.warnings),
        tables={prefix: built.clusters.to_frame()},
        texts={prefix: built.clusters.summary() + "\n\n" + attached.summary()},
        cluster_map=built.clusters,
    )


def _why_missing(found: pd.DataFrame, name: str) -> str:
    """Return why values of a column are missing, with counts; a row that was found and has none is no cluster."""
    counts = found.loc[found[name].isna(), "cluster_match"].replace(FOUND, "no cluster").value_counts()
    return "; ".join(f"{reason}: {count:,}" for reason, count in counts.sort_index().items())


def _join_line(
    step: ClustersStep, built: BuiltMap, found: pd.DataFrame, data: pd.DataFrame, year: str
) -> dict[str, Any]:
    """Return the line of the report of joins: firm-years with a cell of the map, cells that a firm-year uses."""
    when = f"{year} - {step.attach.lag}" if step.attach.lag is not None else str(step.attach.base_year)
    left = data[[step.attach.place, step.attach.industry]].assign(cluster_year=found["cluster_year"])
    cells = built.clusters.data[["place", "industry", "year"]]
    matched = found[found["cluster_match"].eq(FOUND)]
    used = set(matched[["cluster_place", "cluster_industry", "cluster_year"]].itertuples(index=False, name=None))
    is_used = pd.Series([key in used for key in cells.itertuples(index=False, name=None)], index=cells.index)
    facts = (f"clusters of {', '.join(step.clusters)}", "many_to_one", f"place, industry, year = {when}", "left")
    return join_report(facts, (left, found["cluster_match"].eq(FOUND)), (cells, is_used))


_LABELS = {
    "cluster_year": ("Year of the cluster map", "集群年份", "year"),
    "cluster_place": ("Place in the cluster map", "集群所在地区代码", ""),
    "cluster_industry": ("Industry in the cluster map", "集群行业代码", ""),
    "is_cluster": ("In an industrial cluster", "是否处于产业集群", "0/1"),
    "cluster_size": ("Size of the cluster", "产业集群规模", ""),
    "cluster_strength": ("Strength of the cluster", "产业集群强度", ""),
    "cluster_candidates": ("Cells that the codes may stand for", "代码可能对应的集群单元数", "cells"),
    "cluster_match": ("How the cluster was found", "集群匹配结果", ""),
}


def _variables(step: ClustersStep, attached: AttachedClusters) -> dict[str, Variable]:
    when = f"{step.attach.lag} years before" if step.attach.lag is not None else f"in {step.attach.base_year}"
    zh = f"滞后{step.attach.lag}年" if step.attach.lag is not None else f"{step.attach.base_year}年"
    options = ", ".join(f"{key}={value}" for key, value in step.options.items() if not isinstance(value, dict))
    formula = f"{step.method}({options}) of place and industry {when}"
    size = str(step.options.get("size", "employment")) if step.method != "given" else ""
    found = {}
    for name, (label_en, label_zh, unit) in _LABELS.items():
        is_value = name in ("is_cluster", "cluster_size", "cluster_strength")
        own = {"cluster_size": {"firms": "firms", "employment": "persons"}.get(size, "")}.get(name, unit)
        found[name] = Variable(
            name,
            f"{label_en}, {when}" if is_value else label_en,
            f"{label_zh}（{zh}）" if is_value else label_zh,
            own,
            formula if is_value else "",
        )
    return found
