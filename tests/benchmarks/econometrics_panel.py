"""The synthetic firm panel of the econometrics benchmarks; numpy and pandas only, so that any interpreter makes it."""

import numpy as np
import pandas as pd

YEARS, INDUSTRIES = 10, 40
CONTROLS = ("c1", "c2", "c3", "c4", "c5")
DESIGNS = {"firm + year": "year", "firm + industry-year": "industry_year"}
# 29,929 rows of 3,530 firms in the notes; 300,000 rows of about 35,000 firms.
FIRMS, KEPT = 3530, 0.8479


def firm_panel(firms: int = FIRMS, seed: int = 1) -> pd.DataFrame:
    """An unbalanced panel: y ~ x + m + five controls, firms in one of 40 industries, ten years.

    Parameters
    ----------
    firms : int
        Number of firms; about 8.5 rows each.
    seed : int
        Seed of the generator.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    firm, year = np.nonzero(rng.random((firms, YEARS)) < KEPT)
    industry = rng.integers(0, INDUSTRIES, firms)[firm]
    rows = len(firm)
    controls = rng.standard_normal((rows, len(CONTROLS))) + rng.standard_normal((firms, len(CONTROLS)))[firm]
    shock = rng.standard_normal((INDUSTRIES, YEARS))[industry, year]
    traits = rng.standard_normal((firms, 3))[firm]
    x = traits[:, 0] + 0.3 * controls[:, 0] + 0.5 * shock + rng.standard_normal(rows)
    m = traits[:, 1] + 0.28 * x + 0.2 * controls[:, 1] + 0.4 * shock + rng.standard_normal(rows)
    y = traits[:, 2] + 0.1 * x + 0.2 * m + controls @ np.full(len(CONTROLS), 0.1) + shock + rng.standard_normal(rows)
    data = pd.DataFrame({"firm": firm, "year": year, "industry": industry, "industry_year": industry * YEARS + year})
    return data.assign(y=y, x=x, m=m, **{name: controls[:, number] for number, name in enumerate(CONTROLS)})
