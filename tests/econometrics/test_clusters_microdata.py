"""Microdata as they come: names in three languages, lost zeros, duplicates, negative numbers, all counted."""

import pandas as pd
import pytest

from econometrics.clusters.microdata import find_columns, standard_microdata
from econometrics.clusters.microdata_codes import industry_codes, place_codes, year_numbers
from econometrics.reference import load_reference
from shuzhi import DataError


@pytest.fixture
def messy() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "法人代码": ["101", "000000102", "000000102", "X1", None, "000000105", "000000106", "7"],
            "年份": [2004, "2004", "2004-12-31", "2004年", "200412", 2004.0, "04", 2004],
            "省地县码": [110101.0, "110102", "110102", "441900", "330182103000", "3301", "520111", ""],
            "行业代码": [610, "1311", "1311", "3721", "C3921", "131", "2221", "1311"],
            "从业人数": ["1,200", 5, 50, -3, "abc", 0, 7, 8],
            "工业总产值(当年价格)": [1, 2, 2, 3, 4, 5, 6, 7],
            "经度": [116.4, 39.9, 39.9, 113.7, 0, 120, 120, 1],
            "纬度": [39.9, 116.4, 116.4, 23, 0, 30, 30, 1],
        },
        index=[3, 3, 5, 6, 7, 8, 9, 10],
    )


def checks(result: object) -> dict[tuple[str, str], int]:
    table = result.checks  # type: ignore[attr-defined]
    return {(row.check, row.column): row.rows for row in table.itertuples(index=False)}


def test_names_of_the_survey_in_three_languages() -> None:
    schema = load_reference("asif_schema").data["name"].tolist()
    found, _ = find_columns(schema)
    assert {key: found[key] for key in ("establishment_id", "place", "industry", "employment", "output", "cost")} == {
        "establishment_id": "firm", "place": "dq", "industry": "cic", "employment": "employ", "output": "output",
        "cost": "c108",
    }  # fmt: skip
    chinese, _ = find_columns(["省地县码", "行业代码", "全部从业人员年平均人数", "工业总产值（当年价格）", "年份"])
    assert chinese["output"] == "工业总产值（当年价格）"
    assert chinese["employment"] == "全部从业人员年平均人数"
    pinyin, _ = find_columns(["FRDM", "xzqhdm", "hydm", "cyrs", "gyzcz"])
    assert sorted(pinyin) == ["employment", "establishment_id", "industry", "output", "place"]
    both, others = find_columns(["从业人数", "职工人数", "dq"])
    assert both["employment"] == "从业人数"
    assert others == {"employment": ["职工人数"]}
    with pytest.raises(DataError, match="no column 'staff' in the file for employment"):
        find_columns(["dq"], {"employment": "staff"})
    with pytest.raises(DataError, match="no standard column 'people'"):
        find_columns(["dq"], {"people": "dq"})


def test_all_that_is_odd_is_counted(messy: pd.DataFrame) -> None:
    before = messy.copy()
    result = standard_microdata(messy, industry_digits=2)
    pd.testing.assert_frame_equal(messy, before)
    assert result.dropped == {
        "without a year": 1,
        "without a place": 1,
        "repeating an identifier and year (rule first)": 1,
    }
    assert len(result.data) == 5 == result.rows_given - sum(result.dropped.values())
    counted = checks(result)
    assert counted["lost zeros", "industry"] == 1
    assert counted["lost zeros", "establishment_id"] == 2
    assert counted["no number", "employment"] == 1
    assert counted["negative", "employment"] == 1
    assert counted["zero", "employment"] == 1
    assert counted["missing", "employment"] == 2
    assert counted["longitude and latitude exchanged", "longitude"] == 2
    assert counted["point outside China", "longitude"] == 2
    assert counted["code without six digits", "place"] == 2
    assert counted["identifier and year repeated", "establishment_id"] == 2
    data = result.data.set_index("place_given")
    assert data.loc["110101", "industry"] == "06"
    assert data.loc["110101", "employment"] == 1200.0
    assert pd.isna(data.loc["441900", "employment"])
    assert data.loc["330182", "industry"] == "C39"
    assert data.loc["110102", ["longitude", "latitude"]].tolist() == [116.4, 39.9]
    assert data.loc["330100", "employment"] == 0.0
    assert "dropped: 1 without a place" in result.summary()


def test_digits_level_and_rules_for_duplicates(messy: pd.DataFrame) -> None:
    result = standard_microdata(messy, industry_digits=4, place_level="prefecture", duplicates="largest")
    assert result.dropped["with an industry code of fewer than 4 digits"] == 1
    assert result.data["place"].tolist() == ["110000", "110000", "441900", "330100"]
    assert result.data["employment"].tolist()[1] == 50.0
    assert result.data["industry"].tolist() == ["0610", "1311", "3721", "C3921"]
    assert len(standard_microdata(messy, industry_digits=2, duplicates="drop").data) == 4
    assert len(standard_microdata(messy, industry_digits=2, duplicates="keep").data) == 6


def test_mapping_and_factors(messy: pd.DataFrame) -> None:
    named = messy.rename(columns={"从业人数": "人", "年份": "t"}).drop(columns="t")
    result = standard_microdata(
        named, mapping={"employment": "人"}, factors={"output": 10.0}, year=2004, industry_digits=2
    )
    assert result.columns["employment"] == "人"
    assert result.data["output"].tolist()[0] == 10.0
    with pytest.raises(DataError, match="no column for year; name it in the mapping"):
        standard_microdata(named)
    with pytest.raises(DataError, match="no establishment is left of 8: 8 without a place"):
        standard_microdata(named.assign(省地县码=""), year=2004)


def test_codes_one_by_one() -> None:
    codes, restored = industry_codes(pd.Series(["0610", "610", "131", "1310", "930", "C13", "1311"]))
    assert codes.tolist() == ["0610", "0610", "131", "1310", "0930", "C13", "1311"]
    assert restored.tolist() == [False, True, False, False, True, False, False]
    places, changed = place_codes(pd.Series([110101, 110101.0, "110101001", "1101", "11", "11010", "９９", None]))
    assert places.tolist() == ["110101", "110101", "110101", "110100", "110000", "", "", ""]
    assert changed.tolist() == [False, False, True, True, True, False, False, False]
    years = year_numbers(pd.Series([2004.0, "2004年", "20041231", "2004/12", pd.Timestamp("2004-12-31"), "x", 4, None]))
    assert years.dropna().tolist() == [2004] * 5
