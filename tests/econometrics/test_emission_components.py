"""Four components from activities: each number by hand, each component measured, imputed or missing."""

import numpy as np
import pandas as pd
import pytest

from econometrics.emissions.activities import ActivityOptions, activity_names, convert_units
from econometrics.emissions.components import component_emissions
from shuzhi import DataError

FIRMS = pd.DataFrame(
    {
        "stock_code": ["000001", "000002", "000003", "000004", "000005"],
        "report_year": 2016,
        "industry_code": ["C31", "C31", "C31", "C31", "C13"],
        "province": ["河北省", "广东", "河北", "河北", "河北"],
        "revenue_yuan": [1e9, 2e9, 3e9, 4e9, 5e9],
    }
)


def activities(*rows) -> pd.DataFrame:
    return pd.DataFrame(
        [(firm, 2016, *rest) for firm, *rest in rows],
        columns=["stock_code", "report_year", "activity", "amount", "unit"],
    )


MEASURED = activities(
    ("000001", "bituminous", 1000, "t"),
    ("000001", "purchased_electricity", 100, "万千瓦时"),
    ("000001", "purchased_heat", 1000, "GJ"),
    ("000002", "natural_gas", 5, "万立方米"),
    ("000003", "bituminous", 0, "t"),
)


def value(row, options=None, **columns) -> float:
    table = activities(row).assign(**columns)
    return float(component_emissions(FIRMS, table, options=options).activities["co2_tonnes"].iloc[0])


def test_combustion_electricity_and_heat_by_hand():
    data = component_emissions(FIRMS, MEASURED).data.set_index("stock_code")
    # 1000 t x 23.204 GJ/t x 26.18 tC/TJ / 1000 x 0.93 x 44/12 + 1,000 MWh x 0.8843 (华北 2012) + 1000 GJ x 0.11.
    coal = 1000 * 23.204 * 26.18 / 1000 * 0.93 * 44 / 12
    expected = coal + 884.3 + 110
    assert data.at["000001", "co2_combustion_escape_tonnes"] == pytest.approx(expected, rel=1e-12)
    assert data.at["000002", "co2_combustion_escape_tonnes"] == pytest.approx(5 * 389.31 * 15.3 / 1000 * 0.99 * 44 / 12)
    # Nothing burnt is measured, and zero.
    assert data.at["000003", "co2_combustion_escape_tonnes"] == 0.0
    assert data["combustion_escape_basis"].tolist() == ["measured"] * 3 + ["imputed", "missing"]
    gas = data.at["000002", "co2_combustion_escape_tonnes"]
    # Mean per yuan of three measured firms of the industry and year, times the firm's revenue.
    assert data.at["000004", "co2_combustion_escape_tonnes"] == pytest.approx((expected + gas + 0) / 6e9 * 4e9)


@pytest.mark.parametrize(
    ("row", "tonnes"),
    [
        # 100 t x 0.538.
        (("000001", "cement_clinker", 100, "t"), 53.8),
        (("000001", "lime", 1, "万吨"), 6830.0),
        # 100 t x 0.20 x 0.39 x 0.95 x 44/12 = 27.17.
        (("000001", "municipal_waste_burnt", 100, "t"), 100 * 0.2 * 0.39 * 0.95 * 44 / 12),
        # 1 t COD x 1000 x 0.25 x 0.8 / 1000 x 25 = 5.
        (("000001", "wastewater_cod", 1, "t COD"), 5.0),
        # 1 t BOD x 1000 x 0.6 x 0.8 / 1000 x 25 = 12.
        (("000001", "wastewater_bod", 1, "t BOD"), 12.0),
        # 15 mu are one hectare; 91.86e8 / 22044.62e4 t C per hectare x 44/12.
        (("000001", "forest_to_industrial_land", 15, "亩"), 91.86e8 / 22044.62e4 * 44 / 12),
        (("000001", "mining_escape_ch4", 2, "t"), 50.0),
        (("000001", "biomass_n2o", 1, "kg"), 0.298),
    ],
)
def test_process_waste_land_and_gases_by_hand(row, tonnes):
    assert value(row) == pytest.approx(tonnes, rel=1e-12)


def test_options_change_the_factor_and_nothing_else():
    assert value(("000001", "mining_escape_ch4", 1, "t"), ActivityOptions(gwp="AR5")) == 28.0
    assert (
        value(("000001", "wastewater_cod", 1, "t COD"), ActivityOptions(wastewater_treatment="aerobic_well_managed"))
        == 0
    )
    land = ActivityOptions(forest_carbon_tonnes_per_ha=60)
    assert value(("000001", "forest_to_industrial_land", 1, "ha"), land) == pytest.approx(220.0)
    province = ActivityOptions(grid_level="province")
    assert value(("000002", "purchased_electricity", 1, "MWh"), province) == 0.4715
    ipcc = ActivityOptions(fuel_set="IPCC_2006")
    assert value(("000001", "diesel_oil", 1, "t"), ipcc) == pytest.approx(43.0 * 20.2 / 1000 * 44 / 12)


def test_a_factor_of_the_firms_own_goes_before_the_default():
    table = pd.concat(
        [
            activities(("000001", "own kiln", 10, "batches")).assign(factor=2.5, component="process"),
            activities(("000001", "bituminous", 1, "t")).assign(factor=np.nan, component=None),
        ],
        ignore_index=True,
    )
    result = component_emissions(FIRMS, table)
    assert result.data["co2_process_tonnes"].iloc[0] == 25.0
    assert result.activities["factor_source"].tolist() == ["given with the activity", "NDRC_enterprise_guideline_2015"]
    with pytest.raises(DataError, match="unknown component 'kiln'"):
        component_emissions(FIRMS, activities(("000001", "x", 1, "t")).assign(factor=1.0, component="kiln"))
    with pytest.raises(DataError, match="need a column component"):
        component_emissions(FIRMS, activities(("000001", "x", 1, "t")).assign(factor=1.0))


def test_the_total_needs_all_components_unless_told_otherwise():
    assert component_emissions(FIRMS, MEASURED).data["co2_tonnes"].isna().all()
    part = component_emissions(FIRMS, MEASURED, total="measured_components")
    assert part.data["co2_tonnes"].tolist()[2] == 0.0
    assert pd.isna(part.data["co2_tonnes"].iloc[4])
    assert part.data["imputed_share"].tolist()[3] == 1.0
    assert any("more than half of the total is imputed" in each for each in part.warnings)


def test_all_four_components_add_up():
    table = pd.concat(
        [
            MEASURED.head(1),
            activities(
                ("000001", "lime", 10, "t"),
                ("000001", "wastewater_cod", 1, "t COD"),
                ("000001", "forest_to_industrial_land", 0, "ha"),
            ),
        ],
        ignore_index=True,
    )
    row = component_emissions(FIRMS, table, imputation="none").data.iloc[0]
    coal = 1000 * 23.204 * 26.18 / 1000 * 0.93 * 44 / 12
    assert row["co2_tonnes"] == pytest.approx(coal + 6.83 + 5.0 + 0.0)
    assert row["imputed_share"] == 0.0


def test_imputation_needs_enough_firms_and_can_be_off():
    few = component_emissions(FIRMS, MEASURED, smallest_group=4)
    assert few.data["combustion_escape_basis"].tolist()[3] == "missing"
    off = component_emissions(FIRMS, MEASURED, imputation="none")
    assert off.basis.set_index("component")["imputed"].sum() == 0
    plain = component_emissions(FIRMS, MEASURED, scale=None)
    values = plain.data["co2_combustion_escape_tonnes"]
    assert values.iloc[3] == pytest.approx(values.iloc[:3].mean())
    table = few.basis.set_index("component")
    assert table.loc["combustion_escape"].to_dict() == {"measured": 3, "imputed": 0, "missing": 2}


def test_a_missing_amount_leaves_its_component_missing():
    table = pd.concat([MEASURED, activities(("000001", "coke", None, "t"))], ignore_index=True)
    result = component_emissions(FIRMS, table, imputation="none")
    assert pd.isna(result.data["co2_combustion_escape_tonnes"].iloc[0])
    assert result.problems.to_dict("list") == {"reason": ["the amount is missing"], "rows": [1]}


def test_every_problem_of_the_activities_comes_at_once():
    table = activities(
        ("000001", "bitumious", 1, "t"), ("000001", "coke", 1, "GJ"), ("000001", "purchased_heat", -1, "GJ")
    )
    with pytest.raises(DataError) as caught:
        component_emissions(FIRMS, table)
    message = str(caught.value)
    assert "did you mean bituminous" in message
    assert "coke: 'GJ' is no unit" in message
    assert "1 amounts are negative" in message
    with pytest.raises(DataError, match="1 activities are of firm-years not among firms, such as 000009 2016"):
        component_emissions(FIRMS, activities(("000009", "coke", 1, "t")))
    with pytest.raises(DataError, match="needs the province"):
        component_emissions(FIRMS.drop(columns="province"), MEASURED)


def test_electricity_of_an_unknown_province_has_a_reason():
    table = activities(("000001", "purchased_electricity", 1, "MWh"))
    result = component_emissions(FIRMS.assign(province="Mars"), table, imputation="none")
    assert result.problems["reason"].tolist() == ["the province is missing or unknown"]
    nation = component_emissions(
        FIRMS.drop(columns="province"), table, options=ActivityOptions(grid_level="nation"), imputation="none"
    )
    assert nation.activities["factor_co2_tonnes"].tolist() == [0.6101]
    assert nation.activities["factor_year"].tolist() == [2015]


def test_unverified_factors_are_named_and_units_converted():
    result = component_emissions(FIRMS, activities(("000001", "lime", 1, "t"), ("000001", "coke", 1, "t")))
    assert any("nobody compared" in each and "lime" in each and "coke" not in each for each in result.warnings)
    assert "lime" in activity_names()
    assert convert_units(1, "10^8 kWh", "MWh") == 1e5
    with pytest.raises(DataError, match="is no unit"):
        convert_units(1, "t", "GJ")
