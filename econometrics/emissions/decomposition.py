"""What an apportioned intensity can vary with: industry-years and the ratio of cost to revenue, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from econometrics.emissions.totals import need_columns
from econometrics.estimation.absorb import demean
from econometrics.estimation.effects import encode_effects
from shuzhi import DataError

Floats = NDArray[np.float64]
EXACT = 1e-8


@dataclass(frozen=True)
class ApportionmentDecomposition:
    """Shares of the variance of an intensity that industry-years and the cost ratio explain.

    Attributes
    ----------
    table : pandas.DataFrame
        One row a model: ``model``, ``scale`` (levels, logs), ``term``, ``estimate`` (slope of the cost ratio), ``r2``,
        ``within_r2`` (of what varies inside industry-years, or given the fixed effects), ``observations``.
    is_apportioned : bool
        Whether the logs are explained exactly with a slope of one: the intensity is industry-years times cost ratios.
    industry_years : int
        Industry-years with at least two firms.
    fixed_effects : tuple of str
        Effects of the study that the last row holds fixed.
    dropped : dict of str to int
        Rows left out, by reason.
    """

    table: pd.DataFrame
    is_apportioned: bool
    industry_years: int
    fixed_effects: tuple[str, ...]
    dropped: dict[str, int]

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What was computed, in words."""
        return ("R2 of ordinary least squares, one observation a firm-year, no weights",)

    @property
    def warnings(self) -> tuple[str, ...]:
        """The sentence for reports, where the outcome is apportioned."""
        return (self.sentence("en"),) if self.is_apportioned else ()

    def r2(self, model: str, scale: Literal["levels", "logs"]) -> float:
        """R2 of one model of the table.

        Parameters
        ----------
        model : str
            As in the column ``model``.
        scale : {"levels", "logs"}
            Which scale.
        """
        found = self.table[(self.table["model"] == model) & (self.table["scale"] == scale)]
        return float(found["r2"].iloc[0])

    def sentence(self, language: Literal["zh", "en"] = "en") -> str:
        """One sentence for the note of a table or a report.

        Parameters
        ----------
        language : {"zh", "en"}
            Language of the sentence.
        """
        between, joint = self.r2("industry-year", "logs"), self.r2("industry-year + cost ratio", "logs")
        if self.is_apportioned:
            if language == "zh":
                return (
                    f"排放强度按行业总量以成本占比分摊得到：行业—年份解释其对数方差的{between:.1%}，其余全部由企业的成本收入比"
                    "（1减毛利率）解释；控制行业—年份固定效应后，被解释变量等同于企业成本收入比。"
                )
            return (
                "The emission intensity is apportioned from industry totals by cost shares: industry-years explain "
                f"{between:.1%} of the variance of its log, and the ratio of cost to revenue (one minus the gross "
                "margin) all of the rest; with industry-year effects the outcome is the firm's cost ratio."
            )
        if language == "zh":
            return (
                f"行业—年份解释排放强度对数方差的{between:.1%}，加入成本收入比后为{joint:.1%}；"
                "排放强度并非仅由成本占比分摊得到。"
            )
        return (
            f"Industry-years explain {between:.1%} of the variance of the log intensity, with the cost ratio "
            f"{joint:.1%}; the intensity is not merely apportioned by cost shares."
        )

    def to_frame(self) -> pd.DataFrame:
        """The table with the columns that all results have; what does not apply is missing."""
        missing = dict.fromkeys(("standard_error", "statistic", "p_value", "interval_low", "interval_high"), np.nan)
        return self.table.assign(**missing)

    def summary(self) -> str:
        """The table in plain text with the sentence below it."""
        lines = [
            f"{row.scale:<7}{row.model:<40} R2 {row.r2:.6f}  within R2 {row.within_r2:.6f}  N {row.observations:,}"
            for row in self.table.itertuples()
        ]
        lines.append(self.sentence("en"))
        return "\n".join(lines + [f"left out: {rows:,} rows, {why}" for why, rows in self.dropped.items()])


def apportionment_decomposition(
    data: pd.DataFrame,
    *,
    intensity: str,
    industry: str = "division",
    year: str = "report_year",
    cost: str = "operating_cost_yuan",
    revenue: str = "revenue_yuan",
    fixed_effects: Sequence[str] = (),
) -> ApportionmentDecomposition:
    """Decompose an emission intensity into industry-years and the firm's ratio of cost to revenue.

    An apportioned intensity is cost / revenue x (industry CO2 / industry cost), so its log is an industry-year effect
    plus the log of the cost ratio with a slope of one.

    Parameters
    ----------
    data : DataFrame
        One row a firm-year.
    intensity : str
        Emissions per revenue, in levels, positive.
    industry, year : str
        Columns whose pairs are the industry-years of the apportioning.
    cost, revenue : str
        Amounts in one unit.
    fixed_effects : sequence of str
        Effects of the study, such as firm and year; adds a row on what is left of the logs given these effects.

    Returns
    -------
    ApportionmentDecomposition

    Raises
    ------
    DataError
        If columns are missing, or fewer than three rows are usable.
    """
    effects = list(dict.fromkeys(part for name in fixed_effects for part in name.split("^")))
    need_columns(data, [intensity, industry, year, cost, revenue, *effects], "data")
    numbers = data[[intensity, cost, revenue]].apply(pd.to_numeric).astype("float64")
    missing = numbers.isna().any(axis=1) | data[[industry, year, *effects]].isna().any(axis=1)
    positive = (numbers > 0).all(axis=1)
    rows = ~missing & positive
    dropped = {"missing values": int(missing.sum()), "zero or negative values": int((~missing & ~positive).sum())}
    if int(rows.sum()) < 3:
        raise DataError(f"fewer than three rows have a positive {intensity}, {cost} and {revenue}")
    kept = data[rows]
    level = numbers.loc[rows, intensity].to_numpy()
    ratio = (numbers.loc[rows, cost] / numbers.loc[rows, revenue]).to_numpy()
    groups = kept.groupby([industry, year], sort=False).ngroup().to_numpy()
    table = [
        *_models(level, ratio, groups, "levels"),
        *_models(np.log(level), np.log(ratio), groups, "logs"),
    ]
    exact = next(row for row in table if row["scale"] == "logs" and row["model"] == "industry-year + cost ratio")
    if fixed_effects:
        table.append(_given_effects(kept, np.log(level), np.log(ratio), fixed_effects))
    slope, explained = float(exact["estimate"]), float(exact["r2"])
    return ApportionmentDecomposition(
        pd.DataFrame(table),
        bool(explained > 1 - EXACT and abs(slope - 1) < 1e-6),
        int((np.bincount(groups) > 1).sum()),
        tuple(fixed_effects),
        {why: count for why, count in dropped.items() if count},
    )


def _models(y: Floats, x: Floats, groups: NDArray[np.int64], scale: str) -> list[dict[str, float | str | int]]:
    """Industry-years alone; with one slope of the cost ratio; with a slope for each industry-year."""
    total = float(((y - y.mean()) ** 2).sum())
    inside_y, inside_x = _inside(y, groups), _inside(x, groups)
    within = float(inside_y @ inside_y)
    slope, explained = _slope(inside_y, inside_x)
    sums_xy = np.bincount(groups, weights=inside_x * inside_y)
    sums_xx = np.bincount(groups, weights=inside_x * inside_x)
    by_group = float(np.sum(np.divide(sums_xy**2, sums_xx, out=np.zeros_like(sums_xy), where=sums_xx > 1e-300)))
    between, nan = total - within, float("nan")
    return [
        _row("industry-year", scale, nan, between, total, 0.0, len(y)),
        _row("industry-year + cost ratio", scale, slope, between + explained, total, _share(explained, within), len(y)),
        _row("industry-year x cost ratio", scale, nan, between + by_group, total, _share(by_group, within), len(y)),
    ]


def _given_effects(data: pd.DataFrame, y: Floats, x: Floats, names: Sequence[str]) -> dict[str, float | str | int]:
    """What the log of the cost ratio explains of the log intensity once the effects of the study are out."""
    left = demean(encode_effects(data, names), np.column_stack([y, x]))
    slope, explained = _slope(left[:, 0], left[:, 1])
    total, remains = float(((y - y.mean()) ** 2).sum()), float(left[:, 0] @ left[:, 0])
    label = f"{' + '.join(names)} + cost ratio"
    return _row(label, "logs", slope, total - remains + explained, total, _share(explained, remains), len(y))


def _row(
    model: str, scale: str, slope: float, explained: float, total: float, within: float, observations: int
) -> dict[str, float | str | int]:
    """One line of the table."""
    return {
        "model": model,
        "scale": scale,
        "term": "cost ratio",
        "estimate": slope,
        "r2": _share(explained, total),
        "within_r2": within,
        "observations": observations,
    }


def _share(part: float, whole: float) -> float:
    """Part of a sum of squares, missing where there is nothing to explain."""
    return part / whole if whole > 1e-300 else float("nan")


def _inside(values: Floats, groups: NDArray[np.int64]) -> Floats:
    """Deviations from the means of the groups."""
    means = np.bincount(groups, weights=values) / np.bincount(groups)
    return np.asarray(values - means[groups], dtype=np.float64)


def _slope(y: Floats, x: Floats) -> tuple[float, float]:
    """Slope of y on x, both without their means, and the sum of squares that it explains."""
    squares = float(x @ x)
    if squares <= 1e-300:
        return float("nan"), 0.0
    slope = float(x @ y) / squares
    return slope, slope**2 * squares
