"""Whether an outcome of a study is emissions apportioned by cost, seen from the panel alone."""

from __future__ import annotations

import numpy as np
import pandas as pd

from econometrics.emissions.decomposition import ApportionmentDecomposition, apportionment_decomposition
from econometrics.study.results import StudyResults
from shuzhi import DataError

# From here on what is left of the outcome is rounding and winsorising, and no behaviour of firms; inside industry-years
# the cost ratio must explain most, or small cells alone would do.
NEARLY_ALL = 0.95
MOST_INSIDE = 0.8
FEWEST_ROWS = 3
_JOINT = "industry-year + cost ratio"
_COSTS = ("operating_cost_yuan", "operating_cost", "operating_costs")
_REVENUES = ("revenue_yuan", "operating_revenue_yuan", "revenue", "operating_revenue")
_INDUSTRIES = ("division", "industry", "industry_code")


def emission_decompositions(results: StudyResults) -> dict[str, ApportionmentDecomposition]:
    """Decompose every outcome that industry-years and the ratio of cost to revenue explain (nearly) wholly.

    A vendor's emissions of a firm are often the industry's total by the firm's share of cost. The log of their
    intensity is then an industry-year effect plus the log of the cost ratio, which is what is looked for here.

    Parameters
    ----------
    results : StudyResults
        The study; where its panel has no cost, revenue or industry nothing can be seen.

    Returns
    -------
    dict of str to ApportionmentDecomposition
        By outcome; those that are not, or not nearly, apportioned are left out.
    """
    data, year = results.data, str(results.spec.panel.year)
    cost, revenue, industry = (
        next((name for name in names if name in data.columns), "") for names in (_COSTS, _REVENUES, _INDUSTRIES)
    )
    if not (cost and revenue and industry):
        return {}
    found = {}
    for name in dict.fromkeys(str(model.outcome) for model in results.models.values()):
        if name in (cost, revenue) or not pd.api.types.is_numeric_dtype(data[name].dtype):
            continue
        try:
            each = apportionment_decomposition(
                data.assign(**{name: _level(data[name])}),
                intensity=name,
                industry=industry,
                year=year,
                cost=cost,
                revenue=revenue,
            )
        except DataError:
            continue
        if is_nearly_apportioned(each) and not _is_ratio(_level(data[name]), data[cost] / data[revenue]):
            found[name] = each
    return found


def _is_ratio(outcome: pd.Series, ratio: pd.Series) -> bool:
    """Whether an outcome is the cost ratio itself, about which there is nothing to find out."""
    rows = (outcome > 0) & (ratio > 0)
    if int(rows.sum()) < FEWEST_ROWS:
        return False
    logs = np.log(np.column_stack([outcome[rows].astype("float64"), ratio[rows].astype("float64")]))
    return bool(np.corrcoef(logs, rowvar=False)[0, 1] ** 2 >= MOST_INSIDE)


def is_nearly_apportioned(found: ApportionmentDecomposition) -> bool:
    """Whether industry-years and the cost ratio explain nearly all of the log intensity, and the ratio most inside."""
    rows = found.table[(found.table["model"] == _JOINT) & (found.table["scale"] == "logs")]
    inside = float(rows["within_r2"].iloc[0])
    return bool(joint_r2(found) >= NEARLY_ALL and inside >= MOST_INSIDE)


def joint_r2(found: ApportionmentDecomposition) -> float:
    """Return the share of the log intensity's variance that industry-years and the cost ratio explain together."""
    return found.r2(_JOINT, "logs")


def _level(outcome: pd.Series) -> pd.Series:
    """Return an outcome in levels: it is a log where its name says so, or where it is not positive."""
    values = outcome.astype("float64")
    is_log = str(outcome.name).startswith(("ln_", "log_")) or str(outcome.name).endswith(("_log", "_ln"))
    if is_log or bool((values.dropna() <= 0).any()):
        # Beyond this the exponential overflows; such an outcome is no log.
        return pd.Series(np.exp(values.where(values.abs() < 300)), index=outcome.index)
    return values
