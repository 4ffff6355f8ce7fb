"""Facts that ship: every file is in the index with source, date and verified, loads, and equals what was read."""

from importlib.resources import files

import pandas as pd
import pytest
import yaml

from econometrics.reference import load_reference, reference_index, references, where_to_get
from shuzhi import DataError

FOLDER = files("econometrics") / "reference"
SHIPPED = sorted(each.name.removesuffix(".csv") for each in FOLDER.iterdir() if each.name.endswith(".csv"))
# Files whose text is that of the shared copy up to the first line.
COPIES = {
    "low_carbon_pilots": [],
    "low_carbon_pilots_by_city": [],
    "broadband_china": [],
    "bigdata_zones": [],
    "industry_groups": [],
    "china_admin_codes": [],
    "ceads_sector_year": [],
    "sector_energy_structure": ["tce_per_1e4yuan_va"],
}


def test_every_file_is_in_the_index_and_every_entry_has_a_file():
    assert sorted(reference_index()) == SHIPPED


@pytest.mark.parametrize("name", SHIPPED)
def test_a_file_loads_with_source_date_and_verified(name):
    found = load_reference(name)
    assert len(found.data) > 0
    assert min(len(found.source), len(found.provenance), len(found.date), len(found.notes), len(found.title)) > 3
    entry = reference_index()[name]
    assert entry["verified"] is found.verified
    assert bool(found.caution) is (not found.verified)
    assert not {"name", "source"} - set(references().columns)


@pytest.mark.parametrize("name", SHIPPED)
def test_codes_keep_their_zeros_and_rows_that_differ_say_so(name):
    data = load_reference(name).data
    for column in [each for each in data.columns if each.endswith("code") or each == "gbt4754_2011"]:
        assert isinstance(data[column].dtype, pd.StringDtype)
        assert not data[column].dropna().str.endswith(".0").any()
    if "verified" in data.columns:
        assert load_reference(name).verified is bool(data["verified"].all())


def test_an_unknown_table_names_the_nearest():
    with pytest.raises(DataError, match="did you mean low_carbon_pilots"):
        load_reference("low_carbon_pilot")


def test_industry_costs_do_not_ship_and_the_error_says_where_they_come_from():
    with pytest.raises(DataError, match=r"中国工业统计年鉴.*主营业务成本.*营业成本.*industry_cost"):
        load_reference("industry_costs")
    described = yaml.safe_load((FOLDER / "not_shipped.yml").read_text(encoding="utf-8"))
    for name in described:
        assert name not in reference_index()
        assert where_to_get(name).startswith(name)
    with pytest.raises(DataError, match="industry_costs"):
        where_to_get("nothing")


def test_changing_a_table_changes_no_other():
    table = load_reference("grid_regions").data
    table.loc[0, "province"] = "x"
    assert load_reference("grid_regions").data.loc[0, "province"] != "x"


@pytest.mark.parametrize("name", COPIES)
def test_what_ships_is_what_was_gathered(name, shared):
    path = shared / "reference" / f"{name}.csv"
    if not path.exists():
        pytest.skip(f"the shared test data hold no {path.name}")
    given = pd.read_csv(path, skiprows=1, dtype=str)
    ours = pd.read_csv(str(FOLDER / f"{name}.csv"), skiprows=1, dtype=str)
    assert [column for column in given.columns if column not in ours.columns] == COPIES[name]
    pd.testing.assert_frame_equal(given[list(ours.columns)], ours)


def test_low_confidence_columns_and_licensed_data_do_not_ship():
    assert "tce_per_1e4yuan_va" not in load_reference("sector_energy_structure").data.columns
    assert not load_reference("sector_energy_consumption").data["item"].str.contains("eps").any()
    assert {"sector_value_added_eps", "ceads_city_co2_1997_2019"} & set(SHIPPED) == set()
