"""Whose treatment a row gets in a placebo: rows or whole firms exchanged, everywhere or within groups."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from econometrics.estimation.effects import Integers, encode_effects
from econometrics.estimation.sample import check_firm_years, numeric_values
from shuzhi import DataError, SpecError

Scheme = Literal["firms", "rows"]
PlaceboScheme = Literal["firms", "rows", "random_adoption"]
PlaceboStatistic = Literal["estimate", "t"]
AT_ONCE = 64


@dataclass(frozen=True)
class Shuffler:
    """How rows exchange what they hold.

    Parameters
    ----------
    scheme : {"firms", "rows"}
        Whole firms exchange their paths over the years, or single rows their values.
    groups : (exchanged,) int array
        Within which firms or rows are exchanged.
    firm, year : (n,) int arrays
        Codes of each row; used for firms only.
    donors : (firms, years) int array
        Row that stands for a firm in a year: its own, or where it has none that of its nearest year.
    borrowed : float
        Share of firm-years between a firm's neighbours that stand for another year, over all pairs of firms: what a
        path loses when panels are unbalanced.
    """

    scheme: Scheme
    groups: Integers
    firm: Integers
    year: Integers
    donors: Integers
    borrowed: float

    @property
    def exchanged(self) -> int:
        """Number of firms or rows that exchange."""
        return len(self.groups)

    def batches(self, draws: int, seed: int, size: int = AT_ONCE) -> Iterator[Integers]:
        """Yield, for a batch of draws, the row whose treatment each row gets: (n, batch).

        The draws do not depend on the size of the batches.

        Parameters
        ----------
        draws : int
            Number of draws.
        seed : int
            Seed of the generator (PCG64).
        size : int
            Draws in a batch.
        """
        generator = np.random.Generator(np.random.PCG64(seed))
        members = _members(self.groups)
        for start in range(0, draws, size):
            count = min(size, draws - start)
            order = np.empty((count, len(self.groups)), dtype=np.int64)
            for row in order:
                for group in members:
                    row[group] = group[generator.permutation(len(group))]
            yield np.ascontiguousarray((order if self.scheme == "rows" else self._paths(order)).T)

    def _paths(self, order: Integers) -> Integers:
        donor = order[:, self.firm]
        return np.asarray(self.donors[donor, self.year[None, :]], dtype=np.int64)


def _members(groups: Integers) -> list[Integers]:
    order = np.argsort(groups, kind="stable")
    ends = np.cumsum(np.bincount(groups))
    return [part for part in np.split(order, ends[:-1]) if len(part)]


def shuffler(data: pd.DataFrame, scheme: Scheme, within: tuple[str, ...], firm: str, year: str) -> Shuffler:
    """Prepare the exchange of rows or firms.

    Parameters
    ----------
    data : DataFrame
        Rows of the sample, without missing keys.
    scheme : {"firms", "rows"}
        What is exchanged.
    within : tuple of str
        Columns within whose values it is exchanged; constant in each firm where firms are.
    firm, year : str
        Columns of the firm and of the year; for firms only.

    Raises
    ------
    DataError
        A firm-year stands twice, a firm changes its group, or nothing can be exchanged.
    SpecError
        An unknown scheme.
    """
    if scheme not in ("firms", "rows"):
        raise SpecError(f"scheme must be 'firms' or 'rows', not {scheme!r}")
    rows = len(data)
    group = encode_effects(data, ["^".join(within)]).codes[0] if within else np.zeros(rows, dtype=np.int64)
    nothing = np.empty(0, dtype=np.int64)
    if scheme == "rows":
        _refuse_alone(group, within, "row")
        return Shuffler("rows", group, nothing, nothing, nothing.reshape(0, 0), 0.0)
    check_firm_years(data, firm, year)
    codes = encode_effects(data, [firm]).codes[0]
    firms = int(codes.max()) + 1
    of_firm = np.empty(firms, dtype=np.int64)
    of_firm[codes] = group
    changing = of_firm[codes] != group
    if changing.any():
        example = data[firm].iloc[int(np.flatnonzero(changing)[0])]
        raise DataError(f"{firm} {example} changes its {' and '.join(within)}; whole firms need one value each")
    _refuse_alone(of_firm, within, "firm")
    donors, year_codes, borrowed = _donors(codes, numeric_values(data[year]), firms)
    return Shuffler("firms", of_firm, codes, year_codes, donors, borrowed)


def _refuse_alone(groups: Integers, within: tuple[str, ...], what: str) -> None:
    if len(groups) < 2 or np.bincount(groups).max() < 2:
        place = f" within {' and '.join(within)}" if within else ""
        raise DataError(f"no {what} can be exchanged{place}: each is alone in its group")


def _donors(firm: Integers, years: np.ndarray, firms: int) -> tuple[Integers, Integers, float]:
    """Table of the row that stands for each firm in each year, the nearest one where it has none, earlier in a tie."""
    levels, year = np.unique(years, return_inverse=True)
    table = np.full((firms, len(levels)), -1, dtype=np.int64)
    table[firm, year] = np.arange(len(firm))
    known = table >= 0
    places = np.arange(len(levels))
    before = np.maximum.accumulate(np.where(known, places, -1), axis=1)
    after = np.minimum.accumulate(np.where(known, places, len(levels))[:, ::-1], axis=1)[:, ::-1]
    far = float(np.ptp(levels)) * 2 + 1
    back = np.where(before >= 0, levels[places] - levels[np.maximum(before, 0)], far)
    ahead = np.where(after < len(levels), levels[np.minimum(after, len(levels) - 1)] - levels[places], far)
    nearest = np.where(back <= ahead, before, after)
    donors = np.take_along_axis(table, nearest, axis=1)
    # A row of a year asks every other firm for that year alike.
    asked = np.bincount(year, minlength=len(levels)) / len(firm)
    return donors, np.asarray(year, dtype=np.int64), float(((~known).mean(axis=0) * asked).sum())
