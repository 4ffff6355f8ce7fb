"""How often a placebo test rejects with and without an effect."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from econometrics.estimation.effects import Floats
from econometrics.placebo.permutation import permutation_placebo
from econometrics.placebo.shuffles import PlaceboScheme, PlaceboStatistic
from shuzhi import SpecError


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
