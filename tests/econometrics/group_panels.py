"""Panels of firms for the tests of group comparisons."""

import numpy as np
import pandas as pd


def firm_panel(
    seed: int = 1,
    firms: int = 120,
    years: int = 6,
    *,
    gap: float = 0.0,
    unbalanced: bool = True,
    switching: bool = False,
) -> pd.DataFrame:
    """Firms in industries and provinces with y = (1 + gap in group b) x + 0.5 m + controls; m = 0.6 x.

    Parameters
    ----------
    seed, firms, years : int
        Seed and size.
    gap : float
        How much larger the coefficient of x is in group b.
    unbalanced : bool
        Leave out a fifth of the rows.
    switching : bool
        Let firms change their industry.
    """
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {"firm": np.repeat(np.arange(firms), years), "year": np.tile(np.arange(2010, 2010 + years), firms)}
    )
    industry = rng.integers(0, 5, firms)[frame["firm"]]
    frame["industry"] = industry
    if switching:
        frame["industry"] = np.where(rng.random(len(frame)) < 0.1, rng.integers(0, 5, len(frame)), industry)
    frame["province"] = rng.integers(0, 8, firms)[frame["firm"]]
    frame["group"] = np.where(rng.random(firms) < 0.4, "b", "a")[frame["firm"]]
    frame["x"] = rng.normal(size=firms)[frame["firm"]] + rng.normal(size=len(frame))
    frame["c"] = rng.normal(size=len(frame))
    frame["m"] = 0.6 * frame["x"] + rng.normal(size=len(frame))
    slope = 1 + gap * (frame["group"] == "b")
    level = rng.normal(size=firms)[frame["firm"]] + 0.1 * (frame["year"] - 2010)
    frame["y"] = slope * frame["x"] + 0.5 * frame["m"] + 0.3 * frame["c"] + level + rng.normal(size=len(frame))
    if unbalanced:
        frame = frame.loc[rng.random(len(frame)) < 0.8].reset_index(drop=True)
    return frame
