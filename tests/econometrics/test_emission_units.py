"""Units and factors: standard coal and raw coal apart, magnitudes guarded, every factor equal to its table."""

import numpy as np
import pandas as pd
import pytest

from econometrics.emissions.factors import activity_factor, fuel_factor, standard_coal_factor, warming_potential
from econometrics.emissions.grid import grid_factors
from econometrics.emissions.sectors import sector_energy
from econometrics.emissions.units import Quantity, co2_per_carbon, energy_in_tce, energy_unit, money_in_yuan
from econometrics.reference import load_reference
from shuzhi import DataError


def test_carbon_of_standard_coal_is_stored_and_its_product_computed():
    factor = standard_coal_factor()
    assert factor.carbon_tonnes_per_tce == 0.68
    assert co2_per_carbon() == 44 / 12
    # 0.68 x 44 / 12 = 29.92 / 12 = 2.49333...; per tonne of raw coal x 0.7143 = 1.78099.
    assert factor.co2_tonnes_per_tce == pytest.approx(2.493333333, abs=1e-9)
    assert round(factor.co2_tonnes_per_tce, 3) == 2.493
    assert round(factor.co2_tonnes_per_tonne_raw_coal, 3) == 1.781
    assert "not verified" in factor.describe()
    assert standard_coal_factor("ndrc_coal_0.7476").co2_tonnes_per_tce == pytest.approx(0.7476 * 44 / 12)
    with pytest.raises(DataError, match=r"xiamen_0\.68"):
        standard_coal_factor("none")


@pytest.mark.parametrize("unit", ["t", "吨", "万吨", "10^4 t", "t coal"])
def test_tonnes_of_nothing_are_refused(unit):
    with pytest.raises(DataError, match="does not say tonnes of what"):
        energy_unit(unit)


@pytest.mark.parametrize(
    ("unit", "tce"),
    [
        ("tce", 1.0),
        ("吨标准煤", 1.0),
        ("万吨标准煤", 1e4),
        ("10^4 tce", 1e4),
        ("t raw coal", 0.7143),
        ("万吨原煤", 7143.0),
        ("GJ", 1 / 29.3076),
        ("TJ", 1000 / 29.3076),
    ],
)
def test_units_in_tonnes_of_standard_coal(unit, tce):
    assert energy_in_tce(pd.Series([2.0]), unit, plausible=None).iloc[0] == pytest.approx(2 * tce)


def test_an_unknown_unit_names_the_known_ones():
    with pytest.raises(DataError, match=r"unknown unit of energy 'barrel'.*10\^4 tce"):
        energy_unit("barrel")
    with pytest.raises(DataError, match="unknown unit of money"):
        money_in_yuan(pd.Series([1.0]), "dollars")
    assert money_in_yuan(pd.Series([1.0, np.nan]), "亿元").tolist()[0] == 1e8


@pytest.mark.parametrize("year", [1995, 2000, 2002, 2003, 2004, 2005, 2006, 2007])
def test_the_guard_tells_tce_from_ten_thousand_tce_in_every_year_of_the_yearbook(year):
    given = sector_energy([year]).data["energy_tce"] / 1e4
    assert energy_in_tce(given, "10^4 tce").sum() == pytest.approx(given.sum() * 1e4)
    for wrong, values in (("tce", given), ("10^4 tce", given * 1e4), ("10^8 tce", given), ("10^4 tce", given / 1e4)):
        with pytest.raises(DataError, match="Check the unit"):
            energy_in_tce(values, wrong)


def test_the_guard_tells_them_apart_for_one_division_too():
    data = sector_energy([2007]).data
    # Iron and steel, the largest; the smallest division with its own row in the comparable divisions.
    for division in ("31", "16"):
        value = data.loc[data["division"] == division, "energy_tce"] / 1e4
        energy_in_tce(value, "10^4 tce")
        with pytest.raises(DataError, match="Check the unit"):
            energy_in_tce(value, "tce")


def test_negative_energy_and_more_than_all_of_china_are_refused_together():
    with pytest.raises(DataError, match="1 values are negative; 1 values are more than all of China"):
        energy_in_tce(pd.Series([-1.0, 8e9, 1e7, 1e7, 1e7]), "tce")
    assert Quantity(pd.Series([1000.0]), "10^4 tce").to_tce().iloc[0] == 1e7


def test_fuel_factors_equal_those_computed_when_the_table_was_gathered():
    table = load_reference("emission_factors").data
    rows = table[table["carbon_content_tc_per_tj"].notna() & table["oxidation_pct"].notna()]
    assert len(rows) > 80
    for row in rows.itertuples():
        found = fuel_factor(str(row.fuel), str(row.set))  # type: ignore[arg-type]
        assert found.co2_tonnes_per_unit == pytest.approx(float(row.co2_t_per_unit), abs=6e-6), row
        assert found.unit == row.unit


def test_a_fuel_by_hand_and_by_its_chinese_name():
    # Diesel: 43.33 GJ/t x 20.2 tC/TJ / 1000 x 0.98 x 44/12 = 3.14512...
    assert fuel_factor("柴油").co2_tonnes_per_unit == pytest.approx(43.33 * 20.2 / 1000 * 0.98 * 44 / 12)
    assert fuel_factor("diesel_oil").co2_tonnes_per_unit == pytest.approx(3.14512, abs=1e-5)


def test_fuels_without_oxidation_or_rank_are_refused():
    with pytest.raises(DataError, match="gives no oxidation"):
        fuel_factor("raw_coal", "CEADs_Shan2018")
    assert fuel_factor("raw_coal", "CEADs_Shan2018", oxidation_share=1.0).verified is False
    with pytest.raises(DataError, match="name its rank"):
        fuel_factor("原煤")
    with pytest.raises(DataError, match="did you mean diesel_oil"):
        fuel_factor("diesel_oli")
    with pytest.raises(DataError, match="no set of emission factors"):
        fuel_factor("coke", "none")  # type: ignore[arg-type]


def test_heat_and_warming_potentials():
    assert activity_factor("purchased_heat") == (0.11, "GJ", True)
    assert [warming_potential(gas, "AR4") for gas in ("CO2", "CH4", "N2O")] == [1, 25, 298]
    assert [warming_potential(gas, "AR5") for gas in ("CH4", "N2O")] == [28, 265]
    with pytest.raises(DataError, match="no default"):
        activity_factor("nothing")
    with pytest.raises(DataError, match="SF6"):
        warming_potential("SF6")


def test_grid_factors_by_place_year_and_rule():
    provinces = pd.Series(["广东省", "四川", "四川", "内蒙古自治区", "西藏", "110000", None, "广东"])
    years = pd.Series([2016, 2020, 2021, 2009, 2012, 2022, 2012, None])
    found = grid_factors(provinces, years)
    # 2016 lies 4 years after 2012 and 5 before 2021; 四川 is in 华中 until 2020 (nearest 2021), then in 西南.
    assert found["tco2_per_mwh"].tolist()[:4] == [0.5271, 0.5354, 0.2113, 0.8845]
    assert found["factor_year"].tolist()[:4] == [2012, 2021, 2021, 2010]
    assert found["factor_place"].tolist()[:4] == ["南方", "华中", "西南", "华北"]
    assert found["tco2_per_mwh"].iloc[5] == 0.6776
    assert found["reason"].isna().tolist() == [True, True, True, True, False, True, False, False]
    assert found["is_verified"].tolist()[:2] == [False, True]
    last = grid_factors(provinces, years, year_rule="last")
    assert last["factor_year"].tolist()[:3] == [2012, 2012, 2021]
    assert "by the rule last" in last["reason"].iloc[3]
    exact = grid_factors(provinces, years, level="province", year_rule="exact")
    assert exact["tco2_per_mwh"].tolist()[2] == 0.1255
    assert exact["reason"].notna().sum() == 6
    nation = grid_factors(provinces, years, level="nation")
    # 2016 to 2015; 2020 has its own; 2018 would lie between 2015 and 2020.
    assert nation["tco2_per_mwh"].tolist()[:3] == [0.6101, 0.5839, 0.5568]


def test_of_two_years_at_one_distance_the_earlier_serves():
    # 2017 minus 2012 is 5 and 2022 minus 2017 is 5, but 2021 is nearer; in the nation 2015 and 2020 lie around 2017.5.
    found = grid_factors(pd.Series(["x", "x"]), pd.Series([2017, 2018]), level="nation")
    assert found["factor_year"].tolist() == [2015, 2020]
    with pytest.raises(DataError, match="same rows"):
        grid_factors(pd.Series(["x"]), pd.Series([2017], index=[3]))
