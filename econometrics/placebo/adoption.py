"""Treatments that begin at random: who is treated and from when on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from econometrics.estimation.effects import Floats, Integers, encode_effects
from econometrics.estimation.sample import check_firm_years, numeric_values
from econometrics.placebo.shuffles import AT_ONCE
from shuzhi import DataError


@dataclass(frozen=True)
class Adoption:
    """Who is treated and from when on.

    Parameters
    ----------
    firm, year : (n,) int arrays
        Codes of each row; years in order.
    firms, treated : int
        Number of firms, and of those that are ever treated.
    years : int
        Number of years.
    """

    firm: Integers
    year: Integers
    firms: int
    treated: int
    years: int


def adoption_of(data: pd.DataFrame, treatment: Floats, firm: str, year: str) -> Adoption:
    """Read off a treatment of 0 and then 1 who is treated.

    Parameters
    ----------
    data : DataFrame
        Rows of the sample.
    treatment : (n,) float array
        0 or 1.
    firm, year : str
        Columns of the firm and of the year.

    Raises
    ------
    DataError
        Other values, or a treatment that ends.
    """
    if not np.isin(treatment, (0.0, 1.0)).all():
        raise DataError("random_adoption needs a treatment of 0 and 1; use scheme='firms' for other treatments")
    check_firm_years(data, firm, year)
    codes = encode_effects(data, [firm]).codes[0]
    levels, years = np.unique(numeric_values(data[year]), return_inverse=True)
    order = np.lexsort((years, codes))
    ends = (np.diff(treatment[order]) < 0) & (np.diff(codes[order]) == 0)
    if ends.any():
        example = data[firm].iloc[int(order[1:][ends][0])]
        raise DataError(f"the treatment of {firm} {example} ends again; use scheme='firms'")
    treated = int(np.bincount(codes, weights=treatment, minlength=int(codes.max()) + 1).astype(bool).sum())
    if not treated:
        raise DataError("no firm is ever treated")
    return Adoption(codes, np.asarray(years, dtype=np.int64), int(codes.max()) + 1, treated, len(levels))


def adoption_batches(adoption: Adoption, draws: int, seed: int) -> Iterator[Floats]:
    """Yield random treatments in batches (n, batch): as many firms as are treated, each from a random year on.

    The first year is never drawn, so that each treated firm could be seen before.

    Parameters
    ----------
    adoption : Adoption
        Who is treated.
    draws, seed : int
        Number of random treatments and their seed.
    """
    generator = np.random.Generator(np.random.PCG64(seed))
    for start in range(0, draws, AT_ONCE):
        batch = np.empty((min(AT_ONCE, draws - start), len(adoption.firm)))
        for row in batch:
            first = np.full(adoption.firms, adoption.years)
            chosen = generator.choice(adoption.firms, adoption.treated, replace=False)
            first[chosen] = generator.integers(min(1, adoption.years - 1), adoption.years, adoption.treated)
            row[:] = adoption.year >= first[adoption.firm]
        yield np.ascontiguousarray(batch.T)
