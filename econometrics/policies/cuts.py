"""Groups by the size of a number: quantiles or fixed cuts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd

from shuzhi import DataError

Cut = Literal["median", "terciles", "quartiles"]
_CUTS = {"median": (0.5,), "terciles": (1 / 3, 2 / 3), "quartiles": (0.25, 0.5, 0.75)}
_NAMES = {2: ("low", "high"), 3: ("low", "middle", "high"), 4: ("q1", "q2", "q3", "q4")}


def cut_groups(
    values: pd.Series,
    cut: Cut | Sequence[float],
    *,
    over: pd.Series | None = None,
    labels: Sequence[str] | None = None,
) -> pd.Series:
    """Put values into groups at quantiles or at fixed values; a value on a cut belongs to the upper group.

    Parameters
    ----------
    values : pandas.Series
        Numbers; missing stays missing.
    cut : {"median", "terciles", "quartiles"} or sequence of float
        Where to cut.
    over : pandas.Series, optional
        Values that the quantiles are taken over; ``values`` by default.
    labels : sequence of str, optional
        Names of the groups from the lowest.

    Raises
    ------
    DataError
        If cuts are not increasing, or their number does not fit the labels.
    """
    if isinstance(cut, str):
        base = (values if over is None else over).dropna()
        edges = [float(base.quantile(share)) for share in _CUTS[cut]] if len(base) else []
    else:
        edges = [float(each) for each in cut]
        if sorted(set(edges)) != edges:
            raise DataError(f"cuts must increase: {', '.join(f'{each:g}' for each in edges)}")
    names = tuple(labels or _NAMES.get(len(edges) + 1, tuple(f"group {i + 1}" for i in range(len(edges) + 1))))
    if len(names) != len(edges) + 1:
        raise DataError(f"{len(edges)} cuts make {len(edges) + 1} groups, but there are {len(names)} labels")
    places = np.searchsorted(np.asarray(edges), values.to_numpy(dtype="float64", na_value=np.nan), side="right")
    found = [names[place] if there else None for place, there in zip(places, values.notna(), strict=True)]
    return pd.Series(found, index=values.index, dtype="str")
