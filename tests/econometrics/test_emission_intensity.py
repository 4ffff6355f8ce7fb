"""Intensities: units in the names, zero and negative denominators missing, magnitudes warned of."""

import numpy as np
import pandas as pd
import pytest

from econometrics.emissions.intensity import emission_intensities
from shuzhi import DataError

DATA = pd.DataFrame(
    {
        "co2_tonnes": [1000.0, 0.0, 500.0, np.nan, 10.0],
        "revenue_yuan": [2e7, 1e6, -5.0, 1e6, np.nan],
        "total_assets_yuan": [4e7, 2e6, 1e6, 1e6, 0.0],
    }
)


def test_intensities_by_hand():
    result = emission_intensities(DATA, assets="total_assets_yuan")
    name = "co2_tonnes_per_million_yuan_revenue"
    # 1000 t / 20 million yuan = 50; 0 / 1 = 0; negative revenue, missing CO2, missing revenue: missing.
    assert result.data[name].tolist()[:2] == [50.0, 0.0]
    assert result.data[name].isna().tolist() == [False, False, True, True, True]
    assert result.data[f"ln_{name}"].iloc[0] == pytest.approx(np.log(50))
    assert pd.isna(result.data[f"ln_{name}"].iloc[1])
    assert result.data[f"ln1p_{name}"].tolist()[:2] == pytest.approx([np.log(51), 0.0])
    assert result.data["ln_co2_tonnes"].iloc[0] == pytest.approx(np.log(1000))
    assert result.data["co2_tonnes_per_million_yuan_assets"].iloc[0] == 25.0
    lost = result.undefined.set_index(["column", "reason"])["rows"]
    assert lost[(name, "revenue_yuan is zero or negative")] == 1
    assert lost[(name, "revenue_yuan is missing")] == 1
    assert lost[(name, "emissions are missing")] == 1
    assert lost[("ln_co2_tonnes", "emissions are zero")] == 1
    assert lost[("co2_tonnes_per_million_yuan_assets", "total_assets_yuan is zero or negative")] == 1
    assert set(result.columns["column"]) == set(result.data.columns) - set(DATA.columns)
    assert name in result.summary()


def test_the_unit_is_in_the_name_and_in_the_number():
    per_million = emission_intensities(DATA).data["co2_tonnes_per_million_yuan_revenue"]
    per_10k = emission_intensities(DATA, per="10^4 yuan").data["co2_tonnes_per_10k_yuan_revenue"]
    assert (per_million.dropna() / 100).tolist() == per_10k.dropna().tolist()


def test_a_magnitude_that_no_industry_has_is_warned_of():
    wrong = DATA.assign(revenue_yuan=DATA["revenue_yuan"] / 1e8)
    assert "check the units" in emission_intensities(wrong.head(1)).warnings[0]
    assert emission_intensities(DATA.head(1)).warnings == ()
    assert "check the units" in emission_intensities(wrong.head(1), per="10^4 yuan").warnings[0]


def test_what_cannot_be_is_refused():
    with pytest.raises(DataError, match="1 negative values"):
        emission_intensities(DATA.assign(co2_tonnes=-1.0).head(1))
    with pytest.raises(DataError, match="name at least one"):
        emission_intensities(DATA, revenue=None)
    with pytest.raises(DataError, match="no column sales"):
        emission_intensities(DATA, revenue="sales")
