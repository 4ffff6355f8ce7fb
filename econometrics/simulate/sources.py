"""The files of a panel as they come from vendors and statistics, simulated: to try a specification without data."""

from __future__ import annotations

import numpy as np
import pandas as pd

from econometrics.simulate.firms import DIVISIONS, PanelDesign, simulate_panel
from econometrics.simulate.plants import simulate_plants

PLANT_YEARS = (2004, 2005, 2006)
FIRST_INDUSTRY = 1311
# The division of GB/T 4754-2002, by which plants of these years were classified, of each of GB/T 4754-2011.
OF_2002 = {29: 30, 30: 31, 31: 32, 32: 33, 33: 34, 34: 35, 35: 36, 36: 37, 38: 39, 39: 40, 40: 41}


def simulate_sources(seed: int, *, firms: int = 240, plants: int = 12_000) -> dict[str, pd.DataFrame]:
    """Draw firms, plants of earlier years, industry statistics, a vendor's emissions and work reports.

    Headers are Chinese and units stand in them; firms' codes have lost their zeros, as in a spreadsheet; a few cells
    hold what such files hold instead of a number. Clusters are planted in the plants of the first industries; the
    numbers of firms do not depend on them.

    Parameters
    ----------
    seed : int
        Seed of all draws.
    firms : int
        Listed firms; each has up to three years.
    plants : int
        Plants of each of three years.

    Returns
    -------
    dict of str to DataFrame
        By file name without its ending: ``firms``, ``plants_2004`` to ``plants_2006``, ``industries``, ``vendor``,
        ``work_reports``.
    """
    design = PanelDesign(firms=firms, years=tuple(year + 10 for year in PLANT_YEARS))
    panel = simulate_panel(design, seed=seed)
    rng = np.random.Generator(np.random.PCG64([seed, 11]))
    files = {"firms": _firms(panel)}
    for number, year in enumerate(PLANT_YEARS):
        files[f"plants_{year}"] = _plants(seed, plants, year, number)
    files["industries"] = _industries(panel, rng)
    files["vendor"] = _vendor(panel, rng)
    files["work_reports"] = _work_reports(panel, rng)
    return files


def _firms(panel: pd.DataFrame) -> pd.DataFrame:
    revenue = (panel["revenue_yuan"] / 1e4).round(2).astype("str")
    return pd.DataFrame(
        {
            "证券代码": panel["stock_code"].str.lstrip("0"),
            "统计截止日期": panel["report_year"].astype("str") + "-12-31",
            "行业代码": panel["industry"],
            "所属省份": panel["province"],
            "所属城市": panel["city"],
            "营业收入(万元)": revenue.mask(panel.index % 97 == 0, "--"),
            "营业成本(万元)": (panel["operating_cost_yuan"] / 1e4).round(2),
            "资产总计(元)": panel["total_assets_yuan"].round(2),
            "总市值(亿元)": (panel["market_value_yuan"] / 1e8).round(4),
            "数字化词频": panel["digital_count"],
        }
    )


def _plants(seed: int, plants: int, year: int, number: int) -> pd.DataFrame:
    """Plants all over the country, in the two-digit industries of the firms."""
    made = simulate_plants(
        1000 * seed + number,
        n_industries=len(DIVISIONS),
        n_plants=plants,
        n_counties=None,
        planted_clusters=36,
        clusters_per_industry=2,
        year=year,
    ).data
    of_2011 = [DIVISIONS[int(code) - FIRST_INDUSTRY] for code in made["industry"]]
    division = [f"{OF_2002.get(each, each)}10" for each in of_2011]
    return pd.DataFrame(
        {
            "法人代码": made["establishment_id"].str.lstrip("0"),
            "年份": made["year"],
            "省地县码": made["place"],
            "行业代码": division,
            "从业人员年平均人数": made["employment"],
            "工业总产值(万元)": (made["output"] / 10).round(2),
            "经度": made["longitude"].round(5),
            "纬度": made["latitude"].round(5),
        }
    )


def _industries(panel: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Cost and energy of each industry and year; the firms hold a tenth to a third of the cost, once more than all."""
    cost = panel.groupby(["industry", "report_year"], sort=True)["operating_cost_yuan"].sum().reset_index()
    share = rng.uniform(0.1, 0.33, len(cost))
    share[0] = 1.25
    energy = cost["industry"].map(
        dict(zip(sorted(cost["industry"].unique()), np.geomspace(3e6, 3e8, 19), strict=False))
    )
    cost = cost.assign(energy=energy, share=share)
    # The railway vehicles of division 37 count with the motor vehicles of 36: statistics do not separate them.
    other = cost[cost["industry"] == "C36"].assign(industry="C37", energy=2e6, share=2.0)
    cost = pd.concat([cost, other], ignore_index=True)
    return pd.DataFrame(
        {
            "行业代码": cost["industry"].str[1:],
            "年份": cost["report_year"],
            "营业成本(亿元)": (cost["operating_cost_yuan"] / cost["share"] / 1e8).round(4),
            "能源消费总量(万吨标准煤)": (cost["energy"] * rng.uniform(0.9, 1.1, len(cost)) / 1e4).round(2),
        }
    )


def _vendor(panel: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Totals of a vendor for three quarters of the firm-years."""
    part = panel[rng.random(len(panel)) < 0.75]
    return pd.DataFrame(
        {
            "股票代码": part["stock_code"].str.lstrip("0"),
            "年份": part["report_year"],
            "上市公司碳排放总量（吨）": part["co2_tonnes"].round(2),
        }
    )


def _work_reports(panel: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Environmental words of cities' work reports; the last city has none, and one name is that of no place."""
    cities = [*sorted(panel["city"].unique())[:-1], "某某市"]
    years = sorted(panel["report_year"].unique())
    rows = [(city, int(year), round(float(rng.gamma(4.0, 0.001)), 6)) for city in cities for year in years]
    return pd.DataFrame(rows, columns=["城市", "年份", "环保词频占比"])
