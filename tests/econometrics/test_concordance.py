"""Codes of other years: every code maps or is listed; known reorganisations; industries with divided ones marked."""

import pandas as pd
import pytest

from econometrics.clusters.industry_concordance import industry_scheme, map_industries
from econometrics.places.concordance import map_places
from econometrics.places.lists import is_heading, list_date, name_stem, place_at_level, place_list, place_names
from econometrics.reference import load_reference
from shuzhi import DataError

YEARS = [*range(1998, 2012), 2013, 2014]


def target(code: str, year: int, target_year: int, **options: str) -> list[str]:
    table = map_places(pd.Series([code]), source_year=year, target_year=target_year, **options).data  # type: ignore[arg-type]
    return table["target_place"].dropna().tolist()


def test_every_code_of_1998_to_2014_maps_or_is_listed() -> None:
    lists = pd.concat([place_list(year).assign(year=year) for year in YEARS], ignore_index=True)
    result = map_places(lists, target_year=2019)
    assert len(result.data) == len(lists.drop_duplicates(["place", "year"]))
    known = set(place_names(2019))
    assert result.data["target_place"].dropna().isin(known).all()
    lost = result.unmapped
    assert lost["reason"].ne("").all()
    # the districts of 大兴安岭地区, which the list of 2019 leaves out; nothing else
    assert sorted(lost["place"].unique()) == ["232701", "232702", "232703", "232704"]
    assert set(lost["name"]) == {"加格达奇区", "松岭区", "新林区", "呼中区"}
    counties = load_reference("china_county_codes_1998_2014").data
    listed = set(zip(result.data["place"], result.data["name"], strict=True))
    assert set(zip(counties["code"], counties["name"], strict=True)) <= listed
    assert "not mapped: " in result.summary()


def test_every_code_of_2019_maps_back_or_is_listed() -> None:
    same = map_places(place_list(2019).assign(year=2019), target_year=2019)
    assert same.unmapped.empty
    assert (same.data["place"] == same.data["target_place"]).all()
    reference = load_reference("china_admin_codes").data
    assert set(reference["code"]) <= set(same.data["place"])
    back = map_places(place_list(2019).assign(year=2019), target_year=1998)
    # new districts and cities, and the three regions that the list of 1998 leaves out
    assert 40 <= len(back.unmapped) <= 70
    assert {"440309", "520115", "659009", "710000"} <= set(back.unmapped["place"])
    assert (back.unmapped["reason"] == "no place of the target list holds it").all()


@pytest.mark.parametrize(
    ("code", "year", "then", "how"),
    [
        ("110101", 1998, "110101", "same"),
        ("330183", 2014, "330111", "stem_in_prefecture"),  # 富阳市 became 富阳区 in 2015
        ("370683", 2014, "370683", "same"),
        ("362201", 1999, "360902", "successor"),  # 宜春市 became 袁州区 when its region became a city
        ("362401", 1999, "360802", "successor"),  # 吉安市 is not 吉安县
        ("513001", 1998, "511702", "successor"),  # 达川市 is 通川区, not the later 达川区
        ("110103", 2009, "110101", "successor"),  # 崇文区 went to 东城区
        ("361128", 2002, "361128", "same_code_new_name"),  # 波阳县 is 鄱阳县
        ("452122", 2001, "450127", "name_in_province"),  # 横县
        ("420600", 1998, "420600", "same_code_new_name"),  # 襄樊市 is 襄阳市
        ("132100", 1990, "130400", "stem_in_province"),  # 邯郸地区
        ("500221", 2000, "500115", "stem_in_province"),  # 长寿县
    ],
)
def test_known_reorganisations(code: str, year: int, then: str, how: str) -> None:
    table = map_places(pd.Series([code]), source_year=year, target_year=2019).data
    assert table["target_place"].tolist() == [then]
    assert table["how"].tolist() == [how]


def test_names_that_many_cities_share_do_not_travel() -> None:
    # 郊区 of 合肥 is 包河区, not the 郊区 of 铜陵; 新华区 of 新乡 is not that of 平顶山; 矿区 of 大同 not that of 阳泉
    assert target("340111", 1998, 2019) == ["340111"]
    assert target("410703", 2002, 2019) == ["410703"]
    assert target("140203", 2014, 2019) == ["140214"]


def test_divided_and_merged_places() -> None:
    # 六安市 was divided into 金安区 and 裕安区
    assert target("342401", 1998, 2019) == ["341502"]
    assert target("342401", 1998, 2019, splits="candidates") == ["341502", "341503"]
    table = map_places(pd.Series(["342401"]), source_year=1998, target_year=2019, splits="unmapped")
    assert table.unmapped["reason"].tolist() == ["divided among several places"]
    # backwards: 黄浦区 of today holds 南市区 and 卢湾区, itself first
    table = map_places(pd.Series(["310101"]), source_year=2019, target_year=1998, splits="candidates").data
    assert table["target_place"].tolist() == ["310101", "310102", "310103"]
    assert table["how"].unique().tolist() == ["merged_since"]
    assert target("330111", 2019, 1998) == ["330183"]


def test_codes_that_are_used_outside_their_years_or_never() -> None:
    # 110103 left the list in 2010; a form of 2012 that still has it is read by the list of 2009
    late = map_places(pd.DataFrame({"place": ["110103"], "year": [2012]}), target_year=2019).data
    assert late["listed_year"].tolist() == [2009]
    assert late["target_place"].tolist() == ["110101"]
    never = map_places(pd.DataFrame({"place": ["999999"], "year": [2004]}), target_year=2019)
    assert never.unmapped["reason"].tolist() == ["code in no list from 1980 to 2019"]
    assert map_places(pd.Series(["110100"]), source_year=2002, target_year=2019).unmapped["reason"].tolist() == [
        "heading for all places of an area"
    ]
    with pytest.raises(DataError, match="need source_year"):
        map_places(pd.Series(["110101"]), target_year=2019)
    with pytest.raises(DataError, match="no column year"):
        map_places(pd.DataFrame({"place": ["110101"]}), target_year=2019)
    with pytest.raises(DataError, match="first list of places is that of 198012"):
        list_date(1979)


def test_points_agree_with_the_mapping() -> None:
    counties = load_reference("china_county_codes_1998_2014").data
    assert counties["longitude"].notna().all()
    pairs = counties.rename(columns={"code": "place", "first_year": "year"})
    far = map_places(pairs, target_year=2014).data["distance_km"]
    assert far.notna().sum() > 3000
    assert far.max() < 60


def test_levels_and_names() -> None:
    assert place_at_level("330183", "prefecture") == "330100"
    assert place_at_level("110228", "prefecture") == "110000"
    assert place_at_level("429004", "prefecture") == "429004"
    assert place_at_level("460025", "prefecture") == "460025"
    assert place_at_level("460100", "prefecture") == "460100"
    assert place_at_level("330183", "province") == "330000"
    with pytest.raises(DataError, match="six digits"):
        place_at_level("3301", "prefecture")
    assert name_stem("富阳市") == name_stem("富阳区") == "富阳"
    assert name_stem("宽甸满族自治县") == "宽甸"
    assert name_stem("井陉矿区") != name_stem("井陉县")
    assert is_heading("市辖区")
    assert not is_heading("县城区")
    reference = load_reference("china_admin_codes").data
    counties = place_list(2019)
    assert set(counties["prefecture"]) - {"710000", "810000", "820000"} - set(counties["province"]) <= set(
        reference["code"]
    )


def test_successors_are_codes_of_the_lists() -> None:
    table = load_reference("china_county_successors").data
    names = place_names(2019)
    for row in table.itertuples(index=False):
        codes, labels = str(row.successors_2019).split(";"), str(row.successor_names).split(";")
        assert [names[code] for code in codes] == labels
        assert place_names(int(row.last_year))[row.code] == row.name
        assert row.kind == ("divided" if len(codes) > 1 else "whole")


def industries(codes: list[str], source: str, goal: str, splits: str = "merge") -> pd.DataFrame:
    return map_industries(codes, source=source, target=goal, splits=splits).data  # type: ignore[arg-type]


def test_divisions_of_2002_in_2011() -> None:
    table = industries(["13", "31", "34", "39", "40", "29", "30", "43"], "gbt4754_2002", "gbt4754_2011")
    # two-digit shift: 31 -> 30, 34 -> 33, 39 -> 38, 40 -> 39; rubber and plastics join; 43 -> 42
    assert dict(zip(table["industry"], table["target_industry"], strict=True)) == {
        "13": "13", "29": "29", "30": "29", "31": "30", "34": "33", "39": "38", "40": "39", "43": "42",
    }  # fmt: skip
    assert not table["is_split"].any()
    divided = industries(["37", "42", "24"], "gbt4754_2002", "gbt4754_2011")
    assert divided["target_industry"].tolist() == ["24+41", "36+37", "24+41"]
    assert divided["is_split"].all()
    every = industries(["37"], "gbt4754_2002", "gbt4754_2011", "candidates")
    assert every["target_industry"].tolist() == ["36", "37"]
    none = map_industries(["37"], source="gbt4754_2002", target="gbt4754_2011", splits="unmapped")
    assert none.unmapped["reason"].tolist() == ["divided among 36, 37"]
    assert none.never_reached == ("11", "43")


def test_groups_tell_the_part_of_a_divided_industry() -> None:
    table = industries(["3721", "3741", "4210", "4290", "1820", "1810"], "gbt4754_2002", "csrc_2012", "candidates")
    assert dict(zip(table["industry"], table["target_industry"], strict=True)) == {
        "1810": "C18", "1820": "C19", "3721": "C36", "3741": "C37", "4210": "C24", "4290": "C41",
    }  # fmt: skip
    # footwear moved by general knowledge only; motor vehicles by the checked table
    assert table.set_index("industry")["is_verified"].to_dict()["1820"] is False
    assert table.set_index("industry")["is_verified"].to_dict()["3721"] is True


def test_other_pairs_of_classifications() -> None:
    table = industries(["29", "30", "40", "41", "42"], "gbt4754_1994", "gbt4754_2002")
    assert table["target_industry"].tolist() == ["29", "30", "39", "40", "41"]
    assert industries(["C39", "C24"], "csrc_2012", "gbt4754_1994", "candidates")["target_industry"].tolist() == [
        "24",
        "41",
    ]
    assert industries(["C75", "C51"], "csrc_2001", "csrc_2012")["target_industry"].tolist() == ["C39", "C36+C37"]
    assert industries(["37"], "gbt4754_2002", "gbt4754_2002")["target_industry"].tolist() == ["37"]
    weapons = map_industries(["39"], source="gbt4754_1994", target="gbt4754_2011")
    assert weapons.unmapped["reason"].tolist() == ["gbt4754_1994 39 has no industry in gbt4754_2011"]
    assert "not mapped: 39" in weapons.summary()
    with pytest.raises(DataError, match="no industry classification isic"):
        map_industries(["13"], source="isic", target="gbt4754_2011")


def test_every_industry_of_every_classification_maps_or_is_listed() -> None:
    rows = load_reference("industry_divisions").data
    schemes = sorted(rows["scheme"].unique())
    assert len(schemes) == 6
    for source in schemes:
        codes = sorted(rows.loc[rows["scheme"] == source, "code"].unique())
        for goal in schemes:
            for splits in ("merge", "candidates", "unmapped"):
                table = industries(codes, source, goal, splits)
                assert set(table["industry"]) == set(codes)
                assert (table["target_industry"].isna() == table["reason"].ne("")).all()


def test_long_form_agrees_with_the_table_of_the_csrc_guide() -> None:
    guide = load_reference("csrc_industry_2012").data
    for column, scheme in (
        ("gbt4754_2002", "gbt4754_2002"),
        ("gbt4754_1994", "gbt4754_1994"),
        ("gbt4754_2017", "gbt4754_2017"),
    ):
        for row in guide.to_dict("records"):
            expected = sorted(part.rstrip("p") for part in str(row[column]).split("+") if part != "-")
            found = industries([row["csrc2012"]], "csrc_2012", scheme, "candidates")["target_industry"].dropna()
            assert sorted(found) == expected, (row["csrc2012"], scheme)


def test_own_table_at_four_digits() -> None:
    table = pd.DataFrame({"source": ["1310", "1320", "1320"], "target": ["1311", "1321", "1322"]})
    result = map_industries(["1310", "1320", "9999"], source="old", target="new", table=table)
    assert result.data["target_industry"].tolist()[:2] == ["1311", "1321+1322"]
    assert result.unmapped["industry"].tolist() == ["9999"]
    with pytest.raises(DataError, match="missing: target"):
        map_industries(["1"], source="old", target="new", table=table[["source"]])


def test_scheme_of_a_year() -> None:
    assert [industry_scheme(year, "survey") for year in (1998, 2002, 2003, 2012, 2013, 2018)] == [
        "gbt4754_1994", "gbt4754_1994", "gbt4754_2002", "gbt4754_2002", "gbt4754_2011", "gbt4754_2017",
    ]  # fmt: skip
    assert [industry_scheme(year, "listed") for year in (2001, 2011, 2012)] == ["csrc_2001", "csrc_2001", "csrc_2012"]
    with pytest.raises(DataError, match="dates from 2001"):
        industry_scheme(2000, "listed")
