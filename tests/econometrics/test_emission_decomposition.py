"""The trap: an apportioned intensity is industry-years times cost ratios, exactly; another one is not."""

import numpy as np
import pandas as pd
import pytest

from econometrics.emissions import apportion_co2
from econometrics.emissions.decomposition import apportionment_decomposition
from econometrics.emissions.intensity import emission_intensities
from shuzhi import DataError


def panel(seed: int = 5, rows: int = 600) -> pd.DataFrame:
    rng = np.random.Generator(np.random.PCG64(seed))
    firm = np.arange(rows) // 6
    revenue = rng.lognormal(21, 1.2, rows)
    margin = np.clip(0.28 + 0.1 * rng.normal(size=rows // 6)[firm] + 0.05 * rng.normal(size=rows), 0.02, 0.8)
    return pd.DataFrame(
        {
            "stock_code": [f"{each:06d}" for each in firm],
            "report_year": 2010 + np.arange(rows) % 6,
            "industry_code": np.array(["C13", "C26", "C31", "C36", "C39"])[firm % 5],
            "revenue_yuan": revenue,
            "operating_cost_yuan": revenue * (1 - margin),
        }
    )


def apportioned(data: pd.DataFrame) -> pd.DataFrame:
    years = sorted(data["report_year"].unique())
    codes = ["C13", "C26", "C31", "C36", "C37", "C39"]
    costs = pd.DataFrame([(code, year, 40_000.0 + 500 * i) for i, code in enumerate(codes) for year in years])
    costs.columns = ["industry_code", "report_year", "industry_cost"]
    return emission_intensities(apportion_co2(data, costs).data).data


INTENSITY = "co2_tonnes_per_million_yuan_revenue"


def r2_by_dummies(y: np.ndarray, groups: pd.Series, x: np.ndarray | None) -> float:
    """R2 of least squares with one dummy an industry-year: a second computation, written differently."""
    matrix = pd.get_dummies(groups).to_numpy(dtype="float64")
    if x is not None:
        matrix = np.column_stack([matrix, x])
    fitted = matrix @ np.linalg.lstsq(matrix, y, rcond=None)[0]
    return float(1 - ((y - fitted) ** 2).sum() / ((y - y.mean()) ** 2).sum())


def test_the_log_of_an_apportioned_intensity_is_explained_exactly():
    data = apportioned(panel())
    result = apportionment_decomposition(data, intensity=INTENSITY)
    assert result.is_apportioned
    assert result.r2("industry-year + cost ratio", "logs") == pytest.approx(1.0, abs=1e-12)
    # In levels each industry-year has its own slope: exact too.
    assert result.r2("industry-year x cost ratio", "levels") == pytest.approx(1.0, abs=1e-12)
    assert result.r2("industry-year + cost ratio", "levels") < 1 - 1e-4
    logs = result.table[result.table["scale"] == "logs"].set_index("model")
    assert logs.at["industry-year + cost ratio", "estimate"] == pytest.approx(1.0, abs=1e-9)
    assert logs.at["industry-year + cost ratio", "within_r2"] == pytest.approx(1.0, abs=1e-12)
    assert result.industry_years == 30
    assert result.warnings == (result.sentence("en"),)


@pytest.mark.parametrize("scale", ["levels", "logs"])
def test_r2_equals_least_squares_with_dummies(scale):
    data = apportioned(panel(seed=9))
    # A vendor's noise, so that nothing is exact.
    noise = np.random.Generator(np.random.PCG64(1)).normal(0, 0.3, len(data))
    data[INTENSITY] = data[INTENSITY] * np.exp(noise)
    result = apportionment_decomposition(data, intensity=INTENSITY)
    y, x = data[INTENSITY].to_numpy(), (data["operating_cost_yuan"] / data["revenue_yuan"]).to_numpy()
    if scale == "logs":
        y, x = np.log(y), np.log(x)
    groups = data["division"] + data["report_year"].astype(str)
    assert result.r2("industry-year", scale) == pytest.approx(r2_by_dummies(y, groups, None), abs=1e-10)
    assert result.r2("industry-year + cost ratio", scale) == pytest.approx(r2_by_dummies(y, groups, x), abs=1e-10)
    assert not result.is_apportioned
    assert result.warnings == ()
    assert "not merely apportioned" in result.sentence("en")
    assert "并非仅由成本占比分摊" in result.sentence("zh")


def test_the_effects_of_the_study_leave_the_cost_ratio_alone():
    data = apportioned(panel())
    data["industry_year"] = data["division"] + data["report_year"].astype(str)
    result = apportionment_decomposition(data, intensity=INTENSITY, fixed_effects=("stock_code", "industry_year"))
    row = result.table.iloc[-1]
    assert row["model"] == "stock_code + industry_year + cost ratio"
    assert (row["within_r2"], row["estimate"]) == pytest.approx((1.0, 1.0), abs=1e-8)
    # With firm and year effects alone industry-years still move the intensity.
    other = apportionment_decomposition(data, intensity=INTENSITY, fixed_effects=("stock_code", "report_year"))
    assert 0 < other.table.iloc[-1]["within_r2"] < 0.99


def test_the_sentences_name_the_share_between_industry_years():
    data = apportioned(panel())
    result = apportionment_decomposition(data, intensity=INTENSITY)
    share = f"{result.r2('industry-year', 'logs'):.1%}"
    assert share in result.sentence("en")
    assert share in result.sentence("zh")
    assert "gross margin" in result.sentence("en")
    assert "毛利率" in result.sentence("zh")
    assert set(result.to_frame()) >= {"term", "estimate", "standard_error", "p_value", "interval_low", "observations"}
    assert result.sentence("en") in result.summary()


def test_rows_left_out_are_counted_and_an_empty_sample_is_refused():
    data = apportioned(panel())
    data.loc[data.index[:3], "revenue_yuan"] = np.nan
    data.loc[data.index[3:5], "operating_cost_yuan"] = 0.0
    result = apportionment_decomposition(data, intensity=INTENSITY)
    assert result.dropped == {"missing values": 3, "zero or negative values": 2}
    assert result.table["observations"].unique().tolist() == [595]
    with pytest.raises(DataError, match="fewer than three rows"):
        apportionment_decomposition(data.head(4), intensity=INTENSITY)


def test_industry_years_of_one_firm_explain_everything_and_prove_nothing():
    data = apportioned(panel()).drop_duplicates(["division", "report_year"])
    result = apportionment_decomposition(data, intensity=INTENSITY)
    assert result.industry_years == 0
    assert not result.is_apportioned
    assert result.r2("industry-year", "logs") == pytest.approx(1.0)
