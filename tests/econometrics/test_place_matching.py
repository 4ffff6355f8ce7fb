"""Places: codes of any list and length, full, short and former names; what is not found is listed with its reason."""

import pandas as pd
import pytest

from econometrics.places.lists import is_heading, place_list, place_names
from econometrics.places.matching import match_prefectures, province_codes, province_names
from econometrics.reference import load_reference
from shuzhi import DataError


def code_of(value, province=None):
    provinces = None if province is None else pd.Series([province])
    return match_prefectures(pd.Series([value]), provinces=provinces).codes.iloc[0]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (460200, "460200"),
        ("460200.0", "460200"),
        ("4403", "440300"),
        ("440305", "440300"),
        ("110101", "110000"),
        ("110100", "110000"),
        ("440305000000", "440300"),
        ("429004", "429004"),
        ("深圳", "440300"),
        ("广州", "440100"),
        ("苏州", "320500"),
        ("广东省深圳市", "440300"),
        ("广东深圳", "440300"),
        ("深圳市南山区", "440300"),
        ("吉林省吉林市昌邑区", "220200"),
        ("吉林市", "220200"),
        ("恩施州", "422800"),
        ("恩施土家族苗族自治州", "422800"),
        ("延边", "222400"),
        ("黔西南州", "522300"),
        ("新疆伊犁", "654000"),
        ("海南州", "632500"),
        ("昆山市", "320500"),
        ("神农架", "429021"),
        ("北京", "110000"),
        ("上海市", "310000"),
        ("浦东新区", "310000"),
        ("襄樊市", "420600"),
        ("襄樊", "420600"),
        ("思茅市", "530800"),
        ("林芝地区", "540400"),
        ("第一师阿拉尔市", "659002"),
        # 中山区 lies in 大连, 海南区 in 乌海: the stem of a district is no prefecture.
        ("中山区", "210200"),
        ("海南区", "150300"),
        # Codes that ended: 晋中地区, 昆明's 东川市, 儋州市 before it became a prefecture.
        ("142400", "140700"),
        ("469003", "460400"),
    ],
)
def test_a_place_is_found_whatever_it_is_called(given, code):
    assert code_of(given) == code


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("吉林", "ambiguous: the province or 吉林市"),
        ("海南", "ambiguous"),
        ("朝阳区", "ambiguous: 北京市 110000, 长春市 220100"),
        ("广东", "a province"),
        ("440000", "a province"),
        ("火星市", "no such place"),
        ("999999", "a code that no list has"),
        ("440399", "a code that no list has"),
        ("341400", "no single successor"),
        ("巢湖市", "divided among"),
        (None, "missing"),
        ("", "missing"),
    ],
)
def test_nothing_is_guessed_and_the_reason_is_said(given, reason):
    match = match_prefectures(pd.Series([given, "深圳"], dtype="object"))
    assert match.codes.tolist()[1] == "440300"
    assert pd.isna(match.codes.iloc[0])
    assert match.unmatched["rows"].tolist() == [1]
    assert reason in match.unmatched["reason"].iloc[0]


def test_the_province_tells_equal_names_apart():
    assert code_of("朝阳区", "北京市") == "110000"
    assert code_of("朝阳区", "220000") == "220100"
    assert code_of("吉林", "吉林省") == "220200"
    assert pd.isna(code_of("深圳", "江苏"))
    with pytest.raises(DataError, match="same rows"):
        match_prefectures(pd.Series(["深圳"]), provinces=pd.Series(["广东"], index=[7]))


def test_every_code_of_2019_maps_and_only_provinces_do_not():
    codes = pd.Series([code for code, name in place_names(2019).items() if not is_heading(name)])
    match = match_prefectures(codes)
    assert len(codes) > 3000
    assert sorted(match.unmatched["given"]) == sorted(
        code for code in codes if code.endswith("0000") and code[:2] not in ("11", "12", "31", "50")
    )
    admin = load_reference("china_admin_codes").data
    assert match_prefectures(admin["code"]).codes.tolist() == admin["code"].tolist()
    assert match_prefectures(admin["name"]).codes.tolist() == admin["code"].tolist()
    # 吉林 alone may be the province.
    assert match_prefectures(admin["short_name"]).unmatched["given"].tolist() == ["吉林"]


def test_every_code_of_1998_to_2014_maps_or_is_listed(shared):
    table = pd.read_csv(shared / "reference" / "china_county_codes_1998_2014.csv", skiprows=1, dtype=str)
    match = match_prefectures(table["code"])
    lost = table[match.codes.isna()]
    assert int(match.unmatched["rows"].sum()) == len(lost)
    assert set(lost["code"]) == set(match.unmatched["given"])
    # Divided prefectures (巢湖, 南宁 and 柳州 as 地区), a city that was merged, islands that are no county any more,
    # and two counties whose old codes were given to islands later.
    divided, islands = (
        {"居巢区", "巢湖市", "崇左县", "来宾县", "琼山市"},
        {"西沙群岛", "南沙群岛", "中沙群岛的岛礁及其海域"},
    )
    assert set(lost["name"]) == divided | islands | {"昌江黎族自治县", "乐东黎族自治县"}
    assert match.unmatched["reason"].str.contains("西沙群岛, before 昌江黎族自治县").sum() == 1
    # The witness: the counties matched by their own code to the list of about 2021 lie in the same prefecture.
    own = table[(table["match"] == "code+name") & ~table["code"].str[:2].isin(["11", "12", "31", "50"])]
    theirs = own["matched_code"].str[:4]
    ours = match.codes[own.index].str[:4]
    assert set(own.loc[ours != theirs, "prefecture"]) <= {"那曲地区"}


def test_names_of_a_real_city_panel_agree_with_its_codes(shared):
    panel = pd.read_csv(shared / "reference" / "panels" / "city_panel_2007_2023.csv.gz")
    by_name = match_prefectures(panel["city_name"])
    by_code = match_prefectures(panel["city_code"])
    assert by_name.unmatched.empty
    both = by_code.codes.notna()
    assert int(both.sum()) == int(panel["city_code"].notna().sum()) > 3000
    assert (by_name.codes[both] == by_code.codes[both]).all()


def test_counties_and_lists_of_one_year_agree():
    table = place_list(2019)
    counties = table[(table["level"] == "county")]
    assert (match_prefectures(counties["place"]).codes.to_numpy() == counties["prefecture"].to_numpy()).all()


def test_provinces_by_code_and_name():
    given = pd.Series(["广东", "内蒙古自治区", "440305", "深圳", None, "广西壮族自治区南宁市"])
    assert province_codes(given).fillna("").tolist() == ["440000", "150000", "440000", "", "", "450000"]
    assert province_names(pd.Series(["450000", "110000", "x"]), short=True).fillna("").tolist() == ["广西", "北京", ""]
