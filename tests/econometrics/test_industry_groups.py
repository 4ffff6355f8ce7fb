"""Groups: heavy pollution and energy by mapping, energy structure, size, cuts with their edges."""

import numpy as np
import pandas as pd
import pytest

from econometrics.policies.cuts import cut_groups
from econometrics.policies.industry_groups import (
    add_energy_structure,
    add_industry_groups,
    add_size_groups,
    sector_energy_intensity,
)
from econometrics.reference import load_reference
from shuzhi import DataError


def test_industries_by_each_mapping_and_by_a_list_of_ones_own():
    data = pd.DataFrame({"industry_code": ["C26", "C2614", "C27", "K70", "J", "C", "B", "26", None]})
    narrow = add_industry_groups(data)
    # 医药 (C27) is heavy only in the broad mapping; a bare C or B holds both kinds and says nothing.
    assert narrow.data["is_heavy_pollution"].fillna(-1).tolist() == [1, 1, 0, 0, 0, -1, -1, -1, -1]
    assert narrow.data["is_high_energy"].fillna(-1).tolist() == [1, 1, 0, 0, 0, -1, -1, -1, -1]
    assert narrow.unmatched["rows"].sum() == 4
    broad = add_industry_groups(data, heavy_pollution="heavy_pollution_broad")
    assert broad.data["is_heavy_pollution"].tolist()[2] == 1
    own = add_industry_groups(data, heavy_pollution=["K70"], high_energy=["c27"])
    assert own.data["is_heavy_pollution"].tolist()[:5] == [0, 0, 0, 1, 0]
    assert own.data["is_high_energy"].tolist()[2] == 1
    assert own.warnings == ()
    assert "not verified" in narrow.warnings[0]
    assert "C25, C26, C30, C31, C32, D44" in narrow.assumptions[1]


def test_the_two_mappings_hold_what_the_literature_uses():
    table = load_reference("industry_groups").data
    narrow = set(table.loc[table["heavy_pollution_16"], "csrc2012"])
    assert narrow == {
        *("B06", "B07", "B08", "B09", "C17", "C19", "C22", "C25", "C26", "C28"),
        *("C29", "C30", "C31", "C32", "C33", "D44"),
    }
    with pytest.raises(DataError, match="no mapping 'x'"):
        add_industry_groups(pd.DataFrame({"industry_code": ["C26"]}), heavy_pollution="x")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="no codes of industries: 26"):
        add_industry_groups(pd.DataFrame({"industry_code": ["C26"]}), heavy_pollution=["26"])


def test_the_share_of_coal_is_that_of_the_sector_and_cut_over_divisions():
    data = pd.DataFrame({"industry_code": ["C30", "C39", "C36", "K70"]})
    result = add_energy_structure(data, shares=("coal_share", "electricity_share"), cut="terciles")
    # 非金属矿物 0.55490 and 计算机 0.00542 in 2019.
    assert result.data["coal_share"].tolist()[:2] == [0.5549, 0.00542]
    assert result.data["coal_share_group"].fillna("").tolist() == ["high", "low", "low", ""]
    assert result.data["electricity_share_group"].tolist()[:2] == ["low", "high"]
    assert result.unmatched["given"].tolist() == ["K70"]
    table = load_reference("sector_energy_structure").data
    shares = table[table["year"] == 2019]["coal_share"]
    middle = sorted(shares)[len(shares) // 2]
    halves = add_energy_structure(pd.DataFrame({"industry_code": table[table["year"] == 2019]["gbt4754_2011"]}))
    # 29 divisions: the median itself belongs to the upper half.
    assert (halves.data["coal_share_group"] == "high").tolist() == [
        share >= middle for share in halves.data["coal_share"]
    ]
    assert halves.data["coal_share_group"].value_counts().to_dict() == {"high": 15, "low": 14}
    with pytest.raises(DataError, match=r"one of 2007, 2019, 2020 \(given 2010\)"):
        add_energy_structure(data, structure_year=2010)


def test_shares_of_energy_in_a_division_add_up_to_less_than_one():
    table = load_reference("sector_energy_structure").data
    total = table[["coal_coke_share", "oil_share", "gas_share", "electricity_share"]].sum(axis=1)
    assert (total < 1.01).all()
    # The rest is heat and other energy.
    assert total.median() > 0.8


def test_market_value_at_ten_and_fifty_billion_yuan():
    values = [1e9, 9.99e9, 1e10, 4.9e10, 5e10, np.nan]
    result = add_size_groups(pd.DataFrame({"market_value_yuan": values}))
    assert result.data["size_group"].fillna("").tolist() == ["small", "small", "medium", "medium", "large", ""]
    in_100m = add_size_groups(pd.DataFrame({"market_value_yuan": [each / 1e8 for each in values]}), unit="亿元")
    assert in_100m.data["size_group"].equals(result.data["size_group"])
    with pytest.raises(DataError, match="name its unit"):
        add_size_groups(pd.DataFrame({"market_value_yuan": [10.0, 99.9]}))
    assert result.groups["rows"].sum() == 6


def test_size_by_quantiles_within_a_year():
    data = pd.DataFrame({"report_year": [1, 1, 2, 2], "assets": [1.0, 2.0, 30.0, 40.0]})
    result = add_size_groups(data, column="assets", cut="median", within=["report_year"], plausible=None)
    assert result.data["size_group"].tolist() == ["low", "high", "low", "high"]
    with pytest.raises(DataError, match="within goes with quantiles"):
        add_size_groups(data, column="assets", cut=(1.0, 2.0), within=["report_year"], plausible=None)


def test_cuts_and_their_edges():
    values = pd.Series([1.0, 2.0, 3.0, np.nan])
    assert cut_groups(values, (2.0,)).fillna("").tolist() == ["low", "high", "high", ""]
    assert cut_groups(values, (1.5, 2.5, 2.7, 2.9)).tolist()[:3] == ["group 1", "group 2", "group 5"]
    with pytest.raises(DataError, match="cuts must increase"):
        cut_groups(values, (2.0, 1.0))
    with pytest.raises(DataError, match="make 2 groups, but there are 3 labels"):
        cut_groups(values, "median", labels=("a", "b", "c"))
    assert cut_groups(pd.Series([np.nan]), "median", labels=None).isna().all()


def test_energy_per_output_of_a_division():
    table = pd.DataFrame(
        {"industry_code": ["31", "32", "13"], "report_year": 2007, "output": [30_000.0, 20_000.0, 17_000.0]}
    )
    result = sector_energy_intensity(table, scheme="GB/T 4754-2011").set_index("division")
    # Iron and steel 2007: 47,774.3682e4 tce over 30,000e8 yuan is 47,774.3682e4 / 30,000e4 = 1.59248 tce per 10^4 yuan.
    assert result.at["31", "tce_per_10k_yuan"] == pytest.approx(1.592479, abs=1e-6)
    assert result["energy_intensity_group"].to_dict() == {"13": "low", "31": "high", "32": "high"}
    with pytest.raises(DataError, match="no year of industries"):
        sector_energy_intensity(table.assign(report_year=2010))
