import pandas as pd
import pytest

from econometrics.places.addresses import gazetteer, parse_places


def codes(text: str, kind: str = "address") -> tuple[str | None, str | None, str | None, str]:
    row = parse_places(pd.Series([text]), text=kind).iloc[0]
    columns = ("province_code", "prefecture_code", "county_code", "place_status")
    return tuple(None if pd.isna(row[name]) else row[name] for name in columns)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("浙江省杭州市西湖区文三路", ("330000", "330100", "330106", "county")),
        ("河北保定", ("130000", "130600", None, "prefecture")),
        ("山西忻州", ("140000", "140900", None, "prefecture")),
        ("上海", ("310000", "310000", None, "province")),
        ("重庆涪陵区", ("500000", "500000", "500102", "county")),
        ("湖北省仙桃市", ("420000", "429004", "429004", "county")),
        ("新疆巴音郭楞", ("650000", "652800", None, "prefecture")),
        ("吉林", ("220000", None, None, "province")),
        ("吉林市", ("220000", "220200", None, "prefecture")),
        ("吉林省吉林市", ("220000", "220200", None, "prefecture")),
        ("海南", ("460000", None, None, "province")),
        ("青海海南", ("630000", "632500", None, "prefecture")),
        ("襄樊市", ("420000", "420600", None, "prefecture")),
        ("思茅市", ("530000", "530800", None, "prefecture")),
        ("广东省 深圳市，南山区", ("440000", "440300", "440305", "county")),
        ("上海市南京东路1号", ("310000", "310000", None, "province")),
        ("", (None, None, None, "none")),
        ("火星", (None, None, None, "none")),
    ],
)
def test_addresses(address, expected):
    assert codes(address) == expected


def test_a_county_of_several_cities_is_ambiguous_without_its_city():
    assert codes("朝阳区") == (None, None, None, "ambiguous")
    assert codes("北京市朝阳区") == ("110000", "110000", "110105", "county")
    assert codes("长春市朝阳区")[2] == "220104"
    # Four prefectures of four provinces have a 鼓楼区; what all share is filled where they share something.
    assert codes("鼓楼区")[3] == "ambiguous"
    assert codes("辽宁省铁西区") == ("210000", None, None, "ambiguous")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("江苏苏州农村商业银行股份有限公司", ("320000", "320500", None, "prefecture")),
        ("深圳市宝鹰建设控股集团股份有限公司", ("440000", "440300", None, "prefecture")),
        ("东方时尚驾驶学校股份有限公司", (None, None, None, "none")),
        ("西上海汽车服务股份有限公司", (None, None, None, "none")),
        ("海南海药股份有限公司", ("460000", None, None, "province")),
        ("平安银行股份有限公司", (None, None, None, "none")),
    ],
)
def test_names_of_firms_begin_with_their_place(name, expected):
    assert codes(name, "firm_name") == expected


def test_every_prefecture_of_the_list_is_found_by_its_name():
    places = gazetteer().names
    prefectures = {c: n for c, n in places.items() if c.endswith("00") and not c.endswith("0000") and c[2:4] < "70"}
    current = {c: n for c, n in prefectures.items() if gazetteer().full[n] == (c,)}
    texts = pd.Series([places[code[:2] + "0000"] + name for code, name in current.items()])
    found = parse_places(texts)["prefecture_code"]
    wrong = [(text, code) for text, code, got in zip(texts, current, found, strict=True) if got != code]
    assert len(current) > 330 and wrong == []


def test_missing_texts_keep_their_rows():
    found = parse_places(pd.Series(["北京", None, "上海"], index=[7, 3, 9]))
    assert found.index.tolist() == [7, 3, 9] and found["place_status"].tolist() == ["province", "none", "province"]


def test_counties_against_cpca():
    cpca = pytest.importorskip("cpca")  # needs pkg_resources, which new versions of setuptools lack
    texts = pd.Series(
        ["浙江省杭州市西湖区文三路1号", "江苏省苏州市昆山市玉山镇", "四川省成都市武侯区", "北京市海淀区中关村"]
    )
    assert parse_places(texts)["county_code"].tolist() == cpca.transform(texts)["adcode"].tolist()
