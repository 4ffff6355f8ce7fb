"""Policies: four rules of the pilots against a second expansion, years, unmatched places, staggered columns."""

import pandas as pd
import pytest

from econometrics.places.lists import is_heading, place_names
from econometrics.policies import POLICIES, add_treatment, policy_cohorts
from econometrics.policies.cohorts import PolicyCohorts
from econometrics.policies.sectors import covered_industries
from econometrics.reference import load_reference
from shuzhi import DataError


def expanded(rule: str, year: str) -> dict[str, int]:
    """First years by prefecture, expanded again from the notices: a second computation, place by place."""
    pilots = load_reference("low_carbon_pilots").data
    first = {}
    for place in load_reference("china_admin_codes").data.itertuples():
        named = pilots[(pilots["match_code"] == place.code) & (pilots["level"] != "county")][year].tolist()
        province = pilots[(pilots["code"] == place.province_code) & (pilots["level"] == "province")][year].tolist()
        counties = pilots[(pilots["match_code"] == place.code) & (pilots["level"] == "county")][year].tolist()
        years = {
            "first": named + province,
            "named_first": named or province,
            "city_only": named,
            "any": named + province + counties,
        }[rule]
        if years:
            first[place.code] = min(years)
    return first


@pytest.mark.parametrize("rule", ["first", "named_first", "city_only", "any"])
@pytest.mark.parametrize(("timing", "year"), [("force", "year_in_force"), ("notice", "year_issued")])
def test_low_carbon_pilots_by_each_rule_equal_the_notices(rule, timing, year):
    data = policy_cohorts("low_carbon_pilots", rule=rule, timing=timing).data
    assert dict(zip(data["code"], data["first_treated_year"], strict=True)) == expanded(rule, year)
    years = {"force": {2010, 2013, 2017}, "notice": {2010, 2012, 2017}}[timing]
    assert set(data["first_treated_year"]) == years


def test_the_notices_hold_thirteen_twenty_nine_and_forty_five_units():
    counts = load_reference("low_carbon_pilots").data["batch"].value_counts()
    assert [int(counts[batch]) for batch in (1, 2, 3)] == [13, 29, 45]


def test_rules_differ_where_province_and_city_are_both_listed():
    def year_of(code, rule):
        data = policy_cohorts("low_carbon_pilots", rule=rule).data.set_index("code")["first_treated_year"]
        return data.get(code)

    # 武汉: in 湖北 of 2010, named in 2012 (in force 2013). 鞍山: only in 辽宁. 九江: only a county of 2017.
    assert [year_of("420100", rule) for rule in ("first", "named_first", "city_only", "any")] == [
        2010,
        2013,
        2013,
        2010,
    ]
    assert [year_of("210300", rule) for rule in ("first", "named_first", "city_only", "any")] == [
        2010,
        2010,
        None,
        2010,
    ]
    assert [year_of("360400", rule) for rule in ("first", "named_first", "city_only", "any")] == [
        None,
        None,
        None,
        2017,
    ]


def test_the_other_policies_have_their_places_and_years():
    trading = policy_cohorts("carbon_trading_pilots").data.set_index("code")["first_treated_year"]
    assert (trading["440300"], trading["440100"], trading["420100"], trading["350100"]) == (2013, 2013, 2014, 2016)
    approval = policy_cohorts("carbon_trading_pilots", timing="notice").data
    assert set(approval["first_treated_year"]) == {2011}
    assert not approval["code"].str.startswith("35").any()
    verified = policy_cohorts("carbon_trading_pilots", with_unverified=False)
    assert not verified.data["code"].str.startswith("35").any()
    assert verified.warnings == ()
    assert policy_cohorts("carbon_trading_pilots").warnings[0].startswith("carbon_trading_pilots is not verified")
    broadband = policy_cohorts("broadband_china").data
    assert len(broadband) == load_reference("broadband_china").data["match_code"].nunique()
    # 苏州 is listed itself in 2014 beside 昆山; 嘉兴 in 2015.
    cities = policy_cohorts("broadband_china", with_counties=False).data.set_index("code")["first_treated_year"]
    assert (cities["320500"], cities["330400"]) == (2014, 2015)
    zones = policy_cohorts("bigdata_zones").data
    # 贵州 9, 河北 11, 河南 17 + 济源, 内蒙古 12 prefectures; 北京 天津 上海 重庆; nine of 珠三角; 沈阳.
    assert len(zones) == 9 + 11 + 18 + 12 + 4 + 9 + 1
    assert len(policy_cohorts("key_air_control_cities_2013").data) == 47


@pytest.mark.parametrize("policy", POLICIES)
def test_every_treated_place_is_a_prefecture_of_2019(policy):
    data = policy_cohorts(policy).data
    assert set(data["code"]) <= set(load_reference("china_admin_codes").data["code"])
    assert data["name"].notna().all()
    assert not data["code"].duplicated().any()


def panel() -> pd.DataFrame:
    places = ["深圳", "武汉市", "上海", "成都市", "火星", None]
    return pd.DataFrame(
        [(place, year) for place in places for year in (2009, 2012, 2013, 2018)], columns=["city", "report_year"]
    )


def test_treatment_columns_by_hand():
    result = add_treatment(panel(), "low_carbon_pilots", place="city")
    data = result.data.set_index(["city", "report_year"])
    assert data.loc["深圳", "is_treated_post"].tolist() == [0, 1, 1, 1]
    assert data.loc["上海", "is_treated_post"].tolist() == [0, 0, 1, 1]
    assert data.loc["成都市", "is_treated_post"].tolist() == [0, 0, 0, 1]
    assert data.loc["上海", "years_since_treated"].tolist() == [-4, -1, 0, 5]
    assert data.loc["成都市", "first_treated_year"].tolist() == [2017] * 4
    # A place that is not found is missing, not untreated.
    assert data.loc["火星", "is_treated"].isna().all()
    assert data.loc["火星", "is_treated_post"].isna().all()
    assert result.unmatched.to_dict("list") == {
        "given": ["", "火星"],
        "rows": [4, 4],
        "reason": ["missing", "no such place"],
    }
    assert any("8 of 24 rows name no known place" in each for each in result.warnings)
    # 深圳 and 武汉 from 2010: three of four years each; 上海 2013; 成都 2017; none is never treated.
    assert result.cohorts["first_treated_year"].tolist() == [2010, 2013, 2017]
    assert result.cohorts["rows_after"].tolist() == [6, 2, 1]
    assert "every place is treated" in " ".join(result.warnings)
    assert len(result.unused) + 4 == len(policy_cohorts("low_carbon_pilots").data)


def test_never_treated_places_are_missing_or_zero_as_asked():
    data = pd.DataFrame({"city": ["深圳", "长春"], "report_year": [2015, 2015]})
    missing = add_treatment(data, "low_carbon_pilots", place="city").data
    assert missing["is_treated"].tolist() == [1, 0]
    assert missing["is_treated_post"].tolist() == [1, 0]
    assert missing["first_treated_year"].isna().tolist() == [False, True]
    zero = add_treatment(data, "low_carbon_pilots", place="city", never="zero").data
    assert zero["first_treated_year"].tolist() == [2010, 0]
    assert zero["years_since_treated"].isna().tolist() == [False, True]


def test_two_policies_stand_side_by_side_under_their_names():
    first = add_treatment(panel(), "low_carbon_pilots", place="city", name="low_carbon").data
    both = add_treatment(first, "broadband_china", place="city", name="broadband").data
    assert {"is_low_carbon", "is_low_carbon_post", "broadband_first_year", "years_since_broadband"} <= set(both.columns)
    with pytest.raises(DataError, match="already has is_broadband"):
        add_treatment(both, "broadband_china", place="city", name="broadband")


def test_sectors_of_the_trading_pilots_limit_the_treatment():
    data = pd.DataFrame(
        {
            "city": ["深圳", "广州", "广州", "武汉", "武汉", "重庆", "成都", "广州"],
            "report_year": 2015,
            "industry": ["C39", "C31", "C39", "C31", "C39", "B06", "C31", None],
        }
    )
    result = add_treatment(data, "carbon_trading_pilots", place="city", industry="industry")
    # 深圳 covers manufacturing, 广东 steel and not electronics, 湖北 steel and an open list, 重庆 industry.
    assert result.data["is_treated_post"].fillna(-1).tolist() == [1, 1, 0, 1, -1, 1, 0, -1]
    assert set(covered_industries()["code"]) == set(load_reference("carbon_trading_pilots").data["code"])
    with pytest.raises(DataError, match="only carbon_trading_pilots has sectors"):
        add_treatment(data, "broadband_china", place="city", industry="industry")


def test_cohorts_of_ones_own_work_as_well():
    own = PolicyCohorts(
        "own", pd.DataFrame({"code": ["440300"], "name": ["深圳市"], "first_treated_year": [2014]}), (), ()
    )
    data = add_treatment(panel(), own, place="city").data
    assert data.loc[data["city"] == "深圳", "is_treated_post"].tolist() == [0, 0, 0, 1]


def test_every_code_of_2019_is_treated_untreated_or_listed():
    codes = [code for code, name in place_names(2019).items() if not is_heading(name)]
    result = add_treatment(pd.DataFrame({"code": codes, "report_year": 2018}), "low_carbon_pilots", place="code")
    listed = set(result.unmatched["given"])
    assert result.data.loc[result.data["is_treated"].isna(), "code"].isin(listed).all()
    assert all(code.endswith("0000") for code in listed)
    assert int(result.data["is_treated"].notna().sum()) == len(codes) - len(listed)
    assert result.unused.empty


def test_a_real_city_panel_agrees_but_where_its_list_is_known_to_differ(shared):
    panel = pd.read_csv(shared / "reference" / "panels" / "city_panel_2007_2023.csv.gz").dropna(subset=["treat"])
    result = add_treatment(panel, "low_carbon_pilots", place="city_name", year="year", rule="named_first")
    ours, theirs = result.data["first_treated_year"], panel["pilot_year"]
    differ = panel[(ours != theirs) & ~(ours.isna() & theirs.isna())]
    # Its list takes a city's own listing before its province's; 普洱, with a district named in 2017, was left out.
    assert len(panel) > 3000
    assert set(differ["city_name"]) == set()
    assert "普洱市" not in set(panel["city_name"])
    assert result.unmatched.empty
    first = add_treatment(panel, "low_carbon_pilots", place="city_name", year="year", rule="first")
    assert (first.data["first_treated_year"] < theirs).any()


def test_unknown_names_are_refused():
    with pytest.raises(DataError, match="no policy named 'smart'"):
        policy_cohorts("smart")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="rule is one of first"):
        policy_cohorts("low_carbon_pilots", rule="x")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="no column town"):
        add_treatment(panel(), "low_carbon_pilots", place="town")
