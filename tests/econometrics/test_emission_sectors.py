"""Energy and CO2 of divisions: sums against published totals, vintages and concepts apart, three classifications."""

import pandas as pd
import pytest

from econometrics.emissions.sectors import divisions, merged_divisions, sector_co2, sector_energy, vintage_warnings
from econometrics.reference import load_reference
from shuzhi import DataError

MANUFACTURING = [f"{code}" for code in (*range(13, 36), "36+37", *range(38, 41), "41+43", 42)]


def published(year: int, code: str) -> float:
    table = load_reference("sector_energy_consumption").data
    row = table[
        (table["item"] == "total_energy_consumption") & (table["year"] == year) & (table["sector_code"] == code)
    ]
    return float(row["value"].iloc[0])


# The anchors of the yearbook (10^4 tce): 73,824 in 2000, 129,291 in 2005, 156,219 in 2007.
@pytest.mark.parametrize(("year", "anchor"), [(2000, 73_824), (2005, 129_291), (2007, 156_219), (2003, 94_919)])
def test_manufacturing_divisions_add_up_to_the_published_row(year, anchor):
    data = sector_energy([year]).data
    total = data.loc[data["division"].isin(MANUFACTURING), "energy_tce"].sum() / 1e4
    assert total == pytest.approx(published(year, "C"), rel=1e-6)
    assert round(total) == anchor
    assert data["energy_tce"].sum() / 1e4 == pytest.approx(published(year, "IND"), rel=1e-6)


@pytest.mark.parametrize(("year", "anchor"), [(2019, 275_922), (2020, 288_537)])
def test_final_energy_of_manufacturing_equals_the_published_total(year, anchor):
    data = sector_energy([year], concept="final_coal_equivalent").data
    assert round(data.loc[data["division"].isin(MANUFACTURING), "energy_tce"].sum() / 1e4) == anchor


def test_years_that_are_not_there_are_named_with_where_to_get_them():
    with pytest.raises(DataError, match=r"for 2001, 2010; the years are 1995, .*中国能源统计年鉴"):
        sector_energy([2000, 2001, 2010])
    with pytest.raises(DataError, match="for 2020; the years are 1997"):
        sector_co2([2020])


def test_mixing_editions_of_the_yearbook_lists_the_years():
    assert sector_energy().warnings == ()
    (warning,) = sector_energy(concept="final_coal_equivalent").warnings
    assert "3 vintages" in warning
    assert "CESY 2008 (2007)" in warning
    assert "CESY 2020 (2019)" in warning
    rows = pd.DataFrame({"report_year": [2005, 2006, 2006], "vintage": ["a", "b", None]})
    assert "x mixes 2 vintages in one series: a (2005); b (2006)" in vintage_warnings(rows, "x")[0]
    assert vintage_warnings(rows.drop(columns="vintage"), "x") == ()


def test_merged_divisions_are_listed():
    assert merged_divisions().to_dict("list") == {
        "division": ["11+12", "36+37", "41+43"],
        "members": ["11, 12", "36, 37", "41, 43"],
    }


def test_codes_of_each_classification_find_their_division():
    codes = pd.Series(
        ["C36", "36", "3670", "C3670", "36+37", "6", "06", "B06", "D44", "44", "K70", "C70", "99", "C4", None]
    )
    assert divisions(codes).fillna("").tolist() == [
        *("36+37",) * 5,
        *("06",) * 3,
        *("44",) * 2,
        *("",) * 5,
    ]
    # In 2002 rubber is 29, plastics 30, cement 31 and vehicles 37; a letter always means the guide of 2012.
    old = divisions(pd.Series(["29", "30", "31", "37", "42", "C31"]), "GB/T 4754-2002")
    assert old.tolist() == ["29", "29", "30", "36+37", "41+43", "31"]


def test_every_division_of_the_sector_tables_is_reached_from_each_classification():
    table = load_reference("sector_divisions").data
    ceads = set(load_reference("ceads_sector_year").data["gbt4754_2011"])
    for _, rows in table.groupby("scheme"):
        assert set(rows["division"]) == ceads
    assert len(ceads) == 38


# Industry totals of the inventory in Mt, added up by hand from the shared full table when it was gathered.
@pytest.mark.parametrize(("year", "mt"), [(1997, 2393.303), (2010, 6805.343), (2019, 8279.670)])
def test_ceads_industry_totals_by_year(year, mt):
    data = sector_co2([year]).data
    assert data["co2_tonnes"].sum() / 1e6 == pytest.approx(mt, abs=1e-3)


def test_the_shipped_sectors_are_the_sums_of_the_full_inventory(shared):
    full = pd.read_csv(shared / "reference" / "ceads_sector_co2.csv", skiprows=1, dtype={"gbt4754_2011": str})
    fuels = full[full["fuel"] != "Scope 1 Total"]
    total = fuels[fuels["sector_ceads"] == "Total Consumption"].groupby("year")["co2_mt"].sum()
    stated = full[(full["sector_ceads"] == "Total Consumption") & (full["fuel"] == "Scope 1 Total")]
    assert total.to_numpy() == pytest.approx(stated.set_index("year")["co2_mt"].to_numpy(), rel=1e-4)
    sums = fuels.dropna(subset=["gbt4754_2011"]).groupby(["gbt4754_2011", "year"])["co2_mt"].sum()
    ours = sector_co2().data.set_index(["division", "report_year"])["co2_tonnes"] / 1e6
    assert len(ours) == 868
    assert ours.to_numpy() == pytest.approx(sums.reindex(ours.index).to_numpy(), rel=2e-3, abs=2e-3)
    # Sectors outside industry and industry together are the total.
    rest = fuels[fuels["gbt4754_2011"].isna() & (fuels["sector_ceads"] != "Total Consumption")]
    whole = ours.groupby("report_year").sum() + rest.groupby("year")["co2_mt"].sum()
    assert whole.to_numpy() == pytest.approx(total.to_numpy(), rel=2e-3)


# Sum of provinces in Mt: 2,936 in 1997 (30 provinces), 8,599 in 2010, 10,864 in 2019.
def test_ceads_sums_of_provinces_by_year(shared):
    path = shared / "reference" / "panels" / "ceads_province_sector_co2_1997_2019.csv.gz"
    table = pd.read_csv(path)
    table = table[table["sector"] == "Total Consumption"]
    sums = table.groupby("year")["co2_total_mt"].sum()
    assert [round(sums[year]) for year in (1997, 2010, 2019)] == [2936, 8599, 10864]
    assert table[table["year"] == 1997]["province"].nunique() == 30
