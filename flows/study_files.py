"""What a study leaves as data: tidy estimates, the draws behind them with their seeds, the codebook of its sample."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from econometrics.study.results import StudyResults
from econometrics.variables import codebook_table
from flows.formats import stata_names, write_csv, write_parquet

ESTIMATE_COLUMNS = (
    "study",
    "part",
    "name",
    "outcome",
    "effect",
    "mediator",
    "kind",
    "test",
    "check",
    "estimator",
    "aggregation",
    "split",
    "term",
    "group",
    "reference",
    "event_time",
    "estimate",
    "standard_error",
    "statistic",
    "p_value",
    "adjusted_p_value",
    "interval_low",
    "interval_high",
    "observations",
    "degrees_of_freedom",
    "clusters",
    "fixed_effects",
    "cluster",
    "standard_error_kind",
    "seed",
    "draws",
    "flag",
    "spec_hash",
    "data_hash",
)
_NUMBERS = (
    "event_time",
    "estimate",
    "standard_error",
    "statistic",
    "p_value",
    "adjusted_p_value",
    "interval_low",
    "interval_high",
    "observations",
    "degrees_of_freedom",
    "seed",
    "draws",
)
_COUNTS = ("observations", "seed", "draws")


def tidy_estimates(results: StudyResults) -> pd.DataFrame:
    """Return every estimate of a study, one row each, with what it was estimated on.

    Parameters
    ----------
    results : StudyResults
        The study.

    Returns
    -------
    DataFrame
        Columns `ESTIMATE_COLUMNS`; what does not apply is missing.
    """
    frames = []
    for place, result in results.parts().items():
        part, _, name = place.partition("/")
        for own, each in _with_inner(part, result):
            frame = each.to_frame()
            frames.append(frame.assign(**_about(each, frame), part=part, name=name, **own))
    if not frames:
        return pd.DataFrame({name: pd.Series(dtype=_kind(name)) for name in ESTIMATE_COLUMNS})
    fixed = {"study": results.spec.study, "spec_hash": results.spec_hash, "data_hash": results.data_hash}
    columns = {
        name: pd.concat([_column(frame, name) for frame in frames], ignore_index=True)
        for name in ESTIMATE_COLUMNS
        if name not in fixed
    }
    rows = len(columns["part"])
    columns |= {name: pd.Series([value] * rows, dtype="str") for name, value in fixed.items()}
    return pd.DataFrame({name: columns[name] for name in ESTIMATE_COLUMNS})


def _with_inner(part: str, result: Any) -> Iterable[tuple[dict[str, str], Any]]:
    """Yield a result, or for a comparison of estimators each of them with all its effects."""
    if part == "staggered":
        yield from (({"estimator": name}, each) for name, each in result.results.items())
    else:
        yield {}, result


def _about(result: Any, frame: pd.DataFrame) -> dict[str, Any]:
    clusters = getattr(result, "clusters", None)
    named = clusters if isinstance(clusters, Mapping) else {}
    cluster = getattr(result, "cluster", ())
    about = {
        "outcome": getattr(result, "outcome", None),
        "clusters": "; ".join(f"{name}: {count}" for name, count in named.items()) or None,
        "fixed_effects": " + ".join(getattr(result, "fixed_effects", ()) or ()) or None,
        "cluster": (cluster if isinstance(cluster, str) else " + ".join(cluster or ())) or None,
        "standard_error_kind": getattr(result, "standard_error_kind", None),
        "seed": getattr(result, "seed", None),
        "draws": getattr(result, "draws", None),
    }
    return {name: value for name, value in about.items() if name not in frame.columns}


def _kind(name: str) -> str:
    return "Int64" if name in _COUNTS else "float64" if name in _NUMBERS else "str"


def _column(frame: pd.DataFrame, name: str) -> pd.Series:
    kind = _kind(name)
    if name not in frame.columns:
        return pd.Series([None] * len(frame), dtype=kind)
    if kind == "str":
        return frame[name].astype("str").replace({"": pd.NA}).astype("str")
    values = pd.to_numeric(frame[name], errors="coerce").astype("float64")
    return values.round().astype("Int64") if kind == "Int64" else values


def replicate_frames(results: StudyResults) -> dict[str, tuple[pd.DataFrame, dict[str, str]]]:
    """Return the draws behind every interval and p value that was drawn: one row a draw, with seed and method.

    Parameters
    ----------
    results : StudyResults
        The study.

    Returns
    -------
    dict
        By the name of the file: the draws, and what the file says of itself.
    """
    found: dict[str, tuple[pd.DataFrame, dict[str, str]]] = {}
    for place, result in results.parts().items():
        part, _, name = place.partition("/")
        for suffix, owner, frame in _drawn(part, result):
            if frame.empty:
                continue
            drawn = frame.rename(columns=str)
            drawn.insert(0, "draw", np.arange(1, len(frame) + 1))
            about = {"result": place, "seed": str(owner.seed), "draws": str(len(frame))}
            method = getattr(owner, "method", None) or getattr(owner, "bootstrap", None)
            about |= {"method": str(method)} if isinstance(method, str) else {}
            found[plain_name(f"{part}_{name}{suffix}")] = drawn, about
    return found


def _drawn(part: str, result: Any) -> Iterable[tuple[str, Any, pd.DataFrame]]:
    """Yield what a result drew: what the file's name ends with, whose seed it is, and the draws."""
    if part == "thresholds":
        for test in result.tests:
            yield f"_{test.thresholds}", result, pd.DataFrame({"statistic": test.replicates})
        return
    permutation = getattr(result, "permutation", None)
    if permutation is not None:
        yield "_permutation", permutation, _as_frame(permutation.replicates, permutation)
    replicates = getattr(result, "replicates", None)
    if replicates is not None and getattr(result, "seed", None) is not None:
        yield "", result, _as_frame(replicates, result)
    by_moderator = getattr(result, "moderation_replicates", None)
    if by_moderator is not None and result.seed is not None:
        yield "_by_moderator", result, _as_frame(by_moderator, result)


def _as_frame(replicates: Any, owner: Any) -> pd.DataFrame:
    """Return draws as a frame: named columns where the result names its estimates, else numbered ones."""
    if isinstance(replicates, pd.DataFrame):
        return replicates.reset_index(drop=True)
    values = np.asarray(replicates, dtype="float64")
    flat = values.reshape(len(values), -1)
    return pd.DataFrame(flat, columns=_draw_names(values.shape[1:], owner))


def _draw_names(shape: tuple[int, ...], owner: Any) -> list[str]:
    names = [str(name) for name in getattr(owner, "names", ())]
    groups = [str(name) for name in getattr(owner, "groups", ())]
    if not shape:
        return ["estimate"]
    if shape == (len(names), len(groups)):
        return [f"{name} [{group}]" for name in names for group in groups]
    if shape == (len(names), len(groups) - 1):
        return [f"{name} [{group} - {groups[0]}]" for name in names for group in groups[1:]]
    if shape == (len(names),):
        return names
    return [f"estimate_{number}" for number in range(1, int(np.prod(shape)) + 1)]


def write_estimates(results: StudyResults, folder: Path) -> list[Path]:
    """Write the tidy estimates as CSV and Parquet."""
    frame = tidy_estimates(results)
    about = {"study": results.spec.study, "spec_hash": results.spec_hash, "data_hash": results.data_hash}
    write_csv(frame, folder / "estimates.csv")
    write_parquet(frame, folder / "estimates.parquet", about)
    return [folder / "estimates.csv", folder / "estimates.parquet"]


def write_replicates(results: StudyResults, folder: Path) -> list[Path]:
    """Write the draws, one Parquet file a result, and a list of them with seeds."""
    frames = replicate_frames(results)
    if not frames:
        return []
    rows, written = [], []
    for name, (frame, about) in frames.items():
        path = folder / f"{name}.parquet"
        write_parquet(frame, path, about)
        written.append(path)
        rows.append({"file": path.name, **about, "columns": ", ".join(map(str, frame.columns[1:]))})
    listing = pd.DataFrame(rows).reindex(columns=["file", "result", "seed", "draws", "method", "columns"])
    write_csv(listing, folder / "replicates.csv")
    return [*written, folder / "replicates.csv"]


def write_codebook(results: StudyResults, path: Path) -> list[Path]:
    """Write what every column of the sample is, with its name in the Stata file."""
    data = results.data
    table = codebook_table(results.variables, data, str(results.spec.panel.year))
    names = stata_names([str(name) for name in data.columns])
    table.insert(1, "stata_name", [names[str(name)] for name in data.columns])
    write_csv(table, path)
    return [path]


def plain_name(name: str) -> str:
    """Return a name that can stand in a file's or a column's name; marks become underscores."""
    return "".join(letter if letter.isalnum() or letter in "_-" else "_" for letter in name)
