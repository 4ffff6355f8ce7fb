"""Treatments that begin at random, and how often a placebo test rejects with and without an effect."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from econometrics.effects import Floats, Integers, encode_effects
from econometrics.placebo_shuffles import AT_ONCE, PlaceboScheme, PlaceboStatistic
from econometrics.sample import check_firm_years, numeric_values
from shuzhi import DataError, SpecError


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


def placebo_rejection_rates(
    effects: Sequence[float] = (0.0, 0.05, 0.1, 0.2),
    *,
    simulations: int = 500,
    draws: int = 199,
    firms: int = 60,
    years: int = 8,
    persistence: float = 0.5,
    scheme: PlaceboScheme = "firms",
    statistic: PlaceboStatistic = "estimate",
    level: float = 0.05,
    seed: int = 1,
) -> pd.DataFrame:
    """Measure how often the placebo test rejects: its size without an effect, its power with one.

    Each simulated panel has firm and year effects, errors that follow an AR(1) within the firm, and a treatment that
    is persistent within the firm too: half of its variance is the firm's.

    Parameters
    ----------
    effects : sequence of float
        Effects planted, in standard deviations of the error a standard deviation of the treatment.
    simulations, draws : int
        Panels an effect, and placebo draws a panel.
    firms, years : int
        Size of a panel; a tenth of the rows is not observed.
    persistence : float
        AR(1) coefficient of errors and of the treatment, from 0 to below 1.
    scheme, statistic : str
        As in ``permutation_placebo``.
    level : float
        Nominal size.
    seed : int
        Seed of everything drawn.

    Returns
    -------
    DataFrame
        effect, rejections, simulations, rate, rate_low and rate_high (a 95 % Wilson interval of the rate), level,
        scheme, statistic, firms, years, draws, seed.

    Raises
    ------
    SpecError
        A persistence or a level that is out of bounds.
    """
    from econometrics.placebo import permutation_placebo

    if not 0 <= persistence < 1 or not 0 < level < 1:
        raise SpecError("persistence lies from 0 to below 1 and level between 0 and 1")
    rows = []
    for place, effect in enumerate(effects):
        rejections = 0
        for number in range(simulations):
            panel = _panel(np.random.Generator(np.random.PCG64([seed, place, number])), firms, years, persistence)
            found = permutation_placebo(
                panel.assign(outcome=panel["error"] + effect * panel["treatment"]),
                "outcome",
                "treatment",
                fixed_effects=["firm", "year"],
                cluster="firm",
                scheme=scheme,
                within=() if scheme != "rows" else ("year",),
                firm="firm",
                year="year",
                statistic=statistic,
                draws=draws,
                seed=number + 1,
            )
            rejections += found.p_value <= level
        low, high = _wilson(rejections, simulations)
        rows.append(
            {
                "effect": effect,
                "rejections": rejections,
                "simulations": simulations,
                "rate": rejections / simulations,
                "rate_low": low,
                "rate_high": high,
                "level": level,
                "scheme": scheme,
                "statistic": statistic,
                "firms": firms,
                "years": years,
                "draws": draws,
                "seed": seed,
            }
        )
    return pd.DataFrame(rows)


def _panel(generator: np.random.Generator, firms: int, years: int, persistence: float) -> pd.DataFrame:
    def series() -> Floats:
        shocks = generator.standard_normal((firms, years))
        values = shocks.copy()
        for year in range(1, years):
            values[:, year] = persistence * values[:, year - 1] + np.sqrt(1 - persistence**2) * shocks[:, year]
        return values

    treatment = (series() + generator.standard_normal((firms, 1))) / np.sqrt(2)
    error = series() + generator.standard_normal((firms, 1)) + generator.standard_normal((1, years))
    firm, year = np.divmod(np.arange(firms * years), years)
    frame = pd.DataFrame({"firm": firm, "year": year, "treatment": treatment.ravel(), "error": error.ravel()})
    return frame[generator.random(len(frame)) > 0.1].reset_index(drop=True)


def _wilson(successes: int, trials: int) -> tuple[float, float]:
    z = 1.959963984540054
    share = successes / trials
    middle = (share + z**2 / (2 * trials)) / (1 + z**2 / trials)
    half = z / (1 + z**2 / trials) * np.sqrt(share * (1 - share) / trials + z**2 / (4 * trials**2))
    return float(middle - half), float(middle + half)
