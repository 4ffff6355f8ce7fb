"""Monte Carlo of the permutation placebo: its size without an effect, its power with one.

Run by `tests.benchmarks.coverage`. Panels of 30 or 100 firms in 8 years, a tenth of the rows unobserved, firm and year
effects, errors and treatment that are correlated over time within the firm.
"""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from typing import Any, Literal

import pandas as pd

from econometrics.placebo.rates import placebo_rejection_rates

TITLE = "Permutation placebo: share of panels in which it rejects at 5 %"
DRAWS = 199
EFFECTS = (0.0, 0.1, 0.2)
Scheme = Literal["firms", "rows"]
Statistic = Literal["estimate", "t"]
KINDS: list[tuple[Scheme, Statistic, int]] = [
    ("firms", "estimate", 30),
    ("firms", "estimate", 100),
    ("firms", "t", 30),
    ("firms", "t", 100),
    ("rows", "estimate", 100),
]


def run_part(task: tuple[Scheme, Statistic, int, int, int]) -> pd.DataFrame:
    """Rejections of one part of the panels of one kind of placebo."""
    scheme, statistic, firms, simulations, seed = task
    return placebo_rejection_rates(
        EFFECTS,
        simulations=simulations,
        draws=DRAWS,
        firms=firms,
        scheme=scheme,
        statistic=statistic,
        seed=seed,
    )


def run(panels: int, processes: int) -> list[dict[str, Any]]:
    """Rejection rates by scheme, statistic and number of firms.

    Parameters
    ----------
    panels, processes : int
        Panels a design, and processes to share them.
    """
    shares = [panels // processes + (part < panels % processes) for part in range(processes)]
    tasks = [
        (scheme, statistic, firms, count, seed)
        for scheme, statistic, firms in KINDS
        for seed, count in enumerate(shares, start=1)
        if count
    ]
    with ProcessPoolExecutor(processes) as pool:
        whole = pd.concat(pool.map(run_part, tasks), ignore_index=True)
    keys = ["scheme", "statistic", "firms", "effect"]
    sums = whole.groupby(keys, sort=False)[["rejections", "simulations"]].sum()
    rates = (sums["rejections"] / sums["simulations"]).unstack("effect")
    return [
        {
            "scheme": f"{scheme} exchange" + (" within the year" if scheme == "rows" else ""),
            "statistic": statistic,
            "firms": firms,
            "panels": panels,
            **{f"effect {effect:g}": float(row[effect]) for effect in EFFECTS},
        }
        for (scheme, statistic, firms), row in rates.iterrows()
    ]
