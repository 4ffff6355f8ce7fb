"""A small panel of invented numbers for the sample code, and what its regression must give."""

from __future__ import annotations

import numpy as np
import pandas as pd

from econometrics.regress import regress
from shuzhi import DataError, EstimationError

SEED = 2024
MOST_FIRMS = 60
OUTCOME, CONTROL = "simulated_outcome", "simulated_size"
EFFECT = 0.1
# An own panel never holds exactly the firm-years of the data: some are missing on either side.
SHARE_LEFT_OUT = 0.1
SHARE_WITHOUT_OUTCOME = 0.05
STRANGERS = 3
# Fewer rows than coefficients and so many more say nothing; the sample code stops then.
LEAST_ROWS_MORE = 10
NO_RESULT = ["term", "estimate", "standard_error", "observations", "firms"]


def example_panel(wide: pd.DataFrame, index: str) -> pd.DataFrame:
    """Invent an own panel for some firms of the data.

    Parameters
    ----------
    wide : DataFrame
        The indices, one row a firm-year.
    index : str
        The index that moves the invented outcome.

    Returns
    -------
    DataFrame
        stock_code as spreadsheets leave it (no leading zeros), report_year, simulated_outcome with gaps,
        simulated_size; a tenth of the firm-years is left out, and a few are of a firm that the data do not have.
    """
    generator = np.random.default_rng(SEED)
    six_digits = wide[wide["stock_code"].str.fullmatch(r"\d{6}")]
    # Firms with several years first: the others say nothing within a firm.
    sizes = six_digits.groupby("stock_code").size().sort_values(ascending=False, kind="stable")
    rows = six_digits[six_digits["stock_code"].isin(sizes.index[:MOST_FIRMS])]
    rows = rows.sort_values(["stock_code", "report_year"])[["stock_code", "report_year", index]]
    firm = rows["stock_code"].astype("category").cat.codes.to_numpy()
    size = generator.normal(8.0, 1.0, len(rows))
    noise = generator.normal(0.0, 0.1, len(rows)) + generator.normal(0.0, 0.3, firm.max(initial=0) + 1)[firm]
    values = rows[index].astype("float64").fillna(0.0).to_numpy()
    outcome = pd.Series(np.round(EFFECT * values + 0.02 * size + noise, 6), index=rows.index)
    outcome = outcome.mask(generator.random(len(rows)) < SHARE_WITHOUT_OUTCOME)
    panel = pd.DataFrame(
        {
            "stock_code": rows["stock_code"],
            "report_year": rows["report_year"].astype("int64"),
            OUTCOME: outcome,
            CONTROL: np.round(size, 6),
        }
    )
    panel = panel[generator.random(len(rows)) >= SHARE_LEFT_OUT]
    whole = pd.concat([panel, _strangers(wide)], ignore_index=True)
    return whole.assign(stock_code=whole["stock_code"].str.lstrip("0"))


def _strangers(wide: pd.DataFrame) -> pd.DataFrame:
    """Return firm-years of a firm that the data do not have."""
    known = set(wide["stock_code"])
    code = next(code for code in (f"{number:06d}" for number in range(999_999, 0, -1)) if code not in known)
    first = int(wide["report_year"].min())
    years = [first + step for step in range(STRANGERS)]
    return pd.DataFrame({"stock_code": code, "report_year": years, OUTCOME: 0.1, CONTROL: 8.0})


def expected_result(wide: pd.DataFrame, panel: pd.DataFrame, index: str) -> pd.DataFrame:
    """Estimate what the sample code must print: firm and year effects, errors clustered by firm.

    Parameters
    ----------
    wide : DataFrame
        The indices.
    panel : DataFrame
        What `example_panel` gave.
    index : str
        The index explained by.

    Returns
    -------
    DataFrame
        term, estimate, standard_error, observations, firms; without rows where the data are too few.
    """
    own = panel.assign(stock_code=panel["stock_code"].str.zfill(6))
    rows = own.merge(wide[["stock_code", "report_year", index]], on=["stock_code", "report_year"], how="left")
    rows = rows.astype({"report_year": "int64", index: "float64"})
    try:
        model = regress(
            rows,
            OUTCOME,
            [index, CONTROL],
            fixed_effects=["stock_code", "report_year"],
            cluster="stock_code",
        )
    except (DataError, EstimationError):
        return pd.DataFrame(columns=NO_RESULT)
    years = model.effect_levels["report_year"]
    if model.collinear or model.observations < len(model.regressors) + years - 1 + LEAST_ROWS_MORE:
        return pd.DataFrame(columns=NO_RESULT)
    found = model.to_frame()[["term", "estimate", "standard_error", "observations"]]
    return found.assign(firms=model.clusters["stock_code"]).reset_index(drop=True)
