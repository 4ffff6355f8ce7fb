"""Apportioned emissions: by hand, against a second computation, with merged divisions, frames and reasons."""

import numpy as np
import pandas as pd
import pytest

from econometrics.emissions import apportion_co2, apportion_energy
from econometrics.emissions.sectors import sector_co2, sector_energy
from shuzhi import DataError


def firms(**columns) -> pd.DataFrame:
    base = {
        "stock_code": ["000001", "000002", "000003", "000004"],
        "report_year": [2007, 2007, 2007, 2007],
        "industry_code": ["C31", "C31", "C13", "K70"],
        "operating_cost_yuan": [2e9, 3e9, 1e9, 1e9],
        "revenue_yuan": [2.5e9, 4e9, 2e9, 2e9],
    }
    return pd.DataFrame(base | columns)


def industries(**columns) -> pd.DataFrame:
    base = {
        "industry_code": ["31", "13"],
        "report_year": [2007, 2007],
        "industry_cost": [1000.0, 500.0],
        "energy": [47_774.0, 2_336.0],
        "vintage": ["CESY 2008", "CESY 2008"],
    }
    return pd.DataFrame(base | columns)


def test_a_firm_emits_its_share_of_the_cost_times_energy_times_the_factor():
    given = firms()
    result = apportion_energy(given, industries(), energy_unit="10^4 tce")
    # 2e9 / 1000e8 = 0.02; 47,774e4 tce x 0.68 x 44/12 = 1,191,165,066.7 t; x 0.02 = 23,823,301.3 t.
    assert result.data["co2_tonnes"].iloc[0] == pytest.approx(0.02 * 47_774e4 * 0.68 * 44 / 12, rel=1e-12)
    assert result.data["co2_tonnes"].iloc[0] == pytest.approx(23_823_301.33, abs=0.01)
    assert result.data["cost_share_of_industry"].tolist()[:3] == pytest.approx([0.02, 0.03, 0.02])
    assert pd.isna(result.data["co2_tonnes"].iloc[3])
    assert result.data["co2_reason"].iloc[3] == "the industry is no division of mining, manufacturing or utilities"
    assert result.unmatched["rows"].tolist() == [1]
    assert "co2_tonnes" not in given.columns
    assert "gross margin" in " ".join(result.assumptions)
    assert "0.68 t C per tonne of standard coal" in " ".join(result.assumptions)


def test_raw_coal_in_place_of_standard_coal_gives_1781_thousandths_per_tonne():
    raw = apportion_energy(firms(), industries(), energy_unit="10^4 t raw coal")
    standard = apportion_energy(firms(), industries(), energy_unit="万吨标准煤")
    ratio = raw.data["co2_tonnes"] / standard.data["co2_tonnes"]
    assert ratio.dropna().tolist() == pytest.approx([0.7143] * 3)
    for unit, message in (("10^4 t", "tonnes of what"), ("tce", "Check the unit")):
        with pytest.raises(DataError, match=message):
            apportion_energy(firms(), industries(), energy_unit=unit)


def test_the_frame_holds_shares_and_lists_industries_that_the_listed_firms_exceed():
    table = industries(industry_cost=[40.0, 500.0])
    result = apportion_energy(firms(), table, energy_unit="10^4 tce")
    frame = result.frame.set_index("division")
    # 2e9 + 3e9 = 5e9 of 40e8: 1.25.
    assert frame.at["31", "listed_share"] == pytest.approx(1.25)
    assert frame["is_above_industry"].to_dict() == {"13": False, "31": True}
    assert frame.at["31", "listed_co2_tonnes"] == pytest.approx(1.25 * frame.at["31", "industry_co2_tonnes"])
    assert frame["firms"].to_dict() == {"13": 1, "31": 2}
    assert result.above_industry["division"].tolist() == ["31"]
    assert any("31 in 2007" in each and "not clipped" in each for each in result.warnings)
    assert "listed firms above their industry: 1" in result.summary()
    exact = apportion_energy(firms(), industries(industry_cost=[50.0, 500.0]), energy_unit="10^4 tce")
    assert exact.above_industry.empty


def test_every_reason_is_said_and_no_row_is_dropped():
    given = firms(operating_cost_yuan=[np.nan, -1.0, 1e9, 1e9], industry_code=["C31", "C31", "C14", None])
    result = apportion_energy(given.iloc[::-1], industries(), energy_unit="10^4 tce")
    assert result.data["stock_code"].tolist() == ["000004", "000003", "000002", "000001"]
    assert result.data["co2_reason"].tolist() == [
        "the industry is missing",
        "no row for the industry and year",
        "the firm's cost is negative",
        "the firm's cost is missing",
    ]
    assert int(result.unmatched["rows"].sum()) == 4


def test_industries_without_their_cost_say_where_to_get_it():
    with pytest.raises(DataError, match=r"no column industry_cost.*中国工业统计年鉴"):
        apportion_energy(firms(), industries().drop(columns="industry_cost"), energy_unit="10^4 tce")
    with pytest.raises(DataError, match="firms has no column industry_code"):
        apportion_energy(firms().drop(columns="industry_code"), industries(), energy_unit="10^4 tce")


def test_costs_in_the_wrong_unit_are_refused():
    with pytest.raises(DataError, match="must be in yuan"):
        apportion_energy(firms(), industries(), energy_unit="10^4 tce", industry_cost_unit="yuan")
    with pytest.raises(DataError, match="must be in yuan"):
        apportion_energy(firms(operating_cost_yuan=[2.0, 3.0, 1.0, 1.0]), industries(), energy_unit="10^4 tce")


def test_repeated_and_overlapping_industries_are_refused_together():
    table = pd.DataFrame(
        {"industry_code": ["36", "3610", "36+37", "13"], "report_year": 2019, "industry_cost": [1.0, 1.0, 2.0, -1.0]}
    )
    with pytest.raises(
        DataError, match=r"repeat a two-digit.*stands beside its members.*1 industry-years have a cost of zero"
    ):
        apportion_co2(firms(report_year=[2019] * 4), table)


def test_firm_years_may_not_repeat():
    with pytest.raises(DataError, match="more than once"):
        apportion_energy(firms(stock_code=["000001"] * 4), industries(), energy_unit="10^4 tce")


def test_the_energy_of_the_shipped_yearbook_needs_costs_alone():
    costs = industries().drop(columns=["energy", "vintage"])
    result = apportion_energy(firms(), costs, sectors=sector_energy([2007]).data)
    # Iron and steel in 2007: 47,774.3682 x 10^4 tce (CESY 2008 Table 5-4).
    assert result.data["co2_tonnes"].iloc[0] == pytest.approx(0.02 * 47_774.3682e4 * 0.68 * 44 / 12, rel=1e-9)
    assert result.data["vintage"].iloc[0] == "CESY 2008"
    with pytest.raises(DataError, match="name the unit of the energy"):
        apportion_energy(firms(), industries())
    twice = pd.concat([sector_energy([2007]).data] * 2)
    with pytest.raises(DataError, match="several rows of one division"):
        apportion_energy(firms(), costs, sectors=twice)


def test_merged_divisions_take_the_cost_of_all_members():
    given = firms(report_year=[2019] * 4, industry_code=["C36", "C37", "C41", "C13"])
    table = pd.DataFrame(
        {
            "industry_code": ["C36", "C37", "C41", "C13"],
            "report_year": 2019,
            "industry_cost": [60_000.0, 20_000.0, 1_000.0, 40_000.0],
        }
    )
    result = apportion_co2(given, table)
    inventory = sector_co2([2019]).data.set_index("division")["co2_tonnes"]
    # 2e9 / 80,000e8 of the merged division; 41 without 43 has no value.
    assert result.data["co2_tonnes"].iloc[0] == pytest.approx(2e9 / 8e12 * inventory["36+37"])
    assert result.data["co2_tonnes"].iloc[1] == pytest.approx(3e9 / 8e12 * inventory["36+37"])
    assert result.data["co2_reason"].iloc[2] == "the cost of a member of the merged division is missing"
    assert result.data["vintage"].dropna().unique().tolist() == ["CEADs 1997-2019"]
    whole = pd.DataFrame({"industry_code": ["41+43"], "report_year": [2019], "industry_cost": [2_000.0]})
    merged = apportion_co2(given, pd.concat([table[table["industry_code"] != "C41"], whole]))
    assert merged.data["co2_tonnes"].iloc[2] == pytest.approx(1e9 / 2e11 * inventory["41+43"])


def test_years_outside_the_inventory_have_a_reason():
    table = pd.DataFrame({"industry_code": ["C31", "C13"], "report_year": 2021, "industry_cost": [1000.0, 500.0]})
    result = apportion_co2(firms(report_year=[2021] * 4), table)
    assert result.data["co2_reason"].tolist()[:3] == ["the industry's energy or CO2 is missing"] * 3


def test_mixed_vintages_are_warned_of_with_their_years():
    given = pd.concat([firms(), firms(report_year=[2019] * 4)], ignore_index=True)
    later = industries(report_year=[2019, 2019], vintage=["CESY 2020", "CESY 2020"])
    result = apportion_energy(given, pd.concat([industries(), later], ignore_index=True), energy_unit="10^4 tce")
    assert any("CESY 2008 (2007); CESY 2020 (2019)" in each for each in result.warnings)
    assert apportion_energy(firms(), industries(), energy_unit="10^4 tce").warnings == ()


def test_shares_of_all_firms_of_an_industry_give_back_its_total():
    rng = np.random.Generator(np.random.PCG64(3))
    codes = [f"{i:06d}" for i in range(400)]
    cost = rng.lognormal(20, 1.5, 400)
    industry = rng.choice(["C13", "C26", "C31"], 400)
    given = pd.DataFrame(
        {"stock_code": codes, "report_year": 2015, "industry_code": industry, "operating_cost_yuan": cost}
    )
    totals = given.groupby("industry_code")["operating_cost_yuan"].sum().rename("industry_cost").reset_index()
    result = apportion_co2(given, totals.assign(report_year=2015), industry_cost_unit="yuan")
    inventory = sector_co2([2015]).data.set_index("division")["co2_tonnes"]
    by_division = result.data.groupby("division")["co2_tonnes"].sum()
    assert by_division.to_numpy() == pytest.approx(inventory[by_division.index].to_numpy(), rel=1e-12)
    assert result.frame["listed_share"].tolist() == pytest.approx([1.0] * 3)
    assert not result.frame["is_above_industry"].any()


def test_real_statements_with_their_missing_values_give_reasons_and_no_zero(shared):
    table = pd.read_excel(
        shared / "reference" / "panels" / "finglm_profit_2019_2021.xlsx",
        engine="calamine",
        dtype={"股票代码": str},
        nrows=1500,
    )
    table = table[table["报告年份"] == 2019].drop_duplicates("股票代码")
    given = pd.DataFrame(
        {
            "stock_code": table["股票代码"].str.zfill(6),
            "report_year": 2019,
            "industry_code": "C26",
            "operating_cost_yuan": table["营业成本"].astype("float64"),
        }
    )
    costs = pd.DataFrame({"industry_code": ["C26"], "report_year": [2019], "industry_cost": [55_000.0]})
    result = apportion_co2(given, costs)
    # The file writes -1 for a value that it does not have.
    unknown = given["operating_cost_yuan"] < 0
    assert unknown.sum() > 0
    assert (result.data.loc[unknown, "co2_reason"] == "the firm's cost is negative").all()
    assert result.data.loc[unknown, "co2_tonnes"].isna().all()
    assert result.data["co2_tonnes"].notna().sum() == (given["operating_cost_yuan"] >= 0).sum()
