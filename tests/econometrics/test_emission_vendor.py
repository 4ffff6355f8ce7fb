"""Emissions of a vendor: headers recognised, components added up, totals that disagree listed."""

import numpy as np
import pandas as pd
import pytest

from econometrics.emissions.vendor import vendor_emissions
from econometrics.reference import load_reference
from shuzhi import DataError

ITEMS = [row for row in load_reference("listed_emission_columns").data.itertuples() if row.item != "total"]


def vendor(total: float = 45.0, rows: int = 3) -> pd.DataFrame:
    """Components 1 to 9, which add up to 45."""
    data = {f"{row.column_zh}（吨）": [float(i)] * rows for i, row in enumerate(ITEMS, start=1)}
    return pd.DataFrame(
        {"股票代码": [f"{i:06d}" for i in range(rows)], "上市公司碳排放总量(吨)": [total] * rows, **data}
    )


def test_headers_are_recognised_with_units_and_brackets_of_either_kind():
    result = vendor_emissions(vendor())
    assert len(result.columns) == 10
    row = result.data.iloc[0]
    # I: 1 + 2 + 3 + 4 + 5; II: 6; III: 7 + 8; IV: 9.
    assert row[
        ["co2_combustion_escape_tonnes", "co2_process_tonnes", "co2_waste_tonnes", "co2_land_use_tonnes"]
    ].tolist() == [*(15.0, 6.0, 15.0, 9.0)]
    assert (row["co2_components_tonnes"], row["co2_tonnes"]) == (45.0, 45.0)
    assert result.disagreements.empty
    assert result.warnings == ()
    assert "股票代码" in result.data.columns


def test_totals_that_disagree_are_listed_with_the_share():
    data = vendor()
    data.loc[1, "上市公司碳排放总量(吨)"] = 50.0
    result = vendor_emissions(data)
    assert result.disagreements["股票代码"].tolist() == ["000001"]
    assert result.disagreements["difference_share"].tolist() == [pytest.approx(0.1)]
    assert result.checks.set_index("check")["rows"].to_dict()["rows where they differ by more than 0.001"] == 1
    assert any("do not add up" in each for each in result.warnings)
    assert vendor_emissions(data, tolerance=0.2).disagreements.empty


def test_missing_parts_give_no_sum_and_are_named():
    data = vendor().drop(columns="生产过程排放（吨）")
    result = vendor_emissions(data)
    assert result.data["co2_components_tonnes"].isna().all()
    assert "production_process" in result.warnings[0]
    gap = vendor()
    gap.loc[0, "化石燃料燃烧排放（吨）"] = np.nan
    filled = vendor_emissions(gap)
    assert pd.isna(filled.data["co2_combustion_escape_tonnes"].iloc[0])
    assert filled.checks.set_index("check")["rows"].to_dict()["rows with total and all components"] == 2


def test_units_and_own_headers():
    result = vendor_emissions(vendor(), unit="10^4 t")
    assert result.data["co2_tonnes"].tolist() == [450_000.0] * 3
    own = vendor_emissions(pd.DataFrame({"CEmission": [3.0, -1.0]}), columns={"CEmission": "total"})
    assert own.data["co2_tonnes"].tolist() == [3.0, -1.0]
    assert any("1 rows hold a negative value" in each for each in own.warnings)


def test_what_cannot_be_read_is_refused():
    with pytest.raises(DataError, match=r"no column of emissions was recognised among a; .*commercial"):
        vendor_emissions(pd.DataFrame({"a": [1.0]}))
    with pytest.raises(DataError, match=r"unknown items nothing .*does not have: b"):
        vendor_emissions(vendor(), columns={"b": "nothing"})
    with pytest.raises(DataError, match="two headers mean one item"):
        vendor_emissions(vendor().assign(x=1.0), columns={"x": "total"})
    with pytest.raises(DataError, match="unknown unit"):
        vendor_emissions(vendor(), unit="lb")
