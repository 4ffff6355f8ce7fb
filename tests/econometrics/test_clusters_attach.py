"""Clusters carried to listed firms: the lag, codes of both times, and every gap named."""

import numpy as np
import pandas as pd
import pytest

from econometrics.clusters import ClusterMap, attach_clusters, cluster_table, harmonise
from shuzhi import DataError


@pytest.fixture
def clusters() -> ClusterMap:
    rows = [
        ("330183", "40", 1998, True, 900.0, 2.5),  # 富阳市, electronics of 1994 are 41, 40 is electrical
        ("330183", "41", 1998, True, 400.0, 1.5),
        ("310101", "41", 1998, False, np.nan, 0.4),
        ("310102", "41", 1998, True, 300.0, 3.0),  # 南市区, part of 黄浦区 since 2000
        ("362201", "13", 1998, True, 100.0, 4.0),  # 宜春市, now 袁州区
        ("310101", "29", 1998, False, np.nan, 0.2),
        ("310101", "30", 1998, True, 50.0, 1.8),
        ("330111", "39", 2008, True, 70.0, 1.1),
    ]
    columns = ["place", "industry", "year", "is_cluster", "cluster_size", "cluster_strength"]
    return ClusterMap(cluster_table(pd.DataFrame(rows, columns=columns)), "by hand", {})


@pytest.fixture
def firms() -> pd.DataFrame:
    rows = [
        ("000001", 2008, "330183", "C76"),  # electrical machinery in 富阳市
        ("000002", 2008, "310101", "C51"),  # electronics in 黄浦区
        ("000003", 2008, "360902", "C01"),  # food in 袁州区
        ("000004", 2008, "310101", "C01"),  # the place and the industry are there, not together
        ("000005", 2008, "110101", "C51"),  # a place without any establishment
        ("000006", 2008, "330183", "K01"),  # no manufacturing
        ("000007", 2009, "330183", "C76"),  # no map of 1999
        ("000008", 2008, None, "C76"),
        ("000009", 2008, "330183", None),
        ("000010", 2008, "310101", "C48"),  # rubber and plastics: two cells
    ]
    return pd.DataFrame(rows, columns=["stock_code", "report_year", "place", "industry"], index=range(100, 110))


SCHEMES = {"firm_scheme": "listed", "cluster_scheme": "survey"}


def test_ten_years_before_with_codes_of_both_times(clusters: ClusterMap, firms: pd.DataFrame) -> None:
    before = firms.copy()
    result = attach_clusters(firms, clusters, lag=10, **SCHEMES)  # type: ignore[arg-type]
    pd.testing.assert_frame_equal(firms, before)
    data = result.data.set_index("stock_code")
    assert result.data.index.tolist() == firms.index.tolist()
    assert data["cluster_year"].tolist() == [1998] * 6 + [1999] + [1998] * 3
    assert data.loc["000001", ["cluster_place", "cluster_industry"]].tolist() == ["330183", "40"]
    assert data.loc["000001", ["is_cluster", "cluster_size", "cluster_strength"]].tolist() == [True, 900.0, 2.5]
    # 黄浦区 of 2008 holds two places of 1998, one of which is a cluster of electronics
    assert data.loc["000002", ["cluster_place", "cluster_candidates"]].tolist() == ["310102", 2]
    assert data.loc["000003", ["cluster_place", "cluster_strength"]].tolist() == ["362201", 4.0]
    assert data.loc["000010", ["cluster_industry", "is_cluster"]].tolist() == ["30", True]
    assert data["cluster_match"].tolist() == [
        "matched",
        "matched",
        "matched",
        "no establishment of the industry in the place",
        "the map has no such place in the year",
        "the industry code has no industry in gbt4754_1994",
        "the map has no year 1999",
        "firm without a place code of six digits",
        "firm without an industry code",
        "matched",
    ]
    # no establishment: no cluster, but its strength is unknown, not zero
    assert data.loc["000004", "is_cluster"] == False  # noqa: E712
    assert pd.isna(data.loc["000004", "cluster_strength"])
    assert data.loc["000005":"000009", "is_cluster"].isna().all()
    assert len(result.unmatched) == 6
    assert result.matches.sum() == len(firms)
    assert "in a cluster: 4; not in one: 1; unknown: 5" in result.summary()


def test_choices_for_absent_and_several_cells(clusters: ClusterMap, firms: pd.DataFrame) -> None:
    strict = attach_clusters(firms, clusters, lag=10, absent="missing", several="unmatched", **SCHEMES).data  # type: ignore[arg-type]
    strict = strict.set_index("stock_code")
    assert strict["is_cluster"].notna().tolist() == [True, False, True, *[False] * 7]
    assert strict.loc["000010", "cluster_match"] == "the codes stand for several cells"


def test_base_year_and_codes_as_given(clusters: ClusterMap) -> None:
    firms = pd.DataFrame(
        {"code": ["a", "b"], "t": [2015, 2020], "county": ["330111", "330183"], "division": ["39", "40"]}
    )
    names = {"place": "county", "industry": "division", "year": "t"}
    base = attach_clusters(firms, clusters, base_year=1998, firm_places="as_given", **names).data  # type: ignore[arg-type]
    assert base["cluster_year"].tolist() == [1998, 1998]
    assert base["cluster_match"].tolist() == ["the map has no such place in the year", "matched"]
    # the code of 2018 is that of 富阳区; 40 and 41 of the map are both there, 39 is not
    mapped = attach_clusters(firms, clusters, base_year=1998, firm_places=2018, **names).data  # type: ignore[arg-type]
    assert mapped["cluster_match"].tolist() == ["the map has no such industry in the year", "matched"]
    fixed = attach_clusters(firms, clusters, base_year=2008, cluster_places=2018, firm_places=2018, **names).data  # type: ignore[arg-type]
    assert fixed["cluster_match"].tolist() == ["matched", "the map has no such industry in the year"]


def test_finer_map_and_prefectures() -> None:
    rows = [("330100", "3911", 2008, False, np.nan, 0.5), ("330100", "3912", 2008, True, 10.0, 1.2)]
    columns = ["place", "industry", "year", "is_cluster", "cluster_size", "cluster_strength"]
    clusters = ClusterMap(cluster_table(pd.DataFrame(rows, columns=columns)), "by hand", {})
    firms = pd.DataFrame({"report_year": [2018], "place": ["330111"], "industry": ["C38"]})
    result = attach_clusters(
        firms, clusters, lag=10, place_level="prefecture", firm_scheme="csrc_2012", cluster_scheme="survey"
    ).data.iloc[0]
    assert result[["cluster_place", "cluster_industry", "cluster_candidates"]].tolist() == ["330100", "3912", 2]
    assert bool(result["is_cluster"])


def test_map_of_merged_industries() -> None:
    rows = [("330100", "24+41", 2008, True, 9.0, 1.4)]
    columns = ["place", "industry", "year", "is_cluster", "cluster_size", "cluster_strength"]
    clusters = ClusterMap(cluster_table(pd.DataFrame(rows, columns=columns)), "by hand", {})
    firms = pd.DataFrame({"report_year": 2018, "place": "330100", "industry": ["C24", "C41", "C40"]})
    result = attach_clusters(
        firms, clusters, lag=10, place_level="prefecture", firm_scheme="csrc_2012", cluster_scheme="gbt4754_2011"
    ).data
    assert result["is_cluster"].isna().tolist() == [False, False, True]
    assert result["cluster_industry"].tolist()[:2] == ["24+41", "24+41"]
    assert result["cluster_candidates"].tolist() == [1, 1, 1]


def test_what_does_not_fit_is_said_at_once(clusters: ClusterMap, firms: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="give either lag"):
        attach_clusters(firms, clusters)
    with pytest.raises(DataError, match=r"give either lag .*no column where.*already have the columns is_cluster"):
        attach_clusters(firms.assign(is_cluster=1), clusters, lag=10, base_year=1998, place="where")


def test_a_map_checks_itself() -> None:
    rows = pd.DataFrame({"place": ["N", "N"], "industry": "A", "year": 2000, "is_cluster": [True, False]})
    with pytest.raises(DataError, match="missing: cluster_size, cluster_strength"):
        ClusterMap(rows, "x", {})
    with pytest.raises(DataError, match="2 rows share a place, industry and year"):
        ClusterMap(rows.assign(cluster_size=1.0, cluster_strength=1.0), "x", {})


def test_codes_of_all_years_are_brought_to_one_list() -> None:
    data = pd.DataFrame(
        {
            "place": ["330183", "330111", "310103", "310101", "320214", "999999"],
            "industry": ["4310", "4210", "2410", "3721", "3600", "1311"],
            "year": [1998, 2004, 1998, 2004, 2015, 2004],
            "employment": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
        },
        index=[5, 6, 7, 8, 9, 10],
    )
    # 330111 was no code in 2004; the nearest list with it is later, and 富阳区 is what it names
    result = harmonise(data, target_year=2019, target_scheme="gbt4754_2011")
    assert result.dropped == {"rows whose place is not mapped": 1}
    kept = result.data
    assert kept.index.tolist() == [5, 6, 7, 8, 9]
    assert kept["place"].tolist() == ["330111", "330111", "310101", "310101", "320214"]
    # 43 of 1994 is 41 and 42, 42 of 2002 is 24 and 41: one unit in all years; so are 36 and 37
    assert kept["industry"].tolist() == ["24+41+42", "24+41+42", "24+41+42", "36+37", "36+37"]
    assert kept["place_before"].tolist() == data["place"].tolist()[:5]
    strict = harmonise(
        data.assign(industry=["4390", "4210", "2410", "3721", "3600", "1311"]),
        target_scheme="gbt4754_2011",
        industry_splits="unmapped",
    )
    # the group tells 421 and 372, nothing tells 439
    assert strict.data["industry"].tolist() == ["24", "24", "36", "36", "13"]
    assert strict.dropped == {"rows whose industry is not mapped": 1}
    reasons = strict.industries.set_index(["scheme", "industry"])["reason"]
    assert reasons["gbt4754_1994", "4390"] == "divided among 41, 42"
    with pytest.raises(DataError, match="nothing to map to"):
        harmonise(data)
