"""What the columns of emissions, policies and groups mean: labels, units, formulas and sources for every export."""

from __future__ import annotations

import re

import pandas as pd

from econometrics.emissions.units import YUAN
from econometrics.reference import load_reference
from econometrics.variables import Variable

_FIXED = (
    Variable("co2_tonnes", "CO2 emissions", "二氧化碳排放量", "t CO2"),
    Variable("industry_co2_tonnes", "CO2 emissions of the industry", "行业二氧化碳排放量", "t CO2"),
    Variable(
        "cost_share_of_industry", "Share of the industry's cost", "占行业成本比重", "share", "cost / industry cost"
    ),
    Variable("division", "Industrial division", "行业大类", "", "", "GB/T 4754-2011"),
    Variable("vintage", "Edition of the statistics", "统计资料版本"),
    Variable("co2_reason", "Why there is no value of CO2", "二氧化碳排放量缺失原因"),
    Variable("co2_components_tonnes", "CO2 emissions, sum of components", "碳排放各项之和", "t CO2"),
    Variable("co2_combustion_escape_tonnes", "CO2 of combustion and escape", "燃烧和逸散排放", "t CO2"),
    Variable("co2_process_tonnes", "CO2 of production processes", "生产过程排放", "t CO2"),
    Variable("co2_waste_tonnes", "CO2 of waste", "废弃物排放", "t CO2"),
    Variable("co2_land_use_tonnes", "CO2 of converted land", "土地利用方式转变排放", "t CO2"),
    Variable("imputed_share", "Imputed share of emissions", "排放中插补部分比重", "share"),
    Variable("combustion_escape_basis", "Basis of combustion and escape", "燃烧和逸散排放的依据"),
    Variable("process_basis", "Basis of production processes", "生产过程排放的依据"),
    Variable("waste_basis", "Basis of waste", "废弃物排放的依据"),
    Variable("land_use_basis", "Basis of converted land", "土地利用方式转变排放的依据"),
    Variable("ln_co2_tonnes", "Log of CO2 emissions", "二氧化碳排放量对数", "log of t CO2", "ln(co2_tonnes)"),
    Variable("place_code", "Prefecture of 2019", "地级行政区代码（2019年）", "", "", "GB/T 2260"),
    Variable("is_treated", "Place ever treated", "是否政策试点地区", "0/1"),
    Variable("is_treated_post", "Treated in the year", "试点地区×试点后", "0/1", "year >= first_treated_year"),
    Variable("first_treated_year", "First treated year", "首次受政策影响年份", "year"),
    Variable("years_since_treated", "Years since treatment", "距政策实施年数", "years"),
    Variable("is_heavy_pollution", "Heavily polluting industry", "重污染行业", "0/1", "", "industry_groups"),
    Variable("is_high_energy", "Energy-intensive industry", "高耗能行业", "0/1", "", "industry_groups"),
    Variable("size_group", "Size group", "规模分组"),
    Variable("government_attention", "Environmental attention of the government", "政府环境关注度"),
)
_SHARES = {
    "coal_share": ("Coal share of final energy", "煤炭占终端能源比重"),
    "coal_coke_share": ("Coal and coke share of final energy", "煤炭和焦炭占终端能源比重"),
    "oil_share": ("Oil share of final energy", "石油占终端能源比重"),
    "gas_share": ("Gas share of final energy", "天然气占终端能源比重"),
    "electricity_share": ("Electricity share of final energy", "电力占终端能源比重"),
}
_PER = {
    "10k_yuan": ("10^4 yuan", "每万元"),
    "million_yuan": ("10^6 yuan", "每百万元"),
    "100m_yuan": ("10^8 yuan", "每亿元"),
}
_BASES = {"revenue": "营业收入", "assets": "总资产", "output": "产出"}
_INTENSITY = re.compile(r"(ln1p_|ln_)?co2_tonnes_per_(10k_yuan|million_yuan|100m_yuan)_(revenue|assets|output)")


def joined_variables(data: pd.DataFrame) -> dict[str, Variable]:
    """Describe the columns of a frame that come from emissions, policies and groups.

    Parameters
    ----------
    data : DataFrame
        Any frame; columns of other origin are left out.

    Returns
    -------
    dict of str to Variable
        Labels in both languages, units, formulas and sources.
    """
    known = {variable.name: variable for variable in (*_FIXED, *_shares(), *_items())}
    found = {}
    for column in map(str, data.columns):
        variable = known.get(column) or _intensity(column) or _policy(column, set(map(str, data.columns)))
        if variable:
            found[column] = variable
    return found


def _shares() -> list[Variable]:
    """Shares of energy and their groups."""
    source = "China Energy Statistical Yearbook"
    shares = [Variable(name, en, zh, "share", "", source) for name, (en, zh) in _SHARES.items()]
    groups = [
        Variable(f"{name}_group", f"{en}, group", f"{zh}分组", "", "", source) for name, (en, zh) in _SHARES.items()
    ]
    return shares + groups


def _items() -> list[Variable]:
    """Single items of the commercial panel."""
    table = load_reference("listed_emission_columns").data
    rows = table[table["item"] != "total"].itertuples(index=False)
    return [
        Variable(f"co2_{row.item}_tonnes", f"CO2 of {str(row.item).replace('_', ' ')}", str(row.column_zh), "t CO2")
        for row in rows
    ]


def _intensity(column: str) -> Variable | None:
    """Intensity of emissions, plain or in logs."""
    found = _INTENSITY.fullmatch(column)
    if not found:
        return None
    log, per, base = found[1] or "", found[2], found[3]
    unit, zh = _PER[per]
    formula = f"co2_tonnes / ({base} / {YUAN[unit]:.0e})"
    label_en, label_zh = f"CO2 per {unit} of {base}", f"{zh}{_BASES[base]}二氧化碳排放量"
    plain = column.removeprefix(log)
    if not log:
        return Variable(column, label_en, label_zh, f"t CO2 per {unit}", formula)
    inside, plus = ("", "") if log == "ln_" else ("加1", " + 1")
    words = f"Log of {label_en}{plus}"
    return Variable(column, words, f"{label_zh}{inside}的对数", f"log of t CO2 per {unit}{plus}", f"ln({plain}{plus})")


def _policy(column: str, columns: set[str]) -> Variable | None:
    """Columns of a policy under its own name: is_x, is_x_post, x_first_year, years_since_x."""
    patterns = (
        (r"is_(\w+)_post", "{} in force", "{}：试点地区×试点后", "0/1"),
        (r"is_(\w+)", "{}, ever", "{}：是否试点地区", "0/1"),
        (r"(\w+)_first_year", "First year of {}", "{}：首次受影响年份", "year"),
        (r"years_since_(\w+)", "Years since {}", "{}：距实施年数", "years"),
    )
    for pattern, en, zh, unit in patterns:
        found = re.fullmatch(pattern, column)
        if found and {f"is_{found[1]}", f"is_{found[1]}_post", f"{found[1]}_first_year"} <= columns:
            name = found[1].replace("_", " ")
            return Variable(column, en.format(name), zh.format(name), unit)
    return None
