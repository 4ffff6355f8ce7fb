"""Every column that emissions, policies and groups add has labels in both languages."""

import pandas as pd

from econometrics.emissions import apportion_co2
from econometrics.emissions.components import component_emissions
from econometrics.emissions.intensity import emission_intensities
from econometrics.emissions.vendor import vendor_emissions
from econometrics.panel.steps.variables import joined_variables
from econometrics.policies import add_treatment
from econometrics.policies.industry_groups import add_energy_structure, add_industry_groups, add_size_groups
from econometrics.reference import load_reference

FIRMS = pd.DataFrame(
    {
        "stock_code": ["000001"],
        "report_year": [2016],
        "industry_code": ["C31"],
        "province": ["河北"],
        "city": ["石家庄"],
        "revenue_yuan": [1e9],
        "operating_cost_yuan": [8e8],
        "market_value_yuan": [1e10],
    }
)


def test_every_new_column_is_described():
    costs = pd.DataFrame({"industry_code": ["C31"], "report_year": [2016], "industry_cost": [60_000.0]})
    data = emission_intensities(apportion_co2(FIRMS, costs).data, assets="market_value_yuan").data
    data = add_treatment(data, "low_carbon_pilots", place="city").data
    data = add_treatment(data, "broadband_china", place="city", name="broadband").data
    data = add_size_groups(add_energy_structure(add_industry_groups(data).data).data).data
    activity = {"activity": ["lime"], "amount": [1.0], "unit": ["t"]}
    components = component_emissions(FIRMS, FIRMS[["stock_code", "report_year"]].assign(**activity)).data
    names = load_reference("listed_emission_columns").data["column_zh"]
    vendor = vendor_emissions(pd.DataFrame({name: [1.0] for name in names})).data
    for frame in (data, components, vendor):
        described = joined_variables(frame)
        new = [column for column in frame.columns if column not in FIRMS.columns]
        assert [column for column in new if column not in described] == []
        assert all(described[column].label_en and described[column].label_zh for column in new)
        assert not set(described) & set(FIRMS.columns)


def test_units_and_formulas_of_intensities():
    name = "ln1p_co2_tonnes_per_million_yuan_revenue"
    variable = joined_variables(pd.DataFrame(columns=[name]))[name]
    assert variable.formula == "ln(co2_tonnes_per_million_yuan_revenue + 1)"
    assert variable.unit == "log of t CO2 per 10^6 yuan + 1"
    assert variable.label_zh == "每百万元营业收入二氧化碳排放量加1的对数"
    assert joined_variables(pd.DataFrame(columns=["is_state_owned", "revenue"])) == {}
