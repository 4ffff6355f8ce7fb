"""Plants as arrays: which rows can be used, at which site each stands, to which industry it belongs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from econometrics.places.distances import Floats, Integers
from shuzhi import DataError


@dataclass(frozen=True)
class Plants:
    """Plants and the sites at which they stand.

    Attributes
    ----------
    site : array of int, shape (plants,)
        Number of the site of each plant.
    industry : array of str, shape (plants,)
        Code of the industry of each plant.
    weight : array of float, shape (plants,), or None
        Employment.
    longitude, latitude, internal_km : arrays of float, shape (sites,)
        Place of each site in degrees, and the distance of two plants at the site.
    labels : tuple of str
        Name of each site, empty if plants are told apart by coordinates.
    dropped : mapping of str to int
        Rows that could not be used, by reason.
    """

    site: Integers
    industry: np.ndarray[tuple[int], np.dtype[np.object_]]
    weight: Floats | None
    longitude: Floats
    latitude: Floats
    internal_km: Floats
    labels: tuple[str, ...]
    dropped: Mapping[str, int]

    def industries(self, minimum_plants: int) -> tuple[dict[str, Integers], dict[str, int]]:
        """Return the rows of each industry that is large enough, and the sizes of those that are not.

        An industry whose plants have no employment but one is too small as well: it has no weighted pair.
        """
        codes, of_code, counts = np.unique(self.industry, return_inverse=True, return_counts=True)
        rows = np.split(np.argsort(of_code, kind="stable"), np.cumsum(counts)[:-1])
        large, small = {}, {}
        for code, own in zip(codes, rows, strict=True):
            weighted = len(own) if self.weight is None else int(np.count_nonzero(self.weight[own]))
            if len(own) >= minimum_plants and weighted >= 2:
                large[str(code)] = own
            else:
                small[str(code)] = len(own)
        return large, small


def prepare_plants(
    plants: pd.DataFrame,
    *,
    industry: str,
    longitude: str,
    latitude: str,
    place: str | None = None,
    weight: str | None = None,
    internal_km: float | str = 0.0,
) -> Plants:
    """Check the columns of a table of plants and give every plant a site.

    Parameters
    ----------
    plants : pandas.DataFrame
        One row a plant.
    industry, longitude, latitude, place, weight, internal_km
        As for `k_density.k_density`.

    Raises
    ------
    DataError
        If columns are missing or hold no numbers, coordinates are off the globe, employment is negative, or no row is
        complete; all problems in one message.
    """
    inside = internal_km if isinstance(internal_km, str) else None
    numeric = [name for name in (longitude, latitude, weight, inside) if name is not None]
    labels = [name for name in (industry, place) if name is not None]
    _check_columns(plants, numeric, labels)
    missing = {name: plants[name].isna().to_numpy() for name in [*labels, *numeric]}
    kept = ~np.logical_or.reduce(list(missing.values()))
    # A row that lacks several columns counts at the first of them, so that the counts add up.
    dropped, seen = {}, np.zeros(len(plants), dtype=bool)
    for name, absent in missing.items():
        dropped[f"missing {name}"] = int((absent & ~seen).sum())
        seen |= absent
    data = plants.loc[kept]
    if data.empty:
        raise DataError(f"no plant has all of {', '.join([*labels, *numeric])}")
    _check_values(data, longitude, latitude, weight, inside)
    if place is None:
        keys = data.groupby([longitude, latitude], sort=True).ngroup()
        names: tuple[str, ...] = ()
    else:
        codes, levels = pd.factorize(data[place].astype(str), sort=True)
        keys = pd.Series(codes, index=data.index)
        names = tuple(levels)
    site = keys.to_numpy(dtype=np.int64)
    coordinates = data[[longitude, latitude]].astype(float).groupby(site).mean()
    internal = np.zeros(len(coordinates), dtype=np.float64)
    internal[:] = _site_means(data[inside], site) if inside else internal_km
    return Plants(
        site=site,
        industry=data[industry].astype(str).to_numpy(dtype=object),
        weight=None if weight is None else data[weight].to_numpy(dtype=float),
        longitude=coordinates[longitude].to_numpy(dtype=np.float64),
        latitude=coordinates[latitude].to_numpy(dtype=np.float64),
        internal_km=internal,
        labels=names,
        dropped={reason: count for reason, count in dropped.items() if count},
    )


def _site_means(values: pd.Series, site: Integers) -> Floats:
    means: Floats = np.bincount(site, values.to_numpy(dtype=np.float64)) / np.bincount(site)
    return means


def _check_columns(plants: pd.DataFrame, numeric: list[str], labels: list[str]) -> None:
    absent = [name for name in [*labels, *numeric] if name not in plants.columns]
    present = [name for name in numeric if name in plants.columns]
    texts = [name for name in present if not pd.api.types.is_numeric_dtype(plants[name])]
    problems = [f"no column {name!r}" for name in absent] + [f"column {name!r} holds no numbers" for name in texts]
    decimals = [name for name in labels if name in plants.columns and pd.api.types.is_float_dtype(plants[name])]
    problems += [f"column {name!r} holds decimals: give codes as text" for name in decimals]
    if problems:
        raise DataError(
            f"plants cannot be used: {'; '.join(problems)}; columns are {', '.join(map(str, plants.columns))}"
        )


def _check_values(data: pd.DataFrame, longitude: str, latitude: str, weight: str | None, inside: str | None) -> None:
    limits = {longitude: (-180.0, 180.0), latitude: (-90.0, 90.0)}
    limits |= {name: (0.0, np.finfo(float).max) for name in (weight, inside) if name is not None}
    problems = []
    for name, (low, high) in limits.items():
        wrong = ~data[name].between(low, high)
        if wrong.any():
            first = data.loc[wrong, name].iloc[0]
            problems.append(f"{int(wrong.sum())} rows of {name!r} outside {low:g} to {high:g}, the first {first}")
    if problems:
        raise DataError(f"plants cannot be used: {'; '.join(problems)}")


def year_problems(plants: pd.DataFrame, year: str) -> list[str]:
    """Say why a column cannot be the year of the plants; nothing if it can."""
    if year not in plants.columns:
        return [f"no column {year!r}; columns are {', '.join(map(str, plants.columns))}"]
    if not pd.api.types.is_numeric_dtype(plants[year]):
        return [f"column {year!r} holds no numbers"]
    years = plants[year].dropna()
    broken = years[years % 1 != 0]
    return [f"{len(broken)} rows of {year!r} are no whole years, the first {broken.iloc[0]}"] if len(broken) else []


def plants_by_year(plants: pd.DataFrame, year: str) -> dict[int, pd.DataFrame]:
    """Return the rows of each year, in the order of the years; rows without a year are left out."""
    values = plants[year].to_numpy(dtype=float, na_value=np.nan)
    return {int(number): plants[values == number] for number in np.unique(values[~np.isnan(values)])}
