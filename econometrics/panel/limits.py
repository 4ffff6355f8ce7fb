"""Winsorising and trimming, overall or by group, with the number of values affected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from econometrics.declarations.yaml_lines import Place
from econometrics.panel.rows import adjustment, key_text
from econometrics.panel.spec import LimitStep, PanelSpec, TrimStep, WinsoriseStep
from econometrics.variables import Variable


def limit_values(
    data: pd.DataFrame, step: WinsoriseStep | TrimStep, spec: PanelSpec, place: Place
) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Winsorise or trim variables at two percentiles, overall or by group.

    Parameters
    ----------
    data : DataFrame
        The panel.
    step : WinsoriseStep or TrimStep
        Variables, shares, groups, and how a percentile is computed: ``linear`` interpolates (type 7 of Hyndman and
        Fan 1996, as numpy and R do), ``stata`` averages two neighbours (type 2, as ``summarize, detail``, ``_pctile``
        and the user command ``winsor2`` do).
    """
    names = step.winsorise if isinstance(step, WinsoriseStep) else step.trim
    texts = [name for name in names if not pd.api.types.is_numeric_dtype(data[name].dtype)]
    if texts:
        raise spec.error([(place, f"{', '.join(texts)} holds text; only numbers have percentiles")])
    data = data.copy(deep=False)
    rows: list[dict[str, Any]] = []
    for name in names:
        values = pd.Series(data[name].to_numpy(dtype="float64", na_value=np.nan), index=data.index)
        changed, records = _limited(name, values, data, step)
        rows += records
        suffix = step.suffix if isinstance(step, WinsoriseStep) else ""
        data[name + suffix] = changed
    return data, rows


def _limited(
    name: str, values: pd.Series, data: pd.DataFrame, step: LimitStep
) -> tuple[pd.Series, list[dict[str, Any]]]:
    found = values.copy()
    trims = isinstance(step, TrimStep)
    rows = []
    keys = data[step.by] if step.by else None
    groups = {"": values.index} if keys is None else _groups(keys)
    outside = values.notna() & (keys.isna().any(axis=1) if keys is not None else False)
    if outside.any():
        words = f"left as it is: {', '.join(step.by)} missing"
        rows.append(adjustment(name, words, by=", ".join(step.by), observations=int(outside.sum())))
    for group, index in groups.items():
        part = values.loc[index].dropna()
        if part.empty:
            continue
        low, high = percentiles(part, (step.lower, step.upper), step.percentile)
        below, above = part.index[part < low], part.index[part > high]
        found.loc[below], found.loc[above] = (np.nan, np.nan) if trims else (low, high)
        rows.append(
            adjustment(
                name,
                "trimmed" if trims else "winsorised",
                by=", ".join(step.by),
                group=group,
                lower=step.lower,
                upper=step.upper,
                lower_limit=float(low),
                upper_limit=float(high),
                observations=len(part),
                changed_below=len(below),
                changed_above=len(above),
            )
        )
    return found, rows


def _groups(keys: pd.DataFrame) -> dict[str, pd.Index]:
    names = list(keys.columns)
    found = keys.groupby(names[0] if len(names) == 1 else names, dropna=True).groups
    return {key_text(key if isinstance(key, tuple) else (key,)): index for key, index in found.items()}


def percentiles(values: pd.Series, shares: Sequence[float], how: str = "linear") -> np.ndarray:
    """Return percentiles of numbers without missing ones.

    Parameters
    ----------
    values : Series of float, shape (n,)
        At least one.
    shares : sequence of float
        Between 0 and 1.
    how : {"linear", "stata"}
        Type 7 or type 2 of Hyndman and Fan (1996), The American Statistician 50(4).
    """
    method = "linear" if how == "linear" else "averaged_inverted_cdf"
    found: np.ndarray = np.quantile(values.to_numpy(dtype="float64"), list(shares), method=method)  # type: ignore[call-overload]
    return found


def relabel(variables: Mapping[str, Variable], names: Sequence[str], suffix: str, words: str) -> dict[str, Variable]:
    """Return the variables with those that were winsorised or trimmed described so."""
    known = dict(variables)
    for name in names:
        old = known.get(name, Variable(name))
        formula = f"{old.formula}; {words}" if old.formula else words
        known[name + suffix] = replace(old, name=name + suffix, formula=formula)
    return known
